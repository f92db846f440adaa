//! The members of `System.TimeZoneInfo` that make zones and tell their rules:
//! <https://learn.microsoft.com/dotnet/api/system.timezoneinfo.createcustomtimezone>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::Type;
use clr::value::{Array, Value};
use dotnet::Str;
use dotnet::text::Failure;
use dotnet::text::time::{HOUR, MINUTE};
use dotnet::text::zone_rules::{Adjustment, Rules};
use dotnet::text::zone_text::Parts;
use dotnet::text::zones::Zone;

use super::adjustment_rule::{RULE, Rule};
use super::made;
use super::timezone::{Info, Names, OWN};

const STRING: Type = Type::String;
const SPAN: Type = Type::TimeSpan;
const BOOL: Type = Type::Bool;
const RULES: Type = Type::Array(&RULE);

/// Bytes that a rule takes, roughly.
const RULE_BYTES: usize = 160;

pub(super) const MEMBERS: &[Member] = &[
    Member::static_method("CreateCustomTimeZone", &[STRING, SPAN, STRING, STRING], OWN, create)
        .params(&["id", "baseUtcOffset", "displayName", "standardDisplayName"]),
    Member::static_method(
        "CreateCustomTimeZone",
        &[STRING, SPAN, STRING, STRING, STRING, RULES],
        OWN,
        create,
    )
    .params(CREATED),
    Member::static_method(
        "CreateCustomTimeZone",
        &[STRING, SPAN, STRING, STRING, STRING, RULES, BOOL],
        OWN,
        create,
    )
    .params(CREATED),
    Member::method("GetAdjustmentRules", &[], RULES, |args, cx| {
        let it: Arc<Info> = args.arg(0)?;
        let rules = rules_of(&it, cx)?;
        Ok(Value::array(RULE, rules.into_iter().map(Rule::value).collect()))
    })
    .doc("The zone's rules; of zones by name one for each change of their clocks."),
    Member::method("ToSerializedString", &[], STRING, |args, cx| {
        let it: Arc<Info> = args.arg(0)?;
        let now = cx.utc_now().ticks;
        let text = |it: Str| it.to_string();
        let parts = Parts {
            id: it.0.id.clone(),
            base: it.0.standard_offset(now),
            names: [it.display_name(now), text(it.standard_name()), text(it.daylight_name())],
            adjustments: rules_of(&it, cx)?,
        };
        made(cx, parts.write())
    })
    .doc("The zone as text that `FromSerializedString` reads."),
    Member::static_method("FromSerializedString", &[STRING], OWN, |args, cx| {
        let (text,): (Str,) = args.get()?;
        cx.steps(1 + text.len() as u64 / 16)?;
        cx.allocate(text.len() * 4)?;
        if text.is_empty() {
            let told = "The specified serialized string '' is not supported.";
            return Err(Failure::Argument(told.to_owned(), "source").into());
        }
        let parts = Parts::read(text.as_str()).map_err(|it| corrupt(&it.to_string()))?;
        let [display, standard, daylight] = parts.names.map(|it| Some(Str::from(it)));
        let names = Names { display, standard, daylight };
        zone(&parts.id, parts.base, parts.adjustments, false, names)
            .map_err(|_| corrupt(&dotnet::text::zone_text::TextError::Corrupt.to_string()))
    })
    .params(&["source"]),
    Member::method("HasSameRules", &[OWN], BOOL, |args, cx| {
        let (it, other): (Arc<Info>, Arc<Info>) = args.get()?;
        Ok(same_rules(&it, &other, cx)?.into())
    })
    .params(&["other"]),
    Member::method("Equals", &[OWN], BOOL, |args, cx| {
        let (it, other): (Arc<Info>, Option<Arc<Info>>) = args.get()?;
        let Some(other) = other else { return Ok(false.into()) };
        Ok((it.0.id.eq_ignore_ascii_case(&other.0.id) && same_rules(&it, &other, cx)?).into())
    })
    .params(&["other"]),
];

const CREATED: &[&str] = &[
    "id",
    "baseUtcOffset",
    "displayName",
    "standardDisplayName",
    "daylightDisplayName",
    "adjustmentRules",
    "disableDaylightSavingTime",
];

fn corrupt(text: &str) -> Exception {
    Exception::new("System.Runtime.Serialization.SerializationException", text)
}

fn rules_of(it: &Info, cx: &mut EvalCx<'_>) -> Result<Vec<Adjustment>, Exception> {
    let rules = it.0.adjustments(cx.utc_now().ticks);
    cx.steps(1 + rules.len() as u64)?;
    cx.allocate(rules.len() * RULE_BYTES)?;
    Ok(rules)
}

fn same_rules(it: &Info, other: &Info, cx: &mut EvalCx<'_>) -> Result<bool, Exception> {
    let now = cx.utc_now().ticks;
    Ok(it.0.standard_offset(now) == other.0.standard_offset(now)
        && it.0.has_daylight(now) == other.0.has_daylight(now)
        && rules_of(it, cx)? == rules_of(other, cx)?)
}

fn create(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let Some(id) = args.arg::<Option<Str>>(0)? else {
        return Err(Exception::argument_null("id"));
    };
    let &Value::TimeSpan(offset) = args.value(1) else {
        return Err(Exception::argument_null("baseUtcOffset"));
    };
    let (display, standard): (Option<Str>, Option<Str>) = (args.arg(2)?, args.arg(3)?);
    let has_rules = args.len() > 4;
    let daylight = if has_rules { args.arg(4)? } else { standard.clone() };
    let rules: Option<Arc<Array>> = if has_rules { args.arg(5)? } else { None };
    let disabled = args.len() > 6 && args.arg(6)?;
    let rules = rules.map(|it| it.to_vec()).unwrap_or_default();
    cx.steps(1 + rules.len() as u64)?;
    cx.allocate(rules.len() * RULE_BYTES)?;
    let adjustments: Option<Vec<Adjustment>> =
        rules.iter().map(|it| it.as_object::<Rule>().map(|it| it.0.clone())).collect();
    let names = Names { display, standard, daylight: daylight.filter(|_| !disabled) };
    let Some(adjustments) = adjustments else {
        // .NET looks at the offset first.
        zone(id.as_str(), offset, Vec::new(), false, names)?;
        let text = "The AdjustmentRule array cannot contain null elements.";
        return Err(Exception::new("System.InvalidTimeZoneException", text));
    };
    zone(id.as_str(), offset, adjustments, disabled, names)
}

/// A zone: its offset is of whole minutes, at most 14 hours from UTC.
fn zone(
    id: &str,
    offset: i64,
    adjustments: Vec<Adjustment>,
    disabled: bool,
    names: Names,
) -> Result<Value, Exception> {
    if id.is_empty() {
        let text = "The specified ID parameter '' is not supported. (Parameter 'id')";
        return Err(Exception::argument(text));
    }
    if offset.abs() > 14 * HOUR {
        return Err(Exception::argument_out_of_range("baseUtcOffset"));
    }
    if offset % MINUTE != 0 {
        return Err(Exception::argument(
            "The TimeSpan parameter cannot be specified more precisely than whole minutes. \
             (Parameter 'baseUtcOffset')",
        ));
    }
    let rules = Rules::new(offset, adjustments, disabled)
        .map_err(|it| Exception::new("System.InvalidTimeZoneException", it.to_string()))?;
    Ok(Value::object(Info(Zone::of_rules(id, rules), Some(names))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_checked_before_it_is_made() {
        let made = |id: &str, offset: i64| {
            let names = Names { display: None, standard: None, daylight: None };
            zone(id, offset, Vec::new(), false, names).map(|it| it.type_name())
        };
        assert_eq!(made("x", HOUR).unwrap().as_str(), "System.TimeZoneInfo");
        assert!(made("", HOUR).is_err() && made("x", 15 * HOUR).is_err() && made("x", 1).is_err());
    }
}
