//! Configurations that come from elsewhere, turned into an artifact folder.
//!
//! ```text
//! template ─arm─▶ resources ─┐
//! specification ─────────────┼─▶ Imported { files, notes, problems }
//! extracted folder ──────────┘
//! ```
//!
//! What comes out is the layout of the APIOps tools, so that it can be published to Azure as well
//! as served here.
//!
//! Source: <https://github.com/Azure/apiops>

mod apiops;
mod kinds;
mod resources;
mod specification;

use std::collections::BTreeMap;

pub use apiops::from_folder;
pub use resources::from_template;
pub use specification::{ApiChoice, from_specification};

/// The provider whose resources are read.
pub const PROVIDER: &str = "Microsoft.ApiManagement/service";

/// What an import came to.
#[derive(Debug, Default, PartialEq)]
pub struct Imported {
    /// The files by name: the path below the folder, with `/`.
    pub files: BTreeMap<String, String>,
    /// What differs from where it came from, and what has to be given when it runs.
    pub notes: Vec<String>,
    /// What could not be read. With any, the files are not complete.
    pub problems: Vec<arm::Problem>,
}

impl Imported {
    fn problem(&mut self, at: &str, message: impl Into<String>) {
        self.problems.push(arm::Problem {
            at: at.to_owned(),
            message: message.into(),
            missing: None,
        });
    }

    /// Adds a file; two of one name are a problem.
    fn add(&mut self, at: &str, name: String, text: String) {
        let lower = name.to_lowercase();
        if self.files.keys().any(|it| it.to_lowercase() == lower) {
            return self.problem(at, format!("`{name}` is declared twice"));
        }
        self.files.insert(name, text);
    }
}
