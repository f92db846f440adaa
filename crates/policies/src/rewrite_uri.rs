//! `<rewrite-uri>`: replaces path and query of the request, below the backend's base URL.
//!
//! `{name}` takes the value of the operation's template parameter as it was received. Query
//! parameters that the operation's template does not mention are kept unless the policy says
//! otherwise. The last one that runs counts: each starts from the query before the first.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/rewrite-uri-policy>

use std::collections::HashSet;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use pipeline::url::pairs;
use pipeline::{
    Attr, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, PolicyError,
    PolicyKind, Request, Scopes, Sections, Step, UrlTemplate, codes, placeholders,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "rewrite-uri",
    summary: "Replaces path and query of the request.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[TEMPLATE, COPY_UNMATCHED_PARAMS],
    children: &[],
    compile,
};

const TEMPLATE: Attr =
    Attr::required("template").expressions().doc("New path and query; the whole may be computed.");
const COPY_UNMATCHED_PARAMS: Attr = Attr::optional("copy-unmatched-params", "true")
    .expressions()
    .doc("Keep query parameters that the operation's template does not mention.");

/// What a request line cannot hold as it is; everything else stays as the author wrote it.
const UNSENDABLE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// How many parameters are compared one by one; more are looked up.
const FEW: usize = 16;

#[derive(Debug)]
struct RewriteUri {
    template: Template,
    copy_unmatched: Computed<bool>,
}

#[derive(Debug)]
enum Template {
    /// Nothing of it depends on the request.
    Fixed(Written),
    Filled(Computed<String>),
}

/// A path and a query as a request line can hold them.
#[derive(Debug)]
struct Written {
    path: String,
    query: String,
}

impl Written {
    fn new(filled: &str) -> Written {
        let (path, query) = filled.split_once('?').unwrap_or((filled, ""));
        let slash = if path.starts_with('/') { "" } else { "/" };
        Written {
            path: format!("{slash}{}", utf8_percent_encode(path, UNSENDABLE)),
            query: utf8_percent_encode(query, UNSENDABLE).to_string(),
        }
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let template: Computed<String> = cx.attr(element, &TEMPLATE)?;
    if let (Some(text), Some(operation)) = (template.as_literal(), cx.operation()) {
        let known = UrlTemplate::parse(&operation.info.url_template);
        if let Some(unknown) = placeholders(text).find(|it| !known.has_parameter(it.name)) {
            let message = format!("the operation's template has no parameter `{}`", unknown.name);
            let it = cx.refuse_attr(element, &TEMPLATE, codes::UNKNOWN_PARAMETER, message);
            let names = known.parameters().iter().map(String::as_str);
            return Err(match document::closest(unknown.name, names) {
                Some(near) => it.label(format!("did you mean `{{{near}}}`?")),
                None => it.label(format!("`{}` has none", operation.info.url_template)),
            });
        }
    }
    let copy_unmatched = cx.attr(element, &COPY_UNMATCHED_PARAMS)?;
    let template = match template.as_literal() {
        Some(text) if placeholders(text).next().is_none() => {
            Template::Fixed(Written::new(text.trim()))
        }
        _ => Template::Filled(template),
    };
    Ok(Step::immediate(RewriteUri { template, copy_unmatched }))
}

impl Immediate for RewriteUri {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let filled;
        let written = match &self.template {
            Template::Fixed(written) => written,
            Template::Filled(template) => {
                let template = template.borrow(context)?;
                filled = Written::new(&fill(template.trim(), &context.request)?);
                &filled
            }
        };
        let copy_unmatched = self.copy_unmatched.get(context)?;
        let operation = context.operation.as_ref().map(|it| it.info.url_template.as_str());
        let request = &mut context.request;
        let before =
            request.query_before_rewrite.get_or_insert_with(|| request.url.own_query().to_owned());
        if copy_unmatched && !before.is_empty() {
            let query = with_unmatched(&written.query, before, operation.unwrap_or_default());
            request.url.rewrite(&written.path, &query);
        } else {
            request.url.rewrite(&written.path, &written.query);
        }
        Ok(Flow::Next)
    }
}

/// A query, and of another one what neither it nor the operation's template names.
fn with_unmatched(written: &str, before: &str, operation: &str) -> String {
    let (_, known) = operation.split_once('?').unwrap_or_default();
    let names: Option<HashSet<String>> = (pairs(written).nth(FEW).is_some())
        .then(|| pairs(written).map(|it| it.name().to_ascii_lowercase()).collect());
    let is_written = |name: &str| match &names {
        Some(names) => names.contains(&name.to_ascii_lowercase()),
        None => pairs(written).any(|it| it.is_named(name)),
    };
    let mut query = String::with_capacity(written.len() + 1 + before.len());
    query.push_str(written);
    for pair in pairs(before) {
        let name = pair.name();
        if !pairs(known).any(|it| it.is_named(&name)) && !is_written(&name) {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(pair.segment);
        }
    }
    query
}

/// Puts the matched values in; a name that was not matched is an error.
fn fill(template: &str, request: &Request) -> Result<String, PolicyError> {
    let mut filled = String::with_capacity(template.len());
    let mut at = 0;
    for placeholder in placeholders(template) {
        let matched = request
            .raw_matched_parameters()
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(placeholder.name));
        let Some((_, value)) = matched else {
            return Err(PolicyError::evaluation(format_args!(
                "The operation's URL template has no parameter `{}`.",
                placeholder.name
            )));
        };
        filled.push_str(template.get(at..placeholder.start).unwrap_or_default());
        filled.push_str(value);
        at = placeholder.end;
    }
    filled.push_str(template.get(at..).unwrap_or_default());
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::FEW;
    use crate::test_support::Trial;

    fn rewritten(operation: (&str, &[(&str, &str)]), request: &str, policies: &str) -> String {
        let ran = Trial::inbound(policies).at_operation(operation.0, operation.1).run(request);
        assert_eq!(ran.outcome, "next");
        ran.context.request.url.path_and_query()
    }

    #[test]
    fn the_table_of_the_reference_holds() {
        let get = ("/get?a={b}", &[("b", "b")][..]);
        let customers = ("/customers?customerid={id}", &[("id", "ALFKI")][..]);
        for (operation, request, policy, expected) in [
            (get, "GET /get?a=b&c=d", r#"<rewrite-uri template="/put" />"#, "/put?c=d"),
            (
                get,
                "GET /get?a=b&c=d",
                r#"<rewrite-uri template="/put" copy-unmatched-params="false" />"#,
                "/put",
            ),
            (
                customers,
                "GET /customers?customerid=ALFKI",
                r#"<rewrite-uri template="/Customers('{id}')" />"#,
                "/Customers('ALFKI')",
            ),
        ] {
            assert_eq!(rewritten(operation, request, policy), expected);
        }
    }

    #[test]
    fn parameters_of_the_rewrite_win_over_incoming_ones() {
        let policy = r#"<rewrite-uri template="/x?City=a&amp;d=4" />"#;
        assert_eq!(rewritten(("/o", &[]), "GET /o?city=b&c=%33", policy), "/x?City=a&d=4&c=%33");
    }

    #[test]
    fn many_parameters_of_the_rewrite_are_looked_up_all_the_same() {
        let written: Vec<String> = (0..=FEW).map(|it| format!("p{it}=w")).collect();
        let written = written.join("&");
        let policy = format!(r#"<rewrite-uri template="/x?{}" />"#, written.replace('&', "&amp;"));
        assert_eq!(
            rewritten(("/o", &[]), "GET /o?P3=1&q=2&p%31=3", &policy),
            format!("/x?{written}&q=2")
        );
    }

    #[test]
    fn values_are_inserted_as_received_and_the_rest_is_made_sendable() {
        let operation = ("/o/{id}", &[("id", "a%2Fb")][..]);
        assert_eq!(
            rewritten(operation, "GET /o/a%2Fb", r#"<rewrite-uri template="x y/{id}/" />"#),
            "/x%20y/a%2Fb/"
        );
    }

    #[test]
    fn a_second_rewrite_starts_from_the_operation_again() {
        let policies = r#"<rewrite-uri template="/a?x=1" copy-unmatched-params="false" />
                          <rewrite-uri template="/b" />"#;
        assert_eq!(rewritten(("/o", &[]), "GET /o?c=d", policies), "/b?c=d");
    }

    #[test]
    fn an_unknown_parameter_does_not_load_at_an_operation_and_fails_elsewhere() {
        let policy = r#"<rewrite-uri template="/{ident}" />"#;
        let at_operation = Trial::inbound(policy).at_operation("/o/{id}", &[("id", "1")]);
        assert_eq!(at_operation.problems(), "PC0426");
        assert_eq!(
            Trial::inbound(policy).run("").outcome,
            "500 - (ExpressionValueEvaluationFailure)"
        );
    }

    #[test]
    fn a_line_break_never_reaches_the_request_line() {
        let policy = "<rewrite-uri template=\"/a&#13;&#10;b: c\" />";
        assert_eq!(rewritten(("/o", &[]), "GET /o", policy), "/a%0D%0Ab:%20c");
    }
}
