//! Frames of WebSocket, as much as a server needs: texts, pings, closing.
//!
//! Source: RFC 6455

use std::io;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use transport::{Body, Response};

use crate::reply;

/// What the server appends to the client's key (section 1.3).
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Longest message, in bytes.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The answer that accepts a handshake (section 4.2.2), with `protocol` if the client offers it.
pub(crate) fn accept(headers: &HeaderMap, protocol: &str) -> Option<Response> {
    let key = headers.get("sec-websocket-key")?.to_str().ok()?;
    let hash =
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MAGIC}").as_bytes());
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    reply::set(&mut response, "connection", "Upgrade");
    reply::set(&mut response, "upgrade", "websocket");
    reply::set(&mut response, "sec-websocket-accept", &STANDARD.encode(hash.as_ref()));
    let offered = headers.get_all("sec-websocket-protocol").iter();
    let is_offered = offered
        .filter_map(|it| it.to_str().ok())
        .any(|it| it.split(',').any(|it| it.trim() == protocol));
    if is_offered {
        reply::set(&mut response, "sec-websocket-protocol", protocol);
    }
    Some(response)
}

/// One end of a connection that has switched: the server's.
#[derive(Debug)]
pub(crate) struct WebSocket<S>(pub(crate) S);

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The next text; `None` once the client closes. Pings are answered on the way.
    pub(crate) async fn next_text(&mut self) -> io::Result<Option<String>> {
        let mut message = Vec::new();
        loop {
            let (is_last, opcode, payload) = self.frame().await?;
            match opcode {
                CLOSE => {
                    self.send(CLOSE, &payload).await?;
                    self.0.shutdown().await?;
                    return Ok(None);
                }
                PING => self.send(PONG, &payload).await?,
                PONG => {}
                _ => {
                    if message.len() + payload.len() > MAX_MESSAGE_BYTES {
                        return Err(invalid("the message is too long"));
                    }
                    message.extend_from_slice(&payload);
                    if is_last {
                        let text = String::from_utf8(message);
                        return text.map(Some).map_err(|_| invalid("the message is no UTF-8"));
                    }
                }
            }
        }
    }

    /// Sends a text.
    pub(crate) async fn send_text(&mut self, text: &str) -> io::Result<()> {
        self.send(TEXT, text.as_bytes()).await
    }

    /// Whether it is the last of its message, its opcode and its payload (section 5.2).
    async fn frame(&mut self) -> io::Result<(bool, u8, Vec<u8>)> {
        let (first, second) = (self.0.read_u8().await?, self.0.read_u8().await?);
        if second & 0x80 == 0 {
            return Err(invalid("a client's frame must be masked"));
        }
        let length = match second & 0x7f {
            126 => u64::from(self.0.read_u16().await?),
            127 => self.0.read_u64().await?,
            short => u64::from(short),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE_BYTES {
            return Err(invalid("the frame is too long"));
        }
        let mut mask = [0; 4];
        self.0.read_exact(&mut mask).await?;
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await?;
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        Ok((first & 0x80 != 0, first & 0x0f, payload))
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            n @ 0..126 => frame.push(u8::try_from(n).unwrap_or_default()),
            n => match u16::try_from(n) {
                Ok(n) => {
                    frame.push(126);
                    frame.extend_from_slice(&n.to_be_bytes());
                }
                Err(_) => {
                    frame.push(127);
                    frame.extend_from_slice(&u64::try_from(n).unwrap_or_default().to_be_bytes());
                }
            },
        }
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).await?;
        self.0.flush().await
    }
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_of_the_specification_is_answered_as_there() {
        let mut headers = HeaderMap::new();
        headers.insert("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
        headers.insert("sec-websocket-protocol", "x, realtime".parse().unwrap());
        let response = accept(&headers, "realtime").unwrap();
        assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.headers()["sec-websocket-protocol"], "realtime");
        assert!(accept(&HeaderMap::new(), "realtime").is_none());
    }

    #[tokio::test]
    async fn masked_frames_are_read_and_pieces_joined() {
        let (client, server) = tokio::io::duplex(256);
        let mut client = client;
        // "He" + ping + "llo", masked with zeros; then a frame without a mask.
        let frames: &[&[u8]] = &[
            &[0x01, 0x82, 0, 0, 0, 0, b'H', b'e'],
            &[0x89, 0x80, 0, 0, 0, 0],
            &[0x80, 0x83, 1, 0, 0, 0, b'l' ^ 1, b'l', b'o'],
            &[0x81, 0x01, b'x'],
        ];
        client.write_all(&frames.concat()).await.unwrap();
        let mut socket = WebSocket(server);
        assert_eq!(socket.next_text().await.unwrap().unwrap(), "Hello");
        assert!(socket.next_text().await.is_err());
        let mut pong = [0; 2];
        client.read_exact(&mut pong).await.unwrap();
        assert_eq!(pong, [0x8a, 0]);
    }

    #[tokio::test]
    async fn a_length_takes_as_few_bytes_as_it_can() {
        for (n, expected) in [
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 255, 255]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let (mut client, server) = tokio::io::duplex(1 << 20);
            WebSocket(server).send_text(&"x".repeat(n)).await.unwrap();
            let mut head = vec![0; expected.len()];
            client.read_exact(&mut head).await.unwrap();
            assert_eq!(head, expected);
        }
    }
}
