//! `<cache-remove-value>`: takes a value out of the cache.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cache-remove-value-policy>

use document::Diagnostic;
use pipeline::{
    Attr, CompileCx, Computed, Context, Element, Flow, Immediate, PolicyError, PolicyKind, Scopes,
    Sections, Step, Waiting,
};

use crate::key;
use crate::place::{CACHING_TYPE, Place};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "cache-remove-value",
    summary: "Takes a value out of the cache.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[KEY, CACHING_TYPE],
    children: &[],
    compile,
};

const KEY: Attr = Attr::required("key").expressions().doc("What the value was stored under.");

#[derive(Debug)]
struct CacheRemoveValue {
    key: Computed<String>,
    place: Place,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let policy = CacheRemoveValue { key: cx.attr(element, &KEY)?, place: Place::of(element, cx)? };
    let is_immediate = policy.place.is_immediate();
    Ok(if is_immediate { Step::immediate(policy) } else { Step::waiting(policy) })
}

impl Immediate for CacheRemoveValue {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.place.remove_now(&key::of_value(&self.key.borrow(context)?));
        Ok(Flow::Next)
    }
}

impl Waiting for CacheRemoveValue {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.place.remove(&key::of_value(&self.key.borrow(context)?)).await;
        Ok(Flow::Next)
    }
}
