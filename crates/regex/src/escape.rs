//! Single characters in patterns: escapes, `Regex.Unescape`, `Regex.Escape`.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/character-escapes-in-regular-expressions>

use crate::Options;
use crate::error::Error;
use crate::scan::Scan;
use crate::units::is_word;

/// Reads what follows a backslash as one unit.
pub(crate) fn char_escape(scan: &mut Scan<'_>) -> Result<u16, Error> {
    let Some(first) = scan.next_unit() else {
        return Err(scan.error("Illegal \\ at end of pattern."));
    };
    Ok(match u8::try_from(first).unwrap_or(0) {
        b'0'..=b'7' => {
            scan.at -= 1;
            octal(scan)
        }
        b'x' => hex(scan, 2)?,
        b'u' => hex(scan, 4)?,
        b'a' => 7,
        b'b' => 8,
        b'e' => 0x1b,
        b'f' => 0x0c,
        b'n' => 0x0a,
        b'r' => 0x0d,
        b't' => 9,
        b'v' => 0x0b,
        b'c' => control(scan)?,
        _ if is_word(first) && !scan.has(Options::ECMA_SCRIPT) => {
            let letter = String::from_utf16_lossy(&[first]);
            return Err(scan.error(format!("Unrecognized escape sequence \\{letter}.")));
        }
        _ => first,
    })
}

/// Up to three octal digits, of which eight bits count.
fn octal(scan: &mut Scan<'_>) -> u16 {
    let mut value: u16 = 0;
    for _ in 0..3 {
        let Some(digit @ b'0'..=b'7') = scan.peek() else { break };
        scan.at += 1;
        value = value * 8 + u16::from(digit - b'0');
        if scan.has(Options::ECMA_SCRIPT) && value >= 0x20 {
            break;
        }
    }
    value & 0xff
}

fn hex(scan: &mut Scan<'_>, digits: usize) -> Result<u16, Error> {
    let mut value: u16 = 0;
    for _ in 0..digits {
        match scan.next().and_then(|it| char::from(it).to_digit(16)) {
            Some(digit) => value = value << 4 | u16::try_from(digit).unwrap_or(0),
            None => return Err(scan.error("Insufficient hexadecimal digits.")),
        }
    }
    Ok(value)
}

fn control(scan: &mut Scan<'_>) -> Result<u16, Error> {
    let Some(letter) = scan.next() else {
        return Err(scan.error("Missing control character."));
    };
    match letter.to_ascii_uppercase() {
        it @ b'@'..=b'_' => Ok(u16::from(it - b'@')),
        _ => Err(scan.error("Unrecognized control character.")),
    }
}

/// `Regex.Unescape(text)`.
///
/// # Errors
///
/// `ArgumentException` of an unknown escape.
pub fn unescape(text: &[u16]) -> Result<Vec<u16>, Error> {
    let mut scan = Scan::new(text, Options::NONE);
    let mut out = Vec::with_capacity(text.len());
    while let Some(unit) = scan.next_unit() {
        if unit != u16::from(b'\\') {
            out.push(unit);
        } else if scan.left() > 0 {
            out.push(char_escape(&mut scan)?);
        }
    }
    Ok(out)
}

/// `Regex.Escape(text)`.
#[must_use]
pub fn escape(text: &[u16]) -> Vec<u16> {
    let mut out = Vec::with_capacity(text.len());
    for unit in text {
        let escaped = match u8::try_from(*unit).unwrap_or(0) {
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            b'\x0c' => b'f',
            it if b"\\*+?|{[()^$.# ".contains(&it) => it,
            _ => {
                out.push(*unit);
                continue;
            }
        };
        out.extend([u16::from(b'\\'), u16::from(escaped)]);
    }
    out
}

#[cfg(test)]
mod tests {
    fn escape(text: &str) -> String {
        let units: Vec<u16> = text.encode_utf16().collect();
        String::from_utf16(&super::escape(&units)).unwrap()
    }

    fn unescape(text: &str) -> Result<String, String> {
        let units: Vec<u16> = text.encode_utf16().collect();
        super::unescape(&units)
            .map(|it| String::from_utf16(&it).unwrap())
            .map_err(|it| it.to_string())
    }

    #[test]
    fn escaping_is_dotnets_and_undone_by_unescaping() {
        assert_eq!(
            escape("a.b*c+d?e(f)[g]{h}|i^j$k\\l #m"),
            "a\\.b\\*c\\+d\\?e\\(f\\)\\[g]\\{h}\\|i\\^j\\$k\\\\l\\ \\#m"
        );
        assert_eq!(escape("a b\tc\n-"), "a\\ b\\tc\\n-");
        assert_eq!(unescape(r"a\.b\tc\\\x41\u0042\101\cA").unwrap(), "a.b\tc\\ABA\u{1}");
        assert_eq!(unescape(r"\ud83d\ude00").unwrap(), "😀");
    }

    #[test]
    fn unknown_escapes_are_refused() {
        assert!(unescape(r"\q").unwrap_err().contains("Unrecognized escape sequence \\q."));
        assert!(unescape(r"\x4").unwrap_err().contains("Insufficient hexadecimal digits."));
        assert!(unescape(r"\c1").unwrap_err().contains("Unrecognized control character."));
    }
}
