//! Writing times: standard (`o`, `R`, `s` ...) and custom (`yyyy-MM-dd`) format strings.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/custom-date-and-time-format-strings>

use super::{DAY, DAYS, HOUR, MINUTE, MONTHS, SECOND, Zone, date, day_of_week};
use crate::text::Failure;

const ROUND_TRIP: &str = "yyyy'-'MM'-'dd'T'HH':'mm':'ss.fffffffK";
const RFC1123: &str = "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'";
const UNIVERSAL: &str = "yyyy'-'MM'-'dd HH':'mm':'ss'Z'";

/// Formats a `DateTime`; an empty format means `G`.
///
/// # Errors
///
/// [`Failure::Format`] for a format string that means nothing.
pub fn format_date_time(ticks: i64, zone: Zone, format: &str) -> Result<String, Failure> {
    let format = if format.is_empty() { "G" } else { format };
    match single(format) {
        None => custom(ticks, zone, format),
        Some(letter) => custom(ticks, zone, pattern(letter)?),
    }
}

/// Formats a `DateTimeOffset`, given by its clock's ticks and its minutes east of UTC.
///
/// # Errors
///
/// [`Failure::Format`] for a format string that means nothing.
pub fn format_date_time_offset(ticks: i64, minutes: i32, format: &str) -> Result<String, Failure> {
    let zone = Zone::Offset(minutes);
    let universal = ticks - i64::from(minutes) * MINUTE;
    if format.is_empty() {
        return custom(ticks, zone, "MM/dd/yyyy HH:mm:ss zzz");
    }
    match single(format) {
        None => custom(ticks, zone, format),
        Some('U') => Err(invalid()),
        Some('r' | 'R') => custom(universal, zone, RFC1123),
        Some('u') => custom(universal, zone, UNIVERSAL),
        Some(letter) => custom(ticks, zone, pattern(letter)?),
    }
}

/// The custom pattern of a standard format letter.
pub(super) fn pattern(letter: char) -> Result<&'static str, Failure> {
    Ok(match letter {
        'd' => "MM/dd/yyyy",
        'D' => "dddd, dd MMMM yyyy",
        'f' => "dddd, dd MMMM yyyy HH:mm",
        'F' | 'U' => "dddd, dd MMMM yyyy HH:mm:ss",
        'g' => "MM/dd/yyyy HH:mm",
        'G' => "MM/dd/yyyy HH:mm:ss",
        'm' | 'M' => "MMMM dd",
        'o' | 'O' => ROUND_TRIP,
        'r' | 'R' => RFC1123,
        's' => "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
        't' => "HH:mm",
        'T' => "HH:mm:ss",
        'u' => UNIVERSAL,
        'y' | 'Y' => "yyyy MMMM",
        _ => return Err(invalid()),
    })
}

/// The only character of a format.
pub(super) fn single(format: &str) -> Option<char> {
    let mut chars = format.chars();
    chars.next().filter(|_| chars.next().is_none())
}

fn invalid() -> Failure {
    Failure::Format("Input string was not in a correct format.".to_owned())
}

fn custom(ticks: i64, zone: Zone, format: &str) -> Result<String, Failure> {
    let format: Vec<char> = format.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&letter) = format.get(at) {
        match letter {
            '\'' | '"' => {
                let (text, length) = quoted(&format, at)?;
                out.push_str(&text);
                at += length;
            }
            '\\' => {
                out.push(*format.get(at + 1).ok_or_else(invalid)?);
                at += 2;
            }
            '%' => {
                let next = *format.get(at + 1).filter(|it| **it != '%').ok_or_else(invalid)?;
                let mut buffer = [0; 4];
                out.push_str(&custom(ticks, zone, next.encode_utf8(&mut buffer))?);
                at += 2;
            }
            _ => {
                let rest = format.get(at..).unwrap_or_default();
                let count = rest.iter().take_while(|it| **it == letter).count();
                at += field(&mut out, ticks, zone, letter, count)?;
            }
        }
    }
    Ok(out)
}

/// The text of a quoted part and how many characters it takes with its quotes.
pub(super) fn quoted(format: &[char], start: usize) -> Result<(String, usize), Failure> {
    let quote = format.get(start).copied();
    let mut text = String::new();
    let mut at = start + 1;
    loop {
        let ch = format.get(at).copied();
        at += 1;
        match ch {
            None => return Err(invalid()),
            Some('\\') => {
                text.push(*format.get(at).ok_or_else(invalid)?);
                at += 1;
            }
            Some(_) if ch == quote => return Ok((text, at - start)),
            Some(other) => text.push(other),
        }
    }
}

/// Writes one field of `count` equal letters; gives how many of them it took.
fn field(
    out: &mut String,
    ticks: i64,
    zone: Zone,
    letter: char,
    count: usize,
) -> Result<usize, Failure> {
    let two = |out: &mut String, value: i64| {
        let width = count.min(2);
        out.push_str(&format!("{value:0width$}"));
    };
    let of_day = ticks.rem_euclid(DAY);
    let hour = of_day / HOUR;
    match letter {
        'h' => two(out, if hour % 12 == 0 { 12 } else { hour % 12 }),
        'H' => two(out, hour),
        'm' => two(out, of_day / MINUTE % 60),
        's' => two(out, of_day / SECOND % 60),
        'f' | 'F' => fraction(out, of_day % SECOND, letter, count)?,
        't' => out.push_str(match (hour < 12, count) {
            (true, 1) => "A",
            (true, _) => "AM",
            (false, 1) => "P",
            (false, _) => "PM",
        }),
        'd' if count <= 2 => two(out, i64::from(date(ticks).day)),
        'd' => out.push_str(name(&DAYS, day_of_week(ticks), count)),
        'M' if count <= 2 => two(out, i64::from(date(ticks).month)),
        'M' => out.push_str(name(&MONTHS, date(ticks).month - 1, count)),
        'y' if count <= 2 => two(out, i64::from(date(ticks).year % 100)),
        'y' => out.push_str(&format!("{:0count$}", date(ticks).year)),
        'g' => out.push_str("A.D."),
        'z' => push_offset(out, offset(zone), count),
        'K' => {
            match zone {
                Zone::Unspecified => {}
                Zone::Utc => out.push('Z'),
                Zone::Local | Zone::Offset(_) => push_offset(out, offset(zone), 3),
            }
            return Ok(1);
        }
        other => {
            out.push(other);
            return Ok(1);
        }
    }
    Ok(count)
}

fn offset(zone: Zone) -> i32 {
    if let Zone::Offset(minutes) = zone { minutes } else { 0 }
}

fn push_offset(out: &mut String, minutes: i32, count: usize) {
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    out.push_str(&match count {
        1 => format!("{sign}{hours}"),
        2 => format!("{sign}{hours:02}"),
        _ => format!("{sign}{hours:02}:{rest:02}"),
    });
}

/// Writes the first digits of a second's fraction; `F` drops trailing zeros and a dot before them.
fn fraction(out: &mut String, ticks: i64, letter: char, count: usize) -> Result<(), Failure> {
    if count > 7 {
        return Err(invalid());
    }
    let all = format!("{ticks:07}");
    let digits = all.get(..count).unwrap_or_default();
    if letter == 'f' {
        out.push_str(digits);
        return Ok(());
    }
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() && out.ends_with('.') {
        out.pop();
    }
    out.push_str(digits);
    Ok(())
}

fn name<'a>(names: &[&'a str], index: i32, count: usize) -> &'a str {
    let name =
        usize::try_from(index).ok().and_then(|it| names.get(it)).copied().unwrap_or_default();
    if count == 3 { name.get(..3).unwrap_or(name) } else { name }
}

#[cfg(test)]
mod tests {
    use super::{format_date_time, format_date_time_offset};
    use crate::text::time::{Zone, from_date, from_time};

    fn at(date: (i32, i32, i32), time: (i32, i32, i32), milliseconds: i64) -> i64 {
        from_date(date.0, date.1, date.2).unwrap()
            + from_time(time.0, time.1, time.2).unwrap()
            + milliseconds * 10_000
    }

    #[test]
    fn times_format_as_dotnet_does() {
        let time = at((2024, 2, 3), (14, 5, 6), 7);
        for (format, expected) in [
            ("", "02/03/2024 14:05:06"),
            ("o", "2024-02-03T14:05:06.0070000"),
            ("s", "2024-02-03T14:05:06"),
            ("R", "Sat, 03 Feb 2024 14:05:06 GMT"),
            ("D", "Saturday, 03 February 2024"),
            ("m", "February 03"),
            ("y", "2024 February"),
            ("u", "2024-02-03 14:05:06Z"),
            ("yyyy-MM-ddTHH:mm:ssZ", "2024-02-03T14:05:06Z"),
            ("d/M/yy h:mm tt", "3/2/24 2:05 PM"),
            ("dddd d MMMM", "Saturday 3 February"),
            ("HH'h'mm", "14h05"),
            ("%d", "3"),
            ("yyyyy", "02024"),
            ("ss.FFF", "06.007"),
            ("ss.FF|", "06|"),
            ("yyyy\\-MM", "2024-02"),
            ("%z", "+0"),
            ("hh:mm t", "02:05 P"),
            ("yyyy-MM-ddTHH:mm:ssK", "2024-02-03T14:05:06"),
        ] {
            let text = format_date_time(time, Zone::Unspecified, format);
            assert_eq!(text.as_deref(), Ok(expected), "{format}");
        }
        for format in ["K", "ffffffff", "'open", "x", "%", "%%", "yyyy\\"] {
            assert!(format_date_time(time, Zone::Utc, format).is_err(), "{format}");
        }
        assert_eq!(format_date_time(time, Zone::Utc, "zzz").as_deref(), Ok("+00:00"));
        let text = format_date_time(time, Zone::Utc, "o");
        assert_eq!(text.as_deref(), Ok("2024-02-03T14:05:06.0070000Z"));
    }

    #[test]
    fn offsets_are_shown_or_taken_off() {
        let time = at((2024, 2, 3), (4, 5, 6), 0);
        for (format, expected) in [
            ("", "02/03/2024 04:05:06 +02:00"),
            ("o", "2024-02-03T04:05:06.0000000+02:00"),
            ("r", "Sat, 03 Feb 2024 02:05:06 GMT"),
            ("u", "2024-02-03 02:05:06Z"),
        ] {
            assert_eq!(format_date_time_offset(time, 120, format).as_deref(), Ok(expected));
        }
        assert!(format_date_time_offset(time, 120, "K").is_err());
        assert!(format_date_time_offset(time, 120, "U").is_err());
    }
}
