//! `System.Xml.Linq.XElement`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.xelement>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::Str;
use tree::xml::{Content, Fault, Node, Root};

use corelib::text::reader::{BASE_READER, BASE_WRITER};

use super::enums::{LOAD, SAVE};
use super::xattribute::{casts, value_of};
use super::{
    ATTRIBUTES, ELEMENTS, NODES, ONE, SEVERAL, XATTRIBUTE, XCONTAINER, XELEMENT, XNAME, XNAMESPACE,
    XNODE, adding, change, contents, lazily, load, name, needed_name, node, parse, save, text,
    value, xname, xnamespace,
};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::XELEMENT, MEMBERS).bases(&[XCONTAINER]);

static MEMBERS: &[Member] = &casts::with::<38, 63>(XELEMENT, OWN);

const OWN: [Member; 38] = [
    Member::constructor(&[XNAME], XELEMENT, construct).params(&["name"]),
    Member::constructor(&[XNAME, Type::Object], XELEMENT, construct).params(&["name", "content"]),
    Member::constructor(&[XNAME, Type::Params(&Type::Object)], XELEMENT, construct)
        .params(&["name", "content"]),
    Member::constructor(&[XELEMENT], XELEMENT, |args, cx| {
        let it = node(args, 0)?;
        cx.allocate(it.weight())?;
        Ok(super::object(it.deep_clone()?))
    })
    .params(&["other"]),
    Member::static_method("Parse", &[Type::String], XELEMENT, |args, cx| {
        parse(args, cx, Root::Element)
    })
    .params(&["text"])
    .doc("Reads XML."),
    Member::static_method("Parse", &[Type::String, LOAD], XELEMENT, |args, cx| {
        parse(args, cx, Root::Element)
    })
    .params(&["text", "options"]),
    Member::static_method("Load", &[BASE_READER], XELEMENT, |args, cx| {
        load(args, cx, Root::Element)
    })
    .params(&["textReader"])
    .doc("Reads what a `StringReader` has left."),
    Member::static_method("Load", &[BASE_READER, LOAD], XELEMENT, |args, cx| {
        load(args, cx, Root::Element)
    })
    .params(&["textReader", "options"]),
    Member::method("Save", &[BASE_WRITER], Type::Void, save)
        .params(&["textWriter"])
        .doc("Writes XML with its declaration into a `StringWriter`."),
    Member::method("Save", &[BASE_WRITER, SAVE], Type::Void, save)
        .params(&["textWriter", "options"]),
    Member::static_property("EmptySequence", ELEMENTS, |_, _| {
        Ok(Value::array(XELEMENT, Vec::new()))
    }),
    Member::property("Name", XNAME, |args, _| Ok(xname::value(node(args, 0)?.name())))
        .set(|args, _| {
            let name = name(args, 1).ok_or_else(|| Exception::argument_null("value"))?;
            node(args, 0)?.set_name(name);
            Ok(Value::Null)
        })
        .doc("Namespace and local name."),
    Member::property("Value", Type::String, value_of)
        .set(|args, _| {
            let new: Str = args.arg(1)?;
            node(args, 0)?.set_value(new.as_str())?;
            Ok(Value::Null)
        })
        .doc("All text inside."),
    Member::property("IsEmpty", Type::Bool, |args, _| Ok(node(args, 0)?.is_empty().into())),
    Member::property("HasAttributes", Type::Bool, |args, _| {
        Ok((!node(args, 0)?.attributes(None).is_empty()).into())
    }),
    Member::property("HasElements", Type::Bool, |args, _| {
        Ok(node(args, 0)?.root_element().is_some().into())
    }),
    Member::property("FirstAttribute", XATTRIBUTE, |args, _| {
        Ok(value(node(args, 0)?.attributes(None).into_iter().next()))
    }),
    Member::property("LastAttribute", XATTRIBUTE, |args, _| {
        Ok(value(node(args, 0)?.attributes(None).pop()))
    }),
    Member::method("Attribute", &[XNAME], XATTRIBUTE, |args, _| {
        let Some(name) = name(args, 1) else { return Ok(Value::Null) };
        Ok(value(node(args, 0)?.attribute_named(&name)))
    })
    .params(&["name"])
    .doc("The attribute of that name, or null."),
    Member::method("Attributes", &[], ATTRIBUTES, attributes),
    Member::method("Attributes", &[XNAME], ATTRIBUTES, attributes).params(&["name"]),
    Member::method("AncestorsAndSelf", &[], ELEMENTS, ancestors),
    Member::method("AncestorsAndSelf", &[XNAME], ELEMENTS, ancestors).params(&["name"]),
    Member::method("DescendantsAndSelf", &[], ELEMENTS, descendants),
    Member::method("DescendantsAndSelf", &[XNAME], ELEMENTS, descendants).params(&["name"]),
    Member::method("DescendantNodesAndSelf", &[], NODES, |args, _| {
        let it = node(args, 0)?;
        Ok(lazily(XNODE, move || it.descendants(true, false, None)))
    }),
    Member::method("RemoveAll", &[], Type::Void, |args, _| {
        let it = node(args, 0)?;
        it.remove_attributes();
        it.remove_nodes();
        Ok(Value::Null)
    }),
    Member::method("RemoveAttributes", &[], Type::Void, |args, _| {
        node(args, 0)?.remove_attributes();
        Ok(Value::Null)
    }),
    adding("ReplaceAll", ONE, |args, cx| change(args, cx, replace_all)),
    adding("ReplaceAll", SEVERAL, |args, cx| change(args, cx, replace_all)),
    adding("ReplaceAttributes", ONE, |args, cx| change(args, cx, replace_attributes)),
    adding("ReplaceAttributes", SEVERAL, |args, cx| change(args, cx, replace_attributes)),
    Member::method("SetAttributeValue", &[XNAME, Type::Object], Type::Void, |args, cx| {
        let new = optional_text(args.value(2), cx)?;
        let name = needed_name(args, 1)?;
        node(args, 0)?.set_attribute_value(&name, new.as_deref())?;
        Ok(Value::Null)
    })
    .params(&["name", "value"])
    .doc("Sets, adds or (with null) removes an attribute."),
    Member::method("SetElementValue", &[XNAME, Type::Object], Type::Void, |args, cx| {
        let new = optional_text(args.value(2), cx)?;
        let name = needed_name(args, 1)?;
        node(args, 0)?.set_element_value(&name, new.as_deref())?;
        Ok(Value::Null)
    })
    .params(&["name", "value"])
    .doc("Sets, adds or (with null) removes a child element."),
    Member::method("SetValue", &[Type::Object], Type::Void, |args, cx| {
        let new = optional_text(args.value(1), cx)?;
        let new = new.ok_or_else(|| Exception::argument_null("value"))?;
        node(args, 0)?.set_value(&new)?;
        Ok(Value::Null)
    })
    .params(&["value"]),
    Member::method("GetDefaultNamespace", &[], XNAMESPACE, |args, _| {
        Ok(xnamespace::value(node(args, 0)?.namespace_of("").as_deref().unwrap_or("")))
    }),
    Member::method("GetNamespaceOfPrefix", &[Type::String], XNAMESPACE, |args, _| {
        let prefix: Str = args.arg(1)?;
        let found = node(args, 0)?.namespace_of(prefix.as_str());
        Ok(found.map_or(Value::Null, |it| xnamespace::value(&it)))
    })
    .params(&["prefix"]),
    Member::method("GetPrefixOfNamespace", &[XNAMESPACE], Type::String, |args, cx| {
        let namespace = args.value(1).to_str(cx.runtime());
        Ok(node(args, 0)?.prefix_of(namespace.as_str()).into())
    })
    .params(&["ns"]),
];

fn construct(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let made = Node::element(needed_name(args, 0)?);
    cx.allocate(super::NODE_BYTES)?;
    if args.len() > 1 {
        made.add(contents(args.value(1), cx)?)?;
    }
    Ok(super::object(made))
}

fn optional_text(value: &Value, cx: &mut EvalCx<'_>) -> Result<Option<String>, Exception> {
    if value.is_null() { Ok(None) } else { text(value, cx).map(Some) }
}

fn replace_all(it: &Node, new: Content) -> Result<(), Fault> {
    it.remove_attributes();
    it.remove_nodes();
    it.add(new)
}

fn replace_attributes(it: &Node, new: Content) -> Result<(), Fault> {
    it.remove_attributes();
    it.add(new)
}

fn attributes(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, name) = (node(args, 0)?, name(args, 1));
    Ok(lazily(XATTRIBUTE, move || it.attributes(name.as_ref())))
}

fn ancestors(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, name) = (node(args, 0)?, name(args, 1));
    Ok(lazily(XELEMENT, move || it.ancestors(true, name.as_ref())))
}

fn descendants(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, name) = (node(args, 0)?, name(args, 1));
    Ok(lazily(XELEMENT, move || it.descendants(true, true, name.as_ref())))
}

#[cfg(test)]
mod tests {
    use tree::xml::{Name, Node, ParseOptions, Root, parse};

    use super::{replace_all, replace_attributes};

    #[test]
    fn replacing_all_takes_attributes_too() {
        let it = || parse("<a x='1'><b/></a>", Root::Element, &ParseOptions::default()).unwrap();
        let (all, attributes) = (it(), it());
        replace_all(&all, "t".into()).unwrap();
        let new = Node::attribute(Name::parse("y").unwrap(), "2");
        replace_attributes(&attributes, new.into()).unwrap();

        assert_eq!(all.to_xml(false).unwrap(), "<a>t</a>");
        assert_eq!(attributes.to_xml(false).unwrap(), "<a y=\"2\"><b /></a>");
    }
}
