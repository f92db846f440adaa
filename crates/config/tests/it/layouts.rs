//! One service in the three layouts of the APIOps tools, and what an override file changes of each
//! kind of entity.
//!
//! Source: <https://github.com/Azure/apiops>, <https://github.com/Azure/apiops-cli>

use portcullis_config::{Entities, Environment, Options, Source, parse};

/// A tool's names of folders, and its form of links.
struct Layout {
    name: &'static str,
    named_values: &'static str,
    version_sets: &'static str,
    fragments: &'static str,
    has_link_folders: bool,
}

const LAYOUTS: [Layout; 3] = [
    Layout {
        name: "early releases of the toolkit",
        named_values: "named values",
        version_sets: "version sets",
        fragments: "policy fragments",
        has_link_folders: false,
    },
    Layout {
        name: "later releases of the toolkit",
        named_values: "named values",
        version_sets: "version sets",
        fragments: "policy fragments",
        has_link_folders: true,
    },
    Layout {
        name: "the command-line tool",
        named_values: "namedValues",
        version_sets: "versionSets",
        fragments: "policyFragments",
        has_link_folders: false,
    },
];

const SPECIFICATION: &str = "openapi: 3.0.1\ninfo: { title: t, version: '1' }\npaths: { /x: { get: { operationId: one, responses: {} } } }\n";
const OVERRIDES: &str = r#"
namedValues:
  - name: HOST
    properties: { value: "{#[HOST]#}" }
backends:
  - name: main
    properties: { url: "https://after.test" }
loggers:
  - name: hub
    properties: { isBuffered: false }
diagnostics:
  - name: azuremonitor
    properties: { loggerId: /loggers/after }
versionSets:
  - name: set
    properties: { displayName: After, versioningScheme: Query, versionQueryName: v }
groups:
  - name: team
    properties: { displayName: After }
subscriptions:
  - name: key
    properties: { state: suspended }
products:
  - name: gold
    properties: { displayName: After, subscriptionRequired: false }
    policies:
      - name: policy
        properties: { value: <policies><!-- after --></policies> }
policyFragments:
  - name: f
    properties: { value: <fragment><!-- after --></fragment> }
policies:
  - name: policy
    properties: { value: <policies><!-- after --></policies> }
apis:
  - name: chat
    properties: { displayName: After, protocols: [https] }
    policies:
      - name: policy
        properties: { value: <policies><!-- after --></policies> }
    diagnostics:
      - name: azuremonitor
        properties: { loggerId: /loggers/after }
    operations:
      - name: one
        properties: { displayName: After }
        policies:
          - name: policy
            properties: { value: <policies><!-- after --></policies> }
workspaces:
  - name: w
    namedValues:
      - name: inner
        properties: { value: after }
    products:
      - name: inner
        properties: { displayName: After }
    subscriptions:
      - name: inner
        properties: { state: cancelled }
"#;

fn info(properties: &str) -> String {
    format!(r#"{{"properties":{{{properties}}}}}"#)
}

fn source(layout: &Layout) -> Source {
    let Layout { named_values, version_sets, fragments, .. } = layout;
    let document = "<policies><!-- before --></policies>";
    let mut files = vec![
        ("policy.xml".to_owned(), document.to_owned()),
        (
            format!("{named_values}/host/namedValueInformation.json"),
            info(r#""displayName":"host","value":"before""#),
        ),
        (
            "backends/main/backendInformation.json".to_owned(),
            info(r#""url":"https://before.test","protocol":"http""#),
        ),
        (
            "loggers/hub/loggerInformation.json".to_owned(),
            info(r#""loggerType":"azureMonitor","isBuffered":true"#),
        ),
        (
            "diagnostics/azuremonitor/diagnosticInformation.json".to_owned(),
            info(r#""loggerId":"/loggers/hub","largeLanguageModel":{"logs":"enabled"}"#),
        ),
        (
            format!("{version_sets}/set/versionSetInformation.json"),
            info(r#""displayName":"Before","versioningScheme":"Segment""#),
        ),
        ("groups/team/groupInformation.json".to_owned(), info(r#""displayName":"Before""#)),
        (
            "subscriptions/key/subscriptionInformation.json".to_owned(),
            info(r#""scope":"/products/gold","state":"active""#),
        ),
        (
            "products/gold/productInformation.json".to_owned(),
            info(r#""displayName":"Before","subscriptionRequired":true,"state":"published""#),
        ),
        ("products/gold/policy.xml".to_owned(), document.to_owned()),
        (format!("{fragments}/f/policyFragmentInformation.json"), info("")),
        (format!("{fragments}/f/policy.xml"), "<fragment><!-- before --></fragment>".to_owned()),
        (
            "apis/chat/apiInformation.json".to_owned(),
            info(r#""displayName":"Before","path":"chat","protocols":["http","https"]"#),
        ),
        ("apis/chat/specification.yaml".to_owned(), SPECIFICATION.to_owned()),
        ("apis/chat/policy.xml".to_owned(), document.to_owned()),
        ("apis/chat/operations/one/policy.xml".to_owned(), document.to_owned()),
        (
            "apis/chat/diagnostics/azuremonitor/diagnosticInformation.json".to_owned(),
            info(r#""loggerId":"/loggers/hub","largeLanguageModel":{"logs":"enabled"}"#),
        ),
        ("workspaces/w/workspaceInformation.json".to_owned(), info(r#""displayName":"W""#)),
        (
            format!("workspaces/w/{named_values}/inner/namedValueInformation.json"),
            info(r#""displayName":"inner","value":"before""#),
        ),
        (
            "workspaces/w/products/inner/productInformation.json".to_owned(),
            info(r#""displayName":"Before","subscriptionRequired":true"#),
        ),
        (
            "workspaces/w/subscriptions/inner/subscriptionInformation.json".to_owned(),
            info(r#""scope":"/products/inner","state":"active""#),
        ),
        ("configuration.prod.yaml".to_owned(), OVERRIDES.to_owned()),
    ];
    let links = match layout.has_link_folders {
        true => [
            ("products/gold/apis/chat/productApiInformation.json", info(r#""apiId":"/apis/chat""#)),
            (
                "products/gold/groups/team/productGroupInformation.json",
                info(r#""groupId":"/groups/team""#),
            ),
        ],
        false => [
            ("products/gold/apis.json", r#"[{"name":"chat"}]"#.to_owned()),
            ("products/gold/groups.json", r#"[{"name":"team"}]"#.to_owned()),
        ],
    };
    files.extend(links.map(|(name, text)| (name.to_owned(), text)));
    Source::from_files(files)
}

/// What an override can change, in words.
fn told(entities: &Entities) -> Vec<String> {
    let mut told = Vec::new();
    let mut of = |prefix: &str, it: &Entities| {
        let mut add = |text: String| told.push(format!("{prefix}{text}"));
        for it in &it.named_values {
            let value = match &it.value {
                Some(portcullis_config::SecretSource::Text(text)) => text.expose().to_owned(),
                other => format!("{other:?}"),
            };
            add(format!("named value {}: {value}", it.display_name));
        }
        it.backends.iter().for_each(|it| add(format!("backend {}: {}", it.id, it.url.text)));
        it.loggers.iter().for_each(|it| add(format!("logger {}: {}", it.id, it.is_buffered)));
        it.diagnostics.iter().for_each(|it| add(format!("diagnostic {}: {:?}", it.id, it.logger)));
        for it in &it.version_sets {
            add(format!("version set {}: {}, {:?}", it.id, it.display_name, it.scheme));
        }
        it.groups.iter().for_each(|it| add(format!("group {}: {}", it.id, it.display_name)));
        it.subscriptions.iter().for_each(|it| add(format!("key {}: {:?}", it.id, it.state)));
        for it in &it.products {
            let (apis, groups) = (&it.apis, &it.groups);
            let names: Vec<&str> = apis.iter().chain(groups).map(|it| it.name.as_str()).collect();
            let policy = it.policy.as_ref().map(|it| &*it.text);
            let (name, is_closed) = (&it.display_name, it.subscription_required);
            add(format!("product {}: {name}, {is_closed}, {names:?}, {policy:?}", it.id));
        }
        it.fragments.iter().for_each(|it| add(format!("fragment {}: {}", it.name, it.text)));
        it.policy.iter().for_each(|it| add(format!("policy: {}", it.text)));
        for it in &it.apis {
            let policy = it.policy.as_ref().map(|it| &*it.text);
            add(format!("API {}: {}, {:?}, {policy:?}", it.id, it.display_name, it.protocols));
            for it in &it.diagnostics {
                add(format!("its diagnostic {}: {:?}", it.id, it.logger));
            }
            for it in &it.operations {
                let policy = it.policy.as_ref().map(|it| &*it.text);
                add(format!("its operation {}: {}, {policy:?}", it.id, it.display_name));
            }
        }
    };
    of("", entities);
    entities.workspaces.iter().for_each(|it| of(&format!("{}: ", it.id), &it.entities));
    told
}

fn read(layout: &Layout, environment_name: Option<&str>) -> Vec<String> {
    let mut environment = Environment::default();
    environment.set("HOST", "after");
    let environment_name = environment_name.map(str::to_owned);
    let options = Options { environment_name, environment, ..Options::default() };
    let (parsed, problems) = parse(&source(layout), &options);
    let problems: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(problems, [""; 0], "{}", layout.name);
    told(&parsed.entities)
}

#[test]
fn the_layouts_of_all_tools_give_the_same_service() {
    let expected = [
        "named value host: before",
        "backend main: https://before.test",
        "logger hub: true",
        r#"diagnostic azuremonitor: Some("hub")"#,
        "version set set: Before, Segment",
        "group team: Before",
        "key key: Active",
        r#"product gold: Before, true, ["chat", "team"], Some("<policies><!-- before --></policies>")"#,
        "fragment f: <fragment><!-- before --></fragment>",
        "policy: <policies><!-- before --></policies>",
        r#"API chat: Before, ["http", "https"], Some("<policies><!-- before --></policies>")"#,
        r#"its diagnostic azuremonitor: Some("hub")"#,
        r#"its operation one: one, Some("<policies><!-- before --></policies>")"#,
        "w: named value inner: before",
        "w: key inner: Active",
        "w: product inner: Before, true, [], None",
    ];
    for layout in &LAYOUTS {
        assert_eq!(read(layout, None), expected, "{}", layout.name);
    }
}

#[test]
fn an_override_file_changes_every_kind_in_every_layout() {
    let expected = [
        "named value host: after",
        "backend main: https://after.test",
        "logger hub: false",
        r#"diagnostic azuremonitor: Some("after")"#,
        r#"version set set: After, Query("v")"#,
        "group team: After",
        "key key: Inactive",
        r#"product gold: After, false, ["chat", "team"], Some("<policies><!-- after --></policies>")"#,
        "fragment f: <fragment><!-- after --></fragment>",
        "policy: <policies><!-- after --></policies>",
        r#"API chat: After, ["https"], Some("<policies><!-- after --></policies>")"#,
        r#"its diagnostic azuremonitor: Some("after")"#,
        r#"its operation one: After, Some("<policies><!-- after --></policies>")"#,
        "w: named value inner: after",
        "w: key inner: Inactive",
        "w: product inner: After, true, [], None",
    ];
    for layout in &LAYOUTS {
        assert_eq!(read(layout, Some("prod")), expected, "{}", layout.name);
    }
}
