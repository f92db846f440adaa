//! Paths: steps, node tests, predicates (XPath 1.0, section 2).

use super::{Parsed, Parser, shown};
use crate::names::{Atom, Key};
use crate::xpath::lexer::Token;
use crate::xpath::parser::Fault;
use crate::xpath::{Axis, Expr, Predicate, Start, Step, Test, Type, space_of};

impl Parser<'_, '_, '_> {
    pub(super) fn path(&mut self) -> Parsed<Expr> {
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
            Token::Name("", name) if self.peek_at(1) == Token::Sign("(") && is_node_type(name) => {
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

    pub(super) fn space(&mut self, prefix: &str) -> Parsed<Atom> {
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
