//! Static types: what the binder knows of an expression, and what a reified value carries.
//!
//! A [`Type`] is small and `Copy`. Rows of the library write types as constants
//! (`Type::Array(&Type::String)`); the binder makes new ones at run time through [`array`],
//! [`named`], [`nullable`], [`func`] and [`anonymous`], which intern them. The table of interned
//! types is bounded ([`MAX_INTERNED`]).
//!
//! Named .NET types are known by their full name without arity, so that one file's rows may speak
//! of types that another file defines.

use std::collections::HashSet;
use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};

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

/// Names of .NET types that several files speak of.
pub mod names {
    macro_rules! names {
        ($($name:ident = $text:literal),* $(,)?) => { $(
            #[doc = concat!("`", $text, "`")]
            pub const $name: &str = $text;
        )* };
    }
    names! {
        IENUMERABLE = "System.Collections.Generic.IEnumerable",
        IENUMERATOR = "System.Collections.Generic.IEnumerator",
        ICOLLECTION = "System.Collections.Generic.ICollection",
        ILIST = "System.Collections.Generic.IList",
        ISET = "System.Collections.Generic.ISet",
        IDICTIONARY = "System.Collections.Generic.IDictionary",
        IREADONLYCOLLECTION = "System.Collections.Generic.IReadOnlyCollection",
        IREADONLYLIST = "System.Collections.Generic.IReadOnlyList",
        IREADONLYDICTIONARY = "System.Collections.Generic.IReadOnlyDictionary",
        DICTIONARY = "System.Collections.Generic.Dictionary",
        LIST = "System.Collections.Generic.List",
        HASHSET = "System.Collections.Generic.HashSet",
        QUEUE = "System.Collections.Generic.Queue",
        STACK = "System.Collections.Generic.Stack",
        KEYVALUEPAIR = "System.Collections.Generic.KeyValuePair",
        IEQUALITYCOMPARER = "System.Collections.Generic.IEqualityComparer",
        ICOMPARER = "System.Collections.Generic.IComparer",
        IGROUPING = "System.Linq.IGrouping",
        ILOOKUP = "System.Linq.ILookup",
        IORDEREDENUMERABLE = "System.Linq.IOrderedEnumerable",
        IENUMERABLE_PLAIN = "System.Collections.IEnumerable",
        IDISPOSABLE = "System.IDisposable",
        ICOMPARABLE = "System.IComparable",
        IEQUATABLE = "System.IEquatable",
        IFORMATTABLE = "System.IFormattable",
        IFORMATPROVIDER = "System.IFormatProvider",
        EXCEPTION = "System.Exception",
        ENUM = "System.Enum",
        VALUETYPE = "System.ValueType",
        DELEGATE = "System.Delegate",
        ARRAY = "System.Array",
        TUPLE = "System.Tuple",
        STRINGCOMPARER = "System.StringComparer",
        STRINGCOMPARISON = "System.StringComparison",
        STRINGBUILDER = "System.Text.StringBuilder",
        ENCODING = "System.Text.Encoding",
        URI = "System.Uri",
        RANDOM = "System.Random",
        TYPE = "System.Type",
        JTOKEN = "Newtonsoft.Json.Linq.JToken",
        JCONTAINER = "Newtonsoft.Json.Linq.JContainer",
        JOBJECT = "Newtonsoft.Json.Linq.JObject",
        JARRAY = "Newtonsoft.Json.Linq.JArray",
        JVALUE = "Newtonsoft.Json.Linq.JValue",
        JPROPERTY = "Newtonsoft.Json.Linq.JProperty",
        JTOKENTYPE = "Newtonsoft.Json.Linq.JTokenType",
        FORMATTING = "Newtonsoft.Json.Formatting",
        XOBJECT = "System.Xml.Linq.XObject",
        XNODE = "System.Xml.Linq.XNode",
        XCONTAINER = "System.Xml.Linq.XContainer",
        XELEMENT = "System.Xml.Linq.XElement",
        XDOCUMENT = "System.Xml.Linq.XDocument",
        XATTRIBUTE = "System.Xml.Linq.XAttribute",
        XNAME = "System.Xml.Linq.XName",
        XNAMESPACE = "System.Xml.Linq.XNamespace",
        REGEX = "System.Text.RegularExpressions.Regex",
        MATCH = "System.Text.RegularExpressions.Match",
        X509CERTIFICATE2 = "System.Security.Cryptography.X509Certificates.X509Certificate2",
        ICONTEXT = "Apim.IProxyRequestContext",
        IREQUEST = "Apim.IRequest",
        IRESPONSE = "Apim.IResponse",
        IMESSAGEBODY = "Apim.IMessageBody",
        IURL = "Apim.IUrl",
        JWT = "Apim.Jwt",
        BASIC = "Apim.BasicAuthCredentials",
    }
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
            Self::Nullable(_) => true,
            Self::Named(name, _) => {
                crate::library::definition(name).is_some_and(|it| it.is_value_type())
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
            Self::Named(name, _) => crate::library::definition(name).is_some_and(|it| it.is_enum()),
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
            Self::Named(_, all) | Self::Func(all) => all.iter().any(|it| it.is_open()),
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
            other => other,
        }
    }

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
            Self::Named(name, list) => return format!("{name}<{}>", join(list, Self::full_name)),
            Self::Func(list) => return delegate_name(list, "System.", Self::full_name),
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
            Self::Named(name, list) => {
                f.write_str(name.rsplit('.').next().unwrap_or(name))?;
                if list.is_empty() {
                    return Ok(());
                }
                return write!(f, "<{}>", join(list, |it| it.to_string()));
            }
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

/// `T?`; of a type that has null already, the type itself.
#[must_use]
pub fn nullable(of: Type) -> Type {
    match of {
        Type::Nullable(_) | Type::Error | Type::Null => of,
        _ => Type::Nullable(intern(of)),
    }
}

/// `T[]`.
#[must_use]
pub fn array(of: Type) -> Type {
    Type::Array(intern(of))
}

/// A named type with type arguments.
#[must_use]
pub fn named(name: &'static str, arguments: &[Type]) -> Type {
    Type::Named(name, intern_list(arguments))
}

/// `IEnumerable<T>`.
#[must_use]
pub fn enumerable(item: Type) -> Type {
    named(names::IENUMERABLE, &[item])
}

/// A delegate of parameters and result, result last.
#[must_use]
pub fn func(parameters_and_result: &[Type]) -> Type {
    Type::Func(intern_list(parameters_and_result))
}

/// An anonymous type.
#[must_use]
pub fn anonymous(fields: Vec<(String, Type)>) -> Type {
    let wanted = AnonymousType { fields };
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = table.anonymous.get(&wanted) {
        return Type::Anonymous(known);
    }
    if table.is_full() {
        return Type::Object;
    }
    let leaked: &'static AnonymousType = Box::leak(Box::new(wanted));
    table.anonymous.insert(leaked);
    Type::Anonymous(leaked)
}

/// A reference to the type that lives for ever.
#[must_use]
pub fn intern(of: Type) -> &'static Type {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = table.types.get(&of) {
        return known;
    }
    if table.is_full() {
        return &Type::Object;
    }
    let leaked: &'static Type = Box::leak(Box::new(of));
    table.types.insert(leaked);
    leaked
}

/// A text that lives for ever: the default value of a local function's parameter.
#[must_use]
pub fn leak_text(text: &str) -> &'static str {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = table.texts.get(text) {
        return known;
    }
    if table.is_full() {
        return "";
    }
    let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
    table.texts.insert(leaked);
    leaked
}

/// A list of types that lives for ever.
#[must_use]
pub fn list(of: &[Type]) -> &'static [Type] {
    intern_list(of)
}

fn intern_list(list: &[Type]) -> &'static [Type] {
    if list.is_empty() {
        return &[];
    }
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = table.lists.get(list) {
        return known;
    }
    if table.is_full() {
        const OBJECTS: [Type; 16] = [Type::Object; 16];
        return OBJECTS.get(..list.len()).unwrap_or(&OBJECTS);
    }
    let leaked: &'static [Type] = Box::leak(list.to_vec().into_boxed_slice());
    table.lists.insert(leaked);
    leaked
}

#[derive(Default)]
struct Table {
    types: HashSet<&'static Type>,
    lists: HashSet<&'static [Type]>,
    anonymous: HashSet<&'static AnonymousType>,
    texts: HashSet<&'static str>,
}

impl Table {
    fn is_full(&self) -> bool {
        self.types.len() + self.lists.len() + self.anonymous.len() + self.texts.len()
            >= MAX_INTERNED
    }
}

static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn equal_types_are_interned_once() {
        assert_eq!(named(names::LIST, &[Type::String]), Type::Named(names::LIST, &[Type::String]));
        let fields = || vec![("a".to_owned(), Type::Int32)];
        assert_eq!(anonymous(fields()), anonymous(fields()));
    }

    #[test]
    fn substitution_reaches_every_depth() {
        let open = Type::Func(&[Type::M, Type::Array(&Type::N)]);
        let closed = open.substitute(&[], &[Some(Type::Int32), Some(Type::String)]);
        assert_eq!(closed, func(&[Type::Int32, Type::STRINGS]));
        assert!(open.is_open() && !closed.is_open());
    }
}
