//! The memory of checked tokens.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::test_support::settle;

#[tokio::test]
async fn a_signature_is_computed_once_per_token() {
    let world = World::new();
    let verifier = guide_entra(&world);
    let token = signed(&v1_claims());

    for _ in 0..100 {
        assert_eq!(outcome(&verifier, &token).await, "pass");
    }

    assert_eq!(verifier.n_signatures_checked(), 1);
}

#[tokio::test]
async fn claims_are_judged_on_every_use() {
    let world = World::new();
    let verifier = guide_entra(&world);
    let claims = with(v1_claims(), "nbf", json!(NOW + 10));
    let claims = with(claims, "exp", json!(NOW + 20));
    let token = signed(&claims);

    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(outcome(&verifier, &token).await);
        world.clock.advance(Duration::from_secs(10));
    }

    assert_eq!(outcomes, ["NotYetValid", "pass", "Expired"]);
    assert_eq!(verifier.n_signatures_checked(), 1);
}

#[tokio::test]
async fn rules_of_one_request_do_not_leak_into_another() {
    let world = World::new();
    let verifier = guide_jwt(&world);
    let token = signed(&v1_claims());
    let providers = shared(verifier.providers());
    let strict = Rules { audiences: Some(vec!["x".to_owned()]), ..verifier.rules().clone() };

    assert!(verifier.verify(&token).await.is_ok());
    assert!(matches!(
        verifier.verify_with(&token, &providers, &strict).await,
        Err(TokenError::AudienceNotAllowed(_))
    ));
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn one_policy_does_not_profit_from_what_another_checked() {
    let world = World::new();
    let knows = with_keys(&world, vec![rsa().public()]);
    let does_not = with_keys(&world, vec![other_key().public()]);
    let token = signed(&v1_claims());

    assert_eq!(outcome(&knows, &token).await, "pass");
    assert_eq!(outcome(&does_not, &token).await, "KeyNotFound");
}

#[tokio::test]
async fn a_token_of_a_withdrawn_key_is_forgotten() {
    let world = World::new();
    let verifier = guide_entra(&world);
    let token = signed(&with(v1_claims(), "exp", json!(NOW + 100_000)));
    assert_eq!(outcome(&verifier, &token).await, "pass");
    settle().await;

    world.change(|it| it.keys = vec![other_key().jwk("k2")]);
    world.clock.advance(Duration::from_secs(56 * 60));
    settle().await;

    assert_eq!(world.n_fetches(), 2);
    assert_eq!(outcome(&verifier, &token).await, "KeyNotFound");
}

#[tokio::test]
async fn an_unchanged_key_set_keeps_what_was_checked() {
    let world = World::new();
    let verifier = guide_entra(&world);
    let token = signed(&with(v1_claims(), "exp", json!(NOW + 100_000)));
    assert_eq!(outcome(&verifier, &token).await, "pass");
    settle().await;

    world.clock.advance(Duration::from_secs(56 * 60));
    settle().await;

    assert_eq!(world.n_fetches(), 2);
    assert_eq!(outcome(&verifier, &token).await, "pass");
    assert_eq!(verifier.n_signatures_checked(), 1);
}
