//! What the validating policies find, for the log, the author's variable and the client.
//!
//! Source: error reference, section 5,
//! <https://learn.microsoft.com/azure/api-management/validation-policies>

use expr::{Type, Value};
use http::StatusCode;
use pipeline::{Blame, Context, Flow, Message, PolicyError};
use tree::json::Token;

use super::Action;

/// What the client is told of what it cannot help.
const INTERNAL: &str = "The request could not be processed due to an internal error. Contact the \
                        API owner.";
/// Most findings that are kept of one message.
const MAX_FINDINGS: usize = 100;

/// One thing that does not conform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What it concerns: a parameter, a media type, a status; perhaps nothing.
    pub(crate) name: String,
    /// Azure's word for the kind of thing.
    pub(crate) kind: &'static str,
    /// Azure's word for the rule.
    pub(crate) rule: &'static str,
    /// For the log and the variable.
    pub(crate) details: String,
    /// For the client; `None`: that it is an internal error.
    pub(crate) public: Option<String>,
    /// What happens.
    pub(crate) action: Action,
}

impl Finding {
    /// The API has no schema.
    pub(crate) fn no_schema(action: Action) -> Finding {
        Finding {
            name: String::new(),
            kind: "ApiSchema",
            rule: "",
            details: "API's schema does not exist or it could not be resolved.".to_owned(),
            public: None,
            action,
        }
    }
}

/// All that is found in one message.
#[derive(Debug)]
pub(crate) struct Findings {
    policy: &'static str,
    message: Message,
    list: Vec<Finding>,
}

impl Findings {
    pub(crate) fn new(policy: &'static str, message: Message) -> Findings {
        Findings { policy, message, list: Vec::new() }
    }

    /// Keeps findings that are not ignored. Gives whether to stop: the message is refused.
    pub(crate) fn add(&mut self, found: impl IntoIterator<Item = Finding>) -> bool {
        let found = found.into_iter().filter(|it| it.action != Action::Ignore);
        for it in found {
            let is_kept = self.list.len() < MAX_FINDINGS || it.action == Action::Prevent;
            if is_kept {
                self.list.push(it);
            }
        }
        self.list.iter().any(|it| it.action == Action::Prevent)
    }

    /// Logs what was found, puts it into the variable, and fails if the message is refused.
    pub(crate) fn finish(
        self,
        context: &mut Context,
        variable: Option<&str>,
    ) -> Result<Flow, PolicyError> {
        if self.list.is_empty() {
            return Ok(Flow::Next);
        }
        for it in &self.list {
            tracing::info!(
                request_id = %context.request_id,
                policy = self.policy,
                name = it.name,
                kind = it.kind,
                rule = it.rule,
                details = it.details,
                action = word(it.action),
                "a message does not conform"
            );
        }
        if let Some(variable) = variable {
            let objects = self.list.iter().map(object).collect::<Result<Vec<_>, _>>()?;
            context.variables.set(variable, Value::list(Type::Object, objects));
        }
        let refused: Vec<&Finding> =
            self.list.iter().filter(|it| it.action == Action::Prevent).collect();
        if refused.is_empty() {
            return Ok(Flow::Next);
        }
        let details: Vec<&str> = refused.iter().map(|it| it.details.as_str()).collect();
        let mut told: Vec<&str> =
            refused.iter().map(|it| it.public.as_deref().unwrap_or(INTERNAL)).collect();
        told.dedup();
        let (reason, status, blame) = match self.message {
            Message::Request => ("Bad request", StatusCode::BAD_REQUEST, Blame::Client),
            Message::Response | Message::Draft => {
                ("Response not allowed", StatusCode::BAD_GATEWAY, Blame::Backend)
            }
        };
        Err(PolicyError::new(reason, details.join("\n"))
            .respond(status, told.join("\n"))
            .blame(blame))
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Ignore => "ignore",
        Action::Prevent => "prevent",
        Action::Detect => "detect",
    }
}

/// The finding as expressions see it: a `JObject` with five texts.
fn object(finding: &Finding) -> Result<Value, PolicyError> {
    let object = Token::object();
    for (name, text) in [
        ("Name", finding.name.as_str()),
        ("Type", finding.kind),
        ("ValidationRule", finding.rule),
        ("Details", finding.details.as_str()),
        ("Action", word(finding.action)),
    ] {
        object
            .set(name, Some(&Token::value(text)))
            .map_err(|fault| PolicyError::evaluation(fault.message))?;
    }
    Ok(expr::json_value(object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Trial;

    fn finding(action: Action, public: Option<&str>) -> Finding {
        Finding {
            name: "x".to_owned(),
            kind: "QueryParameter",
            rule: "Unspecified",
            details: "details".to_owned(),
            public: public.map(str::to_owned),
            action,
        }
    }

    fn finish(message: Message, found: Vec<Finding>) -> (Option<PolicyError>, Option<String>) {
        let mut context = Trial::inbound("<set-method>POST</set-method>").run("").context;
        let mut findings = Findings::new("validate-parameters", message);
        findings.add(found);
        let failure = findings.finish(&mut context, Some("errors")).err();
        let variable = context.variables.get("errors");
        (failure, variable.map(|it| it.type_name()))
    }

    #[test]
    fn only_what_is_prevented_fails() {
        let (failure, variable) = finish(Message::Request, vec![finding(Action::Ignore, None)]);
        assert!(failure.is_none() && variable.is_none());
        let (failure, variable) = finish(Message::Request, vec![finding(Action::Detect, None)]);
        assert!(failure.is_none());
        assert_eq!(variable.unwrap(), "System.Collections.Generic.List<System.Object>");

        let found = vec![finding(Action::Detect, None), finding(Action::Prevent, Some("told"))];
        let failure = finish(Message::Request, found).0.unwrap();
        assert_eq!(failure.response_status(), Some(StatusCode::BAD_REQUEST));
        assert_eq!(failure.response_message(), Some("told"));
        assert_eq!((failure.reason(), failure.message()), ("Bad request", "details"));
    }

    #[test]
    fn the_client_is_not_told_what_is_wrong_with_a_response() {
        let found = vec![finding(Action::Prevent, None), finding(Action::Prevent, None)];
        let failure = finish(Message::Response, found).0.unwrap();
        assert_eq!(failure.response_status(), Some(StatusCode::BAD_GATEWAY));
        assert_eq!(failure.response_message(), Some(INTERNAL));
        assert_eq!(failure.reason(), "Response not allowed");
    }

    #[test]
    fn the_number_of_findings_is_bounded_but_never_lets_a_message_pass() {
        let mut findings = Findings::new("validate-parameters", Message::Request);
        assert!(!findings.add((0..1000).map(|_| finding(Action::Detect, None))));
        assert!(findings.add([finding(Action::Prevent, None)]));
        assert_eq!(findings.list.len(), MAX_FINDINGS + 1);
    }
}
