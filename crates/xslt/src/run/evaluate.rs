//! Evaluating expressions: paths, predicates, operators.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::{Focus, Run};
use crate::document::{Kind, Node};
use crate::limits::Failure;
use crate::xpath::{
    Arithmetic, Axis, Comparison, Expr, Predicate, Start, Step, Value, number_of, number_text,
    parse_number,
};

/// Expressions inside of expressions, those of global variables and keys that they wait for
/// included. It bounds what evaluation takes of the thread's stack.
const MAX_NESTING: usize = 200;

impl<'s> Run<'s> {
    /// The value of an expression.
    pub(super) fn evaluate(&mut self, expr: &'s Expr, focus: Focus) -> Result<Value, Failure> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            let message = format!("expressions nest more than {MAX_NESTING} levels deep");
            return Err(Failure::Limit(message));
        }
        let value = self.value(expr, focus);
        self.nesting -= 1;
        value
    }

    fn value(&mut self, expr: &'s Expr, focus: Focus) -> Result<Value, Failure> {
        self.budget.steps(1)?;
        Ok(match expr {
            Expr::Number(it) => Value::Number(*it),
            Expr::Text(it) => Value::Text(Arc::clone(it)),
            Expr::Local(place) => self.local(*place),
            Expr::Global(place) => self.global(*place as usize)?,
            Expr::Or(all) => Value::Boolean(self.any_is(all, true, focus)?),
            Expr::And(all) => Value::Boolean(!self.any_is(all, false, focus)?),
            Expr::Compare(comparison, two) => {
                Value::Boolean(self.comparison(*comparison, two, focus)?)
            }
            Expr::Arithmetic(..) => Value::Number(self.arithmetic(expr, focus)?),
            Expr::Negate(one) => Value::Number(-self.number(one, focus)?),
            Expr::Union(all) => self.union(all, focus)?,
            Expr::Path(start, steps) => Value::nodes(self.path(start, steps, focus)?),
            Expr::Filter(base, predicates) => self.filtered(base, predicates, focus)?,
            Expr::Call(function, arguments) => self.call(*function, arguments, focus)?,
            Expr::Named(function, arguments, spaces) => {
                self.call_named(*function, arguments, spaces, focus)?
            }
            Expr::Unknown(name) => {
                return Err(Failure::broken(format!("there is no function `{name}()`")));
            }
        })
    }

    /// Is one of them so?
    fn any_is(&mut self, all: &'s [Expr], wanted: bool, focus: Focus) -> Result<bool, Failure> {
        for one in all {
            if self.boolean(one, focus)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn comparison(
        &mut self,
        comparison: Comparison,
        two: &'s (Expr, Expr),
        focus: Focus,
    ) -> Result<bool, Failure> {
        let a = self.evaluate(&two.0, focus)?;
        let b = self.evaluate(&two.1, focus)?;
        self.compare(comparison, &a, &b)
    }

    /// A chain of operators that is grouped from the left, without recursion along it.
    fn arithmetic(&mut self, expr: &'s Expr, focus: Focus) -> Result<f64, Failure> {
        let (mut chain, mut first) = (Vec::new(), expr);
        while let Expr::Arithmetic(arithmetic, two) = first {
            chain.push((*arithmetic, &two.1));
            first = &two.0;
        }
        let mut a = self.number(first, focus)?;
        for (arithmetic, right) in chain.into_iter().rev() {
            let b = self.number(right, focus)?;
            a = match arithmetic {
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                Arithmetic::Divide => a / b,
                Arithmetic::Remainder => a % b,
            };
        }
        Ok(a)
    }

    fn union(&mut self, all: &'s [Expr], focus: Focus) -> Result<Value, Failure> {
        let mut nodes = Vec::new();
        for one in all {
            let more = self.nodes(one, focus)?;
            self.budget.steps(more.len())?;
            nodes.extend(more.iter());
        }
        in_order(&mut nodes);
        Ok(Value::nodes(nodes))
    }

    fn filtered(
        &mut self,
        base: &'s Expr,
        predicates: &'s [Predicate],
        focus: Focus,
    ) -> Result<Value, Failure> {
        let mut nodes = self.nodes(base, focus)?.as_ref().clone();
        for predicate in predicates {
            self.filter(&mut nodes, 0, predicate)?;
        }
        Ok(Value::nodes(nodes))
    }

    pub(super) fn boolean(&mut self, expr: &'s Expr, focus: Focus) -> Result<bool, Failure> {
        if let Some(node) = self.simple_node(expr, focus)? {
            return Ok(node.is_some());
        }
        Ok(self.evaluate(expr, focus)?.as_boolean())
    }

    pub(super) fn number(&mut self, expr: &'s Expr, focus: Focus) -> Result<f64, Failure> {
        if let Expr::Number(it) = expr {
            return Ok(*it);
        }
        let value = self.evaluate(expr, focus)?;
        self.number_of(&value)
    }

    pub(super) fn number_of(&mut self, value: &Value) -> Result<f64, Failure> {
        match value {
            Value::Nodes(nodes) => match nodes.first() {
                Some(node) => Ok(parse_number(&self.string(*node)?)),
                None => Ok(f64::NAN),
            },
            other => Ok(other.plain_number().unwrap_or(f64::NAN)),
        }
    }

    /// The text of an expression's value.
    pub(super) fn text(&mut self, expr: &'s Expr, focus: Focus) -> Result<Arc<str>, Failure> {
        match self.simple_node(expr, focus)? {
            Some(Some(node)) => self.string(node),
            Some(None) => Ok(Arc::from("")),
            None => {
                let value = self.evaluate(expr, focus)?;
                self.text_of(&value)
            }
        }
    }

    pub(super) fn text_of(&mut self, value: &Value) -> Result<Arc<str>, Failure> {
        let text = match value {
            Value::Nodes(nodes) => match nodes.first() {
                Some(node) => self.string(*node)?,
                None => Arc::from(""),
            },
            Value::Number(it) => Arc::from(number_text(*it)),
            other => other.plain_text().unwrap_or_else(|| Arc::from("")),
        };
        self.budget.text(text.len())?;
        Ok(text)
    }

    /// The string-value of a node.
    pub(super) fn string(&mut self, node: Node) -> Result<Arc<str>, Failure> {
        let document = self.document(node);
        if node.space != 0 {
            return Ok(Arc::from(self.names.text(document.declaration(node.space).1)));
        }
        // What an element holds has to be walked through.
        let n_inner = document.end(node.id).saturating_sub(node.id) as usize;
        self.budget.steps(n_inner / 8)?;
        let text = document.string(node.id);
        self.budget.steps(text.len() / 64)?;
        Ok(match text {
            Cow::Borrowed(text) => Arc::from(text),
            Cow::Owned(text) => Arc::from(text),
        })
    }

    /// The nodes of an expression.
    pub(super) fn nodes(&mut self, expr: &'s Expr, focus: Focus) -> Result<Rc<Vec<Node>>, Failure> {
        match self.evaluate(expr, focus)? {
            Value::Nodes(nodes) => Ok(nodes),
            Value::Fragment(_) => Err(Failure::broken(
                "To use a result tree fragment in a path expression, first convert it to a \
                 node-set using the msxsl:node-set() function.",
            )),
            other => {
                let kind = other.kind();
                Err(Failure::broken(format!("a node-set is needed here, not a {kind}")))
            }
        }
    }

    /// The first node of a path of one plain step, without making a list of them.
    pub(super) fn simple_node(
        &mut self,
        expr: &'s Expr,
        focus: Focus,
    ) -> Result<Option<Option<Node>>, Failure> {
        let Expr::Path(Start::Context, steps) = expr else { return Ok(None) };
        let [Step { axis, test, predicates }] = steps.as_slice() else { return Ok(None) };
        if !predicates.is_empty() {
            return Ok(None);
        }
        let node = focus.node;
        let document = self.document(node);
        let kind = document.kind_of(node);
        let fits = |id: &u32| document.fits(node.with(*id), *axis, *test);
        let found = match axis {
            Axis::Own => {
                self.budget.steps(1)?;
                return Ok(Some(Some(node).filter(|it| document.fits(*it, *axis, *test))));
            }
            Axis::Attribute if kind == Kind::Element => document.attributes(node.id).find(fits),
            Axis::Child if matches!(kind, Kind::Element | Kind::Root) => {
                let mut n_seen = 0;
                let found = document.children(node.id).inspect(|_| n_seen += 1).find(fits);
                self.budget.steps(n_seen)?;
                found
            }
            Axis::Attribute | Axis::Child => None,
            _ => return Ok(None),
        };
        self.budget.steps(1)?;
        Ok(Some(found.map(|it| node.with(it))))
    }

    fn path(
        &mut self,
        start: &'s Start,
        steps: &'s [Step],
        focus: Focus,
    ) -> Result<Vec<Node>, Failure> {
        let mut nodes = match start {
            Start::Context => vec![focus.node],
            Start::Root => vec![Node::root(focus.node.document)],
            Start::Of(base) => self.nodes(base, focus)?.as_ref().clone(),
        };
        for step in steps {
            nodes = self.walk(&nodes, step)?;
        }
        Ok(nodes)
    }

    /// One step from each of some nodes.
    fn walk(&mut self, from: &[Node], step: &'s Step) -> Result<Vec<Node>, Failure> {
        let mut found = Vec::new();
        for node in from {
            let mark = found.len();
            let document = self.document(*node);
            let n_seen = document.walk(*node, step.axis, step.test, &mut found);
            self.budget.steps(n_seen + 1)?;
            for predicate in &step.predicates {
                self.filter(&mut found, mark, predicate)?;
            }
            if step.axis.is_reverse()
                && let Some(own) = found.get_mut(mark..)
            {
                own.reverse();
            }
        }
        if from.len() > 1 {
            self.budget.steps(found.len())?;
            in_order(&mut found);
        }
        Ok(found)
    }

    /// Keeps, from one place on, the nodes that a predicate lets pass.
    pub(super) fn filter(
        &mut self,
        nodes: &mut Vec<Node>,
        from: usize,
        predicate: &'s Predicate,
    ) -> Result<(), Failure> {
        let size = nodes.len() - from;
        if let Expr::Number(wanted) = predicate.expr {
            let at = (1..=size).find(|it| number_of(*it) == wanted);
            if let Some(at) = at {
                nodes.swap(from, from + at - 1);
            }
            nodes.truncate(from + usize::from(at.is_some()));
            return Ok(());
        }
        let mut kept = from;
        for at in 0..size {
            let Some(node) = nodes.get(from + at).copied() else { break };
            let focus = Focus { node, position: at + 1, size };
            let keeps = match predicate.is_positional {
                false => self.boolean(&predicate.expr, focus)?,
                true => match self.evaluate(&predicate.expr, focus)? {
                    Value::Number(it) => it == number_of(at + 1),
                    other => other.as_boolean(),
                },
            };
            if keeps {
                nodes.swap(kept, from + at);
                kept += 1;
            }
        }
        nodes.truncate(kept);
        Ok(())
    }
}

/// Document order, each node once.
pub(super) fn in_order(nodes: &mut Vec<Node>) {
    if !nodes.is_sorted_by(|a, b| a < b) {
        nodes.sort_unstable();
        nodes.dedup();
    }
}
