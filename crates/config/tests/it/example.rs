//! The shipped example loads, in the form of a folder and with its overrides.

use std::path::Path;

use pipeline::{Extensions, Registry};
use portcullis_config::{Engine, Environment, Loaded, NoSecrets, Options, Secrets, Source, load};

async fn read(options: &Options) -> Loaded {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guide");
    let (source, problems) = Source::read(&folder);
    assert!(problems.is_empty(), "{problems:?}");
    let engine = Engine { registry: &Registry::default(), extensions: &Extensions::default() };
    load(&source, options, &NoSecrets, engine).await
}

/// Problems but those of policies: this crate knows none.
fn told(loaded: &Loaded) -> Vec<String> {
    let about_policies = |code: &str| code.starts_with("PC03") || code.starts_with("PC04");
    let rest = loaded.diagnostics.iter().filter(|it| !about_policies(it.code.as_str()));
    rest.map(|it| format!("{} {}", it.code, it.message)).collect()
}

#[tokio::test]
async fn the_example_has_no_problem_but_keys_that_are_not_given() {
    let loaded = read(&Options { secrets: Secrets::Assume, ..Options::default() }).await;
    assert_eq!(told(&loaded), ["PC0519 subscription `local` has no keys: no request can use it"]);
    assert_eq!((loaded.summary.n_apis, loaded.summary.n_policies), (4, 4));
    assert!(loaded.summary.n_operations >= 4);
}

#[tokio::test]
async fn its_override_file_reads_tokens_from_the_environment() {
    let environment: Environment = [
        ("AZURE_TENANT_ID", "t"),
        ("CLIENT_APP_ID", "c"),
        ("OPENAI_KEY_SECRET", "https://v.vault.azure.net/secrets/k"),
        ("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com"),
    ]
    .into_iter()
    .collect();
    let options = Options {
        environment,
        environment_name: Some("azure".to_owned()),
        keys: vec![("local".to_owned(), "k".into())],
        secrets: Secrets::Assume,
        ..Options::default()
    };
    assert_eq!(told(&read(&options).await), [""; 0]);

    let without = Options { environment: Environment::default(), ..options };
    let told = told(&read(&without).await);
    assert!(told.iter().any(|it| it.starts_with("PC0513 environment variable `AZURE_TENANT_ID`")));
}
