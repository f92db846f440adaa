//! The catalog: every .NET type that an expression can name.

/// Makes the types known, once in a process; before anything is compiled or read as a value.
pub(crate) fn load() {
    clr::rows::register(|| corelib::types().chain(library::types()).chain(crate::context::types()));
}

#[cfg(test)]
mod tests {
    use clr::rows;

    #[test]
    fn types_are_found_by_full_partial_and_short_name() {
        super::load();
        for written in ["System.Boolean", "Boolean"] {
            let found = rows::find_type(written, 0).map(|it| it.name);
            assert_eq!(found, Some("System.Boolean"), "{written}");
        }
        assert!(rows::find_type("Nothing", 0).is_none() && rows::find_type("oolean", 0).is_none());
    }

    #[test]
    fn every_type_has_its_own_name() {
        super::load();
        let mut names: Vec<&str> = rows::all().map(|it| it.name).collect();
        names.sort_unstable();
        let doubled: Vec<&[&str]> = names.windows(2).filter(|it| it[0] == it[1]).collect();
        assert!(doubled.is_empty() && names.len() > 100, "{doubled:?}");
    }
}
