//! What the semantic cache policies share: whose question it is, how near two are, what is kept.
//!
//! ```text
//! lookup: Question::of ─▶ Embedder ─▶ Answers::nearest ─┬▶ Stored ─▶ the answer
//!                                                       └▶ Plan ─▶ store: Recording ─▶ Answers::keep
//! Answers ─┬▶ Index: this process; Cells, if they are many
//!          └▶ SharedAnswers: PostgreSQL
//! ```

pub(crate) mod answers;
pub(crate) mod cells;
pub(crate) mod embedder;
pub(crate) mod index;
pub(crate) mod partition;
pub(crate) mod question;
pub(crate) mod recording;
pub(crate) mod shared;
