//! Circuit breakers: a backend that fails too often is left alone for a while.
//!
//! Outcomes are counted over a sliding interval. The failure that reaches the threshold trips
//! the breaker and is still seen by its caller; until the time is over nothing is sent, and
//! afterwards counting begins anew. Every gateway decides from its own traffic, unless breakers
//! are [shared](super::sharing).
//!
//! Source: <https://learn.microsoft.com/azure/api-management/backends#circuit-breaker>

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use config::{BreakerRule, MIN_CALLS, Threshold};
use http::{HeaderMap, StatusCode};
use state::{BreakerReport, BreakerThreshold};

use super::retry_after::retry_after;
use super::sharing::Link;

/// The reason of `context.LastError` when the client went away in the middle of a call.
pub(super) const CLIENT_IS_GONE: &str = "ClientConnectionFailure";

/// Parts of the interval in which calls are counted for a percentage.
const N_SLOTS: u32 = 60;
/// Longest time that a failing response can ask for.
const MAX_TRIP: Duration = Duration::from_secs(24 * 60 * 60);

/// The breaker of one backend; lives as long as its rule does, over reloads.
#[derive(Debug)]
pub(crate) struct Breaker {
    backend: String,
    rule: BreakerRule,
    /// Until when it is open, in nanoseconds of the monotonic clock; 0 while it is closed.
    open_until: AtomicU64,
    window: Mutex<Window>,
    counts_departures: bool,
    untold: Option<Untold>,
}

/// What other gateways have not been told yet, if breakers are shared.
#[derive(Debug)]
struct Untold {
    link: Arc<Link>,
    n_calls: AtomicU32,
    n_failures: AtomicU32,
    /// The longest trip that the failures ask for, in milliseconds.
    asked: AtomicU64,
    is_tripped: AtomicBool,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome<'a> {
    /// With a response.
    Answered(StatusCode, &'a HeaderMap),
    /// With this reason of `context.LastError`.
    Failed(&'a str),
}

impl Outcome<'_> {
    /// Whether the backend did what it is there for.
    pub(super) fn is_good(&self) -> bool {
        match self {
            Outcome::Answered(status, _) => {
                !status.is_server_error() && *status != StatusCode::TOO_MANY_REQUESTS
            }
            Outcome::Failed(_) => false,
        }
    }
}

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) monotonic: Duration,
    pub(crate) wall: SystemTime,
}

#[derive(Debug)]
enum Window {
    /// When the last failures were, at most as many as trip the breaker.
    Failures(VecDeque<Duration>),
    Slots(VecDeque<Slot>),
}

#[derive(Debug)]
struct Slot {
    number: u128,
    n_calls: u32,
    n_failures: u32,
}

impl Breaker {
    /// A breaker that is closed; with a link it tells other gateways, and hears of them.
    pub(crate) fn new(backend: &str, rule: BreakerRule, link: Option<Arc<Link>>) -> Breaker {
        Breaker {
            backend: backend.to_owned(),
            open_until: AtomicU64::new(0),
            window: Mutex::new(Window::of(rule.threshold)),
            counts_departures: rule.reasons.iter().any(|it| it == CLIENT_IS_GONE),
            untold: link.map(|link| Untold {
                link,
                n_calls: AtomicU32::new(0),
                n_failures: AtomicU32::new(0),
                asked: AtomicU64::new(0),
                is_tripped: AtomicBool::new(false),
            }),
            rule,
        }
    }

    pub(crate) fn rule(&self) -> &BreakerRule {
        &self.rule
    }

    /// Whether a client that goes away in the middle of a call is a failure.
    pub(super) fn counts_departures(&self) -> bool {
        self.counts_departures
    }

    /// How long it stays open; none if calls may be made.
    pub(crate) fn open_for(&self, now: Duration) -> Option<Duration> {
        let until = self.open_until.load(Relaxed);
        if until == 0 {
            return None;
        }
        let left = Duration::from_nanos(until).checked_sub(now).filter(|it| !it.is_zero());
        let is_first = || self.open_until.compare_exchange(until, 0, Relaxed, Relaxed).is_ok();
        if left.is_none() && is_first() {
            tracing::info!(backend = self.backend, "the circuit breaker is closed again");
        }
        left
    }

    /// Counts a call. Whether it tripped the breaker.
    pub(crate) fn record(&self, outcome: Outcome<'_>, now: Now) -> bool {
        let is_failure = self.is_failure(outcome);
        let counts_calls = matches!(self.rule.threshold, Threshold::Percentage(_));
        if !is_failure && !counts_calls {
            return false;
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        // Calls that were on their way when it tripped change nothing.
        if self.open_for(now.monotonic).is_some() {
            return false;
        }
        let is_too_many = window.count(&self.rule, is_failure, now.monotonic);
        let is_shared = self.untold.as_ref().is_some_and(|it| it.link.is_up());
        // A share of the calls is only told by those of all gateways; so many failures are so many.
        let trips = is_too_many && !(counts_calls && is_shared);
        let trip = if is_failure { self.trip_duration(outcome, now.wall) } else { Duration::ZERO };
        if trips {
            *window = Window::of(self.rule.threshold);
            let trip = if trip.is_zero() { self.rule.trip_duration } else { trip };
            self.open_until(now.monotonic.saturating_add(trip));
            let (backend, seconds) = (&self.backend, trip.as_secs_f64());
            tracing::warn!(backend, seconds, "the circuit breaker has tripped");
        }
        drop(window);
        if let Some(untold) = &self.untold {
            untold.note(is_failure, trips, trip);
        }
        trips
    }

    fn open_until(&self, until: Duration) {
        self.open_until.store(u64::try_from(until.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    fn is_failure(&self, outcome: Outcome<'_>) -> bool {
        match outcome {
            Outcome::Answered(status, _) => {
                self.rule.statuses.iter().any(|it| it.contains(&status.as_u16()))
            }
            Outcome::Failed(reason) => self.rule.reasons.iter().any(|it| it == reason),
        }
    }

    fn trip_duration(&self, outcome: Outcome<'_>, wall: SystemTime) -> Duration {
        let asked = match outcome {
            Outcome::Answered(_, headers) if self.rule.accepts_retry_after => {
                retry_after(headers, wall)
            }
            Outcome::Answered(..) | Outcome::Failed(_) => None,
        };
        let asked = asked.filter(|it| !it.is_zero());
        asked.unwrap_or(self.rule.trip_duration).min(MAX_TRIP)
    }
}

/// What is shared with other gateways.
impl Breaker {
    /// Takes what others have not been told; none if the breaker is not shared.
    pub(super) fn report(&self, now: Duration) -> Option<BreakerReport<'_>> {
        let untold = self.untold.as_ref()?;
        let threshold = match self.rule.threshold {
            Threshold::Count(count) => BreakerThreshold::Failures(count),
            Threshold::Percentage(percent) => {
                BreakerThreshold::Percentage { percent, min_calls: MIN_CALLS }
            }
        };
        let asked = Duration::from_millis(untold.asked.swap(0, Relaxed));
        let is_tripped = untold.is_tripped.swap(false, Relaxed);
        Some(BreakerReport {
            backend: &self.backend,
            threshold,
            interval: self.rule.interval,
            trip: if asked.is_zero() { self.rule.trip_duration } else { asked },
            n_calls: untold.n_calls.swap(0, Relaxed),
            n_failures: untold.n_failures.swap(0, Relaxed),
            tripped: self.open_for(now).filter(|_| is_tripped),
        })
    }

    /// A report did not arrive. What it counted stays with this gateway; that it tripped is told
    /// again.
    pub(super) fn not_told(&self, tripped: bool) {
        if let Some(untold) = self.untold.as_ref().filter(|_| tripped) {
            untold.is_tripped.store(true, Relaxed);
        }
    }

    /// All gateways together leave the backend alone for that long. Whether this one did not yet.
    pub(super) fn adopt(&self, left: Duration, now: Duration) -> bool {
        if left.is_zero() {
            return false;
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let own = self.open_for(now);
        if own.is_some_and(|it| it >= left) {
            return false;
        }
        *window = Window::of(self.rule.threshold);
        self.open_until(now.saturating_add(left.min(MAX_TRIP)));
        if own.is_none() {
            let (backend, seconds) = (&self.backend, left.as_secs_f64());
            tracing::warn!(backend, seconds, "the circuit breaker has tripped for all gateways");
        }
        own.is_none()
    }
}

impl Untold {
    fn note(&self, is_failure: bool, trips: bool, trip: Duration) {
        self.n_calls.fetch_add(1, Relaxed);
        if !is_failure && !trips {
            return;
        }
        self.n_failures.fetch_add(u32::from(is_failure), Relaxed);
        let trip = u64::try_from(trip.as_millis()).unwrap_or(u64::MAX);
        self.asked.fetch_max(trip, Relaxed);
        if trips {
            self.is_tripped.store(true, Relaxed);
        }
        self.link.wake();
    }
}

impl Window {
    fn of(threshold: Threshold) -> Window {
        match threshold {
            Threshold::Count(_) => Window::Failures(VecDeque::new()),
            Threshold::Percentage(_) => Window::Slots(VecDeque::new()),
        }
    }

    /// Counts a call; whether there are too many failures now.
    fn count(&mut self, rule: &BreakerRule, is_failure: bool, now: Duration) -> bool {
        match (self, rule.threshold) {
            (Window::Failures(failures), Threshold::Count(count)) => {
                let is_old = |it: &Duration| now.saturating_sub(*it) >= rule.interval;
                while failures.front().is_some_and(is_old) {
                    failures.pop_front();
                }
                failures.push_back(now);
                failures.len() >= count as usize
            }
            (Window::Slots(slots), Threshold::Percentage(percentage)) => {
                let width = (rule.interval / N_SLOTS).max(Duration::from_millis(1));
                let number = now.as_nanos() / width.as_nanos();
                while slots.front().is_some_and(|it| it.number + u128::from(N_SLOTS) <= number) {
                    slots.pop_front();
                }
                if slots.back().is_none_or(|it| it.number != number) {
                    slots.push_back(Slot { number, n_calls: 0, n_failures: 0 });
                }
                if let Some(slot) = slots.back_mut() {
                    slot.n_calls = slot.n_calls.saturating_add(1);
                    slot.n_failures = slot.n_failures.saturating_add(u32::from(is_failure));
                }
                let sum =
                    |of: fn(&Slot) -> u32| slots.iter().map(|it| u64::from(of(it))).sum::<u64>();
                let (n_calls, n_failures) = (sum(|it| it.n_calls), sum(|it| it.n_failures));
                n_calls >= u64::from(MIN_CALLS)
                    && 100 * n_failures >= n_calls * u64::from(percentage)
            }
            // The window is made for the threshold.
            (Window::Failures(_) | Window::Slots(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn rule(threshold: Threshold) -> BreakerRule {
        BreakerRule {
            threshold,
            interval: Duration::from_secs(60),
            statuses: vec![429..=429, 500..=599],
            reasons: vec!["Timeout".to_owned()],
            trip_duration: Duration::from_secs(30),
            accepts_retry_after: true,
            failure_status: StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn new(rule: BreakerRule) -> Breaker {
        Breaker::new("b", rule, None)
    }

    fn at(seconds: u64) -> Now {
        Now { monotonic: Duration::from_secs(seconds), wall: SystemTime::UNIX_EPOCH }
    }

    fn answered(status: u16) -> Outcome<'static> {
        static NONE: std::sync::LazyLock<HeaderMap> = std::sync::LazyLock::new(HeaderMap::new);
        Outcome::Answered(StatusCode::from_u16(status).unwrap(), &NONE)
    }

    #[test]
    fn so_many_failures_within_the_interval_trip_it() {
        let breaker = new(rule(Threshold::Count(3)));
        for (seconds, outcome, trips) in [
            (1, answered(500), false),
            (2, answered(200), false),
            (3, answered(404), false),
            (4, Outcome::Failed("Timeout"), false),
            (5, Outcome::Failed("BackendConnectionFailure"), false),
            // The first one is too old now.
            (61, answered(429), false),
            (62, answered(503), true),
        ] {
            assert_eq!(breaker.record(outcome, at(seconds)), trips, "{seconds}");
        }
        assert_eq!(breaker.open_for(Duration::from_secs(62)), Some(Duration::from_secs(30)));
        assert!(!breaker.record(answered(500), at(63)), "calls on their way do not count");
        assert_eq!(breaker.open_for(Duration::from_secs(91)), Some(Duration::from_secs(1)));
        assert_eq!(breaker.open_for(Duration::from_secs(92)), None);
        assert!(!breaker.record(answered(500), at(92)), "counting begins anew");
    }

    #[test]
    fn a_percentage_needs_a_few_calls() {
        let breaker = new(rule(Threshold::Percentage(50)));
        let statuses = [500, 500, 500, 200];
        assert!(statuses.iter().all(|it| !breaker.record(answered(*it), at(1))));
        assert!(breaker.record(answered(200), at(2)), "three of five");

        let breaker = new(rule(Threshold::Percentage(50)));
        for seconds in 0..4 {
            assert!(!breaker.record(answered(500), at(seconds)));
        }
        for status in [200, 200, 200, 200, 500, 500, 200] {
            assert!(!breaker.record(answered(status), at(100)), "the old ones are forgotten");
        }
        assert!(!breaker.record(answered(500), at(101)), "three of eight");
        assert!(breaker.record(answered(500), at(102)) || breaker.record(answered(500), at(103)));
    }

    #[test]
    fn the_failing_response_may_say_how_long() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("7"));
        let busy = Outcome::Answered(StatusCode::TOO_MANY_REQUESTS, &headers);
        for (accepts, seconds) in [(true, 7), (false, 30)] {
            let rule = BreakerRule { accepts_retry_after: accepts, ..rule(Threshold::Count(1)) };
            let breaker = new(rule);
            assert!(breaker.record(busy, at(10)));
            assert_eq!(breaker.open_for(at(10).monotonic), Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn what_others_must_know_is_told_once() {
        let link = Arc::new(Link::default());
        let breaker = Breaker::new("b", rule(Threshold::Count(3)), Some(link));
        let told = |now| {
            let it = breaker.report(Duration::from_secs(now)).unwrap();
            (it.n_failures, it.trip.as_secs(), it.tripped.map(|it| it.as_secs()))
        };
        assert_eq!(told(1), (0, 30, None));
        breaker.record(answered(500), at(1));
        breaker.record(answered(200), at(1));
        assert_eq!(told(2), (1, 30, None));
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("7"));
        breaker.record(Outcome::Answered(StatusCode::BAD_GATEWAY, &headers), at(2));
        assert!(breaker.record(answered(500), at(3)), "three in a row are too many here alone");
        assert_eq!(told(5), (2, 30, Some(28)));
        assert_eq!(told(5), (0, 30, None));
        breaker.not_told(true);
        assert_eq!(told(6), (0, 30, Some(27)));
        assert!(
            Breaker::new("b", rule(Threshold::Count(1)), None).report(at(1).monotonic).is_none()
        );
    }

    #[test]
    fn what_others_found_counts_here() {
        let breaker = Breaker::new("b", rule(Threshold::Count(2)), Some(Arc::default()));
        let at_ = |seconds| at(seconds).monotonic;
        breaker.record(answered(500), at(1));
        assert!(!breaker.adopt(Duration::ZERO, at_(1)));
        assert!(breaker.adopt(Duration::from_secs(9), at_(1)));
        assert_eq!(breaker.open_for(at_(2)), Some(Duration::from_secs(8)));
        assert!(!breaker.adopt(Duration::from_secs(8), at_(2)));
        assert!(!breaker.adopt(Duration::from_secs(20), at_(2)), "longer, but no news");
        assert_eq!(breaker.open_for(at_(2)), Some(Duration::from_secs(20)));
        assert_eq!(breaker.open_for(at_(22)), None);
        assert!(!breaker.record(answered(500), at(23)), "counting begins anew");
    }

    #[test]
    fn a_percentage_is_of_all_gateways_while_they_hear_of_each_other() {
        for (is_up, trips) in [(true, false), (false, true)] {
            let link = Arc::new(Link::default());
            link.set_up(is_up);
            let breaker = Breaker::new("b", rule(Threshold::Percentage(50)), Some(link));
            let any = (0..6).any(|_| breaker.record(answered(500), at(1)));
            assert_eq!(any, trips);
            let report = breaker.report(at(1).monotonic).unwrap();
            assert!(report.n_failures >= 5 && report.n_calls == report.n_failures);
        }
    }

    #[test]
    fn no_answer_opens_it_for_more_than_a_day() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("18446744073709551615"));
        let breaker = new(rule(Threshold::Count(1)));
        assert!(breaker.record(Outcome::Answered(StatusCode::BAD_GATEWAY, &headers), at(1)));
        assert_eq!(breaker.open_for(at(1).monotonic), Some(MAX_TRIP));
    }
}
