//! `System.Type`: what `GetType()` gives, its names only.
//! <https://learn.microsoft.com/dotnet/api/system.type>

use std::sync::Arc;

use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};

use super::object::TypeObject;

pub(crate) const TYPE: TypeDef = TypeDef::class(names::TYPE, MEMBERS);

const MEMBERS: &[Member] = &[
    Member::property("Name", Type::String, |args, _| {
        let (it,): (Arc<TypeObject>,) = args.get()?;
        Ok(name_of(it.0).into())
    })
    .doc("The name without namespace."),
    Member::property("FullName", Type::String, |args, _| {
        let (it,): (Arc<TypeObject>,) = args.get()?;
        Ok(it.0.full_name().into())
    })
    .doc("The name with namespace."),
    Member::property("Namespace", Type::String, |args, _| {
        let (it,): (Arc<TypeObject>,) = args.get()?;
        let name = it.0.full_name();
        let name = name.split('<').next().unwrap_or_default();
        Ok(name.rsplit_once('.').map(|(namespace, _)| namespace.to_owned()).into())
    }),
    Member::operator(
        "==",
        &[Type::named(names::TYPE), Type::named(names::TYPE)],
        Type::Bool,
        |args, _| Ok(args.value(0).equals(args.value(1)).into()),
    ),
    Member::operator(
        "!=",
        &[Type::named(names::TYPE), Type::named(names::TYPE)],
        Type::Bool,
        |args, _| Ok((!args.value(0).equals(args.value(1))).into()),
    ),
];

/// `Int32`, `String[]`, ``List`1``.
fn name_of(of: Type) -> String {
    match of {
        Type::Array(item) => format!("{}[]", name_of(*item)),
        Type::Named(name, arguments) => {
            let short = name.rsplit('.').next().unwrap_or(name);
            if arguments.is_empty() {
                short.to_owned()
            } else {
                format!("{short}`{}", arguments.len())
            }
        }
        other => {
            let name = other.full_name();
            name.rsplit('.').next().unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short() {
        for (of, expected) in [
            (Type::Int32, "Int32"),
            (Type::STRINGS, "String[]"),
            (Type::Named(names::LIST, &[Type::String]), "List`1"),
            (Type::named(names::URI), "Uri"),
        ] {
            assert_eq!(name_of(of), expected);
        }
    }
}
