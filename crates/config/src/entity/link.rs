//! Links between entities: the APIs of a product or a gateway, the groups of a product.
//!
//! Tools write them in three ways: `apis.json` with a list of names, a folder per link that is named
//! after the linked entity (`apis/<api>/productApiInformation.json`), or a folder per link with a
//! name of its own and the target in the file (`apiLinks/<link>`, `properties.apiId`).
//!
//! Source: <https://github.com/Azure/apiops>, <https://github.com/Azure/apiops-cli>

use super::{Reading, properties};
use crate::codes;
use crate::layout::{EntityFiles, reference};
use crate::place::Place;
use crate::tree::Tree;

/// A link to another entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkEntity {
    /// The workspace of the other entity, if the link names one.
    pub workspace: Option<String>,
    /// The other entity's name.
    pub name: String,
    /// Where it is said.
    pub place: Place,
}

/// How links of one kind are written.
pub(super) struct Kind {
    /// The list, and the folder whose folders are named after the targets.
    pub(super) list: &'static str,
    /// The folder whose folders have names of their own.
    pub(super) links: &'static str,
    /// The property that names the target.
    pub(super) target: &'static str,
}

/// Links to APIs.
pub(super) const APIS: Kind = Kind { list: "apis", links: "apilinks", target: "apiId" };
/// Links to groups.
pub(super) const GROUPS: Kind = Kind { list: "groups", links: "grouplinks", target: "groupId" };
/// Links to users.
pub(super) const USERS: Kind = Kind { list: "users", links: "userlinks", target: "userId" };

impl LinkEntity {
    /// The target that a text names: a name, or a reference.
    pub(crate) fn parse(text: &str, place: Place) -> Self {
        let it = reference(text.trim());
        Self { workspace: it.workspace.map(str::to_owned), name: it.name.to_owned(), place }
    }
}

/// Whether an entity says anything of links of a kind, even that there are none.
pub(super) fn is_given(files: &EntityFiles, kind: &Kind) -> bool {
    files.lists.contains_key(kind.list)
        || files.children.contains_key(kind.list)
        || files.children.contains_key(kind.links)
}

/// The links of an entity, in the order of the list or of the folders' names; each target once.
pub(super) fn read(files: &EntityFiles, kind: &Kind, cx: &Reading<'_>) -> Vec<LinkEntity> {
    let mut found: Vec<LinkEntity> = Vec::new();
    let mut add = |it: LinkEntity| {
        let same = |own: &LinkEntity| {
            own.workspace == it.workspace && own.name.eq_ignore_ascii_case(&it.name)
        };
        if !found.iter().any(same) {
            found.push(it);
        }
    };
    if let Some(tree) = files.lists.get(kind.list).and_then(|it| cx.parse(it)) {
        listed(&tree, kind, cx).into_iter().for_each(&mut add);
    }
    for files in files.children.get(kind.list).into_iter().flat_map(|it| it.values()) {
        add(in_file(files, kind, cx)
            .unwrap_or_else(|| LinkEntity::parse(&files.name, files.place())));
    }
    for files in files.children.get(kind.links).into_iter().flat_map(|it| it.values()) {
        match in_file(files, kind, cx) {
            Some(it) => add(it),
            None => {
                let message = format!("link `{}` has no `{}`", files.name, kind.target);
                cx.report(files.place().error(codes::MISSING, message));
            }
        }
    }
    found
}

/// `[{ "name": "a" }, "b", { "apiId": "/apis/c" }]`.
fn listed(tree: &Tree, kind: &Kind, cx: &Reading<'_>) -> Vec<LinkEntity> {
    let mut found = Vec::new();
    for item in tree.items() {
        let named = |key| item.get(key).and_then(Tree::scalar);
        let text = item.scalar().or_else(|| named("name")).or_else(|| named(kind.target));
        match text.or_else(|| named("id")).filter(|it| !it.trim().is_empty()) {
            Some(text) => found.push(LinkEntity::parse(text, Place::from(item))),
            None => {
                let message = format!("an entry of `{}` has no `name`", kind.list);
                cx.report(item.error(codes::MISSING, message));
            }
        }
    }
    found
}

fn in_file(files: &EntityFiles, kind: &Kind, cx: &Reading<'_>) -> Option<LinkEntity> {
    let tree = cx.parse(files.info.as_ref()?)?;
    let text = properties(&tree, cx.problems).filled(kind.target)?;
    Some(LinkEntity::parse(&text, files.place()))
}
