//! What the value of an attribute is, in a word: for reference, editors and completion.

use std::fmt;

/// The kind of a value. The conversion of a value knows its kind ([`Convert::TYPE`]); a schema
/// says it where words and default do not tell.
///
/// [`Convert::TYPE`]: crate::Convert::TYPE
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Any text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// One of a few words.
    Word,
    /// A whole number.
    Integer,
    /// A number, perhaps with a fraction.
    Number,
    /// A whole number of seconds.
    Seconds,
    /// A whole number of milliseconds.
    Milliseconds,
    /// A status code.
    Status,
    /// The name of a header.
    HeaderName,
    /// An HTTP method.
    Method,
    /// An absolute URL.
    Url,
}

impl ValueType {
    /// Seconds and status codes are read as integers by policies that want more of them.
    pub(crate) fn may_be_read_as(self, read: ValueType) -> bool {
        let is_integer =
            matches!(self, ValueType::Seconds | ValueType::Milliseconds | ValueType::Status);
        self == read || read == ValueType::Integer && is_integer
    }

    /// What words and default tell.
    pub(crate) fn guess(words: &[&str], default: Option<&str>) -> ValueType {
        let is_boolean = |it: &str| matches!(it, "true" | "false");
        match default {
            _ if !words.is_empty() && words.iter().all(|it| is_boolean(it)) => ValueType::Boolean,
            _ if !words.is_empty() => ValueType::Word,
            Some(default) if is_boolean(default) => ValueType::Boolean,
            Some(default) if default.parse::<i64>().is_ok() => ValueType::Integer,
            _ => ValueType::Text,
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ValueType::Text => "text",
            ValueType::Boolean => "boolean",
            ValueType::Word => "word",
            ValueType::Integer => "integer",
            ValueType::Number => "number",
            ValueType::Seconds => "seconds",
            ValueType::Milliseconds => "milliseconds",
            ValueType::Status => "status code",
            ValueType::HeaderName => "header name",
            ValueType::Method => "HTTP method",
            ValueType::Url => "URL",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attr;

    #[test]
    fn words_and_defaults_tell_the_kind_unless_it_is_declared() {
        let of = |it: Attr| it.value_type().to_string();

        assert_eq!(of(Attr::optional("a", "true")), "boolean");
        assert_eq!(of(Attr::required("a").one_of(&["true", "false"])), "boolean");
        assert_eq!(of(Attr::optional("a", "7")), "integer");
        assert_eq!(of(Attr::optional("a", "x").one_of(&["x", "y"])), "word");
        assert_eq!(of(Attr::required("a")), "text");
        assert_eq!(of(Attr::optional("a", "7").of(ValueType::Seconds)), "seconds");
    }

    #[test]
    fn a_declared_kind_has_to_be_the_one_that_is_read() {
        let declared = Attr::required("a").of(ValueType::Seconds);

        assert!(declared.fits(ValueType::Seconds) && !declared.fits(ValueType::Boolean));
        assert!(declared.fits(ValueType::Integer));
        assert!(declared.fits(ValueType::Text), "the policy reads it in a way of its own");
        assert!(Attr::required("a").fits(ValueType::Integer));
    }
}
