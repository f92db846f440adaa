//! `<publish-event>`: tells subscribers of a GraphQL API of an event.
//!
//! It stands in the response of a resolver. The event is the response as it is there: JSON, or else a
//! text; it becomes the value of each subscription that is named. All who subscribe to one are told,
//! whatever arguments they gave, and with `counters: { events: shared }` those of other gateways too.
//! Nobody waits for a subscriber.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/publish-event-policy>

use pipeline::{
    Attr, Child, CompileCx, Context, Diagnostic, Element, Flow, PolicyError, PolicyKind, Scopes,
    Sections, Step, Waiting,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "publish-event",
    summary: "Tells subscribers of a GraphQL API of an event.",
    sections: Sections::NONE,
    scopes: Scopes::ALL,
    attrs: &[],
    children: &[TARGETS],
    compile,
};

const TARGETS: Child = Child::required("targets").children(&[SUBSCRIPTION]).doc("Who is told.");
const SUBSCRIPTION: Child = Child::one_or_more("graphql-subscription")
    .empty()
    .attrs(&[ID])
    .doc("Those who subscribe to a field.");
const ID: Attr = Attr::required("id").doc("Field of the schema's subscription type.");

#[derive(Debug)]
struct PublishEvent {
    fields: Vec<String>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let mut fields: Vec<String> = Vec::new();
    for it in element.child(&TARGETS).into_iter().flat_map(|it| it.children(&SUBSCRIPTION)) {
        let field: String = cx.literal(it, &ID)?;
        let field = field.trim().to_owned();
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    let named = fields.clone();
    cx.prepare(move |operation| {
        let problems = match &operation.graphql {
            Some(api) => named.iter().filter_map(|it| api.publish_to(it).err()).collect(),
            None => vec!["the API is no GraphQL API with a schema".to_owned()],
        };
        problems.into_iter().map(|it| format!("`publish-event`: {it}")).collect()
    });
    Ok(Step::waiting(PublishEvent { fields }))
}

impl Waiting for PublishEvent {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let event = context.response_json().await?;
        context.publish(&self.fields, event)?;
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use pipeline::Section;

    use crate::test_support::Trial;

    #[test]
    fn it_names_subscriptions_and_stands_in_resolvers_only() {
        let with = |inner: &str| {
            let policy = format!(
                r#"<set-graphql-resolver parent-type="Query" field="a"><http-data-source>
                <http-request><set-method>GET</set-method><set-url>https://h/</set-url></http-request>
                <http-response><publish-event>{inner}</publish-event></http-response>
                </http-data-source></set-graphql-resolver>"#
            );
            Trial::of(Section::Backend, &policy).problems()
        };
        let target = r#"<graphql-subscription id="made" />"#;
        assert_eq!(with(&format!("<targets>{target}{target}</targets>")), "fine");
        assert_eq!(with(""), "PC0406");
        assert_eq!(with("<targets />"), "PC0406");
        assert_eq!(with("<targets><graphql-subscription /></targets>"), "PC0404");
        assert_eq!(with("<targets><target>made</target></targets>"), "PC0405 PC0406");
        let alone = format!("<publish-event><targets>{target}</targets></publish-event>");
        assert_eq!(Trial::of(Section::Outbound, &alone).problems(), "PC0413");
    }
}
