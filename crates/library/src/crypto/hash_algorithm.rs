//! `System.Security.Cryptography.HashAlgorithm`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.hashalgorithm>

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
#[cfg(test)]
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{ByteArray, Object, Value};
use corelib::language::span;
use dotnet::Str;
use dotnet::crypto::Hash;

use super::{DISPOSABLE, HASH_ALGORITHM, STREAM, charge, no_default};

pub(crate) static TYPE: TypeDef =
    TypeDef::class("System.Security.Cryptography.HashAlgorithm", MEMBERS).bases(&[DISPOSABLE]);

const INT: Type = Type::Int32;

/// A digest or keyed digest under way.
pub(super) struct Hasher {
    ty: Type,
    hash: Hash,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    key: Option<Vec<u8>>,
    pending: Vec<u8>,
    last: Option<Vec<u8>>,
    legacy: bool,
    /// What .NET Framework was told to use instead.
    replaced: Option<Hash>,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the key nor the data is shown.
        f.debug_struct("Hasher").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl Object for Hasher {
    fn net_type(&self) -> Type {
        self.ty
    }
}

impl Hasher {
    /// A digest, keyed if there is a key.
    pub(super) fn value(ty: Type, hash: Hash, key: Option<Vec<u8>>) -> Value {
        let state = Mutex::new(State { key, ..State::default() });
        Value::object(Self { ty, hash, state })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a keyed digest.
    pub(super) fn key(&self) -> Vec<u8> {
        self.lock().key.clone().unwrap_or_default()
    }

    /// Sets the key of a keyed digest.
    pub(super) fn set_key(&self, key: &[u8]) {
        self.lock().key = Some(key.to_vec());
    }

    /// Does it compute what .NET Framework 2.0 did?
    pub(super) fn is_legacy(&self) -> bool {
        self.lock().legacy
    }

    pub(super) fn set_legacy(&self, on: bool) {
        self.lock().legacy = on;
    }

    /// The name of its algorithm.
    pub(super) fn name(&self) -> &'static str {
        self.lock().replaced.unwrap_or(self.hash).name()
    }

    /// Uses another algorithm from now on.
    pub(super) fn replace(&self, with: Hash) {
        self.lock().replaced = Some(with);
    }

    fn digest(&self, data: &[u8]) -> Vec<u8> {
        let state = self.lock();
        match &state.key {
            Some(key) if state.legacy => self.hash.hmac_of_block(64, key, data),
            Some(key) => {
                let length = self.hash.block_len();
                let other = state.replaced.filter(|it| *it != self.hash);
                other.map_or_else(
                    || self.hash.hmac(key, data),
                    |it| it.hmac_of_block(length, key, data),
                )
            }
            None => self.hash.digest(data),
        }
    }

    fn compute(&self, data: &[u8]) -> Vec<u8> {
        let digest = self.digest(data);
        self.lock().last = Some(digest.clone());
        digest
    }
}

const MEMBERS: &[Member] = &[
    Member::static_method("Create", &[], HASH_ALGORITHM, |_, _| Err(no_default())),
    Member::static_method("Create", &[Type::String], HASH_ALGORITHM, |args, _| {
        let (name,): (Str,) = args.get()?;
        Ok(Hash::of_name(name.as_str()).map_or(Value::Null, super::hashes::create))
    })
    .params(&["hashName"])
    .doc("The algorithm of that name, or null."),
    Member::property("HashSize", INT, |args, _| Ok(own(args)?.hash.bits().into()))
        .doc("Bits of the digest."),
    Member::property("Hash", Type::BYTES, |args, _| Ok(own(args)?.lock().last.clone().into()))
        .doc("The digest that was computed last."),
    Member::property("CanReuseTransform", Type::Bool, |_, _| Ok(true.into())),
    Member::property("CanTransformMultipleBlocks", Type::Bool, |_, _| Ok(true.into())),
    Member::property("InputBlockSize", INT, |_, _| Ok(1.into())),
    Member::property("OutputBlockSize", INT, |_, _| Ok(1.into())),
    Member::method("ComputeHash", &[Type::BYTES], Type::BYTES, |args, cx| {
        let it = own(args)?;
        let data = buffer(args)?;
        charge(cx, data.len())?;
        Ok(it.compute(&data).into())
    })
    .params(&["buffer"])
    .doc("The digest of the bytes."),
    Member::method("ComputeHash", &[STREAM], Type::BYTES, |_, _| Err(Exception::null_reference()))
        .params(&["inputStream"])
        .rival(),
    Member::method("ComputeHash", &[Type::BYTES, INT, INT], Type::BYTES, |args, cx| {
        let it = own(args)?;
        let (offset, count) = (args.arg::<i32>(2)?, args.arg::<i32>(3)?);
        let data = buffer(args)?;
        let part = part(&data, offset, count)?;
        charge(cx, part.len())?;
        Ok(it.compute(part).into())
    })
    .params(&["buffer", "offset", "count"]),
    Member::method(
        "TransformBlock",
        &[Type::BYTES, INT, INT, Type::BYTES, INT],
        INT,
        |args, cx| {
            let it = own(args)?;
            let (offset, count) = (args.arg::<i32>(2)?, args.arg::<i32>(3)?);
            let data = buffer(args)?;
            let part = part(&data, offset, count)?;
            charge(cx, part.len())?;
            cx.allocate(part.len())?;
            it.lock().pending.extend_from_slice(part);
            if let Some(output) = args.arg::<Option<Arc<ByteArray>>>(4)? {
                let at = args.arg::<i32>(5)?;
                let at = usize::try_from(at)
                    .map_err(|_| Exception::argument_out_of_range("outputOffset"))?;
                for (n, byte) in part.iter().enumerate() {
                    output.set(at + n, *byte);
                }
            }
            Ok(count.into())
        },
    )
    .params(&["inputBuffer", "inputOffset", "inputCount", "outputBuffer", "outputOffset"]),
    Member::method("TransformFinalBlock", &[Type::BYTES, INT, INT], Type::BYTES, |args, cx| {
        let it = own(args)?;
        let (offset, count) = (args.arg::<i32>(2)?, args.arg::<i32>(3)?);
        let data = buffer(args)?;
        let part = part(&data, offset, count)?.to_vec();
        let mut all = std::mem::take(&mut it.lock().pending);
        charge(cx, all.len() + part.len())?;
        all.extend_from_slice(&part);
        it.compute(&all);
        Ok(part.into())
    })
    .params(&["inputBuffer", "inputOffset", "inputCount"]),
    Member::method(
        "TryComputeHash",
        &[span::READ_BYTES, span::BYTES, Type::Out(&INT)],
        Type::Bool,
        |args, cx| {
            let it = own(args)?;
            let data = span::bytes(args.value(1));
            let size = it.hash.bits() as usize / 8;
            if span::bytes(args.value(2)).len() < size {
                return Ok(span::set_written(args, 3, false, 0));
            }
            charge(cx, data.len())?;
            let fits = span::write_bytes(args.value(2), &it.compute(&data));
            it.lock().last = None;
            Ok(span::set_written(args, 3, fits, size))
        },
    )
    .params(&["source", "destination", "bytesWritten"]),
    Member::method("Initialize", &[], Type::Void, |args, _| {
        own(args)?.lock().pending.clear();
        Ok(Value::Null)
    }),
    Member::method("Clear", &[], Type::Void, |_, _| Ok(Value::Null)),
    Member::method("Dispose", &[], Type::Void, |_, _| Ok(Value::Null)),
];

/// The object of a row.
pub(super) fn own(args: &mut Args<'_>) -> Result<Arc<Hasher>, Exception> {
    args.value(0).to_object().ok_or_else(Exception::null_reference)
}

fn buffer(args: &mut Args<'_>) -> Result<Bytes, Exception> {
    args.arg(1)
}

/// A part of an array, by .NET's rules.
fn part(data: &[u8], offset: i32, count: i32) -> Result<&[u8], Exception> {
    let offset = usize::try_from(offset).map_err(|_| Exception::argument_out_of_range("offset"))?;
    let invalid = || Exception::argument("Value was invalid.");
    let count = usize::try_from(count).map_err(|_| invalid())?;
    offset.checked_add(count).and_then(|end| data.get(offset..end)).ok_or_else(invalid)
}

/// What a row of this file does, for tests of others.
#[cfg(test)]
pub(super) fn compute(of: &Value, data: &[u8], cx: &mut EvalCx<'_>) -> Vec<u8> {
    let row = MEMBERS.iter().find(|it| it.name == "ComputeHash").unwrap();
    let mut values = [of.clone(), Value::from(data.to_vec())];
    let mut args = Args::new(row, &mut values, &[], &[], Type::BYTES);
    (row.call)(&mut args, cx).unwrap().as_bytes().unwrap().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{HASH_ALGORITHM, Hash, Hasher, compute, part};
    use crate::test_support::with_cx;

    #[test]
    fn a_digest_is_computed_again_and_again() {
        with_cx(|cx| {
            let hash = Hasher::value(HASH_ALGORITHM, Hash::Sha256, None);
            let first = compute(&hash, b"x", cx);
            assert_eq!(first, compute(&hash, b"x", cx));
            assert_eq!(first.len(), 32);
        });
    }

    #[test]
    fn parts_stay_inside_of_the_array() {
        assert_eq!(part(b"abc", 1, 2).unwrap(), b"bc");
        assert_eq!(part(b"abc", 2, 2).unwrap_err().type_name, "System.ArgumentException");
        let below = part(b"abc", -1, 2).unwrap_err().type_name;
        assert_eq!(below, "System.ArgumentOutOfRangeException");
    }

    #[test]
    fn debug_shows_no_key() {
        let keyed = Hasher::value(HASH_ALGORITHM, Hash::Md5, Some(b"secret".to_vec()));
        assert!(!format!("{keyed:?}").contains("secret"));
        assert!(!format!("{keyed:?}").contains("115"));
    }
}
