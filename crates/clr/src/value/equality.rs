//! `Equals`, `GetHashCode`, reference equality and default order of values.

use std::cmp::Ordering;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::Value;

impl Value {
    /// `object.Equals(a, b)`: equal values of the same type.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Char(a), Self::Char(b)) | (Self::UInt16(a), Self::UInt16(b)) => a == b,
            (Self::SByte(a), Self::SByte(b)) => a == b,
            (Self::Byte(a), Self::Byte(b)) => a == b,
            (Self::Int16(a), Self::Int16(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::Long(a), Self::Long(b)) | (Self::TimeSpan(a), Self::TimeSpan(b)) => a == b,
            (Self::ULong(a), Self::ULong(b)) => a == b,
            // Unlike `==`, `Equals` finds NaN equal to itself.
            (Self::Single(a), Self::Single(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Double(a), Self::Double(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Decimal(a), Self::Decimal(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Guid(a), Self::Guid(b)) => a == b,
            (Self::DateTime(a), Self::DateTime(b)) => a.ticks == b.ticks,
            (Self::DateTimeOffset(a), Self::DateTimeOffset(b)) => a.utc_ticks() == b.utc_ticks(),
            (Self::Enum(x, a), Self::Enum(y, b)) => x.name == y.name && a == b,
            (Self::Object(a), _) => a.equals(other).unwrap_or_else(|| self.is_same(other)),
            _ => self.is_same(other),
        }
    }

    /// `ReferenceEquals`, except that boxed values and strings compare by value: whether two boxes
    /// are one is nothing that documents depend on.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(a), Self::Array(b)) => Arc::ptr_eq(a, b),
            (Self::Bytes(a), Self::Bytes(b)) => Arc::ptr_eq(a, b),
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b),
            (Self::Sequence(a), Self::Sequence(b)) => Arc::ptr_eq(a, b),
            (Self::Func(a), Self::Func(b)) => Arc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) => Arc::ptr_eq(a, b),
            (Self::Host(a), Self::Host(b)) => a == b,
            (Self::Object(_), _) | (_, Self::Object(_)) => false,
            _ if std::mem::discriminant(self) == std::mem::discriminant(other) => {
                matches!(self, Self::Null) || (!self.is_shared() && self.equals(other))
            }
            _ => false,
        }
    }

    const fn is_shared(&self) -> bool {
        matches!(
            self,
            Self::Array(_)
                | Self::Bytes(_)
                | Self::List(_)
                | Self::Sequence(_)
                | Self::Func(_)
                | Self::Host(_)
        )
    }

    /// A hash that agrees with [`Value::equals`]. The numbers are not .NET's.
    #[must_use]
    pub fn hash_code(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        std::mem::discriminant(self).hash(&mut hasher);
        match self {
            Self::Null => {}
            Self::Bool(it) => it.hash(&mut hasher),
            Self::Char(it) | Self::UInt16(it) => it.hash(&mut hasher),
            Self::SByte(it) => it.hash(&mut hasher),
            Self::Byte(it) => it.hash(&mut hasher),
            Self::Int16(it) => it.hash(&mut hasher),
            Self::Int(it) => it.hash(&mut hasher),
            Self::UInt(it) => it.hash(&mut hasher),
            Self::Long(it) | Self::TimeSpan(it) => it.hash(&mut hasher),
            Self::ULong(it) => it.hash(&mut hasher),
            Self::Single(it) => canonical(f64::from(*it)).hash(&mut hasher),
            Self::Double(it) => canonical(*it).hash(&mut hasher),
            Self::Decimal(it) => it.hash(&mut hasher),
            Self::String(it) => it.hash(&mut hasher),
            Self::Guid(it) => it.hash(&mut hasher),
            Self::DateTime(it) => it.ticks.hash(&mut hasher),
            Self::DateTimeOffset(it) => it.utc_ticks().hash(&mut hasher),
            Self::Enum(_, it) => it.hash(&mut hasher),
            Self::Array(it) => Arc::as_ptr(it).addr().hash(&mut hasher),
            Self::Bytes(it) => Arc::as_ptr(it).addr().hash(&mut hasher),
            Self::List(it) => Arc::as_ptr(it).addr().hash(&mut hasher),
            Self::Sequence(it) => Arc::as_ptr(it).addr().hash(&mut hasher),
            Self::Func(it) => Arc::as_ptr(it).addr().hash(&mut hasher),
            Self::Host(it) => it.hash(&mut hasher),
            Self::Object(it) => {
                it.hash_code().unwrap_or_else(|| Arc::as_ptr(it).addr() as u64).hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    /// `Comparer<T>.Default`, except that strings compare by ordinal: callers that order strings as
    /// a culture does look at them first. Null comes before everything. `None` if there is no order.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Char(a), Self::Char(b)) | (Self::UInt16(a), Self::UInt16(b)) => a.cmp(b),
            (Self::SByte(a), Self::SByte(b)) => a.cmp(b),
            (Self::Byte(a), Self::Byte(b)) => a.cmp(b),
            (Self::Int16(a), Self::Int16(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::UInt(a), Self::UInt(b)) => a.cmp(b),
            (Self::Long(a), Self::Long(b)) | (Self::TimeSpan(a), Self::TimeSpan(b)) => a.cmp(b),
            (Self::ULong(a), Self::ULong(b)) => a.cmp(b),
            (Self::Single(a), Self::Single(b)) => compare_floats(f64::from(*a), f64::from(*b)),
            (Self::Double(a), Self::Double(b)) => compare_floats(*a, *b),
            (Self::Decimal(a), Self::Decimal(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Guid(a), Self::Guid(b)) => a.cmp(b),
            (Self::DateTime(a), Self::DateTime(b)) => a.ticks.cmp(&b.ticks),
            (Self::DateTimeOffset(a), Self::DateTimeOffset(b)) => a.utc_ticks().cmp(&b.utc_ticks()),
            (Self::Enum(x, a), Self::Enum(y, b)) if x.name == y.name => a.cmp(b),
            (Self::Object(a), _) => return a.compare(other),
            _ => return None,
        })
    }
}

/// NaN comes first, as `double.CompareTo` has it.
fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

fn canonical(it: f64) -> u64 {
    if it.is_nan() {
        f64::NAN.to_bits()
    } else if it == 0.0 {
        0
    } else {
        it.to_bits()
    }
}

/// A value as the key of a hash table: equal by [`Value::equals`].
#[derive(Clone, Debug)]
pub struct Key(pub Value);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash_code());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_different_types_are_not_equal() {
        assert!(Value::from(1).equals(&Value::from(1)));
        assert!(!Value::from(1).equals(&Value::from(1_i64)));
        assert!(Value::from(f64::NAN).equals(&Value::from(f64::NAN)));
        assert!(Value::Null.equals(&Value::Null) && !Value::Null.equals(&Value::EMPTY));
    }

    #[test]
    fn equal_values_have_equal_hashes() {
        assert_eq!(Value::from(0.0).hash_code(), Value::from(-0.0).hash_code());
        assert_eq!(Value::from("ä").hash_code(), Value::from("ä").hash_code());
    }

    #[test]
    fn arrays_are_equal_only_to_themselves() {
        let a = Value::strings(["x"]);
        assert!(a.equals(&a.clone()) && !a.equals(&Value::strings(["x"])));
    }

    #[test]
    fn null_and_nan_come_first() {
        assert_eq!(Value::Null.compare(&Value::from(1)), Some(Ordering::Less));
        assert_eq!(Value::from(f64::NAN).compare(&Value::from(1.0)), Some(Ordering::Less));
        assert_eq!(Value::from(1).compare(&Value::from("a")), None);
    }
}
