//! What stands after an opening parenthesis.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/grouping-constructs-in-regular-expressions>

use crate::Options;
use crate::census::Census;
use crate::error::Error;
use crate::scan::Scan;

/// What a group is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Holds its parts together.
    Plain,
    /// Captures into a slot, takes the last capture from another, or both.
    Capture { slot: Option<u32>, taken: Option<u32> },
    /// Looks ahead or behind.
    Look { negative: bool },
    /// Once it has matched it is not tried in another way.
    Atomic,
    /// Depends on whether the group in that slot has caught anything.
    IfGroup(u32),
    /// Depends on whether its first part, in parentheses of its own, matches here.
    IfMatch,
}

/// Reads what follows an opening parenthesis; nothing if it was options for what comes. As in
/// .NET, options may not stand right in a group with a condition: `in_test`.
pub(crate) fn open(
    scan: &mut Scan<'_>,
    census: &Census,
    next: &mut u32,
    in_test: bool,
) -> Result<Option<Kind>, Error> {
    if scan.peek() != Some(b'?') || scan.peek_at(1) == Some(b')') {
        if scan.has(Options::EXPLICIT_CAPTURE) || scan.in_condition {
            scan.in_condition = false;
            return Ok(Some(Kind::Plain));
        }
        let slot = census.slot(*next);
        *next += 1;
        return Ok(Some(Kind::Capture { slot, taken: None }));
    }
    scan.at += 1;
    let kind = match scan.next() {
        Some(b':') => Kind::Plain,
        Some(b'>') => Kind::Atomic,
        Some(it @ (b'=' | b'!')) => {
            scan.options = scan.options.with(Options::RIGHT_TO_LEFT, false);
            Kind::Look { negative: it == b'!' }
        }
        Some(it @ (b'<' | b'\'')) => match scan.peek() {
            None => return Err(unrecognized(scan)),
            Some(sign @ (b'=' | b'!')) if it == b'<' => {
                scan.at += 1;
                scan.options = scan.options.with(Options::RIGHT_TO_LEFT, true);
                Kind::Look { negative: sign == b'!' }
            }
            Some(b'=' | b'!') => return Err(unrecognized(scan)),
            Some(_) => named(scan, census, if it == b'<' { b'>' } else { b'\'' })?,
        },
        Some(b'(') => conditional(scan, census)?,
        _ => {
            scan.at -= 1;
            if !in_test {
                scan.inline_options();
            }
            match scan.next() {
                Some(b')') => return Ok(None),
                Some(b':') => Kind::Plain,
                _ => return Err(unrecognized(scan)),
            }
        }
    };
    Ok(Some(kind))
}

fn unrecognized(scan: &Scan<'_>) -> Error {
    scan.error("Unrecognized grouping construct.")
}

fn bad_name(scan: &Scan<'_>) -> Error {
    scan.error("Invalid group name: Group names must begin with a word character.")
}

/// A number or a name, up to `-` or the closing sign.
fn named(scan: &mut Scan<'_>, census: &Census, close: u8) -> Result<Kind, Error> {
    let mut number = None;
    match scan.peek() {
        Some(b'0'..=b'9') => {
            number = Some(scan.decimal()?);
            check_end(scan, &[close, b'-'])?;
            if number == Some(0) {
                return Err(scan.error("Capture number cannot be zero."));
            }
        }
        Some(b'-') => {}
        _ if scan.at_word() => {
            number = census.number(&scan.name());
            check_end(scan, &[close, b'-'])?;
        }
        _ => return Err(bad_name(scan)),
    }
    let slot = number.and_then(|it| census.slot(it));
    let mut taken = None;
    if scan.left() > 1 && scan.take(b'-') {
        taken = Some(other(scan, census, close)?);
    }
    if (slot.is_none() && taken.is_none()) || !scan.take(close) {
        return Err(unrecognized(scan));
    }
    Ok(Kind::Capture { slot, taken })
}

/// The group that a capture is taken from.
fn other(scan: &mut Scan<'_>, census: &Census, close: u8) -> Result<u32, Error> {
    let slot = match scan.peek() {
        Some(b'0'..=b'9') => {
            let number = scan.decimal()?;
            census.slot(number).ok_or_else(|| {
                scan.error(format!("Reference to undefined group number {number}."))
            })?
        }
        _ if scan.at_word() => {
            let name = scan.name();
            census
                .number(&name)
                .and_then(|it| census.slot(it))
                .ok_or_else(|| scan.error(format!("Reference to undefined group name '{name}'.")))?
        }
        _ => return Err(bad_name(scan)),
    };
    check_end(scan, &[close])?;
    Ok(slot)
}

fn check_end(scan: &Scan<'_>, ends: &[u8]) -> Result<(), Error> {
    match scan.peek() {
        Some(it) if !ends.contains(&it) => Err(bad_name(scan)),
        _ => Ok(()),
    }
}

/// `(?(1)`, `(?(name)` or `(?(expression)`, after its second parenthesis.
fn conditional(scan: &mut Scan<'_>, census: &Census) -> Result<Kind, Error> {
    let inside = scan.at;
    if scan.peek().is_some_and(|it| it.is_ascii_digit()) {
        let number = scan.decimal()?;
        if !scan.take(b')') {
            return Err(scan.error(format!("(?({number}) ) malformed.")));
        }
        return census
            .slot(number)
            .map(Kind::IfGroup)
            .ok_or_else(|| scan.error(format!("(?({number}) ) reference to undefined group.")));
    }
    if scan.at_word() {
        let name = scan.name();
        let slot = census.number(&name).and_then(|it| census.slot(it));
        if let Some(slot) = slot.filter(|_| scan.take(b')')) {
            return Ok(Kind::IfGroup(slot));
        }
    }
    scan.at = inside;
    if scan.peek() == Some(b'?') {
        match (scan.peek_at(1), scan.peek_at(2)) {
            (Some(b'#'), _) => {
                return Err(scan.error("Alternation conditions cannot be comments."));
            }
            (Some(b'\''), _) => return Err(captures(scan)),
            (Some(b'<'), Some(it)) if it != b'!' && it != b'=' => return Err(captures(scan)),
            _ => {}
        }
    }
    scan.at = inside - 1;
    scan.in_condition = true;
    Ok(Kind::IfMatch)
}

fn captures(scan: &Scan<'_>) -> Error {
    scan.error("Alternation conditions do not capture and cannot be named.")
}

#[cfg(test)]
mod tests {
    use super::open;
    use crate::Options;
    use crate::census::Census;
    use crate::scan::Scan;

    fn kind(text: &str) -> String {
        let groups: Vec<u16> = "(a)(?<n>b)".encode_utf16().collect();
        let census = Census::of(&groups, Options::NONE).unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        match open(&mut Scan::new(&units, Options::NONE), &census, &mut 1, false) {
            Ok(Some(kind)) => format!("{kind:?}"),
            Ok(None) => "options".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn groups_are_told_by_what_follows_the_parenthesis() {
        let cases = [
            ("a)", "Capture { slot: Some(1), taken: None }"),
            ("?:a)", "Plain"),
            ("?i-s:a)", "Plain"),
            ("?i-s)", "options"),
            ("?>a)", "Atomic"),
            ("?=a)", "Look { negative: false }"),
            ("?<!a)", "Look { negative: true }"),
            ("?<n>a)", "Capture { slot: Some(2), taken: None }"),
            ("?'n-1'a)", "Capture { slot: Some(2), taken: Some(1) }"),
            ("?<-n>a)", "Capture { slot: None, taken: Some(2) }"),
            ("?(1)a|b)", "IfGroup(1)"),
            ("?(n)a|b)", "IfGroup(2)"),
            ("?(x)a|b)", "IfMatch"),
        ];
        for (text, expected) in cases {
            assert_eq!(kind(text), expected, "({text}");
        }
    }

    #[test]
    fn wrong_groups_are_refused() {
        let cases = [
            ("?<0>a)", "Capture number cannot be zero."),
            ("?<n-x>a)", "Reference to undefined group name 'x'."),
            ("?<n!>a)", "Invalid group name"),
            ("?<>a)", "Invalid group name"),
            ("?(7)a)", "reference to undefined group."),
            ("?(?#x)a)", "cannot be comments"),
            ("?(?<y>a)b)", "cannot be named"),
            ("?'=a)", "Unrecognized grouping construct."),
        ];
        for (text, expected) in cases {
            assert!(kind(text).contains(expected), "({text}: {}", kind(text));
        }
    }
}
