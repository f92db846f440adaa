//! `portcullis expr` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::HumanOrJson;

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  portcullis expr '@(context.Request.Method + \" \" + 7/2)'\n  portcullis expr -H 'x-tier: gold' -d '{\"a\": [1, 2]}' 'context.Request.Body.As<JObject>()[\"a\"].Count()'\n  portcullis expr --request order.http --var 'tries:=3'"
)]
pub(crate) struct Expr {
    /// The expression, `@(...)` or `@{...}`; bare text counts as either. Without one, expressions
    /// are read from the terminal, with an editor, or from standard input, line by line.
    pub(crate) expression: Option<String>,
    /// File with the request, as an HTTP message, or with the whole `context`, as JSON.
    #[arg(long, value_name = "FILE", help_heading = "Request")]
    pub(crate) request: Option<PathBuf>,
    /// Method of the request; GET, or POST if there is a body.
    #[arg(short = 'X', long, value_name = "METHOD", help_heading = "Request")]
    pub(crate) method: Option<String>,
    /// URL of the request; a path will do.
    #[arg(long, value_name = "URL", help_heading = "Request")]
    pub(crate) url: Option<String>,
    /// Header of the request; may be repeated.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", help_heading = "Request")]
    pub(crate) headers: Vec<String>,
    /// Body of the request; `@FILE` reads it, `@-` from standard input.
    #[arg(short, long, value_name = "DATA", help_heading = "Request")]
    pub(crate) data: Option<String>,
    /// File with the response, as an HTTP message or as JSON.
    #[arg(long, value_name = "FILE", help_heading = "Request")]
    pub(crate) response: Option<PathBuf>,
    /// Sets a context variable to a text, or with `:=` to the value of an expression; may be repeated.
    #[arg(long = "var", value_name = "NAME=TEXT", help_heading = "Request")]
    pub(crate) variables: Vec<String>,
    /// Goes on with further expressions after the given one.
    #[arg(long)]
    pub(crate) repl: bool,
    /// Keeps no history of what is typed.
    #[arg(long)]
    pub(crate) no_history: bool,
    /// Prints the reference of the language: types, members, `context`.
    #[arg(long, conflicts_with_all = ["expression", "cases"])]
    pub(crate) reference: bool,
    /// Evaluates recorded cases, one JSON object a line, and prints each with its result.
    #[arg(long, value_name = "FILE", conflicts_with = "expression")]
    pub(crate) cases: Option<PathBuf>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = HumanOrJson::Human)]
    pub(crate) format: HumanOrJson,
    /// Which .NET decides where runtimes differ.
    #[arg(long, value_enum, default_value_t = RuntimeChoice::Modern)]
    pub(crate) runtime: RuntimeChoice,

    /// Accepts what Azure refuses and this program has: types off its list, tuples, `dynamic`, `goto`,
    /// `yield`
    #[arg(long)]
    pub(crate) allow_unlisted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeChoice {
    Modern,
    Framework,
}
