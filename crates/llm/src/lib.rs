//! Model APIs as they stand on the wire: formats, token usage, event streams, token counting.
//!
//! ```text
//! path, body of a request ─▶ Format::detect ─▶ ModelRequest (model, messages, tools, n, ...)
//! body of a response ──────▶ Answer::read ───────────────┐
//! stream ─▶ EventStream ─▶ Event ─▶ AnswerReader::event ─┴▶ Answer (usage, text, finish reason)
//! text ─▶ Tokenizer::count                                      (real vocabularies, inside)
//! Chat Completions ◀─▶ Messages: translate
//! ```
//!
//! Start with [`Format::detect`], [`ModelRequest::read`] and [`AnswerReader`].
//!
//! Reading is tolerant: what has another shape than expected is as if it were absent, never an
//! error. Nothing here reads a clock, a file or a socket, and nothing is printed: `Debug` of what
//! holds a prompt or a completion shows sizes only.
//!
//! Source: the APIs' own references, named in the files of `format`.

mod answer;
mod binary_stream;
mod event_stream;
mod format;
mod json;
mod repeated;
mod request;
mod tokens;
pub mod translate;
mod usage;

pub use answer::{Answer, AnswerReader, Completion, EventKind, MAX_ANSWER_TEXT_BYTES};
pub use binary_stream::{BinaryMessage, BinaryStream, BrokenFrame};
pub use event_stream::{DEFAULT_MAX_EVENT_BYTES, Event, EventStream, Oversized};
pub use format::Format;
pub use json::Json;
pub use request::{Message, ModelRequest, Part, model_in_path};
pub use tokens::{
    MAX_COUNTED_BYTES, TOKENS_PER_IMAGE, Tokenizer, Vocabulary, count_completion, count_prompt,
};
pub use usage::Usage;
