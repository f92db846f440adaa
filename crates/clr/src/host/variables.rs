//! `context.Variables`: what policies set and expressions read.

use std::sync::Arc;

use crate::value::Value;

/// Named values in the order in which they were first set. Names are case-sensitive.
#[derive(Clone, Debug, Default)]
pub struct Variables(Vec<(Arc<str>, Value)>);

impl Variables {
    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| **own == *name).map(|(_, value)| value)
    }

    /// Is there such a variable?
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<Arc<str>> + AsRef<str>, value: Value) {
        match self.0.iter_mut().find(|(own, _)| **own == *name.as_ref()) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.into(), value)),
        }
    }

    /// Removes a variable.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(own, _)| **own == *name)?;
        Some(self.0.remove(at).1)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_keeps_its_place_when_it_is_set_again() {
        let mut all = Variables::default();
        all.set("a", Value::from(1));
        all.set("b", Value::from(2));
        all.set("a", Value::from(3));
        let names: Vec<&str> = all.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(all.get("a").and_then(Value::as_i64), Some(3));
        assert!(all.get("A").is_none() && all.remove("b").is_some() && all.len() == 1);
    }
}
