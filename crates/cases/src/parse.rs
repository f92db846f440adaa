//! Reading case files.

use std::time::Duration;

use pipeline::{Scope, Section};

use crate::case::{Answer, Case, Described, Exchange, Expected, ExpectedBackend, Message};

/// Why a case file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// A block: its heading without the dashes, the line it stands in, and its lines.
struct Block<'a> {
    heading: &'a str,
    line: usize,
    lines: Vec<&'a str>,
}

/// Reads all cases of a text.
///
/// # Errors
///
/// The first line that cannot be understood.
pub fn parse(text: &str) -> Result<Vec<Case>, ParseError> {
    let mut cases = Vec::new();
    let mut reader = Reader::default();
    for (index, line) in text.lines().enumerate() {
        if line.len() >= 3 && line.bytes().all(|it| it == b'=') {
            reader.finish(&mut cases)?;
        } else {
            reader.line(line, index + 1)?;
        }
    }
    reader.finish(&mut cases)?;
    Ok(cases)
}

#[derive(Default)]
struct Reader<'a> {
    name: Option<(&'a str, usize)>,
    blocks: Vec<Block<'a>>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str, number: usize) -> Result<(), ParseError> {
        if let Some(heading) = line.strip_prefix("--- ") {
            if self.name.is_none() {
                return Err(error(number, "a block stands before the name of its case"));
            }
            self.blocks.push(Block { heading: heading.trim(), line: number, lines: Vec::new() });
        } else if let Some(block) = self.blocks.last_mut() {
            block.lines.push(line);
        } else if line.trim().is_empty() || line.starts_with('#') {
        } else if self.name.is_none() {
            self.name = Some((line.trim(), number));
        } else {
            return Err(error(number, "only blocks may follow the name of a case"));
        }
        Ok(())
    }

    fn finish(&mut self, cases: &mut Vec<Case>) -> Result<(), ParseError> {
        let blocks = std::mem::take(&mut self.blocks);
        let Some((name, line)) = self.name.take() else { return Ok(()) };
        let mut case = Case { name: name.to_owned(), line, ..Case::default() };
        case.request.first_line = "GET /".to_owned();
        let mut sections: Vec<(Section, String)> = Vec::new();
        let is_request = |it: &Block<'_>| it.heading.split(' ').next() == Some("request");
        let first_request = blocks.iter().position(is_request);
        for (at, block) in blocks.iter().enumerate() {
            let is_later_request = first_request.is_some_and(|it| it < at);
            apply(&mut case, &mut sections, block, is_later_request)?;
        }
        if !sections.is_empty() {
            if case.documents.iter().any(|(scope, _)| *scope == Scope::Api) {
                return Err(error(line, "sections stand beside a whole document"));
            }
            let inside: String =
                sections.iter().map(|(it, text)| format!("<{it}>{text}</{it}>\n")).collect();
            case.documents.push((Scope::Api, format!("<policies>\n{inside}</policies>")));
        }
        case.documents.sort_by_key(|(scope, _)| *scope);
        cases.push(case);
        Ok(())
    }
}

fn apply(
    case: &mut Case,
    sections: &mut Vec<(Section, String)>,
    block: &Block<'_>,
    is_later_request: bool,
) -> Result<(), ParseError> {
    let (word, rest) = block.heading.split_once(' ').unwrap_or((block.heading, ""));
    match (word, rest.trim()) {
        ("backend", "") if !block.text().trim_start().starts_with('<') => {
            block.expect_backend(&mut case.expected);
        }
        ("inbound" | "backend" | "outbound" | "on-error", "") => {
            let section = Section::from_name(word).ok_or_else(|| block.unknown())?;
            sections.push((section, block.text()));
        }
        ("policies", scope) => case.documents.push((block.scope(scope)?, block.text())),
        ("fragment", name) => {
            let text = block.text();
            let is_whole = text.trim_start().starts_with("<fragment");
            let text = if is_whole { text } else { format!("<fragment>{text}</fragment>") };
            case.fragments.push((name.to_owned(), text));
        }
        ("named", "values") => {
            for (name, value) in block.pairs()? {
                let plain = name.strip_prefix("secret ");
                case.named_values.push((plain.unwrap_or(&name).to_owned(), value, plain.is_some()));
            }
        }
        ("backends", "") => case.backends = block.pairs()?,
        ("loggers", "") => case.loggers = block.pairs()?,
        ("operation", "") => {
            let text = block.text();
            let (method, template) =
                text.trim().split_once(' ').ok_or_else(|| block.bad("METHOD TEMPLATE"))?;
            case.operation = Some((method.to_owned(), template.trim().to_owned()));
        }
        ("certificate", name) => case.certificates.push((name.to_owned(), block.text())),
        ("connection", names) => {
            let (provider, name) =
                names.split_once(' ').ok_or_else(|| block.bad("PROVIDER NAME"))?;
            let name = name.trim().to_owned();
            case.connections.push((provider.to_owned(), name, block.pairs()?));
        }
        ("client", "certificate") => case.client_certificates = Some(block.text()),
        ("client", "authorities") => case.client_authorities = Some(block.text()),
        ("specification", "") => case.specification = Some(block.text()),
        ("graphql", "") => case.graphql = Some((block.text(), false)),
        ("graphql", "passed on") => case.graphql = Some((block.text(), true)),
        ("resolver", path) => case.resolvers.push((path.to_owned(), block.text())),
        ("api", rest) if rest.starts_with("schema ") => {
            let name = rest.trim_start_matches("schema ").trim();
            case.api_schemas.push((name.to_owned(), block.text()));
        }
        ("named", rest) if rest.starts_with("schema ") => {
            let name = rest.trim_start_matches("schema ").trim();
            case.named_schemas.push((name.to_owned(), block.text()));
        }
        ("described", rest) => {
            let (status, content_type) = block.status_and_type(rest)?;
            case.described.push((status, content_type, Described::Example(block.trimmed())));
        }
        ("schema", rest) => {
            let (status, content_type) = block.status_and_type(rest)?;
            case.described.push((status, content_type, Described::Schema(block.trimmed())));
        }
        ("request", after) => {
            if is_later_request {
                case.next_request();
            }
            case.request = block.message();
            case.after = block.wait(after)?;
        }
        ("subscriptions", kind @ ("" | "required")) => {
            case.subscriptions = block.pairs()?;
            case.is_subscription_required = kind == "required";
        }
        ("largest", "body") => {
            let bytes = block.trimmed().parse().map_err(|_| block.bad("a number of bytes"))?;
            case.max_body_bytes = Some(bytes);
        }
        ("backend", "response") => case.backend_responses.push(block.answer()),
        ("call", "") => case.expected.calls.push(block.message()),
        ("answer", url) => case.answers.push((url.to_owned(), block.answer())),
        _ => return expect(&mut case.expected, block),
    }
    Ok(())
}

/// A block that says what must come out.
fn expect(expected: &mut Expected, block: &Block<'_>) -> Result<(), ParseError> {
    match block.heading {
        "response" => expected.response = Some(block.message()),
        "variables" => {
            for (name, text) in block.pairs()? {
                let (name, of_type) = match name.split_once(" (") {
                    Some((name, of_type)) => (name, Some(of_type.trim_end_matches(')'))),
                    None => (name.as_str(), None),
                };
                expected.variables.push((name.to_owned(), of_type.map(str::to_owned), text));
            }
        }
        "metrics" => {
            let lines = block.trimmed();
            expected.metrics = lines.lines().map(|it| it.trim().to_owned()).collect();
        }
        "last error" if block.trimmed() == "none" => expected.last_error = Some(Vec::new()),
        "last error" => expected.last_error = Some(block.pairs()?),
        "error" => expected.errors = Some(block.problems()),
        "warning" => expected.warnings = Some(block.problems()),
        _ => return Err(block.unknown()),
    }
    Ok(())
}

impl Case {
    /// What was said so far is of an earlier request.
    fn next_request(&mut self) {
        let problems = Expected {
            errors: self.expected.errors.take(),
            warnings: self.expected.warnings.take(),
            ..Expected::default()
        };
        self.earlier.push(Exchange {
            request: std::mem::take(&mut self.request),
            after: self.after,
            expected: std::mem::replace(&mut self.expected, problems),
        });
    }
}

impl Block<'_> {
    fn unknown(&self) -> ParseError {
        error(self.line, &format!("unknown block `{}`", self.heading))
    }

    fn bad(&self, wanted: &str) -> ParseError {
        error(self.line, &format!("block `{}` needs {wanted}", self.heading))
    }

    fn expect_backend(&self, expected: &mut Expected) {
        if self.trimmed() == "not called" {
            expected.backend = Some(ExpectedBackend::NotCalled);
        } else if let Some(ExpectedBackend::Called(calls)) = &mut expected.backend {
            calls.push(self.message());
        } else {
            expected.backend = Some(ExpectedBackend::Called(vec![self.message()]));
        }
    }

    /// How far the clock goes on: nothing, or `after 90s`.
    fn wait(&self, text: &str) -> Result<Duration, ParseError> {
        if text.is_empty() {
            return Ok(Duration::ZERO);
        }
        let number = text.strip_prefix("after ").and_then(|it| it.strip_suffix('s'));
        let seconds = number.and_then(|it| it.trim().parse::<f64>().ok());
        let wait = seconds.and_then(|it| Duration::try_from_secs_f64(it).ok());
        wait.ok_or_else(|| self.bad("`after SECONDSs`"))
    }

    /// The scope of a name; API without one.
    fn scope(&self, name: &str) -> Result<Scope, ParseError> {
        let named = || Scope::ALL.into_iter().find(|it| it.name() == name);
        if name.is_empty() { Ok(Scope::Api) } else { named().ok_or_else(|| self.unknown()) }
    }

    fn status_and_type(&self, text: &str) -> Result<(u16, String), ParseError> {
        let bad = || self.bad("STATUS TYPE");
        let (status, content_type) = text.split_once(' ').ok_or_else(bad)?;
        Ok((status.parse().map_err(|_| bad())?, content_type.trim().to_owned()))
    }

    fn trimmed(&self) -> String {
        self.text().trim().to_owned()
    }

    /// The lines without empty ones at the end.
    fn text(&self) -> String {
        self.lines.join("\n").trim_end().to_owned()
    }

    /// Lines `name: value`.
    fn pairs(&self) -> Result<Vec<(String, String)>, ParseError> {
        let mut pairs = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let (name, value) = match line.split_once(':') {
                Some((name, value)) => (name.trim(), value.trim()),
                None if line.starts_with('!') => (line, ""),
                None => return Err(error(self.line + 1 + index, "expected `name: value`")),
            };
            pairs.push((name.to_owned(), value.to_owned()));
        }
        Ok(pairs)
    }

    /// Lines `CODE part of the message`.
    fn problems(&self) -> Vec<(String, String)> {
        let lines = self.lines.iter().map(|it| it.trim()).filter(|it| !it.is_empty());
        lines
            .map(|it| it.split_once(' ').unwrap_or((it, "")))
            .map(|(code, message)| (code.to_owned(), message.trim().to_owned()))
            .collect()
    }

    fn answer(&self) -> Answer {
        match self.text().trim() {
            "connection refused" => Answer::ConnectionRefused,
            "timeout" => Answer::Timeout,
            _ => Answer::Response(self.message()),
        }
    }

    /// A first line, headers, and the rest as body. The empty line may be missing if the body
    /// does not look like a header.
    fn message(&self) -> Message {
        let mut lines = self.lines.iter().skip_while(|it| it.trim().is_empty()).copied().peekable();
        let first_line = lines.next().unwrap_or_default().trim().to_owned();
        let mut headers = Vec::new();
        while let Some(header) = lines.peek().and_then(|it| header(it)) {
            headers.push(header);
            lines.next();
        }
        if lines.peek().is_some_and(|it| it.trim().is_empty()) {
            lines.next();
        }
        let body = lines.collect::<Vec<_>>().join("\n").trim_end().to_owned();
        let body = match body.as_str() {
            "" => None,
            "(empty)" => Some(String::new()),
            _ => Some(body),
        };
        Message { first_line, headers, body }
    }
}

/// `name: value` or `!name`.
fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = match line.strip_prefix('!') {
        Some(_) => (line.trim_end(), ""),
        None => line.split_once(':')?,
    };
    let is_name = |it: &str| {
        !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.!".contains(&it))
    };
    is_name(name).then(|| (name.to_owned(), value.trim().to_owned()))
}

fn error(line: usize, problem: &str) -> ParseError {
    ParseError { line, problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: &str = r#"check-header refuses a value that is not listed
--- inbound
<check-header name="x-tier" failed-check-httpcode="403" failed-check-error-message="No">
    <value>gold</value>
</check-header>
--- request
GET /orders
x-tier: silver
--- response
403
{ "statusCode": 403, "message": "No" }
--- backend
not called
"#;

    fn one(text: &str) -> Case {
        let mut cases = parse(text).unwrap();
        assert_eq!(cases.len(), 1);
        cases.remove(0)
    }

    #[test]
    fn the_example_of_the_style_guide_is_read() {
        let case = one(STYLE);

        assert_eq!(case.name, "check-header refuses a value that is not listed");
        assert!(case.documents[0].1.starts_with("<policies>\n<inbound><check-header"));
        assert_eq!(case.request.first_line, "GET /orders");
        assert_eq!(case.request.headers, [("x-tier".to_owned(), "silver".to_owned())]);
        let response = case.expected.response.unwrap();
        assert_eq!(response.first_line, "403");
        assert_eq!(response.body.as_deref(), Some(r#"{ "statusCode": 403, "message": "No" }"#));
        assert_eq!(case.expected.backend, Some(ExpectedBackend::NotCalled));
    }

    #[test]
    fn a_further_request_begins_what_follows_it() {
        let case =
            one("n\n--- response\n200\n--- request\nGET /a\n--- error\nPC1\n--- variables\na: 1\n\
                        --- request after 1.5s\nGET /b\n--- response\n429\n");

        let earlier = case.earlier.first().unwrap();
        assert_eq!(
            (earlier.request.first_line.as_str(), earlier.after),
            ("GET /a", Duration::ZERO)
        );
        assert_eq!(earlier.expected.response.as_ref().unwrap().first_line, "200");
        assert_eq!((earlier.expected.variables.len(), case.expected.variables.len()), (1, 0));
        assert_eq!((case.earlier.len(), case.after), (1, Duration::from_millis(1500)));
        assert_eq!(case.expected.response.unwrap().first_line, "429");
        assert!(case.expected.errors.is_some() && earlier.expected.errors.is_none());

        for heading in ["request soon", "request after", "request after -1s", "request after xs"] {
            assert!(parse(&format!("n\n--- {heading}\nGET /\n")).is_err(), "{heading}");
        }
    }

    #[test]
    fn several_cases_are_separated_by_a_line() {
        let text = format!("# about\n\n{STYLE}\n===\n\n# more\nsecond\n=====\n");
        let cases = parse(&text).unwrap();

        assert_eq!(cases.len(), 2);
        assert_eq!((cases[1].name.as_str(), cases[1].line), ("second", 20));
    }

    #[test]
    fn backend_is_a_section_if_it_holds_policies() {
        let case =
            one("n\n--- backend\n<forward-request />\n--- backend\nPOST https://b/x\na: 1\n\nhi");

        assert!(case.documents[0].1.contains("<backend><forward-request /></backend>"));
        let Some(ExpectedBackend::Called(calls)) = case.expected.backend else { panic!() };
        let [request] = calls.as_slice() else { panic!("{}", calls.len()) };
        assert_eq!(
            (request.first_line.as_str(), request.body.as_deref()),
            ("POST https://b/x", Some("hi"))
        );
    }

    #[test]
    fn calls_and_answers_are_kept_in_order() {
        let case = one("n\n--- backend response\n503\n--- backend response\ntimeout\n\
                        --- backend\nGET /a\n--- backend\nGET /b\n--- call\nGET https://o/c");

        assert_eq!(case.backend_responses.len(), 2);
        assert_eq!(case.backend_responses[1], Answer::Timeout);
        let Some(ExpectedBackend::Called(calls)) = case.expected.backend else { panic!() };
        assert_eq!((calls[0].first_line.as_str(), calls.len()), ("GET /a", 2));
        assert_eq!(case.expected.calls[0].first_line, "GET https://o/c");
    }

    #[test]
    fn names_and_values_are_read_line_by_line() {
        let text = "n\n--- named values\nurl: https://x\nsecret key: k\n--- variables\n\
                    a (System.Int32): 5\nb: x: y\n!c\n--- last error\nnone\n--- error\nPC0404 needs";
        let case = one(text);

        assert_eq!(case.named_values[1], ("key".to_owned(), "k".to_owned(), true));
        assert_eq!(case.named_values[0].1, "https://x");
        let variables = &case.expected.variables;
        assert_eq!(variables[0].1.as_deref(), Some("System.Int32"));
        assert_eq!((variables[1].2.as_str(), variables[2].0.as_str()), ("x: y", "!c"));
        assert_eq!(case.expected.last_error, Some(Vec::new()));
        assert_eq!(case.expected.errors, Some(vec![("PC0404".to_owned(), "needs".to_owned())]));
    }

    #[test]
    fn a_body_is_not_mentioned_or_empty_or_there() {
        let body =
            |text: &str| one(&format!("n\n--- response\n{text}")).expected.response.unwrap().body;

        assert_eq!(body("200\na: 1"), None);
        assert_eq!(body("200\n\n(empty)"), Some(String::new()));
        assert_eq!(body("200\na: 1\n\nb: 2\n"), Some("b: 2".to_owned()));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        for (text, line) in [
            ("--- inbound\n", 1),
            ("n\nm\n", 2),
            ("n\n--- inbuond\n", 2),
            ("n\n--- policies nowhere\n", 2),
            ("n\n--- named values\n\nx\n", 4),
            ("n\n--- inbound\n<a/>\n--- policies\n<policies/>\n", 1),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
