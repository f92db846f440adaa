//! `System.Xml.Linq.XNode`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.xnode>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use tree::xml::{Kind, Node};

use super::comparers;
use super::enums::SAVE;
use super::{ELEMENTS, NODES, ONE, SEVERAL, XNODE, adding, change, lazily, name, node, value};

pub(crate) static TYPE: TypeDef =
    TypeDef::class(names::XNODE, MEMBERS).bases(&[Type::named(names::XOBJECT)]);

const XNAME: Type = super::XNAME;

const MEMBERS: &[Member] = &[
    Member::static_method("DeepEquals", &[XNODE, XNODE], Type::Bool, |args, cx| {
        let [a, b] = args.take()?;
        Ok(match (super::node_of(&a), super::node_of(&b)) {
            (Some(a), Some(b)) => {
                cx.steps(1 + a.weight() as u64 / 96)?;
                a.deep_equals(b)
            }
            _ => a.is_null() && b.is_null(),
        }
        .into())
    })
    .params(&["n1", "n2"]),
    Member::static_method("CompareDocumentOrder", &[XNODE, XNODE], Type::Int32, |args, _| {
        let (a, b) = (node(args, 0)?, node(args, 1)?);
        Ok((a.place().cmp(&b.place()) as i32).into())
    })
    .params(&["n1", "n2"]),
    Member::static_property("EqualityComparer", comparers::EQUALITY, |_, _| {
        Ok(comparers::equality())
    })
    .doc("Compares nodes with all that is in them."),
    Member::static_property("DocumentOrderComparer", comparers::ORDER, |_, _| {
        Ok(comparers::order())
    })
    .doc("Compares where nodes stand in their document."),
    Member::property("NextNode", XNODE, |args, _| Ok(value(node(args, 0)?.next()))),
    Member::property("PreviousNode", XNODE, |args, _| Ok(value(node(args, 0)?.previous()))),
    adding("AddAfterSelf", ONE, |args, cx| change(args, cx, |it, new| it.add_after_self(new))),
    adding("AddAfterSelf", SEVERAL, |args, cx| change(args, cx, |it, new| it.add_after_self(new))),
    adding("AddBeforeSelf", ONE, |args, cx| change(args, cx, |it, new| it.add_before_self(new))),
    adding("AddBeforeSelf", SEVERAL, |args, cx| {
        change(args, cx, |it, new| it.add_before_self(new))
    }),
    adding("ReplaceWith", ONE, |args, cx| change(args, cx, |it, new| it.replace_with(new))),
    adding("ReplaceWith", SEVERAL, |args, cx| change(args, cx, |it, new| it.replace_with(new))),
    Member::method("Remove", &[], Type::Void, |args, _| {
        node(args, 0)?.remove()?;
        Ok(Value::Null)
    })
    .doc("Takes the node out of its parent."),
    Member::method("Ancestors", &[], ELEMENTS, ancestors),
    Member::method("Ancestors", &[XNAME], ELEMENTS, ancestors).params(&["name"]),
    Member::method("NodesAfterSelf", &[], NODES, |args, _| {
        let it = node(args, 0)?;
        Ok(lazily(XNODE, move || std::iter::successors(it.next(), Node::next).collect()))
    }),
    Member::method("NodesBeforeSelf", &[], NODES, |args, _| {
        let it = node(args, 0)?;
        Ok(lazily(XNODE, move || before(&it)))
    }),
    Member::method("ElementsAfterSelf", &[], ELEMENTS, elements_after),
    Member::method("ElementsAfterSelf", &[XNAME], ELEMENTS, elements_after).params(&["name"]),
    Member::method("ElementsBeforeSelf", &[], ELEMENTS, elements_before),
    Member::method("ElementsBeforeSelf", &[XNAME], ELEMENTS, elements_before).params(&["name"]),
    Member::method("IsAfter", &[XNODE], Type::Bool, |args, _| {
        let (a, b) = (node(args, 0)?, node(args, 1)?);
        Ok((a.place() > b.place()).into())
    })
    .params(&["node"]),
    Member::method("IsBefore", &[XNODE], Type::Bool, |args, _| {
        let (a, b) = (node(args, 0)?, node(args, 1)?);
        Ok((a.place() < b.place()).into())
    })
    .params(&["node"]),
    Member::method("ToString", &[], Type::String, |args, cx| to_text(args, true, false, cx))
        .doc("Indented XML."),
    Member::method("ToString", &[SAVE], Type::String, |args, cx| {
        let (plain, without_doubles) = super::save_options(args.value(1));
        to_text(args, !plain, without_doubles, cx)
    })
    .params(&["options"])
    .doc("XML, indented unless formatting is disabled."),
];

fn to_text(
    args: &mut Args<'_>,
    indented: bool,
    without_doubles: bool,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let it = node(args, 0)?;
    let text = it.to_xml_with(indented, without_doubles)?;
    cx.allocate(text.len())?;
    Ok(text.into())
}

fn ancestors(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, name) = (node(args, 0)?, name(args, 1));
    Ok(lazily(super::XELEMENT, move || it.ancestors(false, name.as_ref())))
}

fn before(it: &Node) -> Vec<Node> {
    let mut all: Vec<Node> = std::iter::successors(it.previous(), Node::previous).collect();
    all.reverse();
    all
}

fn elements(args: &mut Args<'_>, find: fn(&Node) -> Vec<Node>) -> Result<Value, Exception> {
    let (it, name) = (node(args, 0)?, name(args, 1));
    Ok(lazily(super::XELEMENT, move || {
        let mut all = find(&it);
        all.retain(|it| it.kind() == Kind::Element && (name.is_none() || it.name() == name));
        all
    }))
}

fn elements_after(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    elements(args, |it| std::iter::successors(it.next(), Node::next).collect())
}

fn elements_before(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    elements(args, before)
}

#[cfg(test)]
mod tests {
    use tree::xml::{ParseOptions, Root, parse};

    use super::before;

    #[test]
    fn nodes_before_come_in_document_order() {
        let root = parse("<a><b/><c/><d/></a>", Root::Element, &ParseOptions::default()).unwrap();
        let last = root.nodes().pop().unwrap();
        let names: Vec<_> = before(&last).iter().map(|it| it.name().unwrap().to_string()).collect();
        assert_eq!(names, ["b", "c"]);
    }
}
