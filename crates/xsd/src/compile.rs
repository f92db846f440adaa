//! Components to what documents are checked against: elements, attributes, complex types.
//!
//! Types of elements are compiled later than the elements, so that a type may contain itself; bases
//! are compiled first.

mod attributes;
mod particle;
mod simple;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use roxmltree::Node;

use attributes::{extended, restricted};

use crate::Unusable;
use crate::content::Model;
use crate::model::{
    Attribute, Compiled, Complex, Content, Kind, Name, Particle, Term, Type, TypeId, Wildcard,
};
use crate::read::{Found, Parts, Sort, XS, elements, known_attributes, missing, unknown};
use crate::simple::Simple;

/// Definitions within definitions.
const MAX_DEPTH: usize = 64;
const PARTICLES: &[&str] = &["sequence", "choice", "all", "group"];

pub(crate) struct Compiler<'a> {
    parts: Parts<'a>,
    out: Compiled,
    /// Types that have an identifier and wait to be compiled.
    waiting: HashMap<TypeId, Found<'a>>,
    /// Types that are being compiled: nothing may derive from them yet.
    making: HashSet<TypeId>,
    depth: usize,
}

/// Attributes of a type, before they meet those of its base.
#[derive(Default)]
struct Attributes {
    all: Vec<Attribute>,
    prohibited: Vec<Name>,
    any: Option<Wildcard>,
}

/// Compiles all global components.
pub(crate) fn compile(parts: Parts<'_>) -> Result<Compiled, Unusable> {
    let names: Vec<(Sort, Name)> = parts.globals.keys().cloned().collect();
    let mut it = Compiler {
        parts,
        out: Compiled::default(),
        waiting: HashMap::new(),
        making: HashSet::new(),
        depth: 0,
    };
    for (sort, name) in names {
        match sort {
            Sort::Element => it.global_element(&name).map(|_| ())?,
            Sort::Type => it.type_named(&name).map(|_| ())?,
            Sort::Attribute => it.global_attribute(&name).map(|_| ())?,
            // What nobody uses has no effect.
            Sort::Group | Sort::AttributeGroup => {}
        }
    }
    while let Some(id) = it.waiting.keys().next().copied() {
        it.ready(id)?;
    }
    Ok(it.out)
}

impl<'a> Compiler<'a> {
    fn add_type(&mut self, kind: Type) -> TypeId {
        self.out.types.push(kind);
        self.out.types.len() - 1
    }

    /// The type of a name; it may not be compiled yet.
    fn type_named(&mut self, name: &Name) -> Result<TypeId, Unusable> {
        if let Some(id) = self.out.global_types.get(name) {
            return Ok(*id);
        }
        let kind =
            if name.space == XS {
                match name.local.as_str() {
                    "anyType" => Kind::Any,
                    local => Kind::Simple(Simple::builtin(local).ok_or_else(|| {
                        Unusable::new(format!("type `xs:{local}` is not supported"))
                    })?),
                }
            } else {
                Kind::Any
            };
        let id = self.add_type(Type { base: None, is_abstract: false, kind });
        if name.space != XS {
            let found = self.find(Sort::Type, name)?;
            self.waiting.insert(id, found);
        }
        self.out.global_types.insert(name.clone(), id);
        Ok(id)
    }

    fn find(&self, sort: Sort, name: &Name) -> Result<Found<'a>, Unusable> {
        let found = self.parts.globals.get(&(sort, name.clone())).copied();
        found.ok_or_else(|| Unusable::new(format!("`{}` is not declared", name.local)))
    }

    /// A type that is compiled.
    fn ready(&mut self, id: TypeId) -> Result<Type, Unusable> {
        if let Some(found) = self.waiting.remove(&id) {
            self.making.insert(id);
            let made = self.within(|it| it.any_type(found))?;
            self.making.remove(&id);
            if let Some(slot) = self.out.types.get_mut(id) {
                *slot = made;
            }
        }
        if self.making.contains(&id) {
            return Err(Unusable::new("a type derives from itself"));
        }
        self.out.types.get(id).cloned().ok_or_else(|| Unusable::new("a type is missing"))
    }

    fn within<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Unusable>,
    ) -> Result<T, Unusable> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Unusable::new("definitions are nested too deep, or in a circle"));
        }
        let done = work(self);
        self.depth -= 1;
        done
    }

    fn any_type(&mut self, found: Found<'a>) -> Result<Type, Unusable> {
        if found.node.tag_name().name() == "simpleType" {
            let (simple, base) = self.simple_type(found)?;
            return Ok(Type { base, is_abstract: false, kind: Kind::Simple(simple) });
        }
        self.complex_type(found)
    }

    fn complex_type(&mut self, Found { part, node }: Found<'a>) -> Result<Type, Unusable> {
        known_attributes(node, &["abstract", "final", "id", "mixed", "name"])?;
        let is_abstract = is_true(node, "abstract");
        let is_mixed = is_true(node, "mixed");
        let children = elements(node)?;
        if let Some(first) = children.first() {
            match first.tag_name().name() {
                "simpleContent" => return self.simple_content(part, *first, is_abstract),
                "complexContent" => {
                    let is_mixed = match first.attribute("mixed") {
                        None => is_mixed,
                        Some(_) => is_true(*first, "mixed"),
                    };
                    return self.complex_content(part, *first, is_abstract, is_mixed);
                }
                _ => {}
            }
        }
        let (particle, attributes) = self.body(part, &children)?;
        let content = content(particle)?;
        let complex = Complex {
            is_mixed,
            content,
            attributes: attributes.all,
            any_attribute: attributes.any,
        };
        Ok(Type { base: None, is_abstract, kind: Kind::Complex(complex) })
    }

    /// A particle, then attributes.
    fn body(
        &mut self,
        part: usize,
        children: &[Node<'a, 'a>],
    ) -> Result<(Option<Particle>, Attributes), Unusable> {
        let is_particle = |it: &&Node<'_, '_>| PARTICLES.contains(&it.tag_name().name());
        let particle = children.first().filter(is_particle);
        let rest = children.get(usize::from(particle.is_some())..).unwrap_or_default();
        let particle = particle.map(|it| self.particle(part, *it)).transpose()?;
        Ok((particle, self.attributes(part, rest)?))
    }

    /// The extension or restriction in a content element, with its base.
    fn derivation(
        &mut self,
        part: usize,
        node: Node<'a, 'a>,
    ) -> Result<(Node<'a, 'a>, TypeId, Type), Unusable> {
        known_attributes(node, &["id", "mixed"])?;
        let children = elements(node)?;
        let [derivation] = children.as_slice() else { return Err(missing(node, "derivation")) };
        if !matches!(derivation.tag_name().name(), "extension" | "restriction") {
            return Err(unknown(*derivation));
        }
        known_attributes(*derivation, &["base", "id"])?;
        let base = derivation.attribute("base").ok_or_else(|| missing(*derivation, "base"))?;
        let base = self.parts.name(part, *derivation, base)?;
        let id = self.type_named(&base)?;
        let base = self.ready(id)?;
        Ok((*derivation, id, base))
    }

    fn simple_content(
        &mut self,
        part: usize,
        node: Node<'a, 'a>,
        is_abstract: bool,
    ) -> Result<Type, Unusable> {
        let (derivation, id, base) = self.derivation(part, node)?;
        let children = elements(derivation)?;
        let is_extension = derivation.tag_name().name() == "extension";
        let (simple, own) = match base.kind {
            Kind::Simple(it) if is_extension => (it, Attributes::default()),
            Kind::Complex(Complex {
                content: Content::Simple(it),
                attributes,
                any_attribute,
                ..
            }) => (it, Attributes { all: attributes, prohibited: Vec::new(), any: any_attribute }),
            _ => return Err(Unusable::new("a simple content derives from another kind of type")),
        };
        let is_attribute =
            |it: &&Node<'_, '_>| it.tag_name().name().to_lowercase().contains("attribute");
        let attributes: Vec<Node<'a, 'a>> = children.iter().filter(is_attribute).copied().collect();
        let attributes = self.attributes(part, &attributes)?;
        let facets: Vec<Node<'a, 'a>> =
            children.iter().filter(|it| !is_attribute(it)).copied().collect();
        let simple = match (is_extension, facets.first()) {
            (_, None) => simple,
            (true, Some(it)) => return Err(unknown(*it)),
            (false, Some(_)) => self.restricted(part, simple, &facets)?,
        };
        let merged =
            if is_extension { extended(own, attributes)? } else { restricted(own, attributes) };
        let complex = Complex {
            is_mixed: false,
            content: Content::Simple(simple),
            attributes: merged.all,
            any_attribute: merged.any,
        };
        Ok(Type { base: Some(id), is_abstract, kind: Kind::Complex(complex) })
    }

    fn complex_content(
        &mut self,
        part: usize,
        node: Node<'a, 'a>,
        is_abstract: bool,
        is_mixed: bool,
    ) -> Result<Type, Unusable> {
        let (derivation, id, base) = self.derivation(part, node)?;
        let is_extension = derivation.tag_name().name() == "extension";
        let (particle, attributes) = self.body(part, &elements(derivation)?)?;
        let complex = match (base.kind, is_extension) {
            (Kind::Any, false) => Complex {
                is_mixed,
                content: content(particle)?,
                attributes: attributes.all,
                any_attribute: attributes.any,
            },
            (Kind::Complex(base), false) => {
                let own = Attributes { all: base.attributes, ..Attributes::default() };
                let merged = restricted(own, attributes);
                let (attributes, any_attribute) = (merged.all, merged.any);
                Complex { is_mixed, content: content(particle)?, attributes, any_attribute }
            }
            (Kind::Complex(base), true) => {
                let first = match base.content {
                    Content::Empty => None,
                    Content::Elements(it, _) => Some(it),
                    Content::Simple(_) => {
                        return Err(Unusable::new("a complex content extends a simple one"));
                    }
                };
                let both: Vec<Particle> = first.into_iter().chain(particle).collect();
                let particle = match both.len() {
                    0 | 1 => both.into_iter().next(),
                    _ => Some(Particle { min: 1, max: Some(1), term: Term::Sequence(both) }),
                };
                let any = base.any_attribute;
                let own = Attributes { all: base.attributes, prohibited: Vec::new(), any };
                let merged = extended(own, attributes)?;
                Complex {
                    is_mixed: is_mixed || base.is_mixed,
                    content: content(particle)?,
                    attributes: merged.all,
                    any_attribute: merged.any,
                }
            }
            _ => return Err(Unusable::new("a complex content derives from another kind of type")),
        };
        Ok(Type { base: Some(id), is_abstract, kind: Kind::Complex(complex) })
    }
}

fn content(particle: Option<Particle>) -> Result<Content, Unusable> {
    let Some(particle) = particle.filter(|it| it.max != Some(0)) else { return Ok(Content::Empty) };
    let model = Model::new(&particle).ok_or_else(|| {
        Unusable::new("a content model is too large, or has `xs:all` inside of another group")
    })?;
    Ok(Content::Elements(particle, Arc::new(model)))
}

fn builtin(name: &str) -> Result<Arc<Simple>, Unusable> {
    Simple::builtin(name).ok_or_else(|| Unusable::new(format!("no type `{name}`")))
}

fn is_true(node: Node<'_, '_>, attribute: &str) -> bool {
    matches!(node.attribute(attribute).map(str::trim), Some("true" | "1"))
}
