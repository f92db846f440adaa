//! Encrypted tokens in compact form, and the keys that open them.
//!
//! `dir` with a shared key, and RSA-OAEP with a private key; content encryption with
//! AES-CBC-HMAC and AES-GCM. What comes out must be a signed (or unsigned) token, which is then
//! treated like any other: encryption proves nothing about the sender.
//!
//! Every failure to open looks the same from outside.
//!
//! Source: RFC 7516; RFC 7518, sections 4.3, 4.5, 5.2 and 5.3.

use std::fmt;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    PrivateDecryptingKey,
};
use aws_lc_rs::{aead, cipher, hmac, iv};
use zeroize::Zeroizing;

use crate::base64url;
use crate::error::TokenError;
use crate::jwt::{Header, segments};
use crate::key::KeyProblem;
use crate::x509::pkcs8_der;

/// A key that opens encrypted tokens.
pub struct DecryptionKey {
    id: Option<String>,
    material: Material,
}

enum Material {
    Secret(Zeroizing<Vec<u8>>),
    Rsa(OaepPrivateDecryptingKey),
}

impl DecryptionKey {
    /// A shared key given as Base64 text: 16, 24, 32, 48 or 64 bytes.
    ///
    /// # Errors
    ///
    /// If the text is not Base64 or no method takes a key of that length.
    pub fn from_secret_text(text: &str) -> Result<Self, KeyProblem> {
        let secret = Zeroizing::new(base64url::decode_key_text(text).ok_or(KeyProblem::NotBase64)?);
        if !Method::ALL.iter().any(|it| it.key_bytes() == secret.len()) {
            return Err(KeyProblem::SecretLength(secret.len()));
        }
        Ok(Self { id: None, material: Material::Secret(secret) })
    }

    /// An RSA private key in PKCS #8, as PEM or DER.
    ///
    /// # Errors
    ///
    /// If it cannot be read or has fewer than 2048 bits.
    pub fn from_private_key(pkcs8: &[u8]) -> Result<Self, KeyProblem> {
        let der = pkcs8_der(pkcs8);
        let key = PrivateDecryptingKey::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|_| KeyProblem::PrivateKey)?;
        if key.key_size_bits() < 2048 {
            return Err(KeyProblem::RsaLength(key.key_size_bits()));
        }
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| KeyProblem::PrivateKey)?;
        Ok(Self { id: None, material: Material::Rsa(key) })
    }

    /// Gives the key the identifier that tokens name in `kid`.
    #[must_use]
    pub fn with_id(mut self, id: Option<String>) -> Self {
        self.id = id;
        self
    }

    /// The key for the content, if this key can give it.
    fn content_key(
        &self,
        management: Management,
        method: Method,
        encrypted: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        match (&self.material, management) {
            (Material::Secret(secret), Management::Direct) => {
                (secret.len() == method.key_bytes() && encrypted.is_empty()).then(|| secret.clone())
            }
            (Material::Rsa(key), Management::Oaep(algorithm)) => {
                if encrypted.len() != key.key_size_bytes() {
                    return None;
                }
                let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
                let n = key.decrypt(algorithm, encrypted, &mut plain, None).ok()?.len();
                plain.truncate(n);
                (n == method.key_bytes()).then_some(plain)
            }
            _ => None,
        }
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.material {
            Material::Secret(_) => "secret",
            Material::Rsa(_) => "RSA",
        };
        f.debug_struct("DecryptionKey").field("id", &self.id).field("type", &kind).finish()
    }
}

/// How the content key reaches us.
#[derive(Clone, Copy)]
enum Management {
    Direct,
    Oaep(&'static OaepAlgorithm),
}

/// How the content is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    A128CbcHs256,
    A192CbcHs384,
    A256CbcHs512,
    A128Gcm,
    A192Gcm,
    A256Gcm,
}

impl Method {
    const ALL: [Self; 6] = [
        Self::A128CbcHs256,
        Self::A192CbcHs384,
        Self::A256CbcHs512,
        Self::A128Gcm,
        Self::A192Gcm,
        Self::A256Gcm,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A192CbcHs384 => "A192CBC-HS384",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
            Self::A192Gcm => "A192GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    fn key_bytes(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A192Gcm => 24,
            Self::A128CbcHs256 | Self::A256Gcm => 32,
            Self::A192CbcHs384 => 48,
            Self::A256CbcHs512 => 64,
        }
    }

    fn open(self, key: &[u8], sealed: &Sealed<'_>) -> Option<Vec<u8>> {
        match self {
            Self::A128CbcHs256 => open_cbc(hmac::HMAC_SHA256, &AES_128, key, sealed),
            Self::A192CbcHs384 => open_cbc(hmac::HMAC_SHA384, &AES_192, key, sealed),
            Self::A256CbcHs512 => open_cbc(hmac::HMAC_SHA512, &AES_256, key, sealed),
            Self::A128Gcm => open_gcm(&aead::AES_128_GCM, key, sealed),
            Self::A192Gcm => open_gcm(&aead::AES_192_GCM, key, sealed),
            Self::A256Gcm => open_gcm(&aead::AES_256_GCM, key, sealed),
        }
    }
}

/// The encrypted content with what authenticates it.
struct Sealed<'a> {
    header: &'a [u8],
    iv: &'a [u8],
    content: &'a [u8],
    tag: &'a [u8],
}

/// Opens an encrypted token with one of the keys; the one that it names comes first.
///
/// # Errors
///
/// [`TokenError::Malformed`], [`TokenError::AlgorithmNotSupported`] or
/// [`TokenError::NotDecrypted`].
pub(crate) fn decrypt(text: &str, keys: &[DecryptionKey]) -> Result<String, TokenError> {
    let [header_text, rest @ ..] = segments::<5>(text)?;
    let header = Header::parse(header_text)?;
    if header.members.contains_key("zip") {
        return Err(TokenError::Malformed("compressed tokens are not accepted"));
    }
    let management = match header.algorithm.as_str() {
        "dir" => Management::Direct,
        "RSA-OAEP" => Management::Oaep(&OAEP_SHA1_MGF1SHA1),
        "RSA-OAEP-256" => Management::Oaep(&OAEP_SHA256_MGF1SHA256),
        other => return Err(TokenError::AlgorithmNotSupported(crate::error::quoted(other))),
    };
    let method = header.members.get("enc").and_then(serde_json::Value::as_str).unwrap_or("");
    let method = Method::ALL
        .into_iter()
        .find(|it| it.name() == method)
        .ok_or_else(|| TokenError::AlgorithmNotSupported(crate::error::quoted(method)))?;
    let mut parts = Vec::with_capacity(4);
    for segment in rest {
        parts.push(base64url::decode(segment).ok_or(TokenError::Malformed("invalid base64url"))?);
    }
    let [encrypted, iv, content, tag] = parts.as_slice() else {
        return Err(TokenError::Malformed("wrong number of segments"));
    };
    let sealed = Sealed { header: header_text.as_bytes(), iv, content, tag };

    let is_named = |it: &&DecryptionKey| it.id.is_some() && it.id == header.key_id;
    let named = keys.iter().filter(is_named);
    let others = keys.iter().filter(|it| !is_named(it));
    let plain = named
        .chain(others)
        .filter_map(|it| it.content_key(management, method, encrypted))
        .find_map(|key| method.open(&key, &sealed))
        .ok_or(TokenError::NotDecrypted)?;
    String::from_utf8(plain).map_err(|_| TokenError::Malformed("the content is not a token"))
}

/// AES-CBC with HMAC over header, initialization vector and content (RFC 7518, 5.2.2.2).
fn open_cbc(
    hash: hmac::Algorithm,
    block: &'static cipher::Algorithm,
    key: &[u8],
    sealed: &Sealed<'_>,
) -> Option<Vec<u8>> {
    let (mac_key, content_key) = key.split_at_checked(key.len() / 2)?;
    let iv: &[u8; 16] = sealed.iv.try_into().ok()?;
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hash, mac_key));
    for part in [sealed.header, sealed.iv, sealed.content] {
        mac.update(part);
    }
    mac.update(&(sealed.header.len() as u64 * 8).to_be_bytes());
    let computed = mac.sign();
    let expected = computed.as_ref().get(..mac_key.len())?;
    verify_slices_are_equal(expected, sealed.tag).ok()?;

    let unbound = UnboundCipherKey::new(block, content_key).ok()?;
    let opener = PaddedBlockDecryptingKey::cbc_pkcs7(unbound).ok()?;
    let mut buffer = sealed.content.to_vec();
    let context = DecryptionContext::Iv128(iv::FixedLength::from(iv));
    let n = opener.decrypt(&mut buffer, context).ok()?.len();
    buffer.truncate(n);
    Some(buffer)
}

fn open_gcm(
    algorithm: &'static aead::Algorithm,
    key: &[u8],
    sealed: &Sealed<'_>,
) -> Option<Vec<u8>> {
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(algorithm, key).ok()?);
    let nonce = aead::Nonce::try_assume_unique_for_key(sealed.iv).ok()?;
    if sealed.tag.len() != algorithm.tag_len() {
        return None;
    }
    let mut buffer = [sealed.content, sealed.tag].concat();
    let n = key.open_in_place(nonce, aead::Aad::from(sealed.header), &mut buffer).ok()?.len();
    buffer.truncate(n);
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const RFC_7516_A1: &str = include_str!("testdata/rfc7516-a1.jwe");
    const RFC_7516_A1_KEY: &str = include_str!("testdata/rfc7516-a1.pem");
    /// RFC 7518, B.1 to B.3: key length, method, ciphertext, tag.
    const RFC_7518_B: [(u8, Method, &str, &str); 3] = [
        (
            32,
            Method::A128CbcHs256,
            "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c703233609d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade54b8851ffb598f7f80074b9473c82e2db",
            "652c3fa36b0a7c5b3219fab3a30bc1c4",
        ),
        (
            48,
            Method::A192CbcHs384,
            "ea65da6b59e61edb419be62d19712ae5d303eeb50052d0dfd6697f77224c8edb000d279bdc14c1072654bd30944230c657bed4ca0c9f4a8466f22b226d1746214bf8cfc2400add9f5126e479663fc90b3bed787a2f0ffcbf3904be2a641d5c2105bfe591bae23b1d7449e532eef60a9ac8bb6c6b01d35d49787bcd57ef484927f280adc91ac0c4e79c7b11efc60054e3",
            "8490ac0e58949bfe51875d733f93ac2075168039ccc733d7",
        ),
        (
            64,
            Method::A256CbcHs512,
            "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950bbe2638d09dd7a4930930806d0703b1f6",
            "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
        ),
    ];

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
            .collect()
    }

    fn secret(bytes: &[u8]) -> DecryptionKey {
        DecryptionKey::from_secret_text(&STANDARD.encode(bytes)).unwrap()
    }

    /// Encrypts with AES-CBC-HMAC or AES-GCM, as a sender would.
    fn seal(method: Method, key: &[u8], header: &str, encrypted: &[u8], plain: &[u8]) -> String {
        let header = base64url::encode(header.as_bytes());
        let (iv, content, tag) = match method {
            Method::A128Gcm | Method::A192Gcm | Method::A256Gcm => {
                let algorithm = match method {
                    Method::A128Gcm => &aead::AES_128_GCM,
                    Method::A192Gcm => &aead::AES_192_GCM,
                    _ => &aead::AES_256_GCM,
                };
                let iv = [9_u8; 12];
                let key = aead::LessSafeKey::new(aead::UnboundKey::new(algorithm, key).unwrap());
                let mut content = plain.to_vec();
                let nonce = aead::Nonce::assume_unique_for_key(iv);
                let tag = key
                    .seal_in_place_separate_tag(nonce, aead::Aad::from(&header), &mut content)
                    .unwrap();
                (iv.to_vec(), content, tag.as_ref().to_vec())
            }
            _ => {
                let (hash, block) = match method {
                    Method::A128CbcHs256 => (hmac::HMAC_SHA256, &AES_128),
                    Method::A192CbcHs384 => (hmac::HMAC_SHA384, &AES_192),
                    _ => (hmac::HMAC_SHA512, &AES_256),
                };
                let (mac_key, content_key) = key.split_at(key.len() / 2);
                let unbound = UnboundCipherKey::new(block, content_key).unwrap();
                let sealer = cipher::PaddedBlockEncryptingKey::cbc_pkcs7(unbound).unwrap();
                let mut content = plain.to_vec();
                let context = sealer.encrypt(&mut content).unwrap();
                let iv: &[u8] = (&context).try_into().unwrap();
                let mut mac = hmac::Context::with_key(&hmac::Key::new(hash, mac_key));
                for part in [header.as_bytes(), iv, &content] {
                    mac.update(part);
                }
                mac.update(&(header.len() as u64 * 8).to_be_bytes());
                let tag = mac.sign().as_ref()[..mac_key.len()].to_vec();
                (iv.to_vec(), content, tag)
            }
        };
        let rest = [encrypted, &iv, &content, &tag].map(base64url::encode).join(".");
        format!("{header}.{rest}")
    }

    #[test]
    fn the_example_of_rfc_7516_opens() {
        let key = DecryptionKey::from_private_key(RFC_7516_A1_KEY.as_bytes()).unwrap();

        let plain = decrypt(RFC_7516_A1.trim(), &[key]);

        let text = "The true sign of intelligence is not knowledge but imagination.";
        assert_eq!(plain.as_deref(), Ok(text));
    }

    #[test]
    fn the_examples_of_rfc_7518_open() {
        for (key_bytes, method, content, tag) in RFC_7518_B {
            let key: Vec<u8> = (0..key_bytes).collect();
            let (content, tag) = (hex(content), hex(tag));
            let iv = hex("1af38c2dc2b96ffdd86694092341bc04");
            let header = b"The second principle of Auguste Kerckhoffs";
            let sealed = |tag| Sealed { header, iv: &iv, content: &content, tag };

            let plain = method.open(&key, &sealed(&tag)).unwrap();

            assert!(plain.starts_with(b"A cipher system must not be required to be secret"));
            assert!(plain.ends_with(b"without inconvenience"));
            assert_eq!(method.open(&key, &sealed(&tag[1..])), None);
            assert_eq!(method.open(&key, &sealed(&[])), None);
        }
    }

    #[test]
    fn a_shared_key_opens_every_method_and_nothing_changed() {
        for method in Method::ALL {
            let bytes: Vec<u8> = (1..=method.key_bytes() as u8).collect();
            let header = format!(r#"{{"alg":"dir","enc":"{}"}}"#, method.name());
            let text = seal(method, &bytes, &header, &[], b"inner");

            assert_eq!(decrypt(&text, &[secret(&bytes)]).as_deref(), Ok("inner"), "{method:?}");
            for segment in 2..5 {
                let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
                let mut changed = base64url::decode(&parts[segment]).unwrap();
                changed[0] ^= 1;
                parts[segment] = base64url::encode(&changed);
                let outcome = decrypt(&parts.join("."), &[secret(&bytes)]);
                assert_eq!(outcome, Err(TokenError::NotDecrypted), "{method:?} {segment}");
            }
            let with_key = seal(method, &bytes, &header, b"x", b"inner");
            assert_eq!(decrypt(&with_key, &[secret(&bytes)]), Err(TokenError::NotDecrypted));
            let mut other = bytes.clone();
            other[0] ^= 1;
            assert_eq!(decrypt(&text, &[secret(&other)]), Err(TokenError::NotDecrypted));
            assert_eq!(decrypt(&text, &[]), Err(TokenError::NotDecrypted));
            let both = [secret(&other), secret(&bytes)];
            assert_eq!(decrypt(&text, &both).as_deref(), Ok("inner"));
        }
    }

    #[test]
    fn a_private_key_opens_both_kinds_of_oaep() {
        let der = pkcs8_der(RFC_7516_A1_KEY.as_bytes());
        let public: PublicEncryptingKey =
            PrivateDecryptingKey::from_pkcs8(der.secret_pkcs8_der()).unwrap().public_key();
        let public = OaepPublicEncryptingKey::new(public).unwrap();
        for (name, algorithm) in
            [("RSA-OAEP", &OAEP_SHA1_MGF1SHA1), ("RSA-OAEP-256", &OAEP_SHA256_MGF1SHA256)]
        {
            let content_key = [3; 32];
            let mut encrypted = vec![0; public.ciphertext_size()];
            public.encrypt(algorithm, &content_key, &mut encrypted, None).unwrap();
            let header = format!(r#"{{"alg":"{name}","enc":"A128CBC-HS256"}}"#);
            let text = seal(Method::A128CbcHs256, &content_key, &header, &encrypted, b"inner");
            let key = DecryptionKey::from_private_key(RFC_7516_A1_KEY.as_bytes()).unwrap();

            assert_eq!(decrypt(&text, &[key]).as_deref(), Ok("inner"), "{name}");
            assert_eq!(decrypt(&text, &[secret(&content_key)]), Err(TokenError::NotDecrypted));
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_before_any_key_is_tried() {
        let keys = [secret(&[7; 32])];
        let with =
            |header: &str| decrypt(&seal(Method::A256Gcm, &[7; 32], header, &[], b"x"), &keys);

        assert_eq!(with(r#"{"alg":"dir","enc":"A256GCM"}"#).as_deref(), Ok("x"));
        for (header, name) in [
            (r#"{"alg":"RSA1_5","enc":"A256GCM"}"#, "RSA1_5"),
            (r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM"}"#, "PBES2-HS256+A128KW"),
            (r#"{"alg":"none","enc":"A256GCM"}"#, "none"),
            (r#"{"alg":"dir","enc":"none"}"#, "none"),
            (r#"{"alg":"dir"}"#, ""),
        ] {
            assert_eq!(with(header), Err(TokenError::AlgorithmNotSupported(name.to_owned())));
        }
        for header in [
            r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#,
            r#"{"alg":"dir","enc":"A256GCM","crit":["x"],"x":1}"#,
            r#"{"alg":"dir","enc":"A256GCM","enc":"A256GCM"}"#,
        ] {
            assert!(matches!(with(header), Err(TokenError::Malformed(_))), "{header}");
        }
    }

    #[test]
    fn keys_are_checked_when_they_are_read_and_never_shown() {
        let length = |n: usize| DecryptionKey::from_secret_text(&STANDARD.encode(vec![1; n])).err();
        assert_eq!(length(31), Some(KeyProblem::SecretLength(31)));
        assert_eq!(length(64), None);
        assert_eq!(DecryptionKey::from_private_key(b"x").err(), Some(KeyProblem::PrivateKey));
        assert_eq!(
            format!("{:?}", secret(&[1; 32]).with_id(Some("k".to_owned()))),
            r#"DecryptionKey { id: Some("k"), type: "secret" }"#
        );
    }
}
