//! `<set-variable>`: stores a value for the rest of the request.
//!
//! A literal makes a string; the result of an expression keeps its type.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-variable-policy>

use std::sync::Arc;

use expr::Value;
use pipeline::{
    Attr, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, PolicyError,
    PolicyKind, Scopes, Sections, Step, codes,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "set-variable",
    summary: "Stores a value in a variable for the rest of the request.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[NAME, VALUE],
    children: &[],
    compile,
};

const NAME: Attr = Attr::required("name").doc("Name of the variable; case counts.");
const VALUE: Attr = Attr::required("value").expressions().doc("Its value.");

#[derive(Debug)]
struct SetVariable {
    name: Arc<str>,
    value: Computed<Value>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let name: String = cx.literal(element, &NAME)?;
    if name.trim().is_empty() {
        return Err(cx
            .refuse_attr(element, &NAME, codes::EMPTY_VALUE, "the variable has no name")
            .label("empty"));
    }
    Ok(Step::immediate(SetVariable { name: name.into(), value: cx.attr(element, &VALUE)? }))
}

impl Immediate for SetVariable {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let value = self.value.get(context)?;
        context.variables.set(Arc::clone(&self.name), value);
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Trial, problems};

    #[test]
    fn a_literal_is_a_string_as_it_is() {
        let ran = Trial::inbound(r#"<set-variable name="n" value=" 7 " />"#).run("");
        assert_eq!(ran.context.variables.get("n").unwrap().as_str(), Some(" 7 "));
        assert!(ran.context.variables.get("N").is_none());
    }

    #[test]
    fn a_later_assignment_wins() {
        let policy = r#"<set-variable name="n" value="1" /><set-variable name="n" value="2" />"#;
        let ran = Trial::inbound(policy).run("");
        assert_eq!(ran.context.variables.get("n").unwrap().as_str(), Some("2"));
    }

    #[test]
    fn name_and_value_are_needed() {
        assert_eq!(problems(r#"<set-variable name="n" />"#), "PC0404");
        assert_eq!(problems(r#"<set-variable name=" " value="" />"#), "PC0424");
        assert_eq!(problems(r#"<set-variable name="@(1)" value="" />"#), "PC0411");
    }
}
