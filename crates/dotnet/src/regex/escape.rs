//! Single characters in patterns: escapes, `Regex.Unescape`, `Regex.Escape`.

use super::Fault;
use super::cursor::Cursor;

/// Reads what follows a backslash as one character, as `ScanCharEscape` does.
pub(super) fn char_escape(cursor: &mut Cursor<'_>) -> Result<char, Fault> {
    let Some(first) = cursor.next() else {
        return Err(cursor.error("Illegal \\ at end of pattern."));
    };
    Ok(match first {
        '0'..='7' => {
            let mut value = first as u32 - '0' as u32;
            for _ in 0..2 {
                match cursor.peek().and_then(|it| it.to_digit(8)) {
                    Some(digit) => {
                        value = value * 8 + digit;
                        cursor.next();
                    }
                    None => break,
                }
            }
            char::from(u8::try_from(value & 0xff).unwrap_or(0))
        }
        'x' => hex(cursor, 2)?,
        'u' => hex(cursor, 4)?,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'e' => '\u{1b}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'c' => control(cursor)?,
        other if other.is_alphanumeric() || other == '_' => {
            return Err(cursor.error(&format!("Unrecognized escape sequence \\{other}.")));
        }
        other => other,
    })
}

fn hex(cursor: &mut Cursor<'_>, digits: usize) -> Result<char, Fault> {
    let unit = hex_unit(cursor, digits)?;
    if (0xd800..0xdc00).contains(&unit) && cursor.starts_with("\\u") {
        let before = cursor.position();
        cursor.next();
        cursor.next();
        let second = hex_unit(cursor, 4)?;
        let pair = [unit, second].map(|it| u16::try_from(it).unwrap_or(0));
        if let Some(Ok(it)) = char::decode_utf16(pair).next() {
            return Ok(it);
        }
        cursor.seek(before);
    }
    Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn hex_unit(cursor: &mut Cursor<'_>, digits: usize) -> Result<u32, Fault> {
    let mut value = 0;
    for _ in 0..digits {
        match cursor.next().and_then(|it| it.to_digit(16)) {
            Some(digit) => value = value * 16 + digit,
            None => return Err(cursor.error("Insufficient hexadecimal digits.")),
        }
    }
    Ok(value)
}

fn control(cursor: &mut Cursor<'_>) -> Result<char, Fault> {
    let Some(letter) = cursor.next() else {
        return Err(cursor.error("Missing control character."));
    };
    match letter.to_ascii_uppercase() {
        it @ '@'..='_' => Ok(char::from((it as u8) - b'@')),
        _ => Err(cursor.error("Unrecognized control character.")),
    }
}

/// `Regex.Unescape(text)`.
///
/// # Errors
///
/// `ArgumentException` of an unknown escape.
pub fn unescape(text: &str) -> Result<String, Fault> {
    let mut cursor = Cursor::new(text);
    let mut out = String::with_capacity(text.len());
    while let Some(it) = cursor.next() {
        out.push(if it == '\\' { char_escape(&mut cursor)? } else { it });
    }
    Ok(out)
}

/// `Regex.Escape(text)`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\\' | '*' | '+' | '?' | '|' | '{' | '[' | '(' | ')' | '^' | '$' | '.' | '#' | ' ' => {
                out.push('\\');
                out.push(it);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escape, unescape};

    #[test]
    fn escaping_is_dotnets_and_undone_by_unescaping() {
        assert_eq!(
            escape("a.b*c+d?e(f)[g]{h}|i^j$k\\l #m"),
            "a\\.b\\*c\\+d\\?e\\(f\\)\\[g]\\{h}\\|i\\^j\\$k\\\\l\\ \\#m"
        );
        assert_eq!(escape("a b\tc\n-"), "a\\ b\\tc\\n-");
        assert_eq!(unescape(r"a\.b\tc\\\x41\u0042\101\cA").unwrap(), "a.b\tc\\ABA\u{1}");
        assert_eq!(unescape(r"\q").unwrap_err().type_name, "System.ArgumentException");
        assert_eq!(unescape(r"\ud83d\ude00").unwrap(), "😀");
    }
}
