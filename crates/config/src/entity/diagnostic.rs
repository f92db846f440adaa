//! Diagnostics: what is logged of the calls of models (`largeLanguageModel`).
//!
//! The rest of a diagnostic (sampling, headers, bodies, correlation) has no effect here: the access
//! log, metrics and traces are set for the process. An API's diagnostic goes over the one of the
//! same name for all APIs.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/diagnostics>,
//! <https://learn.microsoft.com/azure/api-management/api-management-howto-llm-logs>

use pipeline::{DEFAULT_LLM_LOG_BYTES, MAX_LLM_LOG_BYTES};

use super::{Reading, other, properties};
use crate::codes;
use crate::layout::{EntityFiles, Layout, last_two};
use crate::place::Place;
use crate::settings;
use crate::tree::{Fields, Keys, Tree};

/// The diagnostic, and the logger, that stand for the gateway's own log.
pub(crate) const AZURE_MONITOR: &str = "azuremonitor";

/// A diagnostic of all APIs or of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagnosticEntity {
    /// Its name: `azuremonitor`, `applicationinsights`, `local` or another.
    pub id: String,
    /// The logger that it names.
    pub logger: Option<String>,
    /// What is logged of calls of models; none: it does not say.
    pub llm: Option<LlmEntity>,
    /// Where it is described.
    pub place: Place,
}

/// `largeLanguageModel` of a diagnostic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LlmEntity {
    /// Whether anything is logged.
    pub is_enabled: bool,
    /// Most bytes of a prompt; none: prompts are not logged.
    pub max_request_bytes: Option<usize>,
    /// Most bytes of completions; none: they are not logged.
    pub max_response_bytes: Option<usize>,
}

/// How a form of configuration calls things.
struct Words {
    llm: &'static str,
    size: &'static str,
    logger: &'static str,
}

const AZURE: Words =
    Words { llm: "largeLanguageModel", size: "maxSizeInBytes", logger: "loggerId" };
const OWN: Words = Words { llm: "large-language-model", size: "max-size", logger: "logger" };

/// Reads the diagnostics of all APIs.
pub(super) fn read(layout: &Layout, cx: &Reading<'_>) -> Vec<DiagnosticEntity> {
    let one = |files: &EntityFiles| {
        let info = cx.info("diagnostics", files)?;
        Some(entity(&files.name, &properties(&info, cx.problems), &AZURE, files.place()))
    };
    let all: Vec<DiagnosticEntity> = layout.of("diagnostics").filter_map(one).collect();
    let is_silent = |it: &&DiagnosticEntity| it.llm.is_none();
    let silent: Vec<&str> = all.iter().filter(is_silent).map(|it| it.id.as_str()).collect();
    if let Some(first) = all.iter().find(is_silent) {
        let message = format!(
            "diagnostics without `largeLanguageModel` have no effect in this version: {}",
            other::listed(&silent)
        );
        cx.report(first.place.note(codes::LEFT_OUT, message));
    }
    all
}

/// Reads the diagnostics of an API.
pub(super) fn read_of_api(api: &EntityFiles, cx: &Reading<'_>) -> Vec<DiagnosticEntity> {
    let one = |files: &EntityFiles| {
        let mut info = cx.own_info(files)?;
        cx.overrides.apply_below_api(&api.name, "diagnostics", &files.name, &mut info);
        Some(entity(&files.name, &properties(&info, cx.problems), &AZURE, files.place()))
    };
    api.diagnostics.values().filter_map(one).collect()
}

/// Reads `diagnostics:` of `portcullis.yaml`, or of an API there.
pub(crate) fn read_short(fields: &Fields<'_, '_>) -> Vec<DiagnosticEntity> {
    let Some(all) = fields.map("diagnostics") else { return Vec::new() };
    let one = |name: &str, tree: &Tree| {
        let fields = Fields::new(tree, Keys::Known, all.problems());
        let entity = entity(name, &fields, &OWN, Place::from(tree));
        fields.finish();
        entity
    };
    all.tree().entries().iter().map(|it| one(&it.key, &it.value)).collect()
}

fn entity(name: &str, fields: &Fields<'_, '_>, words: &Words, place: Place) -> DiagnosticEntity {
    let logger = fields.filled(words.logger).map(|it| last_two(&it).1.to_owned());
    // Whoever writes this wants it as documented: its keys are known ones in Azure's form too.
    let llm = fields.get(words.llm).map(|tree| {
        let fields = Fields::new(tree, Keys::Known, fields.problems());
        let llm = llm(&fields, words);
        fields.finish();
        llm
    });
    DiagnosticEntity { id: name.to_owned(), logger, llm, place }
}

fn llm(fields: &Fields<'_, '_>, words: &Words) -> LlmEntity {
    LlmEntity {
        is_enabled: word(fields, "logs", ["disabled", "enabled"]),
        max_request_bytes: messages(fields, "requests", words),
        max_response_bytes: messages(fields, "responses", words),
    }
}

/// `requests` or `responses`: most bytes; none if the messages are not logged.
fn messages(fields: &Fields<'_, '_>, key: &'static str, words: &Words) -> Option<usize> {
    let fields = fields.map(key)?;
    let is_logged = word(&fields, "messages", ["none", "all"]);
    let tree = fields.get(words.size);
    let n_bytes = match tree.map(|tree| (tree, settings::bytes(&fields, words.size))) {
        None | Some((_, None)) => DEFAULT_LLM_LOG_BYTES,
        Some((tree, Some(n_bytes))) => {
            let n_bytes = usize::try_from(n_bytes).unwrap_or(usize::MAX);
            if n_bytes > MAX_LLM_LOG_BYTES {
                let message = format!("`{}` is at most {MAX_LLM_LOG_BYTES}", words.size);
                let place = Place::from(tree);
                fields.report(place.warning(codes::BAD_VALUE, message).help("2 MiB are logged"));
            }
            n_bytes.min(MAX_LLM_LOG_BYTES)
        }
    };
    fields.finish();
    is_logged.then_some(n_bytes)
}

/// Whether the second of two words is there; the first is the default. Letter case does not matter.
fn word(fields: &Fields<'_, '_>, key: &'static str, [no, yes]: [&str; 2]) -> bool {
    let Some(found) = fields.filled(key) else { return false };
    if !found.eq_ignore_ascii_case(no) && !found.eq_ignore_ascii_case(yes) {
        let message = format!("`{key}` is `{yes}` or `{no}`, not `{found}`");
        let tree = fields.get(key).unwrap_or(fields.tree());
        let near = document::closest(&found, [no, yes]);
        let problem = tree.error(codes::BAD_VALUE, message);
        fields.report(match near {
            Some(near) => problem.label(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
    found.eq_ignore_ascii_case(yes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    const ALL: &str = "diagnostics/azuremonitor/diagnosticInformation.json";

    fn one(properties: &str) -> (DiagnosticEntity, Vec<String>) {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let (mut entities, problems) = read(&[(ALL, &text)]);
        (entities.diagnostics.pop().unwrap(), problems)
    }

    #[test]
    fn what_azure_writes_is_read() {
        let (it, problems) = one(
            r#"{"loggerId":"/subscriptions/s/x/loggers/azuremonitor","alwaysLog":"allErrors",
            "largeLanguageModel":{"logs":"enabled","requests":{"messages":"all","maxSizeInBytes":262144},
            "responses":{"messages":"all"}}}"#,
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!((it.id.as_str(), it.logger.as_deref()), ("azuremonitor", Some("azuremonitor")));
        let expected = LlmEntity {
            is_enabled: true,
            max_request_bytes: Some(262_144),
            max_response_bytes: Some(32_768),
        };
        assert_eq!(it.llm, Some(expected));
    }

    #[test]
    fn everything_is_off_unless_it_is_said() {
        for (properties, expected) in [
            (r#"{"largeLanguageModel":{}}"#, LlmEntity::default()),
            (
                r#"{"largeLanguageModel":{"logs":"Enabled"}}"#,
                LlmEntity { is_enabled: true, ..LlmEntity::default() },
            ),
            (
                r#"{"largeLanguageModel":{"logs":"disabled","requests":{"messages":"all","maxSizeInBytes":5},
                "responses":{"messages":"none","maxSizeInBytes":5}}}"#,
                LlmEntity { max_request_bytes: Some(5), ..LlmEntity::default() },
            ),
        ] {
            assert_eq!(one(properties), (one(properties).0, vec![]), "{properties}");
            assert_eq!(one(properties).0.llm, Some(expected), "{properties}");
        }
        let (it, problems) = one(r#"{"loggerId":"azuremonitor","verbosity":"error"}"#);
        assert_eq!(it.llm, None);
        let note = "PC0508 diagnostics without `largeLanguageModel` have no effect in this version: `azuremonitor`";
        assert_eq!(problems, [note]);
    }

    #[test]
    fn mistakes_are_told() {
        for (llm, problem) in [
            (r#"{"log":"enabled"}"#, "PC0503 unknown key `log`"),
            (r#"{"requests":{"message":"all"}}"#, "PC0503 unknown key `message`"),
            (r#"{"logs":"enabeld"}"#, "PC0506 `logs` is `enabled` or `disabled`, not `enabeld`"),
            (
                r#"{"responses":{"messages":"some"}}"#,
                "PC0506 `messages` is `all` or `none`, not `some`",
            ),
            (
                r#"{"requests":{"messages":"all","maxSizeInBytes":2097153}}"#,
                "PC0506 `maxSizeInBytes` is at most 2097152",
            ),
            (r#"{"requests":"all"}"#, "PC0504 `requests` must be a map, found a text"),
        ] {
            let (_, problems) = one(&format!(r#"{{"largeLanguageModel":{llm}}}"#));
            assert_eq!(problems, [problem], "{llm}");
        }
    }

    #[test]
    fn an_api_has_its_own() {
        let (entities, problems) = read(&[
            ("apis/chat/apiInformation.json", r#"{"properties":{"path":"chat"}}"#),
            (
                "apis/chat/diagnostics/azuremonitor/diagnosticInformation.json",
                r#"{"properties":{"largeLanguageModel":{"logs":"enabled"}}}"#,
            ),
            ("apis/chat/diagnostics/applicationinsights/diagnosticInformation.json", "{}"),
        ]);
        let found: Vec<(&str, bool)> = entities.apis[0]
            .diagnostics
            .iter()
            .map(|it| (it.id.as_str(), it.llm.is_some()))
            .collect();
        assert_eq!(found, [("applicationinsights", false), ("azuremonitor", true)]);
        assert_eq!(problems, [""; 0]);
    }
}
