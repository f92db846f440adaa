//! Values of a record: variables with their types, dates, durations, GUIDs.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clr::host::Variables;
use clr::rows;
use clr::types::names;
use clr::value::time::{TICKS_PER_SECOND, UNIX_EPOCH_TICKS};
use clr::value::{DateTime, JwtValue};
use serde_json::Value as Json;

use expr::{EvalCx, Limits, Runtime, Type, Value};

use super::parts::response;
use super::recorded::{RecordedHost, RecordingFault, fault};

type Result<T> = std::result::Result<T, RecordingFault>;

pub(super) fn variables(of: Option<&Json>) -> Result<Variables> {
    let mut all = Variables::default();
    for (name, value) in of.and_then(Json::as_object).into_iter().flatten() {
        let value = variable(value).ok_or_else(|| fault(&format!("Variables.{name}")))?;
        all.set(name.as_str(), value);
    }
    Ok(all)
}

fn variable(of: &Json) -> Option<Value> {
    Some(match of {
        Json::Null => Value::Null,
        Json::Bool(it) => Value::from(*it),
        Json::String(it) => Value::from(it.as_str()),
        Json::Number(it) => match it.as_i64() {
            Some(it) => Value::from(i32::try_from(it).ok()?),
            None => Value::from(it.as_f64()?),
        },
        Json::Object(it) => typed(it.get("type")?.as_str()?, it.get("value")?)?,
        Json::Array(_) => return None,
    })
}

fn typed(kind: &str, value: &Json) -> Option<Value> {
    let text = value.as_str();
    Some(match kind {
        "string" | "bool" => variable(value)?,
        "int" => Value::from(i32::try_from(value.as_i64()?).ok()?),
        "long" => Value::from(value.as_i64()?),
        "double" => Value::from(value.as_f64()?),
        "decimal" => Value::Decimal(text?.parse().ok()?),
        "guid" => Value::Guid(guid(text?)?),
        "datetime" => Value::DateTime(date(value).ok()?),
        "timespan" => Value::TimeSpan(ticks(text?)?),
        "bytes" => Value::from(STANDARD.decode(text?).ok()?),
        "strings" => Value::array(
            Type::String,
            value.as_array()?.iter().map(variable).collect::<Option<_>>()?,
        ),
        "jobject" => parsed(names::JOBJECT, text?)?,
        "jarray" => parsed(names::JARRAY, text?)?,
        "jtoken" => parsed(names::JTOKEN, text?)?,
        "xelement" => parsed(names::XELEMENT, text?)?,
        "response" => Value::response(Arc::new(response(value).ok()?)),
        "jwt" => Value::jwt(JwtValue::parse(text?)?),
        _ => return None,
    })
}

/// What `T.Parse` of the library makes of a text.
fn parsed(name: &str, text: &str) -> Option<Value> {
    expr::load_types();
    let host = RecordedHost::default();
    let mut cx = EvalCx::new(&host, Runtime::Modern, Limits::default());
    rows::parse(name, text.into(), &mut cx).ok()
}

pub(super) fn guid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|it| *it != '-').collect();
    if digits.len() != 32 {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

pub(super) fn date(of: &Json) -> Result<DateTime> {
    let parsed: Option<jiff::Timestamp> = of.as_str().and_then(|it| it.parse().ok());
    let parsed = parsed.ok_or_else(|| fault("a date"))?;
    let ticks = i64::try_from(parsed.as_nanosecond() / 100).map_err(|_| fault("a date"))?;
    Ok(DateTime::utc(UNIX_EPOCH_TICKS.saturating_add(ticks)))
}

pub(super) fn elapsed(of: &Json) -> Result<Duration> {
    let ticks = of.as_str().and_then(ticks).and_then(|it| u64::try_from(it).ok());
    ticks.map(|it| Duration::from_nanos(it.saturating_mul(100))).ok_or_else(|| fault("Elapsed"))
}

/// `[-][d.]hh:mm:ss[.fffffff]` in ticks.
fn ticks(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut parts = text.split(':');
    let (first, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let fraction: i64 = format!("{fraction:0<7}").parse().ok()?;
    let number = |it: &str| it.parse::<i64>().ok();
    let hours = number(days)? * 24 + number(hours)?;
    let all = (hours * 60 + number(minutes)?) * 60 + number(seconds)?;
    Some(sign * (all * TICKS_PER_SECOND + fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_guids_are_read() {
        assert_eq!(ticks("-1.00:00:01"), Some(-864_010_000_000));
        assert_eq!(ticks("x"), None);
        assert_eq!(guid("0f8fad5b-d9cb-469f-a165-70867728950e").map(|it| it[0]), Some(0x0f));
        assert_eq!(guid("0f8f"), None);
    }
}
