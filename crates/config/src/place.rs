//! Where in the configuration something was said.

use std::sync::Arc;

use document::{Code, Diagnostic, Severity, Span};

use crate::tree::Tree;

/// A file and a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name in the source.
    pub file: Arc<str>,
    /// The place.
    pub span: Span,
}

impl Place {
    /// The start of a file.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), span: Span::default() }
    }

    /// A problem at this place.
    pub fn problem(
        &self,
        severity: Severity,
        code: Code,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(severity, code, self.span, message).in_file(self.file.clone())
    }

    /// An error at this place.
    pub fn error(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        self.problem(Severity::Error, code, message)
    }

    /// A warning at this place.
    pub fn warning(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        self.problem(Severity::Warning, code, message)
    }

    /// A note at this place.
    pub fn note(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        self.problem(Severity::Note, code, message)
    }
}

impl From<&Tree> for Place {
    fn from(tree: &Tree) -> Self {
        Self { file: tree.file.clone(), span: tree.span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn problems_carry_file_and_place() {
        let place = Place { file: "a.json".into(), span: Span::new(3, 5) };
        let problem = place.warning(codes::LEFT_OUT, "no use");
        assert_eq!((problem.file.as_deref(), problem.span), (Some("a.json"), Span::new(3, 5)));
        assert!(!problem.is_error() && place.error(codes::MISSING, "x").is_error());
        assert_eq!(Place::file("b").note(codes::MISSING, "x").severity, Severity::Note);
    }
}
