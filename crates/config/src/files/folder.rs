//! A folder as the place of a configuration: written through a journal, so that a process that is
//! killed at any moment leaves the old state or the new one, never a mixture.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use document::{Diagnostic, Span};
use transport::BoxFuture;

use super::disk::{Disk, RealDisk};
use super::journal::{self, HOME, Journal};
use super::lock::Lock;
use super::{Change, Files, FilesError, Stored, Version, WriteError, check};
use crate::codes;
use crate::source::Source;

/// The files of a folder, or of a single settings file, which is read only.
#[derive(Clone, Debug)]
pub struct FolderFiles {
    path: PathBuf,
    disk: Arc<dyn Disk>,
}

impl FolderFiles {
    /// The files of a folder, or a settings file with the files it names. Nothing is read yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), disk: Arc::new(RealDisk) }
    }

    /// Reads the files, and puts a write in place that was cut off.
    ///
    /// Returns what could be read and every problem.
    pub fn read_now(&self) -> (Source, Vec<Diagnostic>) {
        if let Err(error) = self.finish() {
            tracing::warn!(%error, "a write that was cut off is not in place yet");
        }
        Source::read(&self.path)
    }

    /// Puts a write in place that was cut off.
    fn finish(&self) -> Result<(), FilesError> {
        if !self.path.is_dir() || Journal::read(&self.path)?.is_none() {
            return Ok(());
        }
        let _lock = Lock::to_write(&self.lock())?;
        self.finish_locked()
    }

    fn finish_locked(&self) -> Result<(), FilesError> {
        let Some(journal) = Journal::read(&self.path)? else { return Ok(()) };
        journal.finish(&self.path, &*self.disk).map_err(|error| FilesError::System {
            what: "a write that was cut off cannot be put in place".to_owned(),
            reason: error.to_string(),
        })
    }

    fn lock(&self) -> PathBuf {
        self.path.join(HOME).join("lock")
    }

    /// Writes all changes or none.
    fn write_now(&self, changes: &[Change], expected: &Version) -> Result<Version, WriteError> {
        check(changes)?;
        if !self.path.is_dir() {
            return Err(WriteError::ReadOnly);
        }
        let home = self.path.join(HOME);
        if !home.is_dir() {
            self.disk.create_folder(&home).map_err(|error| refused(&error))?;
        }
        let _lock = Lock::to_write(&self.lock())?;
        self.finish_locked()?;
        let (source, problems) = Source::read_unguarded(&self.path);
        if let Some(problem) = problems.iter().find(|it| it.is_error()) {
            return Err(FilesError::Unreadable(told(problem)).into());
        }
        if Version::of(&source) != *expected {
            return Err(WriteError::Conflict);
        }
        let changed = source.changed(changes)?;
        for change in changes {
            check_place(&self.path, change.name())?;
        }
        journal::prepare(&self.path, &*self.disk).map_err(|error| refused(&error))?;
        let journal = Journal::begin(&self.path, changes, &*self.disk)?;
        // The write has happened. What cannot be put in place now is seen by readers all the same.
        if let Err(error) = journal.finish(&self.path, &*self.disk) {
            tracing::warn!(%error, "a write is kept, but not in place yet");
        }
        Ok(Version::of(&changed))
    }
}

impl Files for FolderFiles {
    fn read(&self) -> BoxFuture<'_, Result<Stored, FilesError>> {
        Box::pin(async {
            let files = self.clone();
            let (source, problems) = aside(move || files.read_now()).await?;
            match problems.iter().find(|it| it.is_error()) {
                Some(problem) => Err(FilesError::Unreadable(told(problem))),
                None => Ok(Stored { version: Version::of(&source), source }),
            }
        })
    }

    fn write<'a>(
        &'a self,
        changes: &'a [Change],
        expected: &'a Version,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        Box::pin(async {
            let (files, changes, expected) = (self.clone(), changes.to_vec(), expected.clone());
            aside(move || files.write_now(&changes, &expected)).await?
        })
    }
}

/// Does what waits for the disk where it holds nobody up.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, FilesError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| FilesError::System {
        what: "the folder".to_owned(),
        reason: error.to_string(),
    })
}

/// Reads a folder while nobody writes it, and as its journal says.
pub(crate) fn read_guarded(
    path: &Path,
    read: impl FnOnce() -> (Source, Vec<Diagnostic>),
) -> (Source, Vec<Diagnostic>) {
    let problem = |error: FilesError| {
        Diagnostic::error(codes::UNREADABLE, Span::default(), error.to_string()).in_file(".".into())
    };
    let _lock = match Lock::to_read(&path.join(HOME).join("lock")) {
        Ok(lock) => lock,
        Err(error) => return (Source::default(), vec![problem(error)]),
    };
    let (mut source, mut problems) = read();
    let overlaid = Journal::read(path).and_then(|journal| match journal {
        None => Ok(()),
        Some(journal) => source
            .overlay(|files| journal.overlay(path, files))
            .map_err(|error| FilesError::Unreadable(error.to_string())),
    });
    problems.extend(overlaid.err().map(problem));
    (source, problems)
}

/// Refuses names that lead elsewhere through a link, and those whose place is taken by something
/// that is no file.
fn check_place(folder: &Path, name: &str) -> Result<(), FilesError> {
    let refused = |reason| Err(FilesError::Name { name: name.to_owned(), reason });
    let mut path = folder.to_owned();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let Ok(metadata) = fs::symlink_metadata(&path) else { return Ok(()) };
        if metadata.file_type().is_symlink() {
            return refused("a link is in its way");
        }
        let is_last = parts.peek().is_none();
        if is_last && !metadata.is_file() {
            return refused("there is something else with this name");
        }
        if !is_last && !metadata.is_dir() {
            return refused("a folder in it is a file");
        }
    }
    Ok(())
}

fn refused(error: &io::Error) -> WriteError {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => WriteError::ReadOnly,
        _ => WriteError::Failed(FilesError::System {
            what: "the folder cannot be written".to_owned(),
            reason: error.to_string(),
        }),
    }
}

fn told(problem: &Diagnostic) -> String {
    match &problem.file {
        Some(file) => format!("{file}: {}", problem.message),
        None => problem.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::disk::tests::{BadDisk, Trouble};
    use super::super::tests::{delete, put};
    use super::*;

    type Texts = BTreeMap<String, String>;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("portcullis-files-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("apis/a")).unwrap();
        fs::create_dir_all(folder.join("apis/gone/deep")).unwrap();
        fs::write(folder.join("apis/a/policy.xml"), "old a").unwrap();
        fs::write(folder.join("apis/gone/deep/policy.xml"), "old gone").unwrap();
        fs::write(folder.join("policy.xml"), "old").unwrap();
        fs::write(folder.join("README.txt"), "not ours").unwrap();
        folder
    }

    fn changes() -> Vec<Change> {
        vec![
            put("policy.xml", "new"),
            put("apis/a/policy.xml", "new a"),
            put("apis/b/operations/get/policy.xml", "new b"),
            delete("apis/gone/deep/policy.xml"),
            delete("apis/never/policy.xml"),
        ]
    }

    fn texts(source: &Source) -> Texts {
        source.files().map(|(name, text)| (name.to_string(), text.to_string())).collect()
    }

    fn of(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn old() -> Texts {
        of(&[
            ("apis/a/policy.xml", "old a"),
            ("apis/gone/deep/policy.xml", "old gone"),
            ("policy.xml", "old"),
        ])
    }

    fn new() -> Texts {
        of(&[
            ("apis/a/policy.xml", "new a"),
            ("apis/b/operations/get/policy.xml", "new b"),
            ("policy.xml", "new"),
        ])
    }

    /// What a reader sees that only reads, without problems.
    fn seen(folder: &Path) -> Texts {
        let (source, problems) = Source::read(folder);
        assert!(problems.is_empty(), "{problems:?}");
        texts(&source)
    }

    fn version(folder: &Path) -> Version {
        Version::of(&Source::read(folder).0)
    }

    fn on(folder: &Path, disk: Arc<dyn Disk>) -> FolderFiles {
        FolderFiles { path: folder.to_owned(), disk }
    }

    /// What is in the journal's folder once nothing is left to do.
    fn is_tidy(folder: &Path) {
        let mut names: Vec<String> = fs::read_dir(folder.join(HOME))
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, [".gitignore", "lock"]);
        assert!(!folder.join("apis/gone").exists());
        assert_eq!(fs::read_to_string(folder.join("README.txt")).unwrap(), "not ours");
    }

    #[tokio::test]
    async fn a_write_changes_all_files_and_says_the_new_version() {
        let folder = folder("write");
        let files = FolderFiles::new(&folder);
        let read = files.read().await.unwrap();
        assert_eq!(texts(&read.source), old());
        let written = files.write(&changes(), &read.version).await.unwrap();
        let read = files.read().await.unwrap();
        assert_eq!((texts(&read.source), &read.version), (new(), &written));
        is_tidy(&folder);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_write_that_is_cut_off_at_any_step_leaves_the_old_or_the_new_state() {
        let mut n_of = BTreeMap::new();
        for trouble in [Trouble::Killed, Trouble::Fails] {
            for at in 0.. {
                let folder = folder(&format!("{trouble:?}"));
                let disk = Arc::new(BadDisk::new(trouble, at));
                let before = version(&folder);
                let result = on(&folder, disk.clone()).write_now(&changes(), &before);
                let found = seen(&folder);
                assert!(found == old() || found == new(), "{trouble:?} {at}: {found:?}");
                assert_eq!(result.is_ok(), found == new(), "{trouble:?} {at}: {result:?}");
                *n_of.entry((format!("{trouble:?}"), result.is_ok())).or_insert(0) += 1;
                // The next start sees the same, and puts it in place.
                let (source, problems) = on(&folder, Arc::new(BadDisk::good())).read_now();
                assert!(problems.is_empty() && texts(&source) == found, "{trouble:?} {at}");
                // Whoever writes next can.
                let now = version(&folder);
                on(&folder, Arc::new(BadDisk::good())).write_now(&changes(), &now).unwrap();
                assert_eq!(seen(&folder), new());
                is_tidy(&folder);
                fs::remove_dir_all(folder).unwrap();
                if !disk.is_reached() {
                    break;
                }
            }
        }
        assert!(n_of.values().all(|it| *it >= 8), "{n_of:?}");
    }

    #[test]
    fn putting_in_place_may_be_cut_off_again_at_any_step() {
        let changes = [put("apis/b/c/policy.xml", "new b"), delete("apis/gone/deep/policy.xml")];
        for first in 0.. {
            let mut is_end = false;
            for second in 0.. {
                let folder = folder("twice");
                let disk = Arc::new(BadDisk::new(Trouble::Killed, first));
                let before = version(&folder);
                let _ = on(&folder, disk.clone()).write_now(&changes, &before);
                is_end = !disk.is_reached();
                let found = seen(&folder);
                let again = Arc::new(BadDisk::new(Trouble::Killed, second));
                let (source, _) = on(&folder, again.clone()).read_now();
                assert_eq!(texts(&source), found, "{first} {second}");
                let last = on(&folder, Arc::new(BadDisk::good()));
                assert_eq!(texts(&last.read_now().0), found);
                assert!(!folder.join(HOME).join("journal").exists());
                fs::remove_dir_all(folder).unwrap();
                if !again.is_reached() {
                    break;
                }
            }
            if is_end {
                break;
            }
        }
    }

    #[test]
    fn of_two_writers_one_has_a_conflict() {
        let folder = folder("two");
        let before = version(&folder);
        let results: Vec<_> = std::thread::scope(|scope| {
            let write = |n: usize| {
                let (folder, before) = (&folder, &before);
                scope.spawn(move || {
                    let change = put("policy.xml", &format!("by {n}"));
                    FolderFiles::new(folder).write_now(&[change], before)
                })
            };
            let threads: Vec<_> = (0..8).map(write).collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let won: Vec<usize> = (0..8).filter(|n| results[*n].is_ok()).collect();
        assert_eq!(won.len(), 1, "{results:?}");
        assert_eq!(results.iter().filter(|it| **it == Err(WriteError::Conflict)).count(), 7);
        assert_eq!(seen(&folder)["policy.xml"], format!("by {}", won[0]));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_edit_by_hand_between_read_and_write_is_a_conflict_and_no_loss() {
        let folder = folder("hand");
        for (name, text) in [("apis/a/policy.xml", "by hand"), ("apis/c/policy.xml", "made")] {
            let before = version(&folder);
            fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            fs::write(folder.join(name), text).unwrap();
            let result = FolderFiles::new(&folder).write_now(&changes(), &before);
            assert_eq!(result, Err(WriteError::Conflict));
            assert_eq!(seen(&folder)[name], text);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_edit_by_hand_after_a_write_was_cut_off_stays() {
        let folder = folder("after");
        let before = version(&folder);
        Journal::begin(&folder, &[], &RealDisk).unwrap_err();
        journal::prepare(&folder, &RealDisk).unwrap();
        Journal::begin(&folder, &changes(), &RealDisk).unwrap();
        assert_eq!(seen(&folder), new());
        fs::write(folder.join("policy.xml"), "by hand").unwrap();
        let mut expected = new();
        expected.insert("policy.xml".to_owned(), "by hand".to_owned());
        assert_eq!(seen(&folder), expected);
        let result = FolderFiles::new(&folder).write_now(&changes(), &before);
        assert_eq!(result, Err(WriteError::Conflict));
        assert_eq!(seen(&folder), expected);
        is_tidy(&folder);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_journal_that_leads_elsewhere_is_refused() {
        let folder = folder("evil");
        fs::create_dir_all(folder.join(HOME)).unwrap();
        for (text, told) in [
            (
                r#"{"steps":[{"name":"../x.xml","was":null,"becomes":null}]}"#,
                "not below the folder",
            ),
            (r#"{"steps":[{"name":"p.xml","was":null,"becomes":"00"}]}"#, "is lost"),
            ("{", "is no journal"),
        ] {
            fs::write(folder.join(HOME).join("journal"), text).unwrap();
            let (_, problems) = Source::read(&folder);
            assert!(problems.iter().any(|it| it.message.contains(told)), "{problems:?}");
            assert!(FolderFiles::new(&folder).write_now(&[], &version(&folder)).is_err());
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_and_places_that_are_taken_are_refused() {
        use std::os::unix::fs::symlink;

        let (folder, outside) = (folder("links"), folder("outside"));
        symlink(&outside, folder.join("apis/out")).unwrap();
        symlink(outside.join("policy.xml"), folder.join("link.xml")).unwrap();
        fs::create_dir(folder.join("folder.xml")).unwrap();
        for (name, reason) in [
            ("apis/out/policy.xml", "a link is in its way"),
            ("link.xml", "a link is in its way"),
            ("folder.xml", "there is something else with this name"),
            ("policy.xml/a.xml", "a folder in it is a file"),
            ("README.txt/a.xml", "a folder in it is a file"),
        ] {
            for change in [put(name, "x"), delete(name)] {
                let before = version(&folder);
                let result = FolderFiles::new(&folder).write_now(&[change], &before);
                let expected = FilesError::Name { name: name.to_owned(), reason };
                assert_eq!(result, Err(WriteError::Failed(expected)), "{name}");
            }
        }
        assert_eq!(fs::read_to_string(outside.join("policy.xml")).unwrap(), "old");
        fs::remove_dir_all(folder).unwrap();
        fs::remove_dir_all(outside).unwrap();
    }

    #[test]
    fn a_settings_file_is_read_only() {
        let folder = folder("single");
        let file = folder.join("portcullis.yaml");
        fs::write(&file, "{}").unwrap();
        let result = FolderFiles::new(&file).write_now(&[], &version(&file));
        assert_eq!(result, Err(WriteError::ReadOnly));
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn permissions_of_a_file_stay() {
        use std::os::unix::fs::PermissionsExt;

        let folder = folder("mode");
        let file = folder.join("policy.xml");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        FolderFiles::new(&folder).write_now(&changes(), &version(&folder)).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        fs::remove_dir_all(folder).unwrap();
    }
}
