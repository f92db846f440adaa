//! `portcullis config` on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Make the configuration in the database that of a folder.
    Push(Push),
    /// Make a folder that of the configuration in the database.
    Pull(Pull),
}

/// What both ways need.
#[derive(Args, Debug)]
pub(crate) struct Shared {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The settings file that names the database; by default the portcullis.yaml of the folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Say what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  portcullis config push ./apim-artifacts --env prod")]
pub(crate) struct Push {
    #[command(flatten)]
    pub(crate) shared: Shared,
    /// Environment: checks with configuration.NAME.yaml.
    #[arg(long, env = "PORTCULLIS_ENV", hide_env_values = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  portcullis config pull ./backup --settings /etc/portcullis/portcullis.yaml"
)]
pub(crate) struct Pull {
    #[command(flatten)]
    pub(crate) shared: Shared,
}
