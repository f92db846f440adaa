//! Calls of the engine over files in memory.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::test_support::{Memory, ask, call, engine};

const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/n";

fn memory() -> Arc<Memory> {
    Memory::new(&[
        ("apis/echo/apiInformation.json", r#"{"properties":{"displayName":"Echo","path":"echo"}}"#),
        ("apis/echo/policy.xml", "<policies><inbound /></policies>"),
        (
            "apis/echo/operations/get/operationInformation.json",
            r#"{"properties":{"displayName":"Get","method":"GET","urlTemplate":"/"}}"#,
        ),
        (
            "named values/host/namedValueInformation.json",
            r#"{"properties":{"displayName":"host","value":"h"}}"#,
        ),
    ])
}

/// `200`, or `404 ResourceNotFound: API not found.`
async fn outcome(memory: &Arc<Memory>, line: &str, body: Value) -> String {
    match ask(memory, line, body).await {
        Ok(answer) => answer.status.as_str().to_owned(),
        Err(problem) => {
            let details: Vec<String> = problem
                .details
                .iter()
                .map(|it| format!(" [{}: {}]", it.target.as_deref().unwrap_or(""), it.message))
                .collect();
            format!(
                "{} {}: {}{}",
                problem.status.as_str(),
                problem.code,
                problem.message,
                details.concat()
            )
        }
    }
}

async fn body(memory: &Arc<Memory>, line: &str) -> Value {
    ask(memory, line, Value::Null).await.unwrap().body.unwrap()
}

async fn names(memory: &Arc<Memory>, line: &str) -> Vec<String> {
    let body = body(memory, line).await;
    let all = body["value"].as_array().unwrap();
    all.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

fn properties(value: Value) -> Value {
    json!({ "properties": value })
}

#[tokio::test]
async fn a_resource_has_azures_envelope() {
    let memory = memory();
    let api = body(&memory, "GET APIS/Echo").await;
    assert_eq!(api["id"], format!("{ID}/apis/echo"));
    assert_eq!(api["type"], "Microsoft.ApiManagement/service/apis");
    assert_eq!(api["name"], "echo");
    assert_eq!(api["properties"]["isCurrent"], true);
    assert_eq!(api["properties"]["provisioningState"], "Succeeded");
    let operation = body(&memory, "GET apis/echo/operations/get").await;
    assert_eq!(operation["type"], "Microsoft.ApiManagement/service/apis/operations");
}

/// Every kind that can be written by itself: its path and the least that it needs.
const LEAST: &[(&str, &str)] = &[
    ("apis/a", r#"{"displayName":"A","path":"a","x-unknown":{"deep":[1]}}"#),
    ("apis/echo/operations/o", r#"{"displayName":"O","method":"GET","urlTemplate":"/o"}"#),
    ("apis/echo/diagnostics/d", r#"{"loggerId":"/loggers/l"}"#),
    ("apis/echo/tagDescriptions/t", r#"{"description":"d"}"#),
    ("apiVersionSets/v", r#"{"displayName":"V","versioningScheme":"Segment"}"#),
    ("authorizationProviders/p", r#"{"displayName":"P","identityProvider":"aad"}"#),
    ("backends/b", r#"{"url":"https://b.test","protocol":"http"}"#),
    ("caches/default", r#"{"connectionString":"{{host}}","useFromLocation":"default"}"#),
    ("documentations/d", r#"{"title":"D","content":"c"}"#),
    ("gateways/g", r#"{"locationData":{"name":"x"},"description":"d"}"#),
    ("gateways/g/hostnameConfigurations/h", r#"{"hostname":"h.test"}"#),
    ("groups/partners", r#"{"displayName":"Partners"}"#),
    ("namedValues/n", r#"{"displayName":"n","value":"v","secret":false,"tags":["t"]}"#),
    ("policyRestrictions/r", r#"{"scope":"Sku:x"}"#),
    ("products/p", r#"{"displayName":"P"}"#),
    ("subscriptions/s", r#"{"displayName":"S","scope":"/apis"}"#),
    ("tags/t", r#"{"displayName":"T"}"#),
    ("users/ann", r#"{"email":"a@b.test","firstName":"A","lastName":"B"}"#),
];

#[tokio::test]
async fn every_kind_is_created_read_listed_updated_and_deleted() {
    let memory = memory();
    outcome(&memory, "PUT loggers/l", properties(json!({ "loggerType": "applicationInsights", "credentials": { "instrumentationKey": "{{host}}" } }))).await;
    for (path, least) in LEAST {
        let sent: Value = serde_json::from_str(least).unwrap();
        let at = |method: &str| format!("{method} {path}");
        let created = outcome(&memory, &at("PUT"), properties(sent.clone())).await;
        assert_eq!(created, "201", "{path}");
        let read = ask(&memory, &at("GET"), Value::Null).await.unwrap();
        assert!(read.etag.is_some(), "{path}");
        let shown = &read.body.unwrap()["properties"];
        for (name, value) in sent.as_object().unwrap() {
            let shown = &shown[name];
            let is_full = shown.as_str().is_some_and(|it| it.starts_with(ID));
            assert!(shown == value || is_full, "{path} {name}: {shown}");
        }
        let (collection, name) = path.rsplit_once('/').unwrap();
        assert!(
            names(&memory, &format!("GET {collection}")).await.contains(&name.to_owned()),
            "{path}"
        );
        assert_eq!(outcome(&memory, &at("PUT"), properties(sent)).await, "200", "{path}");
        let patch = properties(json!({ "description": "patched" }));
        assert_eq!(outcome(&memory, &at("PATCH"), patch).await, "200", "{path}");
        assert_eq!(
            body(&memory, &at("GET")).await["properties"]["description"],
            "patched",
            "{path}"
        );
    }
    for (path, _) in LEAST.iter().rev() {
        assert_eq!(outcome(&memory, &format!("DELETE {path}"), Value::Null).await, "204", "{path}");
        assert!(
            outcome(&memory, &format!("GET {path}"), Value::Null).await.starts_with("404"),
            "{path}"
        );
        assert_eq!(outcome(&memory, &format!("DELETE {path}"), Value::Null).await, "204", "{path}");
    }
}

#[tokio::test]
async fn what_is_required_is_asked_for() {
    for (line, sent, expected) in [
        (
            "PUT backends/b",
            json!({ "properties": 5 }),
            "[properties: `properties` is required, as an object.]",
        ),
        ("PUT tags/t", properties(json!({})), "[displayName: `displayName` is required.]"),
        (
            "PUT users/u",
            properties(json!({ "email": "e" })),
            "[firstName: `firstName` is required.] [lastName: `lastName` is required.]",
        ),
        (
            "PUT namedValues/n",
            properties(json!({ "displayName": "n" })),
            "[value: The value is required.]",
        ),
        ("PUT tags/a%2Fb", properties(json!({ "displayName": "n" })), "[name: `a/b` is no name"),
        ("PUT policies/other", properties(json!({ "value": "<policies/>" })), "[policyId: "),
        (
            "PUT subscriptions/s",
            properties(json!({ "displayName": "S", "scope": "/apis", "state": "odd" })),
            "[state: ",
        ),
    ] {
        let told = outcome(&memory(), line, sent).await;
        assert!(
            told.starts_with("400 ValidationError: One or more") && told.contains(expected),
            "{line}: {told}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    for (line, expected) in [
        ("GET widgets", "404 ResourceNotFound: The requested resource was not found."),
        ("GET apis/none", "404 ResourceNotFound: API not found."),
        ("GET policies/policy", "404 ResourceNotFound: Policy not found."),
        ("GET apis/none/operations", "404 ResourceNotFound: Operation not found."),
        ("GET namedValues/none", "404 ResourceNotFound: NamedValue not found."),
        ("PATCH tags/none", "404 ResourceNotFound: Tag not found."),
        (
            "PUT apis/none/operations/o",
            "404 ResourceNotFound: The resource that it belongs to is not found.",
        ),
        (
            "PUT products/none/apis/echo",
            "404 ResourceNotFound: The resource that it belongs to is not found.",
        ),
        ("POST apis/echo/explode", "404 ResourceNotFound: The action `explode` is not found."),
        ("PUT apis", "405 MethodNotAllowed: The requested resource does not support this method."),
        (
            "PATCH policies/policy",
            "405 MethodNotAllowed: The requested resource does not support this method.",
        ),
    ] {
        assert_eq!(outcome(&memory(), line, json!({})).await, expected, "{line}");
    }
}

#[tokio::test]
async fn a_configuration_that_would_not_load_is_refused_and_nothing_changes() {
    let memory = memory();
    let before = memory.names();
    let sent = properties(json!({ "displayName": "S", "scope": "/nonsense/x" }));
    let told = outcome(&memory, "PUT subscriptions/s", sent).await;
    assert!(told.starts_with("400 ValidationError") && told.contains("is no scope"), "{told}");
    assert_eq!(memory.names(), before);
}

#[tokio::test]
async fn a_stale_etag_is_refused() {
    let memory = memory();
    let engine = engine(&memory);
    let etag = engine.call(&call("GET namedValues/host", Value::Null)).await.unwrap().etag.unwrap();
    let sent = properties(json!({ "displayName": "host", "value": "new" }));
    for (line, if_match, expected) in [
        ("PUT namedValues/host", "\"other\"", 412),
        ("PUT namedValues/host", etag.as_str(), 200),
        // The etag is of the value before.
        ("PUT namedValues/host", etag.as_str(), 412),
        ("PATCH namedValues/host", etag.as_str(), 412),
        ("DELETE namedValues/host", etag.as_str(), 412),
        ("PUT namedValues/host", "*", 200),
        ("PUT namedValues/new", "*", 201),
        ("PUT namedValues/newer", "\"x\"", 412),
        ("DELETE namedValues/new", "*", 204),
    ] {
        let mut call = call(line, sent.clone());
        call.body["properties"]["displayName"] = call.segments[1].clone().into();
        call.if_match = Some(if_match.to_owned());
        let status = engine.call(&call).await.map_or_else(|it| it.status, |it| it.status);
        assert_eq!(status.as_u16(), expected, "{line} {if_match}");
    }
    let mut create = call("PUT namedValues/host", sent);
    create.if_none_match = Some("*".to_owned());
    assert_eq!(engine.call(&create).await.unwrap_err().status.as_u16(), 412);
}

#[tokio::test]
async fn two_writers_do_not_lose_each_others_change() {
    let memory = memory();
    *memory.n_conflicts.lock().unwrap() = 3;
    let sent = properties(json!({ "displayName": "T" }));
    assert_eq!(outcome(&memory, "PUT tags/t", sent.clone()).await, "201");
    *memory.n_conflicts.lock().unwrap() = MAX_ATTEMPTS;
    let told = outcome(&memory, "PUT tags/u", sent).await;
    assert_eq!(told, "409 Conflict: Others are changing the service. Try again.");
    // What was edited by hand is seen at once.
    let engine = engine(&memory);
    engine.call(&call("GET namedValues/host", Value::Null)).await.unwrap();
    memory.edit(
        "named values/host/namedValueInformation.json",
        r#"{"properties":{"displayName":"host","value":"by hand"}}"#,
    );
    let read = engine.call(&call("GET namedValues/host", Value::Null)).await.unwrap();
    assert_eq!(read.body.unwrap()["properties"]["value"], "by hand");
}

#[tokio::test]
async fn secrets_are_listed_by_actions_only() {
    let memory = memory();
    let sent = properties(json!({ "displayName": "k", "value": "hidden", "secret": true }));
    let created = ask(&memory, "PUT namedValues/k", sent).await.unwrap().body.unwrap();
    assert!(!created.to_string().contains("hidden"));
    assert_eq!(body(&memory, "POST namedValues/k/listValue").await, json!({ "value": "hidden" }));
    // A PUT without the value keeps it; so does a PATCH.
    let sent = properties(json!({ "displayName": "k", "secret": true, "tags": ["x"] }));
    assert_eq!(outcome(&memory, "PUT namedValues/k", sent).await, "200");
    assert_eq!(body(&memory, "POST namedValues/k/listValue").await, json!({ "value": "hidden" }));

    let sent = properties(json!({ "displayName": "S", "scope": "/apis", "primaryKey": "first" }));
    let created = ask(&memory, "PUT subscriptions/s", sent.clone()).await.unwrap().body.unwrap();
    assert!(!created.to_string().contains("first"), "{created}");
    let keys = body(&memory, "POST subscriptions/s/listSecrets").await;
    assert_eq!(
        (&keys["primaryKey"], keys["secondaryKey"].as_str().unwrap().len()),
        (&json!("first"), 32)
    );
    assert_eq!(
        outcome(&memory, "POST subscriptions/s/regeneratePrimaryKey", Value::Null).await,
        "204"
    );
    let after = body(&memory, "POST subscriptions/s/listSecrets").await;
    assert_ne!(after["primaryKey"], "first");
    assert_eq!(after["secondaryKey"], keys["secondaryKey"]);
    let again = properties(json!({ "displayName": "S2", "scope": "/apis" }));
    assert_eq!(outcome(&memory, "PUT subscriptions/s", again).await, "200");
    assert_eq!(body(&memory, "POST subscriptions/s/listSecrets").await, after);
    assert!(outcome(&memory, "POST apis/echo/listSecrets", Value::Null).await.starts_with("404"));
}

#[tokio::test]
async fn documents_come_back_to_the_byte() {
    let memory = memory();
    let raw = "<policies>\r\n  <inbound>\t<set-variable name=\"v\" value=\"@(context.Variables[\"a\"] != null && 1 < 2)\" />\n</inbound></policies>\n\n";
    let sent = properties(json!({ "format": "rawxml", "value": raw }));
    for path in
        ["policies/policy", "apis/echo/policies/policy", "apis/echo/operations/get/policies/policy"]
    {
        let missing = outcome(&memory, &format!("GET {path}?format=xml"), Value::Null).await;
        assert!(missing.starts_with("404") || path.starts_with("apis/echo/policies"), "{missing}");
        assert!(outcome(&memory, &format!("PUT {path}"), sent.clone()).await.starts_with("20"));
        for format in ["rawxml", "xml-raw"] {
            let shown = body(&memory, &format!("GET {path}?format={format}")).await;
            assert_eq!(shown["properties"]["value"], raw, "{path}");
        }
        let xml = body(&memory, &format!("GET {path}")).await["properties"]["value"].clone();
        assert!(
            xml.as_str()
                .unwrap()
                .contains("context.Variables[&quot;a&quot;] != null &amp;&amp; 1 &lt; 2"),
            "{xml}"
        );
        let back = properties(json!({ "format": "xml", "value": xml }));
        assert_eq!(outcome(&memory, &format!("PUT {path}"), back).await, "200");
        assert_eq!(
            body(&memory, &format!("GET {path}?format=rawxml")).await["properties"]["value"],
            raw
        );
    }
    assert_eq!(memory.text("policy.xml").as_deref(), Some(raw));
    let all = body(&memory, "GET apis/echo/policies").await;
    assert_eq!((&all["count"], &all["value"][0]["name"]), (&json!(1), &json!("policy")));
    assert_eq!(outcome(&memory, "DELETE policies/policy", Value::Null).await, "204");
    assert_eq!(memory.text("policy.xml"), None);
}

#[tokio::test]
async fn a_fragment_has_a_document_and_a_description() {
    let memory = memory();
    let raw = "<fragment><set-variable name=\"v\" value=\"@(\"x\")\" /></fragment>";
    let sent = properties(json!({ "format": "rawxml", "value": raw, "description": "d" }));
    assert_eq!(outcome(&memory, "PUT policyFragments/f", sent).await, "201");
    assert_eq!(memory.text("policy fragments/f/policy.xml").as_deref(), Some(raw));
    let shown = body(&memory, "GET policyFragments/f?format=rawxml").await;
    assert_eq!(
        (&shown["properties"]["value"], &shown["properties"]["description"]),
        (&json!(raw), &json!("d"))
    );
    let user = "<policies><inbound><include-fragment fragment-id=\"f\" /></inbound></policies>";
    outcome(
        &memory,
        "PUT apis/echo/policies/policy",
        properties(json!({ "format": "rawxml", "value": user })),
    )
    .await;
    let references = body(&memory, "POST policyFragments/f/listReferences").await;
    assert_eq!(references["value"], json!([{ "id": "/apis/echo/policies/policy" }]));
    assert_eq!(outcome(&memory, "DELETE policyFragments/f", Value::Null).await, "204");
    assert_eq!(memory.text("policy fragments/f/policy.xml"), None);
}

#[tokio::test]
async fn resources_are_linked_and_unlinked() {
    let memory = memory();
    memory.edit("products/listed/productInformation.json", r#"{"properties":{"displayName":"L"}}"#);
    memory.edit("products/listed/apis.json", "[]");
    outcome(&memory, "PUT products/p", properties(json!({ "displayName": "P" }))).await;
    for product in ["p", "listed"] {
        let path = format!("products/{product}/apis/ECHO");
        assert_eq!(
            outcome(&memory, &format!("HEAD {path}"), Value::Null).await,
            "404 ResourceNotFound: API not found."
        );
        assert_eq!(outcome(&memory, &format!("PUT {path}"), Value::Null).await, "201");
        assert_eq!(outcome(&memory, &format!("PUT {path}"), Value::Null).await, "200");
        assert_eq!(outcome(&memory, &format!("HEAD {path}"), Value::Null).await, "204");
        let shown = body(&memory, &format!("GET products/{product}/apis")).await;
        assert_eq!(shown["value"][0]["properties"]["path"], "echo");
    }
    assert!(memory.text("products/p/apis/echo/productApiInformation.json").is_some());
    assert!(memory.text("products/listed/apis.json").unwrap().contains("echo"));
    assert_eq!(names(&memory, "GET apis/echo/products").await, ["listed", "p"]);
    assert!(outcome(&memory, "PUT products/p/apis/none", Value::Null).await.starts_with("404"));
    assert_eq!(outcome(&memory, "DELETE products/listed/apis/echo", Value::Null).await, "204");
    assert_eq!(names(&memory, "GET apis/echo/products").await, ["p"]);
    // With the API go the links to it.
    assert_eq!(outcome(&memory, "DELETE apis/echo", Value::Null).await, "204");
    assert_eq!(names(&memory, "GET products/p/apis").await, [""; 0]);
    assert!(!memory.names().iter().any(|it| it.contains("echo")));
    for group in ["developers", "guests"] {
        assert_eq!(
            outcome(&memory, &format!("PUT products/p/groups/{group}"), Value::Null).await,
            "201"
        );
    }
    assert_eq!(names(&memory, "GET products/p/groups").await, ["developers", "guests"]);
}

#[tokio::test]
async fn users_are_in_groups_and_own_subscriptions() {
    let memory = memory();
    let user =
        json!({ "email": "a@b.test", "firstName": "A", "lastName": "B", "password": "secret" });
    assert_eq!(outcome(&memory, "PUT users/ann", properties(user)).await, "201");
    assert!(!memory.text("users/ann/userInformation.json").unwrap().contains("secret"));
    assert_eq!(outcome(&memory, "PUT groups/developers/users/ann", Value::Null).await, "201");
    assert_eq!(names(&memory, "GET groups/developers/users").await, ["ann"]);
    assert_eq!(names(&memory, "GET users/ann/groups").await, ["developers"]);
    assert_eq!(names(&memory, "GET groups").await, ["administrators", "developers", "guests"]);
    assert!(outcome(&memory, "DELETE groups/guests", Value::Null).await.starts_with("400"));
    let subscription = json!({ "displayName": "S", "scope": format!("{ID}/apis"), "ownerId": format!("{ID}/users/ann") });
    assert_eq!(outcome(&memory, "PUT subscriptions/s", properties(subscription)).await, "201");
    let held = memory.text("subscriptions/s/subscriptionInformation.json").unwrap();
    assert!(held.contains("\"/apis\"") && held.contains("\"/users/ann\""), "{held}");
    assert_eq!(names(&memory, "GET users/ann/subscriptions").await, ["s"]);
    assert!(outcome(&memory, "DELETE users/ann", Value::Null).await.starts_with("400"));
    assert_eq!(
        outcome(&memory, "DELETE users/ann?deleteSubscriptions=true", Value::Null).await,
        "204"
    );
    assert_eq!(names(&memory, "GET subscriptions").await, [""; 0]);
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let memory = memory();
    for n in 0..5 {
        outcome(
            &memory,
            &format!("PUT tags/t{n}"),
            properties(json!({ "displayName": format!("T{n}") })),
        )
        .await;
    }
    assert_eq!(names(&memory, "GET tags?$filter=displayName ge 'T3'").await, ["t3", "t4"]);
    assert_eq!(names(&memory, "GET tags?$top=2&$skip=3").await, ["t3", "t4"]);
    let page = body(&memory, "GET tags?$filter=startswith(name,'t')&$top=2").await;
    assert_eq!((&page["count"], page["value"].as_array().unwrap().len()), (&json!(5), 2));
    assert_eq!(
        page["nextLink"],
        "https://m/tags?$filter=startswith%28name%2C%27t%27%29&$top=2&$skip=2"
    );
    assert!(body(&memory, "GET tags?$top=5").await.get("nextLink").is_none());
    for (line, expected) in [
        ("GET tags?$top=x", "$top"),
        ("GET tags?$top=0", "$top"),
        ("GET tags?$skip=-1", "$skip"),
        ("GET tags?$filter=x", "$filter"),
    ] {
        let told = outcome(&memory, line, Value::Null).await;
        assert!(told.starts_with("400") && told.contains(expected), "{told}");
    }
}

const SPEC: &str = r#"{"openapi":"3.0.1","info":{"title":"Orders","version":"1"},"servers":[{"url":"https://o.test/v1"}],
"paths":{"/orders/{id}":{"get":{"operationId":"getOrder","summary":"Get an order","parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"ok"}}},
"delete":{"operationId":"drop","responses":{"204":{"description":"gone"}}}}}}"#;

#[tokio::test]
async fn an_api_is_imported_changed_and_exported() {
    let memory = memory();
    let sent = properties(json!({ "path": "o", "format": "openapi+json", "value": SPEC }));
    let created = ask(&memory, "PUT apis/orders", sent.clone()).await.unwrap().body.unwrap();
    assert_eq!(created["properties"]["displayName"], "Orders");
    assert_eq!(created["properties"]["serviceUrl"], "https://o.test/v1");
    assert!(created["properties"].get("value").is_none());
    assert_eq!(memory.text("apis/orders/specification.json").as_deref(), Some(SPEC));
    assert_eq!(names(&memory, "GET apis/orders/operations").await, ["drop", "getorder"]);
    let operation = body(&memory, "GET apis/orders/operations/getOrder").await;
    assert_eq!(operation["properties"]["urlTemplate"], "/orders/{id}");
    assert_eq!(operation["properties"]["templateParameters"][0]["name"], "id");
    // A described operation can be changed, given a policy, and deleted.
    let patch = properties(json!({ "displayName": "Mine" }));
    assert_eq!(outcome(&memory, "PATCH apis/orders/operations/getorder", patch).await, "200");
    let policy = properties(json!({ "format": "rawxml", "value": "<policies />" }));
    assert_eq!(
        outcome(&memory, "PUT apis/orders/operations/drop/policies/policy", policy).await,
        "201"
    );
    assert_eq!(outcome(&memory, "DELETE apis/orders/operations/drop", Value::Null).await, "204");
    assert_eq!(names(&memory, "GET apis/orders/operations").await, ["getorder"]);
    assert_eq!(
        body(&memory, "GET apis/orders/operations/getorder").await["properties"]["displayName"],
        "Mine"
    );
    let exported = body(&memory, "GET apis/orders?export=true&format=openapi+json").await;
    assert!(exported["value"].as_str().unwrap().contains("getOrder"), "{exported}");
    for (format, expected) in [("swagger", "OpenAPI 2"), ("wadl-link", "`format` is")] {
        let line = format!("GET apis/orders?export=true&format={format}");
        let told = outcome(&memory, &line, Value::Null).await;
        assert!(told.starts_with("400") && told.contains(expected), "{told}");
    }
    // An import takes the place of the one before.
    assert_eq!(outcome(&memory, "PUT apis/orders", sent).await, "200");
    assert_eq!(names(&memory, "GET apis/orders/operations").await, ["drop", "getorder"]);
    assert_eq!(
        body(&memory, "GET apis/orders/operations/getorder").await["properties"]["displayName"],
        "Get an order"
    );
    for (format, value) in
        [("openapi", "{"), ("wsdl", "<x/>"), ("openapi-link", "https://x"), ("openapi", "a: 1")]
    {
        let sent = properties(json!({ "path": "x", "format": format, "value": value }));
        let told = outcome(&memory, "PUT apis/bad", sent).await;
        assert!(told.starts_with("400 ValidationError"), "{told}");
    }
}

#[tokio::test]
async fn an_api_without_a_specification_is_exported_as_its_operations() {
    let memory = memory();
    let operation = properties(json!({
        "displayName": "Get one", "method": "GET", "urlTemplate": "/things/{id}?view={view}",
        "templateParameters": [{ "name": "id", "type": "number" }],
        "request": { "queryParameters": [{ "name": "view", "type": "guid" }],
                     "representations": [{ "contentType": "application/json" }] },
        "responses": [{ "statusCode": 404, "description": "none",
                        "representations": [{ "contentType": "text/plain" }] }],
    }));
    assert_eq!(outcome(&memory, "PUT apis/echo/operations/one", operation).await, "201");
    let exported = body(&memory, "GET apis/echo?export=true&format=openapi+json").await;
    let document: Value = serde_json::from_str(exported["value"].as_str().unwrap()).unwrap();
    let one = &document["paths"]["/things/{id}"]["get"];
    assert_eq!(one["operationId"], "one");
    assert_eq!(one["responses"]["404"]["content"], json!({ "text/plain": {} }));
    assert_eq!(one["requestBody"]["content"], json!({ "application/json": {} }));
    let shown: Vec<String> = one["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            format!("{} {} {} {}", it["name"], it["in"], it["required"], it["schema"]["type"])
        })
        .collect();
    assert_eq!(shown, ["\"id\" \"path\" true \"number\"", "\"view\" \"query\" false \"string\""]);
    let described = config::described_operations(exported["value"].as_str().unwrap()).unwrap();
    assert!(described.iter().any(|it| it.info.id == "one"));
}

#[tokio::test]
async fn links_with_names_go_with_what_they_link() {
    let memory = memory();
    let put = async |path: &str, sent: Value| {
        assert_eq!(
            outcome(&memory, &format!("PUT {path}"), properties(sent)).await,
            "201",
            "{path}"
        );
    };
    put("products/gold", json!({ "displayName": "Gold" })).await;
    put("tags/t", json!({ "displayName": "T" })).await;
    put("apis/orders", json!({ "displayName": "O", "path": "o" })).await;
    let list = json!({ "displayName": "L", "method": "GET", "urlTemplate": "/" });
    put("apis/orders/operations/list", list).await;
    put("products/gold/apiLinks/one", json!({ "apiId": format!("{ID}/apis/Orders") })).await;
    put("products/gold/apiLinks/two", json!({ "apiId": format!("{ID}/apis/echo") })).await;
    put("tags/t/apiLinks/one", json!({ "apiId": format!("{ID}/apis/orders") })).await;
    let operation = format!("{ID}/apis/orders/operations/list");
    put("tags/t/operationLinks/one", json!({ "operationId": operation })).await;
    put("tags/t/productLinks/one", json!({ "productId": format!("{ID}/products/gold") })).await;
    assert_eq!(outcome(&memory, "DELETE apis/orders", Value::Null).await, "204");
    assert_eq!(names(&memory, "GET products/gold/apiLinks").await, ["two"]);
    assert_eq!(names(&memory, "GET tags/t/apiLinks").await, [""; 0]);
    assert_eq!(names(&memory, "GET tags/t/operationLinks").await, [""; 0]);
    assert_eq!(names(&memory, "GET tags/t/productLinks").await, ["one"]);
    assert_eq!(outcome(&memory, "DELETE products/gold", Value::Null).await, "204");
    assert_eq!(names(&memory, "GET tags/t/productLinks").await, [""; 0]);
}

#[tokio::test]
async fn a_revision_is_made_and_released() {
    let memory = memory();
    let sent = properties(
        json!({ "path": "echo", "sourceApiId": format!("{ID}/apis/echo"), "apiRevisionDescription": "second" }),
    );
    assert_eq!(outcome(&memory, "PUT apis/echo;rev=2", sent).await, "201");
    let second = body(&memory, "GET apis/echo;rev=2").await;
    assert_eq!(
        (&second["properties"]["isCurrent"], &second["properties"]["apiRevision"]),
        (&json!(false), &json!("2"))
    );
    assert_eq!(names(&memory, "GET apis/echo;rev=2/operations").await, ["get"]);
    // The current revision has two names.
    assert_eq!(body(&memory, "GET apis/echo;rev=1").await["name"], "echo");
    let policy =
        properties(json!({ "format": "rawxml", "value": "<policies><outbound /></policies>" }));
    assert_eq!(
        outcome(&memory, "PUT apis/echo;rev=2/policies/policy", policy).await,
        "201".replace("201", "200")
    );
    let revisions = body(&memory, "GET apis/echo/revisions").await;
    let shown: Vec<(&Value, &Value)> = revisions["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["apiRevision"], &it["isCurrent"]))
        .collect();
    assert_eq!(shown, [(&json!("1"), &json!(true)), (&json!("2"), &json!(false))]);
    let release = properties(json!({ "apiId": format!("{ID}/apis/echo;rev=2"), "notes": "go" }));
    assert_eq!(outcome(&memory, "PUT apis/echo/releases/r", release).await, "201");
    let current = body(&memory, "GET apis/echo").await;
    assert_eq!(
        (&current["properties"]["isCurrent"], &current["properties"]["apiRevision"]),
        (&json!(true), &json!("2"))
    );
    assert!(memory.text("apis/echo/policy.xml").unwrap().contains("outbound"));
    assert!(memory.text("apis/echo;rev=1/policy.xml").unwrap().contains("inbound"));
    assert_eq!(names(&memory, "GET apis/echo/releases").await, ["r"]);
    assert_eq!(body(&memory, "GET apis/echo;rev=2").await["name"], "echo");
    assert_eq!(outcome(&memory, "DELETE apis/echo?deleteRevisions=true", Value::Null).await, "204");
    assert_eq!(names(&memory, "GET apis").await, [""; 0]);
}

#[tokio::test]
async fn a_product_with_subscriptions_is_not_deleted_by_accident() {
    let memory = memory();
    outcome(&memory, "PUT products/gold", properties(json!({ "displayName": "G" }))).await;
    outcome(
        &memory,
        "PUT subscriptions/s",
        properties(json!({ "displayName": "S", "scope": "/products/gold" })),
    )
    .await;
    assert_eq!(names(&memory, "GET products/gold/subscriptions").await, ["s"]);
    let scope = body(&memory, "GET subscriptions/s").await["properties"]["scope"].clone();
    assert_eq!(scope, format!("{ID}/products/gold"));
    assert!(outcome(&memory, "DELETE products/gold", Value::Null).await.starts_with("400"));
    assert_eq!(
        outcome(&memory, "DELETE products/gold?deleteSubscriptions=true", Value::Null).await,
        "204"
    );
    assert_eq!(names(&memory, "GET subscriptions").await, [""; 0]);
}
