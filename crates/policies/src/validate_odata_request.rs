//! `<validate-odata-request>`: lets only requests pass that follow OData's rules.
//!
//! Headers, the path below the API and the query options are checked for their syntax; names of
//! entities and properties are not, as nobody reads a service's metadata here. The version of a
//! request is that of its `OData-Version` header.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-odata-request-policy>

use odata::{Version, check_url};
use pipeline::{
    Attr, CompileCx, Context, Diagnostic, Element, Flow, Message, PolicyError, PolicyKind, Scope,
    Scopes, Sections, Step, ValueType, Waiting, codes,
};

use crate::content;
use crate::validation::Action;
use crate::validation::finding::{Finding, Findings};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "validate-odata-request",
    summary: "Lets only requests pass that follow OData's rules.",
    sections: Sections::INBOUND.once(),
    scopes: Scopes::ALL.without(Scope::Operation),
    attrs: &[VARIABLE, DEFAULT, MIN, MAX, MAX_SIZE],
    children: &[],
    compile,
};

const VARIABLE: Attr =
    Attr::absent_by_default("error-variable-name").doc("Variable that receives what is wrong.");
const DEFAULT: Attr = Attr::optional("default-odata-version", "4.0")
    .doc("Version of a request without `OData-Version`.")
    .differs(
        "The syntax is checked. Names and types are not compared with the service's metadata: a \
         request for an entity that is not there goes to the backend.",
    );
const MIN: Attr = Attr::absent_by_default("min-odata-version").doc("Lowest version.");
const MAX: Attr = Attr::absent_by_default("max-odata-version").doc("Highest version.");
const MAX_SIZE: Attr =
    Attr::absent_by_default("max-size").doc("Largest body in bytes.").of(ValueType::Integer);

#[derive(Debug)]
struct ValidateOdataRequest {
    variable: Option<String>,
    default: Version,
    min: Option<Version>,
    max: Option<Version>,
    max_size: Option<u32>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let default: String = cx.literal(element, &DEFAULT)?;
    let min: Option<String> = cx.literal_if(element, &MIN)?;
    let max: Option<String> = cx.literal_if(element, &MAX)?;
    let policy = ValidateOdataRequest {
        variable: cx.literal_if(element, &VARIABLE)?,
        default: version(element, cx, &DEFAULT, &default)?,
        min: min.map(|it| version(element, cx, &MIN, &it)).transpose()?,
        max: max.map(|it| version(element, cx, &MAX, &it)).transpose()?,
        max_size: cx.literal_if(element, &MAX_SIZE)?,
    };
    if policy.min.zip(policy.max).is_some_and(|(min, max)| min > max) {
        let message = "`min-odata-version` is above `max-odata-version`";
        return Err(cx
            .refuse_attr(element, &MIN, codes::BAD_VALUE, message)
            .label("no request could pass"));
    }
    Ok(Step::waiting(policy))
}

fn version(
    element: Element<'_>,
    cx: &CompileCx,
    attr: &Attr,
    text: &str,
) -> Result<Version, Diagnostic> {
    Version::parse(text).ok_or_else(|| {
        let message = format!("`{text}` is no version of OData");
        cx.refuse_attr(element, attr, codes::BAD_VALUE, message).help("`4.0` and `4.01` are usual")
    })
}

impl Waiting for ValidateOdataRequest {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let mut findings = Findings::new(KIND.name, Message::Request);
        let version = self.headers(context, &mut findings);
        let url = &context.request.original_url;
        let base = context.api.as_ref().map_or("", |it| it.path.as_str()).trim_matches('/');
        let path = url.path().trim_start_matches('/');
        let below = path.get(base.len()..).filter(|_| path.is_char_boundary(base.len()));
        let below = if base.is_empty() { Some(path) } else { below };
        for it in check_url(below.unwrap_or(path), url.query().trim_start_matches('?'), version) {
            let (kind, what) = match &it.place {
                odata::Place::Path => ("Url", "URL path".to_owned()),
                odata::Place::Option(name) => ("QueryParameter", format!("query option {name}")),
            };
            let details = format!("The {what} does not conform to OData: {}.", it.problem);
            findings.add([finding(&it.place.to_string(), kind, "ODataSyntax", details)]);
        }
        self.size(context, &mut findings).await?;
        findings.finish(context, self.variable.as_deref())
    }
}

impl ValidateOdataRequest {
    /// The version of the request; what is wrong with the headers that tell it is a finding.
    fn headers(&self, context: &Context, findings: &mut Findings) -> Version {
        let read = |name: &str| -> Result<Option<Version>, String> {
            let mut values = context.request.headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (None, _) => Ok(None),
                (Some(one), None) => {
                    let text = one.to_str().unwrap_or_default();
                    let found = Version::parse(text);
                    found.map(Some).ok_or_else(|| format!("`{text}` is no version of OData"))
                }
                (Some(_), Some(_)) => Err("it has several values".to_owned()),
            }
        };
        let bounds = |version: Version| {
            let is_low = self.min.is_some_and(|it| version < it);
            let is_high = self.max.is_some_and(|it| version > it);
            match (is_low, is_high) {
                (true, _) => Err("the version is too low".to_owned()),
                (_, true) => Err("the version is too high".to_owned()),
                _ => Ok(()),
            }
        };
        let mut tell = |name: &str, problem: String| {
            let details = format!("The header {name} does not conform to OData: {problem}.");
            findings.add([finding(name, "RequestHeader", "ODataVersion", details)]);
        };
        let own = read("OData-Version").map(|it| it.unwrap_or(self.default));
        if let Err(problem) = own.clone().and_then(bounds) {
            tell("OData-Version", problem);
        }
        // What the client understands has to be something that may be spoken.
        let highest = read("OData-MaxVersion").and_then(|it| match (it, self.min) {
            (Some(it), Some(min)) if it < min => Err("the version is too low".to_owned()),
            _ => Ok(()),
        });
        if let Err(problem) = highest {
            tell("OData-MaxVersion", problem);
        }
        own.unwrap_or(self.default)
    }

    async fn size(
        &self,
        context: &mut Context,
        findings: &mut Findings,
    ) -> Result<(), PolicyError> {
        let Some(max) = self.max_size.filter(|_| context.request.body.is_present()) else {
            return Ok(());
        };
        let max_bytes = usize::try_from(max).unwrap_or(usize::MAX);
        let size = match context.buffer_within(Message::Request, max_bytes).await? {
            true => content::bytes(context, Message::Request).await?.len(),
            false => max_bytes.saturating_add(1),
        };
        if size > max_bytes {
            let details =
                format!("Request's body is longer than the configured limit of {max} bytes.");
            findings.add([finding("", "RequestBody", "SizeLimit", details)]);
        }
        Ok(())
    }
}

fn finding(name: &str, kind: &'static str, rule: &'static str, details: String) -> Finding {
    let public = Some(details.clone());
    Finding { name: name.to_owned(), kind, rule, details, public, action: Action::Prevent }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{outcome, problems};

    #[test]
    fn versions_are_checked_at_load() {
        for (attributes, expected) in [
            ("", "fine"),
            (
                "default-odata-version='4.01' min-odata-version='3.0' max-odata-version='4.01'",
                "fine",
            ),
            ("error-variable-name='e' max-size='100'", "fine"),
            ("default-odata-version='4.1'", "PC0409"),
            ("min-odata-version='4.01' max-odata-version='4.0'", "PC0409"),
            ("max-size='many'", "PC0409"),
        ] {
            let policy = format!("<validate-odata-request {attributes} />");
            assert_eq!(problems(&policy), expected, "{attributes}");
        }
    }

    #[test]
    fn a_request_follows_the_rules_or_is_refused() {
        let of = |request: &str| outcome("<validate-odata-request />", request);
        assert_eq!(of("GET /People('a')?$top=1"), "next");
        assert_eq!(
            of("GET /People?$top=x"),
            "400 The query option $top does not conform to OData: `x` is no whole number. (Bad request)"
        );
    }
}
