//! Writing: a PKCS #12 file, and private keys under a password (PKCS #8), read.
//!
//! What is written is PBES2 with AES-256-CBC and HMAC-SHA-256, under a MAC of SHA-256.
//!
//! Source: RFC 7292, section 4; RFC 5958, section 3; RFC 8018, section 6.2.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{digest, hmac, rand};
use zeroize::Zeroizing;

use crate::PfxError;
use crate::cipher::decrypt;
use crate::der::{
    CONTEXT_0, OCTETS, Reader, SEQUENCE, SET, write, write_all, write_number, write_oid,
};
use crate::key::{Digest, Password, Purpose};

/// Rounds of the password, as .NET writes them.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(2000) {
    Some(it) => it,
    None => NonZeroU32::MIN,
};
const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED: &str = "1.2.840.113549.1.7.6";
const SHROUDED_KEY_BAG: &str = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE_BAG: &str = "1.2.840.113549.1.12.10.1.3";
const X509: &str = "1.2.840.113549.1.9.22.1";
const LOCAL_KEY_ID: &str = "1.2.840.113549.1.9.21";
const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
const HMAC_SHA256: &str = "1.2.840.113549.2.9";
const AES_256_CBC: &str = "2.16.840.1.101.3.4.1.42";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";

type Der = Zeroizing<Vec<u8>>;

/// Opens a private key in DER under a password (`EncryptedPrivateKeyInfo`): the key (PKCS #8), and
/// how many of the bytes it took.
///
/// # Errors
///
/// [`PfxError::Password`] if the password is wrong; else what is wrong with the bytes.
pub fn open_private_key(
    bytes: &[u8],
    password: SealPassword<'_>,
) -> Result<(Zeroizing<Vec<u8>>, usize), PfxError> {
    let password = match password {
        SealPassword::Text(it) => Password::new(it),
        SealPassword::Bytes(it) => Password::of_bytes(it),
    };
    let mut reader = Reader::new(bytes);
    let whole = reader.expect(SEQUENCE).ok_or(PfxError::NotPfx)?;
    let mut info = Reader::new(whole.content);
    let algorithm = info.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
    let encrypted = info.octets().ok_or(PfxError::NotPfx)?;
    Ok((decrypt(algorithm, &encrypted, &password)?, whole.whole.len()))
}

/// A password, as text or as the bytes that PBKDF2 takes.
#[derive(Clone, Copy)]
pub enum SealPassword<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// Writes a file with certificates, the first one that of the private key in PKCS #8.
///
/// # Errors
///
/// [`PfxError::Unsupported`] if the system gives no random numbers.
pub fn seal(
    certificates: &[impl AsRef<[u8]>],
    key: Option<&[u8]>,
    password: &str,
) -> Result<Vec<u8>, PfxError> {
    let password = Password::new(password);
    let mut parts = Vec::new();
    let mut bags = Vec::new();
    for (at, certificate) in certificates.iter().enumerate() {
        let value = write_all(
            SEQUENCE,
            &[write_oid(X509), write(CONTEXT_0, &write(OCTETS, certificate.as_ref()))],
        );
        let attributes = key.filter(|_| at == 0).map(|_| marked(certificate.as_ref()));
        bags.push(bag(CERTIFICATE_BAG, &value, attributes));
    }
    let (algorithm, text) = encrypted(&write_all(SEQUENCE, &bags), &password)?;
    let content = write_all(SEQUENCE, &[write_oid(DATA), algorithm, write(0x80, &text)]);
    let data = write_all(SEQUENCE, &[write_number(&[0]), content]);
    parts.push(write_all(SEQUENCE, &[write_oid(ENCRYPTED), write(CONTEXT_0, &data)]));
    if let Some(key) = key {
        let (algorithm, text) = encrypted(key, &password)?;
        let value = write_all(SEQUENCE, &[algorithm, write(OCTETS, &text)]);
        let own = certificates.first().map(|it| marked(it.as_ref()));
        let bags = write_all(SEQUENCE, &[bag(SHROUDED_KEY_BAG, &value, own)]);
        parts.push(plain(&bags));
    }
    let safe = write_all(SEQUENCE, &parts);
    let mac = mac(&safe, &password)?;
    Ok(write_all(SEQUENCE, &[write_number(&[3]), plain(&safe), mac]).to_vec())
}

/// Content of the kind "data".
fn plain(content: &[u8]) -> Der {
    let content = write(CONTEXT_0, &write(OCTETS, content));
    write_all(SEQUENCE, &[write_oid(DATA), content])
}

fn bag(kind: &str, value: &[u8], attributes: Option<Der>) -> Der {
    let mut parts = vec![write_oid(kind), write(CONTEXT_0, value)];
    parts.extend(attributes);
    write_all(SEQUENCE, &parts)
}

/// The mark that ties a certificate to its key: the certificate's digest, as OpenSSL has it.
fn marked(certificate: &[u8]) -> Der {
    let id = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
    let value = write(SET, &write(OCTETS, id.as_ref()));
    write(SET, &write_all(SEQUENCE, &[write_oid(LOCAL_KEY_ID), value]))
}

/// The algorithm and the encrypted text.
fn encrypted(plain: &[u8], password: &Password) -> Result<(Der, Vec<u8>), PfxError> {
    let salt: [u8; SALT_BYTES] = random()?;
    let iv: [u8; 16] = random()?;
    let key = Digest::sha256().stretch(password, &salt, ROUNDS, KEY_BYTES);
    let failed = |_| PfxError::Unsupported(AES_256_CBC.to_owned());
    let key = UnboundCipherKey::new(&AES_256, &key).map_err(failed)?;
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(failed)?;
    // Room for the padding, so that no copy of what is not encrypted yet stays behind.
    let mut text = Vec::with_capacity(plain.len() + 16);
    text.extend_from_slice(plain);
    key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from(iv)))
        .map_err(failed)?;
    let function = write_all(SEQUENCE, &[write_oid(HMAC_SHA256), write(0x05, &[])]);
    let rounds = write_number(&ROUNDS.get().to_be_bytes());
    let derivation = write_all(SEQUENCE, &[write(OCTETS, &salt), rounds, function]);
    let derivation = write_all(SEQUENCE, &[write_oid(PBKDF2), derivation]);
    let scheme = write_all(SEQUENCE, &[write_oid(AES_256_CBC), write(OCTETS, &iv)]);
    let parameters = write_all(SEQUENCE, &[derivation, scheme]);
    Ok((write_all(SEQUENCE, &[write_oid(PBES2), parameters]), text))
}

fn mac(safe: &[u8], password: &Password) -> Result<Der, PfxError> {
    let salt: [u8; SALT_BYTES] = random()?;
    let key = Digest::sha256().derive(password, &salt, ROUNDS, Purpose::Integrity, KEY_BYTES);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), safe);
    let algorithm = write_all(SEQUENCE, &[write_oid(SHA256), write(0x05, &[])]);
    let info = write_all(SEQUENCE, &[algorithm, write(OCTETS, tag.as_ref())]);
    let rounds = write_number(&ROUNDS.get().to_be_bytes());
    Ok(write_all(SEQUENCE, &[info, write(OCTETS, &salt), rounds]))
}

fn random<const N: usize>() -> Result<[u8; N], PfxError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| PfxError::Unsupported("no random numbers".to_owned()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pfx;

    const FILE: &[u8] = include_bytes!("../tests/data/rsa.pfx");

    #[test]
    fn what_is_sealed_opens_with_its_password_only() {
        let pfx = Pfx::open(FILE, "s3cret").unwrap();
        for password in ["", "pässword", "x"] {
            let sealed = seal(pfx.certificates(), pfx.private_key(), password).unwrap();
            assert!(Pfx::open(&sealed, password).unwrap() == pfx);
            assert_eq!(Pfx::open(&sealed, "wrong").err(), Some(PfxError::Password));
            let bare = seal(pfx.certificates(), None, password).unwrap();
            let bare = Pfx::open(&bare, password).unwrap();
            assert!(bare.private_key().is_none() && bare.certificates() == pfx.certificates());
        }
    }

    #[test]
    fn a_private_key_opens_with_its_password() {
        let (algorithm, text) = encrypted(b"key", &Password::new("s3cret")).unwrap();
        let mut sealed = write_all(SEQUENCE, &[algorithm, write(OCTETS, &text)]).to_vec();
        let n = sealed.len();
        sealed.extend([0; 3]);
        let open = |it| open_private_key(&sealed, it);
        for password in [SealPassword::Text("s3cret"), SealPassword::Bytes(b"s3cret")] {
            let (key, taken) = open(password).unwrap();
            assert!(key.as_slice() == b"key" && taken == n);
        }
        // A wrong password gives a wrong padding, or in one of 256 cases something else.
        assert!(
            open(SealPassword::Text("x")).is_ok_and(|it| it.0.as_slice() != b"key")
                || open(SealPassword::Text("x")).is_err()
        );
        assert_eq!(open_private_key(b"x", SealPassword::Text("")), Err(PfxError::NotPfx));
    }
}
