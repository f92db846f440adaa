//! A whole service: products, subscriptions, users, versions, revisions and workspaces, from files to
//! answers. Behaviour: `routing.md` and `policy-documents.md` of the reference, section by section.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use config::{Engine, NoSecrets, Options, Source};
use pipeline::{Registry, Services};
use proxy::{Gateway, HttpForward};
use transport::{Body, FakeClient, FakeClock, Peer, Response};

/// A gateway over files, and what it calls.
struct Service {
    gateway: Arc<Gateway>,
    clock: FakeClock,
    files: Vec<(String, String)>,
}

impl Service {
    /// Every scope that has a say appends its name to a header, which the backend tells, with the
    /// URL that was called.
    async fn new(files: &[(&str, &str)]) -> Service {
        let clock = FakeClock::at_unix(1_700_000_000);
        let backend = FakeClient::new(|request| {
            let marks: Vec<&str> =
                request.headers.get_all("x-scope").iter().map(|it| it.to_str().unwrap()).collect();
            let marks = marks.join(" ").replace(",", " ");
            let text = format!("{} {} [{marks}]", request.method, request.uri);
            Ok(Response::new(Body::full(text)))
        });
        let forward = Arc::new(HttpForward::default());
        let services = Services::new(Arc::new(backend), Arc::new(clock.clone()), forward);
        let gateway = Gateway::new(Arc::new(services), None);
        let mut service = Service { gateway, clock, files: Vec::new() };
        service.change(files).await;
        service
    }

    /// Puts files in place of those of the same name, and loads all anew.
    async fn change(&mut self, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.files.retain(|it| it.0 != *name);
            self.files.push(((*name).to_owned(), (*text).to_owned()));
        }
        let source = Source::from_files(self.files.iter().map(|it| (it.0.as_str(), it.1.as_str())));
        let registry = Registry::new(policies::ALL);
        let services = self.gateway.services();
        let engine = Engine { registry: &registry, extensions: services.extensions() };
        let loaded = config::load(&source, &Options::default(), &NoSecrets, engine).await;
        let snapshot = loaded.snapshot.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        self.gateway.install(Arc::new(snapshot));
    }

    /// Status, headers that matter and body.
    async fn ask(&self, text: &str) -> String {
        let mut lines = text.lines().map(str::trim);
        let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
        let mut request = http::Request::builder().method(method).uri(url).header("host", "gw");
        for (name, value) in lines.filter_map(|it| it.split_once(": ")) {
            request = request.header(name, value);
        }
        let peer = Arc::new(Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let answer = self.gateway.clone().handle(request.body(Body::empty()).unwrap(), peer).await;
        let (head, body) = answer.into_parts();
        let mut shown = head.status.as_u16().to_string();
        for name in ["www-authenticate", "x-out", "access-control-allow-origin"] {
            if let Some(value) = head.headers.get(name) {
                shown += &format!(" {name}={}", value.to_str().unwrap());
            }
        }
        let body = body.collect(1 << 20).await.unwrap();
        format!("{shown} {}", String::from_utf8_lossy(&body)).trim().to_owned()
    }

    /// The same with a key.
    async fn ask_as(&self, key: &str, request: &str) -> String {
        self.ask(&format!("{request}\nocp-apim-subscription-key: {key}")).await
    }
}

/// A document whose inbound section marks its scope after the broader ones.
fn mark(name: &str) -> String {
    format!(
        "<policies><inbound><base /><set-header name='x-scope' exists-action='append'>\
         <value>{name}</value></set-header></inbound></policies>"
    )
}

fn api(path: &str, more: &str) -> String {
    format!(
        r#"{{"properties":{{"path":"{path}","protocols":["http"],"serviceUrl":"https://b.test/base"{more}}}}}"#
    )
}

fn subscription(scope: &str, key: &str, more: &str) -> String {
    format!(r#"{{"properties":{{"scope":"{scope}","primaryKey":"{key}"{more}}}}}"#)
}

const SPEC: &str = "openapi: 3.0.1\npaths:\n  /items/{id}: { get: { operationId: item } }\n  \
                    /list: { get: { operationId: list }, options: { operationId: opt } }\n";

const NO_KEY: &str = r#"{ "statusCode": 401, "message": "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API." }"#;
const BAD_KEY: &str = r#"{ "statusCode": 401, "message": "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription." }"#;
const NOT_FOUND: &str = r#"404 { "statusCode": 404, "message": "Resource not found" }"#;

fn denied(path: &str, body: &str) -> String {
    format!(
        "401 www-authenticate=AzureApiManagementKey realm=\"http://gw/{path}\",\
         name=\"Ocp-Apim-Subscription-Key\",type=\"header\" {body}"
    )
}

/// A shop in the products `gold` and `silver`, a page of news in the open product `free`.
async fn shop() -> Service {
    let (shop, news) = (api("shop", ""), api("news", ""));
    let global = format!("{}<backend><forward-request /></backend></policies>", {
        let it = mark("global");
        it.strip_suffix("</policies>").unwrap().to_owned()
    });
    let open = r#"{"properties":{"subscriptionRequired":false,"displayName":"Free"}}"#;
    let gold = r#"{"properties":{"displayName":"Gold","state":"published","approvalRequired":true,
        "subscriptionsLimit":7}}"#;
    Service::new(&[
        ("policy.xml", &global),
        ("apis/shop/apiInformation.json", &shop),
        ("apis/shop/specification.yaml", SPEC),
        ("apis/shop/policy.xml", &mark("api")),
        ("apis/shop/operations/item/policy.xml", &mark("operation")),
        ("apis/news/apiInformation.json", &news),
        ("apis/news/specification.yaml", SPEC),
        ("products/gold/productInformation.json", gold),
        ("products/gold/policy.xml", &mark("gold")),
        ("products/gold/apis.json", r#"[{"name":"shop"},{"name":"news"}]"#),
        ("products/gold/groups.json", r#"[{"name":"developers"}]"#),
        ("products/silver/productInformation.json", "{}"),
        ("products/silver/apis/shop/productApiInformation.json", "{}"),
        ("products/free/productInformation.json", open),
        ("products/free/policy.xml", &mark("free")),
        ("products/free/apis.json", r#"["news"]"#),
        ("groups/partners/groupInformation.json", r#"{"properties":{"displayName":"Partners"}}"#),
        (
            "users/ann/userInformation.json",
            r#"{"properties":{"email":"a@x.test","firstName":"Ann","lastName":"Lee","note":"n",
                "registrationDate":"2024-02-03T04:05:06Z","groups":["partners"],
                "identities":[{"provider":"Basic","id":"a@x.test"}]}}"#,
        ),
        (
            "subscriptions/of-gold/subscriptionInformation.json",
            &subscription(
                "/products/gold",
                "gold-key",
                r#","secondaryKey":"gold-two","displayName":"Ann's","ownerId":"/users/ann",
                   "startDate":"2023-01-01T00:00:00Z","expirationDate":"2023-11-15T00:00:00Z""#,
            ),
        ),
        (
            "subscriptions/of-silver/subscriptionInformation.json",
            &subscription("/products/silver", "silver-key", ""),
        ),
        ("subscriptions/all/subscriptionInformation.json", &subscription("/apis", "all-key", "")),
        (
            "subscriptions/only-shop/subscriptionInformation.json",
            &subscription("/apis/shop", "shop-key", ""),
        ),
    ])
    .await
}

const ITEM: &str = "GET /shop/items/7";

#[tokio::test]
async fn a_products_policies_run_between_those_of_the_api_and_the_global_ones() {
    let it = shop().await;
    let called = |marks: &str| format!("200 GET https://b.test/base/items/7 [{marks}]");
    for (key, marks) in [
        ("gold-key", "global gold api operation"),
        ("gold-two", "global gold api operation"),
        ("silver-key", "global api operation"),
        ("all-key", "global api operation"),
        ("shop-key", "global api operation"),
    ] {
        assert_eq!(it.ask_as(key, ITEM).await, called(marks), "{key}");
    }
    let list = it.ask_as("gold-key", "GET /shop/list").await;
    assert_eq!(list, "200 GET https://b.test/base/list [global gold api]");
}

#[tokio::test]
async fn an_open_product_admits_without_a_key_and_keys_change_the_context() {
    let it = shop().await;
    let news = "GET /news/list";
    let called = |marks: &str| format!("200 GET https://b.test/base/list [{marks}]");
    assert_eq!(it.ask(news).await, called("global free"));
    assert_eq!(it.ask_as("gold-key", news).await, called("global gold"));
    assert_eq!(it.ask_as("all-key", news).await, called("global"));
    for key in ["wrong", "silver-key", "shop-key", "GOLD-KEY"] {
        assert_eq!(it.ask_as(key, news).await, denied("news", BAD_KEY), "{key}");
    }
}

#[tokio::test]
async fn a_request_without_a_good_key_is_401_and_404_comes_first() {
    let it = shop().await;
    assert_eq!(it.ask(ITEM).await, denied("shop", NO_KEY));
    assert_eq!(it.ask_as("wrong", ITEM).await, denied("shop", BAD_KEY));
    assert_eq!(it.ask("GET /shop/nothing").await, NOT_FOUND);
    assert_eq!(it.ask("POST /shop/list").await, NOT_FOUND);
    assert_eq!(it.ask("HEAD /shop/list").await, NOT_FOUND);
    assert_eq!(it.ask_as("wrong", "GET /elsewhere").await, NOT_FOUND);
}

#[tokio::test]
async fn only_active_subscriptions_of_active_users_open_anything() {
    let mut it = shop().await;
    let file = "subscriptions/all/subscriptionInformation.json";
    for state in ["submitted", "suspended", "expired", "rejected", "cancelled"] {
        let own = subscription("/apis", "all-key", &format!(r#","state":"{state}""#));
        it.change(&[(file, &own)]).await;
        assert_eq!(it.ask_as("all-key", ITEM).await, denied("shop", BAD_KEY), "{state}");
    }
    it.change(&[(file, &subscription("/apis", "all-key", r#","state":"active""#))]).await;
    assert!(it.ask_as("all-key", ITEM).await.starts_with("200"));

    for state in ["blocked", "pending", "deleted"] {
        let user = format!(r#"{{"properties":{{"state":"{state}"}}}}"#);
        it.change(&[("users/ann/userInformation.json", &user)]).await;
        assert_eq!(it.ask_as("gold-key", ITEM).await, denied("shop", BAD_KEY), "{state}");
    }
}

#[tokio::test]
async fn keys_are_rotated_one_after_the_other() {
    let mut it = shop().await;
    let file = "subscriptions/of-gold/subscriptionInformation.json";
    let rotate = |first: &str, second: &str| {
        subscription("/products/gold", first, &format!(r#","secondaryKey":"{second}""#))
    };
    for (first, second, good, bad) in [
        ("k1", "k2", ["k1", "k2"], ["gold-key", "gold-two"]),
        ("k3", "k2", ["k3", "k2"], ["k1", "gold-two"]),
        ("k3", "k4", ["k3", "k4"], ["k1", "k2"]),
    ] {
        it.change(&[(file, &rotate(first, second))]).await;
        for key in good {
            assert!(it.ask_as(key, ITEM).await.starts_with("200"), "{key}");
        }
        for key in bad {
            assert_eq!(it.ask_as(key, ITEM).await, denied("shop", BAD_KEY), "{key}");
        }
    }
}

#[tokio::test]
async fn dates_of_subscriptions_count_only_where_the_gateway_is_told_so() {
    // The clock says 14 November 2023, 22:13.
    let mut it = shop().await;
    it.clock.advance(Duration::from_secs(86_400));
    assert!(it.ask_as("gold-key", ITEM).await.starts_with("200"));
    it.change(&[("portcullis.yaml", "enforce-subscription-dates: true\n")]).await;
    assert_eq!(it.ask_as("gold-key", ITEM).await, denied("shop", BAD_KEY));
    assert!(it.ask_as("all-key", ITEM).await.starts_with("200"));

    let mut it = shop().await;
    it.change(&[("portcullis.yaml", "enforce-subscription-dates: true\n")]).await;
    assert!(it.ask_as("gold-key", ITEM).await.starts_with("200"));
}

/// A policy that answers with the text of an expression.
fn tell(expression: &str) -> String {
    format!(
        "<policies><inbound><base /><return-response><set-status code='200' /><set-body>@{{ \
         {expression} }}</set-body></return-response></inbound></policies>"
    )
}

#[tokio::test]
async fn expressions_see_product_user_and_subscription() {
    let mut it = shop().await;
    let file = "apis/shop/operations/item/policy.xml";
    for (expression, of_gold, of_all) in [
        (
            "var p = context.Product; return p == null ? \"none\" : p.Id + \" \" + p.Name + \" \" + p.State \
             + \" \" + p.ApprovalRequired + \" \" + p.SubscriptionRequired + \" \" + p.SubscriptionLimit;",
            "gold Gold Published True True 7",
            "none",
        ),
        (
            "var p = context.Product; return p == null ? \"none\" : \
             string.Join(\",\", p.Apis.Select(a => a.Id)) + \" \" + string.Join(\",\", p.Groups.Select(g => g.Name));",
            "news,shop Developers",
            "none",
        ),
        (
            "var u = context.User; return u == null ? \"none\" : u.Id + \" \" + u.Email + \" \" + u.FirstName \
             + \" \" + u.LastName + \" \" + u.Note + \" \" + u.RegistrationDate.Year + \" \" \
             + string.Join(\",\", u.Groups.Select(g => g.Id)) + \" \" + u.Identities.First().Provider;",
            "ann a@x.test Ann Lee n 2024 developers,partners Basic",
            "none",
        ),
        (
            "var s = context.Subscription; return s.Id + \" \" + s.Name + \" \" + s.Key + \" \" + s.PrimaryKey \
             + \" \" + s.SecondaryKey + \" \" + (s.EndDate == null ? \"-\" : s.EndDate.Value.Day.ToString());",
            "of-gold Ann's gold-two gold-key gold-two 15",
            "all  all-key all-key  -",
        ),
        (
            "return context.Workspace == null ? \"no workspace\" : \"?\";",
            "no workspace",
            "no workspace",
        ),
    ] {
        it.change(&[(file, &tell(expression))]).await;
        assert_eq!(it.ask_as("gold-two", ITEM).await, format!("200 {of_gold}"), "{expression}");
        assert_eq!(it.ask_as("all-key", ITEM).await, format!("200 {of_all}"), "{expression}");
    }
}

#[tokio::test]
async fn on_error_after_a_refused_key_is_without_the_product() {
    let mut it = shop().await;
    let on_error = |name: &str| {
        format!(
            "<policies><on-error><base /><set-header name='x-out' exists-action='append'>\
             <value>@(\"{name}:\" + context.LastError.Source + \":\" + context.LastError.Reason)</value>\
             </set-header></on-error></policies>"
        )
    };
    it.change(&[
        ("products/gold/policy.xml", &on_error("product")),
        ("apis/shop/policy.xml", &on_error("api")),
    ])
    .await;
    let answer = it.ask(ITEM).await;
    assert!(answer.contains("x-out=api:authorization:SubscriptionKeyNotFound"), "{answer}");
    assert!(!answer.contains("product:"), "{answer}");
}

/// Versions `v1` and `v2` of a shop, and the Original one, in a set.
async fn versions(set: &str) -> Service {
    let version = |name: &str, more: &str| {
        api(
            "shop",
            &format!(
                "{name},\"apiVersionSetId\":\"/x/apiVersionSets/set\",\"subscriptionRequired\":false{more}"
            ),
        )
    };
    Service::new(&[
        ("version sets/set/versionSetInformation.json", set),
        ("apis/original/apiInformation.json", &version("", "")),
        ("apis/original/specification.yaml", SPEC),
        ("apis/original/policy.xml", &mark("original")),
        ("apis/v1/apiInformation.json", &version(",\"apiVersion\":\"v1\"", "")),
        ("apis/v1/specification.yaml", SPEC),
        ("apis/v1/policy.xml", &mark("v1")),
        (
            "apis/v2/apiInformation.json",
            &version(",\"apiVersion\":\"v2\"", ",\"isCurrent\":true,\"apiRevision\":\"3\""),
        ),
        ("apis/v2/specification.yaml", SPEC),
        ("apis/v2/policy.xml", &mark("v2")),
        (
            "apis/v2;rev=2/apiInformation.json",
            &version(",\"apiVersion\":\"v2\"", ",\"isCurrent\":false,\"apiRevision\":\"2\""),
        ),
        ("apis/v2;rev=2/specification.yaml", SPEC),
        ("apis/v2;rev=2/policy.xml", &mark("v2-rev2")),
        (
            "apis/v2;rev=4/apiInformation.json",
            &version(
                ",\"apiVersion\":\"v2\"",
                ",\"isCurrent\":false,\"apiRevision\":\"4\",\"isOnline\":false",
            ),
        ),
        ("apis/v2;rev=4/specification.yaml", SPEC),
    ])
    .await
}

#[tokio::test]
async fn a_version_in_the_path_is_not_sent_to_the_backend() {
    let it = versions(r#"{"properties":{"versioningScheme":"Segment"}}"#).await;
    for (request, expected) in [
        ("GET /shop/list", "200 GET https://b.test/base/list [original]"),
        ("GET /shop/v1/list", "200 GET https://b.test/base/list [v1]"),
        ("GET /shop/V2/items/a%2Fb?x=1", "200 GET https://b.test/base/items/a%2Fb?x=1 [v2]"),
        ("GET /shop/v2;rev=2/list", "200 GET https://b.test/base/list [v2-rev2]"),
        ("GET /shop/v2;rev=3/list", "200 GET https://b.test/base/list [v2]"),
        ("GET /shop/v2;rev=4/list", NOT_FOUND),
        ("GET /shop/v2;rev=9/list", NOT_FOUND),
        ("GET /shop/v3/list", NOT_FOUND),
    ] {
        assert_eq!(it.ask(request).await, expected, "{request}");
    }
}

#[tokio::test]
async fn a_version_in_a_header_or_the_query_is_sent_on() {
    let set = r#"{"properties":{"versioningScheme":"Query","versionQueryName":"api-version"}}"#;
    let it = versions(set).await;
    for (request, expected) in [
        ("GET /shop/list", "200 GET https://b.test/base/list [original]"),
        ("GET /shop/list?api-version=v1", "200 GET https://b.test/base/list?api-version=v1 [v1]"),
        (
            "GET /shop;rev=2/list?api-version=v2",
            "200 GET https://b.test/base/list?api-version=v2 [v2-rev2]",
        ),
        ("GET /shop/list?api-version=V1", NOT_FOUND),
        ("GET /shop/list?api-version=v3", NOT_FOUND),
    ] {
        assert_eq!(it.ask(request).await, expected, "{request}");
    }
    let set = r#"{"properties":{"versioningScheme":"Header","versionHeaderName":"Api-Version"}}"#;
    let it = versions(set).await;
    for (version, expected) in [
        ("v1", "200 GET https://b.test/base/list [v1]"),
        ("v2", "200 GET https://b.test/base/list [v2]"),
        ("V2", NOT_FOUND),
    ] {
        let request = format!("GET /shop/list\napi-version: {version}");
        assert_eq!(it.ask(&request).await, expected, "{version}");
    }
    assert_eq!(it.ask("GET /shop/list").await, "200 GET https://b.test/base/list [original]");
}

#[tokio::test]
async fn a_set_without_an_original_version_needs_a_version() {
    let set = r#"{"properties":{"versioningScheme":"Query","versionQueryName":"v"}}"#;
    let one =
        api("shop", r#","apiVersion":"1","apiVersionSetId":"set","subscriptionRequired":false"#);
    let root = api("", r#","subscriptionRequired":false"#);
    let it = Service::new(&[
        ("version sets/set/versionSetInformation.json", set),
        ("apis/one/apiInformation.json", &one),
        ("apis/one/specification.yaml", SPEC),
        ("apis/one/policy.xml", &tell("return context.Api.Id + \" \" + context.Api.Version + \" \" + context.Api.Path + \" \" + context.Api.Revision + \" \" + context.Api.IsCurrentRevision;")),
        // Would take `/shop/list` if shorter suffixes were tried.
        ("apis/root/apiInformation.json", &root),
        ("apis/root/specification.yaml", "openapi: 3.0.1\npaths: { '/*': { get: { operationId: a } } }\n"),
    ])
    .await;
    assert_eq!(it.ask("GET /shop/list").await, NOT_FOUND);
    assert_eq!(it.ask("GET /shop/list?v=1").await, "200 one 1 shop 1 True");
    assert_eq!(it.ask("GET /shop/none?v=1").await, NOT_FOUND);
    assert!(it.ask("GET /other").await.starts_with("200 GET https://b.test/base/other"));
}

#[tokio::test]
async fn options_is_an_ordinary_operation_a_preflight_or_404() {
    let cors = "<policies><inbound><base /><cors><allowed-origins><origin>https://a.test</origin>\
                </allowed-origins></cors></inbound></policies>";
    let mut it = shop().await;
    let preflight = |path: &str| {
        format!("OPTIONS {path}\norigin: https://a.test\naccess-control-request-method: GET")
    };
    // No `cors` anywhere.
    assert_eq!(it.ask(&preflight("/shop/items/7")).await, NOT_FOUND);
    assert_eq!(it.ask("OPTIONS /shop/items/7").await, NOT_FOUND);
    it.change(&[("apis/shop/policy.xml", cors)]).await;
    let answer = it.ask(&preflight("/shop/items/7")).await;
    assert_eq!(answer, "200 access-control-allow-origin=https://a.test");
    assert_eq!(it.ask("OPTIONS /shop/items/7").await, NOT_FOUND);
    // An operation with this method: a call like any other, so that it needs a key.
    assert_eq!(it.ask(&preflight("/shop/list")).await, denied("shop", NO_KEY));
}

#[tokio::test]
async fn a_preflight_finds_the_cors_of_the_open_product_or_of_the_key_in_the_query() {
    let cors = "<policies><inbound><base /><cors><allowed-origins><origin>https://a.test</origin>\
                </allowed-origins></cors></inbound></policies>";
    let mut it = shop().await;
    it.change(&[("products/gold/policy.xml", cors), ("products/free/policy.xml", cors)]).await;
    let preflight = |path: &str| {
        format!("OPTIONS {path}\norigin: https://a.test\naccess-control-request-method: GET")
    };
    let allowed = "200 access-control-allow-origin=https://a.test";
    assert_eq!(it.ask(&preflight("/news/items/7")).await, allowed);
    assert_eq!(it.ask(&preflight("/shop/items/7")).await, NOT_FOUND);
    assert_eq!(it.ask(&preflight("/shop/items/7?subscription-key=gold-key")).await, allowed);
}

#[tokio::test]
async fn a_workspace_has_its_scope_its_values_and_its_backends() {
    let global = mark("global");
    let backend =
        |host: &str| format!(r#"{{"properties":{{"url":"https://{host}","protocol":"http"}}}}"#);
    let value =
        |text: &str| format!(r#"{{"properties":{{"displayName":"who","value":"{text}"}}}}"#);
    let own = r#"{"properties":{"path":"team","protocols":["http"],"backendId":"/backends/own"}}"#;
    let fragment = "<fragment><set-header name='x-scope' exists-action='append'><value>{{who}}</value></set-header></fragment>";
    let of_api =
        "<policies><inbound><base /><include-fragment fragment-id='f' /></inbound></policies>";
    let mut it = Service::new(&[
        (
            "policy.xml",
            &global.replace("</policies>", "<backend><forward-request /></backend></policies>"),
        ),
        ("named values/who/namedValueInformation.json", &value("service")),
        ("apis/a/apiInformation.json", &api("plain", "")),
        ("apis/a/specification.yaml", SPEC),
        (
            "workspaces/team/workspaceInformation.json",
            r#"{"properties":{"displayName":"The team"}}"#,
        ),
        ("workspaces/team/policy.xml", &mark("workspace")),
        ("workspaces/team/named values/who/namedValueInformation.json", &value("of-team")),
        ("workspaces/team/policy fragments/f/policy.xml", fragment),
        ("workspaces/team/backends/own/backendInformation.json", &backend("team.test")),
        ("workspaces/team/apis/a/apiInformation.json", own),
        ("workspaces/team/apis/a/specification.yaml", SPEC),
        ("workspaces/team/apis/a/policy.xml", of_api),
        ("workspaces/team/products/p/productInformation.json", "{}"),
        ("workspaces/team/products/p/policy.xml", &mark("product")),
        ("workspaces/team/products/p/apis.json", r#"["a"]"#),
        (
            "workspaces/team/subscriptions/s/subscriptionInformation.json",
            &subscription("/products/p", "product-key", ""),
        ),
        (
            "workspaces/team/subscriptions/w/subscriptionInformation.json",
            &subscription("/workspaces/team/apis", "team-key", ""),
        ),
        (
            "subscriptions/service/subscriptionInformation.json",
            &subscription("/apis", "service-key", ""),
        ),
    ])
    .await;
    let list = "GET /team/list";
    let called = |marks: &str| format!("200 GET https://team.test/list [{marks}]");
    assert_eq!(it.ask_as("product-key", list).await, called("global workspace product of-team"));
    assert_eq!(it.ask_as("team-key", list).await, called("global workspace of-team"));
    assert_eq!(it.ask_as("service-key", list).await, denied("team", BAD_KEY));
    assert_eq!(it.ask_as("team-key", "GET /plain/list").await, denied("plain", BAD_KEY));
    let plain = it.ask_as("service-key", "GET /plain/list").await;
    assert_eq!(plain, "200 GET https://b.test/base/list [global]");

    let text = "return context.Workspace.Id + \" \" + context.Workspace.Name + \" \" + (context.Product == null ? \"-\" : context.Product.Id);";
    it.change(&[("workspaces/team/apis/a/policy.xml", &tell(text))]).await;
    assert_eq!(it.ask_as("product-key", list).await, "200 team The team p");
    assert_eq!(it.ask_as("team-key", list).await, "200 team The team -");
}
