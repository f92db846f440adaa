//! Writing nodes as .NET's `XmlWriter` does: `<a />`, two spaces a level, mixed content as it is.
//!
//! Namespaces that no attribute declares are declared where they are first needed, after the
//! attributes; an attribute in a namespace without a prefix gets one (`p1`).

use super::Fault;
use super::arena::{Arena, Data};
use super::markup::{escape_attribute, escape_text};
use super::name::{Name, XML_NAMESPACE, XMLNS_NAMESPACE};
use super::scope::Scope;

pub(super) fn write(
    arena: &Arena,
    id: u32,
    indented: bool,
    without_doubles: bool,
) -> Result<String, Fault> {
    let mut writer = Writer {
        arena,
        out: String::new(),
        indented,
        without_doubles,
        level: 0,
        scope: Scope::of_ancestors(arena, id),
        written: vec![(String::new(), String::new(), false)],
    };
    match arena.get(id) {
        Some(Data::Attribute(name, value)) => writer.lone_attribute(name, value)?,
        _ => {
            writer.node(id, &mut false)?;
        }
    }
    Ok(writer.out)
}

struct Writer<'a> {
    arena: &'a Arena,
    out: String,
    indented: bool,
    /// Leaves out declarations of namespaces that hold already.
    without_doubles: bool,
    level: usize,
    /// What the attributes of the tree declare.
    scope: Scope,
    /// What has been declared in the text, and whether it still has to be written.
    written: Vec<(String, String, bool)>,
}

impl Writer<'_> {
    /// Writes a node; `mixed` is set once text stands among its siblings.
    fn node(&mut self, id: u32, mixed: &mut bool) -> Result<(), Fault> {
        let arena = self.arena;
        match arena.get(id) {
            Some(Data::Document(nodes, _)) => {
                for node in nodes {
                    self.node(*node, mixed)?;
                }
            }
            Some(Data::Element(_)) => {
                self.break_line(*mixed);
                self.element(id, *mixed)?;
            }
            Some(Data::Text(text)) => {
                *mixed = true;
                escape_text(&mut self.out, text)?;
            }
            Some(Data::CData(text)) => {
                *mixed = true;
                self.out.push_str("<![CDATA[");
                self.out.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
                self.out.push_str("]]>");
            }
            Some(Data::Comment(text)) => {
                self.break_line(*mixed);
                // Two hyphens would end the comment: they are set apart.
                let mut text = text.replace("--", "- -").replace("--", "- -");
                if text.ends_with('-') {
                    text.push(' ');
                }
                self.out.push_str(&format!("<!--{text}-->"));
            }
            Some(Data::Instruction(target, data)) => {
                self.break_line(*mixed);
                let space = if data.is_empty() { "" } else { " " };
                self.out.push_str(&format!("<?{target}{space}{data}?>"));
            }
            Some(Data::Type(it)) => {
                self.break_line(*mixed);
                self.out.push_str(&format!("<!DOCTYPE {}", it.name));
                match (&it.public_id, &it.system_id) {
                    (Some(public), system) => {
                        let system = system.as_deref().unwrap_or("");
                        self.out.push_str(&format!(" PUBLIC \"{public}\" \"{system}\""));
                    }
                    (None, Some(system)) => self.out.push_str(&format!(" SYSTEM \"{system}\"")),
                    (None, None) => self.out.push(' '),
                }
                if let Some(subset) = &it.internal_subset {
                    self.out.push_str(&format!("[{subset}]"));
                }
                self.out.push('>');
            }
            Some(Data::Attribute(..)) | None => {}
        }
        Ok(())
    }

    fn break_line(&mut self, mixed: bool) {
        if self.indented && !mixed && !self.out.is_empty() {
            self.out.push('\n');
            for _ in 0..self.level {
                self.out.push_str("  ");
            }
        }
    }

    fn element(&mut self, id: u32, mixed: bool) -> Result<(), Fault> {
        let Some(element) = self.arena.element(id) else { return Ok(()) };
        let (scope_mark, written_mark) = (self.scope.enter(self.arena, id), self.written.len());
        let tag = self.open_tag(&element.name);
        self.out.push('<');
        self.out.push_str(&tag);
        for attribute in &element.attributes {
            if let Some((name, value)) = self.arena.attribute(*attribute) {
                self.attribute(name, value, written_mark)?;
            }
        }
        for at in written_mark..self.written.len() {
            if let Some((prefix, namespace, pending)) = self.written.get_mut(at)
                && std::mem::take(pending)
            {
                let name =
                    if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
                let namespace = namespace.clone();
                self.out.push_str(&format!(" {name}=\""));
                escape_attribute(&mut self.out, &namespace)?;
                self.out.push('"');
            }
        }
        if element.is_empty {
            self.out.push_str(" />");
        } else {
            self.out.push('>');
            let mut inner_mixed = mixed;
            self.level += 1;
            for node in &element.nodes {
                self.node(*node, &mut inner_mixed)?;
            }
            self.level -= 1;
            if !element.nodes.is_empty() {
                self.break_line(inner_mixed);
            }
            self.out.push_str("</");
            self.out.push_str(&tag);
            self.out.push('>');
        }
        self.scope.leave(scope_mark);
        self.written.truncate(written_mark);
        Ok(())
    }

    /// The tag's name; notes a declaration that it needs.
    fn open_tag(&mut self, name: &Name) -> String {
        let namespace = &*name.namespace;
        let prefix = match namespace {
            "" => String::new(),
            XML_NAMESPACE => "xml".to_owned(),
            _ => match self.scope.prefix(namespace, true) {
                Some(prefix) => prefix.to_owned(),
                None => self.written_prefix(namespace, true).unwrap_or_default(),
            },
        };
        self.declare(&prefix, namespace);
        if prefix.is_empty() { name.local.to_string() } else { format!("{prefix}:{}", name.local) }
    }

    fn attribute(&mut self, name: &Name, value: &str, element_mark: usize) -> Result<(), Fault> {
        let is_declaration = name.is_declaration();
        let is_default = &*name.namespace != XMLNS_NAMESPACE;
        let prefix = if is_default { "" } else { &*name.local };
        if is_declaration && self.without_doubles && self.holds_before(prefix, value, element_mark)
        {
            return Ok(());
        }
        self.out.push(' ');
        let written_name = if is_declaration {
            self.note_declared(prefix, value, element_mark);
            if is_default { "xmlns".to_owned() } else { format!("xmlns:{prefix}") }
        } else {
            self.attribute_name(name)
        };
        self.out.push_str(&written_name);
        self.out.push_str("=\"");
        escape_attribute(&mut self.out, value)?;
        self.out.push('"');
        Ok(())
    }

    /// Do the elements around the one that began at a mark declare that already?
    fn holds_before(&self, prefix: &str, namespace: &str, element_mark: usize) -> bool {
        let (around, own) = self.written.split_at_checked(element_mark).unwrap_or_default();
        let innermost = around.iter().rev().find(|(it, _, _)| it == prefix);
        innermost.is_some_and(|(_, it, _)| it == namespace)
            && own.iter().all(|(it, own, _)| it != prefix || own == namespace)
    }

    fn attribute_name(&mut self, name: &Name) -> String {
        let namespace = &*name.namespace;
        let prefix = match namespace {
            "" => return name.local.to_string(),
            XML_NAMESPACE => "xml".to_owned(),
            _ => {
                let known = self.scope.prefix(namespace, false).map(str::to_owned);
                let known = known.or_else(|| self.written_prefix(namespace, false));
                known.unwrap_or_else(|| format!("p{}", self.written.len() - 1))
            }
        };
        self.declare(&prefix, namespace);
        format!("{prefix}:{}", name.local)
    }

    fn written_prefix(&self, namespace: &str, or_default: bool) -> Option<String> {
        let is_visible = |prefix: &str| {
            let innermost = self.written.iter().rev().find(|(own, _, _)| own == prefix);
            innermost.is_some_and(|(_, own, _)| own == namespace)
        };
        let fits = |(prefix, own, _): &&(String, String, bool)| {
            own == namespace && (or_default || !prefix.is_empty()) && is_visible(prefix)
        };
        self.written.iter().rev().find(fits).map(|(prefix, _, _)| prefix.clone())
    }

    /// Notes that a prefix is used; it has to be written if the text does not declare it yet.
    fn declare(&mut self, prefix: &str, namespace: &str) {
        if prefix == "xml" {
            return;
        }
        let innermost = self.written.iter().rev().find(|(own, _, _)| own == prefix);
        let is_known = innermost.is_some_and(|(_, own, _)| own == namespace);
        self.written.push((prefix.to_owned(), namespace.to_owned(), !is_known));
    }

    /// Notes that an attribute declares a prefix: what was to be written for it is.
    fn note_declared(&mut self, prefix: &str, namespace: &str, element_mark: usize) {
        for (own, own_namespace, pending) in self.written.iter_mut().skip(element_mark) {
            if own == prefix && own_namespace == namespace {
                *pending = false;
            }
        }
        self.written.push((prefix.to_owned(), namespace.to_owned(), false));
    }

    fn lone_attribute(&mut self, name: &Name, value: &str) -> Result<(), Fault> {
        let written = if &*name.namespace == XMLNS_NAMESPACE {
            format!("xmlns:{}", name.local)
        } else {
            self.attribute_name(name)
        };
        self.out.push_str(&written);
        self.out.push_str("=\"");
        escape_attribute(&mut self.out, value)?;
        self.out.push('"');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::xml::{Name, Node, ParseOptions, Root, parse};

    fn both(text: &str) -> (String, String) {
        let node = parse(text, Root::Element, &ParseOptions::default()).unwrap();
        (node.to_xml(false).unwrap(), node.to_xml(true).unwrap())
    }

    #[test]
    fn elements_are_indented_but_mixed_content_is_not() {
        let (plain, indented) = both("<a><b>1</b><c><d/></c></a>");
        assert_eq!(plain, "<a><b>1</b><c><d /></c></a>");
        assert_eq!(indented, "<a>\n  <b>1</b>\n  <c>\n    <d />\n  </c>\n</a>");
        assert_eq!(both("<a>text<b><c/></b></a>").1, "<a>text<b><c /></b></a>");
        assert_eq!(both("<a><b/>text<c/></a>").1, "<a>\n  <b />text<c /></a>");
        assert_eq!(both("<a></a>").1, "<a></a>");
        assert_eq!(both("<a><!--c--><b/></a>").1, "<a>\n  <!--c-->\n  <b />\n</a>");
    }

    #[test]
    fn namespaces_are_declared_where_they_are_needed() {
        let name = |text| Name::parse(text).unwrap();
        let a = Node::element(name("{urn:x}a"));
        a.add(Node::element(name("{urn:x}b"))).unwrap();
        a.add(Node::element(name("c"))).unwrap();
        assert_eq!(a.to_xml(false).unwrap(), "<a xmlns=\"urn:x\"><b /><c xmlns=\"\" /></a>");

        let prefix = Name::parse("{http://www.w3.org/2000/xmlns/}p").unwrap();
        a.add(Node::attribute(prefix, "urn:x")).unwrap();
        assert_eq!(a.to_xml(false).unwrap(), "<p:a xmlns:p=\"urn:x\"><p:b /><c /></p:a>");

        let e = Node::element(name("e"));
        e.add(Node::attribute(name("{urn:y}k"), "v")).unwrap();
        assert_eq!(e.to_xml(false).unwrap(), "<e p1:k=\"v\" xmlns:p1=\"urn:y\" />");
    }

    #[test]
    fn a_part_of_a_tree_declares_what_it_inherits() {
        let text = "<s:a xmlns:s=\"urn:s\"><s:b><c/></s:b></s:a>";
        let node = parse(text, Root::Element, &ParseOptions::default()).unwrap();
        assert_eq!(node.to_xml(false).unwrap(), text.replace("<c/>", "<c />"));
        let inner = node.elements(None).remove(0);
        assert_eq!(inner.to_xml(false).unwrap(), "<s:b xmlns:s=\"urn:s\"><c /></s:b>");
    }
}
