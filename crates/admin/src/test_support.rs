//! A configuration in memory, for tests.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use config::{Options, Source};
use serde_json::Value;
use transport::{BoxFuture, Clock, FakeClock};

use crate::address::{ServiceName, segments};
use crate::configuration::{Configuration, FileChange, Held, Refused};
use crate::engine::{Answer, Call, Engine};
use crate::problem::Problem;
use crate::service::details;

/// Files in memory. A change is parsed before it is taken, as far as that needs no policies.
#[derive(Debug)]
pub(crate) struct Memory {
    held: Mutex<(Source, u64)>,
    /// How many writers come between.
    pub(crate) n_conflicts: Mutex<usize>,
}

impl Memory {
    pub(crate) fn new(files: &[(&str, &str)]) -> Arc<Self> {
        let held = Mutex::new((Source::from_files(files.iter().copied()), 0));
        Arc::new(Self { held, n_conflicts: Mutex::new(0) })
    }

    /// The text of a file.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.held.lock().unwrap().0.text(name).map(ToString::to_string)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.held.lock().unwrap().0.files().map(|it| it.0.to_string()).collect()
    }

    /// Somebody else's change.
    pub(crate) fn edit(&self, name: &str, text: &str) {
        let mut held = self.held.lock().unwrap();
        held.0.insert(name, text);
        held.1 += 1;
    }
}

impl Configuration for Memory {
    fn read(&self) -> BoxFuture<'_, Result<Held, String>> {
        let held = self.held.lock().unwrap();
        let held = Held { source: Arc::new(held.0.clone()), version: held.1.to_string() };
        Box::pin(std::future::ready(Ok(held)))
    }

    fn change<'a>(
        &'a self,
        changes: &'a [FileChange],
        expected: &'a str,
    ) -> BoxFuture<'a, Result<String, Refused>> {
        let outcome = (|| {
            let mut n_conflicts = self.n_conflicts.lock().unwrap();
            let mut held = self.held.lock().unwrap();
            if *n_conflicts > 0 {
                *n_conflicts -= 1;
                held.1 += 1;
            }
            if held.1.to_string() != expected {
                return Err(Refused::Conflict);
            }
            let gone = |name: &str| changes.iter().any(|it| it.name == name);
            let kept = held.0.files().filter(|it| !gone(it.0)).map(|(n, t)| (n.clone(), t.clone()));
            let new = changes
                .iter()
                .filter_map(|it| Some((it.name.as_str().into(), it.text.as_deref()?.into())));
            let source = Source::from_files(kept.chain(new));
            let (_, problems) = config::parse(&source, &Options::default());
            let mut sources = document::render::Sources::new();
            source.files().for_each(|(name, text)| sources.add(name.clone(), text.clone()));
            let details = details(&problems, &sources);
            if !details.is_empty() {
                return Err(Refused::Invalid(details));
            }
            *held = (source, held.1 + 1);
            Ok(held.1.to_string())
        })();
        Box::pin(std::future::ready(outcome))
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), Refused>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

pub(crate) fn service() -> ServiceName {
    ServiceName {
        subscription_id: "s".to_owned(),
        resource_group: "g".to_owned(),
        name: "n".to_owned(),
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(FakeClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)))
}

pub(crate) fn engine(memory: &Arc<Memory>) -> Engine {
    Engine::new(memory.clone(), service(), clock())
}

/// A call: `GET apis?$top=1`.
pub(crate) fn call(line: &str, body: Value) -> Call {
    let (method, rest) = line.split_once(' ').unwrap();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let pairs = query.split('&').filter_map(|it| it.split_once('='));
    Call {
        method: method.parse().unwrap(),
        segments: segments(path).unwrap(),
        query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        if_match: None,
        if_none_match: None,
        body,
        url: format!("https://m/{path}"),
    }
}

pub(crate) async fn ask(memory: &Arc<Memory>, line: &str, body: Value) -> Result<Answer, Problem> {
    engine(memory).call(&call(line, body)).await
}
