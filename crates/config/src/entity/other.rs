//! Entities that change nothing of what a request experiences: they are notes, one per kind.

use super::Reading;
use crate::codes;
use crate::layout::Layout;

/// Kinds without an effect on requests, with the words for the note.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("authorizationproviders", "authorization providers"),
    ("documentations", "documentation pages"),
    ("policyrestrictions", "policy restrictions"),
    ("tags", "tags"),
];

pub(super) fn check(layout: &Layout, cx: &Reading<'_>) {
    for (kind, words) in WITHOUT_EFFECT {
        let names: Vec<&str> = layout.of(kind).map(|it| it.name.as_str()).collect();
        let Some(first) = layout.of(kind).next() else { continue };
        let message = format!("{words} have no effect on requests: {}", listed(&names));
        cx.report(first.place().note(codes::LEFT_OUT, message));
    }
}

/// Some names, and how many more there are.
pub(super) fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|it| format!("`{it}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn kinds_without_effect_are_one_note_each() {
        let (_, problems) = read(&[
            ("tags/a/tagInformation.json", "{}"),
            ("tags/b/tagInformation.json", "{}"),
            ("policyRestrictions/r/policyRestrictionInformation.json", "{}"),
        ]);
        assert_eq!(
            problems,
            [
                "PC0508 policy restrictions have no effect on requests: `r`",
                "PC0508 tags have no effect on requests: `a`, `b`",
            ]
        );
    }

    #[test]
    fn long_lists_are_shortened() {
        assert_eq!(
            listed(&["a", "b", "c", "d", "e", "f", "g"]),
            "`a`, `b`, `c`, `d`, `e` and 2 more"
        );
    }
}
