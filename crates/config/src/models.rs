//! Unified model APIs of a snapshot: where the models that clients name are.

use std::sync::Arc;

use document::Diagnostic;
use pipeline::Backends;

use crate::codes;
use crate::entity::{ApiEntity, ModelTargetEntity};
use crate::snapshot::{Agents, ApiKind, Model, ModelTarget, ModelsApi};

/// What a unified model API came to, and its problems; nothing for other kinds of APIs.
pub(crate) fn compile(api: &ApiEntity, backends: &Backends) -> (Option<Agents>, Vec<Diagnostic>) {
    let Some(entities) = &api.models else { return (None, Vec::new()) };
    let mut problems = Vec::new();
    if api.kind != ApiKind::Models {
        let message = format!("API `{}` has models and is of another type", api.full_name());
        return (None, vec![api.place.error(codes::BAD_VALUE, message)]);
    }
    if api.service_url.is_some() || api.backend_id.is_some() {
        let message = format!(
            "API `{}` has models and a backend of its own: each model names its backend",
            api.full_name()
        );
        problems.push(api.place.error(codes::BAD_VALUE, message));
    }
    let mut models = Vec::new();
    for entity in entities {
        let targets = entity.targets.iter().filter_map(|it| match target(it, backends) {
            Ok(target) => Some(target),
            Err(problem) => {
                problems.push(problem);
                None
            }
        });
        models.push(Model { alias: entity.alias.clone(), targets: targets.collect() });
    }
    (Some(Agents::Models(Arc::new(ModelsApi { models }))), problems)
}

fn target(entity: &ModelTargetEntity, backends: &Backends) -> Result<ModelTarget, Diagnostic> {
    let id = &entity.backend;
    match backends.names().find(|it| it.eq_ignore_ascii_case(id)) {
        Some(known) => Ok(ModelTarget {
            model: entity.model.clone(),
            format: entity.format,
            backend: known.to_owned(),
            max_tokens: entity.max_tokens,
        }),
        None => {
            let message = format!("model `{}`: unknown backend `{id}`", entity.model);
            let problem = entity.place.error(document::codes::UNKNOWN_BACKEND, message);
            Err(match document::closest(id, backends.names()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline::{Extensions, Registry};

    use super::*;
    use crate::load::{Engine, Options, load};
    use crate::secret_source::NoSecrets;
    use crate::source::Source;

    async fn of(api: &str) -> String {
        let yaml = format!(
            "backends: {{ aoai: {{ url: https://a.test/openai/v1 }} }}\napis: {{ llm: {{ {api} }} }}\n"
        );
        let source = Source::from_files([("portcullis.yaml", yaml.as_str())]);
        let engine = Engine { registry: &Registry::default(), extensions: &Extensions::default() };
        let loaded = load(&source, &Options::default(), &NoSecrets, engine).await;
        let Some(snapshot) = loaded.snapshot.filter(|_| loaded.diagnostics.is_empty()) else {
            return loaded.diagnostics.iter().map(|it| it.message.clone()).collect();
        };
        let api = &snapshot.apis[0];
        let Some(Agents::Models(models)) = &api.agents else { return "no models".to_owned() };
        let model = models.get("gpt").map(|it| it.targets[0].backend.clone());
        format!("{model:?} {} {:?}", api.key_bearer, models.get("GPT").map(|it| &it.alias))
    }

    #[tokio::test]
    async fn a_model_is_found_by_the_name_that_clients_give() {
        for (api, expected) in [
            ("models: { gpt: { backend: AOAI } }", r#"Some("aoai") true None"#),
            ("models: { gpt: { backend: aoia } }", "model `gpt`: unknown backend `aoia`"),
            (
                "models: { gpt: { backend: aoai } }, backend: aoai",
                "API `llm` has models and a backend of its own: each model names its backend",
            ),
            (
                "models: { gpt: { backend: aoai } }, mcp: true, url: https://x.test",
                "API `llm` has models and is of another type",
            ),
        ] {
            assert_eq!(of(api).await, expected, "{api}");
        }
    }
}
