//! Calls the backend as plainly as can be: what the gateway's own backend call does around it
//! (credentials, redirects, connection headers) is not part of a policy case.

use http::header::HOST;
use http::{HeaderValue, Uri};
use pipeline::{Blame, Context, Forward, ForwardCall, PolicyError, Response};
use transport::{BoxFuture, CallError, CallOptions};

/// Sends the context's request through its client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay;

impl Forward for Relay {
    fn forward<'a>(
        &'a self,
        context: &'a mut Context,
        call: ForwardCall,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        Box::pin(async move {
            let request = request(context).map_err(|error| failure(&error))?;
            let options = CallOptions {
                http_version: call.http_version,
                response_timeout: call.timeout,
                ..CallOptions::default()
            };
            let client = std::sync::Arc::clone(&context.services.client);
            let response = client.send(request, &options).await.map_err(|error| match error {
                CallError::Timeout { .. } => {
                    PolicyError::new("Timeout", "Request to the backend service timed out")
                        .blame(Blame::Backend)
                }
                error => failure(&error.to_string()),
            })?;
            context.set_response(Response::from_http(response));
            Ok(())
        })
    }
}

fn failure(message: &str) -> PolicyError {
    PolicyError::new("BackendConnectionFailure", message).blame(Blame::Backend)
}

fn request(context: &mut Context) -> Result<transport::Request, String> {
    let request = &mut context.request;
    let uri: Uri = request.url.to_string().parse().map_err(|_| "bad URL".to_owned())?;
    let body = request.body.send().map_err(|error| error.to_string())?;
    let mut call = http::Request::new(body);
    *call.method_mut() = request.method.clone();
    *call.uri_mut() = uri;
    *call.headers_mut() = request.headers.clone();
    if !request.host_is_set {
        let host = HeaderValue::from_str(&request.url.base().authority());
        call.headers_mut().insert(HOST, host.map_err(|error| error.to_string())?);
    }
    Ok(call)
}
