//! Requests as a listener hands them over.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::StaticTokens;
use crate::test_support::{Memory, engine};

const TOKEN: &str = "0123456789012345678901234";
const BASE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/n";

fn service(is_read_only: bool) -> Arc<ManagementService> {
    let memory = Memory::new(&[
        ("tags/t/tagInformation.json", r#"{"properties":{"displayName":"T"}}"#),
        ("apis/a/apiInformation.json", r#"{"properties":{"displayName":"A","path":"a"}}"#),
    ]);
    let tokens = StaticTokens::parse(&format!("ann {TOKEN}")).unwrap();
    let surroundings = Surroundings {
        tenant_id: "tid".to_owned(),
        login_endpoint: "https://login.test/".to_owned(),
        audience: "https://management.azure.com/".to_owned(),
        location: "local".to_owned(),
        gateway_url: "http://localhost:8080".to_owned(),
    };
    let settings = ManagementSettings { is_read_only, max_body_bytes: 200, surroundings };
    ManagementService::new(engine(&memory), Authority::new(tokens, None), settings)
}

struct Told {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

async fn ask_of(service: &ManagementService, line: &str, token: Option<&str>, body: &str) -> Told {
    let (method, uri) = line.split_once(' ').unwrap();
    let mut request = http::Request::builder().method(method).uri(uri).header(HOST, "m.test:8444");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Body::full(body.to_owned())).unwrap();
    let (head, body) = service.answer(request).await.into_parts();
    let bytes = body.collect(1 << 20).await.unwrap();
    Told {
        status: head.status.as_u16(),
        headers: head.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

async fn ask(line: &str, body: &str) -> Told {
    ask_of(&service(false), line, Some(TOKEN), body).await
}

#[tokio::test]
async fn nothing_but_the_cloud_s_endpoints_is_told_without_a_token() {
    let paths = ["/", "/tenants", "/subscriptions", BASE, "/subscriptions/s", "/nothing"];
    for path in paths {
        for token in [None, Some("wrong")] {
            let told =
                ask_of(&service(false), &format!("GET {path}?api-version=2024-05-01"), token, "")
                    .await;
            assert_eq!(
                (told.status, &told.body["error"]["code"]),
                (401, &json!("AuthenticationFailed")),
                "{path}"
            );
            let challenge = told.headers[WWW_AUTHENTICATE].to_str().unwrap();
            assert!(challenge.starts_with(
                "Bearer authorization_uri=\"https://login.test/tid\", error=\"invalid_token\""
            ));
        }
    }
    for method in ["PUT", "PATCH", "DELETE", "POST"] {
        let line = format!("{method} {BASE}/tags/t?api-version=2024-05-01");
        assert_eq!(ask_of(&service(false), &line, None, "{}").await.status, 401);
    }
    let told =
        ask_of(&service(false), "GET /metadata/endpoints?api-version=2022-09-01", None, "").await;
    assert_eq!(told.status, 200);
    assert_eq!(told.body["resourceManager"], "https://m.test:8444");
    assert_eq!(told.body["authentication"]["loginEndpoint"], "https://login.test/");
}

#[tokio::test]
async fn the_api_version_is_required_and_a_date() {
    for (query, expected) in [
        ("", "MissingApiVersionParameter"),
        ("?api-version=", "MissingApiVersionParameter"),
        ("?api-version=latest", "InvalidApiVersionParameter"),
    ] {
        let told = ask(&format!("GET {BASE}/tags{query}"), "").await;
        assert_eq!((told.status, told.body["error"]["code"].as_str().unwrap()), (400, expected));
    }
    for query in
        ["?api-version=2021-08-01", "?api-version=2024-06-01-preview", "?api%2Dversion=2024-05-01"]
    {
        assert_eq!(ask(&format!("GET {BASE}/tags{query}"), "").await.status, 200, "{query}");
    }
}

#[tokio::test]
async fn every_answer_has_an_id_and_resources_an_etag() {
    let told = ask(&format!("GET {BASE}/tags/T?api-version=2024-05-01"), "").await;
    assert!(told.headers.contains_key("x-ms-request-id") && told.headers.contains_key(ETAG));
    assert_eq!(told.headers[CONTENT_TYPE], "application/json; charset=utf-8");
    let head = ask(&format!("HEAD {BASE}/tags/T?api-version=2024-05-01"), "").await;
    assert_eq!(
        (head.status, &head.body, head.headers[ETAG].clone()),
        (200, &Value::Null, told.headers[ETAG].clone())
    );
    assert_eq!(ask(&format!("HEAD {BASE}/tags/none?api-version=2024-05-01"), "").await.status, 404);
}

#[tokio::test]
async fn bodies_are_bounded_and_json() {
    let line = format!("PUT {BASE}/tags/t?api-version=2024-05-01");
    let long = format!(r#"{{"properties":{{"displayName":"{}"}}}}"#, "x".repeat(200));
    for (body, expected) in [
        (long.as_str(), (413, "RequestEntityTooLarge")),
        ("{", (400, "InvalidRequestContent")),
        ("[1]", (400, "InvalidRequestContent")),
    ] {
        let told = ask(&line, body).await;
        assert_eq!((told.status, told.body["error"]["code"].as_str().unwrap()), expected, "{body}");
    }
    assert_eq!(ask(&line, r#"{"properties":{"displayName":"New"}}"#).await.status, 200);
}

#[tokio::test]
async fn a_read_only_service_changes_nothing() {
    for (line, expected) in [
        ("PUT tags/x", 403),
        ("PATCH tags/t", 403),
        ("DELETE tags/t", 403),
        ("POST subscriptions/s/regeneratePrimaryKey", 403),
        ("POST subscriptions/s/listSecrets", 404),
        ("GET tags/t", 200),
    ] {
        let (method, path) = line.split_once(' ').unwrap();
        let line = format!("{method} {BASE}/{path}?api-version=2024-05-01");
        let told = ask_of(&service(true), &line, Some(TOKEN), "{}").await;
        assert_eq!(told.status, expected, "{line}");
    }
}

#[tokio::test]
async fn what_is_around_the_service_is_told() {
    let version = "?api-version=2022-12-01";
    for (line, pointer, expected) in [
        ("GET /tenants", "/value/0/tenantId", "tid"),
        ("GET /subscriptions", "/value/0/subscriptionId", "s"),
        ("GET /subscriptions/S/resourceGroups/G", "/name", "g"),
        (
            "GET /subscriptions/s/providers/Microsoft.ApiManagement",
            "/registrationState",
            "Registered",
        ),
        (
            "POST /subscriptions/s/providers/Microsoft.ApiManagement/register",
            "/registrationState",
            "Registered",
        ),
        ("GET /subscriptions/s/providers/Microsoft.ApiManagement/service", "/value/0/name", "n"),
        (&format!("GET {BASE}"), "/properties/gatewayUrl", "http://localhost:8080"),
        (&format!("GET {BASE}"), "/properties/hostnameConfigurations/0/hostName", "localhost"),
        (&format!("GET {BASE}/tenant/access"), "/name", "access"),
    ] {
        let told = ask(&format!("{line}{version}"), "").await;
        let found = told.body.pointer(pointer).and_then(Value::as_str);
        assert_eq!((told.status, found), (200, Some(expected)), "{line}");
    }
    for (line, expected) in [
        (format!("POST {BASE}/tenant/access/listSecrets"), 403),
        (format!("PUT {BASE}"), 405),
        (format!("DELETE {BASE}"), 405),
        ("GET /subscriptions/other".to_owned(), 404),
    ] {
        assert_eq!(ask(&format!("{line}{version}"), "").await.status, expected, "{line}");
    }
}

#[tokio::test]
async fn a_link_to_an_export_needs_no_token_and_no_other_path_does() {
    let service = service(false);
    let line = format!("GET {BASE}/apis/a?api-version=2024-05-01&export=true&format=openapi-link");
    let told = ask_of(&service, &line, Some(TOKEN), "").await;
    let link = told.body["value"]["link"].as_str().unwrap();
    assert_eq!(told.body["properties"]["value"]["link"], link);
    let path = link.strip_prefix("https://m.test:8444").unwrap();
    let followed = ask_of(&service, &format!("GET {path}"), None, "").await;
    assert_eq!((followed.status, &followed.body["openapi"]), (200, &json!("3.0.1")));
    for (line, status) in [
        (format!("GET {path}0"), 401),
        (format!("PUT {path}"), 401),
        ("GET /exports/".to_owned(), 401),
    ] {
        assert_eq!(ask_of(&service, &line, None, "").await.status, status, "{line}");
    }
}
