//! Cryptography of .NET over `aws-lc-rs`: digests, HMAC, AES, certificates, RSA keys.
//! Triple DES is `des`.
//!
//! ```text
//! Hash -> digest, hmac        Cipher -> encrypt, decrypt        Certificate -> fields, RsaKey
//! ```
//!
//! MD5 is our own, since the library has none; it is there for checksums that protocols ask for.
//! Keys are never shown by `Debug`. Nothing here reads a file or asks a key store.

mod certificate;
mod cipher;
mod des;
mod distinguished_name;
mod extension_text;
mod hash;
mod md5;
mod rsa;
mod transform;

pub use certificate::{Certificate, Extension, Name, not_exportable};
pub use cipher::{Cipher, decrypt, encrypt};
pub use extension_text::extension_text;
pub use hash::Hash;
pub use rsa::{Digits, MAX_NEW_BITS, RsaKey, RsaNumbers, RsaSecret};
pub use transform::{Mode, Padding, Transform};

pub use pfx::SealPassword;

pub use crate::fault::Fault;

/// Bytes in hexadecimal, upper case.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02X}")).collect()
}

/// `System.Security.Cryptography.CryptographicException`.
pub fn cryptographic(message: impl Into<String>) -> Fault {
    Fault::new("System.Security.Cryptography.CryptographicException", message)
}
