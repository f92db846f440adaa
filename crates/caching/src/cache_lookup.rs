//! `<cache-lookup>`: answers from the cache if there is a response to the same request.
//!
//! Only GET without a body is looked up, and with `Authorization` only if the policy allows it. A
//! hit skips the rest of `inbound` and the whole of `backend`; `outbound` runs. What was found
//! answers `If-None-Match` with 304. A miss leaves a plan that `cache-store` carries out.
//!
//! Documents have to pair it with `cache-store`; alone it never finds anything.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cache-lookup-policy>

use bytes::Bytes;
use document::Diagnostic;
use http::header::AUTHORIZATION;
use http::{HeaderName, Method};
use pipeline::{
    Attr, CacheUse, Child, CompileCx, Computed, Context, Convert, Element, Flow, Immediate,
    PolicyError, PolicyKind, Scopes, Sections, SharedContext, Step, ValueType, Waiting, codes,
};
use state::CacheKey;

use crate::client_caching::{ClientCaching, Downstream};
use crate::place::{self, CACHING_TYPE, Place};
use crate::stored_response::StoredResponse;
use crate::variants::{Caller, Variants};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "cache-lookup",
    summary: "Answers from the cache if there is a response to the same request.",
    sections: Sections::INBOUND.once(),
    scopes: Scopes::ALL,
    attrs: &[
        VARY_BY_DEVELOPER,
        VARY_BY_GROUPS,
        CACHING_TYPE,
        DOWNSTREAM,
        MUST_REVALIDATE,
        ALLOW_PRIVATE,
    ],
    children: &[VARY_BY_HEADER, VARY_BY_QUERY],
    compile,
};

const VARY_BY_DEVELOPER: Attr = Attr::required("vary-by-developer")
    .of(ValueType::Boolean)
    .expressions()
    .doc("Whether developers do not share responses; unknown ones by their subscriptions.");
const VARY_BY_GROUPS: Attr = Attr::required("vary-by-developer-groups")
    .of(ValueType::Boolean)
    .expressions()
    .doc("Whether developers of other groups do not share responses.");
const DOWNSTREAM: Attr = Attr::optional("downstream-caching-type", "none")
    .expressions()
    .one_of(Downstream::WORDS)
    .doc("Who may keep the response: nobody, the client, proxies.");
const MUST_REVALIDATE: Attr = Attr::optional("must-revalidate", "true")
    .expressions()
    .doc("Whether those have to ask again once it is stale.");
const ALLOW_PRIVATE: Attr = Attr::optional("allow-private-response-caching", "false")
    .expressions()
    .doc("Whether responses to requests with `Authorization` are cached.");
const VARY_BY_HEADER: Child = Child::repeated("vary-by-header")
    .expressions()
    .doc("A header whose values tell responses apart.");
const VARY_BY_QUERY: Child = Child::repeated("vary-by-query-parameter")
    .expressions()
    .doc("Query parameters that tell responses apart, separated by `;`; without any all do.");

#[derive(Debug)]
struct CacheLookup {
    vary_by_header: Vec<Computed<HeaderName>>,
    vary_by_query: Vec<Computed<String>>,
    by_developer: Computed<bool>,
    by_groups: Computed<bool>,
    allow_private: Computed<bool>,
    downstream: Computed<Downstream>,
    must_revalidate: Computed<bool>,
    place: Place,
}

/// What `cache-store` does with the response.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) key: CacheKey,
    pub(crate) place: Place,
    pub(crate) client: ClientCaching,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    if cx.is_in_fragment() {
        let message = "`cache-lookup` may not stand in a policy fragment";
        return Err(cx.refuse(element, codes::MISPLACED_POLICY, message).label("in a fragment"));
    }
    let policy = CacheLookup {
        vary_by_header: texts(element, &VARY_BY_HEADER, cx)?,
        vary_by_query: texts(element, &VARY_BY_QUERY, cx)?,
        by_developer: cx.attr(element, &VARY_BY_DEVELOPER)?,
        by_groups: cx.attr(element, &VARY_BY_GROUPS)?,
        allow_private: cx.attr(element, &ALLOW_PRIVATE)?,
        downstream: cx.attr(element, &DOWNSTREAM)?,
        must_revalidate: cx.attr(element, &MUST_REVALIDATE)?,
        place: Place::of(element, cx)?,
    };
    let is_immediate = policy.place.is_immediate();
    Ok(if is_immediate { Step::immediate(policy) } else { Step::waiting(policy) })
}

fn texts<T: Convert>(
    element: Element<'_>,
    child: &Child,
    cx: &mut CompileCx<'_>,
) -> Result<Vec<Computed<T>>, Diagnostic> {
    element.children(child).map(|it| cx.text(it)).collect()
}

impl CacheLookup {
    fn variants(&self, context: &Context) -> Result<Variants, PolicyError> {
        let headers: Result<_, _> = self.vary_by_header.iter().map(|it| it.get(context)).collect();
        let mut query = Vec::new();
        for names in &self.vary_by_query {
            let names = names.borrow(context)?;
            let names = names.split(';').map(|it| it.trim().to_ascii_lowercase());
            query.extend(names.filter(|it| !it.is_empty()));
        }
        Ok(Variants { headers: headers?, query })
    }

    /// What to look for, if this request is one to look for.
    fn plan(&self, context: &mut Context) -> Result<Option<Plan>, PolicyError> {
        context.request.extensions.remove::<Plan>();
        if context.operation.as_deref().is_some_and(|it| it.is_websocket) {
            tracing::debug!("cache-lookup is skipped for a WebSocket handshake");
            return Ok(None);
        }
        let request = &context.request;
        let is_get = request.method == Method::GET && request.original_method == Method::GET;
        if !is_get || request.body.is_present() {
            return Ok(None);
        }
        let is_private = request.headers.contains_key(AUTHORIZATION);
        if is_private && !self.allow_private.get(context)? {
            return Ok(None);
        }
        let by_developer = self.by_developer.get(context)?;
        let by_groups = self.by_groups.get(context)?;
        let client = ClientCaching {
            downstream: self.downstream.get(context)?,
            must_revalidate: self.must_revalidate.get(context)?,
        };
        let key =
            self.variants(context)?.key(context, Caller { by_developer, by_groups, is_private });
        Ok(Some(Plan { key, place: self.place.clone(), client }))
    }
}

/// Answers with what was found, or leaves the plan.
fn conclude(plan: Plan, entry: Option<Bytes>, context: &mut Context) -> Flow {
    let found = entry.and_then(|it| StoredResponse::read(&it));
    let found = found.filter(|it| it.is_readable_by(&context.request.headers));
    let Some(found) = found else {
        context.cache = CacheUse::Miss;
        context.request.extensions.insert(plan);
        return Flow::Next;
    };
    let (life, stored) = (found.life, found.stored);
    let age = context.services.clock.now().duration_since(stored).unwrap_or_default();
    let mut response = found.into_response(&context.request.headers);
    plan.client.write(&mut response.headers, Some((life, age)));
    context.cache = CacheUse::Hit;
    context.answer_in_place_of_backend(response);
    Flow::End
}

impl Immediate for CacheLookup {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Some(plan) = self.plan(context)? else { return Ok(Flow::Next) };
        let entry = plan.place.get_now(&plan.key, context);
        Ok(conclude(plan, entry, context))
    }
}

impl Waiting for CacheLookup {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.run_beside(&SharedContext::new(context)).await
    }

    async fn run_beside(&self, shared: &SharedContext<'_>) -> Result<Flow, PolicyError> {
        let mut context = shared.lock().await;
        let Some(plan) = self.plan(&mut context)? else { return Ok(Flow::Next) };
        let now = place::now(&context);
        drop(context);
        let entry = plan.place.get(&plan.key, now).await;
        Ok(conclude(plan, entry, &mut *shared.lock().await))
    }
}
