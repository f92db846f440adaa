//! Each policy alone, for the bench that measures them; a test looks that none is missing.

use pipeline::Section;

/// A policy alone: its name, where it stands, what runs before it outside of the time, and how it
/// is written. Of a cache there is a line for each thing that it does: `(a hit)`, `(a miss)`,
/// `(a store)`; the bench looks whether it does that.
pub(crate) const ALONE: &[(&str, Section, &str, &str)] = &[
    (
        "authentication-basic",
        Section::Inbound,
        "",
        r#"<authentication-basic username="u" password="p" />"#,
    ),
    (
        "authentication-certificate",
        Section::Inbound,
        "",
        r#"<authentication-certificate certificate-id="client" />"#,
    ),
    (
        "authentication-managed-identity",
        Section::Inbound,
        "",
        r#"<authentication-managed-identity resource="https://cognitiveservices.azure.com" />"#,
    ),
    (
        "azure-openai-emit-token-metric",
        Section::Inbound,
        "",
        r#"<azure-openai-emit-token-metric><dimension name="tier" value="gold" /></azure-openai-emit-token-metric>"#,
    ),
    (
        "azure-openai-semantic-cache-lookup (a hit)",
        Section::Inbound,
        SEMANTIC_KEPT,
        r#"<azure-openai-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="embeddings" embeddings-backend-auth="system-assigned"><vary-by>@(context.Request.Headers.GetValueOrDefault("x-round", ""))</vary-by></azure-openai-semantic-cache-lookup>"#,
    ),
    (
        "azure-openai-semantic-cache-lookup (a miss)",
        Section::Inbound,
        "",
        r#"<azure-openai-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="embeddings" embeddings-backend-auth="system-assigned"><vary-by>@(context.Request.Headers.GetValueOrDefault("x-round", ""))</vary-by></azure-openai-semantic-cache-lookup>"#,
    ),
    (
        "azure-openai-semantic-cache-store (a store)",
        Section::Outbound,
        SEMANTIC,
        r#"<azure-openai-semantic-cache-store duration="60" />"#,
    ),
    (
        "azure-openai-token-limit",
        Section::Inbound,
        "",
        r#"<azure-openai-token-limit counter-key="k" tokens-per-minute="1000000000" estimate-prompt-tokens="false" />"#,
    ),
    (
        "cache-lookup (a hit)",
        Section::Inbound,
        KEPT,
        r#"<cache-lookup vary-by-developer="false" vary-by-developer-groups="false" />"#,
    ),
    (
        "cache-lookup (a miss)",
        Section::Inbound,
        "",
        r#"<cache-lookup vary-by-developer="false" vary-by-developer-groups="false" />"#,
    ),
    (
        "cache-lookup-value (a hit)",
        Section::Inbound,
        VALUE,
        r#"<cache-lookup-value key="k" variable-name="v" default-value="d" caching-type="internal" />"#,
    ),
    (
        "cache-lookup-value (a miss)",
        Section::Inbound,
        "",
        r#"<cache-lookup-value key="nothing" variable-name="v" default-value="d" caching-type="internal" />"#,
    ),
    (
        "cache-remove-value",
        Section::Inbound,
        VALUE,
        r#"<cache-remove-value key="k" caching-type="internal" />"#,
    ),
    ("cache-store (a store)", Section::Outbound, CACHE, r#"<cache-store duration="60" />"#),
    (
        "cache-store-value",
        Section::Inbound,
        "",
        r#"<cache-store-value key="k" value="v" duration="60" caching-type="internal" />"#,
    ),
    (
        "check-header",
        Section::Inbound,
        "",
        r#"<check-header name="x-key" failed-check-httpcode="401" failed-check-error-message="No" ignore-case="false"><value>secret</value></check-header>"#,
    ),
    (
        "choose",
        Section::Inbound,
        "",
        r#"<choose><when condition="@(context.Request.Method == &quot;GET&quot;)"><set-method>PUT</set-method></when><otherwise><set-method>POST</set-method></otherwise></choose>"#,
    ),
    (
        "cors",
        Section::Inbound,
        ORIGIN,
        r#"<cors><allowed-origins><origin>https://pages.example</origin></allowed-origins><allowed-headers><header>*</header></allowed-headers></cors>"#,
    ),
    ("cross-domain", Section::Inbound, "", "<cross-domain />"),
    (
        "emit-metric",
        Section::Inbound,
        "",
        r#"<emit-metric name="calls"><dimension name="tier" value="gold" /></emit-metric>"#,
    ),
    ("find-and-replace", Section::Inbound, "", r#"<find-and-replace from="hello" to="goodbye" />"#),
    ("forward-request", Section::Backend, "", "<forward-request />"),
    (
        "get-authorization-context",
        Section::Inbound,
        "",
        r#"<get-authorization-context provider-id="crm" authorization-id="app" context-variable-name="auth" />"#,
    ),
    ("include-fragment", Section::Inbound, "", r#"<include-fragment fragment-id="f" />"#),
    (
        "invoke-dapr-binding",
        Section::Inbound,
        "",
        r#"<invoke-dapr-binding name="queue" operation="create"><data>hello</data></invoke-dapr-binding>"#,
    ),
    (
        "ip-filter",
        Section::Inbound,
        "",
        r#"<ip-filter action="forbid"><address>203.0.113.7</address><address-range from="198.51.100.1" to="198.51.100.9" /></ip-filter>"#,
    ),
    (
        "json-to-xml",
        Section::Inbound,
        "",
        r#"<json-to-xml apply="always" consider-accept-header="false" />"#,
    ),
    ("jsonp", Section::Outbound, "", r#"<jsonp callback-parameter-name="cb" />"#),
    (
        "limit-concurrency",
        Section::Inbound,
        "",
        r#"<limit-concurrency key="k" max-count="100"><set-method>POST</set-method></limit-concurrency>"#,
    ),
    (
        "llm-content-safety",
        Section::Inbound,
        "",
        r#"<llm-content-safety backend-id="safety"><categories><category name="Hate" threshold="4" /></categories></llm-content-safety>"#,
    ),
    (
        "llm-emit-token-metric",
        Section::Inbound,
        "",
        r#"<llm-emit-token-metric><dimension name="tier" value="gold" /></llm-emit-token-metric>"#,
    ),
    (
        "llm-semantic-cache-lookup (a hit)",
        Section::Inbound,
        SEMANTIC_KEPT,
        r#"<llm-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="embeddings" embeddings-backend-auth="system-assigned"><vary-by>@(context.Request.Headers.GetValueOrDefault("x-round", ""))</vary-by></llm-semantic-cache-lookup>"#,
    ),
    (
        "llm-semantic-cache-lookup (a miss)",
        Section::Inbound,
        "",
        r#"<llm-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="embeddings" embeddings-backend-auth="system-assigned"><vary-by>@(context.Request.Headers.GetValueOrDefault("x-round", ""))</vary-by></llm-semantic-cache-lookup>"#,
    ),
    (
        "llm-semantic-cache-store (a store)",
        Section::Outbound,
        SEMANTIC,
        r#"<llm-semantic-cache-store duration="60" />"#,
    ),
    (
        "llm-token-limit",
        Section::Inbound,
        "",
        r#"<llm-token-limit counter-key="k" tokens-per-minute="1000000000" estimate-prompt-tokens="true" />"#,
    ),
    (
        "log-to-eventhub",
        Section::Inbound,
        "",
        r#"<log-to-eventhub logger-id="hub">a call</log-to-eventhub>"#,
    ),
    ("mock-response", Section::Inbound, "", "<mock-response />"),
    ("proxy", Section::Inbound, "", r#"<proxy url="http://proxy.example:8080" />"#),
    (
        "publish-to-dapr",
        Section::Inbound,
        "",
        r#"<publish-to-dapr topic="orders/new">hello</publish-to-dapr>"#,
    ),
    ("quota", Section::Inbound, "", r#"<quota calls="1000000000" renewal-period="3600" />"#),
    (
        "quota-by-key",
        Section::Inbound,
        "",
        r#"<quota-by-key calls="1000000000" renewal-period="3600" counter-key="k" />"#,
    ),
    (
        "rate-limit",
        Section::Inbound,
        "",
        r#"<rate-limit calls="1000000000" renewal-period="60" />"#,
    ),
    (
        "rate-limit-by-key",
        Section::Inbound,
        "",
        r#"<rate-limit-by-key calls="1000000000" renewal-period="60" counter-key="k" />"#,
    ),
    ("redirect-content-urls", Section::Outbound, "", "<redirect-content-urls />"),
    (
        "retry",
        Section::Inbound,
        "",
        r#"<retry condition="@(false)" count="3" interval="1"><set-method>POST</set-method></retry>"#,
    ),
    (
        "return-response",
        Section::Inbound,
        "",
        r#"<return-response><set-status code="403" reason="No" /><set-body>no</set-body></return-response>"#,
    ),
    ("rewrite-uri", Section::Inbound, "", r#"<rewrite-uri template="/deployments/gpt-4o/chat" />"#),
    (
        "send-one-way-request",
        Section::Inbound,
        "",
        r#"<send-one-way-request mode="new"><set-url>https://hooks.example/log</set-url><set-method>POST</set-method><set-body>a call</set-body></send-one-way-request>"#,
    ),
    (
        "send-request",
        Section::Inbound,
        "",
        r#"<send-request mode="new" response-variable-name="r"><set-url>https://hooks.example/ask</set-url><set-method>GET</set-method></send-request>"#,
    ),
    (
        "send-service-bus-message",
        Section::Inbound,
        "",
        r#"<send-service-bus-message queue-name="orders" namespace="sb.example"><payload>hello</payload></send-service-bus-message>"#,
    ),
    (
        "set-backend-service",
        Section::Inbound,
        "",
        r#"<set-backend-service base-url="https://west.example/openai" />"#,
    ),
    ("set-body", Section::Inbound, "", "<set-body>{\"a\": 1}</set-body>"),
    (
        "set-body template=\"liquid\"",
        Section::Inbound,
        "",
        r#"<set-body template="liquid">{"say": "{{ body.messages[0].content }}", "to": [{% for m in body.messages %}"{{ m.role | Upcase }}"{% endfor %}]}</set-body>"#,
    ),
    (
        "set-graphql-resolver",
        Section::Backend,
        "",
        r#"<set-graphql-resolver parent-type="Query" field="user"><http-data-source><http-request><set-method>GET</set-method><set-url>https://data.example/user</set-url></http-request></http-data-source></set-graphql-resolver>"#,
    ),
    (
        "set-header",
        Section::Inbound,
        "",
        r#"<set-header name="x-tier" exists-action="override"><value>gold</value></set-header>"#,
    ),
    ("set-method", Section::Inbound, "", "<set-method>POST</set-method>"),
    (
        "set-query-parameter",
        Section::Inbound,
        "",
        r#"<set-query-parameter name="api-version" exists-action="override"><value>2024-10-21</value></set-query-parameter>"#,
    ),
    ("set-status", Section::Outbound, "", r#"<set-status code="202" reason="Accepted" />"#),
    ("set-variable", Section::Inbound, "", r#"<set-variable name="tier" value="gold" />"#),
    (
        "trace",
        Section::Inbound,
        "",
        r#"<trace source="bench" severity="verbose"><message>here</message></trace>"#,
    ),
    (
        "validate-azure-ad-token",
        Section::Inbound,
        ENTRA,
        r#"<validate-azure-ad-token tenant-id="11111111-1111-1111-1111-111111111111"><client-application-ids><application-id>aaaaaaaa-0000-0000-0000-000000000001</application-id></client-application-ids></validate-azure-ad-token>"#,
    ),
    (
        "validate-client-certificate",
        Section::Inbound,
        "",
        r#"<validate-client-certificate validate-revocation="false"><identities><identity common-name="client.test" /></identities></validate-client-certificate>"#,
    ),
    (
        "validate-content",
        Section::Inbound,
        "",
        r#"<validate-content unspecified-content-type-action="ignore" max-size="100000" size-exceeded-action="prevent"><content type="application/json" validate-as="json" action="prevent" /></validate-content>"#,
    ),
    (
        "validate-graphql-request",
        Section::Inbound,
        GRAPHQL,
        r#"<validate-graphql-request max-size="1000" max-depth="4" />"#,
    ),
    (
        "validate-headers",
        Section::Outbound,
        "",
        r#"<validate-headers specified-header-action="prevent" unspecified-header-action="prevent" />"#,
    ),
    (
        "validate-jwt",
        Section::Inbound,
        "",
        r#"<validate-jwt header-name="authorization"><issuer-signing-keys><key>MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=</key></issuer-signing-keys><audiences><audience>bench</audience></audiences></validate-jwt>"#,
    ),
    ("validate-odata-request", Section::Inbound, "", "<validate-odata-request />"),
    (
        "validate-parameters",
        Section::Inbound,
        "",
        r#"<validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="detect" />"#,
    ),
    (
        "validate-status-code",
        Section::Outbound,
        "",
        r#"<validate-status-code unspecified-status-code-action="prevent" />"#,
    ),
    (
        "wait",
        Section::Inbound,
        "",
        r#"<wait for="all"><choose><when condition="@(true)"><set-method>POST</set-method></when></choose></wait>"#,
    ),
    (
        "xml-to-json",
        Section::Inbound,
        XML,
        r#"<xml-to-json kind="direct" apply="content-type-xml" consider-accept-header="false" />"#,
    ),
    (
        "xsl-transform",
        Section::Inbound,
        XML,
        r#"<xsl-transform><xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output omit-xml-declaration="yes" /><xsl:template match="@* | node()"><xsl:copy><xsl:apply-templates select="@* | node()" /></xsl:copy></xsl:template></xsl:stylesheet></xsl-transform>"#,
    ),
];

/// Policies without a line of their own, and why.
pub(crate) const ELSEWHERE: &[(&str, &str)] = &[
    ("cosmosdb-data-source", "stands in resolvers only, and asks a database"),
    ("sql-data-source", "stands in resolvers only, and asks a database"),
    ("http-data-source", "stands in resolvers only, which an API's schema calls, not a section"),
    ("publish-event", "stands in resolvers only, which an API's schema calls, not a section"),
];

const SEMANTIC: &str = r#"<inbound><llm-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="embeddings" embeddings-backend-auth="system-assigned"><vary-by>@(context.Request.Headers.GetValueOrDefault("x-round", ""))</vary-by></llm-semantic-cache-lookup></inbound><outbound><set-body>{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"first"}}]}</set-body></outbound>"#;
const SEMANTIC_KEPT: &str = r#"<inbound><llm-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="embeddings" embeddings-backend-auth="system-assigned"><vary-by>@(context.Request.Headers.GetValueOrDefault("x-round", ""))</vary-by></llm-semantic-cache-lookup></inbound><outbound><set-body>{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"first"}}]}</set-body><llm-semantic-cache-store duration="60" /></outbound>"#;
const CACHE: &str = r#"<inbound><cache-lookup vary-by-developer="false" vary-by-developer-groups="false" /></inbound>"#;
const KEPT: &str = r#"<inbound><cache-lookup vary-by-developer="false" vary-by-developer-groups="false" /></inbound><outbound><cache-store duration="60" /></outbound>"#;
const VALUE: &str = r#"<inbound><cache-store-value key="k" value="v" duration="60" caching-type="internal" /></inbound>"#;
const ORIGIN: &str = r#"<inbound><set-header name="Origin" exists-action="override"><value>https://pages.example</value></set-header></inbound>"#;
const ENTRA: &str = r#"<inbound><set-header name="Authorization" exists-action="override"><value>Bearer ENTRA_TOKEN</value></set-header></inbound>"#;
const GRAPHQL: &str = r#"<inbound><set-method>POST</set-method><set-body>{"query": "{ user { boss { name } } }"}</set-body></inbound>"#;
const XML: &str = r#"<inbound><set-header name="Content-Type" exists-action="override"><value>text/xml</value></set-header><set-body><order id="7"><line n="1">a</line><line n="2">b</line></order></set-body></inbound>"#;
