//! Operators: assignment, conditional, binary, unary, casts.
//!
//! Source: C# 7 language specification, 12.4.2 (precedence) and 12.8 to 12.22.

use super::types::Question;
use super::{Parser, expr};
use crate::ast::{ArgumentMode, BinaryOp, Expr, ExprKind, Span, UnaryOp};
use crate::token::{Keyword, Punct, TokenKind};

/// Precedence of `??`, the lowest of the binary operators.
const COALESCE: u8 = 1;
/// Precedence of `<`, `is` and `as`.
const RELATIONAL: u8 = 8;
/// Precedence of `<<`: what may stand to the right of `is`.
pub(super) const SHIFT: u8 = 9;

/// An operator at the current token.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOp),
    Is,
    As,
}

impl Parser<'_> {
    /// Parses an expression of any kind.
    pub(super) fn expression(&mut self) -> Expr {
        self.nested(Self::expression_here)
    }

    fn expression_here(&mut self) -> Expr {
        let start = self.span();
        if self.at_keyword(Keyword::Throw) {
            return self.throw_expression();
        }
        if self.at_keyword(Keyword::Ref) {
            self.refuse(start, "a `ref` value is", None);
            self.advance();
        }
        if self.is_query() {
            return self.query();
        }
        if let Some(lambda) = self.lambda() {
            return lambda;
        }
        let left = self.conditional();
        self.assignment(start, left)
    }

    fn throw_expression(&mut self) -> Expr {
        let start = self.span();
        self.advance();
        let value = self.nested(|it| it.binary(COALESCE));
        expr(ExprKind::Throw(Box::new(value)), self.span_from(start))
    }

    fn assignment(&mut self, start: Span, target: Expr) -> Expr {
        let Some((op, width)) = self.assignment_operator() else { return target };
        let at = self.span();
        for _ in 0..width {
            self.advance();
        }
        if self.is_punct(self.at.saturating_sub(1), Punct::CoalesceAssign) {
            self.needs(at, 8, "`??=`");
        }
        let value = self.expression();
        let kind = ExprKind::Assign { op, target: Box::new(target), value: Box::new(value) };
        expr(kind, self.span_from(start))
    }

    fn assignment_operator(&self) -> Option<(Option<BinaryOp>, usize)> {
        let TokenKind::Punct(punct) = self.kind() else { return None };
        Some(match punct {
            Punct::Assign => (None, 1),
            Punct::AddAssign => (Some(BinaryOp::Add), 1),
            Punct::SubtractAssign => (Some(BinaryOp::Subtract), 1),
            Punct::MultiplyAssign => (Some(BinaryOp::Multiply), 1),
            Punct::DivideAssign => (Some(BinaryOp::Divide), 1),
            Punct::RemainderAssign => (Some(BinaryOp::Remainder), 1),
            Punct::AndAssign => (Some(BinaryOp::And), 1),
            Punct::OrAssign => (Some(BinaryOp::Or), 1),
            Punct::XorAssign => (Some(BinaryOp::Xor), 1),
            Punct::ShiftLeftAssign => (Some(BinaryOp::ShiftLeft), 1),
            Punct::CoalesceAssign => (Some(BinaryOp::Coalesce), 1),
            // `>>=` is three tokens that touch.
            Punct::Greater
                if self.touches_next(self.at)
                    && self.is_punct(self.at + 1, Punct::Greater)
                    && self.touches_next(self.at + 1)
                    && self.is_punct(self.at + 2, Punct::Assign) =>
            {
                (Some(BinaryOp::ShiftRight), 3)
            }
            _ => return None,
        })
    }

    fn conditional(&mut self) -> Expr {
        let start = self.span();
        let condition = self.binary(COALESCE);
        if !self.eat(Punct::Question) {
            return condition;
        }
        let then = self.expression();
        self.expect(Punct::Colon);
        let otherwise = self.expression();
        let kind = ExprKind::Conditional {
            condition: Box::new(condition),
            then: Box::new(then),
            otherwise: Box::new(otherwise),
        };
        self.grow();
        expr(kind, self.span_from(start))
    }

    /// Parses operands joined by operators that bind at least as tightly as `floor`.
    pub(super) fn binary(&mut self, floor: u8) -> Expr {
        let start = self.span();
        let mut left = self.unary();
        while let Some((infix, precedence, width)) = self.infix() {
            if precedence < floor {
                break;
            }
            let op_start = self.span();
            for _ in 0..width {
                self.advance();
            }
            let op_span = self.span_from(op_start);
            let kind = match infix {
                Infix::Is => {
                    ExprKind::Is { value: Box::new(left), pattern: Box::new(self.is_pattern()) }
                }
                Infix::As => {
                    let ty = self.type_ref(Question::Unless);
                    ExprKind::As { value: Box::new(left), ty }
                }
                Infix::Binary(op) => {
                    let right = self.right_operand(op, precedence);
                    ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) }
                }
            };
            self.grow();
            left = expr(kind, self.span_from(start));
        }
        self.later_operators(start, left)
    }

    fn right_operand(&mut self, op: BinaryOp, precedence: u8) -> Expr {
        if op == BinaryOp::Coalesce {
            // Right-associative, and a `throw` or a lambda may stand there.
            if self.at_keyword(Keyword::Throw) {
                return self.throw_expression();
            }
            if let Some(lambda) = self.lambda() {
                return lambda;
            }
            return self.nested(|it| it.binary(COALESCE));
        }
        self.nested(|it| it.binary(precedence + 1))
    }

    fn infix(&self) -> Option<(Infix, u8, usize)> {
        match self.kind() {
            TokenKind::Keyword(Keyword::Is) => Some((Infix::Is, RELATIONAL, 1)),
            TokenKind::Keyword(Keyword::As) => Some((Infix::As, RELATIONAL, 1)),
            TokenKind::Punct(Punct::Greater) => self.infix_from_greater(),
            TokenKind::Punct(punct) => {
                let (op, precedence) = match punct {
                    Punct::Coalesce => (BinaryOp::Coalesce, COALESCE),
                    Punct::OrElse => (BinaryOp::OrElse, 2),
                    Punct::AndAlso => (BinaryOp::AndAlso, 3),
                    Punct::Bar => (BinaryOp::Or, 4),
                    Punct::Caret => (BinaryOp::Xor, 5),
                    Punct::Ampersand => (BinaryOp::And, 6),
                    Punct::Equal => (BinaryOp::Equal, 7),
                    Punct::NotEqual => (BinaryOp::NotEqual, 7),
                    Punct::Less => (BinaryOp::Less, RELATIONAL),
                    Punct::LessEqual => (BinaryOp::LessOrEqual, RELATIONAL),
                    Punct::ShiftLeft => (BinaryOp::ShiftLeft, SHIFT),
                    Punct::Plus => (BinaryOp::Add, 10),
                    Punct::Minus => (BinaryOp::Subtract, 10),
                    Punct::Star => (BinaryOp::Multiply, 11),
                    Punct::Slash => (BinaryOp::Divide, 11),
                    Punct::Percent => (BinaryOp::Remainder, 11),
                    _ => return None,
                };
                Some((Infix::Binary(op), precedence, 1))
            }
            _ => None,
        }
    }

    /// `>`, `>=` and `>>`: the lexer leaves them apart for the sake of type arguments.
    fn infix_from_greater(&self) -> Option<(Infix, u8, usize)> {
        let binary = |op, precedence, width| Some((Infix::Binary(op), precedence, width));
        if !self.touches_next(self.at) {
            return binary(BinaryOp::Greater, RELATIONAL, 1);
        }
        if self.is_punct(self.at + 1, Punct::Assign) {
            return binary(BinaryOp::GreaterOrEqual, RELATIONAL, 2);
        }
        if !self.is_punct(self.at + 1, Punct::Greater) {
            return binary(BinaryOp::Greater, RELATIONAL, 1);
        }
        if self.touches_next(self.at + 1) && self.is_punct(self.at + 2, Punct::Assign) {
            return None;
        }
        binary(BinaryOp::ShiftRight, SHIFT, 2)
    }

    /// Operators that came after C# 7: refused, and skipped where their extent is known.
    fn later_operators(&mut self, start: Span, left: Expr) -> Expr {
        let braces = self.is_punct(self.at + 1, Punct::OpenBrace);
        let (version, what) = match self.kind() {
            TokenKind::Keyword(Keyword::Switch) if braces => (8, "a switch expression"),
            TokenKind::Identifier { text, verbatim: false } if braces && **text == *"with" => {
                (9, "a `with` expression")
            }
            TokenKind::Punct(Punct::Range) => {
                let span = self.span();
                self.needs(span, 8, "a range");
                self.advance();
                if !self.at(Punct::CloseBracket) && !self.at(Punct::CloseParen) {
                    self.unary();
                }
                return left;
            }
            _ => return left,
        };
        let end = self.closer(self.at + 1).unwrap_or(self.at + 1);
        self.needs(start.to(self.span()), version, what);
        self.at = end;
        self.advance();
        self.missing(self.span_from(start))
    }

    /// Parses a prefix operator with its operand, a cast, or a primary expression.
    pub(super) fn unary(&mut self) -> Expr {
        self.nested(Self::unary_here)
    }

    fn unary_here(&mut self) -> Expr {
        let start = self.span();
        if self.is_cast() {
            self.advance();
            let ty = self.type_ref(Question::Nullable);
            self.expect(Punct::CloseParen);
            let value = Box::new(self.unary());
            return expr(ExprKind::Cast { ty, value }, self.span_from(start));
        }
        if self.is_word(self.at, "await") && self.starts_awaited(self.at + 1) {
            let help = Some("expressions are synchronous; `<send-request>` calls a service");
            self.refuse(start, "`await` is", help);
            self.advance();
        }
        let TokenKind::Punct(punct) = *self.kind() else { return self.primary() };
        let op = match punct {
            Punct::Plus => UnaryOp::Plus,
            Punct::Minus => UnaryOp::Minus,
            Punct::Bang => UnaryOp::Not,
            Punct::Tilde => UnaryOp::Complement,
            Punct::Increment | Punct::Decrement => {
                self.advance();
                let target = Box::new(self.unary());
                let kind = ExprKind::Step { target, up: punct == Punct::Increment, prefix: true };
                return expr(kind, self.span_from(start));
            }
            Punct::Caret => {
                self.needs(start, 8, "an index from the end");
                self.advance();
                return self.unary();
            }
            Punct::Range => {
                self.needs(start, 8, "a range");
                self.advance();
                if self.at(Punct::CloseBracket) {
                    return self.missing(start);
                }
                return self.unary();
            }
            Punct::Ampersand if !self.help_is_entity() => {
                self.refuse(start, "a pointer is", None);
                self.advance();
                return self.unary();
            }
            Punct::Star => {
                self.refuse(start, "a pointer is", None);
                self.advance();
                return self.unary();
            }
            _ => return self.primary(),
        };
        self.advance();
        let operand = Box::new(self.unary());
        expr(ExprKind::Unary { op, operand }, self.span_from(start))
    }

    fn help_is_entity(&self) -> bool {
        self.help_at_error().is_some()
    }

    fn starts_awaited(&self, index: usize) -> bool {
        self.is_identifier(index) || self.is_keyword(index, Keyword::New)
    }

    /// Whether the current token opens a cast.
    ///
    /// After `(Name)` it is one only if what follows can start an operand and cannot go on as a
    /// binary operator: an identifier, a literal, a keyword other than `is` and `as`, `(`, `!`, `~`.
    fn is_cast(&self) -> bool {
        if !self.at(Punct::OpenParen) {
            return false;
        }
        let Some(ty) = self.scan_type(self.at + 1, Question::Nullable) else { return false };
        if !self.is_punct(ty.end, Punct::CloseParen) {
            return false;
        }
        if ty.certain {
            return true;
        }
        match self.kind_at(ty.end + 1) {
            TokenKind::Identifier { .. } => !self.is_clause_word(ty.end + 1),
            TokenKind::Literal(_) | TokenKind::InterpolationStart => true,
            TokenKind::Keyword(it) => {
                !matches!(it, Keyword::Is | Keyword::As | Keyword::In | Keyword::Switch)
            }
            TokenKind::Punct(it) => matches!(it, Punct::OpenParen | Punct::Bang | Punct::Tilde),
            _ => false,
        }
    }

    /// Whether the token is a word that goes on a clause around the expression: `when` of a `case`
    /// label, or a clause of a query.
    fn is_clause_word(&self, index: usize) -> bool {
        if self.is_word(index, "when") || self.is_word(index, "with") {
            return true;
        }
        !self.ranges.is_empty() && super::query::CLAUSES.iter().any(|it| self.is_word(index, it))
    }

    /// Parses the mode words of an argument.
    pub(super) fn argument_mode(&mut self) -> ArgumentMode {
        let mode = match self.kind() {
            TokenKind::Keyword(Keyword::Ref) => ArgumentMode::Ref,
            TokenKind::Keyword(Keyword::Out) => ArgumentMode::Out,
            TokenKind::Keyword(Keyword::In) => ArgumentMode::In,
            _ => return ArgumentMode::Value,
        };
        self.advance();
        mode
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print, problem};

    #[test]
    fn operators_bind_as_in_c_sharp() {
        assert_eq!(print("a + b * c - d"), "(- (+ a (* b c)) d)");
        assert_eq!(
            print("a || b && c | d ^ e & f == g"),
            "(|| a (&& b (| c (^ d (& e (== f g))))))"
        );
        assert_eq!(print("a ?? b ?? c"), "(?? a (?? b c))");
        assert_eq!(print("a < b << 1 + 2"), "(< a (<< b (+ 1 2)))");
        assert_eq!(print("a ? b : c ? d : e"), "(?: a b (?: c d e))");
        assert_eq!(print("a = b += c"), "(= a (+= b c))");
        assert_eq!(print("!a.b && -c * ~d"), "(&& (! a.b) (* (- c) (~ d)))");
        assert_eq!(print("a is string && b as X == null"), "(&& (is a string) (== (as b X) null))");
    }

    #[test]
    fn greater_signs_join_only_when_they_touch() {
        assert_eq!(print("a >> 2 >= b > c"), "(> (>= (>> a 2) b) c)");
        assert_eq!(print("a >>= 1"), "(>>= a 1)");
        assert_eq!(print("x => x >= 1"), "(x => (>= x 1))");
    }

    #[test]
    fn parentheses_make_a_cast_only_before_an_operand() {
        assert_eq!(print("(total) - (used)"), "(- total used)");
        assert_eq!(print("(b) + c * d"), "(+ b (* c d))");
        assert_eq!(print("(a) & b"), "(& a b)");
        assert_eq!(print("(int) - 5"), "(cast int (- 5))");
        assert_eq!(print("(T)(x)"), "(cast T x)");
        assert_eq!(print("(T)!x"), "(cast T (! x))");
        assert_eq!(print("(T)x.y"), "(cast T x.y)");
        assert_eq!(print("(a) is T"), "(is a T)");
        assert_eq!(print("(List<int>)x"), "(cast List<int> x)");
        assert_eq!(print("(A.B)\"x\""), "(cast A.B \"x\")");
        assert_eq!(print("(T)$\"x\""), "(cast T $\"x\")");
        assert_eq!(print("(a)[0]"), "a[0]");
        assert_eq!(print("(a)?.b"), "(a ?. it.b)");
        assert_eq!(print("(int?)x ?? 1"), "(?? (cast int? x) 1)");
    }

    #[test]
    fn later_operators_are_refused_by_name() {
        for (source, expected) in [
            ("a switch { 1 => 2, _ => 3 }", "a switch expression needs C# 8"),
            ("a ??= b", "`??=` needs C# 8"),
            ("a[^1]", "an index from the end needs C# 8"),
            ("a[1..2]", "a range needs C# 8"),
            ("a[..]", "a range needs C# 8"),
            ("a with { B = 1 }", "a `with` expression needs C# 9"),
            ("await x", "`await` is not allowed in a policy expression"),
        ] {
            assert_eq!(problem(source), expected, "{source}");
        }
    }
}
