//! What surrounds a policy in the bench: services that answer at once, a request and a response.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use document::NamedValues;
use expr::host::{BackendInfo, SubscriptionInfo};
use http::{HeaderValue, Method};
use identity::{
    AuthorizationTokens, ClientTrust, IdentitySource, ManagedIdentities, ManagedIdentitySettings,
    ProviderSettings, Providers,
};
use pipeline::url::BaseUrl;
use pipeline::{
    Authorizations, BackendEntry, Backends, Body, Caches, Certificate, CertificateEntry,
    Certificates, Connection, ConnectionEntry, Context, EventHub, Extensions, Forward, ForwardCall,
    Fragments, GraphQlApi, Location, LogTarget, Logger, Loggers, OpenApi, Operation,
    OperationRequest, OperationResponse, Parameter, Pipeline, PolicyError, Registry,
    Representation, Request, RequestUrl, Response, Scope, Services, Specification, Statuses, Style,
    Surroundings, Target, compile_document,
};
use tokio::runtime::{Builder, Runtime};
use transport::{BoxFuture, FakeClient, FakeClock, RecordedRequest, Roots};

/// The moment at which tokens and certificates are valid: 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600;
/// A token that the key above has signed; it expires in 2100.
const TOKEN: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoiYmVuY2giLCJleHAiOjQxMDI0NDQ4MDB9.PgGfzT5yeDigl-KafhBNQvyNJLMD83Ee8PVcXwrFEhM";
/// A certificate with its private key.
const CERTIFICATE: &str = include_str!("../tests/certificate.pem");
/// Cases that hold what takes keys to make.
const ENTRA_CASES: &str = include_str!("../tests/cases/validate-azure-ad-token.case");
const CLIENT_CASES: &str = include_str!("../tests/cases/validate-client-certificate.case");

/// One gateway.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    services: Arc<Services>,
    backends: Arc<Backends>,
    graphql: Arc<Operation>,
    described: Arc<Operation>,
    client_certificate: Arc<[Vec<u8>]>,
    backend: Arc<Immediate>,
}

/// A backend that answers at once, and counts.
#[derive(Debug, Default)]
struct Immediate(AtomicUsize);

impl Forward for Immediate {
    fn forward<'a>(
        &'a self,
        context: &'a mut Context,
        _: ForwardCall,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let mut response = Response::new(http::StatusCode::OK);
        response.body = match context.request.url.path() {
            "/embeddings" => Body::bytes(r#"{"data":[{"index":0,"embedding":[1,0]}]}"#),
            path if path.starts_with("/contentsafety/") => Body::bytes(
                r#"{"blocklistsMatch":[],"categoriesAnalysis":[{"category":"Hate","severity":0}]}"#,
            ),
            _ => Body::absent(),
        };
        context.set_response(response);
        Box::pin(async { Ok(()) })
    }
}

impl World {
    pub(crate) fn new() -> World {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let forward = Arc::new(Immediate::default());
        let client = FakeClient::new(answer);
        let services = Services::new(
            Arc::new(client.clone()),
            Arc::new(FakeClock::at_unix(NOW)),
            Arc::clone(&forward) as Arc<dyn Forward>,
        );
        let services = Arc::new(services.with_extensions(extensions(&client)));
        let backend = |(id, url): (&str, &str)| BackendEntry {
            info: Arc::new(BackendInfo {
                id: id.to_owned(),
                kind: "Single".to_owned(),
                ..BackendInfo::default()
            }),
            url: Some(Arc::new(BaseUrl::parse(url).unwrap())),
            ..BackendEntry::default()
        };
        let backends =
            [("embeddings", "https://embeddings.example"), ("safety", "https://safety.example")];
        let schema = graphql::Schema::parse(
            "type Query { user: User } type User { name: String boss: User }",
        );
        let graphql = Some(Arc::new(GraphQlApi::new(schema.unwrap(), true)));
        World {
            runtime,
            services,
            backends: Arc::new(backends.into_iter().map(backend).collect()),
            described: Arc::new(described()),
            backend: forward,
            graphql: Arc::new(Operation { graphql, ..Operation::default() }),
            client_certificate: vec![
                identity::certificate_der(block(CLIENT_CASES, "client certificate").as_bytes())
                    .unwrap(),
            ]
            .into(),
        }
    }

    /// The sections of a document, compiled.
    pub(crate) fn compiled(&self, sections: &str) -> Pipeline {
        let text =
            format!("<policies>{}</policies>", sections.replace("ENTRA_TOKEN", entra_token()));
        let (document, problems) = document::parse(&text);
        assert!(problems.is_empty(), "{problems:?}");
        let mut fragments = Fragments::new();
        fragments.insert("f", "f.xml".into(), "<fragment><set-method>POST</set-method></fragment>");
        let surroundings = Surroundings {
            registry: &Registry::new(portcullis_policies::ALL),
            named_values: &NamedValues::new(),
            fragments: &fragments,
            backends: Some(&self.backends),
            extensions: self.services.extensions(),
            options: &expr::Options::default(),
        };
        let _guard = self.runtime.enter();
        let target = Target::scope(Scope::Global);
        let (compiled, problems) = compile_document(&document, None, target, &surroundings);
        let compiled = compiled.unwrap_or_else(|| panic!("{problems:?}"));
        Pipeline::splice(&[&compiled])
    }

    /// A request as models get them, and a response, for the policy of that name. What looks in a
    /// cache and is to find nothing has a request of its own in every round.
    pub(crate) fn context(&self, name: &str, round: u32) -> Context {
        let mut context = context(&self.services);
        context.backends = Arc::clone(&self.backends);
        if name.contains("graphql") {
            context.operation = Some(Arc::clone(&self.graphql));
        } else if name.starts_with("validate-") {
            context.operation = Some(Arc::clone(&self.described));
        }
        if name == "validate-client-certificate" {
            context.request.certificates = Some(Arc::clone(&self.client_certificate));
        }
        if name.starts_with("cache-") {
            context.request.headers.remove("authorization");
            context.request.body = Body::absent();
        }
        if name.ends_with(" (a miss)") || name.ends_with(" (a store)") {
            let base = Arc::new(BaseUrl::origin("https", "backend.example", 443));
            let url = RequestUrl::new(base, "/openai/chat", &format!("round={round}"));
            context.request.url = url.clone();
            context.request.original_url = url;
            context.request.headers.append("x-round", HeaderValue::from(round));
        }
        context
    }

    /// How many requests went to backends.
    pub(crate) fn n_calls(&self) -> usize {
        self.backend.0.load(Ordering::Relaxed)
    }
}

/// An operation whose description the request and the response fit.
fn described() -> Operation {
    let text = |name: &str| Parameter {
        name: name.to_owned(),
        location: Location::Query,
        definition: Some("/components/schemas/text".to_owned()),
        style: Style::Form,
        is_exploded: true,
        ..Parameter::default()
    };
    let header = |name: &str| Parameter { location: Location::Header, ..text(name) };
    let json = || Representation {
        content_type: "application/json".to_owned(),
        definition: Some("/components/schemas/object".to_owned()),
        ..Representation::default()
    };
    let document = serde_json::json!({ "components": { "schemas": {
        "text": { "type": "string", "maxLength": 20 },
        "object": { "type": "object", "properties": { "temperature": { "type": "number" } } },
    } } });
    Operation {
        request: OperationRequest {
            parameters: vec![text("api-version"), text("debug"), header("x-key")],
            representations: vec![json()],
            is_body_required: true,
        },
        responses: vec![OperationResponse {
            statuses: Statuses::parse("200").unwrap(),
            representations: vec![json()],
            headers: vec![header("x-key")],
        }],
        specification: Some(Arc::new(Specification::new(OpenApi::V30, document))),
        ..Operation::default()
    }
}

/// What other services answer.
fn answer(request: &RecordedRequest) -> Result<transport::Response, transport::CallError> {
    let url = request.uri.to_string();
    let body = match request.uri.host().unwrap_or_default() {
        "login.crm.test" => r#"{"access_token":"t1","expires_in":36000000}"#,
        "login.microsoftonline.com" if url.ends_with("openid-configuration") => {
            line(ENTRA_CASES, r#"{"issuer":"#)
        }
        "login.microsoftonline.com" => line(ENTRA_CASES, r#"{"keys":"#),
        _ => "{}",
    };
    let mut response = http::Response::new(transport::Body::full(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    Ok(response)
}

/// The token that the first case with a good one has.
fn entra_token() -> &'static str {
    let name = "the guide's policy lets a token of the tenant pass";
    let case = ENTRA_CASES.split_once(name).map_or("", |(_, rest)| rest);
    line(case, "Authorization: Bearer ").trim_start_matches("Authorization: Bearer ")
}

/// The first line that begins so.
fn line(text: &'static str, start: &str) -> &'static str {
    text.lines().find(|it| it.starts_with(start)).expect("the case has that line")
}

/// The first block of a case file with that heading.
fn block(text: &'static str, heading: &str) -> &'static str {
    let (_, rest) = text.split_once(&format!("--- {heading}\n")).expect("there is such a block");
    rest.split("\n--- ").next().unwrap_or_default()
}

fn extensions(client: &FakeClient) -> Extensions {
    let client = Arc::new(client.clone());
    let clock = Arc::new(FakeClock::at_unix(NOW));
    let settings = ProviderSettings { in_background: false, ..ProviderSettings::default() };
    let providers = Providers::new(client.clone(), clock.clone(), settings);
    let source = IdentitySource::Fixed("t1".into());
    let settings = ManagedIdentitySettings { source, runtime: None };
    let identities = ManagedIdentities::new(client.clone(), clock.clone(), settings);
    let mut certificates = Certificates::default();
    let entry = CertificateEntry {
        chain_pem: CERTIFICATE.to_owned(),
        private_key_pem: Some(CERTIFICATE.into()),
    };
    certificates.insert("client", Certificate::Usable(entry));
    let hub = "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=key;EntityPath=calls";
    let hub = EventHub::from_connection_string(hub, None).unwrap();
    let target = LogTarget::EventHub(hub);
    let loggers: Loggers =
        [Logger { id: "hub".to_owned(), is_buffered: false, target }].into_iter().collect();
    let connection = Connection {
        token_url: "https://login.crm.test/token".parse().unwrap(),
        client_id: "gateway".to_owned(),
        client_secret: Some("s3cret".into()),
        is_secret_in_header: false,
        refresh_token: None,
        scopes: Vec::new(),
        parameters: Vec::new(),
        access: Vec::new(),
    };
    let mut authorizations = Authorizations::default();
    authorizations.insert("crm", "app", ConnectionEntry::Usable(Arc::new(connection)));
    let roots = block(CLIENT_CASES, "client authorities").as_bytes();
    let roots = Roots::none().with_pem(roots).unwrap();
    let mut extensions = Extensions::default();
    extensions.insert(Arc::new(providers));
    extensions.insert(Arc::new(identities));
    extensions.insert(Arc::new(certificates));
    extensions.insert(Arc::new(loggers));
    extensions.insert(Arc::new(authorizations));
    extensions.insert(Arc::new(AuthorizationTokens::new(client.clone(), clock.clone())));
    extensions.insert(Arc::new(ClientTrust::new(&roots, client, clock)));
    extensions.insert(Arc::new(Caches::default()));
    extensions
}

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
    response.headers.append("x-key", HeaderValue::from_static("answered"));
    response.body = Body::bytes(br#"{"status": "ok"}"#.as_slice());
    context.response = Some(response);
    context
}
