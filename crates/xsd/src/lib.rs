//! XML Schema 1.0: what real schemas use, compiled once, then checked within bounds.
//!
//! ```text
//! documents ─read─▶ Parts ─compile─▶ Schema ─check─▶ Violations
//! ```
//!
//! Start with [`Schema::compile`]. Elements, complex and simple types with all facets, sequences,
//! choices, `all`, groups, attributes, extensions and restrictions, `any`, `nillable`, `xsi:type`,
//! includes and imports among the documents at hand are there. Everything else (identity
//! constraints, substitution groups, redefinitions, notations) is refused by its name when the
//! schema is compiled: no rule is left out in silence. Documents with a document type are refused.
//!
//! This crate knows nothing of messages or policies.
//!
//! Source: XML Schema parts 1 and 2, second edition.

mod builtin;
mod check;
mod compile;
mod content;
mod model;
mod pattern;
mod read;
mod simple;

use std::sync::Arc;

use check::Checker;
use model::Compiled;
use read::{Parts, parse};

/// Most violations that one check tells of.
pub const MAX_VIOLATIONS: usize = 20;

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl Unusable {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// One thing that does not conform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong: a sentence without its full stop.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub position: usize,
}

/// A schema. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Schema(Arc<Compiled>);

impl Schema {
    /// Compiles the document of that name with all that it includes and imports, which have to be
    /// among the documents: names and texts.
    ///
    /// # Errors
    ///
    /// What is wrong with it, or what is not supported, by name.
    pub fn compile(documents: &[(String, String)], name: &str) -> Result<Schema, Unusable> {
        let mut parsed = Vec::with_capacity(documents.len());
        for (own, text) in documents {
            match parse(text.trim_start_matches('\u{feff}')) {
                Ok(document) => parsed.push((own.clone(), document)),
                // Others need not be right unless they are wanted.
                Err(why) if own == name => {
                    return Err(Unusable::new(format!("it is no XML: {why}")));
                }
                Err(_) => {}
            }
        }
        let main = parsed.iter().position(|(own, _)| own == name);
        let main = main.ok_or_else(|| Unusable::new(format!("there is no schema `{name}`")))?;
        let parts = Parts::read(&parsed, &[main])?;
        compile::compile(parts).map(|it| Schema(Arc::new(it)))
    }

    /// Compiles all documents as one schema: an element may be of any of them.
    ///
    /// # Errors
    ///
    /// As [`Schema::compile`], for any of them.
    pub fn compile_all(documents: &[(String, String)]) -> Result<Schema, Unusable> {
        let mut parsed = Vec::with_capacity(documents.len());
        for (name, text) in documents {
            let document = parse(text.trim_start_matches('\u{feff}'))
                .map_err(|why| Unusable::new(format!("`{name}` is no XML: {why}")))?;
            parsed.push((name.clone(), document));
        }
        let wanted: Vec<usize> = (0..parsed.len()).collect();
        let parts = Parts::read(&parsed, &wanted)?;
        compile::compile(parts).map(|it| Schema(Arc::new(it)))
    }

    /// Everything that is wrong with a document, up to [`MAX_VIOLATIONS`].
    #[must_use]
    pub fn check(&self, text: &str) -> Vec<Violation> {
        match parse(text) {
            Err(why) => vec![no_xml(why)],
            Ok(document) => {
                let mut checker = Checker::new(&self.0, &document);
                checker.root(document.root_element());
                checker.finish()
            }
        }
    }

    /// The same for a document in an envelope of SOAP 1.1 or 1.2: every element of its body is
    /// checked. A fault is right as it is if `may_be_fault`.
    #[must_use]
    pub fn check_envelope(&self, text: &str, may_be_fault: bool) -> Vec<Violation> {
        match parse(text) {
            Err(why) => vec![no_xml(why)],
            Ok(document) => {
                let mut checker = Checker::new(&self.0, &document);
                checker.envelope(document.root_element(), may_be_fault);
                checker.finish()
            }
        }
    }
}

fn no_xml(why: String) -> Violation {
    Violation { message: format!("the body is no XML: {why}"), line: 1, position: 1 }
}

#[cfg(test)]
mod tests;
