//! `System.Globalization.CultureInfo` and what goes with it:
//! <https://learn.microsoft.com/dotnet/api/system.globalization.cultureinfo>
//!
//! Azure's list has none of these; where the options widen it, the invariant culture is there, and
//! `en-US` with the invariant culture's formats.

use std::sync::Arc;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::text::chars;
use dotnet::{Runtime, Str};

use super::{CULTURE, PROVIDER, made};

const TEXT_INFO: Type = Type::named("System.Globalization.TextInfo");
const STRING: Type = Type::String;

pub(crate) const TYPES: &[TypeDef] = &[
    TypeDef::interface(names::IFORMATPROVIDER, &[]).unlisted(),
    TypeDef::interface(
        names::IFORMATTABLE,
        &[Member::method("ToString", &[STRING, PROVIDER], STRING, super::integers::to_text)
            .params(&["format", "formatProvider"])],
    )
    .unlisted(),
    TypeDef::class("System.Globalization.CultureInfo", MEMBERS).bases(&[PROVIDER]).unlisted(),
    TypeDef::class("System.Globalization.TextInfo", TEXT_INFO_MEMBERS).unlisted(),
];

/// A culture as an object: its name.
#[derive(Debug)]
struct Culture(Str);

impl Object for Culture {
    fn net_type(&self) -> Type {
        CULTURE
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.0.clone()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| it.0 == self.0))
    }
}

/// `TextInfo` of the invariant culture.
#[derive(Debug)]
struct Casing;

impl Object for Casing {
    fn net_type(&self) -> Type {
        TEXT_INFO
    }
}

const MEMBERS: &[Member] = &[
    Member::static_property("InvariantCulture", CULTURE, |_, _| Ok(invariant())),
    Member::static_property("CurrentCulture", CULTURE, |_, _| Ok(invariant())),
    Member::static_property("CurrentUICulture", CULTURE, |_, _| Ok(invariant())),
    Member::static_method("GetCultureInfo", &[STRING], CULTURE, |args, _| named(args))
        .params(&["name"]),
    Member::constructor(&[STRING], CULTURE, |args, _| named(args)).params(&["name"]),
    Member::property("Name", STRING, |args, _| {
        let (it,): (Arc<Culture>,) = args.get()?;
        Ok(it.0.clone().into())
    }),
    Member::property("TextInfo", TEXT_INFO, |_, _| Ok(Value::object(Casing))),
];

const TEXT_INFO_MEMBERS: &[Member] = &[
    Member::method("ToTitleCase", &[STRING], STRING, |args, cx| {
        let text: Str = args.arg(1)?;
        cx.steps(text.len() as u64 / 16)?;
        made(cx, title_case(text.as_str()))
    })
    .params(&["str"]),
    Member::method("ToUpper", &[STRING], STRING, |args, cx| {
        let text: Str = args.arg(1)?;
        made(cx, text.as_str().chars().map(chars::upper_char).collect::<String>())
    })
    .params(&["str"]),
    Member::method("ToLower", &[STRING], STRING, |args, cx| {
        let text: Str = args.arg(1)?;
        made(cx, text.as_str().chars().map(chars::lower_char).collect::<String>())
    })
    .params(&["str"]),
];

pub(super) fn invariant() -> Value {
    Value::object(Culture(Str::EMPTY))
}

fn named(args: &mut Args<'_>) -> Result<Value, Exception> {
    let (name,): (Str,) = args.get()?;
    match name.as_str() {
        "" => Ok(invariant()),
        "en-US" => Ok(Value::object(Culture(name))),
        other => Err(Exception::argument(format!(
            "Culture is not supported. (Parameter 'name')\n{other} is an invalid culture identifier."
        ))),
    }
}

/// Capitalizes words; words all in upper case are taken for acronyms and stay.
fn title_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        let acronym = word.chars().all(|ch| !ch.is_lowercase());
        for (index, ch) in word.chars().enumerate() {
            out.push(match index {
                _ if acronym => ch,
                0 => chars::upper_char(ch),
                _ => chars::lower_char(ch),
            });
        }
        word.clear();
    };
    for ch in text.chars() {
        if ch.is_alphanumeric() || ch == '\'' {
            word.push(ch);
        } else {
            flush(&mut word, &mut out);
            out.push(ch);
        }
    }
    flush(&mut word, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::title_case;

    #[test]
    fn words_are_capitalized() {
        for (text, expected) in [
            ("hello world", "Hello World"),
            ("it's a TEST", "It's A TEST"),
            ("mIXED-case", "Mixed-Case"),
            ("", ""),
        ] {
            assert_eq!(title_case(text), expected);
        }
    }
}
