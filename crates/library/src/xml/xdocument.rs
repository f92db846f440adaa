//! `System.Xml.Linq.XDocument`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.xdocument>

use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use tree::xml::{Kind, Node, Root};

use corelib::text::reader::BASE_WRITER;

use super::enums::{LOAD, SAVE};
use super::xdeclaration::{self, XDECLARATION, XDeclaration};
use super::{XCONTAINER, XDOCUMENT, XELEMENT, contents, node, parse, save, value};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::XDOCUMENT, MEMBERS).bases(&[XCONTAINER]);

const MEMBERS: &[Member] = &[
    Member::constructor(&[], XDOCUMENT, |_, _| Ok(super::object(Node::document(None)))),
    Member::constructor(&[Type::Params(&Type::Object)], XDOCUMENT, |args, cx| {
        let made = Node::document(None);
        made.add(contents(args.value(0), cx)?)?;
        Ok(super::object(made))
    })
    .params(&["content"]),
    Member::constructor(&[XDECLARATION, Type::Params(&Type::Object)], XDOCUMENT, |args, cx| {
        let declaration = args.value(0).as_object::<XDeclaration>().map(XDeclaration::get);
        let made = Node::document(declaration);
        made.add(contents(args.value(1), cx)?)?;
        Ok(super::object(made))
    })
    .params(&["declaration", "content"]),
    Member::constructor(&[XDOCUMENT], XDOCUMENT, |args, cx| {
        let it = node(args, 0)?;
        cx.allocate(it.weight())?;
        Ok(super::object(it.deep_clone()?))
    })
    .params(&["other"]),
    Member::static_method("Parse", &[Type::String], XDOCUMENT, |args, cx| {
        parse(args, cx, Root::Document)
    })
    .params(&["text"])
    .doc("Reads an XML document."),
    Member::static_method("Parse", &[Type::String, LOAD], XDOCUMENT, |args, cx| {
        parse(args, cx, Root::Document)
    })
    .params(&["text", "options"]),
    Member::method("Save", &[BASE_WRITER], Type::Void, save).params(&["textWriter"]),
    Member::method("Save", &[BASE_WRITER, SAVE], Type::Void, save)
        .params(&["textWriter", "options"]),
    Member::property("Root", XELEMENT, |args, _| Ok(value(node(args, 0)?.root_element())))
        .doc("The element that holds all others."),
    Member::property("Declaration", XDECLARATION, |args, _| {
        let found = node(args, 0)?.declaration();
        Ok(found.map_or(Value::Null, |it| xdeclaration::value((*it).clone())))
    })
    .set(|args, _| {
        let new = args.value(1).as_object::<XDeclaration>().map(XDeclaration::get);
        node(args, 0)?.set_declaration(new);
        Ok(Value::Null)
    }),
    Member::property("DocumentType", super::xtext::XDOCUMENTTYPE, |args, _| {
        let nodes = node(args, 0)?.nodes();
        Ok(value(nodes.into_iter().find(|it| it.kind() == Kind::DocumentType)))
    }),
];

#[cfg(test)]
mod tests {
    use super::TYPE;

    #[test]
    fn documents_cannot_be_loaded() {
        assert!(TYPE.members.iter().all(|it| it.name != "Load"));
    }
}
