//! `System.Security.Cryptography.X509Certificates.X509Certificate`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.x509certificate>
//!
//! Only a certificate of a PFX file, or of the configuration, has its private key. Those of the
//! configuration and of the client are shared by all requests: `Reset` leaves them as they are, and
//! their keys are not given out. Nothing is read from files.

use std::sync::{Arc, Mutex, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::time::{TICKS_PER_SECOND, UNIX_EPOCH_TICKS};
use clr::value::{DateTime, DateTimeKind, Object, Value};
use corelib::language::span;
use dotnet::crypto::{Certificate, cryptographic};
use dotnet::{Runtime, Str};

use super::enums::{CONTENT_TYPE, STORAGE_FLAGS};
use super::hash_algorithm_name::{HASH_NAME, hash};
use super::{DISPOSABLE, charge, give, x509_text};

const NAME: &str = "System.Security.Cryptography.X509Certificates.X509Certificate";

/// `X509Certificate`.
pub(super) const BASE: Type = Type::named(NAME);
/// `X509Certificate2`.
pub(super) const CERTIFICATE: Type = Type::named(names::X509CERTIFICATE2);
const TEXT: Type = Type::String;
const BYTES: Type = Type::BYTES;

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS).bases(&[DISPOSABLE]);

/// A certificate as an object; none if it was made of nothing, or reset.
#[derive(Debug)]
pub(super) struct X509 {
    ty: Type,
    certificate: Mutex<Option<Arc<Certificate>>>,
    is_shared: bool,
}

impl X509 {
    fn new(ty: Type, certificate: Option<Arc<Certificate>>) -> Self {
        Self { ty, certificate: Mutex::new(certificate), is_shared: false }
    }

    /// An `X509Certificate2`.
    pub(super) fn value(certificate: Certificate) -> Value {
        Value::object(Self::new(CERTIFICATE, Some(Arc::new(certificate))))
    }

    /// An `X509Certificate2` that all requests share.
    pub(super) fn shared(certificate: Certificate) -> Value {
        let own = Self::new(CERTIFICATE, Some(Arc::new(certificate)));
        Value::object(Self { is_shared: true, ..own })
    }

    fn get(&self) -> Option<Arc<Certificate>> {
        self.certificate.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, certificate: Option<Arc<Certificate>>) {
        if !self.is_shared {
            *self.certificate.lock().unwrap_or_else(PoisonError::into_inner) = certificate;
        }
    }
}

impl Object for X509 {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn to_text(&self, _: Runtime) -> Str {
        let found = self.get().filter(|_| self.ty == CERTIFICATE);
        let Some(it) = found else { return clr::types::clr_name(self.ty).into() };
        x509_text::brief(&it).into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        let Some(other) = other.as_object::<Self>() else { return Some(false) };
        let key = |it: &Certificate| (it.issuer.clone(), it.serial_number.clone());
        Some(self.get().as_deref().map(key) == other.get().as_deref().map(key))
    }

    fn hash_code(&self) -> Option<u64> {
        let it = self.get();
        Some(it.map_or(0, |it| Value::from(it.serial_number.as_str()).hash_code()))
    }

    fn dispose(&self) {
        self.set(None);
    }
}

/// Opening a PFX file costs as much as some hundred thousand steps.
const OPENING: usize = 10_000_000;

/// Rows that make one of either type; `new T(fileName)` has none.
pub(super) const CONSTRUCTORS: usize = 5;

/// The constructors of either type.
pub(super) const fn constructors(ty: Type) -> [Member; CONSTRUCTORS] {
    [
        Member::constructor(&[], ty, |args, _| Ok(Value::object(X509::new(args.returns(), None)))),
        Member::constructor(&[BYTES], ty, |args, cx| {
            let of = args.returns();
            Ok(Value::object(X509::new(of, open(args, 0, cx)?)))
        })
        .params(&["rawData"]),
        Member::constructor(&[BYTES, TEXT], ty, |args, cx| {
            let of = args.returns();
            Ok(Value::object(X509::new(of, open(args, 0, cx)?)))
        })
        .params(&["rawData", "password"]),
        Member::constructor(&[BYTES, TEXT, STORAGE_FLAGS], ty, |args, cx| {
            let of = args.returns();
            Ok(Value::object(X509::new(of, open(args, 0, cx)?)))
        })
        .params(&["rawData", "password", "keyStorageFlags"]),
        Member::constructor(&[BASE], ty, |args, _| {
            let of = args.returns();
            if args.value(0).is_null() {
                return Err(Exception::argument_null("cert"));
            }
            let it: Arc<X509> = args.arg(0)?;
            Ok(Value::object(X509::new(of, it.get())))
        })
        .params(&["cert"]),
    ]
}

/// Opens the file in the argument with that number, with the password that may follow it. Nothing
/// makes an empty certificate.
fn open(
    args: &mut Args<'_>,
    index: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Option<Arc<Certificate>>, Exception> {
    let bytes = span::bytes(args.value(index));
    if bytes.is_empty() {
        return Ok(None);
    }
    charge(cx, bytes.len())?;
    cx.allocate(bytes.len() * 2)?;
    let password: Option<Str> =
        if args.len() > index + 1 { args.arg(index + 1)? } else { Some(Str::EMPTY) };
    let is_binary = bytes.first() == Some(&0x30);
    charge(cx, if is_binary { OPENING } else { 0 })?;
    let password = password.unwrap_or(Str::EMPTY);
    Ok(Some(Arc::new(Certificate::open(&bytes, password.as_str())?)))
}

const MADE: [Member; CONSTRUCTORS] = constructors(BASE);

const MEMBERS: &[Member] = &[
    MADE[0],
    MADE[1],
    MADE[2],
    MADE[3],
    MADE[4],
    Member::method("ToString", &[Type::Bool], TEXT, |args, cx| {
        let (it, is_verbose): (Arc<X509>, bool) = args.get()?;
        let text = match it.get().filter(|_| is_verbose) {
            None => it.to_text(cx.runtime()),
            Some(own) if it.ty == CERTIFICATE => x509_text::verbose(&own).into(),
            Some(own) => x509_text::brief(&own).into(),
        };
        cx.allocate(text.size())?;
        Ok(text.into())
    })
    .params(&["fVerbose"])
    .doc("All there is to tell of it; extensions as .NET tells them on Linux."),
    Member::property("Subject", TEXT, |args, _| text(args, |it| it.subject.clone())),
    Member::property("Issuer", TEXT, |args, _| text(args, |it| it.issuer.clone())),
    Member::method("GetName", &[], TEXT, |args, _| text(args, |it| it.name.clone()))
        .doc("The subject, the least specific part first."),
    Member::method("GetIssuerName", &[], TEXT, |args, _| text(args, |it| it.issuer_name.clone())),
    Member::method("GetCertHash", &[], BYTES, |args, _| {
        Ok(dotnet::crypto::Hash::Sha1.digest(&own(args)?.raw).into())
    }),
    Member::method("GetCertHash", &[HASH_NAME], BYTES, |args, cx| Ok(digest(args, cx)?.into()))
        .params(&["hashAlgorithm"]),
    Member::method("GetCertHashString", &[], TEXT, |args, _| {
        text(args, |it| it.thumbprint.clone())
    }),
    Member::method("GetCertHashString", &[HASH_NAME], TEXT, |args, cx| {
        Ok(hex(&digest(args, cx)?).into())
    })
    .params(&["hashAlgorithm"]),
    Member::method(
        "TryGetCertHash",
        &[HASH_NAME, span::BYTES, Type::Out(&Type::Int32)],
        Type::Bool,
        |args, cx| {
            let made = digest(args, cx)?;
            Ok(give(args, 2, 3, &made))
        },
    )
    .params(&["hashAlgorithm", "destination", "bytesWritten"]),
    Member::method("GetSerialNumberString", &[], TEXT, |args, _| {
        text(args, |it| it.serial_number.clone())
    }),
    Member::method("GetSerialNumber", &[], BYTES, |args, _| Ok(own(args)?.serial_bytes().into()))
        .doc("The bytes of the serial number, the last one first."),
    Member::method("GetRawCertData", &[], BYTES, |args, _| Ok(own(args)?.raw.to_vec().into())),
    Member::method("GetRawCertDataString", &[], TEXT, |args, _| text(args, |it| hex(&it.raw))),
    Member::method("GetPublicKey", &[], BYTES, |args, _| Ok(own(args)?.public_key.clone().into())),
    Member::method("GetPublicKeyString", &[], TEXT, |args, _| text(args, |it| hex(&it.public_key))),
    Member::method("GetKeyAlgorithm", &[], TEXT, |args, _| {
        text(args, |it| it.key_algorithm.clone())
    }),
    Member::method("GetKeyAlgorithmParameters", &[], BYTES, |args, _| {
        Ok(own(args)?.key_parameters.clone().into())
    }),
    Member::method("GetKeyAlgorithmParametersString", &[], TEXT, |args, _| {
        text(args, |it| hex(&it.key_parameters))
    }),
    Member::method("GetEffectiveDateString", &[], TEXT, |args, cx| {
        Ok(date(own(args)?.not_before).to_str(cx.runtime()).into())
    }),
    Member::method("GetExpirationDateString", &[], TEXT, |args, cx| {
        Ok(date(own(args)?.not_after).to_str(cx.runtime()).into())
    }),
    Member::method("GetFormat", &[], TEXT, |_, _| Ok("X509".into())),
    Member::method("Export", &[CONTENT_TYPE], BYTES, export).params(&["contentType"]),
    Member::method("Export", &[CONTENT_TYPE, TEXT], BYTES, export)
        .params(&["contentType", "password"])
        .doc("The certificate as it is, or as a PFX file with its private key."),
    Member::method("Import", &[BYTES], Type::Void, import).params(&["rawData"]),
    Member::method("Import", &[BYTES, TEXT, STORAGE_FLAGS], Type::Void, import).params(&[
        "rawData",
        "password",
        "keyStorageFlags",
    ]),
    Member::method("Reset", &[], Type::Void, |args, _| reset(args)),
    Member::method("Dispose", &[], Type::Void, |args, _| reset(args)),
];

fn reset(args: &Args<'_>) -> Result<Value, Exception> {
    let it = args.value(0).as_object::<X509>().ok_or_else(Exception::null_reference)?;
    it.dispose();
    Ok(Value::Null)
}

/// Only .NET Framework changes a certificate.
fn import(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    if cx.runtime() != Runtime::Framework {
        return Err(Exception::new(
            "System.PlatformNotSupportedException",
            "X509Certificate is immutable on this platform. Use the equivalent constructor instead.",
        ));
    }
    let opened = open(args, 1, cx)?;
    let it: Arc<X509> = args.arg(0)?;
    it.set(opened);
    Ok(Value::Null)
}

fn export(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    const CERT: i64 = 1;
    const SERIALIZED: i64 = 2;
    const PFX: i64 = 3;
    let kind: i64 = args.arg(1)?;
    let it = own(args)?;
    match kind {
        CERT => Ok(it.raw.to_vec().into()),
        PFX => {
            let password: Option<Str> = if args.len() > 2 { args.arg(2)? } else { None };
            charge(cx, OPENING)?;
            Ok(it.to_pfx(password.as_ref().map(Str::as_str).unwrap_or_default())?.into())
        }
        SERIALIZED => Err(Exception::new(
            "System.PlatformNotSupportedException",
            "X509ContentType.SerializedCert and X509ContentType.SerializedStore are not supported \
             on Unix.",
        )),
        _ => Err(cryptographic("Invalid content type.").into()),
    }
}

/// The certificate's digest by the algorithm that is asked for.
fn digest(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Vec<u8>, Exception> {
    let it = own(args)?;
    charge(cx, it.raw.len())?;
    Ok(hash(args.value(1))?.digest(&it.raw))
}

/// The certificate of a value.
pub(super) fn given(value: &Value) -> Result<Arc<Certificate>, Exception> {
    let it = value.as_object::<X509>().ok_or_else(Exception::null_reference)?;
    let missing = || cryptographic("m_safeCertContext is an invalid handle.").into();
    it.get().ok_or_else(missing)
}

/// The certificate of a row.
pub(super) fn own(args: &Args<'_>) -> Result<Arc<Certificate>, Exception> {
    given(args.value(0))
}

/// Something of the certificate that is text.
pub(super) fn text(args: &Args<'_>, part: fn(&Certificate) -> String) -> Result<Value, Exception> {
    Ok(part(&*own(args)?).into())
}

/// Upper-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02X}")).collect()
}

/// Seconds since 1970 as local time, which is UTC here.
pub(super) fn date(seconds: i64) -> Value {
    let ticks = seconds.saturating_mul(TICKS_PER_SECOND).saturating_add(UNIX_EPOCH_TICKS);
    Value::DateTime(DateTime { ticks, kind: DateTimeKind::Local })
}

/// A certificate in DER or PEM as a value, for all requests.
///
/// # Errors
///
/// `CryptographicException` if it is none.
pub fn certificate(bytes: &[u8]) -> Result<Value, Exception> {
    Ok(X509::shared(Certificate::parse(bytes)?))
}

/// A certificate in DER or PEM with its private key in PEM as a value, for all requests.
///
/// # Errors
///
/// `CryptographicException` if it is no certificate.
pub fn certificate_with_key(bytes: &[u8], key_pem: &str) -> Result<Value, Exception> {
    Ok(X509::shared(Certificate::with_key(bytes, key_pem)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    const PEM: &[u8] = include_bytes!("../../../dotnet/src/crypto/testdata/certificate.pem");

    fn call(name: &str, of: &Value, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
        let row = MEMBERS.iter().find(|it| it.name == name).unwrap();
        let mut values = [of.clone()];
        (row.call)(&mut Args::new(row, &mut values, &[], &[], row.returns), cx)
    }

    #[test]
    fn members_of_a_certificate_are_read() {
        let value = certificate(PEM).unwrap();
        with_cx(|cx| {
            let mut text = |name| call(name, &value, cx).unwrap().to_text().into_owned();
            assert_eq!(text("Subject"), "CN=gateway.test, O=\"Contoso, Ltd.\", C=CH");
            assert_eq!(text("GetName"), "C=CH, O=\"Contoso, Ltd.\", CN=gateway.test");
            assert_eq!(text("GetCertHashString").len(), 40);
            assert_eq!(text("GetKeyAlgorithmParametersString"), "0500");
        });
        assert!(certificate(b"no").is_err());
    }

    #[test]
    fn only_a_certificate_of_its_own_is_reset() {
        let own = X509::value(Certificate::parse(PEM).unwrap());
        let shared = certificate(PEM).unwrap();
        with_cx(|cx| {
            for (value, is_left) in [(own, false), (shared, true)] {
                call("Reset", &value, cx).unwrap();
                call("Dispose", &value, cx).unwrap();
                assert_eq!(call("Subject", &value, cx).is_ok(), is_left);
            }
        });
    }

    #[test]
    fn certificates_are_equal_by_issuer_and_number() {
        let one = X509::value(Certificate::parse(PEM).unwrap());
        let empty = || Value::object(X509::new(CERTIFICATE, None));
        assert!(one.equals(&certificate(PEM).unwrap()) && empty().equals(&empty()));
        assert!(!one.equals(&empty()) && !one.equals(&Value::Null));
        assert_eq!(empty().to_text(), names::X509CERTIFICATE2);
    }
}
