//! Shared access signatures of Event Hubs.
//!
//! Source: <https://learn.microsoft.com/rest/api/eventhub/generate-sas-token>

use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use transport::Secret;

/// How long a signature is good for.
const LIFETIME: Duration = Duration::from_secs(3600);
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The value of `Authorization` that lets the bearer send to `resource`.
pub(super) fn signature(resource: &str, name: &str, key: &Secret, now: SystemTime) -> String {
    let expires = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default() + LIFETIME;
    let expires = expires.as_secs();
    let resource = utf8_percent_encode(&resource.to_lowercase(), KEPT).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes());
    let signed = hmac::sign(&key, format!("{resource}\n{expires}").as_bytes());
    let signed = STANDARD.encode(signed);
    let (signed, name) = (utf8_percent_encode(&signed, KEPT), utf8_percent_encode(name, KEPT));
    format!("SharedAccessSignature sr={resource}&sig={signed}&se={expires}&skn={name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature was made with Python's `hmac` and `urllib.parse.quote_plus`.
    #[test]
    fn the_signature_is_that_of_the_documentation() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let it =
            signature("https://Ns.servicebus.windows.net/hub", "send", &Secret::new("k=="), now);
        assert_eq!(it, EXPECTED);
    }

    const EXPECTED: &str = "SharedAccessSignature sr=https%3A%2F%2Fns.servicebus.windows.net%2Fhub&sig=2JhNDuddyu4CegEwFOiEReZ2h7Zysh5Pl98SzxvVtWM%3D&se=1700003600&skn=send";
}
