//! The entries of one call of a model, with the column names of Azure's `ApiManagementGatewayLlmLog`.
//!
//! The first entry (`SequenceNumber` 0) has the tokens and the model, the next ones the prompt, those
//! behind them the completions. `CorrelationId` joins them, and them with the access log.
//!
//! Source: <https://learn.microsoft.com/azure/azure-monitor/reference/tables/apimanagementgatewayllmlog>

use std::borrow::Cow;
use std::time::SystemTime;

use llm::Usage;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use telemetry::{LogEvent, Timestamp, TraceContext, Value};

use super::items::Item;

/// OpenTelemetry's name of the event.
const EVENT: &str = "gen_ai.client.inference.operation.details";

/// What all entries of a call have.
#[derive(Clone, Debug)]
pub(super) struct Common {
    pub(super) received: SystemTime,
    pub(super) correlation_id: String,
    pub(super) region: String,
    pub(super) api: Option<String>,
    pub(super) span: Option<TraceContext>,
    /// Of OpenTelemetry's conventions.
    pub(super) operation: &'static str,
    pub(super) provider: &'static str,
}

/// What the first entry has. Texts are without secrets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Summary {
    pub(super) api_version: Option<String>,
    pub(super) subscription: Option<String>,
    pub(super) deployment: Option<String>,
    pub(super) request_model: Option<String>,
    pub(super) response_model: Option<String>,
    pub(super) response_id: Option<String>,
    pub(super) is_stream: bool,
    pub(super) usage: Option<Usage>,
    pub(super) finish_reasons: Vec<String>,
    pub(super) n_request_bytes_left_out: u64,
    pub(super) n_response_bytes_left_out: u64,
}

/// One entry.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) common: &'a Common,
    pub(super) number: usize,
    pub(super) holds: Holds<'a>,
}

/// What an entry holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holds<'a> {
    Summary(&'a Summary),
    Request(&'a [Item]),
    Response(&'a [Item]),
}

/// The columns. Those without a value are left out; the last two are not Azure's.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Columns<'a> {
    #[serde(serialize_with = "timestamp")]
    time_generated: SystemTime,
    correlation_id: &'a str,
    operation_name: &'static str,
    category: &'static str,
    sequence_number: usize,
    #[serde(skip_serializing_if = "str::is_empty")]
    region: &'a str,
    #[serde(flatten)]
    summary: Option<SummaryColumns<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_messages: Option<&'a [Item]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_messages: Option<&'a [Item]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SummaryColumns<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    api_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apim_subscription_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    is_stream_completion: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_tokens: Option<u64>,
    #[serde(skip_serializing_if = "is_zero")]
    request_bytes_left_out: u64,
    #[serde(skip_serializing_if = "is_zero")]
    response_bytes_left_out: u64,
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.columns().serialize(serializer)
    }
}

impl<'a> Entry<'a> {
    fn columns(&self) -> Columns<'a> {
        let messages = |it: &Holds<'a>| match *it {
            Holds::Summary(_) => (None, None),
            Holds::Request(items) => (Some(items), None),
            Holds::Response(items) => (None, Some(items)),
        };
        let (request_messages, response_messages) = messages(&self.holds);
        Columns {
            time_generated: self.common.received,
            correlation_id: &self.common.correlation_id,
            operation_name: "Microsoft.ApiManagement/GatewayLlmLogs",
            category: "GatewayLlmLogs",
            sequence_number: self.number,
            region: &self.common.region,
            summary: match self.holds {
                Holds::Summary(it) => Some(it.columns(self.common.api.as_deref())),
                Holds::Request(_) | Holds::Response(_) => None,
            },
            request_messages,
            response_messages,
        }
    }

    /// The entry as an event of OpenTelemetry, with its names.
    pub(super) fn event(&self) -> LogEvent {
        let common = self.common;
        let mut all: Vec<(Cow<'static, str>, Value)> = vec![
            ("CorrelationId".into(), common.correlation_id.as_str().into()),
            ("SequenceNumber".into(), (self.number as u64).into()),
            ("gen_ai.operation.name".into(), common.operation.into()),
            ("gen_ai.provider.name".into(), common.provider.into()),
        ];
        if let Some(api) = &common.api {
            all.push(("portcullis.api".into(), api.as_str().into()));
        }
        let messages = |items: &[Item]| {
            let messages: Vec<Json> = items.iter().map(Item::as_message).collect();
            Value::Text(Json::Array(messages).to_string())
        };
        match self.holds {
            Holds::Summary(it) => it.attributes(&mut all),
            Holds::Request(items) => all.push(("gen_ai.input.messages".into(), messages(items))),
            Holds::Response(items) => all.push(("gen_ai.output.messages".into(), messages(items))),
        }
        LogEvent {
            time: common.received,
            name: EVENT,
            body: format!("{} {} #{}", common.operation, common.correlation_id, self.number),
            attributes: all,
            context: common.span,
        }
    }
}

impl Summary {
    fn columns<'a>(&'a self, api: Option<&'a str>) -> SummaryColumns<'a> {
        SummaryColumns {
            api_id: api,
            apim_subscription_id: self.subscription.as_deref(),
            api_version: self.api_version.as_deref(),
            deployment_name: self.deployment.as_deref(),
            model_name: self.response_model.as_deref().or(self.request_model.as_deref()),
            request_id: self.response_id.as_deref(),
            is_stream_completion: self.is_stream,
            prompt_tokens: self.usage.map(|it| it.prompt_tokens),
            completion_tokens: self.usage.map(|it| it.completion_tokens),
            total_tokens: self.usage.map(|it| it.total_tokens),
            request_bytes_left_out: self.n_request_bytes_left_out,
            response_bytes_left_out: self.n_response_bytes_left_out,
        }
    }

    fn attributes(&self, all: &mut Vec<(Cow<'static, str>, Value)>) {
        let texts = [
            ("gen_ai.request.model", self.deployment.as_ref().or(self.request_model.as_ref())),
            ("gen_ai.response.model", self.response_model.as_ref()),
            ("gen_ai.response.id", self.response_id.as_ref()),
            ("portcullis.subscription", self.subscription.as_ref()),
        ];
        for (name, text) in texts {
            all.extend(text.map(|it| (name.into(), it.as_str().into())));
        }
        all.push(("gen_ai.request.stream".into(), Value::Bool(self.is_stream)));
        if !self.finish_reasons.is_empty() {
            let reasons = Value::List(self.finish_reasons.clone());
            all.push(("gen_ai.response.finish_reasons".into(), reasons));
        }
        if let Some(usage) = self.usage {
            all.push(("gen_ai.usage.input_tokens".into(), usage.prompt_tokens.into()));
            all.push(("gen_ai.usage.output_tokens".into(), usage.completion_tokens.into()));
        }
        let left_out = [
            ("RequestBytesLeftOut", self.n_request_bytes_left_out),
            ("ResponseBytesLeftOut", self.n_response_bytes_left_out),
        ];
        for (name, n_bytes) in left_out.into_iter().filter(|(_, n_bytes)| *n_bytes > 0) {
            all.push((name.into(), n_bytes.into()));
        }
    }
}

fn timestamp<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Timestamp(*time))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common() -> Common {
        Common {
            received: SystemTime::UNIX_EPOCH,
            correlation_id: "id".to_owned(),
            region: "here".to_owned(),
            api: Some("chat".to_owned()),
            span: None,
            operation: "chat",
            provider: "azure.ai.openai",
        }
    }

    fn summary() -> Summary {
        Summary {
            api_version: Some("2024-10-21".to_owned()),
            deployment: Some("gpt-4o".to_owned()),
            response_model: Some("gpt-4o-2024-11-20".to_owned()),
            response_id: Some("chatcmpl-1".to_owned()),
            usage: Some(Usage {
                prompt_tokens: 7,
                completion_tokens: 5,
                total_tokens: 12,
                ..Usage::default()
            }),
            finish_reasons: vec!["stop".to_owned()],
            n_response_bytes_left_out: 3,
            ..Summary::default()
        }
    }

    #[test]
    fn the_first_entry_has_azures_columns() {
        let (common, summary) = (common(), summary());
        let entry = Entry { common: &common, number: 0, holds: Holds::Summary(&summary) };
        assert_eq!(
            serde_json::to_string(&entry).unwrap(),
            r#"{"TimeGenerated":"1970-01-01T00:00:00.000Z","CorrelationId":"id","OperationName":"Microsoft.ApiManagement/GatewayLlmLogs","Category":"GatewayLlmLogs","SequenceNumber":0,"Region":"here","ApiId":"chat","ApiVersion":"2024-10-21","DeploymentName":"gpt-4o","ModelName":"gpt-4o-2024-11-20","RequestId":"chatcmpl-1","IsStreamCompletion":false,"PromptTokens":7,"CompletionTokens":5,"TotalTokens":12,"ResponseBytesLeftOut":3}"#
        );
    }

    #[test]
    fn messages_have_no_deployment_so_that_sums_count_once() {
        let common = common();
        let role = Some("user".to_owned());
        let items = [Item { role, content: "Hi".to_owned(), ..Item::default() }];
        for (holds, column) in [
            (Holds::Request(&items), "RequestMessages"),
            (Holds::Response(&items), "ResponseMessages"),
        ] {
            let entry = Entry { common: &common, number: 3, holds };
            assert_eq!(
                serde_json::to_string(&entry).unwrap(),
                format!(
                    r#"{{"TimeGenerated":"1970-01-01T00:00:00.000Z","CorrelationId":"id","OperationName":"Microsoft.ApiManagement/GatewayLlmLogs","Category":"GatewayLlmLogs","SequenceNumber":3,"Region":"here","{column}":[{{"role":"user","content":"Hi"}}]}}"#
                )
            );
        }
    }

    #[test]
    fn events_have_the_names_of_opentelemetry() {
        let (common, summary) = (common(), summary());
        let of = |number, holds| Entry { common: &common, number, holds }.event();
        let event = of(0, Holds::Summary(&summary));
        assert_eq!(event.name, "gen_ai.client.inference.operation.details");
        let found = |event: &LogEvent, name: &str| {
            event.attributes.iter().find(|it| it.0 == name).map(|it| it.1.clone())
        };
        assert_eq!(found(&event, "gen_ai.usage.output_tokens"), Some(Value::Int(5)));
        assert_eq!(found(&event, "gen_ai.request.model"), Some("gpt-4o".into()));
        assert_eq!(found(&event, "ResponseBytesLeftOut"), Some(Value::Int(3)));
        let items = [Item { content: "Hi".to_owned(), ..Item::default() }];
        let event = of(2, Holds::Response(&items));
        let text = r#"[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]"#;
        assert_eq!(found(&event, "gen_ai.output.messages"), Some(text.into()));
        assert_eq!(found(&event, "SequenceNumber"), Some(Value::Int(2)));
        assert_eq!(found(&event, "gen_ai.usage.output_tokens"), None);
    }
}
