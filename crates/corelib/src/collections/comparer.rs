//! What `IComparer<T>` and `IEqualityComparer<T>` arguments mean: a `StringComparer`, or null.

use std::cmp::Ordering;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use clr::exception::Exception;
use clr::types::{self, Type, names};
use clr::value::{Object, Value};
use dotnet::text::compare::{self, Comparison};

use crate::text::string_comparer::{self, comparison_of};

/// How items of a collection are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparer {
    /// `EqualityComparer<T>.Default` and `Comparer<T>.Default`.
    #[default]
    Default,
    /// A `StringComparer`.
    Strings(Comparison),
    /// A comparer of a type's own.
    Rules(&'static Rules),
}

/// What a comparer of a type's own goes by.
#[derive(Debug)]
pub struct Rules {
    /// What tells it from others.
    pub name: &'static str,
    /// Are two items equal?
    pub equals: fn(&Value, &Value) -> bool,
    /// A hash that agrees with it.
    pub hash: fn(&Value) -> u64,
    /// The order of two items.
    pub order: fn(&Value, &Value) -> Result<Ordering, Exception>,
}

/// Two comparers of one name are the same.
impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Rules {}

/// A comparer as an object.
#[derive(Debug)]
struct ComparerObject {
    ty: Type,
    comparer: Comparer,
}

impl Object for ComparerObject {
    fn net_type(&self) -> Type {
        self.ty
    }
}

impl Comparer {
    /// The comparer that an argument stands for; null is the default one.
    pub fn of(argument: &Value) -> Self {
        if let Some(it) = argument.as_object::<ComparerObject>() {
            return it.comparer;
        }
        comparison_of(argument).map_or(Self::Default, Self::Strings)
    }

    /// The comparer as an `IEqualityComparer<T>` of `item`.
    pub fn value(self, item: Type) -> Value {
        match self {
            Self::Strings(it) => string_comparer::made(it),
            _ => self.object(types::named(names::IEQUALITYCOMPARER, &[item])),
        }
    }

    /// The comparer as an object of a type.
    pub fn object(self, ty: Type) -> Value {
        Value::object(ComparerObject { ty, comparer: self })
    }

    /// Are two items equal?
    pub fn equals(self, a: &Value, b: &Value) -> bool {
        match (self, a, b) {
            (Self::Strings(it), Value::String(a), Value::String(b)) => compare::equals(a, b, it),
            (Self::Rules(rules), _, _) => (rules.equals)(a, b),
            _ => a.equals(b),
        }
    }

    /// A hash that agrees with [`Comparer::equals`].
    pub fn hash(self, it: &Value) -> u64 {
        match (self, it) {
            (Self::Rules(rules), _) => (rules.hash)(it),
            (Self::Strings(Comparison::Ordinal) | Self::Default, _) => it.hash_code(),
            (Self::Strings(comparison), Value::String(it)) => {
                let mut hasher = DefaultHasher::new();
                compare::key(it, comparison).hash(&mut hasher);
                hasher.finish()
            }
            _ => it.hash_code(),
        }
    }

    /// The order of two items; strings go by the culture unless said otherwise.
    ///
    /// # Errors
    ///
    /// `ArgumentException` if they have no order.
    pub fn compare(self, a: &Value, b: &Value) -> Result<Ordering, Exception> {
        if let Self::Rules(rules) = self {
            return (rules.order)(a, b);
        }
        if let (Value::String(a), Value::String(b)) = (a, b) {
            return Ok(compare::order(a, b, self.comparison()));
        }
        a.compare(b)
            .ok_or_else(|| Exception::argument("At least one object must implement IComparable."))
    }

    const fn comparison(self) -> Comparison {
        if let Self::Strings(it) = self { it } else { Comparison::Culture }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparer_is_known_by_its_argument() {
        let comparer = Comparer::Strings(Comparison::OrdinalIgnoreCase);
        assert!(comparer.equals(&"a".into(), &"A".into()));
        assert!(!Comparer::of(&Value::Null).equals(&"a".into(), &"A".into()));
        assert_eq!(comparer.hash(&"a".into()), comparer.hash(&"A".into()));
    }

    #[test]
    fn strings_go_by_the_culture_unless_said_otherwise() {
        let order = |it: Comparer, a: &str, b: &str| it.compare(&a.into(), &b.into()).unwrap();
        assert_eq!(order(Comparer::Default, "a", "B"), Ordering::Less);
        assert_eq!(order(Comparer::Strings(Comparison::Ordinal), "a", "B"), Ordering::Greater);
    }

    #[test]
    fn a_comparer_is_a_value_and_back() {
        for comparer in [Comparer::Default, Comparer::Strings(Comparison::OrdinalIgnoreCase)] {
            assert_eq!(Comparer::of(&comparer.value(Type::String)), comparer);
        }
    }

    #[test]
    fn what_has_no_order_is_refused() {
        let comparer = Comparer::Default;
        assert_eq!(comparer.compare(&Value::from(1), &Value::from(2)).unwrap(), Ordering::Less);
        assert!(comparer.compare(&Value::from(1), &"a".into()).is_err());
    }
}
