//! Events on their way to loggers: queued at once, sent together later.
//!
//! ```text
//! log-to-eventhub ─push─▶ Queue (bounded) ─drain (a task, while there is something)─▶ event hub or file
//! ```
//!
//! A logger has one queue in a process; it outlives configurations. What cannot be sent within a
//! few tries is dropped, counted and logged; a request never notices. A gateway that ends sends
//! what waits at once, and waits for it as long as it drains.

mod deliver;
mod queue;
mod sas;

pub(crate) use queue::{Event, Partition, Queues};

use pipeline::EventSink;

/// Queues lines of JSON that do not come from a policy.
pub(crate) const SINK: EventSink = EventSink(|logger, line, services| {
    let queues: std::sync::Arc<Queues> = services.extensions().shared();
    let event = Event { partition: Partition::Any, text: line, is_line: true };
    queues.of(logger).push(event, logger, services)
});
