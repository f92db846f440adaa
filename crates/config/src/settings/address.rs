//! The address of a server, which may hold a password.

use transport::Secret;

use crate::codes;
use crate::secret_source::SecretSource;
use crate::tree::Fields;

/// A URL or connection string in the file, if it holds no password, or where it is read from.
/// `server` is for messages.
pub(super) fn read(
    fields: &Fields<'_, '_>,
    key: &'static str,
    server: &str,
) -> Option<SecretSource> {
    let tree = fields.get(key)?;
    let Some(text) = tree.scalar() else {
        let source = fields.map(key)?;
        let found = SecretSource::read(&source);
        source.finish();
        return found;
    };
    if has_password(text) {
        let message = format!("the password of {server} stands in the file");
        let help = format!("write `{key}: {{ env: NAME }}` or `{key}: {{ file: PATH }}`");
        fields.report(tree.error(codes::SECRET_IN_FILE, message).help(help));
        return None;
    }
    Some(SecretSource::Text(Secret::new(text)))
}

/// Whether somebody who reads the file can log in. A user's name alone is none.
fn has_password(text: &str) -> bool {
    let is_named = text.to_ascii_lowercase().contains("password");
    let login = text.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    is_named || login.map_or(text.contains('@'), |(login, _)| login.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::has_password;

    #[test]
    fn a_password_is_seen_in_every_form() {
        for (text, expected) in [
            ("redis://h:6379", false),
            ("redis://:p@h", true),
            ("redis://u@h", false),
            ("h:6380,password=p", true),
            ("h,Password=p", true),
            ("p@h", true),
            ("postgres://u@h/d", false),
            ("postgres://u:p@h/d", true),
            ("postgres://u:a@b@h/d", true),
            ("host=h user=u password=p", true),
            ("host=h user=u", false),
        ] {
            assert_eq!(has_password(text), expected, "{text}");
        }
    }
}
