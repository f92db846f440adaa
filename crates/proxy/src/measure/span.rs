//! The span of a request. Calls that it makes have spans of their own: `pipeline::ClientSpan`.
//!
//! The trace that a client names in `traceparent` goes on; else a new one begins. Calls to
//! backends carry the header on, whether the trace is kept or not, and `tracestate` as it came.
//! While no traces are sent anywhere, both headers are left alone.
//!
//! Source: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use expr::host::LastError;
use http::{HeaderName, StatusCode};
use pipeline::Context;
use telemetry::{Outbox, SpanKind, SpanRecord, TraceContext, Value};
use transport::Peer;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The span of a request, to be sent when the answer has ended.
pub(crate) struct ServerSpan {
    outbox: Arc<Outbox>,
    context: TraceContext,
    parent: Option<[u8; 8]>,
    start: SystemTime,
    name: String,
    attributes: Vec<(&'static str, Value)>,
    error: Option<String>,
}

impl ServerSpan {
    /// Begins the span of a request whose API and operation are known. Its context is noted for
    /// the calls to backends; the span itself is there only if it is kept.
    pub(crate) fn begin(outbox: &Arc<Outbox>, context: &mut Context, peer: &Peer) -> Option<Self> {
        let sampler = outbox.sampler?;
        let header = context.request.headers.get(&TRACEPARENT).and_then(|it| it.to_str().ok());
        let parent = header.and_then(TraceContext::parse);
        let services = Arc::clone(&context.services);
        let own = sampler.begin(parent.as_ref(), |bytes| services.random(bytes));
        context.span = Some(own);
        own.is_sampled.then(|| ServerSpan {
            outbox: Arc::clone(outbox),
            context: own,
            parent: parent.map(|it| it.span_id),
            start: context.received,
            name: name(context),
            attributes: attributes(context, peer),
            error: None,
        })
    }

    /// The head of the answer goes out; without a status the client has gone.
    pub(crate) fn close(&mut self, status: Option<StatusCode>, error: Option<&LastError>) {
        if let Some(status) = status {
            self.attributes.push(("http.response.status_code", u64::from(status.as_u16()).into()));
        }
        if let Some(error) = error {
            self.note(error);
        }
        // What the client did wrong is no error of the server.
        let is_error = status.is_none_or(|it| it.is_server_error());
        self.error = is_error.then(|| match (error, status) {
            (Some(error), _) => error.reason.clone().unwrap_or_default(),
            (None, Some(status)) => status.as_str().to_owned(),
            (None, None) => "the client has gone".to_owned(),
        });
        if let (None, Some(status)) = (error, status.filter(StatusCode::is_server_error)) {
            self.attributes.push(("error.type", status.as_str().into()));
        }
    }

    fn note(&mut self, error: &LastError) {
        let reason = error.reason.as_deref().unwrap_or_default();
        self.attributes.push(("error.type", reason.into()));
        self.attributes.push(("portcullis.source", error.source.as_str().into()));
    }

    /// The answer has ended; a policy may have stopped it on its way.
    pub(crate) fn end(mut self, duration: Duration, late: Option<&LastError>) {
        if let Some(late) = late {
            self.note(late);
            self.error.get_or_insert_with(|| late.reason.clone().unwrap_or_default());
        }
        self.outbox.span(SpanRecord {
            context: self.context,
            parent: self.parent,
            name: self.name,
            kind: SpanKind::Server,
            start: self.start,
            duration,
            attributes: self.attributes,
            error: self.error,
        });
    }
}

fn name(context: &Context) -> String {
    let method = &context.request.original_method;
    match (&context.operation, &context.api) {
        (Some(operation), Some(api)) => {
            format!("{method} /{}{}", api.path, operation.info.url_template)
        }
        _ => method.to_string(),
    }
}

fn attributes(context: &Context, peer: &Peer) -> Vec<(&'static str, Value)> {
    let url = &context.request.original_url;
    let mut all: Vec<(&'static str, Value)> = vec![
        ("http.request.method", context.request.original_method.as_str().into()),
        ("url.scheme", url.base().scheme().into()),
        ("server.address", url.base().host().into()),
        // Without the query: it may hold a key.
        ("url.path", url.path().into()),
        ("client.address", Value::Text(peer.ip_text().to_string())),
    ];
    if let Some(agent) = context.request.headers.get(http::header::USER_AGENT) {
        all.push((
            "user_agent.original",
            String::from_utf8_lossy(agent.as_bytes()).as_ref().into(),
        ));
    }
    if let Some(api) = &context.api {
        all.push(("portcullis.api", api.id.as_str().into()));
    }
    if let (Some(api), Some(operation)) = (&context.api, &context.operation) {
        let route = format!("/{}{}", api.path, operation.info.url_template);
        all.push(("http.route", Value::Text(route)));
        all.push(("portcullis.operation", operation.info.id.as_str().into()));
    }
    if let Some(subscription) = &context.subscription {
        all.push(("portcullis.subscription", subscription.id.as_str().into()));
    }
    if let Some(product) = &context.product {
        all.push(("portcullis.product", product.id.as_str().into()));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use pipeline::Services;
    use telemetry::Sampler;
    use transport::{Body, CallError, FakeClient, Response, SystemClock};

    use super::*;
    use crate::test_support::{ApiSpec, forwarding, snapshot};
    use crate::{Gateway, HttpForward};

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// The spans of a call and the `traceparent` that its backend saw.
    async fn call(
        sampler: Option<Sampler>,
        path: &str,
        parent: Option<&str>,
    ) -> (Vec<SpanRecord>, Option<String>) {
        let client = FakeClient::new(|it| match it.uri.path().ends_with("broken") {
            true => Err(CallError::Timeout { after: Duration::ZERO }),
            false => Ok(Response::new(Body::full("x"))),
        });
        let outbox = Arc::new(Outbox::new(sampler, false, 100));
        let services = Services::new(
            Arc::new(client.clone()),
            Arc::new(SystemClock),
            Arc::new(HttpForward::default()),
        );
        let gateway = Gateway::new(Arc::new(services.with(outbox.clone())), None);
        let operations = &["GET /ok/{id}", "GET /broken"];
        let spec = ApiSpec {
            id: "shop",
            path: "shop",
            operations,
            pipeline: forwarding(),
            ..ApiSpec::default()
        };
        gateway.install(Arc::new(snapshot(&[spec])));
        let mut request = http::Request::get(path).header("host", "gw.test");
        if let Some(parent) = parent {
            request = request.header("traceparent", parent).header("tracestate", "a=b");
        }
        let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let answer = gateway.clone().handle(request.body(Body::empty()).unwrap(), peer).await;
        answer.into_body().collect(1000).await.unwrap();
        let seen = client.requests().pop().and_then(|it| {
            assert_eq!(it.headers.contains_key("tracestate"), parent.is_some());
            it.headers.get("traceparent").map(|it| it.to_str().unwrap().to_owned())
        });
        (outbox.take_spans(), seen)
    }

    fn attribute<'a>(span: &'a SpanRecord, name: &str) -> Option<&'a Value> {
        span.attributes.iter().find(|it| it.0 == name).map(|it| &it.1)
    }

    #[tokio::test]
    async fn a_request_and_its_call_are_spans_of_the_clients_trace() {
        let (spans, seen) = call(Some(Sampler::default()), "/shop/ok/1", Some(PARENT)).await;
        let [client, server] = spans.try_into().unwrap();
        let parent = TraceContext::parse(PARENT).unwrap();
        assert_eq!(
            (server.context.trace_id, server.parent),
            (parent.trace_id, Some(parent.span_id))
        );
        assert_eq!(
            (client.context.trace_id, client.parent),
            (parent.trace_id, Some(server.context.span_id))
        );
        assert_eq!(seen, Some(client.context.to_string()));
        assert_eq!((server.name.as_str(), server.kind), ("GET /shop/ok/{id}", SpanKind::Server));
        assert_eq!(attribute(&server, "portcullis.api"), Some(&"shop".into()));
        assert_eq!(attribute(&server, "http.response.status_code"), Some(&Value::Int(200)));
        assert_eq!((server.error, client.error), (None, None));
    }

    #[tokio::test]
    async fn failures_are_told_and_keys_are_not() {
        let (spans, _) = call(Some(Sampler::default()), "/shop/broken?code=k1", None).await;
        let [client, server] = spans.try_into().unwrap();
        assert_eq!(server.parent, None);
        assert_eq!(server.error.as_deref(), Some("Timeout"));
        assert!(client.error.is_some());
        assert_eq!(attribute(&server, "http.response.status_code"), Some(&Value::Int(500)));
        assert_eq!(attribute(&server, "portcullis.source"), Some(&"forward-request".into()));
        assert_eq!(attribute(&server, "url.path"), Some(&"/shop/broken".into()));
    }

    #[tokio::test]
    async fn the_trace_goes_on_though_it_is_not_kept() {
        let off = PARENT.replace("-01", "-00");
        let (spans, seen) = call(Some(Sampler::default()), "/shop/ok/1", Some(&off)).await;
        let seen = seen.unwrap();
        assert!(spans.is_empty() && seen.ends_with("-00") && seen != off, "{seen}");
        assert_eq!(seen[..36], off[..36]);
    }

    #[tokio::test]
    async fn without_traces_the_headers_are_left_alone() {
        let (spans, seen) = call(None, "/shop/ok/1", Some(PARENT)).await;
        assert!(spans.is_empty());
        assert_eq!(seen.as_deref(), Some(PARENT));
        assert_eq!(call(None, "/shop/ok/1", None).await.1, None);
    }
}
