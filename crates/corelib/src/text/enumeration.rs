//! `System.Enum`: <https://learn.microsoft.com/dotnet/api/system.enum>

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, TypeKind, definition};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::Str;

use super::enums;
use super::integers::to_text;
use crate::language::object::TypeObject;

pub(crate) const TYPE: TypeDef = TypeDef::class(names::ENUM, MEMBERS)
    .bases(&[Type::named(names::VALUETYPE), Type::named(names::ICOMPARABLE)]);

const OWN: Type = Type::named(names::ENUM);
const STRING: Type = Type::String;
const BOOL: Type = Type::Bool;
const TYPE_ARGUMENT: Type = Type::named(names::TYPE);

const MEMBERS: &[Member] = &[
    Member::static_method("Parse", &[TYPE_ARGUMENT, STRING], Type::Object, |args, _| {
        let def = of_argument(args)?;
        let text: Str = args.arg(1)?;
        parse(def, text.as_str(), false)
    })
    .params(&["enumType", "value"]),
    Member::static_method("Parse", &[TYPE_ARGUMENT, STRING, BOOL], Type::Object, |args, _| {
        let def = of_argument(args)?;
        let (text, ignore): (Str, bool) = (args.arg(1)?, args.arg(2)?);
        parse(def, text.as_str(), ignore)
    })
    .params(&["enumType", "value", "ignoreCase"]),
    Member::static_method("Parse", &[STRING], Type::M, |args, _| {
        let def = enum_of(args.method_arg(0))?;
        let (text,): (Str,) = args.get()?;
        parse(def, text.as_str(), false)
    })
    .params(&["value"]),
    Member::static_method("Parse", &[STRING, BOOL], Type::M, |args, _| {
        let def = enum_of(args.method_arg(0))?;
        let (text, ignore): (Str, bool) = args.get()?;
        parse(def, text.as_str(), ignore)
    })
    .params(&["value", "ignoreCase"]),
    Member::static_method("TryParse", &[STRING, Type::Out(&Type::M)], BOOL, |args, _| {
        try_parse(args, false)
    })
    .params(&["value", "result"]),
    Member::static_method("TryParse", &[STRING, BOOL, Type::Out(&Type::M)], BOOL, |args, _| {
        let ignore = args.arg(1)?;
        try_parse(args, ignore)
    })
    .params(&["value", "ignoreCase", "result"]),
    Member::method("ToString", &[STRING], STRING, to_text).params(&["format"]),
    Member::method("ToString", &[STRING, super::PROVIDER], STRING, to_text)
        .params(&["format", "provider"]),
    Member::method("CompareTo", &[Type::Object], Type::Int32, super::integers::compare)
        .params(&["target"]),
    Member::method("HasFlag", &[OWN], BOOL, |args, _| {
        let (it, flag): (i64, i64) = args.get()?;
        Ok((it & flag == flag).into())
    })
    .params(&["flag"])
    .unlisted(),
    Member::method("GetTypeCode", &[], Type::named(enums::TYPE_CODE), |args, _| {
        Ok(enums::type_code(args.value(0)))
    })
    .unlisted(),
    Member::static_method("GetNames", &[TYPE_ARGUMENT], Type::STRINGS, |args, _| {
        let def = of_argument(args)?;
        Ok(Value::strings(members(def).iter().map(|(name, _)| *name)))
    })
    .params(&["enumType"])
    .unlisted(),
    Member::static_method("GetName", &[TYPE_ARGUMENT, Type::Object], STRING, |args, _| {
        let def = of_argument(args)?;
        let it: i64 = args.arg(1)?;
        Ok(members(def).iter().find(|(_, own)| *own == it).map(|(name, _)| *name).into())
    })
    .params(&["enumType", "value"])
    .unlisted(),
    Member::static_method("GetValues", &[TYPE_ARGUMENT], Type::named(names::ARRAY), |args, _| {
        let def = of_argument(args)?;
        let values = members(def).iter().map(|(_, it)| Value::Enum(def, *it)).collect();
        Ok(Value::array(Type::named(def.name), values))
    })
    .params(&["enumType"])
    .unlisted(),
    Member::static_method("IsDefined", &[TYPE_ARGUMENT, Type::Object], BOOL, |args, _| {
        let def = of_argument(args)?;
        Ok(match args.value(1) {
            Value::String(text) => members(def).iter().any(|(name, _)| text == name),
            Value::Enum(_, it) => members(def).iter().any(|(_, own)| own == it),
            other => {
                other.as_i64().is_some_and(|it| members(def).iter().any(|(_, own)| *own == it))
            }
        }
        .into())
    })
    .params(&["enumType", "value"])
    .unlisted(),
];

fn members(def: &TypeDef) -> &'static [(&'static str, i64)] {
    if let TypeKind::Enum { values, .. } = def.kind { values } else { &[] }
}

fn enum_of(of: Type) -> Result<&'static TypeDef, Exception> {
    let def = of.definition_name().and_then(definition).filter(|it| it.is_enum());
    def.ok_or_else(|| Exception::argument("Type provided must be an Enum. (Parameter 'enumType')"))
}

fn of_argument(args: &Args<'_>) -> Result<&'static TypeDef, Exception> {
    match args.value(0).as_object::<TypeObject>() {
        Some(it) => enum_of(it.0),
        None => Err(Exception::argument_null("enumType")),
    }
}

/// Reads names (separated by commas) or a number.
fn read(def: &TypeDef, text: &str, ignore_case: bool) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if text.starts_with(|ch: char| ch.is_ascii_digit() || ch == '-' || ch == '+') {
        return text.parse::<i32>().ok().map(i64::from);
    }
    let mut value = 0;
    for name in text.split(',').map(str::trim) {
        let same =
            |own: &str| if ignore_case { own.eq_ignore_ascii_case(name) } else { own == name };
        value |= members(def).iter().find(|(own, _)| same(own))?.1;
    }
    Some(value)
}

fn parse(def: &'static TypeDef, text: &str, ignore_case: bool) -> Result<Value, Exception> {
    match read(def, text, ignore_case) {
        Some(it) => Ok(Value::Enum(def, it)),
        None if text.trim().is_empty() => Err(Exception::argument(
            "Must specify valid information for parsing in the string. (Parameter 'value')",
        )),
        None => {
            Err(Exception::argument(format!("Requested value '{}' was not found.", text.trim())))
        }
    }
}

fn try_parse(args: &mut Args<'_>, ignore_case: bool) -> Result<Value, Exception> {
    let last = args.len() - 1;
    let def = enum_of(args.method_arg(0))?;
    let text: Option<Str> = args.arg(0)?;
    let found = text.and_then(|it| read(def, it.as_str(), ignore_case));
    args.set_out(last, Value::Enum(def, found.unwrap_or(0)));
    Ok(found.is_some().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read() {
        clr::rows::register(crate::types);
        let def = definition(enums::DAY_OF_WEEK).unwrap();
        for (text, ignore, expected) in [
            ("Friday", false, Some(5)),
            ("friday", true, Some(5)),
            ("friday", false, None),
            (" 3 ", false, Some(3)),
            ("99", false, Some(99)),
            ("", false, None),
            ("Monday, Tuesday", false, Some(3)),
        ] {
            assert_eq!(read(def, text, ignore), expected, "{text}");
        }
    }
}
