//! Watches the framing of an HTTP/1.1 connection for what may be read in two ways.
//!
//! hyper refuses most ambiguous requests itself (obs-fold, bare CR, a space before the colon,
//! different lengths), but it takes `Transfer-Encoding` beside `Content-Length`, and equal lengths
//! twice, by its own choice of meaning. A proxy in front of us may choose otherwise, which is how
//! requests are smuggled. So the bytes are read along here, with the same rules for where a body
//! ends, and the first such request is answered with 400 and the connection closed.
//!
//! Source: RFC 9112, sections 6.1, 6.3 and 11.2.

use std::io::BufRead;

/// Longest part of a line that is looked at; framing headers are far shorter.
const MAX_LINE_BYTES: usize = 256;

/// Reads a connection along and finds its first ambiguous request.
#[derive(Debug)]
pub(crate) struct Framing {
    state: State,
    /// Start of a line whose end has not come yet.
    line: Vec<u8>,
    head: Head,
    n_requests: u64,
    /// The part of a head has been seen, but not its end.
    in_head: bool,
}

#[derive(Debug, Default)]
struct Head {
    has_request_line: bool,
    n_lengths: u32,
    length: u64,
    n_encodings: u32,
    is_ambiguous: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Body(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    /// Nothing can be said about what follows.
    Blind,
}

impl Framing {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Head,
            line: Vec::new(),
            head: Head::default(),
            n_requests: 0,
            in_head: false,
        }
    }

    /// Reads bytes along. The number of the first ambiguous request (from 0), once it is seen.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) -> Option<u64> {
        while !bytes.is_empty() {
            match self.state {
                State::Blind => return None,
                State::Body(left) => bytes = self.skip(bytes, left, State::Head, State::Body),
                State::ChunkData(left) => {
                    bytes = self.skip(bytes, left, State::ChunkEnd, State::ChunkData);
                }
                _ => {
                    let Some(end) = line_end(bytes) else {
                        self.keep(bytes);
                        return None;
                    };
                    let (line, rest) = bytes.split_at(end + 1);
                    bytes = rest;
                    let line = line.strip_suffix(b"\n").unwrap_or(line);
                    let is_bad = if self.line.is_empty() {
                        self.take_line(line)
                    } else {
                        self.keep(line);
                        let line = std::mem::take(&mut self.line);
                        self.take_line(&line)
                    };
                    if is_bad {
                        self.state = State::Blind;
                        self.in_head = false;
                        return Some(self.n_requests);
                    }
                }
            }
        }
        None
    }

    /// Whether a request has begun whose headers are not complete.
    pub(crate) fn in_head(&self) -> bool {
        self.in_head
    }

    fn skip<'a>(
        &mut self,
        bytes: &'a [u8],
        left: u64,
        then: State,
        still: fn(u64) -> State,
    ) -> &'a [u8] {
        let n_skipped = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left - n_skipped as u64;
        self.state = if left == 0 { then } else { still(left) };
        bytes.get(n_skipped..).unwrap_or_default()
    }

    fn keep(&mut self, part: &[u8]) {
        if self.state == State::Head {
            self.in_head = true;
        }
        let room = MAX_LINE_BYTES.saturating_sub(self.line.len()).min(part.len());
        self.line.extend_from_slice(part.get(..room).unwrap_or_default());
    }

    /// Whether the line makes the request ambiguous.
    fn take_line(&mut self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.state {
            State::Head => self.take_head_line(line),
            State::ChunkSize => {
                let digits = line.split(|it| *it == b';').next().unwrap_or_default().trim_ascii();
                match parse(digits, 16) {
                    Some(0) => self.state = State::Trailers,
                    Some(n) => self.state = State::ChunkData(n),
                    // hyper refuses the body, and with it the connection.
                    None => self.state = State::Blind,
                }
                false
            }
            State::ChunkEnd => {
                self.state = if line.is_empty() { State::ChunkSize } else { State::Blind };
                false
            }
            State::Trailers => {
                if line.is_empty() {
                    self.state = State::Head;
                }
                false
            }
            State::Body(_) | State::ChunkData(_) | State::Blind => false,
        }
    }

    fn take_head_line(&mut self, line: &[u8]) -> bool {
        if !self.head.has_request_line {
            // Empty lines before a request are skipped (RFC 9112, section 2.2).
            self.head.has_request_line = !line.is_empty();
            self.in_head = !line.is_empty();
            return false;
        }
        if line.is_empty() {
            return self.end_head();
        }
        let mut parts = line.splitn(2, |it| *it == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let value = value.trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            self.head.n_lengths += 1;
            match parse(value, 10) {
                Some(length) => self.head.length = length,
                None => self.head.is_ambiguous = true,
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.head.n_encodings += 1;
            self.head.is_ambiguous |= !value.eq_ignore_ascii_case(b"chunked");
        }
        false
    }

    fn end_head(&mut self) -> bool {
        let head = std::mem::take(&mut self.head);
        self.in_head = false;
        if head.is_ambiguous || head.n_lengths + head.n_encodings > 1 {
            return true;
        }
        self.n_requests += 1;
        self.state = match (head.n_encodings, head.length) {
            (0, 0) => State::Head,
            (0, length) => State::Body(length),
            _ => State::ChunkSize,
        };
        false
    }
}

/// Where the first line ends. The standard library searches through the C library's `memchr` here,
/// several times faster than byte by byte.
fn line_end(mut bytes: &[u8]) -> Option<usize> {
    let whole = bytes;
    let last = bytes.skip_until(b'\n').ok()?.checked_sub(1)?;
    (whole.get(last) == Some(&b'\n')).then_some(last)
}

/// A number of digits only: no sign, no blank, no overflow.
fn parse(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(|it| char::from(*it).is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Framing;

    const ORDINARY: &str = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n\
        POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /\
        \r\nPOST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
        5;a=b\r\nab\r\nc\r\n0\r\nX: y\r\n\r\n\
        GET /d HTTP/1.1\r\nHost: x\r\n\r\n";

    fn first_bad(text: &str) -> Option<u64> {
        Framing::new().read(text.as_bytes())
    }

    fn headers(lines: &str) -> Option<u64> {
        first_bad(&format!("{ORDINARY}POST /e HTTP/1.1\r\nHost: x\r\n{lines}\r\n"))
    }

    #[test]
    fn ordinary_requests_pass() {
        assert_eq!(first_bad(ORDINARY), None);
        assert_eq!(headers("Content-Length: 0\r\n"), None);
        assert_eq!(headers("Transfer-Encoding: CHUNKED\r\n"), None);
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_found() {
        for lines in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\ncontent-length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length:\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Transfer-Encoding: xchunked\r\n",
        ] {
            assert_eq!(headers(lines), Some(4), "{lines}");
        }
    }

    #[test]
    fn a_head_that_has_begun_is_known() {
        let mut framing = Framing::new();
        assert!(!framing.in_head());
        framing.read(b"GE");
        assert!(framing.in_head());
        framing.read(b"T / HTTP/1.1\r\nHost: x\r\n");
        assert!(framing.in_head());
        framing.read(b"\r\n");
        assert!(!framing.in_head());
    }

    /// A request with no body, a counted one or chunks; bodies look like requests themselves.
    fn request() -> impl Strategy<Value = String> {
        let text = "[a-z0-9 :/\r\n]{0,40}";
        let counted = text.prop_map(|body| {
            format!("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        });
        let chunk = ("[a-z0-9 :/\r\n]{1,40}", "(;[a-z]{1,5}=[a-z]{1,5})?")
            .prop_map(|(data, more)| format!("{:x}{more}\r\n{data}\r\n", data.len()));
        let chunked = (prop::collection::vec(chunk, 0..4), "(x-[a-z]{1,8}: [a-z]{0,8}\r\n){0,2}")
            .prop_map(|(chunks, trailers)| {
                let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
                format!("{head}{}0\r\n{trailers}\r\n", chunks.concat())
            });
        let bare = Just("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned());
        prop_oneof![bare, counted, chunked]
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_does_not_matter(cuts in prop::collection::vec(1_usize..40, 0..40)) {
            let text = format!(
                "{ORDINARY}POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"
            );
            let mut framing = Framing::new();
            let mut rest = text.as_bytes();
            let mut found = None;
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                found = found.or(framing.read(now));
                rest = later;
            }
            prop_assert_eq!(found, Some(4));
        }

        #[test]
        fn every_ordinary_request_is_counted(requests in prop::collection::vec(request(), 0..12)) {
            let mut framing = Framing::new();
            prop_assert_eq!(framing.read(requests.concat().as_bytes()), None);
            prop_assert_eq!(framing.n_requests, requests.len() as u64);
            prop_assert!(!framing.in_head());
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = Framing::new().read(&bytes);
        }
    }
}
