//! `KeyValuePair<TKey, TValue>`: what dictionaries are enumerated as.

use dotnet::{Runtime, Str};

use super::{Object, Value};
use crate::rows::default_value;
use crate::types::{self, Type, names};

/// A pair.
#[derive(Clone, Debug)]
pub struct KeyValuePair {
    ty: Type,
    /// `Key`.
    pub key: Value,
    /// `Value`.
    pub value: Value,
}

impl Drop for KeyValuePair {
    fn drop(&mut self) {
        super::release([std::mem::take(&mut self.key), std::mem::take(&mut self.value)]);
    }
}

impl KeyValuePair {
    /// A pair of static types.
    #[must_use]
    pub fn new(types: [Type; 2], key: Value, value: Value) -> Self {
        Self { ty: types::named(names::KEYVALUEPAIR, &types), key, value }
    }

    /// A pair of the pair type `ty`.
    #[must_use]
    pub const fn of(ty: Type, key: Value, value: Value) -> Self {
        Self { ty, key, value }
    }

    /// `default(KeyValuePair<K, V>)`.
    #[must_use]
    pub fn default_of(ty: Type) -> Self {
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
