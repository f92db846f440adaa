//! Caches: the one of this gateway's location, named values put in.
//!
//! One that cannot be used is no problem until a policy wants it.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-cache-external>

use document::{Diagnostic, Mode, NamedValues, SourceText};
use pipeline::{CacheConnection, Caches, ExternalCache};
use transport::Secret;

use crate::codes;
use crate::entity::{CacheEntity, Given};
use crate::load::Parsed;
use crate::settings::GatewayName;

pub(super) fn resolve(
    parsed: &Parsed,
    values: &NamedValues,
    problems: &mut Vec<Diagnostic>,
) -> Caches {
    let entities = &parsed.entities.caches;
    for (at, it) in entities.iter().enumerate() {
        let is_same = |other: &CacheEntity| is_place(&other.use_from, &it.use_from);
        if entities.iter().take(at).any(is_same) {
            let message = format!("there are two caches for `{}`", it.use_from);
            problems.push(it.place.error(codes::DUPLICATE, message));
        }
    }
    let settings = &parsed.settings;
    let external = choose(entities, &settings.gateway).map(|it| ExternalCache {
        id: it.id.clone(),
        connection: connection(it.connection.as_ref(), values),
        timeout: it.timeout,
    });
    let name = settings.gateway.service_name.clone().or(settings.gateway.service_id.clone());
    Caches {
        external,
        max_total_bytes: settings.caches.total_bytes,
        max_entry_bytes: settings.caches.entry_bytes,
        namespace: name.unwrap_or_default(),
    }
}

/// The cache of the gateway's name or region; else the one for all.
fn choose<'a>(entities: &'a [CacheEntity], gateway: &GatewayName) -> Option<&'a CacheEntity> {
    let of = |place: &str| entities.iter().find(|it| is_place(&it.use_from, place));
    let here = [gateway.name.as_deref(), gateway.region.as_deref()];
    here.into_iter().flatten().find_map(of).or_else(|| of("default"))
}

/// Whether two texts name one location: `West Europe` is `westeurope`.
fn is_place(a: &str, b: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(|it| !it.is_whitespace()).flat_map(char::to_lowercase).collect()
    };
    letters(a) == letters(b)
}

fn connection(given: Option<&Given>, values: &NamedValues) -> CacheConnection {
    let Some(given) = given else {
        return CacheConnection::Unusable("it has no connection string".to_owned());
    };
    let (resolved, problems) = values.resolve(&SourceText::verbatim(&given.text, 0), Mode::Policy);
    if let Some(problem) = problems.first() {
        return CacheConnection::Unusable(problem.message.clone());
    }
    if resolved.is_missing() {
        return CacheConnection::Unread;
    }
    CacheConnection::Known(Secret::new(resolved.as_str()))
}

#[cfg(test)]
mod tests {
    use document::NamedValue;

    use super::*;
    use crate::load::{Options, parse};
    use crate::source::Source;

    /// Name and connection of the cache for a gateway, and what is wrong.
    fn resolved(text: &str) -> (String, Vec<String>) {
        let source = Source::from_files([("portcullis.yaml", text)]);
        let (parsed, problems) = parse(&source, &Options::default());
        assert!(problems.is_empty(), "{problems:?}");
        let mut values = NamedValues::new();
        values.insert("redis", NamedValue::secret("h:6380,password=p"));
        let mut problems = Vec::new();
        let caches = resolve(&parsed, &values, &mut problems);
        let shown = caches.external.map_or("none".to_owned(), |it| match it.connection {
            CacheConnection::Known(secret) => format!("{} {}", it.id, secret.expose()),
            CacheConnection::Unread => format!("{} unread", it.id),
            CacheConnection::Unusable(why) => format!("{} {why}", it.id),
        });
        (shown, problems.iter().map(|it| format!("{} {}", it.code, it.message)).collect())
    }

    #[test]
    fn the_cache_of_the_gateways_place_goes_before_the_one_for_all() {
        let caches = "caches:\n  default: { connection-string: 'a:1' }\n  \
                      west: { connection-string: 'b:1', use-from: West Europe }\n  \
                      mine: { connection-string: 'c:1' }\n";
        for (gateway, expected) in [
            ("", "default a:1"),
            ("gateway: { region: Germany }", "default a:1"),
            ("gateway: { region: westeurope }", "west b:1"),
            ("gateway: { region: westeurope, name: Mine }", "mine c:1"),
        ] {
            assert_eq!(resolved(&format!("{caches}{gateway}")), (expected.to_owned(), Vec::new()));
        }
        let elsewhere = "caches: { x: { connection-string: 'a:1', use-from: eastus } }";
        assert_eq!(resolved(elsewhere).0, "none");
    }

    #[test]
    fn named_values_are_put_in() {
        let with = |text: &str| {
            resolved(&format!("caches: {{ default: {{ connection-string: '{text}' }} }}")).0
        };
        assert_eq!(with("{{redis}}"), "default h:6380,password=p");
        assert_eq!(with("{{other}}"), "default Cannot find a property 'other'");
    }

    #[test]
    fn two_caches_for_one_place_are_an_error() {
        let text = "caches:\n  default: { connection-string: 'a:1' }\n  \
                    b: { connection-string: 'b:1', use-from: Default }\n";
        assert_eq!(resolved(text).1, ["PC0509 there are two caches for `Default`"]);
    }
}
