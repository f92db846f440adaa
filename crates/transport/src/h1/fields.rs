//! The header lines of a head: into a map, and what they say of the message itself.
//!
//! Values are slices of the head's own memory. The rules that keep requests from being smuggled
//! are here: one length or one `chunked`, nothing that can be read in two ways.
//!
//! Source: RFC 9110, section 5; RFC 9112, sections 5 and 6.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use memchr::memchr;

use super::Malformed;

/// Headers with what they say of the message's framing and connection.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) headers: HeaderMap,
    pub(crate) length: Option<u64>,
    pub(crate) is_chunked: bool,
    pub(crate) n_hosts: usize,
    pub(crate) options: Options,
    pub(crate) has_upgrade: bool,
    pub(crate) expects_continue: bool,
}

/// What `Connection` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) upgrade: bool,
}

impl Options {
    /// Adds what another line says.
    pub(crate) fn read(&mut self, value: &[u8]) {
        for option in value.split(|it| *it == b',') {
            let option = option.trim_ascii();
            match option.len() {
                5 => self.close |= option.eq_ignore_ascii_case(b"close"),
                7 => self.upgrade |= option.eq_ignore_ascii_case(b"upgrade"),
                10 => self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive"),
                _ => {}
            }
        }
    }
}

impl Fields {
    /// Reads the lines of a head, its first line excepted, into a map with room for so many.
    ///
    /// # Errors
    ///
    /// A line that is no header, and framing that can be read in two ways.
    pub(crate) fn read(
        head: &Bytes,
        lines: impl Iterator<Item = Range<usize>>,
        capacity: usize,
    ) -> Result<Self, Malformed> {
        let headers = HeaderMap::with_capacity(capacity);
        let mut fields = Self { headers, ..Self::default() };
        for line in lines {
            fields.read_line(head, line)?;
        }
        if fields.is_chunked && fields.length.is_some() {
            return Err(Malformed("both a length and an encoding"));
        }
        Ok(fields)
    }

    fn read_line(&mut self, head: &Bytes, line: Range<usize>) -> Result<(), Malformed> {
        let text = head.get(line.clone()).unwrap_or_default();
        let colon = memchr(b':', text).ok_or(Malformed("no colon"))?;
        let (name, value) = text.split_at(colon);
        let name = field_name(name).ok_or(Malformed("the name of a header"))?;
        let value = trim(line.start + colon + 1, value.get(1..).unwrap_or_default());
        // Refuses CR, LF, NUL and the other control characters.
        let value = HeaderValue::from_maybe_shared(head.slice(value))
            .map_err(|_| Malformed("the value of a header"))?;
        self.note(colon, &name, value.as_bytes())?;
        let added = self.headers.try_append(name, value);
        added.map(drop).map_err(|_| Malformed("too many headers"))
    }

    /// Looks at the few headers that matter here; their lengths tell most others apart.
    fn note(&mut self, length: usize, name: &HeaderName, value: &[u8]) -> Result<(), Malformed> {
        match length {
            4 if *name == header::HOST => self.n_hosts += 1,
            6 if *name == header::EXPECT => {
                self.expects_continue |= value.eq_ignore_ascii_case(b"100-continue");
            }
            7 if *name == header::UPGRADE => self.has_upgrade = true,
            10 if *name == header::CONNECTION => self.options.read(value),
            14 if *name == header::CONTENT_LENGTH => {
                let length = number(value, 10).ok_or(Malformed("the length is no number"))?;
                if self.length.replace(length).is_some() {
                    return Err(Malformed("two lengths"));
                }
            }
            17 if *name == header::TRANSFER_ENCODING => {
                if self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Malformed("an encoding other than chunked"));
                }
                self.is_chunked = true;
            }
            _ => {}
        }
        Ok(())
    }
}

/// The name of a header. Refuses blanks before the colon and at the line's start, which is how
/// lines were folded.
fn field_name(name: &[u8]) -> Option<HeaderName> {
    // The usual ones as they are usually written; the library looks at each byte.
    Some(match name {
        b"Host" | b"host" => header::HOST,
        b"Date" | b"date" => header::DATE,
        b"Accept" | b"accept" => header::ACCEPT,
        b"Server" | b"server" => header::SERVER,
        b"Connection" | b"connection" => header::CONNECTION,
        b"User-Agent" | b"user-agent" => header::USER_AGENT,
        b"Content-Type" | b"content-type" => header::CONTENT_TYPE,
        b"Authorization" | b"authorization" => header::AUTHORIZATION,
        b"Content-Length" | b"content-length" => header::CONTENT_LENGTH,
        b"Accept-Encoding" | b"accept-encoding" => header::ACCEPT_ENCODING,
        b"Transfer-Encoding" | b"transfer-encoding" => header::TRANSFER_ENCODING,
        _ => HeaderName::from_bytes(name).ok()?,
    })
}

/// Where a value is without the white space around it that HTTP knows: space and tab.
fn trim(start: usize, value: &[u8]) -> Range<usize> {
    let is_blank = |it: &u8| matches!(it, b' ' | b'\t');
    let (mut rest, mut start) = (value, start);
    while let [first, after @ ..] = rest
        && is_blank(first)
    {
        (rest, start) = (after, start + 1);
    }
    while let [before @ .., last] = rest
        && is_blank(last)
    {
        rest = before;
    }
    start..start + rest.len()
}

/// A number of digits only: no sign, no blank, no overflow.
pub(crate) fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let mut number = None;
    for digit in digits {
        let digit = char::from(*digit).to_digit(radix)?;
        let shifted = number.unwrap_or(0_u64).checked_mul(u64::from(radix))?;
        number = Some(shifted.checked_add(u64::from(digit))?);
    }
    number
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Fields, Malformed, field_name, number};
    use crate::h1::lines::{Lines, Scan};

    fn read(text: &str) -> Result<Fields, Malformed> {
        let head = Bytes::from(format!("{text}\r\n"));
        let mut lines = Lines::default();
        assert!(matches!(lines.scan(&head, 99)?, Scan::Complete(_)), "{text:?}");
        Fields::read(&head, lines.ranges(), lines.n_fields())
    }

    #[test]
    fn values_lose_the_blanks_around_them_and_nothing_else() {
        for (line, value) in [
            ("A: b\r\n", "b"),
            ("a:b\r\n", "b"),
            ("A:\t b c \t \r\n", "b c"),
            ("A:\r\n", ""),
            ("A:  \r\n", ""),
            ("A: :b:\r\n", ":b:"),
        ] {
            assert_eq!(read(line).unwrap().headers["a"], value, "{line:?}");
        }
        assert_eq!(
            read("A: caf\u{e9}\r\n").unwrap().headers["a"].as_bytes(),
            "caf\u{e9}".as_bytes()
        );
        let twice = read("A: 1\r\nb: 2\r\na: 3\r\n").unwrap().headers;
        assert!(twice.get_all("a").iter().eq(["1", "3"]));
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for line in [
            "nonsense\r\n",
            ": x\r\n",
            "A : b\r\n",
            " A: b\r\n",
            "A: b\r\n c\r\n",
            "A: b\r\n\tc: d\r\n",
            "A: b\rc\r\n",
            "A\r: b\r\n",
            "A: \0\r\n",
            "A: \x7f\r\n",
            "A: \x0b\r\n",
            "A@: b\r\n",
            "A(b): c\r\n",
            "\u{e9}: b\r\n",
        ] {
            assert!(read(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn framing_that_can_be_read_in_two_ways_is_refused() {
        for lines in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: -3\r\n",
            "Content-Length: 0x3\r\n",
            "Content-Length: 3 3\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: gzip\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: chunked;q=1\r\n",
            "Transfer-Encoding: \"chunked\"\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding:\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        ] {
            assert!(read(lines).is_err(), "{lines:?}");
        }
        assert_eq!(
            read("content-LENGTH: 18446744073709551615\r\n").unwrap().length,
            Some(u64::MAX)
        );
        assert_eq!(read("Content-Length: 007\r\n").unwrap().length, Some(7));
        assert!(read("Transfer-Encoding: ChunKed\r\n").unwrap().is_chunked);
    }

    #[test]
    fn options_of_the_connection_add_up() {
        let fields = read("Connection: x, Close ,\r\nConnection: KEEP-alive,upgrade\r\n").unwrap();
        let options = fields.options;
        assert!(options.close && options.keep_alive && options.upgrade);
        assert!(read("Expect: 100-Continue\r\n").unwrap().expects_continue);
        assert!(!read("Expect: 100-continued\r\n").unwrap().expects_continue);
    }

    #[test]
    fn the_usual_names_are_what_the_library_makes_of_them() {
        for name in [
            "Host",
            "Date",
            "Accept",
            "Server",
            "Connection",
            "User-Agent",
            "Content-Type",
            "Authorization",
            "Content-Length",
            "Accept-Encoding",
            "Transfer-Encoding",
        ] {
            let lower = name.to_ascii_lowercase();
            for name in [name, &lower, &name.to_ascii_uppercase()] {
                assert_eq!(field_name(name.as_bytes()).unwrap(), lower.as_str());
            }
        }
    }

    #[test]
    fn numbers_are_digits() {
        assert_eq!(number(b"1aF", 16), Some(0x1af));
        assert_eq!(number(b"ffffffffffffffff", 16), Some(u64::MAX));
        for text in ["", "+1", "1 ", "10000000000000000", "g"] {
            assert_eq!(number(text.as_bytes(), 16), None, "{text}");
        }
    }
}
