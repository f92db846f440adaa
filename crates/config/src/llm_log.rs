//! Which calls of models are logged, and what must not stand in the records.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-llm-logs>

use std::sync::Arc;

use document::Diagnostic;
use http::HeaderValue;
use pipeline::{
    Extensions, HubCredentials, LlmLog, LlmLogging, LogTarget, Logger, Loggers, Pipeline,
};
use telemetry::Secrets;

use crate::codes;
use crate::entity::{AZURE_MONITOR, ApiEntity, DiagnosticEntity, Entities};
use crate::resolve::Resolved;
use crate::snapshot::ApiKind;

/// Adds logging to pipelines, where a diagnostic wants it and somebody can.
pub(crate) struct Logging<'a> {
    diagnostics: &'a [DiagnosticEntity],
    loggers: Arc<Loggers>,
    secrets: Arc<Secrets>,
    how: Option<Arc<LlmLogging>>,
    extensions: &'a Extensions,
}

impl<'a> Logging<'a> {
    /// `loggers` are the resolved ones. The secrets of all of `resolved` are kept out of logs.
    pub(crate) fn new(
        entities: &'a Entities,
        resolved: &[&Resolved],
        loggers: Arc<Loggers>,
        extensions: &'a Extensions,
        problems: &mut Vec<Diagnostic>,
    ) -> Logging<'a> {
        let wants = |it: &DiagnosticEntity| it.llm.is_some_and(|it| it.is_enabled);
        let of_apis = entities.apis.iter().flat_map(|it| &it.diagnostics);
        let first = entities.diagnostics.iter().chain(of_apis).find(|it| wants(it));
        let secrets = first.map(|first| {
            let found: Vec<String> = resolved.iter().flat_map(|it| secrets(it, &loggers)).collect();
            Secrets::new(found.iter().map(String::as_str)).unwrap_or_else(|error| {
                problems.push(first.place.error(codes::BAD_VALUE, error.to_string()));
                Secrets::default()
            })
        });
        let secrets = Arc::new(secrets.unwrap_or_default());
        let diagnostics = &entities.diagnostics;
        Logging { diagnostics, loggers, secrets, how: extensions.get(), extensions }
    }

    /// What is logged of an API: its own diagnostics go over those of the same name for all.
    pub(crate) fn of(&self, api: &ApiEntity, problems: &mut Vec<Diagnostic>) -> Vec<LlmLog> {
        if !matches!(api.kind, ApiKind::Http | ApiKind::Models) {
            return Vec::new();
        }
        let is_own = |it: &DiagnosticEntity| {
            api.diagnostics.iter().any(|own| own.id.eq_ignore_ascii_case(&it.id))
        };
        let inherited = self.diagnostics.iter().filter(|it| !is_own(it));
        let all = api.diagnostics.iter().chain(inherited);
        all.filter_map(|it| self.log(it, problems)).collect()
    }

    fn log(&self, entity: &DiagnosticEntity, problems: &mut Vec<Diagnostic>) -> Option<LlmLog> {
        let llm = entity.llm.filter(|it| it.is_enabled)?;
        Some(LlmLog {
            diagnostic: entity.id.clone(),
            logger: self.logger(entity, problems)?,
            max_request_bytes: llm.max_request_bytes,
            max_response_bytes: llm.max_response_bytes,
        })
    }

    /// The logger of a diagnostic; none within: the gateway's own log.
    fn logger(
        &self,
        entity: &DiagnosticEntity,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Option<Arc<Logger>>> {
        let id = entity.logger.as_deref().unwrap_or(match entity.id.as_str() {
            // It is of another kind than the gateway's own log.
            it if it.eq_ignore_ascii_case("applicationinsights") => it,
            _ => AZURE_MONITOR,
        });
        let unusable = |why: &str| {
            let message = format!(
                "diagnostic `{}` logs calls of models to `{id}`, which has no effect: {why}",
                entity.id
            );
            let help = "name a logger of type `azureMonitor`, `azureEventHub` or `file`";
            entity.place.warning(codes::LEFT_OUT, message).help(help)
        };
        let Some(logger) = self.loggers.get(id) else {
            if id.eq_ignore_ascii_case(AZURE_MONITOR) {
                return Some(None);
            }
            if entity.logger.is_none() {
                problems.push(unusable("there is no such logger"));
                return None;
            }
            let message = format!("diagnostic `{}`: unknown logger `{id}`", entity.id);
            let problem = entity.place.error(document::codes::UNKNOWN_LOGGER, message);
            problems.push(match document::closest(id, self.loggers.names()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help("without a logger, records go to the gateway's own log"),
            });
            return None;
        };
        match &logger.target {
            LogTarget::Own => Some(None),
            LogTarget::EventHub(_) | LogTarget::File(_) | LogTarget::Unread => {
                Some(Some(Arc::clone(logger)))
            }
            LogTarget::Unusable(why) => {
                problems.push(unusable(why));
                None
            }
        }
    }

    /// The pipeline with logging; the same one if there is nothing to log.
    pub(crate) fn around(&self, pipeline: Arc<Pipeline>, logs: &[LlmLog]) -> Arc<Pipeline> {
        match &self.how {
            Some(how) if !logs.is_empty() => {
                let steps = (how.0)(logs, &self.secrets, self.extensions);
                Arc::new(pipeline.with_llm_log(steps))
            }
            _ => pipeline,
        }
    }
}

/// Every secret that a configuration knows.
fn secrets(resolved: &Resolved, loggers: &Loggers) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in resolved.named_values.names() {
        if let Some(value) = resolved.named_values.get(name).filter(|it| it.is_secret())
            && let Ok(text) = value.text()
        {
            all.push(text.to_string());
        }
    }
    let keys = resolved.subscriptions.iter().flat_map(|it| &it.keys);
    all.extend(keys.map(|it| it.expose().to_owned()));
    for backend in resolved.backends.values() {
        let credentials = &backend.credentials;
        let headers = credentials.headers.iter().flat_map(|(_, values)| values);
        for value in headers.chain(&credentials.authorization) {
            all.extend(header(value));
        }
        let query = credentials.query.iter().flat_map(|(_, values)| values);
        all.extend(query.map(|it| it.expose().to_owned()));
        if let Some(aws) = &credentials.aws {
            all.push(aws.secret_access_key.expose().to_owned());
            all.extend(aws.session_token.as_ref().map(|it| it.expose().to_owned()));
        }
    }
    for logger in loggers.iter() {
        if let LogTarget::EventHub(hub) = &logger.target
            && let HubCredentials::SharedKey { key, .. } = &hub.credentials
        {
            all.push(key.expose().to_owned());
        }
    }
    all
}

/// A header's value, and what stands behind its scheme.
fn header(value: &HeaderValue) -> Vec<String> {
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let behind = text.split_once(' ').map(|(_, behind)| behind.trim().to_owned());
    behind.into_iter().chain([text]).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use pipeline::{Context, Flow, Immediate, LlmLogSteps, PolicyError, Registry, Step};

    use super::*;
    use crate::load::{Engine, Loaded, Options, load};
    use crate::secret_source::NoSecrets;
    use crate::source::Source;

    #[derive(Debug)]
    struct Nothing;

    impl Immediate for Nothing {
        fn apply(&self, _: &mut Context) -> Result<Flow, PolicyError> {
            Ok(Flow::Next)
        }
    }

    /// What logging was asked for, in order.
    #[derive(Debug, Default)]
    struct Asked(Mutex<Vec<String>>);

    fn steps(logs: &[LlmLog], secrets: &Arc<Secrets>, extensions: &Extensions) -> LlmLogSteps {
        let asked: Arc<Asked> = extensions.shared();
        let logs: Vec<String> = logs
            .iter()
            .map(|it| {
                let logger = it.logger.as_ref().map_or("own", |it| it.id.as_str());
                let of = |it: Option<usize>| it.unwrap_or_default();
                let sizes = (of(it.max_request_bytes), of(it.max_response_bytes));
                format!("{} {logger} {} {}", it.diagnostic, sizes.0, sizes.1)
            })
            .collect();
        let text = secrets.hide("named-secret sub-key backend-key plain", &[""; 0]).into_owned();
        asked.0.lock().unwrap().push(format!("{} | {text}", logs.join(", ")));
        LlmLogSteps { first: Step::immediate(Nothing), last: Step::immediate(Nothing) }
    }

    async fn run(files: &[(&str, &str)]) -> (Loaded, Vec<String>) {
        let source = Source::from_files(files.iter().map(|(name, text)| (*name, *text)));
        let mut extensions = Extensions::default();
        extensions.insert(Arc::new(LlmLogging(steps)));
        let engine = Engine { registry: &Registry::default(), extensions: &extensions };
        let loaded = load(&source, &Options::default(), &NoSecrets, engine).await;
        let asked: Arc<Asked> = extensions.shared();
        let asked = asked.0.lock().unwrap().clone();
        (loaded, asked)
    }

    fn told(loaded: &Loaded) -> Vec<String> {
        loaded.diagnostics.iter().map(|it| format!("{} {}", it.code, it.message)).collect()
    }

    #[tokio::test]
    async fn the_apis_diagnostic_goes_over_the_one_for_all() {
        let (loaded, mut asked) = run(&[(
            "portcullis.yaml",
            "named-values: { k: { value: named-secret } }\n\
             loggers: { f: { file: x.log, size: 1MiB } }\n\
             diagnostics:\n  azuremonitor: { large-language-model: { logs: enabled } }\n  \
             other: { logger: f, large-language-model: { logs: enabled, requests: { messages: all } } }\n\
             apis:\n  a: { url: 'https://a.test', key: false }\n  \
             b: { url: 'https://b.test', key: false, diagnostics: { AzureMonitor: { large-language-model: \
             { logs: enabled, requests: { messages: all, max-size: 64KiB }, responses: { messages: all } } } } }\n  \
             c: { url: 'https://c.test', key: false, diagnostics: { azuremonitor: {}, other: {} } }\n  \
             d: { websocket: true, url: 'ws://d.test', key: false }\n",
        )])
        .await;
        assert_eq!(told(&loaded), [""; 0]);
        asked.dedup();
        let text = "named-secret sub-key backend-key plain";
        assert_eq!(
            asked,
            [
                format!("azuremonitor own 0 0, other f 32768 0 | {text}"),
                format!("AzureMonitor own 65536 32768, other f 32768 0 | {text}"),
            ]
        );
        let snapshot = loaded.snapshot.unwrap();
        let logged: Vec<usize> =
            snapshot.apis.iter().map(|it| it.operations[0].pipeline.inbound.len()).collect();
        assert_eq!(logged, [2, 2, 0, 0], "nothing is added where nothing is logged");
        assert!(Arc::ptr_eq(&snapshot.apis[2].operations[0].pipeline, &snapshot.apis[2].pipeline));
    }

    #[tokio::test]
    async fn secrets_of_the_configuration_are_known() {
        let (_, asked) = run(&[
            ("diagnostics/azuremonitor/diagnosticInformation.json", r#"{"properties":{"loggerId":"/loggers/azuremonitor","largeLanguageModel":{"logs":"enabled"}}}"#),
            ("loggers/azuremonitor/loggerInformation.json", r#"{"properties":{"loggerType":"azureMonitor"}}"#),
            ("named values/k/namedValueInformation.json", r#"{"properties":{"value":"named-secret","secret":true}}"#),
            ("named values/p/namedValueInformation.json", r#"{"properties":{"value":"plain"}}"#),
            ("subscriptions/s/subscriptionInformation.json", r#"{"properties":{"scope":"/apis","state":"active","primaryKey":"sub-key"}}"#),
            ("backends/b/backendInformation.json", r#"{"properties":{"url":"https://b.test","credentials":{"header":{"api-key":["backend-key"]}}}}"#),
            ("apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#),
            ("apis/a/specification.yaml", "openapi: 3.0.1\npaths: { /y: { post: {} } }\n"),
        ])
        .await;
        assert_eq!(asked[0], "azuremonitor own 0 0 | *** *** *** plain");
    }

    #[tokio::test]
    async fn a_logger_that_cannot_be_used_is_told() {
        let of = async |diagnostics: &str| {
            let text = format!(
                "loggers: {{ prompts: {{ file: x }} }}\ndiagnostics: {diagnostics}\n\
                 apis: {{ a: {{ url: 'https://a.test', key: false }} }}\n"
            );
            let insights = r#"{"properties":{"loggerType":"applicationInsights"}}"#;
            let (loaded, asked) = run(&[
                ("portcullis.yaml", &text),
                ("loggers/insights/loggerInformation.json", insights),
            ])
            .await;
            let told: Vec<String> =
                told(&loaded).into_iter().filter(|it| !it.contains("`insights` has")).collect();
            (told, asked.len())
        };
        let llm = "large-language-model: { logs: enabled }";
        for (diagnostics, problem) in [
            (
                format!("{{ x: {{ logger: promtps, {llm} }} }}"),
                "PC0207 diagnostic `x`: unknown logger `promtps`",
            ),
            (
                format!("{{ x: {{ logger: insights, {llm} }} }}"),
                "PC0508 diagnostic `x` logs calls of models to `insights`, which has no effect: its type is `applicationInsights`",
            ),
            (
                format!("{{ applicationinsights: {{ {llm} }} }}"),
                "PC0508 diagnostic `applicationinsights` logs calls of models to `applicationinsights`, which has no effect: there is no such logger",
            ),
        ] {
            assert_eq!(of(&diagnostics).await, (vec![problem.to_owned()], 0), "{diagnostics}");
        }
        assert_eq!(of(&format!("{{ x: {{ {llm} }} }}")).await, (vec![], 1));
        let off = "{ x: { logger: nope, large-language-model: { logs: disabled } } }";
        assert_eq!(of(off).await, (vec![], 0));
    }
}
