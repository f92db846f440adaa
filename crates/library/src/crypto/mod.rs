//! `System.Security.Cryptography`: <https://learn.microsoft.com/dotnet/api/system.security.cryptography>
//!
//! The rows stand on [`dotnet::crypto`].

pub(crate) mod crypto_transform;
pub(crate) mod enums;
pub(crate) mod extensions;
pub(crate) mod hash_algorithm;
pub(crate) mod hash_algorithm_name;
pub(crate) mod hashes;
pub(crate) mod hmac;
pub(crate) mod oid;
pub(crate) mod rng;
pub(crate) mod rsa;
pub(crate) mod symmetric_algorithm;
pub(crate) mod x509_certificate;

pub use x509_certificate::{certificate, certificate_with_key};

use clr::exception::Exception;
use clr::types::{Type, names};

/// `HashAlgorithm`.
pub(super) const HASH_ALGORITHM: Type = Type::named("System.Security.Cryptography.HashAlgorithm");
/// `IDisposable`.
pub(super) const DISPOSABLE: Type = Type::named(names::IDISPOSABLE);

/// Counts work over so many bytes.
pub(super) fn charge(cx: &mut clr::EvalCx<'_>, bytes: usize) -> Result<(), Exception> {
    cx.steps(4 + bytes as u64 / 64)?;
    cx.allocate(64)
}
