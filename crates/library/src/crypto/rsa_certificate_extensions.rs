//! `System.Security.Cryptography.X509Certificates.RSACertificateExtensions`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.rsacertificateextensions>

use std::sync::Arc;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::value::Value;
use dotnet::crypto::Certificate;

use super::rsa::{self, RSA, Rsa};
use super::x509_certificate::{CERTIFICATE, X509, given};

pub(crate) static TYPE: TypeDef = TypeDef::static_class(
    "System.Security.Cryptography.X509Certificates.RSACertificateExtensions",
    MEMBERS,
);

const MEMBERS: &[Member] = &[
    Member::extension("GetRSAPublicKey", &[CERTIFICATE], RSA, |args, _| {
        Ok(certificate(args)?.rsa().map_or(Value::Null, |it| rsa::value(it, true)))
    })
    .params(&["certificate"])
    .doc("The RSA key, or null."),
    Member::extension("GetRSAPrivateKey", &[CERTIFICATE], RSA, |args, _| {
        Ok(private_key(&*certificate(args)?))
    })
    .params(&["certificate"])
    .doc("The private RSA key of a certificate that came with it, or null."),
    Member::extension("CopyWithPrivateKey", &[CERTIFICATE, RSA], CERTIFICATE, |args, cx| {
        let own = certificate(args)?;
        let key: Arc<Rsa> = args.arg(1)?;
        let made = own.copy_with(&key.key(cx)?, key.is_exportable())?;
        Ok(X509::value(made))
    })
    .params(&["certificate", "privateKey"])
    .doc("The certificate with its private key."),
];

fn certificate(args: &Args<'_>) -> Result<Arc<Certificate>, Exception> {
    if args.value(0).is_null() {
        return Err(Exception::argument_null("certificate"));
    }
    given(args.value(0))
}

/// The private RSA key, or null.
pub(super) fn private_key(of: &Certificate) -> Value {
    of.private_rsa().map_or(Value::Null, |it| rsa::value(it, of.is_exportable))
}

#[cfg(test)]
mod tests {
    use clr::value::Value;
    use dotnet::crypto::Certificate;

    use super::private_key;
    use crate::crypto::rsa::Rsa;
    use crate::test_support::with_cx;

    #[test]
    fn a_configured_key_signs_and_stays() {
        let pem = include_str!("../../../policies/tests/certificate.pem");
        let configured = Certificate::with_key(pem.as_bytes(), pem).unwrap();
        let key = private_key(&configured).to_object::<Rsa>().unwrap();
        with_cx(|cx| {
            assert!(key.key(cx).unwrap().is_private());
            assert!(key.exported(cx).is_err());
        });
        let bare = Certificate::parse(pem.as_bytes()).unwrap();
        assert!(matches!(private_key(&bare), Value::Null));
    }
}
