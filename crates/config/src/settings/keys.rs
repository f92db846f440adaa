//! `keys:`: keys of subscriptions, which no artifact folder holds.
//!
//! ```yaml
//! keys:
//!   acme: { env: ACME_KEY }                       # the subscription of that name, or a new one
//!   partner:
//!     scope: products/starter                     # of a new one; default: all APIs
//!     user: ann                                   # who owns it
//!     primary: { file: secrets/partner }
//!     secondary: { keyvault: "https://v.vault.azure.net/secrets/partner" }
//! ```

use crate::codes;
use crate::entity::ScopeEntity;
use crate::place::Place;
use crate::secret_source::SecretSource;
use crate::tree::{Fields, Keys, Tree};

/// Keys of one subscription.
#[derive(Clone, Debug)]
pub struct KeySetting {
    /// Name of the subscription.
    pub subscription: String,
    /// Scope of the subscription, if the settings make it.
    pub scope: Option<ScopeEntity>,
    /// The user who owns it.
    pub user: Option<String>,
    /// The first key.
    pub primary: Option<SecretSource>,
    /// The second key.
    pub secondary: Option<SecretSource>,
    /// Where it stands.
    pub place: Place,
}

pub(super) fn read(fields: &Fields<'_, '_>) -> Vec<KeySetting> {
    let Some(keys) = fields.map("keys") else { return Vec::new() };
    keys.tree().entries().iter().filter_map(|it| one(&it.key, &it.value, fields)).collect()
}

fn one(name: &str, tree: &Tree, fields: &Fields<'_, '_>) -> Option<KeySetting> {
    if tree.scalar().is_some() {
        let message = format!("the key of `{name}` stands in the file");
        fields.report(
            tree.error(codes::SECRET_IN_FILE, message)
                .help("write `{ env: NAME }` or `{ file: PATH }`"),
        );
        return None;
    }
    let key = Fields::new(tree, Keys::Known, fields.problems());
    let scope = key.filled("scope").and_then(|text| {
        let scope = ScopeEntity::parse(&text);
        if scope.is_none() {
            let message = format!("`{text}` is no scope");
            let place = key.get("scope").unwrap_or(tree);
            key.report(
                place
                    .error(codes::BAD_VALUE, message)
                    .help("`apis`, `apis/<name>` or `products/<name>`"),
            );
        }
        scope
    });
    let nested = |of: &'static str| {
        let nested = key.map(of)?;
        let source = SecretSource::read(&nested);
        nested.finish();
        source
    };
    let (primary, secondary) = (nested("primary"), nested("secondary"));
    let primary = primary.or_else(|| SecretSource::read(&key));
    if primary.is_none() && secondary.is_none() {
        let message = format!("subscription `{name}` is given no key");
        key.report(tree.error(codes::MISSING, message).help("write `{ env: NAME }`"));
    }
    let user = key.filled("user");
    key.finish();
    let place = Place::from(tree);
    Some(KeySetting { subscription: name.to_owned(), scope, user, primary, secondary, place })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn keys_come_from_variables_files_and_vaults() {
        let (it, problems) = read(
            "keys:\n  acme: { env: ACME }\n  partner:\n    scope: apis/chat\n    primary: { file: a }\n    \
             secondary: { keyvault: 'https://v.vault.azure.net/secrets/p' }\n",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(it.keys[0].subscription, "acme");
        assert!(it.keys[0].primary.is_some() && it.keys[0].scope.is_none());
        assert_eq!(it.keys[1].scope, Some(ScopeEntity::Api("chat".to_owned())));
        assert!(it.keys[1].secondary.as_ref().unwrap().is_remote());
    }

    #[test]
    fn a_key_in_the_file_is_refused_and_not_shown() {
        let (_, problems) = read("keys: { acme: hunter2 }");
        assert_eq!(problems, ["PC0514 the key of `acme` stands in the file"]);
        assert_eq!(read("keys: { a: {} }").1, ["PC0505 subscription `a` is given no key"]);
        assert_eq!(read("keys: { a: { env: X, scope: '?' } }").1, ["PC0506 `?` is no scope"]);
    }
}
