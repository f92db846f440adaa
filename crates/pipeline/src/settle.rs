//! What policies do when the response is final: after `outbound` or `on-error`, before it leaves.
//!
//! Counters that are charged by what became of the request settle here.

use std::fmt;
use std::sync::Arc;

use transport::BoxFuture;

use crate::context::Context;

/// What a policy left to be done when the response is final. It cannot fail the request any
/// more.
pub trait Settle: fmt::Debug + Send + Sync + 'static {
    /// Does it. `context.response` is what the client gets.
    fn settle<'a>(self: Arc<Self>, context: &'a mut Context) -> BoxFuture<'a, ()>;
}

impl Context {
    /// Has something done when the response is final. Done once, in the order of asking,
    /// however the pipeline ends.
    pub fn settle_later(&mut self, work: Arc<dyn Settle>) {
        self.to_settle.push_back(work);
    }
}

/// Does all that was left to be done.
pub(crate) async fn settle(context: &mut Context) {
    while let Some(work) = context.to_settle.pop_front() {
        work.settle(context).await;
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, StatusCode};

    use super::*;
    use crate::test_support::{answer, context, log, pipeline};
    use crate::{Response, Scope};

    #[derive(Debug)]
    struct Note(&'static str);

    impl Settle for Note {
        fn settle<'a>(self: Arc<Self>, context: &'a mut Context) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                let status = context.response.as_ref().map_or(0, |it| it.status.as_u16());
                let value = format!("{} {status}", self.0);
                context.variables.set(self.0, expr::Value::from(value));
            })
        }
    }

    async fn noted(sections: &str) -> (String, String) {
        let pipeline = pipeline(&[(Scope::Api, &format!("<policies>{sections}</policies>"))]);
        let mut context = context();
        context.settle_later(Arc::new(Note("a")));
        context.settle_later(Arc::new(Note("b")));
        crate::run(&pipeline, &mut context).await;
        assert!(context.to_settle.is_empty());
        let of = |name| context.variables.get(name).unwrap().as_str().unwrap().to_owned();
        (format!("{}, {}", of("a"), of("b")), log(&context))
    }

    #[tokio::test]
    async fn what_was_left_is_done_when_the_response_is_final() {
        let ends = "<inbound><end><mark name='x'/></end></inbound>";
        assert_eq!(noted(ends).await, ("a 202, b 202".to_owned(), "x".to_owned()));
        let fails = "<inbound><fail status='403'/></inbound><on-error><mark name='x'/></on-error>";
        assert_eq!(noted(fails).await, ("a 403, b 403".to_owned(), "x".to_owned()));
    }

    #[tokio::test]
    async fn a_stamped_header_is_on_every_response_that_comes_in() {
        let mut context = context();
        let (name, of) = (HeaderName::from_static("x-left"), HeaderValue::from_static);
        context.stamp_header(name.clone(), of("9"));
        assert_eq!(context.response_mut().headers["x-left"], "9");
        context.stamp_header(name.clone(), of("8"));
        assert_eq!(context.response_mut().headers["x-left"], "8");

        let mut response = Response::new(StatusCode::OK);
        response.headers.insert(name, of("of the backend"));
        context.set_response(response);
        assert_eq!(context.response_mut().headers.get_all("x-left").iter().count(), 1);
        assert_eq!(context.response_mut().headers["x-left"], "8");
        assert_eq!(answer(&context), "200");
    }
}
