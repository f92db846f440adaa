//! Versions of the protocol, and what the headers of a request say of them.
//!
//! Up to 2025-11-25 a client and a server agree on a version by `initialize`. From 2026-07-28 on
//! every request names its version, in a header and in `_meta`, and there are no sessions.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle>,
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::message::{
    Failure, HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, Message, UNSUPPORTED_VERSION,
};

/// A version that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 2025-03-26: with batches.
    V2025March,
    /// 2025-06-18: with structured content.
    V2025June,
    /// 2025-11-25.
    V2025November,
    /// 2026-07-28: without sessions.
    V2026July,
}

/// Those that `initialize` can agree on, the newest last.
const AGREED: [Version; 3] = [Version::V2025March, Version::V2025June, Version::V2025November];

/// What a request says of itself in its headers, for versions that want that.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `Mcp-Method`.
    pub method: Option<&'a str>,
    /// `Mcp-Name`, decoded.
    pub name: Option<&'a str>,
}

const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

impl Version {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Version::V2025March => "2025-03-26",
            Version::V2025June => "2025-06-18",
            Version::V2025November => "2025-11-25",
            Version::V2026July => "2026-07-28",
        }
    }

    /// Whether requests stand for themselves: no `initialize`, no session.
    #[must_use]
    pub fn is_stateless(self) -> bool {
        self >= Version::V2026July
    }

    /// The version that the header names; without one it is 2025-03-26, as the specification says.
    ///
    /// # Errors
    ///
    /// A version that is not spoken.
    pub fn of_header(header: Option<&str>) -> Result<Version, Failure> {
        let Some(text) = header else { return Ok(Version::V2025March) };
        let all = AGREED.into_iter().chain([Version::V2026July]);
        all.into_iter().find(|it| it.name() == text.trim()).ok_or_else(|| unsupported(text))
    }

    /// The version that `initialize` agrees on: the one asked for, or else the newest.
    pub(super) fn agreed(asked: &str) -> Version {
        let found = AGREED.into_iter().find(|it| it.name() == asked);
        found.unwrap_or(Version::V2025November)
    }

    /// Checks what every request of a version without sessions carries.
    pub(super) fn check(self, message: &Message, headers: Headers<'_>) -> Result<(), Failure> {
        if !self.is_stateless() {
            return Ok(());
        }
        let meta = message.params().get("_meta").and_then(Value::as_object);
        let Some(meta) = meta else {
            let text =
                format!("params._meta must carry `{META_VERSION}` and `{META_CAPABILITIES}`");
            return Err(Failure::new(INVALID_PARAMS, text));
        };
        for key in [META_VERSION, META_CAPABILITIES] {
            if !meta.contains_key(key) {
                let text = format!("params._meta is missing `{key}`");
                return Err(Failure::new(INVALID_PARAMS, text));
            }
        }
        let mismatch = |what: &str| {
            Err(Failure::new(HEADER_MISMATCH, format!("{what} differs from the body")))
        };
        if meta.get(META_VERSION).and_then(Value::as_str) != Some(self.name()) {
            return mismatch("MCP-Protocol-Version");
        }
        if headers.method != Some(message.method()) {
            return mismatch("Mcp-Method");
        }
        let name = message.params().get("name").and_then(Value::as_str);
        if message.method() == "tools/call" && name.is_some() && headers.name != name {
            return mismatch("Mcp-Name");
        }
        Ok(())
    }
}

/// The value of `Mcp-Name`: what is no visible ASCII comes as `=?base64?...?=`.
#[must_use]
pub fn decode_name(header: &str) -> String {
    let encoded = header.strip_prefix("=?base64?").and_then(|it| it.strip_suffix("?="));
    let decoded = encoded.and_then(|it| STANDARD.decode(it).ok());
    let decoded = decoded.and_then(|it| String::from_utf8(it).ok());
    decoded.unwrap_or_else(|| header.to_owned())
}

/// The names of all versions, the newest first.
pub(super) fn all() -> Value {
    let agreed = AGREED.into_iter().rev().map(Version::name);
    let all: Vec<&str> = [Version::V2026July.name()].into_iter().chain(agreed).collect();
    json!(all)
}

fn unsupported(asked: &str) -> Failure {
    let shown: String = asked.chars().take(40).collect();
    let text = format!("Unsupported protocol version: {shown}");
    let is_dated =
        shown.len() == 10 && shown.as_bytes().iter().filter(|it| **it == b'-').count() == 2;
    let code = if is_dated { UNSUPPORTED_VERSION } else { INVALID_REQUEST };
    Failure::new(code, text).data(json!({ "supported": all(), "requested": shown }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_the_header_is_of_the_first_version() {
        for (header, expected) in [
            (None, Some("2025-03-26")),
            (Some("2025-06-18"), Some("2025-06-18")),
            (Some("2026-07-28"), Some("2026-07-28")),
            (Some("2024-11-05"), None),
            (Some("x"), None),
        ] {
            assert_eq!(Version::of_header(header).ok().map(Version::name), expected, "{header:?}");
        }
        let refused = Version::of_header(Some("2030-01-01")).unwrap_err();
        assert_eq!(refused.code, UNSUPPORTED_VERSION);
        assert_eq!(refused.data.unwrap()["supported"][0], "2026-07-28");
    }

    #[test]
    fn names_may_come_in_base64() {
        for (header, name) in
            [("a", "a"), ("=?base64?w6k=?=", "é"), ("=?base64?!?=", "=?base64?!?=")]
        {
            assert_eq!(decode_name(header), name);
        }
    }

    #[test]
    fn initialize_agrees_on_the_version_asked_for_or_the_newest() {
        assert_eq!(Version::agreed("2025-06-18").name(), "2025-06-18");
        assert_eq!(Version::agreed("2024-11-05").name(), "2025-11-25");
    }

    #[test]
    fn a_request_without_a_session_says_the_same_in_headers_and_body() {
        let check = |params: Value, method, name| {
            let message =
                json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
            let message = Message::read(message).unwrap();
            let headers = Headers { method, name };
            Version::V2026July.check(&message, headers).map_err(|it| it.code)
        };
        let meta = json!({ META_VERSION: "2026-07-28", META_CAPABILITIES: {} });
        let good = json!({ "name": "a", "_meta": meta });
        assert_eq!(check(good.clone(), Some("tools/call"), Some("a")), Ok(()));
        assert_eq!(check(good.clone(), Some("tools/list"), Some("a")), Err(HEADER_MISMATCH));
        assert_eq!(check(good.clone(), None, Some("a")), Err(HEADER_MISMATCH));
        assert_eq!(check(good, Some("tools/call"), Some("b")), Err(HEADER_MISMATCH));
        assert_eq!(check(json!({ "name": "a" }), None, None), Err(INVALID_PARAMS));
        let half = json!({ "name": "a", "_meta": { META_VERSION: "2026-07-28" } });
        assert_eq!(check(half, None, None), Err(INVALID_PARAMS));
    }
}
