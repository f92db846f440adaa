//! Rendering: what it carries along, and the result that grows within its bound.

use std::collections::HashMap;

use dotnet::Str;

use crate::error::{At, Failed, Stop};
use crate::limits::Budget;
use crate::node::{Flow, Node};
use crate::value::Value;

/// The text that is being made.
#[derive(Debug, Default)]
pub(crate) struct Out(String);

impl Out {
    /// Adds text.
    pub(crate) fn push(&mut self, text: &str, cx: &RenderCx<'_>) -> Result<(), Stop> {
        if self.0.len().saturating_add(text.len()) > cx.budget.output_bytes {
            return Err(Stop::Output(cx.budget.output_bytes));
        }
        self.0.push_str(text);
        Ok(())
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// What a rendering carries along.
pub(crate) struct RenderCx<'a> {
    /// What the template is given.
    pub(crate) given: &'a [(&'a str, Value)],
    /// What `assign` and `capture` stored.
    pub(crate) assigned: Vec<(Str, Value)>,
    /// What loops store, the innermost last.
    pub(crate) scopes: Vec<(Str, Value)>,
    /// What `increment` and `decrement` count.
    pub(crate) counters: Vec<(Str, i32)>,
    /// Which value of a cycle is next.
    pub(crate) cycles: HashMap<Str, usize>,
    /// Where loops with `offset: continue` go on.
    pub(crate) offsets: HashMap<Str, usize>,
    /// What the last `ifchanged` wrote.
    pub(crate) last_changed: Option<Str>,
    pub(crate) budget: Budget,
    /// The time, in ticks.
    pub(crate) now: i64,
}

impl<'a> RenderCx<'a> {
    pub(crate) fn new(given: &'a [(&'a str, Value)], budget: Budget, now: i64) -> RenderCx<'a> {
        RenderCx {
            given,
            assigned: Vec::new(),
            scopes: Vec::new(),
            counters: Vec::new(),
            cycles: HashMap::new(),
            offsets: HashMap::new(),
            last_changed: None,
            budget,
            now,
        }
    }

    /// Writes nodes, one after the other.
    pub(crate) fn render(&mut self, nodes: &[Node], out: &mut Out) -> Result<Flow, Failed> {
        for node in nodes {
            match node {
                Node::Text(text) => out.push(text, self).at(0)?,
                Node::Output(computed) => {
                    self.budget.steps(1).at(computed.at)?;
                    let value = computed.get(self)?;
                    self.write(&value, out).at(computed.at)?;
                }
                Node::Tag(tag) => {
                    let flow = tag.render(out, self)?;
                    if flow != Flow::Next {
                        return Ok(flow);
                    }
                }
            }
        }
        Ok(Flow::Next)
    }

    /// Writes nodes into a text of their own.
    pub(crate) fn capture(&mut self, nodes: &[Node]) -> Result<(Flow, String), Failed> {
        let mut out = Out::default();
        let flow = self.render(nodes, &mut out)?;
        let text = out.into_text();
        self.budget.makes(text.len()).at(0)?;
        Ok((flow, text))
    }

    fn write(&mut self, value: &Value, out: &mut Out) -> Result<(), Stop> {
        match value {
            Value::Text(text) => out.push(text.as_str(), self),
            value => {
                self.budget.makes(value.weight())?;
                let text = value.to_output();
                self.budget.looks_at(text.len())?;
                out.push(text.as_str(), self)
            }
        }
    }

    /// Stores a value for the rest of the template.
    pub(crate) fn assign(&mut self, name: &Str, value: Value) {
        match self.assigned.iter_mut().find(|it| it.0 == *name) {
            Some(slot) => slot.1 = value,
            None => self.assigned.push((name.clone(), value)),
        }
    }
}
