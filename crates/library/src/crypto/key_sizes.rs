//! `System.Security.Cryptography.KeySizes`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.keysizes>
//!
//! Not on the list; listed members give arrays of it.

use std::sync::Arc;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Array, Object, Value};

const NAME: &str = "System.Security.Cryptography.KeySizes";
const INT: Type = Type::Int32;

/// `KeySizes`.
const KEY_SIZES: Type = Type::named(NAME);
/// `KeySizes[]`.
pub(super) const ALL: Type = Type::Array(&KEY_SIZES);

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS).unlisted();

/// The smallest size, the largest one, and the step between, in bits.
#[derive(Debug)]
struct KeySizes(i32, i32, i32);

impl Object for KeySizes {
    fn net_type(&self) -> Type {
        KEY_SIZES
    }
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[INT, INT, INT], KEY_SIZES, |args, _| {
        let (min, max, skip): (i32, i32, i32) = args.get()?;
        Ok(Value::object(KeySizes(min, max, skip)))
    })
    .params(&["minSize", "maxSize", "skipSize"]),
    Member::property("MinSize", INT, |args, _| Ok(own(args)?.0.into())),
    Member::property("MaxSize", INT, |args, _| Ok(own(args)?.1.into())),
    Member::property("SkipSize", INT, |args, _| Ok(own(args)?.2.into())),
];

fn own(args: &Args<'_>) -> Result<Arc<KeySizes>, Exception> {
    args.value(0).to_object().ok_or_else(Exception::null_reference)
}

/// An array of one range.
pub(super) fn value(min: i32, max: i32, skip: i32) -> Value {
    Value::Array(Arc::new(Array::new(KEY_SIZES, vec![Value::object(KeySizes(min, max, skip))])))
}

#[cfg(test)]
mod tests {
    use super::{KeySizes, value};

    #[test]
    fn an_array_has_one_range() {
        let clr::value::Value::Array(it) = value(128, 256, 64) else { panic!() };
        let first = it.get(0).unwrap();
        assert_eq!(
            first.as_object::<KeySizes>().map(|it| (it.0, it.1, it.2)),
            Some((128, 256, 64))
        );
    }
}
