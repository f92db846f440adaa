//! Azure AI Content Safety: analysis of texts, prompt shields and blocklists.
//!
//! A text tells by its words what is in it: `[hate]`, `[hate:6]`, and so `selfharm`, `sexual` and
//! `violence`, give that severity, 4 if none is named; `[attack]` is an attack on the prompt. The
//! service's length limit of 10,000 characters is real.
//!
//! Source: <https://learn.microsoft.com/rest/api/contentsafety/>

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};
use transport::{Request, Response};

use crate::openai::{header_text, is_credential};
use crate::reply;
use crate::world::World;

/// Longest text, in characters (UTF-16 code units are what .NET counts; the service says
/// characters).
const MAX_CHARS: usize = 10_000;

/// Longest request body, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Most blocklists.
const MAX_LISTS: usize = 100;

/// Most items of a blocklist.
const MAX_ITEMS: usize = 10_000;

const CATEGORIES: [&str; 4] = ["Hate", "SelfHarm", "Sexual", "Violence"];

/// Texts to block, by the name of their list.
#[derive(Debug)]
pub(crate) struct Blocklists(Mutex<BTreeMap<String, Blocklist>>);

#[derive(Debug, Default)]
struct Blocklist {
    description: String,
    /// Identifier and text.
    items: Vec<(String, String)>,
}

impl Blocklists {
    pub(crate) fn new(lists: &BTreeMap<String, Vec<String>>) -> Self {
        let list = |texts: &Vec<String>| Blocklist {
            description: String::new(),
            items: texts.iter().map(|it| (reply::request_id(), it.clone())).collect(),
        };
        Self(Mutex::new(lists.iter().map(|(name, texts)| (name.clone(), list(texts))).collect()))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Blocklist>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request to the resource is for this service.
pub(crate) fn is_for(request: &Request) -> bool {
    call(request).is_some()
}

/// What is called, below the service's path. Clients whose address ends in a slash send two.
fn call(request: &Request) -> Option<&str> {
    request.uri().path().trim_start_matches('/').strip_prefix("contentsafety/")
}

pub(crate) async fn handle(world: &World, request: Request) -> Response {
    let mut response = answer(world, request).await;
    reply::set(&mut response, "apim-request-id", &reply::request_id());
    reply::set(&mut response, "x-ms-region", "Local");
    response
}

async fn answer(world: &World, request: Request) -> Response {
    if !is_authorized(world, request.headers()) {
        return refuse(
            StatusCode::UNAUTHORIZED,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to \
             provide a valid key for an active subscription and use a correct regional API \
             endpoint for your resource.",
        );
    }
    let has_version = request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .any(|it| it.starts_with("api-version="));
    if !has_version {
        return invalid("The api-version query parameter is required.");
    }
    let method = request.method().clone();
    let path = call(&request).unwrap_or_default().to_owned();
    let body = match request.into_body().collect(MAX_BODY_BYTES).await {
        Ok(body) if body.is_empty() => Map::new(),
        Ok(body) => match serde_json::from_slice::<Map<String, Value>>(&body) {
            Ok(body) => body,
            Err(_) => return invalid("The request body is invalid JSON."),
        },
        Err(_) => return invalid("The request body is too large."),
    };
    let lists = &world.blocklists;
    match (&method, path.as_str()) {
        (&Method::POST, "text:analyze") => analyze(lists, &body),
        (&Method::POST, "text:shieldPrompt") => shield(&body),
        _ => match path.strip_prefix("text/blocklists") {
            Some(rest) => blocklists(lists, &method, rest.trim_start_matches('/'), &body),
            None => refuse(StatusCode::NOT_FOUND, "404", "Resource not found"),
        },
    }
}

fn is_authorized(world: &World, headers: &HeaderMap) -> bool {
    let key = header_text(headers, "ocp-apim-subscription-key");
    let bearer = header_text(headers, "authorization");
    let bearer = bearer.as_deref().and_then(|it| it.strip_prefix("Bearer "));
    key.is_some_and(|it| it == world.seed.openai_key)
        || bearer.is_some_and(|it| is_credential(world, it))
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    reply::json(status, &json!({ "error": { "code": code, "message": message } }))
}

fn invalid(message: &str) -> Response {
    refuse(StatusCode::BAD_REQUEST, "InvalidRequestBody", message)
}

fn too_long(what: &str) -> Response {
    invalid(&format!(
        "The length of {what} exceeds the limit of {MAX_CHARS} characters. Please shorten it."
    ))
}

fn names(body: &Map<String, Value>, member: &str) -> Vec<String> {
    let list = body.get(member).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn analyze(lists: &Blocklists, body: &Map<String, Value>) -> Response {
    let Some(text) = body.get("text").and_then(Value::as_str) else {
        return invalid("The text field is required.");
    };
    if text.chars().count() > MAX_CHARS {
        return too_long("text");
    }
    let mut categories = names(body, "categories");
    if let Some(unknown) = categories.iter().find(|it| !CATEGORIES.contains(&it.as_str())) {
        return invalid(&format!("The category {unknown} is not supported."));
    }
    if categories.is_empty() {
        categories = CATEGORIES.iter().map(|it| (*it).to_owned()).collect();
    }
    let all_levels = match body.get("outputType").and_then(Value::as_str) {
        None | Some("FourSeverityLevels") => false,
        Some("EightSeverityLevels") => true,
        Some(_) => return invalid("The output type is not supported."),
    };
    let matched = match matches(lists, text, &names(body, "blocklistNames")) {
        Ok(matched) => matched,
        Err(refusal) => return refusal,
    };
    let halts = body.get("haltOnBlocklistHit").and_then(Value::as_bool) == Some(true);
    let analysis: Vec<Value> = if halts && !matched.is_empty() {
        Vec::new()
    } else {
        let severity = |it: &str| {
            let severity = severity(text, it);
            if all_levels { severity } else { severity / 2 * 2 }
        };
        categories.iter().map(|it| json!({ "category": it, "severity": severity(it) })).collect()
    };
    let answer = json!({ "blocklistsMatch": matched, "categoriesAnalysis": analysis });
    reply::json(StatusCode::OK, &answer)
}

/// The highest severity of a category that the text's words name; 0 without one.
fn severity(text: &str, category: &str) -> u64 {
    let lower = text.to_ascii_lowercase();
    let word = format!("[{}", category.to_ascii_lowercase());
    let found = lower.match_indices(&word).filter_map(|(at, _)| {
        let rest = lower.get(at + word.len()..)?;
        if rest.starts_with(']') {
            return Some(4);
        }
        let (level, _) = rest.strip_prefix(':')?.split_once(']')?;
        level.parse::<u64>().ok().map(|it| it.min(7))
    });
    found.max().unwrap_or(0)
}

fn matches(lists: &Blocklists, text: &str, named: &[String]) -> Result<Vec<Value>, Response> {
    let all = lists.all();
    let lower = text.to_lowercase();
    let mut matched = Vec::new();
    for name in named {
        let Some(list) = all.get(name) else {
            let message = format!("The blocklist with name {name} does not exist.");
            return Err(refuse(StatusCode::NOT_FOUND, "NotFound", &message));
        };
        let hits = list.items.iter().filter(|(_, item)| lower.contains(&item.to_lowercase()));
        matched.extend(hits.map(|(id, item)| {
            json!({ "blocklistName": name, "blocklistItemId": id, "blocklistItemText": item })
        }));
    }
    Ok(matched)
}

fn shield(body: &Map<String, Value>) -> Response {
    let prompt = body.get("userPrompt").and_then(Value::as_str).unwrap_or_default();
    let documents = names(body, "documents");
    if prompt.is_empty() && documents.is_empty() {
        return invalid("userPrompt and documents cannot both be empty.");
    }
    let n_chars = prompt.chars().count();
    if n_chars > MAX_CHARS {
        return too_long("userPrompt");
    }
    if documents.iter().map(|it| it.chars().count()).sum::<usize>() > MAX_CHARS {
        return too_long("documents");
    }
    if documents.len() > 5 {
        return invalid("At most five documents are analyzed.");
    }
    let verdict = |text: &str| json!({ "attackDetected": text.contains("[attack]") });
    let of_documents: Vec<Value> = documents.iter().map(|it| verdict(it)).collect();
    let answer =
        json!({ "userPromptAnalysis": verdict(prompt), "documentsAnalysis": of_documents });
    reply::json(StatusCode::OK, &answer)
}

/// The calls on blocklists; `rest` is what comes behind `text/blocklists/`.
fn blocklists(
    lists: &Blocklists,
    method: &Method,
    rest: &str,
    body: &Map<String, Value>,
) -> Response {
    let mut all = lists.all();
    let shown = |name: &str, list: &Blocklist| json!({ "blocklistName": name, "description": list.description });
    let item = |(id, text): &(String, String)| json!({ "blocklistItemId": id, "text": text });
    let missing = || refuse(StatusCode::NOT_FOUND, "NotFound", "The blocklist does not exist.");
    if rest.is_empty() {
        let shown: Vec<Value> = all.iter().map(|(name, list)| shown(name, list)).collect();
        return reply::json(StatusCode::OK, &json!({ "value": shown }));
    }
    if let Some(name) = rest.strip_suffix("/blocklistItems") {
        let Some(list) = all.get(name) else { return missing() };
        let items: Vec<Value> = list.items.iter().map(item).collect();
        return reply::json(StatusCode::OK, &json!({ "value": items }));
    }
    match (method, rest.split_once(':')) {
        (&Method::POST, Some((name, "addOrUpdateBlocklistItems"))) => {
            let Some(list) = all.get_mut(name) else { return missing() };
            let asked = body.get("blocklistItems").and_then(Value::as_array).into_iter().flatten();
            let texts = asked.filter_map(|it| it.get("text").and_then(Value::as_str));
            let added: Vec<_> = texts.map(|it| (reply::request_id(), it.to_owned())).collect();
            if list.items.len() + added.len() > MAX_ITEMS {
                return invalid("The blocklist has too many items.");
            }
            let told: Vec<Value> = added.iter().map(item).collect();
            list.items.extend(added);
            reply::json(StatusCode::OK, &json!({ "blocklistItems": told }))
        }
        (&Method::POST, Some((name, "removeBlocklistItems"))) => {
            let Some(list) = all.get_mut(name) else { return missing() };
            let gone = names(body, "blocklistItemIds");
            list.items.retain(|(id, _)| !gone.contains(id));
            reply::empty(StatusCode::NO_CONTENT)
        }
        (&Method::PATCH, None) => {
            let status = if all.contains_key(rest) { StatusCode::OK } else { StatusCode::CREATED };
            if all.len() >= MAX_LISTS && status == StatusCode::CREATED {
                return invalid("There are too many blocklists.");
            }
            let list = all.entry(rest.to_owned()).or_default();
            if let Some(description) = body.get("description").and_then(Value::as_str) {
                description.clone_into(&mut list.description);
            }
            reply::json(status, &shown(rest, list))
        }
        (&Method::GET, None) => match all.get(rest) {
            Some(list) => reply::json(StatusCode::OK, &shown(rest, list)),
            None => missing(),
        },
        (&Method::DELETE, None) => match all.remove(rest) {
            Some(_) => reply::empty(StatusCode::NO_CONTENT),
            None => missing(),
        },
        _ => refuse(StatusCode::NOT_FOUND, "404", "Resource not found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> Blocklists {
        Blocklists::new(&[("names".to_owned(), vec!["Contoso".to_owned()])].into())
    }

    fn asked(
        answer: fn(&Blocklists, &Map<String, Value>) -> Response,
        body: Value,
    ) -> (u16, Value) {
        let response = answer(&lists(), body.as_object().unwrap());
        let status = response.status().as_u16();
        (status, serde_json::from_slice(response.body().as_bytes().unwrap()).unwrap())
    }

    #[test]
    fn words_of_a_text_name_severities_and_four_levels_are_even() {
        for (text, output_type, expected) in [
            ("fine", "FourSeverityLevels", 0),
            ("[hate]", "FourSeverityLevels", 4),
            ("[HATE:5] [hate:2]", "FourSeverityLevels", 4),
            ("[hate:5]", "EightSeverityLevels", 5),
            ("[hate:99]", "EightSeverityLevels", 7),
            ("[violence:6]", "FourSeverityLevels", 0),
        ] {
            let body = json!({ "text": text, "categories": ["Hate"], "outputType": output_type });
            let (_, answer) = asked(analyze, body);
            let expected = json!([{ "category": "Hate", "severity": expected }]);
            assert_eq!(answer["categoriesAnalysis"], expected, "{text}");
        }
    }

    #[test]
    fn a_blocklist_hits_without_regard_to_case_and_can_halt() {
        let body = json!({ "text": "at CONTOSO", "blocklistNames": ["names"], "haltOnBlocklistHit": true });
        let (_, answer) = asked(analyze, body);
        assert_eq!(answer["blocklistsMatch"][0]["blocklistItemText"], "Contoso");
        assert_eq!(answer["categoriesAnalysis"], json!([]));
        let body = json!({ "text": "x", "blocklistNames": ["other"] });
        assert_eq!(asked(analyze, body).0, 404);
    }

    #[test]
    fn texts_are_bounded_and_bodies_checked() {
        let analyzed = |body| asked(analyze, body).0;
        assert_eq!(analyzed(json!({ "text": "x".repeat(10_000) })), 200);
        assert_eq!(analyzed(json!({ "text": "x".repeat(10_001) })), 400);
        assert_eq!(analyzed(json!({})), 400);
        assert_eq!(analyzed(json!({ "text": "x", "categories": ["Rude"] })), 400);
        assert_eq!(analyzed(json!({ "text": "x", "outputType": "Nine" })), 400);
        let shielded = |body| asked(|_, body| shield(body), body);
        assert_eq!(shielded(json!({ "userPrompt": "x".repeat(10_001) })).0, 400);
        assert_eq!(shielded(json!({ "userPrompt": "" })).0, 400);
    }

    #[test]
    fn an_attack_is_seen_in_the_prompt_and_in_documents() {
        let body = json!({ "userPrompt": "[attack]", "documents": ["fine", "[attack]"] });
        let (_, answer) = asked(|_, body| shield(body), body);
        assert_eq!(answer["userPromptAnalysis"]["attackDetected"], true);
        assert_eq!(answer["documentsAnalysis"][0]["attackDetected"], false);
        assert_eq!(answer["documentsAnalysis"][1]["attackDetected"], true);
    }
}
