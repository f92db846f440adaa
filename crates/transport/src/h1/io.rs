//! The socket of a connection, with or without TLS, and what is left of it after an upgrade.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};

/// A socket. One type for all, so that what is built on it exists once.
pub(crate) enum Io {
    Plain(TcpStream),
    Accepted(Box<server::TlsStream<TcpStream>>),
    Dialled(Box<client::TlsStream<TcpStream>>),
}

impl Io {
    /// Reads what there is to the end of `buffer`; 0 is the other side's end. The caller reserves.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        std::pin::pin!(self.read_buf(buffer)).poll(cx)
    }

    /// Whether nothing has come on a connection at rest, not even its end. Costs no system call
    /// as long as the runtime has seen nothing on the socket.
    pub(crate) fn is_quiet(&mut self) -> bool {
        if let Self::Plain(stream) = self {
            let read = stream.try_read(&mut [0]);
            return read.is_err_and(|it| it.kind() == io::ErrorKind::WouldBlock);
        }
        // TLS may have messages of its own to take, such as tickets.
        let mut byte = [0];
        let mut cx = Context::from_waker(Waker::noop());
        Pin::new(self).poll_read(&mut cx, &mut ReadBuf::new(&mut byte)).is_pending()
    }

    /// Makes the close a reset: for a body that ends with the connection and was cut short.
    pub(crate) fn reset_on_close(&self) {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Accepted(stream) => stream.get_ref().0,
            Self::Dialled(stream) => stream.get_ref().0,
        };
        // Without it the close is an ordinary one; there is nothing else to do.
        let _ = stream.set_zero_linger();
    }
}

macro_rules! each {
    ($self:expr, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Io::Plain($stream) => $call,
            Io::Accepted($stream) => $call,
            Io::Dialled($stream) => $call,
        }
    };
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

/// A socket of which some bytes have been read already.
pub(crate) struct Rewound {
    first: Bytes,
    io: Io,
    /// Dropped with the socket: whatever counts it.
    _hold: Option<Box<dyn Any + Send + Sync>>,
}

impl Rewound {
    pub(crate) fn new(first: Bytes, io: Io) -> Self {
        Self { first, io, _hold: None }
    }

    /// Keeps this as long as the socket is open.
    pub(crate) fn holding(self, hold: impl Any + Send + Sync) -> Self {
        Self { _hold: Some(Box::new(hold)), ..self }
    }
}

impl fmt::Debug for Rewound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rewound({} bytes)", self.first.len())
    }
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let n = self.first.len().min(buffer.remaining());
        buffer.put_slice(self.first.get(..n).unwrap_or_default());
        self.first.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::{Io, Rewound};

    async fn pair() -> (Io, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Io::Plain(listener.accept().await.unwrap().0), client)
    }

    #[tokio::test]
    async fn bytes_read_before_come_first() {
        let (io, mut other) = pair().await;
        other.write_all(b"later").await.unwrap();
        drop(other);
        let mut all = String::new();
        Rewound::new(Bytes::from_static(b"first "), io).read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "first later");
    }

    #[tokio::test]
    async fn a_socket_is_quiet_until_something_comes_or_it_ends() {
        for word in ["x", ""] {
            let (mut io, mut other) = pair().await;
            assert!(io.is_quiet());
            other.write_all(word.as_bytes()).await.unwrap();
            drop(other);
            let Io::Plain(stream) = &io else { unreachable!() };
            stream.readable().await.unwrap();
            assert!(!io.is_quiet(), "{word:?}");
        }
    }

    #[tokio::test]
    async fn what_is_read_is_added_to_the_buffer() {
        let (mut io, mut other) = pair().await;
        other.write_all(b"cd").await.unwrap();
        let mut buffer = BytesMut::from(&b"ab"[..]);
        let n = std::future::poll_fn(|cx| io.poll_fill(cx, &mut buffer)).await.unwrap();
        assert_eq!((n, &buffer[..]), (2, &b"abcd"[..]));
    }
}
