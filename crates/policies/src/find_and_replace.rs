//! `<find-and-replace>`: replaces a text in a body, wherever it stands.
//!
//! Letters are compared as they are; the text is no pattern. A body that is no text in its
//! charset, or does not hold the text, stays as it came.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/find-and-replace-policy>

use pipeline::{
    Attr, CompileCx, Computed, Context, Diagnostic, Element, Flow, Message, PolicyError,
    PolicyKind, Scopes, Sections, Step, Waiting,
};

use crate::content;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "find-and-replace",
    summary: "Replaces a text in a body, wherever it stands.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[FROM, TO],
    children: &[],
    compile,
};

const FROM: Attr = Attr::required("from").expressions().doc("Text to look for; empty: nothing.");
const TO: Attr = Attr::required("to").expressions().doc("Text to put in its place.");

#[derive(Debug)]
struct FindAndReplace {
    message: Message,
    from: Computed<String>,
    to: Computed<String>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::waiting(FindAndReplace {
        message: cx.message(),
        from: cx.attr(element, &FROM)?,
        to: cx.attr(element, &TO)?,
    }))
}

impl Waiting for FindAndReplace {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let (from, to) = (self.from.get(context)?, self.to.get(context)?);
        if from.is_empty() {
            return Ok(Flow::Next);
        }
        let bytes = content::bytes(context, self.message).await?;
        let content_type = content::content_type(context, self.message).map(str::to_owned);
        let max_bytes = context.services.max_buffered_body_bytes;
        let replaced = content::work(bytes.len(), move || {
            let text = content::text(&bytes, content_type.as_deref());
            text.map_or(Ok(None), |it| replace(&it, &from, &to, max_bytes))
        });
        if let Some(text) = replaced.await? {
            context.set_text_body(self.message, text);
        }
        Ok(Flow::Next)
    }
}

/// The text with all replaced; `None` if there is nothing to replace.
fn replace(
    text: &str,
    from: &str,
    to: &str,
    max_bytes: usize,
) -> Result<Option<String>, PolicyError> {
    let n = text.matches(from).count();
    if n == 0 {
        return Ok(None);
    }
    let n_bytes = (text.len() - n * from.len()).saturating_add(n.saturating_mul(to.len()));
    if n_bytes > max_bytes {
        let message = format!("The body would become larger than {max_bytes} bytes.");
        return Err(PolicyError::evaluation(message));
    }
    Ok(Some(text.replace(from, to)))
}

#[cfg(test)]
mod tests {
    use pipeline::{Body, Response, Section};

    use super::*;
    use crate::test_support::{Trial, text};

    fn run(body: &'static [u8], content_type: &'static str) -> (String, String) {
        let mut trial = Trial::of(Section::Outbound, "<find-and-replace from='é' to='[e]' />");
        let mut response = Response::new(http::StatusCode::OK);
        response.headers.insert("content-type", content_type.parse().unwrap());
        response.body = Body::bytes(body);
        trial.response = Some(response);
        let response = trial.run("").context.response.unwrap();
        let content_type = response.headers["content-type"].to_str().unwrap().to_owned();
        (String::from_utf8_lossy(&response.body.as_bytes().unwrap()).into_owned(), content_type)
    }

    #[test]
    fn every_place_is_replaced_and_the_charset_becomes_utf_8() {
        assert_eq!(run("é é".as_bytes(), "text/plain").0, "[e] [e]");
        assert_eq!(
            run(b"\xe9t\xe9\xe0", "text/plain; charset=latin1"),
            ("[e]t[e]à".to_owned(), "text/plain; charset=utf-8".to_owned())
        );
    }

    #[test]
    fn what_does_not_hold_the_text_stays_as_it_came() {
        let latin = "text/plain; charset=latin1";
        assert_eq!(run(b"\xe0", latin), ("\u{fffd}".to_owned(), latin.to_owned()));
        assert_eq!(run(b"\xe9", "text/plain").0, "\u{fffd}");
        let ran = Trial::inbound("<find-and-replace from='' to='x' />").run("");
        assert_eq!(
            (ran.outcome.as_str(), text(&ran.context.request.body)),
            ("next", String::new())
        );
    }

    #[test]
    fn the_result_is_bounded() {
        assert_eq!(replace("aaa", "a", "bb", 6).unwrap().as_deref(), Some("bbbbbb"));
        assert!(replace("aaa", "a", "bb", 5).is_err());
        assert!(replace(&"a".repeat(1000), "a", &"b".repeat(1 << 20), 1 << 20).is_err());
        assert_eq!(replace("aaa", "b", "", 0).unwrap(), None);
    }
}
