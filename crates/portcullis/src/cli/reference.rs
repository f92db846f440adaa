//! `portcullis policies` and `portcullis schema` on the command line.

use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  portcullis policies\n  portcullis policies validate-jwt\n  portcullis policies --format json"
)]
pub(crate) struct Policies {
    /// Prints the reference page of one policy instead of the table.
    pub(crate) name: Option<String>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = TableFormat::Human)]
    pub(crate) format: TableFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    Human,
    Json,
    Md,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  portcullis schema policy > policy.xsd")]
pub(crate) struct Schema {
    /// What the schema describes: `policy`, policy documents and fragments, as XSD.
    #[arg(value_enum)]
    pub(crate) kind: SchemaKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    Policy,
}
