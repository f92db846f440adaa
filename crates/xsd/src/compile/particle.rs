//! Particles: elements, wildcards, groups, and how often they stand.

use roxmltree::Node;

use super::{Compiler, is_true};
use crate::Unusable;
use crate::model::{Element, ElementId, Name, Particle, Term, TypeId};
use crate::read::{Found, Sort, XS, elements, known_attributes, missing, unknown};

impl<'a> Compiler<'a> {
    pub(super) fn particle(
        &mut self,
        part: usize,
        node: Node<'a, 'a>,
    ) -> Result<Particle, Unusable> {
        let (min, max) = occurrence(node)?;
        let term = match node.tag_name().name() {
            "element" => Term::Element(self.local_element(part, node)?),
            "any" => Term::Any(self.wildcard(part, node)?),
            kind @ ("sequence" | "choice" | "all") => {
                known_attributes(node, &["id", "maxOccurs", "minOccurs"])?;
                let mut parts = Vec::new();
                for child in elements(node)? {
                    parts.push(self.within(|it| it.particle(part, child))?);
                }
                match kind {
                    "sequence" => Term::Sequence(parts),
                    "choice" => Term::Choice(parts),
                    _ => all(parts, max)?,
                }
            }
            "group" => {
                known_attributes(node, &["id", "maxOccurs", "minOccurs", "ref"])?;
                let name = node.attribute("ref").ok_or_else(|| missing(node, "ref"))?;
                let name = self.parts.name(part, node, name)?;
                let group = self.find(Sort::Group, &name)?;
                let inside = elements(group.node)?;
                let [inside] = inside.as_slice() else {
                    return Err(missing(group.node, "content"));
                };
                let inside = self.within(|it| it.particle(group.part, *inside))?;
                if (min, max) == (1, Some(1)) {
                    return Ok(inside);
                }
                Term::Sequence(vec![inside])
            }
            _ => return Err(unknown(node)),
        };
        Ok(Particle { min, max, term })
    }

    fn local_element(&mut self, part: usize, node: Node<'a, 'a>) -> Result<ElementId, Unusable> {
        if let Some(name) = node.attribute("ref") {
            known_attributes(node, &["id", "maxOccurs", "minOccurs", "ref"])?;
            let name = self.parts.name(part, node, name)?;
            return self.global_element(&name);
        }
        known_attributes(
            node,
            &[
                "default",
                "fixed",
                "form",
                "id",
                "maxOccurs",
                "minOccurs",
                "name",
                "nillable",
                "type",
            ],
        )?;
        let of = self.parts.parts.get(part);
        let is_qualified = match node.attribute("form") {
            Some(form) => form == "qualified",
            None => of.is_some_and(|it| it.are_elements_qualified),
        };
        let local = node.attribute("name").ok_or_else(|| missing(node, "name"))?;
        let space = of.filter(|_| is_qualified).map_or("", |it| it.target.as_str());
        let name = Name::new(space, local);
        let id = self.declare(name, node);
        self.complete(id, Found { part, node })
    }

    pub(super) fn global_element(&mut self, name: &Name) -> Result<ElementId, Unusable> {
        if let Some(id) = self.out.global_elements.get(name) {
            return Ok(*id);
        }
        let found = self.find(Sort::Element, name)?;
        known_attributes(
            found.node,
            &["abstract", "default", "final", "fixed", "id", "name", "nillable", "type"],
        )?;
        // Known before its type is, which may contain it.
        let id = self.declare(name.clone(), found.node);
        self.out.global_elements.insert(name.clone(), id);
        self.complete(id, found)
    }

    fn declare(&mut self, name: Name, node: Node<'a, 'a>) -> ElementId {
        self.out.elements.push(Element {
            name,
            type_id: 0,
            is_nillable: is_true(node, "nillable"),
            is_abstract: is_true(node, "abstract"),
            fixed: node.attribute("fixed").map(str::to_owned),
            default: node.attribute("default").map(str::to_owned),
        });
        self.out.elements.len() - 1
    }

    /// Gives a declared element its type.
    fn complete(&mut self, id: ElementId, found: Found<'a>) -> Result<ElementId, Unusable> {
        let Found { part, node } = found;
        let inside = elements(node)?;
        let type_id: TypeId = match (node.attribute("type"), inside.as_slice()) {
            (Some(name), []) => {
                let name = self.parts.name(part, node, name)?;
                self.type_named(&name)?
            }
            (None, []) => self.type_named(&Name::new(XS, "anyType"))?,
            (None, [one]) if matches!(one.tag_name().name(), "simpleType" | "complexType") => {
                let made = self.within(|it| it.any_type(Found { part, node: *one }))?;
                self.add_type(made)
            }
            (_, [.., other]) => return Err(unknown(*other)),
        };
        if let Some(element) = self.out.elements.get_mut(id) {
            element.type_id = type_id;
        }
        Ok(id)
    }
}

fn all(parts: Vec<Particle>, max: Option<u32>) -> Result<Term, Unusable> {
    let is_once = |it: &Particle| {
        matches!(it.term, Term::Element(_)) && matches!(it.max, Some(0 | 1)) && it.min <= 1
    };
    if max != Some(1) || !parts.iter().all(is_once) {
        return Err(Unusable::new("`xs:all` holds elements that stand once, and stands once"));
    }
    Ok(Term::All(parts.into_iter().filter(|it| it.max == Some(1)).collect()))
}

/// `minOccurs` and `maxOccurs`.
fn occurrence(node: Node<'_, '_>) -> Result<(u32, Option<u32>), Unusable> {
    let number = |key: &str| -> Result<u32, Unusable> {
        let Some(text) = node.attribute(key) else { return Ok(1) };
        let wrong = || Unusable::new(format!("`{key}` is `{text}`"));
        text.trim().parse().map_err(|_| wrong())
    };
    let min = number("minOccurs")?;
    let max = match node.attribute("maxOccurs").map(str::trim) {
        Some("unbounded") => None,
        _ => Some(number("maxOccurs")?),
    };
    if max.is_some_and(|it| it < min) {
        return Err(Unusable::new("`maxOccurs` is below `minOccurs`"));
    }
    Ok((min, max))
}
