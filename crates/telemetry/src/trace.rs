//! Spans, and the header that carries a trace from one service to the next.
//!
//! Source: <https://www.w3.org/TR/trace-context/>,
//! <https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling>

use std::fmt;
use std::time::{Duration, SystemTime};

/// Which trace and span something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace, never zero.
    pub trace_id: [u8; 16],
    /// The span, never zero.
    pub span_id: [u8; 8],
    /// Whether spans of the trace are kept.
    pub is_sampled: bool,
}

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanRecord {
    /// Its trace and itself.
    pub context: TraceContext,
    /// The span above it.
    pub parent: Option<[u8; 8]>,
    /// A name of few values, such as `GET /items/{id}`.
    pub name: String,
    /// Which side of a call it is.
    pub kind: SpanKind,
    /// When it began.
    pub start: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// Names of OpenTelemetry's conventions, or those of the gateway.
    pub attributes: Vec<(&'static str, Value)>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// Which side of a call a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// A request that came in.
    Server,
    /// A call that went out.
    Client,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Another number.
    Double(f64),
    /// Yes or no.
    Bool(bool),
    /// Texts.
    List(Vec<String>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Value {
        Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

/// Which traces are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Whether a trace that came with the request is kept if its sender keeps it.
    pub follows_parent: bool,
    /// The part of the other traces that is kept, from 0 to 1.
    pub ratio: f64,
}

impl Default for Sampler {
    /// OpenTelemetry's `parentbased_always_on`.
    fn default() -> Sampler {
        Sampler { follows_parent: true, ratio: 1.0 }
    }
}

impl Sampler {
    /// The context of a new span below `parent`, or of a new trace.
    #[must_use]
    pub fn begin(self, parent: Option<&TraceContext>, random: impl Fn(&mut [u8])) -> TraceContext {
        let span_id = span_id(&random);
        let trace_id = parent.map_or_else(|| not_zero(&random), |it| it.trace_id);
        let is_sampled = match parent {
            Some(parent) if self.follows_parent => parent.is_sampled,
            _ => self.keeps(trace_id),
        };
        TraceContext { trace_id, span_id, is_sampled }
    }

    /// By the trace's id, so that all services with the same ratio decide the same.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of all ids; the conversion saturates"
    )]
    fn keeps(self, trace_id: [u8; 16]) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace_id;
        let id = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 8;
        id < (self.ratio.clamp(0.0, 1.0) * (1_u64 << 56) as f64) as u64
    }
}

/// An id for a span.
pub fn span_id(random: impl Fn(&mut [u8])) -> [u8; 8] {
    not_zero(random)
}

fn not_zero<const N: usize>(random: impl Fn(&mut [u8])) -> [u8; N] {
    let mut id = [0; N];
    random(&mut id);
    if id == [0; N]
        && let Some(last) = id.last_mut()
    {
        *last = 1;
    }
    id
}

impl TraceContext {
    /// Reads a `traceparent`; none if it is broken, which begins a new trace.
    #[must_use]
    pub fn parse(header: &str) -> Option<TraceContext> {
        let mut parts = header.trim().split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let [version] = hex::<1>(version)?;
        // Later versions may add parts; this one has none.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace_id, span_id, [flags]) = (hex(trace)?, hex(span)?, hex::<1>(flags)?);
        if trace_id == [0; 16] || span_id == [0; 8] {
            return None;
        }
        Some(TraceContext { trace_id, span_id, is_sampled: flags & 1 == 1 })
    }

    /// The same trace, another span.
    #[must_use]
    pub fn child(self, span_id: [u8; 8]) -> TraceContext {
        TraceContext { span_id, ..self }
    }
}

impl fmt::Display for TraceContext {
    /// A `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        self.trace_id.iter().try_for_each(|it| write!(f, "{it:02x}"))?;
        f.write_str("-")?;
        self.span_id.iter().try_for_each(|it| write!(f, "{it:02x}"))?;
        write!(f, "-{:02x}", u8::from(self.is_sampled))
    }
}

/// Lower-case hexadecimal digits, two a byte.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |it: &u8| match it {
        b'0'..=b'9' => Some(it - b'0'),
        b'a'..=b'f' => Some(it - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_header_is_read_and_written() {
        let it = TraceContext::parse(HEADER).unwrap();
        assert!(it.is_sampled);
        assert_eq!(it.to_string(), HEADER);
        assert!(!TraceContext::parse(&HEADER.replace("-01", "-00")).unwrap().is_sampled);
        assert_eq!(TraceContext::parse(&HEADER.replace("00-0a", "cc-0a")), Some(it));
        let later = format!("{}-more", HEADER.replace("00-0a", "cc-0a"));
        assert_eq!(TraceContext::parse(&later), Some(it));
    }

    #[test]
    fn broken_headers_are_none() {
        for (from, to) in [
            ("00-0a", "ff-0a"),
            ("00-0a", "0-0a"),
            ("0af7651916cd43dd8448eb211c80319c", "00000000000000000000000000000000"),
            ("b7ad6b7169203331", "0000000000000000"),
            ("0af7", "0AF7"),
            ("-01", ""),
            ("-01", "-01-x"),
            ("-01", "-é"),
        ] {
            assert_eq!(TraceContext::parse(&HEADER.replacen(from, to, 1)), None, "{from} {to}");
        }
    }

    #[test]
    fn the_parent_decides_or_else_a_share_of_all_ids() {
        let ones = |bytes: &mut [u8]| bytes.fill(0x11);
        let parent = TraceContext::parse(HEADER).unwrap();
        let off = Sampler { follows_parent: true, ratio: 0.0 };
        let below = off.begin(Some(&parent), ones);
        assert_eq!(
            (below.trace_id, below.span_id, below.is_sampled),
            (parent.trace_id, [0x11; 8], true)
        );
        assert!(
            !Sampler { follows_parent: false, ratio: 0.0 }.begin(Some(&parent), ones).is_sampled
        );
        for (first, ratio, kept) in
            [(0x10, 0.1, true), (0x1a, 0.1, false), (0xff, 1.0, true), (0, 0.0, false)]
        {
            let it = Sampler { follows_parent: true, ratio };
            assert_eq!(
                it.begin(None, |bytes| bytes.fill(first)).is_sampled,
                kept,
                "{first} {ratio}"
            );
        }
    }

    #[test]
    fn ids_are_never_zero() {
        let it = Sampler::default().begin(None, |_| {});
        assert!(it.trace_id != [0; 16] && it.span_id != [0; 8]);
    }
}
