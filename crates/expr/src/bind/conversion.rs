//! Which conversions there are between types.
//!
//! Source: C# specification, 10.2 to 10.5.

use clr::rows::{self, Member, MemberKind, is_reference_convertible};
use clr::types::{self, Type};
use clr::value::Value;

use crate::ir::Conversion;

/// How to get from one type to another: nothing to do, or an operation.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    Same,
    By(Conversion),
}

impl Way {
    fn then(self, next: Way) -> Way {
        match (self, next) {
            (Way::Same, it) | (it, Way::Same) => it,
            (Way::By(a), Way::By(b)) => Way::By(Conversion::Chain(Box::new((a, b)))),
        }
    }

    fn lifted(self) -> Way {
        match self {
            Way::Same => Way::Same,
            Way::By(it) => Way::By(Conversion::Lifted(Box::new(it))),
        }
    }
}

/// An implicit conversion that is built into the language.
pub(crate) fn standard_implicit(from: Type, to: Type) -> Option<Way> {
    if from == to || from == Type::Error || to == Type::Error {
        return Some(Way::Same);
    }
    if from == Type::Void || to == Type::Void {
        return None;
    }
    if from == Type::Dynamic || to == Type::Dynamic {
        return matches!(to, Type::Dynamic | Type::Object).then_some(Way::Same);
    }
    match (from, to) {
        (Type::Tuple(a, _), Type::Tuple(b, _)) => return item_by_item(a, b, to, &implicit),
        (Type::Null, _) => return to.accepts_null().then_some(Way::Same),
        (Type::Nullable(a), Type::Nullable(b)) => {
            return standard_implicit(*a, *b).map(Way::lifted);
        }
        (_, Type::Nullable(b)) => return standard_implicit(from, *b),
        (Type::Nullable(a), _) => {
            return (to.is_reference() && is_reference_convertible(*a, to)).then_some(Way::Same);
        }
        _ => {}
    }
    if from.is_numeric() && to.is_numeric() {
        return widens(from, to).then_some(Way::By(Conversion::Numeric { to, checked: false }));
    }
    let converts = to.is_reference() && is_reference_convertible(from, to);
    (converts || differs_in_names(from, to)).then_some(Way::Same)
}

/// Are the types the same but for names in tuples and `dynamic`?
fn differs_in_names(from: Type, to: Type) -> bool {
    let (a, b) = (from.erased(), to.erased());
    (a != from || b != to) && (a == b || (b.is_reference() && is_reference_convertible(a, b)))
}

/// The conversion of a tuple by those of its items.
fn item_by_item(
    from: &[Type],
    to: &[Type],
    whole: Type,
    way: &dyn Fn(Type, Type) -> Option<Way>,
) -> Option<Way> {
    if from.len() != to.len() {
        return None;
    }
    let ways: Option<Vec<Way>> = from.iter().zip(to).map(|(a, b)| way(*a, *b)).collect();
    let ways = ways?;
    let same = |it: &Way| matches!(it, Way::Same);
    if ways.iter().all(same) && from.iter().zip(to).all(|(a, b)| a.erased() == b.erased()) {
        return Some(Way::Same);
    }
    let by = ways.into_iter().map(|it| if let Way::By(it) = it { Some(it) } else { None });
    Some(Way::By(Conversion::Tuple(Box::new((whole.erased(), by.collect())))))
}

/// Implicit numeric conversions (10.2.3).
pub(crate) fn widens(from: Type, to: Type) -> bool {
    use Type::{
        Byte, Char, Decimal, Double, Int16, Int32, Int64, SByte, Single, UInt16, UInt32, UInt64,
    };
    matches!(
        (from, to),
        (SByte, Int16 | Int32 | Int64 | Single | Double | Decimal)
            | (Byte, Int16 | UInt16 | Int32 | UInt32 | Int64 | UInt64 | Single | Double | Decimal)
            | (Int16, Int32 | Int64 | Single | Double | Decimal)
            | (UInt16 | Char, Int32 | UInt32 | Int64 | UInt64 | Single | Double | Decimal)
            | (Char, UInt16)
            | (Int32, Int64 | Single | Double | Decimal)
            | (UInt32, Int64 | UInt64 | Single | Double | Decimal)
            | (Int64 | UInt64, Single | Double | Decimal)
            | (Single, Double)
    )
}

/// The implicit conversion of a constant that fits a narrower type (10.2.11), and of `0` to an enum.
pub(crate) fn constant_implicit(from: Type, value: &Value, to: Type) -> Option<Way> {
    let target = to.without_null();
    let by = |to| Way::By(Conversion::Numeric { to, checked: false });
    if target.is_enum() && (value.as_i64() == Some(0) || is_zero_fraction(value)) {
        return rows::definition(target.definition_name()?)
            .map(|def| Way::By(Conversion::ToEnum(def)));
    }
    let value = value.as_i64()?;
    let fits = match (from, target) {
        (Type::Int32, Type::SByte) => i8::try_from(value).is_ok(),
        (Type::Int32, Type::Byte) => u8::try_from(value).is_ok(),
        (Type::Int32, Type::Int16) => i16::try_from(value).is_ok(),
        (Type::Int32, Type::UInt16) => u16::try_from(value).is_ok(),
        (Type::Int32, Type::UInt32) => u32::try_from(value).is_ok(),
        (Type::Int32 | Type::Int64, Type::UInt64) => value >= 0,
        _ => false,
    };
    fits.then(|| by(target))
}

/// The compiler takes any zero for an enum, `0.0` too.
fn is_zero_fraction(value: &Value) -> bool {
    match value {
        Value::Double(it) => *it == 0.0,
        Value::Single(it) => *it == 0.0,
        Value::Decimal(it) => it.is_zero(),
        _ => false,
    }
}

/// An implicit conversion, built in or user-defined.
pub(crate) fn implicit(from: Type, to: Type) -> Option<Way> {
    if from == Type::Dynamic && !matches!(to, Type::Dynamic | Type::Object | Type::Void) {
        return Some(Way::By(super::late::conversion_to(to.erased(), false)));
    }
    standard_implicit(from, to).or_else(|| user_defined(from, to, false))
}

/// An explicit conversion; every implicit one is one.
pub(crate) fn explicit(from: Type, to: Type, checked: bool) -> Option<Way> {
    implicit(from, to)
        .or_else(|| standard_explicit(from, to, checked))
        .or_else(|| user_defined(from, to, true))
}

/// An explicit conversion that is built into the language.
pub(crate) fn standard_explicit(from: Type, to: Type, checked: bool) -> Option<Way> {
    let number = |it: Type| it.is_numeric();
    match (from, to) {
        (Type::Void | Type::Null, _) | (_, Type::Void) => return None,
        (Type::Tuple(a, _), Type::Tuple(b, _)) => {
            return item_by_item(a, b, to, &|x, y| explicit(x, y, checked));
        }
        (Type::Nullable(a), Type::Nullable(b)) => {
            return standard_implicit(*a, *b)
                .or_else(|| standard_explicit(*a, *b, checked))
                .map(Way::lifted);
        }
        (Type::Nullable(a), _) if to.is_value_type() => {
            let inner = standard_implicit(*a, to).or_else(|| standard_explicit(*a, to, checked))?;
            return Some(Way::By(Conversion::NotNull).then(inner));
        }
        (_, Type::Nullable(b)) if from.is_value_type() => {
            return standard_explicit(from, *b, checked);
        }
        _ => {}
    }
    if number(from) && number(to) {
        return Some(Way::By(Conversion::Numeric { to, checked }));
    }
    if from.is_enum() && number(to) {
        return Some(Way::By(Conversion::FromEnum { to, checked }));
    }
    if to.is_enum() && (number(from) || from.is_enum()) {
        let def = rows::definition(to.definition_name()?)?;
        let into = Way::By(Conversion::ToEnum(def));
        return Some(if from.is_enum() {
            Way::By(Conversion::FromEnum { to: Type::Int64, checked: false }).then(into)
        } else {
            into
        });
    }
    // Unboxing, and going down or across the hierarchy.
    let down = from.is_reference()
        && (from == Type::Object
            || is_reference_convertible(to.without_null(), from)
            || ((is_interface(from) || is_interface(to)) && !is_sealed(from) && !is_sealed(to)));
    if down {
        return Some(Way::By(Conversion::Cast(to.erased())));
    }
    if let (Type::Array(a), Type::Array(b)) = (from, to)
        && a.is_reference()
        && b.is_reference()
        && standard_explicit(*a, *b, false).is_some()
    {
        return Some(Way::By(Conversion::Cast(to.erased())));
    }
    None
}

fn is_interface(it: Type) -> bool {
    it.definition_name()
        .and_then(rows::definition)
        .is_some_and(|def| def.kind == rows::TypeKind::Interface)
}

/// Types that nothing derives from, so that a cast to an unrelated interface makes no sense.
fn is_sealed(it: Type) -> bool {
    it == Type::String || it.is_value_type() || matches!(it, Type::Array(_) | Type::Func(_))
}

/// A user-defined conversion (10.5): the best operator of either type and their bases.
fn user_defined(from: Type, to: Type, explicit: bool) -> Option<Way> {
    let mut best: Option<(u32, &'static Member, Way)> = None;
    for (member, of_type) in operators(from).into_iter().chain(operators(to)) {
        if member.kind == MemberKind::Explicit && !explicit {
            continue;
        }
        let Some(source) = member.params.first().map(|it| it.substitute(of_type, &[])) else {
            continue;
        };
        let Some((before, a)) = leg(from, source, explicit) else { continue };
        let target = member.returns.substitute(of_type, &[]);
        let Some((after, b)) = leg(target, to, explicit) else { continue };
        let null_passes = matches!(from, Type::Nullable(_))
            && source.is_non_nullable_value()
            && to.accepts_null();
        let call = Way::By(Conversion::User(member, null_passes));
        let cost = a * 4 + b;
        if best.as_ref().is_none_or(|(own, ..)| cost < *own) {
            best = Some((cost, member, before.then(call).then(after)));
        }
    }
    best.map(|(_, _, way)| way)
}

/// One leg of a user-defined conversion with its cost: the same type, implicit, explicit.
fn leg(from: Type, to: Type, explicit: bool) -> Option<(Way, u32)> {
    if from == to {
        return Some((Way::Same, 0));
    }
    if to == Type::Object || from == Type::Object {
        return None;
    }
    if let Some(way) = standard_implicit(from, to) {
        return Some((way, 1));
    }
    // Only what an implicit conversion leads back from (10.4.4 "standard explicit").
    if !explicit || standard_implicit(to, from).is_none() {
        return None;
    }
    standard_explicit(from, to, false).map(|way| (way, 2))
}

/// The conversions that a type and its bases declare, with the type arguments of each.
fn operators(of: Type) -> Vec<(&'static Member, &'static [Type])> {
    let mut found = Vec::new();
    let mut queue = vec![of.without_null()];
    while let Some(it) = queue.pop() {
        if let Some(def) = it.definition_name().and_then(rows::definition) {
            let is_conversion =
                |it: &&Member| matches!(it.kind, MemberKind::Implicit | MemberKind::Explicit);
            let of_type = if let Type::Named(_, of_type) = it { of_type } else { &[] };
            found.extend(def.members.iter().filter(is_conversion).map(|it| (it, of_type)));
        }
        if matches!(it, Type::Named(..)) {
            queue.extend(rows::base_types(it));
        }
    }
    found
}

/// The most general of the types, to which all others convert; `None` if there is none.
pub(crate) fn best_common(of: &[Type]) -> Option<Type> {
    if of.contains(&Type::Dynamic) {
        return Some(Type::Dynamic);
    }
    let all_convert = |to: &&Type| of.iter().all(|from| implicit(*from, **to).is_some());
    of.iter().filter(|it| !matches!(it, Type::Null | Type::Void)).find(all_convert).copied()
}

/// `T?` for a value type without null; the type itself otherwise.
pub(crate) fn with_null(of: Type) -> Type {
    if of.is_non_nullable_value() { types::nullable(of) } else { of }
}

#[cfg(test)]
mod tests {
    use clr::types::nullable;

    use super::*;

    #[test]
    fn implicit_conversions_widen_only() {
        let cases = [
            (Type::Int32, Type::Int64, true),
            (Type::Int64, Type::Int32, false),
            (Type::Char, Type::Int32, true),
            (Type::Double, Type::Decimal, false),
            (Type::Int32, nullable(Type::Int64), true),
            (nullable(Type::Int32), Type::Int32, false),
            (nullable(Type::Int32), Type::Object, true),
            (Type::Null, Type::String, true),
            (Type::Null, Type::Int32, false),
            (Type::String, Type::Object, true),
            (Type::Object, Type::String, false),
        ];
        for (from, to, expected) in cases {
            assert_eq!(implicit(from, to).is_some(), expected, "{from} to {to}");
        }
    }

    #[test]
    fn explicit_conversions_unbox_and_narrow() {
        let cases = [
            (Type::Object, Type::Int32, true),
            (Type::Double, Type::Int32, true),
            (nullable(Type::Int32), Type::Int32, true),
            (Type::String, Type::Int32, false),
            (Type::Int32, Type::String, false),
            (Type::Bool, Type::Int32, false),
        ];
        for (from, to, expected) in cases {
            assert_eq!(explicit(from, to, false).is_some(), expected, "{from} to {to}");
        }
    }

    #[test]
    fn the_common_type_holds_all() {
        assert_eq!(best_common(&[Type::Int32, Type::Double]), Some(Type::Double));
        assert_eq!(best_common(&[Type::Null, Type::String]), Some(Type::String));
        assert_eq!(best_common(&[Type::Int32, Type::String]), None);
    }
}
