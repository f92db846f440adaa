//! Tokens to a compiled expression (XPath 1.0, sections 2 and 3).
//!
//! Names are resolved here: prefixes to namespaces, variables to places, functions to functions.
//! How deep an expression nests is bounded, so that evaluating one needs little stack.

use std::collections::HashMap;
use std::sync::Arc;

use super::lexer::{Placed, Token, tokens};
use super::{
    Arithmetic, Axis, Comparison, Expr, Function, Predicate, Spaces, Start, Step, Test, Type,
    space_of,
};
use crate::names::{Atom, Key, Names};

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

    fn path(&mut self) -> Parsed<Expr> {
        if self.begins_filter() {
            return self.filter_path();
        }
        let mut steps = Vec::new();
        let start = match self.peek() {
            Token::Sign("/") => {
                self.at += 1;
                if !self.begins_step() {
                    return Ok(Expr::Path(Start::Root, steps));
                }
                Start::Root
            }
            Token::Sign("//") => {
                self.at += 1;
                steps.push(anywhere());
                Start::Root
            }
            _ => Start::Context,
        };
        self.steps(&mut steps)?;
        Ok(Expr::Path(start, merged(steps)))
    }

    /// A path that begins with a value: `$x/a`, `key(...)[1]`, `(a | b)//c`.
    fn filter_path(&mut self) -> Parsed<Expr> {
        let at = self.place();
        let primary = self.primary()?;
        let predicates = self.predicates()?;
        let has_steps = matches!(self.peek(), Token::Sign("/" | "//"));
        let must_be_nodes = has_steps || !predicates.is_empty();
        if must_be_nodes && !matches!(primary.static_type(), Type::Nodes | Type::Any) {
            let message = "only a node-set has steps and predicates".to_owned();
            return Err(Fault { message, at });
        }
        let base = match predicates.is_empty() {
            true => primary,
            false => Expr::Filter(Box::new(primary), predicates),
        };
        let mut steps = Vec::new();
        match self.peek() {
            Token::Sign("/") => self.at += 1,
            Token::Sign("//") => {
                self.at += 1;
                steps.push(anywhere());
            }
            _ => return Ok(base),
        }
        self.steps(&mut steps)?;
        Ok(Expr::Path(Start::Of(Box::new(base)), merged(steps)))
    }

    fn begins_filter(&self) -> bool {
        match self.peek() {
            Token::Variable(..) | Token::Literal(_) | Token::Number(_) | Token::Sign("(") => true,
            Token::Name(prefix, local) => {
                self.peek_at(1) == Token::Sign("(") && !(prefix.is_empty() && is_node_type(local))
            }
            _ => false,
        }
    }

    fn begins_step(&self) -> bool {
        matches!(
            self.peek(),
            Token::Name(..) | Token::Star | Token::Space(_) | Token::Sign("@" | "." | "..")
        )
    }

    fn steps(&mut self, steps: &mut Vec<Step>) -> Parsed<()> {
        loop {
            let step = self.step()?;
            steps.push(step);
            match self.peek() {
                Token::Sign("/") => self.at += 1,
                Token::Sign("//") => {
                    self.at += 1;
                    steps.push(anywhere());
                }
                _ => return Ok(()),
            }
            self.operator()?;
        }
    }

    fn step(&mut self) -> Parsed<Step> {
        let plain = |axis| Step { axis, test: Test::Any, predicates: Vec::new() };
        if self.take(".") {
            return Ok(plain(Axis::Own));
        }
        if self.take("..") {
            return Ok(plain(Axis::Parent));
        }
        let axis = match self.peek() {
            Token::Sign("@") => {
                self.at += 1;
                Axis::Attribute
            }
            Token::Name("", name) if self.peek_at(1) == Token::Sign("::") => {
                let Some(axis) = Axis::named(name) else {
                    return self.error(format!("`{name}` is no axis"));
                };
                self.at += 2;
                axis
            }
            _ => Axis::Child,
        };
        let test = self.test()?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    fn test(&mut self) -> Parsed<Test> {
        let test = match self.peek() {
            Token::Star => Test::Star,
            Token::Space(prefix) => Test::Space(self.space(prefix)?),
            Token::Name("", name)
                if self.peek_at(1) == Token::Sign("(") && is_node_type(name) =>
            {
                return self.node_type(name);
            }
            Token::Name(prefix, local) => {
                // A name without a prefix is in no namespace, whatever the default one is.
                let space = if prefix.is_empty() { Atom::EMPTY } else { self.space(prefix)? };
                Test::Name(Key { space, local: self.cx.names.atom(local) })
            }
            other => return self.error(format!("expected a step, found {}", shown(other))),
        };
        self.at += 1;
        Ok(test)
    }

    fn node_type(&mut self, name: &str) -> Parsed<Test> {
        self.at += 2;
        let test = match (name, self.peek()) {
            ("processing-instruction", Token::Literal(target)) => {
                self.at += 1;
                Test::Instruction(Some(self.cx.names.atom(target)))
            }
            ("processing-instruction", _) => Test::Instruction(None),
            ("text", _) => Test::Text,
            ("comment", _) => Test::Comment,
            _ => Test::Any,
        };
        self.expect(")")?;
        Ok(test)
    }

    fn space(&mut self, prefix: &str) -> Parsed<Atom> {
        let atom = self.cx.names.atom(prefix);
        match space_of(self.cx.spaces, atom) {
            Some(space) => Ok(space),
            None => self.error(format!("prefix `{prefix}` is not defined")),
        }
    }

    fn predicates(&mut self) -> Parsed<Vec<Predicate>> {
        let mut predicates = Vec::new();
        while self.take("[") {
            let expr = self.or()?;
            self.expect("]")?;
            let is_positional =
                matches!(expr.static_type(), Type::Number | Type::Any) || expr.asks_position();
            predicates.push(Predicate { expr, is_positional });
        }
        Ok(predicates)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let expr = match self.peek() {
            Token::Literal(text) => Expr::Text(Arc::from(text)),
            Token::Number(value) => Expr::Number(value),
            Token::Variable(prefix, local) => self.variable(prefix, local)?,
            Token::Name(prefix, local) => return self.call(prefix, local),
            _ => {
                self.expect("(")?;
                let inner = self.or()?;
                self.expect(")")?;
                return Ok(inner);
            }
        };
        self.at += 1;
        Ok(expr)
    }

    fn variable(&mut self, prefix: &str, local: &str) -> Parsed<Expr> {
        let space = if prefix.is_empty() { Atom::EMPTY } else { self.space(prefix)? };
        let key = Key { space, local: self.cx.names.atom(local) };
        if let Some((_, place)) = self.cx.locals.iter().rev().find(|(it, _)| *it == key) {
            return Ok(Expr::Local(*place));
        }
        match self.cx.globals.get(&key) {
            Some(place) => Ok(Expr::Global(*place)),
            None => self.error(format!("the variable or parameter `{local}` is not defined")),
        }
    }

    fn call(&mut self, prefix: &str, local: &str) -> Parsed<Expr> {
        let at = self.place();
        let space = if prefix.is_empty() { Atom::EMPTY } else { self.space(prefix)? };
        self.at += 2;
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.or()?);
                if !self.take(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        let space = self.cx.names.text(space);
        let fault = |message: String| Fault { message, at };
        let Some(function) = Function::named(space, local) else {
            return self.unknown(space.is_empty(), prefix, local).map_err(fault);
        };
        let types: Vec<Type> = arguments.iter().map(Expr::static_type).collect();
        function.check(&types).map_err(fault)?;
        if function.reads_names() {
            self.refer(function, &arguments, at)?;
            return Ok(Expr::Named(function, arguments, Arc::clone(self.cx.spaces)));
        }
        Ok(Expr::Call(function, arguments))
    }

    /// Notes the key or decimal format that a call names, if its name is a literal.
    fn refer(&mut self, function: Function, arguments: &[Expr], at: usize) -> Parsed<()> {
        let place = match function {
            Function::Key => 0,
            Function::FormatNumber => 2,
            _ => return Ok(()),
        };
        let Some(Expr::Text(written)) = arguments.get(place) else { return Ok(()) };
        let written = written.trim_matches(crate::names::is_space);
        let Some((prefix, local)) = crate::names::split(written) else {
            return Err(Fault { message: format!("`{written}` is no name"), at });
        };
        let space = if prefix.is_empty() { Atom::EMPTY } else { self.space(prefix)? };
        let key = Key { space, local: self.cx.names.atom(local) };
        self.cx.referred.push((function, key, at));
        Ok(())
    }

    fn unknown(&self, is_core: bool, prefix: &str, local: &str) -> Result<Expr, String> {
        match (is_core, local) {
            (true, "document") => Err(
                "`document()` is not allowed: a stylesheet reads no other documents".to_owned(),
            ),
            (true, _) => {
                let near = Function::names().find(|it| it.eq_ignore_ascii_case(local));
                let hint = near.map(|it| format!("; did you mean `{it}()`?")).unwrap_or_default();
                Err(format!("there is no function `{local}()`{hint}"))
            }
            (false, _) if self.cx.may_guard => {
                Ok(Expr::Unknown(Arc::from(format!("{prefix}:{local}"))))
            }
            (false, _) => Err(format!(
                "there is no function `{prefix}:{local}()`: extension functions other than \
                 `node-set` are not supported"
            )),
        }
    }
}

fn is_node_type(name: &str) -> bool {
    matches!(name, "node" | "text" | "comment" | "processing-instruction")
}

/// What `//` stands for.
fn anywhere() -> Step {
    Step { axis: Axis::DescendantOrSelf, test: Test::Any, predicates: Vec::new() }
}

/// `//a` as one step, where no predicate counts positions: descendants instead of the children
/// of all descendants.
fn merged(steps: Vec<Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        let counts = step.predicates.iter().any(|it| it.is_positional);
        match out.last_mut() {
            Some(last) if *last == anywhere() && step.axis == Axis::Child && !counts => {
                *last = Step { axis: Axis::Descendant, ..step };
            }
            _ => out.push(step),
        }
    }
    out
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
