//! `System.Random`: <https://learn.microsoft.com/dotnet/api/system.random>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{ByteArray, Object, Value};
use dotnet::text::random::Random;

use super::out_of_range;

pub(crate) const TYPE: TypeDef = TypeDef::class(names::RANDOM, MEMBERS);

const OWN: Type = Type::named(names::RANDOM);
const INT: Type = Type::Int32;

/// A generator as an object.
#[derive(Debug)]
struct Generator(Mutex<Random>);

impl Generator {
    fn lock(&self) -> MutexGuard<'_, Random> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Generator {
    fn net_type(&self) -> Type {
        OWN
    }
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], OWN, |_, cx| {
        let mut seed = [0; 4];
        cx.random(&mut seed);
        Ok(made(i32::from_ne_bytes(seed)))
    }),
    Member::constructor(&[INT], OWN, |args, _| {
        let (seed,): (i32,) = args.get()?;
        Ok(made(seed))
    })
    .params(&["Seed"]),
    Member::method("Next", &[], INT, |args, _| {
        let (it,): (Arc<Generator>,) = args.get()?;
        let next = it.lock().sample();
        Ok(next.into())
    }),
    Member::method("Next", &[INT], INT, |args, _| {
        let (it, max): (Arc<Generator>, i32) = args.get()?;
        if max < 0 {
            return Err(out_of_range("'maxValue' must be greater than zero.", "maxValue"));
        }
        let next = it.lock().between(0, max);
        Ok(next.into())
    })
    .params(&["maxValue"]),
    Member::method("Next", &[INT, INT], INT, |args, _| {
        let (it, min, max): (Arc<Generator>, i32, i32) = args.get()?;
        if min > max {
            return Err(out_of_range("'minValue' cannot be greater than maxValue.", "minValue"));
        }
        let next = it.lock().between(min, max);
        Ok(next.into())
    })
    .params(&["minValue", "maxValue"]),
    Member::method("NextDouble", &[], Type::Double, |args, _| {
        let (it,): (Arc<Generator>,) = args.get()?;
        let next = it.lock().fraction();
        Ok(next.into())
    }),
    Member::method("NextBytes", &[Type::BYTES], Type::Void, |args, cx| {
        let (it, bytes): (Arc<Generator>, Arc<ByteArray>) = args.get()?;
        cx.steps(bytes.len() as u64 / 16)?;
        bytes.change(|bytes| it.lock().fill(bytes));
        Ok(Value::Null)
    })
    .params(&["buffer"]),
];

fn made(seed: i32) -> Value {
    Value::object(Generator(Mutex::new(Random::new(seed))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_a_generator() {
        let generator = made(42).to_object::<Generator>().unwrap();
        assert_eq!(generator.lock().sample(), 1_434_747_710);
    }
}
