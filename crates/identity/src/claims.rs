//! What a token says, read the way policies need it.
//!
//! Source: RFC 7519, section 4.1.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::error::TokenError;

/// The claims of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    members: Map<String, Value>,
}

impl Claims {
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self { members }
    }

    /// All claims, in the token's order.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// The audiences: `aud` is a text or a list of texts; `None` if it is anything else.
    pub fn audiences(&self) -> Option<Vec<&str>> {
        match self.members.get("aud") {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::String(one)) => Some(vec![one]),
            Some(Value::Array(many)) => many.iter().map(Value::as_str).collect(),
            Some(_) => None,
        }
    }

    /// The second at which the token expires.
    ///
    /// # Errors
    ///
    /// [`TokenError::Malformed`] if `exp` is there but is not a number of seconds.
    pub fn expires(&self) -> Result<Option<SystemTime>, TokenError> {
        self.time("exp", "`exp` is not a time")
    }

    /// The second from which the token is valid.
    ///
    /// # Errors
    ///
    /// [`TokenError::Malformed`] if `nbf` is there but is not a number of seconds.
    pub fn not_before(&self) -> Result<Option<SystemTime>, TokenError> {
        self.time("nbf", "`nbf` is not a time")
    }

    /// The values of a claim as texts; `None` if the token does not have it.
    ///
    /// A list has one value for each member; a text has one, or several if `separator` splits
    /// it (empty parts are dropped); numbers, booleans and objects are their JSON text. `null`
    /// and an empty list are as good as absent.
    pub fn values(&self, name: &str, separator: Option<&str>) -> Option<Vec<String>> {
        let values = match self.members.get(name)? {
            Value::Null => return None,
            Value::Array(items) => {
                items.iter().filter(|it| !it.is_null()).map(text_of).collect::<Vec<_>>()
            }
            Value::String(text) => match separator.filter(|it| !it.is_empty()) {
                None => vec![text.clone()],
                Some(separator) => {
                    text.split(separator).filter(|it| !it.is_empty()).map(str::to_owned).collect()
                }
            },
            other => vec![text_of(other)],
        };
        let is_list = matches!(self.members.get(name), Some(Value::Array(_)));
        if values.is_empty() && is_list { None } else { Some(values) }
    }

    fn time(&self, name: &str, problem: &'static str) -> Result<Option<SystemTime>, TokenError> {
        let number = match self.members.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => number,
            Some(_) => return Err(TokenError::Malformed(problem)),
        };
        let seconds = match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(Duration::from_secs(u64::try_from(whole).unwrap_or(0))),
            (None, Some(fraction)) => Duration::try_from_secs_f64(fraction.floor().max(0.0)),
            (None, None) => return Err(TokenError::Malformed(problem)),
        };
        // A time that is further away than the clock can say is no time at all.
        let time = seconds.ok().and_then(|it| SystemTime::UNIX_EPOCH.checked_add(it));
        time.map(Some).ok_or(TokenError::Malformed(problem))
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str) -> Claims {
        Claims::new(crate::json::object(text.as_bytes()).unwrap())
    }

    #[test]
    fn the_audience_is_a_text_or_a_list_of_texts() {
        for (text, expected) in [
            (r#"{}"#, Some(vec![])),
            (r#"{"aud":"a"}"#, Some(vec!["a"])),
            (r#"{"aud":["a","b"]}"#, Some(vec!["a", "b"])),
            (r#"{"aud":["a",1]}"#, None),
            (r#"{"aud":7}"#, None),
            (r#"{"aud":{"a":"b"}}"#, None),
        ] {
            assert_eq!(claims(text).audiences(), expected, "{text}");
        }
    }

    #[test]
    fn times_are_whole_seconds_rounded_down() {
        let at = |text: &str| {
            claims(text)
                .expires()
                .map(|it| it.map(|it| it.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()))
        };
        assert_eq!(at("{}"), Ok(None));
        assert_eq!(at(r#"{"exp":null}"#), Ok(None));
        assert_eq!(at(r#"{"exp":100}"#), Ok(Some(100)));
        assert_eq!(at(r#"{"exp":100.9}"#), Ok(Some(100)));
        assert_eq!(at(r#"{"exp":1e3}"#), Ok(Some(1000)));
        assert_eq!(at(r#"{"exp":-5}"#), Ok(Some(0)));
        for wrong in [
            r#"{"exp":"100"}"#,
            r#"{"exp":1e400}"#,
            r#"{"exp":[1]}"#,
            r#"{"exp":true}"#,
            r#"{"exp":1e30}"#,
        ] {
            assert_eq!(at(wrong), Err(TokenError::Malformed("`exp` is not a time")), "{wrong}");
        }
    }

    #[test]
    fn values_follow_the_shape_of_the_claim() {
        let all = claims(
            r#"{"s":"a b  c","l":["x","y z",1,null],"n":1.50,"b":true,"o":{"k":[1]},"z":null,"e":[],"t":""}"#,
        );
        let values = |name: &str, separator: Option<&str>| all.values(name, separator);
        let texts = |it: &[&str]| Some(it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());

        assert_eq!(values("s", None), texts(&["a b  c"]));
        assert_eq!(values("s", Some("")), texts(&["a b  c"]));
        assert_eq!(values("s", Some(" ")), texts(&["a", "b", "c"]));
        assert_eq!(values("l", Some(" ")), texts(&["x", "y z", "1"]));
        assert_eq!(values("n", None), texts(&["1.50"]));
        assert_eq!(values("b", None), texts(&["true"]));
        assert_eq!(values("o", None), texts(&[r#"{"k":[1]}"#]));
        assert_eq!(values("t", None), texts(&[""]));
        for absent in ["z", "e", "none"] {
            assert_eq!(values(absent, None), None, "{absent}");
        }
    }
}
