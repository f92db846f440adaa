//! Keys that check signatures, read once and kept ready.
//!
//! A key knows its type; [`Key::verify`] refuses every algorithm that does not belong to it.
//! Secrets come only from policy documents, never from a key set that was fetched.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
    EcdsaVerificationAlgorithm, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};

use crate::algorithm::{Algorithm, KeyType};
use crate::base64url;

/// The smallest and largest RSA modulus, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The shortest and longest shared secret, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 16..=8192;

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// The text is not Base64.
    #[error("the key is not Base64 text")]
    NotBase64,
    /// A shared secret of this many bytes.
    #[error("the key has {0} bytes; 16 to 8192 are allowed")]
    SecretLength(usize),
    /// An RSA modulus of this many bits.
    #[error("the RSA key has {0} bits; 2048 to 8192 are allowed")]
    RsaLength(usize),
    /// The numbers do not form a public key.
    #[error("the parts do not form a valid {0} public key")]
    Invalid(&'static str),
    /// A certificate that cannot be read.
    #[error("the certificate cannot be read")]
    Certificate,
    /// A type, curve or algorithm that is not supported.
    #[error("the key type `{0}` is not supported")]
    Unsupported(String),
    /// A key that is not meant for checking signatures.
    #[error("the key is not for checking signatures")]
    NotForSignatures,
    /// A private key that cannot be read.
    #[error("the private key cannot be read: RSA in PKCS #8 is needed")]
    PrivateKey,
}

/// A key that can check signatures, with what is known about it.
pub struct Key {
    id: Option<String>,
    /// The only algorithm the key may be used with, if its owner said so.
    algorithm: Option<Algorithm>,
    /// The issuer the key belongs to (an extension of Entra ID's key sets).
    issuer: Option<String>,
    material: Material,
}

enum Material {
    Secret(Box<SecretKey>),
    Rsa(Box<RsaKey>),
    Curve(KeyType, ParsedPublicKey),
}

struct SecretKey {
    sha256: hmac::Key,
    sha384: hmac::Key,
    sha512: hmac::Key,
}

struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    parsed: [OnceLock<Option<ParsedPublicKey>>; 6],
}

impl Key {
    /// A shared secret, for the HMAC algorithms.
    ///
    /// # Errors
    ///
    /// If it is shorter than 16 or longer than 8192 bytes.
    pub fn from_secret(secret: &[u8]) -> Result<Self, KeyProblem> {
        if !SECRET_BYTES.contains(&secret.len()) {
            return Err(KeyProblem::SecretLength(secret.len()));
        }
        Ok(Self::new(Material::Secret(Box::new(SecretKey {
            sha256: hmac::Key::new(hmac::HMAC_SHA256, secret),
            sha384: hmac::Key::new(hmac::HMAC_SHA384, secret),
            sha512: hmac::Key::new(hmac::HMAC_SHA512, secret),
        }))))
    }

    /// A shared secret given as Base64 text, as in `<key>` of a policy.
    ///
    /// # Errors
    ///
    /// If the text is not Base64 or the secret has a wrong length.
    pub fn from_secret_text(text: &str) -> Result<Self, KeyProblem> {
        let secret = base64url::decode_key_text(text).ok_or(KeyProblem::NotBase64)?;
        Self::from_secret(&secret)
    }

    /// An RSA public key from big-endian numbers; leading zeros are ignored.
    ///
    /// # Errors
    ///
    /// If the modulus has fewer than 2048 or more than 8192 bits, or the numbers are no key.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyProblem> {
        let modulus = without_leading_zeros(modulus);
        let bits = modulus.first().map_or(0, |it| modulus.len() * 8 - it.leading_zeros() as usize);
        if !RSA_BITS.contains(&bits) {
            return Err(KeyProblem::RsaLength(bits));
        }
        let exponent = without_leading_zeros(exponent);
        // An even exponent, or 1, is not RSA: with 1 every message is its own signature.
        if exponent.len() > 8 || exponent.last().is_none_or(|it| it % 2 == 0) || exponent == [1] {
            return Err(KeyProblem::Invalid("RSA"));
        }
        let key = RsaKey {
            modulus: modulus.to_vec(),
            exponent: exponent.to_vec(),
            parsed: std::array::from_fn(|_| OnceLock::new()),
        };
        if key.parsed(Algorithm::Rs256).is_none() {
            return Err(KeyProblem::Invalid("RSA"));
        }
        Ok(Self::new(Material::Rsa(Box::new(key))))
    }

    /// An RSA public key from base64url texts, as in `n` and `e` of a policy.
    ///
    /// # Errors
    ///
    /// As [`Key::from_rsa`], and if a text is not Base64.
    pub fn from_rsa_text(n: &str, e: &str) -> Result<Self, KeyProblem> {
        let n = base64url::decode_member(n).or_else(|| base64url::decode_key_text(n));
        let e = base64url::decode_member(e).or_else(|| base64url::decode_key_text(e));
        match (n, e) {
            (Some(n), Some(e)) => Self::from_rsa(&n, &e),
            _ => Err(KeyProblem::NotBase64),
        }
    }

    /// A point on a curve in uncompressed form (`04`, x, y).
    pub(crate) fn from_point(curve: KeyType, point: &[u8]) -> Result<Self, KeyProblem> {
        let algorithm: &'static EcdsaVerificationAlgorithm = match curve {
            KeyType::P256 => &ECDSA_P256_SHA256_FIXED,
            KeyType::P384 => &ECDSA_P384_SHA384_FIXED,
            KeyType::P521 => &ECDSA_P521_SHA512_FIXED,
            KeyType::Secret | KeyType::Rsa => return Err(KeyProblem::Invalid("EC")),
        };
        let is_uncompressed =
            point.first() == Some(&4) && point.len() == 1 + 2 * coordinate_bytes(curve);
        if !is_uncompressed {
            return Err(KeyProblem::Invalid("EC"));
        }
        let parsed =
            ParsedPublicKey::new(algorithm, point).map_err(|_| KeyProblem::Invalid("EC"))?;
        Ok(Self::new(Material::Curve(curve, parsed)))
    }

    /// Gives the key the identifier that tokens name in `kid`.
    #[must_use]
    pub fn with_id(mut self, id: Option<String>) -> Self {
        self.id = id;
        self
    }

    pub(crate) fn with_algorithm(mut self, algorithm: Option<Algorithm>) -> Self {
        self.algorithm = algorithm;
        self
    }

    pub(crate) fn with_issuer(mut self, issuer: Option<String>) -> Self {
        self.issuer = issuer;
        self
    }

    /// The key's identifier.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// True if a token with this algorithm could be signed by this key.
    pub(crate) fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm)
            && self.key_type() == algorithm.key_type()
    }

    pub(crate) fn key_type(&self) -> KeyType {
        match &self.material {
            Material::Secret(_) => KeyType::Secret,
            Material::Rsa(_) => KeyType::Rsa,
            Material::Curve(curve, _) => *curve,
        }
    }

    /// True if `signature` was made over `message` with this key and algorithm.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.allows(algorithm) {
            return false;
        }
        match &self.material {
            Material::Secret(keys) => {
                let key = match algorithm {
                    Algorithm::Hs256 => &keys.sha256,
                    Algorithm::Hs384 => &keys.sha384,
                    _ => &keys.sha512,
                };
                hmac::verify(key, message, signature).is_ok()
            }
            Material::Rsa(key) => {
                // The length is checked here because a padded number is another spelling.
                signature.len() == key.modulus.len()
                    && key
                        .parsed(algorithm)
                        .is_some_and(|it| it.verify_sig(message, signature).is_ok())
            }
            Material::Curve(curve, key) => {
                signature.len() == 2 * coordinate_bytes(*curve)
                    && key.verify_sig(message, signature).is_ok()
            }
        }
    }

    fn new(material: Material) -> Self {
        Self { id: None, algorithm: None, issuer: None, material }
    }
}

impl RsaKey {
    /// The key made ready for one algorithm; parsed at first use, then kept.
    fn parsed(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        let (slot, parameters): (usize, &'static RsaParameters) = match algorithm {
            Algorithm::Rs256 => (0, &RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Rs384 => (1, &RSA_PKCS1_2048_8192_SHA384),
            Algorithm::Rs512 => (2, &RSA_PKCS1_2048_8192_SHA512),
            Algorithm::Ps256 => (3, &RSA_PSS_2048_8192_SHA256),
            Algorithm::Ps384 => (4, &RSA_PSS_2048_8192_SHA384),
            Algorithm::Ps512 => (5, &RSA_PSS_2048_8192_SHA512),
            _ => return None,
        };
        let parse = || {
            RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent }
                .to_parsed_public_key(parameters)
                .ok()
        };
        self.parsed.get(slot)?.get_or_init(parse).as_ref()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("type", &self.key_type())
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// How many bytes a coordinate, and each half of a signature, has.
pub(crate) fn coordinate_bytes(curve: KeyType) -> usize {
    match curve {
        KeyType::P256 => 32,
        KeyType::P384 => 48,
        KeyType::P521 => 66,
        KeyType::Secret | KeyType::Rsa => 0,
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|it| **it == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{TestKey, rsa};

    const MESSAGE: &[u8] = b"header.payload";

    #[test]
    fn each_algorithm_works_with_its_own_key_type_only() {
        for algorithm in Algorithm::ALL {
            let signer = TestKey::for_algorithm(algorithm);
            let signature = signer.sign(algorithm, MESSAGE);
            let key = signer.public();

            for other in Algorithm::ALL {
                assert_eq!(
                    key.verify(other, MESSAGE, &signature),
                    other == algorithm,
                    "signed with {algorithm:?}, checked as {other:?}"
                );
            }
        }
    }

    #[test]
    fn one_changed_bit_is_noticed() {
        for algorithm in Algorithm::ALL {
            let signer = TestKey::for_algorithm(algorithm);
            let key = signer.public();
            let signature = signer.sign(algorithm, MESSAGE);
            let mut wrong = signature.clone();
            wrong[5] ^= 1;

            assert!(!key.verify(algorithm, MESSAGE, &wrong), "{algorithm:?}");
            assert!(!key.verify(algorithm, b"header.payloae", &signature), "{algorithm:?}");
            assert!(!key.verify(algorithm, MESSAGE, &signature[1..]), "{algorithm:?}");
            assert!(!key.verify(algorithm, MESSAGE, &[]), "{algorithm:?}");
            let padded: Vec<u8> = [&[0], &signature[..]].concat();
            assert!(!key.verify(algorithm, MESSAGE, &padded), "{algorithm:?}");
        }
    }

    #[test]
    fn an_ecdsa_signature_of_zeros_is_refused() {
        for (algorithm, n) in [(Algorithm::Es256, 64), (Algorithm::Es384, 96)] {
            let key = TestKey::for_algorithm(algorithm).public();
            assert!(!key.verify(algorithm, MESSAGE, &vec![0; n]));
            assert!(!key.verify(algorithm, MESSAGE, &vec![0xff; n]));
        }
    }

    #[test]
    fn a_key_for_one_algorithm_does_nothing_else() {
        let signature = rsa().sign(Algorithm::Rs512, MESSAGE);
        let key = rsa().public().with_algorithm(Some(Algorithm::Rs256));

        assert!(!key.verify(Algorithm::Rs512, MESSAGE, &signature));
        assert!(rsa().public().verify(Algorithm::Rs512, MESSAGE, &signature));
    }

    #[test]
    fn weak_and_huge_rsa_keys_are_refused() {
        let modulus = |bytes: usize| {
            let mut n = vec![0x81; bytes];
            n[bytes - 1] = 1;
            n
        };
        let refused = |n: &[u8], e: &[u8]| Key::from_rsa(n, e).err();

        assert_eq!(refused(&modulus(128), &[1, 0, 1]), Some(KeyProblem::RsaLength(1024)));
        assert_eq!(refused(&modulus(255), &[1, 0, 1]), Some(KeyProblem::RsaLength(2040)));
        assert_eq!(refused(&modulus(1025), &[1, 0, 1]), Some(KeyProblem::RsaLength(8200)));
        assert_eq!(refused(&[], &[1, 0, 1]), Some(KeyProblem::RsaLength(0)));
        for exponent in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[1; 9]] {
            assert_eq!(refused(&modulus(256), exponent), Some(KeyProblem::Invalid("RSA")));
        }
        assert_eq!(refused(&modulus(256), &[1, 0, 1]), None);
    }

    #[test]
    fn a_point_must_lie_on_its_curve() {
        for (curve, n) in [(KeyType::P256, 64), (KeyType::P384, 96), (KeyType::P521, 132)] {
            let mut point = vec![4];
            point.resize(n + 1, 1);
            assert_eq!(Key::from_point(curve, &point).err(), Some(KeyProblem::Invalid("EC")));
        }
    }

    #[test]
    fn secrets_are_bounded_and_never_shown() {
        assert_eq!(Key::from_secret(&[7; 15]).err(), Some(KeyProblem::SecretLength(15)));
        assert_eq!(Key::from_secret(&[7; 8193]).err(), Some(KeyProblem::SecretLength(8193)));
        assert_eq!(Key::from_secret_text("*").err(), Some(KeyProblem::NotBase64));

        let key = Key::from_secret(b"a-secret-a-secret").unwrap().with_id(Some("k".to_owned()));

        assert_eq!(
            format!("{key:?}"),
            r#"Key { id: Some("k"), type: Secret, algorithm: None, .. }"#
        );
    }

    #[test]
    fn numbers_of_a_policy_make_an_rsa_key() {
        let (n, e) = rsa().components_text();

        let key = Key::from_rsa_text(&n, &e).unwrap();

        let signature = rsa().sign(Algorithm::Rs256, MESSAGE);
        assert!(key.verify(Algorithm::Rs256, MESSAGE, &signature));
        assert_eq!(Key::from_rsa_text("!", "AQAB").err(), Some(KeyProblem::NotBase64));
    }
}
