//! `<validate-client-certificate>`: lets a request pass only with a certificate that holds.
//!
//! All rules of the policy have to hold, and all attributes of at least one `identity`, if there
//! are any. Revocation is looked up in revocation lists; what cannot be found out fails. A
//! certificate is asked for on TLS listeners; behind a proxy that ends TLS there is none.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-client-certificate-policy>

use std::sync::Arc;

use http::StatusCode;
use identity::{
    CertificateChecks, CertificateIdentity, CertificateProblem, ClientTrust, DistinguishedName,
    IdentityPart,
};
use pipeline::{
    Attr, Blame, Child, CompileCx, Context, Diagnostic, Element, Flow, PolicyError, PolicyKind,
    Scopes, Sections, Step, Waiting, codes,
};

use crate::certificate;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "validate-client-certificate",
    summary: "Lets a request pass only with a client certificate that holds.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[REVOCATION, TRUST, NOT_BEFORE, NOT_AFTER, IGNORE_ERROR],
    children: &[IDENTITIES],
    compile,
};

const REVOCATION: Attr = Attr::optional("validate-revocation", "true")
    .doc("Whether it must be on no revocation list.")
    .differs("Looked up in revocation lists (CRL), not by OCSP; unknown is refused.");
const TRUST: Attr = Attr::optional("validate-trust", "true")
    .doc("Whether a path must lead to a trusted certificate authority.");
const NOT_BEFORE: Attr =
    Attr::optional("validate-not-before", "true").doc("Whether it must be valid already.");
const NOT_AFTER: Attr =
    Attr::optional("validate-not-after", "true").doc("Whether it must still be valid.");
const IGNORE_ERROR: Attr =
    Attr::optional("ignore-error", "false").doc("Whether to go on with a certificate that fails.");

const IDENTITIES: Child =
    Child::optional("identities").children(&[IDENTITY]).doc("Whom it may name; none: anybody.");
const IDENTITY: Child = Child::one_or_more("identity")
    .empty()
    .attrs(&[
        THUMBPRINT,
        SERIAL_NUMBER,
        COMMON_NAME,
        SUBJECT,
        DNS_NAME,
        ISSUER_SUBJECT,
        ISSUER_THUMBPRINT,
        ISSUER_CERTIFICATE_ID,
    ])
    .doc("All its attributes have to match.");

const THUMBPRINT: Attr = Attr::absent_by_default("thumbprint").doc("SHA-1, in hexadecimal.");
const SERIAL_NUMBER: Attr =
    Attr::absent_by_default("serial-number").doc("Serial number, in hexadecimal.");
const COMMON_NAME: Attr = Attr::absent_by_default("common-name").doc("Common name of the subject.");
const SUBJECT: Attr =
    Attr::absent_by_default("subject").doc("Subject: a distinguished name with commas.");
const DNS_NAME: Attr =
    Attr::absent_by_default("dns-name").doc("A DNS name of the subject alternative names.");
const ISSUER_SUBJECT: Attr =
    Attr::absent_by_default("issuer-subject").doc("Issuer: a distinguished name with commas.");
const ISSUER_THUMBPRINT: Attr = Attr::absent_by_default("issuer-thumbprint")
    .doc("SHA-1 of the certificate that issued it, in hexadecimal.");
const ISSUER_CERTIFICATE_ID: Attr = Attr::absent_by_default("issuer-certificate-id")
    .excludes(&["issuer-subject", "issuer-thumbprint"])
    .doc("Name of the certificate that issued it.");

/// Attributes of one form, and what each makes of its value.
type Parts<T, const N: usize> = [(&'static Attr, fn(T) -> IdentityPart); N];

const TEXTS: Parts<String, 5> = [
    (&THUMBPRINT, IdentityPart::Thumbprint),
    (&SERIAL_NUMBER, IdentityPart::SerialNumber),
    (&COMMON_NAME, IdentityPart::CommonName),
    (&DNS_NAME, IdentityPart::DnsName),
    (&ISSUER_THUMBPRINT, IdentityPart::IssuerThumbprint),
];
const NAMES: Parts<DistinguishedName, 2> =
    [(&SUBJECT, IdentityPart::Subject), (&ISSUER_SUBJECT, IdentityPart::IssuerSubject)];

#[derive(Debug)]
struct ValidateClientCertificate {
    checks: CertificateChecks,
    ignore_error: bool,
    identities: Vec<CertificateIdentity>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let checks = CertificateChecks {
        revocation: cx.literal(element, &REVOCATION)?,
        trust: cx.literal(element, &TRUST)?,
        not_before: cx.literal(element, &NOT_BEFORE)?,
        not_after: cx.literal(element, &NOT_AFTER)?,
    };
    let mut identities = Vec::new();
    for all in element.children(&IDENTITIES) {
        for one in all.children(&IDENTITY) {
            identities.push(identity_of(one, cx)?);
        }
    }
    let ignore_error = cx.literal(element, &IGNORE_ERROR)?;
    Ok(Step::waiting(ValidateClientCertificate { checks, ignore_error, identities }))
}

fn identity_of(
    element: Element<'_>,
    cx: &mut CompileCx,
) -> Result<CertificateIdentity, Diagnostic> {
    let mut parts = Vec::new();
    for (attr, part) in TEXTS {
        parts.extend(cx.literal_if::<String>(element, attr)?.map(part));
    }
    for (attr, part) in NAMES {
        let Some(text) = cx.literal_if::<String>(element, attr)? else { continue };
        let name = DistinguishedName::parse(&text).ok_or_else(|| {
            let message = format!("`{}` is no distinguished name", attr.name());
            cx.refuse_attr(element, attr, codes::BAD_VALUE, message)
                .help("write `CN=name, O=\"Company, Inc.\", C=US`")
        })?;
        parts.push(part(name));
    }
    if let Some(id) = cx.literal_if::<String>(element, &ISSUER_CERTIFICATE_ID)? {
        let found = certificate::find(cx, element, &ISSUER_CERTIFICATE_ID, &id);
        // Without it nobody is that identity.
        let der = found.and_then(|it| identity::certificate_der(it.chain_pem.as_bytes()));
        parts.push(IdentityPart::Issuer(der.unwrap_or_default()));
    }
    if parts.is_empty() {
        let message = "an `identity` without attributes names nobody";
        return Err(cx.refuse(element, codes::ONE_OF_ATTRIBUTES, message));
    }
    Ok(CertificateIdentity(parts))
}

impl Waiting for ValidateClientCertificate {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        match self.check(context).await {
            Err(error) if self.ignore_error => {
                tracing::debug!(reason = error.reason(), "{}", error.message());
                Ok(Flow::Next)
            }
            Err(error) => Err(error.respond(StatusCode::FORBIDDEN, "Invalid client certificate.")),
            Ok(()) => Ok(Flow::Next),
        }
    }
}

impl ValidateClientCertificate {
    async fn check(&self, context: &Context) -> Result<(), PolicyError> {
        let Some(chain) = context.request.certificates.clone() else {
            let message = "The client sent no certificate.";
            return Err(PolicyError::new("CertificateNotPresent", message));
        };
        let trust: Option<Arc<ClientTrust>> = context.services.extension();
        let trust = trust.ok_or_else(|| {
            let message = "The gateway knows no certificate authority.";
            PolicyError::new("CertificateNotTrusted", message).blame(Blame::Configuration)
        })?;
        trust.check(&chain, self.checks).await.map_err(|problem| {
            let message = format!("The client certificate is refused: {problem}.");
            PolicyError::new(reason(&problem), message)
        })?;
        let is_wanted = |it: &CertificateIdentity| it.is(&chain, &trust);
        if self.identities.is_empty() || self.identities.iter().any(is_wanted) {
            return Ok(());
        }
        let message = "The client certificate is none of the wanted identities.";
        Err(PolicyError::new("CertificateIdentityMismatch", message))
    }
}

fn reason(problem: &CertificateProblem) -> &'static str {
    match problem {
        CertificateProblem::Unreadable | CertificateProblem::NotTrusted(_) => {
            "CertificateNotTrusted"
        }
        CertificateProblem::NotYetValid => "CertificateNotYetValid",
        CertificateProblem::Expired => "CertificateExpired",
        CertificateProblem::Revoked | CertificateProblem::RevocationUnknown(_) => {
            "CertificateRevoked"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{outcome, problems};

    #[test]
    fn no_certificate_is_no_client() {
        let refused = "403 Invalid client certificate. (CertificateNotPresent)";
        assert_eq!(outcome("<validate-client-certificate />", ""), refused);
        let ignored = "<validate-client-certificate ignore-error='true' />";
        assert_eq!(outcome(ignored, ""), "next");
    }

    #[test]
    fn identities_are_checked_at_load() {
        let with = |identity: &str| {
            problems(&format!(
                "<validate-client-certificate><identities>{identity}</identities></validate-client-certificate>"
            ))
        };
        for (identity, expected) in [
            ("<identity thumbprint='AA' serial-number='1' common-name='a' dns-name='a' />", "fine"),
            (r#"<identity subject='CN=a, O="b, c"' issuer-subject='CN=b' />"#, "fine"),
            ("<identity issuer-thumbprint='AA' />", "fine"),
            ("<identity />", "PC0425"),
            ("<identity subject='a' />", "PC0409"),
            ("<identity issuer-certificate-id='a' issuer-thumbprint='AA' />", "PC0410"),
            ("", "PC0406"),
        ] {
            assert_eq!(with(identity), expected, "{identity}");
        }
    }

    #[test]
    fn every_problem_has_its_reason() {
        let other = || "why".to_owned();
        for (problem, expected) in [
            (CertificateProblem::Unreadable, "CertificateNotTrusted"),
            (CertificateProblem::NotTrusted(other()), "CertificateNotTrusted"),
            (CertificateProblem::NotYetValid, "CertificateNotYetValid"),
            (CertificateProblem::Expired, "CertificateExpired"),
            (CertificateProblem::Revoked, "CertificateRevoked"),
            (CertificateProblem::RevocationUnknown(other()), "CertificateRevoked"),
        ] {
            assert_eq!(reason(&problem), expected);
        }
    }
}
