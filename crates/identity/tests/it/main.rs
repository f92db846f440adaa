//! Arbitrary bytes against everything that reads what strangers send: never a panic, and never
//! a token that is accepted.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, OnceLock};

use portcullis_identity::{
    DecryptionKey, EntraTenant, Jwt, Key, KeySet, ProviderSettings, Providers, TokenError,
    Verifier, VerifierSettings,
};
use transport::{FakeClient, FakeClock};

/// One verifier for all tests; a static may be used across the harness's unwinding.
fn verifier() -> &'static Verifier {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    VERIFIER.get_or_init(new_verifier)
}

fn new_verifier() -> Verifier {
    let client = Arc::new(FakeClient::unreachable());
    let clock = Arc::new(FakeClock::at_unix(1_700_000_000));
    let providers = Providers::new(client, clock, ProviderSettings::default());
    let settings = VerifierSettings {
        keys: vec![Key::from_secret(b"0123456789abcdef0123456789abcdef").unwrap()],
        decryption_keys: vec![
            DecryptionKey::from_secret_text("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
                .unwrap(),
        ],
        ..VerifierSettings::default()
    };
    Verifier::new(&providers, settings)
}

fn verify(token: &str) -> Result<(), TokenError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(verifier().verify(token)).map(|_| ())
}

#[test]
fn arbitrary_text_is_never_a_token() {
    bolero::check!().with_type::<String>().for_each(|text| {
        assert!(verify(text).is_err());
        let _read = Jwt::parse(text);
    });
}

#[test]
fn arbitrary_segments_are_never_a_token() {
    use base64::Engine as _;
    let encode = |it: &Vec<u8>| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(it);
    bolero::check!().with_type::<Vec<Vec<u8>>>().for_each(|parts| {
        let text = parts.iter().map(encode).collect::<Vec<_>>().join(".");
        assert!(verify(&text).is_err());
    });
}

#[test]
fn arbitrary_claims_under_known_headers_are_never_a_token() {
    use base64::Engine as _;
    let encode = |it: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(it);
    let headers = [
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"RS256","kid":"a"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"dir","enc":"A128CBC-HS256"}"#,
    ];
    bolero::check!().with_type::<(u8, Vec<u8>, Vec<u8>)>().for_each(|(n, claims, signature)| {
        let header = encode(headers[usize::from(*n) % headers.len()].as_bytes());
        let three = format!("{header}.{}.{}", encode(claims), encode(signature));
        assert!(verify(&three).is_err());
        let five =
            format!("{header}..{}.{}.{}", encode(signature), encode(claims), encode(signature));
        assert!(verify(&five).is_err());
    });
}

#[test]
fn arbitrary_key_sets_and_certificates_are_read_without_harm() {
    bolero::check!().with_type::<(Vec<u8>, String)>().for_each(|(bytes, text)| {
        let _set = KeySet::parse(bytes);
        let json = serde_json::json!({ "keys": [
            { "kty": "RSA", "n": text, "e": "AQAB" },
            { "kty": "EC", "crv": "P-256", "x": text, "y": text },
            { "kty": "RSA", "x5c": [text] },
        ] });
        let _set = KeySet::parse(json.to_string().as_bytes());
        let _key = Key::from_certificate(bytes);
        let _key = Key::from_public_key_der(bytes);
        let _key = DecryptionKey::from_private_key(bytes);
        let _tenant = EntraTenant::parse(text, Some(text));
    });
}
