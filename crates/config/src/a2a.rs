//! A2A agents of a snapshot: where requests and cards go.

use std::sync::Arc;

use document::Diagnostic;
use pipeline::BaseUrl;

use crate::codes;
use crate::entity::{A2aEntity, ApiEntity, CARD_PATHS};
use crate::snapshot::{A2aApi, Agents, CardSource, Service};

/// What an A2A API came to; nothing for other kinds of APIs.
#[derive(Default)]
pub(crate) struct Compiled {
    pub(crate) agents: Option<Agents>,
    /// Where JSON-RPC goes, if the agent says so.
    pub(crate) service: Option<Service>,
    pub(crate) problem: Option<Diagnostic>,
}

pub(crate) fn compile(api: &ApiEntity) -> Compiled {
    let Some(entity) = &api.a2a else { return Compiled::default() };
    // The entity has reported URLs that are none.
    let parse = |text: &String| BaseUrl::parse(text.trim()).ok();
    let own = entity.rpc_url.as_ref().filter(|_| api.backend_id.is_none());
    let service = own.and_then(parse).map(|it| Service::Url(Arc::new(it)));
    if service.is_none() && api.service_url.is_none() && api.backend_id.is_none() {
        let message = format!("API `{}` has no agent", api.full_name());
        let help = "give it `jsonRpcProperties: { backendUrl }`, or a backend";
        let problem = api.place.error(codes::MISSING, message).help(help);
        return Compiled { problem: Some(problem), ..Compiled::default() };
    }
    let agents = Agents::A2a(A2aApi {
        id: entity.agent_id.clone().unwrap_or_else(|| api.id.clone()),
        rpc_path: entity.rpc_path.clone().unwrap_or_default(),
        card: card(entity, api),
    });
    Compiled { agents: Some(agents), service, problem: None }
}

/// The card's URL; unless it is given, the usual place at the agent's host, or below its backend.
fn card(entity: &A2aEntity, api: &ApiEntity) -> CardSource {
    let [usual, _] = CARD_PATHS;
    if let Some(url) = entity.card_url.as_ref().and_then(|it| BaseUrl::parse(it.trim()).ok()) {
        return CardSource::Url(Arc::new(url));
    }
    let host =
        entity.rpc_url.as_ref().or(api.service_url.as_ref()).filter(|_| api.backend_id.is_none());
    let host = host.and_then(|it| BaseUrl::parse(it.trim()).ok());
    let url = host.and_then(|it| {
        let origin = BaseUrl::origin(it.scheme(), it.host(), it.port());
        BaseUrl::parse(&format!("{}{usual}", origin.to_string().trim_end_matches('/'))).ok()
    });
    match url {
        Some(url) => CardSource::Url(Arc::new(url)),
        None => CardSource::Below(usual.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use pipeline::{Extensions, Registry};

    use super::*;
    use crate::load::{Engine, Options, load};
    use crate::secret_source::NoSecrets;
    use crate::source::Source;

    /// Where JSON-RPC and the card go, or the problems.
    async fn of(api: &str) -> String {
        let yaml = format!(
            "backends: {{ b: {{ url: https://b.test/x }} }}\napis: {{ agent: {{ {api} }} }}\n"
        );
        let source = Source::from_files([("portcullis.yaml", yaml.as_str())]);
        let engine = Engine { registry: &Registry::default(), extensions: &Extensions::default() };
        let loaded = load(&source, &Options::default(), &NoSecrets, engine).await;
        let Some(snapshot) = loaded.snapshot.filter(|_| loaded.diagnostics.is_empty()) else {
            return loaded.diagnostics.iter().map(|it| it.message.clone()).collect();
        };
        let api = &snapshot.apis[0];
        let Some(Agents::A2a(agent)) = &api.agents else { return "no agent".to_owned() };
        let service = match &api.service {
            Some(Service::Url(url)) => url.to_string(),
            Some(Service::Backend(id)) => id.clone(),
            None => "nowhere".to_owned(),
        };
        match &agent.card {
            CardSource::Url(url) => format!("{} {service} {url}", agent.id),
            CardSource::Below(path) => format!("{} {service} ..{path}", agent.id),
        }
    }

    #[tokio::test]
    async fn requests_and_cards_have_their_places() {
        for (api, expected) in [
            (
                "a2a: { id: m, card: https://c.test/card.json }, url: https://a.test/rpc",
                "m https://a.test/rpc https://c.test/card.json",
            ),
            (
                "a2a: true, url: https://a.test/rpc",
                "agent https://a.test/rpc https://a.test/.well-known/agent-card.json",
            ),
            ("a2a: true, backend: b", "agent b ../.well-known/agent-card.json"),
            ("a2a: true", "API `agent` has no agent"),
        ] {
            assert_eq!(of(api).await, expected);
        }
    }
}
