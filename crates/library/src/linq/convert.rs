//! `ToArray`, `ToList`, `ToDictionary`, `ToHashSet`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::{Type, names};
use clr::value::Value;
use corelib::collections::hash_set::HashSet;
use corelib::collections::{Comparer, Dictionary};

use super::{EQUALITY, SOURCE, argument, named};

const KEY: Type = Type::Func(&[Type::M, Type::N]);
const ELEMENT: Type = Type::Func(&[Type::M, Type::O]);
const KEY_EQUALITY: Type = Type::Named(names::IEQUALITYCOMPARER, &[Type::N]);
const PLAIN: Type = Type::Named(names::DICTIONARY, &[Type::N, Type::M]);
const MAPPED: Type = Type::Named(names::DICTIONARY, &[Type::N, Type::O]);

pub(super) const ROWS: &[Member] = &[
    Member::extension("ToArray", &[SOURCE], Type::Array(&Type::M), |args, cx| {
        let items = argument(args, 0)?.collect(cx)?;
        Ok(Value::array(args.method_arg(0), items))
    })
    .params(&["source"]),
    Member::extension("ToList", &[SOURCE], Type::Named(names::LIST, &[Type::M]), |args, cx| {
        let items = argument(args, 0)?.collect(cx)?;
        Ok(Value::list(args.method_arg(0), items))
    })
    .params(&["source"]),
    Member::extension(
        "ToHashSet",
        &[SOURCE],
        Type::Named(names::HASHSET, &[Type::M]),
        |args, cx| to_hash_set(args, cx),
    )
    .params(&["source"]),
    Member::extension(
        "ToHashSet",
        &[SOURCE, EQUALITY],
        Type::Named(names::HASHSET, &[Type::M]),
        |args, cx| to_hash_set(args, cx),
    )
    .params(&["source", "comparer"]),
    Member::extension("ToDictionary", &[SOURCE, KEY], PLAIN, |args, cx| to_dictionary(args, cx))
        .params(&["source", "keySelector"]),
    Member::extension("ToDictionary", &[SOURCE, KEY, KEY_EQUALITY], PLAIN, |args, cx| {
        to_dictionary(args, cx)
    })
    .params(&["source", "keySelector", "comparer"]),
    Member::extension("ToDictionary", &[SOURCE, KEY, ELEMENT], MAPPED, |args, cx| {
        to_dictionary(args, cx)
    })
    .params(&["source", "keySelector", "elementSelector"]),
    Member::extension("ToDictionary", &[SOURCE, KEY, ELEMENT, KEY_EQUALITY], MAPPED, |args, cx| {
        to_dictionary(args, cx)
    })
    .params(&["source", "keySelector", "elementSelector", "comparer"]),
];

fn comparer(args: &Args<'_>) -> Comparer {
    named(args, "comparer").map_or(Comparer::Default, Comparer::of)
}

fn to_hash_set(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let items = argument(args, 0)?.collect(cx)?;
    Ok(Value::object(HashSet::new(args.method_arg(0), items, comparer(args))))
}

fn to_dictionary(args: &Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (source, key) = (argument(args, 0)?, argument(args, 1)?);
    let element = named(args, "elementSelector").cloned();
    let value_type = if element.is_some() { args.method_arg(2) } else { args.method_arg(0) };
    let made = Dictionary::new([args.method_arg(1), value_type], comparer(args));
    let mut items = source.cursor(cx)?;
    while let Some(item) = items.next(cx)? {
        cx.allocate(2 * size_of::<Value>())?;
        let key = cx.invoke(&key, std::slice::from_ref(&item))?;
        let value = match &element {
            Some(it) => cx.invoke(it, &[item])?,
            None => item,
        };
        made.add(key, value)?;
    }
    Ok(Value::object(made))
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, lambda, list, run};
    use super::*;

    #[test]
    fn sequences_become_collections() {
        let it = run("ToList", &[ints(&[1, 2])]).unwrap();
        assert_eq!(it.type_name(), "System.Collections.Generic.List<System.Int32>");
        assert_eq!(list("ToHashSet", &[ints(&[1, 1, 2])]), [1, 2]);
        let itself = lambda(|args| args[0].clone());
        let dictionary = run("ToDictionary", &[ints(&[1, 2]), itself.clone()]).unwrap();
        assert!(dictionary.as_object::<Dictionary>().unwrap().get(&Value::from(2)).is_some());
        let error = run("ToDictionary", &[ints(&[1, 1]), itself]).unwrap_err();
        assert_eq!(error.type_name, "System.ArgumentException");
    }
}
