//! `XNodeEqualityComparer` and `XNodeDocumentOrderComparer`:
//! <https://learn.microsoft.com/dotnet/api/system.xml.linq.xnodeequalitycomparer>
//!
//! Each compares two nodes and has nothing else, so they share one file.

use clr::rows::{Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};

use super::XNODE;

const EQUALITY_NAME: &str = "System.Xml.Linq.XNodeEqualityComparer";
const ORDER_NAME: &str = "System.Xml.Linq.XNodeDocumentOrderComparer";
const EQUALITY: Type = Type::named(EQUALITY_NAME);
const ORDER: Type = Type::named(ORDER_NAME);

#[derive(Debug)]
struct Comparer(Type);

impl Object for Comparer {
    fn net_type(&self) -> Type {
        self.0
    }
}

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(
        EQUALITY_NAME,
        &[
            Member::constructor(&[], EQUALITY, |_, _| Ok(Value::object(Comparer(EQUALITY)))),
            Member::method("Equals", &[XNODE, XNODE], Type::Bool, |args, cx| {
                let [_, a, b] = args.take()?;
                Ok(match (super::node_of(&a), super::node_of(&b)) {
                    (Some(a), Some(b)) => {
                        cx.steps(1 + a.weight() as u64 / 96)?;
                        a.deep_equals(b)
                    }
                    _ => a.is_null() && b.is_null(),
                }
                .into())
            })
            .params(&["x", "y"]),
        ],
    ),
    TypeDef::class(
        ORDER_NAME,
        &[
            Member::constructor(&[], ORDER, |_, _| Ok(Value::object(Comparer(ORDER)))),
            Member::method("Compare", &[XNODE, XNODE], Type::Int32, |args, _| {
                let (a, b) = (super::node(args, 1)?, super::node(args, 2)?);
                Ok((a.place().cmp(&b.place()) as i32).into())
            })
            .params(&["x", "y"]),
        ],
    ),
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
