//! XML as JSON.
//!
//! `direct` has the structure of the XML, as `XmlNodeConverter` of Newtonsoft.Json has it:
//! attributes are `@name`, text is `#text`, elements of one name are an array, `xsi:nil` is null.
//! `javascript-friendly` leaves out declarations, prefixes and marks: attributes and elements are
//! members alike, text beside them is the member `text`.
//!
//! The document type may be there but declares no entities, and nothing is fetched.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/ConvertingJSONandXML.htm>

use serde_json::{Map, Value};
use tree::xml::{Kind, Name, Node, ParseOptions, Root, parse};

use super::Form;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The JSON of an XML text.
///
/// # Errors
///
/// The text is no XML; in words.
pub(super) fn json(xml: &str, form: Form, always_array: bool) -> Result<String, String> {
    let document = parse(xml, Root::Document, &ParseOptions::default());
    let document = document.map_err(|fault| fault.message)?;
    let writer = Writer { form, always_array };
    let mut object = Map::new();
    if form == Form::Direct
        && let Some(declaration) = document.declaration()
    {
        let parts = [
            ("@version", &declaration.version),
            ("@encoding", &declaration.encoding),
            ("@standalone", &declaration.standalone),
        ];
        let given = parts.into_iter().filter_map(|(name, it)| Some((name, it.as_deref()?)));
        let given = given.map(|(name, it)| (name.to_owned(), Value::from(it)));
        object.insert("?xml".to_owned(), Value::Object(given.collect()));
    }
    if let Some(root) = document.root_element() {
        object.insert(writer.name(&root), writer.element(&root));
    }
    Ok(Value::Object(object).to_string())
}

struct Writer {
    form: Form,
    always_array: bool,
}

/// The values of one name.
struct Group {
    name: String,
    values: Vec<Value>,
    is_array: bool,
}

impl Writer {
    fn element(&self, node: &Node) -> Value {
        let attributes = node.attributes(None);
        if attributes.iter().any(is_nil) {
            return Value::Null;
        }
        let attributes: Vec<&Node> = attributes.iter().filter(|it| self.shows(it)).collect();
        let nodes: Vec<Node> = node.nodes().into_iter().filter(|it| self.is_content(it)).collect();
        if attributes.is_empty() {
            match nodes.as_slice() {
                [] if node.is_empty() => return Value::Null,
                [] => return Value::from(""),
                [only] if self.is_text(only) => return Value::from(&*only.value()),
                _ => {}
            }
        }
        let mut groups: Vec<Group> = Vec::new();
        for it in attributes {
            self.add(&mut groups, self.name(it), Value::from(&*it.value()), false);
        }
        for it in &nodes {
            match it.kind() {
                Kind::Element => {
                    self.add(&mut groups, self.name(it), self.element(it), self.always_array);
                }
                _ => self.add(&mut groups, self.name(it), Value::from(&*it.value()), false),
            }
        }
        let member = |mut it: Group| {
            let value = match it.values.pop() {
                Some(only) if it.values.is_empty() && !it.is_array => only,
                Some(last) => {
                    it.values.push(last);
                    Value::Array(it.values)
                }
                None => Value::Null,
            };
            (it.name, value)
        };
        Value::Object(groups.into_iter().map(member).collect())
    }

    fn add(&self, groups: &mut Vec<Group>, name: String, value: Value, is_array: bool) {
        match groups.iter_mut().find(|it| it.name == name) {
            Some(group) => {
                group.values.push(value);
                group.is_array |= is_array;
            }
            None => groups.push(Group { name, values: vec![value], is_array }),
        }
    }

    /// Declarations of namespaces have no place in what is easy to use.
    fn shows(&self, attribute: &Node) -> bool {
        self.form == Form::Direct || !attribute.name().is_some_and(|it| it.is_declaration())
    }

    fn is_content(&self, node: &Node) -> bool {
        match node.kind() {
            Kind::Comment => false,
            Kind::ProcessingInstruction => self.form == Form::Direct,
            _ => true,
        }
    }

    /// Whether the node alone makes the element a text.
    fn is_text(&self, node: &Node) -> bool {
        match node.kind() {
            Kind::Text => true,
            Kind::CData => self.form == Form::JavascriptFriendly,
            _ => false,
        }
    }

    fn name(&self, node: &Node) -> String {
        let is_direct = self.form == Form::Direct;
        match node.kind() {
            Kind::Element if is_direct => full_name(node),
            Kind::Attribute if is_direct => format!("@{}", full_name(node)),
            Kind::Element | Kind::Attribute => {
                node.name().map(|it| it.local.to_string()).unwrap_or_default()
            }
            Kind::CData if is_direct => "#cdata-section".to_owned(),
            Kind::ProcessingInstruction => format!("?{}", node.target().unwrap_or_default()),
            _ if is_direct => "#text".to_owned(),
            _ => "text".to_owned(),
        }
    }
}

/// `xsi:nil="true"`.
fn is_nil(attribute: &Node) -> bool {
    attribute.name().is_some_and(|it| &*it.namespace == XSI && &*it.local == "nil")
        && matches!(&*attribute.value(), "true" | "1")
}

/// The name with the prefix that its namespace has there.
fn full_name(node: &Node) -> String {
    let Some(name) = node.name() else { return String::new() };
    match prefix(node, &name) {
        Some(prefix) => format!("{prefix}:{}", name.local),
        None => name.local.to_string(),
    }
}

fn prefix(node: &Node, name: &Name) -> Option<String> {
    if name.namespace.is_empty() || (name.is_declaration() && &*name.local == "xmlns") {
        return None;
    }
    match node.kind() {
        Kind::Attribute => node.parent()?.prefix_of(&name.namespace),
        _ => node.prefix_of(&name.namespace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(xml: &str) -> String {
        json(xml, Form::Direct, false).unwrap_or_else(|why| format!("failed: {why}"))
    }

    fn friendly(xml: &str) -> String {
        json(xml, Form::JavascriptFriendly, false).unwrap()
    }

    #[test]
    fn direct_has_the_structure_of_the_xml() {
        for (xml, expected) in [
            ("<a x='1'><b>t</b></a>", r#"{"a":{"@x":"1","b":"t"}}"#),
            ("<a><b>1</b><c/><b>2</b></a>", r#"{"a":{"b":["1","2"],"c":null}}"#),
            ("<a></a>", r#"{"a":""}"#),
            ("<a>t<b/>u</a>", r##"{"a":{"#text":["t","u"],"b":null}}"##),
            (
                "<?xml version='1.0' encoding='utf-8'?><a/>",
                r#"{"?xml":{"@version":"1.0","@encoding":"utf-8"},"a":null}"#,
            ),
            (
                "<p:a xmlns:p='urn:x' p:y='2'>1</p:a>",
                r##"{"p:a":{"@xmlns:p":"urn:x","@p:y":"2","#text":"1"}}"##,
            ),
            ("<a><![CDATA[<]]></a>", r##"{"a":{"#cdata-section":"<"}}"##),
            (
                "<a xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><b xsi:nil='true'/></a>",
                r#"{"a":{"@xmlns:xsi":"http://www.w3.org/2001/XMLSchema-instance","b":null}}"#,
            ),
            ("<a> <b/> </a>", r#"{"a":{"b":null}}"#),
        ] {
            assert_eq!(direct(xml), expected, "{xml}");
        }
    }

    #[test]
    fn friendly_leaves_out_declarations_prefixes_and_marks() {
        for (xml, expected) in [
            (
                "<?xml version='1.0'?><p:a xmlns:p='urn:x' y='2'><p:b>1</p:b></p:a>",
                r#"{"a":{"y":"2","b":"1"}}"#,
            ),
            ("<a y='2'>t</a>", r#"{"a":{"y":"2","text":"t"}}"#),
            ("<a y='1'><y>2</y></a>", r#"{"a":{"y":["1","2"]}}"#),
            ("<a><![CDATA[<]]></a>", r#"{"a":"<"}"#),
            ("<a><?p i?><!--c--></a>", r#"{"a":""}"#),
        ] {
            assert_eq!(friendly(xml), expected, "{xml}");
        }
    }

    #[test]
    fn child_elements_can_be_arrays_even_alone() {
        let xml = "<a x='1'><b>1</b><c><d/></c></a>";
        assert_eq!(
            json(xml, Form::Direct, true).unwrap(),
            r#"{"a":{"@x":"1","b":["1"],"c":[{"d":[null]}]}}"#
        );
    }

    #[test]
    fn what_is_no_xml_is_refused_and_entities_are_none() {
        for xml in [
            "",
            "<a>",
            "<a>&bomb;</a>",
            "<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>",
            "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        ] {
            assert!(direct(xml).starts_with("failed"), "{xml}: {}", direct(xml));
        }
        assert!(
            direct(&format!("{}{}", "<a>".repeat(500), "</a>".repeat(500))).starts_with("failed")
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_converted_or_refused(xml in "[<>a/='\" !&;\\[\\]-]{0,32}") {
            for form in [Form::Direct, Form::JavascriptFriendly] {
                if let Ok(json) = json(&xml, form, true) {
                    proptest::prop_assert!(serde_json::from_str::<Value>(&json).is_ok());
                }
            }
        }
    }
}
