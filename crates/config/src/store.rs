//! The configuration in use: loaded, reloaded on change, never replaced by a broken one.
//!
//! ```text
//! watcher, signal, timer ─▶ Store::reload ─ no error ─▶ swap, generation + 1, listeners are told
//!                                └─ an error ─▶ the last good snapshot stays; Status says why
//! ```

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use document::Diagnostic;
use pipeline::{Extensions, Registry};
use transport::{Clock, Secret};

use crate::load::{Engine, Loaded, Options, load};
use crate::secret_source::{SecretProvider, SecretSource};
use crate::snapshot::Snapshot;
use crate::source::Source;

/// Where a store reads from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A folder or a settings file, read again at each reload.
    Path(PathBuf),
    /// Texts in memory, such as the built-in example.
    Memory(Source),
}

/// What a store is made with.
#[derive(Debug)]
pub struct StoreSettings {
    /// Where the configuration is.
    pub origin: Origin,
    /// What the command line and the environment say.
    pub options: Options,
    /// The policies that are built in.
    pub registry: Registry,
    /// What they need to compile.
    pub extensions: Extensions,
    /// Where secrets of Key Vault come from.
    pub secrets: Arc<dyn SecretProvider>,
    /// Tells when snapshots were loaded.
    pub clock: Arc<dyn Clock>,
}

/// The configuration in use.
pub struct Store {
    settings: StoreSettings,
    current: ArcSwapOption<Snapshot>,
    state: Mutex<State>,
    /// Only one load at a time.
    loading: tokio::sync::Mutex<Option<Seen>>,
}

/// What the last load saw.
struct Seen {
    source: Source,
    /// Files that secrets were read from, with what was in them.
    secrets: Vec<(PathBuf, Option<Secret>)>,
}

impl Seen {
    fn new(source: Source, files: &[PathBuf]) -> Self {
        let secrets = files.iter().map(|it| (it.clone(), content(it))).collect();
        Self { source, secrets }
    }

    fn is_same(&self, source: &Source) -> bool {
        self.source == *source && self.secrets.iter().all(|(path, text)| content(path) == *text)
    }
}

/// What is in a file of a secret; none if it cannot be read.
fn content(path: &std::path::Path) -> Option<Secret> {
    SecretSource::read_file(path).ok()
}

/// Is called with each snapshot that is put in place.
type Listener = Box<dyn Fn(&Arc<Snapshot>) + Send>;

#[derive(Default)]
struct State {
    status: Status,
    listeners: Vec<Listener>,
}

/// How the configuration in use came about.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Counts the snapshots that were put in place; 0: none yet.
    pub generation: u64,
    /// When the one in use was loaded.
    pub loaded: Option<SystemTime>,
    /// Why the last reload was refused; none if it was not.
    pub refused: Option<Refusal>,
}

/// Why a configuration was not put in place.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// When.
    pub at: SystemTime,
    /// The first errors, each in one line.
    pub errors: Vec<String>,
    /// Number of errors in all.
    pub n_errors: usize,
}

/// What a reload came to.
#[derive(Debug)]
pub enum Reload {
    /// A new snapshot is in place.
    Swapped {
        /// Its number.
        generation: u64,
        /// What was loaded; the snapshot itself has been taken out.
        loaded: Box<Loaded>,
    },
    /// Nothing has changed.
    Unchanged,
    /// There are errors: the snapshot in use stays.
    Kept {
        /// What was found.
        loaded: Box<Loaded>,
    },
}

impl Store {
    /// A store that has loaded nothing yet.
    pub fn new(settings: StoreSettings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            current: ArcSwapOption::empty(),
            state: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
        })
    }

    /// The snapshot in use; none before the first good load.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.current.load_full()
    }

    /// How it came about.
    pub fn status(&self) -> Status {
        self.state().status.clone()
    }

    /// Calls `listener` with each snapshot that is put in place, and now if there is one.
    pub fn on_swap(&self, listener: impl Fn(&Arc<Snapshot>) + Send + 'static) {
        let mut state = self.state();
        if let Some(snapshot) = self.snapshot() {
            listener(&snapshot);
        }
        state.listeners.push(Box::new(listener));
    }

    /// Reads the configuration; loads and swaps it if a text has changed since the last load.
    pub async fn reload(&self) -> Reload {
        self.reload_if(true).await
    }

    /// Loads and swaps the configuration even if no text has changed: secrets are asked for again.
    ///
    /// The provider keeps the last value of a secret whose vault does not answer; one that it
    /// cannot give is an error, and the snapshot in use stays.
    pub async fn refresh(&self) -> Reload {
        self.reload_if(false).await
    }

    /// Folders to watch besides the configuration's own: those of files that secrets come from.
    pub async fn secret_folders(&self) -> Vec<PathBuf> {
        let seen = self.loading.lock().await;
        let files = seen.iter().flat_map(|it| &it.secrets);
        let mut folders: Vec<PathBuf> =
            files.filter_map(|(path, _)| Some(path.parent()?.to_owned())).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    async fn reload_if(&self, only_changed: bool) -> Reload {
        let mut last = self.loading.lock().await;
        let (source, unreadable) = match &self.settings.origin {
            Origin::Path(path) => Source::read(path),
            Origin::Memory(source) => (source.clone(), Vec::new()),
        };
        if only_changed
            && unreadable.is_empty()
            && last.as_ref().is_some_and(|it| it.is_same(&source))
        {
            return Reload::Unchanged;
        }
        let engine =
            Engine { registry: &self.settings.registry, extensions: &self.settings.extensions };
        let mut loaded =
            load(&source, &self.settings.options, &*self.settings.secrets, engine).await;
        *last = Some(Seen::new(source, &loaded.secret_files));
        if unreadable.iter().any(Diagnostic::is_error) {
            loaded.snapshot = None;
        }
        loaded.diagnostics.splice(0..0, unreadable);
        match loaded.snapshot.take() {
            Some(snapshot) => {
                let generation = self.swap(Arc::new(snapshot));
                tracing::info!(generation, "configuration is in place");
                Reload::Swapped { generation, loaded: Box::new(loaded) }
            }
            None => {
                self.refuse(&loaded);
                Reload::Kept { loaded: Box::new(loaded) }
            }
        }
    }

    fn swap(&self, snapshot: Arc<Snapshot>) -> u64 {
        let mut state = self.state();
        self.current.store(Some(snapshot.clone()));
        state.status.generation += 1;
        state.status.loaded = Some(self.settings.clock.now());
        state.status.refused = None;
        state.listeners.iter().for_each(|listener| listener(&snapshot));
        state.status.generation
    }

    fn refuse(&self, loaded: &Loaded) {
        const SHOWN: usize = 5;
        let errors = || loaded.diagnostics.iter().filter(|it| it.is_error());
        let line = |it: &Diagnostic| match &it.file {
            Some(file) => format!("{file}: {it}"),
            None => it.to_string(),
        };
        let refusal = Refusal {
            at: self.settings.clock.now(),
            errors: errors().take(SHOWN).map(line).collect(),
            n_errors: errors().count(),
        };
        let first = refusal.errors.first().map_or("", String::as_str);
        tracing::warn!(errors = refusal.n_errors, first, "configuration is refused");
        self.state().status.refused = Some(refusal);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("status", &self.status()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use transport::{BoxFuture, FakeClock};
    use url::Url;

    use super::*;

    /// A vault that answers with its count of calls, or not at all.
    #[derive(Debug, Default)]
    struct Vault {
        calls: AtomicUsize,
        is_down: std::sync::atomic::AtomicBool,
    }

    impl SecretProvider for Vault {
        fn secret<'a>(
            &'a self,
            _: &'a Url,
            _: Option<&'a str>,
        ) -> BoxFuture<'a, Result<Secret, String>> {
            let n = self.calls.fetch_add(1, Ordering::SeqCst);
            let is_down = self.is_down.load(Ordering::SeqCst);
            Box::pin(async move {
                if is_down { Err("down".to_owned()) } else { Ok(format!("s{n}").into()) }
            })
        }
    }

    fn store(origin: Origin, vault: &Arc<Vault>) -> Arc<Store> {
        Store::new(StoreSettings {
            origin,
            options: Options::default(),
            registry: Registry::default(),
            extensions: Extensions::default(),
            secrets: vault.clone(),
            clock: Arc::new(FakeClock::at(SystemTime::UNIX_EPOCH)),
        })
    }

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("portcullis-store-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("apis/a")).unwrap();
        folder
    }

    fn write(folder: &Path, path: &str) {
        let text = format!(r#"{{"properties":{{"path":"{path}"}}}}"#);
        std::fs::write(folder.join("apis/a/apiInformation.json"), text).unwrap();
    }

    #[tokio::test]
    async fn a_bad_edit_keeps_the_last_good_snapshot_and_says_why() {
        let folder = folder("edit");
        write(&folder, "one");
        let store = store(Origin::Path(folder.clone()), &Arc::default());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        store.on_swap(move |it| sink.lock().unwrap().push(it.apis[0].info.path.clone()));

        assert!(matches!(store.reload().await, Reload::Swapped { generation: 1, .. }));
        assert!(matches!(store.reload().await, Reload::Unchanged));
        std::fs::write(folder.join("policy.xml"), "<policies>").unwrap();
        let Reload::Kept { loaded } = store.reload().await else { panic!("kept") };
        assert_eq!(loaded.counts().0, 1);
        let status = store.status();
        assert_eq!(status.generation, 1);
        let refused = status.refused.unwrap();
        assert_eq!(refused.errors, ["policy.xml: error[PC0102]: element `policies` is not closed"]);
        assert_eq!(store.snapshot().unwrap().apis[0].info.path, "one");

        std::fs::remove_file(folder.join("policy.xml")).unwrap();
        write(&folder, "two");
        assert!(matches!(store.reload().await, Reload::Swapped { generation: 2, .. }));
        assert!(store.status().refused.is_none());
        assert_eq!(*seen.lock().unwrap(), ["one", "two"]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_secret_file_that_changes_is_a_change() {
        let folder = folder("secret");
        write(&folder, "one");
        let secrets = folder.join(".secrets");
        std::fs::create_dir_all(&secrets).unwrap();
        std::fs::write(secrets.join("key"), "k1\n").unwrap();
        let settings = "keys: { ann: { file: .secrets/key } }\n";
        std::fs::write(folder.join("portcullis.yaml"), settings).unwrap();
        let store = store(Origin::Path(folder.clone()), &Arc::default());
        let key = |it: &Store| it.snapshot().unwrap().subscriptions[0].keys[0].expose().to_owned();

        assert!(matches!(store.reload().await, Reload::Swapped { generation: 1, .. }));
        assert_eq!(store.secret_folders().await, std::slice::from_ref(&secrets));
        assert!(matches!(store.reload().await, Reload::Unchanged));
        std::fs::write(secrets.join("key"), "k2\n").unwrap();
        assert!(matches!(store.reload().await, Reload::Swapped { generation: 2, .. }));
        assert_eq!(key(&store), "k2");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_missing_folder_is_refused() {
        let store = store(Origin::Path("no/such/folder".into()), &Arc::default());
        assert!(matches!(store.reload().await, Reload::Kept { .. }));
        assert!(store.snapshot().is_none());
    }

    #[tokio::test]
    async fn secrets_are_refreshed_and_the_snapshot_stays_while_they_are_not_to_be_had() {
        let vault = Arc::new(Vault::default());
        let source = Source::from_files([(
            "portcullis.yaml",
            "named-values: { k: { keyvault: 'https://v.vault.azure.net/secrets/k' } }\n\
             backends: { b: { url: https://b.test, auth: { header: x, value: '{{k}}' } } }\n",
        )]);
        let store = store(Origin::Memory(source), &vault);
        let sent =
            |it: &Store| it.snapshot().unwrap().backends["b"].credentials.headers[0].1[0].clone();
        store.reload().await;
        assert_eq!(sent(&store), "s0");
        store.refresh().await;
        assert_eq!(sent(&store), "s1");
        vault.is_down.store(true, Ordering::SeqCst);
        assert!(matches!(store.refresh().await, Reload::Kept { .. }));
        assert_eq!(sent(&store), "s1");
    }
}
