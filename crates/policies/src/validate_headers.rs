//! `<validate-headers>`: checks the headers of a response against the API's description.
//!
//! Headers of the connection, `Date`, `Content-Length` and `Content-Type` do not count as
//! undescribed.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-headers-policy>

use std::sync::Arc;

use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, Message,
    Operation, PolicyError, PolicyKind, Scopes, Sections, Statuses, Step,
};
use schema::{Adjust, Direction};

use crate::validation::Action;
use crate::validation::finding::{Finding, Findings};
use crate::validation::parameter::{Checked, Words};
use crate::validation::schemas::PerOperation;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "validate-headers",
    summary: "Checks the headers of a response against the API's description.",
    sections: Sections::OUTBOUND.and(Sections::ON_ERROR).once(),
    scopes: Scopes::ALL,
    attrs: &[SPECIFIED, UNSPECIFIED, VARIABLE],
    children: &[HEADER],
    compile,
};

const SPECIFIED: Attr = Attr::required("specified-header-action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("What happens if a described header does not conform.");
const UNSPECIFIED: Attr = Attr::required("unspecified-header-action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("What happens if a header is not described.");
const VARIABLE: Attr =
    Attr::absent_by_default("errors-variable-name").doc("Variable that receives the findings.");
const HEADER: Child = Child::repeated("header")
    .empty()
    .attrs(&[NAME, ACTION])
    .doc("What holds for one header, described or not.");
const NAME: Attr = Attr::required("name").doc("The header.");
const ACTION: Attr =
    Attr::required("action").expressions().one_of(Action::WORDS).doc("What happens.");

#[derive(Debug)]
struct ValidateHeaders {
    specified: Computed<Action>,
    unspecified: Computed<Action>,
    named: Vec<(String, Computed<Action>)>,
    variable: Option<String>,
    described: Arc<PerOperation<Described>>,
}

/// The described headers of an operation's responses.
#[derive(Debug)]
struct Described {
    responses: Vec<(Statuses, Vec<Checked>)>,
    /// What keeps the policy from working.
    problems: Vec<String>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let described = Arc::<PerOperation<Described>>::default();
    let prepared = described.clone();
    cx.prepare(move |operation| prepared.get(operation, || describe(operation)).problems.clone());
    let mut named = Vec::new();
    for it in element.children(&HEADER) {
        named.push((cx.literal(it, &NAME)?, cx.attr(it, &ACTION)?));
    }
    Ok(Step::immediate(ValidateHeaders {
        specified: cx.attr(element, &SPECIFIED)?,
        unspecified: cx.attr(element, &UNSPECIFIED)?,
        named,
        variable: cx.literal_if(element, &VARIABLE)?,
        described,
    }))
}

fn describe(operation: &Operation) -> Described {
    let specification = operation.specification.as_deref();
    let adjust = Adjust { direction: Direction::Response, ..Adjust::default() };
    let (mut responses, mut problems) = (Vec::new(), Vec::new());
    for response in &operation.responses {
        let mut headers = Vec::new();
        for it in &response.headers {
            match Checked::compile(it, specification, adjust) {
                Ok(checked) => headers.push(checked),
                Err(problem) => problems.push(format!("validate-headers: {problem}")),
            }
        }
        responses.push((response.statuses, headers));
    }
    Described { responses, problems }
}

impl Immediate for ValidateHeaders {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Some(operation) = context.operation.clone().filter(|it| !it.is_websocket) else {
            return Ok(Flow::Next);
        };
        let Some(response) = &context.response else { return Ok(Flow::Next) };
        let (specified, unspecified) =
            (self.specified.get(context)?, self.unspecified.get(context)?);
        let mut findings = Findings::new(KIND.name, Message::Response);
        let described = self.described.get(&operation, || describe(&operation));
        if described.responses.is_empty() || !described.problems.is_empty() {
            let action = if unspecified == Action::Ignore { specified } else { unspecified };
            findings.add([Finding::no_schema(action)]);
            return findings.finish(context, self.variable.as_deref());
        }
        let statuses = operation.response(response.status.as_u16()).map(|it| it.statuses);
        let headers = described.responses.iter().find(|(it, _)| Some(*it) == statuses);
        let headers = headers.map_or(&[][..], |(_, headers)| headers);
        for it in headers {
            let name = &it.parameter.name;
            let action = self.action(name, specified, context)?;
            let texts: Vec<&str> = response.header_values(name.as_str()).collect();
            let found = match (action, texts.as_slice()) {
                (Action::Ignore, _) => Vec::new(),
                (_, []) if it.parameter.is_required => {
                    vec![Words::RESPONSE.missing(name, action)]
                }
                (_, []) => Vec::new(),
                (_, texts) => it.check(texts, &[], Words::RESPONSE, action),
            };
            if findings.add(found) {
                return findings.finish(context, self.variable.as_deref());
            }
        }
        for name in response.headers.keys() {
            let name = name.as_str();
            let is_described = headers.iter().any(|it| it.parameter.name == name);
            if is_described || is_always_allowed(name) {
                continue;
            }
            let action = self.action(name, unspecified, context)?;
            if findings.add([Words::RESPONSE.unspecified(name, action)]) {
                break;
            }
        }
        findings.finish(context, self.variable.as_deref())
    }
}

impl ValidateHeaders {
    /// The action for a header: that of its own rule, else the given one.
    fn action(&self, name: &str, or: Action, context: &Context) -> Result<Action, PolicyError> {
        let own = self.named.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        own.map_or(Ok(or), |(_, action)| action.get(context))
    }
}

/// Headers that every response may have.
fn is_always_allowed(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "content-type"
            | "date"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

#[cfg(test)]
mod tests {
    use pipeline::Section;

    use crate::test_support::Trial;

    #[test]
    fn it_stands_where_there_is_a_response() {
        let policy = "<validate-headers specified-header-action='prevent' \
                      unspecified-header-action='ignore'><header name='a' action='detect' />\
                      </validate-headers>";
        assert_eq!(Trial::of(Section::Outbound, policy).problems(), "fine");
        assert_eq!(Trial::of(Section::OnError, policy).problems(), "fine");
        assert_eq!(Trial::of(Section::Inbound, policy).problems(), "PC0413");
        assert_eq!(
            Trial::of(Section::Outbound, &policy.replace("detect", "allow")).problems(),
            "PC0409"
        );
    }
}
