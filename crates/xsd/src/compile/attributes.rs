//! Attributes of types: declared, in groups, and wildcards; and what derivation makes of them.

use std::sync::Arc;

use roxmltree::Node;

use super::{Attributes, Compiler, builtin};
use crate::Unusable;
use crate::model::{Attribute, Name, Process, Spaces, Wildcard};
use crate::read::{Found, Sort, XML, elements, known_attributes, missing, unknown};
use crate::simple::Simple;

impl<'a> Compiler<'a> {
    pub(super) fn attributes(
        &mut self,
        part: usize,
        nodes: &[Node<'a, 'a>],
    ) -> Result<Attributes, Unusable> {
        let mut found = Attributes::default();
        for node in nodes {
            match node.tag_name().name() {
                "attribute" => self.attribute(part, *node, &mut found)?,
                "attributeGroup" => {
                    known_attributes(*node, &["id", "ref"])?;
                    let name = node.attribute("ref").ok_or_else(|| missing(*node, "ref"))?;
                    let name = self.parts.name(part, *node, name)?;
                    let group = self.find(Sort::AttributeGroup, &name)?;
                    let inside = elements(group.node)?;
                    let inside = self.within(|it| it.attributes(group.part, &inside))?;
                    found.all.extend(inside.all);
                    found.prohibited.extend(inside.prohibited);
                    found.any = one_wildcard(found.any, inside.any)?;
                }
                "anyAttribute" => {
                    let any = self.wildcard(part, *node)?;
                    found.any = one_wildcard(found.any, Some(any))?;
                }
                _ => return Err(unknown(*node)),
            }
        }
        Ok(found)
    }

    fn attribute(
        &mut self,
        part: usize,
        node: Node<'a, 'a>,
        into: &mut Attributes,
    ) -> Result<(), Unusable> {
        known_attributes(node, &["default", "fixed", "form", "id", "name", "ref", "type", "use"])?;
        let (name, simple) = match (node.attribute("ref"), node.attribute("name")) {
            (Some(name), _) => {
                let name = self.parts.name(part, node, name)?;
                let simple = self.global_attribute(&name)?;
                (name, simple)
            }
            (None, Some(local)) => {
                let of = self.parts.parts.get(part);
                let is_qualified = match node.attribute("form") {
                    Some(form) => form == "qualified",
                    None => of.is_some_and(|it| it.are_attributes_qualified),
                };
                let space = of.filter(|_| is_qualified).map_or("", |it| it.target.as_str());
                (Name::new(space, local), self.type_of_attribute(Found { part, node })?)
            }
            (None, None) => return Err(missing(node, "name")),
        };
        if node.attribute("use") == Some("prohibited") {
            into.prohibited.push(name);
            return Ok(());
        }
        let is_required = node.attribute("use") == Some("required");
        let fixed = node.attribute("fixed").map(str::to_owned);
        into.all.push(Attribute { name, simple, is_required, fixed });
        Ok(())
    }

    pub(super) fn global_attribute(&mut self, name: &Name) -> Result<Arc<Simple>, Unusable> {
        if let Some(simple) = self.out.global_attributes.get(name) {
            return Ok(simple.clone());
        }
        let simple = match (name.space == XML, self.find(Sort::Attribute, name)) {
            (true, Err(_)) => builtin("string")?,
            (_, found) => {
                let found = found?;
                known_attributes(found.node, &["default", "fixed", "id", "name", "type"])?;
                if found.node.attribute("fixed").is_some() {
                    let message = "`fixed` of a global attribute is not supported";
                    return Err(Unusable::new(message));
                }
                self.type_of_attribute(found)?
            }
        };
        self.out.global_attributes.insert(name.clone(), simple.clone());
        Ok(simple)
    }

    fn type_of_attribute(
        &mut self,
        Found { part, node }: Found<'a>,
    ) -> Result<Arc<Simple>, Unusable> {
        let inside = elements(node)?;
        match (node.attribute("type"), inside.as_slice()) {
            (Some(name), []) => {
                let name = self.parts.name(part, node, name)?;
                self.simple_named(&name)
            }
            (None, []) => builtin("anySimpleType"),
            (None, [one]) if one.tag_name().name() == "simpleType" => {
                Ok(self.within(|it| it.simple_type(Found { part, node: *one }))?.0)
            }
            (_, [one, ..]) => Err(unknown(*one)),
        }
    }

    pub(super) fn wildcard(&self, part: usize, node: Node<'_, '_>) -> Result<Wildcard, Unusable> {
        known_attributes(node, &["id", "maxOccurs", "minOccurs", "namespace", "processContents"])?;
        let target = self.parts.parts.get(part).map_or("", |it| it.target.as_str());
        let spaces = match node.attribute("namespace").unwrap_or("##any").trim() {
            "##any" => Spaces::Any,
            "##other" => Spaces::Other(target.to_owned()),
            listed => {
                let of = |it: &str| match it {
                    "##local" => String::new(),
                    "##targetNamespace" => target.to_owned(),
                    other => other.to_owned(),
                };
                Spaces::Listed(listed.split_whitespace().map(of).collect())
            }
        };
        let process = match node.attribute("processContents") {
            None | Some("strict") => Process::Strict,
            Some("lax") => Process::Lax,
            Some("skip") => Process::Skip,
            Some(other) => {
                return Err(Unusable::new(format!("`processContents` is `{other}`")));
            }
        };
        Ok(Wildcard { spaces, process })
    }
}

fn one_wildcard(a: Option<Wildcard>, b: Option<Wildcard>) -> Result<Option<Wildcard>, Unusable> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => {
            Err(Unusable::new("several different `xs:anyAttribute` of one type are not supported"))
        }
        (a, b) => Ok(a.or(b)),
    }
}

/// Attributes of a base and those that an extension adds.
pub(super) fn extended(mut base: Attributes, own: Attributes) -> Result<Attributes, Unusable> {
    base.all.extend(own.all);
    base.any = match (base.any, own.any) {
        (Some(_), Some(own)) if own.spaces == Spaces::Any => Some(own),
        (a, b) => one_wildcard(a, b)?,
    };
    Ok(base)
}

/// Attributes of a base as a restriction has them.
pub(super) fn restricted(base: Attributes, own: Attributes) -> Attributes {
    let stays = |it: &Attribute| {
        !own.prohibited.contains(&it.name) && !own.all.iter().any(|own| own.name == it.name)
    };
    let mut all: Vec<Attribute> = base.all.into_iter().filter(stays).collect();
    all.extend(own.all);
    Attributes { all, prohibited: own.prohibited, any: own.any }
}
