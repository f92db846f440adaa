//! `System.Char`: <https://learn.microsoft.com/dotnet/api/system.char>

use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::Str;
use dotnet::text::chars;

use super::enums::{self, UNICODE_CATEGORY};
use super::integers::{compare, equals};
use super::{CULTURE, PROVIDER, made, part};

pub(crate) const TYPE: TypeDef =
    TypeDef::structure("System.Char", MEMBERS).bases(&[Type::named(names::ICOMPARABLE)]);

const CHAR: Type = Type::Char;
const ONE: &[Type] = &[Type::Char];
const PLACE: &[Type] = &[Type::String, Type::Int32];

/// A property of a unit, asked of a `char` or of a place in a string.
macro_rules! tests {
    ($($name:literal: $test:path),* $(,)?) => { &[$(
        Member::static_method($name, ONE, Type::Bool, |args, _| test(args, $test)).params(&["c"]),
        Member::static_method($name, PLACE, Type::Bool, |args, _| test(args, $test))
            .params(&["s", "index"]),
    )*] };
}

const TESTS: &[Member] = tests! {
    "IsLetter": chars::is_letter,
    "IsDigit": chars::is_digit,
    "IsLetterOrDigit": chars::is_letter_or_digit,
    "IsNumber": chars::is_number,
    "IsUpper": chars::is_upper,
    "IsLower": chars::is_lower,
    "IsWhiteSpace": chars::is_white_space,
    "IsPunctuation": chars::is_punctuation,
    "IsSymbol": chars::is_symbol,
    "IsSeparator": chars::is_separator,
    "IsControl": chars::is_control,
    "IsSurrogate": is_surrogate,
    "IsHighSurrogate": chars::is_high_surrogate,
    "IsLowSurrogate": chars::is_low_surrogate,
};

const MEMBERS: &[Member] = &super::joined::<{ TESTS.len() + OTHERS.len() }>(&[TESTS, OTHERS]);

const OTHERS: &[Member] = &[
    Member::constant("MaxValue", CHAR, Constant::Char(u16::MAX)),
    Member::constant("MinValue", CHAR, Constant::Char(0)),
    Member::static_method("ToUpper", ONE, CHAR, |args, _| map(args, chars::to_upper)),
    Member::static_method("ToUpper", &[CHAR, CULTURE], CHAR, |args, _| map(args, chars::to_upper)),
    Member::static_method("ToUpperInvariant", ONE, CHAR, |args, _| map(args, chars::to_upper)),
    Member::static_method("ToLower", ONE, CHAR, |args, _| map(args, chars::to_lower)),
    Member::static_method("ToLower", &[CHAR, CULTURE], CHAR, |args, _| map(args, chars::to_lower)),
    Member::static_method("ToLowerInvariant", ONE, CHAR, |args, _| map(args, chars::to_lower)),
    Member::static_method("ToString", ONE, Type::String, |args, cx| {
        let (unit,): (u16,) = args.get()?;
        made(cx, Str::from_unit(unit))
    })
    .params(&["c"]),
    Member::method("ToString", &[PROVIDER], Type::String, |args, cx| {
        let unit: u16 = args.arg(0)?;
        made(cx, Str::from_unit(unit))
    })
    .params(&["provider"]),
    Member::static_method("Parse", &[Type::String], CHAR, |args, _| {
        let (text,): (Str,) = args.get()?;
        let unit = text.unit(0).filter(|_| text.len() == 1);
        unit.map(Value::Char)
            .ok_or_else(|| Exception::format("String must be exactly one character long."))
    })
    .params(&["s"]),
    Member::static_method(
        "TryParse",
        &[Type::String, Type::Out(&Type::Char)],
        Type::Bool,
        |args, _| {
            let text: Option<Str> = args.arg(0)?;
            let unit = text.filter(|it| it.len() == 1).and_then(|it| it.unit(0));
            args.set_out(1, Value::Char(unit.unwrap_or(0)));
            Ok(unit.is_some().into())
        },
    )
    .params(&["s", "result"]),
    Member::static_method("GetNumericValue", ONE, Type::Double, |args, _| {
        let unit = unit(args)?;
        Ok(chars::numeric_value(unit).into())
    })
    .params(&["c"]),
    Member::static_method("GetNumericValue", PLACE, Type::Double, |args, _| {
        let unit = unit(args)?;
        Ok(chars::numeric_value(unit).into())
    })
    .params(&["s", "index"]),
    Member::static_method("GetUnicodeCategory", ONE, Type::named(UNICODE_CATEGORY), |args, _| {
        let unit = unit(args)?;
        Ok(enums::member(UNICODE_CATEGORY, chars::category(unit).into()))
    })
    .params(&["c"]),
    Member::static_method("GetUnicodeCategory", PLACE, Type::named(UNICODE_CATEGORY), |args, _| {
        let unit = unit(args)?;
        Ok(enums::member(UNICODE_CATEGORY, chars::category(unit).into()))
    })
    .params(&["s", "index"]),
    Member::static_method("IsSurrogatePair", &[CHAR, CHAR], Type::Bool, |args, _| {
        let (high, low): (u16, u16) = args.get()?;
        Ok((chars::is_high_surrogate(high) && chars::is_low_surrogate(low)).into())
    })
    .params(&["highSurrogate", "lowSurrogate"]),
    Member::static_method("ConvertToUtf32", PLACE, Type::Int32, |args, _| {
        let (text, at): (Str, i32) = args.get()?;
        let start = part(at, 1, text.len(), ("index", "index"))?.start;
        let units = text.units();
        let rest = units.get(start..).unwrap_or_default().iter().copied();
        let first = char::decode_utf16(rest).next().and_then(Result::ok);
        let wrong = "Found a surrogate char without a valid pair at the given index.";
        first.map(code).ok_or_else(|| Exception::argument(wrong))
    })
    .params(&["s", "index"]),
    Member::static_method("ConvertToUtf32", &[CHAR, CHAR], Type::Int32, |args, _| {
        let (high, low): (u16, u16) = args.get()?;
        let pair = chars::is_high_surrogate(high) && chars::is_low_surrogate(low);
        let decoded = char::decode_utf16([high, low]).next().and_then(Result::ok);
        decoded.filter(|_| pair).map(code).ok_or_else(|| {
            let text = "A valid high surrogate character is between 0xd800 and 0xdbff, inclusive.";
            super::out_of_range(text, "highSurrogate")
        })
    })
    .params(&["highSurrogate", "lowSurrogate"]),
    Member::static_method("ConvertFromUtf32", &[Type::Int32], Type::String, |args, cx| {
        let (value,): (i32,) = args.get()?;
        let ch = u32::try_from(value).ok().and_then(char::from_u32).ok_or_else(|| {
            let text = "A valid UTF32 value is between 0x000000 and 0x10ffff, inclusive, and \
                        should not include surrogate codepoint values (0x00d800 ~ 0x00dfff).";
            super::out_of_range(text, "utf32")
        })?;
        made(cx, ch.to_string())
    })
    .params(&["utf32"]),
    Member::method("Equals", ONE, Type::Bool, equals).params(&["obj"]),
    Member::method("CompareTo", ONE, Type::Int32, compare).params(&["value"]),
    Member::method("CompareTo", &[Type::Object], Type::Int32, compare).params(&["value"]),
    Member::method("GetTypeCode", &[], Type::named(enums::TYPE_CODE), |args, _| {
        Ok(enums::type_code(args.value(0)))
    }),
    Member::method("GetHashCode", &[], Type::Int32, |args, _| {
        let (unit,): (u16,) = args.get()?;
        Ok((i32::from(unit) | (i32::from(unit) << 16)).into())
    }),
];

fn is_surrogate(unit: u16) -> bool {
    chars::is_high_surrogate(unit) || chars::is_low_surrogate(unit)
}

fn code(ch: char) -> Value {
    Value::Int(i32::try_from(u32::from(ch)).unwrap_or(0))
}

/// The `char` argument, or the unit at a place of a string.
fn unit(args: &mut Args<'_>) -> Result<u16, Exception> {
    if args.len() == 1 {
        return args.arg(0);
    }
    let (text, at): (Str, i32) = args.get()?;
    let start = part(at, 1, text.len(), ("index", "index"))?.start;
    Ok(text.unit(start).unwrap_or(0))
}

fn test(args: &mut Args<'_>, f: fn(u16) -> bool) -> Result<Value, Exception> {
    unit(args).map(|it| f(it).into())
}

fn map(args: &mut Args<'_>, f: fn(u16) -> u16) -> Result<Value, Exception> {
    args.arg(0).map(|it| Value::Char(f(it)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_has_both_forms() {
        for name in ["IsLetter", "IsSurrogate"] {
            assert_eq!(MEMBERS.iter().filter(|it| it.name == name).count(), 2);
        }
    }
}
