//! Filters that write texts for HTML, URLs and Base64.

use dotnet::text::encoding::{from_base64, to_base64};
use dotnet::text::web;

use super::{Args, optional};
use crate::error::Stop;
use crate::value::Value;

fn change(mut args: Args<'_, '_>, with: fn(&str) -> String) -> Result<Value, Stop> {
    Ok(optional(args.input_text()?.map(|it| with(it.as_str()).into())))
}

/// `WebUtility.HtmlEncode`.
pub(super) fn escape(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, web::html_encode)
}

/// The same for what is not encoded yet.
pub(super) fn escape_once(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| web::html_encode(&web::html_decode(it)))
}

/// `WebUtility.UrlEncode`.
pub(super) fn url_encode(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, web::url_encode)
}

/// `WebUtility.UrlDecode`.
pub(super) fn url_decode(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, web::url_decode)
}

pub(super) fn base64_encode(args: Args<'_, '_>) -> Result<Value, Stop> {
    change(args, |it| to_base64(it.as_bytes(), false))
}

pub(super) fn base64_decode(mut args: Args<'_, '_>) -> Result<Value, Stop> {
    let Some(text) = args.input_text()? else { return Ok(Value::Nil) };
    let bytes = from_base64(text.as_str())?;
    Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use crate::template::test::render;

    #[test]
    fn texts_are_encoded() {
        for (expression, expected) in [
            ("'<a & \"b\">' | Escape", "&lt;a &amp; &quot;b&quot;&gt;"),
            ("\"it's\" | H", "it&#39;s"),
            ("'&lt;b> &' | EscapeOnce", "&lt;b&gt; &amp;"),
            ("'a b/é' | UrlEncode", "a+b%2F%C3%A9"),
            ("'a+b%2F%C3%A9' | UrlDecode", "a b/é"),
            ("'hé' | Base64Encode", "aMOp"),
            ("'aMOp' | base64_decode", "hé"),
            ("nothing | Escape", ""),
        ] {
            assert_eq!(render(&format!("{{{{ {expression} }}}}")), expected, "{expression}");
        }
        assert!(render("{{ '*' | Base64Decode }}").starts_with("! line 1, column 10: "));
    }
}
