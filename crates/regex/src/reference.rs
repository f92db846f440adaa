//! What a backslash begins: references to groups, borders, shorthands, single characters.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/backreference-constructs-in-regular-expressions>

use crate::Options;
use crate::census::Census;
use crate::class::add_property;
use crate::error::Error;
use crate::escape::char_escape;
use crate::node::Anchor;
use crate::scan::Scan;
use crate::set::Set;

/// What a backslash and the text after it stand for.
#[derive(Debug)]
pub(crate) enum Reference {
    /// One unit.
    Unit(u16),
    /// One unit of a set.
    Set(Set),
    /// A place.
    Anchor(Anchor),
    /// What the group of that number has caught.
    Group(u32),
}

/// Reads what follows a backslash. Without a census the groups are still being counted: no
/// reference is wrong then.
pub(crate) fn backslash(scan: &mut Scan<'_>, census: Option<&Census>) -> Result<Reference, Error> {
    let ecma = scan.has(Options::ECMA_SCRIPT);
    let anchor = match scan.peek() {
        None => return Err(scan.error("Illegal \\ at end of pattern.")),
        Some(b'b') if ecma => Anchor::EcmaBorder,
        Some(b'b') => Anchor::Border,
        Some(b'B') if ecma => Anchor::NoEcmaBorder,
        Some(b'B') => Anchor::NoBorder,
        Some(b'A') => Anchor::Beginning,
        Some(b'G') => Anchor::Start,
        Some(b'Z') => Anchor::LastLine,
        Some(b'z') => Anchor::End,
        Some(letter @ (b'w' | b'd' | b's' | b'W' | b'D' | b'S')) => {
            scan.at += 1;
            return Ok(Reference::Set(Set::shorthand(letter, ecma)));
        }
        Some(letter @ (b'p' | b'P')) => {
            scan.at += 1;
            let mut set = Set::default();
            add_property(scan, &mut set, letter == b'P')?;
            if scan.has(Options::IGNORE_CASE) {
                set.fold();
            }
            return Ok(Reference::Set(set.sealed()));
        }
        Some(_) => return group_or_unit(scan, census),
    };
    scan.at += 1;
    Ok(Reference::Anchor(anchor))
}

fn group_or_unit(scan: &mut Scan<'_>, census: Option<&Census>) -> Result<Reference, Error> {
    let before = scan.at;
    let close = match scan.peek() {
        Some(b'k') => {
            scan.at += 1;
            let close = closing(scan.next());
            if close.is_none() || scan.left() == 0 {
                return Err(scan.error("Malformed \\k<...> named back reference."));
            }
            close
        }
        it @ Some(b'<' | b'\'') if scan.left() > 1 => {
            scan.at += 1;
            closing(it)
        }
        _ => None,
    };
    let found = match (close, scan.peek()) {
        (Some(close), _) => in_brackets(scan, close, census)?,
        (None, Some(b'1'..=b'9')) if scan.has(Options::ECMA_SCRIPT) => ecma_number(scan, census),
        (None, Some(b'1'..=b'9')) => number(scan, census)?,
        _ => None,
    };
    if let Some(group) = found {
        return Ok(Reference::Group(group));
    }
    scan.at = before;
    char_escape(scan).map(Reference::Unit)
}

fn closing(open: Option<u8>) -> Option<u8> {
    match open? {
        b'<' => Some(b'>'),
        b'\'' => Some(b'\''),
        _ => None,
    }
}

/// `<1>` or `<name>` after its first sign.
fn in_brackets(
    scan: &mut Scan<'_>,
    close: u8,
    census: Option<&Census>,
) -> Result<Option<u32>, Error> {
    if scan.peek().is_some_and(|it| it.is_ascii_digit()) {
        let number = scan.decimal()?;
        if !scan.take(close) {
            return Ok(None);
        }
        return match census {
            Some(census) if census.slot(number).is_none() => Err(undefined(scan, number)),
            _ => Ok(Some(number)),
        };
    }
    if !scan.at_word() {
        return Ok(None);
    }
    let name = scan.name();
    if !scan.take(close) {
        return Ok(None);
    }
    let Some(census) = census else { return Ok(Some(0)) };
    let unknown = || scan.error(format!("Reference to undefined group name '{name}'."));
    census.number(&name).map(Some).ok_or_else(unknown)
}

fn undefined(scan: &Scan<'_>, number: u32) -> Error {
    scan.error(format!("Reference to undefined group number {number}."))
}

/// `\1`, `\12`: a group if there is one of that number, otherwise octal digits from 10 on.
fn number(scan: &mut Scan<'_>, census: Option<&Census>) -> Result<Option<u32>, Error> {
    let number = scan.decimal()?;
    match census {
        None => Ok(Some(number)),
        Some(census) if census.slot(number).is_some() => Ok(Some(number)),
        Some(_) if number <= 9 => Err(undefined(scan, number)),
        Some(_) => Ok(None),
    }
}

/// `ECMAScript`: as many digits as make the number of a group that has begun already.
fn ecma_number(scan: &mut Scan<'_>, census: Option<&Census>) -> Option<u32> {
    let Some(census) = census else {
        // While counting, digits are skipped either way.
        while scan.peek().is_some_and(|it| it.is_ascii_digit()) {
            scan.at += 1;
        }
        return Some(0);
    };
    let here = scan.at.saturating_sub(1);
    let (mut found, mut value) = (None, 0);
    while let Some(digit) = scan.peek().filter(u8::is_ascii_digit) {
        value = value * 10 + u32::from(digit - b'0');
        if value > census.largest() {
            break;
        }
        scan.at += 1;
        if census.begins(value).is_some_and(|it| it < here) {
            found = Some(value);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::backslash;
    use crate::Options;
    use crate::census::Census;
    use crate::scan::Scan;

    fn read(pattern: &str, options: Options) -> String {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        let census = Census::of(&"(a)(?<n>b)".encode_utf16().collect::<Vec<_>>(), options).unwrap();
        match backslash(&mut Scan::new(&units, options), Some(&census)) {
            Ok(it) => format!("{it:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn references_are_told_from_characters() {
        let cases = [
            ("1", "Group(1)"),
            ("k<2>", "Group(2)"),
            ("k'n'", "Group(2)"),
            ("<n>", "Group(2)"),
            ("<", "Unit(60)"),
            ("<n", "Unit(60)"),
            ("12", "Unit(10)"),
            ("b", "Anchor(Border)"),
            ("x41", "Unit(65)"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(read(pattern, Options::NONE), expected, "{pattern}");
        }
        assert_eq!(read("b", Options::ECMA_SCRIPT), "Anchor(EcmaBorder)");
        assert_eq!(read("q", Options::ECMA_SCRIPT), "Unit(113)");
    }

    #[test]
    fn references_to_nothing_are_refused() {
        for (pattern, expected) in [
            ("3", "Reference to undefined group number 3."),
            ("k<x>", "Reference to undefined group name 'x'."),
            ("k", "Malformed \\k<...> named back reference."),
            ("", "Illegal \\ at end of pattern."),
        ] {
            assert!(read(pattern, Options::NONE).contains(expected), "{pattern}");
        }
    }
}
