//! Environment variables, read once, so that a load sees one state of them.

use std::collections::BTreeMap;
use std::fmt;

/// Prefix of variables that set a named value.
const NAMED_VALUE: &str = "PORTCULLIS_NAMED_VALUE_";
/// Prefix of variables that set a subscription's primary key.
const KEY: &str = "PORTCULLIS_KEY_";

/// The variables. `Debug` shows their number only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process; those that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// Sets a variable, as an `--env-file` does.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value that `PORTCULLIS_NAMED_VALUE_<NAME>` gives a named value.
    pub fn named_value(&self, name: &str) -> Option<&str> {
        self.get(&format!("{NAMED_VALUE}{}", shout(name)))
    }

    /// The key that `PORTCULLIS_KEY_<SUBSCRIPTION>` gives a subscription.
    pub fn key(&self, subscription: &str) -> Option<&str> {
        self.get(&format!("{KEY}{}", shout(subscription)))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

/// A name as variables are written: upper case, anything but letters and digits as `_`.
fn shout(name: &str) -> String {
    name.chars()
        .map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_uppercase() } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_upper_case_with_underscores() {
        let variables: Environment = [
            ("PORTCULLIS_NAMED_VALUE_OPENAI_API_KEY", "a"),
            ("PORTCULLIS_KEY_TEAM_1", "b"),
            ("X", "c"),
        ]
        .into_iter()
        .collect();
        assert_eq!(variables.named_value("openai-api.key"), Some("a"));
        assert_eq!(variables.key("team 1"), Some("b"));
        assert_eq!((variables.get("X"), variables.get("Y")), (Some("c"), None));
        assert!(
            !format!("{variables:?}").contains('a') || !format!("{variables:?}").contains("\"a\"")
        );
    }
}
