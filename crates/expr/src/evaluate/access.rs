//! Elements of arrays and strings.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::types::Type;
use clr::value::Value;

use super::Outcome;

fn position(index: &Value) -> Result<usize, Exception> {
    let index = match index {
        Value::ULong(it) => usize::try_from(*it).ok(),
        other => other.as_i64().and_then(|it| usize::try_from(it).ok()),
    };
    index.ok_or_else(Exception::index_out_of_range)
}

/// `array[index]`.
pub(crate) fn get(array: &Value, index: &Value) -> Outcome {
    let found = match array {
        Value::Null => return Err(Exception::null_reference()),
        Value::Bytes(it) => it.get(position(index)?).map(Value::Byte),
        Value::Array(it) => it.get(position(index)?),
        _ => None,
    };
    found.ok_or_else(Exception::index_out_of_range)
}

/// `array[index] = value`; gives the value.
pub(crate) fn set(array: &Value, index: &Value, value: Value) -> Outcome {
    let done = match (array, &value) {
        (Value::Null, _) => return Err(Exception::null_reference()),
        (Value::Bytes(it), Value::Byte(byte)) => it.set(position(index)?, *byte),
        (Value::Array(it), _) => {
            if !value.is_null() && it.element().is_reference() && !value.is_instance(it.element()) {
                return Err(Exception::new(
                    "System.ArrayTypeMismatchException",
                    "Attempted to access an element as a type incompatible with the array.",
                ));
            }
            it.set(position(index)?, value.clone())
        }
        _ => false,
    };
    if done { Ok(value) } else { Err(Exception::index_out_of_range()) }
}

/// `text[index]`.
pub(crate) fn char_at(text: &Value, index: &Value) -> Outcome {
    match text {
        Value::String(it) => {
            let unit = position(index).ok().and_then(|at| it.unit(at));
            unit.map(Value::Char).ok_or_else(Exception::index_out_of_range)
        }
        _ => Err(Exception::null_reference()),
    }
}

/// `new T[length]`.
pub(crate) fn new_array(element: Type, length: &Value, cx: &mut EvalCx<'_>) -> Outcome {
    let length = length
        .as_i64()
        .and_then(|it| usize::try_from(it).ok())
        .ok_or_else(|| Exception::overflow("Arithmetic operation resulted in an overflow."))?;
    let size = if element == Type::Byte { 1 } else { size_of::<Value>() };
    cx.allocate(length.saturating_mul(size))?;
    if element == Type::Byte {
        return Ok(Value::from(vec![0_u8; length]));
    }
    Ok(Value::array(element, vec![super::default_of(element); length]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn positions_outside_throw() {
        let array = Value::strings(["a"]);
        assert_eq!(get(&array, &Value::from(0)).unwrap().to_text(), "a");
        for index in [-1, 1] {
            let error = get(&array, &Value::from(index)).unwrap_err();
            assert_eq!(error.type_name, "System.IndexOutOfRangeException");
        }
        assert!(char_at(&"ab".into(), &Value::from(2)).is_err());
    }

    #[test]
    fn an_array_beyond_the_budget_is_never_made() {
        with_cx(|cx| {
            let error = new_array(Type::Int32, &Value::from(i32::MAX), cx).unwrap_err();
            assert!(!error.is_catchable());
            assert!(new_array(Type::Int32, &Value::from(-1), cx).is_err());
        });
    }

    #[test]
    fn a_covariant_array_checks_what_is_put_in() {
        let array = Value::strings(["a"]);
        assert!(set(&array, &Value::from(0), Value::from(1)).is_err());
        assert!(set(&array, &Value::from(0), Value::Null).is_ok());
    }
}
