//! The explanations of all diagnostic codes, from the tables of the crates that raise them.

use document::CodeEntry;

/// Every table.
const TABLES: &[&[CodeEntry]] =
    &[document::codes::CODES, pipeline::codes::CODES, config::codes::CODES];

/// The entry of a code, in any letter case.
pub(crate) fn find(code: &str) -> Option<&'static CodeEntry> {
    document::codes::find(TABLES, code)
}

/// All entries, ordered by code.
pub(crate) fn all() -> Vec<&'static CodeEntry> {
    document::codes::all(TABLES)
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn codes_are_unique_and_explained() {
        let codes: Vec<&str> = all().iter().map(|it| it.code.as_str()).collect();
        let mut unique = codes.clone();
        unique.dedup();
        assert_eq!(codes, unique);
        for entry in all() {
            assert!(entry.explanation.len() > 20, "{} is not explained", entry.code);
        }
    }
}
