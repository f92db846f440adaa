//! A backend with an address, and what is known of it at present.

use std::sync::Arc;
use std::time::Duration;

use config::Backend;
use http::StatusCode;
use pipeline::Services;
use telemetry::Metrics;

use super::breaker::{Breaker, CLIENT_IS_GONE, Now, Outcome};
use super::check::Check;
use super::latency::Latency;

/// Counts the trips of all breakers.
const TRIPS: &str = "portcullis_breaker_trips_total";

/// A backend with an address.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) backend: Arc<Backend>,
    pub(crate) breaker: Option<Arc<Breaker>>,
    pub(crate) check: Option<Arc<Check>>,
    /// For pools that choose by it.
    pub(crate) latency: Option<Arc<Latency>>,
}

/// A call that is under way; made only if its end matters even when nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Call {
    single: Arc<Single>,
    services: Arc<Services>,
    started: Duration,
    is_open: bool,
}

impl Single {
    /// How long it is not to be called; none if calls may be made.
    pub(crate) fn gone_for(&self, now: Duration) -> Option<Duration> {
        let tripped = self.breaker.as_ref().and_then(|it| it.open_for(now));
        tripped.or_else(|| self.check.as_ref()?.down_for())
    }

    /// The same, with what callers get meanwhile.
    pub(crate) fn unavailable_for(&self, now: Duration) -> Option<(StatusCode, Duration)> {
        let left = self.gone_for(now)?;
        let status = self.breaker.as_ref().map(|it| it.rule().failure_status);
        Some((status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE), left))
    }

    /// Begins a call.
    pub(super) fn begin(
        self: &Arc<Single>,
        services: &Arc<Services>,
        now: Duration,
    ) -> Option<Call> {
        let counts_departures = self.breaker.as_ref().is_some_and(|it| it.counts_departures());
        if self.latency.is_none() && !counts_departures {
            return None;
        }
        if let Some(latency) = &self.latency {
            latency.begin();
        }
        let (single, services) = (Arc::clone(self), Arc::clone(services));
        Some(Call { single, services, started: now, is_open: true })
    }

    /// Tells the breaker how a call ended.
    pub(super) fn tell(&self, services: &Services, outcome: Outcome<'_>) {
        let Some(breaker) = &self.breaker else { return };
        let now = Now { monotonic: services.clock.monotonic(), wall: services.clock.now() };
        if breaker.record(outcome, now) {
            services.extensions().shared::<Metrics>().count(TRIPS);
        }
    }
}

impl Call {
    /// It ended so; none: in a way that says nothing of the backend.
    pub(super) fn end(mut self, outcome: Option<Outcome<'_>>) {
        self.is_open = false;
        if let Some(latency) = &self.single.latency {
            let now = self.services.clock.monotonic();
            match &outcome {
                None => latency.give_up(),
                Some(outcome) => {
                    let took = now.saturating_sub(self.started);
                    latency.measure(took, outcome.is_good(), now);
                }
            }
        }
        if let Some(outcome) = outcome {
            self.single.tell(&self.services, outcome);
        }
    }
}

/// The client went away.
impl Drop for Call {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        if let Some(latency) = &self.single.latency {
            latency.give_up();
        }
        self.single.tell(&self.services, Outcome::Failed(CLIENT_IS_GONE));
    }
}
