//! What `DateTime` and `DateTimeOffset` have in common: parts, arithmetic, order, reading.

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, FromValue};
use clr::types::Type;
use clr::value::{Array, DateTime, DateTimeOffset, Value};
use dotnet::Str;
use dotnet::text::time::{self, Styles};

use super::enums::DATE_TIME_STYLES;
use super::out_of_range;

/// A point in time.
pub(super) trait Moment: FromValue {
    /// What its clock shows, in ticks.
    fn clock(&self) -> i64;
    /// What it is compared by, in ticks.
    fn order(&self) -> i64;
    /// The same with another clock.
    ///
    /// # Errors
    ///
    /// If there is no such moment.
    fn at(self, clock: i64) -> Result<Value, Exception>;
}

impl Moment for DateTime {
    fn clock(&self) -> i64 {
        self.ticks
    }

    fn order(&self) -> i64 {
        self.ticks
    }

    fn at(self, clock: i64) -> Result<Value, Exception> {
        Ok(DateTime { ticks: clock, ..self }.into())
    }
}

impl Moment for DateTimeOffset {
    fn clock(&self) -> i64 {
        self.ticks
    }

    fn order(&self) -> i64 {
        self.utc_ticks()
    }

    fn at(self, clock: i64) -> Result<Value, Exception> {
        super::datetimeoffset::made(clock, self.offset_minutes)
    }
}

/// A part of the clock: `Year`, `Hour`.
pub(super) fn field<M: Moment>(args: &mut Args<'_>, f: fn(i64) -> i32) -> Result<Value, Exception> {
    let (it,): (M,) = args.get()?;
    Ok(f(it.clock()).into())
}

/// `AddDays` and its like.
pub(super) fn add<M: Moment>(
    args: &mut Args<'_>,
    milliseconds: f64,
    cx: &EvalCx<'_>,
) -> Result<Value, Exception> {
    let (it, value): (M, f64) = args.get()?;
    let clock = time::add_scaled(it.clock(), value, milliseconds, cx.runtime())?;
    it.at(clock)
}

/// `Add(TimeSpan)`, `Subtract(TimeSpan)`.
pub(super) fn shift<M: Moment>(args: &mut Args<'_>, sign: i64) -> Result<Value, Exception> {
    let (it, span): (M, i64) = args.get()?;
    let moved = span.checked_mul(sign).and_then(|by| it.clock().checked_add(by));
    let clock = time::in_range(moved)?;
    it.at(clock)
}

/// The time between two.
pub(super) fn difference<M: Moment>(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (a, b): (M, M) = args.get()?;
    Ok(Value::TimeSpan(a.order() - b.order()))
}

/// Compares two.
pub(super) fn order<M: Moment>(
    args: &mut Args<'_>,
    f: fn(&i64, &i64) -> bool,
) -> Result<Value, Exception> {
    let (a, b): (M, M) = args.get()?;
    Ok(f(&a.order(), &b.order()).into())
}

/// The ticks of the midnight before now.
pub(super) fn today(cx: &EvalCx<'_>) -> i64 {
    let now = cx.utc_now().ticks;
    now - now.rem_euclid(time::DAY)
}

/// The ticks of year, month, day and what follows of hour, minute, second, millisecond.
pub(super) fn ticks_of(parts: &[i32]) -> Result<i64, Exception> {
    let at = |index: usize| parts.get(index).copied().unwrap_or(0);
    let date = time::from_date(at(0), at(1), at(2)).ok_or_else(|| {
        out_of_range("Year, Month, and Day parameters describe an un-representable DateTime.", "")
    })?;
    let clock = time::from_time(at(3), at(4), at(5)).ok_or_else(|| {
        out_of_range(
            "Hour, Minute, and Second parameters describe an un-representable DateTime.",
            "",
        )
    })?;
    if !(0..1000).contains(&at(6)) {
        let text = "Valid values are between 0 and 999, inclusive.";
        return Err(out_of_range(text, "millisecond"));
    }
    Ok(date + clock + i64::from(at(6)) * time::MILLISECOND)
}

/// The styles among the arguments.
pub(super) fn styles(args: &Args<'_>) -> Result<Styles, Exception> {
    let given = args.values().iter().find_map(|it| match it {
        Value::Enum(def, styles) if def.name == DATE_TIME_STYLES => Some(*styles),
        _ => None,
    });
    Ok(Styles(u32::try_from(given.unwrap_or(0)).unwrap_or(u32::MAX)).checked()?)
}

/// Reads by the format, or by the first that fits of several.
pub(super) fn exact(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<time::Parsed, Exception> {
    let text: Str = args.arg(0)?;
    cx.steps(text.len() as u64 / 16)?;
    let (day, styles) = (today(cx), styles(args)?);
    let formats = match args.value(1) {
        Value::Array(_) => args.arg::<Arc<Array>>(1)?.to_vec(),
        _ => vec![Value::String(args.arg(1)?)],
    };
    let mut last = Exception::format("String was not recognized as a valid DateTime.");
    for format in formats {
        cx.step()?;
        let format = format.as_str().unwrap_or_default();
        match time::parse_exact(text.as_str(), format, styles, day) {
            Ok(parsed) => return Ok(parsed),
            Err(failure) => last = failure.into(),
        }
    }
    Err(last)
}

/// Turns the failure of a row that parses into `false`; the last argument is the result.
pub(super) fn tried(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    parse: fn(&mut Args<'_>, &mut EvalCx<'_>) -> Result<Value, Exception>,
) -> Result<Value, Exception> {
    let last = args.len() - 1;
    styles(args)?;
    let default = match args.member().params.last() {
        Some(Type::Out(of)) => clr::rows::default_value(**of),
        _ => Value::Null,
    };
    let parsed = match parse(args, cx) {
        Err(stopped) if !stopped.is_catchable() => return Err(stopped),
        other => other.ok(),
    };
    let found = parsed.is_some();
    args.set_out(last, parsed.unwrap_or(default));
    Ok(found.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_ticks_or_are_refused() {
        assert_eq!(ticks_of(&[1, 1, 1, 0, 0, 1]).unwrap(), time::SECOND);
        for parts in [&[2024, 13, 1][..], &[2024, 1, 1, 24], &[2024, 1, 1, 0, 0, 0, 1000]] {
            assert!(ticks_of(parts).is_err(), "{parts:?}");
        }
    }
}
