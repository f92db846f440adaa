//! The stand-ins over their sockets: what they refuse, and in which words.
#![cfg(test)]

use std::sync::Arc;

use http::HeaderMap;
use portcullis_simulator::{LocalCa, Ports, Seed, Simulator, StandIn, World};
use serde_json::{Value, json};
use transport::{
    Body, CallError, CallOptions, Client, ClientConfig, HostMap, HttpClient, Roots, SystemClock,
};

const RESOURCE: &str = "https://cognitiveservices.azure.com";

/// All stand-ins, and a client that trusts them.
struct Town {
    simulator: Simulator,
    client: Client,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Town {
    async fn new() -> Self {
        let ca = LocalCa::generate().unwrap();
        let world = Arc::new(World::new(Seed::default(), Arc::new(SystemClock)).unwrap());
        let started = Simulator::start(world, &StandIn::ALL, Ports::default(), &ca).await;
        let roots = Roots::none().with_pem(ca.certificate_pem().as_bytes()).unwrap();
        let client = Client::new(ClientConfig::new(roots, HostMap::new()));
        Self { simulator: started.unwrap(), client }
    }

    fn url(&self, service: StandIn, path: &str) -> String {
        let at = self.simulator.addresses();
        let (scheme, at) = match service {
            StandIn::AzureOpenAi => ("http", at.azure_openai),
            StandIn::Entra => ("https", at.entra),
            StandIn::Imds => ("http", at.imds),
            StandIn::KeyVault => ("https", at.key_vault),
        };
        format!("{scheme}://localhost:{}{path}", at.unwrap().port())
    }

    async fn try_ask(
        &self,
        service: StandIn,
        request: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, CallError> {
        let (method, path) = request.split_once(' ').unwrap();
        let mut built = http::Request::builder().method(method).uri(self.url(service, path));
        for (name, value) in headers {
            built = built.header(*name, *value);
        }
        let body = built.body(Body::full(body.to_owned())).unwrap();
        let response = self.client.send(body, &CallOptions::default()).await?;
        let (head, body) = response.into_parts();
        let bytes = body.collect(1 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    async fn ask(
        &self,
        service: StandIn,
        request: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.try_ask(service, request, headers, body).await.unwrap()
    }

    async fn token(&self, resource: &str) -> String {
        let path = format!(
            "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}"
        );
        let answer = self.ask(StandIn::Imds, &path, &[("metadata", "true")], "").await;
        answer.body["access_token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn imds_wants_its_header_and_knows_two_identities() {
    let town = Town::new().await;
    let base = format!("GET /metadata/identity/oauth2/token?resource={RESOURCE}&api-version=");
    let metadata = ("metadata", "true");
    for (path, headers, status, said) in [
        (format!("{base}2018-02-01"), vec![metadata], 200, ""),
        (base.replace("token?", "token/?") + "2018-02-01", vec![metadata], 200, ""),
        (format!("{base}2018-02-01"), vec![], 400, "Required metadata header not specified"),
        (
            format!("{base}2018-02-01"),
            vec![metadata, ("x-forwarded-for", "1.2.3.4")],
            400,
            "forwarded",
        ),
        (format!("{base}2017-01-01"), vec![metadata], 400, "not supported"),
        (format!("{base}2018-02-01&client_id=nobody"), vec![metadata], 400, "Identity not found"),
    ] {
        let answer = town.ask(StandIn::Imds, &path, &headers, "").await;
        assert_eq!(answer.status, status, "{path}");
        let description = answer.body["error_description"].as_str().unwrap_or_default();
        assert!(description.contains(said), "{description}");
    }
    let answer = town.ask(StandIn::Imds, &format!("{base}2018-02-01"), &[metadata], "").await;
    assert!(answer.body["expires_in"].is_string() && answer.body["expires_on"].is_string());
}

#[tokio::test]
async fn app_service_wants_its_secret_header() {
    let town = Town::new().await;
    let path = format!("GET /msi/token?api-version=2019-08-01&resource={RESOURCE}");
    let header = Seed::default().identity_header;
    let status = async |value: &str| {
        town.ask(StandIn::Imds, &path, &[("x-identity-header", value)], "").await.status
    };
    assert_eq!((status(&header).await, status("wrong").await), (200, 401));
}

#[tokio::test]
async fn entra_refuses_in_its_own_words() {
    let town = Town::new().await;
    let Seed { tenant_id, client_id, client_secret, .. } = Seed::default();
    let form = |client: &str, secret: &str, scope: &str| {
        format!(
            "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope={scope}"
        )
    };
    let scope = format!("{RESOURCE}/.default");
    for (tenant, body, status, code) in [
        (tenant_id.as_str(), form(&client_id, &client_secret, &scope), 200, 0),
        ("local.onmicrosoft.com", form(&client_id, &client_secret, &scope), 200, 0),
        ("other", form(&client_id, &client_secret, &scope), 400, 90_002),
        (tenant_id.as_str(), form("other", &client_secret, &scope), 400, 700_016),
        (tenant_id.as_str(), form(&client_id, "other", &scope), 401, 7_000_215),
        (tenant_id.as_str(), form(&client_id, &client_secret, RESOURCE), 400, 1_002_012),
        (tenant_id.as_str(), "grant_type=password&client_id=x".to_owned(), 400, 70_003),
    ] {
        let path = format!("POST /{tenant}/oauth2/v2.0/token");
        let answer = town.ask(StandIn::Entra, &path, &[], &body).await;
        assert_eq!(answer.status, status, "{code}");
        if code == 0 {
            assert!(answer.body["access_token"].is_string());
        } else {
            let description = answer.body["error_description"].as_str().unwrap();
            assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
            assert_eq!(answer.body["error_codes"], json!([code]));
        }
    }
}

#[tokio::test]
async fn discovery_names_the_host_that_was_called_and_rotation_adds_a_key() {
    let town = Town::new().await;
    let tenant = Seed::default().tenant_id;
    let path = format!("GET /{tenant}/v2.0/.well-known/openid-configuration");
    let document = town.ask(StandIn::Entra, &path, &[], "").await.body;
    let base = town.url(StandIn::Entra, "");
    assert_eq!(document["issuer"], format!("{base}/{tenant}/v2.0"));
    assert_eq!(document["token_endpoint"], format!("{base}/{tenant}/oauth2/v2.0/token"));
    let keys = format!("GET /{tenant}/discovery/v2.0/keys");
    let count = async || {
        let keys = town.ask(StandIn::Entra, &keys, &[], "").await.body;
        keys["keys"].as_array().unwrap().len()
    };
    assert_eq!(count().await, 1);
    town.ask(StandIn::Entra, "POST /.simulator/rotate-keys", &[], "").await;
    assert_eq!(count().await, 2);
    town.ask(StandIn::Entra, "POST /.simulator/retire-keys", &[], "").await;
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn key_vault_challenges_and_then_answers() {
    let town = Town::new().await;
    let get = "GET /secrets/openai-api-key/?api%2Dversion=7.4";
    let refused = town.ask(StandIn::KeyVault, get, &[], "").await;
    assert_eq!(refused.status, 401);
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"resource="https://vault.azure.net""#), "{challenge}");
    let wrong = format!("Bearer {}", town.token(RESOURCE).await);
    let right = format!("Bearer {}", town.token("https://vault.azure.net").await);
    let status = async |request: &str, token: &str| {
        town.ask(StandIn::KeyVault, request, &[("authorization", token)], "").await.status
    };
    assert_eq!((status(get, &wrong).await, status(get, &right).await), (401, 200));
    assert_eq!(status("GET /secrets/missing", &right).await, 404);
    let headers = [("authorization", right.as_str())];
    let written =
        town.ask(StandIn::KeyVault, "PUT /secrets/new", &headers, r#"{"value":"v"}"#).await.body;
    let path = written["id"].as_str().unwrap().split("/secrets/").nth(1).unwrap();
    let read = town.ask(StandIn::KeyVault, &format!("GET /secrets/{path}"), &headers, "").await;
    assert_eq!(read.body["value"], "v");
    assert_eq!(status("DELETE /secrets/new", &right).await, 200);
    assert_eq!(status("GET /secrets/new", &right).await, 404);
}

#[tokio::test]
async fn azure_openai_checks_keys_and_tokens_and_says_so_in_two_shapes() {
    let town = Town::new().await;
    let key = Seed::default().openai_key;
    let key = key.as_str();
    let good = format!("Bearer {}", town.token(RESOURCE).await);
    let bad = format!("Bearer {}", town.token("https://vault.azure.net").await);
    let (good, bad) = (good.as_str(), bad.as_str());
    let chat = |deployment: &str| {
        format!("POST /openai/deployments/{deployment}/chat/completions?api-version=2024-10-21")
    };
    let body = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    for (path, headers, status, code) in [
        (chat("gpt-4o"), vec![("api-key", key)], 200, Value::Null),
        (chat("gpt-4o"), vec![("authorization", good)], 200, Value::Null),
        (chat("gpt-4o"), vec![("authorization", good), ("api-key", "other")], 200, Value::Null),
        (chat("gpt-4o"), vec![("api-key", "other")], 401, json!("401")),
        (chat("gpt-4o"), vec![], 401, json!("401")),
        (chat("gpt-4o"), vec![("authorization", bad)], 401, Value::Null),
        (chat("none"), vec![("api-key", key)], 404, json!("DeploymentNotFound")),
        (
            chat("text-embedding-3-small"),
            vec![("api-key", key)],
            400,
            json!("OperationNotSupported"),
        ),
        ("POST /openai/nothing".to_owned(), vec![("api-key", key)], 404, json!("404")),
    ] {
        let answer = town.ask(StandIn::AzureOpenAi, &path, &headers, body).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (status, &code), "{path}");
        assert!(answer.headers.contains_key("x-request-id"));
    }
    let flat =
        town.ask(StandIn::AzureOpenAi, &chat("gpt-4o"), &[("authorization", bad)], body).await;
    assert_eq!(flat.body["statusCode"], 401);
}

#[tokio::test]
async fn a_faulted_stand_in_fails_as_told_and_then_recovers() {
    let town = Town::new().await;
    let key = Seed::default().openai_key;
    let ask = async || {
        let path = "POST /openai/v1/embeddings";
        let body = r#"{"model":"text-embedding-3-small","input":"x"}"#;
        town.try_ask(StandIn::AzureOpenAi, path, &[("api-key", &key)], body).await
    };
    let fault = async |body: &str| {
        town.ask(StandIn::AzureOpenAi, "PUT /.simulator/fault", &[], body).await.status
    };
    assert_eq!(fault(r#"{"status":429,"retry-after":9,"times":1}"#).await, 204);
    let throttled = ask().await.unwrap();
    assert_eq!(
        (throttled.status, &throttled.headers["retry-after-ms"]),
        (429, &"9000".parse().unwrap())
    );
    assert_eq!(ask().await.unwrap().status, 200);
    assert_eq!(fault(r#"{"outage":true}"#).await, 204);
    assert!(matches!(ask().await, Err(CallError::Broken { .. })));
    town.ask(StandIn::AzureOpenAi, "DELETE /.simulator/fault", &[], "").await;
    assert_eq!(ask().await.unwrap().status, 200);
    assert_eq!(fault(r#"{"status":200}"#).await, 400);
    assert_eq!(fault(r#"{"latency":1}"#).await, 400);
}
