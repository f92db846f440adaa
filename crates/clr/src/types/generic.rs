//! How .NET writes generic types.

use super::Type;

/// The name that `ToString()` of a generic collection gives: `Dictionary`2[System.String,...]`.
#[must_use]
pub fn clr_name(of: Type) -> String {
    match of {
        Type::Named(name, arguments) if !arguments.is_empty() => {
            let list: Vec<String> = arguments.iter().map(|it| clr_name(*it)).collect();
            format!("{name}`{}[{}]", arguments.len(), list.join(","))
        }
        Type::Tuple(items, _) => {
            let list: Vec<String> = items.iter().map(|it| clr_name(*it)).collect();
            format!("System.ValueTuple`{}[{}]", items.len(), list.join(","))
        }
        Type::Nullable(it) => format!("System.Nullable`1[{}]", clr_name(*it)),
        Type::Array(it) => format!("{}[]", clr_name(*it)),
        other => other.full_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{named, names};

    #[test]
    fn generic_names_carry_their_arity() {
        let list = named(names::LIST, &[Type::STRINGS]);
        assert_eq!(clr_name(list), "System.Collections.Generic.List`1[System.String[]]");
    }
}
