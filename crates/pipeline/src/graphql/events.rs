//! Events for subscribers: who listens to which field, and what is waiting for them.
//!
//! Events of other gateways come in by [`super::SharedEvents`]. A subscriber that does not take its events in time is dropped: an
//! event that is waiting for one is bounded in number and in bytes, and publishing waits for nobody.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/publish-event-policy>

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use expr::host::ApiInfo;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::share::Line;

/// The listeners of a process; one for all APIs, so that they outlive a reload.
#[derive(Debug, Default)]
pub(crate) struct Events {
    listeners: Mutex<HashMap<Topic, Vec<Listener>>>,
    n_made: AtomicUsize,
    n_connections: AtomicUsize,
    /// Leads to the other gateways, if there are any.
    pub(super) line: OnceLock<Line>,
}

/// A field of the subscription type of a revision of an API.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Topic {
    pub(super) api: String,
    pub(super) revision: String,
    pub(super) field: String,
}

impl Topic {
    pub(crate) fn new(api: Option<&ApiInfo>, field: &str) -> Topic {
        let (api, revision) =
            api.map(|it| (it.id.clone(), it.revision.clone())).unwrap_or_default();
        Topic { api, revision, field: field.to_owned() }
    }
}

#[derive(Debug)]
struct Listener {
    number: usize,
    queue: mpsc::Sender<Arc<Value>>,
}

/// The events of one topic for one subscriber, from now on.
#[derive(Debug)]
pub(crate) struct Subscription {
    all: Arc<Events>,
    topic: Topic,
    number: usize,
    queue: mpsc::Receiver<Arc<Value>>,
}

/// One open connection.
#[derive(Debug)]
pub(crate) struct Connection(Arc<Events>);

impl Events {
    /// A place for a connection, if there are fewer than `most`.
    pub(crate) fn connect(self: &Arc<Self>, most: usize) -> Option<Connection> {
        let one_more = |it: usize| (it < most).then_some(it + 1);
        let (set, get) = (Ordering::AcqRel, Ordering::Acquire);
        self.n_connections.fetch_update(set, get, one_more).ok()?;
        Some(Connection(Arc::clone(self)))
    }

    /// Listens to a topic; `most` events may be waiting.
    pub(crate) fn listen(self: &Arc<Self>, topic: Topic, most: usize) -> Subscription {
        let (sender, queue) = mpsc::channel(most);
        let number = self.n_made.fetch_add(1, Ordering::Relaxed);
        self.lock().entry(topic.clone()).or_default().push(Listener { number, queue: sender });
        Subscription { all: Arc::clone(self), topic, number, queue }
    }

    /// Whether somebody listens to a topic.
    pub(super) fn has_listeners(&self, topic: &Topic) -> bool {
        self.lock().contains_key(topic)
    }

    /// Gives an event to all who listen. Who has no room for it is dropped.
    pub(crate) fn publish(&self, topic: &Topic, event: &Arc<Value>) {
        let mut listeners = self.lock();
        let Some(those) = listeners.get_mut(topic) else { return };
        those.retain(|it| match it.queue.try_send(Arc::clone(event)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                tracing::warn!(field = topic.field, "a subscriber does not keep up and is dropped");
                false
            }
            Err(TrySendError::Closed(_)) => false,
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Topic, Vec<Listener>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// The next event; `None` once the subscriber was dropped because it did not keep up.
    pub(crate) async fn next(&mut self) -> Option<Arc<Value>> {
        self.queue.recv().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut listeners = self.all.lock();
        if let Some(those) = listeners.get_mut(&self.topic) {
            those.retain(|it| it.number != self.number);
            if those.is_empty() {
                listeners.remove(&self.topic);
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.n_connections.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn topic(api: &str, field: &str) -> Topic {
        let info = ApiInfo { id: api.to_owned(), ..ApiInfo::default() };
        Topic::new(Some(&info), field)
    }

    #[tokio::test]
    async fn an_event_reaches_those_who_listen_to_its_field_of_its_api() {
        let events = Arc::<Events>::default();
        let mut first = events.listen(topic("a", "made"), 2);
        let mut second = events.listen(topic("a", "made"), 2);
        let mut other = events.listen(topic("b", "made"), 2);
        events.publish(&topic("a", "made"), &Arc::new(json!(1)));
        events.publish(&topic("a", "gone"), &Arc::new(json!(2)));
        events.publish(&topic("b", "made"), &Arc::new(json!(3)));
        assert_eq!(*first.next().await.unwrap(), json!(1));
        assert_eq!(*second.next().await.unwrap(), json!(1));
        assert_eq!(*other.next().await.unwrap(), json!(3));
        drop(first);
        events.publish(&topic("a", "made"), &Arc::new(json!(4)));
        assert_eq!(*second.next().await.unwrap(), json!(4));
        drop((second, other));
        assert!(events.lock().is_empty());
    }

    #[tokio::test]
    async fn who_does_not_keep_up_gets_what_was_waiting_and_then_the_end() {
        let events = Arc::<Events>::default();
        let mut slow = events.listen(topic("a", "made"), 2);
        for number in 0..4 {
            events.publish(&topic("a", "made"), &Arc::new(json!(number)));
        }
        assert_eq!(*slow.next().await.unwrap(), json!(0));
        assert_eq!(*slow.next().await.unwrap(), json!(1));
        assert!(slow.next().await.is_none());
    }

    #[test]
    fn connections_are_counted() {
        let events = Arc::<Events>::default();
        let first = events.connect(2).unwrap();
        let _second = events.connect(2).unwrap();
        assert!(events.connect(2).is_none());
        drop(first);
        assert!(events.connect(2).is_some());
    }
}
