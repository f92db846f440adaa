//! Texts behind links: what is exported with a format that ends in `-link`.
//!
//! Azure puts an export into a storage account and answers with a link that whoever has it may
//! follow for five minutes. Here the link leads to the listener of the management API. Its name is
//! random, so it is as good as a token, for one text and for a short time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use transport::{Clock, Secret};
use uuid::Uuid;

/// How long a link can be followed.
const LIFETIME: Duration = Duration::from_mins(5);

/// Most texts that are kept; one more takes the place of the oldest.
const MAX_TEXTS: usize = 16;

/// A text that a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Linked {
    /// Its media type.
    pub(crate) media_type: &'static str,
    pub(crate) text: Arc<str>,
}

/// The texts that links lead to.
pub(crate) struct Links {
    clock: Arc<dyn Clock>,
    kept: Mutex<VecDeque<Kept>>,
}

struct Kept {
    name: Secret,
    /// On the monotonic clock.
    until: Duration,
    linked: Linked,
}

impl Links {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    /// Keeps a text; gives the name of its link.
    pub(crate) fn keep(&self, linked: Linked) -> String {
        let name = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let until = self.clock.monotonic() + LIFETIME;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.len() >= MAX_TEXTS {
            kept.pop_front();
        }
        kept.push_back(Kept { name: Secret::new(name.clone()), until, linked });
        name
    }

    /// The text that a link of this name leads to. Every name is compared, each in constant time.
    pub(crate) fn follow(&self, name: &str) -> Option<Linked> {
        let now = self.clock.monotonic();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|it| now < it.until);
        let mut found = None;
        for it in kept.iter().filter(|it| it.name.is(name.as_bytes())) {
            found = Some(it.linked.clone());
        }
        found
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use transport::FakeClock;

    use super::*;

    fn text(text: &str) -> Linked {
        Linked { media_type: "text/plain", text: text.into() }
    }

    #[test]
    fn a_link_is_followed_for_five_minutes() {
        let clock = Arc::new(FakeClock::at(SystemTime::UNIX_EPOCH));
        let links = Links::new(clock.clone());
        let (one, two) = (links.keep(text("1")), links.keep(text("2")));
        assert!(one != two && one.len() == 64);
        assert_eq!(links.follow(&one), Some(text("1")));
        assert_eq!(links.follow(&two), Some(text("2")));
        assert_eq!(links.follow(&one[1..]), None);
        clock.advance(LIFETIME.checked_sub(Duration::from_secs(1)).unwrap());
        assert_eq!(links.follow(&two), Some(text("2")));
        clock.advance(Duration::from_secs(1));
        assert_eq!(links.follow(&two), None);
    }

    #[test]
    fn one_more_than_is_kept_takes_the_place_of_the_oldest() {
        let links = Links::new(Arc::new(FakeClock::at(SystemTime::UNIX_EPOCH)));
        let names: Vec<String> =
            (0..=MAX_TEXTS).map(|n| links.keep(text(&n.to_string()))).collect();
        assert_eq!(links.follow(&names[0]), None);
        assert!(names[1..].iter().all(|it| links.follow(it).is_some()));
    }
}
