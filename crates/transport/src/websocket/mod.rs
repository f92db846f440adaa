//! Messages of WebSocket, at either end of a connection that has switched.
//!
//! ```text
//! handshake ─accept─▶ headers of the 101 ─▶ OnUpgrade::connection ─split─▶ Receiver, Sender
//! ```
//!
//! Whole messages come out, pieces joined, within a bound. Extensions are not spoken: who passes a
//! handshake on takes `Sec-WebSocket-Extensions` out first.
//!
//! Source: RFC 6455

mod frame;

use std::io;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

use frame::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT};

/// What the server appends to the client's key (section 1.3).
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Bytes of a client's key (section 4.1).
const KEY_BYTES: usize = 16;
/// Longest reason of a close frame, in bytes (section 5.5).
const MAX_REASON_BYTES: usize = 123;

/// Most bytes that are read and thrown away after the last message was sent.
const MAX_DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// Bytes read at once while doing so.
const DRAIN_BUFFER_BYTES: usize = 16 * 1024;

/// Which end of the connection this is: a client masks what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The one that has asked.
    Client,
    /// The one that has accepted.
    Server,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// To be answered with a pong of the same bytes.
    Ping(Vec<u8>),
    /// The answer to a ping.
    Pong,
    /// The last message, with its code and its reason; it is answered with the same code.
    Close(Option<u16>, String),
}

/// Why no message comes.
#[derive(Debug, thiserror::Error)]
pub enum WebSocketError {
    /// The connection broke, or ended without a close frame.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The other end does not keep to the protocol.
    #[error("{0}")]
    Protocol(&'static str),
    /// A message is longer than allowed.
    #[error("the message is longer than {0} bytes")]
    TooLong(usize),
    /// A text is no UTF-8.
    #[error("a text is no UTF-8")]
    NoText,
}

impl WebSocketError {
    /// The code to close with (section 7.4.1); none if nobody is there to be told.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        match self {
            WebSocketError::Io(_) => None,
            WebSocketError::Protocol(_) => Some(1002),
            WebSocketError::NoText => Some(1007),
            WebSocketError::TooLong(_) => Some(1009),
        }
    }
}

/// The protocols that a handshake offers, in its order.
pub fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    values.filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(',')).map(str::trim)
}

/// The headers of the answer that accepts a handshake (section 4.2.2), with `protocol` if the client
/// offers it. `None` if this is no handshake of version 13.
#[must_use]
pub fn accept(headers: &HeaderMap, protocol: &str) -> Option<HeaderMap> {
    if headers.get(header::SEC_WEBSOCKET_VERSION)?.as_bytes() != b"13" {
        return None;
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?.trim();
    if STANDARD.decode(key).ok()?.len() != KEY_BYTES {
        return None;
    }
    let hash =
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MAGIC}").as_bytes());
    let mut answer = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.insert(name, value);
        }
    };
    set(header::CONNECTION, "Upgrade");
    set(header::UPGRADE, "websocket");
    set(header::SEC_WEBSOCKET_ACCEPT, &STANDARD.encode(hash.as_ref()));
    if protocols(headers).any(|it| it == protocol) {
        set(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Some(answer)
}

/// Both directions of a connection that has switched. No message may be longer than
/// `max_message_bytes`.
pub fn split<S: AsyncRead + AsyncWrite>(
    socket: S,
    end: End,
    max_message_bytes: usize,
) -> (Receiver<ReadHalf<S>>, Sender<WriteHalf<S>>) {
    let (read, write) = tokio::io::split(socket);
    let buffer = BytesMut::new();
    let receiver =
        Receiver { socket: read, end, max_message_bytes, buffer, begun: None, message: Vec::new() };
    (receiver, Sender { socket: write, end })
}

/// The direction in which messages come.
#[derive(Debug)]
pub struct Receiver<R> {
    socket: R,
    end: End,
    max_message_bytes: usize,
    /// What was read and is no frame yet.
    buffer: BytesMut,
    /// The opcode of the message whose pieces are coming.
    begun: Option<u8>,
    /// Its pieces so far.
    message: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Receiver<R> {
    /// The next message, or frame that stands between them. If the future is dropped, nothing is
    /// lost.
    ///
    /// # Errors
    ///
    /// The connection broke, or the other end does not keep to the protocol or the bound; there is
    /// nothing more to be had then.
    pub async fn next(&mut self) -> Result<Incoming, WebSocketError> {
        loop {
            while let Some(frame) = self.frame()? {
                if let Some(incoming) = self.take(frame)? {
                    return Ok(incoming);
                }
            }
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// Reads and throws away what comes after this end has sent its last message, until the other
    /// end closes as well, at most 16 MiB. A socket that is dropped with unread bytes resets its
    /// connection, and the other end might never read why. Whoever calls this bounds its time.
    ///
    /// Source: RFC 6455, section 7.1.1
    pub async fn drain(&mut self) {
        let mut n_drained = 0;
        while n_drained < MAX_DRAINED_BYTES {
            self.buffer.clear();
            self.buffer.reserve(DRAIN_BUFFER_BYTES);
            match self.socket.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return,
                Ok(n) => n_drained += n,
            }
        }
    }

    fn frame(&mut self) -> Result<Option<Frame>, WebSocketError> {
        let room = self.max_message_bytes.saturating_sub(self.message.len());
        let is_masked = self.end == End::Server;
        frame::take(&mut self.buffer, is_masked, room).map_err(|it| match it {
            WebSocketError::TooLong(_) => WebSocketError::TooLong(self.max_message_bytes),
            other => other,
        })
    }

    /// What a frame completes.
    fn take(&mut self, frame: Frame) -> Result<Option<Incoming>, WebSocketError> {
        match frame.opcode {
            PING => return Ok(Some(Incoming::Ping(frame.payload))),
            PONG => return Ok(Some(Incoming::Pong)),
            CLOSE => return close(&frame.payload).map(Some),
            CONTINUATION if self.begun.is_none() => {
                return Err(WebSocketError::Protocol("a piece without a message"));
            }
            CONTINUATION => {}
            _ if self.begun.is_some() => {
                return Err(WebSocketError::Protocol("a message inside of another"));
            }
            opcode => self.begun = Some(opcode),
        }
        self.message.extend_from_slice(&frame.payload);
        if !frame.is_last {
            return Ok(None);
        }
        let message = std::mem::take(&mut self.message);
        match self.begun.take() {
            Some(TEXT) => match String::from_utf8(message) {
                Ok(text) => Ok(Some(Incoming::Text(text))),
                Err(_) => Err(WebSocketError::NoText),
            },
            _ => Ok(Some(Incoming::Binary(message))),
        }
    }
}

fn close(payload: &[u8]) -> Result<Incoming, WebSocketError> {
    match payload.split_first_chunk::<2>() {
        None if payload.is_empty() => Ok(Incoming::Close(None, String::new())),
        None => Err(WebSocketError::Protocol("a close frame with half a code")),
        Some((code, reason)) => {
            let reason = std::str::from_utf8(reason).map_err(|_| WebSocketError::NoText)?;
            Ok(Incoming::Close(Some(u16::from_be_bytes(*code)), reason.to_owned()))
        }
    }
}

/// The direction in which messages go.
#[derive(Debug)]
pub struct Sender<W> {
    socket: W,
    end: End,
}

impl<W: AsyncWrite + Unpin> Sender<W> {
    /// Sends a text.
    ///
    /// # Errors
    ///
    /// The connection broke; so with the others.
    pub async fn text(&mut self, text: &str) -> io::Result<()> {
        self.send(TEXT, text.as_bytes()).await
    }

    /// Sends bytes.
    ///
    /// # Errors
    ///
    /// See [`Sender::text`].
    pub async fn binary(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send(BINARY, bytes).await
    }

    /// Asks whether the other end is there.
    ///
    /// # Errors
    ///
    /// See [`Sender::text`].
    pub async fn ping(&mut self) -> io::Result<()> {
        self.send(PING, &[]).await
    }

    /// Answers a ping.
    ///
    /// # Errors
    ///
    /// See [`Sender::text`].
    pub async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        self.send(PONG, payload).await
    }

    /// Sends the last message. A reason that is too long is cut.
    ///
    /// # Errors
    ///
    /// See [`Sender::text`].
    pub async fn close(&mut self, code: Option<u16>, reason: &str) -> io::Result<()> {
        let mut payload = Vec::new();
        if let Some(code) = code {
            let cut = reason.floor_char_boundary(MAX_REASON_BYTES);
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(reason.get(..cut).unwrap_or_default().as_bytes());
        }
        self.send(CLOSE, &payload).await?;
        self.socket.shutdown().await
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let mask = (self.end == End::Client).then(|| {
            let mut mask = [0; 4];
            crate::random::fill_random(&mut mask);
            mask
        });
        self.socket.write_all(&frame::encode(opcode, payload, mask)).await?;
        self.socket.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn handshake(version: &str, key: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("sec-websocket-version", version.parse().unwrap());
        headers.insert("sec-websocket-key", key.parse().unwrap());
        headers.insert("sec-websocket-protocol", "x, realtime".parse().unwrap());
        headers
    }

    #[test]
    fn the_handshake_of_the_specification_is_answered_as_there() {
        let answer = accept(&handshake("13", KEY), "realtime").unwrap();
        assert_eq!(answer["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(answer["sec-websocket-protocol"], "realtime");
        assert_eq!(answer["connection"], "Upgrade");
        assert_eq!(answer["upgrade"], "websocket");
        let other = accept(&handshake("13", KEY), "other").unwrap();
        assert!(!other.contains_key("sec-websocket-protocol"));
    }

    #[test]
    fn what_is_no_handshake_is_not_answered() {
        assert!(accept(&HeaderMap::new(), "x").is_none());
        for (version, key) in [("8", KEY), ("13", "c2hvcnQ="), ("13", "no base64!")] {
            assert!(accept(&handshake(version, key), "x").is_none(), "{version} {key}");
        }
    }

    /// What a server makes of these bytes, with messages of at most 100.
    async fn received(bytes: &[&[u8]]) -> Vec<String> {
        let (mut client, server) = tokio::io::duplex(4096);
        client.write_all(&bytes.concat()).await.unwrap();
        drop(client);
        let (mut receiver, _sender) = split(server, End::Server, 100);
        let mut all = Vec::new();
        loop {
            match receiver.next().await {
                Ok(incoming) => all.push(format!("{incoming:?}")),
                Err(error) => {
                    all.push(format!("{:?} {error}", error.close_code()));
                    return all;
                }
            }
        }
    }

    #[tokio::test]
    async fn masked_frames_are_read_and_pieces_joined() {
        let frames: &[&[u8]] = &[
            &[0x01, 0x82, 0, 0, 0, 0, b'H', b'e'],
            &[0x89, 0x81, 0, 0, 0, 0, b'p'],
            &[0x80, 0x83, 1, 0, 0, 0, b'l' ^ 1, b'l', b'o'],
            &[0x82, 0x81, 0, 0, 0, 0, 0xff],
            &[0x8a, 0x80, 0, 0, 0, 0],
            &[0x88, 0x84, 0, 0, 0, 0, 0x03, 0xe8, b'o', b'k'],
        ];
        assert_eq!(
            received(frames).await,
            [
                "Ping([112])",
                r#"Text("Hello")"#,
                "Binary([255])",
                "Pong",
                r#"Close(Some(1000), "ok")"#,
                "None unexpected end of file",
            ]
        );
    }

    #[tokio::test]
    async fn what_breaks_the_protocol_or_the_bound_has_its_code() {
        let masked = |opcode: u8, payload: &[u8]| {
            let length = u8::try_from(payload.len()).unwrap();
            let mut frame = vec![opcode, 0x80 | length, 0, 0, 0, 0];
            frame.extend_from_slice(payload);
            frame
        };
        for (bytes, expected) in [
            (vec![0x81, 1, b'x'], "Some(1002) a client's frame must be masked"),
            (masked(0xc1, b"x"), "Some(1002) a frame of an extension"),
            (masked(0x83, b"x"), "Some(1002) a frame of no known kind"),
            (masked(0x09, b"x"), "Some(1002) a control frame in pieces"),
            (masked(0x80, b"x"), "Some(1002) a piece without a message"),
            (
                [masked(0x01, b"x"), masked(0x81, b"y")].concat(),
                "Some(1002) a message inside of another",
            ),
            (masked(0x88, b"x"), "Some(1002) a close frame with half a code"),
            (masked(0x81, b"\xff"), "Some(1007) a text is no UTF-8"),
            (masked(0x81, &[b'x'; 101]), "Some(1009) the message is longer than 100 bytes"),
            (
                [masked(0x01, &[b'x'; 60]), masked(0x80, &[b'x'; 41])].concat(),
                "Some(1009) the message is longer than 100 bytes",
            ),
            (
                vec![0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0],
                "Some(1009) the message is longer than 100 bytes",
            ),
        ] {
            assert_eq!(received(&[&bytes]).await, [expected], "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn what_comes_after_the_end_is_thrown_away_up_to_a_bound() {
        for (n_sent, is_taken) in
            [(0, true), (200_000, true), (MAX_DRAINED_BYTES + (1 << 20), false)]
        {
            let (mut client, server) = tokio::io::duplex(64 * 1024);
            let (mut receiver, mut sender) = split(server, End::Server, 100);
            let served = tokio::spawn(async move {
                let error = receiver.next().await.unwrap_err();
                sender.close(error.close_code(), "too long").await.unwrap();
                receiver.drain().await;
            });
            client.write_all(&[0x81, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]).await.unwrap();
            let sent = client.write_all(&vec![b'x'; n_sent]).await;
            assert_eq!(sent.is_ok(), is_taken, "{n_sent}");
            let mut told = [0; 4];
            client.read_exact(&mut told).await.unwrap();
            assert_eq!(told, [0x88, 10, 0x03, 0xf1]);
            drop(client);
            served.await.unwrap();
        }
    }

    #[tokio::test]
    async fn both_ends_understand_each_other() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let (client, server) = tokio::io::duplex(1 << 20);
            let (mut at_client, mut from_client) = split(client, End::Client, 1 << 20);
            let (mut at_server, mut from_server) = split(server, End::Server, 1 << 20);
            let text = "x".repeat(length);
            from_client.text(&text).await.unwrap();
            assert_eq!(at_server.next().await.unwrap(), Incoming::Text(text.clone()));
            from_server.binary(text.as_bytes()).await.unwrap();
            from_server.ping().await.unwrap();
            from_server.close(Some(4400), &"é".repeat(100)).await.unwrap();
            assert_eq!(at_client.next().await.unwrap(), Incoming::Binary(text.into_bytes()));
            assert_eq!(at_client.next().await.unwrap(), Incoming::Ping(Vec::new()));
            let closed = Incoming::Close(Some(4400), "é".repeat(61));
            assert_eq!(at_client.next().await.unwrap(), closed);
        }
    }
}
