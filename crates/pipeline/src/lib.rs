//! The policy framework: schema, registry, compilation, `context`, and the run of a request.
//!
//! ```text
//! Document ─compile_document─▶ CompiledDocument (one per scope)
//!                                     │ Pipeline::splice, at <base />, when a snapshot is made
//!                                     ▼
//! Context ──────────run──────▶ inbound ─▶ backend ─▶ outbound ─▶ Context::response
//!                                 └──────────┴───────────┴─error─▶ on-error
//! ```
//!
//! Start with [`PolicyKind`]: the attribute constants of a policy are its schema and the way to
//! read it at once. A policy becomes a [`Step`] that acts at once ([`Immediate`]) or waits
//! ([`Waiting`]); [`run`] runs the steps of a [`Pipeline`] on a [`Context`].
//!
//! This crate knows no policy by name except `base`, and neither routes, entities nor sockets.

mod ai;
mod api_names;
mod authorizations;
mod backends;
mod background;
mod bodies;
mod body;
mod caches;
mod call;
mod certificates;
mod client_span;
pub mod codes;
mod compile;
mod computed;
mod context;
mod convert;
mod decoding;
mod dimensions;
mod effective;
mod encoding;
mod error;
mod error_response;
mod follow;
mod fragments;
mod graphql;
mod host;
pub mod known;
mod late_error;
mod llm_log;
mod loggers;
mod message;
mod named_schemas;
mod operation;
mod origin;
mod pairs;
mod place;
mod query_text;
mod redirect;
pub mod reference;
mod registry;
mod request_url;
mod run;
mod schema;
mod section;
mod services;
mod session;
mod settle;
mod shared;
mod step;
#[cfg(test)]
mod test_support;
mod trail;
pub mod url;
mod value_type;
mod watch;

pub use ai::{AiSettings, SemanticCacheSettings, WhenUnavailable};
pub use api_names::{ApiName, ApiNames};
pub use authorizations::{
    AccessPolicy, Authorizations, Connection, ConnectionEntry, RefreshToken, UnknownConnection,
};
pub use document::Diagnostic;

pub use backends::{BackendEntry, Backends, UnknownBackend};
pub use background::Background;
pub use bodies::{body_warnings, reads_response};
pub use body::{Body, NotBuffered};
pub use caches::{CacheConnection, Caches, ExternalCache};
pub use call::{call_failure, connection_failure, request_body_failure};
pub use certificates::{Certificate, CertificateEntry, Certificates};
pub use client_span::{ClientSpan, url_without_secrets};
pub use compile::{
    Checked, CompileCx, Element, Surroundings, Target, TemplateFlaw, check_fragment, check_text,
    compile_default_global, compile_document, compile_resolver,
};
pub use computed::Computed;
pub use context::{BackendCalls, CacheUse, Context, MAX_TRACE_RECORDS};
pub use convert::{Convert, Milliseconds, Seconds, Unfit, list_of_words};
pub use dimensions::USUAL_DIMENSIONS;
pub use effective::{CompiledDocument, Pipeline};
pub use encoding::decode as decode_body;
pub use error::{Blame, PolicyError};
pub use error_response::{error_response, internal_error_response};
pub use follow::{Follow, Pass, follow};
pub use fragments::{Fragment, Fragments, MAX_FRAGMENT_BYTES};
pub use graphql::{
    CheckedOperation, FieldErrors, FieldResolver, GraphQlApi, MAX_CONCURRENT_CALLS,
    MAX_EVENT_BYTES, MAX_SHARED_EVENT_BYTES, OperationCheck, SharedEvents, graphql_errors,
    prepare_subscriptions, relay_subscriptions,
};
pub use late_error::LateError;
pub use llm_log::{
    DEFAULT_LLM_LOG_BYTES, EventSink, LlmLog, LlmLogSteps, LlmLogging, MAX_LLM_LOG_BYTES,
};
pub use loggers::{BadEventHub, EventHub, HubCredentials, LogFile, LogTarget, Logger, Loggers};
pub use message::{Message, Request, Response, Route, Routes, is_hop_by_hop, is_untouchable};
pub use named_schemas::{NamedSchema, NamedSchemas};
pub use operation::{
    Location, OpenApi, Operation, OperationRequest, OperationResponse, Parameter, Placeholder,
    Representation, Specification, Statuses, Style, UrlTemplate, placeholders,
};
pub use origin::Thrown;
pub use pairs::pair_warnings;
pub use place::Place;
pub use query_text::QueryText;
pub use redirect::follow_redirects;
pub use registry::Registry;
pub use request_url::RequestUrl;
pub use run::{fail, preflight, run};
pub use schema::{Attr, Child, Compile, Content, PolicyKind, documentation};
pub use section::{Scope, Scopes, Section, Sections};
pub use services::{
    DEFAULT_MAX_BUFFERED_BODY_BYTES, Extensions, Forward, ForwardCall, NoForward, Observer,
    Services,
};
pub use session::{Closing, MessageWatch, MessageWatches};
pub use settle::Settle;
pub use shared::{ContextTurn, SharedContext};
pub use step::{Flow, Immediate, Prepare, Step, Steps, Waiting};
pub use trail::{BackendCall, Trail};
pub use url::{BaseUrl, BaseUrlError};
pub use value_type::ValueType;
pub use watch::Watch;
