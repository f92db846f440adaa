//! `<send-service-bus-message>`: sends a message to a queue or topic of Azure Service Bus.
//!
//! The message goes over Service Bus' HTTPS interface, with a token of the gateway's managed
//! identity, and the policy waits until Service Bus has taken it. Properties travel in the JSON
//! form, which keeps the case of their names; HTTP headers would not. What goes wrong is an error:
//! the documentation is silent.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/send-service-bus-message-policy>,
//! <https://learn.microsoft.com/rest/api/servicebus/send-message-to-queue>

use std::sync::Arc;
use std::time::Duration;

use expr::Value;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use identity::ManagedIdentities;
use pipeline::url::encode;
use pipeline::{
    Attr, Blame, Body, Child, CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow,
    PolicyError, PolicyKind, Response, Scope, Scopes, Sections, Step, Unfit, Waiting, codes,
};

use crate::outgoing::{Call, request};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "send-service-bus-message",
    summary: "Sends a message to a queue or topic of Azure Service Bus.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND).and(Sections::ON_ERROR),
    scopes: Scopes::ALL.without(Scope::Workspace),
    attrs: &[QUEUE_NAME, TOPIC_NAME, NAMESPACE, CLIENT_ID],
    children: &[MESSAGE_PROPERTIES, PAYLOAD],
    compile,
};

const QUEUE_NAME: Attr = Attr::absent_by_default("queue-name")
    .expressions()
    .excludes(&["topic-name"])
    .doc("Queue that receives the message.");
const TOPIC_NAME: Attr =
    Attr::absent_by_default("topic-name").expressions().doc("Topic that receives the message.");
const NAMESPACE: Attr = Attr::absent_by_default("namespace")
    .expressions()
    .doc("Domain name of the Service Bus namespace; without it the policy fails.");
const CLIENT_ID: Attr = Attr::absent_by_default("client-id")
    .expressions()
    .doc("Client ID of a user-assigned identity; the system-assigned one if absent.");
const MESSAGE_PROPERTIES: Child = Child::optional("message-properties")
    .children(&[MESSAGE_PROPERTY])
    .doc("Properties of the message.");
const MESSAGE_PROPERTY: Child =
    Child::repeated("message-property").attrs(&[NAME]).expressions().doc("Value of a property.");
const NAME: Attr = Attr::required("name").expressions().doc("Name of the property.");
const PAYLOAD: Child = Child::required("payload").expressions().doc("The message.");

/// What a token of the managed identity is for.
const RESOURCE: &str = "https://servicebus.azure.net";
/// Longest wait for Service Bus.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Messages as JSON, the only form in which properties keep the case of their names.
const AS_JSON: HeaderValue = HeaderValue::from_static("application/vnd.microsoft.servicebus.json");

#[derive(Debug)]
struct SendServiceBusMessage {
    entity: Computed<String>,
    namespace: Option<Computed<Namespace>>,
    client_id: Option<Computed<String>>,
    properties: Vec<(Computed<String>, Computed<Value>)>,
    payload: Computed<Value>,
}

/// A domain name, perhaps with a port.
#[derive(Clone, Debug)]
struct Namespace(String);

impl Convert for Namespace {
    fn from_text(text: &str) -> Result<Namespace, Unfit> {
        let text = text.trim();
        let (host, port) = text.split_once(':').unwrap_or((text, "443"));
        let is_label = |it: &str| {
            !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let fits = host.split('.').all(is_label) && port.parse::<u16>().is_ok();
        let wanted = || Unfit::wanted("a domain name such as `orders.servicebus.windows.net`");
        fits.then(|| Namespace(text.to_owned())).ok_or_else(|| wanted().got(text))
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let (queue, topic) = (cx.attr_if(element, &QUEUE_NAME)?, cx.attr_if(element, &TOPIC_NAME)?);
    let Some(entity) = queue.or(topic) else {
        let message = "`send-service-bus-message` names neither a queue nor a topic";
        return Err(cx
            .refuse(element, codes::ONE_OF_ATTRIBUTES, message)
            .label("add `queue-name` or `topic-name`"));
    };
    if !element.has(&NAMESPACE) {
        let message = "`send-service-bus-message` names no `namespace`";
        let it = Diagnostic::warning(codes::MISSING_EXPECTED, element.span(), message);
        cx.report(it.label("the policy fails without it"));
    }
    let mut properties = Vec::new();
    for all in element.children(&MESSAGE_PROPERTIES) {
        for one in all.children(&MESSAGE_PROPERTY) {
            properties.push((cx.attr(one, &NAME)?, cx.text(one)?));
        }
    }
    let mut payload = Computed::literal(Value::EMPTY);
    for child in element.children(&PAYLOAD) {
        payload = cx.text(child)?;
    }
    Ok(Step::waiting(SendServiceBusMessage {
        entity,
        namespace: cx.attr_if(element, &NAMESPACE)?,
        client_id: cx.attr_if(element, &CLIENT_ID)?,
        properties,
        payload,
    }))
}

impl Waiting for SendServiceBusMessage {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let uri = self.uri(context)?;
        let (mut headers, body) = self.message(context)?;
        headers.insert(AUTHORIZATION, self.authorization(context).await?);
        let draft = Response { headers, body, ..Response::default() };
        let call = Call::new(request(Method::POST, uri, draft)?, Some(TIMEOUT), &context.services);
        let status = call.within(context).send().await?.status;
        if !status.is_success() {
            return Err(refusal(status));
        }
        Ok(Flow::Next)
    }
}

impl SendServiceBusMessage {
    fn uri(&self, context: &Context) -> Result<Uri, PolicyError> {
        let Some(namespace) = &self.namespace else {
            let message = "The policy names no Service Bus namespace.";
            return Err(PolicyError::evaluation(message).blame(Blame::Configuration));
        };
        let namespace = namespace.get(context)?.0;
        let entity = self.entity.get(context)?;
        // The name of an entity may be a path.
        let parts: Vec<&str> = entity.trim().split('/').collect();
        if parts.iter().any(|it| matches!(*it, "" | "." | "..")) {
            let message = "The name of the queue or topic is empty or no path.";
            return Err(PolicyError::evaluation(message));
        }
        let path = parts.into_iter().map(encode).collect::<Vec<_>>().join("/");
        format!("https://{namespace}/{path}/messages?timeout=60&api-version=2015-01")
            .parse()
            .map_err(|_| PolicyError::evaluation("The names make no URL."))
    }

    /// The body of the call and what it says of it.
    fn message(&self, context: &Context) -> Result<(HeaderMap, Body), PolicyError> {
        let payload = self.payload.get(context)?;
        let bytes = payload.as_bytes();
        let mut headers = HeaderMap::new();
        if self.properties.is_empty() {
            let body = match bytes {
                Some(bytes) => Body::bytes(bytes),
                None => Body::bytes(payload.to_text().into_owned()),
            };
            return Ok((headers, body));
        }
        let text = match bytes {
            Some(bytes) => String::from_utf8(bytes.to_vec()).map_err(|_| {
                PolicyError::evaluation("A payload that is no text cannot have properties.")
            })?,
            None => payload.to_text().into_owned(),
        };
        let mut properties = serde_json::Map::new();
        for (name, value) in &self.properties {
            let name = name.get(context)?;
            if name.trim().is_empty() {
                return Err(PolicyError::evaluation("The name of a message property is empty."));
            }
            properties.insert(name.trim().to_owned(), json(&value.get(context)?));
        }
        headers.insert(CONTENT_TYPE, AS_JSON);
        let message = serde_json::json!([{ "Body": text, "UserProperties": properties }]);
        Ok((headers, Body::bytes(message.to_string())))
    }

    async fn authorization(&self, context: &Context) -> Result<HeaderValue, PolicyError> {
        let identities: Option<Arc<ManagedIdentities>> = context.services.extension();
        let identities = identities.ok_or_else(|| {
            token_failure("no managed identity is set up").blame(Blame::Configuration)
        })?;
        let client_id = self.client_id.as_ref().map(|it| it.get(context)).transpose()?;
        let client_id = client_id.as_deref().map(str::trim).filter(|it| !it.is_empty());
        let token = identities.access_token(client_id, RESOURCE).await;
        let token = token.map_err(|problem| match problem.is_temporary() {
            true => token_failure(problem)
                .respond(StatusCode::SERVICE_UNAVAILABLE, "Managed identity is not available.")
                .blame(Blame::IdentityProvider),
            false => token_failure(problem).blame(Blame::Configuration),
        })?;
        token.bearer().ok_or_else(|| token_failure("the token makes no header"))
    }
}

/// A property keeps its kind if JSON has it; anything else is text.
fn json(value: &Value) -> serde_json::Value {
    if let Some(it) = value.as_bool() {
        return it.into();
    }
    if let Some(it) = value.as_i64() {
        return it.into();
    }
    value.to_text().into_owned().into()
}

fn refusal(status: StatusCode) -> PolicyError {
    let message = format!("Service Bus answered {}.", status.as_u16());
    let blame = if status.is_server_error() { Blame::Backend } else { Blame::Configuration };
    PolicyError::new("ServiceBusErrorStatusCode", message).blame(blame)
}

fn token_failure(problem: impl ToString) -> PolicyError {
    PolicyError::new("ManagedIdentityTokenError", problem.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Trial, outcome, problems};

    fn with(attrs: &str, children: &str) -> String {
        format!("<send-service-bus-message {attrs}>{children}</send-service-bus-message>")
    }

    #[test]
    fn a_namespace_is_a_domain_name() {
        for (text, fits) in [
            ("a.servicebus.windows.net", true),
            (" a-b.example ", true),
            ("a.example:8443", true),
            ("https://a.example", false),
            ("a.example/q", false),
            ("a..example", false),
            ("a@b", false),
            ("", false),
            ("a:port", false),
        ] {
            assert_eq!(Namespace::from_text(text).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn a_property_is_a_bool_an_integer_or_a_text() {
        for (value, expected) in [
            (Value::from(true), "true"),
            (Value::from(7), "7"),
            (Value::from("7"), "\"7\""),
            (Value::from(1.5), "\"1.5\""),
            (Value::Null, "\"\""),
        ] {
            assert_eq!(json(&value).to_string(), expected);
        }
    }

    #[test]
    fn without_an_identity_or_a_namespace_the_request_fails() {
        let named = with("queue-name='q' namespace='n.example'", "<payload>x</payload>");
        assert_eq!(outcome(&named, ""), "500 - (ManagedIdentityTokenError)");
        let unnamed = with("queue-name='q'", "<payload>x</payload>");
        assert_eq!(outcome(&unnamed, ""), "500 - (ExpressionValueEvaluationFailure)");
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        let payload = "<payload>x</payload>";
        for (attrs, children, codes) in [
            ("queue-name='q' namespace='n.example'", payload, "fine"),
            ("topic-name='t' namespace='n.example' client-id='c'", payload, "fine"),
            ("queue-name='q'", payload, "PC0422"),
            ("namespace='n.example'", payload, "PC0425"),
            ("queue-name='q' topic-name='t' namespace='n.example'", payload, "PC0410"),
            ("queue-name='q' namespace='https://n.example'", payload, "PC0409"),
            ("queue-name='q' namespace='n.example'", "", "PC0406"),
        ] {
            assert_eq!(problems(&with(attrs, children)), codes, "{attrs}");
        }
        let backend = Trial::of(
            pipeline::Section::Backend,
            &with("queue-name='q' namespace='n.example'", payload),
        );
        assert_eq!(backend.problems(), "PC0413");
    }
}
