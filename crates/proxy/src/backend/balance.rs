//! Backends as requests find them: single ones with their breakers, and pools that choose.
//!
//! A pool takes the group with the smallest priority that has an available member, and there
//! shares by weight: smooth weighted round robin, so that turns are spread evenly. A session
//! stays with its member while that is available.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/backends#load-balanced-pool>

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::{Backend, Pool, Snapshot};
use http::StatusCode;

use super::breaker::Breaker;

/// Bytes of a session's mark.
const MARK_BYTES: usize = 16;

/// The backends of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Targets(HashMap<String, Target>);

/// What a backend's name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Single(Arc<Single>),
    Pool(Arc<Members>),
}

/// A backend with an address.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) backend: Arc<Backend>,
    pub(crate) breaker: Option<Arc<Breaker>>,
}

/// The members of a pool.
pub(crate) struct Members {
    id: String,
    pub(crate) failure_status: StatusCode,
    pub(crate) session_cookie: Option<String>,
    /// By priority, the smallest number first.
    groups: Vec<Group>,
    /// Signs the marks of sessions.
    key: hmac::Key,
}

#[derive(Debug)]
struct Group {
    members: Vec<Member>,
    /// What each member has saved up, in the order of the members.
    credits: Mutex<Vec<i64>>,
}

#[derive(Debug)]
struct Member {
    single: Arc<Single>,
    weight: i64,
}

/// A member that a pool chose.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) single: Arc<Single>,
    /// The mark of the session, if the client has to be told.
    pub(crate) mark: Option<String>,
}

impl Targets {
    /// The backends of a snapshot. Breakers whose rule did not change go on as they are.
    pub(crate) fn new(snapshot: &Snapshot, before: Option<&Targets>, key: &hmac::Key) -> Targets {
        let mut singles = HashMap::new();
        for (id, backend) in &snapshot.backends {
            if backend.pool.is_none() {
                let breaker = backend.breaker.as_ref().map(|rule| {
                    let old = before.and_then(|it| it.breaker(id));
                    old.filter(|it| it.rule() == rule)
                        .unwrap_or_else(|| Arc::new(Breaker::new(id, rule.clone())))
                });
                singles.insert(id, Arc::new(Single { backend: Arc::clone(backend), breaker }));
            }
        }
        let target = |(id, backend): (&String, &Arc<Backend>)| {
            let target = match &backend.pool {
                Some(pool) => Target::Pool(Arc::new(Members::new(id, pool, &singles, key))),
                None => Target::Single(Arc::clone(singles.get(id)?)),
            };
            Some((id.clone(), target))
        };
        Targets(snapshot.backends.iter().filter_map(target).collect())
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Target> {
        self.0.get(id)
    }

    /// Backends that have a breaker, and whether it is open.
    pub(crate) fn breakers(&self, now: Duration) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().filter_map(move |(id, target)| match target {
            Target::Single(it) => Some((id.as_str(), it.breaker.as_ref()?.open_for(now).is_some())),
            Target::Pool(_) => None,
        })
    }

    fn breaker(&self, id: &str) -> Option<Arc<Breaker>> {
        match self.0.get(id)? {
            Target::Single(single) => single.breaker.clone(),
            Target::Pool(_) => None,
        }
    }
}

impl Single {
    fn open_for(&self, now: Duration) -> Option<Duration> {
        self.breaker.as_ref()?.open_for(now)
    }

    /// How long it is left alone; none if calls may be made.
    pub(crate) fn unavailable_for(&self, now: Duration) -> Option<(StatusCode, Duration)> {
        let breaker = self.breaker.as_ref()?;
        Some((breaker.rule().failure_status, breaker.open_for(now)?))
    }
}

impl Members {
    fn new(
        id: &str,
        pool: &Pool,
        singles: &HashMap<&String, Arc<Single>>,
        key: &hmac::Key,
    ) -> Members {
        let mut groups = BTreeMap::<u32, Vec<Member>>::new();
        // A drained member gets nothing. Members that do not exist were reported at load.
        for member in pool.members.iter().filter(|it| it.weight > 0) {
            if let Some(single) = singles.get(&member.backend) {
                let (single, weight) = (Arc::clone(single), i64::from(member.weight));
                groups.entry(member.priority).or_default().push(Member { single, weight });
            }
        }
        let group =
            |members: Vec<Member>| Group { credits: Mutex::new(vec![0; members.len()]), members };
        Members {
            id: id.to_owned(),
            failure_status: pool.failure_status,
            session_cookie: pool.session_cookie.clone(),
            groups: groups.into_values().map(group).collect(),
            key: key.clone(),
        }
    }

    /// The pool's name.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// A member for a request of the session with this mark.
    ///
    /// # Errors
    ///
    /// All are tripped: the time until the first of them returns.
    pub(crate) fn choose(&self, mark: Option<&str>, now: Duration) -> Result<Chosen, Duration> {
        if let Some(single) = mark.and_then(|it| self.of_session(it))
            && single.open_for(now).is_none()
        {
            return Ok(Chosen { single, mark: None });
        }
        let single = self.groups.iter().find_map(|it| it.next(now));
        let single = single.ok_or_else(|| self.first_return(now))?;
        let mark = self.session_cookie.as_ref().map(|_| self.mark(&single));
        Ok(Chosen { single, mark })
    }

    fn first_return(&self, now: Duration) -> Duration {
        let members = self.groups.iter().flat_map(|it| &it.members);
        members.filter_map(|it| it.single.open_for(now)).min().unwrap_or_default()
    }

    fn of_session(&self, mark: &str) -> Option<Arc<Single>> {
        self.session_cookie.as_ref()?;
        let mark = URL_SAFE_NO_PAD.decode(mark).ok()?;
        let members = self.groups.iter().flat_map(|it| &it.members);
        let is_it = |it: &&Member| {
            aws_lc_rs::constant_time::verify_slices_are_equal(&self.tag(&it.single), &mark).is_ok()
        };
        members.clone().find(is_it).map(|it| Arc::clone(&it.single))
    }

    fn mark(&self, single: &Single) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(single))
    }

    fn tag(&self, single: &Single) -> Vec<u8> {
        let text = format!("{}\0{}", self.id, single.backend.entry.info.id);
        let tag = hmac::sign(&self.key, text.as_bytes());
        tag.as_ref().iter().copied().take(MARK_BYTES).collect()
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("id", &self.id).field("groups", &self.groups).finish()
    }
}

impl Group {
    /// The member whose turn it is among those that are available.
    fn next(&self, now: Duration) -> Option<Arc<Single>> {
        if let [only] = self.members.as_slice() {
            return only.single.open_for(now).is_none().then(|| Arc::clone(&only.single));
        }
        let mut credits = self.credits.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut total, mut best) = (0, None::<(usize, i64)>);
        for (n, member) in self.members.iter().enumerate() {
            if member.single.open_for(now).is_some() {
                continue;
            }
            let Some(credit) = credits.get_mut(n) else { continue };
            *credit += member.weight;
            total += member.weight;
            if best.is_none_or(|(_, most)| *credit > most) {
                best = Some((n, *credit));
            }
        }
        let (n, _) = best?;
        if let Some(credit) = credits.get_mut(n) {
            *credit -= total;
        }
        self.members.get(n).map(|it| Arc::clone(&it.single))
    }
}

#[cfg(test)]
mod tests {
    use config::{BreakerRule, PoolMember, Threshold};
    use expr::host::BackendInfo;
    use pipeline::BackendEntry;

    use super::super::breaker::{Now, Outcome};
    use super::*;

    const START: Duration = Duration::from_secs(100);

    fn key() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])
    }

    fn backend(id: &str, pool: Option<Pool>) -> (String, Arc<Backend>) {
        let info = BackendInfo { id: id.to_owned(), ..BackendInfo::default() };
        let rule = BreakerRule {
            threshold: Threshold::Count(1),
            interval: Duration::from_secs(60),
            statuses: Vec::new(),
            reasons: vec!["Timeout".to_owned()],
            trip_duration: Duration::from_secs(10),
            accepts_retry_after: false,
            failure_status: StatusCode::SERVICE_UNAVAILABLE,
        };
        let backend = Backend {
            entry: Arc::new(BackendEntry { info: Arc::new(info), url: None }),
            credentials: config::Credentials::default(),
            tls: transport::ClientTls::default(),
            breaker: pool.is_none().then_some(rule),
            pool,
        };
        (id.to_owned(), Arc::new(backend))
    }

    /// A pool `p` of members `name priority weight`.
    fn snapshot(members: &[(&str, u32, u32)], cookie: Option<&str>) -> Snapshot {
        let pool = Pool {
            members: members
                .iter()
                .map(|&(backend, priority, weight)| PoolMember {
                    backend: backend.to_owned(),
                    priority,
                    weight,
                })
                .collect(),
            session_cookie: cookie.map(str::to_owned),
            failure_status: StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut backends = HashMap::from([backend("p", Some(pool))]);
        backends.extend(members.iter().map(|it| backend(it.0, None)));
        Snapshot { backends, ..Snapshot::default() }
    }

    fn pool(targets: &Targets) -> Arc<Members> {
        match targets.get("p") {
            Some(Target::Pool(pool)) => Arc::clone(pool),
            other => panic!("{other:?}"),
        }
    }

    fn turns(pool: &Members, n: usize, now: Duration) -> String {
        let name = |_| match pool.choose(None, now) {
            Ok(it) => it.single.backend.entry.info.id.clone(),
            Err(left) => format!("-{}", left.as_secs()),
        };
        (0..n).map(name).collect()
    }

    fn trip(targets: &Targets, id: &str, now: Duration) {
        let now = Now { monotonic: now, wall: std::time::SystemTime::UNIX_EPOCH };
        assert!(targets.breaker(id).unwrap().record(Outcome::Failed("Timeout"), now));
    }

    #[test]
    fn turns_follow_the_weights_and_are_spread() {
        for (members, expected) in [
            (&[("a", 0, 1), ("b", 0, 1), ("c", 0, 1)][..], "abcabcabc"),
            (&[("a", 0, 5), ("b", 0, 1), ("c", 0, 1)], "aabacaaaa"),
            (&[("a", 0, 3), ("b", 0, 1)], "aabaaabaa"),
            (&[("a", 0, 0), ("b", 0, 1)], "bbbbbbbbb"),
            (&[("a", 2, 9), ("b", 1, 1)], "bbbbbbbbb"),
        ] {
            let targets = Targets::new(&snapshot(members, None), None, &key());
            assert_eq!(turns(&pool(&targets), 9, START), expected, "{members:?}");
        }
    }

    #[test]
    fn a_worse_group_is_used_only_while_the_better_one_is_gone() {
        let members = [("a", 1, 1), ("b", 2, 3), ("c", 2, 1)];
        let targets = Targets::new(&snapshot(&members, None), None, &key());
        let pool = pool(&targets);
        trip(&targets, "a", START);
        assert_eq!(turns(&pool, 8, START), "bbcbbbcb");
        trip(&targets, "b", START + Duration::from_secs(1));
        assert_eq!(turns(&pool, 3, START + Duration::from_secs(1)), "ccc");
        trip(&targets, "c", START + Duration::from_secs(2));
        assert_eq!(turns(&pool, 1, START + Duration::from_secs(2)), "-8");
        assert_eq!(turns(&pool, 3, START + Duration::from_secs(10)), "aaa");
    }

    #[test]
    fn a_breaker_goes_on_over_a_reload_unless_its_rule_changed() {
        let snapshot_ = snapshot(&[("a", 0, 1)], None);
        let first = Targets::new(&snapshot_, None, &key());
        trip(&first, "a", START);
        let second = Targets::new(&snapshot_, Some(&first), &key());
        assert_eq!(turns(&pool(&second), 1, START), "-10");
        let mut changed = snapshot(&[("a", 0, 1)], None);
        let a = changed.backends.get_mut("a").and_then(Arc::get_mut).unwrap();
        a.breaker.as_mut().unwrap().interval = Duration::from_secs(5);
        let third = Targets::new(&changed, Some(&second), &key());
        assert_eq!(turns(&pool(&third), 1, START), "a");
    }

    #[test]
    fn a_session_stays_with_its_member_while_that_is_available() {
        let members = [("a", 0, 1), ("b", 0, 1)];
        let targets = Targets::new(&snapshot(&members, Some("SessionId")), None, &key());
        let pool = pool(&targets);
        let first = pool.choose(None, START).unwrap();
        let mark = first.mark.unwrap();
        for _ in 0..3 {
            let again = pool.choose(Some(&mark), START).unwrap();
            assert!(Arc::ptr_eq(&again.single, &first.single) && again.mark.is_none());
        }
        trip(&targets, "a", START);
        let other = pool.choose(Some(&mark), START).unwrap();
        assert_eq!(other.single.backend.entry.info.id, "b");
        assert!(other.mark.is_some_and(|it| it != mark), "the client is told the new one");
        for forged in ["", "a", "!", &"A".repeat(400)] {
            assert!(pool.choose(Some(forged), START).unwrap().mark.is_some(), "{forged}");
        }
    }
}
