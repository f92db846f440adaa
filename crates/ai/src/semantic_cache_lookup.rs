//! `<llm-semantic-cache-lookup>`, `<azure-openai-semantic-cache-lookup>`: answers from the cache if
//! a question of the same meaning was answered before.
//!
//! The dialogue becomes a vector by a call to the embeddings backend; the nearest earlier one within
//! `score-threshold` (a distance, `1 - cosine`) answers. On a hit `backend` is skipped and `outbound`
//! runs. Whatever fails is a miss.
//!
//! Without `vary-by` callers of different subscriptions share nothing, unless the configuration says
//! so. A question asked as a stream is answered by an answer that was a stream.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/llm-semantic-cache-lookup-policy>

use std::sync::Arc;

use document::Diagnostic;
use expr::Uses;
use expr::host::BodyView;
use http::header::ACCEPT_ENCODING;
use identity::ManagedIdentities;
use pipeline::{
    AiSettings, Attr, Body, CacheUse, Child, CompileCx, Computed, Context, Convert, Element, Flow,
    PolicyError, PolicyKind, Response, Scopes, Sections, SemanticCacheSettings, Step, Unfit,
    ValueType, Waiting, codes,
};

use crate::backend_call::BackendCall;
use crate::semantic_cache::answers::Answers;
use crate::semantic_cache::embedder::Embedder;
use crate::semantic_cache::index::Stored;
use crate::semantic_cache::partition::{Apart, key};
use crate::semantic_cache::question::{Counting, Question};
use crate::semantic_cache::recording::Plan;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "llm-semantic-cache-lookup",
    summary: "Answers from the cache if a question of the same meaning was answered before.",
    sections: Sections::INBOUND.once(),
    scopes: Scopes::ALL,
    attrs: &[THRESHOLD, BACKEND_ID, BACKEND_AUTH, IGNORE_SYSTEM, MAX_MESSAGES, CACHE_ID],
    children: &[VARY_BY],
    compile,
};

/// The same under its older name.
pub(crate) const AZURE_OPENAI: PolicyKind =
    PolicyKind { name: "azure-openai-semantic-cache-lookup", ..KIND };

const THRESHOLD: Attr = Attr::required("score-threshold")
    .of(ValueType::Number)
    .doc("Greatest distance in meaning, 0.0 to 1.0; lower is stricter.");
const BACKEND_ID: Attr = Attr::required("embeddings-backend-id")
    .expressions()
    .doc("Backend entity of the embeddings API.");
const BACKEND_AUTH: Attr = Attr::required("embeddings-backend-auth")
    .expressions()
    .one_of(&["system-assigned"])
    .doc("The backend entity's credentials, or else the gateway's identity.");
const IGNORE_SYSTEM: Attr = Attr::optional("ignore-system-messages", "false")
    .expressions()
    .doc("Whether system messages are left out of the comparison.");
const MAX_MESSAGES: Attr = Attr::absent_by_default("max-message-count")
    .expressions()
    .of(ValueType::Integer)
    .doc("Longest dialogue, in messages, that is looked up.");
const CACHE_ID: Attr = Attr::absent_by_default("cache-id")
    .doc("External cache.")
    .differs("No effect: entries are kept in the process, or where `ai.semantic-cache` says.");
const VARY_BY: Child = Child::repeated("vary-by")
    .expressions()
    .doc("A value that tells callers apart who share no answers.");

/// A distance from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Threshold(f32);

const WANTED: &str = "a number from 0.0 to 1.0";

impl Convert for Threshold {
    const TYPE: ValueType = ValueType::Number;

    fn from_text(text: &str) -> Result<Threshold, Unfit> {
        let number = text.trim().parse::<f32>().ok();
        let number = number.filter(|it| (0.0..=1.0).contains(it));
        number.map(Threshold).ok_or_else(|| Unfit::wanted(WANTED).got(text.trim()))
    }

    fn from_value(value: expr::Value) -> Result<Threshold, Unfit> {
        Threshold::from_text(&value.to_text())
    }
}

#[derive(Debug)]
struct SemanticCacheLookup {
    threshold: Threshold,
    backend_id: Computed<String>,
    ignores_system: Computed<bool>,
    max_messages: Option<Computed<u32>>,
    vary_by: Vec<Computed<String>>,
    bounds: SemanticCacheSettings,
    embedder: Embedder,
    answers: Answers,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let backend_id: Computed<String> = cx.attr(element, &BACKEND_ID)?;
    crate::backend_attr::check(element, &BACKEND_ID, &backend_id, cx)?;
    let auth: Computed<String> = cx.attr(element, &BACKEND_AUTH)?;
    if auth.is_expression() {
        let message = "`embeddings-backend-auth` can only be `system-assigned`";
        cx.report(
            Diagnostic::warning(codes::NO_EFFECT, element.attr_span(&BACKEND_AUTH), message)
                .label("not evaluated"),
        );
    }
    if element.has(&CACHE_ID) {
        let message =
            "`cache-id` has no effect: the semantic cache is where `ai.semantic-cache` says";
        cx.report(
            Diagnostic::warning(codes::NO_EFFECT, element.attr_span(&CACHE_ID), message)
                .label("not used"),
        );
    }
    let settings: Option<Arc<AiSettings>> = cx.extension();
    let identities: Option<Arc<ManagedIdentities>> = cx.extension();
    Ok(Step::waiting(SemanticCacheLookup {
        threshold: cx.literal(element, &THRESHOLD)?,
        backend_id,
        ignores_system: cx.attr(element, &IGNORE_SYSTEM)?,
        max_messages: cx.attr_if(element, &MAX_MESSAGES)?,
        vary_by: element.children(&VARY_BY).map(|it| cx.text(it)).collect::<Result<_, _>>()?,
        bounds: settings.map(|it| it.semantic_cache.clone()).unwrap_or_default(),
        embedder: Embedder::new(identities),
        answers: Answers::of(cx),
    }))
}

impl Waiting for SemanticCacheLookup {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        context.request.extensions.remove::<Plan>();
        let Some(question) = self.question(context).await? else { return Ok(Flow::Next) };
        let embeddings = self.backend_id.get(context)?;
        let vary_by = self.vary_by.iter().map(|it| it.get(context));
        let apart = Apart {
            vary_by: vary_by.collect::<Result<_, _>>()?,
            shares: self.bounds.shares_between_subscriptions,
            embeddings: embeddings.trim().to_owned(),
        };
        context.cache = CacheUse::Miss;
        let found = match BackendCall::of(context, &apart.embeddings) {
            Ok(call) => self.embedder.vector(&call, &question.text).await,
            Err(error) => Err(error.message().to_owned()),
        };
        let vector = match found {
            Ok(vector) => vector,
            Err(problem) => {
                tracing::warn!(problem, "the semantic cache is passed by");
                return Ok(Flow::Next);
            }
        };
        let key = key(context, &question, &apart);
        let now = context.services.clock.monotonic();
        let nearest = self.answers.nearest(&key, &vector, self.threshold.0, now).await;
        let nearest = nearest.unwrap_or_else(|problem| {
            tracing::warn!(problem, "the semantic cache is passed by");
            None
        });
        if let Some(stored) = nearest {
            context.cache = CacheUse::Hit;
            context.answer_in_place_of_backend(response(&stored));
            return Ok(Flow::End);
        }
        // What is stored must be readable by whoever asks next.
        context.request.headers.remove(ACCEPT_ENCODING);
        let Question { format, is_stream, .. } = question;
        let bounds = self.bounds.clone();
        context.request.extensions.insert(Plan { key, vector, format, is_stream, bounds });
        Ok(Flow::Next)
    }
}

impl SemanticCacheLookup {
    async fn question(&self, context: &mut Context) -> Result<Option<Question>, PolicyError> {
        if context.operation.as_ref().is_some_and(|it| it.is_websocket) {
            return Ok(None);
        }
        let how = Counting {
            ignores_system: self.ignores_system.get(context)?,
            max_messages: match &self.max_messages {
                Some(it) => usize::try_from(it.get(context)?).ok(),
                None => None,
            },
        };
        context.buffer(Uses::REQUEST_BODY).await?;
        let Ok(body) = BodyView::read(&context.request, true) else { return Ok(None) };
        let has_version = context.request.headers.contains_key("anthropic-version");
        Ok(Question::of(context.request.original_url.path(), has_version, &body, how))
    }
}

fn response(stored: &Stored) -> Response {
    let mut response = Response::new(stored.status);
    response.headers = stored.headers.clone();
    response.body = Body::bytes(stored.body.clone());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_a_distance_up_to_one() {
        assert_eq!(Threshold::from_text(" 0.05 "), Ok(Threshold(0.05)));
        for text in ["-0.1", "1.1", "NaN", "", "x"] {
            assert!(Threshold::from_text(text).is_err(), "{text}");
        }
    }
}
