//! Schemas that an author has uploaded by themselves, for the policies that name them.

use std::collections::HashMap;
use std::sync::Arc;

/// The schema entities of a configuration; names compare without case. Handed to policies as an
/// extension ([`CompileCx::extension`](crate::CompileCx::extension)).
#[derive(Clone, Debug, Default)]
pub struct NamedSchemas(HashMap<String, NamedSchema>);

/// What a schema entity holds.
#[derive(Clone, Debug)]
pub enum NamedSchema {
    /// A JSON schema, or an OpenAPI document whose definitions are referred to.
    Json(Arc<serde_json::Value>),
    /// The text of an XML schema.
    Xml(Arc<str>),
}

impl NamedSchemas {
    /// The schema of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&NamedSchema> {
        self.0.get(&name.to_lowercase())
    }

    /// Adds a schema, replacing one of the same name.
    pub fn insert(&mut self, name: &str, schema: NamedSchema) {
        self.0.insert(name.to_lowercase(), schema);
    }

    /// Names (in lower case) and texts of the XML schemas, which may import one another; sorted.
    #[must_use]
    pub fn xml_documents(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = self
            .0
            .iter()
            .filter_map(|(name, it)| match it {
                NamedSchema::Xml(text) => Some((name.clone(), text.to_string())),
                NamedSchema::Json(_) => None,
            })
            .collect();
        found.sort();
        found
    }

    /// The names in lower case, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case() {
        let mut it = NamedSchemas::default();
        it.insert("Order", NamedSchema::Xml("<a/>".into()));

        assert!(it.get("ORDER").is_some() && it.get("orders").is_none());
        assert_eq!(it.names().collect::<Vec<_>>(), ["order"]);
        assert_eq!(it.xml_documents(), [("order".to_owned(), "<a/>".to_owned())]);
    }
}
