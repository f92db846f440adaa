//! Arrays of several dimensions: <https://learn.microsoft.com/dotnet/api/system.array>
//!
//! The items lie one after the other, the last dimension first, as .NET enumerates them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, default_value};
use clr::types::{self, Type, names};
use clr::value::{Cursor, Object, Value};

use super::any;

const INT: Type = Type::Int32;
const DOCS: &str = "https://learn.microsoft.com/dotnet/api/system.array";
const BASES: &[Type] = &[Type::named(names::IENUMERABLE_PLAIN)];
const TWO: Type = Type::Named(names::ARRAY2, &[Type::T]);
const THREE: Type = Type::Named(names::ARRAY3, &[Type::T]);

/// `T[,]` and `T[,,]`.
pub(crate) const TYPES: &[TypeDef] = &[
    TypeDef::class(names::ARRAY2, MEMBERS2).generic(1).bases(BASES).docs(DOCS),
    TypeDef::class(names::ARRAY3, MEMBERS3).generic(1).bases(BASES).docs(DOCS),
];

/// An array of several dimensions.
#[derive(Debug)]
struct Grid {
    ty: Type,
    lengths: Vec<usize>,
    items: Mutex<Vec<Value>>,
}

impl Grid {
    fn items(&self) -> MutexGuard<'_, Vec<Value>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the item of these indices lies.
    fn place(&self, indices: &[Value]) -> Option<usize> {
        if indices.len() != self.lengths.len() {
            return None;
        }
        let mut at = 0;
        for (index, length) in indices.iter().zip(&self.lengths) {
            at = at * length + any::position(index).filter(|it| it < length)?;
        }
        Some(at)
    }

    fn length(&self, dimension: &Value) -> Result<usize, Exception> {
        let found = any::position(dimension).and_then(|it| self.lengths.get(it));
        found.copied().ok_or_else(Exception::index_out_of_range)
    }
}

impl Drop for Grid {
    fn drop(&mut self) {
        let items = self.items.get_mut().unwrap_or_else(PoisonError::into_inner);
        clr::value::release(std::mem::take(items));
    }
}

impl Object for Grid {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        Ok(Some(Box::new(Cells { grid: self, at: 0 })))
    }
}

struct Cells {
    grid: Arc<Grid>,
    at: usize,
}

impl Cursor for Cells {
    fn next(&mut self, _: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        self.at += 1;
        Ok(self.grid.items().get(self.at - 1).cloned())
    }
}

macro_rules! members {
    ($own:expr, $indices:expr, $rank:literal) => {
        &[
            Member::constructor($indices, $own, make),
            Member::indexer($indices, Type::T, get).set(|args, _| set(args)),
            Member::property("Length", INT, |args, _| {
                let (it,): (Arc<Grid>,) = args.get()?;
                Ok(any::length(it.items().len()))
            }),
            Member::property("LongLength", Type::Int64, |args, _| {
                let (it,): (Arc<Grid>,) = args.get()?;
                Ok(i64::try_from(it.items().len()).unwrap_or(i64::MAX).into())
            }),
            Member::property("Rank", INT, |_, _| Ok(Value::Int($rank))),
            Member::method("GetLength", &[INT], INT, |args, _| {
                let (it, dimension): (Arc<Grid>, Value) = args.get()?;
                it.length(&dimension).map(any::length)
            })
            .params(&["dimension"]),
            Member::method("GetLowerBound", &[INT], INT, |args, _| {
                let (it, dimension): (Arc<Grid>, Value) = args.get()?;
                it.length(&dimension).map(|_| Value::Int(0))
            })
            .params(&["dimension"]),
            Member::method("GetUpperBound", &[INT], INT, |args, _| {
                let (it, dimension): (Arc<Grid>, Value) = args.get()?;
                let length = i32::try_from(it.length(&dimension)?).unwrap_or(i32::MAX);
                Ok(Value::Int(length - 1))
            })
            .params(&["dimension"]),
            Member::method("GetValue", $indices, Type::Object, get),
            Member::method("Clone", &[], Type::Object, |args, cx| {
                let (it,): (Arc<Grid>,) = args.get()?;
                let items = it.items().clone();
                cx.allocate(items.len() * size_of::<Value>())?;
                let lengths = it.lengths.clone();
                Ok(Value::object(Grid { ty: it.ty, lengths, items: Mutex::new(items) }))
            }),
        ]
    };
}

const MEMBERS2: &[Member] = members!(TWO, &[INT, INT], 2);
const MEMBERS3: &[Member] = members!(THREE, &[INT, INT, INT], 3);

fn make(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let lengths: Option<Vec<usize>> = args.values().iter().map(any::position).collect();
    let overflow = || Exception::overflow("Arithmetic operation resulted in an overflow.");
    let lengths = lengths.ok_or_else(overflow)?;
    let count = lengths.iter().fold(1_usize, |all, it| all.saturating_mul(*it));
    cx.allocate(count.saturating_mul(size_of::<Value>()))?;
    let element = args.type_arg(0);
    let name = if lengths.len() == 2 { names::ARRAY2 } else { names::ARRAY3 };
    let items = Mutex::new(vec![default_value(element); count]);
    Ok(Value::object(Grid { ty: types::named(name, &[element]), lengths, items }))
}

fn get(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let it = args.arg::<Arc<Grid>>(0)?;
    let indices = args.values().get(1..).unwrap_or_default();
    let place = it.place(indices).ok_or_else(Exception::index_out_of_range)?;
    it.items().get(place).cloned().ok_or_else(Exception::index_out_of_range)
}

fn set(args: &mut Args<'_>) -> Result<Value, Exception> {
    let it = args.arg::<Arc<Grid>>(0)?;
    let Some((value, indices)) = args.values().get(1..).and_then(<[Value]>::split_last) else {
        return Ok(Value::Null);
    };
    let place = it.place(indices).ok_or_else(Exception::index_out_of_range)?;
    let old = it.items().get_mut(place).map(|own| std::mem::replace(own, value.clone()));
    drop(old);
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_lie_row_by_row_and_nothing_lies_outside() {
        let items = Mutex::new((0..6).map(Value::from).collect());
        let grid = Grid { ty: TWO, lengths: vec![2, 3], items };
        let at = |a: i32, b: i32| grid.place(&[a.into(), b.into()]);
        assert_eq!((at(0, 0), at(1, 0), at(1, 2)), (Some(0), Some(3), Some(5)));
        assert_eq!((at(0, 3), at(2, 0), at(-1, 0)), (None, None, None));
    }
}
