//! What is wrong with a pattern.

/// A pattern that is not compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The pattern is wrong; .NET throws an `ArgumentException` with this text.
    #[error("Invalid pattern '{pattern}' at offset {offset}. {what}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Where, in UTF-16 units.
        offset: usize,
        /// In .NET's words.
        what: String,
    },
    /// The pattern is larger than this engine takes.
    #[error("regular expression {0}")]
    TooLarge(String),
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn the_text_tells_the_place() {
        let error =
            Error::Pattern { pattern: "(".into(), offset: 1, what: "Not enough )'s.".into() };
        assert_eq!(error.to_string(), "Invalid pattern '(' at offset 1. Not enough )'s.");
    }
}
