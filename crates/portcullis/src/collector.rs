//! The exporter to an OpenTelemetry collector, made when the process starts if `telemetry:` or
//! OpenTelemetry's variables name one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::{Environment, SecretProvider, TelemetrySettings};
use otlp::{Exporter, Given, Settings, Signal};
use pipeline::Services;
use telemetry::{Gauge, Metric, Metrics, Outbox};
use transport::{CallOptions, Client, ClientConfig, ClientIdentity, Roots, Secret};

use crate::commands::complain;
use crate::exit::Exit;

/// Most spans, and most log records, that wait to be sent.
const MAX_WAITING: usize = 16_384;
/// How long the end of the process waits for the collector.
const AT_THE_END: Duration = Duration::from_secs(5);

const BUILD: Metric<Gauge> = Metric::new("portcullis.build_info", "", "Always 1: the version.");

/// What is sent, and to whom.
#[derive(Debug)]
pub(crate) struct Collector {
    settings: Settings,
    options: CallOptions,
    /// Of a collector with roots of its own.
    roots: Option<Roots>,
    pub(crate) outbox: Arc<Outbox>,
}

/// A collector that is being sent to.
#[derive(Debug)]
pub(crate) struct Sending(Arc<Exporter>);

/// Finds out whether anything is to be sent.
///
/// # Errors
///
/// What the settings or variables say cannot be done; a secret or a file is not to be had.
pub(crate) async fn open(
    settings: &TelemetrySettings,
    folder: Option<&Path>,
    environment: &Environment,
    secrets: &dyn SecretProvider,
) -> Result<Option<Collector>, Exit> {
    let mut headers = Vec::new();
    for (name, source) in &settings.headers {
        let value = source.get(environment, folder, secrets).await;
        headers.push((name.clone(), value.map_err(|why| failed(&why))?));
    }
    let signal = |name: &String| Signal::ALL.into_iter().find(|it| it.name() == name);
    let given = Given {
        endpoint: settings.endpoint.clone(),
        headers,
        protocol: settings.protocol.clone(),
        compression: settings.compression.clone(),
        timeout: settings.timeout,
        interval: settings.interval,
        signals: settings.signals.iter().filter_map(signal).collect(),
        sampling: settings.sampling,
        service_name: settings.service_name.clone(),
        resource: settings.resource.clone(),
    };
    let lookup = |name: &str| environment.get(name).map(str::to_owned);
    let Some(settings) = Settings::read(&given, &lookup).map_err(|why| failed(&why))? else {
        return Ok(None);
    };
    let sampler = settings.sends(Signal::Traces).then_some(settings.sampler);
    let outbox = Outbox::new(sampler, settings.sends(Signal::Logs), MAX_WAITING);
    Ok(Some(Collector {
        settings,
        options: CallOptions { identity: identity(environment)?, ..CallOptions::default() },
        roots: roots(environment)?,
        outbox: Arc::new(outbox),
    }))
}

impl Collector {
    /// Starts to send, on the current runtime.
    pub(crate) fn start(self, client: &Client, services: &Services) -> Sending {
        let client = match self.roots {
            Some(roots) => Client::new(ClientConfig::new(roots, client.hosts())),
            None => client.clone(),
        };
        let metrics: Arc<Metrics> = services.extensions().shared();
        let clock = services.clock.clone();
        let exporter = Exporter::new(
            self.settings,
            Arc::new(client),
            self.options,
            clock,
            metrics,
            self.outbox,
        );
        let exporter = Arc::new(exporter);
        for signal in Signal::ALL {
            let exporter = exporter.clone();
            tokio::spawn(async move { exporter.run(signal).await });
        }
        Sending(exporter)
    }
}

impl Sending {
    /// Sends what waits, if the collector takes it soon.
    pub(crate) async fn finish(&self) {
        if tokio::time::timeout(AT_THE_END, self.0.flush()).await.is_err() {
            tracing::warn!("the collector did not take the last telemetry in time");
        }
    }
}

/// Shows which version runs.
pub(crate) fn show_version(services: &Services) {
    let metrics: Arc<Metrics> = services.extensions().shared();
    metrics.series(&BUILD, &[("version", env!("CARGO_PKG_VERSION"))]).set(1);
}

fn roots(environment: &Environment) -> Result<Option<Roots>, Exit> {
    let file = environment.get("OTEL_EXPORTER_OTLP_CERTIFICATE").filter(|it| !it.is_empty());
    let Some(file) = file else { return Ok(None) };
    let pem = std::fs::read(file).map_err(|error| failed(&format!("{file}: {error}")))?;
    let roots = Roots::none().with_pem(&pem);
    roots.map(Some).map_err(|error| failed(&format!("{file}: {error}")))
}

fn identity(environment: &Environment) -> Result<Option<ClientIdentity>, Exit> {
    let read = |name: &str| {
        let file = environment.get(name).filter(|it| !it.is_empty());
        let text = file.map(|file| {
            std::fs::read_to_string(file).map_err(|error| failed(&format!("{file}: {error}")))
        });
        text.transpose()
    };
    let certificate = read("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE")?;
    let key = read("OTEL_EXPORTER_OTLP_CLIENT_KEY")?;
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            let identity = ClientIdentity::from_pem(&certificate, &Secret::new(key));
            identity.map(Some).map_err(|error| failed(&error))
        }
        _ => Err(failed(&"a client certificate needs its key, and a key its certificate")),
    }
}

fn failed(why: &dyn std::fmt::Display) -> Exit {
    complain(&format!("telemetry: {why}"));
    Exit::Unreadable
}
