//! Writing a value as the C# oracle writes results.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clr::types::names;
use clr::value::KeyValuePair;
use clr::value::{Anonymous, DateTimeKind};
use corelib::language::ExceptionObject;
use library::linq::Grouping;
use serde_json::{Map, Value as Json};

use expr::{EvalCx, Exception, Runtime, Str, Type, Value};

use super::ask::ask;

/// How deep results are written.
const MAX_DEPTH: u32 = 8;
/// How many items of a sequence are written.
const MAX_ITEMS: usize = 1000;

type Members = Map<String, Json>;

/// The members of a result: `type`, `value` and what else the type has.
pub(super) fn render(value: &Value, cx: &mut EvalCx<'_>) -> Result<Members, Exception> {
    Writer { members: Members::new() }.write(value, 0, cx)
}

struct Writer {
    members: Members,
}

impl Writer {
    fn put(&mut self, name: &str, value: impl Into<Json>) {
        self.members.insert(name.to_owned(), value.into());
    }

    /// A string; one with a lone surrogate as its units in hexadecimal.
    fn put_text(&mut self, name: &str, text: &Str) {
        if text.is_well_formed() {
            return self.put(name, text.as_str());
        }
        let mut units = String::new();
        for unit in text.units().iter() {
            let space = if units.is_empty() { "" } else { " " };
            let _ = write!(units, "{space}{unit:04x}");
        }
        self.put(&format!("{name}_utf16"), units);
    }

    fn put_to_string(&mut self, name: &str, value: &Value, cx: &EvalCx<'_>) {
        self.put_text(name, &value.to_str(cx.runtime()));
    }

    /// What an expression says of the value, if it does.
    fn put_asked(&mut self, name: &str, code: &'static str, value: &Value, cx: &EvalCx<'_>) {
        if let Some(Value::String(text)) = ask(code, value, cx.runtime()) {
            self.put_text(name, &text);
        }
    }

    fn write(
        mut self,
        value: &Value,
        depth: u32,
        cx: &mut EvalCx<'_>,
    ) -> Result<Members, Exception> {
        if value.is_null() {
            self.put("type", Json::Null);
            self.put("value", Json::Null);
            return Ok(self.members);
        }
        self.put("type", type_name(value));
        if depth > MAX_DEPTH {
            self.put_to_string("text", value, cx);
            return Ok(self.members);
        }
        if !self.simple(value, cx) {
            self.composite(value, depth, cx)?;
        }
        Ok(self.members)
    }

    /// Numbers, texts and times. Returns whether it was one.
    fn simple(&mut self, value: &Value, cx: &EvalCx<'_>) -> bool {
        match value {
            Value::String(it) => self.put_text("value", it),
            Value::Char(it) => self.put_text("value", &Str::from_unit(*it)),
            Value::Bool(it) => {
                self.put("value", *it);
                self.put_to_string("text", value, cx);
            }
            Value::ULong(it) => self.put("value", *it),
            Value::Enum(_, it) => {
                self.put("value", *it);
                self.put_to_string("text", value, cx);
            }
            Value::Double(_) | Value::Single(_) => self.float(value, cx),
            Value::Decimal(_) | Value::TimeSpan(_) | Value::Guid(_) => {
                self.put_to_string("value", value, cx);
            }
            Value::DateTime(it) => {
                self.put_asked(
                    "value",
                    "((DateTime)context.Variables[\"v\"]).ToString(\"o\")",
                    value,
                    cx,
                );
                self.put_to_string("text", value, cx);
                self.put(
                    "kind",
                    match it.kind {
                        DateTimeKind::Unspecified => "Unspecified",
                        DateTimeKind::Utc => "Utc",
                        DateTimeKind::Local => "Local",
                    },
                );
            }
            Value::DateTimeOffset(_) => {
                let code = "((DateTimeOffset)context.Variables[\"v\"]).ToString(\"o\")";
                self.put_asked("value", code, value, cx);
                self.put_to_string("text", value, cx);
            }
            Value::Bytes(it) => {
                self.put("value", STANDARD.encode(it.to_bytes()));
                self.put("encoding", "base64");
            }
            _ => match value.as_i64() {
                Some(it) => self.put("value", it),
                None => return false,
            },
        }
        true
    }

    /// `value` is the format `R`, which .NET Framework tries with 15 (7) digits first.
    fn float(&mut self, value: &Value, cx: &EvalCx<'_>) {
        let short = value.to_str(Runtime::Framework);
        let exact = match value {
            Value::Double(it) => short.as_str().parse() == Ok(*it),
            Value::Single(it) => short.as_str().parse() == Ok(*it),
            _ => false,
        };
        let round_trip = match cx.runtime() {
            Runtime::Framework if exact => short,
            _ => value.to_str(Runtime::Modern),
        };
        self.put_text("value", &round_trip);
        self.put_to_string("text", value, cx);
    }

    fn composite(
        &mut self,
        value: &Value,
        depth: u32,
        cx: &mut EvalCx<'_>,
    ) -> Result<(), Exception> {
        if value.is_instance(Type::named(names::JTOKEN)) {
            let compact =
                "((JToken)context.Variables[\"v\"]).ToString(Newtonsoft.Json.Formatting.None)";
            self.put_asked("value", compact, value, cx);
            self.put_to_string("text", value, cx);
            self.put_asked(
                "token",
                "((JToken)context.Variables[\"v\"]).Type.ToString()",
                value,
                cx,
            );
            return Ok(());
        }
        if value.is_instance(Type::named(names::XNODE)) {
            let compact =
                "((XNode)context.Variables[\"v\"]).ToString(SaveOptions.DisableFormatting)";
            self.put_asked("value", compact, value, cx);
            self.put_to_string("text", value, cx);
            return Ok(());
        }
        if self.described(value, cx) {
            return Ok(());
        }
        if let Some(pair) = value.as_object::<KeyValuePair>() {
            self.put_rendered("key", &pair.key, depth, cx)?;
            return self.put_rendered("value", &pair.value, depth, cx);
        }
        if let Some(it) = value.as_object::<Anonymous>().filter(|it| !it.is_tuple()) {
            let mut members = Members::new();
            for (name, value) in it.members() {
                let fresh = Writer { members: Members::new() };
                members.insert(name.into_owned(), Json::Object(fresh.write(value, depth + 1, cx)?));
            }
            self.put("value", Json::Object(members));
            self.put_to_string("text", value, cx);
            return Ok(());
        }
        if is_enumerable(value) {
            return self.sequence(value, depth, cx);
        }
        self.put_to_string("text", value, cx);
        Ok(())
    }

    /// Types whose result is a text. Returns whether it was one.
    fn described(&mut self, value: &Value, cx: &EvalCx<'_>) -> bool {
        let is = |name: &'static str| value.is_instance(Type::named(name));
        if let Some(it) = value.as_object::<ExceptionObject>() {
            self.put("value", it.0.message.as_str());
            return true;
        }
        if is("System.Text.RegularExpressions.Group") {
            let success = ask("((Group)context.Variables[\"v\"]).Success", value, cx.runtime());
            self.put("success", success.and_then(|it| it.as_bool()));
        }
        if is("System.Text.RegularExpressions.Capture") {
            self.put_asked("value", "((Capture)context.Variables[\"v\"]).Value", value, cx);
            return true;
        }
        let written_as_text = is(names::XOBJECT)
            || is(names::XNAME)
            || is(names::XNAMESPACE)
            || is("System.Xml.Linq.XDeclaration")
            || is(names::TYPE);
        if written_as_text {
            self.put_to_string("value", value, cx);
        }
        written_as_text
    }

    fn put_rendered(
        &mut self,
        name: &str,
        value: &Value,
        depth: u32,
        cx: &mut EvalCx<'_>,
    ) -> Result<(), Exception> {
        let fresh = Writer { members: Members::new() };
        let members = fresh.write(value, depth + 1, cx)?;
        self.put(name, Json::Object(members));
        Ok(())
    }

    fn sequence(
        &mut self,
        value: &Value,
        depth: u32,
        cx: &mut EvalCx<'_>,
    ) -> Result<(), Exception> {
        if let Some(group) = value.as_object::<Grouping>() {
            let key = group.key.clone();
            self.put_rendered("key", &key, depth, cx)?;
        }
        let mut items = Vec::new();
        let mut cursor = value.cursor(cx)?;
        while items.len() < MAX_ITEMS
            && let Some(item) = cursor.next(cx)?
        {
            let fresh = Writer { members: Members::new() };
            items.push(Json::Object(fresh.write(&item, depth + 1, cx)?));
        }
        self.put("value", items);
        Ok(())
    }
}

/// The public face of a type: sequences of LINQ are `IEnumerable<T>`, groups keep their interface.
fn type_name(value: &Value) -> String {
    match value.runtime_type() {
        Type::Named(names::IORDEREDENUMERABLE, [item]) => clr::types::enumerable(*item).full_name(),
        Type::Named(names::ILOOKUP, items) => {
            clr::types::enumerable(clr::types::named(names::IGROUPING, items)).full_name()
        }
        other => other.full_name(),
    }
}

fn is_enumerable(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::List(_) | Value::Sequence(_) | Value::Host(_))
        || value.is_instance(Type::named(names::IENUMERABLE_PLAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_cx<R>(f: impl FnOnce(&mut EvalCx<'_>) -> R) -> R {
        expr::load_types();
        let host = clr::host::EmptyHost::default();
        f(&mut EvalCx::new(&host, Runtime::Modern, expr::Limits::default()))
    }

    fn written(value: &Value) -> String {
        with_cx(|cx| Json::Object(render(value, cx).unwrap()).to_string())
    }

    #[test]
    fn simple_values_have_type_and_value() {
        let cases = [
            (Value::Null, r#"{"type":null,"value":null}"#),
            (Value::from(5), r#"{"type":"System.Int32","value":5}"#),
            (Value::from(true), r#"{"type":"System.Boolean","value":true,"text":"True"}"#),
            (Value::from(0.5), r#"{"type":"System.Double","value":"0.5","text":"0.5"}"#),
            (Value::Char(0xd800), r#"{"type":"System.Char","value_utf16":"d800"}"#),
            (
                Value::from(vec![1_u8]),
                r#"{"type":"System.Byte[]","value":"AQ==","encoding":"base64"}"#,
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(written(&value), expected);
        }
    }

    #[test]
    fn sequences_are_lists_of_results() {
        let value = Value::strings(["a"]);
        let expected =
            r#"{"type":"System.String[]","value":[{"type":"System.String","value":"a"}]}"#;
        assert_eq!(written(&value), expected);
    }
}
