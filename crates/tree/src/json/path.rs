//! JSON paths in Newtonsoft's dialect: reading them.
//!
//! No leading `$` is needed; `a.b[0]`, `['x','y']`, `[1:3]`, `[0,2]`, `..name`, `*`, filters with
//! `==`, `===`, `!=`, `<>`, `=~ /re/i` and the like, `&&` and `||`. It is not RFC 9535.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/QueryJsonSelectToken.htm>

use super::Fault;
use super::edit::json_exception;
use super::scalar::Scalar;

/// A JSON path that has been read.
#[derive(Clone, Debug)]
pub struct Path {
    pub(super) filters: Vec<Filter>,
}

/// One step of a path.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    /// `$` inside of a query.
    Root,
    /// `name`; `None` is `*`.
    Field(Option<String>),
    /// `['a','b']`.
    Fields(Vec<String>),
    /// `..name`; `None` is `..*`.
    Scan(Option<String>),
    /// `..['a','b']`.
    ScanFields(Vec<String>),
    /// `[1]`; `None` is `[*]`.
    Index(Option<i32>),
    /// `[1,2]`.
    Indexes(Vec<i32>),
    /// `[start:end:step]`.
    Slice(Option<i32>, Option<i32>, Option<i32>),
    /// `[?(...)]`; true if after `..`.
    Query(Box<Query>, bool),
}

/// A condition of `[?(...)]`.
#[derive(Clone, Debug)]
pub(super) enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    Test { operator: Operator, left: Side, right: Option<Side> },
}

#[derive(Clone, Debug)]
pub(super) enum Side {
    Path(Vec<Filter>),
    Value(Scalar),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Exists,
    Equals,
    StrictEquals,
    NotEquals,
    StrictNotEquals,
    Matches,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

pub(super) const OPEN_INDEXER: &str = "Path ended with open indexer.";

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// `JsonException` if it is wrong.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut parser = Parser { text: text.chars().collect(), at: 0, depth: 0 };
        let mut filters = Vec::new();
        parser.main(&mut filters)?;
        Ok(Self { filters })
    }
}

/// A path and a place in it.
pub(super) struct Parser {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    pub(super) depth: usize,
}

impl Parser {
    pub(super) fn char(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> String {
        self.text.get(from..to).unwrap_or(&[]).iter().collect()
    }

    pub(super) fn space(&mut self) {
        while self.char() == Some(' ') {
            self.at += 1;
        }
    }

    pub(super) fn need(&self, message: &str) -> Result<char, Fault> {
        self.char().ok_or_else(|| json_exception(message))
    }

    pub(super) fn unexpected(&self) -> Fault {
        match self.char() {
            Some(it) => {
                json_exception(format!("Unexpected character while parsing path indexer: {it}"))
            }
            None => json_exception(OPEN_INDEXER),
        }
    }

    fn main(&mut self, filters: &mut Vec<Filter>) -> Result<(), Fault> {
        self.space();
        let Some(first) = self.char() else { return Ok(()) };
        let mut start = self.at;
        if first == '$' {
            match self.peek(1) {
                None => return Ok(()),
                Some('.' | '[') => {
                    self.at += 1;
                    start = self.at;
                }
                Some(_) => {}
            }
        }
        if !self.path(filters, start, false)? {
            let last = self.at;
            self.space();
            if self.at < self.text.len() {
                let it = self.text.get(last).copied().unwrap_or(' ');
                return Err(json_exception(format!(
                    "Unexpected character while parsing path: {it}"
                )));
            }
        }
        Ok(())
    }

    /// Reads steps; true at the end of the text.
    pub(super) fn path(
        &mut self,
        filters: &mut Vec<Filter>,
        start: usize,
        query: bool,
    ) -> Result<bool, Fault> {
        let mut start = start;
        let (mut scan, mut after_indexer, mut after_dot) = (false, false, false);
        while let Some(it) = self.char() {
            match it {
                '[' | '(' => {
                    if self.at > start {
                        filters.push(self.field(start, scan, false));
                        scan = false;
                    }
                    let filter = self.indexer(it, scan)?;
                    filters.push(filter);
                    scan = false;
                    self.at += 1;
                    start = self.at;
                    (after_indexer, after_dot) = (true, false);
                }
                ']' | ')' | ' ' => break,
                '.' => {
                    if self.at > start {
                        filters.push(self.field(start, scan, false));
                        scan = false;
                    }
                    if self.peek(1) == Some('.') {
                        scan = true;
                        self.at += 1;
                    }
                    self.at += 1;
                    start = self.at;
                    (after_indexer, after_dot) = (false, true);
                }
                '=' | '<' | '!' | '>' | '|' | '&' if query => break,
                it if after_indexer => {
                    return Err(json_exception(format!(
                        "Unexpected character following indexer: {it}"
                    )));
                }
                _ => self.at += 1,
            }
        }
        let at_end = self.at >= self.text.len();
        if self.at > start {
            filters.push(self.field(start, scan, true));
        } else if after_dot && (at_end || query) {
            return Err(json_exception("Unexpected end while parsing path."));
        }
        Ok(at_end)
    }

    fn field(&self, start: usize, scan: bool, trim: bool) -> Filter {
        let mut name = self.slice(start, self.at);
        if trim {
            name.truncate(name.trim_end().len());
        }
        named(Some(name).filter(|it| it != "*"), scan)
    }

    fn indexer(&mut self, open: char, scan: bool) -> Result<Filter, Fault> {
        self.at += 1;
        let close = if open == '[' { ']' } else { ')' };
        self.need(OPEN_INDEXER)?;
        self.space();
        match self.need(OPEN_INDEXER)? {
            '\'' => self.quoted_fields(close, scan),
            '?' => self.query(close, scan),
            _ => self.array_indexer(close),
        }
    }

    fn number(&self, start: usize, end: usize) -> Result<i32, Fault> {
        let text = self.slice(start, end);
        text.parse().map_err(|_| Fault::format("Input string was not in a correct format."))
    }

    fn array_indexer(&mut self, close: char) -> Result<Filter, Fault> {
        let (mut start, mut end) = (self.at, None);
        let mut indexes = Vec::new();
        let mut bounds = [None; 3];
        let mut n_colons = 0;
        loop {
            let it = self.need(OPEN_INDEXER)?;
            let stop = end.unwrap_or(self.at);
            let ends_number = it == close || matches!(it, ',' | ':');
            let number =
                if stop > start && ends_number { Some(self.number(start, stop)?) } else { None };
            match it {
                ' ' => {
                    end = Some(self.at);
                    self.space();
                    continue;
                }
                it if it == close => {
                    if n_colons > 0 {
                        if let (Some(_), Some(slot)) = (number, bounds.get_mut(n_colons.min(2))) {
                            *slot = number;
                        }
                        let [from, to, step] = bounds;
                        return Ok(Filter::Slice(from, to, step));
                    }
                    let index = number.ok_or_else(|| json_exception("Array index expected."))?;
                    if indexes.is_empty() {
                        return Ok(Filter::Index(Some(index)));
                    }
                    indexes.push(index);
                    return Ok(Filter::Indexes(indexes));
                }
                ',' => indexes.push(number.ok_or_else(|| json_exception("Array index expected."))?),
                '*' => {
                    self.at += 1;
                    self.need(OPEN_INDEXER)?;
                    self.space();
                    if self.need(OPEN_INDEXER)? != close {
                        return Err(self.unexpected());
                    }
                    return Ok(Filter::Index(None));
                }
                ':' => {
                    if let (Some(_), Some(slot)) = (number, bounds.get_mut(n_colons.min(2))) {
                        *slot = number;
                    }
                    n_colons += 1;
                }
                it if (it.is_ascii_digit() || it == '-') && end.is_none() => {
                    self.at += 1;
                    continue;
                }
                _ => return Err(self.unexpected()),
            }
            self.at += 1;
            self.space();
            (start, end) = (self.at, None);
        }
    }

    fn quoted_fields(&mut self, close: char, scan: bool) -> Result<Filter, Fault> {
        let mut fields = Vec::new();
        loop {
            self.need(OPEN_INDEXER)?;
            let field = self.quoted()?;
            self.space();
            let it = self.need(OPEN_INDEXER)?;
            if it == close && fields.is_empty() {
                return Ok(named(Some(field), scan));
            }
            fields.push(field);
            if it == close {
                return Ok(if scan { Filter::ScanFields(fields) } else { Filter::Fields(fields) });
            }
            if it != ',' {
                return Err(self.unexpected());
            }
            self.at += 1;
            self.space();
        }
    }

    pub(super) fn quoted(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut text = String::new();
        while let Some(it) = self.char() {
            self.at += 1;
            match it {
                '\'' => return Ok(text),
                '\\' => {
                    let escape = self.need("Path ended with an open string.")?;
                    text.push(match escape {
                        'b' => '\u{8}',
                        't' => '\t',
                        'n' => '\n',
                        'f' => '\u{c}',
                        'r' => '\r',
                        '\\' | '"' | '\'' | '/' => escape,
                        other => {
                            return Err(json_exception(format!(
                                "Unknown escape character: \\{other}"
                            )));
                        }
                    });
                    self.at += 1;
                }
                other => text.push(other),
            }
        }
        Err(json_exception("Path ended with an open string."))
    }
}

fn named(name: Option<String>, scan: bool) -> Filter {
    if scan { Filter::Scan(name) } else { Filter::Field(name) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Path;

    #[test]
    fn wrong_paths_say_what_is_wrong() {
        let cases = [
            ("a[", "Path ended with open indexer."),
            ("a[]", "Array index expected."),
            ("a[1", "Path ended with open indexer."),
            ("a[x]", "Unexpected character while parsing path indexer: x"),
            ("a['x", "Path ended with an open string."),
            ("a[?(@.b", "Path ended with open query."),
            ("a[?(@.b ~ 1)]", "Could not read query operator."),
            ("a.", "Unexpected end while parsing path."),
            ("a[0]b", "Unexpected character following indexer: b"),
        ];
        for (path, message) in cases {
            assert_eq!(Path::parse(path).unwrap_err().message, message, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_or_refused(path in "[$@.*\\[\\]()?'a1:,=<>!&|~/\\\\ -]{0,40}") {
            let _ = Path::parse(&path);
        }
    }
}
