//! Lengths of time as people write them.

use std::time::Duration;

/// Reads `90`, `90s`, `15m`, `1h`, `500ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 =
        number.parse().map_err(|_| format!("`{text}` does not start with a number"))?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        _ => return Err(format!("`{unit}` is no unit; use ms, s, m, h or d")),
    };
    milliseconds.map(Duration::from_millis).ok_or_else(|| format!("`{text}` is too long"))
}

/// As [`duration`], whole seconds, with an optional sign.
pub(super) fn signed_seconds(text: &str) -> Result<i64, String> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let seconds = duration(rest)?.as_secs();
    i64::try_from(seconds).map(|it| sign * it).map_err(|_| format!("`{text}` is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let seconds = |text| duration(text).map(|it| it.as_secs_f64());
        assert_eq!(seconds("30s"), Ok(30.0));
        assert_eq!(seconds("90"), Ok(90.0));
        assert_eq!(seconds("250ms"), Ok(0.25));
        assert_eq!(seconds("2h"), Ok(7200.0));
        assert!(seconds("1 week").is_err() && seconds("").is_err());
        assert!(seconds("99999999999999999999h").is_err());
        assert_eq!(signed_seconds("-10m"), Ok(-600));
    }
}
