//! One problem in a configuration: what, where, and the way out.

use std::sync::Arc;

use crate::{Code, Span};

/// How bad a problem is. Only an [`Severity::Error`] keeps a configuration from loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It cannot be enforced or run as written.
    Error,
    /// It runs, but probably not as meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Another place that has to do with a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Its file; none: the file of the diagnostic.
    pub file: Option<Arc<str>>,
    /// Its place.
    pub span: Span,
    /// What it has to do with the problem.
    pub message: String,
}

/// One problem: a stable code, a message, a place and, where we can, a suggestion.
///
/// Messages are lower case, without a full stop, with input in backticks and never with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Whether the place is inside a policy expression.
    pub in_expression: bool,
    /// What is wrong.
    pub message: String,
    /// The file as people name it, relative to the configuration folder.
    pub file: Option<Arc<str>>,
    /// The place in the file.
    pub span: Span,
    /// Text beside the carets; without one, the source line is not shown.
    pub label: Option<Box<str>>,
    /// The way out.
    pub help: Option<Box<str>>,
    /// Other places.
    pub related: Box<[Related]>,
}

// It is the error type of many functions; clippy's limit for those is 128 bytes.
const _: () = assert!(size_of::<Diagnostic>() < 128);

impl Diagnostic {
    /// A problem of the given severity without label, help or file.
    pub fn new(
        severity: Severity,
        code: Code,
        span: impl Into<Span>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            in_expression: false,
            message: message.into(),
            file: None,
            span: span.into(),
            label: None,
            help: None,
            related: Box::default(),
        }
    }

    /// An error; see [`Diagnostic::new`].
    pub fn error(code: Code, span: impl Into<Span>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, span, message)
    }

    /// A warning; see [`Diagnostic::new`].
    pub fn warning(code: Code, span: impl Into<Span>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, span, message)
    }

    /// A note; see [`Diagnostic::new`].
    pub fn note(code: Code, span: impl Into<Span>, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, span, message)
    }

    /// Adds the text that stands beside the carets; with it the source line is shown.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into().into());
        self
    }

    /// Adds the way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into().into());
        self
    }

    /// Names the file.
    #[must_use]
    pub fn in_file(mut self, file: Arc<str>) -> Self {
        self.file = Some(file);
        self
    }

    /// The same problem with its files named from further up: they start with `folder` and a slash.
    #[must_use]
    pub fn below(mut self, folder: &str) -> Self {
        let below = |file: &mut Option<Arc<str>>| {
            if let Some(name) = file.take() {
                *file = Some(format!("{folder}/{name}").into());
            }
        };
        below(&mut self.file);
        self.related.iter_mut().for_each(|it| below(&mut it.file));
        self
    }

    /// Says that the place is inside a policy expression.
    #[must_use]
    pub fn in_expression(mut self) -> Self {
        self.in_expression = true;
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, related: Related) -> Self {
        let mut all = std::mem::take(&mut self.related).into_vec();
        all.push(related);
        self.related = all.into();
        self
    }

    /// Whether it keeps a configuration from loading.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]: {}", self.severity.as_str(), self.code, self.message)
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn it_is_built_piece_by_piece_and_shown_in_one_line() {
        let place = Related { file: None, span: Span::at(1), message: "first here".to_owned() };
        let it =
            Diagnostic::error(codes::DUPLICATE_ATTRIBUTE, 3..5, "attribute `a` is given twice")
                .label("second")
                .help("remove one")
                .related(place.clone())
                .in_file("policy.xml".into());
        assert_eq!(it.to_string(), "error[PC0111]: attribute `a` is given twice");
        assert!(it.is_error() && !it.in_expression);
        assert_eq!(*it.related, [place]);
        assert_eq!(it.label.as_deref(), Some("second"));
    }

    #[test]
    fn errors_come_before_warnings_and_notes() {
        assert!(Severity::Error < Severity::Warning && Severity::Warning < Severity::Note);
    }
}
