//! Objects that library files define, and the ones the language itself makes.

use std::any::Any;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

use dotnet::{Runtime, Str};

use super::{Cursor, Value};
use crate::cx::EvalCx;
use crate::exception::Exception;
use crate::types::Type;

/// A .NET object with a Rust type of its own.
///
/// Use [`Value::object`] to make a value of it, [`Value::as_object`] and [`Value::to_object`] (or
/// `Arc<T>` as an argument type) to get it back.
pub trait Object: Any + Debug + Send + Sync {
    /// Its exact type at run time.
    fn net_type(&self) -> Type;

    /// `ToString()`; the name of the type unless a type says otherwise.
    fn to_text(&self, _runtime: Runtime) -> Str {
        crate::types::clr_name(self.net_type()).into()
    }

    /// `Equals(object)`: `None` means that only the object itself is equal.
    fn equals(&self, _other: &Value) -> Option<bool> {
        None
    }

    /// A hash that agrees with [`Object::equals`]; `None` hashes the identity.
    fn hash_code(&self) -> Option<u64> {
        None
    }

    /// `CompareTo(object)`; `None` if values of the type have no order.
    fn compare(&self, _other: &Value) -> Option<Ordering> {
        None
    }

    /// `IConvertible`, for `Convert.ToInt32(object)` and its like; `None` if it is not convertible.
    fn convert(&self, _to: Type) -> Option<Result<Value, Exception>> {
        None
    }

    /// `Dispose()`, at the end of a `using` statement.
    fn dispose(&self) {}

    /// Starts an enumeration; `None` if the type is not enumerable.
    ///
    /// # Errors
    ///
    /// What starting it throws.
    fn cursor(self: Arc<Self>, _cx: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        Ok(None)
    }

    /// Starts an enumeration of items of a type, for types that enumerate in several ways
    /// (`foreach` over a `JObject` gives pairs).
    ///
    /// # Errors
    ///
    /// What starting it throws.
    fn cursor_of(
        self: Arc<Self>,
        _item: Type,
        cx: &mut EvalCx<'_>,
    ) -> Result<Option<Box<dyn Cursor>>, Exception> {
        self.cursor(cx)
    }
}

/// What a delegate calls.
pub trait Callable: Debug + Send + Sync {
    /// Its delegate type.
    fn signature(&self) -> Type;

    /// Calls it. The number of arguments is right.
    ///
    /// # Errors
    ///
    /// What the body throws.
    fn call(&self, args: &[Value], cx: &mut EvalCx<'_>) -> Result<Value, Exception>;
}

/// An object of an anonymous type, or a tuple.
#[derive(Debug)]
pub struct Anonymous {
    ty: Type,
    fields: Box<[Value]>,
}

impl Anonymous {
    /// An object; `ty` is its anonymous or tuple type, `fields` are the values in order.
    #[must_use]
    pub fn new(ty: Type, fields: Vec<Value>) -> Self {
        Self { ty, fields: fields.into_boxed_slice() }
    }

    /// The values in order.
    #[must_use]
    pub fn fields(&self) -> &[Value] {
        &self.fields
    }

    /// Names and values in order.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'_, str>, &Value)> {
        let names: &[(String, Type)] =
            if let Type::Anonymous(it) = self.ty { &it.fields } else { &[] };
        self.fields.iter().enumerate().map(|(at, it)| {
            let own = names.get(at).map(|(name, _)| Cow::Borrowed(name.as_str()));
            (own.unwrap_or_else(|| Cow::Owned(format!("Item{}", at + 1))), it)
        })
    }

    /// Is it a tuple?
    #[must_use]
    pub const fn is_tuple(&self) -> bool {
        matches!(self.ty, Type::Tuple(..))
    }

    /// The same with another value in one place.
    #[must_use]
    pub fn with(&self, index: usize, value: Value) -> Self {
        let mut fields = self.fields.clone();
        if let Some(it) = fields.get_mut(index) {
            *it = value;
        }
        Self { ty: self.ty, fields }
    }
}

impl Drop for Anonymous {
    fn drop(&mut self) {
        super::release(std::mem::take(&mut self.fields));
    }
}

impl Object for Anonymous {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn to_text(&self, runtime: Runtime) -> Str {
        if self.is_tuple() {
            let items: Vec<String> =
                self.fields.iter().map(|it| it.to_str(runtime).to_string()).collect();
            return format!("({})", items.join(", ")).into();
        }
        let members: Vec<String> = self
            .members()
            .map(|(name, value)| format!("{name} = {}", value.to_str(runtime)))
            .collect();
        if members.is_empty() {
            return "{ }".into();
        }
        format!("{{ {} }}", members.join(", ")).into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        let same = other.as_object::<Self>().is_some_and(|other| {
            self.ty == other.ty && self.fields.iter().zip(&other.fields).all(|(a, b)| a.equals(b))
        });
        Some(same)
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        let other = other.as_object::<Self>().filter(|it| self.is_tuple() && it.ty == self.ty)?;
        let mut orders = self.fields.iter().zip(&other.fields).map(|(a, b)| a.compare(b));
        orders.find(|it| *it != Some(Ordering::Equal)).unwrap_or(Some(Ordering::Equal))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(
            self.fields
                .iter()
                .fold(17, |all, it| all.wrapping_mul(31).wrapping_add(it.hash_code())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::anonymous;

    fn object(a: i32) -> Value {
        let ty = anonymous(vec![("a".to_owned(), Type::Int32), ("b".to_owned(), Type::String)]);
        Value::object(Anonymous::new(ty, vec![Value::from(a), Value::Null]))
    }

    #[test]
    fn tuples_print_and_compare_by_their_items() {
        let ty = crate::types::tuple(&[Type::Int32, Type::String], &[]);
        let tuple = |a: i32, b: &str| Value::object(Anonymous::new(ty, vec![a.into(), b.into()]));
        assert_eq!(tuple(1, "a").to_text(), "(1, a)");
        assert_eq!(tuple(1, "b").compare(&tuple(1, "a")), Some(Ordering::Greater));
        assert!(tuple(1, "a").equals(&tuple(1, "a")) && !tuple(1, "a").equals(&tuple(2, "a")));
    }

    #[test]
    fn anonymous_objects_compare_and_print_by_value() {
        assert_eq!(object(1).to_text(), "{ a = 1, b =  }");
        assert!(object(1).equals(&object(1)) && !object(1).equals(&object(2)));
        assert_eq!(object(1).hash_code(), object(1).hash_code());
    }
}
