//! Values as they stand in paths, queries, headers and forms.
//!
//! Source: <https://spec.openapis.org/oas/v3.0.4#style-values>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pipeline::{Parameter, Style};
use serde_json::{Map, Value};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encoded.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A text as it is, anything else as JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The members of a list or object: keys and values; a single value has no key.
fn parts(value: &Value) -> Vec<(Option<String>, String)> {
    match value {
        Value::Array(items) => items.iter().map(|it| (None, plain(it))).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, it)| (Some(key.clone()), plain(it))).collect()
        }
        other => vec![(None, plain(other))],
    }
}

/// `a,b`, `k,v` or `k=v`, each part as `write` has it.
fn joined(
    value: &Value,
    is_exploded: bool,
    separator: &str,
    write: impl Fn(&str) -> String,
) -> String {
    let between = if is_exploded { "=" } else { separator };
    let part = |(key, value): (Option<String>, String)| match key {
        None => write(&value),
        Some(key) => format!("{}{between}{}", write(&key), write(&value)),
    };
    parts(value).into_iter().map(part).collect::<Vec<_>>().join(separator)
}

/// A value in a path.
///
/// # Errors
///
/// One that would not be a segment.
pub(super) fn path(
    parameter: &Parameter,
    value: &Value,
    is_catch_all: bool,
) -> Result<String, String> {
    let check = |text: &str| match text {
        "" => Err("cannot be empty".to_owned()),
        "." | ".." => Err(format!("cannot be `{text}`")),
        _ => Ok(()),
    };
    if is_catch_all {
        let text = plain(value);
        let segments = text.trim_start_matches('/').split('/');
        return segments
            .map(
                |it| if it.is_empty() { Ok(String::new()) } else { check(it).map(|()| encode(it)) },
            )
            .collect::<Result<Vec<_>, _>>()
            .map(|it| it.join("/"));
    }
    let exploded = parameter.is_exploded;
    let text = match parameter.style {
        Style::Json => encode(&value.to_string()),
        Style::Label if exploded => format!(".{}", joined(value, true, ".", encode)),
        Style::Label => format!(".{}", joined(value, false, ",", encode)),
        Style::Matrix => matrix(parameter, value),
        Style::SpaceDelimited => joined(value, exploded, "%20", encode),
        Style::PipeDelimited => joined(value, exploded, "%7C", encode),
        Style::TabDelimited => joined(value, exploded, "%09", encode),
        Style::Simple | Style::Form | Style::DeepObject => joined(value, exploded, ",", encode),
    };
    check(&text).map(|()| text)
}

fn matrix(parameter: &Parameter, value: &Value) -> String {
    let name = encode(&parameter.name);
    if !parameter.is_exploded {
        return format!(";{name}={}", joined(value, false, ",", encode));
    }
    let part = |(key, value): (Option<String>, String)| {
        format!(";{}={}", key.map_or(name.clone(), |it| encode(&it)), encode(&value))
    };
    parts(value).into_iter().map(part).collect()
}

/// The pairs of a value in a query.
pub(super) fn query(parameter: &Parameter, value: &Value) -> Vec<String> {
    let name = encode(&parameter.name);
    let separator = match parameter.style {
        Style::Json => return vec![format!("{name}={}", encode(&value.to_string()))],
        Style::SpaceDelimited => "%20",
        Style::PipeDelimited => "%7C",
        Style::TabDelimited => "%09",
        _ => ",",
    };
    let is_deep = parameter.style == Style::DeepObject;
    let is_list = value.is_array() || value.is_object();
    if is_list && (parameter.is_exploded || is_deep) {
        let pair = |(key, value): (Option<String>, String)| match key {
            Some(key) if is_deep => format!("{name}%5B{}%5D={}", encode(&key), encode(&value)),
            Some(key) => format!("{}={}", encode(&key), encode(&value)),
            None => format!("{name}={}", encode(&value)),
        };
        return parts(value).into_iter().map(pair).collect();
    }
    vec![format!("{name}={}", joined(value, false, separator, encode))]
}

/// A value in a header.
pub(super) fn simple(parameter: &Parameter, value: &Value) -> String {
    match parameter.style {
        Style::Json => value.to_string(),
        _ => joined(value, parameter.is_exploded, ",", str::to_owned),
    }
}

/// The members of an object as a form; lists are repeated.
pub(super) fn fields(members: &Map<String, Value>) -> String {
    let pairs = members.iter().flat_map(|(name, value)| {
        let values = match value {
            Value::Array(items) => items.iter().map(plain).collect(),
            other => vec![plain(other)],
        };
        values.into_iter().map(move |it| format!("{}={}", encode(name), encode(&it)))
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameter(style: Style, is_exploded: bool) -> Parameter {
        Parameter { name: "p".to_owned(), style, is_exploded, ..Parameter::default() }
    }

    #[test]
    fn queries_are_written_in_every_style() {
        let list = json!(["a b", 1]);
        let object = json!({ "k": "v", "l": 2 });
        for (style, is_exploded, value, expected) in [
            (Style::Form, true, &list, "p=a%20b&p=1"),
            (Style::Form, false, &list, "p=a%20b,1"),
            (Style::SpaceDelimited, false, &list, "p=a%20b%201"),
            (Style::PipeDelimited, false, &list, "p=a%20b%7C1"),
            (Style::TabDelimited, false, &list, "p=a%20b%091"),
            (Style::Form, true, &object, "k=v&l=2"),
            (Style::Form, false, &object, "p=k,v,l,2"),
            (Style::DeepObject, true, &object, "p%5Bk%5D=v&p%5Bl%5D=2"),
            (Style::Json, false, &object, "p=%7B%22k%22%3A%22v%22%2C%22l%22%3A2%7D"),
            (Style::Form, true, &json!("x&y"), "p=x%26y"),
        ] {
            assert_eq!(query(&parameter(style, is_exploded), value).join("&"), expected);
        }
    }

    #[test]
    fn paths_are_written_in_every_style() {
        let list = json!(["a", "b"]);
        let object = json!({ "k": "v" });
        for (style, is_exploded, value, expected) in [
            (Style::Simple, false, &list, "a,b"),
            (Style::Simple, true, &object, "k=v"),
            (Style::Simple, false, &object, "k,v"),
            (Style::Label, false, &list, ".a,b"),
            (Style::Label, true, &list, ".a.b"),
            (Style::Matrix, false, &list, ";p=a,b"),
            (Style::Matrix, true, &list, ";p=a;p=b"),
            (Style::Matrix, true, &object, ";k=v"),
        ] {
            assert_eq!(path(&parameter(style, is_exploded), value, false).unwrap(), expected);
        }
        let it = parameter(Style::Simple, false);
        assert_eq!(path(&it, &json!(".."), false).unwrap_err(), "cannot be `..`");
        assert_eq!(path(&it, &json!("/a//b"), true).unwrap(), "a//b");
    }

    #[test]
    fn headers_are_simple() {
        let it = parameter(Style::Simple, false);
        assert_eq!(simple(&it, &json!(["a b", true])), "a b,true");
        assert_eq!(simple(&parameter(Style::Json, false), &json!("a")), "\"a\"");
    }
}
