//! A request that is ready to be sent: it needs nothing of the context any more.

use std::sync::Arc;
use std::time::Duration;

use expr::Value;
use expr::host::{ResponseValue, ResponseView};
use pipeline::{
    Blame, Body, ClientSpan, Context, PolicyError, Response, Services, call_failure,
    connection_failure, follow_redirects, url_without_secrets,
};
use telemetry::TraceContext;
use transport::{
    BodyError, CallError, CallOptions, ClientIdentity, Clock, HttpClient, Proxy, Request,
};

/// A request and what it is sent with.
#[derive(Debug)]
pub(crate) struct Call {
    request: Request,
    identity: Option<ClientIdentity>,
    proxy: Option<Proxy>,
    /// For headers and body of the response together.
    timeout: Option<Duration>,
    max_body_bytes: usize,
    client: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    /// The span of the request that it is made for, if traces are kept.
    span: Option<(TraceContext, Arc<Services>)>,
}

impl Call {
    pub(crate) fn new(request: Request, timeout: Option<Duration>, services: &Services) -> Call {
        Call {
            request,
            identity: None,
            proxy: None,
            timeout,
            max_body_bytes: services.max_buffered_body_bytes,
            client: services.client.clone(),
            clock: services.clock.clone(),
            span: None,
        }
    }

    /// Bytes that it holds while it is on the way, about.
    pub(crate) fn n_bytes(&self) -> usize {
        self.request.body().as_bytes().map_or(0, bytes::Bytes::len)
    }

    /// Is part of the trace of a request.
    pub(crate) fn within(mut self, context: &Context) -> Call {
        self.span = context.span.map(|it| (it, Arc::clone(&context.services)));
        self
    }

    /// Presents a client certificate if the other side asks for one.
    pub(crate) fn presenting(self, identity: Option<ClientIdentity>) -> Call {
        Call { identity, ..self }
    }

    /// Goes through a proxy.
    pub(crate) fn through(self, proxy: Option<Proxy>) -> Call {
        Call { proxy, ..self }
    }

    /// With a bound of its own, if it has none or a longer one.
    pub(crate) fn bounded(mut self, timeout: Duration) -> Call {
        self.timeout = Some(self.timeout.unwrap_or(timeout).min(timeout));
        self
    }

    /// Sends it, follows redirects, and reads the response into memory.
    ///
    /// # Errors
    ///
    /// `Timeout`, or `BackendConnectionFailure` for anything else that keeps a response away.
    pub(crate) async fn send(mut self) -> Result<Response, PolicyError> {
        let span = self.span.take().and_then(|(above, services)| {
            ClientSpan::begin(above, &services, &mut self.request, url_without_secrets)
        });
        let answer = self.answer_in_time().await;
        if let Some(span) = span {
            span.end(match &answer {
                Ok(response) => Ok(response.status),
                Err(error) => Err(PolicyError::new(error.reason().to_owned(), error.message())),
            });
        }
        answer
    }

    async fn answer_in_time(self) -> Result<Response, PolicyError> {
        let (clock, timeout) = (self.clock.clone(), self.timeout);
        let answer = self.answer();
        let Some(timeout) = timeout else { return answer.await };
        tokio::select! {
            biased;
            answer = answer => answer,
            () = clock.sleep(timeout) => Err(call_failure(&CallError::Timeout { after: timeout })),
        }
    }

    async fn answer(self) -> Result<Response, PolicyError> {
        let (identity, proxy) = (self.identity, self.proxy);
        let options =
            CallOptions { response_timeout: None, identity, proxy, ..CallOptions::default() };
        let sent = follow_redirects(&*self.client, self.request, &options).await;
        let response = sent.map_err(|error| call_failure(&error))?;
        if response.status().is_informational() {
            return Err(connection_failure("The call switched protocols without being asked."));
        }
        let mut response = Response::from_http(response);
        let read = response.body.buffer(self.max_body_bytes).await;
        read.map_err(|error| body_failure(&error))?;
        Ok(response)
    }
}

fn body_failure(error: &BodyError) -> PolicyError {
    match error {
        BodyError::TooLarge { limit } => {
            connection_failure(format!("The response body is larger than {limit} bytes."))
        }
        BodyError::IdleTimeout { after } => call_failure(&CallError::Timeout { after: *after }),
        BodyError::Aborted(_) => connection_failure(error.to_string()),
    }
    .blame(Blame::Backend)
}

/// The response as a variable holds it.
pub(crate) fn variable(response: Response) -> Value {
    let headers = response.headers.iter();
    let text = |it: &http::HeaderValue| String::from_utf8_lossy(it.as_bytes()).into_owned();
    Value::object(ResponseValue {
        status_code: response.status.as_u16(),
        status_reason: response.status_reason().to_owned(),
        headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: Some(Arc::new(with_body(response))),
    })
}

/// A response always has a body, be it empty.
fn with_body(mut response: Response) -> Response {
    if !response.body.is_present() {
        response.body = Body::bytes("");
    }
    response
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};
    use pipeline::NoForward;
    use transport::{FakeClient, FakeClock};

    use super::*;

    fn call(client: FakeClient, clock: FakeClock, timeout: Option<Duration>) -> Call {
        let mut services = Services::new(Arc::new(client), Arc::new(clock), Arc::new(NoForward));
        services.max_buffered_body_bytes = 8;
        let mut request = transport::Request::new(transport::Body::full("12345"));
        *request.uri_mut() = "https://h/start".parse().unwrap();
        Call::new(request, timeout, &services)
    }

    fn answering(body: fn() -> transport::Body) -> FakeClient {
        FakeClient::new(move |_| Ok(transport::Response::new(body())))
    }

    async fn outcome(client: FakeClient) -> String {
        match call(client, FakeClock::at_unix(0), None).send().await {
            Ok(response) => format!("{} {:?}", response.status.as_u16(), response.body),
            Err(error) => format!("{} {}", error.reason(), error.message()),
        }
    }

    #[tokio::test]
    async fn the_response_is_read_within_the_bound() {
        let full = answering(|| transport::Body::full("12345678"));
        assert_eq!(outcome(full).await, "200 Body(8 bytes)");
        let expected = "BackendConnectionFailure The response body is larger than 8 bytes.";
        let streaming = answering(|| {
            let (sender, body) = transport::Body::channel(2);
            let mut send = Box::pin(async move { sender.send("123456789").await });
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(send.as_mut().poll(&mut cx).is_ready());
            body
        });
        assert_eq!(outcome(streaming).await, expected);
    }

    #[tokio::test]
    async fn what_keeps_a_response_away_has_azures_word() {
        let refused = outcome(FakeClient::unreachable()).await;
        assert!(refused.starts_with("BackendConnectionFailure cannot connect"), "{refused}");
        let late = FakeClient::new(|_| Err(CallError::Timeout { after: Duration::ZERO }));
        assert!(outcome(late).await.starts_with("Timeout "));
        let switched = FakeClient::new(|_| {
            let mut response = transport::Response::new(transport::Body::empty());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            Ok(response)
        });
        assert!(outcome(switched).await.starts_with("BackendConnectionFailure "));
    }

    #[tokio::test]
    async fn the_timeout_counts_for_the_body_as_well() {
        let clock = FakeClock::at_unix(0);
        let (sender, body) = transport::Body::channel(1);
        let body = std::sync::Mutex::new(Some(body));
        let client = FakeClient::new(move |_| {
            Ok(transport::Response::new(body.lock().unwrap().take().unwrap()))
        });
        let call = call(client, clock.clone(), None).bounded(Duration::from_secs(7));
        assert_eq!(call.n_bytes(), 5);
        let advance = async {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(7));
        };
        let (outcome, ()) = tokio::join!(call.send(), advance);
        assert_eq!(outcome.unwrap_err().reason(), "Timeout");
        drop(sender);
    }

    #[test]
    fn the_shorter_bound_counts() {
        let bounded = |own: Option<u64>| {
            let own = own.map(Duration::from_secs);
            let call = call(FakeClient::unreachable(), FakeClock::at_unix(0), own);
            call.bounded(Duration::from_secs(300)).timeout.unwrap().as_secs()
        };
        assert_eq!([bounded(None), bounded(Some(60)), bounded(Some(900))], [300, 60, 300]);
    }

    #[test]
    fn a_variable_holds_the_whole_response() {
        let mut response = Response::new(StatusCode::NOT_FOUND);
        response.headers.append("x-a", HeaderValue::from_static("1"));
        response.headers.append("x-a", HeaderValue::from_static("2"));
        let value = variable(response);
        let stored = value.as_object::<ResponseValue>().unwrap();

        assert_eq!((stored.status_code, stored.status_reason.as_str()), (404, "Not Found"));
        assert_eq!(stored.headers.len(), 2);
        assert_eq!(stored.body().unwrap().read(false).unwrap(), "");
    }
}
