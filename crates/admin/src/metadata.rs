//! What Azure's tools ask for around the service: the cloud's endpoints, tenants, subscriptions,
//! resource groups, the service itself.
//!
//! Sources: <https://learn.microsoft.com/rest/api/resources/>;
//! <https://learn.microsoft.com/rest/api/apimanagement/api-management-service/get>

use serde_json::{Value, json};

use crate::address::{PROVIDER, ServiceName};

/// What the answers name besides resources.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The tenant of tokens.
    pub tenant_id: String,
    /// Where tokens come from, such as `https://login.microsoftonline.com`.
    pub login_endpoint: String,
    /// The audience of tokens.
    pub audience: String,
    /// The region of the service.
    pub location: String,
    /// Where the gateway is reached.
    pub gateway_url: String,
}

impl Surroundings {
    /// The challenge of an answer without a good token.
    pub(crate) fn challenge(&self) -> String {
        let Self { login_endpoint, tenant_id, .. } = self;
        let login = login_endpoint.trim_end_matches('/');
        format!(
            "Bearer authorization_uri=\"{login}/{tenant_id}\", error=\"invalid_token\", error_description=\"The access token is missing, invalid or expired.\""
        )
    }

    /// `/metadata/endpoints`: where everything of this cloud is. `base` is the management API's own
    /// address.
    pub(crate) fn endpoints(&self, base: &str) -> Value {
        let login = self.login_endpoint.trim_end_matches('/');
        json!({
            "name": "Portcullis",
            "portal": base,
            "authentication": {
                "loginEndpoint": format!("{login}/"),
                "audiences": [self.audience, base],
                "tenant": self.tenant_id,
                "identityProvider": "AAD",
            },
            "resourceManager": base,
            "graph": base,
            "graphAudience": base,
            "microsoftGraphResourceId": base,
            "media": base,
            "batch": base,
            "sqlManagement": base,
            "gallery": base,
            "activeDirectoryDataLake": base,
            "vmImageAliasDoc": format!("{base}/aliases.json"),
            "suffixes": {
                "keyVaultDns": "vault.azure.net",
                "storage": "core.windows.net",
                "sqlServerHostname": "database.windows.net",
                "mysqlServerEndpoint": "mysql.database.azure.com",
                "postgresqlServerEndpoint": "postgres.database.azure.com",
                "mariadbServerEndpoint": "mariadb.database.azure.com",
                "acrLoginServer": "azurecr.io",
                "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
                "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
                "azureFrontDoorEndpointSuffix": "azurefd.net",
            },
        })
    }

    /// `/tenants`.
    pub(crate) fn tenants(&self) -> Value {
        list(vec![json!({
            "id": format!("/tenants/{}", self.tenant_id),
            "tenantId": self.tenant_id,
            "countryCode": "US",
            "displayName": "Portcullis",
            "domains": ["localhost"],
            "tenantCategory": "Home",
            "defaultDomain": "localhost",
            "tenantType": "AAD",
        })])
    }

    /// An Azure subscription.
    pub(crate) fn subscription(&self, service: &ServiceName) -> Value {
        let id = &service.subscription_id;
        json!({
            "id": format!("/subscriptions/{id}"),
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": id,
            "tenantId": self.tenant_id,
            "displayName": "Portcullis",
            "state": "Enabled",
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
        })
    }

    /// The resource group.
    pub(crate) fn resource_group(&self, service: &ServiceName) -> Value {
        let ServiceName { subscription_id, resource_group, .. } = service;
        json!({
            "id": format!("/subscriptions/{subscription_id}/resourceGroups/{resource_group}"),
            "name": resource_group,
            "type": "Microsoft.Resources/resourceGroups",
            "location": self.location,
            "properties": { "provisioningState": "Succeeded" },
        })
    }

    /// The registration of the provider.
    pub(crate) fn provider(&self, service: &ServiceName) -> Value {
        let id = &service.subscription_id;
        json!({
            "id": format!("/subscriptions/{id}/providers/{PROVIDER}"),
            "namespace": PROVIDER,
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [{
                "resourceType": "service",
                "locations": [self.location],
                "apiVersions": ["2024-05-01", "2022-08-01", "2021-08-01"],
                "capabilities": "SupportsTags, SupportsLocation",
            }],
        })
    }

    /// The service.
    pub(crate) fn service(&self, service: &ServiceName) -> Value {
        let host = self.gateway_url.split("//").nth(1).unwrap_or(&self.gateway_url);
        let host = host.split(['/', ':']).next().unwrap_or(host);
        json!({
            "id": service.id(),
            "name": service.name,
            "type": format!("{PROVIDER}/service"),
            "location": self.location,
            "tags": {},
            "etag": "AAAAAAAAAAE=",
            "sku": { "name": "Developer", "capacity": 1 },
            "identity": null,
            "properties": {
                "publisherEmail": "portcullis@localhost",
                "publisherName": "Portcullis",
                "notificationSenderEmail": "portcullis@localhost",
                "provisioningState": "Succeeded",
                "targetProvisioningState": "",
                "gatewayUrl": self.gateway_url,
                "hostnameConfigurations": [{
                    "type": "Proxy",
                    "hostName": host,
                    "negotiateClientCertificate": false,
                    "defaultSslBinding": true,
                    "certificateSource": "BuiltIn",
                }],
                "virtualNetworkType": "None",
                "publicNetworkAccess": "Enabled",
                "platformVersion": "stv2",
                "customProperties": {},
            },
        })
    }

    /// `tenant/access`: the management API of the service itself, which is off.
    pub(crate) fn access(&self, service: &ServiceName, name: &str) -> Value {
        json!({
            "id": format!("{}/tenant/{name}", service.id()),
            "type": format!("{PROVIDER}/service/tenant"),
            "name": name,
            "properties": { "id": name, "principalId": null, "enabled": false },
        })
    }
}

/// A list without a next page.
pub(crate) fn list(value: Vec<Value>) -> Value {
    let count = value.len();
    json!({ "value": value, "count": { "type": "Total", "value": count } })
}

/// What a path above the service names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Tenants,
    Subscriptions,
    Subscription,
    Locations,
    ResourceGroups,
    ResourceGroup,
    Provider,
    Register,
    Services,
    Service,
    /// The segments below the service.
    Below(Vec<String>),
}

/// Where a path leads; `Err`: what is not there.
pub(crate) fn place(segments: &[String], service: &ServiceName) -> Result<Place, &'static str> {
    let is = |text: &str, wanted: &str| text.eq_ignore_ascii_case(wanted);
    let all: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (subscription, rest) = match all.as_slice() {
        [one] if is(one, "tenants") => return Ok(Place::Tenants),
        [one] if is(one, "subscriptions") => return Ok(Place::Subscriptions),
        [first, id, rest @ ..] if is(first, "subscriptions") => (*id, rest),
        _ => return Err("The requested resource was"),
    };
    if !is(subscription, &service.subscription_id) {
        return Err("The subscription was");
    }
    let rest = match rest {
        [] => return Ok(Place::Subscription),
        [one] if is(one, "locations") => return Ok(Place::Locations),
        [one] if is(one, "resourcegroups") => return Ok(Place::ResourceGroups),
        [one, group, rest @ ..] if is(one, "resourcegroups") => {
            if !is(group, &service.resource_group) {
                return Err("The resource group was");
            }
            if rest.is_empty() {
                return Ok(Place::ResourceGroup);
            }
            rest
        }
        [one, provider] if is(one, "providers") && is(provider, PROVIDER) => {
            return Ok(Place::Provider);
        }
        [one, provider, action]
            if is(one, "providers") && is(provider, PROVIDER) && is(action, "register") =>
        {
            return Ok(Place::Register);
        }
        rest => rest,
    };
    match rest {
        [providers, provider, kind, below @ ..]
            if is(providers, "providers") && is(provider, PROVIDER) && is(kind, "service") =>
        {
            match below {
                [] => Ok(Place::Services),
                [name, ..] if !is(name, &service.name) => Err("The service was"),
                [_] => Ok(Place::Service),
                [_, rest @ ..] => {
                    Ok(Place::Below(rest.iter().map(|it| (*it).to_owned()).collect()))
                }
            }
        }
        _ => Err("The requested resource was"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::segments;

    fn at(path: &str) -> Result<Place, &'static str> {
        let service = ServiceName {
            subscription_id: "S1".to_owned(),
            resource_group: "rg".to_owned(),
            name: "svc".to_owned(),
        };
        place(&segments(path).unwrap(), &service)
    }

    #[test]
    fn paths_above_the_service_lead_where_azures_do() {
        let provider = "providers/microsoft.apimanagement";
        for (path, expected) in [
            ("/tenants".to_owned(), Place::Tenants),
            ("/subscriptions".to_owned(), Place::Subscriptions),
            ("/SUBSCRIPTIONS/s1".to_owned(), Place::Subscription),
            ("/subscriptions/s1/resourcegroups".to_owned(), Place::ResourceGroups),
            ("/subscriptions/s1/resourceGroups/RG".to_owned(), Place::ResourceGroup),
            (format!("/subscriptions/s1/{provider}"), Place::Provider),
            (format!("/subscriptions/s1/{provider}/service"), Place::Services),
            (format!("/subscriptions/s1/resourceGroups/rg/{provider}/service"), Place::Services),
            (
                format!("/subscriptions/s1//resourceGroups/rg/{provider}/service/SVC/"),
                Place::Service,
            ),
            (
                format!("/subscriptions/s1/resourceGroups/rg/{provider}/service/svc/apis/a"),
                Place::Below(vec!["apis".to_owned(), "a".to_owned()]),
            ),
        ] {
            assert_eq!(at(&path), Ok(expected), "{path}");
        }
    }

    #[test]
    fn what_is_not_there_is_told() {
        for (path, expected) in [
            ("/", "The requested resource was"),
            ("/subscriptions/other", "The subscription was"),
            ("/subscriptions/s1/resourceGroups/other", "The resource group was"),
            (
                "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.ApiManagement/service/other/apis",
                "The service was",
            ),
            (
                "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Web/sites",
                "The requested resource was",
            ),
        ] {
            assert_eq!(at(path), Err(expected), "{path}");
        }
    }
}
