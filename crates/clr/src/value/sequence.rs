//! Enumeration: cursors over anything that C# can `foreach`, and lazy sequences.

use std::fmt;
use std::sync::Arc;

use dotnet::Str;

use super::{Array, ByteArray, List, Value};
use crate::cx::EvalCx;
use crate::exception::{Exception, Kind};
use crate::types::Type;

/// An enumeration under way (`IEnumerator<T>`).
pub trait Cursor: Send + Sync {
    /// The next item, or `None` at the end.
    ///
    /// # Errors
    ///
    /// What the expression throws on the way, or the end of the budget.
    fn next(&mut self, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception>;
}

/// A lazy `IEnumerable<T>`: each enumeration starts anew.
pub struct Sequence {
    element: Type,
    /// How many lazy sequences hang from one another here.
    depth: u32,
    start: Start,
}

type Start = Box<dyn Fn(&mut EvalCx<'_>) -> Result<Box<dyn Cursor>, Exception> + Send + Sync>;

impl Sequence {
    /// The type of its items.
    #[must_use]
    pub const fn element(&self) -> Type {
        self.element
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sequence<{}>", self.element)
    }
}

impl Value {
    /// A lazy sequence. `start` makes a cursor for each enumeration.
    pub fn sequence<F>(element: Type, start: F) -> Self
    where
        F: Fn(&mut EvalCx<'_>) -> Result<Box<dyn Cursor>, Exception> + Send + Sync + 'static,
    {
        Self::Sequence(Arc::new(Sequence { element, depth: 0, start: Box::new(start) }))
    }

    /// A lazy sequence over others.
    ///
    /// # Errors
    ///
    /// If too many hang from one another: they could neither be run through nor let go.
    pub fn sequence_over<F>(sources: &[Self], element: Type, start: F) -> Result<Self, Exception>
    where
        F: Fn(&mut EvalCx<'_>) -> Result<Box<dyn Cursor>, Exception> + Send + Sync + 'static,
    {
        let depth_of = |it: &Self| if let Self::Sequence(it) = it { it.depth } else { 0 };
        let depth = sources.iter().map(depth_of).max().unwrap_or(0) + 1;
        if depth > MAX_DEPTH {
            return Err(Exception::budget(Kind::Depth));
        }
        Ok(Self::Sequence(Arc::new(Sequence { element, depth, start: Box::new(start) })))
    }

    /// A sequence of items at hand.
    #[must_use]
    pub fn sequence_of(element: Type, items: Vec<Value>) -> Self {
        let items = Arc::new(Array::new(element, items));
        Self::sequence(element, move |_| {
            Ok(Box::new(ArrayCursor { array: Arc::clone(&items), at: 0 }))
        })
    }

    /// Starts an enumeration.
    ///
    /// # Errors
    ///
    /// `NullReferenceException` for null, `InvalidCastException` for what cannot be enumerated.
    pub fn cursor(&self, cx: &mut EvalCx<'_>) -> Result<Box<dyn Cursor>, Exception> {
        Ok(match self {
            Self::Null => return Err(Exception::null_reference()),
            Self::Array(it) => Box::new(ArrayCursor { array: Arc::clone(it), at: 0 }),
            Self::Bytes(it) => Box::new(ByteCursor { array: Arc::clone(it), at: 0 }),
            Self::List(it) => {
                Box::new(ListCursor { version: it.version(), list: Arc::clone(it), at: 0 })
            }
            Self::String(it) => Box::new(CharCursor { text: it.clone(), at: 0 }),
            Self::Sequence(it) => {
                let inner = cx.deeper(CURSOR_LEVELS, |cx| (it.start)(cx))?;
                Box::new(Nested { inner })
            }
            Self::Object(it) => {
                let found = Arc::clone(it).cursor(cx)?;
                found.ok_or_else(|| not_enumerable(self))?
            }
            Self::Host(it) => {
                crate::host::dictionary::cursor(*it, cx)?.ok_or_else(|| not_enumerable(self))?
            }
            _ => return Err(not_enumerable(self)),
        })
    }

    /// Starts an enumeration of items of a type.
    ///
    /// # Errors
    ///
    /// As [`Value::cursor`].
    pub fn cursor_of(&self, item: Type, cx: &mut EvalCx<'_>) -> Result<Box<dyn Cursor>, Exception> {
        match self {
            Self::Object(it) => {
                let found = Arc::clone(it).cursor_of(item, cx)?;
                found.ok_or_else(|| not_enumerable(self))
            }
            _ => self.cursor(cx),
        }
    }

    /// All items, in order; bounded by the budget.
    ///
    /// # Errors
    ///
    /// As [`Value::cursor`], and what the enumeration throws.
    pub fn collect(&self, cx: &mut EvalCx<'_>) -> Result<Vec<Value>, Exception> {
        match self {
            Self::Array(it) => {
                cx.allocate(it.len() * size_of::<Value>())?;
                Ok(it.to_vec())
            }
            Self::List(it) => {
                cx.allocate(it.len() * size_of::<Value>())?;
                Ok(it.to_vec())
            }
            _ => {
                let mut cursor = self.cursor(cx)?;
                let mut items = Vec::new();
                while let Some(item) = cursor.next(cx)? {
                    cx.step()?;
                    cx.allocate(size_of::<Value>())?;
                    items.push(item);
                }
                Ok(items)
            }
        }
    }
}

/// How many lazy sequences may hang from one another.
const MAX_DEPTH: u32 = 300;
/// How many levels of calls a lazy sequence counts.
const CURSOR_LEVELS: u32 = 3;

/// An enumeration of a lazy sequence, which may go through another, and so on: it counts as a call.
struct Nested {
    inner: Box<dyn Cursor>,
}

impl Cursor for Nested {
    fn next(&mut self, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        cx.deeper(CURSOR_LEVELS, |cx| self.inner.next(cx))
    }
}

fn not_enumerable(value: &Value) -> Exception {
    Exception::invalid_cast(format!(
        "Unable to cast object of type '{}' to type 'System.Collections.IEnumerable'.",
        value.type_name()
    ))
}

/// A cursor over items at hand.
#[derive(Debug)]
pub struct Items(std::vec::IntoIter<Value>);

impl Items {
    /// Over these items.
    #[must_use]
    pub fn new(items: Vec<Value>) -> Self {
        Self(items.into_iter())
    }
}

impl Cursor for Items {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        Ok(self.0.next())
    }
}

struct ArrayCursor {
    array: Arc<Array>,
    at: usize,
}

impl Cursor for ArrayCursor {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        self.at += 1;
        Ok(self.array.get(self.at - 1))
    }
}

struct ByteCursor {
    array: Arc<ByteArray>,
    at: usize,
}

impl Cursor for ByteCursor {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        self.at += 1;
        Ok(self.array.get(self.at - 1).map(Value::Byte))
    }
}

struct ListCursor {
    list: Arc<List>,
    version: u64,
    at: usize,
}

impl Cursor for ListCursor {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        self.at += 1;
        self.list.next_at(self.at - 1, self.version)
    }
}

struct CharCursor {
    text: Str,
    at: usize,
}

impl Cursor for CharCursor {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        self.at += 1;
        Ok(self.text.unit(self.at - 1).map(Value::Char))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn everything_enumerable_gives_its_items() {
        with_cx(|cx| {
            let cases = [
                (Value::from("ab"), 2),
                (Value::from(vec![1_u8, 2, 3]), 3),
                (Value::strings(["a"]), 1),
                (Value::list(Type::Int32, vec![Value::from(1)]), 1),
            ];
            for (value, length) in cases {
                assert_eq!(value.collect(cx).unwrap().len(), length, "{value:?}");
            }
            assert_eq!(
                Value::Null.collect(cx).unwrap_err().type_name,
                "System.NullReferenceException"
            );
            assert!(Value::from(1).collect(cx).is_err());
        });
    }

    #[test]
    fn a_lazy_sequence_starts_anew_each_time() {
        with_cx(|cx| {
            let it =
                Value::sequence(Type::Int32, |_| Ok(Box::new(Items::new(vec![Value::from(7)]))));
            assert_eq!(it.collect(cx).unwrap().len(), 1);
            assert_eq!(it.collect(cx).unwrap().len(), 1);
        });
    }
}
