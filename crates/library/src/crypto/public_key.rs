//! `System.Security.Cryptography.X509Certificates.PublicKey`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.publickey>

use std::sync::Arc;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::crypto::{Certificate, RsaKey, RsaNumbers};

use super::asn_encoded_data::{self, DATA, Encoded};
use super::asymmetric_algorithm::ASYMMETRIC;
use super::oid::{self, OID};
use super::rsa;

const NAME: &str = "System.Security.Cryptography.X509Certificates.PublicKey";

/// `PublicKey`.
pub(super) const PUBLIC_KEY: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS);

const RSA: &str = "1.2.840.113549.1.1.1";

/// A key, in its parts.
#[derive(Debug)]
struct Key {
    oid: Value,
    parameters: Value,
    value: Value,
}

impl Object for Key {
    fn net_type(&self) -> Type {
        PUBLIC_KEY
    }
}

/// The key of a certificate as a value.
pub(super) fn of(certificate: &Certificate) -> Value {
    let oid = oid::value(&certificate.key_algorithm);
    Value::object(Key {
        parameters: asn_encoded_data::value(oid.clone(), &certificate.key_parameters),
        value: asn_encoded_data::value(oid.clone(), &certificate.public_key),
        oid,
    })
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[OID, DATA, DATA], PUBLIC_KEY, |args, _| {
        let [oid, parameters, value] = args.take()?;
        for (it, name) in
            [(&oid, "oid"), (&parameters, "asnEncodedData"), (&value, "asnEncodedData")]
        {
            if it.is_null() {
                return Err(Exception::argument_null(name));
            }
        }
        Ok(Value::object(Key { oid, parameters, value }))
    })
    .params(&["oid", "parameters", "keyValue"]),
    Member::property("Oid", OID, |args, _| Ok(own(args)?.oid.clone())),
    Member::property("EncodedParameters", DATA, |args, _| Ok(own(args)?.parameters.clone())),
    Member::property("EncodedKeyValue", DATA, |args, _| Ok(own(args)?.value.clone())),
    Member::property("Key", ASYMMETRIC, |args, _| {
        let it = own(args)?;
        let raw = it.value.to_object::<Encoded>().ok_or_else(Exception::null_reference)?;
        if oid::number(&it.oid).as_str() != RSA {
            let message = "The certificate key algorithm is not supported.";
            return Err(Exception::new("System.NotSupportedException", message));
        }
        let key = RsaKey::new(RsaNumbers::read_pkcs1_public(&raw.raw)?.0)?;
        Ok(rsa::value(&key, true))
    })
    .doc("The RSA key."),
];

fn own(args: &Args<'_>) -> Result<Arc<Key>, Exception> {
    args.value(0).to_object().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::types::Type;
    use clr::value::Value;
    use dotnet::crypto::Certificate;

    use super::{MEMBERS, of};
    use crate::crypto::oid;

    #[test]
    fn a_key_is_made_of_its_parts() {
        let pem = include_bytes!("../../../dotnet/src/crypto/testdata/certificate.pem");
        let key = of(&Certificate::parse(pem).unwrap());
        crate::test_support::with_cx(|cx| {
            let mut read = |of: &Value, name: &str| {
                let row = MEMBERS.iter().find(|it| it.name == name).unwrap();
                let mut values = [of.clone()];
                (row.call)(&mut Args::new(row, &mut values, &[], &[], row.returns), cx)
            };
            let parts = ["EncodedParameters", "EncodedKeyValue"];
            let [parameters, value] = parts.map(|it| read(&key, it).unwrap());
            assert!(read(&key, "Key").is_ok());
            let mut make = |oid: Value| {
                let mut values = [oid, parameters.clone(), value.clone()];
                let row = &MEMBERS[0];
                (row.call)(&mut Args::new(row, &mut values, &[], &[], Type::Object), cx)
            };
            assert!(make(Value::Null).is_err());
            let other = make(oid::value("1.2.840.10045.2.1")).unwrap();
            let row = MEMBERS.iter().find(|it| it.name == "Key").unwrap();
            let mut values = [other];
            let made = (row.call)(&mut Args::new(row, &mut values, &[], &[], Type::Object), cx);
            assert_eq!(made.unwrap_err().type_name, "System.NotSupportedException");
        });
    }
}
