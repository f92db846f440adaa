//! What kinds do besides what their row says.

use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::address::Target;
use crate::draft::Draft;
use crate::problem::{Detail, Problem};
use crate::view::{Resource, View};
use crate::{certificate, described, documents, import, revisions, secrets};

/// What a resource is written with.
pub(crate) struct Writing<'a> {
    pub(crate) view: &'a View,
    pub(crate) draft: &'a mut Draft,
    pub(crate) target: &'a Target,
    /// The resource as it is.
    pub(crate) before: Option<&'a Resource>,
    pub(crate) now: SystemTime,
}

/// Completes and checks the properties of a resource that is about to be written.
pub(crate) fn complete(
    cx: &mut Writing<'_>,
    properties: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    match cx.target.kind().path {
        ["apis"] => api(cx, properties),
        ["apis", "releases"] => release(cx, properties),
        ["certificates"] => certificate::complete(properties),
        ["groups"] => group(cx, properties),
        ["namedValues"] => named_value(cx, properties),
        ["policyFragments"] => fragment(cx, properties),
        ["subscriptions"] => subscription(cx, properties),
        ["users"] => user(cx, properties),
        _ => Ok(properties),
    }
}

/// Checks a deletion, and does what goes with it.
pub(crate) fn delete(
    view: &View,
    draft: &mut Draft,
    resource: &Resource,
    query: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Problem> {
    let is_asked = |name: &str| query(name).is_some_and(|it| it.eq_ignore_ascii_case("true"));
    let target = &resource.target;
    match target.kind().path {
        ["apis"] if is_asked("deleteRevisions") => {
            for revision in revisions::all(view, target) {
                draft.delete_folder(&view.index.folder(&revision.target));
            }
            Ok(())
        }
        ["apis", "operations"] => operation(view, draft, resource),
        ["products"] => {
            let subscriptions = subscriptions_of(view, target, "products", "scope");
            if !subscriptions.is_empty() && !is_asked("deleteSubscriptions") {
                let message = "Cannot delete a product that has subscriptions. Ask with `deleteSubscriptions=true`.";
                return Err(Problem::bad("ValidationError", message));
            }
            take_away(view, draft, &subscriptions);
            Ok(())
        }
        ["users"] => {
            let subscriptions = subscriptions_of(view, target, "users", "ownerId");
            if !subscriptions.is_empty() && !is_asked("deleteSubscriptions") {
                let message = "Cannot delete a user that has subscriptions. Ask with `deleteSubscriptions=true`.";
                return Err(Problem::bad("ValidationError", message));
            }
            take_away(view, draft, &subscriptions);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn take_away(view: &View, draft: &mut Draft, all: &[Resource]) {
    for it in all {
        draft.delete_folder(&view.index.folder(&it.target));
    }
}

/// The subscriptions whose `property` names the resource.
pub(crate) fn subscriptions_of(
    view: &View,
    of: &Target,
    segment: &str,
    property: &str,
) -> Vec<Resource> {
    let Some(kind) = crate::kinds::child(&[], "subscriptions", false) else { return Vec::new() };
    let name = of.name().unwrap_or("");
    let is_it = |it: &Resource| {
        let text = it.properties.get(property).and_then(Value::as_str).unwrap_or("");
        let mut segments = text.rsplit('/');
        let is_name = segments.next().is_some_and(|it| it.eq_ignore_ascii_case(name));
        is_name && segments.next().is_some_and(|it| it.eq_ignore_ascii_case(segment))
    };
    let mut all = view.list(&of.sibling(kind, ""));
    all.retain(is_it);
    all
}

pub(crate) fn text<'a>(properties: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    properties.get(name).and_then(Value::as_str).filter(|it| !it.is_empty())
}

/// The time as Azure writes it.
pub(crate) fn timestamp(now: SystemTime) -> String {
    jiff::Timestamp::try_from(now).map_or_else(|_| String::new(), |it| format!("{it:.3}"))
}

fn api(
    cx: &mut Writing<'_>,
    mut properties: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let name = cx.target.name().unwrap_or("").to_owned();
    if cx.before.is_none() && name.contains(";rev=") {
        properties = revisions::create(cx.view, cx.draft, cx.target, &properties)?;
    }
    if let Some(kind) = properties.shift_remove("apiType")
        && !properties.contains_key("type")
    {
        properties.insert("type".to_owned(), kind);
    }
    if properties.contains_key("format") || properties.contains_key("value") {
        properties = import::into_api(cx.view, cx.draft, cx.target, properties)?;
    }
    for name in ["sourceApiId", "translateRequiredQueryParametersConduct"] {
        properties.shift_remove(name);
    }
    if !properties.contains_key("displayName") {
        let message = "The display name is required.";
        return Err(Problem::property("displayName", message));
    }
    if !properties.contains_key("apiRevision") {
        properties.insert("apiRevision".to_owned(), "1".into());
    }
    if !properties.contains_key("isCurrent") {
        properties.insert("isCurrent".to_owned(), (!name.contains(";rev=")).into());
    }
    Ok(properties)
}

fn release(
    cx: &mut Writing<'_>,
    mut properties: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let Some(api) = cx.target.parent() else { return Ok(properties) };
    if cx.before.is_none() {
        revisions::release(cx.view, cx.draft, &api, &properties)?;
        properties.insert("createdDateTime".to_owned(), timestamp(cx.now).into());
    }
    properties.insert("updatedDateTime".to_owned(), timestamp(cx.now).into());
    Ok(properties)
}

fn group(
    cx: &mut Writing<'_>,
    properties: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    if cx.before.is_some_and(|it| it.is_built_in) {
        return Err(Problem::bad("ValidationError", "A built-in group cannot be changed."));
    }
    Ok(properties)
}

fn named_value(
    cx: &mut Writing<'_>,
    mut properties: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let is_vault = properties.get("keyVault").is_some_and(Value::is_object);
    if is_vault {
        properties.shift_remove("value");
    } else {
        properties.shift_remove("keyVault");
        let before = cx.before.and_then(|it| it.properties.get("value")).cloned();
        // A client that may not see a secret cannot send it back.
        let is_kept = cx.before.is_some_and(|it| secrets::is_secret(&it.properties));
        if let (None, true, Some(value)) = (properties.get("value"), is_kept, before) {
            properties.insert("value".to_owned(), value);
        }
        if text(&properties, "value").is_none() {
            return Err(Problem::property("value", "The value is required."));
        }
    }
    Ok(properties)
}

fn fragment(
    cx: &mut Writing<'_>,
    mut properties: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let (text, _) = documents::taken(&properties)?;
    let found = cx.view.index.find(cx.target).and_then(|it| it.policy.clone());
    let file = found.map_or_else(
        || format!("{}/policy.xml", cx.view.index.folder(cx.target)),
        |it| it.to_string(),
    );
    cx.draft.put(file, text);
    properties.shift_remove("value");
    properties.shift_remove("format");
    Ok(properties)
}

fn subscription(
    cx: &mut Writing<'_>,
    mut properties: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    const STATES: &[&str] =
        &["submitted", "active", "suspended", "expired", "rejected", "cancelled"];
    if let Some(state) = text(&properties, "state")
        && !STATES.iter().any(|it| it.eq_ignore_ascii_case(state))
    {
        return Err(Problem::property(
            "state",
            format!("`state` is one of {}.", STATES.join(", ")),
        ));
    }
    let mut wrong = Vec::new();
    for name in ["primaryKey", "secondaryKey"] {
        match text(&properties, name).map(str::len) {
            None => {
                properties.insert(name.to_owned(), secrets::new_key().into());
            }
            Some(1..=256) => {}
            Some(_) => wrong.push(Detail::of(name, "A key has at most 256 characters.")),
        }
    }
    if !wrong.is_empty() {
        return Err(Problem::invalid(wrong));
    }
    if !properties.contains_key("createdDate") {
        properties.insert("createdDate".to_owned(), timestamp(cx.now).into());
    }
    if !properties.contains_key("state") {
        properties.insert("state".to_owned(), "active".into());
    }
    Ok(properties)
}

fn user(
    cx: &mut Writing<'_>,
    mut properties: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    if !properties.contains_key("registrationDate") {
        properties.insert("registrationDate".to_owned(), timestamp(cx.now).into());
    }
    // Nobody signs in here: what is not kept cannot be lost.
    for name in ["password", "appType", "confirmation"] {
        properties.shift_remove(name);
    }
    Ok(properties)
}

/// An operation that stands in the specification is taken out of it.
fn operation(view: &View, draft: &mut Draft, resource: &Resource) -> Result<(), Problem> {
    let Some(api) = resource.target.parent().and_then(|it| view.index.find(&it)) else {
        return Ok(());
    };
    let own = described::operations(view, api);
    let name = resource.target.name().unwrap_or("");
    let Some((_, properties)) = own.iter().find(|it| it.0.eq_ignore_ascii_case(name)) else {
        return Ok(());
    };
    let (Some(file), Some(method), Some(template)) =
        (api.specifications.first(), text(properties, "method"), text(properties, "urlTemplate"))
    else {
        return Ok(());
    };
    let path = template.split('?').next().unwrap_or(template);
    let left = draft.text(file).and_then(|it| described::without(it, method, path));
    let Some(left) = left else {
        let message = "The operation stands in a specification that cannot be changed here.";
        return Err(Problem::bad("ValidationError", message));
    };
    draft.delete(file);
    draft.put(format!("{}/specification.json", api.folder), left + "\n");
    Ok(())
}
