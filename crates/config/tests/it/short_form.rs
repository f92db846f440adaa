//! Products, version sets, groups, users and keys as `portcullis.yaml` writes them.

use pipeline::{Extensions, Registry};
use portcullis_config::{
    Engine, Entities, Environment, Loaded, NoSecrets, Options, Source, VersionScheme, load, parse,
};

const SPECIFICATION: &str = "openapi: 3.0.1\ninfo: { title: t, version: '1' }\npaths: { /x: { get: { operationId: one, responses: {} } } }\n";

fn source(settings: &str) -> Source {
    Source::from_files([
        ("portcullis.yaml", settings),
        ("s.yaml", SPECIFICATION),
        ("p.xml", "<policies />"),
    ])
}

fn read(settings: &str) -> (Entities, Vec<String>) {
    let (parsed, problems) = parse(&source(settings), &Options::default());
    let told = problems.iter().map(|it| format!("{} {}", it.code, it.message)).collect();
    (parsed.entities, told)
}

async fn loaded(source: &Source, variables: &[(&str, &str)]) -> Loaded {
    let environment: Environment = variables.iter().copied().collect();
    let engine = Engine { registry: &Registry::default(), extensions: &Extensions::default() };
    load(source, &Options { environment, ..Options::default() }, &NoSecrets, engine).await
}

#[test]
fn a_product_is_closed_and_published_unless_it_says_otherwise() {
    let (it, problems) = read(
        "apis: { chat: { spec: s.yaml } }\ngroups: { partners: Partners }\n\
         products:\n  starter: { name: Starter, apis: [chat], groups: [partners], policy: p.xml }\n  \
         status: { apis: [chat], key: false }\n",
    );
    assert_eq!(problems, [""; 0]);
    let [starter, status] = it.products.as_slice() else { panic!("{:?}", it.products) };
    assert_eq!((starter.id.as_str(), starter.display_name.as_str()), ("starter", "Starter"));
    assert_eq!(
        (starter.apis[0].name.as_str(), starter.groups[0].name.as_str()),
        ("chat", "partners")
    );
    assert!(starter.subscription_required && starter.is_published && starter.policy.is_some());
    assert_eq!(status.display_name, "status");
    assert!(!status.subscription_required && status.policy.is_none());
}

#[test]
fn a_version_set_names_its_place_in_one_word() {
    let (it, problems) = read(
        "version-sets: { orders: { header: Api-Version }, stock: { query: v }, books: path }\n\
         apis: { orders-2: { spec: s.yaml, version-set: orders, version: v2 } }\n",
    );
    assert_eq!(problems, [""; 0]);
    let schemes: Vec<_> = it.version_sets.iter().map(|it| (it.id.as_str(), &it.scheme)).collect();
    assert_eq!(schemes.len(), 3);
    for (id, scheme) in schemes {
        match id {
            "orders" => assert_eq!(format!("{scheme:?}"), r#"Header("api-version")"#),
            "stock" => assert_eq!(format!("{scheme:?}"), r#"Query("v")"#),
            _ => assert_eq!(*scheme, VersionScheme::Segment),
        }
    }
}

#[test]
fn mistakes_are_told_with_their_names() {
    for (settings, expected) in [
        ("products: { p: { apis: [], kay: false } }\n", "PC0503 unknown key `kay`"),
        ("products: { p: { policy: none.xml } }\n", "PC0501 file `none.xml` does not exist"),
        (
            "version-sets: { s: { header: 'a b' } }\n",
            "PC0506 version set `s`: `a b` is no header name",
        ),
        (
            "version-sets: { s: place }\n",
            "PC0506 version set `s` says not where the version is named",
        ),
    ] {
        assert_eq!(read(settings).1, [expected], "{settings}");
    }
}

#[tokio::test]
async fn keys_of_products_users_and_workspaces_come_from_variables() {
    let settings = "apis: { chat: { spec: s.yaml } }\nproducts: { starter: { apis: [chat] } }\n\
                    users: { ann: { email: ann@example.com } }\n\
                    keys:\n  ann: { scope: products/starter, user: ann, env: ANN }\n  w/inner: { env: INNER }\n";
    let mut source = source(settings);
    let info = |properties: &str| format!(r#"{{"properties":{properties}}}"#);
    source.insert("workspaces/w/workspaceInformation.json", info(r#"{"displayName":"W"}"#));
    source.insert(
        "workspaces/w/products/p/productInformation.json",
        info(r#"{"displayName":"P","state":"published"}"#),
    );
    source.insert(
        "workspaces/w/subscriptions/inner/subscriptionInformation.json",
        info(r#"{"scope":"/products/p","state":"active"}"#),
    );
    let variables = [("ANN", "key-of-ann"), ("INNER", "key-of-inner")];
    let loaded = loaded(&source, &variables).await;
    let told: Vec<_> = loaded.diagnostics.iter().map(|it| it.message.as_str()).collect();
    let snapshot = loaded.snapshot.unwrap_or_else(|| panic!("{told:?}"));
    let shown = |it: &portcullis_config::Subscription| {
        let key = it.keys.first().map_or("none", |it| it.expose()).to_owned();
        (it.info.id.clone(), key, format!("{:?}", it.scope))
    };
    let mut keys: Vec<_> = snapshot.subscriptions.iter().map(shown).collect();
    keys.sort();
    // The products of workspaces stand behind those of the service.
    let expected = [("ann", "key-of-ann", "Product(0)"), ("inner", "key-of-inner", "Product(1)")];
    let expected = expected.map(|(id, key, scope)| (id.into(), key.into(), scope.into()));
    assert_eq!(keys, expected);
}
