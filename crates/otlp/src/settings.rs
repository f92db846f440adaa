//! Where telemetry goes: `telemetry:` of the settings file, and OpenTelemetry's own variables over
//! it.
//!
//! Nothing is sent unless an endpoint or an exporter is named.
//!
//! Source: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>,
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use telemetry::Sampler;
use transport::Secret;

/// Where a collector listens if an exporter is named without an endpoint.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318";
/// Longest wait for an answer, unless set.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often metrics are sent, unless set.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
/// The least and the most that times may be set to.
const TIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(60 * 60);

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Sums and distributions.
    Metrics,
    /// Spans.
    Traces,
    /// Log records.
    Logs,
}

impl Signal {
    /// All of them.
    pub const ALL: [Signal; 3] = [Signal::Metrics, Signal::Traces, Signal::Logs];

    /// The last part of its path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Signal::Metrics => "metrics",
            Signal::Traces => "traces",
            Signal::Logs => "logs",
        }
    }
}

/// What the settings file says; all of it may be absent.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The collector's URL, without `/v1/...`.
    pub endpoint: Option<String>,
    /// Headers of every call, such as credentials.
    pub headers: Vec<(String, Secret)>,
    /// The only one is `http/protobuf`.
    pub protocol: Option<String>,
    /// `gzip` or `none`.
    pub compression: Option<String>,
    /// Longest wait for an answer.
    pub timeout: Option<Duration>,
    /// How often metrics are sent.
    pub interval: Option<Duration>,
    /// What is sent; empty: everything.
    pub signals: Vec<Signal>,
    /// The part of new traces that is kept.
    pub sampling: Option<f64>,
    /// `service.name` of the resource.
    pub service_name: Option<String>,
    /// Further attributes of the resource.
    pub resource: Vec<(String, String)>,
}

/// Where telemetry goes, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where each signal goes that is sent.
    pub targets: Vec<Target>,
    /// How often metrics are sent.
    pub interval: Duration,
    /// Which traces are kept.
    pub sampler: Sampler,
    /// Who sends.
    pub resource: Vec<(String, String)>,
}

/// Where a signal goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// What is sent.
    pub signal: Signal,
    /// The whole address.
    pub uri: Uri,
    /// Headers of every call; their values are marked sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether bodies are compressed.
    pub gzip: bool,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

/// What is wrong with the settings; holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
pub struct BadSettings {
    name: String,
    what: String,
}

fn bad(name: &str, what: impl Into<String>) -> BadSettings {
    BadSettings { name: name.to_owned(), what: what.into() }
}

/// Looks a variable up; empty ones count as absent.
type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl Settings {
    /// What the file and the variables come to; none if nothing is sent.
    ///
    /// # Errors
    ///
    /// What cannot be meant or is not supported, such as the protocol `grpc`.
    pub fn read(given: &Given, lookup: &Lookup<'_>) -> Result<Option<Settings>, BadSettings> {
        let get = |name: &str| lookup(name).filter(|it| !it.trim().is_empty());
        if get("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let mut targets = Vec::new();
        for signal in Signal::ALL {
            targets.extend(target(signal, given, &get)?);
        }
        if targets.is_empty() {
            return Ok(None);
        }
        let interval = time("OTEL_METRIC_EXPORT_INTERVAL", &get)?.or(given.interval);
        let sampler = sampler(given, &get)?;
        let interval = interval.unwrap_or(DEFAULT_INTERVAL);
        for it in targets.iter().map(|it| it.timeout).chain([interval]) {
            if !TIMES.contains(&it) {
                return Err(bad("telemetry", "times are from 100ms to 1h"));
            }
        }
        Ok(Some(Settings { targets, interval, sampler, resource: resource(given, &get)? }))
    }

    /// Whether a signal is sent.
    #[must_use]
    pub fn sends(&self, signal: Signal) -> bool {
        self.targets.iter().any(|it| it.signal == signal)
    }
}

/// Where a signal goes; none if it is not sent.
fn target(signal: Signal, given: &Given, get: &Lookup<'_>) -> Result<Option<Target>, BadSettings> {
    let upper = signal.name().to_ascii_uppercase();
    // The variable of one signal goes before that of all.
    let either = |what: &str| {
        let own = format!("OTEL_EXPORTER_OTLP_{upper}_{what}");
        let all = format!("OTEL_EXPORTER_OTLP_{what}");
        match get(&own) {
            Some(text) => Some((own, text)),
            None => get(&all).map(|text| (all, text)),
        }
    };
    let exporter = format!("OTEL_{upper}_EXPORTER");
    let is_named = match get(&exporter).as_deref().map(str::trim) {
        None => false,
        Some("otlp") => true,
        Some("none") => return Ok(None),
        Some(_) => return Err(bad(&exporter, "the exporters are `otlp` and `none`")),
    };
    if !given.signals.is_empty() && !given.signals.contains(&signal) && !is_named {
        return Ok(None);
    }
    let own = get(&format!("OTEL_EXPORTER_OTLP_{upper}_ENDPOINT"));
    let all = get("OTEL_EXPORTER_OTLP_ENDPOINT").or_else(|| given.endpoint.clone());
    let all = all.or_else(|| is_named.then(|| DEFAULT_ENDPOINT.to_owned()));
    let Some(endpoint) = own.or_else(|| {
        all.map(|it| format!("{}/v1/{}", it.trim().trim_end_matches('/'), signal.name()))
    }) else {
        return Ok(None);
    };
    let (name, protocol) = either("PROTOCOL")
        .or_else(|| Some(("protocol".to_owned(), given.protocol.clone()?)))
        .unwrap_or_default();
    if !matches!(protocol.as_str(), "" | "http/protobuf") {
        return Err(bad(&name, "the only protocol is `http/protobuf`"));
    }
    let (name, compression) = either("COMPRESSION")
        .or_else(|| Some(("compression".to_owned(), given.compression.clone()?)))
        .unwrap_or_default();
    let gzip = match compression.as_str() {
        "gzip" => true,
        "" | "none" => false,
        _ => return Err(bad(&name, "it is `gzip` or `none`")),
    };
    let timeout = match either("TIMEOUT") {
        Some((name, _)) => time(&name, get)?,
        None => given.timeout,
    };
    Ok(Some(Target {
        signal,
        uri: uri(&endpoint)?,
        headers: headers(given, either("HEADERS"))?,
        gzip,
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
    }))
}

fn uri(endpoint: &str) -> Result<Uri, BadSettings> {
    // What stands before an `@` may be a password: the address is not repeated.
    let wrong = || bad("endpoint", "it is no `http` or `https` URL");
    let url = url::Url::parse(endpoint.trim()).map_err(|_| wrong())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !is_plain {
        return Err(wrong());
    }
    url.as_str().parse().map_err(|_| wrong())
}

/// `name=value,name=value`, values percent-encoded; or what the file says.
fn headers(
    given: &Given,
    variable: Option<(String, String)>,
) -> Result<Vec<(HeaderName, HeaderValue)>, BadSettings> {
    let (from, pairs) = match variable {
        None => ("headers".to_owned(), given.headers.clone()),
        Some((from, text)) => {
            let pair = |it: &str| {
                let (name, value) = it.split_once('=')?;
                let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
                Some((name.trim().to_owned(), Secret::new(value.into_owned())))
            };
            let written = text.split(',').filter(|it| !it.trim().is_empty());
            let pairs: Option<Vec<_>> = written.map(pair).collect();
            let pairs = pairs.ok_or_else(|| bad(&from, "write `name=value,name=value`"))?;
            (from, pairs)
        }
    };
    let header = |(name, value): &(String, Secret)| {
        let wrong = || bad(&from, format!("`{name}` or its value cannot be a header"));
        let mut text = HeaderValue::from_str(value.expose()).map_err(|_| wrong())?;
        text.set_sensitive(true);
        Ok((HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, text))
    };
    pairs.iter().map(header).collect()
}

/// A variable in milliseconds.
fn time(name: &str, get: &Lookup<'_>) -> Result<Option<Duration>, BadSettings> {
    let Some(text) = get(name) else { return Ok(None) };
    let number = text.trim().parse().map_err(|_| bad(name, "it is a number of milliseconds"))?;
    Ok(Some(Duration::from_millis(number)))
}

fn sampler(given: &Given, get: &Lookup<'_>) -> Result<Sampler, BadSettings> {
    let share = |it: f64| (0.0..=1.0).contains(&it).then_some(it);
    let Some(name) = get("OTEL_TRACES_SAMPLER") else {
        let ratio = given.sampling.unwrap_or(1.0);
        let ratio = share(ratio).ok_or_else(|| bad("sampling", "it is from 0 to 1"))?;
        return Ok(Sampler { ratio, ..Sampler::default() });
    };
    let ratio = || match get("OTEL_TRACES_SAMPLER_ARG") {
        None => Ok(1.0),
        Some(text) => {
            let number = text.trim().parse().ok().and_then(share);
            number.ok_or_else(|| bad("OTEL_TRACES_SAMPLER_ARG", "it is from 0 to 1"))
        }
    };
    let (parent, name) = match name.trim().strip_prefix("parentbased_") {
        Some(name) => (true, name),
        None => (false, name.trim()),
    };
    let ratio = match name {
        "always_on" => 1.0,
        "always_off" => 0.0,
        "traceidratio" => ratio()?,
        _ => {
            let known = "the samplers are `always_on`, `always_off`, `traceidratio`, and these \
                         with `parentbased_` before them";
            return Err(bad("OTEL_TRACES_SAMPLER", known));
        }
    };
    Ok(Sampler { follows_parent: parent, ratio })
}

/// `OTEL_RESOURCE_ATTRIBUTES` over the file's, `OTEL_SERVICE_NAME` over both.
fn resource(given: &Given, get: &Lookup<'_>) -> Result<Vec<(String, String)>, BadSettings> {
    const VARIABLE: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let mut all = vec![("service.name".to_owned(), "portcullis".to_owned())];
    let mut set = |name: &str, value: String| match all.iter_mut().find(|it| it.0 == name) {
        Some(known) => known.1 = value,
        None => all.push((name.to_owned(), value)),
    };
    set("service.version", env!("CARGO_PKG_VERSION").to_owned());
    set("telemetry.sdk.name", "portcullis".to_owned());
    set("telemetry.sdk.language", "rust".to_owned());
    given.resource.iter().for_each(|(name, value)| set(name, value.clone()));
    if let Some(name) = &given.service_name {
        set("service.name", name.clone());
    }
    for pair in get(VARIABLE).unwrap_or_default().split(',').filter(|it| !it.trim().is_empty()) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| bad(VARIABLE, "write `name=value,name=value`"))?;
        let value = percent_decode_str(value.trim()).decode_utf8();
        let value = value.map_err(|_| bad(VARIABLE, "a value is not UTF-8"))?;
        set(name.trim(), value.into_owned());
    }
    if let Some(name) = get("OTEL_SERVICE_NAME") {
        set("service.name", name.trim().to_owned());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &Given, variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        let lookup = |name: &str| {
            variables.iter().find(|it| it.0 == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::read(given, &lookup).map_err(|it| it.to_string())
    }

    fn given(endpoint: &str) -> Given {
        Given { endpoint: Some(endpoint.to_owned()), ..Given::default() }
    }

    fn uris(settings: &Settings) -> Vec<String> {
        settings.targets.iter().map(|it| it.uri.to_string()).collect()
    }

    #[test]
    fn nothing_is_sent_unless_it_is_asked_for() {
        assert!(read(&Given::default(), &[]).unwrap().is_none());
        assert!(read(&given("http://c"), &[("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
        assert!(
            read(&Given::default(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]).unwrap().is_none()
        );
        let none = [("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "none")];
        assert_eq!(
            uris(&read(&given("http://c/x/"), &none).unwrap().unwrap()),
            ["http://c/x/v1/traces"]
        );
        let named = read(&Given::default(), &[("OTEL_TRACES_EXPORTER", "otlp")]).unwrap().unwrap();
        assert_eq!(uris(&named), ["http://localhost:4318/v1/traces"]);
    }

    #[test]
    fn variables_go_over_the_file_and_those_of_a_signal_over_both() {
        let file = Given {
            headers: vec![("api-key".to_owned(), Secret::new("file"))],
            compression: Some("gzip".to_owned()),
            sampling: Some(0.25),
            service_name: Some("gw".to_owned()),
            resource: vec![("a".to_owned(), "1".to_owned())],
            interval: Some(Duration::from_secs(5)),
            ..given("https://file")
        };
        let it = read(&file, &[]).unwrap().unwrap();
        assert_eq!((it.sampler.ratio, it.interval), (0.25, Duration::from_secs(5)));
        assert!(it.targets[0].gzip && it.targets[0].headers[0].1 == "file");
        assert!(it.resource.contains(&("service.name".to_owned(), "gw".to_owned())));

        let it = read(
            &file,
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://all"),
                ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "https://logs/own"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-a=b%20c, x-d=e"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
                ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
                ("OTEL_SERVICE_NAME", "edge"),
                ("OTEL_RESOURCE_ATTRIBUTES", "a=2,b=x%2Cy"),
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
            ],
        );
        let it = it.unwrap().unwrap();
        let expected = ["https://all/v1/metrics", "https://all/v1/traces", "https://logs/own"];
        assert_eq!(uris(&it), expected);
        assert_eq!(it.targets[0].headers.len(), 2);
        assert_eq!(it.targets[0].headers[0].1, "b c");
        assert!(it.targets[0].gzip && !it.targets[1].gzip);
        assert_eq!(it.targets[0].timeout, Duration::from_millis(2500));
        assert_eq!(
            (it.interval, it.sampler),
            (Duration::from_secs(1), Sampler { follows_parent: false, ratio: 0.5 })
        );
        for (name, value) in [("service.name", "edge"), ("a", "2"), ("b", "x,y")] {
            assert!(it.resource.contains(&(name.to_owned(), value.to_owned())), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_secrets_are_not_told() {
        let file = given("http://c");
        for (variable, expected) in [
            (
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                "OTEL_EXPORTER_OTLP_PROTOCOL: the only protocol is `http/protobuf`",
            ),
            (
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hunter2@c"),
                "endpoint: it is no `http` or `https` URL",
            ),
            (
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
                "endpoint: it is no `http` or `https` URL",
            ),
            (
                ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
                "OTEL_EXPORTER_OTLP_HEADERS: write `name=value,name=value`",
            ),
            (
                ("OTEL_EXPORTER_OTLP_HEADERS", "k=hunter2%0A"),
                "OTEL_EXPORTER_OTLP_HEADERS: `k` or its value cannot be a header",
            ),
            (
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
                "OTEL_EXPORTER_OTLP_TIMEOUT: it is a number of milliseconds",
            ),
            (("OTEL_EXPORTER_OTLP_TIMEOUT", "0"), "telemetry: times are from 100ms to 1h"),
            (
                ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
                "OTEL_EXPORTER_OTLP_COMPRESSION: it is `gzip` or `none`",
            ),
            (
                ("OTEL_TRACES_EXPORTER", "zipkin"),
                "OTEL_TRACES_EXPORTER: the exporters are `otlp` and `none`",
            ),
            (
                ("OTEL_RESOURCE_ATTRIBUTES", "a"),
                "OTEL_RESOURCE_ATTRIBUTES: write `name=value,name=value`",
            ),
        ] {
            assert_eq!(read(&file, &[variable]).unwrap_err(), expected, "{variable:?}");
        }
        let many = Given { sampling: Some(2.0), ..given("http://c") };
        assert_eq!(read(&many, &[]).unwrap_err(), "sampling: it is from 0 to 1");
        assert!(read(&file, &[("OTEL_TRACES_SAMPLER", "jaeger_remote")]).is_err());
    }
}
