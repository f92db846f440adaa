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

/// What use of a public key costs, in steps: about as much as some thousand.
const CHECKING: usize = 100_000;
/// What use of a private key costs.
const SIGNING: usize = 1_000_000;

const RSA_MEMBERS: &[Member] = &[
    Member::method(
        "VerifyData",
        &[Type::BYTES, Type::BYTES, HASH_NAME, SIGNATURE],
        Type::Bool,
        |args, cx| {
            let it = own(args)?;
            let (data, signature): (Bytes, Bytes) = (args.arg(1)?, args.arg(2)?);
            charge(cx, data.len() + CHECKING)?;
            let hash = hash(args.value(3))?;
            let pss = name_of(args.value(4)) == Some("Pss");
            Ok(it.0.verify(&data, &signature, hash, pss)?.into())
        },
    )
    .params(&["data", "signature", "hashAlgorithm", "padding"])
    .doc("Does the signature belong to the data?"),
    Member::method(
        "VerifyHash",
        &[Type::BYTES, Type::BYTES, HASH_NAME, SIGNATURE],
        Type::Bool,
        |args, cx| {
            let it = own(args)?;
            let (made, signature): (Bytes, Bytes) = (args.arg(1)?, args.arg(2)?);
            charge(cx, CHECKING)?;
            let hash = hash(args.value(3))?;
            let pss = name_of(args.value(4)) == Some("Pss");
            Ok(it.0.verify_hash(&made, &signature, hash, pss)?.into())
        },
    )
    .params(&["hash", "signature", "hashAlgorithm", "padding"])
    .doc("Does the signature belong to the data with this digest?"),
    Member::method("SignData", &[Type::BYTES, HASH_NAME, SIGNATURE], Type::BYTES, |args, cx| {
        let it = own(args)?;
        let data: Bytes = args.arg(1)?;
        charge(cx, data.len() + SIGNING)?;
        let hash = hash(args.value(2))?;
        let pss = name_of(args.value(3)) == Some("Pss");
        Ok(it.private()?.sign(&data, hash, pss)?.into())
    })
    .params(&["data", "hashAlgorithm", "padding"])
    .doc("The signature; only a private key can sign."),
    Member::method("SignHash", &[Type::BYTES, HASH_NAME, SIGNATURE], Type::BYTES, |args, cx| {
        let it = own(args)?;
        let made: Bytes = args.arg(1)?;
        charge(cx, SIGNING)?;
        let hash = hash(args.value(2))?;
        let pss = name_of(args.value(3)) == Some("Pss");
        Ok(it.private()?.sign_hash(&made, hash, pss)?.into())
    })
    .params(&["hash", "hashAlgorithm", "padding"])
    .doc("The signature of data with this digest; only a private key can sign."),
    Member::method("Decrypt", &[Type::BYTES, ENCRYPTION], Type::BYTES, |args, cx| {
        let it = own(args)?;
        let data: Bytes = args.arg(1)?;
        charge(cx, SIGNING)?;
        let oaep = name_of(args.value(2)).and_then(Hash::of_name);
        Ok(it.private()?.decrypt(&data, oaep)?.into())
    })
    .params(&["data", "padding"])
    .doc("What was encrypted for this key; only a private key can decrypt."),
    Member::method("Encrypt", &[Type::BYTES, ENCRYPTION], Type::BYTES, |args, cx| {
        let it = own(args)?;
        let data: Bytes = args.arg(1)?;
        charge(cx, data.len() + CHECKING)?;
        let oaep = name_of(args.value(2)).and_then(Hash::of_name);
        Ok(it.0.encrypt(&data, oaep)?.into())
    })
    .params(&["data", "padding"]),
];

/// A key as an object.
#[derive(Debug)]
struct Rsa(PublicKey, Option<PrivateKey>);

impl Rsa {
    fn private(&self) -> Result<&PrivateKey, Exception> {
        let missing = || dotnet::crypto::cryptographic("Key does not exist.").into();
        self.1.as_ref().ok_or_else(missing)
    }
}

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
