//! The commands, one file each.

mod completions;
mod config;
mod dev;
mod env;
mod expr;
mod import;
mod policies;
mod run;
mod schema;
mod simulate;
mod token;
mod validate;
mod version;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// Runs the chosen command.
pub(crate) fn run(cli: Cli) -> Exit {
    match cli.command {
        Command::Run(arguments) => run::run(&arguments, &cli.global),
        Command::Dev(arguments) => dev::run(&arguments, &cli.global),
        Command::Validate(arguments) => validate::run(&arguments, &cli.global),
        Command::Config(command) => config::run(&command, &cli.global),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Env(arguments) => env::run(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Expr(arguments) => expr::run(&arguments, &cli.global),
        Command::Import(arguments) => import::run(&arguments, &cli.global),
        Command::Policies(arguments) => policies::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}

/// Prints a line to standard output. Whoever reads it may be gone, which is no failure of ours.
pub(crate) fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints text to standard error as it is.
pub(crate) fn mention(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints a problem to standard error.
pub(crate) fn complain(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "error: {text}");
}
