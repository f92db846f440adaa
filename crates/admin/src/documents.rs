//! Policy documents in Azure's formats.
//!
//! Files hold `rawxml`: what was sent, byte for byte. `xml` is the same document with expressions
//! escaped, so that it is well-formed; it is made from the file when asked for.
//!
//! Source: <https://learn.microsoft.com/rest/api/apimanagement/policy/get>

use document::{Document, Element, Format, Node, Quote, Span, parse};
use serde_json::{Map, Value};

use crate::problem::Problem;

/// A format of a document in a request or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// Well-formed XML.
    Xml,
    /// As in the file.
    RawXml,
}

impl As {
    /// The format that a query asks for; `xml` unless it does.
    ///
    /// # Errors
    ///
    /// It is no format that answers come in.
    pub(crate) fn asked(text: Option<&str>) -> Result<Self, Problem> {
        match text.unwrap_or("xml").to_ascii_lowercase().as_str() {
            "xml" => Ok(Self::Xml),
            "rawxml" | "xml-raw" => Ok(Self::RawXml),
            _ => Err(Problem::property("format", "`format` is `xml` or `rawxml`.")),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::RawXml => "rawxml",
        }
    }
}

/// The text that the file will hold, and the format it came in.
///
/// # Errors
///
/// There is no text, the format is none that is taken, or `xml` is not well-formed.
pub(crate) fn taken(properties: &Map<String, Value>) -> Result<(String, As), Problem> {
    let Some(Value::String(text)) = properties.get("value") else {
        return Err(Problem::property("value", "The value is required and must be a text."));
    };
    let format = properties.get("format").and_then(Value::as_str).unwrap_or("xml");
    match format.to_ascii_lowercase().as_str() {
        "rawxml" => Ok((text.clone(), As::RawXml)),
        "xml" => Ok((raw(text)?, As::Xml)),
        "xml-link" | "rawxml-link" => Err(Problem::property(
            "format",
            "Documents behind links are not fetched. Send the text with `format` `rawxml`.",
        )),
        _ => Err(Problem::property("format", "`format` is `xml` or `rawxml`.")),
    }
}

/// Writes the document of a resource in a format.
pub(crate) fn show(properties: &mut Map<String, Value>, format: As) {
    if let (As::Xml, Some(Value::String(text))) = (format, properties.get_mut("value")) {
        *text = xml(text);
    }
    if properties.contains_key("value") {
        properties.insert("format".to_owned(), format.word().into());
    }
}

/// `xml` as `rawxml`: expressions lose their escapes.
fn raw(text: &str) -> Result<String, Problem> {
    let (document, problems) = parse(text);
    if document.format() != Format::Xml {
        let at = problems.iter().find(|it| it.is_error()).map_or(0, |it| it.span.start as usize);
        let position = document::LineIndex::new(text).position(text, at);
        let message = format!(
            "The document is not well-formed XML (near line {}, position {}). Use `format` `rawxml` for expressions that are not escaped.",
            position.line, position.column
        );
        return Err(Problem::property("value", message));
    }
    let mut has_reference = false;
    let raw = rewrite(&document, &mut |piece| {
        let decoded = piece.decoded.trim();
        has_reference |= is_expression(decoded) && has_entity(piece.decoded);
        is_expression(decoded).then(|| piece.decoded.to_owned())
    });
    // An expression that is to hold `&lt;` itself must not be read as one that is escaped.
    let is_same = !has_reference || parse(&raw).0.format() == Format::RawXml;
    Ok(if is_same { raw } else { text.to_owned() })
}

/// `rawxml` as `xml`: expressions are escaped. A document that is well-formed stays as it is.
fn xml(text: &str) -> String {
    let (document, _) = parse(text);
    if document.format() == Format::Xml {
        return text.to_owned();
    }
    rewrite(&document, &mut |piece| match is_expression(piece.decoded.trim()) {
        true => Some(escape(piece.source, &piece)),
        false if piece.is_attribute => {
            let escaped = bare_ampersands(piece.source).replace('<', "&lt;");
            Some(if piece.quote == Quote::None { format!("\"{escaped}\"") } else { escaped })
        }
        false => None,
    })
}

/// A value of an attribute, or a text.
struct Piece<'a> {
    source: &'a str,
    decoded: &'a str,
    is_attribute: bool,
    quote: Quote,
}

fn escape(source: &str, piece: &Piece<'_>) -> String {
    let mut escaped = String::with_capacity(source.len() + 16);
    for it in source.chars() {
        match it {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' if piece.is_attribute => escaped.push_str("&quot;"),
            '\'' if piece.quote == Quote::Single => escaped.push_str("&apos;"),
            '\n' if piece.is_attribute => escaped.push_str("&#xA;"),
            '\r' if piece.is_attribute => escaped.push_str("&#xD;"),
            '\t' if piece.is_attribute => escaped.push_str("&#x9;"),
            it => escaped.push(it),
        }
    }
    if piece.is_attribute && piece.quote == Quote::None {
        format!("\"{escaped}\"")
    } else {
        escaped
    }
}

/// `&` that starts no reference becomes `&amp;`.
fn bare_ampersands(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        escaped.push_str(before);
        let name = after.split_once(';').map_or("", |it| it.0);
        escaped.push_str(if is_reference(name) { "&" } else { "&amp;" });
        rest = after;
    }
    escaped.push_str(rest);
    escaped
}

fn is_reference(name: &str) -> bool {
    matches!(name, "amp" | "lt" | "gt" | "quot" | "apos")
        || name.strip_prefix('#').is_some_and(|it| {
            let digits = it.strip_prefix(['x', 'X']).unwrap_or(it);
            !digits.is_empty() && digits.chars().all(|it| it.is_ascii_hexdigit())
        })
}

fn has_entity(text: &str) -> bool {
    text.split('&').skip(1).any(|it| is_reference(it.split_once(';').map_or("", |it| it.0)))
}

fn is_expression(text: &str) -> bool {
    text.starts_with("@(") || text.starts_with("@{")
}

/// The document with values and texts replaced.
fn rewrite(document: &Document, replace: &mut dyn FnMut(Piece<'_>) -> Option<String>) -> String {
    let mut edits: Vec<(Span, String)> = Vec::new();
    let mut left: Vec<&Element> = document.roots().collect();
    while let Some(element) = left.pop() {
        for attribute in &element.attributes {
            let piece = Piece {
                source: document.text(attribute.value_span),
                decoded: attribute.value.as_str(),
                is_attribute: true,
                quote: attribute.quote,
            };
            edits.extend(replace(piece).map(|it| (attribute.value_span, it)));
        }
        for node in &element.children {
            match node {
                Node::Element(it) => left.push(it),
                Node::Text(it) => {
                    let piece = Piece {
                        source: document.text(it.span),
                        decoded: it.value.as_str(),
                        is_attribute: false,
                        quote: Quote::None,
                    };
                    edits.extend(replace(piece).map(|text| (it.span, text)));
                }
                _ => {}
            }
        }
    }
    edits.sort_by_key(|it| it.0.start);
    let source = document.source();
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for (span, new) in edits {
        let (start, end) = (span.start as usize, span.end as usize);
        text.push_str(source.get(at..start).unwrap_or(""));
        text.push_str(&new);
        at = end;
    }
    text.push_str(source.get(at..).unwrap_or(""));
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Raw documents and the same well-formed.
    const PAIRS: &[(&str, &str)] = &[
        (
            "<policies><inbound><base /></inbound></policies>",
            "<policies><inbound><base /></inbound></policies>",
        ),
        (
            r#"<a v="@(context.Variables["a"] < 1 && true)" />"#,
            r#"<a v="@(context.Variables[&quot;a&quot;] &lt; 1 &amp;&amp; true)" />"#,
        ),
        (
            r#"<a>@{ return "x" + (1 < 2 ? "<b>" : "c"); }</a>"#,
            r#"<a>@{ return "x" + (1 &lt; 2 ? "&lt;b&gt;" : "c"); }</a>"#,
        ),
        (r#"<a b="x &amp; y" v="@("z")" />"#, r#"<a b="x &amp; y" v="@(&quot;z&quot;)" />"#),
    ];

    #[test]
    fn a_raw_document_is_shown_well_formed_and_back() {
        for (raw_text, xml_text) in PAIRS {
            assert_eq!(xml(raw_text), *xml_text);
            assert_eq!(raw(xml_text).unwrap(), *raw_text);
        }
    }

    #[test]
    fn what_is_sent_raw_is_kept_to_the_byte() {
        let sent = "<policies>\r\n\t<inbound v='@(\"&lt;\")' >  </inbound>\n</policies>\n\n";
        let properties = json!({ "format": "rawxml", "value": sent }).as_object().unwrap().clone();
        assert_eq!(taken(&properties).unwrap(), (sent.to_owned(), As::RawXml));
    }

    #[test]
    fn raw_text_sent_as_xml_is_refused_with_its_place() {
        let properties = json!({ "value": r#"<a v="@("x")" />"# }).as_object().unwrap().clone();
        let problem = taken(&properties).unwrap_err();
        assert!(problem.details[0].message.contains("rawxml"), "{problem:?}");
        let link = json!({ "format": "rawxml-link", "value": "https://x" });
        assert!(taken(link.as_object().unwrap()).is_err());
    }

    #[test]
    fn bare_ampersands_are_escaped() {
        assert_eq!(bare_ampersands("a&b &lt; &#x41; &c; &"), "a&amp;b &lt; &#x41; &amp;c; &amp;");
    }
}
