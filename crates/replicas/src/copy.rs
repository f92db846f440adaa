//! The local copy: what the database had when this gateway last took it up, in one file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::Source;
use config::files::Version;
use serde::{Deserialize, Serialize};

/// Largest copy that is read, in bytes: as much as a configuration may have, written as JSON.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;
const FORMAT: u32 = 1;

/// Files of a database, of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Which database.
    pub(crate) id: String,
    /// Its version.
    pub(crate) version: i64,
    /// Texts by name.
    pub(crate) files: BTreeMap<Arc<str>, Arc<str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    database: String,
    version: i64,
    /// Of names and texts: a copy that was damaged is not taken.
    hash: String,
    files: BTreeMap<String, String>,
}

/// Writes the copy in the place of the last one, for its owner only: texts may hold secrets.
pub(crate) fn write(path: &Path, known: &Known) -> io::Result<()> {
    let files = || known.files.iter().map(|(name, text)| (name.to_string(), text.to_string()));
    let written = Written {
        format: FORMAT,
        database: known.id.clone(),
        version: known.version,
        hash: hash(known),
        files: files().collect(),
    };
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut file = private(&draft)?;
    file.write_all(&serde_json::to_vec(&written).map_err(io::Error::other)?)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

/// Reads the copy.
pub(crate) fn read(path: &Path) -> io::Result<Known> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes")));
    }
    // What is wrong with it is not told: it might quote a text.
    let written: Written =
        serde_json::from_slice(&text).map_err(|_| io::Error::other("it is damaged"))?;
    let texts = written.files.into_iter().map(|(name, text)| (name.into(), text.into()));
    let known = Known { id: written.database, version: written.version, files: texts.collect() };
    if written.format != FORMAT {
        return Err(io::Error::other("it is of another version of portcullis"));
    }
    match hash(&known) == written.hash {
        true => Ok(known),
        false => Err(io::Error::other("it is damaged")),
    }
}

fn hash(known: &Known) -> String {
    let files = known.files.iter().map(|(name, text)| (name.clone(), text.clone()));
    Version::of(&Source::from_files(files)).to_string()
}

fn private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_read_as_it_was_written_or_not_at_all() {
        let folder = std::env::temp_dir().join(format!("portcullis-copy-{}", std::process::id()));
        let path = folder.join("deep/copy.json");
        let mut known = Known { id: "d".to_owned(), version: 3, files: BTreeMap::new() };
        for text in ["one", "two"] {
            known.files.insert("policy.xml".into(), text.into());
            write(&path, &known).unwrap();
            assert_eq!(read(&path).unwrap(), known);
        }
        assert_eq!(fs::read_dir(folder.join("deep")).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let text = fs::read_to_string(&path).unwrap();
        for (from, to, told) in [
            ("two", "six", "it is damaged"),
            ("{", "", "it is damaged"),
            ("\"format\":1", "\"format\":2", "it is of another version of portcullis"),
        ] {
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            assert_eq!(read(&path).unwrap_err().to_string(), told);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
