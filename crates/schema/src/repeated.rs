//! Members that stand twice in one object of a JSON text.
//!
//! RFC 8259, section 4, leaves open which of them counts. A reader that takes another one than the
//! check does would see a value that nobody looked at.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Most characters of a member's name that are told.
const MAX_NAME_CHARS: usize = 100;

/// What is wrong with the first member that stands in its object a second time, and the line and
/// the position (both from 1) behind its name. `None` if there is none, or if the text is no JSON.
#[must_use]
pub fn repeated_member(text: &str) -> Option<(String, (usize, usize))> {
    let error = serde_json::from_str::<Unique>(text).err().filter(serde_json::Error::is_data)?;
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(it, _)| it);
    Some((message.to_owned(), (error.line(), error.column())))
}

/// A value whose objects have no member twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unique, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        while items.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            // A number comes as a map of one member when it is kept to the letter.
            if name.starts_with("$serde_json::private::") {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            if seen.contains(&name) {
                let shown: String = name.chars().take(MAX_NAME_CHARS).collect();
                return Err(A::Error::custom(format!("the member `{shown}` stands twice")));
            }
            members.next_value::<Unique>()?;
            seen.insert(name);
        }
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_twice_is_found_wherever_it_is() {
        for (text, expected) in [
            (r#"{"a":1,"A":2,"b":{"a":[1.5,-2,1e400,true,null,"x"]}}"#, None),
            ("[{\"a\":1},{\"a\":1}]", None),
            ("7", None),
            (r#"{"a":1,"a":1}"#, Some("the member `a` stands twice")),
            (r#"{"a":1,"\u0061":1}"#, Some("the member `a` stands twice")),
            (r#"[[{"x":{"b":1e999,"c":0,"b":2}}]]"#, Some("the member `b` stands twice")),
            (r#"{"a":1,"a""#, Some("the member `a` stands twice")),
            (r#"{"a":"#, None),
        ] {
            let found = repeated_member(text).map(|it| it.0);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn its_place_is_told_and_a_long_name_is_cut() {
        let (_, place) = repeated_member("{\"a\":1,\n \"a\":2}").unwrap();
        assert_eq!(place, (2, 4));
        let long = "é".repeat(1000);
        let (text, _) = repeated_member(&format!("{{\"{long}\":1,\"{long}\":2}}")).unwrap();
        assert_eq!(text.chars().count(), MAX_NAME_CHARS + "the member `` stands twice".len());
    }
}
