//! The values of expressions (XPath 1.0, section 1, and XSLT 1.0, section 11.1).

use std::rc::Rc;
use std::sync::Arc;

use super::number::{number_of, number_text, parse_number};
use crate::document::{Document, Node};

/// A value. Clones are cheap.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Boolean(bool),
    Number(f64),
    Text(Arc<str>),
    /// In document order, each node once.
    Nodes(Rc<Vec<Node>>),
    /// A result tree fragment.
    Fragment(Rc<Document>),
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    pub(crate) fn nodes(nodes: Vec<Node>) -> Self {
        Self::Nodes(Rc::new(nodes))
    }

    pub(crate) fn count(n: usize) -> Self {
        Self::Number(number_of(n))
    }

    /// `boolean()`.
    pub(crate) fn as_boolean(&self) -> bool {
        match self {
            Self::Boolean(it) => *it,
            Self::Number(it) => *it != 0.0 && !it.is_nan(),
            Self::Text(it) => !it.is_empty(),
            Self::Nodes(it) => !it.is_empty(),
            // Its root is a node, whatever it holds.
            Self::Fragment(_) => true,
        }
    }

    /// The text of a value that is no node-set.
    pub(crate) fn plain_text(&self) -> Option<Arc<str>> {
        match self {
            Self::Boolean(it) => Some(Arc::from(if *it { "true" } else { "false" })),
            Self::Number(it) => Some(Arc::from(number_text(*it))),
            Self::Text(it) => Some(Arc::clone(it)),
            Self::Fragment(it) => Some(Arc::from(&*it.string(0))),
            Self::Nodes(_) => None,
        }
    }

    /// The number of a value that is no node-set.
    pub(crate) fn plain_number(&self) -> Option<f64> {
        match self {
            Self::Boolean(it) => Some(if *it { 1.0 } else { 0.0 }),
            Self::Number(it) => Some(*it),
            Self::Text(it) => Some(parse_number(it)),
            Self::Fragment(it) => Some(parse_number(&it.string(0))),
            Self::Nodes(_) => None,
        }
    }

    /// Its type in the words of XPath.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Nodes(_) => "node-set",
            Self::Fragment(_) => "result tree fragment",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Builder;

    #[test]
    fn values_become_booleans_texts_and_numbers() {
        let mut builder = Builder::new();
        builder.text("2", false);
        let fragment = Value::Fragment(Rc::new(builder.finish()));
        for (value, boolean, text, number) in [
            (Value::Boolean(true), true, "true", 1.0),
            (Value::Boolean(false), false, "false", 0.0),
            (Value::Number(0.0), false, "0", 0.0),
            (Value::text(""), false, "", f64::NAN),
            (Value::text("0"), true, "0", 0.0),
            (fragment, true, "2", 2.0),
        ] {
            assert_eq!(value.as_boolean(), boolean, "{value:?}");
            assert_eq!(value.plain_text().as_deref(), Some(text), "{value:?}");
            let found = value.plain_number().unwrap();
            assert!(found == number || found.is_nan() && number.is_nan(), "{value:?}");
        }
        assert!(!Value::Number(f64::NAN).as_boolean());
        assert!(!Value::nodes(Vec::new()).as_boolean());
    }
}
