//! `System.TimeZoneInfo` and `System.TimeZone`:
//! <https://learn.microsoft.com/dotnet/api/system.timezoneinfo>
//!
//! Zones come from data that is built in, by IANA or Windows name. The local zone is UTC.

use std::sync::Arc;

use clr::exception::Exception;
use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{DateTime, DateTimeKind, DateTimeOffset, Object, Value};
use dotnet::text::time::{MAX, MINUTE};
use dotnet::text::zones::{Reading, Zone};
use dotnet::{Runtime, Str};

use super::{adjustment_rule, count, joined, timezone_made};

pub(super) const OWN: Type = Type::named("System.TimeZoneInfo");
const OLD: Type = Type::named("System.TimeZone");
const DATE: Type = Type::DateTime;
const OFFSET: Type = Type::DateTimeOffset;
const SPAN: Type = Type::TimeSpan;
const STRING: Type = Type::String;
const BOOL: Type = Type::Bool;
const ZONES: Type = Type::Named(names::IREADONLYLIST, &[OWN]);

pub(crate) const TYPES: &[TypeDef] = &[
    TypeDef::class("System.TimeZoneInfo", MEMBERS),
    adjustment_rule::RULE_TYPE,
    adjustment_rule::TRANSITION_TYPE,
    TypeDef::class("System.TimeZone", OLD_MEMBERS),
];

/// A zone as an object.
#[derive(Debug)]
pub(super) struct Info(pub(super) Zone, pub(super) Option<Names>);

/// The names of a zone that an expression made.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) display: Option<Str>,
    pub(super) standard: Option<Str>,
    pub(super) daylight: Option<Str>,
}

impl Info {
    pub(super) fn standard_name(&self) -> Str {
        match &self.1 {
            Some(names) => names.standard.clone().unwrap_or(Str::EMPTY),
            None if self.0.is_utc() => Str::from_static("Coordinated Universal Time"),
            None => self.0.id.as_str().into(),
        }
    }

    pub(super) fn daylight_name(&self) -> Str {
        match &self.1 {
            Some(names) => names.daylight.clone().unwrap_or(Str::EMPTY),
            None if self.0.is_utc() => self.standard_name(),
            None => self.0.id.replace("Standard", "Daylight").into(),
        }
    }

    pub(super) fn display_name(&self, now: i64) -> String {
        if let Some(names) = &self.1 {
            return names.display.as_ref().map_or_else(String::new, ToString::to_string);
        }
        let minutes = self.0.standard_offset(now) / MINUTE;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
        if self.0.is_utc() {
            return "(UTC) Coordinated Universal Time".to_owned();
        }
        format!("(UTC{sign}{hours:02}:{minutes:02}) {}", self.0.id)
    }
}

impl Object for Info {
    fn net_type(&self) -> Type {
        OWN
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.display_name(dotnet::text::time::UNIX_EPOCH).into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        let same = |it: &Self| it.0.id == self.0.id || (it.0.is_utc() && self.0.is_utc());
        Some(other.as_object::<Self>().is_some_and(same))
    }
}

/// The local zone, as the old class has it.
#[derive(Debug)]
struct Old;

impl Object for Old {
    fn net_type(&self) -> Type {
        OLD
    }
}

const PARTS: &[&[Member]] = &[OWN_MEMBERS, timezone_made::MEMBERS];
const MEMBERS: &[Member] = &joined::<{ count(PARTS) }>(PARTS);

const OWN_MEMBERS: &[Member] = &[
    Member::static_property("Utc", OWN, |_, _| Ok(info(Zone::utc()))),
    Member::static_property("Local", OWN, |_, _| Ok(info(Zone::utc()))),
    Member::static_method("FindSystemTimeZoneById", &[STRING], OWN, |args, _| {
        let (id,): (Str,) = args.get()?;
        find(&id).map(info)
    })
    .params(&["id"]),
    Member::static_method("ClearCachedData", &[], Type::Void, |_, _| Ok(Value::Null)),
    Member::static_method("GetSystemTimeZones", &[], ZONES, |_, cx| {
        let now = cx.utc_now().ticks;
        let mut zones: Vec<Zone> = Zone::all().collect();
        cx.steps(zones.len() as u64 * 8)?;
        cx.allocate(zones.len() * 128)?;
        zones.sort_by_cached_key(|it| (it.standard_offset(now), it.id.clone()));
        Ok(Value::array(OWN, zones.into_iter().map(info).collect()))
    }),
    Member::method("GetAmbiguousTimeOffsets", &[DATE], Type::Array(&SPAN), |args, _| {
        let (it, time): (Arc<Info>, DateTime) = args.get()?;
        ambiguous(&it.0, time.ticks)
    })
    .params(&["dateTime"]),
    Member::method("GetAmbiguousTimeOffsets", &[OFFSET], Type::Array(&SPAN), |args, _| {
        let (it, time): (Arc<Info>, DateTimeOffset) = args.get()?;
        let utc = time.utc_ticks();
        ambiguous(&it.0, utc + it.0.offset_at(utc).0)
    })
    .params(&["dateTimeOffset"]),
    Member::property("Id", STRING, |args, _| {
        let (it,): (Arc<Info>,) = args.get()?;
        Ok(it.0.id.as_str().into())
    }),
    Member::property("DisplayName", STRING, |args, cx| {
        let (it,): (Arc<Info>,) = args.get()?;
        Ok(it.display_name(cx.utc_now().ticks).into())
    }),
    Member::property("StandardName", STRING, |args, _| {
        let (it,): (Arc<Info>,) = args.get()?;
        Ok(it.standard_name().into())
    }),
    Member::property("DaylightName", STRING, |args, _| {
        let (it,): (Arc<Info>,) = args.get()?;
        Ok(it.daylight_name().into())
    }),
    Member::property("BaseUtcOffset", SPAN, |args, cx| {
        let (it,): (Arc<Info>,) = args.get()?;
        Ok(Value::TimeSpan(it.0.standard_offset(cx.utc_now().ticks)))
    }),
    Member::property("SupportsDaylightSavingTime", BOOL, |args, cx| {
        let (it,): (Arc<Info>,) = args.get()?;
        Ok(it.0.has_daylight(cx.utc_now().ticks).into())
    }),
    Member::method("GetUtcOffset", &[DATE], SPAN, |args, _| {
        let (it, time): (Arc<Info>, DateTime) = args.get()?;
        Ok(Value::TimeSpan(offset_of(&it.0, time)))
    })
    .params(&["dateTime"]),
    Member::method("GetUtcOffset", &[OFFSET], SPAN, |args, _| {
        let (it, time): (Arc<Info>, DateTimeOffset) = args.get()?;
        Ok(Value::TimeSpan(it.0.offset_at(time.utc_ticks()).0))
    })
    .params(&["dateTimeOffset"]),
    Member::method("IsDaylightSavingTime", &[DATE], BOOL, |args, _| {
        let (it, time): (Arc<Info>, DateTime) = args.get()?;
        let utc = time.ticks - clock_offset(&it.0, time);
        Ok(it.0.offset_at(utc).1.into())
    })
    .params(&["dateTime"]),
    Member::method("IsDaylightSavingTime", &[OFFSET], BOOL, |args, _| {
        let (it, time): (Arc<Info>, DateTimeOffset) = args.get()?;
        Ok(it.0.offset_at(time.utc_ticks()).1.into())
    })
    .params(&["dateTimeOffset"]),
    Member::method("IsAmbiguousTime", &[DATE], BOOL, |args, _| {
        let (it, time): (Arc<Info>, DateTime) = args.get()?;
        Ok(matches!(it.0.reading(time.ticks), Reading::Twice(..)).into())
    })
    .params(&["dateTime"]),
    Member::method("IsInvalidTime", &[DATE], BOOL, |args, _| {
        let (it, time): (Arc<Info>, DateTime) = args.get()?;
        let unspecified = time.kind == DateTimeKind::Unspecified;
        Ok((unspecified && matches!(it.0.reading(time.ticks), Reading::Skipped(..))).into())
    })
    .params(&["dateTime"]),
    Member::static_method("ConvertTimeFromUtc", &[DATE, OWN], DATE, |args, _| {
        let (time, to): (DateTime, Arc<Info>) = args.get()?;
        if time.kind == DateTimeKind::Local {
            return Err(wrong_kind());
        }
        Ok(at(&to.0, time.ticks))
    })
    .params(&["dateTime", "destinationTimeZone"]),
    Member::static_method("ConvertTimeToUtc", &[DATE], DATE, |args, _| {
        let (time,): (DateTime,) = args.get()?;
        Ok(DateTime::utc(time.ticks).into())
    })
    .params(&["dateTime"]),
    Member::static_method("ConvertTimeToUtc", &[DATE, OWN], DATE, |args, _| {
        let (time, from): (DateTime, Arc<Info>) = args.get()?;
        Ok(DateTime::utc(to_utc(&from.0, time)?).into())
    })
    .params(&["dateTime", "sourceTimeZone"]),
    Member::static_method("ConvertTime", &[DATE, OWN], DATE, |args, _| {
        let (time, to): (DateTime, Arc<Info>) = args.get()?;
        Ok(at(&to.0, time.ticks))
    })
    .params(&["dateTime", "destinationTimeZone"]),
    Member::static_method("ConvertTime", &[DATE, OWN, OWN], DATE, |args, _| {
        let (time, from, to): (DateTime, Arc<Info>, Arc<Info>) = args.get()?;
        Ok(at(&to.0, to_utc(&from.0, time)?))
    })
    .params(&["dateTime", "sourceTimeZone", "destinationTimeZone"]),
    Member::static_method("ConvertTime", &[OFFSET, OWN], OFFSET, |args, _| {
        let (time, to): (DateTimeOffset, Arc<Info>) = args.get()?;
        Ok(offset_at(&to.0, time))
    })
    .params(&["dateTimeOffset", "destinationTimeZone"]),
    Member::static_method("ConvertTimeBySystemTimeZoneId", &[DATE, STRING], DATE, |args, _| {
        let (time, id): (DateTime, Str) = args.get()?;
        Ok(at(&find(&id)?, time.ticks))
    })
    .params(&["dateTime", "destinationTimeZoneId"]),
    Member::static_method(
        "ConvertTimeBySystemTimeZoneId",
        &[DATE, STRING, STRING],
        DATE,
        |args, _| {
            let (time, from, to): (DateTime, Str, Str) = args.get()?;
            Ok(at(&find(&to)?, to_utc(&find(&from)?, time)?))
        },
    )
    .params(&["dateTime", "sourceTimeZoneId", "destinationTimeZoneId"]),
    Member::static_method("ConvertTimeBySystemTimeZoneId", &[OFFSET, STRING], OFFSET, |args, _| {
        let (time, id): (DateTimeOffset, Str) = args.get()?;
        Ok(offset_at(&find(&id)?, time))
    })
    .params(&["dateTimeOffset", "destinationTimeZoneId"]),
];

const OLD_MEMBERS: &[Member] = &[
    Member::static_property("CurrentTimeZone", OLD, |_, _| Ok(Value::object(Old))),
    Member::property("StandardName", STRING, |_, _| Ok(Value::text("UTC"))),
    Member::property("DaylightName", STRING, |_, _| Ok(Value::text("UTC"))),
    Member::method("GetUtcOffset", &[DATE], SPAN, |_, _| Ok(Value::TimeSpan(0))).params(&["time"]),
    Member::method("IsDaylightSavingTime", &[DATE], BOOL, |_, _| Ok(false.into()))
        .params(&["time"]),
    Member::method("ToLocalTime", &[DATE], DATE, |args, _| {
        let time: DateTime = args.arg(1)?;
        Ok(DateTime { kind: DateTimeKind::Local, ..time }.into())
    })
    .params(&["time"]),
    Member::method("ToUniversalTime", &[DATE], DATE, |args, _| {
        let time: DateTime = args.arg(1)?;
        Ok(DateTime::utc(time.ticks).into())
    })
    .params(&["time"]),
];

fn info(zone: Zone) -> Value {
    Value::object(Info(zone, None))
}

/// The two offsets of a reading that the clock showed twice.
fn ambiguous(zone: &Zone, clock_ticks: i64) -> Result<Value, Exception> {
    let Reading::Twice(a, b) = zone.reading(clock_ticks) else {
        return Err(Exception::argument(
            "The supplied DateTime is not in an ambiguous time range. (Parameter 'dateTime')",
        ));
    };
    Ok(Value::array(SPAN, [a.min(b), a.max(b)].map(Value::TimeSpan).into()))
}

fn find(id: &Str) -> Result<Zone, Exception> {
    Zone::find(id.as_str()).ok_or_else(|| {
        let text = format!("The time zone ID '{id}' was not found on the local computer.");
        Exception::new("System.TimeZoneNotFoundException", text)
    })
}

fn wrong_kind() -> Exception {
    let text = "The conversion could not be completed because the supplied DateTime did not have \
                the Kind property set correctly. (Parameter 'sourceTimeZone')";
    Exception::argument(text)
}

/// The offset that a reading has.
fn clock_offset(zone: &Zone, time: DateTime) -> i64 {
    if time.kind != DateTimeKind::Unspecified {
        return 0;
    }
    zone.offset_of_clock(time.ticks)
}

/// The zone's offset at a time, which is of the zone's own clock unless it says otherwise.
fn offset_of(zone: &Zone, time: DateTime) -> i64 {
    match time.kind {
        DateTimeKind::Unspecified => clock_offset(zone, time),
        DateTimeKind::Utc | DateTimeKind::Local => zone.offset_at(time.ticks).0,
    }
}

/// The ticks of UTC of a reading of the zone's clock.
fn to_utc(zone: &Zone, time: DateTime) -> Result<i64, Exception> {
    if time.kind != DateTimeKind::Unspecified && !zone.is_utc() {
        return Err(wrong_kind());
    }
    if matches!(zone.reading(time.ticks), Reading::Skipped(..)) {
        let text = "The supplied DateTime represents an invalid time. For example, when the clock \
                    is adjusted forward, any time in the period that is skipped is invalid. \
                    (Parameter 'dateTime')";
        return Err(Exception::argument(text));
    }
    Ok((time.ticks - clock_offset(zone, time)).clamp(0, MAX))
}

/// The zone's clock at a point of UTC.
fn at(zone: &Zone, utc_ticks: i64) -> Value {
    if zone.is_utc() {
        return DateTime::utc(utc_ticks).into();
    }
    let ticks = (utc_ticks + zone.offset_at(utc_ticks).0).clamp(0, MAX);
    DateTime { ticks, kind: DateTimeKind::Unspecified }.into()
}

fn offset_at(zone: &Zone, time: DateTimeOffset) -> Value {
    let offset = zone.offset_at(time.utc_ticks()).0;
    let ticks = (time.utc_ticks() + offset).clamp(0, MAX);
    let minutes = i16::try_from(offset / MINUTE).unwrap_or(0);
    DateTimeOffset { ticks, offset_minutes: minutes }.into()
}

#[cfg(test)]
mod tests {
    use dotnet::text::time::{HOUR, from_date};

    use super::*;

    #[test]
    fn readings_convert_to_utc_and_back() {
        let zone = find(&"Europe/Berlin".into()).unwrap();
        let noon = from_date(2024, 7, 1).unwrap() + 12 * HOUR;
        let time = DateTime { ticks: noon, kind: DateTimeKind::Unspecified };
        assert_eq!(to_utc(&zone, time).unwrap(), noon - 2 * HOUR);
        assert!(at(&zone, noon - 2 * HOUR).equals(&time.into()));
        let skipped = from_date(2024, 3, 31).unwrap() + 2 * HOUR + HOUR / 2;
        let time = DateTime { ticks: skipped, kind: DateTimeKind::Unspecified };
        assert!(to_utc(&zone, time).is_err());
        assert!(find(&"Nope".into()).is_err());
    }
}
