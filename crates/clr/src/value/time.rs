//! Points in time as .NET counts them: ticks of 100 ns since 0001-01-01.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `System.DateTimeKind`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DateTimeKind {
    /// Neither.
    #[default]
    Unspecified,
    /// UTC.
    Utc,
    /// Local time, which is UTC here.
    Local,
}

/// `System.DateTime`. Equality here includes the kind; C#'s `==` compares [`DateTime::ticks`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// 100 ns since 0001-01-01.
    pub ticks: i64,
    /// What clock it is of.
    pub kind: DateTimeKind,
}

/// `System.DateTimeOffset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DateTimeOffset {
    /// 100 ns since 0001-01-01, on the clock at that offset.
    pub ticks: i64,
    /// Minutes east of UTC.
    pub offset_minutes: i16,
}

/// Ticks in a second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;
/// Ticks at 1970-01-01.
pub const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;
/// The last tick of the year 9999.
pub const MAX_TICKS: i64 = 3_155_378_975_999_999_999;

impl DateTime {
    /// UTC time of ticks.
    #[must_use]
    pub const fn utc(ticks: i64) -> Self {
        Self { ticks, kind: DateTimeKind::Utc }
    }

    /// The system's time as UTC, clamped to the years 1 to 9999.
    #[must_use]
    pub fn from_system(time: SystemTime) -> Self {
        let ticks_of = |it: Duration| i64::try_from(it.as_nanos() / 100).unwrap_or(MAX_TICKS);
        let ticks = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => UNIX_EPOCH_TICKS.saturating_add(ticks_of(after)),
            Err(before) => UNIX_EPOCH_TICKS.saturating_sub(ticks_of(before.duration())),
        };
        Self::utc(ticks.clamp(0, MAX_TICKS))
    }
}

impl DateTimeOffset {
    /// The same point in time in ticks of UTC.
    #[must_use]
    pub fn utc_ticks(self) -> i64 {
        self.ticks.saturating_sub(i64::from(self.offset_minutes) * 60 * TICKS_PER_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unix_epoch_has_its_ticks() {
        assert_eq!(DateTime::from_system(UNIX_EPOCH), DateTime::utc(UNIX_EPOCH_TICKS));
        let later = UNIX_EPOCH + Duration::from_millis(1500);
        assert_eq!(DateTime::from_system(later).ticks - UNIX_EPOCH_TICKS, 15_000_000);
    }

    #[test]
    fn an_offset_east_is_ahead_of_utc() {
        let it = DateTimeOffset { ticks: 36_000_000_000, offset_minutes: 60 };
        assert_eq!(it.utc_ticks(), 0);
    }
}
