//! What .NET throws from regular expressions, cryptography, JSON and XML.
//!
//! A [`Fault`] is an exception before the evaluator has given it a place: the name of the .NET
//! type, the message, and whether it is a bound of ours that was met instead.

/// An exception raised by a library engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Full name of the .NET exception type, for example `System.FormatException`.
    pub type_name: &'static str,
    /// The exception's message.
    pub message: String,
    /// True if a bound of ours was exceeded (size, depth, steps), not a rule of .NET.
    pub limit: bool,
}

impl Fault {
    /// An exception of the .NET type `type_name`.
    pub fn new(type_name: &'static str, message: impl Into<String>) -> Self {
        Self { type_name, message: message.into(), limit: false }
    }

    /// A bound of the gateway that was exceeded.
    pub fn limit(message: impl Into<String>) -> Self {
        Self {
            type_name: "System.InsufficientExecutionStackException",
            message: message.into(),
            limit: true,
        }
    }

    /// `System.ArgumentException`.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new("System.ArgumentException", message)
    }

    /// `System.ArgumentNullException` for the parameter `name`.
    pub fn argument_null(name: &str) -> Self {
        Self::new(
            "System.ArgumentNullException",
            format!("Value cannot be null. (Parameter '{name}')"),
        )
    }

    /// `System.ArgumentOutOfRangeException` of an index.
    pub fn index_out_of_range() -> Self {
        Self::new(
            "System.ArgumentOutOfRangeException",
            "Index was out of range. Must be non-negative and less than the size of the collection. (Parameter 'index')",
        )
    }

    /// `System.InvalidOperationException`.
    pub fn invalid_operation(message: impl Into<String>) -> Self {
        Self::new("System.InvalidOperationException", message)
    }

    /// `System.InvalidCastException`.
    pub fn invalid_cast(message: impl Into<String>) -> Self {
        Self::new("System.InvalidCastException", message)
    }

    /// `System.FormatException`.
    pub fn format(message: impl Into<String>) -> Self {
        Self::new("System.FormatException", message)
    }

    /// `System.OverflowException`.
    pub fn overflow(message: impl Into<String>) -> Self {
        Self::new("System.OverflowException", message)
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn a_fault_shows_its_message_only() {
        assert_eq!(Fault::format("no").to_string(), "no");
        assert!(Fault::limit("too deep").limit);
        assert_eq!(Fault::argument_null("value").type_name, "System.ArgumentNullException");
    }
}
