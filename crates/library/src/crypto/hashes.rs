//! `MD5`, `SHA1`, `SHA256`, `SHA384`, `SHA512` and their managed forms:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.sha256>
//!
//! They differ in nothing but the algorithm, so they share one table.

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use dotnet::Str;
use dotnet::crypto::Hash;

use super::HASH_ALGORITHM;
use super::hash_algorithm::Hasher;

const MD5: Type = Type::named("System.Security.Cryptography.MD5");
const SHA1: Type = Type::named("System.Security.Cryptography.SHA1");
const SHA256: Type = Type::named("System.Security.Cryptography.SHA256");
const SHA384: Type = Type::named("System.Security.Cryptography.SHA384");
const SHA512: Type = Type::named("System.Security.Cryptography.SHA512");

macro_rules! abstract_type {
    ($ty:expr, $hash:expr) => {{
        const MEMBERS: &[Member] = &[
            Member::static_method("Create", &[], $ty, |_, _| Ok(create($hash)))
                .doc("A new computation."),
            Member::static_method("Create", &[Type::String], $ty, |args, _| named(args, $hash))
                .params(&["hashName"]),
        ];
        let Type::Named(name, _) = $ty else { panic!() };
        TypeDef::class(name, MEMBERS).bases(&[HASH_ALGORITHM])
    }};
}

macro_rules! managed_type {
    ($name:literal, $base:expr, $hash:expr) => {{
        const OWN: Type = Type::named(concat!("System.Security.Cryptography.", $name));
        const MEMBERS: &[Member] =
            &[Member::constructor(&[], OWN, |_, _| Ok(Hasher::value(OWN, $hash, None)))];
        TypeDef::class(concat!("System.Security.Cryptography.", $name), MEMBERS).bases(&[$base])
    }};
}

pub(crate) static TYPES: &[TypeDef] = &[
    abstract_type!(MD5, Hash::Md5),
    abstract_type!(SHA1, Hash::Sha1),
    abstract_type!(SHA256, Hash::Sha256),
    abstract_type!(SHA384, Hash::Sha384),
    abstract_type!(SHA512, Hash::Sha512),
    managed_type!("SHA1Managed", SHA1, Hash::Sha1),
    managed_type!("SHA256Managed", SHA256, Hash::Sha256),
    managed_type!("SHA384Managed", SHA384, Hash::Sha384),
    managed_type!("SHA512Managed", SHA512, Hash::Sha512),
];

/// A new computation of a digest.
pub(super) fn create(hash: Hash) -> Value {
    let ty = match hash {
        Hash::Md5 => MD5,
        Hash::Sha1 => SHA1,
        Hash::Sha256 => SHA256,
        Hash::Sha384 => SHA384,
        Hash::Sha512 => SHA512,
    };
    Hasher::value(ty, hash, None)
}

/// The algorithm of a name, which must be this one; null of a name that is none.
fn named(args: &mut Args<'_>, own: Hash) -> Result<Value, Exception> {
    let (name,): (Str,) = args.get()?;
    match Hash::of_name(name.as_str()) {
        None => Ok(Value::Null),
        Some(found) if found == own => Ok(create(found)),
        Some(found) => Err(Exception::invalid_cast(format!(
            "Unable to cast object of type 'System.Security.Cryptography.{}Managed' to type \
             'System.Security.Cryptography.{}'.",
            found.name(),
            own.name()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use dotnet::crypto::Hash;

    use super::{TYPES, create};
    use crate::crypto::hash_algorithm::compute;
    use crate::test_support::with_cx;

    #[test]
    fn digests_have_the_length_of_their_algorithm() {
        with_cx(|cx| {
            for hash in Hash::ALL {
                let length = compute(&create(hash), b"abc", cx).len() * 8;
                assert_eq!(length, hash.bits() as usize, "{hash:?}");
            }
        });
        assert_eq!(TYPES.len(), 9);
    }
}
