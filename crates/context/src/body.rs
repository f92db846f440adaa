//! `IMessageBody`: the body of the request, of the response, or of a stored response.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::{BodyView, HostRef};
use clr::rows::{Args, Constant, Member, TypeDef, parse};
use clr::types::{Type, names};
use clr::value::{Object, Value};

use super::DOCS;

pub(crate) const TYPE: TypeDef = TypeDef::interface(names::IMESSAGEBODY, MEMBERS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::method("As", &[Type::Bool], Type::M, read_as)
        .params(&["preserveContent"])
        .defaults(&[Constant::Bool(false)])
        .doc("The body as `string`, `byte[]`, `JObject`, `JToken`, `JArray`, `XNode`, `XElement` or `XDocument`."),
    Member::method("AsFormUrlEncodedContent", &[Type::Bool], super::form::FORM, |args, cx| {
        let body = read(args, cx)?;
        cx.allocate(body.bytes.len() * 4)?;
        Ok(super::form::parse(&body.text()))
    })
    .params(&["preserveContent"])
    .defaults(&[Constant::Bool(false)])
    .doc("The fields of a form."),
];

/// A body that is no part of the request being handled.
struct Stored(Arc<dyn BodyView>);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored(..)")
    }
}

impl Object for Stored {
    fn net_type(&self) -> Type {
        Type::named(names::IMESSAGEBODY)
    }
}

/// The body of a stored response as a value.
pub(super) fn stored(body: Arc<dyn BodyView>) -> Value {
    Value::object(Stored(body))
}

/// A body that was read.
struct Content {
    bytes: Bytes,
    content_type: Option<String>,
}

impl Content {
    /// The text: the charset of `Content-Type`, else UTF-8; a byte order mark is removed.
    fn text(&self) -> Cow<'_, str> {
        let charset = self.content_type.as_deref().and_then(charset);
        let label = charset.unwrap_or("utf-8");
        let encoding =
            encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
        encoding.decode(&self.bytes).0
    }
}

/// The `charset` parameter of a media type.
fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|it| {
        let (name, value) = it.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}

fn read(args: &Args<'_>, cx: &EvalCx<'_>) -> Result<Content, Exception> {
    let preserve = args.value(1).as_bool().unwrap_or(false);
    let view: &dyn BodyView = match args.value(0) {
        Value::Host(HostRef::RequestBody) => {
            cx.host().request().body().ok_or_else(Exception::null_reference)?
        }
        Value::Host(HostRef::ResponseBody) => {
            let response = cx.host().response().ok_or_else(Exception::null_reference)?;
            response.body().ok_or_else(Exception::null_reference)?
        }
        other => match other.as_object::<Stored>() {
            Some(it) => &*it.0,
            None => return Err(Exception::null_reference()),
        },
    };
    let bytes = view.read(preserve).map_err(|it| Exception::invalid_operation(it.to_string()))?;
    Ok(Content { bytes, content_type: view.content_type().map(Cow::into_owned) })
}

fn read_as(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let wanted = args.method_arg(0);
    let parser = match wanted {
        Type::String | Type::BYTES => None,
        Type::Named(names::XNODE, _) => Some(names::XELEMENT),
        Type::Named(
            it @ (names::JOBJECT
            | names::JTOKEN
            | names::JARRAY
            | names::XELEMENT
            | names::XDOCUMENT),
            _,
        ) => Some(it),
        other => {
            let message = format!("As<{other}> is not supported.");
            return Err(Exception::new("System.NotSupportedException", message));
        }
    };
    let body = read(args, cx)?;
    // What is shared costs nothing; text and trees do.
    cx.steps(body.bytes.len() as u64 / 64)?;
    if wanted == Type::BYTES {
        return Ok(body.bytes.into());
    }
    cx.allocate(body.bytes.len())?;
    let text = Value::from(body.text());
    match parser {
        Some(name) => parse(name, text, cx),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::with_recorded;
    use super::*;

    fn read_request(wanted: Type, preserve: bool, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
        let row: &'static Member = &MEMBERS[0];
        let mut values = [Value::from(HostRef::RequestBody), Value::from(preserve)];
        (row.call)(&mut Args::new(row, &mut values, &[], &[wanted], wanted), cx)
    }

    #[test]
    fn a_body_is_text_or_bytes() {
        with_recorded(|cx| {
            let text = read_request(Type::String, true, cx).unwrap();
            assert!(text.as_str().unwrap().starts_with("{\"id\":1001"));
            let bytes = read_request(Type::BYTES, false, cx).unwrap();
            assert_eq!(bytes.as_bytes().unwrap().len(), text.as_str().unwrap().len());
            assert_eq!(read_request(Type::String, true, cx).unwrap().as_str(), Some(""));
        });
    }

    #[test]
    fn other_types_are_refused() {
        with_recorded(|cx| {
            let error = read_request(Type::Int32, true, cx).unwrap_err();
            assert_eq!(error.type_name, "System.NotSupportedException");
        });
    }

    #[test]
    fn text_is_decoded_by_its_charset() {
        let content = |bytes: &'static [u8], content_type: &str| Content {
            bytes: Bytes::from_static(bytes),
            content_type: Some(content_type.to_owned()),
        };
        let latin = content(b"\xe4", "text/plain; charset=\"iso-8859-1\"");
        assert_eq!(latin.text(), "ä");
        assert_eq!(content(b"\xef\xbb\xbfa", "text/plain").text(), "a");
        assert_eq!(charset("a/b; x=y; Charset=utf-16"), Some("utf-16"));
    }
}
