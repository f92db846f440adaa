//! `<return-response>`: ends the pipeline with a response of its own.
//!
//! The response is new (200 without body) or one that a policy stored in a variable, changed by
//! the children. This is not an error: neither `on-error` nor later statements run.
//!
//! A variable that does not exist gives a new response: published documents name one that nothing
//! sets and write status and body as children. One that holds something else is an error.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/return-response-policy>

use expr::host::{ResponseValue, ResponseView};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, StatusCode};
use pipeline::{
    Attr, Body, Child, CompileCx, Context, Diagnostic, Element, Flow, Immediate, Message,
    PolicyError, PolicyKind, Response, Scopes, Sections, Step, Steps, Waiting,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "return-response",
    summary: "Ends the pipeline with a response of its own.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[RESPONSE_VARIABLE_NAME],
    children: &[SET_STATUS, SET_HEADER, SET_BODY],
    compile,
};

const RESPONSE_VARIABLE_NAME: Attr = Attr::absent_by_default("response-variable-name")
    .doc("Variable that holds the response to start from; a new one if there is no such variable.");
const SET_STATUS: Child = Child::optional("set-status").as_policy().doc("Status.");
const SET_HEADER: Child = Child::repeated("set-header").as_policy().doc("Headers.");
const SET_BODY: Child = Child::optional("set-body").as_policy().doc("Body.");

#[derive(Debug)]
struct ReturnResponse {
    variable: Option<String>,
    steps: Steps,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let policy = ReturnResponse {
        variable: cx.literal_if(element, &RESPONSE_VARIABLE_NAME)?,
        steps: cx.steps_on(element, Message::Draft)?,
    };
    let is_immediate = policy.steps.are_immediate();
    let step = if is_immediate { Step::immediate(policy) } else { Step::waiting(policy) };
    Ok(step.ending())
}

impl Immediate for ReturnResponse {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        context.draft = Some(self.start(context)?);
        let outcome = self.steps.apply(context);
        finish(context, outcome)
    }
}

impl Waiting for ReturnResponse {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        context.draft = Some(self.start(context)?);
        let outcome = self.steps.run(context).await;
        finish(context, outcome)
    }
}

fn finish(context: &mut Context, outcome: Result<Flow, PolicyError>) -> Result<Flow, PolicyError> {
    let draft = context.draft.take();
    outcome?;
    context.set_response(draft.unwrap_or_default());
    Ok(Flow::End)
}

impl ReturnResponse {
    fn start(&self, context: &Context) -> Result<Response, PolicyError> {
        let Some(name) = &self.variable else { return Ok(Response::new(StatusCode::OK)) };
        let Some(value) = context.variables.get(name) else {
            return Ok(Response::new(StatusCode::OK));
        };
        let stored = value.as_object::<ResponseValue>().ok_or_else(|| {
            PolicyError::evaluation(format_args!("Variable `{name}` holds no response."))
        })?;
        response(stored)
            .map_err(|error| PolicyError::evaluation(format_args!("Variable `{name}`: {error}.")))
    }
}

fn response(stored: &ResponseValue) -> Result<Response, String> {
    let status = StatusCode::from_u16(stored.status_code).map_err(|error| error.to_string())?;
    let mut response = Response::new(status);
    response.reason = Some(stored.status_reason.clone()).filter(|it| !it.is_empty());
    for (name, value) in &stored.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?;
        response.headers.append(name, value);
    }
    // The body comes decoded, and its length is counted anew.
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING] {
        response.headers.remove(name);
    }
    if let Some(body) = stored.body() {
        response.body = Body::bytes(body.read(true).map_err(|error| error.to_string())?);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use expr::host::{BodyUnavailable, BodyView};
    use pipeline::Section;

    use super::*;
    use crate::test_support::{Trial, outcome, problems, text};

    #[test]
    fn the_default_is_200_without_a_body() {
        assert_eq!(outcome("<return-response />", ""), "end 200");
    }

    #[test]
    fn the_children_make_the_response() {
        let policy = r#"<return-response>
            <set-status code="401" reason="Who?" />
            <set-header name="WWW-Authenticate"><value>Bearer</value></set-header>
            <set-body>no</set-body>
        </return-response>"#;
        let ran = Trial::inbound(policy).run("x-a: 1");
        assert_eq!(ran.outcome, "end 401 no");
        let response = ran.context.response.unwrap();
        assert_eq!((response.reason(), text(&response.body).as_str()), ("Who?", "no"));
        assert_eq!(response.headers["www-authenticate"], "Bearer");
        assert_eq!(ran.context.request.headers.len(), 1);
    }

    #[test]
    fn headers_of_an_earlier_response_are_not_carried_over() {
        let mut trial = Trial::of(Section::Outbound, "<return-response />");
        let mut response = Response::new(StatusCode::NOT_FOUND);
        response.headers.insert("x-old", "1".parse().unwrap());
        trial.response = Some(response);
        let ran = trial.run("");
        assert_eq!(ran.outcome, "end 200");
        assert!(ran.context.response.unwrap().headers.is_empty());
    }

    #[test]
    fn a_variable_that_is_missing_gives_a_new_response_and_one_of_another_kind_an_error() {
        let policy = r#"<return-response response-variable-name="r" />"#;
        assert_eq!(outcome(policy, ""), "end 200");
        let text = format!(r#"<set-variable name="r" value="x" />{policy}"#);
        assert_eq!(outcome(&text, ""), "500 - (ExpressionValueEvaluationFailure)");
    }

    #[test]
    fn only_its_own_children_may_stand_inside() {
        assert_eq!(
            problems("<return-response><set-method>GET</set-method></return-response>"),
            "PC0405"
        );
        assert_eq!(
            problems(
                "<return-response><set-body>1</set-body><set-body>2</set-body></return-response>"
            ),
            "PC0407"
        );
    }

    fn stored(headers: &[(&str, &str)]) -> ResponseValue {
        #[derive(Debug)]
        struct Text;
        impl BodyView for Text {
            fn read(&self, _: bool) -> Result<Bytes, BodyUnavailable> {
                Ok(Bytes::from_static(b"stored"))
            }
        }
        ResponseValue {
            status_code: 201,
            status_reason: "Kept".to_owned(),
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            body: Some(Arc::new(Text)),
        }
    }

    #[test]
    fn a_stored_response_is_the_start_without_what_was_said_of_its_length() {
        let it = response(&stored(&[("x-a", "1"), ("content-length", "9"), ("x-a", "2")])).unwrap();

        assert_eq!((it.status, it.reason()), (StatusCode::CREATED, "Kept"));
        assert_eq!(it.header_values("x-a").collect::<Vec<_>>(), ["1", "2"]);
        assert!(!it.headers.contains_key(CONTENT_LENGTH));
        assert_eq!(text(&it.body), "stored");
    }

    #[test]
    fn a_stored_header_that_is_none_is_refused() {
        assert!(response(&stored(&[("a b", "1")])).is_err());
        assert!(response(&stored(&[("a", "1\r\nb: 2")])).is_err());
    }
}
