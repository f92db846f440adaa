//! What policies cost: a pipeline of thirty, and each of them alone.
//!
//! ```text
//! cargo bench -p portcullis-policies --bench policies            times of the thirty, by criterion
//! cargo bench -p portcullis-policies --bench policies -- table   a line for each policy, in Markdown
//! ```
//!
//! A policy is compiled as in a document and run on a request that is made anew for every round. Its
//! time is that of a section with several copies of it, divided; the fastest of many rounds counts,
//! which nothing interrupted. What calls another service is left out; limits are counted and values
//! kept in the process, and a token is one that was checked before.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use document::NamedValues;
use expr::host::SubscriptionInfo;
use http::{HeaderValue, Method};
use identity::{ProviderSettings, Providers};
use pipeline::url::BaseUrl;
use pipeline::{
    Body, Context, Extensions, Flow, Fragments, NoForward, Pipeline, PolicyError, Registry,
    Request, RequestUrl, Response, Scope, Section, Services, Surroundings, Target,
    compile_document,
};
use transport::{FakeClient, FakeClock};

/// Thirty policies of `inbound` that never wait, with literals. Conditions are expressions, as they
/// have to be.
const THIRTY: &str = r#"
<set-variable name="tier" value="gold" />
<set-variable name="region" value="west" />
<set-variable name="attempts" value="3" />
<set-header name="x-tier" exists-action="override"><value>gold</value></set-header>
<set-header name="x-region" exists-action="override"><value>west</value></set-header>
<set-header name="x-trace" exists-action="skip"><value>on</value></set-header>
<set-header name="x-old" exists-action="delete" />
<check-header name="x-key" failed-check-httpcode="401" failed-check-error-message="No" ignore-case="false" />
<check-header name="accept" failed-check-httpcode="400" failed-check-error-message="No" ignore-case="true"><value>application/json</value></check-header>
<ip-filter action="forbid"><address>203.0.113.7</address></ip-filter>
<set-query-parameter name="api-version" exists-action="override"><value>2024-10-21</value></set-query-parameter>
<set-query-parameter name="debug" exists-action="delete" />
<set-method>POST</set-method>
<set-backend-service base-url="https://west.example/openai" />
<rewrite-uri template="/deployments/gpt-4o/chat/completions" />
<set-variable name="plan" value="enterprise" />
<set-variable name="limit" value="1000" />
<set-header name="x-plan" exists-action="override"><value>enterprise</value></set-header>
<set-header name="x-limit" exists-action="append"><value>1000</value></set-header>
<set-header name="cache-control" exists-action="override"><value>no-store</value></set-header>
<set-header name="authorization" exists-action="override"><value>Bearer abc</value></set-header>
<authentication-basic username="user" password="pass" />
<set-variable name="a" value="1" />
<set-variable name="b" value="2" />
<set-header name="x-a" exists-action="override"><value>1</value></set-header>
<set-header name="x-b" exists-action="override"><value>2</value></set-header>
<set-query-parameter name="a" exists-action="override"><value>1</value></set-query-parameter>
<cors><allowed-origins><origin>https://pages.example</origin></allowed-origins><allowed-headers><header>*</header></allowed-headers></cors>
<find-and-replace from="" to="x" />
<set-header name="x-last" exists-action="override"><value>yes</value></set-header>
"#;

/// A policy alone: its name, where it stands, how it is written.
const ALONE: &[(&str, Section, &str)] = &[
    (
        "authentication-basic",
        Section::Inbound,
        r#"<authentication-basic username="u" password="p" />"#,
    ),
    (
        "cache-lookup-value",
        Section::Inbound,
        r#"<cache-lookup-value key="nothing" variable-name="v" default-value="d" caching-type="internal" />"#,
    ),
    (
        "cache-remove-value",
        Section::Inbound,
        r#"<cache-remove-value key="nothing" caching-type="internal" />"#,
    ),
    (
        "cache-store-value",
        Section::Inbound,
        r#"<cache-store-value key="k" value="v" duration="60" caching-type="internal" />"#,
    ),
    (
        "check-header",
        Section::Inbound,
        r#"<check-header name="x-key" failed-check-httpcode="401" failed-check-error-message="No" ignore-case="false"><value>secret</value></check-header>"#,
    ),
    (
        "choose",
        Section::Inbound,
        r#"<choose><when condition="@(context.Request.Method == &quot;GET&quot;)"><set-method>PUT</set-method></when><otherwise><set-method>POST</set-method></otherwise></choose>"#,
    ),
    (
        "cors",
        Section::Inbound,
        r#"<cors><allowed-origins><origin>https://pages.example</origin></allowed-origins><allowed-headers><header>*</header></allowed-headers></cors>"#,
    ),
    ("cross-domain", Section::Inbound, "<cross-domain />"),
    (
        "emit-metric",
        Section::Inbound,
        r#"<emit-metric name="calls"><dimension name="tier" value="gold" /></emit-metric>"#,
    ),
    ("find-and-replace", Section::Inbound, r#"<find-and-replace from="hello" to="goodbye" />"#),
    ("include-fragment", Section::Inbound, r#"<include-fragment fragment-id="f" />"#),
    (
        "ip-filter",
        Section::Inbound,
        r#"<ip-filter action="forbid"><address>203.0.113.7</address><address-range from="198.51.100.1" to="198.51.100.9" /></ip-filter>"#,
    ),
    (
        "json-to-xml",
        Section::Inbound,
        r#"<json-to-xml apply="always" consider-accept-header="false" />"#,
    ),
    ("jsonp", Section::Outbound, r#"<jsonp callback-parameter-name="cb" />"#),
    (
        "limit-concurrency",
        Section::Inbound,
        r#"<limit-concurrency key="k" max-count="100"><set-method>POST</set-method></limit-concurrency>"#,
    ),
    ("mock-response", Section::Inbound, "<mock-response />"),
    ("quota", Section::Inbound, r#"<quota calls="1000000000" renewal-period="3600" />"#),
    (
        "quota-by-key",
        Section::Inbound,
        r#"<quota-by-key calls="1000000000" renewal-period="3600" counter-key="k" />"#,
    ),
    ("rate-limit", Section::Inbound, r#"<rate-limit calls="1000000000" renewal-period="60" />"#),
    (
        "rate-limit-by-key",
        Section::Inbound,
        r#"<rate-limit-by-key calls="1000000000" renewal-period="60" counter-key="k" />"#,
    ),
    ("redirect-content-urls", Section::Outbound, "<redirect-content-urls />"),
    (
        "retry",
        Section::Inbound,
        r#"<retry condition="@(false)" count="3" interval="1"><set-method>POST</set-method></retry>"#,
    ),
    (
        "return-response",
        Section::Inbound,
        r#"<return-response><set-status code="403" reason="No" /><set-body>no</set-body></return-response>"#,
    ),
    ("rewrite-uri", Section::Inbound, r#"<rewrite-uri template="/deployments/gpt-4o/chat" />"#),
    (
        "set-backend-service",
        Section::Inbound,
        r#"<set-backend-service base-url="https://west.example/openai" />"#,
    ),
    ("set-body", Section::Inbound, "<set-body>{\"a\": 1}</set-body>"),
    (
        "set-header",
        Section::Inbound,
        r#"<set-header name="x-tier" exists-action="override"><value>gold</value></set-header>"#,
    ),
    ("set-method", Section::Inbound, "<set-method>POST</set-method>"),
    (
        "set-query-parameter",
        Section::Inbound,
        r#"<set-query-parameter name="api-version" exists-action="override"><value>2024-10-21</value></set-query-parameter>"#,
    ),
    ("set-status", Section::Outbound, r#"<set-status code="202" reason="Accepted" />"#),
    ("set-variable", Section::Inbound, r#"<set-variable name="tier" value="gold" />"#),
    (
        "trace",
        Section::Inbound,
        r#"<trace source="bench" severity="verbose"><message>here</message></trace>"#,
    ),
    (
        "validate-content",
        Section::Inbound,
        r#"<validate-content unspecified-content-type-action="ignore" max-size="100000" size-exceeded-action="prevent"><content type="application/json" validate-as="json" action="ignore" /></validate-content>"#,
    ),
    (
        "validate-headers",
        Section::Outbound,
        r#"<validate-headers specified-header-action="ignore" unspecified-header-action="ignore" />"#,
    ),
    (
        "validate-jwt",
        Section::Inbound,
        r#"<validate-jwt header-name="authorization"><issuer-signing-keys><key>MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=</key></issuer-signing-keys><audiences><audience>bench</audience></audiences></validate-jwt>"#,
    ),
    (
        "validate-parameters",
        Section::Inbound,
        r#"<validate-parameters specified-parameter-action="ignore" unspecified-parameter-action="ignore" />"#,
    ),
    (
        "validate-status-code",
        Section::Outbound,
        r#"<validate-status-code unspecified-status-code-action="ignore" />"#,
    ),
    (
        "wait",
        Section::Inbound,
        r#"<wait for="all"><choose><when condition="@(true)"><set-method>POST</set-method></when></choose></wait>"#,
    ),
    (
        "xml-to-json",
        Section::Inbound,
        r#"<xml-to-json kind="direct" apply="content-type-xml" consider-accept-header="false" />"#,
    ),
];

/// These end the request, or cannot work on what they made: there is one of them.
const ONE: &[&str] =
    &["json-to-xml", "jsonp", "mock-response", "quota", "rate-limit", "return-response"];
/// A token that the key above has signed; it expires in 2100.
const TOKEN: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoiYmVuY2giLCJleHAiOjQxMDI0NDQ4MDB9.PgGfzT5yeDigl-KafhBNQvyNJLMD83Ee8PVcXwrFEhM";
/// How many copies of a policy stand in a section.
const COPIES: usize = 16;

// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    if std::env::args().any(|it| it == "table") {
        table();
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let (pipeline, services) = (compiled(Section::Inbound, THIRTY), services());
    criterion.bench_function("thirty policies", |bencher| {
        bencher.iter_batched_ref(
            || context(&services),
            |context| run(&pipeline, Section::Inbound, context),
            // A gateway runs a request as soon as it has read it. Thousands made before the first
            // of them runs would lie in no cache.
            BatchSize::NumIterations(32),
        );
    });
    criterion.final_summary();
}

fn table() {
    let empty = fastest(&compiled(Section::Inbound, ""), Section::Inbound);
    let thirty = fastest(&compiled(Section::Inbound, THIRTY), Section::Inbound) - empty;
    println!("| policy | time |\n|---|---:|");
    println!("| thirty policies | {} |", shown(thirty));
    for (name, section, text) in ALONE {
        let n = if ONE.contains(name) { 1 } else { COPIES };
        let pipeline = compiled(*section, &text.repeat(n));
        let time = fastest(&pipeline, *section).saturating_sub(empty);
        println!("| `{name}` | {} |", shown(time / u32::try_from(n).unwrap()));
    }
    let is_there = |name: &str| ALONE.iter().any(|(own, ..)| *own == name);
    let others: Vec<String> = portcullis_policies::ALL
        .iter()
        .filter(|it| !is_there(it.name))
        .map(|it| format!("`{}`", it.name))
        .collect();
    println!(
        "\nNot in the table, because they call somebody or need what is not here: {}.",
        others.join(", ")
    );
}

fn shown(time: Duration) -> String {
    match time.as_nanos() {
        nanoseconds @ ..10_000 => format!("{nanoseconds} ns"),
        more => format!("{:.1} µs", more as f64 / 1000.0),
    }
}

/// The fastest of many rounds.
fn fastest(pipeline: &Pipeline, section: Section) -> Duration {
    let services = services();
    let round = || {
        let mut context = context(&services);
        let start = Instant::now();
        run(pipeline, section, &mut context);
        start.elapsed()
    };
    (0..4_000).map(|_| round()).min().expect("there are rounds")
}

/// Nothing here waits for anybody, so one poll is enough.
fn run(pipeline: &Pipeline, section: Section, context: &mut Context) {
    let mut future = pin!(pipeline.section(section).run(context));
    let mut cx = std::task::Context::from_waker(Waker::noop());
    let outcome: Poll<Result<Flow, PolicyError>> = future.as_mut().poll(&mut cx);
    match outcome {
        Poll::Ready(Ok(_)) => {}
        Poll::Ready(Err(error)) => panic!("{error:?}"),
        Poll::Pending => panic!("a policy waits"),
    }
}

fn compiled(section: Section, policies: &str) -> Pipeline {
    let text = format!("<policies><{section}>{policies}</{section}></policies>");
    let (document, problems) = document::parse(&text);
    assert!(problems.is_empty(), "{problems:?}");
    let mut fragments = Fragments::new();
    fragments.insert("f", "f.xml".into(), "<fragment><set-method>POST</set-method></fragment>");
    let surroundings = Surroundings {
        registry: &Registry::new(portcullis_policies::ALL),
        named_values: &NamedValues::new(),
        fragments: &fragments,
        backends: None,
        extensions: &extensions(),
        options: &expr::Options::default(),
    };
    let target = Target::scope(Scope::Global);
    let (compiled, problems) = compile_document(&document, None, target, &surroundings);
    let compiled = compiled.unwrap_or_else(|| panic!("{problems:?}"));
    Pipeline::splice(&[&compiled])
}

/// Who checks tokens; keys stand in the policy, so nobody is asked for them.
fn extensions() -> Extensions {
    let clock = Arc::new(FakeClock::at_unix(1_700_000_000));
    let settings = ProviderSettings { in_background: false, ..ProviderSettings::default() };
    let providers = Providers::new(Arc::new(FakeClient::unreachable()), clock, settings);
    let mut extensions = Extensions::default();
    extensions.insert(Arc::new(providers));
    extensions
}

fn services() -> Arc<Services> {
    let clock = Arc::new(FakeClock::at_unix(1_700_000_000));
    Arc::new(Services::new(Arc::new(FakeClient::unreachable()), clock, Arc::new(NoForward)))
}

/// A request as models get them, and a response.
fn context(services: &Arc<Services>) -> Context {
    let base = Arc::new(BaseUrl::origin("https", "backend.example", 443));
    let url = RequestUrl::new(base, "/openai/chat", "api-version=1&debug=true");
    let mut request = Request::new(Method::GET, url.clone(), url);
    for (name, value) in [
        ("host", "gateway.example"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("x-key", "secret"),
        ("x-old", "1"),
        ("authorization", TOKEN),
        ("user-agent", "bench"),
    ] {
        request.headers.append(name, HeaderValue::from_static(value));
    }
    let body = br#"{"messages": [{"role": "user", "content": "hello"}], "temperature": 0.5}"#;
    request.body = Body::bytes(body.as_slice());
    request.ip_address = "192.0.2.1".into();
    let mut context = Context::new(request, Arc::clone(services));
    let subscription = SubscriptionInfo { id: "acme".to_owned(), ..SubscriptionInfo::default() };
    context.subscription = Some(Arc::new(subscription));
    let mut response = Response::new(http::StatusCode::OK);
    response.headers.append("content-type", HeaderValue::from_static("application/json"));
    response.body = Body::bytes(br#"{"status": "ok"}"#.as_slice());
    context.response = Some(response);
    context
}
