//! What a configuration is read from: a set of named texts, from disk or made in memory.
//!
//! A folder is read as a whole, bounded; a single `portcullis.yaml` brings the files it names.
//! Two sources are equal if their texts are, which is how a reload knows that nothing changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use document::{Diagnostic, Span};

use crate::codes;
use crate::files::{Change, FilesError, read_guarded};
use crate::single_file;
use crate::tree::Tree;

/// How much is read.
const BOUNDS: Bounds =
    Bounds { files: 50_000, file_bytes: 32 * 1024 * 1024, bytes: 512 * 1024 * 1024, depth: 16 };
/// Endings of files that a configuration consists of. Specifications that are not supported are
/// read, too, so that they can be refused.
const ENDINGS: &[&str] =
    &[".xml", ".json", ".yaml", ".yml", ".wsdl", ".wadl", ".graphql", ".graphqls", ".proto"];
/// The name of the settings file.
pub const SETTINGS_FILE: &str = "portcullis.yaml";

/// Whether a folder's file is read: the parts of its name between `/`.
///
/// Hidden names are not: `.git`, editors' files, and the folders behind a ConfigMap mount.
pub(crate) fn is_read(parts: &[&str]) -> bool {
    let is_seen = |it: &&str| !it.starts_with('.') && *it != "node_modules";
    let has_ending = |it: &str| ENDINGS.iter().any(|end| it.to_ascii_lowercase().ends_with(end));
    parts.iter().all(is_seen)
        && parts.len() <= BOUNDS.depth + 1
        && parts.last().is_some_and(|it| has_ending(it))
}

/// The texts of a configuration by name: the path below its folder, with `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    folder: Option<PathBuf>,
    files: BTreeMap<Arc<str>, Arc<str>>,
    settings_file: Option<Arc<str>>,
}

/// How much is read at most.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Files.
    files: usize,
    /// Bytes of one file.
    file_bytes: u64,
    /// Bytes in all.
    bytes: u64,
    /// Folders within folders.
    depth: usize,
}

impl Source {
    /// A source in memory. `portcullis.yaml`, if among the files, holds the settings.
    pub fn from_files<N: Into<Arc<str>>, T: Into<Arc<str>>>(
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        let files: BTreeMap<Arc<str>, Arc<str>> =
            files.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
        let settings_file = files.keys().find(|it| &***it == SETTINGS_FILE).cloned();
        Self { folder: None, files, settings_file }
    }

    /// Reads a folder, or a single settings file with the files it names.
    ///
    /// A folder is read between writes, and a write that was cut off counts as done.
    ///
    /// Returns what could be read and every problem.
    pub fn read(path: &Path) -> (Self, Vec<Diagnostic>) {
        match path.is_dir() {
            true => read_guarded(path, || Self::read_within(path, BOUNDS)),
            false => Self::read_within(path, BOUNDS),
        }
    }

    /// Reads a folder as it stands on disk, for whoever holds its lock.
    pub(crate) fn read_unguarded(path: &Path) -> (Self, Vec<Diagnostic>) {
        Self::read_within(path, BOUNDS)
    }

    fn read_within(path: &Path, bounds: Bounds) -> (Self, Vec<Diagnostic>) {
        let mut reader = Reader {
            bounds,
            files: BTreeMap::new(),
            problems: Vec::new(),
            n_bytes: 0,
            is_full: false,
        };
        if path.is_dir() {
            reader.folder(path, "", 0);
            let mut source = Self::from_files(reader.files);
            source.folder = Some(path.to_owned());
            return (source, reader.problems);
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        reader.file(path, &name);
        let settings: Option<(Arc<str>, Arc<str>)> =
            reader.files.iter().next().map(|(name, text)| (name.clone(), text.clone()));
        if let Some((name, text)) = &settings
            && let Ok(tree) = Tree::parse(name, text)
        {
            for referenced in single_file::referenced_files(&tree) {
                reader.file(&folder.join(&referenced), &referenced);
            }
        }
        let settings_file = settings.map(|(name, _)| name);
        (Self { folder: Some(folder), files: reader.files, settings_file }, reader.problems)
    }

    /// The folder that relative paths in the settings are relative to; none in memory.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> Option<&Arc<str>> {
        self.files.get(name)
    }

    /// All files by name.
    pub fn files(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.files.iter()
    }

    /// The name of the settings file, if there is one.
    pub fn settings_file(&self) -> Option<&Arc<str>> {
        self.settings_file.as_ref()
    }

    /// The source with changes made to it.
    ///
    /// # Errors
    ///
    /// There would be more than is read.
    pub fn changed(&self, changes: &[Change]) -> Result<Self, FilesError> {
        self.changed_within(changes, BOUNDS)
    }

    fn changed_within(&self, changes: &[Change], bounds: Bounds) -> Result<Self, FilesError> {
        let mut changed = self.clone();
        for change in changes {
            match change {
                Change::Put { name, text } => {
                    let (len, most) = (text.len() as u64, bounds.file_bytes);
                    if len > most {
                        let told = format!("`{name}` would have {len} bytes, {most} are read");
                        return Err(FilesError::TooMuch(told));
                    }
                    changed.insert(name.as_str(), text.as_str());
                }
                Change::Delete { name } => {
                    changed.files.remove(name.as_str());
                }
            }
        }
        changed.settings_file = changed.settings_file.filter(|it| changed.files.contains_key(it));
        let n_bytes: u64 = changed.files.values().map(|it| it.len() as u64).sum();
        let Bounds { files, bytes, .. } = bounds;
        if changed.files.len() > files || n_bytes > bytes {
            let told = format!("there would be more than {files} files or {bytes} bytes");
            return Err(FilesError::TooMuch(told));
        }
        Ok(changed)
    }

    /// Lets a journal change the texts.
    pub(crate) fn overlay<E>(
        &mut self,
        change: impl FnOnce(&mut BTreeMap<Arc<str>, Arc<str>>) -> Result<(), E>,
    ) -> Result<(), E> {
        change(&mut self.files)?;
        if self.settings_file.as_ref().is_none_or(|it| !self.files.contains_key(it)) {
            self.settings_file = self.files.keys().find(|it| &***it == SETTINGS_FILE).cloned();
        }
        Ok(())
    }

    /// The same texts, with relative paths in the settings relative to `folder`.
    #[must_use]
    pub fn in_folder(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Whether another source has the same files, with the same texts but for those of documents.
    pub(crate) fn is_same_but(
        &self,
        other: &Self,
        is_document: impl Fn(&Arc<str>) -> bool,
    ) -> bool {
        self.folder == other.folder
            && self.settings_file == other.settings_file
            && self.files.len() == other.files.len()
            && self.files.iter().zip(&other.files).all(|((name, text), (other, other_text))| {
                name == other && (text == other_text || is_document(name))
            })
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        let name = name.into();
        if &*name == SETTINGS_FILE && self.settings_file.is_none() {
            self.settings_file = Some(name.clone());
        }
        self.files.insert(name, text.into());
    }
}

struct Reader {
    bounds: Bounds,
    files: BTreeMap<Arc<str>, Arc<str>>,
    problems: Vec<Diagnostic>,
    n_bytes: u64,
    is_full: bool,
}

impl Reader {
    fn problem(&mut self, name: &str, message: String) {
        let name = if name.is_empty() { "." } else { name };
        self.problems.push(
            Diagnostic::error(codes::UNREADABLE, Span::default(), message).in_file(name.into()),
        );
    }

    fn folder(&mut self, path: &Path, name: &str, depth: usize) {
        let most = self.bounds.depth;
        if depth > most {
            return self.problem(name, format!("folders are nested more than {most} deep"));
        }
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return self.problem(name, format!("folder cannot be read: {error}")),
        };
        let mut entries: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
        entries.sort();
        for entry in entries {
            let Some(own) = entry.file_name().and_then(|it| it.to_str()) else { continue };
            if own.starts_with('.') || own == "node_modules" {
                continue;
            }
            let below = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
            if entry.is_dir() {
                self.folder(&entry, &below, depth + 1);
            } else if ENDINGS.iter().any(|it| own.to_ascii_lowercase().ends_with(it)) {
                self.file(&entry, &below);
            }
            if self.is_full {
                return;
            }
        }
    }

    fn file(&mut self, path: &Path, name: &str) {
        let len = std::fs::metadata(path).map_or(0, |it| it.len());
        let Bounds { files, file_bytes, bytes, .. } = self.bounds;
        if len > file_bytes {
            return self.problem(name, format!("file has {len} bytes, {file_bytes} are read"));
        }
        if self.files.len() >= files || self.n_bytes + len > bytes {
            self.is_full = true;
            return self.problem("", format!("more than {files} files or {bytes} bytes"));
        }
        self.n_bytes += len;
        match std::fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => {
                self.files.insert(name.into(), text.into());
            }
            Ok(Err(_)) => self.problem(name, "file is not UTF-8".to_owned()),
            Err(error) => self.problem(name, format!("file cannot be read: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
    }

    #[test]
    fn a_folder_is_read_with_names_below_it() {
        let (source, problems) = Source::read(&examples().join("testdata/small"));
        assert!(problems.is_empty(), "{problems:?}");
        let names: Vec<&str> = source.files().map(|(name, _)| &**name).collect();
        assert_eq!(
            names,
            [
                "apis/echo/apiInformation.json",
                "apis/echo/policy.xml",
                "apis/echo/specification.yaml",
                "named values/host/namedValueInformation.json",
                "portcullis.yaml"
            ]
        );
        assert!(source.text("apis/echo/policy.xml").unwrap().contains("<policies>"));
        assert_eq!(source.settings_file().map(|it| &**it), Some("portcullis.yaml"));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let (source, problems) = Source::read(&examples().join("no-such-file.yaml"));
        assert_eq!(source.files().count(), 0);
        assert_eq!(problems[0].code, codes::UNREADABLE);
    }

    #[test]
    fn a_settings_file_brings_the_files_it_names() {
        let (source, problems) = Source::read(&examples().join("testdata/single/portcullis.yaml"));
        assert!(problems.is_empty(), "{problems:?}");
        let names: Vec<&str> = source.files().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["policies/chat.xml", "portcullis.yaml", "spec.json"]);
    }

    #[test]
    fn reading_is_bounded() {
        let told = |bounds: Bounds| -> Vec<String> {
            let (_, problems) = Source::read_within(&examples().join("testdata/small"), bounds);
            problems.into_iter().map(|it| it.message).collect()
        };
        assert_eq!(told(BOUNDS), [""; 0]);
        assert_eq!(told(Bounds { files: 2, ..BOUNDS }), ["more than 2 files or 536870912 bytes"]);
        assert_eq!(told(Bounds { bytes: 300, ..BOUNDS }), ["more than 50000 files or 300 bytes"]);
        assert_eq!(told(Bounds { depth: 1, ..BOUNDS }).len(), 2);
        assert!(told(Bounds { file_bytes: 1, ..BOUNDS })[0].ends_with("bytes, 1 are read"));
    }

    #[test]
    fn a_change_is_bounded_as_reading_is() {
        let put =
            |text: &str| Change::Put { name: "portcullis.yaml".to_owned(), text: text.to_owned() };
        let source = Source::from_files([("a.xml", "a")]);
        let told = |bounds: Bounds| source.changed_within(&[put("bb")], bounds).unwrap_err();
        let changed = source.changed(&[put("bb")]).unwrap();
        assert_eq!(changed.settings_file().map(|it| &**it), Some("portcullis.yaml"));
        let gone = Change::Delete { name: "portcullis.yaml".to_owned() };
        assert_eq!(changed.changed(&[gone]).unwrap(), source);
        for (bounds, message) in [
            (
                Bounds { file_bytes: 1, ..BOUNDS },
                "`portcullis.yaml` would have 2 bytes, 1 are read",
            ),
            (Bounds { files: 1, ..BOUNDS }, "there would be more than 1 files or 536870912 bytes"),
            (Bounds { bytes: 2, ..BOUNDS }, "there would be more than 50000 files or 2 bytes"),
        ] {
            assert_eq!(told(bounds).to_string(), message);
        }
    }

    #[test]
    fn sources_are_equal_if_their_texts_are() {
        let of = |text: &str| Source::from_files([("a.xml", text.to_owned())]);
        assert_eq!(of("x"), of("x"));
        assert_ne!(of("x"), of("y"));
    }
}
