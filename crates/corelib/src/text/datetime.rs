//! `System.DateTime`: <https://learn.microsoft.com/dotnet/api/system.datetime>
//!
//! Azure's list names a part of its members only; the others are marked.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::composite::zone;
use clr::value::{DateTime, DateTimeKind, Value};
use dotnet::Str;
use dotnet::text::time::{self, Styles, Zone};

use super::enums::{self, DATE_TIME_KIND, DATE_TIME_STYLES, DAY_OF_WEEK};
use super::integers::{compare, equals, to_text};
use super::moment::{self, exact, styles, ticks_of, today, tried};
use super::{PROVIDER, joined, made, out_of_range};

pub(crate) const TYPE: TypeDef = TypeDef::structure("System.DateTime", MEMBERS)
    .bases(&[Type::named(names::ICOMPARABLE), Type::named(names::IFORMATTABLE)]);

const DATE: Type = Type::DateTime;
const SPAN: Type = Type::TimeSpan;
const INT: Type = Type::Int32;
const STRING: Type = Type::String;
const KIND: Type = Type::named(DATE_TIME_KIND);
const STYLES: Type = Type::named(DATE_TIME_STYLES);
const PAIR: &[Type] = &[DATE, DATE];

const MEMBERS: &[Member] =
    &joined::<{ LISTED.len() + OPERATORS.len() + UNLISTED.len() }>(&[LISTED, OPERATORS, UNLISTED]);

const LISTED: &[Member] = &[
    Member::constructor(&[Type::Int64], DATE, |args, _| {
        let (ticks,): (i64,) = args.get()?;
        of_ticks(ticks, DateTimeKind::Unspecified)
    })
    .params(&["ticks"]),
    Member::constructor(&[Type::Int64, KIND], DATE, |args, _| {
        let (ticks, kind): (i64, i64) = args.get()?;
        of_ticks(ticks, kind_of(kind)?)
    })
    .params(&["ticks", "kind"]),
    Member::constructor(&[INT, INT, INT], DATE, construct).params(&["year", "month", "day"]),
    Member::constructor(&[INT, INT, INT, INT, INT, INT], DATE, construct)
        .params(&["year", "month", "day", "hour", "minute", "second"]),
    Member::constructor(&[INT, INT, INT, INT, INT, INT, KIND], DATE, construct)
        .params(&["year", "month", "day", "hour", "minute", "second", "kind"]),
    Member::constructor(&[INT, INT, INT, INT, INT, INT, INT], DATE, construct).params(&[
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "millisecond",
    ]),
    Member::constructor(&[INT, INT, INT, INT, INT, INT, INT, KIND], DATE, construct).params(&[
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "millisecond",
        "kind",
    ]),
    Member::static_property("MinValue", DATE, |_, _| Ok(DateTime::default().into())),
    Member::static_property("MaxValue", DATE, |_, _| {
        Ok(DateTime { ticks: time::MAX, kind: DateTimeKind::Unspecified }.into())
    }),
    Member::static_property("UtcNow", DATE, |_, cx| Ok(cx.utc_now().into())),
    Member::static_property("Now", DATE, |_, cx| Ok(local(cx.utc_now().ticks).into())),
    Member::static_property("Today", DATE, |_, cx| Ok(local(today(cx)).into())),
    Member::property("Date", DATE, |args, _| {
        let (it,): (DateTime,) = args.get()?;
        Ok(with_ticks(it, it.ticks - it.ticks.rem_euclid(time::DAY)))
    }),
    Member::property("Year", INT, |args, _| {
        moment::field::<DateTime>(args, |it| time::date(it).year)
    }),
    Member::property("Month", INT, |args, _| {
        moment::field::<DateTime>(args, |it| time::date(it).month)
    }),
    Member::property("Day", INT, |args, _| {
        moment::field::<DateTime>(args, |it| time::date(it).day)
    }),
    Member::property("DayOfYear", INT, |args, _| {
        moment::field::<DateTime>(args, |it| time::date(it).day_of_year)
    }),
    Member::property("Hour", INT, |args, _| {
        moment::field::<DateTime>(args, |it| (it / time::HOUR % 24) as i32)
    }),
    Member::property("Minute", INT, |args, _| {
        moment::field::<DateTime>(args, |it| (it / time::MINUTE % 60) as i32)
    }),
    Member::property("Second", INT, |args, _| {
        moment::field::<DateTime>(args, |it| (it / time::SECOND % 60) as i32)
    }),
    Member::property("Millisecond", INT, |args, _| {
        moment::field::<DateTime>(args, |it| (it / time::MILLISECOND % 1000) as i32)
    }),
    Member::property("Ticks", Type::Int64, |args, _| {
        let (it,): (DateTime,) = args.get()?;
        Ok(it.ticks.into())
    }),
    Member::property("TimeOfDay", SPAN, |args, _| {
        let (it,): (DateTime,) = args.get()?;
        Ok(Value::TimeSpan(it.ticks.rem_euclid(time::DAY)))
    }),
    Member::property("DayOfWeek", Type::named(DAY_OF_WEEK), |args, _| {
        let (it,): (DateTime,) = args.get()?;
        Ok(enums::member(DAY_OF_WEEK, time::day_of_week(it.ticks).into()))
    }),
    Member::method("IsDaylightSavingTime", &[], Type::Bool, |_, _| Ok(false.into())),
    Member::static_method("DaysInMonth", &[INT, INT], INT, |args, _| {
        let (year, month): (i32, i32) = args.get()?;
        let wrong = "Month must be between one and twelve.";
        if !(1..=12).contains(&month) {
            return Err(out_of_range(wrong, "month"));
        }
        Ok(time::days_in_month(checked_year(year)?, month).into())
    })
    .params(&["year", "month"]),
    Member::static_method("IsLeapYear", &[INT], Type::Bool, |args, _| {
        let (year,): (i32,) = args.get()?;
        Ok(time::is_leap_year(checked_year(year)?).into())
    })
    .params(&["year"]),
    Member::method("Add", &[SPAN], DATE, |args, _| moment::shift::<DateTime>(args, 1))
        .params(&["value"]),
    Member::method("AddTicks", &[Type::Int64], DATE, |args, _| moment::shift::<DateTime>(args, 1))
        .params(&["value"]),
    Member::method("AddDays", &[Type::Double], DATE, |args, cx| {
        moment::add::<DateTime>(args, 86_400_000.0, cx)
    })
    .params(&["value"]),
    Member::method("AddHours", &[Type::Double], DATE, |args, cx| {
        moment::add::<DateTime>(args, 3_600_000.0, cx)
    })
    .params(&["value"]),
    Member::method("AddMinutes", &[Type::Double], DATE, |args, cx| {
        moment::add::<DateTime>(args, 60_000.0, cx)
    })
    .params(&["value"]),
    Member::method("AddSeconds", &[Type::Double], DATE, |args, cx| {
        moment::add::<DateTime>(args, 1000.0, cx)
    })
    .params(&["value"]),
    Member::method("AddMilliseconds", &[Type::Double], DATE, |args, cx| {
        moment::add::<DateTime>(args, 1.0, cx)
    })
    .params(&["value"]),
    Member::method("AddMonths", &[INT], DATE, |args, _| {
        let (it, months): (DateTime, i32) = args.get()?;
        Ok(with_ticks(it, time::add_months(it.ticks, months)?))
    })
    .params(&["months"]),
    Member::method("AddYears", &[INT], DATE, |args, _| {
        let (it, years): (DateTime, i32) = args.get()?;
        let wrong = "Years value must be between +/-10000.";
        if !(-10_000..=10_000).contains(&years) {
            return Err(out_of_range(wrong, "years"));
        }
        Ok(with_ticks(it, time::add_months(it.ticks, years * 12)?))
    })
    .params(&["value"]),
    Member::method("Subtract", &[DATE], SPAN, |args, _| moment::difference::<DateTime>(args))
        .params(&["value"]),
    Member::method("Subtract", &[SPAN], DATE, |args, _| moment::shift::<DateTime>(args, -1))
        .params(&["value"]),
    Member::static_method("Parse", &[STRING], DATE, parse).params(&["s"]),
    Member::static_method("Parse", &[STRING, PROVIDER], DATE, parse).params(&["s", "provider"]),
    Member::static_method("Parse", &[STRING, PROVIDER, STYLES], DATE, parse)
        .params(&["s", "provider", "styles"]),
    Member::method("ToString", &[STRING], STRING, to_text).params(&["format"]),
    Member::method("ToString", &[PROVIDER], STRING, to_text).params(&["provider"]),
    Member::method("ToString", &[STRING, PROVIDER], STRING, to_text)
        .params(&["format", "provider"]),
    // Inherited or part of the type's being a value.
    Member::method("Equals", &[DATE], Type::Bool, equals).params(&["value"]),
    Member::method("CompareTo", &[DATE], INT, compare).params(&["value"]),
    Member::method("CompareTo", &[Type::Object], INT, compare).params(&["value"]),
];

const OPERATORS: &[Member] = &[
    Member::operator("+", &[DATE, SPAN], DATE, |args, _| moment::shift::<DateTime>(args, 1)),
    Member::operator("-", &[DATE, SPAN], DATE, |args, _| moment::shift::<DateTime>(args, -1)),
    Member::operator("-", PAIR, SPAN, |args, _| moment::difference::<DateTime>(args)),
    Member::operator("==", PAIR, Type::Bool, |args, _| moment::order::<DateTime>(args, i64::eq)),
    Member::operator("!=", PAIR, Type::Bool, |args, _| moment::order::<DateTime>(args, i64::ne)),
    Member::operator("<", PAIR, Type::Bool, |args, _| moment::order::<DateTime>(args, i64::lt)),
    Member::operator("<=", PAIR, Type::Bool, |args, _| moment::order::<DateTime>(args, i64::le)),
    Member::operator(">", PAIR, Type::Bool, |args, _| moment::order::<DateTime>(args, i64::gt)),
    Member::operator(">=", PAIR, Type::Bool, |args, _| moment::order::<DateTime>(args, i64::ge)),
];

const UNLISTED: &[Member] = &[
    Member::property("Kind", KIND, |args, _| {
        let (it,): (DateTime,) = args.get()?;
        Ok(enums::member(DATE_TIME_KIND, it.kind as i64))
    })
    .unlisted(),
    Member::static_method("SpecifyKind", &[DATE, KIND], DATE, |args, _| {
        let (it, kind): (DateTime, i64) = args.get()?;
        Ok(DateTime { kind: kind_of(kind)?, ..it }.into())
    })
    .params(&["value", "kind"])
    .unlisted(),
    Member::static_method("Compare", PAIR, INT, compare).params(&["t1", "t2"]).unlisted(),
    Member::static_method("Equals", PAIR, Type::Bool, equals).params(&["t1", "t2"]).unlisted(),
    Member::method("ToUniversalTime", &[], DATE, |args, _| {
        let (it,): (DateTime,) = args.get()?;
        Ok(DateTime::utc(it.ticks).into())
    })
    .unlisted(),
    Member::method("ToLocalTime", &[], DATE, |args, _| {
        let (it,): (DateTime,) = args.get()?;
        Ok(local(it.ticks).into())
    })
    .unlisted(),
    Member::method("ToShortDateString", &[], STRING, |args, cx| shown(args, cx, "d")).unlisted(),
    Member::method("ToLongDateString", &[], STRING, |args, cx| shown(args, cx, "D")).unlisted(),
    Member::method("ToShortTimeString", &[], STRING, |args, cx| shown(args, cx, "t")).unlisted(),
    Member::method("ToLongTimeString", &[], STRING, |args, cx| shown(args, cx, "T")).unlisted(),
    Member::method("ToFileTimeUtc", &[], Type::Int64, |args, _| file_time(args)).unlisted(),
    Member::method("ToFileTime", &[], Type::Int64, |args, _| file_time(args)).unlisted(),
    Member::static_method("FromFileTimeUtc", &[Type::Int64], DATE, |args, _| {
        let (ticks,): (i64,) = args.get()?;
        of_ticks(ticks.saturating_add(time::FILE_EPOCH), DateTimeKind::Utc)
    })
    .params(&["fileTime"])
    .unlisted(),
    Member::static_method("FromFileTime", &[Type::Int64], DATE, |args, _| {
        let (ticks,): (i64,) = args.get()?;
        of_ticks(ticks.saturating_add(time::FILE_EPOCH), DateTimeKind::Local)
    })
    .params(&["fileTime"])
    .unlisted(),
    Member::static_method("FromBinary", &[Type::Int64], DATE, |args, _| {
        let (bits,): (i64,) = args.get()?;
        let kind = match bits >> 62 {
            0 => DateTimeKind::Unspecified,
            1 => DateTimeKind::Utc,
            _ => DateTimeKind::Local,
        };
        of_ticks(bits & i64::MAX >> 1, kind)
    })
    .params(&["dateData"])
    .unlisted(),
    Member::static_property("UnixEpoch", DATE, |_, _| Ok(DateTime::utc(time::UNIX_EPOCH).into()))
        .unlisted(),
    Member::method("GetTypeCode", &[], Type::named(enums::TYPE_CODE), |args, _| {
        Ok(enums::type_code(args.value(0)))
    })
    .unlisted(),
    Member::method("ToOADate", &[], Type::Double, |args, _| {
        let (it,): (DateTime,) = args.get()?;
        Ok(time::to_ole(it.ticks).into())
    })
    .unlisted(),
    Member::static_method("FromOADate", &[Type::Double], DATE, |args, _| {
        let (it,): (f64,) = args.get()?;
        of_ticks(time::from_ole(it)?, DateTimeKind::Unspecified)
    })
    .params(&["d"])
    .unlisted(),
    Member::method("ToBinary", &[], Type::Int64, |args, _| {
        let (it,): (DateTime,) = args.get()?;
        Ok((it.ticks | (it.kind as i64) << 62).into())
    })
    .unlisted(),
    Member::static_method("ParseExact", &[STRING, STRING, PROVIDER], DATE, parse_exact)
        .params(&["s", "format", "provider"])
        .unlisted(),
    Member::static_method("ParseExact", &[STRING, STRING, PROVIDER, STYLES], DATE, parse_exact)
        .params(&["s", "format", "provider", "style"])
        .unlisted(),
    Member::static_method(
        "ParseExact",
        &[STRING, Type::STRINGS, PROVIDER, STYLES],
        DATE,
        parse_exact,
    )
    .params(&["s", "formats", "provider", "style"])
    .unlisted(),
    Member::static_method(
        "TryParse",
        &[STRING, Type::Out(&Type::DateTime)],
        Type::Bool,
        |args, cx| tried(args, cx, parse),
    )
    .params(&["s", "result"])
    .unlisted(),
    Member::static_method(
        "TryParse",
        &[STRING, PROVIDER, STYLES, Type::Out(&Type::DateTime)],
        Type::Bool,
        |args, cx| tried(args, cx, parse),
    )
    .params(&["s", "provider", "styles", "result"])
    .unlisted(),
    Member::static_method(
        "TryParseExact",
        &[STRING, STRING, PROVIDER, STYLES, Type::Out(&Type::DateTime)],
        Type::Bool,
        |args, cx| tried(args, cx, parse_exact),
    )
    .params(&["s", "format", "provider", "style", "result"])
    .unlisted(),
    Member::static_method(
        "TryParseExact",
        &[STRING, Type::STRINGS, PROVIDER, STYLES, Type::Out(&Type::DateTime)],
        Type::Bool,
        |args, cx| tried(args, cx, parse_exact),
    )
    .params(&["s", "formats", "provider", "style", "result"])
    .unlisted(),
];

fn local(ticks: i64) -> DateTime {
    DateTime { ticks, kind: DateTimeKind::Local }
}

fn with_ticks(it: DateTime, ticks: i64) -> Value {
    DateTime { ticks, ..it }.into()
}

fn of_ticks(ticks: i64, kind: DateTimeKind) -> Result<Value, Exception> {
    if !(0..=time::MAX).contains(&ticks) {
        let text = "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.";
        return Err(out_of_range(text, "ticks"));
    }
    Ok(DateTime { ticks, kind }.into())
}

fn kind_of(value: i64) -> Result<DateTimeKind, Exception> {
    Ok(match value {
        0 => DateTimeKind::Unspecified,
        1 => DateTimeKind::Utc,
        2 => DateTimeKind::Local,
        _ => return Err(Exception::argument("Invalid DateTimeKind value. (Parameter 'kind')")),
    })
}

fn checked_year(year: i32) -> Result<i32, Exception> {
    let wrong = "Year must be between 1 and 9999.";
    if (1..=9999).contains(&year) { Ok(year) } else { Err(out_of_range(wrong, "year")) }
}

fn construct(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let mut parts = Vec::new();
    let mut kind = DateTimeKind::Unspecified;
    for value in args.values() {
        match value {
            Value::Int(it) => parts.push(*it),
            Value::Enum(_, it) => kind = kind_of(*it)?,
            _ => {}
        }
    }
    Ok(DateTime { ticks: ticks_of(&parts)?, kind }.into())
}

fn file_time(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (it,): (DateTime,) = args.get()?;
    let ticks = it.ticks - time::FILE_EPOCH;
    if ticks < 0 {
        return Err(out_of_range("Not a valid Win32 FileTime.", ""));
    }
    Ok(ticks.into())
}

fn shown(args: &mut Args<'_>, cx: &mut EvalCx<'_>, format: &str) -> Result<Value, Exception> {
    let (it,): (DateTime,) = args.get()?;
    let text = time::format_date_time(it.ticks, zone(it.kind), format)?;
    made(cx, text)
}

fn result(parsed: time::Parsed, styles: Styles) -> Result<Value, Exception> {
    let (ticks, zone) = parsed.date_time(styles)?;
    let kind = match zone {
        Zone::Utc => DateTimeKind::Utc,
        Zone::Local | Zone::Offset(_) => DateTimeKind::Local,
        Zone::Unspecified => DateTimeKind::Unspecified,
    };
    Ok(DateTime { ticks, kind }.into())
}

/// `DateTime.Parse` of a text, without styles.
pub(super) fn read(cx: &mut EvalCx<'_>, text: &Str) -> Result<Value, Exception> {
    cx.steps(text.len() as u64 / 16)?;
    result(time::parse(text.as_str(), today(cx))?, Styles::default())
}

fn parse(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let styles = styles(args)?;
    let text: Str = args.arg(0)?;
    cx.steps(text.len() as u64 / 16)?;
    result(time::parse(text.as_str(), today(cx))?, styles)
}

fn parse_exact(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let styles = styles(args)?;
    result(exact(args, cx)?, styles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_off_the_list_are_marked() {
        let listed = |name| MEMBERS.iter().filter(|it| it.name == name).all(|it| it.listed);
        assert!(listed("AddDays") && listed("Parse") && listed("UtcNow"));
        assert!(!listed("TryParse") && !listed("Kind") && !listed("ToUniversalTime"));
    }
}
