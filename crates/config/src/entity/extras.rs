//! What a backend can have beyond Azure: health checks, time-outs, the choice within a pool. All
//! of it is off unless it is given.
//!
//! ```yaml
//! health-check: { path: /status, interval: 10s, timeout: 2s, unhealthy-after: 3, healthy-after: 2 }
//! first-byte-timeout: 5s
//! stream-idle-timeout: 30s
//! balance: latency          # of a pool
//! fail-over: true           # of a pool
//! ```
//!
//! In `portcullis.yaml` these keys stand in the backend itself, in Azure's form under `portcullis`
//! in its `properties`.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::balance::{Balance, Extras, HealthCheck};
use crate::balance_checks::{bad, bounded};
use crate::settings;
use crate::tree::Fields;

/// Times between two checks of a backend.
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3600);
/// Times that a check may take.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60);
/// Times that a backend may be silent.
const SILENCE: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);
/// Most checks in a row that turn the verdict.
const MAX_IN_A_ROW: u32 = 100;

/// What a pool has beyond Azure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PoolExtras {
    pub(crate) balance: Balance,
    pub(crate) fails_over: bool,
}

/// Reads the keys of a single backend.
pub(crate) fn of_single(fields: &Fields<'_, '_>) -> Extras {
    Extras {
        health_check: fields.map("health-check").and_then(health_check),
        first_byte_timeout: duration(fields, "first-byte-timeout", SILENCE),
        stream_idle_timeout: duration(fields, "stream-idle-timeout", SILENCE),
    }
}

/// Reads the keys of a pool.
pub(crate) fn of_pool(fields: &Fields<'_, '_>) -> PoolExtras {
    let balance = fields.get("balance").and_then(|tree| match tree.scalar() {
        Some("weight") => Some(Balance::Weight),
        Some("latency") => Some(Balance::Latency),
        _ => bad(fields.problems(), tree, "`balance` is `weight` or `latency`"),
    });
    PoolExtras {
        balance: balance.unwrap_or_default(),
        fails_over: fields.bool("fail-over").unwrap_or(false),
    }
}

fn health_check(fields: Fields<'_, '_>) -> Option<HealthCheck> {
    let usual = HealthCheck::default();
    let path = fields.filled("path");
    match (&path, fields.get("path")) {
        (None, _) => fields.missing("path"),
        (Some(path), Some(tree)) if !path.starts_with('/') => {
            let message = "the `path` of a health check begins with `/`; it goes below the URL";
            bad::<()>(fields.problems(), tree, message);
        }
        _ => {}
    }
    let in_a_row = |key| bounded(&fields, key, 1..=MAX_IN_A_ROW);
    let expected = fields.list("expect").into_iter().filter_map(|tree| {
        let text = tree.scalar().unwrap_or_default();
        super::status_range(text)
            .or_else(|| bad(fields.problems(), tree, format!("`{text}` is no status")))
    });
    let expected: Vec<_> = expected.collect();
    let found = HealthCheck {
        path: path?,
        interval: duration(&fields, "interval", INTERVAL).unwrap_or(usual.interval),
        timeout: duration(&fields, "timeout", TIMEOUT).unwrap_or(usual.timeout),
        unhealthy_after: in_a_row("unhealthy-after").unwrap_or(usual.unhealthy_after),
        healthy_after: in_a_row("healthy-after").unwrap_or(usual.healthy_after),
        expected: if expected.is_empty() { usual.expected } else { expected },
    };
    fields.finish();
    Some(found)
}

fn duration(
    fields: &Fields<'_, '_>,
    key: &'static str,
    bounds: RangeInclusive<Duration>,
) -> Option<Duration> {
    let found = settings::duration(fields, key)?;
    if bounds.contains(&found) {
        return Some(found);
    }
    let shown = |it: &Duration| match it.as_millis() {
        it if it % 1000 == 0 => format!("{}s", it / 1000),
        it => format!("{it}ms"),
    };
    let message = format!("`{key}` is from {} to {}", shown(bounds.start()), shown(bounds.end()));
    bad(fields.problems(), fields.get(key)?, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance_checks::Problems;
    use crate::tree::Keys;
    use crate::tree::tests::yaml;

    fn single(text: &str) -> (Extras, Vec<String>) {
        let (tree, problems) = (yaml(text), Problems::default());
        let fields = Fields::new(&tree, Keys::Known, &problems);
        let found = of_single(&fields);
        fields.finish();
        (found, problems.into_inner().into_iter().map(|it| it.message).collect())
    }

    #[test]
    fn nothing_is_on_unless_it_is_given() {
        assert_eq!(single("{}"), (Extras::default(), Vec::new()));
        let (found, problems) = single(
            "{ health-check: { path: /status, interval: 1s, timeout: 500ms, unhealthy-after: 1, \
             healthy-after: 4, expect: [200, 4xx] }, first-byte-timeout: 5s, stream-idle-timeout: 1m }",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(found.first_byte_timeout, Some(Duration::from_secs(5)));
        assert_eq!(found.stream_idle_timeout, Some(Duration::from_secs(60)));
        let check = found.health_check.unwrap();
        assert_eq!((check.path.as_str(), check.interval), ("/status", Duration::from_secs(1)));
        assert_eq!((check.unhealthy_after, check.healthy_after), (1, 4));
        assert_eq!(check.expected, [200..=200, 400..=499]);
        let (found, _) = single("health-check: { path: / }");
        assert_eq!(
            found.health_check,
            Some(HealthCheck { path: "/".to_owned(), ..HealthCheck::default() })
        );
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        for (text, problem) in [
            ("health-check: {}", "`path` is missing"),
            ("health-check: { path: x }", "the `path` of a health check begins with `/`"),
            ("health-check: { path: /, interval: 1ms }", "`interval` is from 100ms to 3600s"),
            ("health-check: { path: /, timeout: 2h }", "`timeout` is from 10ms to 60s"),
            (
                "health-check: { path: /, healthy-after: 0 }",
                "`healthy-after` must be from 1 to 100",
            ),
            ("health-check: { path: /, expect: [x] }", "`x` is no status"),
            ("health-check: { path: /, every: 1s }", "unknown key `every`"),
            ("first-byte-timeout: 0s", "`first-byte-timeout` is from 1ms to 3600s"),
            ("stream-idle-timeout: soon", "`soon` is no time"),
        ] {
            let problems = single(text).1;
            assert!(problems.iter().any(|it| it.starts_with(problem)), "{text}: {problems:?}");
        }
        let (tree, problems) = (yaml("balance: luck"), Problems::default());
        assert_eq!(of_pool(&Fields::new(&tree, Keys::Known, &problems)), PoolExtras::default());
        assert_eq!(problems.borrow()[0].message, "`balance` is `weight` or `latency`");
    }
}
