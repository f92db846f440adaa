//! Whatever is called, the folder says what the gateway obeys.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::folder::{Service, store};

const START: &[(&str, &str)] = &[
    (
        "apis/echo/apiInformation.json",
        r#"{"properties":{"displayName":"Echo","path":"echo","serviceUrl":"http://b.test"}}"#,
    ),
    (
        "apis/echo/operations/get/operationInformation.json",
        r#"{"properties":{"displayName":"Get","method":"GET","urlTemplate":"/"}}"#,
    ),
    ("products/listed/productInformation.json", r#"{"properties":{"displayName":"Listed"}}"#),
    ("products/listed/apis.json", "[]"),
];

const SPEC: &str = r#"{"openapi":"3.0.1","info":{"title":"T","version":"1"},"paths":{"/a":{"get":{"operationId":"one","responses":{}},"post":{"operationId":"two","responses":{}}}}}"#;

/// Paths with bodies; some are wrong, and names meet on purpose.
fn calls() -> Vec<(&'static str, Value)> {
    let document = |text: &str| json!({ "properties": { "format": "rawxml", "value": text } });
    let of = |value: Value| json!({ "properties": value });
    let policy = "<policies><inbound><base /><set-header name=\"x\" exists-action=\"override\"><value>@(\"{{n}}\" + (1 < 2))</value></set-header></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>";
    vec![
        ("PUT apis/echo", of(json!({ "displayName": "Echo", "path": "other" }))),
        (
            "PUT apis/orders",
            of(json!({ "path": "orders", "format": "openapi+json", "value": SPEC })),
        ),
        ("PUT apis/orders", of(json!({ "displayName": "O", "path": "orders" }))),
        ("PATCH apis/orders", of(json!({ "description": "d", "serviceUrl": null }))),
        ("DELETE apis/orders", Value::Null),
        ("DELETE apis/echo?deleteRevisions=true", Value::Null),
        ("PUT apis/echo;rev=2", of(json!({ "path": "echo" }))),
        ("PUT apis/echo/releases/r", of(json!({ "apiId": "/apis/echo;rev=2" }))),
        ("PUT apis/echo/releases/s", of(json!({ "apiId": "/apis/echo;rev=1" }))),
        ("DELETE apis/echo;rev=2", Value::Null),
        (
            "PUT apis/orders/operations/three",
            of(json!({ "displayName": "3", "method": "PUT", "urlTemplate": "/a" })),
        ),
        ("PATCH apis/orders/operations/one", of(json!({ "displayName": "One" }))),
        ("DELETE apis/orders/operations/one", Value::Null),
        ("DELETE apis/orders/operations/two", Value::Null),
        ("PUT namedValues/n", of(json!({ "displayName": "n", "value": "v", "secret": true }))),
        ("PUT namedValues/m", of(json!({ "displayName": "n", "value": "same name" }))),
        ("DELETE namedValues/n", Value::Null),
        (
            "PUT policies/policy",
            document(
                "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>",
            ),
        ),
        ("DELETE policies/policy", Value::Null),
        ("PUT apis/echo/policies/policy", document(policy)),
        ("PUT apis/echo/operations/get/policies/policy", document(policy)),
        (
            "PUT apis/echo/policies/policy",
            document("<policies><inbound><nonsense /></inbound></policies>"),
        ),
        ("DELETE apis/echo/policies/policy", Value::Null),
        ("PUT policyFragments/f", document("<fragment><set-status code=\"200\" /></fragment>")),
        ("DELETE policyFragments/f", Value::Null),
        (
            "PUT apis/orders/policies/policy",
            document(
                "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /><include-fragment fragment-id=\"f\" /></outbound><on-error><base /></on-error></policies>",
            ),
        ),
        ("PUT backends/b", of(json!({ "url": "https://b.test", "protocol": "http" }))),
        ("DELETE backends/b", Value::Null),
        ("PUT products/p", of(json!({ "displayName": "P", "state": "published" }))),
        ("DELETE products/p?deleteSubscriptions=true", Value::Null),
        ("PUT products/p/apis/echo", Value::Null),
        ("PUT products/listed/apis/echo", Value::Null),
        ("DELETE products/listed/apis/echo", Value::Null),
        ("PUT products/p/groups/developers", Value::Null),
        ("PUT subscriptions/s", of(json!({ "displayName": "S", "scope": "/products/p" }))),
        (
            "PUT subscriptions/all",
            of(json!({ "displayName": "S", "scope": "/apis", "primaryKey": "k" })),
        ),
        ("PATCH subscriptions/s", of(json!({ "state": "suspended" }))),
        ("POST subscriptions/all/regenerateSecondaryKey", Value::Null),
        ("DELETE subscriptions/all", Value::Null),
        ("PUT users/u", of(json!({ "email": "e", "firstName": "F", "lastName": "L" }))),
        ("PUT groups/developers/users/u", Value::Null),
        ("DELETE users/u?deleteSubscriptions=true", Value::Null),
        ("PUT tags/t", of(json!({ "displayName": "T" }))),
        ("PUT apis/echo/tags/t", Value::Null),
        ("DELETE tags/t", Value::Null),
        ("PUT apiVersionSets/v", of(json!({ "displayName": "V", "versioningScheme": "Segment" }))),
        (
            "PUT apis/v1",
            of(
                json!({ "displayName": "V1", "path": "v", "apiVersion": "v1", "apiVersionSetId": "/apiVersionSets/v" }),
            ),
        ),
        ("DELETE apiVersionSets/v", Value::Null),
        ("PUT workspaces/w", of(json!({ "displayName": "W" }))),
        ("PUT workspaces/w/apis/a", of(json!({ "displayName": "A", "path": "w-a" }))),
        ("PUT workspaces/w/namedValues/n", of(json!({ "displayName": "wn", "value": "v" }))),
        ("DELETE workspaces/w", Value::Null),
    ]
}

/// What a snapshot says, whatever the order of its tables.
fn told(snapshot: &config::Snapshot) -> Vec<String> {
    let mut all: Vec<String> = snapshot.apis.iter().map(|it| format!("{it:?}")).collect();
    all.extend(snapshot.subscriptions.iter().map(|it| format!("{it:?}")));
    all.extend(snapshot.products.iter().map(|it| format!("{it:?}")));
    all.extend(snapshot.backends.iter().map(|it| format!("{it:?}")));
    all.push(format!("{:?}", snapshot.global));
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_calls_leaves_a_folder_that_loads_as_the_gateway_runs(
        chosen in proptest::collection::vec(0..calls().len(), 1..40),
        n in any::<u32>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let service = Service::new(&format!("property-{n}"), START).await;
            let calls = calls();
            let mut n_done = 0;
            for at in chosen {
                let (line, body) = &calls[at];
                let before = service.store.stored().await.unwrap().version;
                match service.ask(line, body.clone()).await {
                    Ok(answer) => {
                        assert!(answer.status.is_success());
                        n_done += 1;
                    }
                    Err(problem) => {
                        assert!(problem.status.is_client_error(), "{line}: {problem:?}");
                        let after = service.store.stored().await.unwrap().version;
                        assert_eq!(before, after, "{line} was refused and changed something");
                    }
                }
            }
            let afresh = store(&service.folder).await;
            let (running, loaded) = (service.store.snapshot().unwrap(), afresh.snapshot());
            let loaded = loaded.expect("the folder loads");
            assert_eq!(told(&running), told(&loaded), "after {n_done} changes");
            let (a, b) = (service.store.stored().await.unwrap(), afresh.stored().await.unwrap());
            assert_eq!(a.version, b.version);
        });
    }
}

#[tokio::test]
async fn two_loads_of_one_folder_say_the_same() {
    let service = Service::new("same", START).await;
    let afresh = store(&service.folder).await;
    assert_eq!(told(&service.store.snapshot().unwrap()), told(&afresh.snapshot().unwrap()));
}
