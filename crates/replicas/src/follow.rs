//! Following the database: what another gateway has written is in force here within a second.

use std::sync::Arc;
use std::time::Duration;

use config::files::Version;
use config::{Reload, Store};

use crate::files::{DatabaseFiles, Standing};

/// How often the version is asked for though no news came: a connection may be dead without a word.
const POLL: Duration = Duration::from_secs(5);

/// Reloads `store`, which reads `files`, when the database has something new, for ever. `told` is
/// called with what each reload came to, `stands` with how the gateway stands to the database.
pub async fn follow(
    files: Arc<DatabaseFiles>,
    store: Arc<Store>,
    told: impl Fn(&Reload),
    stands: impl Fn(&Standing),
) {
    let mut news = files.news();
    loop {
        if files.is_behind().await {
            let reload = store.reload().await;
            if !matches!(reload, Reload::Unchanged) {
                told(&reload);
            }
        }
        if let Some(version) = in_force(&store).await {
            files.keep_copy(&version).await;
        }
        stands(&files.standing());
        let _ = tokio::time::timeout(POLL, news.changed()).await;
    }
}

/// The version of the files that the snapshot in use was made of; none if the last was refused.
async fn in_force(store: &Store) -> Option<Version> {
    let stored = store.stored().await?;
    store.status().refused.is_none().then_some(stored.version)
}
