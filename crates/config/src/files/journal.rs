//! The journal of a write to a folder: from the moment it is there, the write has happened.
//!
//! ```text
//! .portcullis/.gitignore   keeps this folder out of a repository
//! .portcullis/lock         one writer at a time
//! .portcullis/new/0, 1, …  the new texts
//! .portcullis/journal      what goes where; made by one rename, removed when all is in place
//! ```
//!
//! A process that is killed before the rename has written nothing; one that is killed after it has
//! written everything: readers see the texts as the journal says ([`Journal::overlay`]), and the
//! next start or write puts them in place ([`Journal::finish`]). A step is left out if the file is
//! not as it was when the journal was made: somebody has edited it by hand since.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::{Change, FilesError, hash};

/// The folder, below that of the configuration.
pub(super) const HOME: &str = ".portcullis";
const NEW: &str = "new";
const JOURNAL: &str = "journal";
const DRAFT: &str = "journal.new";
/// Longest journal that is read, in bytes: as many changes as there may be, with longest names.
const MAX_JOURNAL_BYTES: u64 = 64 * 1024 * 1024;

/// The steps that put a write in place.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    steps: Vec<Step>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// The file.
    name: String,
    /// The hash of its text when the journal was made; none: it was not there.
    was: Option<String>,
    /// The hash of its new text, which waits in `new`; none: it is removed.
    becomes: Option<String>,
}

/// What is to be done for a step.
enum Due {
    /// The new text is to be put in place.
    Put(Vec<u8>),
    /// The file is to be removed.
    Remove,
    /// Nothing: it is in place.
    Nothing,
    /// Nothing: somebody has edited the file.
    Edited,
}

impl Step {
    fn due(&self, folder: &Path, new: &Path) -> io::Result<Due> {
        let now = read(&folder.join(&self.name))?.map(|it| hash(&it));
        if now == self.becomes {
            return Ok(Due::Nothing);
        }
        if now != self.was {
            return Ok(Due::Edited);
        }
        let Some(becomes) = &self.becomes else { return Ok(Due::Remove) };
        match read(new)? {
            Some(text) if hash(&text) == *becomes => Ok(Due::Put(text)),
            _ => Err(io::Error::other(format!("the new text of `{}` is lost", self.name))),
        }
    }
}

/// What is in a file; none if it is not there.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Journal {
    /// The journal that a write has left in a folder.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, FilesError> {
        let path = folder.join(HOME).join(JOURNAL);
        let Ok(metadata) = fs::symlink_metadata(&path) else { return Ok(None) };
        if metadata.len() > MAX_JOURNAL_BYTES {
            return Err(FilesError::TooMuch(format!(
                "the journal of the folder has more than {MAX_JOURNAL_BYTES} bytes"
            )));
        }
        let Some(text) = read(&path).map_err(system("the journal cannot be read"))? else {
            return Ok(None);
        };
        let journal: Self = serde_json::from_slice(&text).map_err(|error| {
            FilesError::Unreadable(format!("`{HOME}/{JOURNAL}` is no journal: {error}"))
        })?;
        let names: Vec<Change> =
            journal.steps.iter().map(|it| Change::Delete { name: it.name.clone() }).collect();
        super::check(&names)?;
        Ok(Some(journal))
    }

    /// Writes the new texts and the journal. Once this has returned, the write has happened; if it
    /// fails, it has not.
    pub(super) fn begin(
        folder: &Path,
        changes: &[Change],
        disk: &dyn Disk,
    ) -> Result<Self, FilesError> {
        let home = folder.join(HOME);
        let new = home.join(NEW);
        let mut steps = Vec::new();
        for (n, change) in changes.iter().enumerate() {
            let target = folder.join(change.name());
            let was = read(&target).map_err(system(change.name()))?.map(|it| hash(&it));
            let becomes = match change {
                Change::Put { name, text } => {
                    disk.write_file(&new.join(n.to_string()), text.as_bytes(), Some(&target))
                        .map_err(system(name))?;
                    Some(hash(text.as_bytes()))
                }
                Change::Delete { .. } => None,
            };
            steps.push(Step { name: change.name().to_owned(), was, becomes });
        }
        let journal = Self { steps };
        let text = serde_json::to_vec(&journal)
            .map_err(|error| FilesError::Unreadable(error.to_string()))?;
        let failed = || system("the journal cannot be written");
        disk.sync_folder(&new).map_err(failed())?;
        let draft = home.join(DRAFT);
        disk.write_file(&draft, &text, None).map_err(failed())?;
        disk.rename(&draft, &home.join(JOURNAL)).map_err(failed())?;
        if let Err(error) = disk.sync_folder(&home) {
            tracing::warn!(%error, "the journal may not survive a loss of power");
        }
        Ok(journal)
    }

    /// Puts everything in place and removes the journal. It does no harm to do it again.
    pub(super) fn finish(&self, folder: &Path, disk: &dyn Disk) -> io::Result<()> {
        let home = folder.join(HOME);
        let mut touched = BTreeSet::new();
        for (n, step) in self.steps.iter().enumerate() {
            let target = folder.join(&step.name);
            let new = home.join(NEW).join(n.to_string());
            match step.due(folder, &new)? {
                Due::Put(_) => {
                    for made in create_folders(folder, &step.name, disk)? {
                        touched.extend(made.parent().map(Path::to_owned));
                    }
                    disk.rename(&new, &target)?;
                }
                Due::Remove => disk.remove_file(&target)?,
                Due::Nothing => {}
                Due::Edited => {
                    let name = &step.name;
                    tracing::warn!(name, "edited by hand while it was written: the edit stays");
                }
            }
            touched.extend(target.parent().map(Path::to_owned));
        }
        for folder in &touched {
            disk.sync_folder(folder)?;
        }
        disk.remove_file(&home.join(JOURNAL))?;
        disk.sync_folder(&home)?;
        self.clear(folder, disk)
    }

    /// Removes folders that have become empty, and what is left of the new texts.
    fn clear(&self, folder: &Path, disk: &dyn Disk) -> io::Result<()> {
        for step in self.steps.iter().filter(|it| it.becomes.is_none()) {
            let mut below = Path::new(&step.name);
            while let Some(parent) = below.parent().filter(|it| !it.as_os_str().is_empty()) {
                disk.remove_folder(&folder.join(parent))?;
                below = parent;
            }
        }
        clear_new(folder, disk)
    }

    /// The files as the journal says, in memory.
    pub(super) fn overlay(
        &self,
        folder: &Path,
        files: &mut BTreeMap<Arc<str>, Arc<str>>,
    ) -> io::Result<()> {
        for (n, step) in self.steps.iter().enumerate() {
            match step.due(folder, &folder.join(HOME).join(NEW).join(n.to_string()))? {
                Due::Put(text) => {
                    let text = String::from_utf8(text).map_err(io::Error::other)?;
                    files.insert(step.name.as_str().into(), text.into());
                }
                Due::Remove => {
                    files.remove(step.name.as_str());
                }
                Due::Nothing | Due::Edited => {}
            }
        }
        Ok(())
    }
}

/// Makes the folders of the journal, and removes what a killed write has left in them.
pub(super) fn prepare(folder: &Path, disk: &dyn Disk) -> io::Result<()> {
    let home = folder.join(HOME);
    if !home.join(".gitignore").is_file() {
        disk.create_folder(&home)?;
        disk.write_file(&home.join(".gitignore"), b"*\n", None)?;
    }
    clear_new(folder, disk)?;
    disk.create_folder(&home.join(NEW))
}

/// Removes texts that nobody waits for.
fn clear_new(folder: &Path, disk: &dyn Disk) -> io::Result<()> {
    let new = folder.join(HOME).join(NEW);
    let Ok(entries) = fs::read_dir(&new) else { return Ok(()) };
    for entry in entries.flatten() {
        disk.remove_file(&entry.path())?;
    }
    disk.remove_folder(&new)
}

/// Makes the folders that a file is in. Returns those, outermost first.
fn create_folders(folder: &Path, name: &str, disk: &dyn Disk) -> io::Result<Vec<PathBuf>> {
    let mut made = Vec::new();
    for (end, _) in name.match_indices('/') {
        let path = folder.join(name.get(..end).unwrap_or_default());
        if !path.is_dir() {
            disk.create_folder(&path)?;
            made.push(path);
        }
    }
    Ok(made)
}

fn system(what: &str) -> impl Fn(io::Error) -> FilesError {
    move |error| FilesError::System { what: what.to_owned(), reason: error.to_string() }
}
