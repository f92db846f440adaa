//! `System.TimeSpan`: <https://learn.microsoft.com/dotnet/api/system.timespan>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::Str;
use dotnet::text::Failure;
use dotnet::text::time::{DAY, HOUR, MILLISECOND, MINUTE, SECOND, span};

use super::PROVIDER;
use super::integers::{compare, equals, to_text};

pub(crate) const TYPE: TypeDef = TypeDef::structure("System.TimeSpan", MEMBERS)
    .bases(&[Type::named(names::ICOMPARABLE), Type::named(names::IFORMATTABLE)]);

const SPAN: Type = Type::TimeSpan;
const INT: Type = Type::Int32;
const LONG: Type = Type::Int64;
const DOUBLE: Type = Type::Double;
const STRING: Type = Type::String;
const PAIR: &[Type] = &[SPAN, SPAN];

const MEMBERS: &[Member] = &[
    Member::static_property("Zero", SPAN, |_, _| Ok(Value::TimeSpan(0))),
    Member::static_property("MaxValue", SPAN, |_, _| Ok(Value::TimeSpan(i64::MAX))),
    Member::static_property("MinValue", SPAN, |_, _| Ok(Value::TimeSpan(i64::MIN))),
    Member::constant("TicksPerMillisecond", LONG, Constant::Integer(MILLISECOND)),
    Member::constant("TicksPerSecond", LONG, Constant::Integer(SECOND)),
    Member::constant("TicksPerMinute", LONG, Constant::Integer(MINUTE)),
    Member::constant("TicksPerHour", LONG, Constant::Integer(HOUR)),
    Member::constant("TicksPerDay", LONG, Constant::Integer(DAY)),
    Member::constructor(&[LONG], SPAN, |args, _| {
        let (ticks,): (i64,) = args.get()?;
        Ok(Value::TimeSpan(ticks))
    })
    .params(&["ticks"]),
    Member::constructor(&[INT, INT, INT], SPAN, |args, _| {
        let (hours, minutes, seconds): (i32, i32, i32) = args.get()?;
        of_parts([0, hours, minutes, seconds, 0])
    })
    .params(&["hours", "minutes", "seconds"]),
    Member::constructor(&[INT, INT, INT, INT], SPAN, |args, _| {
        let (days, hours, minutes, seconds): (i32, i32, i32, i32) = args.get()?;
        of_parts([days, hours, minutes, seconds, 0])
    })
    .params(&["days", "hours", "minutes", "seconds"]),
    Member::constructor(&[INT, INT, INT, INT, INT], SPAN, |args, _| {
        let (days, hours, minutes, seconds, rest): (i32, i32, i32, i32, i32) = args.get()?;
        of_parts([days, hours, minutes, seconds, rest])
    })
    .params(&["days", "hours", "minutes", "seconds", "milliseconds"]),
    Member::static_method("FromDays", &[DOUBLE], SPAN, |args, cx| from(args, cx, DAY))
        .params(&["value"]),
    Member::static_method("FromHours", &[DOUBLE], SPAN, |args, cx| from(args, cx, HOUR))
        .params(&["value"]),
    Member::static_method("FromMinutes", &[DOUBLE], SPAN, |args, cx| from(args, cx, MINUTE))
        .params(&["value"]),
    Member::static_method("FromSeconds", &[DOUBLE], SPAN, |args, cx| from(args, cx, SECOND))
        .params(&["value"]),
    Member::static_method("FromMilliseconds", &[DOUBLE], SPAN, |args, cx| {
        from(args, cx, MILLISECOND)
    })
    .params(&["value"]),
    Member::static_method("FromTicks", &[LONG], SPAN, |args, _| {
        let (ticks,): (i64,) = args.get()?;
        Ok(Value::TimeSpan(ticks))
    })
    .params(&["value"]),
    Member::property("Ticks", LONG, |args, _| {
        let (ticks,): (i64,) = args.get()?;
        Ok(ticks.into())
    }),
    Member::property("Days", INT, |args, _| part(args, DAY, i64::MAX)),
    Member::property("Hours", INT, |args, _| part(args, HOUR, 24)),
    Member::property("Minutes", INT, |args, _| part(args, MINUTE, 60)),
    Member::property("Seconds", INT, |args, _| part(args, SECOND, 60)),
    Member::property("Milliseconds", INT, |args, _| part(args, MILLISECOND, 1000)),
    Member::property("TotalDays", DOUBLE, |args, _| total(args, DAY)),
    Member::property("TotalHours", DOUBLE, |args, _| total(args, HOUR)),
    Member::property("TotalMinutes", DOUBLE, |args, _| total(args, MINUTE)),
    Member::property("TotalSeconds", DOUBLE, |args, _| total(args, SECOND)),
    Member::property("TotalMilliseconds", DOUBLE, |args, _| {
        let (ticks,): (i64,) = args.get()?;
        // .NET keeps it within what `FromMilliseconds` takes.
        let most = (i64::MAX / MILLISECOND) as f64;
        Ok((ticks as f64 / MILLISECOND as f64).clamp(-most, most).into())
    }),
    Member::method("Add", &[SPAN], SPAN, |args, _| two(args, i64::checked_add)).params(&["ts"]),
    Member::method("Subtract", &[SPAN], SPAN, |args, _| two(args, i64::checked_sub))
        .params(&["ts"]),
    Member::method("Multiply", &[DOUBLE], SPAN, |args, _| multiply(args, 0, 1)).params(&["factor"]),
    Member::method("Divide", &[DOUBLE], SPAN, |args, _| divide(args)).params(&["divisor"]),
    Member::method("Divide", &[SPAN], DOUBLE, |args, _| ratio(args)).params(&["ts"]),
    Member::method("Negate", &[], SPAN, |args, _| one(args, i64::checked_neg)),
    Member::method("Duration", &[], SPAN, |args, _| one(args, i64::checked_abs)),
    Member::method("Equals", &[SPAN], Type::Bool, equals).params(&["obj"]),
    Member::static_method("Equals", PAIR, Type::Bool, equals).params(&["t1", "t2"]),
    Member::static_method("Compare", PAIR, INT, compare).params(&["t1", "t2"]),
    Member::method("CompareTo", &[SPAN], INT, compare).params(&["value"]),
    Member::method("CompareTo", &[Type::Object], INT, compare).params(&["value"]),
    Member::static_method("Parse", &[STRING], SPAN, parse).params(&["s"]),
    Member::static_method("Parse", &[STRING, PROVIDER], SPAN, parse)
        .params(&["input", "formatProvider"]),
    Member::static_method("TryParse", &[STRING, Type::Out(&Type::TimeSpan)], Type::Bool, try_parse)
        .params(&["s", "result"]),
    Member::static_method(
        "TryParse",
        &[STRING, PROVIDER, Type::Out(&Type::TimeSpan)],
        Type::Bool,
        try_parse,
    )
    .params(&["input", "formatProvider", "result"]),
    Member::static_method("ParseExact", &[STRING, STRING, PROVIDER], SPAN, parse_exact).params(&[
        "input",
        "format",
        "formatProvider",
    ]),
    Member::static_method("ParseExact", &[STRING, Type::STRINGS, PROVIDER], SPAN, parse_exact)
        .params(&["input", "formats", "formatProvider"]),
    Member::static_method(
        "TryParseExact",
        &[STRING, STRING, PROVIDER, Type::Out(&Type::TimeSpan)],
        Type::Bool,
        try_parse_exact,
    )
    .params(&["input", "format", "formatProvider", "result"]),
    Member::static_method(
        "TryParseExact",
        &[STRING, Type::STRINGS, PROVIDER, Type::Out(&Type::TimeSpan)],
        Type::Bool,
        try_parse_exact,
    )
    .params(&["input", "formats", "formatProvider", "result"]),
    crate::language::span::try_format_row(),
    Member::method("ToString", &[STRING], STRING, to_text).params(&["format"]),
    Member::method("ToString", &[STRING, PROVIDER], STRING, to_text)
        .params(&["format", "formatProvider"]),
    Member::operator("+", PAIR, SPAN, |args, _| two(args, i64::checked_add)),
    Member::operator("-", PAIR, SPAN, |args, _| two(args, i64::checked_sub)),
    Member::operator("-", &[SPAN], SPAN, |args, _| one(args, i64::checked_neg)),
    Member::operator("+", &[SPAN], SPAN, |args, _| one(args, Some)),
    Member::operator("*", &[SPAN, DOUBLE], SPAN, |args, _| multiply(args, 0, 1)),
    Member::operator("*", &[DOUBLE, SPAN], SPAN, |args, _| multiply(args, 1, 0)),
    Member::operator("/", &[SPAN, DOUBLE], SPAN, |args, _| divide(args)),
    Member::operator("/", PAIR, DOUBLE, |args, _| ratio(args)),
    Member::operator("==", PAIR, Type::Bool, |args, _| order(args, i64::eq)),
    Member::operator("!=", PAIR, Type::Bool, |args, _| order(args, i64::ne)),
    Member::operator("<", PAIR, Type::Bool, |args, _| order(args, i64::lt)),
    Member::operator("<=", PAIR, Type::Bool, |args, _| order(args, i64::le)),
    Member::operator(">", PAIR, Type::Bool, |args, _| order(args, i64::gt)),
    Member::operator(">=", PAIR, Type::Bool, |args, _| order(args, i64::ge)),
];

fn too_long() -> Exception {
    let text = "TimeSpan overflowed because the duration is too long.";
    Failure::Overflow(text.to_owned()).into()
}

fn of_parts([days, hours, minutes, seconds, rest]: [i32; 5]) -> Result<Value, Exception> {
    let units =
        [(days, DAY), (hours, HOUR), (minutes, MINUTE), (seconds, SECOND), (rest, MILLISECOND)];
    let ticks: i128 = units.iter().map(|(n, unit)| i128::from(*n) * i128::from(*unit)).sum();
    let ticks = i64::try_from(ticks);
    ticks.map(Value::TimeSpan).map_err(|_| {
        super::out_of_range("TimeSpan overflowed because the duration is too long.", "")
    })
}

fn from(args: &mut Args<'_>, cx: &mut EvalCx<'_>, unit: i64) -> Result<Value, Exception> {
    let (value,): (f64,) = args.get()?;
    Ok(Value::TimeSpan(span::from_units(value, unit, cx.runtime())?))
}

fn part(args: &mut Args<'_>, unit: i64, most: i64) -> Result<Value, Exception> {
    let (ticks,): (i64,) = args.get()?;
    Ok(((ticks / unit % most) as i32).into())
}

fn total(args: &mut Args<'_>, unit: i64) -> Result<Value, Exception> {
    let (ticks,): (i64,) = args.get()?;
    Ok((ticks as f64 / unit as f64).into())
}

fn one(args: &mut Args<'_>, f: fn(i64) -> Option<i64>) -> Result<Value, Exception> {
    let (ticks,): (i64,) = args.get()?;
    f(ticks).map(Value::TimeSpan).ok_or_else(too_long)
}

fn two(args: &mut Args<'_>, f: fn(i64, i64) -> Option<i64>) -> Result<Value, Exception> {
    let (a, b): (i64, i64) = args.get()?;
    f(a, b).map(Value::TimeSpan).ok_or_else(too_long)
}

fn order(args: &mut Args<'_>, f: fn(&i64, &i64) -> bool) -> Result<Value, Exception> {
    let (a, b): (i64, i64) = args.get()?;
    Ok(f(&a, &b).into())
}

fn multiply(args: &mut Args<'_>, ticks: usize, factor: usize) -> Result<Value, Exception> {
    let (ticks, factor): (i64, f64) = (args.arg(ticks)?, args.arg(factor)?);
    if factor.is_nan() {
        return Err(Exception::argument(
            "TimeSpan does not accept floating point Not-a-Number values.",
        ));
    }
    Ok(Value::TimeSpan(span::scaled(ticks as f64 * factor)?))
}

fn divide(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (ticks, divisor): (i64, f64) = args.get()?;
    if divisor.is_nan() {
        return Err(Exception::argument(
            "TimeSpan does not accept floating point Not-a-Number values.",
        ));
    }
    Ok(Value::TimeSpan(span::scaled(ticks as f64 / divisor)?))
}

fn ratio(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (a, b): (i64, i64) = args.get()?;
    Ok((a as f64 / b as f64).into())
}

fn parse(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    Ok(Value::TimeSpan(span::parse(text.as_str())?))
}

/// Reads by the format, or by the first that fits of several.
fn parse_exact(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    let formats = match args.value(1) {
        Value::Array(it) => it.to_vec(),
        Value::Null => return Err(Exception::argument_null("format")),
        other => vec![other.clone()],
    };
    let mut last = Exception::format("Input string was not in a correct format.");
    for format in formats {
        cx.step()?;
        match span::parse_exact(text.as_str(), format.as_str().unwrap_or_default()) {
            Ok(ticks) => return Ok(Value::TimeSpan(ticks)),
            Err(failure) => last = failure.into(),
        }
    }
    Err(last)
}

fn try_parse_exact(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let parsed = match parse_exact(args, cx) {
        Err(stopped) if !stopped.is_catchable() => return Err(stopped),
        other => other.ok(),
    };
    let found = parsed.is_some();
    args.set_out(3, parsed.unwrap_or(Value::TimeSpan(0)));
    Ok(found.into())
}

fn try_parse(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let last = args.len() - 1;
    let text: Option<Str> = args.arg(0)?;
    let parsed = text.and_then(|it| span::parse(it.as_str()).ok());
    args.set_out(last, Value::TimeSpan(parsed.unwrap_or(0)));
    Ok(parsed.is_some().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_may_overflow_into_each_other() {
        assert_eq!(of_parts([0, 0, 90, 0, 0]).unwrap().to_text(), "01:30:00");
        assert!(of_parts([i32::MAX, 0, 0, 0, 0]).is_err());
    }
}
