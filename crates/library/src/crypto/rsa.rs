//! `System.Security.Cryptography.RSA`: <https://learn.microsoft.com/dotnet/api/system.security.cryptography.rsa>
//!
//! A key comes out of a certificate, is read, or is made when it is first used. What is done with it
//! is charged: keys are made within the budget of the evaluation only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use corelib::language::span;
use dotnet::Str;
use dotnet::crypto::{Fault, Hash, RsaKey, RsaNumbers, cryptographic, not_exportable};

use super::asymmetric_algorithm::{ASYMMETRIC, RSA_NAMES, other_algorithm};
use super::hash_algorithm_name::{HASH_NAME, hash};
use super::rsa_padding::{ENCRYPTION, SIGNATURE, is_pss, oaep_hash};
use super::rsa_parameters::{self, PARAMETERS};
use super::{STREAM, charge, give};

const NAME: &str = "System.Security.Cryptography.RSA";

/// `RSA`.
pub(super) const RSA: Type = Type::named(NAME);
const BYTES: Type = Type::BYTES;
const INT: Type = Type::Int32;
const OUT: Type = Type::Out(&Type::Int32);

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS).bases(&[ASYMMETRIC]);

/// What use of a public key costs, as bytes looked at: about as much as some thousand steps.
const CHECKING: usize = 100_000;
/// What use of a private key costs.
const SIGNING: usize = 1_000_000;
/// How much dearer it is where the cryptography library has no door.
const BY_HAND: usize = 10;
/// Steps that a new key of 2048 bits costs; one of twice as many bits eight times that.
const NEW_KEY: u64 = 1_200_000;

/// The smallest and the largest size of a key, and the step between, in bits.
pub(super) const SIZES: (i32, i32, i32) = (512, 16384, 8);
/// The size of a key by `RSA.Create()`.
const SIZE: i32 = 2048;
/// The size of a key by its algorithm's name, which gives `RSACryptoServiceProvider`.
const NAMED_SIZE: i32 = 1024;

/// A key as an object.
#[derive(Debug)]
pub(super) struct Rsa {
    state: Mutex<State>,
    /// May its private part be given out? That of a configured certificate may not.
    is_exportable: bool,
    /// Was it made by the algorithm's name?
    pub(super) is_named: bool,
}

#[derive(Debug)]
struct State {
    bits: i32,
    /// None until it is used.
    key: Option<RsaKey>,
    is_disposed: bool,
}

impl Object for Rsa {
    fn net_type(&self) -> Type {
        RSA
    }

    fn dispose(&self) {
        let mut state = self.lock();
        state.is_disposed = true;
        state.key = None;
    }
}

impl Rsa {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(bits: i32, key: Option<RsaKey>) -> Self {
        let state = State { bits, key, is_disposed: false };
        Self { state: Mutex::new(state), is_exportable: true, is_named: false }
    }

    /// `KeySize`.
    pub(super) fn bits(&self) -> i32 {
        self.lock().bits
    }

    /// Sets `KeySize`: another size is that of another key.
    pub(super) fn set_bits(&self, bits: i32) -> Result<(), Exception> {
        check_size(bits)?;
        let mut state = self.lock();
        if state.bits != bits {
            state.bits = bits;
            state.key = None;
        }
        Ok(())
    }

    /// The key, made if it is not there yet.
    pub(super) fn key(&self, cx: &mut EvalCx<'_>) -> Result<RsaKey, Exception> {
        let mut state = self.lock();
        if state.is_disposed {
            return Err(Exception::new(
                "System.ObjectDisposedException",
                "Cannot access a disposed object.\nObject name: 'RSA'.",
            ));
        }
        if let Some(key) = &state.key {
            return Ok(key.clone());
        }
        let bits = u64::try_from(state.bits).unwrap_or(0);
        cx.steps(NEW_KEY * bits.pow(3) / 2048_u64.pow(3))?;
        let key = RsaKey::generate(state.bits)?;
        state.key = Some(key.clone());
        Ok(key)
    }

    /// The key, to be given out with its private part.
    pub(super) fn exported(&self, cx: &mut EvalCx<'_>) -> Result<RsaKey, Exception> {
        let key = self.key(cx)?;
        if key.is_private() && !self.is_exportable {
            return Err(not_exportable().into());
        }
        Ok(key)
    }

    /// May its private part be given out?
    pub(super) const fn is_exportable(&self) -> bool {
        self.is_exportable
    }

    /// Takes the numbers of another key.
    pub(super) fn take(&self, numbers: RsaNumbers, cx: &mut EvalCx<'_>) -> Result<(), Exception> {
        charge(cx, SIGNING)?;
        let key = RsaKey::new(numbers)?;
        let mut state = self.lock();
        state.bits = key.bits();
        state.key = Some(key);
        state.is_disposed = false;
        Ok(())
    }
}

pub(super) fn check_size(bits: i32) -> Result<(), Exception> {
    let (min, max, skip) = SIZES;
    if (min..=max).contains(&bits) && (bits - min) % skip == 0 {
        return Ok(());
    }
    Err(cryptographic("Specified key is not a valid size for this algorithm.").into())
}

/// A key as a value; its private part may be given out if it may.
pub(super) fn value(key: &RsaKey, is_exportable: bool) -> Value {
    Value::object(Rsa { is_exportable, ..Rsa::with(key.bits(), Some(key.clone())) })
}

/// The key of an algorithm's name; null of a name that is none.
pub(super) fn of_name(args: &mut Args<'_>) -> Result<Value, Exception> {
    let name: Option<Str> = args.arg(0)?;
    let name = name.ok_or_else(|| Exception::argument_null("name"))?;
    if RSA_NAMES.iter().any(|it| it.eq_ignore_ascii_case(name.as_str())) {
        return Ok(Value::object(Rsa { is_named: true, ..Rsa::with(NAMED_SIZE, None) }));
    }
    Ok(Value::Null)
}

/// The object of a row.
pub(super) fn own(args: &Args<'_>) -> Result<Arc<Rsa>, Exception> {
    args.value(0).to_object().ok_or_else(Exception::null_reference)
}

const MEMBERS: &[Member] = &[
    Member::static_method("Create", &[], RSA, |_, cx| {
        let framework = cx.runtime() == dotnet::Runtime::Framework;
        Ok(Value::object(Rsa::with(if framework { NAMED_SIZE } else { SIZE }, None)))
    })
    .doc("A key of 2048 bits, 1024 with .NET Framework, made when it is first used."),
    Member::static_method("Create", &[INT], RSA, |args, _| {
        let bits: i32 = args.arg(0)?;
        check_size(bits)?;
        Ok(Value::object(Rsa::with(bits, None)))
    })
    .params(&["keySizeInBits"])
    .doc("A key of so many bits, made when it is first used."),
    Member::static_method("Create", &[PARAMETERS], RSA, |args, cx| {
        let it = Rsa::with(SIZE, None);
        it.take(rsa_parameters::numbers(args.value(0))?, cx)?;
        Ok(Value::object(it))
    })
    .params(&["parameters"]),
    Member::static_method("Create", &[Type::String], RSA, |args, _| {
        if let Some(other) = other_algorithm(args.value(0)) {
            return Err(Exception::invalid_cast(format!(
                "Unable to cast object of type 'System.Security.Cryptography.{other}' to type '{NAME}'."
            )));
        }
        of_name(args)
    })
        .params(&["algName"])
        .doc("A key of 1024 bits for the name `RSA`, or null."),
    Member::method("ImportParameters", &[PARAMETERS], Type::Void, |args, cx| {
        own(args)?.take(rsa_parameters::numbers(args.value(1))?, cx)?;
        Ok(Value::Null)
    })
    .params(&["parameters"]),
    Member::method("ExportParameters", &[Type::Bool], PARAMETERS, |args, cx| {
        let with_private: bool = args.arg(1)?;
        let it = own(args)?;
        let key = if with_private { it.exported(cx)? } else { it.key(cx)? };
        Ok(rsa_parameters::value(key.numbers(), with_private)?)
    })
    .params(&["includePrivateParameters"]),
    Member::method("ImportRSAPrivateKey", &[span::READ_BYTES, OUT], Type::Void, |args, cx| {
        import(args, cx, RsaNumbers::read_pkcs1_private)
    })
    .params(&["source", "bytesRead"])
    .doc("Reads a key in PKCS #1."),
    Member::method("ImportRSAPublicKey", &[span::READ_BYTES, OUT], Type::Void, |args, cx| {
        import(args, cx, RsaNumbers::read_pkcs1_public)
    })
    .params(&["source", "bytesRead"]),
    Member::method("ExportRSAPrivateKey", &[], BYTES, |args, cx| {
        let key = own(args)?.exported(cx)?;
        Ok(key.numbers().pkcs1_private()?.to_vec().into())
    }),
    Member::method("ExportRSAPublicKey", &[], BYTES, |args, cx| {
        Ok(own(args)?.key(cx)?.numbers().pkcs1_public().into())
    }),
    Member::method("TryExportRSAPrivateKey", &[span::BYTES, OUT], Type::Bool, |args, cx| {
        let key = own(args)?.exported(cx)?;
        Ok(give(args, 1, 2, &key.numbers().pkcs1_private()?))
    })
    .params(&["destination", "bytesWritten"]),
    Member::method("TryExportRSAPublicKey", &[span::BYTES, OUT], Type::Bool, |args, cx| {
        let key = own(args)?.key(cx)?;
        Ok(give(args, 1, 2, &key.numbers().pkcs1_public()))
    })
    .params(&["destination", "bytesWritten"]),
    Member::method("SignData", &[BYTES, HASH_NAME, SIGNATURE], BYTES, |args, cx| {
        let data: Bytes = args.arg(1)?;
        Ok(sign(args, &data, 2, cx)?.into())
    })
    .params(&["data", "hashAlgorithm", "padding"])
    .doc("The signature; only a private key can sign."),
    Member::method("SignData", &[STREAM, HASH_NAME, SIGNATURE], BYTES, |_, _| {
        Err(Exception::argument_null("data"))
    })
    .params(&["data", "hashAlgorithm", "padding"])
    .rival(),
    Member::method("SignData", &[BYTES, INT, INT, HASH_NAME, SIGNATURE], BYTES, |args, cx| {
        let data = part(args)?;
        Ok(sign(args, &data, 4, cx)?.into())
    })
    .params(&["data", "offset", "count", "hashAlgorithm", "padding"]),
    Member::method(
        "TrySignData",
        &[span::READ_BYTES, span::BYTES, HASH_NAME, SIGNATURE, OUT],
        Type::Bool,
        |args, cx| {
            let data = span::bytes(args.value(1));
            let made = sign(args, &data, 3, cx)?;
            Ok(give(args, 2, 5, &made))
        },
    )
    .params(&["data", "destination", "hashAlgorithm", "padding", "bytesWritten"]),
    Member::method("SignHash", &[BYTES, HASH_NAME, SIGNATURE], BYTES, |args, cx| {
        let made: Bytes = args.arg(1)?;
        let hash = hash(args.value(2))?;
        Ok(sign_hash(args, &made, hash, 3, cx)?.into())
    })
    .params(&["hash", "hashAlgorithm", "padding"])
    .doc("The signature of data with this digest; only a private key can sign."),
    Member::method(
        "TrySignHash",
        &[span::READ_BYTES, span::BYTES, HASH_NAME, SIGNATURE, OUT],
        Type::Bool,
        |args, cx| {
            let made = span::bytes(args.value(1));
            let hash = hash(args.value(3))?;
            let made = sign_hash(args, &made, hash, 4, cx)?;
            Ok(give(args, 2, 5, &made))
        },
    )
    .params(&["hash", "destination", "hashAlgorithm", "padding", "bytesWritten"]),
    Member::method("VerifyData", &[BYTES, BYTES, HASH_NAME, SIGNATURE], Type::Bool, |args, cx| {
        let data: Bytes = args.arg(1)?;
        verify(args, &data, 2, cx)
    })
    .params(&["data", "signature", "hashAlgorithm", "padding"])
    .doc("Does the signature belong to the data?"),
    Member::method("VerifyData", &[STREAM, BYTES, HASH_NAME, SIGNATURE], Type::Bool, |_, _| {
        Err(Exception::argument_null("data"))
    })
    .params(&["data", "signature", "hashAlgorithm", "padding"])
    .rival(),
    Member::method(
        "VerifyData",
        &[BYTES, INT, INT, BYTES, HASH_NAME, SIGNATURE],
        Type::Bool,
        |args, cx| {
            let data = part(args)?;
            verify(args, &data, 4, cx)
        },
    )
    .params(&["data", "offset", "count", "signature", "hashAlgorithm", "padding"]),
    Member::method("VerifyHash", &[BYTES, BYTES, HASH_NAME, SIGNATURE], Type::Bool, |args, cx| {
        let (made, signature): (Bytes, Bytes) = (args.arg(1)?, args.arg(2)?);
        let hash = hash(args.value(3))?;
        verify_hash(args, &made, &signature, hash, 4, cx)
    })
    .params(&["hash", "signature", "hashAlgorithm", "padding"])
    .doc("Does the signature belong to the data with this digest?"),
    Member::method("Encrypt", &[BYTES, ENCRYPTION], BYTES, |args, cx| {
        let data: Bytes = args.arg(1)?;
        Ok(encrypt(args, &data, 2, cx)?.into())
    })
    .params(&["data", "padding"]),
    Member::method("TryEncrypt", &[span::READ_BYTES, span::BYTES, ENCRYPTION, OUT], Type::Bool, |args, cx| {
        let data = span::bytes(args.value(1));
        let made = encrypt(args, &data, 3, cx)?;
        Ok(give(args, 2, 4, &made))
    })
    .params(&["data", "destination", "padding", "bytesWritten"]),
    Member::method("Decrypt", &[BYTES, ENCRYPTION], BYTES, |args, cx| {
        let data: Bytes = args.arg(1)?;
        Ok(decrypt(args, &data, 2, cx)?.into())
    })
    .params(&["data", "padding"])
    .doc("What was encrypted for this key; only a private key can decrypt."),
    Member::method("TryDecrypt", &[span::READ_BYTES, span::BYTES, ENCRYPTION, OUT], Type::Bool, |args, cx| {
        let data = span::bytes(args.value(1));
        let made = decrypt(args, &data, 3, cx)?;
        Ok(give(args, 2, 4, &made))
    })
    .params(&["data", "destination", "padding", "bytesWritten"]),
    Member::method("EncryptValue", &[BYTES], BYTES, |_, _| Err(raw())).params(&["rgb"]),
    Member::method("DecryptValue", &[BYTES], BYTES, |_, _| Err(raw())).params(&["rgb"]),
];

fn raw() -> Exception {
    Exception::new("System.NotSupportedException", "Method not supported.")
}

/// Reads the numbers of a key, and tells how many bytes they took.
pub(super) type Read = fn(&[u8]) -> Result<(RsaNumbers, usize), Fault>;

/// Reads a key; the `out` parameter tells how many bytes it took.
pub(super) fn import(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    read: Read,
) -> Result<Value, Exception> {
    let source = span::bytes(args.value(1));
    charge(cx, source.len())?;
    let (numbers, n_read) = read(&source)?;
    own(args)?.take(numbers, cx)?;
    args.set_out(2, Value::Int(i32::try_from(n_read).unwrap_or(i32::MAX)));
    Ok(Value::Null)
}

/// The part of the data that is meant.
fn part(args: &mut Args<'_>) -> Result<Bytes, Exception> {
    let (data, start, count): (Bytes, i32, i32) = (args.arg(1)?, args.arg(2)?, args.arg(3)?);
    let start = usize::try_from(start).ok().filter(|it| *it <= data.len());
    let start = start.ok_or_else(|| out_of_range("offset"))?;
    let count = usize::try_from(count).ok().filter(|it| *it <= data.len() - start);
    let count = count.ok_or_else(|| out_of_range("count"))?;
    Ok(data.slice(start..start + count))
}

fn out_of_range(parameter: &str) -> Exception {
    let message = "Specified argument was out of the range of valid values.";
    let message = format!("{message} (Parameter '{parameter}')");
    Exception::new("System.ArgumentOutOfRangeException", message)
}

/// Work with a key: more with a long one, and more where the library has no door.
fn work(key: &RsaKey, hash: Hash, cost: usize, cx: &mut EvalCx<'_>) -> Result<(), Exception> {
    let n_bytes = key.numbers().n_bytes();
    let is_usual = n_bytes >= 256 && !matches!(hash, Hash::Md5 | Hash::Sha1);
    let cost = if is_usual { cost } else { cost * BY_HAND };
    let times = 1 + n_bytes / 256;
    charge(cx, cost * times)
}

/// Signs data; the algorithm's name is the argument with that number, the padding follows it.
fn sign(
    args: &Args<'_>,
    data: &[u8],
    index: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Vec<u8>, Exception> {
    let hash = hash(args.value(index))?;
    is_pss(args, index + 1)?;
    charge(cx, data.len())?;
    sign_hash(args, &hash.digest(data), hash, index + 1, cx)
}

fn sign_hash(
    args: &Args<'_>,
    made: &[u8],
    hash: Hash,
    padding: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Vec<u8>, Exception> {
    let (it, is_pss) = (own(args)?, is_pss(args, padding)?);
    let key = it.key(cx)?;
    it.check_named(is_pss)?;
    work(&key, hash, SIGNING, cx)?;
    Ok(key.sign_hash(made, hash, is_pss)?)
}

/// Checks a signature of data; the signature is the argument with that number.
fn verify(
    args: &mut Args<'_>,
    data: &[u8],
    index: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let signature: Bytes = args.arg(index)?;
    let hash = hash(args.value(index + 1))?;
    is_pss(args, index + 2)?;
    charge(cx, data.len())?;
    verify_hash(args, &hash.digest(data), &signature, hash, index + 2, cx)
}

fn verify_hash(
    args: &Args<'_>,
    made: &[u8],
    signature: &[u8],
    hash: Hash,
    padding: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let (it, is_pss) = (own(args)?, is_pss(args, padding)?);
    let key = it.key(cx)?;
    it.check_named(is_pss)?;
    work(&key, hash, CHECKING, cx)?;
    Ok(key.verify_hash(made, signature, hash, is_pss).into())
}

fn encrypt(
    args: &Args<'_>,
    data: &[u8],
    padding: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Vec<u8>, Exception> {
    let (it, oaep) = (own(args)?, oaep_hash(args, padding)?);
    let key = it.key(cx)?;
    it.check_named(oaep.is_some_and(|it| it != Hash::Sha1))?;
    work(&key, encryption_hash(oaep), CHECKING, cx)?;
    Ok(key.encrypt(data, oaep)?)
}

fn decrypt(
    args: &Args<'_>,
    data: &[u8],
    padding: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Vec<u8>, Exception> {
    let (it, oaep) = (own(args)?, oaep_hash(args, padding)?);
    let key = it.key(cx)?;
    it.check_named(oaep.is_some_and(|it| it != Hash::Sha1))?;
    work(&key, encryption_hash(oaep), SIGNING, cx)?;
    Ok(key.decrypt(data, oaep)?)
}

/// SHA-1 of OAEP goes through the library's door, too.
fn encryption_hash(oaep: Option<Hash>) -> Hash {
    oaep.filter(|it| *it == Hash::Md5).unwrap_or(Hash::Sha256)
}

impl Rsa {
    /// `RSACryptoServiceProvider` knows neither PSS nor OAEP over SHA-2.
    fn check_named(&self, is_new: bool) -> Result<(), Exception> {
        if self.is_named && is_new {
            let message = "Specified padding mode is not valid for this algorithm.";
            return Err(cryptographic(message).into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn sizes_are_those_of_dotnet() {
        for (bits, is_legal) in [(504, false), (512, true), (513, false), (16384, true)] {
            assert_eq!(check_size(bits).is_ok(), is_legal, "{bits}");
        }
        assert!(check_size(16392).is_err() && check_size(-8).is_err());
    }

    #[test]
    fn a_new_key_is_made_once_and_within_the_budget() {
        with_cx(|cx| {
            let it = Rsa::with(512, None);
            let before = cx.steps_left();
            let key = it.key(cx).unwrap();
            assert!(before - cx.steps_left() >= NEW_KEY / 64);
            assert_eq!(it.key(cx).unwrap(), key);
            it.set_bits(520).unwrap();
            assert_ne!(it.key(cx).unwrap(), key);
            let large = Rsa::with(16384, None).key(cx).unwrap_err();
            assert!(!large.is_catchable(), "the budget is met");
        });
    }

    #[test]
    fn a_key_that_stays_is_not_given_out() {
        with_cx(|cx| {
            let key = Rsa::with(512, None).key(cx).unwrap();
            let it = value(&key, false).to_object::<Rsa>().unwrap();
            assert!(it.key(cx).is_ok() && it.exported(cx).is_err());
            let public = value(&key.public(), false).to_object::<Rsa>().unwrap();
            assert!(public.exported(cx).is_ok(), "there is nothing to hide");
            it.dispose();
            assert_eq!(it.key(cx).unwrap_err().type_name, "System.ObjectDisposedException");
            assert!(!format!("{it:?} {key:?}").contains(char::is_numeric) || it.bits() == 512);
        });
    }
}
