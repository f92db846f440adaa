//! What expressions cost: evaluated for each request, compiled when a configuration loads.
//!
//! ```text
//! cargo bench -p portcullis-expr --bench expressions         times, by criterion
//! expressions NAME N                                         evaluates N times, for an instruction count
//! expressions NAME fastest                                   the fastest of many rounds, for a busy machine
//! ```
//!
//! `signature` and `corpus` read public documents that stand beside the checkout in `../shared`;
//! without them they are skipped.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use criterion::Criterion;
use csharp::scan::expression_end;
use expr::host::{BodyUnavailable, BodyView, DeploymentInfo, EmptyHost, ResponseValue, UrlView};
use expr::{Form, Options, Program, Value, Variables, compile};

extern crate portcullis_expr as expr;

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The document with the signature of AWS, version 4, below the folder of documents.
const SIGNATURE: &str = "Azure__terraform-ai-gateway-landing-zone/llm-backend-onboarding/policies/frag-set-backend-authorization.xml";

/// Reads a body of 4 KiB as JSON, changes it, writes it.
const EDIT: &str = r#"
    var body = context.Request.Body.As<JObject>(preserveContent: true);
    body["model"] = "gpt-4o-mini";
    body["max_tokens"] = 256;
    body.Property("user")?.Remove();
    return body.ToString();
"#;

struct Whole(Bytes);

impl BodyView for Whole {
    fn read(&self, _: bool) -> Result<Bytes, BodyUnavailable> {
        Ok(self.0.clone())
    }
}

/// A request as a client of Azure OpenAI makes it, and its answer.
fn call() -> EmptyHost {
    let headers = [
        ("Host", "gateway.example"),
        ("User-Agent", "OpenAI/Python 1.99.0"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Content-Type", "application/json"),
        ("Content-Length", "4096"),
        ("x-stainless-lang", "python"),
        ("x-stainless-runtime", "CPython"),
        ("x-tier", "gold"),
        ("X-Amz-Date", "20260101T000000Z"),
    ];
    let mut variables = Variables::default();
    variables.set("now", expr::value::DateTime::from_system(SystemTime::UNIX_EPOCH).into());
    // A token of a managed identity is about this long.
    variables.set("msi-access-token", Value::from("e".repeat(1500)));
    let url =
        "https://bedrock.example/model/anthropic.claude-3-sonnet/converse?api-version=2024-10-21";
    EmptyHost {
        url: UrlView::parse(url).unwrap_or_default(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Some(Arc::new(Whole(body().into()))),
        response: Some(ResponseValue {
            status_code: 200,
            status_reason: "OK".to_owned(),
            headers: Vec::new(),
            body: None,
        }),
        variables,
        deployment: DeploymentInfo::default(),
    }
}

/// A chat request of 4 KiB.
fn body() -> String {
    let mut messages = String::new();
    let message = r#"{ "role": "user", "content": "What is the capital of the country in which this sentence was written?", "n": 12.5 },"#;
    while messages.len() + message.len() < 3900 {
        messages.push_str(message);
    }
    messages.pop();
    format!(
        r#"{{ "model": "gpt-4o", "user": "u1", "temperature": 0.2, "stream": true, "stop": null, "messages": [{messages}] }}"#
    )
}

/// The folder of public documents beside the checkout, if it is there.
fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    path.canonicalize().ok()
}

/// The expressions of a document.
fn expressions(text: &str) -> Vec<(Form, String)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(next) = text.get(at..).and_then(|it| it.find('@')).map(|it| it + at) {
        at = next + 1;
        let form = match text.as_bytes().get(at) {
            Some(b'(') => Form::Expression,
            Some(b'{') => Form::Statements,
            _ => continue,
        };
        let before = text.get(..next).unwrap_or("").trim_end();
        if let (true, Ok(end)) = (before.ends_with(['"', '\'', '>']), expression_end(text, next)) {
            let code = text.get(next + 2..end - 1).unwrap_or("");
            found.push((form, code.replace("{{", "").replace("}}", "")));
            at = end;
        }
    }
    found
}

fn documents(folder: &Path, into: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.filter_map(|it| Some(it.ok()?.path())) {
        if path.is_dir() {
            documents(&path, into);
        } else if path.extension().is_some_and(|it| it == "xml") {
            into.extend(fs::read_to_string(path));
        }
    }
}

/// The expressions of all documents.
fn all() -> Option<Vec<(Form, String)>> {
    let mut texts = Vec::new();
    documents(&corpus()?, &mut texts);
    Some(texts.iter().flat_map(|it| expressions(it)).collect())
}

fn compile_all(all: &[(Form, String)]) -> usize {
    let options = Options::default();
    all.iter().filter(|(form, code)| compile(code, *form, &options).is_ok()).count()
}

/// What is evaluated, by name.
fn source(name: &str) -> Option<(Form, String)> {
    let expression = |code: &str| Some((Form::Expression, code.to_owned()));
    match name {
        "guide" => expression(r#""Bearer " + (string)context.Variables["msi-access-token"]"#),
        "status" => {
            expression("context.Response.StatusCode == 429 || context.Response.StatusCode >= 500")
        }
        "header" => {
            expression(r#"context.Request.Headers.GetValueOrDefault("x-tier", "") == "gold""#)
        }
        "json" => Some((Form::Statements, EDIT.to_owned())),
        "signature" => {
            let text = fs::read_to_string(corpus()?.join(SIGNATURE)).ok()?;
            expressions(&text).into_iter().find(|(_, code)| code.contains("aws4_request"))
        }
        _ => None,
    }
}

fn program(name: &str) -> Option<Program> {
    let (form, code) = source(name)?;
    match compile(&code, form, &Options::default()) {
        Ok(program) => Some(program),
        Err(problems) => {
            eprintln!("{name} does not compile: {problems:?}");
            None
        }
    }
}

const NAMES: &[&str] = &["guide", "status", "header", "json", "signature"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [name, n] = arguments.as_slice()
        && let Ok(n) = n.parse()
    {
        return count(name, n);
    }
    if let [name, word] = arguments.as_slice()
        && word == "fastest"
    {
        return fastest(name);
    }
    let mut criterion = Criterion::default().configure_from_args();
    let call = call();
    for name in NAMES {
        let Some(program) = program(name) else {
            eprintln!("skipped: {name}");
            continue;
        };
        criterion.bench_function(name, |it| it.iter(|| black_box(program.evaluate(&call))));
    }
    match all() {
        Some(all) => {
            eprintln!("corpus: {} of {} expressions compile", compile_all(&all), all.len());
            criterion.bench_function("corpus", |it| it.iter(|| black_box(compile_all(&all))));
        }
        None => eprintln!("skipped: corpus"),
    }
    criterion.final_summary();
    ExitCode::SUCCESS
}

/// Prints the time of one evaluation in the fastest of many short rounds: the one that nothing else
/// interrupted.
fn fastest(name: &str) -> ExitCode {
    const ROUNDS: usize = 2000;
    let call = call();
    let Some(program) = program(name) else { return ExitCode::FAILURE };
    let round = |n: u32| {
        let start = Instant::now();
        for _ in 0..n {
            let _ = black_box(program.evaluate(black_box(&call)));
        }
        start.elapsed() / n
    };
    // A round takes some 100 microseconds: less than the system gives a process at a time.
    let one = round(20).as_nanos().max(1);
    let n = u32::try_from(100_000 / one).unwrap_or(1).max(1);
    let best = (0..ROUNDS).map(|_| round(n)).min().unwrap_or_default();
    println!("{name} {} ns", best.as_nanos());
    ExitCode::SUCCESS
}

/// Does one thing so many times.
fn count(name: &str, n: usize) -> ExitCode {
    let call = call();
    if name == "corpus" {
        let Some(all) = all() else { return ExitCode::FAILURE };
        for _ in 0..n {
            black_box(compile_all(&all));
        }
        return ExitCode::SUCCESS;
    }
    let Some(program) = program(name) else { return ExitCode::FAILURE };
    for _ in 0..n {
        if let Err(exception) = black_box(program.evaluate(&call)) {
            eprintln!("{name} throws {}: {exception}", exception.type_name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
