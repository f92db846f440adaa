//! What a path of Azure OpenAI asks for.

use http::Method;

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Chat,
    Completions,
    Embeddings,
    Responses,
    Models,
    Realtime,
    /// Of Anthropic's API.
    Messages,
    /// Of Gemini's API.
    Generate {
        /// Whether it is `streamGenerateContent`.
        is_stream: bool,
    },
}

impl Operation {
    /// As a refusal for the wrong model names it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Chat | Self::Messages | Self::Generate { .. } => "chatCompletion",
            Self::Completions => "completion",
            Self::Embeddings => "embeddings",
            Self::Responses => "responses",
            Self::Models => "models",
            Self::Realtime => "realtime",
        }
    }

    /// As a refusal over a limit names it.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Chat => "ChatCompletions_Create",
            Self::Completions => "Completions_Create",
            Self::Embeddings => "Embeddings_Create",
            Self::Responses => "Responses_Create",
            Self::Models => "Models_List",
            Self::Realtime => "Realtime_Connect",
            Self::Messages => "Messages_Create",
            Self::Generate { .. } => "Models_GenerateContent",
        }
    }
}

/// An operation and the deployment that the path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) deployment: Option<String>,
}

impl Call {
    /// What `path` asks for; `has_version` says whether the query has an `api-version`.
    pub(super) fn parse(method: &Method, path: &str, has_version: bool) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
        let (deployment, rest) = match segments.as_slice() {
            ["openai", "deployments", deployment, rest @ ..] if has_version => {
                (Some((*deployment).to_owned()), rest)
            }
            ["openai", "v1", rest @ ..] => (None, rest),
            ["openai", rest @ ..] if has_version && Self::is_undeployed(rest) => (None, rest),
            ["anthropic", "v1", "messages"] => return post(method, Operation::Messages, None),
            [.., "models", last] => return gemini(method, last),
            _ => return None,
        };
        let operation = match rest {
            ["chat", "completions"] => Operation::Chat,
            ["completions"] => Operation::Completions,
            ["embeddings"] => Operation::Embeddings,
            ["responses"] if deployment.is_none() => Operation::Responses,
            ["models"] if deployment.is_none() => return get(method, Operation::Models),
            ["realtime"] if deployment.is_none() => return get(method, Operation::Realtime),
            _ => return None,
        };
        post(method, operation, deployment)
    }

    /// Whether it is an operation that never stands under a deployment.
    fn is_undeployed(rest: &[&str]) -> bool {
        matches!(rest, ["responses" | "realtime" | "models"])
    }
}

fn post(method: &Method, operation: Operation, deployment: Option<String>) -> Option<Call> {
    (method == Method::POST).then_some(Call { operation, deployment })
}

fn get(method: &Method, operation: Operation) -> Option<Call> {
    (method == Method::GET).then_some(Call { operation, deployment: None })
}

fn gemini(method: &Method, last: &str) -> Option<Call> {
    let (model, action) = last.split_once(':')?;
    let is_stream = match action {
        "generateContent" => false,
        "streamGenerateContent" => true,
        _ => return None,
    };
    post(method, Operation::Generate { is_stream }, Some(model.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_surfaces_are_understood_and_a_version_is_needed_on_one() {
        let post = |path, has_version| {
            Call::parse(&Method::POST, path, has_version).map(|it| (it.operation, it.deployment))
        };
        let deployed = Some((Operation::Chat, Some("d".to_owned())));
        assert_eq!(post("/openai/deployments/d/chat/completions", true), deployed);
        for (path, has_version, operation) in [
            ("/openai/deployments/d/chat/completions", false, None),
            ("/openai/deployments/d/responses", true, None),
            ("/openai/v1/embeddings", false, Some(Operation::Embeddings)),
            ("/openai/v1/responses", false, Some(Operation::Responses)),
            ("/openai/responses", true, Some(Operation::Responses)),
            ("/openai/responses", false, None),
            ("/openai/v1//openai/v1/chat/completions", false, None),
            ("/anthropic/v1/messages", false, Some(Operation::Messages)),
        ] {
            assert_eq!(post(path, has_version).map(|it| it.0), operation, "{path}");
        }
    }

    #[test]
    fn each_operation_has_its_method() {
        let is_call = |method, path| Call::parse(&method, path, true).is_some();
        assert!(!is_call(Method::GET, "/openai/v1/embeddings"));
        assert!(is_call(Method::GET, "/openai/v1/models"));
        assert!(is_call(Method::GET, "/openai/realtime"));
        assert!(!is_call(Method::POST, "/openai/v1/models"));
    }

    #[test]
    fn geminis_paths_end_in_model_and_action() {
        for path in [
            "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
            "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:streamGenerateContent",
        ] {
            let call = Call::parse(&Method::POST, path, false).unwrap();
            assert_eq!(call.operation, Operation::Generate { is_stream: true });
            assert_eq!(call.deployment.unwrap(), "gemini-2.5-flash");
        }
        assert!(Call::parse(&Method::POST, "/v1beta/models/m:countTokens", false).is_none());
    }
}
