//! Points in time and spans of time as .NET counts, writes and reads them.
//!
//! Times are ticks of 100 ns since 0001-01-01 in the proleptic Gregorian calendar, spans are ticks.
//! Local time is UTC: a gateway has no other.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.datetime>

mod exact;
mod format;
mod parse;
pub mod span;

pub use exact::parse_exact;
pub use format::{format_date_time, format_date_time_offset};
pub use parse::{Parsed, parse};

use crate::Runtime;
use crate::text::Failure;

/// Ticks in a millisecond.
pub const MILLISECOND: i64 = 10_000;
/// Ticks in a second.
pub const SECOND: i64 = 1000 * MILLISECOND;
/// Ticks in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Ticks in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Ticks in a day.
pub const DAY: i64 = 24 * HOUR;
/// The last tick of the year 9999.
pub const MAX: i64 = 3_155_378_975_999_999_999;
/// 1970-01-01.
pub const UNIX_EPOCH: i64 = 621_355_968_000_000_000;
/// 1601-01-01, where file times start.
pub const FILE_EPOCH: i64 = 504_911_232_000_000_000;
/// 1899-12-30, where OLE Automation dates start.
pub const OLE_EPOCH: i64 = 599_264_352_000_000_000;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// What a clock's reading is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// `DateTimeKind.Unspecified`.
    Unspecified,
    /// `DateTimeKind.Utc`.
    Utc,
    /// `DateTimeKind.Local`, which is UTC by another name.
    Local,
    /// The minutes east of UTC of a `DateTimeOffset`.
    Offset(i32),
}

/// `System.Globalization.DateTimeStyles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Styles(pub u32);

impl Styles {
    const LEADING_WHITE: u32 = 0x1;
    const TRAILING_WHITE: u32 = 0x2;
    const INNER_WHITE: u32 = 0x4;
    const ADJUST_TO_UNIVERSAL: u32 = 0x10;
    const ASSUME_LOCAL: u32 = 0x20;
    const ASSUME_UNIVERSAL: u32 = 0x40;
    const ROUNDTRIP_KIND: u32 = 0x80;

    fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    /// Refuses unknown flags and those that contradict each other.
    ///
    /// # Errors
    ///
    /// [`Failure::Argument`].
    pub fn checked(self) -> Result<Self, Failure> {
        let both = Self::ASSUME_LOCAL | Self::ASSUME_UNIVERSAL;
        let others = both | Self::ADJUST_TO_UNIVERSAL;
        let wrong = self.0 > 0xff
            || self.0 & both == both
            || (self.has(Self::ROUNDTRIP_KIND) && self.0 & others != 0);
        if wrong {
            let text = "The DateTimeStyles values conflict or are not valid.";
            return Err(Failure::Argument(text.to_owned(), "styles"));
        }
        Ok(self)
    }
}

/// A date of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// 1 to 9999.
    pub year: i32,
    /// 1 to 12.
    pub month: i32,
    /// 1 to 31.
    pub day: i32,
    /// 1 to 366.
    pub day_of_year: i32,
}

/// The date of ticks.
pub fn date(ticks: i64) -> Date {
    let days = ticks.div_euclid(DAY);
    // Days since 0000-03-01, so that leap days end a year (Howard Hinnant's `civil_from_days`).
    let shifted = days + 306;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (year, month, day) = (year as i32, month as i32, day as i32);
    let first = days_before(year, 1, 1);
    Date { year, month, day, day_of_year: (days - first) as i32 + 1 }
}

/// Whether a year of the calendar is a leap year.
pub fn is_leap_year(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days of a month; 0 if there is no such month.
pub fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i32::from(is_leap_year(year)),
        1..=12 => 31,
        _ => 0,
    }
}

/// Days from 0001-01-01 to a date.
fn days_before(year: i32, month: i32, day: i32) -> i64 {
    let (year, month) = (i64::from(year) - i64::from(month <= 2), i64::from(month));
    let era = year.div_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    let year_of_era = year.rem_euclid(400);
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 306
}

/// The ticks at the start of a date; `None` if there is no such date.
pub fn from_date(year: i32, month: i32, day: i32) -> Option<i64> {
    let valid = (1..=9999).contains(&year) && day >= 1 && day <= days_in_month(year, month);
    valid.then(|| days_before(year, month, day) * DAY)
}

/// The ticks of a time of day; `None` if there is no such time.
pub fn from_time(hour: i32, minute: i32, second: i32) -> Option<i64> {
    let valid = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    valid.then(|| i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * SECOND)
}

/// The `DayOfWeek`: 0 is Sunday.
pub fn day_of_week(ticks: i64) -> i32 {
    (ticks.div_euclid(DAY) + 1).rem_euclid(7) as i32
}

/// Ticks that lie within the years 1 to 9999.
///
/// # Errors
///
/// [`Failure::Range`] otherwise.
pub fn in_range(ticks: Option<i64>) -> Result<i64, Failure> {
    ticks.filter(|it| (0..=MAX).contains(it)).ok_or_else(|| {
        let text = "The added or subtracted value results in an un-representable DateTime.";
        Failure::Range(text.to_owned(), "value")
    })
}

/// `DateTime.AddDays` and the like: rounds to the millisecond; `scale` is the unit in milliseconds.
///
/// # Errors
///
/// [`Failure::Range`] if the value or the result is out of range.
pub fn add_scaled(ticks: i64, value: f64, scale: f64, runtime: Runtime) -> Result<i64, Failure> {
    let half = if value >= 0.0 { 0.5 } else { -0.5 };
    let milliseconds = value * scale + half;
    let limit = (MAX / MILLISECOND) as f64 + 1.0;
    // Not a number is converted to a number whose ticks overflow to none; .NET Framework looks first.
    if milliseconds.is_nan() && runtime == Runtime::Modern {
        return Ok(ticks);
    }
    if !(milliseconds > -limit && milliseconds < limit) {
        let text = "Value to add was out of range.";
        return Err(Failure::Range(text.to_owned(), "value"));
    }
    in_range(ticks.checked_add(milliseconds as i64 * MILLISECOND))
}

/// `DateTime.AddMonths`: the day is cut to the month's last.
///
/// # Errors
///
/// [`Failure::Range`] for more than 120,000 months or a result out of range.
pub fn add_months(ticks: i64, months: i32) -> Result<i64, Failure> {
    let out_of_range =
        |parameter| Failure::Range("Months value must be between +/-120000.".to_owned(), parameter);
    if !(-120_000..=120_000).contains(&months) {
        return Err(out_of_range("months"));
    }
    let from = date(ticks);
    let index = from.year * 12 + from.month - 1 + months;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    let day = from.day.min(days_in_month(year, month));
    in_range(from_date(year, month, day).map(|start| start + ticks.rem_euclid(DAY)))
}

/// `DateTime.ToOADate`: days since 1899-12-30.
pub fn to_ole(ticks: i64) -> f64 {
    if ticks == 0 {
        return 0.0;
    }
    let mut ticks = ticks;
    if ticks < DAY {
        ticks += OLE_EPOCH;
    }
    let mut milliseconds = (ticks - OLE_EPOCH) / MILLISECOND;
    if milliseconds < 0 {
        let of_day = milliseconds % (DAY / MILLISECOND);
        if of_day != 0 {
            milliseconds -= (DAY / MILLISECOND + of_day) * 2;
        }
    }
    milliseconds as f64 / (DAY / MILLISECOND) as f64
}

/// `DateTime.FromOADate`.
///
/// # Errors
///
/// [`Failure::Argument`] if it is out of range.
pub fn from_ole(value: f64) -> Result<i64, Failure> {
    if !(value > -657_435.0 && value < 2_958_466.0) {
        return Err(Failure::Argument("Not a legal OleAut date.".to_owned(), ""));
    }
    let day = DAY / MILLISECOND;
    let half = if value >= 0.0 { 0.5 } else { -0.5 };
    let mut milliseconds = (value * day as f64 + half) as i64;
    if milliseconds < 0 {
        milliseconds -= (milliseconds % day) * 2;
    }
    Ok(milliseconds * MILLISECOND + OLE_EPOCH)
}

#[cfg(test)]
mod tests {
    use crate::Runtime;

    use super::{DAY, MAX, add_months, add_scaled, date, day_of_week, from_date, from_ole, to_ole};

    #[test]
    fn the_calendar_is_gregorian() {
        assert_eq!(from_date(1, 1, 1), Some(0));
        assert_eq!(from_date(1970, 1, 1), Some(super::UNIX_EPOCH));
        assert_eq!(from_date(2024, 2, 30), None);
        assert_eq!(from_date(10000, 1, 1), None);
        let last = date(MAX);
        assert_eq!((last.year, last.month, last.day, last.day_of_year), (9999, 12, 31, 365));
        assert_eq!(day_of_week(from_date(2024, 2, 29).unwrap()), 4);
        assert_eq!(day_of_week(0), 1);
    }

    #[test]
    fn months_clamp_to_their_end() {
        let at = |year, month, day| from_date(year, month, day).unwrap();
        assert_eq!(add_months(at(2024, 1, 31), 1), Ok(at(2024, 2, 29)));
        assert_eq!(add_months(at(2024, 2, 29), -12), Ok(at(2023, 2, 28)));
        assert!(add_months(0, -1).is_err());
        assert!(add_months(0, 120_001).is_err());
    }

    #[test]
    fn fractions_round_to_the_millisecond() {
        let add = |ticks, value, scale| add_scaled(ticks, value, scale, Runtime::Modern);
        assert_eq!(add(0, 1.7, 1.0), Ok(20_000));
        assert_eq!(add(DAY, -0.5, 60_000.0), Ok(DAY - 30 * super::SECOND));
        assert_eq!(add(5, f64::NAN, 1.0).ok(), Some(5));
        assert!(add_scaled(5, f64::NAN, 1.0, Runtime::Framework).is_err());
        assert!(add(0, 1e300, 1.0).is_err());
        assert!(add(0, -1.0, 1.0).is_err());
    }

    #[test]
    fn ole_dates_count_from_1899() {
        let noon = from_date(2024, 2, 3).unwrap() + DAY / 2;
        assert_eq!(from_ole(45325.5), Ok(noon));
        assert_eq!(to_ole(noon), 45325.5);
    }

    proptest::proptest! {
        #[test]
        fn every_day_has_one_date(day in 0i64..=MAX / DAY) {
            let it = date(day * DAY);
            proptest::prop_assert_eq!(from_date(it.year, it.month, it.day), Some(day * DAY));
        }
    }
}
