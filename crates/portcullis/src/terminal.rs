//! What goes to people: logs on standard error, colour where it is wanted.

use std::io::IsTerminal;

use document::render::Colours;
use tracing_subscriber::EnvFilter;

use crate::cli::{Colour, Global, LogFormat};
use crate::commands::complain;
use crate::exit::Exit;

/// Our crates, which people name without the prefix that their log targets have.
const CRATES: &[&str] = &[
    "cases",
    "config",
    "document",
    "expr",
    "identity",
    "pipeline",
    "policies",
    "proxy",
    "simulator",
    "telemetry",
    "transport",
];

/// Sets up logging. Called once, before any command runs.
///
/// # Errors
///
/// Usage: the filter cannot be read.
pub(crate) fn init(global: &Global) -> Result<(), Exit> {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "info",
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    let filter = global.log.as_deref().unwrap_or(level);
    let filter = EnvFilter::try_new(targets(filter)).map_err(|error| {
        complain(&format!("--log: {error}"));
        Exit::Usage
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colour is for diagnostics; log lines are for machines as much as for people.
        .with_ansi(false);
    // A second subscriber cannot be set; there is only one call.
    let _ = match global.log_format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// `info,identity=debug` with the targets that our crates really have.
fn targets(filter: &str) -> String {
    let full = |directive: &str| {
        let directive = directive.trim();
        let end = directive.find(['=', ':', '[']).unwrap_or(directive.len());
        let is_ours = directive.get(..end).is_some_and(|it| CRATES.contains(&it));
        if is_ours { format!("portcullis_{directive}") } else { directive.to_owned() }
    };
    filter.split(',').map(full).collect::<Vec<_>>().join(",")
}

/// [`colour`] for diagnostics on standard error.
pub(crate) fn colours(wanted: Colour) -> Colours {
    if colour(wanted) { Colours::On } else { Colours::Off }
}

/// Whether standard output gets colour.
pub(crate) fn colours_of_output(wanted: Colour) -> bool {
    let is_terminal = std::io::stdout().is_terminal();
    match wanted {
        Colour::Auto if !is_terminal => is_set("CLICOLOR_FORCE") && !is_set("NO_COLOR"),
        wanted => colour(wanted),
    }
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|it| !it.is_empty() && it != "0")
}

/// Whether standard error gets colour: as asked, else by `NO_COLOR`, `CLICOLOR_FORCE` and the
/// kind of the stream.
pub(crate) fn colour(wanted: Colour) -> bool {
    match wanted {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if is_set("NO_COLOR") => false,
        Colour::Auto => is_set("CLICOLOR_FORCE") || std::io::stderr().is_terminal(),
    }
}

#[cfg(test)]
mod tests {
    use super::targets;

    #[test]
    fn our_crates_are_named_without_their_prefix() {
        assert_eq!(targets("info, identity=debug"), "info,portcullis_identity=debug");
        assert_eq!(
            targets("config::watch=trace,hyper=warn"),
            "portcullis_config::watch=trace,hyper=warn"
        );
        assert_eq!(targets("debug"), "debug");
    }
}
