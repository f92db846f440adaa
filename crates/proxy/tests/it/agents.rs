//! MCP servers, A2A agents and unified model APIs from their configuration to what a backend is sent.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use config::{Engine, NoSecrets, Options, Source, load};
use http::{HeaderMap, StatusCode};
use pipeline::{Extensions, Registry};
use proxy::Gateway;
use serde_json::{Value, json};
use transport::{Body, FakeClient, Peer, Response};

use crate::test_support::services;

const SPEC: &str = "openapi: 3.0.1\npaths:\n  '/orders/{id}': { get: { operationId: getOrder, parameters: \
    [{ name: id, in: path, required: true, schema: { type: integer } }, \
    { name: tag, in: query, schema: { type: string } }] } }\n";

struct World {
    gateway: Arc<Gateway>,
    client: FakeClient,
    warnings: Vec<String>,
}

/// A gateway that runs this configuration; the backends answer by their path.
async fn world(yaml: &str, policy: &str, answers: &'static [(&str, u16, &str, &str)]) -> World {
    let client = FakeClient::new(move |request| {
        let found = answers.iter().find(|(path, ..)| request.uri.path() == *path);
        let (_, status, kind, body) = found.copied().unwrap_or(("", 404, "text/plain", "nowhere"));
        let mut response = Response::new(Body::full(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert("content-type", kind.parse().unwrap());
        Ok(response)
    });
    let files = [("portcullis.yaml", yaml), ("spec.yaml", SPEC), ("p.xml", policy)];
    let registry = Registry::new(policies::ALL);
    let engine = Engine { registry: &registry, extensions: &Extensions::default() };
    let source = Source::from_files(files);
    let loaded = load(&source, &Options::default(), &NoSecrets, engine).await;
    let warnings = loaded.diagnostics.iter().map(|it| format!("{} {}", it.code, it.message));
    let warnings: Vec<String> = warnings.collect();
    let gateway = Gateway::new(services(Some(client.clone())), None);
    gateway.install(Arc::new(loaded.snapshot.unwrap_or_else(|| panic!("{warnings:?}"))));
    World { gateway, client, warnings }
}

impl World {
    async fn ask(
        &self,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, HeaderMap, String) {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request =
            http::Request::builder().method(method).uri(path).header("host", "gw.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::full(body.to_owned())).unwrap();
        let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let (head, body) = self.gateway.clone().handle(request, peer).await.into_parts();
        let body = body.collect(1 << 20).await.unwrap();
        (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let headers = [&[("content-type", "application/json")], headers].concat();
        let answer = self.ask(&format!("POST {path}"), &headers, &body.to_string()).await;
        (answer.0, serde_json::from_str(&answer.2).unwrap_or(Value::String(answer.2)))
    }

    /// What the backends were sent, in order: method, URL, body.
    fn sent(&self) -> Vec<String> {
        let shown = |it: &transport::RecordedRequest| {
            format!("{} {} {}", it.method, it.uri, String::from_utf8_lossy(&it.body))
        };
        self.client.requests().iter().map(|it| shown(it).trim().to_owned()).collect()
    }
}

const INHERITS: &str = "<policies><inbound><base /></inbound><backend><base /></backend>\
    <outbound><base /></outbound><on-error><base /></on-error></policies>";

fn inbound(policies: &str) -> String {
    INHERITS.replacen("<base /></inbound>", &format!("<base />{policies}</inbound>"), 1)
}

const TOOLS: &str = "apis:\n  orders: { url: https://orders.test, path: rest, spec: spec.yaml, key: false }\n  \
    shop: { tools: [orders/getOrder], key: false, policy: p.xml, instructions: Ask. }\n";

const ORDERS: &[(&str, u16, &str, &str)] = &[
    ("/orders/7", 200, "application/json", r#"{"id":7}"#),
    ("/orders/8", 500, "text/plain", "broken"),
];

fn call(name: &str, arguments: &Value) -> Value {
    let params = json!({ "name": name, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
}

#[tokio::test]
async fn the_tool_of_an_mcp_server_is_a_call_of_its_operation() {
    let policy = inbound(r#"<set-header name="x-from"><value>mcp</value></set-header>"#);
    let world = world(TOOLS, &policy, ORDERS).await;
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": { "protocolVersion": "2025-06-18", "capabilities": {} } });
    let (status, begun) = world.post("/shop/mcp", &[], &hello).await;
    assert_eq!((status, &begun["result"]["instructions"]), (200, &json!("Ask.")));
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let (_, listed) = world.post("/shop/mcp", &[], &list).await;
    assert_eq!(listed["result"]["tools"][0]["name"], "getorder");

    let secret = [("authorization", "Bearer of-the-client")];
    let secret = [secret[0], ("mcp-protocol-version", "2025-06-18")];
    let (_, called) = world
        .post("/shop/mcp", &secret, &call("getorder", &json!({ "id": 7, "tag": "a b" })))
        .await;
    assert_eq!(called["result"]["structuredContent"], json!({ "id": 7 }));
    let (_, failed) = world.post("/shop/mcp", &[], &call("getorder", &json!({ "id": 8 }))).await;
    assert_eq!(
        (&failed["result"]["isError"], &failed["result"]["content"][0]["text"]),
        (&json!(true), &json!("broken"))
    );
    assert_eq!(
        world.sent(),
        ["GET https://orders.test/orders/7?tag=a%20b", "GET https://orders.test/orders/8"]
    );
    let first = &world.client.requests()[0];
    assert_eq!(first.headers["x-from"], "mcp");
    assert!(!first.headers.contains_key("authorization"));
}

#[tokio::test]
async fn an_mcp_server_refuses_what_the_protocol_forbids() {
    let world = world(TOOLS, INHERITS, ORDERS).await;
    let json = ("content-type", "application/json");
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let large = format!("\"{}\"", "x".repeat(agents::mcp::MAX_MESSAGE_BYTES));
    for (line, headers, body, status) in [
        ("GET /shop/mcp", &[("accept", "text/event-stream")][..], "", 405),
        ("DELETE /shop/mcp", &[], "", 400),
        ("POST /shop/mcp", &[("content-type", "text/plain")], ping, 415),
        ("POST /shop/mcp", &[json, ("accept", "text/html")], ping, 406),
        ("POST /shop/mcp", &[json, ("mcp-protocol-version", "2024-01-01")], ping, 400),
        ("POST /shop/mcp", &[json, ("mcp-session-id", "a b")], ping, 400),
        ("POST /shop/mcp", &[json], "{", 400),
        ("POST /shop/mcp", &[json], &large, 413),
        (
            "POST /shop/mcp",
            &[json],
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            202,
        ),
        ("POST /shop/mcp", &[json], ping, 200),
        ("POST /shop/other", &[json], ping, 404),
    ] {
        let answer = world.ask(line, headers, body).await;
        assert_eq!(answer.0, status, "{line} {headers:?} {}", answer.2);
    }
    assert_eq!(world.sent(), [""; 0]);
}

#[tokio::test]
async fn a_policy_that_reads_the_answer_of_a_streaming_server_is_warned_of() {
    let reads = r#"<set-header name="x"><value>@(context.Response.Body.As<string>(true))</value></set-header>"#;
    let reads = INHERITS.replacen("<outbound><base />", &format!("<outbound><base />{reads}"), 1);
    let passed = "apis: { w: { mcp: true, url: https://w.test/mcp, key: false, policy: p.xml } }\n";
    let warned = |it: &World| {
        it.warnings.iter().any(|it| it.starts_with("PC0525 API `w` holds every stream"))
    };
    assert!(warned(&world(passed, &reads, &[]).await));
    assert!(!warned(&world(passed, INHERITS, &[]).await));
    // Answers of tools are no streams.
    assert!(world(TOOLS, &reads, &[]).await.warnings.iter().all(|it| !it.starts_with("PC0525")));
}

#[tokio::test]
async fn a_server_that_is_passed_through_gets_the_message_as_it_is() {
    let passed = "apis: { w: { mcp: true, url: https://w.test/base/mcp, key: false } }\n";
    let world =
        world(passed, INHERITS, &[("/base/mcp", 200, "text/event-stream", "data: {}\n\n")]).await;
    let session = [("content-type", "application/json"), ("mcp-session-id", "s-1")];
    let answer = world.ask("POST /w/mcp?x=1", &session, r#"{ "any" : 1.0 }"#).await;
    assert_eq!((answer.0, answer.2.as_str()), (200, "data: {}\n\n"));
    assert_eq!(world.sent(), [r#"POST https://w.test/base/mcp?x=1 { "any" : 1.0 }"#]);
    assert_eq!(world.client.requests()[0].headers["mcp-session-id"], "s-1");
}

const AGENT: &str = "apis:\n  agent: { a2a: { card: https://agent.test/card.json }, \
    url: https://agent.test/rpc, key: false }\n";

const CARD: &[(&str, u16, &str, &str)] = &[
    (
        "/card.json",
        200,
        "application/json",
        r#"{"name":"a","url":"https://agent.test/rpc","signatures":[{}]}"#,
    ),
    ("/rpc", 200, "text/event-stream", "data: 1\n\ndata: 2\n\n"),
];

#[tokio::test]
async fn the_card_of_an_agent_leads_to_the_gateway_and_json_rpc_to_the_agent() {
    let world = world(AGENT, INHERITS, CARD).await;
    let (status, _, card) = world.ask("GET /agent/.well-known/agent-card.json", &[], "").await;
    let card: Value = serde_json::from_str(&card).unwrap();
    assert_eq!((status, &card["url"]), (200, &json!("http://gw.test/agent")));
    assert!(card.get("signatures").is_none());
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"message/stream"}"#;
    let answer = world.ask("POST /agent", &[("content-type", "application/json")], message).await;
    assert_eq!((answer.0, answer.2.as_str()), (200, "data: 1\n\ndata: 2\n\n"));
    assert_eq!(
        world.sent(),
        [
            "GET https://agent.test/card.json".to_owned(),
            format!("POST https://agent.test/rpc {message}")
        ]
    );
}

#[tokio::test]
async fn an_agent_with_keys_does_not_show_its_card_without_one() {
    let world = world(&AGENT.replace(", key: false", ""), INHERITS, CARD).await;
    for line in ["GET /agent/.well-known/agent-card.json", "POST /agent"] {
        assert_eq!(world.ask(line, &[], "{}").await.0, 401, "{line}");
    }
    assert_eq!(world.sent(), [""; 0]);
}

#[tokio::test]
async fn a_card_that_is_none_is_not_passed_on() {
    let broken: &[(&str, u16, &str, &str)] =
        &[("/card.json", 200, "text/html", "<html>secret</html>")];
    let world = world(AGENT, INHERITS, broken).await;
    let answer = world.ask("GET /agent/.well-known/agent.json", &[], "").await;
    assert_eq!(answer.0, 502);
    assert!(!answer.2.contains("secret"));
}

const MODELS: &str = "backends:\n  a: { url: https://ant.test }\n  o: { url: https://oai.test/openai/v1 }\n  \
    full: { url: https://oai.test/openai/deployments/gpt/chat/completions }\n\
    apis:\n  llm:\n    path: llm/v1\n    key: false\n    policy: p.xml\n    models:\n      \
    gpt: { model: gpt-4o, backend: o }\n      full: { backend: full }\n      \
    claude: { model: claude-x, format: anthropic, backend: a }\n      \
    best: [{ backend: a, format: anthropic, model: claude-y }, { backend: o, model: gpt-4o }]\n";

const PROVIDERS: &[(&str, u16, &str, &str)] = &[
    ("/openai/v1/chat/completions", 200, "application/json", r#"{"choices":[]}"#),
    ("/openai/deployments/gpt/chat/completions", 200, "application/json", r#"{"choices":[1]}"#),
    (
        "/v1/messages",
        529,
        "application/json",
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
    ),
];

fn chat(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "x" }] })
}

#[tokio::test]
async fn the_alias_of_a_unified_model_api_says_who_is_asked() {
    let world = world(MODELS, INHERITS, PROVIDERS).await;
    let path = "/llm/v1/chat/completions";
    let secret = [("authorization", "Bearer of-the-client")];
    assert_eq!(world.post(path, &secret, &chat("gpt")).await, (200, json!({ "choices": [] })));
    assert_eq!(world.post(path, &[], &chat("full")).await, (200, json!({ "choices": [1] })));
    let (status, failed) = world.post(path, &[], &chat("claude")).await;
    assert_eq!((status, &failed["error"]["message"]), (503, &json!("Overloaded")));
    assert_eq!(world.post(path, &[], &chat("best")).await.0, 200);
    let (status, unknown) = world.post(path, &[], &chat("other")).await;
    assert_eq!((status, &unknown["error"]["code"]), (404, &json!("model_not_found")));
    assert_eq!(world.post(path, &[], &json!({})).await.0, 400);
    let sent = world.sent();
    let urls: Vec<&str> = sent.iter().filter_map(|it| it.split(' ').nth(1)).collect();
    assert_eq!(
        urls,
        [
            "https://oai.test/openai/v1/chat/completions",
            "https://oai.test/openai/deployments/gpt/chat/completions",
            "https://ant.test/v1/messages",
            "https://ant.test/v1/messages",
            "https://oai.test/openai/v1/chat/completions",
        ]
    );
    assert!(sent[0].contains(r#""model":"gpt-4o""#) && sent[4].contains(r#""model":"gpt-4o""#));
    assert!(sent[3].contains(r#""max_tokens":4096"#));
    let requests = world.client.requests();
    assert!(requests.iter().all(|it| !it.headers.contains_key("authorization")));
    assert_eq!(requests[2].headers["anthropic-version"], "2023-06-01");
}

#[tokio::test]
async fn a_policy_that_moves_a_unified_model_api_is_refused() {
    let moves = inbound(r#"<set-backend-service base-url="https://elsewhere.test" />"#);
    let world = world(MODELS, &moves, PROVIDERS).await;
    assert_eq!(world.post("/llm/v1/chat/completions", &[], &chat("gpt")).await.0, 500);
    assert_eq!(world.sent(), [""; 0]);
}
