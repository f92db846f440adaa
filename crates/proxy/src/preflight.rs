//! CORS preflights: answered by the policies for the call that is announced, without a key.
//!
//! An operation with the method `OPTIONS` that fits makes the request an ordinary call, and so
//! does a lack of policies that answer preflights.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cors-policy>

use std::sync::Arc;
use std::time::SystemTime;

use config::{Api, ApiKind, Operation};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, Method};
use pipeline::Pipeline;

use crate::access::Presented;
use crate::gateway::Live;
use crate::router::Wanted;

/// The policies that answer a preflight, and the operation that it announces a call to.
#[derive(Debug)]
pub(crate) struct Preflight<'a> {
    pub(crate) pipeline: &'a Arc<Pipeline>,
    pub(crate) operation: Option<&'a Operation>,
}

/// What answers, if the request is a preflight and something does. `operation` is the one that
/// fits the request itself.
pub(crate) fn find<'a>(
    live: &'a Live,
    wanted: Wanted<'_>,
    api: Option<&'a Api>,
    operation: Option<&Operation>,
    now: impl FnOnce() -> SystemTime,
) -> Option<Preflight<'a>> {
    if *wanted.method != Method::OPTIONS {
        return None;
    }
    let announced = announced_method(wanted.headers)?;
    let api = api.filter(|it| it.kind != ApiKind::WebSocket)?;
    // An operation for any method does not describe `OPTIONS` in particular.
    if operation.is_some_and(|it| it.operation.info.method != "*") {
        return None;
    }
    let operation = announced.and_then(|method| {
        let route = live.router.find(Wanted { method: &method, ..wanted }, &live.snapshot)?;
        api.operations.get(route.operation?)
    });
    let product = match api.products.is_empty() {
        true => None,
        false => product(live, wanted, api, now()),
    };
    let pipeline = operation.map_or(&api.pipeline, |it| it.effective(product));
    pipeline.inbound.answer_preflights().then_some(Preflight { pipeline, operation })
}

/// The product whose policies may answer: preflights carry no headers of the call, so it is the
/// open one, or that of a key in the query.
fn product(live: &Live, wanted: Wanted<'_>, api: &Api, now: SystemTime) -> Option<usize> {
    let (headers, query) = (wanted.headers, wanted.query);
    let presented = Presented { headers, query, is_websocket: false, now };
    live.keys.admit(api, presented).ok().and_then(|it| it.product)
}

/// The method that a preflight announces: `None` if the request is no preflight, `Some(None)` if
/// the method is none.
#[expect(clippy::option_option, reason = "no preflight and a preflight for nonsense differ")]
fn announced_method(headers: &HeaderMap) -> Option<Option<Method>> {
    let method = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    headers.contains_key(ORIGIN).then(|| Method::from_bytes(method.as_bytes()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(lines: &[(&'static str, &'static str)]) -> Option<Option<Method>> {
        let headers = lines
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        announced_method(&headers)
    }

    #[test]
    fn a_preflight_has_an_origin_and_announces_a_method() {
        let (origin, method) =
            (("origin", "https://a.test"), ("access-control-request-method", "PUT"));
        assert_eq!(announced(&[origin, method]), Some(Some(Method::PUT)));
        assert_eq!(announced(&[origin]), None);
        assert_eq!(announced(&[method]), None);
        assert_eq!(
            announced(&[origin, ("access-control-request-method", "no method")]),
            Some(None)
        );
    }
}
