//! The queue of one logger, and the task that empties it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipeline::{Background, LogTarget, Logger, Services};
use telemetry::Metrics;

use super::deliver::{Failure, deliver};

/// Most events that wait for one logger.
const MAX_EVENTS: usize = 10_000;
/// Most bytes that they hold.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes that are sent together, counted as they are sent.
const MAX_BATCH_BYTES: usize = 240 * 1024;
/// How long events wait for others, if the logger buffers.
const GATHERING: Duration = Duration::from_secs(1);
/// Waits between the tries of a batch.
const RETRY_WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

const SENT: &str = "portcullis_logged_events_total";
const DROPPED: &str = "portcullis_logged_events_dropped_total";

/// Which partition of an event hub an event goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Partition {
    /// Any.
    #[default]
    Any,
    /// This one.
    Id(String),
    /// The one of this key.
    Key(String),
}

/// What is logged.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) partition: Partition,
    pub(crate) text: String,
    /// The text is a line of JSON: a file gets it as it is.
    pub(crate) is_line: bool,
}

impl Event {
    /// Bytes of it in a batch, about: quotes and names, and escaped characters.
    fn n_bytes(&self) -> usize {
        let escaped = self.text.bytes().filter(|it| matches!(it, b'"' | b'\\' | 0..=31)).count();
        self.text.len() + 5 * escaped + 16
    }
}

/// The queues of a process, by where they lead.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<HashMap<String, Arc<Queue>>>);

impl Queues {
    /// The queue of a logger.
    pub(crate) fn of(&self, logger: &Logger) -> Arc<Queue> {
        let name = match &logger.target {
            LogTarget::EventHub(hub) => hub.url.to_string(),
            LogTarget::File(file) => file.path.display().to_string(),
            LogTarget::Own | LogTarget::Unread | LogTarget::Unusable(_) => String::new(),
        };
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.entry(name).or_default().clone()
    }
}

/// Events that wait.
#[derive(Debug, Default)]
pub(crate) struct Queue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    n_bytes: usize,
    n_dropped: u64,
    is_draining: bool,
}

impl Queue {
    /// Adds an event, or drops it if too many wait, and starts the task that sends them. Gives
    /// whether it was added.
    pub(crate) fn push(
        self: &Arc<Queue>,
        event: Event,
        logger: &Arc<Logger>,
        services: &Arc<Services>,
    ) -> bool {
        let metrics: Arc<Metrics> = services.extensions().shared();
        let must_start = {
            let mut state = self.state();
            let n_bytes = event.n_bytes();
            if state.events.len() >= MAX_EVENTS || state.n_bytes + n_bytes > MAX_BYTES {
                state.drop_events(1, &logger.id, "too many wait");
                metrics.count(DROPPED);
                return false;
            }
            state.n_bytes += n_bytes;
            state.events.push_back(event);
            !std::mem::replace(&mut state.is_draining, true)
        };
        if must_start {
            let task = Drain {
                queue: self.clone(),
                logger: logger.clone(),
                services: services.clone(),
                is_done: false,
            };
            let background: Arc<Background> = services.extensions().shared();
            background.spawn(task.run(metrics, background.clone()));
        }
        true
    }

    /// The next events that can go together: of one partition, in order.
    fn take(&self) -> Vec<Event> {
        let mut state = self.state();
        let (mut batch, mut n_batch_bytes) = (Vec::<Event>::new(), 0);
        while let Some(event) = state.events.front() {
            let n_bytes = event.n_bytes();
            let fits = batch.first().is_none_or(|first| {
                first.partition == event.partition && n_batch_bytes + n_bytes <= MAX_BATCH_BYTES
            });
            if !fits {
                break;
            }
            n_batch_bytes += n_bytes;
            batch.extend(state.events.pop_front());
        }
        state.n_bytes = state.n_bytes.saturating_sub(n_batch_bytes);
        batch
    }

    /// Whether nothing is left; then the next event starts a task again.
    fn is_done(&self) -> bool {
        let mut state = self.state();
        let is_done = state.events.is_empty();
        state.is_draining = !is_done;
        is_done
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_events(&mut self, n: u64, logger: &str, why: &str) {
        let before = self.n_dropped;
        self.n_dropped += n;
        // Rarer and rarer, so that an outage does not fill the log.
        if before == 0 || before.ilog2() < self.n_dropped.ilog2() {
            tracing::warn!(logger, dropped = self.n_dropped, why, "logged events are dropped");
        }
    }
}

/// The task that empties a queue.
struct Drain {
    queue: Arc<Queue>,
    logger: Arc<Logger>,
    services: Arc<Services>,
    /// The queue was empty, and says so itself.
    is_done: bool,
}

impl Drain {
    async fn run(mut self, metrics: Arc<Metrics>, background: Arc<Background>) {
        loop {
            if self.logger.is_buffered {
                tokio::select! {
                    () = self.services.clock.sleep(GATHERING) => {}
                    () = background.closing() => {}
                }
            }
            loop {
                let batch = self.queue.take();
                if batch.is_empty() {
                    break;
                }
                let n = batch.len() as u64;
                match self.send(&batch).await {
                    Ok(()) => metrics.add(SENT, n),
                    Err(failure) => {
                        metrics.add(DROPPED, n);
                        self.queue.state().drop_events(n, &self.logger.id, &failure.to_string());
                    }
                }
            }
            self.is_done = self.queue.is_done();
            if self.is_done {
                return;
            }
        }
    }

    async fn send(&self, batch: &[Event]) -> Result<(), Failure> {
        for wait in RETRY_WAITS {
            match deliver(&self.logger, batch, &self.services).await {
                Err(failure) if failure.is_temporary() => self.services.clock.sleep(wait).await,
                other => return other,
            }
        }
        deliver(&self.logger, batch, &self.services).await
    }
}

impl Drop for Drain {
    /// A task that was given up: the next event starts another one.
    fn drop(&mut self) {
        if !self.is_done {
            self.queue.state().is_draining = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline::{EventHub, NoForward};
    use transport::{FakeClient, FakeClock};

    use super::*;

    fn event(partition: Partition, text: impl Into<String>) -> Event {
        Event { partition, text: text.into(), is_line: false }
    }

    fn services(statuses: &'static [u16]) -> (Arc<Services>, FakeClient, FakeClock) {
        let n = std::sync::atomic::AtomicUsize::new(0);
        let client = FakeClient::new(move |_| {
            let at = n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut response = transport::Response::new(transport::Body::empty());
            *response.status_mut() = statuses[at.min(statuses.len() - 1)].try_into().unwrap();
            Ok(response)
        });
        let clock = FakeClock::at_unix(1_700_000_000);
        let shared = Arc::new(client.clone());
        let services = Services::new(shared, Arc::new(clock.clone()), Arc::new(NoForward));
        (Arc::new(services), client, clock)
    }

    fn hub(is_buffered: bool) -> Arc<Logger> {
        let text = "Endpoint=sb://n/;SharedAccessKeyName=s;SharedAccessKey=k;EntityPath=h";
        let target = LogTarget::EventHub(EventHub::from_connection_string(text, None).unwrap());
        Arc::new(Logger { id: "l".to_owned(), is_buffered, target })
    }

    /// Gives the task its turns, and moves the clock on.
    async fn pass(clock: &FakeClock, seconds: u64) {
        for _ in 0..seconds * 4 {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            clock.advance(Duration::from_millis(250));
        }
    }

    fn counted(services: &Services, name: &str) -> String {
        let metrics: Arc<Metrics> = services.extensions().shared();
        let text = metrics.prometheus();
        let line = text.lines().find(|it| it.starts_with(&format!("{name} ")));
        line.and_then(|it| it.split(' ').nth(1)).unwrap_or("0").to_owned()
    }

    #[tokio::test]
    async fn events_are_gathered_and_sent_by_partition_in_order() {
        let (services, client, clock) = services(&[201]);
        let (queue, logger) = (Arc::<Queue>::default(), hub(true));
        let key = || Partition::Key("k".to_owned());
        for (partition, text) in
            [(Partition::Any, "1"), (Partition::Any, "2"), (key(), "3"), (Partition::Any, "4")]
        {
            queue.push(event(partition, text), &logger, &services);
        }
        assert!(client.requests().is_empty());
        pass(&clock, 3).await;

        let bodies: Vec<String> = client
            .requests()
            .iter()
            .map(|it| String::from_utf8(it.body.to_vec()).unwrap())
            .collect();
        assert_eq!(bodies, [r#"[{"Body":"1"},{"Body":"2"}]"#, "3", "4"]);
        assert_eq!(counted(&services, SENT), "4");
        assert!(!queue.state().is_draining);

        queue.push(event(Partition::Any, "5"), &logger, &services);
        pass(&clock, 3).await;
        assert_eq!(client.requests().len(), 4);
    }

    #[tokio::test]
    async fn a_batch_is_tried_again_and_then_dropped() {
        for (statuses, n_calls, sent, dropped) in [
            (&[503, 429, 201][..], 3, "1", "0"),
            (&[503][..], 3, "0", "1"),
            (&[401][..], 1, "0", "1"),
        ] {
            let (services, client, clock) = services(statuses);
            let queue = Arc::<Queue>::default();
            queue.push(event(Partition::Any, "1"), &hub(false), &services);
            pass(&clock, 8).await;
            assert_eq!(client.requests().len(), n_calls, "{statuses:?}");
            assert_eq!(counted(&services, SENT), sent, "{statuses:?}");
            assert_eq!(counted(&services, DROPPED), dropped, "{statuses:?}");
        }
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_number_and_bytes() {
        let (services, _, _) = services(&[201]);
        let (queue, logger) = (Arc::<Queue>::default(), hub(true));
        for _ in 0..MAX_EVENTS + 3 {
            queue.push(event(Partition::Any, "x"), &logger, &services);
        }
        let (n_events, n_dropped) = {
            let state = queue.state();
            (state.events.len(), state.n_dropped)
        };
        assert_eq!((n_events, n_dropped), (MAX_EVENTS, 3));
        assert_eq!(counted(&services, DROPPED), "3");

        let queue = Arc::<Queue>::default();
        for _ in 0..17 {
            queue.push(event(Partition::Any, "x".repeat(1024 * 1024)), &logger, &services);
        }
        let (n_events, n_bytes) = {
            let state = queue.state();
            (state.events.len(), state.n_bytes)
        };
        assert!(n_events == 15 && n_bytes <= MAX_BYTES, "{n_events} {n_bytes}");
    }

    #[test]
    fn a_batch_is_bounded_and_one_event_always_fits() {
        let queue = Arc::<Queue>::default();
        let large = event(Partition::Any, "\"".repeat(200 * 1024));
        for it in [large.clone(), event(Partition::Any, "1"), large] {
            queue.state().events.push_back(it);
        }
        let sizes: Vec<usize> =
            std::iter::from_fn(|| Some(queue.take().len()).filter(|it| *it > 0)).collect();
        assert_eq!(sizes, [1, 1, 1]);
    }
}
