//! Event streams (server-sent events), read as they come.
//!
//! ```text
//! push(Bytes) ─▶ next() ─▶ Event: a slice of what was pushed, end of line included
//!                  └─▶ Oversized: an event beyond the bound, handed through in pieces
//! ```
//!
//! An event is given as soon as its last byte is there. Events put together are the stream, byte
//! for byte, so that whoever changes nothing forwards slices. Only an event that came in several
//! pieces is copied. What no client sees (comments, blank lines) is an event without data and is
//! given line by line, so that a comment that keeps a connection open is never held back.
//!
//! Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html>, 9.2.5 and 9.2.6

use std::borrow::Cow;
use std::fmt;

use bytes::{Bytes, BytesMut};
use memchr::{memchr2, memchr2_iter};

/// Longest event, unless another bound is given: one with the whole answer of a model (as
/// `response.completed` of the Responses API) stays below.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 4 << 20;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Cuts a stream of bytes into events.
pub struct EventStream {
    max_event_bytes: usize,
    /// The beginning of an event that is not whole yet.
    held: BytesMut,
    /// What was pushed last and is not looked at yet.
    chunk: Bytes,
    line: Line,
    bom: Bom,
    /// The event that is read now is beyond the bound.
    is_oversized: bool,
    is_first: bool,
}

/// What is known of the line and the event that are read now.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    n_bytes: usize,
    is_comment: bool,
    /// The line before ended with a carriage return that was the last byte: a line feed that
    /// follows belongs to it.
    after_return: bool,
    /// A line of the event is more than a comment.
    has_field: bool,
}

/// How much of the byte order mark has come.
#[derive(Clone, Copy, Debug)]
enum Bom {
    Expected(usize),
    Over,
}

/// One event: fields and data, as they stand in the stream. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    raw: Bytes,
    n_bom: usize,
}

/// A piece of an event that is longer than the bound. The pieces together are the event; the next
/// event is read as if nothing had happened.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {limit} bytes")]
pub struct Oversized {
    /// The bytes.
    pub raw: Bytes,
    /// The bound.
    pub limit: usize,
}

impl EventStream {
    /// A stream of which nothing has come yet. Events are at most `max_event_bytes` long, and so
    /// much is held at most.
    #[must_use]
    pub fn new(max_event_bytes: usize) -> EventStream {
        EventStream {
            max_event_bytes,
            held: BytesMut::new(),
            chunk: Bytes::new(),
            line: Line::default(),
            bom: Bom::Expected(0),
            is_oversized: false,
            is_first: true,
        }
    }

    /// Takes bytes in. What was pushed before should have been read by [`next`](Self::next) until
    /// there was nothing more, else it is copied together.
    pub fn push(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            let mut both = BytesMut::from(std::mem::take(&mut self.chunk));
            both.extend_from_slice(&chunk);
            self.chunk = both.freeze();
        }
    }

    /// The next whole event; `None`: more bytes are needed.
    ///
    /// # Errors
    ///
    /// The event is longer than the bound. Its bytes are in the error, and reading goes on.
    #[expect(clippy::should_implement_trait, reason = "the end is not final: more may be pushed")]
    pub fn next(&mut self) -> Option<Result<Event, Oversized>> {
        if self.chunk.is_empty() {
            return None;
        }
        let end = self.end_of_event();
        let n_bytes = end.unwrap_or(self.chunk.len());
        let part = self.chunk.split_to(n_bytes);
        // A line feed after the last carriage return may as well come later, by itself.
        let n_free = usize::from(end.is_some() && part.ends_with(b"\r\n"));
        let is_too_long = self.held.len() + part.len() > self.max_event_bytes + n_free;
        if self.is_oversized || is_too_long {
            self.is_oversized = end.is_none();
            self.is_first = false;
            let raw = self.with_held(part);
            return Some(Err(Oversized { raw, limit: self.max_event_bytes }));
        }
        if end.is_none() {
            self.held.extend_from_slice(&part);
            return None;
        }
        let raw = self.with_held(part);
        Some(Ok(self.event(raw)))
    }

    /// The rest, when the stream has ended: an event that lacks its blank line. A client that goes
    /// by the letter drops it.
    #[must_use]
    pub fn finish(&mut self) -> Option<Event> {
        let rest = std::mem::take(&mut self.chunk);
        let raw = self.with_held(rest);
        (!raw.is_empty()).then(|| self.event(raw))
    }

    /// Bytes of an event that is not whole yet.
    #[must_use]
    pub fn n_held(&self) -> usize {
        self.held.len() + self.chunk.len()
    }

    fn with_held(&mut self, part: Bytes) -> Bytes {
        if self.held.is_empty() {
            return part;
        }
        self.held.extend_from_slice(&part);
        self.held.split().freeze()
    }

    fn event(&mut self, raw: Bytes) -> Event {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let n_bom = if is_first && raw.starts_with(BOM) { BOM.len() } else { 0 };
        Event { raw, n_bom }
    }

    /// Where the event ends in the chunk; none if it goes on.
    fn end_of_event(&mut self) -> Option<usize> {
        let chunk = self.chunk.clone();
        let mut at = self.skip_bom(&chunk);
        if self.line.after_return && at < chunk.len() {
            self.line.after_return = false;
            if chunk.get(at) == Some(&b'\n') {
                at += 1;
                // Between two events it is an event of its own; within one, a part of it.
                if !self.line.has_field {
                    return Some(at);
                }
            }
        }
        loop {
            let rest = chunk.get(at..).unwrap_or_default();
            let Some(found) = memchr2(b'\n', b'\r', rest) else {
                self.begin_line(rest);
                return None;
            };
            let (text, end) = rest.split_at_checked(found)?;
            self.begin_line(text);
            at += found + 1;
            if end.first() == Some(&b'\r') {
                match end.get(1) {
                    None => self.line.after_return = true,
                    Some(b'\n') => at += 1,
                    Some(_) => {}
                }
            }
            if self.end_line() {
                return Some(at);
            }
        }
    }

    fn begin_line(&mut self, text: &[u8]) {
        if self.line.n_bytes == 0 {
            self.line.is_comment = text.first() == Some(&b':');
        }
        self.line.n_bytes += text.len();
    }

    /// Whether the event ends with the line.
    fn end_line(&mut self) -> bool {
        let line = &mut self.line;
        let is_blank = line.n_bytes == 0;
        line.n_bytes = 0;
        if !is_blank && !line.is_comment {
            line.has_field = true;
            return false;
        }
        // A comment within an event is a part of it.
        let ends = is_blank || !line.has_field;
        if ends {
            line.has_field = false;
        }
        ends
    }

    /// Bytes at the beginning of the chunk that are a byte order mark.
    fn skip_bom(&mut self, chunk: &[u8]) -> usize {
        let Bom::Expected(n_seen) = self.bom else { return 0 };
        let expected = BOM.get(n_seen..).unwrap_or_default();
        let n_same = expected.iter().zip(chunk).take_while(|(a, b)| a == b).count();
        if n_same == expected.len() {
            self.bom = Bom::Over;
        } else if n_same == chunk.len() {
            self.bom = Bom::Expected(n_seen + n_same);
        } else {
            // Something else: what looked like the mark begins the first line.
            self.bom = Bom::Over;
            self.line.n_bytes += n_seen;
            return 0;
        }
        n_same
    }
}

impl Default for EventStream {
    fn default() -> EventStream {
        EventStream::new(DEFAULT_MAX_EVENT_BYTES)
    }
}

impl Event {
    /// An event of these bytes, which should be those of one event.
    #[must_use]
    pub fn from_raw(raw: impl Into<Bytes>) -> Event {
        Event { raw: raw.into(), n_bom: 0 }
    }

    /// An event with this data, and a type if it has one, as it stands in a stream.
    #[must_use]
    pub fn with_data(event_type: Option<&str>, data: &str) -> Event {
        let mut raw = String::with_capacity(data.len() + 16);
        if let Some(event_type) = event_type {
            raw.push_str("event: ");
            raw.push_str(event_type);
            raw.push('\n');
        }
        for line in data.split('\n') {
            raw.push_str("data: ");
            raw.push_str(line);
            raw.push('\n');
        }
        raw.push('\n');
        Event::from_raw(raw)
    }

    /// The event as it stands in the stream, with its blank line.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The same; none if a byte order mark stands before it.
    pub(crate) fn raw_without_bom(&self) -> Option<&[u8]> {
        (self.n_bom == 0).then_some(&*self.raw)
    }

    /// Its data: lines joined by line feeds. A slice of the stream if it is one line; none if there
    /// is no `data` field, and then no client hears of the event.
    #[must_use]
    pub fn data(&self) -> Option<Bytes> {
        let mut found: Option<Cow<'_, [u8]>> = None;
        for (name, value) in self.fields() {
            if name != b"data" {
                continue;
            }
            match &mut found {
                None => found = Some(Cow::Borrowed(value)),
                Some(lines) => {
                    let lines = lines.to_mut();
                    lines.push(b'\n');
                    lines.extend_from_slice(value);
                }
            }
        }
        found.map(|it| match it {
            // An empty value may be a slice of nothing at all.
            Cow::Borrowed([]) => Bytes::new(),
            Cow::Borrowed(one) => self.raw.slice_ref(one),
            Cow::Owned(many) => Bytes::from(many),
        })
    }

    /// Its type, the `event` field; none means `message`.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        let last = self.fields().filter(|(name, _)| *name == b"event").last();
        last.and_then(|(_, value)| std::str::from_utf8(value).ok()).filter(|it| !it.is_empty())
    }

    /// Whether this is `[DONE]`, with which OpenAI's streams end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.data().is_some_and(|it| it.trim_ascii() == b"[DONE]")
    }

    /// Names and values of its fields, comments left out.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let text = self.raw.get(self.n_bom..).unwrap_or_default();
        lines(text).filter_map(field)
    }
}

/// Lines without their ends. A line feed after a carriage return gives an empty line more, which is
/// no field.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let ends = memchr2_iter(b'\n', b'\r', text).chain(std::iter::once(text.len()));
    ends.filter_map(move |end| {
        let line = text.get(start..end);
        start = end + 1;
        line
    })
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    match memchr::memchr(b':', line) {
        Some(0) => None,
        None if line.is_empty() => None,
        None => Some((line, b"")),
        Some(colon) => {
            let (name, value) = line.split_at_checked(colon)?;
            let value = value.get(1..).unwrap_or_default();
            Some((name, value.strip_prefix(b" ").unwrap_or(value)))
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({} bytes)", self.raw.len())
    }
}

impl fmt::Debug for Oversized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oversized({} bytes of more than {})", self.raw.len(), self.limit)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("max_event_bytes", &self.max_event_bytes)
            .field("held", &self.n_held())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
