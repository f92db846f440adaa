//! The fake edges of a case: the client's request, the calls that the gateway makes, and what is
//! seen when the pipeline is done.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{self, Waker};
use std::time::Duration;

use bytes::Bytes;
use expr::host::LastError;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use pipeline::{Body, Context, Observer, PolicyError};
use transport::{CallError, FakeClient, RecordedRequest};

use crate::case::{Answer, Case, Got, Message};

/// The gateway's own host.
const GATEWAY: &str = "gateway.example";
/// How far the clock goes at a time, while somebody waits for it.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// Bodies shorter than this are at hand when the head is.
const MAX_SHORT_BYTES: usize = 64 * 1024;
/// Largest body that is looked at.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// The request of a case, as a listener would hand it over.
pub(crate) fn request(message: &Message) -> Result<transport::Request, String> {
    let line = &message.first_line;
    let (method, target) =
        line.split_once(' ').ok_or_else(|| format!("`{line}` is no request line"))?;
    let mut headers = headers(message)?;
    if !headers.contains_key(HOST) {
        headers.insert(HOST, HeaderValue::from_static(GATEWAY));
    }
    let body = sent(message.bytes());
    let mut request = http::Request::new(body);
    *request.method_mut() =
        method.parse::<Method>().map_err(|_| format!("`{method}` is no method"))?;
    *request.uri_mut() =
        target.trim().parse::<Uri>().map_err(|_| format!("`{target}` is no URL"))?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// A body as a listener has it: what is long comes as a stream.
fn sent(bytes: Bytes) -> transport::Body {
    if bytes.len() < MAX_SHORT_BYTES {
        return transport::Body::full(bytes);
    }
    let (sender, body) = transport::Body::channel(1);
    // There is room for one chunk, so this does not wait.
    let _ = pin!(sender.send(bytes)).poll(&mut task::Context::from_waker(Waker::noop()));
    body
}

fn headers(message: &Message) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        let bad = || format!("`{name}: {value}` is no header");
        let name: HeaderName = name.parse().map_err(|_| bad())?;
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?);
    }
    Ok(headers)
}

/// The answers of a case, given out in order.
#[derive(Debug)]
pub(crate) struct Answers {
    case: Case,
    /// How many each address has given; `None` is the backend.
    given: Mutex<HashMap<Option<String>, usize>>,
}

impl Answers {
    pub(crate) fn of(case: &Case) -> Answers {
        Answers { case: case.clone(), given: Mutex::default() }
    }

    /// The answer to the next call of this URL. The last one stays.
    pub(crate) fn next(&self, url: &Uri) -> Answer {
        let (answers, address) = match answers_for(&self.case, url) {
            Some((answers, address)) => (answers, Some(address.to_owned())),
            None => (self.case.backend_responses.iter().collect(), None),
        };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let n = given.entry(address).or_default();
        let answer = answers.get(*n).or(answers.last()).copied().cloned().unwrap_or_default();
        *n += 1;
        answer
    }
}

/// Answers as the case says.
pub(crate) fn client(case: &Case) -> FakeClient {
    let answers = Answers::of(case);
    FakeClient::new(move |request| {
        let host = request.uri.authority().map(ToString::to_string).unwrap_or_default();
        match answers.next(&request.uri) {
            Answer::Response(message) => {
                answer(&message).map_err(|reason| CallError::Connect { host, reason })
            }
            Answer::ConnectionRefused => {
                Err(CallError::Connect { host, reason: "connection refused".to_owned() })
            }
            Answer::Timeout => Err(CallError::Timeout { after: Duration::from_secs(300) }),
        }
    })
}

/// A response as a backend would send it.
pub(crate) fn answer(message: &Message) -> Result<transport::Response, String> {
    let (status, reason) = message.first_line.split_once(' ').unwrap_or((&message.first_line, ""));
    let status = status
        .parse::<StatusCode>()
        .map_err(|_| format!("`{}` is no status line", message.first_line))?;
    let mut response = pipeline::Response::new(status);
    response.reason = Some(reason.to_owned()).filter(|it| !it.is_empty());
    response.headers = headers(message)?;
    response.body = Body::bytes(message.bytes());
    response.into_http().map_err(|error| error.to_string())
}

/// The answers of an address that has some of its own.
fn answers_for<'c>(case: &'c Case, url: &Uri) -> Option<(Vec<&'c Answer>, &'c str)> {
    let url = url.to_string();
    let without_query = url.split('?').next().unwrap_or_default();
    let is_it = |own: &str| own == url || own == without_query;
    let (address, _) = case.answers.iter().find(|(own, _)| is_it(own))?;
    let of_it = case.answers.iter().filter(|(own, _)| own == address);
    Some((of_it.map(|(_, answer)| answer).collect(), address))
}

/// The calls that went to the backend, and those that went to other addresses, in order.
pub(crate) fn calls(case: &Case, made: &[RecordedRequest]) -> (Vec<Message>, Vec<Message>) {
    let (mut backend, mut others) = (Vec::new(), Vec::new());
    for it in made {
        let call = message(format!("{} {}", it.method, it.uri), &it.headers, &it.body);
        let list = if answers_for(case, &it.uri).is_none() { &mut backend } else { &mut others };
        list.push(call);
    }
    (backend, others)
}

/// The gateway's answer, read to its end.
pub(crate) async fn response(response: transport::Response) -> Result<Message, String> {
    let response = pipeline::Response::from_http(response);
    let first_line = format!("{} {}", response.status.as_u16(), response.reason());
    let (head, body) = response.into_http().map_err(|error| error.to_string())?.into_parts();
    let body = body.collect(MAX_BODY_BYTES).await.map_err(|error| error.to_string())?;
    Ok(message(first_line.trim().to_owned(), &head.headers, &body))
}

fn message(first_line: String, headers: &HeaderMap, body: &Bytes) -> Message {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers =
        headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    Message { first_line, headers, body: Some(text(body)).filter(|it| !it.is_empty()) }
}

/// Notes variables and the error when the pipeline is done.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Got>);

impl Watch {
    /// What was seen.
    pub(crate) fn seen(&self) -> Got {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Watch {
    fn finished(&self, context: &Context, _: Option<&PolicyError>) {
        let variables = context
            .variables
            .iter()
            .map(|(name, value)| (name.to_owned(), value.type_name(), value.to_text().into_owned()))
            .collect();
        let last_error = context.last_error.as_ref().map(members).unwrap_or_default();
        let mut got = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *got = Got { variables, last_error, ..Got::default() };
    }
}

fn members(error: &LastError) -> Vec<(String, String)> {
    let optional = |it: &Option<String>| it.clone().unwrap_or_default();
    [
        ("source", error.source.clone()),
        ("reason", optional(&error.reason)),
        ("message", error.message.clone()),
        ("scope", optional(&error.scope)),
        ("section", optional(&error.section)),
        ("path", optional(&error.path)),
        ("policy-id", optional(&error.policy_id)),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn case(blocks: &str) -> Case {
        parse(&format!("name\n{blocks}")).unwrap().remove(0)
    }

    #[test]
    fn an_answer_without_a_query_answers_any() {
        let case =
            case("--- answer https://a.example/x\n201\n--- answer https://b.example/?y=1\n202");
        let has = |url: &str| answers_for(&case, &url.parse().unwrap()).is_some();

        assert!(has("https://a.example/x") && has("https://a.example/x?z=1"));
        assert!(has("https://b.example/?y=1"));
        assert!(!has("https://b.example/?y=2") && !has("https://a.example/"));
    }

    #[tokio::test]
    async fn answers_come_in_order_and_the_last_one_stays() {
        use transport::{CallOptions, HttpClient};
        let case = case(
            "--- answer https://a.example/x\n201\n--- answer https://a.example/x\n202\n\
                         --- backend response\n503",
        );
        let client = client(&case);
        let mut statuses = Vec::new();
        for url in [
            "https://a.example/x?1",
            "https://b.example/",
            "https://a.example/x",
            "https://a.example/x",
        ] {
            let mut request = http::Request::new(transport::Body::empty());
            *request.uri_mut() = url.parse().unwrap();
            let answer = client.send(request, &CallOptions::default()).await.unwrap();
            statuses.push(answer.status().as_u16());
        }

        assert_eq!(statuses, [201, 503, 202, 202]);
        let (backend, others) = calls(&case, &client.requests());
        assert_eq!((backend.len(), others.len()), (1, 3));
    }

    #[test]
    fn the_request_names_the_gateways_host_unless_it_names_another() {
        let host = |blocks| request(&case(blocks).request).unwrap().headers()[HOST].clone();

        assert_eq!(host("--- request\nGET /x"), GATEWAY);
        assert_eq!(host("--- request\nGET /x\nhost: h"), "h");
    }

    #[test]
    fn what_is_no_request_says_so() {
        for text in ["GET", "G@T /", "GET ht tp:", "GET /\nx y: 1"] {
            let message = case(&format!("--- request\n{text}")).request;
            // A line that is no header is the body, so the last one is a request.
            assert_eq!(request(&message).is_err(), text != "GET /\nx y: 1", "{text}");
        }
    }
}
