//! `System.Object`: <https://learn.microsoft.com/dotnet/api/system.object>
//!
//! Its instance members exist for every type.

use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;

pub(crate) const TYPE: TypeDef = TypeDef::class("System.Object", MEMBERS);

const MEMBERS: &[Member] = &[
    Member::constructor(&[], Type::Object, |_, _| Ok(Value::object(Plain))),
    Member::method("ToString", &[], Type::String, |args, cx| {
        let text = args.value(0).to_str(cx.runtime());
        cx.allocate(text.size())?;
        Ok(text.into())
    }),
    Member::method("Equals", &[Type::Object], Type::Bool, |args, _| {
        Ok(args.value(0).equals(args.value(1)).into())
    })
    .params(&["obj"]),
    #[expect(clippy::cast_possible_truncation, reason = "a hash may lose bits")]
    Member::method("GetHashCode", &[], Type::Int32, |args, _| {
        if args.value(0).is_null() {
            return Ok(Value::Int(0));
        }
        let hash = args.value(0).hash_code();
        Ok(i32::from_ne_bytes(((hash ^ (hash >> 32)) as u32).to_ne_bytes()).into())
    }),
    Member::static_method("Equals", &[Type::Object, Type::Object], Type::Bool, |args, _| {
        Ok(args.value(0).equals(args.value(1)).into())
    })
    .params(&["objA", "objB"]),
    Member::static_method(
        "ReferenceEquals",
        &[Type::Object, Type::Object],
        Type::Bool,
        |args, _| {
            let [a, b] = args.take()?;
            // Boxing makes a new object each time.
            Ok((!a.runtime_type().is_value_type() && a.is_same(&b)).into())
        },
    )
    .params(&["objA", "objB"]),
    Member::method("GetType", &[], Type::named(names::TYPE), |args, _| {
        Ok(Value::object(TypeObject(args.value(0).runtime_type())))
    }),
];

/// `new object()`.
#[derive(Debug)]
struct Plain;

impl clr::value::Object for Plain {
    fn net_type(&self) -> Type {
        Type::Object
    }
}

/// What `GetType()` gives.
#[derive(Debug)]
pub struct TypeObject(pub Type);

impl clr::value::Object for TypeObject {
    fn net_type(&self) -> Type {
        Type::named(names::TYPE)
    }

    fn to_text(&self, _: dotnet::Runtime) -> dotnet::Str {
        clr::types::clr_name(self.0).into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| it.0 == self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_value_prints_its_name() {
        assert_eq!(Value::object(TypeObject(Type::Int32)).to_text(), "System.Int32");
    }
}
