//! Arguments of a call that was chosen: in the order of its parameters, converted.
//!
//! Source: C# specification, 12.6.2.

use clr::rows::Constant;
use clr::types::Type;
use csharp::ast::Span;

use super::Binder;
use super::assign::Place;
use super::overload::{Argument, Fit, Given, Signature};
use crate::ir::Node;

impl Binder {
    /// The arguments in the order of the parameters, converted.
    pub(super) fn pass(
        &mut self,
        fit: &Fit,
        signatures: &[Signature],
        arguments: &[Argument<'_>],
    ) -> Passed {
        let mut passed = Passed { args: Box::default(), before: Vec::new(), outs: Vec::new() };
        let Some(signature) = signatures.get(fit.index) else { return passed };
        let of: Vec<Option<Type>> = fit.of_method.iter().copied().map(Some).collect();
        let mut nodes = Vec::with_capacity(signature.params.len());
        for (at, param) in signature.params.iter().enumerate() {
            let ty = param.ty.substitute(&[], &of);
            let given = fit.pairs.iter().filter(|it| it.parameter == at);
            if let (Type::Params(item), true) = (ty, fit.expanded) {
                let items = given.filter_map(|it| Some((it.ty, arguments.get(it.argument)?)));
                let items: Vec<Node> = items
                    .collect::<Vec<_>>()
                    .into_iter()
                    .map(|(ty, it)| self.pass_one(it, ty))
                    .collect();
                nodes.push(Node::NewArray(item.erased(), items.into_boxed_slice()));
                continue;
            }
            let mut given = given;
            match given.next().and_then(|it| Some((it.ty, arguments.get(it.argument)?))) {
                Some((
                    Type::Out(of),
                    Argument { value: Given::Variable { id, is_ref, .. }, .. },
                )) => {
                    nodes.push(self.pass_variable(*id, *of, *is_ref, at, &mut passed));
                }
                Some((
                    Type::Out(_),
                    Argument { value: Given::Place { place, is_ref }, span, .. },
                )) => {
                    nodes.push(self.pass_place(place.clone(), *is_ref, at, *span, &mut passed));
                }
                Some((ty, argument)) => {
                    let node = self.pass_one(argument, ty);
                    nodes.push(node);
                }
                None => {
                    let default = param.default.unwrap_or(Constant::Default);
                    nodes.push(Node::Const(default.value(ty)));
                }
            }
        }
        passed.before = self.in_order_of_the_text(fit, arguments, &mut nodes);
        passed.args = nodes.into_boxed_slice();
        passed
    }

    /// Named arguments may stand in another order than their parameters: they are evaluated as they
    /// stand, before the first one is passed. Gives what is done then.
    fn in_order_of_the_text(
        &mut self,
        fit: &Fit,
        arguments: &[Argument<'_>],
        nodes: &mut [Node],
    ) -> Vec<Node> {
        let mut order: Vec<(usize, usize)> =
            fit.pairs.iter().map(|it| (it.argument, it.parameter)).collect();
        order.sort_unstable();
        order.dedup_by_key(|it| it.1);
        if order.is_sorted_by_key(|it| it.1) {
            return Vec::new();
        }
        let mut before = Vec::with_capacity(order.len());
        for (argument, parameter) in order {
            let Some(node) = nodes.get_mut(parameter) else { continue };
            let given = arguments.get(argument).map(|it| &it.value);
            // A variable itself is what it is when the call begins.
            if matches!(node, Node::Const(_)) || matches!(given, Some(Given::Variable { .. })) {
                continue;
            }
            if let (Node::Sequence(own), Some(Given::Place { .. })) = (&mut *node, given) {
                let mut own = std::mem::take(own).into_vec();
                let last = own.pop();
                before.extend(own);
                *node = Node::Sequence(last.into_iter().collect());
                continue;
            }
            let slot = self.temporary();
            let value = std::mem::replace(node, Node::Local(slot));
            before.push(Node::SetLocal(slot, Box::new(value)));
        }
        before
    }

    fn pass_one(&mut self, argument: &Argument<'_>, ty: Type) -> Node {
        match &argument.value {
            Given::Expr(it) => self.convert(it.clone(), ty).node,
            Given::Lambda(it) => self.lambda_as(it, ty).node,
            Given::Group(it) => self.group_as(it, ty, argument.span).node,
            Given::Default => Self::default_of(ty, argument.span).node,
            Given::Variable { .. } | Given::Place { .. } => Node::Const(clr::value::Value::Null),
        }
    }

    fn pass_variable(
        &mut self,
        id: Option<usize>,
        ty: Type,
        is_ref: bool,
        at: usize,
        passed: &mut Passed,
    ) -> Node {
        let slot = self.temporary();
        let mut initial = Node::Const(clr::rows::default_value(ty));
        if let Some(id) = id {
            if let Some(variable) = self.variables.get_mut(id)
                && variable.ty == Type::Error
            {
                variable.ty = ty;
            }
            self.flow.assign(id);
            let target = self.slot_of(id);
            if is_ref {
                initial = Node::Local(target);
            }
            passed.outs.push((at, Node::SetLocal(target, Box::new(Node::Local(slot))), slot));
        } else {
            passed.outs.push((at, Node::Const(clr::value::Value::Null), slot));
        }
        initial
    }

    /// An element of an array or a member of a struct: what it is made of is evaluated first, and it
    /// is written after the call.
    fn pass_place(
        &mut self,
        mut place: Place,
        is_ref: bool,
        at: usize,
        span: Span,
        passed: &mut Passed,
    ) -> Node {
        let mut before = Vec::new();
        self.hold(&mut place, &mut before);
        // Reading throws what writing would: no array, no such element.
        let old = self.read(&place, span);
        let slot = self.temporary();
        let ty = place.ty();
        let done = self.write(place, Node::Local(slot), span);
        passed.outs.push((at, done.node, slot));
        before.push(Node::SetLocal(slot, Box::new(old.node)));
        before.push(if is_ref {
            Node::Local(slot)
        } else {
            Node::Const(clr::rows::default_value(ty))
        });
        Node::Sequence(before.into_boxed_slice())
    }
}

/// Arguments ready to be passed.
pub(super) struct Passed {
    pub(super) args: Box<[Node]>,
    /// What is evaluated before the first argument.
    before: Vec<Node>,
    /// Index, what is done with it, slot.
    pub(super) outs: Vec<(usize, Node, u32)>,
}

impl Passed {
    /// Puts what is evaluated before into the first argument.
    pub(super) fn settle(&mut self) {
        let mut before = std::mem::take(&mut self.before);
        if let (Some(first), false) = (self.args.first_mut(), before.is_empty()) {
            before.push(std::mem::replace(first, Node::Const(clr::value::Value::Null)));
            *first = Node::Sequence(before.into_boxed_slice());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn arguments_go_to_their_parameters() {
        check(
            Form::Statements,
            &[
                ("int F(int a, int b = 2) => a * 10 + b; return F(b: 1, a: 3);", "Int32: 31"),
                ("int v = -1; return Math.Max(val2: v, val1: v++);", "Int32: -1"),
                ("int n; int.TryParse(\"5\", out n); return n;", "Int32: 5"),
                ("void F(ref int x) { x++; } int a = 1; F(ref a); return a;", "Int32: 2"),
            ],
        );
    }
}
