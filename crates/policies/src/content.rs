//! Bodies for policies that look into them: buffered when they are needed, without their content
//! encodings, bounded; and what a media type says of them.

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use expr::Uses;
use expr::host::{BodyUnavailable, BodyView};
use http::header::{ACCEPT, CONTENT_TYPE};
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
    read(context, message).await?.map_err(|error| unreadable(&error, message))
}

/// The same; `None` if without its encodings it is longer than the gateway holds in memory.
///
/// # Errors
///
/// It broke off, its encoding is broken, or it is that long as it came.
pub(crate) async fn bytes_if_held(
    context: &mut Context,
    message: Message,
) -> Result<Option<Bytes>, PolicyError> {
    match read(context, message).await? {
        Err(BodyUnavailable::TooLarge { .. }) => Ok(None),
        read => read.map(Some).map_err(|error| unreadable(&error, message)),
    }
}

async fn read(
    context: &mut Context,
    message: Message,
) -> Result<Result<Bytes, BodyUnavailable>, PolicyError> {
    let uses = match message {
        Message::Request => Uses::REQUEST_BODY,
        Message::Response => Uses::RESPONSE_BODY.union(Uses::RESPONSE),
        Message::Draft => Uses::NONE,
    };
    context.buffer(uses).await?;
    Ok(match message {
        Message::Request => {
            let read = BodyView::read(&context.request, true);
            // It is told here; no expression that fails later is to blame it.
            context.request.body.take_overflow();
            read
        }
        Message::Response => {
            context.response.as_ref().map_or(Ok(Bytes::new()), |it| BodyView::read(it, true))
        }
        Message::Draft => {
            context.draft.as_ref().map_or(Ok(Bytes::new()), |it| BodyView::read(it, true))
        }
    })
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

/// Whether a media type is XML: `application/xml`, `text/xml`, `application/soap+xml`.
pub(crate) fn is_xml(content_type: &str) -> bool {
    is_of(content_type, "xml")
}

/// Whether the client's `Accept` asks for a media type that `is_wanted` takes, or for anything. A
/// client that sends none asks for nothing.
pub(crate) fn is_asked_for(context: &Context, is_wanted: fn(&str) -> bool) -> bool {
    let ranges = context.request.header_values(ACCEPT).flat_map(|it| it.split(','));
    let mut asked = ranges.filter(|it| {
        let is_refused = |it: &str| {
            let quality = it.trim().strip_prefix("q=").map(str::trim);
            quality.is_some_and(|it| it.parse::<f32>() == Ok(0.0))
        };
        !it.split(';').skip(1).any(is_refused)
    });
    asked.any(|it| matches!(essence(it), "*/*" | "application/*" | "text/*") || is_wanted(it))
}

/// The text of a body, in the charset that its media type names, else UTF-8. `None` if it is no
/// text in it.
pub(crate) fn text(bytes: &Bytes, content_type: Option<&str>) -> Option<String> {
    let charset = content_type.and_then(|it| {
        let mut parameters = it.split(';').skip(1);
        parameters.find_map(|it| {
            let (name, value) = it.split_once('=')?;
            let is_charset = name.trim().eq_ignore_ascii_case("charset");
            is_charset.then(|| value.trim().trim_matches('"'))
        })
    });
    let encoding = match charset {
        Some(label) => Encoding::for_label(label.as_bytes())?,
        None => UTF_8,
    };
    // A mark at the start says it better than the header.
    let (text, _, has_errors) = encoding.decode(bytes);
    (!has_errors).then(|| text.into_owned())
}

/// The text of an XML body: in the charset of its media type, else in the encoding that its
/// declaration names, else UTF-8. `None` if it is no text in it.
pub(crate) fn xml_text(bytes: &Bytes, content_type: Option<&str>) -> Option<String> {
    let has_charset = content_type.is_some_and(|it| it.to_ascii_lowercase().contains("charset="));
    let head = bytes.get(..bytes.len().min(100)).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let declared = Some(head).filter(|it| !has_charset && it.starts_with("<?xml"));
    let label = declared.as_deref().and_then(|it| {
        let value = it.split("?>").next()?.split_once("encoding=")?.1;
        let quote = value.chars().next().filter(|it| matches!(it, '"' | '\''))?;
        value.get(1..)?.split_once(quote).map(|it| it.0)
    });
    match label.map(|it| Encoding::for_label(it.as_bytes())) {
        // What can be read so far is no UTF-16, whatever it says.
        Some(Some(encoding)) if encoding.output_encoding() == encoding => {
            let (text, _, has_errors) = encoding.decode(bytes);
            (!has_errors).then(|| text.into_owned())
        }
        Some(None) => None,
        _ => text(bytes, content_type),
    }
}

/// A media type with another charset, if it names one that differs.
pub(crate) fn with_charset(content_type: &str, charset: &str) -> Option<String> {
    let is_charset = |it: &str| {
        it.split_once('=').is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
    };
    let old = content_type.split(';').skip(1).find(|it| is_charset(it))?;
    let value = old.split_once('=')?.1.trim().trim_matches('"');
    if value.eq_ignore_ascii_case(charset) {
        return None;
    }
    let parts =
        content_type.split(';').enumerate().map(|(at, it)| match at > 0 && is_charset(it) {
            true => format!(" charset={charset}"),
            false => it.to_owned(),
        });
    Some(parts.collect::<Vec<_>>().join(";"))
}

/// Longest body that is worked on without making way for other requests.
const LONG_BYTES: usize = 256 * 1024;

/// Does work that takes as long as a body is long: that on a long one beside the requests.
///
/// # Errors
///
/// Those of the work, or it was cancelled.
pub(crate) async fn work<T: Send + 'static>(
    n_bytes: usize,
    work: impl FnOnce() -> Result<T, PolicyError> + Send + 'static,
) -> Result<T, PolicyError> {
    if n_bytes <= LONG_BYTES {
        return work();
    }
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(PolicyError::new("Internal", error.to_string())))
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
            ("application/json", (true, false)),
            ("Application/HAL+JSON; charset=utf-8", (true, false)),
            ("text/xml", (false, true)),
            ("application/soap+xml;action=x", (false, true)),
            ("application/jsonp", (false, false)),
            ("json", (false, false)),
            ("", (false, false)),
        ] {
            assert_eq!((is_json(text), is_xml(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_client_asks_by_its_accept_header() {
        let asked = |accept: Option<&'static str>| {
            let mut context = trial(None, b"");
            if let Some(accept) = accept {
                context.request.headers.insert(ACCEPT, accept.parse().unwrap());
            }
            is_asked_for(&context, is_json)
        };
        for (accept, expected) in [
            (None, false),
            (Some("application/json"), true),
            (Some("text/html, application/hal+json;q=0.5"), true),
            (Some("*/*"), true),
            (Some("application/xml"), false),
            (Some("application/json; q=0, text/xml"), false),
        ] {
            assert_eq!(asked(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn text_is_read_in_its_charset() {
        let read = |bytes: &'static [u8], content_type| text(&Bytes::from(bytes), content_type);
        assert_eq!(read(b"\xe9", Some("text/plain; charset=iso-8859-1")).as_deref(), Some("é"));
        assert_eq!(read("é".as_bytes(), Some("text/plain")).as_deref(), Some("é"));
        assert_eq!(read(b"\xe9", None), None);
        assert_eq!(read(b"x", Some("text/plain; charset=klingon")), None);
        assert_eq!(read(b"\xff\xfea\0", Some("text/plain; charset=UTF-16")).as_deref(), Some("a"));
    }

    #[test]
    fn xml_is_read_in_the_encoding_that_it_declares() {
        let read = |bytes: &'static [u8], content_type| xml_text(&Bytes::from(bytes), content_type);
        let latin = b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>";
        assert!(read(latin, Some("text/xml")).unwrap().ends_with("<a>é</a>"));
        assert_eq!(read(latin, Some("text/xml; charset=utf-8")), None);
        assert_eq!(read(b"<?xml version='1.0' encoding='klingon'?><a/>", None), None);
        assert_eq!(read(b"<a>\xc3\xa9</a>", None).as_deref(), Some("<a>é</a>"));
        assert!(read(b"<?xml version='1.0' encoding='utf-16'?><a/>", None).is_some());
    }

    #[test]
    fn a_charset_is_exchanged_where_it_differs() {
        for (content_type, expected) in [
            ("text/xml", None),
            ("text/xml; charset=UTF-8", None),
            ("text/xml;charset=\"utf-8\"; a=b", None),
            ("text/xml; charset=latin1; a=b", Some("text/xml; charset=utf-8; a=b")),
        ] {
            assert_eq!(with_charset(content_type, "utf-8").as_deref(), expected, "{content_type}");
        }
    }

    #[tokio::test]
    async fn long_work_is_done_beside_the_requests() {
        assert_eq!(work(1, || Ok(1)).await.unwrap(), 1);
        assert_eq!(work(LONG_BYTES + 1, || Ok(2)).await.unwrap(), 2);
    }
}
