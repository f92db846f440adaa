//! What belongs to unified model APIs alone: the names that clients give, and the models behind.
//!
//! Azure's documentation shows its portal and no properties, so the file is ours: `models.yaml` or
//! `models.json` beside the API's other files, or `models:` in the single file.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/unified-model-api>

use std::cell::RefCell;

use document::{Diagnostic, closest};

use super::OperationEntity;
use crate::codes;
use crate::place::Place;
use crate::snapshot::ModelFormat;
use crate::tree::{Entry, Fields, Keys, Tree};

/// Most models of an API.
const MAX_MODELS: usize = 1_000;

/// Most places in which one model is looked for.
const MAX_TARGETS: usize = 16;

/// Tokens of an answer where neither the request nor the model says: the Messages API needs a bound.
const MAX_TOKENS: u64 = 4_096;

const FORMATS: [(&str, ModelFormat); 2] =
    [("openai", ModelFormat::ChatCompletions), ("anthropic", ModelFormat::Messages)];

/// A model that clients can name.
#[derive(Clone, Debug)]
pub struct ModelEntity {
    /// The client's name for it.
    pub alias: String,
    /// Where it is, the first choice first.
    pub targets: Vec<ModelTargetEntity>,
}

/// A model of a provider.
#[derive(Clone, Debug)]
pub struct ModelTargetEntity {
    /// The provider's name for it.
    pub model: String,
    /// What its API speaks.
    pub format: ModelFormat,
    /// The backend or pool.
    pub backend: String,
    /// Tokens of an answer where the request does not bound them.
    pub max_tokens: u64,
    /// Where it is described.
    pub place: Place,
}

/// The models of an API: a map of names, each with one target or a list of them.
pub(crate) fn read(tree: &Tree, problems: &RefCell<Vec<Diagnostic>>) -> Vec<ModelEntity> {
    let report = |problem| problems.borrow_mut().push(problem);
    let entries = tree.entries();
    if entries.is_empty() {
        let help = "write `models: { NAME: { model: MODEL, backend: BACKEND } }`";
        report(tree.error(codes::MISSING, "a unified model API has no models").help(help));
    }
    if entries.len() > MAX_MODELS {
        report(tree.error(codes::BAD_VALUE, format!("more than {MAX_MODELS} models")));
    }
    entries.iter().take(MAX_MODELS).map(|it| model(it, problems)).collect()
}

fn model(entry: &Entry, problems: &RefCell<Vec<Diagnostic>>) -> ModelEntity {
    let listed = entry.value.items();
    let all = if listed.is_empty() { std::slice::from_ref(&entry.value) } else { listed };
    if all.len() > MAX_TARGETS {
        let message = format!("model `{}` has more than {MAX_TARGETS} targets", entry.key);
        problems.borrow_mut().push(entry.value.error(codes::BAD_VALUE, message));
    }
    let targets = all.iter().take(MAX_TARGETS).filter_map(|it| target(&entry.key, it, problems));
    ModelEntity { alias: entry.key.clone(), targets: targets.collect() }
}

fn target(
    alias: &str,
    tree: &Tree,
    problems: &RefCell<Vec<Diagnostic>>,
) -> Option<ModelTargetEntity> {
    let fields = Fields::new(tree, Keys::Known, problems);
    let (model, backend) = (fields.filled("model"), fields.filled("backend"));
    let format = match fields.filled("format") {
        None => Some(ModelFormat::ChatCompletions),
        Some(name) => format(&name, &fields),
    };
    let max_tokens = fields.number("max-tokens").or_else(|| fields.number("maxTokens"));
    if max_tokens == Some(0) {
        fields.report(tree.error(codes::BAD_VALUE, "`max-tokens` is at least 1"));
    }
    if backend.is_none() {
        let message = format!("model `{alias}` names no `backend`");
        fields.report(tree.error(codes::MISSING, message));
    }
    fields.finish();
    Some(ModelTargetEntity {
        model: model.unwrap_or_else(|| alias.to_owned()),
        format: format?,
        backend: backend?,
        max_tokens: max_tokens.unwrap_or(MAX_TOKENS),
        place: Place::from(tree),
    })
}

fn format(name: &str, fields: &Fields<'_, '_>) -> Option<ModelFormat> {
    let found = FORMATS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    if let Some((_, format)) = found {
        return Some(*format);
    }
    let place = fields.get("format").unwrap_or(fields.tree());
    let message = format!("models that speak `{name}` cannot stand in a unified model API");
    let help = match closest(name, FORMATS.iter().map(|(known, _)| *known)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "known: openai, anthropic; Gemini and Bedrock have addresses that speak `openai`"
            .to_owned(),
    };
    fields.report(place.error(codes::NOT_SUPPORTED, message).help(help));
    None
}

/// The operations of a unified model API.
pub(crate) fn operations(place: &Place) -> Vec<OperationEntity> {
    let all = [
        ("chatCompletions", "POST", "/chat/completions"),
        ("listModels", "GET", "/models"),
        ("getModel", "GET", "/models/{model}"),
    ];
    let operation = |(id, method, template): (&str, &str, &str)| OperationEntity {
        id: id.to_owned(),
        display_name: id.to_owned(),
        description: None,
        method: method.to_owned(),
        url_template: template.to_owned(),
        parameters: Vec::new(),
        request: Default::default(),
        responses: Vec::new(),
        specification: None,
        policy: None,
        place: place.clone(),
    };
    all.into_iter().map(operation).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn one(models: &str) -> (Vec<ModelEntity>, Vec<String>) {
        let info = r#"{"properties":{"path":"llm/v1"}}"#;
        let (mut entities, problems) =
            read(&[("apis/llm/apiInformation.json", info), ("apis/llm/models.yaml", models)]);
        let api = entities.apis.pop().unwrap();
        assert_eq!(api.operations.len(), 3);
        (api.models.unwrap(), problems)
    }

    #[test]
    fn a_model_has_one_target_or_several() {
        let (models, problems) = one("gpt: { model: gpt-4o, backend: aoai }\n\
             best:\n  - { model: gpt-4o, backend: aoai }\n  \
             - { model: claude-x, format: Anthropic, backend: claude, max-tokens: 9 }\n\
             same: { backend: aoai }\n");
        assert!(problems.is_empty(), "{problems:?}");
        let shown = models.iter().map(|it| {
            let target = |it: &ModelTargetEntity| {
                format!("{} {:?} {} {}", it.model, it.format, it.backend, it.max_tokens)
            };
            format!(
                "{}: {}",
                it.alias,
                it.targets.iter().map(target).collect::<Vec<_>>().join(", ")
            )
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "gpt: gpt-4o ChatCompletions aoai 4096",
                "best: gpt-4o ChatCompletions aoai 4096, claude-x Messages claude 9",
                "same: same ChatCompletions aoai 4096",
            ]
        );
    }

    #[test]
    fn what_cannot_be_a_model_is_refused() {
        for (models, expected) in [
            ("{}", "PC0505 a unified model API has no models"),
            ("gpt: { model: x }", "PC0505 model `gpt` names no `backend`"),
            ("gpt: { backend: x, max-tokens: 0 }", "PC0506 `max-tokens` is at least 1"),
            (
                "gpt: { backend: x, format: gemini }",
                "PC0507 models that speak `gemini` cannot stand in a unified model API",
            ),
        ] {
            let (_, problems) = one(models);
            assert_eq!(problems, [expected], "{models}");
        }
        let many: String = (0..=MAX_MODELS).map(|n| format!("m{n}: {{ backend: x }}\n")).collect();
        let (models, problems) = one(&many);
        assert_eq!((models.len(), problems.len()), (MAX_MODELS, 1));
        let targets = "{ backend: x },".repeat(MAX_TARGETS + 1);
        let (models, problems) = one(&format!("m: [{targets}]"));
        assert_eq!((models[0].targets.len(), problems.len()), (MAX_TARGETS, 1));
    }
}
