//! Sessions that clients have ended.
//!
//! A session holds nothing here, so that every gateway can answer it and none has to know it. What
//! has to be known is that one was ended: its id is no longer answered by this gateway.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Most ended sessions that are remembered; the oldest are forgotten first.
const MAX_ENDED: usize = 10_000;

/// Longest id of a session.
const MAX_ID_BYTES: usize = 128;

/// The sessions that were ended, of all MCP servers.
#[derive(Debug, Default)]
pub(super) struct Ended(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    in_order: VecDeque<String>,
    all: HashSet<String>,
}

/// Whether a text can be the id of a session: visible ASCII.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID_BYTES && text.bytes().all(|it| it.is_ascii_graphic())
}

impl Ended {
    /// Ends a session of an API; gives whether it had not been ended.
    pub(super) fn end(&self, api: &str, session: &str) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("{api}\n{session}");
        if !known.all.insert(key.clone()) {
            return false;
        }
        known.in_order.push_back(key);
        if known.in_order.len() > MAX_ENDED
            && let Some(oldest) = known.in_order.pop_front()
        {
            known.all.remove(&oldest);
        }
        true
    }

    /// Whether a session of an API was ended.
    pub(super) fn has(&self, api: &str, session: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !known.all.is_empty() && known.all.contains(&format!("{api}\n{session}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_once_and_for_its_api_alone() {
        let ended = Ended::default();
        assert!(!ended.has("a", "1"));
        assert!(ended.end("a", "1") && !ended.end("a", "1"));
        assert!(ended.has("a", "1") && !ended.has("b", "1"));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let ended = Ended::default();
        for n in 0..=MAX_ENDED {
            ended.end("a", &n.to_string());
        }
        assert!(!ended.has("a", "0") && ended.has("a", "1"));
    }

    #[test]
    fn an_id_is_visible_ascii() {
        for (text, is_fine) in [("a-1", true), ("", false), ("a b", false), ("é", false)] {
            assert_eq!(is_id(text), is_fine, "{text}");
        }
        assert!(!is_id(&"a".repeat(MAX_ID_BYTES + 1)));
    }
}
