//! The numbers of an RSA key, and their encodings: PKCS #1, PKCS #8, `SubjectPublicKeyInfo`.
//!
//! Source: RFC 8017, appendix A.1; RFC 5958, section 2; RFC 5280, section 4.1.

use std::fmt;

use pfx::der::{
    BITS, INTEGER, OCTETS, Reader, SEQUENCE, dotted, write, write_all, write_number, write_oid,
};
use zeroize::Zeroizing;

use super::super::{Fault, cryptographic};

const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";

/// Numbers with their big end first.
pub type Digits = Zeroizing<Vec<u8>>;

/// The numbers of a key, without leading zeros. `Debug` shows nothing of them.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaNumbers {
    /// The product of the primes.
    pub modulus: Vec<u8>,
    /// The public exponent.
    pub exponent: Vec<u8>,
    /// What only the owner knows.
    pub secret: Option<RsaSecret>,
}

/// The secret numbers of a key.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of RSAParameters")]
pub struct RsaSecret {
    pub d: Digits,
    pub p: Digits,
    pub q: Digits,
    pub dp: Digits,
    pub dq: Digits,
    pub inverse_q: Digits,
}

impl fmt::Debug for RsaNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaNumbers").finish_non_exhaustive()
    }
}

impl fmt::Debug for RsaSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaSecret(..)")
    }
}

/// What .NET says of bytes that are not what they should be.
pub(super) fn corrupted() -> Fault {
    cryptographic("ASN1 corrupted data.")
}

/// What .NET says of a private operation without a private key.
pub(super) fn public_only() -> Fault {
    cryptographic(
        "Object contains only the public half of a key pair. A private key must also be provided.",
    )
}

/// Without leading zeros.
pub(super) fn trimmed(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|it| **it == 0).count();
    digits.get(zeros..).unwrap_or_default()
}

/// With leading zeros up to a length.
pub(super) fn padded(digits: &[u8], length: usize) -> Digits {
    let digits = trimmed(digits);
    let mut out = Zeroizing::new(vec![0; length.saturating_sub(digits.len())]);
    out.reserve_exact(digits.len());
    out.extend_from_slice(digits);
    out
}

impl RsaNumbers {
    /// Numbers of a public key.
    #[must_use]
    pub fn public(modulus: &[u8], exponent: &[u8]) -> Self {
        let (modulus, exponent) = (trimmed(modulus).to_vec(), trimmed(exponent).to_vec());
        Self { modulus, exponent, secret: None }
    }

    /// Bytes of the modulus.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.modulus.len()
    }

    /// The secret numbers as long as .NET gives them: the exponent as long as the modulus, the
    /// others half as long.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if there are none.
    pub fn secret(&self) -> Result<RsaSecret, Fault> {
        let own = self.secret.as_ref().ok_or_else(public_only)?;
        let half = self.n_bytes().div_ceil(2);
        Ok(RsaSecret {
            d: padded(&own.d, self.n_bytes()),
            p: padded(&own.p, half),
            q: padded(&own.q, half),
            dp: padded(&own.dp, half),
            dq: padded(&own.dq, half),
            inverse_q: padded(&own.inverse_q, half),
        })
    }

    /// `ExportRSAPublicKey`: `RSAPublicKey`.
    #[must_use]
    pub fn pkcs1_public(&self) -> Vec<u8> {
        write_all(SEQUENCE, &[write_number(&self.modulus), write_number(&self.exponent)]).to_vec()
    }

    /// `ExportRSAPrivateKey`: `RSAPrivateKey`.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if there is no private key.
    pub fn pkcs1_private(&self) -> Result<Digits, Fault> {
        let it = self.secret.as_ref().ok_or_else(public_only)?;
        let parts = [&it.d, &it.p, &it.q, &it.dp, &it.dq, &it.inverse_q];
        let mut numbers =
            vec![write_number(&[0]), write_number(&self.modulus), write_number(&self.exponent)];
        numbers.extend(parts.iter().map(|it| write_number(it)));
        Ok(write_all(SEQUENCE, &numbers))
    }

    /// `ExportPkcs8PrivateKey`: `PrivateKeyInfo`.
    ///
    /// # Errors
    ///
    /// As [`Self::pkcs1_private`].
    pub fn pkcs8(&self) -> Result<Digits, Fault> {
        let key = write(OCTETS, &self.pkcs1_private()?);
        Ok(write_all(SEQUENCE, &[write_number(&[0]), algorithm(), key]))
    }

    /// `ExportSubjectPublicKeyInfo`.
    #[must_use]
    pub fn public_info(&self) -> Vec<u8> {
        let mut bits = vec![0];
        bits.extend(self.pkcs1_public());
        write_all(SEQUENCE, &[algorithm(), write(BITS, &bits)]).to_vec()
    }

    /// Reads `RSAPublicKey`; gives how many bytes it took, too.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if it is none.
    pub fn read_pkcs1_public(bytes: &[u8]) -> Result<(Self, usize), Fault> {
        read(bytes, |it| {
            let (modulus, exponent) = (number(it)?, number(it)?);
            Some(Self::public(&modulus, &exponent))
        })
    }

    /// Reads `RSAPrivateKey`; gives how many bytes it took, too.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if it is none, or one of more than two primes.
    pub fn read_pkcs1_private(bytes: &[u8]) -> Result<(Self, usize), Fault> {
        read(bytes, |it| {
            it.number().filter(|it| *it == 0)?;
            let (modulus, exponent) = (number(it)?, number(it)?);
            let (d, p, q) = (number(it)?, number(it)?, number(it)?);
            let (dp, dq, inverse_q) = (number(it)?, number(it)?, number(it)?);
            let mut own = Self::public(&modulus, &exponent);
            own.secret = Some(RsaSecret { d, p, q, dp, dq, inverse_q });
            Some(own)
        })
    }

    /// Reads `PrivateKeyInfo`; gives how many bytes it took, too.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if it is none, or of another algorithm.
    pub fn read_pkcs8(bytes: &[u8]) -> Result<(Self, usize), Fault> {
        let (key, taken) = read(bytes, |it| {
            it.number().filter(|it| *it <= 1)?;
            let is_rsa = is_rsa(it)?;
            let key = Zeroizing::new(it.octets()?.into_owned());
            // Attributes and the public key may follow.
            while !it.is_empty() {
                it.take()?;
            }
            Some((is_rsa, key))
        })?;
        let (true, key) = key else { return Err(other_key()) };
        Ok((Self::read_pkcs1_private(&key)?.0, taken))
    }

    /// Reads `SubjectPublicKeyInfo`; gives how many bytes it took, too.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if it is none, or of another algorithm.
    pub fn read_public_info(bytes: &[u8]) -> Result<(Self, usize), Fault> {
        let (key, taken) = read(bytes, |it| {
            let is_rsa = is_rsa(it)?;
            let bits = it.expect(BITS)?.content;
            Some((is_rsa, bits.strip_prefix(&[0])?.to_vec()))
        })?;
        let (true, key) = key else { return Err(other_key()) };
        Ok((Self::read_pkcs1_public(&key)?.0, taken))
    }
}

fn other_key() -> Fault {
    cryptographic("Key is not a valid public or private key.")
}

/// A sequence that is read to its end.
fn read<T>(
    bytes: &[u8],
    content: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<(T, usize), Fault> {
    let whole = Reader::new(bytes).expect(SEQUENCE).ok_or_else(corrupted)?;
    let mut inner = Reader::new(whole.content);
    let found = content(&mut inner).filter(|_| inner.is_empty()).ok_or_else(corrupted)?;
    Ok((found, whole.whole.len()))
}

/// A number that is not negative, without leading zeros.
fn number(reader: &mut Reader<'_>) -> Option<Digits> {
    let content = reader.expect(INTEGER)?.content;
    let is_negative = content.first().is_none_or(|it| it & 0x80 != 0);
    (!is_negative).then(|| Zeroizing::new(trimmed(content).to_vec()))
}

fn is_rsa(reader: &mut Reader<'_>) -> Option<bool> {
    let mut algorithm = reader.within(SEQUENCE)?;
    Some(algorithm.oid().map(dotted)? == RSA_ENCRYPTION)
}

fn algorithm() -> Digits {
    write_all(SEQUENCE, &[write_oid(RSA_ENCRYPTION), write(0x05, &[])])
}

#[cfg(test)]
mod tests {
    use super::{RsaNumbers, RsaSecret, Zeroizing};

    fn numbers() -> RsaNumbers {
        let of = |it: &[u8]| Zeroizing::new(it.to_vec());
        // p = 61, q = 53.
        RsaNumbers {
            secret: Some(RsaSecret {
                d: of(&[0x0A, 0xC1]),
                p: of(&[61]),
                q: of(&[53]),
                dp: of(&[53]),
                dq: of(&[49]),
                inverse_q: of(&[38]),
            }),
            ..RsaNumbers::public(&[0, 0x0C, 0xA1], &[17])
        }
    }

    #[test]
    fn every_encoding_is_read_as_it_was_written() {
        let it = numbers();
        let public = RsaNumbers::public(&it.modulus, &it.exponent);
        let private = it.pkcs1_private().unwrap();
        let pkcs8 = it.pkcs8().unwrap();
        assert_eq!(RsaNumbers::read_pkcs1_private(&private).unwrap(), (it.clone(), private.len()));
        assert_eq!(RsaNumbers::read_pkcs8(&pkcs8).unwrap(), (it.clone(), pkcs8.len()));
        assert_eq!(RsaNumbers::read_pkcs1_public(&it.pkcs1_public()).unwrap().0, public);
        let mut info = it.public_info();
        let n = info.len();
        info.extend([1, 2, 3]);
        assert_eq!(RsaNumbers::read_public_info(&info).unwrap(), (public, n));
    }

    #[test]
    fn one_encoding_is_not_another() {
        let it = numbers();
        let (public, info) = (it.pkcs1_public(), it.public_info());
        let (private, pkcs8) = (it.pkcs1_private().unwrap(), it.pkcs8().unwrap());
        for bytes in [&info[..], &private, &pkcs8, &[], &[0x30, 0]] {
            assert!(RsaNumbers::read_pkcs1_public(bytes).is_err());
        }
        for bytes in [&info[..], &public, &pkcs8, &[]] {
            assert!(RsaNumbers::read_pkcs1_private(bytes).is_err());
        }
        for bytes in [&info[..], &public, &private] {
            assert!(RsaNumbers::read_pkcs8(bytes).is_err());
        }
        for bytes in [&pkcs8[..], &public, &private] {
            assert!(RsaNumbers::read_public_info(bytes).is_err());
        }
    }

    #[test]
    fn secret_numbers_are_as_long_as_the_modulus_or_half_as_long() {
        let it = numbers().secret().unwrap();
        assert_eq!((it.d.len(), it.p.len(), it.inverse_q.len()), (2, 1, 1));
        assert!(RsaNumbers::public(&[5], &[3]).secret().is_err());
    }

    #[test]
    fn debug_shows_no_number() {
        let it = numbers();
        assert_eq!(format!("{it:?}"), "RsaNumbers { .. }");
        assert_eq!(format!("{:?}", it.secret.unwrap()), "RsaSecret(..)");
    }
}
