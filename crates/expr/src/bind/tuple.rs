//! Tuples: literals, deconstruction, equality.
//!
//! Source: C# specification, 8.3.11, 12.8.6, 12.12.11 and 12.21.2.

use clr::types::{self, Type, names};
use csharp::ast::{self, BinaryOp, ExprKind, Name, SimpleName, Span, TupleElement};

use super::assign::Place;
use super::{Binder, Expr, codes};
use crate::ir::Node;

/// What a deconstruction assigns to.
enum Target<'a> {
    Place(Place),
    /// A new variable, with its type if it is written.
    Declare(&'a Name, Option<Type>),
    Discard,
    Several(Vec<Target<'a>>),
}

impl Binder {
    /// `(a, name: b)`.
    pub(super) fn tuple(&mut self, elements: &[TupleElement], span: Span) -> Expr {
        let mut items = Vec::new();
        for it in elements {
            let bound = self.value(&it.value);
            self.require_value(&bound);
            items.push(bound);
        }
        self.tuple_of(elements, items, span)
    }

    /// `(a, b)` where a tuple type is expected.
    pub(super) fn tuple_as(
        &mut self,
        elements: &[TupleElement],
        of: &'static [Type],
        to: Type,
        span: Span,
    ) -> Expr {
        let items: Vec<Expr> =
            elements.iter().zip(of).map(|(it, ty)| self.value_as(&it.value, *ty)).collect();
        Expr { ty: to, ..self.tuple_of(elements, items, span) }
    }

    fn tuple_of(&mut self, elements: &[TupleElement], items: Vec<Expr>, span: Span) -> Expr {
        if items.iter().any(|it| it.ty == Type::Error || it.ty == Type::Void) {
            return Expr::error(span);
        }
        let mut own: Vec<&str> = elements.iter().map(name_of).collect();
        // A name that is inferred and stands twice names nothing.
        let inferred = |at: usize| elements.get(at).is_some_and(|it| it.name.is_none());
        let twice = |at: usize| {
            own.iter().enumerate().any(|(other, it)| other != at && own.get(at) == Some(it))
        };
        let dropped: Vec<usize> = (0..own.len()).filter(|at| inferred(*at) && twice(*at)).collect();
        for at in dropped {
            if let Some(it) = own.get_mut(at) {
                *it = "";
            }
        }
        let kinds: Vec<Type> = items.iter().map(|it| it.ty).collect();
        let ty = types::tuple(&kinds, &own);
        let nodes = items.into_iter().map(|it| it.node).collect();
        Expr::new(Node::Anonymous(ty.erased(), nodes), ty, span)
    }

    /// `t.name` or `t.Item1`.
    pub(super) fn tuple_item(&self, target: &Expr, name: &str, span: Span) -> Option<Expr> {
        let Type::Tuple(items, names) = target.ty else { return None };
        let numbered = || {
            let number = name.strip_prefix("Item")?;
            number.parse::<usize>().ok().filter(|_| !number.starts_with('0'))?.checked_sub(1)
        };
        let at = names.iter().position(|own| *own == name).or_else(numbered)?;
        let ty = *items.get(at)?;
        Some(Expr::new(Node::AnonymousGet(at, Box::new(target.node.clone()), span), ty, span))
    }

    /// `(a, b) = value`.
    pub(super) fn deconstruct(
        &mut self,
        elements: &[TupleElement],
        value: &ast::Expr,
        span: Span,
    ) -> Expr {
        let mut nodes = Vec::new();
        let targets = self.targets(elements, &mut nodes);
        let mut after = Vec::new();
        let made = match &value.kind {
            ExprKind::Tuple(values) => self.spread(targets, values, &mut nodes, &mut after, span),
            _ => {
                let bound = self.value(value);
                self.take_apart(targets, bound, &mut nodes, &mut after, span)
            }
        };
        nodes.append(&mut after);
        let Some(items) = made else { return Expr::error(span) };
        let kinds: Vec<Type> = items.iter().map(|it| it.ty).collect();
        let ty = types::tuple(&kinds, &[]);
        let made = items.into_iter().map(|it| it.node).collect();
        nodes.push(Node::Anonymous(ty.erased(), made));
        Expr::new(Node::Sequence(nodes.into_boxed_slice()), ty, span)
    }

    fn targets<'a>(
        &mut self,
        elements: &'a [TupleElement],
        before: &mut Vec<Node>,
    ) -> Vec<Target<'a>> {
        let mut all = Vec::new();
        for it in elements {
            all.push(match &it.value.kind {
                ExprKind::Tuple(inner) => Target::Several(self.targets(inner, before)),
                ExprKind::Declaration { name: None, .. } => Target::Discard,
                ExprKind::Declaration { ty, name: Some(name) } => {
                    Target::Declare(name, ty.as_ref().map(|it| self.type_of(it)))
                }
                _ => match self.place(&it.value) {
                    Some(Place::Discard) | None => Target::Discard,
                    Some(mut place) => {
                        self.hold(&mut place, before);
                        Target::Place(place)
                    }
                },
            });
        }
        all
    }

    /// From a literal: every value is there on its own.
    fn spread(
        &mut self,
        targets: Vec<Target<'_>>,
        values: &[TupleElement],
        before: &mut Vec<Node>,
        after: &mut Vec<Node>,
        span: Span,
    ) -> Option<Vec<Expr>> {
        if !self.same_count(targets.len(), values.len(), span) {
            return None;
        }
        let mut all = Vec::new();
        for (target, value) in targets.into_iter().zip(values) {
            let value = &value.value;
            let item = match (target, &value.kind) {
                (Target::Several(inner), ExprKind::Tuple(values)) => {
                    self.spread(inner, values, before, after, span)?;
                    continue;
                }
                (Target::Place(place), _) => {
                    let bound = self.value_as(value, place.ty());
                    self.put(Target::Place(place), bound, before, after, span)?
                }
                (Target::Declare(name, Some(ty)), _) => {
                    let bound = self.value_as(value, ty);
                    self.put(Target::Declare(name, Some(ty)), bound, before, after, span)?
                }
                (target, _) => {
                    let bound = self.value(value);
                    self.put(target, bound, before, after, span)?
                }
            };
            all.push(item);
        }
        Some(all)
    }

    /// From a value: a tuple, or what has as many parts.
    fn take_apart(
        &mut self,
        targets: Vec<Target<'_>>,
        value: Expr,
        before: &mut Vec<Node>,
        after: &mut Vec<Node>,
        span: Span,
    ) -> Option<Vec<Expr>> {
        let slot = self.temporary();
        let (ty, at) = (value.ty, value.span);
        if ty == Type::Error {
            return None;
        }
        before.push(Node::SetLocal(slot, Box::new(value.node)));
        let whole = Expr::new(Node::Local(slot), ty, at);
        let parts: Vec<&str> = match ty {
            Type::Tuple(items, _) => PARTS.iter().copied().take(items.len()).collect(),
            Type::Named(names::KEYVALUEPAIR, _) => vec!["Key", "Value"],
            Type::Named(names::TUPLE, of) => PARTS.iter().copied().take(of.len()).collect(),
            _ => {
                self.report(
                    codes::NO_CONVERSION,
                    at,
                    format!("a value of type `{ty}` cannot be taken apart"),
                    "no tuple",
                    None,
                );
                return None;
            }
        };
        if !self.same_count(targets.len(), parts.len(), span) {
            return None;
        }
        let mut all = Vec::new();
        for (target, part) in targets.into_iter().zip(parts) {
            let name = SimpleName {
                name: Name { text: part.into(), span: at },
                type_arguments: Vec::new(),
            };
            let item = self.member_value(whole.clone(), &name, at);
            all.push(self.put(target, item, before, after, span)?);
        }
        Some(all)
    }

    /// Computes an item now and assigns it when all are computed.
    fn put(
        &mut self,
        target: Target<'_>,
        value: Expr,
        before: &mut Vec<Node>,
        after: &mut Vec<Node>,
        span: Span,
    ) -> Option<Expr> {
        if let Target::Several(inner) = target {
            self.take_apart(inner, value.clone(), before, after, span)?;
            return Some(value);
        }
        let ty = match &target {
            Target::Place(place) => place.ty(),
            Target::Declare(_, Some(ty)) => *ty,
            _ => value.ty,
        };
        if ty == Type::Null || ty == Type::Void {
            self.report(
                codes::NO_TYPE,
                value.span,
                "the type of the variable cannot be told from here",
                "has no type",
                Some("write its type: `(string a, ...) = ...`".to_owned()),
            );
            return None;
        }
        let value = self.convert(value, ty);
        let slot = self.temporary();
        before.push(Node::SetLocal(slot, Box::new(value.node)));
        let item = Expr::new(Node::Local(slot), ty, value.span);
        match target {
            Target::Place(place) => after.push(self.write(place, item.node.clone(), span).node),
            Target::Declare(name, _) => {
                let id = self.declare(name, ty);
                self.flow.assign(id);
                let own = self.slot_of(id);
                after.push(Node::SetLocal(own, Box::new(item.node.clone())));
            }
            Target::Discard | Target::Several(..) => {}
        }
        Some(item)
    }

    fn same_count(&mut self, targets: usize, values: usize, span: Span) -> bool {
        if targets != values {
            self.report(
                codes::NO_CONVERSION,
                span,
                format!("{values} values cannot be put into {targets} variables"),
                "not as many",
                None,
            );
        }
        targets == values
    }

    /// `a == b` of tuples: item by item.
    pub(super) fn tuple_equality(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        a: &Expr,
        b: &Expr,
        span: Span,
    ) -> Option<Expr> {
        let (Type::Tuple(x, _), Type::Tuple(y, _)) = (a.ty, b.ty) else { return None };
        if x.len() != y.len() {
            return None;
        }
        let (first, second) = (self.temporary(), self.temporary());
        let mut test: Option<Node> = None;
        for (at, (x, y)) in x.iter().zip(y).enumerate() {
            let item = |slot: u32, ty: Type| {
                let node = if ty == Type::Null {
                    Node::Const(clr::value::Value::Null)
                } else {
                    Node::AnonymousGet(at, Box::new(Node::Local(slot)), span)
                };
                Expr::new(node, ty, span)
            };
            let same = self.binary_values(op, op_span, item(first, *x), item(second, *y), span);
            let same = self.convert(same, Type::Bool).node;
            test = Some(match test {
                None => same,
                Some(before) if op == BinaryOp::Equal => Node::AndAlso(Box::new((before, same))),
                Some(before) => Node::OrElse(Box::new((before, same))),
            });
        }
        let nodes = Box::new([
            Node::SetLocal(first, Box::new(a.node.clone())),
            Node::SetLocal(second, Box::new(b.node.clone())),
            test?,
        ]);
        Some(Expr::new(Node::Sequence(nodes), Type::Bool, span))
    }
}

/// Names of the items of a tuple.
const PARTS: [&str; 16] = [
    "Item1", "Item2", "Item3", "Item4", "Item5", "Item6", "Item7", "Item8", "Item9", "Item10",
    "Item11", "Item12", "Item13", "Item14", "Item15", "Item16",
];

/// The name of an element: written, or that of the variable or member it is.
fn name_of(it: &TupleElement) -> &str {
    if let Some(name) = &it.name {
        return &name.text;
    }
    let mut value = &it.value;
    while let ExprKind::ConditionalAccess { rest, .. } = &value.kind {
        value = rest;
    }
    let name: &str = match &value.kind {
        ExprKind::Name(it) => &it.name.text,
        ExprKind::Member { name, .. } => &name.name.text,
        _ => "",
    };
    let taken = matches!(name, "Rest" | "ToString" | "Equals" | "GetHashCode" | "CompareTo");
    if taken || name.starts_with("Item") { "" } else { name }
}

#[cfg(test)]
mod tests {
    use crate::bind::tests::beyond;

    #[test]
    fn tuples_have_items_names_and_equality() {
        beyond(&[
            ("return (1, \"a\");", "ValueTuple<Int32,String>: (1, a)"),
            ("return (1, \"a\").Item1;", "Int32: 1"),
            ("(int a, string b) t = (1, \"x\"); return t.a + t.b;", "String: 1x"),
            (
                "var t = (x: 1, y: 2); t.x = 5; var u = t; u.x = 9; return t.x * 10 + u.x;",
                "Int32: 59",
            ),
            ("return (1, 2) == (1, 2L) && (1, 2) != (1, 3);", "Boolean: True"),
            ("(string, int?) t = (null, null); return t == (null, null);", "Boolean: True"),
            ("return new[] {1, 2}.Select((x, i) => (x, i)).Sum(t => t.x * t.i);", "Int32: 2"),
            (
                "return new List<(string k, int v)> {(\"a\", 1), (\"b\", 2)}.Sum(t => t.v);",
                "Int32: 3",
            ),
            ("return new[] {(1, \"b\"), (1, \"a\")}.OrderBy(x => x).First().Item2;", "String: a"),
            ("(byte, long) t = (1, 2); return t;", "ValueTuple<Byte,Int64>: (1, 2)"),
            (
                "(int a, int b) t = (1, 2); (int, int) u = t; List<(int, int)> l = new List<(int x, int y)> { u }; return l[0].Item2;",
                "Int32: 2",
            ),
        ]);
    }

    #[test]
    fn deconstruction_assigns_after_all_is_computed() {
        beyond(&[
            ("int a = 1, b = 2; (a, b) = (b, a); return a * 10 + b;", "Int32: 21"),
            ("var (a, b) = (1, \"x\"); return a + b;", "String: 1x"),
            ("var (a, (b, _)) = (1, (2, 3)); return a * 10 + b;", "Int32: 12"),
            ("(int, int) F() => (3, 4); var (x, _) = F(); return x;", "Int32: 3"),
            (
                "var s = \"\"; foreach (var (k, v) in new Dictionary<string, int> {{\"a\", 1}, {\"b\", 2}}) s += k + v; return s;",
                "String: a1b2",
            ),
            (
                "int[] a = {1, 2}; int i = 0; (a[i++], a[i++]) = (7, 8); return a[0] * 10 + a[1];",
                "Int32: 78",
            ),
            ("var (a, b) = 5; return a;", "PC0330"),
            ("var (a, b) = (1, 2, 3); return a;", "PC0330"),
            ("var (a, b) = (1, null); return a;", "PC0337"),
        ]);
    }
}
