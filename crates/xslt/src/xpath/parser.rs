//! Tokens to a compiled expression (XPath 1.0, sections 2 and 3).
//!
//! Names are resolved here: prefixes to namespaces, variables to places, functions to functions.
//! How deep an expression nests is bounded, so that evaluating one needs little stack.

mod paths;
mod primary;

use std::collections::HashMap;

use super::lexer::{Placed, Token, tokens};
use super::{Arithmetic, Comparison, Expr, Function, Spaces, Type};
use crate::names::{Key, Names};

/// Parentheses, predicates and arguments inside of each other.
const MAX_DEPTH: usize = 50;
/// `+`, `*`, `=` and the like in one expression.
const MAX_OPERATORS: usize = 200;

/// What an expression may refer to.
#[derive(Debug)]
pub(crate) struct Cx<'a> {
    pub(crate) names: &'a mut Names,
    pub(crate) spaces: &'a Spaces,
    /// Variables of the template, innermost last.
    pub(crate) locals: &'a [(Key, u32)],
    pub(crate) globals: &'a HashMap<Key, u32>,
    /// Whether the stylesheet asks which functions there are, so that one that is not there may
    /// be named.
    pub(crate) may_guard: bool,
    /// Names of keys and decimal formats that are referred to, to be looked up at the end.
    pub(crate) referred: &'a mut Vec<(Function, Key, usize)>,
}

/// What is wrong with an expression: a message and a byte of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) at: usize,
}

/// Compiles an expression.
pub(crate) fn parse(text: &str, cx: &mut Cx<'_>) -> Result<Expr, Fault> {
    let tokens = tokens(text).map_err(|(at, message)| Fault { message, at })?;
    let mut parser = Parser { tokens, at: 0, cx, depth: 0, n_operators: 0 };
    let expr = parser.or()?;
    match parser.peek() {
        Token::End => Ok(expr),
        other => parser.error(format!("{} is left over", shown(other))),
    }
}

struct Parser<'a, 'c, 'n> {
    tokens: Vec<Placed<'a>>,
    at: usize,
    cx: &'c mut Cx<'n>,
    depth: usize,
    n_operators: usize,
}

type Parsed<T> = Result<T, Fault>;

impl<'a> Parser<'a, '_, '_> {
    fn peek(&self) -> Token<'a> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Token<'a> {
        self.tokens.get(self.at + ahead).map_or(Token::End, |it| it.0)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |it| it.1)
    }

    fn error<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Fault { message: message.into(), at: self.place() })
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_there = matches!(self.peek(), Token::Sign(it) if it == sign);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.take(sign) {
            return Ok(());
        }
        self.error(format!("expected `{sign}`, found {}", shown(self.peek())))
    }

    fn operator(&mut self) -> Parsed<()> {
        self.n_operators += 1;
        if self.n_operators > MAX_OPERATORS {
            return self.error(format!("more than {MAX_OPERATORS} operators in one expression"));
        }
        Ok(())
    }

    fn inside<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.error(format!("the expression nests more than {MAX_DEPTH} levels deep"));
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Operands between equal signs, as one list.
    fn list(
        &mut self,
        sign: &str,
        operand: fn(&mut Self) -> Parsed<Expr>,
        make: fn(Vec<Expr>) -> Expr,
    ) -> Parsed<Expr> {
        let first = operand(self)?;
        if !matches!(self.peek(), Token::Sign(it) if it == sign) {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.take(sign) {
            all.push(operand(self)?);
        }
        Ok(make(all))
    }

    fn or(&mut self) -> Parsed<Expr> {
        self.inside(|it| it.list("or", Self::and, Expr::Or))
    }

    fn and(&mut self) -> Parsed<Expr> {
        self.list("and", Self::equality, Expr::And)
    }

    fn equality(&mut self) -> Parsed<Expr> {
        let mut left = self.relation()?;
        loop {
            let comparison = match self.peek() {
                Token::Sign("=") => Comparison::Equal,
                Token::Sign("!=") => Comparison::NotEqual,
                _ => return Ok(left),
            };
            self.at += 1;
            self.operator()?;
            left = Expr::Compare(comparison, Box::new((left, self.relation()?)));
        }
    }

    fn relation(&mut self) -> Parsed<Expr> {
        let mut left = self.sum()?;
        loop {
            let comparison = match self.peek() {
                Token::Sign("<") => Comparison::Less,
                Token::Sign("<=") => Comparison::LessOrEqual,
                Token::Sign(">") => Comparison::Greater,
                Token::Sign(">=") => Comparison::GreaterOrEqual,
                _ => return Ok(left),
            };
            self.at += 1;
            self.operator()?;
            left = Expr::Compare(comparison, Box::new((left, self.sum()?)));
        }
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let mut left = self.product()?;
        loop {
            let arithmetic = match self.peek() {
                Token::Sign("+") => Arithmetic::Add,
                Token::Sign("-") => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            self.operator()?;
            left = Expr::Arithmetic(arithmetic, Box::new((left, self.product()?)));
        }
    }

    fn product(&mut self) -> Parsed<Expr> {
        let mut left = self.negation()?;
        loop {
            let arithmetic = match self.peek() {
                Token::Sign("*") => Arithmetic::Multiply,
                Token::Sign("div") => Arithmetic::Divide,
                Token::Sign("mod") => Arithmetic::Remainder,
                _ => return Ok(left),
            };
            self.at += 1;
            self.operator()?;
            left = Expr::Arithmetic(arithmetic, Box::new((left, self.negation()?)));
        }
    }

    fn negation(&mut self) -> Parsed<Expr> {
        let mut n_signs = 0_usize;
        while self.take("-") {
            self.operator()?;
            n_signs += 1;
        }
        let operand = self.union()?;
        Ok(match n_signs {
            0 => operand,
            n if n % 2 == 1 => Expr::Negate(Box::new(operand)),
            _ => Expr::Call(Function::Number, vec![operand]),
        })
    }

    fn union(&mut self) -> Parsed<Expr> {
        let at = self.place();
        let expr = self.list("|", Self::path, Expr::Union)?;
        if let Expr::Union(all) = &expr
            && all.iter().any(|it| !matches!(it.static_type(), Type::Nodes | Type::Any))
        {
            return Err(Fault { message: "both sides of `|` must be node-sets".to_owned(), at });
        }
        Ok(expr)
    }
}

fn shown(token: Token<'_>) -> String {
    match token {
        Token::Number(it) => format!("`{it}`"),
        Token::Literal(it) => format!("`'{it}'`"),
        Token::Name("", local) => format!("`{local}`"),
        Token::Name(prefix, local) => format!("`{prefix}:{local}`"),
        Token::Space(prefix) => format!("`{prefix}:*`"),
        Token::Star => "`*`".to_owned(),
        Token::Variable(_, local) => format!("`${local}`"),
        Token::Sign(sign) => format!("`{sign}`"),
        Token::End => "the end of the expression".to_owned(),
    }
}

#[cfg(test)]
mod tests;
