//! RSA keys: reading, making and writing them; signatures, encryption.
//!
//! ```text
//! bytes, numbers -> RsaNumbers -> RsaKey -> aws-lc-rs          2048 bits or more, SHA-2
//!                                       \-> power, padding     what that has no door to
//! ```
//!
//! `Debug` shows nothing of a key.

mod numbers;
mod padding;
mod power;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384,
    OAEP_SHA512_MGF1SHA512, OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{self, RsaEncoding, RsaParameters, UnparsedPublicKey};

pub use numbers::{Digits, RsaNumbers, RsaSecret};
use numbers::{corrupted, padded, trimmed};

use super::{Fault, Hash, cryptographic};

/// An RSA key, with its private part or without.
#[derive(Clone)]
pub struct RsaKey(Arc<Inner>);

struct Inner {
    numbers: RsaNumbers,
    /// The public key as `RSAPublicKey`.
    pkcs1: Vec<u8>,
    /// None of a public key, or of one whose length the library does not take.
    pair: Option<KeyPair>,
}

/// A bound on what makes a new key: 8192 bits take half a minute.
pub const MAX_NEW_BITS: i32 = 4096;

impl RsaKey {
    /// A key of its numbers.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if those of a private key do not belong together.
    pub fn new(numbers: RsaNumbers) -> Result<Self, Fault> {
        let mut pair = None;
        if numbers.secret.is_some() {
            pair = KeyPair::from_pkcs8(&numbers.pkcs8()?).ok();
            if pair.is_none() && !power::belongs_together(&numbers) {
                return Err(cryptographic("The numbers of the RSA key do not belong together."));
            }
        }
        Ok(Self(Arc::new(Inner { pkcs1: numbers.pkcs1_public(), numbers, pair })))
    }

    /// A new key of a size that `RSA.Create` takes.
    ///
    /// # Errors
    ///
    /// `CryptographicException` of a size beyond [`MAX_NEW_BITS`].
    pub fn generate(bits: i32) -> Result<Self, Fault> {
        let failed = || cryptographic("The system gives no random numbers.");
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            512..MAX_NEW_BITS => {
                let bits = usize::try_from(bits).unwrap_or(0);
                return Self::new(power::generate(bits).ok_or_else(failed)?);
            }
            _ => {
                return Err(cryptographic(format!(
                    "RSA keys of {bits} bits are not made by this gateway."
                )));
            }
        };
        let pair = KeyPair::generate(size).map_err(|_| failed())?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed())?;
        Self::new(RsaNumbers::read_pkcs8(pkcs8.as_ref())?.0)
    }

    /// Its numbers.
    #[must_use]
    pub fn numbers(&self) -> &RsaNumbers {
        &self.0.numbers
    }

    /// Has it its private part?
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.0.numbers.secret.is_some()
    }

    /// Only its public part.
    #[must_use]
    pub fn public(&self) -> Self {
        let own = &self.0.numbers;
        let numbers = RsaNumbers::public(&own.modulus, &own.exponent);
        Self(Arc::new(Inner { pkcs1: self.0.pkcs1.clone(), numbers, pair: None }))
    }

    /// Is it the same key, private parts aside?
    #[must_use]
    pub fn is_pair_of(&self, other: &Self) -> bool {
        self.0.pkcs1 == other.0.pkcs1
    }

    /// `KeySize`: bits of the modulus, in whole bytes.
    #[must_use]
    pub fn bits(&self) -> i32 {
        i32::try_from(self.0.numbers.n_bytes() * 8).unwrap_or(i32::MAX)
    }

    fn has_usual_length(&self) -> bool {
        (2048..=8192).contains(&self.bits())
    }

    fn modulus_bits(&self) -> usize {
        let first = self.0.numbers.modulus.first().copied().unwrap_or(0);
        (self.0.numbers.n_bytes() * 8).saturating_sub(first.leading_zeros() as usize)
    }

    /// `RSA.VerifyHash`: does the signature belong to the data with this digest?
    #[must_use]
    pub fn verify_hash(&self, made: &[u8], signature: &[u8], hash: Hash, pss: bool) -> bool {
        if made.len() != padding::n_bytes(hash) || signature.len() != self.0.numbers.n_bytes() {
            return false;
        }
        let usual = checking(hash, pss).filter(|_| self.has_usual_length());
        if let Some((parameters, made)) = usual.zip(imported(made, hash)) {
            let key = UnparsedPublicKey::new(parameters, &self.0.pkcs1);
            return key.verify_digest(&made, signature).is_ok();
        }
        let Some(found) = power::public(&self.0.numbers, signature) else { return false };
        if pss {
            return padding::is_pss(&found, made, hash, self.modulus_bits());
        }
        padding::signed_digest(made, hash, found.len()).is_some_and(|it| *it == **found)
    }

    /// `RSA.SignHash`.
    ///
    /// # Errors
    ///
    /// `CryptographicException` without a private key, or of a digest that is not as long as its
    /// own, or longer than the key takes.
    pub fn sign_hash(&self, made: &[u8], hash: Hash, pss: bool) -> Result<Vec<u8>, Fault> {
        let failed = || cryptographic("The data could not be signed with this key.");
        if made.len() != padding::n_bytes(hash) {
            return Err(cryptographic(
                "The provided hash value is not the expected size for the specified hash algorithm.",
            ));
        }
        if !self.is_private() {
            return Err(cryptographic("Key does not exist."));
        }
        let usual = self.0.pair.as_ref().zip(signing(hash, pss)).zip(imported(made, hash));
        if let Some(((pair, encoding), made)) = usual {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign_digest(encoding, &made, &mut signature).map_err(|_| failed())?;
            return Ok(signature);
        }
        let padded = if pss {
            padding::pss(made, hash, self.modulus_bits())
        } else {
            padding::signed_digest(made, hash, self.0.numbers.n_bytes())
        };
        let padded = padded.ok_or_else(failed)?;
        let signature = power::private(&self.0.numbers, trimmed(&padded)).ok_or_else(failed)?;
        Ok(signature.to_vec())
    }

    /// `RSA.Encrypt` with OAEP over a digest, or with PKCS #1 padding.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if the data is too long for the key.
    pub fn encrypt(&self, data: &[u8], oaep: Option<Hash>) -> Result<Vec<u8>, Fault> {
        let length = self.0.numbers.n_bytes();
        let extra = oaep.map_or(11, |it| 2 * padding::n_bytes(it) + 2);
        if data.len() + extra > length {
            let longest = length.saturating_sub(extra);
            return Err(cryptographic(format!(
                "The message exceeds the maximum allowable length for the chosen options ({longest})."
            )));
        }
        if self.has_usual_length()
            && let Some(made) = self.encrypt_as_usual(data, oaep)
        {
            return Ok(made);
        }
        let padded = match oaep {
            None => padding::filled(data, length),
            Some(hash) => padding::oaep(data, hash, length),
        };
        let made = padded.and_then(|it| power::public(&self.0.numbers, trimmed(&it)));
        let failed = || cryptographic("The data could not be encrypted with this key.");
        Ok(made.ok_or_else(failed)?.to_vec())
    }

    fn encrypt_as_usual(&self, data: &[u8], oaep: Option<Hash>) -> Option<Vec<u8>> {
        let key = PublicEncryptingKey::from_der(&self.0.numbers.public_info()).ok()?;
        let mut out = vec![0; self.0.numbers.n_bytes()];
        Some(match oaep {
            None => Pkcs1PublicEncryptingKey::new(key).ok()?.encrypt(data, &mut out).ok()?.to_vec(),
            Some(hash) => {
                let key = OaepPublicEncryptingKey::new(key).ok()?;
                key.encrypt(oaep_over(hash)?, data, &mut out, None).ok()?.to_vec()
            }
        })
    }

    /// `RSA.Decrypt` with OAEP over a digest, or with PKCS #1 padding.
    ///
    /// # Errors
    ///
    /// `CryptographicException` without a private key, or if the data was not encrypted so for this
    /// key.
    pub fn decrypt(&self, data: &[u8], oaep: Option<Hash>) -> Result<Vec<u8>, Fault> {
        if !self.is_private() {
            return Err(cryptographic("Key does not exist."));
        }
        let length = self.0.numbers.n_bytes();
        if data.len() != length {
            return Err(cryptographic(
                "The length of the data to decrypt is not valid for the size of this key.",
            ));
        }
        // As on Windows, where Azure's gateway runs; it tells nothing of what was wrong.
        let failed = || cryptographic("The parameter is incorrect.");
        let is_usual = self.0.pair.is_some() && oaep.is_none_or(|it| oaep_over(it).is_some());
        if is_usual {
            return self.decrypt_as_usual(data, oaep).ok_or_else(failed);
        }
        let found = power::private(&self.0.numbers, trimmed(data)).ok_or_else(failed)?;
        let found = padded(&found, length);
        let plain = match oaep {
            None => padding::unfilled(&found),
            Some(hash) => padding::unoaep(&found, hash),
        };
        plain.map(|it| it.to_vec()).ok_or_else(failed)
    }

    fn decrypt_as_usual(&self, data: &[u8], oaep: Option<Hash>) -> Option<Vec<u8>> {
        let key = PrivateDecryptingKey::from_pkcs8(&self.0.numbers.pkcs8().ok()?).ok()?;
        let mut out = vec![0; key.key_size_bytes()];
        let n = match oaep {
            None => Pkcs1PrivateDecryptingKey::new(key).ok()?.decrypt(data, &mut out).ok()?.len(),
            Some(hash) => {
                let key = OaepPrivateDecryptingKey::new(key).ok()?;
                key.decrypt(oaep_over(hash)?, data, &mut out, None).ok()?.len()
            }
        };
        out.truncate(n);
        Some(out)
    }

    /// A private key in PKCS #8 under a password; gives how many bytes it took, too.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if it is none, or the password is wrong.
    pub fn read_encrypted(
        bytes: &[u8],
        password: pfx::SealPassword<'_>,
    ) -> Result<(RsaNumbers, usize), Fault> {
        let opened = pfx::open_private_key(bytes, password).map_err(|error| match error {
            pfx::PfxError::Password => wrong_password(),
            pfx::PfxError::NotPfx => corrupted(),
            other => cryptographic(format!("The private key cannot be read: {other}.")),
        });
        let (key, taken) = opened?;
        let numbers = RsaNumbers::read_pkcs8(&key).map_err(|_| wrong_password())?.0;
        Ok((numbers, taken))
    }
}

fn wrong_password() -> Fault {
    cryptographic(
        "The EncryptedPrivateKeyInfo structure was decoded but was not successfully interpreted, \
         the password may be incorrect.",
    )
}

fn checking(hash: Hash, pss: bool) -> Option<&'static RsaParameters> {
    Some(match (hash, pss) {
        (Hash::Sha1, false) => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Hash::Sha256, false) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (Hash::Sha384, false) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (Hash::Sha512, false) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (Hash::Sha256, true) => &signature::RSA_PSS_2048_8192_SHA256,
        (Hash::Sha384, true) => &signature::RSA_PSS_2048_8192_SHA384,
        (Hash::Sha512, true) => &signature::RSA_PSS_2048_8192_SHA512,
        (Hash::Md5, _) | (Hash::Sha1, true) => return None,
    })
}

fn signing(hash: Hash, pss: bool) -> Option<&'static dyn RsaEncoding> {
    Some(match (hash, pss) {
        (Hash::Sha256, false) => &signature::RSA_PKCS1_SHA256,
        (Hash::Sha384, false) => &signature::RSA_PKCS1_SHA384,
        (Hash::Sha512, false) => &signature::RSA_PKCS1_SHA512,
        (Hash::Sha256, true) => &signature::RSA_PSS_SHA256,
        (Hash::Sha384, true) => &signature::RSA_PSS_SHA384,
        (Hash::Sha512, true) => &signature::RSA_PSS_SHA512,
        (Hash::Md5 | Hash::Sha1, _) => return None,
    })
}

fn oaep_over(hash: Hash) -> Option<&'static OaepAlgorithm> {
    Some(match hash {
        Hash::Sha1 => &OAEP_SHA1_MGF1SHA1,
        Hash::Sha256 => &OAEP_SHA256_MGF1SHA256,
        Hash::Sha384 => &OAEP_SHA384_MGF1SHA384,
        Hash::Sha512 => &OAEP_SHA512_MGF1SHA512,
        Hash::Md5 => return None,
    })
}

/// A digest that somebody else has made.
fn imported(made: &[u8], hash: Hash) -> Option<Digest> {
    let algorithm = match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
        Hash::Md5 => return None,
    };
    Digest::import_less_safe(made, algorithm).ok()
}

impl PartialEq for RsaKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.numbers == other.0.numbers
    }
}

impl Eq for RsaKey {}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_belong_to_their_data_whatever_the_digest() {
        for bits in [1024, 2048] {
            let key = RsaKey::generate(bits).unwrap();
            let public = key.public();
            assert!(key.bits() == bits && key.is_pair_of(&public) && key != public);
            for (hash, pss) in Hash::ALL.into_iter().flat_map(|it| [(it, false), (it, true)]) {
                let digest = hash.digest(b"data");
                // A digest of 64 bytes with a salt of 64 has no room in 128.
                let Ok(made) = key.sign_hash(&digest, hash, pss) else {
                    assert!(hash == Hash::Sha512 && pss && bits == 1024);
                    continue;
                };
                assert!(public.verify_hash(&digest, &made, hash, pss), "{bits} {hash:?} {pss}");
                assert!(!public.verify_hash(&hash.digest(b"other"), &made, hash, pss));
                assert!(!public.verify_hash(&digest, &made, hash, !pss));
                assert!(!public.verify_hash(&digest[1..], &made, hash, pss));
                assert!(!public.verify_hash(&digest, &made[1..], hash, pss));
                assert!(key.sign_hash(&digest[1..], hash, pss).is_err());
                assert!(public.sign_hash(&digest, hash, pss).is_err());
            }
        }
    }

    #[test]
    fn what_is_encrypted_is_decrypted_whatever_the_padding() {
        for bits in [1024, 2048] {
            let key = RsaKey::generate(bits).unwrap();
            let paddings = [None, Some(Hash::Md5), Some(Hash::Sha1), Some(Hash::Sha256)];
            for (data, oaep) in [&b""[..], b"data"].into_iter().zip(paddings) {
                let hidden = key.public().encrypt(data, oaep).unwrap();
                assert_eq!(key.decrypt(&hidden, oaep).unwrap(), data);
                assert!(key.public().decrypt(&hidden, oaep).is_err());
                assert!(key.decrypt(&hidden[1..], oaep).is_err());
                assert!(key.decrypt(&vec![0; hidden.len()], oaep).is_err());
            }
            let long = vec![1; key.numbers().n_bytes() - 10];
            assert!(key.encrypt(&long, None).is_err());
        }
    }

    #[test]
    fn numbers_that_do_not_belong_together_are_no_key() {
        let key = RsaKey::generate(2048).unwrap();
        assert_eq!(RsaKey::new(key.numbers().clone()).unwrap(), key);
        let mut numbers = key.numbers().clone();
        if let Some(it) = numbers.secret.as_mut() {
            it.d.truncate(3);
        }
        assert!(RsaKey::new(numbers).is_err());
        assert!(RsaKey::generate(MAX_NEW_BITS + 8).is_err());
        assert_eq!(format!("{key:?}"), "RsaKey(..)");
    }
}
