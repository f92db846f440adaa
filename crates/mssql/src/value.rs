//! Values of a row as JSON: numbers, texts, truth values and null. Dates are texts of ISO 8601, bytes
//! texts in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};
use tiberius::ColumnData;
use tiberius::time::{Date, DateTime2, Time};

/// Days from 0001-01-01 to 1970-01-01, and from 1900-01-01.
const FROM_YEAR_1: i64 = 719_162;
const FROM_1900: i64 = 25_567;
/// Units of `datetime` in a second.
const FRAGMENTS: u64 = 300;

/// What a value is in JSON.
pub(crate) fn json(value: &ColumnData<'static>) -> Value {
    let found = match value {
        ColumnData::U8(it) => it.map(Value::from),
        ColumnData::I16(it) => it.map(Value::from),
        ColumnData::I32(it) => it.map(Value::from),
        ColumnData::I64(it) => it.map(Value::from),
        ColumnData::F32(it) => it.and_then(|it| number(&it.to_string())),
        ColumnData::F64(it) => it.and_then(|it| number(&it.to_string())),
        ColumnData::Bit(it) => it.map(Value::from),
        ColumnData::String(it) => it.as_deref().map(Value::from),
        ColumnData::Guid(it) => it.map(|it| Value::from(it.to_string())),
        ColumnData::Binary(it) => it.as_deref().map(|it| Value::from(STANDARD.encode(it))),
        ColumnData::Numeric(it) => it.and_then(|it| number(&decimal(it.value(), it.scale()))),
        ColumnData::Xml(it) => it.as_deref().map(|it| Value::from(it.clone().into_string())),
        ColumnData::DateTime(it) => it.map(|it| {
            let day = i64::from(it.days()) - FROM_1900;
            let milliseconds =
                (u64::from(it.seconds_fragments()) * 1000 + FRAGMENTS / 2) / FRAGMENTS;
            Value::from(format!("{}T{}", date(day), clock(milliseconds, 3)))
        }),
        ColumnData::SmallDateTime(it) => it.map(|it| {
            let day = i64::from(it.days()) - FROM_1900;
            let seconds = u64::from(it.seconds_fragments()) * 60;
            Value::from(format!("{}T{}", date(day), clock(seconds, 0)))
        }),
        ColumnData::Time(it) => it.map(|it| Value::from(time(it))),
        ColumnData::Date(it) => it.map(|it| Value::from(date(day(it)))),
        ColumnData::DateTime2(it) => it.map(|it| Value::from(instant(it, 0))),
        ColumnData::DateTimeOffset(it) => it.map(|it| {
            let minutes = it.offset();
            let (sign, size) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
            let at = instant(it.datetime2(), minutes);
            Value::from(format!("{at}{sign}{:02}:{:02}", size / 60, size % 60))
        }),
    };
    found.unwrap_or(Value::Null)
}

/// A number with the digits that it has; none that JSON cannot have.
fn number(text: &str) -> Option<Value> {
    text.parse::<Number>().ok().map(Value::Number)
}

fn decimal(value: i128, scale: u8) -> String {
    let (sign, digits) = (if value < 0 { "-" } else { "" }, value.unsigned_abs().to_string());
    let scale = usize::from(scale);
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at(digits.len().saturating_sub(scale));
    format!("{sign}{whole}.{part}")
}

fn day(date: Date) -> i64 {
    i64::from(date.days()) - FROM_YEAR_1
}

fn time(it: Time) -> String {
    clock(it.increments(), it.scale())
}

/// Date and time, so many minutes later.
fn instant(it: DateTime2, minutes: i16) -> String {
    let unit = 10_i128.pow(u32::from(it.time().scale().min(9)));
    let in_day = 86_400 * unit;
    let units = i128::from(day(it.date())) * in_day
        + i128::from(it.time().increments())
        + i128::from(minutes) * 60 * unit;
    let day = i64::try_from(units.div_euclid(in_day)).unwrap_or_default();
    let left = u64::try_from(units.rem_euclid(in_day)).unwrap_or_default();
    format!("{}T{}", date(day), clock(left, it.time().scale()))
}

/// The time of a day, in units of a tenth to the power of `scale` of a second.
fn clock(units: u64, scale: u8) -> String {
    let scale = scale.min(9);
    let unit = 10_u64.pow(u32::from(scale));
    let (seconds, part) = (units / unit, units % unit);
    let whole = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match scale {
        0 => whole,
        _ => format!("{whole}.{part:0>width$}", width = usize::from(scale)),
    }
}

/// A day, counted from 1970-01-01, in the Gregorian calendar.
fn date(day: i64) -> String {
    // Years that begin in March, eras of 400 of them.
    let shifted = day + 719_468;
    let (era, in_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use tiberius::Uuid;
    use tiberius::numeric::Numeric;
    use tiberius::time::{DateTime, DateTimeOffset, SmallDateTime};

    use super::*;

    #[test]
    fn values_are_json() {
        let noon = |scale: u8| Time::new(12 * 3600 * 10_u64.pow(scale.into()) + 5, scale);
        let day = Date::new(738_944);
        for (value, expected) in [
            (ColumnData::U8(Some(255)), "255"),
            (ColumnData::I16(Some(-1)), "-1"),
            (ColumnData::I32(None), "null"),
            (ColumnData::I64(Some(i64::MIN)), "-9223372036854775808"),
            (ColumnData::F32(Some(1.5)), "1.5"),
            (ColumnData::F64(Some(f64::NAN)), "null"),
            (ColumnData::Bit(Some(true)), "true"),
            (ColumnData::String(Some(Cow::from("é\""))), r#""é\"""#),
            (
                ColumnData::Guid(Some(Uuid::from_u128(1))),
                r#""00000000-0000-0000-0000-000000000001""#,
            ),
            (ColumnData::Binary(Some(Cow::from(vec![0, 255]))), r#""AP8=""#),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(-5, 3))), "-0.005"),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(12_345, 2))), "123.45"),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(7, 0))), "7"),
            (ColumnData::DateTime(Some(DateTime::new(0, 1))), r#""1900-01-01T00:00:00.003""#),
            (
                ColumnData::DateTime(Some(DateTime::new(45_350, 300))),
                r#""2024-03-01T00:00:01.000""#,
            ),
            (
                ColumnData::SmallDateTime(Some(SmallDateTime::new(45_349, 61))),
                r#""2024-02-29T01:01:00""#,
            ),
            (ColumnData::Time(Some(noon(0))), r#""12:00:05""#),
            (ColumnData::Time(Some(noon(7))), r#""12:00:00.0000005""#),
            (ColumnData::Date(Some(Date::new(0))), r#""0001-01-01""#),
            (ColumnData::Date(Some(day)), r#""2024-02-29""#),
            (
                ColumnData::DateTime2(Some(DateTime2::new(day, noon(3)))),
                r#""2024-02-29T12:00:00.005""#,
            ),
            (
                ColumnData::DateTimeOffset(Some(DateTimeOffset::new(
                    DateTime2::new(day, noon(0)),
                    750,
                ))),
                r#""2024-03-01T00:30:05+12:30""#,
            ),
            (
                ColumnData::DateTimeOffset(Some(DateTimeOffset::new(
                    DateTime2::new(day, noon(0)),
                    -30,
                ))),
                r#""2024-02-29T11:30:05-00:30""#,
            ),
        ] {
            assert_eq!(json(&value).to_string(), expected, "{value:?}");
        }
    }
}
