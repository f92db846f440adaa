//! Policy expressions: C# 7 over an allow-list of .NET types, compiled at load time, evaluated within bounds.
//!
//! ```text
//! source -> csharp (syntax tree) -> bind (types, overloads) -> Program
//!                                           ^
//!                     corelib, library, context: one row per .NET member
//! Program + Host -> EvalCx (budget) -> Value or Exception
//! ```
//!
//! This crate does no I/O and knows nothing of policies: what an expression sees of a request comes
//! from a [`Host`].

pub mod bind;
mod catalog;
mod certificate;
pub mod complete;
mod evaluate;
mod ir;
mod options;
mod program;
mod reads;
pub mod reference;
pub mod show;
mod steps;

pub use bind::compile;
pub use catalog::load as load_types;
pub use certificate::certificate;
pub use clr::{
    EvalCx, Exception, Host, JwtValue, Limits, Type, Uses, Value, Variables, cx, exception, host,
    types, value,
};
pub use complete::{Completion, CompletionKind, Completions, Signatures, complete, signatures};
pub use context::{authorization, graphql};
pub use csharp::{Form, Problem};
pub use dotnet::crypto::Certificate;
pub use dotnet::{Runtime, Str};
pub use library::json::{object as json_value, tree_of as json_tree};
pub use library::stored::{NotStorable, restore, store};
pub use options::Options;
pub use program::Program;
pub use reads::BodyRead;

#[cfg(test)]
mod test_support {
    //! Evaluations for unit tests.

    use crate::{EvalCx, Limits, Runtime};

    /// Runs something with a fresh evaluation over a host that knows nothing.
    pub(crate) fn with_cx<R>(f: impl FnOnce(&mut EvalCx<'_>) -> R) -> R {
        crate::catalog::load();
        let host = crate::host::EmptyHost::default();
        f(&mut EvalCx::new(&host, Runtime::Modern, Limits::default()))
    }
}
