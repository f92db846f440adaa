//! Requests through the gateway without a network: what the request path itself costs.
//!
//! ```text
//! bench/instructions            counts instructions and allocations of each target
//! request TARGET N              sends N requests, after a few that fetch keys and tokens
//! ```
//!
//! The configuration is `examples/guide` with one more API, `pass-through`, which has no policy of
//! its own. The other side of every call is a client that answers from memory. The target `nothing`
//! makes the same requests and calls that client itself: subtract it, and what is left is the
//! gateway's own part.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use config::{Engine, NoSecrets, Options, Source};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use identity::{
    IdentitySource, ManagedIdentities, ManagedIdentitySettings, ProviderSettings, Providers,
};
use pipeline::{Registry, Services};
use portcullis_proxy::{Gateway, HttpForward};
use serde_json::json;
use simulator::entra::token::Grant;
use simulator::{Seed, World};
use transport::{
    Body, BoxFuture, CallError, CallOptions, HttpClient, Peer, Request, Response, SystemClock,
};

const RESOURCE: &str = "https://cognitiveservices.azure.com";
const KEY: &str = "local-key";
const PATH: &str = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";
const QUESTION: &[u8] =
    br#"{"messages": [{"role": "user", "content": "Say something of average length."}]}"#;
/// Requests that are sent before any is counted: they bring keys and tokens.
const N_FIRST: usize = 20;
/// The API without policies.
const PLAIN: &str = "pass-through";
/// Sends its requests straight to the client.
const NOTHING: &str = "nothing";

// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Problem = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let outcome = match arguments.as_slice() {
        [target, n] => n.parse().map_err(Problem::from).and_then(|n| run(target, n)),
        _ => Err("usage: request TARGET N (bench/instructions does this for you)".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(target: &str, n_requests: usize) -> Result<(), Problem> {
    let world = World::new(Seed::default(), Arc::new(SystemClock))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let edge = Arc::new(Edge::new(&world)?);
    let gateway = runtime.block_on(gateway(&edge))?;
    let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    let caller = Caller { template: Template::new(target, &world)?, target, edge, gateway, peer };
    runtime.block_on(caller.send(N_FIRST))?;
    counted_requests(&runtime, &caller, n_requests)
}

/// What is counted: the name is known to `bench/instructions`.
#[inline(never)]
fn counted_requests(
    runtime: &tokio::runtime::Runtime,
    caller: &Caller<'_>,
    n: usize,
) -> Result<(), Problem> {
    runtime.block_on(caller.send(n))
}

/// Who sends the requests.
struct Caller<'a> {
    template: Template,
    target: &'a str,
    edge: Arc<Edge>,
    gateway: Arc<Gateway>,
    peer: Arc<Peer>,
}

impl Caller<'_> {
    async fn send(&self, n: usize) -> Result<(), Problem> {
        for _ in 0..n {
            let request = self.template.request();
            let response = match self.target {
                NOTHING => self.edge.send(request, &CallOptions::default()).await?,
                _ => self.gateway.clone().handle(request, self.peer.clone()).await,
            };
            let (status, body) = (response.status(), response.into_body().collect(1 << 20).await?);
            if status != StatusCode::OK || body != self.edge.answer {
                return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
            }
        }
        Ok(())
    }
}

/// The gateway over the example.
async fn gateway(edge: &Arc<Edge>) -> Result<Arc<Gateway>, Problem> {
    let clock = Arc::new(SystemClock);
    let base = "http://169.254.169.254".parse()?;
    let settings = ManagedIdentitySettings { source: IdentitySource::Imds { base }, runtime: None };
    let identities = ManagedIdentities::new(edge.clone(), clock.clone(), settings);
    let providers = Providers::new(edge.clone(), clock.clone(), ProviderSettings::default());
    let services = Services::new(edge.clone(), clock, Arc::new(HttpForward::default()))
        .with(Arc::new(identities))
        .with(Arc::new(providers));
    let mut options = Options::default();
    options.keys.push(("local".to_owned(), KEY.into()));
    options.named_values.push(("openai-api-key".to_owned(), "local-azure-openai-key".into()));
    let registry = Registry::new(policies::ALL);
    let engine = Engine { registry: &registry, extensions: services.extensions() };
    let loaded = config::load(&source()?, &options, &NoSecrets, engine).await;
    let Some(snapshot) = loaded.snapshot else {
        return Err(format!("the example does not load: {:?}", loaded.diagnostics).into());
    };
    let gateway = Gateway::new(Arc::new(services), None);
    gateway.install(Arc::new(snapshot));
    Ok(gateway)
}

/// The example and the API without policies.
fn source() -> Result<Source, Problem> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guide");
    let (mut source, problems) = Source::read(&folder);
    if !problems.is_empty() {
        return Err(format!("{problems:?}").into());
    }
    for name in ["apiInformation.json", "specification.json"] {
        let text = source.text(&format!("apis/openai-key/{name}")).ok_or("no such file")?.clone();
        let text = text.replace("openai-key/openai", &format!("{PLAIN}/openai"));
        let text =
            text.replace(r#""subscriptionRequired": true"#, r#""subscriptionRequired": false"#);
        source.insert(format!("apis/{PLAIN}/{name}"), text);
    }
    Ok(source)
}

/// A request, ready to be made again and again.
struct Template {
    uri: Uri,
    headers: HeaderMap,
}

impl Template {
    fn new(target: &str, world: &World) -> Result<Self, Problem> {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value)?;
            headers.insert(HeaderName::from_static(name), value);
            Ok::<_, Problem>(())
        };
        put("host", "127.0.0.1:8080")?;
        put("content-type", "application/json")?;
        put("content-length", &QUESTION.len().to_string())?;
        match target {
            "openai-key" | "openai-identity" => put("api-key", KEY)?,
            "openai-jwt" | "openai-entra" => {
                let seed = Seed::default();
                let issued_at = world.now().cast_signed();
                let grant = Grant::app(&seed, &seed.client_id, RESOURCE, issued_at);
                put("authorization", &format!("Bearer {}", grant.sign(&world.keys())))?;
            }
            PLAIN => {}
            NOTHING => {
                return Ok(Self { uri: format!("http://nothing.test{PATH}").parse()?, headers });
            }
            _ => return Err(format!("`{target}` is no target").into()),
        }
        Ok(Self { uri: format!("/{target}{PATH}").parse()?, headers })
    }

    fn request(&self) -> Request {
        let mut request = Request::new(Body::full(QUESTION));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// Everything that the gateway calls.
struct Edge {
    answer: Bytes,
    headers: HeaderMap,
    metadata: Bytes,
    keys: Bytes,
    token: Bytes,
}

impl Edge {
    fn new(world: &World) -> Result<Self, Problem> {
        let seed = Seed::default();
        let answer = Bytes::from(vec![b'x'; 600]);
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("server", "nginx"),
            ("date", "Mon, 23 Nov 2026 11:00:00 GMT"),
            ("content-type", "application/json"),
            ("content-length", "600"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let login = "https://login.microsoftonline.com";
        let metadata = json!({
            "issuer": format!("https://sts.windows.net/{}/", seed.tenant_id),
            "jwks_uri": format!("{login}/common/discovery/keys"),
        });
        let now = world.now();
        let grant = Grant::app(&seed, &seed.system_identity, RESOURCE, now.cast_signed());
        let token = json!({
            "access_token": grant.sign(&world.keys()),
            "expires_on": (now + 3600).to_string(),
            "resource": RESOURCE,
            "token_type": "Bearer",
        });
        let keys = world.keys().jwks().to_string().into();
        let (metadata, token) = (metadata.to_string().into(), token.to_string().into());
        Ok(Self { answer, headers, metadata, keys, token })
    }

    fn answer(&self, uri: &Uri) -> Response {
        let (body, headers) = match (uri.host(), uri.path()) {
            (Some("169.254.169.254"), _) => (&self.token, HeaderMap::new()),
            (Some("login.microsoftonline.com"), path) if path.ends_with("/keys") => {
                (&self.keys, HeaderMap::new())
            }
            (Some("login.microsoftonline.com"), _) => (&self.metadata, HeaderMap::new()),
            _ => (&self.answer, self.headers.clone()),
        };
        let mut response = Response::new(Body::full(body.clone()));
        *response.headers_mut() = headers;
        response
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Edge(..)")
    }
}

impl HttpClient for Edge {
    fn send<'a>(
        &'a self,
        request: Request,
        _: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Response, CallError>> {
        Box::pin(async move { Ok(self.answer(request.uri())) })
    }
}
