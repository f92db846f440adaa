//! Where a deployment goes: subscription, resource group, cloud; and identifiers of resources.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource>

use serde_json::{Value, json};

use super::runtime::Item;
use super::special::Call;
use crate::fault::Fault;

pub(super) fn call<'t>(it: &Call<'_, 't>, lower: &str) -> Option<Result<Item<'t>, Fault>> {
    let value = match lower {
        "subscription" => Ok(subscription(it)),
        "resourcegroup" => Ok(resource_group(it)),
        "tenant" => Ok(json!({ "tenantId": it.world.inputs.tenant, "displayName": "" })),
        "deployment" => Ok(json!({
            "name": it.frame.scope.target.deployment,
            "location": it.world.inputs.location,
            "properties": { "mode": "Incremental" },
        })),
        "environment" => Ok(environment()),
        "managementgroup" | "deployer" => it.world.known(&format!("{}()", it.name)),
        "resourceid" => resource_id(it),
        "subscriptionresourceid" => subscription_resource_id(it),
        "tenantresourceid" => path(it, 0).map(|path| format!("/providers/{path}").into()),
        "managementgroupresourceid" => it.text(0).and_then(|group| {
            let path = path(it, 1)?;
            let groups = "/providers/Microsoft.Management/managementGroups";
            Ok(format!("{groups}/{group}/providers/{path}").into())
        }),
        "extensionresourceid" => it.text(0).and_then(|base| {
            let path = path(it, 1)?;
            Ok(format!("{}/providers/{path}", base.trim_end_matches('/')).into())
        }),
        _ => return None,
    };
    Some(value.map(Item::Value))
}

fn subscription(it: &Call<'_, '_>) -> Value {
    let id = &it.frame.scope.target.subscription;
    json!({
        "id": format!("/subscriptions/{id}"),
        "subscriptionId": id,
        "tenantId": it.world.inputs.tenant,
        "displayName": id,
    })
}

fn resource_group(it: &Call<'_, '_>) -> Value {
    let target = &it.frame.scope.target;
    json!({
        "id": format!("/subscriptions/{}/resourceGroups/{}", target.subscription, target.group),
        "name": target.group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": it.world.inputs.location,
        "tags": {},
        "properties": { "provisioningState": "Succeeded" },
    })
}

/// The addresses of the public cloud.
fn environment() -> Value {
    json!({
        "name": "AzureCloud",
        "resourceManager": "https://management.azure.com/",
        "portal": "https://portal.azure.com",
        "graph": "https://graph.windows.net/",
        "authentication": {
            "loginEndpoint": "https://login.microsoftonline.com/",
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {
            "keyvaultDns": ".vault.azure.net",
            "storage": "core.windows.net",
            "sqlServerHostname": ".database.windows.net",
            "acrLoginServer": ".azurecr.io",
        },
    })
}

/// `Provider/type/name/subtype/name`, from a type and its names.
fn path(it: &Call<'_, '_>, from: usize) -> Result<String, Fault> {
    let kind = it.text(from)?;
    let names: Result<Vec<String>, Fault> =
        (from + 1..it.given.len()).map(|at| it.text(at)).collect();
    let names: Vec<String> =
        names?.iter().flat_map(|it| it.split('/')).map(str::to_owned).collect();
    joined(&kind, &names).ok_or_else(|| {
        let n_names = names.len();
        Fault::wrong(format!("`{}`: type `{kind}` does not go with {n_names} names", it.name))
    })
}

/// The type and the names, one after the other; none if their numbers do not fit.
pub(crate) fn joined<N: AsRef<str>>(kind: &str, names: &[N]) -> Option<String> {
    let mut types = kind.split('/');
    let mut path = types.next()?.to_owned();
    let mut names = names.iter();
    for kind in types {
        path.push('/');
        path.push_str(kind);
        path.push('/');
        path.push_str(names.next()?.as_ref());
    }
    names.next().is_none().then_some(path)
}

/// Where the type stands: before it may be a subscription and a resource group.
fn type_at(it: &Call<'_, '_>) -> Result<usize, Fault> {
    for at in 0..it.given.len() {
        if it.text(at)?.contains('/') {
            return Ok(at);
        }
    }
    Err(Fault::wrong(format!("`{}`: no argument is a resource type", it.name)))
}

fn resource_id(it: &Call<'_, '_>) -> Result<Value, Fault> {
    let target = &it.frame.scope.target;
    let (subscription, group, at) = match type_at(it)? {
        0 => (target.subscription.clone(), target.group.clone(), 0),
        1 => (target.subscription.clone(), it.text(0)?, 1),
        at => (it.text(0)?, it.text(1)?, at),
    };
    let path = path(it, at)?;
    Ok(format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{path}").into())
}

fn subscription_resource_id(it: &Call<'_, '_>) -> Result<Value, Fault> {
    let at = type_at(it)?;
    let subscription =
        if at == 0 { it.frame.scope.target.subscription.clone() } else { it.text(0)? };
    Ok(format!("/subscriptions/{subscription}/providers/{}", path(it, at)?).into())
}
