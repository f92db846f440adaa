//! Schemas of a specification with their references put in, bounded.

use std::cell::Cell;

use serde_json::{Map, Value};

use crate::tree::{Node, Tree};

/// How deep references and nested schemas are followed.
const MAX_DEPTH: usize = 12;
/// Most nodes of all schemas of one specification once references are put in.
const MAX_NODES: usize = 200_000;

/// Puts references of schemas in.
pub(super) struct Schemas<'s> {
    spec: &'s Tree,
    n_nodes: Cell<usize>,
}

impl<'s> Schemas<'s> {
    pub(super) fn new(spec: &'s Tree) -> Self {
        Self { spec, n_nodes: Cell::new(0) }
    }

    /// The schema as JSON with references replaced by what they point to. Where it is nested too
    /// deeply (or in itself) or has become too large, `{}` stands, which allows anything.
    pub(super) fn inline(&self, tree: &'s Tree) -> Value {
        self.value(tree, 0)
    }

    fn value(&self, tree: &'s Tree, depth: usize) -> Value {
        self.n_nodes.set(self.n_nodes.get() + 1);
        if depth > MAX_DEPTH || self.n_nodes.get() > MAX_NODES {
            return Value::Object(Map::new());
        }
        if let Some(reference) = tree.get("$ref").and_then(Tree::scalar) {
            return match pointer(self.spec, reference) {
                Some(target) => self.value(target, depth + 1),
                None => Value::Object(Map::new()),
            };
        }
        match &tree.node {
            Node::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|it| (it.key.clone(), self.value(&it.value, depth + 1)))
                    .collect(),
            ),
            Node::List(items) => items.iter().map(|it| self.value(it, depth + 1)).collect(),
            _ => tree.to_json(),
        }
    }
}

/// What a reference inside the file points to (RFC 6901): `#/components/schemas/Order`.
pub(super) fn pointer<'s>(root: &'s Tree, reference: &str) -> Option<&'s Tree> {
    reference.strip_prefix("#/")?.split('/').try_fold(root, |tree, segment| {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        match &tree.node {
            Node::List(items) => items.get(segment.parse::<usize>().ok()?),
            _ => tree.get(&segment),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::yaml;

    #[test]
    fn references_are_put_in_and_cycles_end() {
        let spec = yaml(
            "components: { schemas: { 'a/b': { type: string }, L: { next: { $ref: '#/components/schemas/L' } } } }\n\
             one: { $ref: '#/components/schemas/a~1b' }\ntwo: { $ref: '#/components/schemas/L' }\n",
        );
        let schemas = Schemas::new(&spec);
        assert_eq!(schemas.inline(spec.get("one").unwrap())["type"], "string");
        let text = schemas.inline(spec.get("two").unwrap()).to_string();
        assert!(text.matches("next").count() <= MAX_DEPTH && text.contains("{}"));
    }

    #[test]
    fn size_is_bounded() {
        let mut text = String::from("s0: { type: string }\n");
        for n in 1..12 {
            let m = n - 1;
            text.push_str(&format!("s{n}: {{ a: {{ $ref: '#/s{m}' }}, b: {{ $ref: '#/s{m}' }}, c: {{ $ref: '#/s{m}' }} }}\n"));
        }
        let spec = yaml(&text);
        let schemas = Schemas::new(&spec);
        schemas.inline(spec.get("s11").unwrap());
        assert!(schemas.n_nodes.get() <= 2 * MAX_NODES);
    }
}
