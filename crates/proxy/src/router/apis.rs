//! Finding an API: the longest URL suffix that fits, then version, then revision.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-versions>,
//! <https://learn.microsoft.com/azure/api-management/api-management-revisions>

use std::collections::HashMap;

use config::{Api, VersionScheme};
use http::{HeaderMap, HeaderName};
use memchr::memchr;
use pipeline::url::pairs;

use super::segment::fold;
use super::table::Table;

/// All APIs by their URL suffixes.
#[derive(Debug, Default)]
pub(super) struct Apis {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    children: Table<Node>,
    /// APIs whose suffix (with the version, if that is a segment) ends here.
    versions: Option<Versions>,
}

/// What answers at one place.
#[derive(Debug, Default)]
struct Versions {
    /// Answers where no version is named.
    plain: Revisions,
    /// The place where requests name a version.
    named: Option<Named>,
}

#[derive(Debug)]
struct Named {
    by: By,
    versions: HashMap<String, Revisions>,
}

#[derive(Debug, PartialEq, Eq)]
enum By {
    Header(HeaderName),
    Query(String),
}

/// The revisions of an API, by number.
#[derive(Debug, Default)]
struct Revisions {
    current: Option<usize>,
    /// Only those that are online.
    all: Vec<(String, usize)>,
}

/// An API that a request is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// Its place in the order of definition.
    pub(super) number: usize,
    /// The path below the API: empty, or with its leading slash.
    pub(super) below: &'a str,
}

impl Apis {
    pub(super) fn add(&mut self, number: usize, api: &Api) {
        let mut node = &mut self.root;
        for segment in api.info.path.split('/').filter(|it| !it.is_empty()) {
            node = node.child(segment);
        }
        // A place of its own even if no Original version answers there: shorter suffixes must
        // not take over what is meant for this one.
        let versions = node.versions.get_or_insert_default();
        let Some(version) = &api.version else { return versions.plain.add(number, api) };
        let Some(identifier) = &version.identifier else {
            return versions.plain.add(number, api);
        };
        match &version.scheme {
            VersionScheme::Segment => {
                let versions = node.child(identifier).versions.get_or_insert_default();
                versions.plain.add(number, api);
            }
            VersionScheme::Header(name) => {
                versions.named(By::Header(name.clone()), identifier).add(number, api);
            }
            VersionScheme::Query(name) => {
                versions.named(By::Query(name.clone()), identifier).add(number, api);
            }
        }
    }

    /// The API for a path, whose dot segments are resolved. `None` also if the version or the
    /// revision is unknown: shorter suffixes are not tried then.
    pub(super) fn find<'a>(
        &self,
        path: &'a str,
        query: &str,
        headers: &HeaderMap,
    ) -> Option<Found<'a>> {
        let has_revision = memchr(b';', path.as_bytes()).is_some();
        let mut node = &self.root;
        let mut rest = path;
        let mut best = node.versions.as_ref().map(|it| (it, None, rest));
        while let Some(inner) = rest.strip_prefix('/') {
            let end = inner.bytes().position(|it| it == b'/').unwrap_or(inner.len());
            let (segment, after) = inner.split_at(end);
            let (segment, revision) = match has_revision {
                true => split_revision(segment),
                false => (segment, None),
            };
            if segment.is_empty() && revision.is_some() {
                // `/;rev=2/leads`: the API with the empty suffix.
                if std::ptr::eq(node, &self.root) {
                    best = node.versions.as_ref().map(|it| (it, revision, after));
                }
                break;
            }
            let Some(child) = node.children.get(segment) else { break };
            node = child;
            rest = after;
            match (&node.versions, revision) {
                (Some(versions), revision) => best = Some((versions, revision, rest)),
                (None, None) => {}
                (None, Some(_)) => break,
            }
            if revision.is_some() {
                break;
            }
        }
        let (versions, revision, below) = best?;
        let number = versions.find(query, headers)?.find(revision)?;
        Some(Found { number, below })
    }
}

impl Node {
    fn child(&mut self, segment: &str) -> &mut Node {
        self.children.entry(fold(segment).into_owned())
    }
}

impl Versions {
    fn named(&mut self, by: By, identifier: &str) -> &mut Revisions {
        let named = self.named.get_or_insert_with(|| Named { by, versions: HashMap::new() });
        named.versions.entry(identifier.to_owned()).or_default()
    }

    fn find(&self, query: &str, headers: &HeaderMap) -> Option<&Revisions> {
        let Some(named) = &self.named else { return Some(&self.plain) };
        let found = match &named.by {
            By::Header(name) => headers
                .get(name)
                .map(|it| it.to_str().ok().and_then(|identifier| named.versions.get(identifier))),
            By::Query(name) => {
                pairs(query).find(|it| it.is_named(name)).map(|it| named.versions.get(&*it.value()))
            }
        };
        // A version that is named but unknown never falls back to the Original.
        found.unwrap_or(Some(&self.plain))
    }
}

impl Revisions {
    fn add(&mut self, number: usize, api: &Api) {
        if !api.is_online {
            return;
        }
        if api.info.is_current_revision {
            self.current.get_or_insert(number);
        }
        self.all.push((api.info.revision.clone(), number));
    }

    fn find(&self, revision: Option<&str>) -> Option<usize> {
        match revision {
            None => self.current,
            Some(wanted) => self.all.iter().find(|(it, _)| it == wanted).map(|(_, number)| *number),
        }
    }
}

/// `customers;rev=3` is the segment `customers` and the revision `3`.
fn split_revision(segment: &str) -> (&str, Option<&str>) {
    const MARK: &str = ";rev=";
    let mark = segment.find(';').filter(|at| {
        segment.get(*at..at + MARK.len()).is_some_and(|it| it.eq_ignore_ascii_case(MARK))
    });
    match mark {
        None => (segment, None),
        Some(at) => (segment.get(..at).unwrap_or_default(), segment.get(at + MARK.len()..)),
    }
}

#[cfg(test)]
mod tests {
    use config::{Version, VersionScheme};
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Apis, split_revision};
    use crate::test_support::{ApiSpec, api};

    const HEADER: HeaderName = HeaderName::from_static("api-version");

    fn version(scheme: VersionScheme, identifier: &str) -> Option<Version> {
        let identifier = (!identifier.is_empty()).then(|| identifier.to_owned());
        Some(Version { scheme, identifier })
    }

    /// The id of the API that a request is for, and the path below.
    fn find(specs: &[ApiSpec], url: &str, header: Option<&'static str>) -> String {
        let mut apis = Apis::default();
        for (number, spec) in specs.iter().enumerate() {
            apis.add(number, &api(spec));
        }
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let headers: HeaderMap =
            header.map(|it| (HEADER, HeaderValue::from_static(it))).into_iter().collect();
        match apis.find(path, query, &headers) {
            None => "none".to_owned(),
            Some(found) => format!("{} {}", specs[found.number].id, found.below),
        }
    }

    fn spec(id: &'static str, path: &'static str) -> ApiSpec {
        ApiSpec { id, path, ..ApiSpec::default() }
    }

    #[test]
    fn the_longest_suffix_of_whole_segments_wins() {
        let specs = [spec("root", ""), spec("a", "a"), spec("ab", "a/B c"), spec("deep", "x/y/z")];
        for (url, expected) in [
            ("/", "root /"),
            ("/other", "root /other"),
            ("/a", "a "),
            ("/A/", "a /"),
            ("/a/c", "a /c"),
            ("/ab", "root /ab"),
            ("/a/b%20C/d/", "ab /d/"),
            ("/x/y", "root /x/y"),
            ("/x/y/z", "deep "),
        ] {
            assert_eq!(find(&specs, url, None), expected, "{url}");
        }
    }

    #[test]
    fn a_version_in_the_path_belongs_to_the_api() {
        let segment = |id, identifier| ApiSpec {
            version: version(VersionScheme::Segment, identifier),
            ..spec(id, "shop")
        };
        let specs = [spec("root", ""), segment("v1", "v1"), segment("v2", "V2")];
        assert_eq!(find(&specs, "/shop/V1/items", None), "v1 /items");
        assert_eq!(find(&specs, "/shop/v2;rev=1", None), "v2 ");
        assert_eq!(find(&specs, "/shop/v3/items", None), "none");
        assert_eq!(find(&specs, "/shop", None), "none");

        let specs = [segment("original", ""), segment("v1", "v1")];
        assert_eq!(find(&specs, "/shop/items", None), "original /items");
        assert_eq!(find(&specs, "/shop/v1/items", None), "v1 /items");
    }

    #[test]
    fn versions_in_header_and_query_compare_exactly() {
        let header = |id, identifier| ApiSpec {
            version: version(VersionScheme::Header(HEADER), identifier),
            ..spec(id, "shop")
        };
        let specs = [header("original", ""), header("v1", "v1")];
        assert_eq!(find(&specs, "/shop/x", None), "original /x");
        assert_eq!(find(&specs, "/shop/x", Some("v1")), "v1 /x");
        assert_eq!(find(&specs, "/shop/x", Some("V1")), "none");
        assert_eq!(find(&[header("v1", "v1")], "/shop/x", None), "none");

        let query = |id, identifier| ApiSpec {
            version: version(VersionScheme::Query("api-version".to_owned()), identifier),
            ..spec(id, "shop")
        };
        let specs = [query("v1", "2024-10-21")];
        assert_eq!(find(&specs, "/shop/x?a=b&api-version=2024-10-21", None), "v1 /x");
        assert_eq!(find(&specs, "/shop/x?api-version=2024", None), "none");
        assert_eq!(find(&[spec("plain", "shop")], "/shop/x?api-version=any", None), "plain /x");
    }

    #[test]
    fn a_revision_is_named_after_the_suffix() {
        let revision = |id, path, revision, is_current, is_online| ApiSpec {
            revision,
            is_current,
            is_online,
            ..spec(id, path)
        };
        let specs = [
            revision("one", "customers", "1", true, true),
            revision("two", "customers", "2", false, true),
            revision("three", "customers", "3", false, false),
            revision("root2", "", "2", false, true),
        ];
        for (url, expected) in [
            ("/customers/leads", "one /leads"),
            ("/customers;rev=1/leads", "one /leads"),
            ("/customers;REV=2/leads", "two /leads"),
            ("/customers;rev=2", "two "),
            ("/customers;rev=3/leads", "none"),
            ("/customers;rev=9/leads", "none"),
            ("/customers;rev=/leads", "none"),
            ("/customers/leads;rev=2", "one /leads;rev=2"),
            ("/;rev=2/leads", "root2 /leads"),
            ("/other", "none"),
        ] {
            assert_eq!(find(&specs, url, None), expected, "{url}");
        }
    }

    #[test]
    fn only_rev_is_a_revision() {
        assert_eq!(split_revision("a;rev=3"), ("a", Some("3")));
        assert_eq!(split_revision("a;v=3"), ("a;v=3", None));
        assert_eq!(split_revision("a"), ("a", None));
        assert_eq!(split_revision("a;é"), ("a;é", None));
    }
}
