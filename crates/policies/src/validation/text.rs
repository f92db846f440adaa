//! Parameters and headers are text: what type their schema gives them, and how it is read.
//!
//! Source: <https://spec.openapis.org/oas/v3.0.4#style-examples>

use pipeline::{Location, Parameter, Specification, Style};
use serde_json::{Map, Number, Value};

/// How often a reference to a schema may point to another one.
const MAX_HOPS: usize = 16;
/// How deep types are nested; deeper ones count as text.
const MAX_DEPTH: usize = 4;

/// What a schema makes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// What it looks like.
    Any,
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// A list of these.
    List(Box<Shape>),
    /// Members with their own types.
    Object(Vec<(String, Shape)>),
}

/// Why a text has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// There are several values where one belongs.
    Several,
    /// It cannot be read; says why.
    Bad(String),
}

impl Shape {
    /// The type that a schema gives.
    pub(crate) fn of(specification: &Specification, pointer: &str) -> Shape {
        match specification.document.pointer(pointer) {
            Some(schema) => shape(&specification.document, schema, MAX_DEPTH),
            None => Shape::Any,
        }
    }
}

fn shape<'a>(document: &'a Value, mut schema: &'a Value, depth: usize) -> Shape {
    for _ in 0..MAX_HOPS {
        let single = schema.get("allOf").and_then(Value::as_array).filter(|it| it.len() == 1);
        let reference = schema.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|it| document.pointer(it.strip_prefix('#')?));
        match target.or_else(|| single.and_then(|it| it.first())) {
            Some(target) => schema = target,
            None => break,
        }
    }
    let Some(depth) = depth.checked_sub(1) else { return Shape::Text };
    let name = match schema.get("type") {
        Some(Value::String(name)) => name.as_str(),
        Some(Value::Array(names)) => {
            let mut names = names.iter().filter_map(Value::as_str).filter(|it| *it != "null");
            match (names.next(), names.next()) {
                (Some(name), None) => name,
                _ => return Shape::Any,
            }
        }
        _ => return Shape::Any,
    };
    match name {
        "string" => Shape::Text,
        "integer" => Shape::Integer,
        "number" => Shape::Number,
        "boolean" => Shape::Bool,
        "array" => {
            let items = schema.get("items").map_or(Shape::Any, |it| shape(document, it, depth));
            Shape::List(Box::new(items))
        }
        "object" => {
            let members = schema.get("properties").and_then(Value::as_object);
            let members = members.into_iter().flatten();
            Shape::Object(
                members.map(|(key, it)| (key.clone(), shape(document, it, depth))).collect(),
            )
        }
        _ => Shape::Any,
    }
}

/// The values that a parameter may have, the likeliest first; one of them has to conform.
///
/// `texts` are the values as they came, decoded: the lines of a header, the values of a query
/// parameter. `members` are those of an object that is written as parameters of its own.
pub(crate) fn read(
    parameter: &Parameter,
    shape: &Shape,
    texts: &[&str],
    members: &[(String, String)],
) -> Result<Vec<Value>, Unread> {
    match (parameter.style, shape) {
        (Style::Json, _) => {
            let text = one(texts)?;
            let value = serde_json::from_str(text);
            value.map(|it| vec![it]).map_err(|error| Unread::Bad(error.to_string()))
        }
        (Style::Label | Style::Matrix, shape) => marked(parameter, shape, one(texts)?),
        (_, Shape::List(items)) => list(parameter, items, texts).map(|it| vec![it]),
        (Style::DeepObject, Shape::Object(shapes)) => object(members, shapes).map(|it| vec![it]),
        (Style::Form, Shape::Object(shapes)) if parameter.is_exploded => {
            object(members, shapes).map(|it| vec![it])
        }
        (_, Shape::Object(shapes)) => {
            let members = pairs(one(texts)?, ',', parameter.is_exploded)?;
            object(&members, shapes).map(|it| vec![it])
        }
        (_, shape) => candidates(one(texts)?, shape),
    }
}

fn one<'a>(texts: &[&'a str]) -> Result<&'a str, Unread> {
    match texts {
        [text] => Ok(text),
        _ => Err(Unread::Several),
    }
}

fn list(parameter: &Parameter, items: &Shape, texts: &[&str]) -> Result<Value, Unread> {
    let delimiter = match parameter.style {
        Style::SpaceDelimited => ' ',
        Style::PipeDelimited => '|',
        Style::TabDelimited => '\t',
        _ => ',',
    };
    let is_header = parameter.location == Location::Header;
    let parts: Vec<&str> = if parameter.is_exploded && parameter.location == Location::Query {
        texts.to_vec()
    } else if is_header {
        // Lines of a header are one list (RFC 9110, section 5.3).
        texts.iter().flat_map(|it| it.split(delimiter)).map(str::trim).collect()
    } else {
        one(texts)?.split(delimiter).collect()
    };
    let parts = if parts == [""] { Vec::new() } else { parts };
    parts.into_iter().map(|it| first(it, items)).collect()
}

fn object(members: &[(String, String)], shapes: &[(String, Shape)]) -> Result<Value, Unread> {
    let mut object = Map::new();
    for (name, text) in members {
        let shape = shapes.iter().find(|(it, _)| it == name).map_or(&Shape::Any, |(_, it)| it);
        if object.insert(name.clone(), first(text, shape)?).is_some() {
            return Err(Unread::Several);
        }
    }
    Ok(Value::Object(object))
}

/// A value with a mark in front: `.a,b` or `;x=a,b`. Exploded, each part has a mark: `.a.b`,
/// `;x=a;x=b`, `;name=value`.
fn marked(parameter: &Parameter, shape: &Shape, text: &str) -> Result<Vec<Value>, Unread> {
    let is_label = parameter.style == Style::Label;
    let mark = if is_label { '.' } else { ';' };
    let rest = text.strip_prefix(mark);
    let rest =
        rest.ok_or_else(|| Unread::Bad(format!("the value does not begin with `{mark}`")))?;
    let own = |part: &'_ str| match is_label {
        true => Ok(part.to_owned()),
        false => named(&parameter.name, part),
    };
    let is_exploded = parameter.is_exploded;
    match shape {
        Shape::Object(shapes) if is_exploded => {
            object(&pairs(rest, mark, true)?, shapes).map(|it| vec![it])
        }
        Shape::Object(shapes) => {
            object(&pairs(&own(rest)?, ',', false)?, shapes).map(|it| vec![it])
        }
        Shape::List(items) => {
            let parts: Vec<String> = match is_exploded {
                true => rest.split(mark).map(own).collect::<Result<_, _>>()?,
                false => own(rest)?.split(',').map(str::to_owned).collect(),
            };
            let parts = if parts == [""] { Vec::new() } else { parts };
            let values = parts.iter().map(|it| first(it, items)).collect::<Result<_, _>>()?;
            Ok(vec![Value::Array(values)])
        }
        shape => candidates(&own(rest)?, shape),
    }
}

/// The value of `name=value`; `name` alone is empty.
fn named(name: &str, part: &str) -> Result<String, Unread> {
    let (own, value) = part.split_once('=').unwrap_or((part, ""));
    let is_own = own == name;
    is_own.then(|| value.to_owned()).ok_or_else(|| Unread::Bad(format!("`{name}=` is missing")))
}

/// `a,1,b,2`, or `a=1,b=2` if exploded.
fn pairs(text: &str, delimiter: char, is_exploded: bool) -> Result<Vec<(String, String)>, Unread> {
    let bad = || Unread::Bad("names and values do not pair up".to_owned());
    let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut parts = text.split(delimiter);
    let mut found = Vec::new();
    while let Some(part) = parts.next() {
        found.push(if is_exploded {
            let (name, value) = part.split_once('=').ok_or_else(bad)?;
            owned(name, value)
        } else {
            owned(part, parts.next().ok_or_else(bad)?)
        });
    }
    Ok(found)
}

fn first(text: &str, shape: &Shape) -> Result<Value, Unread> {
    let mut found = candidates(text, shape)?;
    if found.is_empty() {
        Err(Unread::Bad("no value".to_owned()))
    } else {
        Ok(found.swap_remove(0))
    }
}

fn candidates(text: &str, shape: &Shape) -> Result<Vec<Value>, Unread> {
    let bad = |wanted: &str| Unread::Bad(format!("the value is not {wanted}"));
    match shape {
        Shape::Integer => integer(text).map(|it| vec![it]).ok_or_else(|| bad("an integer")),
        Shape::Number => number(text).map(|it| vec![it]).ok_or_else(|| bad("a number")),
        Shape::Bool => boolean(text).map(|it| vec![it]).ok_or_else(|| bad("`true` or `false`")),
        Shape::Any => {
            let text_itself = Some(Value::from(text));
            Ok([text_itself, number(text), boolean(text)].into_iter().flatten().collect())
        }
        Shape::Text | Shape::List(_) | Shape::Object(_) => Ok(vec![Value::from(text)]),
    }
}

fn integer(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_integer = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    if is_integer { number(text) } else { None }
}

/// The grammar of JSON: no plus sign, no leading zeros, no hexadecimal.
fn number(text: &str) -> Option<Value> {
    let is_plain = text.bytes().all(|it| it.is_ascii_digit() || b"+-.eE".contains(&it));
    if !is_plain {
        return None;
    }
    text.parse::<Number>().ok().map(Value::Number)
}

fn boolean(text: &str) -> Option<Value> {
    if text.eq_ignore_ascii_case("true") {
        return Some(Value::Bool(true));
    }
    text.eq_ignore_ascii_case("false").then_some(Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use pipeline::OpenApi;
    use serde_json::json;

    use super::*;

    fn of(schema: Value) -> Shape {
        let document = json!({"s": schema, "n": {"type": "integer"}});
        Shape::of(&Specification::new(OpenApi::V30, document), "/s")
    }

    fn query(style: Style, is_exploded: bool) -> Parameter {
        Parameter { location: Location::Query, style, is_exploded, ..Parameter::default() }
    }

    #[test]
    fn a_schema_gives_a_type() {
        let integers = Shape::List(Box::new(Shape::Integer));
        for (schema, shape) in [
            (json!({"type": "string"}), Shape::Text),
            (json!({"$ref": "#/n"}), Shape::Integer),
            (json!({"allOf": [{"$ref": "#/n"}]}), Shape::Integer),
            (json!({"type": ["null", "boolean"]}), Shape::Bool),
            (json!({"type": ["string", "number"]}), Shape::Any),
            (json!({"anyOf": [{"type": "string"}]}), Shape::Any),
            (json!({"type": "array", "items": {"$ref": "#/n"}}), integers),
            (
                json!({"type": "object", "properties": {"a": {"type": "number"}}}),
                Shape::Object(vec![("a".to_owned(), Shape::Number)]),
            ),
            (json!({"$ref": "#/s"}), Shape::Any),
        ] {
            assert_eq!(of(schema.clone()), shape, "{schema}");
        }
    }

    #[test]
    fn texts_become_values_of_their_type() {
        for (text, shape, expected) in [
            ("7", Shape::Integer, Some(json!(7))),
            ("-7", Shape::Integer, Some(json!(-7))),
            ("7.0", Shape::Integer, None),
            ("0x7", Shape::Integer, None),
            ("", Shape::Integer, None),
            ("1.5", Shape::Number, Some(json!(1.5))),
            ("Infinity", Shape::Number, None),
            ("TRUE", Shape::Bool, Some(json!(true))),
            ("1", Shape::Bool, None),
            ("1", Shape::Text, Some(json!("1"))),
            ("1", Shape::Any, Some(json!("1"))),
        ] {
            let found = read(&query(Style::Form, true), &shape, &[text], &[]);
            let found = found.ok().and_then(|it| it.first().map(ToString::to_string));
            assert_eq!(found, expected.map(|it| it.to_string()), "{text} {shape:?}");
        }
        let any = read(&query(Style::Form, true), &Shape::Any, &["1"], &[]).unwrap();
        assert_eq!(any.len(), 2);
        let several = read(&query(Style::Form, true), &Shape::Text, &["1", "2"], &[]);
        assert_eq!(several, Err(Unread::Several));
    }

    #[test]
    fn lists_are_written_in_several_ways() {
        let integers = Shape::List(Box::new(Shape::Integer));
        for (style, is_exploded, texts, expected) in [
            (Style::Form, true, vec!["1", "2"], Some("[1,2]")),
            (Style::Form, false, vec!["1,2"], Some("[1,2]")),
            (Style::Form, false, vec!["1", "2"], None),
            (Style::SpaceDelimited, false, vec!["1 2"], Some("[1,2]")),
            (Style::PipeDelimited, false, vec!["1|2"], Some("[1,2]")),
            (Style::TabDelimited, false, vec!["1\t2"], Some("[1,2]")),
            (Style::Form, false, vec![""], Some("[]")),
            (Style::Form, false, vec!["1,x"], None),
        ] {
            let found = read(&query(style, is_exploded), &integers, &texts, &[]);
            let found = found.ok().map(|it| it[0].to_string());
            assert_eq!(found.as_deref(), expected, "{style:?} {texts:?}");
        }
        let header = Parameter { location: Location::Header, ..Parameter::default() };
        let found = read(&header, &integers, &["1, 2", "3"], &[]).unwrap();
        assert_eq!(found[0].to_string(), "[1,2,3]");
    }

    #[test]
    fn labels_and_matrices_have_marks() {
        let integers = Shape::List(Box::new(Shape::Integer));
        let members = Shape::Object(vec![("R".to_owned(), Shape::Integer)]);
        for (style, is_exploded, shape, text, expected) in [
            (Style::Label, false, &Shape::Integer, ".5", Some("5")),
            (Style::Label, false, &Shape::Text, ".", Some("\"\"")),
            (Style::Label, false, &Shape::Integer, "5", None),
            (Style::Label, false, &integers, ".3,4", Some("[3,4]")),
            (Style::Label, true, &integers, ".3.4", Some("[3,4]")),
            (Style::Label, true, &integers, ".", Some("[]")),
            (Style::Label, false, &members, ".R,1,G,2", Some(r#"{"G":"2","R":1}"#)),
            (Style::Label, true, &members, ".R=1.G=2", Some(r#"{"G":"2","R":1}"#)),
            (Style::Label, true, &members, ".R.G", None),
            (Style::Matrix, false, &Shape::Integer, ";n=5", Some("5")),
            (Style::Matrix, false, &Shape::Text, ";n", Some("\"\"")),
            (Style::Matrix, false, &Shape::Integer, ";m=5", None),
            (Style::Matrix, false, &Shape::Integer, "n=5", None),
            (Style::Matrix, false, &integers, ";n=3,4", Some("[3,4]")),
            (Style::Matrix, true, &integers, ";n=3;n=4", Some("[3,4]")),
            (Style::Matrix, true, &integers, ";n=3;m=4", None),
            (Style::Matrix, false, &members, ";n=R,1,G,2", Some(r#"{"G":"2","R":1}"#)),
            (Style::Matrix, true, &members, ";R=1;G=2", Some(r#"{"G":"2","R":1}"#)),
            (Style::Matrix, true, &members, ";R=1;R=2", None),
        ] {
            let name = "n".to_owned();
            let parameter = Parameter { name, style, is_exploded, ..Parameter::default() };
            let found = read(&parameter, shape, &[text], &[]).ok();
            // Members are compared in the order of their names.
            let found = found.map(|it| match &it[0] {
                Value::Object(it) => {
                    let sorted: std::collections::BTreeMap<_, _> = it.iter().collect();
                    serde_json::to_string(&sorted).unwrap()
                }
                other => other.to_string(),
            });
            assert_eq!(found.as_deref(), expected, "{style:?} {is_exploded} {text}");
        }
    }

    #[test]
    fn objects_are_written_in_several_ways() {
        let shape = Shape::Object(vec![("a".to_owned(), Shape::Integer)]);
        let members = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "x".to_owned())];
        let text = |style, is_exploded, texts: &[&str]| {
            let found = read(&query(style, is_exploded), &shape, texts, &members);
            found.map(|it| it[0].to_string()).ok()
        };
        let expected = Some(r#"{"a":1,"b":"x"}"#.to_owned());
        assert_eq!(text(Style::DeepObject, true, &[]), expected);
        assert_eq!(text(Style::Form, true, &[]), expected);
        assert_eq!(text(Style::Form, false, &["a,1,b,x"]), expected);
        assert_eq!(text(Style::Simple, true, &["a=1,b=x"]), expected);
        assert_eq!(text(Style::Simple, true, &["a,1"]), None);
        assert_eq!(text(Style::Form, false, &["a,1,b"]), None);
        assert_eq!(text(Style::Json, false, &["{\"a\":1,\"b\":\"x\"}"]), expected);
        assert_eq!(text(Style::Json, false, &["{"]), None);
    }
}
