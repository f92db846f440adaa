//! Simple types: single values, lists, unions, with their facets.
//!
//! Source: XML Schema part 2, second edition, sections 2.5 and 4.3.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::builtin::{Builtin, decimal_parts};
use crate::pattern::Pattern;

/// What becomes of white space before a value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum White {
    Preserve,
    Replace,
    Collapse,
}

/// A simple type.
#[derive(Debug)]
pub(crate) struct Simple {
    pub(crate) variety: Variety,
    /// Those of each derivation; all have to hold.
    pub(crate) facets: Vec<Arc<Facets>>,
    pub(crate) white: White,
}

#[derive(Clone, Debug)]
pub(crate) enum Variety {
    Atomic(&'static Builtin),
    List(Arc<Simple>),
    Union(Vec<Arc<Simple>>),
}

/// The facets of one derivation.
#[derive(Debug, Default)]
pub(crate) struct Facets {
    pub(crate) length: Option<usize>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) total_digits: Option<usize>,
    pub(crate) fraction_digits: Option<usize>,
    /// Bounds: the value, and how a value may compare to it.
    pub(crate) bounds: Vec<(String, &'static [Ordering])>,
    pub(crate) enumeration: Vec<String>,
    /// One of these has to match.
    pub(crate) patterns: Vec<Pattern>,
}

/// Identifiers that a document has, and refers to.
#[derive(Debug, Default)]
pub(crate) struct Identifiers {
    pub(crate) own: std::collections::HashSet<String>,
    pub(crate) wanted: Vec<String>,
}

impl Simple {
    pub(crate) fn builtin(name: &str) -> Option<Arc<Simple>> {
        let items = match name {
            "NMTOKENS" => Some("NMTOKEN"),
            "IDREFS" => Some("IDREF"),
            _ => None,
        };
        if let Some(items) = items {
            let facets = Facets { min_length: Some(1), ..Facets::default() };
            return Some(Arc::new(Simple {
                variety: Variety::List(Self::builtin(items)?),
                facets: vec![Arc::new(facets)],
                white: White::Collapse,
            }));
        }
        let it = Builtin::named(name)?;
        Some(Arc::new(Simple { variety: Variety::Atomic(it), facets: Vec::new(), white: it.white }))
    }

    /// Checks a text; gives the value with its white space as the type has it. The error is a
    /// sentence that follows a name.
    pub(crate) fn check(&self, text: &str, ids: &mut Identifiers) -> Result<String, String> {
        let value = normalized(text, self.white);
        match &self.variety {
            Variety::Atomic(builtin) => {
                if !builtin.takes(&value) {
                    return Err(format!("is no `{}`", builtin.name));
                }
                match builtin.name {
                    "ID" if !ids.own.insert(value.clone()) => {
                        return Err("is an ID that stands twice".to_owned());
                    }
                    "IDREF" => ids.wanted.push(value.clone()),
                    _ => {}
                }
            }
            Variety::List(item) => {
                for part in value.split(' ').filter(|it| !it.is_empty()) {
                    item.check(part, ids)?;
                }
            }
            Variety::Union(members) => {
                let fits = members.iter().any(|it| {
                    let mut own = Identifiers::default();
                    it.check(text, &mut own).is_ok()
                });
                if !fits {
                    return Err("is a value of none of the types that it may have".to_owned());
                }
            }
        }
        for facets in &self.facets {
            self.check_facets(&value, facets)?;
        }
        Ok(value)
    }

    fn check_facets(&self, value: &str, facets: &Facets) -> Result<(), String> {
        let length = self.length(value);
        if let Some(length) = length {
            if facets.length.is_some_and(|it| it != length) {
                return Err("has not the length that it has to have".to_owned());
            }
            if facets.min_length.is_some_and(|it| length < it) {
                return Err("is too short".to_owned());
            }
            if facets.max_length.is_some_and(|it| length > it) {
                return Err("is too long".to_owned());
            }
        }
        let (_, whole, part) = decimal_parts(value);
        if facets.total_digits.is_some_and(|it| whole.len() + part.len() > it) {
            return Err("has too many digits".to_owned());
        }
        if facets.fraction_digits.is_some_and(|it| part.len() > it) {
            return Err("has too many digits after the point".to_owned());
        }
        for (bound, allowed) in &facets.bounds {
            let order = match &self.variety {
                Variety::Atomic(it) => it.compare(value, bound),
                Variety::List(_) | Variety::Union(_) => None,
            };
            if !order.is_some_and(|it| allowed.contains(&it)) {
                return Err(format!("is out of bounds (`{bound}`)"));
            }
        }
        if !facets.enumeration.is_empty() && !facets.enumeration.iter().any(|it| self.is(value, it))
        {
            return Err("is none of the values that are allowed".to_owned());
        }
        if !facets.patterns.is_empty() {
            let mut is_match = false;
            for pattern in &facets.patterns {
                is_match |= pattern.matches(value)?;
            }
            if !is_match {
                return Err("does not have the form that it has to have".to_owned());
            }
        }
        Ok(())
    }

    /// Whether two values are equal.
    pub(crate) fn is(&self, a: &str, b: &str) -> bool {
        match &self.variety {
            Variety::Atomic(it) => a == b || it.compare(a, b) == Some(Ordering::Equal),
            Variety::List(item) => {
                let (a, b): (Vec<&str>, Vec<&str>) =
                    (a.split(' ').collect(), b.split(' ').collect());
                a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| item.is(a, b))
            }
            Variety::Union(members) => a == b || members.iter().any(|it| it.is(a, b)),
        }
    }

    fn length(&self, value: &str) -> Option<usize> {
        match &self.variety {
            Variety::Atomic(it) => it.length(value),
            Variety::List(_) => Some(value.split(' ').filter(|it| !it.is_empty()).count()),
            Variety::Union(_) => None,
        }
    }
}

pub(crate) fn normalized(text: &str, white: White) -> String {
    const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];
    match white {
        White::Preserve => text.to_owned(),
        White::Replace => text.replace(['\t', '\n', '\r'], " "),
        White::Collapse => {
            let words: Vec<&str> = text.split(BLANKS).filter(|it| !it.is_empty()).collect();
            words.join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(of: &str, facets: Facets) -> Simple {
        let base = Simple::builtin(of).unwrap();
        Simple {
            variety: base.variety.clone(),
            facets: base.facets.iter().cloned().chain([Arc::new(facets)]).collect(),
            white: base.white,
        }
    }

    fn why(of: &Simple, text: &str) -> String {
        let done = of.check(text, &mut Identifiers::default());
        done.err().unwrap_or_default()
    }

    #[test]
    fn facets_have_to_hold() {
        let it = derived(
            "string",
            Facets { min_length: Some(2), max_length: Some(3), ..Facets::default() },
        );
        for (text, expected) in [("ab", ""), ("a", "is too short"), ("abcd", "is too long")] {
            assert_eq!(why(&it, text), expected);
        }
        let bounds: Vec<(String, &'static [Ordering])> = vec![
            ("1".to_owned(), &[Ordering::Equal, Ordering::Greater]),
            ("10".to_owned(), &[Ordering::Less]),
        ];
        let it =
            derived("decimal", Facets { bounds, fraction_digits: Some(1), ..Facets::default() });
        for (text, expected) in [
            (" 1.0 ", ""),
            ("9.9", ""),
            ("10", "is out of bounds (`10`)"),
            ("0.9", "is out of bounds (`1`)"),
            ("1.25", "has too many digits after the point"),
            ("x", "is no `decimal`"),
        ] {
            assert_eq!(why(&it, text), expected);
        }
        let enumeration = vec!["1.0".to_owned(), "2".to_owned()];
        let it = derived("decimal", Facets { enumeration, ..Facets::default() });
        assert_eq!(why(&it, "1"), "");
        assert_eq!(why(&it, "3"), "is none of the values that are allowed");
    }

    #[test]
    fn lists_and_unions_have_parts() {
        let list = Simple {
            variety: Variety::List(Simple::builtin("int").unwrap()),
            facets: vec![Arc::new(Facets { max_length: Some(2), ..Facets::default() })],
            white: White::Collapse,
        };
        for (text, expected) in
            [("", ""), (" 1\n2 ", ""), ("1 2 3", "is too long"), ("1 x", "is no `int`")]
        {
            assert_eq!(why(&list, text), expected);
        }
        let members = vec![Simple::builtin("int").unwrap(), Simple::builtin("boolean").unwrap()];
        let union =
            Simple { variety: Variety::Union(members), facets: vec![], white: White::Preserve };
        for (text, expected) in
            [("5", ""), ("true", ""), ("x", "is a value of none of the types that it may have")]
        {
            assert_eq!(why(&union, text), expected);
        }
    }

    #[test]
    fn identifiers_stand_once() {
        let (it, mut ids) = (Simple::builtin("ID").unwrap(), Identifiers::default());
        assert!(it.check("a", &mut ids).is_ok() && it.check("a", &mut ids).is_err());
    }
}
