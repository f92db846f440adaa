//! `XNodeEqualityComparer` and `XNodeDocumentOrderComparer`:
//! <https://learn.microsoft.com/dotnet/api/system.xml.linq.xnodeequalitycomparer>
//!
//! Each compares two nodes and has nothing else, so they share one file.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use clr::exception::Exception;
use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use corelib::collections::{Comparer, Rules};
use tree::xml::Node;

use super::{XNODE, node_of};

const EQUALITY_NAME: &str = "System.Xml.Linq.XNodeEqualityComparer";
const ORDER_NAME: &str = "System.Xml.Linq.XNodeDocumentOrderComparer";
/// `XNodeEqualityComparer`.
pub(super) const EQUALITY: Type = Type::named(EQUALITY_NAME);
/// `XNodeDocumentOrderComparer`.
pub(super) const ORDER: Type = Type::named(ORDER_NAME);

/// Nodes are equal if all that is in them is.
static DEEP: Rules = Rules {
    name: EQUALITY_NAME,
    equals: |a, b| match (node_of(a), node_of(b)) {
        (Some(a), Some(b)) => a.deep_equals(b),
        _ => a.is_null() && b.is_null(),
    },
    hash: |it| {
        let mut hasher = DefaultHasher::new();
        if let Some(it) = node_of(it) {
            it.name().map(|it| it.to_string()).hash(&mut hasher);
            it.value().hash(&mut hasher);
        }
        hasher.finish()
    },
    order: |_, _| Err(Exception::argument("At least one object must implement IComparable.")),
};

/// Nodes stand in the order of their document.
static PLACES: Rules = Rules {
    name: ORDER_NAME,
    equals: Value::is_same,
    hash: Value::hash_code,
    order: |a, b| match (node_of(a), node_of(b)) {
        (Some(a), Some(b)) if !top(a).is_same(&top(b)) => {
            Err(Exception::invalid_operation("A common ancestor is missing."))
        }
        (Some(a), Some(b)) => Ok(a.place().cmp(&b.place())),
        _ => Ok(b.is_null().cmp(&a.is_null())),
    },
};

/// The document or the outermost parent.
fn top(node: &Node) -> Node {
    let mut top = node.clone();
    while let Some(next) = top.container() {
        top = next;
    }
    top
}

/// `XNode.EqualityComparer`.
pub(super) fn equality() -> Value {
    Comparer::Rules(&DEEP).object(EQUALITY)
}

/// `XNode.DocumentOrderComparer`.
pub(super) fn order() -> Value {
    Comparer::Rules(&PLACES).object(ORDER)
}

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(
        EQUALITY_NAME,
        &[
            Member::constructor(&[], EQUALITY, |_, _| Ok(equality())),
            Member::method("Equals", &[XNODE, XNODE], Type::Bool, |args, cx| {
                let [_, a, b] = args.take()?;
                if let Some(it) = node_of(&a) {
                    cx.steps(1 + it.weight() as u64 / 96)?;
                }
                Ok((DEEP.equals)(&a, &b).into())
            })
            .params(&["x", "y"]),
        ],
    )
    .bases(&[Type::Named(names::IEQUALITYCOMPARER, &[XNODE])]),
    TypeDef::class(
        ORDER_NAME,
        &[
            Member::constructor(&[], ORDER, |_, _| Ok(order())),
            Member::method("Compare", &[XNODE, XNODE], Type::Int32, |args, _| {
                Ok(((PLACES.order)(args.value(1), args.value(2))? as i32).into())
            })
            .params(&["x", "y"]),
        ],
    )
    .bases(&[Type::Named(names::ICOMPARER, &[XNODE])]),
];

#[cfg(test)]
mod tests {
    use super::TYPES;

    #[test]
    fn both_compare_two_nodes() {
        for def in TYPES {
            assert_eq!(def.members[1].params.len(), 2);
        }
    }
}
