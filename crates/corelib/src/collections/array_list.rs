//! `System.Collections.ArrayList`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.arraylist>
//!
//! Not on Azure's list; there where the options widen it. It holds a list of objects, whose rows do
//! the work.

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Call, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Cursor, List, Object, Value};

use super::{Comparer, any, sort};

const NAME: &str = "System.Collections.ArrayList";
const OWN: Type = Type::named(NAME);
const ITEMS: Type = Type::named(names::IENUMERABLE_PLAIN);
const OBJECT: Type = Type::Object;

pub(crate) const TYPE: TypeDef = TypeDef::class(NAME, MEMBERS).bases(&[ITEMS]).unlisted();

#[derive(Debug)]
struct ArrayList(Arc<List>);

impl Object for ArrayList {
    fn net_type(&self) -> Type {
        OWN
    }

    fn cursor(self: Arc<Self>, cx: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        Value::List(Arc::clone(&self.0)).cursor(cx).map(Some)
    }
}

fn made(items: Vec<Value>) -> Value {
    Value::object(ArrayList(Arc::new(List::new(Type::Object, items))))
}

/// Calls a row of lists with the list that is held.
fn inner(args: &mut Args<'_>, cx: &mut EvalCx<'_>, call: Call) -> Result<Value, Exception> {
    let it = args.arg::<Arc<ArrayList>>(0)?;
    args.set_out(0, Value::List(Arc::clone(&it.0)));
    call(args, cx)
}

fn list(args: &mut Args<'_>) -> Result<Arc<List>, Exception> {
    Ok(Arc::clone(&args.arg::<Arc<ArrayList>>(0)?.0))
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], OWN, |_, _| Ok(made(Vec::new()))),
    Member::constructor(&[Type::Int32], OWN, |_, _| Ok(made(Vec::new()))).params(&["capacity"]),
    Member::constructor(&[ITEMS], OWN, |args, cx| Ok(made(any::items(args.value(0), "c", cx)?)))
        .params(&["c"]),
    Member::property("Count", Type::Int32, |args, cx| inner(args, cx, any::count_of)),
    Member::indexer(&[Type::Int32], OBJECT, |args, cx| inner(args, cx, any::item))
        .params(&["index"])
        .set(|args, cx| inner(args, cx, |args, _| any::set_item(args))),
    Member::method("Add", &[OBJECT], Type::Int32, |args, cx| {
        cx.allocate(size_of::<Value>())?;
        let it = list(args)?;
        it.push(args.value(1).clone());
        Ok(any::length(it.len() - 1))
    })
    .params(&["value"]),
    Member::method("AddRange", &[ITEMS], Type::Void, |args, cx| {
        let it = list(args)?;
        let items = any::items(args.value(1), "c", cx)?;
        it.change(|all| all.extend(items));
        Ok(Value::Null)
    })
    .params(&["c"]),
    Member::method("Contains", &[OBJECT], Type::Bool, |args, cx| inner(args, cx, any::contains))
        .params(&["item"]),
    Member::method("IndexOf", &[OBJECT], Type::Int32, |args, cx| inner(args, cx, any::index_of))
        .params(&["value"]),
    Member::method("Insert", &[Type::Int32, OBJECT], Type::Void, |args, cx| {
        inner(args, cx, any::insert)
    })
    .params(&["index", "value"]),
    Member::method("Remove", &[OBJECT], Type::Void, |args, cx| {
        inner(args, cx, any::remove).map(|_| Value::Null)
    })
    .params(&["obj"]),
    Member::method("RemoveAt", &[Type::Int32], Type::Void, |args, cx| {
        inner(args, cx, any::remove_at)
    })
    .params(&["index"]),
    Member::method("Clear", &[], Type::Void, |args, cx| {
        inner(args, cx, |args, _| any::clear(args))
    }),
    Member::method("Reverse", &[], Type::Void, |args, cx| {
        let it = list(args)?;
        cx.steps(it.len() as u64)?;
        it.change(|all| all.reverse());
        Ok(Value::Null)
    }),
    Member::method("Sort", &[], Type::Void, |args, cx| {
        let it = list(args)?;
        let mut items = it.to_vec();
        sort::sort(&mut items, Comparer::Default, cx)?;
        it.change(|all| *all = items);
        Ok(Value::Null)
    }),
    Member::method("ToArray", &[], Type::Array(&OBJECT), |args, cx| {
        let items = args.value(0).clone().collect(cx)?;
        Ok(Value::array(OBJECT, items))
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn it_enumerates_what_it_was_made_of() {
        with_cx(|cx| {
            let it = made(vec![1.into(), "a".into()]);
            assert_eq!(it.collect(cx).unwrap().len(), 2);
            assert_eq!(it.type_name(), NAME);
        });
    }
}
