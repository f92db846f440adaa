//! `portcullis token mint` and `portcullis token inspect`.

use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use simulator::Seed;
use simulator::entra::forge::{FORGERIES, Forgery};
use simulator::entra::keys::KeyRing;
use simulator::entra::token::{Grant, Version, check};

use super::{complain, say};
use crate::cli::{HumanOrJson, Inspect, Mint, Token};
use crate::exit::Exit;

/// Longest token read from standard input, in bytes.
const MAX_TOKEN_BYTES: u64 = 1 << 20;

pub(crate) fn run(arguments: &Token) -> Exit {
    match arguments {
        Token::Mint(arguments) => mint(arguments),
        Token::Inspect(arguments) => inspect(arguments),
    }
}

fn mint(arguments: &Mint) -> Exit {
    let forgery = match arguments.forge.as_deref() {
        None => None,
        Some("list") => {
            for forgery in FORGERIES {
                say(&format!("{:22} {}", forgery.name, forgery.summary));
            }
            return Exit::Success;
        }
        Some(name) => match Forgery::named(name) {
            Some(forgery) => Some(forgery),
            None => {
                complain(&format!("there is no forgery `{name}`; `--forge list` names them"));
                return Exit::Usage;
            }
        },
    };
    let minted = grant(arguments).and_then(|grant| {
        let keys = KeyRing::built_in().map_err(|error| error.to_string())?;
        match forgery {
            Some(forgery) => forgery.token(&grant, &keys).map_err(|error| error.to_string()),
            None => Ok(grant.sign(&keys)),
        }
    });
    match minted {
        Ok(token) => {
            say(&token);
            Exit::Success
        }
        Err(problem) => {
            complain(&problem);
            Exit::Usage
        }
    }
}

fn grant(arguments: &Mint) -> Result<Grant, String> {
    let seed = Seed::default();
    let client = arguments.client.as_deref().unwrap_or(&seed.client_id);
    let mut grant = Grant::app(&seed, client, &arguments.audience, now());
    grant.version = if arguments.version.contains('2') { Version::V2 } else { Version::V1 };
    grant.lifetime = arguments.lifetime;
    if arguments.lifetime < 0 {
        // It expired that long ago, after an ordinary life.
        grant.issued_at += arguments.lifetime - 3600;
        grant.lifetime = 3600;
    }
    grant.roles.clone_from(&arguments.roles);
    grant.groups.clone_from(&arguments.groups);
    grant.scopes =
        arguments.scopes.iter().flat_map(|it| it.split_whitespace()).map(str::to_owned).collect();
    grant.issuer.clone_from(&arguments.issuer);
    if let Some(tenant) = &arguments.tenant {
        grant.tenant_id.clone_from(tenant);
    }
    if let Some(subject) = &arguments.subject {
        grant.object_id.clone_from(subject);
    }
    for claim in &arguments.claims {
        let (name, value) =
            claim.split_once('=').ok_or_else(|| format!("`{claim}` is not NAME=JSON"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        grant.extra.insert(name.to_owned(), value);
    }
    Ok(grant)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn inspect(arguments: &Inspect) -> Exit {
    let text = match read_token(&arguments.token) {
        Ok(text) => text,
        Err(error) => {
            complain(&format!("standard input: {error}"));
            return Exit::Unreadable;
        }
    };
    let token = text.trim().trim_start_matches("Bearer ").trim();
    let Some((header, claims)) = decode(token) else {
        complain("this is not a JWT: it must be three Base64url parts, the first two JSON objects");
        return Exit::Findings;
    };
    let is_local = KeyRing::built_in().is_ok_and(|keys| {
        let audience = claims.get("aud").and_then(Value::as_str).unwrap_or_default();
        let issued = claims.get("nbf").and_then(Value::as_u64).unwrap_or_default();
        check(&keys, token, &[audience], issued).is_ok()
    });
    let remarks = remarks(&header, &claims, is_local);
    match arguments.format {
        HumanOrJson::Json => {
            say(&json!({ "header": header, "claims": claims, "remarks": remarks }).to_string());
        }
        HumanOrJson::Human => print_human(&header, &claims, &remarks),
    }
    Exit::Success
}

fn read_token(argument: &str) -> std::io::Result<String> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().take(MAX_TOKEN_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

fn decode(token: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let mut parts = token.split('.');
    let mut part = || -> Option<Map<String, Value>> {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    let (header, claims) = (part()?, part()?);
    parts.next()?;
    parts.next().is_none().then_some((header, claims))
}

fn print_human(header: &Map<String, Value>, claims: &Map<String, Value>, remarks: &[String]) {
    let section = |title: &str, members: &Map<String, Value>| {
        say(title);
        for (name, value) in members {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match time_of(name, value) {
                Some(time) => say(&format!("  {name:12} {text}  ({time})")),
                None => say(&format!("  {name:12} {text}")),
            }
        }
    };
    section("header", header);
    section("claims", claims);
    say("remarks");
    for remark in remarks {
        say(&format!("  {remark}"));
    }
}

fn time_of(name: &str, value: &Value) -> Option<String> {
    let is_time = matches!(name, "exp" | "nbf" | "iat" | "auth_time");
    let seconds = value.as_i64().filter(|_| is_time)?;
    Timestamp::from_second(seconds).ok().map(|it| it.to_string())
}

/// What somebody who wonders about a token should know.
fn remarks(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    is_local: bool,
) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut say = |text: &str| remarks.push(text.to_owned());
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if is_local {
        say("signed by the local stand-in for Entra ID");
    } else {
        say("the signature was not checked: the key is not one of the local stand-in's");
    }
    if algorithm.eq_ignore_ascii_case("none") {
        say("it is not signed at all");
    }
    match claims.get("exp").and_then(Value::as_i64) {
        None => {
            say("it never expires; validate-jwt refuses it unless require-expiration-time is false")
        }
        Some(expires) if expires <= now() => say("it has expired"),
        Some(_) => {}
    }
    if claims.get("nbf").and_then(Value::as_i64).is_some_and(|it| it > now()) {
        say("it is not valid yet");
    }
    if header.contains_key("nonce") {
        say("its header has a nonce: Microsoft Graph's tokens can be checked by Graph only");
    }
    match text("ver") {
        "1.0" => {
            say("an Entra v1.0 token: the client is in `appid`, the issuer is sts.windows.net")
        }
        "2.0" => say("an Entra v2.0 token: the client is in `azp`, the issuer ends in /v2.0"),
        _ => {}
    }
    if text("aud").ends_with('/') {
        say("the audience ends in a slash; policies compare it exactly");
    }
    if claims.contains_key("scp") && !claims.contains_key("roles") {
        say("a user's token: permissions are in `scp`, separated by spaces");
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_apart_and_remarked_upon() {
        let keys = KeyRing::built_in().unwrap();
        let grant = Grant::app(&Seed::default(), "c", "https://a/", 0);
        let (header, claims) = decode(&grant.sign(&keys)).unwrap();
        let remarks = remarks(&header, &claims, true).join("; ");
        for expected in ["local stand-in", "expired", "v1.0", "ends in a slash"] {
            assert!(remarks.contains(expected), "{expected}: {remarks}");
        }
    }

    #[test]
    fn what_is_no_jwt_is_not_taken_apart() {
        for text in ["", "a", "a.b", "a.b.c", "e30.e30", "e30.e30.x.y"] {
            assert!(decode(text).is_none(), "{text}");
        }
    }
}
