//! What goes to people: logs on standard error, colour where it is wanted.

use std::io::IsTerminal;

use document::render::Colours;
use tracing_subscriber::EnvFilter;

use crate::cli::{Colour, Global, LogFormat};

/// Sets up logging. Called once, before any command runs.
pub(crate) fn init(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "info",
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    let filter = global.log.as_deref().unwrap_or(level);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour(global.color));
    // A second subscriber cannot be set; there is only one call.
    let _ = match global.log_format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
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
