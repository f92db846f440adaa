//! Two gateways and one external cache: they share values and responses, and go on without it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use document::NamedValues;
use http::{Method, StatusCode};
use pipeline::{
    Background, BaseUrl, Body, CacheConnection, Caches, CompileCx, Context, Diagnostic, Element,
    Extensions, ExternalCache, Flow, Fragments, Immediate, NoForward, Pipeline, PolicyError,
    PolicyKind, Registry, Request, RequestUrl, Response, Scope, Scopes, Sections, Services, Step,
    Surroundings, Target, compile_document,
};
use portcullis_caching as caching;
use tokio::runtime::Handle;
use transport::{FakeClient, FakeClock, Secret};

use crate::server::Server;

const LONG: Duration = Duration::from_secs(20);

const KINDS: &[PolicyKind] = &[
    ANSWER,
    caching::CACHE_LOOKUP,
    caching::CACHE_LOOKUP_VALUE,
    caching::CACHE_REMOVE_VALUE,
    caching::CACHE_STORE,
    caching::CACHE_STORE_VALUE,
];

/// `<answer />` is the backend: it streams a text that tells the gateways apart.
const ANSWER: PolicyKind = PolicyKind {
    name: "answer",
    summary: "Is the backend.",
    sections: Sections::BACKEND,
    scopes: Scopes::ALL,
    attrs: &[],
    children: &[],
    compile: answer,
};

fn answer(_: Element<'_>, cx: &mut CompileCx<'_>) -> Result<Step, Diagnostic> {
    let name: Arc<String> = cx.extension().unwrap();
    Ok(Step::immediate(Answer(name)))
}

#[derive(Debug)]
struct Answer(Arc<String>);

impl Immediate for Answer {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let (sender, body) = transport::Body::channel(2);
        let text = self.0.to_string();
        tokio::spawn(async move {
            sender.send("from ").await.unwrap();
            sender.send(text).await.unwrap();
        });
        let mut response = Response::new(StatusCode::OK);
        response.body = Body::stream(body);
        context.set_response(response);
        Ok(Flow::Next)
    }
}

const RESPONSES: &str = "<inbound>\
    <cache-lookup vary-by-developer='false' vary-by-developer-groups='false' caching-type='external' />\
    </inbound><backend><answer /></backend><outbound><cache-store duration='60' /></outbound>";

struct Gateway {
    extensions: Extensions,
    services: Arc<Services>,
}

impl Gateway {
    fn new(name: &str, server: &Server) -> Gateway {
        let connection = CacheConnection::Known(Secret::new(server.settings().address()));
        let timeout = Some(server.settings().timeout);
        let external = ExternalCache { id: "default".to_owned(), connection, timeout };
        let caches =
            Caches { external: Some(external), namespace: "shop".to_owned(), ..Caches::default() };
        let mut extensions = Extensions::default();
        extensions.insert(Arc::new(caches));
        extensions.insert(Arc::new(caching::Stores::new(Handle::current())));
        extensions.insert(Arc::new(name.to_owned()));
        let client = Arc::new(FakeClient::unreachable());
        let clock = Arc::new(FakeClock::at_unix(1_700_000_000));
        let services = Services::new(client, clock, Arc::new(NoForward));
        let services = Arc::new(services.with_extensions(extensions.clone()));
        Gateway { extensions, services }
    }

    fn pipeline(&self, sections: &str) -> Pipeline {
        let (document, _) = document::parse(&format!("<policies>{sections}</policies>"));
        let surroundings = Surroundings {
            registry: &Registry::new(KINDS),
            named_values: &NamedValues::new(),
            fragments: &Fragments::new(),
            backends: None,
            extensions: &self.extensions,
            options: &expr::Options::default(),
        };
        let target = Target::scope(Scope::Api);
        let (compiled, problems) = compile_document(&document, None, target, &surroundings);
        assert!(problems.is_empty(), "{problems:?}");
        Pipeline::splice(&[&compiled.unwrap()])
    }

    async fn run(&self, pipeline: &Pipeline, path: &str) -> Context {
        let base = Arc::new(BaseUrl::origin("https", "backend.example", 443));
        let url = RequestUrl::new(base, path, "");
        let request = Request::new(Method::GET, url.clone(), url);
        let mut context = Context::new(request, Arc::clone(&self.services));
        let failure = pipeline::run(pipeline, &mut context).await;
        assert!(failure.is_none(), "{failure:?}");
        context
    }

    /// Whether the cache had it, and the body as the client reads it.
    async fn ask(&self, pipeline: &Pipeline, path: &str) -> String {
        let context = self.run(pipeline, path).await;
        let (found, response) = (context.cache.name(), context.response.unwrap());
        let body = response.into_http().unwrap().into_body().collect(99).await.unwrap();
        let background: Arc<Background> = self.extensions.shared();
        background.settled().await;
        format!("{found}: {}", String::from_utf8(body.to_vec()).unwrap())
    }

    /// Waits until what is stored is found again.
    async fn is_connected(&self) {
        let pipeline = self.pipeline(
            "<inbound><cache-store-value key='up' value='1' duration='60' />\
             <cache-lookup-value key='up' variable-name='up' /></inbound>",
        );
        let since = Instant::now();
        while self.run(&pipeline, "/").await.variables.get("up").is_none() {
            assert!(since.elapsed() < LONG, "no connection");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

#[tokio::test]
async fn gateways_share_values_with_their_types() {
    let Some(server) = Server::start() else { return };
    let (first, second) = (Gateway::new("first", &server), Gateway::new("second", &server));
    first.is_connected().await;
    second.is_connected().await;
    let store = first.pipeline(
        "<inbound>\
         <cache-store-value key='text' value='text' duration='60' />\
         <cache-store-value key='long' value='@(5000000000)' duration='60' caching-type='external' />\
         <cache-store-value key='json' value='@(new JArray(1, \"x\"))' duration='60' />\
         <cache-store-value key='gone' value='text' duration='60' />\
         <cache-remove-value key='gone' />\
         <cache-store-value key='inside' value='text' duration='60' caching-type='internal' />\
         </inbound>",
    );
    first.run(&store, "/").await;
    let names = ["text", "long", "json", "gone", "inside"];
    let lookups: String = names
        .iter()
        .map(|it| format!("<cache-lookup-value key='{it}' variable-name='{it}' />"))
        .collect();
    let found = second.run(&second.pipeline(&format!("<inbound>{lookups}</inbound>")), "/").await;
    let types: Vec<String> = names
        .iter()
        .map(|it| found.variables.get(it).map_or("absent".to_owned(), |it| it.type_name()))
        .collect();
    assert_eq!(
        types,
        ["System.String", "System.Int64", "Newtonsoft.Json.Linq.JArray", "absent", "absent"]
    );
}

#[tokio::test]
async fn gateways_share_responses_that_have_reached_their_client() {
    let Some(server) = Server::start() else { return };
    let (first, second) = (Gateway::new("first", &server), Gateway::new("second", &server));
    first.is_connected().await;
    second.is_connected().await;
    let (of_first, of_second) = (first.pipeline(RESPONSES), second.pipeline(RESPONSES));

    // A response whose body nobody reads is not whole.
    drop(first.run(&of_first, "/orders").await);
    assert_eq!(second.ask(&of_second, "/orders").await, "miss: from second");
    assert_eq!(first.ask(&of_first, "/orders").await, "hit: from second");
    assert_eq!(first.ask(&of_first, "/others").await, "miss: from first");
    assert_eq!(second.ask(&of_second, "/others").await, "hit: from first");
}

#[tokio::test]
async fn without_the_server_requests_go_on_and_with_it_again_they_share() {
    let Some(mut server) = Server::start() else { return };
    let gateway = Gateway::new("first", &server);
    gateway.is_connected().await;
    let pipeline = gateway.pipeline(RESPONSES);
    assert_eq!(gateway.ask(&pipeline, "/").await, "miss: from first");
    assert_eq!(gateway.ask(&pipeline, "/").await, "hit: from first");

    server.kill();
    let since = Instant::now();
    for _ in 0..50 {
        assert_eq!(gateway.ask(&pipeline, "/").await, "miss: from first");
    }
    assert!(since.elapsed() < LONG, "{:?}", since.elapsed());

    assert!(server.start_again());
    gateway.is_connected().await;
    assert_eq!(gateway.ask(&pipeline, "/").await, "miss: from first");
    assert_eq!(gateway.ask(&pipeline, "/").await, "hit: from first");
}

#[tokio::test]
async fn a_cache_that_cannot_be_meant_keeps_the_document_from_loading() {
    let mut extensions = Extensions::default();
    let connection = CacheConnection::Known(Secret::new("h:1,password=hunter2,proxy=x"));
    let external = ExternalCache { id: "default".to_owned(), connection, timeout: None };
    extensions.insert(Arc::new(Caches { external: Some(external), ..Caches::default() }));
    let text = "<policies><inbound><cache-remove-value key='k' /></inbound></policies>";
    let (document, _) = document::parse(text);
    let surroundings = Surroundings {
        registry: &Registry::new(KINDS),
        named_values: &NamedValues::new(),
        fragments: &Fragments::new(),
        backends: None,
        extensions: &extensions,
        options: &expr::Options::default(),
    };
    let target = Target::scope(Scope::Api);
    let (compiled, problems) = compile_document(&document, None, target, &surroundings);
    let told: Vec<String> =
        problems.iter().map(|it| format!("{} {}", it.code, it.message)).collect();
    assert!(compiled.is_none());
    assert_eq!(
        told,
        [
            "PC0435 cache `default` cannot be used: the option `proxy` of the connection string is not known"
        ]
    );
}
