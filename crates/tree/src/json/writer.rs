//! Writing tokens: compact, or indented by two spaces with `\n`, as Newtonsoft's writer does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dotnet::Runtime;
use dotnet::text::number::{format_double, format_float};

use super::arena::{Arena, Data};
use super::date;
use super::number::{double_text, single_text, with_decimal_place};
use super::scalar::{Scalar, guid_text};

/// `Newtonsoft.Json.Formatting`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formatting {
    /// No white space.
    None,
    /// Two spaces a level.
    Indented,
}

pub(super) fn write(arena: &Arena, id: u32, formatting: Formatting, runtime: Runtime) -> String {
    let mut writer =
        Writer { arena, out: String::with_capacity(128), formatting, runtime, level: 0 };
    writer.token(id);
    writer.out
}

/// The JSON text of a scalar.
pub fn write_scalar(value: &Scalar) -> String {
    let mut out = String::new();
    scalar(&mut out, value, Runtime::Modern);
    out
}

struct Writer<'a> {
    arena: &'a Arena,
    out: String,
    formatting: Formatting,
    runtime: Runtime,
    level: usize,
}

impl Writer<'_> {
    fn token(&mut self, id: u32) {
        let arena = self.arena;
        match arena.data(id) {
            Data::Value(value) => scalar(&mut self.out, value, self.runtime),
            Data::Object(members) => self.list('{', &members.items, '}'),
            Data::Array(items) => self.list('[', items, ']'),
            Data::Constructor(inner) => {
                self.out.push_str("new ");
                self.out.push_str(&inner.0);
                self.list('(', &inner.1, ')');
            }
            Data::Property(name, value) => {
                write_quoted(&mut self.out, name);
                self.out.push(':');
                if self.formatting == Formatting::Indented {
                    self.out.push(' ');
                }
                self.token(*value);
            }
        }
    }

    fn list(&mut self, open: char, items: &[u32], close: char) {
        self.out.push(open);
        self.level += 1;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.new_line();
            self.token(*item);
        }
        self.level -= 1;
        if !items.is_empty() {
            self.new_line();
        }
        self.out.push(close);
    }

    fn new_line(&mut self) {
        if self.formatting == Formatting::Indented {
            self.out.push('\n');
            for _ in 0..self.level {
                self.out.push_str("  ");
            }
        }
    }
}

fn scalar(out: &mut String, value: &Scalar, runtime: Runtime) {
    match (value, runtime) {
        // .NET Framework writes the digits of the format `R`.
        (Scalar::Float(it), Runtime::Framework) => {
            let text = format_double(*it, "R", runtime).unwrap_or_else(|_| double_text(*it));
            return float(out, text, it.is_finite());
        }
        (Scalar::Single(it), Runtime::Framework) => {
            let text = format_float(*it, "R", runtime).unwrap_or_else(|_| single_text(*it));
            return float(out, text, it.is_finite());
        }
        _ => {}
    }
    match value {
        Scalar::Null | Scalar::NullString => out.push_str("null"),
        Scalar::Undefined => out.push_str("undefined"),
        Scalar::Bool(true) => out.push_str("true"),
        Scalar::Bool(false) => out.push_str("false"),
        Scalar::Int(value) => integer(out, *value),
        Scalar::Big(digits) => out.push_str(digits),
        Scalar::Float(value) => float(out, double_text(*value), value.is_finite()),
        Scalar::Single(value) => float(out, single_text(*value), value.is_finite()),
        Scalar::Decimal(value) => out.push_str(&with_decimal_place(value.to_string())),
        Scalar::String(text) | Scalar::Uri(text) => write_quoted(out, text),
        Scalar::Date(value) => {
            out.push('"');
            date::push_json(out, *value);
            out.push('"');
        }
        Scalar::DateOffset(value, minutes) => unescaped(out, &date::json_offset(*value, *minutes)),
        Scalar::TimeSpan(ticks) => unescaped(out, &date::time_span(*ticks)),
        Scalar::Guid(guid) => unescaped(out, &guid_text(*guid)),
        Scalar::Bytes(bytes) => unescaped(out, &STANDARD.encode(bytes)),
        Scalar::Comment(text) => {
            out.push_str("/*");
            out.push_str(text);
            out.push_str("*/");
        }
        Scalar::Raw(text) => out.push_str(text),
    }
}

fn integer(out: &mut String, value: i64) {
    use std::fmt::Write as _;
    // Writing to a string does not fail.
    let _ = write!(out, "{value}");
}

fn float(out: &mut String, text: String, is_finite: bool) {
    if is_finite {
        out.push_str(&with_decimal_place(text));
    } else {
        unescaped(out, &text);
    }
}

fn unescaped(out: &mut String, text: &str) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// `JsonConvert.ToString(text)`: the text in quotes, escaped as Newtonsoft does by default.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_quoted(&mut out, text);
    out
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    // U+0085, U+2028 and U+2029 begin with the last two of these bytes.
    let is_special = |it: u8| it < 0x20 || matches!(it, b'"' | b'\\' | 0xc2 | 0xe2);
    if !text.bytes().any(is_special) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut clean_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !is_special(byte) {
            continue;
        }
        let rest = text.get(at..).unwrap_or("");
        let Some(it) = rest.chars().next() else { continue };
        let escape = match it {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\u{85}' => "\\u0085",
            '\u{2028}' => "\\u2028",
            '\u{2029}' => "\\u2029",
            it if it < ' ' => "",
            _ => continue,
        };
        out.push_str(text.get(clean_from..at).unwrap_or(""));
        if escape.is_empty() {
            out.push_str(&format!("\\u{:04x}", u32::from(it)));
        } else {
            out.push_str(escape);
        }
        clean_from = at + it.len_utf8();
    }
    out.push_str(text.get(clean_from..).unwrap_or(""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{Formatting, quote, write_scalar};
    use crate::json::{ParseOptions, Root, Scalar, parse};

    fn both(text: &str) -> (String, String) {
        let token = parse(text, Root::Any, &ParseOptions::default()).unwrap();
        (token.to_json(Formatting::None), token.to_json(Formatting::Indented))
    }

    #[test]
    fn indented_text_has_two_spaces_a_level_and_keeps_empty_containers_closed() {
        let (compact, indented) = both(r#" {"a":1, "b":[1,2,{}], "c":{ }, "d":[]} "#);

        assert_eq!(compact, r#"{"a":1,"b":[1,2,{}],"c":{},"d":[]}"#);
        assert_eq!(
            indented,
            "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2,\n    {}\n  ],\n  \"c\": {},\n  \"d\": []\n}"
        );
    }

    #[test]
    fn strings_are_escaped_where_newtonsoft_does() {
        assert_eq!(quote("tab\t\u{1}\u{8}\u{c}"), r#""tab\t\u0001\b\f""#);
        assert_eq!(quote("é<>&'/\u{2028}\u{85}😀"), r#""é<>&'/\u2028\u0085😀""#);
        assert_eq!(quote("a\"b\\"), r#""a\"b\\""#);
    }

    #[test]
    fn scalars_have_one_text_each() {
        let cases = [
            (Scalar::from(1.0), "1.0"),
            (Scalar::from(1e21), "1E+21"),
            (Scalar::from(f64::NAN), "\"NaN\""),
            (Scalar::Single(1.5), "1.5"),
            (Scalar::Decimal("1.50".parse().unwrap()), "1.50"),
            (Scalar::Decimal("7".parse().unwrap()), "7.0"),
            (Scalar::Bytes([1, 2, 3].into()), "\"AQID\""),
            (Scalar::NullString, "null"),
            (Scalar::Raw("{x}".into()), "{x}"),
            (Scalar::Comment("c".into()), "/*c*/"),
            (Scalar::TimeSpan(36 * 36_000_000_000), "\"1.12:00:00\""),
        ];
        for (value, text) in cases {
            assert_eq!(write_scalar(&value), text);
        }
    }
}
