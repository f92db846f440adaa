//! How types are written: by C# and by .NET.

use std::fmt;

use super::{Type, names};

impl Type {
    /// The .NET name, as `GetType().FullName` nearly gives it: `System.Int32`,
    /// `System.Collections.Generic.List<System.String>`.
    #[must_use]
    pub fn full_name(self) -> String {
        let keyword = match self {
            Self::Void => "System.Void",
            Self::Null | Self::Error => "null",
            Self::Object => "System.Object",
            Self::String => "System.String",
            Self::Bool => "System.Boolean",
            Self::Char => "System.Char",
            Self::SByte => "System.SByte",
            Self::Byte => "System.Byte",
            Self::Int16 => "System.Int16",
            Self::UInt16 => "System.UInt16",
            Self::Int32 => "System.Int32",
            Self::UInt32 => "System.UInt32",
            Self::Int64 => "System.Int64",
            Self::UInt64 => "System.UInt64",
            Self::Single => "System.Single",
            Self::Double => "System.Double",
            Self::Decimal => "System.Decimal",
            Self::Guid => "System.Guid",
            Self::DateTime => "System.DateTime",
            Self::DateTimeOffset => "System.DateTimeOffset",
            Self::TimeSpan => "System.TimeSpan",
            Self::Anonymous(_) => "anonymous",
            Self::Nullable(it) => return format!("System.Nullable<{}>", it.full_name()),
            Self::Array(it) => return format!("{}[]", it.full_name()),
            Self::Out(it) | Self::Params(it) => return it.full_name(),
            Self::Named(name, []) => name,
            Self::Named(names::ARRAY2, [it]) => return format!("{}[,]", it.full_name()),
            Self::Named(names::ARRAY3, [it]) => return format!("{}[,,]", it.full_name()),
            Self::Named(name, list) => return format!("{name}<{}>", join(list, Self::full_name)),
            Self::Func(list) => return delegate_name(list, "System.", Self::full_name),
            Self::Tuple(list, _) => {
                return format!("{}<{}>", names::VALUETUPLE, join(list, Self::full_name));
            }
            Self::Dynamic => "System.Object",
            Self::TypeArg(n) => return format!("T{n}"),
            Self::MethodArg(n) => return format!("M{n}"),
        };
        keyword.to_owned()
    }

    /// The full name of a simple type without type arguments, for the lookup of its rows.
    #[must_use]
    pub fn definition_name(self) -> Option<&'static str> {
        Some(match self {
            Self::Object => "System.Object",
            Self::String => "System.String",
            Self::Bool => "System.Boolean",
            Self::Char => "System.Char",
            Self::SByte => "System.SByte",
            Self::Byte => "System.Byte",
            Self::Int16 => "System.Int16",
            Self::UInt16 => "System.UInt16",
            Self::Int32 => "System.Int32",
            Self::UInt32 => "System.UInt32",
            Self::Int64 => "System.Int64",
            Self::UInt64 => "System.UInt64",
            Self::Single => "System.Single",
            Self::Double => "System.Double",
            Self::Decimal => "System.Decimal",
            Self::Guid => "System.Guid",
            Self::DateTime => "System.DateTime",
            Self::DateTimeOffset => "System.DateTimeOffset",
            Self::TimeSpan => "System.TimeSpan",
            Self::Nullable(_) => "System.Nullable",
            Self::Array(_) => names::ARRAY,
            Self::Func(_) => names::DELEGATE,
            Self::Named(name, _) => name,
            Self::Tuple(..) => names::VALUETUPLE,
            _ => return None,
        })
    }
}

/// C#'s spelling: `int?`, `string[]`, `List<string>`, `Func<int, bool>`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::Void => "void",
            Self::Null => "null",
            Self::Error => "?",
            Self::Object => "object",
            Self::String => "string",
            Self::Bool => "bool",
            Self::Char => "char",
            Self::SByte => "sbyte",
            Self::Byte => "byte",
            Self::Int16 => "short",
            Self::UInt16 => "ushort",
            Self::Int32 => "int",
            Self::UInt32 => "uint",
            Self::Int64 => "long",
            Self::UInt64 => "ulong",
            Self::Single => "float",
            Self::Double => "double",
            Self::Decimal => "decimal",
            Self::Guid => "Guid",
            Self::DateTime => "DateTime",
            Self::DateTimeOffset => "DateTimeOffset",
            Self::TimeSpan => "TimeSpan",
            Self::Nullable(it) => return write!(f, "{it}?"),
            Self::Array(it) => return write!(f, "{it}[]"),
            Self::Out(it) => return write!(f, "out {it}"),
            Self::Params(it) => return write!(f, "params {it}[]"),
            Self::Named(names::ARRAY2, [it]) => return write!(f, "{it}[,]"),
            Self::Named(names::ARRAY3, [it]) => return write!(f, "{it}[,,]"),
            Self::Named(name, list) => {
                f.write_str(name.rsplit('.').next().unwrap_or(name))?;
                if list.is_empty() {
                    return Ok(());
                }
                return write!(f, "<{}>", join(list, |it| it.to_string()));
            }
            Self::Tuple(list, names) => {
                let names = names.iter().copied().chain(std::iter::repeat(""));
                let items: Vec<String> =
                    list.iter().zip(names).map(|(it, name)| format!("{it} {name}")).collect();
                let items: Vec<&str> = items.iter().map(|it| it.trim_end()).collect();
                return write!(f, "({})", items.join(", "));
            }
            Self::Dynamic => "dynamic",
            Self::Func(list) => return f.write_str(&delegate_name(list, "", |it| it.to_string())),
            Self::Anonymous(it) => {
                let fields: Vec<String> =
                    it.fields.iter().map(|(name, t)| format!("{t} {name}")).collect();
                return write!(f, "<anonymous: {}>", fields.join(", "));
            }
            Self::TypeArg(0) | Self::MethodArg(0) => "T",
            Self::TypeArg(_) => "TValue",
            Self::MethodArg(1) => "TResult",
            Self::MethodArg(n) => return write!(f, "T{n}"),
        })
    }
}

fn join(list: &[Type], name: impl Fn(Type) -> String) -> String {
    list.iter().map(|it| name(*it)).collect::<Vec<_>>().join(",")
}

fn delegate_name(list: &[Type], prefix: &str, name: impl Fn(Type) -> String) -> String {
    match list.split_last() {
        None | Some((Type::Void, [])) => format!("{prefix}Action"),
        Some((Type::Void, parameters)) => format!("{prefix}Action<{}>", join(parameters, name)),
        Some(_) => format!("{prefix}Func<{}>", join(list, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn types_are_written_as_in_c_sharp() {
        let cases = [
            (nullable(Type::Int32), "int?", "System.Nullable<System.Int32>"),
            (Type::STRINGS, "string[]", "System.String[]"),
            (
                named(names::LIST, &[array(Type::String)]),
                "List<string[]>",
                "System.Collections.Generic.List<System.String[]>",
            ),
            (
                func(&[Type::Int32, Type::Bool]),
                "Func<int,bool>",
                "System.Func<System.Int32,System.Boolean>",
            ),
            (func(&[Type::Void]), "Action", "System.Action"),
        ];
        for (of, short, full) in cases {
            assert_eq!(of.to_string(), short);
            assert_eq!(of.full_name(), full);
        }
    }
}
