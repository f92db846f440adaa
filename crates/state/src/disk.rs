//! Quotas that survive the end of the process: counted in memory, written to a file behind it.
//!
//! A thread of its own writes what changed, all of it in one transaction, once in
//! [`WRITE_EVERY`] and at the end. So no request ever waits for the disk, and a process that is
//! killed forgets at most what it counted in the last second (and what the disk was still
//! writing). If the file cannot be written, counting goes on, the log says so once, and every
//! later attempt includes what is missing.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::counters::{Counters, QuotaCall, QuotaStandings, RateCall, Reply, Standings};
use crate::memory::{MemoryCounters, QuotaCounter};
use crate::period;
use crate::tokens::{TokenCall, TokenStanding};

/// How often what changed is written.
pub const WRITE_EVERY: Duration = Duration::from_secs(1);

/// Group and member; start and length of the period in milliseconds, calls, bytes.
const QUOTAS: TableDefinition<'static, (&str, &str), (i64, u64, u64, u64)> =
    TableDefinition::new("quotas-1");

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the file of quotas `{}`: {why}", .path.display())]
pub struct DiskError {
    path: PathBuf,
    why: String,
}

/// Counters in this process whose quotas are also in a file.
pub struct DiskCounters {
    memory: Arc<MemoryCounters>,
    writer: Arc<Writer>,
    /// Dropped to end the thread.
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Counters by group and member.
type Rows = HashMap<(Box<str>, Box<str>), QuotaCounter>;

struct Writer {
    database: Database,
    path: PathBuf,
    memory: Arc<MemoryCounters>,
    /// What an attempt could not write.
    missing: Mutex<Rows>,
    is_failing: AtomicBool,
}

impl DiskCounters {
    /// Opens the file, or makes it, and reads the quotas whose period still runs. At most
    /// `max_keys` are kept.
    ///
    /// # Errors
    ///
    /// The file cannot be made or read, is none of ours, or another process has it open.
    pub fn open(path: &Path, max_keys: usize, now_ms: i64) -> Result<DiskCounters, DiskError> {
        let failed =
            |why: &dyn fmt::Display| DiskError { path: path.to_owned(), why: why.to_string() };
        if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|it| failed(&it))?;
        }
        let database = Database::create(path).map_err(|it| failed(&it))?;
        let memory = Arc::new(MemoryCounters::new(max_keys));
        restore(&database, &memory, now_ms).map_err(|it| failed(&it))?;
        let writer = Arc::new(Writer {
            database,
            path: path.to_owned(),
            memory: Arc::clone(&memory),
            missing: Mutex::default(),
            is_failing: AtomicBool::new(false),
        });
        let (wake, woken) = mpsc::sync_channel(1);
        let of_thread = Arc::clone(&writer);
        let thread = std::thread::Builder::new()
            .name("quotas".to_owned())
            .spawn(move || {
                while woken.recv_timeout(WRITE_EVERY) != Err(RecvTimeoutError::Disconnected) {
                    of_thread.write();
                }
                of_thread.write();
            })
            .map_err(|it| failed(&it))?;
        Ok(DiskCounters { memory, writer, wake: Some(wake), thread: Some(thread) })
    }
}

impl Counters for DiskCounters {
    fn is_here(&self) -> bool {
        true
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn flush(&self) {
        self.writer.write();
    }

    fn rates<'a>(&'a self, call: RateCall<'a>) -> Reply<'a, Standings> {
        self.memory.rates(call)
    }

    fn quotas<'a>(&'a self, call: QuotaCall<'a>) -> Reply<'a, QuotaStandings> {
        self.memory.quotas(call)
    }

    fn tokens<'a>(&'a self, call: TokenCall<'a>) -> Reply<'a, TokenStanding> {
        self.memory.tokens(call)
    }
}

impl Drop for DiskCounters {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // The thread has nothing to tell; it never panics.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for DiskCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskCounters")
            .field("path", &self.writer.path)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

/// Reads what still counts, and drops what does not.
fn restore(
    database: &Database,
    memory: &MemoryCounters,
    now_ms: i64,
) -> Result<(), Box<dyn std::error::Error>> {
    let writing = database.begin_write()?;
    {
        let mut table = writing.open_table(QUOTAS)?;
        table.retain(|_, (start, length, _, _)| !period::is_over(start, length, now_ms))?;
    }
    writing.commit()?;
    let reading = database.begin_read()?;
    for row in reading.open_table(QUOTAS)?.iter()? {
        let (key, value) = row?;
        let (group, member) = key.value();
        let (start_ms, length_ms, calls, bytes) = value.value();
        let it = QuotaCounter { start_ms, length_ms, calls, bytes, is_new: false };
        let made = memory
            .quotas
            .group(group)
            .and_then(|mut group| group.counter(member, || it).ok().map(|_| ()));
        if made.is_none() {
            tracing::warn!("the file holds more quotas than may be kept; the rest is forgotten");
            break;
        }
    }
    Ok(())
}

impl Writer {
    fn write(&self) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        self.memory.quotas.each(|entry| {
            if entry.value.is_new {
                entry.value.is_new = false;
                missing.insert((entry.group.clone(), entry.member.clone()), entry.value);
            }
        });
        if missing.is_empty() {
            return;
        }
        match self.write_rows(&missing) {
            Ok(()) => {
                missing.clear();
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(path = %self.path.display(), "quotas are written again");
                }
            }
            Err(error) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(path = %self.path.display(), %error, "quotas cannot be written");
                }
            }
        }
    }

    fn write_rows(&self, rows: &Rows) -> Result<(), Box<dyn std::error::Error>> {
        let writing = self.database.begin_write()?;
        {
            let mut table = writing.open_table(QUOTAS)?;
            for ((group, member), it) in rows {
                let row = (it.start_ms, it.length_ms, it.calls, it.bytes);
                table.insert((&**group, &**member), row)?;
            }
        }
        writing.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::{Exceeded, Period, Quota, QuotaCharge};

    const HOUR_MS: i64 = 3_600_000;

    /// A file that goes away with the test.
    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> File {
            let name = format!("portcullis-{name}-{}.redb", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _ = std::fs::remove_file(&path);
            File(path)
        }

        fn open(&self, max_keys: usize, now_ms: i64) -> DiskCounters {
            DiskCounters::open(&self.0, max_keys, now_ms).unwrap()
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn take(it: &DiskCounters, group: &str, now_ms: i64) -> Option<Exceeded> {
        let length = Some(Duration::from_secs(3600));
        let period = Period { origin_ms: 0, length };
        let quotas = [Quota { member: "", calls: Some(2), bytes: Some(9), period }];
        let charge = QuotaCharge::IfRoom(1);
        match it.quotas(QuotaCall { group, quotas: &quotas, charge, now_ms }) {
            Reply::Now(Ok(it)) => it[0].exceeded,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_used_is_known_after_a_restart_and_forgotten_with_its_period() {
        let file = File::new("restart");
        let first = file.open(10, 5);
        assert_eq!((take(&first, "a", 5), take(&first, "a", 6)), (None, None));
        assert_eq!((take(&first, "b", 7), take(&first, "a", 8)), (None, Some(Exceeded::Calls)));
        drop(first);

        let second = file.open(10, 9);
        assert_eq!(second.memory.n_keys(), (0, 2));
        assert_eq!((take(&second, "a", 9), take(&second, "b", 9)), (Some(Exceeded::Calls), None));
        assert_eq!(take(&second, "a", HOUR_MS), None);
        drop(second);

        let third = file.open(10, 2 * HOUR_MS);
        assert_eq!(third.memory.n_keys(), (0, 0));
    }

    #[test]
    fn a_process_that_is_killed_keeps_what_was_written() {
        let file = File::new("killed");
        let first = file.open(10, 0);
        take(&first, "a", 0);
        take(&first, "a", 0);
        first.flush();
        // The file as a killed process leaves it.
        let copy = File::new("killed-copy");
        std::fs::copy(&file.0, &copy.0).unwrap();
        assert_eq!(take(&copy.open(10, 1), "a", 1), Some(Exceeded::Calls));
    }

    #[test]
    fn a_file_has_one_process_and_is_ours() {
        let file = File::new("two");
        let first = file.open(10, 0);
        let error = DiskCounters::open(&file.0, 10, 0).unwrap_err().to_string();
        assert!(error.starts_with("the file of quotas `"), "{error}");
        drop(first);

        let other = File::new("other");
        std::fs::write(&other.0, "something else entirely").unwrap();
        assert!(DiskCounters::open(&other.0, 10, 0).is_err());
    }

    #[test]
    fn no_more_keys_are_read_than_may_be_kept() {
        let file = File::new("many");
        let first = file.open(10, 0);
        for group in ["a", "b", "c"] {
            take(&first, group, 0);
        }
        drop(first);
        assert_eq!(file.open(2, 1).memory.n_keys(), (0, 2));
    }
}
