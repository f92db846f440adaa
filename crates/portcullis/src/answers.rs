//! The database of the semantic cache that `ai.semantic-cache.postgres` names, opened when the
//! process starts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ai::SharedAnswers;
use config::{Environment, SecretProvider, SecretSource};
use postgres::Postgres;
use tokio::runtime::Handle;
use transport::Roots;

use crate::commands::complain;
use crate::exit::Exit;

/// How long the start waits for the database. Without it the gateway starts all the same, and
/// nothing is found in the cache.
const AT_START: Duration = Duration::from_secs(2);

/// Opens it.
///
/// # Errors
///
/// The address is not to be had, or is none.
pub(crate) async fn open(
    source: &SecretSource,
    roots: &Roots,
    folder: Option<&Path>,
    environment: &Environment,
    secrets: &dyn SecretProvider,
) -> Result<Arc<SharedAnswers>, Exit> {
    let address = source.get(environment, folder, secrets).await;
    let address = address.map_err(|why| failed(&why))?;
    let settings = postgres::Settings::parse(address.expose()).map_err(|why| failed(&why))?;
    let tls = roots.client_config().map_err(|why| failed(&why))?;
    let runtime = Handle::current();
    let postgres = Postgres::start(settings, tls, SharedAnswers::SET_UP, &runtime);
    if !postgres.is_up_within(AT_START).await {
        let address = postgres.address();
        complain(&format!(
            "ai.semantic-cache: PostgreSQL at {address} cannot be used; nothing is found in the cache until it can"
        ));
    }
    Ok(Arc::new(SharedAnswers::start(postgres, &runtime)))
}

fn failed(why: &dyn std::fmt::Display) -> Exit {
    complain(&format!("ai.semantic-cache: {why}"));
    Exit::Unreadable
}
