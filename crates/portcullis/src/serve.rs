//! What `run` and `dev` share: from a configuration to listeners, and back to an exit code.
//!
//! ```text
//! main thread: the control runtime (loading, watching, key sets, tokens, admin listener, signals)
//! workers:     one thread per core with its own listener (requests)
//! ```

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use config::{
    GatewaySettings, Loaded, Options, Origin, Reload, Source, Store, StoreSettings, Watcher,
};
use document::render::{self, Colours};
use identity::IdentitySource;
use proxy::Gateway;
use proxy::health::AdminService;
use telemetry::{AccessLog, Outbox, Sink};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use transport::{
    HostMap, Limits, ListenerConfig, Roots, Running, Server, SystemClock, TlsIdentity,
    server_config,
};

use crate::answers;
use crate::cli::{AccessLogChoice, Serve};
use crate::collector::{self, Sending};
use crate::commands::{complain, mention};
use crate::counters;
use crate::edges::{EdgeSettings, Edges, VaultSecrets};
use crate::exit::Exit;
use crate::follow::Follow;
use crate::management;
use crate::replica;
use crate::signals::{Ending, Signals};

/// Lines of the access log that may wait to be written, in bytes.
const MAX_LOG_BYTES: usize = 16 * 1024 * 1024;

/// What is to be served, and how.
pub(crate) struct Plan {
    pub(crate) origin: Origin,
    pub(crate) options: Options,
    pub(crate) serve: Serve,
    /// Where the gateway's own tokens come from.
    pub(crate) identity: IdentitySource,
    /// Host names that lead elsewhere, besides those of the settings, which go first.
    pub(crate) hosts: HostMap,
    /// Certificate of the TLS listener, unless files are given.
    pub(crate) certificate: Option<TlsIdentity>,
    /// Who issues tokens for the management API where the settings say nothing.
    pub(crate) local: Option<management::Local>,
    /// Addresses where neither the command line nor the settings name any.
    pub(crate) defaults: Defaults,
    pub(crate) watch: bool,
    pub(crate) colours: Colours,
}

/// Addresses of last resort.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) listen: Option<String>,
    pub(crate) tls_listen: Option<String>,
    pub(crate) admin: Option<String>,
}

/// A gateway that listens.
pub(crate) struct Live {
    pub(crate) gateway: Option<SocketAddr>,
    pub(crate) gateway_tls: Option<SocketAddr>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) management: Option<SocketAddr>,
    /// What the first load found.
    pub(crate) loaded: Loaded,
    running: Running,
    gateway_state: Arc<Gateway>,
    drain: Duration,
    limits: Arc<state::Limits>,
    sending: Option<Sending>,
    _access_log: Option<Arc<AccessLog>>,
}

/// Reads the settings, so that the edges can be made before anything is loaded.
pub(crate) async fn settings(
    origin: &Origin,
    options: &Options,
    colours: Colours,
) -> Result<(GatewaySettings, Option<std::path::PathBuf>), Exit> {
    let (source, unreadable) = match origin {
        Origin::Path(path) => Source::read(path),
        Origin::Memory(source) => (source.clone(), Vec::new()),
        Origin::Files(files) => match files.read().await {
            Ok(stored) => (stored.source, Vec::new()),
            Err(error) => return Err(remote(&error)),
        },
    };
    if let Some(problem) = unreadable.iter().find(|it| it.is_error()) {
        mention(&render::human(problem, &render::Sources::new(), colours));
        return Err(Exit::Unreadable);
    }
    let (parsed, _) = config::parse(&source, options);
    Ok((parsed.settings, parsed.folder))
}

/// Loads the configuration and starts to listen. Problems are printed.
///
/// # Errors
///
/// How the process ends instead.
pub(crate) async fn start(plan: Plan) -> Result<Live, Exit> {
    let Plan { origin, options, serve, identity, hosts, defaults, watch, colours, .. } = plan;
    let (certificate, local) = (plan.certificate, plan.local);
    let environment = options.environment.clone();
    let (settings, folder) = settings(&origin, &options, colours).await?;
    let edges = edges(&settings, folder.as_deref(), hosts.clone(), identity, colours)?;
    let secrets = VaultSecrets(edges.secrets.clone());
    let limits =
        counters::open(&settings.counters, folder.as_deref(), &options.environment, &secrets);
    let counters::Opened { limits, breakers, events } = limits.await?;
    let mut edges = edges.with(limits.clone());
    let variables = &options.environment;
    if let Some(source) = &settings.semantic_store {
        let roots = edges.roots.clone();
        let answers = answers::open(source, &roots, folder.as_deref(), variables, &secrets);
        edges = edges.with(answers.await?);
    }
    let collector = collector::open(&settings.telemetry, folder.as_deref(), variables, &secrets);
    let collector = collector.await?;
    let outbox = collector.as_ref().map(|it| it.outbox.clone());
    if let Some(outbox) = &outbox {
        edges = edges.with(outbox.clone());
    }
    let access_log = access_log(serve.access_log, serve.access_log_file.as_deref(), outbox)?;
    if let Some(access_log) = &access_log {
        edges = edges.with(access_log.clone());
    }
    let edges = edges.with(Arc::new(ai::LLM_LOGGING)).with(Arc::new(policies::EVENT_SINK));
    let clock = Arc::new(SystemClock);
    let replica = match (&settings.store, &origin) {
        (Some(setting), Origin::Path(path)) => {
            let (path, roots) = (path.as_path(), &edges.roots);
            Some(replica::open(setting, path, folder.as_deref(), roots, variables, &secrets).await?)
        }
        _ => None,
    };
    let origin_of_files = match &replica {
        Some(files) => Origin::Files(files.clone()),
        None => origin.clone(),
    };
    let store = Store::new(StoreSettings {
        origin: origin_of_files,
        options,
        registry: pipeline::Registry::new(policies::ALL),
        extensions: edges.services.extensions().clone(),
        secrets: Arc::new(VaultSecrets(edges.secrets.clone())),
        clock: clock.clone(),
    });
    let loaded = match store.reload().await {
        Reload::Swapped { loaded, .. } => *loaded,
        Reload::Kept { loaded } => {
            report(&loaded, colours);
            return Err(Exit::Findings);
        }
        Reload::Unchanged => return Err(Exit::Unreadable),
    };
    report(&loaded, colours);
    if serve.strict && loaded.counts().1 > 0 {
        complain("--strict: there are warnings");
        return Err(Exit::Findings);
    }
    let gateway = Gateway::new(edges.services.clone(), access_log.clone());
    if let Some(breakers) = breakers {
        tokio::spawn(gateway.share_breakers(breakers));
    }
    if let Some(events) = events {
        events.open(edges.services.extensions());
    }
    collector::show_version(&edges.services);
    let sending = collector.map(|it| it.start(&edges.client, &edges.services));
    keep_current(&store, &gateway, &edges);
    tokio::spawn(gateway.check_health(Some(edges.tokens.clone())));
    let (client, started) = (edges.client.clone(), settings.clone());
    let follow = Arc::new(Follow { gateway: gateway.clone(), client, hosts, started, colours });
    if watch && let Origin::Path(path) = &origin {
        watch_files(path, &store, follow.clone())?;
    }
    if let Some(files) = replica {
        replica::follow(files, &store, follow);
    }
    let secrets = edges.secrets.clone();
    let refreshed = store.clone();
    tokio::spawn(async move {
        let changed = Arc::new(tokio::sync::Notify::new());
        let tell = changed.clone();
        tokio::join!(secrets.run(move || tell.notify_one()), async {
            loop {
                changed.notified().await;
                refreshed.refresh().await;
            }
        });
    });
    let drain = serve.drain.unwrap_or(settings.drain);
    let listening = listen(&settings, folder.as_deref(), &serve, certificate.clone(), &defaults)?;
    let running = listening.bound.serve(gateway.clone()).map_err(|error| remote(&error))?;
    let admin = admin(&settings, &serve, &defaults, &gateway).await?;
    let management = management::start(management::Parts {
        settings: &settings,
        serve: &serve,
        folder: folder.as_deref(),
        environment: &environment,
        secrets: &VaultSecrets(edges.secrets.clone()),
        providers: &edges.providers,
        store: &store,
        memory: memory(&origin),
        certificate,
        local,
        gateway_url: gateway_url(listening.plain, listening.tls),
    })
    .await?;
    Ok(Live {
        gateway: listening.plain,
        gateway_tls: listening.tls,
        admin,
        management,
        loaded,
        running,
        gateway_state: gateway,
        drain,
        limits,
        sending,
        _access_log: access_log,
    })
}

impl Live {
    /// Serves until a signal comes; then drains. A second signal, or the end of the time that
    /// requests have, stops at once.
    pub(crate) async fn until_stopped(self) -> Exit {
        let Ok(mut signals) = Signals::listen() else { return Exit::Remote };
        let first = signals.next().await;
        tracing::info!(seconds = self.drain.as_secs(), "draining");
        self.gateway_state.health().drain();
        let all_answered = tokio::select! {
            all_answered = self.running.drain(self.drain) => all_answered,
            _ = signals.next() => false,
        };
        if !all_answered {
            tracing::warn!("requests, or what they had set going, were cut off");
        }
        self.running.stop();
        self.limits.flush();
        if let Some(sending) = &self.sending {
            sending.finish().await;
        }
        match (first, all_answered) {
            (_, true) => Exit::Success,
            (Ending::Interrupt, false) => Exit::Interrupted,
            (Ending::Terminate, false) => Exit::Terminated,
        }
    }
}

fn edges(
    settings: &GatewaySettings,
    folder: Option<&Path>,
    hosts: HostMap,
    source: IdentitySource,
    colours: Colours,
) -> Result<Edges, Exit> {
    let (own, problems) = settings.host_map(folder);
    for problem in &problems {
        mention(&render::human(problem, &render::Sources::new(), colours));
    }
    if problems.iter().any(document::Diagnostic::is_error) {
        return Err(Exit::Findings);
    }
    let roots = with_files(Roots::system(), &settings.tls.ca, folder)?;
    let client_roots = match settings.tls.client_ca.as_slice() {
        [] => roots.clone(),
        files => with_files(Roots::none(), files, folder)?,
    };
    let settings = EdgeSettings {
        hosts: own.or(hosts),
        roots,
        client_roots,
        source,
        allow_http: settings.identity.allow_http.clone(),
        max_buffered_body_bytes: settings.max_buffered_body_bytes,
    };
    Ok(Edges::new(settings, &Handle::current()))
}

pub(crate) fn with_files(
    mut roots: Roots,
    files: &[PathBuf],
    folder: Option<&Path>,
) -> Result<Roots, Exit> {
    for file in files {
        let path = folder.map_or_else(|| file.clone(), |it| it.join(file));
        let pem = read(&path)?;
        roots = roots.with_pem(&pem).map_err(|error| unreadable(&path, &error))?;
    }
    Ok(roots)
}

/// Installs every snapshot that is put in place from now on, and the one that is.
fn keep_current(store: &Arc<Store>, gateway: &Arc<Gateway>, edges: &Edges) {
    let (gateway, providers) = (gateway.clone(), edges.providers.clone());
    store.on_swap(move |snapshot| {
        gateway.install(snapshot.clone());
        providers.forget_unused();
    });
}

fn watch_files(path: &Path, store: &Arc<Store>, follow: Arc<Follow>) -> Result<(), Exit> {
    let watcher = Watcher::new(path).map_err(|error| remote(&error))?;
    let told = move |reload: &Reload| follow.told(reload);
    tokio::spawn(watcher.drive(store.clone(), Arc::new(SystemClock), told));
    Ok(())
}

fn access_log(
    choice: AccessLogChoice,
    file: Option<&Path>,
    outbox: Option<Arc<Outbox>>,
) -> Result<Option<Arc<AccessLog>>, Exit> {
    let is_sent = outbox.as_ref().is_some_and(|it| it.wants_logs);
    let sink = match (choice, file) {
        (_, Some(file)) => Sink::File(file.to_owned()),
        (AccessLogChoice::Off, None) if is_sent => Sink::Nowhere,
        (AccessLogChoice::Off, None) => return Ok(None),
        (AccessLogChoice::Stdout, None) => Sink::Stdout,
    };
    let log = AccessLog::new(sink, MAX_LOG_BYTES).map_err(|error| {
        complain(&format!("the access log cannot be opened: {error}"));
        Exit::Unreadable
    })?;
    Ok(Some(Arc::new(log.with_outbox(outbox))))
}

struct Listening {
    bound: transport::Bound,
    plain: Option<SocketAddr>,
    tls: Option<SocketAddr>,
}

fn listen(
    settings: &GatewaySettings,
    folder: Option<&Path>,
    serve: &Serve,
    certificate: Option<TlsIdentity>,
    defaults: &Defaults,
) -> Result<Listening, Exit> {
    let choose = |flag: &Option<String>, own: &[String], last: &Option<String>| -> Vec<String> {
        match flag {
            Some(flag) => vec![flag.clone()],
            None if own.is_empty() => last.iter().cloned().collect(),
            None => own.to_vec(),
        }
    };
    let plain = addresses(&choose(&serve.listen, &settings.listen, &defaults.listen))?;
    let secure = addresses(&choose(&serve.tls_listen, &settings.tls_listen, &defaults.tls_listen))?;
    let mut listeners: Vec<ListenerConfig> =
        plain.iter().map(|&address| ListenerConfig { address, tls: None }).collect();
    if !secure.is_empty() {
        let identity = tls_identity(settings, folder, serve, certificate)?;
        let tls =
            server_config(&[identity], settings.tls.client_certificates).map_err(|error| {
                complain(&error.to_string());
                Exit::Unreadable
            })?;
        listeners.extend(
            secure.iter().map(|&address| ListenerConfig { address, tls: Some(tls.clone()) }),
        );
    }
    let workers = serve.workers.or(settings.workers).unwrap_or_else(cores);
    let limits: Limits = settings.limits.clone();
    let bound = Server::bind(listeners, limits, workers).map_err(|error| remote(&error))?;
    let found = bound.addresses();
    Ok(Listening {
        plain: found.first().copied().filter(|_| !plain.is_empty()),
        tls: found.get(plain.len()).copied(),
        bound,
    })
}

fn tls_identity(
    settings: &GatewaySettings,
    folder: Option<&Path>,
    serve: &Serve,
    made: Option<TlsIdentity>,
) -> Result<TlsIdentity, Exit> {
    let own = |file: &Path| folder.map_or_else(|| file.to_owned(), |it| it.join(file));
    let files = match (&serve.tls_cert, &serve.tls_key, &settings.tls.cert, &settings.tls.key) {
        (Some(cert), Some(key), ..) => Some((cert.clone(), key.clone())),
        (_, _, Some(cert), Some(key)) => Some((own(cert), own(key))),
        _ => None,
    };
    let Some((cert, key)) = files else {
        return made.ok_or_else(|| {
            complain("TLS needs --tls-cert and --tls-key, `tls:` in portcullis.yaml, or --tls-dev");
            Exit::Usage
        });
    };
    Ok(TlsIdentity::new(pem(&cert)?, pem(&key)?))
}

/// The text of a PEM file.
pub(crate) fn pem(path: &Path) -> Result<String, Exit> {
    String::from_utf8(read(path)?).map_err(|_| unreadable(path, &"it is not PEM"))
}

async fn admin(
    settings: &GatewaySettings,
    serve: &Serve,
    defaults: &Defaults,
    gateway: &Arc<Gateway>,
) -> Result<Option<SocketAddr>, Exit> {
    let address = serve.admin.as_ref().or(settings.admin.as_ref()).or(defaults.admin.as_ref());
    let Some(address) = address else { return Ok(None) };
    let address = parse_address(address, Ipv4Addr::LOCALHOST)?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| remote(&format!("admin listener {address}: {error}")))?;
    let address = listener.local_addr().map_err(|error| remote(&error))?;
    let service = AdminService::new(gateway.clone());
    let forever = std::future::pending();
    tokio::spawn(transport::serve_here(listener, None, Limits::default(), service, forever));
    Ok(Some(address))
}

/// The texts of a configuration in memory.
fn memory(origin: &Origin) -> Option<Source> {
    match origin {
        Origin::Memory(source) => Some(source.clone()),
        _ => None,
    }
}

/// Where the gateway is reached from this machine.
fn gateway_url(plain: Option<SocketAddr>, tls: Option<SocketAddr>) -> String {
    let url = |scheme: &str, at: SocketAddr| format!("{scheme}://localhost:{}", at.port());
    let secure = tls.map(|it| url("https", it));
    plain.map(|it| url("http", it)).or(secure).unwrap_or_default()
}

fn addresses(texts: &[String]) -> Result<Vec<SocketAddr>, Exit> {
    texts.iter().map(|it| parse_address(it, Ipv4Addr::UNSPECIFIED)).collect()
}

/// `:8080`, `127.0.0.1:8080`, `localhost:8080`.
pub(crate) fn parse_address(text: &str, any: Ipv4Addr) -> Result<SocketAddr, Exit> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let port: Option<u16> = port.parse().ok();
    let address = match (host, port) {
        ("", Some(port)) => Some(SocketAddr::from((any, port))),
        ("localhost", Some(port)) => Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        _ => text.parse().ok(),
    };
    address.ok_or_else(|| {
        complain(&format!("`{text}` is no address; write `:8080` or `127.0.0.1:8080`"));
        Exit::Usage
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Prints what a load found.
pub(crate) fn report(loaded: &Loaded, colours: Colours) {
    for diagnostic in &loaded.diagnostics {
        if diagnostic.severity != document::Severity::Note {
            mention(&render::human(diagnostic, &loaded.sources, colours));
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Exit> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Exit {
    complain(&format!("{}: {error}", path.display()));
    Exit::Unreadable
}

pub(crate) fn remote(error: &dyn std::fmt::Display) -> Exit {
    complain(&error.to_string());
    Exit::Remote
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_its_host_to_us() {
        let parse = |text| parse_address(text, Ipv4Addr::UNSPECIFIED).ok().map(|it| it.to_string());
        assert_eq!(parse(":8080").as_deref(), Some("0.0.0.0:8080"));
        assert_eq!(parse("8080").as_deref(), Some("0.0.0.0:8080"));
        assert_eq!(parse("localhost:1").as_deref(), Some("127.0.0.1:1"));
        assert_eq!(parse("[::1]:1").as_deref(), Some("[::1]:1"));
        assert_eq!(parse("nowhere:x"), None);
    }
}
