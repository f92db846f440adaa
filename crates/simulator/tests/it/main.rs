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
            StandIn::Mcp => ("http", at.mcp),
            StandIn::Cosmos => ("http", at.cosmos),
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
async fn key_vault_keeps_what_is_deleted_and_shows_pages() {
    let town = Town::new().await;
    let token = format!("Bearer {}", town.token("https://vault.azure.net").await);
    let headers = [("authorization", token.as_str())];
    let ask = async |request: &str, body: &str| {
        let answer = town.ask(StandIn::KeyVault, request, &headers, body).await;
        (answer.status, answer.body)
    };
    ask("PUT /secrets/a", r#"{"value":"v","contentType":"text/plain","tags":{"k":"t"}}"#).await;
    let backup = ask("POST /secrets/a/backup", "").await.1.to_string();
    for (request, body, status, pointer, expected) in [
        (
            "PATCH /secrets/a",
            r#"{"attributes":{"enabled":false}}"#,
            200,
            "/attributes/enabled",
            "false",
        ),
        ("GET /secrets/a", "", 403, "/error/code", "\"Forbidden\""),
        ("PATCH /secrets/a/", r#"{"attributes":{"enabled":true}}"#, 200, "/tags/k", "\"t\""),
        ("GET /secrets/A", "", 200, "/contentType", "\"text/plain\""),
        ("POST /secrets/restore", backup.as_str(), 409, "/error/code", "\"Conflict\""),
        ("DELETE /secrets/a", "", 200, "/attributes/recoverableDays", "90"),
        ("GET /deletedsecrets/a", "", 200, "/attributes/enabled", "true"),
        ("PUT /secrets/a", r#"{"value":"v"}"#, 409, "/error/code", "\"Conflict\""),
        ("POST /deletedsecrets/a/recover", "", 200, "/tags/k", "\"t\""),
        ("GET /secrets/a", "", 200, "/value", "\"v\""),
        ("DELETE /secrets/a", "", 200, "/value", ""),
        ("DELETE /deletedsecrets/a", "", 204, "", "null"),
        ("GET /deletedsecrets/a", "", 404, "/error/code", "\"SecretNotFound\""),
        ("POST /secrets/restore", backup.as_str(), 200, "/value", "\"v\""),
        ("POST /secrets/restore", r#"{"value":"x"}"#, 400, "/error/code", "\"BadParameter\""),
        ("PUT /secrets/b", "{", 400, "/error/code", "\"BadParameter\""),
    ] {
        let (got, answer) = ask(request, body).await;
        let found = answer.pointer(pointer).map(ToString::to_string).unwrap_or_default();
        assert_eq!((got, found.as_str()), (status, expected), "{request}");
    }
    for n in 0..60 {
        ask(&format!("PUT /secrets/page{n}"), r#"{"value":"v"}"#).await;
    }
    let mut names = std::collections::BTreeSet::new();
    let mut next = "/secrets?api-version=7.4&maxresults=20".to_owned();
    for _ in 0..4 {
        let (_, page) = ask(&format!("GET {next}"), "").await;
        let ids = page["value"].as_array().unwrap().iter().map(|it| it["id"].to_string());
        names.extend(ids);
        next = match page["nextLink"].as_str() {
            Some(link) => link[link.find("/secrets?").unwrap()..].to_owned(),
            None => String::new(),
        };
    }
    assert_eq!((names.len(), next.as_str()), (62, ""));
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

/// The answer's body as text, up to where it ends or breaks; whether it ended.
async fn text(town: &Town, path: &str, body: &str) -> (u16, HeaderMap, String, bool) {
    let key = Seed::default().openai_key;
    let request = http::Request::builder()
        .method("POST")
        .uri(town.url(StandIn::AzureOpenAi, path))
        .header("api-key", key)
        .body(Body::full(body.to_owned()))
        .unwrap();
    let response = town.client.send(request, &CallOptions::default()).await.unwrap();
    let (head, mut body) = response.into_parts();
    let mut text = String::new();
    let has_ended = loop {
        match body.next_data().await {
            Ok(Some(data)) => text.push_str(std::str::from_utf8(&data).unwrap()),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    (head.status.as_u16(), head.headers, text, has_ended)
}

const CHAT: &str = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";

#[tokio::test]
async fn a_script_throttles_fails_breaks_and_filters_in_its_order() {
    let town = Town::new().await;
    let script = r#"[{"status":429,"retry-after":2},{"status":500},{"break-after-events":3},
        {"content-filter":"hate"},{}]"#;
    town.ask(StandIn::AzureOpenAi, "PUT /.simulator/fault", &[], script).await;
    let body = r#"{"stream":true,"messages":[{"role":"user","content":"one two"}]}"#;
    let (status, headers, ..) = text(&town, CHAT, body).await;
    assert_eq!((status, &headers["retry-after"]), (429, &"2".parse().unwrap()));
    assert_eq!(text(&town, CHAT, body).await.0, 500);
    let (status, _, events, has_ended) = text(&town, CHAT, body).await;
    assert_eq!((status, events.matches("\n\n").count(), has_ended), (200, 3, false));
    let (_, _, events, has_ended) = text(&town, CHAT, body).await;
    assert!(has_ended && events.contains(r#""finish_reason":"content_filter""#));
    let (_, _, events, _) = text(&town, CHAT, body).await;
    assert!(events.contains(r#""finish_reason":"stop""#) && events.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_deployment_with_limits_refuses_as_azure_does_and_a_host_can_have_its_own() {
    let town = Town::new().await;
    let limited = r#"{"gpt-4o":{"model":"gpt-4o","tokens-per-minute":40},
        "east/gpt-4o":{"model":"east-model"}}"#;
    let put = "PUT /.simulator/deployments";
    assert_eq!(town.ask(StandIn::AzureOpenAi, put, &[], limited).await.status, 204);
    let key = Seed::default().openai_key;
    let ask = async |host: &str, body: &str| {
        let headers = [("api-key", key.as_str()), ("host", host)];
        town.ask(StandIn::AzureOpenAi, &format!("POST {CHAT}"), &headers, body).await
    };
    let body = r#"{"messages":[{"role":"user","content":"hi"}],"max_tokens":20}"#;
    let first = ask("west.openai.azure.com", body).await;
    assert_eq!(
        (first.status, &first.headers["x-ratelimit-remaining-tokens"]),
        (200, &"15".parse().unwrap())
    );
    let second = ask("west.openai.azure.com", body).await;
    assert_eq!(second.status, 429);
    assert!(
        second.body["error"]["message"].as_str().unwrap().contains("exceeded token rate limit")
    );
    assert!(second.headers.contains_key("x-ratelimit-reset-tokens"));
    assert_eq!(ask("east.openai.azure.com", body).await.body["model"], "east-model");
    town.ask(StandIn::AzureOpenAi, "DELETE /.simulator/deployments", &[], "").await;
    assert_eq!(ask("east.openai.azure.com", body).await.body["model"], "gpt-4o-2024-11-20");
}

#[tokio::test]
async fn every_api_has_its_path_and_its_shape() {
    let town = Town::new().await;
    let said = r#"[{"role":"user","content":"hi"}]"#;
    for (path, body, expected) in [
        (
            "/openai/v1/completions",
            r#"{"model":"gpt-4o","prompt":"hi"}"#.to_owned(),
            r#""text":"You said: hi""#,
        ),
        (
            "/openai/v1/responses",
            format!(r#"{{"model":"gpt-4o","input":{said}}}"#),
            r#""object":"response""#,
        ),
        (
            "/openai/v1/responses",
            format!(r#"{{"model":"gpt-4o","input":{said},"stream":true}}"#),
            "event: response.completed\n",
        ),
        (
            "/anthropic/v1/messages",
            format!(r#"{{"model":"claude-sonnet-4-5","max_tokens":9,"messages":{said}}}"#),
            r#""stop_reason":"end_turn""#,
        ),
        (
            "/v1beta/models/gemini-2.5-flash:generateContent",
            r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#.to_owned(),
            r#""finishReason":"STOP""#,
        ),
    ] {
        let (status, _, text, _) = text(&town, path, &body).await;
        assert!(status == 200 && text.contains(expected), "{path}: {status} {text}");
    }
    let key = Seed::default().openai_key;
    let headers = [("api-key", key.as_str())];
    let models = town.ask(StandIn::AzureOpenAi, "GET /openai/v1/models", &headers, "").await;
    assert!(models.body["data"].as_array().unwrap().iter().any(|it| it["id"] == "gpt-4o"));
}

#[tokio::test]
async fn content_safety_stands_beside_the_models_and_wants_a_key_or_a_token() {
    let town = Town::new().await;
    let key = Seed::default().openai_key;
    let token = format!("Bearer {}", town.token(RESOURCE).await);
    let path = "POST /contentsafety/text:analyze?api-version=2024-09-01";
    let body = r#"{"text":"[hate:6]","categories":["Hate"]}"#;
    for (header, status) in [
        (("ocp-apim-subscription-key", key.as_str()), 200),
        (("authorization", token.as_str()), 200),
        (("api-key", key.as_str()), 401),
        (("authorization", "Bearer other"), 401),
    ] {
        let answer = town.ask(StandIn::AzureOpenAi, path, &[header], body).await;
        assert_eq!(answer.status, status, "{}", header.0);
        if status == 200 {
            assert_eq!(answer.body["categoriesAnalysis"][0]["severity"], 6);
        }
    }
    let headers = [("ocp-apim-subscription-key", key.as_str())];
    let path = "POST /contentsafety/text:analyze";
    assert_eq!(town.ask(StandIn::AzureOpenAi, path, &headers, body).await.status, 400);
}

#[tokio::test]
async fn the_mcp_server_has_sessions_tools_and_an_end() {
    let town = Town::new().await;
    let both = ("accept", "application/json, text/event-stream");
    let begun = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
    let answer = town.ask(StandIn::Mcp, "POST /mcp", &[both], begun).await;
    assert_eq!(answer.body["result"]["protocolVersion"], "2025-06-18");
    let session = answer.headers["mcp-session-id"].to_str().unwrap();
    let headers = [both, ("mcp-session-id", session)];
    let call = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call",
        "params":{"name":"add","arguments":{"a":1,"b":2}}}"#;
    let answer = town.ask(StandIn::Mcp, "POST /mcp", &headers, call).await;
    assert_eq!(answer.body["result"]["content"][0]["text"], "3");
    assert_eq!(town.ask(StandIn::Mcp, "POST /mcp", &[], begun).await.status, 406);
    assert_eq!(town.ask(StandIn::Mcp, "GET /mcp", &headers, "").await.status, 405);
    assert_eq!(town.ask(StandIn::Mcp, "DELETE /mcp", &headers, "").await.status, 204);
    assert_eq!(town.ask(StandIn::Mcp, "POST /mcp", &headers, call).await.status, 404);
}

#[tokio::test]
async fn a_token_takes_its_time_on_the_clock_of_the_world() {
    let ca = LocalCa::generate().unwrap();
    let clock = transport::FakeClock::at_unix(1_800_000_000);
    let world = Arc::new(World::new(Seed::default(), Arc::new(clock.clone())).unwrap());
    let started = Simulator::start(world, &StandIn::ALL, Ports::default(), &ca).await.unwrap();
    let client = Client::new(ClientConfig::new(Roots::none(), HostMap::new()));
    let town = Town { simulator: started, client };
    let slow = r#"{"gpt-4o":{"model":"m","latency-per-token-ms":1000}}"#;
    town.ask(StandIn::AzureOpenAi, "PUT /.simulator/deployments", &[], slow).await;
    let body = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    let mut asked = std::pin::pin!(text(&town, CHAT, body));
    for _ in 0..10_000 {
        if clock.sleepers() > 0 {
            break;
        }
        tokio::select! {
            _ = asked.as_mut() => panic!("answered at once"),
            () = tokio::task::yield_now() => {}
        }
    }
    // "You said: hi" has three tokens.
    clock.advance(std::time::Duration::from_millis(2999));
    assert_eq!(clock.sleepers(), 1);
    clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(asked.await.0, 200);
}

#[tokio::test]
async fn cosmos_db_wants_a_signature_or_a_token_and_keeps_documents_by_partition() {
    let town = Town::new().await;
    let token = town.token("https://localhost").await;
    let authorization = format!("type%3Daad%26ver%3D1.0%26sig%3D{token}");
    let wrong = format!("type%3Daad%26ver%3D1.0%26sig%3D{}", town.token(RESOURCE).await);
    let docs = "/dbs/local/colls/items/docs";
    let upsert = ("x-ms-documentdb-is-upsert", "True");
    let one = ("x-ms-documentdb-partitionkey", r#"["1"]"#);
    let two = ("x-ms-documentdb-partitionkey", r#"["2"]"#);
    let query = ("x-ms-documentdb-isquery", "True");
    let across = ("x-ms-documentdb-query-enablecrosspartition", "True");
    let all = r#"{"query":"SELECT * FROM c"}"#;
    let sorted = r#"{"query":"SELECT * FROM c ORDER BY c.id"}"#;
    let set = r#"{"operations":[{"op":"set","path":"/n","value":5}]}"#;
    for (request, headers, body, status) in [
        ("POST DOCS", vec![one], r#"{"id":"1"}"#, 201),
        ("POST DOCS", vec![one], r#"{"id":"1"}"#, 409),
        ("POST DOCS", vec![one, upsert], r#"{"id":"1","n":4}"#, 200),
        ("POST DOCS", vec![two], r#"{"id":"1"}"#, 400),
        ("POST DOCS", vec![], r#"{"id":"1"}"#, 400),
        ("POST DOCS", vec![two], "[]", 400),
        ("POST DOCS", vec![two], r#"{"id":"2"}"#, 201),
        ("GET DOCS/1", vec![one], "", 200),
        ("GET DOCS/1", vec![two], "", 404),
        ("PATCH DOCS/1", vec![one], set, 200),
        ("PUT DOCS/1", vec![one, ("if-match", "\"x\"")], r#"{"id":"1"}"#, 412),
        ("PUT DOCS/1", vec![one, ("if-match", "*")], r#"{"id":"1"}"#, 200),
        ("GET DOCS/1", vec![one, ("if-none-match", "*")], "", 304),
        ("GET DOCS/1", vec![one, ("x-ms-consistency-level", "Best")], "", 400),
        ("GET DOCS/1", vec![one, ("x-ms-documentdb-pre-trigger-include", "t")], "", 400),
        ("POST DOCS", vec![query], all, 400),
        ("POST DOCS", vec![query, across], all, 200),
        ("POST DOCS", vec![query, across], sorted, 400),
        ("POST DOCS", vec![query, two], sorted, 200),
        ("DELETE DOCS/1", vec![one], "", 204),
        ("DELETE DOCS/1", vec![one], "", 404),
        ("GET /dbs/local", vec![], "", 200),
        ("GET /dbs/other", vec![], "", 404),
        ("POST /dbs", vec![], r#"{"id":"shop"}"#, 201),
        ("POST /dbs/shop/colls", vec![], r#"{"id":"a"}"#, 400),
        ("POST /dbs/shop/colls", vec![], r#"{"id":"a","partitionKey":{"paths":["/b/c"]}}"#, 201),
        ("GET /dbs/shop/colls/a", vec![], "", 200),
        ("GET /dbs/shop/colls/a/sprocs", vec![], "", 404),
    ] {
        let request = request.replace("DOCS", docs);
        let mut headers = headers;
        headers.extend([("x-ms-version", "2018-12-31"), ("authorization", &authorization)]);
        let answer = town.ask(StandIn::Cosmos, &request, &headers, body).await;
        assert_eq!(answer.status, status, "{request} {headers:?} {}", answer.body);
    }
    for (authorization, status) in [
        (wrong.as_str(), 401),
        ("", 401),
        ("type%3Dmaster%26ver%3D1.0%26sig%3Dx", 403),
        ("type%3Dresource%26ver%3D1.0%26sig%3Dx", 401),
    ] {
        let headers = [("x-ms-version", "2018-12-31"), ("authorization", authorization)];
        let answer = town.ask(StandIn::Cosmos, "GET /dbs/local", &headers, "").await;
        assert_eq!(answer.status, status, "{authorization}");
    }
}
