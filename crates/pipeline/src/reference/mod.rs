//! What people read about policies, made from their schemas: the support table, a page for each,
//! and the schema for editors.
//!
//! ```text
//! PolicyKind ─┬─ rows, table, markdown_table   portcullis policies, docs/policies/README.md
//!             ├─ page                          docs/policies/NAME.md
//!             └─ xsd                           portcullis schema policy
//! ```
//!
//! Nothing here names a policy: what there is to say of one stands in its `KIND`.

mod page;
mod table;
mod xsd;

pub use page::{Refusal, page};
pub use table::{Row, Status, markdown_table, rows, table};
pub use xsd::xsd;
