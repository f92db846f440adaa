//! `System.TimeSpan`: formats `c`, `g`, `G` and custom ones, parsing, and spans from fractions.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/standard-timespan-format-strings>

use super::{DAY, HOUR, MILLISECOND, MINUTE, SECOND};
use crate::text::{Failure, Runtime};

/// Formats a span; an empty format means `c`.
///
/// # Errors
///
/// [`Failure::Format`] for a format string that means nothing.
pub fn format(ticks: i64, format: &str) -> Result<String, Failure> {
    let size = ticks.unsigned_abs();
    let sign = if ticks < 0 { "-" } else { "" };
    let unit = |unit: i64| size / unit.unsigned_abs();
    let (days, hours) = (unit(DAY), unit(HOUR) % 24);
    let (minutes, seconds) = (unit(MINUTE) % 60, unit(SECOND) % 60);
    let fraction = format!("{:07}", size % SECOND.unsigned_abs());
    Ok(match format {
        "" | "c" | "t" | "T" => {
            let days = if days > 0 { format!("{days}.") } else { String::new() };
            let fraction =
                if fraction == "0000000" { String::new() } else { format!(".{fraction}") };
            format!("{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
        }
        "g" => {
            let days = if days > 0 { format!("{days}:") } else { String::new() };
            let fraction = format!(".{}", fraction.trim_end_matches('0'));
            let fraction = fraction.trim_end_matches('.');
            format!("{sign}{days}{hours}:{minutes:02}:{seconds:02}{fraction}")
        }
        "G" => format!("{sign}{days}:{hours:02}:{minutes:02}:{seconds:02}.{fraction}"),
        _ if format.chars().count() == 1 => return Err(Failure::input_format()),
        _ => custom([days, hours, minutes, seconds], &fraction, format)?,
    })
}

fn custom(parts: [u64; 4], fraction: &str, format: &str) -> Result<String, Failure> {
    let [days, hours, minutes, seconds] = parts;
    let format: Vec<char> = format.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&letter) = format.get(at) {
        let rest = format.get(at..).unwrap_or_default();
        let count = rest.iter().take_while(|it| **it == letter).count();
        let (value, most) = match letter {
            'd' => (days, 8),
            'h' => (hours, 2),
            'm' => (minutes, 2),
            's' => (seconds, 2),
            'f' | 'F' if count <= 7 => {
                let digits = fraction.get(..count).unwrap_or_default();
                let zeros: &[char] = if letter == 'F' { &['0'] } else { &[] };
                out.push_str(digits.trim_end_matches(zeros));
                at += count;
                continue;
            }
            '\'' | '"' => {
                let (text, length) = super::format::quoted(&format, at)?;
                out.push_str(&text);
                at += length;
                continue;
            }
            '\\' => {
                out.push(*format.get(at + 1).ok_or_else(Failure::input_format)?);
                at += 2;
                continue;
            }
            '%' if format.get(at + 1).is_some_and(|it| *it != '%') => {
                at += 1;
                continue;
            }
            _ => return Err(Failure::input_format()),
        };
        if count > most {
            return Err(Failure::input_format());
        }
        out.push_str(&format!("{value:0count$}"));
        at += count;
    }
    Ok(out)
}

/// Reads `d`, `hh:mm`, `[d.]hh:mm:ss[.fffffff]` and the forms that `g` and `G` write.
///
/// # Errors
///
/// [`Failure::Format`] for another form, [`Failure::Overflow`] for parts out of range.
pub fn parse(text: &str) -> Result<i64, Failure> {
    let all = ["", ":", "::", ".:", "::.", ".::", ":::", ".::.", ":::."];
    read(text, &all, true)
}

/// Reads one of the forms, given by what stands between the numbers; three numbers with colons
/// are days, hours and minutes if `days` allows and they are no hours, minutes and seconds.
fn read(text: &str, allowed: &[&str], days: bool) -> Result<i64, Failure> {
    let text = text.trim_matches(|ch: char| ch.is_whitespace() || ch == '\0');
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text),
    };
    if days && has_huge_number(body) {
        return Err(out_of_range());
    }
    let (numbers, separators) = tokens(body).ok_or_else(Failure::input_format)?;
    if !allowed.contains(&separators.as_str()) {
        return Err(Failure::input_format());
    }
    let number = |index: usize| numbers.get(index).copied().unwrap_or("0");
    let forms: &[([Option<usize>; 4], Option<usize>)] = match separators.as_str() {
        "" => &[([Some(0), None, None, None], None)],
        ":" => &[([None, Some(0), Some(1), None], None)],
        "::" if !days => &[([None, Some(0), Some(1), Some(2)], None)],
        "::" => {
            &[([None, Some(0), Some(1), Some(2)], None), ([Some(0), Some(1), Some(2), None], None)]
        }
        ".:" => &[([Some(0), Some(1), Some(2), None], None)],
        "::." => &[([None, Some(0), Some(1), Some(2)], Some(3))],
        ".::" | ":::" => &[([Some(0), Some(1), Some(2), Some(3)], None)],
        ".::." | ":::." => &[([Some(0), Some(1), Some(2), Some(3)], Some(4))],
        _ => return Err(Failure::input_format()),
    };
    let part = |index: Option<usize>, most: i64| -> Option<i64> {
        let Some(index) = index else { return Some(0) };
        number(index).parse().ok().filter(|it| *it <= most)
    };
    for ([days, hours, minutes, seconds], fraction) in forms {
        let parts = (
            part(*days, 10_675_199),
            part(*hours, 23),
            part(*minutes, 59),
            part(*seconds, 59),
            fraction.map_or(Some(0), |index| fraction_ticks(number(index))),
        );
        if let (Some(days), Some(hours), Some(minutes), Some(seconds), Some(fraction)) = parts {
            let size = i128::from(days) * i128::from(DAY)
                + i128::from(hours * HOUR + minutes * MINUTE + seconds * SECOND + fraction);
            return i64::try_from(if negative { -size } else { size }).map_err(|_| out_of_range());
        }
    }
    Err(out_of_range())
}

/// Reads a span that must match a format: `c`, `g`, `G` or a custom one.
///
/// # Errors
///
/// [`Failure::Format`] for another text, [`Failure::Overflow`] for parts out of range.
pub fn parse_exact(text: &str, format: &str) -> Result<i64, Failure> {
    match format {
        "c" | "t" | "T" => read(text, &["", ":", "::", ".:", "::.", ".::", ".::."], false),
        "g" => read(text, &["", ":", "::", ":::", "::.", ":::."], true),
        "G" => read(text, &[":::."], true),
        _ if format.chars().count() < 2 => Err(Failure::bad_format()),
        _ => custom_exact(text, format),
    }
}

fn custom_exact(text: &str, format: &str) -> Result<i64, Failure> {
    let format: Vec<char> = format.chars().collect();
    let (mut rest, mut ticks, mut at) = (text, Some(0_i64), 0);
    let wrong = Failure::input_format;
    while let Some(&letter) = format.get(at) {
        let following = format.get(at..).unwrap_or_default();
        let count = following.iter().take_while(|it| **it == letter).count();
        let literal = match letter {
            'd' | 'h' | 'm' | 's' | 'f' | 'F' => {
                let field = take_field(&mut rest, letter, count)?;
                ticks = ticks.zip(field).map(|(ticks, field)| ticks + field);
                at += count;
                continue;
            }
            '%' => {
                at += 1;
                continue;
            }
            '\\' => {
                at += 2;
                format.get(at - 1).ok_or_else(wrong)?.to_string()
            }
            '\'' | '"' => {
                let (text, length) = super::format::quoted(&format, at)?;
                at += length;
                text
            }
            _ => return Err(wrong()),
        };
        rest = rest.strip_prefix(literal.as_str()).ok_or_else(wrong)?;
    }
    if !rest.is_empty() {
        return Err(wrong());
    }
    ticks.ok_or_else(out_of_range)
}

/// Takes a number for one field off a text; gives its ticks, nothing if it is too large.
fn take_field(rest: &mut &str, letter: char, count: usize) -> Result<Option<i64>, Failure> {
    let (unit, most, limit) = match letter {
        'd' => (DAY, 8, 10_675_199),
        'h' => (HOUR, 2, 23),
        'm' => (MINUTE, 2, 59),
        's' => (SECOND, 2, 59),
        _ => (1, count, i64::MAX),
    };
    let fraction = matches!(letter, 'f' | 'F');
    if count > if fraction { 7 } else { most } {
        return Err(Failure::input_format());
    }
    let found = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let least = if letter == 'F' { 0 } else { count };
    let (digits, tail) = rest.split_at_checked(found).ok_or_else(Failure::input_format)?;
    *rest = tail;
    if found < least {
        return Err(Failure::input_format());
    }
    let padded = if fraction { format!("{digits:0<7}") } else { digits.to_owned() };
    let value: i64 = padded.parse().map_err(|_| Failure::input_format())?;
    Ok((value <= limit).then_some(value * unit))
}

fn out_of_range() -> Failure {
    let text = "The TimeSpan string could not be parsed because at least one of the numeric \
                components is out of range or contains too many digits.";
    Failure::Overflow(text.to_owned())
}

/// Whether a number of more than 28 bits stands among the numbers that are looked at.
///
/// .NET judges it before the form of the text: `2147483647a` is out of range, not a bad form. At
/// the sixth number that is not too large it gives up.
fn has_huge_number(text: &str) -> bool {
    let numbers = text.split(|ch: char| !ch.is_ascii_digit()).filter(|it| !it.is_empty());
    let huge = |digits: &str| {
        let digits = digits.trim_start_matches('0');
        digits.len() > 9 || digits.parse::<u32>().is_ok_and(|it| it >= 1 << 28)
    };
    let mut first = numbers.take(6).enumerate();
    first.find(|(index, digits)| *index == 5 || huge(digits)).is_some_and(|(_, it)| huge(it))
}

/// The numbers of a text and what stands between them.
fn tokens(text: &str) -> Option<(Vec<&str>, String)> {
    let mut numbers = Vec::new();
    let mut separators = String::new();
    let mut rest = text;
    loop {
        let end = rest.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, tail) = rest.split_at_checked(end)?;
        if digits.is_empty() || numbers.len() == 5 {
            return None;
        }
        numbers.push(digits);
        let mut chars = tail.chars();
        match chars.next() {
            None => return Some((numbers, separators)),
            Some(separator @ (':' | '.')) => separators.push(separator),
            Some(_) => return None,
        }
        rest = chars.as_str();
    }
}

/// The ticks of the digits after a point; more than seven are rounded if the first is a zero.
fn fraction_ticks(digits: &str) -> Option<i64> {
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    let value: i64 = digits.parse().ok()?;
    if value == 0 {
        return Some(0);
    }
    let extra = i32::try_from(digits.len()).ok()? - 7;
    if extra <= 0 {
        return Some(value * 10_i64.pow(extra.unsigned_abs()));
    }
    (zeros > 0).then(|| (value as f64 / 10_f64.powi(extra)).round() as i64)
}

/// `TimeSpan.FromSeconds` and the like; `unit` is the unit in ticks.
///
/// Modern .NET cuts at the tick, .NET Framework rounds to the millisecond.
///
/// # Errors
///
/// [`Failure::Argument`] for NaN, [`Failure::Overflow`] for what does not fit.
pub fn from_units(value: f64, unit: i64, runtime: Runtime) -> Result<i64, Failure> {
    if value.is_nan() {
        let text = "TimeSpan does not accept floating point Not-a-Number values.";
        return Err(Failure::Argument(text.to_owned(), ""));
    }
    let too_long = || {
        let text = "TimeSpan overflowed because the duration is too long.";
        Failure::Overflow(text.to_owned())
    };
    match runtime {
        Runtime::Modern => {
            let ticks = value * unit as f64;
            // `i64::MAX as f64` is one more than `i64::MAX`, and .NET takes it for that.
            if ticks > i64::MAX as f64 || ticks < i64::MIN as f64 {
                return Err(too_long());
            }
            Ok(ticks as i64)
        }
        Runtime::Framework => {
            let half = if value >= 0.0 { 0.5 } else { -0.5 };
            let milliseconds = value * (unit as f64 / MILLISECOND as f64) + half;
            let limit = (i64::MAX / MILLISECOND) as f64;
            if milliseconds > limit || milliseconds < -limit {
                return Err(too_long());
            }
            Ok(milliseconds as i64 * MILLISECOND)
        }
    }
}

/// Multiplies or divides a span by a factor, rounding to the nearest tick, ties to even.
///
/// # Errors
///
/// As [`from_units`].
pub fn scaled(ticks: f64) -> Result<i64, Failure> {
    if ticks.is_nan() {
        let text = "TimeSpan overflowed because the duration is too long.";
        return Err(Failure::Overflow(text.to_owned()));
    }
    from_units(ticks.round_ties_even(), 1, Runtime::Modern)
}

#[cfg(test)]
mod tests {
    use super::{format, from_units, parse};
    use crate::text::Failure;
    use crate::text::Runtime::{Framework, Modern};
    use crate::text::time::{DAY, HOUR, MINUTE, SECOND};

    const SPAN: i64 = DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 50_000;

    #[test]
    fn spans_format_as_dotnet_does() {
        for (ticks, pattern, expected) in [
            (SPAN, "c", "1.02:03:04.0050000"),
            (SPAN, "g", "1:2:03:04.005"),
            (SPAN, "d\\.hh\\:mm", "1.02:03"),
            (SPAN, "ss\\.fff", "04.005"),
            (SPAN, "%h", "2"),
            (SPAN, "d'd 'h", "1d 2"),
            (-15_000_000, "G", "-0:00:00:01.5000000"),
            (-15_000_000, "hh\\:mm\\:ss", "00:00:01"),
            (0, "g", "0:00:00"),
            (0, "", "00:00:00"),
            (i64::MIN, "", "-10675199.02:48:05.4775808"),
        ] {
            assert_eq!(format(ticks, pattern).as_deref(), Ok(expected), "{pattern}");
        }
        for pattern in ["hh:mm", "h", "ddddddddd", "hhh", "'a", "\\"] {
            assert!(format(SPAN, pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn spans_read_as_dotnet_reads_them() {
        for (text, expected) in [
            ("01:02:03", Some(HOUR + 2 * MINUTE + 3 * SECOND)),
            ("5", Some(5 * DAY)),
            ("-00:30", Some(-30 * MINUTE)),
            ("25:00:00", Some(25 * DAY)),
            (" 1.02:03:04.005 ", Some(SPAN)),
            ("1:02:03:04.005", Some(SPAN)),
            ("1.02:03", Some(DAY + 2 * HOUR + 3 * MINUTE)),
            ("00:00:00.5", Some(5_000_000)),
            ("", None),
            ("1:", None),
            ("abc", None),
            ("1,5", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
        assert!(matches!(parse("24:00"), Err(Failure::Overflow(_))));
        assert!(matches!(parse("10675200"), Err(Failure::Overflow(_))));
    }

    #[test]
    fn formats_may_be_required() {
        for (text, format, expected) in [
            ("01:02:03", "c", Some(HOUR + 2 * MINUTE + 3 * SECOND)),
            ("1.02:03", "d\\.hh\\:mm", Some(DAY + 2 * HOUR + 3 * MINUTE)),
            ("5h", "h'h'", Some(5 * HOUR)),
            ("05.5", "ss\\.f", Some(5 * SECOND + 5_000_000)),
            ("5", "%d", Some(5 * DAY)),
            ("1:02:03", "hh\\:mm", None),
            ("24", "%h", None),
            ("1:2", "c", Some(HOUR + 2 * MINUTE)),
            ("25:00:00", "c", None),
            ("25:00:00", "g", Some(25 * DAY)),
            ("01:02:03", "G", None),
            ("0:01:02:03.5", "G", Some(HOUR + 2 * MINUTE + 3 * SECOND + 5_000_000)),
            ("5", "d", None),
        ] {
            assert_eq!(super::parse_exact(text, format).ok(), expected, "{text} {format}");
        }
    }

    #[test]
    fn fractions_of_units_depend_on_the_runtime() {
        assert_eq!(from_units(0.0015, SECOND, Modern), Ok(15_000));
        assert_eq!(from_units(0.0015, SECOND, Framework), Ok(20_000));
        assert!(from_units(f64::NAN, DAY, Modern).is_err());
        assert!(from_units(1e300, DAY, Modern).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(ticks: i64) {
            proptest::prop_assert_eq!(parse(&format(ticks, "c").unwrap()), Ok(ticks));
            proptest::prop_assert_eq!(parse(&format(ticks, "G").unwrap()), Ok(ticks));
        }
    }
}
