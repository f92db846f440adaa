//! The span of a call that goes out: to a backend, or made by a policy.
//!
//! The call's headers name the trace, whether it is kept or not; a `tracestate` goes on as it is.
//! Without traces nothing is done, and nothing allocated.
//!
//! Source: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>,
//! <https://www.w3.org/TR/trace-context/>

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, StatusCode, Uri};
use telemetry::{Outbox, SpanKind, SpanRecord, TraceContext, Value, trace};
use transport::{Clock, Request};

use crate::error::PolicyError;
use crate::services::Services;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A call that has begun. One that is dropped before it [ends](ClientSpan::end) was given up, and
/// its span says so.
pub struct ClientSpan(Option<Box<Open>>);

struct Open {
    outbox: Arc<Outbox>,
    clock: Arc<dyn Clock>,
    context: TraceContext,
    parent: [u8; 8],
    start: SystemTime,
    started: Duration,
    name: String,
    attributes: Vec<(&'static str, Value)>,
}

impl ClientSpan {
    /// Begins a call below a span: names the trace in the call's headers. The span is there only if
    /// it is kept; `shown` gives the URL as it may be seen.
    pub fn begin(
        above: TraceContext,
        services: &Services,
        request: &mut Request,
        shown: impl FnOnce(&Uri) -> String,
    ) -> Option<ClientSpan> {
        let context = above.child(trace::span_id(|bytes| services.random(bytes)));
        // Digits and dashes make a header.
        if let Ok(value) = HeaderValue::try_from(context.to_string()) {
            request.headers_mut().insert(TRACEPARENT, value);
        }
        let outbox: Arc<Outbox> =
            if context.is_sampled { services.extension()? } else { return None };
        let uri = request.uri();
        let port = uri.port_u16().or(match uri.scheme_str() {
            Some("https") => Some(443),
            Some("http") => Some(80),
            _ => None,
        });
        let mut attributes: Vec<(&'static str, Value)> = vec![
            ("http.request.method", request.method().as_str().into()),
            ("url.full", Value::Text(shown(uri))),
            ("server.address", uri.host().unwrap_or_default().into()),
        ];
        attributes.extend(port.map(|it| ("server.port", u64::from(it).into())));
        Some(ClientSpan(Some(Box::new(Open {
            outbox,
            context,
            parent: above.span_id,
            start: services.clock.now(),
            started: services.clock.monotonic(),
            clock: Arc::clone(&services.clock),
            name: request.method().to_string(),
            attributes,
        }))))
    }

    /// Tells more of the call.
    pub fn note(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(open) = &mut self.0 {
            open.attributes.push((name, value.into()));
        }
    }

    /// The call has ended: with the head of an answer, or without one.
    pub fn end(mut self, outcome: Result<StatusCode, PolicyError>) {
        let Some(mut open) = self.0.take() else { return };
        let error = match outcome {
            Ok(status) => {
                let code = u64::from(status.as_u16());
                open.attributes.push(("http.response.status_code", code.into()));
                let is_error = status.is_client_error() || status.is_server_error();
                is_error.then(|| (status.as_str().to_owned(), status.as_str().to_owned()))
            }
            Err(error) => Some((error.reason().to_owned(), error.message().to_owned())),
        };
        open.send(error);
    }
}

impl Drop for ClientSpan {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            open.send(Some(("Canceled".to_owned(), "The call was given up.".to_owned())));
        }
    }
}

impl Open {
    /// Sends the span; an error has a word of few values and a text.
    fn send(mut self, error: Option<(String, String)>) {
        if let Some((word, _)) = &error {
            self.attributes.push(("error.type", word.as_str().into()));
        }
        self.outbox.span(SpanRecord {
            context: self.context,
            parent: Some(self.parent),
            name: self.name,
            kind: SpanKind::Client,
            start: self.start,
            duration: self.clock.monotonic().saturating_sub(self.started),
            attributes: self.attributes,
            error: error.map(|it| it.1),
        });
    }
}

/// A URL without what may hold keys: query, user and password.
#[must_use]
pub fn url_without_secrets(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let port = uri.port().map(|it| format!(":{it}")).unwrap_or_default();
    format!("{scheme}://{}{port}{}", uri.host().unwrap_or_default(), uri.path())
}

#[cfg(test)]
mod tests {
    use telemetry::Sampler;
    use transport::{Body, FakeClient, FakeClock};

    use super::*;
    use crate::services::NoForward;

    const ABOVE: TraceContext =
        TraceContext { trace_id: [7; 16], span_id: [8; 8], is_sampled: true };

    /// What is sent of a call, and the header that it carries.
    fn called(above: TraceContext, end: fn(ClientSpan)) -> (Vec<SpanRecord>, String) {
        let outbox = Arc::new(Outbox::new(Some(Sampler::default()), false, 8));
        let clock = Arc::new(FakeClock::at_unix(1000));
        let services =
            Services::new(Arc::new(FakeClient::unreachable()), clock, Arc::new(NoForward))
                .with(Arc::clone(&outbox));
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = "https://me:pw@h.test/x?code=s3cret".parse().unwrap();
        request.headers_mut().insert(TRACEPARENT, HeaderValue::from_static("the client's"));
        if let Some(span) = ClientSpan::begin(above, &services, &mut request, url_without_secrets) {
            end(span);
        }
        let header = request.headers()[TRACEPARENT].to_str().unwrap().to_owned();
        (outbox.take_spans(), header)
    }

    fn attribute<'a>(span: &'a SpanRecord, name: &str) -> Option<&'a Value> {
        span.attributes.iter().find(|it| it.0 == name).map(|it| &it.1)
    }

    #[test]
    fn a_call_is_a_span_below_and_its_headers_name_it() {
        let (spans, header) = called(ABOVE, |mut it| {
            it.note("portcullis.backend", "b");
            it.end(Ok(StatusCode::OK));
        });
        let [span] = spans.try_into().unwrap();
        assert_eq!(header, span.context.to_string());
        assert_eq!((span.parent, span.context.trace_id), (Some([8; 8]), [7; 16]));
        assert_eq!(attribute(&span, "url.full"), Some(&"https://h.test/x".into()));
        assert_eq!(attribute(&span, "server.port"), Some(&Value::Int(443)));
        assert_eq!(attribute(&span, "portcullis.backend"), Some(&"b".into()));
        assert_eq!((span.error.as_deref(), attribute(&span, "error.type")), (None, None));
    }

    #[test]
    fn a_call_that_fails_or_is_given_up_tells_why() {
        type End = fn(ClientSpan);
        let ends: [(End, &str); 3] = [
            (|it| it.end(Ok(StatusCode::NOT_FOUND)), "404"),
            (|it| it.end(Err(PolicyError::new("Timeout", "late"))), "Timeout"),
            (drop, "Canceled"),
        ];
        for (end, expected) in ends {
            let (spans, _) = called(ABOVE, end);
            assert_eq!(spans.len(), 1);
            assert_eq!(attribute(&spans[0], "error.type"), Some(&expected.into()));
            assert!(spans[0].error.is_some());
        }
    }

    #[test]
    fn a_trace_that_is_not_kept_goes_on_all_the_same() {
        let above = TraceContext { is_sampled: false, ..ABOVE };
        let (spans, header) = called(above, |it| it.end(Ok(StatusCode::OK)));
        assert!(spans.is_empty());
        assert!(header.starts_with(&format!("00-{}-", "07".repeat(16))) && header.ends_with("-00"));
    }
}
