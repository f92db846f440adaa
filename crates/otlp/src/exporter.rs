//! Takes what waits, sends it in batches, tries again when that may help, and counts what is lost.
//!
//! Each signal is sent on its own, so that a collector that refuses one does not hold up the
//! others.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};
use telemetry::{Counter, Metric, Metrics, Outbox};
use transport::{Body, CallError, CallOptions, Clock, HttpClient, Request, fill_random};

use crate::encode::{self, Span};
use crate::settings::{Settings, Signal, Target};
use crate::wire::{self, Field};

/// How often spans and log records are looked for.
const PAUSE: Duration = Duration::from_secs(1);
/// Most spans or log records of one call.
const MAX_BATCH: usize = 512;
/// Most tries of a batch.
const MAX_TRIES: u32 = 6;
/// The wait before the second try; doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait between two tries.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// Largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

const SENT: Metric<Counter> =
    Metric::new("portcullis.otlp.exported", "{item}", "Spans, log records and metrics sent on.");
const LOST: Metric<Counter> = Metric::new(
    "portcullis.otlp.dropped",
    "{item}",
    "Spans, log records and metrics that were not sent: no room, or refused.",
);
const FAILED: Metric<Counter> =
    Metric::new("portcullis.otlp.failures", "{call}", "Calls to the collector that failed.");

/// Sends telemetry.
#[derive(Debug)]
pub struct Exporter {
    settings: Settings,
    client: Arc<dyn HttpClient>,
    options: CallOptions,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    outbox: Arc<Outbox>,
    started: SystemTime,
    /// How many spans and log records had found no room when that was last counted.
    seen_dropped: [AtomicU64; 2],
}

/// Why a batch was not taken.
#[derive(Debug)]
enum Failure {
    /// Another try may go better, perhaps after this time.
    Temporary(Option<Duration>, String),
    Final(String),
}

struct Sums {
    sent: Arc<Counter>,
    lost: Arc<Counter>,
    failed: Arc<Counter>,
}

impl Sums {
    /// Counts what found no room since the last time: the outbox counts from its start.
    fn note_dropped(&self, n_dropped: u64, seen: &AtomicU64) {
        self.lost.add(n_dropped.saturating_sub(seen.swap(n_dropped, Relaxed)));
    }
}

impl Exporter {
    /// An exporter of what is measured from now on.
    #[must_use]
    pub fn new(
        settings: Settings,
        client: Arc<dyn HttpClient>,
        options: CallOptions,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        outbox: Arc<Outbox>,
    ) -> Exporter {
        let started = clock.now();
        Exporter {
            settings,
            client,
            options,
            clock,
            metrics,
            outbox,
            started,
            seen_dropped: Default::default(),
        }
    }

    /// Sends one signal for ever. Dropping the future loses what is on its way; [`Self::flush`]
    /// sends what waits.
    pub async fn run(&self, signal: Signal) {
        let Some(target) = self.target(signal) else { return };
        let pause = match signal {
            Signal::Metrics => self.settings.interval,
            Signal::Traces | Signal::Logs => PAUSE,
        };
        loop {
            self.clock.sleep(pause).await;
            self.send_waiting(target, MAX_TRIES).await;
        }
    }

    /// Sends what waits, once: for the end of the process.
    pub async fn flush(&self) {
        for target in &self.settings.targets {
            self.send_waiting(target, 1).await;
        }
    }

    fn target(&self, signal: Signal) -> Option<&Target> {
        self.settings.targets.iter().find(|it| it.signal == signal)
    }

    async fn send_waiting(&self, target: &Target, max_tries: u32) {
        let sums = self.sums(target.signal);
        let resource = &self.settings.resource;
        match target.signal {
            Signal::Metrics => {
                let points = self.metrics.points();
                let time = Span { start: self.started, now: self.clock.now() };
                let body = encode::metrics(resource, &points, time);
                // Sums count from the start: the next call makes up for a lost one.
                self.deliver(target, body, points.len(), 1, &sums).await;
            }
            Signal::Traces => {
                let spans = self.outbox.take_spans();
                for batch in spans.chunks(MAX_BATCH) {
                    let body = encode::spans(resource, batch);
                    self.deliver(target, body, batch.len(), max_tries, &sums).await;
                }
                sums.note_dropped(self.outbox.dropped().0, &self.seen_dropped[0]);
            }
            Signal::Logs => {
                let events = self.outbox.take_logs();
                for batch in events.chunks(MAX_BATCH) {
                    let body = encode::logs(resource, batch);
                    self.deliver(target, body, batch.len(), max_tries, &sums).await;
                }
                sums.note_dropped(self.outbox.dropped().1, &self.seen_dropped[1]);
            }
        }
    }

    fn sums(&self, signal: Signal) -> Sums {
        let labels = [("portcullis.signal", signal.name())];
        Sums {
            sent: self.metrics.series(&SENT, &labels),
            lost: self.metrics.series(&LOST, &labels),
            failed: self.metrics.series(&FAILED, &labels),
        }
    }

    /// Sends one batch, with tries and waits between them.
    async fn deliver(&self, target: &Target, body: Vec<u8>, n: usize, max_tries: u32, sums: &Sums) {
        let body = if target.gzip { compressed(&body) } else { body };
        let body = Bytes::from(body);
        for n_try in 1..=max_tries {
            let (asked, why, is_final) = match self.call(target, Body::full(body.clone())).await {
                Ok(n_refused) => {
                    let n_refused = n_refused.min(n as u64);
                    sums.sent.add(n as u64 - n_refused);
                    sums.lost.add(n_refused);
                    return;
                }
                Err(Failure::Temporary(asked, why)) => (asked, why, n_try == max_tries),
                Err(Failure::Final(why)) => (None, why, true),
            };
            sums.failed.add(1);
            let signal = target.signal.name();
            if is_final {
                tracing::warn!(signal, n, why, "telemetry was not sent");
                break;
            }
            tracing::debug!(signal, n, why, "telemetry is sent again");
            self.clock.sleep(asked.unwrap_or_else(|| wait(n_try)).min(MAX_WAIT)).await;
        }
        sums.lost.add(n as u64);
    }

    /// How many items the collector did not take.
    async fn call(&self, target: &Target, body: Body) -> Result<u64, Failure> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.uri.clone();
        let headers = request.headers_mut();
        for (name, value) in &target.headers {
            headers.append(name, value.clone());
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        if target.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let options = CallOptions {
            response_timeout: Some(target.timeout),
            connect_timeout: target.timeout,
            body_idle_timeout: Some(target.timeout),
            ..self.options.clone()
        };
        let response = self.client.send(request, &options).await.map_err(|it| match it {
            CallError::Url(_) => Failure::Final(it.to_string()),
            _ => Failure::Temporary(None, it.to_string()),
        })?;
        let status = response.status();
        if !status.is_success() {
            let why = format!("the collector answered {}", status.as_u16());
            return Err(match status {
                StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT => {
                    let asked = response.headers().get(RETRY_AFTER).and_then(seconds);
                    Failure::Temporary(asked, why)
                }
                _ => Failure::Final(why),
            });
        }
        let answer = response.into_body().collect(MAX_ANSWER_BYTES).await.unwrap_or_default();
        Ok(refused(&answer))
    }
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Doubles with every try; a part of it is random, so that gateways do not all come at once.
fn wait(n_try: u32) -> Duration {
    let whole = FIRST_WAIT.saturating_mul(1 << n_try.saturating_sub(1).min(16)).min(MAX_WAIT);
    let mut random = [0];
    fill_random(&mut random);
    whole / 2 + whole.mul_f64(f64::from(random[0]) / 512.0)
}

/// `partial_success` of an answer: the number of items that were refused.
fn refused(answer: &[u8]) -> u64 {
    match wire::find(answer, 1) {
        Some(Field::Bytes(partial)) => match wire::find(partial, 1) {
            Some(Field::Number(n)) => n,
            _ => 0,
        },
        _ => 0,
    }
}

fn compressed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use telemetry::{LogEvent, Sampler};
    use transport::{FakeClient, FakeClock, Response};

    use super::*;
    use crate::Given;

    struct Trial {
        exporter: Arc<Exporter>,
        client: FakeClient,
        clock: FakeClock,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
    }

    fn answer(status: u16, retry_after: &str, body: &'static [u8]) -> Response {
        let mut response = Response::new(Body::full(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if !retry_after.is_empty() {
            response.headers_mut().insert(RETRY_AFTER, retry_after.parse().unwrap());
        }
        response
    }

    /// An exporter whose collector gives these answers in turn, the last one for ever.
    fn trial(answers: Vec<fn() -> Response>, gzip: bool) -> Trial {
        let turns = Mutex::new(answers.into_iter());
        let last = Mutex::new(None::<fn() -> Response>);
        let client = FakeClient::new(move |_| {
            let mut last = last.lock().unwrap();
            *last = turns.lock().unwrap().next().or(*last);
            Ok((last.unwrap())())
        });
        let given = Given {
            endpoint: Some("http://collector:4318".to_owned()),
            headers: vec![("api-key".to_owned(), "k".into())],
            compression: gzip.then(|| "gzip".to_owned()),
            ..Given::default()
        };
        let settings = Settings::read(&given, &|_| None).unwrap().unwrap();
        let clock = FakeClock::at_unix(100);
        let outbox = Arc::new(Outbox::new(Some(Sampler::default()), true, 80));
        let metrics = Arc::<Metrics>::default();
        let exporter = Arc::new(Exporter::new(
            settings,
            Arc::new(client.clone()),
            CallOptions::default(),
            Arc::new(clock.clone()),
            metrics.clone(),
            outbox.clone(),
        ));
        Trial { exporter, client, clock, outbox, metrics }
    }

    impl Trial {
        fn log(&self) {
            self.outbox.log(LogEvent {
                time: SystemTime::UNIX_EPOCH,
                name: "GatewayLogs",
                body: "x".to_owned(),
                attributes: vec![],
                context: None,
            });
        }

        /// Lets the exporter of logs run, so many seconds by its clock.
        async fn run(&self, seconds: u64) {
            let exporter = self.exporter.clone();
            let task = tokio::spawn(async move { exporter.run(Signal::Logs).await });
            for _ in 0..seconds {
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                self.clock.advance(Duration::from_secs(1));
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            task.abort();
        }

        /// Sent, dropped, and calls that failed.
        fn sums(&self) -> (u64, u64, u64) {
            let sums = self.exporter.sums(Signal::Logs);
            (sums.sent.get(), sums.lost.get(), sums.failed.get())
        }
    }

    #[tokio::test]
    async fn what_waits_is_sent_with_its_headers() {
        let trial = trial(vec![|| answer(200, "", b"")], true);
        trial.log();
        trial.log();
        trial.run(2).await;
        let requests = trial.client.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].uri, "http://collector:4318/v1/logs");
        assert_eq!(requests[0].headers["content-type"], "application/x-protobuf");
        assert_eq!(requests[0].headers["content-encoding"], "gzip");
        assert_eq!(requests[0].headers["api-key"], "k");
        assert_eq!(requests[0].body[..2], [0x1f, 0x8b]);
        assert_eq!(trial.sums(), (2, 0, 0));
    }

    #[tokio::test]
    async fn a_batch_is_tried_again_while_that_may_help() {
        let busy: fn() -> Response = || answer(503, "3", b"");
        let trial = trial(vec![busy, busy, || answer(200, "", b"")], false);
        trial.log();
        trial.run(6).await;
        assert_eq!(trial.sums(), (0, 0, 2));
        trial.run(3).await;
        assert_eq!(trial.client.requests().len(), 2, "the asked time is waited for");
    }

    #[tokio::test]
    async fn tries_end_and_what_is_lost_is_counted() {
        let trial = trial(vec![|| answer(503, "1", b"")], false);
        trial.log();
        trial.run(20).await;
        assert_eq!(trial.client.requests().len(), MAX_TRIES as usize);
        assert_eq!(trial.sums(), (0, 1, u64::from(MAX_TRIES)));
    }

    #[tokio::test]
    async fn a_refusal_is_final_and_a_part_of_one_is_counted() {
        let refusing = trial(vec![|| answer(400, "", b"")], false);
        refusing.log();
        refusing.run(5).await;
        assert_eq!((refusing.client.requests().len(), refusing.sums()), (1, (0, 1, 1)));
        // partial_success { rejected_log_records: 2, error_message: "no" }
        let partly = trial(vec![|| answer(200, "", b"\x0a\x06\x08\x02\x12\x02no")], false);
        for _ in 0..3 {
            partly.log();
        }
        partly.exporter.flush().await;
        assert_eq!(partly.sums(), (1, 2, 0));
    }

    #[tokio::test]
    async fn what_found_no_room_is_counted_once() {
        let trial = trial(vec![|| answer(200, "", b"")], false);
        for _ in 0..15 {
            trial.log();
        }
        trial.exporter.flush().await;
        let (sent, lost, _) = trial.sums();
        assert_eq!((sent, lost), (10, 5));
        trial.exporter.flush().await;
        assert_eq!(trial.sums(), (sent, lost, 0));
        assert!(trial.metrics.prometheus().contains("portcullis_otlp_dropped_total{"));
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        for (n_try, least, most) in [(1, 500, 1000), (3, 2000, 4000), (50, 15_000, 30_000)] {
            let wait = wait(n_try).as_millis();
            assert!((least..=most).contains(&wait), "{n_try}: {wait}");
        }
    }
}
