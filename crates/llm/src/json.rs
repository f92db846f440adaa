//! JSON that is looked into without being built: a text, and members picked out of it.
//!
//! A look costs one pass over the text of the value and no allocation. What is not JSON, or nests
//! deeper than 128 levels, has no members. Of members of one name the last counts.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

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
        if self.is_object() {
            let mut reader = serde_json::Deserializer::from_str(self.0);
            // What stands before the place where the text stops being JSON is worth having.
            let _ = reader.deserialize_map(Pick { names: &names, found: &mut found });
        }
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
        if self.is_array() {
            let mut reader = serde_json::Deserializer::from_str(self.0);
            let _ = reader.deserialize_seq(Each { item: &mut item });
        }
    }

    /// Names and values of an object.
    pub fn each_member(self, mut member: impl FnMut(Cow<'a, str>, Json<'a>)) {
        if self.is_object() {
            let mut reader = serde_json::Deserializer::from_str(self.0);
            let _ = reader.deserialize_map(EachMember { member: &mut member });
        }
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

fn json(raw: &RawValue) -> Option<Json<'_>> {
    let text = raw.get();
    (text != "null").then_some(Json(text))
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

struct Pick<'p, 'a> {
    names: &'p [&'p str],
    found: &'p mut [Option<Json<'a>>],
}

impl<'a> Visitor<'a> for Pick<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            let slot = self.names.iter().position(|it| **it == *name);
            match slot.and_then(|it| self.found.get_mut(it)) {
                Some(slot) => *slot = json(map.next_value::<&'a RawValue>()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct Each<'p, F> {
    item: &'p mut F,
}

impl<'a, F: FnMut(Json<'a>)> Visitor<'a> for Each<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut items: S) -> Result<(), S::Error> {
        while let Some(raw) = items.next_element::<&'a RawValue>()? {
            (self.item)(Json(raw.get()));
        }
        Ok(())
    }
}

struct EachMember<'p, F> {
    member: &'p mut F,
}

impl<'a, F: FnMut(Cow<'a, str>, Json<'a>)> Visitor<'a> for EachMember<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            let raw: &'a RawValue = map.next_value()?;
            (self.member)(name, Json(raw.get()));
        }
        Ok(())
    }
}

/// A name, borrowed where it has no escapes.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<Cow<'a, str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'a str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
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

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", of("\"hunter2\"")), "Json(9 bytes)");
    }
}
