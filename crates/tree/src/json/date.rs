//! Dates in JSON: the ISO 8601 dialect that Newtonsoft recognises and the text it writes.
//!
//! A string is a date if it has a `T` after ten characters and reads as `yyyy-MM-ddTHH:mm:ss`, with
//! at most seven digits of a second and a zone; `/Date(ms)/` is one as well.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/DatesInJSON.htm>

use super::scalar::{DateKind, DateTime};

const TICKS_PER_SECOND: i64 = 10_000_000;
const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;
const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
const MAX_TICKS: i64 = 3_155_378_975_999_999_999;
const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// Days from the first of January of the year 1 to the given day of the proleptic Gregorian
/// calendar; `None` if there is no such day.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if day > *lengths.get(usize::try_from(month - 1).ok()?)? {
        return None;
    }
    let before: i64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    let past = year - 1;
    Some(past * 365 + past / 4 - past / 100 + past / 400 + before + day - 1)
}

/// Year, month and day of ticks.
pub fn civil(ticks: i64) -> (i64, i64, i64) {
    // Days since 0000-03-01, then the usual 400-year arithmetic.
    let days = ticks.div_euclid(TICKS_PER_DAY) + 306;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A string that Newtonsoft would turn into a date.
pub fn recognise(text: &str) -> Option<DateTime> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'/' => microsoft(text),
        first if first.is_ascii_digit() => {
            let may_be = (19..=40).contains(&bytes.len()) && bytes.get(10) == Some(&b'T');
            if may_be { iso(bytes) } else { None }
        }
        _ => None,
    }
}

/// `yyyy-MM-ddTHH:mm:ss[.fffffff][Z|±hh:mm|±hhmm|±hh]`.
pub fn iso(bytes: &[u8]) -> Option<DateTime> {
    let (ticks, rest) = iso_local(bytes)?;
    match zone(rest)? {
        Zone::None => Some(DateTime { ticks, kind: DateKind::Unspecified }),
        Zone::Utc => Some(DateTime { ticks, kind: DateKind::Utc }),
        Zone::Minutes(minutes) => {
            let ticks = ticks - minutes * TICKS_PER_MINUTE;
            let is_date = (0..=MAX_TICKS).contains(&ticks);
            is_date.then_some(DateTime { ticks, kind: DateKind::Local })
        }
    }
}

/// The same with the zone kept: local ticks and minutes east of Greenwich.
pub fn iso_offset(text: &str) -> Option<(DateTime, i16)> {
    let bytes = text.as_bytes();
    let (ticks, rest) = iso_local(bytes)?;
    let minutes = match zone(rest)? {
        Zone::None | Zone::Utc => 0,
        Zone::Minutes(minutes) => i16::try_from(minutes).ok()?,
    };
    Some((DateTime { ticks, kind: DateKind::Unspecified }, minutes))
}

enum Zone {
    None,
    Utc,
    Minutes(i64),
}

fn iso_local(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let number = |at: usize, length: usize| -> Option<i64> {
        let digits = bytes.get(at..at + length)?;
        digits
            .iter()
            .try_fold(0, |sum, it| it.is_ascii_digit().then(|| sum * 10 + i64::from(it - b'0')))
    };
    let is = |at: usize, what: u8| bytes.get(at) == Some(&what);
    if !(is(4, b'-') && is(7, b'-') && is(10, b'T') && is(13, b':') && is(16, b':')) {
        return None;
    }
    let days = days_from_civil(number(0, 4)?, number(5, 2)?, number(8, 2)?)?;
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if hour > 24 || minute > 59 || second > 59 || (hour == 24 && (minute != 0 || second != 0)) {
        return None;
    }
    let mut rest = bytes.get(19..)?;
    let mut fraction = 0;
    if let Some(digits) = rest.strip_prefix(b".") {
        let n_digits = digits.iter().take(7).take_while(|it| it.is_ascii_digit()).count();
        if n_digits == 0 {
            return None;
        }
        fraction = number(20, n_digits)? * 10_i64.pow(u32::try_from(7 - n_digits).ok()?);
        rest = digits.get(n_digits..)?;
    }
    if hour == 24 && fraction != 0 {
        return None;
    }
    let ticks =
        days * TICKS_PER_DAY + (hour * 3600 + minute * 60 + second) * TICKS_PER_SECOND + fraction;
    (ticks <= MAX_TICKS).then_some((ticks, rest))
}

fn zone(rest: &[u8]) -> Option<Zone> {
    let two = |digits: &[u8]| -> Option<i64> {
        match digits {
            [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => {
                Some(i64::from(a - b'0') * 10 + i64::from(b - b'0'))
            }
            _ => None,
        }
    };
    let (sign, digits) = match rest {
        [] => return Some(Zone::None),
        [b'Z' | b'z'] => return Some(Zone::Utc),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let hours = two(digits.get(..2)?)?;
    let minutes = match digits.get(2..)? {
        [] => 0,
        [b':', minutes @ ..] => two(minutes)?,
        minutes => two(minutes)?,
    };
    Some(Zone::Minutes(sign * (hours * 60 + minutes)))
}

fn microsoft(text: &str) -> Option<DateTime> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let at = inner.char_indices().skip(1).find(|(_, it)| matches!(it, '+' | '-'));
    let (number, kind) = match at {
        Some((at, _)) => (inner.get(..at)?, DateKind::Local),
        None => (inner, DateKind::Utc),
    };
    let milliseconds: i64 = number.parse().ok()?;
    let ticks = milliseconds.checked_mul(10_000)?.checked_add(UNIX_EPOCH_TICKS)?;
    (0..=MAX_TICKS).contains(&ticks).then_some(DateTime { ticks, kind })
}

/// What `DateTime.Parse` makes of a date in ISO or American order, with or without a time; the
/// forms that documents hold. The ticks are local (UTC) time.
pub fn parse_text(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if let Some(date) = iso(text.replacen(' ', "T", 1).as_bytes()) {
        return Some(date);
    }
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let numbers = |text: &str, separator: char| -> Option<Vec<i64>> {
        text.split(separator).map(|it| it.parse().ok()).collect()
    };
    let day = match (numbers(day, '-').as_deref(), numbers(day, '/').as_deref()) {
        (Some([year, month, day]), _) => days_from_civil(*year, *month, *day)?,
        (_, Some([month, day, year])) => days_from_civil(*year, *month, *day)?,
        _ => return None,
    };
    let mut ticks = day * TICKS_PER_DAY;
    if let Some(time) = time {
        let (hour, minute, second) = match numbers(time, ':')?.as_slice() {
            [hour, minute] => (*hour, *minute, 0),
            [hour, minute, second] => (*hour, *minute, *second),
            _ => return None,
        };
        let is_time =
            (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        if !is_time {
            return None;
        }
        ticks += (hour * 3600 + minute * 60 + second) * TICKS_PER_SECOND;
    }
    Some(DateTime { ticks, kind: DateKind::Unspecified })
}

/// `TimeSpan.Parse`: `[-][d.]hh:mm[:ss[.fffffff]]` or days alone.
pub fn parse_time_span(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let number = |text: &str| -> Option<i64> {
        let is_number =
            !text.is_empty() && text.len() < 9 && text.bytes().all(|it| it.is_ascii_digit());
        if is_number { text.parse().ok() } else { None }
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (days, hours, minutes, seconds) = match parts.as_slice() {
        [days] => return Some(sign * number(days)? * TICKS_PER_DAY),
        [hours, minutes] => (None, *hours, *minutes, "0"),
        [hours, minutes, seconds] => (None, *hours, *minutes, *seconds),
        [days, hours, minutes, seconds] => (Some(*days), *hours, *minutes, *seconds),
        _ => return None,
    };
    let (days, hours) = match (days, hours.split_once('.')) {
        (Some(days), None) => (number(days)?, number(hours)?),
        (None, Some((days, hours))) => (number(days)?, number(hours)?),
        (None, None) => (0, number(hours)?),
        (Some(_), Some(_)) => return None,
    };
    let (seconds, fraction) = match seconds.split_once('.') {
        Some((seconds, fraction)) if fraction.len() <= 7 => {
            (number(seconds)?, number(&format!("{fraction:0<7}"))?)
        }
        Some(_) => return None,
        None => (number(seconds)?, 0),
    };
    let minutes = number(minutes)?;
    if hours > 23 || minutes > 59 || seconds > 59 || days > 10_675_199 {
        return None;
    }
    let whole = days * 86_400 + hours * 3600 + minutes * 60 + seconds;
    whole.checked_mul(TICKS_PER_SECOND)?.checked_add(fraction)?.checked_mul(sign)
}

/// What is written in JSON, without quotes: `2024-02-03T04:05:06.12Z`.
pub fn json(date: DateTime) -> String {
    let mut text = String::with_capacity(32);
    push_json(&mut text, date);
    text
}

/// The same, at the end of a text.
pub(super) fn push_json(out: &mut String, date: DateTime) {
    push_iso(out, date.ticks);
    out.push_str(match date.kind {
        DateKind::Unspecified => "",
        DateKind::Utc => "Z",
        DateKind::Local => "+00:00",
    });
}

/// What is written in JSON for a `DateTimeOffset`.
pub fn json_offset(date: DateTime, minutes: i16) -> String {
    format!("{}{}", iso_text(date.ticks), offset_text(minutes))
}

fn offset_text(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn iso_text(ticks: i64) -> String {
    let mut text = String::with_capacity(32);
    push_iso(&mut text, ticks);
    text
}

fn push_iso(out: &mut String, ticks: i64) {
    let (year, month, day) = civil(ticks);
    let seconds = ticks.rem_euclid(TICKS_PER_DAY) / TICKS_PER_SECOND;
    push_digits(out, year, 4);
    for (mark, number) in [
        ('-', month),
        ('-', day),
        ('T', seconds / 3600),
        (':', seconds / 60 % 60),
        (':', seconds % 60),
    ] {
        out.push(mark);
        push_digits(out, number, 2);
    }
    let fraction = ticks.rem_euclid(TICKS_PER_SECOND);
    if fraction != 0 {
        out.push_str(format!(".{fraction:07}").trim_end_matches('0'));
    }
}

/// A number of that many digits.
fn push_digits(out: &mut String, number: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

/// `DateTime.ToString()` with the invariant culture: `02/03/2024 04:05:06`.
pub fn invariant(date: DateTime) -> String {
    let (year, month, day) = civil(date.ticks);
    let seconds = date.ticks.rem_euclid(TICKS_PER_DAY) / TICKS_PER_SECOND;
    format!(
        "{month:02}/{day:02}/{year:04} {:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// `DateTimeOffset.ToString()` with the invariant culture: `02/03/2024 04:05:06 +01:00`.
pub fn invariant_offset(date: DateTime, minutes: i16) -> String {
    format!("{} {}", invariant(date), offset_text(minutes))
}

/// `TimeSpan.ToString()`: `[-][d.]hh:mm:ss[.fffffff]`.
pub fn time_span(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let ticks = ticks.unsigned_abs();
    let (day, second) = (TICKS_PER_DAY.unsigned_abs(), TICKS_PER_SECOND.unsigned_abs());
    let days = match ticks / day {
        0 => String::new(),
        days => format!("{days}."),
    };
    let seconds = ticks % day / second;
    let fraction = match ticks % second {
        0 => String::new(),
        fraction => format!(".{fraction:07}"),
    };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::{civil, days_from_civil, invariant, json, recognise, time_span};
    use crate::json::scalar::DateKind;

    #[test]
    fn iso_strings_with_a_time_are_dates_and_lose_trailing_zeros() {
        let cases = [
            ("2024-02-03T04:05:06Z", Some("2024-02-03T04:05:06Z")),
            ("2024-02-03T04:05:06.000Z", Some("2024-02-03T04:05:06Z")),
            ("2024-02-03T04:05:06.120Z", Some("2024-02-03T04:05:06.12Z")),
            ("2024-02-03T04:05:06+02:00", Some("2024-02-03T02:05:06+00:00")),
            ("2024-02-03T04:05:06", Some("2024-02-03T04:05:06")),
            ("2024-02-03T24:00:00", Some("2024-02-04T00:00:00")),
            ("2024-02-29T00:00:00-0130", Some("2024-02-29T01:30:00+00:00")),
            ("/Date(1706940306000)/", Some("2024-02-03T06:05:06Z")),
            ("2024-02-03", None),
            ("2024-02-03T04:05", None),
            ("2023-02-29T04:05:06Z", None),
            ("2024-02-03T04:05:06.12345678Z", None),
            ("2024-02-03T04:05:06X", None),
            ("2024-02-03T04:05:06.", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(recognise(text).map(json).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn days_and_civil_dates_are_inverse() {
        for days in (0..3_652_059).step_by(137) {
            let (year, month, day) = civil(days * super::TICKS_PER_DAY);
            assert_eq!(days_from_civil(year, month, day), Some(days));
        }
        assert_eq!(days_from_civil(2023, 2, 29), None);
    }

    #[test]
    fn invariant_text_has_month_first() {
        let date = recognise("2024-02-03T04:05:06Z").unwrap();

        assert_eq!(invariant(date), "02/03/2024 04:05:06");
        assert_eq!(date.kind, DateKind::Utc);
    }

    #[test]
    fn looser_texts_are_parsed_on_request_only() {
        let parse = |text| super::parse_text(text).map(json);

        assert_eq!(parse("2024-02-03").as_deref(), Some("2024-02-03T00:00:00"));
        assert_eq!(parse("02/03/2024 04:05:06").as_deref(), Some("2024-02-03T04:05:06"));
        assert_eq!(parse("2024-02-03T04:05").as_deref(), Some("2024-02-03T04:05:00"));
        assert_eq!(parse("007"), None);
        assert_eq!(parse(""), None);
        assert_eq!(super::parse_time_span("1.12:00:00"), Some(36 * 36_000_000_000));
        assert_eq!(super::parse_time_span("25:00"), None);
    }

    #[test]
    fn time_spans_show_days_and_fractions_when_there_are_any() {
        assert_eq!(time_span(36 * 36_000_000_000), "1.12:00:00");
        assert_eq!(time_span(-1), "-00:00:00.0000001");
        assert_eq!(time_span(i64::MIN), "-10675199.02:48:05.4775808");
    }
}
