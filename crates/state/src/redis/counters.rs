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
use crate::tokens::{TokenCall, TokenCharge, TokenQuotaStanding, TokenRateStanding, TokenStanding};

/// Largest amount that is charged at once: what Lua counts without rounding.
const MAX_CHARGE: u64 = 1 << 52;
/// Largest rate of tokens: times the milliseconds of a minute it is still counted so.
const MAX_TOKENS: u64 = 1 << 36;

/// Counters in Redis.
pub struct RedisCounters {
    redis: Redis,
    prefix: String,
    rates: Script,
    quotas: Script,
    tokens: Script,
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
            tokens: Script::new(include_str!("tokens.lua")),
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

    async fn ask_tokens(&self, call: TokenCall<'_>) -> Result<TokenStanding, StoreFailure> {
        let most = |it: u64| it.min(MAX_CHARGE);
        let mut args = match call.charge {
            TokenCharge::Reserve { needed, charge, hold } => {
                let (needed, charge, hold) = (most(needed), most(charge), most(hold));
                vec!["reserve".to_owned(), needed.to_string(), charge.to_string(), hold.to_string()]
            }
            TokenCharge::Settle { charge, hold, slot } => {
                let bound = i64::try_from(MAX_CHARGE).unwrap_or(i64::MAX);
                let charge = charge.clamp(-bound, bound);
                let hold = most(hold);
                let text = |it: &dyn fmt::Display| it.to_string();
                vec!["settle".to_owned(), text(&slot), text(&charge), text(&hold)]
            }
        };
        let mut keys = Vec::with_capacity(2);
        if let Some(rate) = &call.rate {
            keys.push(self.key("tokens", call.group, ""));
            args.extend(["rate".to_owned(), rate.tokens.min(MAX_TOKENS).to_string()]);
            args.push(rate.period.as_millis().max(1).to_string());
        }
        if let Some(quota) = &call.quota {
            let member = format!("{}:{}", quota.member, quota.start_ms);
            keys.push(self.key("tokens", call.group, &member));
            args.extend(["quota".to_owned(), most(quota.tokens).to_string()]);
            args.push(quota.end_ms.to_string());
        }
        let answer = self.ask(&self.tokens, &keys, &args).await?;
        token_standing(&answer, call.rate.is_some(), call.quota.is_some())
            .ok_or(StoreFailure::Redis(RedisFailure::Odd))
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

    fn tokens<'a>(&'a self, call: TokenCall<'a>) -> Reply<'a, TokenStanding> {
        Reply::Later(Box::pin(self.ask_tokens(call)))
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

/// Slot, then for each key: whether it had room, what is left, ms to wait, whether it never fits.
fn token_standing(answer: &[i64], has_rate: bool, has_quota: bool) -> Option<TokenStanding> {
    let (slot, parts) = answer.split_first()?;
    let mut parts = parts.chunks_exact(4);
    let left = |it: i64| it.max(0).unsigned_abs();
    let rate = match has_rate {
        true => match *parts.next()? {
            [has_room, remaining, wait, never] => Some(TokenRateStanding {
                has_room: has_room == 1,
                never_fits: never == 1,
                remaining: left(remaining),
                wait: Duration::from_millis(left(wait)),
            }),
            _ => return None,
        },
        false => None,
    };
    let quota = match has_quota {
        true => match *parts.next()? {
            [has_room, remaining, ..] => {
                Some(TokenQuotaStanding { has_room: has_room == 1, remaining: left(remaining) })
            }
            _ => return None,
        },
        false => None,
    };
    Some(TokenStanding { rate, quota, slot: left(*slot) })
}

fn complete(n_answers: usize, n_keys: usize) -> Result<(), RedisFailure> {
    if n_answers == n_keys { Ok(()) } else { Err(RedisFailure::Odd) }
}

/// Without braces, which would end the hash tag early.
pub(super) fn escaped(text: &str) -> String {
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
