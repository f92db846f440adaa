//! `<json-to-xml>`: turns a JSON body into XML.
//!
//! A body that it does not apply to is not read.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/json-to-xml-policy>

mod write;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use pipeline::{
    Attr, Blame, Body, CompileCx, Computed, Context, Diagnostic, Element, Flow, Message,
    PolicyError, PolicyKind, Scopes, Sections, Step, Waiting, words,
};

use crate::content;
use write::Names;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "json-to-xml",
    summary: "Turns a JSON body into XML.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND).and(Sections::ON_ERROR),
    scopes: Scopes::ALL,
    attrs: &[APPLY, CONSIDER_ACCEPT, PARSE_DATE, SEPARATOR, PREFIX, ATTRIBUTE_BLOCK],
    children: &[],
    compile,
};

const APPLY: Attr = Attr::required("apply")
    .expressions()
    .one_of(Apply::WORDS)
    .doc("Always, or only if the body is JSON.");
const CONSIDER_ACCEPT: Attr = Attr::optional("consider-accept-header", "true")
    .expressions()
    .doc("Whether the client has to ask for XML.");
const PARSE_DATE: Attr =
    Attr::optional("parse-date", "true").doc("Whether texts that are dates are read as such.");
const SEPARATOR: Attr = Attr::optional("namespace-separator", "_")
    .expressions()
    .doc("What stands between prefix and name.");
const PREFIX: Attr = Attr::absent_by_default("namespace-prefix")
    .expressions()
    .doc("Prefix of members that declare namespaces.");
const ATTRIBUTE_BLOCK: Attr = Attr::absent_by_default("attribute-block-name")
    .expressions()
    .doc("Name of the member that holds attributes.");

words! {
    /// When the policy applies.
    enum Apply {
        /// Always.
        Always = "always",
        /// If the body is JSON.
        ContentTypeJson = "content-type-json",
    }
}

#[derive(Debug)]
struct JsonToXml {
    message: Message,
    apply: Computed<Apply>,
    considers_accept: Computed<bool>,
    parses_dates: bool,
    separator: Computed<String>,
    prefix: Option<Computed<String>>,
    attribute_block: Option<Computed<String>>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::waiting(JsonToXml {
        message: cx.message(),
        apply: cx.attr(element, &APPLY)?,
        considers_accept: cx.attr(element, &CONSIDER_ACCEPT)?,
        parses_dates: cx.literal(element, &PARSE_DATE)?,
        separator: cx.attr(element, &SEPARATOR)?,
        prefix: cx.attr_if(element, &PREFIX)?,
        attribute_block: cx.attr_if(element, &ATTRIBUTE_BLOCK)?,
    }))
}

impl Waiting for JsonToXml {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        if !self.applies(context)? {
            return Ok(Flow::Next);
        }
        let text = |it: &Option<Computed<String>>| match it {
            Some(it) => it.get(context).map(|it| Some(it).filter(|it| !it.is_empty())),
            None => Ok(None),
        };
        let names = Names {
            separator: self.separator.get(context)?,
            prefix: text(&self.prefix)?,
            attribute_block: text(&self.attribute_block)?,
        };
        let bytes = content::bytes(context, self.message).await?;
        let content_type = content::content_type(context, self.message).map(str::to_owned);
        let (max_bytes, parses_dates) =
            (context.services.max_buffered_body_bytes, self.parses_dates);
        let blame = match self.message {
            Message::Request => Blame::Client,
            Message::Response | Message::Draft => Blame::Backend,
        };
        let xml = content::work(bytes.len(), move || {
            let text = content::text(&bytes, content_type.as_deref())
                .ok_or_else(|| "the body is no text in its charset".to_owned());
            text.and_then(|it| write::xml(&it, parses_dates, names, max_bytes)).map_err(|why| {
                PolicyError::new("JsonToXmlConversionFailed", format!("JSON to XML: {why}"))
                    .blame(blame)
            })
        });
        let xml = xml.await?;
        context.set_body(self.message, Body::bytes(xml));
        let content_type = match self.message {
            Message::Request => "text/xml",
            Message::Response | Message::Draft => "application/xml",
        };
        let headers = context.headers_mut(self.message);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Ok(Flow::Next)
    }
}

impl JsonToXml {
    fn applies(&self, context: &Context) -> Result<bool, PolicyError> {
        if context.operation.as_ref().is_some_and(|it| it.is_websocket) {
            return Ok(false);
        }
        let is_json = || content::content_type(context, self.message).is_some_and(content::is_json);
        if self.apply.get(context)? == Apply::ContentTypeJson && !is_json() {
            return Ok(false);
        }
        Ok(!self.considers_accept.get(context)? || content::is_asked_for(context, content::is_xml))
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::problems;

    #[test]
    fn what_is_written_is_checked_when_it_loads() {
        let with = |attributes: &str| problems(&format!("<json-to-xml {attributes} />"));
        assert_eq!(with("apply='always'"), "fine");
        assert_eq!(with("apply='content-type-xml'"), "PC0409");
        assert_eq!(with("apply='always' parse-date='maybe'"), "PC0409");
        assert_eq!(with("apply='always' parse-date='@(true)'"), "PC0411");
        assert_eq!(with(""), "PC0404");
    }
}
