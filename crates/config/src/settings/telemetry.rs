//! `telemetry:`: what the gateway tells an OpenTelemetry collector. Nothing, unless an endpoint is
//! named here or in OpenTelemetry's own variables, which go over what stands here.
//!
//! ```yaml
//! telemetry:
//!   service-name: edge
//!   resource: { deployment.environment.name: prod }
//!   sampling: 0.1                       # of traces that begin here
//!   otlp:
//!     endpoint: http://collector:4318
//!     headers: { api-key: { env: COLLECTOR_KEY } }
//!     signals: [metrics, traces, logs]  # all, unless given
//!     protocol: http/protobuf
//!     compression: gzip
//!     timeout: 10s
//!     interval: 60s                     # of metrics
//! ```

use std::time::Duration;

use super::quantity;
use crate::codes;
use crate::secret_source::SecretSource;
use crate::tree::{Fields, Keys, Tree};

/// What the gateway tells a collector.
#[derive(Clone, Debug, Default)]
pub struct TelemetrySettings {
    /// The collector's URL, without `/v1/...`.
    pub endpoint: Option<String>,
    /// Headers of every call.
    pub headers: Vec<(String, SecretSource)>,
    /// `http/protobuf`.
    pub protocol: Option<String>,
    /// `gzip` or `none`.
    pub compression: Option<String>,
    /// Longest wait for an answer.
    pub timeout: Option<Duration>,
    /// How often metrics are sent.
    pub interval: Option<Duration>,
    /// `metrics`, `traces`, `logs`; empty: all.
    pub signals: Vec<String>,
    /// The part of new traces that is kept, from 0 to 1.
    pub sampling: Option<f64>,
    /// `service.name` of the resource.
    pub service_name: Option<String>,
    /// Further attributes of the resource.
    pub resource: Vec<(String, String)>,
}

impl PartialEq for TelemetrySettings {
    /// Whether a restart would change nothing, as far as the file tells.
    fn eq(&self, other: &TelemetrySettings) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

pub(super) fn read(fields: &Fields<'_, '_>) -> TelemetrySettings {
    let mut it = TelemetrySettings::default();
    let Some(telemetry) = fields.map("telemetry") else { return it };
    it.service_name = telemetry.filled("service-name");
    it.sampling = telemetry.get("sampling").and_then(|tree| sampling(&telemetry, tree));
    if let Some(resource) = telemetry.map("resource") {
        for entry in resource.tree().entries() {
            match entry.value.scalar() {
                Some(text) => it.resource.push((entry.key.clone(), text.to_owned())),
                None => drop(resource.wrong::<()>(&entry.key, &entry.value, "a text")),
            }
        }
    }
    if let Some(otlp) = telemetry.map("otlp") {
        it.endpoint = otlp.filled("endpoint");
        it.protocol = word(&otlp, "protocol", &["http/protobuf"]);
        it.compression = word(&otlp, "compression", &["none", "gzip"]);
        it.timeout = quantity::duration(&otlp, "timeout");
        it.interval = quantity::duration(&otlp, "interval");
        it.signals = signals(&otlp);
        if let Some(headers) = otlp.map("headers") {
            let entries = headers.tree().entries().iter();
            it.headers = entries
                .filter_map(|one| Some((one.key.clone(), header(&otlp, &one.key, &one.value)?)))
                .collect();
        }
        otlp.finish();
    }
    telemetry.finish();
    it
}

fn sampling(fields: &Fields<'_, '_>, tree: &Tree) -> Option<f64> {
    let found = tree.scalar().and_then(|it| it.parse().ok());
    let found = found.filter(|it| (0.0..=1.0).contains(it));
    if found.is_none() {
        fields.report(tree.error(codes::BAD_VALUE, "`sampling` is a number from 0 to 1"));
    }
    found
}

fn word(fields: &Fields<'_, '_>, key: &'static str, words: &[&str]) -> Option<String> {
    let tree = fields.get(key)?;
    let found = tree.scalar().filter(|it| words.contains(it));
    if found.is_none() {
        let words: Vec<String> = words.iter().map(|it| format!("`{it}`")).collect();
        let message = format!("`{key}` is {}", words.join(" or "));
        fields.report(tree.error(codes::BAD_VALUE, message));
    }
    found.map(str::to_owned)
}

fn signals(fields: &Fields<'_, '_>) -> Vec<String> {
    let mut found = Vec::new();
    for tree in fields.list("signals") {
        match tree.scalar() {
            Some(it @ ("metrics" | "traces" | "logs")) => found.push(it.to_owned()),
            other => {
                let message = format!("`{}` is no signal", other.unwrap_or_default());
                let help = "the signals are `metrics`, `traces` and `logs`";
                fields.report(tree.error(codes::BAD_VALUE, message).help(help));
            }
        }
    }
    found
}

/// A header's value comes from elsewhere: it is nearly always a key.
fn header(fields: &Fields<'_, '_>, name: &str, tree: &Tree) -> Option<SecretSource> {
    if tree.scalar().is_some() {
        let message = format!("the value of header `{name}` stands in the file");
        let help = "write `{ env: NAME }`, `{ file: PATH }` or `{ keyvault: URL }`";
        fields.report(tree.error(codes::SECRET_IN_FILE, message).help(help));
        return None;
    }
    let source = Fields::new(tree, Keys::Known, fields.problems());
    let found = SecretSource::read(&source);
    if found.is_none() {
        source.missing("env");
    }
    source.finish();
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn every_key_is_read() {
        let (it, problems) = read(
            "telemetry:\n  service-name: edge\n  resource: { a.b: c }\n  sampling: 0.25\n  otlp:\n    \
             endpoint: http://c:4318\n    headers: { api-key: { env: KEY } }\n    signals: [traces]\n    \
             protocol: http/protobuf\n    compression: gzip\n    timeout: 5s\n    interval: 30s\n",
        );
        assert_eq!(problems, [""; 0]);
        let it = it.telemetry;
        assert_eq!((it.endpoint.as_deref(), it.sampling), (Some("http://c:4318"), Some(0.25)));
        assert_eq!(it.signals, ["traces"]);
        assert_eq!(it.resource, [("a.b".to_owned(), "c".to_owned())]);
        assert!(matches!(&*it.headers, [(name, SecretSource::Variable(_))] if name == "api-key"));
        let times = (Some(Duration::from_secs(5)), Some(Duration::from_secs(30)));
        assert_eq!((it.timeout, it.interval), times);
        assert_eq!(
            (it.service_name.as_deref(), it.compression.as_deref()),
            (Some("edge"), Some("gzip"))
        );
    }

    #[test]
    fn mistakes_are_told_and_keys_are_not() {
        for (text, problem) in [
            (
                "telemetry: { otlp: { headers: { k: hunter2 } } }",
                "PC0514 the value of header `k` stands in the file",
            ),
            ("telemetry: { otlp: { protocol: grpc } }", "PC0506 `protocol` is `http/protobuf`"),
            (
                "telemetry: { otlp: { compression: zstd } }",
                "PC0506 `compression` is `none` or `gzip`",
            ),
            ("telemetry: { otlp: { signals: [spans] } }", "PC0506 `spans` is no signal"),
            ("telemetry: { sampling: 2 }", "PC0506 `sampling` is a number from 0 to 1"),
            ("telemetry: { otpl: {} }", "PC0503 unknown key `otpl`"),
            ("telemetry: { otlp: true }", "PC0504 `otlp` must be a map, found true or false"),
        ] {
            assert_eq!(read(text).1, [problem], "{text}");
        }
    }
}
