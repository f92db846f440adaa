//! Whole calls, from the request to the lines that are written.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use document::{Diagnostic, NamedValues};
use http::{HeaderName, HeaderValue, StatusCode};
use pipeline::{
    Background, Body, CompileCx, Context, Element, EventSink, Extensions, Flow, Fragments, LlmLog,
    LogFile, LogTarget, Logger, Pipeline, PolicyError, PolicyKind, Registry, Response, Scope,
    Scopes, Sections, Services, Step, Surroundings, Target, Waiting, compile_document,
};
use serde_json::{Value, json};
use telemetry::{AccessLog, Metrics, Outbox, Rotation, Secrets, Sink};
use transport::BodySender;

use super::LOGGING;
use crate::test_support::{Answering, context};

const CHAT: &str = "/openai/deployments/gpt-4o/chat/completions";
const HELLO: &str = r#"{"messages":[{"role":"user","content":"Hello"}]}"#;
const ANSWER: &str = r#"{"id":"chatcmpl-1","model":"gpt-4o-2024","choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#;
const STREAM: [&str; 4] = [
    "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\nda",
    "ta: {\"choices\":[{\"delta\":{\"content\":\" there\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}\n\n",
    "data: [DONE]\n\n",
];

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The backend's answer, for the one policy that there is.
#[derive(Debug, Default)]
struct Next(Mutex<Option<Response>>);

const FORWARD: PolicyKind = PolicyKind {
    name: "forward",
    summary: "Takes the answer that a test has laid ready.",
    sections: Sections::BACKEND,
    scopes: Scopes::ALL,
    attrs: &[],
    children: &[],
    compile,
};

fn compile(_: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Step, Diagnostic> {
    Ok(Step::waiting(Forward(cx.shared())))
}

#[derive(Debug)]
struct Forward(Arc<Next>);

impl Waiting for Forward {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        context.calls.count += 1;
        if let Ok(body) = context.request.body.send() {
            body.collect(usize::MAX).await.unwrap();
        }
        match self.0.0.lock().unwrap().take() {
            Some(response) => context.set_backend_response(response),
            None => return Err(PolicyError::new("Timeout", "no answer")),
        }
        Ok(Flow::Next)
    }
}

/// What is logged, and of which request.
struct Trial {
    logs: Vec<LlmLog>,
    secrets: Vec<&'static str>,
    extensions: Extensions,
    memory: Memory,
    path: &'static str,
    body: String,
    headers: Vec<(&'static str, &'static str)>,
    inbound: &'static str,
}

fn log(max_request_bytes: Option<usize>, max_response_bytes: Option<usize>) -> LlmLog {
    let diagnostic = "azuremonitor".to_owned();
    LlmLog { diagnostic, logger: None, max_request_bytes, max_response_bytes }
}

fn trial() -> Trial {
    let memory = Memory::default();
    let access_log = AccessLog::new(Sink::Writer(Box::new(memory.clone())), 64 << 20).unwrap();
    let mut extensions = Extensions::default();
    extensions.insert(Arc::new(access_log));
    Trial {
        logs: vec![log(Some(32_768), Some(32_768))],
        secrets: vec!["hunter2"],
        extensions,
        memory,
        path: CHAT,
        body: HELLO.to_owned(),
        headers: vec![],
        inbound: "",
    }
}

impl Trial {
    fn pipeline(&self) -> Pipeline {
        let text = format!(
            "<policies><inbound>{}</inbound><backend><forward/></backend></policies>",
            self.inbound
        );
        let (document, problems) = document::parse(&text);
        assert!(problems.is_empty(), "{problems:?}");
        let registry = Registry::new(&[FORWARD, crate::LLM_EMIT_TOKEN_METRIC]);
        let surroundings = Surroundings {
            registry: &registry,
            named_values: &NamedValues::new(),
            fragments: &Fragments::new(),
            backends: None,
            extensions: &self.extensions,
            options: &expr::Options::default(),
        };
        let target = Target::scope(Scope::Api);
        let (compiled, problems) = compile_document(&document, None, target, &surroundings);
        assert!(problems.is_empty(), "{problems:?}");
        let plain = Pipeline::splice(&[&compiled.unwrap()]);
        let secrets = Arc::new(Secrets::new(self.secrets.iter().copied()).unwrap());
        plain.with_llm_log((LOGGING.0)(&self.logs, &secrets, &self.extensions))
    }

    fn context(&self) -> Context {
        let mut context =
            context(Answering::new(|_, _| (200, String::new())), self.path, &self.body);
        let services = Services::clone(&context.services).with_extensions(self.extensions.clone());
        context.services = Arc::new(services);
        for (name, value) in &self.headers {
            let name = HeaderName::from_static(name);
            context.request.headers.insert(name, HeaderValue::from_static(value));
        }
        context
    }

    /// Runs the request up to the head of the answer.
    async fn run(&self, response: Option<Response>) -> Context {
        let next: Arc<Next> = self.extensions.shared();
        *next.0.lock().unwrap() = response;
        let pipeline = self.pipeline();
        let mut context = self.context();
        pipeline::run(&pipeline, &mut context).await;
        context
    }

    /// What was written, once all is done.
    async fn lines(self) -> Vec<Value> {
        let background: Arc<Background> = self.extensions.shared();
        background.settled().await;
        let Trial { extensions, memory, .. } = self;
        // The writer of the log is joined when the last who holds it lets go.
        drop(extensions);
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    /// Runs a request that is answered with this body, to its end.
    async fn answered(self, kind: &'static str, body: &str) -> Vec<Value> {
        let context = self.run(Some(response(kind, Body::bytes(body.to_owned())))).await;
        end(context).await;
        self.lines().await
    }
}

async fn end(mut context: Context) {
    let body = context.response_mut().body.send().unwrap();
    body.collect(usize::MAX).await.unwrap();
}

fn response(kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(StatusCode::OK);
    response.headers.insert("content-type", HeaderValue::from_static(kind));
    response.body = body;
    response
}

fn stream() -> (BodySender, Response) {
    let (sender, body) = transport::Body::channel(8);
    (sender, response("text/event-stream", Body::stream(body)))
}

fn messages(lines: &[Value], column: &str) -> Vec<Value> {
    let all = lines.iter().filter_map(|it| it.get(column)).flat_map(|it| it.as_array().unwrap());
    all.cloned().collect()
}

fn counted(extensions: &Extensions, name: &str) -> String {
    let metrics: Arc<Metrics> = extensions.shared();
    let text = metrics.prometheus();
    let line = text.lines().find(|it| it.starts_with(name));
    line.and_then(|it| it.rsplit(' ').next()).unwrap_or("0").to_owned()
}

#[tokio::test]
async fn a_call_is_a_summary_a_prompt_and_an_answer() {
    let lines = trial().answered("application/json", ANSWER).await;
    let numbers: Vec<u64> = lines.iter().map(|it| it["SequenceNumber"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2]);
    assert!(lines.iter().all(|it| it["CorrelationId"] == lines[0]["CorrelationId"]));
    assert_eq!(lines[0]["DeploymentName"], "gpt-4o");
    assert_eq!(lines[0]["ModelName"], "gpt-4o-2024");
    assert_eq!(lines[0]["RequestId"], "chatcmpl-1");
    let tokens =
        (&lines[0]["PromptTokens"], &lines[0]["CompletionTokens"], &lines[0]["TotalTokens"]);
    assert_eq!(tokens, (&json!(7), &json!(5), &json!(12)));
    assert_eq!(lines[1]["RequestMessages"], json!([{ "role": "user", "content": "Hello" }]));
    let said = json!([{ "role": "assistant", "content": "Hi", "finish_reason": "stop" }]);
    assert_eq!(lines[2]["ResponseMessages"], said);
}

#[tokio::test]
async fn only_what_is_wanted_is_logged() {
    for (request, answer, expected) in
        [(None, None, 1), (Some(100), None, 2), (None, Some(100), 2), (Some(100), Some(100), 3)]
    {
        let trial = Trial { logs: vec![log(request, answer)], ..trial() };
        let lines = trial.answered("application/json", ANSWER).await;
        assert_eq!(lines.len(), expected, "{request:?} {answer:?}");
        assert!(lines[0].get("RequestBytesLeftOut").is_none());
    }
}

#[tokio::test]
async fn a_stream_passes_frame_by_frame_untouched_and_is_logged_at_its_end() {
    let trial = trial();
    let (sender, response) = stream();
    let mut context = trial.run(Some(response)).await;
    let mut body = context.response_mut().body.send().unwrap();
    for piece in STREAM {
        let piece = Bytes::from(piece);
        sender.send(piece.clone()).await.unwrap();
        // It is there before anything else is sent, and it is the same memory.
        let passed = body.next_data().await.unwrap().unwrap();
        assert_eq!((passed.as_ptr(), passed.len()), (piece.as_ptr(), piece.len()));
    }
    drop(sender);
    assert!(body.next_data().await.unwrap().is_none());
    drop((body, context));
    let lines = trial.lines().await;
    assert_eq!(lines[0]["TotalTokens"], 5);
    let said = messages(&lines, "ResponseMessages");
    assert_eq!(
        said,
        [json!({ "role": "assistant", "content": "Hi there", "finish_reason": "stop" })]
    );
}

#[tokio::test]
async fn a_json_answer_is_not_waited_for() {
    let trial = trial();
    let (sender, body) = transport::Body::channel(8);
    let response = response("application/json", Body::stream(body));
    // The pipeline comes to its end while the answer is still open.
    let mut context = trial.run(Some(response)).await;
    assert!(context.response_mut().body.is_stream());
    let mut body = context.response_mut().body.send().unwrap();
    let (one, two) = ANSWER.split_at(40);
    for piece in [one, two] {
        sender.send(piece).await.unwrap();
        assert_eq!(body.next_data().await.unwrap().unwrap(), piece);
    }
    drop(sender);
    assert!(body.next_data().await.unwrap().is_none());
    drop((body, context));
    let lines = trial.lines().await;
    assert_eq!((lines.len(), &lines[0]["TotalTokens"]), (3, &json!(12)));
}

#[tokio::test]
async fn a_request_passes_untouched_too() {
    let trial = trial();
    let (sender, body) = transport::Body::channel(8);
    let mut context = trial.context();
    context.request.body = Body::stream(body);
    trial.pipeline().inbound.run(&mut context).await.unwrap();
    assert!(context.request.body.is_stream());
    assert!(!context.request.headers.contains_key("accept-encoding"));
    let mut body = context.request.body.send().unwrap();
    let piece = Bytes::from(HELLO);
    sender.send(piece.clone()).await.unwrap();
    assert_eq!(body.next_data().await.unwrap().unwrap().as_ptr(), piece.as_ptr());
    drop((sender, body, context));
    let lines = trial.lines().await;
    assert_eq!(lines.len(), 2, "a client that goes away is logged, without an answer");
    assert_eq!(messages(&lines, "RequestMessages")[0]["content"], "Hello");
    assert!(lines[0].get("TotalTokens").is_none());
}

#[tokio::test]
async fn a_stream_that_is_given_up_is_logged_as_far_as_it_came() {
    let trial = trial();
    let (sender, response) = stream();
    let mut context = trial.run(Some(response)).await;
    let mut body = context.response_mut().body.send().unwrap();
    sender.send(STREAM[0]).await.unwrap();
    body.next_data().await.unwrap();
    drop((body, context));
    let lines = trial.lines().await;
    assert_eq!(
        messages(&lines, "ResponseMessages"),
        [json!({ "role": "assistant", "content": "Hi" })]
    );
    assert!(lines[0].get("TotalTokens").is_none());
}

#[tokio::test]
async fn streams_of_every_api_are_read() {
    for (path, body, kind, answer, tokens) in [
        (
            "/v1/responses",
            r#"{"model":"gpt","stream":true,"input":"Hello"}"#,
            "text/event-stream",
            "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}}}\n\n",
            3,
        ),
        (
            "/v1/messages",
            r#"{"model":"claude","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hello"}]}"#,
            "text/event-stream",
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\n",
            5,
        ),
        (
            "/models/gemini:streamGenerateContent",
            r#"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#,
            "application/json",
            r#"[{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]},{"usageMetadata":{"totalTokenCount":4}}]"#,
            4,
        ),
    ] {
        let trial = Trial { path, body: body.to_owned(), ..trial() };
        let lines = trial.answered(kind, answer).await;
        assert_eq!(messages(&lines, "RequestMessages")[0]["content"], "Hello", "{path}");
        assert_eq!(messages(&lines, "ResponseMessages")[0]["content"], "Hi", "{path}");
        assert_eq!(lines[0]["TotalTokens"], tokens, "{path}");
        assert_eq!(lines[0]["IsStreamCompletion"], true, "{path}");
    }
}

#[tokio::test]
async fn embeddings_have_an_input_and_no_answer() {
    let body = r#"{"model":"ada","input":["one","two"]}"#.to_owned();
    let trial = Trial { path: "/v1/embeddings", body, ..trial() };
    let answer = r#"{"data":[{"embedding":[0.5]}],"model":"ada-2","usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    let lines = trial.answered("application/json", answer).await;
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["DeploymentName"], &lines[0]["PromptTokens"]),
        (&json!("ada"), &json!(2))
    );
    let said: Vec<String> = messages(&lines, "RequestMessages")
        .iter()
        .map(|it| it["content"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(said, ["one", "two"]);
}

#[tokio::test]
async fn long_messages_are_cut_into_entries_and_what_is_over_is_counted() {
    let text = "0123456789".repeat(10_000);
    let body = json!({ "messages": [{ "role": "user", "content": text }] }).to_string();
    let answer = json!({ "choices": [{ "message": { "content": text } }] }).to_string();
    let logs = vec![log(Some(2 << 20), Some(50_000))];
    let trial = Trial { logs, body, ..trial() };
    let lines = trial.answered("application/json", &answer).await;
    let whole: String = messages(&lines, "RequestMessages")
        .iter()
        .map(|it| it["content"].as_str().unwrap().to_owned())
        .collect();
    assert!(whole == text, "{} of {}", whole.len(), text.len());
    let of = |column: &str| lines.iter().filter(|it| it.get(column).is_some()).count();
    assert_eq!((of("RequestMessages"), of("ResponseMessages")), (4, 2));
    assert!(lines[0].get("RequestBytesLeftOut").is_none());
    let kept: usize = messages(&lines, "ResponseMessages")
        .iter()
        .map(|it| it["content"].as_str().unwrap().len())
        .sum();
    assert_eq!(lines[0]["ResponseBytesLeftOut"], 100_000 - kept);
}

#[tokio::test]
async fn secrets_are_in_no_entry() {
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl";
    let body = json!({ "model": "hunter2", "messages": [{ "role": "user",
        "content": format!("hunter2 s3cr3t k3y k3y-2 {token} fine") }] });
    let body = body.to_string();
    let path = "/v1/chat/completions";
    let headers = vec![("authorization", "Bearer s3cr3t"), ("api-key", "k3y-2")];
    let trial = Trial { path, body, headers, ..trial() };
    let answer =
        r#"{"id":"s3cr3t","choices":[{"message":{"content":"You said hunter2 and s3cr3t."}}]}"#;
    let lines = trial.answered("application/json", answer).await;
    let shown = messages(&lines, "RequestMessages")[0]["content"].clone();
    assert_eq!(shown, "*** *** k3y *** *** fine");
    assert_eq!(messages(&lines, "ResponseMessages")[0]["content"], "You said *** and ***.");
    assert_eq!(
        (&lines[0]["DeploymentName"], &lines[0]["RequestId"]),
        (&json!("***"), &json!("***"))
    );
    let all = serde_json::to_string(&lines).unwrap();
    assert!(!["hunter2", "s3cr3t", "k3y-2", "eyJ"].iter().any(|it| all.contains(it)), "{all}");
}

#[tokio::test]
async fn only_calls_of_models_are_logged() {
    let used = r#"{"usage":{"input_tokens":1,"output_tokens":2}}"#;
    for (path, body, answer, n_lines) in [
        ("/orders", r#"{"input":"x"}"#, "{}", 0),
        ("/ask", r#"{"input":"x"}"#, used, 2),
        ("/ask", "no json", used, 2),
        (CHAT, HELLO, r#"{"error":{"code":"429"}}"#, 2),
    ] {
        let trial = Trial { path, body: body.to_owned(), ..trial() };
        let lines = trial.answered("application/json", answer).await;
        assert_eq!(lines.len(), n_lines, "{path} {answer}");
    }
    // A get of an answer that is kept tells its usage once more.
    let trial = Trial { path: "/v1/responses/r1", ..trial() };
    let pipeline = trial.pipeline();
    let mut context = trial.context();
    context.request.method = http::Method::GET;
    pipeline.inbound.run(&mut context).await.unwrap();
    drop(context);
    drop(pipeline);
    assert!(trial.lines().await.is_empty());
}

#[tokio::test]
async fn a_backend_that_did_not_answer_has_seen_the_prompt() {
    let trial = trial();
    drop(trial.run(None).await);
    let lines = trial.lines().await;
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn policies_that_listen_and_the_log_hear_the_same() {
    let inbound = r#"<llm-emit-token-metric><dimension name="API ID" /></llm-emit-token-metric>"#;
    let body = r#"{"stream":true,"messages":[{"role":"user","content":"Hello"}]}"#;
    let trial = Trial { inbound, body: body.to_owned(), ..trial() };
    let (sender, response) = stream();
    let context = trial.run(Some(response)).await;
    for piece in STREAM {
        sender.send(piece).await.unwrap();
    }
    drop(sender);
    end(context).await;
    let metered = counted(&trial.extensions, "API_Management_Total_Tokens_sum");
    let lines = trial.lines().await;
    assert_eq!((metered.as_str(), &lines[0]["TotalTokens"]), ("5", &json!(5)));
    // The policy's own wish is not the client's.
    assert_eq!(
        messages(&lines, "RequestMessages"),
        [json!({ "role": "user", "content": "Hello" })]
    );
}

#[tokio::test]
async fn entries_that_find_no_room_are_counted() {
    let mut trial = trial();
    let full = AccessLog::new(Sink::Writer(Box::new(trial.memory.clone())), 0).unwrap();
    trial.extensions.insert(Arc::new(full));
    let context = trial.run(Some(response("application/json", Body::bytes(ANSWER)))).await;
    end(context).await;
    let extensions = trial.extensions.clone();
    assert!(trial.lines().await.is_empty());
    assert_eq!(counted(&extensions, "portcullis_llm_log_dropped_total{"), "3");
    assert_eq!(counted(&extensions, "portcullis_llm_log_records_total{"), "0");
}

#[tokio::test]
async fn opentelemetry_gets_the_same_entries() {
    let mut trial = trial();
    let outbox = Arc::new(Outbox::new(None, true, 64));
    trial.extensions.insert(outbox.clone());
    trial.answered("application/json", ANSWER).await;
    let events = outbox.take_logs();
    let has =
        |name: &str| events.iter().filter(|it| it.attributes.iter().any(|at| at.0 == name)).count();
    assert_eq!(events.len(), 3);
    let names = ["gen_ai.usage.input_tokens", "gen_ai.input.messages", "gen_ai.output.messages"];
    assert!(names.iter().all(|it| has(it) == 1));
}

/// What went to loggers.
#[derive(Debug, Default)]
struct Pushed(Mutex<Vec<String>>);

const PUSH: EventSink = EventSink(|logger, line, services| {
    let pushed: Arc<Pushed> = services.extensions().shared();
    pushed.0.lock().unwrap().push(format!("{} {line}", logger.id));
    logger.id == "file"
});

#[tokio::test]
async fn loggers_get_lines_and_each_diagnostic_its_own_bounds() {
    let mut trial = trial();
    trial.extensions.insert(Arc::new(PUSH));
    let logger = |id: &str| {
        let file = LogFile { path: id.into(), rotation: Rotation::NEVER };
        let target = LogTarget::File(file);
        Some(Arc::new(Logger { id: id.to_owned(), is_buffered: true, target }))
    };
    trial.logs = vec![
        LlmLog { logger: logger("file"), ..log(Some(1000), None) },
        LlmLog { logger: logger("full"), diagnostic: "other".to_owned(), ..log(None, None) },
        log(None, Some(1000)),
    ];
    let context = trial.run(Some(response("application/json", Body::bytes(ANSWER)))).await;
    end(context).await;
    let extensions = trial.extensions.clone();
    drop(trial);
    let background: Arc<Background> = extensions.shared();
    background.settled().await;
    let pushed: Arc<Pushed> = extensions.shared();
    let shown: Vec<String> =
        pushed.0.lock().unwrap().iter().map(|it| it.chars().take(6).collect()).collect();
    assert_eq!(shown, ["file {", "file {", "full {"]);
    let dropped = r#"portcullis_llm_log_dropped_total{portcullis_diagnostic="other"}"#;
    assert_eq!(counted(&extensions, dropped), "1");
    let taken = r#"portcullis_llm_log_records_total{portcullis_diagnostic="azuremonitor"}"#;
    assert_eq!(counted(&extensions, taken), "4");
}

#[test]
fn without_a_diagnostic_a_request_meets_no_step() {
    let plain = Pipeline::default();
    assert_eq!(plain.inbound.len(), 0);
    let steps = (LOGGING.0)(&[], &Arc::default(), &Extensions::default());
    assert_eq!(plain.with_llm_log(steps).inbound.len(), 2, "steps come only with a diagnostic");
}
