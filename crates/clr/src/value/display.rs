//! `ToString()` without a format, in the invariant culture.

use dotnet::text::number::{double_to_text, float_to_text};
use dotnet::{Runtime, Str};

use super::Value;
use crate::value::composite::plain;

/// The text of a value; empty for null.
#[must_use]
pub fn text_of(value: &Value, runtime: Runtime) -> Str {
    match value {
        Value::Null => Str::EMPTY,
        Value::Bool(true) => Str::from_static("True"),
        Value::Bool(false) => Str::from_static("False"),
        Value::Char(it) => Str::from_unit(*it),
        Value::SByte(it) => it.to_string().into(),
        Value::Byte(it) => it.to_string().into(),
        Value::Int16(it) => it.to_string().into(),
        Value::UInt16(it) => it.to_string().into(),
        Value::Int(it) => it.to_string().into(),
        Value::UInt(it) => it.to_string().into(),
        Value::Long(it) => it.to_string().into(),
        Value::ULong(it) => it.to_string().into(),
        Value::Single(it) => float_to_text(*it, runtime).into(),
        Value::Double(it) => double_to_text(*it, runtime).into(),
        // .NET has a negative zero, too, but does not show its sign.
        Value::Decimal(it) if it.is_zero() => it.abs().to_string().into(),
        Value::Decimal(it) => it.to_string().into(),
        Value::String(it) => it.clone(),
        Value::Guid(_) | Value::DateTime(_) | Value::DateTimeOffset(_) | Value::TimeSpan(_) => {
            plain(value)
        }
        Value::Enum(def, it) => def.enum_text(*it).into(),
        Value::Object(it) => it.to_text(runtime),
        Value::Host(it) => Str::from(it.static_type().full_name()),
        Value::Array(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Sequence(_)
        | Value::Func(_) => crate::types::clr_name(value.runtime_type()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::DateTime;

    #[test]
    fn values_have_their_invariant_text() {
        let cases = [
            (Value::from(true), "True"),
            (Value::TimeSpan(2_345_678), "00:00:00.2345678"),
            (Value::TimeSpan(-864_000_000_000 - 10_000_000), "-1.00:00:01"),
            (Value::DateTime(DateTime::utc(638_000_000_000_000_000)), "09/28/2022 22:13:20"),
            (Value::Guid([0xab; 16]), "abababab-abab-abab-abab-abababababab"),
            (Value::Null, ""),
        ];
        for (value, text) in cases {
            assert_eq!(value.to_text(), text);
        }
    }
}
