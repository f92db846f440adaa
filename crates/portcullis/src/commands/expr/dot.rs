//! The commands of a session: lines that start with a point.

use std::path::Path;

use ::expr::{Form, Host as _, Options, Runtime, complete};

use super::message;
use super::session::{Next, Session, code_of, value_of};
use crate::commands::{complain, say};
use crate::exit::Exit;

/// A command.
pub(super) struct Command {
    /// With the point.
    pub(super) name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&mut Session, &str) -> Next,
}

/// Every command, one line each.
pub(super) const COMMANDS: &[Command] = &[
    command(".help", "", "what can be typed here", help),
    command(".request", "[FILE | METHOD URL]", "show the request, read it, or make one", request),
    command(".header", "NAME: VALUE", "add a header to the request", header),
    command(".body", "TEXT | @FILE", "set the body of the request", body),
    command(".response", "FILE", "read a response", response),
    command(".var", "[NAME = EXPRESSION]", "list the variables, or set one", var),
    command(".type", "EXPRESSION", "the static type, without evaluating", static_type),
    command(".members", "EXPRESSION | TYPE", "what can stand behind its point", members),
    command(".load", "FILE", "evaluate the expression in a file", load),
    command(".runtime", "[modern | framework]", "which .NET to imitate", runtime),
    command(".quit", "", "leave; Ctrl-D does, too", |_, _| Next::Quit),
];

const fn command(
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&mut Session, &str) -> Next,
) -> Command {
    Command { name, arguments, summary, run }
}

const DONE: Next = Next::Go(Exit::Success);

/// Runs a command line.
pub(super) fn run(session: &mut Session, line: &str) -> Next {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let name = if name == ".exit" { ".quit" } else { name };
    let mut found = COMMANDS.iter().filter(|it| it.name.starts_with(name));
    match (found.next(), found.next()) {
        (Some(one), None) => (one.run)(session, rest.trim()),
        (Some(one), Some(_)) if one.name == name => (one.run)(session, rest.trim()),
        (Some(_), Some(_)) => failed(&format!("`{name}` could be several commands; see `.help`")),
        _ => failed(&format!("there is no command `{name}`; `.help` lists them")),
    }
}

fn failed(problem: &str) -> Next {
    complain(problem);
    Next::Go(Exit::Findings)
}

fn done<E>(result: Result<(), E>, told: impl FnOnce(E) -> String) -> Next {
    match result {
        Ok(()) => DONE,
        Err(error) => failed(&told(error)),
    }
}

fn help(_: &mut Session, _: &str) -> Next {
    say("An expression, `@(...)` or `@{...}`; bare text counts as either. Tab completes.\n");
    for it in COMMANDS {
        say(format!("{:<10} {:<21} {}", it.name, it.arguments, it.summary).trim_end());
    }
    DONE
}

fn request(session: &mut Session, rest: &str) -> Next {
    if rest.is_empty() {
        return show_request(session);
    }
    let described = &mut session.described;
    match rest.split_once(char::is_whitespace) {
        Some((method, url)) => done(described.set_call(method, url.trim()), |it| it),
        None => done(described.load_request(Path::new(rest)), |(_, it)| it),
    }
}

/// The request as a message.
fn show_request(session: &Session) -> Next {
    let host = match session.described.host() {
        Ok(host) => host,
        Err(problem) => return failed(&problem),
    };
    let request = host.request();
    say(&format!("{} {}", request.method(), request.url()));
    request.headers().all(&mut |name, value| say(&format!("{name}: {value}")));
    if let Some(body) = request.body() {
        let bytes = body.read(true).unwrap_or_default();
        match std::str::from_utf8(&bytes) {
            Ok(text) => say(&format!("\n{}", text.trim_end())),
            Err(_) => say(&format!("\n({} bytes)", bytes.len())),
        }
    }
    DONE
}

fn header(session: &mut Session, rest: &str) -> Next {
    match message::header(rest) {
        Ok((name, value)) => {
            session.described.add_header(&name, &value);
            DONE
        }
        Err(problem) => failed(&problem),
    }
}

fn body(session: &mut Session, rest: &str) -> Next {
    if rest == "@-" {
        return failed("standard input is where the commands come from");
    }
    done(session.described.set_body(rest), |(_, it)| it)
}

fn response(session: &mut Session, rest: &str) -> Next {
    if rest.is_empty() {
        return failed("`.response` needs a file");
    }
    done(session.described.load_response(Path::new(rest)), |(_, it)| it)
}

fn var(session: &mut Session, rest: &str) -> Next {
    let Some((name, text)) = rest.split_once('=') else {
        if !rest.is_empty() {
            return failed("write `.var NAME = EXPRESSION`");
        }
        for (name, value) in session.described.variables.iter() {
            let text = value.to_text();
            say(&format!("{name} = {}: {text}", value.type_name()));
        }
        return DONE;
    };
    match value_of(text, &session.described, &session.options) {
        Ok(value) => {
            session.described.variables.set(name.trim(), value);
            DONE
        }
        Err(problem) => failed(&problem),
    }
}

fn static_type(session: &mut Session, rest: &str) -> Next {
    match session.compile(rest) {
        Ok((program, _)) => {
            say(&program.result_type().to_string());
            DONE
        }
        Err(exit) => Next::Go(exit),
    }
}

fn members(session: &mut Session, rest: &str) -> Next {
    let code = code_of(rest);
    let source = format!("{}.", code.text.trim_end_matches('.'));
    let found = members_of(&source, code.form, &session.options);
    if found.is_empty() {
        return failed(&format!("nothing is known of `{rest}`"));
    }
    for line in found {
        say(&line);
    }
    DONE
}

fn members_of(source: &str, form: Form, options: &Options) -> Vec<String> {
    let found = complete(source, form, source.len(), options);
    found.items.iter().map(described).collect()
}

/// A choice on one line.
pub(super) fn described(it: &::expr::Completion) -> String {
    use ::expr::CompletionKind::{Extension, Method};
    match it.kind {
        Method | Extension => it.detail.clone(),
        _ if it.detail.is_empty() => it.label.clone(),
        _ => format!("{}: {}", it.label, it.detail),
    }
}

fn load(session: &mut Session, rest: &str) -> Next {
    match std::fs::read_to_string(rest) {
        Ok(text) => Next::Go(session.evaluate(&text)),
        Err(error) => failed(&format!("{rest}: {error}")),
    }
}

fn runtime(session: &mut Session, rest: &str) -> Next {
    let runtime = match rest {
        "modern" => Runtime::Modern,
        "framework" => Runtime::Framework,
        "" => {
            say(if session.options.runtime == Runtime::Modern { "modern" } else { "framework" });
            return DONE;
        }
        _ => return failed("a runtime is `modern` or `framework`"),
    };
    session.options.runtime = runtime;
    DONE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_is_the_start_of_another() {
        for it in COMMANDS {
            let same = COMMANDS.iter().filter(|other| other.name.starts_with(it.name)).count();
            assert_eq!(same, 1, "{}", it.name);
        }
    }

    #[test]
    fn members_are_listed_with_their_types() {
        let all = members_of("context.Request.", Form::Expression, &Options::default());
        assert!(all.contains(&"Method: string".to_owned()), "{all:?}");
        assert!(members_of("nothing.", Form::Expression, &Options::default()).is_empty());
    }
}
