//! `System.Security.Cryptography`: <https://learn.microsoft.com/dotnet/api/system.security.cryptography>
//!
//! The rows stand on [`dotnet::crypto`].

pub(crate) mod asn_encoded_data;
pub(crate) mod asymmetric_algorithm;
pub(crate) mod crypto_transform;
pub(crate) mod enums;
pub(crate) mod extensions;
pub(crate) mod hash_algorithm;
pub(crate) mod hash_algorithm_name;
pub(crate) mod hashes;
pub(crate) mod hmac;
pub(crate) mod key_sizes;
pub(crate) mod oid;
mod oid_names;
pub(crate) mod public_key;
pub(crate) mod rng;
pub(crate) mod rsa;
pub(crate) mod rsa_certificate_extensions;
pub(crate) mod rsa_padding;
pub(crate) mod rsa_parameters;
pub(crate) mod symmetric_algorithm;
pub(crate) mod x509_certificate;
pub(crate) mod x509_certificate2;
mod x509_text;

pub use x509_certificate::{certificate, certificate_with_key};

use clr::exception::Exception;
use clr::rows::{Args, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use corelib::language::span;

/// `HashAlgorithm`.
pub(super) const HASH_ALGORITHM: Type = Type::named("System.Security.Cryptography.HashAlgorithm");
/// `Stream`: nothing makes one, but calls with null are weighed with what would take one.
pub(super) const STREAM: Type = Type::named("System.IO.Stream");

pub(crate) static STREAM_TYPE: TypeDef =
    TypeDef::class("System.IO.Stream", &[]).bases(&[DISPOSABLE]).unlisted();

/// `IDisposable`.
pub(super) const DISPOSABLE: Type = Type::named(names::IDISPOSABLE);

/// Counts work over so many bytes.
pub(super) fn charge(cx: &mut clr::EvalCx<'_>, bytes: usize) -> Result<(), Exception> {
    cx.steps(4 + bytes as u64 / 64)?;
    cx.allocate(64)
}

/// What .NET says where .NET Framework chose an algorithm itself.
pub(super) fn no_default() -> Exception {
    Exception::new(
        "System.PlatformNotSupportedException",
        "This platform does not allow the automatic selection of an algorithm.",
    )
}

/// Writes bytes to the span of an argument, and how many they are to the `out` parameter. False if
/// they do not fit.
pub(super) fn give(args: &mut Args<'_>, destination: usize, written: usize, bytes: &[u8]) -> Value {
    let fits = span::write_bytes(args.value(destination), bytes);
    span::set_written(args, written, fits, bytes.len())
}
