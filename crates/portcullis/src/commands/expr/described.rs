//! The request that expressions see, as the command line or a file describes it.

use std::io::Read;
use std::path::Path;

use ::expr::{Options, Variables};
use ::oracle::RecordedHost;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::host::SessionHost;
use super::message::{self, Message, Start};
use super::session;
use crate::cli::Expr;
use crate::exit::Exit;

/// Largest file that describes something, in bytes.
const MAX_FILE_BYTES: u64 = 32 << 20;

/// The members of a record.
const MEMBERS: &[&str] = &[
    "Api",
    "Backend",
    "Deployment",
    "Elapsed",
    "LastError",
    "Operation",
    "Product",
    "Request",
    "RequestId",
    "Response",
    "Subscription",
    "Timestamp",
    "Tracing",
    "User",
    "Variables",
    "Workspace",
];

/// A problem with how it should end the program.
type Failure = (Exit, String);

/// What `context` shows: a record, and the variables that were set since.
#[derive(Clone, Debug, Default)]
pub(super) struct Described {
    /// `Request` of the record.
    request: Map<String, Json>,
    /// The rest of it.
    record: Map<String, Json>,
    /// `context.Variables`.
    pub(super) variables: Variables,
}

impl Described {
    /// What the arguments describe.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or something in it or in the arguments makes no sense.
    pub(super) fn of(arguments: &Expr, options: &Options) -> Result<Self, Failure> {
        let mut described = Self::default();
        if let Some(file) = &arguments.request {
            described.load_request(file)?;
        }
        if let Some(url) = &arguments.url {
            described.set_url(url).map_err(usage)?;
        }
        for header in &arguments.headers {
            let (name, value) = message::header(header).map_err(usage)?;
            described.add_header(&name, &value);
        }
        if let Some(data) = &arguments.data {
            described.set_body(data)?;
        }
        if let Some(method) = &arguments.method {
            described.request.insert("Method".to_owned(), json!(method.to_ascii_uppercase()));
        }
        if let Some(file) = &arguments.response {
            described.load_response(file)?;
        }
        described.adopt_variables()?;
        for variable in &arguments.variables {
            described.set_variable(variable, options)?;
        }
        described.host().map_err(|it| (Exit::Unreadable, it))?;
        Ok(described)
    }

    /// The request as a host, for one evaluation: what a read uses up is there again next time.
    ///
    /// # Errors
    ///
    /// What of the record is missing or of the wrong kind.
    pub(super) fn host(&self) -> Result<SessionHost, String> {
        let mut record = self.record.clone();
        let mut request = self.request.clone();
        let url = request.get("Url").cloned().unwrap_or_else(|| json!("http://localhost/"));
        for (name, value) in [
            ("Method", json!("GET")),
            ("OriginalUrl", url.clone()),
            ("Url", url),
            ("IpAddress", json!("127.0.0.1")),
            ("Headers", json!({})),
        ] {
            request.entry(name).or_insert(value);
        }
        record.insert("Request".to_owned(), Json::Object(request));
        let is_timed = record.contains_key("Timestamp");
        let recorded = RecordedHost::from_record(&record).map_err(|it| it.to_string())?;
        Ok(SessionHost::new(recorded, self.variables.clone(), is_timed))
    }

    /// Replaces the request, or the whole record, by what a file describes: an HTTP message, or JSON.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is neither.
    pub(super) fn load_request(&mut self, file: &Path) -> Result<(), Failure> {
        let bytes = read(file)?;
        if !is_json(&bytes) {
            let message = message::parse(&bytes).map_err(|it| told(file, &it))?;
            return self.set_request(message).map_err(|it| told(file, &it));
        }
        let mut record: Map<String, Json> =
            serde_json::from_slice(&bytes).map_err(|it| told(file, &it))?;
        if !record.is_empty() && !record.keys().any(|it| MEMBERS.contains(&it.as_str())) {
            // Only a request, without a `Request` around it.
            record = Map::from_iter([("Request".to_owned(), Json::Object(record))]);
        }
        if let Some(name) = record.keys().find(|it| !MEMBERS.contains(&it.as_str())) {
            return Err(told(file, &format!("`{name}` is no member of `context`")));
        }
        for part in ["Request", "Response"] {
            if let Some(part) = record.get_mut(part).and_then(Json::as_object_mut) {
                write_body_as_text(part);
            }
        }
        self.request = match record.shift_remove("Request") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(it)) => it,
            Some(_) => return Err(told(file, &"`Request` is no object")),
        };
        self.record = record;
        Ok(())
    }

    /// Replaces the response by what a file describes: an HTTP message, or JSON.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is neither.
    pub(super) fn load_response(&mut self, file: &Path) -> Result<(), Failure> {
        let bytes = read(file)?;
        let response = if is_json(&bytes) {
            let mut response: Map<String, Json> =
                serde_json::from_slice(&bytes).map_err(|it| told(file, &it))?;
            if let Some(Json::Object(inner)) = response.get("Response") {
                response = inner.clone();
            }
            write_body_as_text(&mut response);
            response
        } else {
            let message = message::parse(&bytes).map_err(|it| told(file, &it))?;
            let Start::Response { status, reason } = message.start else {
                return Err(told(file, &"a response starts with `HTTP/1.1 200 OK`"));
            };
            let mut response = Map::new();
            response.insert("StatusCode".to_owned(), json!(status));
            response.insert("StatusReason".to_owned(), json!(reason));
            response.insert("Headers".to_owned(), headers(&message.headers));
            if let Some(body) = message.body {
                response.insert("Body".to_owned(), body_of(&body));
            }
            response
        };
        self.record.insert("Response".to_owned(), Json::Object(response));
        Ok(())
    }

    fn set_request(&mut self, message: Message) -> Result<(), String> {
        let Start::Request { method, target } = message.start else {
            return Err("a request starts with `GET /path HTTP/1.1`".to_owned());
        };
        let named = |it: &&(String, String)| it.0.eq_ignore_ascii_case("host");
        let host = message.headers.iter().find(named).map_or("localhost", |it| &it.1);
        let url = if target.contains("://") { target } else { format!("http://{host}{target}") };
        let request = &mut self.request;
        request.clear();
        request.insert("Method".to_owned(), json!(method));
        request.insert("Headers".to_owned(), headers(&message.headers));
        if let Some(body) = message.body {
            request.insert("Body".to_owned(), body_of(&body));
        }
        self.set_url(&url)
    }

    /// Sets the URL of the request, absolute or from the first slash on.
    ///
    /// # Errors
    ///
    /// If it is neither.
    pub(super) fn set_url(&mut self, url: &str) -> Result<(), String> {
        let absolute = match url {
            it if it.contains("://") => it.to_owned(),
            it if it.starts_with('/') => format!("http://localhost{it}"),
            it => format!("http://{it}"),
        };
        if ::expr::host::UrlView::parse(&absolute).is_none() {
            return Err(format!("`{url}` is no URL"));
        }
        let request = &mut self.request;
        request.insert("Url".to_owned(), json!(absolute));
        request.insert("OriginalUrl".to_owned(), json!(absolute));
        Ok(())
    }

    /// Sets method and URL.
    ///
    /// # Errors
    ///
    /// If the URL is none.
    pub(super) fn set_call(&mut self, method: &str, url: &str) -> Result<(), String> {
        self.set_url(url)?;
        self.request.insert("Method".to_owned(), json!(method.to_ascii_uppercase()));
        Ok(())
    }

    /// Adds a header to the request.
    pub(super) fn add_header(&mut self, name: &str, value: &str) {
        let headers = self.request.entry("Headers").or_insert_with(|| json!({}));
        let Some(headers) = headers.as_object_mut() else { return };
        let own = headers.keys().find(|it| it.eq_ignore_ascii_case(name)).cloned();
        let entry = headers.entry(own.as_deref().unwrap_or(name)).or_insert_with(|| json!([]));
        if let Some(values) = entry.as_array_mut() {
            values.push(json!(value));
        } else {
            *entry = json!([entry.take(), value]);
        }
    }

    /// Sets the body of the request: the text itself, `@FILE`, or `@-` for standard input. As with
    /// curl, the method becomes POST; the content type becomes JSON if the body is JSON.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(super) fn set_body(&mut self, data: &str) -> Result<(), Failure> {
        let bytes = match data.strip_prefix('@') {
            Some(file) => read(Path::new(file))?,
            None => data.as_bytes().to_vec(),
        };
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
        let request = &mut self.request;
        request.insert("Body".to_owned(), body_of(&bytes));
        request.entry("Method").or_insert_with(|| json!("POST"));
        let typed = request
            .get("Headers")
            .and_then(Json::as_object)
            .is_some_and(|it| it.keys().any(|name| name.eq_ignore_ascii_case("content-type")));
        if !typed {
            let kind =
                if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
            self.add_header("Content-Type", kind);
        }
        Ok(())
    }

    /// Sets a variable: `NAME=TEXT`, or `NAME:=EXPRESSION`, whose value keeps its type.
    fn set_variable(&mut self, variable: &str, options: &Options) -> Result<(), Failure> {
        let Some((name, text)) = variable.split_once('=') else {
            return Err(usage(format!("`{variable}` is neither NAME=TEXT nor NAME:=EXPRESSION")));
        };
        let value = match name.strip_suffix(':') {
            None => text.into(),
            Some(_) => session::value_of(text, self, options)
                .map_err(|it| (Exit::Findings, format!("--var {name}: {it}")))?,
        };
        self.variables.set(name.trim_end_matches(':'), value);
        Ok(())
    }

    /// Takes the variables of the record over.
    fn adopt_variables(&mut self) -> Result<(), Failure> {
        let host = self.host().map_err(|it| (Exit::Unreadable, it))?;
        self.record.remove("Variables");
        self.variables = host.recorded_variables().clone();
        Ok(())
    }
}

fn usage(problem: String) -> Failure {
    (Exit::Usage, problem)
}

fn told(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    (Exit::Unreadable, format!("{}: {error}", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let done = if file == Path::new("-") {
        std::io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|it| it.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
    };
    done.map_err(|error| told(file, &error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(told(file, &"the file is larger than 32 MiB"));
    }
    Ok(bytes)
}

fn is_json(bytes: &[u8]) -> bool {
    bytes.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b'{')
}

fn headers(of: &[(String, String)]) -> Json {
    let mut all: Map<String, Json> = Map::new();
    for (name, value) in of {
        let own = all.keys().find(|it| it.eq_ignore_ascii_case(name)).cloned();
        let entry = all.entry(own.as_deref().unwrap_or(name)).or_insert_with(|| json!([]));
        if let Some(values) = entry.as_array_mut() {
            values.push(json!(value));
        }
    }
    Json::Object(all)
}

/// A body as records have it: text, or Base64.
fn body_of(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}

/// A body that is written as JSON becomes its text.
fn write_body_as_text(message: &mut Map<String, Json>) {
    let Some(body) = message.get_mut("Body") else { return };
    let is_base64 = body.as_object().is_some_and(|it| it.len() == 1 && it.contains_key("base64"));
    if (body.is_object() && !is_base64) || body.is_array() {
        *body = json!(body.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::expr::Host as _;
    use clap::Parser as _;

    fn described(arguments: &[&str]) -> Result<Described, Failure> {
        let line = ["portcullis", "expr", "1"].into_iter().chain(arguments.iter().copied());
        let cli = crate::cli::Cli::parse_from(line);
        let crate::cli::Command::Expr(arguments) = cli.command else { panic!("not expr") };
        Described::of(&arguments, &Options::default())
    }

    #[test]
    fn the_command_line_describes_a_request_as_with_curl() {
        let it = described(&["-X", "put", "-H", "x-a: 1", "-H", "X-A: 2", "--url", "/a?b=c"]);
        let host = it.unwrap().host().unwrap();
        let request = host.request();
        assert_eq!((request.method(), request.url().path.as_str()), ("PUT", "/a"));
        let mut values = Vec::new();
        request.headers().each("x-a", &mut |it| values.push(it.to_owned()));
        assert_eq!(values, ["1", "2"]);
        assert!(request.body().is_none());
    }

    #[test]
    fn a_body_makes_it_a_post_and_json_says_so() {
        for (data, kind) in
            [("{\"a\":1}", "application/json"), ("a=1", "application/x-www-form-urlencoded")]
        {
            let host = described(&["-d", data]).unwrap().host().unwrap();
            assert_eq!(host.request().method(), "POST");
            host.request().headers().each("content-type", &mut |it| assert_eq!(it, kind));
            assert_eq!(&host.request().body().unwrap().read(true).unwrap()[..], data.as_bytes());
        }
    }

    #[test]
    fn variables_are_texts_or_values_of_expressions() {
        let it = described(&[
            "--var",
            "a=1=2",
            "--var",
            "b:=1 + 1",
            "--var",
            "c:=(int)context.Variables[\"b\"] + 1",
        ]);
        let variables = it.unwrap().variables;
        assert_eq!(variables.get("a").unwrap().as_str(), Some("1=2"));
        assert_eq!(variables.get("c").unwrap().as_i64(), Some(3));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (arguments, exit) in [
            (&["--var", "a"][..], Exit::Usage),
            (&["--var", "a:=1 +"], Exit::Findings),
            (&["-H", "no header"], Exit::Usage),
            (&["--url", "://"], Exit::Usage),
            (&["-d", "@/nowhere/at/all"], Exit::Unreadable),
        ] {
            assert_eq!(described(arguments).unwrap_err().0, exit, "{arguments:?}");
        }
    }
}
