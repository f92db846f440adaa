//! Types that are made at run time live for ever, once each; their number is bounded.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::{AnonymousType, MAX_INTERNED, Type, names};

/// `T?`; of a type that has null already, the type itself.
#[must_use]
pub fn nullable(of: Type) -> Type {
    match of {
        Type::Nullable(_) | Type::Error | Type::Null => of,
        _ => Type::Nullable(intern(of)),
    }
}

/// `T[]`.
#[must_use]
pub fn array(of: Type) -> Type {
    Type::Array(intern(of))
}

/// A named type with type arguments.
#[must_use]
pub fn named(name: &'static str, arguments: &[Type]) -> Type {
    Type::Named(name, intern_list(arguments))
}

/// `IEnumerable<T>`.
#[must_use]
pub fn enumerable(item: Type) -> Type {
    named(names::IENUMERABLE, &[item])
}

/// A delegate of parameters and result, result last.
#[must_use]
pub fn func(parameters_and_result: &[Type]) -> Type {
    Type::Func(intern_list(parameters_and_result))
}

/// An anonymous type.
#[must_use]
pub fn anonymous(fields: Vec<(String, Type)>) -> Type {
    let wanted = AnonymousType { fields };
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = table.anonymous.get(&wanted) {
        return Type::Anonymous(known);
    }
    if table.is_full() {
        return Type::Object;
    }
    let leaked: &'static AnonymousType = Box::leak(Box::new(wanted));
    table.anonymous.insert(leaked);
    Type::Anonymous(leaked)
}

/// A reference to the type that lives for ever.
#[must_use]
pub fn intern(of: Type) -> &'static Type {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = table.types.get(&of) {
        return known;
    }
    if table.is_full() {
        return &Type::Object;
    }
    let leaked: &'static Type = Box::leak(Box::new(of));
    table.types.insert(leaked);
    leaked
}

/// A text that lives for ever: the default value of a local function's parameter.
#[must_use]
pub fn leak_text(text: &str) -> &'static str {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = table.texts.get(text) {
        return known;
    }
    if table.is_full() {
        return "";
    }
    let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
    table.texts.insert(leaked);
    leaked
}

/// A tuple; names are empty where an item has none, or left out altogether.
#[must_use]
pub fn tuple(items: &[Type], names: &[&str]) -> Type {
    let items = intern_list(items);
    if names.iter().all(|it| it.is_empty()) {
        return Type::Tuple(items, &[]);
    }
    let wanted: Vec<&'static str> = names.iter().map(|it| leak_text(it)).collect();
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = table.names.get(wanted.as_slice()) {
        return Type::Tuple(items, known);
    }
    if table.is_full() {
        return Type::Tuple(items, &[]);
    }
    let leaked: &'static [&'static str] = Box::leak(wanted.into_boxed_slice());
    table.names.insert(leaked);
    Type::Tuple(items, leaked)
}

/// A list of types that lives for ever.
#[must_use]
pub fn list(of: &[Type]) -> &'static [Type] {
    intern_list(of)
}

fn intern_list(list: &[Type]) -> &'static [Type] {
    if list.is_empty() {
        return &[];
    }
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = table.lists.get(list) {
        return known;
    }
    if table.is_full() {
        const OBJECTS: [Type; 16] = [Type::Object; 16];
        return OBJECTS.get(..list.len()).unwrap_or(&OBJECTS);
    }
    let leaked: &'static [Type] = Box::leak(list.to_vec().into_boxed_slice());
    table.lists.insert(leaked);
    leaked
}

#[derive(Default)]
struct Table {
    types: HashSet<&'static Type>,
    lists: HashSet<&'static [Type]>,
    anonymous: HashSet<&'static AnonymousType>,
    texts: HashSet<&'static str>,
    names: HashSet<&'static [&'static str]>,
}

impl Table {
    fn is_full(&self) -> bool {
        let of_names = self.texts.len() + self.names.len();
        self.types.len() + self.lists.len() + self.anonymous.len() + of_names >= MAX_INTERNED
    }
}

static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn equal_types_are_interned_once() {
        assert_eq!(named(names::LIST, &[Type::String]), Type::Named(names::LIST, &[Type::String]));
        let fields = || vec![("a".to_owned(), Type::Int32)];
        assert_eq!(anonymous(fields()), anonymous(fields()));
    }
}
