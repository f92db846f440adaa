//! Caches: servers that speak Redis' protocol, for `caching-type="external"`.
//!
//! The extraction tools leave them out, so that they mostly stand in `caches:` of
//! `portcullis.yaml`.
//!
//! Source: <https://learn.microsoft.com/rest/api/apimanagement/cache>

use std::time::Duration;

use super::{Given, Reading, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;

/// A cache.
#[derive(Clone, Debug)]
pub struct CacheEntity {
    /// Its name.
    pub id: String,
    /// Where it is, by the connection string that Azure shows or by a URL; may hold named values.
    pub connection: Option<Given>,
    /// For which gateways: `default`, a region or the name of a gateway.
    pub use_from: String,
    /// Longest wait for an answer, if it is not the usual one.
    pub timeout: Option<Duration>,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<CacheEntity> {
    let info = cx.info("caches", files)?;
    let fields = properties(&info, cx.problems);
    let (id, place) = (files.name.clone(), files.place());
    let connection = fields.get("connectionString").and_then(Given::of);
    let connection = connection.filter(|it| !it.text.trim().is_empty());
    if connection.is_none() {
        let message = format!("cache `{id}` has no connection string");
        cx.report(place.error(codes::MISSING, message));
    }
    // Azure names caches after their locations.
    let use_from = fields.filled("useFromLocation").unwrap_or_else(|| id.clone());
    Some(CacheEntity { id, connection, use_from, timeout: None, place })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn a_cache_has_a_connection_string_and_a_location() {
        for (properties, expected) in [
            (r#"{"connectionString":"{{c}}","useFromLocation":"westeurope"}"#, "{{c}} westeurope"),
            (r#"{"connectionString":"h:6380"}"#, "h:6380 Default"),
        ] {
            let text = format!(r#"{{"properties":{properties}}}"#);
            let (entities, problems) = read(&[("caches/Default/cacheInformation.json", &text)]);
            let it = &entities.caches[0];
            let shown = format!("{} {}", it.connection.as_ref().unwrap().text, it.use_from);
            assert_eq!((shown.as_str(), problems), (expected, Vec::new()));
        }
    }

    #[test]
    fn one_without_a_connection_string_is_an_error() {
        let (_, problems) = read(&[("caches/c/cacheInformation.json", r#"{"properties":{}}"#)]);
        assert_eq!(problems, ["PC0505 cache `c` has no connection string"]);
    }
}
