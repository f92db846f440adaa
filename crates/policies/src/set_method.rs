//! `<set-method>`: changes the method of the request to the backend.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-method-policy>

use http::Method;
use pipeline::{
    Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, PolicyError,
    PolicyKind, Scopes, Sections, Step,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "set-method",
    summary: "Changes the method of the request to the backend.",
    sections: Sections::INBOUND.and(Sections::ON_ERROR),
    scopes: Scopes::ALL,
    attrs: &[],
    children: &[METHOD],
    compile,
};

const METHOD: Child = Child::text().expressions().doc("The method.");

#[derive(Debug)]
struct SetMethod {
    method: Computed<Method>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::immediate(SetMethod { method: cx.text(element)? }))
}

impl Immediate for SetMethod {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        context.request.method = self.method.get(context)?;
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use crate::test_support::{Trial, problems};

    #[test]
    fn the_method_is_trimmed_and_made_upper_case() {
        let ran = Trial::inbound("<set-method> post\n</set-method>").run("GET /x");

        assert_eq!(ran.context.request.method, Method::POST);
        assert_eq!(ran.context.request.original_method, Method::GET);
    }

    #[test]
    fn what_is_no_method_does_not_load() {
        assert_eq!(problems("<set-method>GET it</set-method>"), "PC0409");
        assert_eq!(problems("<set-method> </set-method>"), "PC0424");
        assert_eq!(problems("<set-method name='x'>GET</set-method>"), "PC0403");
    }
}
