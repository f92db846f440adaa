//! Types that the language itself stands on.

pub(crate) mod boolean;
pub(crate) mod buffer;
pub(crate) mod console;
mod exception_codes;
pub(crate) mod exceptions;
pub(crate) mod nullable;
pub(crate) mod object;
pub mod span;
pub(crate) mod type_info;

pub use exceptions::ExceptionObject;
pub use object::TypeObject;
