//! `System.Text.StringBuilder`: <https://learn.microsoft.com/dotnet/api/system.text.stringbuilder>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Array, Object, Value};
use dotnet::text::Builder;
use dotnet::text::compare::{self, Comparison};
use dotnet::{Runtime, Str};

use super::string_build::formatted;
use super::string_room::Room;
use super::{CHARS, PROVIDER, index, length, made, out_of_range, part, search, units};

pub(crate) const TYPE: TypeDef = TypeDef::class(names::STRINGBUILDER, MEMBERS);

const OWN: Type = Type::named(names::STRINGBUILDER);
const STRING: Type = Type::String;
const OBJECT: Type = Type::Object;
const CHAR: Type = Type::Char;
const INT: Type = Type::Int32;
const MANY: Type = Type::Params(&Type::Object);
const ITEMS: Type = Type::Named(names::IENUMERABLE, &[Type::M]);

/// A builder as an object.
#[derive(Debug)]
pub(super) struct Text {
    text: Mutex<Builder>,
    room: Mutex<Room>,
}

impl Text {
    /// A builder that starts with a text.
    pub(super) fn new(text: &Str) -> Self {
        Self::with_room(text, Room::of(text.len()))
    }

    fn with_room(text: &Str, room: Room) -> Self {
        Self { text: Mutex::new(Builder::from(text)), room: Mutex::new(room) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Builder> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes room for more characters.
    fn grow(&self, added: usize) -> Result<(), Exception> {
        let length = self.lock().len();
        self.room().grow(length, added)
    }

    /// What was built so far.
    pub(super) fn text(&self) -> Str {
        self.lock().to_str()
    }

    /// Appends a text, counted.
    pub(super) fn push(&self, cx: &mut EvalCx<'_>, text: &Str) -> Result<(), Exception> {
        cx.allocate(text.len().max(text.size()))?;
        self.grow(text.len())?;
        self.lock().push(text);
        Ok(())
    }
}

impl Object for Text {
    fn net_type(&self) -> Type {
        OWN
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.text()
    }
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], OWN, construct),
    Member::constructor(&[INT], OWN, construct).params(&["capacity"]),
    Member::constructor(&[INT, INT], OWN, construct).params(&["capacity", "maxCapacity"]),
    Member::constructor(&[STRING], OWN, construct).params(&["value"]),
    Member::constructor(&[STRING, INT], OWN, construct).params(&["value", "capacity"]),
    Member::constructor(&[STRING, INT, INT, INT], OWN, |args, cx| {
        let (text, start, count, capacity): (Option<Str>, i32, i32, i32) = args.get()?;
        let room = Room::new(capacity, i32::MAX)?;
        let text = text.unwrap_or(Str::EMPTY);
        let range = part(start, count, text.len(), ("startIndex", "length"))?;
        cx.allocate(text.size() + 64)?;
        let text = text.slice(range).unwrap_or(Str::EMPTY);
        let room = room.at_least(text.len());
        Ok(Value::object(Text::with_room(&text, room)))
    })
    .params(&["value", "startIndex", "length", "capacity"]),
    Member::method("CopyTo", &[INT, CHARS, INT, INT], Type::Void, |args, cx| {
        let (it, from, to, at, count): (Arc<Text>, i32, Arc<Array>, i32, i32) = args.get()?;
        super::copy_units(cx, &it.text(), from, &to, at, count)
    })
    .params(&["sourceIndex", "destination", "destinationIndex", "count"]),
    Member::property("Length", INT, |args, _| {
        let (it,): (Arc<Text>,) = args.get()?;
        Ok(length(it.lock().len()))
    })
    .set(set_length),
    Member::property("Capacity", INT, |args, _| {
        let (it,): (Arc<Text>,) = args.get()?;
        let room = *it.room();
        Ok(length(room.capacity))
    })
    .set(|args, _| {
        let (it, wanted): (Arc<Text>, i32) = args.get()?;
        let length = it.lock().len();
        it.room().set(wanted, length)?;
        Ok(Value::Null)
    }),
    Member::property("MaxCapacity", INT, |args, _| {
        let (it,): (Arc<Text>,) = args.get()?;
        let room = *it.room();
        Ok(length(room.most))
    }),
    Member::indexer(&[INT], CHAR, |args, _| {
        let (it, at): (Arc<Text>, i32) = args.get()?;
        let unit = usize::try_from(at).ok().and_then(|at| it.text().unit(at));
        unit.map(Value::Char).ok_or_else(Exception::index_out_of_range)
    })
    .set(set_char)
    .params(&["index"]),
    Member::method("Append", &[STRING], OWN, append).params(&["value"]),
    Member::method("Append", &[CHAR], OWN, append).params(&["value"]),
    Member::method("Append", &[OBJECT], OWN, append).params(&["value"]),
    Member::method("Append", &[CHARS], OWN, append).params(&["value"]),
    Member::method("Append", &[CHAR, INT], OWN, |args, cx| {
        let (it, unit, count): (Arc<Text>, u16, i32) = args.get()?;
        let count = index(count, "repeatCount")?;
        cx.allocate(count * 2)?;
        it.grow(count)?;
        it.lock().push_repeated(unit, count);
        Ok(Value::Object(it))
    })
    .params(&["value", "repeatCount"]),
    Member::method("Append", &[STRING, INT, INT], OWN, append_part).params(&[
        "value",
        "startIndex",
        "count",
    ]),
    Member::method("Append", &[CHARS, INT, INT], OWN, append_part).params(&[
        "value",
        "startIndex",
        "charCount",
    ]),
    Member::method("AppendLine", &[], OWN, append_line),
    Member::method("AppendLine", &[STRING], OWN, append_line).params(&["value"]),
    Member::method("AppendFormat", &[STRING, OBJECT], OWN, |args, cx| append_format(args, cx, 1)),
    Member::method("AppendFormat", &[STRING, OBJECT, OBJECT], OWN, |args, cx| {
        append_format(args, cx, 1)
    }),
    Member::method("AppendFormat", &[STRING, OBJECT, OBJECT, OBJECT], OWN, |args, cx| {
        append_format(args, cx, 1)
    }),
    Member::method("AppendFormat", &[STRING, MANY], OWN, |args, cx| append_format(args, cx, 1))
        .params(&["format", "args"]),
    Member::method("AppendFormat", &[PROVIDER, STRING, MANY], OWN, |args, cx| {
        append_format(args, cx, 2)
    })
    .params(&["provider", "format", "args"]),
    Member::method("AppendJoin", &[STRING, Type::Params(&Type::String)], OWN, append_join)
        .params(&["separator", "values"]),
    Member::method("AppendJoin", &[STRING, MANY], OWN, append_join)
        .params(&["separator", "values"]),
    Member::method("AppendJoin", &[STRING, ITEMS], OWN, append_join)
        .params(&["separator", "values"]),
    Member::method("AppendJoin", &[CHAR, ITEMS], OWN, append_join).params(&["separator", "values"]),
    Member::method("Insert", &[INT, STRING], OWN, insert).params(&["index", "value"]),
    Member::method("Insert", &[INT, CHAR], OWN, insert).params(&["index", "value"]),
    Member::method("Insert", &[INT, OBJECT], OWN, insert).params(&["index", "value"]),
    Member::method("Insert", &[INT, CHARS], OWN, insert).params(&["index", "value"]),
    Member::method("Insert", &[INT, STRING, INT], OWN, insert).params(&["index", "value", "count"]),
    Member::method("Insert", &[INT, CHARS, INT, INT], OWN, |args, cx| {
        let (it, at, array, start, count): (Arc<Text>, i32, Arc<Array>, i32, i32) = args.get()?;
        let text = it.text();
        let at = part(at, 0, text.len(), ("index", "index"))?.start;
        let all = units(&array);
        let range = part(start, count, all.len(), ("startIndex", "charCount"))?;
        let value = Str::from_units(all.get(range).unwrap_or_default());
        let head = text.slice(0..at).unwrap_or(Str::EMPTY);
        let tail = text.slice(at..text.len()).unwrap_or(Str::EMPTY);
        changed(cx, &it, &Str::concat_all(&[head, value, tail]))
    })
    .params(&["index", "value", "startIndex", "charCount"]),
    Member::method("Remove", &[INT, INT], OWN, |args, cx| {
        let (it, start, count): (Arc<Text>, i32, i32) = args.get()?;
        let text = it.text();
        let range = part(start, count, text.len(), ("startIndex", "length"))?;
        let tail = text.slice(range.end..text.len()).unwrap_or(Str::EMPTY);
        let head = text.slice(0..range.start).unwrap_or(Str::EMPTY);
        changed(cx, &it, &head.concat(&tail))
    })
    .params(&["startIndex", "length"]),
    Member::method("Replace", &[STRING, STRING], OWN, replace).params(&["oldValue", "newValue"]),
    Member::method("Replace", &[CHAR, CHAR], OWN, replace).params(&["oldChar", "newChar"]),
    Member::method("Replace", &[STRING, STRING, INT, INT], OWN, replace).params(&[
        "oldValue",
        "newValue",
        "startIndex",
        "count",
    ]),
    Member::method("Replace", &[CHAR, CHAR, INT, INT], OWN, replace).params(&[
        "oldChar",
        "newChar",
        "startIndex",
        "count",
    ]),
    Member::method("Clear", &[], OWN, |args, _| {
        let (it,): (Arc<Text>,) = args.get()?;
        *it.lock() = Builder::default();
        Ok(Value::Object(it))
    }),
    Member::method("EnsureCapacity", &[INT], INT, |args, _| {
        let (it, wanted): (Arc<Text>, i32) = args.get()?;
        let most = it.room().most;
        let wanted = usize::try_from(wanted)
            .map_err(|_| out_of_range("Capacity must be positive.", "capacity"))?;
        if wanted > most {
            return Err(out_of_range("Capacity exceeds maximum capacity.", "value"));
        }
        let mut room = it.room();
        *room = room.at_least(wanted);
        Ok(length(room.capacity))
    })
    .params(&["capacity"]),
    Member::method("Equals", &[OWN], Type::Bool, |args, _| {
        let (a, b): (Arc<Text>, Option<Arc<Text>>) = args.get()?;
        Ok(b.is_some_and(|b| Arc::ptr_eq(&a, &b) || a.text() == b.text()).into())
    })
    .params(&["sb"]),
    Member::method("ToString", &[INT, INT], STRING, |args, cx| {
        let (it, start, count): (Arc<Text>, i32, i32) = args.get()?;
        let text = it.text();
        let range = part(start, count, text.len(), ("startIndex", "length"))?;
        made(cx, text.slice(range).unwrap_or(Str::EMPTY))
    })
    .params(&["startIndex", "length"]),
];

fn construct(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text = args.value(0).as_string().cloned().unwrap_or(Str::EMPTY);
    cx.allocate(text.size() + 64)?;
    let numbers: Vec<i32> = args
        .values()
        .iter()
        .filter_map(Value::as_i64)
        .filter_map(|it| i32::try_from(it).ok())
        .collect();
    let room = match (args.member().params, numbers.as_slice()) {
        ([INT, INT], [capacity, most]) => Room::new(*capacity, *most)?,
        (_, [capacity]) => Room::new(*capacity, i32::MAX)?,
        _ => Room::of(0),
    };
    Ok(Value::object(Text::with_room(&text, room.at_least(text.len()))))
}

/// Puts another text into a builder.
fn changed(cx: &mut EvalCx<'_>, it: &Arc<Text>, text: &Str) -> Result<Value, Exception> {
    cx.allocate(text.size())?;
    let old = it.lock().len();
    it.room().grow(old, text.len().saturating_sub(old))?;
    *it.lock() = Builder::from(text);
    Ok(Value::Object(it.clone()))
}

/// The text of a value to append: a `char[]` is its characters.
pub(super) fn shown(value: &Value, runtime: Runtime) -> Str {
    match value {
        Value::Array(array) if array.element() == CHAR => Str::from_units(&units(array)),
        other => other.to_str(runtime),
    }
}

fn append(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, value): (Arc<Text>, Value) = args.get()?;
    let is_chars = args.member().params.first() == Some(&CHARS);
    let text = if is_chars { shown(&value, cx.runtime()) } else { cx.text_of(&value) };
    it.push(cx, &text)?;
    Ok(Value::Object(it))
}

fn append_part(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, value, start, count): (Arc<Text>, Value, i32, i32) = args.get()?;
    if value.is_null() {
        let nothing = start == 0 && count == 0;
        return if nothing {
            Ok(Value::Object(it))
        } else {
            Err(Exception::argument_null("value"))
        };
    }
    let text = shown(&value, cx.runtime());
    let range = part(start, count, text.len(), ("startIndex", "count"))?;
    it.push(cx, &text.slice(range).unwrap_or(Str::EMPTY))?;
    Ok(Value::Object(it))
}

fn append_line(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let it: Arc<Text> = args.arg(0)?;
    let text = cx.text_of(args.value(1));
    it.push(cx, &text)?;
    it.push(cx, &Str::from_static("\n"))?;
    Ok(Value::Object(it))
}

fn append_format(args: &mut Args<'_>, cx: &mut EvalCx<'_>, at: usize) -> Result<Value, Exception> {
    let (it, format): (Arc<Text>, Str) = (args.arg(0)?, args.arg(at)?);
    let many = matches!(args.member().params.last(), Some(Type::Params(_)));
    let values = if many {
        args.arg::<Arc<Array>>(at + 1)?.to_vec()
    } else {
        args.values().get(at + 1..).unwrap_or_default().to_vec()
    };
    let text = formatted(cx, &format, &values)?;
    it.push(cx, &text.to_str(cx.runtime()))?;
    Ok(Value::Object(it))
}

fn append_join(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, separator, values): (Arc<Text>, Value, Value) = args.get()?;
    let separator = separator.to_str(cx.runtime());
    if values.is_null() {
        return Err(Exception::argument_null("values"));
    }
    for (index, value) in values.collect(cx)?.iter().enumerate() {
        if index > 0 {
            it.push(cx, &separator)?;
        }
        it.push(cx, &cx.text_of(value))?;
    }
    Ok(Value::Object(it))
}

fn insert(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let count = args.value(3).as_i64().unwrap_or(1);
    let (it, at, value): (Arc<Text>, i32, Value) = (args.arg(0)?, args.arg(1)?, args.arg(2)?);
    let text = it.text();
    let at = part(at, 0, text.len(), ("index", "index"))?.start;
    let Ok(count) = usize::try_from(count) else {
        return Err(out_of_range("Non-negative number required.", "count"));
    };
    let value = shown(&value, cx.runtime());
    cx.allocate(value.len().max(value.size()).saturating_mul(count))?;
    let value = match count {
        _ if value.is_empty() => Str::EMPTY,
        1 => value,
        _ if value.is_well_formed() => Str::from(value.as_str().repeat(count)),
        _ => Str::from_units(&value.units().repeat(count)),
    };
    let before = text.slice(0..at).unwrap_or(Str::EMPTY);
    let after = text.slice(at..text.len()).unwrap_or(Str::EMPTY);
    changed(cx, &it, &Str::concat_all(&[before, value, after]))
}

fn replace(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, old, new): (Arc<Text>, Value, Value) = (args.arg(0)?, args.arg(1)?, args.arg(2)?);
    let (old, new) = (old.to_str(cx.runtime()), new.to_str(cx.runtime()));
    if old.is_empty() {
        return Err(Exception::argument(
            "The value cannot be an empty string. (Parameter 'oldValue')",
        ));
    }
    let text = it.text();
    let range = match (args.value(3).as_i64(), args.value(4).as_i64()) {
        (Some(start), Some(count)) => part(
            i32::try_from(start).unwrap_or(-1),
            i32::try_from(count).unwrap_or(-1),
            text.len(),
            ("startIndex", "count"),
        )?,
        _ => 0..text.len(),
    };
    let within = text.slice(range.clone()).unwrap_or(Str::EMPTY);
    search(cx, &within, &old)?;
    cx.allocate((within.len() / old.len()).saturating_mul(new.len()))?;
    let head = text.slice(0..range.start).unwrap_or(Str::EMPTY);
    let tail = text.slice(range.end..text.len()).unwrap_or(Str::EMPTY);
    let middle = compare::replace(&within, &old, &new, Comparison::Ordinal);
    changed(cx, &it, &Str::concat_all(&[head, middle, tail]))
}

fn set_length(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, length): (Arc<Text>, i32) = args.get()?;
    let wanted = index(length, "value")?;
    let text = it.text();
    if wanted <= text.len() {
        return changed(cx, &it, &text.slice(0..wanted).unwrap_or(Str::EMPTY));
    }
    cx.allocate(wanted - text.len())?;
    if wanted > it.room().most {
        return Err(out_of_range("capacity was less than the current size.", "value"));
    }
    it.grow(wanted - text.len())?;
    it.lock().push_repeated(0, wanted - text.len());
    Ok(Value::Null)
}

fn set_char(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it, at, unit): (Arc<Text>, i32, u16) = args.get()?;
    let mut units = it.text().units().into_owned();
    let place = usize::try_from(at).ok().and_then(|at| units.get_mut(at));
    match place {
        Some(place) => *place = unit,
        None => return Err(out_of_range("Index was out of range.", "index")),
    }
    changed(cx, &it, &Str::from_units(&units))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn characters_are_appended_as_such() {
        let chars = Value::array(CHAR, vec![Value::Char(0x61), Value::Char(0x62)]);
        assert_eq!(shown(&chars, Runtime::Modern), "ab");
        assert_eq!(shown(&Value::from(1.5), Runtime::Modern), "1.5");
    }

    #[test]
    fn a_builder_grows_within_the_budget() {
        let it = Text::new(&"a".into());
        with_cx(|cx| it.push(cx, &"b".into())).unwrap();
        assert_eq!(it.text(), "ab");
    }
}
