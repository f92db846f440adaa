//! What the management API reads and changes: the files of a configuration, and what became of a
//! change.

use std::fmt;
use std::sync::Arc;

use config::Source;
use transport::BoxFuture;

use crate::problem::Detail;

/// The files of a configuration, with the gateway that obeys them.
pub trait Configuration: Send + Sync + fmt::Debug {
    /// The files as they are.
    fn read(&self) -> BoxFuture<'_, Result<Held, String>>;

    /// Loads the configuration with the changes; if it is good, writes them and puts it in place.
    /// All or nothing; `expected` is the version that the changes were made from.
    fn change<'a>(
        &'a self,
        changes: &'a [FileChange],
        expected: &'a str,
    ) -> BoxFuture<'a, Result<String, Refused>>;

    /// Asks for secrets again. `Err`: why the configuration in place stayed.
    fn refresh(&self) -> BoxFuture<'_, Result<(), Refused>>;
}

/// Files and their version.
#[derive(Clone, Debug)]
pub struct Held {
    /// The files.
    pub source: Arc<Source>,
    /// Changes whenever a file does.
    pub version: String,
}

/// A change of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The name below the folder, with `/`.
    pub name: String,
    /// Its new text; none: it goes.
    pub text: Option<String>,
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The configuration would not load.
    Invalid(Vec<Detail>),
    /// The files are not of the expected version any more.
    Conflict,
    /// Files cannot be written here.
    ReadOnly(String),
    /// They could not be written.
    Failed(String),
}
