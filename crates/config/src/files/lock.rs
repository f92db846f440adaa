//! One writer at a time, and no reader meanwhile, across processes. The system gives a lock back
//! when its holder is killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::FilesError;

/// How long a lock is waited for: so many times so long.
const TRIES: u32 = 500;
const WAIT: Duration = Duration::from_millis(10);

/// A lock, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock {
    /// The lock of a writer. The file is made if it is not there.
    pub(super) fn to_write(path: &Path) -> Result<Self, FilesError> {
        Self::to_write_within(path, TRIES)
    }

    fn to_write_within(path: &Path, tries: u32) -> Result<Self, FilesError> {
        let system = |error: io::Error| FilesError::System {
            what: "the folder cannot be locked".to_owned(),
            reason: error.to_string(),
        };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(system)?;
        match hold(tries, || file.try_lock()) {
            Held::Yes => Ok(Self(file)),
            Held::No => Err(FilesError::Busy),
            Held::Never(error) => Err(system(error)),
        }
    }

    /// The lock of a reader; none if nobody has written here yet, or the file system has no locks.
    pub(super) fn to_read(path: &Path) -> Result<Option<Self>, FilesError> {
        Self::to_read_within(path, TRIES)
    }

    fn to_read_within(path: &Path, tries: u32) -> Result<Option<Self>, FilesError> {
        let Ok(file) = File::open(path) else { return Ok(None) };
        match hold(tries, || file.try_lock_shared()) {
            Held::Yes => Ok(Some(Self(file))),
            Held::No => Err(FilesError::Busy),
            Held::Never(_) => Ok(None),
        }
    }
}

enum Held {
    Yes,
    No,
    Never(io::Error),
}

fn hold(tries: u32, attempt: impl Fn() -> Result<(), TryLockError>) -> Held {
    for n in 0..tries {
        match attempt() {
            Ok(()) => return Held::Yes,
            Err(TryLockError::Error(error)) => return Held::Never(error),
            Err(TryLockError::WouldBlock) if n + 1 < tries => std::thread::sleep(WAIT),
            Err(TryLockError::WouldBlock) => {}
        }
    }
    Held::No
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_share_and_a_writer_is_alone() {
        let path = std::env::temp_dir().join(format!("portcullis-lock-{}", std::process::id()));
        assert!(matches!(Lock::to_read_within(&path, 1), Ok(None)));
        let writer = Lock::to_write_within(&path, 1).unwrap();
        assert_eq!(Lock::to_write_within(&path, 1).unwrap_err(), FilesError::Busy);
        assert_eq!(Lock::to_read_within(&path, 1).unwrap_err(), FilesError::Busy);
        drop(writer);
        let readers = [Lock::to_read_within(&path, 1), Lock::to_read_within(&path, 1)];
        assert!(readers.iter().all(|it| matches!(it, Ok(Some(_)))));
        assert_eq!(Lock::to_write_within(&path, 1).unwrap_err(), FilesError::Busy);
        drop(readers);
        assert!(Lock::to_write_within(&path, 1).is_ok());
        std::fs::remove_file(path).unwrap();
    }
}
