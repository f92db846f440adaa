//! `portcullis expr`: evaluate one policy expression, or a file of recorded cases.

use std::io::{BufRead, BufReader};
use std::path::Path;

use ::expr::oracle::{self, RecordedHost};
use ::expr::{Exception, Form, Options, Runtime, Value};
use document::render::{self, Sources};
use document::{Code, Diagnostic};
use serde_json::{Map, Value as Json, json};

use super::{complain, mention, say};
use crate::cli::{Expr, Global, HumanOrJson, RuntimeChoice};
use crate::exit::Exit;
use crate::terminal;

/// Longest line of a case file, in bytes.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

pub(crate) fn run(arguments: &Expr, global: &Global) -> Exit {
    let runtime = match arguments.runtime {
        RuntimeChoice::Modern => Runtime::Modern,
        RuntimeChoice::Framework => Runtime::Framework,
    };
    match (&arguments.cases, &arguments.expression) {
        (Some(file), _) => cases(file, runtime),
        (None, Some(text)) => one(arguments, text, runtime, global),
        (None, None) => Exit::Usage,
    }
}

/// One line out for each line in. A line that is no case is told on standard error.
fn cases(file: &Path, runtime: Runtime) -> Exit {
    let reader = match std::fs::File::open(file) {
        Ok(it) => BufReader::new(it),
        Err(error) => {
            complain(&format!("{}: {error}", file.display()));
            return Exit::Unreadable;
        }
    };
    let mut exit = Exit::Success;
    for (number, line) in reader.lines().enumerate() {
        let evaluated = match line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) if line.len() > MAX_LINE_BYTES => Err("the line is too long".to_owned()),
            Ok(line) => oracle::evaluate_line(&line, runtime).map_err(|fault| fault.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(error.to_string()),
            // Nothing more will come: a folder, for instance, fails at every attempt.
            Err(error) => {
                complain(&format!("{}: {error}", file.display()));
                return Exit::Unreadable;
            }
        };
        match evaluated {
            Ok(result) => say(&result),
            Err(problem) => {
                complain(&format!("{}:{}: {problem}", file.display(), number + 1));
                exit = Exit::Findings;
            }
        }
    }
    exit
}

fn one(arguments: &Expr, text: &str, runtime: Runtime, global: &Global) -> Exit {
    let (form, code, offset) = code_of(text);
    let options = Options { runtime, ..Options::default() };
    let program = match ::expr::compile(code, form, &options) {
        Ok(program) => program,
        Err(problems) => {
            let mut sources = Sources::new();
            sources.add("expression", text);
            for problem in problems {
                let span = problem.span.start + offset..problem.span.end + offset;
                let mut diagnostic =
                    Diagnostic::error(Code::new(problem.code), span, problem.message)
                        .label(problem.label)
                        .in_file("expression".into());
                if let Some(help) = problem.help {
                    diagnostic = diagnostic.help(help);
                }
                mention(&render::human(&diagnostic, &sources, terminal::colours(global.color)));
            }
            return Exit::Findings;
        }
    };
    let host = match host(arguments) {
        Ok(host) => host,
        Err((exit, problem)) => {
            complain(&problem);
            return exit;
        }
    };
    let evaluated = program.evaluate(&host);
    match arguments.format {
        HumanOrJson::Json => print_json(&evaluated),
        HumanOrJson::Human => print_human(&evaluated),
    }
}

/// Form and code of what was typed, and where the code starts in it.
fn code_of(text: &str) -> (Form, &str, usize) {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    let inside = |open: &str, close: char| {
        trimmed.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
    };
    if let Some(code) = inside("@{", '}') {
        return (Form::Statements, code, start + 2);
    }
    if let Some(code) = inside("@(", ')') {
        return (Form::Expression, code, start + 2);
    }
    (Form::Expression, trimmed, start)
}

/// The request that was described, with the variables of the command line.
fn host(arguments: &Expr) -> Result<RecordedHost, (Exit, String)> {
    let mut record: Map<String, Json> = match &arguments.request {
        None => nothing_special(),
        Some(file) => {
            let told = |error: &dyn std::fmt::Display| {
                (Exit::Unreadable, format!("{}: {error}", file.display()))
            };
            let text = std::fs::read_to_string(file).map_err(|error| told(&error))?;
            serde_json::from_str(&text).map_err(|error| told(&error))?
        }
    };
    let variables = record.entry("Variables").or_insert_with(|| json!({}));
    for variable in &arguments.variables {
        let (name, value) = variable
            .split_once('=')
            .ok_or_else(|| (Exit::Usage, format!("`{variable}` is not NAME=VALUE")))?;
        if let Some(variables) = variables.as_object_mut() {
            variables.insert(name.to_owned(), json!(value));
        }
    }
    let described = RecordedHost::from_record(&record);
    described.map_err(|fault| (Exit::Unreadable, fault.to_string()))
}

/// The request of an evaluation that describes none.
fn nothing_special() -> Map<String, Json> {
    let mut record = Map::new();
    let request = json!({
        "Method": "GET",
        "Url": "http://localhost/",
        "OriginalUrl": "http://localhost/",
        "IpAddress": "127.0.0.1",
        "Headers": {},
    });
    record.insert("Request".to_owned(), request);
    record
}

fn print_human(evaluated: &Result<Value, Exception>) -> Exit {
    match evaluated {
        Ok(value) => {
            say(&format!("{}: {}", value.type_name(), value.to_text()));
            Exit::Success
        }
        Err(exception) => {
            say(&format!("{}: {}", exception.type_name, exception.message));
            Exit::Findings
        }
    }
}

fn print_json(evaluated: &Result<Value, Exception>) -> Exit {
    let (object, exit) = match evaluated {
        Ok(value) => {
            let object = json!({
                "ok": true,
                "type": value.type_name(),
                "text": value.to_text(),
            });
            (object, Exit::Success)
        }
        Err(exception) => {
            let object = json!({
                "ok": false,
                "error": exception.type_name,
                "message": exception.message,
            });
            (object, Exit::Findings)
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
        assert_eq!(code_of(" @(1+1) "), (Form::Expression, "1+1", 3));
        assert_eq!(code_of("@{return 1;}"), (Form::Statements, "return 1;", 2));
        assert_eq!(code_of("1+1"), (Form::Expression, "1+1", 0));
    }
}
