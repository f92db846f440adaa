//! Where answers are kept: in this process, or in a database that several gateways share.

use std::sync::Arc;
use std::time::Duration;

use pipeline::{CompileCx, SemanticCacheSettings};

use super::index::{Gathered, Index, PartitionKey, Stored};
use super::shared::SharedAnswers;

/// Where answers are kept.
#[derive(Clone, Debug)]
pub(crate) enum Answers {
    Here(Arc<Index>),
    Shared(Arc<SharedAnswers>),
}

/// An answer to be kept.
pub(crate) struct Kept {
    pub(crate) key: PartitionKey,
    pub(crate) vector: Arc<[f32]>,
    pub(crate) stored: Stored,
    pub(crate) life: Duration,
}

impl Answers {
    /// What the configuration chose.
    pub(crate) fn of(cx: &CompileCx) -> Answers {
        match cx.extension() {
            Some(shared) => Answers::Shared(shared),
            None => Answers::Here(cx.shared()),
        }
    }

    /// The nearest answer of a partition, if it is within `threshold`.
    ///
    /// # Errors
    ///
    /// The database gave no answer. The text is for logs.
    pub(crate) async fn nearest(
        &self,
        key: &PartitionKey,
        vector: &Arc<[f32]>,
        threshold: f32,
        now: Duration,
    ) -> Result<Option<Arc<Stored>>, String> {
        match self {
            Answers::Here(index) => {
                Ok(index.nearest(key, Arc::clone(vector), threshold, now).await)
            }
            Answers::Shared(shared) => {
                let found = shared.nearest(key, vector, threshold).await;
                found.map(|it| it.map(Arc::new)).map_err(|it| it.to_string())
            }
        }
    }

    /// Keeps an answer; nobody waits for it. `gathered` are its bytes, held until it is kept.
    pub(crate) fn keep(
        &self,
        kept: Kept,
        gathered: Gathered,
        now: Duration,
        bounds: &SemanticCacheSettings,
    ) {
        match self {
            Answers::Here(index) => {
                let times = (now, kept.life);
                index.insert(kept.key, kept.vector, kept.stored, times, bounds);
            }
            Answers::Shared(shared) => shared.keep(kept, gathered, bounds.clone()),
        }
    }
}
