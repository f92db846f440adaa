//! Named values: plain, secret, or kept in Key Vault.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-properties>

use transport::Secret;

use super::{Reading, is_redacted, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::secret_source::{SecretSource, key_vault_of};

/// Longest value, in characters.
const MAX_CHARS: usize = 4096;

/// A named value.
#[derive(Clone, Debug)]
pub struct NamedValueEntity {
    /// Entity name.
    pub id: String,
    /// The name that policies use.
    pub display_name: String,
    /// Whether it is never shown.
    pub is_secret: bool,
    /// Where its text comes from; none if the tools left it out and nothing gives it.
    pub value: Option<SecretSource>,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<NamedValueEntity> {
    let info = cx.info("namedvalues", files)?;
    let fields = properties(&info, cx.problems);
    let display_name = fields.filled("displayName").unwrap_or_else(|| files.name.clone());
    let place = files.place();
    if !is_name(&display_name) {
        let message = format!("`{display_name}` is no name for a named value");
        cx.report(
            place.error(codes::BAD_VALUE, message).help("use letters, digits, `-`, `.` and `_`"),
        );
        return None;
    }
    let value = match (fields.get("keyVault"), fields.text("value")) {
        (Some(vault), _) => match key_vault_of(vault) {
            Ok(source) => Some(source),
            Err(problem) => {
                cx.report(problem);
                return None;
            }
        },
        (None, Some(text)) if !is_redacted(&text) => Some(SecretSource::Text(Secret::new(text))),
        (None, _) => None,
    };
    let is_vault = value.as_ref().is_some_and(SecretSource::is_remote);
    if let Some(SecretSource::Text(text)) = &value
        && text.expose().chars().count() > MAX_CHARS
    {
        let message = format!("named value `{display_name}` has more than {MAX_CHARS} characters");
        cx.report(place.error(codes::BAD_VALUE, message));
    }
    let is_secret = is_vault || fields.bool("secret").unwrap_or(value.is_none());
    Some(NamedValueEntity { id: files.name.clone(), display_name, is_secret, value, place })
}

/// Whether policies can refer to this name.
pub(crate) fn is_name(text: &str) -> bool {
    let is_part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_');
    !text.is_empty() && text.len() <= 256 && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn one(properties: &str) -> (Option<NamedValueEntity>, Vec<String>) {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let (mut entities, problems) =
            read(&[("named values/id/namedValueInformation.json", &text)]);
        (entities.named_values.pop(), problems)
    }

    #[test]
    fn plain_secret_and_vault_values_are_told_apart() {
        let (it, _) = one(r#"{"displayName":"A","value":"x"}"#);
        let it = it.unwrap();
        assert_eq!((it.display_name.as_str(), it.is_secret), ("A", false));
        assert!(it.value.unwrap().is_text());
        assert!(one(r#"{"displayName":"A","value":"x","secret":true}"#).0.unwrap().is_secret);
        let (it, _) =
            one(r#"{"keyVault":{"secretIdentifier":"https://v.vault.azure.net/secrets/s"}}"#);
        let it = it.unwrap();
        assert!(it.is_secret && it.value.unwrap().is_remote());
        assert_eq!(it.display_name, "id");
    }

    #[test]
    fn a_redacted_value_is_absent() {
        for value in [r#"{"secret":true,"value":"*** REDACTED ***"}"#, r#"{"secret":true}"#] {
            let it = one(value).0.unwrap();
            assert!(it.value.is_none() && it.is_secret);
        }
    }

    #[test]
    fn bad_names_and_identifiers_are_errors() {
        assert_eq!(
            one(r#"{"displayName":"a b","value":"x"}"#).1,
            ["PC0506 `a b` is no name for a named value"]
        );
        assert_eq!(one(r#"{"keyVault":{}}"#).1.len(), 1);
        let long = format!(r#"{{"value":"{}"}}"#, "x".repeat(MAX_CHARS + 1));
        assert_eq!(one(&long).1.len(), 1);
    }
}
