//! How long a backend asks to be left alone: the headers of HTTP and those of model APIs.
//!
//! Source: RFC 9110, section 10.2.3; <https://learn.microsoft.com/azure/ai-foundry/openai/how-to/quota>;
//! <https://platform.openai.com/docs/guides/rate-limits>

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// The time from `retry-after-ms`, else `Retry-After` (seconds or a date), else the later of
/// `x-ratelimit-reset-requests` and `x-ratelimit-reset-tokens` (`20ms`, `6m0s`, or seconds).
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let milliseconds = || text("retry-after-ms")?.parse().ok().and_then(seconds(1000.0));
    let standard = || text("retry-after").and_then(|it| seconds_or_date(it, now));
    let reset = |name| text(name).and_then(spelled);
    let resets = || {
        reset("x-ratelimit-reset-requests")
            .into_iter()
            .chain(reset("x-ratelimit-reset-tokens"))
            .max()
    };
    milliseconds().or_else(standard).or_else(resets)
}

fn seconds(per_second: f64) -> impl Fn(f64) -> Option<Duration> {
    move |it| Duration::try_from_secs_f64(it / per_second).ok()
}

fn seconds_or_date(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(number) = text.parse::<u64>() {
        return Some(Duration::from_secs(number));
    }
    if let Ok(number) = text.parse::<f64>() {
        return seconds(1.0)(number);
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// `1h2m3.5s`, `20ms`, or a number of seconds.
fn spelled(text: &str) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        return seconds(1.0)(number);
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
            (&[], None),
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
