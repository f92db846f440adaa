//! A file that is put aside when it is full: `x.log`, `x.log.1` (the last one), `x.log.2`, ...
//!
//! Each piece is appended to whatever is there, so that nothing is lost at a restart. A piece is
//! never divided.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How large a file may grow, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// A file that would be longer is put aside first; 0: never.
    pub max_bytes: u64,
    /// How many files there are, the current one counted; at least 1.
    pub max_files: u32,
}

impl Rotation {
    /// One file that grows.
    pub const NEVER: Rotation = Rotation { max_bytes: 0, max_files: 1 };
}

/// Appends a piece to the file, after putting it aside if it is full.
///
/// # Errors
///
/// The file cannot be written, or not be put aside: then nothing was written.
pub fn append(path: &Path, rotation: Rotation, piece: &[u8]) -> io::Result<()> {
    if rotation.max_bytes > 0 {
        let n_bytes = match fs::metadata(path) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if n_bytes > 0 && n_bytes.saturating_add(piece.len() as u64) > rotation.max_bytes {
            put_aside(path, rotation.max_files)?;
        }
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(piece)?;
    file.flush()
}

/// Gives every file the next number; the last one goes.
fn put_aside(path: &Path, max_files: u32) -> io::Result<()> {
    let is_gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let n_old = max_files.saturating_sub(1);
    if n_old == 0 {
        return is_gone(fs::remove_file(path));
    }
    for number in (1..n_old).rev() {
        is_gone(fs::rename(numbered(path, number), numbered(path, number + 1)))?;
    }
    is_gone(fs::rename(path, numbered(path, 1)))
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appends lines of ten bytes; gives the files' contents, the current one first.
    fn written(rotation: Rotation, n_lines: u32) -> Vec<String> {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("portcullis-rotation-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("x.log");
        for line in 0..n_lines {
            append(&path, rotation, format!("line {line:04}\n").as_bytes()).unwrap();
        }
        let mut all = vec![fs::read_to_string(&path).unwrap()];
        all.extend((1..9).map_while(|it| fs::read_to_string(numbered(&path, it)).ok()));
        let n_files = fs::read_dir(&folder).unwrap().count();
        assert_eq!(n_files, all.len(), "no other file is left");
        fs::remove_dir_all(folder).unwrap();
        all
    }

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_goes() {
        let of = |from: u32, to: u32| -> String {
            (from..to).map(|it| format!("line {it:04}\n")).collect()
        };
        for (max_bytes, max_files, expected) in [
            (0, 3, vec![of(0, 7)]),
            (1000, 3, vec![of(0, 7)]),
            (29, 3, vec![of(6, 7), of(4, 6), of(2, 4)]),
            (20, 9, vec![of(6, 7), of(4, 6), of(2, 4), of(0, 2)]),
            (20, 1, vec![of(6, 7)]),
            (20, 0, vec![of(6, 7)]),
            // A piece that is longer than the bound has a file of its own.
            (5, 2, vec![of(6, 7), of(5, 6)]),
        ] {
            let rotation = Rotation { max_bytes, max_files };
            assert_eq!(written(rotation, 7), expected, "{rotation:?}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_written_is_an_error() {
        let path = std::env::temp_dir().join("portcullis-no-such-folder").join("x.log");
        assert!(append(&path, Rotation { max_bytes: 1, max_files: 2 }, b"x").is_err());
    }
}
