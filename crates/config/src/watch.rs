//! Noticing that a configuration's files have changed.
//!
//! The folder is watched, not the files: a mounted ConfigMap changes by a link that is renamed. An
//! event says only that something happened; the store compares texts and does nothing if they are
//! the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use transport::Clock;

use crate::store::{Reload, Store};

/// How long files must be quiet before they are read: editors and `git` write in steps.
pub const QUIET: Duration = Duration::from_millis(200);

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be watched: {reason}", .folder.display())]
pub struct WatchError {
    /// The folder.
    pub folder: PathBuf,
    /// What the system says.
    pub reason: String,
}

/// Watches a folder as long as it lives.
#[derive(Debug)]
pub struct Watcher {
    changed: Arc<Notify>,
    watcher: RecommendedWatcher,
    also: Vec<PathBuf>,
}

impl Watcher {
    /// Starts to watch `path`, a folder or a file (then its folder).
    ///
    /// # Errors
    ///
    /// The folder does not exist, or the system has no watches left.
    pub fn new(path: &Path) -> Result<Self, WatchError> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let changed = Arc::new(Notify::new());
        let notify = changed.clone();
        let told = |error: notify::Error| WatchError {
            folder: folder.to_owned(),
            reason: error.to_string(),
        };
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                // Reading a file is an event too; a lost event counts as a change.
                if !matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
                    notify.notify_one();
                }
            })
            .map_err(told)?;
        watcher.watch(folder, RecursiveMode::Recursive).map_err(told)?;
        Ok(Self { changed, watcher, also: Vec::new() })
    }

    /// Watches another folder as well, but not what is below it.
    ///
    /// # Errors
    ///
    /// As [`Watcher::new`].
    pub fn also(&mut self, folder: &Path) -> Result<(), WatchError> {
        if self.also.iter().any(|it| it == folder) {
            return Ok(());
        }
        self.watcher
            .watch(folder, RecursiveMode::NonRecursive)
            .map_err(|error| WatchError { folder: folder.to_owned(), reason: error.to_string() })?;
        self.also.push(folder.to_owned());
        Ok(())
    }

    /// Waits for a change. One that happened since the last call counts.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Reloads `store` after each change, once files have been quiet for [`QUIET`], for ever.
    /// `told` is called with what each reload came to.
    pub async fn drive(mut self, store: Arc<Store>, clock: Arc<dyn Clock>, told: impl Fn(&Reload)) {
        loop {
            for folder in store.secret_folders().await {
                if let Err(error) = self.also(&folder) {
                    tracing::warn!(%error, "changes of secrets in this folder are not noticed");
                }
            }
            self.changed().await;
            self.settle(&*clock).await;
            let reload = store.reload().await;
            if !matches!(reload, Reload::Unchanged) {
                told(&reload);
            }
        }
    }

    /// Waits until nothing has changed for [`QUIET`], but not for ever.
    async fn settle(&self, clock: &dyn Clock) {
        const MAX_ROUNDS: usize = 25;
        for _ in 0..MAX_ROUNDS {
            let mut quiet = clock.sleep(QUIET);
            let mut changed = std::pin::pin!(self.changed());
            let is_quiet = std::future::poll_fn(|cx| {
                if changed.as_mut().poll(cx).is_ready() {
                    return std::task::Poll::Ready(false);
                }
                quiet.as_mut().poll(cx).map(|()| true)
            })
            .await;
            if is_quiet {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use transport::FakeClock;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("portcullis-watch-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("below")).unwrap();
        folder
    }

    #[tokio::test]
    async fn a_change_below_the_folder_is_noticed() {
        let folder = folder("below");
        let watcher = Watcher::new(&folder).unwrap();
        std::fs::write(folder.join("below/a.xml"), "<a/>").unwrap();
        watcher.changed().await;
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_file_is_watched_through_its_folder() {
        let folder = folder("file");
        let file = folder.join("portcullis.yaml");
        std::fs::write(&file, "a: 1").unwrap();
        let watcher = Watcher::new(&file).unwrap();
        std::fs::write(folder.join("new"), "a: 2").unwrap();
        std::fs::rename(folder.join("new"), &file).unwrap();
        watcher.changed().await;
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn another_folder_can_be_watched_too() {
        let (folder, other) = (folder("main"), folder("other"));
        let mut watcher = Watcher::new(&folder).unwrap();
        watcher.also(&other).unwrap();
        watcher.also(&other).unwrap();
        std::fs::write(other.join("key"), "k").unwrap();
        watcher.changed().await;
        assert!(watcher.also(Path::new("no/such/folder")).is_err());
        std::fs::remove_dir_all(folder).unwrap();
        std::fs::remove_dir_all(other).unwrap();
    }

    #[tokio::test]
    async fn it_settles_once_files_are_quiet() {
        let folder = folder("quiet");
        let watcher = Watcher::new(&folder).unwrap();
        let clock = FakeClock::at(SystemTime::UNIX_EPOCH);
        let advance = clock.clone();
        let ticking = async move {
            loop {
                tokio::task::yield_now().await;
                advance.advance(QUIET);
            }
        };
        tokio::select! {
            () = watcher.settle(&clock) => {}
            () = ticking => {}
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_does_not_exist_is_an_error() {
        let error = Watcher::new(Path::new("no/such/folder/file")).unwrap_err();
        assert!(error.to_string().starts_with("`no/such/folder` cannot be watched"));
    }
}
