//! `System.Collections.Generic.KeyValuePair<TKey, TValue>`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.keyvaluepair-2>

use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{KeyValuePair, Value};

pub(crate) const TYPE: TypeDef = TypeDef::structure(names::KEYVALUEPAIR, MEMBERS).generic(2);

const SELF: Type = Type::Named(names::KEYVALUEPAIR, &[Type::T, Type::U]);

const MEMBERS: &[Member] = &[
    Member::constructor(&[Type::T, Type::U], SELF, |args, _| {
        let [key, value] = args.take()?;
        Ok(Value::object(KeyValuePair::of(args.returns(), key, value)))
    })
    .params(&["key", "value"]),
    Member::property("Key", Type::T, |args, _| {
        Ok(args.value(0).as_object::<KeyValuePair>().map_or(Value::Null, |it| it.key.clone()))
    }),
    Member::property("Value", Type::U, |args, _| {
        Ok(args.value(0).as_object::<KeyValuePair>().map_or(Value::Null, |it| it.value.clone()))
    }),
    Member::method(
        "Deconstruct",
        &[Type::Out(&Type::T), Type::Out(&Type::U)],
        Type::Void,
        |args, _| {
            let pair = args.value(0).as_object::<KeyValuePair>();
            let parts = pair.map(|it| (it.key.clone(), it.value.clone()));
            let (key, value) = parts.unwrap_or_default();
            args.set_out(1, key);
            args.set_out(2, value);
            Ok(Value::Null)
        },
    )
    .params(&["key", "value"]),
];
