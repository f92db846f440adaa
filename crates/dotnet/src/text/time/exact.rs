//! Reading times that must match a format: `ParseExact` and `TryParseExact`.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.datetime.parseexact>

use super::format::{pattern, quoted, single};
use super::{DAYS, MONTHS, Parsed, Styles, date, day_of_week, from_date, from_time};
use crate::text::Failure;

/// Reads a time by a standard or custom format; `today` stands in for missing parts of the date.
///
/// # Errors
///
/// [`Failure::Format`] if the text does not match or the format means nothing.
pub fn parse_exact(
    text: &str,
    format: &str,
    styles: Styles,
    today: i64,
) -> Result<Parsed, Failure> {
    let pattern = match single(format) {
        Some(letter) => pattern(letter)?,
        None if format.is_empty() => return Err(Failure::bad_format()),
        None => format,
    };
    let trimmed = |mut text: &'_ str| -> String {
        if styles.has(Styles::LEADING_WHITE) {
            text = text.trim_start();
        }
        if styles.has(Styles::TRAILING_WHITE) {
            text = text.trim_end();
        }
        text.to_owned()
    };
    let (body, pattern) = (trimmed(text), trimmed(pattern));
    let inner = styles.has(Styles::INNER_WHITE);
    let mut reader = Reader { rest: &body, inner, ..Reader::default() };
    let found = reader.read(&pattern.chars().collect::<Vec<_>>())?;
    let universal_format = matches!(single(format), Some('r' | 'R' | 'u'));
    let parsed = found.then(|| reader.finish(today)).flatten();
    parsed.map(|it| Parsed { universal_format, ..it }).ok_or_else(|| {
        Failure::Format(format!("String '{text}' was not recognized as a valid DateTime."))
    })
}

#[derive(Default)]
struct Reader<'a> {
    rest: &'a str,
    /// Is white space allowed anywhere?
    inner: bool,
    year: Option<i32>,
    month: Option<i32>,
    day: Option<i32>,
    weekday: Option<i32>,
    hour: Option<i32>,
    hour12: bool,
    minute: i32,
    second: i32,
    fraction: i64,
    afternoon: Option<bool>,
    offset: Option<i32>,
    zulu: bool,
}

impl Reader<'_> {
    /// Whether the whole text matches the whole format.
    fn read(&mut self, format: &[char]) -> Result<bool, Failure> {
        let mut at = 0;
        while let Some(&letter) = format.get(at) {
            let rest = format.get(at..).unwrap_or_default();
            let count = rest.iter().take_while(|it| **it == letter).count();
            if self.inner {
                self.rest = self.rest.trim_start();
                if letter.is_whitespace() {
                    at += 1;
                    continue;
                }
            }
            let (matched, length) = match letter {
                // A dot before digits that may be missing may be missing, too.
                '.' if format.get(at + 1) == Some(&'F') && !self.rest.starts_with('.') => {
                    (true, 1 + format.iter().skip(at + 1).take_while(|it| **it == 'F').count())
                }
                '\'' | '"' => {
                    let (text, length) = quoted(format, at)?;
                    (self.literal(&text), length)
                }
                '\\' => {
                    let next = *format.get(at + 1).ok_or_else(Failure::bad_format)?;
                    (self.literal(next.encode_utf8(&mut [0; 4])), 2)
                }
                '%' => {
                    let wrong = matches!(format.get(at + 1), None | Some('%'));
                    if wrong {
                        return Err(Failure::bad_format());
                    }
                    (true, 1)
                }
                'd' | 'M' | 'y' | 'h' | 'H' | 'm' | 's' | 'f' | 'F' | 't' | 'z' | 'g' => {
                    (self.field(letter, count)?.is_some(), count)
                }
                'K' => (self.kind().is_some(), 1),
                'Z' => (self.zulu().is_some(), 1),
                other => (self.literal(other.encode_utf8(&mut [0; 4])), 1),
            };
            if !matched {
                return Ok(false);
            }
            at += length;
        }
        Ok(self.rest.is_empty())
    }

    fn literal(&mut self, text: &str) -> bool {
        let found = self.rest.strip_prefix(text);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// A number of `least` to `most` digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<&str> {
        let found = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(found)?;
        self.rest = rest;
        (found >= least).then_some(digits)
    }

    fn number(&mut self, count: usize) -> Option<i32> {
        let least = count.min(2);
        self.digits(least, 2)?.parse().ok()
    }

    fn name(&mut self, names: &[&str], count: usize) -> Option<i32> {
        let full =
            if count > 3 { names.iter().map(|name| name.len()).max().unwrap_or(0) } else { 3 };
        let end = self.rest.bytes().take(full).take_while(u8::is_ascii_alphabetic).count();
        let word = self.rest.get(..end)?;
        let found = names.iter().position(|name| {
            let name = if count == 3 { name.get(..3).unwrap_or(name) } else { name };
            name.eq_ignore_ascii_case(word)
        })?;
        self.rest = self.rest.get(end..)?;
        i32::try_from(found).ok()
    }

    fn field(&mut self, letter: char, count: usize) -> Result<Option<()>, Failure> {
        if matches!(letter, 'f' | 'F') && count > 7 {
            return Err(Failure::bad_format());
        }
        Ok(match letter {
            'd' if count <= 2 => self.number(count).map(|it| self.day = Some(it)),
            'd' => self.name(&DAYS, count).map(|it| self.weekday = Some(it)),
            'M' if count <= 2 => self.number(count).map(|it| self.month = Some(it)),
            'M' => self.name(&MONTHS, count).map(|it| self.month = Some(it + 1)),
            'y' => self.year(count),
            'h' | 'H' => self.number(count).map(|it| {
                self.hour12 = letter == 'h';
                self.hour = Some(it);
            }),
            'm' => self.number(count).map(|it| self.minute = it),
            's' => self.number(count).map(|it| self.second = it),
            'f' | 'F' => self.fraction(letter, count),
            't' => self.half(count),
            'z' => self.offset(count),
            _ => self.literal("A.D.").then_some(()),
        })
    }

    fn year(&mut self, count: usize) -> Option<()> {
        let value: i32 = if count <= 2 {
            let value = self.number(count)?;
            value + if value <= 29 { 2000 } else { 1900 }
        } else {
            let most = count.max(4);
            self.digits(count, most)?.parse().ok()?
        };
        self.year = Some(value);
        Some(())
    }

    fn fraction(&mut self, letter: char, count: usize) -> Option<()> {
        let least = if letter == 'f' { count } else { 0 };
        let digits = format!("{:0<7}", self.digits(least, count)?);
        self.fraction = digits.parse().ok()?;
        Some(())
    }

    fn half(&mut self, count: usize) -> Option<()> {
        let (am, pm) = if count == 1 { ("A", "P") } else { ("AM", "PM") };
        let word = self.rest.get(..am.len())?;
        let afternoon = if word.eq_ignore_ascii_case(am) {
            false
        } else if word.eq_ignore_ascii_case(pm) {
            true
        } else {
            return None;
        };
        self.afternoon = Some(afternoon);
        self.rest = self.rest.get(am.len()..)?;
        Some(())
    }

    fn offset(&mut self, count: usize) -> Option<()> {
        let negative = self.rest.starts_with('-');
        if !(self.literal("-") || self.literal("+")) {
            return None;
        }
        let hours: i32 = self.digits(count.min(2), 2)?.parse().ok()?;
        let mut minutes = 0;
        if count >= 3 {
            self.literal(":");
            minutes = self.digits(2, 2)?.parse().ok()?;
        }
        if hours > 14 || minutes > 59 {
            return None;
        }
        let minutes = hours * 60 + minutes;
        self.offset = Some(if negative { -minutes } else { minutes });
        Some(())
    }

    /// A `Z` in a format stands for itself, but also says that the time is UTC.
    fn zulu(&mut self) -> Option<()> {
        if !(self.literal("Z") || self.literal("z") || self.literal("GMT")) {
            return None;
        }
        (self.offset, self.zulu) = (Some(0), true);
        Some(())
    }

    fn kind(&mut self) -> Option<()> {
        if self.literal("Z") {
            (self.offset, self.zulu) = (Some(0), true);
            return Some(());
        }
        if self.rest.starts_with(['+', '-']) { self.offset(3) } else { Some(()) }
    }

    fn finish(&self, today: i64) -> Option<Parsed> {
        let this = date(today);
        let any = self.year.is_some() || self.month.is_some() || self.day.is_some();
        let (year, month, day) = if any {
            let year = self.year.unwrap_or(this.year);
            (year, self.month.unwrap_or(1), self.day.unwrap_or(1))
        } else {
            (this.year, this.month, this.day)
        };
        let midnight = from_date(year, month, day)?;
        if self.weekday.is_some_and(|it| it != day_of_week(midnight)) {
            return None;
        }
        let hour = self.hour.unwrap_or(0);
        let hour = match self.afternoon {
            _ if self.hour12 && !(0..=12).contains(&hour) => return None,
            Some(afternoon) if hour <= 12 => hour % 12 + if afternoon { 12 } else { 0 },
            Some(false) => return None,
            None if self.hour12 && hour == 12 => 0,
            _ => hour,
        };
        let time = from_time(hour, self.minute, self.second)?;
        let ticks = midnight + time + self.fraction;
        Some(Parsed { ticks, offset: self.offset, zulu: self.zulu, universal_format: false })
    }
}

#[cfg(test)]
mod tests {
    use super::{Styles, parse_exact};
    use crate::text::time::{Zone, format_date_time};

    fn read(text: &str, format: &str) -> Option<String> {
        let parsed = parse_exact(text, format, Styles::default(), 0).ok()?;
        let (ticks, _) = parsed.date_time(Styles(0x50)).ok()?;
        Some(format_date_time(ticks, Zone::Utc, "yyyy-MM-dd HH:mm:ss.FFFFFFF").unwrap())
    }

    #[test]
    fn texts_that_match_are_read() {
        for (text, format, expected) in [
            ("20240203", "yyyyMMdd", "2024-02-03 00:00:00"),
            ("2024-02-03T04:05:06Z", "yyyy-MM-ddTHH:mm:ssZ", "2024-02-03 04:05:06"),
            ("03.02.2024", "dd.MM.yyyy", "2024-02-03 00:00:00"),
            ("3/2/24 2:05 PM", "d/M/yy h:mm tt", "2024-02-03 14:05:00"),
            ("2024-02-03T04:05:06.5+02:00", "yyyy-MM-ddTHH:mm:ss.FFFK", "2024-02-03 02:05:06.5"),
            ("Sat, 03 Feb 2024 14:05:06 GMT", "r", "2024-02-03 14:05:06"),
            ("03 February 2024", "dd MMMM yyyy", "2024-02-03 00:00:00"),
            ("2024-02-03 13:04:05", "yyyy-MM-dd HH:mm:ss.FFF", "2024-02-03 13:04:05"),
        ] {
            assert_eq!(read(text, format).as_deref(), Some(expected), "{text} {format}");
        }
    }

    #[test]
    fn others_are_refused() {
        for (text, format) in [
            ("3-2-2024", "dd-MM-yyyy"),
            ("20240203x", "yyyyMMdd"),
            ("2024", "yyyyMMdd"),
            ("20241303", "yyyyMMdd"),
            ("Sun, 03 Feb 2024 14:05:06 GMT", "r"),
            ("13:00", "hh:mm"),
            ("x", "'x"),
            ("x", ""),
        ] {
            assert_eq!(read(text, format), None, "{text} {format}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(ticks in 0i64..=crate::text::time::MAX) {
            let text = format_date_time(ticks, Zone::Utc, "o").unwrap();
            proptest::prop_assert_eq!(parse_exact(&text, "o", Styles::default(), 0).unwrap().ticks, ticks);
        }
    }
}
