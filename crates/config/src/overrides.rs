//! `configuration.<env>.yaml`: what differs per environment, and tokens in it.
//!
//! Tokens are written `{#[NAME]#}` or `{#NAME#}`. They are put in before the YAML is read, as the pipelines of the tools do it. A token's text
//! may be a secret, so these files' lines are never shown.
//!
//! Source: <https://github.com/Azure/apiops>

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use document::{Diagnostic, Severity, Span};
use transport::Secret;

use crate::codes;
use crate::environment::Environment;
use crate::hidden::Hidden;
use crate::layout::normalise;
use crate::place::Place;
use crate::source::Source;
use crate::tree::{Node, Tree};

/// The overrides of one environment.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    tree: Option<Tree>,
    /// Names of entries that matched, as `section/name`.
    used: RefCell<Vec<String>>,
    /// The tokens that were put in, with their texts.
    tokens: Hidden,
}

/// The name of the override file of an environment.
pub(crate) fn file_of(source: &Source, environment: &str) -> Option<Arc<str>> {
    let names =
        [format!("configuration.{environment}.yaml"), format!("configuration.{environment}.yml")];
    source
        .files()
        .map(|(name, _)| name)
        .find(|it| names.iter().any(|name| ***it == **name))
        .cloned()
}

impl Overrides {
    /// Reads the file and puts tokens in.
    pub(crate) fn read(
        file: &Arc<str>,
        text: &str,
        environment: &Environment,
    ) -> (Self, Vec<Diagnostic>) {
        let mut tokens = Hidden::default();
        let (text, mut problems) = put_tokens(file, text, environment, &mut tokens);
        match Tree::parse(file, &text) {
            Ok(tree) => (Self { tree: Some(tree), used: RefCell::default(), tokens }, problems),
            Err(problem) => {
                // A token may have broken the syntax; its text must not be told.
                let mut problem = problem;
                if matches!(text, Cow::Owned(_)) {
                    problem.message = "not valid YAML after tokens were put in".to_owned();
                }
                problems.push(problem);
                (Self::default(), problems)
            }
        }
    }

    /// Merges what the file says of an entity into its information.
    pub(crate) fn apply(&self, section: &str, name: &str, info: &mut Tree) {
        let Some(root) = &self.tree else { return };
        self.apply_in(root, section, name, info);
    }

    /// The same for an operation of an API.
    pub(crate) fn apply_operation(&self, api: &str, operation: &str, info: &mut Tree) {
        self.apply_below_api(api, "operations", operation, info);
    }

    /// The same for another entity below an API.
    pub(crate) fn apply_below_api(&self, api: &str, section: &str, name: &str, info: &mut Tree) {
        let Some(api) = self.tree.as_ref().and_then(|it| entry(it, "apis", api)) else { return };
        self.apply_in(api, section, name, info);
    }

    fn apply_in(&self, root: &Tree, section: &str, name: &str, info: &mut Tree) {
        let Some(found) = entry(root, section, name) else { return };
        self.used.borrow_mut().push(format!("{section}/{}", name.to_lowercase()));
        let Some(properties) = found.get("properties") else { return };
        // A value and a Key Vault reference exclude each other: the override's counts.
        if let Node::Map(entries) = &mut info.node
            && let Some(own) = entries.iter_mut().find(|it| it.key == "properties")
            && let Node::Map(own) = &mut own.value.node
        {
            let excluded = |key: &str| match key {
                "value" => properties.get("keyVault").is_some(),
                "keyVault" => properties.get("value").is_some(),
                _ => false,
            };
            own.retain(|it| !excluded(&it.key));
        }
        let mut patch = found.clone();
        if let Node::Map(entries) = &mut patch.node {
            entries.retain(|it| it.key == "properties");
        }
        info.merge(&patch);
    }

    /// The tokens that were put in.
    pub(crate) fn tokens(&self) -> &Hidden {
        &self.tokens
    }

    /// The text that replaces the policy document of the global scope, of an API or of an
    /// operation, if the file gives one.
    pub(crate) fn policy(&self, api: Option<&str>, operation: Option<&str>) -> Option<&Tree> {
        let mut scope = self.tree.as_ref()?;
        if let Some(api) = api {
            scope = entry(scope, "apis", api)?;
        }
        if let Some(operation) = operation {
            scope = entry(scope, "operations", operation)?;
        }
        entry(scope, "policies", "policy")?.at(&["properties", "value"])
    }

    /// The text that replaces the document of a resolver of an API, if the file gives one.
    pub(crate) fn resolver(&self, api: &str, name: &str) -> Option<&Tree> {
        let api = entry(self.tree.as_ref()?, "apis", api)?;
        let found = entry(api, "resolvers", name)?;
        entry(found, "policies", "policy")?.at(&["properties", "value"])
    }

    /// The text that replaces the policy document of an entity of another section, if the file
    /// gives one.
    pub(crate) fn policy_of(&self, section: &str, name: &str) -> Option<&Tree> {
        let found = entry(self.tree.as_ref()?, section, name)?;
        entry(found, "policies", "policy")?.at(&["properties", "value"])
    }

    /// What the file says of the entities of a workspace.
    pub(crate) fn of_workspace(&self, name: &str) -> Overrides {
        let found = self.tree.as_ref().and_then(|it| entry(it, "workspaces", name));
        if found.is_some() {
            self.used.borrow_mut().push(format!("workspaces/{}", name.to_lowercase()));
        }
        let own = |it: &Tree| {
            let mut tree = it.clone();
            if let Node::Map(entries) = &mut tree.node {
                entries.retain(|it| it.key != "name" && it.key != "properties");
            }
            tree
        };
        Overrides { tree: found.map(own), ..Self::default() }
    }

    /// The text that replaces a policy fragment, if the file gives one.
    pub(crate) fn fragment(&self, name: &str) -> Option<&Tree> {
        let found = entry(self.tree.as_ref()?, "policyfragments", name)?;
        self.used.borrow_mut().push(format!("policyfragments/{}", name.to_lowercase()));
        found.at(&["properties", "value"])
    }

    /// Entries that matched nothing, as notes; sections that mean nothing, as warnings.
    pub(crate) fn unused(&self) -> Vec<Diagnostic> {
        let Some(root) = &self.tree else { return Vec::new() };
        let used = self.used.borrow();
        let mut problems = Vec::new();
        for section in root.entries() {
            let place = Place { file: section.value.file.clone(), span: section.key_span };
            let kind = normalise(&section.key);
            if !SECTIONS.contains(&kind.as_str()) {
                let message = format!("unknown section `{}`", section.key);
                problems.push(place.warning(codes::NO_EFFECT, message));
                continue;
            }
            for item in section.value.items() {
                let name = item.get("name").and_then(Tree::scalar).unwrap_or("").to_lowercase();
                if READ.contains(&kind.as_str()) && !used.contains(&format!("{kind}/{name}")) {
                    let message =
                        format!("`{}` has no `{name}`: the override has no effect", section.key);
                    problems.push(Place::from(item).problem(
                        Severity::Note,
                        codes::NO_EFFECT,
                        message,
                    ));
                }
            }
        }
        problems
    }
}

/// Sections that are read, so that an entry that matches nothing is told.
const READ: &[&str] = &[
    "apis",
    "backends",
    "diagnostics",
    "gateways",
    "groups",
    "loggers",
    "namedvalues",
    "policyfragments",
    "products",
    "subscriptions",
    "versionsets",
    "workspaces",
];

/// Sections that the tools know, normalised.
const SECTIONS: &[&str] = &[
    "apimservicename",
    "apis",
    "backends",
    "diagnostics",
    "gateways",
    "groups",
    "loggers",
    "namedvalues",
    "policies",
    "policyfragments",
    "products",
    "servicename",
    "subscriptions",
    "tags",
    "versionsets",
    "workspaces",
];

/// The entry `name` of the list `section`; both compare without case.
fn entry<'t>(root: &'t Tree, section: &str, name: &str) -> Option<&'t Tree> {
    let sections = root.entries().iter().filter(|it| normalise(&it.key) == section);
    let mut items = sections.flat_map(|it| it.value.items());
    items.find(|it| {
        let own = it.get("name").and_then(Tree::scalar);
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
}

/// Replaces `{#[NAME]#}` and `{#NAME#}` by the variable `NAME`.
fn put_tokens<'t>(
    file: &Arc<str>,
    text: &'t str,
    environment: &Environment,
    tokens: &mut Hidden,
) -> (Cow<'t, str>, Vec<Diagnostic>) {
    let mut out = String::new();
    let mut problems = Vec::new();
    let (mut from, mut look) = (0, 0);
    while let Some(at) = text.get(look..).and_then(|it| it.find("{#")).map(|it| look + it) {
        let Some((name, end)) = token(text, at) else {
            look = at + "{#".len();
            continue;
        };
        out.push_str(text.get(from..at).unwrap_or(""));
        (from, look) = (end, end);
        match environment.get(name) {
            Some(value) => {
                out.push_str(value);
                tokens.add(format!("{{#{name}#}}"), Secret::new(value));
            }
            None => {
                let message = format!("environment variable `{name}` of the token is not set");
                problems.push(
                    Diagnostic::error(codes::TOKEN_NOT_SET, Span::new(at, end), message)
                        .in_file(file.clone()),
                );
            }
        }
    }
    if from == 0 {
        return (Cow::Borrowed(text), problems);
    }
    out.push_str(text.get(from..).unwrap_or(""));
    (Cow::Owned(out), problems)
}

/// The name of the token at `at`, and where it ends.
fn token(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..)?.strip_prefix("{#")?;
    let (name, rest) = rest.split_once("#}")?;
    let name = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(name).trim();
    let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
    (!name.is_empty() && name.len() <= 256 && name.chars().all(is_name))
        .then(|| (name, text.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::yaml;

    const TEXT: &str = r##"
namedValues:
  - name: Key
    properties: { value: "{#[SECRET]#}" }
  - name: nobody
    properties: { value: x }
apis:
  - name: chat
    properties: { serviceUrl: "https://{#[ HOST ]#}/x", protocols: [https] }
    operations:
      - name: Complete
        properties: { displayName: renamed }
widgets: []
"##;

    fn overrides() -> Overrides {
        let environment = [("SECRET", "s"), ("HOST", "h.test")].into_iter().collect();
        let (overrides, problems) =
            Overrides::read(&"configuration.dev.yaml".into(), TEXT, &environment);
        assert!(problems.is_empty(), "{problems:?}");
        overrides
    }

    #[test]
    fn properties_are_merged_and_lists_replaced() {
        let mut info =
            yaml("properties: { path: chat, protocols: [http, https], serviceUrl: old }");
        overrides().apply("apis", "CHAT", &mut info);
        assert_eq!(
            info.to_json(),
            yaml("properties: { path: chat, protocols: [https], serviceUrl: 'https://h.test/x' }")
                .to_json()
        );
        let mut info = yaml("properties: { displayName: old }");
        overrides().apply_operation("chat", "complete", &mut info);
        assert_eq!(info.at(&["properties", "displayName"]).unwrap().scalar(), Some("renamed"));
    }

    #[test]
    fn a_value_takes_the_place_of_a_vault_reference() {
        let mut info = yaml("properties: { keyVault: { secretIdentifier: x }, secret: true }");
        overrides().apply("namedvalues", "key", &mut info);
        assert_eq!(info.to_json(), yaml("properties: { secret: true, value: s }").to_json());
    }

    #[test]
    fn entries_without_an_entity_are_told() {
        let overrides = overrides();
        overrides.apply("apis", "chat", &mut yaml("properties: {}"));
        overrides.apply("namedvalues", "key", &mut yaml("properties: {}"));
        let told: Vec<String> = overrides.unused().iter().map(|it| it.message.clone()).collect();
        assert_eq!(
            told,
            [
                "`namedValues` has no `nobody`: the override has no effect",
                "unknown section `widgets`"
            ]
        );
    }

    #[test]
    fn a_token_that_is_not_set_is_an_error_with_its_place() {
        let (_, problems) =
            Overrides::read(&"c.yaml".into(), "a: \"{#[NOPE]#}\"\n", &Environment::default());
        assert_eq!((problems[0].code, problems[0].span), (codes::TOKEN_NOT_SET, Span::new(4, 14)));
    }

    #[test]
    fn tokens_have_two_forms_and_comments_are_none() {
        let environment = [("A", "1"), ("b.c", "2")].into_iter().collect();
        let put = |text: &str| {
            put_tokens(&"c".into(), text, &environment, &mut Hidden::default()).0.into_owned()
        };
        assert_eq!(put("{#[A]#}{#b.c#}"), "12");
        for text in ["{# not a name #}x{#", "{#[]#}", "a: b {#"] {
            assert_eq!(put(text), text);
        }
    }

    #[test]
    fn policy_texts_can_be_replaced_at_every_scope() {
        let text = "policies: [{ name: policy, properties: { value: g } }]\napis:\n  - name: a\n    \
                    policies: [{ name: Policy, properties: { value: a } }]\n    operations:\n      - name: o\n        \
                    policies: [{ name: policy, properties: { value: o } }]\n\
                    policyFragments: [{ name: f, properties: { value: f } }]\n";
        let (it, _) = Overrides::read(&"c.yaml".into(), text, &Environment::default());
        let text = |tree: Option<&Tree>| tree.and_then(Tree::scalar).unwrap_or("none").to_owned();
        assert_eq!(text(it.policy(None, None)), "g");
        assert_eq!(text(it.policy(Some("A"), None)), "a");
        assert_eq!(text(it.policy(Some("a"), Some("o"))), "o");
        assert_eq!(text(it.policy(Some("b"), None)), "none");
        assert_eq!(text(it.fragment("F")), "f");
    }

    #[test]
    fn texts_of_tokens_are_taken_out_of_messages() {
        let environment = [("T", "hunter2"), ("S", "abc")].into_iter().collect();
        let (it, _) = Overrides::read(&"c.yaml".into(), "a: \"{#[T]#} {#S#}\"", &environment);
        let mut problem =
            Diagnostic::error(codes::BAD_VALUE, 0..1, "`hunter2` and `abc`").help("x hunter2");
        it.tokens().redact(&mut problem);
        assert_eq!(problem.message, "`{#T#}` and `abc`");
        assert_eq!(problem.help.as_deref(), Some("x {#T#}"));
    }

    #[test]
    fn a_token_that_breaks_the_syntax_is_not_shown() {
        let environment = [("T", "hunter2: [")].into_iter().collect();
        let (_, problems) = Overrides::read(&"c.yaml".into(), "a: {#[T]#}\n", &environment);
        assert!(!problems.is_empty());
        assert!(problems.iter().all(|it| !it.message.contains("hunter2")));
    }
}
