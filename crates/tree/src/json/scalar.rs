//! The values a `JValue` can hold, and the kinds of token (`JTokenType`).
//!
//! Source: <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JTokenType.htm>

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{date, number};

/// `Newtonsoft.Json.Linq.JTokenType`, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the .NET enumeration")]
pub enum Kind {
    None = 0,
    Object = 1,
    Array = 2,
    Constructor = 3,
    Property = 4,
    Comment = 5,
    Integer = 6,
    Float = 7,
    String = 8,
    Boolean = 9,
    Null = 10,
    Undefined = 11,
    Date = 12,
    Raw = 13,
    Bytes = 14,
    Guid = 15,
    Uri = 16,
    TimeSpan = 17,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Kind; 18] = [
        Kind::None,
        Kind::Object,
        Kind::Array,
        Kind::Constructor,
        Kind::Property,
        Kind::Comment,
        Kind::Integer,
        Kind::Float,
        Kind::String,
        Kind::Boolean,
        Kind::Null,
        Kind::Undefined,
        Kind::Date,
        Kind::Raw,
        Kind::Bytes,
        Kind::Guid,
        Kind::Uri,
        Kind::TimeSpan,
    ];

    /// The member's name, for example `Object`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::None => "None",
            Kind::Object => "Object",
            Kind::Array => "Array",
            Kind::Constructor => "Constructor",
            Kind::Property => "Property",
            Kind::Comment => "Comment",
            Kind::Integer => "Integer",
            Kind::Float => "Float",
            Kind::String => "String",
            Kind::Boolean => "Boolean",
            Kind::Null => "Null",
            Kind::Undefined => "Undefined",
            Kind::Date => "Date",
            Kind::Raw => "Raw",
            Kind::Bytes => "Bytes",
            Kind::Guid => "Guid",
            Kind::Uri => "Uri",
            Kind::TimeSpan => "TimeSpan",
        }
    }

    /// The .NET class of a token of this kind, for example `JObject`.
    pub fn class_name(self) -> &'static str {
        match self {
            Kind::Object => "JObject",
            Kind::Array => "JArray",
            Kind::Constructor => "JConstructor",
            Kind::Property => "JProperty",
            Kind::Raw => "JRaw",
            _ => "JValue",
        }
    }
}

/// `System.DateTimeKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateKind {
    /// No zone is known.
    Unspecified,
    /// Universal time.
    Utc,
    /// Local time; the gateway's zone is UTC.
    Local,
}

/// A point in time as .NET counts it: 100 ns steps since 0001-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// 100 ns steps since the first of January of the year 1.
    pub ticks: i64,
    /// What clock the ticks are of.
    pub kind: DateKind,
}

/// What a `JValue` holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// JSON `null`.
    Null,
    /// JavaScript's `undefined`.
    Undefined,
    /// A token of the type String without a string, as `new JValue((string)null)` makes.
    NullString,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer that 64 bits cannot hold: canonical decimal digits (`System.Numerics.BigInteger`,
    /// or a `ulong` above `long.MaxValue`).
    Big(Arc<str>),
    /// A double.
    Float(f64),
    /// A single.
    Single(f32),
    /// A decimal, with its scale.
    Decimal(Decimal),
    /// A string.
    String(Arc<str>),
    /// A date.
    Date(DateTime),
    /// A date (local ticks) with its offset in minutes.
    DateOffset(DateTime, i16),
    /// 100 ns steps.
    TimeSpan(i64),
    /// A GUID, in the order of its text.
    Guid(u128),
    /// An address, as it was written.
    Uri(Arc<str>),
    /// Bytes; written as base64.
    Bytes(Arc<[u8]>),
    /// The text of a comment.
    Comment(Arc<str>),
    /// Text that is written as it stands (`JRaw`).
    Raw(Arc<str>),
}

impl Scalar {
    /// The token's type.
    pub fn kind(&self) -> Kind {
        match self {
            Scalar::Null => Kind::Null,
            Scalar::Undefined => Kind::Undefined,
            Scalar::NullString | Scalar::String(_) => Kind::String,
            Scalar::Bool(_) => Kind::Boolean,
            Scalar::Int(_) | Scalar::Big(_) => Kind::Integer,
            Scalar::Float(_) | Scalar::Single(_) | Scalar::Decimal(_) => Kind::Float,
            Scalar::Date(_) | Scalar::DateOffset(..) => Kind::Date,
            Scalar::TimeSpan(_) => Kind::TimeSpan,
            Scalar::Guid(_) => Kind::Guid,
            Scalar::Uri(_) => Kind::Uri,
            Scalar::Bytes(_) => Kind::Bytes,
            Scalar::Comment(_) => Kind::Comment,
            Scalar::Raw(_) => Kind::Raw,
        }
    }

    /// True if the `Value` of the token is a null reference.
    pub fn is_null_reference(&self) -> bool {
        matches!(self, Scalar::Null | Scalar::Undefined | Scalar::NullString)
    }

    /// `JValue.ToString()` with the invariant culture: nothing for null, `True` for true.
    pub fn to_text(&self) -> Arc<str> {
        match self {
            Scalar::Null | Scalar::Undefined | Scalar::NullString => Arc::from(""),
            Scalar::Bool(true) => Arc::from("True"),
            Scalar::Bool(false) => Arc::from("False"),
            Scalar::Int(value) => Arc::from(value.to_string()),
            Scalar::Float(value) => Arc::from(number::double_text(*value)),
            Scalar::Single(value) => Arc::from(number::single_text(*value)),
            Scalar::Decimal(value) => Arc::from(value.to_string()),
            Scalar::String(text)
            | Scalar::Uri(text)
            | Scalar::Comment(text)
            | Scalar::Raw(text)
            | Scalar::Big(text) => Arc::clone(text),
            Scalar::Date(date) => Arc::from(date::invariant(*date)),
            Scalar::DateOffset(date, minutes) => Arc::from(date::invariant_offset(*date, *minutes)),
            Scalar::TimeSpan(ticks) => Arc::from(date::time_span(*ticks)),
            Scalar::Guid(guid) => Arc::from(guid_text(*guid)),
            Scalar::Bytes(_) => Arc::from("System.Byte[]"),
        }
    }
}

/// A GUID as `7d444840-9dc0-11d1-b245-5ffdce74fad2`.
pub fn guid_text(guid: u128) -> String {
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        (guid >> 96) as u32,
        (guid >> 80) as u16,
        (guid >> 64) as u16,
        (guid >> 48) as u16,
        guid & 0xffff_ffff_ffff
    )
}

/// A GUID in any of the forms that `new Guid(text)` takes with hyphens, braces or parentheses, or
/// as 32 digits.
pub fn parse_guid(text: &str) -> Option<u128> {
    let text = text.trim();
    let inner = match (text.strip_prefix('{'), text.strip_prefix('(')) {
        (Some(rest), _) => rest.strip_suffix('}')?,
        (_, Some(rest)) => rest.strip_suffix(')')?,
        _ => text,
    };
    let digits: String = if inner.len() == 36 {
        let hyphen_at = |at: usize| inner.as_bytes().get(at) == Some(&b'-');
        if ![8, 13, 18, 23].into_iter().all(hyphen_at) {
            return None;
        }
        inner.chars().filter(|it| *it != '-').collect()
    } else if inner.len() == text.len() {
        inner.to_owned()
    } else {
        return None;
    };
    let is_hex = digits.len() == 32 && digits.bytes().all(|it| it.is_ascii_hexdigit());
    if is_hex { u128::from_str_radix(&digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Scalar, guid_text, parse_guid};

    #[test]
    fn a_guid_reads_and_writes_the_same() {
        let text = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
        let guid = parse_guid(text).unwrap();

        assert_eq!(guid_text(guid), text);
        assert_eq!(parse_guid("{7d444840-9dc0-11d1-b245-5ffdce74fad2}"), Some(guid));
        assert_eq!(parse_guid("7d4448409dc011d1b2455ffdce74fad2"), Some(guid));
        assert_eq!(parse_guid("7d444840"), None);
    }

    #[test]
    fn kinds_stand_in_the_order_of_their_numbers() {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
        }
    }

    #[test]
    fn text_of_scalars_is_dotnets() {
        assert_eq!(&*Scalar::Bool(true).to_text(), "True");
        assert_eq!(&*Scalar::Null.to_text(), "");
        assert_eq!(&*Scalar::Float(1.0).to_text(), "1");
        assert_eq!(&*Scalar::Bytes([1].into()).to_text(), "System.Byte[]");
    }
}
