//! Policy fragments: `policy fragments/<name>/policy.xml`, or, in old folders, the `value` of the
//! information file.

use std::sync::Arc;

use super::{Reading, policy, properties};
use crate::codes;
use crate::layout::EntityFiles;

/// A policy fragment as text.
#[derive(Clone, Debug)]
pub struct FragmentEntity {
    /// Its name, as `include-fragment` gives it.
    pub name: String,
    /// The file its text is reported in.
    pub file: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<FragmentEntity> {
    let name = files.name.clone();
    let replacement = cx.overrides.fragment(&name);
    if replacement.is_some() || files.policy.is_some() {
        let it = policy::read(files.policy.as_ref(), replacement, cx)?;
        return Some(FragmentEntity { name, file: it.file, text: it.text });
    }
    let info = cx.info("policyfragments", files)?;
    match properties(&info, cx.problems).filled("value") {
        Some(text) => {
            let file = format!("{}#value", info.file);
            Some(FragmentEntity { name, file: file.into(), text: text.into() })
        }
        None => {
            let message = format!("policy fragment `{name}` has no `policy.xml`");
            cx.report(files.place().error(codes::MISSING, message));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn text_comes_from_the_document_or_the_information() {
        let (entities, problems) = read(&[
            ("policy fragments/a/policy.xml", "<fragment/>"),
            (
                "policy fragments/a/policyFragmentInformation.json",
                r#"{"properties":{"description":"x"}}"#,
            ),
            (
                "policyFragments/b/policyFragmentInformation.json",
                r#"{"properties":{"value":"<fragment />"}}"#,
            ),
            ("policyFragments/c/policyFragmentInformation.json", "{}"),
        ]);
        let texts: Vec<(&str, &str)> =
            entities.fragments.iter().map(|it| (it.name.as_str(), &*it.text)).collect();
        assert_eq!(texts, [("a", "<fragment/>"), ("b", "<fragment />")]);
        assert_eq!(problems, ["PC0505 policy fragment `c` has no `policy.xml`"]);
    }
}
