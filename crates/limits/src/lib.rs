//! The policies that limit how often and how much: `rate-limit`, `rate-limit-by-key`, `quota`,
//! `quota-by-key`.
//!
//! ```text
//! inbound:  policy ─▶ counters that apply ─▶ Store ─▶ state::Limits ─▶ passes, or 429 / 403
//! at the end:         what is charged by the outcome (settle), bytes when the body is through
//! ```
//!
//! A file for each policy; [`store`] asks and decides what a store that cannot answer means,
//! [`refusal`] has Azure's texts. A limit that cannot be looked up never passes in silence: see
//! [`state::OnStoreFailure`].
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-sample-flexible-throttling>

mod increment;
mod key;
mod numbers;
mod quota;
mod quota_by_key;
mod rate_limit;
mod rate_limit_by_key;
mod refusal;
mod report;
mod store;
mod subject;
#[cfg(test)]
mod test_support;
mod traffic;

use pipeline::PolicyKind;

pub use key::group as group_of_key;
pub use refusal::seconds as whole_seconds;
pub use store::{Store, unix_ms};

/// `<quota>`.
pub const QUOTA: PolicyKind = quota::KIND;
/// `<quota-by-key>`.
pub const QUOTA_BY_KEY: PolicyKind = quota_by_key::KIND;
/// `<rate-limit>`.
pub const RATE_LIMIT: PolicyKind = rate_limit::KIND;
/// `<rate-limit-by-key>`.
pub const RATE_LIMIT_BY_KEY: PolicyKind = rate_limit_by_key::KIND;
