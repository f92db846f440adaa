//! Text, numbers and time as .NET writes and reads them, in the invariant culture.
//!
//! Everything here works on plain Rust values.
//!
//! ```text
//! number     integers, double, float, decimal: standard and custom formats, parsing
//! time       DateTime, DateTimeOffset, TimeSpan: ticks, formats, parsing
//! zones      time zones by name
//! compare    comparison, searching, replacing; split: cutting into pieces
//! uri, web   System.Uri, WebUtility
//! encoding   Encoding, Base64
//! guid, random, chars
//! ```
//!
//! Where modern .NET and .NET Framework differ, a function takes a [`Runtime`].

mod builder;
pub mod chars;
mod collate;
pub mod compare;
pub mod encoding;
mod entities;
pub mod failure;
pub mod guid;
pub mod ip;
mod latin;
pub mod normal;
pub mod number;
mod punycode;
pub mod random;
pub mod split;
pub mod time;
pub mod uri;
mod uri_escape;
pub mod uri_parts;
mod utf7;
pub mod web;
pub mod zone_rules;
pub mod zone_text;
pub mod zones;

pub use crate::Runtime;
pub use builder::Builder;
pub use failure::Failure;
