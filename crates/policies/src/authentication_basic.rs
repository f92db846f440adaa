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
struct AuthenticationBasic {
    username: Computed<String>,
    password: Computed<String>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::immediate(AuthenticationBasic {
        username: cx.attr(element, &USERNAME)?,
        password: cx.attr(element, &PASSWORD)?,
    }))
}

impl Immediate for AuthenticationBasic {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let (username, password) = (self.username.borrow(context)?, self.password.borrow(context)?);
        let credentials = STANDARD.encode(format!("{username}:{password}"));
        let mut value = HeaderValue::from_str(&format!("Basic {credentials}"))
            .map_err(|_| PolicyError::evaluation("The credentials make no header."))?;
        value.set_sensitive(true);
        context.request.headers.insert(AUTHORIZATION, value);
        Ok(Flow::Next)
    }
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
