//! Declaration, processing instructions, document type.

use super::{Parser, Read, lines};

impl Parser<'_, '_> {
    pub(super) fn declaration(&mut self) -> Read<()> {
        self.at += 5;
        let Some(length) = self.rest().find("?>") else {
            return self.error(self.text.len(), "Unexpected end of file has occurred.");
        };
        let end = self.at + length;
        let mut n_seen = 0;
        while self.space() && self.at < end {
            let name = self.name()?;
            self.space();
            if !self.take("=") {
                return self.unexpected("'='");
            }
            self.space();
            let (value, _) = self.quoted()?;
            let is_right = match name {
                "version" => n_seen == 0 && value.starts_with("1."),
                "encoding" => n_seen == 1 && !value.is_empty(),
                "standalone" => n_seen >= 1 && matches!(value, "yes" | "no"),
                _ => false,
            };
            if !is_right {
                return self.error(self.at, "Syntax for an XML declaration is invalid.");
            }
            n_seen += 1;
        }
        if n_seen == 0 || !self.take("?>") {
            return self.error(self.at, "Syntax for an XML declaration is invalid.");
        }
        Ok(())
    }

    pub(super) fn instruction(&mut self) -> Read<()> {
        let start = self.at;
        self.at += 2;
        let target = self.name()?;
        if target.eq_ignore_ascii_case("xml") {
            return self.error(start + 2, "Unexpected XML declaration. The XML declaration must be the first node in the document, and no whitespace characters are allowed to appear before it.");
        }
        if !self.space() && !self.rest().starts_with("?>") {
            return self.unexpected("'?>'");
        }
        let inner = self.until("?>", "PI")?;
        self.count()?;
        let target = self.names.atom(target);
        let inner = lines(inner, &mut self.buffer);
        self.builder.instruction(target, inner);
        self.placed(start, start + 2);
        Ok(())
    }

    /// A document type; declarations of entities are refused.
    pub(super) fn document_type(&mut self) -> Read<()> {
        if self.has_root || !self.open.is_empty() {
            return self.error(self.at, "Unexpected DTD declaration.");
        }
        self.space();
        self.name()?;
        self.space();
        if self.take("PUBLIC") {
            self.space();
            self.quoted()?;
            self.space();
            self.quoted()?;
        } else if self.take("SYSTEM") {
            self.space();
            self.quoted()?;
        }
        self.space();
        if self.take("[") {
            let start = self.at;
            let subset = self.until("]", "DTD")?;
            if subset.contains("<!ENTITY") || subset.contains('%') {
                return self.error(
                    start,
                    "For security reasons entities cannot be declared in this XML document.",
                );
            }
            self.space();
        }
        if self.take(">") { Ok(()) } else { self.unexpected("'>'") }
    }
}
