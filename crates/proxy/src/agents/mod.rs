//! APIs for agents: what stands where the backend is called.
//!
//! ```text
//! forward-request ─▶ AgentCall::Mcp  ─▶ mcp   ─▶ tool_call: the pipeline of the tool's operation
//!                    AgentCall::Models ─▶ models: the request of a provider, its answer
//!                    AgentCall::Card ─▶ the backend ─▶ card: rewritten
//!                    anything else   ─▶ the backend, streaming
//! ```
//!
//! Source: <https://learn.microsoft.com/azure/api-management/mcp-server-overview>,
//! <https://learn.microsoft.com/azure/api-management/agent-to-agent-api>

mod card;
mod mcp;
mod models;
mod sessions;
mod tool_call;

use std::fmt;
use std::sync::Arc;

use config::{A2aApi, Agents, Api, CARD_OPERATION, CardSource};
use http::{HeaderMap, Version};
use pipeline::{BaseUrl, Context, RequestUrl};
use telemetry::AccessLog;
use transport::Peer;

pub(crate) use self::card::rewrite_card;
pub(crate) use self::mcp::serve;
pub(crate) use self::models::{ModelsCall, serve_models};
use crate::gateway::Live;

/// How a call is answered otherwise than by passing it on: among the request's extensions.
#[derive(Clone)]
pub(crate) enum AgentCall {
    /// By an MCP server whose tools are operations.
    Mcp(Arc<McpCall>),
    /// By the agent's card, rewritten.
    Card(Arc<CardCall>),
    /// By a model of a unified model API.
    Models(Arc<ModelsCall>),
}

/// What the calls of tools need of the request.
pub(crate) struct McpCall {
    pub(crate) live: Arc<Live>,
    pub(crate) server: Arc<agents::mcp::Server>,
    /// The headers as the client sent them: what differs was set by a policy.
    pub(crate) received: HeaderMap,
    pub(crate) log: Option<Arc<AccessLog>>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) version: Version,
}

/// Where the gateway's card leads to.
#[derive(Debug)]
pub(crate) struct CardCall {
    url: String,
    key_header: Option<String>,
}

impl fmt::Debug for AgentCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AgentCall::Mcp(_) => "AgentCall::Mcp",
            AgentCall::Card(_) => "AgentCall::Card",
            AgentCall::Models(_) => "AgentCall::Models",
        })
    }
}

/// How the call of a request is answered, if not by passing it on.
pub(crate) fn of(context: &Context) -> Option<AgentCall> {
    context.request.extensions.get().cloned()
}

/// Notes how the call will be answered.
pub(crate) fn note(
    context: &mut Context,
    live: &Arc<Live>,
    api: &Api,
    operation: Option<usize>,
    log: Option<&Arc<AccessLog>>,
    (peer, version): (&Arc<Peer>, Version),
) {
    let call = match &api.agents {
        Some(Agents::Mcp(server)) => AgentCall::Mcp(Arc::new(McpCall {
            live: live.clone(),
            server: server.clone(),
            received: context.request.headers.clone(),
            log: log.cloned(),
            peer: peer.clone(),
            version,
        })),
        Some(Agents::A2a(agent)) if operation.is_some_and(|it| it >= CARD_OPERATION) => {
            let front = front(context.request.original_url.base(), api, agent);
            let header = api.subscription_required.then(|| api.key_header.as_str().to_owned());
            AgentCall::Card(Arc::new(CardCall { url: front, key_header: header }))
        }
        Some(Agents::Models(models)) => AgentCall::Models(Arc::new(ModelsCall {
            api: models.clone(),
            operation: models::Operation::of(operation.unwrap_or_default()),
            received: context.request.headers.clone(),
            key_header: api.key_header.clone(),
        })),
        Some(Agents::A2a(_)) | None => return,
    };
    context.request.extensions.insert(call);
}

/// Where JSON-RPC requests to an agent go.
fn front(origin: &BaseUrl, api: &Api, agent: &A2aApi) -> String {
    let mut url = origin.to_string().trim_end_matches('/').to_owned();
    for part in [api.base_path().as_str(), agent.rpc_path.trim_matches('/')] {
        if !part.is_empty() {
            url.push('/');
            url.push_str(part);
        }
    }
    url
}

/// Whether the request goes to a URL of its own instead of the API's service.
pub(crate) fn goes_elsewhere(api: &Api, operation: Option<usize>) -> bool {
    own_url(api, operation).is_some()
}

fn own_url(api: &Api, operation: Option<usize>) -> Option<&Arc<BaseUrl>> {
    match &api.agents {
        Some(Agents::A2a(A2aApi { card: CardSource::Url(url), .. }))
            if operation.is_some_and(|it| it >= CARD_OPERATION) =>
        {
            Some(url)
        }
        _ => None,
    }
}

/// Where a request to an API for agents goes: the URL of the server or agent itself, since the
/// path below the API is the gateway's.
pub(crate) fn target(api: &Api, operation: Option<usize>, url: RequestUrl) -> RequestUrl {
    let is_card = operation.is_some_and(|it| it >= CARD_OPERATION);
    let below = match &api.agents {
        Some(Agents::A2a(agent)) if is_card => match &agent.card {
            CardSource::Url(_) => "",
            CardSource::Below(path) => path,
        },
        _ => "",
    };
    let base = own_url(api, operation).unwrap_or(url.base());
    RequestUrl::new(base.clone(), below, url.own_query())
}
