//! Time zones as text: `ToSerializedString` and `FromSerializedString`.
//!
//! ```text
//! id;minutes;display;standard;daylight;[start;end;minutes;[1;time;month;day;];[0;time;month;week;weekday;];];
//! ```
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.timezoneinfo.toserializedstring>

use std::fmt::Write as _;

use super::time::{MILLISECOND, MINUTE, Zone, date, format_date_time, from_date};
use super::zone_rules::{Adjustment, Transition};

/// What a zone is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// `Id`.
    pub id: String,
    /// `BaseUtcOffset`, in ticks.
    pub base: i64,
    /// `DisplayName`, `StandardName` and `DaylightName`.
    pub names: [String; 3],
    /// Its rules.
    pub adjustments: Vec<Adjustment>,
}

/// Why a text is no zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Something is not where it belongs.
    #[error("An error occurred while deserializing the object.  The serialized data is corrupt.")]
    Corrupt,
    /// A backslash before a character that needs none.
    #[error("The serialized data contained an invalid escape sequence '\\{0}'.")]
    Escape(char),
}

impl Parts {
    /// The text of the zone.
    pub fn write(&self) -> String {
        let mut out = escaped(&self.id);
        let _ = write!(out, ";{}", self.base / MINUTE);
        for name in &self.names {
            out.push(';');
            out.push_str(&escaped(name));
        }
        out.push(';');
        for it in &self.adjustments {
            let _ = write!(
                out,
                "[{};{};{};{};{};",
                day(it.start),
                day(it.end),
                it.delta / MINUTE,
                transition(&it.from),
                transition(&it.to)
            );
            if it.base_delta != 0 {
                let _ = write!(out, "{};", it.base_delta / MINUTE);
            }
            out.push_str(if it.is_whole { "1;]" } else { "]" });
        }
        out.push(';');
        out
    }

    /// Reads the text of a zone.
    ///
    /// # Errors
    ///
    /// The text is none.
    pub fn read(text: &str) -> Result<Self, TextError> {
        let mut reader = Reader { rest: text };
        let id = reader.text()?;
        let base = i64::from(reader.number()?) * MINUTE;
        let names = [reader.text()?, reader.text()?, reader.text()?];
        let mut adjustments = Vec::new();
        while reader.take('[') {
            adjustments.push(reader.adjustment()?);
        }
        if !reader.take(';') {
            return Err(TextError::Corrupt);
        }
        Ok(Self { id, base, names, adjustments })
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        if matches!(ch, '\\' | '[' | ']' | ';') {
            out.push('\\');
        }
        out.push(ch);
    }
    out
}

fn day(ticks: i64) -> String {
    let it = date(ticks);
    format!("{:02}:{:02}:{:04}", it.month, it.day, it.year)
}

fn transition(it: &Transition) -> String {
    let time = format_date_time(it.time, Zone::Unspecified, "HH:mm:ss.FFF").unwrap_or_default();
    if it.is_fixed {
        format!("[1;{time};{};{};]", it.month, it.day)
    } else {
        format!("[0;{time};{};{};{};]", it.month, it.week, it.weekday)
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, ch: char) -> bool {
        let rest = self.rest.strip_prefix(ch);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn needed(&mut self, ch: char) -> Result<(), TextError> {
        if self.take(ch) { Ok(()) } else { Err(TextError::Corrupt) }
    }

    /// A text up to a semicolon.
    fn text(&mut self) -> Result<String, TextError> {
        let mut out = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next().ok_or(TextError::Corrupt)? {
                ';' => break,
                '\\' => match chars.next().ok_or(TextError::Corrupt)? {
                    ch @ ('\\' | '[' | ']' | ';') => out.push(ch),
                    other => return Err(TextError::Escape(other)),
                },
                '[' | ']' | '\0' => return Err(TextError::Corrupt),
                ch => out.push(ch),
            }
        }
        self.rest = chars.as_str();
        Ok(out)
    }

    fn number(&mut self) -> Result<i32, TextError> {
        let text = self.text()?;
        let is_plain = !text.starts_with("+-") && !text.starts_with("-+");
        text.parse().ok().filter(|_| is_plain).ok_or(TextError::Corrupt)
    }

    fn minutes(&mut self) -> Result<i64, TextError> {
        Ok(i64::from(self.number()?) * MINUTE)
    }

    /// `MM:dd:yyyy`
    fn day(&mut self) -> Result<i64, TextError> {
        let text = self.text()?;
        let parts: Vec<i32> = text.split(':').filter_map(|it| it.parse().ok()).collect();
        let (&[month, day, year], true) = (parts.as_slice(), text.len() == 10) else {
            return Err(TextError::Corrupt);
        };
        from_date(year, month, day).ok_or(TextError::Corrupt)
    }

    /// `HH:mm:ss.FFF`
    fn time(&mut self) -> Result<i64, TextError> {
        let text = self.text()?;
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let parts: Vec<i32> = whole.split(':').filter_map(|it| it.parse().ok()).collect();
        let (&[hour, minute, second], true) = (parts.as_slice(), whole.len() == 8) else {
            return Err(TextError::Corrupt);
        };
        let digits = format!("{fraction:0<3}");
        let thousandths: i64 = digits.parse().map_err(|_| TextError::Corrupt)?;
        let time = super::time::from_time(hour, minute, second).ok_or(TextError::Corrupt)?;
        if digits.len() == 3 {
            Ok(time + thousandths * MILLISECOND)
        } else {
            Err(TextError::Corrupt)
        }
    }

    /// What stands between brackets after a rule's opening one.
    fn adjustment(&mut self) -> Result<Adjustment, TextError> {
        let (start, end) = (self.day()?, self.day()?);
        let delta = self.minutes()?;
        let (from, to) = (self.transition()?, self.transition()?);
        let mut base_delta = 0;
        let mut is_whole = false;
        if self.rest.starts_with(|ch: char| ch.is_ascii_digit() || matches!(ch, '+' | '-')) {
            base_delta = self.minutes()?;
        }
        if self.rest.starts_with(['0', '1']) {
            is_whole = self.number()? > 0;
        }
        self.skip_to_end()?;
        let it = Adjustment { start, end, delta, from, to, base_delta, is_whole };
        it.checked((true, true)).map_err(|_| TextError::Corrupt)
    }

    fn transition(&mut self) -> Result<Transition, TextError> {
        self.needed('[')?;
        let kind = self.number()?;
        let time = self.time()?;
        let month = self.number()?;
        let made = match kind {
            1 => Transition::fixed(time, month, self.number()?),
            0 => Transition::floating(time, month, self.number()?, self.number()?),
            _ => return Err(TextError::Corrupt),
        };
        self.skip_to_end()?;
        self.needed(';')?;
        made.map_err(|_| TextError::Corrupt)
    }

    /// Leaves out what a later version may have written before the closing bracket.
    fn skip_to_end(&mut self) -> Result<(), TextError> {
        let mut depth = 1;
        let mut chars = self.rest.chars();
        while depth > 0 {
            match chars.next().ok_or(TextError::Corrupt)? {
                '\\' => {
                    chars.next();
                }
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
        }
        self.rest = chars.as_str();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_written_and_read() {
        for text in [
            "x;120;D;S;;;",
            "x\\;\\[y\\]\\\\z;-150;D:\\;;;;;",
            "x;120;D;S;DD;[01:01:0001;12:31:9999;60;[0;02:00:00;3;5;0;];[0;03:00:00.5;10;5;0;];];",
            "x;0;;;;[01:01:2001;12:31:2002;0;[1;02:00:00;3;28;];[1;03:00:00;10;31;];30;1;];",
        ] {
            assert_eq!(Parts::read(text).unwrap().write(), text);
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in [
            "",
            "x",
            "x;;D;S;;;",
            "x; 1;D;S;;;",
            "x;1;D;S;D",
            "x;1;D[;S;D;;",
            "x;1;D;S;D;[13:01:0001;12:31:9999;60;[1;02:00:00;3;28;];[1;03:00:00;10;31;];];",
            "x;1;D;S;D;[01:01:0001;12:31:9999;60;[2;02:00:00;3;28;];[1;03:00:00;10;31;];];",
            "x;1;D;S;D;[01:01:0001;12:31:9999;60;[1;02:00:00;3;28;];",
        ] {
            assert_eq!(Parts::read(text).unwrap_err(), TextError::Corrupt, "{text}");
        }
        assert_eq!(Parts::read("x;1;\\q").unwrap_err(), TextError::Escape('q'));
    }
}
