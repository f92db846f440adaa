//! `new`: objects, initialisers, arrays, anonymous objects.
//!
//! Source: C# 7 language specification, 12.8.17.

use super::{Parser, expr};
use crate::ast::{
    AnonymousMember, Expr, ExprKind, Initializer, InitializerKind, InitializerTarget,
    InitializerValue, MemberInitializer, Name, NewArray, Span, TypeRef, TypeRefKind,
};
use crate::token::Punct;

impl Parser<'_> {
    /// Parses `new ...`; the current token is `new`.
    pub(super) fn new_expression(&mut self) -> Expr {
        let start = self.span();
        self.advance();
        if self.at(Punct::OpenBrace) {
            return self.anonymous(start);
        }
        if self.at(Punct::OpenBracket) {
            return self.implicit_array(start);
        }
        if self.at(Punct::OpenParen) {
            return self.target_typed(start);
        }
        let ty = self.created_type();
        if self.at(Punct::OpenBracket) {
            return self.array(start, ty);
        }
        let has_parentheses = self.at(Punct::OpenParen);
        let arguments = if has_parentheses {
            self.arguments(Punct::OpenParen, Punct::CloseParen)
        } else {
            Vec::new()
        };
        let initializer = self.at(Punct::OpenBrace).then(|| self.nested(Self::initializer));
        if !has_parentheses && initializer.is_none() {
            self.expected("`(`, `[` or `{` after the type");
        }
        expr(ExprKind::New { ty, arguments, initializer }, self.span_from(start))
    }

    /// The type after `new`; `?` belongs to it only where array brackets follow.
    fn created_type(&mut self) -> TypeRef {
        let start = self.span();
        let ty = self.bare_type();
        let follows = self.is_punct(self.at + 1, Punct::OpenBracket)
            || self.is_punct(self.at + 1, Punct::OpenParen);
        if self.at(Punct::Question) && follows {
            self.advance();
            return TypeRef {
                kind: TypeRefKind::Nullable(Box::new(ty)),
                span: self.span_from(start),
            };
        }
        ty
    }

    fn target_typed(&mut self, start: Span) -> Expr {
        self.needs(start, 9, "`new()` without a type");
        self.arguments(Punct::OpenParen, Punct::CloseParen);
        if self.at(Punct::OpenBrace) {
            self.nested(Self::initializer);
        }
        self.missing(self.span_from(start))
    }

    fn anonymous(&mut self, start: Span) -> Expr {
        self.advance();
        let mut members = Vec::new();
        while !self.at(Punct::CloseBrace) {
            members.push(self.anonymous_member());
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        self.expect(Punct::CloseBrace);
        expr(ExprKind::NewAnonymous(members), self.span_from(start))
    }

    fn anonymous_member(&mut self) -> AnonymousMember {
        if self.is_identifier(self.at) && self.is_punct(self.at + 1, Punct::Assign) {
            let name = self.name();
            self.advance();
            return AnonymousMember { name, value: self.expression() };
        }
        let value = self.expression();
        let name = projected_name(&value).unwrap_or_else(|| {
            if !self.recovering {
                let message = "a member of an anonymous object needs a name".to_owned();
                let help = Some("write `name = value`");
                self.report("PC0301", value.span, message, "has no name", help);
            }
            Name { text: "".into(), span: value.span }
        });
        AnonymousMember { name, value }
    }

    /// `new[] { 1, 2 }`.
    fn implicit_array(&mut self, start: Span) -> Expr {
        let Some((rank, end)) = self.scan_rank(self.at) else {
            self.advance();
            self.expected("`]`");
            return self.missing(start);
        };
        self.at = end;
        let initializer = Some(self.nested(Self::array_elements));
        let array = NewArray { element: None, rank, lengths: Vec::new(), initializer };
        expr(ExprKind::NewArray(Box::new(array)), self.span_from(start))
    }

    /// `new T[2][]`, `new T[] { ... }`; the current token is `[`.
    fn array(&mut self, start: Span, element: TypeRef) -> Expr {
        let element_start = element.span;
        let mut lengths = Vec::new();
        let rank = match self.scan_rank(self.at) {
            Some((rank, end)) => {
                self.at = end;
                rank
            }
            None => {
                lengths = self.lengths();
                u32::try_from(lengths.len()).unwrap_or(u32::MAX)
            }
        };
        let mut ranks = Vec::new();
        while let Some((rank, end)) = self.scan_rank(self.at) {
            self.at = end;
            ranks.push(rank);
            if ranks.len() > 16 {
                self.give_up();
                break;
            }
        }
        let element = Some(self.with_ranks(element, &mut ranks, element_start));
        let initializer = self.at(Punct::OpenBrace).then(|| self.nested(Self::array_elements));
        if initializer.is_none() && self.at(Punct::OpenBracket) {
            self.expected(
                "no second length: put the new array in parentheses to read an item of it",
            );
        }
        if lengths.is_empty() && initializer.is_none() {
            self.expected("`{` with the elements, or lengths in the brackets");
        }
        let array = NewArray { element, rank, lengths, initializer };
        expr(ExprKind::NewArray(Box::new(array)), self.span_from(start))
    }

    fn lengths(&mut self) -> Vec<Expr> {
        self.advance();
        let mut lengths = vec![self.expression()];
        while self.eat(Punct::Comma) {
            lengths.push(self.expression());
        }
        self.expect(Punct::CloseBracket);
        lengths
    }

    /// `{ 1, 2, { 3 } }`, the braces of nested dimensions included.
    pub(super) fn array_elements(&mut self) -> Vec<Expr> {
        let mut elements = Vec::new();
        self.expect(Punct::OpenBrace);
        while !self.at(Punct::CloseBrace) && !self.recovering {
            elements.push(self.array_element());
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        self.expect(Punct::CloseBrace);
        elements
    }

    /// An expression, or the braces of an array initialiser.
    pub(super) fn array_element(&mut self) -> Expr {
        if !self.at(Punct::OpenBrace) {
            return self.expression();
        }
        let start = self.span();
        let elements = self.nested(Self::array_elements);
        expr(ExprKind::ArrayInitializer(elements), self.span_from(start))
    }

    /// `{ A = 1 }` or `{ 1, { 2, 3 } }`; the current token is `{`.
    pub(super) fn initializer(&mut self) -> Initializer {
        let start = self.span();
        self.expect(Punct::OpenBrace);
        let is_object = self.at(Punct::CloseBrace)
            || self.at(Punct::OpenBracket)
            || (self.is_identifier(self.at) && self.is_punct(self.at + 1, Punct::Assign));
        let mut members = Vec::new();
        let mut elements = Vec::new();
        while !self.at(Punct::CloseBrace) && !self.recovering {
            if is_object {
                members.push(self.member_initializer());
            } else {
                elements.push(self.element_initializer());
            }
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        self.expect(Punct::CloseBrace);
        let kind = if is_object {
            InitializerKind::Object(members)
        } else {
            InitializerKind::Collection(elements)
        };
        Initializer { kind, span: self.span_from(start) }
    }

    fn member_initializer(&mut self) -> MemberInitializer {
        let start = self.span();
        let target = if self.at(Punct::OpenBracket) {
            let arguments = self.index_arguments();
            InitializerTarget::Index(arguments, self.span_from(start))
        } else {
            InitializerTarget::Member(self.name())
        };
        self.expect(Punct::Assign);
        let value = if self.at(Punct::OpenBrace) {
            InitializerValue::Nested(self.nested(Self::initializer))
        } else {
            InitializerValue::Expression(self.expression())
        };
        MemberInitializer { target, value }
    }

    fn element_initializer(&mut self) -> Vec<Expr> {
        if !self.eat(Punct::OpenBrace) {
            return vec![self.expression()];
        }
        let mut arguments = vec![self.expression()];
        while self.eat(Punct::Comma) {
            arguments.push(self.expression());
        }
        self.expect(Punct::CloseBrace);
        arguments
    }
}

/// The name that `b.C`, `d` and `a?.B` give to a member of an anonymous object.
fn projected_name(value: &Expr) -> Option<Name> {
    if value.parenthesised {
        return None;
    }
    match &value.kind {
        ExprKind::Name(it) => Some(it.name.clone()),
        ExprKind::Member { name, .. } => Some(name.name.clone()),
        ExprKind::ConditionalAccess { rest, .. } => projected_name(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print, problem};

    #[test]
    fn objects_and_their_initialisers() {
        assert_eq!(print("new A.B<int>(1)"), "new A.B<int>(1)");
        assert_eq!(
            print("new Dictionary<string, int> { { \"a\", 1 }, { \"b\", 2 } }"),
            "new Dictionary<string,int>() {{\"a\", 1}, {\"b\", 2}}"
        );
        assert_eq!(print("new List<int> { 1, 2, }"), "new List<int>() {{1}, {2}}");
        assert_eq!(
            print("new X { A = 1, B = { 2 }, [\"c\"] = { D = 3 } }"),
            "new X() {A = 1, B = {{2}}, [\"c\"] = {D = 3}}"
        );
        assert_eq!(print("new X { }"), "new X() {}");
    }

    #[test]
    fn anonymous_objects_take_names_from_their_values() {
        assert_eq!(
            print("new { a = 1, b.C, d, e?.F }"),
            "new {a = 1, C = b.C, d = d, F = (e ?. it.F)}"
        );
        assert_eq!(problem("new { 1 }"), "a member of an anonymous object needs a name");
    }

    #[test]
    fn arrays_of_every_form() {
        assert_eq!(print("new int[3]"), "new int[3]");
        assert_eq!(print("new[] { 1, 2 }"), "new[] {1, 2}");
        assert_eq!(print("new string[] { }"), "new string[] {}");
        assert_eq!(print("new int[2][]"), "new int[][2]");
        assert_eq!(print("new int[2, 3]"), "new int[2, 3]");
        assert_eq!(print("new[,] { { 1 }, { 2 } }"), "new[,] {{1}, {2}}");
        assert_eq!(print("new int?[1]"), "new int?[1]");
        assert_eq!(print("new byte[0].Length"), "new byte[0].Length");
    }

    #[test]
    fn what_is_incomplete_or_later_is_refused() {
        assert_eq!(
            problem("new int[]"),
            "expected `{` with the elements, or lengths in the brackets, found the end"
        );
        assert_eq!(problem("new X"), "expected `(`, `[` or `{` after the type, found the end");
        assert_eq!(problem("new()"), "`new()` without a type needs C# 9");
    }
}
