//! The outer layer: is the file whole, and the password right?
//!
//! Three forms: the MAC of PKCS #12, that of RFC 9579 (PBMAC1), and none, which the encryption
//! inside has to make up for. Files that are signed instead are refused.
//!
//! Source: RFC 7292, sections 4 and 5.1; RFC 9579.

use std::borrow::Cow;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::PfxError;
use crate::der::{CONTEXT_0, Reader, SEQUENCE, dotted};
use crate::key::{Digest, Password, Pbkdf2, Purpose, rounds};

const DATA: &str = "1.2.840.113549.1.7.1";
const PBMAC1: &str = "1.2.840.113549.1.5.14";

/// What the file holds, once its MAC is right.
pub(crate) fn verified<'a>(
    bytes: &'a [u8],
    password: &Password,
) -> Result<Cow<'a, [u8]>, PfxError> {
    let not_pfx = || PfxError::NotPfx;
    let mut file = Reader::new(bytes).within(SEQUENCE).ok_or_else(not_pfx)?;
    if file.number() != Some(3) {
        return Err(PfxError::NotPfx);
    }
    let mut content = file.within(SEQUENCE).ok_or_else(not_pfx)?;
    let kind = dotted(content.oid().ok_or_else(not_pfx)?);
    if kind != DATA {
        return Err(PfxError::Unsupported(kind));
    }
    let safe = content.within(CONTEXT_0).and_then(|mut it| it.octets()).ok_or_else(not_pfx)?;
    if let Some(mac) = file.within(SEQUENCE) {
        check(mac, &safe, password)?;
    }
    Ok(safe)
}

fn check(mut mac: Reader<'_>, safe: &[u8], password: &Password) -> Result<(), PfxError> {
    let not_pfx = || PfxError::NotPfx;
    let mut info = mac.within(SEQUENCE).ok_or_else(not_pfx)?;
    let mut algorithm = info.within(SEQUENCE).ok_or_else(not_pfx)?;
    let expected = info.octets().ok_or_else(not_pfx)?;
    let name = dotted(algorithm.oid().ok_or_else(not_pfx)?);
    let (digest, key): (Digest, Zeroizing<Vec<u8>>) = if name == PBMAC1 {
        let mut parameters = algorithm.within(SEQUENCE).ok_or_else(not_pfx)?;
        let mut derivation = parameters.within(SEQUENCE).ok_or_else(not_pfx)?;
        let mut scheme = parameters.within(SEQUENCE).ok_or_else(not_pfx)?;
        derivation.oid().ok_or_else(not_pfx)?;
        let derivation = Pbkdf2::read(derivation.within(SEQUENCE).ok_or_else(not_pfx)?)?;
        let digest = named(dotted(scheme.oid().ok_or_else(not_pfx)?))?;
        let n_bytes = derivation.key_bytes.filter(|it| (16..=64).contains(it));
        let key = derivation.derive(password, n_bytes.ok_or_else(not_pfx)?);
        (digest, key)
    } else {
        let salt = mac.octets().ok_or_else(not_pfx)?;
        let rounds = match mac.number() {
            None => rounds(Some(1))?,
            found => rounds(found)?,
        };
        let digest = named(name)?;
        let n_bytes = digest.keyed.digest_algorithm().output_len();
        (digest, digest.derive(password, &salt, rounds, Purpose::Integrity, n_bytes))
    };
    let key = hmac::Key::new(digest.keyed, &key);
    hmac::verify(&key, safe, &expected).map_err(|_| PfxError::Password)
}

fn named(oid: String) -> Result<Digest, PfxError> {
    Digest::named(&oid).ok_or(PfxError::Unsupported(oid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_file_is_refused() {
        // SEQUENCE { 3, SEQUENCE { signedData } }.
        let bytes =
            [0x30, 16, 2, 1, 3, 0x30, 11, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
        let found = verified(&bytes, &Password::new(""));
        assert_eq!(found, Err(PfxError::Unsupported("1.2.840.113549.1.7.2".to_owned())));
    }
}
