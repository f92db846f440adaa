//! Releases: which revisions of an API were made current, and when. They are history: the API says
//! itself which revision is current.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/apis/releases>

use super::{Reading, properties};
use crate::layout::{EntityFiles, last_two};
use crate::place::Place;

/// A release of an API.
#[derive(Clone, Debug)]
pub struct ReleaseEntity {
    /// Entity name.
    pub id: String,
    /// The revision that was made current, if the release names one.
    pub revision: Option<String>,
    /// What has changed.
    pub notes: Option<String>,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read_all(api: &EntityFiles, cx: &Reading<'_>) -> Vec<ReleaseEntity> {
    let releases = api.children.get("releases").into_iter().flat_map(|it| it.values());
    releases.filter_map(|it| read(api, it, cx)).collect()
}

fn read(api: &EntityFiles, files: &EntityFiles, cx: &Reading<'_>) -> Option<ReleaseEntity> {
    let mut info = cx.own_info(files)?;
    cx.overrides.apply_below_api(&api.name, "releases", &files.name, &mut info);
    let fields = properties(&info, cx.problems);
    let reference = fields.filled("apiId");
    let revision = reference.as_deref().and_then(|it| last_two(it).1.split_once(";rev="));
    Some(ReleaseEntity {
        id: files.name.clone(),
        revision: revision.map(|it| it.1.to_owned()),
        notes: fields.filled("notes"),
        place: files.place(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn both_names_of_the_file_are_read() {
        for file in ["releaseInformation.json", "apiReleaseInformation.json"] {
            let file = format!("apis/a/releases/r/{file}");
            let text = r#"{"properties":{"apiId":"/apis/a;rev=3","notes":"n"}}"#;
            let (entities, problems) = read(&[
                ("apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#),
                (&file, text),
            ]);
            assert_eq!(problems, [""; 0]);
            let it = &entities.apis[0].releases[0];
            assert_eq!((it.id.as_str(), it.revision.as_deref()), ("r", Some("3")));
        }
    }
}
