//! The model's answer, read once for all policies that listen.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use llm::{Answer, Format};
use pipeline::{Background, Context, Message, PolicyError, Response, Watch};
use transport::BoxFuture;

use crate::events::{Audience, Events, Messages, Text};
use crate::llm_log::Prompt;
use crate::model_call::{ModelCall, is_json};

/// What a policy wants to hear of the model's answer. It hears of one of [`answered`], [`streamed`]
/// and [`unanswered`]; of none if the client goes away before the backend has answered: then it is
/// dropped.
///
/// [`answered`]: Listener::answered
/// [`streamed`]: Listener::streamed
/// [`unanswered`]: Listener::unanswered
pub(crate) trait Listener: fmt::Debug + Send + Sync + 'static {
    /// The answer is there, whole, and `outbound` is still to come. Also if it could not be read
    /// (sound, an answer that is too long): then nothing is known of it.
    fn answered<'a>(
        &'a self,
        context: &'a mut Context,
        answered: &'a Answered,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        let _ = (context, answered);
        Box::pin(async { Ok(()) })
    }

    /// Whether it is content to hear of the answer while that is passed on ([`Listener::streamed`]):
    /// for its sake nothing is read into memory beforehand.
    fn is_passive(&self) -> bool {
        false
    }

    /// Text of a stream passes: heard once for all events that came together. Between two waits of the
    /// client, so be quick.
    fn text(&self) {}

    /// A stream is over, in whatever way; the context is gone.
    fn streamed(&self, answered: &Arc<Answered>) {
        let _ = answered;
    }

    /// The request ends without an answer of the backend.
    fn unanswered<'a>(&'a self, context: &'a mut Context) -> BoxFuture<'a, ()> {
        let _ = context;
        Box::pin(async {})
    }
}

/// An answer of the backend, as far as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The backend's status.
    pub(crate) status: StatusCode,
    /// What could be read of it.
    pub(crate) answer: Answer,
    /// How it ended.
    pub(crate) ending: Ending,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Well.
    Whole,
    /// The backend broke it off.
    BrokenOff,
    /// The client went away.
    GivenUp,
}

/// Has a policy hear of the model's answer. The request asks for its usage from then on.
pub(crate) fn listen(context: &mut Context, call: &ModelCall, listener: Arc<dyn Listener>) {
    let known = context.request.extensions.get::<Arc<Watching>>().cloned();
    let watching = known.unwrap_or_else(|| {
        let watching = Arc::new(Watching {
            format: AnswerFormat::Known(call.format),
            asks_for_stream: AtomicBool::new(false),
            hides_usage: AtomicBool::new(false),
            listeners: Mutex::default(),
        });
        context.watch_response(Arc::<Watching>::clone(&watching));
        context.request.extensions.insert(Arc::clone(&watching));
        watching
    });
    // Who listened before may not have known.
    watching.asks_for_stream.fetch_or(call.is_stream, Ordering::Relaxed);
    if call.ask_for_usage(context) {
        watching.hides_usage.store(true, Ordering::Relaxed);
    }
    watching.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
}

/// Has a passive listener hear of the model's answer. Unlike [`listen`] it changes nothing of what
/// the client gets: a stream is not asked for its usage. Only compression is declined, where the
/// path says that a model answers.
pub(crate) fn overhear(context: &mut Context, format: AnswerFormat, listener: Arc<dyn Listener>) {
    if let Some(known) = context.request.extensions.get::<Arc<Watching>>() {
        known.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
        return;
    }
    if matches!(format, AnswerFormat::Known(_)) {
        context.request.headers.remove(ACCEPT_ENCODING);
    }
    let watching = Arc::new(Watching {
        format,
        asks_for_stream: AtomicBool::new(false),
        hides_usage: AtomicBool::new(false),
        listeners: Mutex::new(vec![listener]),
    });
    context.watch_response(Arc::<Watching>::clone(&watching));
    context.request.extensions.insert(watching);
}

/// How the format of an answer is known.
#[derive(Debug)]
pub(crate) enum AnswerFormat {
    /// Before the request is sent.
    Known(Format),
    /// When it is: by its body.
    OfRequest(Arc<Prompt>),
}

impl AnswerFormat {
    fn get(&self) -> Format {
        match self {
            AnswerFormat::Known(format) => *format,
            AnswerFormat::OfRequest(prompt) => prompt.format(),
        }
    }
}

/// Waits for the answer on behalf of all listeners.
#[derive(Debug)]
struct Watching {
    format: AnswerFormat,
    asks_for_stream: AtomicBool,
    hides_usage: AtomicBool,
    listeners: Mutex<Vec<Arc<dyn Listener>>>,
}

impl Watching {
    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        std::mem::take(&mut self.listeners.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether nobody has to hear of the answer before it is passed on.
    fn is_passive(&self) -> bool {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().all(|it| it.is_passive())
    }

    /// Follows an answer that is passed on while it comes.
    fn follow(&self, response: &mut Response, kind: Kind, beside: Option<Arc<Background>>) {
        let format = self.format.get();
        let audience = Audience::new(self.listeners(), response.status);
        match kind {
            Kind::EventStream => {
                let hides_usage = self.hides_usage.load(Ordering::Relaxed);
                if hides_usage {
                    response.headers.remove(CONTENT_LENGTH);
                }
                response.body.follow(Events::new(format, audience, hides_usage));
            }
            Kind::BinaryStream => response.body.follow(Messages::new(format, audience)),
            Kind::Json | Kind::Other => {
                response.body.follow(Text::new(format, audience, beside));
            }
        }
    }

    async fn tell(&self, context: &mut Context) -> Result<(), PolicyError> {
        let Some(response) = &mut context.response else { return Ok(()) };
        if kind(response) != Kind::Other && !response.decode_on_its_way() {
            // Nobody knows what it used: those who hear nothing take all that was expected for used.
            tracing::warn!(request_id = %context.request_id, "the encoding of an answer is unknown");
            drop(self.listeners());
            return Ok(());
        }
        let kind = kind(response);
        match kind {
            Kind::EventStream | Kind::BinaryStream => {
                self.follow(response, kind, None);
                return Ok(());
            }
            Kind::Json
                if self.asks_for_stream.load(Ordering::Relaxed) && response.status.is_success() =>
            {
                self.follow(response, kind, None);
                return Ok(());
            }
            Kind::Json if self.is_passive() => {
                let background = context.services.extensions().shared();
                self.follow(response, kind, Some(background));
                return Ok(());
            }
            Kind::Json | Kind::Other => {}
        }
        let status = response.status;
        let is_read =
            kind == Kind::Json && context.buffer_within(Message::Response, usize::MAX).await?;
        let body = context.response.as_ref().and_then(|it| it.body.as_bytes()).filter(|_| is_read);
        let answer = body.map(|it| Answer::read(self.format.get(), &it)).unwrap_or_default();
        let answered = Answered { status, answer, ending: Ending::Whole };
        let mut outcome = Ok(());
        for listener in self.listeners() {
            let told = listener.answered(context, &answered).await;
            outcome = outcome.and(told);
        }
        outcome
    }
}

impl Watch for Watching {
    fn answered<'a>(
        self: Arc<Self>,
        context: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        Box::pin(async move { self.tell(context).await })
    }

    fn unanswered<'a>(self: Arc<Self>, context: &'a mut Context) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            for listener in self.listeners() {
                listener.unanswered(context).await;
            }
        })
    }
}

/// What a response holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    EventStream,
    BinaryStream,
    Json,
    Other,
}

fn kind(response: &Response) -> Kind {
    let content_type = response.headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "text/event-stream" => Kind::EventStream,
        "application/vnd.amazon.eventstream" => Kind::BinaryStream,
        _ if is_json(&response.headers) => Kind::Json,
        _ => Kind::Other,
    }
}
