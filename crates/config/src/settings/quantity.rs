//! Times (`30s`, `250ms`, `5m`, `1h`) and sizes (`64KiB`, `16MB`, `1024`).

use std::time::Duration;

use crate::codes;
use crate::tree::Fields;

/// Longest time that is accepted: a year.
const MAX_SECONDS: u64 = 366 * 24 * 3600;

/// Reads a time; a wrong one is reported.
pub(crate) fn duration(fields: &Fields<'_, '_>, key: &'static str) -> Option<Duration> {
    let tree = fields.get(key)?;
    let text = tree.scalar().unwrap_or("");
    let found = parse_duration(text);
    if found.is_none() {
        let message = format!("`{text}` is no time");
        fields.report(
            tree.error(codes::BAD_VALUE, message).help("write `30s`, `250ms`, `5m` or `1h`"),
        );
    }
    found
}

/// Reads a size in bytes; a wrong one is reported.
pub(crate) fn bytes(fields: &Fields<'_, '_>, key: &'static str) -> Option<u64> {
    let tree = fields.get(key)?;
    let text = tree.scalar().unwrap_or("");
    let found = parse_bytes(text);
    if found.is_none() {
        let message = format!("`{text}` is no size");
        fields.report(
            tree.error(codes::BAD_VALUE, message)
                .help("write `64KiB`, `16MiB` or a number of bytes"),
        );
    }
    found
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let found = match unit {
        "ms" => Duration::from_millis(number),
        "s" | "" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    };
    (found.as_secs() <= MAX_SECONDS).then_some(found)
}

fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "kib" | "k" => 1 << 10,
        "mb" => 1_000_000,
        "mib" | "m" => 1 << 20,
        "gb" => 1_000_000_000,
        "gib" | "g" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, millis) in [
            ("30s", Some(30_000)),
            ("250 ms", Some(250)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("7", Some(7_000)),
        ] {
            assert_eq!(parse_duration(text).map(|it| it.as_millis()), millis, "{text}");
        }
        for text in ["", "s", "1d", "-1s", "1.5s", "99999999999999h", "9000h"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, n) in [("1024", 1024), ("64KiB", 65_536), ("1 MB", 1_000_000), ("2g", 2 << 30)] {
            assert_eq!(parse_bytes(text), Some(n), "{text}");
        }
        assert_eq!(parse_bytes("99999999999999GiB"), None);
        assert_eq!(parse_bytes("many"), None);
    }
}
