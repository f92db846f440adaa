//! The artifact folder: which file describes which entity.
//!
//! Three generations of the APIOps tools are in use, with `named values` or `namedValues`, links as
//! folders or as `apis.json`. All are read: folder names compare in lower case without spaces and
//! hyphens, entity names in lower case, information files by what they end in.
//!
//! Source: <https://github.com/Azure/apiops>, <https://github.com/Azure/apiops-cli>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use document::{Diagnostic, Related, Span};

use crate::codes;
use crate::place::Place;
use crate::source::{SETTINGS_FILE, Source};

/// Kinds of entities below the root, by normalised folder name.
pub(crate) const KINDS: &[&str] = &[
    "apis",
    "authorizationproviders",
    "backends",
    "caches",
    "certificates",
    "diagnostics",
    "documentations",
    "gateways",
    "groups",
    "loggers",
    "namedvalues",
    "policyfragments",
    "policyrestrictions",
    "products",
    "schemas",
    "subscriptions",
    "tags",
    "users",
    "versionsets",
    "workspaces",
];

const WORKSPACES: &str = "workspaces";

/// Kinds of entities below an API that are read.
const BELOW_API: &[&str] = &["diagnostics", "operations", "resolvers", "schemas"];

/// The files of one entity.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntityFiles {
    /// The name of its folder.
    pub(crate) name: String,
    /// Its information file.
    pub(crate) info: Option<Arc<str>>,
    /// Its policy document.
    pub(crate) policy: Option<Arc<str>>,
    /// Its specification, for APIs.
    pub(crate) specification: Option<Arc<str>>,
    /// Its operations, for APIs, by name in lower case.
    pub(crate) operations: BTreeMap<String, EntityFiles>,
    /// Its GraphQL resolvers, for APIs.
    pub(crate) resolvers: BTreeMap<String, EntityFiles>,
    /// Its schemas, for APIs.
    pub(crate) schemas: BTreeMap<String, EntityFiles>,
    /// Its diagnostics, for APIs.
    pub(crate) diagnostics: BTreeMap<String, EntityFiles>,
    /// The first file of each other folder or list below it, by normalised name.
    pub(crate) below: BTreeMap<String, Arc<str>>,
    /// Lists of links (`apis.json`), by normalised name.
    pub(crate) lists: BTreeMap<String, Arc<str>>,
    /// What lies in other folders below it, by normalised name of the folder, then by name in
    /// lower case: links of older tools, releases.
    pub(crate) children: BTreeMap<String, BTreeMap<String, EntityFiles>>,
}

impl EntityFiles {
    /// Where to tell a problem of the entity as a whole.
    pub(crate) fn place(&self) -> Place {
        let below = self.below.values().next();
        let any = self.info.as_ref().or(self.policy.as_ref()).or(self.specification.as_ref());
        Place::file(any.or(below).map_or_else(|| self.name.as_str().into(), Arc::clone))
    }
}

/// Every entity of a folder.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The global policy document.
    pub(crate) policy: Option<Arc<str>>,
    /// Entities by kind, then by name in lower case.
    pub(crate) entities: BTreeMap<&'static str, BTreeMap<String, EntityFiles>>,
    /// Workspaces by name in lower case.
    pub(crate) workspaces: BTreeMap<String, WorkspaceFiles>,
}

/// The files of a workspace: its own, and the same folders as a service has.
#[derive(Debug, Default)]
pub(crate) struct WorkspaceFiles {
    /// Its name, information file and policy document.
    pub(crate) own: EntityFiles,
    /// What is in it.
    pub(crate) layout: Layout,
}

impl Layout {
    /// The entities of a kind.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = &EntityFiles> {
        self.entities.get(kind).into_iter().flat_map(BTreeMap::values)
    }

    /// Sorts the files of `source`.
    pub(crate) fn read(source: &Source) -> (Self, Vec<Diagnostic>) {
        let mut layout = Self::default();
        let mut problems = Vec::new();
        let mut unknown = BTreeSet::new();
        for (file, _) in source.files() {
            let segments: Vec<&str> = file.split('/').collect();
            match segments.as_slice() {
                ["policy.xml"] => layout.policy = Some(file.clone()),
                // Settings, overrides, and what else may lie at the root.
                [_] => {}
                [folder, rest @ ..] => {
                    let kind = normalise(folder);
                    match KINDS.iter().find(|it| **it == kind) {
                        Some(&WORKSPACES) => layout.workspace(rest, file, &mut problems),
                        Some(kind) => layout.entity(kind, rest, file, &mut problems),
                        None if source.settings_file().is_some_and(|it| is_single(source, it)) => {}
                        None => {
                            unknown.insert((*folder, file));
                        }
                    }
                }
                [] => {}
            }
        }
        let mut told = BTreeSet::new();
        for (folder, file) in unknown {
            if told.insert(folder) && !is_known_aside(folder) {
                let message = format!("folder `{folder}` is no part of the artifact layout");
                problems.push(Place::file(file.clone()).warning(codes::UNKNOWN_FOLDER, message));
            }
        }
        (layout, problems)
    }

    /// A file below `workspaces`.
    fn workspace(&mut self, rest: &[&str], file: &Arc<str>, problems: &mut Vec<Diagnostic>) {
        let [name, below @ ..] = rest else { return };
        let workspace = self.workspaces.entry(name.to_lowercase()).or_default();
        if workspace.own.name.is_empty() {
            workspace.own.name = (*name).to_owned();
        }
        match below {
            [] => {}
            [_] => workspace.own.add(WORKSPACES, below, file, problems),
            [folder, rest @ ..] => {
                let kind = normalise(folder);
                match KINDS.iter().find(|it| **it == kind && **it != WORKSPACES) {
                    Some(kind) => workspace.layout.entity(kind, rest, file, problems),
                    None => {
                        let message = format!("folder `{folder}` is no part of a workspace");
                        let place = Place::file(file.clone());
                        problems.push(place.warning(codes::UNKNOWN_FOLDER, message));
                    }
                }
            }
        }
    }

    fn entity(
        &mut self,
        kind: &'static str,
        rest: &[&str],
        file: &Arc<str>,
        problems: &mut Vec<Diagnostic>,
    ) {
        let [name, below @ ..] = rest else { return };
        if below.is_empty() {
            return;
        }
        let entities = self.entities.entry(kind).or_default();
        let entity = entities
            .entry(name.to_lowercase())
            .or_insert_with(|| EntityFiles { name: (*name).to_owned(), ..EntityFiles::default() });
        entity.add(kind, below, file, problems);
    }
}

impl EntityFiles {
    fn add(&mut self, kind: &str, rest: &[&str], file: &Arc<str>, problems: &mut Vec<Diagnostic>) {
        match rest {
            ["policy.xml"] => set(&mut self.policy, file, problems),
            [name] if name.starts_with("specification.") => {
                set(&mut self.specification, file, problems);
            }
            [name] if is_information(name) && !normalise(name).starts_with("mcp") => {
                set(&mut self.info, file, problems);
            }
            [folder, entity, below @ ..]
                if kind == "apis"
                    && !below.is_empty()
                    && BELOW_API.contains(&normalise(folder).as_str()) =>
            {
                let entities = match normalise(folder).as_str() {
                    "resolvers" => &mut self.resolvers,
                    "schemas" => &mut self.schemas,
                    "diagnostics" => &mut self.diagnostics,
                    _ => &mut self.operations,
                };
                let it = entities
                    .entry(entity.to_lowercase())
                    .or_insert_with(|| Self { name: (*entity).to_owned(), ..Self::default() });
                it.add("operations", below, file, problems);
            }
            [first, below @ ..] => {
                let name = normalise(first.split('.').next().unwrap_or(first));
                match below {
                    [] if first.to_ascii_lowercase().ends_with(".json") => {
                        self.lists.entry(name.clone()).or_insert_with(|| file.clone());
                    }
                    [entity, below @ ..] if !below.is_empty() => {
                        let children = self.children.entry(name.clone()).or_default();
                        let it = children.entry(entity.to_lowercase()).or_insert_with(|| Self {
                            name: (*entity).to_owned(),
                            ..Self::default()
                        });
                        it.add("children", below, file, problems);
                    }
                    _ => {}
                }
                self.below.entry(name).or_insert_with(|| file.clone());
            }
            [] => {}
        }
    }
}

fn set(slot: &mut Option<Arc<str>>, file: &Arc<str>, problems: &mut Vec<Diagnostic>) {
    if let Some(first) = slot {
        let message = "entity is given twice: names compare without case, spaces and hyphens";
        let span = Span::default();
        let related = Related { file: Some(first.clone()), span, message: "also here".to_owned() };
        problems.push(Place::file(file.clone()).error(codes::DUPLICATE, message).related(related));
        return;
    }
    *slot = Some(file.clone());
}

/// A folder name in lower case without spaces, hyphens and underscores.
pub(crate) fn normalise(name: &str) -> String {
    name.chars().filter(|it| !matches!(it, ' ' | '-' | '_')).flat_map(char::to_lowercase).collect()
}

fn is_information(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("information.json")
}

/// Folders that stand beside the artifacts and are none: tests and pipelines.
fn is_known_aside(folder: &str) -> bool {
    let names = ["tests", "fixtures", "pipelines", "tools", "docs", "infra", "policies", "specs"];
    names.contains(&normalise(folder).as_str())
}

/// Whether the settings file is the whole configuration, so that other folders hold its files.
fn is_single(source: &Source, settings: &Arc<str>) -> bool {
    &**settings != SETTINGS_FILE || source.folder().is_none()
}

/// Reduces a reference (`/subscriptions/.../apis/echo`, `/apis/echo`, `apis/echo`) to its last two
/// segments.
pub(crate) fn last_two(reference: &str) -> (&str, &str) {
    let mut segments = reference.rsplit('/').filter(|it| !it.is_empty());
    let last = segments.next().unwrap_or("");
    (segments.next().unwrap_or(""), last)
}

/// What a reference names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// The workspace that it is in; none: the service.
    pub(crate) workspace: Option<&'a str>,
    /// The kind, as written.
    pub(crate) kind: &'a str,
    /// The name.
    pub(crate) name: &'a str,
}

/// Reads a reference, long or short, with the workspace that it names.
pub(crate) fn reference(text: &str) -> Reference<'_> {
    let (kind, name) = last_two(text);
    let mut segments = text.split('/').filter(|it| !it.is_empty());
    let found = segments.find(|it| it.eq_ignore_ascii_case(WORKSPACES));
    let workspace = found.and_then(|_| segments.next()).filter(|_| segments.next().is_some());
    Reference { workspace, kind, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &[&str]) -> (Layout, Vec<String>) {
        let (layout, problems) =
            Layout::read(&Source::from_files(names.iter().map(|it| (*it, ""))));
        (layout, problems.iter().map(|it| format!("{} {}", it.code, it.message)).collect())
    }

    #[test]
    fn all_generations_are_read() {
        for folder in ["named values", "namedValues", "namedvalues", "named-values"] {
            let (layout, problems) = read(&[&format!("{folder}/A/namedValueInformation.json")]);
            assert!(problems.is_empty());
            let names: Vec<&str> = layout.of("namedvalues").map(|it| it.name.as_str()).collect();
            assert_eq!(names, ["A"]);
        }
        let (layout, _) = read(&[
            "policy.xml",
            "apis/echo;rev=2/apiInformation.json",
            "apis/echo;rev=2/specification.yaml",
            "apis/echo;rev=2/policy.xml",
            "apis/echo;rev=2/operations/get/policy.xml",
            "apis/echo;rev=2/operations/Get/operationInformation.json",
            "apis/echo;rev=2/releases/r/apiReleaseInformation.json",
            "products/p/apis.json",
            "products/p/groups/g/productGroupInformation.json",
        ]);
        let api = layout.of("apis").next().unwrap();
        assert_eq!(api.name, "echo;rev=2");
        let operation = &api.operations["get"];
        assert!(operation.info.is_some() && operation.policy.is_some());
        assert!(api.below.contains_key("releases"));
        let product = layout.of("products").next().unwrap();
        assert_eq!(product.below.keys().collect::<Vec<_>>(), ["apis", "groups"]);
        assert!(layout.policy.is_some());
    }

    #[test]
    fn the_same_entity_twice_is_an_error() {
        let (_, problems) = read(&[
            "named values/a/namedValueInformation.json",
            "namedValues/A/namedValueInformation.json",
        ]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("PC0509"));
    }

    #[test]
    fn an_unknown_folder_is_a_warning() {
        let (_, problems) = read(&["widgets/a/b.json", "widgets/c/d.json", "tests/x/y.yaml"]);
        assert_eq!(problems, ["PC0511 folder `widgets` is no part of the artifact layout"]);
    }

    #[test]
    fn a_workspace_has_the_folders_of_a_service() {
        let (layout, problems) = read(&[
            "workspaces/Team/workspaceInformation.json",
            "workspaces/Team/policy.xml",
            "workspaces/team/named values/n/namedValueInformation.json",
            "workspaces/team/apis/a/apiInformation.json",
            "workspaces/team/odd/a/b.json",
        ]);
        let team = &layout.workspaces["team"];
        assert_eq!(team.own.name, "Team");
        assert!(team.own.info.is_some() && team.own.policy.is_some());
        assert_eq!(team.layout.of("namedvalues").count(), 1);
        assert_eq!(team.layout.of("apis").count(), 1);
        assert_eq!(layout.of("apis").count(), 0);
        assert_eq!(problems, ["PC0511 folder `odd` is no part of a workspace"]);
    }

    #[test]
    fn references_may_name_a_workspace() {
        let of = |text| {
            let it = reference(text);
            (it.workspace, it.kind, it.name)
        };
        assert_eq!(of("/subscriptions/1/x/workspaces/w/apis/a"), (Some("w"), "apis", "a"));
        assert_eq!(of("/workspaces/w/apis"), (Some("w"), "w", "apis"));
        assert_eq!(of("/apis/a"), (None, "apis", "a"));
        assert_eq!(of("/workspaces/w"), (None, "workspaces", "w"));
    }

    #[test]
    fn references_are_reduced_to_kind_and_name() {
        for reference in ["/subscriptions/1/x/service/s/apis/echo", "/apis/echo", "apis/echo"] {
            assert_eq!(last_two(reference), ("apis", "echo"));
        }
        assert_eq!(last_two("/apis"), ("", "apis"));
        assert_eq!(last_two("/"), ("", ""));
    }
}
