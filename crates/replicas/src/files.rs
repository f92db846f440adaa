//! The files of a database as one gateway knows them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::Duration;

use config::files::{self, Change, Files, FilesError, Stored, Version, WriteError};
use config::{SETTINGS_FILE, Source};
use postgres::{Failure, Postgres};
use tokio::sync::Mutex;
use transport::BoxFuture;

use crate::copy::{self, Known};
use crate::database::{self, SCHEMA};

/// How long the connection is waited for after one broke off with a write on its way.
const SETTLE: Duration = Duration::from_secs(10);
/// Codes of the server for "you may not" and "nobody may".
const READ_ONLY: &[&str] = &["42501", "25006"];

/// The files of a database.
pub struct DatabaseFiles {
    postgres: Postgres,
    /// The gateway's own settings file; none for a command that only writes.
    settings: Option<PathBuf>,
    /// Where the local copy is; none: there is none.
    copy: Option<PathBuf>,
    known: Mutex<Option<Known>>,
    standing: StdMutex<Standing>,
    copied: StdMutex<Option<(String, i64)>>,
}

/// How a gateway stands to the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The version that is known; none: nothing is.
    pub version: Option<i64>,
    /// Why it may not be the last one.
    pub problem: Option<String>,
    /// Whether it comes from the local copy.
    pub is_copy: bool,
}

impl fmt::Debug for DatabaseFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseFiles")
            .field("postgres", &self.postgres)
            .field("standing", &self.standing())
            .finish_non_exhaustive()
    }
}

impl DatabaseFiles {
    /// The files of a database that was started with [`crate::SET_UP`].
    ///
    /// `settings` is the gateway's own `portcullis.yaml`, which goes with the files of the database;
    /// `copy` is where the local copy is.
    pub fn new(postgres: Postgres, settings: Option<PathBuf>, copy: Option<PathBuf>) -> Self {
        Self {
            postgres,
            settings,
            copy,
            known: Mutex::default(),
            standing: StdMutex::default(),
            copied: StdMutex::default(),
        }
    }

    /// Reads the database or, if it is away after `wait`, the local copy.
    ///
    /// # Errors
    ///
    /// Neither can be had.
    pub async fn open(&self, wait: Duration) -> Result<(), FilesError> {
        let mut known = self.known.lock().await;
        let away = match self.postgres.is_up_within(wait).await {
            true => match self.catch_up(&mut known).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            false => self.away(&Failure::Away),
        };
        let Some(path) = &self.copy else { return Err(away) };
        match copy::read(path) {
            Ok(found) => {
                let version = found.version;
                tracing::warn!(version, "the configuration is that of the local copy");
                *self.copied() = Some((found.id.clone(), version));
                self.stand(|it| {
                    it.version = Some(version);
                    it.is_copy = true;
                    it.problem = Some(away.to_string());
                });
                *known = Some(found);
                Ok(())
            }
            Err(error) => Err(FilesError::Unreadable(format!(
                "{away}, and there is no local copy at `{}`: {error}",
                path.display()
            ))),
        }
    }

    /// How this gateway stands to the database.
    pub fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Host and port of the database: for logs.
    pub fn address(&self) -> &str {
        self.postgres.address()
    }

    /// Changes when there may be something new.
    pub(crate) fn news(&self) -> tokio::sync::watch::Receiver<u64> {
        self.postgres.news()
    }

    /// Whether the database has another version than the one that is known.
    pub(crate) async fn is_behind(&self) -> bool {
        let known = self.known.lock().await;
        match database::head(&self.postgres).await {
            Ok(head) => {
                let is_same =
                    known.as_ref().is_some_and(|it| it.id == head.id && it.version == head.version);
                if is_same && head.schema == SCHEMA {
                    self.stand(|it| (it.problem, it.is_copy) = (None, false));
                }
                !is_same || head.schema != SCHEMA
            }
            Err(failure) => {
                let problem = self.away(&failure).to_string();
                self.stand(|it| it.problem = Some(problem));
                false
            }
        }
    }

    /// Writes the local copy if `version`, which a gateway has taken up, is what is known, and it
    /// is not there yet.
    pub(crate) async fn keep_copy(&self, version: &Version) {
        let known = self.known.lock().await;
        let (Some(path), Some(known)) = (&self.copy, &*known) else { return };
        let mark = (known.id.clone(), known.version);
        if *version != shown(known.version) || self.copied().as_ref() == Some(&mark) {
            return;
        }
        let (path, known) = (path.clone(), known.clone());
        let at = path.clone();
        let done = tokio::task::spawn_blocking(move || copy::write(&path, &known)).await;
        if let Ok(Err(error)) = done {
            let path = at.display().to_string();
            tracing::warn!(path, %error, "the local copy cannot be written");
        }
        // Once for each version, whether it could be written or not.
        *self.copied() = Some(mark);
    }

    /// Reads what has changed since the known version.
    async fn catch_up(&self, known: &mut Option<Known>) -> Result<(), FilesError> {
        let (id, version) = known.as_ref().map_or(("", -1), |it| (it.id.as_str(), it.version));
        let answer = database::read(&self.postgres, id, version).await;
        let answer = answer.map_err(|failure| self.away(&failure))?;
        if answer.schema != SCHEMA {
            return Err(self.other_schema(answer.schema));
        }
        if answer.version == 0 && known.as_ref().is_some_and(|it| !it.files.is_empty()) {
            let address = self.address();
            let told = format!("PostgreSQL at {address} has no configuration: the known one stays");
            return Err(FilesError::Unreadable(told));
        }
        let mut files = match answer.is_whole {
            true => BTreeMap::new(),
            false => known.take().map(|it| it.files).unwrap_or_default(),
        };
        for (name, text) in answer.files {
            match text {
                Some(text) => files.insert(name, text),
                None => files.remove(&name),
            };
        }
        *known = Some(Known { id: answer.id, version: answer.version, files });
        self.stand(|it| *it = Standing { version: Some(answer.version), ..Standing::default() });
        Ok(())
    }

    /// The files as they are known, with the gateway's own settings.
    fn stored(&self, known: &Known) -> Result<Stored, FilesError> {
        let mut source = match &self.settings {
            None => Source::default(),
            Some(path) => {
                let (source, problems) = Source::read(path);
                if let Some(problem) = problems.iter().find(|it| it.is_error()) {
                    let path = path.display();
                    return Err(FilesError::Unreadable(format!("{path}: {}", problem.message)));
                }
                source
            }
        };
        for (name, text) in &known.files {
            if **name != *SETTINGS_FILE && source.text(name).is_none() {
                source.insert(name.clone(), text.clone());
            }
        }
        // Bounds hold for what a database gives, too.
        let source = source.changed(&[])?;
        Ok(Stored { source, version: shown(known.version) })
    }

    async fn write_now(
        &self,
        changes: &[Change],
        expected: &Version,
    ) -> Result<Version, WriteError> {
        files::check(changes)?;
        changes.iter().try_for_each(check_for_database)?;
        let mut known = self.known.lock().await;
        if known.as_ref().is_none_or(|it| shown(it.version) != *expected) {
            self.catch_up(&mut known).await?;
        }
        let Some(known) = known.as_mut().filter(|it| shown(it.version) == *expected) else {
            return Err(WriteError::Conflict);
        };
        self.stored(known)?.source.changed(changes)?;
        let mark = mark();
        let version = match database::write(&self.postgres, changes, known.version, &mark).await {
            Ok(Some(version)) => version,
            Ok(None) => return Err(self.why_not().await),
            Err(failure) => self.settle(failure, known.version, &mark).await?,
        };
        for change in changes {
            match change {
                Change::Put { name, text } => {
                    known.files.insert(name.as_str().into(), text.as_str().into());
                }
                Change::Delete { name } => {
                    known.files.remove(name.as_str());
                }
            }
        }
        known.version = version;
        self.stand(|it| *it = Standing { version: Some(version), ..Standing::default() });
        Ok(shown(version))
    }

    /// Why there was no row to update.
    async fn why_not(&self) -> WriteError {
        match database::head(&self.postgres).await {
            Ok(head) if head.schema != SCHEMA => self.other_schema(head.schema).into(),
            _ => WriteError::Conflict,
        }
    }

    /// Finds out what became of a write whose answer did not come.
    async fn settle(&self, failure: Failure, from: i64, mark: &str) -> Result<i64, WriteError> {
        match &failure {
            Failure::Refused(code) if READ_ONLY.contains(&code.as_str()) => {
                return Err(WriteError::ReadOnly);
            }
            // Nothing was sent, or the server has said no.
            Failure::Away | Failure::Busy | Failure::Refused(_) => {
                return Err(self.away(&failure).into());
            }
            Failure::TimedOut(_) | Failure::BrokenOff | Failure::Odd => {}
        }
        let unknown = || {
            WriteError::Failed(FilesError::System {
                what: format!("PostgreSQL at {}", self.address()),
                reason: "the connection broke off: the change may have been made".to_owned(),
            })
        };
        if !self.postgres.is_up_within(SETTLE).await {
            return Err(unknown());
        }
        match database::head_after(&self.postgres).await {
            Ok(head) if head.last_write == mark => Ok(head.version),
            Ok(head) if head.version == from => Err(self.away(&failure).into()),
            Ok(head) if head.version == from + 1 => Err(WriteError::Conflict),
            Ok(_) | Err(_) => Err(unknown()),
        }
    }

    fn away(&self, failure: &Failure) -> FilesError {
        FilesError::System {
            what: format!("the configuration in PostgreSQL at {}", self.address()),
            reason: failure.to_string(),
        }
    }

    fn other_schema(&self, schema: i32) -> FilesError {
        let address = self.address();
        FilesError::Unreadable(format!(
            "PostgreSQL at {address} has tables of version {schema}; this portcullis knows {SCHEMA}"
        ))
    }

    fn stand(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut self.standing.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn copied(&self) -> std::sync::MutexGuard<'_, Option<(String, i64)>> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for DatabaseFiles {
    /// The files of the database as they are now; while it is away, those that are known.
    fn read(&self) -> BoxFuture<'_, Result<Stored, FilesError>> {
        Box::pin(async {
            let mut known = self.known.lock().await;
            if let Err(error) = self.catch_up(&mut known).await {
                self.stand(|it| it.problem = Some(error.to_string()));
                if known.is_none() {
                    return Err(error);
                }
            }
            match &*known {
                Some(known) => self.stored(known),
                None => Err(self.away(&Failure::Away)),
            }
        })
    }

    fn write<'a>(
        &'a self,
        changes: &'a [Change],
        expected: &'a Version,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        Box::pin(self.write_now(changes, expected))
    }
}

/// What a database does not take, or a gateway does not take from it.
fn check_for_database(change: &Change) -> Result<(), FilesError> {
    let refused = |reason| Err(FilesError::Name { name: change.name().to_owned(), reason });
    match change {
        it if it.name() == SETTINGS_FILE => refused("each gateway has settings of its own"),
        Change::Put { text, .. } if text.contains('\0') => refused("its text has a zero byte"),
        _ => Ok(()),
    }
}

/// Tells one write from others.
fn mark() -> String {
    let mut bytes = [0; 16];
    transport::fill_random(&mut bytes);
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

fn shown(version: i64) -> Version {
    Version::from_text(&version.to_string())
}

/// The settings file of a folder, or the file itself.
pub fn settings_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(SETTINGS_FILE) } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_texts_that_a_database_does_not_take_are_refused() {
        let put = |name: &str, text: &str| {
            let change = Change::Put { name: name.to_owned(), text: text.to_owned() };
            check_for_database(&change).map_err(|it| it.to_string())
        };
        assert_eq!(put("policy.xml", "x"), Ok(()));
        for (name, text, reason) in [
            ("portcullis.yaml", "", "each gateway has settings of its own"),
            ("policy.xml", "a\0", "its text has a zero byte"),
        ] {
            let told = format!("`{name}` cannot be a file of the configuration: {reason}");
            assert_eq!(put(name, text), Err(told));
        }
    }

    #[test]
    fn marks_differ() {
        assert_ne!(mark(), mark());
    }
}
