//! Connections of credential providers in a case.

use std::sync::Arc;

use identity::AuthorizationTokens;
use pipeline::{AccessPolicy, Authorizations, Connection, ConnectionEntry, RefreshToken};
use transport::{FakeClock, HttpClient};

use crate::case::Case;

/// The connections of a case.
pub(crate) fn all(case: &Case) -> Result<Authorizations, String> {
    let mut all = Authorizations::default();
    for (provider, name, lines) in &case.connections {
        let text = |wanted: &str| {
            let found = lines.iter().find(|(key, _)| key == wanted);
            found.map(|(_, value)| value.as_str())
        };
        let access = lines.iter().filter(|(key, _)| key == "access");
        let connection = Connection {
            token_url: text("token-url").unwrap_or_default().parse().map_err(|_| "no URL")?,
            client_id: text("client-id").unwrap_or_default().to_owned(),
            client_secret: text("client-secret").map(Into::into),
            is_secret_in_header: text("secret-in") == Some("header"),
            refresh_token: text("refresh-token")
                .map(|token| RefreshToken { token: token.into(), file: None }),
            scopes: text("scopes").unwrap_or_default().split_whitespace().map(Into::into).collect(),
            parameters: Vec::new(),
            access: access.map(|(_, value)| policy(value)).collect(),
        };
        all.insert(provider, name, ConnectionEntry::Usable(Arc::new(connection)));
    }
    Ok(all)
}

fn policy(text: &str) -> AccessPolicy {
    match text.split_once(' ') {
        None => AccessPolicy::Managed,
        Some((tenant, object)) => AccessPolicy::Object {
            tenant_id: tenant.to_owned(),
            object_id: object.trim().to_owned(),
        },
    }
}

/// Gets their tokens, from the answers of the case.
pub(crate) fn tokens(client: Arc<dyn HttpClient>, clock: FakeClock) -> AuthorizationTokens {
    AuthorizationTokens::new(client, Arc::new(clock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_may_use_a_connection() {
        assert_eq!(policy("managed"), AccessPolicy::Managed);
        assert!(matches!(policy("t o"), AccessPolicy::Object { .. }));
        let lines = vec![("token-url".to_owned(), "x".to_owned())];
        let broken = ("p".to_owned(), "c".to_owned(), lines);
        assert!(all(&Case { connections: vec![broken], ..Case::default() }).is_err());
    }
}
