//! `portcullis completions`.

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use clap_complete_nushell::Nushell;

use crate::cli::{Cli, CompletionShell, Completions};
use crate::exit::Exit;

pub(crate) fn run(arguments: &Completions) -> Exit {
    let mut command = Cli::command();
    let mut script = Vec::new();
    match arguments.shell {
        CompletionShell::Bash => generate(Shell::Bash, &mut command, "portcullis", &mut script),
        CompletionShell::Zsh => generate(Shell::Zsh, &mut command, "portcullis", &mut script),
        CompletionShell::Fish => generate(Shell::Fish, &mut command, "portcullis", &mut script),
        CompletionShell::Pwsh => {
            generate(Shell::PowerShell, &mut command, "portcullis", &mut script);
        }
        CompletionShell::Nu => generate(Nushell, &mut command, "portcullis", &mut script),
    }
    super::say(String::from_utf8_lossy(&script).trim_end());
    Exit::Success
}
