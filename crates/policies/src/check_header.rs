//! `<check-header>`: lets a request pass only if a header is there with an allowed value.
//!
//! One match among the header's values is enough. A refusal is an error: it goes through
//! `on-error`, with the status and message that the policy names.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/check-header-policy>

use http::{HeaderName, StatusCode};
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, PolicyError,
    PolicyKind, Scopes, Sections, Step, ValueType,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "check-header",
    summary: "Lets a request pass only if a header is there with an allowed value.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[NAME, STATUS, MESSAGE, IGNORE_CASE],
    children: &[VALUE],
    compile,
};

const NAME: Attr =
    Attr::required("name").expressions().doc("Header to check.").of(ValueType::HeaderName);
const STATUS: Attr = Attr::required("failed-check-httpcode")
    .expressions()
    .doc("Refusal status.")
    .of(ValueType::Status);
const MESSAGE: Attr = Attr::required("failed-check-error-message").expressions().doc("Its text.");
const IGNORE_CASE: Attr =
    Attr::optional("ignore-case", "false").expected().expressions().doc("Ignore case.");
const VALUE: Child = Child::repeated("value").expressions().doc("Allowed value; none: any.");

#[derive(Debug)]
struct CheckHeader {
    name: Computed<HeaderName>,
    status: Computed<StatusCode>,
    message: Computed<String>,
    ignore_case: Computed<bool>,
    allowed: Vec<Computed<String>>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::immediate(CheckHeader {
        name: cx.attr(element, &NAME)?,
        status: cx.attr(element, &STATUS)?,
        message: cx.attr(element, &MESSAGE)?,
        ignore_case: cx.attr(element, &IGNORE_CASE)?,
        allowed: element.children(&VALUE).map(|it| cx.text(it)).collect::<Result<_, _>>()?,
    }))
}

impl Immediate for CheckHeader {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let name = self.name.get(context)?;
        let same = if self.ignore_case.get(context)? { str::eq_ignore_ascii_case } else { str::eq };
        let allowed: Vec<String> =
            self.allowed.iter().map(|it| it.get(context)).collect::<Result<_, _>>()?;
        let is_allowed = |value| allowed.is_empty() || allowed.iter().any(|it| same(it, value));

        let mut values = context.request.header_values(&name).filter(|it| !it.is_empty());
        let error = match values.next() {
            None => PolicyError::new(
                "HeaderNotFound",
                format!("Header {name} was not found in the request. Access denied."),
            ),
            Some(first) if is_allowed(first) || values.any(is_allowed) => return Ok(Flow::Next),
            Some(first) => PolicyError::new(
                "HeaderValueNotAllowed",
                format!("Header {name} value of {first} is not allowed. Access denied."),
            ),
        };
        Err(error.respond(self.status.get(context)?, self.message.get(context)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{outcome, problems};

    const GOLD_ONLY: &str = r#"
<check-header name="x-tier" failed-check-httpcode="403" failed-check-error-message="No" ignore-case="false">
    <value>gold</value>
</check-header>"#;

    #[test]
    fn an_allowed_value_passes() {
        assert_eq!(outcome(GOLD_ONLY, "x-tier: gold"), "next");
        assert_eq!(outcome(GOLD_ONLY, "x-tier: silver\nX-Tier: gold"), "next");
    }

    #[test]
    fn an_absent_or_empty_header_is_not_found() {
        assert_eq!(outcome(GOLD_ONLY, ""), "403 No (HeaderNotFound)");
        assert_eq!(outcome(GOLD_ONLY, "x-tier: "), "403 No (HeaderNotFound)");
    }

    #[test]
    fn another_value_is_not_allowed() {
        assert_eq!(outcome(GOLD_ONLY, "x-tier: silver"), "403 No (HeaderValueNotAllowed)");
        assert_eq!(outcome(GOLD_ONLY, "x-tier: Gold"), "403 No (HeaderValueNotAllowed)");
    }

    #[test]
    fn case_can_be_ignored() {
        let policy = GOLD_ONLY.replace("\"false\"", "\"True\"");
        assert_eq!(outcome(&policy, "x-tier: GOLD"), "next");
    }

    #[test]
    fn without_values_any_value_passes() {
        let policy = GOLD_ONLY.replace("<value>gold</value>", "");
        assert_eq!(outcome(&policy, "x-tier: tin"), "next");
        assert_eq!(outcome(&policy, ""), "403 No (HeaderNotFound)");
    }

    #[test]
    fn an_absent_ignore_case_is_a_warning() {
        assert_eq!(problems(&GOLD_ONLY.replace("ignore-case=\"false\"", "")), "PC0422");
        assert_eq!(problems(&GOLD_ONLY.replace("403", "199")), "PC0409");
        assert_eq!(problems(&GOLD_ONLY.replace("x-tier", "x tier")), "PC0409");
    }
}
