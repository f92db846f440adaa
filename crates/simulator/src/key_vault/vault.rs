//! What a vault holds: secrets with their versions, and deleted ones until they are purged.
//!
//! Source: <https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most versions of all secrets together.
const MAX_VERSIONS: usize = 10_000;

/// How long a deleted secret can be recovered, in days.
pub(crate) const RECOVERABLE_DAYS: u64 = 90;

/// One version of a secret.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Version {
    /// 32 hexadecimal digits.
    pub(crate) id: String,
    /// The secret itself.
    pub(crate) value: String,
    /// What it is, in its owner's words.
    pub(crate) content_type: Option<String>,
    /// Its owner's names and values.
    pub(crate) tags: Map<String, Value>,
    /// Whether it may be read.
    pub(crate) is_enabled: bool,
    /// Seconds since 1970 before which its owner does not want it used.
    pub(crate) not_before: Option<u64>,
    /// Seconds since 1970 after which its owner does not want it used.
    pub(crate) expires: Option<u64>,
    /// Seconds since 1970 at which it was set.
    pub(crate) created: u64,
    /// Seconds since 1970 at which it was changed last.
    pub(crate) updated: u64,
}

/// What a client says of a version beside its value; what is missing stays as it is.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Change {
    value: Option<String>,
    #[serde(rename = "contentType")]
    content_type: Option<String>,
    tags: Option<Map<String, Value>>,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Default, Deserialize)]
struct Attributes {
    enabled: Option<bool>,
    nbf: Option<u64>,
    exp: Option<u64>,
}

/// A secret: its name as it was first spelt, and its versions, oldest first.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) versions: Vec<Version>,
}

/// A secret that can be recovered.
#[derive(Clone, Debug)]
pub(crate) struct Deleted {
    pub(crate) secret: Secret,
    /// Seconds since 1970.
    pub(crate) at: u64,
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such secret, or no such version of it.
    Missing,
    /// It is not among the deleted ones.
    NotDeleted,
    /// A deleted secret has the name.
    IsDeleted,
    /// A secret has the name already.
    Exists,
    /// The version may not be read.
    Disabled,
    /// The body has no `value`, or it is no backup.
    BadValue,
    /// The vault holds as much as it may.
    Full,
}

/// A vault. Names compare without case.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    secrets: BTreeMap<String, Secret>,
    deleted: BTreeMap<String, Deleted>,
}

impl Secret {
    fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }
}

impl Version {
    fn new(value: &str, now: u64) -> Self {
        Self {
            id: uuid::Uuid::new_v4().simple().to_string(),
            value: value.to_owned(),
            content_type: None,
            tags: Map::new(),
            is_enabled: true,
            not_before: None,
            expires: None,
            created: now,
            updated: now,
        }
    }

    fn apply(&mut self, change: Change, now: u64) {
        let Change { value: _, content_type, tags, attributes } = change;
        self.content_type = content_type.or(self.content_type.take());
        self.tags = tags.unwrap_or(std::mem::take(&mut self.tags));
        self.is_enabled = attributes.enabled.unwrap_or(self.is_enabled);
        self.not_before = attributes.nbf.or(self.not_before);
        self.expires = attributes.exp.or(self.expires);
        self.updated = now;
    }
}

impl Vault {
    /// A vault with these secrets.
    pub(crate) fn new(seed: &BTreeMap<String, String>, now: u64) -> Self {
        let secret = |name: &String, value: &String| Secret {
            name: name.clone(),
            versions: vec![Version::new(value, now)],
        };
        let secrets =
            seed.iter().map(|(name, value)| (name.to_lowercase(), secret(name, value))).collect();
        Self { secrets, deleted: BTreeMap::new() }
    }

    /// A version, the latest if none is named, with the secret that it is of.
    pub(crate) fn get(
        &self,
        name: &str,
        version: Option<&str>,
    ) -> Result<(&Secret, &Version), Refusal> {
        let (secret, found) = self.find(name, version)?;
        if found.is_enabled { Ok((secret, found)) } else { Err(Refusal::Disabled) }
    }

    fn find(&self, name: &str, version: Option<&str>) -> Result<(&Secret, &Version), Refusal> {
        let secret = self.secrets.get(&name.to_lowercase()).ok_or(Refusal::Missing)?;
        let found = match version {
            None => secret.latest(),
            Some(id) => secret.versions.iter().find(|it| it.id == id),
        };
        Ok((secret, found.ok_or(Refusal::Missing)?))
    }

    /// Sets a new version.
    pub(crate) fn set(
        &mut self,
        name: &str,
        change: Change,
        now: u64,
    ) -> Result<(&Secret, &Version), Refusal> {
        let key = name.to_lowercase();
        if self.deleted.contains_key(&key) {
            return Err(Refusal::IsDeleted);
        }
        let mut version = Version::new(change.value.as_deref().ok_or(Refusal::BadValue)?, now);
        version.apply(change, now);
        self.make_room(1)?;
        let new = || Secret { name: name.to_owned(), versions: Vec::new() };
        self.secrets.entry(key).or_insert_with(new).versions.push(version);
        self.find(name, None)
    }

    /// Changes what is said of a version, not its value.
    pub(crate) fn update(
        &mut self,
        name: &str,
        version: Option<&str>,
        change: Change,
        now: u64,
    ) -> Result<(&Secret, &Version), Refusal> {
        let secret = self.secrets.get_mut(&name.to_lowercase()).ok_or(Refusal::Missing)?;
        let found = match version {
            None => secret.versions.last_mut(),
            Some(id) => secret.versions.iter_mut().find(|it| it.id == id),
        };
        found.ok_or(Refusal::Missing)?.apply(change, now);
        self.find(name, version)
    }

    /// Deletes a secret; it can be recovered.
    pub(crate) fn delete(&mut self, name: &str, now: u64) -> Result<&Deleted, Refusal> {
        let key = name.to_lowercase();
        let secret = self.secrets.remove(&key).ok_or(Refusal::Missing)?;
        Ok(self.deleted.entry(key).insert_entry(Deleted { secret, at: now }).into_mut())
    }

    /// A deleted secret.
    pub(crate) fn deleted(&self, name: &str) -> Result<&Deleted, Refusal> {
        self.deleted.get(&name.to_lowercase()).ok_or(Refusal::NotDeleted)
    }

    /// Deletes a deleted secret for good.
    pub(crate) fn purge(&mut self, name: &str) -> Result<(), Refusal> {
        self.deleted.remove(&name.to_lowercase()).map(drop).ok_or(Refusal::NotDeleted)
    }

    /// Brings a deleted secret back.
    pub(crate) fn recover(&mut self, name: &str) -> Result<(&Secret, &Version), Refusal> {
        let key = name.to_lowercase();
        let Deleted { secret, .. } = self.deleted.remove(&key).ok_or(Refusal::NotDeleted)?;
        self.secrets.insert(key, secret);
        self.find(name, None)
    }

    /// A secret with all of its versions.
    pub(crate) fn whole(&self, name: &str) -> Result<&Secret, Refusal> {
        self.secrets.get(&name.to_lowercase()).ok_or(Refusal::Missing)
    }

    /// Puts back what [`Vault::whole`] gave.
    pub(crate) fn restore(&mut self, secret: Secret) -> Result<(&Secret, &Version), Refusal> {
        let key = secret.name.to_lowercase();
        if self.secrets.contains_key(&key) {
            return Err(Refusal::Exists);
        }
        if self.deleted.contains_key(&key) {
            return Err(Refusal::IsDeleted);
        }
        if secret.versions.is_empty() {
            return Err(Refusal::BadValue);
        }
        self.make_room(secret.versions.len())?;
        let name = secret.name.clone();
        self.secrets.insert(key, secret);
        self.find(&name, None)
    }

    /// The latest version of each secret, in the order of names.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Secret, &Version)> {
        self.secrets.values().filter_map(|it| Some((it, it.latest()?)))
    }

    /// The deleted secrets, in the order of names.
    pub(crate) fn all_deleted(&self) -> impl Iterator<Item = &Deleted> {
        self.deleted.values()
    }

    fn make_room(&self, n: usize) -> Result<(), Refusal> {
        let deleted = self.deleted.values().map(|it| &it.secret);
        let held: usize = self.secrets.values().chain(deleted).map(|it| it.versions.len()).sum();
        if held.saturating_add(n) > MAX_VERSIONS { Err(Refusal::Full) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Change {
        Change { value: Some(text.to_owned()), ..Change::default() }
    }

    #[test]
    fn a_deleted_secret_keeps_its_name_until_it_is_recovered_or_purged() {
        let mut vault = Vault::new(&BTreeMap::from([("A".to_owned(), "1".to_owned())]), 5);
        assert_eq!(vault.set("a", value("2"), 6).unwrap().0.versions.len(), 2);
        assert_eq!(vault.delete("a", 7).unwrap().at, 7);
        assert_eq!(vault.get("a", None).unwrap_err(), Refusal::Missing);
        assert_eq!(vault.set("A", value("3"), 8).unwrap_err(), Refusal::IsDeleted);
        assert_eq!(vault.recover("a").unwrap().1.value, "2");
        assert_eq!(vault.recover("a").unwrap_err(), Refusal::NotDeleted);
        vault.delete("a", 9).unwrap();
        vault.purge("a").unwrap();
        assert_eq!(vault.set("a", value("3"), 10).unwrap().0.versions.len(), 1);
    }

    #[test]
    fn what_is_said_of_a_version_changes_and_its_value_does_not() {
        let mut vault = Vault::default();
        let first = vault.set("a", value("1"), 1).unwrap().1.id.clone();
        vault.set("a", value("2"), 2).unwrap();
        let off: Change = serde_json::from_str(
            r#"{"value":"no","contentType":"text/plain","attributes":{"enabled":false,"exp":9}}"#,
        )
        .unwrap();
        let (_, changed) = vault.update("a", Some(&first), off, 3).unwrap();
        assert_eq!((changed.value.as_str(), changed.updated, changed.expires), ("1", 3, Some(9)));
        assert_eq!(vault.get("a", Some(&first)).unwrap_err(), Refusal::Disabled);
        assert_eq!(vault.get("a", None).unwrap().1.value, "2");
        assert_eq!(vault.update("a", Some("x"), value(""), 4).unwrap_err(), Refusal::Missing);
    }

    #[test]
    fn what_was_backed_up_comes_back_once() {
        let mut vault = Vault::default();
        vault.set("a", value("1"), 1).unwrap();
        vault.set("a", value("2"), 1).unwrap();
        let whole = vault.whole("a").unwrap().clone();
        assert_eq!(vault.restore(whole.clone()).unwrap_err(), Refusal::Exists);
        vault.delete("a", 2).unwrap();
        assert_eq!(vault.restore(whole.clone()).unwrap_err(), Refusal::IsDeleted);
        vault.purge("a").unwrap();
        assert_eq!(vault.restore(whole).unwrap().0.versions.len(), 2);
    }

    #[test]
    fn a_vault_holds_no_more_than_it_may() {
        let mut vault = Vault::default();
        for n in 0..MAX_VERSIONS {
            vault.set(&format!("s{}", n % 7), value(""), 1).unwrap();
        }
        assert_eq!(vault.set("s1", value(""), 1).unwrap_err(), Refusal::Full);
        vault.delete("s0", 1).unwrap();
        assert_eq!(vault.set("s1", value(""), 1).unwrap_err(), Refusal::Full);
        vault.purge("s0").unwrap();
        vault.set("s1", value(""), 1).unwrap();
    }
}
