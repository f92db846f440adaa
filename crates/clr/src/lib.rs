//! What the .NET runtime knows: types, values, exceptions, and how members are called.
//!
//! ```text
//! types      Type: static types, interned
//! value      Value: what is in an `object`; lists, sequences, delegates, objects
//! exception  Exception: what is thrown, and the end of the budget
//! cx         EvalCx: one evaluation: host, budget, variables
//! host       Host: what an expression may see of a request
//! rows       Member, TypeDef: one row per member of a .NET type, and finding them
//! ```
//!
//! The rows themselves are in the crates above; they make themselves known with
//! [`rows::register`]. Nothing here knows C#, compiles or does I/O.

pub mod cx;
pub mod exception;
pub mod handlers;
pub mod host;
mod limits;
pub mod rows;
pub mod slot;
pub mod types;
mod uses;
pub mod value;

pub use cx::EvalCx;
pub use exception::Exception;
pub use host::{Host, Variables};
pub use limits::Limits;
pub use types::Type;
pub use uses::Uses;
pub use value::{JwtValue, Value};

#[cfg(test)]
mod test_support {
    //! Evaluations for unit tests.

    use dotnet::Runtime;

    use crate::{EvalCx, Limits};

    /// Runs something with a fresh evaluation over a host that knows nothing.
    pub(crate) fn with_cx<R>(f: impl FnOnce(&mut EvalCx<'_>) -> R) -> R {
        let host = crate::host::EmptyHost::default();
        f(&mut EvalCx::new(&host, Runtime::Modern, Limits::default()))
    }
}
