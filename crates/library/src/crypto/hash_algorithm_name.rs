//! `System.Security.Cryptography.HashAlgorithmName`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.hashalgorithmname>

use clr::rows::{Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::crypto::{Fault, Hash, cryptographic};
use dotnet::{Runtime, Str};

const NAME: &str = "System.Security.Cryptography.HashAlgorithmName";

/// `HashAlgorithmName`.
pub(super) const HASH_NAME: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::structure(NAME, MEMBERS).zero(|_| value(None));

/// The name of an algorithm as an object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HashName(Option<Str>);

impl Object for HashName {
    fn net_type(&self) -> Type {
        HASH_NAME
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.0.clone().unwrap_or(Str::EMPTY)
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>() == Some(self))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(self.0.as_ref().map_or(0, |it| Value::from(it.clone()).hash_code()))
    }
}

const fn known(name: &'static str, call: clr::rows::Call) -> Member {
    Member::static_property(name, HASH_NAME, call)
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[Type::String], HASH_NAME, |args, _| {
        let text: Option<Str> = args.arg(0)?;
        Ok(value(text))
    })
    .params(&["name"]),
    known("MD5", |_, _| Ok(fixed("MD5"))),
    known("SHA1", |_, _| Ok(fixed("SHA1"))),
    known("SHA256", |_, _| Ok(fixed("SHA256"))),
    known("SHA384", |_, _| Ok(fixed("SHA384"))),
    known("SHA512", |_, _| Ok(fixed("SHA512"))),
    Member::property("Name", Type::String, |args, _| {
        Ok(args.value(0).as_object::<HashName>().and_then(|it| it.0.clone()).into())
    }),
    Member::operator("==", &[HASH_NAME, HASH_NAME], Type::Bool, |args, _| {
        Ok(args.value(0).equals(args.value(1)).into())
    }),
    Member::operator("!=", &[HASH_NAME, HASH_NAME], Type::Bool, |args, _| {
        Ok((!args.value(0).equals(args.value(1))).into())
    }),
];

fn fixed(name: &'static str) -> Value {
    value(Some(Str::from_static(name)))
}

/// A name as a value.
pub(super) fn value(name: Option<Str>) -> Value {
    Value::object(HashName(name))
}

/// The name, which must be one.
pub(super) fn name(value: &Value) -> Result<Str, Fault> {
    let name = value.as_object::<HashName>().and_then(|it| it.0.clone());
    name.filter(|it| !it.as_str().is_empty()).ok_or_else(|| {
        Fault::argument(
            "The hash algorithm name cannot be null or empty. (Parameter 'hashAlgorithm')",
        )
    })
}

/// The algorithm of a name.
pub(super) fn hash(value: &Value) -> Result<Hash, Fault> {
    hash_of(&name(value)?)
}

/// The algorithm of a name.
pub(super) fn hash_of(name: &Str) -> Result<Hash, Fault> {
    Hash::of_name(name.as_str())
        .ok_or_else(|| cryptographic(format!("'{name}' is not a known hash algorithm.")))
}

#[cfg(test)]
mod tests {
    use dotnet::crypto::Hash;

    use super::{fixed, hash, value};

    #[test]
    fn names_lead_to_algorithms() {
        assert_eq!(hash(&fixed("SHA384")).unwrap(), Hash::Sha384);
        assert!(hash(&fixed("SHA3-256")).is_err());
        assert!(hash(&value(None)).is_err());
        assert!(fixed("MD5").equals(&fixed("MD5")));
    }
}
