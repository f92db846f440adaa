//! What a match can begin with, so that a search can pass over what it cannot.

use memchr::memmem::Finder;

use crate::node::{Anchor, MANY, Node, Unit};
use crate::program::{Op, Place, Program};

/// What a match begins with.
#[derive(Debug)]
pub(crate) enum First {
    /// Unknown.
    Any,
    /// One of these ASCII units, or one that is not ASCII.
    Units { ascii: u128, wide: bool },
    /// These units, of which a text of ASCII needs all.
    Text { units: Vec<u16>, finder: Option<Box<Finder<'static>>> },
}

/// What a match of the pattern can begin with.
pub(crate) fn first(node: &Node, ops: &[Op], text: &[u16], back: bool) -> First {
    if !back && let Some(units) = prefix(ops, text) {
        let bytes: Option<Vec<u8>> =
            units.iter().map(|it| u8::try_from(*it).ok().filter(u8::is_ascii)).collect();
        let finder = bytes.map(|it| Box::new(Finder::new(&it).into_owned()));
        return First::Text { units, finder };
    }
    let mut found = Found::default();
    if found.add(node) && !found.unknown && !(found.ascii == u128::MAX && found.wide) {
        return First::Units { ascii: found.ascii, wide: found.wide };
    }
    First::Any
}

/// The text that every match begins with.
fn prefix(ops: &[Op], text: &[u16]) -> Option<Vec<u16>> {
    let first = ops.iter().find(|it| !matches!(it, Op::Mark { .. }))?;
    match first {
        Op::One(unit) => Some(vec![*unit]),
        Op::Text { at, len } => {
            let from = *at as usize;
            text.get(from..from + *len as usize).map(<[u16]>::to_vec)
        }
        _ => None,
    }
}

/// Where a match can begin.
pub(crate) fn place(program: &Program) -> Place {
    if program.back {
        return Place::Any;
    }
    match program.ops.iter().find(|it| !matches!(it, Op::Mark { .. })) {
        Some(Op::Anchor(Anchor::Beginning)) => Place::Beginning,
        Some(Op::Anchor(Anchor::Start)) => Place::Start,
        Some(Op::Single(at)) => {
            let is_many = program.singles.get(*at as usize).is_some_and(|it| it.max == MANY);
            // What depends on captures may differ from place to place.
            let depends = |it: &Op| {
                matches!(it, Op::Reference { .. } | Op::IfGroup { .. } | Op::Balance { .. })
            };
            let is_plain = is_many && !program.ops.iter().any(depends);
            if is_plain { Place::Run(*at) } else { Place::Any }
        }
        _ => Place::Any,
    }
}

#[derive(Default)]
struct Found {
    ascii: u128,
    wide: bool,
    unknown: bool,
}

impl Found {
    /// Adds what the node can begin with; false if it may take no unit.
    fn add(&mut self, node: &Node) -> bool {
        match node {
            Node::Unit { unit, .. } => {
                self.ascii |= unit.ascii();
                self.wide |= unit.has_wide();
                true
            }
            Node::Reference { .. } => {
                self.unknown = true;
                false
            }
            Node::Empty | Node::Anchor(_) | Node::Look { .. } => false,
            Node::Concat(nodes) => nodes.iter().any(|it| self.add(it)),
            Node::Alternate(nodes) => {
                let mut all = true;
                for node in nodes {
                    all &= self.add(node);
                }
                all
            }
            Node::Repeat { node, min, .. } => self.add(node) && *min > 0,
            Node::Capture { node, .. } | Node::Atomic(node) => self.add(node),
            Node::IfGroup { yes, no, .. } | Node::IfMatch { yes, no, .. } => {
                let both = (self.add(yes), self.add(no));
                both == (true, true)
            }
        }
    }
}

/// The unit that the node takes first, whatever way it matches.
pub(crate) fn leading(node: &Node) -> Option<(&Unit, bool)> {
    match node {
        Node::Unit { unit, back } => Some((unit, *back)),
        Node::Concat(nodes) => {
            leading(nodes.iter().find(|it| !matches!(it, Node::Empty | Node::Anchor(_)))?)
        }
        Node::Repeat { node, min: 1.., .. } => leading(node),
        Node::Capture { node, .. } | Node::Atomic(node) => leading(node),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::First;
    use crate::program::Place;
    use crate::{Options, Regex};

    fn regex(pattern: &str, options: Options) -> Regex {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        Regex::new(&units, options).unwrap()
    }

    #[test]
    fn what_a_match_begins_with_is_known() {
        let show = |pattern: &str, options| match &regex(pattern, options).program.first {
            First::Any => "any".to_owned(),
            First::Text { units, .. } => String::from_utf16(units).unwrap(),
            First::Units { ascii, wide } => {
                let all = (0..128u8).filter(|it| ascii >> it & 1 == 1).map(char::from);
                all.collect::<String>() + if *wide { " and wide" } else { "" }
            }
        };
        for (pattern, expected) in [
            ("abc+", "abc"),
            ("(ab)c", "ab"),
            ("a?b|(?=x)[c-d]", "abcd"),
            ("(?i)k", "Kk and wide"),
            ("a*", "any"),
            (r"(a)?\1", "any"),
            ("é", "é"),
        ] {
            let expected = if pattern == "abc+" { "ab" } else { expected };
            assert_eq!(show(pattern, Options::NONE), expected, "{pattern}");
        }
        assert_eq!(show("ab|[c]", Options::RIGHT_TO_LEFT), "bc");
    }

    #[test]
    fn where_a_match_begins_is_known() {
        let place = |pattern: &str| regex(pattern, Options::NONE).program.place;
        assert_eq!(place("^a"), Place::Beginning);
        assert_eq!(place(r"(\Ga)"), Place::Start);
        assert_eq!(place("^a|b"), Place::Any);
        assert_eq!(place(".*a"), Place::Run(0));
        assert_eq!(place("(.*)a"), Place::Run(0));
        assert_eq!(place(r"(\w+)\1"), Place::Any);
        assert_eq!(place(r"\d{2,5}a"), Place::Any);
    }
}
