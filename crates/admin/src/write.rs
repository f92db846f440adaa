//! PUT, PATCH and DELETE: from what a client sends to changes of files.

use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::address::{Target, is_name};
use crate::configuration::FileChange;
use crate::draft::Draft;
use crate::index::POLICY;
use crate::kinds::{KINDS, KeptIn};
use crate::problem::{Detail, Problem};
use crate::special::{self, Writing};
use crate::view::{Resource, View};
use crate::{documents, references};

/// Changes that make what was asked for.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<FileChange>,
    /// Whether the resource was not there.
    pub(crate) is_new: bool,
}

/// How properties that are sent meet those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// They take their place.
    Replace,
    /// They are merged into them (RFC 7396).
    Merge,
}

/// Writes a resource.
pub(crate) fn put(
    view: &View,
    target: &Target,
    body: &Map<String, Value>,
    how: How,
    now: SystemTime,
) -> Result<Plan, Problem> {
    let kind = target.kind();
    let name = target.name().unwrap_or("");
    if !view.has_parent(target) {
        return Err(Problem::not_found("The resource that it belongs to is"));
    }
    let before = view.get(target);
    if before.is_none() && !is_name(name, kind.max_name()) {
        let message = format!(
            "`{name}` is no name: up to {} characters without * # & + : < > ? / \\ \" |",
            kind.max_name()
        );
        return Err(Problem::property("name", message));
    }
    let mut draft = Draft::new(view.source.clone());
    let is_new = before.is_none();
    match kind.kept_in {
        KeptIn::Link { .. } => link(view, target, &mut draft)?,
        KeptIn::Policy => policy(view, target, body, &mut draft)?,
        KeptIn::Folder { file, .. } => {
            let sent = sent(view, target, body, how)?;
            let properties = merged(target, before.as_ref(), sent, how);
            let cx = &mut Writing { view, draft: &mut draft, target, before: before.as_ref(), now };
            let properties = special::complete(cx, properties)?;
            check(target, &properties)?;
            let found = view.index.find(target).and_then(|it| it.info.as_deref());
            let info = found
                .map_or_else(|| format!("{}/{file}", view.index.folder(target)), str::to_owned);
            draft.put_properties(&info, properties);
        }
    }
    Ok(Plan { changes: draft.into_changes(), is_new })
}

/// What a client sends, as files hold it.
fn sent(
    view: &View,
    target: &Target,
    body: &Map<String, Value>,
    how: How,
) -> Result<Map<String, Value>, Problem> {
    let mut properties = match body.get("properties") {
        Some(Value::Object(properties)) => properties.clone(),
        None | Some(Value::Null) if body.is_empty() || target.kind().required.is_empty() => {
            Map::new()
        }
        _ => {
            return Err(Problem::property("properties", "`properties` is required, as an object."));
        }
    };
    for name in target.kind().read_only {
        properties.shift_remove(*name);
    }
    properties.retain(|_, value| how == How::Merge || !value.is_null());
    references::shorten(&view.service, target.workspace.as_deref(), &mut properties);
    Ok(properties)
}

fn merged(
    target: &Target,
    before: Option<&Resource>,
    sent: Map<String, Value>,
    how: How,
) -> Map<String, Value> {
    let Some(before) = before else { return sent };
    let kind = target.kind();
    if how == How::Merge {
        let mut all = before.properties.clone();
        for (name, value) in sent {
            match (all.get_mut(&name), value) {
                (_, Value::Null) => {
                    all.shift_remove(&name);
                }
                (Some(old), value) => merge(old, value),
                (None, value) => {
                    all.insert(name, value);
                }
            }
        }
        return all;
    }
    let mut all = sent;
    for name in kind.stays.iter().chain(kind.read_only) {
        if let (false, Some(value)) = (all.contains_key(*name), before.properties.get(*name)) {
            all.insert((*name).to_owned(), value.clone());
        }
    }
    all
}

/// Merges as RFC 7396 says.
fn merge(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                match (value, old.get_mut(&name)) {
                    (Value::Null, _) => {
                        old.shift_remove(&name);
                    }
                    (value, Some(old)) => merge(old, value),
                    (value, None) => {
                        old.insert(name, value);
                    }
                }
            }
        }
        (old, new) => *old = new,
    }
}

/// Properties that are required, and not there.
fn check(target: &Target, properties: &Map<String, Value>) -> Result<(), Problem> {
    let kind = target.kind();
    // Documents of fragments have gone to their file by now; the path of an API may be empty.
    let is_there = |name: &str| match properties.get(name) {
        None | Some(Value::Null) => name == "value" && kind.is(&["policyFragments"]),
        Some(Value::String(text)) => !text.is_empty() || name == "path",
        Some(_) => true,
    };
    let missing: Vec<Detail> = kind
        .required
        .iter()
        .filter(|it| !is_there(it))
        .map(|it| Detail::of(it, format!("`{it}` is required.")))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Problem::invalid(missing)) }
}

fn policy(
    view: &View,
    target: &Target,
    body: &Map<String, Value>,
    draft: &mut Draft,
) -> Result<(), Problem> {
    if !target.name().is_some_and(|it| it.eq_ignore_ascii_case(POLICY)) {
        return Err(Problem::property("policyId", "The identifier of a policy is `policy`."));
    }
    let properties = match body.get("properties") {
        Some(Value::Object(properties)) => properties.clone(),
        _ => Map::new(),
    };
    let (text, _) = documents::taken(&properties)?;
    draft.put(view.index.policy_file(target), text);
    Ok(())
}

/// Links two resources: in the list, if there is one, else as a folder.
fn link(view: &View, target: &Target, draft: &mut Draft) -> Result<(), Problem> {
    let (KeptIn::Link { file, .. }, name) = (target.kind().kept_in, target.name().unwrap_or(""))
    else {
        return Ok(());
    };
    let Some(linked) = view.linked(target) else {
        return Err(Problem::not_found("The resource to link is"));
    };
    if view.index.find(target).is_some() {
        return Ok(());
    }
    let name = linked.target.name().unwrap_or(name);
    let own = target.with_name(name);
    let list = view.index.all(&target.collection()).find_map(|it| it.1.list.clone());
    match list.or_else(|| empty_list(view, target)) {
        Some(list) => draft.add_to_list(&list, name),
        None => {
            let file = format!("{}/{file}", view.index.folder(&own));
            draft.put_properties(&file, Map::new());
        }
    }
    Ok(())
}

/// A list that names nothing.
fn empty_list(view: &View, target: &Target) -> Option<std::sync::Arc<str>> {
    let folder = view.index.folder(&target.parent()?);
    let name = format!("{folder}/{}.json", target.kind().folder()?);
    view.source.files().map(|it| it.0).find(|it| ***it == *name).cloned()
}

/// Takes a resource away, with what belongs to it and the links to it.
pub(crate) fn delete(
    view: &View,
    resource: &Resource,
    query: &dyn Fn(&str) -> Option<String>,
) -> Result<Plan, Problem> {
    let target = &resource.target;
    if resource.is_built_in {
        return Err(Problem::bad("ValidationError", "What every service has cannot be deleted."));
    }
    let mut draft = Draft::new(view.source.clone());
    special::delete(view, &mut draft, resource, query)?;
    if target.kind().is_policy() {
        draft.delete(&view.index.policy_file(target));
    } else {
        unlink(view, &mut draft, target);
        // An operation of a specification may have no folder.
        if matches!(target.kind().kept_in, KeptIn::Folder { .. }) {
            draft.delete_folder(&view.index.folder(target));
            links_to(view, target).iter().for_each(|it| unlink(view, &mut draft, it));
            named_links_to(view, target).iter().for_each(|it| draft.delete_folder(it));
        }
    }
    Ok(Plan { changes: draft.into_changes(), is_new: false })
}

fn unlink(view: &View, draft: &mut Draft, link: &Target) {
    let (KeptIn::Link { .. }, Some(found)) = (link.kind().kept_in, view.index.find(link)) else {
        return;
    };
    if let Some(list) = &found.list {
        draft.take_from_list(list, &found.name);
    }
    if found.info.is_some() {
        draft.delete_folder(&found.folder);
    }
}

/// The folders of links with names of their own that lead to a resource, or to a part of it.
fn named_links_to(view: &View, target: &Target) -> Vec<String> {
    let full = |workspace: Option<&str>, text: &str| {
        let mut properties = Map::from_iter([("scope".to_owned(), Value::from(text))]);
        references::expand(&view.service, workspace, &mut properties);
        properties.get("scope").and_then(Value::as_str).unwrap_or_default().to_lowercase()
    };
    let gone = target.id(&view.service).to_lowercase();
    let mut folders = Vec::new();
    for key in view.index.collections() {
        let rest = key.strip_prefix("workspaces/").and_then(|it| it.split_once('/'));
        let (workspace, below) = rest.map_or((None, key), |(name, it)| (Some(name), it));
        let path: Vec<&str> = below.split('/').step_by(2).collect();
        let kind = KINDS.iter().find(|it| it.path == path.as_slice());
        let Some(property) = kind.and_then(|it| it.goes_with) else { continue };
        for (_, found) in view.index.all(key) {
            let properties = view.information(found);
            let text = properties.get(property).and_then(Value::as_str).unwrap_or_default();
            let linked = full(workspace, text);
            if linked == gone || linked.starts_with(&format!("{gone}/")) {
                folders.push(found.folder.clone());
            }
        }
    }
    folders
}

/// The links that lead to a resource.
fn links_to(view: &View, target: &Target) -> Vec<Target> {
    let [segment] = target.kind().path else { return Vec::new() };
    let Some(name) = target.name() else { return Vec::new() };
    let prefix = target.workspace.as_ref().map(|it| format!("workspaces/{}/", it.to_lowercase()));
    let mut links = Vec::new();
    for key in view.index.collections() {
        let below = match &prefix {
            Some(prefix) => key.strip_prefix(prefix.as_str()),
            None => (!key.starts_with("workspaces/")).then_some(key),
        };
        let Some(below) = below else { continue };
        let path: Vec<&str> = below.split('/').step_by(2).collect();
        let kind = KINDS.iter().find(|it| it.path == path.as_slice());
        let is_link = kind.is_some_and(
            |it| matches!(it.kept_in, KeptIn::Link { target, .. } if target == *segment),
        );
        if !is_link {
            continue;
        }
        let segments: Vec<String> = below.split('/').map(str::to_owned).collect();
        if let Some(mut collection) = Target::parse(&segments) {
            collection.workspace.clone_from(&target.workspace);
            links.push(collection.with_name(name));
        }
    }
    links
}
