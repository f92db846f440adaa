//! The verifier as a whole, against a pretended provider.

mod acceptance;
mod attacks;
mod memory;
mod rotation;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::test_support::{NOW, TENANT, TestKey, World, rsa};

pub(super) const RESOURCE: &str = "https://cognitiveservices.azure.com";
pub(super) const CLIENT: &str = "aaaaaaaa-0000-0000-0000-000000000001";

/// A token of version 1.0 for the resource, from the tenant, signed with `k1`.
pub(super) fn v1_claims() -> Value {
    json!({ "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": RESOURCE, "ver": "1.0",
        "tid": TENANT, "appid": CLIENT, "exp": NOW + 3600, "nbf": NOW - 60, "iat": NOW - 60 })
}

pub(super) fn header() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" })
}

pub(super) fn signed(claims: &Value) -> String {
    rsa().token(&header(), claims)
}

/// Claims with one of them changed; `null` takes it away.
pub(super) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn aud_required() -> Vec<RequiredClaim> {
    vec![RequiredClaim {
        name: "aud".to_owned(),
        matching: Matching::All,
        separator: None,
        values: vec![RESOURCE.to_owned()],
    }]
}

/// The guide's `validate-jwt` (snippet S3).
pub(super) fn guide_jwt(world: &World) -> Verifier {
    let url =
        format!("https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration");
    let rules = Rules {
        issuers: Some(vec![format!("https://sts.windows.net/{TENANT}/")]),
        required_claims: aud_required(),
        ..Rules::default()
    };
    let providers = vec![world.providers.provider(&url).unwrap()];
    Verifier::new(&world.providers, VerifierSettings { providers, rules, ..Default::default() })
}

/// The guide's `validate-azure-ad-token` (snippet S4).
pub(super) fn guide_entra(world: &World) -> Verifier {
    let tenant = EntraTenant::parse(TENANT, None).unwrap();
    let providers = vec![world.providers.provider(&tenant.metadata_url()).unwrap()];
    let rules = Rules {
        tenant: Some(tenant),
        client_applications: Some(vec![CLIENT.to_owned()]),
        required_claims: aud_required(),
        ..Rules::default()
    };
    Verifier::new(&world.providers, VerifierSettings { providers, rules, ..Default::default() })
}

/// A verifier with nothing but these keys.
pub(super) fn with_keys(world: &World, keys: Vec<Key>) -> Verifier {
    Verifier::new(&world.providers, VerifierSettings { keys, ..Default::default() })
}

/// What became of a token: `pass`, or the name of the error.
pub(super) async fn outcome(verifier: &Verifier, token: &str) -> String {
    match verifier.verify(token).await {
        Ok(_) => "pass".to_owned(),
        Err(error) => {
            let text = format!("{error:?}");
            text.split(['(', ' ']).next().unwrap_or("").to_owned()
        }
    }
}

pub(super) fn other_key() -> &'static TestKey {
    crate::test_support::other_rsa()
}

pub(super) fn shared(providers: &[Arc<Provider>]) -> Vec<Arc<Provider>> {
    providers.to_vec()
}
