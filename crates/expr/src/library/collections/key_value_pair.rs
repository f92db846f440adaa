//! `System.Collections.Generic.KeyValuePair<TKey, TValue>`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.keyvaluepair-2>

use dotnet::Str;

use crate::Runtime;
use crate::library::{Member, TypeDef, default_value};
use crate::types::{self, Type, names};
use crate::value::{Object, Value};

pub(crate) const TYPE: TypeDef = TypeDef::structure(names::KEYVALUEPAIR, MEMBERS).generic(2);

const SELF: Type = Type::Named(names::KEYVALUEPAIR, &[Type::T, Type::U]);

/// A pair.
#[derive(Clone, Debug)]
pub(crate) struct KeyValuePair {
    ty: Type,
    pub(crate) key: Value,
    pub(crate) value: Value,
}

impl KeyValuePair {
    /// A pair of static types.
    pub(crate) fn new(types: [Type; 2], key: Value, value: Value) -> Self {
        Self { ty: types::named(names::KEYVALUEPAIR, &types), key, value }
    }

    /// A pair of the pair type `ty`.
    pub(crate) const fn of(ty: Type, key: Value, value: Value) -> Self {
        Self { ty, key, value }
    }

    /// `default(KeyValuePair<K, V>)`.
    pub(crate) fn default_of(ty: Type) -> Self {
        let part = |index| ty.argument(index).map_or(Value::Null, default_value);
        Self { ty, key: part(0), value: part(1) }
    }
}

impl Object for KeyValuePair {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn to_text(&self, runtime: Runtime) -> Str {
        format!("[{}, {}]", self.key.to_str(runtime), self.value.to_str(runtime)).into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| {
            self.ty == it.ty && self.key.equals(&it.key) && self.value.equals(&it.value)
        }))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(self.key.hash_code().wrapping_mul(31).wrapping_add(self.value.hash_code()))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_print_and_compare_by_their_parts() {
        let pair = |value: i32| {
            Value::object(KeyValuePair::new([Type::String, Type::Int32], "k".into(), value.into()))
        };
        assert_eq!(pair(1).to_text(), "[k, 1]");
        assert!(pair(1).equals(&pair(1)) && !pair(1).equals(&pair(2)));
        let empty = KeyValuePair::default_of(pair(1).runtime_type());
        assert!(empty.key.is_null() && empty.value.equals(&Value::from(0)));
    }
}
