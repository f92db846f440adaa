//! `System.String`: members that compare strings.
//! <https://learn.microsoft.com/dotnet/api/system.string>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::Type;
use clr::value::Value;
use dotnet::Str;
use dotnet::text::compare::{self, Comparison};

use super::{COMPARISON, CULTURE, comparison, index};
use super::{part, scan};

const STRING: Type = Type::String;
const INT: Type = Type::Int32;

pub(super) const MEMBERS: &[Member] = &[
    Member::static_method("Compare", &[STRING, STRING], INT, |args, cx| {
        let (a, b) = args.get()?;
        compared(cx, a, b, Comparison::Culture)
    })
    .params(&["strA", "strB"]),
    Member::static_method("Compare", &[STRING, STRING, Type::Bool], INT, |args, cx| {
        let (a, b, ignore) = args.get()?;
        compared(cx, a, b, culture(ignore))
    })
    .params(&["strA", "strB", "ignoreCase"]),
    Member::static_method("Compare", &[STRING, STRING, Type::Bool, CULTURE], INT, |args, cx| {
        let (a, b, ignore, _): (_, _, _, Value) = args.get()?;
        compared(cx, a, b, culture(ignore))
    })
    .params(&["strA", "strB", "ignoreCase", "culture"]),
    Member::static_method("Compare", &[STRING, STRING, COMPARISON], INT, |args, cx| {
        let (a, b, kind) = args.get()?;
        compared(cx, a, b, comparison(kind)?)
    })
    .params(&["strA", "strB", "comparisonType"]),
    Member::static_method("Compare", &[STRING, INT, STRING, INT, INT], INT, |args, cx| {
        compared_parts(args, cx, Comparison::Culture)
    })
    .params(&["strA", "indexA", "strB", "indexB", "length"]),
    Member::static_method(
        "Compare",
        &[STRING, INT, STRING, INT, INT, Type::Bool],
        INT,
        |args, cx| {
            let ignore = args.arg(5)?;
            compared_parts(args, cx, culture(ignore))
        },
    )
    .params(&["strA", "indexA", "strB", "indexB", "length", "ignoreCase"]),
    Member::static_method(
        "Compare",
        &[STRING, INT, STRING, INT, INT, COMPARISON],
        INT,
        |args, cx| {
            let kind = comparison(args.arg(5)?)?;
            compared_parts(args, cx, kind)
        },
    )
    .params(&["strA", "indexA", "strB", "indexB", "length", "comparisonType"]),
    Member::static_method(
        "Compare",
        &[STRING, INT, STRING, INT, INT, Type::Bool, CULTURE],
        INT,
        |args, cx| {
            let ignore = args.arg(5)?;
            compared_parts(args, cx, culture(ignore))
        },
    )
    .params(&["strA", "indexA", "strB", "indexB", "length", "ignoreCase", "culture"]),
    Member::static_method("CompareOrdinal", &[STRING, STRING], INT, |args, cx| {
        let (a, b) = args.get()?;
        compared(cx, a, b, Comparison::Ordinal)
    })
    .params(&["strA", "strB"]),
    Member::static_method("CompareOrdinal", &[STRING, INT, STRING, INT, INT], INT, |args, cx| {
        compared_parts(args, cx, Comparison::Ordinal)
    })
    .params(&["strA", "indexA", "strB", "indexB", "length"]),
    Member::method("CompareTo", &[STRING], INT, |args, cx| {
        let (a, b): (Str, _) = args.get()?;
        compared(cx, Some(a), b, Comparison::Culture)
    })
    .params(&["strB"]),
    Member::method("CompareTo", &[Type::Object], INT, |args, cx| {
        let (a, b): (Str, Value) = args.get()?;
        match b {
            Value::Null => Ok(1.into()),
            Value::String(b) => compared(cx, Some(a), Some(b), Comparison::Culture),
            _ => Err(Exception::argument("Object must be of type String.")),
        }
    })
    .params(&["value"]),
    Member::static_method("Equals", &[STRING, STRING], Type::Bool, |args, _| {
        let (a, b): (Option<Str>, Option<Str>) = args.get()?;
        Ok((a == b).into())
    })
    .params(&["a", "b"]),
    Member::static_method("Equals", &[STRING, STRING, COMPARISON], Type::Bool, |args, cx| {
        let (a, b, kind) = args.get()?;
        equal(cx, a, b, comparison(kind)?)
    })
    .params(&["a", "b", "comparisonType"]),
    Member::method("Equals", &[STRING], Type::Bool, |args, _| {
        let (a, b): (Str, Option<Str>) = args.get()?;
        Ok(b.is_some_and(|b| a == b).into())
    })
    .params(&["value"]),
    Member::method("Equals", &[STRING, COMPARISON], Type::Bool, |args, cx| {
        let (a, b, kind): (Str, _, _) = args.get()?;
        equal(cx, Some(a), b, comparison(kind)?)
    })
    .params(&["value", "comparisonType"]),
    Member::method("GetHashCode", &[COMPARISON], INT, |args, _| {
        let (text, kind): (Str, i64) = args.get()?;
        Ok(hash_code(&text, comparison(kind)?).into())
    })
    .params(&["comparisonType"]),
];

pub(super) fn culture(ignore_case: bool) -> Comparison {
    if ignore_case { Comparison::CultureIgnoreCase } else { Comparison::Culture }
}

/// Compares; null comes before everything.
pub(super) fn compared(
    cx: &mut EvalCx<'_>,
    a: Option<Str>,
    b: Option<Str>,
    by: Comparison,
) -> Result<Value, Exception> {
    Ok(Value::Int(match (a, b) {
        (None, None) => 0,
        (None, Some(_)) => -1,
        (Some(_), None) => 1,
        (Some(a), Some(b)) => {
            scan(cx, &a)?;
            scan(cx, &b)?;
            compare::compare(&a, &b, by)
        }
    }))
}

fn compared_parts(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    by: Comparison,
) -> Result<Value, Exception> {
    let (a, b): (Option<Str>, Option<Str>) = (args.arg(0)?, args.arg(2)?);
    let (from_a, from_b): (i32, i32) = (args.arg(1)?, args.arg(3)?);
    let most = index(args.arg(4)?, "length")?;
    let cut = |text: Option<Str>, from: i32, name| -> Result<Option<Str>, Exception> {
        let Some(text) = text else { return Ok(None) };
        let start = part(from, 0, text.len(), (name, name))?.start;
        Ok(text.slice(start..text.len().min(start.saturating_add(most))))
    };
    compared(cx, cut(a, from_a, "indexA")?, cut(b, from_b, "indexB")?, by)
}

/// Equality under a comparison; null equals only null.
pub(super) fn equal(
    cx: &mut EvalCx<'_>,
    a: Option<Str>,
    b: Option<Str>,
    by: Comparison,
) -> Result<Value, Exception> {
    Ok(Value::Bool(match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            scan(cx, &a)?;
            compare::equals(&a, &b, by)
        }
        _ => false,
    }))
}

/// A hash that texts which are equal under the comparison share.
pub(super) fn hash_code(text: &Str, by: Comparison) -> i32 {
    let key = compare::key(text, by);
    key.iter().fold(5381_i32, |hash, unit| hash.wrapping_mul(33) ^ i32::from(*unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_equal_hashes() {
        let by = Comparison::OrdinalIgnoreCase;
        assert_eq!(hash_code(&"abc".into(), by), hash_code(&"ABC".into(), by));
    }
}
