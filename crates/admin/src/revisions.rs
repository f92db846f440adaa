//! Revisions of APIs: a revision that is not current has a folder of its own, `echo;rev=2`.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-revisions>

use serde_json::{Map, Value, json};

use crate::address::Target;
use crate::draft::Draft;
use crate::problem::Problem;
use crate::view::{Resource, View, revision_of};

/// Folders that belong to the API, not to a revision of it.
const OF_API: &[&str] = &["releases/"];

/// The name without `;rev=n`.
pub(crate) fn base(name: &str) -> &str {
    name.rsplit_once(";rev=").map_or(name, |it| it.0)
}

/// All revisions of an API, the current one first.
pub(crate) fn all(view: &View, api: &Target) -> Vec<Resource> {
    let base = base(api.name().unwrap_or("")).to_lowercase();
    let mut all: Vec<Resource> = view
        .list(api)
        .into_iter()
        .filter(|it| self::base(it.target.name().unwrap_or("")).to_lowercase() == base)
        .collect();
    all.sort_by_key(|it| it.target.name().is_some_and(|it| it.contains(";rev=")));
    all
}

/// What the list of revisions shows of one.
pub(crate) fn contract(revision: &Resource) -> Value {
    let name = revision.target.name().unwrap_or("");
    let number = revision_of(&revision.properties);
    let property = |name: &str| revision.properties.get(name).cloned();
    json!({
        "apiId": format!("/apis/{};rev={number}", base(name)),
        "apiRevision": number,
        "description": property("apiRevisionDescription"),
        "isOnline": property("isOnline").unwrap_or(true.into()),
        "isCurrent": !name.contains(";rev="),
    })
}

/// The properties of a new revision, with the files of the one that it is made from.
///
/// # Errors
///
/// There is nothing that it could be made from.
pub(crate) fn create(
    view: &View,
    draft: &mut Draft,
    target: &Target,
    sent: &Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let name = target.name().unwrap_or("");
    let (base, number) = name.rsplit_once(";rev=").unwrap_or((name, "1"));
    let is_number = number.parse::<u32>().is_ok_and(|it| it > 0);
    if !is_number {
        return Err(Problem::property("apiRevision", "A revision is a number above 0."));
    }
    let source = sent.get("sourceApiId").and_then(Value::as_str);
    let source = source.and_then(|it| it.rsplit('/').next()).unwrap_or(base);
    let source = view.canonical(&target.with_name(source));
    let Some(found) = view.index.find(&source) else {
        return Err(Problem::not_found("The API that the revision is made from is"));
    };
    let folder = view.index.folder(target);
    let leave = |below: &str| OF_API.iter().any(|it| below.starts_with(it));
    draft.copy_folder(&found.folder, &folder, &leave);
    let mut properties = view.information(found);
    properties.extend(sent.clone());
    properties.shift_remove("sourceApiId");
    properties.insert("apiRevision".to_owned(), number.into());
    properties.insert("isCurrent".to_owned(), false.into());
    Ok(properties)
}

/// Makes the revision that a release names the current one.
///
/// # Errors
///
/// The release names no revision of its API.
pub(crate) fn release(
    view: &View,
    draft: &mut Draft,
    api: &Target,
    properties: &Map<String, Value>,
) -> Result<(), Problem> {
    let named = properties.get("apiId").and_then(Value::as_str).unwrap_or("");
    let name = named.rsplit('/').next().unwrap_or("");
    let own = base(api.name().unwrap_or("")).to_owned();
    let is_own = base(name).eq_ignore_ascii_case(&own);
    let next = view.canonical(&api.with_name(name));
    let (true, Some(next)) = (is_own, view.index.find(&next)) else {
        return Err(Problem::property("apiId", "`apiId` names no revision of this API."));
    };
    let Some(current) = view.index.find(&api.with_name(&own)) else { return Ok(()) };
    if next.folder == current.folder {
        return Ok(());
    }
    let (next_info, current_info) = (view.information(next), view.information(current));
    let old = format!("{};rev={}", current.folder, revision_of(&current_info));
    let leave = |below: &str| OF_API.iter().any(|it| below.starts_with(it));
    let files: Vec<String> = draft.files_in(&current.folder);
    draft.copy_folder(&current.folder, &old, &leave);
    for name in files {
        let below = name.strip_prefix(&current.folder).unwrap_or("").trim_start_matches('/');
        if !leave(below) {
            draft.delete(&name);
        }
    }
    draft.copy_folder(&next.folder, &current.folder, &leave);
    draft.delete_folder(&next.folder);
    let moved = |file: &Option<std::sync::Arc<str>>, from: &str, to: &str| {
        let file = file.as_deref().and_then(|it| it.strip_prefix(from).map(str::to_owned));
        format!("{to}{}", file.unwrap_or_else(|| "/apiInformation.json".to_owned()))
    };
    let mark = |mut properties: Map<String, Value>, number: String, is_current: bool| {
        properties.insert("apiRevision".to_owned(), number.into());
        properties.insert("isCurrent".to_owned(), is_current.into());
        properties
    };
    let old_info = mark(current_info.clone(), revision_of(&current_info), false);
    draft.put_properties(&moved(&current.info, &current.folder, &old), old_info);
    let number = next.name.rsplit_once(";rev=").map_or("1", |it| it.1).to_owned();
    let new_info = mark(next_info, number, true);
    draft.put_properties(&moved(&next.info, &next.folder, &current.folder), new_info);
    Ok(())
}
