//! A compiled schema: element declarations, types, content models.

use std::collections::HashMap;
use std::sync::Arc;

use crate::content::Model;
use crate::simple::Simple;

/// Namespace and local name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) space: String,
    pub(crate) local: String,
}

impl Name {
    pub(crate) fn new(space: &str, local: &str) -> Self {
        Self { space: space.to_owned(), local: local.to_owned() }
    }

    pub(crate) fn is(&self, space: Option<&str>, local: &str) -> bool {
        self.local == local && self.space == space.unwrap_or_default()
    }
}

pub(crate) type TypeId = usize;
pub(crate) type ElementId = usize;

/// Everything that was compiled.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) elements: Vec<Element>,
    pub(crate) types: Vec<Type>,
    pub(crate) global_elements: HashMap<Name, ElementId>,
    pub(crate) global_types: HashMap<Name, TypeId>,
    pub(crate) global_attributes: HashMap<Name, Arc<Simple>>,
}

/// An element declaration.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(crate) name: Name,
    pub(crate) type_id: TypeId,
    pub(crate) is_nillable: bool,
    pub(crate) is_abstract: bool,
    pub(crate) fixed: Option<String>,
    pub(crate) default: Option<String>,
}

/// A type with the one that it derives from.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    pub(crate) base: Option<TypeId>,
    pub(crate) is_abstract: bool,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// `xs:anyType`.
    Any,
    Simple(Arc<Simple>),
    Complex(Complex),
}

#[derive(Clone, Debug)]
pub(crate) struct Complex {
    pub(crate) is_mixed: bool,
    pub(crate) content: Content,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) any_attribute: Option<Wildcard>,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Empty,
    Simple(Arc<Simple>),
    Elements(Particle, Arc<Model>),
}

#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: Name,
    pub(crate) simple: Arc<Simple>,
    pub(crate) is_required: bool,
    pub(crate) fixed: Option<String>,
}

/// How often something stands.
#[derive(Clone, Debug)]
pub(crate) struct Particle {
    pub(crate) min: u32,
    /// None: without bound.
    pub(crate) max: Option<u32>,
    pub(crate) term: Term,
}

#[derive(Clone, Debug)]
pub(crate) enum Term {
    Element(ElementId),
    Any(Wildcard),
    Sequence(Vec<Particle>),
    Choice(Vec<Particle>),
    All(Vec<Particle>),
}

/// `xs:any` and `xs:anyAttribute`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wildcard {
    pub(crate) spaces: Spaces,
    pub(crate) process: Process,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spaces {
    Any,
    /// Any but this one and none.
    Other(String),
    /// These; empty text is none.
    Listed(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    Strict,
    Lax,
    Skip,
}

impl Wildcard {
    pub(crate) fn takes(&self, space: Option<&str>) -> bool {
        let space = space.unwrap_or_default();
        match &self.spaces {
            Spaces::Any => true,
            Spaces::Other(not) => !space.is_empty() && space != not,
            Spaces::Listed(all) => all.iter().any(|it| it == space),
        }
    }
}

impl Compiled {
    /// Whether a type is another one or derives from it.
    pub(crate) fn derives(&self, id: TypeId, from: TypeId) -> bool {
        let mut at = Some(id);
        for _ in 0..=self.types.len() {
            match at {
                Some(it) if it == from => return true,
                Some(it) => at = self.types.get(it).and_then(|it| it.base),
                None => break,
            }
        }
        self.types.get(from).is_some_and(|it| matches!(it.kind, Kind::Any))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_take_namespaces() {
        let of = |spaces| Wildcard { spaces, process: Process::Lax };
        assert!(of(Spaces::Any).takes(None) && of(Spaces::Any).takes(Some("a")));
        let other = of(Spaces::Other("a".to_owned()));
        assert!(other.takes(Some("b")) && !other.takes(Some("a")) && !other.takes(None));
        let listed = of(Spaces::Listed(vec![String::new(), "a".to_owned()]));
        assert!(listed.takes(None) && listed.takes(Some("a")) && !listed.takes(Some("b")));
    }
}
