//! Versions of APIs: each API gets its place in its version set, and revisions what they share.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-versions>,
//! <https://learn.microsoft.com/azure/api-management/api-management-revisions>

use document::{Diagnostic, closest};

use crate::codes;
use crate::entity::{ApiEntity, VersionSetEntity, VersionSetOf};
use crate::snapshot::Version;

/// The place of an API in its version set; none for one without.
pub(crate) fn version(
    api: &ApiEntity,
    sets: &[VersionSetEntity],
    problems: &mut Vec<Diagnostic>,
) -> Option<Version> {
    let set = match api.version_set.as_ref()? {
        VersionSetOf::Own(set) => set,
        VersionSetOf::Named(name) => {
            let found = sets.iter().find(|it| it.id.eq_ignore_ascii_case(name));
            let Some(set) = found else {
                let message =
                    format!("API `{}`: there is no version set `{name}`", api.full_name());
                let problem = api.place.error(codes::UNKNOWN_ENTITY, message);
                problems.push(match closest(name, sets.iter().map(|it| it.id.as_str())) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                });
                return None;
            };
            set
        }
    };
    Some(Version { scheme: set.scheme.clone(), identifier: api.version.clone() })
}

/// The name of the version set that an API is in.
pub(crate) fn set_of(api: &ApiEntity) -> Option<String> {
    Some(match api.version_set.as_ref()? {
        VersionSetOf::Named(name) => name.to_lowercase(),
        VersionSetOf::Own(set) => format!("{:?} of the API", set.scheme),
    })
}

/// Name, path, protocols, version and "subscription required" are common to all revisions: those
/// of the current one count. A revision that has others is told.
pub(crate) fn share(apis: &mut [ApiEntity], problems: &mut Vec<Diagnostic>) {
    for number in 0..apis.len() {
        let Some(api) = apis.get(number) else { continue };
        releases(api, apis, problems);
        if api.is_current {
            continue;
        }
        let is_current = |it: &&ApiEntity| it.is_current && it.id.eq_ignore_ascii_case(&api.id);
        let Some(current) = apis.iter().find(is_current) else { continue };
        tell(api, current, problems);
        let (path, protocols) = (current.path.clone(), current.protocols.clone());
        let (version, set) = (current.version.clone(), current.version_set.clone());
        let subscription_required = current.subscription_required;
        if let Some(api) = apis.get_mut(number) {
            (api.path, api.protocols) = (path, protocols);
            (api.version, api.version_set) = (version, set);
            api.subscription_required = subscription_required;
        }
    }
}

fn tell(api: &ApiEntity, current: &ApiEntity, problems: &mut Vec<Diagnostic>) {
    let of_own_version = api.version.is_some() && api.version != current.version;
    for (property, is_other) in [
        ("path", !api.path.eq_ignore_ascii_case(&current.path)),
        ("protocols", api.protocols != current.protocols),
        ("subscriptionRequired", api.subscription_required != current.subscription_required),
        ("apiVersion", of_own_version),
    ] {
        if is_other {
            let message = format!(
                "API `{}`: can't change property `{property}` for non-current revision",
                api.full_name()
            );
            let help = "the current revision's is used";
            problems.push(api.place.warning(codes::LEFT_OUT, message).help(help));
        }
    }
}

/// A release of a revision that is not there is told: it is history, and changes nothing.
fn releases(api: &ApiEntity, apis: &[ApiEntity], problems: &mut Vec<Diagnostic>) {
    for release in &api.releases {
        let Some(revision) = &release.revision else { continue };
        let is_it =
            |it: &ApiEntity| it.id.eq_ignore_ascii_case(&api.id) && it.revision == *revision;
        if !apis.iter().any(is_it) {
            let message = format!(
                "release `{}` is of revision {revision} of API `{}`, which is not there",
                release.id, api.id
            );
            problems.push(release.place.note(codes::UNKNOWN_ENTITY, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::load::{Options, parse};
    use crate::source::Source;

    #[test]
    fn revisions_share_what_only_the_current_one_can_change() {
        let files = [
            (
                "apis/a/apiInformation.json",
                r#"{"properties":{"path":"new","apiRevision":"2","subscriptionRequired":false}}"#,
            ),
            (
                "apis/a;rev=1/apiInformation.json",
                r#"{"properties":{"path":"old","apiRevision":"1","serviceUrl":"https://one"}}"#,
            ),
            (
                "apis/a/releases/r/releaseInformation.json",
                r#"{"properties":{"apiId":"apis/a;rev=9"}}"#,
            ),
        ];
        let (parsed, problems) = parse(&Source::from_files(files), &Options::default());
        let told: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "release `r` is of revision 9 of API `a`, which is not there",
                "API `a;rev=1`: can't change property `path` for non-current revision",
                "API `a;rev=1`: can't change property `subscriptionRequired` for non-current revision",
            ]
        );
        let old = parsed.entities.apis.iter().find(|it| it.revision == "1").unwrap();
        assert_eq!((old.path.as_str(), old.subscription_required), ("new", false));
        assert_eq!(old.service_url.as_deref(), Some("https://one"));
    }
}
