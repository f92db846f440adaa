//! From the path of a request to what it names.
//!
//! ```text
//! /subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.ApiManagement/service/{name}/apis/echo
//!  └─ without regard to case, repeated slashes collapse ─┘                               └ Target
//! ```

use percent_encoding::percent_decode_str;

use crate::kinds::{self, Kind};

/// The provider of the service.
pub(crate) const PROVIDER: &str = "Microsoft.ApiManagement";
/// Longest path below the service, in segments.
const MAX_SEGMENTS: usize = 16;

/// What the service is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName {
    /// The id of the Azure subscription.
    pub subscription_id: String,
    /// The resource group.
    pub resource_group: String,
    /// The service.
    pub name: String,
}

impl ServiceName {
    /// Its id, in canonical case.
    pub fn id(&self) -> String {
        let Self { subscription_id, resource_group, name } = self;
        format!(
            "/subscriptions/{subscription_id}/resourceGroups/{resource_group}/providers/{PROVIDER}/service/{name}"
        )
    }
}

/// A resource or a collection, below the service.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The workspace it is in.
    pub(crate) workspace: Option<String>,
    /// Kinds and names from the service down; a collection has no last name.
    pub(crate) steps: Vec<Step>,
    /// What follows the name: `listSecrets`, `revisions`.
    pub(crate) action: Option<String>,
}

/// A kind with the name of one of its resources.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) kind: &'static Kind,
    pub(crate) name: Option<String>,
}

impl Target {
    /// Reads the segments below the service. `None`: nothing of the kind is served.
    pub(crate) fn parse(segments: &[String]) -> Option<Self> {
        if segments.len() > MAX_SEGMENTS {
            return None;
        }
        let (workspace, segments) = match segments {
            [first, name, rest @ ..]
                if first.eq_ignore_ascii_case("workspaces") && !rest.is_empty() =>
            {
                (Some(name.clone()), rest)
            }
            all => (None, all),
        };
        let mut target = Self { workspace, steps: Vec::new(), action: None };
        let mut rest = segments.iter();
        while let Some(segment) = rest.next() {
            let parent = target.steps.last().map_or(&[][..], |it| it.kind.path);
            let Some(kind) = kinds::child(parent, segment, target.workspace.is_some()) else {
                let is_last = rest.next().is_none();
                target.action = Some(segment.clone());
                return (is_last && !target.steps.is_empty()).then_some(target);
            };
            target.steps.push(Step { kind, name: rest.next().cloned() });
        }
        (!target.steps.is_empty()).then_some(target)
    }

    /// The kind that it ends in.
    pub(crate) fn kind(&self) -> &'static Kind {
        // A target has at least one step.
        self.steps.last().map_or(&kinds::NONE, |it| it.kind)
    }

    /// The name that it ends in; none for a collection.
    pub(crate) fn name(&self) -> Option<&str> {
        self.steps.last()?.name.as_deref()
    }

    /// What it belongs to; none for what hangs at the service.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, steps) = self.steps.split_last()?;
        let steps = steps.to_vec();
        (!steps.is_empty()).then(|| Self { workspace: self.workspace.clone(), steps, action: None })
    }

    /// The key of the collection that it is in, or is: `apis/echo/operations`.
    pub(crate) fn collection(&self) -> String {
        let mut key = self
            .workspace
            .as_ref()
            .map_or_else(String::new, |it| format!("workspaces/{}/", it.to_lowercase()));
        for (n, step) in self.steps.iter().enumerate() {
            key.push_str(step.kind.segment());
            if n + 1 < self.steps.len() {
                let name = step.name.as_deref().unwrap_or("").to_lowercase();
                key.push_str(&format!("/{name}/"));
            }
        }
        key
    }

    /// The same collection with another name in it.
    pub(crate) fn with_name(&self, name: &str) -> Self {
        let mut other = Self { action: None, ..self.clone() };
        if let Some(last) = other.steps.last_mut() {
            last.name = Some(name.to_owned());
        }
        other
    }

    /// A resource at the service, or in the same workspace.
    pub(crate) fn sibling(&self, kind: &'static Kind, name: &str) -> Self {
        let steps = vec![Step { kind, name: Some(name.to_owned()) }];
        Self { workspace: self.workspace.clone(), steps, action: None }
    }

    /// Its id below the service's.
    pub(crate) fn id(&self, service: &ServiceName) -> String {
        let mut id = service.id();
        if let Some(workspace) = &self.workspace {
            id.push_str(&format!("/workspaces/{workspace}"));
        }
        for step in &self.steps {
            id.push_str(&format!(
                "/{}/{}",
                step.kind.segment(),
                step.name.as_deref().unwrap_or("")
            ));
        }
        id
    }

    /// Its type: `Microsoft.ApiManagement/service/apis/operations`.
    pub(crate) fn type_name(&self) -> String {
        let workspace = if self.workspace.is_some() { "workspaces/" } else { "" };
        format!("{PROVIDER}/service/{workspace}{}", self.kind().path.join("/"))
    }
}

/// The decoded segments of a path; `None` if one is no text.
pub(crate) fn segments(path: &str) -> Option<Vec<String>> {
    path.split('/')
        .filter(|it| !it.is_empty())
        .map(|it| Some(percent_decode_str(it).decode_utf8().ok()?.into_owned()))
        .collect()
}

/// Whether a resource may be called so: a folder has to be, too.
pub(crate) fn is_name(text: &str, max_chars: usize) -> bool {
    let is_bad = |it: char| it.is_control() || "*#&+:<>?/\\\"|".contains(it);
    !text.is_empty()
        && text.chars().count() <= max_chars
        && !text.starts_with(['.', ' '])
        && !text.ends_with(['.', ' '])
        && !text.contains(is_bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<(String, Option<String>, String, Option<String>)> {
        let target = Target::parse(&segments(path).unwrap())?;
        let name = target.name().map(str::to_owned);
        Some((target.collection(), name, target.type_name(), target.action))
    }

    #[test]
    fn a_path_names_a_resource_a_collection_or_an_action() {
        let text = |it: &str| Some(it.to_owned());
        let service = "Microsoft.ApiManagement/service/";
        for (path, collection, name, type_name, action) in [
            ("apis", "apis", None, "apis", None),
            ("/APIS//Echo/", "apis", text("Echo"), "apis", None),
            ("apis/a%3Brev=2", "apis", text("a;rev=2"), "apis", None),
            (
                "apis/Echo/operations/Get",
                "apis/echo/operations",
                text("Get"),
                "apis/operations",
                None,
            ),
            ("policies/policy", "policies", text("policy"), "policies", None),
            ("workspaces/W", "workspaces", text("W"), "workspaces", None),
            ("workspaces/W/apis/a", "workspaces/w/apis", text("a"), "workspaces/apis", None),
            ("namedvalues/n/listValue", "namedValues", text("n"), "namedValues", text("listValue")),
        ] {
            let type_name = format!("{service}{type_name}");
            assert_eq!(of(path), Some((collection.to_owned(), name, type_name, action)), "{path}");
        }
    }

    #[test]
    fn what_is_not_served_is_not_found() {
        for path in ["", "widgets", "widgets/x", "apis/a/operations/b/c/d", "workspaces/w/users/u"]
        {
            assert_eq!(of(path), None, "{path}");
        }
        assert_eq!(of(&"apis/a/".repeat(20)), None);
    }

    #[test]
    fn an_id_is_echoed_in_canonical_case() {
        let service = ServiceName {
            subscription_id: "S".to_owned(),
            resource_group: "G".to_owned(),
            name: "N".to_owned(),
        };
        let target = Target::parse(&segments("NAMEDVALUES/Host").unwrap()).unwrap();
        assert_eq!(
            target.id(&service),
            "/subscriptions/S/resourceGroups/G/providers/Microsoft.ApiManagement/service/N/namedValues/Host"
        );
    }

    #[test]
    fn a_name_can_be_a_folder() {
        for good in ["a", "a b", "a;rev=2", "café", "a.b"] {
            assert!(is_name(good, 80), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a\\b", "a*", "a\n", " a", "a.", "a:b", &"a".repeat(81)] {
            assert!(!is_name(bad, 80), "{bad}");
        }
    }
}
