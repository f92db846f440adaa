//! `System.Xml.Linq.XObject`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.xobject>

use clr::rows::{Member, TypeDef, count, integer_of, joined};
use clr::types::{Type, names};
use clr::value::Value;

use crate::annotations;

use super::enums::NODE_TYPE;
use super::{XDOCUMENT, XELEMENT, node, value};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::XOBJECT, MEMBERS);

const PARTS: &[&[Member]] = &[OWN, &annotations::MEMBERS];
static MEMBERS: &[Member] = &joined::<{ count(PARTS) }>(PARTS);

const OWN: &[Member] = &[
    Member::property("Parent", XELEMENT, |args, _| Ok(value(node(args, 0)?.parent())))
        .doc("The element that it is in."),
    Member::property("Document", XDOCUMENT, |args, _| Ok(value(node(args, 0)?.owner_document())))
        .doc("The document that it is in."),
    Member::property("NodeType", NODE_TYPE, |args, _| {
        Ok(integer_of(NODE_TYPE, node(args, 0)?.kind() as i64))
    }),
    Member::property("BaseUri", Type::String, |_, _| Ok(Value::EMPTY)),
];

#[cfg(test)]
mod tests {
    use super::TYPE;

    #[test]
    fn it_is_the_base_of_nodes_and_attributes() {
        assert!(TYPE.bases.is_empty());
        assert_eq!(TYPE.short_name(), "XObject");
    }
}
