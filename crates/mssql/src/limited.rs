//! A socket from which only so many bytes are read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket, and how many bytes may still come.
pub(crate) struct Limited<S> {
    pub(crate) socket: S,
    pub(crate) left: usize,
    /// Set once more has come: the error itself does not get through to who reads.
    pub(crate) is_over: Arc<AtomicBool>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Limited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n_before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buffer))?;
        let n = buffer.filled().len().saturating_sub(n_before);
        let Some(left) = self.left.checked_sub(n) else {
            buffer.set_filled(n_before);
            self.is_over.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::FileTooLarge)));
        };
        self.left = left;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Limited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn more_bytes_than_allowed_are_an_error() {
        for (n, fits) in [(10, true), (11, false)] {
            let (mut one, other) = tokio::io::duplex(64);
            one.write_all(&vec![b'x'; n]).await.unwrap();
            drop(one);
            let (mut all, is_over) = (Vec::new(), Arc::<AtomicBool>::default());
            let read = {
                let is_over = Arc::clone(&is_over);
                Limited { socket: other, left: 10, is_over }.read_to_end(&mut all).await
            };
            assert_eq!(is_over.load(Ordering::Relaxed), !fits, "{n}");
            assert_eq!(read.is_ok(), fits, "{n}");
        }
    }
}
