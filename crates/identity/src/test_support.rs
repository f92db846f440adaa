//! Keys and tokens for tests.

use std::sync::{Arc, Mutex, OnceLock};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
};
use serde_json::{Value, json};
use transport::{Body, CallError, FakeClient, FakeClock, HttpClient, Response};
use x509_parser::prelude::FromDer as _;

use crate::algorithm::{Algorithm, KeyType};
use crate::base64url;
use crate::discovery::{ProviderSettings, Providers};
use crate::key::Key;

/// The secret of the HMAC test key.
pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A key that signs test tokens.
pub(crate) enum TestKey {
    Secret,
    Rsa(RsaKeyPair),
    Curve(KeyType, EcdsaKeyPair),
}

/// The RSA key of the tests.
pub(crate) fn rsa() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(|| TestKey::read_rsa(include_bytes!("testdata/rsa-1.pem")))
}

/// Another RSA key.
pub(crate) fn other_rsa() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(|| TestKey::read_rsa(include_bytes!("testdata/rsa-2.pem")))
}

impl TestKey {
    /// Making a key takes long, so those of the tests are files.
    fn read_rsa(pem: &[u8]) -> Self {
        let der = crate::x509::pkcs8_der(pem);
        Self::Rsa(RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap())
    }

    pub(crate) fn for_algorithm(algorithm: Algorithm) -> &'static Self {
        static P256: OnceLock<TestKey> = OnceLock::new();
        static P384: OnceLock<TestKey> = OnceLock::new();
        static P521: OnceLock<TestKey> = OnceLock::new();
        let curve = |it| Self::Curve(algorithm.key_type(), EcdsaKeyPair::generate(it).unwrap());
        match algorithm.key_type() {
            KeyType::Secret => &Self::Secret,
            KeyType::Rsa => rsa(),
            KeyType::P256 => P256.get_or_init(|| curve(&ECDSA_P256_SHA256_FIXED_SIGNING)),
            KeyType::P384 => P384.get_or_init(|| curve(&ECDSA_P384_SHA384_FIXED_SIGNING)),
            KeyType::P521 => P521.get_or_init(|| curve(&ECDSA_P521_SHA512_FIXED_SIGNING)),
        }
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Secret => hmac_signature(algorithm, SECRET, message),
            Self::Rsa(pair) => {
                let encoding = match algorithm {
                    Algorithm::Rs256 => &RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    Algorithm::Ps384 => &RSA_PSS_SHA384,
                    _ => &RSA_PSS_SHA512,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Self::Curve(_, pair) => {
                pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
            }
        }
    }

    pub(crate) fn public(&self) -> Key {
        match self {
            Self::Secret => Key::from_secret(SECRET).unwrap(),
            Self::Rsa(_) => Key::from_public_key_der(&self.public_der()).unwrap(),
            Self::Curve(curve, pair) => {
                Key::from_point(*curve, pair.public_key().as_ref()).unwrap()
            }
        }
    }

    pub(crate) fn public_der(&self) -> Vec<u8> {
        match self {
            Self::Rsa(pair) => pair.public_key().as_der().unwrap().as_ref().to_vec(),
            _ => Vec::new(),
        }
    }

    /// `n` and `e` as in a JWK.
    pub(crate) fn components_text(&self) -> (String, String) {
        let der = self.public_der();
        let (_, info) = x509_parser::x509::SubjectPublicKeyInfo::from_der(&der).unwrap();
        let x509_parser::public_key::PublicKey::RSA(key) = info.parsed().unwrap() else {
            panic!("not an RSA key")
        };
        (base64url::encode(&key.modulus[1..]), base64url::encode(key.exponent))
    }

    /// A JWK as Entra ID shows it: without `alg`.
    pub(crate) fn jwk(&self, id: &str) -> Value {
        match self {
            Self::Secret => json!({ "kty": "oct", "kid": id, "k": base64url::encode(SECRET) }),
            Self::Rsa(_) => {
                let (n, e) = self.components_text();
                json!({ "kty": "RSA", "use": "sig", "kid": id, "n": n, "e": e })
            }
            Self::Curve(curve, pair) => {
                let name = match curve {
                    KeyType::P256 => "P-256",
                    KeyType::P384 => "P-384",
                    _ => "P-521",
                };
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "use": "sig", "kid": id, "crv": name,
                    "x": base64url::encode(x), "y": base64url::encode(y) })
            }
        }
    }

    /// A signed token; `alg` of the header says how.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let algorithm = Algorithm::from_name(header["alg"].as_str().unwrap()).unwrap();
        let text = unsigned(header, claims);
        let signature = self.sign(algorithm, text.as_bytes());
        format!("{text}.{}", base64url::encode(&signature))
    }
}

/// `header.claims`, without a signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    [header, claims].map(|it| base64url::encode(it.to_string().as_bytes())).join(".")
}

/// An encrypted token: `dir` with AES-GCM.
pub(crate) fn encrypted(key: &[u8; 32], inner: &str) -> String {
    use aws_lc_rs::aead;
    let header = base64url::encode(br#"{"alg":"dir","enc":"A256GCM"}"#);
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, key).unwrap());
    let nonce = || aead::Nonce::assume_unique_for_key([9; 12]);
    let mut content = inner.as_bytes().to_vec();
    let aad = aead::Aad::from(header.as_bytes());
    let tag = key.seal_in_place_separate_tag(nonce(), aad, &mut content).unwrap();
    let iv = nonce();
    let parts: [&[u8]; 4] = [&[], iv.as_ref(), &content, tag.as_ref()];
    let rest = parts.map(base64url::encode);
    format!("{header}.{}", rest.join("."))
}

/// An HMAC with any secret.
pub(crate) fn hmac_signature(algorithm: Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    let hash = match algorithm {
        Algorithm::Hs256 => hmac::HMAC_SHA256,
        Algorithm::Hs384 => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    };
    hmac::sign(&hmac::Key::new(hash, secret), message).as_ref().to_vec()
}

/// The time at which the tests' clocks start, in seconds.
pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const OTHER_TENANT: &str = "99999999-2222-3333-4444-555555555555";

/// A pretended identity provider that answers any metadata address, with a clock and the
/// gateway's view of it.
pub(crate) struct World {
    pub(crate) clock: FakeClock,
    pub(crate) client: FakeClient,
    pub(crate) providers: Providers,
    state: Arc<Mutex<IdpState>>,
}

#[derive(Clone)]
pub(crate) struct IdpState {
    /// The issuer in the metadata.
    pub(crate) issuer: String,
    pub(crate) keys: Vec<Value>,
    pub(crate) is_down: bool,
}

impl World {
    /// A provider with one key, `k1`.
    pub(crate) fn new() -> Self {
        Self::with_settings(ProviderSettings::default())
    }

    pub(crate) fn with_settings(settings: ProviderSettings) -> Self {
        let state = Arc::new(Mutex::new(IdpState {
            issuer: format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            keys: vec![rsa().jwk("k1")],
            is_down: false,
        }));
        let shown = Arc::clone(&state);
        let client = FakeClient::new(move |request| {
            let state = shown.lock().unwrap().clone();
            if state.is_down {
                let host = request.uri.host().unwrap_or("").to_owned();
                return Err(CallError::Connect { host, reason: "refused".to_owned() });
            }
            let document = match request.uri.path().ends_with("/openid-configuration") {
                true => json!({ "issuer": state.issuer, "jwks_uri": "https://idp.test/keys" }),
                false => json!({ "keys": state.keys }),
            };
            Ok(Response::new(Body::full(document.to_string())))
        });
        let clock = FakeClock::at_unix(NOW);
        let shared: Arc<dyn HttpClient> = Arc::new(client.clone());
        let providers = Providers::new(shared, Arc::new(clock.clone()), settings);
        Self { clock, client, providers, state }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut IdpState)) {
        change(&mut self.state.lock().unwrap());
    }

    /// How often the key set was asked for.
    pub(crate) fn n_fetches(&self) -> usize {
        self.client.requests().iter().filter(|it| it.uri.path() == "/keys").count()
    }
}

/// Lets other tasks run until none of them has anything to do.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
