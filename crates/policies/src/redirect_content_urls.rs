//! `<redirect-content-urls>`: points links in a body to the gateway, or in a request back to the
//! backend.
//!
//! Outbound, the backend's base URL is replaced by that of the API at the gateway; inbound the
//! other way round. Only text is looked at, as text: what stands in it is not parsed. Headers such
//! as `Location` stay.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/redirect-content-urls-policy>

use pipeline::{
    BaseUrl, CompileCx, Context, Diagnostic, Element, Flow, Message, PolicyError, PolicyKind,
    Scopes, Sections, Step, Waiting,
};

use crate::content;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "redirect-content-urls",
    summary: "Points links in a body to the gateway, or in a request back to the backend.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND).once(),
    scopes: Scopes::ALL,
    attrs: &[],
    children: &[],
    compile,
};

#[derive(Debug)]
struct RedirectContentUrls {
    message: Message,
}

fn compile(_: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::waiting(RedirectContentUrls { message: cx.message() }))
}

impl Waiting for RedirectContentUrls {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let content_type = content::content_type(context, self.message).map(str::to_owned);
        if !content_type.as_deref().is_some_and(is_text) {
            return Ok(Flow::Next);
        }
        let gateway = gateway(context);
        let backend = urls(context.request.url.base());
        let (from, to) = match self.message {
            Message::Request => (gateway, backend),
            Message::Response | Message::Draft => (backend, gateway),
        };
        let Some(to) = to.into_iter().next() else { return Ok(Flow::Next) };
        let bytes = content::bytes(context, self.message).await?;
        let max_bytes = context.services.max_buffered_body_bytes;
        let replaced = content::work(bytes.len(), move || {
            let Some(text) = content::text(&bytes, content_type.as_deref()) else {
                return Ok(None);
            };
            replace(&text, &from, &to, max_bytes)
        });
        if let Some(text) = replaced.await? {
            context.set_text_body(self.message, text);
        }
        Ok(Flow::Next)
    }
}

/// Whether a media type is text: `text/*`, JSON, XML, JavaScript.
fn is_text(content_type: &str) -> bool {
    let essence = content::essence(content_type).to_ascii_lowercase();
    essence.starts_with("text/")
        || essence.ends_with("/javascript")
        || content::is_json(&essence)
        || content::is_xml(&essence)
}

/// The URLs of the API at the gateway.
fn gateway(context: &Context) -> Vec<String> {
    let path = context.api.as_ref().map(|it| it.path.trim_matches('/')).unwrap_or_default();
    let slash = if path.is_empty() { "" } else { "/" };
    let origins = urls(context.request.original_url.base()).into_iter();
    origins.map(|it| format!("{it}{slash}{path}")).collect()
}

/// A base URL as it may be written: without the port that is the scheme's own, and with it.
fn urls(base: &BaseUrl) -> Vec<String> {
    let (scheme, path) = (base.scheme(), base.path());
    let short = format!("{scheme}://{}{path}", base.authority());
    let long = format!("{scheme}://{}:{}{path}", base.host(), base.port());
    if short == long { vec![short] } else { vec![short, long] }
}

/// The text with the URLs replaced, also those with escaped slashes as JSON may have them; `None`
/// if there are none.
fn replace(
    text: &str,
    from: &[String],
    to: &str,
    max_bytes: usize,
) -> Result<Option<String>, PolicyError> {
    let escape = |it: &str| it.replace('/', "\\/");
    let pairs: Vec<(String, String)> = from
        .iter()
        .flat_map(|it| [(it.clone(), to.to_owned()), (escape(it), escape(to))])
        .collect();
    let (mut replaced, mut from) = (String::new(), 0);
    // Every URL of either side starts with its scheme.
    for (at, _) in text.match_indices("http") {
        let rest = text.get(at..).unwrap_or_default();
        let is_meant = |(url, _): &&(String, String)| {
            starts_with_case(rest, url) && ends_there(rest.get(url.len()..).unwrap_or_default())
        };
        let Some((url, new)) = pairs.iter().find(is_meant) else { continue };
        if at < from {
            continue;
        }
        replaced.push_str(text.get(from..at).unwrap_or_default());
        replaced.push_str(new);
        from = at + url.len();
        if replaced.len() + (text.len() - from) > max_bytes {
            let message = format!("The body would become larger than {max_bytes} bytes.");
            return Err(PolicyError::evaluation(message));
        }
    }
    if from == 0 {
        return Ok(None);
    }
    replaced.push_str(text.get(from..).unwrap_or_default());
    Ok(Some(replaced))
}

fn starts_with_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start))
}

/// Whether the URL does not go on with another host, port or segment.
fn ends_there(rest: &str) -> bool {
    let goes_on = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '~' | '%' | '@');
    let mut chars = rest.chars();
    match chars.next() {
        Some('.' | ':') => !chars.next().is_some_and(goes_on),
        Some(it) => !goes_on(it),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str, base: &str) -> String {
        let from = urls(&BaseUrl::parse(base).unwrap());
        let to = "https://gw.test/shop";
        replace(text, &from, to, 1000).unwrap().unwrap_or_else(|| "unchanged".to_owned())
    }

    #[test]
    fn links_to_the_base_url_are_replaced() {
        let base = "https://b.test/v1";
        for (text, expected) in [
            ("see https://b.test/v1/a.", "see https://gw.test/shop/a."),
            ("https://b.test:443/v1?x", "https://gw.test/shop?x"),
            ("HTTPS://B.TEST/v1", "unchanged"),
            ("https://B.test/v1", "https://gw.test/shop"),
            (r#"{"a":"https:\/\/b.test\/v1\/x"}"#, r#"{"a":"https:\/\/gw.test\/shop\/x"}"#),
            ("https://b.test/v10", "unchanged"),
            ("https://b.test/v1.", "https://gw.test/shop."),
            ("https://b.test/v1.5", "unchanged"),
            ("http://b.test/v1", "unchanged"),
            ("https://b.test/v1https://b.test/v1", "unchanged https"),
        ] {
            let found = replaced(text, base);
            if expected == "unchanged https" {
                assert_eq!(found, "https://b.test/v1https://gw.test/shop", "{text}");
            } else {
                assert_eq!(found, expected, "{text}");
            }
        }
    }

    #[test]
    fn another_host_that_starts_alike_is_left() {
        for text in ["https://b.test.evil.example/", "https://b.test:8443/", "https://b.test-2/"] {
            assert_eq!(replaced(text, "https://b.test"), "unchanged", "{text}");
        }
        assert_eq!(replaced("<https://b.test>", "https://b.test"), "<https://gw.test/shop>");
    }

    #[test]
    fn the_result_is_bounded() {
        let text = "http://b ".repeat(100);
        let from = ["http://b".to_owned()];
        assert!(replace(&text, &from, "https://long.example", 1000).is_err());
        assert!(replace(&text, &from, "http://c", 1000).is_ok());
    }

    #[test]
    fn only_text_is_looked_at() {
        for (content_type, expected) in [
            ("text/html; charset=utf-8", true),
            ("application/hal+json", true),
            ("application/javascript", true),
            ("image/png", false),
            ("application/octet-stream", false),
        ] {
            assert_eq!(is_text(content_type), expected, "{content_type}");
        }
    }
}
