//! The keys that sign tokens: two built in, further ones made on rotation.

use std::io;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use aws_lc_rs::{digest, encoding::AsDer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};

/// The built-in keys: everybody has them, so that a token minted by one process is good at the
/// stand-in that another process runs.
const BUILT_IN: &str = include_str!("../../data/signing-keys.json");

/// One RSA key.
pub struct SigningKey {
    pair: RsaKeyPair,
    /// Key identifier: the start of the SHA-256 of the public key, in Base64url.
    pub key_id: String,
    /// Modulus, Base64url.
    pub modulus: String,
    /// Exponent, Base64url.
    pub exponent: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl SigningKey {
    fn new(pair: RsaKeyPair) -> io::Result<Self> {
        let public = pair.public_key().as_ref();
        let (modulus, exponent) = public_numbers(public)
            .ok_or_else(|| io::Error::other("an RSA public key of an unexpected form"))?;
        let fingerprint = digest::digest(&digest::SHA256, public);
        let key_id = URL_SAFE_NO_PAD.encode(fingerprint.as_ref().get(..20).unwrap_or_default());
        let (modulus, exponent) =
            (URL_SAFE_NO_PAD.encode(modulus), URL_SAFE_NO_PAD.encode(exponent));
        Ok(Self { key_id, modulus, exponent, pair })
    }

    /// A key that nothing publishes.
    ///
    /// # Errors
    ///
    /// If the system has no randomness.
    pub fn generate() -> io::Result<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
        Self::new(pair)
    }

    /// An RS256 signature of `message`; empty if the library refuses, so that no check accepts it.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signed =
            self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        if signed.is_err() {
            signature.clear();
        }
        signature
    }

    /// The public key as PEM text (`SubjectPublicKeyInfo`).
    pub fn public_pem(&self) -> String {
        let der = self.pair.public_key().as_der();
        let encoded = der.map(|der| STANDARD.encode(der.as_ref())).unwrap_or_default();
        let lines: Vec<&str> = encoded
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap_or_default())
            .collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// The public key as PKCS #1 DER, as signature checks want it.
    pub fn public_der(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The key as Entra publishes it: with `use`, without `alg`.
    pub fn jwk(&self) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": self.modulus,
            "e": self.exponent,
            "cloud_instance_name": "microsoftonline.com",
        })
    }
}

/// Modulus and exponent out of PKCS #1 DER: a sequence of two positive integers.
fn public_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = element(der, 0x30)?;
    let (modulus, rest) = element(sequence, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    Some((modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent))
}

fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

/// The published keys; the last one signs.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<SigningKey>,
    unused: Vec<SigningKey>,
}

#[derive(Deserialize)]
struct BuiltIn {
    keys: Vec<BuiltInKey>,
}

#[derive(Deserialize)]
struct BuiltInKey {
    pkcs8: String,
}

impl KeyRing {
    /// The built-in keys; the first one signs until a rotation.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn built_in() -> io::Result<Self> {
        let built_in: BuiltIn = serde_json::from_str(BUILT_IN)?;
        let mut keys = built_in
            .keys
            .iter()
            .map(|key| {
                let der = STANDARD.decode(&key.pkcs8).map_err(io::Error::other)?;
                SigningKey::new(RsaKeyPair::from_pkcs8(&der).map_err(io::Error::other)?)
            })
            .collect::<io::Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Err(io::Error::other("no built-in signing key"));
        }
        let unused = keys.split_off(1);
        Ok(Self { keys, unused })
    }

    /// The key that signs; there is always one.
    pub fn current(&self) -> Option<&SigningKey> {
        self.keys.last()
    }

    /// A published key by its identifier.
    pub fn find(&self, key_id: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|it| it.key_id == key_id)
    }

    /// From now on another key signs; the old ones stay published. Returns its identifier.
    ///
    /// # Errors
    ///
    /// If a new key is needed and cannot be made.
    pub fn rotate(&mut self) -> io::Result<String> {
        let next =
            if self.unused.is_empty() { SigningKey::generate()? } else { self.unused.remove(0) };
        let key_id = next.key_id.clone();
        self.keys.push(next);
        Ok(key_id)
    }

    /// Publishes only the key that signs.
    pub fn retire(&mut self) {
        let old = self.keys.len().saturating_sub(1);
        self.keys.drain(..old);
    }

    /// The published key set.
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().map(SigningKey::jwk).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_publishes_both_keys_and_a_retirement_only_the_new_one() {
        let mut ring = KeyRing::built_in().unwrap();
        let old = ring.current().unwrap().key_id.clone();
        let new = ring.rotate().unwrap();
        assert_ne!(old, new);
        assert!(ring.find(&old).is_some());
        assert_eq!(ring.current().unwrap().key_id, new);
        ring.retire();
        assert!(ring.find(&old).is_none());
    }

    #[test]
    fn published_keys_have_entras_shape() {
        let jwks = KeyRing::built_in().unwrap().jwks();
        let key = &jwks["keys"][0];
        assert_eq!((&key["kty"], &key["e"]), (&json!("RSA"), &json!("AQAB")));
        assert!(key.get("alg").is_none());
        assert_eq!(key["n"].as_str().unwrap().len(), 342);
    }

    #[test]
    fn further_rotations_make_new_keys() {
        let mut ring = KeyRing::built_in().unwrap();
        let ids: std::collections::BTreeSet<String> =
            (0..2).map(|_| ring.rotate().unwrap()).collect();
        assert_eq!(ids.len(), 2);
    }
}
