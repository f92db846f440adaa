//! What of the request and the response an expression may read.

/// What of the request and the response an expression may read, known without evaluating it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uses {
    /// The body of `context.Request`.
    pub request_body: bool,
    /// The body of `context.Response`.
    pub response_body: bool,
    /// `context.Response` at all.
    pub response: bool,
    /// A part of the request or response that only a buffered body can answer, such as `Foundry`.
    pub foundry: bool,
    /// Whether the client's certificate has been revoked, which has to be looked up.
    pub revocation: bool,
}

impl Uses {
    /// Nothing.
    pub const NONE: Self = Self {
        request_body: false,
        response_body: false,
        response: false,
        foundry: false,
        revocation: false,
    };
    /// The body of the request.
    pub const REQUEST_BODY: Self = Self { request_body: true, ..Self::NONE };
    /// The body of a response; it counts only together with [`Uses::RESPONSE`].
    pub const RESPONSE_BODY: Self = Self { response_body: true, ..Self::NONE };
    /// `context.Response`.
    pub const RESPONSE: Self = Self { response: true, ..Self::NONE };
    /// `context.Request.Foundry`.
    pub const FOUNDRY: Self = Self { foundry: true, ..Self::NONE };

    /// Whether the client's certificate has been revoked.
    pub const REVOCATION: Self = Self { revocation: true, ..Self::NONE };

    /// Has something to be fetched before the expression can be evaluated?
    #[must_use]
    pub const fn must_wait(self) -> bool {
        let body = self.request_body || self.foundry || self.settled().response_body;
        body || self.revocation
    }

    /// A response body counts only if it is that of `context.Response`.
    #[must_use]
    pub const fn settled(mut self) -> Self {
        self.response_body = self.response_body && self.response;
        self
    }

    /// What either reads.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self {
            request_body: self.request_body || other.request_body,
            response_body: self.response_body || other.response_body,
            response: self.response || other.response,
            foundry: self.foundry || other.foundry,
            revocation: self.revocation || other.revocation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_add_up() {
        let both = Uses::REQUEST_BODY.union(Uses::RESPONSE);
        assert!(both.request_body && both.response && !both.response_body);
    }

    #[test]
    fn only_what_is_fetched_makes_wait() {
        for (uses, waits) in [
            (Uses::NONE, false),
            (Uses::RESPONSE, false),
            (Uses::RESPONSE_BODY, false),
            (Uses::RESPONSE_BODY.union(Uses::RESPONSE), true),
            (Uses::REQUEST_BODY, true),
            (Uses::FOUNDRY, true),
            (Uses::REVOCATION, true),
        ] {
            assert_eq!(uses.must_wait(), waits, "{uses:?}");
        }
    }
}
