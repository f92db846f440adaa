//! Liquid templates as `set-body` has them: DotLiquid 2.0 with C# names, compiled when the
//! configuration loads, rendered within bounds.
//!
//! ```text
//! text ─scan─▶ tokens ─parse (tags)─▶ Template ─render (filters)─▶ text
//!                                        ▲
//!                body (JSON, XML) ─▶ Value, context
//! ```
//!
//! Start with [`Template::compile`] and [`Template::render`]; [`body`] makes a [`Value`] of a JSON
//! or XML text. A tag is one file and one line in [`tags`], a filter is one function and one line
//! in [`filters`].
//!
//! Rendering does no I/O, and each of its costs is bounded by [`Limits`]. A name that means nothing
//! renders as nothing, as in DotLiquid. What DotLiquid writes into the output as `Liquid error` is a
//! [`RenderError`] here.
//!
//! This crate knows nothing of policies or of a request.
//!
//! Source: <https://github.com/dotliquid/dotliquid>,
//! <https://learn.microsoft.com/azure/api-management/set-body-policy>

pub mod body;
mod compare;
mod condition;
mod error;
mod expr;
mod filters;
mod limits;
mod lookup;
mod markup;
mod node;
mod parse;
mod render;
mod scan;
mod tags;
mod template;
mod value;

pub use error::{Flaw, RenderError};
pub use limits::Limits;
pub use template::Template;
pub use value::{Hash, Moment, Value};

pub use dotnet::Str;
pub use dotnet::text::time::Zone;

/// The names of the filters, in C# spelling, sorted.
pub fn filter_names() -> impl Iterator<Item = &'static str> {
    filters::FILTERS.iter().map(|it| it.name)
}

/// The names of the tags that stand on their own or begin a block.
pub fn tag_names() -> impl Iterator<Item = &'static str> {
    tags::TAGS.iter().map(|it| it.name)
}
