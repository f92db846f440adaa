//! A name or a value of a query, with how it is written: encoded when the document is loaded.

use std::borrow::Cow;
use std::fmt;

use expr::Value;

use crate::convert::{Convert, Unfit};
use crate::url::encode;

/// A name or a value of a query. As the text of a policy it has no white space around it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct QueryText {
    text: Box<str>,
    /// Percent-encoded; none if it is written as it reads.
    encoded: Option<Box<str>>,
}

impl QueryText {
    /// Of a text that is not encoded yet.
    #[must_use]
    pub fn new(text: &str) -> QueryText {
        let encoded = encode(text);
        let encoded = (encoded != text).then(|| encoded.into_boxed_str());
        QueryText { text: text.into(), encoded }
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How it stands in a query.
    #[must_use]
    pub fn written(&self) -> &str {
        self.encoded.as_deref().unwrap_or(&self.text)
    }
}

impl fmt::Debug for QueryText {
    /// It may be a key, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueryText(..)")
    }
}

impl Convert for QueryText {
    const TAKES_NULL: bool = true;
    const NULL_IS_EMPTY: bool = true;

    fn from_text(text: &str) -> Result<QueryText, Unfit> {
        Ok(QueryText::new(text.trim()))
    }

    fn from_value(value: Value) -> Result<QueryText, Unfit> {
        let text: Cow<'_, str> = value.to_text();
        Ok(QueryText::new(text.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_as_it_is_written_is_kept_once() {
        for (given, text, written) in [
            (" api-key ", "api-key", "api-key"),
            ("a b", "a b", "a%20b"),
            ("", "", ""),
            ("ü", "ü", "%C3%BC"),
        ] {
            let it = QueryText::from_text(given).unwrap();
            assert_eq!((it.text(), it.written()), (text, written));
            assert_eq!(it.encoded.is_none(), text == written);
        }
    }

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(format!("{:?}", QueryText::new("hunter2")), "QueryText(..)");
    }
}
