//! `System.Xml.Linq.XContainer`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.xcontainer>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use tree::xml::{Content, Fault, Node};

use super::{
    ELEMENTS, NODES, ONE, SEVERAL, XELEMENT, XNAME, XNODE, adding, change, lazily, name,
    needed_name, node, value,
};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::XCONTAINER, MEMBERS).bases(&[XNODE]);

const MEMBERS: &[Member] = &[
    adding("Add", ONE, |args, cx| change(args, cx, |it, new| it.add(new)))
        .doc("Adds content at the end."),
    adding("Add", SEVERAL, |args, cx| change(args, cx, |it, new| it.add(new))),
    adding("AddFirst", ONE, |args, cx| change(args, cx, |it, new| it.add_first(new))),
    adding("AddFirst", SEVERAL, |args, cx| change(args, cx, |it, new| it.add_first(new))),
    adding("ReplaceNodes", ONE, |args, cx| change(args, cx, replace_nodes)),
    adding("ReplaceNodes", SEVERAL, |args, cx| change(args, cx, replace_nodes)),
    Member::method("RemoveNodes", &[], Type::Void, |args, _| {
        node(args, 0)?.remove_nodes();
        Ok(Value::Null)
    }),
    Member::property("FirstNode", XNODE, |args, _| {
        Ok(value(node(args, 0)?.nodes().into_iter().next()))
    }),
    Member::property("LastNode", XNODE, |args, _| Ok(value(node(args, 0)?.nodes().pop()))),
    Member::method("Nodes", &[], NODES, |args, _| {
        let it = node(args, 0)?;
        Ok(lazily(XNODE, move || it.nodes()))
    })
    .doc("The child nodes."),
    Member::method("DescendantNodes", &[], NODES, |args, _| {
        let it = node(args, 0)?;
        Ok(lazily(XNODE, move || it.descendants(false, false, None)))
    }),
    Member::method("Descendants", &[], ELEMENTS, descendants)
        .doc("All elements inside, in document order."),
    Member::method("Descendants", &[XNAME], ELEMENTS, descendants).params(&["name"]),
    Member::method("Elements", &[], ELEMENTS, elements).doc("The child elements."),
    Member::method("Elements", &[XNAME], ELEMENTS, elements).params(&["name"]),
    Member::method("Element", &[XNAME], XELEMENT, |args, _| {
        let name = needed_name(args, 1)?;
        Ok(value(node(args, 0)?.child(&name)))
    })
    .params(&["name"])
    .doc("The first child element of that name, or null."),
];

fn replace_nodes(it: &Node, new: Content) -> Result<(), Fault> {
    it.remove_nodes();
    it.add(new)
}

fn descendants(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, name) = (node(args, 0)?, name(args, 1));
    Ok(lazily(XELEMENT, move || it.descendants(false, true, name.as_ref())))
}

fn elements(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, name) = (node(args, 0)?, name(args, 1));
    Ok(lazily(XELEMENT, move || it.elements(name.as_ref())))
}

#[cfg(test)]
mod tests {
    use tree::xml::{ParseOptions, Root, parse};

    use super::replace_nodes;

    #[test]
    fn replacing_nodes_leaves_attributes() {
        let it = parse("<a x='1'><b/></a>", Root::Element, &ParseOptions::default()).unwrap();
        replace_nodes(&it, "t".into()).unwrap();
        assert_eq!(it.to_xml(false).unwrap(), "<a x=\"1\">t</a>");
    }
}
