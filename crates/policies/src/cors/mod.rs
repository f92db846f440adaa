//! `<cors>`: tells browsers which pages may call the API.
//!
//! A preflight is answered here, before the subscription key is looked at and without any other
//! policy (`pipeline::preflight`). An ordinary request with an allowed `Origin` goes on, and
//! every response that it may get is stamped with the headers; one with another origin ends with
//! an empty 200, or goes on without headers, as the policy says.
//!
//! Only the origin decides about ordinary requests: browsers ask before they use a method or a
//! header that is not allowed. Of several such policies the first that matches counts.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cors-policy>,
//! <https://fetch.spec.whatwg.org/#http-cors-protocol>

mod origin;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow, Immediate,
    PolicyError, PolicyKind, Response, Scopes, Sections, Step, Unfit, ValueType, codes,
};

use origin::Origin;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "cors",
    summary: "Tells browsers which pages may call the API, and answers their preflights.",
    sections: Sections::INBOUND.once(),
    scopes: Scopes::ALL,
    attrs: &[CREDENTIALS, TERMINATE],
    children: &[ALLOWED_ORIGINS, ALLOWED_METHODS, ALLOWED_HEADERS, EXPOSE_HEADERS],
    compile,
};

const CREDENTIALS: Attr = Attr::optional("allow-credentials", "false")
    .expressions()
    .doc("Whether cookies and other credentials may be sent.");
const TERMINATE: Attr = Attr::optional("terminate-unmatched-request", "true")
    .expressions()
    .doc("Whether a request of another origin ends with an empty 200.");
const ALLOWED_ORIGINS: Child =
    Child::required("allowed-origins").children(&[ORIGIN_CHILD]).doc("Pages that may call.");
const ORIGIN_CHILD: Child =
    Child::one_or_more("origin").expressions().doc("Scheme, host and port, or `*`.");
const ALLOWED_METHODS: Child = Child::optional("allowed-methods")
    .children(&[METHOD])
    .attrs(&[MAX_AGE])
    .doc("Methods; GET and POST if absent.");
const MAX_AGE: Attr = Attr::optional("preflight-result-max-age", "0")
    .expressions()
    .doc("How many seconds a browser may keep the answer to a preflight.")
    .of(ValueType::Integer);
const METHOD: Child = Child::one_or_more("method").expressions().doc("A method, or `*`.");
const ALLOWED_HEADERS: Child =
    Child::optional("allowed-headers").children(&[HEADER]).doc("Headers that requests may have.");
const EXPOSE_HEADERS: Child =
    Child::optional("expose-headers").children(&[HEADER]).doc("Headers that scripts may read.");
const HEADER: Child = Child::one_or_more("header").expressions().doc("A header, or `*`.");

/// The headers of the protocol that responses have.
const ANSWERS: [HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

#[derive(Debug)]
struct Cors {
    credentials: Computed<bool>,
    terminate: Computed<bool>,
    origins: Vec<Computed<Origin>>,
    methods: Vec<Computed<Word>>,
    max_age: Computed<u32>,
    headers: Vec<Computed<Word>>,
    exposed: Vec<Computed<Word>>,
}

/// A method or the name of a header: a token.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word(String);

/// Kept with the request once a policy has matched: later ones have no say.
#[derive(Clone, Copy, Debug)]
struct Matched;

/// An origin that may call, as the answer names it.
struct Allowed {
    /// `*`, or what the request has.
    shown: HeaderValue,
    credentials: bool,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    if !cx.is_direct() {
        let message = "`cors` inside of another policy does not answer preflights";
        cx.report(
            Diagnostic::warning(codes::NO_EFFECT, element.span(), message)
                .label("put it directly into `inbound`"),
        );
    }
    if element.child(&ALLOWED_HEADERS).is_none() {
        let message = "`cors` should have the element `allowed-headers`";
        cx.report(
            Diagnostic::warning(codes::MISSING_EXPECTED, element.span(), message)
                .label("requests with headers of their own are refused"),
        );
    }
    let credentials: Computed<bool> = cx.attr(element, &CREDENTIALS)?;
    let mut origins: Vec<Computed<Origin>> = Vec::new();
    for it in element.child(&ALLOWED_ORIGINS).iter().flat_map(|it| it.children(&ORIGIN_CHILD)) {
        let origin = cx.text(it)?;
        check_origin(it, origin.as_literal(), credentials.as_literal() == Some(&true), cx);
        origins.push(origin);
    }
    let methods = element.child(&ALLOWED_METHODS);
    let max_age = match methods {
        Some(methods) => cx.attr(methods, &MAX_AGE)?,
        None => Computed::literal(0),
    };
    let methods = match methods {
        Some(_) => words(methods, &METHOD, cx)?,
        None => ["GET", "POST"].map(|it| Computed::literal(Word(it.to_owned()))).into(),
    };
    let cors = Cors {
        terminate: cx.attr(element, &TERMINATE)?,
        headers: words(element.child(&ALLOWED_HEADERS), &HEADER, cx)?,
        exposed: words(element.child(&EXPOSE_HEADERS), &HEADER, cx)?,
        credentials,
        origins,
        methods,
        max_age,
    };
    Ok(Step::immediate(cors).answering_preflights())
}

/// Warns of an origin that matches nothing, and of one that matches too much.
fn check_origin(
    element: Element<'_>,
    origin: Option<&Origin>,
    has_credentials: bool,
    cx: &mut CompileCx,
) {
    let problem = match origin {
        Some(Origin::Nothing) => Diagnostic::warning(
            codes::NO_EFFECT,
            element.span(),
            "`origin` matches no request: it is not scheme, host and port",
        )
        .label("such as `https://contoso.com`; there are no patterns"),
        Some(Origin::Any) if has_credentials => Diagnostic::warning(
            codes::TOO_PERMISSIVE,
            element.span(),
            "any page may call with the credentials of its visitors",
        )
        .label("name the origins, or leave `allow-credentials` out"),
        _ => return,
    };
    cx.report(problem);
}

fn words(
    parent: Option<Element<'_>>,
    child: &Child,
    cx: &mut CompileCx,
) -> Result<Vec<Computed<Word>>, Diagnostic> {
    parent.iter().flat_map(|it| it.children(child)).map(|it| cx.text(it)).collect()
}

impl Immediate for Cors {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let is_skipped = !context.request.headers.contains_key(ORIGIN)
            || context.request.extensions.get::<Matched>().is_some()
            || context.operation.as_ref().is_some_and(|it| it.is_websocket);
        if is_skipped {
            return Ok(Flow::Next);
        }
        let Some(allowed) = self.allowed(context)? else {
            if self.terminate.get(context)? {
                context.set_response(Response::new(StatusCode::OK));
                return Ok(Flow::End);
            }
            return Ok(Flow::Next);
        };
        let exposed = list(&self.exposed, context)?;
        let exposed = (!exposed.is_empty()).then(|| value(&exposed.join(","))).transpose()?;
        context.request.extensions.insert(Matched);
        context.stamp_responses(move |headers| {
            allowed.stamp(headers);
            if let Some(exposed) = &exposed {
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
            }
        });
        Ok(Flow::Next)
    }

    fn preflight(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        match self.preflight_headers(context)? {
            Some(headers) => {
                context.set_response(Response { headers, ..Response::new(StatusCode::OK) });
                Ok(Flow::End)
            }
            None if self.terminate.get(context)? => Ok(Flow::End),
            None => Ok(Flow::Next),
        }
    }
}

impl Cors {
    /// The origin of the request, if it may call.
    fn allowed(&self, context: &Context) -> Result<Option<Allowed>, PolicyError> {
        let mut origins = context.request.headers.get_all(ORIGIN).into_iter();
        let (Some(shown), None) = (origins.next(), origins.next()) else { return Ok(None) };
        let Some(caller) = shown.to_str().ok().and_then(origin::normal) else { return Ok(None) };
        let credentials = self.credentials.get(context)?;
        let mut is_any = false;
        for allowed in &self.origins {
            match &*allowed.borrow(context)? {
                Origin::One(it) if *it == caller => {
                    return Ok(Some(Allowed { shown: shown.clone(), credentials }));
                }
                Origin::Any => is_any = true,
                Origin::One(_) | Origin::Nothing => {}
            }
        }
        // Browsers refuse `*` together with credentials.
        let any = if credentials { shown.clone() } else { HeaderValue::from_static("*") };
        Ok(is_any.then_some(Allowed { shown: any, credentials }))
    }

    /// The headers that answer a preflight; none if it does not match.
    fn preflight_headers(&self, context: &Context) -> Result<Option<HeaderMap>, PolicyError> {
        let Some(allowed) = self.allowed(context)? else { return Ok(None) };
        let Some(method) = context.request.header_values(ACCESS_CONTROL_REQUEST_METHOD).next()
        else {
            return Ok(None);
        };
        let methods = list(&self.methods, context)?;
        let methods = match methods.iter().any(|it| it == "*") {
            true => method.to_owned(),
            false if methods.iter().any(|it| it == method) => methods.join(","),
            false => return Ok(None),
        };
        let requested: Vec<&str> = context
            .request
            .header_values(ACCESS_CONTROL_REQUEST_HEADERS)
            .flat_map(|it| it.split(','))
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .collect();
        let listed = list(&self.headers, context)?;
        let is_any = listed.iter().any(|it| it == "*");
        let is_listed = |name: &&str| listed.iter().any(|it| it.eq_ignore_ascii_case(name));
        if !is_any && !requested.iter().all(is_listed) {
            return Ok(None);
        }
        let mut headers = HeaderMap::new();
        allowed.stamp(&mut headers);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, value(&methods)?);
        let names = if is_any { requested.join(",") } else { listed.join(",") };
        if !names.is_empty() {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, value(&names)?);
        }
        let max_age = self.max_age.get(context)?;
        headers.insert(ACCESS_CONTROL_MAX_AGE, max_age.into());
        Ok(Some(headers))
    }
}

impl Allowed {
    /// Replaces what the backend said of the same.
    fn stamp(&self, headers: &mut HeaderMap) {
        for name in &ANSWERS {
            headers.remove(name);
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.shown.clone());
        if self.credentials {
            let yes = HeaderValue::from_static("true");
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
        let varies = headers
            .get_all(VARY)
            .iter()
            .filter_map(|it| it.to_str().ok())
            .flat_map(|it| it.split(','))
            .any(|it| it.trim() == "*" || it.trim().eq_ignore_ascii_case("origin"));
        if self.shown != "*" && !varies {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
    }
}

fn list(words: &[Computed<Word>], context: &Context) -> Result<Vec<String>, PolicyError> {
    words.iter().map(|it| it.get(context).map(|it| it.0)).collect()
}

fn value(text: &str) -> Result<HeaderValue, PolicyError> {
    HeaderValue::from_str(text)
        .map_err(|_| PolicyError::evaluation("A header of the answer has a bad value."))
}

impl Convert for Word {
    fn from_text(text: &str) -> Result<Word, Unfit> {
        let text = text.trim();
        let is_token = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err(Unfit::wanted("a method or header name, or `*`").got(text));
        }
        Ok(Word(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Trial, problems};

    fn policy(attributes: &str, origins: &str, more: &str) -> String {
        format!(
            "<cors {attributes}><allowed-origins>{origins}</allowed-origins>\
             <allowed-headers><header>*</header></allowed-headers>{more}</cors>"
        )
    }

    const CONTOSO: &str = "<origin>https://contoso.com</origin>";

    #[test]
    fn an_origin_that_is_not_listed_ends_with_an_empty_200_unless_told_otherwise() {
        let run = |attributes: &str, request: &str| {
            Trial::inbound(&policy(attributes, CONTOSO, "")).run(request).outcome
        };
        assert_eq!(run("", ""), "next");
        assert_eq!(run("", "origin: https://contoso.com"), "next");
        assert_eq!(run("", "origin: https://other.test"), "end 200");
        assert_eq!(run("", "origin: https://contoso.com\norigin: https://contoso.com"), "end 200");
        assert_eq!(
            run("terminate-unmatched-request='false'", "origin: https://other.test"),
            "next"
        );
    }

    #[test]
    fn every_response_of_a_matching_request_is_stamped() {
        let expose = "<expose-headers><header>x-a</header><header>x-b</header></expose-headers>";
        let mut context = Trial::inbound(&policy("allow-credentials='true'", CONTOSO, expose))
            .run("origin: https://contoso.com")
            .context;
        let mut backends = Response::new(StatusCode::OK);
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-max-age", "9"),
            ("vary", "accept"),
        ] {
            backends.headers.insert(name, value.parse().unwrap());
        }
        context.set_response(backends);
        let headers = &context.response.as_ref().unwrap().headers;
        let shown: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        assert_eq!(shown.len(), 5, "{shown:?}");
        for line in [
            "access-control-allow-origin: https://contoso.com",
            "access-control-allow-credentials: true",
            "access-control-expose-headers: x-a,x-b",
            "vary: accept",
            "vary: Origin",
        ] {
            assert!(shown.iter().any(|it| it == line), "{line} in {shown:?}");
        }
    }

    #[test]
    fn a_star_is_shown_only_without_credentials() {
        let shown = |attributes: &str| {
            let mut context = Trial::inbound(&policy(attributes, "<origin>*</origin>", ""))
                .run("origin: https://any.test")
                .context;
            let headers = &context.response_mut().headers;
            let origin = headers[ACCESS_CONTROL_ALLOW_ORIGIN].to_str().unwrap().to_owned();
            (origin, headers.contains_key(VARY))
        };
        assert_eq!(shown(""), ("*".to_owned(), false));
        assert_eq!(shown("allow-credentials='true'"), ("https://any.test".to_owned(), true));
    }

    #[test]
    fn what_is_written_is_checked_when_it_loads() {
        let origins = |origins: &str| problems(&policy("", origins, ""));
        assert_eq!(origins(CONTOSO), "fine");
        assert_eq!(origins(""), "PC0406");
        assert_eq!(origins("<origin>contoso.com</origin>"), "PC0431");
        assert_eq!(origins("<origin>https://*.contoso.com</origin>"), "PC0431");
        assert_eq!(
            problems(&policy("allow-credentials='true'", "<origin>*</origin>", "")),
            "PC0412"
        );
        let more = |more: &str| problems(&policy("", CONTOSO, more));
        assert_eq!(more("<allowed-methods/>"), "PC0406");
        assert_eq!(more("<allowed-methods><method>a b</method></allowed-methods>"), "PC0409");
        assert_eq!(
            more(
                "<allowed-methods preflight-result-max-age='-1'><method>*</method></allowed-methods>"
            ),
            "PC0409"
        );
        let bare = "<cors><allowed-origins><origin>*</origin></allowed-origins></cors>";
        assert_eq!(problems(bare), "PC0422");
    }

    #[test]
    fn a_second_one_and_one_that_is_nested_are_warnings() {
        let one = policy("", CONTOSO, "");
        assert_eq!(problems(&format!("{one}{one}")), "PC0430");
        assert_eq!(
            problems(&format!("<choose><when condition='@(true)'>{one}</when></choose>")),
            "PC0431"
        );
    }
}
