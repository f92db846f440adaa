//! Expressions of values: compiled, with their problems at their places, and what they read.

use std::sync::Arc;

use document::{Code, Diagnostic, Resolved, Severity, SourceText};
use expr::{Options, Program};

use super::cx::CompileCx;
use crate::bodies::Event;
use crate::codes;
use crate::convert::Convert;
use crate::message::Message;

impl CompileCx<'_> {
    pub(super) fn expression(
        &mut self,
        resolved: &Resolved,
        form: expr::Form,
        code: &SourceText,
    ) -> Option<Program> {
        let options = Options { in_resolver: self.in_resolver, ..*self.surroundings.options };
        let (program, problems) = match expr::compile(code.as_str(), form, &options) {
            Ok(program) => {
                let warnings = program.warnings().to_vec();
                (Some(program), warnings)
            }
            Err(problems) => (None, problems),
        };
        let severity = if program.is_some() { Severity::Warning } else { Severity::Error };
        for problem in problems {
            let mut it = resolved
                .diagnostic(severity, Code::new(problem.code), code, problem.span, &problem.message)
                .in_expression();
            let is_shown = |text: &str| !text.is_empty() && !resolved.shows_secret(text);
            it = it.label(if is_shown(&problem.label) { problem.label.as_str() } else { "here" });
            if let Some(help) = problem.help.filter(|it| is_shown(it)) {
                it = it.help(help);
            }
            self.report(it);
        }
        program
    }

    /// Notes the bodies that an expression reads, each with the warning that it may become.
    pub(super) fn body_reads(&mut self, resolved: &Resolved, code: &SourceText, program: &Program) {
        for read in program.body_reads() {
            let (message, name) = match read.of_response {
                true => (Message::Response, "response"),
                false => (Message::Request, "request"),
            };
            let warning = read.consumes.then(|| {
                let text = format!(
                    "the body of the {name} is read without `preserveContent: true` and needed later"
                );
                let it = resolved
                    .diagnostic(Severity::Warning, codes::BODY_GONE, code, read.span, &text)
                    .in_expression()
                    .label("the body is gone behind this")
                    .help("read it with `preserveContent: true`, or set the body anew");
                Box::new(match &self.file {
                    Some(file) => it.in_file(Arc::clone(file)),
                    None => it,
                })
            });
            self.events.push(Event::Read(message, warning));
        }
    }

    pub(super) fn check_type<T: Convert>(
        &mut self,
        code: &SourceText,
        program: &Program,
        subject: &str,
    ) {
        if let Some(wanted) = T::refuses(program.result_type()) {
            let found = program.result_type().to_string();
            let message = format!("`{subject}` needs {wanted}, the expression gives `{found}`");
            self.report(
                Diagnostic::error(codes::BAD_VALUE, code.span(), message)
                    .label(format!("gives `{found}`"))
                    .in_expression(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{KINDS, codes_of, inbound_problems as problems};
    use crate::{Registry, check_text};

    #[test]
    fn an_expression_that_is_not_closed_or_followed_by_text_is_reported_once() {
        let text = "<policies><inbound><word>@(1) tail</word></inbound></policies>";
        let registry = Registry::new(KINDS);
        let checked = check_text(text, None, &registry, &expr::Options::default());
        assert_eq!(codes_of(&checked.diagnostics), "PC0110");
    }

    #[test]
    fn an_expression_is_compiled_and_its_type_is_checked() {
        for (text, codes) in [
            ("@(1 + 1)", "fine"),
            ("@(\"7\")", "fine"),
            ("@{ return 7; }", "fine"),
            ("@(true)", "PC0409"),
            ("@(1.5)", "PC0409"),
        ] {
            assert_eq!(codes_of(&problems(&format!("<word>{text}</word>"))), codes, "{text}");
        }
    }

    #[test]
    fn a_problem_in_an_expression_is_shown_at_its_place() {
        let problem = problems("<word>@( nothing + 1)</word>").remove(0);
        let start = "<policies><inbound><word>@( ".len();

        assert!(problem.code.as_str().starts_with("PC03") && problem.in_expression);
        assert_eq!(problem.span.range(), start..start + "nothing".len());
    }

    #[test]
    fn a_resolver_alone_sees_its_arguments() {
        let word = "<word>@((int)context.GraphQL.Arguments[\"id\"])</word>";
        let problem = problems(word).remove(0);
        assert_eq!(problem.message, "`GraphQL` is there in GraphQL resolvers only");
        assert_eq!(codes_of(&problems(&format!("<resolve>{word}</resolve>"))), "fine");
        // What comes after it is outside again.
        let after = format!("<resolve>{word}</resolve>{word}");
        assert_eq!(problems(&after).len(), 1);
    }

    #[test]
    fn a_problem_that_a_secret_makes_does_not_show_it() {
        let problems = problems("<word>@({{key}} + 1)</word>");

        assert!(problems[0].code.as_str().starts_with("PC03"));
        assert!(!format!("{problems:?}").contains("hunter2"));
    }
}
