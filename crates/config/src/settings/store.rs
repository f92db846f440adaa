//! `store:`: one configuration for many gateways.
//!
//! ```yaml
//! store: postgres://gateway@db.example/portcullis   # or
//! store:
//!   postgres: { env: DATABASE_URL }
//!   copy: /var/lib/portcullis/configuration         # from which it starts when that is away
//! ```

use std::path::PathBuf;

use super::address;
use crate::codes;
use crate::secret_source::SecretSource;
use crate::tree::Fields;

/// The database that the configuration is read from.
#[derive(Clone, Debug)]
pub struct StoreSetting {
    /// Its address.
    pub postgres: SecretSource,
    /// The file of the local copy, relative to the settings file; none: the usual one.
    pub copy: Option<PathBuf>,
}

pub(super) fn read(fields: &Fields<'_, '_>) -> Option<StoreSetting> {
    let tree = fields.get("store")?;
    if tree.scalar().is_some() {
        let postgres = address::read(fields, "store", "PostgreSQL")?;
        return Some(StoreSetting { postgres, copy: None });
    }
    let store = fields.map("store")?;
    let postgres = address::read(&store, "postgres", "PostgreSQL");
    if store.get("postgres").is_none() {
        let message = "`store` needs `postgres`, the address of a database";
        fields.report(tree.error(codes::MISSING, message));
    }
    let copy = store.filled("copy").map(PathBuf::from);
    store.finish();
    Some(StoreSetting { postgres: postgres?, copy })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn a_store_is_named_by_its_address_or_by_where_that_is() {
        for (text, copy) in [
            ("store: postgres://u@h/d", None),
            ("store: { postgres: postgres://u@h/d }", None),
            ("store: { postgres: { env: DATABASE_URL }, copy: c.json }", Some("c.json")),
        ] {
            let (it, problems) = read(text);
            assert_eq!(problems, [""; 0], "{text}");
            let found = it.store.unwrap().copy;
            assert_eq!(found.as_deref().and_then(|it| it.to_str()), copy, "{text}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (text, problem) in [
            ("store: postgres://u:hunter2@h/d", "the password of PostgreSQL stands in the file"),
            ("store: { copy: a }", "`store` needs `postgres`, the address of a database"),
            ("store: { postgres: { env: A }, kopy: a }", "unknown key `kopy`"),
        ] {
            let (_, problems) = read(text);
            assert_eq!(problems.len(), 1, "{text} {problems:?}");
            assert!(problems[0].ends_with(problem), "{problems:?}");
            assert!(!problems[0].contains("hunter2"));
        }
    }
}
