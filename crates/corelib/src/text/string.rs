//! `System.String`: <https://learn.microsoft.com/dotnet/api/system.string>
//!
//! Members that look at or change one string; `string_compare`, `string_search`, `string_split` and
//! `string_build` have the others.

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
use dotnet::text::split::trim;

use super::enums;
use super::string_compare::{self, culture};
use super::{CHARS, COMPARISON, CULTURE, PROVIDER, char_array, comparison, index, joined, length};
use super::{
    count, made, out_of_range, part, scan, search, string_build, string_search, string_split, units,
};

pub(crate) const TYPE: TypeDef = TypeDef::class("System.String", MEMBERS)
    .bases(&[Type::Named(names::IENUMERABLE, &[Type::Char]), Type::named(names::ICOMPARABLE)]);

const PARTS: &[&[Member]] = &[
    OWN,
    string_build::MEMBERS,
    string_compare::MEMBERS,
    string_search::MEMBERS,
    string_split::MEMBERS,
];

const MEMBERS: &[Member] = &joined::<{ count(PARTS) }>(PARTS);

const STRING: Type = Type::String;
const INT: Type = Type::Int32;
const FORM: Type = Type::named(enums::NORMALIZATION_FORM);

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
    Member::method("GetPinnableReference", &[], Type::Char, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(Value::Char(text.unit(0).unwrap_or(0)))
    })
    .doc("The first unit; 0 if there is none."),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_all_files_are_there() {
        for name in ["Length", "IndexOf", "Join", "Format", "Split"] {
            assert!(MEMBERS.iter().any(|it| it.name == name), "{name}");
        }
    }
}
