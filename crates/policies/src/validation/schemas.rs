//! Schemas of operations, compiled when the configuration is loaded and kept by operation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pipeline::{OpenApi, Operation, Specification};
use schema::{Adjust, Dialect, Schema, Source, Unusable};

/// What a policy has made for each operation that it runs for.
#[derive(Debug)]
pub(crate) struct PerOperation<T>(RwLock<HashMap<usize, Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    /// Keeps the address, which is the key, from being used again.
    _operation: Arc<Operation>,
    made: Arc<T>,
}

impl<T> Default for PerOperation<T> {
    fn default() -> PerOperation<T> {
        PerOperation(RwLock::default())
    }
}

impl<T> PerOperation<T> {
    /// What was made for the operation; made now if it was not when the configuration was loaded.
    pub(crate) fn get(&self, operation: &Arc<Operation>, make: impl FnOnce() -> T) -> Arc<T> {
        let key = Arc::as_ptr(operation) as usize;
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.get(&key) {
            return Arc::clone(&kept.made);
        }
        drop(kept);
        let made = Arc::new(make());
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let kept =
            kept.entry(key).or_insert_with(|| Kept { _operation: Arc::clone(operation), made });
        Arc::clone(&kept.made)
    }
}

/// The documents that the schemas of a specification are read from, one for each adjustment.
#[derive(Debug, Default)]
struct Sources(Mutex<HashMap<Adjust, Result<Arc<Source>, Unusable>>>);

/// Compiles the schema that a pointer into the specification leads to.
///
/// # Errors
///
/// It is no schema, or refers to something outside of the specification.
pub(crate) fn compile(
    specification: &Specification,
    pointer: &str,
    adjust: Adjust,
) -> Result<Schema, Unusable> {
    let sources = specification.keep::<Sources>();
    let mut sources = sources.0.lock().unwrap_or_else(PoisonError::into_inner);
    let source = sources.entry(adjust).or_insert_with(|| {
        let dialect = match specification.version {
            OpenApi::V2 => Dialect::OpenApi2,
            OpenApi::V30 => Dialect::OpenApi30,
            OpenApi::V31 => Dialect::OpenApi31,
        };
        Source::new(&specification.document, dialect, adjust).map(Arc::new)
    });
    source.clone()?.compile(pointer)
}

/// The name of the definition that a pointer leads to, for messages: that of the schema which it
/// refers to, else what the operation is called.
pub(crate) fn name(specification: &Specification, pointer: &str, operation: &str) -> String {
    let schema = specification.document.pointer(pointer);
    let reference = schema.and_then(|it| it.get("$ref")).and_then(serde_json::Value::as_str);
    let last = reference.and_then(|it| it.rsplit('/').next());
    last.map_or_else(|| operation.to_owned(), |it| it.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_made_for_an_operation_is_made_once() {
        let kept = PerOperation::default();
        let (one, two) = (Arc::new(Operation::default()), Arc::new(Operation::default()));
        assert_eq!(*kept.get(&one, || 1), 1);
        assert_eq!(*kept.get(&one, || 2), 1);
        assert_eq!(*kept.get(&two, || 3), 3);
    }

    #[test]
    fn schemas_are_compiled_from_the_specification() {
        let document = json!({
            "a": {"$ref": "#/components/schemas/Order~1Line"},
            "b": {"type": "string", "nullable": true},
            "components": {"schemas": {"Order/Line": {"type": "integer"}}},
        });
        let it = Specification::new(OpenApi::V30, document);
        let check = |pointer, value| {
            compile(&it, pointer, Adjust::default()).map(|it| it.check(&value).is_empty())
        };
        assert_eq!(check("/a", json!(1)), Ok(true));
        assert_eq!(check("/a", json!("1")), Ok(false));
        assert_eq!(check("/b", json!(null)), Ok(true));
        assert!(check("/c", json!(null)).is_err());
        assert_eq!(name(&it, "/a", "get"), "Order/Line");
        assert_eq!(name(&it, "/b", "get"), "get");
    }
}
