//! What the engine shows: one resource, pages of lists, lists that are made from others.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::address::{ServiceName, Step, Target};
use crate::documents::{self, As};
use crate::engine::{Answer, Call};
use crate::filter::Filter;
use crate::kinds::{Kind, child};
use crate::problem::Problem;
use crate::revisions;
use crate::special::subscriptions_of;
use crate::view::{Resource, View};

/// Entries of a page, unless the client asks for fewer or more.
const PAGE: usize = 100;
/// Most entries of a page.
const MAX_PAGE: usize = 1000;

/// A resource as it is shown, with its document in a format.
pub(crate) fn one(service: &ServiceName, resource: &Resource, format: As) -> Value {
    let has_document = has_document(resource.target.kind());
    if !has_document {
        return resource.to_json(service);
    }
    let mut resource = resource.clone();
    documents::show(&mut resource.properties, format);
    resource.to_json(service)
}

fn has_document(kind: &Kind) -> bool {
    kind.is_policy() || kind.is(&["policyFragments"])
}

/// `API not found.`
pub(crate) fn missing(target: &Target) -> Problem {
    let segment = target.kind().segment();
    let word = segment.strip_suffix("ies").map(|it| format!("{it}y"));
    let word = word.unwrap_or_else(|| segment.strip_suffix('s').unwrap_or(segment).to_owned());
    Problem::not_found(&if word == "api" { "API".to_owned() } else { capital(&word) })
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|it| it.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Resources as they are listed, those that pass the filter.
pub(crate) fn shown(call: &Call, view: &View, all: Vec<Resource>) -> Result<Vec<Value>, Problem> {
    let wrong = |message| Problem::property("$filter", message);
    let filter = call.query("$filter").filter(|it| !it.trim().is_empty());
    let filter = filter.map(Filter::parse).transpose().map_err(wrong)?;
    let format = As::asked(call.query("format"))?;
    let listed = all.iter().map(|it| (it, one(&view.service, it, format)));
    let passes = |(resource, value): &(&Resource, Value)| {
        let properties = value.get("properties").and_then(Value::as_object);
        let name = resource.target.name().unwrap_or("");
        filter.as_ref().is_none_or(|it| properties.is_some_and(|map| it.passes(name, map)))
    };
    Ok(listed.filter(passes).map(|it| it.1).collect())
}

/// A page of a list, with the link to the next.
pub(crate) fn page(call: &Call, all: Vec<Value>) -> Result<Answer, Problem> {
    let number = |name: &str| match call.query(name) {
        None => Ok(None),
        Some(text) => text.parse::<usize>().map(Some).map_err(|_| {
            Problem::property(name, format!("`{name}` is a whole number that is not negative."))
        }),
    };
    let skip = number("$skip")?.unwrap_or(0);
    let top = match number("$top")? {
        Some(0) => return Err(Problem::property("$top", "`$top` is at least 1.")),
        top => top.unwrap_or(PAGE).min(MAX_PAGE),
    };
    let count = all.len();
    let value: Vec<Value> = all.into_iter().skip(skip).take(top).collect();
    let next = skip.saturating_add(value.len());
    let mut body = json!({ "value": value, "count": count });
    if next < count
        && !value_is_empty(&body)
        && let Some(map) = body.as_object_mut()
    {
        map.insert("nextLink".to_owned(), next_link(call, next).into());
    }
    Ok(Answer::ok(body))
}

fn value_is_empty(body: &Value) -> bool {
    body.get("value").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

fn next_link(call: &Call, skip: usize) -> String {
    let mut link = call.url.clone();
    let kept = call.query.iter().filter(|it| !it.0.eq_ignore_ascii_case("$skip"));
    let pairs = kept.map(|(name, value)| (name.as_str(), value.clone()));
    let own = std::iter::once(("$skip", skip.to_string()));
    for (n, (name, value)) in pairs.chain(own).enumerate() {
        link.push(if n == 0 { '?' } else { '&' });
        link.push_str(name);
        link.push('=');
        link.extend(utf8_percent_encode(&value, NON_ALPHANUMERIC));
    }
    link
}

/// Lists that are made from others: the revisions of an API, the subscriptions of a product.
pub(crate) fn related(view: &View, target: &Target) -> Result<Vec<Value>, Problem> {
    let of = Target { action: None, ..target.clone() };
    let action = target.action.as_deref().unwrap_or("").to_ascii_lowercase();
    let resource = view.get(&of).ok_or_else(|| missing(&of))?;
    let values = |all: Vec<Resource>| -> Vec<Value> {
        all.iter().map(|it| it.to_json(&view.service)).collect()
    };
    Ok(match (of.kind().path, action.as_str()) {
        (["apis"], "revisions") => {
            revisions::all(view, &of).iter().map(revisions::contract).collect()
        }
        (["apis"], "products") => values(linking(view, &of, "products", "apis")),
        (["products"], "subscriptions") => values(subscriptions_of(view, &of, "products", "scope")),
        (["users"], "subscriptions") => values(subscriptions_of(view, &of, "users", "ownerId")),
        (["users"], "groups") => values(linking(view, &of, "groups", "users")),
        (["users"], "identities") => {
            let identities = resource.properties.get("identities").and_then(Value::as_array);
            identities.cloned().unwrap_or_default()
        }
        _ => return Err(Problem::not_found("The requested resource was")),
    })
}

/// The resources of a kind that a link leads from to `target`.
fn linking(view: &View, target: &Target, segment: &str, link: &str) -> Vec<Resource> {
    let Some(kind) = child(&[], segment, false) else { return Vec::new() };
    let Some(link) = child(kind.path, link, false) else { return Vec::new() };
    let mut all = view.list(&target.sibling(kind, ""));
    all.retain(|it| {
        let mut linked = it.target.clone();
        linked.steps.push(Step { kind: link, name: target.name().map(str::to_owned) });
        view.index.find(&linked).is_some()
    });
    all
}

/// The documents that include a fragment.
pub(crate) fn references_to(view: &View, fragment: &Resource) -> Vec<Value> {
    let name = fragment.target.name().unwrap_or("");
    let marks = [format!("fragment-id=\"{name}\""), format!("fragment-id='{name}'")];
    let service = view.service.id();
    let mut found = Vec::new();
    for key in view.index.collections().filter(|it| it.split('/').next_back() == Some("policies")) {
        let segments: Vec<String> = key.split('/').chain(["policy"]).map(str::to_owned).collect();
        let Some(target) = Target::parse(&segments).map(|it| view.canonical(&it)) else { continue };
        let text = view.get(&target).and_then(|it| it.properties.get("value").cloned());
        let text = text.as_ref().and_then(Value::as_str).unwrap_or("");
        if marks.iter().any(|it| text.contains(it.as_str())) {
            let id = target.id(&view.service);
            found.push(json!({ "id": id.strip_prefix(&service).unwrap_or(&id) }));
        }
    }
    found.sort_by_key(ToString::to_string);
    found
}
