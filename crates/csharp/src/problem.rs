//! What is wrong with an expression, found when it is compiled.

use std::ops::Range;

/// A problem in the source of an expression. Compiling reports as many as it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A stable code of the class `PC03xx`.
    pub code: &'static str,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Where: bytes in the source of the expression.
    pub span: Range<usize>,
    /// A few words to stand beside the marked source.
    pub label: String,
    /// How to mend it, where that can be guessed.
    pub help: Option<String>,
}
