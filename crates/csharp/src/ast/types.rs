//! Types as they are written, and names with type arguments.
//!
//! Source: C# 7 language specification, 8.1.

use super::{Name, Span};

/// A name with type arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct SimpleName {
    /// The name.
    pub name: Name,
    /// Type arguments, empty if none are written.
    pub type_arguments: Vec<TypeRef>,
}

/// A predefined type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the keyword of the same name")]
pub enum Predefined {
    Bool,
    Byte,
    Char,
    Decimal,
    Double,
    Float,
    Int,
    Long,
    Object,
    Sbyte,
    Short,
    String,
    Uint,
    Ulong,
    Ushort,
}

/// A type as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeRef {
    /// What it is.
    pub kind: TypeRefKind,
    /// Where it stands.
    pub span: Span,
}

/// What a written type is.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeRefKind {
    /// `string`.
    Predefined(Predefined),
    /// `System.Collections.Generic.List<int>`: at least one part. `global::` is dropped.
    Named(Vec<SimpleName>),
    /// `T?`.
    Nullable(Box<TypeRef>),
    /// `T[]`, `T[,]`: element and rank. `int[][,]` is an array of `int[,]`.
    Array(Box<TypeRef>, u32),
    /// `(int, string name)`.
    Tuple(Vec<(TypeRef, Option<Name>)>),
    /// The empty argument of an unbound generic type, as in `typeof(List<>)`.
    Omitted,
    /// Where a problem was reported.
    Missing,
}
