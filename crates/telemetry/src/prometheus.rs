//! Measurements as text: Prometheus' format 0.0.4, and OpenMetrics 1.0.
//!
//! OpenTelemetry's names become Prometheus' ones: what is no letter or digit becomes `_`, the
//! unit is added, and `_total` to counters. Units in braces and `1` are left out.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>,
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::instrument::Buckets;
use crate::metrics::Total;
use crate::points::{Data, Labels, MetricPoints};

/// A text format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextFormat {
    /// Prometheus' own, 0.0.4.
    #[default]
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl TextFormat {
    /// The format that a client's `Accept` asks for.
    #[must_use]
    pub fn accepted(accept: &str) -> TextFormat {
        match accept.contains("application/openmetrics-text") {
            true => TextFormat::OpenMetrics,
            false => TextFormat::Prometheus,
        }
    }

    /// What the text is, for `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            TextFormat::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            TextFormat::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The text of these metrics.
    #[must_use]
    pub fn write(self, metrics: &[MetricPoints]) -> String {
        // Different names may become the same one: their series go together.
        let mut families: BTreeMap<String, Vec<&MetricPoints>> = BTreeMap::new();
        for metric in metrics {
            families.entry(family_name(metric)).or_default().push(metric);
        }
        let mut text = String::new();
        for (name, metrics) in &families {
            self.family(&mut text, name, metrics);
        }
        if self == TextFormat::OpenMetrics {
            text.push_str("# EOF\n");
        }
        text
    }

    fn family(self, text: &mut String, name: &str, metrics: &[&MetricPoints]) {
        let Some(first) = metrics.first() else { return };
        let kind = kind(&first.data);
        let is_counter = matches!(first.data, Data::Counter(_));
        // The older format names a counter by its one sample.
        let shown = match self {
            TextFormat::Prometheus if is_counter => format!("{name}_total"),
            _ => name.to_owned(),
        };
        if !first.help.is_empty() {
            let help = first.help.replace('\\', "\\\\").replace('\n', "\\n");
            let _ = writeln!(text, "# HELP {shown} {help}");
        }
        let _ = writeln!(text, "# TYPE {shown} {kind}");
        let unit = unit_word(first.unit);
        if !unit.is_empty() && self == TextFormat::OpenMetrics {
            let _ = writeln!(text, "# UNIT {shown} {unit}");
        }
        let mut summaries: BTreeMap<String, Total> = BTreeMap::new();
        for metric in metrics.iter().filter(|it| self::kind(&it.data) == kind) {
            match &metric.data {
                Data::Counter(series) => {
                    for (labels, value) in series {
                        let _ =
                            writeln!(text, "{name}_total{} {value}", shown_labels(labels, None));
                    }
                }
                Data::Gauge(series) => {
                    for (labels, value) in series {
                        let _ = writeln!(text, "{name}{} {value}", shown_labels(labels, None));
                    }
                }
                Data::Histogram(series) => {
                    series.iter().for_each(|(labels, it)| histogram(text, name, labels, it));
                }
                Data::Summary(series) => {
                    for (labels, total) in series {
                        summaries.entry(shown_labels(labels, None)).or_default().merge(*total);
                    }
                }
            }
        }
        for (labels, Total { count, sum }) in summaries {
            let _ = writeln!(text, "{name}_sum{labels} {sum}\n{name}_count{labels} {count}");
        }
    }
}

fn histogram(text: &mut String, name: &str, labels: &Labels, buckets: &Buckets) {
    let mut n = 0;
    let bounds = buckets.bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
    for (bound, count) in bounds.zip(&buckets.counts) {
        n += count;
        let labels = shown_labels(labels, Some(&bound));
        let _ = writeln!(text, "{name}_bucket{labels} {n}");
    }
    let labels = shown_labels(labels, None);
    let _ = writeln!(text, "{name}_sum{labels} {}\n{name}_count{labels} {n}", buckets.sum);
}

const fn kind(data: &Data) -> &'static str {
    match data {
        Data::Counter(_) => "counter",
        Data::Gauge(_) => "gauge",
        Data::Histogram(_) => "histogram",
        Data::Summary(_) => "summary",
    }
}

/// The family's name, without the `_total` of counters.
fn family_name(metric: &MetricPoints) -> String {
    let mut name = match &metric.namespace {
        Some(namespace) => identifier(&format!("{namespace}_{}", metric.name)),
        None => identifier(&metric.name),
    };
    let unit = unit_word(metric.unit);
    if !unit.is_empty() && !name.ends_with(unit) {
        name = format!("{name}_{unit}");
    }
    match (&metric.data, name.strip_suffix("_total")) {
        (Data::Counter(_), Some(short)) => short.to_owned(),
        _ => name,
    }
}

fn unit_word(unit: &str) -> &'static str {
    match unit {
        "s" => "seconds",
        "ms" => "milliseconds",
        "By" => "bytes",
        _ => "",
    }
}

/// `{a="1",b="2"}`; nothing without labels. Of two that become the same name, the last one stays.
fn shown_labels(labels: &Labels, bound: Option<&str>) -> String {
    let mut pairs: BTreeMap<String, &str> =
        labels.iter().map(|(name, value)| (identifier(name), value)).collect();
    if let Some(bound) = bound {
        pairs.insert("le".to_owned(), bound);
    }
    if pairs.is_empty() {
        return String::new();
    }
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// A name that Prometheus takes: letters, digits and `_`, not starting with a digit.
fn identifier(name: &str) -> String {
    let is_fine = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut text: String = name.chars().map(|it| if is_fine(it) { it } else { '_' }).collect();
    if text.starts_with(|it: char| it.is_ascii_digit()) || text.is_empty() {
        text.insert(0, '_');
    }
    text
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(data: Data) -> MetricPoints {
        MetricPoints::own("http.server.time", "s", "How long.\nIn \\ seconds", data)
    }

    #[test]
    fn a_histogram_counts_up_and_has_its_unit() {
        let buckets = Buckets { bounds: vec![0.5, 1.0], counts: vec![2, 0, 1], sum: 3.25 };
        let metric = points(Data::Histogram(vec![(Labels::new(&[("a.b", "x\"y\\z\n")]), buckets)]));
        let labels = "a_b=\"x\\\"y\\\\z\\n\"";
        let samples = format!(
            "http_server_time_seconds_bucket{{{labels},le=\"0.5\"}} 2\n\
             http_server_time_seconds_bucket{{{labels},le=\"1\"}} 2\n\
             http_server_time_seconds_bucket{{{labels},le=\"+Inf\"}} 3\n\
             http_server_time_seconds_sum{{{labels}}} 3.25\n\
             http_server_time_seconds_count{{{labels}}} 3\n"
        );
        let head = "# HELP http_server_time_seconds How long.\\nIn \\\\ seconds\n\
                    # TYPE http_server_time_seconds histogram\n";
        let metrics = [metric];
        assert_eq!(TextFormat::Prometheus.write(&metrics), format!("{head}{samples}"));
        let unit = "# UNIT http_server_time_seconds seconds\n";
        let expected = format!("{head}{unit}{samples}# EOF\n");
        assert_eq!(TextFormat::OpenMetrics.write(&metrics), expected);
    }

    #[test]
    fn a_counter_is_named_as_each_format_wants_it() {
        for name in ["gateway.calls", "gateway_calls_total"] {
            let data = Data::Counter(vec![(Labels::default(), 7)]);
            let metrics = [MetricPoints::own(name, "{call}", "", data)];
            assert_eq!(
                TextFormat::Prometheus.write(&metrics),
                "# TYPE gateway_calls_total counter\ngateway_calls_total 7\n"
            );
            assert_eq!(
                TextFormat::OpenMetrics.write(&metrics),
                "# TYPE gateway_calls counter\ngateway_calls_total 7\n# EOF\n"
            );
        }
    }

    #[test]
    fn the_client_says_which_format_it_wants() {
        let accepted = TextFormat::accepted("application/openmetrics-text;version=1.0.0,*/*;q=0.1");
        assert_eq!(accepted, TextFormat::OpenMetrics);
        assert_eq!(TextFormat::accepted("*/*"), TextFormat::Prometheus);
        assert!(accepted.content_type().contains("1.0.0"));
    }
}
