//! A failure after the pipeline is done: a policy has stopped a response on its way.

use std::sync::{Arc, OnceLock};

use expr::host::LastError;

use crate::context::Context;
use crate::error::PolicyError;
use crate::run::last_error;

/// Where a policy notes why it stopped a response whose head went out before. Log and metrics tell
/// it; documents never see it.
#[derive(Clone, Debug, Default)]
pub struct LateError(Arc<OnceLock<LastError>>);

impl LateError {
    /// Notes it. The first failure counts.
    pub fn set(&self, error: &PolicyError) {
        // A second failure changes nothing.
        let _ = self.0.set(last_error(error));
    }

    /// What was noted so far.
    #[must_use]
    pub fn get(&self) -> Option<&LastError> {
        self.0.get()
    }
}

impl Context {
    /// The place for a late failure of this request; made for the first that asks.
    pub fn late_error(&mut self) -> LateError {
        self.late_error.get_or_insert_default().clone()
    }

    /// The same, if somebody has asked for it.
    #[must_use]
    pub fn known_late_error(&self) -> Option<&LateError> {
        self.late_error.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_counts_for_all_who_hold_the_place() {
        let one = LateError::default();
        let two = one.clone();
        assert!(two.get().is_none());
        one.set(&PolicyError::new("First", "a").source("llm-content-safety"));
        two.set(&PolicyError::new("Second", "b"));
        let noted = two.get().unwrap();
        assert_eq!(
            (noted.reason.as_deref(), &*noted.source),
            (Some("First"), "llm-content-safety")
        );
    }
}
