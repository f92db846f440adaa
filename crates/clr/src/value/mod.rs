//! Values at run time.
//!
//! A [`Value`] is what .NET would hold in an `object`: it knows its own type. Cloning is cheap:
//! primitive values are copied, everything else is shared. Mutable objects (arrays, lists, whatever
//! a library file defines) guard their content themselves, so that values can go between threads.
//!
//! Nullable values have no form of their own: an `int?` is [`Value::Null`] or [`Value::Int`].

pub mod collections;
pub mod composite;
pub mod display;
pub mod equality;
pub mod jwt;
pub mod object;
mod pair;
mod release;
pub mod sequence;
pub mod time;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use rust_decimal::Decimal;

pub use collections::{Array, ByteArray, List};
pub use equality::Key;
pub use jwt::JwtValue;
pub use object::{Anonymous, Callable, Object};
pub use pair::KeyValuePair;
pub use release::release;
pub use sequence::{Cursor, Sequence};
pub use time::{DateTime, DateTimeKind, DateTimeOffset};

use dotnet::Str;

use crate::host::{HostRef, ResponseValue};
use crate::rows::TypeDef;
use crate::types::{self, Type, names};

/// A .NET value.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `bool`.
    Bool(bool),
    /// `char`: a UTF-16 unit.
    Char(u16),
    /// `sbyte`.
    SByte(i8),
    /// `byte`.
    Byte(u8),
    /// `short`.
    Int16(i16),
    /// `ushort`.
    UInt16(u16),
    /// `int`.
    Int(i32),
    /// `uint`.
    UInt(u32),
    /// `long`.
    Long(i64),
    /// `ulong`.
    ULong(u64),
    /// `float`.
    Single(f32),
    /// `double`.
    Double(f64),
    /// `decimal`.
    Decimal(Decimal),
    /// `string`.
    String(Str),
    /// `Guid`, in the order of its text (big-endian).
    Guid([u8; 16]),
    /// `DateTime`.
    DateTime(DateTime),
    /// `DateTimeOffset`.
    DateTimeOffset(DateTimeOffset),
    /// `TimeSpan` in ticks of 100 ns.
    TimeSpan(i64),
    /// A member of an enum.
    Enum(&'static TypeDef, i64),
    /// `T[]`, except `byte[]`.
    Array(Arc<Array>),
    /// `byte[]`.
    Bytes(Arc<ByteArray>),
    /// `List<T>`.
    List(Arc<List>),
    /// A lazy `IEnumerable<T>`.
    Sequence(Arc<Sequence>),
    /// A delegate.
    Func(Arc<dyn Callable>),
    /// A part of `context`: the host is asked when a member is read.
    Host(HostRef),
    /// Any other object.
    Object(Arc<dyn Object>),
}

impl Value {
    /// The empty string.
    pub const EMPTY: Self = Self::String(Str::EMPTY);

    /// A string from a constant, without allocation if it is ASCII.
    #[inline]
    #[must_use]
    pub fn text(text: &'static str) -> Self {
        Self::String(Str::from_static(text))
    }

    /// An object of the library.
    #[must_use]
    pub fn object(it: impl Object) -> Self {
        Self::Object(Arc::new(it))
    }

    /// An array, a `byte[]` if the element type says so.
    #[must_use]
    pub fn array(element: Type, items: Vec<Value>) -> Self {
        if element == Type::Byte {
            let bytes: Vec<u8> =
                items.iter().map(|it| if let Self::Byte(b) = it { *b } else { 0 }).collect();
            return Self::from(bytes);
        }
        Self::Array(Arc::new(Array::new(element, items)))
    }

    /// A `string[]`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::array(Type::String, items.into_iter().map(|it| Self::String(it.into())).collect())
    }

    /// A `List<T>`.
    #[must_use]
    pub fn list(element: Type, items: Vec<Value>) -> Self {
        Self::List(Arc::new(List::new(element, items)))
    }

    /// A token that was read from text.
    #[must_use]
    pub fn jwt(jwt: JwtValue) -> Self {
        Self::object(jwt)
    }

    /// A response that a policy stored.
    #[must_use]
    pub fn response(response: Arc<ResponseValue>) -> Self {
        Self::Object(response)
    }

    /// The type of the value; [`Type::Null`] for `null`.
    #[must_use]
    pub fn runtime_type(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Char(_) => Type::Char,
            Self::SByte(_) => Type::SByte,
            Self::Byte(_) => Type::Byte,
            Self::Int16(_) => Type::Int16,
            Self::UInt16(_) => Type::UInt16,
            Self::Int(_) => Type::Int32,
            Self::UInt(_) => Type::UInt32,
            Self::Long(_) => Type::Int64,
            Self::ULong(_) => Type::UInt64,
            Self::Single(_) => Type::Single,
            Self::Double(_) => Type::Double,
            Self::Decimal(_) => Type::Decimal,
            Self::String(_) => Type::String,
            Self::Guid(_) => Type::Guid,
            Self::DateTime(_) => Type::DateTime,
            Self::DateTimeOffset(_) => Type::DateTimeOffset,
            Self::TimeSpan(_) => Type::TimeSpan,
            Self::Enum(def, _) => Type::named(def.name),
            Self::Array(it) => types::array(it.element()),
            Self::Bytes(_) => Type::BYTES,
            Self::List(it) => types::named(names::LIST, &[it.element()]),
            Self::Sequence(it) => types::enumerable(it.element()),
            Self::Func(it) => it.signature(),
            Self::Host(it) => it.static_type(),
            Self::Object(it) => it.net_type(),
        }
    }

    /// The .NET name of the value's type: `System.Int32`; `null` for null.
    #[must_use]
    pub fn type_name(&self) -> String {
        self.runtime_type().full_name()
    }

    /// Is it `null`?
    #[inline]
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value of a `bool`.
    #[inline]
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(it) = self { Some(*it) } else { None }
    }

    /// The value of any integer type that fits; not of `char`.
    #[inline]
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        Some(match self {
            Self::SByte(it) => i64::from(*it),
            Self::Byte(it) => i64::from(*it),
            Self::Int16(it) => i64::from(*it),
            Self::UInt16(it) => i64::from(*it),
            Self::Int(it) => i64::from(*it),
            Self::UInt(it) => i64::from(*it),
            Self::Long(it) => *it,
            Self::ULong(it) => i64::try_from(*it).ok()?,
            _ => return None,
        })
    }

    /// The value of any number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Single(it) => Some(f64::from(*it)),
            Self::Double(it) => Some(*it),
            Self::Decimal(it) => it.to_string().parse().ok(),
            #[expect(clippy::cast_precision_loss, reason = "as C# converts")]
            Self::ULong(it) => Some(*it as f64),
            #[expect(clippy::cast_precision_loss, reason = "as C# converts")]
            _ => self.as_i64().map(|it| it as f64),
        }
    }

    /// The text of a string.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_string().map(Str::as_str)
    }

    /// The string.
    #[inline]
    #[must_use]
    pub const fn as_string(&self) -> Option<&Str> {
        if let Self::String(it) = self { Some(it) } else { None }
    }

    /// The content of a `byte[]`.
    #[must_use]
    pub fn as_bytes(&self) -> Option<Bytes> {
        if let Self::Bytes(it) = self { Some(it.to_bytes()) } else { None }
    }

    /// The object of the library, if it is of that Rust type.
    #[inline]
    #[must_use]
    pub fn as_object<T: Object>(&self) -> Option<&T> {
        let Self::Object(it) = self else { return None };
        let any: &dyn std::any::Any = &**it;
        any.downcast_ref()
    }

    /// The object of the library, shared, if it is of that Rust type.
    #[must_use]
    pub fn to_object<T: Object>(&self) -> Option<Arc<T>> {
        let Self::Object(it) = self else { return None };
        let any: Arc<dyn std::any::Any + Send + Sync> = Arc::<dyn Object>::clone(it);
        any.downcast().ok()
    }

    /// What `ToString()` gives with the invariant culture; empty for null.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::String(it) => Cow::Borrowed(it.as_str()),
            _ => Cow::Owned(display::text_of(self, dotnet::Runtime::Modern).to_string()),
        }
    }

    /// What `ToString()` gives on a runtime, as a .NET string; empty for null.
    #[inline]
    #[must_use]
    pub fn to_str(&self, runtime: dotnet::Runtime) -> Str {
        match self {
            Self::String(it) => it.clone(),
            _ => display::text_of(self, runtime),
        }
    }

    /// Is the value (not null) of that type, as `is` asks?
    #[must_use]
    pub fn is_instance(&self, of: Type) -> bool {
        match (self, of) {
            (Self::Null, _) => false,
            (_, Type::Object) => true,
            (Self::String(_), Type::String) | (Self::Int(_), Type::Int32) => true,
            (_, Type::Nullable(inner)) => self.is_instance(*inner),
            _ => {
                let own = self.runtime_type();
                own == of || crate::rows::is_reference_convertible(own, of)
            }
        }
    }
}

macro_rules! from {
    ($($rust:ty => $variant:ident),* $(,)?) => { $(
        impl From<$rust> for Value {
            #[inline]
            fn from(it: $rust) -> Self {
                Self::$variant(it)
            }
        }
    )* };
}

from! {
    bool => Bool, i8 => SByte, u8 => Byte, i16 => Int16, i32 => Int, u32 => UInt, i64 => Long,
    u64 => ULong, f32 => Single, f64 => Double, Decimal => Decimal, Str => String,
    DateTime => DateTime, DateTimeOffset => DateTimeOffset, HostRef => Host,
}

impl From<&str> for Value {
    fn from(it: &str) -> Self {
        Self::String(it.into())
    }
}

impl From<String> for Value {
    fn from(it: String) -> Self {
        Self::String(it.into())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(it: Cow<'_, str>) -> Self {
        Self::String(it.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(it: Vec<u8>) -> Self {
        Self::from(Bytes::from(it))
    }
}

impl From<Bytes> for Value {
    fn from(it: Bytes) -> Self {
        Self::Bytes(Arc::new(ByteArray::new(it)))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(it: Option<T>) -> Self {
        it.map_or(Self::Null, Into::into)
    }
}

impl From<Arc<dyn Object>> for Value {
    fn from(it: Arc<dyn Object>) -> Self {
        Self::Object(it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_knows_its_type() {
        let cases = [
            (Value::from(5), "System.Int32"),
            (Value::from("a"), "System.String"),
            (Value::from(vec![1_u8]), "System.Byte[]"),
            (Value::strings(["a"]), "System.String[]"),
            (Value::list(Type::Int32, vec![]), "System.Collections.Generic.List<System.Int32>"),
            (Value::Null, "null"),
        ];
        for (value, name) in cases {
            assert_eq!(value.type_name(), name);
        }
    }

    #[test]
    fn a_value_is_small() {
        assert!(size_of::<Value>() <= 24, "{}", size_of::<Value>());
    }

    #[test]
    fn boxed_numbers_are_instances_of_their_own_type_only() {
        let five = Value::from(5);
        assert!(five.is_instance(Type::Int32) && five.is_instance(Type::Object));
        assert!(five.is_instance(types::nullable(Type::Int32)));
        assert!(!five.is_instance(Type::Int64) && !Value::Null.is_instance(Type::Object));
    }
}
