//! What a case says of its API: operations, and the schema of a GraphQL API.

use std::sync::Arc;

use document::Diagnostic;
use expr::host::OperationInfo;
use pipeline::{
    GraphQlApi, NamedSchema, NamedSchemas, Operation, OperationResponse, Representation, Statuses,
    Surroundings, compile_resolver,
};

use crate::case::{Case, Described};

pub(crate) fn operations(case: &Case) -> Result<Vec<Operation>, String> {
    match &case.specification {
        Some(text) => config::described_operations(text),
        None => Ok(vec![operation(case)?]),
    }
}

/// The GraphQL API of a case, with its resolvers.
pub(crate) fn graphql_api(
    case: &Case,
    surroundings: &Surroundings<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Option<GraphQlApi>, String> {
    let Some((text, has_service)) = &case.graphql else { return Ok(None) };
    let schema = graphql::Schema::parse(text).map_err(|flaws| format!("{flaws:?}"))?;
    let mut api = GraphQlApi::new(schema, *has_service);
    for (path, text) in &case.resolvers {
        let (type_name, field) = path.split_once('/').ok_or("a resolver is for TYPE/FIELD")?;
        let (document, found) = document::parse(text);
        problems.extend(found);
        let (resolver, found) = compile_resolver(&document, None, surroundings);
        problems.extend(found);
        api.check_field(type_name, field)?;
        if let Some(resolver) = resolver {
            api = api.managed(type_name, field, resolver);
        }
    }
    Ok(Some(api))
}

fn operation(case: &Case) -> Result<Operation, String> {
    let (method, template) =
        case.operation.clone().unwrap_or_else(|| ("*".to_owned(), "/*".to_owned()));
    let info = OperationInfo {
        id: "operation".to_owned(),
        method,
        name: "Operation".to_owned(),
        url_template: template,
    };
    let mut schemas = NamedSchemas::default();
    for (name, text) in &case.api_schemas {
        schemas.insert(name, NamedSchema::Xml(text.as_str().into()));
    }
    let schemas = (!case.api_schemas.is_empty()).then(|| Arc::new(schemas));
    let mut operation = Operation { info: Arc::new(info), schemas, ..Operation::default() };
    for (status, content_type, described) in &case.described {
        let (example, schema) = match described {
            Described::Example(text) => (Some(text.clone()), None),
            Described::Schema(text) => {
                let schema = serde_json::from_str(text).map_err(|error| error.to_string())?;
                (None, Some(Arc::new(schema)))
            }
        };
        let content_type = content_type.clone();
        let representation =
            Representation { content_type, example, schema, ..Representation::default() };
        let statuses = Statuses::One(*status);
        match operation.responses.iter_mut().find(|it| it.statuses == statuses) {
            Some(response) => response.representations.push(representation),
            None => operation.responses.push(OperationResponse {
                statuses,
                representations: vec![representation],
                ..OperationResponse::default()
            }),
        }
    }
    Ok(operation)
}
