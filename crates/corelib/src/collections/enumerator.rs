//! `System.Collections.Generic.IEnumerator<T>`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.ienumerator-1>

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{self, Type, names};
use clr::value::{Cursor, Object, Value};

pub(crate) const TYPE: TypeDef = TypeDef::interface(names::IENUMERATOR, MEMBERS)
    .generic(1)
    .bases(&[Type::named(names::IDISPOSABLE)]);

/// An enumeration under way.
struct Enumerator {
    element: Type,
    source: Value,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cursor: Option<Box<dyn Cursor>>,
    current: Value,
    ended: bool,
}

impl fmt::Debug for Enumerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IEnumerator<{}>", self.element)
    }
}

impl Object for Enumerator {
    fn net_type(&self) -> Type {
        types::named(names::IENUMERATOR, &[self.element])
    }

    fn dispose(&self) {
        let cursor = self.state.lock().unwrap_or_else(PoisonError::into_inner).cursor.take();
        drop(cursor);
    }

    /// What is left of it, for `foreach` over a type that has a `GetEnumerator` of its own.
    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner).cursor.take())
    }
}

/// `GetEnumerator()` of anything enumerable.
///
/// # Errors
///
/// What starting the enumeration throws.
pub fn start(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let element = args.returns().argument(0).unwrap_or(Type::Object);
    enumerator(args.value(0), element, cx)
}

/// An enumerator of items of a type.
///
/// # Errors
///
/// What starting the enumeration throws.
pub fn enumerator(source: &Value, element: Type, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let source = source.clone();
    let cursor = Some(source.cursor(cx)?);
    let state = Mutex::new(State { cursor, ..State::default() });
    Ok(Value::object(Enumerator { element, source, state }))
}

const MEMBERS: &[Member] = &[
    Member::method("MoveNext", &[], Type::Bool, |args, cx| {
        let (it,): (Arc<Enumerator>,) = args.get()?;
        // The cursor is taken out, since a lambda that runs inside might come back here.
        let cursor = it.state.lock().unwrap_or_else(PoisonError::into_inner).cursor.take();
        let Some(mut cursor) = cursor else { return Ok(false.into()) };
        let item = cursor.next(cx)?;
        let mut state = it.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended = item.is_none();
        let moved = item.is_some();
        state.current = item.unwrap_or_default();
        if moved {
            state.cursor = Some(cursor);
        }
        Ok(moved.into())
    }),
    Member::property("Current", Type::T, |args, _| {
        let (it,): (Arc<Enumerator>,) = args.get()?;
        let state = it.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.ended && state.current.is_null() {
            return Ok(clr::rows::default_value(it.element));
        }
        Ok(state.current.clone())
    }),
    Member::method("Reset", &[], Type::Void, |args, cx| {
        let (it,): (Arc<Enumerator>,) = args.get()?;
        let cursor = Some(it.source.cursor(cx)?);
        *it.state.lock().unwrap_or_else(PoisonError::into_inner) =
            State { cursor, ..State::default() };
        Ok(Value::Null)
    }),
    Member::method("Dispose", &[], Type::Void, |args, _| {
        let (it,): (Arc<Enumerator>,) = args.get()?;
        it.dispose();
        Ok(Value::Null)
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn an_enumerator_moves_to_the_end() {
        with_cx(|cx| {
            let start_row = Member::method(
                "GetEnumerator",
                &[],
                Type::Named(names::IENUMERATOR, &[Type::String]),
                start,
            );
            let row: &'static Member = Box::leak(Box::new(start_row));
            let mut values = [Value::strings(["a"])];
            let mut args = Args::new(row, &mut values, &[], &[], row.returns);
            let it = start(&mut args, cx).unwrap();
            let mut call = |name: &str| {
                let row = MEMBERS.iter().find(|it| it.name == name).unwrap();
                let mut values = [it.clone()];
                (row.call)(&mut Args::new(row, &mut values, &[], &[], row.returns), cx).unwrap()
            };
            assert_eq!(call("MoveNext").as_bool(), Some(true));
            assert_eq!(call("Current").to_text(), "a");
            assert_eq!(call("MoveNext").as_bool(), Some(false));
        });
    }
}
