//! `portcullis expr`: evaluate policy expressions.
//!
//! ```text
//! arguments ─▶ Described (the request, response, variables) ─▶ Session ─▶ one expression
//!                                                                │
//!                                                                ├─▶ editor: a terminal
//!                                                                └─▶ a pipe, line by line
//! ```
//!
//! Start with [`run`]. A [`session::Session`] holds what lasts between two expressions; the editor
//! only reads lines.

mod cases;
mod described;
mod dot;
mod editor;
mod history;
mod host;
mod message;
mod session;
mod show;

use std::io::IsTerminal;

use ::expr::{Options, Runtime};

use super::{complain, say};
use crate::cli::{Expr, Global, RuntimeChoice};
use crate::exit::Exit;
use described::Described;
use session::{Next, Session};

pub(crate) fn run(arguments: &Expr, global: &Global) -> Exit {
    let runtime = runtime(arguments.runtime);
    if let Some(file) = &arguments.cases {
        return cases::run(file, runtime);
    }
    if arguments.reference {
        say(::expr::reference::page().trim_end());
        return Exit::Success;
    }
    let allow_unlisted = arguments.allow_unlisted;
    let options = Options { runtime, allow_unlisted, ..Options::default() };
    let described = match Described::of(arguments, &options) {
        Ok(described) => described,
        Err((exit, problem)) => {
            complain(&problem);
            return exit;
        }
    };
    let mut session = Session::new(described, options, arguments.format, global.color);
    match &arguments.expression {
        // A blank line asks nothing; a blank argument is no expression.
        Some(text) if text.trim().is_empty() => session.evaluate(text),
        Some(text) => match session.input(text) {
            Next::Go(_) if arguments.repl => interact(&mut session, arguments),
            Next::Go(exit) => exit,
            Next::Quit => Exit::Success,
        },
        None => interact(&mut session, arguments),
    }
}

/// From a terminal with an editor, from anything else line by line.
fn interact(session: &mut Session, arguments: &Expr) -> Exit {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        editor::run(session, !arguments.no_history)
    } else {
        session.read_all(std::io::stdin().lock())
    }
}

fn runtime(choice: RuntimeChoice) -> Runtime {
    match choice {
        RuntimeChoice::Modern => Runtime::Modern,
        RuntimeChoice::Framework => Runtime::Framework,
    }
}
