//! Expressions of `$filter`, `$orderby`, `$compute`, keys and arguments: is the syntax right?
//!
//! Source: OData Version 4.01, part 2, section 5.1.1.

use crate::lexer::{Token, tokens};

/// Expressions within expressions.
const MAX_DEPTH: usize = 64;

/// Operators between two operands, by precedence, the loosest first.
const BINARY: &[&[&str]] = &[
    &["or"],
    &["and"],
    &["eq", "ne"],
    &["gt", "ge", "lt", "le", "has", "in"],
    &["add", "sub"],
    &["mul", "div", "divby", "mod"],
];

/// Functions that there are, with how many arguments they take.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("concat", 2, 2),
    ("contains", 2, 2),
    ("endswith", 2, 2),
    ("indexof", 2, 2),
    ("length", 1, 1),
    ("startswith", 2, 2),
    ("substring", 2, 3),
    ("hassubset", 2, 2),
    ("hassubsequence", 2, 2),
    ("matchesPattern", 2, 2),
    ("tolower", 1, 1),
    ("toupper", 1, 1),
    ("trim", 1, 1),
    ("date", 1, 1),
    ("day", 1, 1),
    ("fractionalseconds", 1, 1),
    ("hour", 1, 1),
    ("maxdatetime", 0, 0),
    ("mindatetime", 0, 0),
    ("minute", 1, 1),
    ("month", 1, 1),
    ("now", 0, 0),
    ("second", 1, 1),
    ("time", 1, 1),
    ("totaloffsetminutes", 1, 1),
    ("totalseconds", 1, 1),
    ("year", 1, 1),
    ("ceiling", 1, 1),
    ("floor", 1, 1),
    ("round", 1, 1),
    ("cast", 1, 2),
    ("isof", 1, 2),
    ("geo.distance", 2, 2),
    ("geo.intersects", 2, 2),
    ("geo.length", 1, 1),
    ("case", 1, usize::MAX),
];

/// Reads tokens.
pub(crate) struct Reader {
    tokens: Vec<(bool, Token)>,
    at: usize,
    depth: usize,
}

impl Reader {
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        Ok(Self { tokens: tokens(text)?, at: 0, depth: 0 })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, it)| it)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += usize::from(token.is_some());
        token
    }

    pub(crate) fn sign(&mut self, sign: char) -> bool {
        let is_there = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is_there);
        is_there
    }

    pub(crate) fn word(&mut self, words: &[&str]) -> bool {
        let is_there = matches!(self.peek(), Some(Token::Name(it)) if words.contains(&it.as_str()));
        self.at += usize::from(is_there);
        is_there
    }

    pub(crate) fn name(&mut self) -> Option<String> {
        let Some(Token::Name(name)) = self.peek().cloned() else { return None };
        self.at += 1;
        Some(name)
    }

    pub(crate) fn end(&self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(it) => Err(format!("{} is not expected", shown(it))),
        }
    }

    fn unexpected<T>(&self) -> Result<T, String> {
        match self.peek() {
            None => Err("an expression is missing at the end".to_owned()),
            Some(it) => Err(format!("{} is not expected", shown(it))),
        }
    }

    /// Any expression.
    pub(crate) fn expression(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
        }
        let done = self.binary(0);
        self.depth -= 1;
        done
    }

    fn binary(&mut self, level: usize) -> Result<(), String> {
        let Some(operators) = BINARY.get(level) else { return self.unary() };
        self.binary(level + 1)?;
        while self.word(operators) {
            self.binary(level + 1)?;
        }
        Ok(())
    }

    fn unary(&mut self) -> Result<(), String> {
        let mut n_signs = 0;
        while self.word(&["not"]) || self.sign('-') {
            n_signs += 1;
            if n_signs > MAX_DEPTH {
                return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
            }
        }
        match self.peek() {
            Some(Token::Literal) => {
                self.at += 1;
                Ok(())
            }
            Some(Token::Sign('(')) => {
                self.at += 1;
                self.list(')')
            }
            Some(Token::Sign('[')) => {
                self.at += 1;
                self.list(']')
            }
            Some(Token::Sign('{')) => {
                self.at += 1;
                self.object()
            }
            Some(Token::Name(_)) => self.path(),
            _ => self.unexpected(),
        }
    }

    /// Expressions with commas, up to the closing sign. A list in brackets may be empty.
    fn list(&mut self, closing: char) -> Result<(), String> {
        if closing == ']' && self.sign(closing) {
            return Ok(());
        }
        loop {
            self.expression()?;
            if self.sign(closing) {
                return Ok(());
            }
            if !self.sign(',') {
                return self.unexpected();
            }
        }
    }

    fn object(&mut self) -> Result<(), String> {
        if self.sign('}') {
            return Ok(());
        }
        loop {
            if self.next() != Some(Token::Literal) || !self.sign(':') {
                return self.unexpected();
            }
            self.expression()?;
            if self.sign('}') {
                return Ok(());
            }
            if !self.sign(',') {
                return self.unexpected();
            }
        }
    }

    /// `a/b(1)/any(x:x/c eq 1)/$count`.
    pub(crate) fn path(&mut self) -> Result<(), String> {
        loop {
            let Some(name) = self.name() else { return self.unexpected() };
            if self.sign('(') {
                self.call(&name)?;
            }
            if !self.sign('/') {
                return Ok(());
            }
        }
    }

    /// What is in the parentheses after a name.
    fn call(&mut self, name: &str) -> Result<(), String> {
        if matches!(name, "any" | "all") {
            return self.lambda(name);
        }
        let mut n = 0;
        if !self.sign(')') {
            loop {
                self.argument()?;
                n += 1;
                if self.sign(')') {
                    break;
                }
                if !self.sign(',') {
                    return self.unexpected();
                }
            }
        }
        let known = FUNCTIONS.iter().find(|(it, ..)| *it == name);
        match known {
            Some((_, least, most)) if n < *least || n > *most => {
                Err(format!("`{name}` does not take {n} arguments"))
            }
            _ => Ok(()),
        }
    }

    /// An expression, perhaps with the parameter's name (`name=`) or a condition (`if:`) in front.
    fn argument(&mut self) -> Result<(), String> {
        self.expression()?;
        if self.sign('=') || self.sign(':') {
            return self.expression();
        }
        Ok(())
    }

    fn lambda(&mut self, name: &str) -> Result<(), String> {
        if name == "any" && self.sign(')') {
            return Ok(());
        }
        if self.name().is_none() || !self.sign(':') {
            return Err(format!("`{name}` needs `variable:condition`"));
        }
        self.expression()?;
        if self.sign(')') { Ok(()) } else { self.unexpected() }
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(it) => format!("`{it}`"),
        Token::Literal => "a literal".to_owned(),
        Token::Sign(it) => format!("`{it}`"),
    }
}

/// Checks a whole text as one expression.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let mut reader = Reader::new(text)?;
    reader.expression()?;
    reader.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_the_specification_are_right() {
        for text in [
            "Name eq 'Milk'",
            "Price lt 2.55 and not endswith(Name,'ilk')",
            "(4 add 5) mod (4 sub 1) eq 0",
            "style has Sales.Pattern'Yellow'",
            "Name in ('Milk', 'Cheese')",
            "Name in [\"Milk\", \"Cheese\"]",
            "Items/any(d:d/Quantity gt 100 and d/Product/Name ne null)",
            "Items/any()",
            "Orders/$count gt 3",
            "$it/Address/City eq 'Redmond'",
            "created gt 2026-01-31T00:00:00Z",
            "-Price lt -5 or -(1 add 2) eq @p1",
            "Ns.Function(x=1,y=@p) eq true",
            "cast(Ns.Type)/Name eq substring(Name,1,2)",
            "geo.distance(a,geography'SRID=4326;Point(1 2)') lt 5",
            "case(a eq 1:2,true:3) eq 2",
            "{\"a\":[1,{}]} eq b",
            "id eq a1b2c3d4-0000-4000-8000-00000000000f",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, expected) in [
            ("", "an expression is missing at the end"),
            ("Name eq", "an expression is missing at the end"),
            ("Name = 1", "`=` is not expected"),
            ("Name eq 'a' 'b'", "a literal is not expected"),
            ("(1 eq 1", "an expression is missing at the end"),
            ("1 eq 1)", "`)` is not expected"),
            ("Name eq 'a", "a quotation does not end"),
            ("contains(Name)", "`contains` does not take 1 arguments"),
            ("now(1)", "`now` does not take 1 arguments"),
            ("a/any(1)", "`any` needs `variable:condition`"),
            ("a/all()", "`all` needs `variable:condition`"),
            ("a/", "an expression is missing at the end"),
            ("1x eq 1", "`1x` is no number, date, time or GUID"),
            ("Name eq 1; drop", "`;` is not expected"),
        ] {
            assert_eq!(check(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
        assert_eq!(check(&deep(MAX_DEPTH - 1)), Ok(()));
        for text in [deep(10_000), "not ".repeat(10_000) + "a", "a(".repeat(10_000)] {
            assert!(check(&text).is_err());
        }
    }
}
