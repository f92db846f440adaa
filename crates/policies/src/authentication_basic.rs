//! `<authentication-basic>`: authenticates with the backend by user name and password.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/authentication-basic-policy>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use pipeline::{
    Attr, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, PolicyError,
    PolicyKind, Scope, Scopes, Sections, Step,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "authentication-basic",
    summary: "Authenticates with the backend by user name and password.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL.without(Scope::Workspace),
    attrs: &[USERNAME, PASSWORD],
    children: &[],
    compile,
};

const USERNAME: Attr = Attr::required("username").expressions().doc("User name.");
const PASSWORD: Attr = Attr::required("password").expressions().doc("Password.");

#[derive(Debug)]
enum AuthenticationBasic {
    /// The header, if nothing of it depends on the request.
    Fixed(HeaderValue),
    Computed {
        username: Computed<String>,
        password: Computed<String>,
    },
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let (username, password): (Computed<String>, Computed<String>) =
        (cx.attr(element, &USERNAME)?, cx.attr(element, &PASSWORD)?);
    let fixed = username.as_literal().zip(password.as_literal());
    let fixed = fixed.and_then(|(username, password)| header(username, password).ok());
    Ok(Step::immediate(match fixed {
        Some(value) => AuthenticationBasic::Fixed(value),
        None => AuthenticationBasic::Computed { username, password },
    }))
}

impl Immediate for AuthenticationBasic {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let value = match self {
            AuthenticationBasic::Fixed(value) => value.clone(),
            AuthenticationBasic::Computed { username, password } => {
                header(&username.borrow(context)?, &password.borrow(context)?)?
            }
        };
        context.request.headers.insert(AUTHORIZATION, value);
        Ok(Flow::Next)
    }
}

fn header(username: &str, password: &str) -> Result<HeaderValue, PolicyError> {
    let credentials = STANDARD.encode(format!("{username}:{password}"));
    let mut value = HeaderValue::from_str(&format!("Basic {credentials}"))
        .map_err(|_| PolicyError::evaluation("The credentials make no header."))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Trial, problems};

    #[test]
    fn the_header_is_replaced_and_kept_out_of_logs() {
        let policy = r#"<authentication-basic username="us:er" password="pä ss" />"#;
        let ran = Trial::inbound(policy).run("authorization: Bearer x\nAuthorization: y");
        let values: Vec<_> = ran.context.request.headers.get_all("authorization").iter().collect();

        assert_eq!(values, ["Basic dXM6ZXI6cMOkIHNz"]);
        assert!(values[0].is_sensitive());
    }

    #[test]
    fn both_attributes_are_needed() {
        assert_eq!(problems(r#"<authentication-basic username="u" />"#), "PC0404");
    }
}
