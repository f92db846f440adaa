//! Key sets as providers publish them.
//!
//! Entra ID's keys have no `alg`: the key type decides what a key can do. Keys that are not
//! understood, or not meant for signatures, are left out and named, because one strange key
//! must not make the others useless. A set with a doubtful shape is refused as a whole.
//!
//! Source: RFC 7517; RFC 7518, section 6.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::algorithm::{Algorithm, KeyType};
use crate::base64url;
use crate::json;
use crate::key::{Key, KeyProblem, coordinate_bytes};

/// The largest number of keys in one set.
pub const MAX_KEYS: usize = 100;
/// The longest text of one member of a key; an RSA modulus of 8192 bits has 1366 characters.
const MAX_MEMBER_BYTES: usize = 16 * 1024;

/// Why a key set as a whole was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetProblem {
    /// Not a JSON object with a list `keys`, or a name occurs twice.
    #[error("the key set is not a JSON object with a list `keys`")]
    Malformed,
    /// More keys than [`MAX_KEYS`].
    #[error("the key set has {0} keys; at most 100 are allowed")]
    TooManyKeys(usize),
    /// There is no key in it that could check a signature.
    #[error("the key set has no key that can be used")]
    NoUsableKey,
}

/// The keys of one provider.
#[derive(Debug, Default)]
pub struct KeySet {
    /// The keys that can check signatures.
    pub keys: Vec<Key>,
    /// The keys left out: identifier and reason.
    pub skipped: Vec<(String, KeyProblem)>,
}

impl KeySet {
    /// Reads a JWK set.
    ///
    /// # Errors
    ///
    /// If the text is no key set, has too many keys, or no usable one.
    pub fn parse(text: &[u8]) -> Result<Self, KeySetProblem> {
        let set = json::object(text).ok_or(KeySetProblem::Malformed)?;
        let Some(Value::Array(items)) = set.get("keys") else {
            return Err(KeySetProblem::Malformed);
        };
        if items.len() > MAX_KEYS {
            return Err(KeySetProblem::TooManyKeys(items.len()));
        }
        let mut this = Self::default();
        for item in items {
            let Value::Object(members) = item else {
                return Err(KeySetProblem::Malformed);
            };
            match key(members) {
                Ok(key) => this.keys.push(key),
                Err(problem) => {
                    let id: String =
                        text_of(members, "kid").unwrap_or("").chars().take(100).collect();
                    this.skipped.push((id, problem));
                }
            }
        }
        if this.keys.is_empty() {
            return Err(KeySetProblem::NoUsableKey);
        }
        Ok(this)
    }
}

fn key(members: &Map<String, Value>) -> Result<Key, KeyProblem> {
    if members.values().any(|it| it.as_str().is_some_and(|it| it.len() > MAX_MEMBER_BYTES)) {
        return Err(KeyProblem::Invalid("JWK"));
    }
    if !is_for_signatures(members) {
        return Err(KeyProblem::NotForSignatures);
    }
    let key = match text_of(members, "kty") {
        Some("RSA") => rsa_key(members)?,
        Some("EC") => curve_key(members)?,
        other => return Err(KeyProblem::Unsupported(other.unwrap_or("").to_owned())),
    };
    let algorithm = match members.get("alg") {
        None | Some(Value::Null) => None,
        Some(name) => {
            let found = name.as_str().and_then(Algorithm::from_name);
            // A key for an algorithm that we do not check, or of another type, is of no use.
            Some(found.filter(|it| key.allows(*it)).ok_or_else(|| {
                KeyProblem::Unsupported(name.as_str().unwrap_or("alg").to_owned())
            })?)
        }
    };
    Ok(key
        .with_algorithm(algorithm)
        .with_id(text_of(members, "kid").map(str::to_owned))
        .with_issuer(text_of(members, "issuer").map(str::to_owned)))
}

fn is_for_signatures(members: &Map<String, Value>) -> bool {
    let is_signature = match members.get("use") {
        None | Some(Value::Null) => true,
        Some(usage) => usage.as_str() == Some("sig"),
    };
    let may_verify = match members.get("key_ops") {
        None | Some(Value::Null) => true,
        Some(Value::Array(operations)) => operations.iter().any(|it| it == "verify"),
        Some(_) => false,
    };
    is_signature && may_verify
}

fn rsa_key(members: &Map<String, Value>) -> Result<Key, KeyProblem> {
    match (members.get("n"), members.get("e")) {
        (None, _) | (_, None) => certificate_key(members).filter_type(|it| it == KeyType::Rsa),
        (Some(n), Some(e)) => {
            let n = bytes_of(n).ok_or(KeyProblem::NotBase64)?;
            let e = bytes_of(e).ok_or(KeyProblem::NotBase64)?;
            Key::from_rsa(&n, &e)
        }
    }
}

fn curve_key(members: &Map<String, Value>) -> Result<Key, KeyProblem> {
    let curve = match text_of(members, "crv") {
        Some("P-256") => KeyType::P256,
        Some("P-384") => KeyType::P384,
        Some("P-521") => KeyType::P521,
        other => return Err(KeyProblem::Unsupported(format!("EC {}", other.unwrap_or("")))),
    };
    match (members.get("x"), members.get("y")) {
        (None, _) | (_, None) => certificate_key(members).filter_type(|it| it == curve),
        (Some(x), Some(y)) => {
            let x = bytes_of(x).ok_or(KeyProblem::NotBase64)?;
            let y = bytes_of(y).ok_or(KeyProblem::NotBase64)?;
            let n = coordinate_bytes(curve);
            if x.len() > n || y.len() > n {
                return Err(KeyProblem::Invalid("EC"));
            }
            // Some providers drop leading zeros of a coordinate, although they must not.
            let mut point = vec![4; 1];
            for coordinate in [x, y] {
                point.resize(point.len() + n - coordinate.len(), 0);
                point.extend_from_slice(&coordinate);
            }
            Key::from_point(curve, &point)
        }
    }
}

/// The key of the first certificate in `x5c`, which is in ordinary Base64.
fn certificate_key(members: &Map<String, Value>) -> Result<Key, KeyProblem> {
    let text = members.get("x5c").and_then(|it| it.get(0)).and_then(Value::as_str);
    let text = text.ok_or(KeyProblem::Invalid("JWK"))?;
    let der = STANDARD.decode(text).map_err(|_| KeyProblem::NotBase64)?;
    Key::from_certificate(&der)
}

trait FilterType {
    fn filter_type(self, is_right: impl Fn(KeyType) -> bool) -> Result<Key, KeyProblem>;
}

impl FilterType for Result<Key, KeyProblem> {
    fn filter_type(self, is_right: impl Fn(KeyType) -> bool) -> Result<Key, KeyProblem> {
        self.and_then(
            |key| {
                if is_right(key.key_type()) { Ok(key) } else { Err(KeyProblem::Certificate) }
            },
        )
    }
}

fn text_of<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    value.as_str().and_then(base64url::decode_member)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_support::{TestKey, rsa};

    fn parse(keys: Value) -> Result<KeySet, KeySetProblem> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    /// The reason why the only key of a set is left out; a good one stands beside it.
    fn skipped(key: Value) -> Option<KeyProblem> {
        let good = TestKey::for_algorithm(Algorithm::Es256).jwk("good");
        parse(json!([key, good])).unwrap().skipped.pop().map(|it| it.1)
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    fn without(mut jwk: Value, name: &str) -> Value {
        jwk.as_object_mut().unwrap().remove(name);
        jwk
    }

    #[test]
    fn entra_keys_have_no_algorithm_and_are_usable() {
        let jwk = json!({ "kty": "RSA", "use": "sig", "kid": "k1", "x5t": "k1",
            "n": rsa().components_text().0, "e": "AQAB", "x5c": ["ignored"],
            "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0" });

        let set = parse(json!([jwk])).unwrap();

        let key = &set.keys[0];
        assert_eq!(key.id(), Some("k1"));
        assert_eq!(key.issuer(), Some("https://login.microsoftonline.com/{tenantid}/v2.0"));
        assert!(key.allows(Algorithm::Rs256) && key.allows(Algorithm::Ps512));
        assert!(!key.allows(Algorithm::Hs256) && !key.allows(Algorithm::Es256));
    }

    #[test]
    fn every_public_key_type_is_read() {
        for algorithm in Algorithm::ALL.into_iter().filter(|it| it.key_type() != KeyType::Secret) {
            let signer = TestKey::for_algorithm(algorithm);
            let jwk = with(signer.jwk("k"), "alg", json!(algorithm.name()));

            let set = parse(json!([jwk])).unwrap();

            let signature = signer.sign(algorithm, b"x");
            assert!(set.keys[0].verify(algorithm, b"x", &signature), "{algorithm:?}");
        }
    }

    #[test]
    fn keys_that_do_not_check_signatures_are_left_out() {
        let jwk = || rsa().jwk("k");
        for (name, value) in [
            ("use", json!("enc")),
            ("use", json!(1)),
            ("key_ops", json!(["encrypt", "wrapKey"])),
            ("key_ops", json!("verify")),
        ] {
            assert_eq!(skipped(with(jwk(), name, value)), Some(KeyProblem::NotForSignatures));
        }
        assert_eq!(skipped(with(jwk(), "key_ops", json!(["verify"]))), None);
        assert_eq!(skipped(with(jwk(), "use", Value::Null)), None);
    }

    #[test]
    fn keys_of_a_wrong_or_unknown_kind_are_left_out() {
        let unsupported = |it: &str| Some(KeyProblem::Unsupported(it.to_owned()));
        let jwk = || rsa().jwk("k");
        let curve = || TestKey::for_algorithm(Algorithm::Es256).jwk("k");

        assert_eq!(skipped(json!({ "kty": "oct", "k": "AAAA" })), unsupported("oct"));
        assert_eq!(
            skipped(json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" })),
            unsupported("OKP")
        );
        assert_eq!(skipped(json!({})), unsupported(""));
        assert_eq!(skipped(with(jwk(), "kty", json!("rsa"))), unsupported("rsa"));
        assert_eq!(skipped(with(jwk(), "alg", json!("HS256"))), unsupported("HS256"));
        assert_eq!(skipped(with(jwk(), "alg", json!("ES256"))), unsupported("ES256"));
        assert_eq!(skipped(with(jwk(), "alg", json!("RSA-OAEP"))), unsupported("RSA-OAEP"));
        assert_eq!(skipped(with(jwk(), "alg", json!(7))), unsupported("alg"));
        assert_eq!(skipped(with(curve(), "crv", json!("secp256k1"))), unsupported("EC secp256k1"));
        assert_eq!(skipped(with(curve(), "crv", json!("P-384"))), Some(KeyProblem::Invalid("EC")));
        assert_eq!(skipped(with(jwk(), "n", json!("!"))), Some(KeyProblem::NotBase64));
        assert_eq!(skipped(with(jwk(), "n", json!("AQAB"))), Some(KeyProblem::RsaLength(17)));
        assert_eq!(skipped(without(jwk(), "n")), Some(KeyProblem::Invalid("JWK")));
        let huge = "A".repeat(MAX_MEMBER_BYTES + 1);
        assert_eq!(skipped(with(jwk(), "n", json!(huge))), Some(KeyProblem::Invalid("JWK")));
    }

    #[test]
    fn a_certificate_is_read_only_if_the_numbers_are_missing() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&pair).unwrap();
        let x5c = json!([STANDARD.encode(certificate.der())]);

        let curve = json!({ "kty": "EC", "crv": "P-256", "x5c": x5c });
        assert_eq!(skipped(curve), None);
        let other_type = json!({ "kty": "RSA", "x5c": x5c });
        assert_eq!(skipped(other_type), Some(KeyProblem::Certificate));
        assert_eq!(skipped(with(rsa().jwk("k"), "x5c", json!(["nonsense"]))), None);
    }

    #[test]
    fn a_doubtful_set_is_refused_as_a_whole() {
        for text in
            ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#]
        {
            assert_eq!(
                KeySet::parse(text.as_bytes()).err(),
                Some(KeySetProblem::Malformed),
                "{text}"
            );
        }
        assert_eq!(parse(json!([])).err(), Some(KeySetProblem::NoUsableKey));
        assert_eq!(parse(json!([{ "kty": "oct" }])).err(), Some(KeySetProblem::NoUsableKey));
        let many = vec![json!({ "kty": "oct" }); MAX_KEYS + 1];
        assert_eq!(parse(json!(many)).err(), Some(KeySetProblem::TooManyKeys(101)));
        assert_eq!(
            KeySet::parse(br#"{"keys":[{"kty":"RSA","kty":"EC"}]}"#).err(),
            Some(KeySetProblem::Malformed)
        );
    }
}
