//! Loggers: named values put in, connection strings taken apart.
//!
//! A logger that cannot be used is no problem until a policy wants it.

use std::path::Path;

use document::{Mode, NamedValues, SourceText};
use pipeline::{EventHub, LogFile, LogTarget, Logger, Loggers};

use crate::entity::{FileEntity, Given, LoggerEntity, LoggerTarget};

pub(super) fn resolve(
    entities: &[LoggerEntity],
    values: &NamedValues,
    folder: Option<&Path>,
) -> Loggers {
    let logger = |it: &LoggerEntity| Logger {
        id: it.id.clone(),
        is_buffered: it.is_buffered,
        target: target(&it.target, values, folder).unwrap_or_else(|other| other),
    };
    entities.iter().map(logger).collect()
}

/// The target; in place of one, why there is none.
fn target(
    entity: &LoggerTarget,
    values: &NamedValues,
    folder: Option<&Path>,
) -> Result<LogTarget, LogTarget> {
    let unusable = |why: pipeline::BadEventHub| LogTarget::Unusable(why.to_string());
    let text = |given: &Given| text(given, values);
    match entity {
        LoggerTarget::ConnectionString { hub, text: connection } => {
            let hub = hub.as_ref().map(text).transpose()?;
            let connection = text(connection)?;
            let hub = EventHub::from_connection_string(&connection, hub.as_deref());
            hub.map(LogTarget::EventHub).map_err(unusable)
        }
        LoggerTarget::Identity { hub, endpoint, client_id } => {
            let client_id = client_id.as_ref().map(text).transpose()?;
            let hub = EventHub::with_identity(&text(endpoint)?, &text(hub)?, client_id);
            hub.map(LogTarget::EventHub).map_err(unusable)
        }
        LoggerTarget::File(FileEntity { path, rotation }) => {
            let path = folder.map_or_else(|| path.into(), |it| it.join(path));
            Ok(LogTarget::File(LogFile { path, rotation: *rotation }))
        }
        LoggerTarget::Own => Ok(LogTarget::Own),
        LoggerTarget::Unusable(why) => Err(LogTarget::Unusable(why.clone())),
    }
}

fn text(given: &Given, values: &NamedValues) -> Result<String, LogTarget> {
    let (resolved, problems) = values.resolve(&SourceText::verbatim(&given.text, 0), Mode::Policy);
    if let Some(problem) = problems.first() {
        return Err(LogTarget::Unusable(problem.message.clone()));
    }
    if resolved.is_missing() {
        return Err(LogTarget::Unread);
    }
    Ok(resolved.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use document::NamedValue;

    use super::*;
    use crate::load::{Options, parse};
    use crate::source::Source;

    fn resolved(properties: &str) -> String {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let source = Source::from_files([("loggers/L/loggerInformation.json", text)]);
        let (parsed, problems) = parse(&source, &Options::default());
        assert!(problems.is_empty(), "{problems:?}");
        let mut values = NamedValues::new();
        let connection = "Endpoint=sb://n/;SharedAccessKeyName=s;SharedAccessKey=k";
        values.insert("connection", NamedValue::secret(connection));
        values.insert("unread", NamedValue::unread());
        let folder = Some(Path::new("/etc/gateway"));
        let loggers = resolve(&parsed.entities.loggers, &values, folder);
        match &loggers.get("l").unwrap().target {
            LogTarget::EventHub(hub) => hub.url.to_string(),
            LogTarget::File(file) => file.path.display().to_string(),
            LogTarget::Own => "own".to_owned(),
            LogTarget::Unread => "unread".to_owned(),
            LogTarget::Unusable(why) => why.clone(),
        }
    }

    #[test]
    fn named_values_are_put_in() {
        let hub = |credentials: &str| {
            resolved(&format!(r#"{{"loggerType":"azureEventHub","credentials":{credentials}}}"#))
        };
        assert_eq!(hub(r#"{"name":"h","connectionString":"{{connection}}"}"#), "https://n/h");
        assert_eq!(hub(r#"{"connectionString":"{{connection}}"}"#), "`name` is missing");
        assert_eq!(hub(r#"{"name":"h","connectionString":"{{unread}}"}"#), "unread");
        assert!(hub(r#"{"name":"h","connectionString":"{{none}}"}"#).contains("none"));
        assert_eq!(hub(r#"{"name":"h","endpointAddress":"sb://n/"}"#), "https://n/h");
    }

    #[test]
    fn a_file_is_beside_the_configuration() {
        let path = |path: &str| {
            resolved(&format!(r#"{{"loggerType":"file","credentials":{{"path":"{path}"}}}}"#))
        };
        assert_eq!(path("events.log"), "/etc/gateway/events.log");
        assert_eq!(path("/var/log/e.log"), "/var/log/e.log");
    }
}
