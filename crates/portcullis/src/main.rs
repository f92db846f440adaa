//! The `portcullis` program: arguments, wiring, commands.
//!
//! ```text
//! arguments ─▶ cli::Command ─▶ commands::NAME::run ─▶ exit code
//!                                   │
//!                                   └─ run, dev: wiring::start ─▶ config, proxy, identity, transport
//! ```
//!
//! Start with [`cli`] for what a user can say and [`commands`] for what is done about it. This is
//! the only crate that names `policies::ALL`, and the only one that reads the environment.

mod answers;
mod cli;
mod collector;
mod commands;
mod counters;
mod edges;
mod example;
mod exit;
mod explain;
mod findings;
mod follow;
mod local;
mod management;
mod replica;
mod serve;
mod signals;
mod terminal;

use clap::Parser;

use crate::cli::Cli;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    // What went wrong has been printed by then; the exit code says that it is our fault.
    std::panic::catch_unwind(|| match terminal::init(&cli.global) {
        Ok(()) => commands::run(cli),
        Err(exit) => exit,
    })
    .unwrap_or_else(|_| {
        commands::complain("this is a bug in portcullis: please report it with the lines above");
        exit::Exit::Internal
    })
    .into()
}
