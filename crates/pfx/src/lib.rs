//! PKCS #12 files (PFX): the certificates and the private key in them; private keys under a password.
//!
//! ```text
//! bytes, password -> der -> mac (is the password right?) -> bags -> Pfx
//!                                                            ^
//!                                              cipher <- key (password to key)
//! ```
//!
//! Start with [`Pfx::open`]. Files of today (PBES2 with AES, SHA-2) and of yesterday (triple DES and
//! RC2, SHA-1) open; what else there may be is refused by name. Size, depth and rounds are bounded.
//! `Debug` shows nothing of a key. [`seal`] writes a file, with AES and SHA-256 only.
//!
//! [`der`] is what keys are read and written with, too.
//!
//! This crate never decides whether a certificate is trusted.
//!
//! Source: RFC 7292.

mod bags;
mod cipher;
pub mod der;
mod key;
mod mac;
mod order;
mod seal;

pub use seal::{SealPassword, open_private_key, seal};

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use key::Password;

/// The largest file that is read.
pub const MAX_BYTES: usize = 256 * 1024;

/// Why a file does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PfxError {
    /// It is no PKCS #12 file, or a broken one.
    #[error("it is no PFX file (PKCS #12), or a broken one")]
    NotPfx,
    /// The password does not open it.
    #[error("the password is wrong")]
    Password,
    /// An algorithm or a form that is not known here: its object identifier.
    #[error("the PFX file uses algorithm {0}, which is not supported")]
    Unsupported(String),
    /// Turning the password into a key would take too long.
    #[error("the PFX file asks for {0} rounds of its password, more than {max}", max = key::MAX_ROUNDS)]
    TooManyRounds(u32),
    /// It is larger than [`MAX_BYTES`].
    #[error("the PFX file is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// There is no certificate in it.
    #[error("the PFX file holds no certificate")]
    NoCertificate,
}

/// What a file holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Pfx {
    certificates: Vec<Vec<u8>>,
    private_key: Option<Zeroizing<Vec<u8>>>,
}

impl Pfx {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`PfxError::Password`] if the password is wrong; else what is wrong with the file.
    pub fn open(bytes: &[u8], password: &str) -> Result<Self, PfxError> {
        if bytes.len() > MAX_BYTES {
            return Err(PfxError::TooLarge);
        }
        match Self::open_with(bytes, &Password::new(password)) {
            // Programs disagree on what the empty password is.
            Err(PfxError::Password) if password.is_empty() => {
                Self::open_with(bytes, &Password::none())
            }
            done => done,
        }
    }

    fn open_with(bytes: &[u8], password: &Password) -> Result<Self, PfxError> {
        let safe = mac::verified(bytes, password)?;
        let found = bags::read(&safe, password)?;
        let certificates = order::own_first(found.certificates, found.key_id.as_deref());
        if certificates.is_empty() {
            return Err(PfxError::NoCertificate);
        }
        Ok(Self { certificates, private_key: found.private_key })
    }

    /// Whether the bytes look like a PKCS #12 file in DER or BER: a sequence that starts with the
    /// number 3.
    #[must_use]
    pub fn is_likely(bytes: &[u8]) -> bool {
        let mut outer = der::Reader::new(bytes);
        outer.within(der::SEQUENCE).and_then(|mut it| it.number()) == Some(3)
    }

    /// The certificates in DER: that of the private key first, then those above it.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// The private key in DER (PKCS #8). `None` if the file has certificates only.
    #[must_use]
    pub fn private_key(&self) -> Option<&[u8]> {
        self.private_key.as_ref().map(|it| it.as_slice())
    }

    /// The certificates as PEM, in order.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.certificates.iter().map(|it| pem("CERTIFICATE", it).to_string()).collect()
    }

    /// The private key as PEM.
    #[must_use]
    pub fn private_key_pem(&self) -> Option<Zeroizing<String>> {
        self.private_key.as_ref().map(|it| pem("PRIVATE KEY", it))
    }
}

impl fmt::Debug for Pfx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pfx").field("n_certificates", &self.certificates.len()).finish()
    }
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(STANDARD.encode(der));
    let mut pem = Zeroizing::new(String::with_capacity(text.len() + 100));
    pem.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_has_lines_of_64() {
        let text = pem("X", &[0; 50]);
        let lines: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(lines, [17, 64, 4, 15]);
    }

    #[test]
    fn a_file_is_known_by_its_first_bytes() {
        assert!(Pfx::is_likely(&[0x30, 3, 2, 1, 3]));
        assert!(!Pfx::is_likely(&[0x30, 3, 2, 1, 0]));
        assert!(!Pfx::is_likely(b"-----BEGIN"));
    }

    #[test]
    fn a_large_file_is_refused_unread() {
        assert_eq!(Pfx::open(&vec![0; MAX_BYTES + 1], ""), Err(PfxError::TooLarge));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        for bytes in [&b""[..], b"x", &[0x30, 3, 2, 1, 3], &[0x30, 0x80, 2, 1, 3]] {
            assert_eq!(Pfx::open(bytes, "x"), Err(PfxError::NotPfx));
        }
    }
}
