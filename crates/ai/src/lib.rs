//! The policies for model APIs.
//!
//! ```text
//! inbound: policy ─▶ ModelCall (format, model, prompt) ─▶ decides, asks for usage, listens
//! backend's answer ─▶ Watching ─┬─ JSON: read, bounded ──▶ Listener::answered, before outbound
//!                               └─ stream: as it passes ─▶ Listener::event ... Listener::streamed
//! policy ─▶ BackendCall ─▶ backend entity, with its credentials
//! diagnostic ─▶ llm_log: hears of the answer, too, and never waits for it
//! ```
//!
//! One file per policy. A policy of a pair (`llm-*`, `azure-openai-*`) is one implementation under
//! both names. [`ModelCall`] is what a policy sees of a request, [`listen`] how it hears of the
//! answer: however many policies listen, the answer is read once.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/genai-gateway-capabilities>

mod answer;
mod backend_attr;
mod backend_call;
mod content_safety;
mod events;
mod llm_log;
mod model_call;
mod realtime;
mod semantic_cache;
mod semantic_cache_lookup;
mod semantic_cache_store;
mod token_limit;
mod token_metric;

#[cfg(test)]
mod test_support;

use pipeline::{LlmLogging, PolicyKind};

pub(crate) use answer::{Answered, Ending, Listener, listen};
pub(crate) use model_call::ModelCall;
pub use semantic_cache::shared::SharedAnswers;

/// Logs prompts and completions where a diagnostic says so.
pub const LLM_LOGGING: LlmLogging = llm_log::LOGGING;
/// `<azure-openai-token-limit>`.
pub const AZURE_OPENAI_TOKEN_LIMIT: PolicyKind = token_limit::AZURE_OPENAI;
/// `<llm-content-safety>`.
pub const LLM_CONTENT_SAFETY: PolicyKind = content_safety::KIND;
/// `<azure-openai-emit-token-metric>`.
pub const AZURE_OPENAI_EMIT_TOKEN_METRIC: PolicyKind = token_metric::AZURE_OPENAI;
/// `<llm-emit-token-metric>`.
pub const LLM_EMIT_TOKEN_METRIC: PolicyKind = token_metric::LLM;
/// `<llm-token-limit>`.
pub const LLM_TOKEN_LIMIT: PolicyKind = token_limit::LLM;
/// `<llm-semantic-cache-lookup>`.
pub const LLM_SEMANTIC_CACHE_LOOKUP: PolicyKind = semantic_cache_lookup::KIND;
/// `<azure-openai-semantic-cache-lookup>`.
pub const AZURE_OPENAI_SEMANTIC_CACHE_LOOKUP: PolicyKind = semantic_cache_lookup::AZURE_OPENAI;
/// `<llm-semantic-cache-store>`.
pub const LLM_SEMANTIC_CACHE_STORE: PolicyKind = semantic_cache_store::KIND;
/// `<azure-openai-semantic-cache-store>`.
pub const AZURE_OPENAI_SEMANTIC_CACHE_STORE: PolicyKind = semantic_cache_store::AZURE_OPENAI;
