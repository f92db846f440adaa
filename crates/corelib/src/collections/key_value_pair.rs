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
];
