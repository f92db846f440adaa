//! What a user can say on the command line.

mod config;
mod duration;
mod expr;
mod import;
mod reference;
mod token;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use config::{Config, Pull, Push, Shared};
use duration::duration;
pub(crate) use expr::{Expr, RuntimeChoice};
pub(crate) use import::{FolderImport, Import, OpenApiImport, TemplateImport};
pub(crate) use reference::{Policies, Schema, SchemaKind, TableFormat};
pub(crate) use token::{Inspect, Mint, Token};

/// Runs Azure API Management policy documents anywhere.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Colour on standard error.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    pub(crate) color: Colour,
    /// Only errors on standard error.
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// More on standard error; twice for everything.
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// Log filter, for instance `info,identity=debug`.
    #[arg(
        long,
        global = true,
        env = "PORTCULLIS_LOG",
        hide_env_values = true,
        hide_env_values = true,
        help_heading = "Output"
    )]
    pub(crate) log: Option<String>,
    /// Form of the log lines.
    #[arg(
        long, global = true, value_enum, default_value_t = LogFormat::Text,
        env = "PORTCULLIS_LOG_FORMAT", hide_env_values = true, help_heading = "Output"
    )]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a configuration: a folder in APIOps layout, or a portcullis.yaml.
    Run(Run),
    /// Serve a configuration with stand-ins for Azure beside it; without a path, the built-in example.
    Dev(Dev),
    /// Check every policy, fragment, reference and expression, without the network.
    Validate(Validate),
    /// Write a folder to the database that gateways share, or the other way.
    #[command(subcommand)]
    Config(Config),
    /// Run stand-ins for Azure OpenAI, Entra ID, managed identity, Key Vault, Cosmos DB and others.
    Simulate(Simulate),
    /// Print the variables that point SDKs at the stand-ins of a running `dev` or `simulate`.
    Env(Env),
    /// Mint tokens of the stand-in tenant, and explain any JWT.
    #[command(subcommand)]
    Token(Token),
    /// Evaluate a policy expression.
    Expr(Expr),
    /// Make a folder of what comes from elsewhere: templates, specifications, extracted artifacts.
    #[command(subcommand)]
    Import(Import),
    /// Print which policies are supported, and what differs from Azure.
    Policies(Policies),
    /// Print a schema for editors.
    Schema(Schema),
    /// Print the version.
    Version(Version),
    /// Print a completion script.
    Completions(Completions),
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  portcullis run ./apim-artifacts --env prod --listen :8080")]
pub(crate) struct Run {
    /// Folder or portcullis.yaml.
    #[arg(env = "PORTCULLIS_CONFIG", hide_env_values = true, default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) serve: Serve,
    /// Reload when a file changes.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Load and check everything, then stop without listening.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// TLS with a certificate that is made at start, for development.
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(crate) tls_dev: bool,
}

/// Options that `run` and `dev` share.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Serve {
    /// Address for HTTP; `:8080` means all interfaces.
    #[arg(long, env = "PORTCULLIS_LISTEN", hide_env_values = true, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Address for HTTPS.
    #[arg(long, env = "PORTCULLIS_TLS_LISTEN", hide_env_values = true, value_name = "ADDRESS")]
    pub(crate) tls_listen: Option<String>,
    /// Certificate chain, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Address for health and readiness.
    #[arg(long, env = "PORTCULLIS_ADMIN", hide_env_values = true, value_name = "ADDRESS")]
    pub(crate) admin: Option<String>,
    /// Address of the management API for Azure's tools, over TLS; by default there is none.
    #[arg(long, env = "PORTCULLIS_MANAGEMENT", hide_env_values = true, value_name = "ADDRESS")]
    pub(crate) management: Option<String>,
    /// The management API changes nothing.
    #[arg(long)]
    pub(crate) management_read_only: bool,
    /// Environment: applies configuration.NAME.yaml.
    #[arg(long, env = "PORTCULLIS_ENV", hide_env_values = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// File with `NAME=value` lines that count as environment variables.
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Sets a named value; may be repeated.
    #[arg(long = "named-value", value_name = "NAME=VALUE")]
    pub(crate) named_values: Vec<String>,
    /// Treat warnings as errors.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Changes a setting of portcullis.yaml, as `limits.max-body=1MiB`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// How long requests may finish after SIGTERM; 30s unless portcullis.yaml says otherwise.
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub(crate) drain: Option<Duration>,
    /// Where the access log goes, one JSON object per request.
    #[arg(long, value_enum, default_value_t = AccessLogChoice::Stdout)]
    pub(crate) access_log: AccessLogChoice,
    /// File for the access log.
    #[arg(long, value_name = "FILE")]
    pub(crate) access_log_file: Option<PathBuf>,
    /// Worker threads; by default one per core.
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// File to write, once everything listens, with the addresses as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// File to write the process identifier to.
    #[arg(long, value_name = "FILE")]
    pub(crate) pid_file: Option<PathBuf>,
}

/// Where the access log goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessLogChoice {
    /// Standard output.
    #[default]
    Stdout,
    /// Nowhere.
    Off,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  portcullis dev ./apim-artifacts\n  portcullis dev --ports ephemeral --ready-file ready.json"
)]
pub(crate) struct Dev {
    /// Folder or portcullis.yaml; without it, the built-in example.
    pub(crate) path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) serve: Serve,
    /// `fixed` takes the documented ports, `ephemeral` lets the system choose, a ready file of an
    /// earlier run takes the ports of that run.
    #[arg(long, default_value = "fixed", value_parser = port_choice, value_name = "fixed|ephemeral|FILE")]
    pub(crate) ports: PortChoice,
    #[command(flatten)]
    pub(crate) seed: SeedFile,
    /// Where the local certificate authority and the addresses are kept.
    #[arg(long, env = "PORTCULLIS_DATA_DIR", hide_env_values = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Which ports to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PortChoice {
    /// The documented ones.
    Fixed,
    /// Whatever the system gives.
    Ephemeral,
    /// Those of an earlier run, from its ready file.
    Same(PathBuf),
}

fn port_choice(text: &str) -> Result<PortChoice, String> {
    match text {
        "fixed" => Ok(PortChoice::Fixed),
        "ephemeral" => Ok(PortChoice::Ephemeral),
        file if std::path::Path::new(file).is_file() => Ok(PortChoice::Same(file.into())),
        file => Err(format!("`{file}` is neither `fixed`, `ephemeral` nor a ready file")),
    }
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  portcullis validate ./apim-artifacts --format sarif\n  portcullis validate policy.xml\n  portcullis validate --explain PC0204"
)]
pub(crate) struct Validate {
    /// Configuration folders, portcullis.yaml files, or lone policy and fragment files.
    pub(crate) paths: Vec<PathBuf>,
    /// Form of the findings.
    #[arg(long, value_enum, default_value_t = FindingFormat::Human)]
    pub(crate) format: FindingFormat,
    /// `warnings`: a warning counts as a finding.
    #[arg(long, value_name = "warnings", value_parser = ["warnings"])]
    pub(crate) deny: Option<String>,
    /// Environment: applies configuration.NAME.yaml.
    #[arg(long, env = "PORTCULLIS_ENV", hide_env_values = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Explains a diagnostic code and stops.
    #[arg(long, value_name = "CODE")]
    pub(crate) explain: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FindingFormat {
    Human,
    Json,
    Sarif,
    Github,
    Junit,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  portcullis simulate entra imds --ports ephemeral --ready-file ready.json"
)]
pub(crate) struct Simulate {
    /// Which; all by default.
    #[arg(value_enum)]
    pub(crate) services: Vec<SimulatedService>,
    /// `fixed` takes the documented ports, `ephemeral` lets the system choose, a ready file of an
    /// earlier run takes the ports of that run.
    #[arg(long, default_value = "fixed", value_parser = port_choice, value_name = "fixed|ephemeral|FILE")]
    pub(crate) ports: PortChoice,
    #[command(flatten)]
    pub(crate) seed: SeedFile,
    /// Tokens a minute of every deployment; without it, as the seed says, or no limit.
    #[arg(long, value_name = "TOKENS")]
    pub(crate) tpm: Option<u64>,
    /// Requests a minute of every deployment; without it, as the seed says, or no limit.
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) rpm: Option<u64>,
    /// Milliseconds that every answer waits.
    #[arg(long, default_value_t = 0, value_name = "MILLISECONDS")]
    pub(crate) latency: u64,
    /// Milliseconds that each token of a model's answer takes.
    #[arg(long, value_name = "MILLISECONDS")]
    pub(crate) token_latency: Option<u64>,
    /// Script of faults for Azure OpenAI: a JSON list, a step for each request.
    #[arg(long, value_name = "FILE", conflicts_with = "latency")]
    pub(crate) faults: Option<PathBuf>,
    /// File to write, once everything listens, with the addresses as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Where the local certificate authority and the addresses are kept.
    #[arg(long, env = "PORTCULLIS_DATA_DIR", hide_env_values = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SimulatedService {
    Aoai,
    Entra,
    Imds,
    Keyvault,
    Mcp,
    Cosmos,
    All,
}

#[derive(Args, Debug, Default)]
pub(crate) struct SeedFile {
    /// JSON file with what the stand-ins know, where it is not to be the usual: deployments,
    /// blocklists, secrets, keys.
    #[arg(long = "seed", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  eval \"$(portcullis env)\"")]
pub(crate) struct Env {
    /// Syntax of the output.
    #[arg(long, value_enum, default_value_t = Shell::Bash)]
    pub(crate) shell: Shell,
    /// Where `dev` keeps the addresses.
    #[arg(long, env = "PORTCULLIS_DATA_DIR", hide_env_values = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Fish,
    Pwsh,
    Dotenv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HumanOrJson {
    Human,
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct Version {
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  portcullis completions bash > /etc/bash_completion.d/portcullis"
)]
pub(crate) struct Completions {
    /// For which shell.
    #[arg(value_enum)]
    pub(crate) shell: CompletionShell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompletionShell {
    Bash,
    Zsh,
    Fish,
    Pwsh,
    Nu,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
