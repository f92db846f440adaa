//! The filters: one function each, and one line each in [`FILTERS`].
//!
//! Names are those of C#. The spelling of Ruby (`strip_html` for `StripHtml`) is understood, too;
//! DotLiquid in C# naming would leave such a filter out in silence.
//!
//! Source: `StandardFilters.cs` of <https://github.com/dotliquid/dotliquid>, as of version 2.0.361

mod currency;
mod date;
mod encode;
mod list;
mod number;
mod pattern;
mod text;

use std::sync::Arc;

use dotnet::Str;
use dotnet::regex::Regex;

use crate::error::Stop;
use crate::expr::Expr;
use crate::render::RenderCx;
use crate::value::Value;

/// A filter.
#[derive(Debug)]
pub(crate) struct FilterDef {
    pub(crate) name: &'static str,
    /// Fewest and most arguments.
    pub(crate) min: usize,
    pub(crate) max: usize,
    /// Whether the first argument is a regular expression.
    pub(crate) has_pattern: bool,
    /// Looks at the arguments when the template is compiled.
    pub(crate) check: fn(&[Expr]) -> Result<(), String>,
    pub(crate) apply: for<'a, 'c> fn(Args<'a, 'c>) -> Result<Value, Stop>,
}

/// What a filter works on.
pub(crate) struct Args<'a, 'c> {
    pub(crate) input: Value,
    pub(crate) rest: Vec<Value>,
    /// The first argument as a regular expression, if it was a literal.
    pub(crate) pattern: Option<&'a Arc<Regex>>,
    /// Whether the filter's name is written as Ruby does it.
    pub(crate) is_ruby: bool,
    pub(crate) cx: &'a mut RenderCx<'c>,
}

type Apply = for<'a, 'c> fn(Args<'a, 'c>) -> Result<Value, Stop>;

const fn filter(name: &'static str, min: usize, max: usize, apply: Apply) -> FilterDef {
    FilterDef { name, min, max, has_pattern: false, check: |_| Ok(()), apply }
}

const fn with_pattern(name: &'static str, min: usize, max: usize, apply: Apply) -> FilterDef {
    FilterDef { has_pattern: true, ..filter(name, min, max, apply) }
}

pub(crate) const FILTERS: &[FilterDef] = &[
    filter("Abs", 0, 0, number::abs),
    filter("Append", 1, 1, text::append),
    filter("AtLeast", 1, 1, number::at_least),
    filter("AtMost", 1, 1, number::at_most),
    filter("Base64Decode", 0, 0, encode::base64_decode),
    filter("Base64Encode", 0, 0, encode::base64_encode),
    filter("Capitalize", 0, 0, text::capitalize),
    filter("Ceil", 0, 0, number::ceil),
    filter("Compact", 0, 0, list::compact),
    filter("Concat", 1, 1, list::concat),
    FilterDef { check: currency::check, ..filter("Currency", 0, 1, currency::currency) },
    filter("Date", 1, 1, date::date),
    filter("Default", 1, 1, text::default),
    filter("DividedBy", 1, 1, number::divided_by),
    filter("Downcase", 0, 0, text::downcase),
    filter("Escape", 0, 0, encode::escape),
    filter("EscapeOnce", 0, 0, encode::escape_once),
    filter("First", 0, 0, list::first),
    filter("Floor", 0, 0, number::floor),
    filter("H", 0, 0, encode::escape),
    filter("Join", 0, 1, list::join),
    filter("Last", 0, 0, list::last),
    filter("Lstrip", 0, 0, text::lstrip),
    filter("Map", 1, 1, list::map),
    filter("Minus", 1, 1, number::minus),
    filter("Modulo", 1, 1, number::modulo),
    filter("NewlineToBr", 0, 0, text::newline_to_br),
    filter("Plus", 1, 1, number::plus),
    filter("Prepend", 1, 1, text::prepend),
    filter("Remove", 1, 1, text::remove),
    with_pattern("RemoveFirst", 1, 1, pattern::remove_first),
    with_pattern("Replace", 1, 2, pattern::replace),
    with_pattern("ReplaceFirst", 1, 2, pattern::replace_first),
    filter("Reverse", 0, 0, list::reverse),
    filter("Round", 0, 1, number::round),
    filter("Rstrip", 0, 0, text::rstrip),
    filter("Size", 0, 0, list::size),
    filter("Slice", 1, 2, text::slice),
    filter("Sort", 0, 1, list::sort),
    filter("Split", 1, 1, text::split),
    filter("Strip", 0, 0, text::strip),
    filter("StripHtml", 0, 0, text::strip_html),
    filter("StripNewlines", 0, 0, text::strip_newlines),
    filter("Times", 1, 1, number::times),
    filter("Truncate", 0, 2, text::truncate),
    filter("TruncateWords", 0, 2, text::truncate_words),
    filter("Uniq", 0, 0, list::uniq),
    filter("Upcase", 0, 0, text::upcase),
    filter("UrlDecode", 0, 0, encode::url_decode),
    filter("UrlEncode", 0, 0, encode::url_encode),
    filter("Where", 1, 2, list::r#where),
];

/// The filter of a name, and whether the name is spelt as in Ruby.
pub(crate) fn find(name: &str) -> Option<(&'static FilterDef, bool)> {
    if let Some(filter) = FILTERS.iter().find(|it| it.name == name) {
        return Some((filter, false));
    }
    let is_ruby = !name.bytes().any(|it| it.is_ascii_uppercase());
    similar(name).filter(|_| is_ruby).and_then(|name| find(name)).map(|it| (it.0, true))
}

/// The filter's name that differs in case and underscores only.
pub(crate) fn similar(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(|it| *it != '_').collect();
    FILTERS.iter().map(|it| it.name).find(|it| it.eq_ignore_ascii_case(&plain))
}

impl Args<'_, '_> {
    /// The input as text; none for nothing.
    pub(crate) fn input_text(&mut self) -> Result<Option<Str>, Stop> {
        let input = std::mem::take(&mut self.input);
        self.as_text(&input)
    }

    /// An argument as text; none for nothing.
    pub(crate) fn text(&mut self, at: usize) -> Result<Option<Str>, Stop> {
        let value = self.rest.get(at).cloned().unwrap_or_default();
        self.as_text(&value)
    }

    fn as_text(&mut self, value: &Value) -> Result<Option<Str>, Stop> {
        match value {
            Value::Nil | Value::Empty => Ok(None),
            Value::Text(text) => Ok(Some(text.clone())),
            value => {
                self.cx.budget.makes(value.weight())?;
                let text = value.to_text();
                self.cx.budget.makes(text.size())?;
                Ok(Some(text))
            }
        }
    }

    /// An argument as an integer; 0 for nothing, `default` if it is not there.
    pub(crate) fn int(&self, at: usize, default: i32) -> Result<i32, Stop> {
        match self.rest.get(at) {
            None => Ok(default),
            Some(value) => Ok(value.to_int()?.unwrap_or(0)),
        }
    }

    /// An argument; nothing if it is not there.
    pub(crate) fn arg(&self, at: usize) -> Value {
        self.rest.get(at).cloned().unwrap_or_default()
    }

    /// The items of a value that can be looped over; none for nothing.
    pub(crate) fn items(&mut self, value: &Value) -> Result<Option<Vec<Value>>, Stop> {
        let Some(n_items) = value.len() else {
            return match value {
                Value::Nil => Ok(None),
                _ => Err(Stop::failed("The value is no list.")),
            };
        };
        self.cx.budget.steps(n_items as u64)?;
        Ok(Some((0..n_items).filter_map(|at| value.item(at)).collect()))
    }
}

/// A text, or nothing.
pub(crate) fn optional(text: Option<Str>) -> Value {
    text.map_or(Value::Nil, Value::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(FILTERS.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn filters_are_found_in_the_spelling_of_ruby_as_well() {
        for (name, expected) in [
            ("StripHtml", Some(("StripHtml", false))),
            ("strip_html", Some(("StripHtml", true))),
            ("truncatewords", Some(("TruncateWords", true))),
            ("stripHtml", None),
            ("UPCASE", None),
            ("none", None),
        ] {
            assert_eq!(find(name).map(|it| (it.0.name, it.1)), expected, "{name}");
        }
        assert_eq!(similar("UPCASE"), Some("Upcase"));
    }

    #[test]
    fn every_filter_of_azures_list_is_there() {
        let list = "Abs Append AtLeast AtMost Capitalize Compact Currency Date Default DividedBy \
                    Downcase Escape First H Join Last Lstrip Map Minus Modulo NewlineToBr Plus \
                    Prepend Remove RemoveFirst Replace ReplaceFirst Round Rstrip Size Slice Sort \
                    Split Strip StripHtml StripNewlines Times Truncate TruncateWords Uniq Upcase \
                    UrlDecode UrlEncode";
        for name in list.split_whitespace() {
            assert!(find(name).is_some_and(|it| !it.1), "{name}");
        }
    }
}
