//! Running a stylesheet: a machine with its own stack.
//!
//! ```text
//! frames: Body, Each, Apply, Return ...   what is to be done, innermost last
//! out:    the tree that is being made     (outer: those that wait for it)
//! ```
//!
//! Instructions push frames instead of calling each other, so the depth of templates costs memory
//! and not stack, and a call in last place takes the place of its caller. Only expressions are
//! evaluated by recursion, and those nest no deeper than their text ([`evaluate`]).

mod call;
mod compare;
mod construct;
mod evaluate;
mod format_number;
mod frame;
mod instruction;
mod key;
mod matching;
mod numbering;
mod numerals;
mod sort;
mod strings;
mod tree;
mod variable;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::document::{Document, Node, Options, parse};
use crate::limits::{Budget, Failure, Limits};
use crate::names::{Key, Names};
use crate::pattern::{NO_MODE, Rules};
use crate::sheet::{Body, Sheet};
use crate::write;
use crate::xpath::Value;
use frame::Frame;
use tree::Tree;

/// The node that an expression or instruction is about, and where it is in its list.
#[derive(Clone, Copy, Debug)]
struct Focus {
    node: Node,
    position: usize,
    size: usize,
}

impl Focus {
    fn alone(node: Node) -> Self {
        Self { node, position: 1, size: 1 }
    }
}

/// Values of parameters that a template is given.
type Params = Rc<Vec<(Key, Value)>>;

/// Values by key.
type Index = HashMap<Arc<str>, Vec<Node>>;

/// A global variable.
enum Global {
    Waiting,
    Running,
    Done(Value),
}

/// One run.
struct Run<'s> {
    sheet: &'s Sheet,
    names: Names,
    /// The document, and trees that `node-set()` has made nodes of.
    documents: Vec<Rc<Document>>,
    budget: Budget,
    focus: Focus,
    /// Variables of all templates that run; those of the innermost from `base` on.
    locals: Vec<Value>,
    base: usize,
    params: Params,
    /// The rules of the mode at hand.
    rules: Option<&'s Rules>,
    globals: Vec<Global>,
    given: Vec<(Key, Arc<str>)>,
    frames: Vec<Frame<'s>>,
    /// Byte of the stylesheet where the instruction at hand stands.
    at: usize,
    /// Templates inside of templates.
    depth: usize,
    out: Tree,
    outer: Vec<Tree>,
    /// Expressions inside of expressions.
    nesting: usize,
    indexes: HashMap<(Key, u32), Option<Rc<Index>>>,
    messages: Vec<String>,
    no_params: Params,
}

/// Transforms a document.
pub(crate) fn transform(
    sheet: &Sheet,
    document: &str,
    params: &[(&str, &str)],
    limits: &Limits,
) -> Result<crate::Output, Failure> {
    let mut names = Names::on(&sheet.names);
    let options =
        Options { max_nodes: limits.max_nodes, keeps: sheet.keeps.as_ref(), places: false };
    let document = parse(document, &mut names, &options).map_err(|it| match it.is_limit {
        true => Failure::Limit(it.message),
        false => Failure::Malformed(it.message),
    })?;
    let given = params
        .iter()
        .map(|(name, value)| {
            let key = Key { local: names.atom(name), ..Key::default() };
            (key, Arc::from(*value))
        })
        .collect();
    let no_params: Params = Rc::new(Vec::new());
    let mut budget = Budget::new(limits);
    budget.nodes(document.len() as usize)?;
    let mut run = Run {
        sheet,
        names,
        documents: vec![Rc::new(document)],
        budget,
        focus: Focus::alone(Node::root(0)),
        locals: Vec::new(),
        base: 0,
        params: Rc::clone(&no_params),
        rules: sheet.modes.get(&NO_MODE),
        globals: sheet.globals.iter().map(|_| Global::Waiting).collect(),
        given,
        frames: Vec::new(),
        at: 0,
        depth: 0,
        out: Tree::new(),
        outer: Vec::new(),
        nesting: 0,
        indexes: HashMap::new(),
        messages: Vec::new(),
        no_params,
    };
    run.whole()?;
    let tree = run.out.finish();
    let (method, text) = write::write(&tree, &run.names, &sheet.output, limits.max_output_bytes)?;
    let encoding = sheet.output.encoding;
    let bytes = write::encoded(text, encoding);
    Ok(crate::Output { bytes, method, encoding, messages: run.messages })
}

impl<'s> Run<'s> {
    /// Global variables, then the rules from the root on.
    fn whole(&mut self) -> Result<(), Failure> {
        // All are computed, as in .NET, also those that nothing refers to.
        for place in 0..self.globals.len() {
            self.global(place)?;
        }
        let root = Rc::new(vec![Node::root(0)]);
        let params = Rc::clone(&self.no_params);
        self.push_apply(root, self.rules, params)?;
        self.drive(0)
    }

    /// Runs until so many frames are left.
    fn drive(&mut self, floor: usize) -> Result<(), Failure> {
        while self.frames.len() > floor {
            self.step()?;
        }
        Ok(())
    }

    fn document(&self, node: Node) -> Rc<Document> {
        let found = self.documents.get(node.document as usize).or(self.documents.first());
        found.map_or_else(|| Rc::new(crate::document::Builder::new().finish()), Rc::clone)
    }

    fn push_body(&mut self, body: &'s Body) {
        if !body.is_empty() {
            self.frames.push(Frame::Body(body, 0));
        }
    }

    /// One level deeper.
    fn deeper(&mut self) -> Result<(), Failure> {
        self.depth += 1;
        let most = self.budget.limits().max_depth;
        if self.depth > most {
            return Err(Failure::Limit(format!("templates nest more than {most} levels deep")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
