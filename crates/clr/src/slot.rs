//! Variables at run time: slots of a function's frame, and cells that functions share.

use std::sync::{Arc, Mutex, PoisonError};

use crate::types::Type;
use crate::value::{Object, Value};

/// A variable that functions share.
#[derive(Debug, Default)]
pub struct Cell(Mutex<Value>);

impl Drop for Cell {
    fn drop(&mut self) {
        let value = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        crate::value::release([std::mem::take(value)]);
    }
}

impl Cell {
    /// A cell with a value.
    #[must_use]
    pub fn new(value: Value) -> Arc<Self> {
        Arc::new(Self(Mutex::new(value)))
    }

    /// Its value.
    #[inline]
    #[must_use]
    pub fn get(&self) -> Value {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives it a value.
    #[inline]
    pub fn set(&self, value: Value) {
        // The old value is dropped after the lock: dropping it may drop other cells.
        let old =
            std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), value);
        drop(old);
    }
}

/// As the argument for a `ref` or `out` parameter.
impl Object for Cell {
    fn net_type(&self) -> Type {
        Type::Object
    }
}

/// A slot of a function.
#[derive(Clone, Debug)]
pub(crate) enum Slot {
    Value(Value),
    Cell(Arc<Cell>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_shared() {
        let cell = Cell::new(Value::from(1));
        let other = Arc::clone(&cell);
        other.set(Value::from(2));
        assert!(cell.get().equals(&Value::from(2)));
    }
}
