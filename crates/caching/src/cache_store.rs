//! `<cache-store>`: stores the response that `cache-lookup` did not find.
//!
//! Stored are status, headers and body as they are where the policy stands. On a hit all of
//! `outbound` runs again. The body flows on to the client meanwhile. Nothing is
//! stored without a `cache-lookup` that ran for the request, and nothing that may not be:
//!
//! - any status but 200, unless `cache-response` is `true`;
//! - `Set-Cookie`, unless `cache-response` is `true`;
//! - parts and what has no content of its own (206, 304, 1xx), `Vary: *`, event streams;
//! - what is larger than an entry may be, or breaks off.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cache-store-policy>

use document::Diagnostic;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, VARY};
use pipeline::{
    Attr, CompileCx, Computed, Context, Element, Flow, Immediate, PolicyError, PolicyKind,
    Response, Scopes, Sections, Step, ValueType,
};

use crate::cache_lookup::Plan;
use crate::gathering::Pending;
use crate::life::Life;
use crate::stored_response::head_of;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "cache-store",
    summary: "Stores the response that `cache-lookup` did not find.",
    sections: Sections::OUTBOUND.once(),
    scopes: Scopes::ALL,
    attrs: &[DURATION, CACHE_RESPONSE],
    children: &[],
    compile,
};

const DURATION: Attr = Attr::required("duration")
    .expressions()
    .of(ValueType::Seconds)
    .doc("For how many seconds; none or less: not at all.");
const CACHE_RESPONSE: Attr = Attr::optional("cache-response", "false")
    .expressions()
    .doc("`true`: whatever its status; else only 200 is stored.");

#[derive(Debug)]
struct CacheStore {
    life: Computed<Life>,
    any_status: Computed<bool>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::immediate(CacheStore {
        life: cx.attr(element, &DURATION)?,
        any_status: cx.attr(element, &CACHE_RESPONSE)?,
    }))
}

impl Immediate for CacheStore {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Some(plan) = context.request.extensions.remove::<Plan>() else {
            return Ok(Flow::Next);
        };
        let any_status = self.any_status.get(context)?;
        let is_storable = |it: &Response| may_be_stored(it, any_status, plan.place.max_entry_bytes);
        let mut kept = None;
        if context.response.as_ref().is_some_and(is_storable) {
            let life = self.life.get(context)?;
            kept = (!life.is_none()).then_some(life.0);
        }
        let now = context.services.clock.now();
        let pending = kept.zip(context.response.as_ref()).and_then(|(life, response)| {
            let head = head_of(response, now, life);
            Pending::begin((&plan.place, plan.key), &head, life, context)
        });
        if let Some(response) = &mut context.response {
            plan.client.write(&mut response.headers, kept.map(|it| (it, Default::default())));
            if let Some(pending) = pending.filter(|_| plan.place.is_somewhere()) {
                pending.follow(&mut response.body);
            }
        }
        Ok(Flow::Next)
    }
}

fn may_be_stored(response: &Response, any_status: bool, max_bytes: usize) -> bool {
    let has_content = !response.status.is_informational()
        && !matches!(response.status, StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED);
    let is_wanted = any_status
        || response.status == StatusCode::OK && !response.headers.contains_key(SET_COOKIE);
    let varies_by_all =
        response.header_values(VARY).any(|it| it.split(',').any(|it| it.trim() == "*"));
    let is_event_stream = response.header_values(CONTENT_TYPE).any(|it| {
        let essence = it.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("text/event-stream")
    });
    let length = response.header_values(CONTENT_LENGTH).next().and_then(|it| it.parse().ok());
    let is_small = !response.body.is_stream() || length.unwrap_or(0) <= max_bytes;
    has_content && is_wanted && !varies_by_all && !is_event_stream && is_small
}
