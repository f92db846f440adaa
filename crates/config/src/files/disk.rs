//! The operations on the file system that a write consists of. Each is one place where a process
//! can be killed, so the tests replace them, one at a time.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// What a write does to the file system.
pub(super) trait Disk: Send + Sync + fmt::Debug {
    /// Makes one folder; one that is there is no error.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Makes or replaces a file, with the permissions of `like` if that is there, and has it
    /// written through.
    fn write_file(&self, path: &Path, text: &[u8], like: Option<&Path>) -> io::Result<()>;
    /// Puts a file in the place of another.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file; one that is not there is no error.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder if it is empty; one that is not there is no error.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
    /// Has the names in a folder written through.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The real one.
#[derive(Debug)]
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            done => done,
        }
    }

    fn write_file(&self, path: &Path, text: &[u8], like: Option<&Path>) -> io::Result<()> {
        let mut file = File::create(path)?;
        if let Some(like) = like.and_then(|it| fs::metadata(it).ok()) {
            file.set_permissions(like.permissions())?;
        }
        file.write_all(text)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        absent_is_fine(fs::remove_file(path))
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        match fs::remove_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            done => absent_is_fine(done),
        }
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        absent_is_fine(File::open(path).and_then(|it| it.sync_all()))
    }
}

fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// What happens at the chosen operation.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Trouble {
        /// The process is killed: this and all that come after do nothing. A file that is being
        /// written is half there.
        Killed,
        /// The operation fails; those that come after do not.
        Fails,
    }

    /// A disk with trouble at one operation. Nothing is written through: it costs the tests time,
    /// and a process that is killed does not lose what the system has.
    #[derive(Debug)]
    pub(crate) struct BadDisk {
        pub(crate) trouble: Trouble,
        pub(crate) at: usize,
        n_done: AtomicUsize,
    }

    impl BadDisk {
        pub(crate) fn new(trouble: Trouble, at: usize) -> Self {
            Self { trouble, at, n_done: AtomicUsize::new(0) }
        }

        /// One without trouble.
        pub(crate) fn good() -> Self {
            Self::new(Trouble::Killed, usize::MAX)
        }

        /// Whether the chosen operation has come.
        pub(crate) fn is_reached(&self) -> bool {
            self.n_done.load(Ordering::SeqCst) > self.at
        }

        fn step(&self) -> io::Result<()> {
            let n = self.n_done.fetch_add(1, Ordering::SeqCst);
            let is_bad = match self.trouble {
                Trouble::Killed => n >= self.at,
                Trouble::Fails => n == self.at,
            };
            if is_bad { Err(io::Error::other("trouble")) } else { Ok(()) }
        }
    }

    impl Disk for BadDisk {
        fn create_folder(&self, path: &Path) -> io::Result<()> {
            self.step()?;
            RealDisk.create_folder(path)
        }

        fn write_file(&self, path: &Path, text: &[u8], like: Option<&Path>) -> io::Result<()> {
            let is_first = !self.is_reached();
            self.step().inspect_err(|_| {
                if is_first {
                    let half = text.get(..text.len() / 2).unwrap_or_default();
                    let _ = fs::write(path, half);
                }
            })?;
            let like = like.filter(|it| it.exists());
            like.map_or(Ok(()), |it| fs::copy(it, path).map(|_| ()))?;
            fs::write(path, text)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.step()?;
            RealDisk.rename(from, to)
        }

        fn remove_file(&self, path: &Path) -> io::Result<()> {
            self.step()?;
            RealDisk.remove_file(path)
        }

        fn remove_folder(&self, path: &Path) -> io::Result<()> {
            self.step()?;
            RealDisk.remove_folder(path)
        }

        fn sync_folder(&self, path: &Path) -> io::Result<()> {
            assert!(path.is_dir() || !path.exists());
            self.step()
        }
    }
}
