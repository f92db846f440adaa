//! The values of a template, and the text that they render as.
//!
//! They are .NET's values: texts are counted in UTF-16 units, numbers keep their types. Rendering
//! follows `Variable.Render` of DotLiquid: a list renders as its items one after the other, a
//! member of an object as `[name, value]`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use dotnet::text::number::{double_to_text, format_decimal};
use dotnet::text::time::{Zone, format_date_time};
use dotnet::{Runtime, Str};
use rust_decimal::Decimal;

/// A value of a template. Cloning copies a pointer at most.
#[derive(Clone, Default)]
pub enum Value {
    /// Nothing: what a name that means nothing gives.
    #[default]
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// `int`: literals and counters.
    Int(i32),
    /// `long`: integers of JSON.
    Long(i64),
    /// `double`: fractions of JSON.
    Double(f64),
    /// `decimal`: literals with a point, and results of sums with fractions.
    Decimal(Decimal),
    /// Text.
    Text(Str),
    /// A point in time.
    Date(Moment),
    /// Values in order.
    List(Arc<[Value]>),
    /// Named values.
    Hash(Arc<Hash>),
    /// A member of a hash, as a loop over the hash sees it.
    Pair(Arc<(Str, Value)>),
    /// Integers from one to another, both included.
    Range(i32, i32),
    /// `empty` and `blank`: equal to what has nothing in it.
    Empty,
}

/// A clock's reading in ticks of 100 ns since the year 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The reading.
    pub ticks: i64,
    /// What the reading is relative to.
    pub zone: Zone,
}

/// From so many members on names are looked up in an index.
const INDEXED: usize = 12;

/// Named values in their order. Names are found exactly, or else in another letter case: templates
/// that Azure generates write `body.envelope.body` for `<s:Envelope>`.
#[derive(Default)]
pub struct Hash {
    entries: Vec<(Str, Value)>,
    /// Names in lower case, and where they are; none for a small hash.
    index: Option<HashMap<String, Vec<u32>>>,
    /// What it renders as, if that is not its members: the text of an XML element.
    text: Option<Str>,
}

impl Hash {
    /// Named values; of several with the same name the last counts.
    #[must_use]
    pub fn new(entries: Vec<(Str, Value)>) -> Hash {
        let mut hash = Hash { entries, index: None, text: None };
        if hash.entries.len() >= INDEXED {
            let mut index: HashMap<String, Vec<u32>> = HashMap::with_capacity(hash.entries.len());
            for (at, (name, _)) in hash.entries.iter().enumerate() {
                let at = u32::try_from(at).unwrap_or(u32::MAX);
                index.entry(name.as_str().to_ascii_lowercase()).or_default().push(at);
            }
            hash.index = Some(index);
        }
        hash
    }

    /// The same, rendering as a text.
    #[must_use]
    pub fn with_text(mut self, text: Str) -> Hash {
        self.text = Some(text);
        self
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let value = |at: &u32| self.entries.get(usize::try_from(*at).ok()?);
        let Some(index) = &self.index else {
            let exact = self.entries.iter().rev().find(|it| it.0 == *name);
            let similar =
                || self.entries.iter().find(|it| it.0.as_str().eq_ignore_ascii_case(name));
            return exact.or_else(similar).map(|it| &it.1);
        };
        let places = if name.bytes().any(|it| it.is_ascii_uppercase()) {
            index.get(&name.to_ascii_lowercase())?
        } else {
            index.get(name)?
        };
        // Names that differ in case only are few, or an attack: those are not searched.
        let mut last = places.iter().rev().take(INDEXED).filter_map(value);
        let exact = last.find(|it| it.0 == *name);
        exact.or_else(|| places.first().and_then(value)).map(|it| &it.1)
    }

    /// Whether there is exactly this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names and values, in order.
    #[must_use]
    pub fn entries(&self) -> &[(Str, Value)] {
        &self.entries
    }

    /// What it renders as, if that is not its members.
    #[must_use]
    pub fn text(&self) -> Option<&Str> {
        self.text.as_ref()
    }
}

impl Value {
    /// A list.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(items.into_iter().collect())
    }

    /// A hash.
    pub fn hash<N: Into<Str>>(entries: impl IntoIterator<Item = (N, Value)>) -> Value {
        let entries = entries.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Value::Hash(Arc::new(Hash::new(entries)))
    }

    /// Whether a condition that names only this holds: it is neither nothing nor `false`.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }

    /// How many items a loop sees; none for what cannot be looped over.
    #[must_use]
    pub fn len(&self) -> Option<usize> {
        match self {
            Value::List(items) => Some(items.len()),
            Value::Hash(hash) => Some(hash.entries.len()),
            Value::Text(text) => Some(text.len()),
            Value::Range(from, to) => {
                Some(usize::try_from(i64::from(*to) - i64::from(*from) + 1).unwrap_or(0))
            }
            _ => None,
        }
    }

    /// Whether a loop sees no item; not for what cannot be looped over.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The item that a loop sees at a place.
    #[must_use]
    pub fn item(&self, at: usize) -> Option<Value> {
        match self {
            Value::List(items) => items.get(at).cloned(),
            Value::Hash(hash) => hash.entries.get(at).map(pair),
            Value::Text(text) => text.unit(at).map(|it| Value::Text(Str::from_unit(it))),
            Value::Range(from, to) => {
                let value = i32::try_from(i64::from(*from) + i64::try_from(at).ok()?).ok()?;
                (value <= *to).then_some(Value::Int(value))
            }
            _ => None,
        }
    }

    /// What `{{ }}` writes.
    #[must_use]
    pub fn to_output(&self) -> Str {
        match self {
            Value::Text(text) => text.clone(),
            Value::Nil => Str::EMPTY,
            Value::Bool(value) => Str::from_static(if *value { "true" } else { "false" }),
            _ => {
                let mut out = String::new();
                self.write(&mut out, true);
                out.into()
            }
        }
    }

    /// What `ToString()` gives: where a filter wants a text.
    #[must_use]
    pub fn to_text(&self) -> Str {
        match self {
            Value::Text(text) => text.clone(),
            Value::Nil => Str::EMPTY,
            _ => {
                let mut out = String::new();
                self.write(&mut out, false);
                out.into()
            }
        }
    }

    fn write(&self, out: &mut String, shortens: bool) {
        match self {
            Value::Nil | Value::Empty => {}
            Value::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
            Value::Int(value) => out.push_str(&value.to_string()),
            Value::Long(value) => out.push_str(&value.to_string()),
            Value::Double(value) => out.push_str(&double_to_text(*value, Runtime::Modern)),
            // Zeros at the end tell the precision, which nobody wants to read.
            Value::Decimal(value) if shortens => {
                let text = format_decimal(*value, "0.#############################");
                out.push_str(&text.unwrap_or_else(|_| value.to_string()));
            }
            Value::Decimal(value) => out.push_str(&value.to_string()),
            Value::Text(text) => out.push_str(text.as_str()),
            Value::Date(it) => {
                out.push_str(&format_date_time(it.ticks, it.zone, "").unwrap_or_default());
            }
            Value::List(items) => items.iter().for_each(|it| it.write(out, shortens)),
            Value::Hash(hash) => match &hash.text {
                Some(text) => out.push_str(text.as_str()),
                None => hash.entries.iter().for_each(|it| write_pair(it, out, shortens)),
            },
            Value::Pair(it) => write_pair(it, out, shortens),
            Value::Range(from, to) => {
                // What a range may render as is bounded by who renders it; see `weight`.
                (*from..=*to).for_each(|it| out.push_str(&it.to_string()));
            }
        }
    }

    /// About how many bytes it renders as, at least; for the bounds.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Value::Text(text) => text.size(),
            Value::Range(..) => self.len().unwrap_or(0).saturating_mul(4),
            Value::List(items) => items.len().saturating_mul(8),
            Value::Hash(hash) => hash.entries.len().saturating_mul(16),
            _ => 8,
        }
    }
}

fn pair((name, value): &(Str, Value)) -> Value {
    Value::Pair(Arc::new((name.clone(), value.clone())))
}

fn write_pair((name, value): &(Str, Value), out: &mut String, shortens: bool) {
    out.push('[');
    out.push_str(name.as_str());
    out.push_str(", ");
    value.write(out, shortens);
    out.push(']');
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Value {
        Value::Text(text)
    }
}

/// Shows the kind and not the content, which may be a secret.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Value::Nil => "Nil",
            Value::Bool(_) => "Bool(..)",
            Value::Int(_) => "Int(..)",
            Value::Long(_) => "Long(..)",
            Value::Double(_) => "Double(..)",
            Value::Decimal(_) => "Decimal(..)",
            Value::Text(_) => "Text(..)",
            Value::Date(_) => "Date(..)",
            Value::List(_) => "List(..)",
            Value::Hash(_) => "Hash(..)",
            Value::Pair(_) => "Pair(..)",
            Value::Range(..) => "Range(..)",
            Value::Empty => "Empty",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_render_as_dotliquid_writes_them() {
        let list = Value::list([Value::Bool(true), Value::Int(1), Value::from("a")]);
        for (value, output, text) in [
            (Value::Nil, "", ""),
            (Value::Bool(true), "true", "True"),
            (Value::Double(1.0), "1", "1"),
            (Value::Decimal("1.50".parse().unwrap()), "1.5", "1.50"),
            (Value::Long(-7), "-7", "-7"),
            (list, "True1a", "True1a"),
            (Value::Range(1, 3), "123", "123"),
            (Value::hash([("a", Value::Int(1))]), "[a, 1]", "[a, 1]"),
            (
                Value::Date(Moment { ticks: 633_346_721_170_570_000, zone: Zone::Utc }),
                "12/31/2007 04:28:37",
                "12/31/2007 04:28:37",
            ),
        ] {
            assert_eq!(value.to_output(), output);
            assert_eq!(value.to_text(), text);
        }
    }

    #[test]
    fn names_are_found_exactly_or_in_another_case() {
        for extra in [0, 50] {
            let mut entries: Vec<(Str, Value)> = vec![
                ("Name".into(), Value::Int(1)),
                ("name".into(), Value::Int(2)),
                ("x".into(), Value::Int(3)),
                ("x".into(), Value::Int(4)),
            ];
            entries.extend((0..extra).map(|it| (format!("n{it}").into(), Value::Nil)));
            let hash = Hash::new(entries);
            let get = |name| hash.get(name).map(|it| it.to_output().as_str().to_owned());
            assert_eq!(get("Name").as_deref(), Some("1"));
            assert_eq!(get("name").as_deref(), Some("2"));
            assert_eq!(get("NAME").as_deref(), Some("1"));
            assert_eq!(get("x").as_deref(), Some("4"));
            assert_eq!(get("y"), None);
        }
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", Value::from("hunter2")), "Text(..)");
    }

    #[test]
    fn items_are_what_a_loop_sees() {
        let text = |value: &Value, at| value.item(at).map(|it| it.to_output().as_str().to_owned());
        assert_eq!(text(&Value::from("ab"), 1).as_deref(), Some("b"));
        assert_eq!(text(&Value::Range(3, 4), 1).as_deref(), Some("4"));
        assert_eq!(text(&Value::Range(3, 4), 2), None);
        assert_eq!(text(&Value::hash([("k", Value::Int(1))]), 0).as_deref(), Some("[k, 1]"));
        assert_eq!(Value::Range(3, 1).len(), Some(0));
        assert_eq!(Value::Int(1).len(), None);
    }
}
