//! Where the files of a configuration are kept, and how they are changed.
//!
//! ```text
//! Files::read ─▶ Stored (source, version) ─ a change ─▶ Files::write(changes, expected version)
//!                                                        ├─ Ok(new version): all of it is kept
//!                                                        └─ Conflict: somebody was faster, read again
//! ```
//!
//! A folder is one implementation ([`FolderFiles`]). Whoever writes says which version was read, so
//! that no writer loses what another has written.

mod disk;
mod folder;
mod journal;
mod lock;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use transport::BoxFuture;

pub use folder::FolderFiles;

pub(crate) use folder::read_guarded;

use crate::source::{self, Source};

/// Longest name of a file, in bytes.
pub const MAX_NAME_BYTES: usize = 1024;
/// Longest part of a name between two `/`, in bytes; what file systems allow.
const MAX_PART_BYTES: usize = 255;
/// Changes in one write.
pub const MAX_CHANGES: usize = 50_000;

/// Where the files of a configuration are kept. Several writers cannot lose each other's change.
pub trait Files: Send + Sync + fmt::Debug {
    /// All files, with the version they are of.
    fn read(&self) -> BoxFuture<'_, Result<Stored, FilesError>>;

    /// Writes all changes or none; `expected` is the version that the writer read.
    fn write<'a>(
        &'a self,
        changes: &'a [Change],
        expected: &'a Version,
    ) -> BoxFuture<'a, Result<Version, WriteError>>;
}

/// Files, and the version they are of.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The files.
    pub source: Source,
    /// Which state of them this is.
    pub version: Version,
}

/// Names one state of the files: for a folder a hash of names and texts, for a database a number.
/// Two versions of one store are equal if nothing has changed between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Arc<str>);

impl Version {
    /// The version that was shown as this text.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The version that the texts themselves are: a hash of them.
    pub fn of(source: &Source) -> Self {
        let mut digest = Context::new(&SHA256);
        let mut part = |text: &str| {
            digest.update(&(text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        };
        for (name, text) in source.files() {
            part(name);
            part(text);
        }
        Self(hex(digest.finish().as_ref()).into())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One change of a file. Names are paths below the configuration's folder, with `/`.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes or replaces a file.
    Put {
        /// Its name.
        name: String,
        /// Its whole text.
        text: String,
    },
    /// Removes a file; one that is not there is no error.
    Delete {
        /// Its name.
        name: String,
    },
}

impl Change {
    /// The name of the file.
    pub fn name(&self) -> &str {
        match self {
            Self::Put { name, .. } | Self::Delete { name } => name,
        }
    }
}

/// Texts may hold secrets: only their length is shown.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { name, text } => write!(f, "Put({name:?}, {} bytes)", text.len()),
            Self::Delete { name } => write!(f, "Delete({name:?})"),
        }
    }
}

/// Why files were not written. Nothing of the write is kept then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The files are not of the version that the writer read any more.
    #[error("the configuration has changed since it was read")]
    Conflict,
    /// These files are not to be written here.
    #[error("the configuration is read-only")]
    ReadOnly,
    /// Something else.
    #[error(transparent)]
    Failed(#[from] FilesError),
}

/// What went wrong with files. No text of a file is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// A name that is not written.
    #[error("`{name}` cannot be a file of the configuration: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There would be too much of something.
    #[error("{0}")]
    TooMuch(String),
    /// Files that cannot be read.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// Somebody else has been writing for longer than a writer waits.
    #[error("the configuration is being written by another process")]
    Busy,
    /// The system or the database refused something.
    #[error("{what}: {reason}")]
    System {
        /// What was to be done.
        what: String,
        /// What the system says.
        reason: String,
    },
}

/// Checks the names of changes: below the folder, read by us, each once, none inside another.
///
/// # Errors
///
/// The first name that will not do, or too many changes.
pub fn check(changes: &[Change]) -> Result<(), FilesError> {
    if changes.len() > MAX_CHANGES {
        return Err(FilesError::TooMuch(format!("more than {MAX_CHANGES} changes in one write")));
    }
    let mut names = BTreeSet::new();
    for change in changes {
        let name = change.name();
        let refused = |reason| Err(FilesError::Name { name: name.to_owned(), reason });
        if let Err(reason) = check_name(name) {
            return refused(reason);
        }
        if !names.insert(name) {
            return refused("it is changed twice");
        }
    }
    for name in &names {
        if let Some(reason) = folder_of_a_file(name, |it| names.contains(it)) {
            return Err(FilesError::Name { name: (*name).to_owned(), reason });
        }
    }
    Ok(())
}

/// Says so if a folder in the name is itself a file.
fn folder_of_a_file(name: &str, is_file: impl Fn(&str) -> bool) -> Option<&'static str> {
    let folders = name.match_indices('/').filter_map(|(end, _)| name.get(..end));
    folders.into_iter().any(is_file).then_some("a folder in it is a file")
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err("it is empty or too long");
    }
    if name.contains('\\') || name.chars().any(char::is_control) {
        return Err("it has a backslash or a control character");
    }
    if name.starts_with('/') {
        return Err("it is not below the folder");
    }
    let parts: Vec<&str> = name.split('/').collect();
    if parts.contains(&"..") {
        return Err("it is not below the folder");
    }
    if parts.iter().any(|it| it.is_empty() || it.len() > MAX_PART_BYTES) {
        return Err("a part of it is empty or too long");
    }
    match source::is_read(&parts) {
        true => Ok(()),
        false => Err("files with such a name are not read"),
    }
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

/// The hash of one text.
fn hash(text: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&SHA256, text).as_ref())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn put(name: &str, text: &str) -> Change {
        Change::Put { name: name.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn delete(name: &str) -> Change {
        Change::Delete { name: name.to_owned() }
    }

    #[test]
    fn names_outside_the_folder_or_not_read_are_refused() {
        for (name, reason) in [
            ("../a.xml", "it is not below the folder"),
            ("apis/../../a.xml", "it is not below the folder"),
            ("/etc/a.xml", "it is not below the folder"),
            ("apis\\a.xml", "it has a backslash or a control character"),
            ("a\0.xml", "it has a backslash or a control character"),
            ("", "it is empty or too long"),
            ("apis//a.xml", "a part of it is empty or too long"),
            ("./a.xml", "files with such a name are not read"),
            (".git/config.json", "files with such a name are not read"),
            ("apis/.a.xml", "files with such a name are not read"),
            ("node_modules/a.json", "files with such a name are not read"),
            ("a.sh", "files with such a name are not read"),
            ("apis", "files with such a name are not read"),
            (&format!("{}a.xml", "f/".repeat(17)), "files with such a name are not read"),
            (&format!("{}.xml", "f".repeat(252)), "a part of it is empty or too long"),
            (&"f".repeat(1025), "it is empty or too long"),
        ] {
            let expected = FilesError::Name { name: name.to_owned(), reason };
            assert_eq!(check(&[put(name, "")]), Err(expected.clone()));
            assert_eq!(check(&[delete(name)]), Err(expected));
        }
        let good = ["policy.xml", "apis/a;rev=2/apiInformation.json", "named values/b c/x.YAML"];
        let changes: Vec<Change> = good.iter().map(|it| put(it, "")).collect();
        assert_eq!(check(&changes), Ok(()));
    }

    #[test]
    fn changes_are_of_different_files() {
        let told = |changes: &[Change]| check(changes).unwrap_err().to_string();
        assert_eq!(
            told(&[put("a.xml", "1"), delete("a.xml")]),
            "`a.xml` cannot be a file of the configuration: it is changed twice"
        );
        assert_eq!(
            told(&[put("a.xml", "1"), put("a.xml/b.xml", "1")]),
            "`a.xml/b.xml` cannot be a file of the configuration: a folder in it is a file"
        );
        let many: Vec<Change> = (0..=MAX_CHANGES).map(|it| delete(&format!("{it}.xml"))).collect();
        assert_eq!(told(&many), "more than 50000 changes in one write");
    }

    #[test]
    fn a_version_is_of_names_and_texts() {
        let of = |files: &[(&str, &str)]| {
            let files = files.iter().map(|(name, text)| (name.to_string(), text.to_string()));
            Version::of(&Source::from_files(files))
        };
        assert_eq!(of(&[("a.xml", "1"), ("b.xml", "2")]), of(&[("b.xml", "2"), ("a.xml", "1")]));
        let different =
            [of(&[]), of(&[("a", "bc")]), of(&[("ab", "c")]), of(&[("a", "b"), ("c", "")])];
        for (at, one) in different.iter().enumerate() {
            assert!(different.iter().skip(at + 1).all(|it| it != one), "{at}");
        }
        assert_eq!(Version::from_text(&of(&[]).to_string()), of(&[]));
    }

    #[test]
    fn debug_shows_no_text() {
        assert_eq!(format!("{:?}", put("a.xml", "hunter2")), "Put(\"a.xml\", 7 bytes)");
    }
}
