//! Codes of diagnostics: the mechanism for all crates, and the tables of this one.
//!
//! A code is stable: it never changes its meaning, and one that is gone is not given away again.
//!
//! | Class | About |
//! |---|---|
//! | `PC01xx` | syntax of the document |
//! | `PC02xx` | references: named values, fragments, backends |
//! | `PC03xx` | expressions |
//! | `PC04xx` | policies: unknown, misplaced, attributes |
//! | `PC05xx` | configuration entities |
//!
//! Each crate declares its own with [`codes!`](crate::codes!); [`find`] looks through all tables.

/// The name of a kind of problem, such as `PC0102`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    /// Makes a code from its name. Tables are made with [`codes!`](crate::codes!).
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name, such as `PC0102`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// One row of a table of codes.
#[derive(Debug, Clone, Copy)]
pub struct CodeEntry {
    /// The code.
    pub code: Code,
    /// One line without a full stop.
    pub summary: &'static str,
    /// Some sentences: what it means, why it is refused and the way out.
    pub explanation: &'static str,
}

/// Finds the row of `code` (any letter case) in `tables`.
pub fn find<'t>(tables: &[&'t [CodeEntry]], code: &str) -> Option<&'t CodeEntry> {
    all(tables).into_iter().find(|it| it.code.as_str().eq_ignore_ascii_case(code.trim()))
}

/// Every row of `tables`, ordered by code.
pub fn all<'t>(tables: &[&'t [CodeEntry]]) -> Vec<&'t CodeEntry> {
    let mut rows: Vec<&CodeEntry> = tables.iter().flat_map(|it| it.iter()).collect();
    rows.sort_by_key(|it| it.code);
    rows
}

/// Declares codes and their table: one constant per code, and `CODES` with a row for each.
///
/// ```
/// mod codes {
///     portcullis_document::codes! {
///         TOO_SHORT = "PC0999": "text is too short", "Write a longer one.";
///     }
/// }
/// assert_eq!(codes::TOO_SHORT.as_str(), "PC0999");
/// assert_eq!(codes::CODES.len(), 1);
/// ```
#[macro_export]
macro_rules! codes {
    ($($name:ident = $code:literal: $summary:literal, $explanation:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $summary, ".")]
            pub const $name: $crate::Code = $crate::Code::new($code);
        )*
        /// A row for each code of this crate.
        pub const CODES: &[$crate::CodeEntry] = &[
            $($crate::CodeEntry { code: $name, summary: $summary, explanation: $explanation },)*
        ];
    };
}

codes! {
    TOO_LARGE = "PC0101": "document is too large",
        "A policy document may have 4 MiB at most. Move parts of it to policy fragments.";
    ELEMENT_NOT_CLOSED = "PC0102": "element is not closed",
        "Every element ends with its end tag, such as `</inbound>`, or is written `<base />`.";
    STRAY_END_TAG = "PC0103": "end tag closes nothing",
        "No element with this name is open here. Remove the end tag or add the start tag.";
    TAG_NOT_CLOSED = "PC0104": "tag is not closed",
        "A tag ends with `>` or `/>`.";
    UNEXPECTED_IN_TAG = "PC0105": "unexpected text inside a tag",
        "After the name of an element, a tag holds attributes, each written `name=\"value\"`.";
    ATTRIBUTE_WITHOUT_VALUE = "PC0106": "attribute has no value",
        "An attribute is written `name=\"value\"`.";
    VALUE_WITHOUT_QUOTES = "PC0107": "attribute value has no quotes",
        "Attribute values stand in double or single quotes. Only a value that is one named value, \
         such as `tenant-id={{tenant}}`, may do without.";
    VALUE_NOT_CLOSED = "PC0108": "attribute value is not closed",
        "The quote that opens an attribute value is never followed by its partner and then another \
         attribute or the end of the tag.";
    EXPRESSION_NOT_CLOSED = "PC0109": "expression is not closed",
        "A bracket, string, character literal or comment inside `@(...)` or `@{...}` is left open, \
         so the end of the expression cannot be found. Brackets are counted by the rules of C#.";
    TEXT_AFTER_EXPRESSION = "PC0110": "text after policy expression",
        "A value is a literal or one expression as a whole. Put the text into the expression: \
         `@(\"Bearer \" + token)`.";
    DUPLICATE_ATTRIBUTE = "PC0111": "attribute is given twice",
        "An element has each attribute at most once.";
    STRAY_ANGLE = "PC0112": "`<` starts no tag",
        "Outside of expressions and of `set-body`, write `&lt;` for the character `<`.";
    MARKUP_NOT_CLOSED = "PC0113": "comment, CDATA section or processing instruction is not closed",
        "A comment ends with `-->`, a CDATA section with `]]>`, a processing instruction with `?>`.";
    DECLARATION_REFUSED = "PC0114": "declarations are refused",
        "Document type and entity declarations have no use in a policy document and are a known \
         attack on XML readers. Remove the declaration.";
    TEXT_OUTSIDE = "PC0115": "text outside of the root element",
        "Only comments and white space may stand around the root element.";
    ROOT_ELEMENT = "PC0116": "document has no root element, or several",
        "A policy document has one root element, `<policies>` or `<fragment>`.";
    TOO_DEEP = "PC0117": "elements are nested too deeply",
        "Elements may be nested 200 deep.";
    ENTITIES_IN_EXPRESSION = "PC0118": "escaped characters in an unescaped expression",
        "The document is written unescaped, but this expression holds `&quot;`, `&lt;`, `&gt;`, \
         `&amp;` or `&apos;` outside of its string literals, where C# has no use for them. They are \
         read as the characters they stand for. Write the characters themselves.";
    GAVE_UP = "PC0119": "too many problems",
        "The document has so many problems that reading it further makes no sense.";
    ANGLE_IN_VALUE = "PC0120": "`<` in an attribute value",
        "Outside of expressions, write `&lt;` for `<` in an attribute value. Often a quote is \
         missing instead.";
    CONTROL_CHARACTER = "PC0121": "character is not allowed",
        "XML has no control characters other than tab, line feed and carriage return.";

    UNKNOWN_FRAGMENT = "PC0201": "unknown policy fragment",
        "`include-fragment` names a fragment that does not exist. Fragments stand in \
         `policy fragments/<name>/policy.xml`.";
    UNKNOWN_BACKEND = "PC0202": "unknown backend",
        "`set-backend-service` names a backend that does not exist. Backends stand in \
         `backends/<name>/backendInformation.json`.";
    UNKNOWN_CERTIFICATE = "PC0203": "unknown certificate",
        "A policy names a certificate that does not exist.";
    UNKNOWN_NAMED_VALUE = "PC0204": "unknown named value",
        "A policy refers to `{{name}}`, but no named value has this display name. Named values \
         stand in `named values/<id>/namedValueInformation.json` or in `named-values:` of \
         `portcullis.yaml`. Names are case-sensitive.";
    UNREADABLE_NAMED_VALUE = "PC0205": "named value cannot be read",
        "The named value exists, but the place that holds it (environment variable, file or Key \
         Vault) does not give it. Its content is never shown.";
    SECRET_CHANGES_CODE = "PC0206": "secret changes the code around it",
        "Named values are put into expressions as text. This secret holds a quote, a backslash, a \
         bracket or a line break, which ends the string literal or the expression it stands in. \
         Change the secret, or read it from a literal attribute into a variable first.";
    UNKNOWN_LOGGER = "PC0207": "unknown logger",
        "`log-to-eventhub` names a logger that does not exist. Loggers stand in \
         `loggers/<name>/loggerInformation.json` or in `loggers:` of `portcullis.yaml`.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_the_classes_of_this_crate() {
        let rows = all(&[CODES]);
        assert!(rows.iter().zip(rows.iter().skip(1)).all(|(a, b)| a.code != b.code));
        for row in rows {
            let name = row.code.as_str();
            assert!(name.len() == 6 && (name.starts_with("PC01") || name.starts_with("PC02")));
            assert!(!row.summary.is_empty() && !row.summary.ends_with('.'), "{name}");
            assert!(row.explanation.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn a_code_is_found_in_any_letter_case() {
        assert_eq!(find(&[CODES], " pc0102 ").unwrap().code, ELEMENT_NOT_CLOSED);
        assert!(find(&[CODES], "PC9999").is_none());
    }
}
