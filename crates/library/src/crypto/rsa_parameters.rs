//! `System.Security.Cryptography.RSAParameters`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.rsaparameters>
//!
//! Not on the list; listed members give and take it. Its fields are set where it is made, so that a
//! copy can be shared.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::crypto::{Digits, Fault, RsaNumbers, RsaSecret, cryptographic};

const NAME: &str = "System.Security.Cryptography.RSAParameters";

/// `RSAParameters`.
pub(super) const PARAMETERS: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::structure(NAME, MEMBERS).unlisted();

/// Fields in the order of [`NAMES`].
#[derive(Default)]
struct Parameters(Mutex<[Option<Digits>; 8]>);

const MODULUS: usize = 0;
const EXPONENT: usize = 1;
const D: usize = 2;
const P: usize = 3;
const Q: usize = 4;
const DP: usize = 5;
const DQ: usize = 6;
const INVERSE_Q: usize = 7;

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parameters(..)")
    }
}

impl Object for Parameters {
    fn net_type(&self) -> Type {
        PARAMETERS
    }
}

macro_rules! field {
    ($name:literal, $index:ident) => {
        Member::property($name, Type::BYTES, |args, _| read(args, $index))
            .set(|args, _| write(args, $index))
    };
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], PARAMETERS, |_, _| Ok(Value::object(Parameters::default()))),
    field!("Modulus", MODULUS),
    field!("Exponent", EXPONENT),
    field!("D", D),
    field!("P", P),
    field!("Q", Q),
    field!("DP", DP),
    field!("DQ", DQ),
    field!("InverseQ", INVERSE_Q),
];

fn read(args: &Args<'_>, index: usize) -> Result<Value, Exception> {
    let own: Arc<Parameters> = args.value(0).to_object().ok_or_else(Exception::null_reference)?;
    let fields = own.0.lock().unwrap_or_else(PoisonError::into_inner);
    let found = fields.get(index).and_then(Option::as_ref);
    Ok(found.map_or(Value::Null, |it| it.to_vec().into()))
}

fn write(args: &mut Args<'_>, index: usize) -> Result<Value, Exception> {
    let own: Arc<Parameters> = args.value(0).to_object().ok_or_else(Exception::null_reference)?;
    let bytes: Option<Bytes> = args.arg(1)?;
    let mut fields = own.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(it) = fields.get_mut(index) {
        *it = bytes.map(|it| Digits::new(it.to_vec()));
    }
    Ok(Value::Null)
}

/// A key's numbers as a value.
pub(super) fn value(key: &RsaNumbers, with_private: bool) -> Result<Value, Fault> {
    let mut fields: [Option<Digits>; 8] = Default::default();
    let [modulus, exponent, d, p, q, dp, dq, inverse_q] = &mut fields;
    *modulus = Some(Digits::new(key.modulus.clone()));
    *exponent = Some(Digits::new(key.exponent.clone()));
    if with_private {
        let secret = key.secret()?;
        (*d, *p, *q) = (Some(secret.d), Some(secret.p), Some(secret.q));
        (*dp, *dq, *inverse_q) = (Some(secret.dp), Some(secret.dq), Some(secret.inverse_q));
    }
    Ok(Value::object(Parameters(Mutex::new(fields))))
}

/// The numbers of a key, all of a private key or those of a public one.
pub(super) fn numbers(value: &Value) -> Result<RsaNumbers, Fault> {
    let own = value.to_object::<Parameters>();
    let fields = own.map(|it| it.0.lock().unwrap_or_else(PoisonError::into_inner).clone());
    let invalid = || cryptographic("Value was invalid.");
    match fields.unwrap_or_default() {
        [Some(modulus), Some(exponent), None, None, None, None, None, None] => {
            Ok(RsaNumbers::public(&modulus, &exponent))
        }
        [Some(n), Some(e), Some(d), Some(p), Some(q), Some(dp), Some(dq), Some(inverse_q)] => {
            let mut key = RsaNumbers::public(&n, &e);
            key.secret = Some(RsaSecret { d, p, q, dp, dq, inverse_q });
            Ok(key)
        }
        _ => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use clr::value::Value;
    use dotnet::crypto::RsaNumbers;

    use super::{Parameters, numbers, value};

    #[test]
    fn numbers_come_back_and_half_a_key_is_none() {
        let key = RsaNumbers::public(&[5, 6], &[3]);
        let it = value(&key, false).unwrap();
        assert_eq!(numbers(&it).unwrap(), key);
        assert!(value(&key, true).is_err(), "no private part");
        assert!(numbers(&Value::object(Parameters::default())).is_err());
        assert!(numbers(&Value::Null).is_err());
        assert_eq!(format!("{:?}", Parameters::default()), "Parameters(..)");
    }
}
