//! What a policy of `inbound` does when the backend has answered.
//!
//! ```text
//! inbound: Context::watch_response ─▶ backend ─▶ Watch::answered ─▶ outbound ─▶ settle
//!                                         └─ no answer of a backend ─▶ Watch::unanswered
//! ```
//!
//! [`Watch::answered`] may read the response into memory, or have its body followed frame by frame
//! ([`Body::follow`](crate::Body::follow)).

use std::fmt;
use std::sync::Arc;

use transport::BoxFuture;

use crate::context::Context;
use crate::error::PolicyError;

/// What waits for the backend's response. It keeps in itself what it needs later.
pub trait Watch: fmt::Debug + Send + Sync + 'static {
    /// The backend has answered, whatever its status; `context.response` is its response, after the
    /// policies of `backend` and before those of `outbound` (or of `on-error`, if the status was
    /// made an error). Of several calls (`retry`) it is the last.
    ///
    /// # Errors
    ///
    /// The request fails and goes to `on-error`. Give the error its place
    /// ([`PolicyError::at`]): nobody else knows it. What an error in `on-error` does, happens if the
    /// request has failed already.
    fn answered<'a>(
        self: Arc<Self>,
        context: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), PolicyError>>;

    /// The request ends without an answer of a backend: a policy answered or refused, a cache had
    /// the answer, the backend could not be reached. Told before the response leaves.
    fn unanswered<'a>(self: Arc<Self>, context: &'a mut Context) -> BoxFuture<'a, ()> {
        let _ = context;
        Box::pin(async {})
    }
}

impl Context {
    /// Has something done with the backend's response, in the order of asking.
    pub fn watch_response(&mut self, watch: Arc<dyn Watch>) {
        self.watches.push_back(watch);
    }

    /// Notes that the response in the context is that of a backend.
    pub fn set_backend_response(&mut self, response: crate::Response) {
        self.set_response(response);
        self.has_backend_response = true;
    }
}

/// Tells of the backend's response, if there is one.
pub(crate) async fn answered(context: &mut Context) -> Result<(), PolicyError> {
    if !context.has_backend_response {
        return Ok(());
    }
    let mut outcome = Ok(());
    while let Some(watch) = context.watches.pop_front() {
        // Those behind a failure still have to settle what they began.
        let told = watch.answered(context).await;
        outcome = outcome.and(told);
    }
    outcome
}

/// Tells those that have not heard of an answer that there is none.
pub(crate) async fn unanswered(context: &mut Context) {
    while let Some(watch) = context.watches.pop_front() {
        watch.unanswered(context).await;
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::test_support::{answer, context, log, pipeline};
    use crate::{Body, Response, Scope};

    #[derive(Debug)]
    struct Note(&'static str, bool);

    impl Watch for Note {
        fn answered<'a>(
            self: Arc<Self>,
            context: &'a mut Context,
        ) -> BoxFuture<'a, Result<(), PolicyError>> {
            Box::pin(async move {
                let status = context.response.as_ref().map_or(0, |it| it.status.as_u16());
                let before = log(context);
                let value = format!("answered {status} after [{before}]");
                context.variables.set(self.0, expr::Value::from(value));
                if self.1 {
                    return Err(PolicyError::new("Unwanted", "It is unwanted.")
                        .respond(StatusCode::FORBIDDEN, "No")
                        .source("watcher"));
                }
                Ok(())
            })
        }

        fn unanswered<'a>(self: Arc<Self>, context: &'a mut Context) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                let status = context.response.as_ref().map_or(0, |it| it.status.as_u16());
                context.variables.set(self.0, expr::Value::from(format!("unanswered {status}")));
            })
        }
    }

    async fn noted(sections: &str, fails: bool) -> (String, String) {
        let pipeline = pipeline(&[(Scope::Api, &format!("<policies>{sections}</policies>"))]);
        let mut context = context();
        context.watch_response(Arc::new(Note("a", fails)));
        context.watch_response(Arc::new(Note("b", false)));
        crate::run(&pipeline, &mut context).await;
        let of = |name| context.variables.get(name).unwrap().as_str().unwrap().to_owned();
        (format!("{}; {}", of("a"), of("b")), format!("{} {}", log(&context), answer(&context)))
    }

    #[tokio::test]
    async fn watches_hear_of_the_answer_between_backend_and_outbound() {
        let (told, log) = noted(
            "<inbound><mark name='i'/></inbound><backend><forward /></backend>\
             <outbound><mark name='o'/></outbound>",
            false,
        )
        .await;
        assert_eq!(told, "answered 209 after [i]; answered 209 after [i]");
        assert_eq!(log, "i o 209 of the backend");
    }

    #[tokio::test]
    async fn a_failure_of_a_watch_goes_to_on_error_and_the_others_still_hear() {
        let (told, log) = noted(
            "<backend><forward /></backend><outbound><mark name='never'/></outbound>\
             <on-error><mark name='e'/></on-error>",
            true,
        )
        .await;
        assert_eq!(told, "answered 209 after []; answered 209 after []");
        assert_eq!(log, r#"e 403 { "statusCode": 403, "message": "No" }"#);
    }

    #[tokio::test]
    async fn an_answer_that_was_made_an_error_is_an_answer() {
        let (told, log) = noted(
            "<backend><forward /><fail keep='true'/></backend><on-error><mark name='e'/></on-error>",
            false,
        )
        .await;
        assert_eq!(told, "answered 209 after []; answered 209 after []");
        assert_eq!(log, "e 209 of the backend");
    }

    #[tokio::test]
    async fn watches_hear_when_there_is_no_answer() {
        for (sections, expected) in [
            ("<inbound><end /></inbound>", "unanswered 202; unanswered 202"),
            ("<inbound><fail status='401' /></inbound>", "unanswered 401; unanswered 401"),
            ("<inbound><answer /></inbound><outbound />", "unanswered 203; unanswered 203"),
            ("<backend><mark name='x' /></backend>", "unanswered 200; unanswered 200"),
            (
                "<backend><forward /><fail status='500' /></backend>",
                "answered 209 after []; answered 209 after []",
            ),
        ] {
            assert_eq!(noted(sections, false).await.0, expected, "{sections}");
        }
    }

    #[test]
    fn only_a_response_of_a_backend_counts_as_one() {
        let mut context = context();
        context.set_response(Response::new(StatusCode::OK));
        assert!(!context.has_backend_response);
        let mut response = Response::new(StatusCode::OK);
        response.body = Body::bytes("x");
        context.set_backend_response(response);
        assert!(context.has_backend_response);
    }
}
