//! What the semantic cache policies share: whose question it is, how near two are, what is kept.
//!
//! ```text
//! lookup: Question::of ─▶ Embedder ─▶ Index::nearest ─┬▶ Stored ─▶ the answer
//!                                                     └▶ Plan ─▶ store: Recording ─▶ Index::insert
//! ```

pub(crate) mod embedder;
pub(crate) mod index;
pub(crate) mod partition;
pub(crate) mod question;
pub(crate) mod recording;
