//! Content models: which child elements may follow one another.
//!
//! A model is an automaton. Each step knows all that may come next, so that a list of children is
//! read once, whatever the model is; the number of steps is bounded when the schema is compiled.

use crate::model::{Compiled, ElementId, Particle, Term, Wildcard};

/// Steps of one model.
const MAX_STATES: usize = 10_000;
/// Ways from one step to the next, in one model.
const MAX_EDGES: usize = 200_000;

/// What a child is read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Element(ElementId),
    Any(Wildcard),
}

/// The automaton, or the members of `xs:all`.
#[derive(Clone, Debug)]
pub(crate) enum Model {
    Steps { states: Vec<State>, start: usize },
    All { members: Vec<(ElementId, bool)>, is_optional: bool },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// What may come next, and where that leads.
    next: Vec<(Label, usize)>,
    is_end: bool,
}

/// A step on the way: before children are read, ways lead to others without a child.
#[derive(Default)]
struct Raw {
    free: Vec<usize>,
    label: Option<(Label, usize)>,
}

impl Model {
    /// Compiles a model. `None` if it is too large.
    pub(crate) fn new(particle: &Particle) -> Option<Self> {
        if let Term::All(members) = &particle.term {
            let member = |it: &Particle| match it.term {
                Term::Element(id) => Some((id, it.min > 0)),
                _ => None,
            };
            let members = members.iter().map(member).collect::<Option<_>>()?;
            return Some(Self::All { members, is_optional: particle.min == 0 });
        }
        let mut raw = vec![Raw::default()];
        let end = add(&mut raw, 0, particle)?;
        let mut n_edges = 0;
        let mut states = Vec::with_capacity(raw.len());
        for at in 0..raw.len() {
            let state = closed(&raw, at, end);
            n_edges += state.next.len();
            if n_edges > MAX_EDGES {
                return None;
            }
            states.push(state);
        }
        Some(Self::Steps { states, start: 0 })
    }
}

fn new_state(raw: &mut Vec<Raw>) -> Option<usize> {
    raw.push(Raw::default());
    (raw.len() <= MAX_STATES).then(|| raw.len() - 1)
}

fn free(raw: &mut [Raw], from: usize, to: usize) {
    if let Some(it) = raw.get_mut(from) {
        it.free.push(to);
    }
}

/// Adds a particle after a step; gives the step that it ends in.
fn add(raw: &mut Vec<Raw>, from: usize, particle: &Particle) -> Option<usize> {
    let mut at = from;
    for _ in 0..particle.min {
        at = term(raw, at, &particle.term)?;
    }
    match particle.max {
        None => {
            let before = new_state(raw)?;
            free(raw, at, before);
            let after = term(raw, before, &particle.term)?;
            free(raw, after, before);
            let end = new_state(raw)?;
            free(raw, before, end);
            Some(end)
        }
        Some(max) => {
            let end = new_state(raw)?;
            for _ in particle.min..max {
                free(raw, at, end);
                at = term(raw, at, &particle.term)?;
            }
            free(raw, at, end);
            Some(end)
        }
    }
}

fn term(raw: &mut Vec<Raw>, from: usize, term: &Term) -> Option<usize> {
    let label = match term {
        Term::Element(id) => Label::Element(*id),
        Term::Any(it) => Label::Any(it.clone()),
        Term::Sequence(parts) => {
            let mut at = from;
            for part in parts {
                at = add(raw, at, part)?;
            }
            return Some(at);
        }
        Term::Choice(parts) => {
            let end = new_state(raw)?;
            for part in parts {
                // A step of its own, so that ways of one part do not become those of another.
                let start = new_state(raw)?;
                free(raw, from, start);
                let after = add(raw, start, part)?;
                free(raw, after, end);
            }
            return Some(end);
        }
        Term::All(_) => return None,
    };
    // A step has one label, so that it stands for one place in the model.
    let start = new_state(raw)?;
    free(raw, from, start);
    let end = new_state(raw)?;
    raw.get_mut(start)?.label = Some((label, end));
    Some(end)
}

/// All that may come next from a step.
fn closed(raw: &[Raw], from: usize, end: usize) -> State {
    let mut state = State::default();
    let mut seen = vec![false; raw.len()];
    let mut pending = vec![from];
    while let Some(at) = pending.pop() {
        let Some(is_seen) = seen.get_mut(at) else { continue };
        if std::mem::replace(is_seen, true) {
            continue;
        }
        state.is_end |= at == end;
        let Some(it) = raw.get(at) else { continue };
        state.next.extend(it.label.clone());
        pending.extend(it.free.iter().copied());
    }
    state
}

/// Reads children one by one.
pub(crate) struct Walk<'a> {
    model: &'a Model,
    compiled: &'a Compiled,
    /// Where the children so far have led.
    at: Vec<usize>,
    seen: Vec<ElementId>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(model: &'a Model, compiled: &'a Compiled) -> Self {
        let start = match model {
            Model::Steps { start, .. } => *start,
            Model::All { .. } => 0,
        };
        Self { model, compiled, at: vec![start], seen: Vec::new() }
    }

    /// What the next child is read as; the error says what was expected instead. `cost` counts what
    /// was looked at.
    pub(crate) fn child(
        &mut self,
        space: Option<&str>,
        local: &str,
        cost: &mut u64,
    ) -> Result<Label, String> {
        let takes = |label: &Label| match label {
            Label::Element(id) => {
                self.compiled.elements.get(*id).is_some_and(|it| it.name.is(space, local))
            }
            Label::Any(wildcard) => wildcard.takes(space),
        };
        match self.model {
            Model::All { members, .. } => {
                *cost += members.len() as u64;
                let found = members
                    .iter()
                    .map(|(id, _)| *id)
                    .find(|id| !self.seen.contains(id) && takes(&Label::Element(*id)));
                let id = found.ok_or_else(|| self.expected())?;
                self.seen.push(id);
                Ok(Label::Element(id))
            }
            Model::Steps { states, .. } => {
                let mut found: Option<Label> = None;
                let mut to = Vec::new();
                for at in &self.at {
                    let ways = states.get(*at).map(|it| it.next.as_slice()).unwrap_or_default();
                    *cost += 1 + ways.len() as u64;
                    for (label, next) in ways.iter().filter(|(label, _)| takes(label)) {
                        // An element goes before a wildcard, should both take it.
                        if found.is_none() || matches!(label, Label::Element(_)) {
                            found = Some(label.clone());
                        }
                        if !to.contains(next) {
                            to.push(*next);
                        }
                    }
                }
                let found = found.ok_or_else(|| self.expected())?;
                self.at = to;
                Ok(found)
            }
        }
    }

    /// Whether the children may end here; the error says what was expected.
    pub(crate) fn end(&self) -> Result<(), String> {
        let is_end = match self.model {
            Model::All { members, is_optional } => {
                let is_complete =
                    members.iter().all(|(id, required)| !required || self.seen.contains(id));
                is_complete || (*is_optional && self.seen.is_empty())
            }
            Model::Steps { states, .. } => {
                self.at.iter().any(|it| states.get(*it).is_some_and(|it| it.is_end))
            }
        };
        if is_end { Ok(()) } else { Err(self.expected()) }
    }

    /// ` Expected: a, b.`, or nothing.
    fn expected(&self) -> String {
        const MAX_NAMES: usize = 8;
        let labels: Vec<Label> = match self.model {
            Model::All { members, .. } => {
                let left = members.iter().filter(|(id, _)| !self.seen.contains(id));
                left.map(|(id, _)| Label::Element(*id)).collect()
            }
            Model::Steps { states, .. } => {
                let ways = self.at.iter().filter_map(|it| states.get(*it));
                ways.flat_map(|it| it.next.iter().map(|(label, _)| label.clone())).collect()
            }
        };
        let mut names: Vec<String> = Vec::new();
        for label in labels {
            let name = match label {
                Label::Element(id) => {
                    self.compiled.elements.get(id).map(|it| it.name.local.clone())
                }
                Label::Any(_) => Some("any element".to_owned()),
            };
            names.extend(name.filter(|it| !names.contains(it)));
            if names.len() == MAX_NAMES {
                break;
            }
        }
        if names.is_empty() { String::new() } else { format!("; expected: {}", names.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Element, Name};

    fn compiled() -> Compiled {
        let element = |local: &str| Element {
            name: Name::new("", local),
            type_id: 0,
            is_nillable: false,
            is_abstract: false,
            fixed: None,
            default: None,
        };
        Compiled { elements: ["a", "b", "c"].map(element).to_vec(), ..Compiled::default() }
    }

    fn particle(min: u32, max: Option<u32>, term: Term) -> Particle {
        Particle { min, max, term }
    }

    fn one(id: ElementId) -> Particle {
        particle(1, Some(1), Term::Element(id))
    }

    fn fits(of: &Particle, children: &str) -> bool {
        let (compiled, model) = (compiled(), Model::new(of).unwrap());
        let mut walk = Walk::new(&model, &compiled);
        let all = children.chars().all(|it| walk.child(None, &it.to_string(), &mut 0).is_ok());
        all && walk.end().is_ok()
    }

    #[test]
    fn children_follow_the_model() {
        let sequence = particle(
            1,
            Some(1),
            Term::Sequence(vec![
                one(0),
                particle(0, Some(2), Term::Element(1)),
                particle(0, None, Term::Element(2)),
            ]),
        );
        for (children, expected) in [
            ("a", true),
            ("ab", true),
            ("abb", true),
            ("abbb", false),
            ("acccc", true),
            ("abc", true),
            ("acb", false),
            ("", false),
            ("b", false),
            ("aa", false),
        ] {
            assert_eq!(fits(&sequence, children), expected, "{children}");
        }
        let choice = particle(2, Some(3), Term::Choice(vec![one(0), one(1)]));
        for (children, expected) in
            [("a", false), ("ab", true), ("bba", true), ("abab", false), ("ac", false)]
        {
            assert_eq!(fits(&choice, children), expected, "{children}");
        }
        let optional = particle(0, None, Term::Choice(vec![particle(0, None, Term::Element(0))]));
        assert!(fits(&optional, "") && fits(&optional, "aaa") && !fits(&optional, "b"));
    }

    #[test]
    fn all_stand_once_in_any_order() {
        let members = vec![one(0), one(1), particle(0, Some(1), Term::Element(2))];
        let all = particle(1, Some(1), Term::All(members));
        for (children, expected) in
            [("ab", true), ("bca", true), ("a", false), ("aab", false), ("", false)]
        {
            assert_eq!(fits(&all, children), expected, "{children}");
        }
    }

    #[test]
    fn a_model_is_bounded() {
        let many = particle(1, Some(1_000_000), Term::Element(0));
        assert!(Model::new(&many).is_none());
        let nested =
            (0..5).fold(one(0), |it, _| particle(100, Some(100), Term::Sequence(vec![it])));
        assert!(Model::new(&nested).is_none());
    }

    #[test]
    fn what_was_expected_is_told() {
        let (compiled, model) =
            (compiled(), Model::new(&particle(1, Some(1), Term::Choice(vec![one(0), one(1)]))));
        let model = model.unwrap();
        let mut walk = Walk::new(&model, &compiled);
        let told = walk.child(None, "x", &mut 0).unwrap_err();
        assert!(told == "; expected: b, a" || told == "; expected: a, b", "{told}");
    }
}
