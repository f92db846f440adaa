//! What a policy sees of a request to a model.

use std::fmt;

use bytes::Bytes;
use expr::Uses;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method};
use llm::{Format, Json, ModelRequest, Tokenizer, count_prompt, model_in_path};
use pipeline::{Body, Context, Message, PolicyError};

/// A prompt is counted beside the worker if its body is longer.
const MAX_BYTES_HERE: usize = 64 << 10;
/// The first version of Azure OpenAI that knows `stream_options`.
const FIRST_WITH_STREAM_OPTIONS: &str = "2024-09-01";

/// A request to a model, as far as its format is known. `Debug` shows no prompt.
pub(crate) struct ModelCall {
    /// How it is written.
    pub(crate) format: Format,
    /// Names of the model: of the path, of the body.
    pub(crate) models: Vec<String>,
    /// Whether the answer is to be a stream.
    pub(crate) is_stream: bool,
    /// Whether the request asks that the stream tells its usage.
    pub(crate) asks_for_usage: bool,
    /// Most tokens of all completions together, if the request bounds them.
    pub(crate) max_completion_tokens: Option<u64>,
    /// Tokens of the prompt at four letters each: quick, for what nobody sees.
    pub(crate) rough_prompt_tokens: u64,
    path: String,
    has_anthropic_version: bool,
    body: Bytes,
}

impl ModelCall {
    /// Reads the request. A body that is no JSON (sound, files) stays a stream.
    ///
    /// # Errors
    ///
    /// The body is larger than policies may hold (413), or breaks off.
    pub(crate) async fn of(context: &mut Context) -> Result<ModelCall, PolicyError> {
        let body = match is_json(&context.request.headers) {
            true => {
                context.buffer(Uses::REQUEST_BODY).await?;
                context.request.body.as_bytes().unwrap_or_default()
            }
            false => Bytes::new(),
        };
        let original = context.request.original_url.path();
        let path = match Format::of_path(original) {
            None => context.request.url.path(),
            Some(_) => original,
        };
        let has_anthropic_version = context.request.headers.contains_key("anthropic-version");
        let request = ModelRequest::read(path, has_anthropic_version, &body);
        let mut models: Vec<String> = Vec::new();
        models.extend(model_in_path(original).map(String::from));
        models.extend(request.model.as_deref().map(str::to_owned));
        let n = request.n.unwrap_or(1).max(1);
        Ok(ModelCall {
            format: request.format,
            is_stream: request.is_stream,
            asks_for_usage: request.asks_for_usage,
            max_completion_tokens: request.max_tokens.map(|it| it.saturating_mul(n)),
            rough_prompt_tokens: count_prompt(&request, Tokenizer::default()),
            models,
            path: path.to_owned(),
            has_anthropic_version,
            body: body.clone(),
        })
    }

    /// The tokenizer of the model; `answered` is the model's name in the answer.
    pub(crate) fn tokenizer(&self, answered: Option<&str>) -> Tokenizer {
        Tokenizer::of_models(self.models.iter().map(String::as_str).chain(answered))
    }

    /// Whether the request only looks at what was made before, such as a stored response or a batch,
    /// or deletes it: the usage that its answer tells was paid for.
    pub(crate) fn is_lookup(&self, context: &Context) -> bool {
        let methods = [Method::GET, Method::HEAD, Method::DELETE];
        self.body.is_empty() && methods.contains(&context.request.method) && !context.is_handshake()
    }

    /// The body, as the client sent it.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Counts the prompt with the model's vocabulary. A vocabulary that is not loaded yet and a long
    /// prompt keep no worker busy.
    pub(crate) async fn count_prompt(&self) -> u64 {
        let tokenizer = self.tokenizer(None);
        if tokenizer.is_loaded() && self.body.len() <= MAX_BYTES_HERE {
            return count(&self.path, self.has_anthropic_version, &self.body, tokenizer);
        }
        let (path, body) = (self.path.clone(), self.body.clone());
        let has_version = self.has_anthropic_version;
        let counted = tokio::task::spawn_blocking(move || {
            tokenizer.load();
            count(&path, has_version, &body, tokenizer)
        });
        // It does not panic; a runtime that is shutting down drops it, and the request with it.
        counted.await.unwrap_or(self.rough_prompt_tokens)
    }

    /// Has the answer come in a way that can be read: without compression, and with its usage if it
    /// is a stream that tells it on request. Gives whether an event was asked for that the client
    /// did not ask for.
    pub(crate) fn ask_for_usage(&self, context: &mut Context) -> bool {
        context.request.headers.remove(ACCEPT_ENCODING);
        let tells = self.is_stream && self.format.tells_usage_on_request();
        if !tells || self.asks_for_usage || !knows_stream_options(context) {
            return false;
        }
        let Some(body) = with_usage(&self.body) else { return false };
        context.set_body(Message::Request, Body::bytes(body));
        true
    }
}

impl fmt::Debug for ModelCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelCall")
            .field("format", &self.format)
            .field("models", &self.models)
            .field("is_stream", &self.is_stream)
            .finish_non_exhaustive()
    }
}

fn count(path: &str, has_anthropic_version: bool, body: &[u8], tokenizer: Tokenizer) -> u64 {
    count_prompt(&ModelRequest::read(path, has_anthropic_version, body), tokenizer)
}

/// Whether the body is JSON, as far as its type tells; without a type it may be.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let subtype = essence.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    subtype == "json" || subtype.ends_with("+json")
}

/// Versions of Azure OpenAI before `stream_options` refuse it; other services have no version.
fn knows_stream_options(context: &Context) -> bool {
    let query = context.request.url.query();
    let version =
        query.trim_start_matches('?').split('&').find_map(|it| it.strip_prefix("api-version="));
    version.is_none_or(|it| {
        it.get(..10).is_none_or(|date| {
            !date.starts_with(|it: char| it.is_ascii_digit()) || date >= FIRST_WITH_STREAM_OPTIONS
        })
    })
}

/// The request with `stream_options.include_usage`; none if it is no JSON object.
fn with_usage(body: &[u8]) -> Option<Vec<u8>> {
    const MEMBER: &str = r#""stream_options":{"include_usage":true}"#;
    let json = Json::of_bytes(body)?;
    let (mut n_members, mut has_options) = (0, false);
    json.each_member(|name, _| {
        n_members += 1;
        has_options |= name == "stream_options";
    });
    if !has_options && n_members > 0 {
        let open = json.text().strip_suffix('}')?.trim_end();
        return Some(format!("{open},{MEMBER}}}").into_bytes());
    }
    let mut value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let options = value.as_object_mut()?.entry("stream_options").or_insert_with(Default::default);
    if !options.is_object() {
        *options = serde_json::Value::Object(serde_json::Map::new());
    }
    options.as_object_mut()?.insert("include_usage".to_owned(), true.into());
    serde_json::to_vec(&value).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_stream_is_asked_for_its_usage_and_nothing_else_changes() {
        let asked =
            |body: &str| with_usage(body.as_bytes()).map(|it| String::from_utf8(it).unwrap());
        for (body, expected) in [
            (
                r#"{"model":"x","n":1.50 } "#,
                Some(r#"{"model":"x","n":1.50,"stream_options":{"include_usage":true}}"#),
            ),
            (
                r#"{"n":1.50,"stream_options":{"include_usage":false,"x":1}}"#,
                Some(r#"{"n":1.50,"stream_options":{"include_usage":true,"x":1}}"#),
            ),
            (
                r#"{"stream_options":null,"a":1}"#,
                Some(r#"{"stream_options":{"include_usage":true},"a":1}"#),
            ),
            ("{}", Some(r#"{"stream_options":{"include_usage":true}}"#)),
            ("[]", None),
            ("oops", None),
        ] {
            assert_eq!(asked(body).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn json_is_told_by_its_type() {
        for (text, expected) in [
            (None, true),
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("application/problem+json"), true),
            (Some("multipart/form-data; boundary=json"), false),
            (Some("text/event-stream"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(text) = text {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(text));
            }
            assert_eq!(is_json(&headers), expected, "{text:?}");
        }
    }
}
