//! Amazon's binary event stream (`application/vnd.amazon.eventstream`), read as it comes.
//!
//! ```text
//! total length, headers length, CRC │ headers │ payload │ CRC
//!          4 + 4 + 4 bytes          │         │         │  4
//! ```
//!
//! The checksums are not checked: what is read here is only looked at, and the client that gets the
//! bytes checks them.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html>, which
//! describes the framing that Bedrock shares

use std::fmt;

use bytes::{Bytes, BytesMut};

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
/// The type of a header's value that is a text.
const TEXT: u8 = 7;

/// Cuts a stream of bytes into messages. A copy is made of messages that came in pieces.
pub struct BinaryStream {
    max_message_bytes: usize,
    held: BytesMut,
    is_broken: bool,
}

/// One message. `Debug` shows no content.
#[derive(Clone)]
pub struct BinaryMessage {
    event_type: Option<String>,
    payload: Bytes,
}

/// The lengths in the stream contradict each other, or are beyond the bound. Nothing is read after
/// that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the binary event stream has a message of an impossible length")]
pub struct BrokenFrame;

impl BinaryStream {
    /// A stream of which nothing has come yet, with messages of at most so many bytes.
    #[must_use]
    pub fn new(max_message_bytes: usize) -> BinaryStream {
        BinaryStream { max_message_bytes, held: BytesMut::new(), is_broken: false }
    }

    /// Takes bytes in.
    pub fn push(&mut self, chunk: &[u8]) {
        if !self.is_broken {
            self.held.extend_from_slice(chunk);
        }
    }

    /// The next whole message; `None`: more bytes are needed.
    ///
    /// # Errors
    ///
    /// A length is impossible. Nothing is held or read any more.
    #[expect(clippy::should_implement_trait, reason = "the end is not final: more may be pushed")]
    pub fn next(&mut self) -> Option<Result<BinaryMessage, BrokenFrame>> {
        let total = usize::try_from(number(&self.held, 0)?).unwrap_or(usize::MAX);
        let n_headers = usize::try_from(number(&self.held, 4)?).unwrap_or(usize::MAX);
        let n_payload =
            total.checked_sub(PRELUDE + CHECKSUM).and_then(|it| it.checked_sub(n_headers));
        let n_payload = n_payload.filter(|_| total <= self.max_message_bytes);
        let Some(n_payload) = n_payload else {
            self.is_broken = true;
            self.held = BytesMut::new();
            return Some(Err(BrokenFrame));
        };
        if self.held.len() < total {
            return None;
        }
        let mut message = self.held.split_to(total).freeze();
        let mut rest = message.split_off(PRELUDE);
        let headers = rest.split_to(n_headers);
        Some(Ok(BinaryMessage {
            event_type: event_type(&headers),
            payload: rest.slice(..n_payload.min(rest.len())),
        }))
    }
}

impl BinaryMessage {
    /// What the header `:event-type`, or else `:exception-type`, says.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        self.event_type.as_deref()
    }

    /// The payload: JSON, for Bedrock.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

/// The type of the event out of the headers: name length, name, type of the value, value.
fn event_type(headers: &[u8]) -> Option<String> {
    let mut rest = headers;
    while let Some((&n_name, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(n_name))?;
        let (&kind, after) = after.split_first()?;
        let n_value = match kind {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            6 | TEXT => {
                let two: [u8; 2] = after.get(..2)?.try_into().ok()?;
                2 + usize::from(u16::from_be_bytes(two))
            }
            9 => 16,
            _ => return None,
        };
        let (value, after) = after.split_at_checked(n_value)?;
        if kind == TEXT && matches!(name, b":event-type" | b":exception-type") {
            return String::from_utf8(value.get(2..)?.to_vec()).ok();
        }
        rest = after;
    }
    None
}

impl fmt::Debug for BinaryMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BinaryMessage({:?}, {} bytes)", self.event_type, self.payload.len())
    }
}

impl fmt::Debug for BinaryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BinaryStream").field("held", &self.held.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str) -> Vec<u8> {
        let mut it = vec![u8::try_from(name.len()).unwrap()];
        it.extend_from_slice(name.as_bytes());
        it.push(TEXT);
        it.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        it.extend_from_slice(value.as_bytes());
        it
    }

    fn message(event_type: &str, payload: &str) -> Vec<u8> {
        let mut headers = header(":message-type", "event");
        headers.extend_from_slice(&[1, b'b', 0, 1, b'n', 4, 0, 0, 0, 7]);
        headers.extend(header(":event-type", event_type));
        let total = u32::try_from(PRELUDE + headers.len() + payload.len() + CHECKSUM).unwrap();
        let n_headers = u32::try_from(headers.len()).unwrap();
        let mut it = [total.to_be_bytes(), n_headers.to_be_bytes(), [0; 4]].concat();
        it.extend(headers);
        it.extend_from_slice(payload.as_bytes());
        it.extend_from_slice(&[0; 4]);
        it
    }

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut stream = BinaryStream::new(200);
        let mut seen = Vec::new();
        for piece in pieces {
            stream.push(piece);
            while let Some(next) = stream.next() {
                seen.push(match next {
                    Ok(it) => format!(
                        "{}={}",
                        it.event_type().unwrap_or("-"),
                        String::from_utf8_lossy(it.payload())
                    ),
                    Err(it) => it.to_string(),
                });
            }
        }
        seen
    }

    #[test]
    fn messages_are_read_wherever_the_stream_is_cut() {
        let both = [message("contentBlockDelta", "{\"a\":1}"), message("metadata", "")].concat();
        let expected = ["contentBlockDelta={\"a\":1}", "metadata="];
        for at in 0..=both.len() {
            let (one, two) = both.split_at(at);
            assert_eq!(read(&[one, two]), expected, "cut at {at}");
        }
    }

    #[test]
    fn impossible_lengths_end_it() {
        for (total, n_headers) in [(0_u32, 0_u32), (15, 0), (20, 5), (201, 0), (u32::MAX, 1)] {
            let mut bytes = [total.to_be_bytes(), n_headers.to_be_bytes(), [0; 4]].concat();
            bytes.extend(message("x", ""));
            assert_eq!(read(&[&bytes, &bytes]), [BrokenFrame.to_string()], "{total} {n_headers}");
        }
    }

    #[test]
    fn headers_that_make_no_sense_are_no_event_type() {
        for headers in [&[5, b'a'][..], &[1, b'a', 99], &[1, b'a', 7, 0, 9], &[0, 6, 0, 0]] {
            assert_eq!(event_type(headers), None, "{headers:?}");
        }
    }
}
