//! `System.Security.Cryptography.ICryptoTransform`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.icryptotransform>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{ByteArray, Object, Value};
use dotnet::crypto::Transform;

use super::{DISPOSABLE, charge};

const NAME: &str = "System.Security.Cryptography.ICryptoTransform";

/// `ICryptoTransform`.
pub(super) const TRANSFORM: Type = Type::named(NAME);
const INT: Type = Type::Int32;

pub(crate) static TYPE: TypeDef = TypeDef::interface(NAME, MEMBERS).bases(&[DISPOSABLE]);

#[derive(Debug)]
struct TransformObject(Mutex<Transform>);

impl Object for TransformObject {
    fn net_type(&self) -> Type {
        TRANSFORM
    }
}

impl TransformObject {
    fn lock(&self) -> MutexGuard<'_, Transform> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transformation as a value.
pub(super) fn value(transform: Transform) -> Value {
    Value::object(TransformObject(Mutex::new(transform)))
}

fn block_size(args: &Args<'_>) -> Result<Value, Exception> {
    let it: Arc<TransformObject> =
        args.value(0).to_object().ok_or_else(Exception::null_reference)?;
    let n_bytes = it.lock().block();
    Ok(Value::Int(i32::try_from(n_bytes).unwrap_or(i32::MAX)))
}

/// More than the padding of any cipher.
const MAX_PADDING: usize = 32;

const MEMBERS: &[Member] = &[
    Member::property("InputBlockSize", INT, |args, _| block_size(args)),
    Member::property("OutputBlockSize", INT, |args, _| block_size(args)),
    Member::property("CanReuseTransform", Type::Bool, |_, _| Ok(true.into())),
    Member::property("CanTransformMultipleBlocks", Type::Bool, |_, _| Ok(true.into())),
    Member::method(
        "TransformBlock",
        &[Type::BYTES, INT, INT, Type::BYTES, INT],
        INT,
        transform_block,
    )
    .params(&["inputBuffer", "inputOffset", "inputCount", "outputBuffer", "outputOffset"]),
    Member::method("TransformFinalBlock", &[Type::BYTES, INT, INT], Type::BYTES, |args, cx| {
        let data = input(args, cx)?;
        let it: Arc<TransformObject> = args.arg(0)?;
        cx.allocate(data.len() + MAX_PADDING)?;
        Ok(it.lock().last(&data)?.into())
    })
    .params(&["inputBuffer", "inputOffset", "inputCount"]),
];

/// The part of the input that is meant.
fn input(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Bytes, Exception> {
    if args.value(1).is_null() {
        return Err(Exception::argument_null("inputBuffer"));
    }
    let (data, start, count): (Bytes, i32, i32) = (args.arg(1)?, args.arg(2)?, args.arg(3)?);
    let start = usize::try_from(start).ok().filter(|it| *it <= data.len());
    let start = start.ok_or_else(|| Exception::argument_out_of_range("inputOffset"))?;
    let count = usize::try_from(count).ok().filter(|it| *it <= data.len() - start);
    let count = count.ok_or_else(|| Exception::argument_out_of_range("inputCount"))?;
    charge(cx, count)?;
    Ok(data.slice(start..start + count))
}

fn transform_block(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let data = input(args, cx)?;
    let it: Arc<TransformObject> = args.arg(0)?;
    if data.is_empty() || !data.len().is_multiple_of(it.lock().block()) {
        return Err(Exception::argument_out_of_range("inputCount"));
    }
    if args.value(4).is_null() {
        return Err(Exception::argument_null("outputBuffer"));
    }
    let (out, at): (Arc<ByteArray>, i32) = (args.arg(4)?, args.arg(5)?);
    let made = it.lock().blocks(&data)?;
    let at = usize::try_from(at).ok().filter(|it| it.saturating_add(made.len()) <= out.len());
    let at = at.ok_or_else(|| Exception::argument_out_of_range("outputOffset"))?;
    for (offset, byte) in made.iter().enumerate() {
        out.set(at + offset, *byte);
    }
    Ok(Value::Int(i32::try_from(made.len()).unwrap_or(i32::MAX)))
}

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::types::Type;
    use clr::value::Value;
    use dotnet::crypto::{Cipher, Mode, Padding, Transform};

    use super::{MEMBERS, value};
    use crate::test_support::with_cx;

    #[test]
    fn the_part_of_the_input_is_checked() {
        let row = MEMBERS.iter().find(|it| it.name == "TransformFinalBlock").unwrap();
        let run = |start: i32, count: i32| {
            let made = Transform::new(Cipher::Aes, true, Mode::Ecb, Padding::Pkcs7, &[0; 16], &[])
                .unwrap();
            let data = Value::from(vec![1u8; 5]);
            let mut values = [value(made), data, start.into(), count.into()];
            with_cx(|cx| {
                let mut args = Args::new(row, &mut values, &[], &[], Type::BYTES);
                (row.call)(&mut args, cx).map(|it| it.as_bytes().unwrap().len())
            })
        };
        assert_eq!(run(0, 5).unwrap(), 16);
        assert!(run(3, 5).is_err() && run(-1, 1).is_err() && run(6, 0).is_err());
    }
}
