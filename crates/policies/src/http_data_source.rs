//! `<http-data-source>`: the value of a GraphQL field from an HTTP service.
//!
//! It is the document of a resolver, or stands in `set-graphql-resolver`. `http-request` makes the
//! request: nothing of the client's request is sent unless a child sets it. Expressions see the
//! client's request, its body with the arguments of the field added. The response, as `http-response`
//! leaves it, is the field's value: JSON, or else a text.
//!
//! A status of 400 and more is an error of the field, unless `http-response` makes a body of it.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/http-data-source-policy>

use std::sync::Arc;

use http::header::HOST;
use http::{Method, StatusCode, Uri};
use pipeline::url::BaseUrl;
use pipeline::{
    Blame, Body, Child, CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow,
    ForwardCall, Message, PolicyError, PolicyKind, RequestUrl, Response, Scopes, Section, Sections,
    Step, Steps, Waiting, codes,
};
use transport::ClientIdentity;

use crate::outgoing::{AUTHENTICATION_CERTIFICATE, CallUrl, SET_BODY, SET_HEADER};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "http-data-source",
    summary: "Finds the value of a GraphQL field by an HTTP request.",
    sections: Sections::NONE,
    scopes: Scopes::ALL,
    attrs: &[],
    children: &[HTTP_REQUEST, BACKEND, HTTP_RESPONSE],
    compile,
};

const HTTP_REQUEST: Child =
    Child::required("http-request").children(IN_REQUEST).doc("The request to the data source.");
const BACKEND: Child =
    Child::optional("backend").children(IN_BACKEND).doc("How the request is sent.");
const HTTP_RESPONSE: Child = Child::optional("http-response")
    .children(IN_RESPONSE)
    .doc("What is made of the response; without it the response is the value.");

const AUTHORIZATION_CONTEXT: Child =
    Child::optional("get-authorization-context").as_policy().doc("Token of another service.");
const BACKEND_SERVICE: Child = Child::optional("set-backend-service")
    .as_policy()
    .doc("Backend that the request goes to; path and query are those of `set-url`.");
const FRAGMENT: Child =
    Child::repeated("include-fragment").as_policy().doc("Policies of a fragment.");
const METHOD: Child = Child::optional("set-method").expressions().doc("Method.");
const URL: Child = Child::required("set-url")
    .expressions()
    .doc("URL; a path is enough beside `set-backend-service`.");
const MANAGED_IDENTITY: Child = Child::optional("authentication-managed-identity")
    .as_policy()
    .doc("Token of the gateway's identity.");
const FORWARD_REQUEST: Child =
    Child::optional("forward-request").as_policy().doc("Time-outs and the like of the call.");
const XML_TO_JSON: Child = Child::optional("xml-to-json").as_policy().doc("From XML.");
const JSON_TO_XML: Child = Child::optional("json-to-xml").as_policy().doc("To XML.");
const FIND_AND_REPLACE: Child =
    Child::repeated("find-and-replace").as_policy().doc("Replaces texts.");
const PUBLISH_EVENT: Child = Child::optional("publish-event").as_policy().doc("Tells subscribers.");

const IN_REQUEST: &[Child] = &[
    AUTHORIZATION_CONTEXT,
    BACKEND_SERVICE,
    FRAGMENT,
    METHOD,
    URL,
    SET_HEADER,
    SET_BODY,
    AUTHENTICATION_CERTIFICATE,
    MANAGED_IDENTITY,
];
/// The children of the request that are policies.
const REQUEST_POLICIES: &[Child] = &[
    AUTHORIZATION_CONTEXT,
    BACKEND_SERVICE,
    FRAGMENT,
    SET_HEADER,
    SET_BODY,
    AUTHENTICATION_CERTIFICATE,
    MANAGED_IDENTITY,
];
const IN_BACKEND: &[Child] = &[FORWARD_REQUEST];
const IN_RESPONSE: &[Child] =
    &[SET_BODY, XML_TO_JSON, JSON_TO_XML, FIND_AND_REPLACE, PUBLISH_EVENT, FRAGMENT];

#[derive(Debug)]
struct HttpDataSource {
    method: Option<Computed<Method>>,
    url: Computed<String>,
    request: Steps,
    /// Empty: the request is sent as `forward-request` without attributes does.
    backend: Steps,
    response: Steps,
    /// Whether the response's policies may make a value of an error of the data source.
    handles_errors: bool,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let Some(request) = element.child(&HTTP_REQUEST) else {
        let message = "`http-data-source` needs an `http-request` element";
        return Err(cx.refuse(element, codes::MISSING_CHILD, message));
    };
    let method = request.child(&METHOD).map(|it| cx.text(it)).transpose()?;
    if method.is_none() {
        cx.report(
            Diagnostic::warning(
                codes::MISSING_EXPECTED,
                request.span(),
                "`http-request` should have a `set-method` element",
            )
            .label("`GET` is assumed"),
        );
    }
    let Some(at) = request.child(&URL) else {
        let message = "`http-request` needs a `set-url` element";
        return Err(cx.refuse(request, codes::MISSING_CHILD, message));
    };
    let url: Computed<String> = cx.text(at)?;
    let has_base = request.child(&BACKEND_SERVICE).is_some() || request.child(&FRAGMENT).is_some();
    if let Some(text) = url.as_literal()
        && let Err(unfit) = Target::from_text(text)
    {
        return Err(cx.refuse(at, codes::BAD_VALUE, format!("`set-url`: {unfit}")));
    }
    if url.as_literal().is_some_and(|it| it.starts_with('/')) && !has_base {
        let message = "`set-url` is a path, and there is no `set-backend-service` beside it";
        return Err(cx.refuse(at, codes::BAD_VALUE, message).label("write an absolute URL"));
    }
    let draft = Message::Draft;
    let steps = cx.steps_in(request, REQUEST_POLICIES, Section::Inbound, draft)?;
    let backend = match element.child(&BACKEND) {
        Some(it) => cx.steps_in(it, IN_BACKEND, Section::Backend, Message::Request)?,
        None => Steps::default(),
    };
    let (response, handles_errors) = match element.child(&HTTP_RESPONSE) {
        Some(it) => {
            let handles = it.child(&SET_BODY).is_some() || it.child(&FRAGMENT).is_some();
            (cx.steps_in(it, IN_RESPONSE, Section::Outbound, Message::Response)?, handles)
        }
        None => (Steps::default(), false),
    };
    let source = HttpDataSource { method, url, request: steps, backend, response, handles_errors };
    Ok(Step::waiting(source))
}

/// Where a request goes: an absolute URL, or a path below the base that a policy has chosen.
#[derive(Clone, Debug)]
struct Target(Uri);

impl Convert for Target {
    fn from_text(text: &str) -> Result<Target, pipeline::Unfit> {
        let text = text.trim();
        if !text.starts_with('/') {
            return CallUrl::from_text(text).map(|it| Target(it.0));
        }
        // Encoded as the path of an absolute URL is.
        let absolute = CallUrl::from_text(&format!("http://path{text}"))?;
        let path = absolute.0.path_and_query().map_or("/", |it| it.as_str());
        let unfit = || pipeline::Unfit::wanted("a URL or a path");
        path.parse().map(Target).map_err(|_| unfit())
    }
}

impl HttpDataSource {
    /// Turns the context's request into the one to the data source.
    async fn make(&self, context: &mut Context) -> Result<(), PolicyError> {
        let before = Arc::clone(context.request.url.base());
        context.draft = Some(Response::default());
        let outcome = self.request.run(context).await;
        let draft = context.draft.take().unwrap_or_default();
        outcome?;
        let method = match &self.method {
            Some(method) => method.get(context)?,
            None => Method::GET,
        };
        let text = self.url.get(context)?;
        let target = Target::from_text(&text)
            .map_err(|unfit| PolicyError::evaluation(format_args!("`set-url`: {unfit}")))?;
        let chosen = Arc::clone(context.request.url.base());
        let has_chosen = context.backend().is_some() || !Arc::ptr_eq(&before, &chosen);
        let base = match (has_chosen, origin(&target.0)) {
            (true, _) => chosen,
            (false, Some(origin)) => Arc::new(origin),
            (false, None) => {
                return Err(PolicyError::evaluation(
                    "`set-url` is a path, and no policy has chosen a backend.",
                ));
            }
        };
        let request = &mut context.request;
        request.url = RequestUrl::new(base, target.0.path(), target.0.query().unwrap_or(""));
        request.method = method;
        request.host_is_set = draft.headers.contains_key(HOST);
        request.headers = draft.headers;
        request.body = draft.body;
        if let Some(identity) = draft.extensions.get::<ClientIdentity>() {
            request.extensions.insert(identity.clone());
        }
        Ok(())
    }
}

/// Scheme, host and port of an absolute URL.
fn origin(uri: &Uri) -> Option<BaseUrl> {
    let (scheme, host) = (uri.scheme_str()?, uri.host()?);
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    Some(BaseUrl::origin(scheme, host, port))
}

impl Waiting for HttpDataSource {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.make(context).await?;
        if self.backend.is_empty() {
            let forward = Arc::clone(&context.services.forward);
            forward.forward(context, ForwardCall::default()).await?;
        } else {
            self.backend.run(context).await?;
        }
        let status = context.response.as_ref().map_or(StatusCode::OK, |it| it.status);
        if status.as_u16() >= 400 && !self.handles_errors {
            let text = format!("The data source answered {}.", status.as_u16());
            return Err(PolicyError::new("BackendErrorStatusCode", text.clone())
                .respond(StatusCode::BAD_GATEWAY, text)
                .blame(Blame::Backend));
        }
        if context.response.as_ref().is_some_and(|it| !it.body.is_present()) {
            context.set_body(Message::Response, Body::bytes(""));
        }
        self.response.run(context).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Trial;

    fn problems(children: &str) -> String {
        let policy = format!(
            r#"<set-graphql-resolver parent-type="Query" field="a"><http-data-source>{children}</http-data-source></set-graphql-resolver>"#
        );
        Trial::of(Section::Backend, &policy).problems()
    }

    #[test]
    fn a_target_is_a_url_or_a_path() {
        for (text, expected) in [
            (" https://h/a?b=c#d ", Some("https://h/a?b=c")),
            ("/a b?c=é", Some("/a%20b?c=%C3%A9")),
            ("a", None),
            ("", None),
            ("ftp://h/", None),
        ] {
            let got = Target::from_text(text).ok().map(|it| it.0.to_string());
            assert_eq!(got.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        const URL: &str = "<set-method>GET</set-method><set-url>https://h/</set-url>";
        let request = |inner: &str| format!("<http-request>{inner}</http-request>");
        for (children, codes) in [
            (request(URL), "fine"),
            (String::new(), "PC0406"),
            (request("<set-url>https://h/</set-url>"), "PC0422"),
            (request("<set-method>GET</set-method>"), "PC0406"),
            (request("<set-method>GET</set-method><set-url>/a</set-url>"), "PC0409"),
            (request("<set-method>GET</set-method><set-url>h/a</set-url>"), "PC0409"),
            (
                request(
                    r#"<set-backend-service base-url="https://b" /><set-method>GET</set-method><set-url>/a</set-url>"#,
                ),
                "fine",
            ),
            (request(&format!("{URL}<set-status code=\"200\" />")), "PC0405"),
            (
                request(&format!("{URL}<set-body>@(context.GraphQL.Arguments[\"a\"])</set-body>")),
                "fine",
            ),
            (
                format!("{}<backend><forward-request timeout=\"5\" /></backend>", request(URL)),
                "fine",
            ),
            (format!("{}<backend><retry /></backend>", request(URL)), "PC0405"),
            (format!("{}<http-response><publish-event /></http-response>", request(URL)), "PC0406"),
            (
                format!("{}<http-response><set-body>x</set-body></http-response>", request(URL)),
                "fine",
            ),
        ] {
            assert_eq!(problems(&children), codes, "{children}");
        }
    }

    #[test]
    fn it_stands_in_resolvers_only() {
        let policy = "<http-data-source><http-request><set-method>GET</set-method>\
                      <set-url>https://h/</set-url></http-request></http-data-source>";
        assert_eq!(Trial::of(Section::Backend, policy).problems(), "PC0413");
        assert_eq!(Trial::inbound(policy).problems(), "PC0413");
    }
}
