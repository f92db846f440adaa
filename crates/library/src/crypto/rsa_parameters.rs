//! `System.Security.Cryptography.RSAParameters`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.rsaparameters>
//!
//! Not on the list; listed members give and take it.

use std::fmt;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::crypto::{Digits, Fault, RsaNumbers, RsaSecret, cryptographic};

const NAME: &str = "System.Security.Cryptography.RSAParameters";

/// `RSAParameters`.
pub(super) const PARAMETERS: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::structure(NAME, MEMBERS).zero(|_| none()).unlisted();

/// Fields in the order below: byte arrays, or null. A change makes another one.
#[derive(Clone, Default)]
struct Parameters([Value; 8]);

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

    /// Field by field, and arrays are equal only to themselves.
    fn equals(&self, other: &Value) -> Option<bool> {
        let other = other.as_object::<Self>();
        Some(other.is_some_and(|it| self.0.iter().zip(&it.0).all(|(a, b)| a.is_same(b))))
    }

    fn hash_code(&self) -> Option<u64> {
        self.0.iter().find(|it| !it.is_null()).map(Value::hash_code).or(Some(0))
    }
}

macro_rules! field {
    ($name:literal, $index:ident) => {
        Member::property($name, Type::BYTES, |args, _| read(args, $index))
            .set(|args, _| write(args, $index))
    };
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], PARAMETERS, |_, _| Ok(none())),
    field!("Modulus", MODULUS),
    field!("Exponent", EXPONENT),
    field!("D", D),
    field!("P", P),
    field!("Q", Q),
    field!("DP", DP),
    field!("DQ", DQ),
    field!("InverseQ", INVERSE_Q),
];

fn none() -> Value {
    Value::object(Parameters::default())
}

fn read(args: &Args<'_>, index: usize) -> Result<Value, Exception> {
    let own: &Parameters = args.value(0).as_object().ok_or_else(Exception::null_reference)?;
    Ok(own.0.get(index).cloned().unwrap_or_default())
}

fn write(args: &Args<'_>, index: usize) -> Result<Value, Exception> {
    let own: &Parameters = args.value(0).as_object().ok_or_else(Exception::null_reference)?;
    let mut own = own.clone();
    if let Some(it) = own.0.get_mut(index) {
        *it = args.value(1).clone();
    }
    Ok(Value::object(own))
}

/// A key's numbers as a value.
pub(super) fn value(key: &RsaNumbers, with_private: bool) -> Result<Value, Fault> {
    let field = |it: &[u8]| Value::from(it.to_vec());
    let mut fields: [Value; 8] = Default::default();
    let [modulus, exponent, d, p, q, dp, dq, inverse_q] = &mut fields;
    *modulus = field(&key.modulus);
    *exponent = field(&key.exponent);
    if with_private {
        let secret = key.secret()?;
        (*d, *p, *q) = (field(&secret.d), field(&secret.p), field(&secret.q));
        (*dp, *dq) = (field(&secret.dp), field(&secret.dq));
        *inverse_q = field(&secret.inverse_q);
    }
    Ok(Value::object(Parameters(fields)))
}

/// The numbers of a key, all of a private key or those of a public one.
pub(super) fn numbers(value: &Value) -> Result<RsaNumbers, Fault> {
    let own: Option<&Parameters> = value.as_object();
    let field = |at: usize| {
        let bytes = own.and_then(|it| it.0.get(at)).and_then(Value::as_bytes)?;
        Some(Digits::new(bytes.to_vec()))
    };
    let invalid = || cryptographic("Value was invalid.");
    match std::array::from_fn::<_, 8, _>(field) {
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
