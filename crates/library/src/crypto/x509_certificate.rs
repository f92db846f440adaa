//! `X509Certificate`, `X509Certificate2`, `PublicKey`, `X500DistinguishedName` and
//! `RSACertificateExtensions`: <https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.x509certificate2>
//!
//! All are views of one certificate, so they share one file. Only a certificate of a PFX file has its
//! private key. Chains are built by the host.

use std::sync::Arc;

use clr::Uses;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, integer_of};
use clr::types::{Type, names};
use clr::value::time::{TICKS_PER_SECOND, UNIX_EPOCH_TICKS};
use clr::value::{DateTime, DateTimeKind, Object, Value};
use dotnet::crypto::{Certificate, Name};
use dotnet::{Runtime, Str};

use super::enums::{CONTENT_TYPE, NAME_TYPE};
use super::oid::{self, OID};
use super::rsa::{self, ASYMMETRIC, RSA};
use super::{DISPOSABLE, charge};

const BASE_NAME: &str = "System.Security.Cryptography.X509Certificates.X509Certificate";
const KEY_NAME: &str = "System.Security.Cryptography.X509Certificates.PublicKey";
const DN_NAME: &str = "System.Security.Cryptography.X509Certificates.X500DistinguishedName";
const EXTENSIONS_NAME: &str =
    "System.Security.Cryptography.X509Certificates.RSACertificateExtensions";

const BASE: Type = Type::named(BASE_NAME);
pub(super) const CERTIFICATE: Type = Type::named(names::X509CERTIFICATE2);
const KEY: Type = Type::named(KEY_NAME);
const DN: Type = Type::named(DN_NAME);
const TEXT: Type = Type::String;

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(BASE_NAME, BASE_MEMBERS).bases(&[DISPOSABLE]),
    TypeDef::class(names::X509CERTIFICATE2, MEMBERS).bases(&[BASE]),
    TypeDef::class(KEY_NAME, KEY_MEMBERS),
    TypeDef::class(
        DN_NAME,
        &[Member::property("Name", TEXT, |args, cx| Ok(args.value(0).to_str(cx.runtime()).into()))],
    ),
    TypeDef::static_class(
        EXTENSIONS_NAME,
        &[
            Member::extension("GetRSAPublicKey", &[CERTIFICATE], RSA, |args, _| Ok(key(args)))
                .params(&["certificate"])
                .doc("The RSA key, or null."),
            Member::extension("GetRSAPrivateKey", &[CERTIFICATE], RSA, |args, _| {
                Ok(private_key(args))
            })
            .params(&["certificate"])
            .doc("The private RSA key of a certificate that came as a PFX file, or null."),
        ],
    ),
];

const BASE_MEMBERS: &[Member] = &[
    Member::property("Subject", TEXT, |args, _| text(args, |it| it.subject.clone())),
    Member::property("Issuer", TEXT, |args, _| text(args, |it| it.issuer.clone())),
    Member::method("GetCertHashString", &[], TEXT, |args, _| {
        text(args, |it| it.thumbprint.clone())
    }),
    Member::method("GetSerialNumberString", &[], TEXT, |args, _| {
        text(args, |it| it.serial_number.clone())
    }),
    Member::method("GetCertHash", &[], Type::BYTES, |args, _| {
        let it = own(args)?;
        Ok(dotnet::crypto::Hash::Sha1.digest(&it.raw).into())
    }),
    Member::method("GetRawCertData", &[], Type::BYTES, |args, _| {
        Ok(own(args)?.raw.to_vec().into())
    }),
    Member::method("GetPublicKey", &[], Type::BYTES, |args, _| {
        Ok(own(args)?.public_key.clone().into())
    }),
    Member::method("GetEffectiveDateString", &[], TEXT, |args, cx| {
        Ok(date(own(args)?.not_before).to_str(cx.runtime()).into())
    }),
    Member::method("GetExpirationDateString", &[], TEXT, |args, cx| {
        Ok(date(own(args)?.not_after).to_str(cx.runtime()).into())
    }),
    Member::method("GetFormat", &[], TEXT, |_, _| Ok("X509".into())),
    Member::method("GetKeyAlgorithm", &[], TEXT, |args, _| {
        text(args, |it| it.key_algorithm.clone())
    }),
    Member::method("Dispose", &[], Type::Void, |_, _| Ok(Value::Null)),
];

const MEMBERS: &[Member] = &[
    Member::constructor(&[Type::BYTES], CERTIFICATE, |args, cx| {
        let (bytes,): (bytes::Bytes,) = args.get()?;
        charge(cx, bytes.len())?;
        cx.allocate(bytes.len() * 2)?;
        open(&bytes, "", cx)
    })
    .params(&["rawData"]),
    Member::constructor(&[Type::BYTES, TEXT], CERTIFICATE, |args, cx| {
        let (bytes, password): (bytes::Bytes, Option<Str>) = args.get()?;
        charge(cx, bytes.len())?;
        cx.allocate(bytes.len() * 2)?;
        open(&bytes, password.as_ref().map(Str::as_str).unwrap_or_default(), cx)
    })
    .params(&["rawData", "password"]),
    Member::property("Thumbprint", TEXT, |args, _| text(args, |it| it.thumbprint.clone()))
        .doc("The SHA-1 digest, in upper-case hexadecimal."),
    Member::property("SerialNumber", TEXT, |args, _| text(args, |it| it.serial_number.clone())),
    Member::property("NotBefore", Type::DateTime, |args, _| Ok(date(own(args)?.not_before))),
    Member::property("NotAfter", Type::DateTime, |args, _| Ok(date(own(args)?.not_after))),
    Member::property("Version", Type::Int32, |args, _| Ok(own(args)?.version.into())),
    Member::property("FriendlyName", TEXT, |_, _| Ok(Value::EMPTY)),
    Member::property("HasPrivateKey", Type::Bool, |args, _| Ok(own(args)?.has_private_key.into()))
        .doc("Did it come with its key, as a PFX file?"),
    Member::property("PrivateKey", ASYMMETRIC, |args, _| {
        own(args)?;
        Ok(private_key(args))
    })
    .doc("The private RSA key, or null."),
    Member::property("Archived", Type::Bool, |_, _| Ok(false.into())),
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
    Member::property("PublicKey", KEY, |args, _| Ok(Value::object(Key(own(args)?.clone())))),
    Member::method("GetNameInfo", &[NAME_TYPE, Type::Bool], TEXT, |args, _| {
        let it = own(args)?;
        let kind = match args.arg::<i64>(1)? {
            0 => Name::Simple,
            1 => Name::Email,
            2 => Name::Upn,
            3 => Name::Dns,
            4 => Name::DnsFromAlternative,
            5 => Name::Url,
            _ => {
                return Err(Exception::argument(
                    "The specified nameType is invalid. (Parameter 'nameType')",
                ));
            }
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
            Exception::new("System.Security.Cryptography.CryptographicException", message)
        })
    })
    .uses(Uses::REVOCATION)
    .doc("Is it trusted to name a client, and not revoked? What cannot be found out is no."),
    Member::static_method("GetCertContentType", &[Type::BYTES], CONTENT_TYPE, |args, _| {
        let (bytes,): (bytes::Bytes,) = args.get()?;
        let kind = i64::from(Certificate::parse(&bytes).is_ok());
        Ok(integer_of(CONTENT_TYPE, kind))
    })
    .params(&["rawData"]),
];

const KEY_MEMBERS: &[Member] = &[
    Member::property("Oid", OID, |args, _| {
        let key = args.value(0).as_object::<Key>().ok_or_else(Exception::null_reference)?;
        Ok(oid::value(&key.0.key_algorithm))
    }),
    Member::property("Key", ASYMMETRIC, |args, _| {
        let key = args.value(0).as_object::<Key>().ok_or_else(Exception::null_reference)?;
        key.0.rsa().map(rsa::value).ok_or_else(|| {
            Exception::new(
                "System.NotSupportedException",
                "The certificate key algorithm is not supported.",
            )
        })
    }),
];

/// A certificate as an object.
#[derive(Debug)]
struct X509(Arc<Certificate>);

impl Object for X509 {
    fn net_type(&self) -> Type {
        CERTIFICATE
    }

    fn to_text(&self, _: Runtime) -> Str {
        let it = &self.0;
        format!(
            "[Subject]\n  {}\n\n[Issuer]\n  {}\n\n[Serial Number]\n  {}\n\n[Not Before]\n  {}\n\n[Not After]\n  {}\n\n[Thumbprint]\n  {}\n",
            it.subject,
            it.issuer,
            it.serial_number,
            date(it.not_before).to_text(),
            date(it.not_after).to_text(),
            it.thumbprint
        )
        .into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| {
            it.0.issuer == self.0.issuer && it.0.serial_number == self.0.serial_number
        }))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(Value::from(self.0.serial_number.as_str()).hash_code())
    }
}

/// The key of a certificate.
#[derive(Debug)]
struct Key(Arc<Certificate>);

impl Object for Key {
    fn net_type(&self) -> Type {
        KEY
    }
}

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

/// A certificate in DER or PEM as a value.
///
/// # Errors
///
/// `CryptographicException` if it is none.
pub fn certificate(bytes: &[u8]) -> Result<Value, Exception> {
    Ok(Value::object(X509(Arc::new(Certificate::parse(bytes)?))))
}

/// A certificate in DER or PEM with its private key in PEM as a value.
///
/// # Errors
///
/// `CryptographicException` if it is no certificate.
pub fn certificate_with_key(bytes: &[u8], key_pem: &str) -> Result<Value, Exception> {
    Ok(Value::object(X509(Arc::new(Certificate::with_key(bytes, key_pem)?))))
}

/// Is the certificate trusted to name a client, revocation aside? Checking the signatures of a path
/// costs as much as some ten thousand steps.
pub(super) fn is_trusted(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<bool, Exception> {
    let it = own(args)?;
    charge(cx, 1 << 20)?;
    Ok(cx.host().is_trusted(&it.raw))
}

/// Opening a PFX file costs as much as some hundred thousand steps.
fn open(bytes: &[u8], password: &str, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    if bytes.first() == Some(&0x30) {
        charge(cx, 10_000_000)?;
    }
    Ok(Value::object(X509(Arc::new(Certificate::open(bytes, password)?))))
}

fn private_key(args: &Args<'_>) -> Value {
    let Some(it) = args.value(0).as_object::<X509>() else { return Value::Null };
    match (it.0.rsa(), it.0.private_rsa()) {
        (Some(public), Some(private)) => rsa::pair(public, private),
        _ => Value::Null,
    }
}

fn own(args: &Args<'_>) -> Result<Arc<Certificate>, Exception> {
    let it = args.value(0).as_object::<X509>().ok_or_else(Exception::null_reference)?;
    Ok(Arc::clone(&it.0))
}

fn text(args: &Args<'_>, part: fn(&Certificate) -> String) -> Result<Value, Exception> {
    Ok(part(&*own(args)?).into())
}

fn key(args: &Args<'_>) -> Value {
    let it = args.value(0).as_object::<X509>();
    it.and_then(|it| it.0.rsa()).map_or(Value::Null, rsa::value)
}

/// Seconds since 1970 as local time, which is UTC here.
fn date(seconds: i64) -> Value {
    let ticks = seconds.saturating_mul(TICKS_PER_SECOND).saturating_add(UNIX_EPOCH_TICKS);
    Value::DateTime(DateTime { ticks, kind: DateTimeKind::Local })
}

/// Rows take the context although certificates need none of it.
#[cfg(test)]
fn read(row: &'static Member, of: &Value, cx: &mut EvalCx<'_>) -> String {
    let mut values = [of.clone()];
    let mut args = Args::new(row, &mut values, &[], &[], row.returns);
    (row.call)(&mut args, cx).unwrap().to_text().into_owned()
}

#[cfg(test)]
mod tests {
    use super::{BASE_MEMBERS, MEMBERS, certificate, read};
    use crate::test_support::with_cx;

    const PEM: &[u8] = include_bytes!("../../../dotnet/src/crypto/testdata/certificate.pem");

    #[test]
    fn members_of_a_certificate_are_read() {
        let value = certificate(PEM).unwrap();
        with_cx(|cx| {
            let mut text = |name: &str| {
                let row = MEMBERS.iter().chain(BASE_MEMBERS).find(|it| it.name == name).unwrap();
                read(row, &value, cx)
            };
            assert_eq!(text("Subject"), "CN=gateway.test, O=\"Contoso, Ltd.\", C=CH");
            assert_eq!(text("Thumbprint").len(), 40);
            assert_eq!(text("SubjectName"), text("Subject"));
            assert_eq!(text("HasPrivateKey"), "False");
        });
        assert!(certificate(b"no").is_err());
    }

    #[test]
    fn a_host_that_trusts_nobody_verifies_nothing() {
        let value = certificate(PEM).unwrap();
        let row = MEMBERS.iter().find(|it| it.name == "Verify").unwrap();
        assert_eq!(with_cx(|cx| read(row, &value, cx)), "False");
    }
}
