//! Undoing `Content-Encoding` for readers, bounded.
//!
//! Source: expression reference, 5.1.4: `gzip`, `deflate` and `br` are decoded for readers;
//! untouched bodies go on as they came.

use std::io::Read;

use bytes::Bytes;
use expr::host::BodyUnavailable;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// The body without its content encodings, at most `max_bytes` of it.
///
/// # Errors
///
/// It is longer, or its encoding is unknown or broken.
pub fn decode(
    headers: &HeaderMap,
    body: Bytes,
    max_bytes: usize,
) -> Result<Bytes, BodyUnavailable> {
    if body.is_empty() || !headers.contains_key(CONTENT_ENCODING) {
        return Ok(body);
    }
    let encodings: Vec<&str> = headers
        .get_all(CONTENT_ENCODING)
        .into_iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .map(str::trim)
        .filter(|it| !it.is_empty() && !it.eq_ignore_ascii_case("identity"))
        .collect();
    // A few layers are plenty; more is an attack.
    if encodings.len() > 3 {
        return Err(BodyUnavailable::Broken("too many content encodings".to_owned()));
    }
    encodings.iter().rev().try_fold(body, |body, encoding| undo(encoding, &body, max_bytes))
}

fn undo(encoding: &str, body: &[u8], max_bytes: usize) -> Result<Bytes, BodyUnavailable> {
    match encoding.to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => read(flate2::read::MultiGzDecoder::new(body), max_bytes),
        // By the standard this is zlib, yet some servers send the bare format.
        "deflate" => match read(flate2::read::ZlibDecoder::new(body), max_bytes) {
            Err(BodyUnavailable::Broken(_)) => {
                read(flate2::read::DeflateDecoder::new(body), max_bytes)
            }
            outcome => outcome,
        },
        "br" => read(brotli::Decompressor::new(body, 4096), max_bytes),
        _ => Err(BodyUnavailable::Broken(format!("content encoding `{encoding}` is not known"))),
    }
}

fn read(reader: impl Read, max_bytes: usize) -> Result<Bytes, BodyUnavailable> {
    let mut bytes = Vec::new();
    let limit = max_bytes as u64;
    reader
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| BodyUnavailable::Broken(error.to_string()))?;
    if bytes.len() > max_bytes {
        return Err(BodyUnavailable::TooLarge { limit });
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(encoding: &str, body: Vec<u8>, max_bytes: usize) -> Result<Bytes, BodyUnavailable> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        decode(&headers, body.into(), max_bytes)
    }

    #[test]
    fn each_encoding_is_undone() {
        let zlib = {
            let mut it = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            it.write_all(b"hello").unwrap();
            it.finish().unwrap()
        };
        let bare = {
            let mut it =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            it.write_all(b"hello").unwrap();
            it.finish().unwrap()
        };
        let mut br = Vec::new();
        brotli::CompressorWriter::new(&mut br, 4096, 4, 20).write_all(b"hello").unwrap();

        assert_eq!(decoded("gzip", gzip(b"hello"), 9).unwrap(), "hello");
        assert_eq!(decoded("Deflate", zlib, 9).unwrap(), "hello");
        assert_eq!(decoded("deflate", bare, 9).unwrap(), "hello");
        assert_eq!(decoded("br", br, 9).unwrap(), "hello");
        assert_eq!(decoded("identity", b"hello".to_vec(), 9).unwrap(), "hello");
    }

    #[test]
    fn layers_are_undone_from_the_last_to_the_first_and_are_few() {
        assert_eq!(decoded("gzip, gzip", gzip(&gzip(b"hello")), 99).unwrap(), "hello");
        assert!(decoded("gzip,gzip,gzip,gzip", gzip(b"hello"), 99).is_err());
    }

    #[test]
    fn a_bomb_is_refused_at_the_bound() {
        assert_eq!(
            decoded("gzip", gzip(&vec![0; 100_000]), 1000),
            Err(BodyUnavailable::TooLarge { limit: 1000 })
        );
    }

    #[test]
    fn what_is_broken_or_unknown_is_refused() {
        assert!(decoded("gzip", b"no".to_vec(), 9).is_err());
        assert!(decoded("zstd", b"no".to_vec(), 9).is_err());
    }
}
