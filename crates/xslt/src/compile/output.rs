//! `xsl:output` (XSLT 1.0, section 16). Several of them count as one; the last value wins.

use super::Compiler;
use crate::names::is_space;
use crate::sheet::{Encoding, Method, Output};

impl Compiler<'_> {
    pub(super) fn output(&mut self, id: u32, output: &mut Output) {
        self.only(
            id,
            &[
                "method",
                "version",
                "encoding",
                "omit-xml-declaration",
                "standalone",
                "doctype-public",
                "doctype-system",
                "cdata-section-elements",
                "indent",
                "media-type",
            ],
        );
        if let Some(given) = self.given(id, "method") {
            match given.value.trim_matches(is_space) {
                "xml" => output.method = Some(Method::Xml),
                "html" => output.method = Some(Method::Html),
                "text" => output.method = Some(Method::Text),
                other => {
                    let message =
                        format!("`{other}` is no output method; `xml`, `html` and `text` are");
                    self.problem_in(given, message);
                }
            }
        }
        if let Some(given) = self.given(id, "encoding") {
            // One that is not known is UTF-8, as in .NET.
            output.encoding =
                Encoding::named(given.value.trim_matches(is_space)).unwrap_or_default();
        }
        if let Some(omits) = self.yes(id, "omit-xml-declaration") {
            output.omits_declaration = omits;
        }
        output.standalone = self.yes(id, "standalone").or(output.standalone);
        output.indent = self.yes(id, "indent").or(output.indent);
        let text = |given: super::Given<'_>| Some(given.value.to_owned());
        if let Some(given) = self.given(id, "doctype-public") {
            output.public = text(given);
        }
        if let Some(given) = self.given(id, "doctype-system") {
            output.system = text(given);
        }
        if let Some(given) = self.given(id, "media-type") {
            let is_right = given.value.contains('/')
                && given.value.bytes().all(|it| (b' '..=b'~').contains(&it));
            if !is_right {
                self.problem_in(given, "`media-type` must be a media type");
            }
            output.media_type = text(given);
        }
        if let Some(given) = self.given(id, "cdata-section-elements") {
            for word in given.value.split(is_space).filter(|it| !it.is_empty()) {
                // Here, as for elements, the default namespace counts.
                let value = super::Given { value: word, ..given };
                if let Some(mut name) = self.qualified(value) {
                    if !word.contains(':') {
                        let default = crate::names::Atom::EMPTY;
                        name.space =
                            crate::xpath::space_of(&self.spaces, default).unwrap_or_default();
                    }
                    output.cdata.push(name);
                }
            }
        }
    }
}
