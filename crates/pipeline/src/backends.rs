//! The backend entities that a request can be sent to, as far as the pipeline has to know them.

use std::collections::HashMap;
use std::sync::Arc;

use expr::host::BackendInfo;

use crate::url::BaseUrl;

/// The backend entities of a snapshot, by name.
#[derive(Clone, Debug, Default)]
pub struct Backends(HashMap<String, Arc<BackendEntry>>);

/// What the pipeline needs to know of a backend entity.
#[derive(Clone, Debug, Default)]
pub struct BackendEntry {
    /// What `context.Backend` shows.
    pub info: Arc<BackendInfo>,
    /// Its base URL; none for a pool.
    pub url: Option<Arc<BaseUrl>>,
    /// Whether its credentials hold an `Authorization`. Of a pool the members know.
    pub has_authorization: bool,
}

impl Backends {
    /// The backend of that name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<BackendEntry>> {
        self.0.get(id)
    }

    /// Adds a backend under the name that policies call it by.
    pub fn insert(&mut self, name: impl Into<String>, entry: Arc<BackendEntry>) {
        self.0.insert(name.into(), entry);
    }

    /// These and others; of two with one name, the other one.
    #[must_use]
    pub fn with(&self, others: &Backends) -> Backends {
        let mut all = self.clone();
        all.0.extend(others.0.iter().map(|(name, it)| (name.clone(), Arc::clone(it))));
        all
    }

    /// The names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<BackendEntry> for Backends {
    fn from_iter<I: IntoIterator<Item = BackendEntry>>(entries: I) -> Backends {
        Backends(entries.into_iter().map(|it| (it.info.id.clone(), Arc::new(it))).collect())
    }
}

/// No backend entity of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such backend")]
pub struct UnknownBackend;
