//! What lasts from one expression to the next: the request, the variables, how to compile and show.

use std::io::BufRead;

use ::expr::complete::is_unfinished;
use ::expr::{EvalCx, Exception, Form, Limits, Options, Problem, Program, Value, compile};
use serde_json::json;

use super::described::Described;
use super::{dot, show};
use crate::cli::{Colour, HumanOrJson};
use crate::commands::{complain, mention, say};
use crate::exit::Exit;
use crate::terminal;

/// Longest input, in bytes.
const MAX_INPUT_BYTES: usize = 1 << 20;

/// Evaluates expressions, one after the other.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) described: Described,
    pub(super) options: Options,
    format: HumanOrJson,
    pub(super) color: Colour,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Go on; whether the input was fine.
    Go(Exit),
    /// The user wants to leave.
    Quit,
}

/// What was typed, as code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code<'a> {
    pub(super) form: Form,
    pub(super) text: &'a str,
    /// Where the code starts in what was typed, in bytes.
    pub(super) offset: usize,
}

impl Session {
    /// A session over a described request.
    pub(super) fn new(
        described: Described,
        options: Options,
        format: HumanOrJson,
        color: Colour,
    ) -> Self {
        Self { described, options, format, color }
    }

    /// Reads inputs to the end: expressions, which may take several lines, and commands.
    pub(super) fn read_all(&mut self, mut reader: impl BufRead) -> Exit {
        let (mut exit, mut input) = (Exit::Success, String::new());
        loop {
            let start = input.len();
            match reader.read_line(&mut input) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    complain(&format!("standard input: {error}"));
                    return Exit::Unreadable;
                }
            }
            if input.len() > MAX_INPUT_BYTES {
                complain("the input is longer than 1 MiB");
                return Exit::Findings;
            }
            let is_blank = input.get(start..).is_some_and(|it| it.trim().is_empty());
            if is_incomplete(&input) && !is_blank {
                continue;
            }
            match self.input(&std::mem::take(&mut input)) {
                Next::Quit => return exit,
                Next::Go(Exit::Success) => {}
                Next::Go(other) => exit = other,
            }
        }
        match self.input(&input) {
            Next::Go(Exit::Success) | Next::Quit => exit,
            Next::Go(other) => other,
        }
    }

    /// Does what an input says.
    pub(super) fn input(&mut self, input: &str) -> Next {
        let input = input.trim_end();
        if input.trim().is_empty() {
            return Next::Go(Exit::Success);
        }
        if is_command(input) {
            return dot::run(self, input.trim());
        }
        Next::Go(self.evaluate(input))
    }

    /// Evaluates an expression and prints what comes of it.
    pub(super) fn evaluate(&mut self, text: &str) -> Exit {
        let (program, code) = match self.compile(text) {
            Ok(compiled) => compiled,
            Err(exit) => return exit,
        };
        let host = match self.described.host() {
            Ok(host) => host,
            Err(problem) => {
                complain(&problem);
                return Exit::Unreadable;
            }
        };
        let mut cx = EvalCx::new(&host, self.options.runtime, self.options.limits);
        let evaluated = program.evaluate_in(&mut cx);
        for message in host.traced() {
            mention(&format!("trace: {message}"));
        }
        match (self.format, evaluated) {
            (HumanOrJson::Json, evaluated) => print_json(&evaluated),
            (HumanOrJson::Human, Ok(value)) => {
                // Showing enumerates what is lazy: with a budget of its own.
                let mut cx = EvalCx::new(&host, self.options.runtime, Limits::default());
                say(&::expr::show::show(&value, &mut cx));
                Exit::Success
            }
            (HumanOrJson::Human, Err(exception)) => {
                say(&format!("{}: {}", exception.type_name, exception.message));
                if let Some(place) = show::place(&exception, text, code.offset) {
                    mention(&place);
                }
                Exit::Findings
            }
        }
    }

    /// Compiles what was typed; prints problems and warnings.
    ///
    /// # Errors
    ///
    /// How the program ends if it does not compile.
    pub(super) fn compile<'a>(&self, text: &'a str) -> Result<(Program, Code<'a>), Exit> {
        let colours = terminal::colours(self.color);
        match compiled(text, &self.options) {
            Ok((program, code)) => {
                let warnings = program.warnings();
                if !warnings.is_empty() {
                    mention(&show::problems(warnings, text, code.offset, true, colours));
                }
                Ok((program, code))
            }
            Err((problems, code)) => {
                mention(&show::problems(&problems, text, code.offset, false, colours));
                Err(Exit::Findings)
            }
        }
    }
}

/// The value of an expression for a variable.
///
/// # Errors
///
/// What is wrong with it, or what it throws.
pub(super) fn value_of(
    text: &str,
    described: &Described,
    options: &Options,
) -> Result<Value, String> {
    let (program, _) = compiled(text, options).map_err(|(problems, _)| {
        let told: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
        told.join("; ")
    })?;
    let host = described.host()?;
    let thrown = |it: Exception| format!("{}: {}", it.type_name, it.message);
    program.evaluate(&host).map_err(thrown)
}

type Problems<'a> = (Vec<Problem>, Code<'a>);

/// Compiles what was typed. Bare text may be statements as well as an expression.
fn compiled<'a>(text: &'a str, options: &Options) -> Result<(Program, Code<'a>), Problems<'a>> {
    let code = code_of(text);
    let first = match compile(code.text, code.form, options) {
        Ok(program) => return Ok((program, code)),
        Err(problems) => problems,
    };
    let is_bare = !text.trim_start().starts_with('@');
    if !is_bare || !code.text.contains(';') {
        return Err((first, code));
    }
    let code = Code { form: Form::Statements, ..code };
    compile(code.text, code.form, options).map(|it| (it, code)).map_err(|it| (it, code))
}

/// Form and code of what was typed: `@(...)`, `@{...}`, or bare text. Closing brackets may be
/// missing, as long as it is being typed.
pub(super) fn code_of(text: &str) -> Code<'_> {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    let inside = |open: &str, close: char| {
        let rest = trimmed.strip_prefix(open)?;
        Some(rest.strip_suffix(close).unwrap_or(rest))
    };
    if let Some(code) = inside("@{", '}') {
        return Code { form: Form::Statements, text: code, offset: start + 2 };
    }
    if let Some(code) = inside("@(", ')') {
        return Code { form: Form::Expression, text: code, offset: start + 2 };
    }
    Code { form: Form::Expression, text: trimmed, offset: start }
}

/// Is it a command of the session? `.5 + 1` is an expression.
pub(super) fn is_command(input: &str) -> bool {
    input.trim_start().strip_prefix('.').is_some_and(|it| it.starts_with(char::is_alphabetic))
}

/// Are there brackets to be closed yet?
pub(super) fn is_incomplete(input: &str) -> bool {
    let trimmed = input.trim_start();
    // `@` is no bracket: `@{` counts as `{`.
    !is_command(input) && is_unfinished(trimmed.strip_prefix('@').unwrap_or(trimmed))
}

fn print_json(evaluated: &Result<Value, Exception>) -> Exit {
    let (object, exit) = match evaluated {
        Ok(value) => {
            let (kind, text) = (value.type_name(), value.to_text());
            (json!({ "ok": true, "type": kind, "text": text }), Exit::Success)
        }
        Err(exception) => {
            let (error, message) = (exception.type_name, &exception.message);
            (json!({ "ok": false, "error": error, "message": message }), Exit::Findings)
        }
    };
    say(&object.to_string());
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_say_which_form_it_is() {
        let code = |text| {
            let it = code_of(text);
            (it.form, it.text, it.offset)
        };
        assert_eq!(code(" @(1+1) "), (Form::Expression, "1+1", 3));
        assert_eq!(code("@{return 1;}"), (Form::Statements, "return 1;", 2));
        assert_eq!(code("1+1"), (Form::Expression, "1+1", 0));
        assert_eq!(code("@(a.b"), (Form::Expression, "a.b", 2));
    }

    #[test]
    fn bare_statements_are_understood() {
        let form = |text| compiled(text, &Options::default()).map(|(_, code)| code.form);
        assert_eq!(form("var a = 1; return a;").unwrap(), Form::Statements);
        assert_eq!(form("\"a;b\"").unwrap(), Form::Expression);
        assert_eq!(form("1 +").unwrap_err().1.form, Form::Expression);
    }

    #[test]
    fn open_brackets_ask_for_more() {
        for (input, incomplete) in [
            ("@{", true),
            ("@{ return \"}\";", true),
            ("@{ return 1; }", false),
            ("f(1,", true),
            ("1 + 1", false),
            ("\"(\"", false),
            (".var a = (", false),
            (")", false),
        ] {
            assert_eq!(is_incomplete(input), incomplete, "{input}");
        }
    }

    #[test]
    fn a_number_may_start_with_a_point() {
        assert!(is_command(" .help") && !is_command(".5 + 1") && !is_command("a.b"));
    }
}
