//! A call of a tool: the pipeline of its operation, run for a request that the gateway makes.
//!
//! The request has what the arguments say, and nothing of the client's headers except those that
//! policies of the MCP server set, and the trace. The subscription is that of the MCP server: who
//! may call it may call its tools.

use std::sync::Arc;

use agents::mcp::{Answered, Call, Content, HttpCall, tool_error, tool_result};
use config::Service;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use pipeline::{Body, Context, PolicyError, Request, RequestUrl, Route, decode_body};
use transport::Response;

use super::McpCall;
use crate::driver::{Work, no_backend};
use crate::finish::Entry;
use crate::measure::Measured;
use crate::trail::Trail;

/// What is preferred of an operation's representations.
const ACCEPT: &str = "application/json, text/*;q=0.9, */*;q=0.8";

/// Runs the operation of a tool.
pub(super) async fn run(outer: &Context, origin: &McpCall, call: &Call<'_>) -> Answered {
    let Some((work, uri)) = prepare(outer, origin, call) else {
        return tool_error("the operation is not there any more");
    };
    let max_bytes = outer.services.max_buffered_body_bytes;
    let response = Box::pin(work.run()).await;
    match read(response, max_bytes).await {
        Ok((head, body)) => {
            let content_type = head.headers.get(header::CONTENT_TYPE);
            tool_result(Content {
                status: head.status.as_u16(),
                reason: head.status.canonical_reason().unwrap_or_default(),
                content_type: content_type.and_then(|it| it.to_str().ok()).unwrap_or_default(),
                body: &body,
                uri: &uri,
            })
        }
        Err(text) => tool_error(&text),
    }
}

/// The whole answer, decoded.
async fn read(
    response: Response,
    max_bytes: usize,
) -> Result<(http::response::Parts, bytes::Bytes), String> {
    let (head, body) = response.into_parts();
    let body = body.collect(max_bytes).await.map_err(|error| match error {
        transport::BodyError::TooLarge { limit } => {
            format!("the answer is larger than {limit} bytes")
        }
        _ => "the answer broke off".to_owned(),
    })?;
    let body = decode_body(&head.headers, body, max_bytes)
        .map_err(|_| "the encoding of the answer cannot be undone".to_owned())?;
    Ok((head, body))
}

/// The request on its way into the pipeline, and its address.
fn prepare(outer: &Context, origin: &McpCall, call: &Call<'_>) -> Option<(Work, String)> {
    let live = &origin.live;
    let target = call.tool.target;
    let api = live.snapshot.apis.get(target.api)?;
    let operation = api.operations.get(target.operation)?;
    let HttpCall { method, path, query, headers, body } = call.http.clone();

    let own = outer.request.original_url.base();
    let base = match &api.service {
        Some(Service::Url(base)) => base,
        Some(Service::Backend(_)) | None => own,
    };
    let prefix = match api.base_path().as_str() {
        "" => String::new(),
        path => format!("/{path}"),
    };
    let original = RequestUrl::new(own.clone(), &format!("{prefix}{path}"), &query);
    let uri = original.to_string();
    let url = RequestUrl::new(base.clone(), &path, &query);
    let mut request = Request::new(method, url, original);
    request.headers = passed_on(outer, &origin.received, &api.key_header);
    request.headers.insert(header::ACCEPT, HeaderValue::from_static(ACCEPT));
    request.headers.extend(headers);
    if let Some(host) = outer.request.headers.get(header::HOST) {
        request.headers.insert(header::HOST, host.clone());
    }
    let n_bytes = body.as_ref().map_or(0, |(_, bytes)| bytes.len());
    if let Some((content_type, bytes)) = body {
        let content_type = HeaderValue::from_str(&content_type).ok()?;
        request.headers.insert(header::CONTENT_TYPE, content_type);
        request.body = Body::bytes(bytes);
    }
    request.ip_address = Arc::clone(&outer.request.ip_address);
    request.certificates = outer.request.certificates.clone();
    request.set_route(Route { routes: live.clone(), api: target.api, below: prefix.len() });

    let mut context = Box::new(Context::new(request, Arc::clone(&outer.services)));
    context.deployment = Arc::clone(&outer.deployment);
    context.backends = Arc::clone(api.backends.as_ref().unwrap_or(&outer.backends));
    context.workspace = api.workspace.clone();
    context.api = Some(api.info.clone());
    context.operation = Some(operation.operation.clone());
    context.subscription = outer.subscription.clone();
    context.product = outer.product.clone();
    context.user = outer.user.clone();
    context.span = outer.span;
    let checked: Result<(), PolicyError> = match &api.service {
        Some(Service::Backend(id)) => context.use_backend(id).map_err(|_| no_backend(id)),
        Some(Service::Url(_)) | None => Ok(()),
    };
    let entry = origin.log.as_ref().map(|log| {
        Trail::begin(&mut context);
        let peer = origin.peer.clone();
        Box::new(Entry::new(log.clone(), &mut context, peer, origin.version, Some(api)))
    });
    let series = Arc::clone(live.series.route(Some(target.api), Some(target.operation)));
    let measured = Measured::new(series, &mut context, Some(n_bytes as u64));
    let pipeline = operation.pipeline.clone();
    Some((Work::new(pipeline, checked, context, entry, measured), uri))
}

/// Headers of one connection or one message, which go no further.
const OWN: [&str; 12] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Headers of the trace, which goes on.
const TRACE: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// The headers that policies have set, and those of the trace. A header that a policy sets to the
/// value that it had counts as set: that is how one is passed on.
pub(super) fn passed_on(
    outer: &Context,
    received: &HeaderMap,
    key_header: &HeaderName,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &outer.request.headers {
        let is_own = OWN.contains(&name.as_str()) || name.as_str().starts_with("mcp-");
        let is_trace = TRACE.contains(&name.as_str());
        let is_key = name == key_header;
        if is_trace || (!is_own && !is_key && is_set(received, name, value)) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

/// Whether a value is not one of those that came with the request. What came is shared, not
/// copied, so that it lies where it lay.
fn is_set(received: &HeaderMap, name: &HeaderName, value: &HeaderValue) -> bool {
    let place = |it: &HeaderValue| (it.as_bytes().as_ptr(), it.as_bytes().len());
    !received.get_all(name).iter().any(|it| place(it) == place(value))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use http::Version;
    use transport::Peer;

    use super::*;
    use crate::test_support::{gateway, services};

    #[test]
    fn only_headers_that_policies_set_go_on() {
        let own = Arc::new(pipeline::BaseUrl::origin("https", "gw", 443));
        let url = RequestUrl::new(own, "/mcp", "");
        let mut request = Request::new(http::Method::POST, url.clone(), url);
        for (name, value) in [
            ("authorization", "Bearer of the client"),
            ("traceparent", "00-1-2-00"),
            ("cookie", "a=b"),
            ("mcp-session-id", "1"),
        ] {
            request.headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let mut context = Context::new(request, services(None));
        let gateway = gateway(&[], None);
        let origin = McpCall {
            live: gateway.live().unwrap(),
            server: Arc::default(),
            received: context.request.headers.clone(),
            log: None,
            peer: Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST))),
            version: Version::HTTP_11,
        };
        let names = |context: &Context| {
            let key = HeaderName::from_static("api-key");
            let headers = passed_on(context, &origin.received, &key);
            headers.keys().map(|it| it.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&context), ["traceparent"]);
        for (name, value) in [
            ("authorization", "Bearer of the client"),
            ("x-user", "me"),
            ("api-key", "k"),
            ("content-type", "text/plain"),
            ("mcp-name", "x"),
        ] {
            let value = HeaderValue::from_str(value).unwrap();
            context.request.headers.insert(HeaderName::from_static(name), value);
        }
        let mut passed = names(&context);
        passed.sort();
        assert_eq!(passed, ["authorization", "traceparent", "x-user"]);
    }
}
