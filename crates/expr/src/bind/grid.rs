//! Arrays of several dimensions: `new int[2, 3]`, `{{1, 2}, {3, 4}}`.
//!
//! Source: C# specification, 12.8.16.5 and 17.7.

use clr::rows::MemberKind;
use clr::types::{Type, names};
use clr::value::Value;
use csharp::ast::{self, ExprKind, Span};

use super::conversion::best_common;
use super::overload::Argument;
use super::{Binder, Expr, codes};
use crate::ir::Node;

impl Binder {
    pub(super) fn new_grid(&mut self, it: &ast::NewArray, span: Span) -> Expr {
        let element = match (&it.element, &it.initializer) {
            (Some(written), _) => self.type_of(written),
            (None, Some(items)) => self.common_item(items, span),
            (None, None) => Type::Error,
        };
        let ty = self.grid(element, it.rank, span);
        if ty == Type::Error {
            return Expr::error(span);
        }
        let lengths: Vec<Expr> =
            it.lengths.iter().map(|it| self.value_as(it, Type::Int32)).collect();
        match &it.initializer {
            Some(items) => self.grid_of(items, ty, &lengths, span),
            None => self.made_grid(ty, lengths, span),
        }
    }

    /// The common type of all items, whatever braces they stand in.
    fn common_item(&mut self, items: &[ast::Expr], span: Span) -> Type {
        let mut kinds = Vec::new();
        self.item_types(items, &mut kinds);
        best_common(&kinds).unwrap_or_else(|| {
            self.report(
                codes::NO_TYPE,
                span,
                "the items of the array have no common type",
                "type of the array is not clear",
                Some("write the type: `new object[,] { ... }`".to_owned()),
            );
            Type::Error
        })
    }

    fn item_types(&mut self, items: &[ast::Expr], into: &mut Vec<Type>) {
        for it in items {
            match &it.kind {
                ExprKind::ArrayInitializer(inner) => self.item_types(inner, into),
                _ => into.push(self.speculate(|binder| binder.value(it).ty).0),
            }
        }
    }

    fn made_grid(&mut self, ty: Type, lengths: Vec<Expr>, span: Span) -> Expr {
        let rows = self.rows(ty, |it| it.kind == MemberKind::Constructor);
        let arguments: Vec<Argument<'_>> = lengths.into_iter().map(Argument::plain).collect();
        let made = self.call_rows(&rows, None, &[], &arguments, "new[]", span);
        Expr { ty, ..made }
    }

    /// `{ { 1, 2 }, { 3, 4 } }` as an array of the type.
    pub(super) fn grid_of(
        &mut self,
        items: &[ast::Expr],
        ty: Type,
        lengths: &[Expr],
        span: Span,
    ) -> Expr {
        let rank = if ty.is_named(names::ARRAY2) { 2 } else { 3 };
        let mut sizes = Vec::new();
        let mut flat = Vec::new();
        if !self.flatten(items, rank, 0, &mut sizes, &mut flat, span) {
            return Expr::error(span);
        }
        sizes.resize(rank, 0);
        let number = |it: usize| i32::try_from(it).map_or(Value::Null, Value::Int);
        for (length, size) in lengths.iter().zip(&sizes) {
            let known = length.constant.as_ref().and_then(Value::as_i64);
            if length.ty != Type::Error && known != i64::try_from(*size).ok() {
                self.report(
                    codes::CONSTANT,
                    length.span,
                    format!("the array has {size} items in this dimension"),
                    "not their number",
                    Some("leave out the lengths".to_owned()),
                );
            }
        }
        let constant = |it: usize| Expr::constant(number(it), Type::Int32, span);
        let made = self.made_grid(ty, sizes.iter().map(|it| constant(*it)).collect(), span);
        let slot = self.temporary();
        let mut nodes = vec![Node::SetLocal(slot, Box::new(made.node))];
        let whole = Expr::new(Node::Local(slot), ty, span);
        let element = ty.argument(0).unwrap_or(Type::Object);
        for (at, item) in flat.into_iter().enumerate() {
            let mut rest = at;
            let mut place: Vec<Argument<'_>> = Vec::new();
            for size in sizes.iter().rev() {
                place.insert(0, Argument::plain(constant(rest % (*size).max(1))));
                rest /= (*size).max(1);
            }
            let value = self.value_as(item, element);
            let target = self.index_value(whole.clone(), &place, item.span);
            if let Some(done) = self.write_to(target, value.node, item.span) {
                nodes.push(done.node);
            }
        }
        nodes.push(Node::Local(slot));
        Expr::new(Node::Sequence(nodes.into_boxed_slice()), ty, span)
    }

    /// The items of all dimensions in order, and how many there are in each.
    fn flatten<'a>(
        &mut self,
        items: &'a [ast::Expr],
        rank: usize,
        depth: usize,
        sizes: &mut Vec<usize>,
        flat: &mut Vec<&'a ast::Expr>,
        span: Span,
    ) -> bool {
        let known = sizes.get(depth).copied();
        if known.is_none() {
            sizes.push(items.len());
        }
        let mut fits = known.is_none_or(|it| it == items.len());
        for it in items {
            match &it.kind {
                ExprKind::ArrayInitializer(inner) if depth + 1 < rank => {
                    fits &= self.flatten(inner, rank, depth + 1, sizes, flat, it.span);
                }
                _ if depth + 1 == rank => flat.push(it),
                _ => fits = false,
            }
        }
        if !fits {
            self.report(
                codes::CONSTANT,
                span,
                "every row of the array must have as many items",
                "not as many",
                None,
            );
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn arrays_have_several_dimensions() {
        check(
            Form::Statements,
            &[
                (
                    "int[,] a = {{1, 2}, {3, 4}}; int n = 0; foreach (var x in a) n = n * 10 + x; return n;",
                    "Int32: 1234",
                ),
                (
                    "int[,] a = new int[2, 3]; a[1, 2] = 5; a[1, 2]++; return a.Length + a.GetLength(1) + a[1, 2];",
                    "Int32: 15",
                ),
                ("int[,] a = {{1, 2}, {3, 4}}; return a[0, 2];", "System.IndexOutOfRangeException"),
                ("var a = new[,] {{1, 2.5}}; return a[0, 0];", "Double: 1"),
                ("var a = new int[2, 2, 2]; return a.Rank;", "Int32: 3"),
                ("int[,] a = {{1}, {2, 3}}; return a;", "PC0350"),
                ("var a = new int[1, 1] {{1}, {2}}; return a;", "PC0350"),
                ("var a = new int[-1, 2]; return a;", "System.OverflowException"),
            ],
        );
    }
}
