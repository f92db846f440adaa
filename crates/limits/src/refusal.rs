//! What a client is told that has used up its limit, in Azure's words.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header};
use pipeline::{Blame, PolicyError};
use state::{Exceeded, StoreFailure};

/// Whole seconds to wait, at least one.
#[must_use]
pub fn seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

/// 429: more calls than the rate allows.
pub(crate) fn rate(wait: Duration, header: &HeaderName) -> PolicyError {
    let seconds = seconds(wait);
    PolicyError::new("RateLimitExceeded", "Rate limit is exceeded")
        .respond(
            StatusCode::TOO_MANY_REQUESTS,
            format!("Rate limit is exceeded. Try again in {seconds} seconds."),
        )
        .header(header.clone(), HeaderValue::from(seconds))
}

/// 403: the quota is used up; `wait` is the time until it is renewed, if it ever is.
pub(crate) fn quota(exceeded: Exceeded, wait: Option<Duration>) -> PolicyError {
    let what = match exceeded {
        Exceeded::Calls => "Out of call volume quota.",
        Exceeded::Bytes => "Out of bandwidth quota.",
    };
    let message = match wait {
        Some(wait) => format!("{what} Quota will be replenished in {}.", time_span(seconds(wait))),
        None => what.to_owned(),
    };
    let error = PolicyError::new("QuotaExceeded", message.clone());
    let error = error.respond(StatusCode::FORBIDDEN, message);
    match wait {
        Some(wait) => error.header(header::RETRY_AFTER, HeaderValue::from(seconds(wait))),
        None => error,
    }
}

/// 503: nobody can tell whether there is room, and the settings say to refuse then.
pub(crate) fn unavailable(failure: &StoreFailure) -> PolicyError {
    PolicyError::new("CounterStoreUnavailable", format!("The limit cannot be checked: {failure}."))
        .respond(StatusCode::SERVICE_UNAVAILABLE, "The limit cannot be checked.")
        .blame(Blame::Gateway)
}

/// .NET's way to write a time: `hh:mm:ss`, or `d.hh:mm:ss` from a day.
fn time_span(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest % 3600 / 60, rest % 60);
    if days == 0 { clock } else { format!("{days}.{clock}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_dotnet_does() {
        for (seconds, text) in [
            (1, "00:00:01"),
            (754, "00:12:34"),
            (86_399, "23:59:59"),
            (86_400, "1.00:00:00"),
            (1_000_000, "11.13:46:40"),
        ] {
            assert_eq!(time_span(seconds), text);
        }
    }

    #[test]
    fn a_wait_is_whole_seconds_and_at_least_one() {
        for (ms, expected) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (26_500, 27)] {
            assert_eq!(seconds(Duration::from_millis(ms)), expected);
        }
    }

    #[test]
    fn texts_are_azures() {
        let told = |it: PolicyError| {
            let status = it.response_status().unwrap().as_u16();
            format!("{status} {} {} {}", it.reason(), it.message(), it.response_message().unwrap())
        };
        assert_eq!(
            told(rate(Duration::from_secs(27), &header::RETRY_AFTER)),
            "429 RateLimitExceeded Rate limit is exceeded Rate limit is exceeded. Try again in 27 seconds."
        );
        let text = "Out of call volume quota. Quota will be replenished in 00:12:34.";
        assert_eq!(
            told(quota(Exceeded::Calls, Some(Duration::from_secs(754)))),
            format!("403 QuotaExceeded {text} {text}")
        );
        let text = "Out of bandwidth quota.";
        assert_eq!(told(quota(Exceeded::Bytes, None)), format!("403 QuotaExceeded {text} {text}"));
        assert_eq!(
            told(unavailable(&StoreFailure::Full)),
            "503 CounterStoreUnavailable The limit cannot be checked: the store of counters is full. The limit cannot be checked."
        );
    }
}
