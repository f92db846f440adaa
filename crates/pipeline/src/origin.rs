//! Where the code of an expression stands in its document, for what it throws.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies>

use std::fmt;
use std::sync::Arc;

use document::{LineIndex, SourceText};
use expr::Exception;

/// The document that an expression stands in, and how places in its code map to it.
#[derive(Clone)]
pub(crate) struct Origin {
    file: Option<Arc<str>>,
    source: Arc<str>,
    code: SourceText,
}

impl Origin {
    pub(crate) fn new(file: Option<Arc<str>>, source: Arc<str>, code: SourceText) -> Origin {
        Origin { file, source, code }
    }

    /// What was thrown, with the place in the document.
    pub(crate) fn thrown(&self, exception: &Exception) -> Thrown {
        let whole = || self.code.span();
        let span = exception.span.clone().map_or_else(whole, |it| self.code.span_of(it));
        let at = LineIndex::new(&self.source).position(&self.source, span.start as usize);
        Thrown {
            type_name: exception.type_name,
            file: self.file.clone(),
            line: at.line,
            column: at.column,
        }
    }
}

/// The code may hold secrets, so it is not shown.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.file.as_deref().unwrap_or("-"))
    }
}

/// An exception of an expression: its type, and where it was thrown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thrown {
    /// The .NET type, such as `System.FormatException`; `Portcullis.BudgetExceeded` if the
    /// expression used up one of its bounds.
    pub type_name: &'static str,
    /// The file of the document or fragment, if it came from one.
    pub file: Option<Arc<str>>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// `System.FormatException at policy.xml:7:34`.
impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Thrown { type_name, file, line, column } = self;
        write!(f, "{type_name} at {}:{line}:{column}", file.as_deref().unwrap_or("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_code_map_to_the_document() {
        let source = "<a>\n  @(1 / zero)</a>";
        let code = SourceText::verbatim("1 / zero", 8);
        let origin = Origin::new(Some("p.xml".into()), source.into(), code);
        let thrown = origin.thrown(&Exception::divide_by_zero().at(4..8));
        assert_eq!(thrown.to_string(), "System.DivideByZeroException at p.xml:2:9");
        let thrown = origin.thrown(&Exception::divide_by_zero());
        assert_eq!((thrown.line, thrown.column), (2, 5));
    }
}
