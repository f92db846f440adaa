//! The syntax of template expressions: `[concat(parameters('a'), variables('b').c[0])]`.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions>

use crate::fault::Fault;

/// How deep calls may stand in each other.
const DEPTH: usize = 100;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Text(String),
    Integer(i64),
    /// A function with its arguments; a function of the template itself has a dot in its name.
    Call(String, Vec<Expr>),
    Member(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
}

/// What a text of a template is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Literal(String),
    Expression(Expr),
}

/// Reads a text of a template. One that begins with `[[` stands for one with a single bracket.
pub(crate) fn content(text: &str) -> Result<Content, Fault> {
    if let Some(rest) = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        return match rest.strip_prefix('[') {
            Some(_) => Ok(Content::Literal(text.get(1..).unwrap_or_default().to_owned())),
            None => parse(rest).map(Content::Expression),
        };
    }
    let literal = if text.starts_with("[[") { text.get(1..).unwrap_or_default() } else { text };
    Ok(Content::Literal(literal.to_owned()))
}

fn parse(text: &str) -> Result<Expr, Fault> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expression = parser.expression()?;
    parser.blank();
    match parser.rest() {
        "" => Ok(expression),
        rest => Err(parser.wrong(&format!("`{}` is too much", first(rest)))),
    }
}

fn first(text: &str) -> char {
    text.chars().next().unwrap_or(' ')
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn wrong(&self, message: &str) -> Fault {
        Fault::Wrong(format!("`[{}]`: {message}, at character {}", self.text, self.at + 2))
    }

    fn blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Steps over `mark` if it comes next.
    fn takes(&mut self, mark: char) -> bool {
        self.blank();
        let is = self.rest().starts_with(mark);
        if is {
            self.at += mark.len_utf8();
        }
        is
    }

    fn needs(&mut self, mark: char) -> Result<(), Fault> {
        if self.takes(mark) {
            return Ok(());
        }
        Err(self.wrong(&format!("expected `{mark}`")))
    }

    fn expression(&mut self) -> Result<Expr, Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.wrong("calls stand too deep in each other"));
        }
        let mut it = self.primary()?;
        loop {
            if self.takes('.') {
                let name = self.name();
                if name.is_empty() {
                    return Err(self.wrong("expected the name of a property"));
                }
                it = Expr::Member(Box::new(it), name.to_owned());
            } else if self.takes('[') {
                let index = self.expression()?;
                self.needs(']')?;
                it = Expr::Index(Box::new(it), Box::new(index));
            } else {
                self.depth -= 1;
                return Ok(it);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        self.blank();
        match self.rest().chars().next() {
            Some('\'') => self.quoted(),
            Some('-' | '0'..='9') => self.integer(),
            Some(it) if it.is_alphabetic() || it == '_' => self.call(),
            _ => Err(self.wrong("expected a function, a number or a text in single quotes")),
        }
    }

    fn quoted(&mut self) -> Result<Expr, Fault> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let Some(end) = rest.find('\'') else {
                return Err(self.wrong("the text does not end"));
            };
            text.push_str(rest.get(..end).unwrap_or_default());
            self.at += end + 1;
            if !self.rest().starts_with('\'') {
                return Ok(Expr::Text(text));
            }
            text.push('\'');
            self.at += 1;
        }
    }

    fn integer(&mut self) -> Result<Expr, Fault> {
        let rest = self.rest();
        let digits = rest.get(1..).unwrap_or_default();
        let end = digits.find(|it: char| !it.is_ascii_digit()).unwrap_or(digits.len()) + 1;
        let number = rest.get(..end).unwrap_or_default();
        let value = number.parse().map_err(|_| self.wrong(&format!("`{number}` is no integer")))?;
        self.at += end;
        Ok(Expr::Integer(value))
    }

    fn name(&mut self) -> &'a str {
        self.blank();
        let rest = self.rest();
        let end = rest.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn call(&mut self) -> Result<Expr, Fault> {
        let mut name = self.name().to_owned();
        while self.takes('.') {
            name.push('.');
            name.push_str(self.name());
        }
        if !self.takes('(') {
            return Err(self.wrong(&format!("`{name}` is no call: expected `(`")));
        }
        let mut arguments = Vec::new();
        if self.takes(')') {
            return Ok(Expr::Call(name, arguments));
        }
        loop {
            arguments.push(self.expression()?);
            if self.takes(')') {
                return Ok(Expr::Call(name, arguments));
            }
            self.needs(',')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(it: &str) -> Expr {
        Expr::Text(it.to_owned())
    }

    fn call(name: &str, arguments: Vec<Expr>) -> Expr {
        Expr::Call(name.to_owned(), arguments)
    }

    #[test]
    fn brackets_tell_an_expression() {
        for (given, literal) in
            [("", ""), ("a", "a"), ("[[a]", "[a]"), ("[a", "[a"), ("a]", "a]"), ("[[a", "[a")]
        {
            assert_eq!(content(given).unwrap(), Content::Literal(literal.to_owned()), "{given}");
        }
    }

    #[test]
    fn calls_members_indexes_and_quotes() {
        let parameter = call("parameters", vec![text("it's")]);
        let member = Expr::Member(Box::new(parameter), "a_b".to_owned());
        let index = Expr::Index(Box::new(member), Box::new(Expr::Integer(-1)));
        assert_eq!(
            content("[ concat ( parameters('it''s') . a_b[-1], my.own() ) ]").unwrap(),
            Content::Expression(call("concat", vec![index, call("my.own", vec![])]))
        );
    }

    #[test]
    fn what_is_wrong_says_where() {
        for (given, message) in [
            ("[a]", "`[a]`: `a` is no call: expected `(`, at character 3"),
            (
                "[]",
                "`[]`: expected a function, a number or a text in single quotes, at character 2",
            ),
            ("[a('b]", "`[a('b]`: the text does not end, at character 5"),
            ("[a() b]", "`[a() b]`: `b` is too much, at character 6"),
            ("[a(1 2)]", "`[a(1 2)]`: expected `,`, at character 6"),
            (
                "[99999999999999999999]",
                "`[99999999999999999999]`: `99999999999999999999` is no integer, at character 2",
            ),
        ] {
            assert_eq!(content(given), Err(Fault::wrong(message)), "{given}");
        }
        let deep = format!("[{}{}]", "a(".repeat(DEPTH + 1), ")".repeat(DEPTH + 1));
        let Err(Fault::Wrong(message)) = content(&deep) else { panic!("{deep}") };
        assert!(message.contains("too deep"), "{message}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\[?[a-z('\\[\\].,) 0-9é-]{0,40}\\]?") {
            let _ = content(&text);
        }
    }
}
