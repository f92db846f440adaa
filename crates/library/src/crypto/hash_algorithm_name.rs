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

pub(crate) static TYPE: TypeDef = TypeDef::structure(NAME, MEMBERS);

/// The name of an algorithm as an object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HashName(Str);

impl Object for HashName {
    fn net_type(&self) -> Type {
        HASH_NAME
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.0.clone()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>() == Some(self))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(Value::from(self.0.clone()).hash_code())
    }
}

const fn known(name: &'static str, call: clr::rows::Call) -> Member {
    Member::static_property(name, HASH_NAME, call)
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[Type::String], HASH_NAME, |args, _| {
        let text: Option<Str> = args.arg(0)?;
        Ok(Value::object(HashName(text.unwrap_or(Str::EMPTY))))
    })
    .params(&["name"]),
    known("MD5", |_, _| Ok(value("MD5"))),
    known("SHA1", |_, _| Ok(value("SHA1"))),
    known("SHA256", |_, _| Ok(value("SHA256"))),
    known("SHA384", |_, _| Ok(value("SHA384"))),
    known("SHA512", |_, _| Ok(value("SHA512"))),
    Member::property("Name", Type::String, |args, cx| {
        Ok(args.value(0).to_str(cx.runtime()).into())
    }),
    Member::operator("==", &[HASH_NAME, HASH_NAME], Type::Bool, |args, _| {
        Ok(args.value(0).equals(args.value(1)).into())
    }),
    Member::operator("!=", &[HASH_NAME, HASH_NAME], Type::Bool, |args, _| {
        Ok((!args.value(0).equals(args.value(1))).into())
    }),
];

fn value(name: &'static str) -> Value {
    Value::object(HashName(Str::from_static(name)))
}

/// The algorithm of a name.
pub(super) fn hash(value: &Value) -> Result<Hash, Fault> {
    let name = value.as_object::<HashName>().map(|it| it.0.clone()).unwrap_or(Str::EMPTY);
    Hash::of_name(name.as_str())
        .ok_or_else(|| cryptographic(format!("'{name}' is not a known hash algorithm.")))
}

#[cfg(test)]
mod tests {
    use dotnet::crypto::Hash;

    use super::{hash, value};

    #[test]
    fn names_lead_to_algorithms() {
        assert_eq!(hash(&value("SHA384")).unwrap(), Hash::Sha384);
        assert!(hash(&value("SHA3-256")).is_err());
        assert!(value("MD5").equals(&value("MD5")));
    }
}
