//! Why a value cannot be had.

use std::fmt;

/// Something in a template that cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the template, as `resources[2].properties.url`.
    pub at: String,
    /// What is wrong.
    pub message: String,
    /// The name under which the missing value can be given, if that would mend it.
    pub missing: Option<Missing>,
}

/// What is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// A parameter, by name.
    Parameter(String),
    /// What only a deployment knows, by the call that asks for it.
    Value(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A value was not given.
    Missing(Missing),
    /// The template is wrong, or uses what is not supported.
    Wrong(String),
}

impl Fault {
    pub(crate) fn wrong(message: impl Into<String>) -> Self {
        Self::Wrong(message.into())
    }

    pub(crate) fn at(self, at: &str) -> Problem {
        let (message, missing) = match self {
            Self::Wrong(message) => (message, None),
            Self::Missing(it) => (it.to_string(), Some(it)),
        };
        Problem { at: at.to_owned(), message, missing }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(f, "parameter `{name}` has no value"),
            Self::Value(call) => write!(f, "only a deployment knows `{call}`"),
        }
    }
}
