//! `System.TimeZoneInfo.AdjustmentRule` and `TransitionTime`:
//! <https://learn.microsoft.com/dotnet/api/system.timezoneinfo.adjustmentrule>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, integer_of};
use clr::types::Type;
use clr::value::{DateTime, DateTimeKind, Object, Value};
use dotnet::text::Failure;
use dotnet::text::zone_rules::{Adjustment, Transition};
use dotnet::{Runtime, Str};

use super::enums;

/// `TimeZoneInfo.AdjustmentRule`
pub(super) const RULE: Type = Type::named("System.TimeZoneInfo.AdjustmentRule");
const TRANSITION: Type = Type::named("System.TimeZoneInfo.TransitionTime");
const DATE: Type = Type::DateTime;
const INT: Type = Type::Int32;
const WEEKDAY: Type = Type::named(enums::DAY_OF_WEEK);

pub(super) const RULE_TYPE: TypeDef =
    TypeDef::class("System.TimeZoneInfo.AdjustmentRule", RULE_MEMBERS);
pub(super) const TRANSITION_TYPE: TypeDef =
    TypeDef::structure("System.TimeZoneInfo.TransitionTime", TRANSITION_MEMBERS)
        .zero(|_| Value::object(Turn(Transition::default())));

/// A rule as an object, with the kinds of its first and last day.
#[derive(Debug)]
pub(super) struct Rule(pub(super) Adjustment, [DateTimeKind; 2]);

impl Rule {
    /// A rule as a value.
    pub(super) fn value(it: Adjustment) -> Value {
        Value::object(Self(it, [DateTimeKind::Unspecified; 2]))
    }
}

impl Object for Rule {
    fn net_type(&self) -> Type {
        RULE
    }

    fn to_text(&self, _: Runtime) -> Str {
        Str::from_static("System.TimeZoneInfo+AdjustmentRule")
    }

    fn hash_code(&self) -> Option<u64> {
        Some(self.0.start.unsigned_abs())
    }
}

/// A transition as an object.
#[derive(Debug)]
struct Turn(Transition);

impl Object for Turn {
    fn net_type(&self) -> Type {
        TRANSITION
    }

    fn to_text(&self, _: Runtime) -> Str {
        Str::from_static("System.TimeZoneInfo+TransitionTime")
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| it.0 == self.0))
    }

    fn hash_code(&self) -> Option<u64> {
        Some((i64::from(self.0.month) ^ (i64::from(self.0.week) << 8)).unsigned_abs())
    }
}

/// The transition of a value.
fn transition(of: &Value) -> Transition {
    of.as_object::<Turn>().map(|it| it.0).unwrap_or_default()
}

const TRANSITION_MEMBERS: &[Member] = &[
    Member::static_method("CreateFixedDateRule", &[DATE, INT, INT], TRANSITION, |args, _| {
        let (time, month, day): (DateTime, i32, i32) = args.get()?;
        let made = Transition::fixed(time_of_day(time)?, month, day)?;
        Ok(Value::object(Turn(made)))
    })
    .params(&["timeOfDay", "month", "day"]),
    Member::static_method(
        "CreateFloatingDateRule",
        &[DATE, INT, INT, WEEKDAY],
        TRANSITION,
        |args, _| {
            let (time, month, week, day): (DateTime, i32, i32, i64) = args.get()?;
            let day = i32::try_from(day).unwrap_or(-1);
            let made = Transition::floating(time_of_day(time)?, month, week, day)?;
            Ok(Value::object(Turn(made)))
        },
    )
    .params(&["timeOfDay", "month", "week", "dayOfWeek"]),
    Member::property("TimeOfDay", DATE, |args, _| {
        let ticks = transition(args.value(0)).time;
        Ok(DateTime { ticks, kind: DateTimeKind::Unspecified }.into())
    }),
    Member::property("Month", INT, |args, _| Ok(transition(args.value(0)).month.into())),
    Member::property("Week", INT, |args, _| Ok(transition(args.value(0)).week.into())),
    Member::property("Day", INT, |args, _| Ok(transition(args.value(0)).day.into())),
    Member::property("DayOfWeek", WEEKDAY, |args, _| {
        Ok(integer_of(WEEKDAY, transition(args.value(0)).weekday.into()))
    }),
    Member::property("IsFixedDateRule", Type::Bool, |args, _| {
        Ok(transition(args.value(0)).is_fixed.into())
    }),
    Member::method("GetHashCode", &[], INT, |args, _| {
        let it = transition(args.value(0));
        Ok((it.month ^ (it.week << 8)).into())
    }),
    Member::method("Equals", &[TRANSITION], Type::Bool, |args, _| same(args, true))
        .params(&["other"]),
    Member::operator("==", &[TRANSITION, TRANSITION], Type::Bool, |args, _| same(args, true)),
    Member::operator("!=", &[TRANSITION, TRANSITION], Type::Bool, |args, _| same(args, false)),
];

fn same(args: &mut Args<'_>, wanted: bool) -> Result<Value, Exception> {
    Ok(((transition(args.value(0)) == transition(args.value(1))) == wanted).into())
}

fn time_of_day(time: DateTime) -> Result<i64, Exception> {
    if time.kind != DateTimeKind::Unspecified {
        let text = "The supplied DateTime must have the Kind property set to \
                    DateTimeKind.Unspecified.";
        return Err(Failure::Argument(text.to_owned(), "timeOfDay").into());
    }
    Ok(time.ticks)
}

const RULE_MEMBERS: &[Member] = &[
    Member::static_method(
        "CreateAdjustmentRule",
        &[DATE, DATE, Type::TimeSpan, TRANSITION, TRANSITION],
        RULE,
        create,
    )
    .params(&[
        "dateStart",
        "dateEnd",
        "daylightDelta",
        "daylightTransitionStart",
        "daylightTransitionEnd",
    ]),
    Member::property("DateStart", DATE, |args, _| {
        let it: Arc<Rule> = args.arg(0)?;
        let [kind, _] = it.1;
        Ok(DateTime { ticks: it.0.start, kind }.into())
    }),
    Member::property("DateEnd", DATE, |args, _| {
        let it: Arc<Rule> = args.arg(0)?;
        let [_, kind] = it.1;
        Ok(DateTime { ticks: it.0.end, kind }.into())
    }),
    Member::property("DaylightDelta", Type::TimeSpan, |args, _| {
        let it: Arc<Rule> = args.arg(0)?;
        Ok(Value::TimeSpan(it.0.delta))
    }),
    Member::property("DaylightTransitionStart", TRANSITION, |args, _| {
        let it: Arc<Rule> = args.arg(0)?;
        Ok(Value::object(Turn(it.0.from)))
    }),
    Member::property("DaylightTransitionEnd", TRANSITION, |args, _| {
        let it: Arc<Rule> = args.arg(0)?;
        Ok(Value::object(Turn(it.0.to)))
    }),
    Member::method("Equals", &[RULE], Type::Bool, |args, _| {
        let (it, other): (Arc<Rule>, Option<Arc<Rule>>) = args.get()?;
        Ok(other.is_some_and(|other| it.0 == other.0).into())
    })
    .params(&["other"]),
];

fn create(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (start, end, delta): (DateTime, DateTime, i64) = (args.arg(0)?, args.arg(1)?, args.arg(2)?);
    for (date, name) in [(start, "dateStart"), (end, "dateEnd")] {
        if date.kind == DateTimeKind::Local {
            let text = "The supplied DateTime must have the Kind property set to \
                        DateTimeKind.Unspecified or DateTimeKind.Utc.";
            return Err(Failure::Argument(text.to_owned(), name).into());
        }
    }
    let is_date = |it: DateTime| it.kind == DateTimeKind::Unspecified;
    let made = Adjustment {
        start: start.ticks,
        end: end.ticks,
        delta,
        from: transition(args.value(3)),
        to: transition(args.value(4)),
        base_delta: 0,
        is_whole: false,
    };
    let made = made.checked((is_date(start), is_date(end)))?;
    Ok(Value::object(Rule(made, [start.kind, end.kind])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_transition_is_all_zero() {
        assert_eq!(transition(&Value::Null), Transition::default());
        let made = Turn(Transition::floating(0, 3, 5, 0).unwrap());
        assert_eq!(made.hash_code(), Some(1283));
        assert!(made.equals(&Value::object(Turn(made.0))).unwrap());
    }
}
