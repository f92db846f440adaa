//! `<llm-semantic-cache-store>`, `<azure-openai-semantic-cache-store>`: keeps the answer to a
//! question that the lookup did not find.
//!
//! The answer flows on to the client meanwhile. Kept is what is one text and ended as it should;
//! only status 200, unless `cache-response` is `true`. Without a lookup that ran for the request
//! nothing is kept.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/llm-semantic-cache-store-policy>

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use document::Diagnostic;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use pipeline::{
    Attr, CompileCx, Computed, Context, Element, Flow, Immediate, PolicyError, PolicyKind,
    Response, Scopes, Sections, Step, ValueType,
};

use crate::semantic_cache::answers::Answers;
use crate::semantic_cache::index::Index;
use crate::semantic_cache::recording::{MAX_ANSWER_BYTES, Plan, Recording};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "llm-semantic-cache-store",
    summary: "Keeps the answer to a question that the lookup did not find.",
    sections: Sections::OUTBOUND.once(),
    scopes: Scopes::ALL,
    attrs: &[DURATION, CACHE_RESPONSE],
    children: &[],
    compile,
};

/// The same under its older name.
pub(crate) const AZURE_OPENAI: PolicyKind =
    PolicyKind { name: "azure-openai-semantic-cache-store", ..KIND };

const DURATION: Attr = Attr::required("duration")
    .expressions()
    .of(ValueType::Integer)
    .doc("For how many seconds; none: not at all.");
const CACHE_RESPONSE: Attr = Attr::optional("cache-response", "false")
    .expressions()
    .doc("`true`: whatever its status; else only 200 is kept.");

#[derive(Debug)]
struct SemanticCacheStore {
    seconds: Computed<u32>,
    any_status: Computed<bool>,
    answers: Answers,
    /// Counts what is gathered, wherever it goes.
    index: Arc<Index>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::immediate(SemanticCacheStore {
        seconds: cx.attr(element, &DURATION)?,
        any_status: cx.attr(element, &CACHE_RESPONSE)?,
        answers: Answers::of(cx),
        index: cx.shared(),
    }))
}

impl Immediate for SemanticCacheStore {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Some(plan) = context.request.extensions.remove::<Plan>() else {
            return Ok(Flow::Next);
        };
        let any_status = self.any_status.get(context)?;
        let life = Duration::from_secs(self.seconds.get(context)?.into());
        let clock = Arc::clone(&context.services.clock);
        let Some(response) = &mut context.response else { return Ok(Flow::Next) };
        if life.is_zero() || !may_be_kept(response, &plan, any_status) {
            return Ok(Flow::Next);
        }
        let mut headers = HeaderMap::new();
        for value in response.headers.get_all(CONTENT_TYPE) {
            headers.append(CONTENT_TYPE, value.clone());
        }
        let recording = Recording {
            plan,
            status: response.status,
            headers,
            life,
            clock,
            answers: self.answers.clone(),
            gathered: Some(self.index.gather()),
            body: Some(BytesMut::new()),
        };
        response.body.follow(recording);
        Ok(Flow::Next)
    }
}

fn may_be_kept(response: &Response, plan: &Plan, any_status: bool) -> bool {
    let is_encoded = response.header_values(CONTENT_ENCODING).any(|it| it.trim() != "identity");
    let content_type = response.header_values(CONTENT_TYPE).next().unwrap_or_default();
    let is_stream = content_type.trim_start().starts_with("text/event-stream");
    let length = response.header_values(CONTENT_LENGTH).next().and_then(|it| it.parse().ok());
    let is_wanted = response.status == StatusCode::OK || any_status;
    // An error in place of a stream is not what the next one who asks for a stream should get.
    let is_expected = is_stream == plan.is_stream || response.status != StatusCode::OK;
    is_wanted
        && is_expected
        && !is_encoded
        && !response.headers.contains_key(SET_COOKIE)
        && length.unwrap_or(0) <= MAX_ANSWER_BYTES
}
