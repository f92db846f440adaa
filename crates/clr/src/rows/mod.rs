//! Rows: what is known of a .NET type, one row per member. The types themselves are in the crates
//! above: `corelib`, `library`, and `context` in `expr`.
//!
//! # How to add a .NET type
//!
//! 1. Make a file named after the type in the folder of its area, in the crate of its assembly. Its header links the type's page.
//! 2. Write `pub(crate) const TYPE: TypeDef`: [`TypeDef::class`], [`TypeDef::structure`],
//!    [`TypeDef::interface`], [`TypeDef::static_class`] or [`TypeDef::enumeration`], with the full
//!    .NET name (no arity), `.generic(n)` for type parameters, `.bases(&[..])` for base type and
//!    interfaces (their members are inherited), and `.unlisted()` if Azure's allow-list lacks it.
//! 3. Write one [`Member`] per member: see `corelib/src/language/boolean.rs`, a complete example. Types in
//!    signatures are constants: `Type::String`, `Type::Nullable(&Type::Int32)`,
//!    `Type::Array(&Type::Byte)`, `Type::Named(names::LIST, &[Type::String])`,
//!    `Type::Func(&[Type::M, Type::Bool])`, `Type::Params(&Type::Object)` for `params object[]`,
//!    `Type::Out(&Type::Int32)` for `out int`. `Type::T`, `Type::U` are the type parameters of the
//!    type, `Type::M`, `Type::N`, `Type::O` those of a generic method, which the binder infers.
//! 4. Add one line to the list `TYPES` of the crate.
//!
//! A row's function gets its arguments already converted to the parameters' types, the object
//! first. It takes them with [`Args::take`] or [`Args::get`], counts what it allocates and what it
//! loops over with [`EvalCx::allocate`](crate::cx::EvalCx::allocate) and
//! [`EvalCx::steps`](crate::cx::EvalCx::steps), and calls lambdas with
//! [`EvalCx::invoke`](crate::cx::EvalCx::invoke). Objects with a Rust type of their own implement
//! [`Object`](crate::value::Object).
//!
//! Members of `object` (`ToString()`, `Equals`, `GetHashCode`, `GetType`) exist for every type and
//! need no row, unless a type has overloads of its own.

mod args;
mod lookup;
mod member;
mod table;
mod typedef;

pub use args::{Args, FromArgs, FromValue};
pub use lookup::{
    all, base_types, default_value, definition, find_type, integer_of, is_covariant,
    is_reference_convertible, owner, register, type_of,
};
pub use member::{Call, Constant, Find, Member, MemberKind, Read};
pub use table::{count, joined};
pub use typedef::{TypeDef, TypeKind};

use crate::cx::EvalCx;
use crate::exception::Exception;
use crate::types::Type;
use crate::value::Value;

/// `T.Parse(text)` of a type, for Rust code that needs what expressions write so.
///
/// # Errors
///
/// What parsing throws; `NotSupportedException` if the type has no such member.
pub fn parse(name: &str, text: Value, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let fits = |it: &&Member| it.name == "Parse" && it.params == [Type::String];
    let Some(row) = definition(name).and_then(|it| it.members.iter().find(fits)) else {
        let message = format!("{name} cannot be read from text.");
        return Err(Exception::new("System.NotSupportedException", message));
    };
    call(row, text, cx)
}

/// `new T(bytes)` of a type, for Rust code that needs what expressions make so.
///
/// # Errors
///
/// What the constructor throws; `NotSupportedException` if the type has no such constructor.
pub fn create(name: &str, bytes: Value, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let fits = |it: &&Member| it.kind == MemberKind::Constructor && it.params == [Type::BYTES];
    let Some(row) = definition(name).and_then(|it| it.members.iter().find(fits)) else {
        let message = format!("{name} cannot be made of bytes.");
        return Err(Exception::new("System.NotSupportedException", message));
    };
    call(row, bytes, cx)
}

/// Calls a row with one argument.
fn call(row: &'static Member, argument: Value, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let mut values = [argument];
    (row.call)(&mut Args::new(row, &mut values, &[], &[], row.returns), cx)
}
