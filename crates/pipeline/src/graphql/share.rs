//! Events between gateways: what is published at one reaches the subscribers of all.
//!
//! ```text
//! publish-event ─┬▶ Events ─▶ subscribers here
//!                └▶ SharedEvents, tell ─▶ (a channel) ─▶ SharedEvents::hear ─▶ Events ─▶ there
//! ```
//!
//! A message is a line of JSON that says who publishes for which fields, and the event behind it. A
//! gateway does not hear itself. Subscribers here never wait for the channel.

use std::fmt;
use std::sync::Arc;

use expr::host::ApiInfo;
use serde_json::{Value, json};

use super::events::{Events, Topic};
use super::publish::MAX_EVENT_BYTES;
use crate::services::Extensions;

/// Longest first line of a message: 64 KiB.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Longest message between gateways, in bytes.
pub const MAX_SHARED_EVENT_BYTES: usize = MAX_HEAD_BYTES + MAX_EVENT_BYTES;

/// Hands a message to the other gateways. It does not wait.
type Tell = Box<dyn Fn(Vec<u8>) + Send + Sync>;

/// Where the events of this process go besides its own subscribers.
pub(super) struct Line {
    /// Who this process is among the gateways.
    id: String,
    tell: Tell,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

/// The first line of a message.
struct Head {
    from: String,
    topics: Vec<Topic>,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Head> {
        let head: Value = serde_json::from_slice(bytes).ok()?;
        let text = |name| head.get(name)?.as_str().map(str::to_owned);
        let (from, api, revision) = (text("from")?, text("api")?, text("revision")?);
        let fields = head.get("fields")?.as_array()?;
        let topic = |field: &Value| {
            let field = field.as_str()?.to_owned();
            Some(Topic { api: api.clone(), revision: revision.clone(), field })
        };
        let topics = fields.iter().map(topic).collect::<Option<_>>()?;
        Some(Head { from, topics })
    }
}

/// The events of a process, for what connects them to other gateways.
#[derive(Clone, Debug)]
pub struct SharedEvents(Arc<Events>);

impl SharedEvents {
    /// Those of the process that these extensions are of.
    #[must_use]
    pub fn of(extensions: &Extensions) -> SharedEvents {
        SharedEvents(extensions.shared())
    }

    /// Hands all later events to the other gateways as well: one message for each, at most
    /// [`MAX_SHARED_EVENT_BYTES`] long. Only the first call has an effect.
    pub fn tell_by(&self, tell: impl Fn(Vec<u8>) + Send + Sync + 'static) {
        let mut id = [0; 16];
        transport::fill_random(&mut id);
        let id = id.iter().map(|it| format!("{it:02x}")).collect();
        let _ = self.0.line.set(Line { id, tell: Box::new(tell) });
    }

    /// Gives the event of a message to those who subscribe to it here. A message of this process
    /// itself, or one that is none, has no effect.
    pub fn hear(&self, message: &[u8]) {
        if self.heard(message).is_none() {
            tracing::warn!("a message of another gateway is no event");
        }
    }

    fn heard(&self, message: &[u8]) -> Option<()> {
        let end = message.iter().take(MAX_HEAD_BYTES).position(|it| *it == b'\n')?;
        let (head, event) = message.split_at_checked(end)?;
        let Head { from, topics } = Head::read(head)?;
        if self.0.line.get().is_some_and(|it| it.id == from) {
            return Some(());
        }
        // An event that nobody here waits for is not read.
        if !topics.iter().any(|it| self.0.has_listeners(it)) {
            return Some(());
        }
        let event: Arc<Value> = Arc::new(serde_json::from_slice(event).ok()?);
        for topic in &topics {
            self.0.publish(topic, &event);
        }
        Some(())
    }
}

impl Events {
    /// Tells the other gateways of an event, given as JSON.
    pub(super) fn share(&self, api: Option<&ApiInfo>, fields: &[String], event: &str) {
        let Some(line) = self.line.get() else { return };
        let Topic { api, revision, .. } = Topic::new(api, "");
        let head = json!({ "from": line.id, "api": api, "revision": revision, "fields": fields });
        let mut message = head.to_string().into_bytes();
        if message.len() >= MAX_HEAD_BYTES {
            tracing::warn!("the fields of an event have too long names for other gateways");
            return;
        }
        message.push(b'\n');
        message.extend_from_slice(event.as_bytes());
        (line.tell)(message);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::test_support::context;

    fn info() -> ApiInfo {
        ApiInfo { id: "a".to_owned(), revision: "2".to_owned(), ..ApiInfo::default() }
    }

    /// A process, and what it tells.
    fn process() -> (SharedEvents, Arc<Mutex<Vec<Vec<u8>>>>) {
        let events = SharedEvents::of(&Extensions::default());
        let told = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let all = Arc::clone(&told);
        events.tell_by(move |message| all.lock().unwrap().push(message));
        (events, told)
    }

    #[tokio::test]
    async fn an_event_of_one_process_reaches_those_of_another_once() {
        let ((one, told), (other, _)) = (process(), process());
        let fields = ["made".to_owned(), "gone".to_owned()];
        let topics = fields.each_ref().map(|it| Topic::new(Some(&info()), it));
        let mut here = one.0.listen(topics[0].clone(), 9);
        let mut there = topics.map(|it| other.0.listen(it, 9));
        one.0.share(Some(&info()), &fields, r#"{"n":1}"#);
        let messages = std::mem::take(&mut *told.lock().unwrap());
        assert_eq!(messages.len(), 1);
        one.hear(&messages[0]);
        other.hear(&messages[0]);
        one.0.publish(&Topic::new(Some(&info()), "made"), &Arc::new(json!("own")));
        assert_eq!(*here.next().await.unwrap(), json!("own"));
        for it in &mut there {
            assert_eq!(*it.next().await.unwrap(), json!({ "n": 1 }));
        }
    }

    #[tokio::test]
    async fn what_is_no_event_has_no_effect() {
        let (events, _) = process();
        let topic = Topic::new(Some(&info()), "made");
        let mut subscription = events.0.listen(topic, 9);
        let head = r#"{"from":"x","api":"a","revision":"2","fields":["made"]}"#;
        let deep = format!("{head}\n{}", "[".repeat(100_000));
        let long = format!("{}{head}\n0", " ".repeat(MAX_HEAD_BYTES));
        for message in
            ["", "\n", "{}\n1", head, &format!("{head}\n"), &format!("{head}\n{{"), &deep, &long]
        {
            events.hear(message.as_bytes());
        }
        events.hear(b"\xff\n\xff");
        let other = head.replace(r#""2""#, r#""3""#);
        events.hear(format!("{other}\n1").as_bytes());
        events.hear(format!("{head}\n2").as_bytes());
        assert_eq!(*subscription.next().await.unwrap(), json!(2));
    }

    #[test]
    fn published_events_are_told_with_names_that_fit() {
        let context = context();
        let events = SharedEvents::of(context.services.extensions());
        context.publish(&["before".to_owned()], json!(0)).unwrap();
        let told = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let all = Arc::clone(&told);
        events.tell_by(move |message| all.lock().unwrap().push(message));
        events.tell_by(|_| panic!("there is a line already"));
        context
            .publish(&["made".to_owned()], Value::from("x".repeat(MAX_EVENT_BYTES - 2)))
            .unwrap();
        context.publish(&["f".repeat(MAX_HEAD_BYTES)], json!(0)).unwrap();
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1);
        let n_bytes = told[0].len();
        assert!((MAX_EVENT_BYTES..=MAX_SHARED_EVENT_BYTES).contains(&n_bytes), "{n_bytes}");
    }
}
