//! Compiled documents, from one load to the next: what has not changed, with nothing changed around
//! it, is not compiled again.
//!
//! ```text
//! load ─ Around: every file but documents, options, secrets ─▶ Remembered::documents ─▶ Reuse
//!      ─ compile: the same text at the same place? ─▶ the steps of the load before
//! ```
//!
//! Nothing is guessed: what surrounds a document is compared with all its bytes, so that a change of
//! anything but documents, a named value or a secret of Key Vault say, compiles all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use document::Diagnostic;
use pipeline::{CompiledDocument, Extensions, Registry, Scope, Target};
use transport::{BoxFuture, Secret};
use url::Url;

use crate::entity::{Entities, PolicyEntity};
use crate::load::{Engine, Options, Parsed};
use crate::secret_source::{SecretProvider, SecretSource};
use crate::source::Source;

/// A secret, or why there is none.
type Read = Result<Secret, String>;

/// What was read outside of the source. It is read before it is used: a change in between is seen
/// by the next load.
#[derive(PartialEq, Eq)]
pub(crate) struct ReadFiles(Vec<(PathBuf, Read)>);

impl ReadFiles {
    pub(crate) fn new(paths: Vec<PathBuf>) -> Self {
        let read = |it: PathBuf| {
            let text = SecretSource::read_binary_file(&it);
            (it, text)
        };
        Self(paths.into_iter().map(read).collect())
    }
}

/// What Key Vault answered, by identifier and identity.
pub(crate) type Answers = BTreeMap<(String, Option<String>), Read>;

/// Takes down what a provider answers.
pub(crate) struct Asking<'a> {
    provider: &'a dyn SecretProvider,
    answers: Mutex<Answers>,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(provider: &'a dyn SecretProvider) -> Self {
        Self { provider, answers: Mutex::default() }
    }

    pub(crate) fn answers(self) -> Answers {
        self.answers.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Asking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.provider.fmt(f)
    }
}

impl SecretProvider for Asking<'_> {
    fn secret<'a>(
        &'a self,
        identifier: &'a Url,
        client_id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Secret, String>> {
        Box::pin(async move {
            let answer = self.provider.secret(identifier, client_id).await;
            let key = (identifier.to_string(), client_id.map(str::to_owned));
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.insert(key, answer.clone());
            answer
        })
    }
}

/// All that documents are compiled with.
pub(crate) struct Around {
    source: Source,
    /// Files of the source that are documents and nothing else.
    documents: BTreeSet<Arc<str>>,
    options: Options,
    files: ReadFiles,
    answers: Answers,
    registry: Registry,
    extensions: Extensions,
}

impl Around {
    pub(crate) fn new(
        source: &Source,
        options: &Options,
        parsed: &Parsed,
        secrets: (ReadFiles, Answers),
        engine: Engine<'_>,
    ) -> Self {
        let (files, answers) = secrets;
        let mut documents = BTreeSet::new();
        add_documents(&parsed.entities, source, &mut documents);
        for it in &parsed.entities.workspaces {
            documents.extend(own_file(it.policy.as_ref(), source));
            add_documents(&it.entities, source, &mut documents);
        }
        // It does not hold itself.
        let options = Options { remembered: Default::default(), ..options.clone() };
        let (registry, extensions) = (engine.registry.clone(), engine.extensions.clone());
        Self { source: source.clone(), documents, options, files, answers, registry, extensions }
    }

    /// Whether what was compiled with the one holds with the other.
    fn is_same(&self, other: &Self) -> bool {
        let is_document =
            |it: &Arc<str>| self.documents.contains(it) && other.documents.contains(it);
        self.options.is_same(&other.options)
            && self.extensions.is_same(&other.extensions)
            && self.registry.is_same(&other.registry)
            && self.files == other.files
            && self.answers == other.answers
            && self.source.is_same_but(&other.source, is_document)
    }
}

/// The name of a document's file, if it is a file of the source that holds the document alone.
fn own_file(policy: Option<&PolicyEntity>, source: &Source) -> Option<Arc<str>> {
    let policy = policy?;
    let is_whole = source.text(&policy.file).is_some_and(|it| *it == policy.text);
    (is_whole && policy.file.to_ascii_lowercase().ends_with(".xml")).then(|| policy.file.clone())
}

fn add_documents(entities: &Entities, source: &Source, documents: &mut BTreeSet<Arc<str>>) {
    let mut add = |it: &Option<PolicyEntity>| documents.extend(own_file(it.as_ref(), source));
    add(&entities.policy);
    entities.products.iter().for_each(|it| add(&it.policy));
    for api in &entities.apis {
        add(&api.policy);
        api.operations.iter().for_each(|it| add(&it.policy));
    }
}

/// Where a document hangs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Spot {
    file: Arc<str>,
    scope: Scope,
    workspace: Option<String>,
    /// The product or API.
    owner: String,
    operation: Option<String>,
}

impl Spot {
    /// None for a document that is compiled anew each time: what it is compiled with is more than
    /// [`Around`] tells.
    pub(crate) fn new(
        policy: &PolicyEntity,
        target: Target<'_>,
        workspace: Option<&str>,
        owner: &str,
    ) -> Option<Self> {
        if target.operation.is_some_and(|it| it.graphql.is_some()) {
            return None;
        }
        Some(Self {
            file: policy.file.clone(),
            scope: target.scope,
            workspace: workspace.map(str::to_owned),
            owner: owner.to_owned(),
            operation: target.operation.map(|it| it.info.id.clone()),
        })
    }
}

/// What a document came to that has no error.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) text: Arc<str>,
    pub(crate) compiled: CompiledDocument,
    /// Warnings and notes.
    pub(crate) problems: Vec<Diagnostic>,
    pub(crate) n_expressions: usize,
}

/// What the load before compiled, and what this one did.
#[derive(Default)]
pub(crate) struct Reuse {
    before: HashMap<Spot, Known>,
    now: HashMap<Spot, Known>,
}

impl Reuse {
    /// What a document of that text came to at that place.
    pub(crate) fn get(&mut self, spot: &Spot, text: &str) -> Option<Known> {
        let known = self.before.remove(spot).filter(|it| *it.text == *text)?;
        self.now.insert(spot.clone(), known.clone());
        Some(known)
    }

    /// Keeps what a document came to for the next load.
    pub(crate) fn keep(&mut self, spot: Spot, known: Known) {
        // What was prepared for the operations of a load is for them only.
        if !known.compiled.is_prepared() {
            self.now.insert(spot, known);
        }
    }
}

/// What a load compiled, and what with.
type Compiled = (Around, HashMap<Spot, Known>);

/// The documents of the last load. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Documents(Arc<Mutex<Option<Compiled>>>);

impl Documents {
    /// What can be used again by a load with that around it.
    pub(crate) fn take(&self, around: &Around) -> Reuse {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.take().filter(|(it, _)| it.is_same(around));
        Reuse { before: last.map(|it| it.1).unwrap_or_default(), now: HashMap::new() }
    }

    /// Keeps what a load compiled.
    pub(crate) fn put(&self, around: Around, reuse: Reuse) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((around, reuse.now));
    }
}

#[cfg(test)]
mod tests;
