//! `System.Nullable<T>`: <https://learn.microsoft.com/dotnet/api/system.nullable-1>
//!
//! The object of its members may be null, unlike that of all others.

use clr::exception::Exception;
use clr::rows::{Member, TypeDef, default_value};
use clr::types::Type;

pub(crate) const TYPE: TypeDef = TypeDef::structure("System.Nullable", MEMBERS).generic(1);

const EITHER: Type = Type::Nullable(&Type::M);

const MEMBERS: &[Member] = &[
    Member::static_method("Compare", &[EITHER, EITHER], Type::Int32, |args, _| {
        let [a, b] = args.take()?;
        Ok(match (a.is_null(), b.is_null()) {
            (true, true) => 0,
            (true, false) => -1,
            (false, true) => 1,
            _ => a.compare(&b).map_or(0, |it| it as i32),
        }
        .into())
    })
    .params(&["n1", "n2"])
    .of_structs()
    .doc("Null is less than any value."),
    Member::static_method("Equals", &[EITHER, EITHER], Type::Bool, |args, _| {
        let [a, b] = args.take()?;
        Ok(a.equals(&b).into())
    })
    .params(&["n1", "n2"])
    .of_structs(),
    Member::property("HasValue", Type::Bool, |args, _| Ok((!args.value(0).is_null()).into())),
    Member::property("Value", Type::T, |args, _| {
        let [it] = args.take()?;
        if it.is_null() {
            return Err(Exception::invalid_operation("Nullable object must have a value."));
        }
        Ok(it)
    }),
    Member::method("GetValueOrDefault", &[], Type::T, |args, _| {
        let [it] = args.take()?;
        Ok(if it.is_null() { default_value(args.returns()) } else { it })
    }),
    Member::method("GetValueOrDefault", &[Type::T], Type::T, |args, _| {
        let [it, other] = args.take()?;
        Ok(if it.is_null() { other } else { it })
    })
    .params(&["defaultValue"]),
    Member::constructor(&[Type::T], Type::Nullable(&Type::T), |args, _| {
        let [it] = args.take()?;
        Ok(it)
    })
    .params(&["value"]),
];

#[cfg(test)]
mod tests {
    #[test]
    fn a_nullable_has_the_rows_of_the_documentation() {
        assert_eq!(
            super::TYPE.members.iter().filter(|it| it.name == "GetValueOrDefault").count(),
            2
        );
    }
}
