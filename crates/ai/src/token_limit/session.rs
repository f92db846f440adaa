//! A realtime session under a limit: every answer is charged when it is done, and a client that has
//! nothing left is closed.
//!
//! Nothing is held for an answer that is under way: what it will use is not known. An answer that
//! goes beyond the limit is charged all the same, as Azure does it for calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pipeline::{Closing, MessageWatch, PolicyError};
use state::{TokenCharge, TokenStanding};
use transport::{BoxFuture, Clock};

use super::Limit;
use super::refusal;
use super::reservation::Asked;
use crate::realtime;

/// The code of a session that has nothing left: its client breaks a policy (RFC 6455, 7.4.1).
const POLICY_VIOLATION: u16 = 1008;

/// Asks whether there is a token left.
const LOOK: TokenCharge = TokenCharge::Reserve { needed: 0, charge: 0, hold: 0 };

pub(super) struct Session {
    limit: Arc<Limit>,
    asked: Asked,
    /// Where charges stand.
    slot: u64,
    clock: Arc<dyn Clock>,
    /// An answer has left nothing: the next message is looked at, whatever it is.
    is_spent: AtomicBool,
}

impl Session {
    pub(super) fn new(
        limit: Arc<Limit>,
        asked: Asked,
        slot: u64,
        clock: Arc<dyn Clock>,
    ) -> Session {
        Session { limit, asked, slot, clock, is_spent: AtomicBool::new(false) }
    }

    /// Makes a charge; gives how the limit stands then, if that is known.
    async fn charge(&self, charge: TokenCharge) -> Result<Option<TokenStanding>, PolicyError> {
        let answer = self.limit.store.tokens(self.asked.call(charge, &*self.clock)).get().await;
        self.limit.store.judge(answer)
    }

    /// Why the client may not go on, if it may not.
    async fn refusal(&self) -> Option<String> {
        let standing = match self.charge(LOOK).await {
            Ok(standing) => standing?,
            // The settings say that a limit which cannot be looked up refuses.
            Err(error) => return Some(error.message().to_owned()),
        };
        let header = &http::header::RETRY_AFTER;
        let quota = standing.quota.filter(|it| !it.has_room).and(self.asked.quota);
        let refusal = match (quota, standing.rate) {
            (Some((_, period)), _) => refusal::quota(period.left(self.clock.now()), header),
            (None, Some(rate)) if !rate.has_room => {
                refusal::rate(Some(rate.wait).filter(|_| !rate.never_fits), header)
            }
            _ => return None,
        };
        Some(refusal.message().to_owned())
    }
}

impl MessageWatch for Session {
    fn client_says<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<(), Closing>> {
        Box::pin(async move {
            if !self.is_spent.load(Ordering::Relaxed) && !realtime::asks(text) {
                return Ok(());
            }
            match self.refusal().await {
                Some(reason) => Err(Closing { code: POLICY_VIOLATION, reason }),
                None => {
                    self.is_spent.store(false, Ordering::Relaxed);
                    Ok(())
                }
            }
        })
    }

    fn backend_said<'a>(&'a self, text: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Some(usage) = realtime::usage(text) else { return };
            let charge = i64::try_from(usage.total_tokens).unwrap_or(i64::MAX);
            let charge = TokenCharge::Settle { charge, hold: 0, slot: self.slot };
            // A store that cannot be reached loses this charge; the log tells, a later check decides.
            let standing = self.charge(charge).await.ok().flatten();
            let is_spent = standing.is_some_and(|it| {
                it.rate.is_some_and(|it| it.remaining == 0)
                    || it.quota.is_some_and(|it| it.remaining == 0)
            });
            if is_spent {
                self.is_spent.store(true, Ordering::Relaxed);
            }
        })
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("is_spent", &self.is_spent).finish_non_exhaustive()
    }
}
