//! Version sets: where requests name the version of an API.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/apiversionsets>,
//! <https://learn.microsoft.com/azure/api-management/api-management-versions>

use http::HeaderName;

use super::{Reading, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::snapshot::VersionScheme;
use crate::tree::{Fields, Keys, Tree};

/// A version set.
#[derive(Clone, Debug)]
pub struct VersionSetEntity {
    /// Entity name.
    pub id: String,
    /// Display name.
    pub display_name: String,
    /// Where requests name the version.
    pub scheme: VersionScheme,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<VersionSetEntity> {
    let info = cx.info("versionsets", files)?;
    of_properties(&files.name, &properties(&info, cx.problems), files.place())
}

/// A version set from its properties, which an API may hold as well.
pub(super) fn of_properties(
    id: &str,
    fields: &Fields<'_, '_>,
    place: Place,
) -> Option<VersionSetEntity> {
    let missing = |key: &str| {
        let message = format!("version set `{id}` has no `{key}`");
        fields.report(place.error(codes::MISSING, message));
    };
    let Some(scheme) = fields.filled("versioningScheme") else {
        missing("versioningScheme");
        return None;
    };
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "segment" => VersionScheme::Segment,
        "query" => match fields.filled("versionQueryName") {
            Some(name) => VersionScheme::Query(name.trim().to_owned()),
            None => {
                missing("versionQueryName");
                return None;
            }
        },
        "header" => match fields.filled("versionHeaderName") {
            Some(name) => header(id, name.trim(), fields, &place)?,
            None => {
                missing("versionHeaderName");
                return None;
            }
        },
        other => {
            let message = format!("version set `{id}`: `{other}` is no versioning scheme");
            let help = "`Segment`, `Query` or `Header`";
            fields.report(place.error(codes::BAD_VALUE, message).help(help));
            return None;
        }
    };
    let display_name = fields.filled("displayName").or_else(|| fields.filled("name"));
    Some(VersionSetEntity {
        display_name: display_name.unwrap_or_else(|| id.to_owned()),
        id: id.to_owned(),
        scheme,
        place,
    })
}

fn header(id: &str, name: &str, fields: &Fields<'_, '_>, place: &Place) -> Option<VersionScheme> {
    if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
        return Some(VersionScheme::Header(name));
    }
    let message = format!("version set `{id}`: `{name}` is no header name");
    fields.report(place.error(codes::BAD_VALUE, message));
    None
}

/// `version-sets:` of `portcullis.yaml`:
///
/// ```yaml
/// version-sets:
///   chat: path                       # /openai/v1/...
///   orders: { query: api-version }
///   stock: { header: Api-Version }
/// ```
pub(crate) fn read_short(fields: &Fields<'_, '_>) -> Vec<VersionSetEntity> {
    let Some(sets) = fields.map("version-sets") else { return Vec::new() };
    let one = |(id, tree): (&str, &Tree)| {
        let place = Place::from(tree);
        let scheme = match tree.scalar() {
            Some("path") => Some(VersionScheme::Segment),
            Some(_) => None,
            None => {
                let fields = Fields::new(tree, Keys::Known, sets.problems());
                let found = match (fields.filled("query"), fields.filled("header")) {
                    (Some(name), None) => Some(VersionScheme::Query(name)),
                    (None, Some(name)) => Some(header(id, &name, &fields, &place)?),
                    _ => None,
                };
                fields.finish();
                found
            }
        };
        let Some(scheme) = scheme else {
            let message = format!("version set `{id}` says not where the version is named");
            let help = "`path`, `{ query: NAME }` or `{ header: NAME }`";
            sets.report(place.error(codes::BAD_VALUE, message).help(help));
            return None;
        };
        let (id, display_name) = (id.to_owned(), id.to_owned());
        Some(VersionSetEntity { id, display_name, scheme, place })
    };
    sets.tree().entries().iter().filter_map(|it| one((&it.key, &it.value))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn a_set_names_the_place_of_the_version() {
        for (properties, expected) in [
            (r#"{"versioningScheme":"Segment","displayName":"S"}"#, "Segment"),
            (r#"{"versioningScheme":"query","versionQueryName":"v"}"#, r#"Query("v")"#),
            (r#"{"versioningScheme":"Header","versionHeaderName":"X-V"}"#, r#"Header("x-v")"#),
            ("{}", "PC0505 version set `s` has no `versioningScheme`"),
            (r#"{"versioningScheme":"Query"}"#, "PC0505 version set `s` has no `versionQueryName`"),
            (
                r#"{"versioningScheme":"Path"}"#,
                "PC0506 version set `s`: `path` is no versioning scheme",
            ),
            (
                r#"{"versioningScheme":"Header","versionHeaderName":"a b"}"#,
                "PC0506 version set `s`: `a b` is no header name",
            ),
        ] {
            let text = format!(r#"{{"properties":{properties}}}"#);
            let (entities, problems) =
                read(&[("version sets/s/versionSetInformation.json", &text)]);
            let shown = match entities.version_sets.first() {
                Some(it) => format!("{:?}", it.scheme),
                None => problems.join("; "),
            };
            assert_eq!(shown, expected);
        }
    }
}
