//! Where the partition key stands in the documents of a container.
//!
//! A container's definition is read once, when a document is written without `partition-key`, and
//! kept until Cosmos DB refuses a document for its key.
//!
//! Source: <https://learn.microsoft.com/rest/api/cosmos-db/collections>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pipeline::{Context, PolicyError};
use serde_json::{Map, Value as Json};

use super::call::{Call, Container};

/// Most containers whose definitions are kept by one policy.
const MAX_CONTAINERS: usize = 64;

/// The definitions that were read, by container.
#[derive(Debug, Default)]
pub(super) struct Definitions(Mutex<BTreeMap<String, Arc<Definition>>>);

/// The paths of a partition key; none if the container has no key.
#[derive(Debug, PartialEq)]
pub(super) struct Definition(Vec<Vec<String>>);

impl Definitions {
    pub(super) async fn of(
        &self,
        context: &Context,
        container: &Container,
    ) -> Result<Arc<Definition>, PolicyError> {
        let known =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get(container.at()).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let answer = container.send(context, &Call::definition()).await?.ok()?;
        let found = Arc::new(Definition::read(&answer.json));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_CONTAINERS {
            all.pop_first();
        }
        all.insert(container.at().to_owned(), Arc::clone(&found));
        Ok(found)
    }

    pub(super) fn forget(&self, container: &Container) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(container.at());
    }
}

impl Definition {
    fn read(json: &Json) -> Definition {
        let paths = json.pointer("/partitionKey/paths").and_then(Json::as_array);
        let paths = paths.into_iter().flatten().filter_map(Json::as_str);
        Definition(paths.map(parts).collect())
    }

    /// The partition key of a document; none if the container has no key.
    pub(super) fn keys(&self, document: &Json) -> Option<Vec<Json>> {
        let at = |path: &Vec<String>| path.iter().try_fold(document, |it, name| it.get(name));
        let key = |path| match at(path) {
            Some(found) if !found.is_object() && !found.is_array() => found.clone(),
            // An undefined value.
            _ => Json::Object(Map::new()),
        };
        (!self.0.is_empty()).then(|| self.0.iter().map(key).collect())
    }
}

/// The names of a path: `/a/"b c"`.
fn parts(path: &str) -> Vec<String> {
    let (mut parts, mut quote) = (Vec::new(), None);
    for it in path.chars() {
        match (it, quote) {
            ('/', None) => parts.push(String::new()),
            ('"' | '\'', None) => quote = Some(it),
            (it, Some(open)) if it == open => quote = None,
            (it, _) => match parts.last_mut() {
                Some(part) => part.push(it),
                None => parts.push(it.to_string()),
            },
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_key_of_a_document_stands_where_the_definition_says() {
        let document = json!({ "a": "x", "b": { "c d": 1, "e": null, "f": [] } });
        for (paths, expected) in [
            (json!(["/a"]), Some(json!(["x"]))),
            (json!(["/b/\"c d\""]), Some(json!([1]))),
            (json!(["/a", "/b/e"]), Some(json!(["x", null]))),
            (json!(["/b/f"]), Some(json!([{}]))),
            (json!(["/b"]), Some(json!([{}]))),
            (json!(["/z/y"]), Some(json!([{}]))),
            (json!([]), None),
        ] {
            let definition = Definition::read(&json!({ "partitionKey": { "paths": paths } }));
            assert_eq!(definition.keys(&document).map(Json::Array), expected, "{paths}");
        }
        assert_eq!(Definition::read(&json!({})).keys(&document), None);
    }
}
