//! What belongs to MCP servers alone: the operations that are their tools.
//!
//! `mcpTools` of the API, or of `mcpServerInformation.json` beside it, names operations by their
//! resource id, `.../apis/NAME/operations/NAME`. An API of `type: mcp` without tools passes an
//! existing server through.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/apis>,
//! <https://learn.microsoft.com/azure/api-management/export-rest-mcp-server>

use super::{OperationEntity, Reading, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::tree::{Fields, Tree};

/// The MCP part of an API.
#[derive(Clone, Debug, Default)]
pub struct McpEntity {
    /// Its tools; none if it passes a server through.
    pub tools: Vec<ToolEntity>,
    /// Where the server answers, below the API.
    pub endpoint: Option<String>,
    /// What a model is told of the server.
    pub instructions: Option<String>,
}

/// A tool: an operation of another API.
#[derive(Clone, Debug)]
pub struct ToolEntity {
    /// Its name; the operation's if there is none.
    pub name: Option<String>,
    /// Its name for people.
    pub title: Option<String>,
    /// What it does; the operation's description if there is none.
    pub description: Option<String>,
    /// The API of the operation.
    pub api: String,
    /// The operation.
    pub operation: String,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read(
    id: &str,
    fields: &Fields<'_, '_>,
    files: &EntityFiles,
    cx: &Reading<'_>,
) -> McpEntity {
    let mut entity = McpEntity::default();
    from(id, fields, &mut entity);
    let beside = files.below.get("mcpserverinformation").and_then(|it| cx.parse(it));
    if let Some(tree) = &beside {
        from(id, &properties(tree, cx.problems), &mut entity);
    }
    entity
}

fn from(id: &str, fields: &Fields<'_, '_>, entity: &mut McpEntity) {
    for key in ["mcpTools", "tools"] {
        entity.tools.extend(fields.list(key).into_iter().filter_map(|it| tool(id, it, fields)));
    }
    let Some(server) = fields.map("mcpProperties") else { return };
    if let Some(transport) = server.filled("transportType")
        && !transport.eq_ignore_ascii_case("streamable")
    {
        let message = format!("API `{id}`: MCP over `{transport}` is not in this version");
        let help = "known: streamable";
        fields.report(server.tree().error(codes::NOT_SUPPORTED, message).help(help));
    }
    let endpoint = server.map("endpoints").and_then(|it| it.map("mcp"));
    if let Some(template) = endpoint.and_then(|it| it.filled("uriTemplate")) {
        entity.endpoint = Some(template);
    }
}

fn tool(api: &str, tree: &Tree, fields: &Fields<'_, '_>) -> Option<ToolEntity> {
    let text = |key: &str| {
        let text = tree.get(key).and_then(Tree::scalar).map(str::trim);
        text.filter(|it| !it.is_empty()).map(str::to_owned)
    };
    let reference = text("operationId").or_else(|| tree.scalar().map(str::to_owned));
    let found = reference.as_deref().and_then(split_operation);
    let Some((of, operation)) = found else {
        let message = format!("API `{api}`: a tool names no operation");
        let help = "`operationId` is `/apis/NAME/operations/NAME`";
        fields.report(tree.error(codes::MISSING, message).help(help));
        return None;
    };
    Some(ToolEntity {
        name: text("name"),
        title: text("displayName").or_else(|| text("title")),
        description: text("description"),
        api: of,
        operation,
        place: Place::from(tree),
    })
}

/// API and operation of a resource id, long or short, or of `API/OPERATION`.
pub(crate) fn split_operation(reference: &str) -> Option<(String, String)> {
    let segments: Vec<&str> = reference.split('/').filter(|it| !it.is_empty()).collect();
    match segments.as_slice() {
        [.., apis, api, operations, operation]
            if apis.eq_ignore_ascii_case("apis")
                && operations.eq_ignore_ascii_case("operations") =>
        {
            Some(((*api).to_owned(), (*operation).to_owned()))
        }
        [api, operation] => Some(((*api).to_owned(), (*operation).to_owned())),
        _ => None,
    }
}

/// The operations of an MCP server: its endpoint, and the API's own address, for APIs whose path
/// ends in `/mcp` itself.
pub(crate) fn operations(place: &Place, entity: Option<&McpEntity>) -> Vec<OperationEntity> {
    let endpoint = entity.and_then(|it| it.endpoint.as_deref()).unwrap_or("/mcp");
    let endpoint = format!("/{}", endpoint.trim_matches('/'));
    let mut templates = vec![endpoint];
    if templates.iter().all(|it| it != "/") {
        templates.push("/".to_owned());
    }
    let methods = [("send", "POST"), ("listen", "GET"), ("end", "DELETE")];
    let all = templates.iter().enumerate().flat_map(|(n, template)| {
        methods.map(|(id, method)| OperationEntity {
            id: if n == 0 { id.to_owned() } else { format!("{id}-{n}") },
            display_name: id.to_owned(),
            description: None,
            method: method.to_owned(),
            url_template: template.clone(),
            parameters: Vec::new(),
            request: Default::default(),
            responses: Vec::new(),
            specification: None,
            policy: None,
            place: place.clone(),
        })
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn one(properties: &str, beside: Option<&str>) -> (McpEntity, Vec<String>) {
        let text = format!(r#"{{"properties":{{"path":"m","type":"mcp"{properties}}}}}"#);
        let mut files = vec![("apis/m/apiInformation.json", text.as_str())];
        files.extend(beside.map(|it| ("apis/m/mcpServerInformation.json", it)));
        let (mut entities, problems) = read(&files);
        (entities.apis.pop().unwrap().mcp.unwrap(), problems)
    }

    #[test]
    fn tools_name_operations_in_every_form() {
        let long = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/x\
                    /apis/weather-api/operations/get-weather";
        let tools = format!(
            r#","mcpTools":[{{"name":"w","operationId":"{long}","description":"Tells."}},
                {{"operationId":"/apis/a/operations/b"}}]"#
        );
        let (entity, problems) = one(&tools, None);
        assert!(problems.is_empty(), "{problems:?}");
        let [first, second] = entity.tools.as_slice() else { panic!("{entity:?}") };
        assert_eq!((first.api.as_str(), first.operation.as_str()), ("weather-api", "get-weather"));
        assert_eq!(
            (first.name.as_deref(), first.description.as_deref()),
            (Some("w"), Some("Tells."))
        );
        assert_eq!((second.api.as_str(), second.name.as_deref()), ("a", None));
    }

    #[test]
    fn the_file_beside_is_read_too() {
        let beside = r#"{"properties":{"mcpTools":[{"operationId":"a/b"}],
            "mcpProperties":{"transportType":"streamable","endpoints":{"mcp":{"uriTemplate":"/x"}}}}}"#;
        let (entity, problems) = one("", Some(beside));
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(entity.tools.len(), 1);
        let operations = operations(&Place::file("f"), Some(&entity));
        let shown: Vec<String> =
            operations.iter().map(|it| format!("{} {}", it.method, it.url_template)).collect();
        assert_eq!(shown, ["POST /x", "GET /x", "DELETE /x", "POST /", "GET /", "DELETE /"]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        assert_eq!(
            one(r#","mcpTools":[{"name":"a"},{"operationId":"b"}]"#, None).1,
            ["PC0505 API `m`: a tool names no operation"; 2]
        );
        assert_eq!(
            one(r#","mcpProperties":{"transportType":"sse"}"#, None).1,
            ["PC0507 API `m`: MCP over `sse` is not in this version"]
        );
    }
}
