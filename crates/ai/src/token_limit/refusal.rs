//! What a client is told that has used up its tokens, in Azure's words.
//!
//! The OpenAI clients retry by themselves and one of them sleeps as long as it is told; a wait that
//! is no use to them is marked by `x-should-retry: false`, which both obey.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use limits::whole_seconds;
use pipeline::PolicyError;

/// Waits beyond this are not for a client to sleep through.
const LONGEST_RETRY: Duration = Duration::from_secs(120);
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// 429: more tokens than the rate allows; without a time, so many never fit.
pub(super) fn rate(wait: Option<Duration>, header: &HeaderName) -> PolicyError {
    let text = match wait {
        Some(wait) => format!("Token limit is exceeded. Try again in {}.", words(wait)),
        None => "Token limit is exceeded.".to_owned(),
    };
    let error = PolicyError::new("OpenAITokenLimitExceeded", text.clone());
    with_wait(error.respond(StatusCode::TOO_MANY_REQUESTS, text), wait, header)
}

/// 403: the quota is used up until the next period.
pub(super) fn quota(wait: Duration, header: &HeaderName) -> PolicyError {
    let text = format!("Token quota is exceeded. Try again in {}.", words(wait));
    let error = PolicyError::new("OpenAITokenQuotaExceeded", text.clone());
    with_wait(error.respond(StatusCode::FORBIDDEN, text), Some(wait), header)
}

fn with_wait(error: PolicyError, wait: Option<Duration>, header: &HeaderName) -> PolicyError {
    let error = match wait {
        Some(wait) => error.header(header.clone(), HeaderValue::from(whole_seconds(wait))),
        None => error,
    };
    if wait.is_some_and(|it| it <= LONGEST_RETRY) {
        return error;
    }
    error.header(SHOULD_RETRY, HeaderValue::from_static("false"))
}

/// `21 minutes and 33 seconds`; parts that are zero are left out.
fn words(wait: Duration) -> String {
    let seconds = whole_seconds(wait);
    let parts =
        [(seconds / 3600, "hours"), (seconds / 60 % 60, "minutes"), (seconds % 60, "seconds")];
    let shown = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}"));
    let shown: Vec<String> = shown.collect();
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => "1 seconds".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_words() {
        for (seconds, expected) in [
            (1, "1 seconds"),
            (41, "41 seconds"),
            (60, "1 minutes"),
            (1293, "21 minutes and 33 seconds"),
            (3600, "1 hours"),
            (7322, "2 hours, 2 minutes and 2 seconds"),
            (90_000, "25 hours"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_long_wait_is_none_for_a_client() {
        let header = http::header::RETRY_AFTER;
        let told = |it: PolicyError| {
            let response = it.response(uuid_nil()).unwrap();
            let of =
                |name: &str| response.headers.get(name).map(|it| it.to_str().unwrap().to_owned());
            (of("retry-after"), of("x-should-retry"))
        };
        let yes = |it: &str| Some(it.to_owned());
        assert_eq!(told(rate(Some(Duration::from_secs(120)), &header)), (yes("120"), None));
        assert_eq!(told(rate(Some(Duration::from_secs(121)), &header)), (yes("121"), yes("false")));
        assert_eq!(told(rate(None, &header)), (None, yes("false")));
    }

    fn uuid_nil() -> uuid::Uuid {
        uuid::Uuid::nil()
    }
}
