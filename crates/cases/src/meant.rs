//! Bodies that are written in short: as base64, repeated, compressed, cut off.
//!
//! `(base64 H4sA)`, `(1000 times x)`, `(gzip TEXT)`, `(deflate TEXT)`, `(br TEXT)`, `(first 20 of TEXT)`,
//! and each of them in place of `TEXT`. What is none of these is its own text.

use std::io::Write;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// Most bytes that a repetition may make.
const MAX_BYTES: usize = 64 << 20;

/// How deep they may be nested.
const MAX_DEPTH: usize = 8;

/// The bytes that a text means.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    meant(text, 0).unwrap_or_else(|| text.as_bytes().to_vec())
}

/// `None` if it is just a text.
fn meant(text: &str, depth: usize) -> Option<Vec<u8>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    let (word, rest) = inner.split_once(' ').filter(|_| depth < MAX_DEPTH)?;
    let within = |text: &str| meant(text, depth + 1).unwrap_or_else(|| text.as_bytes().to_vec());
    match word {
        "base64" => BASE64_STANDARD.decode(rest.trim()).ok(),
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&within(rest)).ok()?;
            encoder.finish().ok()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&within(rest)).ok()?;
            encoder.finish().ok()
        }
        "br" => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            encoder.write_all(&within(rest)).ok()?;
            Some(encoder.into_inner())
        }
        "first" => {
            let (count, rest) = rest.split_once(" of ")?;
            let count = count.parse::<usize>().ok()?;
            let mut bytes = within(rest);
            bytes.truncate(count);
            Some(bytes)
        }
        count => {
            let (count, unit) = (count.parse::<usize>().ok()?, rest.strip_prefix("times ")?);
            let length = count.checked_mul(unit.len())?;
            (length <= MAX_BYTES).then(|| unit.repeat(count).into_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_body_is_its_text_or_the_bytes_that_it_means() {
        for (text, expected) in [
            ("plain", &b"plain"[..]),
            ("(base64 H4sA)", b"\x1f\x8b\0"),
            ("(base64 no!)", b"(base64 no!)"),
            ("(3 times ab )", b"ab ab ab "),
            ("(three times ab)", b"(three times ab)"),
            ("(99999999999 times ab)", b"(99999999999 times ab)"),
            ("(first 2 of (3 times ab))", b"ab"),
            ("(first 9 of ab)", b"ab"),
            ("(first two of ab)", b"(first two of ab)"),
            ("()", b"()"),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn compressed_bodies_are_compressed() {
        let mut text = String::new();
        let gzip = bytes("(gzip (3 times ab))");
        flate2::read::GzDecoder::new(gzip.as_slice()).read_to_string(&mut text).unwrap();
        let twice = bytes("(deflate (gzip x))");
        let mut once = Vec::new();
        flate2::read::ZlibDecoder::new(twice.as_slice()).read_to_end(&mut once).unwrap();
        flate2::read::GzDecoder::new(once.as_slice()).read_to_string(&mut text).unwrap();
        let br = bytes("(br hello)");
        brotli::Decompressor::new(br.as_slice(), 4096).read_to_string(&mut text).unwrap();
        assert_eq!(text, "abababxhello");
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = format!("{}x{}", "(first 9 of ".repeat(9), ")".repeat(9));
        assert_eq!(bytes(&deep), b"(first 9 ");
    }
}
