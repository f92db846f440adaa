//! A WebSocket whose messages somebody hears: relayed message by message instead of byte by byte.
//!
//! Extensions are not negotiated, so that every message can be read. A message of a text goes on as
//! one frame, however many it came in.
//!
//! Source: RFC 6455

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use pipeline::{Closing, MessageWatches};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;
use tokio::time::timeout;
use transport::upgrade::OnUpgrade;
use transport::websocket::{End, Incoming, Receiver, Sender, WebSocketError, split};

/// Longest message, in bytes: audio is sent in pieces of at most 15 MiB.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// Time for a close frame to go out, and then for the other side to close as well.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// Relays messages until a side closes or breaks, a message is refused, or nothing has come for
/// `idle`.
///
/// # Errors
///
/// A side does not switch, or breaks.
pub(super) async fn relay(
    client: OnUpgrade,
    backend: OnUpgrade,
    watches: MessageWatches,
    idle: Duration,
) -> io::Result<()> {
    let (client, backend) = tokio::try_join!(client.connection(), backend.connection())?;
    let (mut client_says, to_client) = split(client, End::Server, MAX_MESSAGE_BYTES);
    let (mut backend_said, to_backend) = split(backend, End::Client, MAX_MESSAGE_BYTES);
    let session = Session {
        to_client: Mutex::new(to_client),
        to_backend: Mutex::new(to_backend),
        watches,
        n_messages: AtomicU64::new(0),
    };
    let outcome = {
        let mut there = std::pin::pin!(session.client_says(&mut client_says));
        let mut back = std::pin::pin!(session.backend_said(&mut backend_said));
        let mut n_before = None;
        loop {
            let n = session.n_messages.load(Relaxed);
            if n_before.replace(n) == Some(n) {
                break Ok(Closing { code: 1001, reason: "The session was idle.".to_owned() });
            }
            tokio::select! {
                ended = there.as_mut() => break ended,
                ended = back.as_mut() => break ended,
                () = tokio::time::sleep(idle) => {}
            }
        }
    };
    let ended = session.close(outcome).await;
    let drained = async { tokio::join!(client_says.drain(), backend_said.drain()) };
    // Who does not close in time is cut off.
    let _ = timeout(CLOSE_WAIT, drained).await;
    ended
}

/// The sides that messages go to. Each direction runs by itself, so that none waits for the other.
struct Session<C, B> {
    to_client: Mutex<Sender<C>>,
    to_backend: Mutex<Sender<B>>,
    watches: MessageWatches,
    n_messages: AtomicU64,
}

impl<C: AsyncWrite + Unpin, B: AsyncWrite + Unpin> Session<C, B> {
    /// Closes both sides; after a side broke, the other.
    async fn close(self, outcome: io::Result<Closing>) -> io::Result<()> {
        let (code, reason, broken) = match outcome {
            Ok(closing) => (closing.code, closing.reason, None),
            Err(error) => (1001, String::new(), Some(error)),
        };
        let (mut client, mut backend) = (self.to_client.into_inner(), self.to_backend.into_inner());
        let both = async {
            let client = client.close(Some(code), &reason).await;
            let backend = backend.close(Some(code), &reason).await;
            client.and(backend)
        };
        let closed = timeout(CLOSE_WAIT, both).await.unwrap_or(Ok(()));
        broken.map_or(closed, Err)
    }

    async fn client_says(
        &self,
        from: &mut Receiver<impl AsyncRead + Unpin>,
    ) -> io::Result<Closing> {
        loop {
            let message = from.next().await;
            self.n_messages.fetch_add(1, Relaxed);
            match message {
                Ok(Incoming::Text(text)) => {
                    if let Err(closing) = self.watches.client_says(&text).await {
                        return Ok(closing);
                    }
                    self.to_backend.lock().await.text(&text).await?;
                }
                Ok(Incoming::Binary(bytes)) => self.to_backend.lock().await.binary(&bytes).await?,
                Ok(Incoming::Ping(bytes)) => self.to_client.lock().await.pong(&bytes).await?,
                Ok(Incoming::Pong) => {}
                other => return over(other),
            }
        }
    }

    async fn backend_said(
        &self,
        from: &mut Receiver<impl AsyncRead + Unpin>,
    ) -> io::Result<Closing> {
        loop {
            let message = from.next().await;
            self.n_messages.fetch_add(1, Relaxed);
            match message {
                Ok(Incoming::Text(text)) => {
                    // What was said is counted, whether or not the client still hears it.
                    let sent = self.to_client.lock().await.text(&text).await;
                    self.watches.backend_said(&text).await;
                    sent?;
                }
                Ok(Incoming::Binary(bytes)) => self.to_client.lock().await.binary(&bytes).await?,
                Ok(Incoming::Ping(bytes)) => self.to_backend.lock().await.pong(&bytes).await?,
                Ok(Incoming::Pong) => {}
                other => return over(other),
            }
        }
    }
}

/// What ends a session. A close frame without a code is passed on as 1000, which says the same.
fn over(message: Result<Incoming, WebSocketError>) -> io::Result<Closing> {
    match message {
        Ok(Incoming::Close(code, reason)) => Ok(Closing { code: code.unwrap_or(1000), reason }),
        Ok(_) => Err(io::Error::other("a message that ends nothing")),
        Err(error) => match error.close_code() {
            Some(code) => Ok(Closing { code, reason: error.to_string() }),
            None => Err(io::Error::other(error)),
        },
    }
}
