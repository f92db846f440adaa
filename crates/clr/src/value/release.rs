//! Letting go of values that nest deeply, without as deep a stack.

use std::cell::{Cell, RefCell};

use super::Value;

/// How many containers within one another are let go directly.
const DIRECT: u32 = 64;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LATER: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// Drops what a container held: directly, or, deep within others, after the outermost one.
pub fn release(values: impl IntoIterator<Item = Value>) {
    let depth = DEPTH.get();
    if depth >= DIRECT {
        LATER.with_borrow_mut(|later| later.extend(values));
        return;
    }
    DEPTH.set(depth + 1);
    values.into_iter().for_each(drop);
    if depth == 0 {
        while let Some(next) = LATER.with_borrow_mut(Vec::pop) {
            drop(next);
        }
    }
    DEPTH.set(depth);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Type;

    #[test]
    fn a_million_lists_within_one_another_are_let_go() {
        let mut value = Value::Null;
        for _ in 0..1_000_000 {
            value = Value::list(Type::Object, vec![value]);
        }
        drop(value);
        assert_eq!(DEPTH.get(), 0);
    }
}
