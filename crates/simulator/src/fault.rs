//! Faults on command: delays, errors and outages of a stand-in.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::server::StandIn;

/// How a stand-in misbehaves until told otherwise.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Fault {
    /// Milliseconds that every answer waits.
    pub latency_ms: u64,
    /// Status to answer with instead of the real answer, 400 to 599.
    pub status: Option<u16>,
    /// Seconds for the `Retry-After` of such an answer.
    pub retry_after: Option<u64>,
    /// Closes the connection without a word, as a service that is down would.
    pub outage: bool,
    /// How many requests the fault lasts; without it, until it is cleared.
    pub times: Option<u32>,
}

/// What a faulted request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing unusual, after this long.
    Serve(Duration),
    /// An error answer, after this long.
    Fail { after: Duration, status: u16, retry_after: Option<u64> },
    /// No answer at all.
    Hang,
}

/// The faults of all stand-ins.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<(StandIn, Fault)>>);

impl Faults {
    /// Replaces the fault of one stand-in; a default fault clears it.
    pub fn set(&self, service: StandIn, fault: Fault) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.retain(|(of, _)| *of != service);
        if fault != Fault::default() {
            faults.push((service, fault));
        }
    }

    /// What the next request to `service` gets; counts it.
    pub(crate) fn next(&self, service: StandIn) -> Effect {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, fault)) = faults.iter_mut().find(|(of, _)| *of == service) else {
            return Effect::Serve(Duration::ZERO);
        };
        match &mut fault.times {
            Some(0) => return Effect::Serve(Duration::ZERO),
            Some(left) => *left -= 1,
            None => {}
        }
        let after = Duration::from_millis(fault.latency_ms);
        match fault.status {
            _ if fault.outage => Effect::Hang,
            Some(status) => Effect::Fail { after, status, retry_after: fault.retry_after },
            None => Effect::Serve(after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lasts_as_many_requests_as_it_says() {
        let faults = Faults::default();
        let fault = Fault { status: Some(503), times: Some(1), ..Fault::default() };
        faults.set(StandIn::Imds, fault);
        let failed = Effect::Fail { after: Duration::ZERO, status: 503, retry_after: None };
        assert_eq!(faults.next(StandIn::Entra), Effect::Serve(Duration::ZERO));
        assert_eq!(faults.next(StandIn::Imds), failed);
        assert_eq!(faults.next(StandIn::Imds), Effect::Serve(Duration::ZERO));
    }

    #[test]
    fn a_default_fault_clears() {
        let faults = Faults::default();
        faults.set(StandIn::Entra, Fault { outage: true, ..Fault::default() });
        assert_eq!(faults.next(StandIn::Entra), Effect::Hang);
        faults.set(StandIn::Entra, Fault::default());
        assert_eq!(faults.next(StandIn::Entra), Effect::Serve(Duration::ZERO));
    }
}
