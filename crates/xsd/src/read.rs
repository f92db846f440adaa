//! Schema documents to components: names, includes, imports, and the elements that are known.
//!
//! What is not known is refused by its name, so that no rule of a schema is left out in silence.

use std::collections::HashMap;

use roxmltree::{Document, Node};

use crate::Unusable;
use crate::model::Name;

/// The namespace of schemas.
pub(crate) const XS: &str = "http://www.w3.org/2001/XMLSchema";
/// The namespace of `xml:lang` and its like.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Documents of one schema.
const MAX_DOCUMENTS: usize = 64;

/// What a global component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sort {
    Element,
    Type,
    Attribute,
    Group,
    AttributeGroup,
}

/// A document that was parsed, with what it says of itself.
pub(crate) struct Part {
    /// The namespace of what it declares; that of its includer if it has none.
    pub(crate) target: String,
    pub(crate) are_elements_qualified: bool,
    pub(crate) are_attributes_qualified: bool,
    has_own_target: bool,
}

/// A component, where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) part: usize,
    pub(crate) node: Node<'a, 'a>,
}

/// All components of a schema.
pub(crate) struct Parts<'a> {
    pub(crate) parts: Vec<Part>,
    pub(crate) globals: HashMap<(Sort, Name), Found<'a>>,
    names: Vec<(usize, String)>,
}

/// Parses a document; external entities and declarations are refused.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, String> {
    Document::parse(text).map_err(|error| error.to_string())
}

impl<'a> Parts<'a> {
    /// Reads the wanted schemas and all that they include and import, among the documents that there
    /// are.
    pub(crate) fn read(
        documents: &'a [(String, Document<'a>)],
        wanted: &[usize],
    ) -> Result<Self, Unusable> {
        let mut all = Self { parts: Vec::new(), globals: HashMap::new(), names: Vec::new() };
        for one in wanted {
            all.add(documents, *one, None)?;
        }
        Ok(all)
    }

    fn add(
        &mut self,
        documents: &'a [(String, Document<'a>)],
        at: usize,
        includer: Option<&str>,
    ) -> Result<(), Unusable> {
        let (name, document) = documents.get(at).ok_or_else(|| Unusable::new("no such schema"))?;
        let root = document.root_element();
        if !is_xs(root, "schema") {
            return Err(Unusable::new(format!("`{name}` is no XML schema")));
        }
        let own = root.attribute("targetNamespace");
        let target = own.or(includer).unwrap_or_default().to_owned();
        if self.names.contains(&(at, target.clone())) {
            return Ok(());
        }
        if self.parts.len() == MAX_DOCUMENTS {
            return Err(Unusable::new("the schema has too many documents"));
        }
        self.names.push((at, target.clone()));
        let is_qualified = |key: &str| root.attribute(key) == Some("qualified");
        known_attributes(
            root,
            &[
                "attributeFormDefault",
                "elementFormDefault",
                "finalDefault",
                "id",
                "targetNamespace",
                "version",
            ],
        )?;
        let part = self.parts.len();
        self.parts.push(Part {
            target: target.clone(),
            are_elements_qualified: is_qualified("elementFormDefault"),
            are_attributes_qualified: is_qualified("attributeFormDefault"),
            has_own_target: own.is_some(),
        });
        for node in elements(root)? {
            match node.tag_name().name() {
                "include" => {
                    let found = located(documents, node, None)?;
                    for found in found {
                        self.add(documents, found, Some(&target))?;
                    }
                }
                "import" => {
                    let namespace = node.attribute("namespace").unwrap_or_default();
                    if namespace != XML {
                        for found in located(documents, node, Some(namespace))? {
                            self.add(documents, found, None)?;
                        }
                    }
                }
                "element" => self.global(Sort::Element, part, node)?,
                "simpleType" | "complexType" => self.global(Sort::Type, part, node)?,
                "attribute" => self.global(Sort::Attribute, part, node)?,
                "group" => self.global(Sort::Group, part, node)?,
                "attributeGroup" => self.global(Sort::AttributeGroup, part, node)?,
                _ => return Err(unknown(node)),
            }
        }
        Ok(())
    }

    fn global(&mut self, sort: Sort, part: usize, node: Node<'a, 'a>) -> Result<(), Unusable> {
        let local = node.attribute("name").ok_or_else(|| missing(node, "name"))?;
        let target = self.parts.get(part).map_or("", |it| it.target.as_str());
        let name = Name::new(target, local);
        match self.globals.insert((sort, name), Found { part, node }) {
            None => Ok(()),
            Some(_) => Err(Unusable::new(format!("`{local}` is declared twice"))),
        }
    }

    /// The name that a text stands for at a node: `p:local`.
    pub(crate) fn name(
        &self,
        part: usize,
        node: Node<'_, '_>,
        text: &str,
    ) -> Result<Name, Unusable> {
        let text = text.trim();
        let (prefix, local) = match text.split_once(':') {
            Some((prefix, local)) => (Some(prefix), local),
            None => (None, text),
        };
        let space = match (prefix, node.lookup_namespace_uri(prefix)) {
            (Some("xml"), _) => XML,
            (Some(prefix), None) => {
                return Err(Unusable::new(format!("prefix `{prefix}` is not declared")));
            }
            (_, Some(space)) => space,
            // A document without a namespace of its own takes that of its includer.
            (None, None) => match self.parts.get(part) {
                Some(it) if !it.has_own_target => &it.target,
                _ => "",
            },
        };
        Ok(Name::new(space, local))
    }
}

/// The documents that an include or import means: by the last part of its location, else by
/// namespace.
fn located(
    documents: &[(String, Document<'_>)],
    node: Node<'_, '_>,
    namespace: Option<&str>,
) -> Result<Vec<usize>, Unusable> {
    let location = node.attribute("schemaLocation").unwrap_or_default();
    let last = location.rsplit(['/', '\\']).next().unwrap_or_default();
    let bare = |it: &str| it.to_lowercase().trim_end_matches(".xsd").to_owned();
    let by_name =
        documents.iter().position(|(name, _)| !last.is_empty() && bare(name) == bare(last));
    if let Some(found) = by_name {
        return Ok(vec![found]);
    }
    let Some(namespace) = namespace else {
        return Err(Unusable::new(format!(
            "`{location}` is included and not in the configuration"
        )));
    };
    let is_meant = |it: &Document<'_>| {
        it.root_element().attribute("targetNamespace").unwrap_or_default() == namespace
    };
    let of_namespace: Vec<usize> = documents
        .iter()
        .enumerate()
        .filter(|(_, (_, it))| is_meant(it))
        .map(|(at, _)| at)
        .collect();
    if of_namespace.is_empty() {
        let message = format!("namespace `{namespace}` is imported and not in the configuration");
        return Err(Unusable::new(message));
    }
    Ok(of_namespace)
}

pub(crate) fn is_xs(node: Node<'_, '_>, local: &str) -> bool {
    node.tag_name().namespace() == Some(XS) && node.tag_name().name() == local
}

/// The child elements without annotations; all have to be of the schema language.
pub(crate) fn elements<'a>(node: Node<'a, 'a>) -> Result<Vec<Node<'a, 'a>>, Unusable> {
    let mut found = Vec::new();
    for child in node.children().filter(Node::is_element) {
        if child.tag_name().namespace() != Some(XS) {
            return Err(unknown(child));
        }
        if child.tag_name().name() != "annotation" {
            found.push(child);
        }
    }
    Ok(found)
}

/// Refuses attributes of the schema language that are not these.
pub(crate) fn known_attributes(node: Node<'_, '_>, known: &[&str]) -> Result<(), Unusable> {
    let other =
        node.attributes().find(|it| it.namespace().is_none() && !known.contains(&it.name()));
    match other {
        None => Ok(()),
        Some(it) => Err(Unusable::new(format!(
            "attribute `{}` of `xs:{}` is not supported",
            it.name(),
            node.tag_name().name()
        ))),
    }
}

pub(crate) fn unknown(node: Node<'_, '_>) -> Unusable {
    let of = node.parent_element().map(|it| it.tag_name().name().to_owned());
    let name = node.tag_name().name();
    Unusable::new(match of {
        Some(of) => format!("`{name}` in `xs:{of}` is not supported"),
        None => format!("`{name}` is not supported"),
    })
}

pub(crate) fn missing(node: Node<'_, '_>, attribute: &str) -> Unusable {
    Unusable::new(format!("`xs:{}` has no `{attribute}`", node.tag_name().name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(documents: &[(&str, &str)]) -> Result<usize, String> {
        let parsed: Vec<(String, Document<'_>)> = documents
            .iter()
            .map(|(name, text)| ((*name).to_owned(), parse(text).unwrap()))
            .collect();
        let found = Parts::read(&parsed, &[0]).map(|it| it.globals.len());
        found.map_err(|it| it.to_string())
    }

    const XMLNS: &str = "xmlns:xs='http://www.w3.org/2001/XMLSchema'";

    #[test]
    fn documents_are_put_together() {
        let main = format!(
            "<xs:schema {XMLNS} targetNamespace='a'><xs:annotation/><xs:include schemaLocation='x/Types.xsd'/>\
             <xs:import namespace='b'/><xs:import namespace='{XML}'/><xs:element name='e'/></xs:schema>"
        );
        let types = format!("<xs:schema {XMLNS}><xs:simpleType name='t'/></xs:schema>");
        let other =
            format!("<xs:schema {XMLNS} targetNamespace='b'><xs:element name='e'/></xs:schema>");
        assert_eq!(read(&[("main", &main), ("types", &types), ("b", &other)]), Ok(3));
        let error = read(&[("main", &main), ("b", &other)]).unwrap_err();
        assert!(error.contains("`x/Types.xsd` is included"), "{error}");
        let error = read(&[("main", &main), ("types", &types)]).unwrap_err();
        assert!(error.contains("namespace `b` is imported"), "{error}");
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (inside, expected) in [
            ("<xs:redefine/>", "`redefine` in `xs:schema` is not supported"),
            ("<xs:notation/>", "`notation` in `xs:schema` is not supported"),
            ("<x/>", "`x` in `xs:schema` is not supported"),
            ("<xs:element/>", "`xs:element` has no `name`"),
            ("<xs:element name='a'/><xs:element name='a'/>", "`a` is declared twice"),
        ] {
            let text = format!("<xs:schema {XMLNS}>{inside}</xs:schema>");
            assert_eq!(read(&[("main", &text)]).unwrap_err(), expected);
        }
        assert!(read(&[("main", "<a/>")]).unwrap_err().contains("no XML schema"));
        let text = format!("<xs:schema {XMLNS} blockDefault='#all'/>");
        assert!(read(&[("main", &text)]).unwrap_err().contains("blockDefault"));
    }

    #[test]
    fn entities_are_refused() {
        assert!(parse("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").is_err());
    }
}
