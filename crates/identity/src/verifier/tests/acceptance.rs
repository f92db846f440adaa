//! The acceptance table of the guide's snippets, and what belongs to it.

use serde_json::{Value, json};

use super::*;
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::test_support::{OTHER_TENANT, hmac_signature, settle, unsigned};

async fn both(token: &str) -> [String; 2] {
    let world = World::new();
    let (jwt, entra) = (guide_jwt(&world), guide_entra(&world));
    [outcome(&jwt, token).await, outcome(&entra, token).await]
}

#[tokio::test]
async fn the_guides_table_holds() {
    let v2 = json!({ "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "aud": RESOURCE, "ver": "2.0", "tid": TENANT, "azp": CLIENT, "exp": NOW + 3600 });
    let other_issuer = format!("https://sts.windows.net/{OTHER_TENANT}/");
    let other_client = json!("bbbbbbbb-0000-0000-0000-000000000002");
    let null = Value::Null;
    for (claims, jwt, entra) in [
        (v1_claims(), "pass", "pass"),
        (with(v1_claims(), "aud", json!([RESOURCE])), "pass", "pass"),
        (
            with(v1_claims(), "aud", json!(format!("{RESOURCE}/"))),
            "ClaimValueNotAllowed",
            "ClaimValueNotAllowed",
        ),
        (
            with(v1_claims(), "aud", json!("https://other.test")),
            "ClaimValueNotAllowed",
            "ClaimValueNotAllowed",
        ),
        (with(v1_claims(), "aud", null.clone()), "ClaimsMissing", "ClaimsMissing"),
        (with(v1_claims(), "appid", other_client.clone()), "pass", "ClaimValueNotAllowed"),
        (with(v1_claims(), "appid", null.clone()), "pass", "ClaimsMissing"),
        (v2.clone(), "pass", "pass"),
        (with(v2, "azp", other_client), "pass", "ClaimValueNotAllowed"),
        (with(v1_claims(), "iss", json!(other_issuer)), "IssuerNotAllowed", "IssuerNotAllowed"),
        (with(v1_claims(), "iss", null.clone()), "IssuerNotAllowed", "IssuerNotAllowed"),
        (with(v1_claims(), "exp", json!(NOW - 1)), "Expired", "Expired"),
        (with(v1_claims(), "exp", json!(NOW)), "Expired", "Expired"),
        (with(v1_claims(), "exp", json!(NOW + 1)), "pass", "pass"),
        (with(v1_claims(), "exp", null), "ExpirationMissing", "ExpirationMissing"),
        (with(v1_claims(), "nbf", json!(NOW + 1)), "NotYetValid", "NotYetValid"),
    ] {
        assert_eq!(both(&signed(&claims)).await, [jwt, entra], "{claims}");
    }
}

#[tokio::test]
async fn the_guides_table_holds_for_signatures() {
    let unknown = other_key().token(&with(header(), "kid", json!("k9")), &v1_claims());
    assert_eq!(both(&unknown).await, ["KeyNotFound"; 2]);

    let good = signed(&v1_claims());
    let (head, rest) = good.split_once('.').unwrap();
    let signature = rest.split_once('.').unwrap().1;
    let payload = base64url::encode(with(v1_claims(), "appid", json!("x")).to_string().as_bytes());
    assert_eq!(both(&format!("{head}.{payload}.{signature}")).await, ["SignatureInvalid"; 2]);

    let none = unsigned(&json!({ "alg": "none" }), &v1_claims());
    assert_eq!(both(&format!("{none}.")).await, ["NotSigned"; 2]);

    let text = unsigned(&with(header(), "alg", json!("HS256")), &v1_claims());
    let public = rsa().public_der();
    let signature = hmac_signature(Algorithm::Hs256, &public, text.as_bytes());
    let forged = format!("{text}.{}", base64url::encode(&signature));
    assert_eq!(both(&forged).await, ["KeyNotFound"; 2]);
}

#[tokio::test]
async fn a_token_is_good_until_the_second_it_expires() {
    let world = World::new();
    let verifier = guide_entra(&world);
    let token = signed(&with(v1_claims(), "exp", json!(NOW + 10)));

    assert_eq!(outcome(&verifier, &token).await, "pass");
    world.clock.advance(std::time::Duration::from_secs(9));
    assert_eq!(outcome(&verifier, &token).await, "pass");
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(outcome(&verifier, &token).await, "Expired");
    assert_eq!(verifier.n_signatures_checked(), 1);
}

#[tokio::test]
async fn every_algorithm_is_accepted_with_a_key_of_its_own() {
    let world = World::new();
    let keys = || Algorithm::ALL.map(|it| TestKey::for_algorithm(it).public());
    let verifier = with_keys(&world, keys().into_iter().collect());
    for algorithm in Algorithm::ALL {
        let header = json!({ "alg": algorithm.name() });
        let token = TestKey::for_algorithm(algorithm).token(&header, &json!({ "exp": NOW + 1 }));
        assert_eq!(outcome(&verifier, &token).await, "pass", "{algorithm:?}");
    }
}

#[tokio::test]
async fn an_unsigned_token_passes_only_where_the_policy_allows_it() {
    let world = World::new();
    let rules = Rules { require_signed_tokens: false, ..Rules::default() };
    let settings = VerifierSettings { rules, ..Default::default() };
    let verifier = Verifier::new(&world.providers, settings);
    let claims = json!({ "exp": NOW + 1 });
    let with_algorithm = |name: &str| format!("{}.", unsigned(&json!({ "alg": name }), &claims));

    assert_eq!(outcome(&verifier, &with_algorithm("none")).await, "pass");
    assert_eq!(outcome(&verifier, &format!("{}AA", with_algorithm("none"))).await, "Malformed");
    for name in ["None", "NONE", "nOnE", "none "] {
        assert_eq!(outcome(&verifier, &with_algorithm(name)).await, "AlgorithmNotSupported");
    }
}

#[tokio::test]
async fn a_multi_tenant_policy_takes_any_organization() {
    let world = World::new();
    world.change(|it| it.issuer = "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned());
    world.change(|it| {
        it.keys[0]["issuer"] = json!("https://login.microsoftonline.com/{tenantid}/v2.0")
    });
    let tenant = EntraTenant::parse("organizations", None).unwrap();
    let providers = vec![world.providers.provider(&tenant.metadata_url()).unwrap()];
    let rules = Rules { tenant: Some(tenant), ..Rules::default() };
    let settings = VerifierSettings { providers, rules, ..Default::default() };
    let verifier = Verifier::new(&world.providers, settings);
    let of = |tenant: &str| {
        let issuer = format!("https://sts.windows.net/{tenant}/");
        signed(&with(with(v1_claims(), "iss", json!(issuer)), "tid", json!(tenant)))
    };

    assert_eq!(outcome(&verifier, &of(TENANT)).await, "pass");
    assert_eq!(outcome(&verifier, &of(OTHER_TENANT)).await, "pass");
    let personal = "9188040d-6c67-4c5b-b112-36a304b66dad";
    assert_eq!(outcome(&verifier, &of(personal)).await, "IssuerNotAllowed");
    let mixed = with(v1_claims(), "tid", json!(OTHER_TENANT));
    assert_eq!(outcome(&verifier, &signed(&mixed)).await, "IssuerNotAllowed");
}

#[tokio::test]
async fn a_key_of_one_tenant_does_not_sign_for_another() {
    let world = World::new();
    world.change(|it| {
        it.keys[0]["issuer"] =
            json!(format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"));
    });
    for verifier in [guide_jwt(&world), guide_entra(&world)] {
        assert_eq!(outcome(&verifier, &signed(&v1_claims())).await, "IssuerNotAllowed");
    }
}

#[tokio::test]
async fn an_encrypted_token_is_opened_and_then_checked_like_any_other() {
    use base64::Engine as _;
    let world = World::new();
    let key = base64::engine::general_purpose::STANDARD.encode([7; 32]);
    let settings = || VerifierSettings {
        keys: vec![rsa().public()],
        decryption_keys: vec![DecryptionKey::from_secret_text(&key).unwrap()],
        ..Default::default()
    };
    let verifier = Verifier::new(&world.providers, settings());
    let sealed = |inner: &str| crate::test_support::encrypted(&[7; 32], inner);

    assert_eq!(outcome(&verifier, &sealed(&signed(&v1_claims()))).await, "pass");
    assert_eq!(outcome(&verifier, &sealed(&signed(&v1_claims()))).await, "pass");
    let forged = other_key().token(&header(), &v1_claims());
    assert_eq!(outcome(&verifier, &sealed(&forged)).await, "KeyNotFound");
    let none = format!("{}.", unsigned(&json!({ "alg": "none" }), &v1_claims()));
    assert_eq!(outcome(&verifier, &sealed(&none)).await, "NotSigned");
    assert_eq!(outcome(&verifier, &sealed("{\"sub\":\"me\"}")).await, "Malformed");
    assert_eq!(outcome(&verifier, &sealed(&sealed("x"))).await, "Malformed");
    let without = with_keys(&world, vec![rsa().public()]);
    assert_eq!(outcome(&without, &sealed(&signed(&v1_claims()))).await, "NotDecrypted");
}

#[tokio::test]
async fn what_the_proof_says_is_what_the_token_says() {
    let world = World::new();
    let proof = guide_jwt(&world).verify(&signed(&v1_claims())).await.unwrap();

    assert_eq!(proof.claims().text("appid"), Some(CLIENT));
    assert_eq!(proof.header().algorithm, "RS256");
    settle().await;
}
