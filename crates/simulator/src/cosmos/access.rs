//! Who may ask: the signature by the account's key, or a token of Entra ID.
//!
//! Source: <https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources>

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{StatusCode, header};
use transport::Request;

use super::Refusal;
use crate::entra::token;
use crate::openai::header_text;
use crate::world::World;

/// How far a request's date may be off, in seconds.
const MAX_SKEW: u64 = 15 * 60;

pub(super) fn check(world: &World, request: &Request, parts: &[String]) -> Result<(), Refusal> {
    let headers = request.headers();
    if header_text(headers, "x-ms-version").is_none() {
        return Err(super::bad("The request has no x-ms-version header."));
    }
    let encoded = header_text(headers, "authorization").unwrap_or_default();
    let text = crate::key_vault::percent::decode(&encoded);
    let (Some(kind), Some(signature)) =
        (text.strip_prefix("type="), text.split_once("&ver=1.0&sig=").map(|it| it.1))
    else {
        let text = "Required Header authorization is missing. Ensure a valid Authorization token \
                    is passed.";
        return Err(unauthorized(text));
    };
    if kind.starts_with("aad&") {
        let host = request.uri().authority().map(|it| it.host().to_owned());
        let named = headers.get(header::HOST).and_then(|it| it.to_str().ok());
        let host = host.or_else(|| named.map(str::to_owned)).unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        let audiences = [&*format!("https://{host}"), "https://cosmos.azure.com"];
        let checked = token::check(&world.keys(), signature, &audiences, world.now());
        return checked.map(|_| ()).map_err(|_| {
            unauthorized("The audience, signature or lifetime of the token is invalid.")
        });
    }
    if !kind.starts_with("master&") {
        return Err(unauthorized("The type of the authorization is unknown."));
    }
    let date = header_text(headers, "x-ms-date").unwrap_or_default();
    let is_late = |sent: u64| world.now().abs_diff(sent) > MAX_SKEW;
    if seconds(&date).is_none_or(is_late) {
        let text = "The authorization token is not valid at the current time.";
        return Err((StatusCode::FORBIDDEN, "Forbidden", text.to_owned()));
    }
    let (kind, link) = resource(parts);
    let method = request.method().as_str().to_ascii_lowercase();
    let signed = format!("{method}\n{kind}\n{link}\n{}\n\n", date.to_ascii_lowercase());
    let key = STANDARD.decode(&world.seed.cosmos_key).unwrap_or_default();
    let tag = STANDARD.decode(signature).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    hmac::verify(&key, signed.as_bytes(), &tag).map_err(|_| {
        unauthorized(
            "The input authorization token can't serve the request. Please check that the \
             expected payload is built as per the protocol, and check the key being used.",
        )
    })
}

/// What is asked for: its type, and the resource that the signature names.
fn resource(parts: &[String]) -> (&str, String) {
    match parts.len() % 2 {
        // A feed: the resource above it is signed.
        1 => {
            let (kind, above) = parts.split_last().map_or(("", parts), |(it, above)| (it, above));
            (kind, above.join("/"))
        }
        _ => (parts.iter().rev().nth(1).map_or("", String::as_str), parts.join("/")),
    }
}

/// Seconds since 1970 of a date as HTTP has it.
fn seconds(date: &str) -> Option<u64> {
    let parsed = jiff::fmt::rfc2822::parse(date).ok()?;
    u64::try_from(parsed.timestamp().as_second()).ok()
}

fn unauthorized(message: &str) -> Refusal {
    (StatusCode::UNAUTHORIZED, "Unauthorized", message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_signed_by_what_is_above_it() {
        for (path, expected) in [
            ("dbs", ("dbs", "")),
            ("dbs/a", ("dbs", "dbs/a")),
            ("dbs/a/colls", ("colls", "dbs/a")),
            ("dbs/a/colls/b", ("colls", "dbs/a/colls/b")),
            ("dbs/a/colls/b/docs", ("docs", "dbs/a/colls/b")),
            ("dbs/a/colls/b/docs/c d", ("docs", "dbs/a/colls/b/docs/c d")),
        ] {
            let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
            let (kind, link) = resource(&parts);
            assert_eq!((kind, &*link), expected, "{path}");
        }
    }

    #[test]
    fn a_date_is_that_of_http() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:01:00 GMT"), Some(60));
        assert_eq!(seconds("yesterday"), None);
    }
}
