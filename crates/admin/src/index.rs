//! Which files describe which resource. Made once per version of the files.
//!
//! The three generations of artifact folders are read as the loader reads them: names compare
//! without case, folders also without spaces, hyphens and underscores; links are lists
//! (`apis.json`) or folders.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use config::Source;
use serde_json::Value;

use crate::address::Target;
use crate::kinds::{self, KeptIn, Kind, normalise};

/// The name of every document.
pub(crate) const POLICY: &str = "policy";
const POLICY_FILE: &str = "policy.xml";
const WORKSPACES: &str = "workspaces";

/// The resources that have files.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// By collection (`apis/echo/operations`), then by name in lower case.
    collections: HashMap<String, BTreeMap<String, Found>>,
    /// The folder of each collection, as it is called.
    folders: HashMap<String, String>,
    /// Whether folders are called `namedValues`, not `named values`.
    is_camel_case: bool,
}

/// The files of a resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Its name as the folder gives it.
    pub(crate) name: String,
    /// Its folder.
    pub(crate) folder: String,
    /// Its information file.
    pub(crate) info: Option<Arc<str>>,
    /// Its document.
    pub(crate) policy: Option<Arc<str>>,
    /// Its specifications; one, if the folder is in order.
    pub(crate) specifications: Vec<Arc<str>>,
    /// The list that names it, if it is a link.
    pub(crate) list: Option<Arc<str>>,
}

/// Where the walk along a path is.
struct Cursor {
    /// The key of the resource: `apis/echo`, empty at the root.
    key: String,
    /// The folder.
    folder: String,
    /// Kinds from the root, or the workspace, down.
    path: &'static [&'static str],
    in_workspace: bool,
}

impl Index {
    /// Sorts the files of `source`.
    pub(crate) fn new(source: &Source) -> Self {
        let mut index = Self::default();
        for (file, text) in source.files() {
            index.add(file, text);
        }
        index
    }

    /// The files of a resource.
    pub(crate) fn find(&self, target: &Target) -> Option<&Found> {
        self.collections.get(&target.collection())?.get(&target.name()?.to_lowercase())
    }

    /// The resources of a collection by name in lower case.
    pub(crate) fn all(
        &self,
        collection: &str,
    ) -> impl Iterator<Item = (&String, &Found)> + use<'_> {
        self.collections.get(collection).into_iter().flatten()
    }

    /// The keys of all collections.
    pub(crate) fn collections(&self) -> impl Iterator<Item = &str> {
        self.collections.keys().map(String::as_str)
    }

    /// The folder of a resource, there or to be made.
    pub(crate) fn folder(&self, target: &Target) -> String {
        if let Some(found) = self.find(target) {
            return found.folder.clone();
        }
        let name = target.name().unwrap_or("");
        if let Some(folder) = self.folders.get(&target.collection()) {
            return format!("{folder}/{name}");
        }
        let within = match (target.parent(), &target.workspace) {
            (Some(parent), _) => self.folder(&parent),
            (None, Some(workspace)) => self.workspace_folder(workspace),
            (None, None) => String::new(),
        };
        let own = target.kind().folder().unwrap_or("");
        let own = if self.is_camel_case { camel_case(own) } else { own.to_owned() };
        join(&within, &format!("{own}/{name}"))
    }

    /// The folder of a workspace, there or to be made.
    fn workspace_folder(&self, name: &str) -> String {
        let found = self.collections.get(WORKSPACES).and_then(|it| it.get(&name.to_lowercase()));
        found.map_or_else(|| format!("{WORKSPACES}/{name}"), |it| it.folder.clone())
    }

    /// The file that a document stands in: that of what it belongs to.
    pub(crate) fn policy_file(&self, target: &Target) -> String {
        match (target.parent(), &target.workspace) {
            (Some(parent), _) => join(&self.folder(&parent), POLICY_FILE),
            (None, Some(workspace)) => join(&self.workspace_folder(workspace), POLICY_FILE),
            (None, None) => POLICY_FILE.to_owned(),
        }
    }

    fn add(&mut self, file: &Arc<str>, text: &str) {
        let segments: Vec<&str> = file.split('/').collect();
        let mut cursor =
            Cursor { key: String::new(), folder: String::new(), path: &[], in_workspace: false };
        let mut rest = segments.as_slice();
        if let [first, name, below @ ..] = rest
            && below.len() > 1
            && normalise(first) == WORKSPACES
        {
            let key = format!("{WORKSPACES}/{}", name.to_lowercase());
            let folder = format!("{first}/{name}");
            self.entry(WORKSPACES, first, name, &folder);
            cursor = Cursor { key, folder, path: &[], in_workspace: true };
            rest = below;
        }
        loop {
            match rest {
                [] => return,
                [own] => return self.own_file(&cursor, own, file, text),
                // A file right below a folder of a kind is nobody's.
                [_, _] => return,
                [folder, name, below @ ..] => {
                    let Some(kind) = kinds::child_of_folder(
                        cursor.path,
                        &normalise(folder),
                        cursor.in_workspace,
                    ) else {
                        return;
                    };
                    if cursor.path.is_empty()
                        && *folder == camel_case(folder)
                        && folder.contains(char::is_uppercase)
                    {
                        self.is_camel_case = true;
                    }
                    let collection = join(&cursor.key, kind.segment());
                    let of_kind = join(&cursor.folder, folder);
                    let own = format!("{of_kind}/{name}");
                    self.entry(&collection, &of_kind, name, &own);
                    let is_link = matches!(kind.kept_in, KeptIn::Link { .. });
                    cursor = Cursor {
                        key: format!("{collection}/{}", name.to_lowercase()),
                        folder: own,
                        path: kind.path,
                        in_workspace: cursor.in_workspace,
                    };
                    rest = below;
                    if is_link && below.len() > 1 {
                        return;
                    }
                }
            }
        }
    }

    fn entry(&mut self, collection: &str, of_kind: &str, name: &str, folder: &str) -> &mut Found {
        self.folders.entry(collection.to_owned()).or_insert_with(|| of_kind.to_owned());
        let all = self.collections.entry(collection.to_owned()).or_default();
        let found = all.entry(name.to_lowercase()).or_insert_with(|| Found {
            name: name.to_owned(),
            folder: folder.to_owned(),
            ..Found::default()
        });
        // A list that named it first knows no folder of its own.
        if found.list.is_some() && found.info.is_none() {
            folder.clone_into(&mut found.folder);
        }
        found
    }

    /// A file of the resource at `cursor`.
    fn own_file(&mut self, cursor: &Cursor, own: &str, file: &Arc<str>, text: &str) {
        if own == POLICY_FILE && cursor.path != ["policyFragments"] {
            let collection = join(&cursor.key, "policies");
            let all = self.collections.entry(collection).or_default();
            let found = all.entry(POLICY.to_owned()).or_default();
            found.name = POLICY.to_owned();
            found.folder = cursor.folder.clone();
            found.policy = Some(file.clone());
            return;
        }
        if let Some((name, "json")) = own.rsplit_once('.')
            && let Some(kind) =
                kinds::child_of_folder(cursor.path, &normalise(name), cursor.in_workspace)
            && matches!(kind.kept_in, KeptIn::Link { .. })
        {
            return self.list(cursor, kind, file, text);
        }
        let Some(found) = self.at(&cursor.key) else { return };
        let lower = own.to_ascii_lowercase();
        if own == POLICY_FILE {
            found.policy = Some(file.clone());
        } else if lower.starts_with("specification.") {
            found.specifications.push(file.clone());
        } else if lower.ends_with("information.json") && !lower.starts_with("mcp") {
            found.info = Some(file.clone());
        }
    }

    fn at(&mut self, key: &str) -> Option<&mut Found> {
        let (collection, name) = key.rsplit_once('/')?;
        self.collections.get_mut(collection)?.get_mut(name)
    }

    /// `[{ "name": "a" }, "b"]`.
    fn list(&mut self, cursor: &Cursor, kind: &Kind, file: &Arc<str>, text: &str) {
        let Ok(Value::Array(items)) = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        else {
            return;
        };
        let collection = join(&cursor.key, kind.segment());
        let all = self.collections.entry(collection).or_default();
        for item in &items {
            let Some(name) = listed_name(item) else { continue };
            let found = all.entry(name.to_lowercase()).or_default();
            if found.name.is_empty() {
                found.name = name.to_owned();
                found.folder = cursor.folder.clone();
            }
            found.list = Some(file.clone());
        }
    }
}

/// The name that an entry of a list gives.
pub(crate) fn listed_name(item: &Value) -> Option<&str> {
    let text = item.as_str().or_else(|| item.get("name")?.as_str())?;
    text.rsplit('/').next().filter(|it| !it.is_empty())
}

/// `named values` as `namedValues`.
fn camel_case(name: &str) -> String {
    let mut words = name.split(' ');
    let mut joined = words.next().unwrap_or("").to_owned();
    for word in words {
        let mut letters = word.chars();
        joined.extend(letters.next().map(|it| it.to_ascii_uppercase()));
        joined.push_str(letters.as_str());
    }
    joined
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::segments;

    fn index(files: &[(&str, &str)]) -> Index {
        Index::new(&Source::from_files(files.iter().copied()))
    }

    fn target(path: &str) -> Target {
        Target::parse(&segments(path).unwrap()).unwrap()
    }

    #[test]
    fn files_are_sorted_by_what_they_describe() {
        let index = index(&[
            ("policy.xml", ""),
            ("apis/Echo/apiInformation.json", ""),
            ("apis/Echo/policy.xml", ""),
            ("apis/Echo/specification.yaml", ""),
            ("apis/Echo/operations/get/policy.xml", ""),
            ("apis/Echo/releases/r/apiReleaseInformation.json", ""),
            ("policy fragments/f/policy.xml", ""),
            ("named values/n/namedValueInformation.json", ""),
            ("products/p/apis.json", r#"[{"name":"Echo"},"other"]"#),
            ("products/p/groups/g/productGroupInformation.json", "{}"),
            ("workspaces/w/workspaceInformation.json", ""),
            ("workspaces/w/policy.xml", ""),
            ("workspaces/w/apis/a/apiInformation.json", ""),
        ]);
        let found = |path: &str| index.find(&target(path)).cloned();
        assert!(found("policies/policy").unwrap().policy.is_some());
        let api = found("apis/echo").unwrap();
        assert_eq!((api.name.as_str(), api.folder.as_str()), ("Echo", "apis/Echo"));
        assert!(api.info.is_some() && api.specifications.len() == 1 && api.policy.is_none());
        for path in [
            "apis/ECHO/policies/policy",
            "apis/echo/operations/GET",
            "apis/echo/operations/get/policies/policy",
            "apis/echo/releases/r",
            "namedValues/N",
            "products/p/apis/echo",
            "products/p/apis/other",
            "products/p/groups/g",
            "workspaces/w",
            "workspaces/w/policies/policy",
            "workspaces/w/apis/a",
        ] {
            assert!(found(path).is_some(), "{path}");
        }
        assert!(found("policyFragments/f").unwrap().policy.is_some());
        assert!(found("workspaces/w").unwrap().info.is_some());
        assert!(found("apis/a").is_none() && found("products/p/apis/none").is_none());
    }

    #[test]
    fn new_folders_follow_the_generation_of_the_others() {
        let folder = |files: &[(&str, &str)], path: &str| index(files).folder(&target(path));
        assert_eq!(folder(&[], "namedValues/n"), "named values/n");
        let camel = [("policyFragments/f/policy.xml", "")];
        assert_eq!(folder(&camel, "namedValues/n"), "namedValues/n");
        let own = [("Named-Values/a/namedValueInformation.json", "")];
        assert_eq!(folder(&own, "namedValues/n"), "Named-Values/n");
        let api = [("apis/Echo/apiInformation.json", "")];
        assert_eq!(folder(&api, "apis/echo/operations/get"), "apis/Echo/operations/get");
        assert_eq!(folder(&[], "workspaces/w/namedValues/n"), "workspaces/w/named values/n");
        assert_eq!(
            index(&api).policy_file(&target("apis/echo/policies/policy")),
            "apis/Echo/policy.xml"
        );
        assert_eq!(index(&[]).policy_file(&target("policies/policy")), "policy.xml");
    }
}
