//! Backends as requests find them: single ones with their breakers, and pools that choose.
//!
//! A pool takes the group with the smallest priority that has an available member, and there
//! shares by weight: smooth weighted round robin, so that turns are spread evenly. A session
//! stays with its member while that is available.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/backends#load-balanced-pool>

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::{Balance, Pool, Snapshot};
use http::StatusCode;

use super::breaker::Breaker;
use super::check::Check;
use super::sharing::Link;
use super::single::Single;

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

/// The members of a pool.
pub(crate) struct Members {
    id: String,
    pub(crate) failure_status: StatusCode,
    pub(crate) session_cookie: Option<String>,
    balance: Balance,
    /// Whether a call that brought no response goes on to the next member.
    pub(crate) fails_over: bool,
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
    weight: u32,
}

/// A member that a pool chose.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) single: Arc<Single>,
    /// The mark of the session, if the client has to be told.
    pub(crate) mark: Option<String>,
}

impl Targets {
    /// The backends of a snapshot. What is known of those that did not change goes on; breakers
    /// are shared by the link.
    pub(crate) fn new(
        snapshot: &Snapshot,
        before: Option<&Targets>,
        key: &hmac::Key,
        link: Option<&Arc<Link>>,
    ) -> Targets {
        let by_latency = by_latency(snapshot);
        let mut singles = HashMap::new();
        for (id, backend) in &snapshot.backends {
            if backend.pool.is_some() {
                continue;
            }
            let old = before.and_then(|it| it.single(id));
            let breaker = backend.breaker.as_ref().map(|rule| {
                let old = old.and_then(|it| it.breaker.clone());
                old.filter(|it| it.rule() == rule).unwrap_or_else(|| {
                    Arc::new(Breaker::new(id, rule.clone(), link.map(Arc::clone)))
                })
            });
            let check = backend.extras.health_check.as_ref().map(|rule| {
                let same = old.filter(|it| it.backend.entry.url == backend.entry.url);
                let old = same.and_then(|it| it.check.clone());
                old.filter(|it| it.rule() == rule)
                    .unwrap_or_else(|| Arc::new(Check::new(rule.clone())))
            });
            let latency = by_latency
                .contains(id.as_str())
                .then(|| old.and_then(|it| it.latency.clone()).unwrap_or_default());
            let backend = Arc::clone(backend);
            singles.insert(id, Arc::new(Single { backend, breaker, check, latency }));
        }
        let target = |(id, backend): (&String, &Arc<config::Backend>)| {
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

    fn single(&self, id: &str) -> Option<&Arc<Single>> {
        match self.0.get(id)? {
            Target::Single(single) => Some(single),
            Target::Pool(_) => None,
        }
    }

    /// All backends with an address, in no order.
    pub(crate) fn singles(&self) -> impl Iterator<Item = &Arc<Single>> {
        self.0.values().filter_map(|it| match it {
            Target::Single(single) => Some(single),
            Target::Pool(_) => None,
        })
    }
}

/// The backends whose latency a pool asks for.
fn by_latency(snapshot: &Snapshot) -> HashSet<&str> {
    let pools = snapshot.backends.values().filter_map(|it| it.pool.as_ref());
    let pools = pools.filter(|it| it.balance == Balance::Latency);
    pools.flat_map(|it| it.members.iter().map(|it| it.backend.as_str())).collect()
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
                let (single, weight) = (Arc::clone(single), member.weight);
                groups.entry(member.priority).or_default().push(Member { single, weight });
            }
        }
        let group =
            |members: Vec<Member>| Group { credits: Mutex::new(vec![0; members.len()]), members };
        Members {
            id: id.to_owned(),
            failure_status: pool.failure_status,
            session_cookie: pool.session_cookie.clone(),
            balance: pool.balance,
            fails_over: pool.fails_over,
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
            && single.gone_for(now).is_none()
        {
            return Ok(Chosen { single, mark: None });
        }
        self.choose_beside(&[], now).ok_or_else(|| self.first_return(now))
    }

    /// A member that is none of these; none if no such member is available.
    pub(crate) fn choose_beside(&self, tried: &[Arc<Single>], now: Duration) -> Option<Chosen> {
        let is_there = |it: &Member| {
            it.single.gone_for(now).is_none()
                && !tried.iter().any(|own| Arc::ptr_eq(own, &it.single))
        };
        let single = self.groups.iter().find_map(|it| match self.balance {
            Balance::Weight => it.next(is_there),
            Balance::Latency => it.soonest(is_there, now),
        })?;
        let mark = self.session_cookie.as_ref().map(|_| self.mark(&single));
        Some(Chosen { single, mark })
    }

    fn first_return(&self, now: Duration) -> Duration {
        let members = self.groups.iter().flat_map(|it| &it.members);
        members.filter_map(|it| it.single.gone_for(now)).min().unwrap_or_default()
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
    fn next(&self, is_there: impl Fn(&Member) -> bool) -> Option<Arc<Single>> {
        if let [only] = self.members.as_slice() {
            return is_there(only).then(|| Arc::clone(&only.single));
        }
        let mut credits = self.credits.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut total, mut best) = (0, None::<(usize, i64)>);
        for (n, member) in self.members.iter().enumerate() {
            if !is_there(member) {
                continue;
            }
            let Some(credit) = credits.get_mut(n) else { continue };
            *credit += i64::from(member.weight);
            total += i64::from(member.weight);
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

    /// The member that is likely to answer first among those that are available; of equal ones
    /// that of the pool's order.
    fn soonest(&self, is_there: impl Fn(&Member) -> bool, now: Duration) -> Option<Arc<Single>> {
        let cost = |it: &Member| {
            it.single.latency.as_ref().map_or(0.0, |latency| latency.cost(it.weight, now))
        };
        let members = self.members.iter().filter(|it| is_there(it));
        let best = members.min_by(|a, b| cost(a).total_cmp(&cost(b)))?;
        Some(Arc::clone(&best.single))
    }
}

#[cfg(test)]
mod tests {
    use config::{Backend, BreakerRule, HealthCheck, PoolMember, Threshold};
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
            entry: Arc::new(BackendEntry { info: Arc::new(info), ..Default::default() }),
            breaker: pool.is_none().then_some(rule),
            pool,
            ..Backend::default()
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
            balance: config::Balance::Weight,
            fails_over: false,
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
        assert!(
            targets
                .single(id)
                .unwrap()
                .breaker
                .as_ref()
                .unwrap()
                .record(Outcome::Failed("Timeout"), now)
        );
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
            let targets = Targets::new(&snapshot(members, None), None, &key(), None);
            assert_eq!(turns(&pool(&targets), 9, START), expected, "{members:?}");
        }
    }

    #[test]
    fn a_worse_group_is_used_only_while_the_better_one_is_gone() {
        let members = [("a", 1, 1), ("b", 2, 3), ("c", 2, 1)];
        let targets = Targets::new(&snapshot(&members, None), None, &key(), None);
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
        let first = Targets::new(&snapshot_, None, &key(), None);
        trip(&first, "a", START);
        let second = Targets::new(&snapshot_, Some(&first), &key(), None);
        assert_eq!(turns(&pool(&second), 1, START), "-10");
        let mut changed = snapshot(&[("a", 0, 1)], None);
        let a = changed.backends.get_mut("a").and_then(Arc::get_mut).unwrap();
        a.breaker.as_mut().unwrap().interval = Duration::from_secs(5);
        let third = Targets::new(&changed, Some(&second), &key(), None);
        assert_eq!(turns(&pool(&third), 1, START), "a");
    }

    #[test]
    fn the_soonest_member_is_chosen_if_the_pool_says_so() {
        let mut snapshot = snapshot(&[("a", 0, 1), ("b", 0, 1), ("c", 1, 1)], None);
        let p = snapshot.backends.get_mut("p").and_then(Arc::get_mut).unwrap();
        p.pool.as_mut().unwrap().balance = Balance::Latency;
        let targets = Targets::new(&snapshot, None, &key(), None);
        let pool = pool(&targets);
        let answer = |id: &str, milliseconds| {
            let latency = targets.single(id).unwrap().latency.clone().unwrap();
            latency.begin();
            latency.measure(Duration::from_millis(milliseconds), true, START);
        };
        assert_eq!(turns(&pool, 2, START), "aa");
        answer("a", 300);
        assert_eq!(turns(&pool, 2, START), "bb");
        answer("b", 400);
        assert_eq!(turns(&pool, 2, START), "aa");
        trip(&targets, "a", START);
        assert_eq!(turns(&pool, 2, START), "bb");
        trip(&targets, "b", START);
        assert_eq!(turns(&pool, 2, START), "cc", "a worse group, however slow");
    }

    #[test]
    fn a_call_that_goes_on_finds_members_that_were_not_tried() {
        let members = [("a", 0, 1), ("b", 1, 1), ("c", 1, 1)];
        let targets = Targets::new(&snapshot(&members, None), None, &key(), None);
        let pool = pool(&targets);
        let mut tried = Vec::new();
        while let Some(it) = pool.choose_beside(&tried, START) {
            tried.push(it.single);
        }
        let names: Vec<&str> = tried.iter().map(|it| it.backend.entry.info.id.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn what_checks_found_goes_on_over_a_reload_unless_the_check_changed() {
        let of = |path: &str| {
            let mut snapshot = snapshot(&[("a", 0, 1)], None);
            let a = snapshot.backends.get_mut("a").and_then(Arc::get_mut).unwrap();
            let path = path.to_owned();
            a.extras.health_check = Some(HealthCheck { path, ..HealthCheck::default() });
            snapshot
        };
        let check = |it: &Targets| it.single("a").unwrap().check.clone().unwrap();
        let first = Targets::new(&of("/x"), None, &key(), None);
        let second = Targets::new(&of("/x"), Some(&first), &key(), None);
        assert!(Arc::ptr_eq(&check(&first), &check(&second)));
        let third = Targets::new(&of("/y"), Some(&second), &key(), None);
        assert!(!Arc::ptr_eq(&check(&second), &check(&third)));
    }

    #[test]
    fn a_session_stays_with_its_member_while_that_is_available() {
        let members = [("a", 0, 1), ("b", 0, 1)];
        let targets = Targets::new(&snapshot(&members, Some("SessionId")), None, &key(), None);
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
