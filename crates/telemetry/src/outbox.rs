//! Spans and log events that wait to be sent.
//!
//! A request puts them here and goes on: it never waits for who sends them and wakes nobody. Who
//! sends looks in from time to time. If it falls behind, new ones are dropped and counted.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::trace::{Sampler, SpanRecord, TraceContext, Value};

/// Parts of a queue; each thread sticks to one, so that threads seldom meet.
const N_SHARDS: usize = 8;
/// Most bytes of log events that wait.
pub const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// A log event.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEvent {
    /// When it happened.
    pub time: SystemTime,
    /// Its kind, such as `GatewayLogs`.
    pub name: &'static str,
    /// One line for people.
    pub body: String,
    /// What it says.
    pub attributes: Vec<(Cow<'static, str>, Value)>,
    /// The span that it belongs to.
    pub context: Option<TraceContext>,
}

impl LogEvent {
    /// About how many bytes it takes.
    fn size(&self) -> usize {
        let value = |it: &Value| match it {
            Value::Text(text) => text.len(),
            Value::List(all) => all.iter().map(|it| it.len() + 24).sum(),
            Value::Int(_) | Value::Double(_) | Value::Bool(_) => 8,
        };
        let attributes = self.attributes.iter().map(|it| it.0.len() + value(&it.1) + 48);
        self.body.len() + attributes.sum::<usize>() + 96
    }
}

/// What waits to be sent, and what is wanted at all.
pub struct Outbox {
    /// Which traces are kept; none: no spans at all.
    pub sampler: Option<Sampler>,
    /// Whether the access log and others are wanted.
    pub wants_logs: bool,
    spans: Queue<SpanRecord>,
    logs: Queue<LogEvent>,
}

struct Queue<T> {
    shards: [Mutex<Vec<T>>; N_SHARDS],
    max_per_shard: usize,
    n_bytes: AtomicUsize,
    n_dropped: AtomicU64,
}

impl Outbox {
    /// An empty one that holds at most `max_waiting` spans and as many log events.
    #[must_use]
    pub fn new(sampler: Option<Sampler>, wants_logs: bool, max_waiting: usize) -> Outbox {
        Outbox {
            sampler,
            wants_logs,
            spans: Queue::new(max_waiting),
            logs: Queue::new(max_waiting),
        }
    }

    /// Puts a span in, if there is room.
    pub fn span(&self, span: SpanRecord) {
        self.spans.put(span, 0);
    }

    /// Puts a log event in, if there is room. Gives whether there was.
    pub fn log(&self, event: LogEvent) -> bool {
        let size = event.size();
        self.logs.put(event, size)
    }

    /// Takes all spans out.
    #[must_use]
    pub fn take_spans(&self) -> Vec<SpanRecord> {
        self.spans.take()
    }

    /// Takes all log events out.
    #[must_use]
    pub fn take_logs(&self) -> Vec<LogEvent> {
        self.logs.take()
    }

    /// How many spans and log events found no room so far.
    #[must_use]
    pub fn dropped(&self) -> (u64, u64) {
        (self.spans.n_dropped.load(Relaxed), self.logs.n_dropped.load(Relaxed))
    }
}

impl<T> Queue<T> {
    fn new(max: usize) -> Queue<T> {
        Queue {
            shards: Default::default(),
            max_per_shard: max.div_ceil(N_SHARDS),
            n_bytes: AtomicUsize::new(0),
            n_dropped: AtomicU64::new(0),
        }
    }

    fn put(&self, it: T, n_bytes: usize) -> bool {
        let fits = self.n_bytes.load(Relaxed).saturating_add(n_bytes) <= MAX_WAITING_BYTES;
        if let Some(shard) = self.shards.get(own_shard()).filter(|_| fits) {
            let mut waiting = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() < self.max_per_shard {
                waiting.push(it);
                self.n_bytes.fetch_add(n_bytes, Relaxed);
                return true;
            }
        }
        self.n_dropped.fetch_add(1, Relaxed);
        false
    }

    fn take(&self) -> Vec<T> {
        let mut all = Vec::new();
        self.n_bytes.store(0, Relaxed);
        for shard in &self.shards {
            let taken = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            all.extend(taken);
        }
        all
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbox(dropped: {:?})", self.dropped())
    }
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
    use super::*;

    fn event(body: String) -> LogEvent {
        LogEvent {
            time: SystemTime::UNIX_EPOCH,
            name: "x",
            body,
            attributes: vec![],
            context: None,
        }
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let outbox = Outbox::new(None, true, N_SHARDS * 2);
        for n in 0..5 {
            outbox.log(event(n.to_string()));
        }
        let taken: Vec<_> = outbox.take_logs().into_iter().map(|it| it.body).collect();
        assert_eq!(taken, ["0", "1"]);
        assert_eq!(outbox.dropped(), (0, 3));
        outbox.log(event("again".to_owned()));
        assert_eq!(outbox.take_logs().len(), 1);
        assert!(outbox.take_logs().is_empty() && outbox.take_spans().is_empty());
    }

    #[test]
    fn large_events_are_bounded_in_bytes() {
        let outbox = Outbox::new(None, true, 1000);
        for _ in 0..40 {
            outbox.log(event("x".repeat(1 << 20)));
        }
        assert_eq!((outbox.take_logs().len(), outbox.dropped().1), (31, 9));
    }
}
