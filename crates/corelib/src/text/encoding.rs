//! `System.Text.Encoding`: <https://learn.microsoft.com/dotnet/api/system.text.encoding>

use std::sync::Arc;

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::text::encoding::Encoding;
use dotnet::{Runtime, Str};

use super::{
    CHARS, char_array, count, encoding_buffers, joined, length, out_of_range, part, units,
};

pub(crate) const TYPE: TypeDef = TypeDef::class(names::ENCODING, MEMBERS);

const PARTS: &[&[Member]] = &[OWN_MEMBERS, encoding_buffers::MEMBERS];
const MEMBERS: &[Member] = &joined::<{ count(PARTS) }>(PARTS);

const OWN: Type = Type::named(names::ENCODING);
const STRING: Type = Type::String;
const BYTES: Type = Type::BYTES;
const INT: Type = Type::Int32;

/// An encoding as an object.
#[derive(Debug)]
pub(super) struct Coder(pub(super) Encoding);

impl Object for Coder {
    fn net_type(&self) -> Type {
        OWN
    }

    fn to_text(&self, _: Runtime) -> Str {
        let name = match self.0 {
            Encoding::Utf8 => "System.Text.UTF8Encoding+UTF8EncodingSealed",
            Encoding::Ascii => "System.Text.ASCIIEncoding+ASCIIEncodingSealed",
            Encoding::Latin1 => "System.Text.Latin1Encoding",
            Encoding::Utf16 | Encoding::Utf16BigEndian => "System.Text.UnicodeEncoding",
            Encoding::Utf32 | Encoding::Utf32BigEndian => "System.Text.UTF32Encoding",
            Encoding::Utf7 => "System.Text.UTF7Encoding",
        };
        Str::from_static(name)
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| it.0 == self.0))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(self.0.code_page().unsigned_abs().into())
    }
}

const OWN_MEMBERS: &[Member] = &[
    Member::static_property("UTF8", OWN, |_, _| Ok(made_of(Encoding::Utf8))),
    Member::static_property("Default", OWN, |_, _| Ok(made_of(Encoding::Utf8))),
    Member::static_property("ASCII", OWN, |_, _| Ok(made_of(Encoding::Ascii))),
    Member::static_property("Latin1", OWN, |_, _| Ok(made_of(Encoding::Latin1))),
    Member::static_property("Unicode", OWN, |_, _| Ok(made_of(Encoding::Utf16))),
    Member::static_property("BigEndianUnicode", OWN, |_, _| Ok(made_of(Encoding::Utf16BigEndian))),
    Member::static_property("UTF32", OWN, |_, _| Ok(made_of(Encoding::Utf32))),
    Member::static_property("UTF7", OWN, |_, _| Ok(made_of(Encoding::Utf7))),
    Member::static_method("GetEncoding", &[STRING], OWN, |args, _| {
        let (name,): (Str,) = args.get()?;
        Ok(made_of(Encoding::named(name.as_str())?))
    })
    .params(&["name"])
    .doc("UTF-8, UTF-16, UTF-32, ASCII and Latin-1, by any of their names."),
    Member::static_method("GetEncoding", &[INT], OWN, |args, _| {
        let (page,): (i32,) = args.get()?;
        Ok(made_of(Encoding::of_code_page(page)?))
    })
    .params(&["codepage"]),
    Member::static_method("Convert", &[OWN, OWN, BYTES], BYTES, |args, cx| {
        let (from, to, bytes): (Arc<Coder>, Arc<Coder>, Bytes) = args.get()?;
        let text = decoded(cx, from.0, &bytes)?;
        encoded(cx, to.0, &text.encode_utf16().collect::<Vec<_>>())
    })
    .params(&["srcEncoding", "dstEncoding", "bytes"]),
    Member::method("GetBytes", &[STRING], BYTES, |args, cx| {
        let (coder, text): (Arc<Coder>, Str) = args.get()?;
        // UTF-8 is what strings are kept in.
        if coder.0 == Encoding::Utf8 {
            cx.allocate(text.as_str().len())?;
            return Ok(text.as_str().as_bytes().to_vec().into());
        }
        encoded(cx, coder.0, &text.units())
    })
    .params(&["s"]),
    Member::method("GetBytes", &[CHARS], BYTES, |args, cx| {
        let (coder, array): (Arc<Coder>, _) = args.get()?;
        let array: Arc<clr::value::Array> = array;
        encoded(cx, coder.0, &units(&array))
    })
    .params(&["chars"]),
    Member::method("GetBytes", &[CHARS, INT, INT], BYTES, |args, cx| {
        let (coder, array, start, count): (Arc<Coder>, Arc<clr::value::Array>, i32, i32) =
            args.get()?;
        let all = units(&array);
        let range = part(start, count, all.len(), ("index", "count"))?;
        encoded(cx, coder.0, all.get(range).unwrap_or_default())
    })
    .params(&["chars", "index", "count"]),
    Member::method("GetString", &[BYTES], STRING, |args, cx| {
        let (coder, bytes): (Arc<Coder>, Bytes) = args.get()?;
        let text = decoded(cx, coder.0, &bytes)?;
        Ok(text.into())
    })
    .params(&["bytes"]),
    Member::method("GetString", &[BYTES, INT, INT], STRING, |args, cx| {
        let (coder, bytes, start, count): (Arc<Coder>, Bytes, i32, i32) = args.get()?;
        let range = part(start, count, bytes.len(), ("index", "count"))?;
        let text = decoded(cx, coder.0, bytes.get(range).unwrap_or_default())?;
        Ok(text.into())
    })
    .params(&["bytes", "index", "count"]),
    Member::method("GetChars", &[BYTES], CHARS, |args, cx| {
        let (coder, bytes): (Arc<Coder>, Bytes) = args.get()?;
        let text = decoded(cx, coder.0, &bytes)?;
        char_array(cx, &text.encode_utf16().collect::<Vec<_>>())
    })
    .params(&["bytes"]),
    Member::method("GetByteCount", &[STRING], INT, |args, cx| {
        let (coder, text): (Arc<Coder>, Str) = args.get()?;
        cx.allocate(text.len() * 4)?;
        Ok(length(coder.0.encode(&text.units()).len()))
    })
    .params(&["s"]),
    Member::method("GetByteCount", &[CHARS], INT, |args, cx| {
        let (coder, array): (Arc<Coder>, Arc<clr::value::Array>) = args.get()?;
        let all = units(&array);
        cx.allocate(all.len() * 4)?;
        Ok(length(coder.0.encode(&all).len()))
    })
    .params(&["chars"]),
    Member::method("GetCharCount", &[BYTES], INT, |args, cx| {
        let (coder, bytes): (Arc<Coder>, Bytes) = args.get()?;
        Ok(length(decoded(cx, coder.0, &bytes)?.encode_utf16().count()))
    })
    .params(&["bytes"]),
    Member::static_method("Convert", &[OWN, OWN, BYTES, INT, INT], BYTES, |args, cx| {
        let (from, to, bytes, start, count): (Arc<Coder>, Arc<Coder>, Bytes, i32, i32) =
            args.get()?;
        let range = part(start, count, bytes.len(), ("index", "count"))?;
        let text = decoded(cx, from.0, bytes.get(range).unwrap_or_default())?;
        encoded(cx, to.0, &text.encode_utf16().collect::<Vec<_>>())
    })
    .params(&["srcEncoding", "dstEncoding", "bytes", "index", "count"]),
    Member::method("Clone", &[], Type::Object, |args, _| args.take::<1>().map(|[it]| it)),
    Member::method("GetByteCount", &[CHARS, INT, INT], INT, |args, cx| {
        let (coder, array, start, count): (Arc<Coder>, Arc<clr::value::Array>, i32, i32) =
            args.get()?;
        let all = units(&array);
        let range = part(start, count, all.len(), ("index", "count"))?;
        cx.allocate(range.len() * 4)?;
        Ok(length(coder.0.encode(all.get(range).unwrap_or_default()).len()))
    })
    .params(&["chars", "index", "count"]),
    Member::method("GetByteCount", &[STRING, INT, INT], INT, |args, cx| {
        let (coder, text, start, count): (Arc<Coder>, Str, i32, i32) = args.get()?;
        let range = part(start, count, text.len(), ("index", "count"))?;
        cx.allocate(range.len() * 4)?;
        Ok(length(coder.0.encode(text.units().get(range).unwrap_or_default()).len()))
    })
    .params(&["s", "index", "count"]),
    Member::method("GetChars", &[BYTES, INT, INT], CHARS, |args, cx| {
        let (coder, bytes, start, count): (Arc<Coder>, Bytes, i32, i32) = args.get()?;
        let range = part(start, count, bytes.len(), ("index", "count"))?;
        let text = decoded(cx, coder.0, bytes.get(range).unwrap_or_default())?;
        char_array(cx, &text.encode_utf16().collect::<Vec<_>>())
    })
    .params(&["bytes", "index", "count"]),
    Member::method("GetCharCount", &[BYTES, INT, INT], INT, |args, cx| {
        let (coder, bytes, start, count): (Arc<Coder>, Bytes, i32, i32) = args.get()?;
        let range = part(start, count, bytes.len(), ("index", "count"))?;
        let text = decoded(cx, coder.0, bytes.get(range).unwrap_or_default())?;
        Ok(length(text.encode_utf16().count()))
    })
    .params(&["bytes", "index", "count"]),
    Member::property("IsReadOnly", Type::Bool, |_, _| Ok(true.into())),
    Member::method("GetMaxByteCount", &[INT], INT, |args, _| {
        let (coder, count): (Arc<Coder>, i32) = args.get()?;
        if count < 0 {
            return Err(out_of_range("Non-negative number required.", "charCount"));
        }
        let (per_unit, more) = match coder.0 {
            Encoding::Utf8 => (3, 3),
            Encoding::Ascii | Encoding::Latin1 => (1, 1),
            Encoding::Utf16 | Encoding::Utf16BigEndian => (2, 2),
            Encoding::Utf32 | Encoding::Utf32BigEndian => (4, 4),
            Encoding::Utf7 => (3, 2),
        };
        let size = count.checked_mul(per_unit).and_then(|it| it.checked_add(more));
        size.map(Value::Int).ok_or_else(|| {
            out_of_range(
                "Too many characters. The resulting number of bytes is larger than what can be \
                 returned as an int.",
                "charCount",
            )
        })
    })
    .params(&["charCount"]),
    Member::method("GetPreamble", &[], BYTES, |args, _| {
        let (coder,): (Arc<Coder>,) = args.get()?;
        Ok(coder.0.preamble().to_vec().into())
    }),
    Member::property("WebName", STRING, |args, _| named(args, Encoding::web_name)),
    Member::property("HeaderName", STRING, |args, _| named(args, Encoding::web_name)),
    Member::property("BodyName", STRING, |args, _| named(args, Encoding::web_name)),
    Member::property("EncodingName", STRING, |args, _| named(args, Encoding::display_name)),
    Member::property("CodePage", INT, |args, _| {
        let (coder,): (Arc<Coder>,) = args.get()?;
        Ok(coder.0.code_page().into())
    }),
    Member::property("IsSingleByte", Type::Bool, |args, _| {
        let (coder,): (Arc<Coder>,) = args.get()?;
        Ok(matches!(coder.0, Encoding::Ascii | Encoding::Latin1).into())
    }),
];

/// `Encoding.Unicode`.
pub(super) fn unicode() -> Value {
    made_of(Encoding::Utf16)
}

fn made_of(encoding: Encoding) -> Value {
    Value::object(Coder(encoding))
}

fn named(args: &mut Args<'_>, f: fn(Encoding) -> &'static str) -> Result<Value, Exception> {
    let (coder,): (Arc<Coder>,) = args.get()?;
    Ok(Value::text(f(coder.0)))
}

pub(super) fn encoded(
    cx: &mut EvalCx<'_>,
    to: Encoding,
    units: &[u16],
) -> Result<Value, Exception> {
    cx.allocate(units.len() * 4)?;
    cx.steps(units.len() as u64 / 64)?;
    Ok(to.encode(units).into())
}

pub(super) fn decoded(
    cx: &mut EvalCx<'_>,
    from: Encoding,
    bytes: &[u8],
) -> Result<String, Exception> {
    cx.allocate(bytes.len() * 2)?;
    cx.steps(bytes.len() as u64 / 64)?;
    if from == Encoding::Utf8 && cx.runtime() == dotnet::Runtime::Framework {
        return Ok(decoded_by_framework(bytes));
    }
    Ok(from.decode(bytes))
}

/// UTF-8 as .NET Framework reads it: the first two bytes of an encoded surrogate are one mistake.
fn decoded_by_framework(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = bytes;
    let surrogate = |it: &[u8]| matches!(it, [0xed, 0xa0..=0xbf, 0x80..=0xbf]);
    while let Some(at) = rest.windows(3).position(surrogate) {
        let (before, after) = rest.split_at(at);
        out.push_str(&Encoding::Utf8.decode(before));
        out.push_str("\u{fffd}\u{fffd}");
        rest = after.get(3..).unwrap_or_default();
    }
    out.push_str(&Encoding::Utf8.decode(rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn encodings_are_equal_by_kind() {
        assert!(made_of(Encoding::Utf8).equals(&made_of(Encoding::Utf8)));
        assert!(!made_of(Encoding::Utf8).equals(&made_of(Encoding::Ascii)));
    }

    #[test]
    fn texts_are_encoded_within_the_budget() {
        let bytes = with_cx(|cx| encoded(cx, Encoding::Utf16, &[0x61])).unwrap();
        assert_eq!(bytes.as_bytes().unwrap().as_ref(), [0x61, 0]);
    }
}
