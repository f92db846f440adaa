//! Export requests of OTLP 1.x: metrics, spans, log records.
//!
//! The messages are few and their numbers are fixed, so they are written out here: the published
//! crate for them brings an SDK and a gRPC library along.
//!
//! Source: <https://github.com/open-telemetry/opentelemetry-proto>

use std::time::{SystemTime, UNIX_EPOCH};

use telemetry::{
    Buckets, Data, Labels, LogEvent, MetricPoints, SpanKind, SpanRecord, Total, Value,
};

use crate::wire::Message;

/// Sums count from the start of the process.
const CUMULATIVE: u64 = 2;
const SCOPE: &str = "portcullis";

/// Who sends: `service.name` and other attributes of the resource.
pub(crate) type Resource = [(String, String)];

/// Since when sums count, and when they were read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: SystemTime,
    pub(crate) now: SystemTime,
}

pub(crate) fn metrics(resource: &Resource, points: &[MetricPoints], time: Span) -> Vec<u8> {
    let mut namespaces: Vec<Option<&str>> =
        points.iter().map(|it| it.namespace.as_deref()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    request(resource, |it| {
        for namespace in namespaces {
            it.message(2, |it| {
                scope(it, namespace.unwrap_or(SCOPE));
                for metric in points.iter().filter(|it| it.namespace.as_deref() == namespace) {
                    it.message(2, |it| write_metric(it, metric, time));
                }
            });
        }
    })
}

pub(crate) fn spans(resource: &Resource, spans: &[SpanRecord]) -> Vec<u8> {
    request(resource, |it| {
        it.message(2, |it| {
            scope(it, SCOPE);
            spans.iter().for_each(|span| {
                it.message(2, |it| write_span(it, span));
            });
        });
    })
}

pub(crate) fn logs(resource: &Resource, events: &[LogEvent]) -> Vec<u8> {
    request(resource, |it| {
        it.message(2, |it| {
            scope(it, SCOPE);
            events.iter().for_each(|event| {
                it.message(2, |it| write_event(it, event));
            });
        });
    })
}

fn request(resource: &Resource, write: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut all = Message::default();
    all.message(1, |it| {
        it.message(1, |it| {
            for (name, value) in resource {
                text_attribute(it, 1, name, value);
            }
        });
        write(it);
    });
    all.into_bytes()
}

fn scope(message: &mut Message, name: &str) {
    message.message(1, |it| {
        it.text(1, name);
        if name == SCOPE {
            it.text(2, env!("CARGO_PKG_VERSION"));
        }
    });
}

fn write_metric(message: &mut Message, metric: &MetricPoints, time: Span) {
    let name = match &metric.data {
        // The suffix is Prometheus' own.
        Data::Counter(_) => metric.name.strip_suffix("_total").unwrap_or(&metric.name),
        _ => &*metric.name,
    };
    message.text(1, name).text(2, metric.help).text(3, metric.unit);
    match &metric.data {
        Data::Gauge(series) => message.message(5, |it| {
            for (labels, value) in series {
                it.message(1, |it| {
                    point(it, 7, labels, time).double(4, *value);
                });
            }
        }),
        Data::Counter(series) => message.message(7, |it| {
            for (labels, value) in series {
                it.message(1, |it| {
                    point(it, 7, labels, time).fixed64_always(6, *value);
                });
            }
            it.int(2, CUMULATIVE).int(3, 1);
        }),
        Data::Histogram(series) => message.message(9, |it| {
            for (labels, buckets) in series {
                it.message(1, |it| histogram(it, labels, buckets, time));
            }
            it.int(2, CUMULATIVE);
        }),
        // One bucket for all: count and sum are what policies measure.
        Data::Summary(series) => message.message(9, |it| {
            for (labels, Total { count, sum }) in series {
                let buckets = Buckets { bounds: Vec::new(), counts: vec![*count], sum: *sum };
                it.message(1, |it| histogram(it, labels, &buckets, time));
            }
            it.int(2, CUMULATIVE);
        }),
    };
}

/// Labels and times; the labels' field differs between kinds of points.
fn point<'a>(message: &'a mut Message, field: u32, labels: &Labels, time: Span) -> &'a mut Message {
    for (name, value) in labels.iter() {
        text_attribute(message, field, name, value);
    }
    message.fixed64(2, nanos(time.start)).fixed64(3, nanos(time.now))
}

fn histogram(message: &mut Message, labels: &Labels, buckets: &Buckets, time: Span) {
    point(message, 9, labels, time)
        .fixed64_always(4, buckets.count())
        .double(5, buckets.sum)
        .packed(6, buckets.counts.iter().copied())
        .packed(7, buckets.bounds.iter().map(|it| it.to_bits()));
}

fn write_span(message: &mut Message, span: &SpanRecord) {
    let end = span.start.checked_add(span.duration).unwrap_or(span.start);
    let kind = match span.kind {
        SpanKind::Server => 2,
        SpanKind::Client => 3,
    };
    message
        .bytes(1, &span.context.trace_id)
        .bytes(2, &span.context.span_id)
        .bytes(4, span.parent.as_ref().map_or(&[], |it| it))
        .text(5, &span.name)
        .int(6, kind)
        .fixed64(7, nanos(span.start))
        .fixed64(8, nanos(end));
    attributes(message, 9, &span.attributes);
    if let Some(error) = &span.error {
        message.message(15, |it| {
            it.text(2, error).int(3, 2);
        });
    }
    message.fixed32(16, u32::from(span.context.is_sampled));
}

fn write_event(message: &mut Message, event: &LogEvent) {
    const INFO: u64 = 9;
    message.fixed64(1, nanos(event.time)).int(2, INFO).text(3, "INFO");
    message.message(5, |it| value(it, &Value::Text(event.body.clone())));
    attributes(message, 6, &event.attributes);
    if let Some(context) = &event.context {
        message
            .fixed32(8, u32::from(context.is_sampled))
            .bytes(9, &context.trace_id)
            .bytes(10, &context.span_id);
    }
    message.fixed64(11, nanos(event.time)).text(12, event.name);
}

fn attributes<N: AsRef<str>>(message: &mut Message, field: u32, all: &[(N, Value)]) {
    for (name, it) in all {
        message.message(field, |message| {
            message.text(1, name.as_ref()).message(2, |message| value(message, it));
        });
    }
}

fn text_attribute(message: &mut Message, field: u32, name: &str, text: &str) {
    message.message(field, |it| {
        it.text(1, name).message(2, |it| {
            it.bytes_always(1, text.as_bytes());
        });
    });
}

fn value(message: &mut Message, it: &Value) {
    match it {
        Value::Text(text) => message.bytes_always(1, text.as_bytes()),
        Value::Bool(it) => message.int_always(2, u64::from(*it)),
        Value::Int(it) => message.int_always(3, it.cast_unsigned()),
        Value::Double(it) => message.double(4, *it),
        Value::List(all) => message.message(5, |message| {
            for it in all {
                message.message(1, |message| {
                    message.bytes_always(1, it.as_bytes());
                });
            }
        }),
    };
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use telemetry::{Metric, Metrics, TraceContext};

    use super::*;
    use crate::wire::{Field, find};

    /// The message in a field of a message, and so on.
    fn at<'a>(mut message: &'a [u8], path: &[u32]) -> &'a [u8] {
        for field in path {
            let Some(Field::Bytes(inner)) = find(message, *field) else { panic!("no {field}") };
            message = inner;
        }
        message
    }

    fn second(n: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(n)
    }

    fn resource() -> Vec<(String, String)> {
        vec![("service.name".to_owned(), "gateway".to_owned())]
    }

    #[test]
    fn a_counter_has_its_name_value_and_times() {
        const CALLS: Metric<telemetry::Counter> = Metric::new("z.calls_total", "{call}", "Calls.");
        let all = Metrics::default();
        all.series(&CALLS, &[("portcullis.api", "shop")]).add(300);
        let points: Vec<_> = all.points().into_iter().filter(|it| it.unit == "{call}").collect();
        let time = Span { start: second(1), now: second(2) };
        let request = metrics(&resource(), &points, time);
        let name = at(&request, &[1, 1, 1, 1]);
        assert_eq!(name, b"service.name");
        let metric = at(&request, &[1, 2, 2]);
        assert_eq!((at(metric, &[1]), at(metric, &[3])), (&b"z.calls"[..], &b"{call}"[..]));
        let sum = at(metric, &[7]);
        assert_eq!((find(sum, 2), find(sum, 3)), (Some(Field::Number(2)), Some(Field::Number(1))));
        let point = at(sum, &[1]);
        assert_eq!(at(point, &[6]), 300_u64.to_le_bytes());
        assert_eq!(at(point, &[2]), 1_000_000_000_u64.to_le_bytes());
        assert_eq!(
            (at(point, &[7, 1]), at(point, &[7, 2, 1])),
            (&b"portcullis.api"[..], &b"shop"[..])
        );
    }

    #[test]
    fn a_metric_of_a_policy_stands_in_its_namespace() {
        let all = Metrics::default();
        let series = telemetry::Series::new("API Management", "Total Tokens", []);
        all.measure(series.clone(), 2.5);
        all.measure(series, 1.0);
        let time = Span { start: second(1), now: second(2) };
        let points: Vec<_> = all.points().into_iter().filter(|it| it.namespace.is_some()).collect();
        let request = metrics(&resource(), &points, time);
        assert_eq!(at(&request, &[1, 2, 1, 1]), b"API Management");
        assert_eq!(at(&request, &[1, 2, 2, 1]), b"Total Tokens");
        let point = at(&request, &[1, 2, 2, 9, 1]);
        assert_eq!(at(point, &[4]), 2_u64.to_le_bytes());
        assert_eq!(at(point, &[5]), 3.5_f64.to_le_bytes());
        assert_eq!(at(point, &[6]), 2_u64.to_le_bytes());
    }

    #[test]
    fn a_span_names_its_parent_and_its_error() {
        let context = TraceContext { trace_id: [1; 16], span_id: [2; 8], is_sampled: true };
        let span = SpanRecord {
            context,
            parent: Some([3; 8]),
            name: "chat gpt".to_owned(),
            kind: SpanKind::Client,
            start: second(1),
            duration: Duration::from_nanos(7),
            attributes: vec![
                ("n", Value::Int(-1)),
                ("list", Value::List(vec!["a".to_owned(), "stop".to_owned()])),
            ],
            error: Some("gone".to_owned()),
        };
        let request = spans(&resource(), &[span]);
        let span = at(&request, &[1, 2, 2]);
        assert_eq!(
            (at(span, &[1]), at(span, &[2]), at(span, &[4])),
            (&[1; 16][..], &[2; 8][..], &[3; 8][..])
        );
        assert_eq!((at(span, &[5]), find(span, 6)), (&b"chat gpt"[..], Some(Field::Number(3))));
        assert_eq!(at(span, &[8]), 1_000_000_007_u64.to_le_bytes());
        assert_eq!(at(span, &[9, 2, 5, 1, 1]), b"stop");
        assert_eq!(at(span, &[15, 2]), b"gone");
    }

    #[test]
    fn an_event_has_body_attributes_and_trace() {
        let context = TraceContext { trace_id: [1; 16], span_id: [2; 8], is_sampled: true };
        let event = LogEvent {
            time: second(9),
            name: "GatewayLogs",
            body: "GET /".to_owned(),
            attributes: vec![("ResponseCode".into(), Value::Int(0))],
            context: Some(context),
        };
        let request = logs(&resource(), &[event]);
        let event = at(&request, &[1, 2, 2]);
        assert_eq!(at(event, &[5, 1]), b"GET /");
        assert_eq!(find(at(event, &[6, 2]), 3), Some(Field::Number(0)));
        assert_eq!((at(event, &[9]), at(event, &[12])), (&[1; 16][..], &b"GatewayLogs"[..]));
    }
}
