//! Reading what may stand before the root element: declaration, instructions, document type.

use std::sync::Arc;

use super::Fault;
use super::arena::Data;
use super::node::{Declaration, DocumentType};
use super::parser::Parser;
use super::values::normal;

impl Parser<'_> {
    pub(super) fn declaration(&mut self) -> Result<(), Fault> {
        self.at += 5;
        let mut declaration = Declaration { version: None, encoding: None, standalone: None };
        while self.space() && !self.rest().starts_with("?>") {
            let name = self.name()?;
            let value = Some(self.quoted_value()?.to_string());
            match name {
                "version" => declaration.version = value,
                "encoding" => declaration.encoding = value,
                "standalone" => declaration.standalone = value,
                _ => return self.error("Syntax for an XML declaration is invalid."),
            }
        }
        if !self.take("?>") || declaration.version.is_none() {
            return self.error("Syntax for an XML declaration is invalid.");
        }
        if let Some(Data::Document(_, own)) = self.arena.get_mut(self.document) {
            *own = Some(Arc::new(declaration));
        }
        Ok(())
    }

    pub(super) fn instruction(&mut self) -> Result<(), Fault> {
        let target = self.name()?;
        if target.eq_ignore_ascii_case("xml") {
            return self.error("Unexpected XML declaration. The XML declaration must be the first node in the document, and no white space characters are allowed to appear before it.");
        }
        self.space();
        let data = self.until("?>", "PI")?;
        self.add(Data::Instruction(Arc::from(target), normal(data)))
    }

    /// A document type; declarations of entities are refused.
    pub(super) fn document_type(&mut self) -> Result<(), Fault> {
        let has_root =
            !self.arena.nodes(self.document).iter().all(|it| self.arena.element(*it).is_none());
        if has_root || !self.open.is_empty() {
            return self.error("Unexpected DTD declaration.");
        }
        self.space();
        let name = self.name()?.to_owned();
        self.space();
        let (mut public_id, mut system_id, mut internal_subset) = (None, None, Some(String::new()));
        if self.take("PUBLIC") {
            self.space();
            public_id = Some(self.quoted()?.to_owned());
            self.space();
            system_id = Some(self.quoted()?.to_owned());
        } else if self.take("SYSTEM") {
            self.space();
            system_id = Some(self.quoted()?.to_owned());
        }
        self.space();
        if self.take("[") {
            let subset = self.until("]", "DTD")?;
            if subset.contains("<!ENTITY") || subset.contains('%') {
                return self.error(
                    "For security reasons entities cannot be declared in this XML document.",
                );
            }
            internal_subset = Some(subset.to_owned());
            self.space();
        }
        if !self.take(">") {
            return self.error("Expected DTD markup was not found.");
        }
        let it = DocumentType { name, public_id, system_id, internal_subset };
        self.add(Data::Type(Arc::new(it)))
    }
}

#[cfg(test)]
mod tests {
    use crate::xml::{ParseOptions, Root, parse};

    #[test]
    fn a_declaration_and_a_document_type_are_kept() {
        let text =
            "<?xml version='1.0' standalone='yes'?><!DOCTYPE a SYSTEM 'a.dtd' [<!-- x -->]><a/>";
        let document = parse(text, Root::Document, &ParseOptions::default()).unwrap();

        let declaration = document.declaration().unwrap();
        assert_eq!(declaration.standalone.as_deref(), Some("yes"));
        let kind = document.nodes()[0].type_of_document().unwrap();
        assert_eq!((kind.name.as_str(), kind.system_id.as_deref()), ("a", Some("a.dtd")));
    }

    #[test]
    fn a_declaration_without_a_version_is_refused() {
        for text in ["<?xml encoding='utf-8'?><a/>", "<a/><?xml version='1.0'?>"] {
            assert!(parse(text, Root::Document, &ParseOptions::default()).is_err());
        }
    }
}
