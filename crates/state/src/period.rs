//! The fixed periods of quotas: the k-th begins at `origin + k * length`.

use std::time::Duration;

use crate::counters::Period;

/// The start of the period that a moment lies in, and its length; (0, 0) if it has no end.
pub(crate) fn current(period: Period, now_ms: i64) -> (i64, u64) {
    match length(period) {
        0 => (0, 0),
        length => (now_ms.saturating_sub(since(period.origin_ms, length, now_ms)), length),
    }
}

/// Time until the next period; `None` if there is none.
pub(crate) fn left(period: Period, now_ms: i64) -> Option<Duration> {
    let length = length(period);
    if length == 0 {
        return None;
    }
    let since = since(period.origin_ms, length, now_ms);
    Some(Duration::from_millis(length.saturating_sub(since.unsigned_abs())))
}

/// Whether a period that began then has ended.
pub(crate) fn is_over(start_ms: i64, length_ms: u64, now_ms: i64) -> bool {
    let end = i128::from(start_ms) + i128::from(length_ms);
    length_ms > 0 && end <= i128::from(now_ms)
}

/// Length in milliseconds, 0 if it has no end.
pub(crate) fn length(period: Period) -> u64 {
    period.length.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
}

/// Time since the period began: from 0 up to its length.
fn since(origin_ms: i64, length_ms: u64, now_ms: i64) -> i64 {
    // Narrow arithmetic is much quicker, and enough for the years 1 to 9999.
    match (now_ms.checked_sub(origin_ms), i64::try_from(length_ms)) {
        (Some(since), Ok(length)) => since.rem_euclid(length.max(1)),
        _ => {
            let since = i128::from(now_ms) - i128::from(origin_ms);
            i64::try_from(since.rem_euclid(i128::from(length_ms.max(1)))).unwrap_or(i64::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(origin_ms: i64) -> Period {
        Period { origin_ms, length: Some(Duration::from_secs(3600)) }
    }

    #[test]
    fn periods_are_counted_from_their_origin_on_both_sides() {
        let year_one = -62_135_596_800_000;
        for (origin, now, start, left_ms) in [
            (0, 0, 0, 3_600_000),
            (0, 3_599_999, 0, 1),
            (0, 3_600_000, 3_600_000, 3_600_000),
            (1_000, 3_600_500, 1_000, 500),
            (10_000_000, 5, -800_000, 2_799_995),
            (year_one, 1_767_225_600_000, 1_767_225_600_000, 3_600_000),
        ] {
            let (found, length) = current(hourly(origin), now);
            assert_eq!((found, length), (start, 3_600_000), "{origin} {now}");
            assert_eq!(left(hourly(origin), now), Some(Duration::from_millis(left_ms)));
            assert!(!is_over(start, length, now) && is_over(start, length, now + left_ms as i64));
        }
    }

    #[test]
    fn a_period_without_end_is_never_over() {
        let forever = Period { origin_ms: 5, length: None };
        assert_eq!((current(forever, 99), left(forever, 99)), ((0, 0), None));
        assert!(!is_over(0, 0, i64::MAX));
    }
}
