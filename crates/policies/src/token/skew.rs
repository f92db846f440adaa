//! `clock-skew`: whole seconds, or a time span as .NET writes it.

use std::time::Duration;

use pipeline::{Convert, Unfit};

/// The widest tolerance: a day. More would accept tokens that are long expired.
const MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A tolerance for time checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skew(pub(crate) Duration);

impl Convert for Skew {
    fn from_text(text: &str) -> Result<Self, Unfit> {
        let text = text.trim();
        seconds(text)
            .map(Duration::from_secs)
            .filter(|it| *it <= MAX)
            .map(Skew)
            .ok_or_else(|| Unfit::wanted("seconds or `hh:mm:ss`, at most a day").got(text))
    }
}

fn seconds(text: &str) -> Option<u64> {
    let number = |it: &str, max: u64| {
        let is_number = !it.is_empty() && it.len() <= 9 && it.bytes().all(|it| it.is_ascii_digit());
        is_number.then(|| it.parse::<u64>().ok()).flatten().filter(|it| *it <= max)
    };
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [seconds] => number(seconds, u64::MAX),
        [hours, minutes, rest @ ..] if rest.len() <= 1 => {
            let (days, hours) = match hours.split_once('.') {
                Some((days, hours)) => (number(days, 1000)?, hours),
                None => (0, *hours),
            };
            let seconds = rest.first().map_or(Some(0), |it| number(it, 59))?;
            let hours = days * 24 + number(hours, 24)?;
            Some((hours * 60 + number(minutes, 59)?) * 60 + seconds)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_time_spans_are_read() {
        let secs = |it: &str| Skew::from_text(it).map(|it| it.0.as_secs()).ok();
        for (text, expected) in [
            ("0", Some(0)),
            (" 300 ", Some(300)),
            ("00:05:00", Some(300)),
            ("1:00", Some(3600)),
            ("1.00:00:00", Some(86_400)),
            ("86400", Some(86_400)),
            ("86401", None),
            ("1.00:00:01", None),
            ("00:60:00", None),
            ("-5", None),
            ("1.5", None),
            ("", None),
            ("5 s", None),
            ("1:2:3:4", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(secs(text), expected, "{text:?}");
        }
        assert_eq!(Skew::from_value(10.into()).unwrap().0, Duration::from_secs(10));
    }
}
