//! `<include-fragment>`: stands for the policies of a fragment.
//!
//! The fragment's policies are put in place when the document is loaded; nothing is left of the
//! element itself but its part of `context.LastError.Path`.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/include-fragment-policy>

use pipeline::{Attr, CompileCx, Diagnostic, Element, PolicyKind, Scopes, Sections, Step, codes};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "include-fragment",
    summary: "Stands for the policies of a fragment.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[FRAGMENT_ID],
    children: &[],
    compile,
};

const FRAGMENT_ID: Attr = Attr::required("fragment-id").doc("Name of the fragment.");

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let name: String = cx.literal(element, &FRAGMENT_ID)?;
    if name.trim().is_empty() {
        return Err(cx
            .refuse_attr(element, &FRAGMENT_ID, codes::EMPTY_VALUE, "the fragment has no name")
            .label("empty"));
    }
    Ok(Step::inline(cx.fragment(element, name.trim())?))
}

#[cfg(test)]
mod tests {
    use pipeline::Section;

    use crate::test_support::Trial;

    fn including(name: &str, fragment: &str) -> Trial {
        let mut trial = Trial::inbound(&format!(r#"<include-fragment fragment-id="{name}" />"#));
        trial.fragments.insert("greet", "greet.xml".into(), fragment);
        trial
    }

    const GREET: &str = r#"<fragment>
        <set-header name="x-a"><value>1</value></set-header>
        <set-header name="x-b"><value>2</value></set-header>
    </fragment>"#;

    #[test]
    fn the_policies_of_the_fragment_run_in_its_place() {
        let ran = including("greet", GREET).run("");
        assert_eq!(ran.outcome, "next");
        assert_eq!(ran.context.request.headers.len(), 2);
    }

    #[test]
    fn an_unknown_fragment_does_not_load() {
        assert_eq!(including("great", GREET).problems(), "PC0201");
        assert_eq!(including("", GREET).problems(), "PC0424");
    }

    #[test]
    fn what_is_in_the_fragment_is_checked_at_its_place() {
        assert_eq!(
            including("greet", "<fragment><forward-request /></fragment>").problems(),
            "PC0413"
        );
        assert_eq!(including("greet", "<fragment><base /></fragment>").problems(), "PC0417");
        assert_eq!(including("greet", "<policies />").problems(), "PC0419");
        let nested = r#"<fragment><include-fragment fragment-id="greet" /></fragment>"#;
        assert_eq!(including("greet", nested).problems(), "PC0420");
    }

    #[test]
    fn a_problem_in_the_fragment_names_the_fragments_file() {
        let mut trial = including("greet", "<fragment><forward-request /></fragment>");
        trial.section = Section::Backend;
        assert_eq!(trial.problems(), "fine");
    }
}
