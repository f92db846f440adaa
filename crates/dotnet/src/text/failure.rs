//! Why an operation on text, numbers or times failed, as the exception that .NET throws.

/// A failed operation, to be thrown as the exception of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// `System.FormatException`.
    Format(String),
    /// `System.OverflowException`.
    Overflow(String),
    /// `System.ArgumentException` about a parameter.
    Argument(String, &'static str),
    /// `System.ArgumentNullException` of a parameter.
    Null(&'static str),
    /// `System.ArgumentOutOfRangeException` about a parameter.
    Range(String, &'static str),
    /// `System.InvalidCastException`.
    Cast(String),
    /// `System.InvalidOperationException`.
    Operation(String),
    /// `System.UriFormatException`.
    Uri(String),
    /// `System.DivideByZeroException`.
    DivideByZero,
}

impl Failure {
    /// The name of the exception type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Format(_) => "System.FormatException",
            Self::Overflow(_) => "System.OverflowException",
            Self::Argument(..) => "System.ArgumentException",
            Self::Null(_) => "System.ArgumentNullException",
            Self::Range(..) => "System.ArgumentOutOfRangeException",
            Self::Cast(_) => "System.InvalidCastException",
            Self::Operation(_) => "System.InvalidOperationException",
            Self::Uri(_) => "System.UriFormatException",
            Self::DivideByZero => "System.DivideByZeroException",
        }
    }

    /// The text of the exception, as modern .NET words it.
    pub fn message(&self) -> String {
        match self {
            Self::Format(text)
            | Self::Overflow(text)
            | Self::Cast(text)
            | Self::Operation(text)
            | Self::Uri(text) => text.clone(),
            Self::Argument(text, parameter) | Self::Range(text, parameter) => {
                if parameter.is_empty() {
                    text.clone()
                } else {
                    format!("{text} (Parameter '{parameter}')")
                }
            }
            Self::Null(parameter) => {
                format!("Value cannot be null. (Parameter '{parameter}')")
            }
            Self::DivideByZero => "Attempted to divide by zero.".to_owned(),
        }
    }

    /// The failure of reading a number, GUID or the like from ill-formed text.
    pub fn input_format() -> Self {
        Self::Format("Input string was not in a correct format.".to_owned())
    }

    /// The failure of a format string that means nothing.
    pub fn bad_format() -> Self {
        Self::Format("Format specifier was invalid.".to_owned())
    }

    /// A value too large or too small for the named type.
    pub fn overflow(type_name: &str) -> Self {
        let article =
            if type_name.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'u']) { "an" } else { "a" };
        Self::Overflow(format!(
            "Value was either too large or too small for {article} {type_name}."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn messages_name_the_parameter() {
        assert_eq!(Failure::Null("s").message(), "Value cannot be null. (Parameter 's')");
        assert_eq!(Failure::Range("No.".into(), "i").message(), "No. (Parameter 'i')");
        assert_eq!(Failure::Argument("No.".into(), "").message(), "No.");
        assert_eq!(
            Failure::overflow("Int32").message(),
            "Value was either too large or too small for an Int32."
        );
    }
}
