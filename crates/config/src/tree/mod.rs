//! JSON and YAML as one kind of tree whose every node knows its place.
//!
//! ```text
//! *.json ─json::parse─┐
//!                     ├─▶ Tree ─Fields─▶ entities, settings
//! *.yaml ─yaml::parse─┘
//! ```

mod fields;
mod json;
mod yaml;

use std::sync::Arc;

use document::{Code, Diagnostic, Span};

pub use fields::{Fields, Keys};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// A node of a JSON or YAML file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The file it stands in.
    pub file: Arc<str>,
    /// Its place in that file.
    pub span: Span,
    /// What it is.
    pub node: Node,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// A map in the order of the file.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Tree,
}

impl Tree {
    /// Parses `text` by the ending of `file`: `.json`, else YAML.
    ///
    /// # Errors
    ///
    /// The first problem of the syntax.
    pub fn parse(file: &Arc<str>, text: &str) -> Result<Self, Diagnostic> {
        if file.to_ascii_lowercase().ends_with(".json") {
            json::parse(file, text)
        } else {
            yaml::parse(file, text)
        }
    }

    /// The value of `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|it| it.key == key).map(|it| &it.value)
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |tree, key| tree.get(key))
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.node {
            Node::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Self] {
        match &self.node {
            Node::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar: a text, or a number or bool as written. Exporters write both.
    pub fn scalar(&self) -> Option<&str> {
        match &self.node {
            Node::Text(text) | Node::Number(text) => Some(text),
            Node::Bool(true) => Some("true"),
            Node::Bool(false) => Some("false"),
            Node::Null | Node::List(_) | Node::Map(_) => None,
        }
    }

    /// A bool, also one written as text.
    pub fn as_bool(&self) -> Option<bool> {
        match self.scalar()?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Whether it is `null` (in YAML also: nothing).
    pub fn is_null(&self) -> bool {
        self.node == Node::Null
    }

    /// An error at this place.
    pub fn error(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.span, message).in_file(self.file.clone())
    }

    /// A warning at this place.
    pub fn warning(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(code, self.span, message).in_file(self.file.clone())
    }

    /// The same as `serde_json::Value`, without places.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.node {
            Node::Null => Value::Null,
            Node::Bool(it) => Value::Bool(*it),
            Node::Number(text) => match text.parse::<serde_json::Number>() {
                Ok(number) => Value::Number(number),
                Err(_) => Value::String(text.clone()),
            },
            Node::Text(text) => Value::String(text.clone()),
            Node::List(items) => items.iter().map(Self::to_json).collect(),
            Node::Map(entries) => {
                let of = |it: &Entry| (it.key.clone(), it.value.to_json());
                Value::Object(entries.iter().map(of).collect())
            }
        }
    }

    /// Puts `other` over this: maps are merged key by key, anything else is replaced.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.node, &other.node) {
            (Node::Map(mine), Node::Map(theirs)) => {
                for entry in theirs {
                    match mine.iter_mut().find(|it| it.key == entry.key) {
                        Some(own) => own.value.merge(&entry.value),
                        None => mine.push(entry.clone()),
                    }
                }
            }
            _ => *self = other.clone(),
        }
    }

    /// What kind of node it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.node {
            Node::Null => "nothing",
            Node::Bool(_) => "true or false",
            Node::Number(_) => "a number",
            Node::Text(_) => "a text",
            Node::List(_) => "a list",
            Node::Map(_) => "a map",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn yaml(text: &str) -> Tree {
        Tree::parse(&"test.yaml".into(), text).unwrap()
    }

    #[test]
    fn json_and_yaml_give_the_same_tree() {
        let json = r#"{"a": [1, "x", true, null], "b": {"c": "d"}}"#;
        let tree = Tree::parse(&"t.json".into(), json).unwrap();
        let other = yaml("a:\n  - 1\n  - x\n  - true\n  -\nb:\n  c: d\n");
        assert_eq!(tree.to_json(), other.to_json());
        assert_eq!(tree.at(&["b", "c"]).unwrap().scalar(), Some("d"));
        assert_eq!(tree.get("a").unwrap().items().len(), 4);
        assert!(tree.at(&["b", "x"]).is_none());
    }

    #[test]
    fn merging_goes_into_maps_and_replaces_the_rest() {
        let mut tree = yaml("a: {x: 1, y: [1, 2]}\nb: 1\n");
        tree.merge(&yaml("a: {y: [3], z: 2}\n"));
        assert_eq!(tree.to_json(), yaml("a: {x: 1, y: [3], z: 2}\nb: 1\n").to_json());
    }

    #[test]
    fn scalars_are_read_whatever_their_type() {
        let tree = yaml("a: 1.10\nb: 'true'\nc: FALSE\nd: [1]\n");
        assert_eq!(tree.get("a").unwrap().scalar(), Some("1.10"));
        assert_eq!(tree.get("b").unwrap().as_bool(), Some(true));
        assert_eq!(tree.get("c").unwrap().as_bool(), Some(false));
        assert_eq!(tree.get("d").unwrap().scalar(), None);
    }
}
