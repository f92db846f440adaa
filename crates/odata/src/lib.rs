//! OData requests: the syntax of versions, paths and query options.
//!
//! ```text
//! path ─▶ path::check ─┐
//! query ─▶ options::check ─▶ expression ─▶ Vec<Violation>
//! ```
//!
//! Start with [`check_url`] and [`Version::parse`]. Only the syntax is looked at: which entities and
//! properties a service has stands in its metadata, which nobody reads here. Every reader is
//! bounded in depth; the length of a URL is bounded by whoever received it.
//!
//! Source: OData Version 4.01, part 2, and its ABNF construction rules.

mod expression;
mod lexer;
mod options;
mod path;
mod version;

use std::fmt;

use percent_encoding::percent_decode_str;

pub use version::Version;

/// What does not conform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What it concerns.
    pub place: Place,
    /// What is wrong with it: a sentence without its full stop.
    pub problem: String,
}

/// Which part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The path.
    Path,
    /// A query option.
    Option(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("path"),
            Self::Option(name) => f.write_str(name),
        }
    }
}

/// Everything that is wrong with a URL: its path below the service's root, and its query, both as
/// received. Version 4.01 allows more, see [`Version::is_relaxed`].
#[must_use]
pub fn check_url(path: &str, query: &str, version: Version) -> Vec<Violation> {
    let mut found = Vec::new();
    let wrong = |problem| Violation { place: Place::Path, problem };
    let resource = match path::check(path) {
        Ok(it) => it,
        Err(problem) => {
            found.push(wrong(problem));
            path::Resource::default()
        }
    };
    found.extend(options::check(query, &resource, version));
    found
}

/// Takes percent-encoding off. `None` if what comes out is no text.
fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_checked() {
        let shown = |path: &str, query: &str| -> Vec<String> {
            let found = check_url(path, query, Version::V4_0);
            found.iter().map(|it| format!("{}: {}", it.place, it.problem)).collect()
        };
        assert!(shown("/People('a')/Trips", "$top=1&$filter=Cost gt 3").is_empty());
        assert_eq!(
            shown("/People('a", "$top=x"),
            ["path: a quotation does not end", "$top: `x` is no whole number"]
        );
    }
}
