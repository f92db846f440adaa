//! Loggers: where `log-to-eventhub` sends to.
//!
//! Azure's types `applicationInsights` and `azureMonitor` have no effect here. Besides
//! `azureEventHub` there is a type of this gateway, `file` with `credentials: { path }`.
//!
//! Source: <https://learn.microsoft.com/rest/api/apimanagement/logger>

use super::{Given, Reading, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;

/// A logger.
#[derive(Clone, Debug)]
pub struct LoggerEntity {
    /// Its name, as `log-to-eventhub` gives it.
    pub id: String,
    /// Whether events may wait to be sent together.
    pub is_buffered: bool,
    /// Where events go.
    pub target: LoggerTarget,
    /// Where it is described.
    pub place: Place,
}

/// Where a logger's events go; texts may hold named values.
#[derive(Clone, Debug)]
pub enum LoggerTarget {
    /// An event hub with a connection string.
    ConnectionString {
        /// The hub's name, if the string does not tell it.
        hub: Option<Given>,
        /// The string.
        text: Given,
    },
    /// An event hub that knows the gateway's managed identity.
    Identity {
        /// The hub's name.
        hub: Given,
        /// The namespace's host or URL.
        endpoint: Given,
        /// The user-assigned identity.
        client_id: Option<Given>,
    },
    /// A file; relative to the folder of the configuration.
    File(String),
    /// Events cannot go there, and why.
    Unusable(String),
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<LoggerEntity> {
    let info = cx.info("loggers", files)?;
    let fields = properties(&info, cx.problems);
    let (id, place) = (files.name.clone(), files.place());
    let kind = fields.filled("loggerType").unwrap_or_default();
    let credentials = fields.map("credentials");
    let given = |key: &'static str| {
        let tree = credentials.as_ref()?.get(key)?;
        Given::of(tree).filter(|it| !it.text.trim().is_empty())
    };
    let target = match kind.to_lowercase().as_str() {
        "azureeventhub" => {
            let hub = given("name");
            match (given("connectionString"), hub, given("endpointAddress")) {
                (Some(text), hub, _) => LoggerTarget::ConnectionString { hub, text },
                (None, Some(hub), Some(endpoint)) => {
                    let client_id = given("identityClientId")
                        .filter(|it| !it.text.eq_ignore_ascii_case("systemAssigned"));
                    LoggerTarget::Identity { hub, endpoint, client_id }
                }
                _ => LoggerTarget::Unusable("it has no credentials".to_owned()),
            }
        }
        "file" => match given("path") {
            Some(path) => LoggerTarget::File(path.text),
            None => LoggerTarget::Unusable("it has no `path`".to_owned()),
        },
        _ => {
            let message = format!("logger `{id}` has no effect in this version: `{kind}`");
            cx.report(place.note(codes::LEFT_OUT, message));
            LoggerTarget::Unusable(format!("its type is `{kind}`"))
        }
    };
    let is_buffered = fields.bool("isBuffered").unwrap_or(true);
    Some(LoggerEntity { id, is_buffered, target, place })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn one(properties: &str) -> (LoggerEntity, Vec<String>) {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let (mut entities, problems) = read(&[("loggers/l/loggerInformation.json", &text)]);
        (entities.loggers.pop().unwrap(), problems)
    }

    fn shown(properties: &str) -> String {
        let (entity, problems) = one(properties);
        assert_eq!(problems, [""; 0], "{properties}");
        match entity.target {
            LoggerTarget::ConnectionString { hub, text } => {
                format!("{} {}", hub.map(|it| it.text).unwrap_or_default(), text.text)
            }
            LoggerTarget::Identity { hub, endpoint, client_id } => {
                let client_id = client_id.map(|it| it.text).unwrap_or_default();
                format!("{} {} {client_id}", hub.text, endpoint.text)
            }
            LoggerTarget::File(path) => format!("file {path}"),
            LoggerTarget::Unusable(why) => why,
        }
    }

    #[test]
    fn an_event_hub_has_a_connection_string_or_an_identity() {
        for (credentials, expected) in [
            (r#"{"name":"h","connectionString":"{{c}}"}"#, "h {{c}}"),
            (r#"{"connectionString":"E"}"#, " E"),
            (r#"{"name":"h","endpointAddress":"n","identityClientId":"i"}"#, "h n i"),
            (r#"{"name":"h","endpointAddress":"n","identityClientId":"SystemAssigned"}"#, "h n "),
            (r#"{"name":"h"}"#, "it has no credentials"),
            ("{}", "it has no credentials"),
        ] {
            let text = format!(r#"{{"loggerType":"azureEventHub","credentials":{credentials}}}"#);
            assert_eq!(shown(&text), expected, "{credentials}");
        }
    }

    #[test]
    fn a_file_is_a_logger_of_this_gateway() {
        assert_eq!(shown(r#"{"loggerType":"file","credentials":{"path":"e.log"}}"#), "file e.log");
        assert_eq!(shown(r#"{"loggerType":"file"}"#), "it has no `path`");
    }

    #[test]
    fn other_types_are_a_note() {
        let (entity, problems) = one(r#"{"loggerType":"applicationInsights","isBuffered":false}"#);
        assert!(!entity.is_buffered);
        let expected = "PC0508 logger `l` has no effect in this version: `applicationInsights`";
        assert_eq!(problems, [expected]);
    }
}
