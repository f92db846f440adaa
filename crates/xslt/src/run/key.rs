//! `key()`: an index of a document, made when it is first asked for (XSLT 1.0, section 12.2).

use std::rc::Rc;
use std::sync::Arc;

use super::evaluate::in_order;
use super::{Focus, Index, Run};
use crate::document::{Kind, Node};
use crate::limits::Failure;
use crate::names::Key;
use crate::xpath::Value;

impl Run<'_> {
    pub(super) fn by_key(
        &mut self,
        name: Key,
        value: &Value,
        document: u32,
    ) -> Result<Value, Failure> {
        let index = self.index(name, document)?;
        let mut found: Vec<Node> = Vec::new();
        match value {
            Value::Nodes(nodes) => {
                for node in nodes.iter() {
                    self.budget.steps(1)?;
                    let text = self.string(*node)?;
                    found.extend(index.get(&*text).into_iter().flatten());
                }
            }
            other => {
                let text = self.text_of(other)?;
                found.extend(index.get(&*text).into_iter().flatten());
            }
        }
        self.budget.steps(found.len())?;
        in_order(&mut found);
        Ok(Value::nodes(found))
    }

    fn index(&mut self, name: Key, number: u32) -> Result<Rc<Index>, Failure> {
        match self.indexes.get(&(name, number)) {
            Some(Some(index)) => return Ok(Rc::clone(index)),
            Some(None) => {
                let name = self.names.text(name.local);
                return Err(Failure::broken(format!("the key `{name}` refers to itself")));
            }
            None => {}
        }
        let sheet = self.sheet;
        let Some(rules) = sheet.keys.get(&name) else {
            let name = self.names.text(name.local);
            return Err(Failure::broken(format!(
                "A reference to key '{name}' cannot be resolved. An 'xsl:key' of this name must be \
                 declared at the top level of the stylesheet."
            )));
        };
        self.indexes.insert((name, number), None);
        let root = Node::root(number);
        let document = self.document(root);
        let mut index = Index::new();
        for id in 0..document.len() {
            self.budget.steps(1)?;
            let node = root.with(id);
            for rule in rules {
                if document.kind(id) == Kind::Root || !self.matches(&rule.pattern, node)? {
                    continue;
                }
                // `current()` is the node, too.
                let focus = std::mem::replace(&mut self.focus, Focus::alone(node));
                let used = self.evaluate(&rule.used, Focus::alone(node));
                self.focus = focus;
                let mut add = |text: Arc<str>| {
                    let nodes = index.entry(text).or_default();
                    if nodes.last() != Some(&node) {
                        nodes.push(node);
                    }
                };
                match used? {
                    Value::Nodes(nodes) => {
                        for used in nodes.iter() {
                            add(self.string(*used)?);
                        }
                    }
                    other => add(self.text_of(&other)?),
                }
            }
        }
        let index = Rc::new(index);
        self.indexes.insert((name, number), Some(Rc::clone(&index)));
        Ok(index)
    }
}
