//! Reading times in the forms that `DateTime.Parse` understands in the invariant culture.
//!
//! The text is cut into numbers, names and separators; then the date is found by what the numbers
//! look like: three or more digits are a year, month comes before day.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.datetime.parse>

use super::{DAY, DAYS, HOUR, MINUTE, MONTHS, SECOND, Styles, Zone, date, day_of_week};
use super::{from_date, from_time};
use crate::text::Failure;

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// The clock's reading.
    pub ticks: i64,
    /// Minutes east of UTC, if the text says so.
    pub offset: Option<i32>,
    /// Whether the text ends in `Z` or a name of UTC.
    pub zulu: bool,
    /// Whether the format, rather than the text, says that it is UTC (`R`, `u`): only
    /// `DateTimeOffset` heeds that.
    pub universal_format: bool,
}

impl Parsed {
    /// The `DateTime` that the styles make of it.
    ///
    /// # Errors
    ///
    /// [`Failure::Format`] if it leaves the years 1 to 9999.
    pub fn date_time(self, styles: Styles) -> Result<(i64, Zone), Failure> {
        let universal = styles.has(Styles::ADJUST_TO_UNIVERSAL);
        let Some(offset) = self.offset else {
            let assumed = styles.has(Styles::ASSUME_UNIVERSAL | Styles::ASSUME_LOCAL);
            return Ok(match (assumed, universal) {
                (false, _) => (self.ticks, Zone::Unspecified),
                (true, true) => (self.ticks, Zone::Utc),
                (true, false) => (self.ticks, Zone::Local),
            });
        };
        let ticks = self.ticks - i64::from(offset) * MINUTE;
        if !(0..=super::MAX).contains(&ticks) {
            let text = "The DateTime represented by the string is out of range.";
            return Err(Failure::Format(text.to_owned()));
        }
        let round_trip = styles.has(Styles::ROUNDTRIP_KIND) && self.zulu;
        Ok((ticks, if universal || round_trip { Zone::Utc } else { Zone::Local }))
    }

    /// The `DateTimeOffset` that the styles make of it: clock and minutes east of UTC.
    ///
    /// # Errors
    ///
    /// [`Failure::Format`] if its UTC time leaves the years 1 to 9999.
    pub fn date_time_offset(self, styles: Styles) -> Result<(i64, i32), Failure> {
        let offset = self.offset.unwrap_or(0);
        let universal = self.ticks - i64::from(offset) * MINUTE;
        if !(0..=super::MAX).contains(&universal) || offset.abs() > 14 * 60 {
            let text = "The UTC time represented when the offset is applied must be between year \
                        0 and 10,000.";
            return Err(Failure::Format(text.to_owned()));
        }
        if styles.has(Styles::ADJUST_TO_UNIVERSAL) {
            return Ok((universal, 0));
        }
        Ok((self.ticks, offset))
    }
}

/// Reads a time; `today` (ticks of a midnight) stands in for a missing date or year.
///
/// # Errors
///
/// [`Failure::Format`].
pub fn parse(text: &str, today: i64) -> Result<Parsed, Failure> {
    read(text, today).ok_or_else(|| {
        Failure::Format(format!("String '{text}' was not recognized as a valid DateTime."))
    })
}

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Number(&'a str),
    Word(&'a str),
    Mark(char),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut rest = text.trim_matches(|ch: char| ch.is_whitespace() || ch == '\0');
    while let Some(first) = rest.chars().next() {
        let same: fn(char) -> bool = if first.is_ascii_digit() {
            |ch| ch.is_ascii_digit()
        } else if first.is_alphabetic() {
            char::is_alphabetic
        } else if first.is_whitespace() {
            char::is_whitespace
        } else {
            |_| false
        };
        let end = rest.find(|ch| !same(ch)).unwrap_or(rest.len()).max(first.len_utf8());
        let (piece, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        all.push(if first.is_ascii_digit() {
            Token::Number(piece)
        } else if first.is_alphabetic() {
            Token::Word(piece)
        } else if first.is_whitespace() {
            Token::Mark(' ')
        } else {
            Token::Mark(first)
        });
        rest = tail;
    }
    all
}

/// What has been read of the text.
#[derive(Default)]
struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    /// Numbers of the date, with how many digits they have.
    numbers: Vec<(i32, usize)>,
    month: Option<i32>,
    weekday: Option<i32>,
    time: Option<i64>,
    afternoon: Option<bool>,
    hour: i32,
    offset: Option<i32>,
    zulu: bool,
    /// A `T` stands between date and time.
    iso: bool,
    /// The date comes after the time.
    date_follows: bool,
}

fn read(text: &str, today: i64) -> Option<Parsed> {
    let mut reader = Reader { tokens: tokens(text), ..Reader::default() };
    if reader.tokens.is_empty() {
        return None;
    }
    while let Some(token) = reader.peek(0) {
        match token {
            Token::Number(digits) => reader.number(digits)?,
            Token::Word(word) => reader.word(word)?,
            Token::Mark(mark) => reader.mark(mark)?,
        }
    }
    let date = reader.date(today)?;
    if reader.weekday.is_some_and(|day| day != day_of_week(date)) {
        return None;
    }
    let time = reader.time_of_day()?;
    Some(Parsed {
        ticks: date + time,
        offset: reader.offset,
        zulu: reader.zulu,
        universal_format: false,
    })
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + ahead).copied()
    }

    fn take_number(&mut self, digits: usize) -> Option<i32> {
        let Some(Token::Number(text)) = self.peek(0) else { return None };
        self.at += 1;
        (text.len() <= digits).then(|| text.parse().ok()).flatten()
    }

    /// A number: of a time if a colon (or a half of the day) follows, else of the date.
    fn number(&mut self, digits: &str) -> Option<()> {
        if self.peek(1) == Some(Token::Mark(':')) && self.time.is_none() {
            return self.time();
        }
        let next = if self.peek(1) == Some(Token::Mark(' ')) { self.peek(2) } else { self.peek(1) };
        if let Some(Token::Word(word)) = next
            && half(word).is_some()
            && self.time.is_none()
        {
            self.hour = self.take_number(2)?;
            self.time = Some(0);
            return Some(());
        }
        self.at += 1;
        if digits.len() > 4 || self.numbers.len() == 3 {
            return None;
        }
        self.numbers.push((digits.parse().ok()?, digits.len()));
        self.date_follows |= self.time.is_some();
        Some(())
    }

    /// `h:mm[:ss[.fffffff]]`
    fn time(&mut self) -> Option<()> {
        self.hour = self.take_number(2)?;
        self.at += 1;
        let minute = self.take_number(2)?;
        let mut ticks = from_time(0, minute, 0)?;
        if self.peek(0) == Some(Token::Mark(':')) {
            self.at += 1;
            ticks = from_time(0, minute, self.take_number(2)?)?;
            if let (Some(Token::Mark('.')), Some(Token::Number(digits))) =
                (self.peek(0), self.peek(1))
            {
                self.at += 2;
                let fraction: f64 = format!("0.{digits}").parse().ok()?;
                ticks += (fraction * SECOND as f64).round_ties_even() as i64;
            }
        }
        if self.peek(0) == Some(Token::Mark('.')) {
            return None;
        }
        self.time = Some(ticks);
        if matches!(self.peek(0), Some(Token::Mark('+' | '-'))) {
            self.offset()?;
        }
        Some(())
    }

    /// `+hh:mm`, `+hhmm`, `+hh`
    fn offset(&mut self) -> Option<()> {
        let negative = self.peek(0) == Some(Token::Mark('-'));
        self.at += 1;
        let Some(Token::Number(digits)) = self.peek(0) else { return None };
        self.at += 1;
        let value: i32 = digits.parse().ok()?;
        let (hours, minutes) = if digits.len() > 2 {
            (value / 100, value % 100)
        } else if self.peek(0) == Some(Token::Mark(':')) {
            self.at += 1;
            (value, self.take_number(2)?)
        } else {
            (value, 0)
        };
        if digits.len() > 4 || hours > 14 || minutes > 59 || self.offset.is_some() {
            return None;
        }
        let minutes = hours * 60 + minutes;
        if minutes > 14 * 60 {
            return None;
        }
        self.offset = Some(if negative { -minutes } else { minutes });
        Some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.at += 1;
        if let Some(afternoon) = half(word) {
            if self.iso {
                return None;
            }
            return self.afternoon.replace(afternoon).is_none().then_some(());
        }
        if word.eq_ignore_ascii_case("t") {
            let before = !self.numbers.is_empty() && self.time.is_none();
            self.iso = true;
            return (before && matches!(self.peek(0), Some(Token::Number(_)))).then_some(());
        }
        if ["z", "gmt"].iter().any(|it| word.eq_ignore_ascii_case(it)) {
            self.zulu = true;
            return self.offset.replace(0).is_none().then_some(());
        }
        if let Some(month) = named(&MONTHS, word) {
            return self.month.replace(month + 1).is_none().then_some(());
        }
        self.weekday.replace(named(&DAYS, word)?).is_none().then_some(())
    }

    fn mark(&mut self, mark: char) -> Option<()> {
        let after_number = matches!(
            self.at.checked_sub(1).and_then(|at| self.tokens.get(at)),
            Some(Token::Number(_))
        );
        let signed = matches!(mark, '+' | '-') && !(after_number && self.date_follows);
        if signed && self.time.is_some() && self.offset.is_none() {
            return self.offset();
        }
        self.at += 1;
        let spaced = matches!(mark, '/' | '-') && self.peek(0) == Some(Token::Mark(' '));
        self.at += usize::from(spaced);
        let next_is_number = matches!(self.peek(0), Some(Token::Number(_) | Token::Word(_)));
        match mark {
            ' ' | ',' | '.' => Some(()),
            '/' | '-' => {
                let inside = !self.numbers.is_empty() || self.month.is_some();
                let here = self.time.is_none() || self.date_follows;
                (inside && here && next_is_number).then_some(())
            }
            _ => None,
        }
    }

    /// The midnight of the date.
    fn date(&self, today: i64) -> Option<i64> {
        let this = date(today);
        let is_year = |it: (i32, usize)| it.1 > 2;
        let (year, month, day) = match (self.month, self.numbers.as_slice()) {
            (None, []) => {
                return (self.time.is_some() && self.weekday.is_none()).then_some(today);
            }
            (None, &[a, b]) if is_year(a) => (a, b.0, 1),
            (None, &[a, b]) if is_year(b) => (b, a.0, 1),
            (None, &[a, b]) => ((this.year, 4), a.0, b.0),
            (None, &[a, b, c]) if is_year(a) => (a, b.0, c.0),
            (None, &[a, b, c]) => (c, a.0, b.0),
            (Some(month), &[a]) if is_year(a) => (a, month, 1),
            (Some(month), &[a]) => ((this.year, 4), month, a.0),
            (Some(month), &[a, b]) if is_year(a) => (a, month, b.0),
            (Some(month), &[a, b]) => (b, month, a.0),
            _ => return None,
        };
        let (value, digits) = year;
        let year = match (digits, value) {
            (1 | 2, 0..=29) => 2000 + value,
            (1 | 2, _) => 1900 + value,
            _ => value,
        };
        from_date(year, month, day)
    }

    fn time_of_day(&self) -> Option<i64> {
        let Some(ticks) = self.time else { return Some(0) };
        let hour = match self.afternoon {
            None => Some(self.hour),
            Some(afternoon) if self.hour > 12 => afternoon.then_some(self.hour),
            Some(afternoon) => Some(self.hour % 12 + if afternoon { 12 } else { 0 }),
        };
        let hour = hour.filter(|it| *it < 24)?;
        let ticks = i64::from(hour) * HOUR + ticks;
        (ticks <= DAY).then_some(ticks)
    }
}

/// Whether a word says morning (`false`) or afternoon.
fn half(word: &str) -> Option<bool> {
    if word.eq_ignore_ascii_case("am") {
        Some(false)
    } else if word.eq_ignore_ascii_case("pm") {
        Some(true)
    } else {
        None
    }
}

/// The index of a full or three-letter name.
fn named(names: &[&str], word: &str) -> Option<i32> {
    let found = names.iter().position(|name| {
        name.eq_ignore_ascii_case(word)
            || name.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(word))
    });
    found.and_then(|it| i32::try_from(it).ok())
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::text::time::{Styles, Zone, format_date_time, from_date};

    fn read(text: &str) -> Option<String> {
        let today = from_date(2020, 5, 6).unwrap();
        let parsed = parse(text, today).ok()?;
        let (ticks, _) = parsed.date_time(Styles(0x50)).ok()?;
        Some(format_date_time(ticks, Zone::Utc, "yyyy-MM-dd HH:mm:ss.FFFFFFF").unwrap())
    }

    #[test]
    fn the_usual_forms_are_understood() {
        for (text, expected) in [
            ("2024-02-03T04:05:06Z", "2024-02-03 04:05:06"),
            ("2024-02-03T04:05:06+02:00", "2024-02-03 02:05:06"),
            ("2024-02-03T04:05:06-0230", "2024-02-03 06:35:06"),
            ("2024-02-03 04:05", "2024-02-03 04:05:00"),
            ("3 Feb 2024", "2024-02-03 00:00:00"),
            ("Feb 3, 2024 4:05 PM", "2024-02-03 16:05:00"),
            ("2024-02", "2024-02-01 00:00:00"),
            ("2024/2/3", "2024-02-03 00:00:00"),
            ("  2024-02-03  ", "2024-02-03 00:00:00"),
            ("29 February 2024", "2024-02-29 00:00:00"),
            ("02/29/2024 1:04 PM", "2024-02-29 13:04:00"),
            ("2024-02-29T13:04:05.1234567891Z", "2024-02-29 13:04:05.1234568"),
            ("Thu, 29 Feb 2024 13:04:05 GMT", "2024-02-29 13:04:05"),
            ("2024-2-9", "2024-02-09 00:00:00"),
            ("12:30", "2020-05-06 12:30:00"),
            ("12 AM", "2020-05-06 00:00:00"),
            ("3/4", "2020-03-04 00:00:00"),
            ("1/2/99", "1999-01-02 00:00:00"),
            ("February 2024", "2024-02-01 00:00:00"),
            ("3-Feb-2024", "2024-02-03 00:00:00"),
            ("13:04 2024-02-29", "2024-02-29 13:04:00"),
            ("1:04:05.5 am 2/29/2024", "2024-02-29 01:04:05.5"),
            ("2024-02-29 13:04 PM", "2024-02-29 13:04:00"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "zzz",
            "not a date",
            "13/03/2024",
            "2024-02-30",
            "2024-02-03T25:00:00",
            "20240229",
            "2024-W09",
            "29.02.2024",
            "Fri, 29 Feb 2024 13:04:05 GMT",
            "2024-02-03T",
            "1",
            "Monday",
            "2024-02-03T04:05:06+15:00",
            "13:00 AM",
            "--",
            "2024-",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn styles_decide_about_the_kind() {
        let zone = |text, styles| parse(text, 0).unwrap().date_time(Styles(styles)).unwrap().1;
        assert_eq!(zone("2024-01-01", 0), Zone::Unspecified);
        assert_eq!(zone("2024-01-01", 0x40), Zone::Local);
        assert_eq!(zone("2024-01-01", 0x50), Zone::Utc);
        assert_eq!(zone("2024-01-01T00:00Z", 0), Zone::Local);
        assert_eq!(zone("2024-01-01T00:00Z", 0x80), Zone::Utc);
        assert!(Styles(0x60).checked().is_err() && Styles(0x90).checked().is_err());
    }

    proptest::proptest! {
        #[test]
        fn round_trip_text_reads_back(ticks in 0i64..=crate::text::time::MAX) {
            let text = format_date_time(ticks, Zone::Utc, "o").unwrap();
            let parsed = parse(&text, 0).unwrap();
            proptest::prop_assert_eq!((parsed.ticks, parsed.offset), (ticks, Some(0)));
        }

        #[test]
        fn no_text_panics(text in "[0-9TZapm:./+ -]{0,24}") {
            let _ = parse(&text, 0);
        }
    }
}
