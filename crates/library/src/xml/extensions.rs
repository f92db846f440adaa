//! `System.Xml.Linq.Extensions`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.extensions>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use clr::value::sequence::Items;
use tree::xml::{Name, Node};

use super::{ATTRIBUTES, ELEMENTS, NODES, XATTRIBUTE, XCONTAINER, XELEMENT, XNAME, XNODE, name};

pub(crate) static TYPE: TypeDef = TypeDef::static_class("System.Xml.Linq.Extensions", MEMBERS);

const CONTAINERS: Type = Type::enumerable(&[XCONTAINER]);
const SOURCE: &[&str] = &["source", "name"];

const MEMBERS: &[Member] = &[
    Member::extension("Elements", &[CONTAINERS], ELEMENTS, elements).params(SOURCE),
    Member::extension("Elements", &[CONTAINERS, XNAME], ELEMENTS, elements).params(SOURCE),
    Member::extension("Descendants", &[CONTAINERS], ELEMENTS, descendants).params(SOURCE),
    Member::extension("Descendants", &[CONTAINERS, XNAME], ELEMENTS, descendants).params(SOURCE),
    Member::extension("DescendantsAndSelf", &[ELEMENTS], ELEMENTS, descendants_and_self)
        .params(SOURCE),
    Member::extension("DescendantsAndSelf", &[ELEMENTS, XNAME], ELEMENTS, descendants_and_self)
        .params(SOURCE),
    Member::extension("DescendantNodes", &[CONTAINERS], NODES, |args, cx| {
        flat(args, cx, XNODE, |it, _| it.descendants(false, false, None))
    })
    .params(SOURCE),
    Member::extension("DescendantNodesAndSelf", &[ELEMENTS], NODES, |args, cx| {
        flat(args, cx, XNODE, |it, _| it.descendants(true, false, None))
    })
    .params(SOURCE),
    Member::extension("Nodes", &[CONTAINERS], NODES, |args, cx| {
        flat(args, cx, XNODE, |it, _| it.nodes())
    })
    .params(SOURCE),
    Member::extension("Attributes", &[ELEMENTS], ATTRIBUTES, attributes).params(SOURCE),
    Member::extension("Attributes", &[ELEMENTS, XNAME], ATTRIBUTES, attributes).params(SOURCE),
    Member::extension("Ancestors", &[NODES], ELEMENTS, ancestors).params(SOURCE),
    Member::extension("Ancestors", &[NODES, XNAME], ELEMENTS, ancestors).params(SOURCE),
    Member::extension("AncestorsAndSelf", &[ELEMENTS], ELEMENTS, ancestors_and_self).params(SOURCE),
    Member::extension("AncestorsAndSelf", &[ELEMENTS, XNAME], ELEMENTS, ancestors_and_self)
        .params(SOURCE),
    Member::extension("InDocumentOrder", &[NODES], NODES, |args, _| {
        let [source] = args.take()?;
        Ok(Value::sequence(XNODE, move |cx| {
            let mut items = source.collect(cx)?;
            items.sort_by_cached_key(|it| super::node_of(it).map(Node::place));
            Ok(Box::new(Items::new(items)))
        }))
    })
    .params(SOURCE),
    Member::extension("Remove", &[ATTRIBUTES], Type::Void, remove).params(SOURCE),
    Member::extension("Remove", &[NODES], Type::Void, remove).params(SOURCE),
];

/// For each node of a sequence several others, lazily.
fn flat(
    args: &mut Args<'_>,
    _: &mut EvalCx<'_>,
    element: Type,
    find: fn(&Node, Option<&Name>) -> Vec<Node>,
) -> Result<Value, Exception> {
    let name = name(args, 1);
    let source = args.value(0).clone();
    if source.is_null() {
        return Err(Exception::argument_null("source"));
    }
    Ok(Value::sequence(element, move |cx| {
        let mut found = Vec::new();
        for value in source.collect(cx)? {
            if let Some(node) = super::node_of(&value) {
                let before = found.len();
                found.extend(find(node, name.as_ref()).into_iter().map(super::object));
                cx.steps(1 + (found.len() - before) as u64)?;
            }
        }
        cx.allocate(found.len() * super::NODE_BYTES)?;
        Ok(Box::new(Items::new(found)))
    }))
}

fn elements(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    flat(args, cx, XELEMENT, Node::elements)
}

fn descendants(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    flat(args, cx, XELEMENT, |it, name| it.descendants(false, true, name))
}

fn descendants_and_self(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    flat(args, cx, XELEMENT, |it, name| it.descendants(true, true, name))
}

fn attributes(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    flat(args, cx, XATTRIBUTE, Node::attributes)
}

fn ancestors(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    flat(args, cx, XELEMENT, |it, name| it.ancestors(false, name))
}

fn ancestors_and_self(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    flat(args, cx, XELEMENT, |it, name| it.ancestors(true, name))
}

fn remove(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let [source] = args.take()?;
    for value in source.collect(cx)? {
        if let Some(node) = super::node_of(&value) {
            node.remove()?;
        }
    }
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::types::Type;
    use clr::value::Value;
    use tree::xml::{ParseOptions, Root, parse};

    use super::remove;
    use crate::test_support::with_cx;

    #[test]
    fn all_nodes_of_a_sequence_are_removed() {
        let root = parse("<a><b/><c/></a>", Root::Element, &ParseOptions::default()).unwrap();
        let nodes = root.nodes().into_iter().map(crate::xml::object).collect();
        let row = super::MEMBERS.iter().rfind(|it| it.name == "Remove").unwrap();
        let mut values = [Value::list(super::XNODE, nodes)];
        with_cx(|cx| {
            remove(&mut Args::new(row, &mut values, &[], &[], Type::Void), cx).unwrap();
        });
        assert_eq!(root.to_xml(false).unwrap(), "<a />");
    }
}
