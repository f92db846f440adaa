//! Where tokens come from, as the variables of the environment say.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use transport::Secret;
use url::Url;

use super::ManagedIdentityError;
use crate::fetch::is_loopback;

const IMDS: &str = "http://169.254.169.254";
const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com/";
const ARC_ENDPOINT: &str = "http://localhost:40342/metadata/identity/oauth2/token";
/// Where Azure Arc puts the files that its challenge names.
const ARC_KEY_DIRECTORY: &str = "/var/opt/azcmagent/tokens";

/// A source that can be chosen.
#[derive(Clone, Debug)]
pub enum IdentitySource {
    /// The metadata service of virtual machines and clusters.
    Imds {
        /// Scheme, host and port.
        base: Url,
    },
    /// App Service, Functions, Container Apps. The variables are read for every call, because
    /// the platform changes them while the process runs.
    AppService(Environment),
    /// A federated token of the platform, exchanged at Entra ID.
    Workload(WorkloadIdentity),
    /// The service of a server connected with Azure Arc.
    Arc {
        /// Its address.
        endpoint: Url,
        /// Where the files of its challenge must lie.
        key_directory: PathBuf,
    },
    /// Always this token: for tests and for running without Azure.
    Fixed(Secret),
}

/// Workload identity federation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadIdentity {
    /// The token service, as `https://login.microsoftonline.com/`.
    pub authority: Url,
    /// The tenant.
    pub tenant_id: String,
    /// The application or user-assigned identity, unless a policy names another.
    pub client_id: String,
    /// The file with the platform's token; read for every exchange.
    pub token_file: PathBuf,
}

/// Looks a variable up.
#[derive(Clone)]
pub struct Environment(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Environment {
    /// Variables that a closure knows.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// The variables of this process.
    pub fn of_process() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// The value, if there is one that is not empty.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|it| !it.is_empty())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment(..)")
    }
}

impl IdentitySource {
    /// Chooses as the client libraries of Azure do, workload identity first.
    ///
    /// # Errors
    ///
    /// [`ManagedIdentityError::Misconfigured`] if a variable has no usable value, or only the
    /// protocol of 2017 is offered.
    pub fn from_environment(environment: Environment) -> Result<Self, ManagedIdentityError> {
        let has = |name: &str| environment.get(name).is_some();
        if let Some(workload) = workload_identity(&environment)? {
            return Ok(Self::Workload(workload));
        }
        match environment.get("IDENTITY_ENDPOINT") {
            Some(_) if has("IDENTITY_HEADER") && has("IDENTITY_SERVER_THUMBPRINT") => {
                return Err(misconfigured(
                    "Service Fabric",
                    "its managed identity is not supported",
                ));
            }
            Some(_) if has("IDENTITY_HEADER") => return Ok(Self::AppService(environment)),
            Some(endpoint) if has("IMDS_ENDPOINT") => {
                let endpoint = url("Azure Arc", "IDENTITY_ENDPOINT", &endpoint)?;
                return Ok(Self::Arc { endpoint, key_directory: ARC_KEY_DIRECTORY.into() });
            }
            _ => {}
        }
        if has("MSI_ENDPOINT") {
            let reason = "`MSI_ENDPOINT` offers the protocol of 2017, which is not supported";
            return Err(misconfigured("App Service", reason));
        }
        let base = environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        let base =
            url("IMDS", "AZURE_POD_IDENTITY_AUTHORITY_HOST", base.as_deref().unwrap_or(IMDS))?;
        Ok(Self::Imds { base })
    }

    /// The service of Azure Arc at its usual address.
    ///
    /// # Errors
    ///
    /// Never with the built-in address; the signature is that of the others.
    pub fn arc() -> Result<Self, ManagedIdentityError> {
        let endpoint = url("Azure Arc", "the default", ARC_ENDPOINT)?;
        Ok(Self::Arc { endpoint, key_directory: ARC_KEY_DIRECTORY.into() })
    }

    /// What to call it in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Imds { .. } => "IMDS",
            Self::AppService(_) => "App Service",
            Self::Workload(_) => "workload identity",
            Self::Arc { .. } => "Azure Arc",
            Self::Fixed(_) => "fixed token",
        }
    }
}

fn workload_identity(
    environment: &Environment,
) -> Result<Option<WorkloadIdentity>, ManagedIdentityError> {
    let all = (
        environment.get("AZURE_FEDERATED_TOKEN_FILE"),
        environment.get("AZURE_CLIENT_ID"),
        environment.get("AZURE_TENANT_ID"),
    );
    let (Some(token_file), Some(client_id), Some(tenant_id)) = all else { return Ok(None) };
    let authority = environment.get("AZURE_AUTHORITY_HOST");
    let authority = authority.as_deref().unwrap_or(PUBLIC_AUTHORITY);
    let name = "workload identity";
    let authority = url(name, "AZURE_AUTHORITY_HOST", authority)?;
    if authority.scheme() != "https" && !is_loopback(&authority) {
        return Err(misconfigured(name, "`AZURE_AUTHORITY_HOST` must be an https address"));
    }
    let is_plain =
        |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || b"-.".contains(&it));
    if !is_plain(&tenant_id) {
        return Err(misconfigured(name, "`AZURE_TENANT_ID` is not a tenant"));
    }
    let token_file = token_file.into();
    Ok(Some(WorkloadIdentity { authority, tenant_id, client_id, token_file }))
}

pub(super) fn url(
    endpoint: &'static str,
    variable: &str,
    text: &str,
) -> Result<Url, ManagedIdentityError> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
        _ => Err(misconfigured(endpoint, &format!("`{variable}` is not an http or https address"))),
    }
}

pub(super) fn misconfigured(endpoint: &'static str, reason: &str) -> ManagedIdentityError {
    ManagedIdentityError::Misconfigured { endpoint, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(variables: &[(&'static str, &'static str)]) -> Result<IdentitySource, String> {
        let variables = variables.to_vec();
        let lookup =
            move |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        IdentitySource::from_environment(Environment::new(lookup)).map_err(|it| it.to_string())
    }

    const FEDERATED: [(&str, &str); 3] = [
        ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_TENANT_ID", "tenant"),
    ];

    #[test]
    fn the_variables_choose_the_source() {
        let app_service = [("IDENTITY_ENDPOINT", "http://a.test"), ("IDENTITY_HEADER", "h")];
        let all = [&FEDERATED[..], &app_service].concat();
        for (variables, name) in [
            (&[][..], "IMDS"),
            (&[("IDENTITY_ENDPOINT", "http://a.test")], "IMDS"),
            (&[("AZURE_CLIENT_ID", "x"), ("AZURE_TENANT_ID", "y")], "IMDS"),
            (&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://localhost:8091")], "IMDS"),
            (&app_service, "App Service"),
            (
                &[("IDENTITY_ENDPOINT", "http://a.test"), ("IMDS_ENDPOINT", "http://b.test")],
                "Azure Arc",
            ),
            (&FEDERATED, "workload identity"),
            (&all, "workload identity"),
        ] {
            assert_eq!(choose(variables).unwrap().name(), name, "{variables:?}");
        }
        assert_eq!(IdentitySource::arc().unwrap().name(), "Azure Arc");
    }

    #[test]
    fn values_that_cannot_be_meant_are_refused() {
        let with = |name, value| choose(&[&FEDERATED[..], &[(name, value)]].concat());
        assert!(with("AZURE_AUTHORITY_HOST", "http://a.test").unwrap_err().contains("https"));
        assert!(
            with("AZURE_AUTHORITY_HOST", "a.test").unwrap_err().contains("AZURE_AUTHORITY_HOST")
        );
        assert!(with("AZURE_AUTHORITY_HOST", "http://localhost:1").is_ok());
        let tenant = [FEDERATED[0], FEDERATED[1], ("AZURE_TENANT_ID", "a/b")];
        assert!(choose(&tenant).unwrap_err().contains("AZURE_TENANT_ID"));
        let old = choose(&[("MSI_ENDPOINT", "http://a.test")]).unwrap_err();
        assert!(old.contains("2017"), "{old}");
        let bad = [("IDENTITY_ENDPOINT", "x"), ("IMDS_ENDPOINT", "y")];
        assert!(choose(&bad).unwrap_err().contains("IDENTITY_ENDPOINT"));
        let fabric = [
            ("IDENTITY_ENDPOINT", "https://a"),
            ("IDENTITY_HEADER", "h"),
            ("IDENTITY_SERVER_THUMBPRINT", "t"),
        ];
        assert!(choose(&fabric).unwrap_err().contains("Service Fabric"));
    }
}
