//! The extension methods of policy expressions on `byte[]` and certificates: `Encrypt`, `Decrypt`,
//! `VerifyNoRevocation`.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-policy-expressions>

use std::sync::Arc;

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use dotnet::Str;
use dotnet::crypto::{Cipher, Mode, decrypt, encrypt};

use super::charge;
use super::symmetric_algorithm::{SYMMETRIC, Symmetric};
use super::x509_certificate::CERTIFICATE;
use super::x509_certificate2::is_trusted;

const DOCS: &str =
    "https://learn.microsoft.com/azure/api-management/api-management-policy-expressions";
const BYTES: Type = Type::BYTES;
const BY_NAME: &[Type] = &[BYTES, Type::String, BYTES, BYTES];
const BY_OBJECT: &[Type] = &[BYTES, SYMMETRIC];
const BY_OBJECT_AND_KEY: &[Type] = &[BYTES, SYMMETRIC, BYTES, BYTES];
const NAMES: &[&str] = &["input", "alg", "key", "iv"];

pub(crate) static TYPE: TypeDef =
    TypeDef::static_class("Apim.CryptographyExtensions", MEMBERS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::extension("Encrypt", BY_NAME, BYTES, |args, cx| by_name(args, cx, true))
        .params(NAMES)
        .doc("Encrypts with the algorithm of that name, in CBC mode with PKCS7 padding."),
    Member::extension("Encrypt", BY_OBJECT, BYTES, |args, cx| by_object(args, cx, true))
        .params(NAMES)
        .doc("Encrypts with the algorithm's own key and vector."),
    Member::extension("Encrypt", BY_OBJECT_AND_KEY, BYTES, |args, cx| by_object(args, cx, true))
        .params(NAMES),
    Member::extension("Decrypt", BY_NAME, BYTES, |args, cx| by_name(args, cx, false))
        .params(NAMES)
        .doc("Decrypts with the algorithm of that name, in CBC mode with PKCS7 padding."),
    Member::extension("Decrypt", BY_OBJECT, BYTES, |args, cx| by_object(args, cx, false))
        .params(NAMES)
        .doc("Decrypts with the algorithm's own key and vector."),
    Member::extension("Decrypt", BY_OBJECT_AND_KEY, BYTES, |args, cx| by_object(args, cx, false))
        .params(NAMES),
    Member::extension("VerifyNoRevocation", &[CERTIFICATE], Type::Bool, |args, cx| {
        Ok(is_trusted(args, cx)?.into())
    })
    .params(&["certificate"])
    .doc(
        "Does a path lead to whom the gateway trusts to name clients? Revocation is not looked up.",
    ),
];

fn by_name(args: &mut Args<'_>, cx: &mut EvalCx<'_>, encrypts: bool) -> Result<Value, Exception> {
    let (data, name, key, iv): (Bytes, Str, Bytes, Bytes) = args.get()?;
    charge(cx, data.len())?;
    cx.allocate(data.len())?;
    let cipher = Cipher::of_name(name.as_str())?;
    let run = if encrypts { encrypt } else { decrypt };
    Ok(run(cipher, Mode::Cbc, &data, &key, &iv)?.into())
}

fn by_object(args: &mut Args<'_>, cx: &mut EvalCx<'_>, encrypts: bool) -> Result<Value, Exception> {
    let own_key = args.len() == 2;
    let (data, algorithm): (Bytes, Arc<Symmetric>) = (args.arg(0)?, args.arg(1)?);
    charge(cx, data.len())?;
    cx.allocate(data.len())?;
    let (key, iv) = if own_key {
        algorithm.key_and_vector()
    } else {
        (args.arg::<Bytes>(2)?.to_vec(), args.arg::<Bytes>(3)?.to_vec())
    };
    Ok(algorithm.run(encrypts, &data, &key, &iv)?.into())
}

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::types::Type;
    use clr::value::Value;

    use super::{MEMBERS, by_name};
    use crate::test_support::with_cx;

    #[test]
    fn what_is_encrypted_by_name_is_decrypted_by_name() {
        with_cx(|cx| {
            let mut run = |data: Value, name: &str, encrypts| {
                let (key, iv) = (Value::from(vec![7; 16]), Value::from(vec![0; 16]));
                let mut values = [data, name.into(), key, iv];
                let mut args = Args::new(&MEMBERS[0], &mut values, &[], &[], Type::BYTES);
                by_name(&mut args, cx, encrypts)
            };
            let secret = run(Value::from(b"text".to_vec()), "Aes", true).unwrap();
            let plain = run(secret, "AES", false).unwrap();
            assert_eq!(&plain.as_bytes().unwrap()[..], b"text");
            let error = run(plain, "DES", true).unwrap_err();
            assert_eq!(error.type_name, "System.Security.Cryptography.CryptographicException");
        });
    }
}
