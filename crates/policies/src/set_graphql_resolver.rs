//! `<set-graphql-resolver>`: gives a field of the API's GraphQL schema a data source.
//!
//! Retired in Azure in favour of resolver entities; as there, it has no effect in an API that has
//! any of them. Which field it is for is settled when the configuration is loaded, so it may stand
//! before or after what forwards the request.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-graphql-resolver-policy>

use pipeline::{
    Attr, Child, CompileCx, Context, Diagnostic, Element, FieldResolver, Flow, Immediate,
    PolicyError, PolicyKind, Scope, Scopes, Sections, Step, codes,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "set-graphql-resolver",
    summary: "Gives a field of the API's GraphQL schema a data source.",
    sections: Sections::BACKEND,
    scopes: Scopes::ALL.without(Scope::Workspace),
    attrs: &[PARENT_TYPE, FIELD],
    children: &[HTTP_DATA_SOURCE],
    compile,
};

const PARENT_TYPE: Attr = Attr::required("parent-type")
    .doc("Object type of the schema.")
    .differs("A type or a field that the schema does not have does not load.");
const FIELD: Attr = Attr::required("field").doc("Field of that type.");
const HTTP_DATA_SOURCE: Child =
    Child::required("http-data-source").as_policy().doc("Where the value comes from.");

/// What is left of it when requests come: the resolver belongs to the API by then.
#[derive(Debug)]
struct Settled;

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let type_name: String = cx.literal(element, &PARENT_TYPE)?;
    let field: String = cx.literal(element, &FIELD)?;
    let (type_name, field) = (type_name.trim().to_owned(), field.trim().to_owned());
    if !cx.is_direct() {
        let message = "`set-graphql-resolver` stands directly in `backend` only";
        return Err(cx
            .refuse(element, codes::MISPLACED_POLICY, message)
            .label("a field has its resolver in every request"));
    }
    let message = cx.message();
    let steps = cx.in_resolver(|cx| cx.steps_on(element, message))?;
    let resolver = FieldResolver::new(steps);
    // Documents of broader scopes are also those of other APIs.
    let is_own = matches!(cx.scope(), Scope::Api | Scope::Operation);
    cx.prepare(move |operation| {
        let problem = match &operation.graphql {
            Some(api) => api.set_by_policy(&type_name, &field, resolver.clone()).err(),
            None => Some("the API is no GraphQL API with a schema".to_owned()),
        };
        let problem = problem.filter(|_| is_own);
        problem.map(|it| format!("`set-graphql-resolver`: {it}")).into_iter().collect()
    });
    Ok(Step::immediate(Settled))
}

impl Immediate for Settled {
    fn apply(&self, _: &mut Context) -> Result<Flow, PolicyError> {
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use pipeline::Section;

    use crate::test_support::Trial;

    const SOURCE: &str = "<http-data-source><http-request><set-method>GET</set-method>\
        <set-url>https://h/</set-url></http-request></http-data-source>";

    #[test]
    fn it_names_a_field_and_holds_a_data_source() {
        let problems = |policy: &str| Trial::of(Section::Backend, policy).problems();
        let with = |attributes: &str, inner: &str| {
            problems(&format!("<set-graphql-resolver {attributes}>{inner}</set-graphql-resolver>"))
        };
        let both = r#"parent-type="Query" field="a""#;
        assert_eq!(with(both, SOURCE), "fine");
        assert_eq!(with(r#"field="a""#, SOURCE), "PC0404");
        assert_eq!(with(r#"parent-type="@("Query")" field="a""#, SOURCE), "PC0411");
        assert_eq!(with(both, ""), "PC0406");
        assert_eq!(with(both, "<sql-data-source />"), "PC0405 PC0406");
        let nested = format!(
            r#"<choose><when condition="@(true)"><set-graphql-resolver {both}>{SOURCE}</set-graphql-resolver></when></choose>"#
        );
        assert_eq!(problems(&nested), "PC0413");
    }
}
