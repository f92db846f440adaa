//! `<invoke-dapr-binding>`: triggers an output binding through the Dapr sidecar.
//!
//! `data` that is JSON is sent as it is, anything else as a JSON string.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/invoke-dapr-binding-policy>

use expr::Value;
use pipeline::{
    Attr, Body, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, PolicyError,
    PolicyKind, Scopes, Sections, SharedContext, Step, Waiting,
};
use serde_json::value::RawValue;

use crate::dapr::{
    Content, IGNORE_ERROR, JSON, Message, RESPONSE_VARIABLE_NAME, Sidecar, TEMPLATE, TIMEOUT,
    segment,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "invoke-dapr-binding",
    summary: "Triggers an output binding through the Dapr sidecar.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND).and(Sections::ON_ERROR),
    scopes: Scopes::ALL,
    attrs: &[NAME, OPERATION, IGNORE_ERROR, RESPONSE_VARIABLE_NAME, TIMEOUT, TEMPLATE, JSON],
    children: &[METADATA, DATA],
    compile,
};

const NAME: Attr = Attr::required("name").expressions().doc("Name of the binding.");
const OPERATION: Attr = Attr::absent_by_default("operation").doc("What the binding is to do.");
const KEY: Attr = Attr::required("key").doc("Name of the item.");
const ITEM: Child =
    Child::repeated("item").attrs(&[KEY]).expressions().doc("What the binding is told besides.");
const METADATA: Child = Child::optional("metadata").children(&[ITEM]).doc("Items.");
const DATA: Child = Child::optional("data").expressions().template().doc("The content.");

#[derive(Debug)]
struct InvokeDaprBinding {
    name: Computed<String>,
    operation: Option<String>,
    metadata: Vec<(String, Computed<String>)>,
    data: Option<Content>,
    sidecar: Sidecar,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let sidecar = Sidecar::compile(element, cx)?;
    let mut metadata = Vec::new();
    for item in element.child(&METADATA).into_iter().flat_map(|it| it.children(&ITEM)) {
        metadata.push((cx.literal(item, &KEY)?, cx.text(item)?));
    }
    let data = match element.child(&DATA) {
        Some(data) => Content::compile(element, data, cx, |cx, it| cx.markup(it))?,
        None => None,
    };
    Ok(Step::waiting(InvokeDaprBinding {
        name: cx.attr(element, &NAME)?,
        operation: cx.literal_if(element, &OPERATION)?,
        metadata,
        data,
        sidecar,
    }))
}

impl InvokeDaprBinding {
    fn message(&self, context: &Context, data: Option<&Value>) -> Result<Message, PolicyError> {
        let path = format!("bindings/{}", segment(&self.name.get(context)?)?);
        let mut members = Vec::new();
        if let Some(data) = data {
            members.push(format!("\"data\":{}", json(data.to_text().trim())));
        }
        if !self.metadata.is_empty() {
            let mut items = serde_json::Map::new();
            for (key, value) in &self.metadata {
                items.insert(key.clone(), value.get(context)?.into());
            }
            members.push(format!("\"metadata\":{}", serde_json::Value::Object(items)));
        }
        if let Some(operation) = &self.operation {
            let operation = serde_json::Value::from(operation.trim());
            members.push(format!("\"operation\":{operation}"));
        }
        let body = Body::bytes(format!("{{{}}}", members.join(",")));
        Ok(Message { path, body, is_json: true })
    }
}

/// The text if it is JSON, else a JSON string of it.
fn json(text: &str) -> String {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => raw.get().to_owned(),
        Err(_) => serde_json::Value::from(text).to_string(),
    }
}

impl Waiting for InvokeDaprBinding {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.run_beside(&SharedContext::new(context)).await
    }

    async fn run_beside(&self, shared: &SharedContext<'_>) -> Result<Flow, PolicyError> {
        let data = match &self.data {
            Some(data) => Some(data.get(shared).await?),
            None => None,
        };
        self.sidecar.post(shared, |context| self.message(context, data.as_ref())).await
    }
}

#[cfg(test)]
mod tests {
    use transport::FakeClient;

    use super::json;
    use crate::test_support::{Trial, problems};

    fn run(policy: &str, status: u16) -> (String, Vec<String>, bool) {
        let client = FakeClient::new(move |_| {
            let mut response = transport::Response::new(transport::Body::full("told"));
            *response.status_mut() = status.try_into().unwrap();
            Ok(response)
        });
        let ran = Trial { client: client.clone(), ..Trial::inbound(policy) }.run("POST /orders");
        let line = |it: &transport::RecordedRequest| {
            format!("{} {}", it.uri, String::from_utf8_lossy(&it.body))
        };
        let requests = client.requests().iter().map(line).collect();
        (ran.outcome, requests, ran.context.variables.contains("r"))
    }

    #[test]
    fn the_body_has_data_metadata_and_operation() {
        let policy = r#"<invoke-dapr-binding name="@("external" + "-system")" operation="create" response-variable-name="r">
            <metadata><item key="api-version">1.0</item><item key="method">@(context.Request.Method)</item></metadata>
            <data>@("{\"a\": [1]}")</data>
        </invoke-dapr-binding>"#;
        let (outcome, requests, is_set) = run(policy, 200);
        assert_eq!((outcome.as_str(), is_set), ("next", true));
        assert_eq!(
            requests,
            [
                r#"http://localhost:3500/v1.0/bindings/external-system {"data":{"a": [1]},"metadata":{"api-version":"1.0","method":"POST"},"operation":"create"}"#
            ]
        );
        let (_, requests, _) = run(r#"<invoke-dapr-binding name="b" />"#, 204);
        assert_eq!(requests, ["http://localhost:3500/v1.0/bindings/b {}"]);
    }

    #[test]
    fn data_that_is_no_json_is_a_string() {
        assert_eq!(json(r#" {"a":1} "#), r#"{"a":1}"#);
        assert_eq!(json("hello \"you\""), r#""hello \"you\"""#);
        assert_eq!(json(""), r#""""#);
    }

    #[test]
    fn an_error_reply_is_an_error_unless_it_is_ignored() {
        let policy = |more: &str| {
            format!(r#"<invoke-dapr-binding name="b" response-variable-name="r" {more} />"#)
        };
        let (outcome, _, is_set) = run(&policy(""), 500);
        assert_eq!((outcome.as_str(), is_set), ("500 - (BackendErrorStatusCode)", true));
        let (outcome, _, is_set) = run(&policy(r#"ignore-error="true""#), 500);
        assert_eq!((outcome.as_str(), is_set), ("next", true));
        let refused = Trial::inbound(&policy("")).run("");
        assert_eq!(refused.outcome, "500 - (BackendConnectionFailure)");
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        for (policy, codes) in [
            ("<invoke-dapr-binding />", "PC0404"),
            (r#"<invoke-dapr-binding name="b" operation="@(1)" />"#, "PC0411"),
            (
                r#"<invoke-dapr-binding name="b"><metadata><item>1</item></metadata></invoke-dapr-binding>"#,
                "PC0404",
            ),
            (r#"<invoke-dapr-binding name="b">text</invoke-dapr-binding>"#, "PC0408"),
            (r#"<invoke-dapr-binding name="b" template="liquid" />"#, "fine"),
        ] {
            assert_eq!(problems(policy), codes, "{policy}");
        }
    }
}
