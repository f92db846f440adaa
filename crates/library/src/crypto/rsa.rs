//! `AsymmetricAlgorithm`, `RSA` and its paddings:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.rsa>
//!
//! A key comes from a certificate. Paddings are two constants each, so they share the file.

use std::sync::Arc;

use bytes::Bytes;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::crypto::{Hash, PrivateKey, PublicKey};
use dotnet::{Runtime, Str};

use super::hash_algorithm_name::{HASH_NAME, hash};
use super::{DISPOSABLE, charge};

const ASYMMETRIC_NAME: &str = "System.Security.Cryptography.AsymmetricAlgorithm";
const RSA_NAME: &str = "System.Security.Cryptography.RSA";
const SIGNATURE_NAME: &str = "System.Security.Cryptography.RSASignaturePadding";
const ENCRYPTION_NAME: &str = "System.Security.Cryptography.RSAEncryptionPadding";

/// `AsymmetricAlgorithm`.
pub(super) const ASYMMETRIC: Type = Type::named(ASYMMETRIC_NAME);
/// `RSA`.
pub(super) const RSA: Type = Type::named(RSA_NAME);
const SIGNATURE: Type = Type::named(SIGNATURE_NAME);
const ENCRYPTION: Type = Type::named(ENCRYPTION_NAME);

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(
        ASYMMETRIC_NAME,
        &[
            Member::property("KeySize", Type::Int32, |args, _| Ok(own(args)?.0.bits().into())),
            Member::property("KeyExchangeAlgorithm", Type::String, |_, _| Ok("RSA".into())),
            Member::property("SignatureAlgorithm", Type::String, |_, _| Ok("RSA".into())),
            Member::method("Clear", &[], Type::Void, |_, _| Ok(Value::Null)),
            Member::method("Dispose", &[], Type::Void, |_, _| Ok(Value::Null)),
        ],
    )
    .bases(&[DISPOSABLE]),
    TypeDef::class(RSA_NAME, RSA_MEMBERS).bases(&[ASYMMETRIC]),
    TypeDef::class(
        SIGNATURE_NAME,
        &[
            Member::static_property("Pkcs1", SIGNATURE, |_, _| Ok(padding(SIGNATURE, "Pkcs1"))),
            Member::static_property("Pss", SIGNATURE, |_, _| Ok(padding(SIGNATURE, "Pss"))),
        ],
    ),
    TypeDef::class(
        ENCRYPTION_NAME,
        &[
            Member::static_property("Pkcs1", ENCRYPTION, |_, _| Ok(padding(ENCRYPTION, "Pkcs1"))),
            Member::static_property("OaepSHA1", ENCRYPTION, |_, _| Ok(padding(ENCRYPTION, "SHA1"))),
            Member::static_property("OaepSHA256", ENCRYPTION, |_, _| {
                Ok(padding(ENCRYPTION, "SHA256"))
            }),
            Member::static_property("OaepSHA384", ENCRYPTION, |_, _| {
                Ok(padding(ENCRYPTION, "SHA384"))
            }),
            Member::static_property("OaepSHA512", ENCRYPTION, |_, _| {
                Ok(padding(ENCRYPTION, "SHA512"))
            }),
        ],
    ),
];

const RSA_MEMBERS: &[Member] = &[
    Member::method(
        "VerifyData",
        &[Type::BYTES, Type::BYTES, HASH_NAME, SIGNATURE],
        Type::Bool,
        |args, cx| {
            let it = own(args)?;
            let (data, signature): (Bytes, Bytes) = (args.arg(1)?, args.arg(2)?);
            // Checking costs about as much as some thousand steps.
            charge(cx, data.len() + 100_000)?;
            let hash = hash(args.value(3))?;
            let pss = name_of(args.value(4)) == Some("Pss");
            Ok(it.0.verify(&data, &signature, hash, pss)?.into())
        },
    )
    .params(&["data", "signature", "hashAlgorithm", "padding"])
    .doc("Does the signature belong to the data?"),
    Member::method("SignData", &[Type::BYTES, HASH_NAME, SIGNATURE], Type::BYTES, |args, cx| {
        let it = own(args)?;
        let data: Bytes = args.arg(1)?;
        // Signing costs about as much as some ten thousand steps.
        charge(cx, data.len() + 1_000_000)?;
        let hash = hash(args.value(2))?;
        let pss = name_of(args.value(3)) == Some("Pss");
        match &it.1 {
            Some(key) => Ok(key.sign(&data, hash, pss)?.into()),
            None => Err(dotnet::crypto::cryptographic("Key does not exist.").into()),
        }
    })
    .params(&["data", "hashAlgorithm", "padding"])
    .doc("The signature; only a key of a PFX file can sign."),
    Member::method("Encrypt", &[Type::BYTES, ENCRYPTION], Type::BYTES, |args, cx| {
        let it = own(args)?;
        let data: Bytes = args.arg(1)?;
        charge(cx, data.len() + 100_000)?;
        let oaep = name_of(args.value(2)).and_then(Hash::of_name);
        Ok(it.0.encrypt(&data, oaep)?.into())
    })
    .params(&["data", "padding"]),
];

/// A key as an object.
#[derive(Debug)]
struct Rsa(PublicKey, Option<PrivateKey>);

impl Object for Rsa {
    fn net_type(&self) -> Type {
        RSA
    }
}

/// A padding as an object.
#[derive(Debug)]
struct Padding(Type, &'static str);

impl Object for Padding {
    fn net_type(&self) -> Type {
        self.0
    }

    fn to_text(&self, _: Runtime) -> Str {
        Str::from_static(self.1)
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| it.0 == self.0 && it.1 == self.1))
    }
}

fn padding(ty: Type, name: &'static str) -> Value {
    Value::object(Padding(ty, name))
}

fn name_of(value: &Value) -> Option<&'static str> {
    value.as_object::<Padding>().map(|it| it.1)
}

/// A public key as a value.
pub(super) fn value(key: &PublicKey) -> Value {
    Value::object(Rsa(key.clone(), None))
}

/// A public key with its private one as a value.
pub(super) fn pair(public: &PublicKey, private: &PrivateKey) -> Value {
    Value::object(Rsa(public.clone(), Some(private.clone())))
}

fn own(args: &Args<'_>) -> Result<Arc<Rsa>, Exception> {
    args.value(0).to_object().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use super::{SIGNATURE, name_of, padding};

    #[test]
    fn paddings_are_equal_by_name() {
        assert!(padding(SIGNATURE, "Pss").equals(&padding(SIGNATURE, "Pss")));
        assert_eq!(name_of(&padding(SIGNATURE, "Pkcs1")), Some("Pkcs1"));
    }
}
