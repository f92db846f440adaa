//! What the unit tests of this crate start from.

use std::fmt;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Method, StatusCode};
use pipeline::{
    BackendEntry, BaseUrl, Body, Context, Forward, ForwardCall, PolicyError, Request, RequestUrl,
    Response, Services,
};
use transport::{BoxFuture, FakeClient, FakeClock};

/// Answers calls to backends from their path and body; keeps what was asked.
pub(crate) struct Answering {
    answer: fn(&str, &str) -> (u16, String),
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Answering {
    pub(crate) fn new(answer: fn(&str, &str) -> (u16, String)) -> Arc<Answering> {
        Arc::new(Answering { answer, asked: Mutex::default() })
    }

    pub(crate) fn n_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering")
    }
}

impl Forward for Answering {
    fn forward<'a>(
        &'a self,
        context: &'a mut Context,
        _: ForwardCall,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        Box::pin(async move {
            let body = context.request.body.as_bytes().unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let (status, answer) = (self.answer)(context.request.url.path(), &body);
            self.asked.lock().unwrap().push(body);
            let mut response = Response::new(StatusCode::from_u16(status).unwrap());
            response.body = Body::bytes(answer);
            context.set_response(response);
            Ok(())
        })
    }
}

/// The context of a chat with this body, and one backend, `safety`.
pub(crate) fn context(forward: Arc<Answering>, path: &str, body: &str) -> Context {
    let clock = Arc::new(FakeClock::at_unix(1_700_000_000));
    let services = Services::new(Arc::new(FakeClient::unreachable()), clock, forward);
    let base = Arc::new(BaseUrl::origin("https", "model.example", 443));
    let url = RequestUrl::new(base, path, "");
    let mut request = Request::new(Method::POST, url.clone(), url);
    request.headers = HeaderMap::new();
    request.body = Body::bytes(body.to_owned());
    let mut context = Context::new(request, Arc::new(services));
    let info = expr::host::BackendInfo { id: "safety".to_owned(), ..Default::default() };
    let url = Arc::new(BaseUrl::origin("https", "safety.example", 443));
    let entry = BackendEntry { info: Arc::new(info), url: Some(url), ..Default::default() };
    context.backends = Arc::new([entry].into_iter().collect());
    context
}
