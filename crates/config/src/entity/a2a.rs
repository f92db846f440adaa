//! What belongs to A2A agents alone: where their card comes from and where JSON-RPC goes.
//!
//! Azure's documentation has no page on the properties; the names are those that its portal writes:
//! `agent`, `a2aProperties` and `jsonRpcProperties`.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/agent-to-agent-api>

use pipeline::BaseUrl;

use super::OperationEntity;
use crate::codes;
use crate::place::Place;
use crate::tree::Fields;

/// Where agents have their card.
pub(crate) const CARD_PATHS: [&str; 2] =
    ["/.well-known/agent-card.json", "/.well-known/agent.json"];

/// The A2A part of an API.
#[derive(Clone, Debug, Default)]
pub struct A2aEntity {
    /// The agent's id in traces.
    pub agent_id: Option<String>,
    /// The URL of the agent's card.
    pub card_url: Option<String>,
    /// Where the gateway shows its card, beside the usual places.
    pub card_path: Option<String>,
    /// Where JSON-RPC requests go.
    pub rpc_url: Option<String>,
    /// Where the gateway takes them, below the API.
    pub rpc_path: Option<String>,
}

pub(super) fn read(id: &str, fields: &Fields<'_, '_>) -> A2aEntity {
    let of = |map: &'static str, key: &'static str| fields.map(map).and_then(|it| it.filled(key));
    let entity = A2aEntity {
        agent_id: of("agent", "id"),
        card_url: of("a2aProperties", "agentCardBackendUrl"),
        card_path: of("a2aProperties", "agentCardPath"),
        rpc_url: of("jsonRpcProperties", "backendUrl"),
        rpc_path: of("jsonRpcProperties", "path"),
    };
    for (key, url) in [("agentCardBackendUrl", &entity.card_url), ("backendUrl", &entity.rpc_url)] {
        if let Some(error) = url.as_ref().and_then(|it| BaseUrl::parse(it.trim()).err()) {
            let message = format!("API `{id}`: `{key}` cannot be used: {error}");
            fields.report(fields.tree().error(codes::BAD_VALUE, message));
        }
    }
    entity
}

/// The operations of an A2A API: JSON-RPC first, then the places of the card.
pub(crate) fn operations(place: &Place, entity: Option<&A2aEntity>) -> Vec<OperationEntity> {
    let template = |path: &str| format!("/{}", path.trim_matches('/'));
    let rpc = entity.and_then(|it| it.rpc_path.as_deref()).unwrap_or("/");
    let mut cards: Vec<String> = CARD_PATHS.iter().map(|it| (*it).to_owned()).collect();
    if let Some(own) = entity.and_then(|it| it.card_path.as_deref()).map(template)
        && !cards.contains(&own)
    {
        cards.insert(0, own);
    }
    let rpc = [("jsonRpc".to_owned(), "POST", template(rpc))];
    let cards = cards.into_iter().enumerate().map(|(n, path)| {
        let id = if n == 0 { "agentCard".to_owned() } else { format!("agentCard-{n}") };
        (id, "GET", path)
    });
    let operation = |(id, method, url_template): (String, &str, String)| OperationEntity {
        display_name: id.clone(),
        id,
        description: None,
        method: method.to_owned(),
        url_template,
        parameters: Vec::new(),
        request: Default::default(),
        responses: Vec::new(),
        specification: None,
        policy: None,
        place: place.clone(),
    };
    rpc.into_iter().chain(cards).map(operation).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    fn one(properties: &str) -> (super::super::ApiEntity, Vec<String>) {
        let text = format!(r#"{{"properties":{{"path":"a","type":"a2a"{properties}}}}}"#);
        let (mut entities, problems) = read(&[("apis/a/apiInformation.json", &text)]);
        (entities.apis.pop().unwrap(), problems)
    }

    #[test]
    fn an_agent_is_read_as_the_portal_writes_it() {
        let (api, problems) = one(r#","isAgent":true,"agent":{"id":"market","name":"Market"},
            "a2aProperties":{"agentCardBackendUrl":"https://m.test/card.json","agentCardPath":"/agent-card.json"},
            "jsonRpcProperties":{"backendUrl":"https://m.test/rpc","path":"/"}"#);
        assert!(problems.is_empty(), "{problems:?}");
        let a2a = api.a2a.unwrap();
        assert_eq!(a2a.agent_id.as_deref(), Some("market"));
        assert_eq!(a2a.rpc_url.as_deref(), Some("https://m.test/rpc"));
        let shown: Vec<String> =
            api.operations.iter().map(|it| format!("{} {}", it.method, it.url_template)).collect();
        assert_eq!(
            shown,
            [
                "POST /",
                "GET /agent-card.json",
                "GET /.well-known/agent-card.json",
                "GET /.well-known/agent.json",
            ]
        );
    }

    #[test]
    fn urls_are_checked() {
        assert_eq!(one(r#","jsonRpcProperties":{"backendUrl":"nonsense"}"#).1.len(), 1);
    }

    #[test]
    fn a_policy_of_an_operation_is_refused() {
        let info = r#"{"properties":{"path":"a","type":"a2a"}}"#;
        let (_, problems) = read(&[
            ("apis/a/apiInformation.json", info),
            ("apis/a/operations/get/operationInformation.json", r#"{"properties":{}}"#),
            ("apis/a/operations/post/policy.xml", "<policies/>"),
        ]);
        assert_eq!(problems, ["PC0507 API `a` is for agents: its policies stand at the API"]);
    }
}
