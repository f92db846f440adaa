//! The agent card of A2A, as the gateway shows it.
//!
//! The card's address is the gateway's, JSON-RPC is the only way in, and the subscription key is
//! asked for in addition to what the agent asks for. A signature of the agent is left out, since it
//! is not over this card; so is the extended card, which clients would get past the gateway's hands.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/agent-to-agent-api>,
//! <https://a2a-protocol.org/v0.3.0/specification/>, <https://a2a-protocol.org/v1.0.0/specification/>

use serde_json::{Map, Value, json};

/// Longest card of an agent, in bytes.
pub const MAX_CARD_BYTES: usize = 1024 * 1024;

/// The name under which the gateway's keys stand among a card's security schemes.
const SCHEME: &str = "apimSubscriptionKey";

/// How the gateway is reached.
#[derive(Clone, Copy, Debug)]
pub struct Front<'a> {
    /// Where JSON-RPC requests go.
    pub url: &'a str,
    /// The header that carries the subscription key, if one is needed.
    pub key_header: Option<&'a str>,
}

/// The gateway's card, made of the agent's.
///
/// # Errors
///
/// Why the agent's card is none.
pub fn rewrite(card: &[u8], front: Front<'_>) -> Result<Value, String> {
    let card = serde_json::from_slice(card).map_err(|it| it.to_string())?;
    let Value::Object(mut card) = card else { return Err("it is no object".to_owned()) };
    if !card.get("name").is_some_and(Value::is_string) {
        return Err("it has no name".to_owned());
    }
    for key in ["additionalInterfaces", "signatures"] {
        card.shift_remove(key);
    }
    let interfaces = card.remove("supportedInterfaces");
    let is_first = interfaces.is_none();
    if is_first || card.contains_key("url") {
        card.insert("url".to_owned(), json!(front.url));
        card.insert("preferredTransport".to_owned(), json!("JSONRPC"));
    }
    if let Some(interfaces) = interfaces {
        card.insert("supportedInterfaces".to_owned(), json_rpc(&interfaces, front.url)?);
    }
    if card.get("supportsAuthenticatedExtendedCard").is_some() {
        card.insert("supportsAuthenticatedExtendedCard".to_owned(), json!(false));
    }
    if let Some(Value::Object(capabilities)) = card.get_mut("capabilities")
        && capabilities.contains_key("extendedAgentCard")
    {
        capabilities.insert("extendedAgentCard".to_owned(), json!(false));
    }
    if let Some(header) = front.key_header {
        secure(&mut card, header, is_first);
    }
    Ok(Value::Object(card))
}

/// The interfaces of JSON-RPC alone, all of them the gateway's.
fn json_rpc(interfaces: &Value, url: &str) -> Result<Value, String> {
    let is_it = |it: &&Value| {
        it.get("protocolBinding").and_then(Value::as_str).is_some_and(|it| it == "JSONRPC")
    };
    let mut kept: Vec<Value> =
        interfaces.as_array().into_iter().flatten().filter(is_it).cloned().collect();
    for it in kept.iter_mut().filter_map(Value::as_object_mut) {
        it.insert("url".to_owned(), json!(url));
    }
    // One for each version of the protocol.
    kept.dedup();
    if kept.is_empty() { Err("it has no JSON-RPC interface".to_owned()) } else { Ok(json!(kept)) }
}

/// Asks for the key beside whatever the agent asks for.
fn secure(card: &mut Map<String, Value>, header: &str, is_first: bool) {
    let description = "Subscription key";
    let scheme = if is_first {
        json!({ "type": "apiKey", "in": "header", "name": header, "description": description })
    } else {
        let scheme = json!({ "location": "header", "name": header, "description": description });
        json!({ "apiKeySecurityScheme": scheme })
    };
    let schemes = card.entry("securitySchemes").or_insert_with(|| json!({}));
    if !schemes.is_object() {
        *schemes = json!({});
    }
    if let Some(schemes) = schemes.as_object_mut() {
        schemes.insert(SCHEME.to_owned(), scheme);
    }
    let key = if is_first { "security" } else { "securityRequirements" };
    require(card, key, is_first);
    // A skill may ask for something else; it is reached the same way.
    for skill in card.get_mut("skills").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(skill) = skill.as_object_mut().filter(|it| it.contains_key(key)) {
            require(skill, key, is_first);
        }
    }
}

/// Adds the key to every way to fulfil the requirements.
fn require(of: &mut Map<String, Value>, key: &str, is_first: bool) {
    let ways = of.entry(key).or_insert_with(|| json!([]));
    if ways.as_array().is_none_or(Vec::is_empty) {
        *ways = if is_first { json!([{}]) } else { json!([{ "schemes": {} }]) };
    }
    for way in ways.as_array_mut().into_iter().flatten() {
        if is_first {
            if let Some(way) = way.as_object_mut() {
                way.insert(SCHEME.to_owned(), json!([]));
            }
            continue;
        }
        let Some(way) = way.as_object_mut() else { continue };
        let schemes = way.entry("schemes").or_insert_with(|| json!({}));
        if let Some(schemes) = schemes.as_object_mut() {
            schemes.insert(SCHEME.to_owned(), json!({ "list": [] }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: Front<'_> = Front { url: "https://gw.test/agent", key_header: Some("api-key") };

    fn rewritten(card: Value, front: Front<'_>) -> Value {
        rewrite(card.to_string().as_bytes(), front).unwrap()
    }

    #[test]
    fn the_card_of_0_3_leads_to_the_gateway_and_asks_for_the_key() {
        let card = rewritten(
            json!({
                "name": "a", "url": "https://agent.internal/", "preferredTransport": "GRPC",
                "additionalInterfaces": [{ "url": "https://agent.internal/grpc" }],
                "signatures": [{}], "supportsAuthenticatedExtendedCard": true,
                "securitySchemes": { "oauth": { "type": "oauth2" } },
                "security": [{ "oauth": ["x"] }],
                "skills": [{ "id": "s" }, { "id": "t", "security": [{ "oauth": [] }] }],
            }),
            FRONT,
        );
        assert!(!card.to_string().contains("internal"));
        assert_eq!(card["url"], "https://gw.test/agent");
        assert_eq!(card["preferredTransport"], "JSONRPC");
        assert_eq!(card["supportsAuthenticatedExtendedCard"], false);
        assert_eq!(card["securitySchemes"][SCHEME]["name"], "api-key");
        assert_eq!(card["security"], json!([{ "oauth": ["x"], SCHEME: [] }]));
        assert!(card["skills"][0].get("security").is_none());
        assert_eq!(card["skills"][1]["security"], json!([{ "oauth": [], SCHEME: [] }]));
        assert!(card.get("signatures").is_none());
    }

    #[test]
    fn the_card_of_1_0_keeps_its_json_rpc_interfaces() {
        let card = rewritten(
            json!({
                "name": "a",
                "supportedInterfaces": [
                    { "url": "https://b/1", "protocolBinding": "GRPC", "protocolVersion": "1.0" },
                    { "url": "https://b/2", "protocolBinding": "JSONRPC", "protocolVersion": "1.0" },
                    { "url": "https://b/3", "protocolBinding": "JSONRPC", "protocolVersion": "0.3" },
                ],
                "capabilities": { "streaming": true, "extendedAgentCard": true },
            }),
            FRONT,
        );
        assert_eq!(
            card["supportedInterfaces"],
            json!([
                { "url": FRONT.url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0" },
                { "url": FRONT.url, "protocolBinding": "JSONRPC", "protocolVersion": "0.3" },
            ])
        );
        assert_eq!(card["capabilities"], json!({ "streaming": true, "extendedAgentCard": false }));
        assert_eq!(card["securitySchemes"][SCHEME]["apiKeySecurityScheme"]["name"], "api-key");
        assert_eq!(
            card["securityRequirements"],
            json!([{ "schemes": { SCHEME: { "list": [] } } }])
        );
        assert!(card.get("url").is_none());
    }

    #[test]
    fn without_keys_the_requirements_stay() {
        let front = Front { key_header: None, ..FRONT };
        let card = rewritten(json!({ "name": "a", "url": "x", "security": [] }), front);
        assert_eq!(card["security"], json!([]));
        assert!(card.get("securitySchemes").is_none());
    }

    #[test]
    fn what_is_no_card_is_refused() {
        for (card, why) in [
            ("[]", "it is no object"),
            ("{}", "it has no name"),
            (r#"{"name":"a","supportedInterfaces":[]}"#, "it has no JSON-RPC interface"),
        ] {
            assert_eq!(rewrite(card.as_bytes(), FRONT).unwrap_err(), why);
        }
        assert!(rewrite(b"<html>", FRONT).is_err());
    }
}
