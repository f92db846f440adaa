//! Static types: what the binder knows of an expression, and what a reified value carries.
//!
//! A [`Type`] is small and `Copy`. Rows of the library write types as constants
//! (`Type::Array(&Type::String)`); the binder makes new ones at run time through [`array`],
//! [`named`], [`nullable`], [`func`] and [`anonymous`], which intern them. The table of interned
//! types is bounded ([`MAX_INTERNED`]).
//!
//! Named .NET types are known by their full name without arity, so that one file's rows may speak
//! of types that another file defines.

mod display;
mod generic;
mod intern;
pub mod names;

pub use generic::clr_name;
pub use intern::{
    anonymous, array, enumerable, func, intern, leak_text, list, named, nullable, tuple,
};

/// How many composite types a process will ever make; further ones become `object`.
pub const MAX_INTERNED: usize = 1 << 17;

/// A C# type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// No value at all.
    Void,
    /// The type of the literal `null`.
    Null,
    /// The type of an expression that was refused; accepted everywhere, to avoid follow-up errors.
    Error,
    /// `object`.
    Object,
    /// `string`.
    String,
    /// `bool`.
    Bool,
    /// `char`.
    Char,
    /// `sbyte`.
    SByte,
    /// `byte`.
    Byte,
    /// `short`.
    Int16,
    /// `ushort`.
    UInt16,
    /// `int`.
    Int32,
    /// `uint`.
    UInt32,
    /// `long`.
    Int64,
    /// `ulong`.
    UInt64,
    /// `float`.
    Single,
    /// `double`.
    Double,
    /// `decimal`.
    Decimal,
    /// `System.Guid`.
    Guid,
    /// `System.DateTime`.
    DateTime,
    /// `System.DateTimeOffset`.
    DateTimeOffset,
    /// `System.TimeSpan`.
    TimeSpan,
    /// `T?` of a value type.
    Nullable(&'static Type),
    /// `T[]`.
    Array(&'static Type),
    /// A .NET type by full name without arity, with its type arguments.
    Named(&'static str, &'static [Type]),
    /// A delegate: `Func<..>`, `Action<..>`, `Predicate<T>` ...; the last type is the result
    /// ([`Type::Void`] for actions).
    Func(&'static [Type]),
    /// An anonymous type.
    Anonymous(&'static AnonymousType),
    /// A tuple `(T1, T2 name, ...)`: its items and their names, empty where there is none; no names
    /// at all if the list is empty. Values carry the type without names ([`Type::erased`]).
    Tuple(&'static [Type], &'static [&'static str]),
    /// `dynamic`: an `object` whose operations are bound when they run.
    Dynamic,
    /// The n-th type parameter of the type that a row belongs to.
    TypeArg(u8),
    /// The n-th type parameter of a generic method.
    MethodArg(u8),
    /// In parameter lists only: an `out` (or `ref`) parameter.
    Out(&'static Type),
    /// In parameter lists only, last: `params T[]`; the row receives one array.
    Params(&'static Type),
}

/// The members of an anonymous type, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AnonymousType {
    /// Names and types.
    pub fields: Vec<(String, Type)>,
}

impl Type {
    /// First type parameter of the type (`T`, `TKey`).
    pub const T: Self = Self::TypeArg(0);
    /// Second type parameter of the type (`TValue`).
    pub const U: Self = Self::TypeArg(1);
    /// First type parameter of a generic method (`TSource`).
    pub const M: Self = Self::MethodArg(0);
    /// Second type parameter of a generic method (`TResult`).
    pub const N: Self = Self::MethodArg(1);
    /// Third type parameter of a generic method.
    pub const O: Self = Self::MethodArg(2);
    /// Fourth type parameter of a generic method.
    pub const P: Self = Self::MethodArg(3);
    /// `byte[]`.
    pub const BYTES: Self = Self::Array(&Self::Byte);
    /// `string[]`.
    pub const STRINGS: Self = Self::Array(&Self::String);

    /// A .NET type without type arguments.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self::Named(name, &[])
    }

    /// `IEnumerable<T>` of the given one-element slice: `Type::enumerable(&[Type::M])`.
    #[must_use]
    pub const fn enumerable(item: &'static [Type]) -> Self {
        Self::Named(names::IENUMERABLE, item)
    }

    /// Is this a type whose variables cannot be null?
    ///
    /// Type parameters are not; enums and structs are asked of the library.
    #[must_use]
    pub fn is_value_type(self) -> bool {
        match self {
            Self::Nullable(_) | Self::Tuple(..) => true,
            Self::Named(name, _) => {
                crate::rows::definition(name).is_some_and(|it| it.is_value_type())
            }
            _ => self.is_simple() || self.is_builtin_struct(),
        }
    }

    /// A value type that has no null: not even `T?`.
    #[must_use]
    pub fn is_non_nullable_value(self) -> bool {
        !matches!(self, Self::Nullable(_)) && self.is_value_type()
    }

    /// A type that may hold `null`.
    #[must_use]
    pub fn accepts_null(self) -> bool {
        match self {
            Self::TypeArg(_) | Self::MethodArg(_) | Self::Void => false,
            Self::Nullable(_) | Self::Error | Self::Null => true,
            _ => !self.is_value_type(),
        }
    }

    /// `bool`, `char` and the numeric types.
    #[must_use]
    pub fn is_simple(self) -> bool {
        matches!(self, Self::Bool) || self.is_numeric()
    }

    fn is_builtin_struct(self) -> bool {
        matches!(self, Self::Guid | Self::DateTime | Self::DateTimeOffset | Self::TimeSpan)
    }

    /// Numeric in the sense of C#'s promotions: integers (with `char`), `float`, `double`, `decimal`.
    #[must_use]
    pub fn is_numeric(self) -> bool {
        self.is_integral() || matches!(self, Self::Single | Self::Double | Self::Decimal)
    }

    /// An integer type, `char` included.
    #[must_use]
    pub fn is_integral(self) -> bool {
        matches!(
            self,
            Self::Char
                | Self::SByte
                | Self::Byte
                | Self::Int16
                | Self::UInt16
                | Self::Int32
                | Self::UInt32
                | Self::Int64
                | Self::UInt64
        )
    }

    /// An enum of the library.
    #[must_use]
    pub fn is_enum(self) -> bool {
        match self {
            Self::Named(name, _) => crate::rows::definition(name).is_some_and(|it| it.is_enum()),
            _ => false,
        }
    }

    /// A class, interface, array, delegate or string: compared by reference, castable with `as`.
    #[must_use]
    pub fn is_reference(self) -> bool {
        !matches!(self, Self::Void | Self::TypeArg(_) | Self::MethodArg(_)) && !self.is_value_type()
    }

    /// The `T` of `T?`, or the type itself.
    #[must_use]
    pub fn without_null(self) -> Self {
        if let Self::Nullable(inner) = self { *inner } else { self }
    }

    /// The element type of an array.
    #[must_use]
    pub fn element(self) -> Option<Self> {
        if let Self::Array(item) = self { Some(*item) } else { None }
    }

    /// The n-th type argument of a named type.
    #[must_use]
    pub fn argument(self, index: usize) -> Option<Self> {
        if let Self::Named(_, arguments) = self { arguments.get(index).copied() } else { None }
    }

    /// Is this the named type `name`, whatever its arguments?
    #[must_use]
    pub fn is_named(self, name: &str) -> bool {
        matches!(self, Self::Named(own, _) if own == name)
    }

    /// Does a type parameter occur in it?
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::TypeArg(_) | Self::MethodArg(_) => true,
            Self::Nullable(it) | Self::Array(it) | Self::Out(it) | Self::Params(it) => it.is_open(),
            Self::Named(_, all) | Self::Func(all) | Self::Tuple(all, _) => {
                all.iter().any(|it| it.is_open())
            }
            Self::Anonymous(it) => it.fields.iter().any(|(_, t)| t.is_open()),
            _ => false,
        }
    }

    /// Puts arguments for type parameters; a missing argument leaves its parameter as it is.
    #[must_use]
    pub fn substitute(self, of_type: &[Type], of_method: &[Option<Type>]) -> Self {
        if !self.is_open() {
            return self;
        }
        let all = |list: &[Type]| -> Vec<Type> {
            list.iter().map(|it| it.substitute(of_type, of_method)).collect()
        };
        match self {
            Self::TypeArg(n) => of_type.get(usize::from(n)).copied().unwrap_or(self),
            Self::MethodArg(n) => of_method.get(usize::from(n)).copied().flatten().unwrap_or(self),
            Self::Nullable(it) => nullable(it.substitute(of_type, of_method)),
            Self::Array(it) => array(it.substitute(of_type, of_method)),
            Self::Out(it) => Self::Out(intern(it.substitute(of_type, of_method))),
            Self::Params(it) => Self::Params(intern(it.substitute(of_type, of_method))),
            Self::Named(name, list) => named(name, &all(list)),
            Self::Func(list) => func(&all(list)),
            Self::Tuple(list, names) => Self::Tuple(intern::list(&all(list)), names),
            other => other,
        }
    }

    /// Does the static type say more than a value's type: names in a tuple, or `dynamic`?
    fn has_static_part(self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::Tuple(list, names) => {
                !names.is_empty() || list.iter().any(|it| it.has_static_part())
            }
            Self::Nullable(it) | Self::Array(it) | Self::Out(it) | Self::Params(it) => {
                it.has_static_part()
            }
            Self::Named(_, list) | Self::Func(list) => list.iter().any(|it| it.has_static_part()),
            _ => false,
        }
    }

    /// The type as values carry it: tuples without names, `object` for `dynamic`.
    #[must_use]
    pub fn erased(self) -> Self {
        if !self.has_static_part() {
            return self;
        }
        let all = |of: &[Type]| -> Vec<Type> { of.iter().map(|it| it.erased()).collect() };
        match self {
            Self::Dynamic => Self::Object,
            Self::Tuple(items, _) => Self::Tuple(list(&all(items)), &[]),
            Self::Nullable(it) => nullable(it.erased()),
            Self::Array(it) => array(it.erased()),
            Self::Out(it) => Self::Out(intern(it.erased())),
            Self::Params(it) => Self::Params(intern(it.erased())),
            Self::Named(name, of) => named(name, &all(of)),
            Self::Func(of) => func(&all(of)),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_s_type_has_no_names_and_no_dynamic() {
        let named = tuple(&[Type::Int32, Type::Dynamic], &["a", "b"]);
        let plain = tuple(&[Type::Int32, Type::Object], &[]);
        assert_ne!(named, plain);
        assert_eq!(array(named).erased(), array(plain));
        assert_eq!(named.to_string(), "(int a, dynamic b)");
        assert_eq!(plain.full_name(), "System.ValueTuple<System.Int32,System.Object>");
    }

    #[test]
    fn substitution_reaches_every_depth() {
        let open = Type::Func(&[Type::M, Type::Array(&Type::N)]);
        let closed = open.substitute(&[], &[Some(Type::Int32), Some(Type::String)]);
        assert_eq!(closed, func(&[Type::Int32, Type::STRINGS]));
        assert!(open.is_open() && !closed.is_open());
    }
}
