//! What the validating policies share: actions, findings, and the schemas of an operation.

pub(crate) mod finding;
pub(crate) mod parameter;
pub(crate) mod schemas;
pub(crate) mod text;

use pipeline::words;

words! {
    /// What happens when something does not conform.
    pub(crate) enum Action {
        /// Nothing: it is not looked at.
        Ignore = "ignore",
        /// The message is refused.
        Prevent = "prevent",
        /// It is logged.
        Detect = "detect",
    }
}
