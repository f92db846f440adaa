//! References and secrets: named values get their text, backends their credentials, subscriptions
//! their keys.

mod authorizations;
mod backend_tls;
mod backends;
mod caches;
mod certificates;
mod loggers;
mod named_values;
mod subscriptions;
mod users;
mod workspaces;

pub(crate) use users::group;

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use document::{Diagnostic, Mode, NamedValues, SourceText};
use pipeline::{Authorizations, Caches, Certificates, Loggers};

use crate::entity::Given;
use crate::load::{Options, Parsed};
use crate::place::Place;
use crate::secret_source::SecretProvider;
use crate::snapshot::{Backend, Subscription};

/// Entities with everything they refer to.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) named_values: NamedValues,
    pub(crate) backends: HashMap<String, Arc<Backend>>,
    pub(crate) loggers: Arc<Loggers>,
    pub(crate) caches: Caches,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) certificates: Certificates,
    pub(crate) authorizations: Authorizations,
    /// Those of the workspaces, in the order of their entities.
    pub(crate) workspaces: Vec<Resolved>,
}

/// Resolves what `parsed` refers to. Returns every problem.
pub(crate) async fn resolve(
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
) -> (Resolved, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let named_values = named_values::resolve(parsed, options, secrets, &mut problems).await;
    let subscriptions = subscriptions::resolve(parsed, options, secrets, &mut problems).await;
    let certificates = certificates::resolve(parsed, options, secrets).await;
    let entities = &parsed.entities.backends;
    let backends = backends::resolve(entities, &named_values, &certificates, &mut problems);
    let authorizations = authorizations::resolve(parsed, options, secrets).await;
    let loggers =
        loggers::resolve(&parsed.entities.loggers, &named_values, parsed.folder.as_deref());
    let caches = caches::resolve(parsed, &named_values, &mut problems);
    let resolved = Resolved {
        named_values,
        backends,
        loggers: Arc::new(loggers),
        caches,
        subscriptions,
        certificates,
        authorizations,
        workspaces: workspaces::resolve(parsed, options, secrets, &mut problems).await,
    };
    (resolved, problems)
}

/// Puts named values into a text of an entity. `None` if one is missing, which is reported, or
/// was not read.
fn put_in(
    given: &Given,
    or: &Place,
    values: &NamedValues,
    problems: &mut Vec<Diagnostic>,
) -> Option<String> {
    let (resolved, found) = values.resolve(&SourceText::verbatim(&given.text, 0), Mode::Policy);
    let place = given.place.as_ref().unwrap_or(or);
    for problem in found {
        let mut problem = problem.in_file(place.file.clone());
        problem.span = place.span;
        problems.push(problem);
    }
    (!resolved.is_missing()).then(|| resolved.as_str().to_owned())
}

/// Waits for all futures at once; results come in the order of the futures.
async fn join_all<T>(futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut slots: Vec<_> = futures.into_iter().map(|it| (Some(it), None)).collect();
    poll_fn(|cx| {
        let mut is_waiting = false;
        for (future, result) in &mut slots {
            let Some(running) = future else { continue };
            match running.as_mut().poll(cx) {
                Poll::Ready(it) => (*future, *result) = (None, Some(it)),
                Poll::Pending => is_waiting = true,
            }
        }
        if is_waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    slots.into_iter().filter_map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_come_in_order() {
        let later = Box::pin(async {
            tokio::task::yield_now().await;
            1
        });
        let futures: Vec<Pin<Box<dyn Future<Output = i32> + Send>>> =
            vec![later, Box::pin(async { 2 })];
        assert_eq!(join_all(futures).await, [1, 2]);
    }
}
