//! `System.DateTimeOffset`: <https://learn.microsoft.com/dotnet/api/system.datetimeoffset>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{DateTime, DateTimeKind, DateTimeOffset, Value};
use dotnet::Str;
use dotnet::text::time;

use super::enums::{self, DATE_TIME_STYLES, DAY_OF_WEEK};
use super::integers::{compare, equals, to_text};
use super::moment::{self, exact, styles, ticks_of, today, tried};
use super::{PROVIDER, joined, out_of_range};

pub(crate) const TYPE: TypeDef = TypeDef::structure("System.DateTimeOffset", MEMBERS)
    .bases(&[Type::named(names::ICOMPARABLE), Type::named(names::IFORMATTABLE)]);

const OWN: Type = Type::DateTimeOffset;
const DATE: Type = Type::DateTime;
const SPAN: Type = Type::TimeSpan;
const INT: Type = Type::Int32;
const LONG: Type = Type::Int64;
const STRING: Type = Type::String;
const STYLES: Type = Type::named(DATE_TIME_STYLES);
const PAIR: &[Type] = &[OWN, OWN];
const RESULT: Type = Type::Out(&Type::DateTimeOffset);

const MEMBERS: &[Member] =
    &joined::<{ MAKING.len() + PARTS.len() + ARITHMETIC.len() }>(&[MAKING, PARTS, ARITHMETIC]);

const MAKING: &[Member] =
    &[
        Member::constructor(&[DATE], OWN, |args, _| {
            let (it,): (DateTime,) = args.get()?;
            made(it.ticks, 0)
        })
        .params(&["dateTime"]),
        Member::constructor(&[DATE, SPAN], OWN, |args, _| {
            let (it, offset): (DateTime, i64) = args.get()?;
            if it.kind != DateTimeKind::Unspecified && offset != 0 {
                let text = if it.kind == DateTimeKind::Utc {
                    "The UTC Offset for Utc DateTime instances must be 0. (Parameter 'offset')"
                } else {
                    "The UTC Offset of the local dateTime parameter does not match the offset \
                 argument. (Parameter 'offset')"
                };
                return Err(Exception::argument(text));
            }
            made(it.ticks, minutes(offset)?)
        })
        .params(&["dateTime", "offset"]),
        Member::constructor(&[LONG, SPAN], OWN, |args, _| {
            let (ticks, offset): (i64, i64) = args.get()?;
            made(ticks, minutes(offset)?)
        })
        .params(&["ticks", "offset"]),
        Member::constructor(&[INT, INT, INT, INT, INT, INT, SPAN], OWN, construct)
            .params(&["year", "month", "day", "hour", "minute", "second", "offset"]),
        Member::constructor(&[INT, INT, INT, INT, INT, INT, INT, SPAN], OWN, construct).params(&[
            "year",
            "month",
            "day",
            "hour",
            "minute",
            "second",
            "millisecond",
            "offset",
        ]),
        Member::implicit(&[DATE], OWN, |args, _| {
            let (it,): (DateTime,) = args.get()?;
            made(it.ticks, 0)
        }),
        Member::static_property("MinValue", OWN, |_, _| made(0, 0)),
        Member::static_property("MaxValue", OWN, |_, _| made(time::MAX, 0)),
        Member::static_property("UnixEpoch", OWN, |_, _| made(time::UNIX_EPOCH, 0)),
        Member::static_property("UtcNow", OWN, |_, cx| made(cx.utc_now().ticks, 0)),
        Member::static_property("Now", OWN, |_, cx| made(cx.utc_now().ticks, 0)),
        Member::static_method("FromUnixTimeSeconds", &[LONG], OWN, |args, _| {
            from_unix(args, time::SECOND, "seconds")
        })
        .params(&["seconds"]),
        Member::static_method("FromUnixTimeMilliseconds", &[LONG], OWN, |args, _| {
            from_unix(args, time::MILLISECOND, "milliseconds")
        })
        .params(&["milliseconds"]),
        Member::static_method("FromFileTime", &[LONG], OWN, |args, _| {
            let (ticks,): (i64,) = args.get()?;
            made(ticks.saturating_add(time::FILE_EPOCH), 0)
        })
        .params(&["fileTime"]),
        Member::static_method("Parse", &[STRING], OWN, parse).params(&["input"]),
        Member::static_method("Parse", &[STRING, PROVIDER], OWN, parse)
            .params(&["input", "formatProvider"]),
        Member::static_method("Parse", &[STRING, PROVIDER, STYLES], OWN, parse).params(&[
            "input",
            "formatProvider",
            "styles",
        ]),
        Member::static_method("ParseExact", &[STRING, STRING, PROVIDER], OWN, parse_exact)
            .params(&["input", "format", "formatProvider"]),
        Member::static_method("ParseExact", &[STRING, STRING, PROVIDER, STYLES], OWN, parse_exact)
            .params(&["input", "format", "formatProvider", "styles"]),
        Member::static_method(
            "ParseExact",
            &[STRING, Type::STRINGS, PROVIDER, STYLES],
            OWN,
            parse_exact,
        )
        .params(&["input", "formats", "formatProvider", "styles"]),
        Member::static_method("TryParse", &[STRING, RESULT], Type::Bool, |args, cx| {
            tried(args, cx, parse)
        })
        .params(&["input", "result"]),
        Member::static_method(
            "TryParse",
            &[STRING, PROVIDER, STYLES, RESULT],
            Type::Bool,
            |args, cx| tried(args, cx, parse),
        )
        .params(&["input", "formatProvider", "styles", "result"]),
        Member::static_method(
            "TryParseExact",
            &[STRING, STRING, PROVIDER, STYLES, RESULT],
            Type::Bool,
            |args, cx| tried(args, cx, parse_exact),
        )
        .params(&["input", "format", "formatProvider", "styles", "result"]),
        Member::static_method(
            "TryParseExact",
            &[STRING, Type::STRINGS, PROVIDER, STYLES, RESULT],
            Type::Bool,
            |args, cx| tried(args, cx, parse_exact),
        )
        .params(&["input", "formats", "formatProvider", "styles", "result"]),
    ];

const PARTS: &[Member] = &[
    Member::property("DateTime", DATE, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        Ok(date_time(it.ticks, DateTimeKind::Unspecified))
    }),
    Member::property("UtcDateTime", DATE, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        Ok(date_time(it.utc_ticks(), DateTimeKind::Utc))
    }),
    Member::property("LocalDateTime", DATE, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        Ok(date_time(it.utc_ticks(), DateTimeKind::Local))
    }),
    Member::property("Date", DATE, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        Ok(date_time(it.ticks - it.ticks.rem_euclid(time::DAY), DateTimeKind::Unspecified))
    }),
    Member::property("Offset", SPAN, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        Ok(Value::TimeSpan(i64::from(it.offset_minutes) * time::MINUTE))
    }),
    Member::property("Ticks", LONG, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        Ok(it.ticks.into())
    }),
    Member::property("UtcTicks", LONG, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        Ok(it.utc_ticks().into())
    }),
    Member::property("TimeOfDay", SPAN, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        Ok(Value::TimeSpan(it.ticks.rem_euclid(time::DAY)))
    }),
    Member::property("Year", INT, |args, _| {
        moment::field::<DateTimeOffset>(args, |it| time::date(it).year)
    }),
    Member::property("Month", INT, |args, _| {
        moment::field::<DateTimeOffset>(args, |it| time::date(it).month)
    }),
    Member::property("Day", INT, |args, _| {
        moment::field::<DateTimeOffset>(args, |it| time::date(it).day)
    }),
    Member::property("DayOfYear", INT, |args, _| {
        moment::field::<DateTimeOffset>(args, |it| time::date(it).day_of_year)
    }),
    Member::property("Hour", INT, |args, _| {
        moment::field::<DateTimeOffset>(args, |it| (it / time::HOUR % 24) as i32)
    }),
    Member::property("Minute", INT, |args, _| {
        moment::field::<DateTimeOffset>(args, |it| (it / time::MINUTE % 60) as i32)
    }),
    Member::property("Second", INT, |args, _| {
        moment::field::<DateTimeOffset>(args, |it| (it / time::SECOND % 60) as i32)
    }),
    Member::property("Millisecond", INT, |args, _| {
        moment::field::<DateTimeOffset>(args, |it| (it / time::MILLISECOND % 1000) as i32)
    }),
    Member::property("DayOfWeek", Type::named(DAY_OF_WEEK), |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        Ok(enums::member(DAY_OF_WEEK, time::day_of_week(it.ticks).into()))
    }),
    Member::method("ToUnixTimeSeconds", &[], LONG, |args, _| to_unix(args, time::SECOND)),
    Member::method("ToUnixTimeMilliseconds", &[], LONG, |args, _| to_unix(args, time::MILLISECOND)),
    Member::method("ToFileTime", &[], LONG, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        let ticks = it.utc_ticks() - time::FILE_EPOCH;
        if ticks < 0 {
            return Err(out_of_range("Not a valid Win32 FileTime.", ""));
        }
        Ok(ticks.into())
    }),
    Member::method("ToUniversalTime", &[], OWN, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        made(it.utc_ticks(), 0)
    }),
    Member::method("ToLocalTime", &[], OWN, |args, _| {
        let (it,): (DateTimeOffset,) = args.get()?;
        made(it.utc_ticks(), 0)
    }),
    Member::method("ToOffset", &[SPAN], OWN, |args, _| {
        let (it, offset): (DateTimeOffset, i64) = args.get()?;
        let offset = minutes(offset)?;
        made(it.utc_ticks() + i64::from(offset) * time::MINUTE, offset)
    })
    .params(&["offset"]),
    crate::language::span::try_format_row(),
    Member::method("ToString", &[STRING], STRING, to_text).params(&["format"]),
    Member::method("ToString", &[PROVIDER], STRING, to_text).params(&["formatProvider"]),
    Member::method("ToString", &[STRING, PROVIDER], STRING, to_text)
        .params(&["format", "formatProvider"]),
];

const ARITHMETIC: &[Member] = &[
    Member::method("Add", &[SPAN], OWN, |args, _| moment::shift::<DateTimeOffset>(args, 1))
        .params(&["timeSpan"]),
    Member::method("AddTicks", &[LONG], OWN, |args, _| moment::shift::<DateTimeOffset>(args, 1))
        .params(&["ticks"]),
    Member::method("AddDays", &[Type::Double], OWN, |args, cx| {
        moment::add::<DateTimeOffset>(args, 86_400_000.0, cx)
    })
    .params(&["days"]),
    Member::method("AddHours", &[Type::Double], OWN, |args, cx| {
        moment::add::<DateTimeOffset>(args, 3_600_000.0, cx)
    })
    .params(&["hours"]),
    Member::method("AddMinutes", &[Type::Double], OWN, |args, cx| {
        moment::add::<DateTimeOffset>(args, 60_000.0, cx)
    })
    .params(&["minutes"]),
    Member::method("AddSeconds", &[Type::Double], OWN, |args, cx| {
        moment::add::<DateTimeOffset>(args, 1000.0, cx)
    })
    .params(&["seconds"]),
    Member::method("AddMilliseconds", &[Type::Double], OWN, |args, cx| {
        moment::add::<DateTimeOffset>(args, 1.0, cx)
    })
    .params(&["milliseconds"]),
    Member::method("AddMonths", &[INT], OWN, |args, _| {
        let (it, months): (DateTimeOffset, i32) = args.get()?;
        made(time::add_months(it.ticks, months)?, it.offset_minutes)
    })
    .params(&["months"]),
    Member::method("AddYears", &[INT], OWN, |args, _| {
        let (it, years): (DateTimeOffset, i32) = args.get()?;
        let months = years.saturating_mul(12);
        made(time::add_months(it.ticks, months)?, it.offset_minutes)
    })
    .params(&["years"]),
    Member::method("Subtract", &[OWN], SPAN, |args, _| moment::difference::<DateTimeOffset>(args))
        .params(&["value"]),
    Member::method("Subtract", &[SPAN], OWN, |args, _| moment::shift::<DateTimeOffset>(args, -1))
        .params(&["value"]),
    Member::method("Equals", &[OWN], Type::Bool, equals).params(&["other"]),
    Member::static_method("Equals", PAIR, Type::Bool, equals).params(&["first", "second"]),
    Member::method("EqualsExact", &[OWN], Type::Bool, |args, _| {
        let (a, b): (DateTimeOffset, DateTimeOffset) = args.get()?;
        Ok((a == b).into())
    })
    .params(&["other"]),
    Member::method("CompareTo", &[OWN], INT, compare).params(&["other"]),
    Member::static_method("Compare", PAIR, INT, compare).params(&["first", "second"]),
    Member::operator("+", &[OWN, SPAN], OWN, |args, _| moment::shift::<DateTimeOffset>(args, 1)),
    Member::operator("-", &[OWN, SPAN], OWN, |args, _| moment::shift::<DateTimeOffset>(args, -1)),
    Member::operator("-", PAIR, SPAN, |args, _| moment::difference::<DateTimeOffset>(args)),
    Member::operator("==", PAIR, Type::Bool, |args, _| {
        moment::order::<DateTimeOffset>(args, i64::eq)
    }),
    Member::operator("!=", PAIR, Type::Bool, |args, _| {
        moment::order::<DateTimeOffset>(args, i64::ne)
    }),
    Member::operator("<", PAIR, Type::Bool, |args, _| {
        moment::order::<DateTimeOffset>(args, i64::lt)
    }),
    Member::operator("<=", PAIR, Type::Bool, |args, _| {
        moment::order::<DateTimeOffset>(args, i64::le)
    }),
    Member::operator(">", PAIR, Type::Bool, |args, _| {
        moment::order::<DateTimeOffset>(args, i64::gt)
    }),
    Member::operator(">=", PAIR, Type::Bool, |args, _| {
        moment::order::<DateTimeOffset>(args, i64::ge)
    }),
];

fn date_time(ticks: i64, kind: DateTimeKind) -> Value {
    DateTime { ticks, kind }.into()
}

/// A value whose clock and UTC time both lie in the years 1 to 9999.
pub(super) fn made(ticks: i64, offset_minutes: i16) -> Result<Value, Exception> {
    let it = DateTimeOffset { ticks, offset_minutes };
    time::in_range(Some(ticks))?;
    let range = 0..=time::MAX;
    if !range.contains(&it.utc_ticks()) {
        let text = "The UTC time represented when the offset is applied must be between year 0 \
                    and 10,000.";
        return Err(out_of_range(text, "offset"));
    }
    Ok(it.into())
}

/// The whole minutes of an offset.
fn minutes(offset: i64) -> Result<i16, Exception> {
    if offset % time::MINUTE != 0 {
        let text = "Offset must be specified in whole minutes. (Parameter 'offset')";
        return Err(Exception::argument(text));
    }
    let minutes = offset / time::MINUTE;
    let fits = i16::try_from(minutes).ok().filter(|it| it.abs() <= 14 * 60);
    fits.ok_or_else(|| out_of_range("Offset must be within plus or minus 14 hours.", "offset"))
}

fn construct(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let mut parts = Vec::new();
    let mut offset = 0;
    for value in args.values() {
        match value {
            Value::Int(it) => parts.push(*it),
            Value::TimeSpan(it) => offset = *it,
            _ => {}
        }
    }
    made(ticks_of(&parts)?, minutes(offset)?)
}

fn from_unix(args: &mut Args<'_>, unit: i64, name: &'static str) -> Result<Value, Exception> {
    let (value,): (i64,) = args.get()?;
    let ticks = value.checked_mul(unit).and_then(|it| it.checked_add(time::UNIX_EPOCH));
    match ticks.filter(|it| (0..=time::MAX).contains(it)) {
        Some(ticks) => made(ticks, 0),
        None => {
            let (least, most) = (-time::UNIX_EPOCH / unit, (time::MAX - time::UNIX_EPOCH) / unit);
            let text = format!("Valid values are between {least} and {most}, inclusive.");
            Err(out_of_range(&text, name))
        }
    }
}

fn to_unix(args: &mut Args<'_>, unit: i64) -> Result<Value, Exception> {
    let (it,): (DateTimeOffset,) = args.get()?;
    Ok((it.utc_ticks() / unit - time::UNIX_EPOCH / unit).into())
}

fn result(mut parsed: time::Parsed, args: &Args<'_>) -> Result<Value, Exception> {
    if parsed.universal_format {
        parsed.offset = Some(0);
    }
    let (ticks, offset) = parsed.date_time_offset(styles(args)?)?;
    made(ticks, i16::try_from(offset).unwrap_or(0))
}

fn parse(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    cx.steps(text.len() as u64 / 16)?;
    result(time::parse(text.as_str(), today(cx))?, args)
}

fn parse_exact(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let parsed = exact(args, cx)?;
    result(parsed, args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_whole_minutes_within_fourteen_hours() {
        assert_eq!(minutes(time::HOUR * 2).unwrap(), 120);
        assert!(minutes(time::SECOND).is_err() && minutes(time::HOUR * 15).is_err());
        assert!(made(0, 60).is_err() && made(time::MAX, -60).is_err());
    }
}
