//! RSA keys: checking and making signatures, encrypting.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384,
    OAEP_SHA512_MGF1SHA512, OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    self, RsaEncoding, RsaParameters, UnparsedPublicKey, VerificationAlgorithm as _,
};

use super::{Fault, Hash, cryptographic};

/// The RSA key of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The key as `RSAPublicKey` (PKCS #1) in DER.
    pkcs1: Vec<u8>,
    /// The key as `SubjectPublicKeyInfo` in DER.
    info: Vec<u8>,
    bits: i32,
}

impl PublicKey {
    /// A key of its two encodings.
    pub(super) fn new(pkcs1: Vec<u8>, info: Vec<u8>, bits: i32) -> Self {
        Self { pkcs1, info, bits }
    }

    /// Bits of the modulus.
    #[must_use]
    pub const fn bits(&self) -> i32 {
        self.bits
    }

    /// `RSA.VerifyData`: does the signature belong to the data?
    ///
    /// # Errors
    ///
    /// `CryptographicException` of an algorithm that is not supported.
    pub fn verify(
        &self,
        data: &[u8],
        signature: &[u8],
        hash: Hash,
        pss: bool,
    ) -> Result<bool, Fault> {
        let parameters = checking(hash, pss)?;
        Ok(UnparsedPublicKey::new(parameters, &self.pkcs1).verify(data, signature).is_ok())
    }

    /// `RSA.VerifyHash`: does the signature belong to the data with this digest?
    ///
    /// # Errors
    ///
    /// `CryptographicException` of an algorithm that is not supported, or of a digest that is not
    /// as long as its own.
    pub fn verify_hash(
        &self,
        made: &[u8],
        signature: &[u8],
        hash: Hash,
        pss: bool,
    ) -> Result<bool, Fault> {
        let (parameters, made) = (checking(hash, pss)?, imported(made, hash)?);
        Ok(parameters.verify_digest_sig(&self.pkcs1, &made, signature).is_ok())
    }

    /// `RSA.Encrypt` with OAEP over a digest, or with PKCS #1 padding.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if the data is too long for the key.
    pub fn encrypt(&self, data: &[u8], oaep: Option<Hash>) -> Result<Vec<u8>, Fault> {
        let failed = |_| cryptographic("The data could not be encrypted with this key.");
        let key = PublicEncryptingKey::from_der(&self.info)
            .map_err(|_| cryptographic("The RSA key is not supported by this gateway."))?;
        let Some(hash) = oaep else {
            let key = Pkcs1PublicEncryptingKey::new(key).map_err(failed)?;
            let mut out = vec![0; key.ciphertext_size()];
            return Ok(key.encrypt(data, &mut out).map_err(failed)?.to_vec());
        };
        let algorithm = oaep_over(hash)?;
        let key = OaepPublicEncryptingKey::new(key).map_err(failed)?;
        let mut out = vec![0; key.ciphertext_size()];
        Ok(key.encrypt(algorithm, data, &mut out, None).map_err(failed)?.to_vec())
    }
}

fn unsupported(hash: Hash) -> Fault {
    let hash = hash.name();
    cryptographic(format!("RSA signatures over {hash} are not supported by this gateway."))
}

fn checking(hash: Hash, pss: bool) -> Result<&'static RsaParameters, Fault> {
    Ok(match (hash, pss) {
        (Hash::Sha1, false) => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Hash::Sha256, false) => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (Hash::Sha384, false) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (Hash::Sha512, false) => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (Hash::Sha256, true) => &signature::RSA_PSS_2048_8192_SHA256,
        (Hash::Sha384, true) => &signature::RSA_PSS_2048_8192_SHA384,
        (Hash::Sha512, true) => &signature::RSA_PSS_2048_8192_SHA512,
        (Hash::Md5 | Hash::Sha1, _) => return Err(unsupported(hash)),
    })
}

fn signing(hash: Hash, pss: bool) -> Result<&'static dyn RsaEncoding, Fault> {
    Ok(match (hash, pss) {
        (Hash::Sha256, false) => &signature::RSA_PKCS1_SHA256,
        (Hash::Sha384, false) => &signature::RSA_PKCS1_SHA384,
        (Hash::Sha512, false) => &signature::RSA_PKCS1_SHA512,
        (Hash::Sha256, true) => &signature::RSA_PSS_SHA256,
        (Hash::Sha384, true) => &signature::RSA_PSS_SHA384,
        (Hash::Sha512, true) => &signature::RSA_PSS_SHA512,
        (Hash::Md5 | Hash::Sha1, _) => return Err(unsupported(hash)),
    })
}

fn oaep_over(hash: Hash) -> Result<&'static OaepAlgorithm, Fault> {
    Ok(match hash {
        Hash::Sha1 => &OAEP_SHA1_MGF1SHA1,
        Hash::Sha256 => &OAEP_SHA256_MGF1SHA256,
        Hash::Sha384 => &OAEP_SHA384_MGF1SHA384,
        Hash::Sha512 => &OAEP_SHA512_MGF1SHA512,
        Hash::Md5 => return Err(cryptographic("OAEP over MD5 is not supported by this gateway.")),
    })
}

/// A digest that somebody else has made.
fn imported(made: &[u8], hash: Hash) -> Result<Digest, Fault> {
    let algorithm = match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
        Hash::Md5 => return Err(unsupported(hash)),
    };
    Digest::import_less_safe(made, algorithm).map_err(|_| {
        cryptographic(
            "The provided hash value is not the expected size for the specified hash algorithm.",
        )
    })
}

/// The private RSA key of a certificate. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct PrivateKey(Arc<Private>);

struct Private {
    pair: KeyPair,
    /// None of a key that is too short to decrypt with.
    decrypting: Option<PrivateDecryptingKey>,
}

impl PrivateKey {
    /// A key in PKCS #8. `None` if it is no RSA key, or of a length that is not supported.
    pub(super) fn read(pkcs8: &[u8]) -> Option<Self> {
        let decrypting = PrivateDecryptingKey::from_pkcs8(pkcs8).ok();
        let pair = KeyPair::from_pkcs8(pkcs8).ok()?;
        Some(Self(Arc::new(Private { pair, decrypting })))
    }

    /// A key in PKCS #1.
    pub(super) fn read_pkcs1(pkcs1: &[u8]) -> Option<Self> {
        let pkcs8: Pkcs8V1Der<'_> = KeyPair::from_der(pkcs1).ok()?.as_der().ok()?;
        Self::read(pkcs8.as_ref())
    }

    /// `RSA.SignData`.
    ///
    /// # Errors
    ///
    /// `CryptographicException` of an algorithm that is not supported.
    pub fn sign(&self, data: &[u8], hash: Hash, pss: bool) -> Result<Vec<u8>, Fault> {
        let (encoding, pair) = (signing(hash, pss)?, &self.0.pair);
        let mut made = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), data, &mut made)
            .map_err(|_| cryptographic("The data could not be signed with this key."))?;
        Ok(made)
    }

    /// `RSA.SignHash`.
    ///
    /// # Errors
    ///
    /// `CryptographicException` of an algorithm that is not supported, or of a digest that is not
    /// as long as its own.
    pub fn sign_hash(&self, made: &[u8], hash: Hash, pss: bool) -> Result<Vec<u8>, Fault> {
        let (encoding, made) = (signing(hash, pss)?, imported(made, hash)?);
        let mut signature = vec![0; self.0.pair.public_modulus_len()];
        self.0
            .pair
            .sign_digest(encoding, &made, &mut signature)
            .map_err(|_| cryptographic("The data could not be signed with this key."))?;
        Ok(signature)
    }

    /// `RSA.Decrypt` with OAEP over a digest, or with PKCS #1 padding.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if the data was not encrypted so for this key.
    pub fn decrypt(&self, data: &[u8], oaep: Option<Hash>) -> Result<Vec<u8>, Fault> {
        let failed = |_| cryptographic("The parameter is incorrect.");
        let key = self.0.decrypting.clone();
        let key =
            key.ok_or_else(|| cryptographic("The RSA key is not supported by this gateway."))?;
        let mut out = vec![0; key.key_size_bytes()];
        let plain = match oaep {
            None => {
                let key = Pkcs1PrivateDecryptingKey::new(key).map_err(failed)?;
                key.decrypt(data, &mut out).map_err(failed)?.len()
            }
            Some(hash) => {
                let algorithm = oaep_over(hash)?;
                let key = OaepPrivateDecryptingKey::new(key).map_err(failed)?;
                key.decrypt(algorithm, data, &mut out, None).map_err(failed)?.len()
            }
        };
        out.truncate(plain);
        Ok(out)
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        let public = |it: &Self| signature::KeyPair::public_key(&it.0.pair).as_ref().to_vec();
        public(self) == public(other)
    }
}

impl Eq for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{self, KeyPair as _};

    use super::PublicKey;
    use crate::crypto::Hash;

    #[test]
    fn a_signature_belongs_to_its_data_only() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let mut made = vec![0; pair.public_modulus_len()];
        pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), b"data", &mut made).unwrap();
        let key = PublicKey::new(pair.public_key().as_ref().to_vec(), Vec::new(), 2048);

        assert!(key.verify(b"data", &made, Hash::Sha256, false).unwrap());
        assert!(!key.verify(b"other", &made, Hash::Sha256, false).unwrap());
        assert!(!key.verify(b"data", &made, Hash::Sha256, true).unwrap());
        assert!(key.verify(b"data", &made, Hash::Md5, false).is_err());
    }
}
