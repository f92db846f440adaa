//! `<cache-store-value>`: stores a value in the cache.
//!
//! The documentation leaves the types open. Here strings, numbers, booleans, dates, `Guid`,
//! `byte[]`, JSON, XML, and arrays and lists of them are stored with their type; other values are a
//! failed evaluation. `null` and a duration of nothing or less take the value out. A value that is
//! too large, or that a server does not take, is not stored, and the request goes on.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cache-store-value-policy>

use std::time::Duration;

use bytes::Bytes;
use document::Diagnostic;
use expr::{NotStorable, Value};
use pipeline::{
    Attr, CompileCx, Computed, Context, Element, Flow, Immediate, PolicyError, PolicyKind, Scopes,
    Sections, Step, ValueType, Waiting,
};
use state::CacheKey;

use crate::key;
use crate::life::Life;
use crate::place::{self, CACHING_TYPE, Place};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "cache-store-value",
    summary: "Stores a value in the cache.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[KEY, VALUE, DURATION, CACHING_TYPE],
    children: &[],
    compile,
};

const KEY: Attr = Attr::required("key").expressions().doc("What the value is found under.");
const VALUE: Attr = Attr::required("value").expressions().doc("The value; it keeps its type.");
const DURATION: Attr = Attr::required("duration")
    .expressions()
    .of(ValueType::Seconds)
    .doc("For how many seconds; none or less: the value is taken out.");

#[derive(Debug)]
struct CacheStoreValue {
    key: Computed<String>,
    value: Computed<Value>,
    life: Computed<Life>,
    place: Place,
}

/// An entry to write; one without bytes is to be taken out.
struct Write {
    key: CacheKey,
    entry: Option<Bytes>,
    life: Duration,
    now: Duration,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let policy = CacheStoreValue {
        key: cx.attr(element, &KEY)?,
        value: cx.attr(element, &VALUE)?,
        life: cx.attr(element, &DURATION)?,
        place: Place::of(element, cx)?,
    };
    let is_immediate = policy.place.is_immediate();
    Ok(if is_immediate { Step::immediate(policy) } else { Step::waiting(policy) })
}

impl CacheStoreValue {
    fn prepare(&self, context: &Context) -> Result<Write, PolicyError> {
        let key = key::of_value(&self.key.borrow(context)?);
        let value = self.value.get(context)?;
        let life = self.life.get(context)?;
        let is_kept = !value.is_null() && !life.is_none();
        let entry = if is_kept { stored(&value, self.place.max_entry_bytes)? } else { None };
        Ok(Write { key, entry, life: life.0, now: place::now(context) })
    }
}

/// The value's bytes; none if there are too many.
fn stored(value: &Value, max_bytes: usize) -> Result<Option<Bytes>, PolicyError> {
    match expr::store(value, max_bytes) {
        Ok(bytes) => Ok(Some(Bytes::from(bytes))),
        Err(NotStorable::TooLarge) => {
            tracing::warn!(limit = max_bytes, "a value is too large for the cache and not stored");
            Ok(None)
        }
        Err(NotStorable::TooDeep) => {
            Err(PolicyError::evaluation("`value`: lists nest too deep to be cached."))
        }
        Err(NotStorable::Type(name)) => {
            Err(PolicyError::evaluation(format_args!("`value`: a `{name}` cannot be cached.")))
        }
    }
}

impl Immediate for CacheStoreValue {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Write { key, entry, life, now } = self.prepare(context)?;
        match entry {
            Some(entry) => self.place.put_now(&key, entry, life, now),
            None => self.place.remove_now(&key),
        }
        Ok(Flow::Next)
    }
}

impl Waiting for CacheStoreValue {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Write { key, entry, life, now } = self.prepare(context)?;
        match entry {
            Some(entry) => self.place.put(&key, entry, life, now).await,
            None => self.place.remove(&key).await,
        }
        Ok(Flow::Next)
    }
}
