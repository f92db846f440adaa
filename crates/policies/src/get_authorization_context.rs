//! `<get-authorization-context>`: puts a token of another service into a variable.
//!
//! Providers and connections are those of the configuration. The gateway itself may use a
//! connection unless that says who may; somebody else shows a token of Entra ID, whose object the
//! connection has to list. Tokens are kept, and refreshed before they expire.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/get-authorization-context-policy>

use std::sync::Arc;

use expr::Value;
use identity::{
    AuthorizationTokens, Authorized, EntraTenant, Grant, Providers, Rules, SecretIn, TokenRequest,
    Verifier, VerifierSettings,
};
use pipeline::{
    AccessPolicy, Attr, Authorizations, Blame, CompileCx, Computed, Connection, ConnectionEntry,
    Context, Diagnostic, Element, Flow, PolicyError, PolicyKind, Scope, Scopes, Sections, Step,
    UnknownConnection, Waiting, codes,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "get-authorization-context",
    summary: "Puts a token of another service into a variable.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL.without(Scope::Workspace),
    attrs: &[PROVIDER, CONNECTION, VARIABLE, IDENTITY_TYPE, IDENTITY, IGNORE_ERROR],
    children: &[],
    compile,
};

const PROVIDER: Attr =
    Attr::required("provider-id").expressions().doc("Name of the credential provider.");
const CONNECTION: Attr =
    Attr::required("authorization-id").expressions().doc("Name of its connection.");
const VARIABLE: Attr = Attr::required("context-variable-name")
    .expressions()
    .doc("Variable that receives the token, as `Authorization`.");
const IDENTITY_TYPE: Attr = Attr::optional("identity-type", "managed")
    .expressions()
    .one_of(&["managed", "jwt"])
    .doc("Who asks: the gateway itself, or whoever `identity` names.");
const IDENTITY: Attr = Attr::absent_by_default("identity")
    .expressions()
    .doc("A token of Entra ID that names who asks.");
const IGNORE_ERROR: Attr = Attr::optional("ignore-error", "false")
    .expressions()
    .doc("Whether to go on without a token; the variable is null then.");

/// What a token that names who asks is for.
const AUDIENCE: &str = "https://azure-api.net/authorization-manager";

#[derive(Debug)]
struct GetAuthorizationContext {
    provider: Computed<String>,
    connection: Computed<String>,
    variable: Computed<String>,
    identity_type: Computed<String>,
    identity: Option<Computed<String>>,
    ignore_error: Computed<bool>,
    /// None if the document is only checked and never run.
    known: Option<Arc<Authorizations>>,
    verifier: Option<Verifier>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let provider: Computed<String> = cx.attr(element, &PROVIDER)?;
    let connection: Computed<String> = cx.attr(element, &CONNECTION)?;
    let known: Option<Arc<Authorizations>> = cx.extension();
    match &known {
        None => cx.not_at_hand(),
        Some(known) => check(element, cx, known, &provider, &connection)?,
    }
    let shared: Option<Arc<Providers>> = cx.extension();
    Ok(Step::waiting(GetAuthorizationContext {
        provider,
        connection,
        variable: cx.attr(element, &VARIABLE)?,
        identity_type: cx.attr(element, &IDENTITY_TYPE)?,
        identity: cx.attr_if(element, &IDENTITY)?,
        ignore_error: cx.attr(element, &IGNORE_ERROR)?,
        known,
        verifier: shared.map(|it| Verifier::new(&it, VerifierSettings::default())),
    }))
}

/// Names that are known at load have to exist.
fn check(
    element: Element<'_>,
    cx: &mut CompileCx,
    known: &Authorizations,
    provider: &Computed<String>,
    connection: &Computed<String>,
) -> Result<(), Diagnostic> {
    let Some((provider, connection)) = provider.as_literal().zip(connection.as_literal()) else {
        return Ok(());
    };
    match known.get(provider.trim(), connection.trim()) {
        Ok(ConnectionEntry::Usable(_)) => Ok(()),
        Ok(ConnectionEntry::NotAtHand) => {
            cx.not_at_hand();
            Ok(())
        }
        Ok(ConnectionEntry::Unusable(why)) => {
            let message = format!("connection `{connection}` cannot be used: {why}");
            Err(cx.refuse_attr(element, &CONNECTION, codes::UNKNOWN_CONNECTION, message))
        }
        Err(unknown) => {
            let attr = match unknown {
                UnknownConnection::Provider(_) => &PROVIDER,
                UnknownConnection::Connection(..) => &CONNECTION,
            };
            let code = codes::UNKNOWN_CONNECTION;
            Err(cx
                .refuse_attr(element, attr, code, unknown.to_string())
                .help("`authorization-providers:` of `portcullis.yaml` lists them"))
        }
    }
}

impl Waiting for GetAuthorizationContext {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let (provider, connection) = (self.provider.get(context)?, self.connection.get(context)?);
        let variable: Arc<str> = self.variable.get(context)?.into();
        let ignore_error = self.ignore_error.get(context)?;
        let value = match self.token(context, provider.trim(), connection.trim()).await {
            Ok(token) => value(&token),
            Err(error) if ignore_error => {
                tracing::debug!(reason = error.reason(), "{}", error.message());
                Value::Null
            }
            Err(error) => return Err(error),
        };
        context.variables.set(variable, value);
        Ok(Flow::Next)
    }
}

impl GetAuthorizationContext {
    async fn token(
        &self,
        context: &Context,
        provider: &str,
        connection: &str,
    ) -> Result<Arc<Authorized>, PolicyError> {
        let known = self.known.as_ref().ok_or_else(not_set_up)?;
        let found = known.get(provider, connection).map_err(|unknown| {
            let error = PolicyError::new("AuthorizationNotFound", format!("{unknown}."));
            error.blame(Blame::Configuration)
        })?;
        let ConnectionEntry::Usable(found) = found else {
            let message = format!("Connection `{connection}` cannot be used.");
            let error = PolicyError::new("AuthorizationNotFound", message);
            return Err(error.blame(Blame::Configuration));
        };
        self.admit(context, found).await?;
        let tokens: Option<Arc<AuthorizationTokens>> = context.services.extension();
        let tokens = tokens.ok_or_else(not_set_up)?;
        tokens.get(&request(found)).await.map_err(|problem| {
            PolicyError::new("AuthorizationTokenError", format!("No token: {problem}."))
                .blame(Blame::IdentityProvider)
        })
    }

    /// Whether whoever asks may use the connection.
    async fn admit(&self, context: &Context, to: &Connection) -> Result<(), PolicyError> {
        let kind = self.identity_type.get(context)?;
        if kind.trim().eq_ignore_ascii_case("managed") {
            return match to.allows_managed() {
                true => Ok(()),
                false => Err(denied("The connection does not list the gateway.")),
            };
        }
        if !kind.trim().eq_ignore_ascii_case("jwt") {
            return Err(denied("`identity-type` is neither `managed` nor `jwt`."));
        }
        let token = match &self.identity {
            Some(it) => it.get(context)?,
            None => String::new(),
        };
        let token = token.trim();
        if token.is_empty() {
            return Err(denied("`identity` names nobody."));
        }
        let shared: Option<Arc<Providers>> = context.services.extension();
        let (verifier, shared) = self.verifier.as_ref().zip(shared).ok_or_else(not_set_up)?;
        let mut why = "The connection lists nobody.".to_owned();
        for policy in &to.access {
            let AccessPolicy::Object { tenant_id, object_id } = policy else { continue };
            match is_object(verifier, &shared, token, (tenant_id, object_id)).await {
                Ok(()) => return Ok(()),
                Err(problem) => why = problem,
            }
        }
        Err(denied(why))
    }
}

/// Whether a token names that object of that directory.
async fn is_object(
    verifier: &Verifier,
    shared: &Providers,
    token: &str,
    (tenant_id, object_id): (&str, &str),
) -> Result<(), String> {
    let tenant = EntraTenant::parse(tenant_id, None).map_err(|it| it.to_string())?;
    let provider = shared.provider(&tenant.metadata_url()).map_err(|it| it.to_string())?;
    let audiences = Some(vec![AUDIENCE.to_owned()]);
    let rules = Rules { audiences, tenant: Some(tenant), ..Rules::default() };
    let jwt = verifier.verify_with(token, &[provider], &rules).await;
    let jwt = jwt.map_err(|it| it.to_string())?;
    let named = |claim: &str| jwt.claims().text(claim).unwrap_or_default().to_lowercase();
    let is_listed = named("oid") == object_id.to_lowercase() && !object_id.is_empty();
    match is_listed {
        true => Ok(()),
        false => Err("The connection does not list who asks.".to_owned()),
    }
}

fn request(of: &Connection) -> TokenRequest {
    let grant = match &of.refresh_token {
        None => Grant::ClientCredentials,
        Some(it) => Grant::RefreshToken { token: it.token.clone(), file: it.file.clone() },
    };
    TokenRequest {
        token_url: of.token_url.clone(),
        client_id: of.client_id.clone(),
        client_secret: of.client_secret.clone(),
        secret_in: if of.is_secret_in_header { SecretIn::Header } else { SecretIn::Body },
        grant,
        scopes: of.scopes.clone(),
        parameters: of.parameters.clone(),
    }
}

fn value(token: &Authorized) -> Value {
    let members = token.members().iter().map(|(name, it)| (name.clone(), member(it)));
    expr::authorization(token.access_token().expose(), members.collect())
}

/// A member of the answer; what is nested is its JSON text.
fn member(of: &serde_json::Value) -> Value {
    match of {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(it) => (*it).into(),
        serde_json::Value::String(it) => it.as_str().into(),
        serde_json::Value::Number(it) => match (it.as_i64(), it.as_f64()) {
            (Some(it), _) => Value::Long(it),
            (None, Some(it)) => Value::Double(it),
            (None, None) => it.to_string().as_str().into(),
        },
        nested => nested.to_string().as_str().into(),
    }
}

fn denied(why: impl Into<String>) -> PolicyError {
    PolicyError::new("AuthorizationAccessDenied", why)
}

fn not_set_up() -> PolicyError {
    PolicyError::new("AuthorizationNotFound", "No credential providers are set up.")
        .blame(Blame::Configuration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::problems;

    #[test]
    fn a_document_is_checked_without_the_providers() {
        let with =
            |attributes: &str| problems(&format!("<get-authorization-context {attributes} />"));
        let names = "provider-id='p' authorization-id='c' context-variable-name='v'";
        assert_eq!(with(names), "fine");
        assert_eq!(with(&format!("{names} identity-type='other'")), "PC0409");
        assert_eq!(with("provider-id='p' authorization-id='c'"), "PC0404");
    }

    #[test]
    fn members_keep_their_kind() {
        for (json, expected) in [
            ("null", ""),
            ("true", "True"),
            ("3600", "3600"),
            ("1.5", "1.5"),
            (r#""a b""#, "a b"),
            (r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        ] {
            let value = member(&serde_json::from_str(json).unwrap());
            assert_eq!(value.to_text(), expected, "{json}");
        }
    }
}
