//! Where a step stands: what `context.LastError` tells of it, and what messages point to.

use std::sync::Arc;

use crate::section::{Scope, Section};

/// The place of one step of an effective policy, or of a built-in step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    source: Arc<str>,
    scope: Option<Scope>,
    section: Option<Section>,
    path: Option<Arc<str>>,
    policy_id: Option<Arc<str>>,
    file: Option<Arc<str>>,
    offset: u32,
}

impl Place {
    /// A built-in step such as `configuration` or `authorization`, which stands nowhere.
    #[must_use]
    pub fn built_in(name: &str) -> Place {
        Place {
            source: name.into(),
            scope: None,
            section: None,
            path: None,
            policy_id: None,
            file: None,
            offset: 0,
        }
    }

    /// A policy at a path of a section, as the document of a scope has it.
    #[must_use]
    pub fn policy(name: &str, scope: Scope, section: Section, path: &str) -> Place {
        Place {
            scope: Some(scope),
            section: Some(section),
            path: Some(path.into()),
            ..Place::built_in(name)
        }
    }

    /// With the value of the policy's `id` attribute.
    #[must_use]
    pub fn with_id(mut self, id: Option<&str>) -> Place {
        self.policy_id = id.map(Arc::from);
        self
    }

    /// With the file it was read from and the byte where the element starts.
    #[must_use]
    pub fn in_file(mut self, file: Option<Arc<str>>, offset: u32) -> Place {
        self.file = file;
        self.offset = offset;
        self
    }

    /// The policy's or built-in step's name.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The scope of the document; none for built-in steps.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        self.scope
    }

    /// The section; none for built-in steps.
    #[must_use]
    pub fn section(&self) -> Option<Section> {
        self.section
    }

    /// Element names from below the section down to the policy, such as `choose[3]/when[2]`.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The policy's `id` attribute.
    #[must_use]
    pub fn policy_id(&self) -> Option<&str> {
        self.policy_id.as_deref()
    }

    /// The file, if the document came from one.
    #[must_use]
    pub fn file(&self) -> Option<&Arc<str>> {
        self.file.as_ref()
    }

    /// The byte of the file where the element starts.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_in_step_has_neither_scope_nor_section_nor_path() {
        let place = Place::built_in("configuration");

        assert_eq!(place.source(), "configuration");
        assert_eq!((place.scope(), place.section(), place.path()), (None, None, None));
    }

    #[test]
    fn a_policy_keeps_its_id_and_file() {
        let place =
            Place::policy("set-body", Scope::Api, Section::Inbound, "choose/when[2]/set-body")
                .with_id(Some("b1"))
                .in_file(Some("policy.xml".into()), 42);

        assert_eq!(place.policy_id(), Some("b1"));
        assert_eq!(place.path(), Some("choose/when[2]/set-body"));
        assert_eq!((place.file().map(|it| &**it), place.offset()), (Some("policy.xml"), 42));
    }
}
