//! Addresses of APIs and operations: two that a request could not tell apart are told.

use std::collections::BTreeMap;

use document::{Diagnostic, Related, Span};

use crate::codes;
use crate::entity::{ApiEntity, Entities, OperationEntity};
use crate::place::Place;
use crate::snapshot::VersionScheme;
use crate::versions;

/// What answers at a path.
struct Taken<'a> {
    api: &'a ApiEntity,
    /// The version set, and the version in it.
    version: Option<(String, Option<String>)>,
}

/// Reports APIs and operations that a request could not tell apart.
pub(crate) fn check(entities: &Entities, problems: &mut Vec<Diagnostic>) {
    let workspaces = entities.workspaces.iter().map(|it| &it.entities);
    let mut paths: BTreeMap<String, Vec<Taken<'_>>> = BTreeMap::new();
    for scope in std::iter::once(entities).chain(workspaces) {
        let mut revisions: BTreeMap<(String, &str), &ApiEntity> = BTreeMap::new();
        let mut current: BTreeMap<String, &ApiEntity> = BTreeMap::new();
        for api in &scope.apis {
            let id = api.id.to_lowercase();
            if let Some(first) = revisions.insert((id.clone(), &api.revision), api) {
                let message = format!("API `{}` has revision {} twice", api.id, api.revision);
                let problem = api.place.error(codes::DUPLICATE, message);
                problems.push(problem.related(also(&first.place)));
            }
            if !api.is_current {
                continue;
            }
            if let Some(first) = current.insert(id, api) {
                let message = format!("API `{}` has two current revisions", api.id);
                let problem = api.place.error(codes::ROUTE_CONFLICT, message);
                problems.push(problem.related(also(&first.place)));
                continue;
            }
            path(api, scope, &mut paths, problems);
        }
        scope.apis.iter().for_each(|api| operations(api, &scope.apis, problems));
    }
}

fn path<'e>(
    api: &'e ApiEntity,
    scope: &Entities,
    paths: &mut BTreeMap<String, Vec<Taken<'e>>>,
    problems: &mut Vec<Diagnostic>,
) {
    // An unknown set is told elsewhere.
    let version = versions::version(api, &scope.version_sets, &mut Vec::new());
    let mut path = api.path.to_lowercase();
    let mut own = None;
    match version {
        None => {}
        Some(it) if it.scheme == VersionScheme::Segment => {
            if let Some(segment) = it.identifier {
                let mark = if path.is_empty() { "" } else { "/" };
                path = format!("{path}{mark}{}", segment.to_lowercase());
            }
        }
        Some(it) => own = versions::set_of(api).map(|set| (set, it.identifier)),
    }
    let taken = paths.entry(path).or_default();
    let is_same = |other: &&Taken<'_>| match (&own, &other.version) {
        (Some((set, version)), Some((other_set, other_version))) => {
            set != other_set || version == other_version
        }
        _ => true,
    };
    if let Some(first) = taken.iter().find(is_same) {
        let first = first.api;
        let message = match (&first.version, &api.version) {
            (Some(a), Some(b)) if a == b => {
                format!("APIs `{}` and `{}` are the same version `{a}`", first.id, api.id)
            }
            _ => format!("APIs `{}` and `{}` have the same path `{}`", first.id, api.id, api.path),
        };
        let problem = api.place.error(codes::ROUTE_CONFLICT, message);
        problems.push(problem.related(also(&first.place)));
    }
    taken.push(Taken { api, version: own });
}

/// Reports operations that match the same requests, and an API without a current revision.
fn operations(api: &ApiEntity, apis: &[ApiEntity], problems: &mut Vec<Diagnostic>) {
    let mut templates: BTreeMap<(&str, String), &OperationEntity> = BTreeMap::new();
    for operation in &api.operations {
        let shape = shape(&operation.url_template);
        if let Some(first) = templates.insert((&operation.method, shape), operation) {
            let message = format!(
                "operations `{}` and `{}` of API `{}` match the same requests",
                first.id, operation.id, api.id
            );
            let problem = operation.place.warning(codes::ROUTE_CONFLICT, message);
            problems.push(problem.help("the first one answers").related(also(&first.place)));
        }
    }
    if !api.is_current
        && !apis.iter().any(|it| it.is_current && it.id.eq_ignore_ascii_case(&api.id))
    {
        let message = format!("API `{}` has no current revision", api.id);
        problems.push(api.place.warning(codes::ROUTE_CONFLICT, message));
    }
}

fn also(place: &Place) -> Related {
    let span: Span = place.span;
    Related { file: Some(place.file.clone()), span, message: "the first one".to_owned() }
}

/// A template in lower case with the names of its parameters left out.
fn shape(template: &str) -> String {
    let mut shape = String::new();
    let mut is_name = false;
    for it in template.chars().flat_map(char::to_lowercase) {
        match it {
            '{' => is_name = true,
            '}' => {
                is_name = false;
                shape.push_str("{}");
            }
            _ if is_name => {}
            _ => shape.push(it),
        }
    }
    shape.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Options, parse};
    use crate::source::Source;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let source = Source::from_files(files.iter().map(|(name, text)| (*name, *text)));
        let (parsed, problems) = parse(&source, &Options::default());
        assert!(!problems.iter().any(Diagnostic::is_error), "{problems:?}");
        let mut problems = Vec::new();
        check(&parsed.entities, &mut problems);
        problems.iter().map(|it| format!("{} {}", it.code, it.message)).collect()
    }

    const SETS: [(&str, &str); 2] = [
        (
            "version sets/q/versionSetInformation.json",
            r#"{"properties":{"versioningScheme":"Query","versionQueryName":"v"}}"#,
        ),
        (
            "version sets/s/versionSetInformation.json",
            r#"{"properties":{"versioningScheme":"Segment"}}"#,
        ),
    ];

    #[test]
    fn versions_of_one_set_share_a_path_and_nothing_else_does() {
        let version = |path: &str, set: &str, version: &str| {
            let version = match version {
                "" => String::new(),
                it => format!(r#","apiVersion":"{it}""#),
            };
            format!(r#"{{"properties":{{"path":"{path}","apiVersionSetId":"/x/{set}"{version}}}}}"#)
        };
        let plain = |path: &str| format!(r#"{{"properties":{{"path":"{path}"}}}}"#);
        for (a, b, expected) in [
            (version("x", "q", "1"), version("x", "q", "2"), ""),
            (version("x", "q", ""), version("x", "q", "2"), ""),
            (
                version("x", "q", "1"),
                version("x", "q", "1"),
                "PC0517 APIs `a` and `b` are the same version `1`",
            ),
            (version("x", "q", "1"), plain("X"), "PC0517 APIs `a` and `b` have the same path `X`"),
            (version("x", "s", "1"), version("x", "s", "2"), ""),
            (version("x", "s", "1"), plain("x"), ""),
            (
                version("x", "s", "v1"),
                plain("x/V1"),
                "PC0517 APIs `a` and `b` have the same path `x/V1`",
            ),
            (
                version("x", "s", ""),
                version("x", "q", "1"),
                "PC0517 APIs `a` and `b` have the same path `x`",
            ),
        ] {
            let mut files = SETS.to_vec();
            files.push(("apis/a/apiInformation.json", &a));
            files.push(("apis/b/apiInformation.json", &b));
            assert_eq!(told(&files).join("; "), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_workspace_shares_the_paths_of_the_service() {
        let info = r#"{"properties":{"path":"x"}}"#;
        let files = [
            ("apis/a/apiInformation.json", info),
            ("workspaces/w/apis/a/apiInformation.json", info),
        ];
        assert_eq!(told(&files), ["PC0517 APIs `a` and `a` have the same path `x`"]);
    }

    #[test]
    fn templates_compare_without_names() {
        assert_eq!(shape("/A/{b}/?c={d}"), shape("/a/{x}/?C={y}"));
        assert_ne!(shape("/a/{b}"), shape("/a/b"));
    }
}
