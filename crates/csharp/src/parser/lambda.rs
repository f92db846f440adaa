//! Lambdas and anonymous methods.
//!
//! Source: C# 7 language specification, 12.19.

use super::types::Question;
use super::{Parser, expr};
use crate::ast::{ArgumentMode, Expr, ExprKind, LambdaBody, Parameter};
use crate::token::{Keyword, Punct};

impl Parser<'_> {
    /// Parses a lambda or an anonymous method if one starts here.
    pub(super) fn lambda(&mut self) -> Option<Expr> {
        let start = self.span();
        if let Some(word) = self.lambda_modifier() {
            if word == "async" {
                let help = Some("expressions are synchronous; leave it out");
                self.refuse(start, "`async` is", help);
            } else {
                self.needs(start, 9, "a `static` lambda");
            }
            self.advance();
        }
        if self.at_keyword(Keyword::Delegate) {
            return Some(self.anonymous_method());
        }
        if !self.is_lambda(self.at) {
            return None;
        }
        let parameters = if self.is_identifier(self.at) {
            let name = self.name();
            vec![Parameter {
                mode: ArgumentMode::Value,
                params: false,
                ty: None,
                name,
                default: None,
            }]
        } else {
            self.parameters(false)
        };
        self.expect(Punct::Arrow);
        let body = Box::new(self.body());
        let kind = ExprKind::Lambda { parameters: Some(parameters), body };
        Some(expr(kind, self.span_from(start)))
    }

    fn lambda_modifier(&self) -> Option<&'static str> {
        let lambda = self.is_lambda(self.at + 1) || self.is_keyword(self.at + 1, Keyword::Delegate);
        if self.is_word(self.at, "async") && lambda {
            return Some("async");
        }
        (self.at_keyword(Keyword::Static) && lambda).then_some("static")
    }

    /// `x =>` or `(...) =>`.
    fn is_lambda(&self, index: usize) -> bool {
        if self.is_identifier(index) {
            return self.is_punct(index + 1, Punct::Arrow);
        }
        self.is_punct(index, Punct::OpenParen)
            && self.closer(index).is_some_and(|it| self.is_punct(it + 1, Punct::Arrow))
    }

    fn anonymous_method(&mut self) -> Expr {
        let start = self.span();
        self.advance();
        let parameters = self.at(Punct::OpenParen).then(|| self.parameters(true));
        let body = Box::new(LambdaBody::Block(self.block()));
        expr(ExprKind::Lambda { parameters, body }, self.span_from(start))
    }

    /// The body after `=>`.
    pub(super) fn body(&mut self) -> LambdaBody {
        if self.at(Punct::OpenBrace) {
            // A lambda's statements stand on their own: problems in it are reported one by one.
            LambdaBody::Block(self.block())
        } else {
            LambdaBody::Expression(self.expression())
        }
    }

    /// `(int a, b)`: with types if `typed`, else with or without.
    pub(super) fn parameters(&mut self, typed: bool) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        self.expect(Punct::OpenParen);
        while !self.at(Punct::CloseParen) && !self.recovering {
            parameters.push(self.parameter(typed));
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        self.expect(Punct::CloseParen);
        parameters
    }

    fn parameter(&mut self, typed: bool) -> Parameter {
        let params = self.eat_keyword(Keyword::Params);
        let mode = self.argument_mode();
        let untyped = self.is_identifier(self.at)
            && (self.is_punct(self.at + 1, Punct::Comma)
                || self.is_punct(self.at + 1, Punct::CloseParen));
        let ty = if untyped && !typed { None } else { Some(self.type_ref(Question::Nullable)) };
        let name = self.name();
        let default = self.eat(Punct::Assign).then(|| self.expression());
        Parameter { mode, params, ty, name, default }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print, problem};

    #[test]
    fn lambdas_of_every_form() {
        assert_eq!(print("F(x => x + 1)"), "F((x => (+ x 1)))");
        assert_eq!(print("F((a, b) => a)"), "F((a, b => a))");
        assert_eq!(print("F(() => 1)"), "F(( => 1))");
        assert_eq!(print("(int a, ref string b) => a"), "(int a, ref string b => a)");
        assert_eq!(print("x => y => x"), "(x => (y => x))");
        assert_eq!(print("x => { return x; }"), "(x => {return x;})");
        assert_eq!(print("delegate (int a) { return a; }"), "(int a => {return a;})");
        assert_eq!(print("delegate { return 1; }"), "(delegate => {return 1;})");
        assert_eq!(print("x => throw y"), "(x => (throw y))");
        assert_eq!(print("(Func<int, int>)(x => x)"), "(cast Func<int,int> (x => x))");
    }

    #[test]
    fn modifiers_are_refused_by_name() {
        assert_eq!(problem("F(async x => x)"), "`async` is not allowed in a policy expression");
        assert_eq!(problem("F(static x => x)"), "a `static` lambda needs C# 9");
    }
}
