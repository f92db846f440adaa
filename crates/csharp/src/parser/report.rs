//! What the parser reports: syntax errors, and constructs that are refused by name.

use super::{MAX_PROBLEMS, Parser};
use crate::ast::Span;
use crate::problem::Problem;
use crate::token::{Punct, TokenKind};

impl Parser<'_> {
    pub(super) fn report(
        &mut self,
        code: &'static str,
        span: Span,
        message: String,
        label: &str,
        help: Option<&str>,
    ) {
        if self.problems.len() < 4 * MAX_PROBLEMS {
            self.problems.push(Problem {
                code,
                message,
                span: span.range(),
                label: label.to_owned(),
                help: help.map(str::to_owned),
            });
        }
    }

    /// A syntax error at the current token. Nothing more is reported until the next statement.
    pub(super) fn expected(&mut self, what: &str) {
        if self.recovering {
            return;
        }
        self.recovering = true;
        let span = self.span();
        let help = self.help_at_error();
        let (found, label) = match self.kind() {
            TokenKind::End => ("the end".to_owned(), "the expression ends here"),
            TokenKind::Unknown => return,
            TokenKind::HoleFormat(_) => ("`:`".to_owned(), "begins a format here"),
            _ => (format!("`{}`", shorten(self.text_at(self.at))), "not expected here"),
        };
        self.report("PC0301", span, format!("expected {what}, found {found}"), label, help);
    }

    pub(super) fn help_at_error(&self) -> Option<&'static str> {
        match self.kind() {
            TokenKind::HoleFormat(_) => {
                Some("put a conditional inside an interpolated string in parentheses")
            }
            TokenKind::Punct(Punct::Assign) => Some("`==` compares"),
            TokenKind::Punct(Punct::Ampersand) => ["quot", "amp", "lt", "gt", "apos"]
                .iter()
                .any(|it| self.is_word(self.at + 1, it))
                .then_some("entities are not decoded inside an expression"),
            _ => None,
        }
    }

    pub(super) fn unexpected_end_of_expression(&mut self) {
        if self.at(Punct::Semicolon) && !self.recovering {
            let span = self.span();
            let help = Some("write `@{ ... return value; }` for statements");
            let message = "a single expression does not end with `;`".to_owned();
            self.recovering = true;
            return self.report("PC0301", span, message, "remove this", help);
        }
        self.expected("the end of the expression");
    }

    /// A construct that is understood but not allowed. Parsing goes on behind it.
    pub(super) fn refuse(&mut self, span: Span, what: &str, help: Option<&str>) {
        let message = format!("{what} not allowed in a policy expression");
        self.report("PC0302", span, message, "not allowed", help);
    }

    /// A construct of a later C#. Parsing goes on behind it.
    pub(super) fn needs(&mut self, span: Span, version: u32, what: &str) {
        let message = format!("{what} needs C# {version}");
        self.report("PC0303", span, message, "policy expressions are C# 7", instead_of(what));
    }

    pub(super) fn refuse_tuple(&mut self, span: Span) {
        let message = "System.ValueTuple is not an allowed type".to_owned();
        let help = Some("use `Tuple.Create(a, b)` or an anonymous object `new { a, b }`");
        self.report("PC0302", span, message, "a tuple", help);
    }
}

/// The first few characters of a token, for a message.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(24).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short.replace(['\n', '\r'], " ")
}

/// How C# 7 writes what a later one has.
fn instead_of(what: &str) -> Option<&'static str> {
    Some(match what {
        "a switch expression" => "write `a ? b : c`, or a `switch` statement in `@{ ... }`",
        "`using` without parentheses" => "write `using (...) { ... }`",
        "the null-forgiving `!`" => "leave it out",
        "`??=`" => "write `x = x ?? ...`",
        "a range" => "use `Substring(...)`, or `Skip(...)` and `Take(...)`",
        "an index from the end" => "use `[x.Length - n]`, or `Last()`",
        "`new()` without a type" => "write the type: `new T()`",
        "a collection expression" => "write `new[] { ... }` or `new List<T> { ... }`",
        "a `static` lambda" | "a `static` local function" => "leave out `static`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn long_tokens_are_cut() {
        assert_eq!(shorten("a\nb"), "a b");
        assert_eq!(shorten(&"x".repeat(30)), format!("{}...", "x".repeat(24)));
    }
}
