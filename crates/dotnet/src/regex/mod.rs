//! Regular expressions of .NET on our strings: matches, replacing, splitting.
//!
//! ```text
//! pattern -> Regex -> Match (groups, captures), replace, split
//! ```
//!
//! The engine is the crate `regex`. Here are the rules of .NET's `Regex` and `Match`: where the
//! next search begins, in which order texts are put together, how long a call may take.
//!
//! Start with [`Regex::new`].
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/regular-expressions>

mod engine;
mod found;
mod replace;

use ::regex::Error;

pub use ::regex::{Options, Span as Capture};
pub use engine::Regex;
pub use found::Match;
pub use replace::Replacement;

pub use crate::fault::Fault;
use crate::string::Str;

/// The exception of a pattern that is wrong, or the limit that it exceeds.
fn fault(error: &Error) -> Fault {
    match error {
        Error::Pattern { .. } => Fault::argument(error.to_string()),
        Error::TooLarge(_) => Fault::limit(error.to_string()),
    }
}

/// `Regex.Escape(text)`.
#[must_use]
pub fn escape(text: &Str) -> Str {
    Str::from_units(&::regex::escape(&text.units()))
}

/// `Regex.Unescape(text)`.
///
/// # Errors
///
/// `ArgumentException` of an unknown escape.
pub fn unescape(text: &Str) -> Result<Str, Fault> {
    ::regex::unescape(&text.units()).map(|it| Str::from_units(&it)).map_err(|it| fault(&it))
}

#[cfg(test)]
mod tests {
    use super::{escape, unescape};

    #[test]
    fn escaping_is_undone_by_unescaping() {
        let text = "a.b*c \u{1f600}\n".into();
        let escaped = escape(&text);
        assert_eq!(escaped, r"a\.b\*c\ 😀\n");
        assert_eq!(unescape(&escaped), Ok(text));
        assert_eq!(unescape(&r"\q".into()).unwrap_err().type_name, "System.ArgumentException");
    }
}
