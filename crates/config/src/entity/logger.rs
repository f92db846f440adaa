//! Loggers: where `log-to-eventhub` sends to.
//!
//! Azure's type `applicationInsights` has no effect here; `azureMonitor` is the gateway's own log,
//! which diagnostics may name. Besides `azureEventHub` there is a type of this gateway, `file` with
//! `credentials: { path, maxSizeInBytes, maxFiles }`.
//!
//! Source: <https://learn.microsoft.com/rest/api/apimanagement/logger>

use telemetry::Rotation;

use super::{Given, Reading, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::settings;
use crate::tree::Fields;

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
    /// A file.
    File(FileEntity),
    /// The gateway's own log: Azure's type `azureMonitor`.
    Own,
    /// Events cannot go there, and why.
    Unusable(String),
}

/// A file of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntity {
    /// Its path, relative to the folder of the configuration.
    pub path: String,
    /// How large it may grow, and how many are kept.
    pub rotation: Rotation,
}

/// Smallest size at which a file may be put aside: more than is written at once.
const MIN_FILE_BYTES: u64 = 1 << 20;
/// Most files that may be kept.
const MAX_FILES: u64 = 1000;
/// How many are kept if only their size is given.
const DEFAULT_FILES: u32 = 10;

/// Reads a file's keys: size and number under the names that a form of configuration has.
pub(crate) fn file(
    fields: &Fields<'_, '_>,
    path: String,
    [size, number]: [&'static str; 2],
) -> FileEntity {
    let max_bytes = settings::bytes(fields, size);
    let max_files = fields.number(number);
    let bad = |key: &'static str, message: String| {
        let tree = fields.get(key).unwrap_or(fields.tree());
        fields.report(tree.error(codes::BAD_VALUE, message));
    };
    if max_bytes.is_some_and(|it| it < MIN_FILE_BYTES) {
        bad(size, format!("`{size}` is at least {MIN_FILE_BYTES}"));
    }
    if max_files.is_some_and(|it| !(1..=MAX_FILES).contains(&it)) {
        bad(number, format!("`{number}` is from 1 to {MAX_FILES}"));
    }
    if max_files.is_some() && max_bytes.is_none() {
        bad(number, format!("`{number}` needs `{size}`"));
    }
    let rotation = match max_bytes {
        None => Rotation::NEVER,
        Some(max_bytes) => Rotation {
            max_bytes: max_bytes.max(MIN_FILE_BYTES),
            max_files: max_files.and_then(|it| it.try_into().ok()).unwrap_or(DEFAULT_FILES),
        },
    };
    FileEntity { path, rotation }
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
            Some(path) => {
                let fields = credentials.as_ref().unwrap_or(&fields);
                LoggerTarget::File(file(fields, path.text, ["maxSizeInBytes", "maxFiles"]))
            }
            None => LoggerTarget::Unusable("it has no `path`".to_owned()),
        },
        "azuremonitor" => LoggerTarget::Own,
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
            LoggerTarget::File(it) => {
                let Rotation { max_bytes, max_files } = it.rotation;
                format!("file {} {max_bytes} {max_files}", it.path)
            }
            LoggerTarget::Own => "own".to_owned(),
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
        let of = |more: &str| {
            format!(r#"{{"loggerType":"file","credentials":{{"path":"e.log"{more}}}}}"#)
        };
        assert_eq!(shown(&of("")), "file e.log 0 1");
        assert_eq!(shown(&of(r#","maxSizeInBytes":2097152"#)), "file e.log 2097152 10");
        let both = of(r#","maxSizeInBytes":"64MiB","maxFiles":3"#);
        assert_eq!(shown(&both), "file e.log 67108864 3");
        for (more, problem) in [
            (r#","maxSizeInBytes":5"#, "PC0506 `maxSizeInBytes` is at least 1048576"),
            (r#","maxFiles":3"#, "PC0506 `maxFiles` needs `maxSizeInBytes`"),
            (r#","maxSizeInBytes":"1MiB","maxFiles":0"#, "PC0506 `maxFiles` is from 1 to 1000"),
        ] {
            assert_eq!(one(&of(more)).1, [problem], "{more}");
        }
        assert_eq!(shown(r#"{"loggerType":"azureMonitor"}"#), "own");
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
