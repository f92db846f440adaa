//! `System.Boolean`: <https://learn.microsoft.com/dotnet/api/system.boolean>

use clr::exception::Exception;
use clr::rows::{Constant, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::Str;

use crate::text::enums;

pub(crate) const TYPE: TypeDef =
    TypeDef::structure("System.Boolean", MEMBERS).bases(&[Type::named(names::ICOMPARABLE)]);

const MEMBERS: &[Member] = &[
    Member::constant("TrueString", Type::String, Constant::Text("True")),
    Member::constant("FalseString", Type::String, Constant::Text("False")),
    Member::static_method("Parse", &[Type::String], Type::Bool, |args, _| {
        let (text,): (Str,) = args.get()?;
        parse(&text).map(Value::Bool).ok_or_else(|| {
            Exception::format(format!("String '{text}' was not recognized as a valid Boolean."))
        })
    })
    .params(&["value"])
    .doc("Reads `True` or `False` in any letter case."),
    Member::static_method(
        "TryParse",
        &[Type::String, Type::Out(&Type::Bool)],
        Type::Bool,
        |args, _| {
            let parsed = args.arg::<Option<Str>>(0)?.and_then(|it| parse(&it));
            args.set_out(1, Value::Bool(parsed.unwrap_or(false)));
            Ok(parsed.is_some().into())
        },
    )
    .params(&["value", "result"])
    .doc("Reads `True` or `False`, without an exception."),
    Member::method("ToString", &[Type::named(names::IFORMATPROVIDER)], Type::String, |args, cx| {
        Ok(args.value(0).to_str(cx.runtime()).into())
    })
    .params(&["provider"]),
    super::span::try_format_plain(false),
    Member::method("Equals", &[Type::Bool], Type::Bool, |args, _| {
        let [a, b] = args.take()?;
        Ok(a.equals(&b).into())
    })
    .params(&["obj"]),
    Member::method("GetTypeCode", &[], Type::named(enums::TYPE_CODE), |args, _| {
        Ok(enums::type_code(args.value(0)))
    }),
    Member::method("CompareTo", &[Type::Bool], Type::Int32, |args, _| {
        let (a, b): (bool, bool) = args.get()?;
        Ok((i32::from(a) - i32::from(b)).into())
    })
    .params(&["value"]),
];

/// The value of a text, white space and NUL characters around it ignored.
pub(crate) fn parse(text: &Str) -> Option<bool> {
    let text = text.as_str().trim_matches(|c: char| c.is_whitespace() || c == '\0');
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_in_any_case_and_with_space_around() {
        let cases = [("true", Some(true)), (" FALSE\n", Some(false)), ("1", None), ("", None)];
        for (text, expected) in cases {
            assert_eq!(parse(&text.into()), expected, "{text:?}");
        }
    }
}
