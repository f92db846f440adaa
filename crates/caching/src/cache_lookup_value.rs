//! `<cache-lookup-value>`: reads a value from the cache into a variable.
//!
//! A value that is not there gives the default. Without one the variable is not set: the
//! documentation says that and the opposite, and documents ask
//! `context.Variables.ContainsKey`. A value comes back with its .NET type, as a copy.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cache-lookup-value-policy>

use std::sync::Arc;

use bytes::Bytes;
use document::Diagnostic;
use expr::Value;
use pipeline::{
    Attr, CompileCx, Computed, Context, Element, Flow, Immediate, PolicyError, PolicyKind, Scopes,
    Sections, SharedContext, Step, Waiting, codes,
};

use crate::key;
use crate::place::{self, CACHING_TYPE, Place};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "cache-lookup-value",
    summary: "Reads a value from the cache into a variable.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[KEY, VARIABLE_NAME, DEFAULT_VALUE, CACHING_TYPE],
    children: &[],
    compile,
};

const KEY: Attr = Attr::required("key").expressions().doc("What the value was stored under.");
const VARIABLE_NAME: Attr = Attr::required("variable-name").doc("The variable that gets it.");
const DEFAULT_VALUE: Attr = Attr::absent_by_default("default-value")
    .expressions()
    .doc("What the variable gets if there is no value; without it the variable is not set.");

#[derive(Debug)]
struct CacheLookupValue {
    key: Computed<String>,
    variable: Arc<str>,
    default: Option<Computed<Value>>,
    place: Place,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let variable: String = cx.literal(element, &VARIABLE_NAME)?;
    if variable.trim().is_empty() {
        let message = "the variable has no name";
        return Err(cx
            .refuse_attr(element, &VARIABLE_NAME, codes::EMPTY_VALUE, message)
            .label("empty"));
    }
    let policy = CacheLookupValue {
        key: cx.attr(element, &KEY)?,
        variable: variable.into(),
        default: cx.attr_if(element, &DEFAULT_VALUE)?,
        place: Place::of(element, cx)?,
    };
    let is_immediate = policy.place.is_immediate();
    Ok(if is_immediate { Step::immediate(policy) } else { Step::waiting(policy) })
}

impl CacheLookupValue {
    fn conclude(&self, entry: Option<Bytes>, context: &mut Context) -> Result<Flow, PolicyError> {
        let found = entry.and_then(|it| expr::restore(&it));
        let value = match (found, &self.default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.get(context)?,
            (None, None) => return Ok(Flow::Next),
        };
        context.variables.set(Arc::clone(&self.variable), value);
        Ok(Flow::Next)
    }
}

impl Immediate for CacheLookupValue {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let key = key::of_value(&self.key.borrow(context)?);
        let entry = self.place.get_now(&key, context);
        self.conclude(entry, context)
    }
}

impl Waiting for CacheLookupValue {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let key = key::of_value(&self.key.borrow(context)?);
        let entry = self.place.get(&key, place::now(context)).await;
        self.conclude(entry, context)
    }

    async fn run_beside(&self, shared: &SharedContext<'_>) -> Result<Flow, PolicyError> {
        let (key, now) = {
            let context = shared.lock().await;
            (key::of_value(&self.key.borrow(&context)?), place::now(&context))
        };
        let entry = self.place.get(&key, now).await;
        self.conclude(entry, &mut *shared.lock().await)
    }
}
