//! Primary expressions and what may follow them: names, literals, calls, members, indexers, `?.`.
//!
//! Source: C# 7 language specification, 12.8.

use super::types::{Question, predefined};
use super::{Dialect, Parser, expr};
use crate::ast::{Argument, ArgumentMode, Expr, ExprKind, Literal, SimpleName, Span, TupleElement};
use crate::token::{Keyword, Punct, TokenKind};

impl Parser<'_> {
    /// Parses a primary expression with everything that follows it.
    pub(super) fn primary(&mut self) -> Expr {
        let start = self.span();
        let first = self.operand();
        self.postfix(start, first)
    }

    /// Parses members, calls, indexers, `?.`, `++` and `--` behind `target`.
    fn postfix(&mut self, start: Span, target: Expr) -> Expr {
        let mut target = target;
        loop {
            let kind = match self.kind() {
                TokenKind::Punct(Punct::Dot) => {
                    self.advance();
                    ExprKind::Member { target: Box::new(target), name: self.simple_name() }
                }
                TokenKind::Punct(Punct::OpenParen) => {
                    let arguments = self.arguments(Punct::OpenParen, Punct::CloseParen);
                    ExprKind::Call { target: Box::new(target), arguments }
                }
                TokenKind::Punct(Punct::OpenBracket) => {
                    let arguments = self.index_arguments();
                    ExprKind::Index { target: Box::new(target), arguments }
                }
                TokenKind::Punct(it @ (Punct::Increment | Punct::Decrement)) => {
                    let up = *it == Punct::Increment;
                    self.advance();
                    ExprKind::Step { target: Box::new(target), up, prefix: false }
                }
                TokenKind::Punct(Punct::Question) if self.is_conditional_access() => {
                    self.conditional_access(start, target)
                }
                TokenKind::Punct(Punct::Bang) if self.is_null_forgiving() => {
                    let span = self.span();
                    self.needs(span, 8, "the null-forgiving `!`");
                    self.advance();
                    continue;
                }
                TokenKind::Punct(Punct::PointerAccess) => {
                    let span = self.span();
                    self.refuse(span, "a pointer is", None);
                    self.advance();
                    ExprKind::Member { target: Box::new(target), name: self.simple_name() }
                }
                _ => return target,
            };
            let done = matches!(kind, ExprKind::ConditionalAccess { .. });
            self.grow();
            target = expr(kind, self.span_from(start));
            if done {
                return target;
            }
        }
    }

    /// `?.` or `?[`. `a ? [...]` is no C# 7, and `a ? .5 : 1` has a number after the `?`.
    fn is_conditional_access(&self) -> bool {
        self.is_punct(self.at + 1, Punct::Dot) || self.is_punct(self.at + 1, Punct::OpenBracket)
    }

    fn is_null_forgiving(&self) -> bool {
        matches!(
            self.kind_at(self.at + 1),
            TokenKind::Punct(
                Punct::Dot
                    | Punct::CloseParen
                    | Punct::OpenBracket
                    | Punct::Semicolon
                    | Punct::Comma
                    | Punct::Question
            ) | TokenKind::End
        )
    }

    fn conditional_access(&mut self, start: Span, target: Expr) -> ExprKind {
        self.advance();
        let receiver = Box::new(expr(ExprKind::Receiver, target.span));
        let rest_start = self.span();
        let rest = self.nested(|it| {
            let kind = if it.eat(Punct::Dot) {
                ExprKind::Member { target: receiver, name: it.simple_name() }
            } else {
                ExprKind::Index { target: receiver, arguments: it.index_arguments() }
            };
            let first = expr(kind, it.span_from(start));
            it.postfix(rest_start, first)
        });
        ExprKind::ConditionalAccess { target: Box::new(target), rest: Box::new(rest) }
    }

    fn operand(&mut self) -> Expr {
        let start = self.span();
        let kind = match self.kind() {
            TokenKind::Literal(literal) => {
                let literal = literal.clone();
                self.advance();
                ExprKind::Literal(literal)
            }
            TokenKind::InterpolationStart => return self.interpolated(),
            TokenKind::Identifier { .. } => return self.named(),
            TokenKind::Keyword(keyword) => {
                let keyword = *keyword;
                return self.keyword_operand(keyword);
            }
            TokenKind::Punct(Punct::OpenParen) => return self.parenthesised(),
            TokenKind::Punct(Punct::OpenBracket) => return self.refused_brackets(),
            _ => {
                self.expected("an expression");
                return self.missing(start);
            }
        };
        expr(kind, self.span_from(start))
    }

    fn refused_brackets(&mut self) -> Expr {
        let start = self.span();
        self.needs(start, 12, "a collection expression");
        self.at = self.closer(self.at).unwrap_or(self.at);
        self.advance();
        self.missing(start)
    }

    fn keyword_operand(&mut self, keyword: Keyword) -> Expr {
        let start = self.span();
        let literal = match keyword {
            Keyword::True => Some(Literal::Bool(true)),
            Keyword::False => Some(Literal::Bool(false)),
            Keyword::Null => Some(Literal::Null),
            _ => None,
        };
        if let Some(literal) = literal {
            self.advance();
            return expr(ExprKind::Literal(literal), start);
        }
        if let Some(predefined) = predefined(keyword) {
            self.advance();
            if !self.at(Punct::Dot) {
                let what = format!("`.` after the type `{}`", keyword.text());
                self.expected(&what);
            }
            return expr(ExprKind::Predefined(predefined), start);
        }
        match keyword {
            Keyword::New => self.new_expression(),
            Keyword::Typeof => self.type_of(),
            Keyword::Default => self.default_value(),
            Keyword::Checked | Keyword::Unchecked => {
                self.advance();
                self.expect(Punct::OpenParen);
                let value = Box::new(self.expression());
                self.expect(Punct::CloseParen);
                let checked = keyword == Keyword::Checked;
                expr(ExprKind::Checked { checked, value }, self.span_from(start))
            }
            Keyword::This | Keyword::Base => self.refused_operand("is", None),
            Keyword::Sizeof if self.dialect == Dialect::Beyond => {
                self.advance();
                self.expect(Punct::OpenParen);
                let ty = self.type_ref(Question::Nullable);
                self.expect(Punct::CloseParen);
                expr(ExprKind::SizeOf(ty), self.span_from(start))
            }
            Keyword::Sizeof | Keyword::Stackalloc | Keyword::Fixed => {
                self.refused_operand("is", Some("unsafe code is never allowed"))
            }
            _ => {
                self.expected("an expression");
                self.missing(start)
            }
        }
    }

    /// Refuses a keyword with the parentheses or brackets that follow it.
    fn refused_operand(&mut self, verb: &str, help: Option<&str>) -> Expr {
        let start = self.span();
        let what = format!("`{}` {verb}", self.text_at(self.at));
        self.refuse(start, &what, help);
        self.advance();
        if self.at(Punct::OpenParen)
            && let Some(end) = self.closer(self.at)
        {
            self.at = end;
            self.advance();
        } else if self.is_keyword(self.at.saturating_sub(1), Keyword::Stackalloc) {
            self.type_ref(Question::Nullable);
            if self.at(Punct::OpenBracket) {
                self.index_arguments();
            }
        }
        self.missing(start)
    }

    fn type_of(&mut self) -> Expr {
        let start = self.span();
        self.advance();
        self.expect(Punct::OpenParen);
        let ty = if self.eat_keyword(Keyword::Void) {
            None
        } else {
            Some(self.type_ref(Question::Nullable))
        };
        self.expect(Punct::CloseParen);
        expr(ExprKind::TypeOf(ty), self.span_from(start))
    }

    fn default_value(&mut self) -> Expr {
        let start = self.span();
        self.advance();
        let mut ty = None;
        if self.eat(Punct::OpenParen) {
            ty = Some(self.type_ref(Question::Nullable));
            self.expect(Punct::CloseParen);
        }
        expr(ExprKind::Default(ty), self.span_from(start))
    }

    /// `(e)`, or a tuple.
    fn parenthesised(&mut self) -> Expr {
        let start = self.span();
        let open = self.at;
        self.advance();
        if self.is_tuple_element() {
            return self.tuple(start, open, None);
        }
        let mut inner = self.expression();
        if self.at(Punct::Comma) && !self.recovering {
            return self.tuple(start, open, Some(inner));
        }
        self.expect(Punct::CloseParen);
        inner.parenthesised = true;
        inner
    }

    /// Whether `int a,` or `name: value` follows: the beginning of a tuple.
    fn is_tuple_element(&self) -> bool {
        if self.is_identifier(self.at) && self.is_punct(self.at + 1, Punct::Colon) {
            return true;
        }
        let Some(ty) = self.scan_type(self.at, Question::Nullable) else { return false };
        (ty.certain && self.is_punct(ty.end, Punct::Comma))
            || (self.is_identifier(ty.end)
                && (self.is_punct(ty.end + 1, Punct::Comma)
                    || (ty.certain && self.is_punct(ty.end + 1, Punct::CloseParen))))
    }

    /// The rest of a tuple whose first element may have been parsed.
    fn tuple(&mut self, start: Span, open: usize, first: Option<Expr>) -> Expr {
        if self.dialect == Dialect::Azure {
            return self.refused_tuple(start, open);
        }
        let first = first.map(|value| TupleElement { name: None, value });
        let mut elements = vec![first.unwrap_or_else(|| self.tuple_element())];
        while self.eat(Punct::Comma) {
            elements.push(self.tuple_element());
        }
        if elements.len() < 2 {
            self.expected("`,` and another element of the tuple");
        }
        self.expect(Punct::CloseParen);
        expr(ExprKind::Tuple(elements), self.span_from(start))
    }

    /// `a`, `name: a`, `int x`.
    fn tuple_element(&mut self) -> TupleElement {
        let mut name = None;
        if self.is_identifier(self.at) && self.is_punct(self.at + 1, Punct::Colon) {
            name = Some(self.name());
            self.advance();
        }
        let start = self.span();
        let declares = self.scan_type(self.at, Question::Nullable).is_some_and(|it| {
            self.is_identifier(it.end)
                && (self.is_punct(it.end + 1, Punct::Comma)
                    || self.is_punct(it.end + 1, Punct::CloseParen))
        });
        let value = if declares {
            let ty = self.type_or_var();
            let name = self.designation();
            expr(ExprKind::Declaration { ty, name }, self.span_from(start))
        } else {
            self.expression()
        };
        TupleElement { name, value }
    }

    /// The names in `var (a, (b, _))`; the current token is `(`.
    pub(super) fn designations(&mut self) -> Expr {
        let start = self.span();
        self.expect(Punct::OpenParen);
        let mut elements = Vec::new();
        loop {
            let at = self.span();
            let value = if self.at(Punct::OpenParen) {
                self.nested(Self::designations)
            } else {
                let name = self.designation();
                expr(ExprKind::Declaration { ty: None, name }, at)
            };
            elements.push(TupleElement { name: None, value });
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        self.expect(Punct::CloseParen);
        expr(ExprKind::Tuple(elements), self.span_from(start))
    }

    fn refused_tuple(&mut self, start: Span, open: usize) -> Expr {
        match self.closer(open) {
            Some(end) => {
                self.refuse_tuple(start.to(self.span_at(end)));
                self.at = end;
                self.advance();
                // It was the type of a declaration.
                self.recovering |= self.is_identifier(self.at);
            }
            None => self.expected("`)`"),
        }
        self.missing(self.span_from(start))
    }

    fn named(&mut self) -> Expr {
        let start = self.span();
        if self.is_word(self.at, "nameof") && self.is_punct(self.at + 1, Punct::OpenParen) {
            return self.name_of();
        }
        if self.is_word(self.at, "global") && self.is_punct(self.at + 1, Punct::DoubleColon) {
            self.advance();
            self.advance();
        }
        let name = self.simple_name();
        if name.type_arguments.is_empty()
            && let Some(path) = self.range_path(&name.name.text)
        {
            return super::query::path_expression(&path, start);
        }
        expr(ExprKind::Name(name), self.span_from(start))
    }

    fn name_of(&mut self) -> Expr {
        let start = self.span();
        self.advance();
        self.advance();
        let value = self.expression();
        self.expect(Punct::CloseParen);
        let name = match &value.kind {
            ExprKind::Name(it) => it.name.text.clone(),
            ExprKind::Member { name, .. } => name.name.text.clone(),
            _ => {
                self.refuse(value.span, "`nameof` of anything but a name is", None);
                "".into()
            }
        };
        expr(ExprKind::NameOf(Box::new(value), name), self.span_from(start))
    }

    /// A name, with type arguments if the `<` behind it begins some.
    pub(super) fn simple_name(&mut self) -> SimpleName {
        let name = self.name();
        let generic = self.at(Punct::Less) && self.begins_type_arguments(self.at);
        let type_arguments = if generic { self.type_arguments() } else { Vec::new() };
        SimpleName { name, type_arguments }
    }

    /// `[...]` with at least one argument.
    pub(super) fn index_arguments(&mut self) -> Vec<Argument> {
        let arguments = self.arguments(Punct::OpenBracket, Punct::CloseBracket);
        if arguments.is_empty() && !self.recovering {
            self.at = self.at.saturating_sub(1);
            self.expected("an index");
        }
        arguments
    }

    /// Arguments with their brackets; the current token is the opening one.
    pub(super) fn arguments(&mut self, open: Punct, close: Punct) -> Vec<Argument> {
        let mut arguments = Vec::new();
        self.expect(open);
        if self.eat(close) {
            return arguments;
        }
        loop {
            arguments.push(self.argument());
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        self.expect(close);
        arguments
    }

    fn argument(&mut self) -> Argument {
        let mut name = None;
        if self.is_identifier(self.at) && self.is_punct(self.at + 1, Punct::Colon) {
            name = Some(self.name());
            self.advance();
        }
        let mode = self.argument_mode();
        let value = match mode {
            ArgumentMode::Out => self.out_argument(),
            _ => self.expression(),
        };
        Argument { name, mode, value }
    }

    /// `out x`, `out var x`, `out int x`, `out _`.
    fn out_argument(&mut self) -> Expr {
        let start = self.span();
        let declares = self
            .scan_type(self.at, Question::Nullable)
            .is_some_and(|it| self.is_identifier(it.end));
        if declares {
            let ty = self.type_or_var();
            let name = self.designation();
            return expr(ExprKind::Declaration { ty, name }, self.span_from(start));
        }
        let ends = self.is_punct(self.at + 1, Punct::Comma)
            || self.is_punct(self.at + 1, Punct::CloseParen);
        if self.is_word(self.at, "_") && ends {
            self.advance();
            return expr(ExprKind::Declaration { ty: None, name: None }, start);
        }
        self.expression()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print, problem};

    #[test]
    fn chains_of_members_calls_and_indexers() {
        assert_eq!(
            print("context.Request.Headers[\"a\"].First().Split(',')[0]"),
            "context.Request.Headers[\"a\"].First().Split(',')[0]"
        );
        assert_eq!(print("a.B<int>(c: 1, out var d)"), "a.B<int>(c: 1, out var d)");
        assert_eq!(print("F(out int? x, out _, ref y)"), "F(out int? x, out _, ref y)");
        assert_eq!(print("string.Join(\",\", a)"), "string.Join(\",\", a)");
        assert_eq!(print("a++ + --b"), "(+ a++ --b)");
    }

    #[test]
    fn a_less_than_begins_type_arguments_only_where_c_sharp_says_so() {
        assert_eq!(print("F(a < b, c > (d))"), "F(a<b,c>(d))");
        assert_eq!(print("F(a < b, c > d)"), "F((< a b), (> c d))");
        assert_eq!(print("a < b && c > d"), "(&& (< a b) (> c d))");
        assert_eq!(print("x.As<JObject>()[\"a\"]"), "x.As<JObject>()[\"a\"]");
        assert_eq!(print("i < n"), "(< i n)");
    }

    #[test]
    fn conditional_access_nests_to_the_right() {
        assert_eq!(print("a?.b.c?[0].d"), "(a ?. (it.b.c ?. it[0].d))");
        assert_eq!(print("a?.b() ?? \"\""), "(?? (a ?. it.b()) \"\")");
        assert_eq!(print("a ? .5 : 1"), "(?: a 0.5 1)");
    }

    #[test]
    fn special_forms() {
        assert_eq!(print("nameof(a.B)"), "nameof(a.B)=B");
        assert_eq!(print("checked(a + 1)"), "checked((+ a 1))");
        assert_eq!(print("default"), "default");
        assert_eq!(print("typeof(void)"), "typeof(void)");
        assert_eq!(print("@class.@new"), "class.new");
    }

    #[test]
    fn what_is_not_allowed_is_refused_by_name() {
        for (source, expected) in [
            ("this.x", "`this` is not allowed in a policy expression"),
            ("sizeof(int)", "`sizeof` is not allowed in a policy expression"),
            ("(1, 2).Item1", "System.ValueTuple is not an allowed type"),
            ("(a: 1, b: 2)", "System.ValueTuple is not an allowed type"),
            ("a!.b", "the null-forgiving `!` needs C# 8"),
            ("[1, 2]", "a collection expression needs C# 12"),
            ("p->x", "a pointer is not allowed in a policy expression"),
            ("a[]", "expected an index, found `]`"),
            ("int", "expected `.` after the type `int`, found the end"),
            ("1;", "a single expression does not end with `;`"),
            ("(1", "expected `)`, found the end"),
            ("f(a b)", "expected `)`, found `b`"),
            ("", "expected an expression, found the end"),
        ] {
            assert_eq!(problem(source), expected, "{source}");
        }
    }
}
