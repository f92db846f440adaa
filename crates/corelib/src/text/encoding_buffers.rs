//! The members of `System.Text.Encoding` that write into arrays, and what it says of itself.
//! <https://learn.microsoft.com/dotnet/api/system.text.encoding>

use std::sync::Arc;

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::Type;
use clr::value::{Array, ByteArray, Value};
use dotnet::Str;
use dotnet::text::encoding::{Encoding, Shown};

use super::encoding::{Coder, decoded, encoded};
use super::{CHARS, enums, index, length, out_of_range, part, units};
use crate::language::span;

const STRING: Type = Type::String;
const BYTES: Type = Type::BYTES;
const INT: Type = Type::Int32;
const FORM: Type = Type::named(enums::NORMALIZATION_FORM);

pub(super) const MEMBERS: &[Member] = &[
    Member::method("GetBytes", &[STRING, INT, INT], BYTES, |args, cx| {
        let (coder, text, start, count): (Arc<Coder>, Str, i32, i32) = args.get()?;
        let units = text_part(&text, start, count, "count")?;
        encoded(cx, coder.0, &units)
    })
    .params(&["s", "index", "count"]),
    Member::method("GetBytes", &[STRING, INT, INT, BYTES, INT], INT, |args, cx| {
        let text: Str = args.arg(1)?;
        let units = text_part(&text, args.arg(2)?, args.arg(3)?, "s")?;
        write_bytes(args, &units, cx)
    })
    .params(&["s", "charIndex", "charCount", "bytes", "byteIndex"]),
    Member::method("GetBytes", &[CHARS, INT, INT, BYTES, INT], INT, |args, cx| {
        let array: Arc<Array> = args.arg(1)?;
        let all = units(&array);
        let range = part(args.arg(2)?, args.arg(3)?, all.len(), ("charIndex", "chars"))?;
        write_bytes(args, all.get(range).unwrap_or_default(), cx)
    })
    .params(&["chars", "charIndex", "charCount", "bytes", "byteIndex"]),
    Member::method("GetBytes", &[span::READ_CHARS, span::BYTES], INT, |args, cx| {
        let coder: Arc<Coder> = args.arg(0)?;
        let bytes = bytes_of(&coder, &span::text(args.value(1)).units(), cx)?;
        fits(span::write_bytes(args.value(2), &bytes), coder.0, &BYTES_SHORT)?;
        Ok(length(bytes.len()))
    })
    .params(&["chars", "bytes"]),
    Member::method("GetChars", &[BYTES, INT, INT, CHARS, INT], INT, |args, cx| {
        let (coder, bytes, from, count, array, at): (Arc<Coder>, Bytes, i32, i32, Arc<Array>, i32) =
            args.get()?;
        let range = part(from, count, bytes.len(), ("byteIndex", "bytes"))?;
        let text = decoded(cx, coder.0, bytes.get(range).unwrap_or_default())?;
        let units: Vec<u16> = text.encode_utf16().collect();
        let at = index(at, "charIndex")?;
        fits(at + units.len() <= array.len(), coder.0, &CHARS_SHORT)?;
        for (offset, unit) in units.iter().enumerate() {
            array.set(at + offset, Value::Char(*unit));
        }
        Ok(length(units.len()))
    })
    .params(&["bytes", "byteIndex", "byteCount", "chars", "charIndex"]),
    Member::method("GetChars", &[span::READ_BYTES, span::CHARS], INT, |args, cx| {
        let coder: Arc<Coder> = args.arg(0)?;
        let text = Str::from(decoded(cx, coder.0, &span::bytes(args.value(1)))?);
        fits(span::write_text(args.value(2), &text), coder.0, &CHARS_SHORT)?;
        Ok(length(text.len()))
    })
    .params(&["bytes", "chars"]),
    Member::method("GetMaxCharCount", &[INT], INT, |args, _| {
        let (coder, count): (Arc<Coder>, i32) = args.get()?;
        let count = u32::try_from(count)
            .map_err(|_| out_of_range("Non-negative number required.", "byteCount"))?;
        let most = match coder.0 {
            Encoding::Utf8 => count + 1,
            Encoding::Ascii | Encoding::Latin1 => count,
            Encoding::Utf7 => count.max(1),
            Encoding::Utf16 | Encoding::Utf16BigEndian => count.div_ceil(2) + 1,
            Encoding::Utf32 | Encoding::Utf32BigEndian => count / 2 + 2,
        };
        i32::try_from(most).map(Value::Int).map_err(|_| {
            out_of_range(
                "Too many bytes. The resulting number of chars is larger than what can be returned \
                 as an int.",
                "byteCount",
            )
        })
    })
    .params(&["byteCount"]),
    Member::property("WindowsCodePage", INT, |args, _| {
        let (coder,): (Arc<Coder>,) = args.get()?;
        Ok(coder.0.windows_code_page().into())
    }),
    Member::property("IsBrowserDisplay", Type::Bool, |args, _| shown(args, |it| it.in_browsers)),
    Member::property("IsBrowserSave", Type::Bool, |args, _| shown(args, |it| it.by_browsers)),
    Member::property("IsMailNewsDisplay", Type::Bool, |args, _| shown(args, |it| it.in_mail)),
    Member::property("IsMailNewsSave", Type::Bool, |args, _| shown(args, |it| it.in_mail)),
    Member::method("IsAlwaysNormalized", &[], Type::Bool, normalized),
    Member::method("IsAlwaysNormalized", &[FORM], Type::Bool, normalized).params(&["form"]),
];

fn shown(args: &mut Args<'_>, which: fn(Shown) -> bool) -> Result<Value, Exception> {
    let (coder,): (Arc<Coder>,) = args.get()?;
    Ok(which(coder.0.shown()).into())
}

/// Only the characters of Latin-1 are all in form C (1).
fn normalized(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let form = if args.len() > 1 { args.arg::<i64>(1)? } else { 1 };
    let coder: Arc<Coder> = args.arg(0)?;
    Ok((form == 1 && coder.0 == Encoding::Latin1).into())
}

fn text_part(
    text: &Str,
    start: i32,
    count: i32,
    parameter: &'static str,
) -> Result<Vec<u16>, Exception> {
    let outside = "Index and count must refer to a location within the string.";
    let negative = |name| out_of_range("Non-negative number required.", name);
    let start = usize::try_from(start).map_err(|_| negative("index"))?;
    let count = usize::try_from(count).map_err(|_| negative("count"))?;
    let units = text.units();
    let found = start.checked_add(count).and_then(|end| units.get(start..end));
    found.map(<[u16]>::to_vec).ok_or_else(|| out_of_range(outside, parameter))
}

fn bytes_of(coder: &Coder, units: &[u16], cx: &mut EvalCx<'_>) -> Result<Bytes, Exception> {
    Ok(encoded(cx, coder.0, units)?.as_bytes().unwrap_or_default())
}

/// Writes into the `byte[]` that is argument 4, at argument 5.
fn write_bytes(
    args: &mut Args<'_>,
    units: &[u16],
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let coder: Arc<Coder> = args.arg(0)?;
    let array: Arc<ByteArray> = args.arg(4)?;
    let at = index(args.arg(5)?, "byteIndex")?;
    let bytes = bytes_of(&coder, units, cx)?;
    let written = array.change(|own| {
        let place = own.get_mut(at..).and_then(|it| it.get_mut(..bytes.len()));
        place.map(|it| it.copy_from_slice(&bytes)).is_some()
    });
    fits(written, coder.0, &BYTES_SHORT)?;
    Ok(length(bytes.len()))
}

/// What .NET says if an array is too short: what for, whose fallback, which parameter.
type Short = (&'static str, &'static str, &'static str);

const BYTES_SHORT: Short =
    ("byte buffer is too small to contain the encoded data", "Encoder", "bytes");
const CHARS_SHORT: Short =
    ("char buffer is too small to contain the decoded characters", "Decoder", "chars");

fn fits(fits: bool, encoding: Encoding, short: &Short) -> Result<(), Exception> {
    if fits {
        return Ok(());
    }
    let (what, whose, parameter) = short;
    Err(Exception::argument(format!(
        "The output {what}, encoding '{}' fallback 'System.Text.{whose}ReplacementFallback'. \
         (Parameter '{parameter}')",
        encoding.display_name()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_that_is_too_short_is_told() {
        let told = fits(false, Encoding::Utf8, &BYTES_SHORT).unwrap_err();
        assert!(told.message.starts_with("The output byte buffer is too small"));
        assert!(fits(true, Encoding::Utf8, &CHARS_SHORT).is_ok());
    }

    #[test]
    fn parts_of_texts_lie_inside() {
        let text = Str::from("abcd");
        assert_eq!(text_part(&text, 1, 2, "s").unwrap(), [0x62, 0x63]);
        for (start, count) in [(-1, 0), (0, -1), (1, 9)] {
            let error = text_part(&text, start, count, "s").unwrap_err();
            assert_eq!(error.type_name, "System.ArgumentOutOfRangeException");
        }
    }
}
