//! The history of the editor: what was typed, in the user's state folder, readable by the user only.
//!
//! One entry a line; `\n` and `\\` stand for a line feed and a backslash. Only the last entries are
//! kept. A line that starts with a blank is not kept, as in shells.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// How many entries are kept.
pub(super) const MAX_ENTRIES: usize = 1000;
/// Longest entry that is kept, in bytes.
const MAX_ENTRY_BYTES: usize = 16 * 1024;
/// Largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Where the history is: `$XDG_STATE_HOME/portcullis/expr_history`, by default below
/// `~/.local/state`; none if there is no home.
pub(super) fn file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME")
        .filter(|it| it.is_absolute())
        .or_else(|| set("HOME").or_else(|| set("USERPROFILE")).map(|it| it.join(".local/state")))?;
    Some(state.join("portcullis").join("expr_history"))
}

/// The entries of a file, oldest first; none if it cannot be read.
pub(super) fn load(file: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = fs::File::open(file).and_then(|it| it.take(MAX_FILE_BYTES).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut entries: Vec<String> =
        text.lines().filter(|it| !it.is_empty()).map(unescaped).collect();
    entries.drain(..entries.len().saturating_sub(MAX_ENTRIES));
    entries
}

/// Adds an entry, unless it is the last one. What other sessions wrote meanwhile stays.
///
/// # Errors
///
/// If the folder or the file cannot be written.
pub(super) fn remember(file: &Path, entry: &str) -> std::io::Result<()> {
    let mut entries = load(file);
    if entries.last().is_some_and(|it| it == entry) {
        return Ok(());
    }
    entries.push(entry.to_owned());
    save(file, &entries)
}

/// Writes the last entries in place of what is there.
///
/// # Errors
///
/// If the folder or the file cannot be written.
fn save(file: &Path, entries: &[String]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let kept: Vec<&String> =
        entries.iter().filter(|it| it.len() <= MAX_ENTRY_BYTES && is_kept(it)).collect();
    let last = kept.get(kept.len().saturating_sub(MAX_ENTRIES)..).unwrap_or_default();
    let mut text = String::new();
    for entry in last {
        text.push_str(&escaped(entry));
        text.push('\n');
    }
    // Another session that ends at the same time must not leave half a file.
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let written = create(&new).and_then(|mut it| it.write_all(text.as_bytes()));
    written.and_then(|()| fs::rename(&new, file)).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

/// Is the line one to be remembered?
pub(super) fn is_kept(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with([' ', '\t'])
}

/// A new file that only the user can read.
fn create(file: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(file)
}

fn escaped(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\r', "").replace('\n', "\\n")
}

fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            (other, false) => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_as_they_were() {
        let folder =
            std::env::temp_dir().join(format!("portcullis-history-{}", std::process::id()));
        let file = folder.join("deep").join("expr_history");
        let entries = ["1 + 1", "@{\n return \"\\n\";\n}", " a secret"].map(str::to_owned);
        save(&file, &entries).unwrap();
        assert_eq!(load(&file), entries[..2]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        remember(&file, "2 + 2").unwrap();
        remember(&file, "2 + 2").unwrap();
        assert_eq!(load(&file).len(), 3);
        let many: Vec<String> = (0..MAX_ENTRIES + 5).map(|it| it.to_string()).collect();
        save(&file, &many).unwrap();
        let kept = load(&file);
        assert_eq!((kept.len(), kept.first().map(String::as_str)), (MAX_ENTRIES, Some("5")));
        save(&file, &["x".repeat(MAX_ENTRY_BYTES + 1)]).unwrap();
        assert!(load(&file).is_empty());
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn there_may_be_no_file() {
        assert!(load(Path::new("/nowhere/at/all")).is_empty());
    }
}
