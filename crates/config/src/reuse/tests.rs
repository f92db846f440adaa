//! What is compiled again, and what is not.

use std::sync::atomic::{AtomicUsize, Ordering};

use pipeline::{
    Attr, Computed, Context, Flow, Immediate, PolicyError, PolicyKind, Scopes, Sections, Step,
};

use super::*;
use crate::load::{Loaded, load};
use crate::secret_source::NoSecrets;
use crate::snapshot::Snapshot;

const NAME: Attr = Attr::required("name").expressions();

/// `<mark name="x" />`; `<warn />` has a warning; `<ready />` prepares itself for operations.
static KINDS: [PolicyKind; 3] = [
    PolicyKind {
        name: "mark",
        summary: "Does nothing.",
        sections: Sections::ALL,
        scopes: Scopes::ALL,
        attrs: &[NAME],
        children: &[],
        compile: |element, cx| Ok(Step::immediate(Mark(Some(cx.attr(element, &NAME)?)))),
    },
    PolicyKind {
        name: "warn",
        summary: "Has a warning.",
        sections: Sections::ALL,
        scopes: Scopes::ALL,
        attrs: &[],
        children: &[],
        compile: |element, cx| {
            cx.report(Diagnostic::warning(crate::codes::NO_EFFECT, element.span(), "beware"));
            Ok(Step::immediate(Mark(None)))
        },
    },
    PolicyKind {
        name: "ready",
        summary: "Knows its operations.",
        sections: Sections::ALL,
        scopes: Scopes::ALL,
        attrs: &[],
        children: &[],
        compile: |_, cx| {
            cx.prepare(|_| Vec::new());
            Ok(Step::immediate(Mark(None)))
        },
    },
];

#[derive(Debug)]
#[expect(dead_code, reason = "it is compiled, not run")]
struct Mark(Option<Computed<String>>);

impl Immediate for Mark {
    fn apply(&self, _: &mut Context) -> Result<Flow, PolicyError> {
        Ok(Flow::Next)
    }
}

/// Loads one configuration after the other, as a store does.
struct Loads {
    options: Options,
    registry: Registry,
    extensions: Extensions,
}

impl Loads {
    fn new() -> Self {
        let registry = Registry::new(&KINDS);
        Self { options: Options::default(), registry, extensions: Extensions::default() }
    }

    async fn load(&self, files: &[(String, String)]) -> Loaded {
        self.load_with(&Source::from_files(files.to_vec()), &NoSecrets).await
    }

    async fn load_with(&self, source: &Source, secrets: &dyn SecretProvider) -> Loaded {
        let engine = Engine { registry: &self.registry, extensions: &self.extensions };
        load(source, &self.options, secrets, engine).await
    }
}

fn document(policies: &str) -> String {
    format!("<policies><inbound><base />{policies}</inbound></policies>")
}

/// Two APIs, `a` with a document at one of two operations, and a global document.
fn files() -> Vec<(String, String)> {
    let spec = "openapi: 3.0.1\npaths: { /x: { get: { operationId: one } }, /y: { get: { operationId: two } } }\n";
    let mark = |name: &str| document(&format!("<mark name='{name}' />"));
    [
        ("policy.xml", "<policies><inbound><mark name='{{n}}' /></inbound></policies>".to_owned()),
        (
            "named values/n/namedValueInformation.json",
            r#"{"properties":{"displayName":"n","value":"v"}}"#.to_owned(),
        ),
        ("policy fragments/f/policy.xml", "<fragment><mark name='f' /></fragment>".to_owned()),
        ("apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#.to_owned()),
        ("apis/a/specification.yaml", spec.to_owned()),
        ("apis/a/policy.xml", mark("@(1 + 1 + &quot;&quot;)")),
        ("apis/a/operations/one/policy.xml", mark("one")),
        ("apis/b/apiInformation.json", r#"{"properties":{"path":"b"}}"#.to_owned()),
        ("apis/b/specification.yaml", spec.to_owned()),
        ("apis/b/policy.xml", mark("b")),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .to_vec()
}

fn changed(name: &str, text: &str) -> Vec<(String, String)> {
    let mut files = files();
    let file = files.iter_mut().find(|it| it.0 == name).unwrap();
    text.clone_into(&mut file.1);
    files
}

/// Which effective policies are the very same steps in both: the global one, those of APIs and of
/// operations.
fn same(one: &Snapshot, other: &Snapshot) -> String {
    let of = |it: &Snapshot| {
        let mut all = vec![("global".to_owned(), it.global.clone())];
        for api in &it.apis {
            all.push((api.info.id.clone(), api.pipeline.clone()));
            let operations = api.operations.iter();
            all.extend(operations.map(|it| (it.operation.info.id.clone(), it.pipeline.clone())));
        }
        all
    };
    let (one, other) = (of(one), of(other));
    assert_eq!(one.len(), other.len());
    let same = one.iter().zip(&other).filter(|(a, b)| a.1.is_same(&b.1));
    same.map(|it| it.0.0.as_str()).collect::<Vec<_>>().join(" ")
}

const ALL: &str = "global a one two b one two";

#[tokio::test]
async fn documents_are_compiled_again_when_they_change_and_when_anything_else_does() {
    let mark = document("<mark name='other' />");
    let broader = "<policies><inbound><mark name='other' /></inbound></policies>";
    let cases = [
        ("apis/a/operations/one/policy.xml", mark.as_str(), "global a two b one two"),
        ("apis/a/policy.xml", &mark, "global b one two"),
        ("policy.xml", broader, ""),
        (
            "named values/n/namedValueInformation.json",
            r#"{"properties":{"displayName":"n","value":"w"}}"#,
            "",
        ),
        ("policy fragments/f/policy.xml", "<fragment><mark name='g' /></fragment>", ""),
        ("apis/b/apiInformation.json", r#"{"properties":{"path":"c"}}"#, ""),
    ];
    for (name, text, expected) in cases {
        let loads = Loads::new();
        let first = loads.load(&files()).await;
        let again = loads.load(&files()).await;
        let changed = loads.load(&changed(name, text)).await;
        for it in [&first, &again, &changed] {
            assert!(it.diagnostics.is_empty(), "{:?}", it.diagnostics);
        }
        assert_eq!(again.summary, first.summary);
        let [first, again, changed] = [first, again, changed].map(|it| it.snapshot.unwrap());
        assert_eq!(same(&first, &again), ALL, "nothing changed");
        assert_eq!(same(&first, &changed), expected, "{name}");
        let back = loads.load(&files()).await.snapshot.unwrap();
        assert_eq!(same(&changed, &back), expected, "{name}, undone");
    }
}

#[tokio::test]
async fn what_surrounds_a_configuration_counts_too() {
    let mut loads = Loads::new();
    let first = loads.load(&files()).await.snapshot.unwrap();
    loads.options.environment.set("PORTCULLIS_NAMED_VALUE_N", "w");
    let second = loads.load(&files()).await.snapshot.unwrap();
    assert_eq!(same(&first, &second), "");
    loads.options.named_values.push(("n".to_owned(), "x".into()));
    let third = loads.load(&files()).await.snapshot.unwrap();
    assert_eq!(same(&second, &third), "");
    loads.extensions.insert(Arc::new(1_u8));
    let fourth = loads.load(&files()).await.snapshot.unwrap();
    assert_eq!(same(&third, &fourth), "");
    static OTHER: [PolicyKind; 1] = [PolicyKind { summary: "Another.", ..KINDS[0] }];
    loads.registry = Registry::new(&OTHER);
    let fifth = loads.load(&files()).await.snapshot.unwrap();
    assert_eq!(same(&fourth, &fifth), "");
    assert_eq!(same(&fifth, &loads.load(&files()).await.snapshot.unwrap()), ALL);
}

/// Answers with a count that a test raises.
#[derive(Debug, Default)]
struct Vault(AtomicUsize);

impl SecretProvider for Vault {
    fn secret<'a>(
        &'a self,
        _: &'a Url,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Secret, String>> {
        let n = self.0.load(Ordering::SeqCst);
        Box::pin(async move { Ok(format!("s{n}").into()) })
    }
}

#[tokio::test]
async fn secrets_of_files_and_of_key_vault_are_compared() {
    let folder = std::env::temp_dir().join(format!("portcullis-reuse-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let secret = folder.join("secret");
    std::fs::write(&secret, "one").unwrap();
    let mut files = files();
    files.retain(|it| !it.0.starts_with("named values"));
    let settings = "named-values: { n: { keyvault: 'https://v.vault.azure.net/secrets/n' }, m: { file: secret } }\n";
    files.push(("portcullis.yaml".to_owned(), settings.to_owned()));
    let source = Source::from_files(files).in_folder(folder.clone());
    let (loads, vault) = (Loads::new(), Vault::default());
    let mut last = loads.load_with(&source, &vault).await.snapshot.unwrap();
    let mut found = Vec::new();
    for step in 0..5 {
        match step {
            1 => _ = vault.0.fetch_add(1, Ordering::SeqCst),
            3 => std::fs::write(&secret, [0xFF]).unwrap(),
            _ => {}
        }
        let next = loads.load_with(&source, &vault).await.snapshot.unwrap();
        found.push(same(&last, &next));
        last = next;
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(found, [ALL, "", ALL, "", ALL]);
}

#[tokio::test]
async fn warnings_are_told_each_time_and_errors_are_found_again() {
    let loads = Loads::new();
    let warns = changed("apis/a/policy.xml", &document("<warn />"));
    let told = |it: &Loaded| -> Vec<String> {
        it.diagnostics.iter().map(|it| format!("{:?} {}", it.file, it.message)).collect()
    };
    let first = loads.load(&warns).await;
    assert_eq!(told(&first), [r#"Some("apis/a/policy.xml") beware"#]);
    let again = loads.load(&warns).await;
    assert_eq!((told(&again), again.summary), (told(&first), first.summary));
    assert_eq!(same(first.snapshot.as_ref().unwrap(), again.snapshot.as_ref().unwrap()), ALL);
    let broken = changed("apis/a/policy.xml", &document("<marc />"));
    for _ in 0..2 {
        let loaded = loads.load(&broken).await;
        assert!(loaded.snapshot.is_none());
        assert_eq!(loaded.counts(), (1, 0), "{:?}", loaded.diagnostics);
    }
    let mended = loads.load(&warns).await;
    assert_eq!((told(&mended), mended.counts()), (told(&first), (0, 1)));
}

#[tokio::test]
async fn what_knows_its_operations_is_compiled_each_time() {
    let loads = Loads::new();
    let files = changed("apis/a/operations/one/policy.xml", &document("<ready />"));
    let first = loads.load(&files).await.snapshot.unwrap();
    let again = loads.load(&files).await.snapshot.unwrap();
    assert_eq!(same(&first, &again), "global a two b one two");
}

#[tokio::test]
async fn one_document_at_two_places_is_two() {
    let loads = Loads::new();
    let settings = |text: &str| {
        let spec = files().remove(4).1;
        let apis = "apis: { a: { path: a, spec: s.yaml, operations: { one: { policy: p.xml }, two: { policy: p.xml } } } }\n";
        let files =
            [("portcullis.yaml", apis.to_owned()), ("s.yaml", spec), ("p.xml", document(text))];
        files.map(|(name, text)| (name.to_owned(), text)).to_vec()
    };
    let first = loads.load(&settings("<mark name='a' />")).await;
    assert!(first.diagnostics.is_empty(), "{:?}", first.diagnostics);
    let first = first.snapshot.unwrap();
    let of = |it: &Snapshot, at: usize| it.apis[0].operations[at].pipeline.clone();
    assert!(!of(&first, 0).is_same(&of(&first, 1)));
    let again = loads.load(&settings("<mark name='a' />")).await.snapshot.unwrap();
    assert_eq!(same(&first, &again), "global a one two");
    let other = loads.load(&settings("<mark name='b' />")).await.snapshot.unwrap();
    assert_eq!(same(&again, &other), "global a");
}
