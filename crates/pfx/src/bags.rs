//! The bags of a file: certificates and a private key, in the open or encrypted.
//!
//! Source: RFC 7292, sections 4.1 and 4.2.

use zeroize::Zeroizing;

use crate::PfxError;
use crate::cipher::decrypt;
use crate::der::{CONTEXT_0, OID, Reader, SEQUENCE, SET, dotted, octets};
use crate::key::Password;

const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED: &str = "1.2.840.113549.1.7.6";
const KEY_BAG: &str = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY_BAG: &str = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE_BAG: &str = "1.2.840.113549.1.12.10.1.3";
const NESTED_BAG: &str = "1.2.840.113549.1.12.10.1.6";
const X509: &str = "1.2.840.113549.1.9.22.1";
const LOCAL_KEY_ID: &str = "1.2.840.113549.1.9.21";

/// Bags within bags.
const MAX_DEPTH: usize = 4;
/// Certificates that are taken.
const MAX_CERTIFICATES: usize = 64;

/// A certificate with the mark that ties it to its key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) key_id: Option<Vec<u8>>,
}

/// What the bags hold.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) private_key: Option<Zeroizing<Vec<u8>>>,
    /// The mark that ties the key to its certificate.
    pub(crate) key_id: Option<Vec<u8>>,
}

/// Reads all bags. The first private key is the one.
pub(crate) fn read(safe: &[u8], password: &Password) -> Result<Found, PfxError> {
    let mut found = Found::default();
    let mut parts = Reader::new(safe).within(SEQUENCE).ok_or(PfxError::NotPfx)?;
    while !parts.is_empty() {
        let mut part = parts.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
        let kind = dotted(part.oid().ok_or(PfxError::NotPfx)?);
        let mut content = part.within(CONTEXT_0).ok_or(PfxError::NotPfx)?;
        match kind.as_str() {
            DATA => {
                let bags = content.octets().ok_or(PfxError::NotPfx)?;
                all(&bags, password, &mut found, MAX_DEPTH)?;
            }
            ENCRYPTED => {
                let bags = encrypted(content, password)?;
                all(&bags, password, &mut found, MAX_DEPTH)?;
            }
            // Encrypted for a public key; nothing that a password opens.
            _ => return Err(PfxError::Unsupported(kind)),
        }
    }
    Ok(found)
}

fn encrypted(mut content: Reader<'_>, password: &Password) -> Result<Zeroizing<Vec<u8>>, PfxError> {
    let mut data = content.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
    data.number().ok_or(PfxError::NotPfx)?;
    let mut info = data.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
    info.oid().ok_or(PfxError::NotPfx)?;
    let algorithm = info.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
    let text = info.take().and_then(|it| octets(&it)).ok_or(PfxError::NotPfx)?;
    decrypt(algorithm, &text, password)
}

fn all(bags: &[u8], password: &Password, found: &mut Found, depth: usize) -> Result<(), PfxError> {
    // Decrypted with a wrong password, but with a right padding by chance, it is no sequence.
    let mut bags = Reader::new(bags).within(SEQUENCE).ok_or(PfxError::Password)?;
    while !bags.is_empty() {
        let mut bag = bags.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
        one(&mut bag, password, found, depth)?;
    }
    Ok(())
}

fn one(
    bag: &mut Reader<'_>,
    password: &Password,
    found: &mut Found,
    depth: usize,
) -> Result<(), PfxError> {
    let kind = dotted(bag.oid().ok_or(PfxError::NotPfx)?);
    let mut value = bag.within(CONTEXT_0).ok_or(PfxError::NotPfx)?;
    let key_id = local_key_id(bag.within(SET));
    let key = match kind.as_str() {
        KEY_BAG => {
            let whole = value.expect(SEQUENCE).ok_or(PfxError::NotPfx)?.whole;
            Some(Zeroizing::new(whole.to_vec()))
        }
        SHROUDED_KEY_BAG => {
            let mut info = value.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
            let algorithm = info.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
            let text = info.octets().ok_or(PfxError::NotPfx)?;
            Some(decrypt(algorithm, &text, password)?)
        }
        CERTIFICATE_BAG => {
            let mut certificate = value.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
            if certificate.oid().map(dotted).as_deref() == Some(X509) {
                let der = certificate.within(CONTEXT_0).and_then(|mut it| it.octets());
                let der = der.ok_or(PfxError::NotPfx)?.into_owned();
                if found.certificates.len() == MAX_CERTIFICATES {
                    return Err(PfxError::NotPfx);
                }
                found.certificates.push(Certificate { der, key_id: key_id.clone() });
            }
            None
        }
        NESTED_BAG if depth > 0 => {
            let whole = value.expect(SEQUENCE).ok_or(PfxError::NotPfx)?.whole;
            all(whole, password, found, depth - 1)?;
            None
        }
        // Revocation lists and secrets of programs are nothing to us.
        _ => None,
    };
    if key.is_some() && found.private_key.is_none() {
        found.private_key = key;
        found.key_id = key_id;
    }
    Ok(())
}

fn local_key_id(attributes: Option<Reader<'_>>) -> Option<Vec<u8>> {
    let mut attributes = attributes?;
    while let Some(mut attribute) = attributes.within(SEQUENCE) {
        let name = attribute.expect(OID)?.content;
        let mut values = attribute.within(SET)?;
        if dotted(name) == LOCAL_KEY_ID {
            return values.octets().map(std::borrow::Cow::into_owned);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_for_a_public_key_is_refused() {
        // SEQUENCE { SEQUENCE { envelopedData, [0] {} } }.
        let safe = [0x30, 15, 0x30, 13, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3, 0xA0, 0];
        let found = read(&safe, &Password::new("")).err();
        assert_eq!(found, Some(PfxError::Unsupported("1.2.840.113549.1.7.3".to_owned())));
    }

    #[test]
    fn no_parts_are_no_certificates() {
        assert!(read(&[0x30, 0], &Password::new("")).unwrap().certificates.is_empty());
        assert_eq!(read(&[0x04, 0], &Password::new("")).err(), Some(PfxError::NotPfx));
    }
}
