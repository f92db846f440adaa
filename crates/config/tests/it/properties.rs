//! Arbitrary files: loading never panics, and no secret comes out of it.

use document::render::{Colours, human, json};
use pipeline::{Extensions, Registry};
use portcullis_config::{Engine, Environment, NoSecrets, Options, Source, load};
use proptest::prelude::*;

const NAMES: &[&str] = &[
    "portcullis.yaml",
    "configuration.dev.yaml",
    "policy.xml",
    "apis/a/apiInformation.json",
    "apis/a/specification.yaml",
    "apis/a/operations/o/policy.xml",
    "named values/n/namedValueInformation.json",
    "backends/b/backendInformation.json",
    "subscriptions/s/subscriptionInformation.json",
    "policy fragments/f/policy.xml",
];

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "'",
    "\n",
    "  ",
    "- ",
    "properties",
    "\"properties\":{",
    "value",
    "\"value\":\"",
    "path",
    "keys",
    "env",
    "named-values",
    "apis",
    "backends",
    "url",
    "https://x.test",
    "{{n}}",
    "{#[T]#}",
    "@(",
    ")",
    "<policies>",
    "<inbound>",
    "</inbound>",
    "</policies>",
    "openapi: 3.0.1",
    "paths:",
    "/a",
    "get",
    "$ref",
    "#/x",
    "true",
    "null",
    "1",
    "&a",
    "*a",
    "|",
    "\u{e9}",
];

fn file() -> impl Strategy<Value = (&'static str, String)> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..30);
    (prop::sample::select(NAMES), pieces.prop_map(|it| it.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn loading_never_panics_and_shows_no_token(files in prop::collection::vec(file(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let environment: Environment = [("T", "hunter2")].into_iter().collect();
        let options = Options {
            environment,
            environment_name: Some("dev".to_owned()),
            ..Options::default()
        };
        let engine = Engine {
            registry: &Registry::default(),
            extensions: &Extensions::default(),
        };
        let loaded = runtime.block_on(load(&Source::from_files(files), &options, &NoSecrets, engine));
        for it in &loaded.diagnostics {
            let shown = human(it, &loaded.sources, Colours::Off) + &json(it, &loaded.sources);
            prop_assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
