//! Entities that Azure has and this version has not.
//!
//! Those that cannot change what a request experiences are notes, one per kind. Those that would
//! are errors that name them: a product's policy that is left out could be the one that limits.

use super::{Reading, properties};
use crate::codes;
use crate::layout::{EntityFiles, Layout};

/// Kinds without an effect on requests, with the words for the note.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("authorizationproviders", "authorization providers"),
    ("documentations", "documentation pages"),
    ("groups", "groups"),
    ("policyrestrictions", "policy restrictions"),
    ("tags", "tags"),
    ("users", "users"),
    ("versionsets", "version sets"),
];

pub(super) fn check(layout: &Layout, cx: &Reading<'_>) {
    for (kind, words) in WITHOUT_EFFECT {
        let names: Vec<&str> = layout.of(kind).map(|it| it.name.as_str()).collect();
        let Some(first) = layout.of(kind).next() else { continue };
        let message = format!("{words} have no effect in this version: {}", listed(&names));
        cx.report(first.place().note(codes::LEFT_OUT, message));
    }
    layout.of("products").for_each(|it| product(it, cx));
    layout.of("gateways").for_each(|it| gateway(it, cx));
    for workspace in layout.of("workspaces") {
        let message = format!("workspace `{}`: workspaces are not in this version", workspace.name);
        refuse(workspace, cx, &message);
    }
}

fn refuse(entity: &EntityFiles, cx: &Reading<'_>, message: &str) {
    cx.report(entity.place().error(codes::NOT_SUPPORTED, message));
}

/// A product may bring policies, or open its APIs to callers without a key.
fn product(product: &EntityFiles, cx: &Reading<'_>) {
    let name = &product.name;
    if product.policy.is_some() {
        let message = format!("product `{name}` has a policy: products are not in this version");
        return refuse(product, cx, &message);
    }
    let Some(info) = cx.info("products", product) else { return };
    let needs_key = properties(&info, cx.problems).bool("subscriptionRequired").unwrap_or(true);
    if !needs_key && product.below.contains_key("apis") {
        let message = format!(
            "product `{name}` opens its APIs to callers without a key: products are not in this version"
        );
        return refuse(product, cx, &message);
    }
    let message = format!("product `{name}` has no effect in this version; its keys are refused");
    cx.report(product.place().note(codes::LEFT_OUT, message));
}

/// A gateway entity matters if it is this gateway and says which APIs it serves.
fn gateway(gateway: &EntityFiles, cx: &Reading<'_>) {
    let name = &gateway.name;
    let is_this = cx.gateway.is_some_and(|it| it.eq_ignore_ascii_case(name));
    if is_this && gateway.below.contains_key("apis") {
        let message = format!(
            "gateway `{name}` lists the APIs it serves: such lists are not in this version"
        );
        return refuse(gateway, cx, &message);
    }
    let message = format!("gateway `{name}` has no effect in this version");
    cx.report(gateway.place().note(codes::LEFT_OUT, message));
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
            ("version sets/v/versionSetInformation.json", "{}"),
        ]);
        assert_eq!(
            problems,
            [
                "PC0508 tags have no effect in this version: `a`, `b`",
                "PC0508 version sets have no effect in this version: `v`",
            ]
        );
    }

    #[test]
    fn products_are_refused_if_they_would_be_felt() {
        let info =
            |required: bool| format!(r#"{{"properties":{{"subscriptionRequired":{required}}}}}"#);
        let (_, problems) = read(&[
            ("products/limits/policy.xml", "<policies/>"),
            ("products/open/productInformation.json", &info(false)),
            ("products/open/apis.json", r#"[{"name":"a"}]"#),
            ("products/quiet/productInformation.json", &info(true)),
            ("products/quiet/apis/a/productApiInformation.json", "{}"),
        ]);
        assert_eq!(
            problems,
            [
                "PC0507 product `limits` has a policy: products are not in this version",
                "PC0507 product `open` opens its APIs to callers without a key: products are not in this version",
                "PC0508 product `quiet` has no effect in this version; its keys are refused",
            ]
        );
    }

    #[test]
    fn workspaces_gateways_and_stray_resolvers_are_told() {
        let (_, problems) = read(&[
            ("workspaces/w/apis/a/apiInformation.json", "{}"),
            ("gateways/mine/apis.json", "[]"),
            ("gateways/other/apis.json", "[]"),
            ("apis/g/apiInformation.json", r#"{"properties":{"path":"g"}}"#),
            ("apis/g/resolvers/r/policy.xml", "<x/>"),
        ]);
        assert_eq!(
            problems,
            [
                "PC0506 API `g` has resolvers and is no GraphQL API",
                "PC0507 gateway `mine` lists the APIs it serves: such lists are not in this version",
                "PC0508 gateway `other` has no effect in this version",
                "PC0507 workspace `w`: workspaces are not in this version",
            ]
        );
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(
            listed(&["a", "b", "c", "d", "e", "f", "g"]),
            "`a`, `b`, `c`, `d`, `e` and 2 more"
        );
    }
}
