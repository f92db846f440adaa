//! What is known of a .NET type.

use super::Member;
use crate::types::{Type, names};
use crate::value::Value;

/// A .NET type: its name, its bases and its rows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TypeDef {
    /// Full name without arity.
    pub name: &'static str,
    /// Number of type parameters.
    pub generics: usize,
    /// What it is.
    pub kind: TypeKind,
    /// Base type and interfaces, in terms of [`Type::TypeArg`].
    pub bases: &'static [Type],
    /// Its rows.
    pub members: &'static [Member],
    /// Makes `default(T)` of a struct that has an object of its own.
    pub zero: Option<fn(Type) -> Value>,
    /// Its documentation, if it is not where .NET's types are documented.
    pub docs: &'static str,
    /// Is it on Azure's allow-list, or unavoidable as an intermediate?
    pub listed: bool,
}

/// What a .NET type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// A class.
    Class,
    /// A class of static members only.
    Static,
    /// A value type.
    Struct,
    /// An interface.
    Interface,
    /// An enum with its names and values; `flags` may be combined.
    Enum {
        /// Names and values in order.
        values: &'static [(&'static str, i64)],
        /// Has it the `[Flags]` attribute?
        flags: bool,
    },
}

const fn def(name: &'static str, kind: TypeKind, members: &'static [Member]) -> TypeDef {
    TypeDef { name, generics: 0, kind, bases: &[], members, zero: None, docs: "", listed: true }
}

impl TypeDef {
    /// A class.
    #[must_use]
    pub const fn class(name: &'static str, members: &'static [Member]) -> Self {
        def(name, TypeKind::Class, members)
    }

    /// A class of static members and extension methods.
    #[must_use]
    pub const fn static_class(name: &'static str, members: &'static [Member]) -> Self {
        def(name, TypeKind::Static, members)
    }

    /// A value type.
    #[must_use]
    pub const fn structure(name: &'static str, members: &'static [Member]) -> Self {
        def(name, TypeKind::Struct, members)
    }

    /// An interface.
    #[must_use]
    pub const fn interface(name: &'static str, members: &'static [Member]) -> Self {
        def(name, TypeKind::Interface, members)
    }

    /// An enum: `ToString`, `Equals`, comparison and conversions come with it.
    #[must_use]
    pub const fn enumeration(name: &'static str, values: &'static [(&'static str, i64)]) -> Self {
        def(name, TypeKind::Enum { values, flags: false }, &[])
    }

    /// An enum whose members may be combined with `|`.
    #[must_use]
    pub const fn flags(name: &'static str, values: &'static [(&'static str, i64)]) -> Self {
        def(name, TypeKind::Enum { values, flags: true }, &[])
    }

    /// How many type parameters it has.
    #[must_use]
    pub const fn generic(mut self, n: usize) -> Self {
        self.generics = n;
        self
    }

    /// Base type and interfaces.
    #[must_use]
    pub const fn bases(mut self, bases: &'static [Type]) -> Self {
        self.bases = bases;
        self
    }

    /// How `default(T)` is made, with the type as it stands there.
    #[must_use]
    pub const fn zero(mut self, zero: fn(Type) -> Value) -> Self {
        self.zero = Some(zero);
        self
    }

    /// Where it is documented.
    #[must_use]
    pub const fn docs(mut self, link: &'static str) -> Self {
        self.docs = link;
        self
    }

    /// Not on Azure's allow-list: may not be named unless the options widen it.
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// The name without namespace.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// Structs and enums.
    #[must_use]
    pub const fn is_value_type(&self) -> bool {
        matches!(self.kind, TypeKind::Struct | TypeKind::Enum { .. })
    }

    /// Is it an enum?
    #[must_use]
    pub const fn is_enum(&self) -> bool {
        matches!(self.kind, TypeKind::Enum { .. })
    }

    /// The value of an enum's member.
    #[must_use]
    pub fn enum_value(&self, name: &str) -> Option<i64> {
        let TypeKind::Enum { values, .. } = self.kind else { return None };
        values.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    /// The text of an enum's value: its name, its names, or the number.
    #[must_use]
    pub fn enum_text(&self, value: i64) -> String {
        let TypeKind::Enum { values, flags } = self.kind else { return value.to_string() };
        if let Some((name, _)) = values.iter().find(|(_, own)| *own == value) {
            return (*name).to_owned();
        }
        if !flags || value == 0 {
            return value.to_string();
        }
        let mut rest = value;
        let mut parts = Vec::new();
        let mut ordered: Vec<&(&str, i64)> = values.iter().filter(|(_, own)| *own != 0).collect();
        ordered.sort_by_key(|(_, own)| std::cmp::Reverse(*own));
        for (name, own) in ordered {
            if rest & own == *own {
                parts.push(*name);
                rest &= !own;
            }
        }
        if rest != 0 {
            return value.to_string();
        }
        parts.reverse();
        parts.join(", ")
    }

    /// Its page in the documentation.
    #[must_use]
    pub fn docs_link(&self) -> String {
        if !self.docs.is_empty() {
            return self.docs.to_owned();
        }
        let arity = if self.generics > 0 { format!("-{}", self.generics) } else { String::new() };
        format!("https://learn.microsoft.com/dotnet/api/{}{arity}", self.name.to_lowercase())
    }

    /// The page of one of its members in the documentation.
    #[must_use]
    pub fn member_link(&self, member: &super::Member) -> String {
        if !self.docs.is_empty() {
            return self.docs.to_owned();
        }
        let name = match member.kind {
            super::MemberKind::Constructor => "-ctor".to_owned(),
            super::MemberKind::Operator => return self.docs_link(),
            _ => member.name.to_lowercase(),
        };
        format!("{}.{name}", self.docs_link())
    }

    /// The type with its own parameters as arguments.
    #[must_use]
    pub fn own_type(&self) -> Type {
        const PARAMETERS: &[Type] = &[
            Type::TypeArg(0),
            Type::TypeArg(1),
            Type::TypeArg(2),
            Type::TypeArg(3),
            Type::TypeArg(4),
            Type::TypeArg(5),
            Type::TypeArg(6),
            Type::TypeArg(7),
        ];
        if let Some(primitive) = primitive(self.name) {
            return primitive;
        }
        Type::Named(self.name, PARAMETERS.get(..self.generics).unwrap_or(&[]))
    }
}

/// The built-in type of a full name.
#[must_use]
pub(super) fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "System.Object" => Type::Object,
        "System.String" => Type::String,
        "System.Boolean" => Type::Bool,
        "System.Char" => Type::Char,
        "System.SByte" => Type::SByte,
        "System.Byte" => Type::Byte,
        "System.Int16" => Type::Int16,
        "System.UInt16" => Type::UInt16,
        "System.Int32" => Type::Int32,
        "System.UInt32" => Type::UInt32,
        "System.Int64" => Type::Int64,
        "System.UInt64" => Type::UInt64,
        "System.Single" => Type::Single,
        "System.Double" => Type::Double,
        "System.Decimal" => Type::Decimal,
        "System.Guid" => Type::Guid,
        "System.DateTime" => Type::DateTime,
        "System.DateTimeOffset" => Type::DateTimeOffset,
        "System.TimeSpan" => Type::TimeSpan,
        _ => return None,
    })
}

/// The implicit base of every class.
pub(super) const ENUM_BASES: &[Type] =
    &[Type::named(names::ENUM), Type::named(names::ICOMPARABLE), Type::named(names::IFORMATTABLE)];

#[cfg(test)]
mod tests {
    use super::*;

    const COLORS: TypeDef = TypeDef::flags("X.Colors", &[("None", 0), ("Red", 1), ("Blue", 4)]);

    #[test]
    fn enum_values_have_names() {
        let cases = [(0, "None"), (1, "Red"), (5, "Red, Blue"), (2, "2"), (3, "3")];
        for (value, text) in cases {
            assert_eq!(COLORS.enum_text(value), text);
        }
        assert_eq!(COLORS.enum_value("Blue"), Some(4));
    }

    #[test]
    fn a_type_links_its_page() {
        const LIST: TypeDef = TypeDef::class("System.Collections.Generic.List", &[]).generic(1);
        let link = "https://learn.microsoft.com/dotnet/api/system.collections.generic.list-1";
        assert_eq!(LIST.docs_link(), link);
    }
}
