//! Cryptography of .NET over `aws-lc-rs`: digests, HMAC, AES, certificates, RSA signatures.
//!
//! ```text
//! Hash -> digest, hmac        Aes -> encrypt, decrypt        Certificate -> fields, PublicKey
//! ```
//!
//! MD5 is our own, since the library has none; it is there for checksums that protocols ask for.
//! Keys are never shown by `Debug`. Nothing here reads a file or asks a key store.

mod aes;
mod certificate;
mod distinguished_name;
mod hash;
mod md5;
mod rsa;
mod transform;

pub use aes::{Cipher, Mode, decrypt, encrypt};
pub use certificate::{Certificate, Name};
pub use hash::Hash;
pub use rsa::{PrivateKey, PublicKey};
pub use transform::{BLOCK, Padding, Transform};

pub use crate::fault::Fault;

/// `System.Security.Cryptography.CryptographicException`.
pub fn cryptographic(message: impl Into<String>) -> Fault {
    Fault::new("System.Security.Cryptography.CryptographicException", message)
}
