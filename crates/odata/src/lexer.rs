//! Characters to tokens: names, literals, signs.
//!
//! Source: OData Version 4.01, ABNF construction rules, "Literal data values".

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// `Name`, `Ns.Type`, `$it`, `@alias`.
    Name(String),
    /// A number, date, time, GUID, text in quotes, or a quoted value with its type in front.
    Literal,
    /// Any other character.
    Sign(char),
}

/// Tokens of a text, with how many blanks stand before each.
pub(crate) fn tokens(text: &str) -> Result<Vec<(bool, Token)>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        let has_blank = trimmed.len() < rest.len();
        rest = trimmed;
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let (token, after) = one(rest, first)?;
        found.push((has_blank, token));
        rest = after;
    }
}

fn one(text: &str, first: char) -> Result<(Token, &str), String> {
    if first == '\'' {
        return quoted(text).map(|rest| (Token::Literal, rest));
    }
    if first == '"' {
        return json_text(text).map(|rest| (Token::Literal, rest));
    }
    let is_part = |it: char| it.is_alphanumeric() || matches!(it, '_' | '.' | '-' | ':');
    if first.is_ascii_digit() || is_guid(text) {
        let (word, rest) = split(text, is_part);
        if is_value(word) {
            return Ok((Token::Literal, rest));
        }
        // `1:2`, as a case and its value.
        if let Some((value, _)) = word.split_once(':').filter(|(it, _)| is_value(it)) {
            return Ok((Token::Literal, text.get(value.len()..).unwrap_or_default()));
        }
        return Err(format!("`{word}` is no number, date, time or GUID"));
    }
    if first.is_alphabetic() || matches!(first, '_' | '$' | '@') {
        let sigil = usize::from(matches!(first, '$' | '@'));
        let body = text.get(sigil..).unwrap_or_default();
        let (word, _) = split(body, |it| it.is_alphanumeric() || matches!(it, '_' | '.'));
        let word = word.trim_end_matches('.');
        let (name, rest) = text.split_at_checked(sigil + word.len()).unwrap_or((text, ""));
        if rest.starts_with('\'') && sigil == 0 {
            // `duration'PT1H'`, `Ns.Colour'Red'`.
            return quoted(rest).map(|rest| (Token::Literal, rest));
        }
        return Ok((Token::Name(name.to_owned()), rest));
    }
    let rest = text.get(first.len_utf8()..).unwrap_or_default();
    Ok((Token::Sign(first), rest))
}

/// What follows a text in single quotes; two of them are one.
fn quoted(text: &str) -> Result<&str, String> {
    let mut rest = text.get(1..).unwrap_or_default();
    loop {
        let (_, after) = rest.split_once('\'').ok_or("a quotation does not end")?;
        match after.strip_prefix('\'') {
            Some(more) => rest = more,
            None => return Ok(after),
        }
    }
}

/// What follows a text in double quotes, as JSON has it.
fn json_text(text: &str) -> Result<&str, String> {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Ok(text.get(at + 1..).unwrap_or_default()),
            _ => {}
        }
    }
    Err("a quotation does not end".to_owned())
}

fn split(text: &str, is_part: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|it| !is_part(it)).unwrap_or(text.len()))
}

fn is_guid(text: &str) -> bool {
    let (word, _) = split(text, |it| it.is_ascii_hexdigit() || it == '-');
    is_groups(word, '-', &[8, 4, 4, 4, 12], char::is_ascii_hexdigit as fn(&char) -> bool)
}

fn is_groups(text: &str, sign: char, lengths: &[usize], is_part: fn(&char) -> bool) -> bool {
    let groups: Vec<&str> = text.split(sign).collect();
    let fits = |(group, length): (&&str, &usize)| {
        group.len() == *length && group.chars().all(|it| is_part(&it))
    };
    groups.len() == lengths.len() && groups.iter().zip(lengths).all(fits)
}

/// Whether a word is a number, date, time or GUID.
fn is_value(word: &str) -> bool {
    const DIGIT: fn(&char) -> bool = char::is_ascii_digit;
    if is_guid(word) || is_number(word) {
        return true;
    }
    if is_groups(word, '-', &[4, 2, 2], DIGIT) {
        return true;
    }
    let time = |text: &str| {
        let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_clock =
            is_groups(clock, ':', &[2, 2], DIGIT) || is_groups(clock, ':', &[2, 2, 2], DIGIT);
        is_clock && !fraction.is_empty() && fraction.chars().all(|it| it.is_ascii_digit())
    };
    if time(word) {
        return true;
    }
    let Some((date, rest)) = word.split_once(['T', 't']) else { return false };
    let zoned = rest.strip_suffix(['Z', 'z']).or_else(|| {
        let (clock, zone) = rest.rsplit_once('-')?;
        is_groups(zone, ':', &[2, 2], DIGIT).then_some(clock)
    });
    is_groups(date, '-', &[4, 2, 2], DIGIT) && zoned.is_some_and(time)
}

fn is_number(word: &str) -> bool {
    let digits = |it: &str| !it.is_empty() && it.chars().all(|it| it.is_ascii_digit());
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole) && digits(part) && digits(exponent.trim_start_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_known_by_their_form() {
        for text in [
            "1",
            "1.5",
            "1e10",
            "1.5e-3",
            "2026-01-31",
            "12:30",
            "12:30:59.123",
            "2026-01-31T12:30:00Z",
            "2026-01-31T12:30:00.5-02:00",
            "a1b2c3d4-0000-4000-8000-00000000000f",
            "'it''s'",
            "duration'PT1H'",
            "Ns.Colour'Red'",
            r#""a\"b""#,
        ] {
            assert_eq!(tokens(text).unwrap(), [(false, Token::Literal)], "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["1a", "1.", "2026-1-1", "2026-01-31T12", "'a", "'a''", "\"a"] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_and_signs_stand_alone() {
        let name = |text: &str| Token::Name(text.to_owned());
        let found = tokens("$it/a.b(@x) ").unwrap();
        let expected = [
            (false, name("$it")),
            (false, Token::Sign('/')),
            (false, name("a.b")),
            (false, Token::Sign('(')),
            (false, name("@x")),
            (false, Token::Sign(')')),
        ];
        assert_eq!(found, expected);
    }
}
