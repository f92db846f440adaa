//! Every kind of resource that is served: where it hangs, where its file is, what is particular.
//!
//! A row is a resource type of `Microsoft.ApiManagement/service`. The engine knows no kind by name
//! beyond what [`crate::special`] lists.
//!
//! Source: <https://learn.microsoft.com/rest/api/apimanagement/>

/// A resource type.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The segments of its path below the service, names left out: `["apis", "operations"]`.
    pub(crate) path: &'static [&'static str],
    /// What it is kept in.
    pub(crate) kept_in: KeptIn,
    /// Whether workspaces have it, too.
    pub(crate) in_workspaces: bool,
    /// Properties without which it is refused.
    pub(crate) required: &'static [&'static str],
    /// Properties that the service sets: they are left out of what a client sends.
    pub(crate) read_only: &'static [&'static str],
    /// Properties that stay as they are if a PUT leaves them out.
    pub(crate) stays: &'static [&'static str],
    /// Properties that are shown where the file has none, with their value as JSON.
    pub(crate) defaults: &'static [(&'static str, &'static str)],
    /// Properties that no answer shows.
    pub(crate) hidden: &'static [&'static str],
    /// Properties below which only references to named values are shown.
    pub(crate) masked: &'static [&'static str],
    /// The property that names what it links: it goes when that goes.
    pub(crate) goes_with: Option<&'static str>,
    /// Whether Azure makes it in a long-running operation, so that clients look for its end.
    pub(crate) is_long: bool,
    /// Those that every service has, with their properties as JSON.
    pub(crate) built_in: &'static [(&'static str, &'static str)],
}

/// What a resource is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeptIn {
    /// A folder of its own with an information file.
    Folder {
        /// The folder of the kind, as new ones are called.
        folder: &'static str,
        /// The information file, as new ones are called.
        file: &'static str,
    },
    /// `policy.xml` of what it belongs to.
    Policy,
    /// An entry of a list, or a folder, that links two resources.
    Link {
        /// The folder of the links, and the list without `.json`.
        folder: &'static str,
        /// The information file of a link.
        file: &'static str,
        /// The kind that it leads to.
        target: &'static str,
    },
}

/// A row with nothing particular.
const PLAIN: Kind = Kind {
    path: &[],
    kept_in: KeptIn::Policy,
    in_workspaces: false,
    required: &[],
    read_only: &["provisioningState"],
    stays: &[],
    defaults: &[],
    hidden: &[],
    masked: &[],
    goes_with: None,
    is_long: false,
    built_in: &[],
};

const fn folder(folder: &'static str, file: &'static str) -> KeptIn {
    KeptIn::Folder { folder, file }
}

const fn link(folder: &'static str, file: &'static str, target: &'static str) -> KeptIn {
    KeptIn::Link { folder, file, target }
}

const fn policy(path: &'static [&'static str]) -> Kind {
    Kind { path, kept_in: KeptIn::Policy, in_workspaces: true, required: &["value"], ..PLAIN }
}

/// What a path that names nothing ends in.
pub(crate) static NONE: Kind = PLAIN;

/// All kinds.
pub(crate) static KINDS: &[Kind] = &[
    Kind {
        path: &["apis"],
        kept_in: folder("apis", "apiInformation.json"),
        in_workspaces: true,
        required: &["path"],
        read_only: &["provisioningState", "isOnline"],
        stays: &[
            "apiRevision",
            "isCurrent",
            "type",
            "apiVersion",
            "apiVersionSetId",
            "displayName",
        ],
        defaults: &[
            ("apiRevision", "\"1\""),
            ("isCurrent", "true"),
            ("protocols", "[\"https\"]"),
            ("subscriptionRequired", "true"),
            (
                "subscriptionKeyParameterNames",
                r#"{"header":"Ocp-Apim-Subscription-Key","query":"subscription-key"}"#,
            ),
            (
                "authenticationSettings",
                r#"{"oAuth2AuthenticationSettings":[],"openidAuthenticationSettings":[]}"#,
            ),
        ],
        is_long: true,
        ..PLAIN
    },
    Kind {
        path: &["apis", "operations"],
        kept_in: folder("operations", "operationInformation.json"),
        in_workspaces: true,
        required: &["displayName", "method", "urlTemplate"],
        defaults: &[("templateParameters", "[]"), ("responses", "[]")],
        ..PLAIN
    },
    policy(&["apis", "operations", "policies"]),
    Kind {
        path: &["apis", "operations", "tags"],
        kept_in: link("tags", "tagInformation.json", "tags"),
        ..PLAIN
    },
    policy(&["apis", "policies"]),
    Kind {
        path: &["apis", "diagnostics"],
        kept_in: folder("diagnostics", "diagnosticInformation.json"),
        in_workspaces: true,
        required: &["loggerId"],
        ..PLAIN
    },
    Kind {
        path: &["apis", "schemas"],
        kept_in: folder("schemas", "apiSchemaInformation.json"),
        in_workspaces: true,
        required: &["contentType"],
        is_long: true,
        ..PLAIN
    },
    Kind {
        path: &["apis", "releases"],
        kept_in: folder("releases", "apiReleaseInformation.json"),
        in_workspaces: true,
        required: &["apiId"],
        read_only: &["provisioningState", "createdDateTime", "updatedDateTime"],
        stays: &["createdDateTime"],
        ..PLAIN
    },
    Kind {
        path: &["apis", "resolvers"],
        kept_in: folder("resolvers", "resolverInformation.json"),
        required: &["displayName", "path"],
        ..PLAIN
    },
    policy(&["apis", "resolvers", "policies"]),
    Kind {
        path: &["apis", "tagDescriptions"],
        kept_in: folder("tagDescriptions", "tagDescriptionInformation.json"),
        in_workspaces: true,
        ..PLAIN
    },
    Kind {
        path: &["apis", "tags"],
        kept_in: link("tags", "tagInformation.json", "tags"),
        in_workspaces: true,
        ..PLAIN
    },
    Kind {
        path: &["apiVersionSets"],
        kept_in: folder("version sets", "versionSetInformation.json"),
        in_workspaces: true,
        required: &["displayName", "versioningScheme"],
        ..PLAIN
    },
    Kind {
        path: &["authorizationProviders"],
        kept_in: folder("authorization providers", "authorizationProviderInformation.json"),
        required: &["identityProvider"],
        ..PLAIN
    },
    Kind {
        path: &["authorizationProviders", "authorizations"],
        kept_in: folder("authorizations", "authorizationInformation.json"),
        masked: &["parameters"],
        stays: &["parameters"],
        ..PLAIN
    },
    Kind {
        path: &["authorizationProviders", "authorizations", "accessPolicies"],
        kept_in: folder("accessPolicies", "accessPolicyInformation.json"),
        ..PLAIN
    },
    Kind {
        path: &["backends"],
        kept_in: folder("backends", "backendInformation.json"),
        in_workspaces: true,
        ..PLAIN
    },
    Kind {
        path: &["caches"],
        kept_in: folder("caches", "cacheInformation.json"),
        required: &["connectionString", "useFromLocation"],
        stays: &["connectionString"],
        masked: &["connectionString"],
        ..PLAIN
    },
    Kind {
        path: &["certificates"],
        kept_in: folder("certificates", "certificateInformation.json"),
        in_workspaces: true,
        read_only: &["provisioningState", "subject", "thumbprint", "expirationDate"],
        hidden: &["data", "password"],
        ..PLAIN
    },
    Kind {
        path: &["diagnostics"],
        kept_in: folder("diagnostics", "diagnosticInformation.json"),
        in_workspaces: true,
        required: &["loggerId"],
        ..PLAIN
    },
    Kind {
        path: &["documentations"],
        kept_in: folder("documentations", "documentationInformation.json"),
        ..PLAIN
    },
    Kind { path: &["gateways"], kept_in: folder("gateways", "gatewayInformation.json"), ..PLAIN },
    Kind {
        path: &["gateways", "apis"],
        kept_in: link("apis", "gatewayApiInformation.json", "apis"),
        ..PLAIN
    },
    Kind {
        path: &["gateways", "certificateAuthorities"],
        kept_in: folder("certificateAuthorities", "certificateAuthorityInformation.json"),
        ..PLAIN
    },
    Kind {
        path: &["gateways", "hostnameConfigurations"],
        kept_in: folder("hostnameConfigurations", "hostnameConfigurationInformation.json"),
        required: &["hostname"],
        ..PLAIN
    },
    Kind {
        path: &["groups"],
        kept_in: folder("groups", "groupInformation.json"),
        in_workspaces: true,
        required: &["displayName"],
        read_only: &["provisioningState", "builtIn"],
        defaults: &[("type", "\"custom\""), ("builtIn", "false")],
        built_in: &[
            (
                "administrators",
                r#"{"displayName":"Administrators","description":"Administrators is a built-in group. Its membership is managed by the system.","type":"system","builtIn":true}"#,
            ),
            (
                "developers",
                r#"{"displayName":"Developers","description":"Developers is a built-in group. Its membership is managed by the system.","type":"system","builtIn":true}"#,
            ),
            (
                "guests",
                r#"{"displayName":"Guests","description":"Guests is a built-in group. Its membership is managed by the system.","type":"system","builtIn":true}"#,
            ),
        ],
        ..PLAIN
    },
    Kind {
        path: &["groups", "users"],
        kept_in: link("users", "groupUserInformation.json", "users"),
        in_workspaces: true,
        ..PLAIN
    },
    Kind {
        path: &["loggers"],
        kept_in: folder("loggers", "loggerInformation.json"),
        in_workspaces: true,
        required: &["loggerType"],
        stays: &["credentials"],
        masked: &["credentials"],
        defaults: &[("isBuffered", "true")],
        ..PLAIN
    },
    Kind {
        path: &["namedValues"],
        kept_in: folder("named values", "namedValueInformation.json"),
        in_workspaces: true,
        required: &["displayName"],
        defaults: &[("secret", "false")],
        is_long: true,
        ..PLAIN
    },
    policy(&["policies"]),
    Kind {
        path: &["policyFragments"],
        kept_in: folder("policy fragments", "policyFragmentInformation.json"),
        in_workspaces: true,
        required: &["value"],
        is_long: true,
        ..PLAIN
    },
    Kind {
        path: &["policyRestrictions"],
        kept_in: folder("policyRestrictions", "policyRestrictionInformation.json"),
        ..PLAIN
    },
    Kind {
        path: &["products"],
        kept_in: folder("products", "productInformation.json"),
        in_workspaces: true,
        required: &["displayName"],
        defaults: &[("state", "\"notPublished\""), ("subscriptionRequired", "true")],
        ..PLAIN
    },
    Kind {
        path: &["products", "apis"],
        kept_in: link("apis", "productApiInformation.json", "apis"),
        in_workspaces: true,
        ..PLAIN
    },
    Kind {
        path: &["products", "apiLinks"],
        kept_in: folder("apiLinks", "productApiLinkInformation.json"),
        in_workspaces: true,
        required: &["apiId"],
        goes_with: Some("apiId"),
        ..PLAIN
    },
    Kind {
        path: &["products", "groupLinks"],
        kept_in: folder("groupLinks", "productGroupLinkInformation.json"),
        in_workspaces: true,
        required: &["groupId"],
        goes_with: Some("groupId"),
        ..PLAIN
    },
    Kind {
        path: &["products", "groups"],
        kept_in: link("groups", "productGroupInformation.json", "groups"),
        in_workspaces: true,
        ..PLAIN
    },
    policy(&["products", "policies"]),
    Kind {
        path: &["products", "tags"],
        kept_in: link("tags", "tagInformation.json", "tags"),
        in_workspaces: true,
        ..PLAIN
    },
    Kind {
        path: &["schemas"],
        kept_in: folder("schemas", "schemaInformation.json"),
        in_workspaces: true,
        required: &["schemaType"],
        is_long: true,
        ..PLAIN
    },
    Kind {
        path: &["subscriptions"],
        kept_in: folder("subscriptions", "subscriptionInformation.json"),
        in_workspaces: true,
        required: &["displayName", "scope"],
        read_only: &["provisioningState", "createdDate"],
        stays: &["primaryKey", "secondaryKey", "createdDate", "state", "ownerId", "allowTracing"],
        defaults: &[("state", "\"active\""), ("allowTracing", "false")],
        hidden: &["primaryKey", "secondaryKey"],
        ..PLAIN
    },
    Kind {
        path: &["tags"],
        kept_in: folder("tags", "tagInformation.json"),
        in_workspaces: true,
        required: &["displayName"],
        ..PLAIN
    },
    Kind {
        path: &["tags", "apiLinks"],
        kept_in: folder("apiLinks", "tagApiLinkInformation.json"),
        in_workspaces: true,
        required: &["apiId"],
        goes_with: Some("apiId"),
        ..PLAIN
    },
    Kind {
        path: &["tags", "operationLinks"],
        kept_in: folder("operationLinks", "tagOperationLinkInformation.json"),
        in_workspaces: true,
        required: &["operationId"],
        goes_with: Some("operationId"),
        ..PLAIN
    },
    Kind {
        path: &["tags", "productLinks"],
        kept_in: folder("productLinks", "tagProductLinkInformation.json"),
        in_workspaces: true,
        required: &["productId"],
        goes_with: Some("productId"),
        ..PLAIN
    },
    Kind {
        path: &["users"],
        kept_in: folder("users", "userInformation.json"),
        required: &["email", "firstName", "lastName"],
        read_only: &["provisioningState", "registrationDate", "groups"],
        stays: &["registrationDate", "state", "identities", "password"],
        defaults: &[("state", "\"active\""), ("identities", "[]")],
        hidden: &["password", "groups"],
        ..PLAIN
    },
    Kind {
        path: &["workspaces"],
        kept_in: folder("workspaces", "workspaceInformation.json"),
        required: &["displayName"],
        ..PLAIN
    },
];

impl Kind {
    /// The last segment of its path: `operations`.
    pub(crate) fn segment(&self) -> &'static str {
        self.path.last().copied().unwrap_or("")
    }

    /// Whether it is this kind, whatever it hangs below.
    pub(crate) fn is(&self, path: &[&str]) -> bool {
        self.path == path
    }

    /// Whether it is kept as a document.
    pub(crate) fn is_policy(&self) -> bool {
        self.kept_in == KeptIn::Policy
    }

    /// The normalised name of the folder that holds it.
    pub(crate) fn folder(&self) -> Option<&'static str> {
        match self.kept_in {
            KeptIn::Folder { folder, .. } | KeptIn::Link { folder, .. } => Some(folder),
            KeptIn::Policy => None,
        }
    }

    /// How long a name may be, in characters.
    pub(crate) fn max_name(&self) -> usize {
        if self.is(&["apis"]) || self.is(&["products"]) || self.is(&["subscriptions"]) {
            256
        } else {
            80
        }
    }
}

/// The kind called `segment` (in any case) below `parent`, within a workspace or not.
pub(crate) fn child(
    parent: &[&'static str],
    segment: &str,
    in_workspace: bool,
) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| {
        (!in_workspace || kind.in_workspaces)
            && kind.path.len() == parent.len() + 1
            && kind.path.starts_with(parent)
            && kind.segment().eq_ignore_ascii_case(segment)
    })
}

/// The kind whose folder below `parent` has this normalised name.
pub(crate) fn child_of_folder(
    parent: &[&'static str],
    normalised: &str,
    in_workspace: bool,
) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| {
        (!in_workspace || kind.in_workspaces)
            && kind.path.len() == parent.len() + 1
            && kind.path.starts_with(parent)
            && kind.folder().is_some_and(|it| normalise(it) == normalised)
    })
}

/// A folder name in lower case without spaces, hyphens and underscores, as the loader compares it.
pub(crate) fn normalise(name: &str) -> String {
    name.chars().filter(|it| !matches!(it, ' ' | '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn no_two_kinds_have_one_path_or_one_folder() {
        for (n, kind) in KINDS.iter().enumerate() {
            for other in KINDS.iter().skip(n + 1) {
                assert_ne!(kind.path, other.path);
                let is_sibling = kind.path.len() == other.path.len()
                    && kind.path.split_last().map(|it| it.1)
                        == other.path.split_last().map(|it| it.1);
                let folders = (kind.folder(), other.folder());
                assert!(
                    !is_sibling || folders.0.is_none() || folders.0 != folders.1,
                    "{:?}",
                    kind.path
                );
            }
        }
    }

    #[test]
    fn every_kind_hangs_below_one_that_is_served() {
        for kind in KINDS.iter().filter(|it| it.path.len() > 1) {
            let parent = kind.path.split_last().unwrap().1;
            assert!(KINDS.iter().any(|it| it.path == parent), "{:?}", kind.path);
        }
    }

    #[test]
    fn what_stands_as_json_is_json() {
        for kind in KINDS {
            for (name, json) in kind.defaults.iter().chain(kind.built_in) {
                assert!(serde_json::from_str::<Value>(json).is_ok(), "{:?} {name}", kind.path);
            }
        }
    }

    #[test]
    fn a_kind_is_found_by_segment_or_folder() {
        let found = child(&[], "NAMEDVALUES", false).unwrap();
        assert_eq!(found.path, ["namedValues"]);
        assert_eq!(child_of_folder(&[], "namedvalues", true).unwrap().path, ["namedValues"]);
        assert_eq!(child_of_folder(&[], "versionsets", false).unwrap().path, ["apiVersionSets"]);
        assert!(child(&[], "users", true).is_none());
        assert!(child(&["apis"], "users", false).is_none());
    }
}
