//! A pattern as a tree.

use crate::set::Set;

/// Without an upper bound.
pub(crate) const MANY: u32 = i32::MAX.cast_unsigned();

/// What one unit is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// This one.
    One(u16),
    /// Any but this one.
    Not(u16),
    /// Any.
    Any,
    /// One of a set.
    Set(Box<Set>),
}

impl Unit {
    /// Does the unit fit?
    pub(crate) fn fits(&self, unit: u16) -> bool {
        match self {
            Self::One(it) => *it == unit,
            Self::Not(it) => *it != unit,
            Self::Any => true,
            Self::Set(set) => set.has(unit),
        }
    }

    /// The ASCII units that fit.
    pub(crate) fn ascii(&self) -> u128 {
        let bit = |it: u16| if it < 128 { 1 << it } else { 0 };
        match self {
            Self::One(it) => bit(*it),
            Self::Not(it) => !bit(*it),
            Self::Any => u128::MAX,
            Self::Set(set) => set.ascii(),
        }
    }

    /// May a unit that is not ASCII fit?
    pub(crate) fn has_wide(&self) -> bool {
        match self {
            Self::One(it) => *it >= 128,
            Self::Not(_) | Self::Any => true,
            Self::Set(set) => set.has_wide(),
        }
    }
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// `^` with `m`.
    LineBeginning,
    /// `$` with `m`.
    LineEnd,
    /// `\A`, and `^`.
    Beginning,
    /// `\G`.
    Start,
    /// `\Z`, and `$`.
    LastLine,
    /// `\z`.
    End,
    /// `\b`.
    Border,
    /// `\B`.
    NoBorder,
    /// `\b` of ECMAScript.
    EcmaBorder,
    /// `\B` of ECMAScript.
    NoEcmaBorder,
}

/// A part of a pattern. What goes backward says so, and lists of it are turned round already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Nothing.
    Empty,
    /// One unit.
    Unit { unit: Unit, back: bool },
    /// What the group in that slot has caught last.
    Reference { slot: u32, folds: bool, back: bool, ecma: bool },
    /// A place.
    Anchor(Anchor),
    /// One after the other, in the order of trying.
    Concat(Vec<Node>),
    /// One of several.
    Alternate(Vec<Node>),
    /// Repeated.
    Repeat { node: Box<Node>, min: u32, max: u32, lazy: bool },
    /// A group that captures, takes a capture from another, or both.
    Capture { slot: Option<u32>, taken: Option<u32>, node: Box<Node> },
    /// Looks ahead or behind.
    Look { node: Box<Node>, negative: bool },
    /// `(?>...)`.
    Atomic(Box<Node>),
    /// `(?(1)yes|no)`.
    IfGroup { slot: u32, yes: Box<Node>, no: Box<Node> },
    /// `(?(?=...)yes|no)`.
    IfMatch { test: Box<Node>, yes: Box<Node>, no: Box<Node> },
}

impl Node {
    /// A list of one is that one.
    pub(crate) fn concat(mut nodes: Vec<Self>) -> Self {
        match nodes.len() {
            0 => Self::Empty,
            1 => nodes.pop().unwrap_or(Self::Empty),
            _ => Self::Concat(nodes),
        }
    }

    /// Alternatives; if each is one unit they are a set.
    pub(crate) fn alternate(mut nodes: Vec<Self>) -> Self {
        if nodes.len() == 1 {
            return nodes.pop().unwrap_or(Self::Empty);
        }
        let one = |node: &Self| match node {
            Self::Unit { unit: Unit::One(it), back } => Some((*it, *back)),
            _ => None,
        };
        let units: Option<Vec<(u16, bool)>> = nodes.iter().map(one).collect();
        match units {
            Some(units) => Self::Unit {
                back: units.iter().any(|(_, back)| *back),
                unit: Unit::Set(Box::new(Set::of(units.into_iter().map(|(it, _)| it)))),
            },
            None => Self::Alternate(nodes),
        }
    }

    /// A node repeated. As in .NET, a loop that holds nothing but a loop of its kind becomes one
    /// with it, if no number in between is lost; what groups catch in empty rounds depends on it.
    pub(crate) fn repeat(node: Self, min: u32, max: u32, lazy: bool) -> Self {
        let times = |a: u32, b: u32| a.checked_mul(b).filter(|it| *it < MANY).unwrap_or(MANY);
        match node {
            Self::Repeat { node, min: low, max: high, lazy: own }
                if own == lazy && !(min == 0 && low > 1) && high >= low.saturating_mul(2) =>
            {
                Self::Repeat { node, min: times(low, min), max: times(high, max), lazy }
            }
            node => Self::Repeat { node: Box::new(node), min, max, lazy },
        }
    }

    /// May it match without taking a unit?
    pub(crate) fn may_be_empty(&self) -> bool {
        match self {
            Self::Unit { .. } => false,
            Self::Concat(nodes) => nodes.iter().all(Self::may_be_empty),
            Self::Alternate(nodes) => nodes.iter().any(Self::may_be_empty),
            Self::Repeat { node, min, .. } => *min == 0 || node.may_be_empty(),
            Self::Capture { node, .. } | Self::Atomic(node) => node.may_be_empty(),
            Self::IfGroup { yes, no, .. } | Self::IfMatch { yes, no, .. } => {
                yes.may_be_empty() || no.may_be_empty()
            }
            Self::Empty | Self::Reference { .. } | Self::Anchor(_) | Self::Look { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MANY, Node, Unit};

    fn one(it: char) -> Node {
        Node::Unit { unit: Unit::One(it as u16), back: false }
    }

    #[test]
    fn alternatives_of_one_unit_are_a_set() {
        let Node::Unit { unit, back: false } = Node::alternate(vec![one('a'), one('b')]) else {
            panic!("no set");
        };
        assert!(unit.fits('a' as u16) && unit.fits('b' as u16) && !unit.fits('c' as u16));
        assert_eq!(unit.ascii(), 1 << b'a' | 1 << b'b');
        assert!(!unit.has_wide());
    }

    #[test]
    fn a_loop_of_a_loop_is_one_where_no_number_is_lost() {
        let show = |low, high, min, max| {
            let inner = Node::repeat(one('a'), low, high, false);
            let Node::Repeat { node, min, max, .. } = Node::repeat(inner, min, max, false) else {
                panic!("no loop");
            };
            (matches!(*node, Node::Unit { .. }), min, max)
        };
        assert_eq!(show(1, MANY, 0, 2), (true, 0, MANY));
        assert_eq!(show(0, 1, 2, 3), (true, 0, 3));
        assert_eq!(show(2, 3, 2, 4), (false, 2, 4));
        assert_eq!(show(2, 9, 0, 4), (false, 0, 4));
    }

    #[test]
    fn what_may_be_empty_is_known() {
        let loops = |min| Node::Repeat { node: Box::new(one('a')), min, max: 3, lazy: false };
        assert!(loops(0).may_be_empty() && !loops(1).may_be_empty());
        assert!(!Node::Concat(vec![loops(0), one('a')]).may_be_empty());
        assert!(Node::Alternate(vec![Node::Empty, one('a')]).may_be_empty());
    }
}
