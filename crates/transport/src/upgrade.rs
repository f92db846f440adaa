//! WebSocket pass-through: both sides switch protocols, then bytes are copied.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, header};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::h1::io::Rewound;

/// Bytes copied at once, per direction.
const BUFFER_BYTES: usize = 16 * 1024;

/// Time for the other side to close after one side has.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// What went through an upgraded connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Bytes from the client to the backend.
    pub from_client: u64,
    /// Bytes from the backend to the client.
    pub from_backend: u64,
}

/// The promise of a connection's socket, once both sides have agreed to switch. An extension of
/// requests and responses of HTTP/1.1.
#[derive(Debug, Clone)]
pub struct OnUpgrade(Arc<Mutex<Option<oneshot::Receiver<Rewound>>>>);

/// Keeps the promise.
pub(crate) type Handover = oneshot::Sender<Rewound>;

impl OnUpgrade {
    pub(crate) fn pair() -> (Handover, Self) {
        let (handover, promise) = oneshot::channel();
        (handover, Self(Arc::new(Mutex::new(Some(promise)))))
    }

    /// The connection, once both sides have switched: for one that speaks the new protocol itself.
    ///
    /// # Errors
    ///
    /// If the connection was taken before, or ends without switching.
    pub async fn connection(self) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin> {
        self.socket().await
    }

    async fn socket(self) -> io::Result<Rewound> {
        let promise = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let promise = promise.ok_or_else(|| io::Error::other("the connection has been taken"))?;
        promise.await.map_err(|_| io::Error::other("the connection has not switched"))
    }
}

/// Whether a request asks for the WebSocket protocol (RFC 6455, section 4.1).
#[must_use]
pub fn is_websocket(headers: &HeaderMap) -> bool {
    let has = |name, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|it| it.to_str().ok())
            .any(|value| value.split(',').any(|it| it.trim().eq_ignore_ascii_case(word)))
    };
    has(header::CONNECTION, "upgrade") && has(header::UPGRADE, "websocket")
}

/// Takes the promise of an upgraded connection out of a request or response. `None` if it was
/// not upgradable, or has been taken before.
pub fn take(extensions: &mut http::Extensions) -> Option<OnUpgrade> {
    extensions.remove::<OnUpgrade>()
}

/// Waits until both sides have switched, then copies bytes both ways until one side closes (the
/// other is then closed too) or nothing has moved for `idle`.
///
/// # Errors
///
/// If a side does not switch or breaks, or after `idle`.
pub async fn relay(client: OnUpgrade, backend: OnUpgrade, idle: Duration) -> io::Result<Relayed> {
    let (client, backend) = tokio::try_join!(client.socket(), backend.socket())?;
    let (client_in, client_out) = tokio::io::split(client);
    let (backend_in, backend_out) = tokio::io::split(backend);
    let (up, down) = (AtomicU64::new(0), AtomicU64::new(0));
    let mut there = std::pin::pin!(copy(client_in, backend_out, &up));
    let mut back = std::pin::pin!(copy(backend_in, client_out, &down));
    let mut n_before = None;
    let outcome = loop {
        let moved = up.load(Relaxed) + down.load(Relaxed);
        if n_before.replace(moved) == Some(moved) {
            break Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        tokio::select! {
            ended = there.as_mut() => {
                let _ = timeout(CLOSE_WAIT, back.as_mut()).await;
                break ended;
            }
            ended = back.as_mut() => {
                let _ = timeout(CLOSE_WAIT, there.as_mut()).await;
                break ended;
            }
            () = tokio::time::sleep(idle) => {}
        }
    };
    outcome.map(|()| Relayed { from_client: up.load(Relaxed), from_backend: down.load(Relaxed) })
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    n_copied: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let n = from.read(&mut buffer).await?;
        if n == 0 {
            return to.shutdown().await;
        }
        to.write_all(buffer.get(..n).unwrap_or_default()).await?;
        to.flush().await?;
        n_copied.fetch_add(n as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::{OnUpgrade, is_websocket};

    #[test]
    fn a_websocket_request_names_the_protocol_in_both_headers() {
        let headers = |connection: &'static str, upgrade: &'static str| {
            [(header::CONNECTION, connection), (header::UPGRADE, upgrade)]
                .into_iter()
                .map(|(name, value)| (name, HeaderValue::from_static(value)))
                .collect::<HeaderMap>()
        };
        assert!(is_websocket(&headers("keep-alive, Upgrade", "WebSocket")));
        assert!(!is_websocket(&headers("keep-alive", "websocket")));
        assert!(!is_websocket(&headers("upgrade", "h2c")));
    }

    #[tokio::test]
    async fn a_promise_is_kept_once_or_broken() {
        let (handover, promise) = OnUpgrade::pair();
        drop(handover);
        assert!(promise.clone().socket().await.is_err());
        assert!(promise.socket().await.is_err());
    }
}
