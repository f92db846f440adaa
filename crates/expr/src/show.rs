//! How a value looks to a person: its type and its content, sequences item by item.
//!
//! ```text
//! System.Int32: 5
//! System.String[], 2 items
//!   "a"
//!   "b"
//! ```

use std::fmt::Write as _;

use crate::cx::EvalCx;
use crate::host::HostRef;
use crate::types::{Type, names};
use crate::value::{Anonymous, Value};
use clr::rows::{self, Args, MemberKind};
use clr::value::KeyValuePair;

/// How many items of a sequence are shown.
const MAX_ITEMS: usize = 100;
/// How deep sequences in sequences are shown.
const MAX_DEPTH: usize = 3;
/// How many characters of a text are shown; of a text that is the result itself, all of it is.
const MAX_CHARS: usize = 200;

/// The type and the content of a value. Enumerating a lazy sequence counts against the budget; what
/// it throws is said in place of the item.
#[must_use]
pub fn show(value: &Value, cx: &mut EvalCx<'_>) -> String {
    let mut out = String::new();
    if value.is_null() {
        return "null".to_owned();
    }
    out.push_str(&value.type_name());
    if has_parts(value, cx) {
        parts(value, 1, &mut out, cx);
        return out;
    }
    let text = text_of(value, cx);
    let separator = if text.contains('\n') { ":\n" } else { ": " };
    let _ = write!(out, "{separator}{text}");
    out
}

/// Is it shown part by part?
fn has_parts(value: &Value, cx: &mut EvalCx<'_>) -> bool {
    match value {
        Value::String(_) | Value::Bytes(_) => false,
        Value::Array(_) | Value::List(_) | Value::Sequence(_) => true,
        Value::Host(HostRef::Url | HostRef::OriginalUrl) => false,
        Value::Host(_) => true,
        Value::Object(_) if value.as_object::<Anonymous>().is_some() => true,
        Value::Object(_) if value.as_object::<KeyValuePair>().is_some() => false,
        Value::Object(_) if is_text(value) => false,
        Value::Object(_) => {
            value.cursor(cx).is_ok() || value.to_str(cx.runtime()).as_str() == value.type_name()
        }
        _ => false,
    }
}

/// Types that can be enumerated, but have a text that says more.
fn is_text(value: &Value) -> bool {
    [names::JTOKEN, names::XNODE].iter().any(|it| value.is_instance(Type::named(it)))
}

fn text_of(value: &Value, cx: &mut EvalCx<'_>) -> String {
    if let Value::Bytes(it) = value {
        return bytes(&it.to_bytes());
    }
    if let Some(pair) = value.as_object::<KeyValuePair>() {
        return format!("[{}, {}]", inline(&pair.key, cx), inline(&pair.value, cx));
    }
    cx.text_of(value).as_str().to_owned()
}

/// The first bytes in hexadecimal, and how many there are.
fn bytes(of: &[u8]) -> String {
    let mut text = String::new();
    for byte in of.iter().take(MAX_CHARS / 4) {
        let _ = write!(text, "{byte:02x}");
    }
    let dots = if of.len() > MAX_CHARS / 4 { "..." } else { "" };
    format!("{text}{dots} ({} bytes)", of.len())
}

/// A value inside of another: texts in quotes, on one line.
fn inline(value: &Value, cx: &mut EvalCx<'_>) -> String {
    let text = match value {
        Value::Null => return "null".to_owned(),
        Value::String(it) => format!("{:?}", shortened(it.as_str())),
        Value::Char(_) => format!("'{}'", value.to_text()),
        Value::Array(it) if it.len() <= 8 => {
            let items: Vec<String> = it.to_vec().iter().map(|it| inline(it, cx)).collect();
            format!("[{}]", items.join(", "))
        }
        _ => text_of(value, cx),
    };
    shortened(&text.replace("\r\n", " ").replace('\n', " "))
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_CHARS).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// The items of a sequence, the entries of a dictionary, or the properties of an object.
fn parts(value: &Value, depth: usize, out: &mut String, cx: &mut EvalCx<'_>) {
    let indent = "  ".repeat(depth);
    if let Some(it) = value.as_object::<Anonymous>() {
        for (name, value) in it.members() {
            let _ = write!(out, "\n{indent}{name} = {}", inline(value, cx));
        }
        return;
    }
    let mut cursor = match value.cursor(cx) {
        Ok(cursor) => cursor,
        Err(_) => return properties(value, &indent, out, cx),
    };
    let (start, mut n) = (out.len(), 0_usize);
    let ended = loop {
        match cursor.next(cx) {
            Ok(Some(item)) if n < MAX_ITEMS => {
                n += 1;
                one_item(&item, depth, out, cx);
            }
            Ok(Some(_)) => {
                let _ = write!(out, "\n{indent}...");
                break false;
            }
            Ok(None) => break true,
            Err(exception) => {
                let _ = write!(out, "\n{indent}{}: {}", exception.type_name, exception.message);
                break false;
            }
        }
    };
    if ended {
        let plural = if n == 1 { "" } else { "s" };
        out.insert_str(start, &format!(", {n} item{plural}"));
    }
}

fn one_item(item: &Value, depth: usize, out: &mut String, cx: &mut EvalCx<'_>) {
    let indent = "  ".repeat(depth);
    if let Some(pair) = item.as_object::<KeyValuePair>() {
        let _ = write!(out, "\n{indent}{}: {}", inline(&pair.key, cx), inline(&pair.value, cx));
    } else if depth < MAX_DEPTH && matches!(item, Value::List(_) | Value::Sequence(_)) {
        let _ = write!(out, "\n{indent}{}", item.type_name());
        parts(item, depth + 1, out, cx);
    } else {
        let _ = write!(out, "\n{indent}{}", inline(item, cx));
    }
}

/// What the properties of an object say.
fn properties(value: &Value, indent: &str, out: &mut String, cx: &mut EvalCx<'_>) {
    let of = value.runtime_type();
    let Some(def) = of.definition_name().and_then(rows::definition) else { return };
    let of_type = if let Type::Named(_, list) = of { list } else { &[] };
    for row in def.members.iter().filter(|it| it.kind == MemberKind::Property && it.listed) {
        let mut values = [value.clone()];
        let result = (row.call)(&mut Args::new(row, &mut values, of_type, &[], row.returns), cx);
        let text = match result {
            Ok(it @ Value::Host(_)) if has_parts(&it, cx) => it.runtime_type().to_string(),
            Ok(it) => inline(&it, cx),
            Err(exception) => format!("{}: {}", exception.type_name, exception.message),
        };
        let _ = write!(out, "\n{indent}{} = {text}", row.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oracle::RecordedHost;

    use crate::{Form, Limits, Options, Runtime, compile};

    fn shown(source: &str) -> String {
        let host = RecordedHost::over_default(None).unwrap();
        let program = compile(source, Form::Expression, &Options::default()).unwrap();
        let mut cx = EvalCx::new(&host, Runtime::Modern, Limits::default());
        let value = program.evaluate_in(&mut cx).unwrap();
        show(&value, &mut cx)
    }

    #[test]
    fn values_show_type_and_content() {
        let cases = [
            ("1 + 1", "System.Int32: 2"),
            ("\"a\\nb\"", "System.String:\na\nb"),
            ("(string)null", "null"),
            ("new[] { \"a\", null }", "System.String[], 2 items\n  \"a\"\n  null"),
            (
                "new[] { 1, 2 }.Select(x => x * 2)",
                "System.Collections.Generic.IEnumerable<System.Int32>, 2 items\n  2\n  4",
            ),
            ("new { a = 1, b = \"x\" }", "anonymous\n  a = 1\n  b = \"x\""),
            ("new byte[] { 1, 255 }", "System.Byte[]: 01ff (2 bytes)"),
            (
                "new[] { 1 }.Select(x => 1 / (x - 1))",
                "System.Collections.Generic.IEnumerable<System.Int32>\n  System.DivideByZeroException: Attempted to divide by zero.",
            ),
        ];
        for (source, expected) in cases {
            assert_eq!(shown(source), expected, "{source}");
        }
    }

    #[test]
    fn parts_of_the_context_show_their_members() {
        let text = shown("context.Request");
        assert!(
            text.contains("\n  Method = \"POST\"") && text.contains("\n  Headers = "),
            "{text}"
        );
        let text = shown("context.Request.Headers");
        assert!(text.contains("\n  \"Host\": [\"") && text.contains(" items"), "{text}");
        assert!(
            shown("context.Request.Url").ends_with(
                ": https://api.contoso.com/v2/orders/42?expand=items&tag=a&tag=b&empty="
            ) || shown("context.Request.Url").contains(": https://api.contoso.com")
        );
    }

    #[test]
    fn long_sequences_are_cut() {
        let text = shown("Enumerable.Range(0, 1000)");
        assert!(text.ends_with("\n  99\n  ...") && text.lines().count() == 102, "{text}");
    }
}
