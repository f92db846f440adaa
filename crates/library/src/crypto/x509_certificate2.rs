//! `X509Certificate2` and `X500DistinguishedName`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.x509certificate2>
//!
//! A name is a text of a certificate, so it shares the file. Chains are built by the host.

use clr::Uses;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, integer_of};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use corelib::language::span;
use dotnet::crypto::{Certificate, Name, cryptographic};
use dotnet::{Runtime, Str};

use super::asn_encoded_data::{EXTENSIONS, extensions};
use super::asymmetric_algorithm::ASYMMETRIC;
use super::charge;
use super::enums::{CONTENT_TYPE, NAME_TYPE};
use super::oid::{self, OID};
use super::public_key::{self, PUBLIC_KEY};
use super::rsa_certificate_extensions::private_key;
use super::x509_certificate::{BASE, CERTIFICATE, CONSTRUCTORS, constructors, date, own, text};

const DN_NAME: &str = "System.Security.Cryptography.X509Certificates.X500DistinguishedName";

const DN: Type = Type::named(DN_NAME);
const TEXT: Type = Type::String;

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(names::X509CERTIFICATE2, MEMBERS).bases(&[BASE]),
    TypeDef::class(
        DN_NAME,
        &[Member::property("Name", TEXT, |args, cx| Ok(args.value(0).to_str(cx.runtime()).into()))],
    ),
];

/// A distinguished name.
#[derive(Debug)]
struct DistinguishedName(Str);

impl Object for DistinguishedName {
    fn net_type(&self) -> Type {
        DN
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.0.clone()
    }
}

const MADE: [Member; CONSTRUCTORS] = constructors(CERTIFICATE);

const MEMBERS: &[Member] = &[
    MADE[0],
    MADE[1],
    MADE[2],
    MADE[3],
    MADE[4],
    Member::property("Thumbprint", TEXT, |args, _| text(args, |it| it.thumbprint.clone()))
        .doc("The SHA-1 digest, in upper-case hexadecimal."),
    Member::property("SerialNumber", TEXT, |args, _| text(args, |it| it.serial_number.clone())),
    Member::property("NotBefore", Type::DateTime, |args, _| Ok(date(own(args)?.not_before))),
    Member::property("NotAfter", Type::DateTime, |args, _| Ok(date(own(args)?.not_after))),
    Member::property("Version", Type::Int32, |args, _| Ok(own(args)?.version.into())),
    Member::property("FriendlyName", TEXT, |args, _| text(args, |_| String::new()))
        .set(|_, _| Err(unsupported("The FriendlyName value cannot be set on Unix."))),
    Member::property("Archived", Type::Bool, |args, _| own(args).map(|_| false.into()))
        .set(|_, _| Err(unsupported("The Archived value cannot be set on Unix."))),
    Member::property("HasPrivateKey", Type::Bool, |args, _| Ok(own(args)?.has_private_key.into()))
        .doc("Did it come with its key, as a PFX file?"),
    Member::property("PrivateKey", ASYMMETRIC, |args, _| {
        let it = own(args)?;
        if it.has_private_key && it.rsa().is_none() {
            let message = "The certificate key algorithm is not supported.";
            return Err(Exception::new("System.NotSupportedException", message));
        }
        Ok(private_key(&it))
    })
    .set(|_, _| Err(unsupported("Operation is not supported on this platform.")))
    .doc("The private RSA key, or null."),
    Member::property("RawData", Type::BYTES, |args, _| Ok(own(args)?.raw.to_vec().into())),
    Member::property("SubjectName", DN, |args, _| {
        Ok(Value::object(DistinguishedName(own(args)?.subject.as_str().into())))
    }),
    Member::property("IssuerName", DN, |args, _| {
        Ok(Value::object(DistinguishedName(own(args)?.issuer.as_str().into())))
    }),
    Member::property("SignatureAlgorithm", OID, |args, _| {
        Ok(oid::value(&own(args)?.signature_algorithm))
    }),
    Member::property("PublicKey", PUBLIC_KEY, |args, _| Ok(public_key::of(&*own(args)?))),
    Member::property("Extensions", EXTENSIONS, |args, _| Ok(extensions(&*own(args)?))),
    Member::method("GetNameInfo", &[NAME_TYPE, Type::Bool], TEXT, |args, _| {
        let it = own(args)?;
        let kind = match args.arg::<i64>(1)? {
            0 => Name::Simple,
            1 => Name::Email,
            2 => Name::Upn,
            3 => Name::Dns,
            4 => Name::DnsFromAlternative,
            5 => Name::Url,
            _ => return Ok(Value::EMPTY),
        };
        Ok(it.name_info(kind, args.arg(2)?).into())
    })
    .params(&["nameType", "forIssuer"]),
    Member::method("Verify", &[], Type::Bool, |args, cx| {
        let it = own(args)?;
        if !is_trusted(args, cx)? {
            return Ok(false.into());
        }
        cx.host().is_unrevoked(&it.raw).map(Value::from).ok_or_else(|| {
            let message = "Only of the client's certificate can be found out whether it has been \
                           revoked.";
            cryptographic(message).into()
        })
    })
    .uses(Uses::REVOCATION)
    .doc("Is it trusted to name a client, and not revoked? What cannot be found out is no."),
    Member::static_method("GetCertContentType", &[Type::BYTES], CONTENT_TYPE, |args, cx| {
        let bytes = span::bytes(args.value(0));
        if bytes.is_empty() {
            let message = "Array may not be empty or null. (Parameter 'rawData')";
            return Err(Exception::argument(message));
        }
        charge(cx, bytes.len())?;
        let kind = Certificate::content_type(&bytes)
            .ok_or_else(|| cryptographic("Error occurred during a cryptographic operation."))?;
        Ok(integer_of(CONTENT_TYPE, kind))
    })
    .params(&["rawData"]),
];

fn unsupported(message: &str) -> Exception {
    Exception::new("System.PlatformNotSupportedException", message)
}

/// Is the certificate trusted to name a client, revocation aside? Checking the signatures of a path
/// costs as much as some ten thousand steps.
pub(super) fn is_trusted(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<bool, Exception> {
    let it = own(args)?;
    charge(cx, 1 << 20)?;
    Ok(cx.host().is_trusted(&it.raw))
}

#[cfg(test)]
mod tests {
    use clr::cx::EvalCx;
    use clr::rows::Args;

    use super::{MEMBERS, Value};
    use crate::crypto::x509_certificate::certificate;
    use crate::test_support::with_cx;

    const PEM: &[u8] = include_bytes!("../../../dotnet/src/crypto/testdata/certificate.pem");

    fn read(name: &str, of: &Value, cx: &mut EvalCx<'_>) -> String {
        let row = MEMBERS.iter().find(|it| it.name == name).unwrap();
        let mut values = [of.clone()];
        let mut args = Args::new(row, &mut values, &[], &[], row.returns);
        (row.call)(&mut args, cx).unwrap().to_text().into_owned()
    }

    #[test]
    fn members_of_a_certificate_are_read() {
        let value = certificate(PEM).unwrap();
        with_cx(|cx| {
            assert_eq!(read("Thumbprint", &value, cx).len(), 40);
            let subject = read("SubjectName", &value, cx);
            assert_eq!(subject, "CN=gateway.test, O=\"Contoso, Ltd.\", C=CH");
            assert_eq!(read("HasPrivateKey", &value, cx), "False");
        });
    }

    #[test]
    fn a_host_that_trusts_nobody_verifies_nothing() {
        let value = certificate(PEM).unwrap();
        assert_eq!(with_cx(|cx| read("Verify", &value, cx)), "False");
    }
}
