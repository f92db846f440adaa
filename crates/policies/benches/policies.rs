//! What policies cost: a pipeline of thirty, and each of them alone.
//!
//! ```text
//! cargo bench -p portcullis-policies --bench policies            times of the thirty, by criterion
//! cargo bench -p portcullis-policies --bench policies -- table   a line for each policy, in Markdown
//! ```
//!
//! A policy is compiled as in a document and run on a request that is made anew for every round. Its
//! time is that of a section with several copies of it, divided; the fastest of many rounds counts,
//! which nothing interrupted. What calls another service gets its answer at once, from a fake; limits
//! are counted and values kept in the process, and a token is one that was checked before.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

mod alone;
mod world;

use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use pipeline::{CacheUse, Context, Flow, Pipeline, PolicyError, Section};

use crate::alone::{ALONE, ELSEWHERE};
use crate::world::World;

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

/// These end the request, or cannot work on what they made: there is one of them.
const ONE: &[&str] = &[
    "azure-openai-semantic-cache-lookup (a hit)",
    "azure-openai-semantic-cache-store (a store)",
    "cache-lookup (a hit)",
    "cache-remove-value",
    "cache-store (a store)",
    "forward-request",
    "json-to-xml",
    "jsonp",
    "llm-semantic-cache-lookup (a hit)",
    "llm-semantic-cache-store (a store)",
    "mock-response",
    "quota",
    "rate-limit",
    "return-response",
    "xml-to-json",
];
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
    let world = World::new();
    let pipeline = world.compiled(&in_section(Section::Inbound, THIRTY));
    criterion.bench_function("thirty policies", |bencher| {
        bencher.iter_batched_ref(
            || world.context("", 0),
            |context| run(&world, &pipeline, Section::Inbound, context).unwrap(),
            // A gateway runs a request as soon as it has read it. Thousands made before the first
            // of them runs would lie in no cache.
            BatchSize::NumIterations(32),
        );
    });
    criterion.final_summary();
}

fn table() {
    let empty = fastest("", Section::Inbound, "", "").unwrap();
    let thirty = fastest("", Section::Inbound, "", THIRTY).unwrap() - empty;
    println!("| policy | time |\n|---|---:|");
    println!("| thirty policies | {} |", shown(thirty));
    let mut failed = Vec::new();
    for (name, section, before, text) in ALONE {
        let n = if ONE.contains(name) { 1 } else { COPIES };
        match fastest(name, *section, before, &text.repeat(n)) {
            Ok(time) => {
                let time = time.saturating_sub(empty) / u32::try_from(n).unwrap();
                println!("| `{name}` | {} |", shown(time));
            }
            Err(error) => failed.push(format!("{name}: {error:?}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    for (name, why) in ELSEWHERE {
        println!("\n`{name}` {why}.");
    }
}

fn shown(time: Duration) -> String {
    match time.as_nanos() {
        nanoseconds @ ..10_000 => format!("{nanoseconds} ns"),
        more => format!("{:.1} µs", more as f64 / 1000.0),
    }
}

/// The fastest of many rounds, each with a request of its own.
fn fastest(
    name: &str,
    section: Section,
    before: &str,
    policies: &str,
) -> Result<Duration, PolicyError> {
    let world = World::new();
    let before = world.compiled(before);
    let pipeline = world.compiled(&in_section(section, policies));
    let round = |number: u32| {
        let mut context = world.context(name, number);
        for earlier in [Section::Inbound, Section::Outbound] {
            run(&world, &before, earlier, &mut context)?;
        }
        let start = Instant::now();
        run(&world, &pipeline, section, &mut context)?;
        let time = start.elapsed();
        // What nobody waits for, outside of the time.
        world.runtime.block_on(tokio::task::yield_now());
        Ok((time, context))
    };
    let n_rounds = if name.starts_with("validate-client") { 400 } else { 4_000 };
    let (mut least, context) = round(0)?;
    check(&world, &before, name, &context)?;
    for number in 1..n_rounds {
        least = least.min(round(number)?.0);
    }
    Ok(least)
}

/// Whether a policy did what its line says, in the first round.
fn check(
    world: &World,
    before: &Pipeline,
    name: &str,
    context: &Context,
) -> Result<(), PolicyError> {
    let variable = || context.variables.get("v").map(|it| it.to_text().into_owned());
    match name.split_once(" (") {
        Some(("cache-lookup-value", "a hit)")) => assert_eq!(variable().as_deref(), Some("v")),
        Some(("cache-lookup-value", _)) => assert_eq!(variable().as_deref(), Some("d")),
        Some((_, "a hit)")) => assert_eq!(context.cache, CacheUse::Hit, "{name}"),
        Some((_, "a miss)")) => assert_eq!(context.cache, CacheUse::Miss, "{name}"),
        Some((_, "a store)")) => {
            let mut again = world.context(name, 0);
            run(world, before, Section::Inbound, &mut again)?;
            assert_eq!(again.cache, CacheUse::Hit, "{name}");
        }
        _ if name == "llm-content-safety" => assert_eq!(world.n_calls(), COPIES),
        _ => {}
    }
    Ok(())
}

/// What is at hand is there at the first poll. Only what begins something, as the first request that
/// needs a token, is waited for.
fn run(
    world: &World,
    pipeline: &Pipeline,
    section: Section,
    context: &mut Context,
) -> Result<Flow, PolicyError> {
    let _guard = world.runtime.enter();
    let mut future = pin!(pipeline.section(section).run(context));
    let mut cx = std::task::Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => world.runtime.block_on(future),
    }
}

fn in_section(section: Section, policies: &str) -> String {
    format!("<{section}>{policies}</{section}>")
}
