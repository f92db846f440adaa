//! The built-in types: what their values look like, and how they are ordered.
//!
//! Source: XML Schema part 2, second edition, section 3.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::simple::White;

/// A built-in type of single values.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) white: White,
    pub(crate) order: Order,
    pub(crate) length: Length,
    check: fn(&str) -> bool,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As texts, for equality only.
    None,
    Decimal,
    Double,
    /// As points on the line of time.
    Time,
}

/// What a length counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    None,
    Letters,
    HexBytes,
    Base64Bytes,
}

const fn row(
    name: &'static str,
    white: White,
    order: Order,
    length: Length,
    check: fn(&str) -> bool,
) -> Builtin {
    Builtin { name, white, order, length, check }
}

const fn word(name: &'static str, check: fn(&str) -> bool) -> Builtin {
    row(name, White::Collapse, Order::None, Length::Letters, check)
}

const fn number(name: &'static str, check: fn(&str) -> bool) -> Builtin {
    row(name, White::Collapse, Order::Decimal, Length::None, check)
}

const fn time(name: &'static str, check: fn(&str) -> bool) -> Builtin {
    row(name, White::Collapse, Order::Time, Length::None, check)
}

const fn other(name: &'static str, order: Order, check: fn(&str) -> bool) -> Builtin {
    row(name, White::Collapse, order, Length::None, check)
}

static ALL: &[Builtin] = &[
    row("anySimpleType", White::Preserve, Order::None, Length::Letters, |_| true),
    row("string", White::Preserve, Order::None, Length::Letters, |_| true),
    row("normalizedString", White::Replace, Order::None, Length::Letters, |_| true),
    word("token", |_| true),
    word("language", |it| {
        let is_part = |it: &str| {
            (1..=8).contains(&it.len()) && it.chars().all(|it| it.is_ascii_alphanumeric())
        };
        let first = it.split('-').next().unwrap_or_default();
        it.split('-').all(is_part) && first.chars().all(|it| it.is_ascii_alphabetic())
    }),
    word("NMTOKEN", |it| !it.is_empty() && it.chars().all(is_name_part)),
    word("Name", is_name),
    word("NCName", is_nc_name),
    word("ID", is_nc_name),
    word("IDREF", is_nc_name),
    word("anyURI", |it| !it.contains([' ', '<', '>', '"'])),
    other("QName", Order::None, |it| match it.split_once(':') {
        Some((prefix, local)) => is_nc_name(prefix) && is_nc_name(local),
        None => is_nc_name(it),
    }),
    other("boolean", Order::None, |it| matches!(it, "true" | "false" | "1" | "0")),
    number("decimal", is_decimal),
    number("integer", is_integer),
    number("nonPositiveInteger", |it| is_within(it, "", "0")),
    number("negativeInteger", |it| is_within(it, "", "-1")),
    number("long", |it| is_within(it, "-9223372036854775808", "9223372036854775807")),
    number("int", |it| is_within(it, "-2147483648", "2147483647")),
    number("short", |it| is_within(it, "-32768", "32767")),
    number("byte", |it| is_within(it, "-128", "127")),
    number("nonNegativeInteger", |it| is_within(it, "0", "")),
    number("unsignedLong", |it| is_within(it, "0", "18446744073709551615")),
    number("unsignedInt", |it| is_within(it, "0", "4294967295")),
    number("unsignedShort", |it| is_within(it, "0", "65535")),
    number("unsignedByte", |it| is_within(it, "0", "255")),
    number("positiveInteger", |it| is_within(it, "1", "")),
    other("float", Order::Double, is_double),
    other("double", Order::Double, is_double),
    other("duration", Order::None, is_duration),
    time("dateTime", |it| point("dateTime", it).is_some()),
    time("date", |it| point("date", it).is_some()),
    time("time", |it| point("time", it).is_some()),
    time("gYear", |it| point("gYear", it).is_some()),
    time("gYearMonth", |it| point("gYearMonth", it).is_some()),
    time("gMonth", |it| point("gMonth", it).is_some()),
    time("gMonthDay", |it| point("gMonthDay", it).is_some()),
    time("gDay", |it| point("gDay", it).is_some()),
    row("hexBinary", White::Collapse, Order::None, Length::HexBytes, |it| {
        it.len() % 2 == 0 && it.chars().all(|it| it.is_ascii_hexdigit())
    }),
    row("base64Binary", White::Collapse, Order::None, Length::Base64Bytes, |it| {
        bytes(it).is_some()
    }),
];

impl Builtin {
    pub(crate) fn named(name: &str) -> Option<&'static Builtin> {
        ALL.iter().find(|it| it.name == name)
    }

    pub(crate) fn takes(&self, text: &str) -> bool {
        (self.check)(text)
    }

    /// Compares two values. `None` if they cannot be compared.
    pub(crate) fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        match self.order {
            Order::None => (self.same(a) == self.same(b)).then_some(Ordering::Equal),
            Order::Decimal => Some(decimal_order(a, b)),
            Order::Double => double(a)?.partial_cmp(&double(b)?),
            Order::Time => Some(point(self.name, a)?.cmp(&point(self.name, b)?)),
        }
    }

    /// A text that is the same for equal values.
    fn same<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        match (self.name, text) {
            ("boolean", "1") => "true".into(),
            ("boolean", "0") => "false".into(),
            ("hexBinary", _) => text.to_uppercase().into(),
            ("base64Binary", _) => text.replace(' ', "").into(),
            _ => text.into(),
        }
    }

    /// The length of a value, if it has one.
    pub(crate) fn length(&self, text: &str) -> Option<usize> {
        match self.length {
            Length::None => None,
            Length::Letters => Some(text.chars().count()),
            Length::HexBytes => Some(text.len() / 2),
            Length::Base64Bytes => bytes(text),
        }
    }
}

fn bytes(text: &str) -> Option<usize> {
    STANDARD.decode(text.replace(' ', "")).ok().map(|it| it.len())
}

fn is_name_start(it: char) -> bool {
    it.is_alphabetic() || it == '_'
}

fn is_name_part(it: char) -> bool {
    it.is_alphanumeric() || matches!(it, '_' | '-' | '.' | ':' | '\u{B7}')
}

fn is_name(text: &str) -> bool {
    text.starts_with(|it| is_name_start(it) || it == ':') && text.chars().all(is_name_part)
}

fn is_nc_name(text: &str) -> bool {
    text.starts_with(is_name_start) && text.chars().all(|it| is_name_part(it) && it != ':')
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_integer(text: &str) -> bool {
    digits(unsigned(text))
}

fn is_decimal(text: &str) -> bool {
    match unsigned(text).split_once('.') {
        None => digits(unsigned(text)),
        Some((whole, part)) => {
            let is_part = |it: &str| it.is_empty() || digits(it);
            is_part(whole) && is_part(part) && !(whole.is_empty() && part.is_empty())
        }
    }
}

fn is_within(text: &str, least: &str, most: &str) -> bool {
    is_integer(text)
        && (least.is_empty() || decimal_order(text, least) != Ordering::Less)
        && (most.is_empty() || decimal_order(text, most) != Ordering::Greater)
}

/// Digits before and after the point, without zeros that do not count; whether it is negative.
pub(crate) fn decimal_parts(text: &str) -> (bool, &str, &str) {
    let (whole, part) = unsigned(text).split_once('.').unwrap_or((unsigned(text), ""));
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    let is_zero = whole.is_empty() && part.is_empty();
    (text.starts_with('-') && !is_zero, whole, part)
}

fn decimal_order(a: &str, b: &str) -> Ordering {
    let ((a_negative, a_whole, a_part), (b_negative, b_whole, b_part)) =
        (decimal_parts(a), decimal_parts(b));
    let size = a_whole
        .len()
        .cmp(&b_whole.len())
        .then_with(|| a_whole.cmp(b_whole))
        .then_with(|| a_part.cmp(b_part));
    match (a_negative, b_negative) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

fn is_double(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    matches!(text, "INF" | "-INF" | "NaN") || is_decimal(mantissa) && is_integer(exponent)
}

fn double(text: &str) -> Option<f64> {
    match text {
        "INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}

/// `P1Y2M3DT4H5M6.7S`.
fn is_duration(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let Some(text) = text.strip_prefix('P') else { return false };
    let (date, time) = match text.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return false,
        None => (text, ""),
    };
    let parts = |mut text: &str, signs: &str| {
        for sign in signs.chars() {
            if let Some((number, rest)) = text.split_once(sign) {
                let is_right = if sign == 'S' { is_decimal(number) } else { digits(number) };
                if !is_right || number.starts_with(['-', '+']) {
                    return false;
                }
                text = rest;
            }
        }
        text.is_empty()
    };
    !(date.is_empty() && time.is_empty()) && parts(date, "YMD") && parts(time, "HMS")
}

/// A date or time as seconds and billionths, of UTC; without a zone it counts as UTC.
fn point(kind: &str, text: &str) -> Option<(i64, u32)> {
    let (text, zone) = zone(text)?;
    let (date, clock) = match kind {
        "dateTime" => text.split_once('T')?,
        "time" => ("1972-01-01", text),
        _ => (text, "00:00:00"),
    };
    let (year, month, day) = match kind {
        "dateTime" | "date" | "time" => {
            let (rest, day) = date.rsplit_once('-')?;
            let (year, month) = rest.rsplit_once('-')?;
            (year, month, day)
        }
        "gYear" => (date, "01", "01"),
        "gYearMonth" => {
            let (year, month) = date.rsplit_once('-')?;
            (year, month, "01")
        }
        "gMonth" => ("1972", date.strip_prefix("--")?, "01"),
        "gMonthDay" => {
            let (month, day) = date.strip_prefix("--")?.split_once('-')?;
            ("1972", month, day)
        }
        _ => ("1972", "01", date.strip_prefix("---")?),
    };
    let days = days(year, two(month)?, two(day)?)?;
    let (seconds, nanos) = seconds(clock)?;
    Some((days * 86_400 + seconds - zone * 60, nanos))
}

fn two(text: &str) -> Option<i64> {
    (text.len() == 2 && digits(text)).then(|| text.parse().ok()).flatten()
}

/// The text without its zone, and the zone in minutes.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(text) = text.strip_suffix('Z') {
        return Some((text, 0));
    }
    let Some((rest, zone)) = text.len().checked_sub(6).and_then(|at| text.split_at_checked(at))
    else {
        return Some((text, 0));
    };
    let sign = match zone.chars().next() {
        Some('+') => 1,
        Some('-') => -1,
        _ => return Some((text, 0)),
    };
    let Some((hours, minutes)) = zone.get(1..).and_then(|it| it.split_once(':')) else {
        return Some((text, 0));
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let is_right = hours < 14 && minutes < 60 || hours == 14 && minutes == 0;
    is_right.then_some((rest, sign * (hours * 60 + minutes)))
}

/// Days since 1970 of a date that there is.
fn days(year: &str, month: i64, day: i64) -> Option<i64> {
    let bare = year.strip_prefix('-').unwrap_or(year);
    let is_year = digits(bare)
        && (bare.len() == 4 || (5..=9).contains(&bare.len()) && !bare.starts_with('0'));
    let year: i64 = year.parse().ok().filter(|it| is_year && *it != 0)?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    // Howard Hinnant's days_from_civil.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn seconds(clock: &str) -> Option<(i64, u32)> {
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) if digits(fraction) => (clock, fraction),
        Some(_) => return None,
        None => (clock, "0"),
    };
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (two(parts.next()?)?, two(parts.next()?)?, two(parts.next()?)?);
    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: u32 = nanos.parse().ok()?;
    let is_midnight = hours == 24 && minutes == 0 && seconds == 0 && nanos == 0;
    let is_right =
        parts.next().is_none() && (hours < 24 || is_midnight) && minutes < 60 && seconds < 60;
    is_right.then_some((hours * 3600 + minutes * 60 + seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_from_others() {
        for (name, good, bad) in [
            ("boolean", &["true", "0"][..], &["yes", "", "TRUE"][..]),
            ("decimal", &["1", "-1.50", "+.5", "1."], &["", ".", "1e3", "1,5", "-"]),
            ("integer", &["0", "-007", "99999999999999999999"], &["1.0", "", "+"]),
            ("byte", &["-128", "127", "+5"], &["128", "-129", "1.0"]),
            ("unsignedLong", &["18446744073709551615"], &["18446744073709551616", "-1"]),
            ("positiveInteger", &["1"], &["0", "-1"]),
            ("double", &["1", "1e-3", "INF", "NaN", "-.5E+2"], &["inf", "e3", "1e", ""]),
            (
                "duration",
                &["P1Y", "-PT1.5S", "P1Y2M3DT4H5M6S"],
                &["P", "PT", "1Y", "P1S", "P-1D", "P1M2Y"],
            ),
            (
                "dateTime",
                &["2026-02-28T24:00:00", "2024-02-29T23:59:59.999Z", "-0001-01-01T00:00:00+14:00"],
                &[
                    "2026-02-29T00:00:00",
                    "2026-02-28",
                    "2026-02-28T24:00:01",
                    "0000-01-01T00:00:00",
                    "2026-2-1T00:00:00",
                    "2026-01-01T00:00:00+15:00",
                    "2026-01-01T00:00",
                ],
            ),
            (
                "date",
                &["2026-12-31", "2026-12-31Z", "2026-12-31-05:00"],
                &["2026-13-01", "26-01-01", "2026-12-31T"],
            ),
            ("time", &["00:00:00", "12:30:59.5+01:00"], &["24:00:01", "12:60:00", "1:00:00"]),
            ("gYear", &["2026", "12026"], &["26", "02026"]),
            ("gYearMonth", &["2026-01"], &["2026", "2026-13"]),
            ("gMonth", &["--12"], &["12", "--13"]),
            ("gMonthDay", &["--02-29"], &["--02-30"]),
            ("gDay", &["---31"], &["---32", "31"]),
            ("hexBinary", &["", "0aFF"], &["0", "xx"]),
            ("base64Binary", &["", "AA==", "AAAA AAAA"], &["A", "?"]),
            ("QName", &["a", "p:a"], &["", "a:", "1", "a:b:c"]),
            ("NCName", &["a-1"], &["a:b", "1a", ""]),
            ("NMTOKEN", &["1a:b"], &["", "a b"]),
            ("language", &["de-CH"], &["1", "", "de_CH"]),
            ("anyURI", &["", "../a#b"], &["a b"]),
        ] {
            let it = Builtin::named(name).unwrap();
            good.iter().for_each(|text| assert!(it.takes(text), "{name} {text}"));
            bad.iter().for_each(|text| assert!(!it.takes(text), "{name} {text}"));
        }
    }

    #[test]
    fn values_are_ordered() {
        use Ordering::{Equal, Greater, Less};
        for (name, a, b, expected) in [
            ("decimal", "1.0", "01", Some(Equal)),
            ("decimal", "-2", "1", Some(Less)),
            ("decimal", "-2", "-10", Some(Greater)),
            ("decimal", "1.19", "1.2", Some(Less)),
            ("decimal", "-0", "0", Some(Equal)),
            ("double", "1e3", "999", Some(Greater)),
            ("double", "NaN", "1", None),
            ("dateTime", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", Some(Equal)),
            ("date", "2026-01-01", "2025-12-31", Some(Greater)),
            ("date", "1969-12-31", "1970-01-01", Some(Less)),
            ("boolean", "1", "true", Some(Equal)),
            ("string", "a", "b", None),
        ] {
            assert_eq!(Builtin::named(name).unwrap().compare(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn lengths_count_what_they_should() {
        let length = |name, text| Builtin::named(name).unwrap().length(text);
        assert_eq!(length("string", "äöü"), Some(3));
        assert_eq!(length("hexBinary", "0aFF"), Some(2));
        assert_eq!(length("base64Binary", "AA=="), Some(1));
        assert_eq!(length("int", "1"), None);
    }
}
