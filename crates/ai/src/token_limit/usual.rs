//! What a completion is expected to use: what those before it did.

use std::sync::atomic::{AtomicU64, Ordering};

use llm::Format;

use crate::ModelCall;

/// Tokens of a completion of which nothing is known: what the vendor's own stand-in takes.
const UNKNOWN: u64 = 16;
/// A new completion changes the average by one part in so many.
const WEIGHT: u64 = 8;
/// The average is kept in parts of a token.
const PARTS: u64 = 64;

/// The average of the last completions behind one policy; zero: none has been seen.
#[derive(Debug, Default)]
pub(super) struct Usual(AtomicU64);

impl Usual {
    /// Tokens that the completion of a call is expected to have: the average so far, else what the
    /// request allows, never more than that.
    pub(super) fn completion(&self, call: &ModelCall) -> u64 {
        if matches!(call.format, Format::Embeddings | Format::Unknown) {
            return 0;
        }
        self.expected(call.max_completion_tokens)
    }

    fn expected(&self, most: Option<u64>) -> u64 {
        let average = match self.0.load(Ordering::Relaxed) {
            0 => most.unwrap_or(UNKNOWN),
            parts => parts.div_ceil(PARTS),
        };
        average.min(most.unwrap_or(u64::MAX))
    }

    /// A completion had so many tokens.
    pub(super) fn note(&self, completion_tokens: u64) {
        let new = completion_tokens.min(1 << 40).saturating_mul(PARTS).max(1);
        let old = self.0.load(Ordering::Relaxed);
        let next = if old == 0 { new } else { old - old / WEIGHT + new / WEIGHT };
        // Of two at the same time one is lost: it is an estimate.
        self.0.store(next.max(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_is_expected_to_be_like_those_before_it() {
        let it = Usual::default();
        assert_eq!((it.expected(None), it.expected(Some(500))), (16, 500));
        it.note(100);
        assert_eq!(
            (it.expected(None), it.expected(Some(500)), it.expected(Some(40))),
            (100, 100, 40)
        );
        for _ in 0..60 {
            it.note(20);
        }
        assert!((20..=22).contains(&it.expected(None)), "{}", it.expected(None));
        it.note(0);
        assert!(it.expected(None) < 20);
    }
}
