//! `<send-request>`: calls another service and keeps its response in a variable.
//!
//! The request is new, or a copy of the one at hand, changed by the children. A response is a
//! response whatever its status; only a call that brings none is an error.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/send-request-policy>

use std::sync::Arc;

use expr::Value;
use pipeline::{
    Attr, CompileCx, Computed, Context, Diagnostic, Element, Flow, PolicyError, PolicyKind,
    Response, Scopes, Sections, SharedContext, Step, Waiting,
};

use crate::outgoing::{
    AUTHENTICATION_CERTIFICATE, AUTHENTICATION_MANAGED_IDENTITY, Draft, MODE, PROXY, SET_BODY,
    SET_HEADER, SET_METHOD, SET_URL, TIMEOUT, variable,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "send-request",
    summary: "Calls another service and keeps its response in a variable.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[MODE, RESPONSE_VARIABLE_NAME, TIMEOUT, IGNORE_ERROR],
    children: &[
        SET_URL,
        SET_METHOD,
        SET_HEADER,
        SET_BODY,
        AUTHENTICATION_CERTIFICATE,
        AUTHENTICATION_MANAGED_IDENTITY,
        PROXY,
    ],
    compile,
};

const RESPONSE_VARIABLE_NAME: Attr = Attr::absent_by_default("response-variable-name")
    .expressions()
    .doc("Variable that receives the response.");
const IGNORE_ERROR: Attr = Attr::optional("ignore-error", "false")
    .one_of(&["true", "false"])
    .doc("Whether to go on, the variable being null, if there is no response.");

#[derive(Debug)]
struct SendRequest {
    draft: Draft,
    variable: Option<Computed<String>>,
    ignore_error: bool,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let draft = Draft::compile(element, cx)?;
    let variable = cx.attr_if(element, &RESPONSE_VARIABLE_NAME)?;
    let ignore_error = cx.literal(element, &IGNORE_ERROR)?;
    Ok(Step::waiting(SendRequest { draft, variable, ignore_error }))
}

impl SendRequest {
    async fn call(&self, shared: &SharedContext<'_>) -> Result<Response, PolicyError> {
        let call = self.draft.make(&mut *shared.lock().await).await?;
        call.send().await
    }
}

impl Waiting for SendRequest {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.run_beside(&SharedContext::new(context)).await
    }

    async fn run_beside(&self, shared: &SharedContext<'_>) -> Result<Flow, PolicyError> {
        let name: Option<Arc<str>> = match &self.variable {
            Some(name) => Some(name.get(&*shared.lock().await)?.into()),
            None => None,
        };
        let value = match self.call(shared).await {
            Ok(response) => variable(response),
            Err(error) if self.ignore_error => {
                tracing::debug!(%error, "send-request goes on without a response");
                Value::Null
            }
            Err(error) => return Err(error),
        };
        if let Some(name) = name {
            shared.lock().await.variables.set(name, value);
        }
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use pipeline::Section;
    use transport::{FakeClient, RecordedRequest};

    use crate::test_support::{Ran, Trial};

    fn send(attributes: &str, children: &str) -> String {
        format!(
            r#"<send-request response-variable-name="r" {attributes}>{children}</send-request>"#
        )
    }

    fn run(section: Section, policy: &str, request: &str) -> (Ran, Vec<RecordedRequest>) {
        let client = FakeClient::new(|it| {
            let mut response = transport::Response::new(transport::Body::full(it.body.clone()));
            *response.status_mut() = http::StatusCode::CREATED;
            response.headers_mut().insert("x-from", HeaderValue::from_static("other"));
            Ok(response)
        });
        let trial = Trial { client: client.clone(), ..Trial::of(section, policy) };
        (trial.run(request), client.requests())
    }

    #[test]
    fn a_new_request_is_what_the_children_say() {
        let children = r#"<set-url> https://other.example/a?b=c </set-url>
            <set-method>post</set-method>
            <set-header name="X-A"><value>@(context.Request.Method)</value></set-header>
            <set-body>@("from " + context.Request.Url.Path)</set-body>"#;
        let (ran, requests) = run(Section::Inbound, &send("", children), "DELETE /orders\nx-b: 1");
        let [sent] = requests.as_slice() else { panic!("{}", requests.len()) };

        assert_eq!(ran.outcome, "next");
        assert_eq!(
            (sent.method.as_str(), sent.uri.to_string().as_str()),
            ("POST", "https://other.example/a?b=c")
        );
        assert_eq!(
            (sent.headers.len(), &sent.headers["x-a"]),
            (1, &HeaderValue::from_static("DELETE"))
        );
        assert_eq!(sent.body, "from /orders");
        // The request at hand is as it was.
        assert_eq!(ran.context.request.method, "DELETE");
        assert!(ran.context.draft.is_none() && ran.context.response.is_none());
    }

    #[test]
    fn the_variable_holds_the_response() {
        let policy = send("", "<set-url>https://o.example</set-url><set-body>hello</set-body>");
        let read = r#"<set-variable name="text" value="@{
            var r = (IResponse)context.Variables["r"];
            return r.StatusCode + " " + r.StatusReason + " " + r.Headers.GetValueOrDefault("X-From", "")
                + " " + r.Body.As<string>(preserveContent: true) + " " + r.Body.As<string>() + "|" + r.Body.As<string>();
        }" />"#;
        let (ran, _) = run(Section::Inbound, &format!("{policy}{read}"), "");
        let text = ran.context.variables.get("text").unwrap().to_text().into_owned();
        assert_eq!(text, "201 Created other hello hello|");
    }

    #[test]
    fn a_copy_takes_method_url_headers_and_body() {
        let (_, requests) = run(
            Section::Inbound,
            &format!("<set-body>the body</set-body>{}", send(r#"mode="copy""#, "")),
            "PUT /orders/1?x=y\nx-a: 1\nhost: gateway\nconnection: close\ntransfer-encoding: chunked",
        );
        let sent = &requests[0];
        assert_eq!(sent.method, "PUT");
        assert_eq!(sent.uri, "https://backend.example/orders/1?x=y");
        assert_eq!(sent.body, "the body");
        let names: Vec<&str> = sent.headers.keys().map(http::HeaderName::as_str).collect();
        assert_eq!(names, ["x-a"]);
    }

    #[test]
    fn the_children_change_the_copy() {
        let children = r#"<set-url>https://o.example/</set-url><set-method>PATCH</set-method>
            <set-header name="x-a" exists-action="append"><value>2</value></set-header><set-body>new</set-body>"#;
        let (_, requests) =
            run(Section::Inbound, &send(r#"mode="@("copy")""#, children), "PUT /\nx-a: 1");
        let sent = &requests[0];
        assert_eq!((sent.method.as_str(), &*sent.body), ("PATCH", b"new".as_slice()));
        assert_eq!(
            (sent.uri.host(), &sent.headers["x-a"]),
            (Some("o.example"), &HeaderValue::from_static("1,2"))
        );
    }

    #[test]
    fn in_outbound_a_copy_has_no_body() {
        let (_, requests) = run(Section::Outbound, &send(r#"mode="copy""#, ""), "PUT /");
        assert!(requests[0].body.is_empty());
        assert_eq!(requests[0].headers["content-length"], "0");
    }

    #[test]
    fn without_a_response_it_fails_or_goes_on_with_null() {
        let run = |attributes: &str, url: &str| {
            let policy = send(attributes, &format!("<set-url>{url}</set-url>"));
            Trial::inbound(&policy).run("")
        };
        for (url, reason) in [
            ("https://o.example", "BackendConnectionFailure"),
            (r#"@("no url")"#, "ExpressionValueEvaluationFailure"),
        ] {
            let ran = run("", url);
            assert_eq!(ran.outcome, format!("500 - ({reason})"));
            assert!(!ran.context.variables.contains("r"));
            let ran = run(r#"ignore-error="true""#, url);
            assert_eq!(ran.outcome, "next");
            assert!(ran.context.variables.get("r").unwrap().is_null());
        }
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        let with = |attributes: &str, children: &str| {
            let trial = Trial::inbound(&send(attributes, children));
            trial.problems()
        };
        const URL: &str = "<set-url>https://o</set-url><set-method>GET</set-method>";
        for (attributes, children, codes) in [
            ("", URL, "fine"),
            ("", "", "PC0406"),
            (r#"mode="@("new")""#, "", "PC0406"),
            (r#"mode="@(context.Api.Id)""#, "", "fine"),
            (r#"mode="copy""#, "", "fine"),
            ("", "<set-url>https://o</set-url>", "PC0422"),
            ("", "<set-url>/relative</set-url><set-method>GET</set-method>", "PC0409"),
            ("", "<set-url>https://o</set-url><set-method>G T</set-method>", "PC0409"),
            (r#"mode="clone""#, URL, "PC0409"),
            (r#"timeout="soon""#, URL, "PC0409"),
            (r#"ignore-error="perhaps""#, URL, "PC0409"),
            (r#"ignore-error="@(true)""#, URL, "PC0411"),
            (r#"retries="1""#, URL, "PC0403"),
            (
                r#"mode="copy""#,
                "<set-query-parameter name='a'><value>1</value></set-query-parameter>",
                "PC0405",
            ),
            (r#"mode="copy""#, r#"<authentication-certificate thumbprint="x" />"#, "fine"),
            (r#"mode="copy""#, r#"<proxy url="http://p:1" />"#, "fine"),
            (r#"mode="copy""#, "<set-body>1</set-body><set-body>2</set-body>", "PC0407"),
        ] {
            assert_eq!(with(attributes, children), codes, "{attributes} {children}");
        }
    }
}
