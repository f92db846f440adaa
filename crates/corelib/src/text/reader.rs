//! `System.IO.StringReader` and `StringWriter`:
//! <https://learn.microsoft.com/dotnet/api/system.io.stringreader>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Array, Object, Value};
use dotnet::{Runtime, Str};

use super::stringbuilder::{Text, shown};
use super::{CHARS, PROVIDER, culture, encoding, index, length, made};

const READER: Type = Type::named("System.IO.StringReader");
const WRITER: Type = Type::named("System.IO.StringWriter");
/// `TextReader`
pub const BASE_READER: Type = Type::named("System.IO.TextReader");
/// `TextWriter`
pub const BASE_WRITER: Type = Type::named("System.IO.TextWriter");
const DISPOSABLE: Type = Type::named(names::IDISPOSABLE);
const STRING: Type = Type::String;
const INT: Type = Type::Int32;

pub(crate) const TYPES: &[TypeDef] = &[
    TypeDef::class("System.IO.TextReader", READING).bases(&[DISPOSABLE]),
    TypeDef::class("System.IO.TextWriter", WRITING).bases(&[DISPOSABLE]),
    TypeDef::class("System.IO.StringReader", READER_MEMBERS).bases(&[BASE_READER]),
    TypeDef::class("System.IO.StringWriter", WRITER_MEMBERS).bases(&[BASE_WRITER]),
];

/// A reader: a text and how far it has been read.
#[derive(Debug)]
struct Reader {
    text: Str,
    at: Mutex<usize>,
}

impl Reader {
    fn at(&self) -> MutexGuard<'_, usize> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next line, without its end.
    fn line(&self) -> Option<Str> {
        let mut at = self.at();
        let start = *at;
        if start >= self.text.len() {
            return None;
        }
        let units = self.text.units();
        let rest = units.get(start..).unwrap_or_default();
        let ends = |unit: &u16| matches!(unit, 0x0a | 0x0d);
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let end = start + length;
        let crlf = units.get(end..end + 2) == Some(&[0x0d, 0x0a]);
        *at = (end + 1 + usize::from(crlf)).min(self.text.len());
        self.text.slice(start..end)
    }
}

impl Object for Reader {
    fn net_type(&self) -> Type {
        READER
    }
}

/// A writer: a builder that may be asked for, and what ends a line if it was set.
#[derive(Debug)]
struct Writer {
    text: Arc<Text>,
    end: Mutex<Option<Str>>,
}

impl Writer {
    fn value(text: Arc<Text>) -> Value {
        Value::object(Self { text, end: Mutex::new(None) })
    }

    fn line_end(&self) -> Str {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.clone().unwrap_or(Str::from_static("\n"))
    }
}

impl Object for Writer {
    fn net_type(&self) -> Type {
        WRITER
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.text.text()
    }
}

/// What a reader has left; it is at its end then. `None` if it is no reader.
pub fn rest_of(reader: &Value) -> Option<Str> {
    let it = reader.as_object::<Reader>()?;
    let start = std::mem::replace(&mut *it.at(), it.text.len());
    Some(it.text.slice(start..it.text.len()).unwrap_or(Str::EMPTY))
}

/// Writes a text with a writer; nothing if it is none.
///
/// # Errors
///
/// What is written would be too long.
pub fn write_text(writer: &Value, text: &Str, cx: &mut EvalCx<'_>) -> Result<(), Exception> {
    match writer.as_object::<Writer>() {
        Some(it) => it.text.push(cx, text),
        None => Ok(()),
    }
}

const READER_MEMBERS: &[Member] = &[Member::constructor(&[STRING], READER, |args, _| {
    let (text,): (Str,) = args.get()?;
    Ok(Value::object(Reader { text, at: Mutex::new(0) }))
})
.params(&["s"])];

const READING: &[Member] = &[
    Member::method("ReadToEnd", &[], STRING, |args, cx| {
        made(cx, rest_of(args.value(0)).unwrap_or(Str::EMPTY))
    }),
    Member::method("ReadLine", &[], STRING, |args, cx| {
        let (it,): (Arc<Reader>,) = args.get()?;
        cx.step()?;
        match it.line() {
            Some(line) => {
                cx.steps(line.len() as u64 / 64)?;
                made(cx, line)
            }
            None => Ok(Value::Null),
        }
    }),
    Member::method("Read", &[], INT, |args, _| {
        let (it,): (Arc<Reader>,) = args.get()?;
        let mut at = it.at();
        let unit = it.text.unit(*at);
        *at += usize::from(unit.is_some());
        Ok(unit.map_or(-1, i32::from).into())
    }),
    Member::method("Read", &[CHARS, INT, INT], INT, read_block).params(BLOCK),
    Member::method("ReadBlock", &[CHARS, INT, INT], INT, read_block).params(BLOCK),
    Member::method("GetLifetimeService", &[], Type::Object, remoting),
    Member::method("InitializeLifetimeService", &[], Type::Object, remoting),
    Member::method("Peek", &[], INT, |args, _| {
        let (it,): (Arc<Reader>,) = args.get()?;
        let at = *it.at();
        Ok(it.text.unit(at).map_or(-1, i32::from).into())
    }),
    Member::method("Dispose", &[], Type::Void, |_, _| Ok(Value::Null)),
    Member::method("Close", &[], Type::Void, |_, _| Ok(Value::Null)),
];

/// Of .NET Framework's remoting, of which later runtimes have the methods only.
fn remoting(_: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text = "Remoting is not supported on this platform.";
    Err(Exception::new("System.PlatformNotSupportedException", text))
}

const BLOCK: &[&str] = &["buffer", "index", "count"];

/// Reads units into a `char[]`: how many there were.
fn read_block(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    if args.value(1).is_null() {
        return Err(Exception::argument_null("buffer"));
    }
    let (it, into): (Arc<Reader>, Arc<Array>) = (args.arg(0)?, args.arg(1)?);
    let (place, count) = (index(args.arg(2)?, "index")?, index(args.arg(3)?, "count")?);
    if place.saturating_add(count) > into.len() {
        return Err(Exception::argument(
            "Offset and length were out of bounds for the array or count is greater than the \
             number of elements from index to the end of the source collection.",
        ));
    }
    let mut at = it.at();
    let count = count.min(it.text.len().saturating_sub(*at));
    cx.steps(1 + count as u64 / 16)?;
    for offset in 0..count {
        into.set(place + offset, Value::Char(it.text.unit(*at + offset).unwrap_or(0)));
    }
    *at += count;
    Ok(length(count))
}

const WRITER_MEMBERS: &[Member] = &[
    Member::property("Encoding", Type::named(names::ENCODING), |_, _| Ok(encoding::unicode())),
    Member::property("FormatProvider", PROVIDER, |_, _| Ok(culture::invariant())),
    Member::property("NewLine", STRING, |args, _| {
        let it: Arc<Writer> = args.arg(0)?;
        let end = it.line_end();
        Ok(end.into())
    })
    .set(|args, _| {
        let (it, end): (Arc<Writer>, Option<Str>) = args.get()?;
        *it.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
        Ok(Value::Null)
    }),
    Member::constructor(&[], WRITER, |_, _| Ok(Writer::value(Arc::new(Text::new(&Str::EMPTY))))),
    Member::constructor(&[Type::named(names::STRINGBUILDER)], WRITER, |args, _| {
        let (builder,): (Arc<Text>,) = args.get()?;
        Ok(Writer::value(builder))
    })
    .params(&["sb"]),
    Member::constructor(&[PROVIDER], WRITER, |_, _| {
        Ok(Writer::value(Arc::new(Text::new(&Str::EMPTY))))
    })
    .params(&["formatProvider"]),
    Member::method("GetStringBuilder", &[], Type::named(names::STRINGBUILDER), |args, _| {
        let (it,): (Arc<Writer>,) = args.get()?;
        Ok(Value::Object(it.text.clone()))
    }),
];

const WRITING: &[Member] = &[
    Member::method("Write", &[STRING], Type::Void, write).params(&["value"]),
    Member::method("Write", &[Type::Char], Type::Void, write).params(&["value"]),
    Member::method("Write", &[CHARS], Type::Void, write).params(&["buffer"]),
    Member::method("Write", &[Type::Object], Type::Void, write).params(&["value"]),
    Member::method("WriteLine", &[], Type::Void, write_line),
    Member::method("WriteLine", &[STRING], Type::Void, write_line).params(&["value"]),
    Member::method("WriteLine", &[Type::Object], Type::Void, write_line).params(&["value"]),
    Member::method("GetLifetimeService", &[], Type::Object, remoting),
    Member::method("InitializeLifetimeService", &[], Type::Object, remoting),
    Member::method("Flush", &[], Type::Void, |_, _| Ok(Value::Null)),
    Member::method("Dispose", &[], Type::Void, |_, _| Ok(Value::Null)),
    Member::method("Close", &[], Type::Void, |_, _| Ok(Value::Null)),
];

fn write(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, value): (Arc<Writer>, Value) = args.get()?;
    it.text.push(cx, &shown(&value, cx.runtime()))?;
    Ok(Value::Null)
}

fn write_line(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let it: Arc<Writer> = args.arg(0)?;
    it.text.push(cx, &args.value(1).to_str(cx.runtime()))?;
    it.text.push(cx, &it.line_end())?;
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_any_way() {
        let reader = Reader { text: "a\nb\r\n\rc".into(), at: Mutex::new(0) };
        let lines: Vec<String> =
            std::iter::from_fn(|| reader.line()).map(|it| it.to_string()).collect();
        assert_eq!(lines, ["a", "b", "", "c"]);
    }
}
