//! The policies for model APIs.
//!
//! ```text
//! request ─▶ llm::ModelRequest ─▶ policy ─▶ BackendCall ─▶ backend entity, with its credentials
//! response ─▶ llm::AnswerReader ─▶ policy
//! ```
//!
//! One file per policy. A policy of a pair (`llm-*`, `azure-openai-*`) is one implementation under
//! both names.

mod backend_attr;
mod backend_call;
mod content_safety;

#[cfg(test)]
mod test_support;

use pipeline::PolicyKind;

/// `<llm-content-safety>`.
pub const LLM_CONTENT_SAFETY: PolicyKind = content_safety::KIND;
