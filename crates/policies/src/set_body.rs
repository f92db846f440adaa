//! `<set-body>`: replaces the body of the request or response.
//!
//! Literal text is kept exactly, tags included. The result of an expression is its bytes, or its
//! text in UTF-8; `null` is an empty body. A Liquid template is compiled when the document loads.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-body-policy>

use bytes::Bytes;
use expr::Value;
use liquid::body::{Reading, XsiNil};
use pipeline::{
    Attr, Body, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, Message,
    PolicyError, PolicyKind, Scopes, Sections, Step, Steps, Waiting, words,
};

use crate::templates::Liquid;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "set-body",
    summary: "Replaces the body of the request or response.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[TEMPLATE, XSI_NIL, PARSE_DATE],
    children: &[CONTENT],
    compile,
};

const TEMPLATE: Attr =
    Attr::optional("template", "none").one_of(Template::WORDS).doc("How the content is read.");
const XSI_NIL: Attr = Attr::optional("xsi-nil", "blank")
    .one_of(Nil::WORDS)
    .doc("What `xsi:nil` elements are in a Liquid template.");
const PARSE_DATE: Attr = Attr::optional("parse-date", "true")
    .one_of(&["true", "false"])
    .doc("Whether texts that look like dates are dates in a Liquid template.");
const CONTENT: Child = Child::markup().expressions().doc("The new body.");

words! {
    enum Template {
        None = "none",
        Liquid = "liquid",
    }
}

words! {
    enum Nil {
        Blank = "blank",
        Null = "null",
    }
}

#[derive(Debug)]
struct SetBody {
    message: Message,
    body: Content,
}

#[derive(Debug)]
enum Content {
    Literal(Bytes),
    Expression(Computed<Value>),
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    if cx.literal::<Template>(element, &TEMPLATE)? == Template::Liquid {
        return template(element, cx);
    }
    let computed: Computed<Value> = cx.markup(element)?;
    let body = match computed.as_literal() {
        Some(value) if value.as_bytes().is_none() => {
            Content::Literal(value.to_text().into_owned().into())
        }
        _ => Content::Expression(computed),
    };
    Ok(Step::immediate(SetBody { message: cx.message(), body }).replacing_body())
}

fn template(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let xsi_nil = match cx.literal::<Nil>(element, &XSI_NIL)? {
        Nil::Blank => XsiNil::Blank,
        Nil::Null => XsiNil::Null,
    };
    let reading = Reading { xsi_nil, dates: cx.literal(element, &PARSE_DATE)? };
    let step = match Liquid::compile(element, cx, reading)? {
        Some(liquid) => Step::waiting(SetRendered { message: cx.message(), liquid }),
        None => Step::inline(Steps::default()),
    };
    Ok(step.replacing_body())
}

#[derive(Debug)]
struct SetRendered {
    message: Message,
    liquid: Liquid,
}

impl Waiting for SetRendered {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let text = self.liquid.render(context).await?;
        context.set_text_body(self.message, text);
        Ok(Flow::Next)
    }
}

impl Immediate for SetBody {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let value = match &self.body {
            Content::Literal(bytes) => {
                context.set_text_body(self.message, bytes.clone());
                return Ok(Flow::Next);
            }
            Content::Expression(computed) => computed.get(context)?,
        };
        match value.as_bytes() {
            Some(bytes) => context.set_body(self.message, Body::bytes(bytes)),
            None => context.set_text_body(self.message, value.to_text().into_owned()),
        }
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use pipeline::{Body, Response, Section};

    use crate::test_support::{Trial, problems, text};

    fn body(policy: &str) -> String {
        text(&Trial::inbound(policy).run("").context.request.body)
    }

    #[test]
    fn literal_text_is_kept_exactly() {
        assert_eq!(body("<set-body>  {\"a\": 1}\n</set-body>"), "  {\"a\": 1}\n");
        assert_eq!(body("<set-body />"), "");
        assert_eq!(body("<set-body template=\"none\">x</set-body>"), "x");
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(
            body("<set-body><s:a xmlns:s='u'><b/></s:a></set-body>"),
            "<s:a xmlns:s='u'><b/></s:a>"
        );
    }

    #[test]
    fn length_and_encoding_go_and_the_charset_becomes_utf_8() {
        let mut trial = Trial::of(Section::Outbound, "<set-body>é</set-body>");
        let mut response = Response::new(StatusCode::OK);
        response.body = Body::bytes("old");
        for (name, value) in [
            ("content-length", "3"),
            ("content-encoding", "gzip"),
            ("content-type", "text/plain; charset=latin1"),
        ] {
            response.headers.insert(name, value.parse().unwrap());
        }
        trial.response = Some(response);
        let response = trial.run("").context.response.unwrap();

        assert_eq!(text(&response.body), "é");
        assert_eq!(response.headers.len(), 1);
        assert_eq!(response.headers["content-type"], "text/plain; charset=utf-8");
    }

    #[test]
    fn a_template_is_rendered() {
        let template = r#"<set-body template="liquid">{{context.Request.Method}} {{ 'a' | Upcase }}</set-body>"#;
        assert_eq!(body(template), "GET A");
        assert_eq!(problems("<set-body template=\"razor\">x</set-body>"), "PC0409");
        assert_eq!(problems("<set-body template=\"liquid\">{{nothing}}</set-body>"), "fine");
    }

    #[test]
    fn an_unknown_named_value_is_an_error() {
        assert_eq!(problems("<set-body>{{nothing}}</set-body>"), "PC0204");
    }
}
