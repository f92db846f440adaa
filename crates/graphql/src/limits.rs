//! How much of everything a schema, a request and its execution may have.

/// Bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest document, in bytes: 256 KiB.
    pub max_document_bytes: usize,
    /// Most lexical tokens of a document: 20,000.
    pub max_tokens: usize,
    /// How deep fields may be nested, fragments spread: 32.
    pub max_depth: usize,
    /// Most fields of an operation, fragments spread: 5,000.
    pub max_fields: usize,
    /// Most fields and fragments of an operation, fragments spread: 20,000.
    pub max_selections: usize,
    /// Most items of one list in the response: 10,000.
    pub max_list_items: usize,
    /// Most values in the response: 200,000.
    pub max_values: usize,
    /// Most calls of resolvers: 1,000.
    pub max_calls: usize,
    /// Most errors that the response tells of: 100.
    pub max_errors: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_document_bytes: 256 * 1024,
            max_tokens: 20_000,
            max_depth: 32,
            max_fields: 5_000,
            max_selections: 20_000,
            max_list_items: 10_000,
            max_values: 200_000,
            max_calls: 1_000,
            max_errors: 100,
        }
    }
}

/// Longest schema, in bytes: 4 MiB.
pub(crate) const MAX_SCHEMA_BYTES: usize = 4 * 1024 * 1024;
/// Most lexical tokens of a schema.
pub(crate) const MAX_SCHEMA_TOKENS: usize = 1_000_000;
/// How deep brackets and braces may be nested, in schemas and documents.
pub(crate) const MAX_SYNTAX_DEPTH: usize = 200;
/// Most flaws that a check tells of.
pub(crate) const MAX_FLAWS: usize = 20;
