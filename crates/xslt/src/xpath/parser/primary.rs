//! What a path may begin with: literals, variables, calls (XPath 1.0, sections 3.1 and 3.2).

use std::sync::Arc;

use super::{Fault, Parsed, Parser};
use crate::names::{Atom, Key};
use crate::xpath::lexer::Token;
use crate::xpath::{Expr, Function, Type};

impl Parser<'_, '_, '_> {
    pub(super) fn primary(&mut self) -> Parsed<Expr> {
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
            (true, "document") => {
                Err("`document()` is not allowed: a stylesheet reads no other documents".to_owned())
            }
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
