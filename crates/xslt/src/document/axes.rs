//! The axes of XPath (section 2.2) and what a node test lets pass (section 2.3).

use super::{Document, Kind, Node};
use crate::names::{Atom, Key};

/// Where a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Namespace,
    Parent,
    Preceding,
    PrecedingSibling,
    Own,
}

impl Axis {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ancestor" => Self::Ancestor,
            "ancestor-or-self" => Self::AncestorOrSelf,
            "attribute" => Self::Attribute,
            "child" => Self::Child,
            "descendant" => Self::Descendant,
            "descendant-or-self" => Self::DescendantOrSelf,
            "following" => Self::Following,
            "following-sibling" => Self::FollowingSibling,
            "namespace" => Self::Namespace,
            "parent" => Self::Parent,
            "preceding" => Self::Preceding,
            "preceding-sibling" => Self::PrecedingSibling,
            "self" => Self::Own,
            _ => return None,
        })
    }

    /// Does it go against document order?
    pub(crate) fn is_reverse(self) -> bool {
        matches!(
            self,
            Self::Ancestor | Self::AncestorOrSelf | Self::Preceding | Self::PrecedingSibling
        )
    }

    /// The kind of node that a name means.
    fn principal(self) -> Kind {
        match self {
            Self::Attribute => Kind::Attribute,
            Self::Namespace => Kind::Namespace,
            _ => Kind::Element,
        }
    }
}

/// Which nodes a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// `node()`
    Any,
    /// `*`
    Star,
    /// `p:*`
    Space(Atom),
    /// `name`
    Name(Key),
    /// `text()`
    Text,
    /// `comment()`
    Comment,
    /// `processing-instruction()`, with or without a target.
    Instruction(Option<Atom>),
}

impl Document {
    /// Does a node pass the test of a step on this axis?
    pub(crate) fn fits(&self, node: Node, axis: Axis, test: Test) -> bool {
        let kind = self.kind_of(node);
        match test {
            Test::Any => true,
            Test::Star => kind == axis.principal(),
            Test::Space(space) => kind == axis.principal() && self.name_of(node).space == space,
            Test::Name(key) => kind == axis.principal() && self.name_of(node).key() == key,
            Test::Text => kind == Kind::Text,
            Test::Comment => kind == Kind::Comment,
            Test::Instruction(target) => {
                kind == Kind::Instruction && target.is_none_or(|it| self.name(node.id).local == it)
            }
        }
    }

    /// Puts the nodes of an axis that pass the test at the end of `into`, in the order of the
    /// axis, and says how many nodes it looked at.
    pub(crate) fn walk(&self, node: Node, axis: Axis, test: Test, into: &mut Vec<Node>) -> usize {
        let mut n_seen = 0;
        let mut take = |id: u32| {
            n_seen += 1;
            let it = node.with(id);
            if self.fits(it, axis, test) {
                into.push(it);
            }
        };
        let is_leaf = node.space != 0 || self.kind(node.id) == Kind::Attribute;
        match axis {
            Axis::Child => self.children(node.id).filter(|_| !is_leaf).for_each(take),
            Axis::Attribute => self.attributes(node.id).filter(|_| !is_leaf).for_each(take),
            Axis::Own => {
                n_seen = 1;
                if self.fits(node, axis, test) {
                    into.push(node);
                }
            }
            Axis::Parent => self.up(node).into_iter().for_each(take),
            Axis::Ancestor => self.ancestors(node).for_each(take),
            Axis::AncestorOrSelf => {
                n_seen = 1;
                if self.fits(node, axis, test) {
                    into.push(node);
                }
                n_seen += self.walk(node, Axis::Ancestor, test, into);
            }
            Axis::Descendant => self.below(node).for_each(take),
            Axis::DescendantOrSelf => {
                n_seen = 1;
                if self.fits(node, axis, test) {
                    into.push(node);
                }
                n_seen += self.walk(node, Axis::Descendant, test, into);
            }
            Axis::FollowingSibling => {
                let next = self.next(node.id).filter(|_| !is_leaf);
                std::iter::successors(next, |it| self.next(*it)).for_each(take);
            }
            Axis::PrecedingSibling => {
                let previous = self.previous(node.id).filter(|_| !is_leaf);
                std::iter::successors(previous, |it| self.previous(*it)).for_each(take);
            }
            // What follows an attribute are the descendants of its element and what follows it.
            Axis::Following => {
                let from = if is_leaf { node.id + 1 } else { self.end(node.id) };
                (from..self.len()).filter(|it| self.kind(*it) != Kind::Attribute).for_each(take);
            }
            Axis::Preceding => {
                let from = if node.space == 0 && is_leaf {
                    self.parent(node.id).unwrap_or(0)
                } else {
                    node.id
                };
                let is_before =
                    |it: &u32| self.kind(*it) != Kind::Attribute && self.end(*it) <= from;
                (1..from).rev().filter(is_before).for_each(&mut take);
                n_seen += from as usize / 8;
            }
            Axis::Namespace => {
                let of_element = if is_leaf { Vec::new() } else { self.namespaces(node.id) };
                for space in of_element {
                    n_seen += 1;
                    let it = Node { space, ..node };
                    if self.fits(it, axis, test) {
                        into.push(it);
                    }
                }
            }
        }
        n_seen
    }

    /// The parent of any node: a namespace node's is its element.
    pub(crate) fn up(&self, node: Node) -> Option<u32> {
        if node.space == 0 { self.parent(node.id) } else { Some(node.id) }
    }

    fn ancestors(&self, node: Node) -> impl Iterator<Item = u32> {
        std::iter::successors(self.up(node), |it| self.parent(*it))
    }

    fn below(&self, node: Node) -> impl Iterator<Item = u32> {
        let end = if node.space == 0 { self.end(node.id) } else { 0 };
        (node.id + 1..end).filter(|it| self.kind(*it) != Kind::Attribute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Options, parse};
    use crate::names::Names;

    const TEXT: &str =
        "<r xmlns:p='u'><a i='1'><b/>t<c><d/></c></a><!--x--><e j='2' k='3'/><?pi z?></r>";

    fn names_of(path: &[u32], axis: Axis, test: Test) -> String {
        let mut names = Names::new();
        let document = parse(TEXT, &mut names, &Options::default()).unwrap();
        let mut at = 0;
        for step in path {
            at = document.children(at).nth(*step as usize).unwrap();
        }
        let mut found = Vec::new();
        document.walk(Node::root(0).with(at), axis, test, &mut found);
        let word = |it: &Node| match document.kind_of(*it) {
            Kind::Root => "/".to_owned(),
            Kind::Text => "#".to_owned(),
            Kind::Comment => "!".to_owned(),
            _ => names.text(document.name_of(*it).local).to_owned(),
        };
        found.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_axis_goes_where_it_should() {
        let c = &[0, 0, 2];
        for (axis, expected) in [
            (Axis::Ancestor, "a r /"),
            (Axis::AncestorOrSelf, "c a r /"),
            (Axis::Attribute, ""),
            (Axis::Child, "d"),
            (Axis::Descendant, "d"),
            (Axis::DescendantOrSelf, "c d"),
            (Axis::Following, "! e pi"),
            (Axis::FollowingSibling, ""),
            (Axis::Namespace, "p xml"),
            (Axis::Parent, "a"),
            (Axis::Preceding, "# b"),
            (Axis::PrecedingSibling, "# b"),
            (Axis::Own, "c"),
        ] {
            assert_eq!(names_of(c, axis, Test::Any), expected, "{axis:?}");
        }
        assert_eq!(names_of(&[], Axis::Descendant, Test::Star), "r a b c d e");
        assert_eq!(names_of(&[0, 2], Axis::Attribute, Test::Star), "j k");
        assert_eq!(names_of(&[0], Axis::Child, Test::Instruction(None)), "pi");
        assert_eq!(names_of(&[0], Axis::Descendant, Test::Text), "#");
        assert_eq!(names_of(&[0], Axis::Child, Test::Comment), "!");
        assert_eq!(names_of(&[0, 2], Axis::Preceding, Test::Star), "d c b a");
    }
}
