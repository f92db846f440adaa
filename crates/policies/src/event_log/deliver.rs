//! One batch on its way: to an event hub over HTTPS, or into a file.
//!
//! Source: <https://learn.microsoft.com/rest/api/eventhub/send-batch-events>

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use identity::ManagedIdentities;
use pipeline::{Body, EventHub, HubCredentials, LogFile, LogTarget, Logger, Response, Services};
use telemetry::rotating_file;

use super::queue::{Event, Partition};
use super::sas::signature;
use crate::outgoing::{Call, request};

/// What a token of the managed identity is for.
const RESOURCE: &str = "https://eventhubs.azure.net";
/// Longest wait for the event hub.
const TIMEOUT: Duration = Duration::from_secs(30);
const BROKER_PROPERTIES: HeaderName = HeaderName::from_static("brokerproperties");
const ONE: HeaderValue = HeaderValue::from_static("application/atom+xml;type=entry;charset=utf-8");
const SEVERAL: HeaderValue = HeaderValue::from_static("application/vnd.microsoft.servicebus.json");

/// Why a batch did not arrive.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The event hub refused it.
    #[error("the event hub answered {0}")]
    Status(u16),
    /// There was no answer.
    #[error("{0}")]
    Unreachable(String),
    /// No token, no address, no file.
    #[error("{0}")]
    Unusable(String),
}

impl Failure {
    /// Whether another try may go better.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Failure::Status(status) => matches!(status, 408 | 429 | 500..),
            Failure::Unreachable(_) => true,
            Failure::Unusable(_) => false,
        }
    }
}

/// Sends events of one partition together.
pub(super) async fn deliver(
    logger: &Logger,
    batch: &[Event],
    services: &Services,
) -> Result<(), Failure> {
    match &logger.target {
        LogTarget::EventHub(hub) => to_hub(hub, batch, services).await,
        LogTarget::File(file) => {
            let text = lines(logger, batch, services.clock.now());
            to_file(file.clone(), text).await
        }
        LogTarget::Own => Err(Failure::Unusable("its type is `azureMonitor`".to_owned())),
        LogTarget::Unread => Err(Failure::Unusable("its secret was not read".to_owned())),
        LogTarget::Unusable(why) => Err(Failure::Unusable(why.clone())),
    }
}

async fn to_file(file: LogFile, text: String) -> Result<(), Failure> {
    let shown = file.path.display().to_string();
    let append = move || rotating_file::append(&file.path, file.rotation, text.as_bytes());
    let written = tokio::task::spawn_blocking(append).await;
    let written = written.unwrap_or_else(|gone| Err(std::io::Error::other(gone)));
    written.map_err(|error| Failure::Unusable(format!("{shown}: {error}")))
}

async fn to_hub(hub: &EventHub, batch: &[Event], services: &Services) -> Result<(), Failure> {
    let Some(first) = batch.first() else { return Ok(()) };
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, authorization(hub, services).await?);
    let base = hub.url.as_str();
    let url = match &first.partition {
        Partition::Any => format!("{base}/messages"),
        Partition::Id(id) => format!("{base}/partitions/{}/messages", pipeline::url::encode(id)),
        Partition::Key(key) => {
            let properties = serde_json::json!({ "PartitionKey": key }).to_string();
            let value = HeaderValue::from_bytes(properties.as_bytes())
                .map_err(|_| Failure::Unusable("the partition key is no header".to_owned()))?;
            headers.insert(BROKER_PROPERTIES, value);
            format!("{base}/messages")
        }
    };
    let (kind, body) = match batch {
        [only] => (ONE, only.text.clone()),
        several => {
            let body: Vec<_> =
                several.iter().map(|it| serde_json::json!({ "Body": it.text })).collect();
            (SEVERAL, serde_json::Value::Array(body).to_string())
        }
    };
    headers.insert(CONTENT_TYPE, kind);
    let uri: Uri = format!("{url}?timeout=60&api-version=2014-01")
        .parse()
        .map_err(|_| Failure::Unusable("the event hub has no URL".to_owned()))?;
    let draft = Response { headers, body: Body::bytes(body), ..Response::default() };
    let unusable = |error: pipeline::PolicyError| Failure::Unusable(error.message().to_owned());
    let request = request(Method::POST, uri, draft).map_err(unusable)?;
    let sent = Call::new(request, Some(TIMEOUT), services).send().await;
    let response = sent.map_err(|error| Failure::Unreachable(error.message().to_owned()))?;
    match response.status.is_success() {
        true => Ok(()),
        false => Err(Failure::Status(response.status.as_u16())),
    }
}

async fn authorization(hub: &EventHub, services: &Services) -> Result<HeaderValue, Failure> {
    let text = match &hub.credentials {
        HubCredentials::SharedKey { name, key } => {
            signature(hub.url.as_str(), name, key, services.clock.now())
        }
        HubCredentials::ManagedIdentity { client_id } => {
            let identities: Option<Arc<ManagedIdentities>> = services.extension();
            let identities = identities
                .ok_or_else(|| Failure::Unusable("no managed identity is set up".to_owned()))?;
            let token = identities.access_token(client_id.as_deref(), RESOURCE).await;
            let token = token.map_err(|problem| match problem.is_temporary() {
                true => Failure::Unreachable(problem.to_string()),
                false => Failure::Unusable(problem.to_string()),
            })?;
            format!("Bearer {}", token.secret().expose())
        }
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| Failure::Unusable("the credentials make no header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// One line of JSON an event.
fn lines(logger: &Logger, batch: &[Event], now: SystemTime) -> String {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut text = String::new();
    for event in batch {
        if event.is_line {
            text.push_str(&event.text);
            text.push('\n');
            continue;
        }
        let mut line = serde_json::Map::new();
        line.insert("unixTime".to_owned(), seconds.into());
        line.insert("logger".to_owned(), logger.id.as_str().into());
        match &event.partition {
            Partition::Any => None,
            Partition::Id(id) => line.insert("partitionId".to_owned(), id.as_str().into()),
            Partition::Key(key) => line.insert("partitionKey".to_owned(), key.as_str().into()),
        };
        line.insert("message".to_owned(), event.text.as_str().into());
        text.push_str(&serde_json::Value::Object(line).to_string());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use pipeline::NoForward;
    use transport::{FakeClient, FakeClock};

    use super::*;

    fn event(partition: Partition, text: &str) -> Event {
        Event { partition, text: text.to_owned(), is_line: false }
    }

    async fn sent(hub: EventHub, batch: &[Event]) -> Vec<transport::RecordedRequest> {
        let client = FakeClient::new(|_| Ok(transport::Response::new(transport::Body::empty())));
        let clock = Arc::new(FakeClock::at_unix(1_700_000_000));
        let services = Services::new(Arc::new(client.clone()), clock, Arc::new(NoForward));
        let target = LogTarget::EventHub(hub);
        let logger = Logger { id: "l".to_owned(), is_buffered: true, target };
        deliver(&logger, batch, &services).await.unwrap();
        client.requests()
    }

    fn hub() -> EventHub {
        let text = "Endpoint=sb://n/;SharedAccessKeyName=s;SharedAccessKey=k;EntityPath=h";
        EventHub::from_connection_string(text, None).unwrap()
    }

    #[tokio::test]
    async fn partition_and_number_of_events_shape_the_request() {
        for (batch, url, kind, broker, body) in [
            (
                vec![event(Partition::Any, "{\"a\":1}")],
                "https://n/h/messages",
                ONE,
                None,
                "{\"a\":1}",
            ),
            (
                vec![event(Partition::Id("0".to_owned()), "x")],
                "https://n/h/partitions/0/messages",
                ONE,
                None,
                "x",
            ),
            (
                vec![event(Partition::Key("k".to_owned()), "x"), event(Partition::Any, "\"")],
                "https://n/h/messages",
                SEVERAL,
                Some(r#"{"PartitionKey":"k"}"#),
                r#"[{"Body":"x"},{"Body":"\""}]"#,
            ),
        ] {
            let requests = sent(hub(), &batch).await;
            let request = &requests[0];
            assert_eq!(request.uri.to_string(), format!("{url}?timeout=60&api-version=2014-01"));
            assert_eq!(
                (&request.headers["content-type"], &*request.body),
                (&kind, body.as_bytes())
            );
            let got = request.headers.get("brokerproperties").map(|it| it.to_str().unwrap());
            assert_eq!(got, broker);
            let authorization = &request.headers["authorization"];
            assert!(authorization.is_sensitive());
            assert!(
                authorization.to_str().unwrap().starts_with("SharedAccessSignature sr=https%3")
            );
        }
    }

    #[tokio::test]
    async fn a_file_gets_one_line_an_event() {
        let folder = std::env::temp_dir().join(format!("portcullis-events-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("events.log");
        let clock = Arc::new(FakeClock::at_unix(7));
        let client = Arc::new(FakeClient::unreachable());
        let services = Services::new(client, clock, Arc::new(NoForward));
        let rotation = telemetry::Rotation { max_bytes: 110, max_files: 2 };
        let target = LogTarget::File(LogFile { path: path.clone(), rotation });
        let logger = Logger { id: "l".to_owned(), is_buffered: true, target };
        let key = Partition::Key("k".to_owned());
        deliver(&logger, &[event(Partition::Any, "a\nb")], &services).await.unwrap();
        deliver(&logger, &[event(key, "c")], &services).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let line = Event { is_line: true, ..event(Partition::Any, "{\"as\":\"it is\"}") };
        deliver(&logger, &[line], &services).await.unwrap();
        let next = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(next, "{\"as\":\"it is\"}\n", "the full file was put aside");

        let expected = "{\"unixTime\":7,\"logger\":\"l\",\"message\":\"a\\nb\"}\n\
                        {\"unixTime\":7,\"logger\":\"l\",\"partitionKey\":\"k\",\"message\":\"c\"}\n";
        assert_eq!(text, expected);
        let failure = deliver(&logger, &[event(Partition::Any, "d")], &services).await.unwrap_err();
        assert!(!failure.is_temporary());
    }

    #[tokio::test]
    async fn without_an_identity_nothing_is_sent() {
        let client = FakeClient::unreachable();
        let clock = Arc::new(FakeClock::at_unix(7));
        let services = Services::new(Arc::new(client.clone()), clock, Arc::new(NoForward));
        let hub = EventHub::with_identity("n", "h", None).unwrap();
        let target = LogTarget::EventHub(hub);
        let logger = Logger { id: "l".to_owned(), is_buffered: true, target };
        let outcome = deliver(&logger, &[event(Partition::Any, "d")], &services).await;
        assert_eq!(outcome.unwrap_err().to_string(), "no managed identity is set up");
        assert!(client.requests().is_empty());
    }
}
