//! Start tags and their attributes.

use crate::named_values::reference_at;
use crate::parse::{MAX_DEPTH, Open, Parser};
use crate::tree::{Attribute, Element, Quote};
use crate::{Diagnostic, SourceText, Span, codes};

/// Length in bytes of the XML name that `text` starts with; 0 if it starts with none.
pub(super) fn name_len(text: &str) -> usize {
    let is_start = |it: char| it.is_alphabetic() || matches!(it, '_' | ':');
    let is_name = |it: char| is_start(it) || it.is_numeric() || matches!(it, '-' | '.');
    if !text.starts_with(is_start) {
        return 0;
    }
    text.find(|it| !is_name(it)).unwrap_or(text.len())
}

/// Whether the content of the element `name` is taken as source text, tags included.
pub(super) fn holds_markup(name: &str) -> bool {
    name == "set-body"
}

impl Parser<'_> {
    /// Reads a start tag, then pushes the element or opens it.
    pub(super) fn start_tag(&mut self) {
        let start = self.at;
        let name_start = start + 1;
        let name_end = name_start + name_len(self.rest(name_start));
        let name_span = Span::new(name_start, name_end);
        self.at = name_end;
        let mut attributes: Vec<Attribute> = Vec::new();
        let is_open = loop {
            let before = self.at;
            self.at = self.skip_space(before);
            let rest = self.rest(self.at);
            if rest.starts_with('>') {
                self.at += 1;
                break true;
            } else if rest.starts_with("/>") {
                self.at += 2;
                break false;
            } else if rest.is_empty() || rest.starts_with('<') {
                self.at = before;
                self.tag_not_closed(name_span);
                break true;
            } else if name_len(rest) > 0 {
                if before == self.at && self.is_strict() {
                    self.unexpected_in_tag(name_span);
                }
                self.attribute(&mut attributes);
            } else {
                self.unexpected_in_tag(name_span);
            }
        };
        let span = Span::new(start, self.at);
        let element = Element {
            name: self.slice(name_start, name_end).to_owned(),
            name_span,
            attributes,
            children: Vec::new(),
            span,
            open: span,
            close: None,
        };
        let open = Open { element, has_content: false };
        if !is_open {
            self.close(open, None, span.end as usize);
        } else if self.stack.len() >= MAX_DEPTH {
            self.too_deep(span);
        } else {
            let holds_markup = holds_markup(&open.element.name);
            self.stack.push(open);
            if holds_markup && !self.is_strict() {
                self.markup_content();
            }
        }
    }

    fn too_deep(&mut self, span: Span) {
        let message = format!("elements are nested more than {MAX_DEPTH} deep");
        self.problem(Diagnostic::error(codes::TOO_DEEP, span, message).label("one too many"));
        // What follows cannot be told from its nesting any more.
        self.budget = 0;
        self.at = span.start as usize;
    }

    fn tag_not_closed(&mut self, name: Span) {
        let text = self.slice(name.start as usize, name.end as usize);
        let message = format!("tag `<{text}` is not closed");
        self.problem(
            Diagnostic::error(codes::TAG_NOT_CLOSED, name, message).label("no `>` follows"),
        );
    }

    /// Skips what is neither an attribute nor the end of the tag.
    fn unexpected_in_tag(&mut self, name: Span) {
        let ends = |it: char| it.is_whitespace() || matches!(it, '>' | '<');
        let rest = self.rest(self.at);
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let len =
            rest.get(first..).and_then(|it| it.find(ends)).map_or(rest.len(), |it| first + it);
        // `/>` after the text still ends the tag.
        let is_end = len > 1 && rest.get(len - 1..=len) == Some("/>");
        let len = if is_end { len - 1 } else { len };
        let text = self.slice(name.start as usize, name.end as usize);
        let message = format!("unexpected text in the tag of `{text}`");
        let span = Span::new(self.at, self.at + len);
        self.problem(
            Diagnostic::error(codes::UNEXPECTED_IN_TAG, span, message)
                .label("expected an attribute, `>` or `/>`"),
        );
        self.at += len;
    }

    fn attribute(&mut self, attributes: &mut Vec<Attribute>) {
        let start = self.at;
        let name_end = start + name_len(self.rest(start));
        let name = self.slice(start, name_end).to_owned();
        let name_span = Span::new(start, name_end);
        let equals = self.skip_space(name_end);
        let attribute = if self.byte(equals) == Some(b'=') {
            self.at = self.skip_space(equals + 1);
            let (value, value_span, quote) = self.attribute_value(&name);
            Attribute { name, name_span, value, value_span, quote, span: Span::new(start, self.at) }
        } else {
            self.at = name_end;
            let message = format!("attribute `{name}` has no value");
            self.problem(
                Diagnostic::error(codes::ATTRIBUTE_WITHOUT_VALUE, name_span, message)
                    .label(format!("write `{name}=\"...\"`")),
            );
            let value_span = Span::at(name_end);
            let value = SourceText::empty(value_span);
            Attribute { name, name_span, value, value_span, quote: Quote::None, span: name_span }
        };
        if attributes.iter().any(|it| it.name == attribute.name) {
            let message = format!("attribute `{}` is given twice", attribute.name);
            self.problem(
                Diagnostic::error(codes::DUPLICATE_ATTRIBUTE, attribute.name_span, message)
                    .label("the second one"),
            );
        }
        attributes.push(attribute);
    }

    /// Reads the value at the current place, up to and including its closing quote.
    fn attribute_value(&mut self, name: &str) -> (SourceText, Span, Quote) {
        let quote = match self.byte(self.at) {
            Some(b'"') => Quote::Double,
            Some(b'\'') => Quote::Single,
            _ => return self.unquoted_value(name),
        };
        self.at += 1;
        let value = if self.is_strict() {
            self.strict_value(name, quote)
        } else {
            self.raw_value(name, quote)
        };
        let span = value.span();
        (value, span, quote)
    }

    fn unquoted_value(&mut self, name: &str) -> (SourceText, Span, Quote) {
        let start = self.at;
        if let Some(reference) = reference_at(self.text, start) {
            self.at = reference.range.end;
            let mut value = SourceText::verbatim(self.slice(start, self.at), start);
            value.unquoted = true;
            return (value, Span::from(reference.range), Quote::None);
        }
        let ends = |it: char| it.is_whitespace() || matches!(it, '>' | '<');
        let rest = self.rest(start);
        let len = rest.find(ends).unwrap_or(rest.len());
        let is_end = len > 0 && rest.get(len - 1..=len) == Some("/>");
        self.at = start + if is_end { len - 1 } else { len };
        let span = Span::new(start, self.at);
        let message = format!("value of attribute `{name}` has no quotes");
        let place = if span.is_empty() { Span::new(start.saturating_sub(1), start) } else { span };
        self.problem(
            Diagnostic::error(codes::VALUE_WITHOUT_QUOTES, place, message)
                .label("put the value into double quotes"),
        );
        (SourceText::verbatim(self.slice(start, self.at), start), span, Quote::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn attributes(text: &str) -> Vec<(String, String, Quote)> {
        let (document, problems) = parse(text);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(document.to_source(), text);
        let root = document.root().unwrap();
        let of = |it: &Attribute| (it.name.clone(), it.value.as_str().to_owned(), it.quote);
        root.attributes.iter().map(of).collect()
    }

    fn codes_of(text: &str) -> Vec<String> {
        let (document, problems) = parse(text);
        assert_eq!(document.to_source(), text);
        problems.iter().map(|it| it.code.to_string()).collect()
    }

    #[test]
    fn unquoted_values_are_one_named_value() {
        assert_eq!(
            attributes("<a tenant-id={{TENANT_ID}} url={{ u }}/>"),
            [
                ("tenant-id".to_owned(), "{{TENANT_ID}}".to_owned(), Quote::None),
                ("url".to_owned(), "{{ u }}".to_owned(), Quote::None)
            ]
        );
        assert_eq!(parse("<a b={{c}}/>").0.format(), crate::Format::Xml);
        assert_eq!(codes_of("<a b=c d=/>"), ["PC0107", "PC0107"]);
        assert_eq!(codes_of("<a b={{c}/>"), ["PC0107"]);
    }

    #[test]
    fn both_quotes_and_spaces_around_equals_are_read() {
        assert_eq!(
            attributes("<a name = \"X\" code='2\"0'/>"),
            [
                ("name".to_owned(), "X".to_owned(), Quote::Double),
                ("code".to_owned(), "2\"0".to_owned(), Quote::Single)
            ]
        );
    }

    #[test]
    fn broken_tags_are_told_and_read_on() {
        for (text, expected) in [
            ("<a b c=\"1\"/>", vec!["PC0106"]),
            ("<a b=\"1\" b=\"2\"/>", vec!["PC0111"]),
            ("<a ... />", vec!["PC0105"]),
            ("<a [x]><b/></a>", vec!["PC0105"]),
            ("<a <b/></a>", vec!["PC0104"]),
            ("<a", vec!["PC0104", "PC0102"]),
            ("<a ///>", vec!["PC0105"]),
        ] {
            assert_eq!(codes_of(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_xml_names() {
        for (text, len) in [("set-body>", 8), ("x:y z", 3), ("1a", 0), ("-a", 0), ("\u{e9}t ", 3)] {
            assert_eq!(name_len(text), len, "{text}");
        }
    }
}
