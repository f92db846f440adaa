//! `System.Text.RegularExpressions.RegexOptions`:
//! <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions.regexoptions>

use clr::rows::TypeDef;
use clr::types::Type;
use clr::value::Value;
use dotnet::regex::Options;

const NAME: &str = "System.Text.RegularExpressions.RegexOptions";

/// `RegexOptions`.
pub(super) const OPTIONS: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::flags(
    NAME,
    &[
        ("None", 0),
        ("IgnoreCase", 1),
        ("Multiline", 2),
        ("ExplicitCapture", 4),
        ("Compiled", 8),
        ("Singleline", 16),
        ("IgnorePatternWhitespace", 32),
        ("RightToLeft", 64),
        ("ECMAScript", 256),
        ("CultureInvariant", 512),
    ],
);

/// The engine's form of the enum's value.
pub(super) fn options(value: &Value) -> Options {
    match value {
        Value::Enum(_, bits) => Options(i32::try_from(*bits).unwrap_or(0)),
        _ => Options::NONE,
    }
}

#[cfg(test)]
mod tests {
    use dotnet::regex::Options;

    use super::TYPE;

    #[test]
    fn the_names_are_those_of_the_engine() {
        for (name, option) in Options::ALL {
            assert_eq!(TYPE.enum_value(name), Some(i64::from(option.0)));
        }
    }
}
