//! Errors as a GraphQL response tells of them.
//!
//! Source: <https://spec.graphql.org/October2021/#sec-Errors>

use std::fmt;

use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::response::GraphQLError;
use serde_json::{Map, Value, json};

/// A line and a column of the document, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Location {
    pub(crate) fn of(span: Option<SourceSpan>, sources: &SourceMap) -> Vec<Location> {
        let place = span.and_then(|it| it.line_column(sources));
        place.map(|it| Location { line: it.line, column: it.column }).into_iter().collect()
    }
}

/// A step from the root of the response to the value that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A field, by its name in the response.
    Field(String),
    /// An item of a list.
    Item(usize),
}

/// One error of a response: of the request as a whole, or of a field if it has a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Error {
    /// What is wrong, for people.
    pub message: String,
    /// The places of the document that are concerned.
    pub locations: Vec<Location>,
    /// The field whose value is missing; empty for an error of the request.
    pub path: Vec<Segment>,
    /// A word for programs, in `extensions.code`.
    pub code: Option<String>,
}

impl Error {
    /// An error of the request as a whole.
    pub fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), ..Error::default() }
    }

    /// With a word for programs.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Error {
        self.code = Some(code.into());
        self
    }

    pub(crate) fn from_library(error: GraphQLError) -> Error {
        let place = |it: &apollo_compiler::parser::LineColumn| Location {
            line: it.line,
            column: it.column,
        };
        let segment = |it: &apollo_compiler::response::ResponseDataPathSegment| match it {
            apollo_compiler::response::ResponseDataPathSegment::Field(name) => {
                Segment::Field(name.to_string())
            }
            apollo_compiler::response::ResponseDataPathSegment::ListIndex(at) => Segment::Item(*at),
        };
        Error {
            locations: error.locations.iter().map(place).collect(),
            path: error.path.iter().map(segment).collect(),
            message: error.message,
            code: None,
        }
    }

    /// As it stands in `errors` of a response.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("message".to_owned(), Value::from(self.message.as_str()));
        if !self.locations.is_empty() {
            let places = self.locations.iter();
            let places = places.map(|it| json!({ "line": it.line, "column": it.column })).collect();
            json.insert("locations".to_owned(), places);
        }
        if !self.path.is_empty() {
            let segment = |it: &Segment| match it {
                Segment::Field(name) => Value::from(name.as_str()),
                Segment::Item(at) => Value::from(*at),
            };
            json.insert("path".to_owned(), self.path.iter().map(segment).collect());
        }
        if let Some(code) = &self.code {
            json.insert("extensions".to_owned(), json!({ "code": code }));
        }
        Value::Object(json)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_what_it_has() {
        assert_eq!(Error::new("no").to_json(), json!({ "message": "no" }));
        let whole = Error {
            locations: vec![Location { line: 1, column: 3 }],
            path: vec![Segment::Field("a".to_owned()), Segment::Item(2)],
            ..Error::new("no").code("X")
        };
        assert_eq!(
            whole.to_json(),
            json!({
                "message": "no",
                "locations": [{ "line": 1, "column": 3 }],
                "path": ["a", 2],
                "extensions": { "code": "X" },
            })
        );
    }
}
