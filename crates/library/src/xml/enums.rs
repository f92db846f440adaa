//! Enumerations of `System.Xml` and `System.Xml.Linq`:
//! <https://learn.microsoft.com/dotnet/api/system.xml.xmlnodetype>
//!
//! They are tables of names and numbers, so they share one file.

use clr::rows::TypeDef;
use clr::types::Type;

const NODE_TYPE_NAME: &str = "System.Xml.XmlNodeType";
const SAVE_NAME: &str = "System.Xml.Linq.SaveOptions";
const LOAD_NAME: &str = "System.Xml.Linq.LoadOptions";

/// `XmlNodeType`.
pub(super) const NODE_TYPE: Type = Type::named(NODE_TYPE_NAME);
/// `SaveOptions`.
pub(super) const SAVE: Type = Type::named(SAVE_NAME);
/// `LoadOptions`.
pub(super) const LOAD: Type = Type::named(LOAD_NAME);

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::enumeration(
        NODE_TYPE_NAME,
        &[
            ("None", 0),
            ("Element", 1),
            ("Attribute", 2),
            ("Text", 3),
            ("CDATA", 4),
            ("EntityReference", 5),
            ("Entity", 6),
            ("ProcessingInstruction", 7),
            ("Comment", 8),
            ("Document", 9),
            ("DocumentType", 10),
            ("DocumentFragment", 11),
            ("Notation", 12),
            ("Whitespace", 13),
            ("SignificantWhitespace", 14),
            ("EndElement", 15),
            ("EndEntity", 16),
            ("XmlDeclaration", 17),
        ],
    ),
    // Not on the list, but members that are take them.
    TypeDef::flags(
        SAVE_NAME,
        &[("None", 0), ("DisableFormatting", 1), ("OmitDuplicateNamespaces", 2)],
    )
    .unlisted(),
    TypeDef::flags(
        LOAD_NAME,
        &[("None", 0), ("PreserveWhitespace", 1), ("SetBaseUri", 2), ("SetLineInfo", 4)],
    )
    .unlisted(),
];

#[cfg(test)]
mod tests {
    use tree::xml::Kind;

    use super::TYPES;

    #[test]
    fn node_types_have_the_numbers_of_the_engine() {
        let kinds = [
            ("Element", Kind::Element),
            ("Attribute", Kind::Attribute),
            ("CDATA", Kind::CData),
            ("ProcessingInstruction", Kind::ProcessingInstruction),
            ("DocumentType", Kind::DocumentType),
        ];
        for (name, kind) in kinds {
            assert_eq!(TYPES[0].enum_value(name), Some(kind as i64));
        }
    }
}
