//! Finding types by name, their bases, and reference conversions between them.

use std::collections::HashMap;
use std::sync::OnceLock;

use rust_decimal::Decimal;

use super::typedef::{ENUM_BASES, primitive};
use super::{TypeDef, TypeKind};
use crate::types::{self, Type, names};
use crate::value::{Anonymous, DateTime, DateTimeOffset, KeyValuePair, Value};

#[derive(Default)]
struct Index {
    all: Vec<&'static TypeDef>,
    by_name: HashMap<&'static str, &'static TypeDef>,
    by_short_name: HashMap<&'static str, Vec<&'static TypeDef>>,
}

static INDEX: OnceLock<Index> = OnceLock::new();

/// Makes the types known. Done once in a process, before anything is compiled: the rows live in
/// crates above this one. Later calls change nothing.
pub fn register<I: IntoIterator<Item = &'static TypeDef>>(types: impl FnOnce() -> I) {
    INDEX.get_or_init(|| {
        let mut index = Index::default();
        for def in types() {
            index.all.push(def);
            if index.by_name.insert(def.name, def).is_none() {
                index.by_short_name.entry(def.short_name()).or_default().push(def);
            }
        }
        index
    });
}

/// Every type that is known.
pub fn all() -> impl Iterator<Item = &'static TypeDef> {
    INDEX.get().into_iter().flat_map(|it| it.all.iter().copied())
}

/// The type that a row belongs to.
#[must_use]
pub fn owner(member: &'static super::Member) -> Option<&'static TypeDef> {
    all().find(|it| it.members.as_ptr_range().contains(&std::ptr::from_ref(member)))
}

/// The definition of a type by its full name without arity.
#[must_use]
pub fn definition(name: &str) -> Option<&'static TypeDef> {
    INDEX.get()?.by_name.get(name).copied()
}

/// The type of a name as written (`Regex`, `Linq.Enumerable`, `System.Guid`), by full name or with
/// its namespace left out in part or whole; `generics` is the number of type arguments.
#[must_use]
pub fn find_type(written: &str, generics: usize) -> Option<&'static TypeDef> {
    let fits = |it: &&&'static TypeDef| {
        // The class without type arguments has its members here too.
        it.generics == generics
            || matches!(it.name, names::TUPLE | names::VALUETUPLE)
            || (it.name == "System.Nullable" && generics == 0)
    };
    let index = INDEX.get()?;
    if let Some(def) = index.by_name.get(written)
        && fits(&def)
    {
        return Some(def);
    }
    let short = written.rsplit('.').next().unwrap_or(written);
    let ends = |it: &&&'static TypeDef| {
        it.name.strip_suffix(written).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    index.by_short_name.get(short)?.iter().filter(ends).find(fits).copied()
}

/// Base type and interfaces of a type, one level up, type arguments put in.
#[must_use]
pub fn base_types(of: Type) -> Vec<Type> {
    match of {
        Type::Array(item) => vec![
            Type::named(names::ARRAY),
            types::named(names::ILIST, &[*item]),
            types::named(names::IREADONLYLIST, &[*item]),
        ],
        Type::Func(_) => vec![Type::named(names::DELEGATE)],
        Type::Nullable(_) | Type::Anonymous(_) => Vec::new(),
        _ => {
            let Some(def) = of.definition_name().and_then(definition) else { return Vec::new() };
            if def.is_enum() {
                return ENUM_BASES.to_vec();
            }
            let arguments =
                if let Type::Named(_, list) | Type::Tuple(list, _) = of { list } else { &[] };
            def.bases.iter().map(|it| it.substitute(arguments, &[])).collect()
        }
    }
}

/// Is there an implicit reference (or boxing) conversion from one type to another?
#[must_use]
pub fn is_reference_convertible(from: Type, to: Type) -> bool {
    if from == to || to == Type::Object {
        return true;
    }
    match (from, to) {
        (Type::Null, _) => return to.accepts_null(),
        (Type::Array(a), Type::Array(b)) => return is_variant(*a, *b),
        (Type::Func(a), Type::Func(b)) => return is_delegate_convertible(a, b),
        (Type::Named(x, a), Type::Named(y, b)) if x == y && a.len() == b.len() => {
            let covariant = is_covariant(x);
            if a.iter().zip(b).all(|(a, b)| a == b || (covariant && is_variant(*a, *b))) {
                return true;
            }
        }
        _ => {}
    }
    if to == Type::named(names::VALUETYPE) {
        return from.is_non_nullable_value();
    }
    base_types(from).into_iter().any(|base| is_reference_convertible(base, to))
}

/// Reference types convert inside of arrays and covariant interfaces, value types must be the same.
fn is_variant(from: Type, to: Type) -> bool {
    from == to || (from.is_reference() && to.is_reference() && is_reference_convertible(from, to))
}

fn is_delegate_convertible(from: &[Type], to: &[Type]) -> bool {
    let (Some((from_result, from_params)), Some((to_result, to_params))) =
        (from.split_last(), to.split_last())
    else {
        return false;
    };
    from_params.len() == to_params.len()
        && from_params.iter().zip(to_params).all(|(a, b)| is_variant(*b, *a))
        && is_variant(*from_result, *to_result)
}

/// Does the named interface convert along its type arguments?
#[must_use]
pub fn is_covariant(name: &str) -> bool {
    matches!(
        name,
        names::IENUMERABLE
            | names::IENUMERATOR
            | names::IREADONLYCOLLECTION
            | names::IREADONLYLIST
            | names::IGROUPING
            | names::IORDEREDENUMERABLE
    )
}

/// `default(T)`.
#[must_use]
pub fn default_value(of: Type) -> Value {
    match of {
        Type::Bool => Value::Bool(false),
        Type::Char => Value::Char(0),
        Type::Single => Value::Single(0.0),
        Type::Double => Value::Double(0.0),
        Type::Decimal => Value::Decimal(Decimal::ZERO),
        Type::Guid => Value::Guid([0; 16]),
        Type::DateTime => Value::DateTime(DateTime::default()),
        Type::DateTimeOffset => Value::DateTimeOffset(DateTimeOffset::default()),
        Type::TimeSpan => Value::TimeSpan(0),
        Type::Named(names::KEYVALUEPAIR, _) => Value::object(KeyValuePair::default_of(of)),
        Type::Named(name, _) => {
            let zero = definition(name).and_then(|it| it.zero);
            zero.map_or_else(|| integer_of(of, 0), |zero| zero(of))
        }
        Type::Tuple(items, _) => {
            let fields = items.iter().map(|it| default_value(*it)).collect();
            Value::object(Anonymous::new(of.erased(), fields))
        }
        _ if of.is_integral() => integer_of(of, 0),
        _ => Value::Null,
    }
}

/// An integer as a value of an integer type or an enum (wrapping); null for other types.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "wraps as C# does")]
pub fn integer_of(of: Type, it: i64) -> Value {
    match of {
        Type::Char => Value::Char(it as u16),
        Type::SByte => Value::SByte(it as i8),
        Type::Byte => Value::Byte(it as u8),
        Type::Int16 => Value::Int16(it as i16),
        Type::UInt16 => Value::UInt16(it as u16),
        Type::Int32 => Value::Int(it as i32),
        Type::UInt32 => Value::UInt(it as u32),
        Type::Int64 => Value::Long(it),
        Type::UInt64 => Value::ULong(it as u64),
        Type::TimeSpan => Value::TimeSpan(it),
        Type::Named(name, _) => match definition(name) {
            Some(def) if matches!(def.kind, TypeKind::Enum { .. }) => Value::Enum(def, it),
            _ => Value::Null,
        },
        _ => Value::Null,
    }
}

/// The type of a full name with type arguments.
#[must_use]
pub fn type_of(def: &'static TypeDef, arguments: &[Type]) -> Type {
    if def.name == names::VALUETUPLE && arguments.len() > 1 {
        return types::tuple(arguments, &[]);
    }
    primitive(def.name).unwrap_or_else(|| types::named(def.name, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_conversions_follow_variance() {
        let objects = types::array(Type::Object);
        assert!(is_reference_convertible(Type::STRINGS, objects));
        assert!(!is_reference_convertible(types::array(Type::Int32), objects));
        assert!(is_reference_convertible(Type::Null, Type::String));
        assert!(!is_reference_convertible(Type::Null, Type::Int32));
        let handler = types::func(&[Type::Object, Type::String]);
        assert!(is_reference_convertible(handler, types::func(&[Type::String, Type::Object])));
    }

    #[test]
    fn defaults_are_zero_or_null() {
        assert!(default_value(Type::Int32).equals(&Value::from(0)));
        assert!(default_value(Type::String).is_null());
        assert!(default_value(types::nullable(Type::Int32)).is_null());
    }
}
