//! `System.Tuple`: <https://learn.microsoft.com/dotnet/api/system.tuple>

use std::cmp::Ordering;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{self, Type, names};
use clr::value::{Object, Value};
use dotnet::{Runtime, Str};

/// Of any number of items up to eight: the name is that of the static class too.
pub(crate) const TYPE: TypeDef = TypeDef::class(names::TUPLE, MEMBERS);

/// The type parameters of a tuple.
const OF_TYPE: [Type; 8] = [
    Type::TypeArg(0),
    Type::TypeArg(1),
    Type::TypeArg(2),
    Type::TypeArg(3),
    Type::TypeArg(4),
    Type::TypeArg(5),
    Type::TypeArg(6),
    Type::TypeArg(7),
];

/// A tuple.
#[derive(Debug)]
struct Tuple {
    ty: Type,
    items: Vec<Value>,
}

impl Drop for Tuple {
    fn drop(&mut self) {
        clr::value::release(std::mem::take(&mut self.items));
    }
}

impl Object for Tuple {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn to_text(&self, runtime: Runtime) -> Str {
        let items: Vec<String> =
            self.items.iter().map(|it| it.to_str(runtime).to_string()).collect();
        format!("({})", items.join(", ")).into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| {
            self.ty == it.ty && self.items.iter().zip(&it.items).all(|(a, b)| a.equals(b))
        }))
    }

    fn hash_code(&self) -> Option<u64> {
        let add = |all: u64, it: &Value| all.wrapping_mul(31).wrapping_add(it.hash_code());
        Some(self.items.iter().fold(17, add))
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        let other = other.as_object::<Self>()?;
        for (a, b) in self.items.iter().zip(&other.items) {
            match super::Comparer::Default.compare(a, b).ok()? {
                Ordering::Equal => {}
                order => return Some(order),
            }
        }
        Some(Ordering::Equal)
    }
}

macro_rules! rows {
    ($($of_type:expr, $of_method:expr, $item:literal, $at:literal;)*) => {
        const MEMBERS: &[Member] = &[
            $(
                Member::constructor($of_type, Type::Named(names::TUPLE, $of_type), |args, _| {
                    Ok(make(args))
                }),
                Member::static_method(
                    "Create",
                    $of_method,
                    Type::Named(names::TUPLE, $of_method),
                    |args, _| Ok(make(args)),
                ),
                Member::property($item, Type::TypeArg($at), |args, _| item(args, $at)),
            )*
        ];
    };
}

rows! {
    &[Type::T], &[Type::M], "Item1", 0;
    &[Type::T, Type::U], &[Type::M, Type::N], "Item2", 1;
    &[Type::T, Type::U, OF_TYPE[2]], &[Type::M, Type::N, Type::O], "Item3", 2;
    &[Type::T, Type::U, OF_TYPE[2], OF_TYPE[3]], &[Type::M, Type::N, Type::O, Type::P], "Item4", 3;
    &[Type::T, Type::U, OF_TYPE[2], OF_TYPE[3], OF_TYPE[4]],
        &[Type::M, Type::N, Type::O, Type::P, Type::MethodArg(4)], "Item5", 4;
    &[Type::T, Type::U, OF_TYPE[2], OF_TYPE[3], OF_TYPE[4], OF_TYPE[5]],
        &[Type::M, Type::N, Type::O, Type::P, Type::MethodArg(4), Type::MethodArg(5)], "Item6", 5;
    &[Type::T, Type::U, OF_TYPE[2], OF_TYPE[3], OF_TYPE[4], OF_TYPE[5], OF_TYPE[6]],
        &[Type::M, Type::N, Type::O, Type::P, Type::MethodArg(4), Type::MethodArg(5), Type::MethodArg(6)],
        "Item7", 6;
}

fn make(args: &Args<'_>) -> Value {
    let ty = match args.returns() {
        made @ Type::Named(..) => made,
        _ => types::named(names::TUPLE, &[]),
    };
    Value::object(Tuple { ty, items: args.values().to_vec() })
}

fn item(args: &Args<'_>, at: usize) -> Result<Value, Exception> {
    let tuple = args.value(0).as_object::<Tuple>();
    tuple
        .and_then(|it| it.items.get(at))
        .cloned()
        .ok_or_else(|| Exception::invalid_operation(format!("the tuple has no Item{}", at + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(a: i32, b: &str) -> Value {
        let ty = types::named(names::TUPLE, &[Type::Int32, Type::String]);
        Value::object(Tuple { ty, items: vec![a.into(), b.into()] })
    }

    #[test]
    fn tuples_compare_and_print_by_their_items() {
        assert_eq!(tuple(1, "a").to_text(), "(1, a)");
        assert!(tuple(1, "a").equals(&tuple(1, "a")) && !tuple(1, "a").equals(&tuple(1, "b")));
        assert_eq!(tuple(1, "b").compare(&tuple(1, "a")), Some(Ordering::Greater));
        assert_eq!(tuple(1, "a").hash_code(), tuple(1, "a").hash_code());
    }

    #[test]
    fn there_are_up_to_seven_items() {
        assert_eq!(MEMBERS.iter().filter(|it| it.name == "Create").count(), 7);
    }
}
