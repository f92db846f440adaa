//! Workspaces: APIs of one team with their own products, named values, backends and fragments.
//!
//! What is in a workspace refers to what is in the same workspace, not to the service's.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/workspaces-overview>

use super::{Entities, PolicyEntity, Reading, policy, properties};
use crate::codes;
use crate::layout::{Layout, WorkspaceFiles};
use crate::place::Place;

/// A workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceEntity {
    /// Entity name.
    pub id: String,
    /// Display name.
    pub display_name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its policy document.
    pub policy: Option<PolicyEntity>,
    /// What is in it.
    pub entities: Entities,
    /// Where it is described.
    pub place: Place,
}

/// Kinds that only a service has.
const OF_SERVICE: &[&str] = &["authorizationproviders", "caches", "gateways", "users"];

pub(super) fn read_all(layout: &Layout, cx: &Reading<'_>) -> Vec<WorkspaceEntity> {
    layout.workspaces.values().filter_map(|it| read(it, cx)).collect()
}

fn read(files: &WorkspaceFiles, cx: &Reading<'_>) -> Option<WorkspaceEntity> {
    let own = &files.own;
    // Older tools write no information file.
    let info = cx.info("workspaces", own)?;
    let fields = properties(&info, cx.problems);
    for it in OF_SERVICE.iter().flat_map(|kind| files.layout.of(kind)) {
        let message =
            format!("workspace `{}` cannot have `{}`: only a service can", own.name, it.name);
        cx.report(it.place().error(codes::BAD_VALUE, message));
    }
    let overrides = cx.overrides.of_workspace(&own.name);
    let below = Reading { overrides: &overrides, ..*cx };
    let mut entities = Entities::read(&files.layout, &below);
    entities.policy = None;
    let replacement = overrides.policy(None, None);
    let policy = policy::read(own.policy.as_ref(), replacement, &below);
    overrides.unused().into_iter().for_each(|it| cx.report(it));
    let any = files.layout.entities.values().flat_map(|it| it.values()).map(|it| it.place());
    let place = if own.info.is_some() || own.policy.is_some() {
        own.place()
    } else {
        any.into_iter().next().unwrap_or_else(|| own.place())
    };
    Some(WorkspaceEntity {
        display_name: fields.filled("displayName").unwrap_or_else(|| own.name.clone()),
        description: fields.filled("description"),
        id: own.name.clone(),
        policy,
        entities,
        place,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn a_workspace_has_entities_of_its_own() {
        let (entities, problems) = read(&[
            ("workspaces/team/workspaceInformation.json", r#"{"properties":{"displayName":"T"}}"#),
            ("workspaces/team/policy.xml", "<policies/>"),
            ("workspaces/team/apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#),
            ("workspaces/team/products/p/productInformation.json", "{}"),
            ("workspaces/team/products/p/apis.json", r#"["a"]"#),
            (
                "workspaces/team/namedValues/n/namedValueInformation.json",
                r#"{"properties":{"value":"x"}}"#,
            ),
        ]);
        assert_eq!(problems, [""; 0]);
        assert!(entities.apis.is_empty() && entities.policy.is_none());
        let it = &entities.workspaces[0];
        assert_eq!((it.id.as_str(), it.display_name.as_str()), ("team", "T"));
        assert!(it.policy.is_some() && it.entities.policy.is_none());
        let n =
            (it.entities.apis.len(), it.entities.products.len(), it.entities.named_values.len());
        assert_eq!(n, (1, 1, 1));
    }

    #[test]
    fn a_workspace_has_no_gateways() {
        let problems = read(&[("workspaces/team/gateways/g/gatewayInformation.json", "{}")]).1;
        assert_eq!(problems, ["PC0506 workspace `team` cannot have `g`: only a service can"]);
    }
}
