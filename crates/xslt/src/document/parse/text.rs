//! Characters, line breaks and references in the text of a document.

use std::borrow::Cow;

/// May the character stand in a document? (XML 1.0, production 2.)
pub(crate) fn is_character(it: char) -> bool {
    it >= ' ' && !matches!(it, '\u{fffe}' | '\u{ffff}') || matches!(it, '\t' | '\n' | '\r')
}

/// The first character of a text that may not stand in a document.
pub(super) fn allowed(text: &str) -> Result<(), (usize, char)> {
    let is_suspect = |it: &u8| *it < 0x20 && !matches!(it, b'\t' | b'\n' | b'\r') || *it == 0xef;
    if !text.as_bytes().iter().any(is_suspect) {
        return Ok(());
    }
    text.char_indices().find(|(_, it)| !is_character(*it)).map_or(Ok(()), Err)
}

/// A text with its references resolved and its line breaks as `\n`; in an attribute's value all
/// white space is spaces, unless it is written as a reference.
pub(super) fn decode(raw: &str, is_attribute: bool) -> Result<Cow<'_, str>, (usize, String)> {
    let is_plain = |it: &u8| match it {
        b'&' | b'\r' => false,
        b'\n' | b'\t' => !is_attribute,
        _ => true,
    };
    if raw.as_bytes().iter().all(is_plain) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(it) = rest.chars().next() {
        let at = raw.len() - rest.len();
        rest = rest.get(it.len_utf8()..).unwrap_or("");
        match it {
            '&' => {
                let (text, n_bytes) = reference(rest).map_err(|message| (at, message))?;
                out.push(text);
                rest = rest.get(n_bytes..).unwrap_or("");
            }
            '\r' => {
                rest = rest.strip_prefix('\n').unwrap_or(rest);
                out.push(if is_attribute { ' ' } else { '\n' });
            }
            '\n' | '\t' if is_attribute => out.push(' '),
            other => out.push(other),
        }
    }
    Ok(Cow::Owned(out))
}

/// What a reference stands for, and how long it is without its `&`.
fn reference(rest: &str) -> Result<(char, usize), String> {
    let Some(length) = rest.find(';').filter(|it| *it > 0) else {
        return Err("An error occurred while parsing EntityName.".to_owned());
    };
    let name = rest.get(..length).unwrap_or("");
    let number = |digits: &str, radix| {
        let is_number = !digits.is_empty() && digits.chars().all(|it| it.is_digit(radix));
        let number = is_number.then(|| u32::from_str_radix(digits, radix).ok()).flatten();
        number.and_then(char::from_u32).filter(|it| is_character(*it)).ok_or_else(|| {
            "Invalid character in the given encoding or invalid character reference.".to_owned()
        })
    };
    let it = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
            (Some(hex), _) => number(hex, 16)?,
            (None, Some(decimal)) => number(decimal, 10)?,
            _ if crate::names::is_local(name) => {
                return Err(format!("Reference to undeclared entity '{name}'."));
            }
            _ => return Err("An error occurred while parsing EntityName.".to_owned()),
        },
    };
    Ok((it, length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_line_breaks_are_resolved() {
        for (raw, is_attribute, expected) in [
            ("a&lt;&#65;&#x42;&quot;&apos;&gt;&amp;", false, Ok("a<AB\"'>&")),
            ("a\r\nb\rc\n\td", false, Ok("a\nb\nc\n\td")),
            ("a\r\nb\rc\n\td&#xA;", true, Ok("a b c  d\n")),
            ("&#0;", false, Err(0)),
            ("x&y;", false, Err(1)),
            ("&;", false, Err(0)),
            ("& b;", false, Err(0)),
            ("&#xD800;", false, Err(0)),
            ("&#x;", false, Err(0)),
        ] {
            let found = decode(raw, is_attribute).map_err(|it| it.0);
            assert_eq!(found.as_deref().map_err(|it| *it), expected, "{raw:?}");
        }
    }

    #[test]
    fn control_characters_are_not_allowed() {
        assert_eq!(allowed("a\tb\u{feff}é"), Ok(()));
        assert_eq!(allowed("a\u{1}b"), Err((1, '\u{1}')));
        assert_eq!(allowed("é\u{ffff}"), Err((2, '\u{ffff}')));
    }
}
