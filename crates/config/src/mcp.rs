//! MCP servers of a snapshot: their tools are found among the operations of the other APIs.

use std::sync::Arc;

use agents::mcp::{Server, Target, Tool, ToolText};
use document::{Diagnostic, closest};

use crate::codes;
use crate::entity::{ApiEntity, OperationEntity, ToolEntity};
use crate::openapi::normalise_id;
use crate::snapshot::{Agents, Api, ApiKind};

/// Gives every MCP server its tools, and every problem. `apis` has the compiled ones in the order of
/// the entities; in the snapshot, `n_before` others stand before them.
pub(crate) fn link(entities: &[ApiEntity], apis: &mut [Api], n_before: usize) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (n, entity) in entities.iter().enumerate() {
        if entity.kind != ApiKind::Mcp {
            continue;
        }
        let found = server(entity, entities, apis, n_before, &mut problems);
        if let (Some(server), Some(api)) = (found, apis.get_mut(n)) {
            api.agents = Some(Agents::Mcp(Arc::new(server)));
        }
    }
    problems
}

fn server(
    entity: &ApiEntity,
    entities: &[ApiEntity],
    apis: &[Api],
    n_before: usize,
    problems: &mut Vec<Diagnostic>,
) -> Option<Server> {
    let mcp = entity.mcp.as_ref()?;
    let name = entity.full_name();
    let has_service = entity.service_url.is_some() || entity.backend_id.is_some();
    if mcp.tools.is_empty() {
        if !has_service {
            let message = format!("API `{name}` has neither tools nor a server");
            let help = "give it `mcpTools`, or the server's URL";
            problems.push(entity.place.error(codes::MISSING, message).help(help));
        }
        return None;
    }
    if has_service {
        let message = format!("API `{name}` has tools and a server: it can be one of them");
        problems.push(entity.place.error(codes::BAD_VALUE, message));
    }
    let mut tools = Vec::new();
    for it in &mcp.tools {
        match tool(it, entities, apis, n_before) {
            Ok(tool) => tools.push(tool),
            Err(problem) => problems.push(problem),
        }
    }
    let mut server = Server::default();
    server.name.clone_from(&entity.id);
    server.title.clone_from(&entity.display_name);
    server.version.clone_from(&entity.revision);
    server.instructions = mcp.instructions.clone().or_else(|| entity.description.clone());
    match server.with_tools(tools) {
        Ok(server) => Some(server),
        Err(why) => {
            let message = format!("API `{name}`: {why}");
            problems.push(entity.place.error(codes::DUPLICATE, message));
            None
        }
    }
}

fn tool(
    tool: &ToolEntity,
    entities: &[ApiEntity],
    apis: &[Api],
    n_before: usize,
) -> Result<Tool, Diagnostic> {
    let is_it = |it: &&ApiEntity| {
        let full = it.full_name();
        full.eq_ignore_ascii_case(&tool.api)
            || (it.is_current && it.id.eq_ignore_ascii_case(&tool.api))
    };
    let known = || entities.iter().map(|it| it.id.as_str());
    let Some(api) = entities.iter().find(is_it) else {
        let message = format!("there is no API `{}`", tool.api);
        return Err(suggest(tool, message, closest(&tool.api, known())));
    };
    if api.kind != ApiKind::Http {
        let message = format!("API `{}` is no HTTP API: its operations are no tools", api.id);
        return Err(tool.place.error(codes::NOT_SUPPORTED, message));
    }
    let wanted = normalise_id(&tool.operation);
    let place = api.operations.iter().position(|it| normalise_id(&it.id) == wanted);
    let Some((number, operation)) = place.and_then(|n| Some((n, api.operations.get(n)?))) else {
        let message = format!("API `{}` has no operation `{}`", api.id, tool.operation);
        let near = closest(&wanted, api.operations.iter().map(|it| it.id.as_str()));
        return Err(suggest(tool, message, near));
    };
    let place = number_of(api, entities);
    let target = Target { api: n_before + place, operation: number };
    let compiled = apis.get(place).and_then(|it| it.operations.get(number));
    let Some(compiled) = compiled else {
        let message = format!("operation `{}` is not there", operation.id);
        return Err(tool.place.error(codes::UNKNOWN_ENTITY, message));
    };
    let refuse = |why: &str| {
        let message =
            format!("operation `{}` of API `{}` can be no tool: {why}", operation.id, api.id);
        tool.place.error(codes::NOT_SUPPORTED, message)
    };
    if !api.is_online {
        return Err(refuse("the API is offline"));
    }
    Tool::new(text(tool, api, operation), target, &compiled.operation).map_err(|it| refuse(&it))
}

fn number_of(api: &ApiEntity, entities: &[ApiEntity]) -> usize {
    entities.iter().position(|it| std::ptr::eq(it, api)).unwrap_or_default()
}

fn suggest(tool: &ToolEntity, message: String, near: Option<&str>) -> Diagnostic {
    let problem = tool.place.error(codes::UNKNOWN_ENTITY, message);
    match near {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

fn text(tool: &ToolEntity, api: &ApiEntity, operation: &OperationEntity) -> ToolText {
    let defaults = operation.parameters.iter().filter_map(|it| {
        let only = match it.values.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        Some((it.name.clone(), it.default.as_ref().or(only)?.clone()))
    });
    ToolText {
        name: tool.name.clone().unwrap_or_else(|| operation.id.clone()),
        title: tool.title.clone().unwrap_or_else(|| operation.display_name.clone()),
        description: tool.description.clone().or_else(|| operation.description.clone()),
        hidden: vec![api.key_header.clone(), api.key_query.clone()],
        defaults: defaults.collect(),
    }
}

#[cfg(test)]
mod tests {
    use pipeline::{Extensions, Registry};

    use super::*;
    use crate::load::{Engine, Loaded, Options, load};
    use crate::secret_source::NoSecrets;
    use crate::source::Source;

    const SPEC: &str = "openapi: 3.0.1\npaths:\n  '/x/{a}': { get: { operationId: getX, summary: \
        Gets, description: Gets an x., parameters: [{ name: api-version, in: query, required: true, \
        schema: { type: string, enum: ['1'] } }] } }\n  /up: { post: { operationId: up, requestBody: \
        { content: { image/png: {} } } } }\n";

    async fn run(yaml: &str) -> Loaded {
        let files = [("portcullis.yaml", yaml), ("spec.yaml", SPEC)];
        let source = Source::from_files(files);
        let engine = Engine { registry: &Registry::default(), extensions: &Extensions::default() };
        load(&source, &Options::default(), &NoSecrets, engine).await
    }

    async fn told(apis: &str) -> Vec<String> {
        let yaml = format!("apis:\n  x: {{ url: https://h.test, spec: spec.yaml }}\n{apis}");
        run(&yaml)
            .await
            .diagnostics
            .iter()
            .map(|it| format!("{} {}", it.code, it.message))
            .collect()
    }

    #[tokio::test]
    async fn an_operation_becomes_a_tool() {
        let yaml = "apis:\n  m: { tools: [x/getX, { operation: x/getX, name: other, description: \
                    D }], instructions: Be brief. }\n  x: { url: https://h.test, spec: spec.yaml }\n";
        let loaded = run(yaml).await;
        let problems: Vec<&str> = loaded.diagnostics.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(problems, [""; 0]);
        let snapshot = loaded.snapshot.unwrap();
        let m = snapshot.apis.iter().find(|it| it.info.id == "m").unwrap();
        let Some(Agents::Mcp(server)) = &m.agents else { panic!("{:?}", m.agents) };
        assert_eq!(server.instructions.as_deref(), Some("Be brief."));
        let listed = server.tool("getx").unwrap().listed();
        assert_eq!(
            (&listed["title"], &listed["description"]),
            (&"Gets".into(), &"Gets an x.".into())
        );
        assert_eq!(listed["inputSchema"]["required"], serde_json::json!(["a"]));
        assert_eq!(server.tool("other").unwrap().listed()["description"], "D");
        let target = server.tool("getx").unwrap().target;
        assert_eq!(
            snapshot.apis[target.api].operations[target.operation].operation.info.id,
            "getx"
        );
    }

    #[tokio::test]
    async fn what_does_not_fit_together_is_told() {
        for (apis, problem) in [
            ("  m: { tools: [y/getX] }\n", "PC0510 there is no API `y`"),
            ("  m: { tools: [x/getY] }\n", "PC0510 API `x` has no operation `getY`"),
            (
                "  m: { tools: [x/up] }\n",
                "PC0507 operation `up` of API `x` can be no tool: bodies of image/png cannot be \
                 made of arguments",
            ),
            ("  m: { tools: [x/getX, x/getX] }\n", "PC0509 API `m`: two tools are called `getx`"),
            ("  m: { mcp: true }\n", "PC0505 API `m` has neither tools nor a server"),
            (
                "  m: { tools: [x/getX], url: https://s.test }\n",
                "PC0506 API `m` has tools and a server: it can be one of them",
            ),
            (
                "  g: { graphql: true, url: https://g.test }\n  m: { tools: [g/send] }\n",
                "PC0507 API `g` is no HTTP API: its operations are no tools",
            ),
        ] {
            assert_eq!(told(apis).await, [problem]);
        }
        assert_eq!(told("  m: { mcp: true, url: https://s.test/mcp }\n").await, [""; 0]);
    }
}
