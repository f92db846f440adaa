//! `KeyedHashAlgorithm`, `HMAC` and `HMACMD5` to `HMACSHA512`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.hmac>
//!
//! They differ in nothing but the algorithm, so they share one table.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use dotnet::crypto::Hash;
use dotnet::{Runtime, Str};

use super::hash_algorithm::{Hasher, own};
use super::{HASH_ALGORITHM, no_default};

const KEYED_NAME: &str = "System.Security.Cryptography.KeyedHashAlgorithm";
const HMAC_NAME: &str = "System.Security.Cryptography.HMAC";
const KEYED: Type = Type::named(KEYED_NAME);
const HMAC: Type = Type::named(HMAC_NAME);

/// Blocks of 64 bytes, which .NET Framework can still compute; .NET cannot.
const LEGACY: Member = Member::property("ProduceLegacyHmacValues", Type::Bool, |args, _| {
    Ok(own(args)?.is_legacy().into())
})
.set(|args, cx| {
    let on = args.arg::<bool>(1)?;
    if on && cx.runtime() != Runtime::Framework {
        return Err(unsupported("Operation is not supported on this platform."));
    }
    own(args)?.set_legacy(on);
    Ok(Value::Null)
});

fn unsupported(message: &str) -> Exception {
    Exception::new("System.PlatformNotSupportedException", message)
}

/// The name can be given again, but no other, except to .NET Framework.
fn set_name(args: &mut Args<'_>, cx: &EvalCx<'_>) -> Result<Value, Exception> {
    let name: Option<Str> = args.arg(1)?;
    let name = name.ok_or_else(|| Exception::argument_null("HashName"))?;
    if name.as_str() == own(args)?.name() {
        return Ok(Value::Null);
    }
    if let (Runtime::Framework, Some(other)) = (cx.runtime(), Hash::of_name(name.as_str())) {
        own(args)?.replace(other);
        return Ok(Value::Null);
    }
    let message = "Setting the hashname after it's already been set is not supported on this \
                   platform.";
    Err(unsupported(message))
}

macro_rules! hmac_type {
    ($name:literal, $hash:expr $(, $more:expr)?) => {{
        const OWN: Type = Type::named(concat!("System.Security.Cryptography.", $name));
        const MEMBERS: &[Member] = &[
            Member::constructor(&[], OWN, |_, cx| Ok(random(OWN, $hash, cx))),
            Member::constructor(&[Type::BYTES], OWN, |args, _| keyed(args, OWN, $hash))
                .params(&["key"]),
            $($more,)?
        ];
        TypeDef::class(concat!("System.Security.Cryptography.", $name), MEMBERS).bases(&[HMAC])
    }};
}

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(
        KEYED_NAME,
        &[
            Member::property("Key", Type::BYTES, |args, _| Ok(own(args)?.key().into())).set(
                |args, _| {
                    let key = args.value(1).as_bytes();
                    let key = key.ok_or_else(|| Exception::argument_null("value"))?;
                    own(args)?.set_key(&key);
                    Ok(Value::Null)
                },
            ),
            Member::static_method("Create", &[], KEYED, |_, _| Err(no_default())),
            Member::static_method("Create", &[Type::String], KEYED, create).params(&["algName"]),
        ],
    )
    .bases(&[HASH_ALGORITHM]),
    TypeDef::class(
        HMAC_NAME,
        &[
            Member::static_method("Create", &[], HMAC, |_, _| Err(no_default())),
            Member::static_method("Create", &[Type::String], HMAC, create)
                .params(&["algorithmName"]),
            Member::property("HashName", Type::String, |args, _| Ok(own(args)?.name().into()))
                .set(|args, cx| set_name(args, cx)),
        ],
    )
    .bases(&[KEYED]),
    hmac_type!("HMACMD5", Hash::Md5),
    hmac_type!("HMACSHA1", Hash::Sha1),
    hmac_type!("HMACSHA256", Hash::Sha256),
    hmac_type!("HMACSHA384", Hash::Sha384, LEGACY),
    hmac_type!("HMACSHA512", Hash::Sha512, LEGACY),
];

fn keyed(args: &mut Args<'_>, ty: Type, hash: Hash) -> Result<Value, Exception> {
    let key = args.value(0).as_bytes().ok_or_else(Exception::null_reference)?;
    Ok(Hasher::value(ty, hash, Some(key.to_vec())))
}

fn random(ty: Type, hash: Hash, cx: &EvalCx<'_>) -> Value {
    let mut key = vec![0; hash.block_len()];
    cx.random(&mut key);
    Hasher::value(ty, hash, Some(key))
}

fn create(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (name,): (Str,) = args.get()?;
    let short = name.as_str().rsplit('.').next().unwrap_or("").to_ascii_uppercase();
    let Some(hash) = short.strip_prefix("HMAC").and_then(Hash::of_name) else {
        return Ok(Value::Null);
    };
    let ty = match hash {
        Hash::Md5 => Type::named("System.Security.Cryptography.HMACMD5"),
        Hash::Sha1 => Type::named("System.Security.Cryptography.HMACSHA1"),
        Hash::Sha256 => Type::named("System.Security.Cryptography.HMACSHA256"),
        Hash::Sha384 => Type::named("System.Security.Cryptography.HMACSHA384"),
        Hash::Sha512 => Type::named("System.Security.Cryptography.HMACSHA512"),
    };
    Ok(random(ty, hash, cx))
}

#[cfg(test)]
mod tests {
    use super::{Hash, Hasher, KEYED};
    use crate::crypto::hash_algorithm::compute;
    use crate::test_support::with_cx;

    #[test]
    fn the_key_decides_the_digest() {
        with_cx(|cx| {
            let mut digest = |key: &[u8]| {
                let hasher = Hasher::value(KEYED, Hash::Sha256, Some(key.to_vec()));
                compute(&hasher, b"data", cx)
            };
            assert_eq!(digest(b"key")[..4], [0x50, 0x31, 0xfe, 0x3d]);
            assert_ne!(digest(b"key"), digest(b"other"));
        });
    }
}
