//! What is to be sent: a buffer that is used again, and one long piece that is not copied.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::io::Io;

/// Longest piece that is copied, and how much is gathered before it is sent.
pub(crate) const COPIED_BYTES: usize = 16 * 1024;

/// Memory kept for the next message.
const KEPT_BYTES: usize = 64 * 1024;

/// Bytes on their way out: `buffer`, then `piece`, then `end`.
#[derive(Debug, Default)]
pub(crate) struct Output {
    buffer: Vec<u8>,
    piece: Bytes,
    end: &'static [u8],
    n_sent: usize,
    /// TLS has taken bytes that it may not have sent.
    is_dirty: bool,
}

impl Output {
    /// Where to write what is small. Only while there is [room](Self::has_room).
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Whether more can be added before it is sent.
    pub(crate) fn has_room(&self) -> bool {
        self.piece.is_empty() && self.buffer.len() < COPIED_BYTES
    }

    /// Adds data and what follows it; a long piece is not copied.
    pub(crate) fn push(&mut self, data: Bytes, end: &'static [u8]) {
        if data.len() <= COPIED_BYTES {
            self.buffer.extend_from_slice(&data);
            self.buffer.extend_from_slice(end);
        } else {
            (self.piece, self.end) = (data, end);
        }
    }

    fn len(&self) -> usize {
        self.buffer.len() + self.piece.len() + self.end.len()
    }

    /// Whether all of it has been sent.
    pub(crate) fn is_sent(&self) -> bool {
        self.n_sent == self.len() && !self.is_dirty
    }

    /// Whether none of it has been sent.
    pub(crate) fn is_untouched(&self) -> bool {
        self.n_sent == 0
    }

    /// Makes it whole again, for another connection.
    pub(crate) fn rewind(&mut self) {
        (self.n_sent, self.is_dirty) = (0, false);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BYTES);
        if !self.piece.is_empty() {
            (self.piece, self.end) = (Bytes::new(), b"");
        }
        self.rewind();
    }

    /// Sends all of it. Counts in `n_sends` how often the socket has taken something.
    pub(crate) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Io,
        n_sends: &mut u32,
    ) -> Poll<io::Result<()>> {
        while self.n_sent < self.len() {
            let rest = self.buffer.get(self.n_sent..).unwrap_or_default();
            let sent = if self.piece.is_empty() {
                ready!(Pin::new(&mut *io).poll_write(cx, rest))?
            } else {
                let skip = |part: &'_ [u8], before: usize| {
                    self.n_sent.saturating_sub(before).min(part.len())
                };
                let n_piece = skip(&self.piece, self.buffer.len());
                let n_end = skip(self.end, self.buffer.len() + self.piece.len());
                let slices = [
                    IoSlice::new(rest),
                    IoSlice::new(self.piece.get(n_piece..).unwrap_or_default()),
                    IoSlice::new(self.end.get(n_end..).unwrap_or_default()),
                ];
                ready!(Pin::new(&mut *io).poll_write_vectored(cx, &slices))?
            };
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.n_sent += sent;
            self.is_dirty = !matches!(io, Io::Plain(_));
            *n_sends = n_sends.wrapping_add(1);
        }
        if self.is_dirty {
            ready!(Pin::new(io).poll_flush(cx))?;
            self.is_dirty = false;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::{COPIED_BYTES, KEPT_BYTES, Output};
    use crate::h1::io::Io;

    async fn sent(output: &mut Output) -> Vec<u8> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut io = Io::Plain(listener.accept().await.unwrap().0);
        let send = async {
            std::future::poll_fn(|cx| output.poll_send(cx, &mut io, &mut 0)).await.unwrap();
            drop(io);
        };
        let mut all = Vec::new();
        let (_, read) = tokio::join!(send, client.read_to_end(&mut all));
        read.unwrap();
        all
    }

    #[tokio::test]
    async fn everything_is_sent_in_order_and_can_be_sent_again() {
        for n_bytes in [0, 1, COPIED_BYTES, COPIED_BYTES + 1, 9_000_000] {
            let mut output = Output::default();
            output.buffer().extend_from_slice(b"head ");
            output.push(Bytes::from(vec![b'x'; n_bytes]), b" end");
            let expected = [b"head ", &vec![b'x'; n_bytes][..], b" end"].concat();
            assert!(output.is_untouched());
            assert!(sent(&mut output).await == expected, "{n_bytes}");
            assert!(output.is_sent() && !output.is_untouched());
            output.rewind();
            assert!(sent(&mut output).await == expected, "{n_bytes}");
            output.clear();
            assert!(output.is_sent() && output.has_room());
        }
    }

    #[test]
    fn the_memory_that_is_kept_is_bounded() {
        let mut output = Output::default();
        output.buffer().resize(4 * KEPT_BYTES, b'x');
        output.clear();
        assert!(output.buffer.capacity() <= KEPT_BYTES);
    }
}
