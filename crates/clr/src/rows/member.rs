//! Rows: one [`Member`] per member of a .NET type.
//!
//! The binder reads a row's signature, the evaluator calls its function, completion and the
//! reference pages read its name and documentation. A member without a row does not exist.

use std::fmt;

use super::args::Args;
use crate::Uses;
use crate::cx::EvalCx;
use crate::exception::Exception;
use crate::host::Host;
use crate::types::Type;
use crate::value::Value;

/// What a row does. Instance members find their object at argument 0; it is never null there.
pub type Call = fn(&mut Args<'_>, &mut EvalCx<'_>) -> Result<Value, Exception>;

/// Reads a member of a part of `context` from the host, without an object in between; `None` if
/// the part is not there.
#[derive(Clone, Copy)]
pub enum Read {
    /// Any value.
    Value(fn(&dyn Host) -> Option<Value>),
    /// An `int`.
    Int(fn(&dyn Host) -> Option<i32>),
}

/// Finds an item of a part of `context` that is a dictionary and always there, without copying it.
pub type Find = for<'h> fn(&'h dyn Host, &str) -> Option<&'h Value>;

/// One member of a .NET type.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Member {
    /// `Join`; `.ctor` for constructors, `Item` for indexers, `+` for operators.
    pub name: &'static str,
    /// What it is.
    pub kind: MemberKind,
    /// Types of the parameters, without the object of instance members. The first parameter of an
    /// extension method is the one it extends.
    pub params: &'static [Type],
    /// What it returns.
    pub returns: Type,
    /// Names of the parameters, for named arguments and messages; may be shorter than `params`.
    pub names: &'static [&'static str],
    /// Default values of the last parameters.
    pub defaults: &'static [Constant],
    /// Reads it.
    pub call: Call,
    /// Writes it: properties and indexers. The value is the last argument. Of a struct, it leaves
    /// its object alone and returns a changed copy.
    pub set: Option<Call>,
    /// Reads it from the host, if its object is a part of the request being handled.
    pub read: Option<Read>,
    /// Finds an item of the dictionary that it is.
    pub find: Option<Find>,
    /// The value of a constant: `int.MaxValue`.
    pub constant: Option<Constant>,
    /// Is it on Azure's allow-list?
    pub listed: bool,
    /// Is it there only so that calls are ambiguous where C# says so? Nothing an expression may
    /// use has the type of its parameter.
    pub rival: bool,
    /// Is it there in GraphQL resolvers only?
    pub in_resolvers: bool,
    /// What of the request or response an expression reads through it.
    pub uses: Uses,
    /// Must its type arguments be reference types (`where T : class`)?
    pub of_classes: bool,
    /// Must its type arguments be value types (`where T : struct`)?
    pub of_structs: bool,
    /// One sentence for completion and reference pages.
    pub summary: &'static str,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MemberKind {
    StaticMethod,
    Method,
    StaticProperty,
    Property,
    Constructor,
    Indexer,
    /// A static method that may be called on its first argument.
    Extension,
    /// A user-defined implicit conversion, from its parameter to its result.
    Implicit,
    /// A user-defined explicit conversion.
    Explicit,
    /// A user-defined operator, by its text (`+`, `==`, `-`).
    Operator,
}

/// A value in a row: a default of a parameter, a constant field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constant {
    /// `null`, `0`, `false`: the default of the type.
    Default,
    /// A `bool`.
    Bool(bool),
    /// Any integer type or enum, by the declared type.
    Integer(i64),
    /// `ulong` beyond `long.MaxValue`.
    Unsigned(u64),
    /// A `char`.
    Char(u16),
    /// A `float` or `double`, by the declared type.
    Float(f64),
    /// A `string`.
    Text(&'static str),
}

impl Constant {
    /// The value as one of the declared type.
    #[must_use]
    pub fn value(self, declared: Type) -> Value {
        match self {
            Self::Default => super::default_value(declared),
            Self::Bool(it) => Value::Bool(it),
            Self::Char(it) => Value::Char(it),
            Self::Text(it) => Value::text(it),
            #[expect(clippy::cast_possible_truncation, reason = "the row's type says float")]
            Self::Float(it) if declared == Type::Single => Value::Single(it as f32),
            Self::Float(it) => Value::Double(it),
            Self::Unsigned(it) => Value::ULong(it),
            Self::Integer(it) => super::integer_of(declared, it),
        }
    }
}

const fn row(
    name: &'static str,
    kind: MemberKind,
    params: &'static [Type],
    returns: Type,
    call: Call,
) -> Member {
    Member {
        name,
        kind,
        params,
        returns,
        names: &[],
        defaults: &[],
        call,
        set: None,
        read: None,
        find: None,
        constant: None,
        listed: true,
        rival: false,
        in_resolvers: false,
        uses: Uses::NONE,
        of_classes: false,
        of_structs: false,
        summary: "",
    }
}

fn read_constant(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let member = args.member();
    Ok(member.constant.map_or(Value::Null, |it| it.value(member.returns)))
}

fn read_part(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    args.member().read_from(cx.host())
}

impl Member {
    /// `T.Name(..)`.
    #[must_use]
    pub const fn static_method(
        name: &'static str,
        params: &'static [Type],
        returns: Type,
        call: Call,
    ) -> Self {
        row(name, MemberKind::StaticMethod, params, returns, call)
    }

    /// `x.Name(..)`; argument 0 is `x`.
    #[must_use]
    pub const fn method(
        name: &'static str,
        params: &'static [Type],
        returns: Type,
        call: Call,
    ) -> Self {
        row(name, MemberKind::Method, params, returns, call)
    }

    /// `x.Name(..)` of a static class: `params[0]` is the type of `x`.
    #[must_use]
    pub const fn extension(
        name: &'static str,
        params: &'static [Type],
        returns: Type,
        call: Call,
    ) -> Self {
        row(name, MemberKind::Extension, params, returns, call)
    }

    /// `T.Name`.
    #[must_use]
    pub const fn static_property(name: &'static str, returns: Type, call: Call) -> Self {
        row(name, MemberKind::StaticProperty, &[], returns, call)
    }

    /// `T.Name`, a compile-time constant.
    #[must_use]
    pub const fn constant(name: &'static str, returns: Type, value: Constant) -> Self {
        let mut it = row(name, MemberKind::StaticProperty, &[], returns, read_constant);
        it.constant = Some(value);
        it
    }

    /// `x.Name`; argument 0 is `x`.
    #[must_use]
    pub const fn property(name: &'static str, returns: Type, call: Call) -> Self {
        row(name, MemberKind::Property, &[], returns, call)
    }

    /// A property of a part of `context` that only the request being handled has.
    #[must_use]
    pub const fn part(
        name: &'static str,
        returns: Type,
        read: fn(&dyn Host) -> Option<Value>,
    ) -> Self {
        row(name, MemberKind::Property, &[], returns, read_part).read(read)
    }

    /// `x[..]`; argument 0 is `x`.
    #[must_use]
    pub const fn indexer(params: &'static [Type], returns: Type, call: Call) -> Self {
        row("Item", MemberKind::Indexer, params, returns, call)
    }

    /// `new T(..)`. `returns` is the type itself: `Type::Named(LIST, &[Type::T])`.
    #[must_use]
    pub const fn constructor(params: &'static [Type], returns: Type, call: Call) -> Self {
        row(".ctor", MemberKind::Constructor, params, returns, call)
    }

    /// A user-defined implicit conversion; put it in the type that declares it in .NET.
    #[must_use]
    pub const fn implicit(from: &'static [Type; 1], to: Type, call: Call) -> Self {
        row("op_Implicit", MemberKind::Implicit, from, to, call)
    }

    /// A user-defined explicit conversion.
    #[must_use]
    pub const fn explicit(from: &'static [Type; 1], to: Type, call: Call) -> Self {
        row("op_Explicit", MemberKind::Explicit, from, to, call)
    }

    /// A user-defined operator; one parameter makes it unary.
    #[must_use]
    pub const fn operator(
        text: &'static str,
        params: &'static [Type],
        returns: Type,
        call: Call,
    ) -> Self {
        row(text, MemberKind::Operator, params, returns, call)
    }

    /// Names the parameters.
    #[must_use]
    pub const fn params(mut self, names: &'static [&'static str]) -> Self {
        self.names = names;
        self
    }

    /// Makes the last parameters optional.
    #[must_use]
    pub const fn defaults(mut self, values: &'static [Constant]) -> Self {
        self.defaults = values;
        self
    }

    /// Makes a property or an indexer writable.
    #[must_use]
    pub const fn set(mut self, call: Call) -> Self {
        self.set = Some(call);
        self
    }

    /// Says how it is read from the host directly.
    #[must_use]
    pub const fn read(mut self, read: fn(&dyn Host) -> Option<Value>) -> Self {
        self.read = Some(Read::Value(read));
        self
    }

    /// Says how an `int` is read from the host directly.
    #[must_use]
    pub const fn read_int(mut self, read: fn(&dyn Host) -> Option<i32>) -> Self {
        self.read = Some(Read::Int(read));
        self
    }

    /// Says how an item of the dictionary that it is is found.
    #[must_use]
    pub const fn find(mut self, find: Find) -> Self {
        self.find = Some(find);
        self
    }

    /// Reads it from the host.
    ///
    /// # Errors
    ///
    /// `NullReferenceException` if the part of `context` is not there.
    #[inline]
    pub fn read_from(&self, host: &dyn Host) -> Result<Value, Exception> {
        let value = match self.read {
            Some(Read::Value(read)) => read(host),
            Some(Read::Int(read)) => read(host).map(Value::Int),
            None => None,
        };
        value.ok_or_else(Exception::null_reference)
    }

    /// Not on Azure's allow-list: refused unless the options widen it.
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// There only to be weighed against others: no expression has what it takes, but null.
    #[must_use]
    pub const fn rival(mut self) -> Self {
        self.listed = false;
        self.rival = true;
        self
    }

    /// There in GraphQL resolvers only.
    #[must_use]
    pub const fn in_resolvers(mut self) -> Self {
        self.in_resolvers = true;
        self
    }

    /// Says what of the request or the response is read.
    #[must_use]
    pub const fn uses(mut self, uses: Uses) -> Self {
        self.uses = uses;
        self
    }

    /// Its type arguments must be reference types.
    #[must_use]
    pub const fn of_classes(mut self) -> Self {
        self.of_classes = true;
        self
    }

    /// With type arguments that must be value types (`where T : struct`).
    #[must_use]
    pub const fn of_structs(mut self) -> Self {
        self.of_structs = true;
        self
    }

    /// One sentence about it.
    #[must_use]
    pub const fn doc(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// Has a type with these type arguments the member? Of a tuple's items, only as many as it has.
    #[must_use]
    pub fn is_of(&self, arguments: &[Type]) -> bool {
        !matches!(self.returns, Type::TypeArg(n) if usize::from(n) >= arguments.len())
    }

    /// Does it belong to an object?
    #[must_use]
    pub const fn is_instance(&self) -> bool {
        matches!(self.kind, MemberKind::Method | MemberKind::Property | MemberKind::Indexer)
    }

    /// The name of a parameter; empty if the row does not say.
    #[must_use]
    pub fn parameter_name(&self, index: usize) -> &'static str {
        self.names.get(index).copied().unwrap_or("")
    }

    /// How many type parameters the method has.
    #[must_use]
    pub fn generic_arity(&self) -> usize {
        fn highest(of: Type) -> usize {
            match of {
                Type::MethodArg(n) => usize::from(n) + 1,
                Type::Nullable(it) | Type::Array(it) | Type::Out(it) | Type::Params(it) => {
                    highest(*it)
                }
                Type::Named(_, all) | Type::Func(all) | Type::Tuple(all, _) => {
                    all.iter().map(|it| highest(*it)).max().unwrap_or(0)
                }
                _ => 0,
            }
        }
        let named = self.params.iter().chain([&self.returns]).map(|it| highest(*it)).max();
        // A type parameter may occur nowhere: `RemoveAnnotations<T>()`.
        named.unwrap_or(0).max(usize::from(self.of_classes))
    }
}

/// The signature as C# would write it.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skip = usize::from(self.kind == MemberKind::Extension);
        let params: Vec<String> = self
            .params
            .iter()
            .enumerate()
            .skip(skip)
            .map(|(i, it)| format!("{it} {}", self.parameter_name(i)).trim_end().to_owned())
            .collect();
        let params = params.join(", ");
        match self.kind {
            MemberKind::Property | MemberKind::StaticProperty => {
                write!(f, "{} {}", self.returns, self.name)
            }
            MemberKind::Indexer => write!(f, "{} this[{params}]", self.returns),
            MemberKind::Constructor => write!(f, "new {}({params})", self.returns),
            _ => write!(f, "{} {}({params})", self.returns, self.name),
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Member =
        Member::static_method("Parse", &[Type::String, Type::Params(&Type::M)], Type::N, |_, _| {
            Ok(Value::Null)
        })
        .params(&["text"]);

    #[test]
    fn a_row_shows_its_signature() {
        assert_eq!(ROW.to_string(), "TResult Parse(string text, params T[])");
        assert_eq!(ROW.generic_arity(), 2);
    }

    #[test]
    fn a_constant_takes_the_declared_type() {
        assert!(Constant::Integer(5).value(Type::Int64).equals(&Value::from(5_i64)));
        assert!(Constant::Default.value(Type::Bool).equals(&Value::from(false)));
        assert!(Constant::Default.value(Type::String).is_null());
    }
}
