//! The store of a gateway, as the management API sees it: what is changed is loaded, written and
//! obeyed, in that order, or nothing of it is.

use std::sync::Arc;

use config::files::{Change, Version, WriteError};
use config::{ChangeError, Reload, Source, Store};
use transport::BoxFuture;

use crate::configuration::{Configuration, FileChange, Held, Refused};
use crate::service::details;

/// The files behind a store.
#[derive(Debug)]
pub struct StoreFiles {
    store: Arc<Store>,
    memory: Option<Arc<Source>>,
}

impl Configuration for StoreFiles {
    fn read(&self) -> BoxFuture<'_, Result<Held, String>> {
        Box::pin(async move {
            if let Some(stored) = self.store.stored().await {
                let version = stored.version.to_string();
                return Ok(Held { source: Arc::new(stored.source), version });
            }
            let source = self.memory.clone().ok_or("The configuration is not loaded.")?;
            Ok(Held { source, version: "memory".to_owned() })
        })
    }

    fn change<'a>(
        &'a self,
        changes: &'a [FileChange],
        expected: &'a str,
    ) -> BoxFuture<'a, Result<String, Refused>> {
        Box::pin(async move {
            let changes: Vec<Change> = changes.iter().cloned().map(change).collect();
            match self.store.change(&changes, &Version::from_text(expected)).await {
                Ok(changed) => Ok(changed.version.to_string()),
                Err(error) => Err(self.refused(error).await),
            }
        })
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), Refused>> {
        Box::pin(async move {
            match self.store.refresh().await {
                Reload::Kept { loaded } => {
                    Err(Refused::Invalid(details(&loaded.diagnostics, &loaded.sources)))
                }
                Reload::Swapped { .. } | Reload::Unchanged => Ok(()),
            }
        })
    }
}

impl StoreFiles {
    /// The files behind `store`; `memory` are those that it reads if it keeps none: they cannot be
    /// changed.
    pub fn new(store: Arc<Store>, memory: Option<Source>) -> Self {
        Self { store, memory: memory.map(Arc::new) }
    }

    async fn refused(&self, error: ChangeError) -> Refused {
        match error {
            ChangeError::Invalid(loaded) => {
                Refused::Invalid(details(&loaded.diagnostics, &loaded.sources))
            }
            ChangeError::Write(WriteError::Conflict) => {
                // Somebody has edited the files: what they say now is read before the next attempt.
                self.store.reload().await;
                Refused::Conflict
            }
            ChangeError::Write(WriteError::ReadOnly) => Refused::ReadOnly(
                "The configuration is not kept in a folder that can be written.".to_owned(),
            ),
            ChangeError::Write(WriteError::Failed(error)) => Refused::Failed(error.to_string()),
        }
    }
}

fn change(change: FileChange) -> Change {
    let FileChange { name, text } = change;
    match text {
        Some(text) => Change::Put { name, text },
        None => Change::Delete { name },
    }
}
