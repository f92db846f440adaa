//! Simple types and their facets.

use std::cmp::Ordering;
use std::sync::Arc;

use roxmltree::Node;

use super::{Compiler, builtin};
use crate::Unusable;
use crate::builtin::{Length, Order};
use crate::model::{Kind, Name, TypeId};
use crate::pattern::Pattern;
use crate::read::{Found, elements, known_attributes, missing, unknown};
use crate::simple::{Facets, Identifiers, Simple, Variety, White, normalized};

/// Values of one enumeration.
const MAX_VALUES: usize = 10_000;

impl<'a> Compiler<'a> {
    pub(super) fn simple_named(&mut self, name: &Name) -> Result<Arc<Simple>, Unusable> {
        let id = self.type_named(name)?;
        match self.ready(id)?.kind {
            Kind::Simple(it) => Ok(it),
            Kind::Any | Kind::Complex(_) => {
                Err(Unusable::new(format!("`{}` is no simple type", name.local)))
            }
        }
    }

    /// A simple type, and the one that it derives from if that has a name.
    pub(super) fn simple_type(
        &mut self,
        Found { part, node }: Found<'a>,
    ) -> Result<(Arc<Simple>, Option<TypeId>), Unusable> {
        known_attributes(node, &["final", "id", "name"])?;
        let inside = elements(node)?;
        let [one] = inside.as_slice() else { return Err(missing(node, "derivation")) };
        match one.tag_name().name() {
            "restriction" => {
                known_attributes(*one, &["base", "id"])?;
                let children = elements(*one)?;
                let Some(base) = one.attribute("base") else {
                    let restricted = builtin("anySimpleType")?;
                    return Ok((self.restricted(part, restricted, &children)?, None));
                };
                let base = self.parts.name(part, *one, base)?;
                let simple = self.within(|it| it.simple_named(&base))?;
                let id = self.type_named(&base)?;
                Ok((self.restricted(part, simple, &children)?, Some(id)))
            }
            "list" => {
                known_attributes(*one, &["id", "itemType"])?;
                let items = self.members(part, *one, "itemType")?;
                let [item] = items.as_slice() else { return Err(missing(*one, "itemType")) };
                let variety = Variety::List(item.clone());
                Ok((Arc::new(Simple { variety, facets: vec![], white: White::Collapse }), None))
            }
            "union" => {
                known_attributes(*one, &["id", "memberTypes"])?;
                let members = self.members(part, *one, "memberTypes")?;
                if members.is_empty() {
                    return Err(missing(*one, "memberTypes"));
                }
                let variety = Variety::Union(members);
                Ok((Arc::new(Simple { variety, facets: vec![], white: White::Preserve }), None))
            }
            _ => Err(unknown(*one)),
        }
    }

    /// Types that are named in an attribute or stand inside.
    fn members(
        &mut self,
        part: usize,
        node: Node<'a, 'a>,
        attribute: &str,
    ) -> Result<Vec<Arc<Simple>>, Unusable> {
        let mut members = Vec::new();
        for name in node.attribute(attribute).unwrap_or_default().split_whitespace() {
            let name = self.parts.name(part, node, name)?;
            members.push(self.within(|it| it.simple_named(&name))?);
        }
        for child in elements(node)? {
            if child.tag_name().name() != "simpleType" {
                return Err(unknown(child));
            }
            members.push(self.within(|it| it.simple_type(Found { part, node: child }))?.0);
        }
        Ok(members)
    }

    /// A type with further facets; a `simpleType` in front of them replaces it.
    pub(super) fn restricted(
        &mut self,
        part: usize,
        base: Arc<Simple>,
        children: &[Node<'a, 'a>],
    ) -> Result<Arc<Simple>, Unusable> {
        let own = children.first().filter(|it| it.tag_name().name() == "simpleType");
        let facets = children.get(usize::from(own.is_some())..).unwrap_or_default();
        let base = match own {
            Some(it) => self.within(|compiler| compiler.simple_type(Found { part, node: *it }))?.0,
            None => base,
        };
        let mut white = base.white;
        let mut read = Facets::default();
        for facet in facets {
            known_attributes(*facet, &["fixed", "id", "value"])?;
            let value = facet.attribute("value").ok_or_else(|| missing(*facet, "value"))?;
            one(&base, &mut read, &mut white, *facet, value)?;
        }
        let facets = base.facets.iter().cloned().chain([Arc::new(read)]).collect();
        Ok(Arc::new(Simple { variety: base.variety.clone(), facets, white }))
    }
}

fn one(
    base: &Simple,
    into: &mut Facets,
    white: &mut White,
    facet: Node<'_, '_>,
    value: &str,
) -> Result<(), Unusable> {
    let name = facet.tag_name().name();
    let number = || -> Result<Option<usize>, Unusable> {
        let wrong = |_| Unusable::new(format!("`{name}` is `{value}`"));
        value.trim().parse().map(Some).map_err(wrong)
    };
    let of = match &base.variety {
        Variety::Atomic(it) => Some(*it),
        Variety::List(_) | Variety::Union(_) => None,
    };
    let refused = || Unusable::new(format!("`xs:{name}` is not supported for this type"));
    let has_length =
        of.is_none_or(|it| it.length != Length::None) && !matches!(base.variety, Variety::Union(_));
    match name {
        "length" | "minLength" | "maxLength" if !has_length => return Err(refused()),
        "length" => into.length = number()?,
        "minLength" => into.min_length = number()?,
        "maxLength" => into.max_length = number()?,
        "totalDigits" | "fractionDigits" if of.is_none_or(|it| it.order != Order::Decimal) => {
            return Err(refused());
        }
        "totalDigits" => into.total_digits = number()?,
        "fractionDigits" => into.fraction_digits = number()?,
        "minInclusive" | "minExclusive" | "maxInclusive" | "maxExclusive" => {
            if of.is_none_or(|it| it.order == Order::None) {
                return Err(refused());
            }
            let allowed: &'static [Ordering] = match name {
                "minInclusive" => &[Ordering::Equal, Ordering::Greater],
                "minExclusive" => &[Ordering::Greater],
                "maxInclusive" => &[Ordering::Equal, Ordering::Less],
                _ => &[Ordering::Less],
            };
            into.bounds.push((taken(base, name, value)?, allowed));
        }
        "enumeration" => {
            if into.enumeration.len() == MAX_VALUES {
                return Err(Unusable::new("an enumeration has too many values"));
            }
            into.enumeration.push(taken(base, name, value)?);
        }
        "pattern" => into.patterns.push(Pattern::new(value).map_err(Unusable::new)?),
        "whiteSpace" => {
            *white = match value.trim() {
                "preserve" => White::Preserve,
                "replace" => White::Replace,
                "collapse" => White::Collapse,
                _ => return Err(refused()),
            };
        }
        _ => return Err(unknown(facet)),
    }
    Ok(())
}

/// A value of a facet, which has to be one of the base.
fn taken(base: &Simple, name: &str, value: &str) -> Result<String, Unusable> {
    if let Variety::Atomic(it) = &base.variety {
        let value = normalized(value, base.white);
        let wrong = || Unusable::new(format!("`{name}` is `{value}`, which is no `{}`", it.name));
        return if it.takes(&value) { Ok(value.clone()) } else { Err(wrong()) };
    }
    let checked = base.check(value, &mut Identifiers::default());
    checked.map_err(|why| Unusable::new(format!("`{name}` is `{value}`, which {why}")))
}
