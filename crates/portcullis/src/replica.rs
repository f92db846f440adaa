//! The database that `store` names: opened when the process starts, then followed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use config::files::FilesError;
use config::{Environment, SecretProvider, Source, Store, StoreSetting};
use postgres::Postgres;
use proxy::health::StoreState;
use replicas::{DatabaseFiles, Standing, settings_file};
use tokio::runtime::Handle;
use transport::Roots;

use crate::commands::complain;
use crate::exit::Exit;
use crate::follow::Follow;

/// How long the start waits for the database. Without it the gateway starts from its local copy.
const AT_START: Duration = Duration::from_secs(2);
/// Where the local copy is unless the settings say: below the settings' folder, where no file of a
/// configuration is looked for, or in the folder of `PORTCULLIS_DATA_DIR`.
const COPY: &str = ".portcullis/configuration.json";
const COPY_IN_DATA: &str = "configuration.json";
const DATA_DIR: &str = "PORTCULLIS_DATA_DIR";

/// Connects to the database, in the background.
///
/// # Errors
///
/// The address is not to be had, or is none.
pub(crate) async fn connect(
    setting: &StoreSetting,
    folder: Option<&Path>,
    roots: &Roots,
    environment: &Environment,
    secrets: &dyn SecretProvider,
) -> Result<Postgres, Exit> {
    let failed = |why: &dyn std::fmt::Display| {
        complain(&format!("store: {why}"));
        Exit::Unreadable
    };
    let address = setting.postgres.get(environment, folder, secrets).await;
    let address = address.map_err(|why| failed(&why))?;
    let settings = postgres::Settings::parse(address.expose()).map_err(|why| failed(&why))?;
    let tls = roots.client_config().map_err(|why| failed(&why))?;
    Ok(Postgres::start(settings, tls, replicas::SET_UP, &Handle::current()))
}

/// The files of the database, or of the local copy if that is away. `path` is what the gateway was
/// started with: a folder with a settings file, or that file.
///
/// # Errors
///
/// The address is not to be had, or neither database nor copy are.
pub(crate) async fn open(
    setting: &StoreSetting,
    path: &Path,
    folder: Option<&Path>,
    roots: &Roots,
    environment: &Environment,
    secrets: &dyn SecretProvider,
) -> Result<Arc<DatabaseFiles>, Exit> {
    let postgres = connect(setting, folder, roots, environment, secrets).await?;
    let copy = copy(setting, folder, environment);
    let files = Arc::new(DatabaseFiles::new(postgres, Some(settings_file(path)), Some(copy)));
    files.open(AT_START).await.map_err(|error: FilesError| {
        complain(&format!("store: {error}"));
        Exit::Remote
    })?;
    let n_beside = match path.is_dir() {
        true => Source::read(path).0.files().count().saturating_sub(1),
        false => 0,
    };
    if n_beside > 0 {
        complain(&format!(
            "store: {n_beside} files beside portcullis.yaml are not served: the database's are"
        ));
    }
    match files.standing() {
        Standing { is_copy: true, version: Some(version), problem } => {
            let problem = problem.unwrap_or_default();
            complain(&format!("store: {problem}; version {version} of the local copy is served"));
        }
        Standing { version: Some(0), .. } => {
            complain("store: the database has no configuration yet; see `portcullis config push`");
        }
        _ => {}
    }
    Ok(files)
}

fn copy(setting: &StoreSetting, folder: Option<&Path>, environment: &Environment) -> PathBuf {
    let below = |path: &Path| folder.map_or_else(|| path.to_owned(), |it| it.join(path));
    match (&setting.copy, environment.get(DATA_DIR)) {
        (Some(path), _) => below(path),
        (None, Some(data)) if !data.is_empty() => Path::new(data).join(COPY_IN_DATA),
        (None, _) => below(Path::new(COPY)),
    }
}

/// Follows the database from now on, and tells readiness of it.
pub(crate) fn follow(files: Arc<DatabaseFiles>, store: &Arc<Store>, follow: Arc<Follow>) {
    let gateway = follow.gateway.clone();
    let stands = move |it: &Standing| {
        gateway.health().store(StoreState {
            version: it.version.map_or_else(|| "none".to_owned(), |it| it.to_string()),
            from: if it.is_copy { "copy" } else { "postgres" },
            problem: it.problem.clone(),
        });
    };
    stands(&files.standing());
    let store = store.clone();
    tokio::spawn(async move {
        replicas::follow(files, store, move |it| follow.told(it), stands).await;
    });
}

#[cfg(test)]
mod tests {
    use config::SecretSource;
    use transport::Secret;

    use super::*;

    #[test]
    fn the_copy_is_where_the_settings_or_the_environment_say() {
        let postgres = SecretSource::Text(Secret::new("postgres://h"));
        let mut setting = StoreSetting { postgres, copy: None };
        let mut environment = Environment::default();
        let at = |setting: &StoreSetting, environment: &Environment| {
            let path = copy(setting, Some(Path::new("/etc/p")), environment);
            path.display().to_string()
        };
        assert_eq!(at(&setting, &environment), "/etc/p/.portcullis/configuration.json");
        environment.set(DATA_DIR, "/var/lib/p");
        assert_eq!(at(&setting, &environment), "/var/lib/p/configuration.json");
        setting.copy = Some("c.json".into());
        assert_eq!(at(&setting, &environment), "/etc/p/c.json");
    }
}
