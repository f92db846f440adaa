//! `<xml-to-json>`: turns an XML body into JSON.
//!
//! A body that it does not apply to is not read. A client that sends no `Accept` asks for nothing,
//! so by default it gets XML.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/xml-to-json-policy>

mod write;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use pipeline::{
    Attr, Blame, Body, CompileCx, Computed, Context, Diagnostic, Element, Flow, Message,
    PolicyError, PolicyKind, Scopes, Sections, Step, Waiting, words,
};

use crate::content;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "xml-to-json",
    summary: "Turns an XML body into JSON.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND).and(Sections::ON_ERROR),
    scopes: Scopes::ALL,
    attrs: &[KIND_ATTR, APPLY, CONSIDER_ACCEPT, ALWAYS_ARRAY],
    children: &[],
    compile,
};

const KIND_ATTR: Attr = Attr::required("kind")
    .expressions()
    .one_of(Form::WORDS)
    .doc("Whether the JSON is easy to use or has the structure of the XML.");
const APPLY: Attr = Attr::required("apply")
    .expressions()
    .one_of(Apply::WORDS)
    .doc("Always, or only if the body is XML.");
const CONSIDER_ACCEPT: Attr = Attr::optional("consider-accept-header", "true")
    .expressions()
    .doc("Whether the client has to ask for JSON.");
const ALWAYS_ARRAY: Attr = Attr::optional("always-array-child-elements", "false")
    .expressions()
    .doc("Whether child elements are arrays even if they stand alone.");

words! {
    /// What the JSON looks like.
    pub(crate) enum Form {
        /// Easy to use.
        JavascriptFriendly = "javascript-friendly",
        /// The structure of the XML.
        Direct = "direct",
    }
}

words! {
    /// When the policy applies.
    enum Apply {
        /// Always.
        Always = "always",
        /// If the body is XML.
        ContentTypeXml = "content-type-xml",
    }
}

#[derive(Debug)]
struct XmlToJson {
    message: Message,
    form: Computed<Form>,
    apply: Computed<Apply>,
    considers_accept: Computed<bool>,
    always_array: Computed<bool>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::waiting(XmlToJson {
        message: cx.message(),
        form: cx.attr(element, &KIND_ATTR)?,
        apply: cx.attr(element, &APPLY)?,
        considers_accept: cx.attr(element, &CONSIDER_ACCEPT)?,
        always_array: cx.attr(element, &ALWAYS_ARRAY)?,
    }))
}

impl Waiting for XmlToJson {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        if !self.applies(context)? {
            return Ok(Flow::Next);
        }
        let (form, always_array) = (self.form.get(context)?, self.always_array.get(context)?);
        let bytes = content::bytes(context, self.message).await?;
        let content_type = content::content_type(context, self.message).map(str::to_owned);
        let blame = match self.message {
            Message::Request => Blame::Client,
            Message::Response | Message::Draft => Blame::Backend,
        };
        let json = content::work(bytes.len(), move || {
            let text = content::xml_text(&bytes, content_type.as_deref())
                .ok_or_else(|| "the body is no text in its charset".to_owned());
            text.and_then(|it| write::json(&it, form, always_array)).map_err(|why| {
                PolicyError::new("XmlToJsonConversionFailed", format!("XML to JSON: {why}"))
                    .blame(blame)
            })
        });
        let json = json.await?;
        context.set_body(self.message, Body::bytes(json));
        let headers = context.headers_mut(self.message);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Flow::Next)
    }
}

impl XmlToJson {
    fn applies(&self, context: &Context) -> Result<bool, PolicyError> {
        if context.operation.as_ref().is_some_and(|it| it.is_websocket) {
            return Ok(false);
        }
        let is_xml = || content::content_type(context, self.message).is_some_and(content::is_xml);
        if self.apply.get(context)? == Apply::ContentTypeXml && !is_xml() {
            return Ok(false);
        }
        Ok(!self.considers_accept.get(context)? || content::is_asked_for(context, content::is_json))
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::problems;

    #[test]
    fn what_is_written_is_checked_when_it_loads() {
        let with = |attributes: &str| problems(&format!("<xml-to-json {attributes} />"));
        assert_eq!(with("kind='direct' apply='always'"), "fine");
        assert_eq!(with("kind='flat' apply='always'"), "PC0409");
        assert_eq!(with("kind='direct' apply='content-type-json'"), "PC0409");
        assert_eq!(with(""), "PC0404 PC0404");
    }
}
