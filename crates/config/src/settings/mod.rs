//! `portcullis.yaml`: what Azure has no place for, and, for newcomers, whole entities.
//!
//! Unknown keys are errors with a suggestion. Secrets come from `env:`, `file:` or `keyvault:`.

mod address;
mod ai;
mod authorizations;
mod caches;
mod certificates;
mod counters;
mod expressions;
mod hosts;
mod keys;
mod limits;
mod management;
mod quantity;
mod store;
mod telemetry;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use document::Diagnostic;
use transport::{ClientCertificates, HostMap, Limits};

pub use authorizations::ConnectionSetting;
pub use caches::CacheBounds;
pub use certificates::CertificateSetting;
pub use counters::{CounterSettings, CounterStore};
pub use hosts::HostSetting;
pub use keys::KeySetting;
pub use management::{IssuerSetting, ManagementSetting};
pub use store::StoreSetting;
pub use telemetry::TelemetrySettings;

pub(crate) use quantity::{bytes, duration};

use crate::codes;
use crate::entity::Entities;
use crate::secret_source::SecretSource;
use crate::single_file;
use crate::snapshot::Settings;
use crate::tree::{Fields, Keys, Tree};

/// Keys of the plan that this version does not have.
const LATER: &[&str] = &["console"];

/// Settings of the gateway as a process. Flags and variables of the command line go over them.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// Addresses of HTTP listeners: `:8080`, `127.0.0.1:8080`.
    pub listen: Vec<String>,
    /// Addresses of HTTPS listeners.
    pub tls_listen: Vec<String>,
    /// Certificate, key and further roots.
    pub tls: TlsSetting,
    /// Address of the admin listener.
    pub admin: Option<String>,
    /// How long requests may go on once the process is asked to stop. Default 30 s.
    pub drain: Duration,
    /// Number of workers; none: one per core.
    pub workers: Option<usize>,
    /// Bounds of listeners.
    pub limits: Limits,
    /// Largest body that is held in memory for policies.
    pub max_buffered_body_bytes: usize,
    /// Where and how rate limits and quotas are counted.
    pub counters: CounterSettings,
    /// The database that the configuration is read from; none: the files beside the settings.
    pub store: Option<StoreSetting>,
    /// What the gateway tells a collector.
    pub telemetry: TelemetrySettings,
    /// Bounds of the caches.
    pub caches: CacheBounds,
    /// The policies for model APIs.
    pub ai: pipeline::AiSettings,
    /// The PostgreSQL database of semantic caches; none: they are in this process.
    pub semantic_store: Option<SecretSource>,
    /// Host names that are reached elsewhere.
    pub hosts: Vec<HostSetting>,
    /// Certificates.
    pub certificates: Vec<CertificateSetting>,
    /// Connections of credential providers.
    pub authorizations: Vec<ConnectionSetting>,
    /// Keys of subscriptions.
    pub keys: Vec<KeySetting>,
    /// The management API.
    pub management: ManagementSetting,
    /// Tokens: who may be asked.
    pub identity: IdentitySettings,
    /// What `context.Deployment` shows.
    pub gateway: GatewayName,
    /// How expressions are compiled.
    pub expressions: expr::Options,
    /// What a request sees.
    pub requests: Settings,
}

/// Files of TLS, relative to the settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSetting {
    /// The certificate chain of HTTPS listeners, as PEM.
    pub cert: Option<PathBuf>,
    /// Its private key, as PEM.
    pub key: Option<PathBuf>,
    /// Further roots that are trusted in calls to backends and providers, as PEM.
    pub ca: Vec<PathBuf>,
    /// Roots of client certificates, as PEM; none: those that calls trust.
    pub client_ca: Vec<PathBuf>,
    /// What is asked of clients.
    pub client_certificates: ClientCertificates,
}

impl Default for TlsSetting {
    fn default() -> Self {
        Self {
            cert: None,
            key: None,
            ca: Vec::new(),
            client_ca: Vec::new(),
            client_certificates: ClientCertificates::Accepted,
        }
    }
}

/// Settings of inbound tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentitySettings {
    /// Hosts of OpenID providers that may be asked over plain HTTP.
    pub allow_http: Vec<String>,
}

/// Names of the gateway and its service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayName {
    /// Name of the gateway; none: it is the managed one.
    pub name: Option<String>,
    /// Location.
    pub region: Option<String>,
    /// Id of the service.
    pub service_id: Option<String>,
    /// Name of the service.
    pub service_name: Option<String>,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            tls_listen: Vec::new(),
            tls: TlsSetting::default(),
            admin: None,
            drain: Duration::from_secs(30),
            workers: None,
            limits: Limits::default(),
            max_buffered_body_bytes: pipeline::DEFAULT_MAX_BUFFERED_BODY_BYTES,
            store: None,
            telemetry: TelemetrySettings::default(),
            counters: CounterSettings::default(),
            caches: CacheBounds::default(),
            ai: pipeline::AiSettings::default(),
            semantic_store: None,
            hosts: Vec::new(),
            certificates: Vec::new(),
            authorizations: Vec::new(),
            keys: Vec::new(),
            management: ManagementSetting::default(),
            identity: IdentitySettings::default(),
            gateway: GatewayName::default(),
            expressions: expr::Options::default(),
            requests: Settings::default(),
        }
    }
}

impl GatewaySettings {
    /// The host map of `hosts:`. CA files are read here, relative to `folder`.
    pub fn host_map(&self, folder: Option<&Path>) -> (HostMap, Vec<Diagnostic>) {
        hosts::map(&self.hosts, folder)
    }

    /// Reads the settings and the entities of a `portcullis.yaml`.
    pub(crate) fn read(
        tree: &Tree,
        problems: &RefCell<Vec<Diagnostic>>,
        source: &crate::Source,
    ) -> (Self, Entities) {
        let fields = Fields::new(tree, Keys::Known, problems);
        let (ai, semantic_store) = ai::read(&fields);
        let mut settings = Self {
            listen: addresses(&fields, "listen"),
            tls_listen: addresses(&fields, "tls-listen"),
            admin: addresses(&fields, "admin").pop(),
            hosts: hosts::read(&fields),
            certificates: certificates::read(&fields),
            authorizations: authorizations::read(&fields),
            keys: keys::read(&fields),
            management: management::read(&fields),
            counters: counters::read(&fields),
            ai,
            semantic_store,
            store: store::read(&fields),
            telemetry: telemetry::read(&fields),
            ..Self::default()
        };
        if let Some(drain) = quantity::duration(&fields, "drain") {
            settings.drain = drain;
        }
        settings.workers = fields.number("workers").and_then(|it| usize::try_from(it).ok());
        if let Some(limits) = fields.map("limits") {
            limits::read(&limits, &mut settings);
            settings.caches = caches::read(&limits);
            limits.finish();
        }
        if let Some(of_expressions) = fields.map("expressions") {
            settings.expressions = expressions::read(&of_expressions);
            of_expressions.finish();
        }
        if let Some(tls) = fields.map("tls") {
            settings.tls = read_tls(&tls);
            tls.finish();
        }
        if let Some(identity) = fields.map("identity") {
            settings.identity = read_identity(&identity);
            identity.finish();
        }
        if let Some(gateway) = fields.map("gateway") {
            settings.gateway = read_gateway(&gateway);
            gateway.finish();
        }
        settings.requests = Settings {
            strip_subscription_keys: fields.bool("strip-subscription-keys").unwrap_or(false),
            any_protocol: fields.bool("any-protocol").unwrap_or(false),
            enforce_subscription_dates: fields.bool("enforce-subscription-dates").unwrap_or(false),
        };
        let entities = single_file::read(&fields, source);
        for key in LATER {
            if let Some(tree) = fields.get(key) {
                let message = format!("`{key}` is not in this version");
                fields.report(tree.error(codes::NOT_SUPPORTED, message));
            }
        }
        fields.finish();
        (settings, entities)
    }
}

fn read_identity(fields: &Fields<'_, '_>) -> IdentitySettings {
    let hosts = fields.list("allow-http").into_iter();
    IdentitySettings { allow_http: hosts.filter_map(|it| it.scalar().map(str::to_owned)).collect() }
}

fn read_gateway(fields: &Fields<'_, '_>) -> GatewayName {
    GatewayName {
        name: fields.filled("name"),
        region: fields.filled("region"),
        service_id: fields.filled("service-id"),
        service_name: fields.filled("service-name"),
    }
}

fn read_tls(fields: &Fields<'_, '_>) -> TlsSetting {
    let files = |key| -> Vec<PathBuf> {
        let all = fields.list(key).into_iter();
        all.filter_map(|it| it.scalar().map(PathBuf::from)).collect()
    };
    let client_certificates = match fields.filled("client-certificates").as_deref() {
        None | Some("optional") => ClientCertificates::Accepted,
        Some("required") => ClientCertificates::Required,
        Some("ignored") => ClientCertificates::Ignored,
        Some(other) => {
            let message = format!("`{other}` is not `optional`, `required` or `ignored`");
            fields.report(fields.tree().error(codes::BAD_VALUE, message));
            ClientCertificates::Required
        }
    };
    let (cert, key) = (fields.filled("cert"), fields.filled("key"));
    if cert.is_some() != key.is_some() {
        let message = "`tls` needs both `cert` and `key`";
        fields.report(fields.tree().error(codes::MISSING, message));
    }
    TlsSetting {
        cert: cert.map(PathBuf::from),
        key: key.map(PathBuf::from),
        ca: files("ca"),
        client_ca: files("client-ca"),
        client_certificates,
    }
}

/// Listener addresses: `:port` or `host:port`; one or a list.
fn addresses(fields: &Fields<'_, '_>, key: &'static str) -> Vec<String> {
    let mut found = Vec::new();
    for tree in fields.list(key) {
        let text = tree.scalar().unwrap_or("").trim();
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none() {
            let message = format!("`{text}` is no listener address");
            fields.report(
                tree.error(codes::BAD_VALUE, message).help("write `:8080` or `127.0.0.1:8080`"),
            );
            continue;
        }
        found.push(text.to_owned());
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::tree::tests::yaml;

    pub(crate) fn read(text: &str) -> (GatewaySettings, Vec<String>) {
        let (tree, problems) = (yaml(text), RefCell::default());
        let (settings, _) = GatewaySettings::read(&tree, &problems, &crate::Source::default());
        let told =
            problems.borrow().iter().map(|it| format!("{} {}", it.code, it.message)).collect();
        (settings, told)
    }

    #[test]
    fn every_setting_is_read() {
        let (it, problems) = read(
            "listen: ':8080'\ntls-listen: ['127.0.0.1:8443', ':9443']\nadmin: 127.0.0.1:8081\ndrain: 1m\n\
             workers: 2\nlimits: { max-body: 1MiB, head-timeout: 5s, buffered-body: 2MiB }\n\
             tls: { cert: a.pem, key: b.pem, ca: c.pem, client-ca: d.pem, client-certificates: required }\nidentity: { allow-http: [localhost] }\n\
             gateway: { name: g, region: r, service-name: s, service-id: i }\n\
             strip-subscription-keys: true\nany-protocol: true\nenforce-subscription-dates: true\n",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(
            (it.listen.len(), it.tls_listen.len(), it.admin.as_deref()),
            (1, 2, Some("127.0.0.1:8081"))
        );
        assert_eq!((it.drain, it.workers), (Duration::from_secs(60), Some(2)));
        assert_eq!(
            (it.limits.max_body_bytes, it.limits.head_timeout),
            (1 << 20, Duration::from_secs(5))
        );
        assert_eq!(it.max_buffered_body_bytes, 2 << 20);
        assert_eq!(it.tls.ca, [PathBuf::from("c.pem")]);
        assert_eq!(it.tls.client_ca, [PathBuf::from("d.pem")]);
        assert_eq!(it.tls.client_certificates, ClientCertificates::Required);
        assert_eq!(it.identity.allow_http, ["localhost"]);
        assert_eq!(it.gateway.name.as_deref(), Some("g"));
        assert!(it.requests.strip_subscription_keys && it.requests.any_protocol);
        assert!(it.requests.enforce_subscription_dates);
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        let (it, problems) = read("{}");
        assert!(problems.is_empty() && it.listen.is_empty());
        assert_eq!(it.drain, Duration::from_secs(30));
    }

    #[test]
    fn mistakes_are_told() {
        for (text, problem) in [
            ("lisen: ':1'", "PC0503 unknown key `lisen`"),
            ("listen: localhost", "PC0506 `localhost` is no listener address"),
            ("tls: { cert: a }", "PC0505 `tls` needs both `cert` and `key`"),
            (
                "tls: { client-certificates: yes }",
                "PC0506 `yes` is not `optional`, `required` or `ignored`",
            ),
            ("drain: soon", "PC0506 `soon` is no time"),
            ("limits: { bodies: 1 }", "PC0503 unknown key `bodies`"),
            ("console: { a: b }", "PC0507 `console` is not in this version"),
            ("gateway: { nmae: x }", "PC0503 unknown key `nmae`"),
        ] {
            assert_eq!(read(text).1, [problem], "{text}");
        }
    }
}
