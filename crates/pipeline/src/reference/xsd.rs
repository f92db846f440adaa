//! The schema of policy documents for editors, as XSD 1.0.
//!
//! Editors complete element and attribute names, words and defaults from it, and show what each
//! means. It is laxer than the load-time check: the order of elements is free, so how often one
//! stands is not counted; and it can only help where a document is XML, which one with a quote
//! inside of an expression is not.
//!
//! Source: <https://www.w3.org/TR/xmlschema-1/>

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::registry::Registry;
use crate::schema::{Attr, Child, Content, PolicyKind};
use crate::section::Section;
use crate::value_type::ValueType;

/// What stands before all policies: values that are computed, and `base`.
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:annotation>
    <xs:documentation>Policy documents and fragments. The order of elements is free.</xs:documentation>
  </xs:annotation>
  <xs:simpleType name="named">
    <xs:annotation><xs:documentation>A text with a named value.</xs:documentation></xs:annotation>
    <xs:restriction base="xs:string"><xs:pattern value="[\s\S]*\{\{[\s\S]+\}\}[\s\S]*"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="computed">
    <xs:annotation><xs:documentation>A policy expression, or a text with a named value.</xs:documentation></xs:annotation>
    <xs:restriction base="xs:string"><xs:pattern value="\s*@[\(\{][\s\S]*|[\s\S]*\{\{[\s\S]+\}\}[\s\S]*"/></xs:restriction>
  </xs:simpleType>
  <xs:complexType name="base">
    <xs:annotation><xs:documentation>The policies of the next broader scope.</xs:documentation></xs:annotation>
    <xs:attribute name="id" type="xs:string"/>
  </xs:complexType>
"#;

/// The schema, with all policies of the registry.
#[must_use]
pub fn xsd(registry: &Registry) -> String {
    let kinds = registry.kinds();
    let mut out = String::from(HEAD);
    roots(&mut out);
    for section in Section::ALL {
        let here: Vec<_> = kinds.iter().filter(|it| it.sections.contains(section)).collect();
        group(section.name(), here.iter().map(|it| it.name), &mut out);
    }
    group("policies", kinds.iter().map(|it| it.name), &mut out);
    for kind in &kinds {
        policy(kind, registry, &mut out);
    }
    out.push_str("</xs:schema>\n");
    out
}

/// `<policies>` with its sections, and `<fragment>`.
fn roots(out: &mut String) {
    out.push_str("  <xs:element name=\"policies\"><xs:complexType><xs:all>\n");
    for section in Section::ALL {
        let name = section.name();
        let _ = writeln!(
            out,
            "    <xs:element name=\"{name}\" minOccurs=\"0\"><xs:complexType><xs:choice minOccurs=\"0\" maxOccurs=\"unbounded\">\n      \
             <xs:element name=\"base\" type=\"base\"/><xs:group ref=\"{name}\"/>\n    \
             </xs:choice></xs:complexType></xs:element>"
        );
    }
    out.push_str("  </xs:all></xs:complexType></xs:element>\n");
    out.push_str(
        "  <xs:element name=\"fragment\"><xs:complexType>\n    \
         <xs:group ref=\"policies\" minOccurs=\"0\" maxOccurs=\"unbounded\"/>\n  \
         </xs:complexType></xs:element>\n",
    );
}

fn group<'a>(name: &str, policies: impl Iterator<Item = &'a str>, out: &mut String) {
    let _ = writeln!(out, "  <xs:group name=\"{name}\"><xs:choice>");
    for policy in policies {
        let _ = writeln!(out, "    <xs:element name=\"{policy}\" type=\"policy-{policy}\"/>");
    }
    out.push_str("  </xs:choice></xs:group>\n");
}

fn policy(kind: &PolicyKind, registry: &Registry, out: &mut String) {
    let own = kind.children.iter().find(|it| it.name().is_empty());
    let named = kind.children.iter().filter(|it| !it.name().is_empty());
    let _ = writeln!(
        out,
        "  <xs:complexType name=\"policy-{}\"{}>",
        kind.name,
        mixed(own.map(Child::holds))
    );
    let summary = format!("{} {}", kind.summary, kind.documentation());
    documentation(&summary, 4, out);
    content(own.map(Child::holds), &named.collect::<Vec<_>>(), registry, 4, out);
    attributes(kind.attrs, 4, out);
    if kind.attrs.iter().all(|it| it.name() != "id") {
        out.push_str("    <xs:attribute name=\"id\" type=\"xs:string\"/>\n");
    }
    out.push_str("  </xs:complexType>\n");
}

fn mixed(holds: Option<Content>) -> &'static str {
    match holds {
        Some(Content::Text | Content::Markup) => " mixed=\"true\"",
        _ => "",
    }
}

/// The elements that may stand inside.
fn content(
    own: Option<Content>,
    children: &[&Child],
    registry: &Registry,
    depth: usize,
    out: &mut String,
) {
    let indent = " ".repeat(depth);
    match own {
        Some(Content::Markup) => {
            let _ = writeln!(
                out,
                "{indent}<xs:sequence><xs:any processContents=\"skip\" minOccurs=\"0\" maxOccurs=\"unbounded\"/></xs:sequence>"
            );
        }
        Some(Content::Policies) => {
            // A child that is also a policy is among them.
            let more: Vec<_> =
                children.iter().filter(|it| registry.get(it.name()).is_none()).collect();
            let _ = writeln!(out, "{indent}<xs:choice minOccurs=\"0\" maxOccurs=\"unbounded\">");
            let _ = writeln!(out, "{indent}  <xs:group ref=\"policies\"/>");
            for child in more {
                element(child, registry, depth + 2, out);
            }
            let _ = writeln!(out, "{indent}</xs:choice>");
        }
        _ if children.is_empty() && own != Some(Content::Foreign) => {}
        _ => {
            let _ = writeln!(out, "{indent}<xs:choice minOccurs=\"0\" maxOccurs=\"unbounded\">");
            for child in children {
                element(child, registry, depth + 2, out);
            }
            if own == Some(Content::Foreign) {
                let _ = writeln!(
                    out,
                    "{indent}  <xs:any namespace=\"##other\" processContents=\"skip\"/>"
                );
            }
            let _ = writeln!(out, "{indent}</xs:choice>");
        }
    }
}

fn element(child: &Child, registry: &Registry, depth: usize, out: &mut String) {
    let (indent, name) = (" ".repeat(depth), child.name());
    if child.holds() == Content::Policy {
        let known = registry.get(name).is_some();
        let of = if known { format!("policy-{name}") } else { "xs:anyType".to_owned() };
        let _ = writeln!(out, "{indent}<xs:element name=\"{name}\" type=\"{of}\"/>");
        return;
    }
    let _ = writeln!(out, "{indent}<xs:element name=\"{name}\">");
    documentation(child.description(), depth + 2, out);
    let _ = writeln!(out, "{indent}  <xs:complexType{}>", mixed(Some(child.holds())));
    let inner: Vec<_> = child.elements().iter().collect();
    content(Some(child.holds()), &inner, registry, depth + 4, out);
    attributes(child.attributes(), depth + 4, out);
    let _ = writeln!(out, "{indent}  </xs:complexType>\n{indent}</xs:element>");
}

fn documentation(text: &str, depth: usize, out: &mut String) {
    let text = text.trim();
    if !text.is_empty() {
        let indent = " ".repeat(depth);
        let _ = writeln!(
            out,
            "{indent}<xs:annotation><xs:documentation>{}</xs:documentation></xs:annotation>",
            escape(text)
        );
    }
}

fn attributes(attrs: &[Attr], depth: usize, out: &mut String) {
    let (indent, mut seen) = (" ".repeat(depth), BTreeSet::new());
    for attr in attrs.iter().filter(|it| seen.insert(it.name())) {
        let need = match attr.default_text() {
            _ if attr.is_required() => " use=\"required\"".to_owned(),
            Some(default) => format!(" default=\"{}\"", escape(default)),
            None => String::new(),
        };
        let _ = writeln!(out, "{indent}<xs:attribute name=\"{}\"{need}>", attr.name());
        documentation(attr.description(), depth + 2, out);
        let _ = writeln!(out, "{indent}  <xs:simpleType>{}</xs:simpleType>", value(attr));
        let _ = writeln!(out, "{indent}</xs:attribute>");
    }
}

/// The type of a value: what is written in the document, or what stands for it.
fn value(attr: &Attr) -> String {
    let instead = if attr.takes_expressions() { "computed" } else { "named" };
    let simple = |of: &str| format!("<xs:union memberTypes=\"{of} {instead}\"/>");
    match attr.value_type() {
        _ if !attr.words().is_empty() => words(attr.words(), instead),
        ValueType::Boolean => words(&["true", "false"], instead),
        ValueType::Integer | ValueType::Seconds | ValueType::Milliseconds | ValueType::Status => {
            simple("xs:integer")
        }
        ValueType::Number => simple("xs:decimal"),
        ValueType::Text
        | ValueType::Word
        | ValueType::HeaderName
        | ValueType::Method
        | ValueType::Url => "<xs:restriction base=\"xs:string\"/>".to_owned(),
    }
}

/// The words for completion, and the same without regard to case, as documents may write them.
fn words(words: &[&str], instead: &str) -> String {
    let restricted = |facets: &str| {
        format!(
            "<xs:simpleType><xs:restriction base=\"xs:string\">{facets}</xs:restriction></xs:simpleType>"
        )
    };
    let exact: String =
        words.iter().map(|it| format!("<xs:enumeration value=\"{}\"/>", escape(it))).collect();
    let any_case: Vec<String> = words.iter().map(|it| any_case(it)).collect();
    let any_case = format!("<xs:pattern value=\"{}\"/>", escape(&any_case.join("|")));
    format!(
        "<xs:union memberTypes=\"{instead}\">{}{}</xs:union>",
        restricted(&exact),
        restricted(&any_case)
    )
}

fn any_case(word: &str) -> String {
    let one = |it: char| {
        if it.is_ascii_alphabetic() {
            format!("[{}{}]", it.to_ascii_uppercase(), it.to_ascii_lowercase())
        } else if it.is_ascii_digit() || it == '-' {
            it.to_string()
        } else {
            format!("\\{it}")
        }
    };
    word.chars().map(one).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::KINDS;

    #[test]
    fn the_schema_is_xml_and_has_every_policy_and_attribute() {
        let registry = Registry::new(KINDS);
        let text = xsd(&registry);
        let (document, problems) = document::parse(&text);

        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(document.root().unwrap().name, "xs:schema");
        for kind in registry.kinds() {
            assert!(text.contains(&format!("<xs:complexType name=\"policy-{}\"", kind.name)));
            for attr in kind.attrs {
                assert!(text.contains(&format!("<xs:attribute name=\"{}\"", attr.name())));
            }
        }
    }

    #[test]
    fn words_are_completed_and_accepted_in_any_case() {
        assert_eq!(any_case("2or1"), "2[Oo][Rr]1");
        assert_eq!(any_case("*"), "\\*");
        let value = value(&Attr::required("a").one_of(&["x", "y"]).expressions());
        assert!(value.contains("memberTypes=\"computed\""), "{value}");
        assert!(value.contains("<xs:enumeration value=\"x\"/>"), "{value}");
        assert!(value.contains("[Xx]|[Yy]"), "{value}");
    }
}
