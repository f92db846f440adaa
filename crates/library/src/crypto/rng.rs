//! `System.Security.Cryptography.RNGCryptoServiceProvider`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.rngcryptoserviceprovider>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{ByteArray, Object, Value};

use super::DISPOSABLE;

const NAME: &str = "System.Security.Cryptography.RNGCryptoServiceProvider";
const OWN: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS).bases(&[DISPOSABLE]);

#[derive(Debug)]
struct Generator;

impl Object for Generator {
    fn net_type(&self) -> Type {
        OWN
    }
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], OWN, |_, _| Ok(Value::object(Generator))),
    Member::method("GetBytes", &[Type::BYTES], Type::Void, |args, cx| fill(args, cx, false))
        .params(&["data"])
        .doc("Fills an array at random."),
    Member::method("GetNonZeroBytes", &[Type::BYTES], Type::Void, |args, cx| fill(args, cx, true))
        .params(&["data"]),
    Member::method("Dispose", &[], Type::Void, |_, _| Ok(Value::Null)),
];

fn fill(args: &mut Args<'_>, cx: &mut EvalCx<'_>, no_zeros: bool) -> Result<Value, Exception> {
    let array: Arc<ByteArray> = args.arg(1)?;
    super::charge(cx, array.len())?;
    array.change(|bytes| {
        cx.random(bytes);
        for byte in bytes.iter_mut().filter(|it| no_zeros && **it == 0) {
            // A zero becomes one of the other values; that is random enough for one in 256.
            *byte = 1;
        }
    });
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::types::Type;
    use clr::value::Value;

    use super::{MEMBERS, OWN};
    use crate::test_support::with_cx;

    #[test]
    fn no_zeros_means_no_zeros() {
        with_cx(|cx| {
            let array = Value::from(vec![0; 500]);
            let row = MEMBERS.iter().find(|it| it.name == "GetNonZeroBytes").unwrap();
            let mut values = [Value::object(super::Generator), array.clone()];
            (row.call)(&mut Args::new(row, &mut values, &[], &[], Type::Void), cx).unwrap();
            assert!(array.as_bytes().unwrap().iter().all(|it| *it != 0));
            assert_eq!(Value::object(super::Generator).runtime_type(), OWN);
        });
    }
}
