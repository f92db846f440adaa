//! `<authentication-certificate>`: presents a client certificate to the backend.
//!
//! It holds for every later call of the request to its backend; inside of `send-request`, for that
//! call. A certificate is named by its identifier or its thumbprint (SHA-1, in any notation).
//!
//! Source: <https://learn.microsoft.com/azure/api-management/authentication-certificate-policy>

use pipeline::{
    Attr, Blame, Certificate, Certificates, CompileCx, Computed, Context, Diagnostic, Element,
    Flow, Immediate, Message, PolicyError, PolicyKind, Scopes, Sections, Step, codes,
};
use transport::ClientIdentity;

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
    .doc("The certificate itself (PFX).")
    .differs("Refused: certificates are configuration entities, in PEM.");
const PASSWORD: Attr = Attr::absent_by_default("password").expressions().doc("Password of `body`.");

#[derive(Debug)]
struct AuthenticationCertificate {
    message: Message,
    wanted: Wanted,
    usable: Vec<Usable>,
}

/// How the certificate is named.
#[derive(Debug)]
enum Wanted {
    Thumbprint(Computed<String>),
    Id(Computed<String>),
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
    if element.has(&BODY) {
        let message = "`body` is a PFX file (PKCS #12), which is not supported";
        return Err(cx
            .refuse_attr(element, &BODY, codes::NOT_SUPPORTED, message)
            .label("cannot be presented")
            .help(
                "give the certificate as PEM in `certificates:` and name it by `certificate-id`",
            ));
    }
    let thumbprint = cx.attr_if(element, &THUMBPRINT)?.map(Wanted::Thumbprint);
    let id = cx.attr_if(element, &CERTIFICATE_ID)?.map(Wanted::Id);
    let Some(wanted) = thumbprint.or(id) else {
        let message = "`authentication-certificate` needs `thumbprint` or `certificate-id`";
        return Err(cx.refuse(element, codes::ONE_OF_ATTRIBUTES, message).label("which one?"));
    };
    let mut usable = Vec::new();
    match cx.extension::<Certificates>() {
        None => cx.not_at_hand(),
        Some(certificates) => {
            usable = read(&certificates);
            let (attr, literal) = match &wanted {
                Wanted::Thumbprint(it) => (&THUMBPRINT, it.as_literal()),
                Wanted::Id(it) => (&CERTIFICATE_ID, it.as_literal()),
            };
            let is_all_read = !certificates
                .names()
                .any(|it| matches!(certificates.get(it), Some(Certificate::NotAtHand)));
            let is_found = literal.is_none_or(|it| find(&usable, &wanted, it).is_some());
            if !is_found && !is_all_read {
                cx.not_at_hand();
            } else if !is_found {
                let why = literal.and_then(|it| problem(&certificates, it));
                let why =
                    why.unwrap_or_else(|| "no such certificate with a private key".to_owned());
                let message = format!("certificate cannot be presented: {why}");
                return Err(cx
                    .refuse_attr(element, attr, codes::UNKNOWN_CERTIFICATE, message)
                    .label("named here"));
            }
        }
    }
    Ok(Step::immediate(AuthenticationCertificate { message: cx.message(), wanted, usable }))
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

fn find<'a>(usable: &'a [Usable], wanted: &Wanted, text: &str) -> Option<&'a Usable> {
    match wanted {
        Wanted::Id(_) => usable.iter().find(|it| it.name == text.trim().to_lowercase()),
        Wanted::Thumbprint(_) => {
            let is_part = |it: &char| !it.is_whitespace() && *it != ':';
            let text: String = text.chars().filter(is_part).collect();
            usable.iter().find(|it| it.thumbprint.eq_ignore_ascii_case(&text))
        }
    }
}

impl Immediate for AuthenticationCertificate {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let text = match &self.wanted {
            Wanted::Thumbprint(it) | Wanted::Id(it) => it.get(context)?,
        };
        let Some(found) = find(&self.usable, &self.wanted, &text) else {
            let message = "The client certificate does not exist or has no private key.";
            return Err(
                PolicyError::new("CertificateNotFound", message).blame(Blame::Configuration)
            );
        };
        let extensions = match self.message {
            Message::Draft => &mut context.draft.get_or_insert_default().extensions,
            Message::Request | Message::Response => &mut context.request.extensions,
        };
        extensions.insert(found.identity.clone());
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
            ("body='@(new byte[0])' password='x'", "PC0423"),
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

    #[test]
    fn a_computed_name_that_does_not_exist_fails() {
        let attributes = "certificate-id='@(context.Request.Method)'";
        assert_eq!(trial(attributes).run("").outcome, "500 - (CertificateNotFound)");
    }
}
