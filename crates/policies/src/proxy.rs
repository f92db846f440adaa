//! `<proxy>`: sends the request to the backend through a proxy.
//!
//! It holds for every later call of the request to its backend; inside of `send-request`, for that
//! call alone. The proxy is spoken to in plain HTTP; hosts with TLS are reached through a tunnel.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/proxy-policy>

use pipeline::{
    Attr, CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow, Immediate, Message,
    PolicyError, PolicyKind, Scopes, Sections, Step, Unfit,
};
use transport::{BadProxy, Proxy as Server, Secret};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "proxy",
    summary: "Sends the request to the backend through a proxy.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[URL, USERNAME, PASSWORD],
    children: &[],
    compile,
};

const URL: Attr = Attr::required("url").expressions().doc("The proxy: `http://host:port`.");
const USERNAME: Attr =
    Attr::absent_by_default("username").expressions().doc("User name for the proxy.").differs(
        "Sent as Basic authentication. A proxy that asks for NTLM refuses, and the call fails.",
    );
const PASSWORD: Attr =
    Attr::absent_by_default("password").expressions().doc("Password for the proxy.");

#[derive(Debug)]
struct Proxy {
    message: Message,
    url: Computed<Url>,
    username: Option<Computed<String>>,
    password: Option<Computed<String>>,
}

/// The URL of a proxy.
#[derive(Clone, Debug)]
struct Url(String);

impl Convert for Url {
    fn from_text(text: &str) -> Result<Url, Unfit> {
        // The text may hold credentials, so it is not quoted.
        let unfit = |_| Unfit::wanted("the URL of a proxy, `http://host:port`");
        Server::new(text, None).map(|_| Url(text.to_owned())).map_err(unfit)
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::immediate(Proxy {
        message: cx.message(),
        url: cx.attr(element, &URL)?,
        username: cx.attr_if(element, &USERNAME)?,
        password: cx.attr_if(element, &PASSWORD)?,
    }))
}

impl Immediate for Proxy {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let url = self.url.get(context)?.0;
        let text =
            |it: &Option<Computed<String>>| it.as_ref().map(|it| it.get(context)).transpose();
        let (username, password) = (text(&self.username)?, text(&self.password)?);
        let password = Secret::new(password.unwrap_or_default());
        let credentials = username.as_deref().filter(|it| !it.is_empty());
        let server = Server::new(&url, credentials.map(|it| (it, &password))).map_err(
            |error: BadProxy| PolicyError::evaluation(format_args!("The proxy: {error}.")),
        )?;
        let extensions = match self.message {
            Message::Draft => &mut context.draft.get_or_insert_default().extensions,
            Message::Request | Message::Response => &mut context.request.extensions,
        };
        extensions.insert(server);
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use document::{NamedValue, NamedValues};
    use pipeline::Section;
    use transport::{Body, FakeClient, Response};

    use super::Server;
    use crate::test_support::{Trial, outcome, problems};

    #[test]
    fn the_request_goes_through_the_proxy() {
        let policy = r#"<proxy url="@("http://" + "proxy.example:8080")" username="me" password="@("hunter" + 2)" />"#;
        let ran = Trial::inbound(policy).run("");
        assert_eq!(ran.outcome, "next");
        let server = ran.context.request.extensions.get::<Server>().unwrap();
        assert_eq!(server.name(), "proxy.example:8080");
        assert!(!format!("{:?} {server:?}", ran.context).contains("hunter2"));
    }

    #[test]
    fn unquoted_named_values_are_credentials() {
        let mut trial = Trial::inbound(
            r#"<proxy url="http://p:81" username={{username}} password={{password}} />"#,
        );
        let mut values = NamedValues::new();
        values.insert("username", NamedValue::plain("me"));
        values.insert("password", NamedValue::secret("hunter2"));
        trial.named_values = values;
        let ran = trial.run("");
        let password = transport::Secret::new("hunter2");
        let expected = Server::new("http://p:81", Some(("me", &password))).unwrap();
        assert_eq!(ran.context.request.extensions.get::<Server>(), Some(&expected));
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for (attributes, expected) in [
            (r#"url="http://p""#, "fine"),
            (r#"url="https://p""#, "PC0409"),
            (r#"url="p:80""#, "fine"),
            ("", "PC0404"),
        ] {
            assert_eq!(problems(&format!("<proxy {attributes} />")), expected, "{attributes}");
        }
        assert_eq!(
            Trial::of(Section::Outbound, r#"<proxy url="http://p" />"#).problems(),
            "PC0413"
        );
        for policy in [
            r#"<proxy url="@("ftp://" + context.Request.Method)" />"#,
            r#"<proxy url="http://p" username="a:b" />"#,
        ] {
            assert_eq!(outcome(policy, ""), "500 - (ExpressionValueEvaluationFailure)");
        }
    }

    #[test]
    fn only_its_own_call_goes_through_the_proxy_of_send_request() {
        let client = FakeClient::new(|_| Ok(Response::new(Body::empty())));
        let call = |inner: &str| {
            format!(
                r#"<send-request response-variable-name="r"><set-url>https://o.example</set-url><set-method>GET</set-method>{inner}</send-request>"#
            )
        };
        let policies = format!("{}{}", call(r#"<proxy url="http://p:81" />"#), call(""));
        let trial = Trial { client: client.clone(), ..Trial::inbound(&policies) };
        let ran = trial.run("");
        assert_eq!(ran.outcome, "next");
        assert!(ran.context.request.extensions.get::<Server>().is_none());
        let names: Vec<Option<String>> = client
            .requests()
            .iter()
            .map(|it| it.options.proxy.as_ref().map(Server::name))
            .collect();
        assert_eq!(names, [Some("p:81".to_owned()), None]);
    }
}
