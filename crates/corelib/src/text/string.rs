//! `System.String`: <https://learn.microsoft.com/dotnet/api/system.string>
//!
//! Members that look at or cut one string; finding is in `string_search`, making strings of others
//! in `string_build`.

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Array, Value};
use dotnet::Str;
use dotnet::text::chars;
use dotnet::text::compare::{self, Comparison};
use dotnet::text::normal::Form;
use dotnet::text::split::{Separators, split, trim};

use super::enums;
use super::{CHARS, COMPARISON, CULTURE, PROVIDER, char_array, comparison, index, joined, length};
use super::{made, out_of_range, part, scan, search, string_build, string_search, units};

pub(crate) const TYPE: TypeDef = TypeDef::class("System.String", MEMBERS)
    .bases(&[Type::Named(names::IENUMERABLE, &[Type::Char]), Type::named(names::ICOMPARABLE)]);

const COUNT: usize = OWN.len() + string_search::MEMBERS.len() + string_build::MEMBERS.len();

const MEMBERS: &[Member] = &joined::<COUNT>(&[OWN, string_search::MEMBERS, string_build::MEMBERS]);

const STRING: Type = Type::String;
const INT: Type = Type::Int32;
const OPTIONS: Type = Type::named("System.StringSplitOptions");
const FORM: Type = Type::named(enums::NORMALIZATION_FORM);
const NONE: &[Constant] = &[Constant::Integer(0)];

const OWN: &[Member] = &[
    Member::constant("Empty", STRING, Constant::Text("")).doc("The empty string."),
    Member::property("Length", INT, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(length(text.len()))
    })
    .doc("The number of UTF-16 units."),
    Member::indexer(&[INT], Type::Char, |args, _| {
        let (text, at): (Str, i32) = args.get()?;
        let unit = usize::try_from(at).ok().and_then(|it| text.unit(it));
        unit.map(Value::Char).ok_or_else(Exception::index_out_of_range)
    })
    .params(&["index"]),
    Member::static_method("IsNullOrEmpty", &[STRING], Type::Bool, |args, _| {
        let (text,): (Option<Str>,) = args.get()?;
        Ok(text.is_none_or(|it| it.is_empty()).into())
    })
    .params(&["value"]),
    Member::static_method("IsNullOrWhiteSpace", &[STRING], Type::Bool, |args, cx| {
        let (text,): (Option<Str>,) = args.get()?;
        let Some(text) = text else { return Ok(true.into()) };
        scan(cx, &text)?;
        Ok(text.units().iter().all(|unit| chars::is_white_space(*unit)).into())
    })
    .params(&["value"]),
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
    Member::method("Normalize", &[], STRING, normalized),
    Member::method("Normalize", &[FORM], STRING, normalized).params(&["normalizationForm"]),
    Member::method("IsNormalized", &[], Type::Bool, is_normalized),
    Member::method("IsNormalized", &[FORM], Type::Bool, is_normalized)
        .params(&["normalizationForm"]),
    Member::method("CopyTo", &[INT, CHARS, INT, INT], Type::Void, |args, cx| {
        let (text, from, to, at, count): (Str, i32, Arc<Array>, i32, i32) = args.get()?;
        super::copy_units(cx, &text, from, &to, at, count)
    })
    .params(&["sourceIndex", "destination", "destinationIndex", "count"]),
    Member::method("Clone", &[], Type::Object, |args, _| args.take::<1>().map(|[it]| it)),
    Member::static_method("Copy", &[STRING], STRING, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(text.into())
    })
    .params(&["str"]),
    Member::static_method("Intern", &[STRING], STRING, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(text.into())
    })
    .params(&["str"]),
    Member::static_method("IsInterned", &[STRING], STRING, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(text.into())
    })
    .params(&["str"]),
    Member::method("ToString", &[PROVIDER], STRING, |args, _| {
        args.take::<2>().map(|[text, _]| text)
    })
    .params(&["provider"]),
    Member::method("GetTypeCode", &[], Type::named(enums::TYPE_CODE), |args, _| {
        Ok(enums::type_code(args.value(0)))
    }),
    Member::method("Substring", &[INT], STRING, |args, cx| {
        let (text, start): (Str, i32) = args.get()?;
        let from = index(start, "startIndex")?;
        let wrong = "startIndex cannot be larger than length of string.";
        let cut = text.slice(from..text.len()).ok_or_else(|| out_of_range(wrong, "startIndex"))?;
        made(cx, cut)
    })
    .params(&["startIndex"]),
    Member::method("Substring", &[INT, INT], STRING, |args, cx| {
        let (text, start, count): (Str, i32, i32) = args.get()?;
        let range = part(start, count, text.len(), ("startIndex", "length"))?;
        made(cx, text.slice(range).unwrap_or(Str::EMPTY))
    })
    .params(&["startIndex", "length"]),
    Member::method("Remove", &[INT], STRING, |args, cx| {
        let (text, start): (Str, i32) = args.get()?;
        let from = index(start, "startIndex")?;
        if from >= text.len() {
            let wrong = "startIndex must be less than length of string.";
            return Err(out_of_range(wrong, "startIndex"));
        }
        made(cx, text.slice(0..from).unwrap_or(Str::EMPTY))
    })
    .params(&["startIndex"]),
    Member::method("Remove", &[INT, INT], STRING, |args, cx| {
        let (text, start, count): (Str, i32, i32) = args.get()?;
        let range = part(start, count, text.len(), ("startIndex", "count"))?;
        let head = text.slice(0..range.start).unwrap_or(Str::EMPTY);
        let tail = text.slice(range.end..text.len()).unwrap_or(Str::EMPTY);
        made(cx, head.concat(&tail))
    })
    .params(&["startIndex", "count"]),
    Member::method("Insert", &[INT, STRING], STRING, |args, cx| {
        let (text, at, value): (Str, i32, Str) = args.get()?;
        let range = part(at, 0, text.len(), ("startIndex", "startIndex"))?;
        let head = text.slice(0..range.start).unwrap_or(Str::EMPTY);
        let tail = text.slice(range.start..text.len()).unwrap_or(Str::EMPTY);
        made(cx, Str::concat_all(&[head, value, tail]))
    })
    .params(&["startIndex", "value"]),
    Member::method("PadLeft", &[INT], STRING, |args, cx| pad(args, cx, true))
        .params(&["totalWidth"]),
    Member::method("PadLeft", &[INT, Type::Char], STRING, |args, cx| pad(args, cx, true))
        .params(&["totalWidth", "paddingChar"]),
    Member::method("PadRight", &[INT], STRING, |args, cx| pad(args, cx, false))
        .params(&["totalWidth"]),
    Member::method("PadRight", &[INT, Type::Char], STRING, |args, cx| pad(args, cx, false))
        .params(&["totalWidth", "paddingChar"]),
    Member::method("Replace", &[Type::Char, Type::Char], STRING, |args, cx| {
        let (text, from, to): (Str, u16, u16) = args.get()?;
        scan(cx, &text)?;
        let units = text.units();
        if !units.contains(&from) {
            return Ok(text.clone().into());
        }
        let mapped: Vec<u16> = units.iter().map(|it| if *it == from { to } else { *it }).collect();
        made(cx, Str::from_units(&mapped))
    })
    .params(&["oldChar", "newChar"]),
    Member::method("Replace", &[STRING, STRING], STRING, |args, cx| {
        let (text, old, new) = args.get()?;
        replaced(cx, &text, &old, new, Comparison::Ordinal)
    })
    .params(&["oldValue", "newValue"]),
    Member::method("Replace", &[STRING, STRING, COMPARISON], STRING, |args, cx| {
        let (text, old, new, kind) = args.get()?;
        replaced(cx, &text, &old, new, comparison(kind)?)
    })
    .params(&["oldValue", "newValue", "comparisonType"]),
    Member::method("Replace", &[STRING, STRING, Type::Bool, CULTURE], STRING, |args, cx| {
        let (text, old, new, ignore, _): (_, _, _, _, Value) = args.get()?;
        replaced(cx, &text, &old, new, culture(ignore))
    })
    .params(&["oldValue", "newValue", "ignoreCase", "culture"]),
    Member::method("ToUpper", &[], STRING, |args, cx| cased(args, cx, true)),
    Member::method("ToUpper", &[CULTURE], STRING, |args, cx| cased(args, cx, true))
        .params(&["culture"]),
    Member::method("ToUpperInvariant", &[], STRING, |args, cx| cased(args, cx, true)),
    Member::method("ToLower", &[], STRING, |args, cx| cased(args, cx, false)),
    Member::method("ToLower", &[CULTURE], STRING, |args, cx| cased(args, cx, false))
        .params(&["culture"]),
    Member::method("ToLowerInvariant", &[], STRING, |args, cx| cased(args, cx, false)),
    Member::method("Trim", &[], STRING, |args, cx| trimmed(args, cx, true, true)),
    Member::method("Trim", &[Type::Char], STRING, |args, cx| trimmed(args, cx, true, true))
        .params(&["trimChar"]),
    Member::method("Trim", &[Type::Params(&Type::Char)], STRING, |args, cx| {
        trimmed(args, cx, true, true)
    })
    .params(&["trimChars"]),
    Member::method("TrimStart", &[], STRING, |args, cx| trimmed(args, cx, true, false)),
    Member::method("TrimStart", &[Type::Char], STRING, |args, cx| trimmed(args, cx, true, false))
        .params(&["trimChar"]),
    Member::method("TrimStart", &[Type::Params(&Type::Char)], STRING, |args, cx| {
        trimmed(args, cx, true, false)
    })
    .params(&["trimChars"]),
    Member::method("TrimEnd", &[], STRING, |args, cx| trimmed(args, cx, false, true)),
    Member::method("TrimEnd", &[Type::Char], STRING, |args, cx| trimmed(args, cx, false, true))
        .params(&["trimChar"]),
    Member::method("TrimEnd", &[Type::Params(&Type::Char)], STRING, |args, cx| {
        trimmed(args, cx, false, true)
    })
    .params(&["trimChars"]),
    Member::method("ToCharArray", &[], CHARS, |args, cx| {
        let (text,): (Str,) = args.get()?;
        char_array(cx, &text.units())
    }),
    Member::method("ToCharArray", &[INT, INT], CHARS, |args, cx| {
        let (text, start, count): (Str, i32, i32) = args.get()?;
        let range = part(start, count, text.len(), ("startIndex", "length"))?;
        char_array(cx, text.units().get(range).unwrap_or_default())
    })
    .params(&["startIndex", "length"]),
    Member::method("Split", &[Type::Params(&Type::Char)], Type::STRINGS, |args, cx| {
        let separators = char_separators(args)?;
        pieces(args, cx, &separators, i32::MAX, 0)
    })
    .params(&["separator"]),
    Member::method("Split", &[Type::Char, OPTIONS], Type::STRINGS, |args, cx| {
        let (separators, options) = (char_separator(args)?, args.arg(2)?);
        pieces(args, cx, &separators, i32::MAX, options)
    })
    .params(&["separator", "options"])
    .defaults(NONE),
    Member::method("Split", &[Type::Char, INT, OPTIONS], Type::STRINGS, |args, cx| {
        let (separators, count, options) = (char_separator(args)?, args.arg(2)?, args.arg(3)?);
        pieces(args, cx, &separators, count, options)
    })
    .params(&["separator", "count", "options"])
    .defaults(NONE),
    Member::method("Split", &[STRING, OPTIONS], Type::STRINGS, |args, cx| {
        let (separators, options) = (string_separator(args)?, args.arg(2)?);
        pieces(args, cx, &separators, i32::MAX, options)
    })
    .params(&["separator", "options"])
    .defaults(NONE),
    Member::method("Split", &[STRING, INT, OPTIONS], Type::STRINGS, |args, cx| {
        let (separators, count, options) = (string_separator(args)?, args.arg(2)?, args.arg(3)?);
        pieces(args, cx, &separators, count, options)
    })
    .params(&["separator", "count", "options"])
    .defaults(NONE),
    Member::method("Split", &[CHARS, INT], Type::STRINGS, |args, cx| {
        let (separators, count) = (char_separators(args)?, args.arg(2)?);
        pieces(args, cx, &separators, count, 0)
    })
    .params(&["separator", "count"]),
    Member::method("Split", &[CHARS, OPTIONS], Type::STRINGS, |args, cx| {
        let (separators, options) = (char_separators(args)?, args.arg(2)?);
        pieces(args, cx, &separators, i32::MAX, options)
    })
    .params(&["separator", "options"]),
    Member::method("Split", &[CHARS, INT, OPTIONS], Type::STRINGS, |args, cx| {
        let (separators, count, options) = (char_separators(args)?, args.arg(2)?, args.arg(3)?);
        pieces(args, cx, &separators, count, options)
    })
    .params(&["separator", "count", "options"]),
    Member::method("Split", &[Type::STRINGS, OPTIONS], Type::STRINGS, |args, cx| {
        let (separators, options) = (string_separators(args)?, args.arg(2)?);
        pieces(args, cx, &separators, i32::MAX, options)
    })
    .params(&["separator", "options"]),
    Member::method("Split", &[Type::STRINGS, INT, OPTIONS], Type::STRINGS, |args, cx| {
        let (separators, count, options) = (string_separators(args)?, args.arg(2)?, args.arg(3)?);
        pieces(args, cx, &separators, count, options)
    })
    .params(&["separator", "count", "options"]),
];

/// The form among the arguments, composed unless it says otherwise.
fn form(args: &Args<'_>) -> Result<Form, Exception> {
    let number = if let Value::Enum(_, it) = args.value(1) { *it } else { 1 };
    Form::of(number).ok_or_else(|| {
        Exception::argument("Invalid normalization form. (Parameter 'normalizationForm')")
    })
}

fn normalized(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let form = form(args)?;
    let text: Str = args.arg(0)?;
    if text.as_ascii().is_some() {
        return Ok(text.into());
    }
    cx.steps(text.len() as u64 / 16)?;
    well_formed(&text)?;
    made(cx, form.apply(text.as_str()))
}

fn is_normalized(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let form = form(args)?;
    let text: Str = args.arg(0)?;
    cx.steps(text.len() as u64 / 16)?;
    well_formed(&text)?;
    Ok((text.as_ascii().is_some() || form.apply(text.as_str()) == text.as_str()).into())
}

fn well_formed(text: &Str) -> Result<(), Exception> {
    let wrong = "Invalid Unicode code point found. (Parameter 'strInput')";
    if text.is_well_formed() { Ok(()) } else { Err(Exception::argument(wrong)) }
}

fn culture(ignore_case: bool) -> Comparison {
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

fn pad(args: &mut Args<'_>, cx: &mut EvalCx<'_>, left: bool) -> Result<Value, Exception> {
    let (text, width): (Str, i32) = (args.arg(0)?, args.arg(1)?);
    let with: u16 = if args.len() > 2 { args.arg(2)? } else { 0x20 };
    let Ok(width) = usize::try_from(width) else {
        return Err(out_of_range("Non-negative number required.", "totalWidth"));
    };
    let missing = width.saturating_sub(text.len());
    if missing == 0 {
        return Ok(text.into());
    }
    cx.allocate(missing)?;
    let padding = Str::from_units(&vec![with; missing]);
    made(cx, if left { padding.concat(&text) } else { text.concat(&padding) })
}

fn replaced(
    cx: &mut EvalCx<'_>,
    text: &Str,
    old: &Str,
    new: Option<Str>,
    by: Comparison,
) -> Result<Value, Exception> {
    if old.is_empty() {
        return Err(Exception::argument("String cannot be of zero length. (Parameter 'oldValue')"));
    }
    search(cx, text, old)?;
    let new = new.unwrap_or(Str::EMPTY);
    // Refuses what would grow past the budget before it is made.
    let growth = new.len().saturating_sub(old.len());
    if growth > 0 {
        cx.allocate((text.len() / old.len()).saturating_mul(growth).min(text.len() * growth))?;
    }
    made(cx, compare::replace(text, old, &new, by))
}

fn cased(args: &mut Args<'_>, cx: &mut EvalCx<'_>, upper: bool) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    scan(cx, &text)?;
    if let Some(ascii) = text.as_ascii() {
        let done = if upper {
            !ascii.bytes().any(|it| it.is_ascii_lowercase())
        } else {
            !ascii.bytes().any(|it| it.is_ascii_uppercase())
        };
        if done {
            return Ok(text.into());
        }
        return made(
            cx,
            if upper { ascii.to_ascii_uppercase() } else { ascii.to_ascii_lowercase() },
        );
    }
    let map = if upper { chars::upper_char } else { chars::lower_char };
    let mut units = Vec::with_capacity(text.len());
    for decoded in char::decode_utf16(text.units().iter().copied()) {
        match decoded {
            Ok(ch) => units.extend_from_slice(map(ch).encode_utf16(&mut [0; 2])),
            Err(lone) => units.push(lone.unpaired_surrogate()),
        }
    }
    made(cx, Str::from_units(&units))
}

fn trimmed(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    start: bool,
    end: bool,
) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    let set = match args.value(1) {
        Value::Char(unit) => vec![*unit],
        Value::Array(array) => units(array),
        _ => Vec::new(),
    };
    let cut = trim(&text, &set, start, end);
    if cut.len() == text.len() { Ok(text.into()) } else { made(cx, cut) }
}

fn char_separator(args: &mut Args<'_>) -> Result<Separators, Exception> {
    Ok(Separators::Units(vec![args.arg(1)?]))
}

fn char_separators(args: &mut Args<'_>) -> Result<Separators, Exception> {
    let array: Option<Arc<Array>> = args.arg(1)?;
    Ok(Separators::units(array.map(|it| units(&it)).unwrap_or_default()))
}

fn string_separator(args: &mut Args<'_>) -> Result<Separators, Exception> {
    let text: Option<Str> = args.arg(1)?;
    Ok(match text {
        // An empty or null separator separates nothing, unlike an empty list of them.
        Some(text) => Separators::Texts(vec![text]),
        None => Separators::WhiteSpace,
    })
}

fn string_separators(args: &mut Args<'_>) -> Result<Separators, Exception> {
    let array: Option<Arc<Array>> = args.arg(1)?;
    let texts = array.map(|it| it.to_vec()).unwrap_or_default();
    Ok(Separators::texts(texts.iter().filter_map(Value::as_string).cloned().collect()))
}

fn pieces(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    separators: &Separators,
    count: i32,
    options: i64,
) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    let Ok(most) = usize::try_from(count) else {
        return Err(out_of_range("Count cannot be less than zero.", "count"));
    };
    if !(0..=3).contains(&options) {
        return Err(Exception::argument("Illegal enum value."));
    }
    scan(cx, &text)?;
    if let Separators::Texts(texts) = separators {
        cx.steps(text.len() as u64 * texts.len() as u64 / 64)?;
    }
    let mut found = split(&text, separators, most, options & 1 != 0);
    if options & 2 != 0 {
        found = found.iter().map(|it| trim(it, &[], true, true)).collect();
        found.retain(|it| options & 1 == 0 || !it.is_empty());
    }
    cx.allocate(found.iter().map(|it| it.size() + size_of::<Value>()).sum())?;
    Ok(Value::strings(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_equal_hashes() {
        let by = Comparison::OrdinalIgnoreCase;
        assert_eq!(hash_code(&"abc".into(), by), hash_code(&"ABC".into(), by));
    }

    #[test]
    fn rows_of_all_files_are_there() {
        for name in ["Length", "IndexOf", "Join", "Format", "Split"] {
            assert!(MEMBERS.iter().any(|it| it.name == name), "{name}");
        }
    }
}
