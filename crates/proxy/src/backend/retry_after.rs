//! How long a backend asks to be left alone: the headers of HTTP and those of model APIs.
//!
//! | Header | Form |
//! |---|---|
//! | `retry-after-ms` | milliseconds |
//! | `retry-after` | seconds, or a date of HTTP |
//! | `x-ratelimit-reset-requests`, `-tokens` and others | `6m0s`, `120ms`, seconds, or a Unix time |
//!
//! Azure OpenAI sends the first two with a refusal and whole seconds in the third; OpenAI sends
//! all, the third with units.
//!
//! Source: RFC 9110, section 10.2.3; <https://learn.microsoft.com/azure/ai-foundry/openai/how-to/quota>;
//! <https://platform.openai.com/docs/guides/rate-limits>

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

const RESET: &str = "x-ratelimit-reset";
const REMAINING: &str = "x-ratelimit-remaining";

/// From so many seconds on a number is a time since 1970, not one from now: 2001.
const EPOCH_SECONDS: f64 = 1e9;
/// From so many on it is in milliseconds: year 5138 in seconds.
const EPOCH_MILLISECONDS: f64 = 1e11;

/// The time from `retry-after-ms`, else `retry-after`, else the latest of the limits that are
/// used up, by `x-ratelimit-reset-*`; if no `x-ratelimit-remaining-*` says which are, of all.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let milliseconds = || text("retry-after-ms")?.parse().ok().and_then(seconds(1000.0));
    let standard = || text("retry-after").and_then(|it| seconds_or_date(it, now));
    milliseconds().or_else(standard).or_else(|| reset(headers, now))
}

fn reset(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let (mut of_all, mut of_used_up) = (None, None);
    for (name, value) in headers {
        let Some(limit) = name.as_str().strip_prefix(RESET) else { continue };
        let Some(time) = value.to_str().ok().and_then(|it| spelled(it.trim(), now)) else {
            continue;
        };
        of_all = of_all.max(Some(time));
        let remaining = headers.get(format!("{REMAINING}{limit}"));
        let remaining = remaining.and_then(|it| it.to_str().ok()?.trim().parse::<f64>().ok());
        if remaining.is_some_and(|it| it <= 0.0) {
            of_used_up = of_used_up.max(Some(time));
        }
    }
    of_used_up.or(of_all)
}

fn seconds(per_second: f64) -> impl Fn(f64) -> Option<Duration> {
    move |it| Duration::try_from_secs_f64(it / per_second).ok()
}

fn seconds_or_date(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(number) = text.parse::<u64>() {
        return Some(Duration::from_secs(number));
    }
    if let Ok(date) = httpdate::parse_http_date(text) {
        return Some(date.duration_since(now).unwrap_or_default());
    }
    spelled(text, now)
}

/// `1h2m3.5s`, `20ms`, a number of seconds, or a time since 1970.
fn spelled(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        let per_second = if number >= EPOCH_MILLISECONDS { 1000.0 } else { 1.0 };
        let time = seconds(per_second)(number)?;
        if number < EPOCH_SECONDS {
            return Some(time);
        }
        let at = UNIX_EPOCH.checked_add(time)?;
        return Some(at.duration_since(now).unwrap_or_default());
    }
    if text.is_empty() {
        return None;
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.')?;
        let (number, after) = rest.split_at_checked(end)?;
        let end = after.find(|it: char| it.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end)?;
        let per_second = match unit {
            "ms" => 1000.0,
            "s" => 1.0,
            "m" => 1.0 / 60.0,
            "h" => 1.0 / 3600.0,
            "d" => 1.0 / 86_400.0,
            _ => return None,
        };
        total = total.checked_add(seconds(per_second)(number.parse().ok()?)?)?;
        rest = next;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Option<f64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        retry_after(&map, now).map(|it| it.as_secs_f64())
    }

    #[test]
    fn every_way_to_say_it_is_understood() {
        for (headers, expected) in [
            (&[("retry-after", "3")][..], Some(3.0)),
            (&[("retry-after", "0.5")], Some(0.5)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], Some(7.0)),
            (&[("retry-after", "Sat, 06 Nov 1993 08:49:37 GMT")], Some(0.0)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after-ms", "1500"), ("retry-after", "9")], Some(1.5)),
            (&[("x-ratelimit-reset-requests", "6m0s")], Some(360.0)),
            (
                &[("x-ratelimit-reset-tokens", "20ms"), ("x-ratelimit-reset-requests", "1h2m3.5s")],
                Some(3723.5),
            ),
            (&[("x-ratelimit-reset-tokens", "12")], Some(12.0)),
            (&[("x-ratelimit-reset-tokens", "5 parsecs")], None),
            (&[("x-ratelimit-reset-tokens", "s")], None),
            (&[("retry-after-ms", "NaN")], None),
            (&[("x-ratelimit-reset-tokens", "")], None),
            (&[], None),
            // Azure OpenAI, with a refusal and with an answer.
            (
                &[
                    ("retry-after", "26"),
                    ("retry-after-ms", "25860"),
                    ("x-ratelimit-reset-requests", "26"),
                    ("x-ratelimit-reset-tokens", "60"),
                    ("x-ms-region", "East US"),
                ],
                Some(25.86),
            ),
            (
                &[
                    ("x-ratelimit-remaining-requests", "0"),
                    ("x-ratelimit-remaining-tokens", "49000"),
                    ("x-ratelimit-reset-requests", "10"),
                    ("x-ratelimit-reset-tokens", "60"),
                ],
                Some(10.0),
            ),
            // OpenAI.
            (
                &[
                    ("x-ratelimit-limit-requests", "60"),
                    ("x-ratelimit-remaining-requests", "59"),
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-requests", "1s"),
                    ("x-ratelimit-reset-tokens", "6m0s"),
                ],
                Some(360.0),
            ),
            (
                &[
                    ("x-ratelimit-remaining-requests", "59"),
                    ("x-ratelimit-remaining-tokens", "149984"),
                    ("x-ratelimit-reset-requests", "1s"),
                    ("x-ratelimit-reset-tokens", "120ms"),
                ],
                Some(1.0),
            ),
            (&[("retry-after-ms", "1520"), ("x-ratelimit-reset-tokens", "1.52s")], Some(1.52)),
            // Others tell when, since 1970; the test's time is 784111770.
            (&[("x-ratelimit-reset", "1784111770")], Some(1e9)),
            (&[("x-ratelimit-reset", "1784111770500")], Some(1e9 + 0.5)),
            (&[("x-ratelimit-reset-input-tokens", "3")], Some(3.0)),
        ] {
            let found = of(headers);
            let is_near = match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-6,
                (found, expected) => found == expected,
            };
            assert!(is_near, "{headers:?}: {found:?}");
        }
    }
}
