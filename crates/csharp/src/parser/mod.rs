//! From tokens to the tree: a recursive-descent parser for C# 7 expressions and statements.
//!
//! ```text
//! tokens -> statement.rs -> local.rs, switch.rs
//!              |
//!              v
//!           expression.rs -> primary.rs -> creation.rs, lambda.rs, query.rs
//!              |
//!              v
//!           types.rs, pattern.rs
//! ```
//!
//! Linear time: there is no backtracking. Where C# needs to look ahead (casts, type arguments,
//! lambdas, declarations), brackets are matched once up front and types are scanned without being
//! built. Nesting is bounded, both on the way down (the parser's own stack) and in the height of the
//! tree (the stacks of those who walk it).
//!
//! Constructs that C# 7 does not have, or that policies may not use, are recognised and refused by
//! name. After a syntax error parsing goes on with the next statement, so several are reported.

mod creation;
mod expression;
mod interpolated;
mod jump;
mod lambda;
mod local;
mod loops;
mod pattern;
mod primary;
mod query;
mod report;
mod statement;
mod switch;
mod types;

use super::ast::{Expr, ExprKind, Name, Root, Span, Stmt};
use super::lexer::tokenize;
use super::token::{Keyword, Punct, Token, TokenKind};
use crate::problem::Problem;
use crate::scan::Form;

/// How deep constructs may be nested in each other.
const MAX_DEPTH: u32 = 100;

/// How high the tree may grow, chains such as `a + b + c` or `a.b().c()` included.
const MAX_HEIGHT: u32 = 500;

/// How many problems are reported for one source.
const MAX_PROBLEMS: usize = 20;

/// Parses the `E` of `@(E)`.
///
/// # Errors
///
/// What is wrong, in the order of the source; at most 20 problems.
pub fn parse_expression(source: &str) -> Result<Expr, Vec<Problem>> {
    let mut parser = Parser::new(source, Dialect::Azure);
    let root = parser.whole_expression();
    parser.finish(root)
}

/// Parses the `S` of `@{ S }`.
///
/// # Errors
///
/// What is wrong, in the order of the source; at most 20 problems.
pub fn parse_statements(source: &str) -> Result<Vec<Stmt>, Vec<Problem>> {
    let mut parser = Parser::new(source, Dialect::Azure);
    let statements = parser.all_statements();
    parser.finish(statements)
}

/// Parses either form.
///
/// # Errors
///
/// As [`parse_expression`] and [`parse_statements`].
pub fn parse(source: &str, form: Form, dialect: Dialect) -> Result<Root, Vec<Problem>> {
    let mut parser = Parser::new(source, dialect);
    let root = match form {
        Form::Expression => Root::Expression(parser.whole_expression()),
        Form::Statements => Root::Statements(parser.all_statements()),
    };
    parser.finish(root)
}

/// How much of C# 7 is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// What Azure accepts in a policy expression.
    #[default]
    Azure,
    /// Also what Azure refuses: tuples, `dynamic`, `goto`, `yield`, `sizeof`.
    Beyond,
}

/// Parses either form as far as it goes: what is wrong is left out of the tree. For editors.
pub fn parse_partial(source: &str, form: Form, dialect: Dialect) -> (Root, Vec<Problem>) {
    let mut parser = Parser::new(source, dialect);
    let root = match form {
        Form::Expression => Root::Expression(parser.expression()),
        Form::Statements => Root::Statements(parser.all_statements()),
    };
    let problems = parser.finish(()).err().unwrap_or_default();
    (root, problems)
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    /// For each opening bracket the index of its closing one.
    closers: Vec<u32>,
    /// Index of the current token.
    at: usize,
    problems: Vec<Problem>,
    /// After a syntax error, until the next statement: what follows is not reported.
    recovering: bool,
    depth: u32,
    /// Height of what has been parsed in the current frame.
    height: u32,
    too_deep: bool,
    dialect: Dialect,
    /// Range variables of the query expressions around, innermost last.
    ranges: Vec<query::Range>,
}

impl<'a> Parser<'a> {
    fn new(source: &'a str, dialect: Dialect) -> Parser<'a> {
        let (tokens, problems) = tokenize(source);
        let closers = match_brackets(&tokens);
        Parser {
            source,
            tokens,
            closers,
            at: 0,
            problems,
            recovering: false,
            depth: 0,
            height: 0,
            too_deep: false,
            dialect,
            ranges: Vec::new(),
        }
    }

    /// An expression up to the end of the source.
    fn whole_expression(&mut self) -> Expr {
        let root = self.expression();
        if !matches!(self.kind(), TokenKind::End) {
            self.unexpected_end_of_expression();
        }
        root
    }

    /// Statements up to the end of the source.
    fn all_statements(&mut self) -> Vec<Stmt> {
        let mut statements = Vec::new();
        while !matches!(self.kind(), TokenKind::End) {
            if self.at(Punct::CloseBrace) {
                self.expected("a statement");
                self.advance();
                self.recovering = false;
                continue;
            }
            statements.push(self.statement());
        }
        statements
    }

    fn finish<T>(mut self, root: T) -> Result<T, Vec<Problem>> {
        if self.problems.is_empty() {
            return Ok(root);
        }
        self.problems.sort_by_key(|it| (it.span.start, it.span.end));
        self.problems.dedup_by(|a, b| a.span == b.span);
        self.problems.truncate(MAX_PROBLEMS);
        Err(self.problems)
    }

    // ----------------------------------------------------------------- tokens

    fn kind_at(&self, index: usize) -> &TokenKind {
        self.tokens.get(index).map_or(&TokenKind::End, |it| &it.kind)
    }

    fn kind(&self) -> &TokenKind {
        self.kind_at(self.at)
    }

    fn span_at(&self, index: usize) -> Span {
        self.tokens.get(index).or(self.tokens.last()).map_or(Span::default(), |it| it.span)
    }

    fn span(&self) -> Span {
        self.span_at(self.at)
    }

    /// From `start` to the end of the token before the current one.
    fn span_from(&self, start: Span) -> Span {
        if self.at == 0 { start } else { start.to(self.span_at(self.at - 1)) }
    }

    fn text_at(&self, index: usize) -> &'a str {
        self.source.get(self.span_at(index).range()).unwrap_or("")
    }

    fn is_punct(&self, index: usize, punct: Punct) -> bool {
        *self.kind_at(index) == TokenKind::Punct(punct)
    }

    fn is_keyword(&self, index: usize, keyword: Keyword) -> bool {
        *self.kind_at(index) == TokenKind::Keyword(keyword)
    }

    fn is_identifier(&self, index: usize) -> bool {
        matches!(self.kind_at(index), TokenKind::Identifier { .. })
    }

    /// Whether the token is this contextual word.
    fn is_word(&self, index: usize, word: &str) -> bool {
        matches!(self.kind_at(index),
            TokenKind::Identifier { text, verbatim: false } if **text == *word)
    }

    fn at(&self, punct: Punct) -> bool {
        self.is_punct(self.at, punct)
    }

    fn at_keyword(&self, keyword: Keyword) -> bool {
        self.is_keyword(self.at, keyword)
    }

    /// Whether the token and the one after it touch.
    fn touches_next(&self, index: usize) -> bool {
        self.span_at(index).end == self.span_at(index + 1).start
    }

    fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    fn eat(&mut self, punct: Punct) -> bool {
        let found = self.at(punct);
        if found {
            self.advance();
        }
        found
    }

    fn eat_keyword(&mut self, keyword: Keyword) -> bool {
        let found = self.at_keyword(keyword);
        if found {
            self.advance();
        }
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(self.at, word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, punct: Punct) -> bool {
        let found = self.eat(punct);
        if !found {
            self.expected(&format!("`{}`", punct.text()));
        }
        found
    }

    fn expect_keyword(&mut self, keyword: Keyword) {
        if !self.eat_keyword(keyword) {
            self.expected(&format!("`{}`", keyword.text()));
        }
    }

    fn name(&mut self) -> Name {
        let span = self.span();
        if let TokenKind::Identifier { text, .. } = self.kind() {
            let text = text.clone();
            self.advance();
            return Name { text, span };
        }
        self.expected("a name");
        Name { text: "".into(), span }
    }

    /// The index of the bracket that closes the one at `index`.
    fn closer(&self, index: usize) -> Option<usize> {
        self.closers.get(index).map(|it| *it as usize).filter(|it| *it > index)
    }

    fn missing(&self, span: Span) -> Expr {
        expr(ExprKind::Missing, span)
    }

    // ---------------------------------------------------------------- nesting

    /// Runs `parse` one level deeper; at the limit, skips the rest of the source instead.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> T) -> T {
        let saved = std::mem::replace(&mut self.height, 0);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.give_up();
        }
        let result = parse(self);
        self.depth -= 1;
        self.grow();
        self.height = self.height.max(saved);
        result
    }

    /// Counts a node put on top of what has been parsed in this frame.
    fn grow(&mut self) {
        self.height += 1;
        if self.height > MAX_HEIGHT {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        if !self.too_deep {
            self.too_deep = true;
            let span = self.span();
            let message = "expression is nested too deeply".to_owned();
            let help = Some("split it with local variables in `@{ ... }`");
            self.report("PC0304", span, message, "too deep from here", help);
        }
        self.recovering = true;
        self.at = self.tokens.len().saturating_sub(1);
    }
}

fn expr(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, span, parenthesised: false }
}

/// For each opening bracket the index of the token that closes it, 0 where there is none.
fn match_brackets(tokens: &[Token]) -> Vec<u32> {
    let mut closers = vec![0; tokens.len()];
    let mut open: Vec<(usize, Punct)> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let TokenKind::Punct(punct) = token.kind else { continue };
        let closing = match punct {
            Punct::OpenParen => Some(Punct::CloseParen),
            Punct::OpenBracket => Some(Punct::CloseBracket),
            Punct::OpenBrace => Some(Punct::CloseBrace),
            _ => None,
        };
        if let Some(closing) = closing {
            open.push((index, closing));
        } else if matches!(punct, Punct::CloseParen | Punct::CloseBracket | Punct::CloseBrace)
            && let Some(&(opened, expected)) = open.last()
            && expected == punct
        {
            open.pop();
            if let (Some(slot), Ok(index)) = (closers.get_mut(opened), u32::try_from(index)) {
                *slot = index;
            }
        }
    }
    closers
}

#[cfg(test)]
mod tests;
