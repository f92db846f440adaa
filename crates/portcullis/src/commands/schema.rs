//! `portcullis schema`.

use pipeline::Registry;
use pipeline::reference::xsd;

use crate::cli::{Schema, SchemaKind};
use crate::exit::Exit;

pub(crate) fn run(arguments: &Schema) -> Exit {
    match arguments.kind {
        SchemaKind::Policy => super::say(xsd(&Registry::new(policies::ALL)).trim_end()),
    }
    Exit::Success
}
