//! The policies: one file each, and one line each in [`ALL`].
//!
//! A file holds the schema of a policy, the code that compiles it, the code that runs it, and
//! its tests. Start with the shortest, `set_method.rs`; the recipe for a new one is in
//! `CONTRIBUTING.md`.
//!
//! No policy imports another policy's file, and none knows routes, entities or sockets: what a
//! policy needs besides the request comes from [`pipeline::Services`].

mod authentication_basic;
mod authentication_certificate;
mod authentication_managed_identity;
mod certificate;
mod check_header;
mod choose;
mod content;
mod cors;
mod cosmosdb_data_source;
mod cross_domain;
mod dapr;
mod emit_metric;
mod event_log;
mod find_and_replace;
mod forward_request;
mod get_authorization_context;
mod http_data_source;
mod include_fragment;
mod invoke_dapr_binding;
mod ip_filter;
mod json_to_xml;
mod json_value;
mod jsonp;
mod limit_concurrency;
mod log_to_eventhub;
mod mock_response;
mod opened_pfx;
mod outgoing;
mod proxy;
mod publish_event;
mod publish_to_dapr;
mod redirect_content_urls;
mod retry;
mod return_response;
mod rewrite_uri;
mod sample;
mod send_one_way_request;
mod send_request;
mod send_service_bus_message;
mod set_backend_service;
mod set_body;
mod set_graphql_resolver;
mod set_header;
mod set_method;
mod set_query_parameter;
mod set_status;
mod set_variable;
mod sql_data_source;
mod templates;
#[cfg(test)]
mod test_support;
mod token;
mod trace;
mod validate_azure_ad_token;
mod validate_client_certificate;
mod validate_content;
mod validate_graphql_request;
mod validate_headers;
mod validate_jwt;
mod validate_odata_request;
mod validate_parameters;
mod validate_status_code;
mod validation;
mod wait;
mod xml_to_json;
mod xsl_transform;

use pipeline::PolicyKind;

/// Takes lines of JSON for loggers, into the queues that `log-to-eventhub` uses.
pub const EVENT_SINK: pipeline::EventSink = event_log::SINK;

/// Every policy of this gateway.
pub const ALL: &[PolicyKind] = &[
    ai::AZURE_OPENAI_EMIT_TOKEN_METRIC,
    ai::AZURE_OPENAI_SEMANTIC_CACHE_LOOKUP,
    ai::AZURE_OPENAI_SEMANTIC_CACHE_STORE,
    ai::AZURE_OPENAI_TOKEN_LIMIT,
    authentication_basic::KIND,
    authentication_certificate::KIND,
    authentication_managed_identity::KIND,
    caching::CACHE_LOOKUP,
    caching::CACHE_LOOKUP_VALUE,
    caching::CACHE_REMOVE_VALUE,
    caching::CACHE_STORE,
    caching::CACHE_STORE_VALUE,
    check_header::KIND,
    choose::KIND,
    cors::KIND,
    cosmosdb_data_source::KIND,
    cross_domain::KIND,
    emit_metric::KIND,
    find_and_replace::KIND,
    forward_request::KIND,
    get_authorization_context::KIND,
    http_data_source::KIND,
    include_fragment::KIND,
    invoke_dapr_binding::KIND,
    ip_filter::KIND,
    json_to_xml::KIND,
    jsonp::KIND,
    limit_concurrency::KIND,
    ai::LLM_CONTENT_SAFETY,
    ai::LLM_EMIT_TOKEN_METRIC,
    ai::LLM_SEMANTIC_CACHE_LOOKUP,
    ai::LLM_SEMANTIC_CACHE_STORE,
    ai::LLM_TOKEN_LIMIT,
    log_to_eventhub::KIND,
    mock_response::KIND,
    proxy::KIND,
    publish_event::KIND,
    publish_to_dapr::KIND,
    limits::QUOTA,
    limits::QUOTA_BY_KEY,
    limits::RATE_LIMIT,
    limits::RATE_LIMIT_BY_KEY,
    redirect_content_urls::KIND,
    retry::KIND,
    return_response::KIND,
    rewrite_uri::KIND,
    send_one_way_request::KIND,
    send_request::KIND,
    send_service_bus_message::KIND,
    set_backend_service::KIND,
    set_body::KIND,
    set_graphql_resolver::KIND,
    set_header::KIND,
    set_method::KIND,
    set_query_parameter::KIND,
    set_status::KIND,
    set_variable::KIND,
    sql_data_source::KIND,
    trace::KIND,
    validate_azure_ad_token::KIND,
    validate_client_certificate::KIND,
    validate_content::KIND,
    validate_graphql_request::KIND,
    validate_headers::KIND,
    validate_jwt::KIND,
    validate_odata_request::KIND,
    validate_parameters::KIND,
    validate_status_code::KIND,
    wait::KIND,
    xml_to_json::KIND,
    xsl_transform::KIND,
];
