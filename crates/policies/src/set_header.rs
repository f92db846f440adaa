//! `<set-header>`: sets, adds to or removes a header of the request or response.
//!
//! Several values become one line, except of the headers that cannot be joined. Headers of the
//! connection and the framing stay as they are.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-header-policy>

use expr::Value;
use http::header::{
    COOKIE, DATE, EXPIRES, HOST, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
    PROXY_AUTHENTICATE, RETRY_AFTER, SERVER, SET_COOKIE, USER_AGENT, WARNING, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow, Immediate,
    Message, PolicyError, PolicyKind, Scopes, Sections, Step, Unfit, ValueType, is_untouchable,
    words,
};
use smallvec::SmallVec;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "set-header",
    summary: "Sets, adds to or removes a header of the request or response.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[NAME, EXISTS_ACTION],
    children: &[VALUE],
    compile,
};

const NAME: Attr =
    Attr::required("name").expressions().doc("Header name.").of(ValueType::HeaderName);
const EXISTS_ACTION: Attr = Attr::optional("exists-action", "override")
    .expressions()
    .one_of(ExistsAction::WORDS)
    .doc("What happens if the header is there already.");
const VALUE: Child = Child::repeated("value").expressions().doc("Value; several make several.");

words! {
    enum ExistsAction {
        Override = "override",
        Skip = "skip",
        Append = "append",
        Delete = "delete",
    }
}

/// Headers whose values cannot be joined by commas.
const SEPARATE_LINES: [HeaderName; 12] = [
    USER_AGENT,
    WWW_AUTHENTICATE,
    PROXY_AUTHENTICATE,
    COOKIE,
    SET_COOKIE,
    WARNING,
    DATE,
    EXPIRES,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
    LAST_MODIFIED,
    RETRY_AFTER,
];

/// Headers whose values are marked as not to be shown.
const CREDENTIALS: [&str; 5] =
    ["authorization", "proxy-authorization", "api-key", "cookie", "ocp-apim-subscription-key"];

#[derive(Debug)]
struct SetHeader {
    message: Message,
    name: Computed<HeaderName>,
    /// Of a name that is known at load.
    traits: Option<Traits>,
    action: Computed<ExistsAction>,
    values: Vec<Computed<FieldValue>>,
}

/// A header's value; `null` is none.
#[derive(Clone, Debug)]
struct FieldValue(Option<HeaderValue>);

impl Convert for FieldValue {
    const TAKES_NULL: bool = true;

    fn secret(mut self) -> FieldValue {
        if let Some(value) = &mut self.0 {
            value.set_sensitive(true);
        }
        self
    }

    fn from_text(text: &str) -> Result<FieldValue, Unfit> {
        let text = text.trim();
        let unfit = || Unfit::wanted("a header value, which has no control characters");
        known::value(text).map(|it| FieldValue(Some(it))).ok_or_else(unfit)
    }

    fn from_value(value: Value) -> Result<FieldValue, Unfit> {
        if value.is_null() { Ok(FieldValue(None)) } else { FieldValue::from_text(&value.to_text()) }
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let name: Computed<HeaderName> = cx.attr(element, &NAME)?;
    Ok(Step::immediate(SetHeader {
        message: cx.message(),
        traits: name.as_literal().map(Traits::of),
        name,
        action: cx.attr(element, &EXISTS_ACTION)?,
        values: element.children(&VALUE).map(|it| cx.text(it)).collect::<Result<_, _>>()?,
    }))
}

impl Immediate for SetHeader {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let name = self.name.borrow(context)?;
        let name: &HeaderName = &name;
        let traits = self.traits.unwrap_or_else(|| Traits::of(name));
        let action = self.action.get(context)?;
        if self.leaves(traits, action, context) {
            tracing::debug!(header = %name, "set-header leaves this header as it is");
            return Ok(Flow::Next);
        }
        // The usual policy: one value that takes the place of what is there.
        if let (ExistsAction::Override, [value]) = (action, self.values.as_slice())
            && let Some(mut value) = value.get(context)?.0
        {
            if traits.is_credential {
                value.set_sensitive(true);
            }
            context.headers_mut(self.message).insert(name, value);
            self.note_host(traits, context);
            return Ok(Flow::Next);
        }
        match action {
            ExistsAction::Delete => {
                context.headers_mut(self.message).remove(name);
            }
            ExistsAction::Skip if context.headers_mut(self.message).contains_key(name) => {}
            ExistsAction::Override | ExistsAction::Skip => {
                let values = self.values(traits, context)?;
                let headers = context.headers_mut(self.message);
                if values.len() != 1 {
                    headers.remove(name);
                }
                put(headers, name, values);
            }
            ExistsAction::Append => {
                let mut values = self.values(traits, context)?;
                let headers = context.headers_mut(self.message);
                if headers.contains_key(name) {
                    // Old values first; they are joined with the new ones if they can be.
                    values.insert_many(0, headers.get_all(name).into_iter().cloned());
                    headers.remove(name);
                }
                put(headers, name, values);
            }
        }
        self.note_host(traits, context);
        Ok(Flow::Next)
    }
}

/// Mostly one.
type FieldValues = SmallVec<[HeaderValue; 1]>;

impl SetHeader {
    /// Whether the header cannot be changed.
    fn leaves(&self, traits: Traits, action: ExistsAction, context: &Context) -> bool {
        let is_websocket = || context.operation.as_ref().is_some_and(|it| it.is_websocket);
        traits.is_untouchable
            || (traits.is_server && action == ExistsAction::Delete)
            || (traits.is_host && self.message == Message::Request && is_websocket())
    }

    fn note_host(&self, traits: Traits, context: &mut Context) {
        if traits.is_host && self.message == Message::Request {
            context.request.host_is_set = context.request.headers.contains_key(HOST);
        }
    }

    /// The values; `null` is left out. A policy without any sets an empty value.
    fn values(&self, traits: Traits, context: &Context) -> Result<FieldValues, PolicyError> {
        let mut values = FieldValues::new();
        if self.values.is_empty() {
            values.push(HeaderValue::from_static(""));
        }
        for value in &self.values {
            values.extend(value.get(context)?.0);
        }
        if traits.is_credential {
            values.iter_mut().for_each(|it| it.set_sensitive(true));
        }
        Ok(values)
    }
}

/// What is special about a header; known at load if its name is.
#[derive(Clone, Copy, Debug)]
struct Traits {
    is_untouchable: bool,
    is_credential: bool,
    is_host: bool,
    is_server: bool,
}

impl Traits {
    fn of(name: &HeaderName) -> Traits {
        Traits {
            is_untouchable: is_untouchable(name),
            is_credential: CREDENTIALS.contains(&name.as_str()),
            is_host: *name == HOST,
            is_server: *name == SERVER,
        }
    }
}

/// Puts values where none are; a single one replaces what is there.
fn put(headers: &mut HeaderMap, name: &HeaderName, mut values: FieldValues) {
    if values.len() == 1 {
        values.pop().into_iter().for_each(|it| drop(headers.insert(name, it)));
        return;
    }
    if values.len() > 1 && !SEPARATE_LINES.contains(name) {
        let parts: Vec<&[u8]> = values.iter().map(HeaderValue::as_bytes).collect();
        if let Ok(mut joined) = HeaderValue::from_bytes(&parts.join(&b","[..])) {
            joined.set_sensitive(values.iter().any(HeaderValue::is_sensitive));
            headers.insert(name, joined);
            return;
        }
    }
    for value in values {
        headers.append(name, value);
    }
}

/// Long values that a thread has made before, such as `Bearer` and a token: to look at every byte
/// of those again costs more than the rest of the policy.
mod known {
    use std::cell::RefCell;

    use http::HeaderValue;

    /// Values that a thread remembers.
    const MAX_KNOWN: usize = 16;
    /// Lengths that are worth it, and that may be kept.
    const LENGTHS: std::ops::RangeInclusive<usize> = 128..=16 * 1024;

    thread_local! {
        static KNOWN: RefCell<[Option<HeaderValue>; MAX_KNOWN]> =
            const { RefCell::new([const { None }; MAX_KNOWN]) };
    }

    /// The text as a header's value; none if it cannot be one.
    pub(super) fn value(text: &str) -> Option<HeaderValue> {
        let make = || HeaderValue::from_bytes(text.as_bytes()).ok();
        if !LENGTHS.contains(&text.len()) {
            return make();
        }
        // What differs between tokens stands at their end.
        let last = text.bytes().rev().take(2).fold(text.len(), |sum, it| sum + usize::from(it));
        KNOWN.with_borrow_mut(|known| {
            let Some(slot) = known.get_mut(last % MAX_KNOWN) else { return make() };
            if slot.as_ref().is_none_or(|it| it.as_bytes() != text.as_bytes()) {
                *slot = make();
            }
            slot.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use pipeline::{Operation, Response, Section};

    use crate::test_support::{Trial, problems};

    fn header(action: &str, values: &[&str], request: &str) -> Vec<String> {
        let values: String = values.iter().map(|it| format!("<value>{it}</value>")).collect();
        lines("x-a", &format!(r#"<set-header name="X-A" {action}>{values}</set-header>"#), request)
    }

    fn lines(name: &str, policy: &str, request: &str) -> Vec<String> {
        let ran = Trial::inbound(policy).run(request);
        assert_eq!(ran.outcome, "next");
        ran.context.request.header_values(name).map(str::to_owned).collect()
    }

    #[test]
    fn each_action_does_its_own() {
        let nothing: [&str; 0] = [];
        for (action, present, absent) in [
            ("", &["new"][..], &["new"][..]),
            (r#"exists-action="override""#, &["new"], &["new"]),
            (r#"exists-action="Skip""#, &["old"], &["new"]),
            (r#"exists-action="append""#, &["old,new"], &["new"]),
            (r#"exists-action="delete""#, &nothing, &nothing),
        ] {
            assert_eq!(header(action, &["new"], "x-a: old"), present, "{action}");
            assert_eq!(header(action, &["new"], ""), absent, "{action}");
        }
    }

    #[test]
    fn several_values_are_one_line_except_of_headers_that_cannot_be_joined() {
        assert_eq!(header("", &["1", "2"], "x-a: old"), ["1,2"]);

        let cookies = r#"<set-header name="Set-Cookie" exists-action="append">
            <value>b=2</value><value>c=3</value></set-header>"#;
        assert_eq!(lines("set-cookie", cookies, "set-cookie: a=1"), ["a=1", "b=2", "c=3"]);
    }

    #[test]
    fn an_empty_value_keeps_an_empty_header() {
        assert_eq!(header("", &[""], "x-a: old"), [""]);
        assert_eq!(header("", &[], "x-a: old"), [""]);
        assert_eq!(header("", &["  spaced\n "], ""), ["spaced"]);
    }

    #[test]
    fn headers_of_the_framing_stay_as_they_are() {
        let set = r#"<set-header name="Content-Length"><value>9</value></set-header>"#;
        assert_eq!(lines("content-length", set, "content-length: 1"), ["1"]);
        let delete = r#"<set-header name="Transfer-Encoding" exists-action="delete" />"#;
        assert_eq!(lines("transfer-encoding", delete, "transfer-encoding: chunked"), ["chunked"]);
        let server = r#"<set-header name="Server" exists-action="delete" />"#;
        assert_eq!(lines("server", server, "server: s"), ["s"]);
        let changed = r#"<set-header name="Server"><value>t</value></set-header>"#;
        assert_eq!(lines("server", changed, "server: s"), ["t"]);
    }

    #[test]
    fn host_is_set_for_http_and_not_for_websockets() {
        let policy = r#"<set-header name="Host"><value>other</value></set-header>"#;
        assert!(Trial::inbound(policy).run("host: h").context.request.host_is_set);

        let mut trial = Trial::inbound(policy);
        trial.operation = Some(Operation { is_websocket: true, ..Operation::default() });
        let ran = trial.run("host: h");
        assert!(!ran.context.request.host_is_set);
        assert_eq!(ran.context.request.headers["host"], "h");
    }

    #[test]
    fn credentials_and_secrets_are_marked_as_not_to_be_shown() {
        let policy = r#"<set-header name="api-key"><value>k</value></set-header>
                        <set-header name="x-a"><value>{{key}}</value></set-header>
                        <set-header name="x-b"><value>b</value></set-header>"#;
        let mut trial = Trial::inbound(policy);
        trial.named_values.insert("key", document::NamedValue::secret("s3cret"));
        let headers = trial.run("").context.request.headers;

        assert!(headers["api-key"].is_sensitive() && headers["x-a"].is_sensitive());
        assert!(!headers["x-b"].is_sensitive());
    }

    #[test]
    fn in_outbound_it_is_the_responses_header() {
        let policy = r#"<set-header name="x-a"><value>1</value></set-header>"#;
        let mut trial = Trial::of(Section::Outbound, policy);
        trial.response = Some(Response::new(StatusCode::OK));
        let ran = trial.run("");
        assert_eq!(ran.context.response.unwrap().headers["x-a"], "1");
        assert!(ran.context.request.headers.is_empty());
    }

    #[test]
    fn bad_names_and_actions_do_not_load() {
        assert_eq!(problems(r#"<set-header name="a b" />"#), "PC0409");
        assert_eq!(problems(r#"<set-header name="a" exists-action="merge" />"#), "PC0409");
        assert_eq!(
            problems("<set-header name='a'><value>1&#10;b: 2</value></set-header>"),
            "PC0409"
        );
        assert_eq!(problems("<set-header />"), "PC0404");
        assert_eq!(problems(r#"<set-header name="a"><valeu /></set-header>"#), "PC0405");
    }

    #[test]
    fn a_long_value_is_remembered_and_never_taken_for_another() {
        let texts: Vec<String> = (0..64).map(|it| format!("Bearer {it:0>200}")).collect();
        for _ in 0..2 {
            for text in &texts {
                assert_eq!(super::known::value(text).unwrap(), text.as_str());
            }
        }
        assert!(super::known::value(&"\n".repeat(200)).is_none());
        assert!(super::known::value(&"x".repeat(20_000)).is_some());
    }
}
