//! What the caching policies cost with the internal cache: a hit and a miss of values and of
//! responses, each as a request sees it.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on may stop")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use document::NamedValues;
use http::{Method, StatusCode};
use pipeline::{
    BaseUrl, Body, Context, Extensions, Fragments, NoForward, Pipeline, Registry, Request,
    RequestUrl, Response, Scope, Services, Surroundings, Target, compile_document,
};
use portcullis_caching as caching;
use transport::{FakeClient, FakeClock};

const KINDS: &[pipeline::PolicyKind] = &[
    caching::CACHE_LOOKUP,
    caching::CACHE_LOOKUP_VALUE,
    caching::CACHE_STORE,
    caching::CACHE_STORE_VALUE,
];

struct World {
    services: Arc<Services>,
    extensions: Extensions,
}

impl World {
    fn new() -> World {
        let extensions = Extensions::default();
        let client = Arc::new(FakeClient::unreachable());
        let clock = Arc::new(FakeClock::at_unix(1_700_000_000));
        let services = Services::new(client, clock, Arc::new(NoForward));
        let services = Arc::new(services.with_extensions(extensions.clone()));
        World { services, extensions }
    }

    fn pipeline(&self, sections: &str) -> Pipeline {
        let text = format!("<policies>{sections}</policies>");
        let (document, _) = document::parse(&text);
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

    fn context(&self, path: &str) -> Context {
        let base = Arc::new(BaseUrl::origin("https", "backend.example", 443));
        let url = RequestUrl::new(base, path, "a=1&b=2");
        Context::new(Request::new(Method::GET, url.clone(), url), Arc::clone(&self.services))
    }
}

fn response() -> Response {
    let mut response = Response::new(StatusCode::OK);
    for name in ["x-a", "x-b", "x-c", "content-type", "etag", "date"] {
        response.headers.insert(name, http::HeaderValue::from_static("some value or other"));
    }
    response.body = Body::bytes(vec![b'x'; 1024]);
    response
}

fn values(criterion: &mut Criterion) {
    let world = World::new();
    let stored = world.pipeline(
        "<inbound><cache-store-value key='k' value='some text' duration='60' />\
         <cache-store-value key='json' value='@(new Newtonsoft.Json.Linq.JArray(1, 2, 3))' duration='60' /></inbound>",
    );
    stored.section(pipeline::Section::Inbound).apply(&mut world.context("/")).unwrap();
    for (name, key) in [("value/hit", "k"), ("value/hit, JArray", "json"), ("value/miss", "none")] {
        let text =
            format!("<inbound><cache-lookup-value key='{key}' variable-name='v' /></inbound>");
        let pipeline = world.pipeline(&text);
        let steps = pipeline.section(pipeline::Section::Inbound);
        let mut context = world.context("/");
        criterion
            .bench_function(name, |it| it.iter(|| black_box(steps.apply(&mut context)).is_ok()));
    }
    let store = world.pipeline(
        "<inbound><cache-store-value key='k' value='some text' duration='60' /></inbound>",
    );
    let mut context = world.context("/");
    let steps = store.section(pipeline::Section::Inbound);
    criterion.bench_function("value/store", |it| {
        it.iter(|| black_box(steps.apply(&mut context)).is_ok());
    });
}

fn responses(criterion: &mut Criterion) {
    let world = World::new();
    let pipeline = world.pipeline(
        "<inbound><cache-lookup vary-by-developer='false' vary-by-developer-groups='false'>\
         <vary-by-header>accept</vary-by-header></cache-lookup></inbound>\
         <outbound><cache-store duration='60' /></outbound>",
    );
    let lookup = pipeline.section(pipeline::Section::Inbound);
    let store = pipeline.section(pipeline::Section::Outbound);
    let mut first = world.context("/stored");
    lookup.apply(&mut first).unwrap();
    first.set_response(response());
    store.apply(&mut first).unwrap();

    let mut hit = world.context("/stored");
    criterion.bench_function("response/hit, 1 KiB", |it| {
        it.iter(|| black_box(lookup.apply(&mut hit)).is_ok());
    });
    assert_eq!(hit.cache, pipeline::CacheUse::Hit);
    let mut miss = world.context("/other");
    criterion.bench_function("response/miss", |it| {
        it.iter(|| black_box(lookup.apply(&mut miss)).is_ok());
    });
    let mut both = world.context("/both");
    criterion.bench_function("response/miss and store, 1 KiB", |it| {
        let mut number = 0_u64;
        it.iter(|| {
            number += 1;
            both.request.headers.insert(http::header::ACCEPT, number.into());
            let _ = lookup.apply(&mut both);
            both.response = Some(response());
            black_box(store.apply(&mut both)).is_ok()
        });
    });
}

criterion_group!(benches, values, responses);
criterion_main!(benches);
