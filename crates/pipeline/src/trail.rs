//! What calls to backends leave for the access log: among the request's extensions, if it is logged
//! at all.

use std::sync::Arc;

use http::{Method, StatusCode};

use crate::backends::BackendEntry;
use crate::context::Context;

/// The trail of a request.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    /// The last call to a backend; of calls at the same time the one that ended last.
    pub call: Option<BackendCall>,
}

/// A call to a backend.
#[derive(Debug, Clone)]
pub struct BackendCall {
    /// Its method.
    pub method: Method,
    /// Where it went, without credentials that the gateway added.
    pub url: String,
    /// The status of the answer, if there was one.
    pub status: Option<StatusCode>,
    /// The backend entity, if it was one.
    pub backend: Option<Arc<BackendEntry>>,
}

impl Trail {
    /// Begins the trail of a request that is logged.
    pub fn begin(context: &mut Context) {
        context.request.extensions.insert(Self::default());
    }

    /// The trail of a request; none if it is not logged.
    pub fn of_mut(context: &mut Context) -> Option<&mut Self> {
        context.request.extensions.get_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::context;

    #[test]
    fn a_request_has_a_trail_if_it_was_begun() {
        let mut context = context();
        assert!(Trail::of_mut(&mut context).is_none());
        Trail::begin(&mut context);
        assert!(Trail::of_mut(&mut context).is_some_and(|it| it.call.is_none()));
    }
}
