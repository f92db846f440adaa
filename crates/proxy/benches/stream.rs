//! What it costs the gateway when policies watch a model's stream.
//!
//! A backend, the gateway and a client on loopback, with real connections: the backend sends the
//! answer in chunks of one event (or of several, as a model does that is checked in windows), and
//! sends the next one when the client has read the last. What counts is the processor time of all
//! of the gateway's threads, user and kernel, as Linux tells it, from the request until nothing is
//! left to do. Rounds go through all sides in turn, each round has a ratio of its own, and the
//! median of the ratios counts: what slows the machine down slows all sides.
//!
//! ```text
//! cargo bench -p portcullis-proxy --bench stream                   a table of all sides
//! cargo bench -p portcullis-proxy --bench stream -- 1000           of that many rounds
//! stream SIDE EVENTS PER-CHUNK ROUNDS                              one side alone, to count instructions
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on may stop"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use config::{Engine, NoSecrets, Options, Source};
use pipeline::{Registry, Services};
use portcullis_proxy::{Gateway, HttpForward};
use transport::{
    Client, ClientConfig, HostMap, HostTarget, Limits, Roots, SystemClock, serve_here,
};

/// Rounds, unless another number is asked for.
const N_ROUNDS: usize = 200;
/// Rounds before the first that counts: they make connections and load what is loaded once.
const N_ROUNDS_BEFORE: usize = 5;
/// How long the gateway must have done nothing to be taken for done.
const IDLE: Duration = Duration::from_millis(1);
/// Where the APIs of the example send their requests.
const BACKEND: &str = "portcullis-example.openai.azure.com";

/// Events of an answer that bring text, and how many come in a chunk.
const SHAPES: &[(usize, usize)] = &[(200, 1), (400, 1), (400, 4), (400, 16)];

const METRIC: &str =
    r#"<llm-emit-token-metric><dimension name="API ID" /></llm-emit-token-metric>"#;
const LIMIT: &str = r#"<llm-token-limit counter-key="@(context.Request.IpAddress)"
    tokens-per-minute="2000000000" estimate-prompt-tokens="true" />"#;

/// Who watches, and who asks for the usage.
struct Side {
    name: &'static str,
    /// The API.
    api: &'static str,
    policies: &'static [&'static str],
    /// Whether the client asks for the usage. If not, what watches asks and takes it out.
    asks_for_usage: bool,
}

const SIDES: &[Side] = &[
    Side { name: "untouched", api: "untouched", policies: &[], asks_for_usage: true },
    Side { name: "metric", api: "metric", policies: &[METRIC], asks_for_usage: true },
    Side { name: "limit", api: "limit", policies: &[LIMIT], asks_for_usage: true },
    Side { name: "both", api: "both", policies: &[LIMIT, METRIC], asks_for_usage: true },
    Side { name: "both-taken-out", api: "both", policies: &[LIMIT, METRIC], asks_for_usage: false },
];

// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = start(backend.local_addr().unwrap());
    let mut call = Call { backend: None, listener: backend };
    match &arguments[..] {
        [name, n_events, per_chunk, n_rounds] => {
            let side = SIDES.iter().find(|it| it.name == name).unwrap();
            let mut api =
                Api::new(side, n_events.parse().unwrap(), per_chunk.parse().unwrap(), gateway);
            for _ in 0..n_rounds.parse().unwrap() {
                api.round(&mut call);
            }
        }
        other => {
            let n_rounds = other.first().map_or(N_ROUNDS, |it| it.parse().unwrap());
            println!("| events | in a chunk | who watches | a stream | an event more | ratio |");
            println!("|---:|---:|---|---:|---:|---:|");
            for (n_events, per_chunk) in SHAPES {
                table(gateway, &mut call, (*n_events, *per_chunk), n_rounds);
            }
        }
    }
}

/// Measures all sides with answers of one shape.
fn table(gateway: SocketAddr, call: &mut Call, shape: (usize, usize), n_rounds: usize) {
    let (n_events, per_chunk) = shape;
    let mut all: Vec<Api> =
        SIDES.iter().map(|side| Api::new(side, n_events, per_chunk, gateway)).collect();
    for round in 0..n_rounds + N_ROUNDS_BEFORE {
        for api in &mut all {
            let nanos = api.round(call);
            if round >= N_ROUNDS_BEFORE {
                api.nanos.push(nanos);
            }
        }
    }
    let untouched = all[0].nanos.clone();
    for api in all {
        let beside = api.nanos.iter().zip(&untouched);
        let ratio = median(beside.clone().map(|(own, other)| own / other).collect());
        let more = median(beside.map(|(own, other)| (own - other) / n_events as f64).collect());
        let whole = median(api.nanos) / 1000.0;
        println!(
            "| {n_events} | {per_chunk} | {} | {whole:.0} µs | {more:.0} ns | {ratio:.3} |",
            api.name
        );
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// Starts the gateway in a thread of its own; gives where it listens.
fn start(backend: SocketAddr) -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let gateway = gateway(backend).await;
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            serve_here(listener, None, Limits::default(), gateway, std::future::pending()).await;
        });
    });
    told.recv().unwrap()
}

async fn gateway(backend: SocketAddr) -> Arc<Gateway> {
    let mut hosts = HostMap::new();
    let target = HostTarget::new(backend.to_string()).unwrap().with_tls(false);
    hosts.insert(BACKEND, target).unwrap();
    let client = Arc::new(Client::new(ClientConfig::new(Roots::none(), hosts)));
    let clock = Arc::new(SystemClock);
    let services = Services::new(client, clock, Arc::new(HttpForward::default()));
    let mut options = Options::default();
    options.named_values.push(("openai-api-key".to_owned(), "local-azure-openai-key".into()));
    let registry = Registry::new(policies::ALL);
    let engine = Engine { registry: &registry, extensions: services.extensions() };
    let loaded = config::load(&source(), &options, &NoSecrets, engine).await;
    assert!(loaded.snapshot.is_some(), "{:?}", loaded.diagnostics);
    let snapshot = loaded.snapshot.unwrap();
    let gateway = Gateway::new(Arc::new(services), None);
    gateway.install(Arc::new(snapshot));
    gateway
}

/// The example with an API more for each set of policies.
fn source() -> Source {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guide");
    let (mut source, _) = Source::read(&folder);
    for side in SIDES {
        let api = side.api;
        for name in ["apiInformation.json", "specification.json"] {
            let text = source.text(&format!("apis/openai-key/{name}")).unwrap().clone();
            let text = text.replace("openai-key/openai", &format!("{api}/openai"));
            let text =
                text.replace(r#""subscriptionRequired": true"#, r#""subscriptionRequired": false"#);
            source.insert(format!("apis/{api}/{name}"), text);
        }
        if !side.policies.is_empty() {
            let document = format!(
                "<policies><inbound><base />{}</inbound><backend><base /></backend>\
                 <outbound><base /></outbound><on-error><base /></on-error></policies>",
                side.policies.concat()
            );
            source.insert(format!("apis/{api}/policy.xml"), document);
        }
    }
    source
}

/// The backend's side of the connection.
struct Call {
    listener: TcpListener,
    backend: Option<TcpStream>,
}

/// An API and what its streams took, in nanoseconds.
struct Api {
    name: &'static str,
    request: String,
    answer: Answer,
    client: TcpStream,
    nanos: Vec<f64>,
}

/// What the backend sends: each part when the client has what came before.
struct Answer {
    head: &'static str,
    chunks: Vec<String>,
    /// Bytes of each chunk that reach the client.
    n_passed: Vec<usize>,
}

impl Answer {
    /// Events as Azure OpenAI sends them: of the same bytes but for the text and a filling.
    fn new(n_events: usize, per_chunk: usize, passes_usage: bool) -> Answer {
        let event = |text: &str, end: &str, choices: &str, usage: &str, filling: usize| {
            let choices = choices.replace("TEXT", text).replace("END", end);
            let filling = "x".repeat(filling);
            format!(
                "data: {{\"choices\":[{choices}],\"created\":1764000000,\"id\":\"chatcmpl-Cq7\",\
                 \"model\":\"gpt-4o-2024-11-20\",\"object\":\"chat.completion.chunk\",\
                 \"system_fingerprint\":\"fp_b1\",\"usage\":{usage},\"obfuscation\":\"{filling}\"}}\n\n"
            )
        };
        let safe = |it: &str| format!("\"{it}\":{{\"filtered\":false,\"severity\":\"safe\"}}");
        let filters = ["hate", "self_harm", "sexual", "violence"].map(safe).join(",");
        let choice = format!(
            "{{\"content_filter_results\":{{{filters}}},\"delta\":{{\"content\":\"TEXT\"}},\
             \"finish_reason\":END,\"index\":0,\"logprobs\":null}}"
        );
        let words = [" the", " of", ",", " a", " remarkable", "\\n", " stream", ".", " caf\u{e9}"];
        let texts = words.iter().cycle().take(n_events).enumerate();
        let mut events: Vec<String> =
            texts.map(|(n, word)| event(word, "null", &choice, "null", 1 + n * 7 % 12)).collect();
        let usage = r#"{"completion_tokens":200,"prompt_tokens":12,"total_tokens":212}"#;
        events.push(event("", "\"stop\"", &choice, "null", 3));
        let usage = event("", "", "", usage, 3);
        events.push(usage.clone());
        events.push("data: [DONE]\n\n".to_owned());
        let chunks: Vec<String> = events.chunks(per_chunk).map(|it| it.concat()).collect();
        let n_passed = |it: &String| match it.contains(&usage) && !passes_usage {
            true => it.len() - usage.len(),
            false => it.len(),
        };
        Answer {
            head: "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                   transfer-encoding: chunked\r\n\r\n",
            n_passed: chunks.iter().map(n_passed).collect(),
            chunks: chunks.iter().map(|it| format!("{:x}\r\n{it}\r\n", it.len())).collect(),
        }
    }
}

impl Api {
    fn new(side: &Side, n_events: usize, per_chunk: usize, gateway: SocketAddr) -> Api {
        let options =
            if side.asks_for_usage { r#","stream_options":{"include_usage":true}"# } else { "" };
        let body =
            format!(r#"{{"stream":true{options},"messages":[{{"role":"user","content":"Hi"}}]}}"#);
        let request = format!(
            "POST /{}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n\
             host: gateway.test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            side.api,
            body.len()
        );
        let client = TcpStream::connect(gateway).unwrap();
        client.set_nodelay(true).unwrap();
        let answer = Answer::new(n_events, per_chunk, side.asks_for_usage);
        Api { name: side.name, request, answer, client, nanos: Vec::new() }
    }

    /// Sends a request and its answer through; gives the gateway's nanoseconds.
    fn round(&mut self, call: &mut Call) -> f64 {
        let began = gateway_nanos();
        self.client.write_all(self.request.as_bytes()).unwrap();
        let listener = &call.listener;
        let backend = call.backend.get_or_insert_with(|| {
            let (stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            stream
        });
        read_until(backend, |all| all.ends_with("}]}") || all.ends_with("}}"));
        backend.write_all(self.answer.head.as_bytes()).unwrap();
        for (n, (chunk, n_passed)) in
            self.answer.chunks.iter().zip(&self.answer.n_passed).enumerate()
        {
            backend.write_all(chunk.as_bytes()).unwrap();
            if *n_passed > 0 {
                read_until(&mut self.client, |all| {
                    all.ends_with("\n\n\r\n") && (n > 0 || all.contains("data: "))
                });
            }
        }
        backend.write_all(b"0\r\n\r\n").unwrap();
        read_until(&mut self.client, |all| all.ends_with("0\r\n\r\n"));
        when_idle() - began
    }
}

/// What the gateway's threads have used, when they have nothing left to do.
fn when_idle() -> f64 {
    let mut before = gateway_nanos();
    loop {
        thread::sleep(IDLE);
        let now = gateway_nanos();
        if now == before {
            return now;
        }
        before = now;
    }
}

/// What all threads but this one have used.
fn gateway_nanos() -> f64 {
    let own = std::fs::read_link("/proc/thread-self").unwrap();
    let own = own.file_name().unwrap().to_owned();
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let others = threads.map(|it| it.unwrap().path()).filter(|it| it.file_name() != Some(&own));
    let schedules = others.filter_map(|it| std::fs::read_to_string(it.join("schedstat")).ok());
    schedules.map(|it| it.split(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

fn read_until(stream: &mut TcpStream, is_whole: impl Fn(&str) -> bool) {
    let mut all = String::new();
    let mut part = [0; 16384];
    while !is_whole(&all) {
        let n = stream.read(&mut part).unwrap();
        assert!(n > 0, "closed after {all:?}");
        all.push_str(&String::from_utf8_lossy(&part[..n]));
    }
}
