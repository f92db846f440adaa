//! `<choose>`: runs the first branch whose condition is true, or else `otherwise`.
//!
//! Conditions after the first true one are not evaluated. A body that a condition reads is
//! buffered just before that condition.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/choose-policy>

use std::sync::Arc;

use expr::Uses;
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, Place,
    PolicyError, PolicyKind, Scopes, Sections, SharedContext, Step, Steps, ValueType, Waiting,
    codes,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "choose",
    summary: "Runs the first branch whose condition is true.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[],
    children: &[WHEN, OTHERWISE],
    compile,
};

const CONDITION: Attr = Attr::required("condition")
    .expressions()
    .doc("Whether the branch runs.")
    .of(ValueType::Boolean);
const WHEN: Child =
    Child::one_or_more("when").attrs(&[CONDITION]).policies().doc("Branch with a condition.");
const OTHERWISE: Child =
    Child::optional("otherwise").policies().doc("Branch that runs if no condition was true.");

#[derive(Debug)]
struct Choose {
    branches: Vec<Branch>,
    otherwise: Steps,
}

#[derive(Debug)]
struct Branch {
    condition: Computed<bool>,
    /// Of the `when`, for a condition that fails.
    place: Arc<Place>,
    steps: Steps,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    warn_of_order(element, cx);
    let mut branches = Vec::new();
    for when in element.children(&WHEN) {
        let condition = cx.attr(when, &CONDITION)?;
        let place = cx.place_of(element, when);
        branches.push(Branch { condition, place, steps: cx.steps(when)? });
    }
    let otherwise = element.child(&OTHERWISE).map(|it| cx.steps(it)).transpose()?;
    let choose = Choose { branches, otherwise: otherwise.unwrap_or_default() };
    let step = if choose.is_immediate() { Step::immediate(choose) } else { Step::waiting(choose) };
    Ok(step.reading(Uses::NONE))
}

/// `otherwise` runs if no condition was true, wherever it stands; Azure documents it as the last.
fn warn_of_order(element: Element<'_>, cx: &mut CompileCx) {
    let after = element.node().child_elements().skip_while(|it| it.name != OTHERWISE.name());
    if after.skip(1).any(|it| it.name == WHEN.name()) {
        let message = "`otherwise` stands last in `choose`";
        let place = element.child(&OTHERWISE).unwrap_or(element).span();
        cx.report(
            Diagnostic::warning(codes::NOT_PORTABLE, place, message)
                .label("conditions stand behind it"),
        );
    }
}

impl Choose {
    fn is_immediate(&self) -> bool {
        self.otherwise.are_immediate()
            && self
                .branches
                .iter()
                .all(|it| it.steps.are_immediate() && !it.condition.uses().must_wait())
    }
}

impl Immediate for Choose {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        for branch in &self.branches {
            if branch.holds(context)? {
                return branch.steps.apply(context);
            }
        }
        self.otherwise.apply(context)
    }
}

impl Waiting for Choose {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        for branch in &self.branches {
            context.buffer(branch.condition.uses()).await?;
            if branch.holds(context)? {
                return branch.steps.run(context).await;
            }
        }
        self.otherwise.run(context).await
    }

    async fn run_beside(&self, shared: &SharedContext<'_>) -> Result<Flow, PolicyError> {
        for branch in &self.branches {
            let holds = {
                let mut context = shared.lock().await;
                context.buffer(branch.condition.uses()).await?;
                branch.holds(&context)?
            };
            if holds {
                return branch.steps.run_beside(shared).await;
            }
        }
        self.otherwise.run_beside(shared).await
    }
}

impl Branch {
    fn holds(&self, context: &Context) -> Result<bool, PolicyError> {
        self.condition.get(context).map_err(|error| error.at(&self.place))
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Trial, outcome, problems};

    fn choose(first: &str, second: &str) -> String {
        format!(
            r#"<choose>
                <when condition="{first}"><return-response><set-body>1</set-body></return-response></when>
                <when condition="{second}"><return-response><set-body>2</set-body></return-response></when>
                <otherwise><return-response><set-body>3</set-body></return-response></otherwise>
            </choose>"#
        )
    }

    #[test]
    fn the_first_true_branch_runs() {
        assert_eq!(outcome(&choose("true", "true"), ""), "end 200 1");
        assert_eq!(outcome(&choose("False", " TRUE "), ""), "end 200 2");
        assert_eq!(outcome(&choose("false", "false"), ""), "end 200 3");
    }

    #[test]
    fn empty_branches_and_no_otherwise_are_fine() {
        assert_eq!(outcome(r#"<choose><when condition="true" /></choose>"#, ""), "next");
        assert_eq!(outcome(r#"<choose><when condition="false" /></choose>"#, ""), "next");
    }

    #[test]
    fn an_error_names_its_place_inside_of_the_branch() {
        let policy = r#"<choose><when condition="false" /><when condition="true">
            <check-header name="a" failed-check-httpcode="401" failed-check-error-message="m" ignore-case="true" />
        </when></choose>"#;
        let text = format!("{policy}{policy}");
        assert_eq!(outcome(&text, ""), "401 m (HeaderNotFound)");
    }

    #[test]
    fn what_a_branch_holds_is_checked() {
        assert_eq!(problems("<choose />"), "PC0406");
        assert_eq!(problems(r#"<choose><otherwise /></choose>"#), "PC0406");
        assert_eq!(problems(r#"<choose><when /></choose>"#), "PC0404");
        assert_eq!(problems(r#"<choose><when condition="maybe" /></choose>"#), "PC0409");
        assert_eq!(
            problems(
                r#"<choose><when condition="true"><base /><forward-request /></when></choose>"#
            ),
            "PC0417 PC0413"
        );
        assert_eq!(
            problems(r#"<choose><when condition="true" /><otherwise /><otherwise /></choose>"#),
            "PC0407"
        );
    }

    #[test]
    fn a_branch_that_waits_makes_the_whole_wait() {
        let policy = r#"<choose><when condition="true"><forward-request /></when></choose>"#;
        let ran = Trial::of(pipeline::Section::Backend, policy).run("");
        assert_eq!((ran.outcome.as_str(), ran.calls.len()), ("next", 1));
    }
}
