//! The classic attacks on token checks.

use serde_json::{Value, json};

use super::*;
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::jwt::MAX_TOKEN_BYTES;
use crate::test_support::{hmac_signature, unsigned};

async fn refused(token: &str) -> String {
    let world = World::new();
    let outcome = outcome(&guide_jwt(&world), token).await;
    assert_ne!(outcome, "pass", "{token}");
    // Whatever the token says, nothing but the provider's two documents is fetched.
    for request in world.client.requests() {
        let is_known =
            ["login.microsoftonline.com", "idp.test"].contains(&request.uri.host().unwrap());
        assert!(is_known, "{}", request.uri);
    }
    outcome
}

#[tokio::test]
async fn no_spelling_of_none_is_accepted() {
    for name in
        ["none", "None", "NONE", "nOnE", "none ", " none", "n\u{f6}ne", "no\u{200b}ne", "null"]
    {
        for signature in ["", "AA"] {
            let text = unsigned(&json!({ "alg": name, "kid": "k1" }), &v1_claims());
            refused(&format!("{text}.{signature}")).await;
        }
    }
    let (head, rest) =
        signed(&v1_claims()).split_once('.').map(|it| (it.0.to_owned(), it.1.to_owned())).unwrap();
    let payload = rest.split_once('.').unwrap().0;
    refused(&format!("{head}.{payload}.")).await;
    refused(&format!("{head}.{payload}")).await;
}

#[tokio::test]
async fn a_public_key_is_never_a_secret() {
    let (n, e) = rsa().components_text();
    let der = rsa().public_der();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der)
    );
    let jwk = rsa().jwk("k1").to_string();
    let modulus = base64url::decode(&n).unwrap();
    let secrets: [&[u8]; 7] =
        [&der, pem.as_bytes(), jwk.as_bytes(), n.as_bytes(), &modulus, e.as_bytes(), b""];
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        for secret in secrets {
            for kid in [json!("k1"), Value::Null] {
                let header = json!({ "alg": algorithm.name(), "kid": kid });
                let text = unsigned(&header, &v1_claims());
                let signature = hmac_signature(algorithm, secret, text.as_bytes());
                refused(&format!("{text}.{}", base64url::encode(&signature))).await;
            }
        }
    }
}

#[tokio::test]
async fn a_key_id_is_only_compared() {
    for kid in [
        "../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "https://evil.test/key",
        "k1' OR '1'='1",
        "k1\u{0}",
        "K1",
        "k1 ",
        "",
        "| id",
    ] {
        let token = other_key().token(&with(header(), "kid", json!(kid)), &v1_claims());
        assert_eq!(refused(&token).await, "KeyNotFound", "{kid:?}");
        let empty = unsigned(&json!({ "alg": "HS256", "kid": kid }), &v1_claims());
        let signature = hmac_signature(Algorithm::Hs256, b"", empty.as_bytes());
        refused(&format!("{empty}.{}", base64url::encode(&signature))).await;
    }
    for kid in [json!(1), json!(["k1"]), json!({ "k": 1 })] {
        let token = rsa().token(&with(header(), "kid", kid), &v1_claims());
        assert_eq!(refused(&token).await, "Malformed");
    }
}

#[tokio::test]
async fn keys_and_addresses_inside_a_token_are_ignored() {
    let own = other_key().jwk("k1");
    for (name, value) in [
        ("jwk", own.clone()),
        ("jku", json!("https://evil.test/keys")),
        ("x5u", json!("https://evil.test/cert")),
        ("x5c", json!(["AAAA"])),
        ("x5t", json!("k1")),
        ("iss", json!("https://evil.test")),
    ] {
        let forged = other_key().token(&with(header(), name, value.clone()), &v1_claims());
        assert_eq!(refused(&forged).await, "SignatureInvalid", "{name}");
        let honest = rsa().token(&with(header(), name, value), &v1_claims());
        let world = World::new();
        assert_eq!(outcome(&guide_jwt(&world), &honest).await, "pass", "{name}");
    }
}

#[tokio::test]
async fn the_name_of_a_key_of_another_type_does_not_help() {
    let world = World::new();
    let curve = TestKey::for_algorithm(Algorithm::Es256);
    world.change(|it| it.keys.push(curve.jwk("ec")));
    world.change(|it| it.keys.push(with(other_key().jwk("enc"), "use", json!("enc"))));
    let verifier = guide_jwt(&world);
    let token = |key: &TestKey, algorithm: &str, kid: &str| {
        key.token(&json!({ "alg": algorithm, "kid": kid }), &v1_claims())
    };

    assert_eq!(outcome(&verifier, &token(curve, "ES256", "ec")).await, "pass");
    assert_eq!(outcome(&verifier, &token(rsa(), "RS256", "ec")).await, "SignatureInvalid");
    assert_eq!(outcome(&verifier, &token(curve, "ES256", "k1")).await, "SignatureInvalid");
    // A key for encryption checks nothing, whether it is named or not.
    assert_eq!(outcome(&verifier, &token(other_key(), "RS256", "enc")).await, "KeyNotFound");
    let nameless = other_key().token(&json!({ "alg": "RS256" }), &v1_claims());
    assert_eq!(outcome(&verifier, &nameless).await, "SignatureInvalid");
    // A token of a known key under the name of another one.
    world.change(|it| it.keys.push(other_key().jwk("k2")));
    let fresh = World::new();
    fresh.change(|it| it.keys.push(other_key().jwk("k2")));
    let swapped = token(rsa(), "RS256", "k2");
    assert_eq!(outcome(&guide_jwt(&fresh), &swapped).await, "SignatureInvalid");
}

#[tokio::test]
async fn doubtful_json_is_refused_even_with_a_good_signature() {
    let sign = |header: &str, claims: &str| {
        let text = [header, claims].map(|it| base64url::encode(it.as_bytes())).join(".");
        let signature = rsa().sign(Algorithm::Rs256, text.as_bytes());
        format!("{text}.{}", base64url::encode(&signature))
    };
    let good = v1_claims().to_string();
    let twice = good.replacen('{', r#"{"aud":"x","#, 1);
    let escaped = good.replacen('{', r#"{"\u0061ud":"x","#, 1);
    let head = r#"{"alg":"RS256","kid":"k1"}"#;
    for (header, claims) in [
        (head, twice.as_str()),
        (head, &escaped),
        (r#"{"alg":"none","alg":"RS256","kid":"k1"}"#, &good),
        (r#"{"alg":"RS256","kid":"k1","kid":"k1"}"#, &good),
        (r#"{"alg":"RS256","kid":"k1","crit":["exp"]}"#, &good),
        (r#"{"alg":"RS256","kid":"k1","crit":[]}"#, &good),
        (r#"{"alg":"RS256","kid":"k1","b64":false,"crit":["b64"]}"#, &good),
        (r#"{"alg":"RS256","kid":"k1","b64":false}"#, &good),
        (r#"{"alg":["RS256"],"kid":"k1"}"#, &good),
        (head, &format!("{good} x")),
        (head, "[]"),
        (head, "\"text\""),
        (head, ""),
    ] {
        assert_eq!(refused(&sign(header, claims)).await, "Malformed", "{header} {claims}");
    }
    let world = World::new();
    assert_eq!(outcome(&guide_jwt(&world), &sign(head, &good)).await, "pass");
}

#[tokio::test]
async fn other_spellings_of_the_same_bytes_are_refused() {
    let token = signed(&v1_claims());
    let (text, signature) = token.rsplit_once('.').unwrap();
    // The last character of 256 bytes carries four bits that must be zero.
    let last = signature.chars().last().unwrap();
    let sibling = char::from(last as u8 + 1);
    let stray = format!("{text}.{}{sibling}", &signature[..signature.len() - 1]);
    for other in [
        stray,
        format!("{token}="),
        format!("{token}=="),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}."),
        token.replacen('.', "=.", 1),
        token.replacen('.', "..", 1),
        format!("{text}.{}", signature.replacen(signature.chars().next().unwrap(), "%41", 1)),
        format!("{text}.AA{signature}"),
        format!("{text}.{}", &signature[4..]),
        text.to_owned(),
        String::new(),
        "Bearer x".to_owned(),
    ] {
        refused(&other).await;
    }
}

#[tokio::test]
async fn signatures_of_curves_have_exactly_one_length() {
    let world = World::new();
    let curve = TestKey::for_algorithm(Algorithm::Es256);
    let verifier = with_keys(&world, vec![curve.public()]);
    let text = unsigned(&json!({ "alg": "ES256" }), &v1_claims());
    let signature = curve.sign(Algorithm::Es256, text.as_bytes());
    let token = |signature: &[u8]| format!("{text}.{}", base64url::encode(signature));
    let (r, s) = signature.split_at(32);
    let der: Vec<u8> = [&[0x30, 68, 2, 32], r, &[2, 32], s].concat();
    let wide: Vec<u8> = [&[0], r, &[0], s].concat();

    assert_eq!(outcome(&verifier, &token(&signature)).await, "pass");
    for wrong in [der, wide, signature[..63].to_vec(), vec![0; 64], [&signature[..], &[0]].concat()]
    {
        assert_eq!(outcome(&verifier, &token(&wrong)).await, "SignatureInvalid");
    }
}

#[tokio::test]
async fn oversized_tokens_are_refused_unread() {
    let claims = with(v1_claims(), "pad", json!("x".repeat(MAX_TOKEN_BYTES)));
    assert_eq!(refused(&signed(&claims)).await, "TooLong");
    let dots = ".".repeat(MAX_TOKEN_BYTES);
    assert_eq!(refused(&dots).await, "Malformed");
}

#[tokio::test]
async fn a_token_for_microsoft_graph_gets_a_hint() {
    let token = other_key().token(&with(header(), "nonce", json!("x")), &v1_claims());
    assert_eq!(refused(&token).await, "SignatureOfNonceToken");
}
