//! The .NET library: one file per type, one row per member.
//!
//! # How to add a .NET type
//!
//! 1. Make a file named after the type in the folder of its area. Its header links the type's page.
//! 2. Write `pub(crate) const TYPE: TypeDef`: [`TypeDef::class`], [`TypeDef::structure`],
//!    [`TypeDef::interface`], [`TypeDef::static_class`] or [`TypeDef::enumeration`], with the full
//!    .NET name (no arity), `.generic(n)` for type parameters, `.bases(&[..])` for base type and
//!    interfaces (their members are inherited), and `.unlisted()` if Azure's allow-list lacks it.
//! 3. Write one [`Member`] per member: see `core/boolean.rs`, a complete example. Types in
//!    signatures are constants: `Type::String`, `Type::Nullable(&Type::Int32)`,
//!    `Type::Array(&Type::Byte)`, `Type::Named(names::LIST, &[Type::String])`,
//!    `Type::Func(&[Type::M, Type::Bool])`, `Type::Params(&Type::Object)` for `params object[]`,
//!    `Type::Out(&Type::Int32)` for `out int`. `Type::T`, `Type::U` are the type parameters of the
//!    type, `Type::M`, `Type::N`, `Type::O` those of a generic method, which the binder infers.
//! 4. Add one line to [`TYPES`].
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

pub(crate) mod args;
pub(crate) mod collections;
pub(crate) mod context;
pub(crate) mod core;
pub(crate) mod crypto;
pub(crate) mod json;
pub(crate) mod linq;
pub(crate) mod lookup;
pub(crate) mod member;
pub(crate) mod regex;
pub(crate) mod text;
pub(crate) mod typedef;
pub(crate) mod xml;

pub use args::{Args, FromArgs, FromValue};
pub use lookup::{
    base_types, default_value, definition, find_type, integer_of, is_covariant,
    is_reference_convertible,
};
pub use member::{Constant, Member, MemberKind};
pub use typedef::{TypeDef, TypeKind};

use crate::cx::EvalCx;
use crate::exception::Exception;
use crate::types::Type;
use crate::value::Value;

/// Every .NET type, one line each.
pub(crate) static TYPES: &[&TypeDef] = &[
    // The language's own.
    &core::object::TYPE,
    &core::boolean::TYPE,
    &core::nullable::TYPE,
    &core::type_info::TYPE,
    // ---- Text, numbers, time ----
    &text::bitconverter::TYPE,
    &text::char::TYPE,
    &text::convert::TYPE,
    &text::datetime::TYPE,
    &text::datetimeoffset::TYPE,
    &text::decimal::TYPE,
    &text::encoding::TYPE,
    &text::enumeration::TYPE,
    &text::environment::TYPE,
    &text::guid::TYPE,
    &text::ipaddress::TYPE,
    &text::math::TYPE,
    &text::random::TYPE,
    &text::string::TYPE,
    &text::string_comparer::TYPE,
    &text::stringbuilder::TYPE,
    &text::timespan::TYPE,
    &text::uri::TYPE,
    &text::version::TYPE,
    &text::webutility::TYPE,
    // ---- Collections and LINQ ----
    &collections::array::TYPE,
    &collections::dictionary::TYPE,
    &collections::dictionary::KEYS,
    &collections::dictionary::VALUES,
    &collections::enumerator::TYPE,
    &collections::hash_set::TYPE,
    &collections::key_value_pair::TYPE,
    &collections::list::TYPE,
    &collections::queue::TYPE,
    &collections::stack::TYPE,
    &collections::tuple::TYPE,
    &linq::TYPE,
    &linq::IGROUPING,
    &linq::ILOOKUP,
    &linq::IORDEREDENUMERABLE,
    // ---- Context ----
    &context::api::TYPE,
    &context::api::KEY_NAMES,
    &context::backend::TYPE,
    &context::backend::WORKSPACE,
    &context::basic::TYPE,
    &context::body::TYPE,
    &context::deployment::TYPE,
    &context::deployment::GATEWAY,
    &context::deployment::SUSTAINABILITY,
    &context::deployment::CARBON_INTENSITY,
    &context::extensions::TYPE,
    &context::form::TYPE,
    &context::jwt::TYPE,
    &context::last_error::TYPE,
    &context::operation::TYPE,
    &context::product::TYPE,
    &context::product::STATE,
    &context::request::TYPE,
    &context::request::FOUNDRY,
    &context::request::PRIVATE_ENDPOINT,
    &context::response::TYPE,
    &context::root::TYPE,
    &context::subscription::TYPE,
    &context::url::TYPE,
    &context::user::TYPE,
    &context::user::GROUP,
    &context::user::IDENTITY,
    // ---- JSON ----
    &json::extensions::TYPE,
    &json::jarray::TYPE,
    &json::jconstructor::TYPE,
    &json::jcontainer::TYPE,
    &json::jenumerable::TYPE,
    &json::jobject::TYPE,
    &json::jproperty::TYPE,
    &json::jraw::TYPE,
    &json::json_convert::TYPE,
    &json::jtoken::TYPE,
    &json::jvalue::TYPE,
    // ---- XML ----
    &xml::extensions::TYPE,
    &xml::xattribute::TYPE,
    &xml::xcontainer::TYPE,
    &xml::xdeclaration::TYPE,
    &xml::xdocument::TYPE,
    &xml::xelement::TYPE,
    &xml::xname::TYPE,
    &xml::xnamespace::TYPE,
    &xml::xnode::TYPE,
    &xml::xobject::TYPE,
    // ---- Regular expressions ----
    &regex::capture::TYPE,
    &regex::group::TYPE,
    &regex::matches::TYPE,
    &regex::options::TYPE,
    &regex::regex_type::TYPE,
    // ---- Cryptography ----
    &crypto::extensions::TYPE,
    &crypto::hash_algorithm::TYPE,
    &crypto::hash_algorithm_name::TYPE,
    &crypto::oid::TYPE,
    &crypto::rng::TYPE,
    &crypto::symmetric_algorithm::TYPE,
    &crypto::symmetric_algorithm::AES_TYPE,
];

/// Tables of small types that share a file (exceptions, enums).
pub(crate) static TABLES: &[&[TypeDef]] = &[
    core::exceptions::TYPES,
    text::culture::TYPES,
    text::enums::TYPES,
    text::floats::TYPES,
    text::integers::TYPES,
    text::reader::TYPES,
    text::timezone::TYPES,
    collections::interfaces::TYPES,
    json::enums::TYPES,
    json::settings::TYPES,
    regex::collections::TYPES,
    crypto::enums::TYPES,
    crypto::hashes::TYPES,
    crypto::hmac::TYPES,
    crypto::rsa::TYPES,
    crypto::x509_certificate::TYPES,
    xml::comparers::TYPES,
    xml::enums::TYPES,
    xml::xtext::TYPES,
];

pub(crate) use context::cursor as context_cursor;

/// `T.Parse(text)` of a type, for Rust code that needs what expressions write so.
///
/// # Errors
///
/// What parsing throws; `NotSupportedException` if the type has no such member.
pub(crate) fn parse(name: &str, text: Value, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let fits = |it: &&Member| it.name == "Parse" && it.params == [Type::String];
    let Some(row) = definition(name).and_then(|it| it.members.iter().find(fits)) else {
        let message = format!("{name} cannot be read from text.");
        return Err(Exception::new("System.NotSupportedException", message));
    };
    let mut values = [text];
    (row.call)(&mut Args::new(row, &mut values, &[], &[], row.returns), cx)
}
