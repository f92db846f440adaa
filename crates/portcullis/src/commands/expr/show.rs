//! What people see of problems and results.

use std::ops::Range;

use ::expr::{Exception, Problem};
use document::render::{self, Colours, Sources};
use document::{Code, Diagnostic};

/// The problems of a source that starts `offset` bytes into `text`.
pub(super) fn problems(
    problems: &[Problem],
    text: &str,
    offset: usize,
    is_warning: bool,
    colours: Colours,
) -> String {
    let mut sources = Sources::new();
    sources.add("expression", text);
    let mut out = String::new();
    for problem in problems {
        let span = problem.span.start + offset..problem.span.end + offset;
        let (code, message) = (Code::new(problem.code), problem.message.clone());
        let diagnostic = if is_warning {
            Diagnostic::warning(code, span, message)
        } else {
            Diagnostic::error(code, span, message)
        };
        let mut diagnostic = diagnostic.label(problem.label.clone()).in_file("expression".into());
        if let Some(help) = &problem.help {
            diagnostic = diagnostic.help(help.clone());
        }
        out.push_str(&render::human(&diagnostic, &sources, colours));
    }
    out.truncate(out.trim_end().len());
    out
}

/// The line of the source that threw, with a mark under what did.
pub(super) fn place(exception: &Exception, text: &str, offset: usize) -> Option<String> {
    let span = exception.span.clone()?;
    let Range { start, end } = span.start + offset..span.end + offset;
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |it| it + 1);
    let line = text.get(line_start..)?.lines().next()?;
    let before = text.get(line_start..start)?;
    let indent: String = before.chars().map(|it| if it == '\t' { '\t' } else { ' ' }).collect();
    let end = end.min(line_start + line.len()).max(start);
    let width = text.get(start..end).map_or(1, |it| it.chars().count()).max(1);
    Some(format!("    {line}\n    {indent}{}", "^".repeat(width)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_points_at_what_threw() {
        let exception = Exception::divide_by_zero().at(2..5);
        let place = |text, offset| place(&exception, text, offset);
        assert_eq!(place("@(12/a5)", 0).as_deref(), Some("    @(12/a5)\n      ^^^"));
        assert_eq!(place("@{\n a/0;}", 2).as_deref(), Some("     a/0;}\n     ^^^"));
        assert_eq!(place("", 0), None);
    }
}
