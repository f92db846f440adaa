//! Types: scanning ahead without building, and parsing.
//!
//! Source: C# 7 language specification, 8.1 and 6.2.5 (the ambiguity of type arguments).

use super::{Dialect, Parser};
use crate::ast::{Name, Predefined, SimpleName, Span, TypeRef, TypeRefKind};
use crate::token::{Keyword, Punct, TokenKind};

/// How deep type arguments are looked into when scanning ahead.
const MAX_SCAN: u32 = 24;

/// What `?` behind a type means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Always a nullable type.
    Nullable,
    /// After `is` and `as`: a nullable type unless an operand follows (then it is a conditional).
    Unless,
}

/// What a scanned type looks like.
#[derive(Clone, Copy)]
pub(super) struct Scanned {
    /// Index of the token after the type.
    pub(super) end: usize,
    /// Whether it can be nothing but a type (it is not just dotted names).
    pub(super) certain: bool,
}

impl Parser<'_> {
    /// Looks whether a type starts at `index`, and where it ends.
    pub(super) fn scan_type(&self, index: usize, question: Question) -> Option<Scanned> {
        self.scan_type_at(index, question, MAX_SCAN)
    }

    fn scan_type_at(&self, index: usize, question: Question, depth: u32) -> Option<Scanned> {
        let depth = depth.checked_sub(1)?;
        let mut it = self.scan_bare_type(index, depth)?;
        loop {
            if self.is_punct(it.end, Punct::Question) && self.is_nullable(it.end, question) {
                it = Scanned { end: it.end + 1, certain: true };
            } else if let Some((_, end)) = self.scan_rank(it.end) {
                it = Scanned { end, certain: true };
            } else {
                return Some(it);
            }
        }
    }

    fn is_nullable(&self, index: usize, question: Question) -> bool {
        let after = index + 1;
        match question {
            Question::Nullable => {
                !self.is_punct(after, Punct::Dot) && !self.is_punct(after, Punct::Question)
            }
            Question::Unless => match self.kind_at(after) {
                TokenKind::Punct(it) => !matches!(
                    it,
                    Punct::OpenParen
                        | Punct::Bang
                        | Punct::Tilde
                        | Punct::Minus
                        | Punct::Plus
                        | Punct::Increment
                        | Punct::Decrement
                        | Punct::Dot
                        | Punct::OpenBracket
                ),
                TokenKind::Keyword(it) => matches!(it, Keyword::As | Keyword::Is),
                TokenKind::HoleEnd | TokenKind::HoleFormat(_) | TokenKind::End => true,
                _ => false,
            },
        }
    }

    fn scan_bare_type(&self, index: usize, depth: u32) -> Option<Scanned> {
        if let TokenKind::Keyword(keyword) = self.kind_at(index) {
            predefined(*keyword)?;
            return Some(Scanned { end: index + 1, certain: true });
        }
        if self.is_punct(index, Punct::OpenParen) && self.dialect == Dialect::Beyond {
            return self.scan_tuple_type(index, depth);
        }
        let mut end = index;
        let mut certain = false;
        if self.is_word(end, "global") && self.is_punct(end + 1, Punct::DoubleColon) {
            end += 2;
        }
        loop {
            if !self.is_identifier(end) {
                return None;
            }
            end += 1;
            if self.is_punct(end, Punct::Less)
                && let Some(after) = self.scan_type_arguments(end, depth)
            {
                end = after;
                certain = true;
            }
            if !self.is_punct(end, Punct::Dot) {
                return Some(Scanned { end, certain });
            }
            end += 1;
        }
    }

    /// Scans `(A, B name)` from its `(`.
    fn scan_tuple_type(&self, index: usize, depth: u32) -> Option<Scanned> {
        let mut end = index;
        let mut elements = 0;
        loop {
            end = self.scan_type_at(end + 1, Question::Nullable, depth)?.end;
            if self.is_identifier(end) {
                end += 1;
            }
            elements += 1;
            if self.is_punct(end, Punct::CloseParen) && elements > 1 {
                return Some(Scanned { end: end + 1, certain: true });
            }
            if !self.is_punct(end, Punct::Comma) {
                return None;
            }
        }
    }

    /// Scans `<A, B>` from its `<`; returns the index after it.
    fn scan_type_arguments(&self, index: usize, depth: u32) -> Option<usize> {
        let mut end = index + 1;
        loop {
            if !self.is_punct(end, Punct::Comma) && !self.is_punct(end, Punct::Greater) {
                end = self.scan_type_at(end, Question::Nullable, depth)?.end;
            }
            if self.is_punct(end, Punct::Greater) {
                return Some(end + 1);
            }
            if !self.is_punct(end, Punct::Comma) {
                return None;
            }
            end += 1;
        }
    }

    /// Scans `[]` or `[,]`; returns the rank and the index after it.
    pub(super) fn scan_rank(&self, index: usize) -> Option<(u32, usize)> {
        if !self.is_punct(index, Punct::OpenBracket) {
            return None;
        }
        let mut end = index + 1;
        let mut rank = 1;
        while self.is_punct(end, Punct::Comma) {
            end += 1;
            rank += 1;
        }
        self.is_punct(end, Punct::CloseBracket).then_some((rank, end + 1))
    }

    /// Whether the `<` at `index` begins type arguments in an expression: they must close, and what
    /// follows must not look like an operand.
    pub(super) fn begins_type_arguments(&self, index: usize) -> bool {
        let Some(end) = self.scan_type_arguments(index, MAX_SCAN) else { return false };
        match self.kind_at(end) {
            TokenKind::Punct(it) => matches!(
                it,
                Punct::OpenParen
                    | Punct::CloseParen
                    | Punct::CloseBracket
                    | Punct::CloseBrace
                    | Punct::Colon
                    | Punct::Semicolon
                    | Punct::Comma
                    | Punct::Dot
                    | Punct::Question
                    | Punct::Equal
                    | Punct::NotEqual
                    | Punct::Bar
                    | Punct::Caret
                    | Punct::AndAlso
                    | Punct::OrElse
                    | Punct::Ampersand
                    | Punct::OpenBracket
            ),
            TokenKind::End | TokenKind::HoleEnd | TokenKind::HoleFormat(_) => true,
            _ => false,
        }
    }

    /// Parses a type with array ranks and `?`.
    pub(super) fn type_ref(&mut self, question: Question) -> TypeRef {
        let start = self.span();
        let mut ty = self.bare_type();
        let mut ranks: Vec<u32> = Vec::new();
        loop {
            if self.at(Punct::Question) && self.is_nullable(self.at, question) {
                ty = self.with_ranks(ty, &mut ranks, start);
                self.advance();
                let span = self.span_from(start);
                ty = TypeRef { kind: TypeRefKind::Nullable(Box::new(ty)), span };
            } else if let Some((rank, end)) = self.scan_rank(self.at) {
                ranks.push(rank);
                self.at = end;
            } else {
                break;
            }
            if ranks.len() > 16 {
                self.give_up();
                break;
            }
        }
        self.with_ranks(ty, &mut ranks, start)
    }

    /// `int[][,]` is an array of `int[,]`: the first rank written is the outermost.
    pub(super) fn with_ranks(&self, ty: TypeRef, ranks: &mut Vec<u32>, start: Span) -> TypeRef {
        let mut ty = ty;
        while let Some(rank) = ranks.pop() {
            let span = self.span_from(start);
            ty = TypeRef { kind: TypeRefKind::Array(Box::new(ty), rank), span };
        }
        ty
    }

    /// Parses a type without array ranks and `?`.
    pub(super) fn bare_type(&mut self) -> TypeRef {
        self.nested(Self::bare_type_here)
    }

    fn bare_type_here(&mut self) -> TypeRef {
        let start = self.span();
        if let TokenKind::Keyword(keyword) = self.kind()
            && let Some(it) = predefined(*keyword)
        {
            self.advance();
            if self.at(Punct::Star) && self.is_identifier(self.at + 1) {
                self.refuse(start, "a pointer is", None);
                self.advance();
            }
            return TypeRef { kind: TypeRefKind::Predefined(it), span: start };
        }
        if self.at_keyword(Keyword::Void) {
            self.expected("a type");
            self.advance();
            return TypeRef { kind: TypeRefKind::Missing, span: start };
        }
        if self.at(Punct::OpenParen) && self.dialect == Dialect::Beyond {
            return self.tuple_type(start);
        }
        if self.at(Punct::OpenParen) {
            if !self.recovering {
                let end = self.closer(self.at).unwrap_or(self.at);
                self.refuse_tuple(start.to(self.span_at(end)));
                self.at = end;
            }
            self.advance();
            return TypeRef { kind: TypeRefKind::Missing, span: start };
        }
        if !self.is_identifier(self.at) {
            self.expected("a type");
            return TypeRef { kind: TypeRefKind::Missing, span: start };
        }
        let refuses = self.dialect == Dialect::Azure;
        if refuses && self.is_word(self.at, "dynamic") && !self.is_punct(self.at + 1, Punct::Dot) {
            self.refuse(start, "`dynamic` is", Some("name the type"));
        }
        if self.is_word(self.at, "global") && self.is_punct(self.at + 1, Punct::DoubleColon) {
            self.advance();
            self.advance();
        }
        let mut parts = vec![self.type_part()];
        while self.at(Punct::Dot) && self.is_identifier(self.at + 1) {
            self.advance();
            parts.push(self.type_part());
        }
        TypeRef { kind: TypeRefKind::Named(parts), span: self.span_from(start) }
    }

    /// `(A, B name)`.
    fn tuple_type(&mut self, start: Span) -> TypeRef {
        self.advance();
        let mut elements = Vec::new();
        loop {
            let ty = self.type_ref(Question::Nullable);
            let name = self.is_identifier(self.at).then(|| self.name());
            elements.push((ty, name));
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        if elements.len() < 2 {
            self.expected("`,` and another type");
        }
        self.expect(Punct::CloseParen);
        TypeRef { kind: TypeRefKind::Tuple(elements), span: self.span_from(start) }
    }

    fn type_part(&mut self) -> SimpleName {
        let name = self.name();
        let type_arguments = if self.at(Punct::Less) { self.type_arguments() } else { Vec::new() };
        SimpleName { name, type_arguments }
    }

    /// Parses `<A, B>`; the current token is `<`.
    pub(super) fn type_arguments(&mut self) -> Vec<TypeRef> {
        self.advance();
        let mut arguments = Vec::new();
        loop {
            if self.at(Punct::Comma) || self.at(Punct::Greater) {
                let span = self.span();
                arguments.push(TypeRef { kind: TypeRefKind::Omitted, span });
            } else {
                arguments.push(self.type_ref(Question::Nullable));
            }
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        self.expect(Punct::Greater);
        arguments
    }

    /// Parses a type where `var` may stand instead: `None`.
    pub(super) fn type_or_var(&mut self) -> Option<TypeRef> {
        if self.is_word(self.at, "var") && self.is_identifier(self.at + 1) {
            self.advance();
            return None;
        }
        Some(self.type_ref(Question::Nullable))
    }

    /// A variable's name, or `None` for the discard `_`.
    pub(super) fn designation(&mut self) -> Option<Name> {
        let name = self.name();
        (*name.text != *"_").then_some(name)
    }
}

/// The predefined type that a keyword names.
pub(super) fn predefined(keyword: Keyword) -> Option<Predefined> {
    Some(match keyword {
        Keyword::Bool => Predefined::Bool,
        Keyword::Byte => Predefined::Byte,
        Keyword::Char => Predefined::Char,
        Keyword::Decimal => Predefined::Decimal,
        Keyword::Double => Predefined::Double,
        Keyword::Float => Predefined::Float,
        Keyword::Int => Predefined::Int,
        Keyword::Long => Predefined::Long,
        Keyword::Object => Predefined::Object,
        Keyword::Sbyte => Predefined::Sbyte,
        Keyword::Short => Predefined::Short,
        Keyword::String => Predefined::String,
        Keyword::Uint => Predefined::Uint,
        Keyword::Ulong => Predefined::Ulong,
        Keyword::Ushort => Predefined::Ushort,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print, problem};

    #[test]
    fn types_have_ranks_arguments_and_question_marks() {
        assert_eq!(print("default(int?[][,])"), "default(int?[][,])");
        assert_eq!(
            print("(System.Collections.Generic.Dictionary<string, List<int[]>>)x"),
            "(cast System.Collections.Generic.Dictionary<string,List<int[]>> x)"
        );
        assert_eq!(print("default(global::System.String)"), "default(System.String)");
    }

    #[test]
    fn a_question_mark_after_as_is_a_conditional_only_before_an_operand() {
        assert_eq!(print("x as int? ?? 5"), "(?? (as x int?) 5)");
        assert_eq!(print("x is int ? 1 : 2"), "(?: (is x int) 1 2)");
        assert_eq!(print("(x as int?)"), "(as x int?)");
    }

    #[test]
    fn refused_types_are_named() {
        assert_eq!(problem("(dynamic)x"), "`dynamic` is not allowed in a policy expression");
        assert_eq!(problem("default((int, int))"), "System.ValueTuple is not an allowed type");
    }
}
