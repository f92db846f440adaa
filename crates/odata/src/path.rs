//! The path below a service's root: `/People('a')/Trips/$count`.
//!
//! Source: OData Version 4.01, part 2, section 4.

use crate::decoded;
use crate::expression::Reader;

/// Segments of a path.
const MAX_SEGMENTS: usize = 64;
/// Segments that start with `$`, and whether something may follow them.
const SYSTEM: &[(&str, bool)] = &[
    ("$all", true),
    ("$batch", false),
    ("$count", false),
    ("$crossjoin", false),
    ("$each", true),
    ("$entity", true),
    ("$filter", true),
    ("$metadata", false),
    ("$query", false),
    ("$ref", false),
    ("$root", true),
    ("$value", false),
];

/// What a path is about, as far as query options care.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Its last segment, if that starts with `$`.
    pub(crate) last: Option<String>,
}

/// Checks a path as received.
pub(crate) fn check(path: &str) -> Result<Resource, String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Resource::default());
    }
    let segments: Vec<&str> = path.split('/').collect();
    if segments.len() > MAX_SEGMENTS {
        return Err(format!("it has more than {MAX_SEGMENTS} segments"));
    }
    let mut last = None;
    for (at, segment) in segments.iter().enumerate() {
        let text = decoded(segment).ok_or("it is no text in UTF-8")?;
        let is_end = at + 1 == segments.len();
        last = one(&text, is_end)?;
    }
    Ok(Resource { last })
}

/// Checks a segment; gives its name if that starts with `$`.
fn one(text: &str, is_end: bool) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Err("a segment is empty".to_owned());
    }
    let name: String = text.chars().take_while(|it| *it != '(').collect();
    let rest = text.get(name.len()..).unwrap_or_default();
    if name.starts_with('$') {
        let known = SYSTEM.iter().find(|(it, _)| *it == name);
        let (_, may_go_on) = known.ok_or_else(|| format!("`{name}` is no system resource"))?;
        if !may_go_on && !is_end {
            return Err(format!("nothing may follow `{name}`"));
        }
        let needs = matches!(name.as_str(), "$crossjoin" | "$filter");
        if needs == rest.is_empty() {
            return Err(format!("`{name}` has arguments where it must not, or lacks them"));
        }
    }
    if !rest.is_empty() {
        arguments(rest)?;
    }
    // A key may be a segment of its own, so that any text may be one.
    Ok(name.starts_with('$').then_some(name))
}

/// A key, or arguments of a function: `(1)`, `('a')`, `(a=1,b=@p)`, `()`.
fn arguments(text: &str) -> Result<(), String> {
    let mut reader = Reader::new(text)?;
    if !reader.sign('(') {
        return reader.end();
    }
    if reader.sign(')') {
        return after(reader);
    }
    loop {
        reader.expression()?;
        if reader.sign('=') {
            reader.expression()?;
        }
        if reader.sign(')') {
            return after(reader);
        }
        if !reader.sign(',') {
            return reader.end().and(Err("a parenthesis is not closed".to_owned()));
        }
    }
}

/// A function's result may have a key.
fn after(mut reader: Reader) -> Result<(), String> {
    if reader.sign('(') {
        reader.expression()?;
        if !reader.sign(')') {
            return reader.end().and(Err("a parenthesis is not closed".to_owned()));
        }
    }
    reader.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_specification_are_right() {
        for path in [
            "",
            "/",
            "/$metadata",
            "/$batch",
            "/People",
            "/People/",
            "/People('O''Neil')",
            "/People(1)",
            "/People/1",
            "/Orders(a=1,b='x')/Items",
            "/People('%C3%A9')/Name/$value",
            "/People/$count",
            "/People/Ns.Employee",
            "/Ns.Nearest(lat=1.5,lon=@lon)(3)/Name",
            "/$entity/Ns.Employee",
            "/$crossjoin(A,B)",
            "/People/$filter(@f)/$each",
            "/People('a')/Friends/$ref",
            "/Now()",
        ] {
            assert!(check(path).is_ok(), "{path}: {:?}", check(path));
        }
        assert_eq!(check("/People/$count").unwrap().last.as_deref(), Some("$count"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (path, expected) in [
            ("//People", "a segment is empty"),
            ("/$meta", "`$meta` is no system resource"),
            ("/$metadata/x", "nothing may follow `$metadata`"),
            ("/People(1", "a parenthesis is not closed"),
            ("/People('a)", "a quotation does not end"),
            ("/People(1)x", "`x` is not expected"),
            ("/People/$count(1)", "`$count` has arguments where it must not, or lacks them"),
            ("/People/$filter", "`$filter` has arguments where it must not, or lacks them"),
            ("/People(%FF)", "it is no text in UTF-8"),
        ] {
            assert_eq!(check(path).unwrap_err(), expected, "{path}");
        }
        assert!(check(&"/a".repeat(100)).is_err());
    }
}
