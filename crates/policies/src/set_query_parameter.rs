//! `<set-query-parameter>`: sets, adds to or removes a query parameter of the request.
//!
//! Names compare without case. Values are percent-encoded; what is not touched keeps its text
//! and its place.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-query-parameter-policy>

use std::borrow::Cow;

use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, PolicyError,
    PolicyKind, QueryText, Scopes, Sections, Step, codes, words,
};
use smallvec::SmallVec;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "set-query-parameter",
    summary: "Sets, adds to or removes a query parameter of the request.",
    sections: Sections::INBOUND.and(Sections::BACKEND),
    scopes: Scopes::ALL,
    attrs: &[NAME, EXISTS_ACTION],
    children: &[VALUE],
    compile,
};

const NAME: Attr = Attr::required("name").expressions().doc("Parameter name.");
const EXISTS_ACTION: Attr = Attr::optional("exists-action", "override")
    .expressions()
    .one_of(ExistsAction::WORDS)
    .doc("What happens if the parameter is there already.");
const VALUE: Child = Child::repeated("value").expressions().doc("Value; several make several.");

words! {
    enum ExistsAction {
        Override = "override",
        Skip = "skip",
        Append = "append",
        Delete = "delete",
    }
}

#[derive(Debug)]
struct SetQueryParameter {
    name: Computed<QueryText>,
    action: Computed<ExistsAction>,
    values: Vec<Computed<QueryText>>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let policy = SetQueryParameter {
        name: cx.attr(element, &NAME)?,
        action: cx.attr(element, &EXISTS_ACTION)?,
        values: element.children(&VALUE).map(|it| cx.text(it)).collect::<Result<_, _>>()?,
    };
    if policy.name.as_literal().is_some_and(|it| it.text().is_empty()) {
        return Err(cx
            .refuse_attr(element, &NAME, codes::EMPTY_VALUE, "the parameter has no name")
            .label("empty"));
    }
    let sets = policy.action.as_literal().is_some_and(|it| *it != ExistsAction::Delete);
    if policy.values.is_empty() && sets {
        let message = "`set-query-parameter` needs a `value` element unless it deletes";
        return Err(cx.refuse(element, codes::MISSING_CHILD, message).label("`value` is missing"));
    }
    Ok(Step::immediate(policy))
}

impl Immediate for SetQueryParameter {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let name = self.name.borrow(context)?;
        let action = self.action.get(context)?;
        let values = self.values.iter().map(|it| it.borrow(context));
        let values: SmallVec<[Cow<'_, QueryText>; 2]> = values.collect::<Result<_, _>>()?;
        let values = values.iter().map(|it| &**it);
        let url = &mut context.request.url;
        match action {
            ExistsAction::Override => url.set_parameter(&name, values),
            ExistsAction::Skip if url.has_parameter(name.text()) => {}
            ExistsAction::Skip | ExistsAction::Append => {
                values.for_each(|it| url.append_parameter(&name, it));
            }
            ExistsAction::Delete => url.remove_parameter(name.text()),
        }
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Trial, problems};

    fn query(action: &str, values: &[&str], query: &str) -> String {
        let values: String = values.iter().map(|it| format!("<value>{it}</value>")).collect();
        let action = format!(r#"exists-action="{action}""#);
        let policy =
            format!(r#"<set-query-parameter name="b" {action}>{values}</set-query-parameter>"#);
        let ran = Trial::inbound(&policy).run(&format!("GET /x?{query}"));
        assert_eq!(ran.outcome, "next");
        ran.context.request.url.query().to_owned()
    }

    #[test]
    fn each_action_does_its_own() {
        for (action, present, absent) in [
            ("override", "a=1&b=2&c=3", "a=1&b=2"),
            ("skip", "a=1&B=old&c=3", "a=1&b=2"),
            ("append", "a=1&B=old&c=3&b=2", "a=1&b=2"),
            ("delete", "a=1&c=3", "a=1"),
        ] {
            let present = if action == "override" { "a=1&B=2&c=3" } else { present };
            assert_eq!(query(action, &["2"], "a=1&B=old&c=3"), present, "{action}");
            assert_eq!(query(action, &["2"], "a=1"), absent, "{action}");
        }
    }

    #[test]
    fn several_values_are_repeated_parameters() {
        assert_eq!(query("override", &["1", " 2 "], ""), "b=1&b=2");
        assert_eq!(query("append", &["x y", "&amp;"], "b=0"), "b=0&b=x%20y&b=%26");
    }

    #[test]
    fn what_is_not_touched_keeps_its_text() {
        assert_eq!(query("override", &["1"], "q=%7e+x&b"), "q=%7e+x&b=1");
    }

    #[test]
    fn a_value_is_needed_unless_it_deletes() {
        assert_eq!(problems(r#"<set-query-parameter name="a" />"#), "PC0406");
        assert_eq!(problems(r#"<set-query-parameter name="a" exists-action="delete" />"#), "fine");
        assert_eq!(
            problems(r#"<set-query-parameter name=""><value>1</value></set-query-parameter>"#),
            "PC0424"
        );
    }
}
