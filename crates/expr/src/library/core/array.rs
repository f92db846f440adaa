//! `System.Array`: <https://learn.microsoft.com/dotnet/api/system.array>

use crate::library::{Member, TypeDef};
use crate::types::{Type, names};
use crate::value::Value;

pub(crate) const TYPE: TypeDef =
    TypeDef::class(names::ARRAY, MEMBERS).bases(&[Type::named(names::IENUMERABLE_PLAIN)]);

const MEMBERS: &[Member] = &[Member::property("Length", Type::Int32, |args, _| {
    let length = match args.value(0) {
        Value::Bytes(it) => it.len(),
        Value::Array(it) => it.len(),
        _ => 0,
    };
    Ok(i32::try_from(length).unwrap_or(i32::MAX).into())
})];

#[cfg(test)]
mod tests {
    #[test]
    fn arrays_have_a_length() {
        assert!(super::TYPE.members.iter().any(|it| it.name == "Length"));
    }
}
