//! `System.Net.WebUtility`: <https://learn.microsoft.com/dotnet/api/system.net.webutility>

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use dotnet::Str;
use dotnet::text::web;

use super::{made, part};

pub(crate) const TYPE: TypeDef = TypeDef::static_class("System.Net.WebUtility", MEMBERS);

const STRING: Type = Type::String;
const ONE: &[Type] = &[STRING];
const BYTES: &[Type] = &[Type::BYTES, Type::Int32, Type::Int32];

const MEMBERS: &[Member] = &[
    Member::static_method("UrlEncode", ONE, STRING, |args, cx| mapped(args, cx, web::url_encode))
        .params(&["value"]),
    Member::static_method("UrlDecode", ONE, STRING, |args, cx| mapped(args, cx, web::url_decode))
        .params(&["encodedValue"]),
    Member::static_method("HtmlEncode", ONE, STRING, |args, cx| mapped(args, cx, web::html_encode))
        .params(&["value"]),
    Member::static_method("HtmlDecode", ONE, STRING, |args, cx| mapped(args, cx, web::html_decode))
        .params(&["value"]),
    Member::static_method("UrlEncodeToBytes", BYTES, Type::BYTES, |args, cx| {
        let bytes = cut(args, cx)?;
        Ok(web::url_encode_bytes(&bytes).into())
    })
    .params(&["value", "offset", "count"]),
    Member::static_method("UrlDecodeToBytes", BYTES, Type::BYTES, |args, cx| {
        let bytes = cut(args, cx)?;
        Ok(web::url_decode_bytes(&bytes).into())
    })
    .params(&["encodedValue", "offset", "count"]),
];

/// A text made of another; null stays null.
fn mapped(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    f: fn(&str) -> String,
) -> Result<Value, Exception> {
    let text: Option<Str> = args.arg(0)?;
    let Some(text) = text else { return Ok(Value::Null) };
    cx.steps(text.len() as u64 / 16)?;
    made(cx, f(text.as_str()))
}

fn cut(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Bytes, Exception> {
    let (bytes, start, count): (Bytes, i32, i32) = args.get()?;
    let range = part(start, count, bytes.len(), ("offset", "count"))?;
    cx.allocate(range.len() * 3)?;
    Ok(bytes.slice(range))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn null_stays_null() {
        let row = &MEMBERS[0];
        let mut values = [Value::Null];
        let mut args = Args::new(row, &mut values, &[], &[], STRING);
        assert!(with_cx(|cx| (row.call)(&mut args, cx)).unwrap().is_null());
    }
}
