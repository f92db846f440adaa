//! JSON as XML, as `XmlNodeConverter` of Newtonsoft.Json does it, with the names that the policy
//! chooses.
//!
//! Members become elements, arrays become repeated elements, `@name` an attribute, `#text` text. A
//! prefix counts only if its namespace is declared; what cannot stand in a name is written as
//! `_x0020_`. What has no single root is wrapped in `Document`.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/ConvertingJSONandXML.htm>,
//! <https://learn.microsoft.com/dotnet/api/system.xml.xmlconvert.encodename>

use std::fmt::Write as _;

use tree::json::{Kind, ParseOptions, Root, Token, parse};
use tree::xml::convert::content_text;

/// What wraps content that has no single root.
const WRAPPER: &str = "Document";
/// What items of the outermost array are called that have no names of their own.
const ITEM: &str = "Item";

/// How names are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// What stands between prefix and name.
    pub(super) separator: String,
    /// The prefix of members that declare namespaces.
    pub(super) prefix: Option<String>,
    /// The name of the member that holds attributes.
    pub(super) attribute_block: Option<String>,
}

/// The XML of a JSON text, of at most `max_bytes`.
///
/// # Errors
///
/// The text is no JSON, or the XML is too long; in words.
pub(super) fn xml(
    json: &str,
    parses_dates: bool,
    names: Names,
    max_bytes: usize,
) -> Result<String, String> {
    let options = ParseOptions { dates: parses_dates, ..ParseOptions::default() };
    let root = parse(json, Root::Any, &options).map_err(|fault| fault.message)?;
    let mut writer = Writer { xml: String::new(), max_bytes, names, prefixes: Vec::new() };
    writer.root(&root)?;
    Ok(writer.xml)
}

struct Writer {
    xml: String,
    max_bytes: usize,
    names: Names,
    /// Prefixes whose namespaces are declared, innermost last.
    prefixes: Vec<String>,
}

/// What a member of an object is.
enum Member {
    /// An attribute with its full name.
    Attribute(String),
    /// Attributes, as the members of an object.
    Block,
    Text,
    CData,
    Comment,
    /// Something that is said elsewhere.
    Nothing,
    Element,
}

impl Writer {
    fn root(&mut self, root: &Token) -> Result<(), String> {
        match members(root).as_slice() {
            [(name, value)] if is_single(value) && matches!(self.kind(name), Member::Element) => {
                return self.element(name, value);
            }
            [(declaration, _), (name, value)]
                if declaration == "?xml"
                    && is_single(value)
                    && matches!(self.kind(name), Member::Element) =>
            {
                return self.element(name, value);
            }
            _ => {}
        }
        match root.kind() {
            Kind::Object => self.element(WRAPPER, root),
            Kind::Array => {
                self.push(&format!("<{WRAPPER}>"))?;
                for item in root.child_list() {
                    match item.kind() {
                        Kind::Object => self.content(&item)?,
                        _ => self.element(ITEM, &item)?,
                    }
                }
                self.push(&format!("</{WRAPPER}>"))
            }
            _ => self.element(WRAPPER, root),
        }
    }

    /// An element, or one for each item of an array.
    fn element(&mut self, name: &str, value: &Token) -> Result<(), String> {
        if value.kind() == Kind::Array {
            for item in value.child_list() {
                self.element(name, &item)?;
            }
            return Ok(());
        }
        let attributes = self.attributes(value)?;
        let n_prefixes = self.prefixes.len();
        let declared = attributes.iter().filter_map(|(name, _)| name.strip_prefix("xmlns:"));
        self.prefixes.extend(declared.map(str::to_owned));
        let tag = self.name(name);
        self.push("<")?;
        self.push(&tag)?;
        for (name, text) in &attributes {
            let name = if name.starts_with("xmlns") { name.clone() } else { self.name(name) };
            self.push(&format!(" {name}=\""))?;
            self.escaped(text)?;
            self.push("\"")?;
        }
        self.push(">")?;
        let n_before = self.xml.len();
        match value.kind() {
            Kind::Object => self.content(value)?,
            _ => self.escaped(&text(value))?,
        }
        let is_empty_text = value.scalar().is_some() && value.kind() != Kind::Null;
        if self.xml.len() == n_before && !is_empty_text {
            self.xml.pop();
            self.push(" />")?;
        } else {
            self.push(&format!("</{tag}>"))?;
        }
        self.prefixes.truncate(n_prefixes);
        Ok(())
    }

    /// The attributes and namespaces that an object has.
    fn attributes(&self, value: &Token) -> Result<Vec<(String, String)>, String> {
        let mut attributes = Vec::new();
        for (name, value) in members(value) {
            match self.kind(&name) {
                Member::Attribute(name) => attributes.push((name, scalar_text(&value)?)),
                Member::Block => {
                    for (name, value) in members(&value) {
                        let name = self.declaration(&name).unwrap_or(name);
                        attributes.push((name, scalar_text(&value)?));
                    }
                }
                _ => {}
            }
        }
        for (n, (name, _)) in attributes.iter().enumerate() {
            if attributes.iter().take(n).any(|(it, _)| it == name) {
                return Err(format!("the attribute `{name}` is given twice"));
            }
        }
        Ok(attributes)
    }

    /// What stands between the tags.
    fn content(&mut self, value: &Token) -> Result<(), String> {
        for (name, value) in members(value) {
            match self.kind(&name) {
                Member::Attribute(_) | Member::Block | Member::Nothing => {}
                Member::Text => {
                    for part in parts(&value) {
                        self.escaped(&scalar_text(&part)?)?;
                    }
                }
                Member::CData => {
                    for part in parts(&value) {
                        let text = scalar_text(&part)?.replace("]]>", "]]]]><![CDATA[>");
                        self.push(&format!("<![CDATA[{text}]]>"))?;
                    }
                }
                Member::Comment => {
                    for part in parts(&value) {
                        let text = scalar_text(&part)?.replace("--", "- -");
                        self.push(&format!("<!--{text} -->"))?;
                    }
                }
                Member::Element => self.element(&name, &value)?,
            }
        }
        Ok(())
    }

    fn kind(&self, name: &str) -> Member {
        if self.names.attribute_block.as_deref() == Some(name) {
            return Member::Block;
        }
        if let Some(declaration) = self.declaration(name) {
            return Member::Attribute(declaration);
        }
        match name {
            "#text" | "#whitespace" | "#significant-whitespace" => Member::Text,
            "#cdata-section" => Member::CData,
            "#comment" => Member::Comment,
            _ if name.starts_with('?') || name.starts_with('!') => Member::Nothing,
            _ => match name.strip_prefix('@').filter(|it| !it.is_empty()) {
                Some(name) => Member::Attribute(name.to_owned()),
                None => Member::Element,
            },
        }
    }

    /// `xmlns` or `xmlns:p`, if the member declares a namespace.
    fn declaration(&self, name: &str) -> Option<String> {
        let rest = name.strip_prefix(self.names.prefix.as_deref()?)?;
        if rest.is_empty() {
            return Some("xmlns".to_owned());
        }
        let prefix = rest.strip_prefix(self.names.separator.as_str())?;
        (!self.names.separator.is_empty() && !prefix.is_empty())
            .then(|| format!("xmlns:{}", encoded(prefix)))
    }

    /// The name as XML has it: with its prefix, if that is declared.
    fn name(&self, name: &str) -> String {
        let separator = self.names.separator.as_str();
        let split = if separator.is_empty() { None } else { name.split_once(separator) };
        let split = split.or_else(|| name.split_once(':'));
        match split {
            Some((prefix, local)) if self.is_declared(prefix) && !local.is_empty() => {
                format!("{}:{}", encoded(prefix), encoded(local))
            }
            _ => encoded(name),
        }
    }

    fn is_declared(&self, prefix: &str) -> bool {
        prefix == "xml" || self.prefixes.iter().any(|it| it == prefix)
    }

    fn escaped(&mut self, text: &str) -> Result<(), String> {
        let mut from = 0;
        for (at, it) in text.char_indices() {
            let entity = match it {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\r' => "&#xD;",
                '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                    continue;
                }
                _ => return Err("a text has a character that XML cannot hold".to_owned()),
            };
            self.push(text.get(from..at).unwrap_or_default())?;
            self.push(entity)?;
            from = at + it.len_utf8();
        }
        self.push(text.get(from..).unwrap_or_default())
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        if self.xml.len() + text.len() > self.max_bytes {
            return Err(format!("the XML would become larger than {} bytes", self.max_bytes));
        }
        self.xml.push_str(text);
        Ok(())
    }
}

fn members(token: &Token) -> Vec<(String, Token)> {
    if token.kind() != Kind::Object {
        return Vec::new();
    }
    let of = |it: Token| Some((it.name()?.to_string(), it.property_value()?));
    token.child_list().into_iter().filter_map(of).collect()
}

fn is_single(token: &Token) -> bool {
    token.kind() != Kind::Array || token.child_list().len() == 1
}

/// The items of an array, or the token alone.
fn parts(token: &Token) -> Vec<Token> {
    if token.kind() == Kind::Array { token.child_list() } else { vec![token.clone()] }
}

fn text(token: &Token) -> String {
    match token.kind() {
        Kind::Null | Kind::Undefined => String::new(),
        _ => token.scalar().map(|it| content_text(&it)).unwrap_or_default(),
    }
}

fn scalar_text(token: &Token) -> Result<String, String> {
    match token.kind() {
        Kind::Object | Kind::Array => {
            Err("an attribute or text holds an object or array".to_owned())
        }
        _ => Ok(text(token)),
    }
}

/// `XmlConvert.EncodeName`, for a name without prefix.
fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for (at, it) in name.char_indices() {
        let is_allowed = is_start(it) || (at > 0 && is_part(it));
        let rest = name.get(at..).unwrap_or_default();
        if is_allowed && !is_escape(rest) {
            encoded.push(it);
        } else if (it as u32) < 0x1_0000 {
            let _ = write!(encoded, "_x{:04X}_", it as u32);
        } else {
            let _ = write!(encoded, "_x{:08X}_", it as u32);
        }
    }
    if encoded.is_empty() { "_".to_owned() } else { encoded }
}

/// Whether a text starts as an escape does, so that it must not be read as one.
fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_hex = |n: usize| {
        bytes.get(2..2 + n).is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit))
            && bytes.get(2 + n) == Some(&b'_')
    };
    text.starts_with("_x") && (is_hex(4) || is_hex(8))
}

fn is_start(it: char) -> bool {
    matches!(it, 'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn is_part(it: char) -> bool {
    is_start(it)
        || matches!(it, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(json: &str, names: Names) -> String {
        xml(json, true, names, 10_000).unwrap_or_else(|why| format!("failed: {why}"))
    }

    fn plain(json: &str) -> String {
        with(json, Names { separator: "_".to_owned(), ..Names::default() })
    }

    #[test]
    fn the_sample_of_the_documentation() {
        let names = Names {
            separator: ":".to_owned(),
            prefix: Some("xmlns".to_owned()),
            attribute_block: Some("#attrs".to_owned()),
        };
        let json = r##"{"s:Env":{"xmlns:s":"urn:x","s:Item":{"#attrs":{"q":"1"},"name":"v"}}}"##;
        assert_eq!(
            with(json, names),
            r#"<s:Env xmlns:s="urn:x"><s:Item q="1"><name>v</name></s:Item></s:Env>"#
        );
    }

    #[test]
    fn members_become_elements() {
        for (json, expected) in [
            (
                r#"{"a":{"b":1,"c":[1,2],"d":null,"e":"","f":true}}"#,
                "<a><b>1</b><c>1</c><c>2</c><d /><e></e><f>true</f></a>",
            ),
            (r##"{"a":{"@x":"1 \"","#text":"t<&>"}}"##, r#"<a x="1 &quot;">t&lt;&amp;&gt;</a>"#),
            (
                r##"{"?xml":{"@version":"1.0"},"a":{"#cdata-section":"]]>"}}"##,
                "<a><![CDATA[]]]]><![CDATA[>]]></a>",
            ),
            (r#"{"a":[]}"#, "<Document />"),
            (r#"{"a":1.50}"#, "<a>1.5</a>"),
            (r#"{"a":12345678901234567890}"#, "<a>12345678901234567890</a>"),
        ] {
            assert_eq!(plain(json), expected, "{json}");
        }
    }

    #[test]
    fn what_has_no_single_root_is_wrapped() {
        for (json, expected) in [
            (r#"{"a":1,"b":2}"#, "<Document><a>1</a><b>2</b></Document>"),
            (r#"{"a":[1,2]}"#, "<Document><a>1</a><a>2</a></Document>"),
            (r#"[{"a":1},{"a":2},3]"#, "<Document><a>1</a><a>2</a><Item>3</Item></Document>"),
            ("5", "<Document>5</Document>"),
            ("{}", "<Document />"),
        ] {
            assert_eq!(plain(json), expected, "{json}");
        }
    }

    #[test]
    fn names_are_made_fit_for_xml() {
        for (name, expected) in [
            ("first_name", "first_name"),
            ("a b", "a_x0020_b"),
            ("1a", "_x0031_a"),
            ("a:b", "a_x003A_b"),
            ("_x0020_", "_x005F_x0020_"),
            ("é", "é"),
            ("", "_"),
            ("😀", "😀"),
        ] {
            assert_eq!(encoded(name), expected, "{name}");
        }
        assert_eq!(plain(r#"{"a b":1}"#), "<a_x0020_b>1</a_x0020_b>");
    }

    #[test]
    fn a_prefix_counts_only_if_it_is_declared() {
        let names =
            Names { separator: "_".to_owned(), prefix: Some("ns".to_owned()), ..Names::default() };
        assert_eq!(
            with(r#"{"a_b":{"ns_a":"urn:a","ns":"urn:d","a_c":1,"x_y":2}}"#, names),
            r#"<a:b xmlns:a="urn:a" xmlns="urn:d"><a:c>1</a:c><x_y>2</x_y></a:b>"#
        );
    }

    #[test]
    fn dates_are_read_or_left() {
        let date = r#"{"a":"2012-04-23T18:25:43.500Z"}"#;
        let names = || Names { separator: "_".to_owned(), ..Names::default() };
        assert_eq!(xml(date, true, names(), 999).unwrap(), "<a>2012-04-23T18:25:43.5Z</a>");
        assert_eq!(xml(date, false, names(), 999).unwrap(), "<a>2012-04-23T18:25:43.500Z</a>");
    }

    #[test]
    fn bad_input_and_long_output_are_refused() {
        for json in
            ["{", "", r#"{"a":"\u0001"}"#, r#"{"a":{"@x":[1]}}"#, r#"{"a":{"@x":1,"@x":2}}"#]
        {
            let result = plain(json);
            // Of two members of one name the last counts, as in Newtonsoft.Json.
            assert!(result.starts_with("failed") || result == r#"<a x="2" />"#, "{json}: {result}");
        }
        let long = format!(r#"{{"{}":[{}1]}}"#, "n".repeat(1000), "1,".repeat(1000));
        assert!(plain(&long).contains("larger than 10000 bytes"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_xml(json in r#"[\[\]{}",:a@#0-9 ]{0,24}"#) {
            let names = Names { separator: ":".to_owned(), prefix: Some("a".to_owned()), attribute_block: Some("b".to_owned()) };
            if let Ok(xml) = xml(&json, true, names, 10_000) {
                let parsed = tree::xml::parse(&xml, tree::xml::Root::Document, &tree::xml::ParseOptions::default());
                proptest::prop_assert!(parsed.is_ok(), "{} {:?}", xml, parsed.err());
            }
        }
    }
}
