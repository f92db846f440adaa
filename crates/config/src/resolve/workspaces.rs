//! Workspaces: what is in one refers to its own named values, backends and loggers.
//!
//! Backends of a workspace have the workspace's name before their own (`team/east`), since the
//! gateway keeps connections, breakers and measurements of each backend by name.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use document::{Diagnostic, NamedValues};
use pipeline::{BackendEntry, Caches};

use super::{Resolved, backends, certificates, loggers, named_values};
use crate::codes;
use crate::entity::WorkspaceEntity;
use crate::load::{Options, Parsed};
use crate::secret_source::SecretProvider;
use crate::snapshot::Backend;

/// Resolves every workspace, in order.
pub(super) async fn resolve(
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Resolved> {
    let mut all = Vec::new();
    for workspace in &parsed.entities.workspaces {
        names(workspace, parsed, problems);
        let own = parsed.of_workspace(workspace);
        let future: Pin<Box<dyn Future<Output = _> + Send + '_>> =
            Box::pin(one(workspace, &own, options, secrets));
        let (resolved, found) = future.await;
        all.push(resolved);
        problems.extend(found);
    }
    all
}

async fn one(
    workspace: &WorkspaceEntity,
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
) -> (Resolved, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let entities = &parsed.entities;
    let named_values = named_values::resolve(parsed, options, secrets, &mut problems).await;
    let certificates = certificates::resolve(parsed, options, secrets).await;
    let found = backends::resolve(&entities.backends, &named_values, &certificates, &mut problems);
    let loggers = loggers::resolve(&entities.loggers, &named_values, parsed.folder.as_deref());
    let resolved = Resolved {
        backends: renamed(&workspace.id, found),
        named_values,
        loggers: Arc::new(loggers),
        caches: Caches::default(),
        certificates,
        ..Resolved::default()
    };
    (resolved, problems)
}

/// A service's backend would be taken for the workspace's of the same name where a policy of the
/// service names it.
fn names(workspace: &WorkspaceEntity, parsed: &Parsed, problems: &mut Vec<Diagnostic>) {
    for backend in &workspace.entities.backends {
        if parsed.entities.backends.iter().any(|it| it.id.eq_ignore_ascii_case(&backend.id)) {
            let message = format!(
                "workspace `{}`: backend `{}` has the name of one of the service",
                workspace.id, backend.id
            );
            let help = "give one of them another name";
            problems.push(backend.place.error(codes::DUPLICATE, message).help(help));
        }
    }
}

/// The backends with the workspace's name before their own.
fn renamed(
    workspace: &str,
    backends: HashMap<String, Arc<Backend>>,
) -> HashMap<String, Arc<Backend>> {
    let full = |name: &str| format!("{workspace}/{name}");
    let rename = |(name, backend): (String, Arc<Backend>)| {
        let Some(mut backend) = Arc::into_inner(backend) else {
            return (full(&name), Arc::default());
        };
        let mut info = (*backend.entry.info).clone();
        info.id = full(&name);
        let entry = BackendEntry { info: Arc::new(info), ..(*backend.entry).clone() };
        backend.entry = Arc::new(entry);
        for member in backend.pool.iter_mut().flat_map(|it| &mut it.members) {
            member.backend = full(&member.backend);
        }
        (full(&name), Arc::new(backend))
    };
    backends.into_iter().map(rename).collect()
}

impl Resolved {
    /// The secrets that its named values may hold, those of workspaces included.
    pub(crate) fn all_named_values(&self) -> impl Iterator<Item = &NamedValues> {
        std::iter::once(&self.named_values).chain(self.workspaces.iter().map(|it| &it.named_values))
    }
}
