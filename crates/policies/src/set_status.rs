//! `<set-status>`: sets the status of the response.
//!
//! In `inbound` and `backend` there is no response yet; the status is then that of a pipeline
//! that ends without one.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-status-policy>

use http::StatusCode;
use pipeline::{
    Attr, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, Message, PolicyError,
    PolicyKind, Scopes, Sections, Step, ValueType,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "set-status",
    summary: "Sets the status of the response.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[CODE, REASON],
    children: &[],
    compile,
};

const CODE: Attr =
    Attr::required("code").expressions().doc("Status code, 200 to 599.").of(ValueType::Status);
const REASON: Attr = Attr::absent_by_default("reason")
    .expressions()
    .doc("Reason phrase; the standard one if absent. HTTP/2 has none.");

#[derive(Debug)]
struct SetStatus {
    message: Message,
    code: Computed<StatusCode>,
    reason: Option<Computed<Option<String>>>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::immediate(SetStatus {
        message: cx.message(),
        code: cx.attr(element, &CODE)?,
        reason: cx.attr_if(element, &REASON)?,
    }))
}

impl Immediate for SetStatus {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let status = self.code.get(context)?;
        let reason = match &self.reason {
            Some(reason) => reason.get(context)?.filter(|it| !it.is_empty()),
            None => None,
        };
        if reason.as_deref().is_some_and(|it| it.contains(|it: char| it.is_control() && it != '\t'))
        {
            return Err(PolicyError::evaluation("`reason` has control characters."));
        }
        context.set_status(self.message, status, reason);
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use pipeline::{Response, Section};

    use crate::test_support::{Trial, outcome, problems};

    fn outbound(policy: &str) -> String {
        let mut trial = Trial::of(Section::Outbound, policy);
        trial.response = Some(Response::new(StatusCode::OK));
        let response = trial.run("").context.response.unwrap();
        format!("{} {}", response.status.as_u16(), response.reason())
    }

    #[test]
    fn status_and_reason_are_set() {
        assert_eq!(outbound(r#"<set-status code="418" reason="Teapot" />"#), "418 Teapot");
    }

    #[test]
    fn the_standard_phrase_is_the_default() {
        assert_eq!(outbound(r#"<set-status code="404" />"#), "404 Not Found");
        assert_eq!(outbound(r#"<set-status code="404" reason="" />"#), "404 Not Found");
    }

    #[test]
    fn in_inbound_it_is_the_status_of_a_response_made_later() {
        let ran = Trial::inbound(r#"<set-status code="202" reason="Soon" />"#).run("");
        let mut context = ran.context;

        assert!(context.response.is_none());
        assert_eq!(context.response_mut().status, StatusCode::ACCEPTED);
    }

    #[test]
    fn only_200_to_599_load() {
        for code in ["100", "199", "600", "abc", ""] {
            assert_eq!(problems(&format!(r#"<set-status code="{code}" />"#)), "PC0409", "{code}");
        }
        assert_eq!(problems("<set-status />"), "PC0404");
    }

    #[test]
    fn a_line_break_in_the_reason_is_never_sent() {
        let policy = "<set-status code=\"200\" reason=\"a&#10;b\" />";
        assert_eq!(outcome(policy, ""), "500 - (ExpressionValueEvaluationFailure)");
    }
}
