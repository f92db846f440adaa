//! Databases, containers, and documents by partition.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Refusal, missing};

/// Most documents of a container.
const MAX_DOCUMENTS: usize = 10_000;
/// Most containers.
const MAX_CONTAINERS: usize = 100;

/// All databases.
#[derive(Debug, Default)]
pub(crate) struct Store(BTreeMap<String, BTreeMap<String, Container>>);

/// A container and its documents, by partition and id.
#[derive(Debug)]
pub(super) struct Container {
    name: String,
    paths: Vec<String>,
    documents: BTreeMap<(Key, String), Map<String, Value>>,
}

/// The value of a partition key, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn new(parts: &[Value]) -> Key {
        Key(Value::from(parts).to_string())
    }
}

impl Store {
    /// The containers of a seed: `DATABASE/CONTAINER` and the path of the partition key.
    pub(crate) fn new(seed: &BTreeMap<String, String>) -> Store {
        let mut store = Store::default();
        for (name, path) in seed {
            let Some((database, name)) = name.split_once('/') else { continue };
            let container = Container::new(name, vec![path.clone()]);
            store.0.entry(database.to_owned()).or_default().insert(name.to_owned(), container);
        }
        store
    }

    pub(super) fn make_database(&mut self, name: &str) -> Result<Value, Refusal> {
        if self.0.contains_key(name) {
            return Err(taken());
        }
        if self.0.len() >= MAX_CONTAINERS {
            return Err(full());
        }
        self.0.insert(name.to_owned(), BTreeMap::new());
        self.database(name)
    }

    pub(super) fn database(&self, name: &str) -> Result<Value, Refusal> {
        match self.0.contains_key(name) {
            true => Ok(json!({ "id": name, "_self": format!("dbs/{name}/"), "_colls": "colls/" })),
            false => Err(missing()),
        }
    }

    pub(super) fn make_container(
        &mut self,
        database: &str,
        name: &str,
        definition: &Map<String, Value>,
    ) -> Result<Value, Refusal> {
        let paths = definition.get("partitionKey").and_then(|it| it.get("paths"));
        let paths: Vec<String> = match paths.and_then(Value::as_array) {
            Some(paths) if !paths.is_empty() => {
                paths.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => return Err(super::bad("The partition key definition is missing.")),
        };
        let n_containers: usize = self.0.values().map(BTreeMap::len).sum();
        let database = self.0.get_mut(database).ok_or_else(missing)?;
        if database.contains_key(name) {
            return Err(taken());
        }
        if n_containers >= MAX_CONTAINERS {
            return Err(full());
        }
        let container = Container::new(name, paths);
        let told = container.definition();
        database.insert(name.to_owned(), container);
        Ok(told)
    }

    pub(super) fn container(
        &mut self,
        database: &str,
        name: &str,
    ) -> Result<&mut Container, Refusal> {
        self.0.get_mut(database).and_then(|it| it.get_mut(name)).ok_or_else(missing)
    }
}

impl Container {
    fn new(name: &str, paths: Vec<String>) -> Container {
        Container { name: name.to_owned(), paths, documents: BTreeMap::new() }
    }

    pub(super) fn definition(&self) -> Value {
        let kind = if self.paths.len() > 1 { "MultiHash" } else { "Hash" };
        json!({
            "id": self.name,
            "partitionKey": { "paths": self.paths, "kind": kind, "version": 2 },
            "_docs": "docs/",
        })
    }

    pub(super) fn n_keys(&self) -> usize {
        self.paths.len()
    }

    /// The partition key of a document.
    pub(super) fn key_of(&self, document: &Map<String, Value>) -> Key {
        let document = Value::Object(document.clone());
        let part = |path: &String| match document.pointer(path) {
            Some(it) if !it.is_object() && !it.is_array() => it.clone(),
            _ => Value::Object(Map::new()),
        };
        Key::new(&self.paths.iter().map(part).collect::<Vec<_>>())
    }

    pub(super) fn get(&self, key: &Key, id: &str) -> Option<&Map<String, Value>> {
        self.documents.get(&(key.clone(), id.to_owned()))
    }

    pub(super) fn remove(&mut self, key: &Key, id: &str) {
        self.documents.remove(&(key.clone(), id.to_owned()));
    }

    /// Keeps a document; gives it as it is kept.
    pub(super) fn put(&mut self, key: Key, mut document: Map<String, Value>, now: u64) -> Value {
        let id = document.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let tag = format!("\"{}\"", uuid::Uuid::new_v4());
        document.insert("_etag".to_owned(), Value::from(tag));
        document.insert("_ts".to_owned(), Value::from(now));
        document.insert("_rid".to_owned(), Value::from(uuid::Uuid::new_v4().simple().to_string()));
        if self.documents.len() >= MAX_DOCUMENTS {
            self.documents.pop_first();
        }
        self.documents.insert((key, id), document.clone());
        Value::Object(document)
    }

    /// The documents of a partition, or of all.
    pub(super) fn documents(&self, key: Option<&Key>) -> Vec<&Map<String, Value>> {
        let is_in = |it: &Key| key.is_none_or(|key| key == it);
        self.documents.iter().filter(|((key, _), _)| is_in(key)).map(|it| it.1).collect()
    }
}

fn taken() -> Refusal {
    let text = "Resource with specified id, name, or unique index already exists.";
    (StatusCode::CONFLICT, "Conflict", text.to_owned())
}

fn full() -> Refusal {
    (StatusCode::FORBIDDEN, "Forbidden", "The stand-in has no room for more.".to_owned())
}
