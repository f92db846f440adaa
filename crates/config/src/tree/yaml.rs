//! YAML with places.

use std::fmt;
use std::sync::Arc;

use document::{Diagnostic, Span};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::{Entry, MAX_DEPTH, Node, Tree};
use crate::codes;

pub(super) fn parse(file: &Arc<str>, text: &str) -> Result<Tree, Diagnostic> {
    let text_without_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - text_without_mark.len();
    let place = Place { file, text: text_without_mark, mark };
    if text_without_mark.lines().all(|it| it.trim().is_empty() || it.trim_start().starts_with('#'))
    {
        return Ok(Tree { file: file.clone(), span: Span::default(), node: Node::Map(Vec::new()) });
    }
    let mut options = serde_saphyr::Options::default();
    options.with_snippet = false;
    // YAML 1.2: `no`, `on` and `y` are texts.
    options.strict_booleans = true;
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text_without_mark, options) {
        Ok(raw) => place.tree(raw, 0),
        Err(error) => {
            let span = error.location().map_or(Span::default(), |it| place.span(it));
            let message = error.to_string();
            let message = message.lines().next().unwrap_or("").to_owned();
            Err(Diagnostic::error(codes::SYNTAX, span, format!("not valid YAML: {message}"))
                .label("here")
                .in_file(file.clone()))
        }
    }
}

/// A node as the reader gives it; numbers are read again from the text.
enum Raw {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, it: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(it))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Raw, E> {
        Ok(Raw::Number(it.to_string()))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Raw, E> {
        Ok(Raw::Number(it.to_string()))
    }

    fn visit_i128<E>(self, it: i128) -> Result<Raw, E> {
        Ok(Raw::Number(it.to_string()))
    }

    fn visit_u128<E>(self, it: u128) -> Result<Raw, E> {
        Ok(Raw::Number(it.to_string()))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Raw, E> {
        Ok(Raw::Number(it.to_string()))
    }

    fn visit_str<E>(self, it: &str) -> Result<Raw, E> {
        Ok(Raw::Text(it.to_owned()))
    }

    fn visit_string<E>(self, it: String) -> Result<Raw, E> {
        Ok(Raw::Text(it))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key()? {
            entries.push((key, access.next_value()?));
        }
        Ok(Raw::Map(entries))
    }
}

struct Place<'t> {
    file: &'t Arc<str>,
    text: &'t str,
    mark: usize,
}

impl Place<'_> {
    fn span(&self, location: Location) -> Span {
        let span = location.span();
        let start = span.byte_offset().unwrap_or_else(|| self.offset(location));
        let end = start.saturating_add(span.byte_len().unwrap_or(0));
        let bound = |it: u64| {
            let it = usize::try_from(it).unwrap_or(usize::MAX).min(self.text.len());
            self.text.floor_char_boundary(it)
        };
        let (start, end) = (bound(start), bound(end));
        // Some nodes have no length; show their line's rest then.
        let rest = self.text.get(start..).unwrap_or("").lines().next().unwrap_or("");
        let end = if end <= start { start + rest.trim_end().len() } else { end };
        Span::new(start + self.mark, end + self.mark)
    }

    /// The offset of a place that is told by line and column.
    fn offset(&self, location: Location) -> u64 {
        let number = |it: u64| usize::try_from(it).unwrap_or(usize::MAX).saturating_sub(1);
        let before: usize =
            self.text.split_inclusive('\n').take(number(location.line())).map(str::len).sum();
        let line = self.text.get(before..).unwrap_or("");
        let column = line.chars().take(number(location.column())).map(char::len_utf8);
        u64::try_from(before + column.sum::<usize>()).unwrap_or(u64::MAX)
    }

    fn tree(&self, raw: Spanned<Raw>, depth: usize) -> Result<Tree, Diagnostic> {
        let span = self.span(raw.referenced);
        if depth >= MAX_DEPTH {
            let message = "not valid YAML: nested too deeply";
            return Err(Diagnostic::error(codes::SYNTAX, span, message).in_file(self.file.clone()));
        }
        let node = match raw.value {
            Raw::Null => Node::Null,
            Raw::Bool(it) => Node::Bool(it),
            Raw::Text(it) => Node::Text(it),
            Raw::Number(it) => Node::Number(self.as_written(span).unwrap_or(it)),
            Raw::List(items) => Node::List(
                items.into_iter().map(|it| self.tree(it, depth + 1)).collect::<Result<_, _>>()?,
            ),
            Raw::Map(entries) => {
                let of = |(key, value): (Spanned<String>, Spanned<Raw>)| {
                    let key_span = self.span(key.referenced);
                    Ok(Entry { key: key.value, key_span, value: self.tree(value, depth + 1)? })
                };
                Node::Map(entries.into_iter().map(of).collect::<Result<_, _>>()?)
            }
        };
        Ok(Tree { file: self.file.clone(), span, node })
    }

    /// A number as it stands in the file: `1.10` is not `1.1` if it is a version.
    fn as_written(&self, span: Span) -> Option<String> {
        let (start, end) = (span.start as usize - self.mark, span.end as usize - self.mark);
        let text = self.text.get(start..end)?.trim();
        let is_number =
            |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '+' | '_');
        (!text.is_empty() && text.chars().all(is_number)).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tree, Diagnostic> {
        parse(&"f.yaml".into(), text)
    }

    #[test]
    fn every_node_knows_its_place() {
        let text = "\u{feff}# c\na: 1\nlist:\n  - {x: \"y\"}\n";
        let tree = read(text).unwrap();
        let of = |span: Span| &text[span.range()];
        assert_eq!(of(tree.entries()[0].key_span), "a");
        assert_eq!(of(tree.get("a").unwrap().span), "1");
        let x = tree.get("list").unwrap().items()[0].get("x").unwrap();
        assert_eq!(of(x.span), "\"y\"");
        assert_eq!(x.scalar(), Some("y"));
    }

    #[test]
    fn an_empty_file_is_an_empty_map() {
        assert_eq!(read("").unwrap().node, Node::Map(Vec::new()));
        assert_eq!(read("# nothing\n\n").unwrap().node, Node::Map(Vec::new()));
    }

    #[test]
    fn problems_are_told_with_their_place() {
        let problem = read("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert_eq!(problem.code, codes::SYNTAX);
        assert!(problem.span.start > 4, "{problem:?}");
        assert!(read("a: 1\na: 2\n").unwrap_err().message.contains("not valid YAML"));
    }

    #[test]
    fn words_that_older_yaml_took_for_bools_are_texts() {
        let tree = read("a: no\nb: NO\nc: on\nd: true\n").unwrap();
        let kinds: Vec<&str> = tree.entries().iter().map(|it| it.value.kind()).collect();
        assert_eq!(kinds, ["a text", "a text", "a text", "true or false"]);
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(read(&format!("{}{}", "[".repeat(3000), "]".repeat(3000))).is_err());
    }
}
