//! Writing the access log without holding up a request.
//!
//! A request thread formats its line into a buffer in memory; a thread of its own empties the
//! buffers in batches. If the disk is slower than the requests, lines are dropped and counted:
//! the log must never be what stops the gateway.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use serde::Serialize;

use crate::{AccessRecord, LogEvent, Outbox, TraceContext, Value};

/// Buffers; each thread sticks to one, so that threads seldom meet.
const N_SHARDS: usize = 16;

/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(50);

/// Where the log goes.
pub enum Sink {
    /// Standard output.
    Stdout,
    /// A file, which is appended to and made if it is not there.
    File(PathBuf),
    /// Anything else that takes bytes.
    Writer(Box<dyn Write + Send>),
    /// Nowhere: only to the outbox, if there is one.
    Nowhere,
}

/// A log of one JSON object per line.
pub struct AccessLog {
    shared: Arc<Shared>,
    /// None if nothing is written.
    writer: Option<JoinHandle<()>>,
    outbox: Option<Arc<Outbox>>,
}

struct Shared {
    shards: [Mutex<Vec<u8>>; N_SHARDS],
    max_shard_bytes: usize,
    n_dropped: AtomicU64,
    /// The writer has found all buffers empty and sleeps until it is woken.
    is_parked: AtomicBool,
    is_closed: AtomicBool,
}

impl AccessLog {
    /// Opens a log that holds back at most `max_bytes` of lines not yet written.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened or the system gives no thread.
    pub fn new(sink: Sink, max_bytes: usize) -> io::Result<Self> {
        let sink: Option<Box<dyn Write + Send>> = match sink {
            Sink::Stdout => Some(Box::new(io::stdout())),
            Sink::File(path) => {
                Some(Box::new(OpenOptions::new().create(true).append(true).open(path)?))
            }
            Sink::Writer(writer) => Some(writer),
            Sink::Nowhere => None,
        };
        let shared = Arc::new(Shared {
            shards: Default::default(),
            max_shard_bytes: max_bytes / N_SHARDS,
            n_dropped: AtomicU64::new(0),
            is_parked: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        });
        let work = shared.clone();
        let start = |sink| {
            let thread = std::thread::Builder::new().name("access-log".to_owned());
            thread.spawn(move || work.run(sink))
        };
        Ok(Self { shared, writer: sink.map(start).transpose()?, outbox: None })
    }

    /// Puts every record into the outbox, too, if that wants logs.
    #[must_use]
    pub fn with_outbox(mut self, outbox: Option<Arc<Outbox>>) -> Self {
        self.outbox = outbox.filter(|it| it.wants_logs);
        self
    }

    /// Adds a line, or counts it as dropped if the writer is too far behind.
    pub fn write(&self, record: &AccessRecord<'_>, context: Option<TraceContext>) {
        if let Some(outbox) = &self.outbox {
            outbox.log(event(record, context));
        }
        self.write_line(record);
    }

    /// Adds a line of another kind, only to what is written: the outbox does not get it. Gives
    /// whether there was room, which there is if nothing is written at all.
    pub fn write_line(&self, record: &impl Serialize) -> bool {
        if self.writer.is_none() {
            return true;
        }
        if !self.shared.add(record) {
            self.shared.n_dropped.fetch_add(1, Relaxed);
            return false;
        }
        if self.shared.is_parked.swap(false, Relaxed) {
            self.writer().inspect(|it| it.unpark());
        }
        true
    }

    /// Whether lines are written anywhere.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.writer.is_some()
    }

    /// Lines that were dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.n_dropped.load(Relaxed)
    }

    fn writer(&self) -> Option<&Thread> {
        self.writer.as_ref().map(JoinHandle::thread)
    }
}

impl Drop for AccessLog {
    /// Writes what is left.
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Relaxed);
        if let Some(writer) = self.writer.take() {
            writer.thread().unpark();
            // A panic of the writer has been reported by its thread.
            let _ = writer.join();
        }
    }
}

impl std::fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccessLog(dropped: {})", self.dropped())
    }
}

impl Shared {
    fn add(&self, record: &impl Serialize) -> bool {
        let Some(shard) = self.shards.get(own_shard()) else { return false };
        let mut buffer = lock(shard);
        let n_before = buffer.len();
        let is_written = serde_json::to_writer(&mut *buffer, record).is_ok();
        buffer.push(b'\n');
        if is_written && buffer.len() <= self.max_shard_bytes {
            return true;
        }
        buffer.truncate(n_before);
        false
    }

    fn run(&self, mut sink: Box<dyn Write + Send>) {
        let mut batch = Vec::new();
        loop {
            // Asked before the buffers are emptied: lines added until then are not lost.
            let is_closed = self.is_closed.load(Relaxed);
            for shard in &self.shards {
                std::mem::swap(&mut *lock(shard), &mut batch);
                if !batch.is_empty() && sink.write_all(&batch).is_err() {
                    let n_lines = batch.iter().filter(|it| **it == b'\n').count() as u64;
                    self.n_dropped.fetch_add(n_lines, Relaxed);
                }
                batch.clear();
            }
            // A sink that cannot flush has failed to write before, which was counted.
            let _ = sink.flush();
            if is_closed {
                return;
            }
            self.is_parked.store(true, Relaxed);
            if self.shards.iter().all(|it| lock(it).is_empty()) && !self.is_closed.load(Relaxed) {
                // Bounded, in case the wake-up fell between the two looks.
                std::thread::park_timeout(Duration::from_secs(1));
            }
            self.is_parked.store(false, Relaxed);
            if !self.is_closed.load(Relaxed) {
                std::thread::sleep(GATHER);
            }
        }
    }
}

/// The record as an event, whose attributes are the columns.
fn event(record: &AccessRecord<'_>, context: Option<TraceContext>) -> LogEvent {
    let columns = match serde_json::to_value(record) {
        Ok(serde_json::Value::Object(columns)) => columns,
        _ => serde_json::Map::new(),
    };
    LogEvent {
        time: record.time_generated,
        name: record.category,
        body: format!("{} {} {}", record.method, record.url, record.response_code),
        attributes: columns.into_iter().map(|(name, it)| (name.into(), value(it))).collect(),
        context,
    }
}

/// A value of JSON as that of an attribute; lists and objects as their text.
pub(crate) fn value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Bool(it) => Value::Bool(it),
        serde_json::Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(n), _) => Value::Int(n),
            (None, Some(n)) => Value::Double(n),
            (None, None) => Value::Text(n.to_string()),
        },
        other => Value::Text(other.to_string()),
    }
}

fn lock(shard: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn own_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Relaxed) % N_SHARDS;
    }
    OWN.with(|it| *it)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};
    use std::time::SystemTime;

    use super::{AccessLog, Sink};
    use crate::{AccessRecord, Outbox, Value};

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(max_bytes: usize, ids: &[&str]) -> (Vec<serde_json::Value>, u64) {
        let memory = Memory::default();
        let log = AccessLog::new(Sink::Writer(Box::new(memory.clone())), max_bytes).unwrap();
        for id in ids {
            log.write(&AccessRecord::new(SystemTime::UNIX_EPOCH, id), None);
        }
        let n_dropped = log.dropped();
        drop(log);
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        (text.lines().map(|it| serde_json::from_str(it).unwrap()).collect(), n_dropped)
    }

    #[test]
    fn every_record_is_a_line_and_none_is_lost_at_the_end() {
        let (lines, n_dropped) = lines(1 << 20, &["a", "b", "new\nline"]);
        let ids: Vec<_> = lines.iter().map(|it| it["CorrelationId"].as_str().unwrap()).collect();
        assert_eq!(ids, ["a", "b", "new\nline"]);
        assert_eq!(n_dropped, 0);
    }

    #[test]
    fn the_outbox_gets_the_columns_as_attributes() {
        let outbox = Arc::new(Outbox::new(None, true, 10));
        let log = AccessLog::new(Sink::Nowhere, 0).unwrap().with_outbox(Some(outbox.clone()));
        log.write(&AccessRecord::new(SystemTime::UNIX_EPOCH, "id"), None);
        assert_eq!(log.dropped(), 0);
        let event = outbox.take_logs().pop().unwrap();
        assert_eq!(event.name, "GatewayLogs");
        let found = |name: &str| event.attributes.iter().find(|it| it.0 == name).map(|it| &it.1);
        assert_eq!(found("CorrelationId"), Some(&Value::Text("id".to_owned())));
        assert_eq!(found("ResponseCode"), Some(&Value::Int(0)));
        assert_eq!(found("IsRequestSuccess"), Some(&Value::Bool(false)));
    }

    #[test]
    fn lines_of_other_kinds_go_to_the_same_place() {
        let memory = Memory::default();
        let log = AccessLog::new(Sink::Writer(Box::new(memory.clone())), 1 << 10).unwrap();
        assert!(log.is_written() && log.write_line(&serde_json::json!({ "a": 1 })));
        assert!(!log.write_line(&"x".repeat(100)), "a shard has 64 bytes");
        assert_eq!(log.dropped(), 1);
        drop(log);
        assert_eq!(*memory.0.lock().unwrap(), b"{\"a\":1}\n");
        let nowhere = AccessLog::new(Sink::Nowhere, 0).unwrap();
        assert!(!nowhere.is_written() && nowhere.write_line(&1));
    }

    #[test]
    fn lines_beyond_the_bound_are_dropped_and_counted() {
        assert_eq!(lines(0, &["a", "b"]), (vec![], 2));
    }
}
