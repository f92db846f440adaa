//! Calls to the Dapr sidecar, which `publish-to-dapr` and `invoke-dapr-binding` share.
//!
//! The sidecar is expected at `http://localhost:3500`; `hosts:` in the gateway's configuration
//! can send it elsewhere.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-dapr-policies>

use std::sync::Arc;
use std::time::Duration;

use expr::Value;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Uri};
use liquid::body::Reading;
use pipeline::url::encode;
use pipeline::{
    Attr, Blame, Body, CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow,
    PolicyError, Response, SharedContext, Unfit, ValueType,
};

use crate::outgoing::{Call, request, variable};
use crate::templates::Liquid;

/// Where the sidecar's interface begins.
pub(crate) const SIDECAR: &str = "http://localhost:3500/v1.0";

pub(crate) const IGNORE_ERROR: Attr = Attr::optional("ignore-error", "false")
    .one_of(&["true", "false"])
    .doc("Whether to go on if Dapr answers with an error or not at all.");
pub(crate) const RESPONSE_VARIABLE_NAME: Attr =
    Attr::absent_by_default("response-variable-name").doc("Variable that receives the response.");
pub(crate) const TIMEOUT: Attr = Attr::optional("timeout", "5")
    .expressions()
    .doc("Longest wait for the response, in seconds: 1 to 240.")
    .of(ValueType::Seconds);
pub(crate) const TEMPLATE: Attr = Attr::absent_by_default("template")
    .one_of(&["Liquid", "liquid"])
    .doc("How the content is read.");
pub(crate) const JSON: Attr = Attr::absent_by_default("content-type")
    .one_of(&["application/json"])
    .doc("Media type of the content.");

/// What both policies say of a call.
#[derive(Debug)]
pub(crate) struct Sidecar {
    ignore_error: bool,
    variable: Option<Arc<str>>,
    timeout: Computed<Wait>,
}

/// 1 to 240 seconds.
#[derive(Clone, Copy, Debug)]
struct Wait(Duration);

impl Convert for Wait {
    fn refuses(found: &expr::Type) -> Option<&'static str> {
        u32::refuses(found)
    }

    fn from_text(text: &str) -> Result<Wait, Unfit> {
        let seconds = text.trim().parse().ok().filter(|it| (1..=240).contains(it));
        let wait = seconds.map(|it| Wait(Duration::from_secs(it)));
        wait.ok_or_else(|| Unfit::wanted("an integer from 1 to 240").got(text.trim()))
    }
}

/// The content of a policy: a literal or expression, or a template.
#[derive(Debug)]
pub(crate) enum Content {
    Value(Computed<Value>),
    Liquid(Liquid),
}

impl Content {
    /// The content of `content` as `policy` says that it is read, and as `read` reads it without a
    /// template. Nothing if it has errors, which are reported.
    pub(crate) fn compile(
        policy: Element<'_>,
        content: Element<'_>,
        cx: &mut CompileCx<'_>,
        read: fn(&mut CompileCx<'_>, Element<'_>) -> Result<Computed<Value>, Diagnostic>,
    ) -> Result<Option<Content>, Diagnostic> {
        if policy.has(&TEMPLATE) {
            let liquid = Liquid::compile(content, cx, Reading::default())?;
            return Ok(liquid.map(Content::Liquid));
        }
        read(cx, content).map(|it| Some(Content::Value(it)))
    }

    /// What it is for a request.
    pub(crate) async fn get(&self, shared: &SharedContext<'_>) -> Result<Value, PolicyError> {
        let mut context = shared.lock().await;
        match self {
            Content::Value(value) => value.get(&context),
            Content::Liquid(liquid) => liquid.render(&mut context).await.map(Value::from),
        }
    }
}

/// A message to the sidecar: the path below its interface, and the body.
pub(crate) struct Message {
    pub(crate) path: String,
    pub(crate) body: Body,
    pub(crate) is_json: bool,
}

impl Sidecar {
    /// Reads the attributes above.
    pub(crate) fn compile(
        element: Element<'_>,
        cx: &mut CompileCx<'_>,
    ) -> Result<Sidecar, Diagnostic> {
        let variable: Option<String> = cx.literal_if(element, &RESPONSE_VARIABLE_NAME)?;
        Ok(Sidecar {
            ignore_error: cx.literal(element, &IGNORE_ERROR)?,
            variable: variable.map(Into::into),
            timeout: cx.attr(element, &TIMEOUT)?,
        })
    }

    /// Posts a message; other policies may use the context while Dapr works on it.
    pub(crate) async fn post(
        &self,
        shared: &SharedContext<'_>,
        message: impl Fn(&Context) -> Result<Message, PolicyError>,
    ) -> Result<Flow, PolicyError> {
        let call = {
            let context = shared.lock().await;
            self.call(&context, message(&context)?)?
        };
        let (value, failure) = match call.send().await {
            Ok(response) => {
                let status = response.status;
                let failure = (!status.is_success()).then(|| {
                    let message = format!("The Dapr runtime answered {}.", status.as_u16());
                    PolicyError::new("BackendErrorStatusCode", message).blame(Blame::Backend)
                });
                (variable(response), failure)
            }
            Err(error) => (Value::Null, Some(error)),
        };
        if let Some(name) = &self.variable {
            shared.lock().await.variables.set(Arc::clone(name), value);
        }
        match failure {
            Some(error) if !self.ignore_error => Err(error),
            Some(error) => {
                tracing::debug!(%error, "a call of the Dapr runtime failed");
                Ok(Flow::Next)
            }
            None => Ok(Flow::Next),
        }
    }

    fn call(&self, context: &Context, message: Message) -> Result<Call, PolicyError> {
        let timeout = self.timeout.get(context)?.0;
        let bad = |_| PolicyError::evaluation("The names make no URL.");
        let uri: Uri = format!("{SIDECAR}/{}", message.path).parse().map_err(bad)?;
        let mut draft = Response { body: message.body, ..Response::default() };
        if message.is_json {
            draft.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = request(Method::POST, uri, draft)?;
        Ok(Call::new(request, Some(timeout), &context.services).within(context))
    }
}

/// A name as a part of a path.
pub(crate) fn segment(name: &str) -> Result<String, PolicyError> {
    match name.trim() {
        "" | "." | ".." => Err(PolicyError::evaluation("A name of Dapr is empty.")),
        name => Ok(encode(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        assert_eq!(segment(" a b/c ").unwrap(), "a%20b%2Fc");
        for name in ["", " ", ".", ".."] {
            assert!(segment(name).is_err(), "{name}");
        }
    }

    #[test]
    fn dapr_is_waited_for_from_1_to_240_seconds() {
        for (text, expected) in [("1", Some(1)), (" 240", Some(240)), ("0", None), ("241", None)] {
            let got = Wait::from_text(text).ok().map(|it| it.0.as_secs());
            assert_eq!(got, expected, "{text}");
        }
    }
}
