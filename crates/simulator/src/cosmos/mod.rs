//! Azure Cosmos DB for NoSQL, as its REST interface has it: databases and containers made and read;
//! documents made, read, replaced, changed, deleted and queried.
//!
//! ```text
//! request ─authorize─▶ route ─▶ Store (documents by container) ─▶ answer
//!                              query: a part of the SQL dialect
//! ```
//!
//! It really checks the signature by the account's key or the token of Entra ID, the partition key
//! against the document, and entity tags. Triggers, stored procedures and indexing are not offered:
//! naming a trigger is an error, as of one that does not exist.
//!
//! Source: <https://learn.microsoft.com/rest/api/cosmos-db/>

mod access;
mod patch;
mod query;
mod store;

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};
use transport::{Request, Response};

pub(crate) use store::Store;
use store::{Container, Key};

use crate::openai::header_text;
use crate::reply;
use crate::world::World;

/// Longest request body, in bytes: a document may have 2 MB.
const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;
/// Words of `x-ms-consistency-level`.
const LEVELS: [&str; 5] = ["Strong", "Bounded", "Session", "ConsistentPrefix", "Eventual"];

/// A status, a word and a text.
type Refusal = (StatusCode, &'static str, String);
type Outcome = Result<Response, Refusal>;

pub(crate) async fn handle(world: &World, request: Request) -> Response {
    let outcome = answer(world, request).await;
    let mut response = outcome.unwrap_or_else(|(status, code, message)| {
        reply::json(status, &json!({ "code": code, "message": message }))
    });
    reply::set(&mut response, "x-ms-activity-id", &reply::request_id());
    reply::set(&mut response, "x-ms-request-charge", "1");
    response
}

async fn answer(world: &World, request: Request) -> Outcome {
    let decode = crate::key_vault::percent::decode;
    let path = request.uri().path().to_owned();
    let parts: Vec<String> = path.split('/').filter(|it| !it.is_empty()).map(decode).collect();
    access::check(world, &request, &parts)?;
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let body = request.into_body().collect(MAX_BODY_BYTES).await;
    let body = body.map_err(|error| bad(error.to_string()))?;
    let json = || -> Result<Map<String, Value>, Refusal> {
        serde_json::from_slice(&body).map_err(|_| bad("The input content is invalid."))
    };
    let mut store = world.cosmos();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (method, parts.as_slice()) {
        (Method::POST, ["dbs"]) => store.make_database(&name(&json()?)?).map(created),
        (Method::GET, ["dbs", database]) => store.database(database).map(found),
        (Method::POST, ["dbs", database, "colls"]) => {
            let definition = json()?;
            store.make_container(database, &name(&definition)?, &definition).map(created)
        }
        (Method::GET, ["dbs", database, "colls", container]) => {
            Ok(found(store.container(database, container)?.definition()))
        }
        (method, ["dbs", database, "colls", container, "docs"]) => {
            let container = store.container(database, container)?;
            check_options(&headers)?;
            match method {
                Method::GET => list(container, &headers),
                Method::POST if is_true(&headers, "x-ms-documentdb-isquery") => {
                    ask(container, &headers, &json()?)
                }
                Method::POST => make(container, &headers, json()?, world.now()),
                _ => Err(missing()),
            }
        }
        (method, ["dbs", database, "colls", container, "docs", id]) => {
            let container = store.container(database, container)?;
            check_options(&headers)?;
            document(container, &headers, &method, id, json, world.now())
        }
        _ => Err(missing()),
    }
}

/// What is done with one document.
fn document(
    container: &mut Container,
    headers: &HeaderMap,
    method: &Method,
    id: &str,
    json: impl Fn() -> Result<Map<String, Value>, Refusal>,
    now: u64,
) -> Outcome {
    let key = key(container, headers)?;
    let is_known = |tag: &str, header: &str| {
        header_text(headers, header).is_some_and(|it| it == tag || it == "*")
    };
    let current = container.get(&key, id).ok_or_else(missing)?.clone();
    let tag = current.get("_etag").and_then(Value::as_str).unwrap_or_default().to_owned();
    if *method == Method::GET {
        return Ok(match is_known(&tag, "if-none-match") {
            true => reply::empty(StatusCode::NOT_MODIFIED),
            false => tagged(StatusCode::OK, &Value::Object(current)),
        });
    }
    if headers.contains_key("if-match") && !is_known(&tag, "if-match") {
        return Err(changed());
    }
    let changed = match *method {
        Method::DELETE => {
            container.remove(&key, id);
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        }
        Method::PUT => json()?,
        Method::PATCH => patch::apply(current, &json()?).map_err(bad)?,
        _ => return Err(missing()),
    };
    if changed.get("id").and_then(Value::as_str).is_none() {
        return Err(bad(
            "The input content is invalid because the required property `id` is missing.",
        ));
    }
    fits(container, &key, &changed)?;
    container.remove(&key, id);
    Ok(tagged(StatusCode::OK, &container.put(key, changed, now)))
}

/// Makes a document, or replaces it.
fn make(
    container: &mut Container,
    headers: &HeaderMap,
    document: Map<String, Value>,
    now: u64,
) -> Outcome {
    let key = key(container, headers)?;
    let id = name(&document)?;
    fits(container, &key, &document)?;
    let current = container.get(&key, &id);
    let status = match current {
        Some(_) if !is_true(headers, "x-ms-documentdb-is-upsert") => {
            let text = "Entity with the specified id already exists in the system.";
            return Err((StatusCode::CONFLICT, "Conflict", text.to_owned()));
        }
        Some(current) => {
            let tag = current.get("_etag").and_then(Value::as_str).unwrap_or_default();
            let wanted = header_text(headers, "if-match");
            if wanted.is_some_and(|it| it != tag && it != "*") {
                return Err(changed());
            }
            StatusCode::OK
        }
        None => StatusCode::CREATED,
    };
    Ok(tagged(status, &container.put(key, document, now)))
}

fn list(container: &Container, headers: &HeaderMap) -> Outcome {
    page(container.documents(None), headers)
}

fn ask(container: &Container, headers: &HeaderMap, body: &Map<String, Value>) -> Outcome {
    let query = query::Query::read(body).map_err(bad)?;
    let has_key = headers.contains_key("x-ms-documentdb-partitionkey");
    if !has_key && !is_true(headers, "x-ms-documentdb-query-enablecrosspartition") {
        return Err(bad("Cross partition query is required but disabled."));
    }
    if !has_key && query.is_ordered() {
        return Err(bad(
            "The provided cross partition query can not be directly served by the gateway.",
        ));
    }
    let key = if has_key { Some(key(container, headers)?) } else { None };
    page(query.run(container.documents(key.as_ref())), headers)
}

/// One page of documents; a token says where the next one begins.
fn page(documents: Vec<&Map<String, Value>>, headers: &HeaderMap) -> Outcome {
    let start = match header_text(headers, "x-ms-continuation") {
        Some(token) => serde_json::from_str::<Value>(&token)
            .ok()
            .and_then(|it| it.get("token")?.as_str()?.parse().ok())
            .ok_or_else(|| bad("The continuation token is malformed."))?,
        None => 0,
    };
    let count = header_text(headers, "x-ms-max-item-count").and_then(|it| it.parse::<i64>().ok());
    let most = count.and_then(|it| usize::try_from(it).ok()).unwrap_or(100);
    let n_all = documents.len();
    let page: Vec<_> = documents.into_iter().skip(start).take(most).collect();
    let end = start + page.len();
    let n = page.len();
    let body = json!({ "_rid": "", "Documents": page, "_count": n });
    let mut response = reply::json(StatusCode::OK, &body);
    reply::set(&mut response, "x-ms-item-count", &n.to_string());
    if end < n_all && n > 0 {
        let token = json!({ "token": end.to_string() }).to_string();
        reply::set(&mut response, "x-ms-continuation", &token);
    }
    Ok(response)
}

/// The partition that the request names.
fn key(container: &Container, headers: &HeaderMap) -> Result<Key, Refusal> {
    let text = header_text(headers, "x-ms-documentdb-partitionkey");
    let missing = || {
        bad("The partition key supplied in x-ms-partitionkey header has fewer components than \
             defined in the collection.")
    };
    let key: Vec<Value> =
        text.as_deref().and_then(|it| serde_json::from_str(it).ok()).ok_or_else(missing)?;
    if key.len() != container.n_keys() {
        return Err(missing());
    }
    Ok(Key::new(&key))
}

/// The partition key of a document must be the one that the request names.
fn fits(container: &Container, key: &Key, document: &Map<String, Value>) -> Result<(), Refusal> {
    match container.key_of(document) == *key {
        true => Ok(()),
        false => Err(bad(
            "PartitionKey extracted from document doesn't match the one specified in the header.",
        )),
    }
}

fn check_options(headers: &HeaderMap) -> Result<(), Refusal> {
    let level = header_text(headers, "x-ms-consistency-level");
    if level.is_some_and(|it| !LEVELS.contains(&&*it)) {
        return Err(bad("The consistency level is unknown."));
    }
    let triggers = ["x-ms-documentdb-pre-trigger-include", "x-ms-documentdb-post-trigger-include"];
    match triggers.iter().any(|it| headers.contains_key(*it)) {
        true => Err(bad("One of the specified triggers does not exist.")),
        false => Ok(()),
    }
}

fn name(json: &Map<String, Value>) -> Result<String, Refusal> {
    let id = json.get("id").and_then(Value::as_str).unwrap_or_default();
    if id.is_empty() || id.contains(['/', '\\', '?', '#']) {
        return Err(bad(
            "The input content is invalid because the required properties - 'id; ' - are missing.",
        ));
    }
    Ok(id.to_owned())
}

fn is_true(headers: &HeaderMap, name: &str) -> bool {
    header_text(headers, name).is_some_and(|it| it.eq_ignore_ascii_case("true"))
}

fn tagged(status: StatusCode, document: &Value) -> Response {
    let mut response = reply::json(status, document);
    if let Some(tag) = document.get("_etag").and_then(Value::as_str) {
        reply::set(&mut response, "etag", tag);
    }
    response
}

fn created(body: Value) -> Response {
    reply::json(StatusCode::CREATED, &body)
}

fn found(body: Value) -> Response {
    reply::json(StatusCode::OK, &body)
}

fn bad(message: impl Into<String>) -> Refusal {
    (StatusCode::BAD_REQUEST, "BadRequest", message.into())
}

fn missing() -> Refusal {
    let text = "Resource Not Found. Entity with the specified id does not exist in the system.";
    (StatusCode::NOT_FOUND, "NotFound", text.to_owned())
}

fn changed() -> Refusal {
    let text = "One of the specified pre-condition is not met.";
    (StatusCode::PRECONDITION_FAILED, "PreconditionFailed", text.to_owned())
}
