//! What `dev` and `simulate` leave for other programs: certificates, addresses.
//!
//! | file in the data folder | what |
//! |---|---|
//! | `ca.pem`, `ca-key.pem` | the local certificate authority, made once |
//! | `ca-bundle.pem` | the system's roots and ours, for clients that replace their trust store |
//! | `addresses.json` | where everything listens: the same object as `--ready-file` |

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use simulator::{Addresses, LocalCa, Ports, Seed};

use crate::cli::PortChoice;

/// Where everything listens and who one may be there. All values are URLs unless the name says
/// otherwise; what does not run is left out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub(crate) struct Ready {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gateway: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gateway_tls: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) management: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) azure_openai: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entra: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) imds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_service_identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_vault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mcp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cosmos: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_bundle_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity_header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) azure_openai_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cosmos_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subscription_key: Option<String>,
}

impl Ready {
    /// The stand-ins' part.
    pub(crate) fn stand_ins(addresses: Addresses, seed: &Seed, folder: &Folder) -> Self {
        let url = |scheme: &str, at: Option<std::net::SocketAddr>| {
            at.map(|it| format!("{scheme}://localhost:{}", it.port()))
        };
        // IMDS clients compare nothing, but some resolve `localhost` to an address nobody serves.
        let imds = addresses.imds.map(|it| format!("http://127.0.0.1:{}", it.port()));
        Self {
            azure_openai: url("http", addresses.azure_openai),
            entra: url("https", addresses.entra),
            app_service_identity: imds.as_ref().map(|it| format!("{it}/msi/token")),
            imds,
            key_vault: url("https", addresses.key_vault),
            mcp: url("http", addresses.mcp).map(|it| format!("{it}/mcp")),
            cosmos: url("http", addresses.cosmos),
            ca_file: Some(folder.ca_file()),
            ca_bundle_file: Some(folder.ca_bundle_file()),
            tenant_id: Some(seed.tenant_id.clone()),
            client_id: Some(seed.client_id.clone()),
            client_secret: Some(seed.client_secret.clone()),
            identity_header: Some(seed.identity_header.clone()),
            azure_openai_key: Some(seed.openai_key.clone()),
            cosmos_key: Some(seed.cosmos_key.clone()),
            ..Self::default()
        }
    }

    /// What an earlier run wrote.
    pub(crate) fn read(file: &Path) -> io::Result<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
    }

    /// The ports of the stand-ins; 0 for those that did not run.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            azure_openai: port(self.azure_openai.as_deref()),
            entra: port(self.entra.as_deref()),
            imds: port(self.imds.as_deref()),
            key_vault: port(self.key_vault.as_deref()),
            mcp: port(self.mcp.as_deref()),
            cosmos: port(self.cosmos.as_deref()),
        }
    }

    /// Writes it where a waiting program looks. The file appears whole or not at all.
    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        let partial = file.with_extension("partial");
        std::fs::write(&partial, text + "\n")?;
        std::fs::rename(partial, file)
    }
}

/// The port of a URL that we wrote; 0 without one.
pub(crate) fn port(url: Option<&str>) -> u16 {
    let authority = url.and_then(|it| it.split("//").nth(1)).and_then(|it| it.split('/').next());
    authority.and_then(|it| it.rsplit(':').next()).and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// The data folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Whether `portcullis env` finds it without being told.
    is_usual: bool,
}

impl Folder {
    /// The folder that was asked for, else the user's state folder. It need not be there.
    pub(crate) fn existing(asked: Option<&Path>) -> Self {
        let usual = || {
            let variable = std::env::var_os("PORTCULLIS_DATA_DIR").filter(|it| !it.is_empty());
            variable.map_or_else(|| state_folder().join("portcullis"), PathBuf::from)
        };
        let path = asked.map_or_else(usual, Path::to_owned);
        let is_usual = path == usual();
        Self { path, is_usual }
    }

    /// As [`Folder::existing`], made if it is not there.
    pub(crate) fn open(asked: Option<&Path>) -> io::Result<Self> {
        let Self { path, is_usual } = Self::existing(asked);
        std::fs::create_dir_all(&path)?;
        Ok(Self { path: std::path::absolute(path)?, is_usual })
    }

    /// The folder that was asked for; else, for a run whose ports the system chooses, a new one of
    /// this process alone, and the user's otherwise.
    pub(crate) fn choose(asked: Option<&Path>, ports: &PortChoice) -> io::Result<Self> {
        match (asked, ports) {
            (None, PortChoice::Ephemeral) => Self::fresh(),
            (None, PortChoice::Same(file)) => Self::open(file.parent()),
            (asked, _) => Self::open(asked),
        }
    }

    fn fresh() -> io::Result<Self> {
        let name = format!("portcullis-{}", uuid::Uuid::new_v4().simple());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self { path: folder, is_usual: false })
    }

    /// Whether `portcullis env` finds it without being told.
    pub(crate) fn is_usual(&self) -> bool {
        self.is_usual
    }

    /// Its path, for people.
    pub(crate) fn display(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.path.join("ca.pem")
    }

    pub(crate) fn ca_bundle_file(&self) -> PathBuf {
        self.path.join("ca-bundle.pem")
    }

    pub(crate) fn addresses_file(&self) -> PathBuf {
        self.path.join("addresses.json")
    }

    /// The local authority; writes the bundle, too.
    pub(crate) fn authority(&self) -> io::Result<LocalCa> {
        let ca = LocalCa::load_or_generate(&self.path)?;
        let mut bundle = String::new();
        for certificate in rustls_native_certs::load_native_certs().certs {
            bundle.push_str(&pem(&certificate));
        }
        bundle.push_str(ca.certificate_pem());
        std::fs::write(self.ca_bundle_file(), bundle)?;
        Ok(ca)
    }

    /// What a running `dev` or `simulate` wrote.
    pub(crate) fn addresses(&self) -> io::Result<Ready> {
        Ready::read(&self.addresses_file())
    }
}

fn state_folder() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    from("XDG_STATE_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir)
}

fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let folder = Folder::fresh().unwrap();
        let ready = Ready { gateway: Some("http://localhost:1".into()), ..Ready::default() };
        ready.write(&folder.addresses_file()).unwrap();
        assert_eq!(folder.addresses().unwrap(), ready);
        std::fs::remove_dir_all(folder.path).unwrap();
    }

    #[test]
    fn ports_are_read_back_from_urls() {
        assert_eq!(port(Some("http://127.0.0.1:81/msi/token")), 81);
        assert_eq!(port(Some("https://localhost:8445")), 8445);
        assert_eq!(port(None), 0);
    }

    #[test]
    fn the_bundle_holds_our_authority() {
        let folder = Folder::fresh().unwrap();
        let ca = folder.authority().unwrap();
        let bundle = std::fs::read_to_string(folder.ca_bundle_file()).unwrap();
        assert!(bundle.ends_with(ca.certificate_pem()));
        std::fs::remove_dir_all(folder.path).unwrap();
    }
}
