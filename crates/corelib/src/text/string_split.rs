//! `System.String`: members that cut a string into pieces.
//! <https://learn.microsoft.com/dotnet/api/system.string>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member};
use clr::types::Type;
use clr::value::{Array, Value};
use dotnet::Str;
use dotnet::text::split::{Separators, split, trim};

use super::CHARS;
use super::{out_of_range, scan, units};

const STRING: Type = Type::String;
const INT: Type = Type::Int32;
const OPTIONS: Type = Type::named("System.StringSplitOptions");
const NONE: &[Constant] = &[Constant::Integer(0)];

pub(super) const MEMBERS: &[Member] = &[
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
    use crate::test_support::with_cx;

    #[test]
    fn pieces_are_bounded_in_number() {
        let row = MEMBERS.iter().find(|it| it.params == [CHARS, INT]).unwrap();
        let commas = Value::array(Type::Char, vec![Value::Char(0x2c)]);
        let mut values = ["a,b,c".into(), commas, 2.into()];
        let made = with_cx(|cx| {
            let pieces = (row.call)(&mut Args::new(row, &mut values, &[], &[], row.returns), cx);
            pieces.unwrap().collect(cx).unwrap()
        });
        let made: Vec<_> = made.iter().map(|it| it.to_text().into_owned()).collect();
        assert_eq!(made, ["a", "b,c"]);
    }
}
