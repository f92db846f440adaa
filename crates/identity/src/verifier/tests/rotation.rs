//! Providers that come, go, and change their keys.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::discovery::ProviderSettings;
use crate::test_support::settle;

const MINUTE: Duration = Duration::from_secs(60);

fn long_lived() -> Value {
    with(v1_claims(), "exp", json!(NOW + 1_000_000))
}

fn rotated() -> String {
    other_key().token(&with(header(), "kid", json!("k2")), &long_lived())
}

/// Time passes minute by minute, so that every sleeper wakes when it should.
async fn pass(world: &World, minutes: u32) {
    for _ in 0..minutes {
        world.clock.advance(MINUTE);
        settle().await;
    }
}

#[tokio::test]
async fn keys_are_fetched_before_the_first_request() {
    let world = World::new();
    let verifier = guide_jwt(&world);
    settle().await;

    assert_eq!(world.n_fetches(), 1);
    assert!(verifier.providers()[0].current().is_some());
}

#[tokio::test]
async fn nothing_is_fetched_ahead_if_that_is_switched_off() {
    let settings = ProviderSettings { in_background: false, ..Default::default() };
    let world = World::with_settings(settings);
    let verifier = guide_jwt(&world);
    settle().await;
    assert_eq!(world.n_fetches(), 0);

    assert_eq!(outcome(&verifier, &signed(&v1_claims())).await, "pass");
    assert_eq!(world.n_fetches(), 1);
}

#[tokio::test]
async fn a_hundred_first_requests_cause_one_fetch() {
    for in_background in [true, false] {
        let world = World::with_settings(ProviderSettings { in_background, ..Default::default() });
        let verifier = Arc::new(guide_jwt(&world));
        let token: Arc<str> = signed(&v1_claims()).into();
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let (verifier, token) = (Arc::clone(&verifier), Arc::clone(&token));
                tokio::spawn(async move { outcome(&verifier, &token).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), "pass");
        }
        assert_eq!(world.n_fetches(), 1);
        assert_eq!(world.client.requests().len(), 2);
    }
}

#[tokio::test]
async fn two_policies_share_the_provider_of_one_address() {
    let world = World::new();
    for verifier in [guide_jwt(&world), guide_entra(&world)] {
        assert_eq!(outcome(&verifier, &signed(&v1_claims())).await, "pass");
    }
    assert_eq!(world.n_fetches(), 1);
}

#[tokio::test]
async fn keys_are_refreshed_before_they_are_an_hour_old() {
    let world = World::new();
    let _verifier = guide_jwt(&world);
    settle().await;
    pass(&world, 54).await;
    assert_eq!(world.n_fetches(), 1);
    pass(&world, 1).await;
    assert_eq!(world.n_fetches(), 2);
    pass(&world, 55).await;
    assert_eq!(world.n_fetches(), 3);
}

#[tokio::test]
async fn without_background_work_an_old_document_is_refreshed_when_it_is_used() {
    let world =
        World::with_settings(ProviderSettings { in_background: false, ..Default::default() });
    let verifier = guide_jwt(&world);
    assert_eq!(outcome(&verifier, &signed(&long_lived())).await, "pass");
    pass(&world, 59).await;
    assert_eq!(outcome(&verifier, &signed(&long_lived())).await, "pass");
    settle().await;
    assert_eq!(world.n_fetches(), 1);

    pass(&world, 1).await;
    assert_eq!(outcome(&verifier, &signed(&long_lived())).await, "pass");
    settle().await;
    assert_eq!(world.n_fetches(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_at_once_but_a_flood_of_invented_ones_stays_cheap() {
    let world = World::new();
    let verifier = guide_jwt(&world);
    assert_eq!(outcome(&verifier, &signed(&v1_claims())).await, "pass");

    world.change(|it| it.keys.push(other_key().jwk("k2")));
    assert_eq!(outcome(&verifier, &rotated()).await, "pass");
    assert_eq!(world.n_fetches(), 2);

    for n in 0..1000 {
        let token = other_key().token(&with(header(), "kid", json!(format!("x{n}"))), &v1_claims());
        if n % 100 == 0 {
            assert_eq!(outcome(&verifier, &token).await, "KeyNotFound");
        }
    }
    assert_eq!(world.n_fetches(), 2);
    let checked = verifier.n_signatures_checked();
    assert_eq!(checked, 2);

    world.change(|it| it.keys = vec![other_key().jwk("k3")]);
    let third = other_key().token(&with(header(), "kid", json!("k3")), &long_lived());
    assert_eq!(outcome(&verifier, &third).await, "KeyNotFound");
    pass(&world, 5).await;
    assert_eq!(outcome(&verifier, &third).await, "pass");
    assert_eq!(world.n_fetches(), 3);
}

#[tokio::test]
async fn cached_keys_are_good_while_the_provider_is_down() {
    let world = World::new();
    let verifier = guide_jwt(&world);
    let token = signed(&long_lived());
    assert_eq!(outcome(&verifier, &token).await, "pass");

    world.change(|it| it.is_down = true);
    pass(&world, 180).await;

    assert_eq!(outcome(&verifier, &token).await, "pass");
    let fresh = signed(&with(long_lived(), "jti", json!("new")));
    assert_eq!(outcome(&verifier, &fresh).await, "pass");
    assert!(verifier.providers()[0].problem().is_some());
    let attempts = world.client.requests().len();
    assert!(attempts < 2 + 140, "{attempts}");
}

#[tokio::test]
async fn keys_that_could_not_be_refreshed_for_a_day_are_no_longer_trusted() {
    let settings = ProviderSettings { in_background: false, ..Default::default() };
    let world = World::with_settings(settings);
    let verifier = guide_jwt(&world);
    let token = signed(&long_lived());
    assert_eq!(outcome(&verifier, &token).await, "pass");

    world.change(|it| it.is_down = true);
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(outcome(&verifier, &token).await, "pass");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(outcome(&verifier, &token).await, "KeysUnavailable");
}

#[tokio::test]
async fn a_gateway_starts_without_its_provider_and_recovers() {
    let world = World::new();
    world.change(|it| it.is_down = true);
    let verifier = guide_jwt(&world);
    let token = signed(&long_lived());
    for _ in 0..50 {
        assert_eq!(outcome(&verifier, &token).await, "KeysUnavailable");
    }
    assert_eq!(world.client.requests().len(), 1);

    world.change(|it| it.is_down = false);
    world.clock.advance(Duration::from_secs(1));
    settle().await;

    assert_eq!(outcome(&verifier, &token).await, "pass");
    assert_eq!(verifier.providers()[0].problem(), None);
}

#[tokio::test]
async fn a_bad_key_set_does_not_replace_a_good_one() {
    let world = World::new();
    let verifier = guide_jwt(&world);
    assert_eq!(outcome(&verifier, &signed(&long_lived())).await, "pass");
    settle().await;

    world.change(|it| it.keys = vec![json!({ "kty": "oct", "kid": "k1" })]);
    pass(&world, 61).await;

    assert_eq!(outcome(&verifier, &signed(&long_lived())).await, "pass");
    assert!(verifier.providers()[0].problem().is_some());
}

#[tokio::test]
async fn a_policy_with_inline_keys_works_while_its_provider_is_down() {
    let world = World::new();
    world.change(|it| it.is_down = true);
    let url = "https://idp.test/.well-known/openid-configuration";
    let rules = Rules { issuers: Some(vec!["i".to_owned()]), ..Rules::default() };
    let settings = VerifierSettings {
        providers: vec![world.providers.provider(url).unwrap()],
        keys: vec![rsa().public().with_id(Some("inline".to_owned()))],
        rules,
        ..Default::default()
    };
    let verifier = Verifier::new(&world.providers, settings);
    let token = |kid: &str| {
        rsa().token(&with(header(), "kid", json!(kid)), &with(v1_claims(), "iss", json!("i")))
    };

    assert_eq!(outcome(&verifier, &token("inline")).await, "pass");
    // A name that nobody knows: every key that the policy lists is tried.
    assert_eq!(outcome(&verifier, &token("other")).await, "pass");
}

#[tokio::test]
async fn the_fetch_goes_on_when_the_request_that_started_it_ends() {
    let settings = ProviderSettings { in_background: false, ..Default::default() };
    let world = World::with_settings(settings);
    let verifier = guide_jwt(&world);
    let token = signed(&v1_claims());
    let mut first = Box::pin(verifier.verify(&token));
    let waker = std::task::Waker::noop();
    assert!(first.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());

    drop(first);
    settle().await;

    assert!(verifier.providers()[0].current().is_some());
    assert_eq!(world.n_fetches(), 1);
}
