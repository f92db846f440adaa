//! Entities of a configuration, one file each: what Azure calls them, with the properties that a
//! gateway needs.
//!
//! ```text
//! Layout + Overrides ─read─▶ Entities ◀─ single_file (portcullis.yaml)
//! ```

mod a2a;
mod api;
pub(crate) mod aws;
mod backend;
mod balance;
mod cache;
mod certificate;
mod credentials;
mod diagnostic;
pub(crate) mod extras;
mod fragment;
mod gateway;
mod graphql;
mod group;
mod link;
mod logger;
mod mcp;
mod models;
mod named_value;
mod operation;
mod other;
mod policy;
mod product;
mod release;
mod schema;
mod subscription;
mod user;
mod version_set;
mod workspace;

use std::cell::RefCell;
use std::sync::Arc;

use document::Diagnostic;

pub use a2a::A2aEntity;
pub(crate) use a2a::{CARD_PATHS, operations as a2a_operations};
pub(crate) use api::handshake;
pub use api::{ApiEntity, KEY_HEADER, KEY_QUERY, VersionSetOf};
pub use aws::AwsEntity;
pub(crate) use backend::proxy;
pub use backend::{BackendEntity, Given, ProxyEntity, TlsEntity};
pub(crate) use balance::status_range;
pub use cache::CacheEntity;
pub use certificate::CertificateEntity;
pub use credentials::{CertificateRef, CredentialsEntity};
pub(crate) use diagnostic::AZURE_MONITOR;
pub(crate) use diagnostic::read_short as read_diagnostics;
pub use diagnostic::{DiagnosticEntity, LlmEntity};
pub use fragment::FragmentEntity;
pub use gateway::GatewayEntity;
pub use graphql::{GraphQlEntity, ResolverEntity, SchemaText};
pub(crate) use graphql::{
    HANDSHAKE as GRAPHQL_HANDSHAKE, operations as graphql_operations, split as split_field,
};
pub use group::GroupEntity;
pub(crate) use group::read_short as read_groups;
pub(crate) use group::{BUILT_IN as BUILT_IN_GROUPS, DEVELOPERS};
pub use link::LinkEntity;
pub(crate) use logger::file as log_file;
pub use logger::{FileEntity, LoggerEntity, LoggerTarget};
pub use mcp::{McpEntity, ToolEntity};
pub(crate) use mcp::{operations as mcp_operations, split_operation};
pub use models::{ModelEntity, ModelTargetEntity};
pub(crate) use models::{operations as model_operations, read as read_models};
pub use named_value::NamedValueEntity;
pub(crate) use named_value::is_name;
pub use operation::{OperationEntity, TemplateParameter};
pub use policy::PolicyEntity;
pub use product::ProductEntity;
pub(crate) use product::read_short as read_products;
pub use release::ReleaseEntity;
pub use schema::SchemaEntity;
pub use subscription::{ScopeEntity, SubscriptionEntity, SubscriptionState};
pub use user::UserEntity;
pub(crate) use user::read_short as read_users;
pub use version_set::VersionSetEntity;
pub(crate) use version_set::read_short as read_version_sets;
pub use workspace::WorkspaceEntity;

use crate::layout::{EntityFiles, Layout};
use crate::overrides::Overrides;
use crate::remembered::Remembered;
use crate::source::Source;
use crate::tree::{Fields, Keys, Node, Tree};

/// What tools write in place of a secret.
const REDACTED: &[&str] = &["*** REDACTED ***", "***REDACTED***"];

/// Everything that a configuration describes.
#[derive(Clone, Debug, Default)]
pub struct Entities {
    /// The policy document of the global scope.
    pub policy: Option<PolicyEntity>,
    /// APIs, each revision one.
    pub apis: Vec<ApiEntity>,
    /// Named values.
    pub named_values: Vec<NamedValueEntity>,
    /// Backends.
    pub backends: Vec<BackendEntity>,
    /// Caches.
    pub caches: Vec<CacheEntity>,
    /// Certificates.
    pub certificates: Vec<CertificateEntity>,
    /// Diagnostics of all APIs.
    pub diagnostics: Vec<DiagnosticEntity>,
    /// Policy fragments.
    pub fragments: Vec<FragmentEntity>,
    /// Schemas that were uploaded by themselves.
    pub schemas: Vec<SchemaEntity>,
    /// Loggers.
    pub loggers: Vec<LoggerEntity>,
    /// Subscriptions.
    pub subscriptions: Vec<SubscriptionEntity>,
    /// Products.
    pub products: Vec<ProductEntity>,
    /// Groups, without those that every service has.
    pub groups: Vec<GroupEntity>,
    /// Users.
    pub users: Vec<UserEntity>,
    /// Version sets.
    pub version_sets: Vec<VersionSetEntity>,
    /// Gateways.
    pub gateways: Vec<GatewayEntity>,
    /// Workspaces.
    pub workspaces: Vec<WorkspaceEntity>,
}

/// What reading entities needs.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) source: &'a Source,
    pub(crate) overrides: &'a Overrides,
    pub(crate) problems: &'a RefCell<Vec<Diagnostic>>,
    pub(crate) remembered: &'a Remembered,
}

impl Entities {
    /// Reads the entities of an artifact folder.
    pub(crate) fn read(layout: &Layout, cx: &Reading<'_>) -> Self {
        let named_values = layout.of("namedvalues").filter_map(|it| named_value::read(it, cx));
        let entities = Self {
            policy: policy::read(layout.policy.as_ref(), cx.overrides.policy(None, None), cx),
            named_values: named_values.collect(),
            backends: layout.of("backends").filter_map(|it| backend::read(it, cx)).collect(),
            caches: layout.of("caches").filter_map(|it| cache::read(it, cx)).collect(),
            certificates: layout
                .of("certificates")
                .filter_map(|it| certificate::read(it, cx))
                .collect(),
            diagnostics: diagnostic::read(layout, cx),
            fragments: layout
                .of("policyfragments")
                .filter_map(|it| fragment::read(it, cx))
                .collect(),
            schemas: layout.of("schemas").filter_map(|it| schema::read(it, cx)).collect(),
            loggers: layout.of("loggers").filter_map(|it| logger::read(it, cx)).collect(),
            subscriptions: layout
                .of("subscriptions")
                .filter_map(|it| subscription::read(it, cx))
                .collect(),
            apis: layout.of("apis").filter_map(|it| api::read(it, cx)).collect(),
            products: layout.of("products").filter_map(|it| product::read(it, cx)).collect(),
            groups: layout.of("groups").filter_map(|it| group::read(it, cx)).collect(),
            users: layout.of("users").filter_map(|it| user::read(it, cx)).collect(),
            version_sets: layout
                .of("versionsets")
                .filter_map(|it| version_set::read(it, cx))
                .collect(),
            gateways: layout.of("gateways").filter_map(|it| gateway::read(it, cx)).collect(),
            workspaces: workspace::read_all(layout, cx),
        };
        other::check(layout, cx);
        entities
    }
}

impl Reading<'_> {
    pub(crate) fn report(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// Parses a file of the source; what is wrong with it is reported.
    fn parse(&self, file: &Arc<str>) -> Option<Tree> {
        match Tree::parse(file, self.source.text(file)?) {
            Ok(tree) => Some(tree),
            Err(problem) => {
                self.report(problem);
                None
            }
        }
    }

    /// The information of an entity without overrides. Without a file it is empty.
    fn own_info(&self, files: &EntityFiles) -> Option<Tree> {
        match &files.info {
            Some(file) => self.parse(file),
            None => {
                let place = files.place();
                Some(Tree { file: place.file, span: place.span, node: Node::Map(Vec::new()) })
            }
        }
    }

    /// The information of an entity with overrides merged in. Without a file it is empty.
    fn info(&self, section: &str, files: &EntityFiles) -> Option<Tree> {
        let mut tree = self.own_info(files)?;
        self.overrides.apply(section, &files.name, &mut tree);
        Some(tree)
    }
}

/// The `properties` of an information file; a file without them counts as the properties itself.
fn properties<'t, 'p>(info: &'t Tree, problems: &'p RefCell<Vec<Diagnostic>>) -> Fields<'t, 'p> {
    Fields::new(info.get("properties").unwrap_or(info), Keys::Any, problems)
}

/// Whether a text stands for a secret that was left out.
fn is_redacted(text: &str) -> bool {
    REDACTED.contains(&text.trim())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Reads entities from files in memory; problems as `code message`.
    pub(crate) fn read(files: &[(&str, &str)]) -> (Entities, Vec<String>) {
        let source = Source::from_files(files.iter().map(|(name, text)| (*name, *text)));
        let (layout, _) = Layout::read(&source);
        let problems = RefCell::default();
        let overrides = Overrides::default();
        let remembered = Remembered::default();
        let cx = Reading {
            source: &source,
            overrides: &overrides,
            problems: &problems,
            remembered: &remembered,
        };
        let entities = Entities::read(&layout, &cx);
        let told =
            problems.borrow().iter().map(|it| format!("{} {}", it.code, it.message)).collect();
        (entities, told)
    }

    #[test]
    fn a_file_that_does_not_parse_is_told_and_the_rest_is_read() {
        let (entities, problems) = read(&[
            ("backends/a/backendInformation.json", "{"),
            ("backends/b/backendInformation.json", r#"{"properties":{"url":"https://b.test"}}"#),
        ]);
        assert_eq!(entities.backends.len(), 1);
        assert_eq!(problems, ["PC0502 not valid JSON: expected a key in double quotes"]);
    }
}
