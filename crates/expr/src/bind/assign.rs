//! Assignment, compound assignment, `++` and `--`.
//!
//! Source: C# specification, 12.21.

use std::sync::Arc;

use clr::rows::{Member, TypeDef, TypeKind};
use clr::types::Type;
use clr::value::Value;
use csharp::ast::{self, BinaryOp, ExprKind, Span};

use super::conversion::{explicit, standard_implicit};
use super::late::Site;
use super::{Binder, Expr, advice, codes};
use crate::ir::{Access, Call, Node};

/// What can be assigned to.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Variable {
        id: usize,
        ty: Type,
    },
    Element {
        array: Node,
        index: Node,
        ty: Type,
    },
    /// A property or an indexer: the call that reads it.
    Row {
        call: Box<Call>,
        ty: Type,
    },
    /// An item of a tuple that is a place itself.
    Item {
        of: Box<Place>,
        index: usize,
        ty: Type,
    },
    /// A member of a struct that is a place itself: the call that reads it.
    Field {
        of: Box<Place>,
        call: Box<Call>,
        ty: Type,
    },
    /// A member or an element of a `dynamic` value: the operation that reads it.
    Late {
        site: Arc<Site>,
        operands: Box<[Node]>,
    },
    Discard,
}

impl Place {
    pub(super) const fn ty(&self) -> Type {
        match self {
            Self::Variable { ty, .. }
            | Self::Element { ty, .. }
            | Self::Row { ty, .. }
            | Self::Item { ty, .. }
            | Self::Field { ty, .. } => *ty,
            Self::Late { .. } => Type::Dynamic,
            Self::Discard => Type::Error,
        }
    }

    /// Has it a place in memory of its own, as `out` and `ref` want?
    pub(super) const fn is_variable(&self) -> bool {
        matches!(
            self,
            Self::Variable { .. } | Self::Element { .. } | Self::Item { .. } | Self::Field { .. }
        )
    }
}

impl Binder {
    pub(super) fn assign(
        &mut self,
        op: Option<BinaryOp>,
        target: &ast::Expr,
        value: &ast::Expr,
        span: Span,
    ) -> Expr {
        if let (ExprKind::Tuple(elements), None) = (&target.kind, op) {
            return self.deconstruct(elements, value, span);
        }
        let Some(mut place) = self.place(target) else {
            if !self.is_untyped(value) {
                self.value(value);
            }
            return Expr::error(span);
        };
        let Some(op) = op else {
            if matches!(place, Place::Discard) {
                let bound = self.value(value);
                self.require_value(&bound);
                return bound;
            }
            let mut before = Vec::new();
            if matches!(place, Place::Item { .. } | Place::Field { .. }) {
                self.hold(&mut place, &mut before);
            }
            let bound = self.value_as(value, place.ty());
            let done = self.write(place, bound.node, span);
            return Self::after(before, done);
        };
        let mut before = Vec::new();
        self.hold(&mut place, &mut before);
        let old = self.read(&place, target.span);
        let bound = self.value(value);
        self.require_value(&bound);
        let ty = place.ty();
        let (right, op_span) = (bound.clone(), target.span.to(span));
        let shift = matches!(op, BinaryOp::ShiftLeft | BinaryOp::ShiftRight);
        let result = self.binary_values(op, op_span, old, bound, span);
        let result = self.back(result, &right, ty, shift);
        let done = self.write(place, result.node, span);
        Self::after(before, done)
    }

    pub(super) fn step(&mut self, target: &ast::Expr, up: bool, prefix: bool, span: Span) -> Expr {
        let Some(mut place) = self.place(target) else { return Expr::error(span) };
        let mut before = Vec::new();
        self.hold(&mut place, &mut before);
        let old = self.read(&place, target.span);
        let ty = place.ty();
        let counts = |it: Type| it.is_numeric() || it.is_enum() || it == Type::Dynamic;
        if old.ty != Type::Error && !counts(ty.without_null()) {
            let text = if up { "++" } else { "--" };
            self.report(
                codes::NO_OPERATOR,
                span,
                format!("operator `{text}` cannot be applied to `{ty}`"),
                "no such operator",
                None,
            );
            return Expr::error(span);
        }
        let slot = self.temporary();
        before.push(Node::SetLocal(slot, Box::new(old.node)));
        let old = Expr::new(Node::Local(slot), ty, target.span);
        let one = Expr::constant(Value::Int(1), Type::Int32, span);
        let op = if up { BinaryOp::Add } else { BinaryOp::Subtract };
        let result = self.binary_values(op, span, old, one.clone(), span);
        let result = self.back(result, &one, ty, true);
        let done = self.write(place, result.node, span);
        if prefix {
            return Self::after(before, done);
        }
        before.push(done.node);
        before.push(Node::Local(slot));
        Expr::new(Node::Sequence(before.into_boxed_slice()), ty, span)
    }

    /// The result of a compound operation as the variable's type: `b += 1` of a `byte` converts back.
    /// The right operand must convert to that type too, except for shifts and steps.
    fn back(&mut self, result: Expr, right: &Expr, ty: Type, any_right: bool) -> Expr {
        if result.ty == Type::Error || self.implicit_way(&result, ty).is_some() {
            return self.convert(result, ty);
        }
        let of_enum = ty.without_null().is_enum();
        let is_allowed = any_right
            || self.implicit_way(right, ty).is_some()
            || (of_enum && standard_implicit(right.ty, Type::Int32).is_some());
        match explicit(result.ty, ty, self.checked) {
            Some(way) if is_allowed => self.apply_way(result, way, ty),
            _ => self.convert(result, ty),
        }
    }

    fn after(mut before: Vec<Node>, done: Expr) -> Expr {
        if before.is_empty() {
            return done;
        }
        before.push(done.node);
        Expr { node: Node::Sequence(before.into_boxed_slice()), ..done }
    }

    pub(super) fn place(&mut self, target: &ast::Expr) -> Option<Place> {
        let span = target.span;
        if let ExprKind::Name(name) = &target.kind {
            let text = &*name.name.text;
            if let Some(id) = self.find_variable(text) {
                return self.variable_place(id, span);
            }
            if text == "_" {
                self.discard();
                return Some(Place::Discard);
            }
        }
        if let ExprKind::Member { target: of, .. } = &target.kind
            && let Some(place) = self.item_place(of, target)
        {
            return Some(place);
        }
        let bound = self.value(target);
        match bound.node {
            _ if bound.ty == Type::Error => None,
            Node::ArrayGet(pair, _) => {
                let (array, index) = *pair;
                Some(Place::Element { array, index, ty: bound.ty })
            }
            Node::Call(call) if is_of_struct(call.member) => {
                let of = self.struct_place(&call, target)?;
                Some(Place::Field { of: Box::new(of), call, ty: bound.ty })
            }
            Node::Call(call) if call.member.set.is_some() && call.access == Access::Read => {
                Some(Place::Row { call, ty: bound.ty })
            }
            Node::Late(site, operands) if site.is_place() => Some(Place::Late { site, operands }),
            Node::Settle(inner) => match *inner {
                Node::Call(call) if call.member.set.is_some() && call.access == Access::Read => {
                    Some(Place::Row { call, ty: bound.ty })
                }
                _ => None,
            },
            Node::Part(member, _) => {
                self.report_read_only(member, span);
                None
            }
            Node::Call(call) if call.args.len() <= 1 || call.member.name == "Item" => {
                self.report_read_only(call.member, span);
                None
            }
            _ => {
                self.report(
                    codes::NOT_A_VARIABLE,
                    span,
                    "only a variable, property or indexer can be assigned to",
                    "cannot be assigned to",
                    None,
                );
                None
            }
        }
    }

    /// Where the struct is whose member is to be set.
    fn struct_place(&mut self, call: &Call, target: &ast::Expr) -> Option<Place> {
        let ExprKind::Member { target: of, .. } = &target.kind else { return None };
        if let Some(Node::ArrayGet(pair, _)) = call.args.first() {
            let (array, index) = (**pair).clone();
            let ty = clr::rows::owner(call.member).map_or(Type::Error, TypeDef::own_type);
            return Some(Place::Element { array, index, ty });
        }
        let place = match &of.kind {
            ExprKind::Name(name) => {
                let id = self.find_variable(&name.name.text)?;
                let fixed = self.variables.get(id).and_then(|it| it.read_only);
                if let Some(why) = fixed {
                    let message = format!("members of `{}`, {why}, cannot be set", name.name.text);
                    let help = "set those of a copy: `var copy = ...;`".to_owned();
                    self.report(codes::NOT_A_VARIABLE, target.span, message, why, Some(help));
                    return None;
                }
                self.variable_place(id, of.span)
            }
            ExprKind::Member { target: inner, .. } => self.item_place(inner, of),
            _ => None,
        };
        if place.is_none() {
            self.report(
                codes::NOT_A_VARIABLE,
                of.span,
                format!(
                    "`{}` of a value that is not in a variable cannot be set",
                    call.member.name
                ),
                "a copy that nothing keeps",
                Some("put it into a variable first: `var copy = ...;`".to_owned()),
            );
        }
        place
    }

    /// The item of a tuple, if that is a place.
    fn item_place(&mut self, of: &ast::Expr, target: &ast::Expr) -> Option<Place> {
        if !self.options.allow_unlisted {
            return None;
        }
        let (found, _) = self.speculate(|it| {
            let bound = it.value(target);
            let is_tuple = matches!(it.value(of).ty, Type::Tuple(..));
            match bound.node {
                Node::AnonymousGet(index, ..) if is_tuple => Some((index, bound.ty)),
                _ => None,
            }
        });
        let (index, ty) = found?;
        let of = Box::new(self.place(of)?);
        Some(Place::Item { of, index, ty })
    }

    fn report_read_only(&mut self, member: &'static Member, span: Span) {
        let name = member.name;
        let of = clr::rows::owner(member).map(|it| it.own_type());
        let help = of.and_then(|of| advice::read_only(of, name)).map(str::to_owned);
        let shown = if name == "Item" { "the indexer".to_owned() } else { format!("`{name}`") };
        let message = format!("{shown} is read-only");
        self.report(codes::NOT_A_VARIABLE, span, message, "cannot be assigned to", help);
    }

    pub(super) fn variable_place(&mut self, id: usize, span: Span) -> Option<Place> {
        let variable = self.variables.get(id)?;
        let why = if variable.constant.is_some() {
            Some("a constant")
        } else if variable.local_function.is_some() {
            Some("a local function")
        } else {
            variable.read_only
        };
        if let Some(why) = why {
            let message = format!("`{}` is {why} and cannot be assigned to", variable.name);
            self.report(codes::NOT_A_VARIABLE, span, message, "cannot be assigned to", None);
            return None;
        }
        Some(Place::Variable { id, ty: variable.ty })
    }

    /// Evaluates what a place is made of once, so that it can be read and written.
    pub(super) fn hold(&mut self, place: &mut Place, before: &mut Vec<Node>) {
        if let Place::Item { of, .. } | Place::Field { of, .. } = place {
            return self.hold(of, before);
        }
        let mut hold = |it: &mut Node| {
            if matches!(it, Node::Const(_)) {
                return;
            }
            let slot = self.temporary();
            let node = std::mem::replace(it, Node::Local(slot));
            before.push(Node::SetLocal(slot, Box::new(node)));
        };
        match place {
            Place::Element { array, index, .. } => {
                hold(array);
                hold(index);
            }
            Place::Row { call, .. } => call.args.iter_mut().for_each(hold),
            Place::Late { operands, .. } => operands.iter_mut().for_each(hold),
            Place::Variable { .. } | Place::Item { .. } | Place::Field { .. } | Place::Discard => {}
        }
    }

    pub(super) fn read(&mut self, place: &Place, span: Span) -> Expr {
        match place {
            Place::Variable { id, .. } => self.read_variable(*id, span),
            Place::Element { array, index, ty } => {
                Expr::new(Node::ArrayGet(Box::new((array.clone(), index.clone())), span), *ty, span)
            }
            Place::Row { call, ty } => Expr::new(Node::Call(call.clone()), *ty, span),
            Place::Item { of, index, ty } => {
                let of = Box::new(self.read(of, span).node);
                Expr::new(Node::AnonymousGet(*index, of, span), *ty, span)
            }
            Place::Field { of, call, ty } => {
                let args = Box::new([self.read(of, span).node]);
                let call = Call { args, ..(**call).clone() };
                Expr::new(Node::Call(Box::new(call)), *ty, span)
            }
            Place::Late { site, operands } => {
                Expr::new(Node::Late(Arc::clone(site), operands.clone()), Type::Dynamic, span)
            }
            Place::Discard => {
                self.report(codes::NOT_A_VARIABLE, span, "`_` has no value", "a discard", None);
                Expr::error(span)
            }
        }
    }

    pub(super) fn write(&mut self, place: Place, value: Node, span: Span) -> Expr {
        match place {
            Place::Variable { id, ty } => {
                self.flow.assign(id);
                let slot = self.slot_of(id);
                Expr::new(Node::SetLocal(slot, Box::new(value)), ty, span)
            }
            Place::Element { array, index, ty } => {
                Expr::new(Node::ArraySet(Box::new((array, index, value)), span), ty, span)
            }
            Place::Row { mut call, ty } => {
                call.access = Access::Write;
                call.args = call.args.into_vec().into_iter().chain([value]).collect();
                Expr::new(Node::Call(call), ty, span)
            }
            Place::Item { of, index, ty } => {
                let with = |old, new| Node::With(index, Box::new((old, new)));
                self.write_within(*of, value, ty, with, span)
            }
            Place::Field { of, call, ty } => {
                let with = |old, new| {
                    let args = Box::new([old, new]);
                    Node::Call(Box::new(Call { args, access: Access::Alter, ..*call }))
                };
                self.write_within(*of, value, ty, with, span)
            }
            Place::Late { site, operands } => {
                self.late_write(&site, operands.into_vec(), value, span)
            }
            Place::Discard => Expr::new(value, Type::Error, span),
        }
    }

    /// Assigns to a part of what a place holds: `with` makes the new whole of the old one and the
    /// part.
    fn write_within(
        &mut self,
        of: Place,
        value: Node,
        ty: Type,
        with: impl FnOnce(Node, Node) -> Node,
        span: Span,
    ) -> Expr {
        let slot = self.temporary();
        let old = self.read(&of, span).node;
        let done = self.write(of, with(old, Node::Local(slot)), span).node;
        let first = Node::SetLocal(slot, Box::new(value));
        Expr::new(Node::Sequence(Box::new([first, done, Node::Local(slot)])), ty, span)
    }

    /// Assigns to what an expression reads: a property or indexer of an object initialiser.
    pub(super) fn write_to(&mut self, target: Expr, value: Node, span: Span) -> Option<Expr> {
        let place = match target.node {
            Node::ArrayGet(pair, _) => {
                Place::Element { array: pair.0, index: pair.1, ty: target.ty }
            }
            Node::Call(call) if is_of_struct(call.member) => {
                return self.write_to_struct(*call, value, target.ty, span);
            }
            Node::Call(call) if call.member.set.is_some() => Place::Row { call, ty: target.ty },
            Node::Late(site, operands) if site.is_place() => Place::Late { site, operands },
            Node::Settle(inner) if matches!(&*inner, Node::Call(it) if it.member.set.is_some()) => {
                return self.write_to(Expr { node: *inner, ..target }, value, span);
            }
            _ => {
                if target.ty != Type::Error {
                    self.report(
                        codes::NOT_A_VARIABLE,
                        span,
                        "the member is read-only",
                        "cannot be assigned to",
                        None,
                    );
                }
                return None;
            }
        };
        Some(self.write(place, value, span))
    }

    /// Sets a member of the struct that an object initialiser fills, in its slot.
    fn write_to_struct(&mut self, call: Call, value: Node, ty: Type, span: Span) -> Option<Expr> {
        let Some(Node::Local(slot)) = call.args.first() else { return None };
        let (slot, old) = (*slot, Node::Local(*slot));
        let call = Call { args: Box::new([old, value]), access: Access::Alter, ..call };
        let node = Node::SetLocal(slot, Box::new(Node::Call(Box::new(call))));
        Some(Expr::new(node, ty, span))
    }
}

/// Is it a member of a struct that can be set?
fn is_of_struct(member: &'static Member) -> bool {
    let is_struct = || clr::rows::owner(member).is_some_and(|it| it.kind == TypeKind::Struct);
    member.set.is_some() && is_struct()
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn compound_assignment_evaluates_its_target_once() {
        check(
            Form::Statements,
            &[
                (
                    "var a = new[] {1, 2}; int i = 0; a[i++] += 5; return a[0] * 10 + i;",
                    "Int32: 61",
                ),
                ("byte b = 250; b += 10; return b;", "Byte: 4"),
                ("int x = 5; return x++ * 10 + x;", "Int32: 56"),
                ("const int c = 1; c = 2; return c;", "PC0336"),
                ("foreach (var x in new[] {1}) { x = 2; } return 0;", "PC0336"),
                ("int F(in int x) { x = 3; return x; } return F(1);", "PC0336"),
                ("return from x in new[] {1} select x++;", "PC0336"),
            ],
        );
    }

    #[test]
    fn members_of_a_struct_are_set_where_it_is() {
        const PARAMETERS: &str = "var r = RSA.Create(512); var p = r.ExportParameters(false); ";
        let cases = [
            (
                "var q = p; q.D = new byte[2]; return p.D == null && q.D.Length == 2;",
                "Boolean: True",
            ),
            (
                "var a = new[] {p, p}; int i = 0; a[i++].D = new byte[3]; return a[0].D.Length + i;",
                "Int32: 4",
            ),
            ("r.ExportParameters(false).D = null; return 0;", "PC0336"),
            ("foreach (var q in new[] {p}) { q.D = null; } return 0;", "PC0336"),
            ("new {p}.p.D = null; return 0;", "PC0336"),
        ];
        for (code, expected) in cases {
            check(Form::Statements, &[(&format!("{PARAMETERS}{code}"), expected)]);
        }
    }
}
