//! `Date`: a time written by a format string of .NET; `date`, the spelling of Ruby, also takes the
//! formats of `strftime`.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/custom-date-and-time-format-strings>

use dotnet::text::time::format_date_time;
use dotnet::text::time::{DAY, SECOND, UNIX_EPOCH, Zone, date as calendar, day_of_week};

use super::{Args, optional};
use crate::compare::moment;
use crate::error::Stop;
use crate::value::{Moment, Value};

/// Writes a time. A text is read as a time first; one that is none stays as it is. `now` and
/// `today` are the time of the rendering.
pub(super) fn date(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let format = args.text(0)?;
    let format = format.as_ref().map_or("", |it| it.as_str());
    let is_blank = format.trim().is_empty();
    let now = args.cx.now;
    let time = match &args.input {
        Value::Date(it) => *it,
        _ => {
            let Some(text) = args.input_text()? else { return Ok(Value::Nil) };
            let is_now = ["now", "today"].iter().any(|it| text.as_str().eq_ignore_ascii_case(it));
            if is_now {
                Moment { ticks: now, zone: Zone::Local }
            } else {
                match moment(text.as_str(), now - now.rem_euclid(DAY)) {
                    Ok(time) if !is_blank => time,
                    _ => return Ok(optional(Some(text))),
                }
            }
        }
    };
    if is_blank {
        return Ok(Value::Text(Value::Date(time).to_text()));
    }
    if args.is_ruby && format.contains('%') {
        return Ok(Value::from(strftime(time, format)?));
    }
    Ok(Value::from(format_date_time(time.ticks, time.zone, format)?))
}

fn strftime(time: Moment, format: &str) -> Result<String, Stop> {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(ch) = chars.next() {
        match (ch, chars.clone().next()) {
            ('%', Some(letter)) => {
                chars.next();
                match directive(time, letter)? {
                    Some(text) => out.push_str(&text),
                    None => out.extend(['%', letter]),
                }
            }
            _ => out.push(ch),
        }
    }
    Ok(out)
}

/// What a letter behind `%` stands for; none if it means nothing.
fn directive(time: Moment, letter: char) -> Result<Option<String>, Stop> {
    let write = |format: &str| format_date_time(time.ticks, time.zone, format);
    let weekday = day_of_week(time.ticks);
    let day = calendar(time.ticks);
    let week = |first: i32| {
        // The week of the year that the day is in, if weeks begin on `first` and the first one
        // with January 1st.
        let of_first = (weekday - (day.day_of_year - 1)).rem_euclid(7);
        (day.day_of_year - 1 + (of_first - first).rem_euclid(7)) / 7 + 1
    };
    Ok(Some(match letter {
        'a' => write("ddd")?,
        'A' => write("dddd")?,
        'b' | 'h' => write("MMM")?,
        'B' => write("MMMM")?,
        'c' => write("ddd MMM dd HH:mm:ss yyyy")?,
        'C' => (day.year / 100).to_string(),
        'd' => write("dd")?,
        'e' => format!("{:>2}", day.day),
        'H' => write("HH")?,
        'I' => write("hh")?,
        'j' => format!("{:03}", day.day_of_year),
        'k' => write("%H")?,
        'l' => write("%h")?,
        'm' => write("MM")?,
        'M' => write("mm")?,
        'p' => write("tt")?.to_uppercase(),
        'P' => write("tt")?.to_lowercase(),
        's' => (time.ticks - UNIX_EPOCH).div_euclid(SECOND).to_string(),
        'S' => write("ss")?,
        'u' => (if weekday == 0 { 7 } else { weekday }).to_string(),
        'U' => format!("{:02}", week(0)),
        'w' => weekday.to_string(),
        'W' => format!("{:02}", week(1)),
        'x' => write("d")?,
        'X' => write("T")?,
        'y' => write("yy")?,
        'Y' => write("yyyy")?,
        'Z' => write("zzz")?,
        '%' => "%".to_owned(),
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use crate::template::test::{render, render_with};
    use crate::value::{Moment, Value};

    #[test]
    fn times_are_written_in_formats_of_dotnet() {
        for (expression, expected) in [
            ("'2006-05-05 10:00:00' | Date: 'MMMM'", "May"),
            ("'05/06/2006' | Date: 'yyyy-MM-dd'", "2006-05-06"),
            ("'2024-02-29T12:30:00Z' | Date: 'yyyyMMddTHH:mm:ssZ'", "20240229T12:30:00Z"),
            ("'2024-02-29T12:30:00+02:00' | Date: 'HH:mm'", "10:30"),
            ("'2024-02-29' | Date: ''", "2024-02-29"),
            ("'not a date' | Date: 'yyyy'", "not a date"),
            ("1700000000 | Date: 'yyyy'", "1700000000"),
            ("nothing | Date: 'yyyy'", ""),
            ("'now' | Date: 'yyyy-MM-dd'", "2026-01-01"),
            ("'Today' | Date: ''", "01/01/2026 00:00:00"),
            ("'2024-02-29' | date: 'yyyy'", "2024"),
        ] {
            assert_eq!(render(&format!("{{{{ {expression} }}}}")), expected, "{expression}");
        }
    }

    #[test]
    fn the_spelling_of_ruby_takes_its_formats() {
        for (format, expected) in [
            ("%Y-%m-%dT%H:%M:%S", "2024-02-29T15:04:05"),
            ("%a %A %b %B %h", "Thu Thursday Feb February Feb"),
            ("%C %e %I %j %k %l %p %P", "20 29 03 060 15 3 PM pm"),
            ("%s %u %w %U %W %y %%", "1709219045 4 4 09 09 24 %"),
            ("%Q %", "%Q %"),
            ("%x %X", "02/29/2024 15:04:05"),
            ("%c", "Thu Feb 29 15:04:05 2024"),
        ] {
            let template = format!("{{{{ '2024-02-29 15:04:05' | date: '{format}' }}}}");
            assert_eq!(render(&template), expected, "{format}");
        }
        assert_eq!(render("{{ '2024-02-29' | Date: '%d' }}"), "29");
    }

    #[test]
    fn dates_of_the_body_are_written() {
        let time = Moment { ticks: 639_028_224_000_000_000, zone: dotnet::text::time::Zone::Utc };
        let given = [("d", Value::Date(time))];
        assert_eq!(render_with("{{ d }}", &given), "01/01/2026 00:00:00");
        assert_eq!(render_with("{{ d | Date: 'o' }}", &given), "2026-01-01T00:00:00.0000000Z");
        assert!(render_with("{{ d | Date: 'q' }}", &given).starts_with('!'));
    }
}
