//! `<authentication-certificate>`: presents a client certificate to the backend.
//!
//! It holds for every later call of the request to its backend; inside of `send-request`, for that
//! call. A certificate is named by its identifier or its thumbprint (SHA-1, in any notation), or
//! given as a PFX file.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/authentication-certificate-policy>

use expr::Value;
use pipeline::{
    Attr, Blame, Certificate, Certificates, CompileCx, Computed, Context, Diagnostic, Element,
    Flow, Immediate, Message, PolicyError, PolicyKind, Scopes, Sections, Step, codes,
};
use transport::ClientIdentity;

use crate::opened_pfx::OpenedPfx;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "authentication-certificate",
    summary: "Presents a client certificate to the backend.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[THUMBPRINT, CERTIFICATE_ID, BODY, PASSWORD],
    children: &[],
    compile,
};

const THUMBPRINT: Attr = Attr::absent_by_default("thumbprint")
    .expressions()
    .excludes(&["certificate-id", "body"])
    .doc("SHA-1 of the certificate, in hexadecimal.");
const CERTIFICATE_ID: Attr = Attr::absent_by_default("certificate-id")
    .expressions()
    .excludes(&["body"])
    .doc("Name of the certificate.");
const BODY: Attr = Attr::absent_by_default("body")
    .expressions()
    .doc("The certificate itself: PFX, as bytes or Base64.");
const PASSWORD: Attr = Attr::absent_by_default("password").expressions().doc("Password of `body`.");

#[derive(Debug)]
struct AuthenticationCertificate {
    message: Message,
    wanted: Wanted,
}

/// How the certificate is named.
#[derive(Debug)]
enum Wanted {
    Named { by: Name, text: Computed<String>, usable: Vec<Usable> },
    File { body: Computed<Value>, password: Option<Computed<String>>, opened: OpenedPfx },
}

/// What a text names a certificate by.
#[derive(Clone, Copy, Debug)]
enum Name {
    Thumbprint,
    Id,
}

/// A certificate with its private key.
#[derive(Debug)]
struct Usable {
    /// In lower case.
    name: String,
    thumbprint: String,
    identity: ClientIdentity,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let wanted = if let Some(body) = cx.attr_if(element, &BODY)? {
        let password = cx.attr_if(element, &PASSWORD)?;
        file(element, cx, body, password)?
    } else if let Some(text) = cx.attr_if(element, &THUMBPRINT)? {
        named(element, cx, Name::Thumbprint, text)?
    } else if let Some(text) = cx.attr_if(element, &CERTIFICATE_ID)? {
        named(element, cx, Name::Id, text)?
    } else {
        let message = "`authentication-certificate` needs `thumbprint`, `certificate-id` or `body`";
        return Err(cx.refuse(element, codes::ONE_OF_ATTRIBUTES, message).label("which one?"));
    };
    Ok(Step::immediate(AuthenticationCertificate { message: cx.message(), wanted }))
}

/// A file that is known at load has to open.
fn file(
    element: Element<'_>,
    cx: &CompileCx,
    body: Computed<Value>,
    password: Option<Computed<String>>,
) -> Result<Wanted, Diagnostic> {
    let opened = OpenedPfx::default();
    let literal_password = match &password {
        None => Some(""),
        Some(it) => it.as_literal().map(String::as_str),
    };
    if let Some((body, password)) = body.as_literal().zip(literal_password)
        && let Err(why) = opened.open(body, password)
    {
        let message = format!("certificate cannot be presented: {why}");
        return Err(cx
            .refuse_attr(element, &BODY, codes::UNKNOWN_CERTIFICATE, message)
            .label("given here")
            .help("write the Base64 text of a PFX file, or an expression that gives its bytes"));
    }
    Ok(Wanted::File { body, password, opened })
}

fn named(
    element: Element<'_>,
    cx: &mut CompileCx,
    by: Name,
    text: Computed<String>,
) -> Result<Wanted, Diagnostic> {
    let Some(certificates) = cx.extension::<Certificates>() else {
        cx.not_at_hand();
        return Ok(Wanted::Named { by, text, usable: Vec::new() });
    };
    let usable = read(&certificates);
    let literal = text.as_literal();
    if literal.is_some_and(|it| find(&usable, by, it).is_none()) {
        let is_all_read = !certificates
            .names()
            .any(|it| matches!(certificates.get(it), Some(Certificate::NotAtHand)));
        if is_all_read {
            let why = literal.and_then(|it| problem(&certificates, it));
            let why = why.unwrap_or_else(|| "no such certificate with a private key".to_owned());
            let message = format!("certificate cannot be presented: {why}");
            let attr = match by {
                Name::Thumbprint => &THUMBPRINT,
                Name::Id => &CERTIFICATE_ID,
            };
            return Err(cx
                .refuse_attr(element, attr, codes::UNKNOWN_CERTIFICATE, message)
                .label("named here"));
        }
        cx.not_at_hand();
    }
    Ok(Wanted::Named { by, text, usable })
}

fn read(certificates: &Certificates) -> Vec<Usable> {
    let of = |name: &str| {
        let Some(Certificate::Usable(entry)) = certificates.get(name) else { return None };
        let key = entry.private_key_pem.as_ref()?;
        let identity = ClientIdentity::from_pem(&entry.chain_pem, key).ok()?;
        let thumbprint = identity::thumbprint(entry.chain_pem.as_bytes())?;
        Some(Usable { name: name.to_owned(), thumbprint, identity })
    };
    certificates.names().filter_map(of).collect()
}

/// What is wrong with the certificate of that name.
fn problem(certificates: &Certificates, name: &str) -> Option<String> {
    match certificates.get(name)? {
        Certificate::Unusable(why) => Some(why.clone()),
        Certificate::NotAtHand => None,
        Certificate::Usable(entry) => match &entry.private_key_pem {
            None => Some(format!("`{name}` has no private key")),
            Some(key) => {
                ClientIdentity::from_pem(&entry.chain_pem, key).err().map(|it| it.to_string())
            }
        },
    }
}

fn find<'a>(usable: &'a [Usable], by: Name, text: &str) -> Option<&'a Usable> {
    match by {
        Name::Id => usable.iter().find(|it| it.name == text.trim().to_lowercase()),
        Name::Thumbprint => {
            let is_part = |it: &char| !it.is_whitespace() && *it != ':';
            let text: String = text.chars().filter(is_part).collect();
            usable.iter().find(|it| it.thumbprint.eq_ignore_ascii_case(&text))
        }
    }
}

impl Wanted {
    fn identity(&self, context: &Context) -> Result<ClientIdentity, PolicyError> {
        let failure = |message: String| {
            PolicyError::new("CertificateNotFound", message).blame(Blame::Configuration)
        };
        match self {
            Wanted::Named { by, text, usable } => {
                let message = "The client certificate does not exist or has no private key.";
                let found = find(usable, *by, &text.get(context)?);
                let found = found.ok_or_else(|| failure(message.to_owned()))?;
                Ok(found.identity.clone())
            }
            Wanted::File { body, password, opened } => {
                let password = password.as_ref().map(|it| it.get(context)).transpose()?;
                opened
                    .open(&*body.borrow(context)?, password.as_deref().unwrap_or_default())
                    .map_err(|it| failure(format!("The client certificate cannot be read: {it}.")))
            }
        }
    }
}

impl Immediate for AuthenticationCertificate {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let identity = self.wanted.identity(context)?;
        let extensions = match self.message {
            Message::Draft => &mut context.draft.get_or_insert_default().extensions,
            Message::Request | Message::Response => &mut context.request.extensions,
        };
        extensions.insert(identity);
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::CertificateEntry;

    use super::*;
    use crate::test_support::Trial;

    /// A certificate and key of `CN=signing.example`, made for tests.
    const PEM: &str = include_str!("../tests/certificate.pem");

    fn trial(attributes: &str) -> Trial {
        let mut trial = Trial::inbound(&format!("<authentication-certificate {attributes} />"));
        let mut certificates = Certificates::default();
        let entry = |private_key_pem: Option<&str>| {
            let private_key_pem = private_key_pem.map(Into::into);
            Certificate::Usable(CertificateEntry { chain_pem: PEM.to_owned(), private_key_pem })
        };
        certificates.insert("Client", entry(Some(PEM)));
        certificates.insert("bare", entry(None));
        certificates.insert("broken", Certificate::Unusable("it is not PEM".to_owned()));
        trial.extensions.insert(Arc::new(certificates));
        trial
    }

    fn thumbprint() -> String {
        identity::thumbprint(PEM.as_bytes()).unwrap()
    }

    #[test]
    fn a_certificate_is_named_in_several_ways() {
        let spaced: Vec<String> = thumbprint()
            .to_lowercase()
            .as_bytes()
            .chunks(2)
            .map(|it| String::from_utf8_lossy(it).into_owned())
            .collect();
        for attributes in [
            "certificate-id='client'".to_owned(),
            "certificate-id='@(&quot;CLI&quot; + &quot;ENT&quot;)'".to_owned(),
            format!("thumbprint='{}'", thumbprint()),
            format!("thumbprint='{}'", spaced.join(":")),
        ] {
            let ran = trial(&attributes).run("");
            assert_eq!(ran.outcome, "next", "{attributes}");
            assert!(ran.context.request.extensions.get::<ClientIdentity>().is_some());
        }
    }

    #[test]
    fn what_cannot_be_presented_does_not_load() {
        for (attributes, expected) in [
            ("certificate-id='bare'", "PC0434"),
            ("certificate-id='broken'", "PC0434"),
            ("certificate-id='other'", "PC0434"),
            ("thumbprint='AA'", "PC0434"),
            ("body='BODY'", "PC0434"),
            ("body='BODY' thumbprint='AA'", "PC0410"),
            ("", "PC0425"),
            ("certificate-id='client' thumbprint='AA'", "PC0410"),
        ] {
            assert_eq!(trial(attributes).problems(), expected, "{attributes}");
        }
        // Without the certificates at hand a document is checked, not run.
        assert_eq!(
            Trial::inbound("<authentication-certificate thumbprint='AA' />").problems(),
            "fine"
        );
    }

    /// The client certificate of the tests of `pfx`, as Base64.
    fn pfx() -> String {
        let file: &[u8] = include_bytes!("../../pfx/tests/data/modern.pfx");
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, file)
    }

    #[test]
    fn a_certificate_is_given_as_a_file() {
        let pfx = pfx();
        for attributes in [
            format!("body='{pfx}' password='s3cret'"),
            format!(
                "body='@(Convert.FromBase64String(&quot;{pfx}&quot;))' password='@(&quot;s3cret&quot;)'"
            ),
        ] {
            let ran = trial(&attributes).run("");
            assert_eq!(ran.outcome, "next");
            assert!(ran.context.request.extensions.get::<ClientIdentity>().is_some());
        }
        assert_eq!(trial(&format!("body='{pfx}' password='x'")).problems(), "PC0434");
        for attributes in [
            format!("body='{pfx}' password='@(context.Request.Method)'"),
            "body='@(new byte[0])'".to_owned(),
            "body='@((byte[])null)'".to_owned(),
        ] {
            let ran = trial(&attributes).run("");
            assert_eq!(ran.outcome, "500 - (CertificateNotFound)");
        }
    }

    #[test]
    fn a_computed_name_that_does_not_exist_fails() {
        let attributes = "certificate-id='@(context.Request.Method)'";
        assert_eq!(trial(attributes).run("").outcome, "500 - (CertificateNotFound)");
    }
}
