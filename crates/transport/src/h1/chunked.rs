//! The end of a body: by its length, by chunks, or with the connection.
//!
//! Source: RFC 9112, sections 6 and 7.

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use memchr::memchr;

use super::fields::{Fields, number};
use super::lines::{Lines, Scan};
use super::{LONG_READ_BYTES, Malformed, READ_BYTES};

/// Longest line with a chunk's size.
const MAX_SIZE_LINE_BYTES: usize = 1024;

/// All extensions of a body together; nobody needs any.
const MAX_EXTENSION_BYTES: usize = 16 * 1024;

/// Trailers: bytes and lines.
const MAX_TRAILERS: (usize, usize) = (8 * 1024, 64);

/// The last chunk, without trailers.
pub(crate) const LAST: &[u8] = b"0\r\n\r\n";

/// Takes a body out of what comes in.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// So many bytes are left.
    Length(u64),
    Chunked(Chunked),
    /// All until the connection ends.
    Close,
}

/// Where in the chunks it is.
#[derive(Debug, Default)]
pub(crate) struct Chunked {
    at: At,
    n_extension_bytes: usize,
}

#[derive(Debug, Default)]
enum At {
    #[default]
    Size,
    Data(u64),
    /// The line end after a chunk's data.
    Line,
    Trailers(Lines),
    End,
}

/// What comes next.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// More bytes are needed.
    More,
    Data(Bytes),
    /// The body's end, with its trailers if it has any.
    End(Option<HeaderMap>),
}

impl Decoder {
    pub(crate) fn length(length: u64) -> Self {
        Self::Length(length)
    }

    pub(crate) fn chunked() -> Self {
        Self::Chunked(Chunked::default())
    }

    /// Whether the whole body has been taken.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunked { at: At::End, .. }))
    }

    /// How many bytes are to come, if it is known.
    pub(crate) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(_) if self.is_done() => Some(0),
            Self::Chunked(_) | Self::Close => None,
        }
    }

    /// How much to make room for before the next receive.
    pub(crate) fn room(&self) -> usize {
        let left = match self {
            Self::Length(left) | Self::Chunked(Chunked { at: At::Data(left), .. }) => *left,
            Self::Chunked(_) => 0,
            Self::Close => u64::MAX,
        };
        usize::try_from(left).unwrap_or(usize::MAX).clamp(READ_BYTES, LONG_READ_BYTES)
    }

    /// Takes the next part out of `input`.
    ///
    /// # Errors
    ///
    /// Chunks that break the rules.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Result<Step, Malformed> {
        match self {
            Self::Length(0) => Ok(Step::End(None)),
            Self::Length(left) => Ok(take(left, input)),
            Self::Chunked(chunked) => chunked.next(input),
            Self::Close if input.is_empty() => Ok(Step::More),
            Self::Close => Ok(Step::Data(input.split().freeze())),
        }
    }

    /// The last byte has been taken, or only the end of all chunks is left and at hand: takes it.
    pub(crate) fn finish(&mut self, input: &mut BytesMut) -> bool {
        if let Self::Chunked(chunked) = self
            && matches!(chunked.at, At::Size)
            && input.starts_with(LAST)
        {
            input.advance(LAST.len());
            chunked.at = At::End;
        }
        self.is_done()
    }
}

fn take(left: &mut u64, input: &mut BytesMut) -> Step {
    if input.is_empty() {
        return Step::More;
    }
    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    *left -= n as u64;
    Step::Data(input.split_to(n).freeze())
}

impl Chunked {
    fn next(&mut self, input: &mut BytesMut) -> Result<Step, Malformed> {
        loop {
            match &mut self.at {
                At::Size => {
                    let Some(size) = self.size(input)? else { return Ok(Step::More) };
                    self.at =
                        if size == 0 { At::Trailers(Lines::default()) } else { At::Data(size) };
                }
                At::Data(left) => {
                    let step = take(left, input);
                    if *left == 0 {
                        self.at = At::Line;
                        // So that the end is seen with the last data.
                        self.line(input)?;
                    }
                    return Ok(step);
                }
                At::Line => {
                    if !self.line(input)? {
                        return Ok(Step::More);
                    }
                }
                At::Trailers(lines) => {
                    let Some(trailers) = trailers(lines, input)? else { return Ok(Step::More) };
                    self.at = At::End;
                    return Ok(Step::End(Some(trailers).filter(|it| !it.is_empty())));
                }
                At::End => return Ok(Step::End(None)),
            }
        }
    }

    /// Takes the line with a chunk's size.
    fn size(&mut self, input: &mut BytesMut) -> Result<Option<u64>, Malformed> {
        let part = input.get(..input.len().min(MAX_SIZE_LINE_BYTES)).unwrap_or_default();
        let Some(end) = memchr(b'\n', part) else {
            if part.len() == MAX_SIZE_LINE_BYTES {
                return Err(Malformed("the line of a chunk's size is too long"));
            }
            return Ok(None);
        };
        let line = part.get(..end).and_then(|it| it.strip_suffix(b"\r"));
        let line = line.ok_or(Malformed("a line ends without CR"))?;
        let n_digits = line.iter().position(|it| !it.is_ascii_hexdigit()).unwrap_or(line.len());
        let (digits, extension) = line.split_at(n_digits);
        let size = number(digits, 16).ok_or(Malformed("the size of a chunk"))?;
        let is_text = |it: &u8| *it == b'\t' || (*it >= b' ' && *it != 0x7f);
        let is_good = match extension.trim_ascii_start() {
            [] => true,
            [b';', rest @ ..] => rest.iter().all(is_text),
            _ => false,
        };
        if !is_good || !extension.iter().all(is_text) {
            return Err(Malformed("the size of a chunk"));
        }
        self.n_extension_bytes += extension.len();
        if self.n_extension_bytes > MAX_EXTENSION_BYTES {
            return Err(Malformed("too many chunk extensions"));
        }
        input.advance(end + 1);
        Ok(Some(size))
    }

    /// Takes the line end after a chunk's data. Whether it was there.
    fn line(&mut self, input: &mut BytesMut) -> Result<bool, Malformed> {
        match input.as_ref() {
            [] | [b'\r'] => Ok(false),
            [b'\r', b'\n', ..] => {
                input.advance(2);
                self.at = At::Size;
                Ok(true)
            }
            _ => Err(Malformed("a chunk is longer than it says")),
        }
    }
}

fn trailers(lines: &mut Lines, input: &mut BytesMut) -> Result<Option<HeaderMap>, Malformed> {
    match lines.scan(input, MAX_TRAILERS.1)? {
        Scan::Complete(n) => {
            let text = input.split_to(n).freeze();
            let fields = Fields::read(&text, lines.ranges(), lines.n_fields() + 1)?;
            Ok(Some(fields.headers))
        }
        Scan::Partial if input.len() <= MAX_TRAILERS.0 => Ok(None),
        Scan::Partial | Scan::TooMany => Err(Malformed("the trailers are too large")),
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::{Decoder, MAX_TRAILERS, Malformed, Step};

    /// The body, how many trailers it has, and what is left of the input.
    type Decoded = (Vec<u8>, usize, Vec<u8>);

    /// Decodes the parts one after the other; `None` if the end has not come.
    fn decode(mut decoder: Decoder, parts: &[&[u8]]) -> Result<Option<Decoded>, Malformed> {
        let (mut input, mut body) = (BytesMut::new(), Vec::new());
        let mut parts = parts.iter();
        loop {
            match decoder.next(&mut input)? {
                Step::More => match parts.next() {
                    Some(part) => input.extend_from_slice(part),
                    None => return Ok(None),
                },
                Step::Data(data) => body.extend_from_slice(&data),
                Step::End(trailers) => {
                    assert!(decoder.is_done());
                    parts.for_each(|it| input.extend_from_slice(it));
                    return Ok(Some((body, trailers.map_or(0, |it| it.len()), input.to_vec())));
                }
            }
        }
    }

    fn chunks(text: &str) -> Result<Option<Decoded>, Malformed> {
        decode(Decoder::chunked(), &[text.as_bytes()])
    }

    #[test]
    fn chunks_end_where_they_say() {
        for (text, body, n_trailers, rest) in [
            ("0\r\n\r\nrest", "", 0, "rest"),
            ("2\r\nab\r\n003\r\ncde\r\n0\r\n\r\n", "abcde", 0, ""),
            ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0, ""),
            ("1;a=b;c=\"d\"\r\nx\r\n0 ;e\r\n\r\n", "x", 0, ""),
            ("1 \r\nx\r\n0\t\r\n\r\n", "x", 0, ""),
            ("1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\nGET", "x", 2, "GET"),
        ] {
            let expected = (body.into(), n_trailers, rest.into());
            assert_eq!(chunks(text), Ok(Some(expected)), "{text:?}");
        }
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let long = format!("1;{}\r\nx\r\n", "a".repeat(2000));
        let many = format!("1;{}\r\nx\r\n", "a".repeat(1000)).repeat(20);
        let trailers = format!("0\r\nA: {}", "b".repeat(MAX_TRAILERS.0));
        let lines = format!("0\r\n{}\r\n", "A: b\r\n".repeat(100));
        for text in [
            "zz\r\n",
            "\r\n",
            ";a\r\n",
            "-2\r\n",
            "+2\r\n",
            "0x2\r\n",
            " 2\r\n",
            "2 2\r\n",
            "2\nab\r\n",
            "2\r\nabc\r\n",
            "2\r\nab\n",
            "2\r\nab\r0",
            "2;\r\r\nab",
            "2\r;a\r\nab",
            "fffffffffffffffff\r\n",
            "2;\0\r\n",
            "0\r\nA b\r\n\r\n",
            "0\r\n A: b\r\n\r\n",
            "0\r\nA: b\n\r\n",
            "0\r\n\n",
            &long,
            &many,
            &trailers,
            &lines,
        ] {
            assert!(chunks(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_length_is_counted_and_the_rest_is_left() {
        let decoded = decode(Decoder::length(3), &[b"a", b"bcd"]);
        assert_eq!(decoded, Ok(Some((b"abc".to_vec(), 0, b"d".to_vec()))));
        assert_eq!(decode(Decoder::length(3), &[b"ab"]), Ok(None));
        assert_eq!(decode(Decoder::Close, &[b"ab", b"c"]), Ok(None));
    }

    #[test]
    fn the_end_is_seen_with_the_last_data() {
        let (mut decoder, mut input) = (Decoder::chunked(), BytesMut::from("1\r\nx\r\n0\r\n\r\n"));
        assert_eq!(decoder.next(&mut input), Ok(Step::Data("x".into())));
        assert!(decoder.finish(&mut input) && input.is_empty());
        let (mut decoder, mut input) = (Decoder::chunked(), BytesMut::from("1\r\nx\r\n1\r\n"));
        assert_eq!(decoder.next(&mut input), Ok(Step::Data("x".into())));
        assert!(!decoder.finish(&mut input));
    }

    fn body() -> impl Strategy<Value = (String, String)> {
        let chunk = ("[a-z\r\n;]{1,40}", "(;[a-z]{1,5}=[a-z]{1,5})?");
        prop::collection::vec(chunk, 0..8).prop_map(|chunks| {
            let body: String = chunks.iter().map(|it| it.0.as_str()).collect();
            let coded: String = chunks
                .iter()
                .map(|(data, more)| format!("{:x}{more}\r\n{data}\r\n", data.len()))
                .collect();
            (body, format!("{coded}0\r\nX: y\r\n\r\n"))
        })
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_does_not_matter(
            (body, coded) in body(),
            size in 1_usize..50,
        ) {
            let parts: Vec<&[u8]> = coded.as_bytes().chunks(size).collect();
            let decoded = decode(Decoder::chunked(), &parts).unwrap().unwrap();
            prop_assert_eq!(decoded, (body.into_bytes(), 1, Vec::new()));
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(Decoder::chunked(), &[&bytes]);
        }

        #[test]
        fn almost_chunks_are_taken(text in "[0-3a;\r\n x:]{0,60}") {
            let _ = chunks(&text);
        }
    }
}
