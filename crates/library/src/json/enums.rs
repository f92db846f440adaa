//! Enumerations of `Newtonsoft.Json`: <https://www.newtonsoft.com/json/help/html/N_Newtonsoft_Json.htm>
//!
//! They are tables of names and numbers, so they share one file.

use clr::rows::TypeDef;
use clr::types::names;

const FORMATTING_DOCS: &str =
    "https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Formatting.htm";
const TOKEN_TYPE_DOCS: &str =
    "https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JTokenType.htm";

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::enumeration(names::FORMATTING, &[("None", 0), ("Indented", 1)]).docs(FORMATTING_DOCS),
    TypeDef::enumeration(
        names::JTOKENTYPE,
        &[
            ("None", 0),
            ("Object", 1),
            ("Array", 2),
            ("Constructor", 3),
            ("Property", 4),
            ("Comment", 5),
            ("Integer", 6),
            ("Float", 7),
            ("String", 8),
            ("Boolean", 9),
            ("Null", 10),
            ("Undefined", 11),
            ("Date", 12),
            ("Raw", 13),
            ("Bytes", 14),
            ("Guid", 15),
            ("Uri", 16),
            ("TimeSpan", 17),
        ],
    )
    .docs(TOKEN_TYPE_DOCS),
    TypeDef::enumeration(
        "Newtonsoft.Json.Linq.MergeArrayHandling",
        &[("Concat", 0), ("Union", 1), ("Replace", 2), ("Merge", 3)],
    )
    .unlisted(),
    TypeDef::flags("Newtonsoft.Json.Linq.MergeNullValueHandling", &[("Ignore", 0), ("Merge", 1)])
        .unlisted(),
    TypeDef::enumeration("Newtonsoft.Json.NullValueHandling", &[("Include", 0), ("Ignore", 1)])
        .unlisted(),
    TypeDef::enumeration(
        "Newtonsoft.Json.DateParseHandling",
        &[("None", 0), ("DateTime", 1), ("DateTimeOffset", 2)],
    )
    .unlisted(),
];

#[cfg(test)]
mod tests {
    use clr::types::names;
    use tree::json::Kind;

    use super::TYPES;

    #[test]
    fn token_types_have_the_numbers_of_the_engine() {
        let def = TYPES.iter().find(|it| it.name == names::JTOKENTYPE).unwrap();
        for kind in Kind::ALL {
            assert_eq!(def.enum_value(kind.name()), Some(kind as i64));
        }
    }
}
