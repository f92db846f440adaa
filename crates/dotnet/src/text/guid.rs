//! `System.Guid`: formats `N D B P X`, parsing, byte order. Bytes are in the order of the text.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.guid.tostring>

use std::fmt::Write as _;

use super::Failure;

/// Formats a GUID; an empty format means `D`.
///
/// # Errors
///
/// [`Failure::Format`] for another letter.
pub fn format(bytes: [u8; 16], format: &str) -> Result<String, Failure> {
    let hex = |range: std::ops::Range<usize>, out: &mut String| {
        for byte in bytes.iter().skip(range.start).take(range.len()) {
            let _ = write!(out, "{byte:02x}");
        }
    };
    let mut out = String::with_capacity(38);
    match format {
        "N" | "n" => hex(0..16, &mut out),
        "" | "D" | "d" | "B" | "b" | "P" | "p" => {
            let (open, close) = match format {
                "B" | "b" => ("{", "}"),
                "P" | "p" => ("(", ")"),
                _ => ("", ""),
            };
            out.push_str(open);
            for (index, range) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
                out.push_str(if index > 0 { "-" } else { "" });
                hex(range, &mut out);
            }
            out.push_str(close);
        }
        "X" | "x" => {
            out.push('{');
            for range in [0..4, 4..6, 6..8] {
                out.push_str("0x");
                hex(range, &mut out);
                out.push(',');
            }
            for index in 8..16 {
                out.push_str(if index == 8 { "{0x" } else { ",0x" });
                hex(index..index + 1, &mut out);
            }
            out.push_str("}}");
        }
        _ => {
            let text = "Format string can be only \"D\", \"d\", \"N\", \"n\", \"P\", \"p\", \"B\", \
                        \"b\", \"X\" or \"x\".";
            return Err(Failure::Format(text.to_owned()));
        }
    }
    Ok(out)
}

/// Reads any of the formats.
///
/// # Errors
///
/// [`Failure::Format`].
pub fn parse(text: &str) -> Result<[u8; 16], Failure> {
    let text = text.trim();
    let format = match (text.as_bytes().first(), text.contains('-'), text.contains(',')) {
        (Some(b'('), ..) => "P",
        (Some(b'{'), _, true) => "X",
        (Some(b'{'), ..) => "B",
        (_, true, _) => "D",
        _ => "N",
    };
    parse_exact(text, format)
}

/// Reads one format.
///
/// # Errors
///
/// [`Failure::Format`] for another text or format letter.
pub fn parse_exact(text: &str, format: &str) -> Result<[u8; 16], Failure> {
    let text = text.trim();
    let unwrapped = match format {
        "N" | "n" => return groups(text, &[32]).ok_or_else(unrecognized),
        "D" | "d" => Some(text),
        "B" | "b" => text.strip_prefix('{').and_then(|it| it.strip_suffix('}')),
        "P" | "p" => text.strip_prefix('(').and_then(|it| it.strip_suffix(')')),
        "X" | "x" => return parse_x(text).ok_or_else(unrecognized),
        _ => return self::format([0; 16], "?").map(|_| [0; 16]),
    };
    unwrapped.and_then(|it| groups(it, &[8, 4, 4, 4, 12])).ok_or_else(unrecognized)
}

fn unrecognized() -> Failure {
    let text =
        "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).";
    Failure::Format(text.to_owned())
}

/// Hex digits in groups of these lengths, with dashes between.
fn groups(text: &str, lengths: &[usize]) -> Option<[u8; 16]> {
    let mut digits = String::with_capacity(32);
    let mut parts = text.split('-');
    for length in lengths {
        let part = parts.next()?;
        if part.len() != *length || !part.bytes().all(|it| it.is_ascii_hexdigit()) {
            return None;
        }
        digits.push_str(part);
    }
    if parts.next().is_some() {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

/// `{0x…,0x…,0x…,{0x…, … }}`
fn parse_x(text: &str) -> Option<[u8; 16]> {
    let text: String = text.chars().filter(|ch| !ch.is_whitespace()).collect();
    let body = text.strip_prefix('{')?.strip_suffix("}}")?;
    let (head, tail) = body.split_once(",{")?;
    let widths = [8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2];
    let mut value: u128 = 0;
    let mut parts = head.split(',').chain(tail.split(','));
    for width in widths {
        let part = parts.next()?;
        let digits = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X"))?;
        if digits.is_empty() || digits.len() > width || digits.starts_with('+') {
            return None;
        }
        let number = u128::from_str_radix(digits, 16).ok()?;
        value = (value << (width * 4)) | number;
    }
    parts.next().is_none().then(|| value.to_be_bytes())
}

/// To and from the order of `ToByteArray`: the first three fields are little-endian there.
pub fn swap_order(bytes: [u8; 16]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let [i, j, k, l, m, n, o, p] = rest;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

/// A random (version 4) GUID of random bytes.
pub fn random(mut bytes: [u8; 16]) -> [u8; 16] {
    let [.., g, _, i, _, _, _, _, _, _, _] = &mut bytes;
    *g = (*g & 0x0f) | 0x40;
    *i = (*i & 0x3f) | 0x80;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "7d444840-9dc0-11d1-b245-5ffdce74fad2";

    #[test]
    fn every_format_is_written_and_read() {
        let guid = parse(TEXT).unwrap();
        for (letter, expected) in [
            ("N", "7d4448409dc011d1b2455ffdce74fad2"),
            ("", TEXT),
            ("B", "{7d444840-9dc0-11d1-b245-5ffdce74fad2}"),
            ("P", "(7d444840-9dc0-11d1-b245-5ffdce74fad2)"),
            ("X", "{0x7d444840,0x9dc0,0x11d1,{0xb2,0x45,0x5f,0xfd,0xce,0x74,0xfa,0xd2}}"),
        ] {
            assert_eq!(format(guid, letter).as_deref(), Ok(expected));
            assert_eq!(parse(expected), Ok(guid), "{letter}");
        }
        assert!(format(guid, "Q").is_err());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "x", "7d444840", "7d444840-9dc0-11d1-b2455ffdce74fad2", "{", "{0x1,{0x2}}"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse_exact(TEXT, "N").is_err());
    }

    #[test]
    fn bytes_of_dotnet_are_mixed() {
        let bytes = swap_order(parse(TEXT).unwrap());
        assert_eq!(&bytes[..8], &[0x40, 0x48, 0x44, 0x7d, 0xc0, 0x9d, 0xd1, 0x11]);
        let random = format(random([0xff; 16]), "D").unwrap();
        assert_eq!(random, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(bytes: [u8; 16]) {
            for letter in ["N", "D", "B", "P", "X"] {
                let text = format(bytes, letter).unwrap();
                proptest::prop_assert_eq!(parse_exact(&text, letter), Ok(bytes));
            }
        }
    }
}
