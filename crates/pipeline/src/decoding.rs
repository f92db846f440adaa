//! Undoing `Content-Encoding` of a stream while it passes, for those who follow what is in it.
//!
//! Who follows an answer asks for it without encoding. A backend that encodes it all the same is
//! decoded here, and the client gets the plain answer.

use std::fmt;
use std::io::{self, Write};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use crate::follow::{Follow, Pass};
use crate::message::Response;

/// Most bytes that come out for one piece that comes in.
const MAX_OUTPUT_BYTES: usize = 16 << 20;

/// Bytes that are decoded at once: at most a thousand times as many come out.
const STEP_BYTES: usize = 1024;

impl Response {
    /// Has the body decoded on its way, if it has an encoding. Gives whether it is plain from then
    /// on: not if the encoding is unknown, or one of several.
    pub fn decode_on_its_way(&mut self) -> bool {
        let decoder = {
            let values = self.header_values(CONTENT_ENCODING).flat_map(|it| it.split(','));
            let is_one = |it: &&str| !it.is_empty() && !it.eq_ignore_ascii_case("identity");
            let mut encodings = values.map(str::trim).filter(is_one);
            match (encodings.next().map(Decoder::of), encodings.next()) {
                (None, _) => None,
                (Some(Some(decoder)), None) => Some(decoder),
                _ => return false,
            }
        };
        if let Some(decoder) = decoder {
            self.headers.remove(CONTENT_ENCODING);
            self.headers.remove(CONTENT_LENGTH);
            self.body.follow(Decoding(decoder));
        }
        true
    }
}

enum Decoder {
    Gzip(flate2::write::MultiGzDecoder<Vec<u8>>),
    Zlib(flate2::write::ZlibDecoder<Vec<u8>>),
    Brotli(Box<brotli::DecompressorWriter<Vec<u8>>>),
}

impl Decoder {
    fn of(encoding: &str) -> Option<Decoder> {
        Some(match encoding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Decoder::Gzip(flate2::write::MultiGzDecoder::new(Vec::new())),
            "deflate" => Decoder::Zlib(flate2::write::ZlibDecoder::new(Vec::new())),
            "br" => Decoder::Brotli(Box::new(brotli::DecompressorWriter::new(Vec::new(), 4096))),
            _ => return None,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Decoder::Gzip(it) => it.write_all(bytes).and_then(|()| it.flush()),
            Decoder::Zlib(it) => it.write_all(bytes).and_then(|()| it.flush()),
            Decoder::Brotli(it) => it.write_all(bytes).and_then(|()| it.flush()),
        }
    }

    fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Decoder::Gzip(it) => it.get_mut(),
            Decoder::Zlib(it) => it.get_mut(),
            Decoder::Brotli(it) => it.get_mut(),
        }
    }
}

struct Decoding(Decoder);

impl Follow for Decoding {
    /// What cannot be decoded, or becomes too much, ends the body.
    fn data(&mut self, data: Bytes) -> Pass {
        for step in data.chunks(STEP_BYTES) {
            let is_broken = self.0.write(step).is_err();
            if is_broken || self.0.output().len() > MAX_OUTPUT_BYTES {
                tracing::warn!("an encoded answer cannot be decoded; it is cut off");
                return Pass::Last(Bytes::new());
            }
        }
        Pass::On(std::mem::take(self.0.output()).into())
    }

    fn changes_length(&self) -> bool {
        true
    }
}

impl fmt::Debug for Decoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoding")
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::body::Body;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut it = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        it.write_all(bytes).unwrap();
        it.finish().unwrap()
    }

    fn response(encoding: &str, body: Body) -> Response {
        let mut response = Response::new(StatusCode::OK);
        response.headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        response.headers.insert(CONTENT_LENGTH, 99.into());
        response.body = body;
        response
    }

    /// The bytes in pieces of one, decoded.
    async fn streamed(encoding: &str, bytes: Vec<u8>) -> Bytes {
        let (sender, body) = transport::Body::channel(2);
        let feeding = tokio::spawn(async move {
            for byte in bytes {
                if sender.send(vec![byte]).await.is_err() {
                    break;
                }
            }
        });
        let mut response = response(encoding, Body::stream(body));
        assert!(response.decode_on_its_way());
        assert!(response.headers.is_empty());
        let body = response.body.send().unwrap().collect(1 << 20).await.unwrap();
        feeding.await.unwrap();
        body
    }

    #[tokio::test]
    async fn every_encoding_is_undone_wherever_it_is_cut() {
        let text = b"data: {}\n\ndata: [DONE]\n\n";
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(text).unwrap();
        let mut br = Vec::new();
        brotli::CompressorWriter::new(&mut br, 4096, 4, 20).write_all(text).unwrap();
        assert_eq!(streamed("gzip", gzip(text)).await, &text[..]);
        assert_eq!(streamed("deflate", zlib.finish().unwrap()).await, &text[..]);
        assert_eq!(streamed("br", br).await, &text[..]);
        assert_eq!(streamed("gzip", gzip(text)[..20].to_vec()).await.len().min(1), 1);
        assert_eq!(streamed("gzip", b"no gzip at all".to_vec()).await, "");
    }

    #[test]
    fn a_bomb_is_cut_off() {
        let mut decoding = Decoding(Decoder::of("gzip").unwrap());
        let bomb = gzip(&vec![0; 2 * MAX_OUTPUT_BYTES]);
        assert_eq!(decoding.data(bomb.into()), Pass::Last(Bytes::new()));
        assert!(decoding.0.output().len() <= MAX_OUTPUT_BYTES + 2000 * STEP_BYTES);
    }

    #[test]
    fn what_is_unknown_or_layered_stays_as_it_is() {
        for (encoding, expected) in
            [("zstd", false), ("gzip, gzip", false), ("identity", true), ("gzip", true)]
        {
            let mut it = response(encoding, Body::bytes(gzip(b"hello")));
            assert_eq!(it.decode_on_its_way(), expected, "{encoding}");
            let is_plain = it.body.as_bytes().unwrap() == "hello";
            assert_eq!(is_plain, encoding == "gzip", "{encoding}");
        }
    }
}
