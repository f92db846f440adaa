//! `System.Linq.Enumerable`: <https://learn.microsoft.com/dotnet/api/system.linq.enumerable>
//!
//! Lazy where .NET is lazy: such rows give a [`Value::sequence`](clr::Value::sequence) whose cursor
//! does the work item by item, anew for each enumeration.

mod aggregate;
mod combine;
mod convert;
mod element;
mod filter;
mod generate;
mod group;
mod join;
mod numbers;
mod order;
mod project;
mod quantity;
mod sets;

pub use group::Grouping;
pub(crate) use group::{IGROUPING, ILOOKUP};
pub(crate) use order::IORDEREDENUMERABLE;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, count, joined};
use clr::types::{Type, names};
use clr::value::{Cursor, Value};

pub(crate) static TYPE: TypeDef = TypeDef::static_class("System.Linq.Enumerable", &MEMBERS);

const PARTS: &[&[Member]] = &[
    filter::ROWS,
    project::ROWS,
    combine::ROWS,
    sets::ROWS,
    element::ROWS,
    quantity::ROWS,
    aggregate::ROWS,
    numbers::ROWS,
    order::ROWS,
    group::ROWS,
    join::ROWS,
    convert::ROWS,
    generate::ROWS,
];

static MEMBERS: [Member; count(PARTS)] = joined(PARTS);

/// `IEnumerable<TSource>`.
const SOURCE: Type = Type::Named(names::IENUMERABLE, &[Type::M]);
/// `Func<TSource, bool>`.
const PREDICATE: Type = Type::Func(&[Type::M, Type::Bool]);
/// `IEqualityComparer<TSource>`.
const EQUALITY: Type = Type::Named(names::IEQUALITYCOMPARER, &[Type::M]);

/// A cursor from a closure.
struct FromFn<F>(F);

impl<F> Cursor for FromFn<F>
where
    F: FnMut(&mut EvalCx<'_>) -> Result<Option<Value>, Exception> + Send + Sync,
{
    fn next(&mut self, cx: &mut EvalCx<'_>) -> Result<Option<Value>, Exception> {
        (self.0)(cx)
    }
}

/// A cursor from a closure that gives the next item.
fn cursor<F>(next: F) -> Box<dyn Cursor>
where
    F: FnMut(&mut EvalCx<'_>) -> Result<Option<Value>, Exception> + Send + Sync + 'static,
{
    Box::new(FromFn(next))
}

/// The lazy result of a row: `start` makes the cursor of an enumeration.
fn lazy<F>(args: &Args<'_>, start: F) -> Result<Value, Exception>
where
    F: Fn(&mut EvalCx<'_>) -> Result<Box<dyn Cursor>, Exception> + Send + Sync + 'static,
{
    Value::sequence_over(args.values(), element_of(args), start)
}

/// The type of the items that a row gives.
fn element_of(args: &Args<'_>) -> Type {
    args.returns().argument(0).unwrap_or(Type::Object)
}

/// The argument of a parameter; null is refused by name.
fn argument(args: &Args<'_>, at: usize) -> Result<Value, Exception> {
    let value = args.value(at);
    if value.is_null() {
        return Err(Exception::argument_null(match args.member().parameter_name(at) {
            "" => "source",
            name => name,
        }));
    }
    Ok(value.clone())
}

/// The argument of a parameter by its name, if the row has such a parameter.
fn named<'a>(args: &'a Args<'_>, name: &str) -> Option<&'a Value> {
    let at = args.member().names.iter().position(|it| *it == name)?;
    Some(args.value(at))
}

/// Does the lambda at a parameter take the position as its last parameter?
fn takes_index(args: &Args<'_>, at: usize) -> bool {
    matches!(args.member().params.get(at), Some(Type::Func([.., Type::Int32, _])))
}

/// A position as an `int`.
fn int(at: usize) -> Value {
    Value::Int(i32::try_from(at).unwrap_or(i32::MAX))
}

/// Calls a lambda with an item, and with its position if it takes one.
fn call(
    lambda: &Value,
    item: Value,
    index: Option<usize>,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    match index {
        Some(at) => cx.invoke(lambda, &[item, int(at)]),
        None => cx.invoke(lambda, &[item]),
    }
}

fn no_elements() -> Exception {
    Exception::invalid_operation("Sequence contains no elements")
}

fn no_match() -> Exception {
    Exception::invalid_operation("Sequence contains no matching element")
}

#[cfg(test)]
mod test_support {
    use clr::value::Callable;

    use super::*;
    use crate::test_support::with_cx;

    /// A lambda in Rust.
    struct Lambda<F>(F);

    impl<F> std::fmt::Debug for Lambda<F> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("lambda")
        }
    }

    impl<F: Fn(&[Value]) -> Value + Send + Sync> Callable for Lambda<F> {
        fn signature(&self) -> Type {
            Type::Func(&[Type::Object, Type::Object])
        }
        fn call(&self, args: &[Value], _: &mut EvalCx<'_>) -> Result<Value, Exception> {
            Ok((self.0)(args))
        }
    }

    pub(super) fn lambda(f: impl Fn(&[Value]) -> Value + Send + Sync + 'static) -> Value {
        Value::Func(std::sync::Arc::new(Lambda(f)))
    }

    pub(super) fn ints(all: &[i32]) -> Value {
        Value::array(Type::Int32, all.iter().map(|it| Value::from(*it)).collect())
    }

    /// Calls the first row of a name that takes so many arguments.
    pub(super) fn run(name: &str, values: &[Value]) -> Result<Value, Exception> {
        let fits = |it: &&Member| it.name == name && it.params.len() == values.len();
        let row = MEMBERS.iter().find(fits).unwrap();
        let mut values = values.to_vec();
        let of_method = [Type::Int32; 4];
        let result = row.returns.substitute(&[], &of_method.map(Some));
        with_cx(|cx| (row.call)(&mut Args::new(row, &mut values, &[], &of_method, result), cx))
    }

    /// The items of a result as integers.
    pub(super) fn list(name: &str, values: &[Value]) -> Vec<i64> {
        let result = run(name, values).unwrap();
        let items = with_cx(|cx| result.collect(cx).unwrap());
        items.iter().map(|it| it.as_i64().unwrap_or(-1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_an_extension_or_makes_a_sequence() {
        for row in &MEMBERS {
            let is_extension = row.kind == clr::rows::MemberKind::Extension;
            assert!(is_extension || ["Range", "Repeat", "Empty"].contains(&row.name), "{row}");
            assert!(row.names.len() == row.params.len(), "{row} does not name its parameters");
        }
    }
}
