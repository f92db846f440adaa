//! What `IComparer<T>` and `IEqualityComparer<T>` arguments mean: a `StringComparer`, or null.

use std::cmp::Ordering;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use clr::exception::Exception;
use clr::value::Value;
use dotnet::text::compare::{self, Comparison};

use crate::text::string_comparer::comparison_of;

/// How items of a collection are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparer {
    /// `EqualityComparer<T>.Default` and `Comparer<T>.Default`.
    #[default]
    Default,
    /// A `StringComparer`.
    Strings(Comparison),
}

impl Comparer {
    /// The comparer that an argument stands for; null is the default one.
    pub fn of(argument: &Value) -> Self {
        comparison_of(argument).map_or(Self::Default, Self::Strings)
    }

    /// Are two items equal?
    pub fn equals(self, a: &Value, b: &Value) -> bool {
        match (self, a, b) {
            (Self::Strings(it), Value::String(a), Value::String(b)) => compare::equals(a, b, it),
            _ => a.equals(b),
        }
    }

    /// A hash that agrees with [`Comparer::equals`].
    pub fn hash(self, it: &Value) -> u64 {
        match (self, it) {
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
    fn what_has_no_order_is_refused() {
        let comparer = Comparer::Default;
        assert_eq!(comparer.compare(&Value::from(1), &Value::from(2)).unwrap(), Ordering::Less);
        assert!(comparer.compare(&Value::from(1), &"a".into()).is_err());
    }
}
