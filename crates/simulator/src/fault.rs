//! Faults on command: delays, errors, broken streams and outages of a stand-in, one after another.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::server::StandIn;

/// Most steps of a script.
pub const MAX_STEPS: usize = 1000;

/// How a stand-in misbehaves. Without any property it does not.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Fault {
    /// Milliseconds that every answer waits.
    pub latency_ms: u64,
    /// Status to answer with instead of the real answer, 400 to 599.
    pub status: Option<u16>,
    /// Seconds for the `Retry-After` of such an answer.
    pub retry_after: Option<u64>,
    /// The only header that tells these seconds, in place of the usual ones: some answers of the
    /// real service were seen with `x-rate-limit-reset-tokens` alone.
    pub retry_after_header: Option<String>,
    /// Closes the connection without a word, as a service that is down would.
    pub outage: bool,
    /// Breaks the answer off after so many events; one that is no stream, in its middle.
    pub break_after_events: Option<u32>,
    /// Category by which the content filter stops the model's answer: `hate`, `sexual`, ...
    pub content_filter: Option<String>,
    /// Only requests to this host: the first label of its name.
    pub host: Option<String>,
    /// Only requests whose path holds this.
    pub path: Option<String>,
    /// How many requests the fault lasts; without it, until it is cleared, or in a script one.
    pub times: Option<u32>,
}

impl Fault {
    fn concerns(&self, host: &str, path: &str) -> bool {
        self.host.as_deref().is_none_or(|it| it.eq_ignore_ascii_case(host))
            && self.path.as_deref().is_none_or(|it| path.contains(it))
    }
}

/// What a faulted request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// An answer, after this long, with this twist.
    Serve(Duration, Twist),
    /// An error answer, after this long.
    Fail { after: Duration, status: u16, retry_after: Option<u64>, header: Option<String> },
    /// No answer at all.
    Hang,
}

/// What is odd about an answer that is otherwise good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Twist {
    /// Events after which it breaks off.
    pub(crate) break_after_events: Option<u32>,
    /// Category of the content filter that stops it.
    pub(crate) content_filter: Option<String>,
}

/// The faults of all stand-ins.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<(StandIn, Vec<Fault>)>>);

impl Faults {
    /// Replaces the fault of one stand-in; a default fault clears it.
    pub fn set(&self, service: StandIn, fault: Fault) {
        let steps = if fault == Fault::default() { Vec::new() } else { vec![fault] };
        self.replace(service, steps);
    }

    /// Replaces the faults of one stand-in by a script: each request takes the first step that
    /// concerns it and is left, and is served as usual when there is none.
    pub fn script(&self, service: StandIn, steps: Vec<Fault>) {
        let bounded = |fault: Fault| Fault { times: fault.times.or(Some(1)), ..fault };
        self.replace(service, steps.into_iter().take(MAX_STEPS).map(bounded).collect());
    }

    fn replace(&self, service: StandIn, steps: Vec<Fault>) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.retain(|(of, _)| *of != service);
        if !steps.is_empty() {
            faults.push((service, steps));
        }
    }

    /// What the next request to `service` gets; counts it.
    pub(crate) fn next(&self, service: StandIn, host: &str, path: &str) -> Effect {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let steps = faults.iter_mut().find(|(of, _)| *of == service).map(|(_, steps)| steps);
        let step =
            steps.into_iter().flatten().find(|it| it.times != Some(0) && it.concerns(host, path));
        let Some(fault) = step else { return Effect::Serve(Duration::ZERO, Twist::default()) };
        if let Some(left) = &mut fault.times {
            *left -= 1;
        }
        let after = Duration::from_millis(fault.latency_ms);
        match fault.status {
            _ if fault.outage => Effect::Hang,
            Some(status) => Effect::Fail {
                after,
                status,
                retry_after: fault.retry_after,
                header: fault.retry_after_header.clone(),
            },
            None => Effect::Serve(
                after,
                Twist {
                    break_after_events: fault.break_after_events,
                    content_filter: fault.content_filter.clone(),
                },
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served() -> Effect {
        Effect::Serve(Duration::ZERO, Twist::default())
    }

    fn failed(status: u16) -> Effect {
        Effect::Fail { after: Duration::ZERO, status, retry_after: None, header: None }
    }

    #[test]
    fn a_fault_lasts_as_many_requests_as_it_says() {
        let faults = Faults::default();
        let fault = Fault { status: Some(503), times: Some(1), ..Fault::default() };
        faults.set(StandIn::Imds, fault);
        assert_eq!(faults.next(StandIn::Entra, "", "/"), served());
        assert_eq!(faults.next(StandIn::Imds, "", "/"), failed(503));
        assert_eq!(faults.next(StandIn::Imds, "", "/"), served());
    }

    #[test]
    fn a_default_fault_clears() {
        let faults = Faults::default();
        faults.set(StandIn::Entra, Fault { outage: true, ..Fault::default() });
        assert_eq!(faults.next(StandIn::Entra, "", "/"), Effect::Hang);
        faults.set(StandIn::Entra, Fault::default());
        assert_eq!(faults.next(StandIn::Entra, "", "/"), served());
    }

    #[test]
    fn a_script_is_played_once_step_by_step() {
        let faults = Faults::default();
        let script = r#"[{"status":429}, {}, {"status":500,"times":2}, {"break-after-events":3}]"#;
        faults.script(StandIn::AzureOpenAi, serde_json::from_str(script).unwrap());
        let broken = Twist { break_after_events: Some(3), content_filter: None };
        for expected in [
            failed(429),
            served(),
            failed(500),
            failed(500),
            Effect::Serve(Duration::ZERO, broken),
            served(),
        ] {
            assert_eq!(faults.next(StandIn::AzureOpenAi, "", "/"), expected);
        }
    }

    #[test]
    fn a_fault_can_concern_one_host_or_path() {
        let faults = Faults::default();
        let fault = |host: Option<&str>, path: Option<&str>, status| Fault {
            host: host.map(str::to_owned),
            path: path.map(str::to_owned),
            status: Some(status),
            ..Fault::default()
        };
        let steps = vec![fault(Some("east"), None, 500), fault(None, Some("/gpt-4o/"), 501)];
        faults.script(StandIn::AzureOpenAi, steps);
        let next = |host, path| faults.next(StandIn::AzureOpenAi, host, path);
        assert_eq!(next("west", "/o3/chat"), served());
        assert_eq!(next("west", "/gpt-4o/chat"), failed(501));
        assert_eq!(next("EAST", "/gpt-4o/chat"), failed(500));
    }
}
