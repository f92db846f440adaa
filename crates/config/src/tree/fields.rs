//! Reading a map field by field: types are checked, and what nobody asked for can be told.

use std::cell::RefCell;

use document::{Diagnostic, closest};

use super::{Node, Tree};
use crate::codes;

/// What happens to keys that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// They are errors: in our own files.
    Known,
    /// They are left alone: Azure's entities have many that no gateway needs.
    Any,
}

/// A map being read.
#[derive(Debug)]
pub struct Fields<'t, 'p> {
    tree: &'t Tree,
    keys: Keys,
    asked: RefCell<Vec<&'static str>>,
    problems: &'p RefCell<Vec<Diagnostic>>,
}

impl<'t, 'p> Fields<'t, 'p> {
    /// Starts to read `tree`. If it is no map, that is reported and it counts as an empty one.
    pub fn new(tree: &'t Tree, keys: Keys, problems: &'p RefCell<Vec<Diagnostic>>) -> Self {
        if !matches!(tree.node, Node::Map(_) | Node::Null) {
            let message = format!("expected a map, found {}", tree.kind());
            problems.borrow_mut().push(tree.error(codes::WRONG_TYPE, message).label("here"));
        }
        Self { tree, keys, asked: RefCell::default(), problems }
    }

    /// The map itself.
    pub fn tree(&self) -> &'t Tree {
        self.tree
    }

    /// Where problems go.
    pub fn problems(&self) -> &'p RefCell<Vec<Diagnostic>> {
        self.problems
    }

    /// Reports a problem.
    pub fn report(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// The value of `key`, unless it is absent or `null`.
    pub fn get(&self, key: &'static str) -> Option<&'t Tree> {
        self.asked.borrow_mut().push(key);
        self.tree.get(key).filter(|it| !it.is_null())
    }

    /// A text (or a number or bool as written).
    pub fn text(&self, key: &'static str) -> Option<String> {
        let tree = self.get(key)?;
        match tree.scalar() {
            Some(text) => Some(text.to_owned()),
            None => self.wrong(key, tree, "a text"),
        }
    }

    /// A text that is not empty.
    pub fn filled(&self, key: &'static str) -> Option<String> {
        self.text(key).filter(|it| !it.trim().is_empty())
    }

    /// A bool.
    pub fn bool(&self, key: &'static str) -> Option<bool> {
        let tree = self.get(key)?;
        match tree.as_bool() {
            Some(it) => Some(it),
            None => self.wrong(key, tree, "true or false"),
        }
    }

    /// A whole number that is not negative.
    pub fn number(&self, key: &'static str) -> Option<u64> {
        let tree = self.get(key)?;
        match tree.scalar().and_then(|it| it.parse().ok()) {
            Some(it) => Some(it),
            None => self.wrong(key, tree, "a whole number"),
        }
    }

    /// A list; one scalar counts as a list of one.
    pub fn list(&self, key: &'static str) -> Vec<&'t Tree> {
        let Some(tree) = self.get(key) else { return Vec::new() };
        match &tree.node {
            Node::List(items) => items.iter().collect(),
            Node::Map(_) => {
                self.wrong::<()>(key, tree, "a list");
                Vec::new()
            }
            _ => vec![tree],
        }
    }

    /// A map, read in its turn.
    pub fn map(&self, key: &'static str) -> Option<Fields<'t, 'p>> {
        let tree = self.get(key)?;
        if !matches!(tree.node, Node::Map(_)) {
            return self.wrong(key, tree, "a map");
        }
        Some(Fields::new(tree, self.keys, self.problems))
    }

    /// Reports that `key` holds something else than what is expected.
    pub fn wrong<T>(&self, key: &str, tree: &Tree, expected: &str) -> Option<T> {
        let message = format!("`{key}` must be {expected}, found {}", tree.kind());
        self.report(tree.error(codes::WRONG_TYPE, message).label(format!("expected {expected}")));
        None
    }

    /// Reports that `key` is missing.
    pub fn missing(&self, key: &str) {
        let message = format!("`{key}` is missing");
        self.report(self.tree.error(codes::MISSING, message));
    }

    /// Ends the reading: reports the keys that nobody asked for, if they must be known.
    pub fn finish(self) {
        if self.keys == Keys::Any {
            return;
        }
        let asked = self.asked.into_inner();
        for entry in self.tree.entries().iter().filter(|it| !asked.contains(&it.key.as_str())) {
            let message = format!("unknown key `{}`", entry.key);
            let problem = Diagnostic::error(codes::UNKNOWN_KEY, entry.key_span, message)
                .in_file(entry.value.file.clone());
            let near = closest(&entry.key, asked.iter().copied());
            self.problems.borrow_mut().push(match near {
                Some(near) => problem.label(format!("did you mean `{near}`?")),
                None => problem.label("not a key of this map").help(format!(
                    "known keys: {}",
                    asked.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
                )),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::yaml;

    fn messages(problems: &RefCell<Vec<Diagnostic>>) -> Vec<String> {
        problems.borrow().iter().map(|it| it.message.clone()).collect()
    }

    #[test]
    fn fields_are_read_by_type() {
        let tree = yaml("a: x\nb: 'TRUE'\nc: 5\nd: [1, 2]\ne: 3\nf: {g: 1}\nn:\nblank: ' '\n");
        let problems = RefCell::default();
        let fields = Fields::new(&tree, Keys::Known, &problems);
        assert_eq!(fields.text("a").as_deref(), Some("x"));
        assert_eq!(fields.bool("b"), Some(true));
        assert_eq!(fields.number("c"), Some(5));
        assert_eq!(fields.list("d").len(), 2);
        assert_eq!(fields.list("e").len(), 1);
        assert_eq!(fields.map("f").unwrap().number("g"), Some(1));
        assert_eq!((fields.text("n"), fields.filled("blank")), (None, None));
        fields.finish();
        assert_eq!(messages(&problems), [""; 0]);
    }

    #[test]
    fn wrong_types_and_unknown_keys_are_told() {
        let tree = yaml("a: [x]\nb: maybe\nlistn: 1\n");
        let problems = RefCell::default();
        let fields = Fields::new(&tree, Keys::Known, &problems);
        assert_eq!((fields.text("a"), fields.bool("b"), fields.text("listen")), (None, None, None));
        fields.finish();
        assert_eq!(
            messages(&problems),
            [
                "`a` must be a text, found a list",
                "`b` must be true or false, found a text",
                "unknown key `listn`"
            ]
        );
        assert_eq!(problems.borrow()[2].label.as_deref(), Some("did you mean `listen`?"));
    }

    #[test]
    fn unknown_keys_of_azure_are_left_alone() {
        let tree = yaml("x: 1\n");
        let problems = RefCell::default();
        Fields::new(&tree, Keys::Any, &problems).finish();
        assert!(problems.borrow().is_empty());
        Fields::new(&yaml("5"), Keys::Any, &problems).finish();
        assert_eq!(messages(&problems), ["expected a map, found a number"]);
    }
}
