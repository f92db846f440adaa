//! Requests signed with keys of AWS (Signature Version 4).
//!
//! What is signed are the method, the address, the body, `host`, `content-type` and the headers that
//! begin with `x-amz-`; the rest may change on the way.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign as sign_request,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use config::AwsCredentials;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use pipeline::{Blame, PolicyError};

/// What a client or a policy may have put where the signature stands.
const REPLACED: [HeaderName; 4] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-content-sha256"),
    HeaderName::from_static("x-amz-security-token"),
];

/// Signs a request as it will be sent, except for the host, which the address gives unless a header
/// is there.
pub(super) fn sign(
    credentials: &AwsCredentials,
    now: SystemTime,
    (method, uri): (&Method, &Uri),
    headers: &mut HeaderMap,
    body: Option<&Bytes>,
) -> Result<(), PolicyError> {
    let body = body.ok_or_else(|| failed("The request's body is not in memory."))?;
    REPLACED.iter().for_each(|it| drop(headers.remove(it)));
    let signed = signatures(credentials, now, (method, uri), headers, body)
        .map_err(|it| failed(&format!("The request cannot be signed: {it}.")))?;
    for (name, value) in signed {
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| failed("The keys of AWS have characters that no header may have."))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(())
}

/// The headers to add.
fn signatures(
    credentials: &AwsCredentials,
    now: SystemTime,
    (method, uri): (&Method, &Uri),
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, Box<dyn std::error::Error>> {
    let keys = Credentials::new(
        credentials.access_key_id.expose(),
        credentials.secret_access_key.expose(),
        credentials.session_token.as_ref().map(|it| it.expose().to_owned()),
        None,
        "backend",
    );
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let parameters = v4::SigningParams::builder()
        .region(&credentials.region)
        .name(&credentials.service)
        .time(now)
        .settings(settings);
    let identity = keys.into();
    let parameters = parameters.identity(&identity).build()?.into();
    let address = uri.to_string();
    let host = headers.get(header::HOST).map(HeaderValue::to_str).transpose()?;
    let host = host.or_else(|| uri.authority().map(http::uri::Authority::as_str));
    let mut signed = vec![("host", host.unwrap_or_default())];
    for (name, value) in headers {
        if *name == header::CONTENT_TYPE || name.as_str().starts_with("x-amz-") {
            signed.push((name.as_str(), value.to_str()?));
        }
    }
    let body = SignableBody::Bytes(body);
    let request = SignableRequest::new(method.as_str(), address, signed.into_iter(), body)?;
    let (instructions, _) = sign_request(request, &parameters)?.into_parts();
    let (headers, _) = instructions.into_parts();
    Ok(headers.into_iter().map(|it| (it.name(), it.value().to_owned())).collect())
}

fn failed(message: &str) -> PolicyError {
    PolicyError::new("AwsSignatureError", message).blame(Blame::Configuration)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use transport::Secret;

    use super::*;

    fn credentials(session: Option<&str>) -> AwsCredentials {
        AwsCredentials {
            region: "us-east-1".to_owned(),
            service: "bedrock".to_owned(),
            access_key_id: Secret::new("AKIDEXAMPLE"),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: session.map(Secret::new),
        }
    }

    fn signed(
        session: Option<&str>,
        uri: &str,
        before: &[(&'static str, &'static str)],
    ) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in before {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let target = (&Method::POST, &uri.parse().unwrap());
        sign(
            &credentials(session),
            now,
            target,
            &mut headers,
            Some(&Bytes::from_static(br#"{"a":1}"#)),
        )
        .unwrap();
        headers
    }

    const URI: &str =
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/a.b-v1%3A0/invoke?x=1&a=%20";

    #[test]
    fn the_signature_is_that_of_another_implementation() {
        // Recorded from botocore, whose wire form of the path has `%3A`.
        let headers = signed(None, URI, &[("content-type", "application/json")]);
        assert_eq!(headers["x-amz-date"], "20150830T123600Z");
        assert_eq!(
            headers["x-amz-content-sha256"],
            "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
        );
        assert_eq!(
            headers["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request, \
             SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, \
             Signature=64e0a53dc7d1ee4157a75588c5fbe55bc66723ed8df03ea44bc15803ca0d8b30"
        );
        assert!(headers["authorization"].is_sensitive());
    }

    #[test]
    fn what_the_client_sent_in_their_place_is_gone_and_a_token_is_signed() {
        let before =
            [("authorization", "Bearer x"), ("x-amz-security-token", "mine"), ("x-y", "z")];
        let headers = signed(Some("session"), URI, &before);
        assert_eq!(headers.get_all("authorization").iter().count(), 1);
        assert_eq!(headers["x-amz-security-token"], "session");
        assert_eq!(headers["x-y"], "z");
        let text = headers["authorization"].to_str().unwrap();
        assert!(
            text.contains(
                "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"
            )
        );
    }

    #[test]
    fn keys_that_no_header_may_have_are_a_failure_that_does_not_show_them() {
        let mut wrong = credentials(None);
        wrong.access_key_id = Secret::new("AK\nID");
        let target = (&Method::GET, &URI.parse().unwrap());
        let error = sign(
            &wrong,
            SystemTime::UNIX_EPOCH,
            target,
            &mut HeaderMap::new(),
            Some(&Bytes::new()),
        );
        let text = format!("{:?}", error.unwrap_err());
        assert!(text.contains("AwsSignatureError") && !text.contains("AK"), "{text}");
    }
}
