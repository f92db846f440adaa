//! JSON and XML as .NET programs hold them: mutable trees whose nodes know their parents.
//!
//! ```text
//! json       Newtonsoft.Json: JToken, JSON path, merging, casts
//! xml        System.Xml.Linq: XNode, names, casts; from and to JSON
//! note       what a program puts at a node
//! store      how nodes are shared, and how two trees become one
//! ```
//!
//! Start with [`json::parse`] and [`xml::parse`]. Knows nothing of C#, of rows or of a request; what
//! .NET would throw is a [`Fault`](dotnet::Fault). Depth is bounded.

pub mod json;
mod note;
mod store;
pub mod xml;

pub use note::Note;
