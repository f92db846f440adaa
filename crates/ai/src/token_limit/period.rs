//! The periods of quotas: of the calendar, in UTC.
//!
//! Azure does not say on which day a week begins; here it is Monday.

use std::time::{Duration, SystemTime};

use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use pipeline::{Convert, Unfit, ValueType};

/// How often a quota begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuotaPeriod {
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

const ALL: [QuotaPeriod; 5] = [
    QuotaPeriod::Hourly,
    QuotaPeriod::Daily,
    QuotaPeriod::Weekly,
    QuotaPeriod::Monthly,
    QuotaPeriod::Yearly,
];

impl Convert for QuotaPeriod {
    const TYPE: ValueType = ValueType::Text;

    fn from_text(text: &str) -> Result<QuotaPeriod, Unfit> {
        let text = text.trim();
        let found = ALL.into_iter().find(|it| it.name().eq_ignore_ascii_case(text));
        let wanted = "`Hourly`, `Daily`, `Weekly`, `Monthly` or `Yearly`";
        found.ok_or_else(|| Unfit::wanted(wanted).got(text))
    }
}

impl QuotaPeriod {
    const fn name(self) -> &'static str {
        match self {
            QuotaPeriod::Hourly => "Hourly",
            QuotaPeriod::Daily => "Daily",
            QuotaPeriod::Weekly => "Weekly",
            QuotaPeriod::Monthly => "Monthly",
            QuotaPeriod::Yearly => "Yearly",
        }
    }

    /// The counter's name: quotas of calls have others.
    pub(super) const fn member(self) -> &'static str {
        match self {
            QuotaPeriod::Hourly => "tokens/Hourly",
            QuotaPeriod::Daily => "tokens/Daily",
            QuotaPeriod::Weekly => "tokens/Weekly",
            QuotaPeriod::Monthly => "tokens/Monthly",
            QuotaPeriod::Yearly => "tokens/Yearly",
        }
    }

    /// When the period of a moment began and when it ends, in milliseconds since 1970.
    pub(super) fn around(self, now: SystemTime) -> (i64, i64) {
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
        let now = TimeZone::UTC.to_datetime(now);
        let start = self.start(now);
        let next = match self {
            QuotaPeriod::Hourly => start.checked_add(1.hour()),
            QuotaPeriod::Daily => start.checked_add(1.day()),
            QuotaPeriod::Weekly => start.checked_add(1.week()),
            QuotaPeriod::Monthly => start.checked_add(1.month()),
            QuotaPeriod::Yearly => start.checked_add(1.year()),
        };
        // The last year that there is does not end.
        (unix_ms(start), next.map_or(i64::MAX, unix_ms))
    }

    fn start(self, now: DateTime) -> DateTime {
        let day: Date = now.date();
        let midnight = |it: Date| it.at(0, 0, 0, 0);
        match self {
            QuotaPeriod::Hourly => day.at(now.hour(), 0, 0, 0),
            QuotaPeriod::Daily => midnight(day),
            QuotaPeriod::Weekly => {
                let since = day.weekday().since(Weekday::Monday);
                midnight(day.checked_sub(i64::from(since).days()).unwrap_or(day))
            }
            QuotaPeriod::Monthly => midnight(day.first_of_month()),
            QuotaPeriod::Yearly => midnight(day.first_of_year()),
        }
    }

    /// Time until the next period.
    pub(super) fn left(self, now: SystemTime) -> Duration {
        let (_, end) = self.around(now);
        let left = end.saturating_sub(limits::unix_ms(now));
        Duration::from_millis(u64::try_from(left).unwrap_or_default())
    }
}

fn unix_ms(it: DateTime) -> i64 {
    let epoch = date(1970, 1, 1).at(0, 0, 0, 0);
    it.duration_since(epoch).as_millis().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(period: QuotaPeriod, now: &str) -> (String, String) {
        let now: Timestamp = now.parse().unwrap();
        let (start, end) = period.around(SystemTime::from(now));
        let shown = |it| Timestamp::from_millisecond(it).unwrap().to_string();
        (shown(start), shown(end))
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        for (period, now, start, end) in [
            (
                QuotaPeriod::Hourly,
                "2026-02-28T23:59:59Z",
                "2026-02-28T23:00:00Z",
                "2026-03-01T00:00:00Z",
            ),
            (
                QuotaPeriod::Daily,
                "2026-01-01T00:00:00Z",
                "2026-01-01T00:00:00Z",
                "2026-01-02T00:00:00Z",
            ),
            (
                QuotaPeriod::Weekly,
                "2026-01-01T12:00:00Z",
                "2025-12-29T00:00:00Z",
                "2026-01-05T00:00:00Z",
            ),
            (
                QuotaPeriod::Weekly,
                "2026-01-05T00:00:00Z",
                "2026-01-05T00:00:00Z",
                "2026-01-12T00:00:00Z",
            ),
            (
                QuotaPeriod::Monthly,
                "2024-02-29T12:00:00Z",
                "2024-02-01T00:00:00Z",
                "2024-03-01T00:00:00Z",
            ),
            (
                QuotaPeriod::Yearly,
                "2024-12-31T23:00:00Z",
                "2024-01-01T00:00:00Z",
                "2025-01-01T00:00:00Z",
            ),
            (
                QuotaPeriod::Daily,
                "1969-12-31T12:00:00Z",
                "1969-12-31T00:00:00Z",
                "1970-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(around(period, now), (start.to_owned(), end.to_owned()), "{period:?} {now}");
        }
        let now: Timestamp = "2026-01-01T10:58:30.5Z".parse().unwrap();
        assert_eq!(QuotaPeriod::Hourly.left(now.into()), Duration::from_millis(89_500));
    }

    #[test]
    fn periods_are_words_in_any_case() {
        assert_eq!(QuotaPeriod::from_text(" monthly "), Ok(QuotaPeriod::Monthly));
        assert!(QuotaPeriod::from_text("Month").is_err());
        for it in ALL {
            assert!(it.member().ends_with(it.name()));
        }
    }
}
