//! `portcullis token` on the command line.

use clap::{Args, Subcommand};

use super::HumanOrJson;
use super::duration::signed_seconds;

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Mint a token as the stand-in tenant would, or a forged one.
    Mint(Box<Mint>),
    /// Explain a JWT: header, claims, times, and what is odd about it.
    Inspect(Inspect),
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  portcullis token mint --roles Llm.Use --lifetime 10m\n  portcullis token mint --forge alg-none"
)]
pub(crate) struct Mint {
    /// Shape of the token: 1.0 or 2.0.
    #[arg(long = "version", id = "token-version", visible_alias = "ver", default_value = "1.0", value_parser = ["1.0", "2.0", "1", "2", "v1", "v2"])]
    pub(crate) version: String,
    /// `aud`.
    #[arg(long, visible_alias = "aud", default_value = "https://cognitiveservices.azure.com")]
    pub(crate) audience: String,
    /// Client application: `appid` or `azp`. By default the stand-in's application.
    #[arg(long, visible_alias = "client-id", value_name = "ID")]
    pub(crate) client: Option<String>,
    /// Tenant. By default the stand-in's.
    #[arg(long, visible_alias = "tenant-id", value_name = "ID")]
    pub(crate) tenant: Option<String>,
    /// `iss`, if it is not to follow from tenant and version.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// `oid` and `sub`.
    #[arg(long, value_name = "ID")]
    pub(crate) subject: Option<String>,
    /// `roles`, separated by commas.
    #[arg(long, visible_alias = "role", value_delimiter = ',')]
    pub(crate) roles: Vec<String>,
    /// `scp`, separated by commas or spaces.
    #[arg(long, visible_aliases = ["scope", "scp"], value_delimiter = ',')]
    pub(crate) scopes: Vec<String>,
    /// `groups`, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) groups: Vec<String>,
    /// Time until it expires, for instance `1h`; negative for one that has expired.
    #[arg(long, default_value = "1h", value_parser = signed_seconds, allow_hyphen_values = true, value_name = "DURATION")]
    pub(crate) lifetime: i64,
    /// Further claim: NAME=JSON; `null` removes one. May be repeated.
    #[arg(long = "claim", value_name = "NAME=JSON")]
    pub(crate) claims: Vec<String>,
    /// Forge it; `list` names the ways.
    #[arg(long, value_name = "NAME")]
    pub(crate) forge: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  portcullis token mint | portcullis token inspect -")]
pub(crate) struct Inspect {
    /// The token; `-` reads it from standard input.
    pub(crate) token: String,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = HumanOrJson::Human)]
    pub(crate) format: HumanOrJson,
}
