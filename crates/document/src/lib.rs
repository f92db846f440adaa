//! Policy documents: the raw-XML dialect, read without loss and with spans.
//!
//! ```text
//! source ─parse─▶ Document (tree, spans) ─NamedValues::resolve─▶ Resolved ─kind─▶ Value
//!    ▲                │                                            │
//!    └── to_source ───┘              Diagnostic ◀── every problem, mapped back to the source
//! ```
//!
//! Start with [`parse`]. A document may be well-formed XML with escaped expressions, or hold C#
//! unescaped, or mix both; the tree looks the same. Values are [`SourceText`]: decoded text that
//! knows where in the source each of its bytes came from. [`NamedValues::resolve`] puts named
//! values in, and [`Resolved::kind`] tells a literal from an expression.
//!
//! [`Diagnostic`], [`Code`] and the [`codes!`] tables are for every crate; [`render`] prints them.
//!
//! This crate never knows a policy, an API or a request.

pub mod codes;
mod diagnostic;
mod entity;
mod named_values;
mod parse;
pub mod render;
mod resolved;
mod span;
mod suggest;
mod text;
mod tree;

pub use codes::{Code, CodeEntry};
pub use diagnostic::{Diagnostic, Related, Severity};
pub use named_values::{NamedValue, NamedValues, Reference, references};
pub use parse::{MAX_BYTES, MAX_DEPTH, parse};
pub use resolved::{Mode, Resolved, Value};
pub use span::{LineIndex, Position, Span};
pub use suggest::closest;
pub use text::SourceText;
pub use tree::{Attribute, Document, Element, Format, Node, Quote, TextNode};
