//! `<forward-request>`: sends the request to the backend and takes its response.
//!
//! Without it the backend is not called. A 4xx or 5xx of the backend is an ordinary response
//! unless the policy says otherwise. In a GraphQL API with resolvers the gateway executes the
//! operation itself; `timeout` bounds that as a whole. A handshake of WebSocket there opens
//! subscriptions, which the gateway or the API's own service serves.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/forward-request-policy>

use std::sync::Arc;

use pipeline::{
    Attr, Blame, CompileCx, Computed, Context, Convert, Diagnostic, Element, FieldErrors, Flow,
    ForwardCall, GraphQlApi, Milliseconds, PolicyError, PolicyKind, Scopes, Seconds, Sections,
    Step, Unfit, ValueType, Waiting, call_failure,
};
use transport::{CallError, HttpVersion};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "forward-request",
    summary: "Sends the request to the backend and takes its response.",
    sections: Sections::BACKEND,
    scopes: Scopes::ALL,
    attrs: &[
        TIMEOUT,
        TIMEOUT_MS,
        CONTINUE_TIMEOUT,
        HTTP_VERSION,
        FOLLOW_REDIRECTS,
        BUFFER_REQUEST_BODY,
        BUFFER_RESPONSE,
        FAIL_ON_ERROR,
    ],
    children: &[],
    compile,
};

const TIMEOUT: Attr = Attr::optional("timeout", "300")
    .expressions()
    .excludes(&["timeout-ms"])
    .doc("Longest wait for the response's headers, in seconds; 0: no bound.")
    .of(ValueType::Seconds);
const TIMEOUT_MS: Attr = Attr::absent_by_default("timeout-ms")
    .expressions()
    .doc("The same in milliseconds.")
    .of(ValueType::Milliseconds);
const CONTINUE_TIMEOUT: Attr = Attr::absent_by_default("continue-timeout")
    .expressions()
    .doc("Longest wait for `100 Continue`, in seconds.")
    .of(ValueType::Seconds);
const HTTP_VERSION: Attr = Attr::optional("http-version", "1")
    .one_of(&["1", "2or1", "2"])
    .doc("Protocol towards the backend.");
const FOLLOW_REDIRECTS: Attr = Attr::optional("follow-redirects", "false")
    .expressions()
    .doc("Whether the gateway follows redirects itself.");
const BUFFER_REQUEST_BODY: Attr = Attr::optional("buffer-request-body", "false")
    .expressions()
    .doc("Keep the request's body so that it can be sent again.");
const BUFFER_RESPONSE: Attr = Attr::optional("buffer-response", "true")
    .one_of(&["true", "false"])
    .doc("Gather small chunks of the response before passing them on.");
const FAIL_ON_ERROR: Attr = Attr::optional("fail-on-error-status-code", "false")
    .one_of(&["true", "false"])
    .doc("Whether 400 to 599 is an error that goes to on-error.");

#[derive(Debug)]
struct ForwardRequest {
    timeout: Timeout,
    continue_timeout: Option<Computed<Seconds>>,
    http_version: HttpVersion,
    follow_redirects: Computed<bool>,
    buffer_request_body: Computed<bool>,
    buffer_response: bool,
    fail_on_error: bool,
}

#[derive(Debug)]
enum Timeout {
    Seconds(Computed<Seconds>),
    Milliseconds(Computed<Milliseconds>),
}

/// The words of `http-version`.
#[derive(Clone, Copy, Debug)]
struct Version(HttpVersion);

impl Convert for Version {
    fn from_text(text: &str) -> Result<Version, Unfit> {
        match text.trim() {
            "1" => Ok(Version(HttpVersion::Http1)),
            "2or1" => Ok(Version(HttpVersion::Http2OrHttp1)),
            "2" => Ok(Version(HttpVersion::Http2)),
            other => Err(Unfit::wanted("`1`, `2or1` or `2`").got(other)),
        }
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let timeout = match cx.attr_if(element, &TIMEOUT_MS)? {
        Some(milliseconds) => Timeout::Milliseconds(milliseconds),
        None => Timeout::Seconds(cx.attr(element, &TIMEOUT)?),
    };
    Ok(Step::waiting(ForwardRequest {
        timeout,
        continue_timeout: cx.attr_if(element, &CONTINUE_TIMEOUT)?,
        http_version: cx.literal::<Version>(element, &HTTP_VERSION)?.0,
        follow_redirects: cx.attr(element, &FOLLOW_REDIRECTS)?,
        buffer_request_body: cx.attr(element, &BUFFER_REQUEST_BODY)?,
        buffer_response: cx.literal(element, &BUFFER_RESPONSE)?,
        fail_on_error: cx.literal(element, &FAIL_ON_ERROR)?,
    })
    .taking_request()
    .forwarding())
}

impl ForwardRequest {
    fn call(&self, context: &Context) -> Result<ForwardCall, PolicyError> {
        let timeout = match &self.timeout {
            Timeout::Seconds(it) => it.get(context)?.0,
            Timeout::Milliseconds(it) => it.get(context)?.0,
        };
        let continue_timeout = match &self.continue_timeout {
            Some(it) => Some(it.get(context)?.0),
            None => None,
        };
        Ok(ForwardCall {
            timeout: Some(timeout).filter(|it| !it.is_zero()),
            continue_timeout,
            http_version: self.http_version,
            follow_redirects: self.follow_redirects.get(context)?,
            buffer_request_body: self.buffer_request_body.get(context)?,
            buffer_response: self.buffer_response,
        })
    }
}

impl Waiting for ForwardRequest {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let call = self.call(context)?;
        match synthetic(context) {
            Some(api) => execute(&api, context, &call).await?,
            None => {
                let forward = Arc::clone(&context.services.forward);
                forward.forward(context, call).await?;
                FieldErrors::add_to_response(context).await;
            }
        }
        let status = context.response.as_ref().map(|it| it.status);
        match status {
            Some(status) if self.fail_on_error && status.as_u16() >= 400 => {
                let message = format!("The backend service answered {}.", status.as_u16());
                Err(PolicyError::new("BackendErrorStatusCode", message)
                    .keep_response()
                    .blame(Blame::Backend))
            }
            _ => Ok(Flow::Next),
        }
    }
}

/// The GraphQL API whose operations and subscriptions the gateway serves itself; none inside of its resolvers, which
/// call their data sources.
fn synthetic(context: &Context) -> Option<Arc<GraphQlApi>> {
    let operation = context.operation.as_ref()?;
    let api = operation.graphql.as_ref()?;
    (context.graphql.is_none() && api.answers(operation)).then(|| Arc::clone(api))
}

async fn execute(
    api: &GraphQlApi,
    context: &mut Context,
    call: &ForwardCall,
) -> Result<(), PolicyError> {
    let Some(timeout) = call.timeout else { return api.execute(context, call).await };
    let clock = Arc::clone(&context.services.clock);
    tokio::select! {
        biased;
        executed = api.execute(context, call) => executed,
        () = clock.sleep(timeout) => Err(call_failure(&CallError::Timeout { after: timeout })),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;
    use pipeline::{ForwardCall, Section};
    use transport::HttpVersion;

    use crate::test_support::{Ran, Trial};

    fn run(attributes: &str, backend_status: StatusCode) -> Ran {
        let policy = format!("<forward-request {attributes} />");
        let mut trial = Trial::of(Section::Backend, &policy);
        trial.backend_status = backend_status;
        trial.run("")
    }

    fn call(attributes: &str) -> ForwardCall {
        run(attributes, StatusCode::OK).calls.remove(0)
    }

    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        assert_eq!(call(""), ForwardCall::default());
    }

    #[test]
    fn every_attribute_reaches_the_call() {
        let all = r#"timeout="7" continue-timeout="2" http-version="2or1" follow-redirects="true"
            buffer-request-body="TRUE" buffer-response="false""#;
        assert_eq!(
            call(all),
            ForwardCall {
                timeout: Some(Duration::from_secs(7)),
                continue_timeout: Some(Duration::from_secs(2)),
                http_version: HttpVersion::Http2OrHttp1,
                follow_redirects: true,
                buffer_request_body: true,
                buffer_response: false,
            }
        );
        assert_eq!(call(r#"timeout-ms="250""#).timeout, Some(Duration::from_millis(250)));
        assert_eq!(call(r#"timeout="0""#).timeout, None);
        assert_eq!(call(r#"http-version="2""#).http_version, HttpVersion::Http2);
    }

    #[test]
    fn an_error_status_is_a_response_unless_the_policy_says_otherwise() {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(run("", status).outcome, "next");
        let ran = run(r#"fail-on-error-status-code="true""#, status);
        assert_eq!(ran.outcome, "kept - (BackendErrorStatusCode)");
        assert_eq!(ran.context.response.unwrap().status, status);
        let fine = run(r#"fail-on-error-status-code="true""#, StatusCode::FOUND);
        assert_eq!(fine.outcome, "next");
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        for (attributes, code) in [
            (r#"timeout="1" timeout-ms="1""#, "PC0410"),
            (r#"timeout="-1""#, "PC0409"),
            (r#"http-version="3""#, "PC0409"),
            (r#"buffer-response="@(true)""#, "PC0411"),
        ] {
            let policy = format!("<forward-request {attributes} />");
            assert_eq!(Trial::of(Section::Backend, &policy).problems(), code, "{attributes}");
        }
        assert_eq!(Trial::inbound("<forward-request />").problems(), "PC0413");
    }
}
