//! Time zones by adjustment rules: from when to when, how much and between which days of each year
//! clocks are put forward.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.timezoneinfo.adjustmentrule>. All ticks are
//! of the zone's own clock, where nothing else is said.

use super::Failure;
use super::time::{
    DAY, HOUR, MAX, MILLISECOND, MINUTE, date, day_of_week, days_in_month, from_date,
};
use super::zones::Reading;

/// `UtcOffset` is within this of UTC.
const FARTHEST: i64 = 14 * HOUR;

/// `TimeZoneInfo.TransitionTime`: a day of a year and a time of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transition {
    /// `IsFixedDateRule`: the day, not the weekday, is told.
    pub is_fixed: bool,
    /// `TimeOfDay`, in ticks.
    pub time: i64,
    /// `Month`.
    pub month: i32,
    /// `Week`: 5 is the last one.
    pub week: i32,
    /// `Day`.
    pub day: i32,
    /// `DayOfWeek`, 0 is Sunday.
    pub weekday: i32,
}

impl Transition {
    /// `CreateFixedDateRule`.
    ///
    /// # Errors
    ///
    /// What is out of its range.
    pub fn fixed(time: i64, month: i32, day: i32) -> Result<Self, Failure> {
        Self { is_fixed: true, time, month, week: 1, day, weekday: 0 }.checked()
    }

    /// `CreateFloatingDateRule`.
    ///
    /// # Errors
    ///
    /// What is out of its range.
    pub fn floating(time: i64, month: i32, week: i32, weekday: i32) -> Result<Self, Failure> {
        Self { is_fixed: false, time, month, week, day: 1, weekday }.checked()
    }

    fn checked(self) -> Result<Self, Failure> {
        let range = |text: &str, name| Err(Failure::Range(text.to_owned(), name));
        if !(1..=12).contains(&self.month) {
            return range("The Month parameter must be in the range 1 through 12.", "month");
        }
        if !(1..=31).contains(&self.day) {
            return range("The Day parameter must be in the range 1 through 31.", "day");
        }
        if !(1..=5).contains(&self.week) {
            return range("The Week parameter must be in the range 1 through 5.", "week");
        }
        if !(0..=6).contains(&self.weekday) {
            let text = "The DayOfWeek enumeration must be in the range 0 through 6.";
            return range(text, "dayOfWeek");
        }
        if self.time % MILLISECOND != 0 || !(0..DAY).contains(&self.time) {
            let text = "The supplied DateTime must have the Year, Month, and Day properties set to \
                        1.  The time cannot be specified more precisely than whole milliseconds.";
            return Err(Failure::Argument(text.to_owned(), "timeOfDay"));
        }
        Ok(self)
    }

    /// When it is in a year.
    fn in_year(&self, year: i32) -> i64 {
        let last = days_in_month(year, self.month);
        let at = |day: i32| from_date(year, self.month, day).unwrap_or(0) + self.time;
        if self.is_fixed {
            return at(self.day.min(last));
        }
        if self.week <= 4 {
            let first = at(1);
            let ahead = (self.weekday - day_of_week(first)).rem_euclid(7);
            return first + i64::from(ahead + 7 * (self.week - 1)) * DAY;
        }
        let end = at(last);
        end - i64::from((day_of_week(end) - self.weekday).rem_euclid(7)) * DAY
    }

    /// The first moment of a year, which stands for a year that begins or ends with daylight time.
    fn is_new_year(&self) -> bool {
        self.month == 1 && self.day == 1 && self.time < 1000 * MILLISECOND
    }
}

/// `TimeZoneInfo.AdjustmentRule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// `DateStart`.
    pub start: i64,
    /// `DateEnd`, the last day.
    pub end: i64,
    /// `DaylightDelta`.
    pub delta: i64,
    /// `DaylightTransitionStart`.
    pub from: Transition,
    /// `DaylightTransitionEnd`.
    pub to: Transition,
    /// What standard time is ahead of the zone's own.
    pub base_delta: i64,
    /// Daylight time holds from the start to the end, whatever the transitions.
    pub is_whole: bool,
}

impl Adjustment {
    /// Checks it as `CreateAdjustmentRule` does. `are_dates` says of start and end that they must be
    /// without a time of day.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn checked(self, are_dates: (bool, bool)) -> Result<Self, Failure> {
        let wrong = |text: &str, name| Err(Failure::Argument(text.to_owned(), name));
        if self.from == self.to && !self.is_whole {
            let text = "The DaylightTransitionStart property must not equal the \
                        DaylightTransitionEnd property.";
            return wrong(text, "daylightTransitionEnd");
        }
        if self.start > self.end {
            let text = "The DateStart property must come before the DateEnd property.";
            return wrong(text, "dateStart");
        }
        if self.delta < -23 * HOUR || self.delta > FARTHEST {
            let text = "The TimeSpan parameter must be within plus or minus 14.0 hours.";
            return Err(Failure::Range(text.to_owned(), "daylightDelta"));
        }
        if self.delta % MINUTE != 0 {
            let text = "The TimeSpan parameter cannot be specified more precisely than whole \
                        minutes.";
            return wrong(text, "daylightDelta");
        }
        let has_time =
            "The supplied DateTime includes a TimeOfDay setting.   This is not supported.";
        if are_dates.0 && self.start % DAY != 0 {
            return wrong(has_time, "dateStart");
        }
        if are_dates.1 && self.end % DAY != 0 && self.end != MAX {
            return wrong(has_time, "dateEnd");
        }
        Ok(self)
    }

    fn has_daylight(&self) -> bool {
        self.delta != 0
            || (self.from != Transition::default() && self.from.time != 0)
            || (self.to != Transition::default() && self.to.time != MILLISECOND)
    }

    fn is_one_year(&self) -> bool {
        date(self.start).year == date(self.end).year
    }

    /// Is it daylight time when the year begins?
    fn begins_with_it(&self) -> bool {
        !self.is_whole && self.from.is_new_year() && self.is_one_year()
    }

    /// Is it daylight time when the year ends?
    fn ends_with_it(&self) -> bool {
        !self.is_whole && self.to.is_new_year() && self.is_one_year()
    }

    /// From when to when clocks show daylight time in a year.
    fn daylight(&self, year: i32) -> (i64, i64) {
        if self.is_whole {
            return (self.start, self.end);
        }
        (self.from.in_year(year), self.to.in_year(year))
    }

    /// Is a time between two of the same or of another year?
    fn holds(&self, (start, end): (i64, i64), time: i64, in_same_years: bool) -> bool {
        if self.is_whole {
            return (start..=end).contains(&time);
        }
        let year = date(start).year;
        let moved = |it: i64| if in_same_years { it } else { in_year(it, year) };
        let (end, time) = (moved(end), moved(time));
        if start > end { time < end || time >= start } else { (start..end).contains(&time) }
    }

    /// Does a clock that shows this time show daylight time? Of an hour shown twice, the second is
    /// meant; an hour that is skipped has none.
    fn is_daylight(&self, clock: i64) -> bool {
        let (start, end) = self.daylight(date(clock).year);
        let forward = self.delta.max(0);
        let start =
            if self.begins_with_it() { first_of(date(start).year) } else { start + forward };
        let end =
            if self.ends_with_it() { first_of(date(end).year + 1) - 1 } else { end - forward };
        self.holds((start, end), clock, false)
    }
}

/// The first moment of a year.
fn first_of(year: i32) -> i64 {
    from_date(year.clamp(1, 9999), 1, 1).unwrap_or(MAX)
}

/// The same day and time in another year.
fn in_year(ticks: i64, year: i32) -> i64 {
    let it = date(ticks.clamp(0, MAX));
    let day = it.day.min(days_in_month(year.clamp(1, 9999), it.month));
    from_date(year, it.month, day).unwrap_or(ticks) + ticks.rem_euclid(DAY)
}

/// The rules of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    base: i64,
    adjustments: Vec<Adjustment>,
    has_daylight: bool,
}

/// Why rules make no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// One rule begins before the one before it has ended.
    #[error(
        "The elements of the AdjustmentRule array must be in chronological order and must not overlap."
    )]
    Order,
    /// Clocks would be too far from UTC.
    #[error(
        "The sum of the BaseUtcOffset and DaylightDelta properties must within plus or minus 14.0 hours."
    )]
    TooFar,
}

impl Rules {
    /// Rules over a standard time; without daylight time if it is `disabled`.
    ///
    /// # Errors
    ///
    /// They overlap, or go too far from UTC.
    pub fn new(
        base: i64,
        adjustments: Vec<Adjustment>,
        disabled: bool,
    ) -> Result<Self, RulesError> {
        let mut last_end = None;
        for it in &adjustments {
            let daylight = if it.has_daylight() { it.delta } else { 0 };
            if (base + it.base_delta + daylight).abs() > FARTHEST {
                return Err(RulesError::TooFar);
            }
            if last_end.replace(it.end).is_some_and(|end| it.start <= end) {
                return Err(RulesError::Order);
            }
        }
        let has_daylight = !adjustments.is_empty() && !disabled;
        Ok(Self { base, adjustments, has_daylight })
    }

    /// `BaseUtcOffset`.
    pub const fn base(&self) -> i64 {
        self.base
    }

    /// `SupportsDaylightSavingTime`.
    pub const fn has_daylight(&self) -> bool {
        self.has_daylight
    }

    /// The rules in order.
    pub fn adjustments(&self) -> &[Adjustment] {
        &self.adjustments
    }

    /// The rule of a day.
    fn rule(&self, clock: i64) -> Option<&Adjustment> {
        let day = clock - clock.rem_euclid(DAY);
        self.adjustments.iter().find(|it| it.start <= day && day <= it.end)
    }

    /// The offset that a clock's reading has, as .NET chooses it.
    pub fn offset_of_clock(&self, clock: i64) -> i64 {
        let Some(rule) = self.rule(clock) else { return self.base };
        let daylight = rule.has_daylight() && rule.is_daylight(clock);
        self.base + rule.base_delta + if daylight { rule.delta } else { 0 }
    }

    /// The offset at a point of UTC, and whether daylight time is on.
    pub fn offset_at(&self, utc: i64) -> (i64, bool) {
        // Years count as standard time shows them; at the ends of the calendar there is no more.
        let clock = (utc + self.base).clamp(0, MAX);
        let Some(rule) = self.rule(clock) else { return (self.base, false) };
        let standard = self.base + rule.base_delta;
        if !rule.has_daylight() {
            return (standard, false);
        }
        let (start, end) = rule.daylight(date(clock).year);
        let year = (date(start).year, date(end).year);
        let mut in_same_years = false;
        let start = if rule.begins_with_it() && year.0 > 1 {
            let before = from_date(year.0 - 1, 12, 31).and_then(|it| self.rule(it));
            match before.filter(|it| it.ends_with_it()) {
                Some(before) => {
                    in_same_years = true;
                    before.daylight(year.0 - 1).0 - self.base - before.base_delta
                }
                None => first_of(year.0) - standard,
            }
        } else {
            start - standard
        };
        let end = if rule.ends_with_it() && year.1 < 9999 {
            let after = from_date(year.1 + 1, 1, 1).and_then(|it| self.rule(it));
            match after.filter(|it| it.begins_with_it()) {
                Some(after) => {
                    in_same_years = true;
                    let end = after.daylight(year.1 + 1).1;
                    let until_year_ends = after.ends_with_it();
                    let end = if until_year_ends { first_of(year.1 + 2) - 1 } else { end };
                    end - self.base - after.base_delta - after.delta
                }
                None => first_of(year.1 + 1) - 1 - standard - rule.delta,
            }
        } else {
            end - standard - rule.delta
        };
        let on = rule.holds((start.max(0), end), utc, in_same_years);
        (standard + if on { rule.delta } else { 0 }, on)
    }

    /// What a clock's reading means.
    pub fn reading(&self, clock: i64) -> Reading {
        let offset = self.offset_of_clock(clock);
        let Some(rule) = self.rule(clock).filter(|it| self.has_daylight && it.delta != 0) else {
            return Reading::One(offset);
        };
        let (start, end) = rule.daylight(date(clock).year);
        let (standard, delta) = (self.base + rule.base_delta, rule.delta);
        // Put forward, clocks skip an hour at the start and show one twice at the end.
        let (skipped, twice) = if delta > 0 { (start, end) } else { (end, start) };
        let (is_first, is_last) = (rule.begins_with_it(), rule.ends_with_it());
        let (no_gap, no_fold) = if delta > 0 { (is_first, is_last) } else { (is_last, is_first) };
        let length = delta.abs();
        if !no_gap && (skipped..skipped + length).contains(&clock) {
            return Reading::Skipped(standard, standard + delta);
        }
        if !no_fold && (twice - length..twice).contains(&clock) {
            return Reading::Twice(standard + delta, standard);
        }
        Reading::One(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Rules {
        let it = Adjustment {
            start: 0,
            end: from_date(9999, 12, 31).unwrap(),
            delta: HOUR,
            from: Transition::floating(2 * HOUR, 3, 5, 0).unwrap(),
            to: Transition::floating(3 * HOUR, 10, 5, 0).unwrap(),
            base_delta: 0,
            is_whole: false,
        };
        Rules::new(HOUR, vec![it], false).unwrap()
    }

    fn at(month: i32, day: i32, minutes: i64) -> i64 {
        from_date(2024, month, day).unwrap() + minutes * MINUTE
    }

    #[test]
    fn rules_tell_what_the_zone_data_tell() {
        let (own, data) = (berlin(), super::super::zones::Zone::find("Europe/Berlin").unwrap());
        for day in 0..366 {
            for half_hour in 0..48 {
                let time = at(1, 1, 0) + day * DAY + half_hour * 30 * MINUTE;
                assert_eq!(own.offset_at(time), data.offset_at(time));
                assert_eq!(own.reading(time), data.reading(time), "{time}");
            }
        }
    }

    #[test]
    fn rules_must_not_overlap_nor_go_too_far() {
        let one = berlin().adjustments()[0].clone();
        let doubled = Rules::new(0, vec![one.clone(), one.clone()], false);
        assert_eq!(doubled.unwrap_err(), RulesError::Order);
        assert_eq!(Rules::new(14 * HOUR, vec![one], false).unwrap_err(), RulesError::TooFar);
    }

    #[test]
    fn transitions_are_checked() {
        assert!(Transition::fixed(0, 13, 1).is_err() && Transition::fixed(0, 1, 32).is_err());
        assert!(Transition::floating(0, 1, 6, 0).is_err());
        assert!(Transition::floating(DAY, 1, 5, 0).is_err());
        assert_eq!(Transition::fixed(0, 2, 31).unwrap().in_year(2024), at(2, 29, 0));
    }
}
