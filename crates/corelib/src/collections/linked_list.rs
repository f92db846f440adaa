//! `System.Collections.Generic.LinkedList<T>` and its nodes:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.linkedlist-1>
//!
//! Not on Azure's list; there where the options widen it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{self, Type, names};
use clr::value::{Cursor, Object, Value};

use super::{any, enumerator};

const LIST: &str = "System.Collections.Generic.LinkedList";
const NODE: &str = "System.Collections.Generic.LinkedListNode";
const OWN: Type = Type::Named(LIST, &[Type::T]);
const OWN_NODE: Type = Type::Named(NODE, &[Type::T]);
const ITEMS: Type = Type::Named(names::IENUMERABLE, &[Type::T]);

pub(crate) const TYPES: &[TypeDef] = &[
    TypeDef::class(LIST, MEMBERS)
        .generic(1)
        .bases(&[Type::Named(names::IREADONLYCOLLECTION, &[Type::T])])
        .unlisted(),
    TypeDef::class(NODE, NODE_MEMBERS).generic(1).unlisted(),
];

#[derive(Debug)]
struct LinkedList {
    element: Type,
    /// The nodes in order, and how often they were changed.
    nodes: Mutex<(Vec<Arc<Node>>, u64)>,
}

#[derive(Debug)]
struct Node {
    element: Type,
    value: Mutex<Value>,
    list: Mutex<Weak<LinkedList>>,
}

impl Node {
    fn value(&self) -> Value {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn list(&self) -> Option<Arc<LinkedList>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }
}

impl LinkedList {
    fn nodes(&self) -> MutexGuard<'_, (Vec<Arc<Node>>, u64)> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn node(&self, at: Option<usize>) -> Value {
        let node = at.and_then(|at| self.nodes().0.get(at).map(Arc::clone));
        node.map_or(Value::Null, |it| Value::Object(it))
    }

    fn place(&self, node: &Arc<Node>) -> Result<usize, Exception> {
        let found = self.nodes().0.iter().position(|it| Arc::ptr_eq(it, node));
        found.ok_or_else(|| {
            Exception::invalid_operation(
                "The LinkedList node does not belong to current LinkedList.",
            )
        })
    }

    fn insert(self: &Arc<Self>, at: usize, value: Value) -> Value {
        let list = Mutex::new(Arc::downgrade(self));
        let node = Arc::new(Node { element: self.element, value: Mutex::new(value), list });
        let mut nodes = self.nodes();
        nodes.1 += 1;
        let at = at.min(nodes.0.len());
        nodes.0.insert(at, Arc::clone(&node));
        Value::Object(node)
    }

    fn remove(&self, at: usize) {
        let mut nodes = self.nodes();
        if at < nodes.0.len() {
            nodes.1 += 1;
            let node = nodes.0.remove(at);
            drop(nodes);
            *node.list.lock().unwrap_or_else(PoisonError::into_inner) = Weak::new();
        }
    }

    fn find(&self, value: &Value, cx: &mut EvalCx<'_>) -> Result<Option<usize>, Exception> {
        let nodes = self.nodes().0.clone();
        cx.steps(nodes.len() as u64)?;
        Ok(nodes.iter().position(|it| it.value().equals(value)))
    }
}

impl Object for LinkedList {
    fn net_type(&self) -> Type {
        types::named(LIST, &[self.element])
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        let version = self.nodes().1;
        Ok(Some(Box::new(Nodes { list: self, version, at: 0 })))
    }
}

impl Object for Node {
    fn net_type(&self) -> Type {
        types::named(NODE, &[self.element])
    }
}

struct Nodes {
    list: Arc<LinkedList>,
    version: u64,
    at: usize,
}

impl Cursor for Nodes {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        let nodes = self.list.nodes();
        if nodes.1 != self.version {
            return Err(super::modified());
        }
        self.at += 1;
        Ok(nodes.0.get(self.at - 1).map(|it| it.value()))
    }
}

fn made(element: Type, items: Vec<Value>) -> Value {
    let list = Arc::new(LinkedList { element, nodes: Mutex::default() });
    for (at, item) in items.into_iter().enumerate() {
        list.insert(at, item);
    }
    Value::Object(list)
}

fn list(args: &mut Args<'_>) -> Result<Arc<LinkedList>, Exception> {
    args.arg::<Arc<LinkedList>>(0)
}

fn empty() -> Exception {
    Exception::invalid_operation("The LinkedList is empty.")
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], OWN, |args, _| Ok(made(args.type_arg(0), Vec::new()))),
    Member::constructor(&[ITEMS], OWN, |args, cx| {
        let items = any::items(args.value(0), "collection", cx)?;
        Ok(made(args.type_arg(0), items))
    })
    .params(&["collection"]),
    Member::property("Count", Type::Int32, |args, _| Ok(any::length(list(args)?.nodes().0.len()))),
    Member::property("First", OWN_NODE, |args, _| Ok(list(args)?.node(Some(0)))),
    Member::property("Last", OWN_NODE, |args, _| {
        let it = list(args)?;
        let last = it.nodes().0.len().checked_sub(1);
        Ok(it.node(last))
    }),
    Member::method("AddFirst", &[Type::T], OWN_NODE, |args, cx| {
        cx.allocate(size_of::<Node>())?;
        Ok(list(args)?.insert(0, args.value(1).clone()))
    })
    .params(&["value"]),
    Member::method("AddLast", &[Type::T], OWN_NODE, |args, cx| {
        cx.allocate(size_of::<Node>())?;
        Ok(list(args)?.insert(usize::MAX, args.value(1).clone()))
    })
    .params(&["value"]),
    Member::method("AddBefore", &[OWN_NODE, Type::T], OWN_NODE, |args, cx| beside(args, cx, 0))
        .params(&["node", "value"]),
    Member::method("AddAfter", &[OWN_NODE, Type::T], OWN_NODE, |args, cx| beside(args, cx, 1))
        .params(&["node", "value"]),
    Member::method("Remove", &[Type::T], Type::Bool, |args, cx| {
        let it = list(args)?;
        let found = it.find(args.value(1), cx)?;
        found.into_iter().for_each(|at| it.remove(at));
        Ok(found.is_some().into())
    })
    .params(&["value"]),
    Member::method("Remove", &[OWN_NODE], Type::Void, |args, _| {
        let (it, node): (Arc<LinkedList>, Arc<Node>) = args.get()?;
        let at = it.place(&node)?;
        it.remove(at);
        Ok(Value::Null)
    })
    .params(&["node"]),
    Member::method("RemoveFirst", &[], Type::Void, |args, _| {
        let it = list(args)?;
        if it.nodes().0.is_empty() {
            return Err(empty());
        }
        it.remove(0);
        Ok(Value::Null)
    }),
    Member::method("RemoveLast", &[], Type::Void, |args, _| {
        let it = list(args)?;
        let last = it.nodes().0.len().checked_sub(1).ok_or_else(empty)?;
        it.remove(last);
        Ok(Value::Null)
    }),
    Member::method("Contains", &[Type::T], Type::Bool, |args, cx| {
        let it = list(args)?;
        Ok(it.find(args.value(1), cx)?.is_some().into())
    })
    .params(&["value"]),
    Member::method("Find", &[Type::T], OWN_NODE, |args, cx| {
        let it = list(args)?;
        let found = it.find(args.value(1), cx)?;
        Ok(found.map_or(Value::Null, |at| it.node(Some(at))))
    })
    .params(&["value"]),
    Member::method("Clear", &[], Type::Void, |args, _| {
        let it = list(args)?;
        let count = it.nodes().0.len();
        (0..count).rev().for_each(|at| it.remove(at));
        Ok(Value::Null)
    }),
    Member::method(
        "GetEnumerator",
        &[],
        Type::Named(names::IENUMERATOR, &[Type::T]),
        enumerator::start,
    ),
];

fn beside(args: &mut Args<'_>, cx: &mut EvalCx<'_>, after: usize) -> Result<Value, Exception> {
    cx.allocate(size_of::<Node>())?;
    let (it, node, value): (Arc<LinkedList>, Arc<Node>, Value) = args.get()?;
    let at = it.place(&node)?;
    Ok(it.insert(at + after, value))
}

/// The node so many places further on.
fn neighbour(args: &mut Args<'_>, step: isize) -> Result<Value, Exception> {
    let node = args.arg::<Arc<Node>>(0)?;
    let Some(list) = node.list() else { return Ok(Value::Null) };
    let at = list.place(&node)?.checked_add_signed(step);
    Ok(at.map_or(Value::Null, |at| list.node(Some(at))))
}

const NODE_MEMBERS: &[Member] = &[
    Member::property("Value", Type::T, |args, _| Ok(args.arg::<Arc<Node>>(0)?.value())).set(
        |args, _| {
            let (node, value): (Arc<Node>, Value) = args.get()?;
            *node.value.lock().unwrap_or_else(PoisonError::into_inner) = value;
            Ok(Value::Null)
        },
    ),
    Member::property("Next", OWN_NODE, |args, _| neighbour(args, 1)),
    Member::property("Previous", OWN_NODE, |args, _| neighbour(args, -1)),
    Member::property("List", OWN, |args, _| {
        let list = args.arg::<Arc<Node>>(0)?.list();
        Ok(list.map_or(Value::Null, |it| Value::Object(it)))
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn nodes_know_their_place_until_they_are_removed() {
        with_cx(|cx| {
            let value = made(Type::Int32, vec![1.into(), 2.into(), 3.into()]);
            let list = value.to_object::<LinkedList>().unwrap();
            let node = list.node(Some(1)).to_object::<Node>().unwrap();
            assert_eq!(list.place(&node).unwrap(), 1);
            list.remove(1);
            assert!(list.place(&node).is_err() && node.list().is_none());
            assert_eq!(value.collect(cx).unwrap().len(), 2);
        });
    }
}
