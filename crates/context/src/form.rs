//! Forms: `IDictionary<string, IList<string>>`, and writing them again.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::url::pairs;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::KeyValuePair;
use clr::value::Value;
use corelib::collections::{Comparer, Dictionary};
use dotnet::text::compare::Comparison;

use super::DOCS;

/// `IDictionary<string, IList<string>>`.
pub(super) const FORM: Type = Type::Named(names::IDICTIONARY, &[Type::String, VALUES]);

const VALUES: Type = Type::Named(names::ILIST, &[Type::String]);

/// The extension methods of forms.
pub(crate) const TYPE: TypeDef =
    TypeDef::static_class("Apim.FormUrlEncodedContentExtensions", MEMBERS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::extension("ToQueryString", &[FORM], Type::String, encoded)
        .params(&["form"])
        .doc("The fields as a query string, without the `?`."),
    Member::extension("ToFormUrlEncodedContent", &[FORM], Type::String, |args, cx| {
        encoded(args, cx)
    })
    .params(&["form"])
    .doc("The fields as the body of a form."),
];

/// The fields of a form. Names compare without case.
pub(super) fn parse(text: &str) -> Value {
    let comparer = Comparer::Strings(Comparison::OrdinalIgnoreCase);
    let made = Dictionary::new([Type::String, VALUES], comparer);
    for (name, value) in pairs(text) {
        let name = Value::from(name);
        match made.get(&name) {
            Some(Value::List(values)) => values.push(value.into()),
            _ => made.set(name, Value::list(Type::String, vec![value.into()])),
        }
    }
    Value::object(made)
}

/// `a=1&b=2`: spaces as `+`, what is not unreserved as escapes.
fn encoded(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let mut text = String::new();
    for pair in args.value(0).clone().collect(cx)? {
        let Some(pair) = pair.as_object::<KeyValuePair>() else { continue };
        for value in pair.value.collect(cx)? {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(&escaped(&pair.key.to_text()));
            text.push('=');
            text.push_str(&escaped(&value.to_text()));
        }
    }
    cx.allocate(text.len())?;
    Ok(text.into())
}

/// As `application/x-www-form-urlencoded` writes names and values.
fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                result.push(char::from(byte));
            }
            b' ' => result.push('+'),
            _ => {
                result.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                    result.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{call, with_recorded};
    use super::*;

    #[test]
    fn a_form_is_read_and_written_again() {
        let form = parse("a=1&b=x%20y+z&A=2&c");
        with_recorded(|cx| {
            let text = call(MEMBERS, "ToQueryString", &[form], cx).unwrap();
            assert_eq!(text.to_text(), "a=1&a=2&b=x+y+z&c=");
        });
        assert_eq!(escaped("ä&="), "%C3%A4%26%3D");
    }
}
