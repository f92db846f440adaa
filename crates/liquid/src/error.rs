//! What can be wrong with a template, when it is compiled and when it is rendered.

use std::fmt;
use std::ops::Range;

use dotnet::Fault;
use dotnet::text::Failure;

/// Something wrong, or doubtful, in the text of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The bytes of the text that are meant.
    pub span: Range<usize>,
    /// What is wrong. May quote the text.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Flaw {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Flaw {
        Flaw { span, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Flaw {
        self.help = Some(help.into());
        self
    }
}

/// Why a template could not be rendered, and where in its text (line and column, from 1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct RenderError {
    /// Line of the template's text.
    pub line: usize,
    /// Column in that line, in characters.
    pub column: usize,
    /// Why.
    pub reason: Reason,
}

impl RenderError {
    /// Whether the bound of steps was reached, so that more of them might be enough.
    #[must_use]
    pub fn is_out_of_steps(&self) -> bool {
        self.reason == Reason::Steps
    }
}

/// Why a template could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A filter, a tag or a comparison cannot work on these values.
    #[error("{0}")]
    Failed(String),
    /// [`Limits::steps`](crate::Limits::steps).
    #[error("the template takes more steps than allowed")]
    Steps,
    /// [`Limits::output_bytes`](crate::Limits::output_bytes).
    #[error("the result is longer than {0} bytes")]
    Output(usize),
    /// [`Limits::work_bytes`](crate::Limits::work_bytes).
    #[error("the template makes more text than allowed")]
    Work,
}

/// Why a filter, a lookup or a comparison stops; its place is added by who called it.
#[derive(Debug)]
pub(crate) enum Stop {
    Fault(Fault),
    Steps,
    Output(usize),
    Work,
}

impl Stop {
    pub(crate) fn failed(message: impl fmt::Display) -> Stop {
        Stop::Fault(Fault::invalid_operation(message.to_string()))
    }

    pub(crate) fn reason(self) -> Reason {
        match self {
            Stop::Fault(fault) => Reason::Failed(fault.message),
            Stop::Steps => Reason::Steps,
            Stop::Output(limit) => Reason::Output(limit),
            Stop::Work => Reason::Work,
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Fault(Fault::new(failure.type_name(), failure.message()))
    }
}

/// A failure at a byte of the template's text.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) at: u32,
    pub(crate) stop: Stop,
}

/// Adds the place to a failure.
pub(crate) trait At<T> {
    fn at(self, at: u32) -> Result<T, Failed>;
}

impl<T> At<T> for Result<T, Stop> {
    fn at(self, at: u32) -> Result<T, Failed> {
        self.map_err(|stop| Failed { at, stop })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_and_why() {
        let reason = Stop::failed("Cannot divide by zero.").reason();
        let error = RenderError { line: 2, column: 7, reason };
        assert_eq!(error.to_string(), "line 2, column 7: Cannot divide by zero.");
        assert!(!error.is_out_of_steps());
        assert_eq!(Stop::Output(7).reason().to_string(), "the result is longer than 7 bytes");
        let failure = Stop::from(Failure::Format("No date.".to_owned()));
        assert_eq!(failure.reason().to_string(), "No date.");
    }
}
