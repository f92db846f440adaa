//! What the configuration says of the policies for model APIs, as they find it when they are
//! compiled.

/// `ai:` of `portcullis.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AiSettings {
    /// What happens while the content safety service does not answer.
    pub content_safety: WhenUnavailable,
    /// The semantic cache.
    pub semantic_cache: SemanticCacheSettings,
}

/// What happens to what cannot be checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenUnavailable {
    /// It is refused: 503.
    #[default]
    Refuse,
    /// It goes through unchecked.
    Allow,
}

/// Bounds of the semantic cache, and who shares what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SemanticCacheSettings {
    /// Most entries: 10,000 unless configured.
    pub max_entries: usize,
    /// Most bytes of answers, prompts' vectors included: 256 MiB unless configured.
    pub max_total_bytes: usize,
    /// Whether callers of different subscriptions share entries where a policy has no `vary-by`.
    pub shares_between_subscriptions: bool,
}

impl Default for SemanticCacheSettings {
    fn default() -> SemanticCacheSettings {
        SemanticCacheSettings {
            max_entries: 10_000,
            max_total_bytes: 256 << 20,
            shares_between_subscriptions: false,
        }
    }
}
