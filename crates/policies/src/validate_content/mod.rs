//! `<validate-content>`: checks the size, the media type and the content of a body.
//!
//! Bodies are read into memory as far as `max-size` goes. A longer one, if it may pass, stays a
//! stream and its content is not checked. A response that no `content` element is about is not
//! read; its announced length is looked at.
//!
//! JSON is checked against the API's description or an uploaded schema, XML and SOAP against the
//! schemas of the API or an uploaded one.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-content-policy>

mod definitions;
mod media;

use std::sync::Arc;

use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, Message, Operation,
    PolicyError, PolicyKind, Scopes, Sections, Statuses, Step, ValueType, Waiting, codes, words,
};
use schema::{Adjust, Direction};
use serde_json::Value;

use crate::content;
use crate::validation::Action;
use crate::validation::finding::{Finding, Findings};
use crate::validation::parameter::sentence;
use crate::validation::schemas::PerOperation;
use definitions::{Bodies, Definition, Form, Wanted, describe, named, named_xml};
use media::{MAP, Map};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "validate-content",
    summary: "Checks the size, the media type and the content of a body.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND).and(Sections::ON_ERROR),
    scopes: Scopes::ALL,
    attrs: &[UNSPECIFIED, MAX_SIZE, SIZE_EXCEEDED, VARIABLE],
    children: &[MAP, CONTENT],
    compile,
};

const UNSPECIFIED: Attr = Attr::required("unspecified-content-type-action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("What happens if the API does not describe the media type.");
const MAX_SIZE: Attr =
    Attr::required("max-size").expressions().doc("Largest body in bytes.").of(ValueType::Integer);
const SIZE_EXCEEDED: Attr = Attr::required("size-exceeded-action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("What happens if the body is larger.");
const VARIABLE: Attr =
    Attr::absent_by_default("errors-variable-name").doc("Variable that receives the findings.");
const CONTENT: Child = Child::repeated("content")
    .empty()
    .attrs(&[TYPE, VALIDATE_AS, SCHEMA_ID, SCHEMA_REF, ACTION, ADDITIONAL, IGNORE_CASE])
    .doc("How bodies of a media type are checked.");
const TYPE: Attr =
    Attr::absent_by_default("type").doc("The media type; absent: every one of the API.");
const VALIDATE_AS: Attr = Attr::required("validate-as").one_of(ValidateAs::WORDS).doc("As what.");
const SCHEMA_ID: Attr =
    Attr::absent_by_default("schema-id").doc("An uploaded schema, instead of the API's.");
const SCHEMA_REF: Attr =
    Attr::absent_by_default("schema-ref").doc("A definition inside of that schema.");
const ACTION: Attr = Attr::required("action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("What happens if the body does not conform.");
const ADDITIONAL: Attr = Attr::absent_by_default("allow-additional-properties")
    .doc("Whether members that the schema does not name are allowed.")
    .of(ValueType::Boolean);
const IGNORE_CASE: Attr = Attr::optional("case-insensitive-property-names", "false")
    .doc("Whether names of members compare without case.");

/// Largest `max-size`, in bytes.
const MAX_MAX_SIZE: u32 = 4 * 1024 * 1024;

words! {
    /// What a body is taken for.
    enum ValidateAs {
        /// JSON.
        Json = "json",
        /// XML.
        Xml = "xml",
        /// XML in an envelope.
        Soap = "soap",
    }
}

#[derive(Debug)]
struct ValidateContent {
    message: Message,
    unspecified: Computed<Action>,
    max_size: Computed<u32>,
    size_exceeded: Computed<Action>,
    variable: Option<String>,
    map: Map,
    contents: Contents,
    actions: Vec<Computed<Action>>,
    bodies: Arc<PerOperation<Bodies>>,
}

/// The media type and the definition of each `content` element.
type Contents = Arc<Vec<(Option<String>, Wanted)>>;

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let message = cx.message();
    let (mut contents, mut actions) = (Vec::new(), Vec::new());
    for it in element.children(&CONTENT) {
        let action = cx.attr(it, &ACTION)?;
        match content(it, message, cx) {
            Ok(it) => {
                contents.push(it);
                actions.push(action);
            }
            Err(problem) => cx.report(problem),
        }
    }
    let max_size: Computed<u32> = cx.attr(element, &MAX_SIZE)?;
    if max_size.as_literal().is_some_and(|it| *it > MAX_MAX_SIZE) {
        let problem = format!("`max-size` is at most {MAX_MAX_SIZE} bytes");
        cx.report(cx.refuse_attr(element, &MAX_SIZE, codes::BAD_VALUE, problem).label("too large"));
    }
    let contents: Contents = Arc::new(contents);
    let bodies = Arc::<PerOperation<Bodies>>::default();
    let (prepared, wanted) = (bodies.clone(), contents.clone());
    cx.prepare(move |operation| {
        prepared.get(operation, || describe(operation, message, &wanted)).problems.clone()
    });
    Ok(Step::waiting(ValidateContent {
        message,
        unspecified: cx.attr(element, &UNSPECIFIED)?,
        max_size,
        size_exceeded: cx.attr(element, &SIZE_EXCEEDED)?,
        variable: cx.literal_if(element, &VARIABLE)?,
        map: media::compile(element.child(&MAP), cx)?,
        contents,
        actions,
        bodies,
    }))
}

fn content(
    element: Element<'_>,
    message: Message,
    cx: &mut CompileCx,
) -> Result<(Option<String>, Wanted), Diagnostic> {
    let adjust = Adjust {
        direction: match message {
            Message::Request => Direction::Request,
            Message::Response | Message::Draft => Direction::Response,
        },
        additional_properties: cx.literal_if(element, &ADDITIONAL)?,
        ignore_case: cx.literal(element, &IGNORE_CASE)?,
    };
    let of_type: Option<String> = cx.literal_if(element, &TYPE)?;
    let of_type = of_type.map(|it| content::essence(&it).to_owned()).filter(|it| !it.is_empty());
    let id: Option<String> = cx.literal_if(element, &SCHEMA_ID)?;
    let reference: Option<String> = cx.literal_if(element, &SCHEMA_REF)?;
    let form: Option<fn(xsd::Schema) -> Form> = match cx.literal(element, &VALIDATE_AS)? {
        ValidateAs::Json => None,
        ValidateAs::Xml => Some(Form::Xml),
        ValidateAs::Soap => Some(Form::Soap),
    };
    if let Some(form) = form {
        if reference.is_some() {
            let message = "`schema-ref` leads into JSON schemas only";
            return Err(cx.refuse_attr(element, &SCHEMA_REF, codes::BAD_VALUE, message));
        }
        let wanted = match &id {
            Some(id) => named_xml(element, id, form, cx)?,
            None => Wanted::DescribedXml(form),
        };
        return Ok((of_type, wanted));
    }
    let wanted = match &id {
        Some(id) => named(element, id, reference.as_deref(), adjust, cx)?,
        None if reference.is_some() => {
            let message = "`schema-ref` needs the attribute `schema-id`";
            return Err(cx
                .refuse_attr(element, &SCHEMA_REF, codes::MISSING_ATTRIBUTE, message)
                .label("a definition of which schema?"));
        }
        None => Wanted::Described(adjust),
    };
    Ok((of_type, wanted))
}

impl Waiting for ValidateContent {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let mut findings = Findings::new(KIND.name, self.message);
        self.check(context, &mut findings).await?;
        findings.finish(context, self.variable.as_deref())
    }
}

impl ValidateContent {
    async fn check(
        &self,
        context: &mut Context,
        findings: &mut Findings,
    ) -> Result<(), PolicyError> {
        let operation = context.operation.clone();
        let Some(operation) = operation.filter(|it| !it.is_websocket) else { return Ok(()) };
        if !self.has_body(context, &operation) {
            return Ok(());
        }
        let actual = content::content_type(context, self.message);
        let content_type = self.map.apply(actual, context)?;
        let statuses = self.statuses(context, &operation);
        let bodies =
            self.bodies.get(&operation, || describe(&operation, self.message, &self.contents));
        let body = bodies.find(statuses, &content_type);
        let n = self.applying(&content_type, body.is_some());
        let max_size = self.max_size.get(context)?;
        if max_size > MAX_MAX_SIZE {
            return Err(PolicyError::evaluation("`max-size` is too large."));
        }
        let is_read = self.message == Message::Request || n.is_some();
        let size = self.size(context, max_size, is_read).await?;
        if let Some(finding) = self.exceeds(size, max_size, context)? {
            findings.add([finding]);
            return Ok(());
        }
        let Some(n) = n else {
            if body.is_none() {
                findings.add([self.unspecified(&content_type, self.unspecified.get(context)?)]);
            }
            return Ok(());
        };
        let Some(action) = self.actions.get(n) else { return Ok(()) };
        let action = action.get(context)?;
        if action == Action::Ignore {
            return Ok(());
        }
        let described = body.and_then(|it| it.definitions.get(n)).and_then(Option::as_ref);
        let definition = match self.contents.get(n).map(|(_, wanted)| wanted) {
            Some(Wanted::Named(definition)) => Some(definition),
            Some(Wanted::Described(_)) => described,
            Some(Wanted::DescribedXml(_)) => {
                let all = || bodies.undescribed.get(n).and_then(Option::as_ref);
                let Some(found) = described.or_else(all) else {
                    findings.add([Finding::no_schema(action)]);
                    return Ok(());
                };
                Some(found)
            }
            Some(Wanted::NotAtHand) | None => None,
        };
        let Some(definition) = definition else {
            findings.add([self.no_definition(&content_type, bodies.has_document, action)]);
            return Ok(());
        };
        let bytes = content::bytes(context, self.message).await?;
        let text = definition.form.text(&bytes, content::content_type(context, self.message));
        findings.add(self.violations(text.as_deref(), definition, &content_type, action));
        Ok(())
    }

    /// Whether there is something to look at. A request without the body that it must have is.
    fn has_body(&self, context: &Context, operation: &Operation) -> bool {
        match self.message {
            Message::Request => {
                let body = &context.request.body;
                let is_empty = body.as_bytes().is_some_and(|it| it.is_empty());
                operation.request.is_body_required || !is_empty
            }
            Message::Response | Message::Draft => context.response.as_ref().is_some_and(|it| {
                let is_empty = it.body.as_bytes().is_some_and(|it| it.is_empty());
                context.request.original_method != Method::HEAD && !is_empty
            }),
        }
    }

    fn statuses(&self, context: &Context, operation: &Operation) -> Option<Statuses> {
        if self.message == Message::Request {
            return None;
        }
        let status = context.response.as_ref()?.status.as_u16();
        operation.response(status).map(|it| it.statuses)
    }

    /// The `content` element for a media type: one that names it, else one for all that the API
    /// has.
    fn applying(&self, content_type: &str, is_described: bool) -> Option<usize> {
        let of = |wanted: Option<&str>| {
            self.contents.iter().position(|(it, _)| match (it, wanted) {
                (Some(it), Some(wanted)) => it.eq_ignore_ascii_case(wanted),
                (None, None) => true,
                _ => false,
            })
        };
        of(Some(content_type)).or_else(|| if is_described { of(None) } else { None })
    }

    /// The length of the body: announced, or read as far as `max_size` goes. `None`: longer.
    async fn size(
        &self,
        context: &mut Context,
        max_size: u32,
        is_read: bool,
    ) -> Result<Option<u64>, PolicyError> {
        let headers = content::headers(context, self.message);
        let announced = headers
            .filter(|it| !it.contains_key(CONTENT_ENCODING))
            .and_then(|it| it.get(CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok());
        if let Some(announced) = announced.filter(|it| *it > u64::from(max_size) || !is_read) {
            return Ok(Some(announced));
        }
        if !is_read {
            return Ok(Some(0));
        }
        let max_bytes = usize::try_from(max_size).unwrap_or(usize::MAX);
        if !context.buffer_within(self.message, max_bytes).await? {
            return Ok(None);
        }
        Ok(content::bytes_if_held(context, self.message).await?.map(|it| it.len() as u64))
    }

    fn exceeds(
        &self,
        size: Option<u64>,
        max_size: u32,
        context: &Context,
    ) -> Result<Option<Finding>, PolicyError> {
        let max = u64::from(max_size);
        if size.is_some_and(|it| it <= max) {
            return Ok(None);
        }
        let action = self.size_exceeded.get(context)?;
        let size = size.map_or_else(|| format!("at least {}", max + 1), |it| it.to_string());
        let whose = if self.is_request() { "Request" } else { "Response" };
        let text = |configured: &str| {
            format!(
                "{whose}'s body is {size} bytes long and it exceeds the {configured}limit of {max} bytes."
            )
        };
        let public = self.is_request().then(|| text(""));
        Ok(Some(self.finding("", "SizeLimit", text("configured "), public, action)))
    }

    fn is_request(&self) -> bool {
        self.message == Message::Request
    }

    fn finding(
        &self,
        name: &str,
        rule: &'static str,
        details: String,
        public: Option<String>,
        action: Action,
    ) -> Finding {
        let kind = if self.is_request() { "RequestBody" } else { "ResponseBody" };
        Finding { name: name.to_owned(), kind, rule, details, public, action }
    }

    fn unspecified(&self, content_type: &str, action: Action) -> Finding {
        let details = format!("Unspecified content type {content_type} is not allowed.");
        let public = self.is_request().then(|| details.clone());
        self.finding(content_type, "Unspecified", details, public, action)
    }

    fn no_definition(&self, content_type: &str, has_document: bool, action: Action) -> Finding {
        if !has_document {
            return Finding::no_schema(action);
        }
        let details = format!(
            "API's schema does not contain definition, which is associated with the content type {content_type}."
        );
        self.finding(content_type, "MissingDefinition", details, None, action)
    }

    /// Everything that is wrong with the content.
    fn violations(
        &self,
        text: Option<&str>,
        definition: &Definition,
        content_type: &str,
        action: Action,
    ) -> Vec<Finding> {
        let whose = if self.is_request() { "request" } else { "response" };
        let name = &definition.name;
        let finding = |why: &str, (line, position): (usize, usize)| {
            let details = format!(
                "Body of the {whose} does not conform to the definition {name}, which is \
                 associated with the content type {content_type}. {} Line: {line}, Position: {position}",
                sentence(why)
            );
            let public = self.is_request().then(|| details.clone());
            self.finding(content_type, "IncorrectMessage", details, public, action)
        };
        let Some(text) = text else {
            return vec![finding("the body is no text in its charset", (1, 1))];
        };
        let schema = match &definition.form {
            Form::Json(schema) => schema,
            Form::Xml(schema) => return of_xml(schema.check(text), &finding),
            Form::Soap(schema) => {
                return of_xml(schema.check_envelope(text, !self.is_request()), &finding);
            }
        };
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => {
                let why = error.to_string();
                let why = why.split(" at line ").next().unwrap_or_default();
                return vec![finding(why, (error.line(), error.column()))];
            }
        };
        if let Some((why, place)) = schema::repeated_member(text) {
            return vec![finding(&why, place)];
        }
        let violations = schema.check(&value);
        violations.iter().map(|it| finding(&it.message, schema::position(text, &it.path))).collect()
    }
}

/// Findings of what is wrong with an XML body.
fn of_xml(
    violations: Vec<xsd::Violation>,
    finding: &dyn Fn(&str, (usize, usize)) -> Finding,
) -> Vec<Finding> {
    violations.iter().map(|it| finding(&it.message, (it.line, it.position))).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::{NamedSchema, NamedSchemas};
    use serde_json::json;

    use crate::test_support::Trial;

    fn problems(attributes: &str, inside: &str) -> String {
        let mut trial = Trial::inbound(&format!(
            "<validate-content unspecified-content-type-action='prevent' \
             size-exceeded-action='prevent' {attributes}>{inside}</validate-content>"
        ));
        let mut schemas = NamedSchemas::default();
        let document = json!({"definitions": {"a": {"type": "string"}, "b": {"type": 1}}});
        schemas.insert("good", NamedSchema::Json(Arc::new(document)));
        let xml = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='a'/></xs:schema>";
        schemas.insert("xml", NamedSchema::Xml(xml.into()));
        schemas.insert("odd", NamedSchema::Xml(xml.replace("element", "notation").into()));
        trial.extensions.insert(Arc::new(schemas));
        trial.problems()
    }

    #[test]
    fn what_cannot_be_enforced_does_not_load() {
        let content =
            |more: &str| problems("max-size='9'", &format!("<content action='prevent' {more} />"));
        assert_eq!(content("validate-as='json'"), "fine");
        assert_eq!(content("validate-as='json' schema-id='GOOD'"), "fine");
        let good = "validate-as='json' schema-id='good' schema-ref='#/definitions/";
        assert_eq!(content(&format!("{good}a'")), "fine");
        assert_eq!(content(&format!("{good}b'")), "PC0409");
        assert_eq!(content(&format!("{good}c'")), "PC0409");
        assert_eq!(content("validate-as='json' schema-ref='#/a'"), "PC0404");
        assert_eq!(content("validate-as='json' schema-id='bad'"), "PC0433");
        assert_eq!(content("validate-as='json' schema-id='xml'"), "PC0409");
        for form in ["xml", "soap"] {
            let of = |more: &str| content(&format!("validate-as='{form}' {more}"));
            assert_eq!(of(""), "fine");
            assert_eq!(of("schema-id='XML'"), "fine");
            assert_eq!(of("schema-id='good'"), "PC0409");
            assert_eq!(of("schema-id='odd'"), "PC0409");
            assert_eq!(of("schema-id='none'"), "PC0433");
            assert_eq!(of("schema-id='xml' schema-ref='#/a'"), "PC0409");
        }
        assert_eq!(content("validate-as='text'"), "PC0409");
        assert_eq!(problems("max-size='4194304'", ""), "fine");
        assert_eq!(problems("max-size='4194305'", ""), "PC0409");
        assert_eq!(problems("", ""), "PC0404");
        assert_eq!(
            problems("max-size='9'", "<content-type-map><type to='a/b' /></content-type-map>"),
            "PC0412"
        );
        assert_eq!(
            problems(
                "max-size='9'",
                "<content-type-map><type to='a/b' from='c/d' when='true' /></content-type-map>"
            ),
            "PC0410"
        );
    }
}
