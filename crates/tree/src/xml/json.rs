//! XML as JSON and back, as `XmlNodeConverter` does: attributes are `@name`, text is `#text`,
//! elements of the same name are an array.
//!
//! Comments are left out. Names are prefixed as the namespaces in scope say.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/ConvertingJSONandXML.htm>

use super::convert::content_text;
use super::{Fault, Kind, Name, Node, XML_NAMESPACE, XMLNS_NAMESPACE};
use crate::json::{Kind as TokenKind, Scalar, Token};

const JSON_NAMESPACE: &str = "http://james.newtonking.com/projects/json";

/// The JSON of a node; the root element's name is left out if `omit_root`.
///
/// # Errors
///
/// A tree that is too deep.
pub fn to_json(node: &Node, omit_root: bool) -> Result<Token, Fault> {
    if node.kind() == Kind::Document {
        let object = Token::object();
        if let Some(declaration) = node.declaration() {
            let inner = Token::object();
            let parts = [
                ("@version", &declaration.version),
                ("@encoding", &declaration.encoding),
                ("@standalone", &declaration.standalone),
            ];
            for (name, value) in parts {
                if let Some(value) = value {
                    inner.set(name, Some(&Token::value(value.as_str())))?;
                }
            }
            object.set("?xml", Some(&inner))?;
        }
        match node.root_element() {
            Some(root) if omit_root => return element(&root),
            _ => group(&node.nodes(), &object)?,
        }
        return Ok(object);
    }
    let inner = value_of(node)?;
    if omit_root {
        return Ok(inner);
    }
    let object = Token::object();
    object.set(&property_name(node), Some(&inner))?;
    Ok(object)
}

fn value_of(node: &Node) -> Result<Token, Fault> {
    match node.kind() {
        Kind::Element => element(node),
        _ => Ok(Token::value(&*node.value())),
    }
}

fn element(node: &Node) -> Result<Token, Fault> {
    let nodes = node.nodes();
    let attributes: Vec<Node> =
        node.attributes(None).into_iter().filter(|it| !is_hint(it)).collect();
    if attributes.is_empty() {
        match nodes.as_slice() {
            [] if node.is_empty() => return Ok(Token::value(Scalar::Null)),
            [] => return Ok(Token::value("")),
            [only] if only.kind() == Kind::Text => return Ok(Token::value(&*only.value())),
            _ => {}
        }
    }
    let object = Token::object();
    for attribute in attributes {
        let value = Token::value(&*attribute.value());
        object.set(&property_name(&attribute), Some(&value))?;
    }
    group(&nodes, &object)?;
    Ok(object)
}

/// Attributes that only say how the JSON is shaped.
fn is_hint(attribute: &Node) -> bool {
    attribute.name().is_some_and(|it| {
        &*it.namespace == JSON_NAMESPACE
            || (it.is_declaration() && &*attribute.value() == JSON_NAMESPACE)
    })
}

/// Is the element to be an array even if it stands alone (`json:Array="true"`)?
fn is_array(node: &Node) -> bool {
    node.attributes(None).iter().any(|it| {
        it.name().is_some_and(|name| &*name.namespace == JSON_NAMESPACE && &*name.local == "Array")
            && &*it.value() == "true"
    })
}

/// Adds nodes to an object, those of the same name as an array.
fn group(nodes: &[Node], object: &Token) -> Result<(), Fault> {
    let mut groups: Vec<(String, Vec<&Node>)> = Vec::new();
    for node in nodes.iter().filter(|it| it.kind() != Kind::Comment) {
        let name = property_name(node);
        match groups.iter_mut().find(|(own, _)| *own == name) {
            Some((_, members)) => members.push(node),
            None => groups.push((name, vec![node])),
        }
    }
    for (name, members) in groups {
        let value = match members.as_slice() {
            [only] if !is_array(only) => value_of(only)?,
            members => {
                let array = Token::array();
                for member in members {
                    array.add(value_of(member)?)?;
                }
                array
            }
        };
        object.set(&name, Some(&value))?;
    }
    Ok(())
}

fn property_name(node: &Node) -> String {
    match node.kind() {
        Kind::Element => full_name(node),
        Kind::Attribute => format!("@{}", full_name(node)),
        Kind::CData => "#cdata-section".to_owned(),
        Kind::Comment => "#comment".to_owned(),
        Kind::ProcessingInstruction => format!("?{}", node.target().unwrap_or_default()),
        Kind::DocumentType => "!DOCTYPE".to_owned(),
        Kind::Text | Kind::Document => "#text".to_owned(),
    }
}

fn full_name(node: &Node) -> String {
    let Some(name) = node.name() else { return String::new() };
    let is_default =
        name.namespace.is_empty() || (name.is_declaration() && &*name.local == "xmlns");
    let prefix = if is_default { None } else { node.prefix_for(&name.namespace) };
    match prefix {
        Some(prefix) => format!("{prefix}:{}", name.local),
        None => name.local.to_string(),
    }
}

impl Node {
    /// The prefix of a namespace at an element or at an attribute's element.
    fn prefix_for(&self, namespace: &str) -> Option<String> {
        match self.kind() {
            Kind::Attribute => self.parent().and_then(|it| it.prefix_of(namespace)),
            _ => self.prefix_of(namespace),
        }
    }
}

fn failure(message: impl Into<String>) -> Fault {
    Fault::new("Newtonsoft.Json.JsonSerializationException", message)
}

/// The document of a JSON object; with a `root` name, of any JSON.
///
/// # Errors
///
/// `JsonSerializationException` if there is no single root, `XmlException` of a wrong name.
pub fn from_json(token: &Token, root: Option<&str>) -> Result<Node, Fault> {
    let document = Node::document(None);
    let scope = Scope::default();
    if let Some(root) = root {
        read(&document, root, token, &scope)?;
        return Ok(document);
    }
    if token.kind() != TokenKind::Object {
        return Err(failure("XmlNodeConverter can only convert JSON that begins with an object."));
    }
    for property in token.child_list() {
        let (Some(name), Some(value)) = (property.name(), property.property_value()) else {
            continue;
        };
        if name.starts_with('?') {
            continue;
        }
        if document.root_element().is_some()
            || value.kind() == TokenKind::Array && value.count() > 1
        {
            return Err(failure(
                "JSON root object has multiple properties. The root object must have a single property in order to create a valid XML document. Consider specifying a DeserializeRootElementName.",
            ));
        }
        read(&document, &name, &value, &scope)?;
    }
    Ok(document)
}

/// Prefixes and namespaces in scope.
#[derive(Clone, Default)]
struct Scope(Vec<(String, String)>);

impl Scope {
    fn name(&self, raw: &str, is_attribute: bool) -> Result<Name, Fault> {
        let find = |prefix: &str| {
            let found = self.0.iter().rev().find(|(own, _)| own == prefix);
            found.map(|(_, namespace)| namespace.as_str())
        };
        match raw.split_once(':') {
            Some(("xmlns", local)) if is_attribute => Name::new(XMLNS_NAMESPACE, local),
            Some(("xml", local)) => Name::new(XML_NAMESPACE, local),
            Some((prefix, local)) => Name::new(find(prefix).unwrap_or(""), local),
            None if is_attribute => Name::new("", raw),
            None => Name::new(find("").unwrap_or(""), raw),
        }
    }
}

/// Adds an element, or several for an array.
fn read(parent: &Node, name: &str, value: &Token, scope: &Scope) -> Result<(), Fault> {
    if value.kind() == TokenKind::Array {
        for item in value.child_list() {
            read(parent, name, &item, scope)?;
        }
        return Ok(());
    }
    let members = if value.kind() == TokenKind::Object { value.child_list() } else { Vec::new() };
    let mut inner = scope.clone();
    for member in &members {
        let (Some(name), Some(value)) = (member.name(), member.property_value()) else { continue };
        let prefix = match name.strip_prefix("@xmlns") {
            Some("") => "",
            Some(rest) => rest.strip_prefix(':').unwrap_or(""),
            None => continue,
        };
        inner.0.push((prefix.to_owned(), text(&value)?));
    }
    let element = Node::element(inner.name(name, false)?);
    for member in &members {
        let (Some(name), Some(value)) = (member.name(), member.property_value()) else { continue };
        if let Some(attribute) = name.strip_prefix('@') {
            let name = inner.name(attribute, true)?;
            element.add(Node::attribute(name, &text(&value)?))?;
            continue;
        }
        match &*name {
            "#text" | "#whitespace" | "#significant-whitespace" => {
                for part in parts(&value) {
                    element.add(text(&part)?.as_str())?;
                }
            }
            "#cdata-section" => {
                for part in parts(&value) {
                    element.add(Node::cdata(&text(&part)?))?;
                }
            }
            "#comment" => element.add(Node::comment(&text(&value)?))?,
            name => read(&element, name, &value, &inner)?,
        }
    }
    match value.scalar() {
        Some(Scalar::Null | Scalar::Undefined) | None => {}
        Some(scalar) => element.add(content_text(&scalar).as_str())?,
    }
    parent.add(element)
}

/// The items of an array, or the token alone.
fn parts(value: &Token) -> Vec<Token> {
    if value.kind() == TokenKind::Array { value.child_list() } else { vec![value.clone()] }
}

fn text(value: &Token) -> Result<String, Fault> {
    match value.scalar() {
        Some(Scalar::Null) => Ok(String::new()),
        Some(scalar) => Ok(content_text(&scalar)),
        None => Err(failure("Cannot get an XML string value from a JSON object or array.")),
    }
}

#[cfg(test)]
mod tests {
    use super::{from_json, to_json};
    use crate::json::{self, Formatting};
    use crate::xml::{ParseOptions, Root, parse};

    fn json(xml: &str, omit_root: bool) -> String {
        let node = parse(xml, Root::Element, &ParseOptions::default()).unwrap();
        to_json(&node, omit_root).unwrap().to_json(Formatting::None)
    }

    fn xml(json: &str, root: Option<&str>) -> String {
        let options = json::ParseOptions::default();
        let token = json::parse(json, json::Root::Any, &options).unwrap();
        match from_json(&token, root) {
            Ok(node) => node.to_xml(false).unwrap(),
            Err(fault) => fault.type_name.to_owned(),
        }
    }

    #[test]
    fn elements_become_members() {
        let cases = [
            ("<a x='1'><b>t</b></a>", r#"{"a":{"@x":"1","b":"t"}}"#),
            ("<a><b>1</b><b>2</b></a>", r#"{"a":{"b":["1","2"]}}"#),
            ("<a/>", r#"{"a":null}"#),
            ("<a></a>", r#"{"a":""}"#),
            ("<a>t<b/><!--c--></a>", r##"{"a":{"#text":"t","b":null}}"##),
            ("<p:a xmlns:p='urn:x'>1</p:a>", r##"{"p:a":{"@xmlns:p":"urn:x","#text":"1"}}"##),
            ("<a><![CDATA[x]]></a>", r##"{"a":{"#cdata-section":"x"}}"##),
        ];
        for (text, expected) in cases {
            assert_eq!(json(text, false), expected, "{text}");
        }
        let omitted = json("<o xmlns='urn:o'><id>7</id></o>", true);
        assert_eq!(omitted, r#"{"@xmlns":"urn:o","id":"7"}"#);
    }

    #[test]
    fn members_become_elements() {
        let cases = [
            (r#"{"root":{"a":1,"b":[1,2]}}"#, None, "<root><a>1</a><b>1</b><b>2</b></root>"),
            (r#"{"a":1,"b":2}"#, Some("root"), "<root><a>1</a><b>2</b></root>"),
            (r##"{"a":{"@x":true,"#text":"t"}}"##, None, "<a x=\"true\">t</a>"),
            (r#"{"p:a":{"@xmlns:p":"u","p:b":null}}"#, None, "<p:a xmlns:p=\"u\"><p:b /></p:a>"),
            (r#"{"a":1,"b":2}"#, None, "Newtonsoft.Json.JsonSerializationException"),
            (r#"{"bad name":1}"#, None, "System.Xml.XmlException"),
            ("[1]", None, "Newtonsoft.Json.JsonSerializationException"),
        ];
        for (text, root, expected) in cases {
            assert_eq!(xml(text, root), expected, "{text}");
        }
    }
}
