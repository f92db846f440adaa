//! Items that stand in line: what `Queue<T>` and `Stack<T>` have in common.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::{self, Type, names};
use clr::value::{Cursor, Object, Value};
use dotnet::{Runtime, Str};

use super::{any, enumerator};

/// Items; the front is what comes out next.
#[derive(Debug)]
pub(crate) struct Line {
    ty: Type,
    content: Mutex<(VecDeque<Value>, u64)>,
}

impl Line {
    /// Items that were put in, in this order; `ty` is `Queue<T>` or `Stack<T>`.
    pub(super) fn new(ty: Type, items: Vec<Value>) -> Self {
        let it = Self { ty, content: Mutex::default() };
        items.into_iter().for_each(|item| it.put(item));
        it
    }

    fn lock(&self) -> MutexGuard<'_, (VecDeque<Value>, u64)> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Count`.
    pub(super) fn len(&self) -> usize {
        self.lock().0.len()
    }

    fn change<R>(&self, f: impl FnOnce(&mut VecDeque<Value>) -> R) -> R {
        let mut content = self.lock();
        content.1 = content.1.wrapping_add(1);
        f(&mut content.0)
    }

    fn put(&self, item: Value) {
        let last_first = self.ty.is_named(names::STACK);
        self.change(|all| if last_first { all.push_front(item) } else { all.push_back(item) });
    }

    fn front(&self) -> Option<Value> {
        self.lock().0.front().cloned()
    }

    fn empty(&self) -> Exception {
        let name = if self.ty.is_named(names::STACK) { "Stack" } else { "Queue" };
        Exception::invalid_operation(format!("{name} empty."))
    }
}

impl Object for Line {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn to_text(&self, _: Runtime) -> Str {
        types::clr_name(self.ty).into()
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        let version = self.lock().1;
        Ok(Some(Box::new(Items { line: self, version, at: 0 })))
    }
}

struct Items {
    line: Arc<Line>,
    version: u64,
    at: usize,
}

impl Cursor for Items {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        let content = self.line.lock();
        if content.1 != self.version {
            return Err(super::modified());
        }
        self.at += 1;
        Ok(content.0.get(self.at - 1).cloned())
    }
}

/// The members that both have.
pub(super) const MEMBERS: &[Member] = &[
    Member::property("Count", Type::Int32, any::count_of),
    Member::method("Peek", &[], Type::T, |args, _| {
        let (it,): (Arc<Line>,) = args.get()?;
        it.front().ok_or_else(|| it.empty())
    }),
    Member::method("TryPeek", &[Type::Out(&Type::T)], Type::Bool, |args, _| {
        let it = args.arg::<Arc<Line>>(0)?;
        Ok(give(args, it.front()))
    })
    .params(&["result"]),
    Member::method("Clear", &[], Type::Void, |args, _| {
        let (it,): (Arc<Line>,) = args.get()?;
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

/// `new Queue<T>()`, `new Queue<T>(capacity)`.
pub(super) fn make(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    Ok(Value::object(Line::new(args.returns(), Vec::new())))
}

/// `new Queue<T>(collection)`.
pub(super) fn make_of(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let items = any::items(args.value(0), "collection", cx)?;
    Ok(Value::object(Line::new(args.returns(), items)))
}

/// `Enqueue`, `Push`.
pub(super) fn put(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    cx.allocate(size_of::<Value>())?;
    let (it, item): (Arc<Line>, Value) = args.get()?;
    it.put(item);
    Ok(Value::Null)
}

/// `Dequeue`, `Pop`.
pub(super) fn take(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (it,): (Arc<Line>,) = args.get()?;
    it.change(VecDeque::pop_front).ok_or_else(|| it.empty())
}

/// `TryDequeue`, `TryPop`.
pub(super) fn try_take(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let it = args.arg::<Arc<Line>>(0)?;
    let taken = it.change(VecDeque::pop_front);
    Ok(give(args, taken))
}

/// Sets the `out` argument; whether there was an item.
fn give(args: &mut Args<'_>, item: Option<Value>) -> Value {
    let found = item.is_some();
    let element = args.type_arg(0);
    args.set_out(1, item.unwrap_or_else(|| clr::rows::default_value(element)));
    found.into()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::test_support::with_cx;

    /// The numbers that a row takes out of a line into which 1 and 2 were put.
    pub(crate) fn taken(ty: Type, rows: &'static [Member], name: &str) -> Vec<i64> {
        let it = Value::object(Line::new(ty, vec![Value::from(1), Value::from(2)]));
        let row = rows.iter().find(|it| it.name == name).unwrap();
        let mut all = Vec::new();
        with_cx(|cx| {
            loop {
                let mut values = [it.clone()];
                let mut args = Args::new(row, &mut values, &[Type::Int32], &[], row.returns);
                match (row.call)(&mut args, cx) {
                    Ok(number) => all.push(number.as_i64().unwrap()),
                    Err(error) => {
                        assert_eq!(error.type_name, "System.InvalidOperationException");
                        return;
                    }
                }
            }
        });
        all
    }

    #[test]
    fn a_change_ends_enumerations() {
        let ty = types::named(names::QUEUE, &[Type::Int32]);
        let line = Arc::new(Line::new(ty, vec![Value::from(1)]));
        with_cx(|cx| {
            let mut cursor = Arc::clone(&line).cursor(cx).unwrap().unwrap();
            assert!(cursor.next(cx).unwrap().is_some());
            line.put(Value::from(2));
            assert!(cursor.next(cx).is_err());
        });
    }
}
