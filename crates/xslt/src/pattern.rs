//! Patterns (XSLT 1.0, section 5.2) and the rules that a mode has, found by the node's name.

use std::collections::HashMap;

use crate::document::{Axis, Document, Kind, Node, Test};
use crate::names::{Atom, Key};
use crate::xpath::{Expr, Function, Start, Step};

/// One alternative of a pattern: its steps from the last to the first.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) steps: Vec<Link>,
    pub(crate) anchor: Anchor,
    pub(crate) priority: f64,
}

/// A step and how the step to its left is reached.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) step: Step,
    /// Whether what is to the left is any ancestor, else the parent.
    pub(crate) is_far: bool,
}

/// What stands at the very left.
#[derive(Clone, Debug)]
pub(crate) enum Anchor {
    /// Nothing: any node may be there.
    Free,
    /// `/`
    Root,
    /// `key(...)` or `id(...)`
    Nodes(Expr),
}

/// The alternatives of a pattern.
pub(crate) fn patterns(expr: Expr) -> Result<Vec<Pattern>, String> {
    match expr {
        Expr::Union(all) => all.into_iter().map(pattern).collect(),
        one => pattern(one).map(|it| vec![it]),
    }
}

const NO_PATTERN: &str =
    "a pattern has only child and attribute steps, `/`, `//`, `key()` and `id()`";

fn pattern(expr: Expr) -> Result<Pattern, String> {
    let is_nodes =
        |it: &Expr| matches!(it, Expr::Named(Function::Key, ..) | Expr::Call(Function::Id, _));
    let (anchor, steps) = match expr {
        Expr::Path(Start::Context, steps) => (Anchor::Free, steps),
        Expr::Path(Start::Root, steps) => (Anchor::Root, steps),
        Expr::Path(Start::Of(base), steps) if is_nodes(&base) => (Anchor::Nodes(*base), steps),
        base if is_nodes(&base) => (Anchor::Nodes(base), Vec::new()),
        _ => return Err(NO_PATTERN.to_owned()),
    };
    let mut links: Vec<Link> = Vec::with_capacity(steps.len());
    let mut is_far = false;
    for mut step in steps {
        match step.axis {
            // `//` before a step whose predicates count positions.
            Axis::DescendantOrSelf if step.test == Test::Any && step.predicates.is_empty() => {
                is_far = true;
                continue;
            }
            Axis::Descendant => {
                step.axis = Axis::Child;
                is_far = true;
            }
            Axis::Child | Axis::Attribute => {}
            _ => return Err(NO_PATTERN.to_owned()),
        }
        links.push(Link { step, is_far });
        is_far = false;
    }
    links.reverse();
    let priority = match (&anchor, links.as_slice()) {
        (Anchor::Free, [link]) => priority(link),
        _ => 0.5,
    };
    Ok(Pattern { steps: links, anchor, priority })
}

/// The priority of a pattern of one step (section 5.5).
fn priority(link: &Link) -> f64 {
    if !link.step.predicates.is_empty() || link.is_far {
        return 0.5;
    }
    match link.step.test {
        Test::Name(_) | Test::Instruction(Some(_)) => 0.0,
        Test::Space(_) => -0.25,
        _ => -0.5,
    }
}

/// What a pattern's last step asks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
    Element(Option<Key>),
    Attribute(Option<Key>),
    Other,
    Any,
}

impl Pattern {
    fn wants(&self) -> Wants {
        let Some(link) = self.steps.first() else {
            return if matches!(self.anchor, Anchor::Root) { Wants::Other } else { Wants::Any };
        };
        match (link.step.axis, link.step.test) {
            (Axis::Attribute, Test::Name(key)) => Wants::Attribute(Some(key)),
            (Axis::Attribute, Test::Any | Test::Star | Test::Space(_)) => Wants::Attribute(None),
            (_, Test::Name(key)) => Wants::Element(Some(key)),
            (_, Test::Star | Test::Space(_)) => Wants::Element(None),
            (_, Test::Any) => Wants::Any,
            _ => Wants::Other,
        }
    }
}

/// One rule of a mode.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) pattern: Pattern,
    pub(crate) template: usize,
}

/// The rules of a mode, the strongest first, and which of them a node can match.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) all: Vec<Rule>,
    elements: HashMap<Key, Vec<usize>>,
    attributes: HashMap<Key, Vec<usize>>,
    other_elements: Vec<usize>,
    other_attributes: Vec<usize>,
    others: Vec<usize>,
}

impl Rules {
    /// Takes rules in the order of the stylesheet, each with its priority.
    pub(crate) fn new(mut rules: Vec<(f64, Rule)>) -> Self {
        // Of equal priorities the last counts, so reversing and a stable sort do it.
        rules.reverse();
        rules.sort_by(|a, b| b.0.total_cmp(&a.0));
        let all: Vec<Rule> = rules.into_iter().map(|(_, rule)| rule).collect();
        let mut rules = Self::default();
        let wants: Vec<Wants> = all.iter().map(|it| it.pattern.wants()).collect();
        let places = |fits: &dyn Fn(Wants) -> bool| -> Vec<usize> {
            wants.iter().enumerate().filter(|(_, it)| fits(**it)).map(|(at, _)| at).collect()
        };
        for wanted in &wants {
            match wanted {
                Wants::Element(Some(key)) => {
                    let fits = |it: Wants| {
                        matches!(it, Wants::Element(None) | Wants::Any) || it == *wanted
                    };
                    rules.elements.entry(*key).or_insert_with(|| places(&fits));
                }
                Wants::Attribute(Some(key)) => {
                    let fits = |it: Wants| {
                        matches!(it, Wants::Attribute(None) | Wants::Any) || it == *wanted
                    };
                    rules.attributes.entry(*key).or_insert_with(|| places(&fits));
                }
                _ => {}
            }
        }
        rules.other_elements = places(&|it| matches!(it, Wants::Element(None) | Wants::Any));
        rules.other_attributes = places(&|it| matches!(it, Wants::Attribute(None) | Wants::Any));
        rules.others = places(&|it| matches!(it, Wants::Other | Wants::Any));
        rules.all = all;
        rules
    }

    /// The rules that a node may match, the strongest first.
    pub(crate) fn of(&self, document: &Document, node: Node) -> &[usize] {
        match document.kind_of(node) {
            Kind::Element => {
                self.elements.get(&document.name(node.id).key()).unwrap_or(&self.other_elements)
            }
            Kind::Attribute => {
                self.attributes.get(&document.name(node.id).key()).unwrap_or(&self.other_attributes)
            }
            _ => &self.others,
        }
    }
}

/// The mode without a name.
pub(crate) const NO_MODE: Key = Key { space: Atom::EMPTY, local: Atom::EMPTY };

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::names::Names;
    use crate::xpath::{Cx, parse};

    fn compiled(text: &str) -> Result<Vec<Pattern>, String> {
        let mut names = Names::new();
        let (p, u) = (names.atom("p"), names.atom("urn:u"));
        let (spaces, globals) = (Arc::from([(p, u)]), HashMap::new());
        let mut cx = Cx {
            names: &mut names,
            spaces: &spaces,
            locals: &[],
            globals: &globals,
            may_guard: false,
            referred: &mut Vec::new(),
        };
        patterns(parse(text, &mut cx).map_err(|it| it.message)?)
    }

    #[test]
    fn priorities_are_those_of_the_specification() {
        for (text, priorities) in [
            ("a", &[0.0][..]),
            ("p:a", &[0.0]),
            ("@a", &[0.0]),
            ("processing-instruction('x')", &[0.0]),
            ("p:*", &[-0.25]),
            ("*", &[-0.5]),
            ("@*", &[-0.5]),
            ("node()", &[-0.5]),
            ("text()", &[-0.5]),
            ("processing-instruction()", &[-0.5]),
            ("a/b", &[0.5]),
            ("a[1]", &[0.5]),
            ("/", &[0.5]),
            ("//a", &[0.5]),
            ("a | * | @b", &[0.0, -0.5, 0.0]),
            ("key('k', 'v')/a", &[0.5]),
        ] {
            let found: Vec<f64> = compiled(text).unwrap().iter().map(|it| it.priority).collect();
            assert_eq!(found, priorities, "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["..", "a/..", "ancestor::a", "1", "'a'", "count(a)", "a/self::b", "(a)[1]"] {
            assert!(compiled(text).is_err(), "{text}");
        }
    }
}
