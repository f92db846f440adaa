//! A configuration in a temporary folder, and calls of the API over it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use config::{NoSecrets, Options, Origin, Store, StoreSettings};
use identity::{ProviderSettings, Providers};
use pipeline::{Extensions, Registry};
use portcullis_admin::{Answer, Call, Engine, Problem, ServiceName, StoreFiles};
use serde_json::Value;
use transport::{FakeClient, FakeClock};

/// A service on a folder.
pub(crate) struct Service {
    pub(crate) folder: PathBuf,
    pub(crate) store: Arc<Store>,
    pub(crate) engine: Engine,
}

fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::at(SystemTime::UNIX_EPOCH))
}

/// What policies need to compile: providers that fetch nothing.
fn extensions() -> Extensions {
    let settings = ProviderSettings { in_background: false, ..ProviderSettings::default() };
    let mut extensions = Extensions::default();
    let client = Arc::new(FakeClient::unreachable());
    extensions.insert(Arc::new(Providers::new(client, clock(), settings)));
    extensions
}

/// A store on a folder, loaded.
pub(crate) async fn store(folder: &Path) -> Arc<Store> {
    let store = Store::new(StoreSettings {
        origin: Origin::Path(folder.to_owned()),
        options: Options::default(),
        registry: Registry::new(policies::ALL),
        extensions: extensions(),
        secrets: Arc::new(NoSecrets),
        clock: clock(),
    });
    store.reload().await;
    store
}

impl Service {
    /// A service with these files.
    pub(crate) async fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder =
            std::env::temp_dir().join(format!("portcullis-admin-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        let store = store(&folder).await;
        let files = Arc::new(StoreFiles::new(store.clone(), None));
        let service = ServiceName {
            subscription_id: "s".to_owned(),
            resource_group: "g".to_owned(),
            name: "n".to_owned(),
        };
        let engine = Engine::new(files, service, clock());
        Self { folder, store, engine }
    }

    /// A call: `PUT tags/t`.
    pub(crate) async fn ask(&self, line: &str, body: Value) -> Result<Answer, Problem> {
        let (method, path) = line.split_once(' ').unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = query.split('&').filter_map(|it| it.split_once('='));
        let call = Call {
            method: method.parse().unwrap(),
            segments: path.split('/').map(str::to_owned).collect(),
            query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            if_match: None,
            if_none_match: None,
            body,
            url: format!("https://m/{path}"),
        };
        self.engine.call(&call).await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
