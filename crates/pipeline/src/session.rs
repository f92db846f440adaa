//! What hears the messages of a WebSocket that is passed through.
//!
//! ```text
//! handshake: inbound ─▶ Context::watch_messages ─▶ 101
//! client ──text──▶ client_says ──▶ backend        refused: both sides are closed
//! backend ─text──▶ client, then backend_said
//! ```
//!
//! A session that nobody watches is copied byte by byte; one that is watched goes message by message.

use std::fmt;
use std::sync::Arc;

use transport::BoxFuture;

use crate::context::Context;

/// Hears the messages of a session. It outlives the request.
pub trait MessageWatch: fmt::Debug + Send + Sync + 'static {
    /// A text of the client, before it goes on.
    ///
    /// # Errors
    ///
    /// The session ends with this code and reason.
    fn client_says<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<(), Closing>>;

    /// A text of the backend, after it went on.
    fn backend_said<'a>(&'a self, text: &'a str) -> BoxFuture<'a, ()>;
}

/// Why a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The code (RFC 6455, section 7.4.1).
    pub code: u16,
    /// The reason, for people.
    pub reason: String,
}

/// Everyone who hears the messages of a session: among the request's extensions.
#[derive(Clone, Debug, Default)]
pub struct MessageWatches(Vec<Arc<dyn MessageWatch>>);

impl MessageWatches {
    /// A text of the client, before it goes on: each hears it, until one refuses.
    ///
    /// # Errors
    ///
    /// The session ends.
    pub async fn client_says(&self, text: &str) -> Result<(), Closing> {
        for watch in &self.0 {
            watch.client_says(text).await?;
        }
        Ok(())
    }

    /// A text of the backend, after it went on.
    pub async fn backend_said(&self, text: &str) {
        for watch in &self.0 {
            watch.backend_said(text).await;
        }
    }
}

impl Context {
    /// Whether the request is the handshake of a WebSocket that is passed through.
    #[must_use]
    pub fn is_handshake(&self) -> bool {
        self.operation.as_ref().is_some_and(|it| it.is_websocket)
    }

    /// Has the messages of the session heard that this handshake begins.
    pub fn watch_messages(&mut self, watch: Arc<dyn MessageWatch>) {
        self.request.extensions.get_or_insert_default::<MessageWatches>().0.push(watch);
    }

    /// Who hears the messages of the session.
    #[must_use]
    pub fn message_watches(&self) -> Option<MessageWatches> {
        self.request.extensions.get().cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::test_support::context;

    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<String>>);

    impl MessageWatch for Heard {
        fn client_says<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<(), Closing>> {
            Box::pin(async move {
                self.0.lock().unwrap().push(format!("< {text}"));
                match text {
                    "no" => Err(Closing { code: 1008, reason: "enough".to_owned() }),
                    _ => Ok(()),
                }
            })
        }

        fn backend_said<'a>(&'a self, text: &'a str) -> BoxFuture<'a, ()> {
            Box::pin(async move { self.0.lock().unwrap().push(format!("> {text}")) })
        }
    }

    #[tokio::test]
    async fn everyone_hears_until_one_refuses() {
        let mut context = context();
        assert!(context.message_watches().is_none());
        let all = [Arc::new(Heard::default()), Arc::new(Heard::default())];
        for it in &all {
            context.watch_messages(Arc::<Heard>::clone(it));
        }
        let watches = context.message_watches().unwrap();
        watches.client_says("a").await.unwrap();
        watches.backend_said("b").await;
        assert_eq!(watches.client_says("no").await.unwrap_err().code, 1008);
        let heard = all.map(|it| it.0.lock().unwrap().join(" "));
        assert_eq!(heard, ["< a > b < no", "< a > b"]);
    }
}
