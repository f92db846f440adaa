//! `limits:` of `portcullis.yaml`.

use super::{GatewaySettings, quantity};
use crate::codes;
use crate::tree::Fields;

/// Smallest bound of a request's head; below it usual requests would not fit.
const MIN_HEAD_BYTES: usize = 8 * 1024;

pub(super) fn read(fields: &Fields<'_, '_>, settings: &mut GatewaySettings) {
    let limits = &mut settings.limits;
    let number = |key, slot: &mut usize| {
        if let Some(it) = fields.number(key).and_then(|it| usize::try_from(it).ok()) {
            *slot = at_least(fields, key, it, 1);
        }
    };
    number("max-connections", &mut limits.max_connections);
    number("max-headers", &mut limits.max_headers);
    if let Some(it) = fields.number("max-streams").and_then(|it| u32::try_from(it).ok()) {
        limits.max_streams = it.max(1);
    }
    let size = |key, slot: &mut usize, least| {
        if let Some(it) = quantity::bytes(fields, key).and_then(|it| usize::try_from(it).ok()) {
            *slot = at_least(fields, key, it, least);
        }
    };
    size("max-head", &mut limits.max_head_bytes, MIN_HEAD_BYTES);
    size("max-target", &mut limits.max_target_bytes, 1024);
    size("buffered-body", &mut settings.max_buffered_body_bytes, 1024);
    if let Some(it) = quantity::bytes(fields, "max-body") {
        limits.max_body_bytes = it;
    }
    for (key, slot) in [
        ("handshake-timeout", &mut limits.handshake_timeout),
        ("head-timeout", &mut limits.head_timeout),
        ("keep-alive-timeout", &mut limits.keep_alive_timeout),
        ("body-idle-timeout", &mut limits.body_idle_timeout),
        ("write-timeout", &mut limits.write_timeout),
        ("request-timeout", &mut limits.request_timeout),
    ] {
        if let Some(it) = quantity::duration(fields, key) {
            *slot = it;
        }
    }
}

fn at_least(fields: &Fields<'_, '_>, key: &'static str, found: usize, least: usize) -> usize {
    if found < least {
        let message = format!("`{key}` must be at least {least}");
        let place = fields.get(key).unwrap_or(fields.tree());
        fields.report(place.error(codes::BAD_VALUE, message));
    }
    found.max(least)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::read;

    #[test]
    fn every_limit_can_be_set() {
        let (it, problems) = read(
            "limits:\n  max-connections: 10\n  max-headers: 20\n  max-streams: 30\n  max-head: 16KiB\n  \
             max-target: 2KiB\n  max-body: 0\n  handshake-timeout: 1s\n  head-timeout: 2s\n  \
             keep-alive-timeout: 3s\n  body-idle-timeout: 4s\n  write-timeout: 5s\n  request-timeout: 6s\n",
        );
        assert_eq!(problems, [""; 0]);
        let it = it.limits;
        assert_eq!((it.max_connections, it.max_headers, it.max_streams), (10, 20, 30));
        assert_eq!((it.max_head_bytes, it.max_target_bytes, it.max_body_bytes), (16_384, 2048, 0));
        assert_eq!(it.request_timeout, Duration::from_secs(6));
    }

    #[test]
    fn a_limit_that_is_too_low_is_an_error() {
        assert_eq!(
            read("limits: { max-head: 1KiB }").1,
            ["PC0506 `max-head` must be at least 8192"]
        );
        assert_eq!(
            read("limits: { max-headers: 0 }").1,
            ["PC0506 `max-headers` must be at least 1"]
        );
    }
}
