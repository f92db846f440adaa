//! `System.ValueTuple`: <https://learn.microsoft.com/dotnet/api/system.valuetuple>
//!
//! What C# writes as `(a, b)`. Not on Azure's list; there where the options widen it. The compiler
//! knows items and their names; these rows are what is called by name.

use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Anonymous, Value};

/// Of any number of items; the name is that of the static class too.
pub(crate) const TYPE: TypeDef = TypeDef::structure(names::VALUETUPLE, MEMBERS)
    .bases(&[Type::named(names::ICOMPARABLE)])
    .unlisted();

const fn t(n: u8) -> Type {
    Type::TypeArg(n)
}

const fn m(n: u8) -> Type {
    Type::MethodArg(n)
}

macro_rules! rows {
    ($($of_type:expr, $of_method:expr;)*) => {
        const MEMBERS: &[Member] = &[
            $(
                Member::constructor($of_type, Type::Tuple($of_type, &[]), |args, _| {
                    Ok(make(args))
                }),
                Member::static_method(
                    "Create",
                    $of_method,
                    Type::Tuple($of_method, &[]),
                    |args, _| Ok(make(args)),
                ),
            )*
        ];
    };
}

rows! {
    &[t(0), t(1)], &[m(0), m(1)];
    &[t(0), t(1), t(2)], &[m(0), m(1), m(2)];
    &[t(0), t(1), t(2), t(3)], &[m(0), m(1), m(2), m(3)];
    &[t(0), t(1), t(2), t(3), t(4)], &[m(0), m(1), m(2), m(3), m(4)];
    &[t(0), t(1), t(2), t(3), t(4), t(5)], &[m(0), m(1), m(2), m(3), m(4), m(5)];
    &[t(0), t(1), t(2), t(3), t(4), t(5), t(6)], &[m(0), m(1), m(2), m(3), m(4), m(5), m(6)];
}

fn make(args: &Args<'_>) -> Value {
    Value::object(Anonymous::new(args.returns(), args.values().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_up_to_seven_items() {
        assert_eq!(MEMBERS.iter().filter(|it| it.name == "Create").count(), 6);
    }
}
