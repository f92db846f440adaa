//! `dynamic`: operations that are bound when they run.
//!
//! An operation on a value whose static type is `dynamic` keeps its syntax, its operands replaced by
//! names. When it runs, the binder binds it for the types that the operands have then; what it makes
//! of it is kept. So there is no second set of rules. What Newtonsoft.Json's objects do of their own
//! (members of a `JObject`, operators of a `JValue`) is syntax too: [`super::dynamic_json`].
//!
//! Source: C# specification, 12.3.2 and 12.3.3.

use std::sync::{Arc, Mutex, PoisonError};

use clr::types::Type;
use clr::value::Value;
use csharp::Problem;
use csharp::ast::{self, ArgumentMode, BinaryOp, ExprKind, Name, SimpleName, Span, UnaryOp};
use dotnet::Runtime;

use super::overload::{Argument, Given};
use super::{Binder, Expr, codes, conversion, dynamic_json};
use crate::Options;
use crate::ir::{Body, Code, Conversion, Node};

/// For how many lists of types one operation keeps what was bound.
const MAX_KEPT: usize = 32;

/// An operation that is bound when it runs.
#[derive(Debug)]
pub(crate) struct Site {
    /// The operation over the names of its operands.
    syntax: ast::Expr,
    operands: Vec<Operand>,
    /// The conversion that is asked for, and whether it is a cast.
    to: Option<(Type, bool)>,
    checked: bool,
    type_parameters: Vec<(String, Type)>,
    bound: Mutex<Vec<Bound>>,
}

/// What was bound for a list of types.
type Bound = (Vec<Type>, Result<Arc<Code>, Problem>);

/// What is known of an operand before it runs.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    /// Its type is that of its value.
    Dynamic,
    /// It has a static type, and maybe a value.
    Static(Type, Option<Value>),
}

impl Site {
    fn new(syntax: ast::Expr, operands: Vec<Operand>) -> Self {
        let bound = Mutex::default();
        Self { syntax, operands, to: None, checked: false, type_parameters: Vec::new(), bound }
    }

    /// Can it be assigned to: a member or an element?
    pub(super) const fn is_place(&self) -> bool {
        matches!(self.syntax.kind, ExprKind::Member { .. } | ExprKind::Index { .. })
    }

    /// The operation for values.
    pub(crate) fn code(&self, values: &[Value], runtime: Runtime) -> Result<Arc<Code>, Problem> {
        let known = self.operands.iter().map(Some).chain(std::iter::repeat(None));
        let types: Vec<Type> = values
            .iter()
            .zip(known)
            .map(|(value, operand)| match operand {
                Some(Operand::Static(ty, _)) => *ty,
                _ => value.runtime_type(),
            })
            .collect();
        let kept = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = kept.iter().find(|(own, _)| *own == types) {
            return known.clone();
        }
        drop(kept);
        let made = self.bind(&types, runtime).map(Arc::new);
        let mut kept = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT {
            kept.push((types, made.clone()));
        }
        made
    }

    fn bind(&self, types: &[Type], runtime: Runtime) -> Result<Code, Problem> {
        let options = Options { runtime, allow_unlisted: true, ..Options::default() };
        let mut binder = Binder::new(options);
        binder.checked = self.checked;
        binder.type_parameters.clone_from(&self.type_parameters);
        binder.on_dynamic = matches!(self.operands.first(), Some(Operand::Dynamic));
        for (at, ty) in types.iter().enumerate() {
            let id = binder.declare_quietly(&operand_name(at), *ty);
            binder.flow.assign(id);
            if let (Some(Operand::Static(_, value)), Some(own)) =
                (self.operands.get(at), binder.variables.get_mut(id))
            {
                own.constant.clone_from(value);
            }
        }
        let bound = match self.to {
            None => {
                let syntax = dynamic_json::rewritten(&self.syntax, types);
                binder.value(syntax.as_ref().unwrap_or(&self.syntax))
            }
            Some((to, is_cast)) => {
                let value = binder.value(&self.syntax);
                let casts = is_cast || dynamic_json::converts_by_cast(value.ty);
                binder.converted_late(value, to, casts)
            }
        };
        if let Some(problem) = binder.problems.into_iter().next() {
            return Err(problem);
        }
        let (slots, height) = binder.functions.first().map_or((0, 0), |it| (it.slots, it.height));
        let signature = clr::types::func(&[bound.ty.erased()]);
        let body = Body::Expression(bound.node);
        let (references, cells) = (Box::default(), Box::default());
        Ok(Code { signature, slots, height: height + 3, references, cells, body })
    }
}

/// A conversion of a `dynamic` value.
pub(super) fn conversion_to(to: Type, is_cast: bool) -> Conversion {
    let syntax = name_of_operand(0, Span::default());
    let to = Some((to, is_cast));
    Conversion::Late(Arc::new(Site { to, ..Site::new(syntax, vec![Operand::Dynamic]) }))
}

fn operand_name(at: usize) -> String {
    format!("<{at}>")
}

/// The syntax that stands for an operand.
pub(super) fn name_of_operand(at: usize, span: Span) -> ast::Expr {
    let name = SimpleName {
        name: Name { text: operand_name(at).into(), span },
        type_arguments: Vec::new(),
    };
    ast::Expr { kind: ExprKind::Name(name), span, parenthesised: false }
}

/// The operands of an operation, in the order of evaluation.
#[derive(Default)]
pub(super) struct Operands {
    nodes: Vec<Node>,
    operands: Vec<Operand>,
}

impl Operands {
    pub(super) fn add(&mut self, it: Expr) -> ast::Expr {
        let syntax = name_of_operand(self.nodes.len(), it.span);
        self.operands.push(match it.ty {
            Type::Dynamic => Operand::Dynamic,
            ty => Operand::Static(ty, it.constant),
        });
        self.nodes.push(it.node);
        syntax
    }
}

impl Binder {
    /// An operation over operands, to be bound when it runs.
    fn late(&self, kind: ExprKind, operands: Operands, span: Span) -> Expr {
        let syntax = ast::Expr { kind, span, parenthesised: false };
        let site = Site {
            checked: self.checked,
            type_parameters: self.type_parameters.clone(),
            ..Site::new(syntax, operands.operands)
        };
        let node = Node::Late(Arc::new(site), operands.nodes.into_boxed_slice());
        Expr::new(node, Type::Dynamic, span)
    }

    pub(super) fn late_member(&self, target: Expr, name: &SimpleName, span: Span) -> Expr {
        let mut operands = Operands::default();
        let target = Box::new(operands.add(target));
        self.late(ExprKind::Member { target, name: name.clone() }, operands, span)
    }

    /// A call of a member of a value.
    pub(super) fn late_method(
        &mut self,
        object: Expr,
        name: SimpleName,
        arguments: &[Argument<'_>],
        span: Span,
    ) -> Expr {
        let mut operands = Operands::default();
        let target = Box::new(operands.add(object));
        let target =
            ast::Expr { kind: ExprKind::Member { target, name }, span, parenthesised: false };
        self.late_call(target, operands, arguments, span)
    }

    /// A call: `target` is syntax already.
    pub(super) fn late_call(
        &mut self,
        target: ast::Expr,
        mut operands: Operands,
        arguments: &[Argument<'_>],
        span: Span,
    ) -> Expr {
        let Some(arguments) = self.late_arguments(arguments, &mut operands) else {
            return Expr::error(span);
        };
        self.late(ExprKind::Call { target: Box::new(target), arguments }, operands, span)
    }

    pub(super) fn late_index(
        &mut self,
        target: Expr,
        arguments: &[Argument<'_>],
        span: Span,
    ) -> Expr {
        let mut operands = Operands::default();
        let target = Box::new(operands.add(target));
        let Some(arguments) = self.late_arguments(arguments, &mut operands) else {
            return Expr::error(span);
        };
        self.late(ExprKind::Index { target, arguments }, operands, span)
    }

    pub(super) fn late_new(
        &mut self,
        ty: &ast::TypeRef,
        arguments: &[Argument<'_>],
        span: Span,
    ) -> Expr {
        let mut operands = Operands::default();
        let Some(arguments) = self.late_arguments(arguments, &mut operands) else {
            return Expr::error(span);
        };
        let kind = ExprKind::New { ty: ty.clone(), arguments, initializer: None };
        self.late(kind, operands, span)
    }

    pub(super) fn late_binary(&self, op: BinaryOp, op_span: Span, a: Expr, b: Expr) -> Expr {
        let span = a.span.to(b.span);
        let mut operands = Operands::default();
        let left = Box::new(operands.add(a));
        let right = Box::new(operands.add(b));
        self.late(ExprKind::Binary { op, op_span, left, right }, operands, span)
    }

    pub(super) fn late_unary(&self, op: UnaryOp, operand: Expr, span: Span) -> Expr {
        let mut operands = Operands::default();
        let operand = Box::new(operands.add(operand));
        self.late(ExprKind::Unary { op, operand }, operands, span)
    }

    /// The assignment to a member or an element that a site reads.
    pub(super) fn late_write(
        &self,
        site: &Site,
        nodes: Vec<Node>,
        value: Node,
        span: Span,
    ) -> Expr {
        let mut operands = Operands { nodes, operands: site.operands.clone() };
        let value = Box::new(operands.add(Expr::new(value, Type::Dynamic, span)));
        let target = Box::new(site.syntax.clone());
        self.late(ExprKind::Assign { op: None, target, value }, operands, span)
    }

    fn late_arguments(
        &mut self,
        arguments: &[Argument<'_>],
        operands: &mut Operands,
    ) -> Option<Vec<ast::Argument>> {
        let mut all = Vec::new();
        for it in arguments {
            let Given::Expr(value) = &it.value else {
                self.report(
                    codes::NO_TYPE,
                    it.span,
                    "only a value can be passed to a call that is bound when it runs",
                    "its type depends on the method, which is not known yet",
                    Some("cast the `dynamic` value to its type".to_owned()),
                );
                return None;
            };
            let value = operands.add(value.clone());
            all.push(ast::Argument { name: it.name.cloned(), mode: ArgumentMode::Value, value });
        }
        Some(all)
    }

    /// The conversion of an operand whose type is known by now.
    fn converted_late(&mut self, value: Expr, to: Type, is_cast: bool) -> Expr {
        if is_cast
            && self.implicit_way(&value, to).is_none()
            && let Some(way) = conversion::explicit(value.ty, to, self.checked)
        {
            return self.apply_way(value, way, to);
        }
        self.convert(value, to)
    }
}

/// Is the type of an argument known only when it runs?
pub(super) fn has_dynamic(arguments: &[Argument<'_>]) -> bool {
    arguments.iter().any(|it| matches!(&it.value, Given::Expr(it) if it.ty == Type::Dynamic))
}

#[cfg(test)]
mod tests {
    use crate::bind::tests::beyond;

    const FAULT: &str = "Microsoft.CSharp.RuntimeBinder.RuntimeBinderException";

    #[test]
    fn operations_are_bound_for_the_types_of_their_values() {
        beyond(&[
            ("dynamic d = 5; return d + 1;", "Int32: 6"),
            ("dynamic d = 5; d = \"x\"; return d + d;", "String: xx"),
            ("dynamic a = 1; dynamic b = 2.5; return a + b;", "Double: 3.5"),
            ("dynamic d = \"abc\"; return d.Length;", "Int32: 3"),
            ("dynamic d = \"abc\"; return d.Substring(1)[1];", "Char: c"),
            ("dynamic d = \"abc\"; return d.Foo;", FAULT),
            ("dynamic d = null; return d.X;", FAULT),
            ("dynamic d = 5; string s = d; return s;", FAULT),
            ("dynamic d = 5.7; return (int)d;", "Int32: 5"),
            ("dynamic d = new { x = 1 }; return d.x;", "Int32: 1"),
            ("dynamic d = 3; d += 4; d++; return d;", "Int32: 8"),
            (
                "dynamic d = new[] {1, 2}; int n = 0; foreach (var x in d) n += x; return n;",
                "Int32: 3",
            ),
            ("dynamic d = true; return d ? Math.Max(d ? 1 : 2, 0) : 3;", "Int32: 1"),
            ("dynamic d = 4; return Math.Max(d, 7);", "Int32: 7"),
            ("Func<int, int> f = x => x * 2; dynamic d = f; return d(4);", "Int32: 8"),
            (
                "var l = new List<dynamic> { 1, \"a\" }; return l.Select(x => x.ToString()).First();",
                "String: 1",
            ),
        ]);
    }
}
