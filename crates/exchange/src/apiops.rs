//! A folder that one of the APIOps tools extracted, with the names of today's tools.
//!
//! Source: <https://github.com/Azure/apiops>, <https://github.com/Azure/apiops-cli>

use std::collections::BTreeMap;

use crate::{Imported, kinds};

/// Folders of artifacts keep their contents; what they are called becomes the same everywhere.
#[must_use]
pub fn from_folder(files: &BTreeMap<String, String>) -> Imported {
    let mut imported = Imported::default();
    let mut aside: Vec<&str> = Vec::new();
    for (name, text) in files {
        match renamed(name) {
            Some(new) => imported.add(name, new, text.clone()),
            None => aside.push(name),
        }
    }
    if !aside.is_empty() {
        let message = format!("files that are no artifacts are left out: {}", aside.join(", "));
        imported.notes.push(message);
    }
    if imported.files.is_empty() {
        imported.problem("", "there are no artifacts here");
    }
    imported
}

/// The name of a file with the folders of today; none if it is no artifact.
fn renamed(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('/').collect();
    let (file, folders) = parts.split_last()?;
    let pairs = folders.chunks_exact(2);
    // Files lie in the folder of an entity, never in that of a kind.
    if !pairs.remainder().is_empty() {
        return None;
    }
    let lower = file.to_ascii_lowercase();
    if folders.is_empty() && lower != "policy.xml" && !lower.starts_with("configuration.") {
        return None;
    }
    let mut new = String::new();
    for pair in pairs {
        let [kind, entity] = pair else { return None };
        new.push_str(&format!("{}/{entity}/", known(kind)?));
    }
    Some(new + file)
}

/// The folder of a kind.
fn known(folder: &str) -> Option<&'static str> {
    let plain = |it: &str| -> String {
        let kept = it.chars().filter(|it| !matches!(it, ' ' | '-' | '_'));
        kept.flat_map(char::to_lowercase).collect()
    };
    kinds::folders().find(|it| plain(it) == plain(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_generations_become_those_of_today() {
        for (old, new) in [
            ("policy.xml", Some("policy.xml")),
            ("configuration.prod.yaml", Some("configuration.prod.yaml")),
            ("README.md", None),
            (
                "namedValues/n/namedValueInformation.json",
                Some("named values/n/namedValueInformation.json"),
            ),
            (
                "named values/n/namedValueInformation.json",
                Some("named values/n/namedValueInformation.json"),
            ),
            ("policyFragments/f/policy.xml", Some("policy fragments/f/policy.xml")),
            ("apis/a/specification.yaml", Some("apis/a/specification.yaml")),
            ("apis/a/operations/o/policy.xml", Some("apis/a/operations/o/policy.xml")),
            (
                "apis/a/schemas/s/schemaInformation.json",
                Some("apis/a/schemas/s/schemaInformation.json"),
            ),
            ("products/p/apis.json", Some("products/p/apis.json")),
            (
                "products/p/apis/a/productApiInformation.json",
                Some("products/p/apis/a/productApiInformation.json"),
            ),
            (
                "workspaces/w/namedValues/n/namedValueInformation.json",
                Some("workspaces/w/named values/n/namedValueInformation.json"),
            ),
            ("pipelines/run.yaml", None),
            ("apis/notes.txt", None),
        ] {
            assert_eq!(renamed(old).as_deref(), new, "{old}");
        }
    }

    #[test]
    fn a_folder_without_artifacts_is_told() {
        let files = BTreeMap::from([("README.md".to_owned(), String::new())]);
        let it = from_folder(&files);
        assert_eq!(it.problems.len(), 1);
        assert_eq!(it.notes, ["files that are no artifacts are left out: README.md"]);
    }
}
