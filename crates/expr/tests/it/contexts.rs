//! Generated values of `context` that fit an expression: the bodies, headers, variables and
//! parameters that it names are there, of the wanted type or of another, or are not there.

use ::oracle::RecordedHost;
use serde_json::{Map, Value as Json, json};

use crate::random::Random;

/// What an expression mentions.
#[derive(Debug, Default)]
struct Mentions {
    /// Texts in quotes: names of headers, parameters and members, among others.
    texts: Vec<String>,
    /// Variables with the type they are cast to.
    variables: Vec<(String, String)>,
}

/// A host for the expression; the same seed gives the same one.
pub(crate) fn host(source: &str, seed: u64) -> RecordedHost {
    RecordedHost::from_record(&record(source, seed)).unwrap()
}

/// The record that [`host`] is made of.
pub(crate) fn record(source: &str, seed: u64) -> Map<String, Json> {
    let mut random = Random::new(seed);
    let mentions = mentions(source);
    let mut record = Map::new();
    record.insert("RequestId".into(), "0f8fad5b-d9cb-469f-a165-70867728950e".into());
    record.insert("Timestamp".into(), "2024-03-15T10:20:30.1234567Z".into());
    record.insert("Elapsed".into(), "00:00:00.2345678".into());
    record.insert("Tracing".into(), random.once_in(2).into());
    record.insert("Request".into(), request(&mentions, &mut random));
    if !random.once_in(4) {
        record.insert("Response".into(), response(&mentions, &mut random));
    }
    record.insert("Variables".into(), variables(&mentions, &mut random));
    record.insert("Deployment".into(), deployment());
    for (name, make) in OPTIONAL {
        if !random.once_in(3) {
            record.insert((*name).to_owned(), make(&mut random));
        }
    }
    record
}

/// Makes a part of a context.
type Make = fn(&mut Random) -> Json;

/// Parts of `context` that may be absent.
const OPTIONAL: &[(&str, Make)] = &[
    ("Api", api),
    ("Operation", operation),
    ("Product", product),
    ("Subscription", subscription),
    ("User", user),
    ("Workspace", |_| json!({ "Id": "team", "Name": "Team" })),
    ("Backend", |_| json!({ "Id": "b", "Type": "Single", "AzureRegion": null })),
    ("LastError", last_error),
    ("GraphQL", |_| json!({ "Arguments": { "id": "7", "name": "n" }, "Parent": { "id": 7 } })),
];

fn mentions(source: &str) -> Mentions {
    let mut found = Mentions::default();
    let mut at = 0;
    while let Some(start) = source[at..].find('"').map(|it| it + at + 1) {
        let Some(end) = source[start..].find('"').map(|it| it + start) else { break };
        let text = &source[start..end];
        if (1..60).contains(&text.len()) && !text.contains(['\n', '\\', '{']) {
            let before = &source[..start - 1];
            if is_variable(before) {
                found.variables.push((text.to_owned(), wanted_type(before)));
            } else {
                found.texts.push(text.to_owned());
            }
        }
        at = end + 1;
    }
    found
}

/// Whether the text before a quote asks for a variable.
fn is_variable(before: &str) -> bool {
    let near = tail(before, 60);
    near.rfind("Variables").is_some_and(|at| !near[at..].contains(['"', ';', '?', '=']))
}

fn tail(text: &str, most: usize) -> &str {
    let mut start = text.len().saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// The type in `GetValueOrDefault<T>(` or in a cast before `context`.
fn wanted_type(before: &str) -> String {
    let call = before.rfind("Variables").map_or("", |it| &before[it..]);
    if let (Some(open), Some(close)) = (call.find('<'), call.rfind('>')) {
        return call[open + 1..close.max(open + 1)].to_owned();
    }
    let Some(context) = before.rfind("context") else { return String::new() };
    let cast = before[..context].trim_end();
    match (cast.ends_with(')'), cast.rfind('(')) {
        (true, Some(open)) => cast[open + 1..cast.len() - 1].trim().to_owned(),
        _ => String::new(),
    }
}

fn headers(mentions: &Mentions, content_type: &str, random: &mut Random) -> Json {
    let mut all = Map::new();
    all.insert("Content-Type".into(), content_type.into());
    let is_name = |it: &&String| it.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    for name in mentions.texts.iter().filter(is_name) {
        match random.below(4) {
            0 => {}
            1 => drop(all.insert(name.clone(), json!([text(random), text(random)]))),
            _ => drop(all.insert(name.clone(), text(random).into())),
        }
    }
    if !random.once_in(3) {
        all.insert("Authorization".into(), random.pick(AUTHORIZATIONS).into());
    }
    Json::Object(all)
}

const AUTHORIZATIONS: &[&str] = &[
    "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1IiwiYXVkIjpbImEiLCJiIl0sInJvbGVzIjpbInIiXX0.c2ln",
    "Bearer abc",
    "Bearer",
    "Basic dXNlcjpwYXNz",
    "Basic ===",
    "",
];

/// A text of a kind that headers, parameters and members have.
fn text(random: &mut Random) -> &'static str {
    random.pick(&[
        "",
        "a",
        "Hello World",
        "17",
        "-3",
        "0.5",
        "true",
        "2024-03-15T10:20:30Z",
        "Fri, 15 Mar 2024 10:20:30 GMT",
        "7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "https://a.example/b?c=d",
        "a=1; b=2",
        "x,y, z",
        "{\"a\":1}",
        "eyJhIjoxfQ==",
        "äöü €",
        "99999999999999999999",
        "/subscriptions/1/resourceGroups/2",
    ])
}

fn request(mentions: &Mentions, random: &mut Random) -> Json {
    let (body, content_type) = body(mentions, random);
    let mut query: Vec<String> = Vec::new();
    let mut matched = Map::new();
    for name in &mentions.texts {
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_$.".contains(c)) {
            continue;
        }
        if random.once_in(2) {
            query.push(format!("{name}={}", escaped(text(random))));
        }
        if random.once_in(2) {
            matched.insert(name.clone(), text(random).into());
        }
    }
    let path = random.pick(&["/", "/shop/v1/items", "/openai/deployments/gpt-4o/chat", "/a%20b/"]);
    let url = format!("https://api.contoso.example{path}?{}", query.join("&"));
    json!({
        "Method": random.pick(&["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
        "Url": url.trim_end_matches('?'),
        "OriginalUrl": url.replace("api.", "gateway."),
        "IpAddress": random.pick(&["203.0.113.42", "::1", ""]),
        "MatchedParameters": matched,
        "Headers": headers(mentions, content_type, random),
        "Body": body,
    })
}

fn escaped(text: &str) -> String {
    let plain = |it: &u8| it.is_ascii_alphanumeric();
    text.bytes()
        .map(|it| if plain(&it) { char::from(it).to_string() } else { format!("%{it:02X}") })
        .collect()
}

fn response(mentions: &Mentions, random: &mut Random) -> Json {
    let (body, content_type) = body(mentions, random);
    let status = random.pick(&[200, 201, 204, 302, 400, 401, 404, 429, 500, 503]);
    json!({
        "StatusCode": status,
        "StatusReason": random.pick(&["OK", "", "Not Found"]),
        "Headers": headers(mentions, content_type, random),
        "Body": body,
    })
}

/// A body and its media type.
fn body(mentions: &Mentions, random: &mut Random) -> (Json, &'static str) {
    let names: Vec<&str> = mentions.texts.iter().map(String::as_str).collect();
    match random.below(12) {
        0..=4 => (Json::String(member(&names, 3, random).to_string()), "application/json"),
        5 => {
            let items = [member(&names, 2, random), member(&names, 2, random)];
            (Json::String(json!(items).to_string()), "application/json; charset=utf-8")
        }
        6 => (Json::String(xml(&names, random)), "application/xml"),
        7 => (text(random).into(), "text/plain"),
        8 => ("".into(), "application/json"),
        9 => (Json::Null, "text/plain"),
        10 => ("{\"a\":[1,".into(), "application/json"),
        _ => (json!({ "base64": "/9j/4AD+" }), "application/octet-stream"),
    }
}

/// An object with the members that the expression may ask for.
fn member(names: &[&str], depth: u32, random: &mut Random) -> Json {
    let mut all = Map::new();
    for name in names {
        let value = match random.below(if depth == 0 { 5 } else { 8 }) {
            0 => continue,
            1 => Json::Null,
            2 => random.pick(&[0, 1, -7, 1_710_494_400]).into(),
            3 => random.once_in(2).into(),
            4 => text(random).into(),
            5 => member(names, depth - 1, random),
            6 => json!([member(names, depth - 1, random), text(random)]),
            _ => 12.5.into(),
        };
        all.insert((*name).to_owned(), value);
        // Enough for any path, and bounded.
        if all.len() > 8 {
            break;
        }
    }
    Json::Object(all)
}

fn xml(names: &[&str], random: &mut Random) -> String {
    let is_name = |it: &&&str| {
        it.starts_with(char::is_alphabetic) && it.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let inner: String =
        names.iter().filter(is_name).take(6).map(|it| format!("<{it} id='1'>7</{it}>")).collect();
    match random.below(3) {
        0 => format!("<root>{inner}<empty/></root>"),
        1 => format!(
            "<soap:Envelope xmlns:soap='http://schemas.xmlsoap.org/soap/envelope/'><soap:Body>{inner}</soap:Body></soap:Envelope>"
        ),
        _ => format!("<root><broken>{inner}"),
    }
}

fn variables(mentions: &Mentions, random: &mut Random) -> Json {
    let names: Vec<&str> = mentions.texts.iter().map(String::as_str).collect();
    let mut all = Map::new();
    for (name, wanted) in &mentions.variables {
        let value = match random.below(8) {
            0 => continue,
            1 => Json::Null,
            2 => {
                let other = random.pick(&["string", "int", "bool", "JObject", "IResponse"]);
                variable(other, &names, mentions, random)
            }
            _ => variable(wanted, &names, mentions, random),
        };
        all.insert(name.clone(), value);
    }
    Json::Object(all)
}

fn variable(wanted: &str, names: &[&str], mentions: &Mentions, random: &mut Random) -> Json {
    let object = member(names, 2, random).to_string();
    match wanted.trim_end_matches('?') {
        "int" | "Int32" => random.pick(&[0, 1, 3, 429, -1]).into(),
        "long" | "Int64" => json!({ "type": "long", "value": 9_007_199_254_740_993_i64 }),
        "bool" | "Boolean" => random.once_in(2).into(),
        "double" | "float" => json!({ "type": "double", "value": 0.75 }),
        "decimal" => json!({ "type": "decimal", "value": "1.50" }),
        "Guid" => json!({ "type": "guid", "value": "7d444840-9dc0-11d1-b245-5ffdce74fad2" }),
        "DateTime" => json!({ "type": "datetime", "value": "2024-01-31T23:59:58Z" }),
        "TimeSpan" => json!({ "type": "timespan", "value": "1.02:03:04" }),
        "byte[]" => json!({ "type": "bytes", "value": "AQIDBP8=" }),
        "string[]" => json!({ "type": "strings", "value": ["x", "y"] }),
        "JObject" => json!({ "type": "jobject", "value": object }),
        "JArray" => json!({ "type": "jarray", "value": format!("[{object},1,\"a\"]") }),
        "JToken" => json!({ "type": "jtoken", "value": object }),
        "XElement" | "XDocument" => json!({ "type": "xelement", "value": "<a><b>1</b></a>" }),
        "IResponse" => json!({ "type": "response", "value": response(mentions, random) }),
        "Jwt" => {
            let token = AUTHORIZATIONS[0].trim_start_matches("Bearer ");
            json!({ "type": "jwt", "value": token })
        }
        _ if random.once_in(3) => object.into(),
        _ => text(random).into(),
    }
}

fn api(random: &mut Random) -> Json {
    json!({
        "Id": "orders", "Name": "Orders", "Path": "shop/v1", "Revision": "1",
        "Version": random.pick(&[None, Some("v1")]), "IsCurrentRevision": true,
        "Protocols": ["https"], "ServiceUrl": "https://backend.contoso.example/orders",
        "SubscriptionKeyParameterNames": { "Header": "api-key", "Query": "subscription-key" },
    })
}

fn operation(_: &mut Random) -> Json {
    json!({ "Id": "list", "Name": "List", "Method": "GET", "UrlTemplate": "/items/{id}" })
}

fn groups(random: &mut Random) -> Json {
    if random.once_in(2) { json!([]) } else { json!([{ "Id": "g", "Name": "Developers" }]) }
}

fn product(random: &mut Random) -> Json {
    json!({
        "Id": "starter", "Name": "Starter", "ApprovalRequired": true, "State": "Published",
        "SubscriptionLimit": random.pick(&[None, Some(5)]), "SubscriptionRequired": true,
        "Groups": groups(random),
    })
}

fn subscription(random: &mut Random) -> Json {
    json!({
        "Id": "sub-77", "Key": "k", "Name": random.pick(&[None, Some("Gold")]),
        "PrimaryKey": "k", "SecondaryKey": "l", "CreatedDate": "2023-06-01T00:00:00Z",
        "StartDate": random.pick(&[None, Some("2023-06-02T00:00:00Z")]), "EndDate": null,
    })
}

fn user(random: &mut Random) -> Json {
    json!({
        "Id": "u-42", "Email": random.pick(&[None, Some("ada@contoso.example")]),
        "FirstName": "Ada", "LastName": null, "Note": null,
        "RegistrationDate": "2020-02-29T12:00:00Z", "Groups": groups(random),
        "Identities": [{ "Id": "1", "Provider": random.pick(&["Basic", "Aad"]) }],
    })
}

fn deployment() -> Json {
    json!({ "GatewayId": "managed", "Region": "West Europe", "ServiceName": "s", "ServiceId": "s" })
}

fn last_error(random: &mut Random) -> Json {
    json!({
        "Source": "validate-jwt", "Reason": random.pick(&[None, Some("TokenExpired")]),
        "Message": "JWT not present.", "Scope": "api", "Section": "inbound", "Path": "choose[1]",
        "PolicyId": null,
    })
}

#[test]
fn what_an_expression_mentions_is_there() {
    let source = r#"((string)context.Variables["a"] + context.Variables.GetValueOrDefault<int>("b", 1) + context.Request.Headers["X-C"])"#;
    let found = mentions(source);

    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(found.variables, [pair("a", "string"), pair("b", "int")]);
    assert_eq!(found.texts, ["X-C"]);
    let has =
        |part: &str, name: &str| (0..20).any(|seed| !record(source, seed)[part][name].is_null());
    assert!(has("Variables", "a") && has("Variables", "b") && has("Request", "Body"));
    assert_eq!(record(source, 3), record(source, 3));
}
