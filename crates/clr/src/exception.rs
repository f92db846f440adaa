//! What an expression throws: a .NET exception by type name, or the end of the budget.

use std::fmt;
use std::ops::{Deref, DerefMut, Range};
use std::sync::{Arc, Mutex};

use dotnet::Fault;
use dotnet::text::Failure;

use crate::value::Value;

/// A failed evaluation. Small: the details are behind one pointer.
#[derive(Clone, Debug)]
pub struct Exception(Box<Details>);

/// What an [`Exception`] says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Details {
    /// The .NET type: `System.FormatException`.
    pub type_name: &'static str,
    /// `Message`, in English.
    pub message: String,
    /// The bytes of the expression's source where it was thrown.
    pub span: Option<Range<usize>>,
    /// Thrown by the expression, or stopped by us.
    pub kind: Kind,
    /// `InnerException`.
    pub inner: Option<Exception>,
    /// Further members by name (`ParamName`, `LineNumber` ...), for the rows of exception types.
    pub data: Vec<(&'static str, Value)>,
    /// Members that the expression set, for all who hold the exception.
    pub set: Arc<Mutex<Vec<(&'static str, Value)>>>,
}

/// Why an evaluation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A .NET exception; `catch` can see it.
    Thrown,
    /// Too many steps; `catch` cannot see it, nor the next ones.
    Steps,
    /// Too many bytes allocated.
    Memory,
    /// Calls nested too deeply.
    Depth,
    /// A regular expression took too long.
    Regex,
}

/// How long a chain of causes may be.
const MOST_CAUSES: usize = 100;

impl Exception {
    /// An exception of a .NET type.
    #[must_use]
    pub fn new(type_name: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            type_name,
            message: message.into(),
            span: None,
            kind: Kind::Thrown,
            inner: None,
            data: Vec::new(),
            set: Arc::default(),
        }))
    }

    /// The budget is used up.
    #[must_use]
    pub fn budget(kind: Kind) -> Self {
        let message = match kind {
            Kind::Steps => "the expression takes more steps than allowed",
            Kind::Memory => "the expression allocates more memory than allowed",
            Kind::Depth => "the expression nests more calls than allowed",
            Kind::Regex => "a regular expression takes more time than allowed",
            Kind::Thrown => "the expression was stopped",
        };
        let mut it = Self::new("Portcullis.BudgetExceeded", message);
        it.kind = kind;
        it
    }

    /// `System.NullReferenceException`.
    #[must_use]
    pub fn null_reference() -> Self {
        Self::new(
            "System.NullReferenceException",
            "Object reference not set to an instance of an object.",
        )
    }

    /// `System.ArgumentNullException` for a parameter.
    #[must_use]
    pub fn argument_null(parameter: &str) -> Self {
        Self::new(
            "System.ArgumentNullException",
            format!("Value cannot be null. (Parameter '{parameter}')"),
        )
        .with("ParamName", parameter)
    }

    /// `System.ArgumentException`.
    #[must_use]
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new("System.ArgumentException", message)
    }

    /// `System.ArgumentOutOfRangeException` for a parameter.
    #[must_use]
    pub fn argument_out_of_range(parameter: &str) -> Self {
        Self::new(
            "System.ArgumentOutOfRangeException",
            format!(
                "Specified argument was out of the range of valid values. (Parameter '{parameter}')"
            ),
        )
        .with("ParamName", parameter)
    }

    /// `System.FormatException`.
    #[must_use]
    pub fn format(message: impl Into<String>) -> Self {
        Self::new("System.FormatException", message)
    }

    /// `System.OverflowException`.
    #[must_use]
    pub fn overflow(message: impl Into<String>) -> Self {
        Self::new("System.OverflowException", message)
    }

    /// `System.InvalidOperationException`.
    #[must_use]
    pub fn invalid_operation(message: impl Into<String>) -> Self {
        Self::new("System.InvalidOperationException", message)
    }

    /// `System.InvalidCastException`.
    #[must_use]
    pub fn invalid_cast(message: impl Into<String>) -> Self {
        Self::new("System.InvalidCastException", message)
    }

    /// `System.IndexOutOfRangeException`.
    #[must_use]
    pub fn index_out_of_range() -> Self {
        Self::new("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
    }

    /// `System.Collections.Generic.KeyNotFoundException`.
    #[must_use]
    pub fn key_not_found(key: &str) -> Self {
        Self::new(
            "System.Collections.Generic.KeyNotFoundException",
            format!("The given key '{key}' was not present in the dictionary."),
        )
    }

    /// `System.DivideByZeroException`.
    #[must_use]
    pub fn divide_by_zero() -> Self {
        Self::new("System.DivideByZeroException", "Attempted to divide by zero.")
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.0.data.push((member, value.into()));
        self
    }

    /// Sets `InnerException`.
    #[must_use]
    pub fn caused_by(mut self, inner: Exception) -> Self {
        // A longer chain could not be let go with a stack of bounded size: it is cut.
        let chain = std::iter::successors(Some(&inner), |it| it.0.inner.as_ref());
        if chain.take(MOST_CAUSES).count() < MOST_CAUSES {
            self.0.inner = Some(inner);
        }
        self
    }

    /// Sets where it was thrown, unless that is known already.
    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// As [`Exception::at`], in place.
    #[cold]
    pub fn place(&mut self, span: Range<usize>) {
        self.0.span.get_or_insert(span);
    }

    /// Can `catch` see it?
    #[must_use]
    pub fn is_catchable(&self) -> bool {
        self.0.kind == Kind::Thrown
    }
}

impl Deref for Exception {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Exception {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Exception {}

impl From<Fault> for Exception {
    fn from(fault: Fault) -> Self {
        if fault.limit {
            let mut it = Exception::budget(Kind::Memory);
            it.message = fault.message;
            return it;
        }
        Exception::new(fault.type_name, fault.message)
    }
}

impl From<Failure> for Exception {
    fn from(failure: Failure) -> Self {
        let made = Self::new(failure.type_name(), failure.message());
        match failure {
            Failure::Argument(_, parameter) | Failure::Range(_, parameter)
                if parameter.is_empty() =>
            {
                made
            }
            Failure::Argument(_, parameter)
            | Failure::Range(_, parameter)
            | Failure::Null(parameter) => made.with("ParamName", parameter),
            _ => made,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_of_an_exception_stays() {
        let it = Exception::divide_by_zero().at(3..4).at(0..9);
        assert_eq!(it.span, Some(3..4));
        assert_eq!(it.to_string(), "Attempted to divide by zero.");
    }

    #[test]
    fn a_used_up_budget_cannot_be_caught() {
        assert!(Exception::format("x").is_catchable());
        for kind in [Kind::Steps, Kind::Memory, Kind::Depth, Kind::Regex] {
            assert!(!Exception::budget(kind).is_catchable());
        }
    }
}
