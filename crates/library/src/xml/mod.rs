//! `System.Xml.Linq`: <https://learn.microsoft.com/dotnet/api/system.xml.linq>
//!
//! The rows stand on [`tree::xml`]. A node is a [`Node`] inside of a [`Value`]; which of the
//! classes it is follows from its kind.

pub(crate) mod comparers;
pub(crate) mod enums;
pub(crate) mod extensions;
pub(crate) mod xattribute;
pub(crate) mod xcontainer;
pub(crate) mod xdeclaration;
pub(crate) mod xdocument;
pub(crate) mod xelement;
pub(crate) mod xname;
pub(crate) mod xnamespace;
pub(crate) mod xnode;
pub(crate) mod xobject;
pub(crate) mod xtext;

use std::ops::Deref;
use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, is_reference_convertible};
use clr::types::{Type, names};
use clr::value::sequence::Items;
use clr::value::{Object, Value};
use corelib::text::reader;
use dotnet::{Runtime, Str};
use tree::xml::{self, Content, Kind, Name, Node, ParseOptions, Root};

/// `XNode`.
pub(crate) const XNODE: Type = Type::named(names::XNODE);
/// `XContainer`.
pub(crate) const XCONTAINER: Type = Type::named(names::XCONTAINER);
/// `XElement`.
pub(crate) const XELEMENT: Type = Type::named(names::XELEMENT);
/// `XDocument`.
pub(crate) const XDOCUMENT: Type = Type::named(names::XDOCUMENT);
/// `XAttribute`.
pub(crate) const XATTRIBUTE: Type = Type::named(names::XATTRIBUTE);
/// `XName`.
pub(crate) const XNAME: Type = Type::named(names::XNAME);
/// `XNamespace`.
pub(crate) const XNAMESPACE: Type = Type::named(names::XNAMESPACE);
/// `IEnumerable<XNode>`.
pub(crate) const NODES: Type = Type::enumerable(&[XNODE]);
/// `IEnumerable<XElement>`.
pub(crate) const ELEMENTS: Type = Type::enumerable(&[XELEMENT]);
/// `IEnumerable<XAttribute>`.
pub(crate) const ATTRIBUTES: Type = Type::enumerable(&[XATTRIBUTE]);

/// Bytes that a node takes, roughly.
const NODE_BYTES: usize = 96;

/// A node as an object of the library.
#[derive(Debug)]
pub(crate) struct XNode(Node);

impl Deref for XNode {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.0
    }
}

impl Object for XNode {
    fn net_type(&self) -> Type {
        Type::named(match self.kind() {
            Kind::Element => names::XELEMENT,
            Kind::Attribute => names::XATTRIBUTE,
            Kind::Text => "System.Xml.Linq.XText",
            Kind::CData => "System.Xml.Linq.XCData",
            Kind::ProcessingInstruction => "System.Xml.Linq.XProcessingInstruction",
            Kind::Comment => "System.Xml.Linq.XComment",
            Kind::Document => names::XDOCUMENT,
            Kind::DocumentType => "System.Xml.Linq.XDocumentType",
        })
    }

    fn to_text(&self, _: Runtime) -> Str {
        // Text that XML cannot hold is refused by the row `ToString`; here nothing can be thrown.
        self.to_xml(true).unwrap_or_default().into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(node_of(other).is_some_and(|it| self.is_same(it)))
    }

    fn hash_code(&self) -> Option<u64> {
        // Nodes are equal by reference only; their place may change as trees unite.
        Some(self.kind() as u64)
    }
}

/// An argument that is a node.
fn node(args: &mut Args<'_>, at: usize) -> Result<Arc<XNode>, Exception> {
    args.arg(at)
}

/// The node of a value.
pub(crate) fn node_of(value: &Value) -> Option<&Node> {
    value.as_object::<XNode>().map(Deref::deref)
}

/// A node as a value.
pub(crate) fn object(node: Node) -> Value {
    Value::object(XNode(node))
}

/// A node, or null.
fn value(node: Option<Node>) -> Value {
    node.map_or(Value::Null, object)
}

/// A lazy sequence of nodes that are found when an enumeration begins.
fn lazily(element: Type, find: impl Fn() -> Vec<Node> + Send + Sync + 'static) -> Value {
    Value::sequence(element, move |cx| {
        let found = find();
        cx.steps(1 + found.len() as u64)?;
        cx.allocate(found.len() * NODE_BYTES)?;
        Ok(Box::new(Items::new(found.into_iter().map(object).collect())))
    })
}

/// An argument that is a name; null is none.
fn name(args: &Args<'_>, at: usize) -> Option<Name> {
    args.value(at).as_object::<xname::XName>().map(|it| it.0.clone())
}

/// An argument that is a name; null is refused.
fn needed_name(args: &Args<'_>, at: usize) -> Result<Name, Exception> {
    name(args, at).ok_or_else(|| Exception::argument_null("name"))
}

/// What a value is as content of a container.
fn content(value: &Value, cx: &mut EvalCx<'_>) -> Result<Content, Exception> {
    cx.allocate(NODE_BYTES)?;
    if let Some(node) = node_of(value) {
        return Ok(Content::Node(node.clone()));
    }
    let is_list = matches!(value, Value::Array(_) | Value::List(_) | Value::Sequence(_))
        || (value.as_str().is_none()
            && is_reference_convertible(
                value.runtime_type(),
                Type::named(names::IENUMERABLE_PLAIN),
            ));
    if value.is_null() {
        return Ok(Content::Nothing);
    }
    if is_list {
        let items = value.collect(cx)?;
        let items = items.iter().map(|it| content(it, cx)).collect::<Result<_, _>>()?;
        return Ok(Content::Many(items));
    }
    text(value, cx).map(Content::Text)
}

/// The text of a value in XML.
fn text(value: &Value, cx: &mut EvalCx<'_>) -> Result<String, Exception> {
    let text = match (value, super::json::scalar_of(value)) {
        (Value::Enum(..) | Value::Bytes(_), _) | (_, None) => {
            value.to_str(cx.runtime()).as_str().to_owned()
        }
        (_, Some(scalar)) => xml::convert::content_text(&scalar),
    };
    cx.allocate(text.len())?;
    Ok(text)
}

/// The values of a `params object[]` as content.
fn contents(value: &Value, cx: &mut EvalCx<'_>) -> Result<Content, Exception> {
    content(value, cx)
}

/// `Parse(text)` and `Parse(text, options)`.
fn parse(args: &mut Args<'_>, cx: &mut EvalCx<'_>, root: Root) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    parse_text(&text, args, cx, root)
}

/// `Load(reader)` and `Load(reader, options)`.
fn load(args: &mut Args<'_>, cx: &mut EvalCx<'_>, root: Root) -> Result<Value, Exception> {
    let text = reader::rest_of(args.value(0)).ok_or_else(|| Exception::argument_null("input"))?;
    parse_text(&text, args, cx, root)
}

/// `Save(writer)` and `Save(writer, options)` of a document or an element.
fn save(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    if args.value(1).is_null() {
        return Err(Exception::argument_null("output"));
    }
    let (plain, without_doubles) = save_options(args.value(2));
    let it = node(args, 0)?;
    if it.kind() == Kind::Document && it.root_element().is_none() {
        return Err(Exception::invalid_operation(
            "Token EndDocument in state Document would result in an invalid XML document.",
        ));
    }
    let standalone = it.declaration().and_then(|it| it.standalone.clone());
    let standalone = standalone.filter(|it| it == "yes" || it == "no");
    let standalone = standalone.map(|it| format!(" standalone=\"{it}\"")).unwrap_or_default();
    let line = if plain { "" } else { "\n" };
    let body = it.to_xml_with(!plain, without_doubles)?;
    // A writer of text has the encoding of strings.
    let text = format!("<?xml version=\"1.0\" encoding=\"utf-16\"{standalone}?>{line}{body}");
    cx.steps(1 + text.len() as u64 / 32)?;
    cx.allocate(text.len())?;
    reader::write_text(args.value(1), &text.into(), cx)?;
    Ok(Value::Null)
}

/// What `SaveOptions` say: not indented, without declarations that hold already.
fn save_options(value: &Value) -> (bool, bool) {
    let bits = if let Value::Enum(_, bits) = value { *bits } else { 0 };
    (bits & 1 == 1, bits & 2 == 2)
}

fn parse_text(
    text: &Str,
    args: &Args<'_>,
    cx: &mut EvalCx<'_>,
    root: Root,
) -> Result<Value, Exception> {
    let preserve = matches!(args.value(1), Value::Enum(_, bits) if bits & 1 == 1);
    cx.steps(1 + text.len() as u64 / 32)?;
    cx.allocate(text.len())?;
    let options = ParseOptions { preserve_whitespace: preserve, ..ParseOptions::default() };
    let parsed = xml::parse(text.as_str(), root, &options)?;
    cx.allocate(parsed.weight())?;
    Ok(object(parsed))
}

/// A row that changes a node by content: one object, or several.
const fn adding(name: &'static str, params: &'static [Type], call: clr::rows::Call) -> Member {
    Member::method(name, params, Type::Void, call).params(&["content"])
}

/// One object.
const ONE: &[Type] = &[Type::Object];
/// Several objects.
const SEVERAL: &[Type] = &[Type::Params(&Type::Object)];

/// Changes the node by the content at argument 1.
fn change(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    change: fn(&Node, Content) -> Result<(), xml::Fault>,
) -> Result<Value, Exception> {
    let added = contents(args.value(1), cx)?;
    change(&*node(args, 0)?, added)?;
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use clr::types::Type;
    use clr::value::Value;
    use tree::xml::{Content, Name, Node};

    use super::content;
    use crate::test_support::with_cx;

    #[test]
    fn values_become_text_and_lists_become_many() {
        with_cx(|cx| {
            let mut text = |value: Value| match content(&value, cx).unwrap() {
                Content::Text(text) => text,
                Content::Nothing => "nothing".to_owned(),
                Content::Many(many) => format!("{} parts", many.len()),
                Content::Node(node) => node.to_xml(false).unwrap(),
            };
            assert_eq!(text(true.into()), "true");
            assert_eq!(text(1.5.into()), "1.5");
            assert_eq!(text("x".into()), "x");
            assert_eq!(text(Value::Null), "nothing");
            assert_eq!(text(Value::list(Type::Int32, vec![1.into(), 2.into()])), "2 parts");
            assert_eq!(text(super::object(Node::element(Name::parse("a").unwrap()))), "<a />");
        });
    }
}
