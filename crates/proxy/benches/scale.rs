//! How a configuration's size is felt: in routing, in loading and in changing one policy.
//!
//! ```text
//! scale route N_OPERATIONS N_LOOKUPS     time of a lookup; under callgrind, count `counted_lookups`
//! scale load N_APIS                      time and memory of a load, time of a change of one policy
//! ```
//!
//! The configuration is made up: APIs with ten operations each, a policy with expressions at every
//! API and at one of its operations, products of a hundred APIs with a policy, a global policy.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use config::{Engine, Loaded, NoSecrets, Options, Snapshot, Source};
use http::{HeaderMap, Method};
use pipeline::{Extensions, Registry, Services};
use portcullis_proxy::{Gateway, HttpForward, Router, Wanted};
use transport::{FakeClient, SystemClock};

// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Problem = Box<dyn std::error::Error>;

const N_OPERATIONS: usize = 10;
const N_APIS_OF_PRODUCT: usize = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let number = |text: &str| text.parse::<usize>().map_err(Problem::from);
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["route", operations, lookups] => {
            number(operations).and_then(|n| route(n, number(lookups)?))
        }
        ["load", apis] => number(apis).and_then(load),
        _ => Err("usage: scale route N_OPERATIONS N_LOOKUPS | scale load N_APIS".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Looks for one operation among many.
fn route(n_operations: usize, n_lookups: usize) -> Result<(), Problem> {
    let n_apis = n_operations.div_ceil(N_OPERATIONS).max(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let registry = Registry::new(policies::ALL);
    let extensions = Extensions::default();
    let engine = Engine { registry: &registry, extensions: &extensions };
    let options = Options::default();
    let files = files(n_apis, false);
    let snapshot = runtime.block_on(snapshot(&source(&files), &options, engine))?;
    let router = Router::new(&snapshot);
    let (headers, last) = (HeaderMap::new(), n_apis - 1);
    let path = format!("/team{}/api{last}/things/42/part7", last % 50);
    let wanted =
        Wanted { method: &Method::GET, path: &path, query: "a=b", headers: &headers, is_tls: true };
    let started = Instant::now();
    let found = counted_lookups(&router, &snapshot, wanted, n_lookups);
    let each = started.elapsed().as_secs_f64() / n_lookups as f64;
    if found != n_lookups {
        return Err(format!("{path} was found {found} times of {n_lookups}").into());
    }
    println!("{n_operations} operations: {:.0} ns a lookup", each * 1e9);
    Ok(())
}

/// What is counted.
#[inline(never)]
fn counted_lookups(router: &Router, snapshot: &Snapshot, wanted: Wanted<'_>, n: usize) -> usize {
    let is_found = |_: &usize| {
        let route = router.find(std::hint::black_box(wanted), snapshot);
        route.is_some_and(|it| it.operation == Some(7))
    };
    (0..n).filter(is_found).count()
}

/// Loads a configuration, then the same with one policy changed.
fn load(n_apis: usize) -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let forward = Arc::new(HttpForward::default());
    let client = Arc::new(FakeClient::unreachable());
    let services = Services::new(client, Arc::new(SystemClock), forward);
    let gateway = Gateway::new(Arc::new(services), None);
    let registry = Registry::new(policies::ALL);
    let engine = Engine { registry: &registry, extensions: gateway.services().extensions() };
    // One for all loads, as a store has it.
    let options = Options::default();

    let mut files = files(n_apis, true);
    let before = resident()?;
    let mut told = Vec::new();
    for round in 0..4 {
        if let Some(policy) = files.iter_mut().find(|it| it.0 == "apis/api7/policy.xml") {
            policy.1 = policy.1.replace("x-api", &format!("x-api-{round}"));
        }
        let source = source(&files);
        let started = Instant::now();
        let snapshot = runtime.block_on(snapshot(&source, &options, engine))?;
        let n = snapshot.apis.iter().map(|it| it.operations.len()).sum::<usize>();
        gateway.install(Arc::new(snapshot));
        let taken = started.elapsed().as_secs_f64() * 1e3;
        told.push(format!("{taken:.0} ms"));
        if n != n_apis * N_OPERATIONS {
            return Err(format!("{n} operations").into());
        }
        if round == 0 {
            told.push(format!("{} MiB", resident()?.saturating_sub(before) >> 20));
        }
    }
    println!("{n_apis} APIs: first load, memory, three changes of one policy: {}", told.join(", "));
    println!("in all: {} MiB", resident()? >> 20);
    Ok(())
}

async fn snapshot(
    source: &Source,
    options: &Options,
    engine: Engine<'_>,
) -> Result<Snapshot, Problem> {
    let Loaded { snapshot, diagnostics, .. } =
        config::load(source, options, &NoSecrets, engine).await;
    snapshot.ok_or_else(|| format!("it does not load: {:?}", diagnostics.first()).into())
}

fn source(files: &[(String, String)]) -> Source {
    Source::from_files(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// The files of a configuration; policies come with expressions, or not at all.
fn files(n_apis: usize, with_policies: bool) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut add = |name: String, text: String| files.push((name, text));
    if with_policies {
        add("policy.xml".to_owned(), GLOBAL.to_owned());
    }
    for number in 0..n_apis {
        let folder = format!("apis/api{number}");
        let info = format!(
            r#"{{"properties":{{"displayName":"API {number}","path":"team{}/api{number}",
                "protocols":["https"],"serviceUrl":"https://backend{number}.test/base",
                "subscriptionRequired":true,"apiRevision":"1","isCurrent":true}}}}"#,
            number % 50
        );
        add(format!("{folder}/apiInformation.json"), info);
        add(format!("{folder}/specification.yaml"), specification());
        if with_policies {
            add(format!("{folder}/policy.xml"), API.replace("{n}", &number.to_string()));
            add(format!("{folder}/operations/get-part3/policy.xml"), OPERATION.to_owned());
        }
    }
    for number in 0..if with_policies { n_apis.div_ceil(N_APIS_OF_PRODUCT) } else { 0 } {
        let folder = format!("products/product{number}");
        let first = number * N_APIS_OF_PRODUCT;
        let apis = first..(first + N_APIS_OF_PRODUCT).min(n_apis);
        let apis: Vec<String> = apis.map(|it| format!(r#"{{"name":"api{it}"}}"#)).collect();
        add(format!("{folder}/productInformation.json"), r#"{"properties":{}}"#.to_owned());
        add(format!("{folder}/apis.json"), format!("[{}]", apis.join(",")));
        add(format!("{folder}/policy.xml"), PRODUCT.to_owned());
    }
    files
}

fn specification() -> String {
    let mut text = "openapi: 3.0.1\ninfo: { title: Things, version: '1' }\npaths:\n".to_owned();
    for number in 0..N_OPERATIONS {
        text += &format!(
            "  /things/{{id}}/part{number}:\n    get:\n      operationId: get-part{number}\n      \
             summary: Part {number}\n      parameters:\n        - {{ name: id, in: path, required: true, \
             schema: {{ type: string }} }}\n        - {{ name: view, in: query, schema: {{ type: string, \
             enum: [short, long] }} }}\n      responses:\n        '200':\n          description: OK\n          \
             content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Part' }} }} }}\n"
        );
    }
    text + "components:\n  schemas:\n    Part:\n      type: object\n      properties:\n        \
            id: { type: string }\n        name: { type: string }\n        price: { type: number }\n"
}

const GLOBAL: &str = "<policies><inbound><set-header name=\"x-request\" exists-action=\"override\">\
    <value>@(context.RequestId.ToString())</value></set-header></inbound>\
    <backend><forward-request timeout=\"30\" /></backend><outbound /><on-error /></policies>";
const PRODUCT: &str = "<policies><inbound><base /><set-variable name=\"tier\" \
    value=\"@(context.Product.Name)\" /></inbound></policies>";
const API: &str = r#"<policies>
    <inbound>
        <base />
        <set-variable name="who" value="@(context.Subscription?.Id ?? "nobody")" />
        <choose>
            <when condition="@(context.Request.Headers.GetValueOrDefault("x-mode", "") == "fast")">
                <set-header name="x-api" exists-action="override"><value>{n}</value></set-header>
            </when>
            <otherwise>
                <set-header name="x-api" exists-action="override">
                    <value>@{
                        var parts = context.Request.OriginalUrl.Path.Split('/');
                        return string.Join("-", parts.Where(it => it.Length > 0)) + "{n}";
                    }</value>
                </set-header>
            </otherwise>
        </choose>
    </inbound>
    <outbound>
        <base />
        <set-header name="x-elapsed" exists-action="override">
            <value>@(context.Elapsed.TotalMilliseconds.ToString("F1"))</value>
        </set-header>
    </outbound>
</policies>"#;
const OPERATION: &str = r#"<policies><inbound><base />
    <set-query-parameter name="trace" exists-action="override">
        <value>@(context.Operation.Id + ":" + context.Variables.GetValueOrDefault<string>("who"))</value>
    </set-query-parameter>
</inbound></policies>"#;

/// Memory that the process has, in bytes.
fn resident() -> Result<usize, Problem> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|it| it.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    let kib = line.split_whitespace().nth(1).ok_or("no number")?.parse::<usize>()?;
    Ok(kib << 10)
}
