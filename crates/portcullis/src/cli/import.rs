//! `portcullis import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where a configuration comes from.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// A template of Azure Resource Manager, or what `bicep build` made of a Bicep file.
    #[command(visible_alias = "bicep")]
    Arm(TemplateImport),
    /// An OpenAPI specification: 2.0, 3.0 or 3.1, JSON or YAML.
    Openapi(OpenApiImport),
    /// A folder that one of the APIOps tools extracted.
    Apiops(FolderImport),
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  bicep build main.bicep\n  portcullis import arm main.json --parameters main.parameters.json -p env=prod -o artifacts"
)]
pub(crate) struct TemplateImport {
    /// The template, JSON.
    pub(crate) template: PathBuf,
    /// Folder to write; it must not be there, or be empty.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
    /// Parameter file; may be repeated, a later one goes over an earlier one.
    #[arg(long, value_name = "FILE")]
    pub(crate) parameters: Vec<PathBuf>,
    /// Sets a parameter; anything but a string as JSON; may be repeated.
    #[arg(short, long = "parameter", value_name = "NAME=VALUE")]
    pub(crate) parameter: Vec<String>,
    /// Says what only a deployment knows, as `reference(TYPE/NAME).endpoint=https://…`; may be repeated.
    #[arg(long = "value", value_name = "CALL=VALUE")]
    pub(crate) values: Vec<String>,
    /// File with a JSON object of such values: for secrets, which do not belong on a command line.
    #[arg(long, value_name = "FILE")]
    pub(crate) values_file: Option<PathBuf>,
    /// What `resourceGroup().name` is.
    #[arg(long, default_value = "resource-group", value_name = "NAME")]
    pub(crate) resource_group: String,
    /// What `subscription().subscriptionId` is.
    #[arg(long, default_value = "00000000-0000-0000-0000-000000000000", value_name = "ID")]
    pub(crate) subscription: String,
    /// What `tenant().tenantId` is.
    #[arg(long, default_value = "00000000-0000-0000-0000-000000000000", value_name = "ID")]
    pub(crate) tenant: String,
    /// What `resourceGroup().location` is.
    #[arg(long, default_value = "westeurope", value_name = "REGION")]
    pub(crate) location: String,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  portcullis import openapi petstore.yaml --path pets -o artifacts"
)]
pub(crate) struct OpenApiImport {
    /// The specification.
    pub(crate) specification: PathBuf,
    /// Folder to write; it must not be there, or be empty.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
    /// Name of the API; by default made of the specification's title.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Path of the API behind the gateway's address; by default its name.
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// Where requests go; by default the first server of the specification.
    #[arg(long, value_name = "URL")]
    pub(crate) service_url: Option<String>,
    /// Serve callers without a subscription key.
    #[arg(long)]
    pub(crate) no_subscription: bool,
    /// Serve it over plain HTTP as well as over TLS.
    #[arg(long)]
    pub(crate) http: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  portcullis import apiops ./apim-artifacts -o artifacts")]
pub(crate) struct FolderImport {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// Folder to write; it must not be there, or be empty.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
}
