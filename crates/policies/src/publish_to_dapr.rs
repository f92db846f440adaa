//! `<publish-to-dapr>`: publishes a message to a topic through the Dapr sidecar.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/publish-to-dapr-policy>

use expr::Value;
use pipeline::{
    Attr, Body, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, PolicyError,
    PolicyKind, Scopes, Sections, SharedContext, Step, Waiting, codes,
};

use crate::dapr::{
    Content, IGNORE_ERROR, JSON, Message, RESPONSE_VARIABLE_NAME, Sidecar, TEMPLATE, TIMEOUT,
    segment,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "publish-to-dapr",
    summary: "Publishes a message to a topic through the Dapr sidecar.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND).and(Sections::ON_ERROR),
    scopes: Scopes::ALL,
    attrs: &[PUBSUB_NAME, TOPIC, IGNORE_ERROR, RESPONSE_VARIABLE_NAME, TIMEOUT, TEMPLATE, JSON],
    children: &[CONTENT],
    compile,
};

const PUBSUB_NAME: Attr = Attr::absent_by_default("pubsub-name")
    .doc("Component; without it the topic is `component/topic`.");
/// The documentation's own example has an expression here.
const TOPIC: Attr = Attr::required("topic").expressions().doc("Topic.");
const CONTENT: Child = Child::markup().expressions().doc("The message.");

#[derive(Debug)]
struct PublishToDapr {
    component: Option<String>,
    topic: Computed<String>,
    content: Option<Content>,
    is_json: bool,
    sidecar: Sidecar,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let sidecar = Sidecar::compile(element, cx)?;
    let component: Option<String> = cx.literal_if(element, &PUBSUB_NAME)?;
    let topic: Computed<String> = cx.attr(element, &TOPIC)?;
    if let (None, Some(topic)) = (&component, topic.as_literal())
        && !topic.contains('/')
    {
        let message = "`topic` names no component: write `component/topic` or add `pubsub-name`";
        return Err(cx
            .refuse_attr(element, &TOPIC, codes::BAD_VALUE, message)
            .label("no component"));
    }
    let content = Content::compile(element, element, cx, |cx, it| cx.markup(it))?;
    let is_json = element.has(&JSON);
    Ok(Step::waiting(PublishToDapr { component, topic, content, is_json, sidecar }))
}

impl PublishToDapr {
    fn message(&self, context: &Context, content: &Value) -> Result<Message, PolicyError> {
        let topic = self.topic.get(context)?;
        let (component, topic) = match &self.component {
            Some(component) => (component.as_str(), topic.as_str()),
            None => topic.split_once('/').ok_or_else(|| {
                PolicyError::evaluation("`topic` names no component: `component/topic`.")
            })?,
        };
        let path = format!("publish/{}/{}", segment(component)?, segment(topic)?);
        let body = match content.as_bytes() {
            Some(bytes) => Body::bytes(bytes),
            None => Body::bytes(content.to_text().trim().to_owned()),
        };
        Ok(Message { path, body, is_json: self.is_json })
    }
}

impl Waiting for PublishToDapr {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.run_beside(&SharedContext::new(context)).await
    }

    async fn run_beside(&self, shared: &SharedContext<'_>) -> Result<Flow, PolicyError> {
        let content = match &self.content {
            Some(content) => content.get(shared).await?,
            None => Value::Null,
        };
        self.sidecar.post(shared, |context| self.message(context, &content)).await
    }
}

#[cfg(test)]
mod tests {
    use transport::FakeClient;

    use crate::test_support::{Trial, outcome, problems};

    fn posted(policy: &str) -> Vec<String> {
        let client = FakeClient::new(|_| Ok(transport::Response::new(transport::Body::empty())));
        let trial = Trial { client: client.clone(), ..Trial::inbound(policy) };
        assert_eq!(trial.run("POST /orders").outcome, "next");
        let line = |it: &transport::RecordedRequest| {
            let kind = it.headers.get("content-type").map(|it| it.to_str().unwrap());
            format!("{} {} {} {}", it.method, it.uri, kind.unwrap_or("-"), it.body.escape_ascii())
        };
        client.requests().iter().map(line).collect()
    }

    #[test]
    fn the_message_goes_to_the_topic_of_a_component() {
        assert_eq!(
            posted(
                r#"<publish-to-dapr pubsub-name="orders" topic="new ones" content-type="application/json">@("{}")</publish-to-dapr>"#
            ),
            ["POST http://localhost:3500/v1.0/publish/orders/new%20ones application/json {}"]
        );
        assert_eq!(
            posted(r#"<publish-to-dapr topic="@("orders" + "/new")"> it is {{here}} </publish-to-dapr>"#.replace("{{here}}", "here").as_str()),
            ["POST http://localhost:3500/v1.0/publish/orders/new - it is here"]
        );
    }

    #[test]
    fn a_topic_without_a_component_is_an_error() {
        assert_eq!(problems(r#"<publish-to-dapr topic="new">x</publish-to-dapr>"#), "PC0409");
        let policy = r#"<publish-to-dapr topic="@("new")">x</publish-to-dapr>"#;
        assert_eq!(problems(policy), "PC0409");
        let policy = r#"<publish-to-dapr topic="@(context.Request.Method)">x</publish-to-dapr>"#;
        assert_eq!(outcome(policy, ""), "500 - (ExpressionValueEvaluationFailure)");
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        for (attributes, codes) in [
            (r#"topic="a/b""#, "fine"),
            (r#"pubsub-name="a""#, "PC0404"),
            (r#"topic="a/b" timeout="241""#, "PC0409"),
            (r#"topic="a/b" timeout="0""#, "PC0409"),
            (r#"topic="a/b" ignore-error="@(true)""#, "PC0411"),
            (r#"topic="a/b" content-type="text/plain""#, "PC0409"),
            (r#"topic="a/b" template="Liquid""#, "fine"),
            (r#"topic="a/b" template="razor""#, "PC0409"),
        ] {
            let policy = format!("<publish-to-dapr {attributes}>x</publish-to-dapr>");
            assert_eq!(problems(&policy), codes, "{attributes}");
        }
        let backend = Trial::of(
            pipeline::Section::Backend,
            r#"<publish-to-dapr topic="a/b">x</publish-to-dapr>"#,
        );
        assert_eq!(backend.problems(), "PC0413");
    }
}
