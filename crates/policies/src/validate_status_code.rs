//! `<validate-status-code>`: checks that the API describes the status of a response.
//!
//! What the description says of a class (`4XX`) or of all others (`default`) counts. A rule for
//! one status has no effect where the status is described.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-status-code-policy>

use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, Message,
    PolicyError, PolicyKind, Scopes, Sections, Step, ValueType,
};

use crate::validation::Action;
use crate::validation::finding::{Finding, Findings};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "validate-status-code",
    summary: "Checks that the API describes the status of a response.",
    sections: Sections::OUTBOUND.and(Sections::ON_ERROR),
    scopes: Scopes::ALL,
    attrs: &[UNSPECIFIED, VARIABLE, OTHER_VARIABLE],
    children: &[STATUS_CODE],
    compile,
};

const UNSPECIFIED: Attr = Attr::required("unspecified-status-code-action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("What happens if the status is not described.");
const VARIABLE: Attr =
    Attr::absent_by_default("errors-variable-name").doc("Variable that receives the finding.");
const OTHER_VARIABLE: Attr = Attr::absent_by_default("error-variable-name")
    .excludes(&["errors-variable-name"])
    .doc("The same, as some tools write it.");
const STATUS_CODE: Child = Child::repeated("status-code")
    .empty()
    .attrs(&[CODE, ACTION])
    .doc("What holds for one status that is not described.");
const CODE: Attr = Attr::required("code").expressions().doc("The status.").of(ValueType::Status);
const ACTION: Attr =
    Attr::required("action").expressions().one_of(Action::WORDS).doc("What happens.");

#[derive(Debug)]
struct ValidateStatusCode {
    unspecified: Computed<Action>,
    named: Vec<(Computed<u16>, Computed<Action>)>,
    variable: Option<String>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let mut named = Vec::new();
    for it in element.children(&STATUS_CODE) {
        named.push((cx.attr(it, &CODE)?, cx.attr(it, &ACTION)?));
    }
    let variable = cx.literal_if(element, &VARIABLE)?;
    let other = cx.literal_if(element, &OTHER_VARIABLE)?;
    let unspecified = cx.attr(element, &UNSPECIFIED)?;
    Ok(Step::immediate(ValidateStatusCode { unspecified, named, variable: variable.or(other) }))
}

impl Immediate for ValidateStatusCode {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Some(operation) = context.operation.clone().filter(|it| !it.is_websocket) else {
            return Ok(Flow::Next);
        };
        let Some(status) = context.response.as_ref().map(|it| it.status.as_u16()) else {
            return Ok(Flow::Next);
        };
        if operation.response(status).is_some() {
            return Ok(Flow::Next);
        }
        let mut findings = Findings::new(KIND.name, Message::Response);
        findings.add([Finding {
            name: status.to_string(),
            kind: "StatusCode",
            rule: "Unspecified",
            details: format!("Response status code {status} is not allowed."),
            public: None,
            action: self.action(status, context)?,
        }]);
        findings.finish(context, self.variable.as_deref())
    }
}

impl ValidateStatusCode {
    fn action(&self, status: u16, context: &Context) -> Result<Action, PolicyError> {
        for (code, action) in &self.named {
            if code.get(context)? == status {
                return action.get(context);
            }
        }
        self.unspecified.get(context)
    }
}

#[cfg(test)]
mod tests {
    use pipeline::Section;

    use crate::test_support::Trial;

    #[test]
    fn the_variable_has_one_of_two_names() {
        let with = |attributes: &str| {
            let policy = format!(
                "<validate-status-code unspecified-status-code-action='detect' {attributes} />"
            );
            Trial::of(Section::Outbound, &policy).problems()
        };
        assert_eq!(with("errors-variable-name='a'"), "fine");
        assert_eq!(with("error-variable-name='a'"), "fine");
        assert_eq!(with("error-variable-name='a' errors-variable-name='b'"), "PC0410");
    }
}
