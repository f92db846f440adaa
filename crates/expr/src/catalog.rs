//! The catalog: every .NET type that an expression can name.

/// Makes the types known, once in a process; before anything is compiled or read as a value.
pub fn load() {
    clr::rows::register(|| corelib::types().chain(library::types()).chain(context::types()));
}

#[cfg(test)]
mod tests {
    use clr::rows::{self, MemberKind};
    use clr::types::Type;

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

    /// Operators as .NET names them, and as rows do.
    const OPERATORS: &[(&str, &str)] = &[
        ("op_Addition", "+"),
        ("op_Subtraction", "-"),
        ("op_UnaryNegation", "-"),
        ("op_UnaryPlus", "+"),
        ("op_Multiply", "*"),
        ("op_Division", "/"),
        ("op_Modulus", "%"),
        ("op_Equality", "=="),
        ("op_Inequality", "!="),
        ("op_LessThan", "<"),
        ("op_LessThanOrEqual", "<="),
        ("op_GreaterThan", ">"),
        ("op_GreaterThanOrEqual", ">="),
        ("op_Increment", "++"),
        ("op_Decrement", "--"),
    ];

    /// Is there a row, of the type or of what it derives from?
    fn has(def: &'static rows::TypeDef, member: &str) -> bool {
        let own = def.members.iter().any(|it| match it.kind {
            MemberKind::Constructor => member == ".ctor",
            MemberKind::Indexer => member == "Item" || member == "Chars",
            MemberKind::Implicit => member == "op_Implicit",
            MemberKind::Explicit => member == "op_Explicit",
            MemberKind::Operator => OPERATORS.contains(&(member, it.name)),
            _ => it.name == member,
        });
        // The compiler knows arithmetic and comparison of simple types without rows.
        let simple = rows::type_of(def, &[]).is_simple()
            || matches!(rows::type_of(def, &[]), Type::String | Type::Guid)
            || matches!(
                rows::type_of(def, &[]),
                Type::DateTime | Type::DateTimeOffset | Type::TimeSpan
            );
        let named = match def.kind {
            rows::TypeKind::Enum { values, .. } => values.iter().any(|it| it.0 == member),
            _ => false,
        };
        own || named
            // ... and conversions to and from `T?`.
            || ((simple || def.name == "System.Nullable") && member.starts_with("op_"))
            || rows::base_types(rows::type_of(def, &[]))
                .into_iter()
                .filter_map(|it| rows::definition(it.definition_name()?))
                .any(|it| has(it, member))
    }

    #[test]
    fn every_type_and_member_of_the_allow_list_is_here_or_listed_with_a_reason() {
        super::load();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let allowed = std::fs::read_to_string(folder.join("data/allow-list.txt")).unwrap();
        let list = folder.join("pass/allow-list.txt");
        let listed = std::fs::read_to_string(&list).unwrap_or_default();
        let reasons: std::collections::BTreeMap<&str, &str> = listed
            .lines()
            .filter(|it| !it.starts_with('#'))
            .filter_map(|it| it.split_once(' '))
            .collect();
        let mut missing = Vec::new();
        for line in allowed.lines().filter(|it| !it.starts_with('#')) {
            let Some((name, members)) = line.split_once(": ") else { continue };
            let Some(def) = rows::definition(name) else {
                missing.push(name.to_owned());
                continue;
            };
            let absent = members.split(' ').filter(|it| !it.is_empty() && !has(def, it));
            missing.extend(absent.map(|it| format!("{name}.{it}")));
        }
        if std::env::var_os("UPDATE_PASS_LISTS").is_some() {
            let head =
                "# Members of the allow-list that are not here. This list may only shrink.\n";
            let line = |it: &String| {
                let reason = reasons.get(it.as_str()).copied().unwrap_or("?");
                format!("{it} {reason}\n")
            };
            let text: String = missing.iter().map(line).collect();
            std::fs::write(&list, head.to_owned() + &text).unwrap();
            return;
        }
        let new: Vec<&String> =
            missing.iter().filter(|it| !reasons.contains_key(it.as_str())).collect();
        assert!(new.is_empty(), "neither here nor in {}: {new:?}", list.display());
        let done: Vec<&&str> =
            reasons.keys().filter(|it| !missing.iter().any(|own| own == **it)).collect();
        assert!(done.is_empty(), "these are here now, take them off the list: {done:?}");
    }
}
