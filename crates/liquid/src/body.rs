//! Bodies as templates see them: JSON, XML, or text.
//!
//! | JSON | XML | value |
//! |---|---|---|
//! | object | element with attributes or elements | hash |
//! | array | elements of one name | list |
//! | string | text, attribute | text, or a date if it looks like one |
//! | integer, fraction | | `long`, `double` |
//! | `null` | `xsi:nil`, if so asked | nothing |
//!
//! Prefixes of XML names are dropped. An element with attributes and text renders as its text. A
//! child element hides an attribute of its name.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-body-policy>

use std::sync::Arc;

use dotnet::text::time::Zone;
use dotnet::{Fault, Str};
use tree::json::{self, DateKind, Kind, ParseOptions, Scalar, Token};
use tree::xml::{self, Node};

use crate::value::{Hash, Moment, Value};

const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What an XML element with `xsi:nil="true"` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XsiNil {
    /// An empty text.
    #[default]
    Blank,
    /// Nothing.
    Null,
}

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What `xsi:nil` is.
    pub xsi_nil: XsiNil,
    /// Whether texts that look like dates are dates.
    pub dates: bool,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading { xsi_nil: XsiNil::Blank, dates: true }
    }
}

/// The value of a JSON text; nothing for an empty one.
///
/// # Errors
///
/// The text is no JSON, or nested too deep.
pub fn json(text: &str, reading: Reading) -> Result<Value, Fault> {
    if text.trim().is_empty() {
        return Ok(Value::Nil);
    }
    let options = ParseOptions { dates: false, ..ParseOptions::default() };
    let token = json::parse(text, json::Root::Any, &options)?;
    Ok(of_token(&token, reading))
}

/// The value of a JSON tree.
#[must_use]
pub fn of_token(token: &Token, reading: Reading) -> Value {
    match token.kind() {
        Kind::Object => {
            let member = |it: Token| {
                let name = it.name()?;
                let value = it.property_value()?;
                Some((Str::from(&*name), of_token(&value, reading)))
            };
            let members = token.child_list().into_iter().filter_map(member).collect();
            Value::Hash(Arc::new(Hash::new(members)))
        }
        Kind::Array | Kind::Constructor => {
            Value::list(token.child_list().iter().map(|it| of_token(it, reading)))
        }
        _ => token.scalar().map_or(Value::Nil, |it| of_scalar(&it, reading)),
    }
}

fn of_scalar(scalar: &Scalar, reading: Reading) -> Value {
    match scalar {
        Scalar::Null | Scalar::Undefined | Scalar::NullString | Scalar::Comment(_) => Value::Nil,
        Scalar::Bool(it) => Value::Bool(*it),
        Scalar::Int(it) => Value::Long(*it),
        Scalar::Float(it) => Value::Double(*it),
        Scalar::Single(it) => Value::Double(f64::from(*it)),
        Scalar::Decimal(it) => Value::Decimal(*it),
        Scalar::Big(text) => text.parse().map_or_else(|_| Value::from(&**text), Value::Decimal),
        Scalar::String(text) => of_text(text, reading),
        Scalar::Date(it) => Value::Date(moment(*it)),
        other => Value::from(&*other.to_text()),
    }
}

/// A text, or the date that it looks like.
#[must_use]
pub fn of_text(text: &str, reading: Reading) -> Value {
    let date = if reading.dates { recognise(text) } else { None };
    date.map_or_else(|| Value::from(text), |it| Value::Date(moment(it)))
}

/// Dates as Newtonsoft finds them, and those without seconds that the documentation shows.
fn recognise(text: &str) -> Option<json::DateTime> {
    let first = *text.as_bytes().first()?;
    if !first.is_ascii_digit() && first != b'/' {
        return None;
    }
    json::date::recognise(text).or_else(|| {
        let bytes = text.as_bytes();
        let may_be = (16..=22).contains(&bytes.len())
            && bytes.get(10) == Some(&b'T')
            && bytes.get(13) == Some(&b':')
            && bytes.get(16) != Some(&b':');
        let with_seconds = || Some(format!("{}:00{}", text.get(..16)?, text.get(16..)?));
        if may_be { json::date::recognise(&with_seconds()?) } else { None }
    })
}

fn moment(it: json::DateTime) -> Moment {
    let zone = match it.kind {
        DateKind::Unspecified => Zone::Unspecified,
        DateKind::Utc => Zone::Utc,
        DateKind::Local => Zone::Local,
    };
    Moment { ticks: it.ticks, zone }
}

/// The value of an XML text: a hash with the root element under its name. Nothing for an empty text.
///
/// # Errors
///
/// The text is no XML, declares entities, or is nested too deep.
pub fn xml(text: &str, reading: Reading) -> Result<Value, Fault> {
    if text.trim().is_empty() {
        return Ok(Value::Nil);
    }
    let root = xml::parse(text, xml::Root::Element, &xml::ParseOptions::default())?;
    Ok(of_element(&root, reading))
}

/// The value of an XML element: a hash with it under its name.
#[must_use]
pub fn of_element(root: &Node, reading: Reading) -> Value {
    Value::hash([(local_name(root), element(root, reading))])
}

fn local_name(node: &Node) -> Str {
    node.name().map_or(Str::EMPTY, |it| Str::from(&*it.local))
}

fn element(node: &Node, reading: Reading) -> Value {
    let attributes = node.attributes(None);
    let is_nil = |it: &Node| {
        it.name().is_some_and(|it| *it.local == *"nil" && *it.namespace == *SCHEMA_INSTANCE)
            && matches!(&*it.value(), "true" | "1")
    };
    if attributes.iter().any(is_nil) {
        return match reading.xsi_nil {
            XsiNil::Blank => Value::from(""),
            XsiNil::Null => Value::Nil,
        };
    }
    let mut members: Vec<(Str, Vec<Value>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let mut text = String::new();
    for child in node.each_node() {
        match child.kind() {
            xml::Kind::Element => {
                let name = local_name(&child);
                let at = *places.entry(name.clone()).or_insert_with(|| {
                    members.push((name, Vec::new()));
                    members.len() - 1
                });
                if let Some(it) = members.get_mut(at) {
                    it.1.push(element(&child, reading));
                }
            }
            xml::Kind::Text | xml::Kind::CData => text.push_str(&child.value()),
            _ => {}
        }
    }
    let is_declaration = |it: &Node| it.name().is_some_and(|it| it.is_declaration());
    let attributes = attributes.iter().filter(|it| !is_declaration(it));
    let mut entries: Vec<(Str, Value)> = attributes
        .map(|it| (local_name(it), of_text(&it.value(), reading)))
        .filter(|it| !places.contains_key(&it.0))
        .collect();
    if members.is_empty() && entries.is_empty() {
        return of_text(&text, reading);
    }
    let has_text = !text.trim().is_empty() || members.is_empty();
    entries.extend(members.into_iter().map(|(name, mut values)| match values.len() {
        1 => (name, values.pop().unwrap_or_default()),
        _ => (name, Value::list(values)),
    }));
    let hash = Hash::new(entries);
    Value::Hash(Arc::new(if has_text { hash.with_text(text.into()) } else { hash }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::test::render_with;

    fn from_json(template: &str, body: &str) -> String {
        render_with(template, &[("body", json(body, Reading::default()).unwrap())])
    }

    fn from_xml(template: &str, body: &str) -> String {
        render_with(template, &[("body", xml(body, Reading::default()).unwrap())])
    }

    #[test]
    fn json_is_objects_lists_and_values() {
        let body = r#"{"a":{"b":[1,2.50,true,null,"x"]},"n":12345678901234567890123,"e":{}}"#;
        for (template, expected) in [
            (
                "{{ body.a.b[0] }} {{ body.a.b[1] }} {{ body.a.b[2] }} {{ body.a.b.last }}",
                "1 2.5 true x",
            ),
            ("{{ body.a.b.size }}{% if body.a.b[3] == nil %}!{% endif %}", "5!"),
            ("{{ body.n }}", "12345678901234567890123"),
            ("{% if body.e == empty %}empty{% endif %}", "empty"),
            ("{{ body.a.b }}", "12.5Truex"),
        ] {
            assert_eq!(from_json(template, body), expected, "{template}");
        }
        assert_eq!(from_json("{{ body[1] }}", "[1,2]"), "2");
        assert_eq!(from_json("[{{ body }}]", "  "), "[]");
        assert!(json("{", Reading::default()).is_err());
        assert!(json(&"[".repeat(1000), Reading::default()).is_err());
    }

    #[test]
    fn texts_that_look_like_dates_are_dates_unless_asked_not_to() {
        for (text, expected) in [
            ("2012-03-21T05:40Z", "03/21/2012 05:40:00"),
            ("2012-03-21T05:40:01.5+02:00", "03/21/2012 03:40:01"),
            ("/Date(1198908717056)/", "12/29/2007 06:11:57"),
            ("2012-03-21", "2012-03-21"),
            ("2012-03-21T05:40:99Z", "2012-03-21T05:40:99Z"),
            ("2012-03-21Tabcdefgh", "2012-03-21Tabcdefgh"),
            ("9é999999999999999T", "9é999999999999999T"),
        ] {
            let body = format!(r#"{{"d":"{text}"}}"#);
            assert_eq!(from_json("{{ body.d }}", &body), expected, "{text}");
            let reading = Reading { dates: false, ..Reading::default() };
            let given = [("body", json(&body, reading).unwrap())];
            assert_eq!(render_with("{{ body.d }}", &given), text);
        }
        assert_eq!(from_xml("{{ body.d }}", "<d>2012-03-21T05:40:00Z</d>"), "03/21/2012 05:40:00");
    }

    #[test]
    fn xml_is_elements_by_name_without_prefixes() {
        let body = "<s:Envelope xmlns:s='urn:s'><s:Body><o id='7'><line>a</line>\
                    <line>b</line><p cur='EUR'>5</p><c><![CDATA[1 < 2]]></c><e/></o></s:Body></s:Envelope>";
        for (template, expected) in [
            ("{{ body.Envelope.Body.o.line[1] }}", "b"),
            ("{{ body.envelope.body.o.Line.size }}", "2"),
            ("{{ body.envelope.body.o.id }} {{ body.envelope.body.o.c }}", "7 1 < 2"),
            ("{{ body.envelope.body.o.p }} {{ body.envelope.body.o.p.cur }}", "5 EUR"),
            ("{% if body.envelope.body.o.p == 5 %}five{% endif %}", "five"),
            ("[{{ body.envelope.body.o.e }}]{{ body.envelope.s }}", "[]"),
            ("{% for l in body.envelope.body.o.line %}{{ l }};{% endfor %}", "a;b;"),
        ] {
            assert_eq!(from_xml(template, body), expected, "{template}");
        }
        assert!(xml("<a>", Reading::default()).is_err());
        let bomb = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>";
        assert!(xml(bomb, Reading::default()).is_err());
    }

    #[test]
    fn nil_elements_are_blank_or_nothing() {
        let text = "<r xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><a i:nil='true'/></r>";
        let template = "{% if body.r.a == nil %}nothing{% else %}[{{ body.r.a }}]{% endif %}";
        for (xsi_nil, expected) in [(XsiNil::Blank, "[]"), (XsiNil::Null, "nothing")] {
            let reading = Reading { xsi_nil, ..Reading::default() };
            let given = [("body", xml(text, reading).unwrap())];
            assert_eq!(render_with(template, &given), expected);
        }
    }

    #[test]
    fn an_element_hides_an_attribute_of_its_name() {
        assert_eq!(from_xml("{{ body.r.a }}", "<r a='1'><a>2</a></r>"), "2");
    }
}
