//! A request in the making: the elements that `send-request` and its like share.

use http::header::{CONTENT_LENGTH, EXPECT, HOST};
use http::{HeaderMap, HeaderValue, Method, Uri};
use pipeline::{
    Attr, Blame, Body, Child, CompileCx, Computed, Context, Diagnostic, Element, Message,
    PolicyError, Response, Seconds, Section, Steps, ValueType, codes, connection_failure,
    is_hop_by_hop, words,
};

use transport::{ClientIdentity, Proxy};

use super::call::Call;
use super::url::CallUrl;

pub(crate) const MODE: Attr = Attr::optional("mode", "new")
    .expressions()
    .one_of(Mode::WORDS)
    .doc("Whether the request starts empty or as a copy of the one at hand.");
pub(crate) const TIMEOUT: Attr = Attr::optional("timeout", "60")
    .expressions()
    .doc("Longest wait for the whole response, in seconds; 0: no bound of its own.")
    .of(ValueType::Seconds);
pub(crate) const SET_URL: Child = Child::optional("set-url").expressions().doc("Absolute URL.");
pub(crate) const SET_METHOD: Child = Child::optional("set-method").expressions().doc("Method.");
pub(crate) const SET_HEADER: Child = Child::repeated("set-header").as_policy().doc("Headers.");
pub(crate) const SET_BODY: Child = Child::optional("set-body").as_policy().doc("Body.");
pub(crate) const AUTHENTICATION_CERTIFICATE: Child =
    Child::optional("authentication-certificate").as_policy().doc("Client certificate.");
pub(crate) const AUTHENTICATION_MANAGED_IDENTITY: Child =
    Child::optional("authentication-managed-identity").as_policy().doc("Token to send.");
pub(crate) const PROXY: Child = Child::optional("proxy").as_policy().doc("Proxy.");

/// The children that are policies and work on the request that is made.
const POLICIES: &[Child] =
    &[SET_HEADER, SET_BODY, AUTHENTICATION_CERTIFICATE, AUTHENTICATION_MANAGED_IDENTITY, PROXY];
words! {
    enum Mode {
        New = "new",
        Copy = "copy",
    }
}

/// What the element says of the request.
#[derive(Debug)]
pub(crate) struct Draft {
    mode: Computed<Mode>,
    url: Option<Computed<CallUrl>>,
    method: Option<Computed<Method>>,
    timeout: Computed<Seconds>,
    steps: Steps,
    /// Whether the request at hand still has its body here.
    has_request_body: bool,
    sets_body: bool,
}

impl Draft {
    /// Reads the element; its attributes include [`MODE`] and [`TIMEOUT`].
    pub(crate) fn compile(
        element: Element<'_>,
        cx: &mut CompileCx<'_>,
    ) -> Result<Draft, Diagnostic> {
        let mode: Computed<Mode> = cx.attr(element, &MODE)?;
        let url = element.child(&SET_URL).map(|it| cx.text(it)).transpose()?;
        let method = element.child(&SET_METHOD).map(|it| cx.text(it)).transpose()?;
        if mode.as_literal() == Some(&Mode::New) {
            if url.is_none() {
                let message = format!("`{}` needs a `set-url` element", element.name());
                return Err(cx
                    .refuse(element, codes::MISSING_CHILD, message)
                    .label("a new request has no URL of its own"));
            }
            if method.is_none() {
                let message = format!("`{}` should have a `set-method` element", element.name());
                cx.report(
                    Diagnostic::warning(codes::MISSING_EXPECTED, element.span(), message)
                        .label("`GET` is assumed"),
                );
            }
        }
        Ok(Draft {
            mode,
            url,
            method,
            timeout: cx.attr(element, &TIMEOUT)?,
            has_request_body: matches!(cx.section(), Section::Inbound | Section::Backend),
            sets_body: element.child(&SET_BODY).is_some(),
            steps: cx.steps_of(element, POLICIES, Message::Draft)?,
        })
    }

    /// Makes the request from the context, evaluating all expressions.
    ///
    /// A child that fails is a failure of the whole element.
    pub(crate) async fn make(&self, context: &mut Context) -> Result<Call, PolicyError> {
        let is_copy = self.mode.get(context)? == Mode::Copy;
        let timeout = self.timeout.get(context)?.0;
        let method = match &self.method {
            Some(method) => method.get(context)?,
            None if is_copy => context.request.method.clone(),
            None => Method::GET,
        };
        let uri = self.uri(context, is_copy)?;
        // Only headers and body of it count.
        let mut draft = Response::default();
        if is_copy {
            draft.headers = self.copied_headers(context);
            draft.body = self.copied_body(context).await?;
        }
        context.draft = Some(draft);
        let outcome = self.steps.run(context).await;
        let draft = context.draft.take().unwrap_or_default();
        outcome.map_err(PolicyError::without_place)?;
        let identity = draft.extensions.get::<ClientIdentity>().cloned();
        let proxy = draft.extensions.get::<Proxy>().cloned();
        let request = request(method, uri, draft)?;
        let call = Call::new(request, Some(timeout).filter(|it| !it.is_zero()), &context.services);
        Ok(call.within(context).presenting(identity).through(proxy))
    }

    fn uri(&self, context: &Context, is_copy: bool) -> Result<Uri, PolicyError> {
        match &self.url {
            Some(url) => Ok(url.get(context)?.0),
            None if is_copy => context.request.url.to_string().parse().map_err(|_| {
                connection_failure("The request's URL cannot be called.")
                    .blame(Blame::Configuration)
            }),
            None => Err(PolicyError::evaluation("A new request needs a `set-url` element.")),
        }
    }

    /// The headers that do not belong to the connection, to the old body or to the old host.
    fn copied_headers(&self, context: &Context) -> HeaderMap {
        let keeps_host = context.request.host_is_set && self.url.is_none();
        let keeps_length_apart = [CONTENT_LENGTH, EXPECT];
        let headers = context.request.headers.iter().filter(|(name, _)| {
            !is_hop_by_hop(name)
                && !keeps_length_apart.contains(name)
                && (keeps_host || **name != HOST)
        });
        headers.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    async fn copied_body(&self, context: &mut Context) -> Result<Body, PolicyError> {
        if !self.has_request_body || self.sets_body || !context.request.body.is_present() {
            return Ok(Body::absent());
        }
        context.buffer(expr::Uses::REQUEST_BODY).await?;
        context.request.body.as_bytes().map(Body::bytes).ok_or_else(|| {
            connection_failure("The request body was sent before and is gone.")
                .blame(Blame::Configuration)
        })
    }
}

/// The request to send.
pub(crate) fn request(
    method: Method,
    uri: Uri,
    mut draft: Response,
) -> Result<transport::Request, PolicyError> {
    let gone = |_| connection_failure("The body of the call is gone.");
    let body = draft.body.send().map_err(gone)?;
    let is_empty = body.as_bytes().is_some_and(|it| it.is_empty());
    if is_empty && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
        draft.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let mut request = transport::Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = draft.headers;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(method: Method, body: Body) -> transport::Request {
        let uri = "https://h/".parse().unwrap();
        request(method, uri, Response { body, ..Response::default() }).unwrap()
    }

    #[test]
    fn a_method_that_wants_a_body_says_that_there_is_none() {
        for (method, body, expected) in [
            (Method::POST, Body::absent(), Some("0")),
            (Method::PUT, Body::bytes(""), Some("0")),
            (Method::POST, Body::bytes("x"), None),
            (Method::GET, Body::absent(), None),
        ] {
            let request = made(method, body);
            let length = request.headers().get(CONTENT_LENGTH).map(|it| it.to_str().unwrap());
            assert_eq!(length, expected, "{}", request.method());
        }
    }
}
