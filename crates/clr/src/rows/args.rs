//! Arguments of a row, taken with their Rust types.

use std::sync::Arc;

use bytes::Bytes;
use dotnet::Str;
use rust_decimal::Decimal;

use super::Member;
use crate::exception::Exception;
use crate::types::Type;
use crate::value::{Array, ByteArray, DateTime, DateTimeOffset, List, Object, Value};

/// What a row was called with. Argument 0 of an instance member is its object.
#[derive(Debug)]
pub struct Args<'a> {
    member: &'static Member,
    values: &'a mut [Value],
    of_type: &'a [Type],
    of_method: &'a [Type],
    returns: Type,
}

impl<'a> Args<'a> {
    /// Arguments with the type arguments of the type and of the method, and the static result type.
    #[inline]
    pub fn new(
        member: &'static Member,
        values: &'a mut [Value],
        of_type: &'a [Type],
        of_method: &'a [Type],
        returns: Type,
    ) -> Self {
        Self { member, values, of_type, of_method, returns }
    }

    /// The row.
    #[must_use]
    pub const fn member(&self) -> &'static Member {
        self.member
    }

    /// All arguments, as many as the array has: `let [guid, format] = args.take()?;`.
    ///
    /// # Errors
    ///
    /// If the row's signature has another number of parameters.
    #[inline]
    pub fn take<const N: usize>(&mut self) -> Result<[Value; N], Exception> {
        if self.values.len() != N {
            return Err(mismatch(self.member));
        }
        let mut values = self.values.iter_mut().map(std::mem::take);
        Ok(std::array::from_fn(|_| values.next().unwrap_or_default()))
    }

    /// All arguments as a tuple of Rust types: `let (text, index): (Str, i32) = args.get()?;`.
    /// `Option` accepts null; otherwise null throws `ArgumentNullException`.
    ///
    /// # Errors
    ///
    /// As said, or if the row's signature does not fit.
    #[inline]
    pub fn get<T: FromArgs>(&mut self) -> Result<T, Exception> {
        T::from_args(self)
    }

    /// One argument as a Rust type.
    ///
    /// # Errors
    ///
    /// As [`Args::get`].
    #[inline]
    pub fn arg<T: FromValue>(&mut self, index: usize) -> Result<T, Exception> {
        let Some(value) = self.values.get_mut(index).map(std::mem::take) else {
            return Err(mismatch(self.member));
        };
        if value.is_null() && !T::NULL {
            let is_instance = self.member.is_instance();
            let parameter = if is_instance { index.checked_sub(1) } else { Some(index) };
            return Err(match parameter {
                None => Exception::null_reference(),
                Some(at) => Exception::argument_null(match self.member.parameter_name(at) {
                    "" => "value",
                    name => name,
                }),
            });
        }
        T::from_value(value).ok_or_else(|| mismatch(self.member))
    }

    /// One argument, left in place.
    #[inline]
    #[must_use]
    pub fn value(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Null)
    }

    /// All arguments, left in place.
    #[inline]
    #[must_use]
    pub fn values(&self) -> &[Value] {
        self.values
    }

    /// How many arguments there are, with the object.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Sets an `out` argument, counted like the others.
    pub fn set_out(&mut self, index: usize, value: Value) {
        if let Some(it) = self.values.get_mut(index) {
            *it = value;
        }
    }

    /// The n-th type argument of the method: the `int` of `As<int>()`.
    #[must_use]
    pub fn method_arg(&self, index: usize) -> Type {
        self.of_method.get(index).copied().unwrap_or(Type::Object)
    }

    /// The n-th type argument of the type: the `int` of `new List<int>()`.
    #[must_use]
    pub fn type_arg(&self, index: usize) -> Type {
        self.of_type.get(index).copied().unwrap_or(Type::Object)
    }

    /// The static type of the result, type parameters replaced.
    #[must_use]
    pub const fn returns(&self) -> Type {
        self.returns
    }
}

fn mismatch(member: &Member) -> Exception {
    Exception::invalid_cast(format!("Specified cast is not valid. ({member})"))
}

/// A tuple of argument types.
pub trait FromArgs: Sized {
    /// Takes all arguments.
    ///
    /// # Errors
    ///
    /// As [`Args::get`].
    fn from_args(args: &mut Args<'_>) -> Result<Self, Exception>;
}

macro_rules! tuples {
    ($(($($name:ident $at:literal),+);)*) => { $(
        impl<$($name: FromValue),+> FromArgs for ($($name,)+) {
            fn from_args(args: &mut Args<'_>) -> Result<Self, Exception> {
                Ok(($(args.arg::<$name>($at)?,)+))
            }
        }
    )* };
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}

/// A Rust type that an argument can be taken as.
pub trait FromValue: Sized {
    /// Does it stand for null too?
    const NULL: bool = false;
    /// The value as that type.
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($rust:ty: $pattern:pat => $result:expr;)*) => { $(
        impl FromValue for $rust {
            fn from_value(value: Value) -> Option<Self> {
                if let $pattern = value { Some($result) } else { None }
            }
        }
    )* };
}

from_value! {
    bool: Value::Bool(it) => it;
    i8: Value::SByte(it) => it;
    u8: Value::Byte(it) => it;
    i16: Value::Int16(it) => it;
    i32: Value::Int(it) => it;
    u32: Value::UInt(it) => it;
    u64: Value::ULong(it) => it;
    f32: Value::Single(it) => it;
    f64: Value::Double(it) => it;
    Decimal: Value::Decimal(it) => it;
    Str: Value::String(it) => it;
    [u8; 16]: Value::Guid(it) => it;
    DateTime: Value::DateTime(it) => it;
    DateTimeOffset: Value::DateTimeOffset(it) => it;
    Arc<Array>: Value::Array(it) => it;
    Arc<ByteArray>: Value::Bytes(it) => it;
    Bytes: Value::Bytes(it) => it.to_bytes();
    Arc<List>: Value::List(it) => it;
}

/// `char` and `ushort`.
impl FromValue for u16 {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Char(it) | Value::UInt16(it) => Some(it),
            _ => None,
        }
    }
}

/// `long`, `TimeSpan` (ticks), enums, and any narrower integer.
impl FromValue for i64 {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::TimeSpan(it) | Value::Enum(_, it) => Some(it),
            other => other.as_i64(),
        }
    }
}

impl FromValue for Value {
    const NULL: bool = true;

    fn from_value(value: Value) -> Option<Self> {
        Some(value)
    }
}

impl<T: Object> FromValue for Arc<T> {
    fn from_value(value: Value) -> Option<Self> {
        value.to_object()
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const NULL: bool = true;

    fn from_value(value: Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::from_value(value).map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Member =
        Member::method("F", &[Type::String], Type::Int32, |_, _| Ok(Value::Null)).params(&["text"]);

    #[test]
    fn arguments_are_taken_with_their_types() {
        let mut values = [Value::from(5), Value::from("a")];
        let mut args = Args::new(&ROW, &mut values, &[], &[], Type::Int32);
        let (number, text): (i32, Str) = args.get().unwrap();
        assert_eq!((number, text.as_str()), (5, "a"));
    }

    #[test]
    fn a_null_argument_is_refused_by_name_unless_optional() {
        let mut values = [Value::from(5), Value::Null];
        let mut args = Args::new(&ROW, &mut values, &[], &[], Type::Int32);
        assert_eq!(args.arg::<Option<Str>>(1).unwrap(), None);
        let error = args.arg::<Str>(1).unwrap_err();
        assert_eq!(error.message, "Value cannot be null. (Parameter 'text')");
    }

    #[test]
    fn a_row_that_takes_the_wrong_number_fails_without_a_panic() {
        let mut values = [Value::from(5)];
        let mut args = Args::new(&ROW, &mut values, &[], &[], Type::Int32);
        assert!(args.take::<2>().is_err());
        assert!(args.take::<1>().is_ok());
    }
}
