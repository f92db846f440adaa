//! Which resource is which file: one row per type.
//!
//! Source: `Azure/apiops`, <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service>

/// What a resource becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Becomes {
    /// An information file of this name in a folder of its own, below a folder of its kind.
    Information(&'static str, &'static str),
    /// An API: an information file, and the specification that it brings.
    Api,
    /// A policy fragment: an information file, and its document.
    Fragment,
    /// The policy document of what it stands in.
    Policy,
    /// Nothing, because a gateway has no use for it: the words of the note.
    Nothing(&'static str),
}

use Becomes::{Api, Fragment, Information, Nothing, Policy};

/// Types below the service, or below a workspace; the names of the parents stand in between.
const KINDS: &[(&str, Becomes)] = &[
    ("apis", Api),
    ("apis/diagnostics", Information("diagnostics", "diagnosticInformation.json")),
    ("apis/operations", Information("operations", "operationInformation.json")),
    ("apis/operations/policies", Policy),
    ("apis/operations/tags", Nothing("tags of operations")),
    ("apis/policies", Policy),
    ("apis/releases", Information("releases", "apiReleaseInformation.json")),
    ("apis/resolvers", Information("resolvers", "resolverInformation.json")),
    ("apis/resolvers/policies", Policy),
    ("apis/schemas", Information("schemas", "apiSchemaInformation.json")),
    ("apis/tagDescriptions", Nothing("descriptions of tags")),
    ("apis/tags", Information("tags", "tagInformation.json")),
    ("apis/wikis", Nothing("pages of the developer portal")),
    ("apiVersionSets", Information("version sets", "versionSetInformation.json")),
    (
        "authorizationProviders",
        Information("authorization providers", "authorizationProviderInformation.json"),
    ),
    ("authorizationServers", Nothing("OAuth servers of the developer portal")),
    ("backends", Information("backends", "backendInformation.json")),
    ("caches", Information("caches", "cacheInformation.json")),
    ("certificates", Information("certificates", "certificateInformation.json")),
    ("contentTypes", Nothing("pages of the developer portal")),
    ("diagnostics", Information("diagnostics", "diagnosticInformation.json")),
    ("documentations", Nothing("pages of the developer portal")),
    ("emailTemplates", Nothing("mails of the developer portal")),
    ("gateways", Information("gateways", "gatewayInformation.json")),
    ("gateways/apis", Information("apis", "gatewayApiInformation.json")),
    ("groups", Information("groups", "groupInformation.json")),
    ("groups/users", Information("users", "groupUserInformation.json")),
    ("identityProviders", Nothing("identity providers of the developer portal")),
    ("loggers", Information("loggers", "loggerInformation.json")),
    ("namedValues", Information("named values", "namedValueInformation.json")),
    ("notifications", Nothing("notifications")),
    ("openidConnectProviders", Nothing("OpenID providers of the developer portal")),
    ("policies", Policy),
    ("policyFragments", Fragment),
    ("policyRestrictions", Information("policy restrictions", "policyRestrictionInformation.json")),
    ("portalconfigs", Nothing("settings of the developer portal")),
    ("portalsettings", Nothing("settings of the developer portal")),
    ("privateEndpointConnections", Nothing("connections of the network")),
    ("products", Information("products", "productInformation.json")),
    ("products/apiLinks", Information("apis", "productApiInformation.json")),
    ("products/apis", Information("apis", "productApiInformation.json")),
    ("products/groupLinks", Information("groups", "productGroupInformation.json")),
    ("products/groups", Information("groups", "productGroupInformation.json")),
    ("products/policies", Policy),
    ("products/tags", Nothing("tags of products")),
    ("products/wikis", Nothing("pages of the developer portal")),
    ("schemas", Information("schemas", "schemaInformation.json")),
    ("subscriptions", Information("subscriptions", "subscriptionInformation.json")),
    ("tags", Information("tags", "tagInformation.json")),
    ("tags/apiLinks", Information("apis", "tagApiInformation.json")),
    ("tags/operationLinks", Nothing("tags of operations")),
    ("tags/productLinks", Information("products", "tagProductInformation.json")),
    ("users", Information("users", "userInformation.json")),
    ("workspaces", Information("workspaces", "workspaceInformation.json")),
];

/// What the resources of a type become; the type is that behind the service or the workspace.
pub(crate) fn find(kind: &str) -> Option<Becomes> {
    KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind)).map(|(_, it)| *it)
}

/// The folder of the entities of a type.
pub(crate) fn folder(kind: &str) -> &'static str {
    match find(kind) {
        Some(Api) => "apis",
        Some(Fragment) => "policy fragments",
        Some(Information(folder, _)) => folder,
        _ => "",
    }
}

/// The folders of all types.
pub(crate) fn folders() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(kind, _)| folder(kind)).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_stands_in_one_that_is_there() {
        for (kind, _) in KINDS {
            assert_eq!(
                KINDS.iter().filter(|it| it.0.eq_ignore_ascii_case(kind)).count(),
                1,
                "{kind}"
            );
            let Some((parent, _)) = kind.rsplit_once('/') else { continue };
            assert_ne!(folder(parent), "", "{kind} stands in {parent}");
        }
    }
}
