//! Counters in Redis, shared by all gateways that use the same server and prefix.
//!
//! One script, one round trip: nothing comes in between a check and its charge. The server's
//! clock counts, so gateways need not agree on the time. The keys of a group have the same hash
//! tag, so that a cluster keeps them on one node.

use std::fmt;
use std::time::Duration;

use super::connection::{Redis, RedisFailure};
use super::script::Script;
use crate::counters::{
    Algorithm, Charge, Counters, Exceeded, MAX_MEMBERS, QuotaCall, QuotaCharge, QuotaStanding,
    QuotaStandings, RateCall, Reply, Standing, Standings, StoreFailure,
};
use crate::period;

/// Largest amount that is charged at once: what Lua counts without rounding.
const MAX_CHARGE: u64 = 1 << 52;

/// Counters in Redis.
pub struct RedisCounters {
    redis: Redis,
    prefix: String,
    rates: Script,
    quotas: Script,
}

impl RedisCounters {
    /// Counters on a server, under keys that begin with the prefix.
    #[must_use]
    pub fn new(redis: Redis, prefix: &str) -> RedisCounters {
        RedisCounters {
            redis,
            prefix: escaped(prefix),
            rates: Script::new(include_str!("rates.lua")),
            quotas: Script::new(include_str!("quotas.lua")),
        }
    }

    fn key(&self, kind: &str, group: &str, member: &str) -> String {
        let (prefix, group) = (&self.prefix, escaped(group));
        format!("{prefix}:{kind}:{{{group}}}:{member}")
    }

    async fn ask_rates(&self, call: RateCall<'_>) -> Result<Standings, StoreFailure> {
        if call.rates.len() > MAX_MEMBERS {
            return Err(StoreFailure::TooMany);
        }
        let algorithm = match call.algorithm {
            Algorithm::SlidingWindow => "window",
            Algorithm::TokenBucket => "bucket",
        };
        let (n, how) = match call.charge {
            Charge::IfRoom(n) => (n, "if-room"),
            Charge::Always(n) => (n, "always"),
        };
        let mut args = vec![algorithm.to_owned(), n.to_string(), how.to_owned()];
        let mut keys = Vec::with_capacity(call.rates.len());
        for rate in call.rates {
            keys.push(self.key("rate", call.group, rate.member));
            args.push(rate.calls.to_string());
            args.push(rate.period.as_millis().max(1).to_string());
        }
        let answer = self.ask(&self.rates, &keys, &args).await?;
        answer
            .chunks_exact(3)
            .map(|it| match *it {
                [has_room, left, wait] => Ok(Standing {
                    has_room: has_room == 1,
                    remaining: u32::try_from(left).unwrap_or_default(),
                    wait: Duration::from_millis(wait.max(0).unsigned_abs()),
                }),
                _ => Err(RedisFailure::Odd),
            })
            .collect::<Result<Standings, _>>()
            .and_then(|it| complete(it.len(), keys.len()).map(|()| it))
            .map_err(StoreFailure::from)
    }

    async fn ask_quotas(&self, call: QuotaCall<'_>) -> Result<QuotaStandings, StoreFailure> {
        if call.quotas.len() > MAX_MEMBERS {
            return Err(StoreFailure::TooMany);
        }
        let (calls, bytes, how) = match call.charge {
            QuotaCharge::IfRoom(n) => (n, 0, "if-room"),
            QuotaCharge::Always { calls, bytes } => (calls, bytes, "always"),
        };
        let (calls, bytes) = (calls.min(MAX_CHARGE), bytes.min(MAX_CHARGE));
        let mut args = vec![calls.to_string(), bytes.to_string(), how.to_owned()];
        let mut keys = Vec::with_capacity(call.quotas.len());
        let limit = |it: Option<u64>| it.map_or("-1".to_owned(), |it| it.to_string());
        for quota in call.quotas {
            keys.push(self.key("quota", call.group, quota.member));
            args.push(limit(quota.calls));
            args.push(limit(quota.bytes));
            args.push(quota.period.origin_ms.to_string());
            args.push(period::length(quota.period).to_string());
        }
        let answer = self.ask(&self.quotas, &keys, &args).await?;
        answer
            .chunks_exact(2)
            .map(|it| match *it {
                [exceeded, wait] => Ok(QuotaStanding {
                    exceeded: match exceeded {
                        0 => None,
                        2 => Some(Exceeded::Bytes),
                        _ => Some(Exceeded::Calls),
                    },
                    wait: u64::try_from(wait).ok().map(Duration::from_millis),
                }),
                _ => Err(RedisFailure::Odd),
            })
            .collect::<Result<QuotaStandings, _>>()
            .and_then(|it| complete(it.len(), keys.len()).map(|()| it))
            .map_err(StoreFailure::from)
    }

    async fn ask(
        &self,
        script: &Script,
        keys: &[String],
        args: &[String],
    ) -> Result<Vec<i64>, RedisFailure> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.redis.script(script, &keys, args).await
    }
}

impl Counters for RedisCounters {
    fn is_here(&self) -> bool {
        false
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn rates<'a>(&'a self, call: RateCall<'a>) -> Reply<'a, Standings> {
        Reply::Later(Box::pin(self.ask_rates(call)))
    }

    fn quotas<'a>(&'a self, call: QuotaCall<'a>) -> Reply<'a, QuotaStandings> {
        Reply::Later(Box::pin(self.ask_quotas(call)))
    }
}

impl fmt::Debug for RedisCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCounters")
            .field("redis", &self.redis)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

fn complete(n_answers: usize, n_keys: usize) -> Result<(), RedisFailure> {
    if n_answers == n_keys { Ok(()) } else { Err(RedisFailure::Odd) }
}

/// Without braces, which would end the hash tag early.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('{', "%7B").replace('}', "%7D")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::RedisSettings;

    #[tokio::test]
    async fn the_keys_of_a_group_have_one_hash_tag_whatever_the_group_is_called() {
        let settings = RedisSettings::parse("redis://127.0.0.1:1").unwrap();
        let redis = Redis::start(settings, &tokio::runtime::Handle::current());
        let it = RedisCounters::new(redis, "p{");
        for (group, member, key) in [
            ("g", "", "p%7B:rate:{g}:"),
            ("g", "api/x", "p%7B:rate:{g}:api/x"),
            ("}a{%", "m", "p%7B:rate:{%7Da%7B%25}:m"),
        ] {
            assert_eq!(it.key("rate", group, member), key);
        }
    }
}
