//! The configuration in use: loaded, reloaded on change, never replaced by a broken one.
//!
//! ```text
//! watcher, signal, timer ─▶ Store::reload ─ no error ─▶ swap, generation + 1, listeners are told
//!                                └─ an error ─▶ the last good snapshot stays; Status says why
//! management call ─▶ Store::change ─ no error ─▶ write (Files), swap
//!                                └─ an error, a conflict ─▶ nothing is written
//! ```

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use document::Diagnostic;
use pipeline::{Extensions, Registry};
use transport::{Clock, Secret};

use crate::codes;
use crate::files::{self, Change, Files, FilesError, FolderFiles, Stored, Version, WriteError};
use crate::load::{Engine, Loaded, Options, load};
use crate::place::Place;
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
    /// Files that are kept elsewhere, read again at each reload.
    Files(Arc<dyn Files>),
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
    /// Where changes are written; none: they are not.
    files: Option<Arc<dyn Files>>,
    current: ArcSwapOption<Snapshot>,
    state: Mutex<State>,
    /// Only one load at a time.
    loading: tokio::sync::Mutex<Option<Seen>>,
}

/// What the last load saw.
struct Seen {
    source: Source,
    /// The version of the files; none if they are in memory.
    version: Option<Version>,
    /// Files that secrets were read from, with what was in them.
    secrets: Vec<(PathBuf, Option<Secret>)>,
}

impl Seen {
    fn new(source: Source, version: Option<Version>, files: &[PathBuf]) -> Self {
        let secrets = files.iter().map(|it| (it.clone(), content(it))).collect();
        Self { source, version, secrets }
    }

    fn is_same(&self, source: &Source) -> bool {
        self.source == *source && self.secrets.iter().all(|(path, text)| content(path) == *text)
    }
}

/// What is in a file of a secret; none if it cannot be read.
fn content(path: &std::path::Path) -> Option<Secret> {
    SecretSource::read_binary_file(path).ok()
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

/// What a change came to.
#[derive(Debug)]
pub struct Changed {
    /// The version of the files now.
    pub version: Version,
    /// The number of the snapshot that is in place.
    pub generation: u64,
    /// What was loaded; the snapshot itself has been taken out.
    pub loaded: Box<Loaded>,
}

/// Why a change was not made. Nothing was written, and the snapshot in use stays.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The configuration would have errors.
    #[error("the configuration would have {} errors", .0.counts().0)]
    Invalid(Box<Loaded>),
    /// The files could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<FilesError> for ChangeError {
    fn from(error: FilesError) -> Self {
        Self::Write(error.into())
    }
}

impl Store {
    /// A store that has loaded nothing yet.
    pub fn new(settings: StoreSettings) -> Arc<Self> {
        let files: Option<Arc<dyn Files>> = match &settings.origin {
            Origin::Path(path) => Some(Arc::new(FolderFiles::new(path))),
            Origin::Files(files) => Some(files.clone()),
            Origin::Memory(_) => None,
        };
        Arc::new(Self {
            files,
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

    /// The files that the last load saw, with their version; none before the first load, or if they
    /// are in memory. A file that was edited since is not seen: [`Store::change`] answers with a
    /// conflict then, and after [`Store::reload`] it is.
    pub async fn stored(&self) -> Option<Stored> {
        let last = self.loading.lock().await;
        let seen = last.as_ref()?;
        Some(Stored { source: seen.source.clone(), version: seen.version.clone()? })
    }

    /// Makes changes of files if the configuration is still of the `expected` version and loads
    /// with them: writes them and puts the new snapshot in place. One change at a time.
    ///
    /// # Errors
    ///
    /// See [`ChangeError`]: nothing was written then.
    pub async fn change(
        &self,
        changes: &[Change],
        expected: &Version,
    ) -> Result<Changed, ChangeError> {
        files::check(changes)?;
        let mut last = self.loading.lock().await;
        let files = self.files.as_ref().ok_or(WriteError::ReadOnly)?;
        let stored = files.read().await?;
        if stored.version != *expected {
            return Err(WriteError::Conflict.into());
        }
        let source = stored.source.changed(changes)?;
        let mut loaded = self.load(&source).await;
        let Some(snapshot) = loaded.snapshot.take() else {
            return Err(ChangeError::Invalid(Box::new(loaded)));
        };
        let version = files.write(changes, expected).await?;
        *last = Some(Seen::new(source, Some(version.clone()), &loaded.secret_files));
        let generation = self.swap(Arc::new(snapshot));
        tracing::info!(generation, n_files = changes.len(), "a change is written and in place");
        Ok(Changed { version, generation, loaded: Box::new(loaded) })
    }

    async fn load(&self, source: &Source) -> Loaded {
        let StoreSettings { registry, extensions, options, secrets, .. } = &self.settings;
        load(source, options, &**secrets, Engine { registry, extensions }).await
    }

    /// The files as they are now, and every problem with reading them.
    async fn read(&self) -> (Source, Option<Version>, Vec<Diagnostic>) {
        match &self.settings.origin {
            Origin::Path(path) => {
                let (source, problems) = FolderFiles::new(path).read_now();
                let version = Version::of(&source);
                (source, Some(version), problems)
            }
            Origin::Memory(source) => (source.clone(), None, Vec::new()),
            Origin::Files(files) => match files.read().await {
                Ok(Stored { source, version }) => (source, Some(version), Vec::new()),
                Err(error) => {
                    let problem = Place::file(".").error(codes::UNREADABLE, error.to_string());
                    (Source::default(), None, vec![problem])
                }
            },
        }
    }

    async fn reload_if(&self, only_changed: bool) -> Reload {
        let mut last = self.loading.lock().await;
        let (source, version, unreadable) = self.read().await;
        if only_changed
            && unreadable.is_empty()
            && last.as_ref().is_some_and(|it| it.is_same(&source))
        {
            if let Some(last) = last.as_mut() {
                last.version = version;
            }
            return Reload::Unchanged;
        }
        let mut loaded = self.load(&source).await;
        *last = Some(Seen::new(source, version, &loaded.secret_files));
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
    async fn a_change_is_written_and_in_place_or_neither() {
        let folder = folder("change");
        write(&folder, "one");
        let store = store(Origin::Path(folder.clone()), &Arc::default());
        store.reload().await;
        let path = |it: &Store| it.snapshot().unwrap().apis[0].info.path.clone();
        let name = "apis/a/apiInformation.json";
        let put = |text: &str| [Change::Put { name: name.to_owned(), text: text.to_owned() }];
        let on_disk = || std::fs::read_to_string(folder.join(name)).unwrap();

        let before = store.stored().await.unwrap().version;
        let to_two = put(r#"{"properties":{"path":"two"}}"#);
        let changed = store.change(&to_two, &before).await.unwrap();
        assert_eq!((changed.generation, path(&store).as_str()), (2, "two"));
        assert!(on_disk().contains("two"));
        assert_eq!(store.stored().await.unwrap().version, changed.version);
        assert!(matches!(store.reload().await, Reload::Unchanged));

        let Err(ChangeError::Invalid(loaded)) = store.change(&put("{"), &changed.version).await
        else {
            panic!("invalid")
        };
        assert_eq!(loaded.counts().0, 1);
        assert!(on_disk().contains("two") && store.status().refused.is_none());

        let conflict = |it| matches!(it, Err(ChangeError::Write(WriteError::Conflict)));
        assert!(conflict(store.change(&put("{}"), &before).await));
        write(&folder, "by hand");
        assert!(conflict(store.change(&to_two, &changed.version).await));
        assert!(on_disk().contains("by hand"));
        store.reload().await;
        let now = store.stored().await.unwrap().version;
        assert_eq!(store.change(&to_two, &now).await.unwrap().generation, 4);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_configuration_in_memory_is_read_only() {
        let store = store(Origin::Memory(Source::default()), &Arc::default());
        store.reload().await;
        assert!(store.stored().await.is_none());
        let result = store.change(&[], &Version::from_text("1")).await;
        assert!(matches!(result, Err(ChangeError::Write(WriteError::ReadOnly))));
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
