//! Bodies for policies that look into them: buffered when they are needed, without their content
//! encodings, bounded; and what a media type says of them.

use bytes::Bytes;
use expr::Uses;
use expr::host::{BodyUnavailable, BodyView};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use pipeline::{Blame, Context, Message, PolicyError};

/// The headers of a message; none if there is no response.
pub(crate) fn headers(context: &Context, message: Message) -> Option<&HeaderMap> {
    match message {
        Message::Request => Some(&context.request.headers),
        Message::Response => context.response.as_ref().map(|it| &it.headers),
        Message::Draft => context.draft.as_ref().map(|it| &it.headers),
    }
}

/// The value of a message's `Content-Type`, if it is there and is text.
pub(crate) fn content_type(context: &Context, message: Message) -> Option<&str> {
    headers(context, message)?.get(CONTENT_TYPE)?.to_str().ok().map(str::trim)
}

/// The body of a message without its content encodings, buffered if it was a stream. It stays
/// readable.
///
/// # Errors
///
/// It is longer than the gateway holds in memory, broke off, or its encoding is broken.
pub(crate) async fn bytes(context: &mut Context, message: Message) -> Result<Bytes, PolicyError> {
    let uses = match message {
        Message::Request => Uses::REQUEST_BODY,
        Message::Response => Uses::RESPONSE_BODY.union(Uses::RESPONSE),
        Message::Draft => Uses::NONE,
    };
    context.buffer(uses).await?;
    let read = match message {
        Message::Request => BodyView::read(&context.request, true),
        Message::Response => {
            context.response.as_ref().map_or(Ok(Bytes::new()), |it| BodyView::read(it, true))
        }
        Message::Draft => {
            context.draft.as_ref().map_or(Ok(Bytes::new()), |it| BodyView::read(it, true))
        }
    };
    read.map_err(|error| unreadable(&error, message))
}

fn unreadable(error: &BodyUnavailable, message: Message) -> PolicyError {
    let it = PolicyError::evaluation(format_args!("{error}."));
    match (message, error) {
        (Message::Request, BodyUnavailable::TooLarge { .. }) => {
            it.respond(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large.")
        }
        (Message::Request, BodyUnavailable::Broken(_)) => {
            it.respond(StatusCode::BAD_REQUEST, "Request body cannot be read.")
        }
        (Message::Response | Message::Draft, _) => it.blame(Blame::Backend),
    }
}

/// The media type without its parameters.
pub(crate) fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Whether a media type is JSON: `application/json`, `text/json`, `application/hal+json`.
pub(crate) fn is_json(content_type: &str) -> bool {
    is_of(content_type, "json")
}

fn is_of(content_type: &str, kind: &str) -> bool {
    let Some((_, subtype)) = essence(content_type).split_once('/') else { return false };
    let last = subtype.rsplit('+').next().unwrap_or_default();
    last.trim().eq_ignore_ascii_case(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Trial;

    fn trial(encoding: Option<&'static str>, body: &'static [u8]) -> Context {
        let mut context = Trial::inbound("<set-method>POST</set-method>").run("").context;
        if let Some(encoding) = encoding {
            context.request.headers.insert("content-encoding", encoding.parse().unwrap());
        }
        context.request.body = pipeline::Body::bytes(body);
        context
    }

    fn read(context: &mut Context, message: Message) -> Result<Bytes, PolicyError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(bytes(context, message))
    }

    #[test]
    fn a_body_is_read_without_its_encodings_and_stays() {
        let mut plain = trial(None, b"{}");
        assert_eq!(read(&mut plain, Message::Request).unwrap(), "{}");
        assert_eq!(read(&mut plain, Message::Request).unwrap(), "{}");
        assert_eq!(read(&mut plain, Message::Response).unwrap(), "");

        for encoding in ["gzip", "rot13"] {
            let error = read(&mut trial(Some(encoding), b"{}"), Message::Request).unwrap_err();
            assert_eq!(error.response_status(), Some(StatusCode::BAD_REQUEST));
            assert_eq!(error.blamed(), Blame::Client);
        }
    }

    #[test]
    fn media_types_are_told_by_their_subtype() {
        for (text, expected) in [
            ("application/json", true),
            ("Application/HAL+JSON; charset=utf-8", true),
            ("text/xml", false),
            ("application/soap+xml;action=x", false),
            ("application/jsonp", false),
            ("json", false),
            ("", false),
        ] {
            assert_eq!(is_json(text), expected, "{text}");
        }
    }
}
