//! The logger entities of a snapshot, as `log-to-eventhub` finds them when it is compiled.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-log-event-hubs>

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use telemetry::Rotation;
use transport::Secret;
use url::Url;

/// Logger entities by name, compared without case.
#[derive(Debug, Default)]
pub struct Loggers(BTreeMap<String, Arc<Logger>>);

/// A logger entity.
#[derive(Debug, PartialEq, Eq)]
pub struct Logger {
    /// Its name.
    pub id: String,
    /// Whether events may wait to be sent together.
    pub is_buffered: bool,
    /// Where events go.
    pub target: LogTarget,
}

/// Where events go.
#[derive(Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// An event hub, over its HTTPS interface.
    EventHub(EventHub),
    /// A file, one line of JSON an event.
    File(LogFile),
    /// The gateway's own log, and what it sends to OpenTelemetry: Azure's type `azureMonitor`. Only
    /// diagnostics go there.
    Own,
    /// Secrets were not read, as when a configuration is only checked.
    Unread,
    /// Events cannot go there, and why.
    Unusable(String),
}

/// A file of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// How large it may grow, and how many are kept.
    pub rotation: Rotation,
}

/// An event hub.
#[derive(Debug, PartialEq, Eq)]
pub struct EventHub {
    /// `https://NAMESPACE.servicebus.windows.net/HUB`.
    pub url: Url,
    /// How the gateway says who it is.
    pub credentials: HubCredentials,
}

/// How the gateway says who it is to an event hub.
#[derive(Debug, PartialEq, Eq)]
pub enum HubCredentials {
    /// A shared access key and its name.
    SharedKey {
        /// The key's name.
        name: String,
        /// The key.
        key: Secret,
    },
    /// A token of the gateway's managed identity; of the system-assigned one without a client id.
    ManagedIdentity {
        /// The user-assigned identity.
        client_id: Option<String>,
    },
}

/// Why the description of an event hub cannot be used. Shows nothing of what may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEventHub {
    /// There is no such part, or it is empty.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The endpoint is no host or `sb://` URL.
    #[error("the endpoint is no address")]
    Endpoint,
}

impl EventHub {
    /// An event hub with the connection string that Azure shows for it; `name` is the hub's name,
    /// if the string does not tell it as `EntityPath`.
    ///
    /// # Errors
    ///
    /// What is missing in it.
    pub fn from_connection_string(text: &str, name: Option<&str>) -> Result<EventHub, BadEventHub> {
        let part = |wanted: &str| {
            let pairs = text.split(';').filter_map(|it| it.split_once('='));
            let mut found = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(wanted));
            found.next().map(|(_, value)| value.trim()).filter(|it| !it.is_empty())
        };
        let name = name.or(part("EntityPath")).ok_or(BadEventHub::Missing("name"))?;
        let endpoint = part("Endpoint").ok_or(BadEventHub::Missing("Endpoint"))?;
        let key_name =
            part("SharedAccessKeyName").ok_or(BadEventHub::Missing("SharedAccessKeyName"))?;
        let key = part("SharedAccessKey").ok_or(BadEventHub::Missing("SharedAccessKey"))?;
        let credentials =
            HubCredentials::SharedKey { name: key_name.to_owned(), key: Secret::new(key) };
        Ok(EventHub { url: hub_url(endpoint, name)?, credentials })
    }

    /// An event hub that knows the gateway's managed identity.
    ///
    /// # Errors
    ///
    /// The endpoint is no address.
    pub fn with_identity(
        endpoint: &str,
        name: &str,
        client_id: Option<String>,
    ) -> Result<EventHub, BadEventHub> {
        let credentials = HubCredentials::ManagedIdentity { client_id };
        Ok(EventHub { url: hub_url(endpoint, name)?, credentials })
    }
}

/// The HTTPS interface of a hub at an endpoint, which is written as a host or an `sb://` URL.
fn hub_url(endpoint: &str, name: &str) -> Result<Url, BadEventHub> {
    let host = endpoint.trim().trim_end_matches('/');
    let host = host.split_once("://").map_or(host, |(_, host)| host);
    let mut url = Url::parse(&format!("https://{host}/")).map_err(|_| BadEventHub::Endpoint)?;
    if host.is_empty() || host.contains(['/', '@', '?', '#']) {
        return Err(BadEventHub::Endpoint);
    }
    let mut path = url.path_segments_mut().map_err(|()| BadEventHub::Endpoint)?;
    path.pop_if_empty().push(name.trim());
    drop(path);
    Ok(url)
}

impl Loggers {
    /// The logger of that name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Logger>> {
        self.0.get(&id.to_lowercase())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Logger>> {
        self.0.values()
    }

    /// The names, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|it| it.id.as_str())
    }
}

impl FromIterator<Logger> for Loggers {
    fn from_iter<I: IntoIterator<Item = Logger>>(loggers: I) -> Loggers {
        Loggers(loggers.into_iter().map(|it| (it.id.to_lowercase(), Arc::new(it))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;\
                        SharedAccessKey=a2V5=;EntityPath=hub";

    #[test]
    fn a_connection_string_is_taken_apart() {
        let hub = EventHub::from_connection_string(TEXT, None).unwrap();
        assert_eq!(hub.url.as_str(), "https://ns.servicebus.windows.net/hub");
        let expected =
            HubCredentials::SharedKey { name: "send".to_owned(), key: Secret::new("a2V5=") };
        assert_eq!(hub.credentials, expected);
        assert!(!format!("{hub:?}").contains("a2V5"));

        let other = EventHub::from_connection_string(TEXT, Some("other one")).unwrap();
        assert_eq!(other.url.path(), "/other%20one");
    }

    #[test]
    fn what_is_missing_is_told_without_the_secret() {
        for (text, expected) in [
            ("", "`name` is missing"),
            ("EntityPath=h;Endpoint=", "`Endpoint` is missing"),
            ("EntityPath=h;Endpoint=sb://n/", "`SharedAccessKeyName` is missing"),
            ("EntityPath=h;Endpoint=sb://n/;SharedAccessKeyName=s", "`SharedAccessKey` is missing"),
            (
                "EntityPath=h;Endpoint=sb://n/x;SharedAccessKeyName=s;SharedAccessKey=k",
                "the endpoint is no address",
            ),
        ] {
            let problem = EventHub::from_connection_string(text, None).unwrap_err();
            assert_eq!(problem.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_a_host_or_a_url() {
        for endpoint in [
            "ns.servicebus.windows.net",
            "sb://ns.servicebus.windows.net/",
            " https://ns.servicebus.windows.net",
        ] {
            let hub = EventHub::with_identity(endpoint, "hub", None).unwrap();
            assert_eq!(hub.url.as_str(), "https://ns.servicebus.windows.net/hub");
        }
        assert!(EventHub::with_identity("", "hub", None).is_err());
    }

    #[test]
    fn loggers_are_found_without_regard_to_case() {
        let target = LogTarget::Unread;
        let loggers: Loggers =
            [Logger { id: "Hub".to_owned(), is_buffered: true, target }].into_iter().collect();
        assert!(loggers.get("hUB").is_some() && loggers.get("x").is_none());
        assert_eq!(loggers.names().collect::<Vec<_>>(), ["Hub"]);
    }
}
