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
async fn a_token_is_recalled_only_while_it_would_be_accepted_again() {
    let world = World::new();
    let (verifier, other) = (guide_entra(&world), guide_jwt(&world));
    let claims = with(v1_claims(), "nbf", json!(NOW + 10));
    let token = signed(&with(claims, "exp", json!(NOW + 20)));
    let recalls = |text: &str| verifier.recall(text.as_bytes()).is_some();

    assert!(!recalls(&token));
    assert_eq!(outcome(&verifier, &token).await, "NotYetValid");
    assert!(!recalls(&token));

    world.clock.advance(Duration::from_secs(10));
    assert!(!recalls(&token));
    assert_eq!(outcome(&verifier, &token).await, "pass");
    assert!(recalls(&token));
    assert!(!recalls(&format!("{token} ")) && !recalls(&token[1..]));
    assert!(other.recall(token.as_bytes()).is_none());

    world.clock.advance(Duration::from_secs(10));
    assert!(!recalls(&token));
    assert_eq!(outcome(&verifier, &token).await, "Expired");
}

#[tokio::test]
async fn a_token_that_breaks_the_rules_is_never_recalled() {
    let world = World::new();
    let verifier = guide_entra(&world);
    let providers = shared(verifier.providers());
    let token = signed(&with(v1_claims(), "appid", json!("someone-else")));

    assert_eq!(outcome(&verifier, &token).await, "ClaimValueNotAllowed");
    // Rules of one request let it pass; those of the policy still do not.
    let lenient = Rules { client_applications: None, ..verifier.rules().clone() };
    assert!(verifier.verify_with(&token, &providers, &lenient).await.is_ok());
    assert!(verifier.recall(token.as_bytes()).is_none());
}

#[tokio::test]
async fn a_clock_skew_widens_what_is_recalled() {
    let world = World::new();
    let rules = Rules { clock_skew: Duration::from_secs(5), ..Rules::default() };
    let keys = vec![rsa().public()];
    let settings = VerifierSettings { keys, rules, ..Default::default() };
    let verifier = Verifier::new(&world.providers, settings);
    let claims = with(v1_claims(), "nbf", json!(NOW + 5));
    let token = signed(&with(claims, "exp", json!(NOW + 20)));

    let mut recalled = Vec::new();
    for advance in [0, 24, 1] {
        world.clock.advance(Duration::from_secs(advance));
        let passes = verifier.verify(&token).await.is_ok();
        assert_eq!(verifier.recall(token.as_bytes()).is_some(), passes);
        recalled.push(passes);
    }
    assert_eq!(recalled, [true, true, false]);
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
    assert!(verifier.recall(token.as_bytes()).is_some());
    settle().await;

    world.change(|it| it.keys = vec![other_key().jwk("k2")]);
    world.clock.advance(Duration::from_secs(56 * 60));
    settle().await;

    assert_eq!(world.n_fetches(), 2);
    assert!(verifier.recall(token.as_bytes()).is_none());
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
