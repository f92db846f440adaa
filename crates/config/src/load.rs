//! From a source to a snapshot, in one call.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use document::render::Sources;
use document::{Diagnostic, Span};
use pipeline::{Extensions, Registry};
use transport::Secret;

use crate::codes;
use crate::compile;
use crate::entity::{Entities, PolicyEntity, Reading, WorkspaceEntity};
use crate::environment::Environment;
use crate::hidden::Hidden;
use crate::layout::Layout;
use crate::overrides::{self, Overrides};
use crate::place::Place;
use crate::remembered::Remembered;
use crate::resolve;
use crate::reuse::{Around, Asking, ReadFiles};
use crate::secret_source::{SecretProvider, SecretSource};
use crate::settings::GatewaySettings;
use crate::single_file;
use crate::snapshot::Snapshot;
use crate::source::{SETTINGS_FILE, Source};
use crate::tree::{Node, Tree};
use crate::versions;

/// What comes from the command line and the environment.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--env`: the override file is `configuration.<env>.yaml`.
    pub environment_name: Option<String>,
    /// Variables of the process.
    pub environment: Environment,
    /// `--set a.b=c`: settings that go over `portcullis.yaml`.
    pub set: Vec<(String, String)>,
    /// `--named-value k=v`: named values that go over all others.
    pub named_values: Vec<(String, Secret)>,
    /// Primary keys of subscriptions that go over all others.
    pub keys: Vec<(String, Secret)>,
    /// Whether secrets are read.
    pub secrets: Secrets,
    /// What loads with clones of these options know of each other.
    pub remembered: Remembered,
}

impl Options {
    /// Whether others say the same, whatever was remembered.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.environment_name == other.environment_name
            && self.environment == other.environment
            && self.set == other.set
            && self.named_values == other.named_values
            && self.keys == other.keys
            && self.secrets == other.secrets
    }
}

/// Whether secrets are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// They are: what cannot be read is an error where it is needed.
    #[default]
    Read,
    /// They are not, as when a configuration is checked: those of Key Vault are taken for
    /// granted, those of variables and files are notes if absent.
    Assume,
}

/// What policies are compiled with.
#[derive(Clone, Copy, Debug)]
pub struct Engine<'a> {
    /// The policies that are built in.
    pub registry: &'a Registry,
    /// What they need to compile.
    pub extensions: &'a Extensions,
}

/// The entities and settings of a source.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// What the configuration describes.
    pub entities: Entities,
    /// Settings of the gateway.
    pub settings: GatewaySettings,
    /// The folder that relative paths are relative to.
    pub folder: Option<PathBuf>,
    /// What must not be shown of the override file.
    tokens: Hidden,
}

/// What a load came to.
#[derive(Debug)]
pub struct Loaded {
    /// The snapshot; none if there is an error, or if documents need secrets that were not read
    /// ([`Secrets::Assume`]).
    pub snapshot: Option<Snapshot>,
    /// Settings of the gateway.
    pub settings: GatewaySettings,
    /// The folder that relative paths in the settings are relative to.
    pub folder: Option<PathBuf>,
    /// Files outside of the source that secrets were read from.
    pub secret_files: Vec<PathBuf>,
    /// Every problem, ordered by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that diagnostics point into.
    pub sources: Sources,
    /// What was looked at.
    pub summary: Summary,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// APIs, revisions counted.
    pub n_apis: usize,
    /// Operations.
    pub n_operations: usize,
    /// Policy documents.
    pub n_policies: usize,
    /// Policy fragments.
    pub n_fragments: usize,
    /// Policy expressions.
    pub n_expressions: usize,
}

impl Parsed {
    /// A workspace as if it were a service: its entities, and what the gateway has for all.
    pub(crate) fn of_workspace(&self, workspace: &WorkspaceEntity) -> Parsed {
        Parsed {
            entities: workspace.entities.clone(),
            settings: self.settings.clone(),
            folder: self.folder.clone(),
            tokens: self.tokens.clone(),
        }
    }
}

impl Loaded {
    /// Number of errors and of warnings.
    pub fn counts(&self) -> (usize, usize) {
        let of = |severity| self.diagnostics.iter().filter(|it| it.severity == severity).count();
        (of(document::Severity::Error), of(document::Severity::Warning))
    }
}

/// Reads the entities and settings of a source. Returns every problem.
pub fn parse(source: &Source, options: &Options) -> (Parsed, Vec<Diagnostic>) {
    let problems = RefCell::default();
    let (settings, mut entities) = settings(source, options, &problems);
    let overrides = read_overrides(source, options, &problems);
    let (layout, found) = Layout::read(source);
    problems.borrow_mut().extend(found);
    let remembered = &options.remembered;
    remembered.begin();
    let cx = Reading { source, overrides: &overrides, problems: &problems, remembered };
    let of_folder = Entities::read(&layout, &cx);
    entities.extend(of_folder, &problems);
    problems.borrow_mut().extend(overrides.unused());
    let mut found = Vec::new();
    versions::share(&mut entities.apis, &mut found);
    for it in &mut entities.workspaces {
        versions::share(&mut it.entities.apis, &mut found);
    }
    problems.borrow_mut().extend(found);
    let folder = source.folder().map(PathBuf::from);
    let tokens = overrides.tokens().clone();
    let mut problems = problems.into_inner();
    problems.iter_mut().for_each(|it| tokens.redact(it));
    (Parsed { entities, settings, folder, tokens }, problems)
}

/// Loads a configuration: parse, resolve, compile. Problems of every step are returned.
pub async fn load(
    source: &Source,
    options: &Options,
    secrets: &dyn SecretProvider,
    engine: Engine<'_>,
) -> Loaded {
    let (parsed, mut diagnostics) = parse(source, options);
    let asking = Asking::new(secrets);
    let files = ReadFiles::new(read_files(&parsed));
    let (resolved, found) = resolve::resolve(&parsed, options, &asking).await;
    diagnostics.extend(found);
    let around = Around::new(source, options, &parsed, (files, asking.answers()), engine);
    let mut reuse = options.remembered.documents.take(&around);
    let mut hidden = parsed.tokens.clone();
    resolved.all_named_values().for_each(|it| hidden.add_named_values(it));
    let (snapshot, summary, found) = compile::compile(&parsed, resolved, engine, &mut reuse);
    options.remembered.documents.put(around, reuse);
    diagnostics.extend(found);
    diagnostics.iter_mut().for_each(|it| hidden.redact(it));
    tidy(&mut diagnostics);
    let snapshot = snapshot.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
    Loaded {
        secret_files: secret_files(&parsed),
        snapshot,
        settings: parsed.settings,
        folder: parsed.folder,
        diagnostics,
        sources: sources(source, &parsed.entities),
        summary,
    }
}

/// The files that named values, keys, certificates and connections are read from, but for refresh
/// tokens: the gateway itself writes those.
fn secret_files(parsed: &Parsed) -> Vec<PathBuf> {
    let of_workspaces = parsed.entities.workspaces.iter().flat_map(|it| &it.entities.named_values);
    let values = parsed.entities.named_values.iter().chain(of_workspaces);
    let values = values.filter_map(|it| it.value.as_ref());
    let keys = parsed.settings.keys.iter().flat_map(|it| [&it.primary, &it.secondary]).flatten();
    let certificates = parsed.settings.certificates.iter();
    let certificates = certificates.flat_map(|it| [Some(&it.source), it.password.as_ref()]);
    let connections = parsed.settings.authorizations.iter();
    let connections = connections.filter_map(|it| it.client_secret.as_ref());
    let all = values.chain(keys).chain(certificates.flatten()).chain(connections);
    paths(all, parsed)
}

/// Every file that is read outside of the source.
fn read_files(parsed: &Parsed) -> Vec<PathBuf> {
    let tokens = parsed.settings.authorizations.iter().filter_map(|it| it.refresh_token.as_ref());
    let mut files = secret_files(parsed);
    files.extend(paths(tokens, parsed));
    files
}

fn paths<'s>(sources: impl Iterator<Item = &'s SecretSource>, parsed: &Parsed) -> Vec<PathBuf> {
    let path = |it: &SecretSource| it.path(parsed.folder.as_deref());
    let mut files: Vec<PathBuf> = sources.filter_map(path).collect();
    files.sort();
    files.dedup();
    files
}

fn settings(
    source: &Source,
    options: &Options,
    problems: &RefCell<Vec<Diagnostic>>,
) -> (GatewaySettings, Entities) {
    let report = |problem| problems.borrow_mut().push(problem);
    let file: Arc<str> = source.settings_file().cloned().unwrap_or_else(|| SETTINGS_FILE.into());
    let empty = Tree { file: file.clone(), span: Span::default(), node: Node::Map(Vec::new()) };
    let mut tree = match source.text(&file).map(|text| Tree::parse(&file, text)) {
        Some(Ok(tree)) => tree,
        Some(Err(problem)) => {
            report(problem);
            empty
        }
        None => empty,
    };
    for (key, value) in &options.set {
        if let Err(problem) = single_file::set(&mut tree, key, value) {
            report(problem);
        }
    }
    GatewaySettings::read(&tree, problems, source)
}

fn read_overrides(
    source: &Source,
    options: &Options,
    problems: &RefCell<Vec<Diagnostic>>,
) -> Overrides {
    let Some(name) = &options.environment_name else { return Overrides::default() };
    let file = overrides::file_of(source, name);
    let Some((file, text)) = file.and_then(|file| Some((file.clone(), source.text(&file)?))) else {
        let message = format!("there is no `configuration.{name}.yaml`");
        problems.borrow_mut().push(Place::file(".").error(codes::UNREADABLE, message));
        return Overrides::default();
    };
    let (overrides, found) = Overrides::read(&file, text, &options.environment);
    problems.borrow_mut().extend(found);
    overrides
}

/// Orders by file and place, and drops what is told twice: a fragment's problems are found by
/// every document that includes it.
fn tidy(diagnostics: &mut Vec<Diagnostic>) {
    let key = |it: &Diagnostic| (it.file.clone(), it.span, it.severity, it.code);
    diagnostics.sort_by_key(key);
    diagnostics.dedup_by(|a, b| key(a) == key(b) && a.message == b.message);
}

/// The texts of a source; those that may hold secrets are never shown.
fn sources(source: &Source, entities: &Entities) -> Sources {
    let mut sources = Sources::new();
    for (name, text) in source.files() {
        let lower = name.to_ascii_lowercase();
        let may_hold_secret = ["namedvalueinformation.json", "subscriptioninformation.json"]
            .iter()
            .any(|it| lower.ends_with(it))
            || lower.ends_with("backendinformation.json")
            || lower.ends_with("cacheinformation.json")
            || lower.starts_with("configuration.");
        if may_hold_secret {
            sources.add_hidden(name.clone(), text.clone());
        } else {
            sources.add(name.clone(), text.clone());
        }
    }
    // Texts that stand inside of other files: tokens may have put secrets into those of overrides.
    let mut texts = Vec::new();
    inner_texts(entities, &mut texts);
    for workspace in &entities.workspaces {
        texts.extend(workspace.policy.iter().map(|it| (&it.file, &it.text)));
        inner_texts(&workspace.entities, &mut texts);
    }
    for (file, text) in texts.into_iter().filter(|it| source.text(it.0).is_none()) {
        if file.starts_with("configuration.") {
            sources.add_hidden(file.clone(), text.clone());
        } else {
            sources.add(file.clone(), text.clone());
        }
    }
    sources
}

/// The texts of documents and fragments, with the names that they are told by.
fn inner_texts<'e>(entities: &'e Entities, texts: &mut Vec<(&'e Arc<str>, &'e Arc<str>)>) {
    let of = |it: &'e PolicyEntity| (&it.file, &it.text);
    texts.extend(entities.fragments.iter().map(|it| (&it.file, &it.text)));
    texts.extend(entities.policy.iter().map(of));
    texts.extend(entities.products.iter().filter_map(|it| it.policy.as_ref()).map(of));
    for api in &entities.apis {
        texts.extend(api.policy.iter().map(of));
        texts.extend(api.operations.iter().filter_map(|it| it.policy.as_ref()).map(of));
    }
}

fn same(a: &str, b: &str) -> bool {
    a == b
}

impl Entities {
    /// Adds the entities of another source; one that is there already is an error.
    fn extend(&mut self, other: Self, problems: &RefCell<Vec<Diagnostic>>) {
        let told = |kind: &str, name: &str, place: &Place| {
            let message = format!("{kind} `{name}` is given twice");
            problems.borrow_mut().push(
                place
                    .error(codes::DUPLICATE, message)
                    .help("it stands in the folder and in the settings file"),
            );
        };
        if let (Some(own), Some(_)) = (&self.policy, &other.policy) {
            told("global policy", "policy", &own.place());
        }
        self.policy = other.policy.or(self.policy.take());
        /// Tells what both lists have, by name.
        macro_rules! both {
            ($list:ident, $kind:literal, $name:ident, $same:path) => {
                let of_other: Vec<_> = other.$list.iter().map(|it| it.$name.as_str()).collect();
                for it in &self.$list {
                    if of_other.iter().any(|other| $same(other, &it.$name)) {
                        told($kind, &it.$name, &it.place);
                    }
                }
            };
        }
        both!(named_values, "named value", display_name, same);
        both!(backends, "backend", id, str::eq_ignore_ascii_case);
        both!(loggers, "logger", id, str::eq_ignore_ascii_case);
        both!(diagnostics, "diagnostic", id, str::eq_ignore_ascii_case);
        both!(caches, "cache", id, str::eq_ignore_ascii_case);
        both!(apis, "API", id, str::eq_ignore_ascii_case);
        both!(products, "product", id, str::eq_ignore_ascii_case);
        both!(groups, "group", id, str::eq_ignore_ascii_case);
        both!(users, "user", id, str::eq_ignore_ascii_case);
        both!(version_sets, "version set", id, str::eq_ignore_ascii_case);
        for it in &self.fragments {
            if other.fragments.iter().any(|o| o.name.eq_ignore_ascii_case(&it.name)) {
                told("policy fragment", &it.name, &Place::file(it.file.clone()));
            }
        }
        self.named_values.extend(other.named_values);
        self.backends.extend(other.backends);
        self.loggers.extend(other.loggers);
        self.diagnostics.extend(other.diagnostics);
        self.caches.extend(other.caches);
        self.apis.extend(other.apis);
        self.fragments.extend(other.fragments);
        self.subscriptions.extend(other.subscriptions);
        self.certificates.extend(other.certificates);
        self.schemas.extend(other.schemas);
        self.products.extend(other.products);
        self.groups.extend(other.groups);
        self.users.extend(other.users);
        self.version_sets.extend(other.version_sets);
        self.gateways.extend(other.gateways);
        self.workspaces.extend(other.workspaces);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(files: &[(&str, &str)], options: &Options) -> Vec<String> {
        let source = Source::from_files(files.iter().map(|(name, text)| (*name, *text)));
        parse(&source, options).1.iter().map(|it| format!("{} {}", it.code, it.message)).collect()
    }

    #[test]
    fn folder_and_settings_add_up_and_must_not_overlap() {
        let files = [
            (
                "portcullis.yaml",
                "backends: { a: { url: https://a }, b: { url: https://b } }\nnamed-values: { n: x }\n",
            ),
            ("backends/A/backendInformation.json", r#"{"properties":{"url":"https://a"}}"#),
            ("named values/n/namedValueInformation.json", r#"{"properties":{"value":"y"}}"#),
        ];
        assert_eq!(
            problems(&files, &Options::default()),
            ["PC0509 named value `n` is given twice", "PC0509 backend `a` is given twice"]
        );
    }

    #[test]
    fn an_environment_needs_its_file() {
        let options = Options { environment_name: Some("dev".to_owned()), ..Options::default() };
        assert_eq!(problems(&[], &options), ["PC0501 there is no `configuration.dev.yaml`"]);
    }

    #[test]
    fn settings_of_the_command_line_go_over_the_file() {
        let source = Source::from_files([("portcullis.yaml", "drain: 5s\nworkers: 3\n")]);
        let set = vec![("drain".to_owned(), "7s".to_owned())];
        let (parsed, found) = parse(&source, &Options { set, ..Options::default() });
        assert!(found.is_empty());
        assert_eq!(parsed.settings.drain.as_secs(), 7);
        assert_eq!(parsed.settings.workers, Some(3));
    }

    #[test]
    fn what_is_told_twice_is_kept_once() {
        let of = |at: usize| Diagnostic::error(codes::MISSING, at..at, "x").in_file("f".into());
        let mut all = vec![of(2), of(1), of(2)];
        tidy(&mut all);
        assert_eq!(all, [of(1), of(2)]);
    }
}
