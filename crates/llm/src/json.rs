//! JSON that is looked into without being built: a text, and members picked out of it.
//!
//! A look costs one pass over the text of the value and no allocation. It is made for events that
//! come by the hundred a second, so it is no judge: what is no JSON has the members that stand before
//! the mistake, and brackets are only counted, those of one kind. Of members of one name the last counts.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr2, memchr3};
use serde::de::Visitor;

/// A JSON value in a text. `Debug` shows its length only.
#[derive(Clone, Copy)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// The value that these bytes are; none if they are not UTF-8. Whether they are JSON shows when
    /// they are looked into.
    #[must_use]
    pub fn of_bytes(bytes: &'a [u8]) -> Option<Json<'a>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Some(Json(text.trim_ascii()))
    }

    /// Its text, as it stands.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.0
    }

    /// Whether it is an object, as far as its first letter tells.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Whether it is an array, as far as its first letter tells.
    #[must_use]
    pub fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    /// The members of these names, `null` being none; all of them none if this is no object.
    #[must_use]
    pub fn pick<const N: usize>(self, names: [&str; N]) -> [Option<Json<'a>>; N] {
        let mut found = [None; N];
        picked(self.0, 0, &names, &mut found);
        found
    }

    /// The member of this name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Json<'a>> {
        let [found] = self.pick([name]);
        found
    }

    /// The member at the end of these names.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Json<'a>> {
        path.iter().try_fold(self, |it, name| it.get(name))
    }

    /// Hands over the items of an array, one after the other; none if it is something else.
    pub fn each(self, mut item: impl FnMut(Json<'a>)) {
        each_item(self.0, |at| {
            let end = value_end(self.0.as_bytes(), at)?;
            item(Json(self.0.get(at..end)?));
            Some(end)
        });
    }

    /// Hands over the members of these names of each object of an array, in one pass; items that
    /// are no objects have none.
    pub(crate) fn each_picked<const N: usize>(
        self,
        names: [&str; N],
        mut item: impl FnMut([Option<Json<'a>>; N]),
    ) {
        each_item(self.0, |at| {
            let mut found = [None; N];
            let end = match self.0.as_bytes().get(at)? {
                b'{' => picked(self.0, at, &names, &mut found),
                _ => value_end(self.0.as_bytes(), at),
            };
            item(found);
            end
        });
    }

    /// Names and values of an object.
    pub fn each_member(self, mut member: impl FnMut(Cow<'a, str>, Json<'a>)) {
        members(self.0, 0, |name, value| member(unescaped(name), value));
    }

    /// Names, as they stand between their quotes, and values of an object.
    pub(crate) fn each_raw_member(self, member: impl FnMut(&'a str, Json<'a>)) {
        members(self.0, 0, member);
    }

    /// How many items an array has; none if it is something else.
    #[must_use]
    pub fn n_items(self) -> Option<usize> {
        let mut n = 0;
        self.each(|_| n += 1);
        self.is_array().then_some(n)
    }

    /// The text that it is, if it is one. A half of a surrogate pair becomes a replacement mark.
    #[must_use]
    pub fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        match serde_json::from_str::<String>(self.0) {
            Ok(text) => Some(Cow::Owned(text)),
            Err(_) => {
                let bytes: lossy::Lossy = serde_json::from_str(self.0).ok()?;
                Some(Cow::Owned(bytes.0))
            }
        }
    }

    /// The whole number that it is, if it is one from 0 to 2^64 - 1; `12.0` is 12.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        let whole = match self.0.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|it| it == b'0') => whole,
            Some(_) => return None,
            None => self.0,
        };
        whole.parse().ok()
    }

    /// Whether it is `true`.
    #[must_use]
    pub fn is_true(self) -> bool {
        self.0 == "true"
    }
}

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.0.len())
    }
}

/// Finds the members of these names in the object at a place; gives where the object ends.
fn picked<'a>(
    text: &'a str,
    at: usize,
    names: &[&str],
    found: &mut [Option<Json<'a>>],
) -> Option<usize> {
    members(text, at, |name, value| {
        let is_name = |it: &&str| match name.contains('\\') {
            true => *unescaped(name) == **it,
            false => *it == name,
        };
        let slot = names.iter().position(is_name);
        if let Some(slot) = slot.and_then(|it| found.get_mut(it)) {
            *slot = (value.0 != "null").then_some(value);
        }
    })
}

/// Hands over the members of the object at a place, names as they stand between their quotes; gives
/// where the object ends.
fn members<'a>(
    text: &'a str,
    at: usize,
    mut member: impl FnMut(&'a str, Json<'a>),
) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = space_end(bytes, opened(bytes, at, b'{')?);
    if bytes.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        let name_end = string_end(bytes, at)?;
        let name = text.get(at + 1..name_end - 1)?;
        let colon = space_end(bytes, name_end);
        let start = space_end(bytes, opened(bytes, colon, b':')?);
        let end = value_end(bytes, start)?;
        member(name, Json(text.get(start..end)?));
        at = space_end(bytes, end);
        match bytes.get(at)? {
            b',' => at = space_end(bytes, at + 1),
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Hands over where the items of an array begin; told where each ends.
fn each_item(text: &str, mut item: impl FnMut(usize) -> Option<usize>) {
    let bytes = text.as_bytes();
    let Some(begin) = opened(bytes, 0, b'[') else { return };
    let mut at = space_end(bytes, begin);
    if bytes.get(at) == Some(&b']') {
        return;
    }
    while let Some(end) = item(at) {
        let next = space_end(bytes, end);
        if bytes.get(next) != Some(&b',') {
            return;
        }
        at = space_end(bytes, next + 1);
    }
}

/// What is behind a byte that has to stand there.
fn opened(bytes: &[u8], at: usize, expected: u8) -> Option<usize> {
    (bytes.get(at) == Some(&expected)).then_some(at + 1)
}

fn space_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_space = |it: &&u8| matches!(it, b' ' | b'\n' | b'\r' | b'\t');
    at + rest.iter().take_while(is_space).count()
}

/// Where the value at a place ends; none if the text ends before. It has at least one byte.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at),
        b'{' | b'[' => container_end(bytes, at),
        b',' | b':' | b'}' | b']' => None,
        _ => {
            let rest = bytes.get(at..)?;
            let is_end = |it: &u8| matches!(it, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            rest.iter().position(is_end).map(|it| at + it)
        }
    }
}

/// Brackets of one kind are counted: in JSON those of the other are in pairs in between.
fn container_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (open, close) = match bytes.get(at)? {
        b'{' => (b'{', b'}'),
        _ => (b'[', b']'),
    };
    let (mut at, mut depth) = (at, 0_usize);
    loop {
        let rest = bytes.get(at..)?;
        let found = memchr3(b'"', open, close, rest)?;
        at += found;
        let byte = *rest.get(found)?;
        if byte == b'"' {
            at = string_end(bytes, at)?;
            continue;
        }
        at += 1;
        depth = if byte == open { depth + 1 } else { depth.saturating_sub(1) };
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Where the string at a place ends, behind its quote.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = opened(bytes, at, b'"')?;
    loop {
        let rest = bytes.get(at..)?;
        let found = memchr2(b'"', b'\\', rest)?;
        at += found + 1;
        if rest.get(found) == Some(&b'"') {
            return Some(at);
        }
        // Whatever is escaped is one byte at least, and ASCII if it is right.
        at += 1;
    }
}

/// A name without its escapes.
fn unescaped(name: &str) -> Cow<'_, str> {
    if !name.contains('\\') {
        return Cow::Borrowed(name);
    }
    let quoted = format!("\"{name}\"");
    serde_json::from_str(&quoted).map_or(Cow::Borrowed(name), Cow::Owned)
}

/// Strings that are no Unicode, read as bytes.
mod lossy {
    use super::{Visitor, fmt};

    /// A text with replacement marks for what is no Unicode.
    pub(super) struct Lossy(pub(super) String);

    impl<'de> serde::Deserialize<'de> for Lossy {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Lossy, D::Error> {
            from.deserialize_bytes(Bytes)
        }
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Lossy;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Lossy, E> {
            Ok(Lossy(String::from_utf8_lossy(bytes).into_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Json<'_> {
        Json::of_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn members_are_picked_and_null_is_none() {
        let json =
            of("\u{feff} {\"a\":1,\"b\":{\"c\":[1,2]},\"n\":null,\"\\u0061b\":true,\"a\":2} ");
        let [a, b, n, ab, absent] = json.pick(["a", "b", "n", "ab", "x"]);
        assert_eq!(a.unwrap().number(), Some(2), "the last counts");
        assert_eq!(b.unwrap().at(&["c"]).unwrap().n_items(), Some(2));
        assert!(n.is_none() && absent.is_none() && ab.unwrap().is_true());
        assert!(json.at(&["b", "c", "d"]).is_none());
    }

    #[test]
    fn what_is_no_json_has_what_stands_before_the_mistake() {
        assert_eq!(of("{\"a\":1, oops").get("a").unwrap().number(), Some(1));
        for text in ["", "[", "nul", "{", "7", "\"{\"", "<html>"] {
            assert!(of(text).get("a").is_none(), "{text}");
        }
        assert!(Json::of_bytes(b"\xff{}").is_none());
        let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
        assert!(of(&deep).at(&["a"; 150]).is_some(), "each look goes one level down");
        assert!(of(&"[".repeat(100_000)).get("a").is_none());
    }

    #[test]
    fn values_are_read_as_what_they_are() {
        assert_eq!(of("\"a\"").string().unwrap(), "a");
        assert_eq!(of("\"\\u00e9\\n\\ud83d\\ude00\"").string().unwrap(), "\u{e9}\n\u{1f600}");
        assert!(of("\"a\\ud83d\"").string().unwrap().starts_with('a'), "half a surrogate pair");
        assert!(of("\"\\x\"").string().is_none() && of("7").string().is_none());
        for (text, expected) in
            [("12", Some(12)), ("12.0", Some(12)), ("1.5", None), ("-1", None), ("\"1\"", None)]
        {
            assert_eq!(of(text).number(), expected, "{text}");
        }
        let mut seen = Vec::new();
        of("{\"a\":1,\"b\":\"x\"}").each_member(|name, it| seen.push((name, it.text().to_owned())));
        assert_eq!(seen, [("a".into(), "1".into()), ("b".into(), "\"x\"".to_owned())]);
        assert_eq!(of("{}").n_items(), None);
    }

    proptest::proptest! {
        /// The same members and items as a reader that builds the value.
        #[test]
        fn any_json_has_the_members_that_it_has(value in values(), is_pretty: bool) {
            let text = match is_pretty {
                true => serde_json::to_string_pretty(&value).unwrap(),
                false => value.to_string(),
            };
            same(of(&text), &value);
        }

        #[test]
        fn any_text_is_looked_into_without_harm(text in "[\\[\\]{}:,\"\\\\a é0]{0,40}") {
            let json = of(&text);
            json.each(|it| { let _ = it.pick(["a", ""]); });
            json.each_picked(["a"], |_| ());
            json.each_member(|_, it| { let _ = (it.string(), it.number()); });
        }
    }

    fn values() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<u64>().prop_map(serde_json::Value::from),
            "[a-z\"\\\\{}\\[\\]\n é,:]{0,40}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                proptest::collection::vec(("[a-c\"\\\\é ]{0,3}", inner), 0..5)
                    .prop_map(|all| { serde_json::Value::Object(all.into_iter().collect()) }),
            ]
        })
    }

    fn same(json: Json<'_>, value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(members) => {
                let mut n = 0;
                json.each_member(|name, it| {
                    same(it, &members[&*name]);
                    n += 1;
                });
                assert_eq!(n, members.len());
                for (name, value) in members {
                    assert_eq!(json.get(name).is_none(), value.is_null());
                }
            }
            serde_json::Value::Array(items) => {
                let (mut n, mut n_picked) = (0, 0);
                json.each(|it| {
                    same(it, &items[n]);
                    n += 1;
                });
                json.each_picked(["a"], |[a]| {
                    let expected = items[n_picked].get("a").is_some_and(|it| !it.is_null());
                    assert_eq!(a.is_some(), expected);
                    n_picked += 1;
                });
                assert_eq!((n, n_picked), (items.len(), items.len()));
            }
            serde_json::Value::String(text) => assert_eq!(json.string().unwrap(), text.as_str()),
            serde_json::Value::Number(number) => assert_eq!(json.number(), number.as_u64()),
            other => assert_eq!(json.text(), other.to_string()),
        }
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", of("\"hunter2\"")), "Json(9 bytes)");
    }
}
