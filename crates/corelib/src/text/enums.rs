//! Enums of the base library. They differ in nothing but their names and values, so they share one
//! table. <https://learn.microsoft.com/dotnet/api/system.stringcomparison> and others.

use clr::rows::TypeDef;
use clr::types::{Type, names};
use clr::value::Value;

/// `TypeCode`
pub(crate) const TYPE_CODE: &str = "System.TypeCode";
/// `DayOfWeek`
pub(crate) const DAY_OF_WEEK: &str = "System.DayOfWeek";
/// `DateTimeKind`
pub(crate) const DATE_TIME_KIND: &str = "System.DateTimeKind";
/// `StringSplitOptions`
pub(crate) const STRING_SPLIT_OPTIONS: &str = "System.StringSplitOptions";
/// `MidpointRounding`
pub(crate) const MIDPOINT_ROUNDING: &str = "System.MidpointRounding";
/// `Base64FormattingOptions`
pub(crate) const BASE64_OPTIONS: &str = "System.Base64FormattingOptions";
/// `UriKind`
pub(crate) const URI_KIND: &str = "System.UriKind";
/// `UriPartial`
pub(crate) const URI_PARTIAL: &str = "System.UriPartial";
/// `UriComponents`
pub(crate) const URI_COMPONENTS: &str = "System.UriComponents";
/// `UriFormat`
pub(crate) const URI_FORMAT: &str = "System.UriFormat";
/// `UriHostNameType`
pub(crate) const URI_HOST_NAME_TYPE: &str = "System.UriHostNameType";
/// `AddressFamily`
pub(crate) const ADDRESS_FAMILY: &str = "System.Net.Sockets.AddressFamily";
/// `NormalizationForm`
pub(crate) const NORMALIZATION_FORM: &str = "System.Text.NormalizationForm";
/// `NumberStyles`
pub(crate) const NUMBER_STYLES: &str = "System.Globalization.NumberStyles";
/// `DateTimeStyles`
pub(crate) const DATE_TIME_STYLES: &str = "System.Globalization.DateTimeStyles";
/// `UnicodeCategory`
pub(crate) const UNICODE_CATEGORY: &str = "System.Globalization.UnicodeCategory";

pub(crate) const TYPES: &[TypeDef] = &[
    TypeDef::enumeration(
        names::STRINGCOMPARISON,
        &[
            ("CurrentCulture", 0),
            ("CurrentCultureIgnoreCase", 1),
            ("InvariantCulture", 2),
            ("InvariantCultureIgnoreCase", 3),
            ("Ordinal", 4),
            ("OrdinalIgnoreCase", 5),
        ],
    ),
    TypeDef::flags(
        STRING_SPLIT_OPTIONS,
        &[("None", 0), ("RemoveEmptyEntries", 1), ("TrimEntries", 2)],
    ),
    TypeDef::enumeration(
        MIDPOINT_ROUNDING,
        &[
            ("ToEven", 0),
            ("AwayFromZero", 1),
            ("ToZero", 2),
            ("ToNegativeInfinity", 3),
            ("ToPositiveInfinity", 4),
        ],
    ),
    TypeDef::enumeration(
        DAY_OF_WEEK,
        &[
            ("Sunday", 0),
            ("Monday", 1),
            ("Tuesday", 2),
            ("Wednesday", 3),
            ("Thursday", 4),
            ("Friday", 5),
            ("Saturday", 6),
        ],
    ),
    TypeDef::enumeration(DATE_TIME_KIND, &[("Unspecified", 0), ("Utc", 1), ("Local", 2)]),
    TypeDef::enumeration(
        TYPE_CODE,
        &[
            ("Empty", 0),
            ("Object", 1),
            ("DBNull", 2),
            ("Boolean", 3),
            ("Char", 4),
            ("SByte", 5),
            ("Byte", 6),
            ("Int16", 7),
            ("UInt16", 8),
            ("Int32", 9),
            ("UInt32", 10),
            ("Int64", 11),
            ("UInt64", 12),
            ("Single", 13),
            ("Double", 14),
            ("Decimal", 15),
            ("DateTime", 16),
            ("String", 18),
        ],
    )
    .unlisted(),
    TypeDef::flags(BASE64_OPTIONS, &[("None", 0), ("InsertLineBreaks", 1)]).unlisted(),
    TypeDef::enumeration(URI_KIND, &[("RelativeOrAbsolute", 0), ("Absolute", 1), ("Relative", 2)]),
    TypeDef::enumeration(
        URI_PARTIAL,
        &[("Scheme", 0), ("Authority", 1), ("Path", 2), ("Query", 3)],
    ),
    TypeDef::flags(
        URI_COMPONENTS,
        &[
            ("Scheme", 1),
            ("UserInfo", 2),
            ("Host", 4),
            ("Port", 8),
            ("SchemeAndServer", 13),
            ("Path", 16),
            ("Query", 32),
            ("PathAndQuery", 48),
            ("HttpRequestUrl", 61),
            ("Fragment", 64),
            ("AbsoluteUri", 127),
            ("StrongPort", 128),
            ("HostAndPort", 132),
            ("StrongAuthority", 134),
            ("NormalizedHost", 256),
            ("KeepDelimiter", 1 << 30),
            ("SerializationInfoString", -(1 << 31)),
        ],
    ),
    TypeDef::enumeration(URI_FORMAT, &[("UriEscaped", 1), ("Unescaped", 2), ("SafeUnescaped", 3)]),
    TypeDef::enumeration(
        URI_HOST_NAME_TYPE,
        &[("Unknown", 0), ("Basic", 1), ("Dns", 2), ("IPv4", 3), ("IPv6", 4)],
    ),
    TypeDef::enumeration(
        NORMALIZATION_FORM,
        &[("FormC", 1), ("FormD", 2), ("FormKC", 5), ("FormKD", 6)],
    )
    .unlisted(),
    TypeDef::enumeration(ADDRESS_FAMILY, &[("InterNetwork", 2), ("InterNetworkV6", 23)]),
    TypeDef::flags(
        NUMBER_STYLES,
        &[
            ("None", 0),
            ("AllowLeadingWhite", 0x1),
            ("AllowTrailingWhite", 0x2),
            ("AllowLeadingSign", 0x4),
            ("Integer", 0x7),
            ("AllowTrailingSign", 0x8),
            ("AllowParentheses", 0x10),
            ("AllowDecimalPoint", 0x20),
            ("AllowThousands", 0x40),
            ("Number", 0x6f),
            ("AllowExponent", 0x80),
            ("Float", 0xa7),
            ("AllowCurrencySymbol", 0x100),
            ("Currency", 0x17f),
            ("Any", 0x1ff),
            ("AllowHexSpecifier", 0x200),
            ("HexNumber", 0x203),
        ],
    )
    .unlisted(),
    TypeDef::flags(
        DATE_TIME_STYLES,
        &[
            ("None", 0),
            ("AllowLeadingWhite", 0x1),
            ("AllowTrailingWhite", 0x2),
            ("AllowInnerWhite", 0x4),
            ("AllowWhiteSpaces", 0x7),
            ("NoCurrentDateDefault", 0x8),
            ("AdjustToUniversal", 0x10),
            ("AssumeLocal", 0x20),
            ("AssumeUniversal", 0x40),
            ("RoundtripKind", 0x80),
        ],
    )
    .unlisted(),
    TypeDef::enumeration(
        UNICODE_CATEGORY,
        &[
            ("UppercaseLetter", 0),
            ("LowercaseLetter", 1),
            ("TitlecaseLetter", 2),
            ("ModifierLetter", 3),
            ("OtherLetter", 4),
            ("NonSpacingMark", 5),
            ("SpacingCombiningMark", 6),
            ("EnclosingMark", 7),
            ("DecimalDigitNumber", 8),
            ("LetterNumber", 9),
            ("OtherNumber", 10),
            ("SpaceSeparator", 11),
            ("LineSeparator", 12),
            ("ParagraphSeparator", 13),
            ("Control", 14),
            ("Format", 15),
            ("Surrogate", 16),
            ("PrivateUse", 17),
            ("ConnectorPunctuation", 18),
            ("DashPunctuation", 19),
            ("OpenPunctuation", 20),
            ("ClosePunctuation", 21),
            ("InitialQuotePunctuation", 22),
            ("FinalQuotePunctuation", 23),
            ("OtherPunctuation", 24),
            ("MathSymbol", 25),
            ("CurrencySymbol", 26),
            ("ModifierSymbol", 27),
            ("OtherSymbol", 28),
            ("OtherNotAssigned", 29),
        ],
    )
    .unlisted(),
];

/// A member of an enum.
pub(crate) fn member(name: &'static str, value: i64) -> Value {
    clr::rows::integer_of(Type::named(name), value)
}

/// The `TypeCode` of a value's type.
pub(crate) fn type_code(of: &Value) -> Value {
    member(
        TYPE_CODE,
        match of {
            Value::Null => 0,
            it if super::dbnull::is(it) => 2,
            Value::Bool(_) => 3,
            Value::Char(_) => 4,
            Value::SByte(_) => 5,
            Value::Byte(_) => 6,
            Value::Int16(_) => 7,
            Value::UInt16(_) => 8,
            Value::Int(_) | Value::Enum(..) => 9,
            Value::UInt(_) => 10,
            Value::Long(_) => 11,
            Value::ULong(_) => 12,
            Value::Single(_) => 13,
            Value::Double(_) => 14,
            Value::Decimal(_) => 15,
            Value::DateTime(_) => 16,
            Value::String(_) => 18,
            _ => 1,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_type_codes() {
        clr::rows::register(crate::types);
        for (value, name) in [
            (Value::from("a"), "String"),
            (Value::from(1), "Int32"),
            (Value::Null, "Empty"),
            (Value::from(vec![1_u8]), "Object"),
        ] {
            assert_eq!(type_code(&value).to_text(), name);
        }
    }
}
