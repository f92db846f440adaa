//! Circuit breakers in Redis: one script for all of them, one round trip for a hundred.
//!
//! All keys have the same hash tag, so that a cluster keeps them on one node.

use std::time::Duration;

use super::connection::{Redis, RedisFailure};
use super::counters::escaped;
use super::script::Script;
use crate::breakers::{BreakerReport, BreakerStandings, BreakerStore, BreakerThreshold};
use crate::counters::StoreFailure;

/// Breakers that one call of the script goes through: it holds up the server so long.
const MAX_AT_ONCE: usize = 100;
/// Longest trip and interval: what Lua counts in milliseconds without rounding, and far more than
/// anybody waits.
const MAX_TIME: Duration = Duration::from_secs(366 * 24 * 3600);

/// Circuit breakers in Redis.
#[derive(Debug)]
pub struct RedisBreakers {
    redis: Redis,
    prefix: String,
    script: Script,
}

impl RedisBreakers {
    /// Breakers on a server, under keys that begin with the prefix.
    #[must_use]
    pub fn new(redis: Redis, prefix: &str) -> RedisBreakers {
        let prefix = format!("{}:{{breakers}}", escaped(prefix));
        RedisBreakers { redis, prefix, script: Script::new(include_str!("breakers.lua")) }
    }

    async fn ask(&self, reports: &[BreakerReport<'_>]) -> Result<Vec<Duration>, StoreFailure> {
        let mut standings = Vec::with_capacity(reports.len());
        for some in reports.chunks(MAX_AT_ONCE) {
            let (mut keys, mut args) = (Vec::new(), Vec::new());
            for it in some {
                for kind in ["window", "open"] {
                    keys.push(format!("{}:{kind}:{}", self.prefix, it.backend));
                }
                args.extend(arguments(it));
            }
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let answer: Vec<i64> = self.redis.script(&self.script, &keys, &args).await?;
            if answer.len() != some.len() {
                return Err(RedisFailure::Odd.into());
            }
            let left = |it: i64| Duration::from_millis(it.max(0).unsigned_abs());
            standings.extend(answer.into_iter().map(left));
        }
        Ok(standings)
    }
}

fn arguments(report: &BreakerReport<'_>) -> [String; 8] {
    let milliseconds = |it: Duration| it.min(MAX_TIME).as_millis().max(1).to_string();
    let (kind, threshold, least) = match report.threshold {
        BreakerThreshold::Failures(n) => ("failures", n, 0),
        BreakerThreshold::Percentage { percent, min_calls } => {
            ("percentage", u32::from(percent), min_calls)
        }
    };
    [
        kind.to_owned(),
        threshold.to_string(),
        least.to_string(),
        milliseconds(report.interval),
        milliseconds(report.trip),
        report.n_calls.to_string(),
        report.n_failures.to_string(),
        report.tripped.map_or_else(|| "0".to_owned(), milliseconds),
    ]
}

impl BreakerStore for RedisBreakers {
    fn exchange<'a>(&'a self, reports: &'a [BreakerReport<'a>]) -> BreakerStandings<'a> {
        Box::pin(self.ask(reports))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_told_in_milliseconds() {
        let report = BreakerReport {
            backend: "b",
            threshold: BreakerThreshold::Percentage { percent: 50, min_calls: 5 },
            interval: Duration::from_secs(60),
            trip: Duration::MAX,
            n_calls: 3,
            n_failures: 2,
            tripped: Some(Duration::from_micros(1)),
        };
        let year = MAX_TIME.as_millis().to_string();
        assert_eq!(arguments(&report), ["percentage", "50", "5", "60000", &year, "3", "2", "1"]);
        let closed =
            BreakerReport { threshold: BreakerThreshold::Failures(7), tripped: None, ..report };
        let told = arguments(&closed);
        assert_eq!((told[0].as_str(), told[1].as_str(), told[7].as_str()), ("failures", "7", "0"));
    }
}
