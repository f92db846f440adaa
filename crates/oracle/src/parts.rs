//! The parts of a record: what is read from its JSON.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clr::host::{
    ApiInfo, BodyView, DeploymentInfo, GraphQlInfo, GroupInfo, HeadersView, IdentityInfo,
    LastError, OperationInfo, ProductInfo, ProductState, ResponseValue, SubscriptionInfo, UrlView,
    UserInfo,
};
use serde_json::Value as Json;

use super::recorded::{Body, Request, Result, fault};
use super::values::date;

pub(super) fn optional(of: &Json, name: &str) -> Option<String> {
    of.get(name).and_then(Json::as_str).map(str::to_owned)
}

pub(super) fn text(of: &Json, name: &str) -> String {
    optional(of, name).unwrap_or_default()
}

fn flag(of: &Json, name: &str) -> bool {
    of.get(name).and_then(Json::as_bool).unwrap_or(false)
}

fn items<'a>(of: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    of.get(name).and_then(Json::as_array).into_iter().flatten()
}

pub(super) fn request(of: &Json) -> Result<Request> {
    let headers = headers(of)?;
    let matched = of.get("MatchedParameters").and_then(Json::as_object);
    Ok(Request {
        method: text(of, "Method"),
        url: url(of, "Url")?.unwrap_or_default(),
        original_url: url(of, "OriginalUrl")?.unwrap_or_default(),
        ip_address: text(of, "IpAddress"),
        matched_parameters: matched
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned()))
            .collect(),
        body: body(of, &headers)?,
        headers,
    })
}

pub(super) fn response(of: &Json) -> Result<ResponseValue> {
    let headers = headers(of)?;
    let status = of.get("StatusCode").and_then(Json::as_u64);
    Ok(ResponseValue {
        status_code: status
            .and_then(|it| u16::try_from(it).ok())
            .ok_or_else(|| fault("StatusCode"))?,
        status_reason: text(of, "StatusReason"),
        body: body(of, &headers)?.map(|it| Arc::new(it) as Arc<dyn BodyView>),
        headers,
    })
}

fn headers(of: &Json) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    let headers = of.get("Headers").and_then(Json::as_object);
    for (name, values) in headers.into_iter().flatten() {
        let values = match values {
            Json::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let value = value.as_str().ok_or_else(|| fault("Headers"))?;
            all.push((name.clone(), value.to_owned()));
        }
    }
    Ok(all)
}

fn body(of: &Json, headers: &Vec<(String, String)>) -> Result<Option<Body>> {
    let bytes = match of.get("Body") {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) => Bytes::from(text.clone()),
        Some(other) => {
            let encoded = other.get("base64").and_then(Json::as_str);
            let decoded = encoded.and_then(|it| STANDARD.decode(it).ok());
            decoded.ok_or_else(|| fault("Body"))?.into()
        }
    };
    let mut content_type = None;
    headers.each("Content-Type", &mut |it| content_type = Some(it.to_owned()));
    Ok(Some(Body { bytes: Mutex::new(bytes), content_type }))
}

fn url(of: &Json, name: &str) -> Result<Option<UrlView>> {
    match of.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(it) => it.as_str().and_then(UrlView::parse).map(Some).ok_or_else(|| fault(name)),
    }
}

pub(super) fn api(of: &Json) -> Result<ApiInfo> {
    let keys = of.get("SubscriptionKeyParameterNames").unwrap_or(&Json::Null);
    Ok(ApiInfo {
        id: text(of, "Id"),
        name: text(of, "Name"),
        path: text(of, "Path"),
        revision: text(of, "Revision"),
        version: optional(of, "Version"),
        is_current_revision: flag(of, "IsCurrentRevision"),
        protocols: items(of, "Protocols").filter_map(Json::as_str).map(str::to_owned).collect(),
        service_url: url(of, "ServiceUrl")?,
        subscription_key_header: text(keys, "Header"),
        subscription_key_query: text(keys, "Query"),
    })
}

pub(super) fn operation(of: &Json) -> OperationInfo {
    OperationInfo {
        id: text(of, "Id"),
        method: text(of, "Method"),
        name: text(of, "Name"),
        url_template: text(of, "UrlTemplate"),
    }
}

pub(super) fn product(of: &Json, api: Option<&ApiInfo>) -> Result<ProductInfo> {
    let published = of.get("State").and_then(Json::as_str) == Some("Published");
    let limit = of.get("SubscriptionLimit").or_else(|| of.get("SubscriptionsLimit"));
    let limit = match limit {
        None | Some(Json::Null) => None,
        Some(it) => {
            let number = it.as_i64().and_then(|it| i32::try_from(it).ok());
            Some(number.ok_or_else(|| fault("SubscriptionLimit"))?)
        }
    };
    Ok(ProductInfo {
        id: text(of, "Id"),
        name: text(of, "Name"),
        approval_required: flag(of, "ApprovalRequired"),
        groups: groups(of),
        state: if published { ProductState::Published } else { ProductState::NotPublished },
        subscriptions_limit: limit,
        subscription_required: flag(of, "SubscriptionRequired"),
        apis: api.cloned().into_iter().collect(),
    })
}

fn groups(of: &Json) -> Vec<GroupInfo> {
    items(of, "Groups").map(|it| GroupInfo { id: text(it, "Id"), name: text(it, "Name") }).collect()
}

pub(super) fn subscription(of: &Json) -> Result<SubscriptionInfo> {
    let date_of = |name: &str| of.get(name).filter(|it| !it.is_null()).map(date).transpose();
    Ok(SubscriptionInfo {
        id: text(of, "Id"),
        key: text(of, "Key"),
        name: optional(of, "Name"),
        primary_key: text(of, "PrimaryKey"),
        secondary_key: text(of, "SecondaryKey"),
        created_date: date_of("CreatedDate")?.unwrap_or_default(),
        start_date: date_of("StartDate")?,
        end_date: date_of("EndDate")?,
    })
}

pub(super) fn user(of: &Json) -> Result<UserInfo> {
    let registered = of.get("RegistrationDate").filter(|it| !it.is_null()).map(date).transpose()?;
    Ok(UserInfo {
        id: text(of, "Id"),
        email: optional(of, "Email"),
        first_name: optional(of, "FirstName"),
        last_name: optional(of, "LastName"),
        note: optional(of, "Note"),
        registration_date: registered.unwrap_or_default(),
        groups: groups(of),
        identities: items(of, "Identities")
            .map(|it| IdentityInfo { id: text(it, "Id"), provider: text(it, "Provider") })
            .collect(),
    })
}

pub(super) fn deployment(of: &Json) -> DeploymentInfo {
    let gateway_id = text(of, "GatewayId");
    DeploymentInfo {
        instance_id: gateway_id.clone(),
        is_managed: gateway_id == "managed",
        gateway_id,
        region: text(of, "Region"),
        service_id: text(of, "ServiceId"),
        service_name: text(of, "ServiceName"),
        certificates: Vec::new(),
    }
}

pub(super) fn last_error(of: &Json) -> LastError {
    LastError {
        source: text(of, "Source"),
        reason: optional(of, "Reason"),
        message: text(of, "Message"),
        scope: optional(of, "Scope"),
        section: optional(of, "Section"),
        path: optional(of, "Path"),
        policy_id: optional(of, "PolicyId"),
    }
}

pub(super) fn graphql(of: &Json) -> Result<GraphQlInfo> {
    let arguments = of.get("Arguments").map_or_else(|| "{}".to_owned(), Json::to_string);
    let parent = of.get("Parent").filter(|it| !it.is_null()).map(Json::to_string);
    expr::graphql(&arguments, parent.as_deref()).map_err(|_| fault("GraphQL"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_may_have_several_values() {
        let read = headers(&json!({ "Headers": { "A": "1", "B": ["2", "3"] } })).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read, [pair("A", "1"), pair("B", "2"), pair("B", "3")]);
        assert!(headers(&json!({ "Headers": { "A": 1 } })).is_err());
    }

    #[test]
    fn a_body_may_be_base64() {
        let bytes = |of| body(&of, &Vec::new()).unwrap().unwrap().read(true).unwrap();
        assert_eq!(bytes(json!({ "Body": { "base64": "YQ==" } })), "a");
        assert_eq!(bytes(json!({ "Body": "b" })), "b");
    }
}
