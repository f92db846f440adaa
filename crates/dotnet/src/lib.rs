//! What .NET's base library computes, on plain Rust values.
//!
//! ```text
//! string     System.String: UTF-16 units, cheap to clone
//! text       numbers, times, GUIDs, URIs, encodings: read, written, compared
//! regex      System.Text.RegularExpressions
//! crypto     digests, HMAC, AES, certificates, RSA
//! ```
//!
//! Everything here can be tested alone: it knows nothing of C#, of rows, of types at run time or
//! of a request. What .NET would throw is a [`Fault`] or a [`text::Failure`]. Where modern .NET and
//! .NET Framework differ, a function takes a [`Runtime`].

pub mod crypto;
mod fault;
pub mod regex;
mod runtime;
mod string;
pub mod text;

pub use fault::Fault;
pub use runtime::Runtime;
pub use string::Str;
