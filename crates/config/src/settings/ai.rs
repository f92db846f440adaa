//! `ai:`: the policies for model APIs.
//!
//! ```yaml
//! ai:
//!   content-safety: { when-unavailable: refuse }   # or allow
//!   semantic-cache:
//!     entries: 10000
//!     size: 256MiB
//!     share-between-subscriptions: false
//!     postgres: { env: DATABASE_URL }              # several gateways share answers
//! ```

use pipeline::{AiSettings, WhenUnavailable};

use super::{address, quantity};
use crate::codes;
use crate::secret_source::SecretSource;
use crate::tree::Fields;

/// Most entries of the semantic cache that may be set: each lookup goes through all of a partition.
const MAX_ENTRIES: usize = 100_000;

/// The settings, and the database of semantic caches.
pub(super) fn read(fields: &Fields<'_, '_>) -> (AiSettings, Option<SecretSource>) {
    let (mut it, mut store) = (AiSettings::default(), None);
    let Some(ai) = fields.map("ai") else { return (it, store) };
    if let Some(safety) = ai.map("content-safety") {
        it.content_safety = match safety.filled("when-unavailable").as_deref() {
            None | Some("refuse") => WhenUnavailable::Refuse,
            Some("allow") => WhenUnavailable::Allow,
            Some(other) => {
                let message = format!("`{other}` is not `refuse` or `allow`");
                safety.report(safety.tree().error(codes::BAD_VALUE, message));
                WhenUnavailable::Refuse
            }
        };
        safety.finish();
    }
    if let Some(cache) = ai.map("semantic-cache") {
        let bounds = &mut it.semantic_cache;
        if let Some(found) = cache.number("entries").and_then(|it| usize::try_from(it).ok()) {
            if found > MAX_ENTRIES {
                let message = format!("`entries` is at most {MAX_ENTRIES}");
                cache.report(cache.tree().error(codes::BAD_VALUE, message));
            }
            bounds.max_entries = found.min(MAX_ENTRIES);
        }
        if let Some(found) = quantity::bytes(&cache, "size").and_then(|it| usize::try_from(it).ok())
        {
            bounds.max_total_bytes = found;
        }
        bounds.shares_between_subscriptions =
            cache.bool("share-between-subscriptions").unwrap_or(false);
        store = address::read(&cache, "postgres", "PostgreSQL");
        cache.finish();
    }
    ai.finish();
    (it, store)
}

#[cfg(test)]
mod tests {
    use pipeline::{AiSettings, WhenUnavailable};

    use super::super::tests::read;

    #[test]
    fn without_a_word_what_cannot_be_checked_is_refused() {
        assert_eq!(read("").0.ai, AiSettings::default());
        assert_eq!(read("").0.ai.content_safety, WhenUnavailable::Refuse);
    }

    #[test]
    fn everything_can_be_set() {
        let (it, problems) = read(
            "ai:\n  content-safety: { when-unavailable: allow }\n  \
             semantic-cache: { entries: 5, size: 1MiB, share-between-subscriptions: true }",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(it.ai.content_safety, WhenUnavailable::Allow);
        let cache = it.ai.semantic_cache;
        assert_eq!((cache.max_entries, cache.max_total_bytes), (5, 1 << 20));
        assert!(cache.shares_between_subscriptions);
    }

    #[test]
    fn the_database_is_named_by_a_url_or_by_where_it_is_read_from() {
        for postgres in ["postgres://u@h/d", "{ env: DATABASE_URL }", "{ file: url.txt }"] {
            let text = format!("ai: {{ semantic-cache: {{ postgres: {postgres} }} }}");
            let (it, problems) = read(&text);
            assert_eq!(problems, [""; 0], "{postgres}");
            assert!(it.semantic_store.is_some(), "{postgres}");
        }
    }

    #[test]
    fn what_is_no_value_is_told() {
        for text in [
            "ai: { content-safety: { when-unavailable: maybe } }",
            "ai: { semantic-cache: { entries: 100001 } }",
            "ai: { other: 1 }",
            "ai: { semantic-cache: { postgres: 'postgres://u:hunter2@h/d' } }",
            "ai: { semantic-cache: { postgres: { env: A, file: B } } }",
        ] {
            assert_eq!(read(text).1.len(), 1, "{text}");
        }
    }
}
