//! Runs an effective policy: inbound, backend, outbound, and the jump to on-error.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies>

use expr::host::LastError;
use http::StatusCode;

use crate::context::Context;
use crate::effective::Pipeline;
use crate::error::PolicyError;
use crate::error_response::internal_error_response;
use crate::settle::settle;
use crate::step::Flow;
use crate::watch::{answered, unanswered};

/// Runs the sections. Afterwards the context has the response to send.
///
/// Returns the failure that went through `on-error`, if there was one: for logs and metrics.
pub async fn run(pipeline: &Pipeline, context: &mut Context) -> Option<PolicyError> {
    let failure = match sections(pipeline, context).await {
        Ok(()) => None,
        Err(error) => {
            // The backend's response may still be there, and its tokens are used.
            if let Err(second) = answered(context).await {
                tracing::debug!(request_id = %context.request_id, %second, "a second failure");
            }
            Some(jump(pipeline, context, error).await)
        }
    };
    context.ensure_response();
    unanswered(context).await;
    settle(context).await;
    observe(context, failure.as_ref());
    failure
}

/// Answers a CORS preflight by the policies of `inbound` that do so; none of the others runs.
/// Afterwards the context has the response to send: 200 without headers if none matched.
///
/// Returns the failure that went through `on-error`, if there was one.
pub async fn preflight(pipeline: &Pipeline, context: &mut Context) -> Option<PolicyError> {
    let failure = match pipeline.inbound.preflight(context).await {
        Ok(_) => None,
        Err(error) => Some(jump(pipeline, context, error).await),
    };
    context.ensure_response();
    observe(context, failure.as_ref());
    failure
}

fn observe(context: &Context, failure: Option<&PolicyError>) {
    if let Some(observer) = &context.services.observer {
        observer.finished(context, failure);
    }
}

async fn sections(pipeline: &Pipeline, context: &mut Context) -> Result<(), PolicyError> {
    if pipeline.inbound.run(context).await? == Flow::End {
        if std::mem::take(&mut context.goes_to_outbound) {
            pipeline.outbound.run(context).await?;
        }
        return Ok(());
    }
    // What comes after the backend section may read the request, and so may an observer.
    let is_last = pipeline.outbound.is_empty()
        && pipeline.on_error.is_empty()
        && context.services.observer.is_none();
    if pipeline.backend.run_before(context, is_last).await? == Flow::End {
        return answered(context).await;
    }
    answered(context).await?;
    pipeline.outbound.run(context).await?;
    Ok(())
}

/// Jumps to `on-error`: of a policy, or of a built-in step before the first one
/// ([`PolicyError::source`]). Afterwards the context has the response to send.
///
/// A failure in `on-error` itself skips the rest of it, takes the place of the first in
/// `context.LastError`, and the client gets a plain 500.
///
/// Returns the first failure again.
pub async fn fail(pipeline: &Pipeline, context: &mut Context, error: PolicyError) -> PolicyError {
    let error = jump(pipeline, context, error).await;
    settle(context).await;
    observe(context, Some(&error));
    error
}

/// Tells the log what an expression threw, with the place in the document, which
/// `context.LastError` has no room for.
fn tell_exception(context: &Context, error: &PolicyError) {
    if let Some(exception) = error.exception() {
        tracing::warn!(
            request_id = %context.request_id,
            policy = error.place().map_or("", |it| it.source()),
            %exception,
            "{}",
            error.message()
        );
    }
}

async fn jump(pipeline: &Pipeline, context: &mut Context, error: PolicyError) -> PolicyError {
    tell_exception(context, &error);
    context.last_error = Some(last_error(&error));
    if let Some(answer) = error.response(context.request_id) {
        context.set_response(answer);
    }
    context.ensure_response();
    if let Err(second) = pipeline.on_error.run(context).await {
        tracing::warn!(
            request_id = %context.request_id,
            first = %error,
            second = %second,
            "a policy failed in on-error"
        );
        tell_exception(context, &second);
        context.last_error = Some(last_error(&second));
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        context.set_response(internal_error_response(status, context.request_id));
    }
    context.ensure_response();
    error
}

pub(crate) fn last_error(error: &PolicyError) -> LastError {
    let place = error.place();
    LastError {
        source: place.map_or("", |it| it.source()).to_owned(),
        reason: Some(error.reason().to_owned()),
        message: error.message().to_owned(),
        scope: place.and_then(|it| it.scope()).map(|it| it.name().to_owned()),
        section: place.and_then(|it| it.section()).map(|it| it.name().to_owned()),
        path: place.and_then(|it| it.path()).map(str::to_owned),
        policy_id: place.and_then(|it| it.policy_id()).map(str::to_owned),
    }
}

impl Context {
    /// A pipeline that made no response answers 200 without a body, or with the status that
    /// `set-status` asked for.
    fn ensure_response(&mut self) {
        self.response_mut();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{answer, context, log, pipeline};
    use crate::{Blame, Body, Scope};

    async fn ran(sections: &str) -> (Context, Option<PolicyError>) {
        let pipeline = pipeline(&[(Scope::Api, &format!("<policies>{sections}</policies>"))]);
        let mut context = context();
        let failure = run(&pipeline, &mut context).await;
        (context, failure)
    }

    #[tokio::test]
    async fn the_sections_run_in_order_and_an_empty_pipeline_answers_200() {
        let (context, failure) =
            ran("<outbound><mark name='c'/></outbound><inbound><pause name='a'/></inbound>\
             <backend><mark name='b'/></backend><on-error><mark name='never'/></on-error>")
            .await;

        assert_eq!((log(&context).as_str(), answer(&context).as_str()), ("a b c", "200"));
        assert!(failure.is_none() && context.last_error.is_none());
    }

    #[tokio::test]
    async fn an_end_skips_everything_and_is_no_error() {
        let (context, failure) =
            ran("<inbound><end><mark name='a'/></end><mark name='never'/></inbound>\
             <outbound><mark name='never'/></outbound><on-error><mark name='never'/></on-error>")
            .await;

        assert_eq!((log(&context).as_str(), answer(&context).as_str()), ("a", "202"));
        assert!(failure.is_none());
    }

    #[tokio::test]
    async fn an_answer_in_place_of_the_backends_goes_through_outbound() {
        let (context, failure) =
            ran("<inbound><mark name='a'/><answer /><mark name='never'/></inbound>\
             <backend><mark name='never'/></backend><outbound><mark name='b'/></outbound>")
            .await;
        assert_eq!((log(&context).as_str(), answer(&context).as_str()), ("a b", "203"));
        assert!(failure.is_none());

        let (context, _) =
            ran("<inbound><answer /></inbound><outbound><fail status='403'/></outbound>\
             <on-error><mark name='err'/></on-error>")
            .await;
        assert_eq!(log(&context), "err");
        assert!(answer(&context).starts_with("403"));
    }

    #[tokio::test]
    async fn an_error_jumps_to_on_error_and_the_default_body_goes_out() {
        let (context, failure) =
            ran("<inbound><mark name='a'/><mark name='b'/><fail status='403' id='f1'/>\
             <mark name='never'/></inbound><backend><mark name='never'/></backend>\
             <outbound><mark name='never'/></outbound><on-error><mark name='err'/></on-error>")
            .await;

        assert_eq!(log(&context), "a b err");
        assert_eq!(answer(&context), r#"403 { "statusCode": 403, "message": "Told" }"#);
        let last = context.last_error.unwrap();
        assert_eq!((last.source.as_str(), last.message.as_str()), ("fail", "it failed"));
        assert_eq!(last.reason.as_deref(), Some("Odd"));
        assert_eq!(last.scope.as_deref(), Some("api"));
        assert_eq!(last.section.as_deref(), Some("inbound"));
        assert_eq!((last.path.as_deref(), last.policy_id.as_deref()), (Some("fail"), Some("f1")));
        assert_eq!(failure.unwrap().blamed(), Blame::Client);
    }

    #[tokio::test]
    async fn an_internal_failure_shows_the_request_id_and_nothing_else() {
        let (context, _) = ran("<inbound><fail /></inbound>").await;

        assert_eq!(
            answer(&context),
            r#"500 { "statusCode": 500, "message": "Internal server error", "activityId": "07070707-0707-4707-8707-070707070707" }"#
        );
    }

    #[tokio::test]
    async fn an_error_in_on_error_is_a_plain_500() {
        let (context, failure) = ran("<inbound><fail status='403'/></inbound>\
             <on-error><mark name='a'/><fail status='401'/><mark name='never'/></on-error>")
        .await;

        assert_eq!(log(&context), "a");
        assert!(answer(&context).starts_with(r#"500 { "statusCode": 500"#));
        assert_eq!(context.last_error.unwrap().section.as_deref(), Some("on-error"));
        assert_eq!(failure.unwrap().place().unwrap().section().unwrap().name(), "inbound");
    }

    #[tokio::test]
    async fn a_failure_can_keep_the_response_that_is_there() {
        let text = "<policies><outbound><fail keep='true'/></outbound></policies>";
        let mut context = context();
        let mut response = crate::Response::new(StatusCode::BAD_GATEWAY);
        response.body = Body::bytes("from the backend");
        context.set_response(response);
        run(&pipeline(&[(Scope::Api, text)]), &mut context).await;

        assert_eq!(answer(&context), "502 from the backend");
        assert_eq!(context.last_error.unwrap().source, "fail");
    }

    #[tokio::test]
    async fn a_built_in_step_fails_without_scope_section_and_path() {
        let text = "<policies><inbound><mark name='never'/></inbound>\
                    <on-error><mark name='err'/></on-error></policies>";
        let mut context = context();
        let error = PolicyError::new("OperationNotFound", "Unable to match.")
            .respond(StatusCode::NOT_FOUND, "Resource not found")
            .header(http::header::RETRY_AFTER, http::HeaderValue::from_static("3"))
            .source("configuration");
        fail(&pipeline(&[(Scope::Global, text)]), &mut context, error).await;

        assert_eq!(log(&context), "err");
        assert!(answer(&context).contains("Resource not found"));
        assert_eq!(context.response.as_ref().unwrap().headers["retry-after"], "3");
        let last = context.last_error.unwrap();
        assert_eq!(last.source, "configuration");
        assert_eq!((last.scope, last.section, last.path), (None, None, None));
    }

    #[tokio::test]
    async fn a_body_is_buffered_just_before_its_first_reader() {
        let text = "<policies><inbound><mark name='a'/><read /><read /></inbound></policies>";
        let (sender, body) = transport::Body::channel(2);
        sender.send("he").await.unwrap();
        sender.send("llo").await.unwrap();
        drop(sender);
        let mut context = context();
        context.request.body = Body::stream(body);
        run(&pipeline(&[(Scope::Api, text)]), &mut context).await;

        assert_eq!(context.variables.get("read").unwrap().as_str(), Some("hello"));
    }

    #[tokio::test]
    async fn a_body_that_nobody_reads_stays_a_stream() {
        let text = "<policies><inbound><mark name='a'/></inbound></policies>";
        let (_sender, body) = transport::Body::channel(1);
        let mut context = context();
        context.request.body = Body::stream(body);
        run(&pipeline(&[(Scope::Api, text)]), &mut context).await;

        assert!(context.request.body.is_stream());
    }
}
