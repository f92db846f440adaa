//! XML as LINQ to XML sees it: a mutable tree of nodes that know their parents.
//!
//! ```text
//! text -> parser -> Tree <- Node (a handle: tree and number of the node)
//!                    |
//!      edit, navigate, convert (casts), writer -> text
//! ```
//!
//! Start with [`parse`] and [`Node`]. As in [`crate::json`], clones of a node see each other's
//! changes, a child keeps its parents alive, and a node that has a parent is copied when it is
//! added elsewhere.
//!
//! The parser accepts well-formed XML 1.0 with namespaces. A document type may be there but may
//! declare no entities, so that neither entity bombs nor external entities exist.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/linq/linq-xml-overview>

mod arena;
pub mod convert;
mod edit;
mod json;
mod markup;
mod name;
mod navigate;
mod node;
mod parser;
mod prolog;
mod scope;
mod values;
mod writer;

pub use arena::Kind;
pub use edit::Content;
pub use json::{from_json, to_json};
pub use name::{Name, XML_NAMESPACE, XMLNS_NAMESPACE};
pub use node::{Declaration, DocumentType, Node, Nodes};
pub use parser::{ParseOptions, Root, parse};

pub use dotnet::Fault;

/// Elements nest this deep at most.
pub const MAX_DEPTH: u16 = 256;

/// `System.Xml.XmlException`.
pub(crate) fn xml_exception(message: impl Into<String>) -> Fault {
    Fault::new("System.Xml.XmlException", message)
}
