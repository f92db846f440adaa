//! JSON (RFC 8259) with places. A byte order mark is allowed, since exporters write one.

use std::sync::Arc;

use document::{Diagnostic, Span};

use super::{Entry, MAX_DEPTH, Node, Tree};
use crate::codes;

pub(super) fn parse(file: &Arc<str>, text: &str) -> Result<Tree, Diagnostic> {
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader { file, text, at, depth: 0 };
    let tree = reader.value()?;
    reader.space();
    match reader.peek() {
        None => Ok(tree),
        Some(_) => Err(reader.problem("text after the value")),
    }
}

struct Reader<'t> {
    file: &'t Arc<str>,
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn problem(&self, message: &str) -> Diagnostic {
        let end = self.text.ceil_char_boundary((self.at + 1).min(self.text.len()));
        Diagnostic::error(codes::SYNTAX, self.at..end, format!("not valid JSON: {message}"))
            .label("here")
            .in_file(self.file.clone())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Diagnostic> {
        self.space();
        if self.peek() != Some(byte) {
            return Err(self.problem(&format!("expected `{}`", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Tree, Diagnostic> {
        self.space();
        let start = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.problem("nested too deeply"));
        }
        let node = match self.peek() {
            Some(b'{') => self.map()?,
            Some(b'[') => self.list()?,
            Some(b'"') => Node::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'a'..=b'z') => self.word()?,
            Some(_) => return Err(self.problem("expected a value")),
            None => return Err(self.problem("the text ends too early")),
        };
        self.depth -= 1;
        Ok(Tree { file: self.file.clone(), span: Span::new(start, self.at), node })
    }

    fn map(&mut self) -> Result<Node, Diagnostic> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Node::Map(entries));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.problem("expected a key in double quotes"));
            }
            let key = self.string()?;
            let key_span = Span::new(start, self.at);
            if entries.iter().any(|it| it.key == key) {
                self.at = start;
                return Err(self.problem(&format!("key `{key}` is given twice")));
            }
            self.expect(b':')?;
            let value = self.value()?;
            entries.push(Entry { key, key_span, value });
            if self.ends(b'}')? {
                return Ok(Node::Map(entries));
            }
        }
    }

    fn list(&mut self) -> Result<Node, Diagnostic> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.ends(b']')? {
                return Ok(Node::List(items));
            }
        }
    }

    /// Reads `,` (false) or `closer` (true).
    fn ends(&mut self, closer: u8) -> Result<bool, Diagnostic> {
        self.space();
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(it) if it == closer => {
                self.at += 1;
                return Ok(true);
            }
            _ => return Err(self.problem(&format!("expected `,` or `{}`", char::from(closer)))),
        }
        Ok(false)
    }

    /// Finds the end of a number, word or string and lets serde_json read it.
    fn number(&mut self) -> Result<Node, Diagnostic> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        if text.parse::<serde_json::Number>().is_err() {
            self.at = start;
            return Err(self.problem("not a number"));
        }
        Ok(Node::Number(text.to_owned()))
    }

    fn word(&mut self) -> Result<Node, Diagnostic> {
        let rest = self.text.get(self.at..).unwrap_or("");
        let words =
            [("true", Node::Bool(true)), ("false", Node::Bool(false)), ("null", Node::Null)];
        for (word, node) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(node);
            }
        }
        Err(self.problem("expected a value"))
    }

    fn string(&mut self) -> Result<String, Diagnostic> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => {
                    self.at = start;
                    return Err(self.problem("a text is not closed"));
                }
            }
        }
        self.at += 1;
        let token = self.text.get(start..self.at).unwrap_or("");
        serde_json::from_str(token).map_err(|_| {
            self.at = start;
            self.problem("a text with a wrong escape or a control character")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tree, String> {
        parse(&"f.json".into(), text).map_err(|it| format!("{} {}", it.span.start, it.message))
    }

    #[test]
    fn every_node_knows_its_place() {
        let text = "\u{feff}{ \"a\" : [1, \"\\ud83d\\ude00\"] }";
        let tree = read(text).unwrap();
        let entry = &tree.entries()[0];
        assert_eq!(&text[entry.key_span.range()], "\"a\"");
        assert_eq!(&text[entry.value.span.range()], "[1, \"\\ud83d\\ude00\"]");
        assert_eq!(entry.value.items()[1].scalar(), Some("\u{1f600}"));
    }

    #[test]
    fn problems_are_told_with_their_place() {
        for (text, expected) in [
            ("{\"a\" 1}", "5 not valid JSON: expected `:`"),
            ("{\"a\":1,}", "7 not valid JSON: expected a key in double quotes"),
            ("[1 2]", "3 not valid JSON: expected `,` or `]`"),
            ("{\"a\":1,\"a\":2}", "7 not valid JSON: key `a` is given twice"),
            ("[01]", "1 not valid JSON: not a number"),
            ("\"abc", "0 not valid JSON: a text is not closed"),
            ("\"\\x\"", "0 not valid JSON: a text with a wrong escape or a control character"),
            ("nul", "0 not valid JSON: expected a value"),
            ("1 2", "2 not valid JSON: text after the value"),
            ("", "0 not valid JSON: the text ends too early"),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(read(&deep(MAX_DEPTH)).is_ok());
        assert!(read(&deep(MAX_DEPTH + 1)).unwrap_err().contains("nested too deeply"));
        assert!(read(&"[".repeat(1_000_000)).is_err());
    }
}
