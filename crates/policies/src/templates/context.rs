//! `context` as templates see it: request, response and variables, of which only what a template
//! mentions is made.
//!
//! A header or query parameter of one value is a text, of several a list. Lists, dictionaries and
//! JSON in variables are as the JSON that they are written as.

use expr::host::{RequestView, UrlView};
use expr::value::DateTimeKind;
use expr::value::time::{TICKS_PER_SECOND, UNIX_EPOCH_TICKS};
use expr::{Certificate, EvalCx, Runtime};
use http::HeaderMap;
use liquid::body::{Reading, of_token};
use liquid::{Hash, Moment, Str, Template, Value, Zone};
use pipeline::{Context, url};
use std::sync::Arc;

/// `context`; nothing if the template does not mention it.
pub(super) fn value(context: &Context, template: &Template) -> Value {
    if !template.uses(&["context"]) {
        return Value::Nil;
    }
    let mut members = Vec::new();
    if template.uses(&["context", "Request"]) {
        members.push(("Request", request(context, template)));
    }
    if template.uses(&["context", "Response"])
        && let Some(response) = &context.response
    {
        members.push((
            "Response",
            Value::hash([
                ("StatusCode", Value::Int(i32::from(response.status.as_u16()))),
                ("Method", Value::from(context.request.method.as_str())),
                ("Headers", headers(&response.headers)),
            ]),
        ));
    }
    if template.uses(&["context", "Variables"]) {
        members.push(("Variables", variables(context, template)));
    }
    Value::hash(members)
}

fn request(context: &Context, template: &Template) -> Value {
    let request = &context.request;
    let uses = |name| template.uses(&["context", "Request", name]);
    let mut members = vec![
        ("Method", Value::from(request.method.as_str())),
        ("OriginalMethod", Value::from(request.original_method.as_str())),
        ("IpAddress", Value::from(&*request.ip_address)),
        ("HasBody", Value::Bool(request.body.is_present())),
    ];
    if uses("Url") {
        members.push(("Url", address(request.url())));
    }
    if uses("OriginalUrl") {
        members.push(("OriginalUrl", address(request.original_url())));
    }
    if uses("MatchedParameters") {
        let parameters = pipeline::Request::matched_parameters(request).iter();
        let member = |it: &(String, String)| (it.0.clone(), Value::from(it.1.as_str()));
        members.push(("MatchedParameters", Value::hash(parameters.map(member))));
    }
    if uses("Headers") {
        members.push(("Headers", headers(&request.headers)));
    }
    if uses("ClientCertificates") {
        let chain = request.certificates.iter().flat_map(|it| it.iter());
        members.push(("ClientCertificates", Value::list(chain.filter_map(|it| certificate(it)))));
    }
    Value::hash(members)
}

/// A certificate that the client has shown; its own comes first.
fn certificate(der: &[u8]) -> Option<Value> {
    let it = Certificate::parse(der).ok()?;
    let date = |seconds: i64| {
        let ticks = seconds.saturating_mul(TICKS_PER_SECOND).saturating_add(UNIX_EPOCH_TICKS);
        Value::Date(Moment { ticks, zone: Zone::Local })
    };
    Some(Value::hash([
        ("Subject", Value::from(it.subject.as_str())),
        ("Issuer", Value::from(it.issuer.as_str())),
        ("Thumbprint", Value::from(it.thumbprint.as_str())),
        ("SerialNumber", Value::from(it.serial_number.as_str())),
        ("NotBefore", date(it.not_before)),
        ("NotAfter", date(it.not_after)),
        ("Version", Value::Int(it.version)),
    ]))
}

/// A URL renders as its text.
fn address(url: &UrlView) -> Value {
    let is_default = matches!((url.scheme.as_str(), url.port), ("http", 80) | ("https", 443));
    let port = if is_default { String::new() } else { format!(":{}", url.port) };
    let text = format!("{}://{}{port}{}{}", url.scheme, url.host, url.path, url.query_string);
    let query = url.query_string.strip_prefix('?').unwrap_or_default();
    let pairs = url::pairs(query).map(|it| (it.name().into_owned(), it.value().into_owned()));
    let members = [
        ("Scheme", Value::from(url.scheme.as_str())),
        ("Host", Value::from(url.host.as_str())),
        ("Port", Value::Int(i32::from(url.port))),
        ("Path", Value::from(url.path.as_str())),
        ("Query", grouped(pairs)),
        ("QueryString", Value::from(url.query_string.as_str())),
        ("ToUri", Value::from(text.as_str())),
        ("ToString", Value::from(text.as_str())),
    ];
    let members = members.into_iter().map(|(name, value)| (Str::from(name), value)).collect();
    Value::Hash(Arc::new(Hash::new(members).with_text(text.into())))
}

fn headers(headers: &HeaderMap) -> Value {
    let pairs = headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    grouped(pairs)
}

/// Pairs by name, in the order of their first ones.
fn grouped(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (name, value) in pairs {
        let at = *places.entry(name.to_ascii_lowercase()).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.1.push(Value::from(value)),
            None => groups.push((name, vec![Value::from(value)])),
        }
    }
    Value::hash(groups.into_iter().map(|(name, mut values)| match values.len() {
        1 => (name, values.pop().unwrap_or_default()),
        _ => (name, Value::list(values)),
    }))
}

fn variables(context: &Context, template: &Template) -> Value {
    let is_used = |name: &str| template.uses(&["context", "Variables", name]);
    let used = context.variables.iter().filter(|it| is_used(it.0));
    Value::hash(used.map(|(name, value)| (name.to_owned(), of_variable(value, context))))
}

/// The value of a variable. What has no JSON, such as a stored response, is nothing.
fn of_variable(value: &expr::Value, context: &Context) -> Value {
    use expr::Value as Clr;
    match value {
        Clr::Null => Value::Nil,
        Clr::Bool(it) => Value::Bool(*it),
        Clr::Int(it) => Value::Int(*it),
        Clr::Long(it) => Value::Long(*it),
        Clr::Double(it) => Value::Double(*it),
        Clr::Single(it) => Value::Double(f64::from(*it)),
        Clr::Decimal(it) => Value::Decimal(*it),
        Clr::String(it) => Value::Text(it.clone()),
        Clr::DateTime(it) => {
            let zone = match it.kind {
                DateTimeKind::Unspecified => Zone::Unspecified,
                DateTimeKind::Utc => Zone::Utc,
                DateTimeKind::Local => Zone::Local,
            };
            Value::Date(Moment { ticks: it.ticks, zone })
        }
        Clr::Array(_) | Clr::List(_) | Clr::Sequence(_) | Clr::Object(_) => {
            let mut cx = EvalCx::new(context, Runtime::default(), expr::Limits::default());
            let reading = Reading { dates: false, ..Reading::default() };
            match expr::json_tree(value, &mut cx) {
                Ok(tree) => of_token(&tree, reading),
                Err(_) => Value::Nil,
            }
        }
        Clr::Func(_) | Clr::Host(_) => Value::Nil,
        other => match other.as_i64() {
            Some(it) => Value::Long(it),
            None => Value::from(&*other.to_text()),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Trial, text};

    fn rendered(before: &str, template: &str, request: &str) -> String {
        let policy = format!("{before}<set-body template=\"liquid\">{template}</set-body>");
        let trial = Trial::inbound(&policy).at_operation("/orders/{id}", &[("id", "a%20b")]);
        let ran = trial.run(request);
        assert_eq!(ran.outcome, "next", "{template}");
        text(&ran.context.request.body)
    }

    #[test]
    fn the_request_is_offered() {
        let request = "POST /orders/7?a=1&b=2&a=3\nX-One: 1\nX-Two: 2\nX-Two: 3";
        for (template, expected) in [
            ("{{ context.Request.Method }}", "POST"),
            ("{{ context.Request.Url.Path }}", "/orders/7"),
            ("{{ context.Request.Url.Query.b }}", "2"),
            ("{{ context.Request.Url.Query['a'][1] }}", "3"),
            ("{{ context.Request.Url.QueryString }}", "?a=1&b=2&a=3"),
            ("{{ context.Request.Url.Scheme }} {{ context.Request.Url.Port }}", "https 443"),
            ("{{ context.Request.Url }}", "https://backend.example/orders/7?a=1&b=2&a=3"),
            ("{{ context.Request.Url.ToString }}", "https://backend.example/orders/7?a=1&b=2&a=3"),
            ("{{ context.Request.MatchedParameters['id'] }}", "a b"),
            ("{{ context.Request.MatchedParameters.ID }}", "a b"),
            ("{{ context.Request.Headers.x-one }}", "1"),
            ("{{ context.Request.Headers['X-Two'] | Join: ';' }}", "2;3"),
            (
                "{% for h in context.Request.Headers %}{{ h.Key }}={{ h.Value }};{% endfor %}",
                "x-one=1;x-two=23;",
            ),
            ("{{ context.Response.StatusCode }}{{ context.Nothing }}", ""),
        ] {
            assert_eq!(rendered("", template, request), expected, "{template}");
        }
    }

    #[test]
    fn variables_are_offered() {
        let before = r#"
            <set-variable name="text" value="x" />
            <set-variable name="n" value="@(5)" />
            <set-variable name="json" value="@(JObject.Parse("{\"a\":{\"b\":[1,2]},\"d\":\"2024-01-01T00:00:00Z\"}"))" />
            <set-variable name="list" value="@(new[] { "a", "b" })" />
            <set-variable name="map" value="@(new Dictionary<string, int> { { "k", 7 } })" />
            <set-variable name="time" value="@(new DateTime(2024, 2, 29))" />"#;
        for (template, expected) in [
            ("{{ context.Variables['text'] }}", "x"),
            ("{{ context.Variables.n | Plus: 1 }}", "6"),
            ("{{ context.Variables.json.a.b[1] }}", "2"),
            ("{% assign v = context.Variables['json'] %}{{ v['a'].b.size }}", "2"),
            ("{% for i in context.Variables.list %}{{ i }};{% endfor %}", "a;b;"),
            ("{{ context.Variables.map.k }}", "7"),
            ("{{ context.Variables.time | Date: 'yyyy-MM-dd' }}", "2024-02-29"),
            ("[{{ context.Variables.none }}]", "[]"),
        ] {
            assert_eq!(rendered(before, template, "POST /"), expected, "{template}");
        }
    }
}
