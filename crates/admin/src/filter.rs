//! `$filter`: the part of OData that Azure's lists take.
//!
//! ```text
//! or := and ('or' and)*      and := not ('and' not)*      not := 'not'? (comparison | call | '(' or ')')
//! comparison := FIELD (eq|ne|gt|ge|lt|le) LITERAL         call := contains|startswith|endswith|substringof (...)
//! ```
//!
//! Fields are `name` and properties, with or without `properties/`. Texts compare without case, as
//! the service's do.
//!
//! Source: <https://learn.microsoft.com/rest/api/apimanagement/apis/list-by-service>

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// Longest filter, in bytes.
const MAX_BYTES: usize = 4096;
/// Parentheses and `not` within each other.
const MAX_DEPTH: usize = 16;

/// A filter, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Compare(String, Test, Literal),
    Text(String, Function, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(f64),
    Bool(bool),
    Null,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    ///
    /// What is wrong, in a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("The filter is longer than {MAX_BYTES} bytes."));
        }
        let tokens = tokens(text)?;
        let mut reader = Reader { tokens: &tokens, at: 0, depth: 0 };
        let filter = reader.any()?;
        match reader.peek() {
            None => Ok(filter),
            Some(token) => Err(format!("`{}` is not expected in the filter.", token.text())),
        }
    }

    /// Whether a resource with this name and these properties passes.
    pub(crate) fn passes(&self, name: &str, properties: &Map<String, Value>) -> bool {
        let passes = |it: &Self| it.passes(name, properties);
        match self {
            Self::Any(all) => all.iter().any(passes),
            Self::All(all) => all.iter().all(passes),
            Self::Not(it) => !passes(it),
            Self::Compare(field, test, literal) => {
                compare(field_of(field, name, properties).as_ref(), *test, literal)
            }
            Self::Text(field, function, wanted) => {
                let Some(Value::String(text)) = field_of(field, name, properties) else {
                    return false;
                };
                let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
                match function {
                    Function::Contains => text.contains(&wanted),
                    Function::StartsWith => text.starts_with(&wanted),
                    Function::EndsWith => text.ends_with(&wanted),
                }
            }
        }
    }
}

fn field_of(field: &str, name: &str, properties: &Map<String, Value>) -> Option<Value> {
    let path = field.strip_prefix("properties/").unwrap_or(field);
    if path.eq_ignore_ascii_case("name") && !properties.contains_key("name") {
        return Some(name.into());
    }
    let mut segments = path.split('/');
    let find = |map: &Map<String, Value>, key: &str| {
        map.iter().find(|it| it.0.eq_ignore_ascii_case(key)).map(|it| it.1.clone())
    };
    let mut value = find(properties, segments.next()?)?;
    for key in segments {
        value = find(value.as_object()?, key)?;
    }
    Some(value)
}

fn compare(value: Option<&Value>, test: Test, literal: &Literal) -> bool {
    let ordering = match (value, literal) {
        (None | Some(Value::Null), Literal::Null) => Some(Ordering::Equal),
        (Some(Value::String(a)), Literal::Text(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
        (Some(Value::Number(a)), Literal::Number(b)) => a.as_f64().and_then(|it| it.partial_cmp(b)),
        (Some(Value::Bool(a)), Literal::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    };
    match test {
        Test::Eq => ordering == Some(Ordering::Equal),
        Test::Ne => ordering != Some(Ordering::Equal),
        Test::Gt => ordering == Some(Ordering::Greater),
        Test::Ge => ordering.is_some_and(Ordering::is_ge),
        Test::Lt => ordering == Some(Ordering::Less),
        Test::Le => ordering.is_some_and(Ordering::is_le),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Mark(char),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Word(it) => it.clone(),
            Self::Quoted(it) => format!("'{it}'"),
            Self::Mark(it) => it.to_string(),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&next) = rest.peek() {
        match next {
            it if it.is_whitespace() => {
                rest.next();
            }
            '(' | ')' | ',' => {
                rest.next();
                tokens.push(Token::Mark(next));
            }
            '\'' => {
                rest.next();
                let mut quoted = String::new();
                loop {
                    match (rest.next(), rest.peek()) {
                        (Some('\''), Some('\'')) => {
                            rest.next();
                            quoted.push('\'');
                        }
                        (Some('\''), _) => break,
                        (Some(it), _) => quoted.push(it),
                        (None, _) => return Err("A text in the filter is not closed.".to_owned()),
                    }
                }
                tokens.push(Token::Quoted(quoted));
            }
            _ => {
                let mut word = String::new();
                while let Some(&it) = rest.peek()
                    && !it.is_whitespace()
                    && !matches!(it, '(' | ')' | ',' | '\'')
                {
                    word.push(it);
                    rest.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("The filter ends too early.")?;
        self.at += 1;
        Ok(token)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(it)) if it.eq_ignore_ascii_case(word))
    }

    fn mark(&mut self, mark: char) -> Result<(), String> {
        match self.next()? {
            Token::Mark(it) if it == mark => Ok(()),
            other => {
                Err(format!("`{}` stands in the filter where `{mark}` is expected.", other.text()))
            }
        }
    }

    fn any(&mut self) -> Result<Filter, String> {
        let mut all = vec![self.all()?];
        while self.is_word("or") {
            self.at += 1;
            all.push(self.all()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::Any(all) })
    }

    fn all(&mut self) -> Result<Filter, String> {
        let mut all = vec![self.one()?];
        while self.is_word("and") {
            self.at += 1;
            all.push(self.one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::All(all) })
    }

    fn one(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("The filter is nested too deeply.".to_owned());
        }
        let filter = match self.next()? {
            Token::Mark('(') => {
                let inner = self.any()?;
                self.mark(')')?;
                inner
            }
            Token::Word(it) if it.eq_ignore_ascii_case("not") => Filter::Not(Box::new(self.one()?)),
            Token::Word(it) if self.peek() == Some(&Token::Mark('(')) => self.call(&it)?,
            Token::Word(it) => self.comparison(it)?,
            other => return Err(format!("`{}` is not expected in the filter.", other.text())),
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn call(&mut self, name: &str) -> Result<Filter, String> {
        self.mark('(')?;
        let first = self.next()?;
        self.mark(',')?;
        let second = self.next()?;
        self.mark(')')?;
        let function = match name.to_ascii_lowercase().as_str() {
            "contains" | "substringof" => Function::Contains,
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            _ => return Err(format!("`{name}` is not a function of filters.")),
        };
        match (first, second) {
            (Token::Word(field), Token::Quoted(text))
            | (Token::Quoted(text), Token::Word(field)) => Ok(Filter::Text(field, function, text)),
            _ => Err(format!("`{name}` takes a field and a text.")),
        }
    }

    fn comparison(&mut self, field: String) -> Result<Filter, String> {
        let test = self.next()?;
        let test = match test.text().to_ascii_lowercase().as_str() {
            "eq" => Test::Eq,
            "ne" => Test::Ne,
            "gt" => Test::Gt,
            "ge" => Test::Ge,
            "lt" => Test::Lt,
            "le" => Test::Le,
            other => return Err(format!("`{other}` is not a comparison of filters.")),
        };
        let literal = match self.next()? {
            Token::Quoted(text) => Literal::Text(text),
            Token::Word(word) => match word.as_str() {
                "true" | "True" => Literal::Bool(true),
                "false" | "False" => Literal::Bool(false),
                "null" => Literal::Null,
                word => word
                    .parse()
                    .map(Literal::Number)
                    .map_err(|_| format!("`{word}` is neither a number nor a text in quotes."))?,
            },
            other => return Err(format!("`{}` is not expected in the filter.", other.text())),
        };
        Ok(Filter::Compare(field, test, literal))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn resources_are_chosen_by_name_and_properties() {
        let properties = json!({
            "displayName": "Echo API", "isCurrent": true, "n": 5, "keys": { "header": "h" }
        });
        for (filter, expected) in [
            ("name eq 'echo'", true),
            ("NAME EQ 'ECHO'", true),
            ("name ne 'echo'", false),
            ("displayName eq 'echo api'", true),
            ("properties/displayName ge 'A' and displayName lt 'f'", true),
            ("contains(displayName, 'API')", true),
            ("substringof('cho', displayName)", true),
            ("startswith(properties/displayName,'x') or endswith(name,'o')", true),
            ("not (isCurrent eq true)", false),
            ("isCurrent eq false", false),
            ("n gt 4 and n le 5", true),
            ("keys/header eq 'h'", true),
            ("absent eq null", true),
            ("absent eq 'x'", false),
            ("(name eq 'a' or name eq 'echo') and n eq 5", true),
        ] {
            let passes =
                Filter::parse(filter).unwrap().passes("echo", properties.as_object().unwrap());
            assert_eq!(passes, expected, "{filter}");
        }
    }

    #[test]
    fn quotes_are_doubled_inside_of_texts() {
        assert!(Filter::parse("name eq 'o''clock'").unwrap().passes("o'clock", &Map::new()));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (filter, expected) in [
            ("", "The filter ends too early."),
            ("name", "The filter ends too early."),
            ("name eq", "The filter ends too early."),
            ("name is 'x'", "`is` is not a comparison of filters."),
            ("name eq x", "`x` is neither a number nor a text in quotes."),
            ("name eq 'x", "A text in the filter is not closed."),
            ("length(name, 'x')", "`length` is not a function of filters."),
            ("name eq 'x')", "`)` is not expected in the filter."),
            ("contains(name 'x')", "`'x'` stands in the filter where `,` is expected."),
        ] {
            assert_eq!(Filter::parse(filter).unwrap_err(), expected, "{filter}");
        }
    }

    #[test]
    fn length_and_depth_are_bounded() {
        let deep = |n: usize| format!("{}name eq 'a'{}", "(".repeat(n), ")".repeat(n));
        assert!(Filter::parse(&deep(MAX_DEPTH - 1)).is_ok());
        assert_eq!(
            Filter::parse(&deep(MAX_DEPTH)).unwrap_err(),
            "The filter is nested too deeply."
        );
        assert!(Filter::parse(&"a".repeat(MAX_BYTES + 1)).unwrap_err().contains("4096"));
    }
}
