//! `System.Collections.Generic.Stack<T>`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.stack-1>

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{self, Type, names};
use clr::value::{Cursor, Object, Value};
use dotnet::Runtime;
use dotnet::Str;

use super::{any, enumerator};

pub(crate) const TYPE: TypeDef = TypeDef::class(names::STACK, MEMBERS)
    .generic(1)
    .bases(&[Type::Named(names::IREADONLYCOLLECTION, &[Type::T])]);

const SELF: Type = Type::Named(names::STACK, &[Type::T]);
const ITEMS: Type = Type::Named(names::IENUMERABLE, &[Type::T]);

/// Items, last in, first out. The front is what comes out next.
#[derive(Debug)]
pub(crate) struct Stack {
    element: Type,
    content: Mutex<(VecDeque<Value>, u64)>,
}

impl Stack {
    fn new(element: Type, items: Vec<Value>) -> Self {
        let mut content = VecDeque::new();
        items.into_iter().for_each(|it| content.push_front(it));
        Self { element, content: Mutex::new((content, 0)) }
    }

    fn lock(&self) -> MutexGuard<'_, (VecDeque<Value>, u64)> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Count`.
    pub(crate) fn len(&self) -> usize {
        self.lock().0.len()
    }

    fn change<R>(&self, f: impl FnOnce(&mut VecDeque<Value>) -> R) -> R {
        let mut content = self.lock();
        content.1 = content.1.wrapping_add(1);
        f(&mut content.0)
    }
}

impl Object for Stack {
    fn net_type(&self) -> Type {
        types::named(names::STACK, &[self.element])
    }

    fn to_text(&self, _: Runtime) -> Str {
        clr::types::clr_name(self.net_type()).into()
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        let version = self.lock().1;
        Ok(Some(Box::new(Items { stack: self, version, at: 0 })))
    }
}

struct Items {
    stack: Arc<Stack>,
    version: u64,
    at: usize,
}

impl Cursor for Items {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        let content = self.stack.lock();
        if content.1 != self.version {
            return Err(super::modified());
        }
        self.at += 1;
        Ok(content.0.get(self.at - 1).cloned())
    }
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], SELF, |args, _| {
        Ok(Value::object(Stack::new(args.type_arg(0), Vec::new())))
    }),
    Member::constructor(&[Type::Int32], SELF, |args, _| {
        Ok(Value::object(Stack::new(args.type_arg(0), Vec::new())))
    })
    .params(&["capacity"]),
    Member::constructor(&[ITEMS], SELF, |args, cx| {
        let items = any::items(args.value(0), "collection", cx)?;
        Ok(Value::object(Stack::new(args.type_arg(0), items)))
    })
    .params(&["collection"]),
    Member::property("Count", Type::Int32, any::count_of),
    Member::method("Push", &[Type::T], Type::Void, |args, cx| {
        cx.allocate(size_of::<Value>())?;
        let (it, item): (Arc<Stack>, Value) = args.get()?;
        it.change(|all| all.push_front(item));
        Ok(Value::Null)
    })
    .params(&["item"]),
    Member::method("Pop", &[], Type::T, |args, _| {
        let (it,): (Arc<Stack>,) = args.get()?;
        it.change(VecDeque::pop_front).ok_or_else(empty)
    }),
    Member::method("Peek", &[], Type::T, |args, _| {
        let (it,): (Arc<Stack>,) = args.get()?;
        let front = it.lock().0.front().cloned();
        front.ok_or_else(empty)
    }),
    Member::method("TryPop", &[Type::Out(&Type::T)], Type::Bool, |args, _| {
        let it = args.arg::<Arc<Stack>>(0)?;
        let taken = it.change(VecDeque::pop_front);
        Ok(give(args, it.element, taken))
    })
    .params(&["result"]),
    Member::method("TryPeek", &[Type::Out(&Type::T)], Type::Bool, |args, _| {
        let it = args.arg::<Arc<Stack>>(0)?;
        let front = it.lock().0.front().cloned();
        Ok(give(args, it.element, front))
    })
    .params(&["result"]),
    Member::method("Clear", &[], Type::Void, |args, _| {
        let (it,): (Arc<Stack>,) = args.get()?;
        it.change(VecDeque::clear);
        Ok(Value::Null)
    }),
    Member::method("Contains", &[Type::T], Type::Bool, any::contains).params(&["item"]),
    Member::method("CopyTo", &[Type::Array(&Type::T), Type::Int32], Type::Void, |args, cx| {
        any::copy_to(args, cx)
    })
    .params(&["array", "arrayIndex"]),
    Member::method("ToArray", &[], Type::Array(&Type::T), |args, cx| {
        let items = args.value(0).clone().collect(cx)?;
        Ok(Value::array(args.type_arg(0), items))
    }),
    Member::method("TrimExcess", &[], Type::Void, |_, _| Ok(Value::Null)),
    Member::method(
        "GetEnumerator",
        &[],
        Type::Named(names::IENUMERATOR, &[Type::T]),
        enumerator::start,
    ),
];

fn empty() -> Exception {
    Exception::invalid_operation("Stack empty.")
}

/// Sets the `out` argument; whether there was an item.
fn give(args: &mut Args<'_>, element: Type, item: Option<Value>) -> Value {
    let found = item.is_some();
    args.set_out(1, item.unwrap_or_else(|| clr::rows::default_value(element)));
    found.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn items_come_out_last_in_first_out() {
        let it = Value::object(Stack::new(Type::Int32, vec![Value::from(1), Value::from(2)]));
        let row = MEMBERS.iter().find(|it| it.name == "Pop").unwrap();
        with_cx(|cx| {
            let mut take = || {
                let mut values = [it.clone()];
                (row.call)(&mut Args::new(row, &mut values, &[Type::Int32], &[], row.returns), cx)
            };
            assert_eq!(take().unwrap().as_i64(), Some(2));
            assert_eq!(take().unwrap().as_i64(), Some(1));
            assert_eq!(take().unwrap_err().type_name, "System.InvalidOperationException");
        });
    }
}
