//! `<validate-parameters>`: checks headers, query and path of a request against the API's
//! description.
//!
//! Headers of the connection and the length of the body do not count as parameters; the
//! subscription key counts as described.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-parameters-policy>

use std::sync::Arc;

use pipeline::url::pairs;
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, Location,
    Message, Operation, PolicyError, PolicyKind, Scopes, Sections, Step, UrlTemplate,
};
use schema::Adjust;

use crate::validation::Action;
use crate::validation::finding::{Finding, Findings};
use crate::validation::parameter::{Checked, Words};
use crate::validation::schemas::PerOperation;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "validate-parameters",
    summary: "Checks headers, query and path of a request against the API's description.",
    sections: Sections::INBOUND.once(),
    scopes: Scopes::ALL,
    attrs: &[SPECIFIED, UNSPECIFIED, VARIABLE],
    children: &[HEADERS, QUERY, PATH],
    compile,
};

const SPECIFIED: Attr = Attr::required("specified-parameter-action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("What happens if a described parameter does not conform.");
const UNSPECIFIED: Attr = Attr::required("unspecified-parameter-action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("What happens if a parameter is not described.");
const VARIABLE: Attr =
    Attr::absent_by_default("errors-variable-name").doc("Variable that receives the findings.");
const OWN_SPECIFIED: Attr = Attr::absent_by_default("specified-parameter-action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("The same for this place.");
const OWN_UNSPECIFIED: Attr = Attr::absent_by_default("unspecified-parameter-action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("The same for this place.");
const HEADERS: Child = Child::optional("headers")
    .children(&[PARAMETER])
    .attrs(&[OWN_SPECIFIED, OWN_UNSPECIFIED])
    .doc("What holds for headers.");
const QUERY: Child = Child::optional("query")
    .children(&[PARAMETER])
    .attrs(&[OWN_SPECIFIED, OWN_UNSPECIFIED])
    .doc("What holds for the query.");
const PATH: Child = Child::optional("path")
    .children(&[PARAMETER])
    .attrs(&[OWN_SPECIFIED])
    .doc("What holds for the path.");
const PARAMETER: Child = Child::repeated("parameter")
    .empty()
    .attrs(&[NAME, ACTION])
    .doc("What holds for one parameter, described or not.");
const NAME: Attr = Attr::required("name").doc("The parameter.");
const ACTION: Attr =
    Attr::required("action").expressions().one_of(Action::WORDS).doc("What happens.");

#[derive(Debug)]
struct ValidateParameters {
    specified: Computed<Action>,
    unspecified: Computed<Action>,
    headers: Rules,
    query: Rules,
    path: Rules,
    variable: Option<String>,
    described: Arc<PerOperation<Described>>,
}

/// What holds for one place of parameters.
#[derive(Debug, Default)]
struct Rules {
    specified: Option<Computed<Action>>,
    unspecified: Option<Computed<Action>>,
    named: Vec<(String, Computed<Action>)>,
}

/// The described parameters of an operation.
#[derive(Debug)]
struct Described {
    parameters: Vec<Checked>,
    /// What keeps the policy from working.
    problems: Vec<String>,
    has_schema: bool,
}

/// The rules of one place for one request.
struct Place<'a> {
    location: Location,
    specified: Action,
    unspecified: Action,
    rules: &'a Rules,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let described = Arc::<PerOperation<Described>>::default();
    let prepared = described.clone();
    cx.prepare(move |operation| prepared.get(operation, || describe(operation)).problems.clone());
    Ok(Step::immediate(ValidateParameters {
        specified: cx.attr(element, &SPECIFIED)?,
        unspecified: cx.attr(element, &UNSPECIFIED)?,
        headers: rules(element.child(&HEADERS), cx)?,
        query: rules(element.child(&QUERY), cx)?,
        path: rules(element.child(&PATH), cx)?,
        variable: cx.literal_if(element, &VARIABLE)?,
        described,
    }))
}

fn rules(element: Option<Element<'_>>, cx: &mut CompileCx) -> Result<Rules, Diagnostic> {
    let Some(element) = element else { return Ok(Rules::default()) };
    let mut named = Vec::new();
    for it in element.children(&PARAMETER) {
        named.push((cx.literal(it, &NAME)?, cx.attr(it, &ACTION)?));
    }
    Ok(Rules {
        specified: cx.attr_if(element, &OWN_SPECIFIED)?,
        unspecified: cx.attr_if(element, &OWN_UNSPECIFIED)?,
        named,
    })
}

fn describe(operation: &Operation) -> Described {
    let specification = operation.specification.as_deref();
    let (mut parameters, mut problems) = (Vec::new(), Vec::new());
    for it in &operation.request.parameters {
        match Checked::compile(it, specification, Adjust::default()) {
            Ok(checked) => parameters.push(checked),
            Err(problem) => problems.push(format!("validate-parameters: {problem}")),
        }
    }
    let has_schema = specification.is_some() || !parameters.is_empty();
    Described { parameters, problems, has_schema }
}

impl Immediate for ValidateParameters {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let Some(operation) = context.operation.clone().filter(|it| !it.is_websocket) else {
            return Ok(Flow::Next);
        };
        let mut findings = Findings::new(KIND.name, Message::Request);
        let described = self.described.get(&operation, || describe(&operation));
        let (specified, unspecified) =
            (self.specified.get(context)?, self.unspecified.get(context)?);
        if !described.has_schema || !described.problems.is_empty() {
            findings.add([Finding::no_schema(stricter(specified, unspecified))]);
            return findings.finish(context, self.variable.as_deref());
        }
        let places = [
            (Location::Path, &self.path),
            (Location::Query, &self.query),
            (Location::Header, &self.headers),
        ];
        for (location, rules) in places {
            let own = |it: &Option<Computed<Action>>, or: Action| {
                it.as_ref().map_or(Ok(or), |it| it.get(context))
            };
            let place = Place {
                location,
                specified: own(&rules.specified, specified)?,
                unspecified: own(&rules.unspecified, unspecified)?,
                rules,
            };
            if check(&place, &described.parameters, &operation, context, &mut findings)? {
                break;
            }
        }
        findings.finish(context, self.variable.as_deref())
    }
}

fn stricter(a: Action, b: Action) -> Action {
    match (a, b) {
        (Action::Prevent, _) | (_, Action::Prevent) => Action::Prevent,
        (Action::Detect, _) | (_, Action::Detect) => Action::Detect,
        (Action::Ignore, Action::Ignore) => Action::Ignore,
    }
}

/// Checks all parameters of a place. Gives whether to stop.
fn check(
    place: &Place<'_>,
    described: &[Checked],
    operation: &Operation,
    context: &Context,
    findings: &mut Findings,
) -> Result<bool, PolicyError> {
    let words = Words::request(place.location);
    let described: Vec<&Checked> =
        described.iter().filter(|it| it.parameter.location == place.location).collect();
    let sent = sent(place.location, operation, context);
    for it in &described {
        let name = &it.parameter.name;
        let action = place.action(name, place.specified, context)?;
        if action == Action::Ignore {
            continue;
        }
        let texts: Vec<&str> =
            sent.iter().filter(|(sent, _)| is_same(sent, name)).map(|(_, it)| &**it).collect();
        let members: Vec<(String, String)> = sent
            .iter()
            .filter_map(|(sent, text)| Some((it.member(sent)?.to_owned(), text.clone())))
            .collect();
        let found = if texts.is_empty() && members.is_empty() {
            it.parameter.is_required.then(|| words.missing(name, action)).into_iter().collect()
        } else {
            it.check(&texts, &members, words, action)
        };
        if findings.add(found) {
            return Ok(true);
        }
    }
    for (name, _) in &sent {
        let is_described =
            described.iter().any(|it| is_same(name, &it.parameter.name) || it.owns(name));
        if is_described || is_key(place.location, name, context) {
            continue;
        }
        let action = place.action(name, place.unspecified, context)?;
        if findings.add([words.unspecified(name, action)]) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Place<'_> {
    /// The action for a parameter: that of its own rule, else the given one.
    fn action(&self, name: &str, or: Action, context: &Context) -> Result<Action, PolicyError> {
        let own = self.rules.named.iter().find(|(it, _)| is_same(it, name));
        own.map_or(Ok(or), |(_, action)| action.get(context))
    }
}

fn is_same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The subscription key is described by the API itself.
fn is_key(location: Location, name: &str, context: &Context) -> bool {
    let Some(api) = &context.api else { return false };
    match location {
        Location::Header => is_same(name, &api.subscription_key_header),
        Location::Query => is_same(name, &api.subscription_key_query),
        Location::Path => false,
    }
}

/// What the request has at a place: names and decoded values.
fn sent(location: Location, operation: &Operation, context: &Context) -> Vec<(String, String)> {
    let request = &context.request;
    match location {
        Location::Path => {
            let template = operation.info.url_template.split('?').next().unwrap_or_default();
            let template = UrlTemplate::parse(template);
            let matched = request.matched_parameters().iter();
            matched
                .filter(|(name, _)| template.has_parameter(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        }
        Location::Query => pairs(request.url.own_query())
            .map(|it| (it.name().into_owned(), it.value().into_owned()))
            .collect(),
        Location::Header => request
            .headers
            .iter()
            .filter(|(name, _)| !is_of_connection(name.as_str()))
            .map(|(name, value)| {
                let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), text)
            })
            .collect(),
    }
}

/// Headers that are no part of the request as the API describes it.
fn is_of_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

#[cfg(test)]
mod tests {
    use crate::test_support::problems;

    #[test]
    fn actions_are_words_or_expressions() {
        let with = |inside: &str| {
            problems(&format!(
                "<validate-parameters specified-parameter-action='prevent' \
                 unspecified-parameter-action='detect'>{inside}</validate-parameters>"
            ))
        };
        assert_eq!(with(""), "fine");
        assert_eq!(with("<headers unspecified-parameter-action='allow' />"), "PC0409");
        assert_eq!(with("<path unspecified-parameter-action='detect' />"), "PC0403");
        assert_eq!(with("<query><parameter name='a' /></query>"), "PC0404");
        assert_eq!(with("<cookies />"), "PC0405");
        assert_eq!(problems("<validate-parameters />"), "PC0404 PC0404");
    }
}
