//! `RSASignaturePadding` and `RSAEncryptionPadding`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.rsaencryptionpadding>
//!
//! They are names, so they share the file.

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, integer_of};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::crypto::Hash;
use dotnet::{Runtime, Str};

use super::enums::{ENCRYPTION_MODE, SIGNATURE_MODE};
use super::hash_algorithm_name::{self, HASH_NAME};

const SIGNATURE_NAME: &str = "System.Security.Cryptography.RSASignaturePadding";
const ENCRYPTION_NAME: &str = "System.Security.Cryptography.RSAEncryptionPadding";

/// `RSASignaturePadding`.
pub(super) const SIGNATURE: Type = Type::named(SIGNATURE_NAME);
/// `RSAEncryptionPadding`.
pub(super) const ENCRYPTION: Type = Type::named(ENCRYPTION_NAME);

/// A padding as an object.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Padding {
    SignaturePkcs1,
    Pss,
    EncryptionPkcs1,
    /// Over the digest of that name.
    Oaep(Str),
}

impl Object for Padding {
    fn net_type(&self) -> Type {
        match self {
            Self::SignaturePkcs1 | Self::Pss => SIGNATURE,
            Self::EncryptionPkcs1 | Self::Oaep(_) => ENCRYPTION,
        }
    }

    fn to_text(&self, _: Runtime) -> Str {
        match self {
            Self::SignaturePkcs1 | Self::EncryptionPkcs1 => Str::from_static("Pkcs1"),
            Self::Pss => Str::from_static("Pss"),
            Self::Oaep(hash) => format!("Oaep{hash}").into(),
        }
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>() == Some(self))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(Value::from(self.to_text(Runtime::Modern)).hash_code())
    }
}

const fn named(name: &'static str, of: Type, call: clr::rows::Call) -> Member {
    Member::static_property(name, of, call)
}

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(
        SIGNATURE_NAME,
        &[
            named("Pkcs1", SIGNATURE, |_, _| Ok(Value::object(Padding::SignaturePkcs1))),
            named("Pss", SIGNATURE, |_, _| Ok(Value::object(Padding::Pss))),
            Member::property("Mode", SIGNATURE_MODE, |args, _| {
                let is_pss = args.value(0).as_object() == Some(&Padding::Pss);
                Ok(integer_of(SIGNATURE_MODE, is_pss.into()))
            }),
            Member::operator("==", &[SIGNATURE, SIGNATURE], Type::Bool, |args, _| {
                Ok(is_same(args).into())
            }),
            Member::operator("!=", &[SIGNATURE, SIGNATURE], Type::Bool, |args, _| {
                Ok((!is_same(args)).into())
            }),
        ],
    ),
    TypeDef::class(
        ENCRYPTION_NAME,
        &[
            named("Pkcs1", ENCRYPTION, |_, _| Ok(Value::object(Padding::EncryptionPkcs1))),
            named("OaepSHA1", ENCRYPTION, |_, _| Ok(oaep("SHA1"))),
            named("OaepSHA256", ENCRYPTION, |_, _| Ok(oaep("SHA256"))),
            named("OaepSHA384", ENCRYPTION, |_, _| Ok(oaep("SHA384"))),
            named("OaepSHA512", ENCRYPTION, |_, _| Ok(oaep("SHA512"))),
            Member::static_method("CreateOaep", &[HASH_NAME], ENCRYPTION, |args, _| {
                let name = hash_algorithm_name::name(args.value(0))?;
                Ok(Value::object(Padding::Oaep(name)))
            })
            .params(&["hashAlgorithm"])
            .doc("OAEP over a digest."),
            Member::property("Mode", ENCRYPTION_MODE, |args, _| {
                let is_oaep = matches!(args.value(0).as_object(), Some(Padding::Oaep(_)));
                Ok(integer_of(ENCRYPTION_MODE, is_oaep.into()))
            }),
            Member::property("OaepHashAlgorithm", HASH_NAME, |args, _| {
                Ok(match args.value(0).as_object() {
                    Some(Padding::Oaep(it)) => hash_algorithm_name::value(Some(it.clone())),
                    _ => hash_algorithm_name::value(None),
                })
            }),
            Member::operator("==", &[ENCRYPTION, ENCRYPTION], Type::Bool, |args, _| {
                Ok(is_same(args).into())
            }),
            Member::operator("!=", &[ENCRYPTION, ENCRYPTION], Type::Bool, |args, _| {
                Ok((!is_same(args)).into())
            }),
        ],
    ),
];

fn oaep(hash: &'static str) -> Value {
    Value::object(Padding::Oaep(Str::from_static(hash)))
}

fn is_same(args: &Args<'_>) -> bool {
    args.value(0).as_object::<Padding>() == args.value(1).as_object::<Padding>()
}

fn given<'a>(args: &'a Args<'_>, index: usize) -> Result<&'a Padding, Exception> {
    args.value(index).as_object().ok_or_else(|| Exception::argument_null("padding"))
}

/// Is the padding of a signature the one with salt?
pub(super) fn is_pss(args: &Args<'_>, index: usize) -> Result<bool, Exception> {
    Ok(*given(args, index)? == Padding::Pss)
}

/// The digest of a padding of encryption; none of PKCS #1.
pub(super) fn oaep_hash(args: &Args<'_>, index: usize) -> Result<Option<Hash>, Exception> {
    match given(args, index)? {
        Padding::Oaep(name) => Ok(Some(hash_algorithm_name::hash_of(name)?)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use clr::value::Value;
    use dotnet::Str;

    use super::{Padding, oaep};

    #[test]
    fn paddings_are_equal_by_name() {
        let made = |it: &str| Value::object(Padding::Oaep(Str::from(it)));
        assert!(oaep("SHA1").equals(&made("SHA1")) && !oaep("SHA1").equals(&made("MD5")));
        assert_eq!(oaep("SHA1").hash_code(), made("SHA1").hash_code());
        assert!(!Value::object(Padding::EncryptionPkcs1).equals(&Value::object(Padding::Pss)));
        assert_eq!(made("x").to_text(), "Oaepx");
    }
}
