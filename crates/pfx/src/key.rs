//! From a password to a key: PKCS #12's own way, and PBKDF2.
//!
//! Source: RFC 7292, appendix B; RFC 8018, section 5.2.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use zeroize::Zeroizing;

use crate::PfxError;
use crate::der::{Reader, SEQUENCE};

/// Rounds that a file may ask for. A million of SHA-256 takes about half a second.
pub(crate) const MAX_ROUNDS: u32 = 1_000_000;
/// The longest salt.
const MAX_SALT_BYTES: usize = 1024;

/// A password in the two forms that the standards want.
pub(crate) struct Password {
    /// UTF-8, for PBKDF2.
    pub(crate) utf8: Zeroizing<Vec<u8>>,
    /// UTF-16, big end first, with a zero at its end, for PKCS #12's own way.
    wide: Zeroizing<Vec<u8>>,
}

impl Password {
    pub(crate) fn new(text: &str) -> Self {
        let mut wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        wide.extend([0, 0]);
        Self { utf8: Zeroizing::new(text.as_bytes().to_vec()), wide: Zeroizing::new(wide) }
    }

    /// A password of bytes, which only PBKDF2 takes.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self { utf8: Zeroizing::new(bytes.to_vec()), wide: Zeroizing::new(Vec::new()) }
    }

    /// No password, which some programs distinguish from an empty one.
    pub(crate) fn none() -> Self {
        Self { utf8: Zeroizing::new(Vec::new()), wide: Zeroizing::new(Vec::new()) }
    }
}

/// What a key is for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Encryption = 1,
    InitialVector = 2,
    Integrity = 3,
}

/// A digest algorithm with what the two ways need of it.
#[derive(Clone, Copy)]
pub(crate) struct Digest {
    plain: &'static digest::Algorithm,
    pub(crate) keyed: hmac::Algorithm,
    stretched: pbkdf2::Algorithm,
}

const SHA1: Digest = Digest {
    plain: &digest::SHA1_FOR_LEGACY_USE_ONLY,
    keyed: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    stretched: pbkdf2::PBKDF2_HMAC_SHA1,
};
const SHA256: Digest = Digest {
    plain: &digest::SHA256,
    keyed: hmac::HMAC_SHA256,
    stretched: pbkdf2::PBKDF2_HMAC_SHA256,
};
const SHA384: Digest = Digest {
    plain: &digest::SHA384,
    keyed: hmac::HMAC_SHA384,
    stretched: pbkdf2::PBKDF2_HMAC_SHA384,
};
const SHA512: Digest = Digest {
    plain: &digest::SHA512,
    keyed: hmac::HMAC_SHA512,
    stretched: pbkdf2::PBKDF2_HMAC_SHA512,
};

impl Digest {
    pub(crate) fn sha1() -> Self {
        SHA1
    }

    pub(crate) fn sha256() -> Self {
        SHA256
    }

    /// PBKDF2.
    pub(crate) fn stretch(
        self,
        password: &Password,
        salt: &[u8],
        rounds: NonZeroU32,
        n_bytes: usize,
    ) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(vec![0; n_bytes]);
        pbkdf2::derive(self.stretched, rounds, salt, &password.utf8, &mut key);
        key
    }

    /// The digest, or the keyed digest, of that identifier in dots.
    pub(crate) fn named(oid: &str) -> Option<Self> {
        Some(match oid {
            "1.3.14.3.2.26" | "1.2.840.113549.2.7" => SHA1,
            "2.16.840.1.101.3.4.2.1" | "1.2.840.113549.2.9" => SHA256,
            "2.16.840.1.101.3.4.2.2" | "1.2.840.113549.2.10" => SHA384,
            "2.16.840.1.101.3.4.2.3" | "1.2.840.113549.2.11" => SHA512,
            _ => return None,
        })
    }

    /// PKCS #12's own way, with the names of RFC 7292, appendix B.2.
    pub(crate) fn derive(
        self,
        password: &Password,
        salt: &[u8],
        rounds: NonZeroU32,
        purpose: Purpose,
        n_bytes: usize,
    ) -> Zeroizing<Vec<u8>> {
        let v = self.plain.block_len();
        let diversifier = vec![purpose as u8; v];
        let mut i = Zeroizing::new(filled(salt, v));
        i.extend_from_slice(&Zeroizing::new(filled(&password.wide, v)));
        let mut key = Zeroizing::new(Vec::with_capacity(n_bytes));
        loop {
            let mut context = digest::Context::new(self.plain);
            context.update(&diversifier);
            context.update(&i);
            let mut a = context.finish();
            for _ in 1..rounds.get() {
                a = digest::digest(self.plain, a.as_ref());
            }
            let wanted = n_bytes - key.len();
            key.extend(a.as_ref().iter().take(wanted));
            if key.len() == n_bytes {
                return key;
            }
            let b: Vec<u8> = a.as_ref().iter().copied().cycle().take(v).collect();
            for block in i.chunks_mut(v) {
                add_one_and(block, &b);
            }
        }
    }
}

/// The bytes again and again, up to a multiple of `block`.
fn filled(bytes: &[u8], block: usize) -> Vec<u8> {
    let n = bytes.len().div_ceil(block) * block;
    bytes.iter().copied().cycle().take(n).collect()
}

/// `block + addend + 1`, without what does not fit.
fn add_one_and(block: &mut [u8], addend: &[u8]) {
    let mut carry = 1_u16;
    for (digit, more) in block.iter_mut().zip(addend).rev() {
        carry += u16::from(*digit) + u16::from(*more);
        *digit = carry.to_le_bytes()[0];
        carry >>= 8;
    }
}

/// Rounds within bounds.
pub(crate) fn rounds(number: Option<u32>) -> Result<NonZeroU32, PfxError> {
    let number = number.ok_or(PfxError::NotPfx)?;
    if number > MAX_ROUNDS {
        return Err(PfxError::TooManyRounds(number));
    }
    NonZeroU32::new(number).ok_or(PfxError::NotPfx)
}

/// PBKDF2 as an algorithm identifier describes it.
pub(crate) struct Pbkdf2<'a> {
    salt: std::borrow::Cow<'a, [u8]>,
    rounds: NonZeroU32,
    pub(crate) key_bytes: Option<usize>,
    digest: Digest,
}

impl<'a> Pbkdf2<'a> {
    /// Reads the parameters of PBKDF2.
    pub(crate) fn read(mut parameters: Reader<'a>) -> Result<Self, PfxError> {
        let salt = parameters.octets().ok_or(PfxError::NotPfx)?;
        if salt.len() > MAX_SALT_BYTES {
            return Err(PfxError::NotPfx);
        }
        let rounds = rounds(parameters.number())?;
        let key_bytes = parameters.number().and_then(|it| usize::try_from(it).ok());
        let digest = match parameters.within(SEQUENCE) {
            None => SHA1,
            Some(mut function) => {
                let oid = crate::der::dotted(function.oid().ok_or(PfxError::NotPfx)?);
                Digest::named(&oid).ok_or(PfxError::Unsupported(oid))?
            }
        };
        Ok(Self { salt, rounds, key_bytes, digest })
    }

    pub(crate) fn derive(&self, password: &Password, n_bytes: usize) -> Zeroizing<Vec<u8>> {
        self.digest.stretch(password, &self.salt, self.rounds, n_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
            .collect()
    }

    /// Vectors of the test programs of several libraries, found first in BouncyCastle.
    #[test]
    fn keys_are_derived_as_the_standard_has_it() {
        let smeg = Password::new("smeg");
        let derive = |salt: &str, rounds, purpose, n| {
            SHA1.derive(&smeg, &hex(salt), NonZeroU32::new(rounds).unwrap(), purpose, n).to_vec()
        };
        for (salt, rounds, purpose, expected) in [
            (
                "0A58CF64530D823F",
                1,
                Purpose::Encryption,
                "8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3",
            ),
            ("0A58CF64530D823F", 1, Purpose::InitialVector, "79993DFE048D3B76"),
            ("3D83C0E4546AC140", 1, Purpose::Integrity, "8D967D88F6CAA9D714800AB3D48051D63F73A312"),
        ] {
            let expected = hex(expected);
            assert_eq!(derive(salt, rounds, purpose, expected.len()), expected);
        }
    }

    #[test]
    fn rounds_are_bounded() {
        assert_eq!(rounds(Some(MAX_ROUNDS)).unwrap().get(), MAX_ROUNDS);
        assert_eq!(rounds(Some(MAX_ROUNDS + 1)), Err(PfxError::TooManyRounds(MAX_ROUNDS + 1)));
        assert_eq!(rounds(Some(0)), Err(PfxError::NotPfx));
        assert_eq!(rounds(None), Err(PfxError::NotPfx));
    }
}
