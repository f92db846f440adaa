//! `System.Security.Cryptography.SymmetricAlgorithm`, and `Aes` and `TripleDES`, which it makes:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.symmetricalgorithm>
//!
//! They are one class here, so they share one file.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, integer_of};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::Str;
use dotnet::crypto::{Cipher, Mode, Padding, Transform, cryptographic, decrypt, encrypt};

use super::crypto_transform::{self, TRANSFORM};
use super::enums::{MODE, PADDING};
use super::{DISPOSABLE, charge, key_sizes};

const NAME: &str = "System.Security.Cryptography.SymmetricAlgorithm";
const AES_NAME: &str = "System.Security.Cryptography.Aes";
const TRIPLE_DES_NAME: &str = "System.Security.Cryptography.TripleDES";

/// `SymmetricAlgorithm`.
pub(super) const SYMMETRIC: Type = Type::named(NAME);
const AES: Type = Type::named(AES_NAME);
const TRIPLE_DES: Type = Type::named(TRIPLE_DES_NAME);
const INT: Type = Type::Int32;
const KEY_AND_IV: &[Type] = &[Type::BYTES, Type::BYTES];

/// `FeedbackSize`, unless it is set.
const FEEDBACK: i32 = 8;
/// CBC, by its number.
const CBC: i64 = 1;
/// ECB, by its number.
const ECB: i64 = 2;
/// PKCS #7, by its number.
const PKCS7: i64 = 2;

/// A cipher with its settings.
pub(super) struct Symmetric(Cipher, Mutex<Settings>);

#[derive(Clone)]
struct Settings {
    key: Vec<u8>,
    iv: Vec<u8>,
    mode: i64,
    padding: i64,
    feedback_bits: i32,
}

impl fmt::Debug for Symmetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the key nor the vector is shown.
        write!(f, "{:?}(..)", self.0)
    }
}

impl Object for Symmetric {
    fn net_type(&self) -> Type {
        match self.0 {
            Cipher::Aes => AES,
            Cipher::TripleDes => TRIPLE_DES,
        }
    }
}

impl Symmetric {
    fn lock(&self) -> MutexGuard<'_, Settings> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its own key and vector.
    pub(super) fn key_and_vector(&self) -> (Vec<u8>, Vec<u8>) {
        let settings = self.lock();
        (settings.key.clone(), settings.iv.clone())
    }

    /// Encrypts or decrypts with its mode.
    pub(super) fn run(
        &self,
        encrypts: bool,
        data: &[u8],
        key: &[u8],
        iv: &[u8],
    ) -> Result<Vec<u8>, Exception> {
        let (mode, padding) = self.mode_and_padding()?;
        if padding == Padding::Pkcs7 {
            let run = if encrypts { encrypt } else { decrypt };
            return Ok(run(self.0, mode, data, key, iv)?);
        }
        Ok(Transform::new(self.0, encrypts, mode, padding, key, iv)?.last(data)?)
    }

    fn mode_and_padding(&self) -> Result<(Mode, Padding), Exception> {
        let settings = self.lock();
        let mode = match settings.mode {
            CBC => Some(Mode::Cbc),
            ECB => Some(Mode::Ecb),
            _ => None,
        };
        mode.zip(Padding::of(settings.padding)).ok_or_else(|| {
            cryptographic("Only the modes CBC and ECB are supported by this gateway.").into()
        })
    }

    /// `CreateEncryptor` or `CreateDecryptor`, with a key and a vector or its own.
    fn transform(
        &self,
        encrypts: bool,
        given: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Value, Exception> {
        let (mode, padding) = self.mode_and_padding()?;
        let (key, iv) = given.unwrap_or_else(|| self.key_and_vector());
        Ok(crypto_transform::value(Transform::new(self.0, encrypts, mode, padding, &key, &iv)?))
    }
}

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS).bases(&[DISPOSABLE]);

pub(crate) static AES_TYPE: TypeDef = TypeDef::class(
    AES_NAME,
    &[
        Member::static_method("Create", &[], AES, |_, cx| Ok(create(Cipher::Aes, cx))),
        Member::static_method("Create", &[Type::String], AES, named).params(&["algorithmName"]),
    ],
)
.bases(&[SYMMETRIC])
.unlisted();

pub(crate) static TRIPLE_DES_TYPE: TypeDef = TypeDef::class(
    TRIPLE_DES_NAME,
    &[
        Member::static_method("Create", &[], TRIPLE_DES, |_, cx| Ok(create(Cipher::TripleDes, cx))),
        Member::static_method("IsWeakKey", &[Type::BYTES], Type::Bool, |args, _| {
            let key: Bytes = args.arg(0)?;
            if !Cipher::TripleDes.takes_key(key.len()) {
                return Err(
                    cryptographic("Specified key is not a valid size for this algorithm.").into()
                );
            }
            Ok(Cipher::TripleDes.is_weak(&key).into())
        })
        .params(&["rgbKey"]),
    ],
)
.bases(&[SYMMETRIC])
.unlisted();

const MEMBERS: &[Member] = &[
    Member::static_method("Create", &[Type::String], SYMMETRIC, named)
        .params(&["algName"])
        .doc("The algorithm of that name: AES or Triple DES."),
    Member::property("Key", Type::BYTES, |args, _| Ok(own(args)?.lock().key.clone().into())).set(
        |args, _| {
            let (it, key): (_, Bytes) = (own(args)?, args.arg(1)?);
            it.0.check_key(&key)?;
            it.lock().key = key.to_vec();
            Ok(Value::Null)
        },
    ),
    Member::property("IV", Type::BYTES, |args, _| Ok(own(args)?.lock().iv.clone().into())).set(
        |args, _| {
            let (it, iv): (_, Bytes) = (own(args)?, args.arg(1)?);
            it.0.check_vector(&iv)?;
            it.lock().iv = iv.to_vec();
            Ok(Value::Null)
        },
    ),
    Member::property("Mode", MODE, |args, _| Ok(integer_of(MODE, own(args)?.lock().mode))).set(
        |args, _| {
            let mode: i64 = args.arg(1)?;
            if ![CBC, ECB].contains(&mode) {
                let message = "Specified cipher mode is not valid for this algorithm.";
                return Err(cryptographic(message).into());
            }
            own(args)?.lock().mode = mode;
            Ok(Value::Null)
        },
    ),
    Member::property("Padding", PADDING, |args, _| {
        Ok(integer_of(PADDING, own(args)?.lock().padding))
    })
    .set(|args, _| {
        let padding: i64 = args.arg(1)?;
        if Padding::of(padding).is_none() {
            let message = "Specified padding mode is not valid for this algorithm.";
            return Err(cryptographic(message).into());
        }
        own(args)?.lock().padding = padding;
        Ok(Value::Null)
    }),
    Member::method("CreateEncryptor", &[], TRANSFORM, |args, _| own(args)?.transform(true, None)),
    Member::method("CreateEncryptor", KEY_AND_IV, TRANSFORM, |args, _| {
        own(args)?.transform(true, Some(given(args)?))
    })
    .params(&["rgbKey", "rgbIV"]),
    Member::method("CreateDecryptor", &[], TRANSFORM, |args, _| own(args)?.transform(false, None)),
    Member::method("CreateDecryptor", KEY_AND_IV, TRANSFORM, |args, _| {
        own(args)?.transform(false, Some(given(args)?))
    })
    .params(&["rgbKey", "rgbIV"]),
    Member::property("BlockSize", INT, |args, _| Ok(block_bits(own(args)?.0).into())).set(
        |args, _| {
            let bits: i32 = args.arg(1)?;
            if bits != block_bits(own(args)?.0) {
                let message = "Specified block size is not valid for this algorithm.";
                return Err(cryptographic(message).into());
            }
            Ok(Value::Null)
        },
    ),
    Member::property("FeedbackSize", INT, |args, _| Ok(own(args)?.lock().feedback_bits.into()))
        .set(|args, _| {
            let (it, bits): (_, i32) = (own(args)?, args.arg(1)?);
            if bits <= 0 || bits > block_bits(it.0) || bits % 8 != 0 {
                let message = "Specified feedback size is not valid for this algorithm.";
                return Err(cryptographic(message).into());
            }
            it.lock().feedback_bits = bits;
            Ok(Value::Null)
        })
        .doc("Bits that a mode with feedback feeds back; the modes that are there have none."),
    Member::property("LegalBlockSizes", key_sizes::ALL, |args, _| {
        let bits = block_bits(own(args)?.0);
        Ok(key_sizes::value(bits, bits, 0))
    }),
    Member::property("LegalKeySizes", key_sizes::ALL, |args, _| {
        Ok(match own(args)?.0 {
            Cipher::Aes => key_sizes::value(128, 256, 64),
            Cipher::TripleDes => key_sizes::value(128, 192, 64),
        })
    }),
    Member::property("KeySize", INT, |args, _| {
        let bits = own(args)?.lock().key.len() * 8;
        Ok(i32::try_from(bits).unwrap_or(0).into())
    })
    .set(|args, cx| {
        let it = own(args)?;
        let Some(length) = key_bytes(it.0, args.arg(1)?) else {
            let message = "Specified key is not a valid size for this algorithm.";
            return Err(cryptographic(message).into());
        };
        it.lock().key = random_key(it.0, length, cx);
        Ok(Value::Null)
    }),
    Member::method("GenerateKey", &[], Type::Void, |args, cx| {
        let it = own(args)?;
        let length = it.lock().key.len();
        it.lock().key = random_key(it.0, length, cx);
        Ok(Value::Null)
    }),
    Member::method("GenerateIV", &[], Type::Void, |args, cx| {
        let it = own(args)?;
        it.lock().iv = random(it.0.block(), cx);
        Ok(Value::Null)
    }),
    Member::method("ValidKeySize", &[INT], Type::Bool, |args, _| {
        Ok(key_bytes(own(args)?.0, args.arg(1)?).is_some().into())
    })
    .params(&["bitLength"]),
    Member::method("Clear", &[], Type::Void, |_, _| Ok(Value::Null)),
    Member::method("Dispose", &[], Type::Void, |_, _| Ok(Value::Null)),
];

fn own(args: &Args<'_>) -> Result<Arc<Symmetric>, Exception> {
    args.value(0).to_object().ok_or_else(Exception::null_reference)
}

/// The key and the vector of a call; only ECB takes none.
fn given(args: &mut Args<'_>) -> Result<(Vec<u8>, Vec<u8>), Exception> {
    if args.value(1).is_null() {
        return Err(Exception::argument_null("rgbKey"));
    }
    let (key, iv): (Bytes, Option<Bytes>) = (args.arg(1)?, args.arg(2)?);
    Ok((key.to_vec(), iv.unwrap_or_default().to_vec()))
}

fn random(length: usize, cx: &EvalCx<'_>) -> Vec<u8> {
    let mut bytes = vec![0; length];
    cx.random(&mut bytes);
    bytes
}

fn block_bits(cipher: Cipher) -> i32 {
    i32::try_from(cipher.block() * 8).unwrap_or(0)
}

/// The bytes of a key of so many bits, if there are such keys.
fn key_bytes(cipher: Cipher, bits: i32) -> Option<usize> {
    let length = usize::try_from(bits).ok().filter(|it| it.is_multiple_of(8))? / 8;
    cipher.takes_key(length).then_some(length)
}

/// A random key that can be used. Weak ones are so rare that a few tries are plenty.
fn random_key(cipher: Cipher, length: usize, cx: &EvalCx<'_>) -> Vec<u8> {
    let key = random(length, cx);
    if !cipher.is_weak(&key) {
        return key;
    }
    // Parts that differ in more than the bits that are no part of a key.
    key.chunks(8)
        .zip([0_u8, 0x55, 0xaa])
        .flat_map(|(part, with)| part.iter().map(move |it| it ^ with))
        .collect()
}

/// A cipher with a random key of its usual size and a random vector.
pub(super) fn create(cipher: Cipher, cx: &EvalCx<'_>) -> Value {
    let key = random_key(cipher, cipher.usual_key(), cx);
    let iv = random(cipher.block(), cx);
    let settings = Settings { key, iv, mode: CBC, padding: PKCS7, feedback_bits: FEEDBACK };
    Value::object(Symmetric(cipher, Mutex::new(settings)))
}

fn named(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (name,): (Str,) = args.get()?;
    charge(cx, 0)?;
    if !Cipher::is_known(name.as_str()) {
        return Ok(Value::Null);
    }
    Ok(create(Cipher::of_name(name.as_str())?, cx))
}

#[cfg(test)]
mod tests {
    use dotnet::crypto::Cipher;

    use super::{Symmetric, create};
    use crate::test_support::with_cx;

    #[test]
    fn a_new_algorithm_encrypts_with_its_own_key() {
        with_cx(|cx| {
            for (cipher, sizes, shown) in
                [(Cipher::Aes, (32, 16), "Aes(..)"), (Cipher::TripleDes, (24, 8), "TripleDes(..)")]
            {
                let value = create(cipher, cx);
                let it = value.as_object::<Symmetric>().unwrap();
                let (key, iv) = it.key_and_vector();
                let secret = it.run(true, b"text", &key, &iv).unwrap();
                assert_eq!(it.run(false, &secret, &key, &iv).unwrap(), b"text");
                assert_eq!(((key.len(), iv.len()), format!("{it:?}").as_str()), (sizes, shown));
            }
        });
    }
}
