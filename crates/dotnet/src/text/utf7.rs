//! UTF-7, as `Encoding.UTF7` writes and reads it.
//!
//! Source: RFC 2152; <https://learn.microsoft.com/dotnet/api/system.text.utf7encoding>. What the RFC
//! lets a writer choose is written in Base64, and a byte that means nothing is read as Latin-1.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Stands for itself.
fn is_direct(unit: u16) -> bool {
    u8::try_from(unit)
        .is_ok_and(|it| it.is_ascii_alphanumeric() || b"'(),-./:? \t\r\n".contains(&it))
}

fn value_of(byte: u8) -> Option<u32> {
    BASE64.iter().position(|it| *it == byte).and_then(|it| u32::try_from(it).ok())
}

/// Bits that wait to be written.
#[derive(Default)]
struct Bits {
    bits: u32,
    n_bits: u32,
}

impl Bits {
    fn digit(&self, shifted: u32) -> u8 {
        BASE64.get((shifted & 0x3f) as usize).copied().unwrap_or(b'A')
    }

    fn push(&mut self, unit: u16, out: &mut Vec<u8>) {
        self.bits = (self.bits << 16) | u32::from(unit);
        self.n_bits += 16;
        while self.n_bits >= 6 {
            self.n_bits -= 6;
            out.push(self.digit(self.bits >> self.n_bits));
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        if self.n_bits > 0 {
            out.push(self.digit(self.bits << (6 - self.n_bits)));
        }
        out.push(b'-');
    }
}

/// The bytes of UTF-16 units.
pub(super) fn encode(units: &[u16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(units.len());
    let mut shifted: Option<Bits> = None;
    for unit in units {
        if is_direct(*unit) {
            if let Some(bits) = shifted.take() {
                bits.end(&mut out);
            }
            out.push(unit.to_le_bytes()[0]);
        } else if shifted.is_none() && *unit == u16::from(b'+') {
            out.extend(b"+-");
        } else {
            if shifted.is_none() {
                out.push(b'+');
            }
            shifted.get_or_insert_default().push(*unit, &mut out);
        }
    }
    if let Some(bits) = shifted {
        bits.end(&mut out);
    }
    out
}

/// The UTF-16 units of bytes.
pub(super) fn decode(bytes: &[u8]) -> Vec<u16> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut shifted: Option<Bits> = None;
    let mut is_first = false;
    for byte in bytes {
        let Some(open) = &mut shifted else {
            if *byte == b'+' {
                (shifted, is_first) = (Some(Bits::default()), true);
            } else {
                out.push(u16::from(*byte));
            }
            continue;
        };
        if let Some(value) = value_of(*byte) {
            is_first = false;
            open.bits = (open.bits << 6) | value;
            open.n_bits += 6;
            if open.n_bits >= 16 {
                open.n_bits -= 16;
                out.push((open.bits >> open.n_bits & 0xffff) as u16);
            }
            continue;
        }
        shifted = None;
        if *byte != b'-' {
            out.push(u16::from(*byte));
        } else if is_first {
            out.push(u16::from(b'+'));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_rfc_go_both_ways() {
        for (text, encoded) in [
            ("Hi Mom -☺-!", "Hi Mom -+Jjo--+ACE-"),
            ("日本語", "+ZeVnLIqe-"),
            ("A≢Α.", "A+ImIDkQ-."),
            ("+😀x", "+-+2D3eAA-x"),
        ] {
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(String::from_utf8(encode(&units)).unwrap(), encoded);
            assert_eq!(decode(encoded.as_bytes()), units);
        }
    }

    #[test]
    fn what_means_nothing_is_latin_1() {
        let text = |bytes: &[u8]| String::from_utf16(&decode(bytes)).unwrap();
        assert_eq!(text(b"a\xe9+\xe9b+"), "aééb");
        assert_eq!(text(b"+-+A+-x+AOk"), "+xé");
    }
}
