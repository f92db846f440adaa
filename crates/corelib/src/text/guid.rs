//! `System.Guid`: <https://learn.microsoft.com/dotnet/api/system.guid>

use bytes::Bytes;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::Str;
use dotnet::text::guid;

use super::PROVIDER;
use super::integers::{compare, equals, to_text};
use crate::language::span;

pub(crate) const TYPE: TypeDef = TypeDef::structure("System.Guid", MEMBERS)
    .bases(&[Type::named(names::ICOMPARABLE), Type::named(names::IFORMATTABLE)]);

const GUID: Type = Type::Guid;
const STRING: Type = Type::String;
const PAIR: &[Type] = &[Type::Guid, Type::Guid];
const BYTE: Type = Type::Byte;

const MEMBERS: &[Member] = &[
    Member::static_property("Empty", GUID, |_, _| Ok(Value::Guid([0; 16]))),
    Member::static_method("NewGuid", &[], GUID, |_, cx| Ok(cx.random_guid()))
        .doc("A random GUID, version 4."),
    Member::constructor(&[STRING], GUID, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(Value::Guid(guid::parse(text.as_str())?))
    })
    .params(&["g"]),
    Member::constructor(&[Type::BYTES], GUID, |args, _| {
        let (bytes,): (Bytes,) = args.get()?;
        let bytes: [u8; 16] = bytes.as_ref().try_into().map_err(|_| {
            Exception::argument(
                "Byte array for GUID must be exactly 16 bytes long. (Parameter 'b')",
            )
        })?;
        Ok(Value::Guid(guid::swap_order(bytes)))
    })
    .params(&["b"]),
    Member::constructor(
        &[Type::Int32, Type::Int16, Type::Int16, BYTE, BYTE, BYTE, BYTE, BYTE, BYTE, BYTE, BYTE],
        GUID,
        |args, _| of_parts(args),
    )
    .params(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]),
    Member::constructor(&[Type::Int32, Type::Int16, Type::Int16, Type::BYTES], GUID, |args, _| {
        of_parts(args)
    })
    .params(&["a", "b", "c", "d"]),
    Member::static_method("Parse", &[STRING], GUID, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(Value::Guid(guid::parse(text.as_str())?))
    })
    .params(&["input"]),
    Member::static_method("ParseExact", &[STRING, STRING], GUID, |args, _| {
        let (text, format): (Str, Str) = args.get()?;
        Ok(Value::Guid(guid::parse_exact(text.as_str(), format.as_str())?))
    })
    .params(&["input", "format"]),
    Member::static_method("TryParse", &[STRING, Type::Out(&Type::Guid)], Type::Bool, |args, _| {
        let text: Option<Str> = args.arg(0)?;
        let parsed = text.and_then(|it| guid::parse(it.as_str()).ok());
        args.set_out(1, Value::Guid(parsed.unwrap_or_default()));
        Ok(parsed.is_some().into())
    })
    .params(&["input", "result"]),
    Member::static_method(
        "TryParseExact",
        &[STRING, STRING, Type::Out(&Type::Guid)],
        Type::Bool,
        |args, _| {
            let (text, format): (Option<Str>, Option<Str>) = (args.arg(0)?, args.arg(1)?);
            let format = format.unwrap_or(Str::EMPTY);
            let parsed = text.and_then(|it| guid::parse_exact(it.as_str(), format.as_str()).ok());
            args.set_out(2, Value::Guid(parsed.unwrap_or_default()));
            Ok(parsed.is_some().into())
        },
    )
    .params(&["input", "format", "result"]),
    Member::method("ToString", &[STRING], STRING, to_text).params(&["format"]),
    Member::method("ToString", &[STRING, PROVIDER], STRING, to_text)
        .params(&["format", "provider"]),
    Member::method("ToByteArray", &[], Type::BYTES, |args, cx| {
        let (bytes,): ([u8; 16],) = args.get()?;
        cx.allocate(16)?;
        Ok(guid::swap_order(bytes).to_vec().into())
    }),
    span::try_format_plain(true),
    Member::method("TryWriteBytes", &[span::BYTES], Type::Bool, |args, _| {
        let guid: [u8; 16] = args.arg(0)?;
        Ok(span::write_bytes(args.value(1), &guid::swap_order(guid)).into())
    })
    .params(&["destination"]),
    Member::method("Equals", &[GUID], Type::Bool, equals).params(&["g"]),
    Member::method("CompareTo", &[GUID], Type::Int32, compare).params(&["value"]),
    Member::method("CompareTo", &[Type::Object], Type::Int32, compare).params(&["value"]),
    Member::operator("==", PAIR, Type::Bool, equals),
    Member::operator("!=", PAIR, Type::Bool, |args, _| {
        Ok((!args.value(0).equals(args.value(1))).into())
    }),
];

/// A GUID of its fields, the last eight bytes one by one or as an array.
fn of_parts(args: &mut Args<'_>) -> Result<Value, Exception> {
    let field = |at: usize| args.value(at).as_i64().unwrap_or(0);
    let mut bytes = Vec::with_capacity(16);
    bytes.extend((field(0) as i32).to_be_bytes());
    bytes.extend((field(1) as i16).to_be_bytes());
    bytes.extend((field(2) as i16).to_be_bytes());
    match args.value(3).as_bytes() {
        Some(rest) => bytes.extend_from_slice(&rest),
        None => bytes.extend(args.values().iter().skip(3).map(|it| it.as_i64().unwrap_or(0) as u8)),
    }
    let bytes = <[u8; 16]>::try_from(bytes).map_err(|_| {
        Exception::argument("Byte array for GUID must be exactly 8 bytes long. (Parameter 'd')")
    })?;
    Ok(Value::Guid(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_guids_have_version_four() {
        let guid = crate::test_support::with_cx(|cx| cx.random_guid());
        assert_eq!(guid.to_text().as_bytes()[14], b'4');
        assert!(MEMBERS.iter().any(|it| it.name == "NewGuid"));
    }
}
